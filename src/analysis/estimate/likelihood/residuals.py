"""What a fit leaves: residuals by row, and the score test for effects that change with time."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from analysis.estimate.likelihood import partial
from analysis.estimate.likelihood.fit import Fit


def martingale(fit: Fit) -> np.ndarray:
    """Per row of the input, events seen less events expected. R: `residuals(fit, type = "martingale")`."""
    return partial.martingale(fit.problem, fit.state)[_input_order(fit)]


def score(fit: Fit) -> np.ndarray:
    """Per row of the input and estimable column, its share of the score. R: `residuals(fit, type = "score")`."""
    return (partial.score_residuals(fit.problem, fit.state) * fit.scale)[_input_order(fit)]


def schoenfeld(fit: Fit, scaled: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the input with an event, by stratum and time; and for each its covariates less their mean at risk.

    `scaled`: times variance x number of events, plus the coefficients: the effect at that time (Grambsch and Therneau
    1994). R: `residuals(fit, type = "schoenfeld")` and `"scaledsch"`.
    """
    sets = fit.problem.sets
    residual = _schoenfeld(fit, partial.moments(fit.problem, fit.state)) * fit.scale
    if scaled:
        variance = fit.variance[np.ix_(fit.columns, fit.columns)]
        residual = residual @ variance * len(sets.event_rows) + fit.coefficients[fit.columns]
    return sets.order[sets.event_rows], residual


def _schoenfeld(fit: Fit, sums: partial.Moments) -> np.ndarray:
    sets, means = fit.problem.sets, partial.event_means(fit.problem, fit.state, sums)
    return fit.problem.columns[sets.event_rows] - means[sets.event_cell]


def _input_order(fit: Fit) -> np.ndarray:
    return np.argsort(fit.problem.sets.order)


def time_varying_tests(fit: Fit, moment: np.ndarray, groups: list[np.ndarray]) -> list[float]:
    """Chi-squared score statistics for adding column x `moment` to the model, for each group of columns together.

    `moment` has the transformed time of each cell; groups hold places among the estimable columns. The information of
    the enlarged model is that of the model with each event time counted `moment` and `moment` squared times, so the
    test needs three informations and no risk set. R: `survival::cox.zph` from 3.0 on (Therneau and Grambsch 2000).
    """
    problem, state, sets = fit.problem, fit.state, fit.problem.sets
    moment = moment - moment[sets.event_cell].mean()  # for the digits; the test does not depend on it
    sums = partial.moments(problem, state)
    residual = _schoenfeld(fit, sums) * problem.weight[sets.event_rows, None]
    slope = residual.T @ moment[sets.event_cell]
    plain, crossed, squared = (
        partial.information(problem, state, sums, factor) for factor in (None, moment, moment**2)
    )
    found = []
    for places in groups:
        enlarged = np.block([[plain, crossed[:, places]], [crossed[places], squared[np.ix_(places, places)]]])
        gradient = np.concatenate([np.zeros(len(plain)), slope[places]])
        found.append(float(gradient @ linalg.pinvh(enlarged) @ gradient))
    return found
