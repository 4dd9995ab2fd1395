"""A fitted model without what tells of few of its patients, for cohorts of real people."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.schema import DAYS_PER_MONTH

FEWEST_TOGETHER = 8  # a step of the baseline hazard that fewer made would say when one of them had the event
_LINEAR = ("CoxPHSurvivalAnalysis", "CoxnetSurvivalAnalysis")
_WEEK = DAYS_PER_MONTH / 4  # every whole month ends one


def joined_edges(grid_days: np.ndarray, ends_days: np.ndarray, events_days: Sequence[np.ndarray]) -> np.ndarray:
    """The edges of cells of time, each with enough of every kind of event; every one of `ends_days` is an edge.

    Walks along the grid and closes a cell when it has eight of each kind; what is left before an end joins the cell
    before it. Between two ends there may be fewer in all, then they make one cell.

    Example
    -------
    >>> joined_edges(np.array([10.0, 20.0, 30.0]), np.array([30.0]), [np.arange(20)])
    array([ 0., 10., 30.])
    """
    edges, before_end = [0.0], 0
    for edge in np.union1d(grid_days[grid_days < ends_days[-1]], ends_days):
        enough = all(((days > edges[-1]) & (days <= edge)).sum() >= FEWEST_TOGETHER for days in events_days)
        is_end = bool((ends_days == edge).any())
        if is_end and not enough and len(edges) - 1 > before_end:
            edges.pop()
        if enough or is_end:
            edges.append(float(edge))
        if is_end:
            before_end = len(edges) - 1
    return np.array(edges)


def without_patients(models: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, Any]:
    """The models without what tells of few patients.

    Raises
    ------
    ValueError
        for trees, whose leaves hold the times of few patients each, and for a level of a word that few patients had.
    """
    faults = [
        f"{type(one[-1]).__name__}: its leaves hold the times of few patients each; store the Cox model, or a forest "
        "fitted to a synthetic cohort"
        for one in models.values()
        if type(one[-1]).__name__ not in _LINEAR
    ]
    shown = {one["name"]: {*one["levels"], "unknown"} for one in card["predictors"]}
    for name, levels in _levels(models).items():
        if rare := set(levels) - shown.get(name, set()):
            faults.append(
                f"predictor {name!r}: {len(rare)} level(s) of few patients; join them to others and fit again"
            )
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise ValueError(f"a model of real patients is not stored with what tells of few of them\n{listing}")
    return _coarse(models, np.asarray(card["horizons_months"], dtype=float) * DAYS_PER_MONTH)


def _levels(models: Mapping[str, Any]) -> dict[str, list[str]]:
    """Each predictor of words with the levels that the Pipelines know."""
    found: dict[str, list[str]] = {}
    for one in models.values():
        for kind, step, names in one.named_steps["columns"].transformers_:
            if kind == "words":
                found |= {name: list(known) for name, known in zip(names, step[-1].categories_, strict=True)}
    return found


def _coarse(models: Mapping[str, Any], ends_days: np.ndarray) -> dict[str, Any]:
    """Copies whose baseline hazards rise in common steps of whole weeks, with eight times of events or more in each."""
    result = copy.deepcopy(dict(models))
    baselines = [
        baseline
        for one in result.values()
        for baseline in getattr(one[-1], "_baseline_models", None) or [one[-1]._baseline_model]
    ]
    hazards = [baseline.cum_baseline_hazard_ for baseline in baselines]
    happened = [hazard.x[np.diff(hazard.y, prepend=0.0) > 0] for hazard in hazards]
    edges = joined_edges(np.arange(1, ends_days[-1] / _WEEK) * _WEEK, ends_days, happened)
    for baseline, hazard in zip(baselines, hazards, strict=True):
        sums = np.append(0.0, hazard.y)[np.searchsorted(hazard.x, edges, side="right")]
        baseline.unique_times_ = edges
        baseline.cum_baseline_hazard_ = type(hazard)(edges, sums)
        baseline.baseline_survival_ = type(hazard)(edges, np.exp(-sums))
    return result
