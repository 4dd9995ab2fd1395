"""The last record of each patient on or before the day that a line began."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Predictor and the tests of which it takes the last value; of several, the higher one of the last day.
LAST_VALUES = {
    "last_haemoglobin_g_dl": ("haemoglobin",),
    "last_creatinine_mg_dl": ("creatinine",),
    "last_calcium_mg_dl": ("calcium",),
    "last_ldh_u_l": ("LDH",),
    "last_m_protein_g_dl": ("serum M-protein",),
    "last_light_chain_mg_l": ("kappa free light chain", "lambda free light chain"),
    "last_albumin_g_dl": ("albumin",),
    "last_beta2_microglobulin_mg_l": ("beta-2 microglobulin",),
}


def last_values(labs: pd.DataFrame | None, rows: pd.DataFrame, lookback_days: int) -> dict[str, tuple]:
    """Per predictor the last value of `lookback_days` before each row's start, that day included, and its day."""
    if labs is None or labs.empty:
        return {}
    code, tests = pd.factorize(labs["test"])
    asked = {test: name for name, of in LAST_VALUES.items() for test in of}
    wanted = np.array([test in asked for test in tests], dtype=bool)
    kept = wanted[code] & labs["value"].notna().to_numpy()
    patient = pd.Index(rows["patient_id"].unique()).get_indexer(labs["patient_id"].to_numpy()[kept])
    day, value = (labs[name].to_numpy(float)[kept] for name in ("day", "value"))
    found = {}
    for name, of in LAST_VALUES.items():
        mine = np.isin(code[kept], np.flatnonzero(np.isin(tests, of))) & (patient >= 0)
        if mine.any():
            found[name] = _last(patient[mine], day[mine], value[mine], rows, lookback_days)
    return found


def _last(
    patient: np.ndarray, day: np.ndarray, value: np.ndarray, rows: pd.DataFrame, lookback_days: int
) -> tuple[np.ndarray, np.ndarray]:
    order = np.lexsort((value, day, patient))  # of two values on one day the higher comes last
    patient, day, value = patient[order], day[order], value[order]
    place, since = last_before(patient, day, rows)
    near = (place >= 0) & (since >= -lookback_days)
    return np.where(near, value[place], np.nan), np.where(near, since, np.nan)


def last_before(patient: np.ndarray, day: np.ndarray, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Place of the last record up to each row's start, -1 where there is none, and its day from that start (0 or less).

    `patient` is the place among the distinct patients of `rows`; records are sorted by patient and day.
    """
    mine = pd.factorize(rows["patient_id"])[0]
    start = rows["start_day"].to_numpy(float)
    least = np.nanmin([*day[:1], day.min(initial=np.inf), np.nanmin(start, initial=0)])
    span = max(day.max(initial=0), np.nanmax(start, initial=0)) - least + 2
    asked = mine * span + np.nan_to_num(start, nan=least - 1) - least
    place = np.searchsorted(patient * span + day - least, asked, side="right") - 1
    there = (place >= 0) & ~np.isnan(start)
    there[there] = patient[place[there]] == mine[there]
    place = np.where(there, place, -1)
    return place, np.where(there, day[place] - start if len(day) else np.nan, np.nan)
