"""What kind of relapse: biochemical or clinical; from complete response; from MRD negativity; significant or not.

Kumar et al., Lancet Oncol 2016;17:e328 and Rajkumar et al., Blood 2011;117:4691. Relapse from complete response and
from MRD negativity serve disease-free survival only; for time to progression the full criteria of progression hold.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.derive.response import samples
from analysis.derive.response.course import Marker, along
from analysis.derive.response.followed import MARROW, SERUM, URINE
from analysis.derive.response.picture import Picture
from analysis.derive.response.progression import above, at_least

_DOUBLING_DAYS, _DOUBLING_FROM_G_DL = 61, 0.5


def kinds(view: Picture) -> np.ndarray:
    """Per line "none", "clinical", "biochemical", or "unknown" where nothing clinical was measured around it."""
    signs, measured = _clinical_signs(view)
    lines, progressed = view.lines, ~np.isnan(view.progression_day)
    day = np.where(progressed, view.progression_day, 0).astype("int64")
    confirmed = np.where(progressed, view.confirmed_day, 0).astype("int64")
    first = np.maximum(day - view.criteria.clinical_before_days, lines.start + 1)
    last = np.minimum(confirmed, lines.until)
    clinical = samples.any_between(signs, lines.patient, first, last) | (view.progression_by == "lesion")
    seen = samples.any_between(measured, lines.patient, first, last)
    return np.select([~progressed, clinical, seen], ["none", "clinical", "biochemical"], "unknown").astype(object)


def _clinical_signs(view: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Sorted keys of samples and findings that make a relapse clinical, and of all samples that could have.

    New lesions; calcium newly above 11 mg/dL (2011: 11.5); haemoglobin 2 g/dL below its highest value since the line
    began (rule of the nadir, turned round); creatinine 2 mg/dL above its value at the start; hyperviscosity.
    """
    down = -np.ones(len(view.lines.start))
    blood = along(view.tests["haemoglobin"], view.lines, view.criteria, down)
    kidney = along(view.tests["creatinine"], view.lines, view.criteria)
    calcium = view.followed.markers["calcium"]
    limit = 11.5 if view.criteria.imwg_version == 2011 else 11.0
    at_start = kidney.baseline[kidney.line] if len(kidney.line) else kidney.value
    signs = [
        view.lesions,
        view.findings.loc[view.findings["finding"] == "hyperviscosity", "key"].to_numpy("int64"),
        calcium.keys[(calcium.line >= 0) & above(calcium.value, limit) & ~above(calcium.low, limit)],
        blood.keys[(blood.line >= 0) & at_least(blood.value - blood.low, 2.0)],
        kidney.keys[(kidney.line >= 0) & at_least(kidney.value - at_start, 2.0)],
    ]
    return np.unique(np.concatenate(signs)), np.unique(np.concatenate([calcium.keys, blood.keys, kidney.keys]))


def from_complete_response(view: Picture, complete_day: np.ndarray) -> np.ndarray:
    """Day of relapse from a confirmed complete response first reached on `complete_day`; missing where there is none.

    The first of: M-protein back in two consecutive samples, positive immunofixation, >= 5 % marrow plasma cells, a new
    lesion, progression by the full criteria.
    """
    return _first_return(view, complete_day, np.empty(0, "int64"))


def from_mrd_negative(view: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Per line the first day without measurable residual disease, and the day on which it, or any sign, came back."""
    tests = view.findings[view.findings["finding"] == "MRD"]
    negative = tests["value"].str.match("negative", case=False) & is_fine_enough(
        tests["value"], view.criteria.mrd_sensitivity
    )
    positive = tests["value"].str.match("positive", case=False)
    keys = tests.loc[negative.to_numpy(bool), "key"].to_numpy("int64")
    first = samples.first_between(keys, view.lines.patient, view.lines.start + 1, view.lines.until)
    return first, _first_return(view, first, tests.loc[positive.to_numpy(bool), "key"].to_numpy("int64"))


def is_fine_enough(values: pd.Series, sensitivity: float) -> pd.Series:
    """A sensitivity written behind the result ("negative 1e-5", "negative 10^-6") is at least as fine as asked."""
    exponent = pd.to_numeric(values.str.extract(r"(?:1e|10\^)-0*(\d+)", expand=False))
    return exponent.isna() | (10.0 ** -exponent.fillna(99) <= sensitivity * (1 + 1e-9))


def _first_return(view: Picture, gone_day: np.ndarray, more: np.ndarray) -> np.ndarray:
    """First day after `gone_day`, within the line, with disease back by any sign."""
    found = view.findings
    fixed = found["finding"].isin(["serum immunofixation", "urine immunofixation"]) & (found["value"] == "positive")
    marrow = view.tests[MARROW]
    signs = [
        *(_back(view.followed.markers[name]) for name in (SERUM, URINE)),
        found.loc[fixed, "key"].to_numpy("int64"),
        marrow.key[at_least(marrow.value, 5.0)],
        view.lesions,
        more,
    ]
    gone = ~np.isnan(gone_day)
    after = np.where(gone, gone_day, 0).astype("int64") + 1
    day = samples.first_between(np.unique(np.concatenate(signs)), view.lines.patient, after, view.lines.until)
    progressed = np.where(view.progression_day >= after, view.progression_day, np.nan)
    return np.where(gone, np.fmin(day, progressed), np.nan)


def _back(marker: Marker) -> np.ndarray:
    """M-protein in two consecutive samples after it had gone."""
    return marker.keys[(marker.line >= 0) & (marker.low <= 0) & (marker.value > 0) & (marker.following > 0)]


def significant_biochemical(view: Picture) -> np.ndarray:
    """First day per line of a significant biochemical relapse by M-protein: treat, even before symptoms.

    In two consecutive samples serum +1 g/dL or urine +500 mg/24 h above the reference; or serum M-protein doubled from
    at least 0.5 g/dL from one sample to the next within 2 months (61 days). Light chains are not read here.
    """
    serum, urine = view.followed.markers[SERUM], view.followed.markers[URINE]
    waited = samples.day_of(serum.following_key) - samples.day_of(serum.keys)
    doubled = at_least(serum.value, _DOUBLING_FROM_G_DL) & at_least(serum.following, 2 * serum.value)
    doubled &= (serum.line >= 0) & (waited <= _DOUBLING_DAYS)
    keys = [serum.following_key[doubled]]
    for marker, limit in ((serum, 1.0), (urine, 500.0)):
        risen = at_least(marker.value - marker.low, limit) & at_least(marker.following - marker.low, limit)
        keys.append(marker.keys[(marker.line >= 0) & risen])
    first = view.lines.start + 1
    return samples.first_between(np.unique(np.concatenate(keys)), view.lines.patient, first, view.lines.until)
