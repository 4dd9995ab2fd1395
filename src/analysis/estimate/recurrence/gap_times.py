"""How soon relapse comes on a later line, with the dependence between its censoring and the earlier lines undone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimate.counts import count
from analysis.estimate.curves.limits import check_limits, confidence_limits
from analysis.estimate.curves.product_limit import incidence_curves
from analysis.estimate.doors import WORDS
from analysis.estimate.recurrence.courses import Courses, courses
from analysis.estimate.recurrence.observation import observation
from analysis.estimate.recurrence.weighted import Gaps, weighted_incidence
from analysis.schema import CURVES

CORRECTED, PLAIN = "gap time, corrected", "gap time, plain"
_RAN_OUT = "nobody was left at risk before others entered"
_TOO_SHORT = "nobody left the line within the longest follow-up less the days within which it started"


def gap_time_distribution(
    spells: pd.DataFrame,
    line: int,
    by: str | list[str] | None = None,
    survival: pd.DataFrame | None = None,
    started_within_days: float | None = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """What share of those who start a line has relapsed on it by each time since, whether or not we watched that long?

    The time left to watch line k is the follow-up less all that came before it, so where gaps of a patient hang
    together its censoring tells something about the gap, and the plain curve is biased. Here each patient on line k
    for u days counts 1 / G(x), x = start of the line + u on the patient's own clock and G(x) the chance to be under
    observation at x: what is expected of patients never lost. With Y_w(u) and d_w,k(u) the weighted number at risk and
    with event k, F_k(t) = sum over u <= t of S(u-) d_w,k(u) / Y_w(u), S(u) = product of (1 - d_w(u) / Y_w(u)).
    Lin, Sun and Ying (1999), Biometrika 86:59 (why, and the restriction below); Schaubel and Cai (2004), Stat Med
    23:1885 (weighted hazards). 1 / G(x) is estimated by S_death(x-) / Y(x) times the number of patients: without
    delayed entry the inverse Kaplan-Meier curve of the censoring, with it also right for who came late. Standard
    error: infinitesimal jackknife by patient, the estimation of G included; no random number is involved.
    R: no package; for line 1 `survfit(Surv(time, event) ~ by)` with a factor event, to which it is equal.

    Nobody is watched for ever, so the gap of those who start the line late is not known: the curve is that of patients
    who start it within `started_within_days` of line 1, and it ends at the longest follow-up less these days.

    Assumes that loss to follow-up does not depend on the course; that is less than the plain curve assumes.

    Parameters
    ----------
    spells : table SPELLS with `start_day`, every line of every patient, times in days
    line : the line of treatment
    by, survival : as in `mean_number_of_relapses`; without survival a course that ends at a relapse or next line is
        taken as complete, which is right where it was not to be watched any further; the note says how many these are
    started_within_days : None takes half the longest follow-up; 0 for line 1
    conf_type, conf_level : "log-log", "log" or "plain" limits, and their level

    Returns
    -------
    Table CURVES with `started_within_days` and `note`: estimands "gap time, corrected" and, for the same patients,
    "gap time, plain" (Aalen-Johansen of the line alone), one row per event word that occurs on the line, stratum and
    time somebody left the line (and time 0). Counts are of patients, unweighted. A stratum in which nobody was seen to
    start the line has one row without an estimate; the note says so.

    Raises
    ------
    schema.SchemaError for faulty spells (`courses.courses` lists what is one); ValueError for a line that is no whole
    number from 1, a negative `started_within_days`, an impossible kind or level of limits.

    Example
    -------
    >>> days = {"patient_id": [*"aabb"], "line": [1, 2, 1, 2], "start_day": [0, 4, 0, 9], "time": [4, 2, 9, 5]}
    >>> spells = pd.DataFrame(days).assign(entry=0, event="relapse")
    >>> curves = gap_time_distribution(spells, 2, started_within_days=9)
    >>> curves[["estimand", "time", "estimate"]].values.tolist()[:2]
    [['gap time, corrected', 0.0, 0.0], ['gap time, corrected', 2.0, 0.5]]
    """
    check_limits(conf_type, conf_level)
    _check_asked(line, started_within_days)
    found = courses(spells, by, survival)
    if started_within_days is None:
        started_within_days = 0.0 if line == 1 else found.left.max(initial=0.0) / 2
    names = [name for name in found.strata.columns if name != "stratum"]
    mine = (found.line == line) & (found.began <= started_within_days)
    frame = _rows_of_the_line(found, mine, names)
    plain = incidence_curves(count(frame, names), conf_type, conf_level).assign(note="")
    parts = []
    for place, label in enumerate(found.strata["stratum"]):
        patients = found.stratum == place
        horizon = found.left[patients].max() - started_within_days
        curve = plain[(plain["stratum"] == label) & ((plain["time"] <= horizon) | (plain["time"] == 0))]
        rows = mine & patients[found.patient]
        parts.append(
            _both(found, patients, rows, curve, conf_type, conf_level) if len(curve) else _nobody(found, place, line)
        )
    table = pd.concat(parts, ignore_index=True) if parts else plain
    table["started_within_days"] = float(started_within_days)
    table = table.sort_values("estimand", kind="stable", ignore_index=True)
    return table[[*CURVES.names, "started_within_days", "note", *names]]


def _check_asked(line: int, started_within_days: float | None) -> None:
    if isinstance(line, bool) or line != int(line) or line < 1:
        raise ValueError(f"line: expected a whole number from 1, came {line!r}")
    if started_within_days is not None and not 0 <= started_within_days < np.inf:
        raise ValueError(f"started_within_days: expected a number of days of at least 0, came {started_within_days!r}")


def _rows_of_the_line(found: Courses, mine: np.ndarray, names: list[str]) -> pd.DataFrame:
    """The spells of the line as a frame that `count` takes."""
    events = pd.Categorical.from_codes(found.word[mine], WORDS)
    frame = pd.DataFrame({"entry": found.entry[mine], "time": found.time[mine], "event": events})
    stratum = found.stratum[found.patient[mine]]
    return frame.assign(**{name: found.strata[name].array.take(stratum) for name in names})


def _both(
    found: Courses, patients: np.ndarray, rows: np.ndarray, plain: pd.DataFrame, conf_type: str, conf_level: float
) -> pd.DataFrame:
    """The corrected curves of one stratum beside the plain ones, at the same times."""
    words = list(plain["event"].unique())
    seen = observation(found.entered[patients], found.left[patients], (found.died | found.cut_short)[patients])
    position = np.cumsum(patients) - 1
    causes = [WORDS.index(word) if word in WORDS else -1 for word in words]
    gaps = Gaps(
        position[found.patient[rows]], found.began[rows], found.entry[rows], found.time[rows],
        np.stack([found.word[rows] == cause for cause in causes]),
    )  # fmt: skip
    time, estimate, std_error = weighted_incidence(gaps, seen, plain["time"].max())
    corrected = plain.copy()
    for place, word in enumerate(words):
        curve = (plain["event"] == word).to_numpy()
        at = np.searchsorted(time, plain["time"].to_numpy()[curve], side="right") - 1
        corrected.loc[curve, "estimate"] = estimate[at, place]
        corrected.loc[curve, "std_error"] = std_error[at, place]
    value, error = corrected["estimate"].to_numpy(), corrected["std_error"].to_numpy()
    low, high = confidence_limits(value, error, conf_type, conf_level)
    start = ((corrected["time"] == 0) & (error == 0)).to_numpy()
    corrected["conf_low"], corrected["conf_high"] = np.where(start, value, low), np.where(start, value, high)
    cut_short = int(found.cut_short[patients].sum())
    if cut_short:
        corrected["note"] = (
            f"{cut_short} course(s) end at a relapse or next line; if these were watched on, hand in `survival`"
        )
    both = pd.concat([corrected.assign(estimand=CORRECTED), plain.assign(estimand=PLAIN)])
    if plain["time"].max() == 0:
        return both.assign(note=_TOO_SHORT)
    return both.assign(note=both["note"].mask(both["estimate"].isna(), _RAN_OUT))


def _nobody(found: Courses, place: int, line: int) -> pd.DataFrame:
    """A stratum in which nobody was seen to start the line."""
    row = {name: np.nan for name in CURVES.names} | {"event": "any", "time": 0.0, "at_risk": 0.0, "events": 0.0}
    row |= {"censored": 0.0, "note": f"nobody was seen to start line {line} within these days"}
    row |= found.strata.iloc[place].to_dict()
    return pd.DataFrame([row | {"estimand": CORRECTED}, row | {"estimand": PLAIN}])
