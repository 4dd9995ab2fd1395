"""The door: any source in, the canonical cohort out. Each source has its own file or folder here.

synthetic   the embedded cohort, simulated
gdc         MMRF CoMMpass as the Genomic Data Commons exports it
tables      your own CSV or Parquet in the canonical columns
omop        OMOP CDM 5.4: a folder of CSV or Parquet, PostgreSQL, Spark
parsing     the tolerant reading that finds every fault of a file at once
"""

from __future__ import annotations

import difflib
import hashlib
import os
from pathlib import Path
from types import ModuleType

import pandas as pd

from analysis import schema
from analysis.sources.parsing import collect, fault

__all__ = ["fingerprint", "inspect", "is_address", "locate", "read"]

SYNTHETIC = "synthetic"
_CANONICAL = ("cohort", "patients", "treatments", "labs", "findings", "lines", "spells")
_DATA_FILES = (".csv", ".tsv", ".txt", ".json", ".parquet", ".gz")
_TEMPLATE = "see data/raw/README.md for what a folder may hold"


def read(cohort: str) -> dict[str, pd.DataFrame]:
    """What is in this cohort? The canonical tables by name ("patients", "treatments" ...), days on the patient's clock.

    Parameters
    ----------
    cohort
        "synthetic" for the embedded cohort; else a folder with a GDC export, canonical tables or OMOP tables: a path
        from the working directory, from the project's root, or a name within data/raw; or the address of an OMOP
        database, such as postgresql://user@host/database?schema=cdm.

    Raises
    ------
    analysis.schema.BadInputError
        with all faults at once, when there is no such cohort or its files cannot be read as they are.
    ConnectionError
        when a database cannot be reached, refuses, or is lost while rows are coming.

    Example
    -------
    >>> sorted(read("data/raw/example"))
    ['cohort', 'findings', 'labs', 'patients', 'treatments']
    """
    if cohort == SYNTHETIC:
        from analysis.sources import synthetic

        tables = synthetic.simulate(patients=synthetic.PATIENTS, seed=synthetic.SEED)
    else:
        place = _place(cohort)
        tables = _reader(place).read(place)
    # The simulator's truth above all stays outside: an analysis that could read it would mark its own work.
    return {name: frame for name, frame in tables.items() if name in _CANONICAL}


def inspect(cohort: str) -> pd.DataFrame:
    """What is wrong with this cohort's files? Every error and warning at once, as FAULTS; nothing is raised.

    Example
    -------
    >>> bool((inspect("data/raw/example")["severity"] == "error").any())
    False
    """
    try:
        if cohort == SYNTHETIC:
            return schema.empty(schema.FAULTS)
        place = _place(cohort)
        reader = _reader(place)
        # A reader without an inspection of its own hands its warnings over beside the tables.
        return reader.inspect(place) if hasattr(reader, "inspect") else collect([reader.read(place)["faults"]])
    except schema.BadInputError as error:
        return error.faults


def fingerprint(cohort: str) -> str:
    """Which content is this? A sha256 that changes when the cohort's content does, and only then.

    Of a folder: the names and bytes of its data files. Of the synthetic cohort: the number of patients, the seed and
    the simulator's own files.

    Example
    -------
    >>> fingerprint("data/raw/example") == fingerprint("example")
    True
    """
    digest = hashlib.sha256()
    if cohort == SYNTHETIC:
        from analysis.sources import synthetic

        files, root = list(synthetic.FINGERPRINT_INPUTS), Path(synthetic.__file__).parent
        digest.update(f"patients={synthetic.PATIENTS} seed={synthetic.SEED}".encode())
    else:
        place = locate(cohort)
        files, root = _data_files(place), place if place.is_dir() else place.parent
    for file in sorted(files):
        digest.update(f"\n{file.relative_to(root).as_posix()} {file.stat().st_size}\n".encode())
        with file.open("rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def locate(cohort: str) -> Path:
    """The folder of a cohort, or the one file of a GDC export.

    Looked for from the working directory, else from the project's root, else in data/raw.

    Raises
    ------
    analysis.schema.BadInputError
        naming what exists, and near names, when there is no such folder; or saying what to do with a database.
    """
    if is_address(cohort):
        mend = "bring the database into a folder first: relapse import omop ADDRESS --out DIR"
        raise schema.BadInputError(collect([fault("(address)", "a folder, came the address of a database", mend)]))
    root = _project_root()
    raw = Path(os.environ.get("RELAPSE_DATA") or root / "data") / "raw"
    for place in (Path.cwd(), root, raw):
        folder = place / Path(cohort).expanduser()
        if cohort and (folder.is_dir() or (folder.is_file() and folder.suffix.lower() in (".tsv", ".json"))):
            return folder
        if cohort and folder.is_file():
            mend = f"name its folder, {Path(cohort).parent.as_posix()!r}"
            raise schema.BadInputError(collect([fault(cohort, "the folder of a cohort, came a file", mend)]))
    siblings = [place / Path(cohort).expanduser().parent for place in (Path.cwd(), root, raw)]
    names = sorted({SYNTHETIC, *_folders(raw), *(name for place in siblings for name in _folders(place))})
    near = difflib.get_close_matches(Path(cohort).name, names, n=2)
    known = ", ".join([SYNTHETIC, *_folders(raw)])
    mend = (f"did you mean {' or '.join(map(repr, near))}? " if near else "") + f"known by name: {known}"
    raise schema.BadInputError(collect([fault(cohort or "(no name)", "a folder, or the word 'synthetic'", mend)]))


def is_address(cohort: str) -> bool:
    """Is this the address of a database, and no folder?

    Example
    -------
    >>> is_address("postgresql://reader@localhost/hospital?schema=cdm"), is_address("data/raw/example")
    (True, False)
    """
    return "://" in cohort


def _place(cohort: str) -> Path | str:
    return cohort if is_address(cohort) else locate(cohort)


def _reader(place: Path | str) -> ModuleType:
    """The source that knows this folder's format, imported only now."""
    from analysis.sources import gdc, omop, tables

    if isinstance(place, str):
        return omop
    for reader in (tables, gdc, omop):
        if reader.recognises(place):
            return reader
    raise schema.BadInputError(collect([tables.nothing_known(place)]))


def _data_files(folder: Path) -> list[Path]:
    from analysis.sources import omop, tables

    for reader in (tables, omop):
        if reader.recognises(folder):
            return reader.data_files(folder)
    within = folder.rglob("*") if folder.is_dir() else [folder]
    return [path for path in within if path.is_file() and path.suffix.lower() in _DATA_FILES]


def _folders(place: Path) -> list[str]:
    if not place.is_dir():
        return []
    return sorted(path.name for path in place.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))


def _project_root() -> Path:
    """The checkout this code stands in, or the working directory when it was installed without one."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() else Path.cwd()
