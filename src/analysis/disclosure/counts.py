"""Small counts withheld, with what could be worked out from them within the same sum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

THRESHOLD = 7
DEPENDENT = ("estimate", "conf_low", "conf_high", "std_error", "low", "high", "share", "person_years")
DEPENDENT += ("difference", "difference_low", "difference_high")
JOINED = "withheld"


def withhold(
    frame: pd.DataFrame,
    count_columns: Sequence[str],
    threshold: int = THRESHOLD,
    within: Sequence[str] | None = None,
    row_total: bool = False,
) -> pd.DataFrame:
    """A result frame without its small counts, for cohorts of real people.

    Counts from 1 to `threshold` become missing. A zero stays: it is about nobody. Where counts add up to a total that
    can be known and only one of them was withheld, the smallest other count is withheld with it, else the difference
    would give it away. Estimates of a row with a withheld count go too, since they were made from it.

    Parameters
    ----------
    frame : DataFrame
        any result frame, before `present`.
    count_columns : list of str
        the columns that hold counts of people.
    threshold : int
        the largest count that is withheld (OpenSAFELY: 7).
    within : list of str, optional
        long frames: the rows that agree in these columns add up (RISK: stratum, time; ATTRITION: line, reading, time).
    row_total : bool
        wide frames: the count columns of one row add up to a total that can be known.

    Returns
    -------
    DataFrame: a copy with a column `<count>_withheld` beside each count column: "" where it is shown, "1–7" where it
    is small, "withheld" where it went along; tables print it in place of the number.

    Raises
    ------
    ValueError
        for unknown columns or a threshold below 1.

    Example
    -------
    >>> risk = pd.DataFrame({"stratum": "all", "time": 0.0, "state": ["at risk", "death", "censored"],
    ...                      "count": [80.0, 3.0, 12.0]})
    >>> withhold(risk, ["count"], within=["stratum", "time"])["count_withheld"].tolist()
    ['', '1–7', 'withheld']
    """
    _check_request(frame, [*count_columns, *(within or [])], threshold)
    frame = frame.reset_index(drop=True)
    counts = frame[list(count_columns)].astype(float)
    small = (counts >= 1) & (counts <= threshold)
    joined = pd.DataFrame(False, index=frame.index, columns=counts.columns)
    if row_total:
        joined = _partners(counts, small)
    if within is not None:
        keys = frame[list(within)]
        for name in counts.columns:
            joined[name] |= _partners_within(counts[name], small[name], keys)
    result = frame.copy()
    for name in counts.columns:
        gone = small[name] | joined[name]
        kept = "Int64" if pd.api.types.is_integer_dtype(frame[name].dtype) else float
        result[name] = counts[name].where(~gone).astype(kept)
        result[f"{name}_withheld"] = np.where(small[name], f"1–{threshold}", np.where(joined[name], JOINED, ""))
    dependent = [name for name in DEPENDENT if name in result.columns and name not in counts.columns]
    result.loc[(small | joined).any(axis=1), dependent] = np.nan
    return result


def _check_request(frame: pd.DataFrame, names: Sequence[str], threshold: int) -> None:
    faults = [f"column {name!r} is not in the frame" for name in names if name not in frame.columns]
    if threshold < 1:
        faults.append(f"threshold: expected at least 1, came {threshold}")
    if faults:
        raise ValueError(f"withhold: {'; '.join(faults)}; the frame has {list(map(str, frame.columns))}")


def _partners(counts: pd.DataFrame, small: pd.DataFrame) -> pd.DataFrame:
    """In each row with exactly one small count: the smallest other count that is not zero."""
    alone = small.sum(axis=1) == 1
    others = counts.where(~small & (counts > 0)).to_numpy()
    chosen = np.zeros_like(others, dtype=bool)
    rows = np.flatnonzero(alone.to_numpy() & np.isfinite(others).any(axis=1))
    if len(rows):
        chosen[rows, np.nanargmin(others[rows], axis=1)] = True
    return pd.DataFrame(chosen, index=counts.index, columns=counts.columns)


def _partners_within(counts: pd.Series, small: pd.Series, keys: pd.DataFrame) -> pd.Series:
    """In each group of rows with exactly one small count: the smallest other count that is not zero."""
    groups = [keys[name] for name in keys.columns]
    alone = small.groupby(groups, dropna=False).transform("sum") == 1
    candidates = counts.where(alone & ~small & (counts > 0)).dropna()
    first = candidates.groupby([key.loc[candidates.index] for key in groups], dropna=False).idxmin()
    return pd.Series(counts.index.isin(first), index=counts.index)
