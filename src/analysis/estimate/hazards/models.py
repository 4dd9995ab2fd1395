"""Fitted hazard models of spells: which rows are at risk when, of what event, in which strata and clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from analysis.estimate.curves.limits import check_limits
from analysis.estimate.doors import CENSORED, WORDS, as_names, check_spells, plain_numbers
from analysis.estimate.hazards.design import Design, design_of
from analysis.estimate.likelihood import Fit, RiskSets, maximise, risk_sets, with_sandwich
from analysis.estimate.strata import strata_of
from analysis.schema import EFFECTS, SchemaError

ANY = "any"


@dataclass(frozen=True)
class Data:
    """The columns of a model as plain arrays, rows with a weight of 0 or an unknown covariate left out.

    `rows` are the places of the rows used among the spells given, `word` the places of their events in the list of
    words, `had` flags those with the event in question.
    """

    rows: np.ndarray
    time: np.ndarray
    entry: np.ndarray | None
    word: np.ndarray
    had: np.ndarray
    stratum: np.ndarray
    strata: pd.DataFrame
    cluster: np.ndarray | None
    weight: np.ndarray | None
    design: Design
    notes: tuple[str, ...]

    @property
    def whole_weights(self) -> bool:
        """Weights that say how many subjects a row stands for."""
        return self.weight is not None and np.array_equal(self.weight, np.round(self.weight))


@dataclass(frozen=True)
class Model:
    """A fit, the data that it is a fit of, its name and scale, and what must be said of every row of its table."""

    kind: str
    name: str
    scale: str
    event: str
    fit: Fit
    data: Data
    notes: tuple[str, ...]


def read(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    strata: str | list[str] | None,
    cluster: str | None,
    entry: str | None,
    weight: str | None,
) -> Data:
    """Check the spells and turn the columns in use into arrays; every fault of the spells is named at once."""
    by, causes = as_names(strata), _causes(cause)
    word = check_spells(spells, by + [name for name in as_names(cluster) if name not in by], entry, weight)
    notes = _unused_entry(spells, entry)
    rows = np.arange(len(spells))
    if weight is not None and (plain_numbers(spells[weight]) == 0).any():
        rows = np.flatnonzero(plain_numbers(spells[weight]) > 0)
        notes.append(f"{len(spells) - len(rows)} rows of weight 0 left out")
        spells, word = spells.iloc[rows], word[rows]
    design = design_of(spells, terms)
    if design.note:
        notes.append(design.note)
        rows, spells, word = rows[design.kept], spells[design.kept], word[design.kept]
    code, labels = strata_of(spells, by)
    return Data(
        rows,
        plain_numbers(spells["time"]),
        None if entry is None else plain_numbers(spells[entry]),
        word,
        np.isin(word, [WORDS.index(name) for name in causes]),
        code,
        labels,
        None if cluster is None else pd.factorize(spells[cluster])[0],
        None if weight is None else plain_numbers(spells[weight]).astype(float),
        design,
        tuple(notes),
    )


def _causes(cause: str | list[str]) -> list[str]:
    events = [word for word in WORDS if word != CENSORED]
    causes = events if cause == ANY else as_names(cause)
    if not causes or not set(causes) <= set(events):
        raise SchemaError(f"cause: expected one or more of {events}, or {ANY!r}, came {cause!r}; use the event's word")
    return causes


def _unused_entry(spells: pd.DataFrame, entry: str | None) -> list[str]:
    if entry is None and "entry" in spells.columns and pd.api.types.is_numeric_dtype(spells["entry"].dtype):
        delayed = int((spells["entry"] > 0).sum())
        if delayed:
            return [f"{delayed} delayed entries not used; pass entry='entry' to count them at risk from then on"]
    return []


def fitted(
    data: Data,
    kind: str,
    cause: str | list[str],
    ties: str = "efron",
    robust: bool | None = None,
    change_sets: Callable[[RiskSets], RiskSets] | None = None,
    further: Callable[[Fit], np.ndarray | None] | None = None,
    repeated: bool = False,
) -> Model:
    """The maximum of the partial likelihood of these data; its variance is robust where clusters or weights ask for it.

    `change_sets` changes who is at risk, `further` gives what the sandwich adds to each row's score residual, and with
    `repeated` it takes whole weights for that many subjects, where R's `coxph` takes the row for one.
    """
    if ties not in ("efron", "breslow"):
        raise SchemaError(f"ties: expected 'efron' or 'breslow', came {ties!r}; use one of them")
    names, events = data.design.names, int(data.had.sum())
    enough = events >= max(len(names), 1)
    notes = _silent_strata(data) if enough else (f"no estimate: {len(names)} terms for {events} events",)
    sets = risk_sets(data.time, data.had, data.stratum, data.entry)
    sets = change_sets(sets) if change_sets else sets
    # Columns of zeros have no estimate, so too few events give none.
    columns = data.design.columns if enough else np.zeros_like(data.design.columns)
    fit = maximise(sets, columns, names, data.weight, efron=ties == "efron")
    if not enough:
        fit = replace(fit, notes=("",) * len(names))
    weighted = data.weight is not None and not data.whole_weights
    if robust or (robust is None and (data.cluster is not None or weighted)):
        added = further(fit) if further and fit.converged else None
        fit = with_sandwich(fit, data.cluster, added, repeated=repeated and data.whole_weights)
    event = cause if isinstance(cause, str) else " or ".join(cause)
    return Model(kind, f"{kind}, {event}", "hazard ratio", event, fit, data, data.notes + notes)


def _silent_strata(data: Data) -> tuple[str, ...]:
    heard = np.bincount(data.stratum[data.had], minlength=len(data.strata)) > 0
    silent = data.strata["stratum"][~heard].tolist()
    if not silent:
        return ()
    named = ", ".join(silent[:3]) + (f" and {len(silent) - 3} more" if len(silent) > 3 else "")
    return (f"no events in stratum {named}: it tells nothing of the effects",)


def effects(model: Model, conf_level: float = 0.95) -> pd.DataFrame:
    """The table EFFECTS of a fitted model: one row per column of its design, with Wald limits.

    `subjects` counts clusters where there are some, else rows (or the sum of whole weights).
    R: `summary(fit)$coefficients` and `$conf.int`.
    """
    check_limits("log", conf_level)
    fit, data = model.fit, model.data
    number = data.weight if data.whole_weights else np.ones(len(data.rows))
    error = fit.errors
    reach = special.ndtri(0.5 + conf_level / 2) * error
    with np.errstate(over="ignore"):
        frame = pd.DataFrame(
            {
                "model": model.name,
                "term": pd.Series(fit.names, dtype=object),
                "scale": model.scale,
                "estimate": np.exp(fit.coefficients),
                "conf_low": np.exp(fit.coefficients - reach),
                "conf_high": np.exp(fit.coefficients + reach),
                "log_estimate": fit.coefficients,
                "std_error": error,
                "p": 2 * special.ndtr(-np.abs(fit.coefficients / error)),
                "subjects": float(number.sum()) if data.cluster is None else float(len(np.unique(data.cluster))),
                "events": float(number[data.had].sum()),
                "note": ["; ".join(part for part in (note, *model.notes) if part) for note in fit.notes],
            }
        )
    return frame[EFFECTS.names]


def check_finite(models: Mapping[str, Model]) -> None:
    """Raise one SchemaError that names every model without finite estimates of all its coefficients."""
    faults = [
        f"model of {cause!r}: not every coefficient has a finite estimate; see the notes of its effects"
        for cause, model in models.items()
        if not model.fit.converged or not model.fit.finite.all() or len(model.fit.columns) < len(model.fit.names)
    ]
    if faults:
        raise SchemaError("\n".join(faults))
