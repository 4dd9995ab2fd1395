"""Tables of what goes with an earlier event: covariates, effects, published ones beside ours, tests, contrasts."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from analysis import schema
from analysis.present import labels, numbers, reading, terms
from analysis.present.tables.html import NUMBER, TEXT, count, table

_LIMITS = "95 % limits"


def covariates(covariates: pd.DataFrame) -> HTML:
    """Which covariates enter the models, and why not the others? `covariates` is a DataFrame of schema.TERMS."""
    schema.check(covariates, schema.TERMS)
    rows = [
        [
            terms.term_name(row["formula"]),
            "–" if row["note"] == "not in this cohort" else count(row, "known"),
            "in the models" if row["used"] else row["note"],
            row["reference"].replace("_", " ") or "–",
        ]
        for _, row in covariates.iterrows()
    ]
    columns = [
        ("covariate, known when the line starts", TEXT),
        ("lines with a known value", NUMBER),
        ("use", TEXT),
        ("compared with", TEXT),
    ]
    return table("Covariates of the models", columns, rows)


def effects(effects: pd.DataFrame, endpoint: str, caption: str = "") -> HTML:
    """By how much does each term go with each event? One row per term, one column per model, p beneath the limits.

    `effects` is a DataFrame of schema.EFFECTS; what the fits had to say stands beneath the table.
    """
    schema.check(effects, schema.EFFECTS)
    models, names = reading.in_order(effects["model"]), reading.in_order(effects["term"])
    by_place = {(row["term"], row["model"]): row for _, row in effects.iterrows()}
    rows = [[terms.term_name(name), *(_ratio_and_p(by_place.get((name, model))) for model in models)] for name in names]
    first = effects.drop_duplicates("model").set_index("model")
    sizes = [f"{count(first.loc[model], 'subjects')} / {count(first.loc[model], 'events')}" for model in models]
    rows += [["patients / events", *sizes]] if models else []
    scale = labels.sentence(reading.in_order(effects["scale"])[0]) if len(effects) else "Ratio"
    columns = [("term", TEXT), *((terms.model_name(model, endpoint), NUMBER) for model in models)]
    notes = dict.fromkeys(terms.plain_note(note) for note in effects["note"] if note)
    return table(caption or f"{scale} ({_LIMITS}) of each term, all terms together", columns, rows, "; ".join(notes))


def _ratio_and_p(row: pd.Series | None) -> str | tuple[str, str]:
    if row is None or numbers.missing(row["estimate"]):
        return "–"
    p = numbers.format_p(row["p"])
    ratio = numbers.format_ratio(row["estimate"], row["conf_low"], row["conf_high"])
    return ratio, f"p {p}" if p.startswith("<") else f"p = {p}"


def beside_published(effects: pd.DataFrame, published: pd.DataFrame, endpoint: str) -> HTML:
    """What have others found for the same terms? Ours and the published ratio side by side, with source and grade.

    `effects` is a DataFrame of schema.EFFECTS (models named by one event each), `published` one of
    schema.PUBLISHED_EFFECTS. The outcomes differ: the table names the published one.
    """
    schema.check(published, schema.PUBLISHED_EFFECTS)
    ours = {(row["term"], row["model"].partition(", ")[2]): row for _, row in effects.iterrows()}
    # Where no relapse is on record the next line is what stands nearest to it.
    nearest = {"relapse": endpoint, "death": "death"}
    rows = []
    for _, row in published.iterrows():
        mine = ours.get((row["term"], nearest[row["event"]]))
        if mine is None:
            continue
        rows.append(
            [
                row["contrast"],
                terms.model_name(mine["model"], endpoint),
                numbers.format_ratio(mine["estimate"], mine["conf_low"], mine["conf_high"]),
                (numbers.format_ratio(row["estimate"], row["conf_low"], row["conf_high"]), row["outcome"]),
                f"{row['source']} [{row['grade']}]",
            ]
        )
    columns = [("contrast", TEXT), ("our model", TEXT), (f"ours ({_LIMITS})", NUMBER)]
    columns += [(f"published ({_LIMITS} where printed)", NUMBER), ("source [grade]", TEXT)]
    note = "Published outcomes are not ours: they stand here as context and are never pooled with our estimates."
    return table("Our ratios beside published ones", columns, rows, note if rows else "")


def tests(tests: pd.DataFrame, endpoint: str, caption: str) -> HTML:
    """What do the tests of the models say? One row per model and term. `tests` is a DataFrame of schema.TESTS."""
    schema.check(tests, schema.TESTS)
    rows = [
        [
            "all terms together" if row["term"] == "all" else terms.term_name(row["term"]),
            terms.model_name(row["model"], endpoint),
            numbers.format_number(row["statistic"], 2),
            numbers.format_count(row["df"]),
            numbers.format_p(row["p"]),
        ]
        for _, row in tests.iterrows()
    ]
    columns = [("term", TEXT), ("model", TEXT), ("chi-squared", NUMBER), ("degrees of freedom", NUMBER), ("p", NUMBER)]
    return table(
        caption, columns, rows, "; ".join(dict.fromkeys(terms.plain_note(note) for note in tests["note"] if note))
    )


def contrasts(contrasts: pd.DataFrame, endpoint: str) -> HTML:
    """By how many points would the risk differ? One row per level, event and time; a DataFrame of schema.CONTRASTS."""
    schema.check(contrasts, schema.CONTRASTS)
    rows = [
        [
            f"{terms.level_name(row['stratum'])} less {terms.level_name(row['reference'])}",
            labels.event_name(row["event"], endpoint),
            numbers.format_time_point(round(row["time"] / schema.DAYS_PER_MONTH, 1)),
            numbers.format_points(row["estimate"], row["conf_low"], row["conf_high"]),
            numbers.format_p(row["p"]),
        ]
        for _, row in contrasts.iterrows()
    ]
    columns = [("all set to", TEXT), ("event", TEXT), ("by", NUMBER), (f"points ({_LIMITS})", NUMBER), ("p", NUMBER)]
    return table("Difference in the share with the event, in percentage points, after standardisation", columns, rows)
