"""Cells of text to numbers, days, dates, flags and words: every distinct text is read once, every failure recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.schema import Column
from analysis.sources.parsing.faults import faults_at

_MISSING = ("", "na", "n/a", "nan", "null", "<na>", ".", "'--")
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_ISO_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]00:00(?::00(?:\.0+)?)?)?"
_ANY_DATE = r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ].*)?"
_DAY_MONTH_YEAR = r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4}|[0-9]{1,2})(?:[T ].*)?$"
_INFINITE = r"(?i:[+-]?inf(?:inity)?)"
_FLAGS = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}
_SYNONYMS = {"sex": {"f": "female", "m": "male"}, "iss": {"1": "I", "2": "II", "3": "III"}}

# reason: (what was expected, how to mend it); what stands in braces is filled in per column
_REASONS = {
    "text in a number": ("{kind}, came text", "write the number only, without unit or signs; {unknown}"),
    "not finite": ("{kind}, came what is not a finite number", "write the number; {unknown}"),
    "decimal comma": ("{kind} with a decimal point, came a comma", "write 2.7 instead of 2,7"),
    "too large": ("a number that a computer can hold", "correct it; {unknown}"),
    "not whole": ("a whole number, came a fraction", "round it, or correct it"),
    "date in days": ("whole days, came a date", "dates and days are mixed: give days here, or all in a column {date}"),
    "days in dates": ("a date as year-month-day, came a number", "dates and days are mixed: give one kind per file"),
    "no such day": ("a day that exists in the calendar, from 1900 to 2100", "correct the date; {unknown}"),
    "ambiguous date": (
        "a date as year-month-day; day and month of this one can be mistaken for each other",
        "write all dates as 2021-05-31",
    ),
    "not a date": ("a date as year-month-day", "dates are written as 2021-05-31; {unknown}"),
    "not a flag": ("true or false", "write true or false; {unknown}"),
    "not a word": ("one of {words}", "use one of them, in capital letters or not"),
}


def parse_column(values: pd.Series, column: Column, file: str) -> tuple[pd.Series, list[pd.DataFrame]]:
    """What does a column say, typed as declared? Kinds as in `Column`, and "date" (days since 1970-01-01).

    `values` are categories of text from a CSV file, or any column of a Parquet file; the index is the line.
    Returns the typed column (text, Int64, float64 or boolean; what failed or was empty is missing) and the faults:
    cells of the wrong kind, outside the declared range, or empty where a value is needed.

    Example
    -------
    >>> age = Column("age_years", "number", "age", "years", minimum=0)
    >>> found, faults = parse_column(pd.Series(["61", "2,7", "-3"], index=[2, 3, 4]), age, "patients.csv")
    >>> found.tolist()[0], faults[0]["line"].tolist(), faults[1]["line"].tolist()
    (61.0, [3], [4])
    """
    ready, failures = _ready(values, column), {}
    if ready is None:
        ready, failures = _from_text(values, column)
    faults = [
        faults_at(file, column.name, values.index[rows], values.iloc[rows], *_sentences(reason, column))
        for reason, rows in failures.items()
    ]
    if not column.nullable:
        empty = ready.isna().to_numpy(dtype=bool, copy=True)
        for rows in failures.values():
            empty[rows] = False
        mend = "fill it in, or remove the row"
        faults.append(
            faults_at(file, column.name, ready.index[empty], [""] * empty.sum(), "a value in every row", mend)
        )
    inside, out_of_range = _within_range(ready, values, column, file)
    return inside, [frame for frame in [*faults, *out_of_range] if len(frame)]


def _ready(values: pd.Series, column: Column) -> pd.Series | None:
    """The column when it is typed already, as in a Parquet file; None when it must be read from text."""
    dtype = values.dtype
    is_bool = pd.api.types.is_bool_dtype(dtype)
    numeric = pd.api.types.is_numeric_dtype(dtype) and not is_bool
    if column.kind == "flag" and is_bool and not isinstance(dtype, pd.CategoricalDtype):
        return values.astype("boolean")
    if column.kind == "number" and numeric:
        number = values.astype("Float64").astype("float64")
        return number if np.isfinite(number.dropna()).all() else None
    if column.kind == "integer" and pd.api.types.is_integer_dtype(dtype):
        return values.astype("Int64") if not pd.api.types.is_unsigned_integer_dtype(dtype) else None
    if column.kind == "date" and pd.api.types.is_datetime64_any_dtype(dtype):
        return ((values - pd.Timestamp(0, tz=values.dt.tz)) // pd.Timedelta(days=1)).astype("Int64")
    return None


def _from_text(values: pd.Series, column: Column) -> tuple[pd.Series, dict[str, np.ndarray]]:
    """The typed column and, per reason of failure, the positions of the rows that failed."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object).where(values.notna(), None).map(str, na_action="ignore").astype("category")
    text = pd.Series(values.cat.categories.astype(str), dtype=object).str.strip()
    known = ~text.str.casefold().isin(_MISSING)
    found, reason = _READERS[column.kind](text[known], column)
    codes = values.cat.codes.to_numpy()
    per_text = found.reindex(text.index).array
    typed = pd.Series(per_text.take(codes, allow_fill=True), index=values.index, name=values.name)
    if typed.dtype == object:
        typed = typed.where(typed.notna(), None)
    failed = reason[reason != ""]
    return typed, {one: np.flatnonzero(np.isin(codes, failed.index[failed == one])) for one in failed.unique()}


def _numbers(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    looks = text.str.fullmatch(_NUMBER).astype(bool)
    found = pd.Series([float(one) for one in text[looks]], index=text.index[looks], dtype="float64").reindex(text.index)
    comma = text.str.fullmatch(r"[+-]?[0-9]+(?:,[0-9]+)+(?:\.[0-9]+)?|[+-]?[0-9.]+,[0-9]+").astype(bool)
    huge = looks & ~np.isfinite(found)
    infinite = text.str.fullmatch(_INFINITE).astype(bool)
    words = ["too large", "", "decimal comma", "not finite"]
    reason = np.select([huge, looks, comma, infinite], words, default="text in a number")
    return found.where(~huge), pd.Series(reason, index=text.index, dtype=object)


def _integers(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    number, reason = _numbers(text, column)
    date = text.str.fullmatch(_ANY_DATE).astype(bool) & number.isna()
    reason = reason.mask(date, "date in days")
    # Beyond 2**53 a float no longer names one whole number.
    large, fraction = number.abs() > 2**53, number.notna() & (number % 1 != 0)
    reason = reason.mask(fraction, "not whole").mask(large, "too large")
    return number.where(~fraction & ~large).astype("Int64"), reason


def _dates(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    iso = text.str.fullmatch(_ISO_DATE).astype(bool)
    day = pd.to_datetime(text.str.slice(0, 10).where(iso), format="%Y-%m-%d", errors="coerce")
    exists = day.dt.year.between(1900, 2100)
    number, other = text.str.fullmatch(_NUMBER).astype(bool), _can_be_mistaken(text)
    words = ["", "no such day", "days in dates", "ambiguous date"]
    reason = np.select([exists, iso, number, other], words, default="not a date")
    days = ((day - pd.Timestamp(0)) // pd.Timedelta(days=1)).where(exists).astype("Int64")
    return days, pd.Series(reason, index=text.index, dtype=object)


def _can_be_mistaken(text: pd.Series) -> pd.Series:
    """Dates whose day could be their month: 3.5.2021, and 31.12.16, which may be a day of 2031; not 31.12.2016."""
    parts = text.str.extract(_DAY_MONTH_YEAR)
    first, second = (pd.to_numeric(parts[name], errors="coerce") for name in (0, 1))
    both_months = (first <= 12) & (second <= 12) & (first != second)
    return (both_months | (parts[2].str.len() <= 2)).fillna(False).astype(bool)


def _flags(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    found = text.str.casefold().map(_FLAGS).astype("boolean")
    return found, pd.Series(np.where(found.isna(), "not a flag", ""), index=text.index, dtype=object)


def _words(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    spellings = {word.casefold(): word for word in column.words} | _SYNONYMS.get(column.name, {})
    found = text.str.casefold().map(spellings).astype(object)
    return found, pd.Series(np.where(found.isna(), "not a word", ""), index=text.index, dtype=object)


def _texts(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    return text, pd.Series("", index=text.index, dtype=object)


_READERS = {
    "number": _numbers, "integer": _integers, "date": _dates, "flag": _flags, "word": _words, "text": _texts,
}  # fmt: skip


def _sentences(reason: str, column: Column) -> tuple[str, str]:
    kind = {"integer": "a whole number"}.get(column.kind, "a number") + (f" in {column.unit}" if column.unit else "")
    also = ", ".join(word.upper() for word in _SYNONYMS.get(column.name, ()))
    listed = f"{list(column.words)}" + (f" ({also} are read as well)" if also else "")
    words = {"kind": kind, "words": listed, "date": column.name.removesuffix("day") + "date"}
    expected, mend = _REASONS[reason]
    return expected.format(**words), mend.format(**words, unknown=_when_unknown(column))


def _when_unknown(column: Column) -> str:
    return "leave the cell empty when it is not known" if column.nullable else "leave the row out when it is not known"


def _within_range(
    found: pd.Series, values: pd.Series, column: Column, file: str
) -> tuple[pd.Series, list[pd.DataFrame]]:
    """The column with what lies outside the declared range set to missing, so that no rule stumbles over it again."""
    bounds = [
        (column.minimum, found.lt, "at least {:g}"),
        (column.maximum, found.gt, "at most {:g}"),
    ]
    faults = []
    for bound, beyond, sentence in bounds:
        if bound is not None:
            out = beyond(bound).fillna(False).to_numpy(dtype=bool)
            expected = f"{sentence.format(bound)} {column.unit}".strip()
            mend = f"correct it; {_when_unknown(column)}"
            faults.append(faults_at(file, column.name, found.index[out], values[out], expected, mend))
            found = found.mask(out)
    return found, faults
