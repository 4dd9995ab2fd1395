"""Which groups have enough patients for curves and rates; the others show counts only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce

import numpy as np
import pandas as pd


def enough(frame: pd.DataFrame, minimum_patients: int, by: str | Sequence[str] = "line") -> pd.DataFrame:
    """Which groups have enough patients for curves and rates?

    Parameters
    ----------
    frame : DataFrame
        SPELLS (the groups are made from `by`), or a result frame with columns stratum and subjects, such as
        schema.RATES or schema.QUANTILES.
    minimum_patients : int
        the fewest patients that a group needs.
    by : str or list of str
        columns of SPELLS that make the group; labels are those that `estimate` gives: "line 1", "II", "line 1 · II".

    Returns
    -------
    DataFrame with stratum, subjects (distinct patients), events (all kinds together, where SPELLS were given),
    enough (flag), in the order of the groups.

    Raises
    ------
    ValueError
        when the frame is neither, or the minimum is below 1.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": list("abc"), "line": [1, 1, 2], "event": ["death", "censored", "death"]})
    >>> enough(spells, 2)["enough"].tolist()
    [True, False]
    """
    if minimum_patients < 1:
        raise ValueError(f"minimum_patients: expected at least 1, came {minimum_patients}")
    if {"stratum", "subjects"} <= set(frame.columns):
        groups = frame.groupby("stratum", sort=False, as_index=False)["subjects"].max()
    else:
        groups = _counted(frame, [by] if isinstance(by, str) else list(by))
    # A count that was withheld is missing, and a missing count is never enough.
    return groups.assign(enough=(groups["subjects"] >= minimum_patients).fillna(False).astype(bool))


def _counted(spells: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    missing = [name for name in ["patient_id", "event", *by] if name not in spells.columns]
    if missing:
        came = list(map(str, spells.columns))
        raise ValueError(f"frame: expected stratum and subjects, or SPELLS with {missing}; came columns {came}")
    known = spells.dropna(subset=by).sort_values(by, kind="stable")
    columns = [known[name].map(partial(_label, name)).astype(object) for name in by]
    labels = reduce(lambda left, right: left + " · " + right, columns)
    groups = known.assign(stratum=labels, happened=known["event"] != "censored").groupby("stratum", sort=False)
    counted = groups.agg(subjects=("patient_id", "nunique"), events=("happened", "sum")).reset_index()
    return counted.astype({"subjects": float, "events": float})


def _label(name: str, value: object) -> str:
    """The label of one value as `estimate` makes it; a test holds the two rooms together."""
    if isinstance(value, (bool, np.bool_)):
        return name.replace("_", " ") if value else "no " + name.replace("_", " ")
    value = f"{value:g}" if isinstance(value, (float, np.floating)) else value
    return f"line {value}" if name == "line" else str(value)


def keep_enough(frame: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """The rows of a result frame whose stratum has enough patients, by the `groups` that `enough` returned."""
    allowed = set(groups.loc[groups["enough"], "stratum"])
    return frame[frame["stratum"].isin(allowed)].reset_index(drop=True)
