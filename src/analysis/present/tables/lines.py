"""Tables of who goes from line to line: counts of the small lines, and what a rule of observation changes."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from analysis import schema
from analysis.present import labels, numbers, reading
from analysis.present.tables.html import NUMBER, TEXT, count, table

_OUTCOMES = {"next_line": "started the next line", "death": "died first", "neither": "neither so far"}


def attrition_counts(attrition: pd.DataFrame) -> HTML:
    """How many started each line, and what came first? Counts only, for lines too small for a share."""
    schema.check(attrition, schema.ATTRITION)
    rows = [
        [f"line {line}", count(here.iloc[0], "entered"), *(_cell(here, outcome) for outcome in _OUTCOMES)]
        for line, here in attrition[attrition["reading"] == "crude"].groupby("line")
    ]
    columns = [("line", TEXT), ("started the line", NUMBER), *((name, NUMBER) for name in _OUTCOMES.values())]
    return table("Lines with few patients: counts only", columns, rows)


def attrition_change(counted: pd.DataFrame, left_out: pd.DataFrame, time_months: float | None = None) -> HTML:
    """What changes in each line when treatment recorded after the last contact is left out? Counts and shares.

    Parameters
    ----------
    counted, left_out : DataFrame of schema.ATTRITION
        the same lines with such treatment counted, and with it left out.
    time_months : float, optional
        which Aalen-Johansen time is set; without it the last one in the frames.

    Returns
    -------
    HTML: two rows per line, the share that reaches the next line with its limits; a sentence when nothing differs.
    """
    schema.check(counted, schema.ATTRITION)
    schema.check(left_out, schema.ATTRITION)
    if len(counted) and reading.same_attrition(counted, left_out):
        return HTML(f'<p class="note">{numbers.escape_html(reading.nothing_changes(counted, left_out))}</p>')
    time = reading.attrition_months(counted, left_out) if time_months is None else time_months
    rows = []
    for line in sorted(set(counted["line"]) | set(left_out["line"])):
        for name, frame in (("counted", counted), ("left out", left_out)):
            rows.append([f"line {line}", name, *_counts_of(frame, line), *_share_of(frame, line, time)])
    columns = [("line", TEXT), ("treatment after the last contact", TEXT), ("started the line", NUMBER)]
    columns += [(_OUTCOMES[outcome], NUMBER) for outcome in ("next_line", "death")]
    if time is not None:
        columns += [(f"next line by {numbers.format_time_point(time)}, Aalen-Johansen (95 % limits)", NUMBER)]
    caption = "Patients by line, with treatment after the last contact counted and left out"
    return table(caption, columns, rows, note=numbers.FEW_NOTE if any(numbers.FEW in row[-1] for row in rows) else "")


def _counts_of(attrition: pd.DataFrame, line: int) -> list[str]:
    here = attrition[(attrition["line"] == line) & (attrition["reading"] == "crude")]
    entered = count(here.iloc[0], "entered") if len(here) else "0"
    return [entered, *(_cell(here, outcome) for outcome in ("next_line", "death"))]


def _share_of(attrition: pd.DataFrame, line: int, time_months: float | None) -> list[str]:
    """The share of a line that reaches the next one by a time, as a cell; no cell without a time."""
    if time_months is None:
        return []
    row = reading.share_reaching_next(attrition, line, time_months)
    if row is None:
        return ["–"]
    if numbers.missing(row["estimate"]):
        return [numbers.why_missing(row)]
    few = numbers.known_few(row)
    return [numbers.format_estimate(row["estimate"], row["conf_low"], row["conf_high"], few=few)]


def _cell(rows: pd.DataFrame, outcome: str) -> str:
    here = rows[rows["outcome"] == outcome]
    return count(here.iloc[0], "count") if len(here) else "0"


def unknown_agents(agents: pd.DataFrame) -> HTML:
    """Which agents has the vocabulary not, and how many patients had them? `agents`: schema.AGENTS."""
    schema.check(agents, schema.AGENTS)
    rows = [[row["agent"], count(row, "patients")] for _, row in agents.iterrows()]
    columns = [("agent as the source has it", TEXT), ("patients", NUMBER)]
    return table("Agents that the vocabulary does not know", columns, rows)


def class_flows(flows: pd.DataFrame, drawn_lines: int) -> HTML:
    """From which strategy to which, in counts: a row per line and strategy, a column per strategy of the next line."""
    schema.check(flows, schema.CLASS_FLOWS)
    flows = flows[flows["line"] < drawn_lines]
    ends = [word for word in (*schema.STRATEGIES, "death", "neither") if word in set(flows["next"])]
    rows = []
    ranked = pd.Categorical(flows["strategy"], schema.STRATEGIES)
    for (line, strategy), here in flows.groupby(["line", ranked], observed=True):
        cells = {row["next"]: count(row, "patients") for _, row in here.iterrows()}
        rows.append([f"line {line}: {strategy}", *(cells.get(word, "–") for word in ends)])
    named = {"death": _OUTCOMES["death"], "neither": _OUTCOMES["neither"]}
    columns = [("strategy on the line", TEXT), *((named.get(word, f"next: {word}"), NUMBER) for word in ends)]
    note = "–: none, or too few to be shown"
    return table("Patients by strategy on a line and what came next", columns, rows, note=note)


def line_agreement(agreement: pd.DataFrame) -> HTML:
    """How many lines has each patient as stated (rows), and how many by rule (columns)?"""
    schema.check(agreement, schema.LINE_AGREEMENT)
    derived = sorted(agreement["lines_derived"].unique())
    rows = []
    for stated, here in agreement.groupby("lines_stated"):
        cells = {row["lines_derived"]: count(row, "patients") for _, row in here.iterrows()}
        rows.append([numbers.plural(stated, "line"), *(cells.get(number, "–") for number in derived)])
    columns = [("as stated", TEXT), *((f"{number} by rule", NUMBER) for number in derived)]
    return table("Patients by their number of lines", columns, rows, note="–: none, or too few to be shown")


def specifications(specifications: pd.DataFrame) -> HTML:
    """How far does each share move with the definition? The default, the lowest and the highest, by event and line."""
    schema.check(specifications, schema.SPECIFICATIONS)
    rows, endpoint = [], labels.endpoint_of(specifications["event"])
    for (event, time, line), here in specifications.groupby(["event", "time", "line"]):
        told = here.dropna(subset=["estimate"]).sort_values(["estimate", "definition"])
        default = told[told["default"].astype(bool)]
        first = "–" if default.empty else _share_with_limits(default.iloc[0])
        ends = [_share_and_definition(told.iloc[place]) for place in (0, -1)] if len(told) else ["–", "–"]
        by_time = numbers.format_time_point(time / schema.DAYS_PER_MONTH)
        what = f"line {line}: {labels.event_short(event, endpoint)} by {by_time}"
        rows.append([what, first, *ends, f"{len(told)} of {len(here)}"])
    columns = [("share", TEXT), ("default (95 % limits)", NUMBER), ("lowest", NUMBER), ("highest", NUMBER)]
    return table("Each share under every definition", [*columns, ("definitions with an estimate", NUMBER)], rows)


def _share_with_limits(row: pd.Series) -> str:
    return numbers.format_estimate(row["estimate"], row["conf_low"], row["conf_high"])


def _share_and_definition(row: pd.Series) -> tuple[str, str]:
    return numbers.format_percent(row["estimate"]), row["definition"]
