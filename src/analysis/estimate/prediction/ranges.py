"""The range of the training data: for which values a model has something to say, and who lies outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.schema import PREDICTORS

FEWEST_PATIENTS = 8  # of a real cohort a level, an end of a range or a count is stated from here (OpenSAFELY)
_DECLARED = {column.name: column for column in PREDICTORS.columns}


def training_range(
    name: str, plain: pd.Series, given: pd.Series, patient: np.ndarray, synthetic: bool
) -> dict[str, Any]:
    """What one predictor is, and which of its values the model has seen.

    Returns a dict of plain values: name, kind ("number", "word", "flag"), meaning, unit, low and high of a number,
    rounded outward to two digits, levels of a word or flag, whether it may be missing, and the share of lines in which
    it was. Of a real cohort `low` and `high` are those of the eighth lowest and eighth highest patient, and levels are
    those of eight patients or more: what only few patients had is theirs, and the model learned little from it.

    Parameters
    ----------
    name : the predictor, for its meaning in schema.PREDICTORS
    plain, given : its values as the model reads them, and as they came (a flag is known by its type)
    patient : whose they are
    synthetic : no row is a real patient: one is enough

    Example
    -------
    >>> age = pd.Series([float(40 + place) for place in range(30)])
    >>> found = training_range("age_years", age, age, np.arange(30), synthetic=False)
    >>> found["low"], found["high"], found["unit"], found["missing"]
    (47.0, 62.0, 'years', False)
    """
    declared, fewest = _DECLARED.get(name), 1 if synthetic else FEWEST_PATIENTS
    missing = (plain.isna() | (plain == "unknown")).to_numpy(bool)
    seen = {
        "name": name,
        "kind": "number",
        "meaning": declared.meaning if declared else "not described",
        "unit": declared.unit if declared else "",
        "low": None,
        "high": None,
        "levels": [],
        "missing": bool(pd.unique(patient[missing]).size >= fewest),
        "share_missing": round(float(missing.mean()), 2),
    }
    known, of = plain.to_numpy()[~missing], patient[~missing]
    flag = pd.api.types.is_bool_dtype(given.dtype)
    if flag or plain.dtype == object:
        counts = pd.Series(of).groupby(known).nunique()
        levels = [bool(level) if flag else str(level) for level in counts.index[counts >= fewest]]
        return seen | {"kind": "flag" if flag else "word", "levels": levels}
    ends = pd.Series(known.astype(float)).groupby(of)
    lowest, highest = np.sort(ends.min()), np.sort(ends.max())
    if len(lowest) >= fewest:
        low, high = lowest[fewest - 1], highest[-fewest]
        seen |= {"low": _outward(low, np.floor), "high": _outward(high, np.ceil)}
    return seen


def _outward(value: float, direction: Any) -> float:
    """The value to two significant digits, rounded away from the middle of the range."""
    if value == 0:
        return 0.0
    digits = 1 - int(np.floor(np.log10(abs(value))))
    return float(round(direction(round(value * 10.0**digits, 9)) / 10.0**digits, max(digits, 0)))


def described(one: Mapping[str, Any]) -> str:
    """One predictor of a card in words: what it is, its unit, and the values that the model has seen."""
    missing = f"; missing in {one['share_missing']:.0%} of lines" if one["share_missing"] else ""
    return f"{one['meaning']}; {_values(one)}{missing}"


def _values(one: Mapping[str, Any]) -> str:
    if one["kind"] == "number":
        if one["low"] is None:
            return "known of too few to state a range"
        return f"{one['low']:g} to {one['high']:g} {one['unit']}".strip()
    words = [{True: "true", False: "false"}.get(level, str(level)) for level in one["levels"]]
    return ", ".join(words) or "no level in enough patients"


def outside(card: Mapping[str, Any], frame: pd.DataFrame) -> list[str]:
    """Why can the model say nothing of each row? "" where it can; else every reason, without the patient's value.

    Parameters
    ----------
    card : a model's card
    frame : one row per line with the card's predictors: numbers, flags (boolean) and words (None where missing)

    Example
    -------
    >>> age = {"name": "age_years", "kind": "number", "unit": "years", "low": 40.0, "high": 90.0, "missing": False}
    >>> outside({"predictors": [age]}, pd.DataFrame({"age_years": [61.0, 25.0]}))
    ['', 'age_years lies below the range of training, 40 to 90 years']
    """
    reasons: list[list[str]] = [[] for _ in range(len(frame))]
    for one in card["predictors"]:
        values, name = frame[one["name"]], one["name"]
        missing = (values.isna() | (values.astype(object) == "unknown").fillna(False)).to_numpy(bool)
        found = {}
        if not one["missing"]:
            found[f"{name} is missing, which it was not in training"] = missing
        if one["kind"] == "number" and one["low"] is not None:
            number = values.astype("Float64").to_numpy(float, na_value=np.nan)
            found[f"{name} lies below the range of training, {_values(one)}"] = number < one["low"]
            found[f"{name} lies above the range of training, {_values(one)}"] = number > one["high"]
        elif one["kind"] != "number":
            strange = ~missing & ~values.astype(object).isin(one["levels"]).to_numpy(bool)
            found[f"{name} has a value that training did not have, which had {_values(one)}"] = strange
        for reason, rows in found.items():
            for row in np.flatnonzero(rows):
                reasons[row].append(reason)
    return ["; ".join(each) for each in reasons]
