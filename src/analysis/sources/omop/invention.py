"""The synthetic patients as OMOP tables, on invented calendars: the year is theirs, the day follows from a number.

What OMOP does not carry stays behind: cytogenetics, LDH flag, fitness and lifestyle, best response, MRD, symptoms,
the kind of a progression and the phase of a treatment. The end of an ongoing treatment is written as the last day of
contact, because the model wants an end date; the reader knows that such an end was not seen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis import vocabulary
from analysis.sources.omop import layout
from analysis.sources.omop.dictionary import agent_concepts

_EHR, _ALGORITHM = 32817, 32880  # type concepts: electronic health record, standard algorithm
LOOKBACK_DAYS = 365  # observed without treatment before day 0: all of these patients are new to the disease
_LABORATORY = {"beta2_microglobulin_mg_l": "beta-2 microglobulin", "albumin_g_dl": "albumin"}
_WORDS = {"female": layout.FEMALE, "male": layout.MALE}


def omop_tables(part: Mapping[str, pd.DataFrame], rows_before: Mapping[str, int]) -> dict[str, pd.DataFrame]:
    """The clinical tables of one part; row numbers go on from those of the parts before it."""
    patients = part["patients"]
    person_id = patients["patient_id"].str.removeprefix("S").astype("int64").to_numpy()
    person = pd.Series(person_id, index=patients["patient_id"].to_numpy())
    start = pd.Series(_index_dates(patients["index_year"].to_numpy("int64"), person_id), index=person_id)
    last = pd.Series(patients["last_contact_day"].to_numpy("int64"), index=person_id)
    rows = {name: part[name].assign(person_id=part[name]["patient_id"].map(person)) for name in ("treatments", "labs")}
    tables = {
        "person": _person(patients, person_id, start),
        "observation_period": pd.DataFrame({
            "person_id": person_id,
            "observation_period_start_date": _dates(start, person_id, patients["entry_day"] - LOOKBACK_DAYS),
            "observation_period_end_date": _dates(start, person_id, patients["last_contact_day"]),
            "period_type_concept_id": _EHR,
        }),
        "death": _death(patients, person_id, start),
        "condition_occurrence": pd.DataFrame({
            "person_id": person_id,
            "condition_concept_id": layout.MYELOMA,
            "condition_start_date": start.to_numpy(),
            "condition_type_concept_id": _EHR,
        }),
        **_treatments(rows["treatments"], start, last),
        "measurement": _measurements(rows["labs"], part, person, start),
        "episode": _episodes(rows["treatments"], start, last),
    }  # fmt: skip
    return {name: _numbered(frame, name, rows_before.get(name, 0)) for name, frame in tables.items()}


def _numbered(frame: pd.DataFrame, name: str, before: int) -> pd.DataFrame:
    """The table's own key, where the model has one, as first column; sorted by person so that readers can skip."""
    frame = frame.sort_values("person_id", kind="stable", ignore_index=True)
    if name in ("person", "death"):
        return frame
    frame.insert(0, f"{name}_id", np.arange(before + 1, before + len(frame) + 1))
    return frame


def _index_dates(year: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The invented date of day 0: a day from 1 to 28 of a month, by the patient's number alone."""
    month = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + number % 12
    return month.astype("datetime64[D]") + number // 12 % 28


def _dates(start: pd.Series, person_id: np.ndarray, days: pd.Series) -> np.ndarray:
    """Day numbers as dates on the patient's calendar; typed so that Parquet and CSV hold dates, not times."""
    import pyarrow as pa

    first = start.loc[person_id].to_numpy("datetime64[D]")
    day = days.astype("Float64").to_numpy("float64", na_value=np.nan)
    date = first + np.where(np.isnan(day), 0, day).astype("timedelta64[D]")
    date = np.where(np.isnan(day), np.datetime64("NaT"), date)
    return pd.arrays.ArrowExtensionArray(pa.array(date.astype("datetime64[D]"), from_pandas=True))


def _person(patients: pd.DataFrame, person_id: np.ndarray, start: pd.Series) -> pd.DataFrame:
    """Born on the index day's own day of the year, the age in years before it."""
    date = start.to_numpy("datetime64[D]")
    month = date.astype("datetime64[M]")
    year = month.astype("datetime64[Y]")
    age = patients["age_years"].to_numpy("int64")
    return pd.DataFrame({
        "person_id": person_id,
        "gender_concept_id": patients["sex"].map(_WORDS).fillna(0).astype("int64").to_numpy(),
        "year_of_birth": year.astype("int64") + 1970 - age,
        "month_of_birth": (month - year).astype("int64") + 1,
        "day_of_birth": (date - month).astype("int64") + 1,
        "race_concept_id": 0,
        "ethnicity_concept_id": 0,
        "person_source_value": patients["patient_id"].to_numpy(object),
    })  # fmt: skip


def _death(patients: pd.DataFrame, person_id: np.ndarray, start: pd.Series) -> pd.DataFrame:
    dead = patients["death_day"].notna().to_numpy()
    date = _dates(start, person_id[dead], patients["death_day"][dead])
    return pd.DataFrame({"person_id": person_id[dead], "death_date": date, "death_type_concept_id": _EHR})


def _treatments(rows: pd.DataFrame, start: pd.Series, last: pd.Series) -> dict[str, pd.DataFrame]:
    """Drugs as exposures, transplants as procedures."""
    concept = rows["agent"].map(agent_concepts(rows["agent"]))
    kind = rows["agent"].map(vocabulary.drugs().set_index("agent")["kind"])
    end_day = rows["end_day"].fillna(rows["person_id"].map(last)).astype("int64")
    person_id = rows["person_id"].to_numpy()
    every = pd.DataFrame({
        "person_id": person_id,
        "concept_id": concept.to_numpy("int64"),
        "start_date": _dates(start, person_id, rows["start_day"]),
        "end_date": _dates(start, person_id, end_day),
        "type_concept_id": _EHR,
    })  # fmt: skip
    procedure = (kind == "transplant").to_numpy()
    names = {"concept_id": "drug_concept_id", "type_concept_id": "drug_type_concept_id",
             "start_date": "drug_exposure_start_date", "end_date": "drug_exposure_end_date"}  # fmt: skip
    procedure_names = {"concept_id": "procedure_concept_id", "type_concept_id": "procedure_type_concept_id",
                       "start_date": "procedure_date", "end_date": "procedure_end_date"}  # fmt: skip
    return {
        "drug_exposure": every[~procedure].rename(columns=names),
        "procedure_occurrence": every[procedure].rename(columns=procedure_names),
    }


def _measurements(
    labs: pd.DataFrame, part: Mapping[str, pd.DataFrame], person: pd.Series, start: pd.Series
) -> pd.DataFrame:
    """Laboratory values, the two of the stage at the index day, and a status "worsened" for each progression."""
    known = vocabulary.tests().set_index("test")
    concept = known["omop_concept_id"].str.split("|").str[0]
    units = vocabulary.unit_concepts().drop_duplicates("unit").set_index("unit")["omop_concept_id"]
    at_index = []
    for column, test in _LABORATORY.items():
        measured = part["patients"][["patient_id", column]].dropna()
        at_index.append(pd.DataFrame({
            "person_id": measured["patient_id"].map(person), "day": 0, "test": test, "value": measured[column],
            "unit": known.loc[test, "unit"],
        }))  # fmt: skip
    values = pd.concat([labs[["person_id", "day", "test", "value", "unit"]], *at_index], ignore_index=True)
    progressed = part["findings"][part["findings"]["finding"] == "progression"]
    progressed = progressed[["patient_id", "day"]].drop_duplicates()
    person_id = np.concatenate([values["person_id"], progressed["patient_id"].map(person)]).astype("int64")
    count = len(progressed)
    return pd.DataFrame({
        "person_id": person_id,
        "measurement_concept_id": np.concatenate(
            [values["test"].map(concept).astype("int64"), [layout.DISEASE_STATUS] * count]
        ).astype("int64"),
        "measurement_date": _dates(start, person_id, pd.concat([values["day"], progressed["day"]], ignore_index=True)),
        "measurement_type_concept_id": _EHR,
        "value_as_number": np.concatenate([values["value"], np.full(count, np.nan)]),
        "value_as_concept_id": np.concatenate([np.zeros(len(values)), [layout.WORSENED] * count]).astype("int64"),
        "unit_concept_id": np.concatenate([values["unit"].map(units), np.zeros(count)]).astype("int64"),
    })  # fmt: skip


def _episodes(rows: pd.DataFrame, start: pd.Series, last: pd.Series) -> pd.DataFrame:
    """One episode per line, from its first treatment to the end of its last."""
    ended = rows.assign(end_day=rows["end_day"].fillna(rows["person_id"].map(last)).astype("int64"))
    lines = ended.groupby(["person_id", "line"]).agg(start_day=("start_day", "min"), end_day=("end_day", "max"))
    lines = lines.reset_index()
    person_id = lines["person_id"].to_numpy("int64")
    return pd.DataFrame({
        "person_id": person_id,
        "episode_concept_id": layout.LINE_EPISODE,
        "episode_start_date": _dates(start, person_id, lines["start_day"]),
        "episode_end_date": _dates(start, person_id, lines["end_day"]),
        "episode_number": lines["line"].astype("int64").to_numpy(),
        "episode_object_concept_id": 0,
        "episode_type_concept_id": _ALGORITHM,
    })  # fmt: skip
