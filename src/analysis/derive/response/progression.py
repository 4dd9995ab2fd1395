"""Progression by each marker: the published limits, and the first sample that the next one confirms.

Kumar et al., Lancet Oncol 2016;17:e328 and Rajkumar et al., Blood 2011;117:4691.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.derive.response.course import Marker
from analysis.derive.response.criteria import Criteria

TOLERANCE = 1e-9  # 0.7 - 0.2 is 0.49999999999999994 on a computer and 0.5 in the clinic


@dataclass(frozen=True)
class Rise:
    """Which samples meet a rule, which of them are confirmed, and patient and day of what confirms them."""

    met: np.ndarray
    confirmed: np.ndarray
    confirming_key: np.ndarray


def at_least(value: np.ndarray, limit: np.ndarray | float) -> np.ndarray:
    """Value >= limit; false where either is missing."""
    return value >= limit - TOLERANCE


def above(value: np.ndarray, limit: np.ndarray | float) -> np.ndarray:
    """Value > limit; false where either is missing."""
    return value > limit + TOLERANCE


def _by_a_quarter(now: np.ndarray, low: np.ndarray) -> np.ndarray:
    """A rise of 25 % of the reference; from nothing, any rise."""
    return at_least(now - low, 0.25 * np.maximum(low, 0))


def serum(now, low, start, criteria: Criteria):
    """+25 % and +0.5 g/dL; from 5 g/dL on +1 g/dL is enough."""
    high = at_least(start if criteria.imwg_version == 2011 else low, 5.0)
    return (_by_a_quarter(now, low) & at_least(now - low, 0.5) & ~at_least(low, 5.0)) | (
        high & at_least(now - low, 1.0)
    )


def urine(now, low, start, criteria: Criteria):
    """+25 % and +200 mg/24 h."""
    return _by_a_quarter(now, low) & at_least(now - low, 200.0)


def light_chain_difference(now, low, start, criteria: Criteria):
    """+25 % and more than +10 mg/dL (100 mg/L)."""
    return _by_a_quarter(now, low) & above(now - low, 100.0)


def marrow(now, low, start, criteria: Criteria):
    """+25 %, and +10 points (2016) or at least 10 % (2011)."""
    enough = at_least(now, 10.0) if criteria.imwg_version == 2011 else at_least(now - low, 10.0)
    return _by_a_quarter(now, low) & enough & above(now, low)


def calcium(now, low, start, criteria: Criteria):
    """Newly above 11.5 mg/dL, a criterion of 2011 only."""
    return above(now, 11.5) & ~above(low, 11.5) & (criteria.imwg_version == 2011) & ~np.isnan(low)


def rise(marker: Marker, rule, counts: np.ndarray, dies: np.ndarray, criteria: Criteria, lone: bool = False) -> Rise:
    """Where does the marker meet the rule, and is it confirmed?

    `counts` says per line whether the marker is followed, `dies` per sample whether a death confirms what no sample
    can; `lone` markers (marrow) need no confirmation. The next sample is held against the same reference, so that a
    progression may be confirmed after the next line began.
    """
    inside = marker.line >= 0
    start = np.where(inside, marker.baseline[marker.line], np.nan)
    met = inside & counts[marker.line] & rule(marker.value, marker.low, start, criteria)
    if lone or criteria.confirm_rule == "one_sample":
        return Rise(met, met, marker.keys)
    again = rule(marker.following, marker.low, start, criteria)
    ends = np.isnan(marker.following) & dies
    return Rise(met, met & (again | ends), np.where(again, marker.following_key, marker.keys))


def firsts(line: np.ndarray, chosen: np.ndarray, size: int) -> np.ndarray:
    """Position of each line's first chosen sample, -1 where it has none; samples come sorted."""
    at = np.flatnonzero(chosen)
    found, first = np.unique(line[at], return_index=True)
    result = np.full(size, -1)
    result[found] = at[first]
    return result
