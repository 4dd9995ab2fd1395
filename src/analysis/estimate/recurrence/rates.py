"""How often: rates per time under observation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimate.counts import Counts, count
from analysis.estimate.curves.limits import check_limits
from analysis.schema import DAYS_PER_YEAR, RATES, empty


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


def _time_observed(counts: Counts, place: int) -> float:
    """Time under observation in a stratum: what all spent until they left, less what passed before their entry."""
    rows = counts.slices()[place]
    leaving = counts.censored[rows] + counts.events[:, rows].sum(axis=0)
    stratum, entry, number = counts.entries
    late = stratum == place
    return float(leaving @ counts.time[rows] - number[late] @ entry[late])
