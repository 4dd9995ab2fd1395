"""The curves of fitted laws, to be laid over Kaplan-Meier: where the data end, the model's word is marked as such."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from analysis.estimate.parametric.distributions import PLATEAU, at_edge
from analysis.schema import DAYS_PER_MONTH, FITTED_CURVES, SchemaError, joined


def overlay(
    fitters: dict[str, object],
    cause: str | list[str],
    times: list[float] | None = None,
    beyond: float = 1.5,
) -> pd.DataFrame:
    """What share does each law say is free of the event, and from where on does it only extrapolate?

    Parameters
    ----------
    fitters : from `fits`
    cause : as given to `fits`
    times : days; without them every month up to the end
    beyond : how far past the last event, in multiples of its time: no curve goes farther, whatever times are asked for

    Returns
    -------
    Table FITTED_CURVES: survival with limits by the delta method on the log cumulative hazard (never outside of 0 and
    1); `extrapolated` past the last event. Limits tell of the error within a law, not of the choice of the law, which
    past the last event is the larger one; a plateau there is identified by long follow-up only. Beside it belongs
    `curves.kaplan_meier(spells, event=cause)` of the same rows. R: `summary(flexsurvreg, type = "survival")`.

    Raises
    ------
    schema.SchemaError for times below 0 and for `beyond` below 1.

    Example
    -------
    >>> from analysis.estimate.parametric.goodness import fits
    >>> spells = pd.DataFrame({"entry": 0, "time": [10.0, 20.0, 60.0], "event": "relapse"})
    >>> curve = overlay(fits(spells, "relapse", ["weibull"])[1], "relapse", times=[0, 30, 80, 100])
    >>> curve[["time", "estimate", "extrapolated"]].round(3).values.tolist()
    [[0.0, 1.0, False], [30.0, 0.424, False], [80.0, 0.028, True]]
    """
    faults = [f"beyond: expected at least 1, came {beyond}"] if not 1 <= beyond < np.inf else []
    if times is not None and not (np.isfinite(times).all() and (np.asarray(times) >= 0).all()):
        faults.append(f"times: expected days of at least 0, came {times}")
    if faults:
        raise SchemaError("overlay: " + "; ".join(faults))
    event = cause if isinstance(cause, str) else " or ".join(cause)
    return joined([_curve(name, fitter, event, times, beyond) for name, fitter in fitters.items()], FITTED_CURVES)


def _curve(name: str, fitter, event: str, times: list[float] | None, beyond: float) -> pd.DataFrame:
    last = float(np.max(fitter.durations[fitter.event_observed > 0]))
    grid = np.arange(0, beyond * last, DAYS_PER_MONTH) if times is None else np.unique(np.asarray(times, dtype=float))
    grid = grid[grid <= beyond * last]
    estimate, low, high, error = np.ones((4, len(grid))) * [[1], [1], [1], [0]]
    later = grid > 0
    if later.any():
        estimate[later], low[later], high[later], error[later] = _survival(fitter, grid[later])
    at_risk = [fitter.weights[(fitter.durations >= time) & (fitter.entry < max(time, 1e-9))].sum() for time in grid]
    return pd.DataFrame(
        {
            "distribution": name,
            "event": event,
            "time": grid,
            "estimate": estimate,
            "conf_low": low,
            "conf_high": high,
            "std_error": error,
            "at_risk": np.asarray(at_risk, dtype=float),
            "extrapolated": grid > last,
        }
    )


def _survival(fitter, times: np.ndarray) -> tuple[np.ndarray, ...]:
    """Survival, limits and standard error at times after 0; lifelines' own limits may leave 0 to 1."""
    from autograd import jacobian

    values = fitter._fitted_parameters_
    hazard = fitter._cumulative_hazard(values, times)
    slopes = jacobian(lambda parameters: fitter._cumulative_hazard(parameters, times))(values) / hazard[:, None]
    free = ~(np.array([name == PLATEAU for name in fitter._fitted_parameter_names]) & at_edge(fitter))
    slopes = slopes[:, free]
    with np.errstate(invalid="ignore"):
        variance = np.linalg.pinv(fitter._hessian_[np.ix_(free, free)])
        error = np.sqrt(np.einsum("ti,ij,tj->t", slopes, variance, slopes))
    reach = special.ndtri(1 - fitter.alpha / 2) * error
    survival = np.exp(-hazard)
    low, high = np.exp(-hazard * np.exp(reach)), np.exp(-hazard * np.exp(-reach))
    return survival, low, high, survival * hazard * error
