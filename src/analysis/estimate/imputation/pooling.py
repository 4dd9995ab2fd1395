"""Several completed data sets, one answer: Rubin's rules, and complete cases beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import special

from analysis.estimate.curves.limits import check_limits
from analysis.estimate.hazards import cox
from analysis.estimate.hazards.design import variables_of
from analysis.estimate.imputation.completed import imputed
from analysis.estimate.imputation.variables import check_columns, with_gaps
from analysis.schema import EFFECTS, SPELLS, SchemaError, check


def with_imputation(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    fit: Callable[..., pd.DataFrame] = cox,
    columns: Sequence[str] | None = None,
    auxiliary: Sequence[str] = (),
    imputations: int = 20,
    cycles: int = 10,
    seed: int = 2026,
    conf_level: float = 0.95,
    **model,
) -> pd.DataFrame:
    """What goes with the event when nobody is left out for a gap in the covariates, and what among complete cases?

    Parameters
    ----------
    spells, terms, cause : as in `hazards.cox`
    fit : "cox" or another function of `hazards` with its arguments that returns EFFECTS
    columns : variables of `terms` whose gaps, "unknown" among them, are filled; left out: all. In the others "unknown"
        is a level of its own, as it should be where a value is missing by nature
    auxiliary, imputations, cycles, seed : as in `imputed`
    model : what `fit` takes further: strata, cluster, entry, ...

    Returns
    -------
    Table EFFECTS with the columns of `pooled`: the model "..., complete cases" first, then "..., 20 imputations"; the
    former alone, saying so, where nothing is missing. Where the two differ, complete cases are a selection, or the
    gaps are not missing at random: the data cannot tell which.

    R: `pool(with(mice(data), coxph(Surv(time, event == cause) ~ terms)))`.

    Raises
    ------
    analysis.schema.SchemaError
        as `imputed` and `fit` do.

    Example
    -------
    >>> rng = np.random.default_rng(1)
    >>> spells = pd.DataFrame({"time": rng.exponential(9, 60), "event": "death", "age": rng.normal(65, 9, 60)})
    >>> spells["age"] = spells["age"].where(spells.index > 5)
    >>> with_imputation(spells, "age", "death", imputations=3)[["model", "subjects"]].values.tolist()
    [['Cox, death, complete cases', 54.0], ['Cox, death, 3 imputations', 60.0]]
    """
    named = [name for name in variables_of(terms) if name not in SPELLS.names]
    columns = named if columns is None else list(columns)
    further = [name for name in dict.fromkeys([*named, *auxiliary]) if name not in columns]
    check_columns(spells, columns + further, least=0)
    known = with_gaps(spells, columns)
    complete = fit(known, terms, cause, conf_level=conf_level, **model)
    complete = complete.assign(model=complete["model"] + ", complete cases")
    if not columns or not known[columns].isna().any(axis=None):
        return complete.assign(note=_joined(complete["note"], "nothing is missing, nothing imputed"))
    completed = imputed(
        spells, columns, further, imputations=imputations, cycles=cycles, seed=seed, entry=model.get("entry")
    )
    tables = [fit(frame, terms, cause, conf_level=conf_level, **model) for frame in completed]
    return pd.concat([complete, pooled(tables, conf_level)], ignore_index=True)


def pooled(effects: Sequence[pd.DataFrame], conf_level: float = 0.95, complete_df: float | None = None) -> pd.DataFrame:
    """One answer from the effects estimated in several completed data sets, by Rubin's rules.

    Estimate: the mean of the coefficients. Variance: T = W + (1 + 1/m) B, W the mean of their variances, B the variance
    of the coefficients. Limits: t with the degrees of freedom of Barnard and Rubin, from r = (1 + 1/m) B / W and the
    degrees of freedom that complete data would have: events (or subjects, where these are fewer) less terms, unless
    `complete_df` says otherwise. Fraction of missing information: (r + 2 / (df + 3)) / (r + 1).

    Parameters
    ----------
    effects : tables EFFECTS of the same models and terms, at least two
    conf_level : of the limits
    complete_df : degrees of freedom without any gap

    Returns
    -------
    Table EFFECTS with two more columns, `missing_information` and `df`; the note says the former too. A term without
    estimate in any data set has none.

    Sources: Rubin 1987; Barnard and Rubin, Biometrika 1999;86:948. R: `summary(mice::pool(fits), conf.int = TRUE)`.

    Raises
    ------
    analysis.schema.SchemaError
        for fewer than two tables, tables that do not fit EFFECTS, or tables of other models or terms than the first.

    Example
    -------
    >>> row = {"model": "Cox, relapse", "term": "age", "scale": "hazard ratio", "estimate": 1.0, "conf_low": 1.0,
    ...        "conf_high": 1.0, "std_error": 0.1, "p": 0.5, "subjects": 90.0, "events": 60.0, "note": ""}
    >>> tables = [pd.DataFrame([{**row, "log_estimate": value}]) for value in (0.1, 0.2, 0.3)]
    >>> pooled(tables)[["log_estimate", "std_error", "missing_information"]].round(4).values.tolist()
    [[0.2, 0.1528, 0.6799]]
    """
    check_limits("log", conf_level)
    _check_alike(effects)
    first, number = effects[0].reset_index(drop=True), len(effects)
    value, error = (np.column_stack([table[name].to_numpy(float) for table in effects]) for name in _NUMBERS)
    within, between = (error**2).mean(axis=1), value.var(axis=1, ddof=1)
    total = within + (1 + 1 / number) * between
    terms = first.groupby("model")["term"].transform("size")
    enough = first[["subjects", "events"]].min(axis=1) - terms if complete_df is None else complete_df
    df = _barnard_rubin(number, between, total, np.maximum(np.asarray(enough, dtype=float), 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = (1 + 1 / number) * between / within
        information = (ratio + 2 / (df + 3)) / (ratio + 1)
        centre, spread = value.mean(axis=1), np.sqrt(total)
        reach = special.stdtrit(df, 0.5 + conf_level / 2) * spread
        p = 2 * special.stdtr(df, -np.abs(centre / spread))
    none = np.isnan(value + error).sum(axis=1)
    said = [
        f"no pooled estimate: none in {gone} of {number} imputations"
        if gone
        else f"fraction of missing information {share:.2f}"
        for gone, share in zip(none, information, strict=True)
    ]
    result = first.assign(
        model=first["model"] + f", {number} imputations",
        estimate=np.exp(centre),
        conf_low=np.exp(centre - reach),
        conf_high=np.exp(centre + reach),
        log_estimate=centre,
        std_error=spread,
        p=p,
        note=[
            _merged(one, notes)
            for one, notes in zip(said, zip(*(t["note"] for t in effects), strict=True), strict=True)
        ],
        missing_information=information,
        df=df,
    )
    return check(result, EFFECTS)


_NUMBERS = ("log_estimate", "std_error")


def _barnard_rubin(number: int, between: np.ndarray, total: np.ndarray, complete: np.ndarray) -> np.ndarray:
    share = np.maximum((1 + 1 / number) * between / total, 1e-4)  # as mice: no gap at all gives no infinity
    old = (number - 1) / share**2
    with np.errstate(invalid="ignore"):
        seen = (complete + 1) / (complete + 3) * complete * (1 - share)
        return np.where(np.isinf(complete), old, old * seen / (old + seen))


def _check_alike(effects: Sequence[pd.DataFrame]) -> None:
    if len(effects) < 2:
        raise SchemaError(f"pooled: expected the effects of at least 2 imputations, came {len(effects)}; impute more")
    keys = [list(zip(check(table, EFFECTS)["model"], table["term"], strict=True)) for table in effects]
    for place, key in enumerate(keys):
        if key != keys[0]:
            strange = sorted(set(key) ^ set(keys[0]))[:3]
            raise SchemaError(
                f"pooled: expected the models and terms of the first table in each, came others in table {place + 1} "
                f"({len(key)} rows; only in one of them: {strange}); fit the same model to each"
            )


def _joined(notes: pd.Series, more: str) -> pd.Series:
    return notes.map(lambda note: f"{note}; {more}" if note else more)


def _merged(said: str, notes: tuple[str, ...]) -> str:
    """What is said of the pooled row, and once what any of the fits said of it."""
    parts = [part for note in notes for part in note.split("; ") if part]
    return "; ".join([said, *dict.fromkeys(parts)])
