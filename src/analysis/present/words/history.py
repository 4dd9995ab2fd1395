"""What became known after the start, what is missing together, and the shape of effects, in sentences."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.present import labels, numbers, terms
from analysis.present.words.findings import NOTHING


def landmark(flow: pd.DataFrame, landmark_days: float) -> str:
    """Who is left at the landmark, and why not the others? `flow`: schema.FLOW of `derive.landmarks.at_landmark`."""
    schema.check(flow, schema.FLOW)
    if flow.empty:
        return NOTHING
    steps = flow.sort_values("step")
    unit = "line of treatment" if "lines of treatment" in steps["rule"].iloc[0] else "patient"
    day = numbers.format_count(landmark_days)
    left = numbers.plural(steps["remaining"].iloc[-1], unit, "lines of treatment" if " of " in unit else None)
    gone = [
        f"{numbers.escape_markdown(row['rule'])} {numbers.shown_count(row, 'removed')}"
        for _, row in steps.iloc[1:].iterrows()
        if numbers.missing(row["removed"]) or row["removed"] > 0
    ]
    out = f" Left out: {numbers.listed(gone)}." if gone else " Nobody was left out."
    return (
        f"Landmark on day {day} after the start of the line: {left} remain, by what was known of them then.{out} "
        f"What is found holds for those who come so far."
    )


def patterns(patterns: pd.DataFrame) -> str:
    """How many have every value, and which gaps come together? `patterns`: schema.PATTERNS."""
    schema.check(patterns, schema.PATTERNS)
    if patterns.empty:
        return NOTHING
    complete = patterns[patterns["columns"] == 0]
    total = numbers.plural(patterns["total"].iloc[0], "patient")
    if complete.empty:
        text = f"None of {total} has every value"
    elif numbers.missing(complete["share"].iloc[0]):
        text = f"How many of {total} have every value is withheld"
    else:
        text = f"{numbers.format_percent(complete['share'].iloc[0])} of {total} have every value"
    gaps = patterns[(patterns["columns"] > 0) & patterns["share"].notna()]
    if gaps.empty:
        return f"{text}."
    most = gaps.sort_values("count", ascending=False, kind="stable").iloc[0]
    named = numbers.listed([numbers.escape_markdown(labels.variable_name(x)) for x in most["pattern"].split(" + ")])
    return f"{text}; the most frequent gap is {named} ({numbers.format_percent(most['share'])})."


def imputed(effects: pd.DataFrame, endpoint: str) -> str:
    """What changes when gaps are filled? `effects`: schema.EFFECTS of `estimate.imputation.with_imputation`.

    One point per model: the term whose ratio moves most from complete cases to filled gaps.
    """
    schema.check(effects, schema.EFFECTS)
    points = []
    for model, rows in effects.groupby([model.rpartition(", ")[0] for model in effects["model"]], sort=False):
        complete = rows[rows["model"].str.endswith(", complete cases")].set_index("term")
        filled = rows[rows["model"].str.endswith(" imputations")].set_index("term")
        moved = (filled["log_estimate"] - complete["log_estimate"]).abs().dropna()
        name = labels.sentence(terms.model_name(model, endpoint))
        if filled.empty:
            points.append(f"- {name}: nothing is missing, nothing was filled.")
            continue
        sizes = [numbers.plural(frame["subjects"].iloc[0], "patient") for frame in (complete, filled)]
        text = f"- {name}: {sizes[0]} with every value, {sizes[1]} with gaps filled"
        if len(moved):
            term = moved.idxmax()
            text += (
                f"; the ratio that moves most is that of {numbers.escape_markdown(terms.term_name(term))}, from "
                f"{_ratio(complete.loc[term])} to {_ratio(filled.loc[term])}"
            )
        points.append(f"{text}.")
    if not points:
        return NOTHING
    return "\n".join(points) + (
        "\n\nFilling assumes that whether a value is missing depends only on what is known of the patient; the data "
        "cannot show it."
    )


def alt_functional_form(form: pd.DataFrame) -> str:
    """Alt text of `figures.functional_form`: the ratio in the lowest, middle and highest group of each number."""
    texts = []
    for name, rows in form[form["estimate"].notna()].groupby("variable", sort=False):
        parts = [f"{_ratio(row)} around {numbers.format_figure(row['value'])}" for row in _ends(rows)]
        texts.append(f"{labels.variable_name(name)}: {numbers.listed(parts)}")
    said = "; ".join(texts) or "no group has a ratio"
    return f"Dots with limits. Events seen over those expected by the model: {said}."


def alt_effect_by_time(effects: pd.DataFrame) -> str:
    """Alt text of `figures.effect_by_time`: the hazard ratio of each term at the first, middle and last times."""
    texts = []
    for term, rows in effects[effects["estimate"].notna()].groupby("term", sort=False):
        parts = [f"{_ratio(row)} around {numbers.format_months(row['time'])}" for row in _ends(rows)]
        overall = numbers.format_number(rows["overall"].iloc[0], 2)
        texts.append(f"{terms.term_name(term)}, {overall} for all times: {numbers.listed(parts)}")
    return f"Dots with limits. Hazard ratio by time: {'; '.join(texts) or 'no group has a ratio'}."


def _ends(rows: pd.DataFrame) -> list[pd.Series]:
    places = sorted({0, len(rows) // 2, len(rows) - 1})
    return [rows.iloc[place] for place in places]


def _ratio(row: pd.Series) -> str:
    return numbers.format_ratio(row["estimate"], row["conf_low"], row["conf_high"])
