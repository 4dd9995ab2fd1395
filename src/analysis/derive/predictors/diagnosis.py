"""What is known of a patient since diagnosis, whatever the line."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive import staging

_STAGES = ("iss", "r_iss", "r2_iss")


def at_diagnosis(patients: pd.DataFrame, rows: pd.DataFrame) -> dict[str, tuple]:
    """Per predictor its value for each row and the day on which it was known: that of the index, or the row's start.

    PATIENTS holds these values as those of diagnosis; a line that begins before the index day has them all the same.
    """
    place = pd.Index(patients["patient_id"]).get_indexer(rows["patient_id"])
    since_index = np.nan_to_num(rows["start_day"].to_numpy(float))
    known_on = np.minimum(-since_index, 0)
    patients = patients.reset_index(drop=True)
    stages = staging.staging(patients)
    frame = patients.assign(**{name: stages[name] for name in _STAGES})
    names = [name for name in schema.PREDICTORS.names if name in frame and name not in ("patient_id", "line")]
    found = {name: (_taken(frame[name], place), known_on) for name in names}
    if "age_years" in found:
        age = found["age_years"][0] + since_index / schema.DAYS_PER_YEAR
        found["age_years"] = (np.clip(age, None, 90), np.zeros(len(rows)))
    return found


def _taken(values: pd.Series, place: np.ndarray) -> np.ndarray:
    """The value of each row's patient; numbers and flags as float with NaN, words as objects with None."""
    numeric = pd.api.types.is_numeric_dtype(values.dtype)  # flags too
    plain = values.astype("Float64" if numeric else object).to_numpy(float if numeric else object, na_value=np.nan)
    return np.append(plain, np.nan)[place] if numeric else np.append(plain, None)[place]
