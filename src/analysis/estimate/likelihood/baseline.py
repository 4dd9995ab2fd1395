"""The cumulative hazard over time for given covariates, with its variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.estimate.likelihood import partial
from analysis.estimate.likelihood.fit import Fit, dfbeta


@dataclass(frozen=True)
class Hazard:
    """Per (stratum, event time): the jump of the cumulative hazard, its variance given the coefficients, its slope.

    `slope` is the derivative of the jump by the coefficients of `fit.columns`: (x - mean at risk) x jump. `stratum`
    holds the codes given to `risk_sets`.
    """

    stratum: np.ndarray
    time: np.ndarray
    jump: np.ndarray
    variance: np.ndarray
    slope: np.ndarray


def hazard(fit: Fit, at: np.ndarray) -> Hazard:
    """The hazard for one row of covariates `at` (all columns given to the fit; offset 0), delayed entry respected.

    Efron's estimate for Efron's ties, Breslow's for Breslow's. R: `survfit(fit, newdata)`; `basehaz(fit, centered =
    FALSE)` for a row of zeros.
    """
    problem, state, sets = fit.problem, fit.state, fit.problem.sets
    standard = (at[fit.columns] - fit.centre) / fit.scale
    level = np.exp(standard @ state.coefficients - state.shift)
    within, _ = partial.mean_terms(state, partial.moments(problem, state))
    slope = level * (standard * state.ties.a[:, None] - within)
    return Hazard(sets.stratum_of_cells(), sets.time, level * state.ties.a, level**2 * state.ties.p, slope * fit.scale)


def hazard_influence(fit: Fit, found: Hazard, factors: np.ndarray) -> np.ndarray:
    """Per row of the input, its influence on sums over cells of `factors` (cells, k) times the jump of the hazard.

    The infinitesimal jackknife: what the row does to the coefficients, and what it does to the jumps as an event and as
    one at risk. R: `survfit(fit, newdata, influence = TRUE)` of a robust fit.
    """
    problem, state, sets, ties = fit.problem, fit.state, fit.problem.sets, fit.state.ties
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(ties.a > 0, found.jump / ties.a, 0.0)[:, None]
    # An event adds 1 / S0 to the jump, a row at risk takes its share of the jump from it; Efron's steps in the mean.
    given = factors * level * (ties.a / problem.event_weight)[:, None]
    taken = sets.exposure(factors * level * ties.p[:, None])
    if ties.q is not None:
        taken[sets.event_rows] -= (factors * level * ties.q[:, None])[sets.event_cell]
    own = -state.risk[:, None] * taken
    own[sets.event_rows] += given[sets.event_cell]
    own = (own * problem.weight[:, None])[np.argsort(sets.order)]
    finite = np.flatnonzero(fit.finite)
    return own + dfbeta(fit) @ (found.slope.T @ factors)[finite]
