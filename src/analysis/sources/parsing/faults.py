"""How a fault is recorded: frames of table FAULTS, put together at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from analysis import schema

SHOWN = 200  # cells per file, column and rule: a wrong column of a million rows must not make a million sentences


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

    After the first 200 lines one more row says how many there were.

    Example
    -------
    >>> faults_at("patients.csv", "age_years", [4], ["old"], "a number", "leave it empty")["line"].tolist()
    [4]
    """
    if not len(lines):
        return _NONE
    lines, values = np.asarray(lines), np.asarray(values, dtype=object)
    shown = [_row(severity, file, int(line), column, value, expected, mend) for line, value in
             zip(lines[:SHOWN], values[:SHOWN], strict=True)]  # fmt: skip
    if len(lines) > SHOWN:
        count = f"{expected} (the same fault in {len(lines):,} rows, the first {SHOWN} are listed)"
        shown.append(_row(severity, file, None, column, "", count, mend))
    return _frame(shown)


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
    return _frame([_row(severity, file, line, column, value, expected, mend)])


def collect(faults: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All faults as one table FAULTS: errors first, then by file and line, each once."""
    found = [frame for frame in faults if len(frame)]
    if not found:
        return _frame([])
    together = pd.concat(found, ignore_index=True).drop_duplicates()
    order = together.assign(line=together["line"].fillna(0)).sort_values(["severity", "file", "line"], kind="stable")
    return schema.check(together.loc[order.index].reset_index(drop=True), schema.FAULTS)


def _row(severity: str, file: str, line: int | None, column: str, value: object, expected: str, mend: str) -> tuple:
    shown = "" if value is None or value is pd.NA or value is pd.NaT or value != value else str(value)
    return severity, file, line, column, shown, expected, mend


def _frame(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=schema.FAULTS.names)
    return frame.astype({column.name: column.dtype for column in schema.FAULTS.columns})


_NONE = _frame([])
