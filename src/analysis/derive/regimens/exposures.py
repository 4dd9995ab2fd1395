"""TREATMENTS as numbers: rows cleaned and sorted once, then collapsed into eras of one agent of one patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import schema, vocabulary

NEVER = 2**40  # a day that no record reaches
PHASES = ("unknown", *(word for word in schema.TREATMENTS["phase"].words if word != "unknown"))
MOST_AGENTS = 64  # of one patient: they are the bits of one word

_SUPPORT, STEROID, DRUG, TRANSPLANT, CELLS, APHERESIS = range(6)
_APHERESIS = "apheresis"  # support that tells where the line of a cell therapy begins
_TABLE = schema.Table(
    "TREATMENTS",
    schema.TREATMENTS.row,
    tuple(column for column in schema.TREATMENTS.columns if column.name != "line"),
)


@dataclass(frozen=True)
class Agents:
    """The agents that occur: canonical names in alphabetical order, their classes, and the part that each plays."""

    names: np.ndarray
    classes: np.ndarray
    parts: np.ndarray

    def code(self, name: str) -> int:
        """Place of an agent among those that occur; -1 when it does not."""
        found = np.flatnonzero(self.names == name)
        return int(found[0]) if len(found) else -1


@dataclass(frozen=True)
class Eras:
    """Rows of one agent of one patient, in the order of patient, agent, phase and start; `agents` explains `agent`.

    `end` is the last known day, `is_open` says that a record gave none: the agent may have gone on.
    """

    patients: np.ndarray
    agents: Agents
    patient: np.ndarray
    agent: np.ndarray
    phase: np.ndarray
    start: np.ndarray
    end: np.ndarray
    is_open: np.ndarray

    @property
    def part(self) -> np.ndarray:
        """What part the agent of each row plays: DRUG, STEROID, TRANSPLANT, CELLS or APHERESIS."""
        return self.agents.parts[self.agent]


def read(treatments: pd.DataFrame) -> Eras:
    """The rows that can be placed in time, sorted; support drugs and rows without a start are left out.

    Raises analysis.schema.BadInputError for rows that end before they start.
    """
    coded = _coded(treatments)
    schema.check(coded, _TABLE)
    start, has_start = _days(treatments["start_day"])
    end, has_end = _days(treatments["end_day"])
    _refuse_reversed(treatments, has_start & has_end & (end < start))
    agents, agent = _agents(coded["agent"].cat)
    patients, patient = _in_order(coded["patient_id"].cat)
    phase = _phases(coded["phase"].cat) if "phase" in coded else np.zeros(len(coded), dtype=np.int64)
    end = np.where(has_end, end, start)
    use = has_start & (agents.parts[agent] != _SUPPORT)
    if not use.all():
        columns = (patient, agent, phase, start, end, has_end)
        patient, agent, phase, start, end, has_end = (column[use] for column in columns)
    order = _order(patient, agent, phase, start, len(agents.names))
    is_open = ~has_end & np.isin(agents.parts[agent], (DRUG, STEROID))
    columns = (column[order] for column in (patient, agent, phase, start, end, is_open))
    return Eras(patients, agents, *columns)


def collapse(rows: Eras, gap_days: float, by_phase: bool = True) -> Eras:
    """Eras: rows of one agent (and phase) that overlap, touch, or lie at most `gap_days` apart are one."""
    if not len(rows.start):
        return rows
    phase = rows.phase if by_phase else np.zeros_like(rows.phase)
    if not by_phase:  # within an agent the rows come by phase; without phases they must come by start
        order = _order(rows.patient, rows.agent, phase, rows.start, len(rows.agents.names))
        rows = Eras(rows.patients, rows.agents, *(column[order] for column in _columns(rows)))
    changes = (np.diff(rows.patient) != 0) | (np.diff(rows.agent) != 0) | (np.diff(phase) != 0)
    group = np.concatenate([[0], np.cumsum(changes)])
    latest = _latest_so_far(group, rows.end)
    begins = np.concatenate([[True], changes | (rows.start[1:] - latest[:-1] > gap_days)])
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(begins)) - 1
    return Eras(
        rows.patients,
        rows.agents,
        rows.patient[first],
        rows.agent[first],
        phase[first],
        rows.start[first],
        latest[last],
        np.logical_or.reduceat(rows.is_open, first),
    )


def _columns(rows: Eras) -> tuple[np.ndarray, ...]:
    return rows.patient, rows.agent, rows.phase, rows.start, rows.end, rows.is_open


def _latest_so_far(group: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Running maximum of `end` within each group; groups come one after the other."""
    low = int(end.min())
    width = int(end.max()) - low + 1
    return np.maximum.accumulate(group * width + (end - low)) - group * width + low


def _days(days: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Days as whole numbers (0 where missing), and where they are known."""
    known = days.notna().to_numpy()
    if known.all():
        return days.to_numpy(dtype=np.int64), known
    return days.fillna(0).to_numpy(dtype=np.int64), known


def _refuse_reversed(treatments: pd.DataFrame, reversed_: np.ndarray) -> None:
    if not reversed_.any():
        return
    rows = np.flatnonzero(reversed_)
    shown = rows[:3]
    came = [f"{treatments['start_day'].iloc[row]} to {treatments['end_day'].iloc[row]}" for row in shown]
    faults = pd.DataFrame({"line": shown + 1, "value": came}).assign(
        severity="error",
        file="treatments",
        column="end_day",
        expected=f"an end on or after the start ({len(rows)} row(s) of the frame end before they start)",
        mend="find out which of the two days holds",
    )
    raise schema.BadInputError(faults[schema.FAULTS.names].astype({"line": "Int64"}))


def _coded(treatments: pd.DataFrame) -> pd.DataFrame:
    """Words as categories: each distinct one is checked and looked up once, not in every row."""
    columns = {}
    for column in (column for column in _TABLE.columns if column.name in treatments):
        values = treatments[column.name]
        if column.kind in ("text", "word"):
            code, words = pd.factorize(values)
            values = pd.Series(pd.Categorical.from_codes(code, pd.Index(words, dtype=object)), index=treatments.index)
        columns[column.name] = values
    return pd.DataFrame(columns, index=treatments.index, copy=False)


def _agents(names: pd.Series.cat) -> tuple[Agents, np.ndarray]:
    """The canonical agents and the code of each row's."""
    canonical = vocabulary.canonical_agents(pd.Series(names.categories, dtype=object))
    known, code = np.unique(canonical.to_numpy(dtype=str), return_inverse=True)
    known = known.astype(object)
    classes = vocabulary.drug_classes(pd.Series(known, dtype=object)).to_numpy(dtype=object)
    kinds = pd.Series(known, dtype=object).map(vocabulary.drugs().set_index("agent")["kind"])
    parts = np.select(
        [
            known == _APHERESIS,
            (kinds == "support").to_numpy(),
            classes == "steroid",
            (kinds == "transplant").to_numpy(),
            (kinds == "cell therapy").to_numpy(),
        ],
        [APHERESIS, _SUPPORT, STEROID, TRANSPLANT, CELLS],
        DRUG,
    )
    return Agents(known, classes, parts), code[names.codes.to_numpy()]


def _phases(phase: pd.Series.cat) -> np.ndarray:
    """The place of each row's phase in PHASES."""
    return np.array([PHASES.index(word) for word in phase.categories], dtype=np.int64)[phase.codes.to_numpy()]


def _in_order(names: pd.Series.cat) -> tuple[np.ndarray, np.ndarray]:
    """Patients in the order of their names, and the place of each row's."""
    patients = names.categories.to_numpy(dtype=object)
    order = np.argsort(patients.astype(str), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return patients[order], place[names.codes.to_numpy()]


def _order(patient: np.ndarray, agent: np.ndarray, phase: np.ndarray, start: np.ndarray, agents: int) -> np.ndarray:
    """The order by patient, agent, phase and start, by one sort of one number."""
    if not len(start):
        return np.zeros(0, dtype=np.int64)
    low = start.min()
    key = ((patient * agents + agent) * len(PHASES) + phase) * (start.max() - low + 1) + (start - low)
    return np.argsort(key)
