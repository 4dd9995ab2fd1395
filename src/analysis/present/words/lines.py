"""Sentences on how lines are told apart: their first day, groups of years, treatment after the last contact."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.present import labels, numbers, reading
from analysis.present.words.cohort import small_groups
from analysis.present.words.findings import NOTHING


def eras(groups: pd.DataFrame, minimum_patients: int) -> str:
    """Can years of treatment be compared, and which are too small? `groups`: schema.GROUPS by line and era."""
    if groups.empty:
        return "The source gives no calendar year, so years of treatment cannot be compared."
    return small_groups(groups, minimum_patients)


def start_imputed(patients: int | None) -> str:
    """How many first lines got their first day by rule, and why?

    Parameters
    ----------
    patients : int or None
        how many LINES rows have `start_imputed`; None when the count is withheld.
    """
    if not numbers.missing(patients) and patients == 0:
        return "No start had to be set by rule."
    return (
        f"For {numbers.plural(patients, 'patient')} the record does not give the first day of line 1; it is taken as "
        "the day of first treatment from which the source counts. The first dated record would start the clock too "
        "late wherever the first treatment has no date, and leave out time that these patients were certain to survive "
        "(immortal time)."
    )


def attrition_change(counted: pd.DataFrame, left_out: pd.DataFrame, time_months: float | None = None) -> str:
    """What changes when treatment recorded after the last contact is left out? In sentences.

    The parameters are those of `tables.attrition_change`.
    """
    schema.check(counted, schema.ATTRITION)
    schema.check(left_out, schema.ATTRITION)
    if counted.empty:
        return NOTHING
    if reading.same_attrition(counted, left_out):
        return reading.nothing_changes(counted, left_out)
    time = reading.attrition_months(counted, left_out) if time_months is None else time_months
    changed, hidden = _entered_changes(counted, left_out)
    said = numbers.listed(changed) if changed else "the same numbers of patients reach each line"
    text = f"Some treatment is recorded after the last contact. Leaving it out, {said}."
    if hidden:
        text += f" For {numbers.listed(hidden)} the numbers are withheld."
    shares = _share_changes(counted, left_out, time) if time is not None else []
    if shares:
        text += f" Allowing for unequal follow-up (Aalen-Johansen), {numbers.listed(shares)}."
    return text


def _entered_changes(counted: pd.DataFrame, left_out: pd.DataFrame) -> tuple[list[str], list[str]]:
    """How many patients reach each line after the first, then and now, and for which lines that cannot be told."""
    before, after = (
        frame.groupby("line")["entered"].agg(lambda entered: entered.iloc[0]) for frame in (counted, left_out)
    )
    changed, hidden = [], []
    for line in sorted((set(before.index) | set(after.index)) - {1}):
        now, then = after.get(line, 0.0), before.get(line, 0.0)
        if numbers.missing(now) or numbers.missing(then):
            hidden.append(f"line {line}")
        elif now != then:  # both totals, never their difference: that may be a handful of patients
            changed.append(f"{numbers.format_count(now)} instead of {numbers.format_count(then)} reach line {line}")
    return changed, hidden


def _share_changes(counted: pd.DataFrame, left_out: pd.DataFrame, time_months: float) -> list[str]:
    texts = []
    for line in sorted(set(counted["line"]) & set(left_out["line"])):
        rows = [reading.share_reaching_next(frame, line, time_months) for frame in (left_out, counted)]
        if any(row is None or numbers.missing(row["estimate"]) or numbers.known_few(row) for row in rows):
            continue
        without, with_it = (numbers.format_estimate(*row[["estimate", "conf_low", "conf_high"]]) for row in rows)
        if without != with_it:
            by_time = f"by {numbers.format_time_point(time_months)} after the start of line {line}"
            texts.append(f"{by_time}, {without} start the next line instead of {with_it}")
    return texts


def stage_of_data(records: dict[str, pd.DataFrame]) -> str:
    """How were the lines had: numbered by the source, brought ready, or not at all? `records`: tables of a cohort."""
    if "lines" in records:
        return "The lines of treatment were brought ready; their numbering has not been checked against treatments."
    if "treatments" in records and not records["treatments"].get("line", pd.Series(dtype=float)).notna().any():
        return (
            "The source numbers no lines of treatment. They are made from agents and days by the rule of Rajkumar "
            "2015, as far as records without intent allow it."
        )
    if "treatments" in records:
        return "The lines of treatment are taken as the source numbers them; the numbering has not been checked."
    return "This cohort was brought as ready spells, without treatments or lines: what needs them stays empty."


def unknown_agents(agents: pd.DataFrame, named: pd.DataFrame) -> str:
    """How many agents does the vocabulary not know, and how many of them may be named? Both: schema.AGENTS."""
    schema.check(agents, schema.AGENTS)
    schema.check(named, schema.AGENTS)
    if agents.empty:
        return "The vocabulary knows every agent."
    verb = "agent is" if len(agents) == 1 else "agents are"
    text = f"{numbers.format_count(len(agents))} {verb} not in the vocabulary; "
    if named.empty:
        return f"{text}too few patients had {'it' if len(agents) == 1 else 'any of them'} to name one."
    rest = len(agents) - len(named)
    text += f"the table names {numbers.format_count(len(named)) if rest else 'it' if len(agents) == 1 else 'them'}"
    return f"{text}, the others were had by too few patients." if rest else f"{text}."


def rising_survival(medians: pd.DataFrame) -> str:
    """What does it mean that later lines live longer? Nothing ("") where no median rises from one line to the next.

    `medians` is a DataFrame of schema.QUANTILES with a column `line`: median survival from the start of each line.
    """
    schema.check(medians, schema.QUANTILES)
    told = medians[medians["probability"] == 0.5].dropna(subset=["estimate"]).sort_values("line", kind="stable")
    rises = told["estimate"].diff() > 0
    if not rises.any():
        return ""
    lines = told["line"].tolist()
    steps = [
        f"line {before} to line {line}" for before, line, up in zip(lines, lines[1:], rises[1:], strict=False) if up
    ]
    return (
        f"From {numbers.listed(steps)} the median rises. That is no sign that later treatment does better: a later "
        "line is started only by patients who survived the earlier ones and were fit for more, so the fastest courses "
        "are no longer among them. Where limits overlap, it may also be chance."
    )


def not_judged(left_out: int | None, lines: int, basis: str = "judged") -> str:
    """How is known what ended the lines? `left_out` lines, of `lines`, could not be judged; None where too few to say.

    No `lines` at all: nothing had to be judged, the source says itself what ended them. `basis` is where relapses were
    taken from: "judged" from marker values alone, or "both", the earlier of these and of what the source states.
    """
    if not lines:
        return "What ended each line is taken as the source states it."
    few = "A few" if left_out is None else numbers.format_count(left_out)
    how = {
        "judged": "What this source may state of progression was not used; relapse was judged from its marker values",
        "both": (
            "This source states a progression in some lines only, so its silence elsewhere does not mean that there "
            "was none; relapse is the earlier of a stated progression and of one judged from the marker values"
        ),
    }[basis]
    return (
        f"{how} by the published criteria, and "
        f"what was not measured counts as no sign of disease. {few} of {numbers.plural(lines, 'line')} had no marker "
        "that could be followed from their start: no relapse could have been seen in them, and they are left out"
        f"{', stated progressions included' if basis == 'both' else ''}."
    )


def implausible(flagged: int | None, values: int) -> str:
    """How many laboratory values cannot be right as they stand? `flagged` of so many `values`; None: too few to say."""
    if not values:
        return "There are no laboratory values to look at."
    count = "A few" if flagged is None else numbers.format_count(flagged) if flagged else "None"
    return (
        f"{count} of {numbers.plural(values, 'laboratory value')} lie about ten times off their neighbours, as in "
        "another unit, or beyond what patients have. They are used as they stand; ask the source."
    )


def line_agreement(agreement: pd.DataFrame, rule: str, tolerance_days: int = 30) -> str:
    """How often do lines by rule agree with those stated? `agreement`: schema.LINE_AGREEMENT, as far as it is shown."""
    schema.check(agreement, schema.LINE_AGREEMENT)
    total = agreement["patients"].sum()
    if not total:
        return "There are no treatments that a rule could be tried on, or too few patients to say how it does."
    equal = agreement[agreement["lines_stated"] == agreement["lines_derived"]]
    more = agreement[agreement["lines_derived"] > agreement["lines_stated"]]
    shares = [numbers.format_percent(part / total) for part in (equal["patients"].sum(), equal["same_starts"].sum())]
    apart = [numbers.format_percent(part / total) for part in (more["patients"].sum(), total - equal["patients"].sum())]
    return (
        f"By the rule “{numbers.escape_markdown(rule)}” {shares[0]} of {numbers.plural(total, 'patient')} have as many "
        f"lines as this page uses, and {shares[1]} have all of them within {tolerance_days} days of those "
        f"starts; {apart[1]} differ in number, {apart[0]} with more lines by the rule."
    )


def specifications(specifications: pd.DataFrame) -> str:
    """How far do the shares move with the definitions? One point per event.

    `specifications` is a DataFrame of schema.SPECIFICATIONS.
    """
    schema.check(specifications, schema.SPECIFICATIONS)
    points, endpoint = [], labels.endpoint_of(specifications["event"])
    for (event, time), rows in specifications.groupby(["event", "time"]):
        if texts := reading.ranges_over_definitions(rows):
            by_time = numbers.format_time_point(time / schema.DAYS_PER_MONTH)
            points.append(f"- {labels.sentence(labels.event_short(event, endpoint))} by {by_time}: {'; '.join(texts)}.")
    if not points:
        return "No share has an estimate under any definition."
    count = numbers.format_count(specifications["definition"].nunique())
    return f"Over {count} definitions of line and endpoint:\n\n" + "\n".join(points)
