"""Lines of therapy one patient at a time, in plain Python with sets and loops: the witness of `lines_of_therapy`.

Written from the rules as docs/methods.md states them, sharing no code with the library but the vocabulary. Slow on
purpose: benchmarks/lines.py measures what it costs to do it so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from analysis import vocabulary

KINDS = vocabulary.drugs().set_index("agent")["kind"].to_dict()
CLASSES = vocabulary.drugs().set_index("agent")["drug_class"].to_dict()
MAINTENANCE = {"bortezomib", "ixazomib", "lenalidomide", "thalidomide"}
PI, IMID = {"bortezomib", "carfilzomib", "ixazomib"}, {"lenalidomide", "pomalidomide", "thalidomide"}
INTERRUPTION, TANDEM, AFTER, BRIDGING, HARVEST = 30, 180, 180, 60, 120
DEFAULTS = {"rajkumar": (28, None), "ohdsi": (30, 90), "window_gap": (28, 120)}


COLUMNS = [
    "patient_id", "line", "start_day", "end_day", "regimen", "classes", "transplant", "maintenance", "start_reason",
    "end_reason", "bridging",
]  # fmt: skip


@dataclass
class Course:
    agent: str
    phase: str
    start: int
    end: int
    open: bool
    prepares: int | None = None

    @property
    def part(self) -> str:
        if self.agent == "apheresis":
            return "apheresis"
        if CLASSES.get(self.agent) == "steroid":
            return "steroid"
        return {"transplant": "transplant", "cell therapy": "cells"}.get(KINDS.get(self.agent), "drug")


@dataclass
class Line:
    start: int
    why: str
    agents: set = field(default_factory=set)
    maintenance: bool = False


def by_patient(treatments: pd.DataFrame, rule: str, progressions: dict[str, list[int]] | None = None, **choices):
    """The rows of `lines_of_therapy`, outcomes left out, by one call per patient."""
    window, gap = DEFAULTS[rule]
    window, gap = choices.get("window_days", window), choices.get("gap_days", gap)
    frame = treatments.dropna(subset=["start_day"]).assign(agent=vocabulary.canonical_agents(treatments["agent"]))
    if "phase" not in frame:
        frame["phase"] = "unknown"
    states_phases = (frame["phase"] != "unknown").any()

    def one(rows: pd.DataFrame) -> list[tuple]:
        documented = sorted((progressions or {}).get(rows.name, []))
        raw = list(rows[["agent", "phase", "start_day", "end_day"]].itertuples(index=False, name=None))
        found, courses, bridged = lines_of(raw, rule, window, gap, documented)
        return described(found, courses, bridged, window, states_phases or rule == "ohdsi")

    made = frame.groupby("patient_id", sort=True)[["agent", "phase", "start_day", "end_day"]].apply(one)
    return pd.DataFrame([(patient, *row) for patient, found in made.items() for row in found], columns=COLUMNS)


def lines_of(raw: list[tuple], rule: str, window: int, gap: int | None, documented: list[int]):
    join = INTERRUPTION if rule != "ohdsi" else gap
    courses = merged(raw, join, by_phase=rule != "ohdsi")
    infusions = lines_of_cells(courses)
    for course in courses:
        course.prepares = what_it_prepares(course, courses)
    bridged = {begin for begin, _, bridge in infusions if bridge}
    infusions = [(begin, day) for begin, day, _ in infusions]
    if rule == "ohdsi":
        return ohdsi(courses, infusions, window, gap), courses, bridged
    return stepwise(courses, infusions, window, gap, rule == "rajkumar", documented), courses, bridged


def described(lines: list[Line], courses: list[Course], bridged: set[int], window: int, tells: bool) -> list[tuple]:
    """Rows of one patient: what each line was given, until when, and why it ended."""
    rows = []
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else None
        given = [c for c in courses if c.part != "apheresis" and belongs(c, lines, number, window)]
        agents = {c.agent for c in given if c.part not in ("drug", "cells") or c.prepares is not None} | line.agents
        classes = {CLASSES.get(agent, "unknown") for agent in agents}
        ends = [min(c.end, following.start - 1) if following else c.end for c in given]
        end = max([line.start, *ends])
        why = "no end on record" if any(c.open for c in given) else "all drugs stopped"
        cells = line.why == "cell therapy" and line.start in bridged
        maintenance = True if line.maintenance else False if tells else pd.NA
        row = (number + 1, line.start, min(end, following.start - 1) if following else end, joined(agents))
        row += (joined(classes), bool(classes & TRANSPLANTS), maintenance)
        rows.append((*row, line.why, following.why if following else why, cells))
    return rows


TRANSPLANTS = {"autologous transplant", "allogeneic transplant"}


def joined(words: set[str]) -> str:
    return "+".join([*sorted(words - TRANSPLANTS), *sorted(words & TRANSPLANTS)])


def belongs(course: Course, lines: list[Line], number: int, window: int) -> bool:
    placed = course.start if course.prepares is None else course.prepares
    home = max((n for n, line in enumerate(lines) if line.start <= placed), default=-1)
    return home == number or (home < number and course.end >= lines[number].start + window)


def merged(raw: list[tuple], join: float | None, by_phase: bool) -> list[Course]:
    kept: dict[tuple, list[Course]] = {}
    for agent, phase, start, end in sorted(raw, key=lambda row: row[2]):
        if KINDS.get(agent) == "support" and agent != "apheresis":
            continue
        phase = phase if by_phase else "unknown"
        unknown = pd.isna(end)
        row = Course(agent, phase, int(start), int(start if unknown else end), False)
        row.open = bool(unknown) and row.part in ("drug", "steroid")
        mine = kept.setdefault((agent, phase), [])
        if mine and (join is None or row.start - mine[-1].end <= join):
            mine[-1].end = max(mine[-1].end, row.end)
            mine[-1].open |= row.open
        else:
            mine.append(row)
    return sorted((course for mine in kept.values() for course in mine), key=lambda course: course.start)


def lines_of_cells(courses: list[Course]) -> list[tuple[int, int, bool]]:
    """First day and day of infusion of the line of each cell therapy, and whether it was bridged."""
    found, before = [], -(10**9)
    for day in sorted({course.start for course in courses if course.part == "cells"}):
        harvests = [
            c.start for c in courses if c.part == "apheresis" and max(before + 1, day - HARVEST) <= c.start <= day
        ]
        low = min(harvests) if harvests else max(before + 1, day - BRIDGING)
        bridges = []
        for course in courses:
            if course.part not in ("drug", "steroid") or not low <= course.start < day:
                continue
            later = [d for d in cell_days(courses) if d >= course.start]
            if course.agent in ("cyclophosphamide", "bendamustine") and later and later[0] - course.start <= 14:
                continue
            bridges.append(course.start)
        found.append((min([*harvests, *bridges, day]), day, bool(bridges)))
        before = day
    return found


def cell_days(courses: list[Course]) -> list[int]:
    return sorted(course.start for course in courses if course.part == "cells")


def what_it_prepares(course: Course, courses: list[Course]) -> int | None:
    if course.part != "drug":
        return None
    transplants = [c.start for c in courses if c.part == "transplant" and c.start >= course.start]
    cells = [day for day in cell_days(courses) if day >= course.start]
    length = course.end - course.start
    near = min([*transplants, *cells], default=None)
    if near is not None and near - course.start <= 14 and length <= 14:
        return near
    beside = [c for c in courses if c.start == course.start and c.agent == "cyclophosphamide" and c.end - c.start <= 7]
    if beside and length <= 7 and transplants and min(transplants) - course.start <= 60:
        return near
    return None


def stepwise(courses, infusions, window, gap, strict, documented) -> list[Line]:
    driving = [c for c in courses if c.part in ("drug", "cells") and c.prepares is None]
    transplants = {c.start for c in courses if c.part == "transplant"}
    walk = Walk(driving, transplants, dict(infusions), window, gap, strict, documented)
    for day in sorted({c.start for c in driving} | transplants | set(walk.begins)):
        walk.meet(day)
    return walk.lines


@dataclass
class Walk:
    """Rajkumar's rule, or that of a window and a gap, from day to day."""

    driving: list[Course]
    transplants: set[int]
    begins: dict[int, int]
    window: int
    gap: int | None
    strict: bool
    documented: list[int]
    lines: list[Line] = field(default_factory=list)
    latest: float = 0.0
    members: set = field(default_factory=set)
    episode: set = field(default_factory=set)
    first_transplant: int | None = None
    last_transplant: int | None = None
    until: int | None = None
    maintained: bool = False

    def meet(self, day: int) -> None:
        now = [c for c in self.driving if c.start == day]
        begun = {c.agent for c in now}
        ahead = {c.agent for c in self.driving if day <= c.start <= day + self.window}
        stopped = bool(self.lines) and day - self.latest > INTERRUPTION
        why = self.why(day, now, begun, ahead)
        if why:
            carried = [c for c in self.driving if c.start < day and c.end >= day + self.window]
            self.until = self.begins.get(day)
            self.members = {c.agent for c in carried}
            self.episode = set(self.members)
            self.latest = max((c.end for c in carried), default=-(10**9))
            self.first_transplant = self.last_transplant = None
            self.maintained = False
            self.lines.append(Line(day, why, set(self.members)))
        self.note(day, now, begun)
        known = ahead if why else begun
        if self.until == day and begun:
            self.members, self.episode = set(begun), set(begun)
        else:
            self.members = self.members | known
            self.episode = set(begun) if stopped and not why else self.episode | known
        if day in self.transplants:
            self.episode = {c.agent for c in self.driving if c.start < day and c.end >= day} | begun
            self.first_transplant = day if self.first_transplant is None else self.first_transplant
            self.last_transplant = day
        self.latest = max([self.latest, day, *(may_go_on(c, self.driving) for c in now)])

    def note(self, day: int, now: list[Course], begun: set) -> None:
        line = self.lines[-1]
        line.agents |= begun
        kept = self.last_transplant is not None and self.last_transplant < day <= self.last_transplant + AFTER
        line.maintenance |= any(c.phase == "maintenance" for c in now)
        line.maintenance |= bool(kept and begun & self.of_phase(day, "unknown"))
        self.maintained |= any(c.phase == "maintenance" for c in now)

    def of_phase(self, day: int, *phases: str) -> set:
        return {c.agent for c in self.driving if day <= c.start <= day + self.window and c.phase in phases}

    def why(self, day: int, now: list[Course], begun: set, ahead: set) -> str | None:
        if day in self.begins:
            return "cell therapy"
        if not self.lines:
            return "first treatment"
        pause = day - self.latest
        infusing = self.until is not None and day <= self.until
        joins = day <= self.lines[-1].start + self.window or infusing
        again = False
        if day in self.transplants and self.first_transplant is None:
            again = pause > AFTER
        elif day in self.transplants:
            again = day > self.first_transplant + TANDEM
        if self.strict and not infusing and self.progressed(day, begun):
            return "treatment after progression"
        if self.strict and self.maintained and not joins and any(c.phase in ("induction", "treatment") for c in now):
            return "treatment after maintenance"
        if self.strict and again:
            return "transplant"
        reference = day if day in self.transplants and not again else self.last_transplant
        after = reference is not None and day <= reference + AFTER
        return None if joins or not begun else self.why_drugs(day, begun, ahead, pause, after)

    def progressed(self, day: int, begun: set) -> bool:
        past = any(self.lines[-1].start < d <= day for d in self.documented)
        return past and bool(begun - self.of_phase(day, "maintenance", "transplant"))

    def why_drugs(self, day: int, begun: set, ahead: set, pause: float, after: bool) -> str | None:
        stopped = pause > INTERRUPTION
        earlier = [c for c in self.driving if c.start < day]
        fresh = (ahead if stopped else begun) - self.members
        spared = fresh & MAINTENANCE & self.of_phase(day, "unknown") if after and len(fresh) <= 1 else set()
        if fresh - self.of_phase(day, "maintenance", "transplant") - spared:
            if stopped:
                return "different regimen after a stop"
            return "drug added" if any(c.end >= day + self.window for c in earlier) else "drug switched"
        if not stopped or after or not begun - self.of_phase(day, "maintenance", "transplant"):
            return None
        if self.gap is not None and pause > self.gap:
            return "treatment gap"
        at_stop = {c.agent for c in earlier if c.end >= self.latest - self.window} & self.members
        same = ahead == self.episode or (ahead <= self.episode and (ahead == at_stop or pause <= AFTER))
        return "different regimen after a stop" if self.strict and not same else None


def may_go_on(course: Course, driving: list[Course]) -> float:
    if not course.open:
        return course.end
    following = [c.start for c in driving if c.agent == course.agent and c.start > course.start]
    return max(min(following), course.end) if following else float("inf")


def ohdsi(courses, infusions, window, gap) -> list[Line]:
    items = [(start, 2, end, agents, None) for start, end, agents in regimens(courses, window, gap)]
    kept: list[int] = []
    for day in sorted({c.start for c in courses if c.part == "transplant"}):
        if not kept or day > kept[-1] + TANDEM:
            kept.append(day)
    items += [(day, 1, day, frozenset(), None) for day in kept]
    for begin, day in infusions:
        cells = frozenset(c.agent for c in courses if c.part == "cells" and c.start == day)
        items.append((begin, 0, day, cells, day))
    run = Joining()
    for item in sorted(items, key=lambda item: item[:2]):
        run.take(*item)
    return run.lines


@dataclass
class Joining:
    """OHDSI lines as regimens, transplants and cells come one after the other."""

    lines: list[Line] = field(default_factory=list)
    previous: tuple = (frozenset(), -(10**9), -(10**9))
    end: int = 0
    transplant: int | None = None
    until: int | None = None

    def take(self, start: int, kind: int, end: int, agents: frozenset, infusion: int | None) -> None:
        keeps = kind == 2 and bool(self.lines) and self.keeps(start, end, agents)
        why = self.why(start, kind, agents, keeps)
        if why:
            self.lines.append(Line(start, why))
            self.end, self.transplant, self.until = -(10**9), None, infusion
        self.lines[-1].agents |= agents
        self.lines[-1].maintenance |= keeps and not why
        self.end = max(self.end, end)
        if kind == 1:
            self.transplant = start
        else:
            self.previous = (agents if kind == 2 else frozenset(), start, end)

    def why(self, start: int, kind: int, agents: frozenset, keeps: bool) -> str | None:
        if kind == 0:
            return "cell therapy"
        if not self.lines:
            return "first treatment"
        if keeps or start == self.lines[-1].start or (self.until is not None and start <= self.until):
            return None
        if kind == 1:
            belongs = self.transplant is None and start <= self.end + AFTER
        else:
            around = self.transplant is not None and start <= self.transplant + AFTER
            belongs = (
                (around and agents <= self.lines[-1].agents) or self.adds(start, agents) or self.late(start, agents)
            )
        return None if belongs else why_another(kind, agents, self.previous[0], start > self.previous[2] + 1)

    def keeps(self, start: int, end: int, agents: frozenset) -> bool:
        before, began, ended = self.previous
        usual = bool(agents & MAINTENANCE) or bool(agents & before & {"daratumumab"})
        long_enough = ended - began + 1 > 30 and end - start + 1 > 60
        after_several = usual and len(before) > 1 and start <= ended + AFTER and long_enough
        after_transplant = self.transplant is not None and start <= self.transplant + 365
        return len(agents) == 1 and (after_several or after_transplant)

    def adds(self, start: int, agents: frozenset) -> bool:
        before, began, _ = self.previous
        fresh = agents - before
        twice = any(fresh & group and before & group for group in (PI, IMID))
        return bool(fresh and agents & before and start <= began + 90 and fresh <= PI | IMID and not twice)

    def late(self, start: int, agents: frozenset) -> bool:
        first = self.lines[0]
        fits = len(self.lines) == 1 and "cyclophosphamide" in first.agents and start <= first.start + 60
        return fits and agents - self.previous[0] == {"lenalidomide"}


def why_another(kind: int, agents: frozenset, previous: frozenset, pause: bool) -> str:
    if kind == 1:
        return "transplant"
    if agents - previous:
        if pause:
            return "different regimen after a stop"
        return "drug added" if agents & previous else "drug switched"
    return "treatment gap" if pause else "drug stopped"


def regimens(courses: list[Course], window: int, gap: int | None) -> list[tuple[int, int, frozenset]]:
    last_record = max((c.end for c in courses), default=0)
    spans = [c for c in courses if c.part == "drug" and c.prepares is None]

    def is_off(span: Course) -> bool:
        return gap is not None and not span.open and span.end + gap < last_record

    found = []
    begin = min((c.start for c in spans), default=None)
    while begin is not None:
        live = [c for c in spans if c.start <= begin + window and c.end >= begin]
        agents = frozenset(c.agent for c in live)
        ends = [c.start - 1 for c in spans if c.start > begin + window and c.agent not in agents]
        offs = [c.end for c in live if is_off(c)]
        if offs:
            ends.append(max(c.end for c in live if is_off(c) and c.end <= min(offs) + 30))
        left = [c for c in spans if c.end >= begin]
        end = min(ends) if ends else max(c.end for c in left)
        found.append((begin, end, agents))
        spans = [c for c in left if c.end > end]
        begin = min((max(c.start, end + 1) for c in spans), default=None) if ends else None
    return found
