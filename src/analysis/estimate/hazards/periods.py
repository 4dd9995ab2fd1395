"""Where proportional hazards fail: an effect for each period of follow-up."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.estimate.doors import as_names, check_spells
from analysis.estimate.hazards.cox import fit_cox
from analysis.estimate.hazards.design import design_of
from analysis.estimate.hazards.models import effects
from analysis.schema import EFFECTS, SchemaError


def time_varying_effect(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    term: str,
    cut_days: float | Sequence[float],
    strata: str | list[str] | None = None,
    cluster: str | None = None,
    entry: str | None = None,
    ties: str = "efron",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How does an effect differ between early and late follow-up? The model of `cox`, one effect of `term` per period.

    Rows are split at the cuts, so that everybody counts in each period that they live to see; the other terms keep
    one effect throughout. The ratio of a late period speaks of those who got that far: the frail have left, and a
    ratio may fade for that alone (Hernan 2010).

    Parameters
    ----------
    spells, terms, cause, strata, cluster, entry, ties, conf_level : as in `cox`
    term : the term of `terms`, as it stands there, whose effect may change
    cut_days : where one period ends (that day included) and the next begins; choose before looking

    Returns
    -------
    Table EFFECTS; terms "age_years, up to day 365", "age_years, after day 365". `subjects` counts as in `cox`, not
    the rows split.

    Source: Therneau and Grambsch 2000, section 6.5.
    R: `survSplit(..., cut = cut_days, episode = "period")`, then `coxph(... ~ others + term:strata(period))`.

    Raises
    ------
    analysis.schema.SchemaError
        as `cox`; for a term that is not in the formula, or cuts that are not rising numbers above 0.

    Example
    -------
    >>> age = [61, 70, 58, 66, 49, 60]
    >>> spells = pd.DataFrame({"time": [3, 5, 5, 8, 9, 9], "age": age, "event": "relapse"})
    >>> time_varying_effect(spells, "age", "relapse", "age", 5)[["term", "log_estimate"]].round(3).values.tolist()
    [['age, up to day 5', 0.06], ['age, after day 5', 0.077]]
    """
    cuts = np.atleast_1d(np.asarray(cut_days, dtype=float))
    if not len(cuts) or not np.isfinite(cuts).all() or cuts[0] <= 0 or (np.diff(cuts) <= 0).any():
        raise SchemaError(f"cut_days: expected rising days above 0, came {cut_days!r}; give them in order")
    by = list(dict.fromkeys(as_names(strata) + as_names(cluster)))
    check_spells(spells, by, entry, None)
    design = design_of(spells, terms)
    if term not in design.groups:
        raise SchemaError(f"term: expected one of {list(design.groups)}, the terms of {terms!r}, came {term!r}")
    used = spells.loc[design.kept].reset_index(drop=True)
    start = used[entry].to_numpy(float) if entry else np.zeros(len(used))
    rows = used[by].assign(entry=start, time=used["time"].to_numpy(float), event=used["event"].to_numpy(object))
    parts = [
        part.assign(**_columns(design, term, part.index.to_numpy(), period, names))
        for names in [_names(cuts)]
        for period, part in enumerate(split_at(rows, cuts))
    ]
    split = pd.concat(parts, ignore_index=True)
    named = " + ".join(f"`{name}`" for name in split.columns if name not in {*by, "entry", "time", "event"})
    found = effects(fit_cox(split, named, cause, strata, cluster, "entry", ties=ties), conf_level)
    # Without clusters the split rows were counted.
    subjects = found["subjects"] if cluster else float(len(used))
    note = found["note"].map(lambda said: "; ".join(part for part in (said, design.note) if part))
    return found.assign(subjects=subjects, note=note)[EFFECTS.names]


def split_at(rows: pd.DataFrame, cuts: np.ndarray) -> list[pd.DataFrame]:
    """Per period the part of each row that lies in it, censored where it goes on. R: `survival::survSplit`."""
    parts = []
    for low, high in zip([0.0, *cuts], [*cuts, np.inf], strict=True):
        here = rows[(rows["entry"] < high) & ((rows["time"] > low) | (low == 0))]
        parts.append(
            here.assign(
                entry=here["entry"].clip(lower=low),
                time=here["time"].clip(upper=high),
                event=here["event"].where(here["time"] <= high, "censored"),
            )
        )
    return parts


def _names(cuts: np.ndarray) -> list[str]:
    middle = [f"day {low:g} to {high:g}" for low, high in itertools.pairwise(cuts)]
    return [f"up to day {cuts[0]:g}", *middle, f"after day {cuts[-1]:g}"]


def _columns(design, term: str, rows: np.ndarray, period: int, names: list[str]) -> dict[str, np.ndarray]:
    """The design's columns for these rows; those of the term once per period, zero in all others."""
    columns = {}
    for place, name in enumerate(design.names):
        values = design.columns[rows, place]
        if place not in design.groups[term]:
            columns[name] = values
            continue
        for number, words in enumerate(names):
            columns[f"{name}, {words}"] = values if number == period else np.zeros(len(rows))
    return columns
