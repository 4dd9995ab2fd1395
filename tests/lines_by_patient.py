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
        if self.agent in ("apheresis", "leukapheresis"):
            return "apheresis"
        if CLASSES.get(self.agent) == "steroid":
            return "steroid"
        return {"transplant": "transplant", "cell therapy": "cells"}.get(KINDS.get(self.agent), "drug")


@dataclass
class Line:
    start: int
    why: str
    agents: set = field(default_factory=set)


def by_patient(treatments: pd.DataFrame, rule: str, progressions: dict[str, list[int]] | None = None, **choices):
    """Rows (patient_id, line, start_day, agents that drive it, start_reason), by one call per patient."""
    window, gap = DEFAULTS[rule]
    window, gap = choices.get("window_days", window), choices.get("gap_days", gap)
    frame = treatments.dropna(subset=["start_day"]).assign(agent=vocabulary.canonical_agents(treatments["agent"]))
    if "phase" not in frame:
        frame["phase"] = "unknown"

    def one(rows: pd.DataFrame) -> list[tuple]:
        documented = sorted((progressions or {}).get(rows.name, []))
        raw = list(rows[["agent", "phase", "start_day", "end_day"]].itertuples(index=False, name=None))
        found = lines_of(raw, rule, window, gap, documented)
        return [(n, line.start, "+".join(sorted(line.agents)), line.why) for n, line in enumerate(found, 1)]

    made = frame.groupby("patient_id", sort=True)[["agent", "phase", "start_day", "end_day"]].apply(one)
    rows = [(patient, *row) for patient, found in made.items() for row in found]
    return pd.DataFrame(rows, columns=["patient_id", "line", "start_day", "driving", "start_reason"])


def lines_of(raw: list[tuple], rule: str, window: int, gap: int | None, documented: list[int]) -> list[Line]:
    join = INTERRUPTION if rule != "ohdsi" else gap
    courses = merged(raw, join, by_phase=rule != "ohdsi")
    infusions = lines_of_cells(courses)
    for course in courses:
        course.prepares = what_it_prepares(course, courses)
    if rule == "ohdsi":
        return ohdsi(courses, infusions, window, gap)
    return stepwise(courses, infusions, window, gap, rule == "rajkumar", documented)


def merged(raw: list[tuple], join: float | None, by_phase: bool) -> list[Course]:
    kept: dict[tuple, list[Course]] = {}
    for agent, phase, start, end in sorted(raw, key=lambda row: row[2]):
        if KINDS.get(agent) == "support":
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


def lines_of_cells(courses: list[Course]) -> list[tuple[int, int]]:
    """First day and day of infusion of the line of each cell therapy."""
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
        found.append((min([*harvests, *bridges, day]), day))
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
    if course.agent == "cyclophosphamide" and length <= 7 and transplants and min(transplants) - course.start <= 60:
        return near
    return None


def stepwise(courses, infusions, window, gap, strict, documented) -> list[Line]:
    driving = [c for c in courses if c.part in ("drug", "cells") and c.prepares is None]
    transplants = {c.start for c in courses if c.part == "transplant"}
    begins = dict(infusions)
    days = sorted({c.start for c in driving} | transplants | set(begins))
    lines: list[Line] = []
    latest, members, episode = 0.0, set(), set()
    first_transplant = last_transplant = until = None
    maintained = False
    for day in days:
        now = [c for c in driving if c.start == day]
        begun = {c.agent for c in now}
        coming = [c for c in driving if day <= c.start <= day + window]
        ahead = {c.agent for c in coming}
        earlier = [c for c in driving if c.start < day]
        planned = {c.agent for c in coming if c.phase in ("maintenance", "transplant")}
        unstated = {c.agent for c in coming if c.phase == "unknown"}
        pause = day - latest
        stopped = bool(lines) and pause > INTERRUPTION
        joins = bool(lines) and (day <= lines[-1].start + window or (until is not None and day <= until))
        why = None
        if day in begins:
            why = "cell therapy"
        elif not lines:
            why = "first treatment"
        else:
            again = False
            if day in transplants:
                again = pause > AFTER if first_transplant is None else day > first_transplant + TANDEM
            reference = day if day in transplants and not again else last_transplant
            after = reference is not None and day <= reference + AFTER
            fresh = (ahead if stopped else begun) - members
            spared = {a for a in fresh if a in MAINTENANCE and a in unstated} if after and len(fresh) <= 1 else set()
            fresh = fresh - planned - spared
            past = [d for d in documented if lines[-1].start < d <= day]
            if strict and past and begun - planned and not (until is not None and day <= until):
                why = "treatment after progression"
            elif strict and maintained and not joins and any(c.phase in ("induction", "treatment") for c in now):
                why = "treatment after maintenance"
            elif strict and again:
                why = "transplant"
            elif fresh and begun and not joins:
                going_on = {c.agent for c in earlier if c.end >= day + window}
                why = "different regimen after a stop" if stopped else "drug added" if going_on else "drug switched"
            elif stopped and begun and not joins and not after:
                at_stop = {c.agent for c in earlier if c.end >= latest - window} & members
                part = ahead <= episode
                if gap is not None and pause > gap:
                    why = "treatment gap"
                elif strict and not (ahead == episode or (part and (ahead == at_stop or pause <= AFTER))):
                    why = "different regimen after a stop"
        if why:
            carried = [c for c in earlier if c.end >= day + window]
            until = begins.get(day)
            members = episode = {c.agent for c in carried}
            latest = max((c.end for c in carried), default=-(10**9))
            first_transplant = last_transplant = None
            maintained = False
            lines.append(Line(day, why, set(members)))
        lines[-1].agents |= begun
        if until == day and begun:
            members, episode = set(begun), set(begun)
        else:
            episode = set(begun) if stopped and not why else episode | (ahead if why else begun)
            members = members | (ahead if why else begun)
        if day in transplants:
            episode = {c.agent for c in earlier if c.end >= day} | begun
            first_transplant = day if first_transplant is None else first_transplant
            last_transplant = day
        latest = max([latest, day, *(may_go_on(c, driving) for c in now)])
        maintained |= any(c.phase == "maintenance" for c in now)
    return lines


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
    lines: list[Line] = []
    previous, previous_start, previous_end = frozenset(), -(10**9), -(10**9)
    line_end = transplant = until = None
    for start, kind, end, agents, infusion in sorted(items, key=lambda item: item[:2]):
        why = None
        if kind == 0:
            why = "cell therapy"
        elif not lines:
            why = "first treatment"
        elif start != lines[-1].start and not (until is not None and start <= until):
            if kind == 1:
                belongs = transplant is None and start <= line_end + AFTER
            else:
                single = len(agents) == 1
                usual = bool(agents & MAINTENANCE) or bool(agents & previous & {"daratumumab"})
                keeps = single and usual and len(previous) > 1 and start <= previous_end + AFTER
                keeps = keeps and previous_end - previous_start + 1 > 30 and end - start + 1 > 60
                belongs = keeps or (single and transplant is not None and start <= transplant + 365)
                belongs |= transplant is not None and start <= transplant + AFTER and agents <= lines[-1].agents
                fresh = agents - previous
                added = bool(fresh) and bool(agents & previous) and start <= previous_start + 90 and fresh <= PI | IMID
                for group in (PI, IMID):
                    added = added and not (fresh & group and previous & group)
                belongs |= added
                belongs |= (
                    fresh == {"lenalidomide"}
                    and len(lines) == 1
                    and "cyclophosphamide" in lines[-1].agents
                    and start <= lines[-1].start + 60
                )
            if not belongs:
                why = why_another(kind, agents, previous, start > previous_end + 1)
        if why:
            lines.append(Line(start, why))
            line_end, transplant, until = -(10**9), None, infusion
        lines[-1].agents |= agents
        line_end = max(line_end, end)
        if kind == 1:
            transplant = start
        else:
            previous, previous_start, previous_end = (agents if kind == 2 else frozenset()), start, end
    return lines


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
