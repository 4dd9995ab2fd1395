"""What does the runner save? The whole study from an empty shelf, simulation included, in alternating rounds.

The plain loop is what one would type: for each notebook the `papermill` command, then `jupyter nbconvert --to html`.
Ours is `relapse report`, with ordinary and with forked kernels, one and two notebooks at a time. The medians of the
rounds are compared within one run; then where the time of the last round went.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from analysis import shelf
from analysis.report import kernels, study

ROUNDS = 3
PARTS = ("kernel_start", "imports", "computing", "export")
BIN = Path(sys.executable).parent


def command(*words: object, **environment: str) -> None:
    done = subprocess.run(list(map(str, words)), env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"


def plain_loop(folder: Path) -> dict[str, float]:
    """Seconds of papermill alone, and with the pages made."""
    notebooks = shelf.project_folder() / "notebooks"
    seconds = {"papermill": 0.0, "papermill + nbconvert": 0.0}
    for run in study.read(notebooks / "study.yaml").runs:
        out = folder / f"{run.notebook}.ipynb"
        begin = time.monotonic()
        command(BIN / "papermill", notebooks / out.name, out, "--no-progress-bar", RELAPSE_DATA=str(folder / "data"))
        executed = time.monotonic()
        command(BIN / "jupyter", "nbconvert", "--to", "html", out)
        seconds["papermill"] += executed - begin
        seconds["papermill + nbconvert"] += time.monotonic() - begin
    return seconds


def ours(folder: Path, fork: bool, jobs: int) -> float:
    begin = time.monotonic()
    environment = {"RELAPSE_DATA": str(folder / "data"), kernels.SWITCH: str(int(fork))}
    command(BIN / "relapse", "report", "--out", folder / "pages", "--jobs", jobs, **environment)
    return time.monotonic() - begin


def bench() -> None:
    seconds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            for name, took in plain_loop(Path(folder)).items():
                seconds.setdefault(f"plain loop, {name}", []).append(took)
        for fork in (False, True):
            for jobs in (1, 2):
                with tempfile.TemporaryDirectory() as folder:
                    name = f"relapse report, {'forked' if fork else 'ordinary'} kernels, jobs {jobs}"
                    seconds.setdefault(name, []).append(ours(Path(folder), fork, jobs))
                    records = [json.loads(file.read_text()) for file in sorted(Path(folder).glob("pages/runs/*.json"))]
    medians = {name: statistics.median(took) for name, took in seconds.items()}
    first, second = (medians[name] for name in list(medians)[:2])
    print(f"{'median of ' + str(ROUNDS) + ' rounds':50}{'seconds':>9}{'of papermill':>14}{'of both':>9}")
    for name, took in medians.items():
        print(f"{name:50}{took:9.1f}{took / first:14.2f}{took / second:9.2f}")
    print(f"\n{'last round, seconds per notebook':34}" + "".join(f"{part:>14}" for part in PARTS))
    for record in records:
        timings = record["timings_seconds"]
        print(f"{record['notebook']:34}" + "".join(f"{timings.get(part, 0):14.2f}" for part in PARTS))
    print(shelf.commit())


if __name__ == "__main__":
    bench()
