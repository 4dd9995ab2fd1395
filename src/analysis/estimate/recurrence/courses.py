"""A patient's spells on one clock: when under observation, when relapsed, how it ended.

The clock starts with the first line. A patient is under observation from `entered` to `left` without a break, also
between a relapse and the start of the next line, when the patient may die but cannot relapse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.doors import WORDS, as_names, plain_numbers
from analysis.estimate.recurrence.records import ENDS, Rows, checked, end_faults, in_order, order_faults, raise_faults
from analysis.estimate.strata import strata_of

_DEATH = WORDS.index("death")


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
    word = checked(spells, names if survival is None else [], "table SPELLS")
    patient, who = pd.factorize(spells["patient_id"])
    if survival is None:
        rows = in_order(spells, patient, word)
        strata, stratum, entered, left, died, origin = _from_spells(rows, names, len(who))
    else:
        place, (strata, stratum, entered, left, died, origin) = _from_survival(spells, patient, who, survival, names)
        rows = in_order(spells, place[patient], word)
    began = rows.start - origin[rows.patient]
    raise_faults("table SPELLS", order_faults(rows) + end_faults(rows, began, entered, left, died))
    cut_short = np.zeros(len(left), dtype=bool)
    if survival is None:
        last = np.append(rows.patient[1:] != rows.patient[:-1], True)[: len(word)]
        cut_short[rows.patient[last]] = ~ENDS[rows.word[last]]
    return Courses(
        strata, stratum, entered, left, died, cut_short,
        rows.patient, rows.line, began, rows.entry, rows.time, rows.word,
    )  # fmt: skip


def _from_spells(rows: Rows, names: list[str], patients: int) -> tuple:
    """Strata and clock of each patient from the spells alone: from the start of the first to the end of the last."""
    bounds = np.searchsorted(rows.patient, np.arange(patients + 1))
    first, last = bounds[:-1], bounds[1:] - 1
    late = np.zeros(len(rows.line), dtype=bool)
    late[first] = rows.line[first] != 1
    if late.any():
        at = rows.first(late)
        raise_faults("table SPELLS", [
            f"columns 'patient_id' and 'line': expected each patient's line 1, came line {rows.line[at]:g} first "
            f"of patient {rows.frame['patient_id'].iloc[rows.order[at]]!r}, first in row {rows.name(at)} "
            f"({int(late.sum())} patient(s)); hand in `survival`, or leave these patients out and count them"
        ])  # fmt: skip
    own = strata_of(rows.frame, names)[0][rows.order]
    changed = own != own[first][rows.patient]
    if changed.any():
        raise_faults("table SPELLS", [
            f"columns {names}: expected one value per patient, came another than on line 1 first in row "
            f"{rows.name(rows.first(changed))} ({int(changed.sum())} row(s)); take the value at the start of line 1"
        ])  # fmt: skip
    stratum, strata = strata_of(rows.frame.iloc[rows.order[first]], names)
    origin = rows.start[first]
    left = rows.start[last] + rows.time[last] - origin
    return strata, stratum, rows.entry[first], left, rows.word[last] == _DEATH, origin


def _from_survival(
    spells: pd.DataFrame, patient: np.ndarray, who: pd.Index, survival: pd.DataFrame, names: list[str]
) -> tuple:
    """Strata and clock of each patient from spells that end at death; and where the spells' patients stand there."""
    where = "table SPELLS given as survival"
    word = checked(survival, names, where)
    faults = []
    if (faulty := ~ENDS[word]).any():
        at = np.argmax(faulty)
        faults.append(
            f"column 'event': expected 'death' or 'censored', came {WORDS[word[at]]!r} first in row "
            f"{survival.index[at]} ({int(faulty.sum())} row(s)); derive it with endpoint 'death'"
        )
    kept = plain_numbers(survival["line"]) == 1
    heads = survival[kept]
    if (again := heads["patient_id"].duplicated().to_numpy()).any():
        row = heads.index[np.argmax(again)]
        faults.append(f"columns 'patient_id' and 'line': expected each once, first repeated in row {row}; keep one")
    raise_faults(where, faults)
    place = pd.Index(heads["patient_id"]).get_indexer(who)
    if (absent := (place < 0)[patient]).any():
        at = np.argmax(absent)
        raise_faults(where, [
            f"column 'patient_id': expected a row of line 1 for every patient of the spells, came none for "
            f"{spells['patient_id'].iloc[at]!r}, in row {spells.index[at]} of the spells ({int(absent.sum())} row(s))"
        ])  # fmt: skip
    stratum, strata = strata_of(heads, names)
    entered, left, origin = (plain_numbers(heads[name]).astype(float) for name in ("entry", "time", "start_day"))
    return place, (strata, stratum, entered, left, word[kept] == _DEATH, origin)
