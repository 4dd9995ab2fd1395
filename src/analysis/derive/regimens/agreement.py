"""Two readings of the same treatments side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema


def compare_lines(derived: pd.DataFrame, stated: pd.DataFrame, tolerance_days: int = 30) -> pd.DataFrame:
    """How many lines does each patient have by one reading, and how many by the other?

    Parameters
    ----------
    derived, stated : LINES, or any frame with patient_id, line and start_day
    tolerance_days : two starts this near are the same

    Returns
    -------
    DataFrame of table LINE_AGREEMENT: a row per number of lines stated and number derived that some patient has;
    patients without any line in one reading count there as 0. `same_starts` counts the patients of the row whose lines
    all start within `tolerance_days` of each other, in order; it is 0 where the numbers differ. A reading by another
    rule can take the place of the stated one.

    Raises
    ------
    ValueError
        when a column is missing or the tolerance is negative.

    Example
    -------
    >>> stated = pd.DataFrame({"patient_id": ["a", "a", "b"], "line": [1, 2, 1], "start_day": [1, 300, 1]})
    >>> derived = stated.assign(start_day=[1, 310, 50])
    >>> compare_lines(derived, stated).astype(int).values.tolist()
    [[1, 1, 1, 0], [2, 2, 1, 1]]
    """
    needed = ["patient_id", "line", "start_day"]
    faults = [
        f"{name}: expected columns {needed}, came without {missing}"
        for name, frame in (("derived", derived), ("stated", stated))
        if (missing := [column for column in needed if column not in frame])
    ]
    if tolerance_days < 0:
        faults.append(f"tolerance_days: expected 0 or more, came {tolerance_days}")
    if faults:
        raise ValueError("; ".join(faults))
    starts = [_starts(frame) for frame in (stated, derived)]
    both = starts[0].merge(starts[1], on=["patient_id", "place"], how="outer", suffixes=("_stated", "_derived"))
    near = (both["start_day_stated"] - both["start_day_derived"]).abs() <= tolerance_days
    both = both.assign(near=near.fillna(False).astype(bool))
    patients = both.groupby("patient_id", observed=True).agg(
        lines_stated=("start_day_stated", "count"), lines_derived=("start_day_derived", "count"), same=("near", "all")
    )
    counted = patients.groupby(["lines_stated", "lines_derived"])["same"].agg(["size", "sum"]).reset_index()
    counted.columns = schema.LINE_AGREEMENT.names
    declared = {column.name: column.dtype for column in schema.LINE_AGREEMENT.columns}
    return schema.check(counted.astype(declared), schema.LINE_AGREEMENT)


def _starts(lines: pd.DataFrame) -> pd.DataFrame:
    """Start of each patient's first, second ... line, whatever their numbers."""
    ordered = lines[["patient_id", "line", "start_day"]].sort_values(["patient_id", "line"])
    place = ordered.groupby("patient_id", observed=True).cumcount().to_numpy()
    day = ordered["start_day"].to_numpy(dtype=np.float64)
    return pd.DataFrame({"patient_id": ordered["patient_id"].astype(object), "place": place, "start_day": day})
