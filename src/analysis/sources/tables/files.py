"""Which files of a folder are ours, and their cells: CSV as text, Parquet (a file or a folder of parts) typed."""

from __future__ import annotations

import difflib
from pathlib import Path

import pandas as pd

from analysis.sources.parsing import fault, text_cells
from analysis.sources.tables.layout import LAYOUTS, STAGES

_NEEDED = "patients and one of treatments, lines, spells, each as .csv or .parquet"


def table_files(folder: Path) -> dict[str, list[Path]]:
    """The files that hold each table, by the table's name; a table that has none is left out."""
    candidates = {name: [folder / f"{name}.csv", folder / f"{name}.parquet", folder / name] for name in LAYOUTS}
    found = {name: [path for path in paths if _holds_a_table(path)] for name, paths in candidates.items()}
    return {name: paths for name, paths in found.items() if paths}


def data_files(folder: Path) -> list[Path]:
    """Every file that a reader of this folder reads, parts included, in the order of their names."""
    paths = [path for found in table_files(folder).values() for path in found]
    files = [part for path in paths for part in (sorted(path.glob("*.parquet")) if path.is_dir() else [path])]
    return sorted(files)


def missing_files(folder: Path) -> list[pd.DataFrame]:
    """A fault for each table that is needed and not there, or there twice; a near name is offered."""
    found = table_files(folder)
    others = sorted(
        path.name for path in folder.iterdir() if path.suffix.lower() in (".csv", ".parquet", ".tsv", ".txt")
    )
    seen = f"the folder has {', '.join(others) or 'no table'}"
    others = [name for name in others if Path(name).stem not in found]
    faults = []
    if "patients" not in found:
        near = difflib.get_close_matches("patients.csv", others, n=1)
        mend = f"rename {near[0]!r} to 'patients.csv'" if near else f"add patients.csv; {seen}"
        faults.append(fault("patients.csv", "the file with one row per patient", mend))
    if not any(stage in found for stage in STAGES):
        near = [name for name in others for stage in STAGES if difflib.get_close_matches(name, [f"{stage}.csv"])]
        mend = f"rename {near[0]!r} to the name expected" if near else f"add one of them; {seen}"
        faults.append(fault("treatments.csv", "one of the files treatments.csv, lines.csv, spells.csv", mend))
    for name in others:
        near = difflib.get_close_matches(
            name, [f"{table}.csv" for table in LAYOUTS if table not in found], n=1, cutoff=0.8
        )
        if near and near[0] not in ("patients.csv", *(f"{stage}.csv" for stage in STAGES)):
            faults.append(fault(name, f"a file named {near[0]!r}", f"rename it to {near[0]!r}, or to something else"))
    for name, paths in found.items():
        if len(paths) > 1:
            both = " and ".join(path.name for path in paths)
            faults.append(fault(paths[0].name, f"table {name!r} once, came {both}", "keep one of them"))
    return faults


def read_cells(path: Path) -> tuple[pd.DataFrame | None, list[pd.DataFrame]]:
    """The cells of one table, indexed by the line in the file (Parquet: by the row, from 1), and the faults."""
    try:
        if path.suffix != ".csv":
            from pyarrow import parquet

            cells = parquet.read_table(path).to_pandas(strings_to_categorical=True)
            return cells.set_axis(pd.RangeIndex(1, len(cells) + 1)), []
        cells, faults = text_cells(path.read_bytes(), path.name)
    except Exception as error:  # pyarrow's errors have no common ancestor, and any file may be broken in any way
        reason = f"a readable {path.suffix.removeprefix('.') or 'Parquet folder'} file, came {type(error).__name__}"
        return None, [fault(path.name, reason, "write the file again; when it opens elsewhere, report this")]
    if cells is None:
        return None, faults
    blank = pd.concat([cells[name].isin(["", " "]) for name in cells], axis=1).all(axis=1)
    return cells[~blank], faults


def nothing_known(folder: Path) -> pd.DataFrame:
    """The fault of a folder in which no file is one of ours."""
    inside = folder.iterdir() if folder.is_dir() else [folder]
    seen = sorted(path.name for path in inside if not path.name.startswith("."))
    listing = ", ".join(seen[:12]) + (f" and {len(seen) - 12} more" if len(seen) > 12 else "")
    near = {
        name: match[0]
        for name in seen
        if (match := difflib.get_close_matches(name.lower(), [f"{table}.csv" for table in LAYOUTS], n=1, cutoff=0.75))
    }
    mend = "; ".join(f"rename {name!r} to {match!r}" for name, match in near.items())
    others = "a GDC export (clinical.tsv or clinical*.json), or OMOP tables (person, drug_exposure ...)"
    expected = f"{_NEEDED}, {others}; came {listing or 'an empty folder'}"
    return fault(folder.name, expected, mend or "see data/raw/README.md for the template")


def _holds_a_table(path: Path) -> bool:
    return any(path.glob("*.parquet")) if path.is_dir() else path.is_file() and path.suffix in (".csv", ".parquet")
