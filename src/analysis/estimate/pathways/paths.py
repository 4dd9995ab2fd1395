"""Each patient's way through the lines on one clock, from spells that each have their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.doors import check_spells, plain_numbers
from analysis.schema import SchemaError

DEATH, UNTREATED = "death", "no further treatment"


@dataclass(frozen=True)
class Paths:
    """Stays in a state, sorted by patient and time: from `begin` to `end` in `state`, then `into`.

    `into` is -1 where the patient was watched no more. `first` marks the stay with which a patient comes under
    observation. `row` is the position of the spell it is of.
    """

    states: tuple[str, ...]
    patient: np.ndarray
    row: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    state: np.ndarray
    into: np.ndarray
    first: np.ndarray

    def kept(self, which: np.ndarray) -> Paths:
        """The stays picked by a mask."""
        fields = (self.patient, self.row, self.begin, self.end, self.state, self.into, self.first)
        return Paths(self.states, *(field[which] for field in fields))


def paths_of(
    spells: pd.DataFrame, by: list[str], zero_day: str | None, last_line: int | None, lost: str | None
) -> Paths:
    """The stays of all patients; SchemaError names every way in which the spells of a patient do not join up."""
    check_spells(spells, by, "entry", None)
    wanted = ["patient_id", "line", "start_day", *[name for name in (zero_day, lost) if name]]
    faults = [f"column {name!r} is missing" for name in wanted if name not in spells.columns]
    for name in wanted:
        if name in spells.columns and name != lost and spells[name].isna().any():
            row = spells.index[spells[name].isna()][0]
            faults.append(f"column {name!r}: expected a value in every row, came a missing one first in row {row}")
        if name in spells.columns and name != "patient_id" and not pd.api.types.is_numeric_dtype(spells[name].dtype):
            faults.append(f"column {name!r}: expected numbers, came {spells[name].dtype}; convert it first")
    _raise(faults)
    patient, _ = pd.factorize(spells["patient_id"])
    order = np.lexsort((spells["line"], patient))
    spells, patient = spells.iloc[order], patient[order]
    frame = {name: plain_numbers(spells[name]).astype(float) for name in ("entry", "time", "start_day", "line")}
    event = spells["event"].to_numpy(dtype=object)
    first = np.append(True, patient[1:] != patient[:-1])[: len(patient)]
    zero = _zero_day(spells, frame, patient, first, zero_day, faults)
    gone = np.full(len(spells), np.nan) if lost is None else plain_numbers(spells[lost]).astype(float)
    _check_joins(spells, frame, event, first, by, gone, lost, faults)
    _raise(faults)
    lines = np.minimum(frame["line"], np.inf if last_line is None else last_line).astype(int)
    numbers = np.unique(lines)
    states = [f"line {number}" for number in numbers]
    if last_line is not None and (frame["line"] > last_line).any():
        states[-1] += " or later"
    states += ([UNTREATED] if lost is not None else []) + [DEATH]
    state = np.searchsorted(numbers, lines)
    into = np.where(event == "death", len(states) - 1, -1)
    onward = np.flatnonzero(event == "next_line")
    into[onward] = state[onward + 1]
    begin, end = frame["start_day"] - zero + frame["entry"], frame["start_day"] - zero + frame["time"]
    begin[onward + 1] = end[onward]  # equal to the last bit, where times are fractions
    paths = Paths(tuple(states), patient, order, begin, end, state, into, first)
    return _without_empty_stays(paths if lost is None else _with_losses(paths, frame["start_day"] - zero + gone))


def _raise(faults: list[str]) -> None:
    if faults:
        raise SchemaError(
            f"table SPELLS for pathways: {len(faults)} fault(s)\n" + "\n".join(f"  - {fault}" for fault in faults)
        )


def _zero_day(
    spells: pd.DataFrame,
    frame: dict[str, np.ndarray],
    patient: np.ndarray,
    first: np.ndarray,
    zero_day: str | None,
    faults: list[str],
) -> np.ndarray:
    """Each row's day that is time zero of the patient's clock: given, or the start of the lowest line there is."""
    start = frame["start_day"]
    if zero_day is not None:
        zero = plain_numbers(spells[zero_day]).astype(float)
        _fault(faults, start < zero, spells, f"columns 'start_day' and {zero_day!r}: expected no line to start before "
               "time zero, came one")  # fmt: skip
        return zero
    if not len(start):
        return start
    lowest = frame["line"].min()
    _fault(faults, first & (frame["line"] > lowest), spells, f"column 'line': expected every patient to have line "
           f"{lowest:g}, whose start is time zero, came one without (give `zero_day`, a column of days)")  # fmt: skip
    return start[np.flatnonzero(first)][np.cumsum(first) - 1]


def _check_joins(
    spells: pd.DataFrame,
    frame: dict[str, np.ndarray],
    event: np.ndarray,
    first: np.ndarray,
    by: list[str],
    gone: np.ndarray,
    lost: str | None,
    faults: list[str],
) -> None:
    _fault(faults, event == "relapse", spells, "column 'event': expected spells that end at the next line, came "
           "'relapse' (derive them with endpoint 'next_line')")  # fmt: skip
    last = np.append(first[1:], True)[: len(first)]
    onward = event == "next_line"
    _fault(faults, onward & last, spells, "column 'event': expected the spell of the next line after 'next_line', came "
           "none (keep all lines; `last_line` joins the later ones)")  # fmt: skip
    _fault(faults, ~onward & ~last, spells, "column 'event': expected a patient's last spell after 'death' or "
           "'censored', came another one")  # fmt: skip
    ends = frame["start_day"] + frame["time"]
    apart = np.append(np.abs(ends[:-1] - frame["start_day"][1:]) > 1e-9, False)[: len(first)]
    _fault(faults, onward & ~last & apart, spells, "columns 'start_day' and 'time': expected the next line to start "
           "on the day this one ended, came another day")  # fmt: skip
    _fault(faults, ~first & (frame["entry"] > 0), spells, "column 'entry': expected 0 after a patient's first spell, "
           "came a delayed entry")  # fmt: skip
    if lost is not None:
        wrong = ~np.isnan(gone) & ~((gone >= 0) & (gone <= frame["time"]))
        _fault(faults, wrong, spells, f"column {lost!r}: expected a time from 0 to 'time' or none, came another")
        _fault(faults, ~np.isnan(gone) & onward, spells, f"column {lost!r}: expected none where another line follows")
    for name in by:
        values, _ = pd.factorize(spells[name])
        changed = ~first & np.append(False, values[1:] != values[:-1])[: len(first)]
        _fault(faults, changed, spells, f"column {name!r}: expected one value per patient, came another one")


def _fault(faults: list[str], wrong: np.ndarray, spells: pd.DataFrame, said: str) -> None:
    """Add a fault with its first row in the order of the patient's lines, and how many there are."""
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        who, line = spells["patient_id"].iloc[row], spells["line"].iloc[row]
        faults.append(f"{said}, first in row {spells.index[row]}, patient {who!r}, line {line} ({wrong.sum()} row(s))")


def _with_losses(paths: Paths, gone: np.ndarray) -> Paths:
    """Split each stay at the time from which no further treatment came."""
    untreated = len(paths.states) - 2
    split = np.flatnonzero(~np.isnan(gone))
    at = np.maximum(gone[split], paths.begin[split])
    place = np.concatenate([np.arange(len(paths.row)), split + 0.5])
    order = np.argsort(place, kind="stable")
    end, into = paths.end.copy(), paths.into.copy()
    end[split], into[split] = at, untreated
    joined = (
        np.append(paths.patient, paths.patient[split]),
        np.append(paths.row, paths.row[split]),
        np.append(paths.begin, at),
        np.append(end, paths.end[split]),
        np.append(paths.state, np.full(len(split), untreated)),
        np.append(into, paths.into[split]),
        np.append(paths.first, np.zeros(len(split), dtype=bool)),
    )
    return Paths(paths.states, *(field[order] for field in joined))


def _without_empty_stays(paths: Paths) -> Paths:
    """Leave out stays of no length, and send the stay before on to where they led; nobody can be at risk in them.

    A patient's first stay is kept: with no length at time zero its end happens among all who start, and with a delayed
    entry it is no stay at all.
    """
    empty = paths.begin == paths.end
    into = paths.into.copy()
    for place in np.flatnonzero(empty & ~paths.first)[::-1]:
        if into[place] >= 0:
            into[place - 1] = into[place]
    kept = Paths(paths.states, paths.patient, paths.row, paths.begin, paths.end, paths.state, into, paths.first).kept(
        ~empty | (paths.first & (paths.begin == 0))
    )
    fresh = np.append(True, kept.patient[1:] != kept.patient[:-1])[: len(kept.patient)]
    return Paths(kept.states, kept.patient, kept.row, kept.begin, kept.end, kept.state, kept.into, fresh)
