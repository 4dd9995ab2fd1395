"""Tables of parametric laws: how well each fits, and its parameters."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from analysis import schema
from analysis.present import labels, numbers, terms
from analysis.present.tables.html import NUMBER, TEXT, count, table


def fits(fits: pd.DataFrame, endpoint: str) -> HTML:
    """How well does each law fit? One row per law, AIC and BIC with their difference to the best beneath.

    `fits` is a DataFrame of schema.FITS; what the fits had to say stands beneath the table.
    """
    schema.check(fits, schema.FITS)
    rows = [
        [
            terms.law_name(row["distribution"]),
            numbers.format_count(row["parameters"]),
            _number(row, "log_likelihood"),
            (_number(row, "aic"), _above(row, "aic_difference")),
            (_number(row, "bic"), _above(row, "bic_difference")),
            _plateau(row),
            "yes" if row["converged"] else "no",
        ]
        for _, row in fits.iterrows()
    ]
    columns = [
        ("law", TEXT),
        ("parameters", NUMBER),
        ("log-likelihood", NUMBER),
        ("AIC", NUMBER),
        ("BIC", NUMBER),
        ("plateau (95 % limits)", NUMBER),
        ("maximum found", TEXT),
    ]
    notes = {}
    for _, row in fits.iterrows():
        for part in filter(None, row["note"].split("; ")):
            notes.setdefault(terms.plain_note(part), []).append(terms.law_name(row["distribution"]))
    said = [part if len(laws) == len(fits) else f"{', '.join(laws)}: {part}" for part, laws in notes.items()]
    return table(_caption(fits, endpoint), columns, rows, "; ".join(said))


def _caption(fits: pd.DataFrame, endpoint: str) -> str:
    if fits.empty:
        return "Laws of the time to an event"
    first = fits.iloc[0]
    name = labels.event_name(first["event"], endpoint)
    sizes = f"{count(first, 'subjects')} lines, {count(first, 'events')} events"
    return f"Laws of the time to {name}: {sizes}; AIC and BIC, with what they exceed the lowest by"


def _number(row: pd.Series, name: str) -> str:
    if numbers.missing(row[name]):
        return numbers.GONE if row.get("events_withheld", "") or row.get("subjects_withheld", "") else "–"
    return numbers.format_number(row[name])


def _above(row: pd.Series, name: str) -> str:
    return "" if numbers.missing(row[name]) else f"+{numbers.format_number(row[name])}"


def _plateau(row: pd.Series) -> str:
    if numbers.missing(row["plateau"]):
        return "–"
    return numbers.format_estimate(row["plateau"], row["plateau_low"], row["plateau_high"])


def parameters(parameters: pd.DataFrame, endpoint: str) -> HTML:
    """What are the parameters of each law? One row per parameter; a DataFrame of schema.PARAMETERS."""
    schema.check(parameters, schema.PARAMETERS)
    rows = [
        [terms.law_name(row["distribution"]), row["parameter"].rstrip("_"), *_estimate(row)]
        for _, row in parameters.iterrows()
    ]
    columns = [("law", TEXT), ("parameter", TEXT), ("estimate", NUMBER), ("95 % limits", NUMBER)]
    event = labels.event_name(parameters["event"].iloc[0], endpoint) if len(parameters) else "an event"
    note = "Times in days. Names as the fitting library has them: its manual gives the formulas."
    return table(f"Parameters of the laws of the time to {event}", columns, rows, note if rows else "")


def _estimate(row: pd.Series) -> tuple[str, str]:
    if numbers.missing(row["estimate"]):
        return numbers.GONE, "–"
    low, high = (numbers.format_number(row[name], 3) for name in ("conf_low", "conf_high"))
    return numbers.format_number(row["estimate"], 3), "–" if numbers.missing(row["conf_low"]) else f"{low} to {high}"
