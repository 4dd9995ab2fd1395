"""Who is under observation at each time of the patients' clock, and how much one of them stands for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Observation:
    """The patients of one stratum, on stretches of time in which nobody comes or leaves.

    Stretch c ends at `ends[c]`, included, and begins after the one before; the first is time 0 alone. `weight` is how
    many of all patients, or a fixed multiple of it, one patient under observation in a stretch stands for: the share
    alive over the number seen, S(x-) / Y(x). `came` and `gone` are the first and last stretch of each patient, `left`
    the time at which the patient left.
    """

    ends: np.ndarray
    at_risk: np.ndarray
    deaths: np.ndarray
    weight: np.ndarray
    came: np.ndarray
    gone: np.ndarray
    left: np.ndarray
    died: np.ndarray

    def stretch(self, patient: np.ndarray, time: np.ndarray) -> np.ndarray:
        """The stretch in which each time lies; a time that a rounding puts past the patient's last is that last one."""
        return np.searchsorted(self.ends, np.minimum(time, self.left[patient]))

    def influence_of_weights(self, pull: np.ndarray) -> np.ndarray:
        """How far each patient moves estimates through the weights, because S and Y are estimated.

        `pull[k, c]` is by how much estimate k moves when the logarithm of the weight of stretch c does. A patient moves
        it by less 1 / Y while under observation, and by less the influence on log S after: for the dead 1 / (Y - d),
        less the growth of Greenwood's sum while under observation.
        """
        survivors = self.at_risk - self.deaths
        with np.errstate(divide="ignore"):
            lost = np.where(survivors > 0, 1 / survivors, 0.0)
            share = np.where(self.at_risk > 0, 1 / self.at_risk, 0.0)
        later = np.cumsum(pull[:, ::-1], axis=1)[:, ::-1] - pull
        grown = np.cumsum(self.deaths * share * lost * later - share * pull, axis=1)
        grown = np.concatenate([np.zeros((len(pull), 1)), grown], axis=1)
        return grown[:, self.gone + 1] - grown[:, self.came] - (self.died * lost[self.gone]) * later[:, self.gone]


def observation(entered: np.ndarray, left: np.ndarray, died: np.ndarray) -> Observation:
    """Lay the patients of one stratum out on the stretches. Under observation at x are those with entered < x <= left.

    Without delayed entry the weight is 1 / G(x-) over the number of patients, G the Kaplan-Meier curve of the censoring
    in which deaths of a day come first.

    Example
    -------
    >>> seen = observation(np.zeros(4), np.array([1.0, 2, 3, 4]), np.array([True, False, True, False]))
    >>> seen.weight.round(4).tolist()
    [0.25, 0.25, 0.25, 0.375, 0.375]
    """
    ends = np.unique(np.concatenate([[0.0], entered, left]))
    gone = np.searchsorted(ends, left)
    came = np.where(entered > 0, np.searchsorted(ends, entered) + 1, 0)
    size = len(ends)
    leaving, coming = np.bincount(gone, minlength=size), np.bincount(came, minlength=size)
    at_risk = np.cumsum(coming - np.append(0, leaving[:-1])).astype(float)
    deaths = np.bincount(gone[died], minlength=size).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(np.where(deaths > 0, 1 - deaths / at_risk, 1.0))
        before = np.concatenate([[1.0], survival[:-1]])
        weight = np.where(at_risk > 0, before / at_risk, 0.0)
    return Observation(ends, at_risk, deaths, weight, came, gone, left, died)
