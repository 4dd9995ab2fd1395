"""From the engine's rows to the canonical tables: words for numbers, canonical units, exact types, a fixed order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema, vocabulary
from analysis.sources.omop.concepts import Words
from analysis.sources.omop.layout import BASELINE_DAYS, FEMALE, MALE, OLDEST

BASELINES = {
    "beta-2 microglobulin": "beta2_microglobulin_mg_l",
    "albumin": "albumin_g_dl",
    "creatinine": "creatinine_mg_dl",
}


def patients(rows: pd.DataFrame, labs: pd.DataFrame | None) -> pd.DataFrame:
    """PATIENTS, in the order of the person's number; laboratory columns hold the last value up to the index day."""
    rows = rows.sort_values("person_id", ignore_index=True)
    age = rows["age_years"].astype("Float64").astype("float64")
    frame = pd.DataFrame({
        "patient_id": _names(rows["person_id"]),
        "entry_day": rows["entry_day"].astype("int64"),
        "last_contact_day": rows["last_contact_day"].astype("int64"),
        "death_day": rows["death_day"].astype("Int64"),
        "index_year": rows["index_year"].astype("Int64"),
        "age_years": age.where(age.between(0, OLDEST)).clip(upper=90),
        "sex": rows["sex"].map({FEMALE: "female", MALE: "male"}).fillna("unknown").astype(object),
    })  # fmt: skip
    for test, column in BASELINES.items():
        frame[column] = np.nan if labs is None else frame["patient_id"].map(_at_index(labs, test)).astype("float64")
    return schema.check(frame, schema.PATIENTS)


def treatments(rows: pd.DataFrame, words: Words) -> pd.DataFrame:
    """TREATMENTS, by patient, first day, agent and last day."""
    rows = rows.sort_values(["person_id", "start_day", "agent", "end_day"], ignore_index=True)
    agents = np.array(words.agents, dtype=object)
    frame = pd.DataFrame({
        "patient_id": _names(rows["person_id"]),
        "start_day": rows["start_day"].astype("int64"),
        "end_day": rows["end_day"].astype("Int64"),
        "agent": agents[rows["agent"].to_numpy("int64")],
        "line": rows["line"].astype("Int64"),
    })  # fmt: skip
    return schema.check(frame, schema.TREATMENTS)


def labs(rows: pd.DataFrame, words: Words) -> pd.DataFrame:
    """LABS in canonical units, by patient, day, test and value; what has no known unit is left out (and was told)."""
    kinds, pairs = unit_pairs(rows, words)
    known = vocabulary.conversions(pairs)
    multiply, divide = (known[name].to_numpy("float64")[kinds] for name in ("multiply_by", "divide_by"))
    value = rows["value"].to_numpy("float64") * multiply / divide
    names = sorted(set(known["test"]))
    test = known["test"].map({name: place for place, name in enumerate(names)}).to_numpy("int64")[kinds]
    person_id, day = (rows[name].to_numpy("int64") for name in ("person_id", "day"))
    order = _order(person_id, day, test, value)
    person_id, day, test, value = person_id[order], day[order], test[order], value[order]
    # Two concepts or two units of one test may say the same once they are canonical.
    again = np.ones(len(order), dtype=bool)
    for column in (person_id, day, test, value):
        again[1:] &= column[1:] == column[:-1]
    again[:1] = False
    kept = ~again & ~np.isnan(value)
    units = known.drop_duplicates("test").set_index("test")["unit"]
    frame = pd.DataFrame({
        "patient_id": _names(person_id[kept]),
        "day": day[kept],
        "test": np.array([*names, None], dtype=object)[test[kept]],
        "value": value[kept],
        "unit": np.array([*(units[name] for name in names), None], dtype=object)[test[kept]],
    })  # fmt: skip
    return schema.check(frame, schema.LABS)


def findings(rows: pd.DataFrame) -> pd.DataFrame:
    """FINDINGS: progressions, whose kind (biochemical or clinical) OMOP does not carry."""
    rows = rows.sort_values(["person_id", "day"], ignore_index=True)
    frame = pd.DataFrame({
        "patient_id": _names(rows["person_id"]),
        "day": rows["day"].astype("int64"),
        "finding": pd.Series("progression", index=rows.index, dtype=object),
        "value": pd.Series("", index=rows.index, dtype=object),
        "line": pd.array([None] * len(rows), dtype="Int64"),
    })  # fmt: skip
    return schema.check(frame, schema.FINDINGS)


def unit_pairs(rows: pd.DataFrame, words: Words) -> tuple[np.ndarray, pd.DataFrame]:
    """The distinct pairs of test and unit of these rows (test, unit), and which of them each row has."""
    codes, values = zip(*(pd.factorize(rows[name]) for name in ("concept_id", "unit_id", "unit_text")), strict=True)
    concepts, unit_ids, texts = (np.append(np.asarray(value, dtype=object), None) for value in values)
    # One number per combination: a missing text has the code -1, and so the last place.
    kinds, distinct = pd.factorize((codes[0] * len(unit_ids) + codes[1]) * len(texts) + codes[2] % len(texts))
    pairs = pd.DataFrame({
        "concept_id": concepts[distinct // len(texts) // len(unit_ids)],
        "unit_id": unit_ids[distinct // len(texts) % len(unit_ids)],
        "unit_text": texts[distinct % len(texts)],
    })  # fmt: skip
    tests = words.tests.set_index("concept_id")["test"]
    units = words.units.set_index("concept_id")["unit"]
    unit = pairs["unit_id"].map(units).astype(object).where(pairs["unit_id"] != 0, pairs["unit_text"])
    return kinds, pd.DataFrame({"test": pairs["concept_id"].map(tests).astype(object), "unit": unit})


def _order(person_id: np.ndarray, day: np.ndarray, test: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The order by person, day, test and value; the first three as one number, which sorts many times faster."""
    if not len(day):
        return np.zeros(0, dtype="int64")
    days, tests = day.max() - day.min() + 1, test.max() + 1
    person = pd.factorize(person_id, sort=True)[0]
    return np.lexsort((value, (person * days + day - day.min()) * tests + test))


def _names(person_id: pd.Series | np.ndarray) -> np.ndarray:
    """The patient's name is the person's number in words; one text per patient, however many rows there are."""
    codes, distinct = pd.factorize(np.asarray(person_id, dtype="int64"))
    return np.array([*map(str, distinct), None], dtype=object)[:-1][codes]


def _at_index(labs: pd.DataFrame, test: str) -> pd.Series:
    """Each patient's last value of a test in the days up to the index day; the largest where a day has several."""
    rows = labs[(labs["test"] == test) & labs["day"].between(-BASELINE_DAYS, 0)]
    rows = rows.sort_values(["day", "value"], kind="stable").drop_duplicates("patient_id", keep="last")
    return rows.set_index("patient_id")["value"]
