"""KNOWN laid out for a model: one row per spell, one column per predictor; what came too late is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema

_DECLARED = {column.name: column for column in schema.PREDICTORS.columns}
_NOT_PREDICTORS = ("patient_id", "line", "index_year")


def wide(known: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """What was known of each spell when its line began, ready for a model?

    Returns PREDICTORS: one row per spell, in the order and on the index of `spells`; patient_id, line, index_year where
    known, then a column per predictor of `known`: numbers (missing: NaN), words ("unknown" where missing) and flags
    (true, false or missing). A predictor of your own becomes a word where `known` has words of it, else a number.

    `index_year` is no predictor (`names` leaves it out): models are tested on later years than they were made from, and
    a year that training never saw says nothing there. It is at hand for that split.

    Raises
    ------
    analysis.schema.SchemaError
        naming every predictor that has a value of a later day than the line's start, with the first patient and line.
        A value of the start day itself counts as known.

    Example
    -------
    >>> known = pd.DataFrame({"patient_id": ["a"], "line": [1], "predictor": ["nadir"], "number": [0.2],
    ...     "word": [None], "day": [90.0]})
    >>> wide(known, pd.DataFrame({"patient_id": ["a"], "line": [1]}))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    analysis.schema.table.SchemaError: wide: 1 predictor(s) not known on the day the line began
      - 'nadir': expected day 0 or earlier, came day 90 first for patient 'a', line 1 (1 line(s) in all); ...
    """
    schema.check(known, schema.KNOWN)
    _refuse_later(known)
    code, predictors = pd.factorize(known["predictor"])
    row = _row_of(known, spells)
    number, word = known["number"].to_numpy(float), known["word"].to_numpy(object)
    result = spells[["patient_id", "line"]].copy()
    order = [name for name in _DECLARED if name in set(predictors)]
    order += [name for name in predictors if name not in _DECLARED]
    for name in order:
        mine = (code == list(predictors).index(name)) & (row >= 0)
        result[name] = _column(name, row[mine], number[mine], word[mine], result.index)
    return schema.check(result, schema.PREDICTORS)


def names(frame: pd.DataFrame, least_patients: int = 1) -> list[str]:
    """Which columns of `wide` are predictors: all but the keys and the index year.

    Words and flags with a level of fewer than `least_patients` are left out: nothing is learned from a handful, and a
    level of few would name them.

    Example
    -------
    >>> names(pd.DataFrame(columns=["patient_id", "line", "index_year", "iss"]))
    ['iss']
    >>> names(pd.DataFrame({"patient_id": list("abc"), "line": 1, "iss": ["I", "I", "II"]}), least_patients=2)
    []
    """
    found = [name for name in frame.columns if name not in _NOT_PREDICTORS]
    if least_patients <= 1:
        return found
    patients = {
        name: frame.groupby(name, observed=True)["patient_id"].nunique()
        for name in found
        if not pd.api.types.is_float_dtype(frame[name].dtype)
    }
    return [name for name in found if name not in patients or patients[name].min() >= least_patients]


def _refuse_later(known: pd.DataFrame) -> None:
    late = known[~(known["day"] <= 0)]  # an unknown day is no day before
    if late.empty:
        return
    counted = late.groupby("predictor", observed=True, sort=False)
    faults = [
        f"{name!r}: expected day 0 or earlier, came day {rows['day'].iloc[0]:g} first for patient "
        f"{rows['patient_id'].iloc[0]!r}, line {rows['line'].iloc[0]} ({len(rows)} line(s) in all); "
        "leave it out, or take its last value up to the day the line began"
        for name, rows in counted
    ]
    listing = "\n".join(f"  - {fault}" for fault in faults)
    raise schema.SchemaError(f"wide: {len(faults)} predictor(s) not known on the day the line began\n{listing}")


def _row_of(known: pd.DataFrame, spells: pd.DataFrame) -> np.ndarray:
    """The place of each row of KNOWN among the spells; -1 where its spell is not asked for."""
    patient, ids = pd.factorize(known["patient_id"])
    width = max(known["line"].max(), spells["line"].max()) + 1 if len(known) and len(spells) else 1
    asked = pd.Index(ids).get_indexer(spells["patient_id"]) * width + spells["line"].to_numpy("int64")
    unknown = pd.Index(ids).get_indexer(spells["patient_id"]) < 0
    asked = np.where(unknown, -1 - np.arange(len(spells)), asked)
    return pd.Index(asked).get_indexer(patient * width + known["line"].to_numpy("int64"))


def _column(name: str, row: np.ndarray, number: np.ndarray, word: np.ndarray, index: pd.Index) -> pd.Series:
    declared = _DECLARED.get(name)
    kind = declared.kind if declared else "text" if pd.notna(word).any() else "number"
    if kind in ("word", "text"):
        values = np.full(len(index), "unknown", dtype=object)
        values[row] = word
        return pd.Series(values, index=index)
    values = np.full(len(index), np.nan)
    values[row] = number
    dtype = {"flag": "boolean", "integer": "Int64"}.get(kind, "float64")
    return pd.Series(values, index=index).astype("Float64" if dtype != "float64" else dtype).astype(dtype)
