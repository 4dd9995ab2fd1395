"""Serial laboratory values: M-protein, free light chains, blood count, kidney, calcium, LDH at each visit.

What is measured is the course of kinetics.py with the assay's error, rounded as a laboratory does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.schema import DAYS_PER_MONTH
from analysis.sources.synthetic import kinetics, visits
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


def records(spans: pd.DataFrame, true: pd.DataFrame, last_contact: np.ndarray, rng: np.random.Generator):
    """LABS of the lines seen (without patient_id): seven tests at each visit, a few missing."""
    patients = kinetics.traits(true, rng)
    which, day = visits.schedule(spans, last_contact, rng)
    spans = kinetics.courses(spans, patients, (which, day), rng)
    values = _values(spans.take(which), patients, day, rng)
    kept = rng.random((len(day), len(TESTS)), dtype="float32") >= p.TEST_MISSING
    tests, units = (np.array([test[i] for test in TESTS], dtype=object) for i in (0, 1))
    visit, test = np.nonzero(kept)
    patient = spans["patient"].to_numpy()[which]
    columns = {"patient": patient[visit], "day": day[visit].astype("int64"), "test": tests[test]}
    return pd.DataFrame({**columns, "value": values[visit, test], "unit": units[test]}, copy=False)


def _values(span: pd.DataFrame, patients: pd.DataFrame, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One row per visit, one column per test."""
    who = span["patient"].to_numpy()
    trait = {name: patients[name].to_numpy()[who] for name in patients.columns}
    months = (day - span["start_day"].to_numpy()) / DAYS_PER_MONTH
    level = kinetics.tumour_level(span, months)
    anaemia, calcium, creatinine = (kinetics.organ_harm(span, months, organ) for organ in kinetics.ORGANS)
    noise = rng.standard_normal((len(day), len(TESTS)), dtype="float32")
    values = np.empty((len(day), len(TESTS)))
    protein = np.where(trait["secretes"], level * (1 + p.MEASURE_CV * noise[:, 0]), 0)
    values[:, 0] = np.where(protein < p.DETECTION_G_DL, 0, protein)
    values[:, 1:3] = _light_chains(level, trait, noise)
    values[:, 3] = np.clip(trait["haemoglobin"] - anaemia + 0.35 * noise[:, 3], 4, 18)
    values[:, 4] = np.clip((trait["creatinine"] + creatinine) * np.exp(0.07 * noise[:, 4]), 0.3, 15)
    values[:, 5] = np.clip(9.3 + calcium + 0.3 * noise[:, 5], 6, 16)
    load = np.minimum(level / trait["level"], 1.5)
    values[:, 6] = trait["ldh"] * (1 + trait["ldh_rise"] * load) * np.exp(0.1 * noise[:, 6])
    for column, (_, _, decimals) in enumerate(TESTS):
        values[:, column] = np.round(values[:, column], decimals)
    return values


def _light_chains(level: np.ndarray, trait: dict[str, np.ndarray], noise: np.ndarray) -> np.ndarray:
    """Kappa and lambda, mg/L: the involved one follows the tumour, strongly in light-chain disease; both the kidney."""
    kidney = np.clip(trait["creatinine"], 0.8, 4.0) ** 0.6
    involved = trait["chains_per_level"] * level
    kappa = 12.0 * kidney + np.where(trait["kappa"], involved, 0)
    lambda_ = 13.0 * kidney + np.where(trait["kappa"], 0, involved)
    return np.column_stack([kappa, lambda_]) * np.exp(p.LIGHT_CHAIN_CV * noise[:, 1:3])
