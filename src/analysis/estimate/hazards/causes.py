"""All causes side by side: one cause-specific model each, as lifelines' object wherever lifelines is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.estimate.doors import CENSORED, WORDS
from analysis.estimate.hazards.cox import fit_cox
from analysis.estimate.hazards.models import Model, effects
from analysis.estimate.hazards.ordinary import ordinary_cox
from analysis.schema import EFFECTS, SchemaError, joined

if TYPE_CHECKING:
    from lifelines import CoxPHFitter


def causes(spells: pd.DataFrame) -> list[str]:
    """The events that occur in the spells, in the order of their words.

    Example
    -------
    >>> causes(pd.DataFrame({"event": ["death", "censored", "relapse"]}))
    ['relapse', 'death']
    """
    return [word for word in WORDS if word != CENSORED and (spells["event"] == word).any()]


def fit_causes(spells: pd.DataFrame, terms: str, events_per_term: float = 5, **choices) -> dict[str, Model]:
    """The fitted model of `fit_cox` for every event that occurs, by its word: what `predict_incidence` asks for.

    A cause with fewer than `events_per_term` events for each column has a model without terms: its hazard is taken to
    be the same for all (5 to 9 often do for an adjusted risk; Vittinghoff and McCulloch 2007). Give spells that know
    every term (`covariates.complete`), else such models have other rows.
    """
    fitted = {}
    for cause in causes(spells):
        model = fit_cox(spells, terms, cause, **choices)
        few = model.data.had.sum() < events_per_term * len(model.fit.names)
        fitted[cause] = fit_cox(spells, "1", cause, **choices) if few else model
    return fitted


def by_cause(
    spells: pd.DataFrame, terms: str, events_per_term: float = 10, conf_level: float = 0.95
) -> tuple[pd.DataFrame, dict[str, CoxPHFitter | Model]]:
    """What goes with a higher rate of each event? One cause-specific Cox model per event that occurs.

    Parameters: spells of one line, one per patient; `terms` as in `cox`. A cause with fewer than `events_per_term`
    events for each column keeps its rows and loses its numbers, and the note says so: it is named, not told.

    Returns
    -------
    (EFFECTS, fitted models by event word). The models are lifelines' own (`ordinary_cox`); with delayed entry, which
    lifelines gets wrong, and where lifelines finds no maximum, they are ours (`fit_cox`), which say why in the note.

    Raises SchemaError for spells of several lines of one patient, and as `cox` does.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8, 9], "age": [61, 70, 58, 66, 49],
    ...                        "event": ["relapse", "relapse", "death", "relapse", "censored"]})
    >>> table, fitted = by_cause(spells, "age", events_per_term=1)
    >>> table["model"].tolist(), type(fitted["relapse"]).__name__
    (['Cox, relapse', 'Cox, death'], 'CoxPHFitter')
    """
    if "patient_id" in spells and spells["patient_id"].duplicated().any():
        raise SchemaError("by_cause: expected one spell per patient, came several; take one line, or `pwp_gap_time`")
    tables, fitted = [], {}
    delayed = "entry" in spells and bool((spells["entry"] > 0).any())
    for cause in causes(spells):
        table, model = (None, None) if delayed else ordinary_cox(spells, terms, cause, conf_level=conf_level)
        if model is None or table["std_error"].isna().any():
            model = fit_cox(spells, terms, cause, entry="entry" if delayed else None)
            table = effects(model, conf_level)
        tables.append(told(table, events_per_term))
        fitted[cause] = model
    return joined(tables, EFFECTS), fitted


def by_line(spells: pd.DataFrame, terms: str, lines: list[int], events_per_term: float = 10) -> pd.DataFrame:
    """What goes with each event on each line by itself? Table EFFECTS; models are named "line 2, relapse".

    Each line has all causes side by side, as `by_cause` does them: who reaches a later line has outlived the earlier
    ones, so lines differ in their patients as well as in their effects. Parameters, errors: as in `by_cause`.

    Example
    -------
    >>> spells = pd.DataFrame({"line": [1, 1, 1, 2, 2, 2], "entry": 0, "time": [3, 5, 8, 9, 4, 2], "age": [61, 70, 58,
    ...                        66, 49, 55], "event": "relapse"})
    >>> by_line(spells, "age", [1, 2], events_per_term=1)["model"].tolist()
    ['line 1, relapse', 'line 2, relapse']
    """
    tables = []
    for line in lines:
        table, _ = by_cause(spells[spells["line"] == line], terms, events_per_term)
        tables.append(table.assign(model=table["model"].str.replace("Cox", f"line {line}", n=1)))
    return joined(tables, EFFECTS)


def told(table: pd.DataFrame, events_per_term: float = 10) -> pd.DataFrame:
    """EFFECTS without the numbers of models that have fewer than so many events for each column; the note says so.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 8], "age": [61, 70, 58], "event": "relapse"})
    >>> told(by_cause(spells, "age", events_per_term=1)[0])["note"].tolist()
    ['not told: fewer than 10 events for each of 1 columns']
    """
    columns = table.groupby("model")["term"].transform("size")
    few = (table["events"] < events_per_term * columns).to_numpy()
    numbers = ["estimate", "conf_low", "conf_high", "log_estimate", "std_error", "p"]
    why = [f"not told: fewer than {events_per_term:g} events for each of {count} columns" for count in columns]
    notes = ["; ".join(filter(None, parts)) for parts in zip(why, table["note"], strict=True)]
    frame = table.assign(note=np.where(few, notes, table["note"]))
    frame.loc[few, numbers] = np.nan
    return frame
