"""What a rule looks at: per patient the days on which something begins, each agent a bit of that patient's own word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis import schema
from analysis.derive.regimens.exposures import (
    APHERESIS,
    CELLS,
    DRUG,
    MOST_AGENTS,
    NEVER,
    PHASES,
    STEROID,
    TRANSPLANT,
    Eras,
)

CONDITIONING_DAYS = 14  # before a transplant or an infusion of cells: preparation, whatever the drug
MOBILISATION_DAYS, MOBILISATION_LENGTH = 60, 7  # cyclophosphamide and its company: so near to a transplant, so short
_WIDE = 2**24  # more days than any record spans


@dataclass(frozen=True)
class Drivers:
    """Eras that can begin a line, in the order of patient and start; `bit` is the agent's bit in its patient's word.

    `owner` and `agent` say which agent of which patient stands behind bit number `number`, sorted by both.
    """

    patient: np.ndarray
    start: np.ndarray
    end: np.ndarray
    is_open: np.ndarray
    phase: np.ndarray
    number: np.ndarray
    owner: np.ndarray
    owned_number: np.ndarray
    agent: np.ndarray

    @property
    def bit(self) -> np.ndarray:
        """The agent's bit."""
        return np.uint64(1) << self.number.astype(np.uint64)

    def only(self, use: np.ndarray) -> Drivers:
        """Some of the eras, with the same bits."""
        columns = (self.patient, self.start, self.end, self.is_open, self.phase, self.number)
        return Drivers(*(column[use] for column in columns), self.owner, self.owned_number, self.agent)


@dataclass(frozen=True)
class Infusions:
    """Cell therapies: patient, day of infusion, the day on which its line begins, and whether it was bridged."""

    patient: np.ndarray
    day: np.ndarray
    begin: np.ndarray
    bridged: np.ndarray


@dataclass(frozen=True)
class Preparation:
    """Which eras only prepare for a transplant or for cells, and the day that places each era in a line."""

    is_so: np.ndarray
    placed: np.ndarray


def drivers(eras: Eras, preparing: np.ndarray) -> Drivers:
    """Drugs and cells; steroids, transplants and what only prepares for a transplant or for cells are left out."""
    pair_changes = (np.diff(eras.patient) != 0) | (np.diff(eras.agent) != 0)
    can = np.isin(eras.part, (DRUG, CELLS))
    pair = np.concatenate([[0], np.cumsum(pair_changes)]) if len(eras.start) else np.zeros(0, dtype=np.int64)
    first = np.flatnonzero(np.diff(pair[can], prepend=-1))
    number = np.cumsum(np.diff(pair[can], prepend=-1) != 0) - 1
    owner, agent = eras.patient[can][first], eras.agent[can][first]
    own_first = np.searchsorted(owner, owner)
    owned_number = np.arange(len(owner)) - own_first
    _refuse_many(eras, owner, owned_number)
    use = ~preparing[can]
    columns = [column[can][use] for column in (eras.patient, eras.start, eras.end, eras.is_open, eras.phase)]
    order = np.argsort(at(columns[0], columns[1]), kind="stable")
    numbers = owned_number[number[use]]
    return Drivers(*(column[order] for column in (*columns, numbers)), owner, owned_number, agent)


def preparation(eras: Eras, cells: Infusions) -> Preparation:
    """Conditioning, stem-cell mobilisation and lymphodepletion: they belong to what follows and never begin a line."""
    drug = eras.part == DRUG
    transplant_day, cells_day = _next(eras, *transplants(eras)), _next(eras, cells.patient, cells.day)
    target = np.minimum(transplant_day, cells_day)
    length = eras.end - eras.start
    conditioning = (target - eras.start <= CONDITIONING_DAYS) & (length <= CONDITIONING_DAYS)
    short = drug & (length <= MOBILISATION_LENGTH) & (transplant_day - eras.start <= MOBILISATION_DAYS)
    with_it = at(eras.patient, eras.start)
    mobilised = with_it[short & (eras.agent == eras.agents.code("cyclophosphamide"))]
    mobilising = short & np.isin(with_it, mobilised)
    is_so = drug & (conditioning | mobilising)
    return Preparation(is_so, np.where(is_so, target, eras.start))


def transplants(eras: Eras) -> tuple[np.ndarray, np.ndarray]:
    """Patient and day of each transplant, sorted."""
    use = eras.part == TRANSPLANT
    key = np.unique(at(eras.patient[use], eras.start[use]))
    return _apart(key)


def infusions(eras: Eras, bridging_days: int, apheresis_days: int) -> Infusions:
    """Where the line of each cell therapy begins: at apheresis; else with the first course begun shortly before."""
    use = eras.part == CELLS
    patient, day = _apart(np.unique(at(eras.patient[use], eras.start[use])))
    if not len(day):
        return Infusions(patient, day, day, np.zeros(0, dtype=bool))
    before = np.concatenate([[-NEVER], np.where(np.diff(patient) == 0, day[:-1], -NEVER)])
    harvest = _first_within(eras, eras.part == APHERESIS, patient, np.maximum(before + 1, day - apheresis_days), day)
    lymphodepletion = (eras.part == DRUG) & (_next(eras, patient, day) - eras.start <= CONDITIONING_DAYS)
    lymphodepletion &= np.isin(eras.agents.names[eras.agent], ("cyclophosphamide", "bendamustine"))
    courses = np.isin(eras.part, (DRUG, STEROID)) & ~lymphodepletion
    earliest = np.where(harvest < NEVER, harvest, np.maximum(before + 1, day - bridging_days))
    bridge = _first_within(eras, courses, patient, earliest, day - 1)
    begin = np.minimum(np.minimum(harvest, bridge), day)
    return Infusions(patient, day, begin, bridge < NEVER)


def at(patient: np.ndarray, day: np.ndarray) -> np.ndarray:
    """One number that sorts by patient, then by day."""
    return patient.astype(np.int64) * _WIDE + day + _WIDE // 2


def _apart(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return key // _WIDE, key % _WIDE - _WIDE // 2


def _next(eras: Eras, patient: np.ndarray, day: np.ndarray) -> np.ndarray:
    """For each era the first of these days of its patient on or after its start; NEVER without one."""
    if not len(day):
        return np.full(len(eras.start), NEVER)
    place = np.searchsorted(at(patient, day), at(eras.patient, eras.start))
    inside = np.minimum(place, len(day) - 1)
    found = (place < len(day)) & (patient[inside] == eras.patient)
    return np.where(found, day[inside], NEVER)


def _first_within(eras: Eras, use: np.ndarray, patient: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The first start, among the eras in use, from low to high of each patient; NEVER without one."""
    key = np.sort(at(eras.patient[use], eras.start[use]))
    if not len(key):
        return np.full(len(patient), NEVER)
    place = np.searchsorted(key, at(patient, np.maximum(low, -_WIDE // 2)))
    owner, day = _apart(key[np.minimum(place, len(key) - 1)])
    return np.where((place < len(key)) & (owner == patient) & (day <= high), day, NEVER)


def _refuse_many(eras: Eras, owner: np.ndarray, number: np.ndarray) -> None:
    many = np.unique(owner[number >= MOST_AGENTS])
    if not len(many):
        return
    fault = {
        "severity": "error",
        "file": "treatments",
        "line": None,
        "column": "agent",
        "value": str(eras.patients[many[0]]),
        "expected": f"at most {MOST_AGENTS} distinct agents of one patient ({len(many)} patient(s) have more)",
        "mend": "keep treatments of myeloma only",
    }
    import pandas as pd

    raise schema.BadInputError(pd.DataFrame([fault]).astype({"line": "Int64"}))


def phase_in(phase: np.ndarray, *words: str) -> np.ndarray:
    """Where the phase, as a place in PHASES, is one of these words."""
    return np.isin(phase, [PHASES.index(word) for word in words])
