"""Groups of rows: one label and one position per combination of values that occurs."""

from __future__ import annotations

import numpy as np
import pandas as pd


def strata_of(frame: pd.DataFrame, names: list[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """Which group does each row belong to?

    Returns the position of each row's stratum, and a frame with one row per stratum that occurs, in sorted order (that
    of the categories, where there are some): its label `stratum` and the columns that made it. The columns must be
    there and complete, see `doors.check_strata`.

    Example
    -------
    >>> code, strata = strata_of(pd.DataFrame({"line": [2, 1, 2], "sex": ["male", "male", "female"]}), ["line", "sex"])
    >>> code.tolist(), strata["stratum"].tolist()
    ([2, 0, 1], ['line 1 · male', 'line 2 · female', 'line 2 · male'])
    """
    if not names:
        label = ["all"] if len(frame) else []
        return np.zeros(len(frame), dtype=np.intp), pd.DataFrame({"stratum": label}, dtype=object)
    code = None
    for name in names:
        own, size = _codes(frame[name])
        occurring, code = _ranks(own if code is None else code * size + own)
    first = _first_rows(code, len(occurring))
    values = frame[names].iloc[first].reset_index(drop=True)
    labels = pd.Series([""] * len(values), dtype=object)
    for position, name in enumerate(names):
        labels += (" · " if position else "") + pd.Series([_label(name, value) for value in values[name]], dtype=object)
    return code, pd.concat([labels.rename("stratum"), values], axis=1)


def _label(name: str, value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return name.replace("_", " ") if value else "no " + name.replace("_", " ")
    if isinstance(value, (float, np.floating)):
        value = f"{value:g}"
    return f"line {value}" if name == "line" else str(value)


def _codes(values: pd.Series) -> tuple[np.ndarray, int]:
    """Codes of a column's values in sorted order; whole numbers in a small range need no table of values."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy(dtype=np.intp), len(values.cat.categories)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu" and len(values):
        plain = values.to_numpy()
        low, high = int(plain.min()), int(plain.max())
        if high - low <= 1_000:
            return (plain - low).astype(np.intp, copy=False), high - low + 1
    codes, distinct = pd.factorize(values, sort=True)
    return codes, max(len(distinct), 1)


def _ranks(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The codes that occur, sorted, and each row's rank among them."""
    if not len(code) or int(code.max()) > 1_000_000:
        return np.unique(code, return_inverse=True)
    occurring = np.flatnonzero(np.bincount(code))
    if len(occurring) == occurring[-1] + 1:
        return occurring, code
    rank = np.zeros(occurring[-1] + 1, dtype=np.intp)
    rank[occurring] = np.arange(len(occurring))
    return occurring, rank[code]


def _first_rows(code: np.ndarray, strata: int) -> np.ndarray:
    """The first row of each stratum; for few strata looked for one by one, because each stands near the top."""
    if strata <= 32:
        return np.array([np.argmax(code[:10_000] == place) or np.argmax(code == place) for place in range(strata)], int)
    first = np.zeros(strata, dtype=np.intp)
    first[code[::-1]] = np.arange(len(code))[::-1]
    return first
