"""Dates to days since the patient's index date. No calendar date goes further than this file; a year is kept."""

from __future__ import annotations

import pandas as pd

from analysis.sources.parsing import fault, faults_at
from analysis.sources.tables.layout import LAYOUTS, date_name

Frames = dict[str, pd.DataFrame]


def dates_to_days(frames: Frames, files: dict[str, str]) -> tuple[Frames, list[pd.DataFrame]]:
    """Every column *_date becomes *_day = date - index_date of the patient; index_date becomes index_year.

    All files of a cohort give days, or all give dates: which it is, the file of patients says.
    """
    dated = {name: dates_of(frame, name) for name, frame in frames.items()}
    faults = _mixed(frames, files, dated)
    patients = frames.get("patients")
    if patients is None:
        return {name: frame.drop(columns=list(dated[name])) for name, frame in frames.items()}, faults
    if any(dated.values()):
        faults += _without_index_date(patients, files["patients"])
    index_date = pd.Series(pd.NA, index=patients.index, dtype="Int64")
    if "index_date" in patients:
        index_date = patients["index_date"]
    known = patients["patient_id"].notna() & ~patients["patient_id"].duplicated()
    index_of = pd.Series(index_date[known].array, index=patients.loc[known, "patient_id"].array)
    counted = {name: _counted(frame, dated[name], index_of) for name, frame in frames.items()}
    counted["patients"] = _index_year(counted["patients"])
    return counted, faults


def dates_of(frame: pd.DataFrame, name: str) -> dict[str, str]:
    """The date columns of a frame and the day columns that they become."""
    pairs = {date_name(column): column.name for column in LAYOUTS[name].columns}
    return {date: day for date, day in pairs.items() if date and date in frame}


def as_given(faults: list[pd.DataFrame], frames: Frames, files: dict[str, str]) -> list[pd.DataFrame]:
    """Faults found after dates became days, as the files have it: their own columns and the dates that stand there.

    `frames` are those from before `dates_to_days`.
    """
    dated = {files[name]: (frame, dates_of(frame, name)) for name, frame in frames.items()}
    return [_in_dates(found, *dated[found["file"].iloc[0]]) if len(found) and found["file"].iloc[0] in dated else found
            for found in faults]  # fmt: skip


def _in_dates(faults: pd.DataFrame, frame: pd.DataFrame, dated: dict[str, str]) -> pd.DataFrame:
    faults = faults.copy()
    for date, day in dated.items():
        here = (faults["column"] == day) & faults["line"].isin(frame.index)
        stood = pd.to_datetime(frame[date].reindex(faults.loc[here, "line"]).astype("Float64"), unit="D")
        faults.loc[here, "value"] = stood.dt.strftime("%Y-%m-%d").fillna("").to_numpy()
        faults.loc[faults["column"] == day, "column"] = date
        faults["mend"] = faults["mend"].str.replace(rf"\b{day}\b", date, regex=True)
    return faults.assign(
        mend=faults["mend"].str.replace("last_contact_day", "last_contact_date") if dated else faults["mend"]
    )


def _mixed(frames: Frames, files: dict[str, str], dated: dict[str, dict[str, str]]) -> list[pd.DataFrame]:
    """Days in one place and dates in another: from which day the days count is then anybody's guess."""
    days = {
        name: [
            column.name
            for column in LAYOUTS[name].columns
            if date_name(column) and column.name in frame and frame[column.name].notna().any()
        ]
        for name, frame in frames.items()
    }
    if not (any(days.values()) and any(dated.values())):
        return []
    dates_lead = bool(dated.get("patients"))
    strangers = days if dates_lead else dated
    expected = "dates, as in the file of patients, came days" if dates_lead else "days, as elsewhere, came dates"
    mend = "dates and days are mixed: give one kind in all files"
    return [fault(files[name], expected, mend, column) for name, columns in strangers.items() for column in columns]


def _without_index_date(patients: pd.DataFrame, file: str) -> list[pd.DataFrame]:
    mend = "give the day from which the patient's clock counts, such as the start of the first treatment"
    if "index_date" not in patients:
        return [fault(file, "the column 'index_date', because dates are given", mend, "index_date")]
    empty = patients.index[patients["index_date"].isna()]
    return [faults_at(file, "index_date", empty, [""] * len(empty), "a date, because dates are given", mend)]


def _counted(frame: pd.DataFrame, dated: dict[str, str], index_of: pd.Series) -> pd.DataFrame:
    if not dated:
        return frame
    index_date = frame["patient_id"].map(index_of).astype("Int64")
    days = {day: frame[date].astype("Int64") - index_date for date, day in dated.items()}
    return frame.drop(columns=[*dated, *(day for day in days if day in frame)]).assign(**days)


def _index_year(patients: pd.DataFrame) -> pd.DataFrame:
    if "index_date" not in patients:
        return patients
    years = pd.to_datetime(patients["index_date"].astype("Float64"), unit="D").dt.year.astype("Int64")
    given = patients.get("index_year", years)
    return patients.drop(columns="index_date").assign(index_year=given.fillna(years))
