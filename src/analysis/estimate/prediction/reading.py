"""The wide frame of patient-lines as arrays that can be learned from; every fault of it is named at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.estimate.doors import CENSORED, WORDS, check_spells, plain_numbers
from analysis.schema import DAYS_PER_MONTH, SchemaError

COMPETING = "competing"
NONE, CAUSE, OTHER = 0, 1, 2  # what ended a line: nothing seen, the event in question, any other event
FEWEST_UNDER_WATCH = 20  # patient-lines still under observation at the longest horizon
FEWEST_EVENTS = 20  # events in question: below, nothing is fitted and nothing is scored
MOST_DELAYED = 0.2  # share of delayed entries from which the rest no longer stands for the whole
_OUTCOME = ("patient_id", "entry", "time", "event")


@dataclass(frozen=True)
class Lines:
    """Patient-lines sorted by patient and line: `keys` (patient_id, line, time, event), what ended each (`status`),
    their predictors as plain numbers and words, and what must be said of them."""

    keys: pd.DataFrame
    status: np.ndarray
    predictors: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def time(self) -> np.ndarray:
        """Days since line start."""
        return self.keys["time"].to_numpy(float)

    @property
    def patient(self) -> np.ndarray:
        """The place of each row's patient among all, in sorted order."""
        return pd.factorize(self.keys["patient_id"], sort=True)[0]

    def part(self, rows: np.ndarray) -> Lines:
        """These rows alone."""
        return replace(self, keys=self.keys.iloc[rows], status=self.status[rows], predictors=self.predictors.iloc[rows])


def read(frame: pd.DataFrame, predictors: Sequence[str], cause: str, horizons_months: Sequence[float]) -> Lines:
    """Check the frame and turn the columns in use into plain ones, rows sorted by patient and line.

    Delayed entries are left out and counted: scikit-survival knows none, and a line watched from its start is a
    fair sample of all lines as long as it does not depend on the risk when a patient comes under observation.

    Raises
    ------
    schema.SchemaError
        naming every fault: a column that is absent or is the outcome itself, a line that comes twice, a cause that is
        no event, fewer events than can be learned from, too many delayed entries, a horizon past the follow-up (with
        the longest that is allowed), no predictor that tells patients apart.
    """
    faults = _column_faults(frame, predictors, cause)
    if faults:
        raise_all(faults)
    check_spells(frame, [], "entry" if "entry" in frame else None, None)
    if frame.duplicated(["patient_id", "line"]).any():
        faults.append("columns 'patient_id' and 'line': a line comes twice; keep one row per patient and line")
    delayed = plain_numbers(frame["entry"]) > 0 if "entry" in frame else np.zeros(len(frame), dtype=bool)
    if delayed.mean() > MOST_DELAYED:
        faults.append(
            f"column 'entry': {delayed.sum()} of {len(frame)} lines came under observation after their start, at most "
            f"{MOST_DELAYED:.0%} can be left out; choose lines that were watched from their start"
        )
    kept = frame[~delayed].sort_values(["patient_id", "line"], ignore_index=True)
    plain, found = plain_predictors(kept, predictors)
    keys = kept[["patient_id", "line", "time", "event"]].astype({"patient_id": object, "event": object})
    faults += found + _outcome_faults(keys, cause, horizons_months)
    silent = [name for name in predictors if name in plain and plain[name].nunique() < 2 and plain[name].notna().all()]
    empty = [name for name in predictors if name in plain and plain[name].isna().all()]
    if not faults and len(silent) + len(empty) == len(predictors):
        faults.append(f"predictors {list(predictors)}: none of them tells patients apart; name others")
    raise_all(faults)
    notes = [f"{delayed.sum()} lines with a delayed entry left out"] if delayed.any() else []
    notes += [f"predictor {name} is the same in all: left out" for name in silent]
    notes += [f"predictor {name} is missing in all: left out" for name in empty]
    word = keys["event"].to_numpy()
    status = np.where(word == cause, CAUSE, np.where(word == CENSORED, NONE, OTHER))
    return Lines(keys, status, plain.drop(columns=silent + empty), tuple(notes))


def raise_all(faults: list[str], where: str = "prediction") -> None:
    """One SchemaError for all faults; none for none."""
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise SchemaError(f"{where}: {len(faults)} fault(s)\n{listing}")


def longest_horizon_months(time: np.ndarray) -> float:
    """The longest horizon at which enough lines are still under observation, in months rounded down to a tenth."""
    if len(time) < FEWEST_UNDER_WATCH:
        return 0.0
    return float(np.floor(np.sort(time)[-FEWEST_UNDER_WATCH] / DAYS_PER_MONTH * 10) / 10)


def plain_predictors(frame: pd.DataFrame, predictors: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """The predictors as floats (flags as 0 and 1) or as words, missing ones as NaN; and what is wrong with them."""
    columns, faults = {}, []
    for name in predictors:
        values = frame[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(object)
        kind = pd.api.types.infer_dtype(values, skipna=True)
        if pd.api.types.is_numeric_dtype(values.dtype) or kind in ("boolean", "integer", "floating", "empty"):
            columns[name] = pd.to_numeric(values.astype("Float64") if kind == "boolean" else values).to_numpy(
                dtype=float, na_value=np.nan
            )
            if np.isinf(columns[name]).any():
                faults.append(f"predictor {name!r}: expected finite numbers, came an infinite one; correct it")
        elif kind == "string":
            columns[name] = values.astype(object).where(values.notna(), np.nan).to_numpy(dtype=object)
        else:
            faults.append(f"predictor {name!r}: expected numbers, words or flags, came {kind}; convert it first")
    return pd.DataFrame(columns, index=frame.index), faults


def _column_faults(frame: pd.DataFrame, predictors: Sequence[str], cause: str) -> list[str]:
    faults = [f"column {name!r} is missing" for name in ("patient_id", "line", "time", "event") if name not in frame]
    faults += [
        f"predictor {name!r} is missing; the frame has {list(frame)}" for name in predictors if name not in frame
    ]
    faults += [
        f"predictor {name!r} is a key or the outcome itself: it is not known at the start of the line; leave it out"
        for name in predictors
        if name in _OUTCOME
    ]
    if len(predictors) == 0 or len(set(predictors)) < len(predictors):
        faults.append(f"predictors: expected some names, each once, came {list(predictors)}")
    if cause == CENSORED or cause not in WORDS:
        faults.append(f"cause: expected one of {[w for w in WORDS if w != CENSORED]}, came {cause!r}; use one of them")
    return faults


def _outcome_faults(keys: pd.DataFrame, cause: str, horizons_months: Sequence[float]) -> list[str]:
    horizons = list(horizons_months)
    if not horizons or min(horizons) <= 0 or horizons != sorted(set(horizons)):
        return [f"horizons_months: expected months above 0, rising, came {horizons}"]
    faults, time = [], keys["time"].to_numpy(float)
    longest = longest_horizon_months(time)
    if horizons[-1] > longest:
        faults.append(
            f"horizons_months: {horizons[-1]:g} months lies past the follow-up: the longest allowed is {longest:g}, at "
            f"which {FEWEST_UNDER_WATCH} lines are still under observation"
        )
    events = int(((keys["event"] == cause) & (time <= horizons[-1] * DAYS_PER_MONTH)).sum())
    if events < FEWEST_EVENTS:
        faults.append(f"expected at least {FEWEST_EVENTS} events {cause!r} by the longest horizon, came {events}")
    return faults
