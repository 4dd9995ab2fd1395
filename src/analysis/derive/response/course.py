"""Lines as arrays, and a marker as the lines see it: baseline, lowest value so far, next sample.

Every sample belongs to at most one line: the last that began before its day. The sample on the day a line begins
is the last of the line before and the baseline of the new one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.derive.response.criteria import Criteria
from analysis.derive.response.samples import Samples, key

FAR = 2**20  # a day after all others


@dataclass(frozen=True)
class Course:
    """The lines of all patients, sorted: row of the patient, first day, first day of the next line (FAR: none)."""

    patient: np.ndarray
    line: np.ndarray
    start: np.ndarray
    until: np.ndarray

    def line_of(self, keys: np.ndarray) -> np.ndarray:
        """Row of the last line that began before each patient and day; -1 where none did."""
        starts = key(self.patient, self.start)
        at = np.searchsorted(starts, keys, side="left") - 1
        same = (at >= 0) & (keys <= key(self.patient, self.until)[at])
        return np.where(same, at, -1)


@dataclass(frozen=True)
class Marker:
    """One marker along the lines; per sample: row of its line, value, next sample's value and key, lowest before it.

    `baseline` and `baseline_day` are per line, missing where there is none. `following` is the next sample of the
    patient, in whichever line.
    """

    keys: np.ndarray
    line: np.ndarray
    value: np.ndarray
    following: np.ndarray
    following_key: np.ndarray
    low: np.ndarray
    baseline: np.ndarray
    baseline_day: np.ndarray


def course(patient: np.ndarray, line: np.ndarray, start: np.ndarray) -> Course:
    """Lines sorted by patient and number, each until the next begins."""
    next_start = np.append(start[1:], FAR)
    last = np.append(patient[1:] != patient[:-1], True)
    return Course(patient, line, start, np.where(last, FAR, next_start))


def baselines(samples: Samples, lines: Course, criteria: Criteria) -> np.ndarray:
    """Position of each line's baseline sample, -1 where it has none."""
    if not len(samples.key):
        return np.full(len(lines.start), -1)
    after = np.searchsorted(samples.key, key(lines.patient, lines.start), side="right")
    before = after - 1
    earliest = key(lines.patient, lines.start - criteria.baseline_before_days)
    has_before = (before >= 0) & (samples.key[before] >= earliest)
    late = np.minimum(lines.start + criteria.baseline_after_days, lines.until - 1)
    candidate = np.minimum(after, len(samples.key) - 1)
    has_after = (after < len(samples.key)) & (samples.key[candidate] <= key(lines.patient, late))
    return np.where(has_before, before, np.where(has_after, candidate, -1))


def along(samples: Samples, lines: Course, criteria: Criteria, sign: np.ndarray | None = None) -> Marker:
    """The marker as the lines see it; `sign` per line turns the values round (which light chain is involved)."""
    at = baselines(samples, lines, criteria)
    sign = np.ones(len(at)) if sign is None else sign
    if not len(samples.key):
        nothing, none = np.empty(0), np.full(len(at), np.nan)
        return Marker(samples.key, np.empty(0, "int64"), nothing, nothing, samples.key, nothing, none, none)
    baseline = np.where(at >= 0, sign * samples.value[at], np.nan)
    day = samples.day
    line = lines.line_of(samples.key)
    line[at[(at >= 0) & (day[at] > lines.start)]] = -1  # a late baseline is no answer to the treatment
    turned = np.where(line >= 0, sign[line], 1.0)
    patient = samples.patient
    goes_on = np.append(patient[1:] == patient[:-1], False)
    following = np.where(goes_on, turned * np.append(samples.value[1:], np.nan), np.nan)
    now = turned * samples.value
    low = lowest_before(now, line, baseline, criteria.nadir_mode)
    following_key = np.where(goes_on, np.append(samples.key[1:], 0), -1)
    baseline_day = np.where(at >= 0, day[at], np.nan)
    return Marker(samples.key, line, now, following, following_key, low, baseline, baseline_day)


def lowest_before(now: np.ndarray, line: np.ndarray, baseline: np.ndarray, nadir_mode: str) -> np.ndarray:
    """The reference of each sample: the lowest value of its line before it, baseline included."""
    value = pd.Series(now)
    if nadir_mode == "confirmed":
        value = pd.Series(np.maximum(now, value.groupby(line).shift().to_numpy()))
    low = value.groupby(line).cummin().groupby(line).shift().to_numpy()
    return np.where(line >= 0, np.fmin(low, baseline[line]), np.nan)
