"""How often do 95 % limits hold the truth? Over 1,000 simulated cohorts per estimator; the table of docs/methods.md.

Patients fare alike on all their lines (log-normal frailty, shared in part by death), so gaps of one patient hang
together and a short gap is more often seen to be followed by another. Whole days; up to four lines, a while without
treatment between them; follow-up uniform. Truths come from patients of the same kind who are never lost.

Run: python tests/limits_study.py [cohorts]
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from analysis.estimate.curves import aalen_johansen, kaplan_meier, quantiles, restricted_mean
from analysis.estimate.recurrence import gap_time_distribution, mean_number_of_relapses

MEDIAN_DAYS = (900, 500, 300, 250)  # from the start of each line to its relapse, at a frailty of 1
DEATH_DAYS = 2500  # mean, at a frailty of 1
LOG_SD = 1.0  # of the frailty, a multiplier of the hazard of relapse with mean 1; of death its square root
FOLLOW_UP_DAYS = (30, 1460)
HORIZONS_DAYS = {"12 months": 365, "24 months": 730}
STARTED_WITHIN_DAYS = 1000
BATCH, TRUTH_PATIENTS = 20, 2_000_000
COLUMNS = ["quantity", "truth", "bias", "spread", "std_error", "coverage"]


def simulated(patients: int, random: np.random.Generator, lost: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spells to relapse, and survival, of patients numbered from 0."""
    frailty = np.exp(random.normal(-(LOG_SD**2) / 2, LOG_SD, patients))
    death = np.ceil(random.exponential(DEATH_DAYS / np.sqrt(frailty)))
    end = np.ceil(random.uniform(*FOLLOW_UP_DAYS, patients)) if lost else np.full(patients, np.inf)
    left = np.minimum(death, end)
    began, here, parts = np.zeros(patients), np.arange(patients), []
    for line, median in enumerate(MEDIAN_DAYS, start=1):
        relapse = began[here] + np.ceil(random.exponential(median / np.log(2) / frailty[here]))
        code = np.where(relapse <= left[here], 1, np.where(death[here] <= end[here], 2, 0))
        days = {"start_day": began[here], "entry": 0, "time": np.minimum(relapse, left[here]) - began[here]}
        event = pd.Categorical.from_codes(code, ["censored", "relapse", "death"])
        parts.append(pd.DataFrame({"patient_id": here, "line": line, **days, "event": event}))
        began[here] = relapse + np.ceil(random.uniform(0, 60, len(here)))
        here = here[began[here] <= left[here]]
    event = np.where(death <= end, "death", "censored")
    survival = pd.DataFrame({"patient_id": np.arange(patients), "line": 1, "start_day": 0, "entry": 0, "time": left})
    return pd.concat(parts, ignore_index=True), survival.assign(event=event)


def truths(patients: int = TRUTH_PATIENTS, seed: int = 1) -> dict[str, float]:
    """What patients who are never lost show."""
    spells, _ = simulated(patients, np.random.default_rng(seed), lost=False)
    relapsed = spells["event"] == "relapse"
    first, clock = spells["line"] == 1, spells["start_day"] + spells["time"]
    found = {"median time to relapse or death, line 1": spells.loc[first, "time"].median()}
    found["relapse by 24 months, line 1"] = (relapsed & (spells["time"] <= 730))[first].mean()
    found["days free of events up to 24 months, line 1"] = spells.loc[first, "time"].clip(upper=730).mean()
    lost = (730 - spells["time"]).clip(lower=0).where(relapsed, 0)
    found["days lost to relapse up to 24 months, line 1"] = lost[first].mean()
    for name, day in HORIZONS_DAYS.items():
        found[f"mean number of relapses, {name}"] = (relapsed & (clock <= day)).sum() / patients
    for line in (2, 3):
        mine = (spells["line"] == line) & (spells["start_day"] <= STARTED_WITHIN_DAYS)
        share = float((relapsed & (spells["time"] <= 365))[mine].mean())
        found |= {f"gap {line} by 12 months, {kind}": share for kind in ("corrected", "plain")}
    return found


def study(cohorts: int = 1000) -> pd.DataFrame:
    """The table: gaps in this many cohorts of 3,000 patients, the quicker rest in six times as many of 300."""
    return table(pd.concat([whole_cohorts(6 * cohorts, 300, seed=2), later_gaps(cohorts, 3000, seed=3)]), truths())


def whole_cohorts(cohorts: int, patients: int, seed: int) -> pd.DataFrame:
    """Median and incidence of line 1, and mean numbers of relapses: one row per quantity and cohort."""
    parts = []
    for spells, survival in _batches(cohorts, patients, seed):
        first = spells[spells["line"] == 1]
        median = quantiles(kaplan_meier(first, "cohort"))
        parts.append(median.assign(quantity="median time to relapse or death, line 1"))
        incidence = aalen_johansen(first, "cohort").query("event == 'relapse'")
        parts.append(_at(incidence, 730).assign(quantity="relapse by 24 months, line 1"))
        areas = restricted_mean(first, 730, "cohort").set_index("event")
        parts.append(areas.loc[["any"]].assign(quantity="days free of events up to 24 months, line 1"))
        parts.append(areas.loc[["relapse"]].assign(quantity="days lost to relapse up to 24 months, line 1"))
        mean = mean_number_of_relapses(spells, "cohort", survival)
        parts += [_at(mean, day).assign(quantity=f"mean number of relapses, {n}") for n, day in HORIZONS_DAYS.items()]
    return pd.concat(parts, ignore_index=True)


def later_gaps(cohorts: int, patients: int, seed: int) -> pd.DataFrame:
    """Relapse by 12 months of lines 2 and 3, corrected and plain: one row per quantity and cohort."""
    parts = []
    for spells, survival in _batches(cohorts, patients, seed):
        for line in (2, 3):
            curves = gap_time_distribution(spells, line, "cohort", survival, STARTED_WITHIN_DAYS)
            for estimand, curve in curves[curves["event"] == "relapse"].groupby("estimand"):
                kind = estimand.removeprefix("gap time, ")
                parts.append(_at(curve, 365).assign(quantity=f"gap {line} by 12 months, {kind}"))
    return pd.concat(parts, ignore_index=True)


def table(estimates: pd.DataFrame, truth: dict[str, float]) -> pd.DataFrame:
    """Per quantity: truth, mean error, spread of the estimates, mean standard error, share of limits that hold it."""
    rows = []
    for quantity, found in estimates.groupby("quantity", sort=False):
        value = truth[quantity]
        # a limit that is not reached bounds nothing: it counts as holding the truth on its side
        held = (found["conf_low"].fillna(-np.inf) <= value) & (value <= found["conf_high"].fillna(np.inf))
        error = found["std_error"].mean() if "std_error" in found else np.nan
        rows.append((quantity, value, found["estimate"].mean() - value, found["estimate"].std(), error, held.mean()))
    return pd.DataFrame(rows, columns=COLUMNS)


def _batches(cohorts: int, patients: int, seed: int):
    """Spells and survival of some cohorts at a time, `cohort` a column of both."""
    random = np.random.default_rng(seed)
    for _ in range(-(-cohorts // BATCH)):
        spells, survival = simulated(BATCH * patients, random)
        yield tuple(frame.assign(cohort=frame["patient_id"] // patients) for frame in (spells, survival))


def _at(curves: pd.DataFrame, day: int) -> pd.DataFrame:
    """The last row of each cohort's curve up to a day."""
    return curves[curves["time"] <= day].groupby("cohort").tail(1)


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(study(number).round(4).to_string(index=False))  # noqa: T201
