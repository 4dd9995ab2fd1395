"""What cause-specific models say of one kind of patient: the risk of each event among all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.curves.limits import confidence_limits
from analysis.estimate.curves.ticks import sorted_times
from analysis.estimate.doors import CENSORED, WORDS
from analysis.estimate.hazards.design import columns_of
from analysis.estimate.hazards.models import Model, check_finite
from analysis.estimate.likelihood import Fit, Hazard, hazard, hazard_influence
from analysis.schema import CURVES, SchemaError

# Models of what comes first after the start of a spell; those of a rate over the whole course give no such risk.
_FIRST_EVENT = ("Cox", "PWP gap time")


def predict_incidence(
    models: Mapping[str, Model], at: pd.DataFrame, times: Sequence[float], conf_level: float = 0.95
) -> pd.DataFrame:
    """How likely is each event by the given times, all events competing, for patients with these covariates?

    Risk by cause from cause-specific models: F_k(t) = sum over u <= t of S(u-) (1 - exp(-h)) h_k / h, where h_k is the
    jump of the hazard of cause k for these covariates, h the sum over causes, S(u-) = exp(-sum of h before u). All
    risks and the chance of no event add up to 1. Benichou and Gail 1990; Cheng, Fine and Wei 1998.

    Parameters
    ----------
    models : by event word, the fitted models (`fit_cox`) of every event that occurs, of the same spells
    at : a row per kind of patient, with the variables of the formulas (and of the strata); its index labels the curves
    times : times since line start, in the unit of the spells

    Returns
    -------
    Table CURVES with `note` (estimand "predicted cumulative incidence", stratum = label of the row of `at`). The
    standard error is that of the model by the delta method; where a model was fitted with clusters or fractional
    weights, the infinitesimal jackknife by cluster. Limits: log-log. `at_risk` just before the time, `events` and
    `censored` up to it, among all rows of the stratum. Nothing is said past the last time under observation.
    R: `survfit(coxph(Surv(time, event) ~ terms, id = id), newdata = at)`: pstate (R gives no errors).

    Raises
    ------
    schema.SchemaError
        where an event has no model, models differ in their rows or have no finite estimate, or `at` lacks a variable.
    ValueError
        for a negative or missing time.

    Example
    -------
    >>> from analysis.estimate.hazards import fit_cox
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8, 9, 12], "age": [61, 70, 58, 66, 49, 60],
    ...                        "event": ["relapse", "death", "relapse", "relapse", "death", "censored"]})
    >>> models = {cause: fit_cox(spells, "age", cause) for cause in ("relapse", "death")}
    >>> predict_incidence(models, pd.DataFrame({"age": [65]}, index=["at 65"]), [6])["estimate"].round(3).tolist()
    [0.326, 0.155]
    """
    check_finite(models)
    check_together(models, at, "predict_incidence")
    ticks = sorted_times(times)
    parts = []
    for place in range(len(at)):
        row = at.iloc[[place]]
        course = _course(models, row)
        for cause, model in models.items():
            incidence, error = _incidence(list(models.values()), course, list(models).index(cause), ticks)
            parts.append(_table(model, cause, row, ticks, incidence, error, conf_level))
    return pd.concat(parts, ignore_index=True)


def check_together(models: Mapping[str, Model], at: pd.DataFrame, who: str) -> None:
    """Raise one SchemaError that names every reason why these models cannot predict together."""
    if not models:
        raise SchemaError(f"{who}: expected a model for each event, came none")
    faults = [fault for cause, model in models.items() for fault in _faults_of_one(cause, model, at)]
    first = next(iter(models.values())).data
    for name in ("rows", "cluster", "entry", "weight"):
        if any(not _same(getattr(model.data, name), getattr(first, name)) for model in models.values()):
            faults.append(f"the models differ in their {name}; fit them to the same spells with the same {name}")
    absent = sorted({WORDS[word] for word in first.word if word != WORDS.index(CENSORED)} - set(models))
    if absent:
        faults.append(f"no model for {absent}: the risk of one event depends on all others; fit each")
    if not len(at):
        faults.append("`at` has no rows; give one per kind of patient")
    if not at.index.is_unique:
        faults.append("the index of `at` labels the curves; make it unique")
    if faults:
        raise SchemaError(f"{who}: {len(faults)} fault(s)\n" + "\n".join(f"  - {fault}" for fault in faults))


def _faults_of_one(cause: str, model: Model, at: pd.DataFrame) -> list[str]:
    faults = []
    if model.event != cause:
        faults.append(f"model of {cause!r}: it was fitted to {model.event!r}; name each model by its event")
    if model.kind not in _FIRST_EVENT:
        faults.append(
            f"model of {cause!r}: expected a cause-specific model of what comes first ({' or '.join(_FIRST_EVENT)}), "
            f"came {model.kind}"
        )
    lacking = [name for name in _strata_columns(model) if name not in at.columns]
    return faults + [
        f"column {name!r} is missing in `at`; the model of {cause!r} is stratified by it" for name in lacking
    ]


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return (one is None) == (other is None) and (one is None or np.array_equal(one, other))


def _strata_columns(model: Model) -> list[str]:
    return [name for name in model.data.strata.columns if name != "stratum"]


def _stratum(model: Model, row: pd.DataFrame) -> int:
    """The code of the stratum that a row of covariates belongs to."""
    same = np.ones(len(model.data.strata), dtype=bool)
    for name in _strata_columns(model):
        same &= (model.data.strata[name] == row[name].iloc[0]).to_numpy()
    if not same.any():
        raise SchemaError(
            f"at: no stratum {row[_strata_columns(model)].iloc[0].to_dict()} in the model {model.name!r}; "
            f"it has {model.data.strata['stratum'].tolist()}"
        )
    return int(np.flatnonzero(same)[0])


@dataclass(frozen=True)
class _Course:
    """For one row of covariates: the hazards of all causes (with the cells of its stratum), laid on one grid of times.

    `before` is the chance of no event before each time; of those who have one there, `share` x `jumps` gives each
    cause; `slope` is the derivative of `share` by the sum of the jumps.
    """

    hazards: list[tuple[Hazard, np.ndarray]]
    time: np.ndarray
    jumps: np.ndarray
    before: np.ndarray
    share: np.ndarray
    slope: np.ndarray


def _course(models: Mapping[str, Model], row: pd.DataFrame) -> _Course:
    hazards = []
    for model in models.values():
        found = hazard(model.fit, columns_of(model.data.design, row)[0])
        hazards.append((found, found.stratum == _stratum(model, row)))
    grid = np.unique(np.concatenate([found.time[mine] for found, mine in hazards]))
    jumps = np.zeros((len(hazards), len(grid)))
    for place, (found, mine) in enumerate(hazards):
        jumps[place, np.searchsorted(grid, found.time[mine])] = found.jump[mine]
    total = jumps.sum(axis=0)
    before = np.exp(-(np.cumsum(total) - total))
    return _Course(hazards, grid, jumps, before, *leaving_share(total))


def _incidence(models: list[Model], course: _Course, cause: int, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The incidence of one cause by each of the times, and its standard error."""
    so_far = np.cumsum(course.before * course.share * course.jumps[cause])
    incidence = np.concatenate([[0.0], so_far])[np.searchsorted(course.time, times, side="right")]
    robust = any(model.fit.robust is not None for model in models)
    parts = []
    for place, (model, (found, mine)) in enumerate(zip(models, course.hazards, strict=True)):
        # What one more unit of this hazard at each time does to the incidence: a gain there, less all that follows.
        gain = course.before * (course.share * (place == cause) + course.jumps[cause] * course.slope)
        effect = np.where(course.time[:, None] <= times, gain[:, None] - (incidence - so_far[:, None]), 0.0)
        factors = np.zeros((len(found.time), len(times)))
        factors[mine] = effect[np.searchsorted(course.time, found.time[mine])]
        parts.append((hazard_influence if robust else _model_variance)(model.fit, found, factors))
    together = np.sum(parts, axis=0)
    return incidence, np.sqrt(_by_cluster(models[0], together) if robust else together)


def leaving_share(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(1 - exp(-h)) / h and its derivative, 1 and -1/2 at h = 0."""
    small = total < 1e-5
    h = np.where(small, 1.0, total)
    share = np.where(small, 1 - total / 2, -np.expm1(-h) / h)
    slope = np.where(small, -0.5 + total / 3, (np.exp(-h) * (1 + h) - 1) / h**2)
    return share, slope


def _model_variance(fit: Fit, found: Hazard, factors: np.ndarray) -> np.ndarray:
    """The variance of sums of `factors` times the jumps, by the model."""
    gradient = found.slope.T @ factors
    of_coefficients = np.einsum("ik,ij,jk->k", gradient, fit.variance[np.ix_(fit.columns, fit.columns)], gradient)
    return (factors**2 * found.variance[:, None]).sum(axis=0) + of_coefficients


def _by_cluster(model: Model, influence: np.ndarray) -> np.ndarray:
    if model.data.cluster is not None:
        influence = np.column_stack([np.bincount(model.data.cluster, column) for column in influence.T])
    return (influence**2).sum(axis=0)


def _table(
    model: Model,
    cause: str,
    row: pd.DataFrame,
    times: np.ndarray,
    incidence: np.ndarray,
    error: np.ndarray,
    conf_level: float,
) -> pd.DataFrame:
    data, mine = model.data, model.data.stratum == _stratum(model, row)
    number = np.ones(len(data.time)) if data.weight is None else data.weight
    end = data.time[mine].max(initial=0)
    begin = np.zeros(len(data.time)) if data.entry is None else data.entry
    late = times > end
    low, high = confidence_limits(incidence, error, "log-log", conf_level)
    upto = (data.time[:, None] <= times) & mine[:, None]
    under_watch = ((begin == 0)[:, None] | (begin[:, None] < times)) & (data.time[:, None] >= times) & mine[:, None]
    past = "; ".join([*model.notes, f"nobody was under observation after {end:g}"])
    values = {"estimate": incidence, "conf_low": low, "conf_high": high, "std_error": error}
    frame = pd.DataFrame(
        {
            "estimand": "predicted cumulative incidence",
            "stratum": str(row.index[0]),
            "event": cause,
            "time": times,
            **{name: np.where(late, np.nan, value) for name, value in values.items()},
            "at_risk": number @ under_watch,
            "events": (number * data.had) @ upto,
            "censored": (number * (data.word == WORDS.index(CENSORED))) @ upto,
            "note": pd.Series(np.where(late, past, "; ".join(model.notes)), dtype=object),
        }
    )
    return frame[[*CURVES.names, "note"]]
