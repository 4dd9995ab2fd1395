"""The text that stands for each figure where it cannot be seen: what it shows, with its numbers. Plain text."""

from __future__ import annotations

import pandas as pd

from analysis.present import labels, numbers, reading
from analysis.present.words.cohort import leading_classes


def alt_cumulative_incidence(curves: pd.DataFrame, event: str, horizon_months: float, label: str) -> str:
    """Alt text of `figures.cumulative_incidence`: the share with the event at up to three times per stratum."""
    what = f"Cumulative incidence of {labels.of_event(label)}"
    return _curves(curves, "cumulative incidence", event, horizon_months, what)


def alt_event_free(curves: pd.DataFrame, horizon_months: float, label: str = "any event") -> str:
    """Alt text of `figures.event_free`: the share without an event at up to three times per stratum."""
    return _curves(curves, "survival", "any", horizon_months, f"Share of patients without {labels.of_event(label)}")


def _curves(curves: pd.DataFrame, estimand: str, event: str, horizon_months: float, what: str) -> str:
    wanted = curves[(curves["estimand"] == estimand) & (curves["event"] == event)]
    times = _times(horizon_months)
    read = {months: reading.at(curves, estimand, event, months).set_index("stratum") for months in times}
    texts = []
    for stratum in reading.in_order(wanted["stratum"]):
        shares = [f"{_at(read[months].loc[stratum])} at {numbers.format_time_point(months)}" for months in times]
        texts.append(f"{labels.stratum_name(stratum)}: {numbers.listed(shares)}")
    said = "; ".join(texts) or "no group has a curve"
    return f"Step curves with confidence bands. {what}: {said}."


def _at(row: pd.Series) -> str:
    if not numbers.missing(row["estimate"]) and numbers.known_few(row):
        return numbers.BEYOND
    return numbers.why_missing(row) if numbers.missing(row["estimate"]) else numbers.format_percent(row["estimate"])


def _joined(texts: list[str], nothing: str) -> str:
    return f"{labels.sentence('; '.join(texts)) or nothing}."


def _times(horizon_months: float) -> list[float]:
    """Two early times and the horizon, as far as they lie apart."""
    return sorted({months for months in (12, 24) if months < horizon_months} | {horizon_months})


def alt_all_causes(curves: pd.DataFrame, horizon_months: float) -> str:
    """Alt text of `figures.all_causes`: the share of every cause per stratum, at the latest time that can be told."""
    wanted = curves[(curves["estimand"] == "cumulative incidence") & (curves["event"] != "any")]
    endpoint = labels.endpoint_of(wanted["event"])
    texts = []
    for stratum in reading.in_order(wanted["stratum"]):
        months = _last_told(wanted, stratum, horizon_months)
        if not months:
            texts.append(f"{labels.stratum_name(stratum)}: {numbers.BEYOND}")
            continue
        shares = {}
        for event in (word for word in labels.EVENTS if word in set(wanted["event"])):
            read = reading.at(wanted[wanted["stratum"] == stratum], "cumulative incidence", event, months)
            shares[labels.event_short(event, endpoint)] = read["estimate"].iloc[0]
        shares["event-free"] = max(1 - sum(shares.values()), 0.0)
        parts = [f"{name} {numbers.format_percent(share)}" for name, share in shares.items()]
        texts.append(f"{labels.stratum_name(stratum)} at {numbers.format_time_point(months)}: {numbers.listed(parts)}")
    return f"Stacked shares of patients over time, one panel per group. {_joined(texts, 'No group has a curve')}"


def _last_told(curves: pd.DataFrame, stratum: str, horizon_months: float) -> float:
    """The horizon, or the last whole month with enough patients of the stratum at risk."""
    end = min(reading.last_day(curves, stratum), reading.last_reliable_day(curves, stratum)) / reading.days(1)
    return horizon_months if end >= horizon_months else int(end)


def alt_crude_against_right(
    comparison: pd.DataFrame, time_months: float, label: str, endpoint: str | None = None
) -> str:
    """Alt text of `figures.crude_against_right`: the three readings of each stratum; parameters as there."""
    rows = reading.at_time(comparison, time_months)
    texts = []
    for stratum in reading.in_order(rows["stratum"]):
        here = rows[rows["stratum"] == stratum]
        parts = [f"{row['estimand']} {_at(row)}" for _, row in here.iterrows()]
        texts.append(f"{labels.stratum_name(stratum)}: {numbers.listed(parts)}")
    time = numbers.format_time_point(time_months)
    censored = labels.taken_as_censored(rows["event"], endpoint)
    what = f"Three readings of {labels.of_event(label)} by {time}"
    said = _joined(texts, "No group has a number")
    return f"{what}, dots with limits; one minus Kaplan-Meier censors {censored}. {said}"


def alt_attrition(attrition: pd.DataFrame, time_months: float) -> str:
    """Alt text of `figures.attrition`: the three outcomes of each line in both readings."""
    timed = reading.reliable(reading.at_time(attrition[attrition["reading"] == "Aalen-Johansen"], time_months))
    crude = attrition[attrition["reading"] == "crude"]
    texts = []
    for line in sorted(attrition["line"].unique()):
        for name, rows in (("all follow-up", crude), (f"by {numbers.format_time_point(time_months)}", timed)):
            here = rows[rows["line"] == line]
            parts = [f"{_OUTCOMES[row['outcome']]} {_at(row)}" for _, row in reading.by_line(here).iterrows()]
            if parts:
                texts.append(f"line {line}, {name}: {numbers.listed(parts)}")
    return f"Bars of what came first after the start of each line. {_joined(texts, 'No line has patients')}"


_OUTCOMES = {"next_line": "next line", "death": "death before a next line", "neither": "neither"}


def alt_rates(rates: pd.DataFrame, event: str, label: str) -> str:
    """Alt text of `figures.rates`: rate and limits of each stratum."""
    texts = [
        f"{labels.stratum_name(row['stratum'])} "
        f"{numbers.format_estimate(row['estimate'], row['conf_low'], row['conf_high'], 'rate')}"
        for _, row in rates[rates["event"] == event].iterrows()
    ]
    said = "; ".join(texts) or "no group has a rate"
    return f"Dots with limits. Rate of {labels.of_event(label)} per 100 person-years: {said}."


def alt_class_shares(shares: pd.DataFrame) -> str:
    """Alt text of `figures.class_shares`: the three leading classes of each line."""
    texts = leading_classes(shares, 3, str)
    return f"Grid of drug classes by line. Most used: {'; '.join(texts) or 'no line has patients'}."


def alt_calibration(calibration: pd.DataFrame) -> str:
    """Alt text of `figures.calibration`: how many targets are met, and the misses with their numbers."""
    misses = calibration[~calibration["inside"].astype(bool)]
    texts = [
        f"{row['target']} {numbers.format_figure(row['achieved'])} against "
        f"{numbers.format_figure(row['published'])} {row['unit']}".strip()
        for _, row in misses.iterrows()
    ]
    met = f"{len(calibration) - len(misses)} of {numbers.plural(len(calibration), 'published figure')}"
    missed = f" Missed: {'; '.join(texts)}." if texts else ""
    return f"Dots within accepted bands: this cohort meets {met}.{missed}"


def alt_class_flows(flows: pd.DataFrame, drawn_lines: int) -> str:
    """Alt text of `figures.class_flows`: the leading strategies of each line drawn and the widest band to the next."""
    texts = []
    for line, rows in flows[(flows["line"] <= drawn_lines) & flows["patients"].notna()].groupby("line"):
        shares = rows.groupby("strategy")["patients"].sum().sort_values(ascending=False, kind="stable")
        leading = [f"{name} {numbers.format_percent(part / shares.sum(), 0)}" for name, part in shares[:3].items()]
        texts.append(f"line {line}: {numbers.listed(leading)}{_widest_band(rows) if line < drawn_lines else ''}")
    return f"Alluvial of strategies from line to line. {_joined(texts, 'No line has patients')}"


def _widest_band(rows: pd.DataFrame) -> str:
    onward = rows[~rows["next"].isin(["death", "neither"])]
    if onward.empty:
        return ""
    widest = onward.sort_values("patients", ascending=False, kind="stable").iloc[0]
    share = numbers.format_percent(widest["patients"] / onward["patients"].sum(), 0)
    return f", the widest band to the next line from {widest['strategy']} to {widest['next']} ({share} of the bands)"


def alt_courses(courses: pd.DataFrame) -> str:
    """Alt text of `figures.courses`: how many courses, how many lines and relapses, and how they ended."""
    if courses.empty:
        return "No course is drawn: courses of single patients are shown of synthetic cohorts only."
    ended, relapses = courses["event"].value_counts(), int(courses["relapse"].notna().sum())
    seen = f" and {numbers.plural(relapses, 'relapse')}" if relapses else ""
    return (
        f"Lanes of {numbers.plural(courses['course'].nunique(), 'synthetic course')} with "
        f"{numbers.plural(len(courses), 'line')}{seen}; "
        f"{numbers.plural(int(ended.get('death', 0)), 'course')} ended in death, "
        f"{numbers.format_count(int(ended.get('censored', 0)))} at the end of the data."
    )


def alt_specifications(specifications: pd.DataFrame, event: str) -> str:
    """Alt text of `figures.specifications`: the default and the range over all definitions, line by line."""
    name = labels.event_short(event, labels.endpoint_of([*specifications["event"], event]))
    texts = reading.ranges_over_definitions(specifications[specifications["event"] == event])
    return f"Specification curve of {name}. {_joined(texts, 'No definition has an estimate')}"
