"""What was known of a patient on the day a line began, and nothing that came later.

`known` gathers it with the day on which each value became known, `wide` lays it out for a model and refuses whatever
became known later. diagnosis.py: values of diagnosis; history.py: what earlier lines had shown; samples.py: the last
laboratory values; treatment.py: what was begun that day; matrix.py: one row per spell.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive.predictors.diagnosis import at_diagnosis
from analysis.derive.predictors.history import history
from analysis.derive.predictors.matrix import names, wide
from analysis.derive.predictors.samples import last_values
from analysis.derive.predictors.treatment import treatment

__all__ = ["known", "names", "wide"]


def known(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    spells: pd.DataFrame,
    lookback_days: int = 60,
    with_treatment: bool = False,
) -> pd.DataFrame:
    """What was known of each patient on the day each line began, and since when?

    Returns KNOWN: one row per patient, line and predictor that has a value; `day` counts from the start of the line (0
    is that day itself, a day before it is negative). The predictors are the columns of schema.PREDICTORS. One that the
    source does not record is left out; what is unknown of one patient has no row.

    - Of diagnosis: PATIENTS, and the stages that follow from it. Age is that of the line's start.
    - Of earlier lines: their number, times, response, relapse, classes given, classes refractory, transplant, residual
      disease. A record that the source ties to an earlier line but dates after this line's start does not count; where
      an earlier line is not on record, "not given" is not known. In a first line the words say "no earlier line", flags
      are false and times are missing.
    - Laboratory: the last value of the `lookback_days` before the start, the day itself included.

    Parameters
    ----------
    cohort : canonical tables; only patients is needed
    lines : LINES of the cohort, all of them, with the relapses that are wanted (`relapses.with_relapses`)
    spells : SPELLS: for which patients and lines
    lookback_days : how old a laboratory value may be
    with_treatment : also the classes of drugs begun on the line's first day (`given_...`). What is added or planned
        later - maintenance, a transplant - was not known then and is never among them.

    Raises
    ------
    ValueError
        for a negative `lookback_days`.

    Example
    -------
    >>> cohort = {"patients": pd.DataFrame({"patient_id": ["a"], "age_years": [61.0], "iss": ["II"]})}
    >>> lines = pd.DataFrame({"patient_id": "a", "line": [1, 2], "start_day": [0, 400], "classes": "PI",
    ...     "transplant": False})
    >>> found = known(cohort, lines, lines[["patient_id", "line"]])
    >>> found[(found["line"] == 2) & (found["predictor"] == "exposed_pi")][["number", "day"]].values.tolist()
    [[1.0, 0.0]]
    """
    if lookback_days < 0:
        raise ValueError(f"lookback_days: expected 0 or more, came {lookback_days}; no value comes from the future")
    rows = _rows(lines, spells)
    found = {
        **at_diagnosis(cohort["patients"], rows),
        **history(cohort, lines, rows),
        **last_values(cohort.get("labs"), rows, lookback_days),
        **(treatment(cohort.get("treatments"), rows) if with_treatment else {}),
    }
    return schema.check(_long(rows, found), schema.KNOWN)


def _rows(lines: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """Patient, line and the day the line began; missing for ready spells, whose lines are not on record."""
    rows = spells[["patient_id", "line"]].reset_index(drop=True)
    if lines.empty:
        return rows.assign(start_day=np.nan)
    return rows.merge(lines[["patient_id", "line", "start_day"]], on=["patient_id", "line"], how="left").astype(
        {"start_day": "float64"}
    )


def _long(rows: pd.DataFrame, found: dict[str, tuple]) -> pd.DataFrame:
    """One row per known value, predictor by predictor."""
    places, predictors, numbers, words, days = [], [], [], [], []
    for code, (values, day) in enumerate(found.values()):
        is_word = values.dtype == object
        there = np.flatnonzero(pd.notna(values) & (values != "unknown") if is_word else ~np.isnan(values))
        places.append(there)
        predictors.append(np.full(len(there), code))
        numbers.append(np.full(len(there), np.nan) if is_word else values[there])
        words.append(values[there] if is_word else np.full(len(there), None, dtype=object))
        days.append(day[there])
    place = np.concatenate(places)
    return pd.DataFrame(
        {
            "patient_id": rows["patient_id"].astype("category").take(place).reset_index(drop=True),
            "line": rows["line"].to_numpy("int64")[place],
            "predictor": pd.Categorical.from_codes(np.concatenate(predictors), list(found)),
            "number": np.concatenate(numbers),
            "word": pd.Categorical(np.concatenate(words)),
            "day": np.concatenate(days),
        }
    )
