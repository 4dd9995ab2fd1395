"""A patient's spells on one clock: when under observation, when relapsed, how it ended.

The clock starts with the first line. A patient is under observation from `entered` to `left` without a break, also
between a relapse and the start of the next line, when the patient may die but cannot relapse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.doors import WORDS, as_names, check_spells, check_strata, plain_numbers
from analysis.estimate.strata import strata_of
from analysis.schema import SchemaError

_ROUNDING = 1e-9  # of the size of the days: a sum of two numbers of days may miss a third by as much
_ENDS = np.isin(WORDS, ("death", "censored"))


@dataclass(frozen=True)
class Courses:
    """One item per patient in the first block, one per spell, by patient and line, in the second.

    `strata` has the label and the columns of each stratum. `cut_short` marks those last seen at a relapse or a next
    line, so that nobody knows how long they were watched after it. `began` is the start of a line on the patient's
    clock, `entry`, `time` and `word` (a position in the schema's event words) are those of the spell, `patient` is the
    position of its patient.
    """

    strata: pd.DataFrame
    stratum: np.ndarray
    entered: np.ndarray
    left: np.ndarray
    died: np.ndarray
    cut_short: np.ndarray

    patient: np.ndarray
    line: np.ndarray
    began: np.ndarray
    entry: np.ndarray
    time: np.ndarray
    word: np.ndarray


def courses(spells: pd.DataFrame, by: str | list[str] | None, survival: pd.DataFrame | None) -> Courses:
    """When was each patient under observation, and when did what happen, in time since the start of the first line?

    Parameters
    ----------
    spells : table SPELLS with `start_day`; every line of a patient that was observed at all
    by : columns that make the strata; one value per patient. Read in `survival` where that is given
    survival : SPELLS of the same patients that end at death only, or None: then a patient is taken to be watched until
        the end of the last spell. Only the rows of line 1 are read

    Raises
    ------
    schema.SchemaError
        naming column and row: what `counts.count` refuses, a missing or repeated patient and line, lines that overlap,
        a line after a death or a censoring, a first line that is not line 1 when `survival` is not given, a patient
        without survival, a survival that ends before a spell does, a stratum that changes from line to line.

    Example
    -------
    >>> days = {"patient_id": "a", "line": [1, 2], "start_day": [3, 50], "entry": 0, "time": [40, 9]}
    >>> found = courses(pd.DataFrame(days).assign(event=["relapse", "death"]), None, None)
    >>> found.began.tolist(), found.left.tolist(), found.died.tolist()
    ([0.0, 47.0], [56.0], [True])
    """
    names = as_names(by)
    if "line" in names:
        raise ValueError(
            f"by: expected columns with one value per patient, came {by!r}; 'line' differs within patients"
        )
    word = _checked(spells, names if survival is None else [], "table SPELLS")
    patient, who = pd.factorize(spells["patient_id"])
    line = plain_numbers(spells["line"])
    order = _order(patient, line)
    rows = _Rows(spells, patient[order], line[order], word[order], order)
    if survival is None:
        strata, stratum, entered, left, died, origin = _from_spells(rows, names, len(who))
    else:
        rows, (strata, stratum, entered, left, died, origin) = _from_survival(rows, who, survival, names)
    began = rows.start - origin[rows.patient]
    _raise("table SPELLS", _order_faults(rows) + _end_faults(rows, began, entered, left, died))
    last = np.append(rows.patient[1:] != rows.patient[:-1], True) if len(word) else np.zeros(0, dtype=bool)
    cut_short = np.zeros(len(left), dtype=bool)
    if survival is None:
        cut_short[rows.patient[last]] = ~_ENDS[rows.word[last]]
    return Courses(
        strata, stratum, entered, left, died, cut_short,
        rows.patient, rows.line, began, rows.entry, rows.time, rows.word,
    )  # fmt: skip


class _Rows:
    """The spells as plain arrays in order of patient and line; `frame` and `order` lead back to the rows' names."""

    def __init__(self, frame, patient, line, word, order):
        self.frame, self.patient, self.line, self.word, self.order = frame, patient, line, word, order
        self.start, self.entry, self.time = (
            plain_numbers(frame[name]).astype(float)[order] for name in ("start_day", "entry", "time")
        )

    def name(self, position: int):
        """The row's name in the frame that was handed in."""
        return self.frame.index[self.order[position]]


def _order(patient: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Positions in order of patient and line; no sort where the rows stand so already."""
    step, same = np.diff(patient), patient[1:] == patient[:-1]
    if ((step > 0) | (same & (np.diff(line) > 0))).all():
        return np.arange(len(patient))
    return np.lexsort((line, patient))


def _checked(frame: pd.DataFrame, names: list[str], where: str) -> np.ndarray:
    """Raise for a column that is absent, no number or incomplete; else return the codes of the events."""
    needed = ("patient_id", "line", "start_day")
    faults = [
        f"column {name!r} is missing; this estimate needs whole patients: derive.spells makes it"
        for name in needed
        if name not in frame.columns
    ]
    _raise(where, faults)
    for name in ("line", "start_day"):
        values = frame[name]
        if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
            faults.append(f"column {name!r}: expected numbers, came {values.dtype}; convert it first")
        elif (faulty := ~np.isfinite(plain_numbers(values).astype(float))).any():
            row = frame.index[np.argmax(faulty)]
            faults.append(f"column {name!r}: expected a number, came {values[faulty].iloc[0]} first in row {row}")
    if (faulty := frame["patient_id"].isna().to_numpy()).any():
        faults.append(f"column 'patient_id': expected a name, came none first in row {frame.index[np.argmax(faulty)]}")
    _raise(where, faults)
    check_strata(frame, names, where)
    return check_spells(frame, names, "entry", None)


def _from_spells(rows: _Rows, names: list[str], patients: int) -> tuple:
    """Each patient's clock from the spells alone: from the first to the end of the last."""
    first = np.flatnonzero(np.append(True, rows.patient[1:] != rows.patient[:-1])) if patients else np.zeros(0, int)
    last = np.append(first[1:], len(rows.patient)) - 1 if patients else first
    if (late := rows.line[first] != 1).any():
        at = first[np.argmax(late)]
        _raise("table SPELLS", [
            f"columns 'patient_id' and 'line': expected each patient's line 1, came line {rows.line[at]:g} first "
            f"of patient {rows.frame['patient_id'].iloc[rows.order[at]]!r}, first in row {rows.name(at)} "
            f"({int(late.sum())} patient(s)); hand in `survival`, or leave these patients out and count them"
        ])  # fmt: skip
    heads = rows.frame.iloc[rows.order[first]]
    stratum, strata = strata_of(heads, names)
    own = strata_of(rows.frame, names)[0][rows.order]
    if (changed := own != stratum[rows.patient]).any():
        at = np.argmax(changed)
        _raise("table SPELLS", [
            f"columns {names}: expected one value per patient, came another than on line 1 first in row "
            f"{rows.name(at)} ({int(changed.sum())} row(s)); take the value at the start of line 1"
        ])  # fmt: skip
    origin = rows.start[first]
    left = rows.start[last] + rows.time[last] - origin
    died = rows.word[last] == WORDS.index("death")
    return strata, stratum, rows.entry[first], left, died, origin


def _from_survival(rows: _Rows, who: pd.Index, survival: pd.DataFrame, names: list[str]) -> tuple:
    """Each patient's clock from spells that end at death; the spells' patients are numbered as the survival's rows."""
    where = "table SPELLS given as survival"
    word = _checked(survival, names, where)
    faults = []
    if (faulty := ~_ENDS[word]).any():
        row = survival.index[np.argmax(faulty)]
        faults.append(f"column 'event': expected 'death' or 'censored', came {WORDS[word[np.argmax(faulty)]]!r} "
                      f"first in row {row} ({int(faulty.sum())} row(s)); derive it with endpoint 'death'")  # fmt: skip
    kept = plain_numbers(survival["line"]) == 1
    heads = survival[kept]
    if (again := heads["patient_id"].duplicated().to_numpy()).any():
        row = heads.index[np.argmax(again)]
        faults.append(f"columns 'patient_id' and 'line': expected each once, first repeated in row {row}; keep one")
    _raise(where, faults)
    place = pd.Index(heads["patient_id"]).get_indexer(who)
    if (absent := place < 0).any():
        at = np.argmax(absent[rows.patient])
        _raise(where, [f"column 'patient_id': expected a row of line 1 for every patient of the spells, came none for "
                       f"{who[np.argmax(absent)]!r}, in row {rows.name(at)} of the spells "
                       f"({int(absent.sum())} patient(s))"])  # fmt: skip
    stratum, strata = strata_of(heads, names)
    entered, left, origin = (plain_numbers(heads[name]).astype(float) for name in ("entry", "time", "start_day"))
    moved = place[rows.patient]
    order = _order(moved, rows.line)
    rows = _Rows(rows.frame, moved[order], rows.line[order], rows.word[order], rows.order[order])
    return rows, (strata, stratum, entered, left, word[kept] == WORDS.index("death"), origin)


def _order_faults(rows: _Rows) -> list[str]:
    """What cannot be in the sequence of one patient's lines."""
    follows = rows.patient[1:] == rows.patient[:-1]
    end = rows.start + rows.time
    slack = _ROUNDING * np.abs(end[:-1])
    found = {
        "columns 'patient_id' and 'line': expected each pair once; keep one": np.diff(rows.line) == 0,
        "columns 'start_day' and 'time': expected a line to start no earlier than the spell before it ends; correct "
        "the day, or derive the spells again": rows.start[1:] < end[:-1] - slack,
        "column 'event': expected no line after a death or a censoring; leave the later line out, or correct the event "
        "before it": _ENDS[rows.word[:-1]],
        "column 'entry': expected delayed entry on the first line that was observed only": rows.entry[1:] > 0,
    }
    faults = []
    for text, where in found.items():
        if (faulty := follows & where).any():
            at = 1 + np.argmax(faulty)
            faults.append(f"{text}; first in row {rows.name(at)} ({int(faulty.sum())} row(s))")
    return faults


def _end_faults(rows: _Rows, began: np.ndarray, entered: np.ndarray, left: np.ndarray, died: np.ndarray) -> list[str]:
    """Where the spells contradict the survival of their patients."""
    end, last = began + rows.time, left[rows.patient]
    slack = _ROUNDING * (1 + np.abs(end))
    dead = rows.word == WORDS.index("death")
    contradicts = dead & ((end < last - slack) | ~died[rows.patient])
    early = began + rows.entry < entered[rows.patient] - slack
    faulty = (end > last + slack) | contradicts | (began < 0) | early
    if not faulty.any():
        return []
    at = np.argmax(faulty)
    return [
        "columns 'start_day', 'entry', 'time' and 'event': expected spells inside the patient's survival and deaths "
        f"at its end, came {WORDS[rows.word[at]]!r} after observation from {began[at] + rows.entry[at]:g} to "
        f"{end[at]:g} in a survival from {entered[rows.patient[at]]:g} to {last[at]:g}, first in row {rows.name(at)} "
        f"({int(faulty.sum())} row(s)); derive both from the same records"
    ]


def _raise(where: str, faults: list[str]) -> None:
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise SchemaError(f"{where}: {len(faults)} fault(s)\n{listing}")
