"""What a reader needs beside the numbers: definitions, the caveat of selection, and what the suite speaks to.

Information, not advice. These texts hold no figures of their own: numbers come from parameters and frames only.
"""

from __future__ import annotations

import pandas as pd

from analysis.present import labels, numbers
from analysis.present.words.cohort import class_shares

_ENDPOINTS = {
    "relapse": (
        "**Relapse** is the first progression that the record confirms in a line. A next line that starts without a "
        "recorded relapse, and a death without one, are counted apart as competing events.",
        "**What competes**: a relapse, a next line begun without a recorded relapse, and death; the first of them ends "
        "the line. When two fall on the same day, the relapse counts first, then the next line, then death.",
    ),
    "next_line": (
        "**The end of a line is the start of the next one.** The source does not record when the disease came back, so "
        "nothing here says when it did. Death before a next line is a competing event.",
        "**What competes**: the start of the next line, and death; the first of them ends the line. When both fall on "
        "the same day, the next line counts first.",
    ),
}
_SETTINGS = {
    "horizon_months": "Curves run to {} after the start of the line.",
    "time_months": "Comparisons between groups are read at {}.",
    "times_months": "Frequencies are read at {}.",
    "attrition_months": "The two readings of who reaches the next line are compared at {}.",
    "drawn_lines": "Figures by line show lines 1 to {}; tables show every line.",
    "minimum_at_risk": "Curves end, and figures in tables are marked, where fewer than {} are still at risk.",
    "minimum_patients": "Groups with fewer than {} show counts only.",
    "after_last_contact": "A treatment that starts after the last contact day: {}.",
    "gap_days": "A pause of more than {} in treatment starts a new line.",
    "window_days": "Drugs that start within {} of each other belong to the same regimen.",
}


def definitions(endpoint: str, parameters: dict | None = None) -> str:
    """Which definitions were used? A Markdown list; the settings of the run stand in it with their values.

    Parameters
    ----------
    endpoint : str
        "relapse" or "next_line", from COHORT.
    parameters : dict
        settings by name; those with a known name become sentences, others are listed as they are.
    """
    labels.event_done("any", endpoint)
    lines = [
        *_ENDPOINTS[endpoint],
        "**Time** counts from the first day of a line, in months of 30.4375 days.",
        "**Cumulative incidence** (Aalen-Johansen) is the share of all who started the line and have had the event by "
        "a time; deaths compete, and patients who are no longer watched are allowed for.",
        "**Median** is the time by which half have had the event; not reached where the curve stays short of half.",
        "**Censored** patients were still without an event on the last day they were seen.",
        "**Assumption**: these estimates assume that patients who are no longer watched would have fared like those "
        "still watched. No limits tell how far off that is.",
        "**Limits** in brackets are 95 % confidence limits. They are pointwise - for one time at a time - and cover "
        "chance only: neither a wrong assumption nor selection nor faults of the record.",
    ]
    others = []
    for name, value in (parameters or {}).items():
        if name in _SETTINGS:
            lines.append(_SETTINGS[name].format(_setting(name, value)))
        else:
            others.append(f"{numbers.escape_markdown(name)} = {numbers.escape_markdown(str(value))}")
    if others:
        lines.append(f"Other settings: {'; '.join(others)}.")
    return "\n".join(f"- {line}" for line in lines)


def _setting(name: str, value) -> str:
    if name.endswith("_months"):
        values = value if isinstance(value, (list, tuple)) else [value]
        return numbers.listed(numbers.format_time_point(months) for months in values)
    if name.endswith("_days"):
        return numbers.plural(value, "day")
    if name.endswith("_patients") or name == "minimum_at_risk":
        return numbers.plural(value, "patient")
    return numbers.escape_markdown(str(value))


def selection_caveat(attrition: pd.DataFrame | None = None) -> str:
    """Why may lines not be compared as if the same patients stood in them? Counts come from ATTRITION where given."""
    counts = ""
    if attrition is not None and len(attrition):
        entered = attrition.groupby("line")["entered"].first()
        named = [f"{numbers.plural(count, 'patient')} started line {line}" for line, count in entered.items()]
        counts = f" Here {numbers.listed(named)}."
    return (
        f"**Who reaches a later line is selected.**{counts} To start a next line a patient must have survived the "
        "earlier one, must have needed more treatment, and must have been fit enough for it. Patients in later lines "
        "therefore differ from all patients at the start, and a difference between lines mixes the course of the "
        "disease, the wear of treatment and this selection. The time before a line starts is time that the patient "
        "was certain to survive (immortal time), so time is counted from the start of each line, never from diagnosis. "
        "Follow-up is limited: the patients already seen on a later line are those whose earlier lines were short, so "
        "later lines look faster than they would among all who will ever start them. The usual curves assume that the "
        "end of observation has nothing to do with prognosis. For later lines of the same patient this does not hold: "
        "a long earlier line leaves less time to watch the next, and both hang on the same disease. "
        "A figure for a later line speaks of those who start that line; it does not foretell what will happen to "
        "everybody at diagnosis."
    )


def era_caveat() -> str:
    """Why may late lines of recent years not be compared with those of earlier years?"""
    return (
        "**Recent years hold fast courses.** A patient whose treatment began in recent years can be seen on a later "
        "line only if the earlier lines were short. The later the line and the more recent the years, the more the "
        "group therefore consists of fast courses. That it fares worse there does not show that newer treatment does "
        "worse; it waits for the slow courses, which come with longer follow-up."
    )


def early_signs() -> str:
    """What lies behind the return of myeloma, and how does it announce itself? Information, not advice."""
    return (
        "**Why myeloma comes back.** Treatment can leave a few plasma cells behind, often too few to find without "
        "sensitive tests for residual disease. Among them several clones may live side by side. Treatment removes "
        "those that respond; clones that resist it, or that gain new genetic changes, can grow again. After each line "
        "the disease may thus be harder to hold.\n\n"
        "**How it shows.** In many patients the blood speaks first: the M-protein or the free light chains rise on "
        "serial measurement while the patient feels well (a biochemical return). In others it shows as illness (a "
        "clinical return): bone pain, new lesions on imaging, tiredness from anaemia, repeated infections, high "
        "calcium or loss of kidney function. None of these signs is certain by itself, and many have other causes. "
        "Judging them for one person is for the treating team."
    )


def strategies(shares: pd.DataFrame | None = None) -> str:
    """Which kinds of treatment does the suite tell apart? Leading classes by line come from the frame where given."""
    text = (
        "**Kinds of treatment.** Proteasome inhibitors (PI) disturb how the cell clears its proteins; "
        "immunomodulatory drugs (IMiD) act on the cell and its surroundings; antibodies mark the cell for the immune "
        "system; high-dose therapy with the patient's own stem cells (transplant) aims at a deep response; CAR-T cells "
        "and bispecific antibodies direct T cells at the myeloma. They are mostly given in combination, and what was "
        "given before bears on what comes next. Which treatment a patient receives depends on age, fitness, stage and "
        "year, so a plain comparison of those treated one way with those treated another is not a comparison of the "
        "treatments."
    )
    if shares is None or shares.empty:
        return text
    return f"{text}\n\nMost used in this cohort:\n\n{class_shares(shares)}"


def daily_life() -> str:
    """What may be said about daily life and myeloma? How far the evidence goes, and no further."""
    return (
        "**Daily life.** Diet, weight, physical activity, smoking and distress matter to how patients feel and to "
        "their general health. Whether any of them changes how soon myeloma comes back is not known: most studies only "
        "watch, small ones disagree, and illness itself changes weight, appetite, activity and mood. Trials of "
        "exercise found it safe in the patients studied, but did not look at the course of the disease. Infections, "
        "bone disease and kidney function weigh on daily life too, and preventing their complications has been tested "
        "in trials. This cohort can show what goes together; it cannot show what causes what."
    )
