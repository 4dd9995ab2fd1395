"""Lines by the rules of the OHDSI community for myeloma (2025): drugs make regimens, regimens are joined to lines.

One regimen of every patient per round; then one regimen, transplant or infusion per round is joined or begins a line.
The document of the rules has no tests and leaves some things open; docs/methods.md says how it is read here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.derive.regimens.days import Drivers, Infusions, at
from analysis.derive.regimens.exposures import NEVER, Agents

TOGETHER_DAYS = 30  # drugs that stop this soon after the first one stopped end the regimen together
_POLYTHERAPY_DAYS, _MAINTENANCE_LENGTH_DAYS = 30, 60  # at least so long: what is maintained, and what maintains
_AFTER_TRANSPLANT_DAYS = 365  # any single drug begun so soon after a transplant
_ADDITION_DAYS, _LENALIDOMIDE_DAYS = 90, 60
_REGIMEN, _TRANSPLANT, _CELLS = range(3)
_NONE = np.uint64(0)
_PI = ("bortezomib", "carfilzomib", "ixazomib")
_IMID = ("lenalidomide", "pomalidomide", "thalidomide")


@dataclass(frozen=True)
class Items:
    """Regimens, transplants and lines of cells in the order of patient and start, each with its agents' bits."""

    patient: np.ndarray
    start: np.ndarray
    end: np.ndarray
    agents: np.ndarray
    kind: np.ndarray
    cells_until: np.ndarray


def regimens(spans: Drivers, stop: np.ndarray, window_days: int) -> tuple[np.ndarray, ...]:
    """Patient, start, end and agents of each regimen.

    `spans` are sorted by patient and start; `stop` is the day on which each is discontinued, NEVER where it is not
    known to be. A regimen is what is given within `window_days` of its start; it ends the day before another drug
    begins, or with the last of the drugs that stop within 30 days of the first one stopped.
    """
    patient, start, end, bit = spans.patient, spans.start, spans.end, spans.bit
    found = []
    begin = np.full(int(patient.max(initial=-1)) + 1, NEVER)
    np.minimum.at(begin, patient, start)
    while len(patient):
        first = np.flatnonzero(np.diff(patient, prepend=-1))
        owner = patient[first]
        mine = np.repeat(begin[owner], np.diff(np.append(first, len(patient))))
        live = (start <= mine + window_days) & (end >= mine)
        agents = np.bitwise_or.reduceat(np.where(live, bit, _NONE), first)
        rows = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(patient))))
        another = (start > mine + window_days) & ((bit & agents[rows]) == 0)
        before_another = np.minimum.reduceat(np.where(another, start, NEVER), first) - 1
        stopped = np.minimum.reduceat(np.where(live, stop, NEVER), first)
        together = live & (stop <= (stopped + TOGETHER_DAYS)[rows]) & (stop < NEVER)
        discontinued = np.where(stopped < NEVER, np.maximum.reduceat(np.where(together, end, -NEVER), first), NEVER)
        last_day = np.minimum(before_another, discontinued)
        never = last_day >= NEVER - 1
        last_day = np.where(never, np.maximum.reduceat(end, first), last_day)
        found.append((owner, begin[owner], last_day, agents))
        left = (end > last_day[rows]) & ~never[rows]
        onward = np.where(left, np.maximum(start, last_day[rows] + 1), NEVER)
        begin[owner] = np.minimum.reduceat(onward, first)
        patient, start, end, bit, stop = (column[left] for column in (patient, start, end, bit, stop))
    if not found:
        return tuple(np.zeros(0, dtype) for dtype in (np.int64, np.int64, np.int64, np.uint64))
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.argsort(at(columns[0], columns[1]), kind="stable")
    return tuple(column[order] for column in columns)


def items(
    regimen: tuple[np.ndarray, ...],
    transplants: tuple[np.ndarray, np.ndarray],
    cells: Infusions,
    infused: np.ndarray,
    tandem_days: int,
) -> Items:
    """All that can be part of a line, sorted; of transplants within `tandem_days` only the first.

    `infused` holds the bits of the cells that each infusion gave.
    """
    patient, start, end, agents = regimen
    whose, day = _without_tandem(*transplants, tandem_days)
    columns = [
        np.concatenate([patient, whose, cells.patient]),
        np.concatenate([start, day, cells.begin]),
        np.concatenate([end, day, cells.day]),
        np.concatenate([agents, np.zeros(len(day), np.uint64), infused]),
        np.repeat([_REGIMEN, _TRANSPLANT, _CELLS], [len(patient), len(day), len(cells.day)]),
        np.concatenate([np.full(len(patient) + len(day), -NEVER), cells.day]),
    ]
    # On one day: cells first, because their line takes in what begins with it; a transplant before its maintenance.
    order = np.lexsort((-columns[4], at(columns[0], columns[1])))
    return Items(*(column[order] for column in columns))


def _without_tandem(patient: np.ndarray, day: np.ndarray, tandem_days: int) -> tuple[np.ndarray, np.ndarray]:
    kept = np.zeros(len(day), dtype=bool)
    left = np.arange(len(day))
    while len(left):
        first = left[np.flatnonzero(np.diff(patient[left], prepend=-1))]
        kept[first] = True
        reach = np.full(int(patient.max()) + 1, -NEVER)
        reach[patient[first]] = day[first] + tandem_days
        left = left[day[left] > reach[patient[left]]]
    return patient[kept], day[kept]


@dataclass
class _State:
    """The line that runs, and the regimen before."""

    line: np.ndarray
    line_day: np.ndarray
    agents: np.ndarray
    previous: np.ndarray
    previous_start: np.ndarray
    previous_end: np.ndarray
    transplant_day: np.ndarray
    end: np.ndarray
    cells_until: np.ndarray


def joined(found: Items, groups: dict[str, np.ndarray], maintenance_days: int) -> tuple[np.ndarray, ...]:
    """Per item: the reason in words for the line that begins with it (or ""), and whether it is maintenance.

    `groups` holds each patient's words of the agents that the rules name: PI, IMiD, maintenance, lenalidomide,
    daratumumab, cyclophosphamide.
    """
    first = np.flatnonzero(np.diff(found.patient, prepend=-1))
    many = np.diff(np.append(first, len(found.patient)))
    order = np.argsort(-many, kind="stable")
    active = np.searchsorted(-many[order], -np.arange(1, many.max(initial=0) + 1), side="right")
    first = first[order]
    groups = {name: word[found.patient[first]] for name, word in groups.items()}
    state = _State(*(np.full(len(first), -NEVER) if day else np.zeros(len(first), np.uint64) for day in _IS_DAY))
    state.line[:] = 0
    reason = np.full(len(found.patient), "", dtype=object)
    maintains = np.zeros(len(found.patient), dtype=bool)
    for step, size in enumerate(active.tolist()):
        now = first[:size] + step
        here = _State(**{name: array[:size] for name, array in vars(state).items()})
        mine = {name: word[:size] for name, word in groups.items()}
        keeps = _maintains(here, found, now, mine, maintenance_days)
        joins = _joins(here, found, now, mine, maintenance_days) | keeps
        joins &= (found.kind[now] != _CELLS) & (step > 0)
        reason[now] = np.where(joins, "", "first treatment" if step == 0 else _why(here, found, now))
        reason[now[found.kind[now] == _CELLS]] = "cell therapy"
        maintains[now] = keeps & joins
        _go_on(here, found, now, ~joins)
    return reason, maintains


_IS_DAY = (True, True, False, False, True, True, True, True, True)


def _maintains(here: _State, found: Items, now: np.ndarray, groups: dict[str, np.ndarray], maintenance_days: int):
    """A single drug that keeps a response: after several drugs for over 30 days, or within a year of a transplant."""
    agents, start, end = found.agents[now], found.start[now], found.end[now]
    single = (found.kind[now] == _REGIMEN) & (np.bitwise_count(agents) == 1)
    usual = (agents & groups["maintenance"]) != 0
    usual |= (agents & groups["daratumumab"] & here.previous) != 0
    after = (np.bitwise_count(here.previous) > 1) & (start <= here.previous_end + maintenance_days)
    after &= here.previous_end - here.previous_start + 1 > _POLYTHERAPY_DAYS
    after &= end - start + 1 > _MAINTENANCE_LENGTH_DAYS
    transplanted = start <= here.transplant_day + _AFTER_TRANSPLANT_DAYS
    return single & ((usual & after) | transplanted)


def _joins(here: _State, found: Items, now: np.ndarray, groups: dict[str, np.ndarray], maintenance_days: int):
    """Does what begins belong to the line that runs, maintenance apart?"""
    agents, start = found.agents[now], found.start[now]
    is_transplant = found.kind[now] == _TRANSPLANT
    first_transplant = is_transplant & (here.transplant_day == -NEVER) & (start <= here.end + maintenance_days)
    around = (start <= here.transplant_day + maintenance_days) & ((agents & ~here.agents) == 0)
    fresh = agents & ~here.previous
    added = (fresh != 0) & ((agents & here.previous) != 0) & (start <= here.previous_start + _ADDITION_DAYS)
    added &= (fresh & ~(groups["PI"] | groups["IMiD"])) == 0
    for name in ("PI", "IMiD"):
        added &= ((fresh & groups[name]) == 0) | ((here.previous & groups[name]) == 0)
    late = (fresh != 0) & ((fresh & ~groups["lenalidomide"]) == 0) & (here.line == 1)
    late &= ((here.agents & groups["cyclophosphamide"]) != 0) & (start <= here.line_day + _LENALIDOMIDE_DAYS)
    same_day = (start <= here.cells_until) | (start == here.line_day)
    return first_transplant | same_day | (~is_transplant & (around | added | late))


def _why(here: _State, found: Items, now: np.ndarray) -> np.ndarray:
    """Why a line begins with this item, in words."""
    agents, start = found.agents[now], found.start[now]
    fresh, pause = (agents & ~here.previous) != 0, start > here.previous_end + 1
    shared = (agents & here.previous) != 0
    return np.select(
        [found.kind[now] == _TRANSPLANT, fresh & pause, fresh & shared, fresh, pause],
        ["transplant", "different regimen after a stop", "drug added", "drug switched", "treatment gap"],
        "drug stopped",
    ).astype(object)


def _go_on(here: _State, found: Items, now: np.ndarray, begins: np.ndarray) -> None:
    """The state after this item."""
    start, end, agents, kind = found.start[now], found.end[now], found.agents[now], found.kind[now]
    here.line[:] += begins
    here.line_day[begins] = start[begins]
    here.agents[begins], here.transplant_day[begins], here.end[begins] = 0, -NEVER, -NEVER
    here.cells_until[begins] = found.cells_until[now[begins]]
    here.agents[:] |= agents
    here.end[:] = np.maximum(here.end, end)
    regimen, transplant, cells = kind == _REGIMEN, kind == _TRANSPLANT, kind == _CELLS
    here.previous[regimen], here.previous[cells] = agents[regimen], 0
    here.previous_start[regimen | cells] = start[regimen | cells]
    here.previous_end[regimen | cells] = end[regimen | cells]
    here.transplant_day[transplant] = start[transplant]


def named_groups(driving: Drivers, agents: Agents, patients: int, maintenance_agents: tuple[str, ...]):
    """Each patient's words of the agents that the rules name."""
    sets = {"PI": _PI, "IMiD": _IMID, "maintenance": maintenance_agents}
    sets |= {name: (name,) for name in ("lenalidomide", "daratumumab", "cyclophosphamide")}
    return {name: word_of(driving, agents, patients, members) for name, members in sets.items()}


def word_of(driving: Drivers, agents: Agents, patients: int, members: tuple[str, ...]) -> np.ndarray:
    """Each patient's word of these agents."""
    use = np.isin(agents.names[driving.agent], members)
    word = np.zeros(patients, dtype=np.uint64)
    np.bitwise_or.at(word, driving.owner[use], np.uint64(1) << driving.owned_number[use].astype(np.uint64))
    return word
