"""What other Python libraries make of the same data: the figures of docs/methods.md that are no test, made anew.

Each line names the section of docs/methods.md that quotes it. Seeded; about a minute. Run by `make bench`, or

    python benchmarks/claims.py
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.derive import regimens, spells
from analysis.estimate.curves import aalen_johansen, kaplan_meier, quantiles, restricted_mean
from analysis.estimate.hazards import fit_andersen_gill, fit_cox, fit_pwp_total_time, proportional_hazards
from analysis.estimate.likelihood import hazard
from analysis.estimate.recurrence import mean_number_of_relapses
from analysis.sources import synthetic

REFERENCE = Path(__file__).resolve().parents[1] / "tests" / "reference"
SEED = 2026


def upper_limits_of_medians(sets: int = 1000) -> str:
    """Small sets of 4 to 9 subjects: lifelines' limits of S = 0 are [0, 0], so an upper limit is always found there."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    random, found, others = np.random.default_rng(SEED), 0, 0
    numbers = random.integers(4, 10, sets)
    frame = pd.DataFrame({"set": np.repeat(np.arange(sets), numbers), "entry": 0})
    frame["time"] = random.integers(1, 11, len(frame))
    frame["event"] = np.where(random.random(len(frame)) < 0.6, "relapse", "censored")
    ours = quantiles(kaplan_meier(frame, "set"))["conf_high"].to_numpy()
    for limit, (_, rows) in zip(ours, frame.groupby("set"), strict=True):
        curve = KaplanMeierFitter().fit(rows["time"], rows["event"] == "relapse")
        theirs = median_survival_times(curve.confidence_interval_survival_function_).to_numpy().max()
        same = theirs == limit or (np.isnan(limit) and np.isinf(theirs))
        if not same and curve.survival_function_.to_numpy().min() == 0 and np.isnan(limit):
            found += 1
        else:
            others += not same
    return (
        f"Survival: lifelines has a finite upper limit of the median where R and we have none: {found} of {sets} sets, "
        f"all of them with S = 0 in the end; limits that differ otherwise: {others}"
    )


def medians_at_one_half(curves: int = 4000) -> str:
    """Curves that are exactly 1/2 somewhere, in fractions: does lifelines stop at the first such time?"""
    from lifelines import KaplanMeierFitter

    random, with_half, late = np.random.default_rng(SEED), 0, []
    for _ in range(curves):
        number = random.integers(4, 40)
        times, had = random.integers(1, 1000, number), random.random(number) < 0.7
        height, first = Fraction(1), None
        for day in np.unique(times[had]):
            height *= 1 - Fraction(int((had & (times == day)).sum()), int((times >= day).sum()))
            if height <= Fraction(1, 2):
                first = day
                break
        if first is None or height != Fraction(1, 2):
            continue
        with_half += 1
        theirs = KaplanMeierFitter().fit(times, had).median_survival_time_
        if theirs != first:
            late.append(theirs - first)
    return (
        f"Medians: lifelines misses the first time at S = 1/2 in {len(late)} of {with_half} curves that have one, "
        f"by {np.median(late):.0f} days in the median"
    )


def tied_times_moved_at_random(cohorts: int = 30, patients: int = 500) -> str:
    """lifelines' Aalen-Johansen at two years, times in whole days, months and half-years; errors as shares of ours."""
    from lifelines import AalenJohansenFitter

    units = {"days": 1.0, "months": 365.25 / 12, "half-years": 365.25 / 2}
    away = {unit: [] for unit in units}
    shares = {unit: [] for unit in units}
    seeds, exchanged, rows = 0.0, 0, 0
    for seed in range(cohorts):
        random = np.random.default_rng(SEED + seed)
        days = np.array([random.exponential(scale, patients) for scale in (900, 1500, 2000)])
        for unit, length in units.items():
            time, code = np.ceil(days.min(axis=0) / length).astype(int), (days.argmin(axis=0) + 1) % 3
            horizon = round(730.5 / length)
            event = np.array(["censored", "relapse", "death"])[code]
            curve = aalen_johansen(pd.DataFrame({"entry": 0, "time": time, "event": event}))
            here = curve[(curve["event"] == "relapse") & (curve["time"] <= horizon)].iloc[-1]
            theirs = []
            for jitter in (1, 2):
                # the limits are looked at once a cohort, in days: they take lifelines long
                limits = unit == "days" and jitter == 1 and seed < 3
                fitter = AalenJohansenFitter(seed=jitter, calculate_variance=limits).fit(time, code, 1)
                there = fitter.cumulative_density_
                theirs.append(there[there.index < horizon + 0.5].iloc[-1, 0])
                if limits:
                    both = fitter.confidence_interval_.dropna()
                    low, high = (both.filter(like=name).iloc[:, 0] for name in ("lower", "upper"))
                    exchanged, rows = exchanged + int((low > high).sum()), rows + int((low != high).sum())
            away[unit].append(abs(theirs[0] - here["estimate"]))
            shares[unit].append(away[unit][-1] / here["std_error"])
            seeds = max(seeds, abs(theirs[0] - theirs[1]))
    told = "; ".join(f"{unit} {np.mean(away[unit]):.5f} ({np.mean(shares[unit]):.3f} errors)" for unit in units)
    return (
        f"Aalen-Johansen: lifelines off at two years, mean of {cohorts} cohorts: {told}; half-years at worst "
        f"{max(away['half-years']):.4f}; another seed moves it by up to {seeds:.4f}; the lower limit is above the "
        f"upper in {exchanged} of {rows} rows"
    )


def variance_by_aalen() -> str:
    """scikit-survival's standard error (Aalen 1978, from its limits) beside ours (R's) at the last event or before."""
    from sksurv.nonparametric import cumulative_incidence_competing_risks

    told, table = [], pd.read_csv(REFERENCE / "spells.csv").query("entry == 0")
    for _, rows in table[table["dataset"].isin(["simulated", "mgus2"])].groupby("dataset"):
        code = rows["event"].map({"censored": 0, "relapse": 1, "death": 2}).to_numpy()
        days, shares, limits = cumulative_incidence_competing_risks(code, rows["time"], conf_type="log-log")
        ours = aalen_johansen(rows).query("event == 'relapse' and std_error > 0").set_index("time")
        kept = np.isin(days, ours.index[ours["at_risk"] >= 20])
        share, (low, high) = shares[1, kept], limits[1][:, kept]
        theirs = np.log(np.log(low) / np.log(high)) / (2 * 1.959963984540054) * share * -np.log(share)
        ratio = theirs / ours.loc[days[kept], "std_error"].to_numpy()
        told.append(f"{ratio.min() - 1:.2%} to {ratio.max() - 1:.2%} larger ({len(rows)} subjects)")
    return f"Aalen-Johansen: standard errors of scikit-survival (Aalen's variance): {', '.join(told)}"


def variance_of_restricted_means() -> str:
    """mgus2 by sex, 240 months: the root of lifelines' "variance" beside our standard error, which is R's."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    table = pd.read_csv(REFERENCE / "spells.csv").query("dataset == 'mgus2'")
    ours = restricted_mean(table, 240, "group").query("event == 'any'").set_index("stratum")["std_error"]
    told = []
    for group, rows in table.groupby("group"):
        curve = KaplanMeierFitter().fit(rows["time"], rows["event"] != "censored")
        _, variance = restricted_mean_survival_time(curve, 240, return_variance=True)
        told.append(f"{np.sqrt(variance) / ours[group]:.1f} ({group}, {len(rows)})")
    return f"Restricted means: root of lifelines' variance / our standard error: {', '.join(told)}"


def reference_cohort() -> pd.DataFrame:
    """The simulated patients that R is asked about in tests/reference, with their clock since line 1."""
    table = pd.read_csv(REFERENCE / "hazards_data.csv").query("dataset == 'simulated'").reset_index(drop=True)
    had, male = (table["event"] == "relapse").astype(int), (table["sex"] == "male").astype(int)
    return table.assign(had=had, male=male, begin=table["start"] + table["entry"], end=table["start"] + table["time"])


def baselines_with_delayed_entry() -> str:
    """lifelines' cumulative baseline hazard with `entry_col`, as a share of ours, which is R's."""
    from lifelines import CoxPHFitter

    table = reference_cohort()
    fitter = CoxPHFitter().fit(table[["time", "had", "entry", "age", "marker"]], "time", "had", entry_col="entry")
    fit = fit_cox(table, "age + marker", "relapse", entry="entry").fit
    found = hazard(fit, table[["age", "marker"]].mean().to_numpy())
    told = []
    for week in (5, 40):
        theirs = fitter.baseline_cumulative_hazard_.loc[:week].iloc[-1, 0]
        told.append(f"{theirs / found.jump[found.time <= week].sum():.2f} at week {week}")
    return f"Regression: lifelines' baseline with delayed entry / ours: {', '.join(told)}"


def robust_errors_with_delayed_entry() -> str:
    """Standard errors by patient of lifelines as shares of ours, which are R's: one clock since line 1."""
    from lifelines import CoxPHFitter

    table = reference_cohort()
    terms = ["age", "male", "marker"]
    chosen = {"start": "start", "entry": "entry"}
    fits = {
        "Andersen-Gill": (fit_andersen_gill(table, " + ".join(terms), "relapse", **chosen), None),
        "PWP total time": (fit_pwp_total_time(table, " + ".join(terms), "relapse", **chosen), ["line"]),
    }
    told = []
    for name, (model, strata) in fits.items():
        columns = [*terms, "begin", "end", "had", "patient_id", "line"]
        used = columns if strata else columns[:-1]
        fitter = CoxPHFitter().fit(
            table[used], "end", "had", entry_col="begin", cluster_col="patient_id", strata=strata, robust=True
        )
        ratio = fitter.standard_errors_.to_numpy() / model.fit.errors
        told.append(f"{ratio.min():.2f} to {ratio.max():.2f} ({name})")
    return f"Regression: lifelines' robust errors with delayed entry / ours: {', '.join(told)}"


def tests_of_proportional_hazards(cohorts: int = 20, patients: int = 1000) -> str:
    """p of lifelines' proportional_hazard_test beside that of cox.zph, which is ours."""
    from lifelines import CoxPHFitter
    from lifelines.statistics import proportional_hazard_test

    worst = 0.0
    for seed in range(cohorts):
        random = np.random.default_rng(SEED + seed)
        x = random.standard_normal((patients, 3))
        event_day = random.exponential(800 * np.exp(-x @ [0.5, 0.3, -0.4]))
        end = random.uniform(100, 1500, patients)
        frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(entry=0, time=np.ceil(np.minimum(event_day, end)))
        frame["event"] = np.where(event_day <= end, "relapse", "censored")
        ours = proportional_hazards(fit_cox(frame, "a + b + c", "relapse")).set_index("term")["p"]
        data = frame[["a", "b", "c", "time"]].assign(had=event_day <= end)
        theirs = proportional_hazard_test(CoxPHFitter().fit(data, "time", "had"), data, time_transform="km").summary[
            "p"
        ]
        worst = max(worst, (theirs - ours[theirs.index]).abs().max())
    return (
        f"May it be read: p of lifelines and of cox.zph differ by up to {worst:.2f} in {cohorts} cohorts of {patients}"
    )


def mean_numbers_of_mets_with_ties() -> str:
    """mets takes tied times one after another (its figures: recurrence_mean_number.csv); while 20 are at risk."""
    patients = pd.read_csv(REFERENCE / "recurrence_spells.csv")
    everything, told = pd.read_csv(REFERENCE / "recurrence_mean_number.csv"), []
    for unit in ("days", "months"):
        data = patients[patients["dataset"] == unit].drop(columns="dataset")
        word = np.where(data["died"] == 1, "death", "censored")
        whole = data.assign(line=1, start_day=0.0, entry=data["entered"], time=data["left"], event=word)
        seen = data.dropna(subset="line").astype({"line": int})
        ours = mean_number_of_relapses(seen, None, whole.drop_duplicates("patient_id")).query("at_risk >= 20")
        theirs = everything.query("dataset == @unit").groupby("time").tail(1)  # the last of the tied
        both = ours.merge(theirs, on="time", suffixes=("", "_mets")).query("events > 0")
        away = [(both[f"{name}_mets"] / both[name] - 1).abs().max() for name in ("estimate", "std_error")]
        told.append(f"whole {unit}: estimate {away[0]:.2%}, error {away[1]:.1%}")
    return f"Mean number of relapses: mets with ties is off by up to {'; '.join(told)}"


def mean_number_without_survival(patients: int = 3000) -> str:
    """Without `survival` those who relapse and start no other line leave no trace of the time after it."""
    records = synthetic.simulate(patients=patients, seed=SEED)
    lines = regimens.lines(records)
    to_relapse = spells.spells(records, lines)
    survival = spells.spells(records, lines, endpoint="death")
    means = [
        table[table["time"] <= 4 * 365.25]["estimate"].iloc[-1]
        for table in (mean_number_of_relapses(to_relapse, None, survival), mean_number_of_relapses(to_relapse))
    ]
    return f"Mean number of relapses: at four years {means[0]:.2f} with `survival`, {means[1]:.2f} without"


CLAIMS = (
    upper_limits_of_medians,
    medians_at_one_half,
    tied_times_moved_at_random,
    variance_by_aalen,
    variance_of_restricted_means,
    baselines_with_delayed_entry,
    robust_errors_with_delayed_entry,
    tests_of_proportional_hazards,
    mean_numbers_of_mets_with_ties,
    mean_number_without_survival,
)

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of lifelines, about ties
    for claim in CLAIMS:
        print(claim())
