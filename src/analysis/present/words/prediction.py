"""Sentences on predictions: which models beat the one to be beaten, how much they flatter themselves, warnings."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.present import labels, numbers, reading

NO_SCORE = "No model has a score at this horizon."
_DECIMALS = 3


def not_foreseen(reason: str) -> str:
    """Why nothing is predicted in this cohort; `reason` as `prediction.refusal` says it, empty where there is none."""
    if not reason:
        return "The cohort has what the models need."
    return (
        f"Nothing is predicted in this cohort, and the sections below are empty: {numbers.escape_markdown(reason)}. "
        "A model fitted to so little would learn chance."
    )


def model_scores(scores: pd.DataFrame, measure: str, horizon_months: float) -> str:
    """Which models beat the one to be beaten, by the limits of their differences, and what is to be doubted?

    Parameters
    ----------
    scores : DataFrame of schema.SCORES
    measure : str
        the measure to judge by, such as "Uno's C".
    horizon_months : float
        one of its horizons.
    """
    schema.check(scores, schema.SCORES)
    rows = scores[(scores["horizon_months"] == horizon_months) & (scores["measure"] == measure)]
    rows = rows[rows["estimate"].notna()]
    if rows.empty:
        return NO_SCORE
    measured = f"{measure} by {numbers.format_time_point(horizon_months)}"
    against = next((name for name in rows["against"] if name), "")
    bar = rows[rows["model"] == against]
    parts = []
    if not bar.empty:
        parts.append(f"{measured} of the model to be beaten, {_escaped(against)}, is {_estimate(bar.iloc[0])}.")
    else:
        parts.append(f"{measured}: {numbers.listed(_each(rows))}.")
    for verdict in ("better", "not shown to be better", "worse"):
        found = [
            f"{_escaped(row['model'])} ({_estimate(row)}; difference {_difference(row)})"
            for _, row in rows[rows["verdict"] == verdict].iterrows()
        ]
        if found:
            parts.append(f"{labels.sentence(verdict)} by the limits of the difference: {numbers.listed(found)}.")
    warned = rows[rows["note"].str.contains("C above", regex=False)]
    if len(warned):
        names = numbers.listed(_escaped(name) for name in reading.in_order(warned["model"]))
        parts.append(f"**To be doubted: {names}.** {_escaped(_warning(warned['note'].iloc[0]))}.")
    return " ".join(parts)


def optimism(optimism: pd.DataFrame, measure: str, horizon_months: float) -> str:
    """By how much do models flatter themselves in the patients they were fitted to?

    The parameters are those of `model_scores`, with a DataFrame of schema.OPTIMISM.
    """
    schema.check(optimism, schema.OPTIMISM)
    rows = optimism[(optimism["horizon_months"] == horizon_months) & (optimism["measure"] == measure)]
    rows = rows[rows["estimate"].notna()].sort_values("estimate", ascending=False, kind="stable")
    if rows.empty:
        return NO_SCORE
    said = [
        f"{_escaped(row['model'])} {_estimate(row)} ({_number(row['apparent'])} against {_number(row['validated'])})"
        for _, row in rows.iterrows()
    ]
    return (
        f"{measure} by {numbers.format_time_point(horizon_months)} in the patients that a model was fitted to, less "
        f"that in patients set aside (optimism): {numbers.listed(said)}. Only the second figure of each may be quoted."
    )


def alt_model_scores(scores: pd.DataFrame, measure: str, horizon_months: float) -> str:
    """Alt text of `figures.model_scores`: the score of each model with its limits."""
    rows = scores[(scores["horizon_months"] == horizon_months) & (scores["measure"] == measure)]
    said = "; ".join(_each(rows[rows["estimate"].notna()], plain=True)) or "no model has a score"
    return f"Dots with limits. {measure} by {numbers.format_time_point(horizon_months)}: {said}."


def alt_risk_calibration(calibration: pd.DataFrame, horizon_months: float) -> str:
    """Alt text of `figures.risk_calibration`: what was foretold and seen in the lowest and highest group."""
    rows = calibration[(calibration["horizon_months"] == horizon_months) & calibration["estimate"].notna()]
    said = []
    for model in reading.in_order(rows["model"]):
        own = rows[rows["model"] == model].sort_values("group")
        ends = [own.iloc[0], own.iloc[-1]][: len(own)]
        shares = [
            f"{numbers.format_percent(row['predicted'])} foretold, {numbers.format_percent(row['estimate'])} seen"
            for row in ends
        ]
        said.append(f"{model}: lowest group {shares[0]}" + (f", highest {shares[1]}" if len(shares) > 1 else ""))
    told = "; ".join(said) or "no group has a number"
    return f"Calibration by {numbers.format_time_point(horizon_months)}, a panel per model. {told}."


def alt_net_benefit(net_benefit: pd.DataFrame, horizon_months: float) -> str:
    """Alt text of `figures.net_benefit`: net benefit at the threshold nearest to one half."""
    rows = net_benefit[(net_benefit["horizon_months"] == horizon_months) & net_benefit["estimate"].notna()]
    if rows.empty:
        return "Net benefit: no threshold has a number."
    threshold = rows["threshold"].iloc[(rows["threshold"] - 0.5).abs().argmin()]
    said = [
        f"{row['model']} {numbers.format_number(100 * row['estimate'])}"
        for _, row in rows[rows["threshold"] == threshold].iterrows()
    ]
    return (
        f"Curves of net benefit by {numbers.format_time_point(horizon_months)} over thresholds. At a threshold of "
        f"{numbers.format_percent(threshold, 0)}, true alarms per 100: {'; '.join(said)}; acting on nobody 0."
    )


def alt_learning_curve(learning: pd.DataFrame, measure: str, horizon_months: float) -> str:
    """Alt text of `figures.learning_curve`: the score of each model with the fewest and the most patients."""
    rows = learning[(learning["horizon_months"] == horizon_months) & (learning["measure"] == measure)]
    rows = rows[rows["estimate"].notna()]
    said = []
    for model in reading.in_order(rows["model"]):
        own = rows[rows["model"] == model].sort_values("training_patients")
        ends = [own.iloc[0], own.iloc[-1]]
        told = [f"{_estimate(row)} from {numbers.plural(row['training_patients'], 'patient')}" for row in ends]
        said.append(f"{model}: {numbers.listed(dict.fromkeys(told))}")
    told = "; ".join(said) or "no model has a score"
    return f"Learning curves. {measure} by {numbers.format_time_point(horizon_months)}: {told}."


def _each(rows: pd.DataFrame, plain: bool = False) -> list[str]:
    return [f"{row['model'] if plain else _escaped(row['model'])} {_estimate(row)}" for _, row in rows.iterrows()]


def _estimate(row: pd.Series) -> str:
    if numbers.missing(row["conf_low"]):
        return f"{_number(row['estimate'])} (no limits available)"
    return f"{_number(row['estimate'])} ({_number(row['conf_low'])} to {_number(row['conf_high'])})"


def _difference(row: pd.Series) -> str:
    limits = f"{_number(row['difference_low'])} to {_number(row['difference_high'])}"
    return f"{_number(row['difference'])}, {limits}"


def _number(value) -> str:
    return numbers.format_number(value, _DECIMALS)


def _warning(note: str) -> str:
    """The part of a note that warns."""
    return labels.sentence(next(part for part in note.split("; ") if part.startswith("C above")))


def _escaped(text: str) -> str:
    return numbers.escape_markdown(text)
