"""How often: rates per time under observation, and how many go on to the next line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.estimate.counts import Counts, count
from analysis.estimate.curves.limits import check_limits, wilson_limits
from analysis.estimate.curves.product_limit import incidence_curves, survival_curve
from analysis.estimate.curves.ticks import read_at, sorted_times
from analysis.schema import ATTRITION, DAYS_PER_YEAR, RATES, empty

_OUTCOMES = ("next_line", "death")


def rates(spells: pd.DataFrame, by: str | list[str] | None = None, conf_level: float = 0.95) -> pd.DataFrame:
    """How many events came per 100 years under observation?

    Rate = 100 events / person-years; the time before a delayed entry is not counted. Exact Poisson limits (Garwood
    1936, Biometrika): chi-square quantiles, chi2(a/2; 2 e) / 2 and chi2(1 - a/2; 2 e + 2) / 2 events.
    R: `poisson.test(events, person_years)$conf.int * 100`.

    Parameters
    ----------
    spells : table SPELLS, times in days
    by : column or columns that make the strata
    conf_level : level of the limits

    Returns
    -------
    Table RATES, one row per stratum and event word that occurs, and one for "any". No time observed: no rate.

    Raises
    ------
    schema.SchemaError for faulty spells, ValueError for an impossible level.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [365.25, 730.5], "event": ["relapse", "censored"]})
    >>> rates(spells).query("event == 'any'")[["estimate", "conf_low", "conf_high"]].round(1).values.tolist()
    [[33.3, 0.8, 185.7]]
    """
    check_limits("plain", conf_level)
    counts = count(spells, by)
    parts = []
    for place, rows in enumerate(counts.slices()):
        numbers = [number[rows].sum() for number in counts.events]
        parts.append(
            counts.strata.iloc[[place] * (len(numbers) + 1)].assign(
                event=[*counts.words, "any"],
                events=[*numbers, sum(numbers)],
                person_years=_time_observed(counts, place) / DAYS_PER_YEAR,
            )
        )
    if not parts:
        return empty(RATES)
    table = pd.concat(parts, ignore_index=True).astype({"events": float})
    low, high = poisson_limits(table["events"].to_numpy(), conf_level)
    per = (100 / table["person_years"].where(table["person_years"] > 0)).to_numpy()
    table = table.assign(estimate=table["events"].to_numpy() * per, conf_low=low * per, conf_high=high * per)
    return table[[*RATES.names, *table.columns.difference([*RATES.names, "last_time"], sort=False)]]


def poisson_limits(events: np.ndarray, conf_level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Between which values does the expected number of events lie, when this many were seen? Exact limits.

    R: `poisson.test(events)$conf.int`.

    Example
    -------
    >>> low, high = poisson_limits(np.array([0, 10]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 4.795], [3.689, 18.39])
    """
    from scipy.stats import chi2

    events, tail = np.asarray(events, dtype=float), (1 - conf_level) / 2
    low = np.where(events > 0, chi2.ppf(tail, 2 * np.where(events > 0, events, 1)) / 2, 0.0)
    return low, chi2.ppf(1 - tail, 2 * events + 2) / 2


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


def _time_observed(counts: Counts, place: int) -> float:
    """Time under observation in a stratum: what all spent until they left, less what passed before their entry."""
    rows = counts.slices()[place]
    leaving = counts.censored[rows] + counts.events[:, rows].sum(axis=0)
    stratum, entry, number = counts.entries
    late = stratum == place
    return float(leaving @ counts.time[rows] - number[late] @ entry[late])


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
