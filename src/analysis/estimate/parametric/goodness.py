"""How well does each law of time fit? Log-likelihood, AIC, BIC, parameters, and the plateau of the cure model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from analysis.estimate.curves.limits import check_limits
from analysis.estimate.doors import CENSORED
from analysis.estimate.hazards.models import Data, read
from analysis.estimate.parametric.distributions import (
    DISTRIBUTIONS,
    PARAMETERS,
    PLATEAU,
    Sample,
    at_edge,
    at_maximum,
    fit_distribution,
)
from analysis.schema import FITS, SchemaError, empty
from analysis.schema import PARAMETERS as PARAMETER_TABLE

FEW_WATCHED = 30


def fits(
    spells: pd.DataFrame,
    cause: str | list[str],
    distributions: tuple[str, ...] = DISTRIBUTIONS,
    conf_level: float = 0.95,
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Which law does the time to the event follow, and is there a plateau of those who never have it?

    Each law is fitted without covariates. AIC = 2 k - 2 log L; BIC = k log d - 2 log L with d the number of events,
    which carry the information of censored times (Volinsky and Raftery 2000, Biometrics). Weibull, log-normal,
    log-logistic; generalised gamma (Prentice 1974; holds Weibull and log-normal); spline of the log cumulative hazard
    in log time, knots at the 0, 33, 67 and 100 % quantiles of the event times (Royston and Parmar 2002, Stat Med);
    mixture cure, S(t) = c + (1 - c) S_Weibull(t) (Boag 1949). Other events count as censoring (cause-specific): a
    plateau of one cause is no share of patients. R: `survreg`, `flexsurvreg`, `flexsurvspline`, `flexsurvcure`.

    Parameters
    ----------
    spells : table SPELLS of one line, one row per patient; rows count at risk from their `entry` on
    cause : event word, several of them, or "any"
    distributions : which laws; equal rows are fitted as one with a weight, which changes nothing but the time it takes
    conf_level : level of the limits

    Returns
    -------
    (FITS, lifelines fitters by distribution). Limits of the plateau are Wald on the logit scale. A law that could not
    be fitted has a row with the reason and no fitter.

    Raises
    ------
    schema.SchemaError for faulty spells, several spells of a patient, an unknown distribution.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [90, 50, 45, 20, 31, 12], "event": ["relapse"] * 5 + ["censored"]})
    >>> table, fitters = fits(spells, "relapse", ("weibull", "log-normal"))
    >>> table[["distribution", "aic_difference"]].round(2).values.tolist(), sorted(fitters)
    ([['weibull', 0.58], ['log-normal', 0.0]], ['log-normal', 'weibull'])
    """
    check_limits("log", conf_level)
    _refuse(spells, distributions)
    data = read(spells, "1", cause, None, None, "entry" if "entry" in spells else None, None)
    sample = _sample(data)
    fitters: dict[str, object] = {}
    wanted = [name for name in DISTRIBUTIONS if name in distributions]
    event = cause if isinstance(cause, str) else " or ".join(cause)
    said = _said(spells, data)
    rows = [_row(sample, name, fitters, event, said, conf_level) for name in _with_starts(wanted)]
    frame = pd.DataFrame([row for row in rows if row["distribution"] in wanted])
    frame = frame.assign(**{f"{name}_difference": frame[name] - frame[name].min() for name in ("aic", "bic")})
    return frame[FITS.names].reset_index(drop=True), {name: fitters[name] for name in wanted if name in fitters}


def _with_starts(wanted: list[str]) -> list[str]:
    """The laws to fit: those that others start from stand first, wanted or not."""
    needed = {"weibull", "log-normal"} if set(wanted) & {"generalised gamma", "spline", "mixture cure"} else set()
    return [name for name in DISTRIBUTIONS if name in needed | set(wanted)]


def _refuse(spells: pd.DataFrame, distributions) -> None:
    faults = []
    if unknown := [name for name in distributions if name not in DISTRIBUTIONS]:
        faults.append(f"distributions: expected some of {list(DISTRIBUTIONS)}, came {unknown}")
    if not len(distributions) or isinstance(distributions, str):
        faults.append(f"distributions: expected a list of names, came {distributions!r}")
    if "patient_id" in spells and (again := int(spells["patient_id"].duplicated().sum())):
        faults.append(f"expected one spell per patient, came {again} more; take one line")
    if faults:
        raise SchemaError("fits: " + "; ".join(faults))


def _sample(data: Data) -> Sample:
    """Equal rows as one with their number; times of 0 at half a day, because these laws have no event at 0."""
    entry = np.zeros(len(data.rows)) if data.entry is None else data.entry.astype(float)
    time = np.where(data.time > 0, data.time, 0.5).astype(float)
    rows, weight = np.unique(np.column_stack([time, entry, data.had]), axis=0, return_counts=True)
    return Sample(rows[:, 0], rows[:, 1], rows[:, 2].astype(bool), weight.astype(float))


def _said(spells: pd.DataFrame, data: Data) -> list[str]:
    """What holds of every row of the table."""
    other = (~data.had & (spells["event"].to_numpy(dtype=object)[data.rows] != CENSORED)).any()
    zero = int((data.time == 0).sum())
    return [
        *data.notes,
        "other events count as censoring: the law is cause-specific" if other else "",
        f"{zero} rows that ended on their first day put at half a day" if zero else "",
    ]


def _row(sample: Sample, name: str, fitters: dict, event: str, said: list[str], conf_level: float) -> dict:
    """One row of FITS; the fitter, where there is one, joins `fitters`."""
    count, events = PARAMETERS[name], sample.events
    fitter, notes, likelihood, converged = None, [], np.nan, False
    if events < count:
        notes = [f"no fit: {events:g} events for {count} parameters"]
    elif name == "spline" and len(np.unique(sample.time[sample.had])) < count:
        notes = [f"no fit: fewer than {count} different event times for the knots"]
    else:
        fitter, notes = fit_distribution(sample, name, fitters, conf_level)
    if fitter is not None:
        fitters[name], likelihood, converged = fitter, fitter.log_likelihood_, at_maximum(fitter, sample)
        if not converged:
            notes = [
                *notes,
                "no maximum: the gradient does not vanish, or a direction is flat, where lifelines stopped",
            ]
    plateau, more = _plateau(fitter, sample, conf_level) if name == "mixture cure" else ((np.nan,) * 3, [])
    return {
        "distribution": name,
        "event": event,
        "parameters": count,
        "log_likelihood": likelihood,
        "aic": 2 * count - 2 * likelihood,
        "bic": count * np.log(events) - 2 * likelihood if events else np.nan,
        **dict(zip(("plateau", "plateau_low", "plateau_high"), plateau, strict=True)),
        "converged": converged,
        "subjects": float(sample.weight.sum()),
        "events": events,
        "note": "; ".join(part for part in (*notes, *more, *said) if part),
    }


def _plateau(fitter, sample: Sample, conf_level: float) -> tuple[tuple[float, float, float], list[str]]:
    """The share that never has the event with its limits, and how far the data go to show it."""
    if fitter is None:
        return (np.nan, np.nan, np.nan), []
    share = float(fitter.cured_fraction_)
    watched = float(sample.weight[sample.time > sample.time[sample.had].max()].sum())
    notes = []
    if watched < FEW_WATCHED:
        notes = [
            f"{watched:g} rows watched past the last event: a plateau is identified by long follow-up only, and here "
            "rests on the form of the model"
        ]
    if at_edge(fitter):
        return (round(share, 6), np.nan, np.nan), ["the plateau is at the edge of what it can be: no limits", *notes]
    error = float(np.sqrt(fitter.variance_matrix_.loc[PLATEAU, PLATEAU]))
    reach = special.ndtri(0.5 + conf_level / 2) * error / (share * (1 - share))
    low, high = special.expit(special.logit(share) + np.array([-reach, reach]))
    return (share, float(low), float(high)), notes


def parameters(fitters: dict[str, object], cause: str | list[str]) -> pd.DataFrame:
    """What are the parameters of each law, with Wald limits? Table PARAMETERS, from the fitters of `fits`.

    Names are lifelines' own. Weibull S = exp(-(t / lambda)^rho); log-normal mu and sigma of log t; log-logistic
    S = 1 / (1 + (t / alpha)^beta). `FITS.converged` says whether the limits may be read. R: `summary(survreg)`, with
    lambda = exp(intercept) and rho = 1 / scale.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [2.0, 4.0, 6.0], "event": "relapse"})
    >>> parameters(fits(spells, "relapse", ["log-normal"])[1], "relapse")["estimate"].round(4).tolist()
    [1.2904, 0.4536]
    """
    event = cause if isinstance(cause, str) else " or ".join(cause)
    frames = []
    for name, fitter in fitters.items():
        with np.errstate(invalid="ignore"):
            error = np.sqrt(np.diag(fitter.variance_matrix_.to_numpy()))
        if at_edge(fitter):
            error = np.where([parameter == PLATEAU for parameter in fitter._fitted_parameter_names], np.nan, error)
        reach = special.ndtri(1 - fitter.alpha / 2) * error
        frames.append(
            pd.DataFrame(
                {
                    "distribution": name,
                    "event": event,
                    "parameter": fitter._fitted_parameter_names,
                    "estimate": fitter._fitted_parameters_,
                    "conf_low": fitter._fitted_parameters_ - reach,
                    "conf_high": fitter._fitted_parameters_ + reach,
                    "std_error": error,
                    "subjects": float(fitter.weights.sum()),
                    "events": float(fitter.weights[fitter.event_observed > 0].sum()),
                }
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else empty(PARAMETER_TABLE)
