"""The scores of each row under a fitted lifelines regression, and the errors by cluster that follow from them.

lifelines has errors robust by row only, one gradient per row in a loop; rows of one patient belong together.
"""

from __future__ import annotations

import numpy as np


def row_scores(fitter, time: np.ndarray, had: np.ndarray, entry: np.ndarray, matrices: dict) -> np.ndarray:
    """The derivative of each row's log-likelihood by each parameter: one column per row of `fitter.params_`.

    The log-likelihood of a row, d log h(t) - H(t) + H(entry), is made of lifelines' own functions and differentiated
    automatically, for all rows at once in the direction of one parameter after the other.
    """
    from autograd.differential_operators import make_jvp_reversemode

    late = entry > 0
    begin = np.where(late, entry, 1.0)
    sizes = np.cumsum([matrix.shape[1] for matrix in matrices.values()])

    def log_likelihoods(values):
        parts = {name: values[end - matrices[name].shape[1] : end] for name, end in zip(matrices, sizes, strict=True)}
        rows = had * fitter._log_hazard(parts, time, matrices) - fitter._cumulative_hazard(parts, time, matrices)
        return rows + late * fitter._cumulative_hazard(parts, begin, matrices) if late.any() else rows

    values = np.concatenate([fitter.params_[name].to_numpy() for name in matrices])
    along = make_jvp_reversemode(log_likelihoods)(values)
    return np.column_stack([along(direction) for direction in np.eye(len(values))])


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
