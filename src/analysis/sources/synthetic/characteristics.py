"""Patients at diagnosis: age, stage parts, kidney, cytogenetics, fitness, lifestyle, era."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from analysis.sources.synthetic import parameters as p


def draw(patients: int, first: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """True characteristics, and the same as they stand on file (rounded, with gaps).

    The first frame is what the process runs on and holds no missing value; the second is PATIENTS without the
    days of last contact and death, which only the process knows.
    """
    true = _true(patients, rng)
    true["patient_id"] = [f"S{number:07d}" for number in range(first + 1, first + patients + 1)]
    return true, _on_file(true, rng)


def _true(patients: int, rng: np.random.Generator) -> pd.DataFrame:
    age = np.clip(np.rint(rng.normal(p.AGE_MEAN, p.AGE_SD, patients)), p.AGE_MIN, p.AGE_MAX)
    female = rng.random(patients) >= p.MALE
    egfr = p.EGFR_MEAN + p.EGFR_PER_YEAR * (age - p.AGE_MEAN) + p.EGFR_SD * rng.standard_normal(patients)
    egfr = np.clip(np.rint(egfr), 6, 130)
    log_beta2 = p.LOG_BETA2_MEAN + p.LOG_BETA2_PER_EGFR * (egfr - p.EGFR_MEAN)
    log_beta2 = log_beta2 + p.LOG_BETA2_SD * rng.standard_normal(patients)
    albumin = p.ALBUMIN_MEAN + p.ALBUMIN_PER_LOG_BETA2 * (log_beta2 - p.LOG_BETA2_MEAN)
    albumin = np.clip(albumin + p.ALBUMIN_SD * rng.standard_normal(patients), 1.5, 5.5)
    beta2, albumin = np.clip(np.exp(log_beta2), 1.0, 60.0).round(1), albumin.round(1)
    frame = pd.DataFrame({"age_years": age, "female": female, "egfr_ml_min": egfr})
    frame["beta2_microglobulin_mg_l"], frame["albumin_g_dl"] = beta2, albumin
    frame["iss_3"] = beta2 >= 5.5
    frame["iss_2"] = ~frame["iss_3"] & ~((beta2 < 3.5) & (albumin >= 3.5))
    frame["creatinine_mg_dl"] = creatinine_from_egfr(egfr, age, female)
    frame["egfr_below_50"] = egfr < 50
    frame["ldh_high"] = rng.random(patients) < p.LDH_HIGH
    for name, values in _cytogenetics(patients, rng).items():
        frame[name] = values
    frame["fitness"] = _fitness(age, rng)
    frame["intermediate"], frame["frail"] = frame["fitness"] == "intermediate", frame["fitness"] == "frail"
    frame["age_per_10_years"] = (age - p.AGE_MEAN) / 10
    frame["index_year"] = rng.integers(p.FIRST_YEAR, p.LAST_YEAR + 1, patients)
    frame["year_fraction"] = rng.random(patients)
    return frame


def creatinine_from_egfr(egfr: np.ndarray, age_years: np.ndarray, female: np.ndarray) -> np.ndarray:
    """Serum creatinine (mg/dL) that gives this eGFR (mL/min/1.73 m2) in the CKD-EPI 2021 equation, solved backwards.

    eGFR = 142 min(c/k, 1)^a max(c/k, 1)^-1.2 0.9938^age, times 1.012 in women; k = 0.7, a = -0.241 in women and
    k = 0.9, a = -0.302 in men (Inker, New England Journal of Medicine 2021).

    Example
    -------
    >>> creatinine_from_egfr(np.array([60.0]), np.array([65.0]), np.array([False])).round(2)
    array([1.32])
    """
    ratio = egfr / (142 * 0.9938**age_years * np.where(female, 1.012, 1.0))
    exponent = np.where(ratio < 1, -1.2, np.where(female, -0.241, -0.302))
    return np.where(female, 0.7, 0.9) * ratio ** (1 / exponent)


def _cytogenetics(patients: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """del17p stands alone; the two translocations exclude each other; 1q gain is commoner with t(4;14)."""
    translocation = rng.random(patients)
    t4_14 = translocation < p.T4_14
    gain = np.where(t4_14, p.GAIN_1Q_WITH_T4_14, p.GAIN_1Q)
    return {
        "del17p": rng.random(patients) < p.DEL17P,
        "t4_14": t4_14,
        "t14_16": (translocation >= p.T4_14) & (translocation < p.T4_14 + p.T14_16),
        "gain_1q": rng.random(patients) < gain,
    }


def _fitness(age: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A score that rises with age, cut where the standard normal has the published shares."""
    weight = p.FITNESS_AGE_WEIGHT
    score = weight * (age - p.AGE_MEAN) / p.AGE_SD + np.sqrt(1 - weight**2) * rng.standard_normal(len(age))
    cuts = [NormalDist().inv_cdf(share) for share in np.cumsum(p.FITNESS_SHARES)[:2]]
    return np.array(["fit", "intermediate", "frail"], dtype=object)[np.searchsorted(cuts, score)]


def _on_file(true: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    patients = len(true)
    frame = pd.DataFrame({"patient_id": true["patient_id"], "entry_day": 0})
    frame["index_year"] = true["index_year"].astype("Int64")
    frame["age_years"] = true["age_years"]
    frame["sex"] = np.where(true["female"], "female", "male").astype(object)
    for name, decimals in {
        "beta2_microglobulin_mg_l": 1,
        "albumin_g_dl": 1,
        "creatinine_mg_dl": 2,
        "egfr_ml_min": 0,
    }.items():
        missing = rng.random(patients) < (p.PARTS_MISSING if decimals == 1 else p.PARTS_MISSING / 4)
        frame[name] = true[name].round(decimals).mask(missing)
    unknown_fish = np.where(true["index_year"] < 2008, p.FISH_MISSING_BEFORE_2008, p.FISH_MISSING_LATER)
    no_fish = rng.random(patients) < unknown_fish
    frame["ldh_high"] = _with_gaps(true["ldh_high"], rng.random(patients) < p.PARTS_MISSING)
    for name in ("del17p", "t4_14", "t14_16", "gain_1q"):
        frame[name] = _with_gaps(true[name], no_fish | (rng.random(patients) < p.FISH_PROBE_MISSING))
    frame["fitness"] = true["fitness"].mask(rng.random(patients) < p.PARTS_MISSING, "unknown")
    return frame.assign(**_lifestyle(patients, rng))


def _with_gaps(values: pd.Series, missing: np.ndarray) -> pd.Series:
    return values.astype("boolean").mask(missing)


def _lifestyle(patients: int, rng: np.random.Generator) -> dict[str, object]:
    """Lifestyle is drawn apart from everything else: its true hazard ratio of relapse is exactly 1."""
    bmi = np.clip(rng.normal(27.0, 4.8, patients), 15, 55).round(1)
    words = {
        "smoking": (("never", "former", "current"), (0.52, 0.34, 0.14)),
        "activity": (("low", "moderate", "high"), (0.42, 0.40, 0.18)),
        "diet": (("low", "middle", "high"), (1 / 3, 1 / 3, 1 / 3)),
    }
    columns: dict[str, object] = {"bmi_kg_m2": np.where(rng.random(patients) < p.LIFESTYLE_MISSING, np.nan, bmi)}
    for name, (levels, shares) in words.items():
        choice = rng.choice(len(levels), patients, p=shares)
        choice[rng.random(patients) < p.LIFESTYLE_MISSING] = len(levels)
        columns[name] = np.array([*levels, "unknown"], dtype=object)[choice]
    distress = pd.Series(rng.random(patients) < 0.35)
    columns["distress"] = _with_gaps(distress, rng.random(patients) < p.LIFESTYLE_MISSING)
    return columns
