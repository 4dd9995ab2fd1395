"""The partial likelihood at one value of the coefficients: its height, its slope, its curvature, its residuals.

With r = weight x exp(x b + offset), cell j has S0 = sum of r and S1 = sum of r x over those at risk, D0 and D1 the same
over its d tied events, W = sum of their weights. Efron's correction (1977) lets the tied events leave one by one: step
k = 0 ... d - 1 has the denominator S0 - f D0 with f = k / d, and the mean weight W / d. Breslow (1974) takes f = 0. All
that the derivatives need of a cell are five sums over its steps, so the ties cost one pass over the events:

    A = sum c,  B = sum f c,  P = sum c / den,  Q = sum f c / den,  R = sum f^2 c / den,  with c = (W / d) / den.

The second derivative needs no risk-set matrices: sum over cells of A S2 - B D2 equals X' diag(r E) X, where E is the
row's expected number of events, the sum of A over its own time at risk (less B where it is itself a tied event).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.estimate.likelihood.risksets import RiskSets

_BLOCK_NUMBERS = 100_000  # products of X with itself go through blocks that stay in the processor's cache


@dataclass(frozen=True)
class Problem:
    """What does not change while the coefficients do; rows are in the order of `sets`."""

    sets: RiskSets
    columns: np.ndarray
    weight: np.ndarray
    offset: np.ndarray
    efron: bool

    @cached_property
    def never(self) -> np.ndarray:
        """The rows at risk at no event time."""
        return self.sets.never()

    @cached_property
    def event_weight(self) -> np.ndarray:
        """The sum of the weights of the events of each cell."""
        return self.sets.of_events(self.weight)

    @cached_property
    def event_sum(self) -> np.ndarray:
        """The sum of weight x covariates over all events."""
        return self.weight[self.sets.event_rows] @ self.columns[self.sets.event_rows]

    @cached_property
    def steps(self) -> Steps | None:
        """The steps in which tied events leave, or None where none are tied or Breslow is asked."""
        events = np.bincount(self.sets.event_cell, minlength=self.sets.cells)
        if not self.efron or events.max(initial=0) <= 1:
            return None
        first = np.cumsum(events) - events
        cell = np.repeat(np.arange(len(events)), events)
        share = (np.arange(len(cell)) - first[cell]) / events[cell]
        return Steps(first, cell, share, (self.event_weight / events)[cell])


@dataclass(frozen=True)
class Steps:
    """One row per event, cell after cell: its cell, f = k / d, and W / d; `first` is the first row of each cell."""

    first: np.ndarray
    cell: np.ndarray
    share: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Ties:
    """The five sums over the steps of each cell; B, Q and R are None where no events are tied or Breslow is asked."""

    a: np.ndarray
    p: np.ndarray
    b: np.ndarray | None = None
    q: np.ndarray | None = None
    r: np.ndarray | None = None


@dataclass(frozen=True)
class State:
    """The likelihood at `coefficients`: `risk` is exp(x b + offset - shift), `weighted` that times the weight."""

    coefficients: np.ndarray
    log_likelihood: float
    shift: float
    risk: np.ndarray
    weighted: np.ndarray
    ties: Ties


def evaluate(problem: Problem, coefficients: np.ndarray) -> State:
    """The height of the log partial likelihood, with what its derivatives are made of."""
    sets, weight = problem.sets, problem.weight
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a step too far is answered by halving it
        linear = problem.columns @ coefficients + problem.offset
        # Risks relative to those with events, so that none under- or overflows because of where the covariates lie.
        shift = float(linear[sets.event_rows].mean()) if len(sets.event_rows) else 0.0
        linear -= shift
        linear[problem.never] = 0  # whoever is never at risk may not spoil the sums with an infinite risk
        risk = np.exp(linear)
        weighted = weight * risk
        of_tied = sets.of_events(weighted)
        # Those with an event are at risk, so rounding of the sums may not leave less than them.
        at_risk = np.maximum(sets.at_risk(weighted), of_tied)
        ties, log_sum = _ties(problem, at_risk, of_tied)
        height = float(weight[sets.event_rows] @ linear[sets.event_rows] - log_sum)
    return State(coefficients, height, shift, risk, weighted, ties)


def _ties(problem: Problem, at_risk: np.ndarray, of_tied: np.ndarray) -> tuple[Ties, float]:
    """The five sums of every cell, and the sum of the logarithms of its denominators."""
    steps = problem.steps
    if steps is None:
        hazard = problem.event_weight / at_risk
        return Ties(hazard, hazard / at_risk), float(problem.event_weight @ np.log(at_risk))
    denominator = at_risk[steps.cell] - steps.share * of_tied[steps.cell]
    c = steps.weight / denominator
    shared, by_denominator = steps.share * c, c / denominator
    each = [c, by_denominator, shared, steps.share * by_denominator, steps.share**2 * by_denominator]
    ties = Ties(*(np.add.reduceat(values, steps.first) for values in each))
    return ties, float(steps.weight @ np.log(denominator))


def expected(problem: Problem, state: State, factor: np.ndarray | None = None) -> np.ndarray:
    """Per row, the cumulative baseline hazard over its own time at risk; cells times `factor` where one is given."""
    hazard = state.ties.a if factor is None else state.ties.a * factor
    total = problem.sets.exposure(hazard)
    if state.ties.b is not None:
        own = state.ties.b if factor is None else state.ties.b * factor
        total[problem.sets.event_rows] -= own[problem.sets.event_cell]
    return total


def martingale(problem: Problem, state: State) -> np.ndarray:
    """Per row, events seen less events expected."""
    residual = -state.risk * expected(problem, state)
    residual[problem.sets.event_rows] += 1
    return residual


@dataclass(frozen=True)
class Moments:
    """S1 and D1 of every cell; D1 is None where it is not needed."""

    first: np.ndarray
    tied: np.ndarray | None


def moments(problem: Problem, state: State) -> Moments:
    """The sums of risk x covariates over those at risk, and over those with an event, of every cell."""
    first = problem.sets.at_risk(state.weighted, problem.columns)
    return Moments(first, None if state.ties.b is None else problem.sets.of_events(state.weighted, problem.columns))


def score(problem: Problem, state: State, sums: Moments) -> np.ndarray:
    """The first derivative: covariates of the events less what was expected of those at risk."""
    total = problem.event_sum - state.ties.a @ sums.first
    return total if sums.tied is None else total + state.ties.b @ sums.tied


def information(problem: Problem, state: State, sums: Moments, factor: np.ndarray | None = None) -> np.ndarray:
    """Minus the second derivative; with `factor`, each event time counts that many times."""
    within, within_tied = mean_terms(state, sums)
    if factor is not None:
        within = within * factor[:, None]
        within_tied = None if within_tied is None else within_tied * factor[:, None]
    middle = sums.first.T @ within
    if within_tied is not None:
        middle -= sums.tied.T @ within_tied
    second = cross_product(problem.columns, state.weighted * expected(problem, state, factor))
    return second - (middle + middle.T) / 2


def mean_terms(state: State, sums: Moments) -> tuple[np.ndarray, np.ndarray | None]:
    """P S1 - Q D1 and Q S1 - R D1 of every cell: hazard times mean covariate, plain and for the tied events."""
    ties, first, tied = state.ties, sums.first, sums.tied
    if tied is None:
        return ties.p[:, None] * first, None
    return ties.p[:, None] * first - ties.q[:, None] * tied, ties.q[:, None] * first - ties.r[:, None] * tied


def event_means(problem: Problem, state: State, sums: Moments) -> np.ndarray:
    """The mean covariates of those at risk in each cell, averaged over its steps."""
    total = state.ties.a[:, None] * sums.first
    if sums.tied is not None:
        total -= state.ties.b[:, None] * sums.tied
    return total / problem.event_weight[:, None]


def score_residuals(problem: Problem, state: State) -> np.ndarray:
    """Per row, its share of the score, not weighted (Therneau, Grambsch and Fleming 1990)."""
    sets, columns = problem.sets, problem.columns
    sums = moments(problem, state)
    within, within_tied = mean_terms(state, sums)
    residual = columns * expected(problem, state)[:, None]
    residual -= sets.exposure(within)
    if within_tied is not None:
        residual[sets.event_rows] += within_tied[sets.event_cell]
    residual *= -state.risk[:, None]
    residual[sets.event_rows] += columns[sets.event_rows] - event_means(problem, state, sums)[sets.event_cell]
    return residual


def cross_product(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
    """X' diag(values) X."""
    rows, width = columns.shape
    total = np.zeros((width, width))
    block = max(1, _BLOCK_NUMBERS // max(width, 1))
    for start in range(0, rows, block):
        part = columns[start : start + block]
        total += (part * values[start : start + block, None]).T @ part
    return total
