"""Tables of landmarks, gaps that come together, and the shape of effects."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from analysis import schema
from analysis.present import labels, numbers, terms
from analysis.present.tables.html import NUMBER, TEXT, count, table


def landmark(flow: pd.DataFrame, landmark_days: float) -> HTML:
    """Who was left out before the landmark, and why? `flow`: schema.FLOW of `derive.landmarks.at_landmark`."""
    schema.check(flow, schema.FLOW)
    rows = [
        [row["rule"], count(row, "removed"), count(row, "remaining")] for _, row in flow.sort_values("step").iterrows()
    ]
    caption = f"Who is left at the landmark, day {numbers.format_count(landmark_days)} after the start of the line"
    return table(caption, [("rule", TEXT), ("removed", NUMBER), ("remaining", NUMBER)], rows)


def patterns(patterns: pd.DataFrame, most: int = 12) -> HTML:
    """Which values are missing together? The `most` frequent patterns of schema.PATTERNS."""
    schema.check(patterns, schema.PATTERNS)
    rows = [
        [
            "nothing missing" if row["columns"] == 0 else _named(row["pattern"]),
            count(row, "count"),
            "–" if numbers.missing(row["share"]) else numbers.format_percent(row["share"]),
        ]
        for _, row in patterns.head(most).iterrows()
    ]
    rest = len(patterns) - most
    note = f"{numbers.plural(rest, 'rarer pattern is', 'rarer patterns are')} not shown." if rest > 0 else ""
    columns = [("missing together", TEXT), ("patients", NUMBER), ("per cent", NUMBER)]
    return table("Patterns of missing covariates", columns, rows, note=note)


def _named(pattern: str) -> str:
    return " + ".join(labels.variable_name(name) for name in pattern.split(" + "))


def functional_form(form: pd.DataFrame) -> HTML:
    """The numbers of `figures.functional_form`. `form`: schema.FUNCTIONAL_FORM."""
    schema.check(form, schema.FUNCTIONAL_FORM)
    rows = [
        [
            labels.variable_name(row["variable"]),
            numbers.format_figure(row["value"]),
            count(row, "subjects"),
            count(row, "events"),
            numbers.format_number(row["expected"]),
            _ratio(row),
        ]
        for _, row in form.iterrows()
    ]
    columns = [("number", TEXT), ("mean of the group", NUMBER), ("patients", NUMBER), ("events seen", NUMBER)]
    columns += [("expected", NUMBER), ("ratio (95 % limits)", NUMBER)]
    return table("Events seen and events that the model expects, by groups of a number", columns, rows)


def effect_by_time(effects: pd.DataFrame) -> HTML:
    """The numbers of `figures.effect_by_time`. `effects`: schema.EFFECT_BY_TIME."""
    schema.check(effects, schema.EFFECT_BY_TIME)
    rows = [
        [terms.term_name(row["term"]), numbers.format_months(row["time"]), count(row, "events"), _ratio(row)]
        for _, row in effects.iterrows()
    ]
    columns = [("term", TEXT), ("around", NUMBER), ("events", NUMBER), ("hazard ratio (95 % limits)", NUMBER)]
    return table("Hazard ratio by time since the start of the line", columns, rows)


def _ratio(row: pd.Series) -> str:
    if numbers.missing(row["estimate"]):
        return numbers.why_missing(row)
    return numbers.format_ratio(row["estimate"], row["conf_low"], row["conf_high"])
