"""Of two patients, does the one with the higher risk relapse first? Pairs counted by sorting, not one by one."""

from __future__ import annotations

import numpy as np

from analysis.estimate.prediction.reading import NONE, OTHER
from analysis.estimate.prediction.weights import Sample


def concordance(lines: Sample, risk: np.ndarray, horizon: float) -> np.ndarray:
    """Uno's C up to the horizon with competing events, one number per resample.

    C = the weighted share of pairs (i, j) with risk_i > risk_j (ties count half), where i had the event by the horizon
    and j either had nothing by then, with weight 1 / (G_i(T_i-) G_j(T_i-)), or had a competing event first and so
    never has the event in question, with weight 1 / (G_i(T_i-) G_j(T_j-)). Uno et al. (2011), Wolbers et al. (2014),
    Biostatistics, eq. 4. R: `pec::cindex(cause = 1)`.

    The pairs are counted in O(n log^2 n) with all resamples together; scikit-survival's count is quadratic.
    """
    case = np.flatnonzero(lines.had(horizon))
    rank = np.unique(risk, return_inverse=True)[1]
    own = lines.own_inverse()
    right, every = 0.0, 0.0
    for group in range(len(lines.curves)):
        mine = np.flatnonzero(lines.group == group)
        # Those censored on the day of an event come after it, those with an event of their own that day do not.
        turn = np.where(lines.status[mine] == NONE, 0, 2)
        found = _earlier(-lines.time[mine], turn, rank[mine], lines.weight[mine], -lines.time[case], rank[case])
        weight = own[case] * lines.weight[case] * lines.inverse(lines.time[case], group)
        right, every = right + (weight * found[0]).sum(axis=0), every + (weight * found[1]).sum(axis=0)
    other = np.flatnonzero((lines.status == OTHER) & (lines.time <= horizon))
    value = (own * lines.weight)[other]
    found = _earlier(lines.time[other], np.zeros(len(other)), rank[other], value, lines.time[case], rank[case])
    weight = own[case] * lines.weight[case]
    right, every = right + (weight * found[0]).sum(axis=0), every + (weight * found[1]).sum(axis=0)
    return np.divide(right, every, out=np.full(np.shape(every), np.nan), where=every > 0)


def _earlier(
    place: np.ndarray,
    turn: np.ndarray,
    rank: np.ndarray,
    value: np.ndarray,
    asked_place: np.ndarray,
    asked_rank: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """For each one asked: the values of those at an earlier place and of lower rank (equal ones half), and of all.

    At one place those with turn 0 come before the one who asks, the others after.
    """
    given = len(place)
    order = np.lexsort((np.concatenate([turn, np.ones(len(asked_place))]), np.concatenate([place, asked_place])))
    ranks = np.concatenate([rank, asked_rank])[order]
    asks = order >= given
    below = np.zeros((len(asked_place), value.shape[1]))
    every = np.zeros_like(below)
    for bit in range(int(ranks.max(initial=0)).bit_length()):
        # Two ranks differ first at one bit: there the lower has 0, the higher 1, and all bits above are the same.
        same, lower = ranks >> (bit + 1), (ranks >> bit & 1) == 0
        _add(below, same, asks & ~lower, ~asks & lower, order, given, value)
    equal = np.zeros_like(below)
    _add(equal, ranks, asks, ~asks, order, given, value)
    _add(every, np.zeros(len(ranks), dtype=int), asks, ~asks, order, given, value)
    return below + equal / 2, every


def _add(
    result: np.ndarray,
    same: np.ndarray,
    asking: np.ndarray,
    giving: np.ndarray,
    order: np.ndarray,
    given: int,
    value: np.ndarray,
) -> None:
    """Add to each one asking the values of those giving that stand before it in the sequence and share its `same`."""
    by_class = np.argsort(same, kind="stable")
    gives, asks = giving[by_class], asking[by_class]
    so_far = np.concatenate([np.zeros((1, value.shape[1])), np.cumsum(value[order[by_class][gives]], axis=0)])
    before = np.concatenate([[0], np.cumsum(gives)])
    sorted_same = same[by_class]
    start = np.searchsorted(sorted_same, sorted_same[asks], side="left")
    result[order[by_class][asks] - given] += so_far[before[:-1][asks]] - so_far[before[start]]
