"""The code behind a page, for those who look: in one closed fold at its end, so that reading is not broken by it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """The code that stands under one heading of the notebook."""

    heading: str
    code: str


def make(notebook: Any) -> list[Part]:
    """Which code made the page? By heading, as written; without the values of this run, which the footer prints.

    The cell that papermill injects has a random id and repeats those values; cell ids are left out with it.
    """
    parts: list[Part] = []
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = _HEADING.findall(cell.source)
            heading = found[-1].strip() if found else heading
        elif cell.cell_type == "code" and cell.source.strip():
            if "injected-parameters" in cell.metadata.get("tags", []):
                continue
            if parts and parts[-1].heading == heading:
                parts[-1] = Part(heading, f"{parts[-1].code}\n\n{cell.source.strip()}")
            else:
                parts.append(Part(heading, cell.source.strip()))
    return parts
