"""LABS and FINDINGS as sorted arrays: one value per patient and day, each found by a binary search.

Patient and day are packed into one whole number, so that "the last sample up to this day" is one `np.searchsorted`
for all patients at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import vocabulary

_SPAN = 2**22  # days of 5,700 years either way: more than any record, and room for two million million patients
FREE_LIGHT_CHAINS = ("kappa free light chain", "lambda free light chain")
TESTS = (
    "serum M-protein",
    "urine M-protein",
    *FREE_LIGHT_CHAINS,
    "bone marrow plasma cells",
    "calcium",
    "haemoglobin",
    "creatinine",
)


@dataclass(frozen=True)
class Samples:
    """One value per patient and day, sorted by both."""

    key: np.ndarray
    value: np.ndarray

    @property
    def patient(self) -> np.ndarray:
        """Row of the patient in the sorted list of patients."""
        return self.key // _SPAN

    @property
    def day(self) -> np.ndarray:
        """Day of the sample on the patient's clock."""
        return day_of(self.key)


def day_of(keys: np.ndarray) -> np.ndarray:
    """The day in these numbers."""
    return keys % _SPAN - _SPAN // 2


def key(patient: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Patient and day as one number that sorts like the two."""
    return np.asarray(patient, dtype="int64") * _SPAN + np.asarray(day, dtype="int64") + _SPAN // 2


def sampled(keys: np.ndarray, value: np.ndarray) -> Samples:
    """Sorted samples; a draw that stands twice counts once, different values of one day become their mean."""
    if not (np.diff(keys) > 0).all():
        order = np.lexsort((value, keys))
        keys, value = keys[order], value[order]
        fresh = np.append(True, (np.diff(keys) > 0) | (np.diff(value) != 0))
        keys, value = keys[fresh], value[fresh]
        day, count = np.unique(keys, return_counts=True)
        if len(day) < len(keys):
            value = np.add.reduceat(value, np.cumsum(count) - count) / count
        keys = day
    return Samples(keys, value)


def laboratory(labs: pd.DataFrame | None, patients: pd.Index, last_day: np.ndarray) -> dict[str, Samples]:
    """Every test of TESTS in canonical units; none after `last_day` of its patient (inf where there is none)."""
    if labs is None or labs.empty:
        return {test: sampled(np.empty(0, "int64"), np.empty(0)) for test in TESTS}
    labs = _canonical(labs)
    test_code, tests = pd.factorize(labs["test"])
    patient = _rows_of(labs["patient_id"], patients)
    day, value = labs["day"].to_numpy("int64"), labs["value"].to_numpy("float64")
    usable = (patient >= 0) & ~np.isnan(value)
    usable &= day <= last_day[patient]
    place = {name: code for code, name in enumerate(tests)}
    found = {}
    for test in TESTS:
        rows = np.flatnonzero(usable & (test_code == place.get(test, -2)))
        found[test] = sampled(key(patient[rows], day[rows]), value[rows])
    return found


def all_canonical(labs: pd.DataFrame, wanted: Sequence[str]) -> bool:
    """Does every row of these tests stand in its own name and unit? A look at pairs of both, not at rows."""
    (test, tests), (unit, units) = pd.factorize(labs["test"]), pd.factorize(labs["unit"])
    known = vocabulary.canonical_tests(pd.Series(tests, dtype=object))
    ours = known.isin(wanted).to_numpy()
    pairs = np.zeros((len(tests) + 1, len(units) + 1), dtype=bool)
    pairs[test, unit] = True  # what is missing has code -1, the last row and column
    canonical = vocabulary.tests().set_index("test")["unit"].reindex(known)
    own = pairs[:-1] & (np.append(units, None)[None, :] == canonical.to_numpy(object)[:, None])
    return bool((pairs[:-1][ours] == own[ours]).all() and (known.to_numpy()[ours] == tests[ours]).all())


def _canonical(labs: pd.DataFrame) -> pd.DataFrame:
    """The same frame where the tests of ours are canonical, else their rows, converted."""
    if all_canonical(labs, TESTS):
        return labs
    test, tests = pd.factorize(labs["test"])
    ours = vocabulary.canonical_tests(pd.Series(tests, dtype=object)).isin(TESTS).to_numpy()
    return vocabulary.to_canonical_units(labs[np.append(ours, False)[test]])


def _rows_of(names: pd.Series, patients: pd.Index) -> np.ndarray:
    """Row of each name in `patients`, -1 where it is not there; each distinct name is asked once."""
    code, distinct = pd.factorize(names)
    return np.append(patients.get_indexer(distinct), -1)[code]


def findings(frame: pd.DataFrame | None, patients: pd.Index, last_day: np.ndarray) -> pd.DataFrame:
    """FINDINGS of these patients as `key`, `finding` and `value`, sorted; stated progressions are not read."""
    if frame is None or frame.empty:
        return pd.DataFrame({"key": [], "finding": [], "value": []}, dtype=object).astype({"key": "int64"})
    patient, day = _rows_of(frame["patient_id"], patients), frame["day"].to_numpy("int64")
    kept = (patient >= 0) & (day <= last_day[patient]) & (frame["finding"] != "progression").to_numpy()
    rows = pd.DataFrame({"key": key(patient, day)[kept], **frame.loc[kept, ["finding", "value"]].to_dict("series")})
    return rows.drop_duplicates().sort_values(["key", "finding", "value"], ignore_index=True)


def results(rows: pd.DataFrame, finding: str, meaning: dict[str, float]) -> Samples:
    """A finding with words for results as samples: each word by its number, others left out."""
    chosen = rows[rows["finding"] == finding]
    value = chosen["value"].map(meaning).to_numpy("float64")
    known = ~np.isnan(value)
    return sampled(chosen["key"].to_numpy("int64")[known], value[known])


def light_chains(tests: dict[str, Samples]) -> tuple[Samples, Samples, Samples]:
    """Of the days on which both were measured: kappa minus lambda (mg/L), kappa over lambda, kappa (mg/L)."""
    kappa, lambda_ = (tests[name] for name in FREE_LIGHT_CHAINS)
    both, left, right = np.intersect1d(kappa.key, lambda_.key, assume_unique=True, return_indices=True)
    high, low = kappa.value[left], lambda_.value[right]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(low > 0, high / low, np.where(high > 0, np.inf, np.nan))
    return Samples(both, high - low), Samples(both, ratio), Samples(both, high)


def latest(samples: Samples, patient: np.ndarray, day: np.ndarray, not_before: np.ndarray) -> np.ndarray:
    """The last value up to each day, missing where the patient has none from `not_before` on."""
    if not len(samples.key):
        return np.full(len(day), np.nan)
    at = np.searchsorted(samples.key, key(patient, day), side="right") - 1
    known = (at >= 0) & (samples.key[at] >= key(patient, not_before))
    return np.where(known, samples.value[at], np.nan)


def any_between(keys: np.ndarray, patient: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Is there one of these sorted keys from day `first` to day `last`, both included?"""
    low = np.searchsorted(keys, key(patient, first), side="left")
    return np.searchsorted(keys, key(patient, last), side="right") > low


def first_between(keys: np.ndarray, patient: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Day of the first of these sorted keys from day `first` to day `last`; missing where there is none."""
    if not len(keys):
        return np.full(len(patient), np.nan)
    at = np.searchsorted(keys, key(patient, first), side="left")
    found = keys[np.minimum(at, len(keys) - 1)]
    inside = (at < len(keys)) & (found <= key(patient, last))
    return np.where(inside, day_of(found), np.nan)
