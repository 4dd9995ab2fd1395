"""Tables of predictions: models by measures, their differences, subgroups, optimism."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from analysis import schema
from analysis.present import labels, numbers, reading
from analysis.present.tables.html import NUMBER, TEXT, count, table

_MEASURES = (
    "Uno's C",
    "AUC",
    "scaled Brier score",
    "scaled integrated Brier score",
    "observed / expected",
    "calibration slope",
)
_DECIMALS = 3


def model_scores(scores: pd.DataFrame, horizon_months: float) -> HTML:
    """How good is each model by each measure? Limits beneath each estimate.

    Parameters
    ----------
    scores : DataFrame of schema.SCORES
    horizon_months : float
        one of its horizons.
    """
    schema.check(scores, schema.SCORES)
    rows = scores[scores["horizon_months"] == horizon_months]
    measures = [name for name in _MEASURES if name in set(rows["measure"])]
    cells = []
    for model in reading.in_order(rows["model"]):
        own = rows[rows["model"] == model].set_index("measure")
        cells.append([model, *(_score(own, name) for name in measures)])
    what = f"Models by measures, risk by {numbers.format_time_point(horizon_months)}; beneath, 95 % limits"
    return table(what + _size(rows), [("model", TEXT), *((name, NUMBER) for name in measures)], cells)


def model_differences(scores: pd.DataFrame, horizon_months: float) -> HTML:
    """By how much does each model differ from the one to be beaten, and what do the limits say?

    The parameters are those of `model_scores`.
    """
    schema.check(scores, schema.SCORES)
    rows = scores[(scores["horizon_months"] == horizon_months) & (scores["verdict"] != "")]
    cells = [
        [
            row["model"],
            row["measure"],
            row["against"],
            _number(row["difference"]),
            _range(row["difference_low"], row["difference_high"]),
            row["verdict"],
        ]
        for _, row in rows.iterrows()
    ]
    columns = [("model", TEXT), ("measure", TEXT), ("against", TEXT), ("difference", NUMBER)]
    columns += [("95 % limits", NUMBER), ("read from the limits", TEXT)]
    return table(f"Differences between models by {numbers.format_time_point(horizon_months)}", columns, cells)


def subgroup_scores(subgroups: pd.DataFrame, measure: str, horizon_months: float) -> HTML:
    """Is each model as good in each kind of patient? One measure with limits; counts only where there are few.

    Parameters
    ----------
    subgroups : DataFrame of schema.SUBGROUP_SCORES
    measure : str
        one of its measures.
    horizon_months : float
        one of its horizons.
    """
    schema.check(subgroups, schema.SUBGROUP_SCORES)
    rows = subgroups[(subgroups["horizon_months"] == horizon_months) & (subgroups["measure"] == measure)]
    models = reading.in_order(rows["model"])
    cells = []
    for (variable, level), own in rows.groupby(["variable", "level"], sort=False):
        by_model = own.set_index("model")
        first = own.iloc[0]
        name = f"{labels.variable_name(variable)}: {level}"
        scored = [_score(by_model, model) for model in models]
        cells.append([name, count(first, "patients"), count(first, "lines"), count(first, "events"), *scored])
    columns = [("group", TEXT), ("patients", NUMBER), ("lines", NUMBER), ("events", NUMBER)]
    what = f"{measure} by {numbers.format_time_point(horizon_months)} in groups of patients; beneath, 95 % limits"
    return table(what, [*columns, *((model, NUMBER) for model in models)], cells)


def optimism(optimism: pd.DataFrame, horizon_months: float) -> HTML:
    """How much does each model flatter itself in the patients it was fitted to?

    Parameters
    ----------
    optimism : DataFrame of schema.OPTIMISM
    horizon_months : float
        one of its horizons.
    """
    schema.check(optimism, schema.OPTIMISM)
    rows = optimism[(optimism["horizon_months"] == horizon_months) & optimism["measure"].isin(_MEASURES)]
    cells = [
        [
            row["model"],
            row["measure"],
            _number(row["apparent"]),
            _number(row["validated"]),
            _number(row["estimate"]),
            _range(row["conf_low"], row["conf_high"]),
        ]
        for _, row in rows.iterrows()
    ]
    columns = [("model", TEXT), ("measure", TEXT), ("in patients it was fitted to", NUMBER)]
    columns += [("in patients set aside", NUMBER), ("optimism", NUMBER), ("95 % limits", NUMBER)]
    return table(f"Optimism by {numbers.format_time_point(horizon_months)}", columns, cells)


def _score(own: pd.DataFrame, name: str) -> tuple[str, str] | str:
    if name not in own.index:
        return "–"
    row = own.loc[name]
    return (_number(row["estimate"]), _range(row["conf_low"], row["conf_high"]))


def _number(value) -> str:
    return "–" if numbers.missing(value) else numbers.format_number(value, _DECIMALS)


def _range(low, high) -> str:
    return "" if numbers.missing(low) or numbers.missing(high) else f"{_number(low)} to {_number(high)}"


def _size(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    first = rows.iloc[0]
    counts = [f"{count(first, name)} {name}" for name in ("lines", "patients", "events")]
    return f" ({numbers.listed(counts)})"


def model_card(card: pd.DataFrame) -> HTML:
    """What must be known of a stored model before it is used? `card`: schema.MODEL_CARD of `cards.table`."""
    schema.check(card, schema.MODEL_CARD)
    rows = [[row["section"], row["item"], row["text"]] for _, row in card.iterrows()]
    return table("Card of the stored model", [("section", TEXT), ("item", TEXT), ("text", TEXT)], rows)
