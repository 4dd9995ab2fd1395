"""Areas under the curves up to a horizon: mean time free of events, mean time lost to each, and their differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from analysis.estimate.counts import Counts, Subjects, count
from analysis.estimate.curves.limits import check_limits
from analysis.estimate.curves.product_limit import ran_out_note, survival_curve
from analysis.estimate.doors import repeated_patients
from analysis.schema import DIFFERENCES, RESTRICTED_MEANS, empty

_SURVIVAL, _LOST = "restricted mean survival", "restricted mean time lost"


def restricted_mean(
    spells: pd.DataFrame,
    horizon_days: float,
    by: str | list[str] | None = None,
    entry: str | None = None,
    weight: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How much of the time up to the horizon is lived free of events, on average, and how much is lost to each event?

    The area under Kaplan-Meier from 0 to the horizon, and under each Aalen-Johansen curve; together they are the
    horizon. Irwin (1949), J Hyg; time lost by cause: Andersen (2013), Stat Med. Standard error of the first: the root
    of sum d / (Y (Y - d)) (area from u to the horizon)^2 (Greenwood's form); of the others, and with fractional
    weights: the infinitesimal jackknife. Limits: normal, cut to [0, horizon].
    R: `print(survfit(Surv(time, event) ~ by), rmean = horizon)`; `survfit` with a factor event and `influence = TRUE`.

    Parameters
    ----------
    spells : table SPELLS; event words other than "censored" are events
    horizon_days : end of the time looked at, in the unit of the spells
    by : column or columns that make the strata
    entry, weight : columns of delayed entry (unnamed: `entry` where the spells have it) and of case weights
    conf_level : level of the limits

    Returns
    -------
    Table RESTRICTED_MEANS: per stratum one row "restricted mean survival" (event "any") and one row "restricted mean
    time lost" per event word that occurs in the spells. Past the last time under observation of a stratum no curve is
    known and so no area (R draws the last height out); missing too where nobody was left before others entered.

    Raises
    ------
    schema.SchemaError for faulty spells, ValueError for a horizon that is not above 0 or an impossible level.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [1, 2, 3], "event": ["death", "relapse", "censored"]})
    >>> restricted_mean(spells, 3)[["event", "estimate"]].round(3).values.tolist()
    [['any', 2.0], ['relapse', 0.333], ['death', 0.667]]
    """
    check_limits("plain", conf_level)
    if not 0 < horizon_days < np.inf:
        raise ValueError(f"horizon_days: expected a time above 0, came {horizon_days!r}")
    counts = count(spells, by, entry, weight)
    curves = survival_curve(counts)
    parts = []
    for place, rows in enumerate(counts.slices()):
        areas = _areas(counts, place, float(horizon_days))
        note = _unknown(counts.time[rows], curves[rows], horizon_days)
        if note:
            areas[["estimate", "std_error"]] = np.nan
        no_error = (areas["std_error"] == 0).to_numpy()
        areas["note"] = np.where(
            no_error, "subjects do not differ up to the horizon, so neither error nor limits", note
        )
        areas["std_error"] = areas["std_error"].mask(no_error)
        labels = counts.strata.iloc[[place] * len(areas)].reset_index(drop=True)
        parts.append(pd.concat([areas, labels], axis=1))
    if not parts:
        return empty(RESTRICTED_MEANS)
    table = pd.concat(parts, ignore_index=True)
    half = ndtri((1 + conf_level) / 2) * table["std_error"]
    low, high = (table["estimate"] - half).clip(lower=0), (table["estimate"] + half).clip(upper=horizon_days)
    table = table.assign(horizon=float(horizon_days), conf_low=low, conf_high=high)
    return table[[*RESTRICTED_MEANS.names, *table.columns.difference([*RESTRICTED_MEANS.names, "last_time"], False)]]


def restricted_mean_difference(
    spells: pd.DataFrame,
    horizon_days: float,
    by: str | list[str],
    reference: str | None = None,
    entry: str | None = None,
    weight: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How much more time up to the horizon does each group live free of events, or lose to each event, than another?

    Difference of two restricted means, standard error sqrt(se_1^2 + se_0^2), normal limits and two-sided p value
    (Royston and Parmar 2013, BMC Med Res Methodol). The strata must hold different patients; `note` says
    where patients have several rows. R: `survRM2::rmst2`.

    Parameters
    ----------
    reference : label of the stratum that is subtracted, such as "line 1"; the first one unless told
    others : as in `restricted_mean`

    Returns
    -------
    Table DIFFERENCES, one row per other stratum and measure; missing, with the reason in `note`, where either mean or
    its error is.

    Raises
    ------
    As `restricted_mean`; ValueError for a reference that is no stratum, or fewer than two strata.

    Example
    -------
    >>> spells = pd.DataFrame({"iss": ["I", "I", "II", "II"], "entry": 0, "time": [4, 9, 1, 3], "event": "death"})
    >>> restricted_mean_difference(spells, 9, "iss").query("event == 'any'")[["stratum", "estimate"]].values.tolist()
    [['II', -4.5]]
    """
    means = restricted_mean(spells, horizon_days, by, entry, weight, conf_level)
    labels = means["stratum"].drop_duplicates().tolist()
    if len(labels) < 2:
        raise ValueError(f"by: expected a column with at least two values to compare, came the strata {labels}")
    reference = labels[0] if reference is None else reference
    if reference not in labels:
        raise ValueError(f"reference: expected one of the strata {labels}, came {reference!r}")
    key = ["estimand", "event"]
    base = means[means["stratum"] == reference].set_index(key)[["estimate", "std_error", "note"]].add_suffix("_0")
    table = means[means["stratum"] != reference].merge(base, left_on=key, right_index=True, how="left", sort=False)
    estimate = table["estimate"] - table["estimate_0"]
    std_error = np.hypot(table["std_error"], table["std_error_0"])
    half = ndtri((1 + conf_level) / 2) * std_error
    together = [note for note in [repeated_patients(spells)] if note]
    notes = [
        "; ".join([*(f"{label}: {note}" for label, note in ((own, said), (reference, said_0)) if note), *together])
        for own, said, said_0 in zip(table["stratum"], table["note"], table["note_0"], strict=True)
    ]
    table = table.assign(reference=reference, estimate=estimate, std_error=std_error, note=notes)
    table = table.assign(conf_low=estimate - half, conf_high=estimate + half)
    table["p"] = 2 * ndtr(-(estimate / std_error).abs())
    extra = table.columns.difference([*RESTRICTED_MEANS.names, *DIFFERENCES.names, *base.columns], sort=False)
    return table[[*DIFFERENCES.names, *extra]].sort_values(key, kind="stable", ignore_index=True)


def _unknown(time: np.ndarray, curve: pd.DataFrame, horizon: float) -> str:
    """Why the area up to the horizon cannot be known; empty where it can."""
    estimate = curve["estimate"].to_numpy()
    if np.isnan(estimate[time < horizon]).any():
        return ran_out_note(curve)
    if horizon > time[-1] and estimate[-1] > 0:
        return f"past the last time under observation ({time[-1]:g})"
    return ""


def _areas(counts: Counts, place: int, horizon: float) -> pd.DataFrame:
    """Areas and their errors in one stratum: survival first, then each event word.

    V(u) is the area still to come for a subject free of events after u, in units of the measure. An event at u moves a
    subject from V(u) to what is certain then: nothing more of survival, horizon - u lost to that event. A subject's
    influence is what its own event moved less what those at risk with it would have moved on average.
    """
    rows = counts.slices()[place]
    time, at_risk, events = np.minimum(counts.time[rows], horizon), counts.at_risk[rows], counts.events[:, rows]
    seen = counts.time[rows] <= horizon
    width = np.diff(time, append=horizon)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazards = np.where(events > 0, events / at_risk, 0.0)
        survival = np.cumprod(1 - np.where(events.any(axis=0), events.sum(axis=0) / at_risk, 0.0))
    before = np.concatenate([[1.0], survival[:-1]])
    incidence = np.cumsum(hazards * before, axis=1)
    left = np.where(survival > 0, survival, np.inf)
    to_come = _from_here(survival * width)
    stays = [to_come / left, *((_from_here(curve * width) - curve * _from_here(width)) / left for curve in incidence)]
    subjects = counts.subjects[place] if counts.subjects else _alike(counts, rows)
    scale = before / np.where(at_risk > 0, at_risk, 1)
    errors = [
        _error(scale, hazards, stay, np.where(np.arange(len(events)) == own - 1, 1, 0)[:, None] * (horizon - time),
               subjects, counts.weights == "fractional")
        for own, stay in enumerate(stays)
    ]  # fmt: skip
    if counts.weights != "fractional":
        errors[0] = _greenwood(to_come, events.sum(axis=0), at_risk)
    numbers = [events[:, seen].sum(), *events[:, seen].sum(axis=1)]
    gone = (counts.censored[rows] + events.sum(axis=0))[counts.time[rows] < horizon].sum()
    at_horizon = counts.strata["subjects"].iloc[place] - gone - counts.not_entered(place, np.array([horizon]))[0]
    return pd.DataFrame(
        {
            "estimand": [_SURVIVAL, *[_LOST] * len(events)],
            "event": ["any", *counts.words],
            "estimate": [survival @ width, *(incidence @ width)],
            "std_error": errors,
            "at_risk": at_horizon,
            "events": numbers,
        }
    )


def _from_here(values: np.ndarray) -> np.ndarray:
    return np.cumsum(values[::-1])[::-1]


def _greenwood(to_come: np.ndarray, events: np.ndarray, at_risk: np.ndarray) -> float:
    moved = (events > 0) & (at_risk > events)
    return float(np.sqrt(np.sum(to_come[moved] ** 2 * (events / (at_risk * (at_risk - events) + ~moved))[moved])))


def _error(
    scale: np.ndarray, hazards: np.ndarray, stay: np.ndarray, move: np.ndarray, subjects: Subjects, fractional: bool
) -> float:
    """The root of the sum of squared influences; `move` is what is certain after each event word at each time."""
    moved = scale * (move - stay)
    expected = np.concatenate([[0.0], np.cumsum((hazards * moved).sum(axis=0))])
    own = np.vstack([moved, np.zeros_like(stay)])[subjects.word, subjects.left]  # -1, censored, is the row of zeros
    influence = own - (expected[subjects.left + 1] - expected[subjects.came])
    weight = subjects.weight**2 if fractional else subjects.weight
    return float(np.sqrt(np.sum(weight * influence**2)))


def _alike(counts: Counts, rows: slice) -> Subjects:
    """Those who left one stratum alike, at one time by one event, as one subject with their number as weight."""
    leaving = np.vstack([counts.events[:, rows], counts.censored[rows]])
    word, left = np.nonzero(leaving)
    word_or_censored = np.where(word == len(counts.events), -1, word)
    return Subjects(np.zeros(len(left), dtype=np.intp), left, word_or_censored, leaving[word, left])
