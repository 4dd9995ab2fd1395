"""How a table is declared, and the one check that holds a frame against its declaration."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import pandas as pd

_DTYPES = {"text": "object", "word": "object", "integer": "int64", "number": "float64", "flag": "bool"}
_NULLABLE_DTYPES = {**_DTYPES, "integer": "Int64", "flag": "boolean"}


@dataclass(frozen=True)
class Column:
    """One column: its kind is "text", "word" (one of `words`), "integer", "number" or "flag" (true or false)."""

    name: str
    kind: str
    meaning: str
    unit: str = ""
    required: bool = True
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """The pandas type of the column, one that can hold missing values where the column may."""
        return (_NULLABLE_DTYPES if self.nullable else _DTYPES)[self.kind]


@dataclass(frozen=True)
class Table:
    """A declared table: `row` says what one row is, `key` the columns that together name it once."""

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The declared column names, in order."""
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


class SchemaError(ValueError):
    """A frame does not fit its declared table; the message lists every fault with its first row and the remedy."""


def empty(table: Table) -> pd.DataFrame:
    """An empty frame with the declared columns and types."""
    return pd.DataFrame({column.name: pd.Series(dtype=column.dtype) for column in table.columns})


def joined(frames: list[pd.DataFrame], table: Table) -> pd.DataFrame:
    """Frames of one table one under the other; the empty table where there are none.

    Example
    -------
    >>> from analysis import schema
    >>> len(joined([], schema.FLOW)), joined([], schema.FLOW).columns[0]
    (0, 'step')
    """
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else empty(table)


def check(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Does this frame fit its declared table? Returns the frame itself, unchanged, so that calls can be chained.

    Columns beyond the declared ones are allowed: strata and covariates travel that way.

    Raises
    ------
    SchemaError
        naming, for all faults at once, the table, the column, what was expected, what came, the first
        offending row and what to do.

    Example
    -------
    >>> from analysis import schema
    >>> flow = pd.DataFrame({"step": [1], "rule": ["all patients"], "removed": [0], "remaining": [7]})
    >>> schema.check(flow, schema.FLOW).shape
    (1, 4)
    """
    faults = _missing_columns(frame, table)
    present = [column for column in table.columns if column.name in frame.columns]
    wrong_kind = {column.name: came for column in present if (came := _wrong_kind(frame[column.name], column))}
    for name, came in wrong_kind.items():
        faults.append(f"column {name!r}: expected {_expected(table[name])}, came {came}; convert it before the check")
    faults += _value_faults(frame, [column for column in present if column.name not in wrong_kind], table)
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise SchemaError(f"table {table.name} (one row per {table.row}): {len(faults)} fault(s)\n{listing}")
    return frame


def _missing_columns(frame: pd.DataFrame, table: Table) -> list[str]:
    faults = []
    for column in table.columns:
        if column.required and column.name not in frame.columns:
            near = difflib.get_close_matches(column.name, [str(name) for name in frame.columns], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; the frame has {list(map(str, frame.columns))}"
            faults.append(f"column {column.name!r} is missing ({column.meaning}){hint}")
    return faults


def _wrong_kind(values: pd.Series, column: Column) -> str:
    """What came instead of the declared kind; empty when the kind is right."""
    if column.kind in ("text", "word"):
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.cat.categories.to_series()
        right = pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty")
    elif column.kind == "flag":
        right = pd.api.types.is_bool_dtype(values.dtype)
    elif column.kind == "integer":
        right = pd.api.types.is_integer_dtype(values.dtype)
    else:
        right = pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
    return "" if right else f"{values.dtype} (first value {values.iloc[0]!r})" if len(values) else ""


def _expected(column: Column) -> str:
    words = f" among {list(column.words)}" if column.words else ""
    return f"{column.kind}{words}" + (f" in {column.unit}" if column.unit else "")


def _value_faults(frame: pd.DataFrame, columns: list[Column], table: Table) -> list[str]:
    """Empty values, ranges, words and repeated keys, found by pandera in one lazy pass."""
    import pandera.pandas as pandera

    declared = {
        column.name: pandera.Column(None, _range_checks(column), nullable=column.nullable) for column in columns
    }
    faults = []
    try:
        pandera.DataFrameSchema(declared).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        for (name, rule), rows in cases.groupby(["column", "check"], sort=False):
            row, value = rows["index"].iloc[0], rows["failure_case"].iloc[0]
            rule = "a value in every row" if rule == "not_nullable" else rule
            faults.append(
                f"column {name!r}: expected {rule}, came {value!r} first in row {row} ({len(rows)} row(s)); "
                f"meaning: {table[name].meaning}"
            )
    key = [name for name in table.key if name in frame.columns]
    if key and len(key) == len(table.key) and (repeated := frame.duplicated(key).to_numpy()).any():
        row = frame.index[np.flatnonzero(repeated)[0]]
        faults.append(f"key {key}: expected once each, first repeated in row {row} ({repeated.sum()} row(s)); keep one")
    return faults


def _range_checks(column: Column) -> list:
    import pandera.pandas as pandera

    checks = []
    if column.words:
        checks.append(pandera.Check.isin(list(column.words), error=f"one of {list(column.words)}"))
    if column.minimum is not None:
        checks.append(pandera.Check.ge(column.minimum, error=f"at least {column.minimum} {column.unit}".strip()))
    if column.maximum is not None:
        checks.append(pandera.Check.le(column.maximum, error=f"at most {column.maximum} {column.unit}".strip()))
    return checks
