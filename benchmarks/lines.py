"""How fast are lines of therapy by rule, for a million patients and beside one patient at a time?

Part one: all patients at once on claims-like exposures (a row per agent and cycle, shuffled), seconds and peak memory
of a process of its own. Part two: the same rule as an honest `groupby.apply` over patients (tests/lines_by_patient.py),
on a sample, as a ratio in alternating runs; both must find the same lines. Run by `make bench`, or

    python benchmarks/lines.py [patients] [sample] [rounds]

Ratios hold from machine to machine, times do not.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pandas as pd

from analysis.derive.regimens import lines_of_therapy
from analysis.derive.regimens.rules import RULES

REGIMENS = (
    "bortezomib+lenalidomide+dexamethasone",
    "daratumumab+lenalidomide+dexamethasone",
    "carfilzomib+dexamethasone",
    "daratumumab+pomalidomide+dexamethasone",
    "bortezomib+cyclophosphamide+dexamethasone",
    "lenalidomide",
    "elotuzumab+pomalidomide+dexamethasone",
    "teclistamab",
)
CYCLE_DAYS, MEAN_CYCLES, LONGEST_PAUSE_DAYS, TRANSPLANTED = 28, 5.2, 400, 0.3


def claims(patients: int, seed: int = 2026) -> pd.DataFrame:
    """One to four regimens of each patient, a row per agent and cycle, in no order; three in ten transplanted."""
    random = np.random.default_rng(seed)
    agents = np.array(sorted({agent for regimen in REGIMENS for agent in regimen.split("+")}), dtype=object)
    members = [np.searchsorted(agents.astype(str), regimen.split("+")) for regimen in REGIMENS]
    given = np.array([[*places, -1, -1][:3] for places in members])
    courses = random.choice([1, 2, 3, 4], patients, p=[0.45, 0.3, 0.15, 0.1])
    who = np.repeat(np.arange(patients), courses)
    cycles = random.geometric(1 / MEAN_CYCLES, len(who))
    length = cycles * CYCLE_DAYS + random.integers(5, LONGEST_PAUSE_DAYS, len(who))
    start = np.cumsum(length) - length
    start -= np.repeat(start[np.cumsum(courses) - courses], courses)
    course = np.repeat(np.arange(len(who)), cycles)
    cycle = np.arange(len(course)) - np.repeat(np.cumsum(cycles) - cycles, cycles)
    place = given[random.integers(0, len(REGIMENS), len(who))[course]]
    row, column = np.nonzero(place >= 0)
    day = start[course[row]] + cycle[row] * CYCLE_DAYS + random.integers(0, 3, len(row))
    patient, agent = who[course[row]], agents[place[row, column]]
    transplanted = np.flatnonzero(random.random(patients) < TRANSPLANTED)
    on_day = random.integers(120, 200, len(transplanted))
    order = random.permutation(len(row) + len(transplanted))
    names = np.array([f"P{number:07d}" for number in range(patients)], dtype=object)
    frame = {
        "patient_id": names[np.concatenate([patient, transplanted])[order]],
        "start_day": np.concatenate([day, on_day])[order],
        "end_day": np.concatenate([day + random.integers(0, CYCLE_DAYS, len(row)), on_day])[order],
        "agent": np.concatenate([agent, np.full(len(on_day), "autologous transplant", dtype=object)])[order],
    }
    return pd.DataFrame(frame, copy=False)


def seconds(job) -> tuple[float, pd.DataFrame]:
    start = perf_counter()
    found = job()
    return perf_counter() - start, found


def gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def million(patients: int, rule: str) -> None:
    """One rule in this process: its time, and the peak of the process with the rows that it was given."""
    treatments = claims(patients)
    before = gigabytes()
    took, found = seconds(lambda: lines_of_therapy(treatments, rule))
    print(
        f"{rule:12}{patients:>12,} patients{len(treatments):>13,} rows{len(found):>12,} lines"
        f"{took:8.1f} s   peak {gigabytes():.2f} GB ({before:.2f} GB before)"
    )


def beside_one_by_one(patients: int, rounds: int) -> None:
    """All at once against one by one, on the same sample, alternating."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from lines_by_patient import by_patient

    treatments = claims(patients)
    print(f"\n{patients:,} patients, {len(treatments):,} rows, {rounds} alternating rounds: medians")
    print(f"{'':12}{'at once':>12}{'one by one':>14}{'ratio':>10}")
    lines_of_therapy(treatments.head(1_000))  # imports and the vocabulary are read once
    for rule in RULES:
        times = []
        for _ in range(rounds):
            quick, found = seconds(lambda rule=rule: lines_of_therapy(treatments, rule))
            slow, expected = seconds(lambda rule=rule: by_patient(treatments, rule))
            pd.testing.assert_frame_equal(found[expected.columns].astype(object), expected.astype(object))
            times.append((quick, slow))
        quick, slow = (median(taken) for taken in zip(*times, strict=True))
        print(f"{rule:12}{quick:10.2f} s{slow:12.1f} s{slow / quick:10.0f}")


def main(patients: int = 1_000_000, sample: int = 20_000, rounds: int = 3) -> None:
    for rule in RULES:
        subprocess.run([sys.executable, __file__, "--one", str(patients), rule], check=True)
    beside_one_by_one(sample, rounds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        million(int(sys.argv[2]), sys.argv[3])
    else:
        main(*(int(argument) for argument in sys.argv[1:]))
