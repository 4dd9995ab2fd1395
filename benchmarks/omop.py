"""How long does it take to bring an OMOP source in, and how much memory? DuckDB over a folder of Parquet.

Writes the synthetic cohort as an OMOP folder, splits every drug exposure into dispensings of 90 days, and reads it
part by part in a process of its own, checks included: seconds, peak memory, and the ratio to the floor, one plain scan
of the same columns by DuckDB. Run by `make bench` with 20,000 patients, or

    python benchmarks/omop.py [patients] [part size] [folder to keep and use again]

A million patients need some 6 GB of disk. Ratios hold from machine to machine, times do not.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import duckdb

from analysis.sources import omop, synthetic
from analysis.sources.omop import writer
from analysis.sources.omop.layout import SOURCES

DISPENSED_DAYS = 90


def made(folder: Path, patients: int) -> None:
    """The folder, with one exposure row per dispensing."""
    writer.write(synthetic.parts(patients, seed=1), folder)
    whole, split = folder / "drug_exposure.parquet", folder / "dispensed.tmp"
    duckdb.sql(f"""
        COPY (
            SELECT drug_exposure_id, person_id, drug_concept_id, day::DATE AS drug_exposure_start_date,
                   least(day::DATE + {DISPENSED_DAYS - 1}, drug_exposure_end_date) AS drug_exposure_end_date
            FROM '{whole}', unnest(generate_series(drug_exposure_start_date, drug_exposure_end_date,
                                                   INTERVAL {DISPENSED_DAYS} DAY)) AS days(day)
            ORDER BY person_id
        ) TO '{split}' (FORMAT parquet)
    """)
    split.replace(whole)


def floor_seconds(folder: Path) -> float:
    """One plain scan of the columns that are read; every value is looked at, so that no statistics answer instead."""
    start = perf_counter()
    for name in SOURCES:
        columns = ", ".join(column for column in SOURCES[name].columns if _has(folder, name, column))
        duckdb.sql(f"SELECT bit_xor(hash({columns})) FROM '{folder / name}.parquet'").fetchall()
    return perf_counter() - start


def _has(folder: Path, name: str, column: str) -> bool:
    return column in duckdb.sql(f"SELECT * FROM '{folder / name}.parquet' LIMIT 0").columns


def extracted(folder: Path, part_size: int) -> dict[str, float]:
    """Rows, seconds and peak memory (GB) of reading the folder part by part; a part is dropped once it is counted."""
    start = perf_counter()
    rows: dict[str, int] = {}
    for part in omop.parts(folder, part_size):
        for name, frame in part.items():
            rows[name] = rows.get(name, 0) + len(frame)
    seconds = perf_counter() - start
    return rows | {"seconds": seconds, "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def main(patients: int = 20_000, part_size: int = omop.PART_SIZE, keep: str | None = None) -> None:
    with tempfile.TemporaryDirectory(prefix="relapse-bench-") as place:
        folder = Path(keep or place, "omop")
        if not folder.exists():
            start = perf_counter()
            made(folder, patients)
            print(f"written in {perf_counter() - start:,.0f} s")
        files = {name: folder / f"{name}.parquet" for name in SOURCES}
        counts = {name: duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchall()[0][0] for name, file in files.items()}
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
        floor = min(floor_seconds(folder) for _ in range(2))
        command = [sys.executable, __file__, "--extract", str(folder), str(part_size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    print(
        f"{counts['person']:,} patients, {counts['drug_exposure']:,} exposures, {counts['measurement']:,} measurements"
    )
    print(f"{size:.2f} GB of Parquet; one plain scan of the columns read: {floor:.2f} s")
    print(f"extraction in parts of {part_size:,}: {found['seconds']:.1f} s, {found['seconds'] / floor:.0f} x the scan, "
          f"peak {found['gigabytes']:.2f} GB")  # fmt: skip
    print(", ".join(f"{name} {found[name]:,}" for name in ("patients", "treatments", "labs", "findings")))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--extract"]:
        print(json.dumps(extracted(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main(*(int(argument) for argument in sys.argv[1:3]), *sys.argv[3:])
