"""Bring your own tables: CSV or Parquet in the canonical columns, at any stage (treatments, lines or spells).

layout.py     the files and their columns, what is needed and what stands for the rest
files.py      which files a folder has, and their cells
columns.py    cells to typed columns; missing, misspelt and surplus columns
clock.py      dates to days since the patient's index date
meanings.py   agents, tests, units, findings and ages in the house's spelling
rules.py      what must hold within and between the tables
endpoint.py   what ends a line, where nobody says
finishing.py  defaults, exact types, the canonical cohort

The template, with an example of every file, is data/raw/README.md.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis import schema
from analysis.sources.parsing import collect, fault, together
from analysis.sources.tables import meanings
from analysis.sources.tables.clock import as_given, dates_of, dates_to_days
from analysis.sources.tables.columns import typed_columns
from analysis.sources.tables.endpoint import endpoint_warnings
from analysis.sources.tables.files import data_files, missing_files, nothing_known, read_cells, table_files
from analysis.sources.tables.finishing import finished, stated_defaults
from analysis.sources.tables.layout import LAYOUTS
from analysis.sources.tables.rules import broken_rules, cohort_rules, without_follow_up

__all__ = ["data_files", "inspect", "nothing_known", "read", "recognises"]

Frames = dict[str, pd.DataFrame]


def recognises(folder: Path) -> bool:
    """Does the folder hold at least one file that is named like a canonical table?"""
    return folder.is_dir() and bool(set(table_files(folder)) - {"cohort"})


def read(folder: Path) -> Frames:
    """The canonical cohort in a folder of your own tables: cohort, patients, and those of the others that are there.

    Raises
    ------
    analysis.schema.BadInputError
        with every fault of every file, warnings included, when at least one is an error.
    """
    frames, faults = _typed(folder)
    if (faults["severity"] == "error").any():
        raise schema.BadInputError(faults)
    return finished(frames, folder)


def inspect(folder: Path) -> pd.DataFrame:
    """What is wrong with a folder of your own tables? Every error and warning, as FAULTS; raises nothing."""
    return _typed(folder)[1]


def _typed(folder: Path) -> tuple[Frames, pd.DataFrame]:
    """The typed frames of a folder, indexed by line, and all faults: cells first, then meanings, then rules."""
    paths = {name: found[0] for name, found in table_files(folder).items()}
    files = {name: path.name for name, path in paths.items()}
    in_cells, frames, absent = missing_files(folder), {}, {}
    for name, path in paths.items():
        cells, found = read_cells(path)
        in_cells += found
        if cells is None:
            continue
        if not len(cells) and path.suffix == ".csv":
            in_cells.append(fault(path.name, "at least one row under the header", "fill or remove the file"))
        frames[name], found = typed_columns(cells, LAYOUTS[name], path.name)
        absent[name] = set(LAYOUTS[name].table.names) - {*cells, *dates_of(cells, name).values()}
        in_cells += found
    in_rows = without_follow_up(frames["patients"], files["patients"]) if "patients" in frames else []
    given = frames
    frames, found = dates_to_days(frames, files)
    in_rows += found
    for name in ("patients", "treatments", "labs", "findings", "lines"):
        if name in frames:
            frames[name], found = getattr(meanings, name)(frames[name], files[name])
            in_rows += found
    broken = broken_rules(frames, files, all_patients=not _lost_rows(in_cells, files.get("patients")))
    if (folder / "provenance.json").exists():  # written by this suite: what is odd passed its own door, and was told
        broken = [found.assign(severity="warning") for found in broken]
    in_rows += broken + cohort_rules(frames, files) + stated_defaults(frames, files, absent)
    in_rows = as_given([*in_rows, *endpoint_warnings(frames, files)], given, files)
    return frames, collect([*in_cells, *_not_yet_told(in_rows, in_cells)])


def _lost_rows(in_cells: list[pd.DataFrame], file: str | None) -> bool:
    """Were rows of this file left out, because they could not be split into cells?"""
    return any(((found["file"] == file) & (found["column"] == "")).any() for found in in_cells)


def _not_yet_told(in_rows: list[pd.DataFrame], in_cells: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Faults of rows, less those on a cell or a column that could not be read: what is missing is already said."""
    place, known = ["file", "line", "column"], together(in_cells)
    told = known[place].drop_duplicates()
    absent = known["expected"].str.startswith("the column ") & (known["severity"] == "error")
    columns = {tuple(row) for row in known.loc[absent, ["file", "column"]].to_numpy()}
    new = [
        frame[frame[place].merge(told, on=place, how="left", indicator=True)["_merge"].eq("left_only").to_numpy()]
        for frame in in_rows
    ]
    return [frame[[tuple(row) not in columns for row in frame[["file", "column"]].to_numpy()]] for frame in new]
