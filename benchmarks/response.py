"""Seconds per million laboratory values of `response.outcomes`, against one `groupby` per patient and line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import pandas as pd

from analysis.derive import regimens, response
from analysis.sources import synthetic


def serum_by_groups(labs: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The usual way, much simplified: serum only, any lowest value, one patient and line after the other."""
    serum = labs[labs["test"] == "serum M-protein"]
    by_patient = dict(iter(serum.groupby("patient_id")))

    def progression(line: pd.Series) -> float:
        mine = by_patient.get(line["patient_id"])
        if mine is None:
            return float("nan")
        mine = mine.sort_values("day")
        mine = mine[(mine["day"] >= line["start_day"]) & (mine["day"] <= line["until"])]
        low = mine["value"].cummin().shift()
        rise = mine["value"] - low
        met = (rise >= 0.5 - 1e-9) & (rise >= 0.25 * low - 1e-9)
        sure = met & met.shift(-1, fill_value=False)
        return mine.loc[sure, "day"].min()

    until = lines.groupby("patient_id")["start_day"].shift(-1).fillna(10**6)
    return lines.assign(progression_day=lines.assign(until=until).apply(progression, axis=1))


def seconds(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start


def main(patients: int = 5_000, sample: int = 500, rounds: int = 5) -> None:
    cohort = synthetic.simulate(patients=patients)
    lines = regimens.lines(cohort)
    few_ids = cohort["patients"]["patient_id"].iloc[:sample]
    few = {name: frame[frame["patient_id"].isin(few_ids)] for name, frame in cohort.items() if "patient_id" in frame}
    few_lines = lines[lines["patient_id"].isin(few_ids)]
    jobs = {
        "outcomes, strict": (len(cohort["labs"]), lambda: response.outcomes(cohort, lines)),
        "outcomes, lab_only": (len(cohort["labs"]), lambda: response.outcomes(cohort, lines, mode="lab_only")),
        "assess, lab_only": (len(cohort["labs"]), lambda: response.assess(cohort, lines, mode="lab_only")),
        "implausible": (len(cohort["labs"]), lambda: response.implausible(cohort["labs"])),
        f"outcomes, {sample} patients": (len(few["labs"]), lambda: response.outcomes(few, few_lines, mode="lab_only")),
        f"serum by groups, {sample} patients": (len(few["labs"]), lambda: serum_by_groups(few["labs"], few_lines)),
    }
    times = {name: [] for name in jobs}
    for _ in range(rounds + 1):
        for name, (_, job) in jobs.items():
            times[name].append(seconds(job))
    per_million = {name: median(taken[1:]) / jobs[name][0] * 1e6 for name, taken in times.items()}  # the first warms up
    floor = per_million["outcomes, lab_only"]
    print(f"{patients:,} patients, {len(lines):,} lines, {len(cohort['labs']):,} values, {rounds} rounds")
    print(f"{'':34}{'s / million':>12}{'x outcomes':>12}")
    for name, taken in per_million.items():
        print(f"{name:34}{taken:12.2f}{taken / floor:12.1f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
