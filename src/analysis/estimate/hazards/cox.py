"""Cause-specific Cox models and their kin for recurrent relapses: each says when a row is at risk, and of what."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimate.doors import as_names, check_spells
from analysis.estimate.hazards.models import Model, effects, fitted, read


def cox(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    strata: str | list[str] | None = None,
    cluster: str | None = None,
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    return effects(fit_cox(spells, terms, cause, strata, cluster, entry, weight, ties), conf_level)


def fit_cox(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    strata: str | list[str] | None = None,
    cluster: str | None = None,
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
    robust: bool | None = None,
) -> Model:
    data = read(spells, terms, cause, strata, cluster, entry, weight)
    return fitted(data, "Cox", cause, ties, robust)
