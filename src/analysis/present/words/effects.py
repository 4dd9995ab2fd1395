"""Sentences about models: what goes with an earlier event, does it last, what do adjusted curves say."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.present import labels, numbers, reading, terms


def covariates(covariates: pd.DataFrame) -> str:
    """Which covariates are in the models? `covariates` is a DataFrame of schema.TERMS."""
    schema.check(covariates, schema.TERMS)
    used = [terms.term_name(row["formula"]) for _, row in covariates[covariates["used"]].iterrows()]
    if not used:
        return "No covariate of this cohort can enter a model; the table says why."
    return (
        f"In the models: {numbers.listed(used)}. All were known on the day the line started; what happens later "
        "(response, transplant, maintenance) has no place in them."
    )


def effects(effects: pd.DataFrame, endpoint: str) -> str:
    """What goes with which event? One point per model: the terms whose limits exclude 1, the strongest first.

    `effects` is a DataFrame of schema.EFFECTS.
    """
    schema.check(effects, schema.EFFECTS)
    points = []
    for model, rows in effects.groupby("model", sort=False):
        told = rows.dropna(subset=["estimate", "conf_low", "conf_high"])
        clear = told[(told["conf_low"] > 1) | (told["conf_high"] < 1)]
        clear = clear.loc[clear["log_estimate"].abs().sort_values(ascending=False).index]
        name = labels.sentence(terms.model_name(model, endpoint))
        if told.empty:
            points.append(f"- {name}: no estimate.")
            continue
        texts = [_one(row) for _, row in clear.iterrows()]
        points.append(
            f"- {name}: "
            + (f"{numbers.listed(texts)}." if texts else "the limits of every term include 1.")
            + (f" {_rest(told, clear)}" if texts and len(told) > len(clear) else "")
        )
    if not points:
        return "No model has an estimate."
    scale = reading.in_order(effects["scale"])[0]
    return f"Terms whose 95 % limits exclude 1 ({scale}):\n\n" + "\n".join(points)


def _one(row: pd.Series) -> str:
    ratio = numbers.format_ratio(row["estimate"], row["conf_low"], row["conf_high"])
    return f"{numbers.escape_markdown(terms.term_name(row['term']))} {ratio}"


def _rest(told: pd.DataFrame, clear: pd.DataFrame) -> str:
    rest = [row["term"] for _, row in told.iterrows() if row["term"] not in set(clear["term"])]
    names = [numbers.escape_markdown(terms.term_name(term)) for term in rest]
    return f"Not told apart from no difference: {numbers.listed(names)}."


def effects_caveat() -> str:
    """What a ratio of hazards is not."""
    return (
        "A hazard ratio compares the rate among those still free of every event; it is no ratio of shares or of times. "
        "The causes stand side by side because a covariate may go with less of one event merely by going with more "
        "of another. Nothing here is an effect of changing a covariate: patients who differ in one differ in others "
        "that no model holds. No correction is made for looking at many terms."
    )


def proportional(tests: pd.DataFrame, endpoint: str, level: float = 0.05) -> str:
    """Does an effect change with time? Names the terms whose test says so. `tests` is a DataFrame of schema.TESTS."""
    schema.check(tests, schema.TESTS)
    told = tests[(tests["term"] != "all") & tests["p"].notna()]
    if told.empty:
        return "Whether effects change with time could not be tested: no model has an estimate."
    found = told[told["p"] < level]
    if found.empty:
        return (
            f"No term's effect is seen to change with time (all p at least {level:g}). That does not show that none "
            "does."
        )
    texts = [
        f"{numbers.escape_markdown(terms.term_name(row['term']))} ({terms.model_name(row['model'], endpoint)}, "
        f"p {numbers.format_p(row['p']).replace('<', 'below ')})"
        for _, row in found.iterrows()
    ]
    return (
        f"The effect changes with time for {numbers.listed(texts)}: one ratio is then an average over the follow-up. "
        "Beneath, the effect stands for early and late time separately."
    )


def standardised(contrasts: pd.DataFrame, endpoint: str) -> str:
    """What would the share be, had everybody each level? One sentence per level and time for the endpoint's event.

    `contrasts` is a DataFrame of schema.CONTRASTS.
    """
    schema.check(contrasts, schema.CONTRASTS)
    rows = contrasts[(contrasts["event"] == endpoint)].dropna(subset=["estimate"])
    points = [
        f"- {labels.sentence(terms.level_name(row['stratum']))} rather than {terms.level_name(row['reference'])}: "
        f"{numbers.format_points(row['estimate'], row['conf_low'], row['conf_high'])} percentage points by "
        f"{numbers.format_time_point(round(row['time'] / schema.DAYS_PER_MONTH, 1))}."
        for _, row in rows.iterrows()
    ]
    if not points:
        return "No adjusted difference could be worked out."
    name = labels.event_name(endpoint, endpoint)
    return (
        f"Share with {name}, all other covariates as they are in this cohort, had everybody one level and not the "
        "other:\n\n" + "\n".join(points)
    )


def alt_effects(effects: pd.DataFrame, endpoint: str) -> str:
    """The text that stands for the forest of ratios: the farthest from 1 in each model."""
    told = effects.dropna(subset=["estimate", "conf_low", "conf_high"])
    if told.empty:
        return "Forest of ratios: no term has an estimate."
    texts = []
    for model, rows in told.groupby("model", sort=False):
        row = rows.loc[rows["log_estimate"].abs().idxmax()]
        ratio = numbers.format_ratio(row["estimate"], row["conf_low"], row["conf_high"])
        texts.append(f"{terms.model_name(model, endpoint)}: {terms.term_name(row['term'])} {ratio}")
    scale = reading.in_order(told["scale"])[0]
    return f"Forest of {scale}s with 95 % limits; farthest from 1, {'; '.join(texts)}."


def alt_standardised(curves: pd.DataFrame, label: str, horizon_months: float) -> str:
    """The text that stands for adjusted curves: where each ends."""
    rows = curves.dropna(subset=["estimate"])
    rows = rows[rows["time"] <= horizon_months * schema.DAYS_PER_MONTH]
    if rows.empty:
        return "Adjusted curves: nothing to show."
    last = rows.sort_values("time").groupby("stratum", sort=False).last()
    texts = [
        f"as if all {terms.level_name(stratum)}: "
        f"{numbers.format_estimate(row['estimate'], row['conf_low'], row['conf_high'])} by "
        f"{numbers.format_time_point(round(row['time'] / schema.DAYS_PER_MONTH, 1))}"
        for stratum, row in last.iterrows()
    ]
    return f"Share with {labels.of_event(label)} after standardisation; {'; '.join(texts)}."
