"""Where does the time of a whole report go? Simulation included, nothing stored before; seconds per notebook and part.

The sum of the parts is more than the wall time where notebooks run side by side.
"""

import json
import os
import tempfile
import time
from pathlib import Path

from analysis import shelf
from analysis.__main__ import main

PARTS = ("kernel_start", "imports", "computing", "export")


def bench(jobs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RELAPSE_DATA"] = str(Path(folder) / "data")
        out = Path(folder) / "pages"
        begin = time.monotonic()
        code = main(["report", "--out", str(out), "--jobs", str(jobs)])
        wall = time.monotonic() - begin
        assert code == 0, "the report failed"
        records = [json.loads(file.read_text()) for file in sorted((out / "runs").glob("*.json"))]
    print(f"\njobs {jobs}: {wall:.1f} s from the command to the index, simulation included")
    print(f"{'notebook':24}" + "".join(f"{part:>14}" for part in PARTS))
    for record in records:
        timings = record["timings_seconds"]
        print(f"{record['notebook']:24}" + "".join(f"{timings.get(part, 0):14.1f}" for part in PARTS))
    total = sum(sum(record["timings_seconds"].get(part, 0) for part in PARTS) for record in records)
    print(f"sum of the notebooks {total:.1f} s; {shelf.commit()}")


if __name__ == "__main__":
    for jobs in (1, 2):
        bench(jobs)
