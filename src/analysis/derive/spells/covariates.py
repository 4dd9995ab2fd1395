"""What is known of a patient when a spell begins."""

from __future__ import annotations

import pandas as pd

from analysis import schema

# Known when a line starts. Regimen, transplant, maintenance and response of the line itself are not: they need the
# future, and a patient must live and stay in remission long enough to have them.
KNOWN_AT_START = (
    "age_years",
    "era",
    "sex",
    "race",
    "iss",
    "beta2_microglobulin_mg_l",
    "albumin_g_dl",
    "creatinine_mg_dl",
    "egfr_ml_min",
    "ldh_high",
    "del17p",
    "t4_14",
    "t14_16",
    "gain_1q",
    "fitness",
    "bmi_kg_m2",
    "smoking",
    "activity",
    "diet",
    "distress",
)


def with_covariates(result: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    """The spells with those columns of PATIENTS that are known at time zero, the age of that day, and the era."""
    known = [name for name in KNOWN_AT_START if name in patients and name != "age_years"]
    at_index = patients[["patient_id", *(n for n in ("age_years", "index_year") if n in patients), *known]]
    result = result.merge(at_index, on="patient_id", how="left", validate="many_to_one")
    if "age_years" in result:
        # 90 stands for every age over 89, at line start as at the index day.
        result["age_years"] = (result["age_years"] + result["start_day"] / schema.DAYS_PER_YEAR).clip(upper=90)
    result["era"] = _era(result)
    return result.drop(columns="index_year", errors="ignore")


def _era(result: pd.DataFrame) -> pd.Series:
    """Five-year bins of the index year from years that five divides ("2010-2014"); "unknown" without a year."""
    if "index_year" not in result:
        return pd.Series("unknown", index=result.index, dtype=object)
    first = result["index_year"].astype("Int64") // 5 * 5
    bins = {year: f"{year}-{year + 4}" for year in first.dropna().unique()}
    return first.map(bins).astype(object).fillna("unknown")
