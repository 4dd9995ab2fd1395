"""Risks for patients that a model has not seen, and for those it has: the long frame PREDICTIONS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis import schema
from analysis.estimate.curves import aalen_johansen
from analysis.estimate.prediction.fitting import Plan, fit, grouped_folds, planned, sampled
from analysis.estimate.prediction.pipelines import MODELS
from analysis.estimate.prediction.reading import CAUSE, FEWEST_EVENTS, Lines, longest_horizon_months, raise_all
from analysis.estimate.prediction.risks import joint_risk

NULL = "null"
Progress = Callable[[str], object]


def out_of_fold(
    frame: pd.DataFrame, plan: Plan, models: Sequence[str] = MODELS, folds: int = 5, progress: Progress | None = None
) -> pd.DataFrame:
    """What risk does each model give to patients that it was not fitted to, and how many would relapse?

    Cross-validation with all lines of a patient in one fold, patients dealt at random; settings of a learner are chosen
    in folds within each training set, again by patient, by the Brier score over the horizons. Everything learned -
    medians, levels, scales, settings - is learned in the training set. The model "null" gives everybody the
    Aalen-Johansen incidence of the training set.

    Parameters
    ----------
    frame : one row per patient-line: patient_id, line, time (days), event (a word of SPELLS), `entry` where entry is
        delayed (such lines are left out and counted), and the predictors: numbers, words, flags, with missing values
    plan : predictors, cause, horizons, stage, seed and size
    models : some of MODELS
    folds : parts into which the patients are dealt
    progress : called with one sentence before each fit

    Returns
    -------
    Table PREDICTIONS, one row per line, model and horizon. Neither the order of the rows nor the number of jobs
    changes it (but for the sixteenth digit of a forest, whose trees are summed as they come).

    Raises
    ------
    schema.SchemaError
        naming every fault: an absent predictor or one that is the outcome itself, a line that comes twice, fewer than
        20 events, a horizon past the follow-up with the longest allowed, predictors that tell nobody apart, an
        unknown model.

    Example
    -------
    >>> chance = np.random.default_rng(1)
    >>> stage, word = chance.choice(["I", "III"], 300), chance.choice(["relapse", "death", "censored"], 300)
    >>> days = chance.exponential(np.where(stage == "I", 900, 300)).round()
    >>> frame = pd.DataFrame({"patient_id": np.arange(300).astype(str), "line": 1, "time": days, "event": word})
    >>> risks = out_of_fold(frame.assign(iss=stage), Plan(["iss"], horizons_months=[12]), ["stage"])
    >>> risks.groupby("model", observed=True)["risk"].mean().round(2).to_dict()
    {'null': 0.18, 'stage': 0.18}
    """
    lines = planned(frame, models, plan)
    if folds < 2:
        raise_all([f"folds: expected at least 2, came {folds}"])
    part = grouped_folds(lines, folds, np.random.default_rng([plan.seed]))
    sets = ((str(f + 1), np.flatnonzero(part != f), np.flatnonzero(part == f)) for f in range(folds))
    return predicted(lines, plan, models, sets, progress)


def refusal(frame: pd.DataFrame, plan: Plan, models: Sequence[str] = MODELS, least_events: int = 100) -> str:
    """Why can these models not be tried on this frame? Empty where they can.

    What `out_of_fold` would refuse, and fewer than `least_events` of the event in question: van Smeden et al. (2019)
    and Riley et al. (2019) ask for far more than a handful before a model is built at all.

    Example
    -------
    >>> frame = pd.DataFrame({"patient_id": ["a"], "line": 1, "time": [90.0], "event": "relapse", "iss": "I"})
    >>> refusal(frame, Plan(["iss"], horizons_months=[12]), ["stage"])
    'fewer than 100 events of the kind to be foreseen'
    """
    if (frame["event"] == plan.cause).sum() < least_events:
        return f"fewer than {least_events} events of the kind to be foreseen"
    try:
        planned(frame, models, plan)
    except schema.SchemaError as error:
        return str(error)
    return ""


def temporal(
    frame: pd.DataFrame,
    plan: Plan,
    models: Sequence[str] = MODELS,
    last_training_year: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """What risk does each model give to later patients, fitted to earlier ones?

    `index_year` of the frame splits the patients: up to `last_training_year` (left out: the year by which seven tenths
    of the lines have begun their course) for fitting, those after it for the test. Training lines keep the follow-up
    they have by now, which a model built in that year would not have had. Otherwise as `out_of_fold`.

    Example
    -------
    >>> chance = np.random.default_rng(1)
    >>> stage, word = chance.choice(["I", "III"], 300), chance.choice(["relapse", "death", "censored"], 300)
    >>> days = chance.exponential(np.where(stage == "I", 900, 300)).round()
    >>> frame = pd.DataFrame({"patient_id": np.arange(300).astype(str), "line": 1, "time": days, "event": word})
    >>> frame = frame.assign(iss=stage, index_year=chance.integers(2010, 2020, 300))
    >>> temporal(frame, Plan(["iss"], horizons_months=[12]), ["stage"], 2016)["fold"].unique().tolist()
    ['after 2016']
    """
    if "index_year" not in frame or frame["index_year"].isna().any():
        raise_all(["column 'index_year': expected a year in every row, to tell earlier patients from later ones"])
    lines = planned(frame, models, plan)
    keys = lines.keys[["patient_id", "line"]]
    years = keys.merge(frame[["patient_id", "line", "index_year"]], on=["patient_id", "line"])["index_year"]
    year = years.to_numpy(dtype=float)
    usual = min(np.quantile(year, 0.7, method="lower"), year.max() - 1)  # the last year has to be tested
    last = int(usual) if last_training_year is None else last_training_year
    train, test = np.flatnonzero(year <= last), np.flatnonzero(year > last)
    both = np.intersect1d(keys["patient_id"].iloc[train].unique(), keys["patient_id"].iloc[test].unique())
    longest = longest_horizon_months(lines.time[test])
    faults = [f"column 'index_year': patient {both[0]!r} has more than one; keep the first"] if len(both) else []
    if plan.horizons_months[-1] > longest:
        faults.append(
            f"horizons_months: {plan.horizons_months[-1]:g} months lies past the follow-up of patients after {last}: "
            f"the longest allowed is {longest:g}; or choose an earlier last_training_year"
        )
    raise_all(faults)
    return predicted(lines, plan, models, [(f"after {last}", train, test)], progress)


def apparent(
    frame: pd.DataFrame, plan: Plan, models: Sequence[str] = MODELS, progress: Progress | None = None
) -> pd.DataFrame:
    """What risk does each model give to the very patients that it was fitted to? Only for `optimism`: it flatters.

    Example
    -------
    >>> chance = np.random.default_rng(1)
    >>> stage, word = chance.choice(["I", "III"], 300), chance.choice(["relapse", "death", "censored"], 300)
    >>> days = chance.exponential(np.where(stage == "I", 900, 300)).round()
    >>> frame = pd.DataFrame({"patient_id": np.arange(300).astype(str), "line": 1, "time": days, "event": word})
    >>> apparent(frame.assign(iss=stage), Plan(["iss"], horizons_months=[12]), ["stage"]).shape
    (600, 9)
    """
    lines = planned(frame, models, plan)
    if plan.training_patients is not None:
        # Only those that it is fitted to may be looked at: the others would be a test set.
        lines = lines.part(sampled(lines, plan.training_patients, np.random.default_rng([plan.seed, 0])))
        plan = replace(plan, training_patients=None)
    every = np.arange(len(lines.keys))
    return predicted(lines, plan, models, [("apparent", every, every)], progress)


def predicted(
    lines: Lines,
    plan: Plan,
    models: Sequence[str],
    sets: Iterable[tuple[str, np.ndarray, np.ndarray]],
    progress: Progress | None,
) -> pd.DataFrame:
    """PREDICTIONS of the test rows by models fitted to the training rows, for each (name, training, test)."""
    parts = []
    for place, (name, train, test) in enumerate(sets):
        inside, outside = lines.part(train), lines.part(test)
        events = int(((inside.status == CAUSE) & (inside.time <= plan.horizons_days[-1])).sum())
        if events < FEWEST_EVENTS or not len(test):
            raise_all([f"fold {name!r}: {events} events to learn from and {len(test)} lines to test; use fewer folds"])
        parts.append(_long(outside, plan, NULL, name, _null_risk(inside, plan), ""))
        others: dict = {}
        for model in models:
            if progress is not None:
                progress(f"{model}: fold {name}")
            made, note = fit(model, inside, plan, place, others)
            risk = joint_risk(made, outside.predictors, plan.horizons_days)
            parts.append(_long(outside, plan, model, name, risk, "; ".join(filter(None, [*lines.notes, note]))))
    result = pd.concat(parts, ignore_index=True)
    for column in ("patient_id", "model", "fold", "event", "note"):
        result[column] = pd.Categorical(result[column], categories=result[column].unique())
    return schema.check(result, schema.PREDICTIONS)


def _null_risk(lines: Lines, plan: Plan) -> np.ndarray:
    """The Aalen-Johansen incidence at each horizon."""
    curve = aalen_johansen(lines.keys.assign(entry=0))
    curve = curve[(curve["event"] == plan.cause) & curve["estimate"].notna()]
    steps = np.concatenate([[0.0], curve["estimate"].to_numpy()])
    at = steps[np.searchsorted(curve["time"].to_numpy(), plan.horizons_days, side="right")]
    return at[None, :]


def _long(lines: Lines, plan: Plan, model: str, fold: str, risk: np.ndarray, note: str) -> pd.DataFrame:
    number = len(plan.horizons_months)
    risk = np.broadcast_to(risk, (len(lines.keys), number))
    repeated = lines.keys.loc[lines.keys.index.repeat(number)].reset_index(drop=True)
    columns = {
        "patient_id": repeated["patient_id"],
        "line": repeated["line"].astype("int64"),
        "model": model,
        "horizon_months": np.tile(np.asarray(plan.horizons_months, dtype=float), len(lines.keys)),
        "fold": fold,
        "risk": risk.ravel(),
        "time": repeated["time"],
        "event": repeated["event"],
        "note": note,
    }
    return pd.DataFrame(columns)[schema.PREDICTIONS.names]
