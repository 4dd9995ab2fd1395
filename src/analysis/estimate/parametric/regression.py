"""Accelerated failure time: by what factor does a covariate stretch or shorten the time to an event?"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy import special

from analysis.estimate.curves.limits import check_limits
from analysis.estimate.doors import CENSORED
from analysis.estimate.hazards.models import Data, read
from analysis.estimate.hazards.ordinary import frame_for_lifelines
from analysis.estimate.parametric.robust import row_scores, sandwich
from analysis.schema import EFFECTS, SchemaError

# The parameter that the covariates move, and the others, by distribution.
_MOVED = {"weibull": "lambda_", "log-normal": "mu_", "log-logistic": "alpha_", "generalised gamma": "mu_"}
_OTHERS = {"weibull": 1, "log-normal": 1, "log-logistic": 1, "generalised gamma": 2}
# lifelines' own stopping rule leaves the log-likelihood 1e-3 short, and coefficients of the log-logistic 6e-4 off.
_TO_THE_LAST_DIGIT = {"ftol": 1e-14}
_FLAT = 1e-4


def accelerated_failure(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    distribution: str,
    cluster: str | None = None,
    conf_level: float = 0.95,
):
    """By what factor does each term stretch (above 1) or shorten (below 1) the time to the event?

    log T = b'x + s W, with W the error of the distribution: exp(b) is the time ratio, the same for every quantile.
    Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, ch. 3. Other events end the time at
    risk as censoring does: the effect is cause-specific, and the "time" is the one that would run were the others
    absent and unrelated. Cause "any" (time free of every event) needs no such assumption.

    Parameters
    ----------
    spells : table SPELLS; rows count at risk from their `entry` on, where they have one
    terms : formula of covariates, as in `hazards.cox`
    cause : event word, several of them, or "any"
    distribution : "weibull", "log-normal", "log-logistic" or "generalised gamma" (slow: half a minute for 1e4 rows)
    cluster : column of those who may have several rows ("patient_id"): errors are then robust by cluster
    conf_level : level of the Wald limits

    Returns
    -------
    (EFFECTS, fitter): scale "time ratio". The fitter is lifelines' own (`WeibullAFTFitter` ...), fitted with the
    formula, so `predict_median` and `print_summary` serve; its errors are those of independent rows, the table's are
    robust where there are clusters. Without a maximum the estimates are missing, the note says why, and the fitter is
    None. R: `survival::survreg(Surv(time, event == cause) ~ terms, dist, cluster)`; `flexsurv` for the other law and
    for delayed entry.

    Raises
    ------
    schema.SchemaError for faulty spells or terms, an unknown distribution, several rows of a patient without `cluster`.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [90, 50, 45, 20, 31, 12], "line": [1, 1, 2, 2, 3, 3],
    ...                        "event": ["relapse", "relapse", "relapse", "relapse", "death", "relapse"]})
    >>> table, fitter = accelerated_failure(spells, "line", "relapse", "weibull")
    >>> table[["scale", "estimate"]].round(3).values.tolist(), type(fitter).__name__
    ([['time ratio', 0.638]], 'WeibullAFTFitter')
    """
    check_limits("log", conf_level)
    _refuse(spells, distribution, cluster)
    data = read(spells, terms, cause, None, cluster, "entry" if "entry" in spells else None, None)
    time = np.where(data.time > 0, data.time, 0.5).astype(float)
    entry = np.zeros(len(time)) if data.entry is None else data.entry.astype(float)
    why = _cannot(data, distribution)
    fitter, heard = (None, [why]) if why else _fitted(spells, data, terms, time, entry, distribution, conf_level)
    log_estimate, error, flat = _coefficients(fitter, data, time, entry, distribution)
    notes = [*data.notes, _others(spells, data), _at_zero(data), *heard, flat]
    return _table(data, log_estimate, error, cause, distribution, conf_level, notes), fitter


def _refuse(spells: pd.DataFrame, distribution: str, cluster: str | None) -> None:
    faults = []
    if distribution not in _MOVED:
        faults.append(f"distribution: expected one of {list(_MOVED)}, came {distribution!r}")
    if cluster is None and "patient_id" in spells and (again := int(spells["patient_id"].duplicated().sum())):
        faults.append(f"expected one spell per patient, came {again} more; pass cluster='patient_id'")
    if faults:
        raise SchemaError("accelerated_failure: " + "; ".join(faults))


def _cannot(data: Data, distribution: str) -> str:
    """Why there is no estimate; empty when there may be one."""
    events, needed = int(data.had.sum()), len(data.design.names) + 1 + _OTHERS[distribution]
    if events < needed:
        return f"no estimate: {events} events for {needed} parameters"
    matrix = np.column_stack([np.ones(len(data.rows)), data.design.columns])
    size = np.sqrt((matrix**2).sum(axis=0))
    left = np.abs(np.diag(np.linalg.qr(matrix / np.where(size > 0, size, 1), mode="r")))
    idle = [name for name, rest in zip(data.design.names, left[1:], strict=True) if rest < 1e-9]
    return f"no estimate: {', '.join(idle)} constant, or made of the terms before it, in the rows used" if idle else ""


def _others(spells: pd.DataFrame, data: Data) -> str:
    other = (~data.had & (spells["event"].to_numpy(dtype=object)[data.rows] != CENSORED)).any()
    return "other events count as censoring: the effect is cause-specific" if other else ""


def _at_zero(data: Data) -> str:
    zero = int((data.time == 0).sum())
    return f"{zero} rows that ended on their first day put at half a day" if zero else ""


def _fitted(spells, data: Data, terms: str, time, entry, distribution: str, conf_level: float):
    """lifelines' fitter, or None, and what it had to say."""
    import lifelines
    from lifelines.exceptions import ConvergenceError

    kind = {
        "weibull": lifelines.WeibullAFTFitter,
        "log-normal": lifelines.LogNormalAFTFitter,
        "log-logistic": lifelines.LogLogisticAFTFitter,
        "generalised gamma": lifelines.GeneralizedGammaRegressionFitter,
    }[distribution]
    fitter = kind(alpha=1 - conf_level)
    frame = frame_for_lifelines(spells, data, []).assign(time=time, had=data.had)
    late = {"entry_col": "entry"} if entry.any() else {}
    frame = frame.assign(entry=entry) if late else frame
    choices = {"event_col": "had", "fit_options": _TO_THE_LAST_DIGIT, **late}
    if distribution == "generalised gamma":
        choices["regressors"] = {"mu_": terms, "sigma_": "1", "lambda_": "1"}
    else:
        choices["formula"] = terms
    with np.errstate(), warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            fitter.fit(frame, "time", **choices)
        except (ConvergenceError, ValueError, np.linalg.LinAlgError) as error:
            return None, [f"lifelines found no maximum: {first_line(error)}"]
    return fitter, sorted({first_line(warning.message) for warning in heard})


def first_line(message: object) -> str:
    """The first line of a message that has one."""
    return next((line.strip() for line in str(message).splitlines() if line.strip()), type(message).__name__)


def _coefficients(fitter, data: Data, time, entry, distribution: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Coefficients of the terms with their errors, missing where there is no maximum, and what is wrong with it."""
    missing = np.full(len(data.design.names), np.nan)
    if fitter is None:
        return missing, missing, ""
    moved, one = _MOVED[distribution], np.ones((len(data.rows), 1))
    groups = fitter.params_.index.get_level_values(0)
    place = {name.replace("[T.", "["): number for number, name in enumerate(fitter.params_[moved].index)}
    order = [place["Intercept"], *(place[name] for name in data.design.names)]
    matrices = {name: one for name in dict.fromkeys(groups)}
    matrices[moved] = np.column_stack([one, data.design.columns])[:, np.argsort(order)]
    scores = row_scores(fitter, time, data.had, entry, matrices)
    variance, gradient = fitter.variance_matrix_.to_numpy(), scores.sum(axis=0)
    if not (np.isfinite(variance).all() and (np.diag(variance) > 0).all()):
        return missing, missing, "no maximum: the log-likelihood is flat in some direction"
    if not gradient @ variance @ gradient / 2 < _FLAT:
        return missing, missing, "no maximum: the log-likelihood still rises where lifelines stopped"
    if data.cluster is not None:
        variance = sandwich(variance, scores, data.cluster)
    here = np.flatnonzero(groups == moved)[order[1:]]
    return fitter.params_.to_numpy()[here], np.sqrt(np.diag(variance)[here]), ""


def _table(data: Data, log_estimate, error, cause, distribution, conf_level, notes: list[str]) -> pd.DataFrame:
    reach = special.ndtri(0.5 + conf_level / 2) * error
    event = cause if isinstance(cause, str) else " or ".join(cause)
    subjects = len(data.rows) if data.cluster is None else len(np.unique(data.cluster))
    frame = pd.DataFrame(
        {
            "model": f"{distribution}, {event}",
            "term": pd.Series(data.design.names, dtype=object),
            "scale": "time ratio",
            "estimate": np.exp(log_estimate),
            "conf_low": np.exp(log_estimate - reach),
            "conf_high": np.exp(log_estimate + reach),
            "log_estimate": log_estimate,
            "std_error": error,
            "p": 2 * special.ndtr(-np.abs(log_estimate / error)),
            "subjects": float(subjects),
            "events": float(data.had.sum()),
            "note": "; ".join(note for note in notes if note),
        }
    )
    return frame[EFFECTS.names]
