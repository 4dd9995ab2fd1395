"""Everything that the records say about each line, put in order once: what all answers of this folder start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive.response import course, followed, samples
from analysis.derive.response.course import Course
from analysis.derive.response.criteria import Criteria
from analysis.derive.response.followed import MARKERS, Followed
from analysis.derive.response.progression import Rise, firsts
from analysis.derive.response.samples import Samples

NEW_LESIONS = ("new bone lesion", "new plasmacytoma", "new lesion", "lesion growth")
PROGRESSION_BY = (*MARKERS, "calcium", "lesion")


@dataclass(frozen=True)
class Picture:
    """The lines, their markers and findings, and per line when and by what it progressed (day missing: it did not)."""

    frame: pd.DataFrame
    lines: Course
    criteria: Criteria
    tests: dict[str, Samples]
    findings: pd.DataFrame
    followed: Followed
    rises: dict[str, Rise]
    lesions: np.ndarray
    progression_day: np.ndarray
    confirmed_day: np.ndarray
    progression_by: np.ndarray


def picture(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, criteria: Criteria) -> Picture:
    """Read, place and judge every sample and finding of these lines."""
    absent = [name for name in ("patient_id", "line", "start_day") if name not in lines]
    if absent:
        raise schema.SchemaError(f"response: lines lack {absent}, came {list(lines.columns)}; use a table LINES")
    frame = lines.sort_values(["patient_id", "line"], ignore_index=True)[["patient_id", "line", "start_day"]]
    patient, distinct = pd.factorize(frame["patient_id"])
    names = pd.Index(distinct)
    along = course.course(patient, frame["line"].to_numpy("int64"), frame["start_day"].to_numpy("int64"))
    _check_order(frame, along)
    death = _deaths(cohort.get("patients"), names)
    tests = samples.laboratory(cohort.get("labs"), names, death)
    found = samples.findings(cohort.get("findings"), names, death)
    seen = followed.followed(tests, along, criteria)
    rises = followed.rises(seen, along, _confirming_deaths(death, found, criteria), criteria)
    lesions = _lesions(found, along, criteria)
    day, confirmed, by = _first_progressions(seen, rises, lesions, along)
    return Picture(frame, along, criteria, tests, found, seen, rises, lesions, day, confirmed, by)


def _check_order(frame: pd.DataFrame, along: Course) -> None:
    wrong = np.flatnonzero(along.until <= along.start)
    if len(wrong):
        first = frame.iloc[wrong[0]]
        raise schema.SchemaError(
            f"response: expected each line to start after the one before, came line {first['line']} with start_day "
            f"{first['start_day']} and a next line that starts no later ({len(wrong)} line(s)); correct the lines"
        )


def _deaths(patients: pd.DataFrame | None, names: pd.Index) -> np.ndarray:
    """Day of death per patient, inf for the living."""
    if patients is None or "death_day" not in patients:
        return np.full(len(names), np.inf)
    died = patients.dropna(subset=["death_day"]).drop_duplicates("patient_id").set_index("patient_id")["death_day"]
    return died.reindex(names).to_numpy("float64", na_value=np.inf)


def _confirming_deaths(death: np.ndarray, found: pd.DataFrame, criteria: Criteria) -> Samples:
    """Deaths that confirm a progression; the value is how many days after the sample they may come."""
    if criteria.death_confirms_days is not None:
        died = np.flatnonzero(np.isfinite(death))
        return Samples(samples.key(died, death[died]), np.full(len(died), float(criteria.death_confirms_days)))
    caused = found[(found["finding"] == "cause of death") & (found["value"] == "progression")]
    keys = np.unique(caused["key"].to_numpy("int64"))
    return Samples(keys, np.full(len(keys), np.inf))


def _lesions(found: pd.DataFrame, along: Course, criteria: Criteria) -> np.ndarray:
    """Sorted keys of new or growing lesions; a plasmacytoma is new where none is on record at the line's start."""
    if criteria.mode == "lab_only":
        return np.empty(0, "int64")
    masses = found.loc[(found["finding"] == "plasmacytoma") & (found["value"] == ""), "key"].to_numpy("int64")
    at_start = samples.any_between(masses, along.patient, along.start - criteria.baseline_before_days, along.start)
    line = along.line_of(masses)
    fresh = masses[(line >= 0) & ~at_start[line]] if len(at_start) else masses[:0]
    stated = found.loc[found["finding"].isin(NEW_LESIONS), "key"].to_numpy("int64")
    return np.unique(np.concatenate([stated, fresh]))


def _first_progressions(seen: Followed, rises: dict[str, Rise], lesions: np.ndarray, along: Course):
    """Per line the progression that was confirmed first: its day, the day that confirms it, what showed it.

    First confirmed, not first begun: else a late sample of one marker would move a progression that another marker
    had long shown. What is confirmed on one day counts from the earlier beginning.
    """
    size = len(along.start)
    day, confirmed, by = np.full(size, np.nan), np.full(size, np.nan), np.full(size, "", dtype=object)
    for name in PROGRESSION_BY:
        if name == "lesion":
            line = along.line_of(lesions)
            at = firsts(line, line >= 0, size)
            keys, confirming = lesions, lesions
        else:
            keys, confirming = seen.markers[name].keys, rises[name].confirming_key
            at = firsts(seen.markers[name].line, rises[name].confirmed, size)
        has = np.flatnonzero(at >= 0)
        shown, sure = samples.day_of(keys[at[has]]), samples.day_of(confirming[at[has]])
        later = (confirmed[has] < sure) | ((confirmed[has] == sure) & (day[has] <= shown))
        chosen = has[~later]
        day[chosen], confirmed[chosen], by[chosen] = shown[~later], sure[~later], name
    return day, confirmed, by
