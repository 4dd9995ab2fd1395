"""Weights that make up for censoring: one over the chance of having been watched for so long.

Events of a day come before its censorings, as everywhere in the house, so all that is needed is G(t-), the chance of
being uncensored just before t: the Kaplan-Meier curve of censoring with events taken out of those at risk first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.estimate.prediction.reading import CAUSE, FEWEST_UNDER_WATCH, NONE


@dataclass(frozen=True)
class Sample:
    """Lines to be scored. `weight` has one column per resample: how often each line is in it.

    `curves` holds, per group of lines, the times of the group and G just after each, with a 1 before the first. Groups
    are needed because later lines start later and so are watched for a shorter time: one curve for all would be wrong.
    """

    time: np.ndarray
    status: np.ndarray
    group: np.ndarray
    weight: np.ndarray
    curves: tuple[tuple[np.ndarray, np.ndarray], ...]

    def inverse(self, times: np.ndarray, group: int) -> np.ndarray:
        """1 / G(t-) in one group, a row per time; 0 where nobody could have been watched for so long."""
        own, curve = self.curves[group]
        before = curve[np.searchsorted(own, times, side="left")]
        return np.divide(1.0, before, out=np.zeros_like(before), where=before > 0)

    def own_inverse(self) -> np.ndarray:
        """1 / G(T-) of each line at its own time, in its own group."""
        result = np.zeros(self.weight.shape)
        for group in range(len(self.curves)):
            mine = self.group == group
            result[mine] = self.inverse(self.time[mine], group)
        return result

    def known(self, horizon: float) -> np.ndarray:
        """The weight of each line of which it is known whether the event came by the horizon; 0 for the others."""
        early = (self.time <= horizon) & (self.status != NONE)
        late = (self.time >= horizon) & ~early
        result = np.where(early[:, None], self.own_inverse(), 0.0)
        for group in range(len(self.curves)):
            result[late & (self.group == group)] = self.inverse(np.array([horizon]), group)
        return result * self.weight

    def had(self, horizon: float) -> np.ndarray:
        """Whether the event in question came by the horizon."""
        return (self.time <= horizon) & (self.status == CAUSE)


def sample(time: np.ndarray, status: np.ndarray, group: np.ndarray, weight: np.ndarray) -> Sample:
    """The lines with the censoring curves of their groups (numbered from 0)."""
    curves = tuple(
        _curve(time[mine], status[mine], weight[mine]) for mine in (group == g for g in range(group.max(initial=0) + 1))
    )
    return Sample(time, status, group, weight, curves)


def known_weights(time: np.ndarray, status: np.ndarray, horizons: np.ndarray) -> np.ndarray:
    """The weights of `Sample.known` for lines of one group, a column per horizon."""
    every = sample(time, status, np.zeros(len(time), dtype=int), np.ones((len(time), 1)))
    return np.column_stack([every.known(horizon)[:, 0] for horizon in horizons])


def line_groups(line: np.ndarray, time: np.ndarray, longest: float) -> np.ndarray:
    """Lines 1, 2, 3 and later ones, the last put together until enough of each are watched to the longest horizon."""
    group = np.minimum(line.astype(int), 4) - 1
    while group.max(initial=0) > 0:
        watched = np.bincount(group[time >= longest], minlength=group.max() + 1)
        if watched[-1] >= FEWEST_UNDER_WATCH:
            break
        group = np.minimum(group, group.max() - 1)
    return np.unique(group, return_inverse=True)[1]


def _curve(time: np.ndarray, status: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(time, kind="stable")
    times, first = np.unique(time[order], return_index=True)
    if not len(times):
        return times, np.ones((1, weight.shape[1]))
    left = np.add.reduceat(weight[order], first, axis=0)
    censored = np.add.reduceat(np.where((status == NONE)[order, None], weight[order], 0.0), first, axis=0)
    at_risk = np.cumsum(left[::-1], axis=0)[::-1] - (left - censored)
    share = np.divide(censored, at_risk, out=np.zeros_like(left), where=at_risk > 0)
    return times, np.concatenate([np.ones((1, weight.shape[1])), np.cumprod(1 - share, axis=0)])
