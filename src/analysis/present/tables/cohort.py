"""Tables of who is in: selection, description, missing values, regimens, small groups, and the checks made."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from analysis import schema
from analysis.present import labels, numbers, reading
from analysis.present.tables.html import NUMBER, TEXT, count, table


def flow(flow: pd.DataFrame) -> HTML:
    """How many patients did each rule of selection remove, how many are left? `flow` is a DataFrame of schema.FLOW."""
    schema.check(flow, schema.FLOW)
    rows = [
        [row["rule"], count(row, "removed"), count(row, "remaining")] for _, row in flow.sort_values("step").iterrows()
    ]
    return table("Selection of patients", [("rule", TEXT), ("removed", NUMBER), ("remaining", NUMBER)], rows)


def description(description: pd.DataFrame) -> HTML:
    """Who are the patients? Table one: counts and shares of levels, medians and quartiles of numbers, per stratum.

    `description` is a DataFrame of schema.DESCRIPTION. Shares are of the known values; how many are not known
    stands in a row of its own. Levels come in the order of the schema's words (never, former, current).
    """
    schema.check(description, schema.DESCRIPTION)
    strata = reading.in_order(description["stratum"])
    cells: dict[str, dict[str, dict[str, str]]] = {}
    for _, row in description.iterrows():
        cells.setdefault(row["variable"], {}).setdefault(row["level"], {})[row["stratum"]] = _described(row)
    units = description.groupby("variable")["unit"].first()
    rows = []
    for variable, by_level in cells.items():
        unit = f", {units[variable].replace('m2', 'm²')}" if units[variable] else ""
        name = labels.variable_name(variable) + unit
        for level in labels.in_word_order(variable, list(by_level)):
            shown = _LEVELS.get(level, level)
            rows.append([name, shown, *(by_level[level].get(stratum, "–") for stratum in strata)])
    totals = description.groupby("stratum", sort=False).first()
    heads = [f"{labels.stratum_name(name)} (N\u00a0=\u00a0{count(totals.loc[name], 'total')})" for name in strata]
    columns = [("characteristic", TEXT), ("level", TEXT), *((head, NUMBER) for head in heads)]
    caption = "Patients at the start: number (per cent of the known), or median (quartiles)"
    return table(caption, columns, rows)


_LEVELS = {"": "median (quartiles)", "missing": numbers.NOT_KNOWN}


def _described(row: pd.Series) -> str:
    if row["statistic"] == "count":
        share = "" if numbers.missing(row["estimate"]) else f" ({numbers.format_percent(row['estimate'])})"
        return count(row, "count") + share
    if numbers.missing(row["estimate"]):
        return numbers.NOT_KNOWN
    quartiles = numbers.format_interval(row["low"], row["high"], "number")
    return f"{numbers.format_number(row['estimate'])} ({quartiles or 'no quartiles'})"


def missingness(missingness: pd.DataFrame) -> HTML:
    """Which columns lack values, and how many? `missingness` is a DataFrame of schema.MISSINGNESS."""
    schema.check(missingness, schema.MISSINGNESS)
    rows = [
        [
            str(row["table"]),
            labels.variable_name(row["column"]),
            count(row, "missing"),
            count(row, "total"),
            numbers.GONE if numbers.missing(row["missing"]) else _share(row),
        ]
        for _, row in missingness.iterrows()
    ]
    columns = [("table", TEXT), ("column", TEXT), ("missing", NUMBER), ("rows", NUMBER), ("per cent", NUMBER)]
    return table("Values that are missing or unknown", columns, rows)


def checks(checks: pd.DataFrame) -> HTML:
    """Did the estimates pass their checks? `checks` is a DataFrame of schema.CHECKS."""
    schema.check(checks, schema.CHECKS)
    rows = [
        [
            row["check"],
            "–" if numbers.missing(row["value"]) else f"{row['value']:.3g}",
            "–" if numbers.missing(row["limit"]) else f"{row['limit']:.3g}",
            "passed" if row["passed"] else "FAILED",
            row["note"],
        ]
        for _, row in checks.iterrows()
    ]
    columns = [("check", TEXT), ("found", NUMBER), ("allowed", NUMBER), ("verdict", TEXT), ("note", TEXT)]
    return table("Checks of the estimates", columns, rows)


def small_groups(groups: pd.DataFrame, minimum_patients: int) -> HTML:
    """Which groups are shown as counts only? `groups` has stratum, subjects, events, enough."""
    few = groups[~groups["enough"]]
    rows = [[labels.stratum_name(row["stratum"]), *_counts(row)] for _, row in few.iterrows()]
    columns = [("group", TEXT), ("patients", NUMBER), *([("events", NUMBER)] if "events" in few else [])]
    reason = f"Fewer than {numbers.plural(minimum_patients, 'patient')}: a curve or a rate would be mostly chance."
    return table("Groups too small for estimates: counts only", columns, rows, note=reason)


def _counts(row: pd.Series) -> list[str]:
    return [count(row, name) for name in ("subjects", "events") if name in row.index]


def regimens(regimens: pd.DataFrame, most: int = 10) -> HTML:
    """Which regimens are used most in each line? Frame: line, regimen, patients, share (of the line)."""
    ordered = regimens.sort_values(["line", "patients", "regimen"], ascending=[True, False, True], kind="stable")
    rows = [
        [f"line {row['line']}", row["regimen"], count(row, "patients"), _share(row)]
        for _, row in ordered.groupby("line", sort=False).head(most).iterrows()
    ]
    columns = [("line", TEXT), ("regimen", TEXT), ("patients", NUMBER), ("per cent", NUMBER)]
    caption = f"The most frequent regimens of each line, at most {most}; per cent of those who started it"
    return table(caption, columns, rows)


def class_shares(shares: pd.DataFrame) -> HTML:
    """Which drug classes are used in which line? Frame: line, drug_class, patients, share; the figure's numbers."""
    rows = [
        [f"line {row['line']}", row["drug_class"], count(row, "patients"), _share(row)] for _, row in shares.iterrows()
    ]
    columns = [("line", TEXT), ("drug class", TEXT), ("patients", NUMBER), ("per cent", NUMBER)]
    return table("Drug classes by line, per cent of those who started the line", columns, rows)


def line_ends(reasons: pd.DataFrame) -> HTML:
    """Why did lines end? Frame: schema.REASONS; shares of those who started the line."""
    schema.check(reasons, schema.REASONS)
    rows = [
        [f"line {row['line']}", row["end_reason"], count(row, "patients"), _share(row)] for _, row in reasons.iterrows()
    ]
    columns = [("line", TEXT), ("why it ended", TEXT), ("patients", NUMBER), ("per cent", NUMBER)]
    return table("Why lines ended, per cent of those who started the line", columns, rows)


def _share(row: pd.Series) -> str:
    return "–" if numbers.missing(row["share"]) else numbers.format_percent(row["share"])
