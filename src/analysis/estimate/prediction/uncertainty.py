"""How sure is a predicted risk? The variance of a pair of Cox models, small enough to be stored beside them.

Only for Cox models with a fixed ridge penalty. What the trees of a forest disagree about is no confidence limit, and
for the lasso neither a bootstrap nor a sandwich holds (Chatterjee and Lahiri 2011): for these there are no limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimate.curves.limits import confidence_limits
from analysis.estimate.prediction.coarsening import joined_edges
from analysis.estimate.prediction.fitting import Plan
from analysis.estimate.prediction.reading import CAUSE, COMPETING, OTHER, plain_predictors
from analysis.estimate.prediction.risks import risk
from analysis.estimate.prediction.training import names, trained_on
from analysis.schema import DAYS_PER_MONTH

_ROWS_AT_ONCE = 500
_SIDES = ("event", "other")


def has_limits(models: Mapping[str, Any]) -> bool:
    """Are these models, as `fitted` returned them, of a kind that limits can be given for?"""
    return all(type(one[-1]).__name__ == "CoxPHSurvivalAnalysis" for one in models.values())


def uncertainty(models: Mapping[str, Any], frame: pd.DataFrame, plan: Plan) -> dict[str, np.ndarray]:
    """What is needed to put limits around the risks of these Cox models, without the patients they were fitted to?

    Returns a dict of arrays: `edges_days` of cells of time (a month, or longer where fewer than 8 events of either kind
    fall into one; every horizon is an edge), per side ("event", "other") the `_coefficients` and the `_steps` of the
    cumulative baseline hazard per cell, and the `covariance` of all these together in that order.

    The covariance is the infinitesimal jackknife by patient: with U_i the score residual of row i (Lin and Wei 1989), I
    the information and a the ridge penalty, psi_i = (I + a)^-1 U_i is what one more weight of the row does to the
    coefficients, and the baseline step dL(t) changes by dN_i(t) / S0(t) - Y_i(t) r_i dL(t) / S0(t) - xbar(t)' psi_i
    dL(t); rows of a patient are added up and the covariance is the sum of their squares. Both hazards share their
    patients, so it holds their covariance too. Imputation, scaling and the penalty are taken as given: the limits do
    not hold the bias that shrinking brings. R: `survfit(coxph(..., cluster = id))` per cause; together: none.

    Parameters
    ----------
    models : what `fitted` returned for "cox", "stage" or "stage and line"
    frame, plan : as given to `fitted`

    Raises
    ------
    ValueError
        for other models.
    analysis.schema.SchemaError
        as `fitted` does.
    """
    if not has_limits(models):
        raise ValueError(
            f"uncertainty: expected Cox models with a ridge penalty, came {type(models[plan.cause][-1]).__name__}; for "
            "trees and the lasso there are no honest limits: store them without, or store the Cox model"
        )
    lines = trained_on(models, frame, plan)
    end = plan.horizons_days[-1]
    time, within = np.minimum(lines.time, end), lines.time <= end
    months = np.arange(1, end / DAYS_PER_MONTH) * DAYS_PER_MONTH
    events = [time[(lines.status == status) & within] for status in (CAUSE, OTHER)]
    edges = joined_edges(months, plan.horizons_days, [days for days in events if len(days)])
    found, influences = {"edges_days": edges}, []
    for side, status, one in zip(_SIDES, (CAUSE, OTHER), _both(models), strict=True):
        columns, coefficients, penalty = _terms(one, lines.predictors), np.zeros(0), 0.0
        if one is not None:
            coefficients, penalty = one[-1].coef_, float(one[-1].alpha)
        had = (lines.status == status) & within
        steps, influence = _influence(columns, time, had, coefficients, penalty, edges)
        found |= {f"{side}_coefficients": coefficients, f"{side}_steps": steps}
        influences.append(influence)
    starts = np.flatnonzero(np.diff(lines.patient, prepend=-1))
    by_patient = np.add.reduceat(np.hstack(influences), starts, axis=0)
    return found | {"covariance": by_patient.T @ by_patient}


def _both(models: Mapping[str, Any]) -> tuple[Any, Any]:
    """The model of the event in question, and that of all others; None where no other event was seen."""
    return next(one for name, one in models.items() if name != COMPETING), models.get(COMPETING)


def _terms(pipeline: Any, plain: pd.DataFrame) -> np.ndarray:
    if pipeline is None:
        return np.zeros((len(plain), 0))
    return np.asarray(pipeline[:-1].transform(plain[list(pipeline.feature_names_in_)]), dtype=float)


def _influence(
    columns: np.ndarray, time: np.ndarray, had: np.ndarray, coefficients: np.ndarray, penalty: float, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Steps of the cumulative baseline hazard (Breslow), and what a weight of each row does to all parameters."""
    order = np.argsort(time, kind="stable")
    x, t, event = columns[order], time[order], had[order]
    ratio = np.exp(x @ coefficients)
    first, last = np.searchsorted(t, t, side="left"), np.searchsorted(t, t, side="right")
    at_risk = np.cumsum(ratio[::-1])[::-1][first]
    mean = np.cumsum((ratio[:, None] * x)[::-1], axis=0)[::-1][first] / at_risk[:, None]
    jump = event / at_risk
    hazard, squared = (np.concatenate([[0.0], np.cumsum(part)]) for part in (jump, jump / at_risk))
    moved = np.vstack([np.zeros(x.shape[1]), np.cumsum(jump[:, None] * mean, axis=0)])
    score = event[:, None] * (x - mean) - ratio[:, None] * (x * hazard[last][:, None] - moved[last])
    information = (x * (ratio * hazard[last])[:, None]).T @ x - (mean * event[:, None]).T @ mean
    information[np.diag_indices_from(information)] += penalty
    of_coefficients = np.linalg.solve(information, score.T).T
    upto = np.searchsorted(t, edges, side="right")
    steps = np.diff(hazard[upto])
    watched = np.where(edges < t[:, None], squared[upto], squared[last][:, None])
    of_steps = -ratio[:, None] * np.diff(watched, axis=1) - of_coefficients @ np.diff(moved[upto], axis=0).T
    cell = np.searchsorted(edges, t[event], side="left") - 1
    of_steps[np.flatnonzero(event), cell] += 1 / at_risk[event]
    back = np.argsort(order)
    return steps, np.hstack([of_coefficients, of_steps])[back]


def risk_with_limits(
    models: Mapping[str, Any],
    uncertain: Mapping[str, np.ndarray] | None,
    frame: pd.DataFrame,
    horizons_months: Sequence[float],
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How likely is the event by each horizon, and within which limits does that average risk lie?

    Returns a row per line of the frame and horizon: row (its place), horizon_months, estimate, conf_low, conf_high.
    Limits are of the risk among patients with these values, by the delta method with a log-log scale as in
    `hazards.predict_incidence`; they are not a range of what may happen to one patient. Missing without `uncertain`.

    Parameters
    ----------
    models, uncertain : what `fitted` and `uncertainty` returned
    frame : one row per line with the predictors
    horizons_months : among those that the models were fitted for
    """
    months = np.asarray(horizons_months, dtype=float)
    estimate = risk(models, frame, months * DAYS_PER_MONTH)
    error = np.full(estimate.shape, np.nan)
    if uncertain is not None:
        plain, _ = plain_predictors(frame, names(models))
        for start in range(0, len(plain), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            error[part] = _errors(models, uncertain, plain.iloc[part], months * DAYS_PER_MONTH)
    low, high = confidence_limits(estimate.ravel(), error.ravel(), "log-log", conf_level)
    return pd.DataFrame(
        {
            "row": np.repeat(np.arange(len(frame)), len(months)),
            "horizon_months": np.tile(months, len(frame)),
            "estimate": estimate.ravel(),
            "conf_low": low,
            "conf_high": high,
        }
    )


def _errors(
    models: Mapping[str, Any], uncertain: Mapping[str, np.ndarray], plain: pd.DataFrame, ends: np.ndarray
) -> np.ndarray:
    """The standard error of each row's risk by each horizon."""
    terms = [_terms(one, plain) for one in _both(models)]
    ratios = [np.exp(x @ uncertain[f"{side}_coefficients"]) for side, x in zip(_SIDES, terms, strict=True)]
    hazards = [ratio[:, None] * uncertain[f"{side}_steps"] for side, ratio in zip(_SIDES, ratios, strict=True)]
    total = hazards[0] + hazards[1]
    before = np.exp(-(np.cumsum(total, axis=1) - total))
    share, slope = _leaving(total)
    so_far = np.cumsum(before * share * hazards[0], axis=1)
    errors = np.empty((len(plain), len(ends)))
    for place, end in enumerate(ends):
        upto = uncertain["edges_days"][1:] <= end * (1 + 1e-9)
        lost = so_far[:, upto.sum() - 1, None] - so_far
        parts = []
        for x, ratio, own, is_event in zip(terms, ratios, hazards, (True, False), strict=True):
            by_step = np.where(upto, before * (share * is_event + hazards[0] * slope) - lost, 0.0)
            parts += [(by_step * own).sum(axis=1)[:, None] * x, by_step * ratio[:, None]]
        gradient = np.hstack(parts)
        errors[:, place] = np.sqrt(np.einsum("ij,jk,ik->i", gradient, uncertain["covariance"], gradient))
    return errors


def _leaving(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(1 - exp(-h)) / h and its derivative, 1 and -1/2 at h = 0."""
    small = total < 1e-5
    h = np.where(small, 1.0, total)
    return (
        np.where(small, 1 - total / 2, -np.expm1(-h) / h),
        np.where(small, -0.5 + total / 3, (np.exp(-h) * (1 + h) - 1) / h**2),
    )
