"""How a fault is recorded: frames of table FAULTS, put together at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from analysis import schema

SHOWN = 3  # cells per file, column and rule: a wrong column of a million rows must not make a million sentences
_RULE = ["severity", "file", "column", "expected", "mend"]


def faults_at(
    file: str,
    column: str,
    lines: Sequence[int] | np.ndarray | pd.Index,
    values: Sequence[object] | pd.Series,
    expected: str,
    mend: str,
    severity: str = "error",
) -> pd.DataFrame:
    """One fault per line: what stood there, what was expected, how to mend it. Returns FAULTS.

    Example
    -------
    >>> faults_at("patients.csv", "age_years", [4], ["old"], "a number", "leave it empty")["line"].tolist()
    [4]
    """
    if not len(lines):
        return _NONE
    came = [_shown(value) for value in np.asarray(values, dtype=object)]
    frame = pd.DataFrame({"line": np.asarray(lines, dtype="int64"), "value": came})
    same = {"severity": severity, "file": file, "column": column, "expected": expected, "mend": mend}
    return _typed(frame.assign(**same))


def fault(
    file: str,
    expected: str,
    mend: str,
    column: str = "",
    value: object = "",
    line: int | None = None,
    severity: str = "error",
) -> pd.DataFrame:
    """One fault of a whole file, a whole column or one line. Returns FAULTS.

    Example
    -------
    >>> fault("patients.csv", "the file", "add it")["line"].isna().tolist()
    [True]
    """
    row = (severity, file, line, column, _shown(value), expected, mend)
    return _typed(pd.DataFrame([row], columns=schema.FAULTS.names))


def together(faults: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All faults as one table FAULTS, each once, every line of its own."""
    found = [frame for frame in faults if len(frame)]
    return pd.concat(found, ignore_index=True).drop_duplicates(ignore_index=True) if found else _NONE.copy()


def collect(faults: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All faults as one table FAULTS: errors first, then by file and line, each once.

    Of faults that differ in their line and value only the first three are listed; a row after them says how many more
    there are, and between which lines.
    """
    found = together(faults)
    if not len(found):
        return found
    found = found.assign(order=found["line"].astype("float64").fillna(0))
    rules = found.groupby(_RULE, sort=False)
    # Faults of one rule stay together, where its first line would stand.
    found = found.assign(
        rule=rules.ngroup(), first=rules["order"].transform("min"), size=rules["order"].transform("size")
    )
    found = found.sort_values(["severity", "file", "first", "rule", "order"], kind="stable")
    place = found.groupby("rule").cumcount()
    listed = found["line"].isna() | (place < SHOWN) | (found["size"] == SHOWN + 1)
    shown = found if listed.all() else pd.concat([found[listed], _counted(found[~listed])])
    shown = shown.sort_values(["severity", "file", "first", "rule", "order"], kind="stable")
    return schema.check(_typed(shown), schema.FAULTS)


def _counted(more: pd.DataFrame) -> pd.DataFrame:
    """One row for all faults of a rule that are not listed: how many there are, and between which lines."""
    groups = more.groupby("rule", sort=False)
    one, low, high = groups.tail(1).set_index("rule"), groups["line"].min(), groups["line"].max()
    place = np.where(one["file"].str.endswith(".csv"), "lines ", "rows ")
    words = one["expected"] + ": and " + groups.size().map("{:,}".format) + " more like this (" + place
    words = words + low.astype(str) + "-" + high.astype(str) + ")"
    nowhere = pd.array([None] * len(one), dtype="Int64")
    return one.assign(expected=words, value="", line=nowhere, mend="mend them in the same way").reset_index()


def _shown(value: object) -> str:
    return "" if value is None or value is pd.NA or value is pd.NaT or value != value else str(value)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    declared = {column.name: column.dtype for column in schema.FAULTS.columns}
    return frame[schema.FAULTS.names].reset_index(drop=True).astype(declared)


_NONE = _typed(pd.DataFrame(columns=schema.FAULTS.names))
