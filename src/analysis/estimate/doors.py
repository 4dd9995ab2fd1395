"""What must hold of spells before anything is counted: every fault found at once, by column and first row."""

from __future__ import annotations

import difflib

import numpy as np
import pandas as pd

from analysis.schema import (
    ATTRITION,
    CURVES,
    DESCRIPTION,
    DIFFERENCES,
    EXPECTED_TIMES,
    OCCUPANCY,
    QUANTILES,
    RATES,
    RESTRICTED_MEANS,
    RISK,
    SPELLS,
    SchemaError,
)

CENSORED = "censored"
WORDS = SPELLS["event"].words
_RESULTS = (CURVES, RISK, QUANTILES, RESTRICTED_MEANS, DIFFERENCES, RATES, ATTRITION, DESCRIPTION)
_RESULTS += (OCCUPANCY, EXPECTED_TIMES)
_TAKEN = {name for table in _RESULTS for name in table.names} - {"line"} | {"last_time"}


def as_names(by: str | list[str] | None) -> list[str]:
    """The columns that make the strata, as a list."""
    return [] if by is None else [by] if isinstance(by, str) else list(by)


def check_spells(spells: pd.DataFrame, by: list[str], entry: str | None, weight: str | None) -> np.ndarray:
    """Raise one SchemaError that names every fault in the columns that a count will use; else return the event codes.

    It reads only the columns in use, because the whole check of the table costs more than the estimate itself.
    """
    numbers = ["time", *([entry] if entry else []), *([weight] if weight else [])]
    faults = [_absent(name, spells) for name in [*numbers, "event", *by] if name not in spells.columns]
    present = [name for name in numbers if name in spells.columns]
    wrong = {name: fault for name in present if (fault := _number_fault(spells[name], name))}
    faults += wrong.values()
    codes = np.zeros(0, dtype=np.intp)
    if "event" in spells.columns:
        codes, found = _checked_events(spells["event"])
        faults += found
    if entry and {entry, "time"} <= set(present) - set(wrong):
        faults += _entry_faults(spells, entry)
    faults += _strata_faults(spells, by)
    _raise("table SPELLS", faults)
    return codes


def check_strata(frame: pd.DataFrame, by: list[str], where: str) -> None:
    """Raise one SchemaError that names every `by` column that is absent or has missing values."""
    _raise(where, [_absent(name, frame) for name in by if name not in frame.columns] + _strata_faults(frame, by))


def repeated_patients(spells: pd.DataFrame) -> str:
    """What must be said of a comparison that takes rows for independent; empty where no patient has several."""
    again = int(spells["patient_id"].duplicated().sum()) if "patient_id" in spells.columns else 0
    if not again:
        return ""
    return f"{again} rows are of a patient who has another: rows were taken for independent, so p is only a guide"


def _raise(where: str, faults: list[str]) -> None:
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise SchemaError(f"{where}: {len(faults)} fault(s)\n{listing}")


def _strata_faults(frame: pd.DataFrame, by: list[str]) -> list[str]:
    taken = [f"column {name!r}: results have a column of that name; rename it first" for name in by if name in _TAKEN]
    return taken + [fault for name in by if name in frame.columns and (fault := _missing_fault(frame[name], name))]


def _absent(name: str, spells: pd.DataFrame) -> str:
    near = difflib.get_close_matches(str(name), [str(column) for column in spells.columns], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the frame has {list(map(str, spells.columns))}"
    return f"column {name!r} is missing; {hint}"


def _first(faulty: np.ndarray, spells: pd.DataFrame | pd.Series) -> str:
    return f"first in row {spells.index[np.flatnonzero(faulty)[0]]} ({int(faulty.sum())} row(s))"


def _number_fault(values: pd.Series, name: str) -> str:
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return f"column {name!r}: expected numbers, came {values.dtype}; convert it first"
    plain = plain_numbers(values)
    # One comparison finds NaN, negative and infinite values together; only then is it asked which.
    if len(plain) and not (plain.min() >= 0 and plain.max() < np.inf):
        faulty = ~((plain >= 0) & (plain < np.inf))
        came = plain[faulty][0]
        return (
            f"column {name!r}: expected a finite number of at least 0, came {came} {_first(faulty, values)}; "
            "correct the row or leave it out, and count what was left out"
        )
    return ""


def _checked_events(events: pd.Series) -> tuple[np.ndarray, list[str]]:
    if pd.api.types.is_numeric_dtype(events.dtype):
        return np.zeros(0, dtype=np.intp), [
            f"column 'event': expected words among {list(WORDS)}, came {events.dtype} codes; "
            "map each code to its word, so that no code can be read as true or false"
        ]
    codes = event_codes(events)
    if len(codes) == 0 or codes.min() >= 0:
        return codes, []
    unknown = codes < 0
    came = events.to_numpy(dtype=object)[unknown][0]
    return codes, [f"column 'event': expected one of {list(WORDS)}, came {came!r} {_first(unknown, events)}"]


def _entry_faults(spells: pd.DataFrame, entry: str) -> list[str]:
    begin, end = plain_numbers(spells[entry]), plain_numbers(spells["time"])
    if not len(begin) or begin.max() == 0:
        return []
    faulty = (begin > 0) & (begin >= end)
    if not faulty.any():
        return []
    row = np.flatnonzero(faulty)[0]
    return [
        f"columns {entry!r} and 'time': expected time after entry, came entry {begin[row]:g} and time {end[row]:g} "
        f"{_first(faulty, spells)}; such a subject is never at risk: leave it out, and count what was left out"
    ]


def _missing_fault(values: pd.Series, name: str) -> str:
    missing = values.isna().to_numpy()
    if not missing.any():
        return ""
    return (
        f"column {name!r}: expected a value in every row, came a missing one {_first(missing, values)}; say 'unknown'"
    )


def plain_numbers(values: pd.Series) -> np.ndarray:
    """The values as numpy's own numbers without a copy where they are, else as floats with NaN for missing ones."""
    if isinstance(values.dtype, np.dtype):
        return values.to_numpy()
    return values.to_numpy(dtype=float, na_value=np.nan)


def event_codes(events: pd.Series) -> np.ndarray:
    """The position of each event word in the schema's list of words, -1 for a word that is not in it."""
    if isinstance(events.dtype, pd.CategoricalDtype):
        codes, words = events.cat.codes.to_numpy(), events.cat.categories
    else:
        codes, words = pd.factorize(events.to_numpy(dtype=object))
    # A missing event has code -1 and so takes the last position, that of an unknown word.
    position = np.array([WORDS.index(word) if word in WORDS else -1 for word in words] + [-1], dtype=np.intp)
    return position[codes]
