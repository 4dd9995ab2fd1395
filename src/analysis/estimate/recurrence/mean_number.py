"""How many relapses a patient has had by each time, on average, when death ends the count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis.estimate.curves.limits import check_limits
from analysis.estimate.doors import WORDS
from analysis.estimate.recurrence.courses import Courses, courses
from analysis.schema import CURVES, empty

CONF_TYPES = ("log", "plain")


def mean_number_of_relapses(
    spells: pd.DataFrame,
    by: str | list[str] | None = None,
    survival: pd.DataFrame | None = None,
    event: str = "relapse",
    conf_type: str = "log",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How many relapses has a patient had by each time since the first line, on average, the dead having no more?

    mu(t) = sum over u <= t of S(u-) dN(u) / Y(u): S the Kaplan-Meier curve of death alone, dN the relapses on day u
    among the Y patients under observation, whichever line they are on. The dead stay in the mean with the relapses they
    had. Ghosh and Lin (2000), Biometrics 56:554. Standard error: infinitesimal jackknife by patient, so relapses of
    one patient may hang together in any way.
    R: `mets::recurrentMarginal(phreg(Surv(start, stop, status) ~ cluster(id)), phreg(Surv(start, stop, death) ~
    cluster(id)))`, which wants untied times.

    The clock of each patient starts with line 1. Between a relapse and the next line's start a patient is under
    observation and can die, not relapse. A day counts in the order relapse, death, censoring.

    Parameters
    ----------
    spells : table SPELLS with `start_day`, every line of every patient, times in days; `entry` is delayed entry
    by : column or columns that make the strata, one value per patient (read in `survival` where that is given)
    survival : spells of the same patients with endpoint "death" (`derive.spells(..., endpoint="death")`); without it
        patients are watched until their last spell ends, and one who relapses and has no later line counts as censored
        at that relapse: the note says how many. Their later deaths are then missed, and the curve is too high
    event : "relapse", or "next_line" for spells that end there: the mean number of further lines begun
    conf_type, conf_level : "log" limits, mu exp(+-z se / mu), or "plain", mu +- z se cut at 0; and their level

    Returns
    -------
    Table CURVES with `note`, estimand "mean number of relapses" (or "... of further lines"), one row per stratum and
    time at which somebody relapsed or left (and time 0). `at_risk` are the patients under observation, `events` the
    relapses, `censored` those no longer watched; deaths are the rest of the fall of `at_risk`. Missing from the time at
    which all under observation have died although others have still to enter.

    Raises
    ------
    schema.SchemaError for faulty spells (`courses.courses` lists what is one), ValueError for an impossible event, kind
    or level of limits, and for "relapse" where the spells end at the next line.

    Example
    -------
    >>> days = {"patient_id": ["a", "a", "b"], "line": [1, 2, 1], "start_day": [0, 40, 0], "time": [30, 9, 60]}
    >>> spells = pd.DataFrame(days).assign(entry=0, event=["relapse", "relapse", "death"])
    >>> mean_number_of_relapses(spells)[["time", "estimate"]].values.tolist()
    [[0.0, 0.0], [30.0, 0.5], [49.0, 1.0], [60.0, 1.0]]
    """
    check_limits(conf_type, conf_level)
    if conf_type not in CONF_TYPES:
        raise ValueError(f"conf_type: expected one of {list(CONF_TYPES)} for a mean number, came {conf_type!r}")
    found = courses(spells, by, survival)
    _check_event(event, found)
    number = found.word == WORDS.index(event)
    parts = [_stratum(found, place, number) for place in range(len(found.strata))]
    if not parts:
        return empty(CURVES).assign(note=pd.Series(dtype=object))
    estimand = "mean number of " + {"relapse": "relapses", "next_line": "further lines"}[event]
    table = pd.concat(parts, ignore_index=True).assign(estimand=estimand, event=event)
    low, high = mean_limits(table["estimate"].to_numpy(), table["std_error"].to_numpy(), conf_type, conf_level)
    start = (table["time"] == 0) & (table["std_error"] == 0)  # before anything can happen the mean is known
    table = table.assign(
        conf_low=np.where(start, table["estimate"], low), conf_high=np.where(start, table["estimate"], high)
    )
    return table[[*CURVES.names, "note", *found.strata.columns.difference(["stratum"], sort=False)]]


def mean_limits(
    estimate: np.ndarray, std_error: np.ndarray, conf_type: str = "log", conf_level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Between which values does each mean number lie? None on the log scale where the mean is 0 past time 0.

    Example
    -------
    >>> low, high = mean_limits(np.array([0.5]), np.array([0.1]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.3379], [0.74])
    """
    z = ndtri((1 + conf_level) / 2)
    if conf_type == "plain":
        return np.maximum(estimate - z * std_error, 0), estimate + z * std_error
    with np.errstate(divide="ignore", invalid="ignore"):
        width = np.exp(z * std_error / estimate)
        return estimate / width, estimate * width


@dataclass(frozen=True)
class _Days:
    """One stratum by time: the rows at which somebody relapsed or left, and where each patient and relapse falls."""

    time: np.ndarray
    came: np.ndarray
    left: np.ndarray
    relapsed: np.ndarray
    at_risk: np.ndarray
    deaths: np.ndarray
    relapses: np.ndarray
    censored: np.ndarray


def _check_event(event: str, found: Courses) -> None:
    words = ("relapse", "next_line")
    if event not in words:
        raise ValueError(f"event: expected one of {list(words)}, came {event!r}")
    relapse, next_line = ((found.word == WORDS.index(word)).any() for word in words)
    if event == "relapse" and next_line and not relapse:
        raise ValueError(
            "event: expected spells with relapses, came spells that end at the next line and never at a relapse; ask "
            "for event 'next_line', the mean number of further lines, or derive the spells with endpoint 'relapse'"
        )


def _stratum(found: Courses, place: int, number: np.ndarray) -> pd.DataFrame:
    """The curve of one stratum, limits apart."""
    mine = found.stratum == place
    rows = number & mine[found.patient]
    position = np.cumsum(mine) - 1  # of each patient within the stratum
    patient = position[found.patient[rows]]
    died, left = found.died[mine], found.left[mine]
    at = np.minimum((found.began + found.time)[rows], left[patient])
    days = _days(found.entered[mine], left, died, at)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - days.deaths / days.at_risk)
    before = np.concatenate([[1.0], survival[:-1]])
    estimate = np.cumsum(before * days.relapses / days.at_risk)
    std_error = np.sqrt(_variance(days, before, estimate, patient, died))
    fallen = np.flatnonzero(survival == 0)
    note = _cut_short_note(int(found.cut_short[mine].sum()))
    if len(fallen) and fallen[0] < days.came.max():
        estimate[fallen[0] :] = std_error[fallen[0] :] = np.nan
        ran_out = f"nobody was left at risk before others entered ({days.time[fallen[0]]:g})"
        note = np.where(np.isnan(estimate), "; ".join(filter(None, [ran_out, note])), note)
    columns = {
        "time": days.time, "estimate": estimate, "std_error": std_error, "at_risk": days.at_risk,
        "events": days.relapses, "censored": days.censored, "note": note,
    }  # fmt: skip
    label = found.strata.iloc[[place] * len(days.time)].reset_index(drop=True)
    return pd.concat([label, pd.DataFrame(columns)], axis=1)


def _cut_short_note(patients: int) -> str:
    if not patients:
        return ""
    return f"{patients} patient(s) censored at a relapse or next line after which nothing is known; hand in `survival`"


def _days(entered: np.ndarray, left: np.ndarray, died: np.ndarray, relapsed: np.ndarray) -> _Days:
    """Patients and relapses laid out on the times that occur. At risk at t are those with entered < t <= left."""
    time, place = np.unique(np.concatenate([[0.0], left, relapsed]), return_inverse=True)
    gone, size = place[1 : 1 + len(left)], len(time)
    came = np.where(entered > 0, np.searchsorted(time, entered, side="right"), 0)
    leaving = np.bincount(gone, minlength=size)
    at_risk = np.cumsum(np.bincount(came, minlength=size) - np.append(0, leaving[:-1]))
    deaths = np.bincount(gone[died], minlength=size)
    place = place[1 + len(left) :]
    relapses = np.bincount(place, minlength=size)
    return _Days(time, came, gone, place, *(n.astype(float) for n in (at_risk, deaths, relapses, leaving - deaths)))


def _variance(days: _Days, before: np.ndarray, mean: np.ndarray, patient: np.ndarray, died: np.ndarray) -> np.ndarray:
    """The sum of squared influences of the patients on mu(t), at every row, in one pass.

    With A Greenwood's sum of the deaths and B the sum of S(u-) dR(u) (A(u-) - 1 / Y(u)), a patient who came in at A = a
    has, while at risk, influence B(t) + q - a mu(t), where q grows by S(u-) / Y(u) with each own relapse; after leaving
    it is r - g mu(t), g = 1 / (Y - d) for the dead less the growth of A while at risk. Both are linear in
    (1, B, mu), so cumulated sums of the coefficients and their products give all squares at once.
    """
    survivors = days.at_risk - days.deaths
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where((days.deaths > 0) & (survivors > 0), days.deaths / (days.at_risk * survivors), 0.0)
        lost = np.where(survivors > 0, 1 / survivors, 0.0)
        own = np.where(days.at_risk > 0, before / days.at_risk, 0.0)
    greenwood = np.cumsum(terms)
    drift = np.cumsum(own * days.relapses * (greenwood - terms - np.where(own > 0, 1 / days.at_risk, 0.0)))
    start = [np.concatenate([[0.0], sums])[days.came] for sums in (greenwood, drift, mean)]
    a, q = start[0], start[0] * start[2] - start[1]
    # Relapses are in order of patient and time: what each patient had gathered before and after each own relapse.
    gathered = np.cumsum(own[days.relapsed])
    first = np.searchsorted(patient, np.arange(len(a)))
    offset = np.concatenate([[0.0], gathered])[first]
    after = q[patient] + gathered - offset[patient]
    step = own[days.relapsed]
    total = q + np.bincount(patient, step, len(a))
    g = died * lost[days.left] - (greenwood[days.left] - a)
    r = drift[days.left] + total - a * mean[days.left] + g * mean[days.left]
    size = len(mean)

    def summed(at_entry: np.ndarray, at_exit: np.ndarray, at_relapse: np.ndarray | None = None) -> np.ndarray:
        sums = np.bincount(days.came, at_entry, size) + np.bincount(days.left, at_exit, size)
        return np.cumsum(sums if at_relapse is None else sums + np.bincount(days.relapsed, at_relapse, size))

    # A patient is counted in at entry and out on leaving, when the coefficients of the time after take over.
    squares = (days.at_risk - days.deaths - days.censored) * drift**2
    squares += 2 * drift * summed(q, -total, step)
    squares -= 2 * drift * mean * summed(a, -a)
    squares += summed(q**2, r**2 - total**2, step * (2 * after - step))
    squares -= 2 * mean * summed(q * a, r * g - total * a, step * a[patient])
    squares += mean**2 * summed(a**2, g**2 - a**2)
    return np.maximum(squares, 0.0)
