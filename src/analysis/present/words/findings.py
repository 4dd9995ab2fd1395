"""What was found, in sentences: frequencies, medians, rates, who reaches the next line, and what crude figures miss."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.present import labels, numbers, reading

NOTHING = "There is no group with enough patients to say anything here."


def headline(
    curves: pd.DataFrame, quantiles: pd.DataFrame, event: str, endpoint: str, times_months: list[float]
) -> str:
    """The findings, one line of text per stratum: share with the event by each time, and the median.

    Parameters
    ----------
    curves : DataFrame of schema.CURVES
        cumulative incidences, as step functions or at fixed times that hold the times asked for.
    quantiles : DataFrame of schema.QUANTILES
        medians of any of the curves; their event word says what "half" refers to. May be empty.
    event, endpoint : str
        which event the shares count, and the endpoint of the source.
    times_months : list of float

    Returns
    -------
    Markdown list.
    """
    schema.check(curves, schema.CURVES)
    schema.check(quantiles, schema.QUANTILES)
    done = labels.event_done(event, endpoint)
    read = {months: reading.at(curves, "cumulative incidence", event, months) for months in times_months}
    lines = []
    for stratum in reading.in_order(curves["stratum"]):
        name = numbers.escape_markdown(labels.sentence(labels.stratum_name(stratum)))
        text = f"**{name}**: {_shares(read, stratum, done)}"
        half = quantiles[(quantiles["stratum"] == stratum) & (quantiles["probability"] == 0.5)]
        text += "".join(f"; {_half(row, endpoint)}" for _, row in half.iterrows())
        lines.append(f"{text}.")
    return bullets(lines)


def _shares(read: dict[float, pd.DataFrame], stratum: str, done: str) -> str:
    """The shares at the times that the data reach, which times they do not, and what was withheld."""
    known, beyond, gone = [], [], []
    for months, frame in read.items():
        row = frame[frame["stratum"] == stratum].iloc[0]
        time = numbers.format_time_point(months)
        if numbers.missing(row["estimate"]) and numbers.why_missing(row) == numbers.GONE:
            gone.append(time)
        elif numbers.missing(row["estimate"]) or row["few"]:
            beyond.append(time)
        else:
            known.append(f"by {time} {numbers.format_estimate(row['estimate'], row['conf_low'], row['conf_high'])}")
    parts = [f"{numbers.listed(known)} {done}"] if known else []
    parts += [f"the small counts by {numbers.listed(gone)} are withheld"] if gone else []
    parts += [f"too few are left to say by {beyond[0]}"] if beyond else []
    return "; ".join(parts)


def _half(row: pd.Series, endpoint: str) -> str:
    done = labels.event_done(row["event"], endpoint)
    if numbers.missing(row["estimate"]):
        why = numbers.why_no_median(row)
        if why == numbers.NOT_REACHED:
            return f"as long as enough were watched, fewer than half {done} (median not reached)"
        return f"the median is {why}"
    time = numbers.format_estimate(row["estimate"], row["conf_low"], row["conf_high"], "months")
    return f"half {done} within {time}"


def medians(quantiles: pd.DataFrame, endpoint: str) -> str:
    """Within how many months had half of the patients had the event? One sentence per stratum and event.

    `quantiles` is a DataFrame of schema.QUANTILES; rows of other probabilities than one half are left aside.
    """
    schema.check(quantiles, schema.QUANTILES)
    half = quantiles[quantiles["probability"] == 0.5]
    return bullets([f"{_place(row['stratum'])}, {_half(row, endpoint)}." for _, row in half.iterrows()])


def rates(rates: pd.DataFrame, event: str, endpoint: str) -> str:
    """How often does the event come, per 100 patients watched for a year? One sentence per stratum.

    `rates` is a DataFrame of schema.RATES.
    """
    schema.check(rates, schema.RATES)
    name = labels.event_name(event, endpoint)
    lines = []
    for _, row in rates[rates["event"] == event].iterrows():
        rate = numbers.format_estimate(row["estimate"], row["conf_low"], row["conf_high"], "rate")
        counts = f"{_events(row)} among {numbers.plural(row['subjects'], 'patient')}"
        lines.append(f"{_place(row['stratum'])}: {rate} per 100 person-years; {counts}.")
    return f"Rate of {name} (100 person-years are 100 patients watched for one year):\n\n{bullets(lines)}"


def _events(row: pd.Series) -> str:
    if numbers.missing(row["events"]):
        return f"events {numbers.shown_count(row, 'events')}"
    return numbers.plural(row["events"], "event")


def attrition(attrition: pd.DataFrame, time_months: float) -> str:
    """Who reaches the next line, who dies first? Both readings, one paragraph per line.

    `attrition` is a DataFrame of schema.ATTRITION; `time_months` must be one of its Aalen-Johansen times.
    """
    schema.check(attrition, schema.ATTRITION)
    timed = reading.reliable(reading.at_time(attrition[attrition["reading"] == "Aalen-Johansen"], time_months))
    lines = []
    for line in sorted(attrition["line"].unique()):
        crude = attrition[(attrition["line"] == line) & (attrition["reading"] == "crude")].set_index("outcome")
        right = timed[timed["line"] == line].set_index("outcome")
        lines.append(" ".join([*_crude_sentence(line, crude), *_timed_sentence(right, time_months)]))
    return bullets(lines)


def _crude_sentence(line: int, crude: pd.DataFrame) -> list[str]:
    if crude.empty:
        return [f"Line {line}:"]
    entered = numbers.plural(crude["entered"].iloc[0], "patient")
    parts = [
        f"{numbers.shown_count(crude.loc[outcome], 'count')}{_in_brackets(crude.loc[outcome])} {what}"
        for outcome, what in _OUTCOMES.items()
        if outcome in crude.index
    ]
    return [f"Of the {entered} who started line {line}, {numbers.listed(parts)} in all of the follow-up."]


_OUTCOMES = {"next_line": "started the next line", "death": "died first", "neither": "did neither"}


def _in_brackets(row: pd.Series) -> str:
    if numbers.missing(row["estimate"]):
        return ""
    limits = numbers.format_interval(row["conf_low"], row["conf_high"])
    return f" ({numbers.format_percent(row['estimate'])}{f', limits {limits}' if limits else ''})"


def _timed_sentence(right: pd.DataFrame, time_months: float) -> list[str]:
    parts = [
        f"{numbers.format_estimate(*right.loc[outcome, ['estimate', 'conf_low', 'conf_high']])} had {what}"
        for outcome, what in (("next_line", "started the next line"), ("death", "died first"))
        if outcome in right.index and not numbers.missing(right.loc[outcome, "estimate"])
    ]
    time = numbers.format_time_point(time_months)
    gone = any(
        numbers.missing(row["estimate"]) and numbers.why_missing(row) == numbers.GONE for _, row in right.iterrows()
    )
    said = [f"Allowing for unequal follow-up (Aalen-Johansen), by {time} {numbers.listed(parts)}."] if parts else []
    if gone:
        return [*said, "Shares made from small counts are withheld."]
    return said or [f"Too few are left to say by {time}."]


def crude_gap(comparison: pd.DataFrame, event: str, endpoint: str, time_months: float) -> str:
    """What would crude percentages have said wrongly, and by how many percentage points?

    `comparison` is a DataFrame of schema.CURVES with the three readings of `event`; `time_months` one of its times.
    """
    schema.check(comparison, schema.CURVES)
    done = labels.event_done(event, endpoint)
    rows = reading.at_time(comparison[comparison["event"] == event], time_months)
    lines = []
    for stratum in reading.in_order(rows["stratum"]):
        here = rows[rows["stratum"] == stratum].set_index("estimand")
        if "cumulative incidence" not in here.index:
            continue
        unsaid = _unsaid(here.loc["cumulative incidence"], time_months)
        if unsaid:
            lines.append(f"{_place(stratum)}, {unsaid}.")
            continue
        right = here.loc["cumulative incidence"]
        share = numbers.format_estimate(right["estimate"], right["conf_low"], right["conf_high"])
        text = f"{_place(stratum)}, {share} {done} by {numbers.format_time_point(time_months)}."
        for estimand, name in (
            ("crude share", "The crude share"),
            ("one minus Kaplan-Meier", "One minus Kaplan-Meier"),
        ):
            if estimand in here.index and not numbers.missing(here.loc[estimand, "estimate"]):
                text += f" {name} says {_gap(here.loc[estimand, 'estimate'], right['estimate'])}."
        lines.append(text)
    return f"{_why(event, endpoint)}\n\n{bullets(lines)}"


def _why(event: str, endpoint: str) -> str:
    rivals = labels.rivals(event, endpoint)
    who = {"deaths": "patients who died"}.get(rivals, "patients in whom another event came first")
    named = " (a death, or a next line begun without a recorded relapse)" if event == "relapse" else ""
    return (
        "A crude share divides by everybody who started, also by those who were not watched long enough, so it tends "
        f"to be too low. One minus Kaplan-Meier treats {who}{named} as if the event could still come to them, so it is "
        f"too high wherever there are {rivals}."
    )


def _unsaid(row: pd.Series, time_months: float) -> str:
    """Why nothing is said of a row; empty when its estimate can be relied on."""
    time = numbers.format_time_point(time_months)
    if numbers.missing(row["estimate"]) and numbers.why_missing(row) == numbers.GONE:
        return f"the small counts by {time} are withheld"
    return f"too few are left to say by {time}" if numbers.missing(row["estimate"]) or numbers.few_left(row) else ""


def _gap(wrong: float, right: float) -> str:
    # Of the printed numbers, so that a reader who subtracts them finds the same.
    points = round(round(100 * wrong, 1) - round(100 * right, 1), 1)
    share = numbers.format_percent(wrong)
    if points == 0:
        return f"{share}, the same to the first decimal"
    noun = "point" if abs(points) == 1 else "points"
    return f"{share}, {numbers.format_number(abs(points))} {noun} too {'high' if points > 0 else 'low'}"


def bullets(lines: list[str]) -> str:
    """Sentences as a Markdown list; a single one as a paragraph; none as the sentence that says so."""
    if not lines:
        return NOTHING
    return lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)


def _place(stratum: str) -> str:
    return numbers.escape_markdown(labels.sentence(labels.stratum_place(stratum)))
