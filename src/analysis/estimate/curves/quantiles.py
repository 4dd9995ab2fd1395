"""Medians and other quantiles of curves, with limits, by the rule of R; and the length of follow-up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.estimate.curves.product_limit import kaplan_meier, ran_out_note
from analysis.estimate.doors import CENSORED
from analysis.schema import CURVES, QUANTILES, empty

_TOLERANCE = np.sqrt(np.finfo(float).eps)  # two probabilities closer than this are the same: R's own figure


def quantiles(
    curves: pd.DataFrame, probability: float | Sequence[float] = 0.5, minimum_at_risk: int = 1
) -> pd.DataFrame:
    """By which time has the given share had the event?

    The first time at which S(t) <= 1 - p (for a cumulative incidence: F(t) >= p); where the curve runs flat at exactly
    that height, the middle of the flat stretch. Limits by inverting the pointwise limits (Brookmeyer and Crowley 1982,
    Biometrics), same rule. R: `quantile(survfit(...), probs)`; for a cumulative incidence the same rule on 1 - F.

    Parameters
    ----------
    curves : table CURVES as `kaplan_meier` or `aalen_johansen` return it; any number of strata and events
    probability : one share or several, each above 0 and below 1
    minimum_at_risk : curves are read up to the last time with so many at risk; what lies beyond is not reached

    Returns
    -------
    Table QUANTILES, in the unit of the curves' times. Not reached: missing, and `note` says so; likewise where the
    curve ends because nobody was left before others entered. `subjects` is missing where the curves do not tell it:
    cumulative incidences of some events only, of which the others took their subjects unseen.

    Raises
    ------
    ValueError for a probability outside (0, 1).

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [1, 2, 3, 4, 5, 6], "event": "death"})
    >>> quantiles(kaplan_meier(spells))["estimate"].tolist()
    [3.5]
    """
    shares = np.atleast_1d(np.asarray(probability, dtype=float))
    if not ((shares > 0) & (shares < 1)).all():
        raise ValueError(f"probability: expected shares above 0 and below 1, came {probability!r}")
    extra = [name for name in curves.columns if name not in CURVES.names and name != "note"]
    rows = []
    groups = curves.groupby(["estimand", "stratum", "event"], sort=False, observed=True)
    for (estimand, stratum, event), curve in groups:
        events, beside = curve["events"].sum(skipna=False), [curve]
        if estimand == "cumulative incidence":  # other curves count the other events among the censored
            beside = [other for (kind, label, _), other in groups if (kind, label) == (estimand, stratum)]
        subjects = _subjects(beside)
        curve = _while_many(curve, minimum_at_risk)
        for share in shares:
            estimate, low, high = _one_quantile(curve, share)
            row = (estimand, stratum, event, share, estimate, low, high, subjects, events)
            rows.append((*row, _note(curve, estimate, low, high), *(curve[name].iloc[0] for name in extra)))
    if not rows:
        return empty(QUANTILES)
    table = pd.DataFrame(rows, columns=[*QUANTILES.names, *extra])
    return table.astype({name: curves[name].dtype for name in extra})


def follow_up(spells: pd.DataFrame, by: str | list[str] | None = None) -> pd.DataFrame:
    """How long were the subjects watched? The median time to censoring, an event counting as "watching was cut short".

    Reverse Kaplan-Meier (Schemper and Smith 1996, Control Clin Trials): roles of event and censoring exchanged, so
    that early deaths do not make the follow-up look short. R: `quantile(survfit(Surv(time, event == "censored") ~ by,
    conf.type = "log-log"), 0.5)`.

    Parameters, errors: as in `kaplan_meier`. Returns table QUANTILES, estimand "follow-up", in days; `events` are the
    censored.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [1, 2, 3], "event": ["death", "censored", "censored"]})
    >>> follow_up(spells)["estimate"].tolist()
    [2.5]
    """
    return quantiles(kaplan_meier(spells, by, event=CENSORED)).assign(estimand="follow-up")


def _while_many(curve: pd.DataFrame, minimum_at_risk: int) -> pd.DataFrame:
    """The curve up to the last time at which enough were at risk; its first row where there never were."""
    many = curve["at_risk"].to_numpy() >= minimum_at_risk
    return curve.iloc[: max(1, len(many) - int(np.argmax(many[::-1])))] if many.any() else curve.iloc[:1]


def _one_quantile(curve: pd.DataFrame, share: float) -> tuple[float, float, float]:
    """The quantile and its limits; the curve that runs ahead gives the lower limit."""
    rising = curve["estimand"].iloc[0] != "survival"
    columns = ("estimate", "conf_high", "conf_low") if rising else ("estimate", "conf_low", "conf_high")
    times = curve["time"].to_numpy(dtype=float)
    heights = [curve[name].to_numpy(dtype=float) for name in columns]
    return tuple(_first_reached(times, height if rising else 1 - height, share) for height in heights)


def _first_reached(times: np.ndarray, heights: np.ndarray, share: float) -> float:
    """The time at which the share with the event reaches a height; a height met exactly gives the middle of the flat.

    Limits need not rise all the way, and R then looks the share up among the sorted heights; so does this.
    """
    times, heights = np.concatenate([[0.0], times]), np.concatenate([[0.0], heights])
    last_time = times[-1]
    kept = np.sort(np.unique(heights, return_index=True)[1])  # of equal heights the first; NaN counts as one height
    times, heights = times[kept], heights[kept]
    last_height = heights[-1]
    known = ~np.isnan(heights)
    times, heights = times[known], heights[known]
    order = np.argsort(heights, kind="stable")
    times, heights = times[order], heights[order]
    first = np.searchsorted(heights + _TOLERANCE, share, side="left")
    beyond = np.searchsorted(heights - _TOLERANCE, share, side="left")
    if first == len(heights):
        return np.nan
    if abs(share - last_height) < _TOLERANCE:
        return (times[first] + last_time) / 2
    return np.nan if beyond == len(heights) else (times[first] + times[beyond]) / 2


def _subjects(curves: list[pd.DataFrame]) -> float:
    """How many subjects one stratum has; missing where a count is, or where an event took some that no curve shows."""
    events = np.sum([curve["events"].to_numpy(dtype=float) for curve in curves], axis=0)
    leaving = events + curves[0]["censored"].to_numpy(dtype=float)
    if curves[0]["estimand"].iloc[0] != "cumulative incidence" or np.isnan(leaving).any():
        return leaving.sum()
    time, at_risk = (curves[0][name].to_numpy(dtype=float) for name in ("time", "at_risk"))
    remaining = 1 - np.sum([curve["estimate"].to_numpy(dtype=float) for curve in curves], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        product = np.cumprod(1 - np.where(events > 0, events / at_risk, 0.0))
    # Where the curves end because nobody was left, these events took all who were at risk.
    remaining = np.where(np.isnan(remaining), 0.0, remaining)
    near = {"rtol": 0, "atol": 1e-9 * max(1.0, at_risk.max(initial=0.0))}
    # Each of these betrays an event that is not among the curves: others took part in the shares, a number at risk
    # falls by more than those who leave, nobody leaves at a time that is kept because somebody did.
    rivalled = not np.allclose(remaining, product, rtol=0, atol=1e-9)
    entered = np.append(at_risk[1:], 0.0) - (at_risk - leaving)
    vanished = (entered < -near["atol"]).any() or not np.isclose(entered[-1], 0, **near)
    nobody_left = ((leaving == 0) & (time > 0)).any()
    return np.nan if rivalled or vanished or nobody_left else leaving.sum()


def _note(curve: pd.DataFrame, estimate: float, low: float, high: float) -> str:
    if np.isnan(estimate):
        return ran_out_note(curve) or "not reached"
    missing = [name for name, limit in (("lower", low), ("upper", high)) if np.isnan(limit)]
    return f"{' and '.join(missing)} limit not reached" if missing else ""
