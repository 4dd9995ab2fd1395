"""Pointwise confidence limits of a probability, on the scale asked for, as R's survfit computes them."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

CONF_TYPES = ("log-log", "log", "plain")


def check_limits(conf_type: str, conf_level: float) -> None:
    """Raise ValueError when the kind of limits or their level cannot be."""
    if conf_type not in CONF_TYPES:
        raise ValueError(f"conf_type: expected one of {list(CONF_TYPES)}, came {conf_type!r}")
    if not 0 < conf_level < 1:
        raise ValueError(f"conf_level: expected a number between 0 and 1 such as 0.95, came {conf_level!r}")


def confidence_limits(
    estimate: np.ndarray, std_error: np.ndarray, conf_type: str = "log-log", conf_level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Between which values does each probability lie? Lower and upper limits; missing where the scale has no value.

    log-log: p^exp(±z se / (p log p)); log: p exp(±z se / p); plain: p ± z se, both cut to [0, 1] as R cuts them.
    R: the limits of `survfit(conf.type=)`; log-log has none at 0 and 1, log has none at 0.

    Example
    -------
    >>> low, high = confidence_limits(np.array([0.5]), np.array([0.1]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.2952], [0.6745])
    """
    check_limits(conf_type, conf_level)
    z = ndtri((1 + conf_level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        if conf_type == "plain":
            return np.maximum(estimate - z * std_error, 0), np.minimum(estimate + z * std_error, 1)
        inside = np.where(estimate == 0, np.nan, estimate)
        if conf_type == "log":
            width = z * std_error / inside
            return inside * np.exp(-width), np.minimum(inside * np.exp(width), 1)
        inside = np.where(inside == 1, np.nan, inside)
        width = np.exp(-z * std_error / (inside * np.log(inside)))
        return inside**width, inside ** (1 / width)


def wilson_limits(count: np.ndarray, total: np.ndarray, conf_level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Between which values does a share of independent yes-or-no answers lie? Wilson's score limits (1927).

    R: `prop.test(count, total, correct = FALSE)$conf.int`. Missing where the total is zero.

    Example
    -------
    >>> low, high = wilson_limits(np.array([7.0]), np.array([20.0]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.1812], [0.5671])
    """
    check_limits("plain", conf_level)
    z = ndtri((1 + conf_level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.asarray(count, dtype=float) / total
        middle = share + z**2 / (2 * total)
        width = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
        return np.maximum((middle - width) / (1 + z**2 / total), 0), np.minimum(
            (middle + width) / (1 + z**2 / total), 1
        )
