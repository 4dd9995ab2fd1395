"""Sentences on how lines are told apart: their first day, groups of years, treatment after the last contact."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.present import numbers, reading
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
    fewer, hidden = _entered_changes(counted, left_out)
    said = f"{numbers.listed(fewer)}" if fewer else "the same numbers of patients reach each line"
    text = f"Some treatment is recorded after the last contact. Leaving it out, {said}."
    if hidden:
        text += f" For {numbers.listed(hidden)} the numbers are withheld."
    shares = _share_changes(counted, left_out, time) if time is not None else []
    if shares:
        text += f" Allowing for unequal follow-up (Aalen-Johansen), {numbers.listed(shares)}."
    return text


def _entered_changes(counted: pd.DataFrame, left_out: pd.DataFrame) -> tuple[list[str], list[str]]:
    """How many fewer patients reach each line after the first, and for which lines that cannot be told."""
    before, after = (
        frame.groupby("line")["entered"].agg(lambda entered: entered.iloc[0]) for frame in (counted, left_out)
    )
    fewer, hidden = [], []
    for line in sorted((set(before.index) | set(after.index)) - {1}):
        change = before.get(line, 0.0) - after.get(line, 0.0)
        if numbers.missing(change):
            hidden.append(f"line {line}")
        elif change:
            word = "fewer" if change > 0 else "more"
            noun, verb = ("patient", "reaches") if abs(change) == 1 else ("patients", "reach")
            fewer.append(f"{numbers.format_count(abs(change))} {word} {noun} {verb} line {line}")
    return fewer, hidden


def _share_changes(counted: pd.DataFrame, left_out: pd.DataFrame, time_months: float) -> list[str]:
    texts = []
    for line in sorted(set(counted["line"]) & set(left_out["line"])):
        rows = [reading.share_reaching_next(frame, line, time_months) for frame in (left_out, counted)]
        if any(row is None or numbers.missing(row["estimate"]) or numbers.known_few(row) for row in rows):
            continue
        without, with_it = (numbers.format_estimate(*row[["estimate", "conf_low", "conf_high"]]) for row in rows)
        if without != with_it:
            by_time = f"by {numbers.format_time_point(time_months)} after the start of line {line}"
            texts.append(f"{by_time} {without} start the next line instead of {with_it}")
    return texts
