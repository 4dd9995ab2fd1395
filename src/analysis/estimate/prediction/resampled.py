"""Predictions side by side, and the patients drawn again and again: what all scores with limits have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import schema
from analysis.estimate.doors import CENSORED
from analysis.estimate.prediction.reading import CAUSE, NONE, OTHER, raise_all
from analysis.estimate.prediction.weights import Sample, line_groups, sample
from analysis.schema import DAYS_PER_MONTH

_COLUMNS_AT_ONCE = 50  # resamples computed together; more would not fit the cache


@dataclass(frozen=True)
class Wide:
    """One row per line: what happened to it, and `risk` (lines, models, horizons)."""

    patient: np.ndarray
    time: np.ndarray
    status: np.ndarray
    group: np.ndarray
    models: tuple[str, ...]
    horizons: np.ndarray  # months
    risk: np.ndarray
    notes: dict[str, str]

    @property
    def days(self) -> np.ndarray:
        """The horizons in days."""
        return self.horizons * DAYS_PER_MONTH

    def counts(self, horizon_days: float) -> dict[str, float]:
        """Lines, patients and events by the horizon."""
        events = ((self.status == CAUSE) & (self.time <= horizon_days)).sum()
        return {
            "lines": float(len(self.time)),
            "patients": float(len(np.unique(self.patient))),
            "events": float(events),
        }

    def samples(self, resamples: int, seed: int) -> Iterator[Sample]:
        """The lines as they are, then with patients drawn again with replacement, some columns at a time."""
        yield sample(self.time, self.status, self.group, np.ones((len(self.time), 1)))
        chance = np.random.default_rng(seed)
        patients = int(self.patient.max(initial=-1)) + 1
        for start in range(0, resamples, _COLUMNS_AT_ONCE):
            number = min(_COLUMNS_AT_ONCE, resamples - start)
            drawn = [np.bincount(chance.integers(patients, size=patients), minlength=patients) for _ in range(number)]
            yield sample(self.time, self.status, self.group, np.column_stack(drawn)[self.patient].astype(float))


def wide(predictions: pd.DataFrame, cause: str, horizons_months: Sequence[float] | None = None) -> Wide:
    """The predictions with the models side by side; every model must have every line and horizon.

    Raises
    ------
    schema.SchemaError
        when the frame does not fit PREDICTIONS, a model lacks lines, or a horizon is not in the frame.
    """
    schema.check(predictions, schema.PREDICTIONS)
    there = sorted(predictions["horizon_months"].unique())
    faults = [
        f"horizon {h:g} months is not in the predictions; they have {there}"
        for h in horizons_months or []
        if h not in there
    ]
    models = tuple(predictions["model"].astype(object).unique())
    # As plain words: the categories of two frames put together need not stand in one order.
    keys = predictions[["patient_id", "line", "horizon_months"]].astype({"patient_id": object})
    code, lines = pd.factorize(pd.MultiIndex.from_frame(keys[["patient_id", "line"]]), sort=True)
    horizon = np.searchsorted(there, keys["horizon_months"])
    model = pd.Categorical(predictions["model"].astype(object), categories=models).codes
    risk = np.full((len(lines), len(models), len(there)), np.nan)
    risk[code, model, horizon] = predictions["risk"].to_numpy(float)
    lacking = np.isnan(risk).any(axis=(0, 2))
    faults += [
        f"model {name!r} has no risk for some lines or horizons; score models on the same lines"
        for name, lacks in zip(models, lacking, strict=True)
        if lacks
    ]
    events = set(predictions["event"].unique()) - {CENSORED}
    if cause not in schema.SPELLS["event"].words or cause == CENSORED:
        faults.append(f"cause: expected an event word, came {cause!r}; the predictions have {sorted(events)}")
    raise_all(faults)
    first = np.unique(code, return_index=True)[1]
    time, word = predictions["time"].to_numpy(float)[first], predictions["event"].astype(object).to_numpy()[first]
    status = np.where(word == cause, CAUSE, np.where(word == CENSORED, NONE, OTHER))
    number = lines.get_level_values(1).to_numpy()
    group = line_groups(number, time, there[-1] * DAYS_PER_MONTH)
    noted = predictions[["model", "note"]].astype(object).drop_duplicates()
    notes = {name: "; ".join(filter(None, part)) for name, part in noted.groupby("model")["note"]}
    patient = pd.factorize(lines.get_level_values(0), sort=True)[0]
    return Wide(patient, time, status, group, models, np.asarray(there, dtype=float), risk, notes)


def limits_of(values: np.ndarray, conf_level: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentile limits over the last axis, whose first place is the estimate itself; missing where any is missing."""
    if values.shape[-1] == 1:
        return np.full(values.shape[:-1], np.nan), np.full(values.shape[:-1], np.nan)
    tail = (1 - conf_level) / 2
    low, high = np.quantile(values[..., 1:], [tail, 1 - tail], axis=-1)
    return low, high
