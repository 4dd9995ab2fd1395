"""Tables to and from data/: Parquet with its provenance beside it. The only file that knows those folders.

    data/raw/                         what was fetched or brought, never changed
    data/processed/<cohort key>/      one cohort in canonical tables, and provenance.json
    data/processed/<key>/results/     result frames that a notebook keeps for another, each with its .json

The environment variable RELAPSE_DATA moves the whole data folder. The key of a cohort carries its fingerprint, so a
changed source is a new folder and a stored table is never stale. Everything is written aside and moved into place.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from analysis import schema
from analysis.schema import Table

_COHORT_TABLES = {
    table.name.lower(): table
    for table in (
        schema.COHORT,
        schema.PATIENTS,
        schema.TREATMENTS,
        schema.LABS,
        schema.FINDINGS,
        schema.LINES,
        schema.SPELLS,
    )
}
_PACKAGES = (
    "myeloma-relapse",
    "pandas",
    "numpy",
    "lifelines",
    "scikit-survival",
    "seaborn",
    "matplotlib",
    "papermill",
    "duckdb",
    "ibis-framework",
)


class Source(Protocol):
    """What the shelf asks of a reader of cohorts (the module `analysis.sources`)."""

    def read(self, cohort: str) -> dict[str, pd.DataFrame]:
        """The canonical tables of a cohort, by name or folder."""

    def fingerprint(self, cohort: str) -> str:
        """A sha256 that changes when the cohort's content does."""


def project_folder() -> Path:
    """The root of the checkout: the folder that holds notebooks/ and data/."""
    return Path(__file__).resolve().parents[2]


def data_folder() -> Path:
    """The data folder: RELAPSE_DATA where it is set, else data/ of the project."""
    return Path(os.environ.get("RELAPSE_DATA") or project_folder() / "data")


def key(cohort: str, fingerprint: str) -> str:
    """The folder name of a cohort: its readable name and the start of its fingerprint."""
    readable = re.sub(r"[^a-z0-9]+", "-", Path(cohort).resolve().name.lower()).strip("-") or "cohort"
    return f"{readable}-{fingerprint[:10]}"


def place(cohort: str, source: Source) -> Path:
    """Where is this cohort on the shelf? Reads it from its source and stores it first when it is not there yet."""
    fingerprint = source.fingerprint(cohort)
    folder = data_folder() / "processed" / key(cohort, fingerprint)
    if not _finished(folder):
        try:
            write_cohort(source.read(cohort), folder, {"cohort": Path(cohort).name, "fingerprint": fingerprint})
        except FileExistsError:  # another run stored the same content meanwhile
            if not _finished(folder):
                raise
    return folder


def _finished(folder: Path) -> bool:
    return (folder / "provenance.json").exists()


def cohort(cohort: str, source: Source, names: Sequence[str] | None = None) -> dict[str, pd.DataFrame]:
    """The canonical tables of a cohort, all of them or those named; a table that the source lacks is left out."""
    return tables(place(cohort, source), names)


def tables(folder: Path, names: Sequence[str] | None = None) -> dict[str, pd.DataFrame]:
    """The canonical tables stored in a cohort's folder, all of them or those named."""
    wanted = _COHORT_TABLES if names is None else names
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in wanted if _stored(folder, name)}


def _stored(folder: Path, name: str) -> bool:
    return (folder / f"{name}.parquet").exists()


def about(cohort: str, source: Source) -> dict[str, Any]:
    """What a page says of a cohort: the COHORT row, its fingerprint, the number of patients and the years of day 0."""
    folder = place(cohort, source)
    stored = tables(folder, ["cohort", "patients"])
    facts = stored["cohort"].iloc[0].to_dict()
    years = stored["patients"].get("index_year", pd.Series(dtype="Int64")).dropna()
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    return facts | {
        "fingerprint": provenance.get("fingerprint", ""),
        "patients": len(stored["patients"]),
        "first_year": int(years.min()) if len(years) else None,
        "last_year": int(years.max()) if len(years) else None,
    }


def write_cohort(
    parts: Mapping[str, pd.DataFrame] | Iterable[Mapping[str, pd.DataFrame]],
    folder: Path,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Store a cohort, whole or part by part (memory then holds one part), as one Parquet file per canonical table.

    Every part is checked against its table. Tables that are not canonical (a simulator's truth) are stored too,
    under truth/, where no reader of cohorts looks.

    Raises
    ------
    FileExistsError
        when the folder exists and is not empty: nothing of yours is overwritten.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} exists and is not empty; name a new folder, or empty this one first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_parts([parts] if isinstance(parts, Mapping) else parts, aside)
        _write_json(aside / "provenance.json", {**(provenance or {}), **_origin()})
        aside.chmod(0o755)
        _move_folder(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _write_parts(parts: Iterable[Mapping[str, pd.DataFrame]], folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writers: dict[str, pq.ParquetWriter] = {}
    try:
        for part in parts:
            for name, frame in part.items():
                if name in _COHORT_TABLES:
                    schema.check(frame, _COHORT_TABLES[name])
                if name == "cohort" and name in writers:
                    continue
                file = folder / f"{name}.parquet" if name in _COHORT_TABLES else folder / "truth" / f"{name}.parquet"
                table = pa.Table.from_pandas(frame, preserve_index=False)
                if name not in writers:
                    file.parent.mkdir(exist_ok=True)
                    writers[name] = pq.ParquetWriter(file, table.schema)
                writers[name].write_table(table.cast(writers[name].schema))
    finally:
        for writer in writers.values():
            writer.close()


def _move_folder(aside: Path, folder: Path) -> None:
    """Move a finished folder into place; when another run was quicker, its equal folder stays."""
    try:
        aside.replace(folder)
    except OSError:
        if not _finished(folder):
            raise


def save(folder: Path, name: str, frame: pd.DataFrame, table: Table, parameters: Mapping[str, Any]) -> None:
    """Keep a result frame for another notebook: results/<name>.parquet, with the parameters that made it beside it."""
    schema.check(frame, table)
    results = folder / "results"
    results.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".result-", dir=folder) as aside:
        frame.to_parquet(Path(aside) / "frame.parquet", index=False)
        _write_json(Path(aside) / "frame.json", {"table": table.name, "parameters": dict(parameters), **_origin()})
        (Path(aside) / "frame.parquet").replace(results / f"{name}.parquet")
        (Path(aside) / "frame.json").replace(results / f"{name}.json")


def load(folder: Path, name: str, table: Table, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """A result frame that an earlier notebook kept, refused when other parameters made it.

    Raises
    ------
    FileNotFoundError
        when the result is not there, naming what to run.
    ValueError
        when it was made with other parameters, naming each difference.
    """
    file = folder / "results" / f"{name}.parquet"
    again = "run notebooks 01 to 04 with the same cohort and parameters first (`make report` runs them all)"
    if not file.exists():
        raise FileNotFoundError(f"no stored result {name!r} for cohort {folder.name}; {again}")
    made_with = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["parameters"]
    differences = [
        f"{parameter}: stored {made_with[parameter]!r}, asked {value!r}"
        for parameter, value in parameters.items()
        if parameter in made_with and made_with[parameter] != value
    ]
    if differences:
        raise ValueError(f"stored result {name!r} was made with other parameters: {'; '.join(differences)}; {again}")
    return schema.check(pd.read_parquet(file), table)


def _write_json(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@cache
def _origin() -> dict[str, Any]:
    """What made a table: package versions and the commit of the code. No clock."""
    return {"versions": versions(), "commit": commit()}


def versions() -> dict[str, str]:
    """Versions of the packages that decide a number."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def commit() -> str:
    """The git commit of the checkout, with "+" when files differ from it; "unknown" outside git."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(project_folder()), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
