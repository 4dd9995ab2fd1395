"""Which marker is followed in each line: the one that was measurable when the line began.

Measurable (Kumar 2016): serum M-protein >= 1 g/dL, urine M-protein >= 200 mg/24 h, involved free light chain >=
10 mg/dL (100 mg/L) with an abnormal ratio (0.26-1.65 is normal), marrow plasma cells >= 30 %.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.derive.response import progression
from analysis.derive.response.course import Course, Marker, along, baselines
from analysis.derive.response.criteria import Criteria
from analysis.derive.response.progression import Rise, at_least
from analysis.derive.response.samples import Samples, latest, light_chains

SERUM, URINE, LIGHT_CHAINS, MARROW = (
    "serum M-protein",
    "urine M-protein",
    "free light chains",
    "bone marrow plasma cells",
)
MARKERS = (SERUM, URINE, LIGHT_CHAINS, MARROW)
NORMAL_RATIO = (0.26, 1.65)
_RULES = {
    SERUM: progression.serum,
    URINE: progression.urine,
    LIGHT_CHAINS: progression.light_chain_difference,
    MARROW: progression.marrow,
    "calcium": progression.calcium,
}


@dataclass(frozen=True)
class Followed:
    """Per marker its course and whether each line follows it; per line the leading marker ("none") and why not."""

    markers: dict[str, Marker]
    follows: dict[str, np.ndarray]
    leading: np.ndarray
    why_not: np.ndarray
    ratio: Samples


NO_LATER_SAMPLE = "no sample after baseline"


def followed(tests: dict[str, Samples], lines: Course, criteria: Criteria) -> Followed:
    """Every marker along the lines, and which of them each line follows."""
    difference, ratio, kappa = light_chains(tests)
    sign, chains = _involved(difference, ratio, kappa, lines, criteria)
    markers = {
        SERUM: along(tests[SERUM], lines, criteria),
        URINE: along(tests[URINE], lines, criteria),
        LIGHT_CHAINS: along(difference, lines, criteria, sign),
        # Marrow needs no second sample, so its lowest value counts as it is.
        MARROW: along(tests[MARROW], lines, replace(criteria, nadir_mode="any")),
        "calcium": along(tests["calcium"], lines, criteria),
    }
    known = {name: ~np.isnan(markers[name].baseline) for name in MARKERS}
    reaches = {SERUM: 1.0, URINE: 200.0, MARROW: 30.0}
    high = {name: _kept(at_least(markers[name].baseline, limit), lines, criteria) for name, limit in reaches.items()}
    high[LIGHT_CHAINS] = chains
    follows, why_not = _in_order(high, known, criteria)
    leading = np.select([follows[name] for name in MARKERS], MARKERS, "none").astype(object)
    measured = np.zeros(len(leading), bool)
    for name in MARKERS:
        line = markers[name].line
        seen = np.bincount(line[line >= 0], minlength=len(leading)) > 0
        measured |= (leading == name) & seen
    why_not[(why_not == "") & ~measured] = NO_LATER_SAMPLE
    return Followed(markers, follows, leading, why_not, ratio)


def _kept(high: np.ndarray, lines: Course, criteria: Criteria) -> np.ndarray:
    """Measurable at this line, or at this or an earlier one."""
    if criteria.measurable_at == "line":
        return high
    return pd.Series(high).groupby(lines.patient).cummax().to_numpy(bool)


def _involved(difference: Samples, ratio: Samples, kappa: Samples, lines: Course, criteria: Criteria):
    """Per line +1 where kappa is the involved chain and -1 where lambda is, and whether it is measurable."""
    at = baselines(difference, lines, criteria)
    if not len(ratio.key):
        return np.ones(len(at)), np.zeros(len(at), bool)
    share = np.where(at >= 0, ratio.value[at], np.nan)
    sign = np.select([share > NORMAL_RATIO[1], share < NORMAL_RATIO[0]], [1.0, -1.0], np.nan)
    involved = np.where(sign > 0, kappa.value[at], kappa.value[at] - difference.value[at])
    measurable = ~np.isnan(sign) & at_least(involved, 100.0)
    if criteria.measurable_at == "ever":
        sign = pd.Series(np.where(measurable, sign, np.nan)).groupby(lines.patient).ffill().to_numpy()
        measurable = ~np.isnan(sign)
    return np.where(np.isnan(sign), 1.0, sign), measurable


def _in_order(high: dict, known: dict, criteria: Criteria) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Serum and urine, else light chains, else marrow: the later ones only where those before are not measurable.

    A line without its own baseline of a marker has nothing to compare it with and cannot follow it.
    """
    strict = criteria.mode == "strict"
    protein = high[SERUM] | high[URINE]
    unknown = {SERUM: ~known[SERUM] & ~protein, URINE: ~known[URINE] & ~protein & strict}
    chains = high[LIGHT_CHAINS] & ~protein & ~unknown[SERUM] & ~unknown[URINE]
    unknown[LIGHT_CHAINS] = ~known[LIGHT_CHAINS] & ~protein & strict
    marrow = high[MARROW] & ~protein & ~chains & ~unknown[SERUM] & ~unknown[URINE] & ~unknown[LIGHT_CHAINS]
    chosen = {SERUM: high[SERUM], URINE: high[URINE], LIGHT_CHAINS: chains, MARROW: marrow}
    follows = {name: chosen[name] & known[name] for name in MARKERS}
    any_followed = np.any(list(follows.values()), axis=0)
    reasons = [any_followed, *(unknown[name] for name in (SERUM, URINE, LIGHT_CHAINS))]
    words = ["", *(f"{name} not measured at baseline" for name in (SERUM, URINE, LIGHT_CHAINS))]
    return follows, np.select(reasons, words, "nothing measurable at baseline").astype(object)


def rises(found: Followed, lines: Course, deaths: Samples, criteria: Criteria) -> dict[str, Rise]:
    """Progression by each marker that counts; `deaths` are those that confirm a progression."""
    result = {}
    for name, rule in _RULES.items():
        marker = found.markers[name]
        counts = found.follows.get(name, np.ones(len(lines.start), bool))
        if criteria.follow == "m_protein_always" and name in (SERUM, URINE):
            counts = ~np.isnan(marker.baseline)
        dies = _dies_after(marker, deaths)
        result[name] = progression.rise(marker, rule, counts, dies, criteria, lone=name == MARROW)
    return result


def _dies_after(marker: Marker, deaths: Samples) -> np.ndarray:
    """Per sample: does a death that confirms come after it, within the days that `deaths` allow?"""
    samples = Samples(marker.keys, marker.value)
    if not len(deaths.key):
        return np.zeros(len(marker.keys), bool)
    at = np.minimum(np.searchsorted(deaths.patient, samples.patient), len(deaths.key) - 1)
    same = deaths.patient[at] == samples.patient
    waited = deaths.day[at] - samples.day
    return same & (waited >= 0) & (waited <= deaths.value[at])


def ratio_is_normal(ratio: Samples, patient: np.ndarray, day: np.ndarray, carry_days: int) -> np.ndarray:
    """1 normal, 0 abnormal, missing where it was not measured in the days before."""
    value = latest(ratio, patient, day, day - carry_days)
    normal = (value >= NORMAL_RATIO[0]) & (value <= NORMAL_RATIO[1])
    return np.where(np.isnan(value), np.nan, normal.astype(float))
