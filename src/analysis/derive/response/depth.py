"""How deep is the response at each sample, and which level is confirmed?

Levels are numbers here: PD 0, SD 1, MR 2, PR 3, VGPR 4, CR 5, sCR 6. Kumar et al., Lancet Oncol 2016;17:e328;
confirmation as in the table of pharmaverse/admiralonco `adrs_imwg` (2026).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.derive.response import followed, samples
from analysis.derive.response.followed import LIGHT_CHAINS, MARKERS, MARROW, SERUM, URINE
from analysis.derive.response.picture import Picture
from analysis.derive.response.progression import at_least

PD, SD, MR, PR, VGPR, CR, SCR = range(7)
WORDS = np.array(["PD", "SD", "MR", "PR", "VGPR", "CR", "sCR", "NE"], dtype=object)  # "NE" answers to -1
_NEGATIVE = {"negative": 0.0, "positive": 1.0}


def levels(view: Picture) -> pd.DataFrame:
    """One row per sample of the marker that leads its line: row (of the line), day, value, level, progressed."""
    parts = []
    for name in MARKERS:
        marker, rise = view.followed.markers[name], view.rises[name]
        at = np.flatnonzero((marker.line >= 0) & (view.followed.leading[marker.line] == name))
        line = marker.line[at]
        rows = {"row": line, "key": marker.keys[at], "value": marker.value[at], "baseline": marker.baseline[line]}
        rows |= {"reference": marker.low[at], "met": rise.met[at]}
        parts.append(pd.DataFrame({"parameter": name, **rows}))
    rows = pd.concat(parts, ignore_index=True).sort_values("key", ignore_index=True)
    rows["day"] = samples.day_of(rows["key"].to_numpy())
    rows["progressed"] = rows["day"].to_numpy() >= view.progression_day[rows["row"].to_numpy()]
    # Before depth: a rise from the nadir is progression even where the value is still far below baseline.
    rows["level"] = np.where(_met_by_any(rows, view), PD, _depth(rows, view))
    return rows


def _met_by_any(rows: pd.DataFrame, view: Picture) -> np.ndarray:
    """Does any marker meet its rule on the day of the sample, or is there a new lesion?"""
    keys = rows["key"].to_numpy()
    found = rows["met"].to_numpy() | np.isin(keys, view.lesions)
    for name, rise in view.rises.items():
        found |= np.isin(keys, view.followed.markers[name].keys[rise.met])
    return found


def _depth(rows: pd.DataFrame, view: Picture) -> np.ndarray:
    strict = view.criteria.mode == "strict"
    items = _items(rows, view)
    leads = {name: (rows["parameter"] == name).to_numpy() for name in MARKERS}
    own = _own_level(rows, leads, view.criteria.imwg_version)
    level = own.copy()
    in_urine = _urine_level(items["urine"], items["urine_baseline"], view.criteria.imwg_version)
    both = leads[SERUM] & ~np.isnan(items["urine"])
    level[both] = np.minimum(level, in_urine)[both]
    if strict:
        level = _one_down(level, leads[SERUM] & np.isnan(items["urine"]) & ((level >= VGPR) | items["urine_needed"]))
        level = _by_plasmacytoma(level, items, view.criteria.imwg_version)
    return _complete(level, own, leads, items, strict)


def _one_down(level: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """A missing item takes the response down one level, no lower than stable."""
    return np.where(missing, np.maximum(level - 1, SD), level)


def _items(rows: pd.DataFrame, view: Picture) -> dict[str, np.ndarray]:
    """What else was known on each day: urine, immunofixation, marrow, light-chain ratio, plasmacytoma."""
    line, day = rows["row"].to_numpy(), rows["day"].to_numpy()
    patient, start = view.lines.patient[line], view.lines.start[line]
    recent = np.maximum(day - view.criteria.carry_days, start + 1)
    since_start = start + 1

    def of(finding: str, meaning: dict[str, float], not_before: np.ndarray) -> np.ndarray:
        return samples.latest(samples.results(view.findings, finding, meaning), patient, day, not_before)

    urine = view.followed.markers[URINE]
    masses = view.findings.loc[view.findings["finding"] == "plasmacytoma", "key"].to_numpy("int64")
    shrunk = {str(percent): float(percent) for percent in range(101)}
    return {
        "serum": samples.latest(view.tests[SERUM], patient, day, recent),
        "urine": samples.latest(view.tests[URINE], patient, day, recent),
        "urine_baseline": urine.baseline[line],
        "urine_needed": view.followed.follows[URINE][line] | np.isnan(urine.baseline[line]),
        "serum_fixation": of("serum immunofixation", _NEGATIVE, recent),
        "urine_fixation": of("urine immunofixation", _NEGATIVE, recent),
        "marrow": samples.latest(view.tests[MARROW], patient, day, since_start),
        "clonal": of("clonal marrow cells", _NEGATIVE, since_start),
        "ratio_normal": followed.ratio_is_normal(view.followed.ratio, patient, day, view.criteria.carry_days),
        "plasmacytoma": samples.any_between(masses, patient, start - view.criteria.baseline_before_days, start),
        "shrunk_percent": of("plasmacytoma shrinkage percent", shrunk, since_start),
    }


def _own_level(rows: pd.DataFrame, leads: dict[str, np.ndarray], version: int) -> np.ndarray:
    """The level that the leading marker alone supports."""
    value, baseline = rows["value"].to_numpy(), rows["baseline"].to_numpy()
    fallen = [at_least(baseline - value, share * baseline) for share in (0.9, 0.5, 0.25)]
    serum = np.select(fallen, [VGPR, PR, MR], SD)
    chains = np.select(fallen[:2], [VGPR, PR], SD)
    marrow = np.where(fallen[1], PR, SD)
    urine = _urine_level(value, baseline, version)
    return np.select([leads[name] for name in MARKERS], [serum, urine, chains, marrow], SD)


def _urine_level(value: np.ndarray, baseline: np.ndarray, version: int) -> np.ndarray:
    """VGPR below 100 mg/24 h; PR 90 % less or below 200; MR half (2011: and still above 200)."""
    half = at_least(baseline - value, 0.5 * baseline)
    minor = half & (value > 200) if version == 2011 else half
    return np.select(
        [value < 100, (value < 200) | at_least(baseline - value, 0.9 * baseline), minor], [VGPR, PR, MR], SD
    )


def _by_plasmacytoma(level: np.ndarray, items: dict[str, np.ndarray], version: int) -> np.ndarray:
    """A plasmacytoma of the start must have shrunk by half for PR; for MR by half (2016) or a quarter (2011)."""
    here, shrunk = items["plasmacytoma"], items["shrunk_percent"]
    level = _one_down(level, here & np.isnan(shrunk) & (level >= MR))
    cap = np.where(shrunk >= 50, SCR, np.where((shrunk >= 25) & (version == 2011), MR, SD))
    return np.where(here & ~np.isnan(shrunk), np.minimum(level, cap), level)


def _complete(level, own, leads, items, strict: bool) -> np.ndarray:
    """CR and sCR: nothing by immunofixation in serum and urine, < 5 % marrow plasma cells, no plasmacytoma."""
    value_gone = {SERUM: items["serum"], URINE: items["urine"]}
    negative = [items["serum_fixation"] == 0, items["urine_fixation"] == 0]
    marrow = items["marrow"] < 5
    if not strict:
        fixations = (items["serum_fixation"], items["urine_fixation"])
        negative = [
            known_negative | (np.isnan(fixation) & ~(value_gone[name] > 0))
            for known_negative, fixation, name in zip(negative, fixations, (SERUM, URINE), strict=True)
        ]
        marrow |= np.isnan(items["marrow"])
    whole = negative[0] & negative[1] & marrow
    whole &= np.where(leads[LIGHT_CHAINS], items["ratio_normal"] == 1, leads[MARROW] | (own >= VGPR))
    if strict:
        whole &= ~items["plasmacytoma"] | (items["shrunk_percent"] == 100)
    stringent = whole & (items["ratio_normal"] == 1) & (items["clonal"] == 0)
    return np.where(stringent, SCR, np.where(whole, CR, level))


def confirmed(rows: pd.DataFrame, two_samples: bool) -> np.ndarray:
    """The confirmed level after each row (row, level, progressed, sorted): the table of confirmation, by line.

    Two consecutive levels of MR or better confirm the lower one, anything else after such a level confirms SD; it is
    never lower than what was confirmed before. A progression that nothing confirms is not evaluable: what was
    confirmed before stays, -1 where there is nothing. After a confirmed one all is PD.
    """
    level, line = rows["level"].to_numpy(), rows["row"]
    following = rows.groupby("row")["level"].shift(-1).to_numpy()
    pair = np.where((level >= MR) & (following >= MR), np.fmin(level, following), SD) if two_samples else level
    pair = np.where(level == PD, -1, pair)
    reached = pd.Series(pair).groupby(line.to_numpy()).cummax().to_numpy()
    return np.where(rows["progressed"], PD, reached).astype(int)
