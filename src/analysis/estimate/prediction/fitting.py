"""Fitting: a Pipeline for the hazard of the event in question and one for that of all other events together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimate.likelihood.threads import one_thread
from analysis.estimate.prediction.pipelines import (
    BOOSTING,
    BOOSTING_ROWS,
    COX,
    MODELS,
    SETTINGS,
    SMALL_RIDGE,
    STAGES,
    TREES,
    pipeline,
    predictors_of,
)
from analysis.estimate.prediction.reading import CAUSE, COMPETING, FEWEST_EVENTS, OTHER, Lines, raise_all, read
from analysis.estimate.prediction.risks import joint_risk
from analysis.estimate.prediction.weights import known_weights
from analysis.schema import DAYS_PER_MONTH

EVENTS_PER_TERM = 10
Fitted = tuple[Any, list[str]]  # the Pipeline of one hazard, None where no event was seen; what must be said of it
_GRID_DAYS = DAYS_PER_MONTH / 4  # about a week, and every whole month lies on it


@dataclass(frozen=True)
class Plan:
    """What is predicted from what, and how models are fitted.

    predictors : columns known at the start of the line
    cause : the event in question, "relapse" or "next_line"; every other event competes
    horizons_months : times since line start by which the event may come; follow-up is stopped at the last one
    stage : the column with the published stage, for the models that are to be beaten
    training_patients : the most patients that a model is fitted to, drawn at random; None for all
    trees, inner_folds : trees of a forest; folds within a training set in which settings are chosen
    seed, jobs : of all that is drawn at random; threads of the forests, which change no result
    """

    predictors: Sequence[str]
    cause: str = "relapse"
    horizons_months: Sequence[float] = (3, 6, 9, 12, 15, 18, 21, 24)
    stage: str = "iss"
    training_patients: int | None = None
    trees: int = 100
    inner_folds: int = 3
    seed: int = 2026
    jobs: int = 1

    @property
    def horizons_days(self) -> np.ndarray:
        """The horizons in days."""
        return np.asarray(self.horizons_months, dtype=float) * DAYS_PER_MONTH


def fitted(frame: pd.DataFrame, model: str, plan: Plan) -> dict[str, Any]:
    """The model itself, fitted to all lines: scikit-learn Pipelines that end in scikit-survival estimators.

    Returns a dict of two Pipelines: under the cause that of its cause-specific hazard, under "competing" that of all
    other events together (left out when there are none). The second is a ridge Cox model for every learner, which
    halves the cost; for the stage models it reads the same columns as the first. `risk` puts the two together.
    Follow-up is stopped at the longest horizon (stopped Cox, van Houwelingen and Putter 2015, Lifetime Data Anal):
    later events do not bend the coefficients of the first years, and no risk past it can be had.

    Raises
    ------
    schema.SchemaError
        naming every fault of the frame and of the plan, see `out_of_fold`.

    Example
    -------
    >>> chance = np.random.default_rng(1)
    >>> stage, word = chance.choice(["I", "III"], 300), chance.choice(["relapse", "death", "censored"], 300)
    >>> days = chance.exponential(np.where(stage == "I", 900, 300)).round()
    >>> frame = pd.DataFrame({"patient_id": np.arange(300).astype(str), "line": 1, "time": days, "event": word})
    >>> models = fitted(frame.assign(iss=stage), "cox", Plan(["iss"], horizons_months=[12]))
    >>> list(models), type(models["relapse"].named_steps["model"]).__name__
    (['relapse', 'competing'], 'CoxPHSurvivalAnalysis')
    """
    return fit(model, planned(frame, [model], plan), plan, 0)[0]


def planned(frame: pd.DataFrame, models: Sequence[str], plan: Plan) -> Lines:
    """The lines read; every fault of the frame and of the plan at once."""
    smallest = {"trees": 1, "inner_folds": 2, "jobs": 1, "training_patients": FEWEST_EVENTS}
    faults = [
        f"{name}: expected at least {least}, came {came}"
        for name, least in smallest.items()
        if (came := getattr(plan, name)) is not None and came < least
    ]
    unknown = [name for name in models if name not in MODELS]
    if unknown or not models:
        faults.append(f"models: expected some of {list(MODELS)}, came {list(models)}; use these names")
    raise_all(faults)
    needed = [name for model in models for name in predictors_of(model, list(plan.predictors), plan.stage)]
    lines = read(frame, list(dict.fromkeys(needed)), plan.cause, plan.horizons_months)
    blind = [m for m in models if not set(predictors_of(m, list(plan.predictors), plan.stage)) & set(lines.predictors)]
    raise_all([f"model {name!r}: no predictor of it tells patients apart; leave it out" for name in blind])
    return lines


def fit(
    model: str, lines: Lines, plan: Plan, place: int, others: dict[tuple, Fitted] | None = None
) -> tuple[dict[str, Any], str]:
    """The two Pipelines of a model fitted to these lines, and what must be said of the fit.

    `place` numbers the training set, so that each has random numbers of its own whatever is fitted before it. `others`
    keeps the hazards of the competing events between the models of one training set, of which many have the same.
    """
    others = {} if others is None else others
    if plan.training_patients is not None:
        lines = lines.part(sampled(lines, plan.training_patients, np.random.default_rng([plan.seed, place])))
    settings = SETTINGS.get(model, ({},))
    if len(settings) > 1:
        losses = _inner_losses(model, settings, lines, plan, place, others)
        settings = [settings[int(np.argmin(losses))]]
    event, notes = _fit_one(model, settings[0], lines, CAUSE, plan, place)
    other, said = _other(model if model in STAGES else COX, lines, plan, place, others, "whole")
    notes += [f"competing events: {note}" for note in said]
    return _both(plan, event, other), "; ".join(notes)


def sampled(lines: Lines, patients: int, chance: np.random.Generator) -> np.ndarray:
    """The places of all lines of this many patients drawn at random, of all where there are no more.

    A smaller number drawn with the same chance is part of a larger one.
    """
    patient = lines.patient
    return np.flatnonzero(np.isin(patient, chance.permutation(patient.max(initial=-1) + 1)[:patients]))


def grouped_folds(lines: Lines, folds: int, chance: np.random.Generator) -> np.ndarray:
    """The fold of each line, 0 to `folds` - 1: all lines of a patient in one, patients dealt at random."""
    patient = lines.patient
    return (chance.permutation(patient.max(initial=-1) + 1) % folds)[patient]


def _both(plan: Plan, event: Any, other: Any) -> dict[str, Any]:
    return {plan.cause: event, **({} if other is None else {COMPETING: other})}


def _other(model: str, lines: Lines, plan: Plan, place: int, others: dict[tuple, Fitted], part: object) -> Fitted:
    """The hazard of the competing events in this part of the training set, fitted once."""
    if (model, part) not in others:
        others[model, part] = _fit_one(model, {}, lines, OTHER, plan, place)
    return others[model, part]


def _fit_one(model: str, setting: dict[str, Any], lines: Lines, status: int, plan: Plan, place: int) -> Fitted:
    """The Pipeline of one hazard and what must be said of it; None where no such event was seen."""
    from sksurv.util import Surv

    notes = []
    if model == BOOSTING and len(lines.keys) > BOOSTING_ROWS:
        number = int((lines.patient.max() + 1) * BOOSTING_ROWS / len(lines.keys))
        lines = lines.part(sampled(lines, number, np.random.default_rng([plan.seed, place, 1])))
        notes.append(
            f"fitted to about {BOOSTING_ROWS} of the training lines: its cost grows with the square of the rows"
        )
    names = [name for name in predictors_of(model, list(plan.predictors), plan.stage) if name in lines.predictors]
    columns, end = lines.predictors[names], plan.horizons_days[-1]
    had = (lines.status == status) & (lines.time <= end)
    time = coarse(np.minimum(lines.time, end)) if model in TREES else np.minimum(lines.time, end)
    if not had.any():  # scikit-survival refuses it; the hazard of what never happens is 0
        return None, notes
    if all(columns[name].nunique(dropna=False) < 2 for name in columns):
        raise_all([f"model {model!r}: in a training set no predictor of it tells patients apart; leave it out"])
    ridge, said = _ridge(columns, int(had.sum())) if model == COX or model in STAGES else (SMALL_RIDGE, [])
    outcome = Surv.from_arrays(had, time)
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all coefficients shrunk to 0 is an answer, not a fault
        while True:
            made = pipeline(model, columns, setting, ridge, plan.trees, plan.seed + place, plan.jobs)
            try:
                return made.fit(columns, outcome), notes + said
            except ArithmeticError:  # Coxnet where a coefficient runs away: a larger penalty holds it
                if "alphas" not in setting or setting["alphas"][0] >= 1:
                    raise
                setting = {"alphas": [10 * setting["alphas"][0]]}
                said = [f"the penalty was raised to {setting['alphas'][0]:g}, with less a coefficient runs away"]


def coarse(time: np.ndarray) -> np.ndarray:
    """Times moved up to the next quarter of a month; trees cost and weigh in proportion to their distinct times."""
    return np.maximum(np.ceil(time / _GRID_DAYS - 1e-9), 1) * _GRID_DAYS


def _ridge(columns: pd.DataFrame, events: int) -> tuple[float, list[str]]:
    """The ridge penalty: small with ten events per term, else that of a linear predictor of a variance of one half.

    With p standardised terms of prior variance 0.5 / p the whole has a variance of one half, which is a C of about
    0.7: all that a clinical model can be expected to tell. The penalty of that prior is 2 p.
    """
    terms = sum(
        max(columns[name].nunique(dropna=False) - 1, 0)
        if columns[name].dtype == object
        else 1 + int(columns[name].isna().any())
        for name in columns
    )
    if events >= EVENTS_PER_TERM * terms:
        return SMALL_RIDGE, []
    return 2.0 * terms, [f"fewer than {EVENTS_PER_TERM} events for each of its {terms} terms: shrunk by a ridge"]


def _inner_losses(
    model: str,
    settings: Sequence[dict[str, Any]],
    lines: Lines,
    plan: Plan,
    place: int,
    others: dict[tuple, Fitted],
) -> np.ndarray:
    """The Brier score of each setting, summed over the horizons, in inner folds of whole patients."""
    part = grouped_folds(lines, plan.inner_folds, np.random.default_rng([plan.seed, place, 2]))
    plan = replace(plan, trees=max(plan.trees // 4, min(plan.trees, 10)))  # enough to choose between two settings
    horizons, losses = plan.horizons_days, np.zeros(len(settings))
    for fold in range(plan.inner_folds):
        inside, outside = lines.part(np.flatnonzero(part != fold)), lines.part(np.flatnonzero(part == fold))
        weight = known_weights(outside.time, outside.status, horizons)
        had = (outside.status == CAUSE)[:, None] & (outside.time[:, None] <= horizons)
        other, _ = _other(COX, inside, plan, place, others, fold)
        for number, setting in enumerate(settings):
            models = _both(plan, _fit_one(model, setting, inside, CAUSE, plan, place)[0], other)
            losses[number] += (weight * (had - joint_risk(models, outside.predictors, horizons)) ** 2).sum()
    return losses
