"""Newton's method on the log partial likelihood, and what it says when there is no maximum to be found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from analysis.estimate.likelihood.partial import Problem, State, evaluate, information, moments, score

_CONVERGED = 1e-18  # Newton decrement: the next step would be a thousand-millionth of a standard error
_NEARLY = 1e-6  # from here on the steps of a likelihood with a maximum shrink quadratically
_MOST_STEPS = 60
_MOST_HALVINGS = 40
_NO_INFORMATION = 1e-12  # of that of a column with variance 1 among those at risk
_COLLINEAR = 1e-10  # share of a column's information that the columns before it leave


@dataclass(frozen=True)
class Ascent:
    """Where the ascent ended: `endless` flags columns in whose direction the likelihood rises for ever, by its sign.

    `coefficients` are one last, tiny step ahead of `state`.
    """

    coefficients: np.ndarray
    state: State
    information: np.ndarray
    endless: np.ndarray
    steps: int
    converged: bool
    why_not: str = ""


def ascend(problem: Problem, state: State, slope: np.ndarray, curvature: np.ndarray) -> Ascent:
    """The maximum from a first state with its score and information; every column must be estimable.

    Stops when the Newton decrement (score x step, in squared standard errors) is below 1e-18. A likelihood that rises
    for ever (separation; Bryson and Johnson 1981) is told by its steps: they keep their length while their gain fades.
    """
    endless = np.zeros(len(slope), dtype=int)
    longest_before = gain_before = np.inf
    for steps in range(_MOST_STEPS):
        here = state.coefficients
        try:
            step = linalg.cho_solve(linalg.cho_factor(curvature), slope)
        except linalg.LinAlgError:
            # It was regular at the start, so the likelihood has gone flat on the way: the ascent has no end.
            endless = np.where(state.coefficients < 0, -1, 1)
            return Ascent(here, state, curvature, endless, steps, True)
        gain, longest = float(slope @ step), np.abs(step).max(initial=0)
        if gain < _CONVERGED or (gain < 1e-12 and gain >= gain_before):  # as good as rounding lets it be
            return Ascent(here + step, state, curvature, endless, steps, True)
        if gain < _NEARLY and longest > 0.5 * longest_before:
            endless = np.where(np.abs(step) > 1e-3 * longest, np.sign(step), 0).astype(int)
            return Ascent(here, state, curvature, endless, steps, True)
        better = _uphill(problem, state, step)
        if better is None:
            return Ascent(
                here, state, curvature, endless, steps, False, "no step along the score raises the likelihood"
            )
        state, slope, curvature, whole_step = better
        longest_before, gain_before = (longest, gain) if whole_step else (np.inf, np.inf)
    return Ascent(
        state.coefficients, state, curvature, endless, _MOST_STEPS, False, f"not converged after {_MOST_STEPS} steps"
    )


def derivatives(problem: Problem, state: State) -> tuple[np.ndarray, np.ndarray]:
    """Score and information at a state."""
    sums = moments(problem, state)
    return score(problem, state, sums), information(problem, state, sums)


def _uphill(problem: Problem, state: State, step: np.ndarray) -> tuple[State, np.ndarray, np.ndarray, bool] | None:
    """The state after the step, its score and information, and whether it was the whole step.

    The step is halved until the likelihood does not fall and can be told from there: where risks under- or overflow,
    the height may still be a number when its derivatives are none.
    """
    lowest = state.log_likelihood - 1e-11 * abs(state.log_likelihood)
    for halving in range(_MOST_HALVINGS):
        new = evaluate(problem, state.coefficients + step * 0.5**halving)
        if np.isfinite(new.log_likelihood) and new.log_likelihood >= lowest:
            with np.errstate(over="ignore", invalid="ignore"):
                slope, curvature = derivatives(problem, new)
            if np.isfinite(slope).all() and np.isfinite(curvature).all():
                return new, slope, curvature, halving == 0
    return None


def estimable(curvature: np.ndarray, events: float) -> tuple[np.ndarray, dict[int, list[int]]]:
    """Which columns (of variance 1) carry information of their own?

    Returns a mask, and for each column that does not the columns before it of which it is a sum (none: it is constant
    among those at risk). Columns are taken in order, so that of two equal ones the first stays, as in R.
    """
    keep: list[int] = []
    left_out: dict[int, list[int]] = {}
    for column in range(len(curvature)):
        own = curvature[column, column]
        if own <= _NO_INFORMATION * events:
            left_out[column] = []
            continue
        if keep:
            share = linalg.solve(curvature[np.ix_(keep, keep)], curvature[keep, column], assume_a="pos")
            if own - share @ curvature[keep, column] <= _COLLINEAR * own:
                left_out[column] = [keep[place] for place in np.flatnonzero(np.abs(share) > 1e-6)]
                continue
        keep.append(column)
    mask = np.zeros(len(curvature), dtype=bool)
    mask[keep] = True
    return mask, left_out
