"""How fast are occupancy with standard errors, restricted means and the tests between groups?

Prints medians of alternating runs as ratios to the floors (`np.bincount` and `np.argsort` of the times of the same
rows) and, where R with its package survival is on the machine, the ratio of occupancy to `survfit` on the same
patients. Run by `make bench`, or

    python benchmarks/pathways.py [patients] [rows] [rounds]

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

from analysis.estimate.curves import gray_test, log_rank, restricted_mean
from analysis.estimate.pathways import expected_time, occupancy

SURVFIT = """
suppressPackageStartupMessages(library(survival))
arguments <- commandArgs(trailingOnly = TRUE)
spells <- read.csv(arguments[1])
states <- c(paste("line", sort(unique(spells$line))), "death")
spells$now <- factor(paste("line", spells$line), states)
onward <- spells$event == "next_line"
into <- ifelse(onward, paste("line", spells$line + 1), ifelse(spells$event == "death", "death", "censored"))
spells$into <- factor(into, c("censored", states))
spells$end <- spells$start_day + spells$time
once <- function() survfit(Surv(start_day, end, into) ~ 1, spells, id = patient_id, istate = now)
fit <- once()
cat(system.time(once())[["elapsed"]], "\n")
write.csv(data.frame(state = rep(fit$states, each = length(fit$time)), time = fit$time, estimate = c(fit$pstate),
                     std_error = c(fit$std.err)), arguments[2], row.names = FALSE)
"""


def journeys(patients: int, seed: int = 2026, lines: int = 5) -> pd.DataFrame:
    """Spells of patients through up to five lines: whole days, a frailty, death competing, censoring at up to 3,000."""
    rng = np.random.default_rng(seed)
    frailty, until = rng.lognormal(0, 0.5, patients), rng.integers(300, 3000, patients)
    start, here, parts = np.zeros(patients, dtype=int), np.arange(patients), []
    for line in range(1, lines + 1):
        onward = np.ceil(rng.exponential(700 / frailty[here] / (1 + 0.4 * line)))
        onward = onward if line < lines else np.full(len(here), np.inf)
        death, left = np.ceil(rng.exponential(2500 / (1 + 0.4 * line), len(here))), until[here] - start
        time = np.minimum(np.minimum(onward, death), left).astype(int)
        first = np.select([onward == time, death == time], ["next_line", "death"], "censored")
        first = np.where((first == "next_line") & (time == left), "censored", first)
        parts.append(pd.DataFrame({"patient_id": here, "line": line, "start_day": start, "time": time, "event": first}))
        goes_on = first == "next_line"
        start, here = (start + time)[goes_on], here[goes_on]
    spells = pd.concat(parts, ignore_index=True).assign(entry=0)
    return spells.assign(patient_id="p" + spells["patient_id"].astype(str))


def groups(rows: int, seed: int = 2026) -> pd.DataFrame:
    """Spells in five groups with two events, whole days."""
    rng = np.random.default_rng(seed)
    line = rng.integers(1, 6, rows)
    times = [rng.uniform(30, 3000, rows), rng.exponential(900 / line), rng.exponential(2500, rows)]
    event = pd.Categorical.from_codes(np.argmin(times, axis=0), ["censored", "relapse", "death"])
    return pd.DataFrame({"line": line, "entry": 0, "time": np.ceil(np.min(times, axis=0)).astype(int), "event": event})


def seconds(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start


def print_medians(title: str, times: dict[str, list[float]]) -> None:
    """Medians without the first round, which warms up, with their ratios to the first two jobs, the floors."""
    medians = {name: median(taken[1:]) for name, taken in times.items()}
    bincount, argsort = list(medians.values())[:2]
    print(f"{title}\n{'':44}{'median':>10}{'/ bincount':>12}{'/ argsort':>12}")
    for name, taken in medians.items():
        print(f"{name:44}{taken * 1000:8.1f}ms{taken / bincount:12.1f}{taken / argsort:12.2f}")


def main(patients: int = 10_000, rows: int = 1_000_000, rounds: int = 5) -> None:
    spells = journeys(patients)
    days = (spells["start_day"] + spells["time"]).to_numpy()
    jobs: dict[str, Callable[[], object]] = {
        "floor: np.bincount of the times": lambda: np.bincount(days),
        "floor: np.argsort of the times": lambda: np.argsort(days),
        "ours: occupancy, errors at every time": lambda: occupancy(spells),
        "ours: expected time in each state": lambda: expected_time(spells, 1500),
    }
    times: dict[str, list[float]] = {name: [] for name in jobs}
    rscript = shutil.which("Rscript")
    with tempfile.TemporaryDirectory() as folder:
        given, said, script = (Path(folder) / name for name in ("spells.csv", "survfit.csv", "survfit.R"))
        spells.query("time > 0").to_csv(given, index=False)
        script.write_text(SURVFIT, encoding="utf-8")
        for _ in range(rounds + 1):
            for name, job in jobs.items():
                times[name].append(seconds(job))
            if rscript:
                run = subprocess.run([rscript, script, given, said], capture_output=True, text=True, check=False)
                if run.returncode:
                    rscript = None
                else:
                    times.setdefault("R: survfit, errors at every time", []).append(float(run.stdout))
        print_medians(f"pathways of {patients:,} patients, {len(spells):,} spells, {rounds} rounds", times)
        if rscript:
            ours, theirs = (median(times[name][1:]) for name in (list(jobs)[2], list(times)[-1]))
            both = pd.read_csv(said).merge(occupancy(spells.query("time > 0")), on=["state", "time"])
            apart = [(both[f"{name}_x"] - both[f"{name}_y"]).abs().max() for name in ("estimate", "std_error")]
            print(
                f"occupancy / survfit: {ours / theirs:.3f}; largest difference {apart[0]:.0e}, of errors {apart[1]:.0e}"
            )
        else:
            print("R with its package survival is not on this machine: no ratio to survfit")

    table = groups(rows)
    time = table["time"].to_numpy()
    jobs = {
        "floor: np.bincount of the times": lambda: np.bincount(time),
        "floor: np.argsort of the times": lambda: np.argsort(time),
        "ours: restricted means of five groups": lambda: restricted_mean(table, 1000, "line"),
        "ours: log-rank test of five groups": lambda: log_rank(table, "relapse", "line"),
        "ours: Gray's test of five groups": lambda: gray_test(table, "relapse", "line"),
    }
    times = {name: [] for name in jobs}
    for _ in range(rounds + 1):
        for name, job in jobs.items():
            times[name].append(seconds(job))
    print_medians(f"\nfive groups, {rows:,} rows, {rounds} rounds", times)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
