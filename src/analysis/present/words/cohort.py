"""Who is in and how good the data are, in sentences: cohort, follow-up, selection, small groups, checks."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.present import labels, numbers, reading
from analysis.present.words.findings import NOTHING, bullets


def who(cohort: pd.DataFrame, patients: pd.DataFrame) -> str:
    """Whose data are these: how many patients, from when, real or synthetic, and what ends a line?

    Parameters
    ----------
    cohort : DataFrame of schema.COHORT
        one row.
    patients : DataFrame of schema.PATIENTS
    """
    schema.check(cohort, schema.COHORT)
    about = cohort.iloc[0]
    count = numbers.plural(len(patients), "patient")
    years = patients["index_year"].dropna() if "index_year" in patients else pd.Series(dtype=float)
    period = ""
    if len(years):
        first, last = int(years.min()), int(years.max())
        period = f", first seen in {first}" if first == last else f", first seen between {first} and {last}"
    kind = (
        "**These data are synthetic: no row is a real patient**, and no finding here is evidence about patients."
        if about["synthetic"]
        else "These are records of real patients; no single patient is shown."
    )
    ends = (
        "Each line ends with a relapse, with the next line begun without one, or with death."
        if about["endpoint"] == "relapse"
        else "The source does not record when the disease came back. Each line therefore ends with the start of the "
        "next line or with death, and every page names it so."
    )
    release = "" if numbers.missing(about["release"]) else f" (release {numbers.escape_markdown(about['release'])})"
    title, source = numbers.escape_markdown(about["title"]), numbers.escape_markdown(about["source"])
    return f"{title}: {count}{period}. {kind} Source: {source}{release}. {ends}"


def follow_up(quantiles: pd.DataFrame, minimum_patients: int, minimum_at_risk: int) -> str:
    """How long were patients watched? Median follow-up by reverse Kaplan-Meier, one sentence per stratum.

    Parameters
    ----------
    quantiles : DataFrame of schema.QUANTILES
        estimand "follow-up", from the start of the first line, without the groups that are too small.
    minimum_patients, minimum_at_risk : int
        the fewest patients of a group, and the fewest still watched, with which it was read.
    """
    schema.check(quantiles, schema.QUANTILES)
    least = numbers.plural(minimum_patients, "patient")
    if quantiles.empty:
        return f"How long they were watched is not told: there is no group with enough patients, at least {least}."
    lines = []
    for _, row in quantiles[quantiles["probability"] == 0.5].iterrows():
        place = numbers.escape_markdown(labels.sentence(labels.stratum_place(row["stratum"])))
        if numbers.missing(row["estimate"]):
            lines.append(f"{place}, the median follow-up cannot be told: too few were watched that long.")
            continue
        time = numbers.format_estimate(row["estimate"], row["conf_low"], row["conf_high"], "months")
        lines.append(f"{place}, the median follow-up from the start of the first line is {time}.")
    return (
        f"{bullets(lines)}\n\nIt is told of at least {least}, as far as {minimum_at_risk} or more of them were watched."
    )


def flow(flow: pd.DataFrame) -> str:
    """How many patients were there, how many remain after all rules of selection? `flow`: schema.FLOW."""
    schema.check(flow, schema.FLOW)
    if flow.empty:
        return NOTHING
    steps = flow.sort_values("step")
    remaining, removed = steps["remaining"].iloc[-1], steps["removed"]
    if removed.isna().any() or numbers.missing(remaining):
        return f"After all rules of selection {numbers.plural(remaining, 'patient')} remain."
    started = remaining + removed.sum()
    if removed.sum() == 0:
        return f"All {numbers.plural(started, 'patient')} are in; no rule removed anybody."
    verb = "remains" if remaining == 1 else "remain"
    out = numbers.format_count(removed.sum())
    started = numbers.plural(started, "patient")
    return f"Of {started}, {numbers.format_count(remaining)} {verb}; {out} left out by rule."


def missingness(missingness: pd.DataFrame, most: int = 3) -> str:
    """Which columns lack the most values? `missingness`: schema.MISSINGNESS; the `most` worst are named.

    A column whose number was withheld counts: that a number is withheld says that some values are missing.
    """
    schema.check(missingness, schema.MISSINGNESS)
    hidden = int(missingness["missing"].isna().sum())
    told = missingness[missingness["share"] > 0].sort_values("share", ascending=False, kind="stable")
    if told.empty and not hidden:
        return "No column lacks a value."
    text = f"{numbers.plural(len(told) + hidden, 'column lacks', 'columns lack')} some values"
    text += f", {numbers.format_count(hidden)} of them so few that the number is withheld" if hidden else ""
    named = [_lacking(row) for _, row in told.head(most).iterrows()]
    text += f"; most often {numbers.listed(named)}" if named else ""
    return f"{text}. What is missing stays missing: nothing is guessed."


def _lacking(row: pd.Series) -> str:
    column, table = (numbers.escape_markdown(text) for text in (labels.variable_name(row["column"]), str(row["table"])))
    return f"{column} ({numbers.format_percent(row['share'])} of {table})"


def small_groups(groups: pd.DataFrame, minimum_patients: int) -> str:
    """Which groups are shown as counts only, and why?

    Parameters
    ----------
    groups : DataFrame
        stratum, subjects, enough (flag), as `disclosure.enough` returns it.
    minimum_patients : int
        the fewest patients that a curve needs.
    """
    few = groups[~groups["enough"].astype(bool)]
    least = numbers.plural(minimum_patients, "patient")
    if few.empty:
        return f"Every group shown here has at least {least}."
    named = [
        f"{numbers.escape_markdown(labels.stratum_name(row['stratum']))} ({numbers.plural(row['subjects'], 'patient')})"
        for _, row in few.iterrows()
    ]
    return (
        f"Counts only, no curves or rates: {numbers.listed(named)}. With fewer than {least} an estimate would be "
        "mostly chance, and each step of a curve could point to one person."
    )


def class_shares(shares: pd.DataFrame, most: int = 3) -> str:
    """Which drug classes lead in each line? Frame: line, drug_class, patients, share."""
    return bullets([f"{text}." for text in leading_classes(shares, most, numbers.escape_markdown)])


def leading_classes(shares: pd.DataFrame, most: int, escape) -> list[str]:
    """One text per line that names its most used classes."""
    texts = []
    for line in reading.in_order(shares["line"].sort_values()):
        here = shares[(shares["line"] == line) & shares["share"].notna()]
        here = here.sort_values(["share", "drug_class"], ascending=[False, True]).head(most)
        named = [f"{escape(row['drug_class'])} {numbers.format_percent(row['share'])}" for _, row in here.iterrows()]
        texts.append(f"Line {line}: {numbers.listed(named) or 'too few patients for a share'}")
    return texts


def published_figures() -> str:
    """What are the published figures for, and why can they not all be met? Opens a section of its own."""
    return (
        "## Against published figures\n\n"
        "A synthetic cohort is made to resemble published ones, and each figure that it should meet is listed with its "
        "accepted band, its source and the evidence grade of that source. The published figures come from different "
        "cohorts and years, and some contradict each other: medians and survival come first, then who reaches the next "
        "line, then the rest. Progression-free survival is meant here as published: a next line without progression "
        "is censored, so it differs from the time to any event on other pages. Concordance is apparent, not validated."
    )


def calibration(calibration: pd.DataFrame) -> str:
    """How many published figures does this cohort meet, which ones does it miss and why? `calibration`: schema."""
    schema.check(calibration, schema.CALIBRATION)
    if calibration.empty:
        return "There are no published figures to compare with."
    misses = calibration[~calibration["inside"]]
    met = f"{len(calibration) - len(misses)} of {numbers.plural(len(calibration), 'published figure')}"
    if misses.empty:
        return f"This cohort meets {met}."
    named = [
        f"{numbers.escape_markdown(row['target'])}: {numbers.format_figure(row['achieved'])} against "
        f"{numbers.format_figure(row['published'])} {numbers.escape_markdown(row['unit'])}"
        f" ({numbers.escape_markdown(row['note']) or 'no reason given'})"
        for _, row in misses.iterrows()
    ]
    return f"This cohort meets {met}. It misses:\n\n" + "\n".join(f"- {text}" for text in named)


def checks(checks: pd.DataFrame) -> str:
    """Did the estimates pass their checks? `checks` is a DataFrame of schema.CHECKS."""
    schema.check(checks, schema.CHECKS)
    if checks.empty:
        return "No checks were made."
    failed = checks[~checks["passed"]]
    if failed.empty:
        return f"All {numbers.plural(len(checks), 'check')} passed." if len(checks) > 1 else "The check passed."
    named = numbers.listed(numbers.escape_markdown(text) for text in failed["check"])
    return f"**{len(failed)} of {numbers.plural(len(checks), 'check')} failed**: {named}. Do not rely on this page."
