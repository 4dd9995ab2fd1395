"""How a report ended: one exit code for the machine that asked, one sentence per failed run for the person."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from analysis.report.folder import Record

# A fault in data or notebook outweighs the rest: running again does not mend it, as it may mend the others.
EXIT_CODES = {"ok": 0, "failed": 1, "killed": 3, "timed-out": 4, "interrupted": 130}
_GRAVEST_FIRST = ("interrupted", "failed", "killed", "timed-out")


def exit_code(records: Iterable[Record]) -> int:
    """0 when all ended well, else the code of the gravest end; one that was skipped counts as what it waited for.

    Example
    -------
    >>> exit_code([{"status": "ok"}, {"status": "timed-out"}, {"status": "skipped"}])
    4
    """
    ends = {record["status"] for record in records}
    return next((EXIT_CODES[end] for end in _GRAVEST_FIRST if end in ends), 0)


def sentence(record: Record, out: Path) -> str:
    """One run that did not end well: in which cell, what it said, what never ran, and where the notebook was kept."""
    cell = record.get("failing_cell")
    place = f" in cell {cell['number']} ({cell['first_line']})" if cell else ""
    never = record.get("cells", {}).get("never_ran")
    rest = f"\n  never ran: cells {', '.join(map(str, never))}" if never else ""
    kept = out / "runs" / f"{record['notebook']}.ipynb"
    look = f"\n  to look at: {kept}" if "cells" in record and kept.exists() else ""
    message = record["message"].replace("\n", "\n    ")  # a message cannot pass for a line of ours
    return f"{record['notebook']} {record['status']}{place}: {message}{rest}{look}"
