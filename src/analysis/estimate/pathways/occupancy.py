"""Where are the patients: on which line, or dead, as time goes by; and how long do they spend in each state?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis.estimate.curves.limits import check_limits, confidence_limits
from analysis.estimate.curves.ticks import sorted_times
from analysis.estimate.doors import as_names
from analysis.estimate.pathways.errors import standard_errors
from analysis.estimate.pathways.paths import Paths, paths_of
from analysis.estimate.pathways.transitions import Transitions, alive, expected_times, notes_of, transitions_of
from analysis.estimate.strata import strata_of
from analysis.schema import EXPECTED_TIMES, OCCUPANCY, Table, empty


def occupancy(
    spells: pd.DataFrame,
    by: str | list[str] | None = None,
    times: Sequence[float] | None = None,
    start: str | None = None,
    landmark_days: float = 0,
    last_line: int | None = None,
    lost: str | None = None,
    zero_day: str | None = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """What share of the patients is on each line, or dead, as time goes by?

    p(t) = p(s) product over s < u <= t of (I + dA(u)), dA_jk(u) = moves from j to k at u / at risk in j: the
    Aalen-Johansen estimator over the states line 1, line 2, ..., death. Aalen and Johansen (1978), Scand J Stat; right
    for p(t) without the Markov property where censoring is independent (Datta and Satten 2001, Stat Probab Lett), but
    not for `start` or `landmark_days`, which take the future to depend on the present line alone. Standard error: the
    infinitesimal jackknife over patients. R: `survfit(Surv(begin, end, state) ~ by, id = id, istate = istate)`, its
    `pstate` and `std.err`; with `start.time` and `p0` for `landmark_days` and `start`.

    Parameters
    ----------
    spells : SPELLS that end at the next line (events "next_line", "death", "censored"), with the column `start_day`
    by : column or columns that make the strata, one value per patient
    times : where to read the shares; every time at which anybody moves, comes or leaves unless told
    start : a state that all are in at the start; the shares seen there unless told
    landmark_days : time of the start; only what happens later counts
    last_line : later lines join this one in the state "line ... or later"
    lost : column with the time since the start of the line from which no further treatment came (missing: not so);
        such patients are in the state "no further treatment" from then on
    zero_day : column with the day of each patient's time zero; the start of the lowest line in `spells` unless told
    conf_type, conf_level : "log-log", "log" or "plain" limits, and their level

    Returns
    -------
    Table OCCUPANCY, one row per stratum, state and time. The shares of a time add up to 1. Past the last time under
    observation they are missing unless all are dead by then; so they are where nobody was left before others came under
    observation. `note` names the states in which nobody is watched while some must be there.

    Raises
    ------
    schema.SchemaError for spells of a patient that do not join up, naming column, row, patient and line; ValueError for
    an unknown state, a negative time or landmark, or impossible limits.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": ["a", "a", "b"], "line": [1, 2, 1], "start_day": [0, 5, 0], "entry": 0,
    ...                        "time": [5, 4, 7], "event": ["next_line", "death", "censored"]})
    >>> occupancy(spells, times=[6])[["state", "estimate"]].values.tolist()
    [['line 1', 0.5], ['line 2', 0.5], ['death', 0.0]]
    """
    check_limits(conf_type, conf_level)
    ticks = None if times is None else sorted_times(times)
    parts = []
    for labels, paths, found in _strata(spells, by, start, landmark_days, last_line, lost, zero_day):
        unknown, notes = notes_of(found, paths.states)
        frame = _long(found, paths.states, standard_errors(found), unknown, notes, ticks, landmark_days)
        low, high = confidence_limits(frame["estimate"], frame["std_error"], conf_type, conf_level)
        known = (frame["time"] == landmark_days) & (frame["std_error"] == 0)
        frame["conf_low"], frame["conf_high"] = (np.where(known, frame["estimate"], limit) for limit in (low, high))
        parts.append(pd.concat([frame, _repeated(labels, len(frame))], axis=1))
    return _joined(parts, OCCUPANCY)


def expected_time(
    spells: pd.DataFrame,
    horizon_days: float,
    by: str | list[str] | None = None,
    start: str | None = None,
    landmark_days: float = 0,
    last_line: int | None = None,
    lost: str | None = None,
    zero_day: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How long do patients spend on each line, and how much of the time do they lose to death, up to the horizon?

    The area under each curve of `occupancy` from the landmark to the horizon; together they are that stretch of time.
    Standard error: the infinitesimal jackknife over patients; limits normal, cut to what is possible.
    R: `print(survfit(..., influence = TRUE), rmean = horizon)`.

    Parameters, errors: as in `occupancy`; ValueError for a horizon that is not after the landmark.

    Returns
    -------
    Table EXPECTED_TIMES, one row per stratum and state. Missing, with the reason in `note`, past the last time under
    observation of a stratum unless all are dead by then.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": ["a", "a", "b"], "line": [1, 2, 1], "start_day": [0, 5, 0], "entry": 0,
    ...                        "time": [5, 4, 7], "event": ["next_line", "death", "censored"]})
    >>> expected_time(spells, 7)[["state", "estimate"]].values.tolist()
    [['line 1', 6.0], ['line 2', 1.0], ['death', 0.0]]
    """
    check_limits("plain", conf_level)
    if not landmark_days < horizon_days < np.inf:
        raise ValueError(f"horizon_days: expected a time after the landmark {landmark_days!r}, came {horizon_days!r}")
    parts = []
    for labels, paths, found in _strata(spells, by, start, landmark_days, last_line, lost, zero_day):
        unknown, notes = notes_of(found, paths.states)
        estimate, std_error = expected_times(found, horizon_days)
        place = np.searchsorted(found.time, horizon_days, side="left") - 1
        note = notes[place]
        if horizon_days > found.time[-1] and alive(found)[-1]:
            note = _past(found)
        if unknown[place] or note == _past(found):
            estimate, std_error = np.full((2, len(estimate)), np.nan)
        std_error = np.where(std_error == 0, np.nan, std_error)
        half = ndtri((1 + conf_level) / 2) * std_error
        columns = {"state": list(paths.states), "horizon": float(horizon_days), "estimate": estimate}
        columns |= {"conf_low": np.maximum(estimate - half, 0), "std_error": std_error, "note": note}
        columns["conf_high"] = np.minimum(estimate + half, horizon_days - landmark_days)
        parts.append(pd.concat([pd.DataFrame(columns), _repeated(labels, len(estimate))], axis=1))
    return _joined(parts, EXPECTED_TIMES)


def _strata(
    spells: pd.DataFrame,
    by: str | list[str] | None,
    start: str | None,
    landmark: float,
    last_line: int | None,
    lost: str | None,
    zero_day: str | None,
) -> Iterator[tuple[pd.DataFrame, Paths, Transitions]]:
    """Label, stays and transitions of each stratum."""
    if not 0 <= landmark < np.inf:
        raise ValueError(f"landmark_days: expected a time of at least 0, came {landmark!r}")
    if last_line is not None and last_line < 1:
        raise ValueError(f"last_line: expected the number of a line, came {last_line!r}")
    paths = paths_of(spells, as_names(by), zero_day, last_line, lost)
    if start is not None and start not in paths.states:
        raise ValueError(f"start: expected one of the states {list(paths.states)}, came {start!r}")
    code, strata = strata_of(spells, as_names(by))
    for place in range(len(strata)):
        own = paths.kept(code[paths.row] == place)
        # Time zero is the start of the lowest line unless told: all are in it there, seen or not.
        certain = paths.states[0] if landmark == 0 and zero_day is None else None
        found = transitions_of(own, start or certain, landmark)
        if found is None:
            raise ValueError(
                f"landmark_days: expected somebody of stratum {strata['stratum'][place]!r} under observation at "
                f"{landmark:g}, came nobody; name the state to start from, or another landmark"
            )
        yield strata.iloc[[place]], own, found


def _past(found: Transitions) -> str:
    return f"past the last time under observation ({found.time[-1]:g})"


def _long(
    found: Transitions,
    states: tuple[str, ...],
    errors: np.ndarray,
    unknown: np.ndarray,
    notes: np.ndarray,
    ticks: np.ndarray | None,
    landmark: float,
) -> pd.DataFrame:
    """One row per state and time: all times there are, or the last one at or before each tick."""
    estimate = np.where(unknown[:, None], np.nan, found.after)
    errors = np.where(unknown[:, None], np.nan, errors)
    at_risk, entered = found.at_risk, found.moves.sum(axis=1)
    if ticks is None:
        time = found.time
    else:
        time = ticks
        if (ticks < landmark).any():
            raise ValueError(f"times: expected none before the landmark {landmark:g}, came {ticks[0]:g}")
        place = np.searchsorted(found.time, ticks, side="right") - 1
        estimate, errors, notes = estimate[place], errors[place], notes[place]
        entered = np.cumsum(entered, axis=0)[place]
        at_risk = np.vstack([at_risk, np.zeros((1, len(states)))])[np.searchsorted(found.time, ticks, side="left")]
        past = (ticks > found.time[-1]) & alive(found)[-1]
        estimate[past], errors[past], notes[past] = np.nan, np.nan, _past(found)
    count = len(time)
    return pd.DataFrame(
        {
            "state": np.repeat(np.array(states, dtype=object), count),
            "time": np.tile(time, len(states)),
            "estimate": estimate.T.ravel(),
            "std_error": errors.T.ravel(),
            "at_risk": at_risk.T.ravel(),
            "entered": entered.T.ravel(),
            "note": np.tile(notes, len(states)),
        }
    )


def _repeated(labels: pd.DataFrame, count: int) -> pd.DataFrame:
    return labels.iloc[[0] * count].reset_index(drop=True)


def _joined(parts: list[pd.DataFrame], table: Table) -> pd.DataFrame:
    """The strata under each other, declared columns first; an empty table where there are none."""
    if not parts:
        return empty(table)
    frame = pd.concat(parts, ignore_index=True)
    return frame[[*table.names, *[name for name in frame.columns if name not in table.names]]]
