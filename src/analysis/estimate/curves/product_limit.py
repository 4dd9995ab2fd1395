"""Kaplan-Meier and Aalen-Johansen curves with their standard errors and limits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimate.counts import Counts, count
from analysis.estimate.curves.jackknife import jackknife_errors
from analysis.estimate.curves.limits import check_limits, confidence_limits
from analysis.estimate.doors import WORDS


def kaplan_meier(
    spells: pd.DataFrame,
    by: str | list[str] | None = None,
    event: str | None = None,
    entry: str | None = None,
    weight: str | None = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """What share has had no event yet, as time goes by?

    S(t) = product over u <= t of (1 - d(u) / Y(u)); standard error by Greenwood (1926), S(t) sqrt(sum d / (Y (Y - d))).
    Kaplan and Meier (1958), J Am Stat Assoc. R: `survfit(Surv(time, event) ~ by)`, `Surv(entry, time, event)` with
    delayed entry, `conf.type = "log-log"`.

    Parameters
    ----------
    spells : table SPELLS; event words other than "censored" are events
    by : column or columns that make the strata
    event : one event word (the others then count as censoring: a cause-specific curve), or None for any event
    entry, weight : columns of delayed entry (unnamed: `entry` where the spells have it) and of case weights
    conf_type, conf_level : "log-log", "log" or "plain" limits, and their level

    Returns
    -------
    Table CURVES, estimand "survival", one row per stratum and time somebody left (and time 0), times in the unit given.
    Standard error and limits are missing where they do not exist (S = 0), as in R. Where S falls to 0 while others have
    still to enter, nothing is known from that time on: estimate, error and limits are missing, the counts go on.

    Raises
    ------
    schema.SchemaError for faulty spells, ValueError for an unknown event word, kind or level of limits.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [1, 2, 3], "event": ["death", "censored", "death"]})
    >>> kaplan_meier(spells)["estimate"].round(4).tolist()
    [1.0, 0.6667, 0.6667, 0.0]
    """
    check_limits(conf_type, conf_level)
    return survival_curve(count(spells, by, entry, weight), event, conf_type, conf_level)


def aalen_johansen(
    spells: pd.DataFrame,
    by: str | list[str] | None = None,
    entry: str | None = None,
    weight: str | None = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """What share has had each event first, as time goes by, when any event rules out the others?

    F_k(t) = sum over u <= t of S(u-) d_k(u) / Y(u), every cause at once; the shares and S add up to 1.
    Aalen and Johansen (1978), Scand J Stat. Standard error: the delta form (Dinse and Larson 1986, Biometrika), for
    independent subjects equal to the infinitesimal jackknife. R: `survfit(Surv(time, event) ~ by)` with a factor event,
    `pstate` and `std.err`, `conf.type = "log-log"`; `prodlim::prodlim(Hist(time, event) ~ by)`.

    Parameters, errors: as in `kaplan_meier`.

    Returns
    -------
    Table CURVES, estimand "cumulative incidence", one row per event word that occurs in the spells, stratum and time
    somebody left (and time 0). Where no event occurs at all, the word is "any" and the curve stays at 0. Missing from
    the time at which nobody is left although others have still to enter, as in `kaplan_meier`.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [1, 2, 3, 4], "event": ["death", "relapse", "censored", "relapse"]})
    >>> curves = aalen_johansen(spells)
    >>> curves[curves["event"] == "relapse"]["estimate"].tolist()
    [0.0, 0.0, 0.25, 0.25, 0.75]
    """
    check_limits(conf_type, conf_level)
    return incidence_curves(count(spells, by, entry, weight), conf_type, conf_level)


def survival_curve(
    counts: Counts, event: str | None = None, conf_type: str = "log-log", conf_level: float = 0.95
) -> pd.DataFrame:
    """The Kaplan-Meier curve of counts already made: table CURVES."""
    if event is not None and event not in WORDS:
        raise ValueError(f"event: expected one of {list(WORDS)} or None for any event, came {event!r}")
    leaving = counts.numbers((*range(len(counts.words)), -1))
    meant = tuple(range(len(counts.words))) if event is None else counts.positions(event)
    events = counts.numbers(meant)
    survival, greenwood = np.empty(len(events)), np.empty(len(events))
    for rows in counts.slices():
        survival[rows], greenwood[rows] = _product_limit(events[rows], counts.at_risk[rows])
    with np.errstate(invalid="ignore"):
        std_error = survival * np.sqrt(greenwood)
    if counts.weights == "fractional":
        std_error = jackknife_errors(counts, meant, meant)
    std_error = np.where(survival > 0, std_error, np.nan)
    survival = np.where(_ran_out(counts, survival), np.nan, survival)
    return _frame(
        counts, "survival", event or "any", survival, std_error, events, leaving - events, conf_type, conf_level
    )


def incidence_curves(counts: Counts, conf_type: str = "log-log", conf_level: float = 0.95) -> pd.DataFrame:
    """The Aalen-Johansen curves of counts already made: table CURVES."""
    every = counts.events.sum(axis=0)
    causes = list(zip(counts.words, counts.events, strict=True)) or [("any", every)]
    estimates, std_errors = np.empty((len(causes), len(every))), np.empty((len(causes), len(every)))
    all_events = np.empty(len(every))
    for rows in counts.slices():
        at_risk = counts.at_risk[rows]
        survival, greenwood = _product_limit(every[rows], at_risk)
        all_events[rows] = survival
        before = np.concatenate([[1.0], survival[:-1]])
        past = np.concatenate([[0.0], greenwood[:-1]])
        for place, (_, events) in enumerate(causes):
            estimates[place, rows], std_errors[place, rows] = _incidence(
                events[rows], every[rows], at_risk, survival, greenwood, before, past
            )
    if counts.subjects:
        words = tuple(range(len(counts.words)))
        errors = [jackknife_errors(counts, words[place : place + 1], words) for place in range(len(causes))]
        unknown = _ran_out(counts, all_events)
        estimates, std_errors = np.where(unknown, np.nan, estimates), np.where(unknown, np.nan, errors)
    return pd.concat(
        [
            _frame(
                counts,
                "cumulative incidence",
                word,
                estimates[place],
                std_errors[place],
                events,
                counts.censored,
                conf_type,
                conf_level,
            )
            for place, (word, events) in enumerate(causes)
        ],
        ignore_index=True,
    )


def ran_out_note(curve: pd.DataFrame) -> str:
    """Why the estimates of one curve end before its counts do; empty where they do not.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": [0, 5], "time": [2, 9], "event": ["death", "censored"]})
    >>> ran_out_note(kaplan_meier(spells))
    'nobody was left at risk before others entered (2)'
    """
    unknown = curve["estimate"].isna() & curve["at_risk"].notna()  # both are missing where a number was withheld
    return (
        f"nobody was left at risk before others entered ({curve.loc[unknown, 'time'].min():g})" if unknown.any() else ""
    )


def _product_limit(events: np.ndarray, at_risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """S(t) and Greenwood's sum in one stratum; the sum is infinite from the time at which S falls to 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(events > 0, events / at_risk, 0.0)
        terms = np.where(events > 0, events / (at_risk * (at_risk - events)), 0.0)
    return np.cumprod(1 - hazard), np.cumsum(terms)


def _ran_out(counts: Counts, survival: np.ndarray) -> np.ndarray:
    """True from the time at which a stratum's S falls to 0 while others have still to enter.

    Those who enter later prove that S was not 0, but a product that holds a 0 stays 0 whatever they live to see.
    """
    unknown = np.zeros(len(survival), dtype=bool)
    for place, rows in enumerate(counts.slices()):
        fallen = np.flatnonzero(survival[rows] == 0)
        if len(fallen) and counts.not_entered(place, counts.time[rows][fallen[0]]) > 0:
            unknown[rows.start + fallen[0] : rows.stop] = True
    return unknown


def _incidence(
    events: np.ndarray,
    every: np.ndarray,
    at_risk: np.ndarray,
    survival: np.ndarray,
    greenwood: np.ndarray,
    before: np.ndarray,
    past: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """F(t) of one cause and its standard error in one stratum.

    The variance is built forwards, each step from what was known just before it: with h = d_k / Y, S and G the
    survival and Greenwood's sum just before u, and C the covariance of S and F divided by S, C grows by
    h S (G - 1 / Y) and Var F by 2 h S C + h^2 S^2 G + S^2 h (1 - h) / Y. The sums look backwards only, so the
    step at which S falls to 0 needs no exception.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(events > 0, events / at_risk, 0.0)
        share = np.where(events > 0, 1 / at_risk, 0.0)
        step = hazard * before
        estimate = np.cumsum(step)
        if np.array_equal(events, every):  # one cause: F = 1 - S, and so is its error
            return 1 - survival, np.where(survival > 0, survival * np.sqrt(greenwood), 0.0)
        past = np.where(before > 0, past, 0.0)
        covariance = np.cumsum(step * (past - share))
        covariance = np.concatenate([[0.0], covariance[:-1]])
        terms = 2 * step * covariance + step**2 * past + before * step * (1 - hazard) * share
        return estimate, np.sqrt(np.maximum(np.cumsum(terms), 0.0))


def _frame(
    counts: Counts,
    estimand: str,
    event: str,
    estimate: np.ndarray,
    std_error: np.ndarray,
    events: np.ndarray,
    censored: np.ndarray,
    conf_type: str,
    conf_level: float,
) -> pd.DataFrame:
    low, high = confidence_limits(estimate, std_error, conf_type, conf_level)
    start = (counts.time == 0) & (std_error == 0)  # before anything can happen the share is known
    place = counts.stratum_of_rows()
    columns = {
        "estimand": estimand,
        "stratum": counts.strata["stratum"].to_numpy()[place],
        "event": event,
        "time": counts.time,
        "estimate": estimate,
        "conf_low": np.where(start, estimate, low),
        "conf_high": np.where(start, estimate, high),
        "std_error": std_error,
        "at_risk": counts.at_risk,
        "events": events,
        "censored": censored,
    }
    frame = pd.DataFrame(columns, index=range(len(place)))
    for name in counts.strata.columns.difference(["stratum", "subjects", "last_time"], sort=False):
        frame[name] = counts.strata[name].array.take(place)
    return frame
