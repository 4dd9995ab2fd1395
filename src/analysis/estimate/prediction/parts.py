"""Scores of parts: in kinds of patients, and with fewer patients to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis import schema
from analysis.estimate.prediction.fitting import Plan, grouped_folds, planned, sampled
from analysis.estimate.prediction.pipelines import COX, STAGE
from analysis.estimate.prediction.reading import longest_horizon_months, raise_all
from analysis.estimate.prediction.scores import scores
from analysis.estimate.prediction.validation import Progress, predicted


def subgroups(
    predictions: pd.DataFrame,
    frame: pd.DataFrame,
    by: Sequence[str],
    horizons_months: Sequence[float] = (12, 24),
    cause: str = "relapse",
    against: str = STAGE,
    fewest_patients: int = 50,
    resamples: int = 200,
    seed: int = 2026,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Is each model as good in each kind of patient?

    Parameters
    ----------
    predictions : table PREDICTIONS
    frame : the frame that was predicted from, or any with patient_id, line and the columns of `by`
    by : columns of words or flags; missing values make the level "unknown"
    fewest_patients : with fewer patients, or fewer than 20 events, a group has counts and no estimate

    Returns
    -------
    Table SUBGROUP_SCORES: `scores` within each level, limits and all.

    Example
    -------
    >>> days, word = [100.0, 300.0, 500.0, 900.0] * 20, ["relapse", "death", "relapse", "censored"] * 20
    >>> rows = {"patient_id": [f"p{i}" for i in range(80)], "line": 1, "time": days, "event": word, "note": ""}
    >>> risks = pd.DataFrame({**rows, "model": "m", "risk": [0.9, 0.2, 0.9, 0.2] * 20, "fold": "1"})
    >>> risks["horizon_months"] = 24.0
    >>> kinds = pd.DataFrame({"patient_id": rows["patient_id"], "line": 1, "sex": ["male"] * 60 + ["female"] * 20})
    >>> found = subgroups(risks, kinds, ["sex"], [24], against="m", resamples=0)
    >>> found.loc[found["measure"] == "AUC", ["level", "estimate", "patients"]].values.tolist()
    [['female', nan, 20.0], ['male', 1.0, 60.0]]
    """
    absent = [name for name in ["patient_id", "line", *by] if name not in frame]
    raise_all([f"column {name!r} is missing; the frame has {list(frame)}" for name in absent])
    levels = frame[["patient_id", "line"]].astype({"patient_id": object})
    parts = []
    for name in by:
        values = frame[name].astype(object).where(frame[name].notna(), "unknown")
        level = predictions[["patient_id", "line"]].astype({"patient_id": object})
        level = level.merge(levels.assign(level=values.astype(str)), on=["patient_id", "line"], how="left")["level"]
        level = level.fillna("unknown").to_numpy()
        for one in np.unique(level):
            own = predictions[level == one].reset_index(drop=True)
            few = own["patient_id"].nunique() < fewest_patients
            found = scores(own, horizons_months, cause, against, 0 if few else resamples, seed, conf_level)
            parts.append(_counts_only(found, fewest_patients) if few else found)
            parts[-1] = parts[-1].assign(variable=name, level=one)
    result = pd.concat(parts, ignore_index=True) if parts else schema.empty(schema.SUBGROUP_SCORES)
    return schema.check(result[schema.SUBGROUP_SCORES.names], schema.SUBGROUP_SCORES)


def learning_curve(
    frame: pd.DataFrame,
    plan: Plan,
    models: Sequence[str] = (STAGE, COX),
    training_patients: Sequence[int] = (250, 500, 1000),
    horizons_months: Sequence[float] = (12, 24),
    against: str = STAGE,
    resamples: int = 200,
    conf_level: float = 0.95,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """What would more patients to learn from bring?

    One third of the patients, drawn at random, is the test for all sizes; the training patients of a smaller size are
    part of those of a larger one. Sizes above what is there are left out; the largest there is comes last.

    Returns table LEARNING: `scores` at each size, with limits for the chance in the test patients.

    Example
    -------
    >>> chance = np.random.default_rng(1)
    >>> stage, word = chance.choice(["I", "III"], 400), chance.choice(["relapse", "death", "censored"], 400)
    >>> days = chance.exponential(np.where(stage == "I", 900, 300)).round()
    >>> frame = pd.DataFrame({"patient_id": np.arange(400).astype(str), "line": 1, "time": days, "event": word})
    >>> plan = Plan(["iss"], horizons_months=[12])
    >>> found = learning_curve(frame.assign(iss=stage), plan, ["stage"], [150, 500], [12], resamples=0)
    >>> found["training_patients"].unique().tolist()
    [150, 266]
    """
    lines = planned(frame, models, replace(plan, training_patients=None))
    part = grouped_folds(lines, 3, np.random.default_rng([plan.seed]))
    train, test = np.flatnonzero(part != 0), np.flatnonzero(part == 0)
    longest = longest_horizon_months(lines.time[test])
    if plan.horizons_months[-1] > longest:
        raise_all([f"horizons_months: the longest allowed for the third of patients that is the test is {longest:g}"])
    there = int(lines.keys["patient_id"].iloc[train].nunique())
    sizes = sorted({int(size) for size in training_patients if size < there})
    if max(training_patients, default=0) >= there:
        sizes.append(there)
    if not sizes or sizes[0] < 1:
        raise_all([f"training_patients: expected numbers of patients, at least 1, came {list(training_patients)}"])
    parts = []
    for size in sizes:
        rows = train[sampled(lines.part(train), size, np.random.default_rng([plan.seed, 0]))]
        found = predicted(lines, replace(plan, training_patients=None), models, [(str(size), rows, test)], progress)
        found = scores(found, horizons_months, plan.cause, against, resamples, plan.seed, conf_level)
        parts.append(found.assign(training_patients=size))
    return schema.check(pd.concat(parts, ignore_index=True)[schema.LEARNING.names], schema.LEARNING)


def _counts_only(found: pd.DataFrame, fewest_patients: int) -> pd.DataFrame:
    numbers = ["estimate", "conf_low", "conf_high", "difference", "difference_low", "difference_high"]
    note = f"fewer than {fewest_patients} patients: counts only"
    return found.assign(**dict.fromkeys(numbers, np.nan), verdict="", against="", note=note)
