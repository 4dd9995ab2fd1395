"""How long each patient was under observation, and on which days the disease was assessed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema
from analysis.vocabulary import MARKERS


def check_deaths(frame: pd.DataFrame, with_progression: bool) -> None:
    """Raise one SchemaError that names every kind of day after the patient's death; `frame` has lines and deaths."""
    faults = []
    for column in ("start_day", *(["progression_day"] if with_progression else [])):
        late = (frame[column] > frame["death_day"]).fillna(False).astype(bool)
        if late.any():
            first = frame[late].iloc[0]
            faults.append(
                f"line {first['line']}, column {column!r}: expected a day no later than the patient's death, came day "
                f"{first[column]} with death on day {first['death_day']} ({late.sum()} line(s) in all); "
                "correct this day or the day of death in the source"
            )
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise schema.SchemaError(f"spells: {len(faults)} fault(s) in the lines\n{listing}")


def observation(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, after_last_contact: str) -> pd.DataFrame:
    """Per patient: entry_day, death_day and the day on which observation ends."""
    patients = cohort["patients"][["patient_id", "entry_day", "last_contact_day", "death_day"]].copy()
    until = patients["last_contact_day"].astype("float64")
    if after_last_contact == "extend":
        recorded = [frame for frame in (cohort.get("treatments"), lines) if frame is not None]
        days = pd.concat([frame[["patient_id", name]].set_axis(["patient_id", "day"], axis=1)
                          for frame in recorded for name in ("start_day", "end_day")])  # fmt: skip
        days = pd.concat([days, *_progressions(cohort.get("findings"), lines)])
        last_seen = days.astype({"day": "float64"}).groupby("patient_id")["day"].max()
        until = np.fmax(until, patients["patient_id"].map(last_seen).astype("float64"))
    dead = patients["death_day"].notna()
    patients["observed_until"] = until.where(~dead, patients["death_day"].astype("float64")).astype("int64")
    return patients.drop(columns="last_contact_day")


def _progressions(findings: pd.DataFrame | None, lines: pd.DataFrame) -> list[pd.DataFrame]:
    """Patient and day of every recorded progression: whoever was found to progress was alive and watched that day."""
    parts = []
    if "progression_day" in lines:
        parts.append(lines[["patient_id", "progression_day"]].rename(columns={"progression_day": "day"}))
    if findings is not None:
        parts.append(findings.loc[findings["finding"] == "progression", ["patient_id", "day"]])
    return parts


def assessments(cohort: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """On which days was the disease of each patient assessed? Days of a marker in LABS or of a recorded progression.

    Returns the columns patient_id and day, each pair once, sorted by both.

    Example
    -------
    >>> labs = pd.DataFrame({"patient_id": "a", "day": [9, 9, 5, 7], "test": [*MARKERS[:2], MARKERS[0], "LDH"]})
    >>> assessments({"labs": labs})["day"].tolist()
    [5, 9]
    """
    kept = {"labs": ("test", MARKERS), "findings": ("finding", ("progression", "best response"))}
    parts = [
        cohort[table].loc[cohort[table][column].isin(words), ["patient_id", "day"]]
        for table, (column, words) in kept.items()
        if table in cohort
    ]
    found = pd.concat(parts) if parts else pd.DataFrame({"patient_id": [], "day": []})
    return found.astype({"day": "int64"}).drop_duplicates().sort_values(["patient_id", "day"], ignore_index=True)


def last_assessment(assessed: pd.DataFrame, patient: pd.Series, day: pd.Series, origin: pd.Series) -> pd.Series:
    """The last day of assessment up to `day`, row by row; `origin` where there was none since."""
    asked = pd.DataFrame({"patient_id": patient, "asked": day.astype("float64")}).reset_index(names="row")
    known = assessed[["patient_id", "day"]].astype({"day": "float64"}).sort_values("day", kind="stable")
    answered = pd.merge_asof(
        asked.sort_values("asked", kind="stable"), known, left_on="asked", right_on="day", by="patient_id"
    )
    return answered.set_index("row")["day"].reindex(day.index).fillna(origin).clip(lower=origin)


def still_treated(lines: pd.DataFrame, treatments: pd.DataFrame | None) -> pd.Series:
    """Which lines, sorted by patient and line, hold a treatment whose end nobody wrote down?"""
    if treatments is None or "end_day" not in treatments:
        return pd.Series(False, index=lines.index)
    going_on = treatments.loc[treatments["end_day"].isna(), ["patient_id", "start_day"]].dropna()
    starts = lines.loc[:, ["patient_id", "line", "start_day"]].sort_values("start_day", kind="stable")
    placed = pd.merge_asof(
        going_on.astype({"start_day": "int64"}).sort_values("start_day", kind="stable"),
        starts.astype({"start_day": "int64"}),
        on="start_day",
        by="patient_id",
    )
    open_lines = pd.MultiIndex.from_frame(placed[["patient_id", "line"]].dropna())
    return pd.Series(pd.MultiIndex.from_frame(lines[["patient_id", "line"]]).isin(open_lines), index=lines.index)
