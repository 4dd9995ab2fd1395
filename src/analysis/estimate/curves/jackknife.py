"""Standard errors by the infinitesimal jackknife, for delayed entry and for weights that are not whole numbers.

Without either, the closed delta form of `product_limit.py` gives the same figures at less cost. With them it does not:
the increments of one subject's influence at two times are then correlated, and R's survfit counts that in.
"""

from __future__ import annotations

import numpy as np

from analysis.estimate.counts import Counts


def jackknife_errors(counts: Counts, cause: tuple[int, ...], every: tuple[int, ...]) -> np.ndarray:
    """How far would each F(t) move if single subjects counted a little more? The standard error at every row of counts.

    The root of sum over subjects of w_i (dF(t) / dw_i)^2 for whole weights (a row is w_i subjects), of
    (w_i dF(t) / dw_i)^2 for fractional ones. R: `std.err` of `survfit(Surv(entry, time, event) ~ by, id=, weights=)`.

    Parameters
    ----------
    counts : made with the subjects kept
    cause : positions in `counts.words` of the event whose F(t) it is, -1 for censoring
    every : positions of all that count as events; the same as `cause` for the error of a survival curve
    """
    errors, events, rivals = np.empty(len(counts.time)), counts.numbers(cause), counts.numbers(every)
    for rows, subjects in zip(counts.slices(), counts.subjects, strict=True):
        of_cause, of_any = np.isin(subjects.word, cause), np.isin(subjects.word, every)
        weight = subjects.weight**2 if counts.weights == "fractional" else subjects.weight
        errors[rows] = _stratum_errors(
            events[rows], rivals[rows], counts.at_risk[rows], subjects.came, subjects.left, of_cause, of_any, weight
        )
    return errors


def _stratum_errors(
    events: np.ndarray,
    every: np.ndarray,
    at_risk: np.ndarray,
    came: np.ndarray,
    left: np.ndarray,
    of_cause: np.ndarray,
    of_any: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    """One stratum: every influence is linear in (1, B(t), F(t)) while at risk and in (1, F(t)) after, so sums suffice.

    A is Greenwood's sum, F the incidence, B the sum of S(u-) h(u) (A(u-) - 1 / Y(u)). While at risk a subject that came
    in with A = a has influence B(t) + q - a F(t); after leaving, g + c F(t).
    """
    greenwood, incidence, drift, before = _cumulated(events, every, at_risk)
    a = np.concatenate([[0.0], greenwood])[came]
    q = a * np.concatenate([[0.0], incidence])[came] - np.concatenate([[0.0], drift])[came]
    remaining = (at_risk - every)[left]
    lost = np.where(of_any & (remaining > 0), 1 / np.where(remaining > 0, remaining, 1), 0.0)
    c = greenwood[left] - a - lost
    at_exit = drift[left] + q - a * incidence[left] + of_cause * (before / np.where(at_risk > 0, at_risk, 1))[left]
    g = at_exit - c * incidence[left]
    size = len(events)

    def gone(values: np.ndarray) -> np.ndarray:
        return np.cumsum(np.bincount(left, weight * values, size))

    def present(values: np.ndarray) -> np.ndarray:
        return np.cumsum(np.bincount(came, weight * values, size) - np.bincount(left, weight * values, size))

    f, b = incidence, drift
    after = gone(g * g) + 2 * f * gone(g * c) + f**2 * gone(c * c)
    during = present(np.ones_like(a)) * b**2 + present(q * q) + f**2 * present(a * a)
    during += 2 * b * present(q) - 2 * b * f * present(a) - 2 * f * present(q * a)
    return np.sqrt(np.maximum(after + during, 0.0))


def _cumulated(events: np.ndarray, every: np.ndarray, at_risk: np.ndarray) -> tuple[np.ndarray, ...]:
    """Greenwood's sum A, incidence F, B and S(u-) at each row; where S falls to 0 nothing moves any more."""
    safe = np.where(at_risk > 0, at_risk, 1.0)
    survival = np.cumprod(1 - every / safe)
    before = np.concatenate([[1.0], survival[:-1]])
    left_over = at_risk - every
    terms = np.where((every > 0) & (left_over > 0), every / (safe * np.where(left_over > 0, left_over, 1.0)), 0.0)
    greenwood = np.cumsum(terms)
    step = before * events / safe
    drift = np.cumsum(step * (greenwood - terms - 1 / safe))
    return greenwood, np.cumsum(step), drift, before
