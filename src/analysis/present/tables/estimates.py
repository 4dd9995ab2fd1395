"""Tables of estimates: curves at fixed times, medians, rates, attrition, the three readings, numbers at risk."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from analysis import schema
from analysis.present import labels, numbers, reading
from analysis.present.tables.html import NUMBER, TEXT, count, limits, table

_LIMITS = "95 % limits"


def curves_at_times(curves: pd.DataFrame, event: str, times_months: list[float], label: str) -> HTML:
    """What share of each stratum has had the event by each time? Cumulative incidence with its limits.

    Parameters
    ----------
    curves : DataFrame of schema.CURVES
        whole step functions, or a table at fixed times that holds the times asked for.
    event : str
        event word; "any" reads the share without any event instead.
    times_months : list of float
    label : str
        what happens, from `labels.event_name`; never its absence ("survival").

    Returns
    -------
    HTML: one row per stratum, one column per time, how many are at risk beneath each share; "too few left" where a
    stratum's data end before it, and a dagger where fewer than `numbers.AT_RISK_MINIMUM` are at risk.
    """
    schema.check(curves, schema.CURVES)
    estimand = "survival" if event == "any" else "cumulative incidence"
    read = {months: reading.at(curves, estimand, event, months).set_index("stratum") for months in times_months}
    rows = [
        [labels.stratum_name(stratum), *(_share_at_risk(read[months].loc[stratum]) for months in times_months)]
        for stratum in reading.in_order(curves["stratum"])
    ]
    what = f"{'Share without' if event == 'any' else 'Cumulative incidence of'} {labels.of_event(label)}"
    columns = [("group", TEXT), *((f"{numbers.format_time_point(months)}", NUMBER) for months in times_months)]
    few = any(_marked(frame) for frame in read.values())
    caption = f"{what} by time since start of the line, per cent of patients ({_LIMITS}); beneath, patients at risk"
    return table(caption, columns, rows, note=numbers.FEW_NOTE if few else "")


def _marked(rows: pd.DataFrame) -> bool:
    """Does any of these rows carry a dagger?"""
    return any(numbers.few_left(row) for _, row in rows[rows["estimate"].notna()].iterrows())


def _share_at_risk(row: pd.Series) -> tuple[str, str]:
    unknown = numbers.missing(row["estimate"]) and numbers.missing(row["at_risk"])
    return _share(row, few=row["few"]), "" if unknown else f"{count(row, 'at_risk')} at risk"


def _share(row: pd.Series, few: bool = False) -> str:
    if numbers.missing(row["estimate"]):
        return numbers.why_missing(row)
    return numbers.format_estimate(row["estimate"], row["conf_low"], row["conf_high"], few=few)


def medians(quantiles: pd.DataFrame, label: str) -> HTML:
    """After how many months has half of each stratum had the event? "not reached" where the curve does not fall so far.

    `quantiles` is a DataFrame of schema.QUANTILES; rows of another probability are set too and say which.
    """
    schema.check(quantiles, schema.QUANTILES)
    rows = [
        [
            labels.stratum_name(row["stratum"]),
            count(row, "subjects"),
            count(row, "events"),
            *([f"{100 * row['probability']:g} %"] if _several(quantiles) else []),
            numbers.why_no_median(row) if numbers.missing(row["estimate"]) else numbers.format_months(row["estimate"]),
            _month_limits(row),
        ]
        for _, row in quantiles.iterrows()
    ]
    part = [("share", NUMBER)] if _several(quantiles) else []
    columns = [("group", TEXT), ("patients", NUMBER), ("events", NUMBER), *part, ("time", NUMBER), (_LIMITS, NUMBER)]
    what = "Time by which a share of patients has had" if _several(quantiles) else "Median time to"
    return table(f"{what} {labels.of_event(label)}, months since start of the line", columns, rows)


def _several(quantiles: pd.DataFrame) -> bool:
    return bool((quantiles["probability"] != 0.5).any())


def _month_limits(row: pd.Series) -> str:
    if numbers.missing(row["conf_low"]) and numbers.missing(row["conf_high"]):
        return "–"
    return limits(row, "months")


def rates(rates: pd.DataFrame, endpoint: str) -> HTML:
    """How many events per 100 person-years, by stratum and event? `rates` is a DataFrame of schema.RATES."""
    schema.check(rates, schema.RATES)
    rows = [
        [
            labels.stratum_name(row["stratum"]),
            labels.event_name(row["event"], endpoint),
            count(row, "subjects"),
            count(row, "events"),
            numbers.format_number(row["person_years"]),
            numbers.format_number(row["estimate"]),
            limits(row, "rate"),
        ]
        for _, row in rates.iterrows()
    ]
    columns = [("group", TEXT), ("event", TEXT), ("patients", NUMBER), ("events", NUMBER), ("person-years", NUMBER)]
    columns += [("rate", NUMBER), (_LIMITS, NUMBER)]
    return table("Events per 100 person-years of observation in the line, with exact Poisson limits", columns, rows)


def attrition(attrition: pd.DataFrame, time_months: float) -> HTML:
    """Who reaches the next line, who dies first, who neither? Both readings side by side, one row per line and outcome.

    Parameters
    ----------
    attrition : DataFrame of schema.ATTRITION
    time_months : float
        the Aalen-Johansen time that is set; it must be in the frame.
    """
    schema.check(attrition, schema.ATTRITION)
    crude = attrition[attrition["reading"] == "crude"]
    timed = reading.at_time(attrition[attrition["reading"] == "Aalen-Johansen"], time_months)
    timed = timed.set_index(["line", "outcome"])
    rows = []
    for _, row in reading.by_line(crude).iterrows():
        right = timed.loc[(row["line"], row["outcome"])] if (row["line"], row["outcome"]) in timed.index else None
        rows.append(
            [
                f"line {row['line']}",
                labels.event_name(row["outcome"], "next_line"),
                count(row, "entered"),
                count(row, "count"),
                _share(row),
                "–" if right is None else _share(right, few=numbers.known_few(right)),
            ]
        )
    by_time = f"by {numbers.format_time_point(time_months)}, Aalen-Johansen ({_LIMITS})"
    columns = [("line", TEXT), ("came first", TEXT), ("started the line", NUMBER), ("patients", NUMBER)]
    columns += [(f"crude share, all follow-up ({_LIMITS})", NUMBER), (by_time, NUMBER)]
    note = numbers.FEW_NOTE if any(numbers.FEW in row[-1] for row in rows) else ""
    return table("What came first after the start of each line, two readings", columns, rows, note=note)


def crude_comparison(comparison: pd.DataFrame, label: str) -> HTML:
    """What would crude percentages have said? The three readings side by side, per stratum and time.

    `comparison` is a DataFrame of schema.CURVES at fixed times with one event and the three estimands. A dagger marks
    what was read where fewer than `numbers.AT_RISK_MINIMUM` are at risk.
    """
    schema.check(comparison, schema.CURVES)
    estimands = ("cumulative incidence", "one minus Kaplan-Meier", "crude share")
    rows = []
    for (stratum, time), group in comparison.groupby(["stratum", "time"], sort=False):
        by_estimand = group.set_index("estimand")
        read = {name: by_estimand.loc[name] for name in estimands if name in by_estimand.index}
        cells = [_share(read[name], few=numbers.few_left(read[name])) if name in read else "–" for name in estimands]
        months = numbers.format_time_point(round(time / schema.DAYS_PER_MONTH, 1))
        rows.append([labels.stratum_name(stratum), months, count(group.iloc[0], "at_risk"), *cells])
    columns = [("group", TEXT), ("time", NUMBER), ("at risk", NUMBER), *((name, NUMBER) for name in estimands)]
    caption = f"Three readings of the frequency of {labels.of_event(label)}, per cent of patients ({_LIMITS})"
    return table(caption, columns, rows, note=numbers.FEW_NOTE if _marked(comparison) else "")


def risk(risk: pd.DataFrame) -> HTML:
    """How many are at risk, have had each event, are censored, by time? The states of a stratum add up to its N."""
    schema.check(risk, schema.RISK)
    endpoint = labels.endpoint_of(risk["state"])
    times = sorted(risk["time"].unique())
    rows = []
    for stratum in reading.in_order(risk["stratum"]):
        here = risk[risk["stratum"] == stratum]
        for state in reading.states(here):
            cells = {row["time"]: count(row, "count") for _, row in here[here["state"] == state].iterrows()}
            name = labels.event_short(state, endpoint)
            rows.append([labels.stratum_name(stratum), name, *(cells.get(time, "–") for time in times)])
    ticks = [(f"{round(time / schema.DAYS_PER_MONTH, 1):g}", NUMBER) for time in times]
    caption = "Patients by state just before each time, in months since start of the line"
    return table(caption, [("group", TEXT), ("state", TEXT), *ticks], rows)


def calibration(calibration: pd.DataFrame) -> HTML:
    """How near does this cohort come to the published figures? Target, band, achieved, and the reason of each miss.

    Reasons have a column only where there is one.
    """
    schema.check(calibration, schema.CALIBRATION)
    reasons = bool((calibration["note"] != "").any())
    rows = [
        [
            row["target"],
            _with_unit(row),
            f"{numbers.format_figure(row['band_low'])}–{numbers.format_figure(row['band_high'])}",
            numbers.format_figure(row["achieved"]),
            "inside" if row["inside"] else "miss",
            *([row["note"]] if reasons else []),
            f"{row['source']} [{row['grade']}]",
        ]
        for _, row in calibration.iterrows()
    ]
    columns = [("target", TEXT), ("published", NUMBER), ("accepted band", NUMBER), ("achieved", NUMBER)]
    columns += [("verdict", TEXT), *([("reason of a miss", TEXT)] if reasons else []), ("source [grade]", TEXT)]
    return table("This cohort against published figures", columns, rows)


def _with_unit(row: pd.Series) -> str:
    unit = f"({row['unit']})" if row["unit"][:1].isdigit() else row["unit"]  # 0.66 (0 to 1)
    return f"{numbers.format_figure(row['published'])} {unit}".strip()
