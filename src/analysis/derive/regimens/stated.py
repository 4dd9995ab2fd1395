"""Lines as the source numbers them: all rows of a patient with the same stated number."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import vocabulary
from analysis.derive.regimens.naming import described

KEY = ["patient_id", "line"]


def stated_lines(stated: pd.DataFrame) -> pd.DataFrame:
    """Patient, line, days, agents and maintenance of each stated line; days may be missing."""
    # Which line each row belongs to, as a number: a million patients need no second comparison of names.
    group = stated.groupby(KEY, sort=True, observed=True).ngroup().to_numpy()
    agent, names = pd.factorize(stated["agent"])
    names = np.asarray(names, dtype=object)
    classes = vocabulary.drug_classes(pd.Series(names, dtype=object)).to_numpy(dtype=object)
    framed = _spans(stated, group).assign(
        **described(group, agent, names, classes), maintenance=_maintenance(stated, group)
    )
    return framed.assign(start_reason="stated by the source", end_reason="stated by the source")


def _spans(stated: pd.DataFrame, group: np.ndarray) -> pd.DataFrame:
    """Patient, line, first known start and last known day of each group, in the order of the groups."""
    days = stated[["start_day", "end_day"]].astype("float64")
    first_row = np.unique(group, return_index=True)[1]
    return (
        stated[KEY]
        .iloc[first_row]
        .reset_index(drop=True)
        .assign(
            start_day=days["start_day"].groupby(group).min().astype("Int64"),
            end_day=days.max(axis=1).groupby(group).max().astype("Int64"),
        )
    )


def _maintenance(stated: pd.DataFrame, group: np.ndarray) -> pd.Series:
    """True when a row of the group is maintenance, false when every phase is stated and none is, else missing."""
    if "phase" not in stated:
        return pd.Series(pd.NA, index=np.unique(group), dtype="boolean")
    yes = pd.Series((stated["phase"] == "maintenance").to_numpy()).groupby(group).any()
    unclear = pd.Series((stated["phase"] == "unknown").to_numpy()).groupby(group).any()
    return yes.astype("boolean").mask(~yes & unclear)
