"""How fast are the curves? Kaplan-Meier and Aalen-Johansen by line with limits, on a million whole-day spells.

Prints medians of alternating runs as ratios to the floors (`np.bincount` and `np.argsort` of the times) and to the
Kaplan-Meier of lifelines and of scikit-survival on the same rows. Run by `make bench`, or

    python benchmarks/curves.py [rows] [rounds]

Ratios hold from machine to machine, times do not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import pandas as pd

from analysis.estimate.curves import aalen_johansen, kaplan_meier

WORDS = np.array(["censored", "relapse", "death"])


def simulated(rows: int, seed: int = 2026) -> pd.DataFrame:
    """Spells of four lines, whole days, about 3,000 distinct times, nobody entering late."""
    rng = np.random.default_rng(seed)
    line = rng.integers(1, 5, rows)
    relapse, death = rng.exponential(900 / line), rng.exponential(2500, rows)
    censoring = rng.uniform(30, 3000, rows)
    first = np.argmin([censoring, relapse, death], axis=0)
    time = np.ceil(np.minimum(np.minimum(relapse, death), censoring)).astype(int)
    event = pd.Categorical.from_codes(first, WORDS)
    return pd.DataFrame({"line": line, "entry": 0, "time": time, "event": event})


def lifelines_kaplan_meier(spells: pd.DataFrame) -> None:
    from lifelines import KaplanMeierFitter

    for _, rows in spells.groupby("line"):
        KaplanMeierFitter().fit(rows["time"].to_numpy(), rows["event"].ne("censored").to_numpy())


def scikit_survival_kaplan_meier(spells: pd.DataFrame) -> None:
    from sksurv.nonparametric import kaplan_meier_estimator

    for _, rows in spells.groupby("line"):
        had = rows["event"].ne("censored").to_numpy()
        kaplan_meier_estimator(had, rows["time"].to_numpy(), conf_type="log-log")


def seconds(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start


def main(rows: int = 1_000_000, rounds: int = 5) -> None:
    spells = simulated(rows)
    words = spells.assign(event=spells["event"].astype(object))
    time = spells["time"].to_numpy()
    jobs: dict[str, Callable[[], object]] = {
        "floor: np.bincount of the times": lambda: np.bincount(time),
        "floor: np.argsort of the times": lambda: np.argsort(time),
        "ours: Kaplan-Meier": lambda: kaplan_meier(spells, "line"),
        "ours: Aalen-Johansen": lambda: aalen_johansen(spells, "line"),
        "ours: both": lambda: (kaplan_meier(spells, "line"), aalen_johansen(spells, "line")),
        "ours: both, events as plain text": lambda: (kaplan_meier(words, "line"), aalen_johansen(words, "line")),
        "lifelines: Kaplan-Meier": lambda: lifelines_kaplan_meier(spells),
        "scikit-survival: Kaplan-Meier": lambda: scikit_survival_kaplan_meier(spells),
    }
    with np.errstate():
        times = {name: [] for name in jobs}
        for _ in range(rounds + 1):
            for name, job in jobs.items():
                times[name].append(seconds(job))
    medians = {name: median(taken[1:]) for name, taken in times.items()}  # the first round warms up
    bincount, argsort = (medians[name] for name in list(jobs)[:2])
    print(f"curves by line with log-log limits, {rows:,} rows, {len(np.unique(time)):,} distinct days, {rounds} rounds")
    print(f"{'':36}{'median':>10}{'/ bincount':>12}{'/ argsort':>12}")
    for name, taken in medians.items():
        print(f"{name:36}{taken * 1000:8.1f}ms{taken / bincount:12.1f}{taken / argsort:12.2f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
