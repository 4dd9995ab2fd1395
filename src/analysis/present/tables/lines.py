"""Tables of who goes from line to line: counts of the small lines, and what a rule of observation changes."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from analysis import schema
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


def attrition_change(counted: pd.DataFrame, left_out: pd.DataFrame) -> HTML:
    """How do the counts of each line move when treatment recorded after the last contact is left out?

    Parameters
    ----------
    counted, left_out : DataFrame of schema.ATTRITION
        the same lines with such treatment counted, and with it left out.
    """
    schema.check(counted, schema.ATTRITION)
    schema.check(left_out, schema.ATTRITION)
    crude = {
        "counted": counted[counted["reading"] == "crude"],
        "left out": left_out[left_out["reading"] == "crude"],
    }
    rows = []
    for line in sorted(set(counted["line"])):
        cells = [f"line {line}"]
        for frame in crude.values():
            here = frame[frame["line"] == line]
            cells += [count(here.iloc[0], "entered") if len(here) else "0"]
            cells += [_cell(here, outcome) for outcome in ("next_line", "death")]
        rows.append(cells)
    columns = [("line", TEXT)]
    for name in crude:
        columns += [(f"started the line, {name}", NUMBER)]
        columns += [(f"{_OUTCOMES[outcome]}, {name}", NUMBER) for outcome in ("next_line", "death")]
    return table("Patients by line, with treatment after the last contact counted and left out", columns, rows)


def _cell(rows: pd.DataFrame, outcome: str) -> str:
    here = rows[rows["outcome"] == outcome]
    return count(here.iloc[0], "count") if len(here) else "0"
