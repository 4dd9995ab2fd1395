"""How many go on to the next line, and how many die first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.estimate.counts import Counts, count
from analysis.estimate.curves.limits import wilson_limits
from analysis.estimate.curves.product_limit import incidence_curves, survival_curve
from analysis.estimate.curves.ticks import read_at, sorted_times
from analysis.schema import ATTRITION, empty

_OUTCOMES = ("next_line", "death")


def attrition(spells: pd.DataFrame, times: Sequence[float]) -> pd.DataFrame:
    """Of those who start a line, how many go on to the next, and how many die first?

    Two readings that answer different questions. "crude": the share of all who started, whatever their follow-up
    (limits: Wilson 1927) - what most publications print, and too low for both outcomes where follow-up is short.
    "Aalen-Johansen": the share by the given times with censoring allowed for. "neither" is 1 minus the two others.
    R: `prop.test(count, entered, correct = FALSE)`, `summary(survfit(Surv(time, event) ~ line), times = times)`.

    Parameters
    ----------
    spells : table SPELLS that ends at the next line (events "next_line", "death", "censored"); times in days
    times : days since line start

    Returns
    -------
    Table ATTRITION; `count` in the Aalen-Johansen reading is the number with the outcome by the time, for "neither" the
    subjects still under observation without one. Past the last time under observation the estimate is missing, and from
    a time at which nobody was left although others had still to enter.

    Raises
    ------
    schema.SchemaError for faulty spells or when `line` is missing, ValueError for spells that end at relapse.

    Example
    -------
    >>> spells = pd.DataFrame({"line": 1, "entry": 0, "time": [9, 20, 30], "event": ["next_line", "death", "censored"]})
    >>> attrition(spells, [25]).query("outcome == 'next_line'")[["reading", "estimate"]].round(3).values.tolist()
    [['crude', 0.333], ['Aalen-Johansen', 0.333]]
    """
    counts = count(spells, "line")
    if "relapse" in counts.words:
        row = spells.index[(spells["event"] == "relapse").to_numpy()][0]
        raise ValueError(
            f"attrition: expected spells that end at the next line, came event 'relapse' first in row {row}; "
            "derive the spells with endpoint 'next_line'"
        )
    if not len(counts.strata):
        return empty(ATTRITION)
    table = pd.concat([_crude(counts), _by_time(counts, sorted_times(times))], ignore_index=True)
    return table.astype({"line": "int64"})[ATTRITION.names]


def _crude(counts: Counts) -> pd.DataFrame:
    """Final counts over all who started each line."""
    entered = counts.strata["subjects"].to_numpy()
    ends = {word: np.zeros(len(entered)) for word in _OUTCOMES}
    for word, number in zip(counts.words, counts.events, strict=True):
        ends[word] = np.array([number[rows].sum() for rows in counts.slices()])
    ends["neither"] = entered - ends["next_line"] - ends["death"]
    parts = []
    for outcome, number in ends.items():
        low, high = wilson_limits(number, entered)
        columns = {"line": counts.strata["line"], "reading": "crude", "outcome": outcome, "time": np.nan}
        columns |= {"estimate": number / entered, "conf_low": low, "conf_high": high}
        parts.append(pd.DataFrame(columns | {"entered": entered, "count": number, "at_risk": np.nan}))
    return pd.concat(parts, ignore_index=True)


def _by_time(counts: Counts, ticks: np.ndarray) -> pd.DataFrame:
    """The Aalen-Johansen shares, and for "neither" the survival curve, at each time."""
    incidence = read_at(incidence_curves(counts), counts, ticks)
    neither = read_at(survival_curve(counts), counts, ticks)
    entered = neither["stratum"].map(counts.strata.set_index("stratum")["subjects"])
    by_outcome = {}
    for word in _OUTCOMES:
        found = incidence[incidence["event"] == word]
        # A word that never occurs has no curve: its share is 0 wherever the survival curve is known.
        nobody = neither.assign(estimate=neither["estimate"] * 0, conf_low=np.nan, conf_high=np.nan, events=0.0)
        found = found if len(found) else nobody
        by_outcome[word] = found.assign(count=found["events"])
    by_outcome["neither"] = neither.assign(count=entered - neither["events"] - neither["censored"])
    table = pd.concat([part.assign(outcome=outcome) for outcome, part in by_outcome.items()], ignore_index=True)
    entered = table["stratum"].map(counts.strata.set_index("stratum")["subjects"])
    return table.assign(reading="Aalen-Johansen", entered=entered.astype(float))[ATTRITION.names]
