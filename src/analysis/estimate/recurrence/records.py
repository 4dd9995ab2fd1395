"""The spells of whole patients in order, and what must hold of them before they are put on one clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.doors import WORDS, check_spells, check_strata, plain_numbers
from analysis.schema import SchemaError

ENDS = np.isin(WORDS, ("death", "censored"))
_ROUNDING = 1e-9  # of the size of the days: a sum of two numbers of days may miss a third by as much


@dataclass(frozen=True)
class Rows:
    """The spells as plain arrays in order of patient and line; `frame` and `order` lead back to the rows' names."""

    frame: pd.DataFrame
    order: np.ndarray
    patient: np.ndarray
    line: np.ndarray
    word: np.ndarray
    start: np.ndarray
    entry: np.ndarray
    time: np.ndarray

    def first(self, faulty: np.ndarray) -> int:
        """Of the faulty rows the one that stands first in the frame that was handed in."""
        at = np.flatnonzero(faulty)
        return at[np.argmin(self.order[at])]

    def name(self, position: int) -> object:
        """The row's name in the frame that was handed in."""
        return self.frame.index[self.order[position]]


def in_order(spells: pd.DataFrame, patient: np.ndarray, word: np.ndarray) -> Rows:
    """Lay the spells out by patient and line; no sort where the rows stand so already."""
    line = plain_numbers(spells["line"])
    step, same = np.diff(patient), patient[1:] == patient[:-1]
    sorted_already = ((step > 0) | (same & (np.diff(line) > 0))).all()
    order = np.arange(len(patient)) if sorted_already else np.lexsort((line, patient))
    days = (plain_numbers(spells[name]).astype(float)[order] for name in ("start_day", "entry", "time"))
    return Rows(spells, order, patient[order], line[order], word[order], *days)


def checked(frame: pd.DataFrame, names: list[str], where: str) -> np.ndarray:
    """Raise for a column that is absent, no number or incomplete; else return the codes of the events."""
    raise_faults(where, [
        f"column {name!r} is missing; this estimate needs whole patients: derive.spells makes it"
        for name in ("patient_id", "line", "start_day") if name not in frame.columns
    ])  # fmt: skip
    faults = [*_number_faults(frame, "line"), *_number_faults(frame, "start_day")]
    if (faulty := frame["patient_id"].isna().to_numpy()).any():
        faults.append(f"column 'patient_id': expected a name, came none first in row {frame.index[np.argmax(faulty)]}")
    raise_faults(where, faults)
    check_strata(frame, names, where)
    return check_spells(frame, names, "entry", None)


def _number_faults(frame: pd.DataFrame, name: str) -> list[str]:
    """What is no day, or no number of a line."""
    values = frame[name]
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return [f"column {name!r}: expected numbers, came {values.dtype}; convert it first"]
    plain = plain_numbers(values).astype(float)
    right = (plain >= 1) & (plain == np.floor(plain)) if name == "line" else np.isfinite(plain)
    if right.all():
        return []
    at = np.argmin(right)
    expected = "a whole number from 1" if name == "line" else "a day"
    return [f"column {name!r}: expected {expected}, came {plain[at]:g} first in row {frame.index[at]}; correct it"]


def order_faults(rows: Rows) -> list[str]:
    """What cannot be in the sequence of one patient's lines."""
    follows = rows.patient[1:] == rows.patient[:-1]
    end = rows.start + rows.time
    slack = _ROUNDING * np.abs(end[:-1])
    found = {
        "columns 'patient_id' and 'line': expected each pair once; keep one": np.diff(rows.line) == 0,
        "column 'line': expected every line up to the patient's last, came a line with none before it; add the spells "
        "between": np.diff(rows.line) > 1,
        "columns 'start_day' and 'time': expected a line to start no earlier than the spell before it ends; correct "
        "the day, or derive the spells again": rows.start[1:] < end[:-1] - slack,
        "column 'event': expected no line after a death or a censoring; leave the later line out, or correct the event "
        "before it": ENDS[rows.word[:-1]],
        "column 'entry': expected delayed entry on the first line that was observed only": rows.entry[1:] > 0,
    }
    faults = []
    for text, where in found.items():
        if (faulty := follows & where).any():
            at = rows.first(np.append(False, faulty))
            faults.append(f"{text}; first in row {rows.name(at)} ({int(faulty.sum())} row(s))")
    return faults


def end_faults(rows: Rows, began: np.ndarray, entered: np.ndarray, left: np.ndarray, died: np.ndarray) -> list[str]:
    """Where the spells contradict the survival of their patients."""
    end, last = began + rows.time, left[rows.patient]
    slack = _ROUNDING * (1 + np.abs(end))
    dead = rows.word == WORDS.index("death")
    contradicts = ENDS[rows.word] & ((end < last - slack) | (dead != died[rows.patient]))
    early = began + rows.entry < entered[rows.patient] - slack
    faulty = (end > last + slack) | contradicts | (began < 0) | early
    if not faulty.any():
        return []
    at = rows.first(faulty)
    return [
        "columns 'start_day', 'entry', 'time' and 'event': expected spells inside the patient's survival, death or "
        f"censoring where it ends and as it says, came {WORDS[rows.word[at]]!r} after observation from "
        f"{began[at] + rows.entry[at]:g} to {end[at]:g} in a survival from {entered[rows.patient[at]]:g} to "
        f"{last[at]:g}, first in row {rows.name(at)} ({int(faulty.sum())} row(s)); derive both from the same records"
    ]


def raise_faults(where: str, faults: list[str]) -> None:
    """Raise one SchemaError that lists the faults; do nothing where there are none."""
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise SchemaError(f"{where}: {len(faults)} fault(s)\n{listing}")
