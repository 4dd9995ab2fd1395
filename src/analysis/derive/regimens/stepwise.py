"""From moment to moment: does the line go on, or does a new one begin? All patients take a step at once.

The same steps serve two rules: Rajkumar 2015, and the plainer one of a window and a gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.derive.regimens.days import Drivers
from analysis.derive.regimens.exposures import NEVER
from analysis.derive.regimens.moments import Moments, in_parts, part_of, rounds

REASONS = (
    "",
    "first treatment",
    "drug added",
    "drug switched",
    "different regimen after a stop",
    "treatment gap",
    "transplant",
    "cell therapy",
    "treatment after maintenance",
    "treatment after progression",
)
_FIRST, _ADDED, _SWITCHED, _DIFFERENT, _GAP, _TRANSPLANT, _CELLS, _AFTER_MAINTENANCE, _AFTER_PROGRESSION = range(1, 10)
_NONE = np.uint64(0)
_CELLS_OF_MEMORY = 2**24


@dataclass(frozen=True)
class Choices:
    """What the rule is told; `strict` asks Rajkumar's questions beyond the window and the gap."""

    window_days: int
    gap_days: float
    tandem_days: int
    maintenance_days: int
    interruption_days: int
    strict: bool


@dataclass(frozen=True)
class Starts:
    """Where lines begin: per moment the reason (0 = none), the agents of the line begun, and its maintenance."""

    reason: np.ndarray
    agents: np.ndarray
    maintenance: np.ndarray


@dataclass
class _State:
    """What is known of each patient between two moments, patients with many moments first."""

    ends: np.ndarray  # last known day of each agent
    bits: np.ndarray
    began_at: np.ndarray  # the moment at which the running line began
    line_day: np.ndarray
    cells_until: np.ndarray
    members: np.ndarray  # agents that the line may go on with
    episode: np.ndarray  # agents given since all drugs were last stopped
    latest: np.ndarray  # the day up to which treatment may have gone on
    first_transplant: np.ndarray
    last_transplant: np.ndarray
    maintained: np.ndarray

    def head(self, size: int) -> _State:
        """The same arrays, seen up to the last patient who still has moments."""
        cut = {name: array[:size] for name, array in vars(self).items() if name != "bits"}
        return _State(bits=self.bits, **cut)

    def given_since(self, rows: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Agents known to have been given on or after that day, as a word."""
        late = self.ends[rows] >= day[:, None]
        return np.bitwise_or.reduce(np.where(late, self.bits, _NONE), axis=1)


def starts(
    found: Moments, driving: Drivers, begins_at: np.ndarray, maintaining: np.ndarray, choices: Choices
) -> Starts:
    """Follow all patients through their moments. `maintaining` is each patient's word of maintenance agents."""
    width = int(driving.number.max(initial=0)) + 1
    whole = _nothing(len(found.day))
    for low, high in in_parts(found, max(_CELLS_OF_MEMORY // width, 1)):
        eras = slice(*np.searchsorted(begins_at, [low, high]))
        ends = (driving.number[eras], driving.end[eras], begins_at[eras] - low)
        part = _follow(part_of(found, low, high), ends, width, maintaining, choices)
        for name, values in vars(part).items():
            getattr(whole, name)[low:high] = values
    return whole


def _nothing(size: int) -> Starts:
    return Starts(np.zeros(size, np.int8), np.zeros(size, np.uint64), np.zeros(size, bool))


def _follow(found: Moments, eras: tuple[np.ndarray, ...], width: int, maintaining: np.ndarray, choices: Choices):
    number, end, begins_at = eras
    eras_from = np.searchsorted(begins_at, np.arange(len(found.day) + 1))
    first, owner, active = rounds(found)
    state, result, maintaining = _before(len(first), width), _nothing(len(found.day)), maintaining[owner]
    for step, size in enumerate(active):
        now, here = first[:size] + step, state.head(size)
        reason = _reason(here, found, now, maintaining[:size], choices, step == 0)
        _go_on(here, found, now, reason, result, choices)
        for extra in range(int((eras_from[now + 1] - eras_from[now]).max())):
            rows = np.flatnonzero(eras_from[now] + extra < eras_from[now + 1])
            era = eras_from[now[rows]] + extra
            here.ends[rows, number[era]] = np.maximum(here.ends[rows, number[era]], end[era])
    return result


def _before(size: int, width: int) -> _State:
    def never() -> np.ndarray:
        return np.full(size, -NEVER)

    def nothing() -> np.ndarray:
        return np.zeros(size, np.uint64)

    return _State(
        ends=np.full((size, width), -(2**31), dtype=np.int32),
        bits=np.uint64(1) << np.arange(width, dtype=np.uint64),
        began_at=np.zeros(size, np.int64),
        line_day=never(),
        cells_until=never(),
        members=nothing(),
        episode=nothing(),
        latest=never(),
        first_transplant=never(),
        last_transplant=never(),
        maintained=np.zeros(size, bool),
    )


def _reason(here: _State, found: Moments, now: np.ndarray, maintaining: np.ndarray, choices: Choices, is_first: bool):
    """Why a line begins at this moment of each patient: a place in REASONS, 0 where the line goes on."""
    if is_first:
        return np.where(found.cells_until[now] > -NEVER, _CELLS, _FIRST).astype(np.int8)
    day, begun, transplant = found.day[now], found.begun[now], found.transplant[now]
    gap = day - here.latest
    stopped = gap > choices.interruption_days
    joins = day <= np.maximum(here.line_day + choices.window_days, here.cells_until)
    transplants_again = transplant & _salvage(here, day, gap, choices)
    after = day <= np.where(transplant & ~transplants_again, day, here.last_transplant) + choices.maintenance_days
    coming = np.where(stopped, found.ahead[now], begun)
    fresh = coming & ~here.members
    allowed = after & (np.bitwise_count(fresh) <= 1)
    fresh &= ~found.planned[now]
    fresh &= ~np.where(allowed, maintaining & found.unstated[now], _NONE)
    added = (fresh != 0) & (begun != 0) & ~joins
    paused = stopped & ((begun & ~found.planned[now]) != 0) & ~joins & ~after
    reason = np.zeros(len(now), np.int8)
    if choices.strict:
        reason[_another(here, found, now, paused, choices)] = _DIFFERENT
    reason[paused & (gap > choices.gap_days)] = _GAP
    reason[added] = np.where(stopped[added], _DIFFERENT, _how_added(here, day, added, choices))
    if choices.strict:
        reason[transplants_again] = _TRANSPLANT
        reason[here.maintained & found.treats[now] & ~joins] = _AFTER_MAINTENANCE
        relapsed = (found.progressed[now] > here.line_day) & (day > here.cells_until)
        reason[relapsed & ((begun & ~found.planned[now]) != 0)] = _AFTER_PROGRESSION
    reason[found.cells_until[now] > -NEVER] = _CELLS
    return reason


def _salvage(here: _State, day: np.ndarray, gap: np.ndarray, choices: Choices) -> np.ndarray:
    """A transplant now is no planned part of the line: a second one, not in tandem, or the first long after the end."""
    had = here.first_transplant > -NEVER
    return np.where(had, day > here.first_transplant + choices.tandem_days, gap > choices.maintenance_days)


def _another(here: _State, found: Moments, now: np.ndarray, paused: np.ndarray, choices: Choices) -> np.ndarray:
    """Rows where what begins after a stop of all drugs is neither the regimen stopped nor, soon, a part of it."""
    rows = np.flatnonzero(paused)
    coming, episode = found.ahead[now[rows]], here.episode[rows]
    at_stop = here.given_since(rows, here.latest[rows] - choices.window_days) & here.members[rows]
    part = (coming & ~episode) == 0
    soon = found.day[now[rows]] - here.latest[rows] <= choices.maintenance_days
    same = (coming == episode) | ((coming == at_stop) & part) | (part & soon)
    return rows[~same]


def _how_added(here: _State, day: np.ndarray, added: np.ndarray, choices: Choices) -> np.ndarray:
    """A drug is added to others that go on past the window, or takes the place of those that do not."""
    rows = np.flatnonzero(added)
    kept = here.given_since(rows, day[rows] + choices.window_days)
    return np.where(kept != 0, _ADDED, _SWITCHED)


def _go_on(here: _State, found: Moments, now: np.ndarray, reason: np.ndarray, result: Starts, choices: Choices):
    """The state after this moment, and what it adds to the line that runs."""
    day, begun, transplant = found.day[now], found.begun[now], found.transplant[now]
    stopped = day - here.latest > choices.interruption_days
    after = (day > here.last_transplant) & (day <= here.last_transplant + choices.maintenance_days)
    new = np.flatnonzero(reason)
    carried = here.given_since(new, day[new] + choices.window_days)
    last_given = here.ends[new].max(axis=1, initial=-(2**31)).astype(np.int64)
    carried_to = np.where(carried != 0, last_given, -NEVER)
    result.reason[now] = reason
    here.began_at[new], here.line_day[new] = now[new], day[new]
    here.cells_until[new] = found.cells_until[now[new]]
    here.members[new], here.episode[new], here.latest[new] = carried, carried, carried_to
    here.first_transplant[new] = here.last_transplant[new] = -NEVER
    here.maintained[new] = stopped[new] = after[new] = False
    result.agents[now[new]] = carried
    result.agents[here.began_at] |= begun
    unstated = (begun & found.unstated[now]) != 0
    result.maintenance[here.began_at] |= found.maintains[now] | (after & unstated)
    # Agents of bridging are no regimen to go on with once the cells are given.
    infused = (day == here.cells_until) & (begun != 0)
    known = np.where(reason > 0, found.ahead[now], begun)
    here.members[:] = np.where(infused, begun, here.members | known)
    here.episode[:] = np.where(infused | stopped, begun, here.episode | known)
    rows = np.flatnonzero(transplant)
    here.episode[rows] = here.given_since(rows, day[rows]) | begun[rows]
    here.last_transplant[rows] = day[rows]
    first = rows[here.first_transplant[rows] == -NEVER]
    here.first_transplant[first] = day[first]
    here.latest[:] = np.maximum(here.latest, found.latest[now])
    here.maintained[:] |= found.maintains[now]
