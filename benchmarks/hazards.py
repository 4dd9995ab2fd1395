"""How fast are the hazard models? Cox with ten terms, delayed entry, clusters and Fine-Gray, beside R where R is.

Prints medians of alternating runs as ratios to one weighted cross-product of the covariates (the floor of a Newton
step), to R (`survival::coxph`, `cmprsk::crr`) where `Rscript` is found, and to lifelines and scikit-survival; and the
peak memory of the largest Cox model. Run by `make bench`, or

    python benchmarks/hazards.py [rows of the largest model] [rounds] [slow]

What takes R minutes (robust errors at 100,000 rows, Fine-Gray at 10,000, everything at a million) runs only when the
third argument is "slow", once. Ratios hold from machine to machine, times do not.
"""

from __future__ import annotations

import resource
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

from analysis.estimate.hazards import cox, fine_gray

WORDS = np.array(["censored", "relapse", "death"])
TERMS = [f"x{place}" for place in range(10)]
FORMULA = " + ".join(TERMS)
# What R is asked: packages, then a call that leaves its time in `seconds`.
IN_R = {
    "Cox": "coxph(Surv(time, had) ~ {terms}, d)",
    "Cox, delayed entry": "coxph(Surv(entry, time + entry, had) ~ {terms}, d)",
    "Cox, delayed entry, strata": "coxph(Surv(entry, time + entry, had) ~ {terms} + strata(line), d)",
    "Cox, clusters": "coxph(Surv(time, had) ~ {terms}, d, cluster = patient_id)",
    "Fine-Gray": "crr(d$time, d$code, as.matrix(d[, {columns}]))",
}


def simulated(rows: int, seed: int = 2026) -> pd.DataFrame:
    """Spells of whole days: ten covariates (five of them 0/1), four lines, three rows a patient, 40 % entering late."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, len(TERMS)))
    x[:, 5:] = x[:, 5:] > 0.3
    relapse = rng.exponential(1000 * np.exp(-x @ np.linspace(-0.3, 0.4, len(TERMS))))
    death, censoring = rng.exponential(4000, rows), rng.uniform(30, 2500, rows)
    first = np.argmin([censoring, relapse, death], axis=0)
    frame = pd.DataFrame(x, columns=TERMS)
    return frame.assign(
        patient_id=rng.integers(0, max(rows // 3, 1), rows),
        line=rng.integers(1, 5, rows),
        late=np.where(rng.random(rows) < 0.4, rng.integers(1, 200, rows), 0),
        entry=0,
        time=np.ceil(np.min([relapse, death, censoring], axis=0)).astype(int),
        event=pd.Categorical.from_codes(first, WORDS),
    )


def ours(spells: pd.DataFrame) -> dict[str, Callable[[], object]]:
    delayed = spells.assign(entry=spells["late"], time=spells["late"] + spells["time"])
    return {
        "Cox": lambda: cox(spells, FORMULA, "relapse"),
        "Cox, delayed entry": lambda: cox(delayed, FORMULA, "relapse", entry="entry"),
        "Cox, delayed entry, strata": lambda: cox(delayed, FORMULA, "relapse", entry="entry", strata="line"),
        "Cox, clusters": lambda: cox(spells, FORMULA, "relapse", cluster="patient_id"),
        "Fine-Gray": lambda: fine_gray(spells, FORMULA, "relapse"),
    }


def seconds(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start


def seconds_in_r(folder: Path, call: str) -> float:
    """One run of the call in R on the table in `folder`, reading not counted."""
    quoted = ", ".join(f"'{name}'" for name in TERMS)
    call = call.format(terms=FORMULA, columns=f"c({quoted})")
    script = (
        "suppressPackageStartupMessages({library(survival); library(cmprsk)}); "
        f"d <- readRDS('{folder / 'spells.rds'}'); cat(system.time({call})[['elapsed']])"
    )
    return float(subprocess.run(["Rscript", "-e", script], check=True, capture_output=True, text=True).stdout)


def hand_to_r(spells: pd.DataFrame, folder: Path) -> None:
    frame = spells.drop(columns=["event", "entry"]).rename(columns={"late": "entry"})
    codes = spells["event"].cat.codes
    frame.assign(had=(codes == 1).astype(int), code=codes).to_csv(folder / "spells.csv", index=False)
    script = f"saveRDS(read.csv('{folder / 'spells.csv'}'), '{folder / 'spells.rds'}')"
    subprocess.run(["Rscript", "-e", script], check=True)


def lifelines_cox(spells: pd.DataFrame) -> None:
    from lifelines import CoxPHFitter

    frame = spells[[*TERMS, "time"]].assign(had=spells["event"].eq("relapse"))
    CoxPHFitter().fit(frame, "time", "had")


def scikit_survival_cox(spells: pd.DataFrame) -> None:
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    outcome = Surv.from_arrays(spells["event"].eq("relapse"), spells["time"])
    CoxPHSurvivalAnalysis(ties="efron").fit(spells[TERMS], outcome)


def floor_of(spells: pd.DataFrame) -> Callable[[], object]:
    x, weight = spells[TERMS].to_numpy(), np.ones((len(spells), 1))
    return lambda: (x * weight).T @ x


def compare(rows: int, rounds: int, in_r: list[str], peers: bool = False) -> None:
    spells = simulated(rows)
    jobs = {"floor: X' diag(w) X": floor_of(spells)} | {f"ours: {name}": job for name, job in ours(spells).items()}
    if peers:
        jobs["lifelines: Cox"] = lambda: lifelines_cox(spells)
        jobs["scikit-survival: Cox"] = lambda: scikit_survival_cox(spells)
    with tempfile.TemporaryDirectory() as folder, np.errstate():
        if in_r:
            hand_to_r(spells, Path(folder))
        times: dict[str, list[float]] = {}
        for number in range(rounds + 1):
            for name, job in jobs.items():
                times.setdefault(name, []).append(seconds(job))
            for name in in_r if number else []:  # each run of R is a process of its own and needs no warming up
                times.setdefault(f"R: {name}", []).append(seconds_in_r(Path(folder), IN_R[name]))
    # The first round of ours warms up, where there is another.
    medians = {name: median(taken[-rounds:]) for name, taken in times.items()}
    print(f"\n{rows:,} rows, {len(TERMS)} terms, {spells['time'].nunique():,} distinct days, {rounds} round(s)")
    print(f"{'':36}{'median':>12}{'/ floor':>10}{'/ R':>10}")
    floor = medians["floor: X' diag(w) X"]
    for name, taken in medians.items():
        theirs = medians.get(name.replace("ours: ", "R: ")) if name.startswith("ours") else None
        ratio = f"{taken / theirs:10.4f}" if theirs else ""
        print(f"{name:36}{taken * 1000:10.1f}ms{taken / floor:10.1f}{ratio}", flush=True)


def main(most: int = 1_000_000, rounds: int = 3, slow: bool = False) -> None:
    quick = ["Cox", "Cox, delayed entry", "Cox, delayed entry, strata"]
    has_r = shutil.which("Rscript") is not None
    if not has_r:
        print("Rscript not found: no ratios to R (Debian: r-base-core r-cran-survival r-cran-cmprsk)")
    compare(10_000, rounds, [*quick, "Cox, clusters"] if has_r else [], peers=True)
    compare(100_000, rounds, quick if has_r else [])
    compare(most, 1, quick if has_r and slow else [])
    # Linux counts kilobytes, macOS bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**3 if sys.platform == "darwin" else 1024**2)
    print(f"\npeak memory of this process, {most:,} rows and {len(TERMS)} terms: {peak:.2f} GB")
    if has_r and slow:
        compare(10_000, 1, ["Fine-Gray"])
        compare(100_000, 1, ["Cox, clusters"])


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]), slow="slow" in sys.argv)
