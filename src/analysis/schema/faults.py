"""What is wrong with somebody's files: the table of faults, and the error that carries it."""

from __future__ import annotations

import pandas as pd

from analysis.schema.table import Column, Table

FAULTS = Table(
    "FAULTS",
    "failed cell, row or file",
    (
        Column(
            "severity", "word", "an error stops the import, a warning is kept and counted", words=("error", "warning")
        ),
        Column("file", "text", "name of the file as given"),
        Column(
            "line",
            "integer",
            "1-based line in that file; missing when the fault concerns the whole file",
            nullable=True,
        ),
        Column("column", "text", "column in that file; empty when the fault concerns the row or the file"),
        Column("value", "text", "what stood there; masked unless asked for, because it may be a patient's"),
        Column("expected", "text", "what was expected"),
        Column("mend", "text", "what to do about it"),
    ),
)


class BadInputError(ValueError):
    """Somebody's files cannot be read as they are; `faults` (table FAULTS) holds every fault found, not the first."""

    def __init__(self, faults: pd.DataFrame):
        self.faults = faults
        errors = int((faults["severity"] == "error").sum())
        super().__init__(f"{errors} fault(s) in the input\n" + "\n".join(fault_lines(faults)))


def fault_lines(faults: pd.DataFrame, show_values: bool = False) -> list[str]:
    """FAULTS as sentences, one line each: where, what stood there (masked by default), what to expect, how to mend."""
    lines = []
    for fault in faults.itertuples(index=False):
        place = fault.file if pd.isna(fault.line) else f"{fault.file}:{fault.line}"
        column = f" column {fault.column!r}" if fault.column else ""
        shown = fault.value if show_values else f"<{len(fault.value)} characters, masked>"
        value = f" value {shown!r}" if fault.value and show_values else f" value {shown}" if fault.value else ""
        lines.append(f"{fault.severity}: {place}{column}{value}: expected {fault.expected}; {fault.mend}")
    return lines
