"""Sentences about parametric models: by what factor a line shortens the time, which law fits, where the data end."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.present import labels, numbers, reading, terms

_LIKE = 2.0  # Burnham and Anderson (2002): within 2 of the lowest AIC a model has substantial support


def time_ratios(effects: pd.DataFrame, endpoint: str, term: str = "line") -> str:
    """By what factor does each further line shorten the time to the event? One point per model.

    `effects` is a DataFrame of schema.EFFECTS with scale "time ratio"; `term` the column that counts the lines.
    """
    schema.check(effects, schema.EFFECTS)
    told = effects[(effects["term"] == term) & (effects["scale"] == "time ratio")]
    told = told.dropna(subset=["estimate", "conf_low", "conf_high"])
    if told.empty:
        return "Whether the time shortens from line to line could not be estimated."
    points = "\n".join(f"- {_shortens(row, endpoint)}" for _, row in told.iterrows())
    return f"From line to line (95 % limits in brackets):\n\n{points}"


def _shortens(row: pd.Series, endpoint: str) -> str:
    law, _, event = row["model"].partition(", ")
    name, law = labels.event_name(event, endpoint), terms.law_name(law)
    ratio = numbers.format_ratio(row["estimate"], row["conf_low"], row["conf_high"])
    if row["conf_low"] <= 1 <= row["conf_high"]:
        return f"Each further line is not seen to change the time to {name} (time ratio {ratio}; {law})."
    shorter = row["estimate"] < 1
    ends = [1 / row[end] if shorter else row[end] for end in ("estimate", "conf_low", "conf_high")]
    factor = numbers.format_ratio(ends[0], min(ends[1:]), max(ends[1:]))
    verb = "shortens" if shorter else "lengthens"
    said = f"; time ratio {ratio}" if shorter else ""
    return f"Each further line {verb} the time to {name} by a factor of {factor}{said} ({law})."


def time_ratios_caveat() -> str:
    """What a ratio of times is not."""
    return (
        "A time ratio holds for every quantile of the time alike, if the law is right. Where other events are taken "
        "as censored, the time is the one that would run were they absent and unrelated to it; only the time to any "
        "event needs no such assumption. Who starts a later line has come through the earlier ones: a factor per line "
        "tells lines apart, not what a line does to a patient."
    )


def fits(fits: pd.DataFrame, endpoint: str) -> str:
    """Which law fits best, which as well, and is there a plateau? `fits` is a DataFrame of schema.FITS."""
    schema.check(fits, schema.FITS)
    told = fits[fits["converged"].astype(bool)].dropna(subset=["aic", "bic"])
    if told.empty:
        return "No law could be fitted; the table says why."
    by_aic, by_bic = (told.loc[told[name].idxmin()] for name in ("aic", "bic"))
    first, second = (terms.law_name(row["distribution"]) for row in (by_aic, by_bic))
    event = labels.event_name(by_aic["event"], endpoint)
    text = f"For the time to {event}, AIC and BIC are lowest for {first}."
    if first != second:
        text = f"For the time to {event}, AIC is lowest for {first}, BIC for {second}."
    near = told[(told["aic"] - by_aic["aic"] <= _LIKE) & (told["distribution"] != by_aic["distribution"])]
    if len(near):
        laws = numbers.listed(terms.law_name(law) for law in near["distribution"])
        text += f" By AIC, {laws} cannot be told from it (within {numbers.format_number(_LIKE, 0)})."
    failed = [terms.law_name(row["distribution"]) for _, row in fits.iterrows() if not row["converged"]]
    if failed:
        text += f" Not fitted: {numbers.listed(failed)}."
    return text + _plateau(told, event)


def _plateau(told: pd.DataFrame, event: str) -> str:
    rows = told.dropna(subset=["plateau"])
    if rows.empty:
        return ""
    row = rows.iloc[0]
    share = numbers.format_estimate(row["plateau"], row["plateau_low"], row["plateau_high"])
    of_one = "" if row["event"] == "any" else ", were there no other events,"
    text = f" The cure model puts the share that would stay without {event} for good{of_one} at {share}."
    if "watched past the last event" in row["note"]:
        text += " Few were watched past the last event: this share rests on the form of the model, not on the data."
    elif not numbers.missing(row["plateau_low"]) and row["aic_difference"] > _LIKE:
        text += " Other laws, which have no such share, fit better."
    return text


def extrapolation(curves: pd.DataFrame, endpoint: str) -> str:
    """How far apart are the laws where the data have ended? `curves` is a DataFrame of schema.FITTED_CURVES."""
    schema.check(curves, schema.FITTED_CURVES)
    inside, past = _ends(curves)
    if inside is None:
        return "No law has a curve."
    event = labels.event_name(curves["event"].iloc[0], endpoint)
    text = f"At {_month(inside)}, near the last event, the laws put the share without {event} at {_range(inside)}"
    if past is None:
        return f"{text}. No curve goes past it."
    return (
        f"{text}; at {_month(past)}, where no data are, at {_range(past)}. Limits tell of the error within a law, and "
        "not of the choice of the law: past the last event no data can choose."
    )


def _ends(curves: pd.DataFrame) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """The rows of all laws at the last time with data, and at the last time of all."""
    rows = curves.dropna(subset=["estimate"])
    parts = (rows[~rows["extrapolated"].astype(bool)], rows[rows["extrapolated"].astype(bool)])
    return tuple(part[part["time"] == part["time"].max()] if len(part) else None for part in parts)


def _month(rows: pd.DataFrame) -> str:
    return numbers.format_time_point(round(rows["time"].iloc[0] / schema.DAYS_PER_MONTH, 1))


def _range(rows: pd.DataFrame) -> str:
    low, high = rows.loc[rows["estimate"].idxmin()], rows.loc[rows["estimate"].idxmax()]
    ends = [
        f"{numbers.format_estimate(row['estimate'], row['conf_low'], row['conf_high'])} "
        f"({terms.law_name(row['distribution'])})"
        for row in (low, high)
    ]
    return ends[0] if low["distribution"] == high["distribution"] else f"{ends[0]} to {ends[1]}"


def alt_overlay(curves: pd.DataFrame, steps: pd.DataFrame, endpoint: str) -> str:
    """Alt text of `figures.overlay`: the curve of the data and the range of the laws where the data end, and after."""
    inside, past = _ends(curves)
    if inside is None:
        return "Parametric curves: no law has a curve to show."
    event = curves["event"].iloc[0]
    months = inside["time"].iloc[0] / schema.DAYS_PER_MONTH
    read = reading.at(steps, "survival", event, months)
    known = read[read["estimate"].notna()]
    text = numbers.format_percent(known["estimate"].iloc[0]) if len(known) else numbers.BEYOND
    laws = numbers.listed(terms.law_name(law) for law in reading.in_order(inside["distribution"]))
    beyond = f"; dashed on a shaded ground up to {_month(past)}: {_range(past)}" if past is not None else ""
    return (
        f"Step curve of the share without {labels.event_name(event, endpoint)} with smooth curves of {laws} over it. "
        f"At {_month(inside)}: Kaplan-Meier {text}, laws {_range(inside)}{beyond}."
    )
