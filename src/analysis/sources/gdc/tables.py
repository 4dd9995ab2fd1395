"""PATIENTS and TREATMENTS from the records of cases and treatments, by stated rules for the data's own quirks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema, vocabulary
from analysis.sources.gdc import cells, layout
from analysis.sources.gdc.cells import Faults
from analysis.sources.gdc.layout import Records

_FIRST_TREATMENT_DAY = 1  # the index date of this project is the first treatment, and its day is written 1


def once(records: Records, faults: Faults) -> Records:
    """Each record once: the export repeats rows, exactly or once per branch of its tree that this reader leaves out."""
    fields = [name for name in records.frame if name not in ("file", "line", "place")]
    repeated = records.frame.duplicated(fields)
    # In JSON every record is its own; only text rows can be a join's repeats.
    repeated &= records.frame["place"].isna()
    faults.rule(records, "case_submitter_id", repeated, "each record once", "exact repeats are counted once")
    return Records(records.frame[~repeated].reset_index(drop=True), records.headers)


def patients(clinical: Records, visits: Records, faults: Faults) -> pd.DataFrame:
    """PATIENTS, sorted by patient, days counted from the first treatment (day 1)."""
    cases = _cases(clinical, faults)
    rows = cases.frame
    death = _death_day(cases, faults)
    contact = _last_contact(cases, clinical, visits, faults)
    contact = death.where(death.notna(), contact)
    lost = contact.isna()
    faults.rule(cases, "days_to_last_follow_up", lost, "a day of last contact", "the patient is left out")
    early = contact < _FIRST_TREATMENT_DAY
    faults.rule(
        cases,
        "days_to_last_follow_up",
        early.fillna(False),
        f"last contact on or after day {_FIRST_TREATMENT_DAY}, the first treatment",
        "kept; the patient adds no time under observation",
    )
    sex = rows["sex_at_birth"].fillna(rows["gender"])
    cases.frame["gender"] = sex  # one column for both generations of the export
    frame = pd.DataFrame(
        {
            "patient_id": rows["case_submitter_id"],
            "entry_day": contact.clip(upper=_FIRST_TREATMENT_DAY),
            "last_contact_day": contact,
            "death_day": death,
            "first_treatment_day": pd.array([_FIRST_TREATMENT_DAY] * len(rows), dtype="Int64"),
            "age_years": _age(cases, faults),
            "sex": cells.words(cases, "gender", faults, layout.SEXES, layout.NOT_SAID).fillna("unknown"),
            "race": rows["race"].str.lower().where(lambda race: ~race.isin(list(layout.NOT_SAID)), None),
            "iss": cells.words(cases, "iss_stage", faults, layout.STAGES, layout.NOT_SAID).fillna("unknown"),
        }
    )
    frame = frame[~lost].sort_values("patient_id", ignore_index=True)
    return frame.astype({"entry_day": "int64", "last_contact_day": "int64"})


def treatments(clinical: Records, people: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    """TREATMENTS, sorted, one row per agent; rows that say nothing of any treatment are no treatment."""
    rows = clinical.frame
    said = rows[["regimen_or_line_of_therapy", "therapeutic_agents", "treatment_type"]].notna().any(axis=1)
    not_given = rows["treatment_or_therapy"].str.lower().eq("no")
    given = said & ~not_given & rows["case_submitter_id"].isin(people["patient_id"])
    faults.rule(clinical, "treatment_or_therapy", said & not_given, "a treatment that was given", "the row is left out")
    line = rows["regimen_or_line_of_therapy"].str.strip().str.lower().map(layout.LINE_NUMBERS).astype("Int64")
    faults.rule(
        clinical,
        "regimen_or_line_of_therapy",
        given & line.isna(),
        "First line of therapy, Second line of therapy ...",
        "kept as a treatment of no stated line",
    )
    frame = pd.DataFrame(
        {
            "patient_id": rows["case_submitter_id"],
            "start_day": cells.days(clinical, "days_to_treatment_start", faults),
            "end_day": cells.days(clinical, "days_to_treatment_end", faults),
            "agent": _agents(rows),
            "line": line,
        }
    )
    _against_time(clinical, frame[given], people, faults)
    frame = frame[given].explode("agent")
    _unknown_agents(clinical, frame["agent"], faults)
    frame["agent"] = vocabulary.canonical_agents(frame["agent"]).astype(object)
    order = ["patient_id", "line", "start_day", "end_day", "agent"]
    return frame.sort_values(order, kind="stable", ignore_index=True)


def _cases(clinical: Records, faults: Faults) -> Records:
    """The first row of each case; what a case says of itself must be the same in all its rows."""
    rows = clinical.frame
    nameless = rows["case_submitter_id"].isna()
    faults.cells(clinical, "case_submitter_id", nameless, "the case's submitter id", "fetch the export again")
    groups = rows.groupby("case_submitter_id", sort=False)
    for field in layout.CASE_FIELDS:
        # Compare with the first row of the case: an empty cell beside a filled one is a contradiction as well.
        first = groups[field].transform(lambda values: values.iloc[0])
        differs = (rows[field].fillna("") != first.fillna("")) & ~nameless
        if differs.any():
            faults.cells(clinical, field, differs, "the same in all rows of a case", "find out which one holds")
    foreign = rows["project_id"].notna() & (rows["project_id"] != layout.PROJECT)
    faults.cells(clinical, "project_id", foreign, layout.PROJECT, "this reader knows the rules of that project only")
    other_clock = rows["index_date"].notna() & (rows["index_date"].str.lower() != "first treatment")
    faults.cells(
        clinical, "index_date", other_clock, "First Treatment", "days counted from another day need other rules"
    )
    frame = rows[~nameless].drop_duplicates("case_submitter_id").reset_index(drop=True)
    return Records(frame, clinical.headers)


def _death_day(cases: Records, faults: Faults) -> pd.Series:
    """Day of death; of the dead without one, the last follow-up, as this source writes the same day in both."""
    dead = cells.words(cases, "vital_status", faults, {"alive": "alive", "dead": "dead"}, layout.NOT_SAID) == "dead"
    day = cells.days(cases, "days_to_death", faults)
    living = cases.frame["vital_status"].str.lower().eq("alive") & day.notna()
    faults.cells(cases, "days_to_death", living, "no day of death for the living", "find out which one holds")
    day = day.mask(living)  # said once; the checks against death below would only repeat it
    follow_up = cells.days(cases, "days_to_last_follow_up", faults)
    faults.rule(
        cases, "days_to_death", dead & day.isna(), "a day of death for the dead", "last follow-up stands for it"
    )
    late = (follow_up > day).fillna(False)
    faults.cells(cases, "days_to_last_follow_up", late, "no follow-up after death", "find out which one holds")
    return day.where(day.notna() | ~dead, follow_up)


def _last_contact(cases: Records, clinical: Records, visits: Records, faults: Faults) -> pd.Series:
    """Last follow-up; where the export leaves it empty, the latest visit and failing that the latest treatment day."""
    stated = cells.days(cases, "days_to_last_follow_up", faults)
    contact = stated.fillna(cells.days(cases, "days_to_last_known_disease_status", faults))
    contact = contact.fillna(_latest(cases, visits, ("days_to_follow_up",), faults))
    contact = contact.fillna(_latest(cases, clinical, ("days_to_treatment_start", "days_to_treatment_end"), faults))
    replaced = stated.isna() & contact.notna()
    expected, mend = "a day of last follow-up", "the latest known day stands for it"
    faults.rule(cases, "days_to_last_follow_up", replaced, expected, mend)
    return contact


def _latest(cases: Records, records: Records, fields: tuple[str, ...], faults: Faults) -> pd.Series:
    """The latest of some days of each case, on the rows of `cases`."""
    days = pd.concat([cells.days(records, field, faults).astype("float64") for field in fields], axis=1).max(axis=1)
    latest = days.groupby(records.frame["case_submitter_id"]).max()
    return cases.frame["case_submitter_id"].map(latest).astype("Int64")


def _age(cases: Records, faults: Faults) -> pd.Series:
    """Age in completed years at the index day; 90 stands for every age over 89."""
    stated = cells.numbers(cases, "age_at_index", faults, 0, 120, "years")
    born = cells.days(cases, "days_to_birth", faults).astype("float64")
    age = stated.fillna(np.floor(-born / schema.DAYS_PER_YEAR))
    return age.clip(upper=90)


def _agents(rows: pd.DataFrame) -> pd.Series:
    """Per row the list of what was given: the agents, and the transplant that stands in another column."""
    names = rows["therapeutic_agents"].str.split("|")
    kind = rows["treatment_type"]
    transplant = kind.str.lower().str.startswith(layout.TRANSPLANT, na=False)
    found = []
    for agents, other, is_transplant in zip(names, kind, transplant, strict=True):
        listed = [name.strip() for name in agents if name.strip()] if isinstance(agents, list) else []
        if is_transplant or (not listed and isinstance(other, str)):
            listed.append(other)
        found.append(listed or ["unknown"])
    return pd.Series(found, index=rows.index, dtype=object)


def _against_time(clinical: Records, given: pd.DataFrame, people: pd.DataFrame, faults: Faults) -> None:
    """Hold the days of treatment against one another, against death and against last contact."""
    person = people.set_index("patient_id")
    death = given["patient_id"].map(person["death_day"]).astype("Int64")
    contact = given["patient_id"].map(person["last_contact_day"]).astype("Int64")
    start, end = given["start_day"], given["end_day"]
    mend = "find out which day holds"
    faults.cells(clinical, "days_to_treatment_start", (start > death).fillna(False), "no start after death", mend)
    faults.cells(clinical, "days_to_treatment_end", (end < start).fillna(False), "no end before the start", mend)
    after_death = (end > death).fillna(False)
    faults.rule(clinical, "days_to_treatment_end", after_death, "no end after death", "kept; observation ends at death")
    late = ((start > contact) & death.isna()).fillna(False)
    expected, mend = "no start after the last follow-up", "kept; spells extend observation to it or truncate, by choice"
    faults.rule(clinical, "days_to_treatment_start", late, expected, mend)


def _unknown_agents(clinical: Records, agents: pd.Series, faults: Faults) -> None:
    """One warning per agent that the vocabulary does not know; the agent is kept under its own name."""
    unknown = agents[~vocabulary.is_known_agent(agents).astype(bool) & (agents != "unknown")]
    for agent, rows in unknown.groupby(unknown):
        met = pd.Series(True, index=rows.index.unique())
        mend = f"kept as {agent!r} of unknown class; add it to the vocabulary"
        faults.rule(clinical, "therapeutic_agents", met, "a treatment that the vocabulary knows", mend)
