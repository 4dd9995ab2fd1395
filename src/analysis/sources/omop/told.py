"""How a count becomes a fault: one sentence with what was expected, how many were otherwise, and what is done."""

from __future__ import annotations

import pandas as pd

from analysis.sources.parsing import fault

Faults = list[pd.DataFrame]
Counts = dict[str, int]


def warning(table: str, count: int, expected: str, mend: str, column: str = "", what: str = "row(s)") -> Faults:
    """One warning, or none where nothing was counted."""
    said = f"{expected}; came {count:,} {what} otherwise"
    return [fault(table, said, mend, column, severity="warning")] if count else []


def error(table: str, count: int, expected: str, mend: str, column: str = "", first: str = "") -> Faults:
    """One error, or none where nothing was counted; `first` names the first such record."""
    said = f"{expected}; came {count:,} row(s) otherwise" + (f", the first with {first}" if first else "")
    return [fault(table, said, mend, column)] if count else []
