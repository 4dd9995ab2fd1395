"""The lines that a fitted model was fitted to, found again from what `fitted` was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimate.prediction.fitting import Plan, sampled
from analysis.estimate.prediction.reading import Lines, read


def names(models: Mapping[str, Any]) -> list[str]:
    """The predictors that these models read, each once, in order."""
    return list(dict.fromkeys(name for one in models.values() for name in one.feature_names_in_))


def trained_on(models: Mapping[str, Any], frame: pd.DataFrame, plan: Plan) -> Lines:
    """The lines of the frame that `fitted` used; where the plan has a sample of patients, the one that it drew."""
    lines = read(frame, names(models), plan.cause, plan.horizons_months)
    if plan.training_patients is None:
        return lines
    return lines.part(sampled(lines, plan.training_patients, np.random.default_rng([plan.seed, 0])))
