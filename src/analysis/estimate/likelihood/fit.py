"""A fitted model: coefficients, both variances, the three tests, and all that residuals and predictions need."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, special

from analysis.estimate.likelihood.newton import Ascent, ascend, derivatives, estimable
from analysis.estimate.likelihood.partial import Problem, State, evaluate, score_residuals
from analysis.estimate.likelihood.risksets import RiskSets
from analysis.estimate.likelihood.threads import one_thread


@dataclass(frozen=True)
class Fit:
    """A maximum of the partial likelihood.

    `coefficients` and `variance` (inverse information) are those of the columns given, missing where there is no
    estimate: `notes` says why, column by column. `robust` is the sandwich by cluster, where one was asked for.
    `columns` are the places of the estimable columns, which `problem` holds as (x - centre) / scale; `finite` flags
    those among them with a finite estimate. `null` is the state with all coefficients 0.
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    variance: np.ndarray
    notes: tuple[str, ...]
    problem: Problem
    null: State
    state: State
    null_slope: np.ndarray
    null_information: np.ndarray
    columns: np.ndarray
    finite: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    steps: int
    converged: bool
    why_not: str = ""
    robust: np.ndarray | None = None
    robust_score: float = np.nan

    @property
    def errors(self) -> np.ndarray:
        """Standard errors, robust where there are robust ones."""
        return np.sqrt(np.diag(self.variance if self.robust is None else self.robust))


def maximise(
    sets: RiskSets,
    columns: np.ndarray,
    names: tuple[str, ...],
    weight: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    efron: bool = True,
) -> Fit:
    """The maximum partial likelihood estimate; `columns`, `weight` and `offset` in the order of the input's rows.

    R: `survival::coxph(Surv(entry, time, event) ~ x + strata(s) + offset(o), weights = w, ties = "efron")`.
    """
    with one_thread():
        order = sets.order
        weight = np.ones(len(order)) if weight is None else weight[order].astype(float)
        offset = np.zeros(len(order)) if offset is None else offset[order]
        standard, centre, scale = _standardised(columns, order)
        problem = Problem(sets, standard, weight, offset, efron)
        null = evaluate(problem, np.zeros(standard.shape[1]))
        slope, curvature = derivatives(problem, null)
        keep, left_out = estimable(curvature, weight[sets.event_rows].sum())
        if not keep.all():
            problem = replace(problem, columns=np.ascontiguousarray(standard[:, keep]))
            null = replace(null, coefficients=np.zeros(keep.sum()))
            slope, curvature = slope[keep], curvature[np.ix_(keep, keep)]
        ascent = ascend(problem, null, slope, curvature)
    notes = _notes(names, np.flatnonzero(keep), left_out, ascent)
    fit = Fit(
        names,
        np.full(len(names), np.nan),
        np.full((len(names), len(names)), np.nan),
        tuple(notes),
        problem,
        null,
        ascent.state,
        slope,
        curvature,
        np.flatnonzero(keep),
        ascent.endless == 0,
        centre[keep],
        scale[keep],
        ascent.steps,
        ascent.converged,
        ascent.why_not,
    )
    return _with_estimates(fit, ascent) if ascent.converged else fit


def _standardised(columns: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns with mean 0 and variance 1, in the order of the risk sets; constant ones become zeros."""
    standard = np.take(columns, order, axis=0).astype(float, copy=False)
    centre = np.ones(len(order)) @ standard / max(len(order), 1)  # half the time of mean(axis=0)
    standard -= centre
    scale = np.sqrt(np.einsum("ij,ij->j", standard, standard) / max(len(standard), 1))
    constant = scale <= 1e-10 * np.maximum(np.abs(centre), np.finfo(float).tiny)
    standard[:, constant] = 0
    scale[constant] = 1
    standard /= scale
    return standard, centre, scale


def _notes(names: tuple[str, ...], kept: np.ndarray, left_out: dict[int, list[int]], ascent: Ascent) -> list[str]:
    notes = [""] * len(names)
    for column, others in left_out.items():
        sum_of = ", ".join(repr(names[other]) for other in others)
        notes[column] = (
            f"no estimate: collinear, a sum of {sum_of}" if others else "no estimate: constant among those at risk"
        )
    for place, sign in zip(kept, ascent.endless, strict=True):
        if sign:
            notes[place] = (
                f"no finite estimate: the likelihood rises for ever as the coefficient goes to "
                f"{'plus' if sign > 0 else 'minus'} infinity (monotone likelihood, separation)"
            )
        elif not ascent.converged:
            notes[place] = f"no estimate: {ascent.why_not}"
    return notes


def _with_estimates(fit: Fit, ascent: Ascent) -> Fit:
    finite = np.flatnonzero(fit.finite)
    places, scale = fit.columns[finite], fit.scale[finite]
    fit.coefficients[places] = ascent.coefficients[finite] / scale
    inverse = np.linalg.inv(ascent.information[np.ix_(finite, finite)])
    fit.variance[np.ix_(places, places)] = inverse / np.outer(scale, scale)
    return fit


def dfbeta(fit: Fit, weighted: bool = True) -> np.ndarray:
    """Per row of the input, the change of each estimable, finite coefficient for having the row (one-step jackknife).

    R: `residuals(fit, type = "dfbeta")`.
    """
    return _influence(fit, score_residuals(fit.problem, fit.state), weighted)[np.argsort(fit.problem.sets.order)]


def _influence(fit: Fit, residual: np.ndarray, weighted: bool) -> np.ndarray:
    """Score residuals (in the order of the problem) times the inverse information, on the scale of the coefficients."""
    finite = np.flatnonzero(fit.finite)
    places, scale = fit.columns[finite], fit.scale[finite]
    if weighted:
        residual *= fit.problem.weight[:, None]
    return residual[:, finite] @ (scale[:, None] * fit.variance[np.ix_(places, places)])


def with_sandwich(
    fit: Fit, cluster: np.ndarray | None = None, further: np.ndarray | None = None, repeated: bool = False
) -> Fit:
    """The fit with its robust variance: D'D, D the sums by cluster of weight x dfbeta (Lin and Wei 1989).

    `cluster` is a code from 0 per row of the input; none: every row by itself. `further` is added to the weighted score
    residuals; its rows and columns are those of `fit.problem`. `repeated`: a row stands for as many subjects as its
    weight says, each a cluster by itself; a sum of w squares, not the square of w times one.
    R: `coxph(..., cluster = id, robust = TRUE)`.
    """
    if not fit.converged:
        return fit
    order = fit.problem.sets.order
    code = None if cluster is None else cluster[order]
    with one_thread():
        residual = score_residuals(fit.problem, fit.state) * fit.problem.weight[:, None]
        if further is not None:
            residual += further
        at_null = score_residuals(fit.problem, fit.null) * fit.problem.weight[:, None]
        total_at_null = at_null.sum(axis=0)
        if repeated and cluster is None:
            of_one = np.sqrt(fit.problem.weight)[:, None]
            residual, at_null = residual / of_one, at_null / of_one
        change = _sums(_influence(fit, residual, weighted=False), code)
        at_null = _sums(at_null, code)
    robust = np.full_like(fit.variance, np.nan)
    places = fit.columns[fit.finite]
    robust[np.ix_(places, places)] = change.T @ change
    statistic = _quadratic(at_null.T @ at_null, total_at_null) if further is None else np.nan
    return replace(fit, robust=robust, robust_score=statistic)


def _sums(rows: np.ndarray, code: np.ndarray | None) -> np.ndarray:
    if code is None:
        return rows
    return np.column_stack([np.bincount(code, column) for column in rows.T]) if rows.shape[1] else rows[:0]


def _quadratic(matrix: np.ndarray, vector: np.ndarray) -> float:
    """vector' matrix^-1 vector; a singular matrix leaves out what it does not hold."""
    return float(vector @ linalg.pinvh(matrix) @ vector) if len(vector) else np.nan


def tests(fit: Fit) -> list[tuple[str, float, int, float]]:
    """Name, statistic, degrees of freedom and p of the tests that all coefficients are 0.

    R: `summary(fit)`'s logtest, sctest, waldtest and robscore.
    """
    columns, places = len(fit.columns), fit.columns[fit.finite]
    variance = fit.variance if fit.robust is None else fit.robust
    found = [("likelihood ratio", 2 * (fit.state.log_likelihood - fit.null.log_likelihood), columns)]
    found.append(("score", _quadratic(fit.null_information, fit.null_slope), columns))
    found.append(("Wald", _quadratic(variance[np.ix_(places, places)], fit.coefficients[places]), len(places)))
    if not np.isnan(fit.robust_score):
        found.append(("robust score", fit.robust_score, columns))
    return [(name, value, df, float(special.chdtrc(df, value))) for name, value, df in found]
