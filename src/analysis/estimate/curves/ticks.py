"""What stands at fixed times: incidence, numbers at risk that add up, and what crude readings would have said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.estimate.counts import Counts, count
from analysis.estimate.curves.limits import wilson_limits
from analysis.estimate.curves.product_limit import incidence_curves, ran_out_note, survival_curve
from analysis.estimate.doors import CENSORED, WORDS
from analysis.schema import CURVES, RISK, empty

_MEASURES = ["estimate", "conf_low", "conf_high", "std_error"]


def cumulative_incidence_at(
    spells: pd.DataFrame, times: Sequence[float], by: str | list[str] | None = None
) -> pd.DataFrame:
    """What share had each event first by the given times?

    The Aalen-Johansen curves read at `times` (in the unit of the spells). No curve is drawn out past the last time at
    which anybody of the stratum was under observation: there the estimate is missing and `note` says why.
    R: `summary(survfit(Surv(time, event) ~ by), times = times)`.

    Returns
    -------
    Table CURVES with `note`; `at_risk` just before the time, `events` and `censored` up to and including it.

    Raises
    ------
    schema.SchemaError for faulty spells, ValueError for a negative or missing time.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [1, 2, 3], "event": ["death", "relapse", "censored"]})
    >>> cumulative_incidence_at(spells, [2, 9])["estimate"].round(4).tolist()
    [0.3333, nan, 0.3333, nan]
    """
    ticks = sorted_times(times)
    counts = count(spells, by)
    return read_at(incidence_curves(counts), counts, ticks)


def risk_table(spells: pd.DataFrame, times: Sequence[float], by: str | list[str] | None = None) -> pd.DataFrame:
    """Where is everybody just before each time: at risk, not yet entered, censored, or gone by which event?

    The states of a stratum add up to its subjects at every time (Morris et al. 2019, BMJ Open). An event or a
    censoring at the time itself still counts as at risk. "not yet entered" appears where entry is delayed.
    R: `summary(survfit(...), times)$n.risk` for the row "at risk".

    Returns table RISK. Raises as `cumulative_incidence_at`.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [1, 2, 3], "event": ["death", "relapse", "censored"]})
    >>> risk_table(spells, [2])[["state", "count"]].values.tolist()
    [['at risk', 2.0], ['censored', 0.0], ['relapse', 0.0], ['death', 1.0]]
    """
    ticks = sorted_times(times)
    counts = count(spells, by)
    leaving = {CENSORED: counts.censored} | dict(zip(counts.words, counts.events, strict=True))
    parts, places = [], []
    for place, rows in enumerate(counts.slices()):
        gone = {word: _before(counts.time[rows], number[rows], ticks) for word, number in leaving.items()}
        waiting = counts.not_entered(place, ticks)
        states = {"at risk": counts.strata["subjects"].iloc[place] - sum(gone.values()) - waiting}
        states |= {"not yet entered": waiting} if len(counts.entries[0]) else {}
        for state, number in (states | gone).items():
            parts.append({"time": ticks, "state": state, "count": number})
            places.append(place)
    return _labelled(parts, places, counts) if parts else empty(RISK)


def crude_comparison(
    spells: pd.DataFrame, event: str, times: Sequence[float], by: str | list[str] | None = None
) -> pd.DataFrame:
    """How far off would the two usual crude readings of one event have been at the given times?

    Three estimands side by side: "cumulative incidence" (Aalen-Johansen, death competing); "one minus Kaplan-Meier",
    which censors the competing events and so says how many would have the event if nothing else could happen - never
    below the first; "crude share", events so far over all subjects, which counts the censored as free of the event and
    falls short where follow-up does (limits: Wilson 1927). R: `summary(survfit(...), times)` of both fits, `prop.test`.

    Returns table CURVES with `note`, counts as in `cumulative_incidence_at`.

    Raises
    ------
    schema.SchemaError for faulty spells, ValueError for an unknown event word or a negative time.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [1, 2, 3, 4], "event": ["death", "relapse", "censored", "relapse"]})
    >>> crude_comparison(spells, "relapse", [4])[["estimand", "estimate"]].round(3).values.tolist()
    [['cumulative incidence', 0.75], ['one minus Kaplan-Meier', 1.0], ['crude share', 0.5]]
    """
    if event not in WORDS or event == CENSORED:
        raise ValueError(f"event: expected one of {[word for word in WORDS if word != CENSORED]}, came {event!r}")
    ticks = sorted_times(times)
    counts = count(spells, by)
    incidence = incidence_curves(counts)
    naive = survival_curve(counts, event)
    naive = naive.assign(
        estimand="one minus Kaplan-Meier",
        estimate=1 - naive["estimate"],
        conf_low=1 - naive["conf_high"],
        conf_high=1 - naive["conf_low"],
    )
    if event not in counts.words:  # nobody had it: the curve stays at 0 for as long as there is one
        known = survival_curve(counts)["estimate"] * 0
        nobody = naive.assign(estimate=known, events=0.0, censored=counts.censored)
        incidence = nobody.assign(estimand="cumulative incidence")
    incidence = incidence[incidence["event"] == event]
    by_estimand = [read_at(curve, counts, ticks) for curve in (incidence, naive)]
    return pd.concat([*by_estimand, _crude_shares(by_estimand[0], counts)], ignore_index=True)


def _crude_shares(incidence: pd.DataFrame, counts: Counts) -> pd.DataFrame:
    """Events so far over all subjects, at the times of a table read off the incidence curves."""
    total = incidence["stratum"].map(counts.strata.set_index("stratum")["subjects"]).astype(float)
    share = incidence["events"] / total
    low, high = wilson_limits(incidence["events"].to_numpy(), total.to_numpy())
    std_error = np.sqrt(share * (1 - share) / total)
    return incidence.assign(
        estimand="crude share", estimate=share, conf_low=low, conf_high=high, std_error=std_error, note=""
    )


def sorted_times(times: Sequence[float]) -> np.ndarray:
    """The times asked for, each once and in order; ValueError for one that is negative or missing."""
    ticks = np.unique(np.atleast_1d(np.asarray(times, dtype=float)))
    if not (ticks >= 0).all():
        raise ValueError(f"times: expected times of at least 0, came {times!r}")
    return ticks


def _before(time: np.ndarray, number: np.ndarray, ticks: np.ndarray, side: str = "left") -> np.ndarray:
    """How many left before each tick; with side "right" the tick itself is counted in."""
    return np.concatenate([[0.0], np.cumsum(number)])[np.searchsorted(time, ticks, side=side)]


def _labelled(parts: list[dict], places: list[int], counts: Counts) -> pd.DataFrame:
    """One frame of all parts, each of one stratum: headed by its label and followed by the columns that made it."""
    sizes = [len(part["time"]) for part in parts]
    columns = {
        name: np.concatenate([np.broadcast_to(part[name], size) for part, size in zip(parts, sizes, strict=True)])
        for name in parts[0]
    }
    strata = counts.strata.drop(columns=["subjects", "last_time"]).iloc[np.repeat(places, sizes)]
    labels = strata.reset_index(drop=True)
    return pd.concat([labels[["stratum"]], pd.DataFrame(columns), labels.drop(columns="stratum")], axis=1)


def read_at(curves: pd.DataFrame, counts: Counts, ticks: np.ndarray) -> pd.DataFrame:
    """CURVES at fixed times from CURVES at all times: the last row at or before each tick, counts cumulated."""
    leaving = counts.censored + counts.events.sum(axis=0)
    known = {label: place for place, label in enumerate(counts.strata["stratum"])}
    parts, places = [], []
    for (estimand, label, event), curve in curves.groupby(["estimand", "stratum", "event"], sort=False):
        place = known[label]
        rows = counts.slices()[place]
        time = counts.time[rows]
        measures = curve[_MEASURES].to_numpy()[np.searchsorted(time, ticks, side="right") - 1]
        unknowable = np.isin(measures[:, 0], (0.0, 1.0)) & (ticks > 0)
        measures[unknowable, 1:3] = np.nan  # no limits at 0 and 1 on the log-log scale
        past = ticks > time[-1]
        measures[past] = np.nan
        columns = {"estimand": estimand, "event": event, "time": ticks}
        columns |= dict(zip(_MEASURES, measures.T, strict=True))
        columns["at_risk"] = (
            counts.strata["subjects"].iloc[place]
            - _before(time, leaving[rows], ticks)
            - counts.not_entered(place, ticks)
        )
        for name in ("events", "censored"):
            columns[name] = _before(time, curve[name].to_numpy(), ticks, side="right")
        columns["note"] = np.where(np.isnan(measures[:, 0]), ran_out_note(curve), "").astype(object)
        columns["note"][past] = f"past the last time under observation ({time[-1]:g})"
        parts.append(columns)
        places.append(place)
    if not parts:
        return curves.assign(note="")
    table = _labelled(parts, places, counts)
    return table[[*CURVES.names, *[name for name in table.columns if name not in CURVES.names]]]
