"""What an executed notebook really did, put into it and summed up.

papermill writes "completed" on every cell of a run whose kernel was killed or ran out of time. Here the saved
notebook is mended: cells that never ran say so, the last one that began says how it ended, and a note at the top
tells whoever opens the file.
"""

from __future__ import annotations

import ast
from datetime import datetime
from typing import Any

_ENDED = {
    "failed": "This run failed",
    "killed": "This run was killed",
    "timed-out": "This run ran out of time",
    "interrupted": "This run was interrupted",
}
_BANNERS = {"papermill-error-cell-tag", "run-status"}


def mend(notebook: Any, status: str, message: str) -> dict[str, Any]:
    """How far did this run get? Puts the truth into the notebook (in place) and returns it for the record.

    Returned: failing_cell (number and first line of the cell that was running when it ended; None when it ended
    well), cells ("run", "not_run" and "never_ran", the numbers of those, counted as in the notebook's own file),
    stderr_lines, timings_seconds (kernel_start, imports, computing).
    """
    ours = own_cells(notebook)
    begun = reached(notebook)
    never = ours[len(begun) :]
    numbers = _numbers(ours)
    for cell in never:
        cell.metadata.setdefault("papermill", {})["status"] = "not-run"
    failing = None
    if status != "ok" and begun:
        begun[-1].metadata["papermill"]["status"] = status
        first_line = next(iter(begun[-1].source.strip().splitlines()), "")
        failing = {"number": numbers[len(begun) - 1], "first_line": first_line}
    notebook.metadata.setdefault("papermill", {}).update(status=status, message=message or None)
    notebook.metadata.papermill["exception"] = True if status != "ok" else None
    streams = [output for cell in ours for output in cell.get("outputs", []) if output.get("name") == "stderr"]
    never_ran = sorted(set(numbers[len(begun) :]))
    if status != "ok":
        _put_note(notebook, status, message, failing, never_ran)
    return {
        "failing_cell": failing,
        "cells": {"run": len(begun), "not_run": len(never), "never_ran": never_ran},
        "stderr_lines": sum(len(output.text.splitlines()) for output in streams),
        "timings_seconds": _timings(notebook, begun),
    }


def own_cells(notebook: Any) -> list:
    """The notebook's cells without those that papermill or we put in to tell of an end."""
    return [cell for cell in notebook.cells if not _BANNERS & set(cell.metadata.get("tags", []))]


def reached(notebook: Any) -> list:
    """The cells that began."""
    return [cell for cell in own_cells(notebook) if cell.metadata.get("papermill", {}).get("start_time")]


def _numbers(cells: list) -> list[int]:
    """Each cell's number in the file that was run, which has no injected parameters: those count as their defaults."""
    numbers, number = [], 0
    for cell in cells:
        number += "injected-parameters" not in cell.metadata.get("tags", [])
        numbers.append(number)
    return numbers


def _put_note(notebook: Any, status: str, message: str, failing: dict | None, never_ran: list[int]) -> None:
    from nbformat.v4 import new_markdown_cell

    where = f" in cell {failing['number']}" if failing else " before its first cell"
    rest = f" Cells that never ran: {', '.join(map(str, never_ran))}." if never_ran else ""
    numbering = " Cells are numbered as in the notebook that was run." if failing or never_ran else ""
    said = "\n".join(f"    {line}" for line in message.splitlines())
    note = new_markdown_cell(f"**{_ENDED[status]}{where}.**{rest}{numbering}\n\n{said}", id="run-status")
    note.metadata["tags"] = ["run-status"]
    notebook.cells.insert(0, note)


def _timings(notebook: Any, begun: list) -> dict[str, float]:
    """Seconds from papermill's own stamps: up to the first cell, in cells that only import, and in all others."""
    if not begun:
        return {}
    start = datetime.fromisoformat(notebook.metadata.papermill.start_time)
    kernel = (datetime.fromisoformat(begun[0].metadata.papermill.start_time) - start).total_seconds()
    seconds = {"kernel_start": kernel, "imports": 0.0, "computing": 0.0}
    for cell in begun:
        if cell.cell_type == "code":
            seconds["imports" if _only_imports(cell.source) else "computing"] += cell.metadata.papermill.duration or 0.0
    return {name: round(value, 3) for name, value in seconds.items()}


def _only_imports(source: str) -> bool:
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return False
    return bool(statements) and all(isinstance(line, ast.Import | ast.ImportFrom) for line in statements)
