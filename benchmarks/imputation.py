"""Chained equations beside those of statsmodels, scikit-learn and R's mice: how fast, and do the limits hold?

Prints medians of alternating runs for 20 completed data sets of ten cycles (3,000 patients, eight covariates), as
ratios to ours, R where `Rscript` with mice is found; then, with a second argument, bias and coverage over so many
simulated cohorts of 300 patients, ten imputations each:

    python benchmarks/imputation.py [rounds] [cohorts]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pandas as pd

from analysis.estimate import hazards, imputation
from analysis.estimate.imputation.variables import nelson_aalen

NAMES = [f"x{place}" for place in range(8)]
IN_R = """
suppressPackageStartupMessages(library(mice))
d <- read.csv("{file}")
t <- system.time(mice(d, m = {m}, maxit = 10, method = "pmm", printFlag = FALSE, seed = 1))[["elapsed"]]
cat(t)
"""


def large(rows: int = 3000, seed: int = 1) -> pd.DataFrame:
    """Eight covariates, a tenth of each missing, four of them 0 or 1."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 8)) + 0.6 * rng.standard_normal((rows, 1))
    time = np.ceil(rng.exponential(500 * np.exp(-0.2 * x.sum(axis=1) / 4)))
    x[:, 4:] = x[:, 4:] > 0.3
    frame = pd.DataFrame(x, columns=NAMES).mask(rng.random(x.shape) < 0.1)
    return frame.assign(time=time, event=np.where(rng.random(rows) < 0.7, "relapse", "death").astype(object))


def numbers(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The covariates with what the outcome says, as plain numbers."""
    had, time = (frame["event"] == "relapse").to_numpy(), frame["time"].to_numpy(float)
    return frame[columns].assign(had=had.astype(float), hazard=nelson_aalen(np.zeros(len(time)), time, had))


def by_statsmodels(frame: pd.DataFrame, columns: list[str], m: int, seed: int) -> list[pd.DataFrame]:
    from statsmodels.imputation.mice import MICEData

    found = []
    for number in range(m):
        data = MICEData(numbers(frame, columns), rng=np.random.default_rng([seed, number]))
        data.update_all(10)
        found.append(frame.assign(**data.data[columns]))
    return found


def by_scikit_learn(frame: pd.DataFrame, columns: list[str], m: int, seed: int) -> list[pd.DataFrame]:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    found, plain = [], numbers(frame, columns)
    for number in range(m):
        filled = IterativeImputer(sample_posterior=True, random_state=seed * 1000 + number).fit_transform(plain)
        found.append(frame.assign(**pd.DataFrame(filled, columns=plain.columns)[columns]))
    return found


def by_ours(frame: pd.DataFrame, columns: list[str], m: int, seed: int) -> list[pd.DataFrame]:
    return imputation.imputed(frame, columns, imputations=m, seed=seed)


WAYS = {"ours": by_ours, "statsmodels MICEData": by_statsmodels, "scikit-learn IterativeImputer": by_scikit_learn}


def seconds_in_r(frame: pd.DataFrame, m: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "d.csv"
        numbers(frame, NAMES).to_csv(file, index=False)
        done = subprocess.run(
            ["Rscript", "-e", IN_R.format(file=file, m=m)], capture_output=True, text=True, check=True
        )
    return float(done.stdout.split()[-1])


def speed(rounds: int) -> None:
    frame, m = large(), 20
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, way in WAYS.items():
            start = perf_counter()
            way(frame, NAMES, m, 1)
            times.setdefault(name, []).append(perf_counter() - start)
        if shutil.which("Rscript"):
            times.setdefault("R, mice", []).append(seconds_in_r(frame, m))
    ours = median(times["ours"])
    for name, taken in times.items():
        print(f"{name:32} {median(taken):7.2f} s  {median(taken) / ours:6.1f} x ours")


def one_cohort(seed: int, patients: int = 300) -> pd.DataFrame:
    """A flag and a number, both missing at random: more often after an early relapse. Log hazard ratios 0.7 and 0.4."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=patients)
    flag = (rng.random(patients) < 1 / (1 + np.exp(1 - 0.8 * z))).astype(float)
    times = rng.exponential(500 * np.exp(-0.7 * flag - 0.4 * z)), rng.uniform(100, 1500, patients)
    time, event = np.minimum(*times), np.where(times[0] < times[1], "relapse", "censored").astype(object)
    gap = 1 / (1 + np.exp(-(-1.2 + 1.8 * ((event == "relapse") & (time < 300)))))
    frame = pd.DataFrame({"entry": 0, "time": np.ceil(time), "event": event, "flag": flag, "z": z})
    return frame.assign(**{name: frame[name].mask(rng.random(patients) < gap) for name in ("flag", "z")})


def coverage(cohorts: int, m: int = 10) -> None:
    rows = []
    for seed in range(cohorts):
        frame = one_cohort(seed)
        found = {"complete cases": hazards.cox(frame, "flag + z", "relapse")}
        for name, way in WAYS.items():
            tables = [hazards.cox(full, "flag + z", "relapse") for full in way(frame, ["flag", "z"], m, seed)]
            found[name] = imputation.pooled(tables)
        rows += [table.assign(way=name) for name, table in found.items()]
    every = pd.concat(rows)
    truth = every["term"].map({"flag": 0.7, "z": 0.4})
    every = every.assign(off=every["log_estimate"] - truth)
    every["held"] = (np.log(every["conf_low"]) <= truth) & (truth <= np.log(every["conf_high"]))
    told = every.groupby(["term", "way"]).agg(
        off=("off", "mean"), held=("held", "mean"), spread=("off", "std"), std_error=("std_error", "mean")
    )
    print(told.round(3).to_string())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    asked = [int(text) for text in sys.argv[1:]]
    speed(asked[0] if asked else 1)
    if len(asked) > 1:
        coverage(asked[1])
