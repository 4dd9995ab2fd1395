"""Cox models of recurrent relapses: they differ in the clock, and in who is at risk of which event."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.estimate.doors import as_names, plain_numbers
from analysis.estimate.hazards.models import Model, effects, fitted, read
from analysis.schema import SchemaError


def andersen_gill(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    start: str = "start_day",
    strata: str | list[str] | None = None,
    cluster: str | None = "patient_id",
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """What goes with a higher rate of events over the whole course, among those still alive, every event alike?

    One baseline over the time since the patient's own origin; each line is at risk from its start to its end on that
    clock, `start` < t <= `start` + `time`. Errors are robust by patient, because events of one patient go together.
    Andersen and Gill 1982; Lin, Wei, Yang and Ying 2000 for the robust reading as effects on the rate. Death ends a
    spell as censoring does: with deaths the ratio is one of rates among those still alive, not of the number of
    events a patient comes to (who dies early has few; for that see `mean_number_of_relapses`).

    Parameters, returns, raises: as in `cox`; `start` is the column with the day on which the spell starts. Spells of
    no length are never at risk on this clock; they are left out, and the note says how many.
    R: `coxph(Surv(start + entry, start + time, event == cause) ~ terms, cluster = patient_id)`.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": [1, 1, 2, 2, 3], "line": [1, 2, 1, 2, 1], "start_day": [0, 40, 0, 90, 0],
    ...                        "entry": 0, "time": [40, 30, 90, 50, 100], "age": [70, 70, 55, 55, 60],
    ...                        "event": ["relapse", "relapse", "relapse", "censored", "censored"]})
    >>> andersen_gill(spells, "age", "relapse")[["term", "subjects", "events"]].values.tolist()
    [['age', 3.0, 3.0]]
    """
    model = fit_andersen_gill(spells, terms, cause, start, strata, cluster, entry, weight, ties)
    return effects(model, conf_level)


def fit_andersen_gill(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    start: str = "start_day",
    strata: str | list[str] | None = None,
    cluster: str | None = "patient_id",
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
) -> Model:
    """The fitted model of `andersen_gill`; parameters and errors as there."""
    return _on_own_clock(spells, terms, cause, start, as_names(strata), cluster, entry, weight, ties, "Andersen-Gill")


def pwp_total_time(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    start: str = "start_day",
    line: str = "line",
    cluster: str | None = "patient_id",
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """What goes with earlier events, each line compared with the same line of others, on the time since the origin?

    As `andersen_gill`, with a baseline for each line (Prentice, Williams and Peterson 1981, model 1): a patient is at
    risk of the event of line k only once line k has started.

    Parameters, returns, raises: as in `andersen_gill`; `line` is the column that orders the spells.
    R: `coxph(Surv(start + entry, start + time, event == cause) ~ terms + strata(line), cluster = patient_id)`.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": [1, 1, 2, 2, 3], "line": [1, 2, 1, 2, 1], "start_day": [0, 40, 0, 90, 0],
    ...                        "entry": 0, "time": [40, 30, 90, 50, 100], "age": [70, 70, 55, 55, 60],
    ...                        "event": ["relapse", "relapse", "relapse", "relapse", "censored"]})
    >>> pwp_total_time(spells, "age", "relapse")["model"].tolist()
    ['PWP total time, relapse']
    """
    model = fit_pwp_total_time(spells, terms, cause, start, line, cluster, entry, weight, ties)
    return effects(model, conf_level)


def fit_pwp_total_time(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    start: str = "start_day",
    line: str = "line",
    cluster: str | None = "patient_id",
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
) -> Model:
    """The fitted model of `pwp_total_time`; parameters and errors as there."""
    return _on_own_clock(spells, terms, cause, start, [line], cluster, entry, weight, ties, "PWP total time")


def pwp_gap_time(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    line: str = "line",
    cluster: str | None = "patient_id",
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """What goes with a shorter time from the start of a line to the event, each line compared with the same line?

    The clock starts anew with each line, and each line has its own baseline (Prentice, Williams and Peterson 1981,
    model 2); errors are robust by patient. Later lines hold the patients who got there, so their effects are among
    those; and the censoring of later gaps depends on earlier ones (docs/methods.md).

    Parameters, returns, raises: as in `cox`; `line` is the column that orders the spells.
    R: `coxph(Surv(entry, time, event == cause) ~ terms + strata(line), cluster = patient_id)`.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": [1, 1, 2, 2, 3], "line": [1, 2, 1, 2, 1], "age": [70, 70, 55, 55, 60],
    ...                        "entry": 0, "time": [40, 30, 90, 50, 100],
    ...                        "event": ["relapse", "relapse", "relapse", "relapse", "censored"]})
    >>> pwp_gap_time(spells, "age", "relapse")["subjects"].tolist()
    [3.0]
    """
    model = fit_pwp_gap_time(spells, terms, cause, line, cluster, entry, weight, ties)
    return effects(model, conf_level)


def fit_pwp_gap_time(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    line: str = "line",
    cluster: str | None = "patient_id",
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
) -> Model:
    """The fitted model of `pwp_gap_time`; parameters and errors as there."""
    return fitted(read(spells, terms, cause, line, cluster, entry, weight), "PWP gap time", cause, ties)


def _on_own_clock(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    start: str,
    strata: list[str],
    cluster: str | None,
    entry: str | None,
    weight: str | None,
    ties: str,
    kind: str,
) -> Model:
    """The model on the time since the patient's origin: every spell at risk from its start to its end there."""
    data = read(spells, terms, cause, strata, cluster, entry, weight)
    begin = _starts(spells, start)[data.rows]
    entered = begin + (0 if data.entry is None else data.entry)
    ended = begin + data.time
    seen = ended > entered
    notes = data.notes
    if not seen.all():
        notes += (f"{int((~seen).sum())} spells of no length left out",)
    data = replace(
        data,
        rows=data.rows[seen],
        time=ended[seen],
        entry=entered[seen],
        word=data.word[seen],
        had=data.had[seen],
        stratum=data.stratum[seen],
        cluster=None if data.cluster is None else np.unique(data.cluster[seen], return_inverse=True)[1],
        weight=None if data.weight is None else data.weight[seen],
        design=replace(data.design, columns=data.design.columns[seen]),
        notes=notes,
    )
    return fitted(data, kind, cause, ties)


def _starts(spells: pd.DataFrame, start: str) -> np.ndarray:
    """The days on which the spells start, checked."""
    if start not in spells.columns:
        raise SchemaError(
            f"column {start!r} is missing: expected the day on which each spell starts on the patient's own clock, "
            f"came {list(map(str, spells.columns))}; name it by `start`"
        )
    if not pd.api.types.is_numeric_dtype(spells[start].dtype):
        raise SchemaError(f"column {start!r}: expected days, came {spells[start].dtype}; convert it first")
    begin = plain_numbers(spells[start]).astype(float)
    faulty = ~((begin >= 0) & (begin < np.inf))
    if faulty.any():
        place = np.flatnonzero(faulty)[0]
        raise SchemaError(
            f"column {start!r}: expected a finite day of at least 0, came {begin[place]} first in row "
            f"{spells.index[place]} ({int(faulty.sum())} row(s)); correct the row or leave it out"
        )
    return begin
