"""Cumulative hazards of a fitted model: the baseline, and for given covariates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from analysis.estimate.curves.limits import check_limits
from analysis.estimate.hazards.design import columns_of
from analysis.estimate.hazards.models import Model, check_finite
from analysis.estimate.likelihood import hazard
from analysis.schema import CURVES, SchemaError


def cumulative_hazard(model: Model, at: pd.DataFrame | None = None, conf_level: float = 0.95) -> pd.DataFrame:
    """How does the cumulative hazard grow, for each row of covariates in `at`, or where every column is 0?

    Table CURVES with `note` (estimand "cumulative hazard"), a curve per row of `at` and stratum of the model, at its
    event times; limits on the log scale. Delayed entry counts: nobody is at risk before entry. Efron's or Breslow's
    estimate, as the ties of the model; errors are those of the model (Tsiatis 1981), missing for a robust or a
    Fine-Gray fit, where they would be wrong: `predict_incidence` has robust ones. A baseline at age 0 is a number
    without a patient; give `at`. R: `survfit(fit, newdata = at)`: cumhaz and std.chaz;
    `basehaz(fit, centered = FALSE)`.

    Raises SchemaError for covariates that are not in `at` or missing there, or of a level unknown to the model.

    Example
    -------
    >>> from analysis.estimate.hazards import fit_cox
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8], "age": [61, 70, 58, 66], "event": "relapse"})
    >>> at = pd.DataFrame({"age": [60]}, index=["at 60"])
    >>> cumulative_hazard(fit_cox(spells, "age", "relapse"), at)["estimate"].round(3).tolist()
    [0.306, 1.403, 2.892]
    """
    check_limits("log", conf_level)
    check_finite({model.event: model})
    rows = [("", np.zeros(len(model.fit.names)))]
    if at is not None:
        if not len(at):
            raise SchemaError(
                "cumulative_hazard: `at` has no rows; give one per kind of patient, or none for the baseline"
            )
        rows = list(zip(at.index.astype(str), columns_of(model.data.design, at), strict=True))
    parts = [_hazard_curve(model, label, values, conf_level) for label, values in rows]
    return pd.concat(parts, ignore_index=True)[CURVES.names].assign(note="; ".join(model.notes))


def _hazard_curve(model: Model, label: str, values: np.ndarray, conf_level: float) -> pd.DataFrame:
    fit, data, sets = model.fit, model.data, model.fit.problem.sets
    found = hazard(fit, values)
    names = data.strata["stratum"].to_numpy(dtype=object)[found.stratum]
    names = np.array([label if label and name == "all" else f"{label} · {name}" if label else name for name in names])
    estimate, variance, slope = (_summed(part, found.stratum) for part in (found.jump, found.variance, found.slope))
    variance += np.einsum("ti,ij,tj->t", slope, fit.variance[np.ix_(fit.columns, fit.columns)], slope)
    error = np.sqrt(variance) if fit.robust is None else np.full(len(estimate), np.nan)
    width = np.exp(special.ndtri(0.5 + conf_level / 2) * error / estimate)
    return pd.DataFrame(
        {
            "estimand": "cumulative hazard",
            "stratum": pd.Series(names, dtype=object),
            "event": model.event,
            "time": found.time,
            "estimate": estimate,
            "conf_low": estimate / width,
            "conf_high": estimate * width,
            "std_error": error,
            "at_risk": sets.at_risk(fit.problem.weight),
            "events": sets.of_events(fit.problem.weight),
            "censored": np.nan,
        }
    )


def _summed(values: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """Cumulative sums within each stratum."""
    total = np.empty_like(values)
    for place in np.unique(stratum):
        total[stratum == place] = np.cumsum(values[stratum == place], axis=0)
    return total
