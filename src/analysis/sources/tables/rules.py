"""What must hold within and between the tables of one cohort: each rule finds the rows that break it."""

from __future__ import annotations

import pandas as pd

from analysis.sources.parsing import fault, faults_at

Frames = dict[str, pd.DataFrame]
Faults = list[pd.DataFrame]

_DAYS = {
    "treatments": ("start_day", "end_day"),
    "labs": ("day",),
    "findings": ("day",),
    "lines": ("start_day", "end_day", "progression_day"),
}
_LATER = "a progression after the line's start"
_LEFT_OUT = "it does not count as a relapse of this line: correct the day, or name the line before"
_AFTER_DEATH = {
    "treatments": "a line that starts before the patient's death",
    "lines": "a line that starts before the patient's death",
    "findings": "a finding before the patient's death",
    "labs": "a sample taken before the patient's death",
}


def broken_rules(frames: Frames, files: dict[str, str], all_patients: bool = True) -> Faults:
    """Every row that contradicts another, or itself; frames are indexed by line.

    `all_patients` is false when rows of the file of patients could not be read: who is missing there is then unknown.
    """
    faults = _patients(frames["patients"], files["patients"]) if "patients" in frames else []
    for name in ("treatments", "lines", "spells", "labs", "findings"):
        if name in frames:
            faults += _against_patients(frames, name, files[name], all_patients)
    if "treatments" in frames:
        faults += _treatments(frames["treatments"], files["treatments"])
        if "findings" in frames and "lines" not in frames:
            faults += _progressions(frames, files["findings"])
    if "lines" in frames:
        faults += _lines(frames["lines"], files["lines"])
    if "spells" in frames:
        faults += _spells(frames["spells"], files["spells"])
    return [frame for frame in faults if len(frame)]


def _rows(frame: pd.DataFrame, broken: pd.Series, file: str, column: str, expected: str, mend: str,
          severity: str = "error") -> pd.DataFrame:  # fmt: skip
    found = broken.fillna(False).to_numpy(dtype=bool)
    lines, values = frame.index[found], frame.loc[found, column]
    return faults_at(file, column, lines, values, expected, mend, severity)


def without_follow_up(frame: pd.DataFrame, file: str) -> Faults:
    """Living patients without a last contact; asked of the cells as they came, days or dates."""
    last, death = (
        next((name for name in (f"{word}_day", f"{word}_date") if name in frame), None)
        for word in ("last_contact", "death")
    )
    if last is None or death is None:
        return []
    open_end = frame[last].isna() & frame[death].isna()
    return [_rows(frame, open_end, file, last, "a last contact for every living patient", "fill it in")]


def _patients(frame: pd.DataFrame, file: str) -> Faults:
    death, last, entry = frame["death_day"], frame["last_contact_day"], frame["entry_day"].fillna(0)
    repeated = frame["patient_id"].duplicated() & frame["patient_id"].notna()
    before = (death < entry) | (death < 0)
    early = (last < entry) & death.isna()
    checks = [
        (repeated, "patient_id", "each patient once", "keep one row per patient"),
        (before, "death_day", "death on or after day 0 and the day of entry", "correct one of the days"),
        (early, "last_contact_day", "last contact on or after the day of entry", "correct one of the days"),
        (last > death, "last_contact_day", "last contact no later than death", "correct one of the days"),
    ]
    return [_rows(frame, *check[:1], file, *check[1:]) for check in checks]


def _against_patients(frames: Frames, name: str, file: str, all_patients: bool) -> Faults:
    """Rows of patients that are not in the file of patients, after their death, or after their last contact."""
    frame = frames[name]
    if "patients" not in frames:
        return []
    patients = frames["patients"].dropna(subset=["patient_id"]).drop_duplicates("patient_id").set_index("patient_id")
    sure = all_patients and len(patients) > 0
    known = frame["patient_id"].isin(patients.index) | frame["patient_id"].isna() | (not sure)
    faults = [
        _rows(frame, ~known, file, "patient_id", "a patient who is in the file of patients", "add the patient there")
    ]
    if name not in _DAYS:
        return faults
    death = frame["patient_id"].map(patients["death_day"]).astype("Int64")
    last = frame["patient_id"].map(patients["last_contact_day"]).astype("Int64")
    first, *later = _DAYS[name]
    severity, mend = ("warning" if name == "labs" else "error"), "correct this day or the day of death"
    faults.append(_rows(frame, frame[first] > death, file, first, _AFTER_DEATH[name], mend, severity))
    for column in later:
        after = (frame[column] > death) & ~(frame[first] > death).fillna(False)
        severity = "error" if column == "progression_day" else "warning"
        faults.append(_rows(frame, after, file, column, "a day no later than the patient's death", mend, severity))
    if name != "labs":
        lost = (frame[first] > last) & death.isna()
        expected = "no day after the last contact with the patient"
        mend = "set last_contact_day to the last day the patient was known to be alive"
        faults.append(_rows(frame, lost, file, first, expected, mend, "warning"))
        if "progression_day" in later:
            lost = (frame["progression_day"] > last) & death.isna() & ~(frame[first] > last).fillna(False)
            faults.append(_rows(frame, lost, file, "progression_day", expected, mend, "warning"))
    return faults


def _treatments(frame: pd.DataFrame, file: str) -> Faults:
    stated = frame.dropna(subset=["patient_id", "line"])
    lines = (
        stated.rename_axis("row").reset_index()
        .groupby(["patient_id", "line"], as_index=False)
        .agg(start_day=("start_day", "min"), end_day=("end_day", "max"), row=("row", "first"))
        .set_index("row")
    )  # fmt: skip
    return [
        _rows(
            frame, frame["end_day"] < frame["start_day"], file, "end_day", "an end on or after the start", "correct one"
        ),
        *_sequence(lines, file, overlap="warning"),
    ]


def _progressions(frames: Frames, file: str) -> Faults:
    """Progressions that state a line but do not come after its start: they are in no line."""
    findings, treatments, patients = frames["findings"], frames["treatments"], frames.get("patients")
    if "line" not in findings:
        return []
    key = ["patient_id", "line"]
    starts = treatments.dropna(subset=key).groupby(key)["start_day"].min().rename("start")
    start = findings[key].join(starts, on=key)["start"]
    if patients is not None and "first_treatment_day" in patients:
        stated = patients.dropna(subset=["patient_id"]).drop_duplicates("patient_id").set_index("patient_id")
        stated = findings["patient_id"].map(stated["first_treatment_day"])
        start = start.mask((findings["line"] == 1).fillna(False) & stated.notna(), stated)
    early = (findings["finding"] == "progression") & (findings["day"] <= start)
    return [_rows(findings, early, file, "day", _LATER, _LEFT_OUT, "warning")]


def _lines(frame: pd.DataFrame, file: str) -> Faults:
    repeated = frame.duplicated(["patient_id", "line"]) & frame["patient_id"].notna() & frame["line"].notna()
    start, mend = frame["start_day"], "correct one of the days"
    faults = [
        _rows(frame, repeated, file, "line", "each line of a patient once", "keep one row per patient and line"),
        _rows(frame, frame["end_day"] < start, file, "end_day", "an end on or after the start", mend),
        _rows(frame, frame["progression_day"] < start, file, "progression_day", _LATER, mend),
        _rows(frame, frame["progression_day"] == start, file, "progression_day", _LATER, _LEFT_OUT, "warning"),
    ]
    sequence = frame[~repeated].dropna(subset=["patient_id", "line"])
    faults += _sequence(sequence, file, overlap="error")
    if "next_line_day" in frame:
        listed = sequence.sort_values(["patient_id", "line"]).groupby("patient_id")["start_day"].shift(-1)
        listed = listed.reindex(frame.index)
        differs = frame["next_line_day"].notna() & listed.notna() & (frame["next_line_day"] != listed)
        early = frame["next_line_day"] <= start
        expected = "the start of the next line, as in that line's own row"
        faults.append(_rows(frame, differs, file, "next_line_day", expected, mend))
        faults.append(_rows(frame, early, file, "next_line_day", "a day after the line's start", mend))
    return faults


def _sequence(lines: pd.DataFrame, file: str, overlap: str) -> Faults:
    """Lines of a patient count 1, 2, 3 without a gap, each starts after the one before and after that one's end."""
    ordered = lines.sort_values(["patient_id", "line"], kind="stable")
    patient = ordered.groupby("patient_id", sort=False)
    earlier_line = patient["line"].shift()
    earlier_start = ordered["start_day"].astype("Float64").groupby(ordered["patient_id"], sort=False).cummax()
    earlier_start = earlier_start.groupby(ordered["patient_id"], sort=False).ffill()
    earlier_start = earlier_start.groupby(ordered["patient_id"], sort=False).shift()
    skipped = ordered["line"] - earlier_line > 1
    late = earlier_line.isna() & (ordered["line"] > 1)
    disordered = ordered["start_day"] <= earlier_start
    overlapping = (patient["end_day"].shift() > ordered["start_day"]) & ~disordered.fillna(False)
    checks = [
        (skipped, "line", "lines without a gap", "add the line that was skipped, or number the lines again"),
        (disordered, "start_day", "a start after that of the line before", "correct the day or the line number"),
    ]
    begin = "line 1 first; earlier lines of these patients are unknown"
    return [
        *(_rows(ordered, broken, file, *words) for broken, *words in checks),
        _rows(ordered, overlapping, file, "start_day", "a start on or after the end of the line before",
              "lines overlap: correct the end or the start", overlap),
        _rows(ordered, late, file, "line", begin, "add them, or leave it when the patient came later", "warning"),
    ]  # fmt: skip


def _spells(frame: pd.DataFrame, file: str) -> Faults:
    repeated = frame.duplicated(["patient_id", "line"]) & frame["patient_id"].notna() & frame["line"].notna()
    late = (frame["entry"] > 0) & (frame["entry"] >= frame["time"])
    return [
        _rows(frame, repeated, file, "line", "each line of a patient once", "keep one row per patient and line"),
        _rows(
            frame,
            late,
            file,
            "entry",
            "a delayed entry before the time",
            "correct one of them (both count from line start), or leave out what was over before it could be seen",
        ),
    ]


def cohort_rules(frames: Frames, files: dict[str, str]) -> Faults:
    """The file about the cohort has one row, a name that a folder can have, and an endpoint that the data bear."""
    if "cohort" not in frames:
        return []
    frame, file = frames["cohort"], files["cohort"]
    faults = []
    if len(frame) > 1:
        faults.append(fault(file, "one row", "keep the row of this cohort", line=int(frame.index[1])))
    if "name" in frame:
        odd = frame["name"].notna() & ~frame["name"].fillna("").str.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*").astype(
            bool
        )
        faults.append(_rows(frame, odd, file, "name", "a short name of letters, digits, - and _", "shorten it"))
    return [found for found in faults if len(found)]
