"""The synthetic cohort as an OMOP folder, written part by part: the whole chain can then be run against known truth.

invention.py makes the clinical tables of a part, dictionary.py the small vocabulary beside them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.sources.omop.dictionary import constant_tables
from analysis.sources.omop.invention import omop_tables


def write(
    parts: Iterable[Mapping[str, pd.DataFrame]], folder: Path, form: str = "parquet", episodes: bool = True
) -> Path:
    """Write a synthetic cohort, part by part (memory then holds one part), as a folder of OMOP CDM 5.4 tables.

    Parameters
    ----------
    parts
        what `sources.synthetic.parts` yields; patients named S and a number.
    folder
        a new or an empty folder; it is moved into place when all is written.
    form
        "parquet" or "csv", one file per table.
    episodes
        whether the lines of treatment are stated (table episode, concept 32941).

    Raises
    ------
    FileExistsError
        when the folder exists and is not empty.
    ValueError
        for another form.

    Example
    -------
    >>> from analysis.sources import synthetic
    >>> with tempfile.TemporaryDirectory() as place:
    ...     written = write([synthetic.simulate(patients=5, seed=1)], Path(place, "omop"))
    ...     sorted(path.stem for path in written.iterdir())[:4]
    ['cdm_source', 'concept', 'concept_ancestor', 'condition_occurrence']
    """
    if form not in ("parquet", "csv"):
        raise ValueError(f"form: expected 'parquet' or 'csv', came {form!r}")
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} exists and is not empty; name a new folder, or empty this one first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_parts(parts, aside, form, episodes)
        aside.chmod(0o755)
        aside.replace(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _write_parts(parts: Iterable[Mapping[str, pd.DataFrame]], folder: Path, form: str, episodes: bool) -> None:
    import pyarrow as pa
    from pyarrow import csv, parquet

    make = parquet.ParquetWriter if form == "parquet" else csv.CSVWriter
    writers: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    rows_before: dict[str, int] = {}
    with ExitStack() as open_files:
        for part in parts:
            tables = omop_tables(part, rows_before) | ({} if writers else constant_tables(part))
            if not episodes:
                tables.pop("episode")
            for name, frame in tables.items():
                table = pa.Table.from_pandas(frame, preserve_index=False)
                if name not in writers:
                    schemas[name] = table.schema
                    writers[name] = open_files.enter_context(make(folder / f"{name}.{form}", table.schema))
                writers[name].write_table(table.cast(schemas[name]))
                rows_before[name] = rows_before.get(name, 0) + len(frame)
