"""What became known in a line, and on which day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive import relapses, response
from analysis.derive.response.relapse import is_fine_enough

KEY = ["patient_id", "line"]
KINDS = ("response", "mrd", "transplanted", "maintained")
LEVELS = {name: schema.LANDMARK_SPELLS[name].words for name in ("response", "mrd")}
_GROUP_OF = {"sCR": 3, "CR": 3, "VGPR": 2, "PR": 1, "MR": 0, "SD": 0, "PD": 0}
_TRANSPLANTS = ("autologous transplant", "allogeneic transplant")


def records(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    spells: pd.DataFrame,
    mrd_sensitivity: float,
    assessments: pd.DataFrame | None,
) -> pd.DataFrame:
    """One row per record: spell (place among the spells), since (days from its time zero), kind, level.

    `level` is the place of the word in its list, 1 for a flag. A record belongs to the last line that began before
    its day; a treatment also to a line that begins with it. What was known before time zero counts as known on it.
    """
    if not 0 < mrd_sensitivity < 1:
        raise ValueError(f"mrd_sensitivity: expected a share such as 1e-5, came {mrd_sensitivity!r}")
    if not set(KEY) <= set(lines) or "start_day" not in lines or lines.empty:
        parts = []  # ready spells: no day of the patient's clock is known
    else:
        parts = [_responses(cohort, lines, assessments), _mrd(cohort, lines, mrd_sensitivity)]
        parts += _treatments(cohort, lines)
    found = [part for part in parts if len(part)]
    if not found:
        return pd.DataFrame({"spell": [], "since": [], "kind": [], "level": []}).astype({"spell": int, "level": int})
    zero = lines[[*KEY, "start_day"]].rename(columns={"start_day": "zero"})
    if "start_day" in spells:
        zero = spells[[*KEY, "start_day"]].rename(columns={"start_day": "zero"})
    place = spells[KEY].reset_index(drop=True).assign(spell=np.arange(len(spells)))
    rows = pd.concat(found, ignore_index=True).merge(place.merge(zero, on=KEY), on=KEY)
    rows["since"] = (rows["day"] - rows["zero"]).clip(lower=0).astype(float)
    return rows[["spell", "since", "kind", "level"]].sort_values(["spell", "since"], ignore_index=True)


def on_file(cohort: dict[str, pd.DataFrame]) -> dict[str, bool]:
    """Does the source keep such records at all? Without them a flag is missing, not false."""
    treatments = cohort.get("treatments")
    return {"transplanted": treatments is not None, "maintained": treatments is not None and "phase" in treatments}


def _responses(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, assessments: pd.DataFrame | None) -> pd.DataFrame:
    """Confirmed responses by the markers, each on the day of the sample that confirms it: before, nobody knew it.

    Only a source without markers is asked what it states: its "best response" is a judgement of the whole line, and
    the day that it bears may have been set looking back.
    """
    if assessments is None and relapses.has_markers(cohort):
        assessments = response.assess(cohort, lines, mode="lab_only")
    if assessments is not None:
        seen = schema.check(assessments, schema.ASSESSMENTS)
        seen = seen.assign(day=seen.groupby(KEY)["day"].shift(-1), level=seen["confirmed"].map(_GROUP_OF))
        seen = seen.dropna(subset=["day", "level"])[[*KEY, "day", "level"]]
        return seen.astype({"level": int}).assign(kind="response")
    if "findings" not in cohort:
        return pd.DataFrame()
    stated = cohort["findings"][cohort["findings"]["finding"] == "best response"]
    return _placed(stated.assign(level=stated["value"].map(_GROUP_OF)).dropna(subset=["level"]), lines, "response")


def _mrd(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, sensitivity: float) -> pd.DataFrame:
    if "findings" not in cohort:
        return pd.DataFrame()
    tests = cohort["findings"][cohort["findings"]["finding"] == "MRD"]
    result = tests["value"].astype("str").str.lower()
    negative = result.str.startswith("negative")
    read = result.str.startswith("positive") | (negative & is_fine_enough(result, sensitivity))
    # LEVELS has positive first
    return _placed(tests.assign(level=negative.astype(int))[read.to_numpy(bool)], lines, "mrd")


def _treatments(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame) -> list[pd.DataFrame]:
    treatments = cohort.get("treatments")
    if treatments is None:
        return []
    given = treatments.rename(columns={"start_day": "day"}).dropna(subset=["day"]).assign(level=1)
    parts = [_placed(given[given["agent"].isin(_TRANSPLANTS)], lines, "transplanted", exact=True)]
    if "phase" in given:
        parts.append(_placed(given[given["phase"] == "maintenance"], lines, "maintained", exact=True))
    return parts


def _placed(rows: pd.DataFrame, lines: pd.DataFrame, kind: str, exact: bool = False) -> pd.DataFrame:
    """The rows with the line in which their day falls: the last that began before it (`exact`: or on it)."""
    rows = rows[["patient_id", "day", "level"]].astype({"day": "int64", "level": int})
    starts = lines[[*KEY, "start_day"]].astype({"start_day": "int64"})
    placed = pd.merge_asof(
        rows.sort_values("day", kind="stable"),
        starts.sort_values("start_day", kind="stable"),
        left_on="day",
        right_on="start_day",
        by="patient_id",
        allow_exact_matches=exact,
    )
    return placed.dropna(subset=["line"]).astype({"line": "int64"})[[*KEY, "day", "level"]].assign(kind=kind)


def with_words(frame: pd.DataFrame, codes: dict[str, np.ndarray], kept: dict[str, bool]) -> pd.DataFrame:
    """The frame with what was known as words (in the order of their lists) and flags."""
    known = {
        kind: pd.Categorical.from_codes(
            codes[kind].astype(int), categories=list(LEVELS[kind])
        ).remove_unused_categories()
        for kind in LEVELS
    }
    flags = {
        kind: pd.array(codes[kind] == 1 if there else [pd.NA] * len(frame), dtype="boolean")
        for kind, there in kept.items()
    }
    return frame.assign(**known, **flags)


def check_spells(spells: pd.DataFrame) -> None:
    """Raise where the spells cannot be asked, or bring a column of ours."""
    schema.check(spells, schema.SPELLS)
    taken = [name for name in (*KINDS, "landmark_days") if name in spells]
    if taken:
        raise schema.SchemaError(f"spells: expected none of {taken}, which are made here; rename or drop them")
