"""The scores of each row under a fitted lifelines regression, and the errors by cluster that follow from them.

lifelines has errors robust by row only, one gradient per row in a loop; rows of one patient belong together.
"""

from __future__ import annotations

import numpy as np


class _One(float):
    """Stands in for lifelines' matrices of covariates, by `np.dot` or `@`: what comes are the linear predictors."""

    def __matmul__(self, predictors):
        return predictors


def row_scores(fitter, time: np.ndarray, had: np.ndarray, entry: np.ndarray, matrices: dict) -> np.ndarray:
    """The derivative of each row's log-likelihood by each parameter, in the order of `fitter.params_`.

    The log-likelihood of a row, d log h(t) - H(t) + H(entry), is lifelines' own and depends on the row's linear
    predictors only; automatic differentiation by those, times the covariates, gives the scores of all rows at once.
    """
    from autograd import grad

    names = list(matrices)
    late = entry > 0
    by_row = dict.fromkeys(names, _One(1))

    def log_likelihood(predictors):
        whole = (
            had * fitter._log_hazard(predictors, time, by_row) - fitter._cumulative_hazard(predictors, time, by_row)
        ).sum()
        if not late.any():
            return whole
        later = {name: predictors[name][late] for name in names}
        return whole + fitter._cumulative_hazard(later, entry[late], by_row).sum()

    predictors = {name: matrices[name] @ fitter.params_[name].to_numpy() for name in names}
    slopes = grad(log_likelihood)(predictors)
    return np.hstack([slopes[name][:, None] * matrices[name] for name in names])


def sandwich(variance: np.ndarray, scores: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """V (sum over clusters of u u') V, with u the sum of a cluster's scores: R's `survreg(cluster = )`.

    Example
    -------
    >>> sandwich(np.eye(1), np.array([[1.0], [1.0], [-2.0]]), np.array([0, 0, 1])).tolist()
    [[8.0]]
    """
    sums = np.zeros((int(cluster.max()) + 1, scores.shape[1]))
    np.add.at(sums, cluster, scores)
    return variance @ (sums.T @ sums) @ variance
