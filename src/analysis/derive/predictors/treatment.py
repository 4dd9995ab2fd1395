"""Which classes of drugs were begun on the day a line began."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema, vocabulary


def treatment(treatments: pd.DataFrame | None, rows: pd.DataFrame) -> dict[str, tuple]:
    """Per class whether one of its drugs was begun on each row's first day; missing where none at all was."""
    if treatments is None:
        return {}
    given = treatments.dropna(subset=["start_day"]).astype({"start_day": "float64"})
    given = given.assign(drug_class=vocabulary.drug_classes(given["agent"]))
    place = pd.MultiIndex.from_frame(rows[["patient_id", "start_day"]])
    days = pd.MultiIndex.from_frame(given[["patient_id", "start_day"]])
    some = place.isin(days)
    found = {}
    for name, end in schema.PREDICTOR_CLASSES.items():
        of_class = place.isin(days[(given["drug_class"] == name).to_numpy()])
        found[f"given_{end}"] = (np.where(some, of_class.astype(float), np.nan), np.zeros(len(rows)))
    return found
