"""How good are risks by a horizon? Each measure of one model, one number per resample of the lines."""

from __future__ import annotations

import numpy as np

from analysis.estimate.prediction.weights import Sample

_STEPS = 100  # of Fisher scoring: a dozen nearly always, more where risks of 0 and 1 pull


def brier(known: np.ndarray, had: np.ndarray, risk: np.ndarray, lines: Sample) -> np.ndarray:
    """Mean squared distance of the risk from what came, weighted for censoring.

    Schoop et al. (2011), Biometrical Journal; Gerds and Schumacher (2006). R: `riskRegression::Score`, cause = 1.
    """
    return ((had - risk) ** 2) @ known / lines.weight.sum(axis=0)


def auc(known: np.ndarray, had: np.ndarray, risk: np.ndarray) -> np.ndarray:
    """Of one who had the event by the horizon and one who had not, how often has the first the higher risk?

    Those with a competing event count among the latter, with the weight of their own time. Blanche et al. (2013),
    Statistics in Medicine. R: `timeROC::timeROC(cause = 1)$AUC_2`, `riskRegression::Score`.
    """
    order = np.argsort(risk, kind="stable")
    _, first = np.unique(risk[order], return_index=True)
    cases = np.add.reduceat(np.where(had[order, None], known[order], 0.0), first, axis=0)
    others = np.add.reduceat(np.where(had[order, None], 0.0, known[order]), first, axis=0)
    won = (cases * (np.cumsum(others, axis=0) - others / 2)).sum(axis=0)
    pairs = cases.sum(axis=0) * others.sum(axis=0)
    return np.divide(won, pairs, out=np.full(np.shape(pairs), np.nan), where=pairs > 0)


def observed_over_expected(known: np.ndarray, had: np.ndarray, risk: np.ndarray, lines: Sample) -> np.ndarray:
    """The share that had the event, weighted for censoring, over the mean risk: calibration in the large."""
    return (had @ known) / (risk @ lines.weight)


def calibration_slope(known: np.ndarray, had: np.ndarray, risk: np.ndarray) -> np.ndarray:
    """By how much do log(-log(1 - risk)) of two patients have to be stretched to fit what came? 1 is right, below 1
    the risks are too extreme.

    The slope of a binomial regression with complementary log-log link, weighted for censoring (Scheike, Zhang and
    Gerds 2008, Biometrika; scale of van Geloven et al. 2022, BMJ). R: `glm(had ~ x, binomial("cloglog"), weights =)`.
    Missing where the steps do not settle.
    """
    bounded = np.clip(risk, 1e-6, 1 - 1e-6)
    x = np.log(-np.log1p(-bounded))
    if np.ptp(x) < 1e-8:
        return np.full(known.shape[1], np.nan)
    used = np.any(known > 0, axis=1)
    x, y, weight = (x - x.mean())[used, None], had[used, None].astype(float), known[used]
    share = np.clip((weight * y).sum(axis=0) / weight.sum(axis=0), 1e-6, 1 - 1e-6)
    level, slope = np.log(-np.log1p(-share)), np.zeros(known.shape[1])  # from slope 1 the steps may never settle
    for _ in range(_STEPS):
        rate = np.exp(np.clip(level + slope * x, -30, 3.5))
        share = -np.expm1(-rate)
        steep = rate * np.exp(-rate)
        residual = weight * (y - share) * (steep / (share * (1 - share)))
        curve = weight * steep**2 / (share * (1 - share))
        g0, g1 = residual.sum(axis=0), (residual * x).sum(axis=0)
        h00, h01, h11 = curve.sum(axis=0), (curve * x).sum(axis=0), (curve * x * x).sum(axis=0)
        determinant = h00 * h11 - h01**2
        with np.errstate(divide="ignore", invalid="ignore"):
            step0, step1 = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
        level, slope = level + step0, slope + step1
        if not np.any(np.abs(step1) > 1e-10):
            break
    return np.where(np.abs(step1) < 1e-6, slope, np.nan)
