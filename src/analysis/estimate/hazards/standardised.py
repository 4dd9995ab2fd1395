"""The whole cohort as if all had one level of a covariate: adjusted curves by standardisation (the g-formula)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import special

from analysis.estimate.curves.limits import confidence_limits
from analysis.estimate.curves.ticks import sorted_times
from analysis.estimate.doors import CENSORED, WORDS
from analysis.estimate.hazards.gformula import Standardised, set_to
from analysis.estimate.hazards.models import Model, check_finite
from analysis.estimate.hazards.prediction import check_together
from analysis.schema import CONTRASTS, CURVES, SchemaError, empty

ESTIMAND = "standardised cumulative incidence"


def standardised_incidence(
    models: Mapping[str, Model],
    spells: pd.DataFrame,
    exposure: str,
    levels: Sequence,
    times: Sequence[float],
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How likely would each event be by the given times, had everybody this level, all else as it is in the cohort?

    The mean over the rows of the models of the incidence that `predict_incidence` gives each row, its `exposure` set to
    the level (g-formula; Robins 1986; Gran et al. 2010). Read as an effect of the exposure only where the other terms
    of the models are all that it shares with the event; otherwise an adjusted description.

    Parameters
    ----------
    models : by event word, the fitted models (`fit_cox`) of every event that occurs, of the same spells
    spells : the spells that the models were fitted to
    exposure : the variable of the formulas that is set; it may not be a stratum
    levels : the values it is set to, one curve per event each
    times : times since line start, in the unit of the spells

    Returns
    -------
    Table CURVES with `note` (stratum "exposure = level"). Errors are the infinitesimal jackknife by cluster (or row)
    over coefficients, baseline hazards and the covariates of the cohort: right whether the models hold or not. Limits:
    log-log. `at_risk`, `events` and `censored` are those of all rows: everybody stands for each level.
    R: `riskRegression::ate(CSC(...), treatment, cause, times)` without its product limit.

    Raises
    ------
    schema.SchemaError
        where models cannot go together (as in `predict_incidence`), are weighted, do not hold the exposure, or were
        fitted to other spells, or a level is unknown to them.

    Example
    -------
    >>> from analysis.estimate.hazards import fit_cox
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8, 9, 12], "high": [1.0, 0, 1, 0, 1, 0],
    ...                        "event": ["relapse", "death", "relapse", "relapse", "death", "censored"]})
    >>> models = {cause: fit_cox(spells, "high", cause) for cause in ("relapse", "death")}
    >>> standardised_incidence(models, spells, "high", [0, 1], [6])["estimate"].round(3).tolist()
    [0.171, 0.146, 0.418, 0.135]
    """
    ticks, found = _all(models, spells, exposure, levels, times)
    parts = [_curve(models[cause], one, ticks, conf_level) for (_, cause), one in found.items()]
    return pd.concat(parts, ignore_index=True)


def standardised_difference(
    models: Mapping[str, Model],
    spells: pd.DataFrame,
    exposure: str,
    levels: Sequence,
    times: Sequence[float],
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """By how much would the risk of each event differ, had everybody one level and not the first one?

    Returns the table CONTRASTS: each further level less the first, per event and time, with Wald limits; errors from
    the same influences as in `standardised_incidence`, so what both curves share cancels. Parameters, errors: as there.

    Example
    -------
    >>> from analysis.estimate.hazards import fit_cox
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8, 9, 12], "high": [1.0, 0, 1, 0, 1, 0],
    ...                        "event": ["relapse", "death", "relapse", "relapse", "death", "censored"]})
    >>> models = {cause: fit_cox(spells, "high", cause) for cause in ("relapse", "death")}
    >>> standardised_difference(models, spells, "high", [0, 1], [6])["estimate"].round(3).tolist()
    [0.247, -0.011]
    """
    ticks, found = _all(models, spells, exposure, levels, times)
    frames = [
        _contrast(models[cause], one, found[levels[0], cause], ticks, conf_level, exposure)
        for (level, cause), one in found.items()
        if level != levels[0]
    ]
    return pd.concat(frames, ignore_index=True) if frames else empty(CONTRASTS)


def _all(models, spells, exposure, levels, times) -> tuple[np.ndarray, dict[tuple, Standardised]]:
    check_finite(models)
    _check(models, spells, exposure, levels)
    ticks = sorted_times(times)
    rows = spells.iloc[next(iter(models.values())).data.rows]
    found = {}
    for level in levels:
        for cause, one in set_to(models, rows.assign(**{exposure: level}), f"{exposure} = {level}", ticks).items():
            found[level, cause] = one
    return ticks, found


def _check(models: Mapping[str, Model], spells: pd.DataFrame, exposure: str, levels: Sequence) -> None:
    faults = []
    first = next(iter(models.values())).data if models else None
    if first is not None and (len(first.rows) and first.rows.max() >= len(spells)):
        faults.append(f"the models hold row {first.rows.max()}, the spells have {len(spells)}; give those of the fit")
    elif first is not None and not np.array_equal(spells["time"].to_numpy()[first.rows], first.time):
        faults.append("the times of the spells are not those of the models; give the spells of the fit")
    if not len(levels) or len(set(levels)) < len(levels):
        faults.append(f"levels: expected one or more different values, came {list(levels)}")
    for cause, model in models.items():
        if model.data.weight is not None:
            faults.append(f"model of {cause!r}: expected a model without weights; standardisation weighs by itself")
    has = set().union(*(_names(model) for model in models.values())) if models else set()
    if models and exposure not in has:
        faults.append(
            f"exposure {exposure!r}: in none of the models, which have {sorted(has)}; add it to the formula (a stratum "
            "cannot be set)"
        )
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise SchemaError(f"standardised: {len(faults)} fault(s)\n{listing}")
    check_together(models, spells.iloc[:1].reset_index(drop=True), "standardised")


def _names(model: Model) -> set[str]:
    return {str(name) for name in model.data.design.spec.required_variables}


def _error(model: Model, influence: np.ndarray) -> np.ndarray:
    if model.data.cluster is not None:
        influence = np.column_stack([np.bincount(model.data.cluster, column) for column in influence.T])
    return np.sqrt((influence**2).sum(axis=0))


def _subjects(model: Model) -> float:
    return float(len(model.data.rows) if model.data.cluster is None else len(np.unique(model.data.cluster)))


def _upto(model: Model, ticks: np.ndarray, flag: np.ndarray) -> np.ndarray:
    return (flag[:, None] & (model.data.time[:, None] <= ticks)).sum(axis=0).astype(float)


def _curve(model: Model, one: Standardised, ticks: np.ndarray, conf_level: float) -> pd.DataFrame:
    data, error = model.data, _error(model, one.influence)
    low, high = confidence_limits(one.estimate, error, "log-log", conf_level)
    late = ticks > data.time.max(initial=0)
    begin = np.zeros(len(data.time)) if data.entry is None else data.entry
    watched = ((begin == 0)[:, None] | (begin[:, None] < ticks)) & (data.time[:, None] >= ticks)
    values = {"estimate": one.estimate, "conf_low": low, "conf_high": high, "std_error": error}
    frame = pd.DataFrame(
        {
            "estimand": ESTIMAND,
            "stratum": one.label,
            "event": model.event,
            "time": ticks,
            **{name: np.where(late, np.nan, value) for name, value in values.items()},
            "at_risk": watched.sum(axis=0).astype(float),
            "events": _upto(model, ticks, data.had),
            "censored": _upto(model, ticks, data.word == WORDS.index(CENSORED)),
            "note": "; ".join(model.notes),
        }
    )
    return frame[[*CURVES.names, "note"]]


def _contrast(
    model: Model, one: Standardised, base: Standardised, ticks: np.ndarray, conf_level: float, exposure: str
) -> pd.DataFrame:
    error, estimate = _error(model, one.influence - base.influence), one.estimate - base.estimate
    reach = special.ndtri(0.5 + conf_level / 2) * error
    values = {
        "estimate": estimate,
        "conf_low": estimate - reach,
        "conf_high": estimate + reach,
        "std_error": error,
        "p": 2 * special.ndtr(-np.abs(estimate / error)),
    }
    late = ticks > model.data.time.max(initial=0)
    unmodelled = exposure not in _names(model)  # its risk moves only because the other events' do: no answer
    notes = [*model.notes, f"not told: {exposure} is not in the model of this event"] if unmodelled else model.notes
    return pd.DataFrame(
        {
            "estimand": ESTIMAND,
            "stratum": one.label,
            "reference": base.label,
            "event": model.event,
            "time": ticks,
            **{name: np.where(late | unmodelled, np.nan, value) for name, value in values.items()},
            "subjects": _subjects(model),
            "events": _upto(model, ticks, model.data.had),
            "note": "; ".join(notes),
        }
    )
