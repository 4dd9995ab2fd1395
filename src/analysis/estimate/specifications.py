"""How much of an answer hangs on the definition? The same headlines under every definition of line and relapse."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.estimate.curves import cumulative_incidence_at


def by_definition(
    spells: pd.DataFrame, definitions: pd.DataFrame, time_months: float, lines: int, minimum_at_risk: int = 11
) -> pd.DataFrame:
    """What share has had each event by a time, line by line, under each definition?

    Aalen-Johansen estimates, one per definition, line and event word; all definitions are estimated from the same
    patients, so their limits do not say whether two of them differ. Simonsohn, Simmons and Nelson (2020), Nature Human
    Behaviour, call the figure of such a frame a specification curve.

    Parameters
    ----------
    spells : SPELLS with a column `definition`, one set of rows per definition
    definitions : DEFINITIONS
    time_months : months since the start of the line
    lines : the last line that is read
    minimum_at_risk : where fewer are left at that time the estimate is missing and `note` says so

    Returns
    -------
    Table SPECIFICATIONS.

    Raises
    ------
    analysis.schema.SchemaError
        for faulty spells or definitions.

    Example
    -------
    >>> row = {"rule": "rajkumar", "window_days": 60, "gap_days": 90, "imwg_version": 2016, "default": True}
    >>> definitions = pd.DataFrame([{"definition": "A", **row}]).astype({"gap_days": "Int64"})
    >>> spells = pd.DataFrame({"definition": "A", "line": 1, "time": [1, 2, 999], "event": "death"})
    >>> by_definition(spells, definitions, 24, 1, minimum_at_risk=1)[["event", "estimate"]].round(3).values.tolist()
    [['death', 0.667]]
    """
    schema.check(definitions, schema.DEFINITIONS)
    wanted = spells[spells["line"] <= lines]
    read = cumulative_incidence_at(wanted, [time_months * schema.DAYS_PER_MONTH], by=["definition", "line"])
    sizes = wanted.groupby(["definition", "line"]).size().rename("subjects").astype(float).reset_index()
    few = read["at_risk"] < minimum_at_risk
    limits = ["estimate", "conf_low", "conf_high"]
    read[limits] = read[limits].mask(few)
    read["note"] = read["note"].mask(few & (read["note"] == ""), f"fewer than {minimum_at_risk} at risk")
    joined = read.merge(definitions, on="definition").merge(sizes, on=["definition", "line"])
    ordered = joined.sort_values(["event", "line", "definition"], ignore_index=True)
    return schema.check(ordered[schema.SPECIFICATIONS.names], schema.SPECIFICATIONS)
