"""Patients in a CSV file, as a stored model needs them: every fault of the file at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import schema
from analysis.schema import Column
from analysis.sources.parsing import collect, fault, faults_at, parse_column, text_cells

# Known only after the line began: a model that read them would foresee what has happened.
_LATER = {
    **{name: "SPELLS" for name in ("entry", "time", "event")},
    **{
        name: "LINES"
        for name in ("end_day", "transplant", "maintenance", "best_response", "response_day", "progression_day",
                     "relapse_kind", "end_reason", "regimen", "classes")
    },
    **{name: "PATIENTS" for name in ("last_contact_day", "death_day")},
}  # fmt: skip
_KEY = {"patient_id": schema.PREDICTORS["patient_id"], "line": schema.PREDICTORS["line"]}


def read(file: Path, card: Mapping[str, Any]) -> pd.DataFrame:
    """One row per patient and line: patient_id, line and the card's predictors, typed; words in training's spelling.

    Raises
    ------
    analysis.schema.BadInputError
        with all faults of the file: columns that are missing, or known only after the line began; cells that are no
        number, flag or line; a line that comes twice.
    """
    cells, faults = text_cells(file.read_bytes(), file.name)
    if cells is None or not len(cells):
        faults = faults or [fault(file.name, "one row per patient and line", "add a row")]
        raise schema.BadInputError(collect(faults))
    kinds = {one["name"]: one for one in card["predictors"]}
    columns = _KEY | {name: _column(one) for name, one in kinds.items() if name not in _KEY}
    faults += _column_faults(list(map(str, cells.columns)), columns, file.name)
    found = {}
    for name, column in columns.items():
        if name in cells:
            found[name], more = parse_column(cells[name], column, file.name)
            faults += more
    frame = pd.DataFrame(found, index=cells.index)
    if (
        set(_KEY) <= set(frame)
        and (twice := frame.duplicated(list(_KEY)) & frame[list(_KEY)].notna().all(axis=1)).any()
    ):
        lines = frame.index[twice]
        faults.append(
            faults_at(file.name, "line", lines, [""] * len(lines), "each patient and line once", "keep one row of them")
        )
    if faults:
        raise schema.BadInputError(collect(faults))
    for name, one in kinds.items():
        if one["kind"] == "word":
            frame[name] = _spelled(frame[name], one["levels"])
    return frame.astype({"line": "int64"}).reset_index(drop=True)


def _column(one: Mapping[str, Any]) -> Column:
    kind = "text" if one["kind"] == "word" else one["kind"]
    return Column(one["name"], kind, one["meaning"], one["unit"], nullable=True)


def _column_faults(came: list[str], columns: Mapping[str, Column], file: str) -> list[pd.DataFrame]:
    faults = []
    for name, column in columns.items():
        if name not in came:
            near = difflib.get_close_matches(name, [one for one in came if one not in columns], n=1)
            mend = f"rename {near[0]!r} to {name!r}" if near else "add it; leave a cell empty where it is not known"
            faults.append(fault(file, f"the column {name!r} ({column.meaning})", mend, name))
    for name in came:
        if name in _LATER and name not in columns:
            expected = f"only what was known on the day the line began; {name!r} of {_LATER[name]} became known later"
            faults.append(fault(file, expected, "remove the column", name))
    return faults


def _spelled(values: pd.Series, levels: list[str]) -> pd.Series:
    """Words as training spelled them; what it did not have stays as it came, and "unknown" is missing."""
    spellings = {level.casefold(): level for level in levels} | {"unknown": None}
    found = [None if pd.isna(value) else spellings.get(str(value).casefold(), str(value)) for value in values]
    return pd.Series(found, index=values.index, dtype=object)
