"""The moments of each patient: one row per day on which a drug, a transplant or the line of a cell therapy begins."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from analysis.derive.regimens.days import Drivers, Infusions, at, phase_in
from analysis.derive.regimens.exposures import NEVER

_NO_DAY = -NEVER


@dataclass(frozen=True)
class Moments:
    """Sets of agents are words of bits. `first` is the place of each patient's first moment in the other columns."""

    patient: np.ndarray
    day: np.ndarray
    begun: np.ndarray  # agents that begin on this day
    ahead: np.ndarray  # agents that begin from this day to window_days later
    planned: np.ndarray  # of those ahead: stated as maintenance or as part of a transplant
    unstated: np.ndarray  # of those ahead: of no stated phase
    maintains: np.ndarray  # a stated maintenance begins
    treats: np.ndarray  # a stated induction or treatment begins
    latest: np.ndarray  # the last day up to which what begins here may go on
    transplant: np.ndarray
    cells_until: np.ndarray  # the day of infusion, where the line of a cell therapy begins here
    progressed: np.ndarray  # the last day of a documented progression, up to this one


def moments(
    driving: Drivers,
    transplanted: tuple[np.ndarray, np.ndarray],
    cells: Infusions,
    progressions: tuple[np.ndarray, np.ndarray],
    window_days: int,
) -> tuple[Moments, np.ndarray]:
    """The moments, sorted by patient and day, and for each driving era the moment at which it begins."""
    keys = [at(driving.patient, driving.start), at(*transplanted), at(cells.patient, cells.begin)]
    key, source = np.unique(np.concatenate(keys), return_index=True)
    patient = np.concatenate([driving.patient, transplanted[0], cells.patient])[source].astype(np.int64)
    day = np.concatenate([driving.start, transplanted[1], cells.begin])[source].astype(np.int64)
    eras_at, transplants_at, cells_at = (np.searchsorted(key, one) for one in keys)
    size = len(key)
    planned = phase_in(driving.phase, "maintenance", "transplant")
    until = np.full(size, _NO_DAY)
    until[cells_at] = cells.day
    latest = _largest(size, eras_at, _may_go_on(driving))
    latest[transplants_at] = np.maximum(latest[transplants_at], transplanted[1])
    begun = _word(size, eras_at, driving.bit)
    reach = np.searchsorted(key, at(patient, day + window_days), side="right")
    words = [begun, _word(size, eras_at, driving.bit, planned)]
    words.append(_word(size, eras_at, driving.bit, driving.phase == 0))
    ahead, planned_ahead, unstated = _ahead(words, reach)
    transplant = np.zeros(size, dtype=bool)
    transplant[transplants_at] = True
    return Moments(
        patient,
        day,
        begun,
        ahead,
        planned_ahead,
        unstated,
        _any(size, eras_at, phase_in(driving.phase, "maintenance")),
        _any(size, eras_at, phase_in(driving.phase, "induction", "treatment")),
        np.maximum(latest, day),
        transplant,
        until,
        _last_before(patient, key, *progressions),
    ), eras_at


def in_parts(found: Moments, patients: int) -> Iterator[tuple[int, int]]:
    """Bounds of the moments of so many patients at a time: what a round looks at stays small."""
    starts = np.flatnonzero(np.diff(found.patient, prepend=-1))
    bounds = [*starts[::patients].tolist(), len(found.day)]
    yield from itertools.pairwise(bounds)


def rounds(found: Moments) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Patients with many moments first: first moment of each, and how many patients have a first, second ... one."""
    first = np.flatnonzero(np.diff(found.patient, prepend=-1))
    many = np.diff(np.append(first, len(found.day)))
    order = np.argsort(-many, kind="stable")
    active = np.searchsorted(-many[order], -np.arange(1, many.max(initial=0) + 1), side="right")
    return first[order], found.patient[first[order]], active.tolist()


def part_of(found: Moments, low: int, high: int) -> Moments:
    """The moments from low to high."""
    return Moments(*(getattr(found, field.name)[low:high] for field in fields(Moments)))


def _last_before(patient: np.ndarray, key: np.ndarray, owner: np.ndarray, day: np.ndarray) -> np.ndarray:
    """The last of these days of the patient that is not after the moment."""
    if not len(day):
        return np.full(len(key), _NO_DAY)
    place = np.searchsorted(at(owner, day), key, side="right") - 1
    return np.where((place >= 0) & (owner[place] == patient), day[place], _NO_DAY)


def _may_go_on(driving: Drivers) -> np.ndarray:
    """The day up to which each era may go on: without a known end, to the agent's next start, or for ever."""
    if not driving.is_open.any():
        return driving.end
    order = np.lexsort((driving.start, driving.number, driving.patient))
    same = (np.diff(driving.patient[order]) == 0) & (np.diff(driving.number[order]) == 0)
    following = np.full(len(order), NEVER)
    following[order[:-1][same]] = driving.start[order[1:][same]]
    return np.where(driving.is_open, np.maximum(following, driving.end), driving.end)


def _word(size: int, place: np.ndarray, bit: np.ndarray, use: np.ndarray | None = None) -> np.ndarray:
    """All bits that fall on each place; `place` is sorted."""
    word = np.zeros(size, dtype=np.uint64)
    if len(place):
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        word[place[starts]] = np.bitwise_or.reduceat(bit if use is None else np.where(use, bit, np.uint64(0)), starts)
    return word


def _any(size: int, place: np.ndarray, use: np.ndarray) -> np.ndarray:
    found = np.zeros(size, dtype=bool)
    found[place[use]] = True
    return found


def _largest(size: int, place: np.ndarray, day: np.ndarray) -> np.ndarray:
    largest = np.full(size, _NO_DAY)
    if len(place):
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        largest[place[starts]] = np.maximum.reduceat(day, starts)
    return largest


def _ahead(words: list[np.ndarray], reach: np.ndarray) -> list[np.ndarray]:
    """Each word joined with those of the moments that follow, up to but not including the place `reach`."""
    joined = [word.copy() for word in words]
    left, step = np.arange(len(reach)), 1
    while len(left := left[left + step < reach[left]]):
        for whole, word in zip(joined, words, strict=True):
            whole[left] |= word[left + step]
        step += 1
    return joined
