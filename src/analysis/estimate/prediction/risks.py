"""The risk of one event in the presence of others, from the cumulative hazards of the two Pipelines of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimate.likelihood.threads import one_thread
from analysis.estimate.prediction.reading import COMPETING, plain_predictors, raise_all

_ROWS_AT_ONCE = 2_000


def risk(models: Mapping[str, Any], frame: pd.DataFrame, times_days: Sequence[float]) -> np.ndarray:
    """How likely is the event by each time, other events competing, for each row of the frame?

    F(t | x) = sum over u <= t of S(u-) (1 - exp(-h(u))) h_cause(u) / h(u), with h the sum of the two hazards' jumps at
    u and S = exp(-their cumulative sum), so that the incidences of all events and S add up to 1. Benichou and Gail
    (1990), Biometrics. R: `riskRegression::CSC` with `surv.type = "hazard"` and its `predict`.

    Parameters
    ----------
    models : what `fitted` returned
    frame : one row per line with the predictors of the models; missing values allowed; other columns are not read
    times_days : times since the start of the line, up to the longest horizon that the models were fitted for

    Returns an array with one row per line and one column per time.

    Raises
    ------
    schema.SchemaError
        naming every predictor that is absent, infinite or of another kind than in training.

    Example
    -------
    >>> from analysis.estimate.prediction import Plan, fitted
    >>> chance = np.random.default_rng(1)
    >>> stage, word = chance.choice(["I", "III"], 300), chance.choice(["relapse", "death", "censored"], 300)
    >>> days = chance.exponential(np.where(stage == "I", 900, 300)).round()
    >>> frame = pd.DataFrame({"patient_id": np.arange(300).astype(str), "line": 1, "time": days, "event": word})
    >>> models = fitted(frame.assign(iss=stage), "stage", Plan(["iss"], horizons_months=[12]))
    >>> risk(models, pd.DataFrame({"iss": ["I", "III"]}), [365.25]).round(2).tolist()
    [[0.08], [0.28]]
    """
    names = list(dict.fromkeys(name for one in models.values() for name in one.feature_names_in_))
    raise_all([f"predictor {name!r} is missing; the frame has {list(frame)}" for name in names if name not in frame])
    plain, faults = plain_predictors(frame, names)
    trained = {name for one in models.values() for name in _words(one)}
    faults += [
        f"predictor {name!r}: expected {'words' if name in trained else 'numbers'} as in training"
        for name in plain
        if plain[name].notna().any() and (plain[name].dtype == object) != (name in trained)
    ]
    raise_all(faults)
    for name in trained:
        plain[name] = plain[name].astype(object)
    return joint_risk(models, plain, np.asarray(times_days, dtype=float))


def joint_risk(models: Mapping[str, Any], plain: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    """The risk of each row by each time, from predictors that are plain already; by parts, to bound the memory."""
    cause = next(name for name in models if name != COMPETING)
    result = np.zeros((len(plain), len(times)))
    for start in range(0, len(plain), _ROWS_AT_ONCE):
        rows = plain.iloc[start : start + _ROWS_AT_ONCE]
        event, other = (_hazard(models.get(name), rows) for name in (cause, COMPETING))
        result[start : start + len(rows)] = incidence(event, other, times)
    return result


def incidence(
    event: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray], times: np.ndarray
) -> np.ndarray:
    """The incidence of the event by each time; each hazard is its times and the jumps there, a row per subject."""
    grid = np.union1d(event[0], other[0])
    jumps = np.zeros((2, len(event[1]), len(grid)))
    for place, (own, steps) in enumerate((event, other)):
        jumps[place][:, np.searchsorted(grid, own)] = steps
    total = jumps.sum(axis=0)
    before = np.exp(-(np.cumsum(total, axis=1) - total))
    leaving = np.divide(-np.expm1(-total), total, out=np.ones_like(total), where=total > 0)
    so_far = np.cumsum(before * leaving * jumps[0], axis=1)
    so_far = np.column_stack([np.zeros(len(so_far)), so_far])
    return np.clip(so_far[:, np.searchsorted(grid, times, side="right")], 0.0, 1.0)


def _hazard(model, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The times of one Pipeline and the jumps of each row's cumulative hazard there; none for no Pipeline."""
    if model is None:
        return np.zeros(0), np.zeros((len(rows), 0))
    with one_thread():
        sums = model.predict_cumulative_hazard_function(rows[list(model.feature_names_in_)], return_array=True)
    # The forests' averages may fall by a rounding error; a cumulative hazard does not.
    return np.asarray(model.named_steps["model"].unique_times_), np.maximum(np.diff(sums, axis=1, prepend=0.0), 0.0)


def _words(model) -> list[str]:
    """The predictors that a Pipeline knows as words."""
    return [name for kind, _, names in model.named_steps["columns"].transformers_ if kind == "words" for name in names]
