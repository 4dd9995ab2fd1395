"""Serial laboratory values: M-protein, free light chains, blood count, kidney, calcium, LDH at each visit.

The tumour's level falls from the line's start to the nadir of its response, stays, and grows again with the
patient's doubling time so that on the day of relapse the published rule is just met; blood, bone and kidney follow
when the relapse turns clinical. What is measured is that truth with the assay's error, rounded as a laboratory does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.schema import DAYS_PER_MONTH
from analysis.sources.synthetic import parameters as p

TESTS = (
    ("serum M-protein", "g/dL", 2),
    ("kappa free light chain", "mg/L", 1),
    ("lambda free light chain", "mg/L", 1),
    ("haemoglobin", "g/dL", 1),
    ("creatinine", "mg/dL", 2),
    ("calcium", "mg/dL", 1),
    ("LDH", "U/L", 0),
)


def traits(true: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """What each patient's disease makes: type, level at diagnosis (g/dL), and how strongly the body answers to it."""
    size = len(true)
    kind = rng.random(size)
    frame = pd.DataFrame({"light_chain": kind < p.LIGHT_CHAIN})
    frame["non_secretory"] = (kind >= p.LIGHT_CHAIN) & (kind < p.LIGHT_CHAIN + p.NON_SECRETORY)
    frame["kappa"] = rng.random(size) < p.KAPPA
    level = p.M_PROTEIN_MEDIAN * np.exp(p.M_PROTEIN_LOG_SD * rng.standard_normal(size))
    frame["level"] = np.minimum(level, p.M_PROTEIN_MAX)
    frame["chains_per_level"] = np.exp(np.log(p.LIGHT_CHAINS_PER_LEVEL) + 0.8 * rng.standard_normal(size))
    frame["haemoglobin"] = np.where(true["female"], 12.7, 13.7) + 0.7 * rng.standard_normal(size)
    frame["haemoglobin_fall"] = np.clip(2.6 + 1.5 * rng.standard_normal(size), 0.0, 6.0)
    frame["calcium_rise"] = np.where(rng.random(size) < p.HYPERCALCAEMIA, rng.uniform(1.8, 4.0, size), 0.2)
    frame["creatinine"] = true["creatinine_mg_dl"]
    frame["ldh"] = 175 * np.exp(0.15 * rng.standard_normal(size))
    frame["ldh_rise"] = np.where(true["ldh_high"], rng.uniform(0.7, 1.6, size), 0.1)
    return frame


def kinetics(spans: pd.DataFrame, patients: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Level at the start, nadir and rise of each line; a line starts where the one before has left off."""
    low, high = (spans["best_response"].map(lambda word, i=i: p.NADIR_SHARE[word][i]) for i in (0, 1))
    share = rng.uniform(low.to_numpy(), high.to_numpy())
    spread = rng.uniform(*p.RISE_MARGIN, len(spans))
    stated = spans.assign(share=share, spread=spread)
    level = patients["level"].to_numpy().copy()
    done = []
    for _, span in stated.groupby("line", sort=True):
        who = span["patient"].to_numpy()
        span = span.assign(level_start=level[who], nadir=level[who] * span["share"].to_numpy())
        rise = np.maximum(p.RISE_AT_RELAPSE_G_DL, p.RISE_AT_RELAPSE_SHARE * span["nadir"]) * span["spread"]
        relapse = (span["relapse_day"] - span["start_day"]) / DAYS_PER_MONTH
        span = span.assign(
            rise=rise, relapse_months=relapse, largest=p.LARGEST_RISE * patients["level"].to_numpy()[who]
        )
        gap = (span["next_day"] - span["start_day"]) / DAYS_PER_MONTH
        goes_on = np.isfinite(gap).to_numpy()
        level[who[goes_on]] = tumour_level(span[goes_on], gap[goes_on].to_numpy())
        done.append(span)
    return pd.concat(done).sort_index()


def tumour_level(span: pd.DataFrame, months: np.ndarray) -> np.ndarray:
    """M-protein (g/dL, or its equivalent) at these months after the start of the line.

    The larger of a fall, nadir + (start - nadir) exp(-t / tau), and a growth, (nadir + rise) 2^((t - relapse) /
    doubling): flat at the nadir until the escaping clone overtakes it, growth bounded. Before the relapse a slow
    clone grows fast enough to pass the nadir only in the last part of the line, else the response had never been.
    """
    nadir, relapse = span["nadir"].to_numpy(), span["relapse_months"].to_numpy()
    clearance = np.minimum(p.CLEARANCE_MONTHS, relapse / 6)
    fall = (span["level_start"].to_numpy() - nadir) * np.exp(-months / clearance)
    seen, doubling = nadir + span["rise"].to_numpy(), span["doubling_months"].to_numpy()
    within = p.REGROWTH_SHARE * relapse / np.log2(seen / np.maximum(nadir, p.DETECTION_G_DL))
    doubling = np.where(months < relapse, np.minimum(doubling, within), doubling)
    doublings = np.clip((months - relapse) / doubling, -60, 12)
    growth = np.minimum(seen * 2**doublings, np.maximum(span["largest"].to_numpy(), seen))
    return np.maximum(nadir + fall, growth)


def records(spans: pd.DataFrame, true: pd.DataFrame, last_contact: np.ndarray, rng: np.random.Generator):
    """LABS of the lines seen (without patient_id): seven tests at each visit, a few missing."""
    patients = traits(true, rng)
    spans = kinetics(spans, patients, rng)
    which, day = _visits(spans, last_contact, rng)
    values = _values(spans.take(which), patients, day, rng)
    kept = rng.random((len(day), len(TESTS)), dtype="float32") >= p.TEST_MISSING
    tests, units = (np.array([test[i] for test in TESTS], dtype=object) for i in (0, 1))
    visit, test = np.nonzero(kept)
    patient = spans["patient"].to_numpy()[which]
    columns = {"patient": patient[visit], "day": day[visit].astype("int64"), "test": tests[test]}
    return pd.DataFrame({**columns, "value": values[visit, test], "unit": units[test]}, copy=False)


def _visits(spans: pd.DataFrame, last_contact: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Row of `spans` and day of each visit: monthly, later every second month, and on the days that matter."""
    start = spans["start_day"].to_numpy()
    stop = np.minimum(spans["next_day"].to_numpy() - 1, last_contact)
    early = np.minimum((stop - start) // p.VISIT_DAYS_EARLY, p.VISITS_EARLY)
    later = np.maximum(stop - start - p.VISIT_DAYS_EARLY * p.VISITS_EARLY, 0) // p.VISIT_DAYS_LATER
    count = (1 + early + later).astype("int64")
    which = np.repeat(np.arange(len(spans)), count)
    number = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    offset = p.VISIT_DAYS_EARLY * np.minimum(number, p.VISITS_EARLY)
    offset = offset + p.VISIT_DAYS_LATER * np.maximum(number - p.VISITS_EARLY, 0)
    jitter = rng.integers(-p.VISIT_JITTER_DAYS, p.VISIT_JITTER_DAYS + 1, len(which)) * (number > 0)
    day = np.minimum(start[which] + offset + jitter, stop[which])
    progression = spans["progression_day"].to_numpy()
    extra = [(days, np.flatnonzero(days <= stop)) for days in (progression, progression + 28)]
    which = np.concatenate([which, *(rows for _, rows in extra)])
    day = np.concatenate([day, *(days[rows] for days, rows in extra)])
    # Sorting one number per visit is many times faster than sorting by two columns; a repeated visit falls out.
    visits = np.sort(which * 2**20 + day.astype("int64"))
    visits = visits[np.diff(visits, prepend=-1) > 0]
    return visits >> 20, visits & (2**20 - 1)


def _values(span: pd.DataFrame, patients: pd.DataFrame, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One row per visit, one column per test."""
    who = span["patient"].to_numpy()
    trait = {name: patients[name].to_numpy()[who] for name in patients.columns}
    level = tumour_level(span, (day - span["start_day"].to_numpy()) / DAYS_PER_MONTH)
    load = level / trait["level"]
    noise = rng.standard_normal((len(day), len(TESTS)), dtype="float32")
    # Organ damage doubles each month up to the clinical relapse and stays until the next line.
    organ = 2.0 ** np.minimum((day - span["clinical_day"].to_numpy()) / DAYS_PER_MONTH, 0)
    values = np.empty((len(day), len(TESTS)))
    secretes = ~trait["light_chain"] & ~trait["non_secretory"]
    protein = np.where(secretes, level * (1 + p.MEASURE_CV * noise[:, 0]), 0)
    values[:, 0] = np.where(protein < p.DETECTION_G_DL, 0, protein)
    values[:, 1:3] = _light_chains(level, trait, noise)
    recovery = trait["haemoglobin_fall"] * np.minimum(load, 1.3)
    fall = np.where(span["anaemic"], 3.0, 0.3) * organ
    values[:, 3] = np.clip(trait["haemoglobin"] - np.maximum(recovery, fall) + 0.35 * noise[:, 3], 4, 18)
    kidney = 1 + 1.6 * organ * span["renal"].to_numpy()
    values[:, 4] = np.clip(trait["creatinine"] * kidney * np.exp(0.07 * noise[:, 4]), 0.3, 15)
    values[:, 5] = np.clip(9.3 + trait["calcium_rise"] * np.minimum(load, 1.2) + 0.3 * noise[:, 5], 6, 16)
    values[:, 6] = trait["ldh"] * (1 + trait["ldh_rise"] * np.minimum(load, 1.5)) * np.exp(0.1 * noise[:, 6])
    for column, (_, _, decimals) in enumerate(TESTS):
        values[:, column] = np.round(values[:, column], decimals)
    return values


def _light_chains(level: np.ndarray, trait: dict[str, np.ndarray], noise: np.ndarray) -> np.ndarray:
    """Kappa and lambda, mg/L: the involved one follows the tumour, strongly in light-chain disease; both the kidney."""
    kidney = np.clip(trait["creatinine"], 0.8, 4.0) ** 0.6
    strength = np.where(trait["light_chain"], p.LIGHT_CHAIN_DISEASE_FACTOR, 1.0) * ~trait["non_secretory"]
    involved = strength * trait["chains_per_level"] * level
    kappa = 12.0 * kidney + np.where(trait["kappa"], involved, 0)
    lambda_ = 13.0 * kidney + np.where(trait["kappa"], 0, involved)
    return np.column_stack([kappa, lambda_]) * np.exp(0.08 * noise[:, 1:3])
