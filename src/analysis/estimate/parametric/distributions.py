"""The laws of time without covariates, fitted by lifelines from starts that lead to the maximum."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.estimate.parametric.regression import first_line

DISTRIBUTIONS = ("weibull", "log-normal", "log-logistic", "generalised gamma", "spline", "mixture cure")
PARAMETERS = dict(zip(DISTRIBUTIONS, (2, 2, 2, 3, 4, 3), strict=True))
PLATEAU = "cured_fraction_"


@dataclass(frozen=True)
class Sample:
    """Times in days with their entries, whether the event came, and how many rows each stands for."""

    time: np.ndarray
    entry: np.ndarray
    had: np.ndarray
    weight: np.ndarray

    @property
    def events(self) -> float:
        """How many events there are."""
        return float(self.weight[self.had].sum())


def fit_distribution(sample: Sample, distribution: str, earlier: dict, conf_level: float):
    """lifelines' fitter of one law, or None, and what was heard; of several starts the one that climbs highest.

    `earlier` has the fitters of simpler laws by name: the others start from there, because from lifelines' own starts
    the spline in days ends far from its maximum (log-likelihood -363,277 for -25,415 in a case of 5,000 rows).
    """
    best, heard = None, []
    for make, start in _starts(sample, distribution, earlier, conf_level):
        fitter, said = _one(sample, make, start, distribution)
        heard = heard if fitter is None and best is not None else said
        if fitter is not None and (best is None or fitter.log_likelihood_ > best.log_likelihood_):
            best, kept = fitter, said
    return best, heard if best is None else kept


def _one(sample: Sample, make: Callable, start, label: str):
    from lifelines.exceptions import ConvergenceError

    fitter = make()
    with np.errstate(), warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            fitter.fit(
                sample.time,
                sample.had,
                entry=sample.entry,
                weights=sample.weight,
                initial_point=start,
                label=label,
            )
        except (ConvergenceError, ValueError, np.linalg.LinAlgError) as error:
            return None, [f"lifelines found no maximum: {first_line(error)}"]
    return fitter, sorted({first_line(warning.message) for warning in heard})


def _starts(sample: Sample, distribution: str, earlier: dict, conf_level: float) -> list[tuple[Callable, object]]:
    """What makes the fitter, and where it starts."""
    import lifelines

    alpha = 1 - conf_level
    plain = {
        "weibull": lifelines.WeibullFitter,
        "log-normal": lifelines.LogNormalFitter,
        "log-logistic": lifelines.LogLogisticFitter,
    }
    if distribution in plain:
        return [(lambda: plain[distribution](alpha=alpha), None)]
    weibull, normal = earlier.get("weibull"), earlier.get("log-normal")
    if distribution == "generalised gamma":
        starts = [] if weibull is None else [np.array([np.log(weibull.lambda_), -np.log(weibull.rho_), 1.0])]
        if normal is not None and (weibull is None or normal.log_likelihood_ > weibull.log_likelihood_):
            # The log-normal is the law at 0, where lifelines' formula divides by 0: one start on either side.
            starts = [np.array([normal.mu_, np.log(normal.sigma_), side]) for side in (0.2, -0.2)]
        return [(lambda: lifelines.GeneralizedGammaFitter(alpha=alpha), start) for start in starts or [None]]
    if distribution == "spline":
        knots = np.quantile(
            np.repeat(sample.time[sample.had], sample.weight[sample.had].astype(int)), [0, 1 / 3, 2 / 3, 1]
        )
        start = None if weibull is None else np.array([-weibull.rho_ * np.log(weibull.lambda_), weibull.rho_, 0.0, 0.0])
        return [(lambda: lifelines.SplineFitter(knots, alpha=alpha), start)]
    starts = [None] if weibull is None else [None, np.array([0.05, weibull.lambda_, weibull.rho_])]
    return [(lambda: lifelines.MixtureCureFitter(lifelines.WeibullFitter(), alpha=alpha), start) for start in starts]


def at_maximum(fitter, sample: Sample) -> bool:
    """Does the gradient vanish where lifelines stopped, and is the log-likelihood curved there in every direction?

    Half of g' V g, what one more step would gain, is at most 1e-4. A plateau at the edge 0 is left out of both.
    """
    from autograd import grad

    gradient = sample.weight.sum() * grad(fitter._negative_log_likelihood_right_censoring)(
        fitter._fitted_parameters_, (sample.time, None), sample.had, sample.entry, sample.weight
    )
    free = ~(np.array([name == PLATEAU for name in fitter._fitted_parameter_names]) & at_edge(fitter))
    curvature, gradient = fitter._hessian_[np.ix_(free, free)], gradient[free]
    if not (np.isfinite(curvature).all() and np.linalg.eigvalsh(curvature).min() > 0):
        return False
    return bool(gradient @ np.linalg.solve(curvature, gradient) / 2 < 1e-4)


def at_edge(fitter) -> bool:
    """Is the plateau of a mixture cure model 0 (or 1), where it can go no farther?"""
    plateau = getattr(fitter, PLATEAU, 0.5)
    return not 1e-6 < plateau < 1 - 1e-6
