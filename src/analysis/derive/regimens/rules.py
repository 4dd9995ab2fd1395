"""Lines of therapy by rule, from what was given and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive.regimens import days, exposures, moments, ohdsi, stepwise
from analysis.derive.regimens.assembly import Begun, assemble

MAINTENANCE_AGENTS = ("bortezomib", "ixazomib", "lenalidomide", "thalidomide")

# window_days, gap_days
_DEFAULTS = {"rajkumar": (28, None), "ohdsi": (30, 90), "window_gap": (28, 120)}
RULES = tuple(_DEFAULTS)


def lines_of_therapy(
    treatments: pd.DataFrame,
    rule: str = "rajkumar",
    window_days: int | str = "default",
    gap_days: int | str | None = "default",
    tandem_days: int = 180,
    maintenance_days: int = 180,
    bridging_days: int = 60,
    apheresis_days: int = 120,
    interruption_days: int = 30,
    maintenance_agents: tuple[str, ...] = MAINTENANCE_AGENTS,
    findings: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Which lines of therapy do dated treatments make, when no one has numbered them?

    Returns LINES with `start_reason`, `end_reason` and `bridging`, sorted by patient and line, in days. Outcomes are
    left open (response "unknown", no progression): `lines` adds them. Stated line numbers are not read.

    What holds under every rule:

    - Steroids alone never make a line and never move its start; support drugs are ignored. Names that the vocabulary
      does not know are agents of their own. All forms of an ingredient are one agent.
    - Drugs begun within `window_days` of the line's start belong to it (default: rajkumar and window_gap 28, a cycle of
      four weeks; ohdsi 30).
    - A short course in the two weeks before a transplant is conditioning; one of at most a week that contains
      cyclophosphamide, in the two months before, is mobilisation of stem cells: neither begins a line.
    - Cell therapy is one line with its apheresis (at most `apheresis_days` before), bridging and lymphodepletion. It
      begins at apheresis; where none is on record, with the first course, steroids included, begun at most
      `bridging_days` before the infusion.
    - Exposures of one agent that overlap or lie up to `interruption_days` apart are one, and all drugs off for longer
      is a stop (rajkumar, window_gap). 30 suits refills and administrations; where the source records whole courses
      with their ends, 1. A missing end is unknown: the agent may go on until the next line. Rows without a start
      cannot be placed and are left out.

    "rajkumar" (Rajkumar, Richardson and San Miguel, Blood 2015;126:921): induction, transplant, consolidation and
    maintenance are one line. A new line begins with (1) a different regimen after all drugs were stopped, (2) an
    unplanned addition or substitution, (3) a second transplant, unless it follows the first within `tandem_days`.
    The same regimen taken up again is the same line, after any pause unless `gap_days` is given; part of the regimen
    is, up to `maintenance_days` after the stop. Claims do not tell intent. Here "unplanned" is a drug that is new to
    the line and comes after the window, except a stated maintenance (TREATMENTS.phase) or, where no phase is
    stated, one new agent of `maintenance_agents` within `maintenance_days` of a transplant. What is taken up later than
    that after a transplant is relapse treatment; so is a stated "treatment" or "induction" after a stated maintenance.
    Where `findings` (FINDINGS) document a progression in the line, what begins on or after that day is unplanned, the
    same drugs and the window included (Rajkumar 2011: treatment needed again after observation is a new line).

    "ohdsi" (OHDSI myeloma episodes, 2025): regimens end when another drug begins after the window, or when any drug is
    off for more than `gap_days` (90); they are joined to lines around a transplant, as maintenance by a single drug,
    or when a PI or an IMiD of a class new to the regimen is added within 90 days.

    "window_gap", the plain rule of claims studies: a drug new to the line after the window, or more than `gap_days`
    (120) without any treatment, begins a line. Transplants never do; maintenance after one is exempt as above.

    `gap_days` None: no pause ever begins a line.

    Raises
    ------
    ValueError
        for a rule or a number of days that makes no sense; all at once.
    analysis.schema.SchemaError
        when the frame does not fit TREATMENTS (the column `line` may be absent).
    analysis.schema.BadInputError
        for rows that end before they start, or a patient with more than 64 agents.

    Example
    -------
    >>> given = [("bortezomib", 1, 110), ("ASCT", 150, 150), ("Revlimid", 240, 700), ("daratumumab", 730, 900)]
    >>> treatments = pd.DataFrame(given, columns=["agent", "start_day", "end_day"]).assign(patient_id="a")
    >>> found = lines_of_therapy(treatments)
    >>> found[["line", "start_day", "regimen", "start_reason"]].values.tolist()  # doctest: +NORMALIZE_WHITESPACE
    [[1, 1, 'bortezomib+lenalidomide+autologous transplant', 'first treatment'],
     [2, 730, 'daratumumab', 'drug switched']]
    """
    chosen = _chosen(rule, window_days, gap_days)
    numbers = {
        "window_days": chosen[0],
        "gap_days": 0 if chosen[1] is None else chosen[1],
        "tandem_days": tandem_days,
        "maintenance_days": maintenance_days,
        "bridging_days": bridging_days,
        "apheresis_days": apheresis_days,
        "interruption_days": interruption_days,
    }
    _refuse(numbers)
    gap = np.inf if chosen[1] is None else chosen[1]
    rows = exposures.read(treatments)
    by_regimens = rule == "ohdsi"
    eras = exposures.collapse(rows, gap if by_regimens else interruption_days, by_phase=not by_regimens)
    given = _given(eras, bridging_days, apheresis_days)
    days_of = stepwise.Choices(
        chosen[0], gap, tandem_days, maintenance_days, interruption_days, strict=rule == "rajkumar"
    )
    if by_regimens:
        begun = _by_regimens(given, days_of, maintenance_agents)
    else:
        begun = _by_steps(given, _progressions(findings, eras.patients), days_of, maintenance_agents)
    found = assemble(begun, eras, given.prepares, given.driving, given.cells, chosen[0])
    return schema.check(found, schema.LINES)


@dataclass(frozen=True)
class _Given:
    """What all rules look at."""

    eras: exposures.Eras
    cells: days.Infusions
    prepares: days.Preparation
    driving: days.Drivers


def _given(eras: exposures.Eras, bridging_days: int, apheresis_days: int) -> _Given:
    cells = days.infusions(eras, bridging_days, apheresis_days)
    prepares = days.preparation(eras, cells)
    return _Given(eras, cells, prepares, days.drivers(eras, prepares.is_so))


def _progressions(findings: pd.DataFrame | None, patients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Patient, by place, and day of each documented progression, sorted."""
    if findings is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    schema.check(findings, schema.FINDINGS)
    rows = findings[findings["finding"] == "progression"]
    patient = pd.Index(patients).get_indexer(rows["patient_id"])
    day = rows["day"].to_numpy(dtype=np.int64)[patient >= 0]
    patient = patient[patient >= 0].astype(np.int64)
    order = np.argsort(days.at(patient, day), kind="stable")
    return patient[order], day[order]


def _by_steps(
    given: _Given,
    progressions: tuple[np.ndarray, np.ndarray],
    choices: stepwise.Choices,
    maintenance_agents: tuple[str, ...],
) -> Begun:
    eras, driving = given.eras, given.driving
    found, begins_at = moments.moments(driving, days.transplants(eras), given.cells, progressions, choices.window_days)
    maintaining = ohdsi.word_of(driving, eras.agents, len(eras.patients), maintenance_agents)
    starts = stepwise.starts(found, driving, begins_at, maintaining, choices)
    first = np.flatnonzero(starts.reason)
    reason = np.array(stepwise.REASONS, dtype=object)[starts.reason[first]]
    maintenance = pd.array(starts.maintenance[first], dtype="boolean")
    if not eras.phase.any():  # without stated phases nobody can say that there was none
        maintenance[~starts.maintenance[first]] = pd.NA
    return Begun(found.patient[first], found.day[first], reason, starts.agents[first], maintenance)


def _by_regimens(given: _Given, choices: stepwise.Choices, maintenance_agents: tuple[str, ...]) -> Begun:
    eras, driving = given.eras, given.driving
    is_cells = eras.agents.parts[driving.agent] == exposures.CELLS
    cell_word = np.zeros(len(eras.patients), dtype=np.uint64)
    bits = np.uint64(1) << driving.owned_number[is_cells].astype(np.uint64)
    np.bitwise_or.at(cell_word, driving.owner[is_cells], bits)
    drug = (driving.bit & cell_word[driving.patient]) == 0
    latest = np.full(len(eras.patients), -exposures.NEVER)
    np.maximum.at(latest, eras.patient, eras.end)
    # A drug is known to be off only where the records go on for longer than the gap.
    off = ~driving.is_open & (driving.end + choices.gap_days < latest[driving.patient])
    stop = np.where(off, driving.end, exposures.NEVER)
    regimen = ohdsi.regimens(driving.only(drug), stop[drug], choices.window_days)
    infused = np.zeros(len(given.cells.day), dtype=np.uint64)
    place = np.searchsorted(
        days.at(given.cells.patient, given.cells.day), days.at(driving.patient[~drug], driving.start[~drug])
    )
    np.bitwise_or.at(infused, place, driving.bit[~drug])
    found = ohdsi.items(regimen, days.transplants(eras), given.cells, infused, choices.tandem_days)
    groups = ohdsi.named_groups(driving, eras.agents, len(eras.patients), maintenance_agents)
    reason, maintains = ohdsi.joined(found, groups, choices.maintenance_days)
    begins = reason != ""
    first = np.flatnonzero(begins)
    if not len(first):
        return Begun(found.patient, found.start, reason, found.agents, maintains)
    agents = np.bitwise_or.reduceat(found.agents, first)
    kept = np.logical_or.reduceat(maintains, first)
    return Begun(found.patient[first], found.start[first], reason[first], agents, kept)


def _chosen(rule: str, window_days: int | str, gap_days: int | str | None) -> tuple[int, int | None]:
    """Window and gap of the rule, where none is given its default."""
    if rule not in _DEFAULTS:
        raise ValueError(f"rule: expected one of {list(RULES)}, came {rule!r}; name one of them")
    window, gap = _DEFAULTS[rule]
    return window if window_days == "default" else window_days, gap if gap_days == "default" else gap_days


def _refuse(numbers: dict[str, object]) -> None:
    """Whole numbers of days from 0 on; all faults at once."""
    faults = [
        f"{name}: expected a whole number of days, 0 or more, came {came!r}"
        for name, came in numbers.items()
        if isinstance(came, bool) or not isinstance(came, int | np.integer) or came < 0
    ]
    if faults:
        raise ValueError("; ".join(faults) + "; gap_days may also be None (no pause begins a line)")
