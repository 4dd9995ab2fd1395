"""How fast are the estimates over whole patients? The mean number of relapses beside R's mets, and later gap times.

Prints medians of alternating runs as ratios to the floors (`np.bincount` and `np.argsort` of the times of the spells)
and, where R with mets is on the machine, to `mets::recurrentMarginal` on the same patients. R is timed from its models
on, reading the file apart. Run by `make bench`, or

    python benchmarks/recurrence.py [patients] [rounds]

Ratios hold from machine to machine, times do not.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pandas as pd

from analysis.estimate.recurrence import gap_time_distribution, mean_number_of_relapses

METS = """
suppressPackageStartupMessages({library(survival); library(mets)})
data <- read.csv(commandArgs(TRUE)[1])
took <- system.time({
  relapse <- phreg(Surv(start, stop, relapsed) ~ cluster(patient_id), data = data)
  death <- phreg(Surv(start, stop, died) ~ cluster(patient_id), data = data)
  found <- recurrentMarginal(relapse, death)
})
cat(took[["elapsed"]], tail(found$mu, 1))
"""


def simulated(patients: int, seed: int = 2026) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spells to relapse on up to four whole-day lines, each begun on the day of the relapse before, and survival."""
    random = np.random.default_rng(seed)
    death, end = np.ceil(random.exponential(2500, patients)), np.ceil(random.uniform(30, 3000, patients))
    left, died = np.minimum(death, end), death <= end
    began, here, parts = np.zeros(patients), np.arange(patients), []
    for line in range(1, 5):
        stop = began[here] + np.ceil(random.exponential(900 / line, len(here)))
        code = np.where(stop <= left[here], 1, np.where(died[here], 2, 0))
        days = {"start_day": began[here], "entry": 0, "time": np.minimum(stop, left[here]) - began[here]}
        event = pd.Categorical.from_codes(code, ["censored", "relapse", "death"])
        parts.append(pd.DataFrame({"patient_id": here, "line": line, **days, "event": event}))
        began[here] = stop
        here = here[stop < left[here]]
    spells = pd.concat(parts).sort_values(["patient_id", "line"], ignore_index=True)
    word = np.where(died, "death", "censored")
    survival = {"patient_id": np.arange(patients), "line": 1, "start_day": 0, "entry": 0, "time": left, "event": word}
    return spells, pd.DataFrame(survival)


def pieces(spells: pd.DataFrame, survival: pd.DataFrame) -> pd.DataFrame:
    """The same patients as mets wants them: a row from each relapse to the next, and one to the end."""
    stop = spells["start_day"] + spells["time"]
    rows = pd.DataFrame({"patient_id": spells["patient_id"], "start": spells["start_day"], "stop": stop})
    rows["relapsed"] = (spells["event"] == "relapse").astype(int)
    rows["died"] = (spells["event"] == "death").astype(int)
    left = survival.set_index("patient_id")
    last = rows[~rows["patient_id"].duplicated(keep="last")].set_index("patient_id")
    more = last[last["stop"] < left["time"]]
    tail = pd.DataFrame({"start": more["stop"], "stop": left["time"].loc[more.index], "relapsed": 0})
    tail["died"] = (left["event"].loc[more.index] == "death").astype(int)
    return pd.concat([rows, tail.reset_index()]).sort_values(["patient_id", "start"])


def mets_available() -> bool:
    if shutil.which("Rscript") is None:
        return False
    asked = ["Rscript", "-e", "quit(status = !requireNamespace('mets', quietly = TRUE))"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def mets_seconds(script: Path, data: Path) -> tuple[float, float]:
    """Seconds that R took, and the last value of its curve."""
    said = subprocess.run(["Rscript", str(script), str(data)], capture_output=True, text=True, check=True).stdout
    return tuple(float(number) for number in said.split())


def seconds(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start


def main(patients: int = 100_000, rounds: int = 5) -> None:
    spells, survival = simulated(patients)
    named = [frame.assign(patient_id="patient " + frame["patient_id"].astype(str)) for frame in (spells, survival)]
    time = spells["time"].to_numpy().astype(np.int64)
    few = spells["patient_id"] < 5_000
    jobs: dict[str, Callable[[], object]] = {
        "floor: np.bincount of the times": lambda: np.bincount(time),
        "floor: np.argsort of the times": lambda: np.argsort(time),
        "ours: mean number of relapses": lambda: mean_number_of_relapses(spells, None, survival),
        "ours: the same, patients by name": lambda: mean_number_of_relapses(named[0], None, named[1]),
        "ours: without survival": lambda: mean_number_of_relapses(spells),
        "ours: gap times of line 2, 5,000 patients": lambda: gap_time_distribution(
            spells[few], 2, None, survival.query("patient_id < 5000")
        ),
    }
    times = {name: [] for name in jobs}
    mets = mets_available()
    with tempfile.TemporaryDirectory() as folder:
        script, data = Path(folder, "mets.R"), Path(folder, "pieces.csv")
        script.write_text(METS, encoding="utf-8")
        pieces(spells, survival).to_csv(data, index=False)
        for _ in range(rounds + 1):
            for name, job in jobs.items():
                times[name].append(seconds(job))
            if mets:
                times.setdefault("R: mets::recurrentMarginal", []).append(mets_seconds(script, data)[0])
    medians = {name: median(taken[1:]) for name, taken in times.items()}  # the first round warms up
    bincount, argsort = (medians[name] for name in list(jobs)[:2])
    reference = medians.get("R: mets::recurrentMarginal", np.nan)
    print(f"{patients:,} patients, {len(spells):,} spells, {len(np.unique(time)):,} distinct days, {rounds} rounds")
    if not mets:
        print("R with mets is not on this machine: no ratio to it")
    print(f"{'':44}{'median':>10}{'/ bincount':>12}{'/ argsort':>12}{'/ mets':>10}")
    for name, taken in medians.items():
        print(f"{name:44}{taken * 1000:8.1f}ms{taken / bincount:12.1f}{taken / argsort:12.2f}{taken / reference:10.3f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
