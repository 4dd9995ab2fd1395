"""From where lines begin, and with which agents, to rows of LINES."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive.regimens.days import Drivers, Infusions, Preparation, at
from analysis.derive.regimens.exposures import APHERESIS, CELLS, DRUG, NEVER, Eras
from analysis.derive.regimens.naming import described


@dataclass(frozen=True)
class Begun:
    """Lines in the order of patient and start: the day, the reason in words, the agents' bits, and maintenance."""

    patient: np.ndarray
    day: np.ndarray
    reason: np.ndarray
    agents: np.ndarray
    maintenance: np.ndarray | pd.arrays.BooleanArray


def assemble(
    begun: Begun, eras: Eras, prepares: Preparation, driving: Drivers, cells: Infusions, window_days: int
) -> pd.DataFrame:
    """LINES with the reasons of start and end; outcomes are left open."""
    lines = len(begun.day)
    if not lines:
        return schema.empty(schema.LINES)[_names()]
    last = np.append(begun.patient[1:] != begun.patient[:-1], True)
    following = np.where(last, NEVER, np.append(begun.day[1:], NEVER))
    group, era, end = _given(begun, eras, prepares.placed, window_days, following)
    by_bits = np.isin(eras.part[era], (DRUG, CELLS)) & ~prepares.is_so[era]
    owned, owned_agent = _spelled_bits(begun, driving)
    named = np.concatenate([group[~by_bits], owned])
    agent = np.concatenate([eras.agent[era[~by_bits]], owned_agent])
    goes_on = np.zeros(lines, dtype=bool)
    goes_on[group[eras.is_open[era]]] = True
    ended = np.where(goes_on, "no end on record", "all drugs stopped").astype(object)
    ended[~last] = begun.reason[1:][~last[:-1]]
    bridged = np.isin(at(begun.patient, begun.day), at(cells.patient, cells.begin)[cells.bridged])
    first = np.flatnonzero(np.diff(begun.patient, prepend=-1))
    columns = {
        "patient_id": eras.patients[begun.patient],
        "line": np.arange(lines) - np.repeat(first, np.diff(np.append(first, lines))) + 1,
        "start_day": begun.day,
        "end_day": np.maximum(_largest(lines, group, end), begun.day),
        **described(named, agent, eras.agents.names, eras.agents.classes),
        "maintenance": begun.maintenance,
        "best_response": np.full(lines, "unknown", dtype=object),
        "progression_day": pd.array([pd.NA] * lines, dtype="Int64"),
        "relapse_kind": np.full(lines, "none", dtype=object),
        "start_imputed": np.zeros(lines, dtype=bool),
        "start_reason": begun.reason,
        "end_reason": ended,
        "bridging": bridged & (begun.reason == "cell therapy"),
    }
    frame = pd.DataFrame({name: columns[name] for name in _names()}, copy=False)
    return frame.astype({name: schema.LINES[name].dtype for name in _names()}, copy=False)


def _names() -> list[str]:
    left_out = ("response_day", "progression_origin")
    return [name for name in schema.LINES.names if name not in left_out]


def _given(
    begun: Begun, eras: Eras, placed: np.ndarray, window_days: int, following: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each line was given: line, era, and the era's last day within it.

    An era belongs to the line in which it starts, and to each later one into which it goes on past the window.
    Apheresis is no treatment. A steroid that began before the first line belongs to it where it goes on in it.
    """
    era = np.flatnonzero(eras.part != APHERESIS)
    group = np.searchsorted(at(begun.patient, begun.day), at(eras.patient[era], placed[era]), side="right") - 1
    inside = (group >= 0) & (begun.patient[np.maximum(group, 0)] == eras.patient[era])
    before = np.minimum(group + 1, len(begun.day) - 1)
    early = ~inside & (begun.patient[before] == eras.patient[era])
    group, starts_here = np.where(inside, group, before), inside
    use = inside | early
    era, group, starts_here = era[use], group[use], starts_here[use]
    found = []
    while len(era):
        kept = starts_here | (eras.end[era] >= begun.day[group] + window_days)
        last_day = np.minimum(eras.end[era], following[group] - 1)
        found.append((group[kept], era[kept], last_day[kept]))
        later = eras.end[era] >= following[group]
        era, group = era[later], group[later] + 1
        starts_here = np.zeros(len(era), dtype=bool)
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def _spelled_bits(begun: Begun, driving: Drivers) -> tuple[np.ndarray, np.ndarray]:
    """Line and agent of each bit of the lines' words."""
    low = np.searchsorted(driving.owner, begun.patient)
    nothing = np.zeros(0, dtype=np.int64)  # of a cohort with transplants only
    lines, agents = [nothing], [nothing]
    for number in range(int(driving.owned_number.max(initial=-1)) + 1):
        has = np.flatnonzero(begun.agents >> np.uint64(number) & np.uint64(1))
        lines.append(has)
        agents.append(driving.agent[low[has] + number])
    return np.concatenate(lines), np.concatenate(agents)


def _largest(size: int, group: np.ndarray, value: np.ndarray) -> np.ndarray:
    largest = np.full(size, -NEVER)
    np.maximum.at(largest, group, value)
    return largest
