"""Laboratory values that cannot be right: ten times too high or low beside their neighbours, or beyond any patient.

mg/L written for mg/dL, g/L for g/dL: a slip of the unit is a factor of ten, and a false relapse.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema, vocabulary
from analysis.derive.response.samples import all_canonical

# What no living patient has, in canonical units. Ours: set beyond the most extreme values that clinics report.
_LIMITS = {
    "serum M-protein": (0, 15),
    "haemoglobin": (2, 25),
    "creatinine": (0.1, 30),
    "calcium": (3, 25),
    "albumin": (0.5, 7),
    "total protein": (1.5, 20),
    "bone marrow plasma cells": (0, 100),
}
_LEAST_FACTOR, _LARGEST_FACTOR = 6.0, 16.0  # ten times, with room for what truly changed between visits


def implausible(labs: pd.DataFrame) -> pd.DataFrame:
    """Which values are about ten times too high or too low beside the samples before and after, or out of all bounds?

    Returns IMPLAUSIBLE, sorted. A value is flagged when it is 6 to 16 times above, or below, both the sample before
    and the one after of the same patient and test: it leaves and comes back, which neither treatment nor relapse does.
    The first and the last sample have one neighbour and are held against bounds only. `expected` is the geometric mean
    of the neighbours. Nothing is corrected: see `without_implausible`.

    Parameters
    ----------
    labs : LABS; units as in the vocabulary, converted where they are not canonical

    Source: ours; the ten-fold contradiction between copies of the criteria (mg/dL and mg/L of free light chains) shows
    how often it happens. R: no standard call.

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 30, 60, 90], "test": "kappa free light chain",
    ...     "value": [20.0, 22.0, 210.0, 19.0], "unit": "mg/L"})
    >>> implausible(labs)[["day", "value", "factor"]].round(1).values.tolist()
    [[60.0, 210.0, 10.3]]
    """
    rows = _flagged(labs)
    order = ["patient_id", "test", "day", "value"]
    rows = rows[rows["reason"] != ""].drop_duplicates(order).sort_values(order, ignore_index=True)
    return schema.check(rows[schema.IMPLAUSIBLE.names], schema.IMPLAUSIBLE)


def without_implausible(labs: pd.DataFrame) -> pd.DataFrame:
    """LABS without the values that `implausible` flags; the others as they came.

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [0, 30], "test": "haemoglobin", "value": [12.0, 120.0],
    ...     "unit": "g/dL"})
    >>> without_implausible(labs)["value"].tolist()
    [12.0]
    """
    flagged = _flagged(labs)
    return labs[(flagged["reason"] == "").reindex(range(len(labs)), fill_value=True).to_numpy()].reset_index(drop=True)


def _flagged(labs: pd.DataFrame) -> pd.DataFrame:
    """The rows in canonical units with expected, factor and reason; the index is the position in `labs`."""
    known = vocabulary.tests()["test"].tolist()
    rows = labs if all_canonical(labs, known) else vocabulary.to_canonical_units(labs)
    rows = rows.reset_index(drop=True)
    patient, test = pd.factorize(rows["patient_id"])[0], pd.factorize(rows["test"])[0]
    day, value = rows["day"].to_numpy(), rows["value"].to_numpy("float64")
    order = np.lexsort((value, day, test, patient))
    group = patient[order].astype("int64") * (test.max(initial=0) + 1) + test[order]
    # One sample per value and day: a repeated draw must not vouch for itself.
    fresh = np.append(True, (np.diff(group) != 0) | (np.diff(day[order]) != 0) | (np.diff(value[order]) != 0))
    fresh = fresh[: len(order)]
    kept = np.cumsum(fresh) - 1
    series, of = value[order][fresh], group[fresh]
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.log10(np.where(series > 0, series, np.nan))
    same = of[1:] == of[:-1]
    before = np.append(np.nan, np.where(same, level[:-1], np.nan))[: len(level)]
    after = np.append(np.where(same, level[1:], np.nan), np.nan)[: len(level)]
    low, high = np.log10(_LEAST_FACTOR), np.log10(_LARGEST_FACTOR)
    up = [(level - near >= low) & (level - near <= high) for near in (before, after)]
    down = [(near - level >= low) & (near - level <= high) for near in (before, after)]
    jump = (up[0] & up[1]) | (down[0] & down[1])
    found = np.empty(len(order), dtype=bool)
    found[order] = jump[kept]
    expected = np.empty(len(order))
    expected[order] = (10 ** ((before + after) / 2))[kept]
    names = rows["test"].drop_duplicates()
    least, most = (np.append([_LIMITS.get(name, (np.nan, np.nan))[end] for name in names], np.nan) for end in (0, 1))
    least, most = least[test], most[test]
    beyond = (value < least) | (value > most)
    reason = np.select([found, beyond], ["about ten times its neighbours", "beyond what patients have"], "")
    return rows.assign(expected=expected, factor=value / expected, reason=reason.astype(object))
