"""Spells as one row per patient: numbers and codes with their gaps, and what the outcome says of each patient."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.doors import CENSORED, WORDS
from analysis.schema import SPELLS, SchemaError

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Variable:
    """One covariate, one value per patient: numbers, or places in `levels`; NaN where it is missing."""

    name: str
    values: np.ndarray
    levels: tuple | None
    ordered: bool

    @property
    def missing(self) -> np.ndarray:
        """Which patients lack a value."""
        return np.isnan(self.values)


def gaps(values: pd.Series, unknown: bool = True) -> np.ndarray:
    """Which values are missing? The word "unknown" is, unless it is to count as a level of its own."""
    missing = values.isna().to_numpy(bool)
    words = unknown and not pd.api.types.is_numeric_dtype(values.dtype)
    return missing | values.eq(UNKNOWN).to_numpy(bool) if words else missing


def with_gaps(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The frame with "unknown" as a missing value, so that a model leaves such rows out."""
    changed = {}
    for name in columns:
        values = frame[name].mask(gaps(frame[name])) if gaps(frame[name]).any() else frame[name]
        if isinstance(values.dtype, pd.CategoricalDtype) and UNKNOWN in values.cat.categories:
            values = values.cat.remove_categories([UNKNOWN])
        changed[name] = values
    return frame.assign(**changed)


def by_patient(frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The first row of each patient (that of the lowest line), and each row's place among the patients."""
    if "patient_id" not in frame:
        return frame.reset_index(drop=True), np.arange(len(frame))
    place, _ = pd.factorize(frame["patient_id"])
    order = np.argsort(frame["line"].to_numpy(), kind="stable") if "line" in frame else np.arange(len(frame))
    _, first = np.unique(place[order], return_index=True)
    return frame.iloc[order[first]].reset_index(drop=True), place


def check_columns(frame: pd.DataFrame, columns: list[str], least: int) -> None:
    """Raise one SchemaError that names every column that is not there, or stands twice."""
    faults = []
    for name in columns:
        if name not in frame:
            near = difflib.get_close_matches(str(name), [str(column) for column in frame.columns], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the frame has {list(map(str, frame.columns))}"
            faults.append(f"column {name!r} is missing; {hint}")
        elif columns.count(name) > 1:
            faults.append(f"column {name!r}: expected once, came {columns.count(name)} times")
    if len(columns) < least:
        faults.append(f"columns: expected at least {least}, came {len(columns)}")
    raise_all(faults)


def raise_all(faults: list[str]) -> None:
    """One SchemaError for all of them."""
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in dict.fromkeys(faults))
        raise SchemaError(f"imputation: {len(dict.fromkeys(faults))} fault(s)\n{listing}")


def variables(
    spells: pd.DataFrame, first: pd.DataFrame, place: np.ndarray, columns: list[str], unknown: bool
) -> list[Variable]:
    """The columns, one value per patient; is "unknown" a gap? SchemaError for one that cannot be filled per patient."""
    faults, found = [], []
    for name in columns:
        if name in SPELLS.names:
            faults.append(f"column {name!r}: expected a covariate, came a column of SPELLS; leave it out")
            continue
        missing = gaps(spells[name], unknown)
        if missing.all():
            faults.append(f"column {name!r}: expected known values, came none; leave it out of the model")
            continue
        if missing.any() and (fault := _varies(spells, place, name, missing)):
            faults.append(fault)
            continue
        found.append(_variable(name, first[name], gaps(first[name], unknown)))
    raise_all(faults)
    return found


def _varies(spells: pd.DataFrame, place: np.ndarray, name: str, missing: np.ndarray) -> str:
    """What is wrong with a column with gaps that is not the same on all lines of a patient."""
    seen = pd.DataFrame({"patient": place, "value": spells[name].astype(object).mask(missing).to_numpy()})
    differing = int(seen.drop_duplicates()["patient"].duplicated().sum())
    if not differing:
        return ""
    return (
        f"column {name!r}: expected the same on all lines of a patient, because a gap is filled once per patient, came "
        f"something else on some lines of {differing} patient(s); take one line at a time, or leave it out of "
        '`columns`, with its gaps as a level "unknown"'
    )


def _variable(name: str, values: pd.Series, missing: np.ndarray) -> Variable:
    if pd.api.types.is_bool_dtype(values.dtype):
        return Variable(name, values.astype("boolean").to_numpy(float, na_value=np.nan), (False, True), True)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return Variable(name, values.to_numpy(float, na_value=np.nan), None, True)
    categories = isinstance(values.dtype, pd.CategoricalDtype)
    levels = list(values.cat.categories) if categories else sorted(values[~missing].unique(), key=str)
    levels = [level for level in levels if (values[~missing] == level).any()]
    codes = values.astype(object).map({level: code for code, level in enumerate(levels)}).to_numpy(float)
    return Variable(name, codes, tuple(levels), categories and bool(values.cat.ordered))


def outcomes(spells: pd.DataFrame, place: np.ndarray, patients: int, entry: str | None) -> np.ndarray:
    """Per patient and cause: events, and the cumulative hazard gone through, summed over the lines.

    White and Royston 2009: the log odds of a covariate given the outcome of a Cox model are, nearly, linear in the
    event indicator and the cumulative hazard, for which Nelson and Aalen's estimate serves. Over several lines with a
    baseline each the log likelihood of a patient is beta x sum(d) - exp(beta x) sum(H): the sums take their place.
    """
    time = spells["time"].to_numpy(float)
    begin = spells[entry].to_numpy(float) if entry else np.zeros(len(spells))
    line = pd.factorize(spells["line"])[0] if "line" in spells else np.zeros(len(spells), dtype=int)
    word, columns = spells["event"].to_numpy(object), []
    for cause in [word_ for word_ in WORDS if word_ != CENSORED and (word == word_).any()]:
        had, hazard = word == cause, np.zeros(len(spells))
        for stratum in np.unique(line):
            rows = line == stratum
            hazard[rows] = nelson_aalen(begin[rows], time[rows], had[rows])
        columns += [np.bincount(place, had, patients), np.bincount(place, hazard, patients)]
    return np.column_stack(columns) if columns else np.zeros((patients, 0))


def nelson_aalen(entry: np.ndarray, time: np.ndarray, had: np.ndarray) -> np.ndarray:
    """The cumulative hazard that each row went through, from its entry to its time.

    R: `basehaz(coxph(Surv(entry, time, had) ~ 1))` at time less at entry.
    """
    moments, events = np.unique(time[had], return_counts=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), moments, side="left")
    delayed = np.sort(entry[entry > 0])
    at_risk = at_risk - (len(delayed) - np.searchsorted(delayed, moments, side="left"))
    total = np.concatenate([[0.0], np.cumsum(events / at_risk)])
    reached = total[np.searchsorted(moments, time, side="right")]
    return reached - np.where(entry > 0, total[np.searchsorted(moments, entry, side="right")], 0.0)
