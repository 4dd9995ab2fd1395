"""Cumulative incidences in which each patient counts as many as could have been watched, with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.estimate.recurrence.observation import Observation

_ROUNDING = 1e-12  # of a share


@dataclass(frozen=True)
class Gaps:
    """One item per patient on the line: `began` on the patient's clock, the rest since the start of the line.

    `happened[k]` marks those whose gap ended by event k.
    """

    patient: np.ndarray
    began: np.ndarray
    entry: np.ndarray
    time: np.ndarray
    happened: np.ndarray


def weighted_incidence(gaps: Gaps, seen: Observation, horizon: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What share has had each event by each time of the gap, in patients never lost? And with which standard error?

    Returns the times of the events up to the horizon (and -1, before all), the shares and their standard errors, one
    column per event. Missing from the time at which somebody is at risk whose weight is not known, because by then all
    under observation had died although others entered later.

    At each time u the influence of a patient on F(t), the weights taken as known, grows by alpha - (F(t) - F(u)) beta,
    with alpha = S(u-) psi_k / Y_w, beta = psi / (Y_w - d_w), psi_k = w (dN_k - d_w,k / Y_w) while at risk. So two sums
    per patient, of alpha + F(u) beta and of beta, serve all later t; the same two sums by stretch of the patient's
    clock give the pull of the weights. Each time costs one pass over those at risk.
    """
    order = np.argsort(gaps.time, kind="stable")
    patient, began, entry, time = (array[order] for array in (gaps.patient, gaps.began, gaps.entry, gaps.time))
    happened = gaps.happened[:, order]
    every = np.unique(time[happened.any(axis=0) & (time <= horizon)])
    causes, stretches = len(happened), len(seen.ends)
    shares, squares = np.zeros((len(every) + 1, causes)), np.zeros((len(every) + 1, causes))
    level, slope = np.zeros((causes, len(time))), np.zeros(len(time))
    level_pull, slope_pull = np.zeros((causes, stretches)), np.zeros(stretches)
    share, survival = np.zeros(causes), 1.0
    for place, now in enumerate(every, start=1):
        first = np.searchsorted(time, now)
        at = np.arange(first, len(time))[(entry[first:] < now) | (entry[first:] == 0)]
        stretch = seen.stretch(patient[at], began[at] + now)
        weight = seen.weight[stretch]
        if not weight.all():
            shares[place:] = squares[place:] = np.nan
            break
        ended = happened[:, at] & (time[at] == now)
        total, events = weight.sum(), ended @ weight
        psi = weight * (ended - (events / total)[:, None])
        remaining = 0.0 if ended.any(axis=0).all() else total - events.sum()
        alpha = survival / total * psi
        beta = psi.sum(axis=0) / remaining if remaining else np.zeros(len(at))
        share = share + survival * events / total
        share[np.abs(share - 1) < _ROUNDING] = 1.0  # all there is has no limits, a rounding short of it would have
        survival *= remaining / total
        grown = alpha + share[:, None] * beta
        level[:, at] += grown
        slope[at] += beta
        level_pull += np.stack([np.bincount(stretch, row, stretches) for row in grown])
        slope_pull += np.bincount(stretch, beta, stretches)
        influence = seen.influence_of_weights(level_pull - share[:, None] * slope_pull)
        influence[:, patient] += level - share[:, None] * slope
        shares[place], squares[place] = share, np.einsum("kp,kp->k", influence, influence)
    return np.append(-1.0, every), shares, np.sqrt(squares)
