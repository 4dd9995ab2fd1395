"""OMOP CDM 5.4: the synthetic cohort goes through it and comes back; the odd is counted, the wrong is refused."""

import datetime
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis import schema, sources
from analysis.__main__ import main
from analysis.derive import regimens, relapses, spells
from analysis.sources import gdc, omop, synthetic, tables
from analysis.sources.omop import writer
from analysis.sources.omop.invention import LOOKBACK_DAYS
from analysis.sources.omop.layout import NEEDED, SOURCES

PATIENTS, SEED = 60, 11


@pytest.fixture(scope="module")
def made():
    return synthetic.simulate(PATIENTS, SEED)


@pytest.fixture(scope="module")
def written(made, tmp_path_factory):
    return writer.write([made], tmp_path_factory.mktemp("omop") / "hospital")


@pytest.fixture
def folder(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "hospital"))


def change(folder, name, edit):
    """Rewrite one table of an OMOP folder; `edit` gets its frame and returns another, or None to remove the table."""
    file = folder / f"{name}.parquet"
    frame = edit(pd.read_parquet(file))
    if frame is None:
        file.unlink()
    else:
        frame.to_parquet(file, index=False)


def told(folder, severity=None):
    """The faults as sentences, of one severity or of both."""
    found = sources.inspect(str(folder))
    found = found if severity is None else found[found["severity"] == severity]
    return schema.fault_lines(found)


def only_error(folder):
    with pytest.raises(schema.BadInputError) as caught:
        sources.read(str(folder))
    errors = caught.value.faults.query("severity == 'error'")
    assert len(errors) == 1, schema.fault_lines(errors)
    return schema.fault_lines(errors)[0]


def only_warning(folder):
    lines = told(folder)
    assert len(lines) == 1 and lines[0].startswith("warning"), lines
    return lines[0]


# --- the round trip --------------------------------------------------------------------------------------------------


def as_read(made):
    """What of the synthetic cohort OMOP carries, in the reader's names and order."""
    names = made["patients"]["patient_id"]
    number = dict(zip(names, names.str.removeprefix("S").astype(int).astype(str), strict=True))
    return {
        name: frame.assign(patient_id=frame["patient_id"].map(number)).astype(
            {"line": "Int64"} if "line" in frame else {}
        )
        for name, frame in made.items()
        if "patient_id" in frame
    }


def rows(frame, columns, order):
    return frame[columns].sort_values(order, ignore_index=True)


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_synthetic_cohort_comes_back_through_omop(made, tmp_path, form):
    back = sources.read(str(writer.write([made], tmp_path / "omop", form)))
    there = as_read(made)
    there["patients"]["entry_day"] -= LOOKBACK_DAYS  # written with a year of observation before the first treatment
    columns = ["patient_id", "entry_day", "last_contact_day", "death_day", "index_year", "age_years", "sex",
               "beta2_microglobulin_mg_l", "albumin_g_dl"]  # fmt: skip
    pd.testing.assert_frame_equal(back["patients"][columns], there["patients"][columns])
    columns = ["patient_id", "start_day", "end_day", "agent", "line"]
    order = ["patient_id", "start_day", "agent", "line", "end_day"]
    pd.testing.assert_frame_equal(rows(back["treatments"], columns, order), rows(there["treatments"], columns, order))
    order = ["patient_id", "day", "test"]
    columns = [*order, "value", "unit"]
    extra = back["labs"]["test"].isin(["albumin", "beta-2 microglobulin"])
    pd.testing.assert_frame_equal(rows(back["labs"][~extra], columns, order), rows(there["labs"], columns, order))
    progressions = there["findings"].query("finding == 'progression'")
    expected = progressions[["patient_id", "day", "finding"]].drop_duplicates()
    order = ["patient_id", "day"]
    pd.testing.assert_frame_equal(
        rows(back["findings"], ["patient_id", "day", "finding"], order), rows(expected, list(expected), order)
    )
    assert back["cohort"].loc[0, ["synthetic", "endpoint"]].tolist() == [True, "relapse"]


def test_it_comes_without_warnings_and_without_a_calendar_date(folder):
    assert told(folder) == []
    for name, frame in sources.read(str(folder)).items():
        for column in frame:
            assert not pd.api.types.is_datetime64_any_dtype(frame[column]), (name, column)
            values = frame[column].dropna()
            assert not values.map(lambda value: isinstance(value, datetime.date)).any(), (name, column)
            if values.dtype == object:
                assert not values.astype(str).str.contains(r"\d{4}-\d\d-\d\d", regex=True).any(), (name, column)


def test_parts_are_the_whole_and_row_numbers_go_on(made, tmp_path):
    whole = writer.write([made], tmp_path / "whole")
    cut = writer.write(synthetic.parts(PATIENTS, SEED, part_size=25), tmp_path / "cut")
    for name in ("drug_exposure", "measurement", "episode"):
        ids = pd.read_parquet(cut / f"{name}.parquet")[f"{name}_id"]
        assert ids.is_unique and ids.tolist() == list(range(1, len(ids) + 1))
    back = sources.read(str(whole))
    collected = {}
    for part in omop.parts(whole, part_size=17):
        assert len(part["patients"]) <= 17
        for name, frame in part.items():
            collected.setdefault(name, []).append(frame)
    for name in ("patients", "treatments", "labs", "findings"):
        pd.testing.assert_frame_equal(pd.concat(collected[name], ignore_index=True), back[name])
    with pytest.raises(ValueError, match="part_size: expected at least 1, came 0"):
        next(omop.parts(whole, part_size=0))


def test_without_episodes_no_line_is_stated(made, tmp_path):
    folder = writer.write([made], tmp_path / "omop", episodes=False)
    back = sources.read(str(folder))["treatments"]
    assert back["line"].isna().all()
    change(folder, "drug_exposure", lambda frame: pd.concat([frame, frame]))
    pd.testing.assert_frame_equal(sources.read(str(folder))["treatments"], back)


def test_a_line_reaches_from_its_first_to_its_last_day(folder):
    before = sources.read(str(folder))["treatments"]
    change(folder, "episode", lambda frame: frame.assign(episode_end_date=frame["episode_start_date"]))
    after = sources.read(str(folder))["treatments"]
    first = before.groupby(["patient_id", "line"])["start_day"].transform("min") == before["start_day"]
    assert after["line"].isna().equals(~first)


def test_support_belongs_to_no_line(folder):
    rows = pd.read_parquet(folder / "drug_exposure.parquet").iloc[:3].assign(drug_concept_id=1395557)  # fludarabine
    change(folder, "drug_exposure", lambda frame: pd.concat([frame, rows]))
    back = sources.read(str(folder))["treatments"]
    assert back.query("agent == 'fludarabine'")["line"].isna().all()
    assert back.query("agent != 'fludarabine'")["line"].notna().all()


def test_a_line_without_an_end_lasts_until_the_next(folder, written):
    change(folder, "episode", lambda frame: frame.drop(columns="episode_end_date"))
    again, once = sources.read(str(folder)), sources.read(str(written))
    pd.testing.assert_frame_equal(again["treatments"], once["treatments"])


def test_regimens_alone_are_no_lines(folder):
    change(folder, "episode", lambda frame: frame.assign(episode_concept_id=32531))
    assert sources.read(str(folder))["treatments"]["line"].isna().all()
    assert "regimens are no lines" in only_warning(folder)


def test_written_in_capitals_and_in_parts_it_reads_the_same(folder, written):
    person = pd.read_parquet(folder / "person.parquet")
    (folder / "person.parquet").unlink()
    person.rename(columns=str.upper).to_csv(folder / "PERSON.csv", index=False)
    drug = pd.read_parquet(folder / "drug_exposure.parquet")
    (folder / "drug_exposure.parquet").unlink()
    (folder / "drug_exposure").mkdir()
    drug.iloc[:50].to_parquet(folder / "drug_exposure" / "part-0.parquet", index=False)
    drug.iloc[50:].to_parquet(folder / "drug_exposure" / "part-1.parquet", index=False)
    again, once = sources.read(str(folder)), sources.read(str(written))
    for name in ("patients", "treatments", "labs", "findings"):
        pd.testing.assert_frame_equal(again[name], once[name])


# --- who, when, what -------------------------------------------------------------------------------------------------


def test_only_myeloma_patients_are_pulled(folder):
    def some_other_disease(frame):
        return frame.assign(condition_concept_id=frame["condition_concept_id"].where(frame["person_id"] > 10, 4112853))

    change(folder, "condition_occurrence", some_other_disease)
    back = sources.read(str(folder))
    for name in ("patients", "treatments", "labs", "findings"):
        assert back[name]["patient_id"].astype(int).min() > 10


def test_a_condition_below_myeloma_is_myeloma_where_the_vocabulary_says_so(folder):
    change(folder, "condition_occurrence", lambda frame: frame.assign(condition_concept_id=4_000_001))
    assert "a patient with multiple myeloma" in only_error(folder)
    below = pd.DataFrame({"ancestor_concept_id": [437233], "descendant_concept_id": [4_000_001]})
    change(folder, "concept_ancestor", lambda frame: pd.concat([frame, below]))
    assert len(sources.read(str(folder))["patients"]) == PATIENTS


def test_a_clinical_drug_is_its_ingredient_where_the_vocabulary_says_so(folder, written):
    bortezomib, vial = 1336825, 40_000_001

    def as_vials(frame):
        return frame.assign(drug_concept_id=frame["drug_concept_id"].replace(bortezomib, vial))

    change(folder, "drug_exposure", as_vials)
    assert "bortezomib" not in set(sources.read(str(folder))["treatments"]["agent"])
    below = pd.DataFrame({"ancestor_concept_id": [bortezomib], "descendant_concept_id": [vial]})
    change(folder, "concept_ancestor", lambda frame: pd.concat([frame, below]))
    again, once = sources.read(str(folder)), sources.read(str(written))
    pd.testing.assert_frame_equal(again["treatments"], once["treatments"])


def test_tests_are_found_by_loinc_code_and_drugs_by_name(folder, written):
    def renumbered(frame):
        codes = {3046299: 5_000_001, 1336825: 5_000_002}
        return frame.assign(concept_id=frame["concept_id"].replace(codes))

    change(folder, "concept", renumbered)
    swap = lambda column, old, new: lambda frame: frame.assign(**{column: frame[column].replace(old, new)})  # noqa: E731
    change(folder, "measurement", swap("measurement_concept_id", 3046299, 5_000_001))
    change(folder, "drug_exposure", swap("drug_concept_id", 1336825, 5_000_002))
    again, once = sources.read(str(folder)), sources.read(str(written))
    for name in ("treatments", "labs"):
        pd.testing.assert_frame_equal(again[name], once[name])


def test_without_the_vocabulary_tables_the_ids_do_and_a_warning_says_so(folder, written):
    for name in ("concept", "concept_ancestor"):
        (folder / f"{name}.parquet").unlink()
    assert [line.split(": ")[1] for line in told(folder)] == ["concept", "concept_ancestor"]
    again, once = sources.read(str(folder)), sources.read(str(written))
    pd.testing.assert_frame_equal(again["labs"], once["labs"])


def test_the_index_day_is_the_first_treatment_that_is_neither_steroid_nor_support(folder):
    first = pd.read_parquet(folder / "drug_exposure.parquet").query("person_id == 1").iloc[:1]
    steroid = first.assign(drug_concept_id=1518254, drug_exposure_start_date=first["drug_exposure_start_date"] - datetime.timedelta(9))  # fmt: skip # noqa: E501
    change(folder, "drug_exposure", lambda frame: pd.concat([frame, steroid]))
    change(folder, "observation_period", lambda frame: frame.assign(
        observation_period_start_date=frame["observation_period_start_date"] - datetime.timedelta(100)))  # fmt: skip
    back = sources.read(str(folder))
    days = back["treatments"].query("patient_id == '1'")["start_day"]
    assert days.min() == -9
    assert (back["patients"]["entry_day"] == -100 - LOOKBACK_DAYS).all()
    assert back["treatments"].query("patient_id == '2'")["start_day"].min() == 0


def test_treatment_long_before_the_diagnosis_is_of_another_disease(folder, written):
    first = pd.read_parquet(folder / "drug_exposure.parquet").query("person_id == 1").iloc[:1]
    change(folder, "observation_period", lambda frame: frame.assign(
        observation_period_start_date=frame["observation_period_start_date"] - datetime.timedelta(100)))  # fmt: skip

    def with_one(days_before):
        begun = first["drug_exposure_start_date"] - datetime.timedelta(days_before)
        early = first.assign(drug_concept_id=1310317, drug_exposure_start_date=begun, drug_exposure_end_date=begun)
        exposures = pd.read_parquet(written / "drug_exposure.parquet")
        change(folder, "drug_exposure", lambda frame: pd.concat([exposures, early]))
        return sources.read(str(folder))["treatments"]

    pd.testing.assert_frame_equal(with_one(31), sources.read(str(written))["treatments"])
    assert with_one(30).query("patient_id == '1'")["start_day"].drop_duplicates().iloc[:2].tolist() == [0, 30]


def test_identical_records_count_once_and_ends_that_nobody_saw_are_missing(folder, written):
    for name in ("drug_exposure", "measurement", "condition_occurrence", "procedure_occurrence"):
        change(folder, name, lambda frame: pd.concat([frame, frame]))
    again, once = sources.read(str(folder)), sources.read(str(written))
    for name in ("patients", "treatments", "labs", "findings"):
        pd.testing.assert_frame_equal(again[name], once[name])
    person = once["patients"].set_index("patient_id")["last_contact_day"]
    ended = once["treatments"].dropna(subset=["end_day"]).query("agent != 'autologous transplant'")
    assert (ended["end_day"] < ended["patient_id"].map(person)).all()


def test_ages_over_89_are_90_and_unknown_birthdays_are_in_july(folder):
    change(folder, "person", lambda frame: frame.assign(year_of_birth=frame["year_of_birth"] - 25).drop(
        columns=["month_of_birth", "day_of_birth"]))  # fmt: skip
    ages = sources.read(str(folder))["patients"]["age_years"]
    assert ages.max() == 90 and ages.notna().all()


def test_units_become_canonical_by_concept_or_else_by_word(folder, written):
    def in_other_units(frame):
        protein = frame["measurement_concept_id"] == 3046299
        kappa = frame["measurement_concept_id"] == 3034860
        value = frame["value_as_number"].where(~protein, frame["value_as_number"] * 10)
        unit = frame["unit_concept_id"].mask(protein, 8636).mask(kappa, 0)
        return frame.assign(value_as_number=value, unit_concept_id=unit, unit_source_value=kappa.map({True: "mg/L"}))

    change(folder, "measurement", in_other_units)
    again, once = sources.read(str(folder)), sources.read(str(written))
    columns = ["patient_id", "day", "test", "unit"]
    pd.testing.assert_frame_equal(again["labs"][columns], once["labs"][columns])
    assert (again["labs"]["value"] - once["labs"]["value"]).abs().max() < 1e-12


# --- what is odd is counted ------------------------------------------------------------------------------------------


def test_drugs_outside_the_vocabulary_are_counted_and_named(folder):
    rows = pd.read_parquet(folder / "drug_exposure.parquet").iloc[:3]
    aspirin = pd.DataFrame({"concept_id": [1112807], "concept_name": ["aspirin"], "vocabulary_id": ["RxNorm"],
                            "concept_class_id": ["Ingredient"], "concept_code": ["1191"]})  # fmt: skip
    change(folder, "concept", lambda frame: pd.concat([frame, aspirin]))
    change(folder, "drug_exposure", lambda frame: pd.concat([frame, rows.assign(drug_concept_id=1112807)]))
    assert "3 row(s) of 1 other(s): aspirin (3)" in only_warning(folder)


def test_a_concept_that_is_not_in_the_vocabulary_is_counted(folder):
    rows = pd.read_parquet(folder / "drug_exposure.parquet").iloc[:2]
    change(folder, "drug_exposure", lambda frame: pd.concat([frame, rows.assign(drug_concept_id=99_999_999)]))
    line = only_warning(folder)
    assert "concepts that the table concept has; came 2 row(s) of 1 other(s): 99999999 (2)" in line


def test_records_without_a_concept_are_counted(folder):
    for name, column in (("drug_exposure", "drug_concept_id"), ("measurement", "measurement_concept_id")):
        more = pd.read_parquet(folder / f"{name}.parquet").iloc[:4].assign(**{column: 0})
        change(folder, name, lambda frame, more=more: pd.concat([frame, more]))
    assert ["came 4 row(s) otherwise" in line for line in told(folder)] == [True, True]


def test_overlapping_exposures_are_counted_and_kept(folder):
    exposure = pd.read_parquet(folder / "drug_exposure.parquet")
    long = exposure[exposure["drug_exposure_end_date"] > exposure["drug_exposure_start_date"]].iloc[:1]
    later = long.assign(drug_exposure_start_date=long["drug_exposure_start_date"] + datetime.timedelta(1))
    before = len(sources.read(str(folder))["treatments"])
    change(folder, "drug_exposure", lambda frame: pd.concat([frame, later]))
    assert "exposures to one agent that do not overlap; came 1 row(s)" in only_warning(folder)
    assert len(sources.read(str(folder))["treatments"]) == before + 1


def test_patients_who_cannot_be_followed_are_counted(folder):
    change(folder, "drug_exposure", lambda frame: frame[frame["person_id"] != 1])
    change(folder, "procedure_occurrence", lambda frame: frame[frame["person_id"] != 1])
    change(folder, "observation_period", lambda frame: frame[~frame["person_id"].isin([2, 3])])
    dead = pd.DataFrame({"person_id": [4], "death_date": [datetime.date(1990, 1, 1)], "death_type_concept_id": [0]})
    change(folder, "death", lambda frame: pd.concat([frame[frame["person_id"] != 4], dead]))
    assert set(sources.read(str(folder))["patients"]["patient_id"]) == {str(one) for one in range(5, PATIENTS + 1)}
    counts = sorted(int(re.search(r"came (\d+) patient", line)[1]) for line in told(folder))
    assert counts == [1, 1, 2]


def test_a_transplant_of_unstated_kind_is_read_as_autologous_and_counted(folder, written):
    change(folder, "procedure_occurrence", lambda frame: frame.assign(procedure_concept_id=4120445))
    again, once = sources.read(str(folder)), sources.read(str(written))
    pd.testing.assert_frame_equal(again["treatments"], once["treatments"])
    assert "read as autologous" in only_warning(folder)


def test_treatment_and_values_after_death_are_left_out_and_counted(folder, written):
    dead = pd.read_parquet(folder / "death.parquet").iloc[0]
    late = dead["death_date"] + datetime.timedelta(5)
    exposure = pd.read_parquet(folder / "drug_exposure.parquet").iloc[:1].assign(
        person_id=dead["person_id"], drug_exposure_start_date=late, drug_exposure_end_date=late)  # fmt: skip
    change(folder, "drug_exposure", lambda frame: pd.concat([frame, exposure]))
    value = pd.read_parquet(folder / "measurement.parquet").query("measurement_concept_id == 3046299").iloc[:2]
    value = value.assign(person_id=dead["person_id"], measurement_date=late)
    change(folder, "measurement", lambda frame: pd.concat([frame, value]))
    treated, measured = told(folder)
    assert "no treatment after death or after the end of observation; came 1 row(s)" in treated
    assert "no value after death or after the end of observation; came 2 row(s)" in measured
    again, once = sources.read(str(folder)), sources.read(str(written))
    for name in ("treatments", "labs"):
        pd.testing.assert_frame_equal(again[name], once[name])


def test_other_tests_without_a_unit_are_left_out_and_counted(folder):
    def no_unit(frame):
        return frame.assign(unit_concept_id=frame["unit_concept_id"].mask(frame["measurement_concept_id"] == 3000963))

    change(folder, "measurement", no_unit)
    assert "a unit of haemoglobin (g/dL, g/L, mmol/L)" in only_warning(folder)
    assert "haemoglobin" not in set(sources.read(str(folder))["labs"]["test"])


def test_an_age_that_nobody_has_is_not_known_and_counted(folder):
    change(folder, "person", lambda frame: frame.assign(
        year_of_birth=frame["year_of_birth"].astype("Int64").mask(frame["person_id"] == 1, 2100).mask(
            frame["person_id"] == 2)))  # fmt: skip
    assert "makes an age from 0 to 120; came 2 patient(s)" in only_warning(folder)
    ages = sources.read(str(folder))["patients"].set_index("patient_id")["age_years"]
    assert ages.index[ages.isna()].tolist() == ["1", "2"]


# --- what is wrong is refused: one message, nothing written ----------------------------------------------------------


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_table(folder, name):
    change(folder, name, lambda frame: None)
    assert f"expected the table {name!r} of OMOP CDM 5.4" in only_error(folder)


def test_a_missing_column(folder):
    change(folder, "drug_exposure", lambda frame: frame.drop(columns="drug_exposure_end_date"))
    line = only_error(folder)
    assert "drug_exposure column 'drug_exposure_end_date': expected the column" in line
    assert "the table has drug_concept_id" in line


def test_everything_missing_is_said_at_once(folder):
    change(folder, "death", lambda frame: None)
    change(folder, "person", lambda frame: frame.drop(columns=["year_of_birth", "gender_concept_id"]))
    with pytest.raises(schema.BadInputError) as caught:
        sources.read(str(folder))
    assert len(caught.value.faults) == 3


def test_another_version_of_the_model(folder):
    change(folder, "cdm_source", lambda frame: frame.assign(cdm_version="v5.3.1"))
    assert "expected OMOP CDM version 5.4, came v5.3.1" in only_error(folder)
    (folder / "cdm_source.parquet").unlink()
    assert "OMOP CDM version 5.4, came none" in only_warning(folder)


def test_reversed_exposure_dates(folder):
    def reversed_first(frame):
        early = frame["drug_exposure_start_date"] - datetime.timedelta(1)
        return frame.assign(drug_exposure_end_date=frame["drug_exposure_end_date"].mask(frame.index == 0, early))

    change(folder, "drug_exposure", reversed_first)
    assert "no treatment that ends before it starts; came 1 row(s)" in only_error(folder)


def test_a_treatment_without_a_start(folder):
    change(folder, "drug_exposure", lambda frame: frame.assign(
        drug_exposure_start_date=frame["drug_exposure_start_date"].mask(frame.index == 3)))  # fmt: skip
    assert "a start date of every treatment; came 1 row(s)" in only_error(folder)


def test_a_patient_without_a_row_in_person(folder):
    change(folder, "person", lambda frame: frame.iloc[1:])
    assert "a row for every patient; came 1 row(s) otherwise" in only_error(folder)


@pytest.mark.parametrize(
    ("concept", "test"), [(3046299, "serum M-protein"), (3034860, "kappa free light chain")]
)  # fmt: skip
@pytest.mark.parametrize("unit", [0, None, 8753])
def test_m_protein_and_light_chains_without_a_unit_that_fits(folder, concept, test, unit):
    def unitless(frame):
        wrong = frame["measurement_concept_id"] == concept
        return frame.assign(unit_concept_id=frame["unit_concept_id"].astype("Int64").mask(wrong, unit))

    change(folder, "measurement", unitless)
    assert f"expected a unit of {test}" in only_error(folder)
    assert "a unit is never guessed" in only_error(folder)


def test_cells_of_another_type_are_counted_not_shown(made, tmp_path):
    folder = writer.write([made], tmp_path / "omop", form="csv")
    text = (folder / "person.csv").read_text().replace("\n1,", "\nSmith,", 1)
    (folder / "person.csv").write_text(text)
    line = only_error(folder)
    assert "person.csv column 'person_id': expected a whole number in every cell; came 1 other cell(s)" in line
    assert "Smith" not in line


def test_a_table_that_is_there_twice(folder):
    pd.read_parquet(folder / "death.parquet").to_csv(folder / "death.csv", index=False)
    assert "table 'death' once, came death.csv and death.parquet" in only_error(folder)


def test_nothing_is_written_when_something_is_wrong(folder, tmp_path, capsys):
    change(folder, "cdm_source", lambda frame: frame.assign(cdm_version="v6.0"))
    assert main(["import", "omop", str(folder), "--out", str(tmp_path / "out")]) == 1
    assert "expected OMOP CDM version 5.4, came v6.0" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hospital"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://me:oak@host/db", "without a password"),
        ("postgresql://me@host/db?password=oak", "?schema= and nothing else after the database, came password"),
        ("mysql://me@host/db", "begins with 'mysql'"),
        ("postgresql://me@host/", "names no database"),
        ("postgresql://me@host:port/db", "cannot be read"),
    ],
)
def test_addresses_that_cannot_be_used(address, words):
    with pytest.raises(schema.BadInputError) as caught:
        omop.read(address)
    assert words in str(caught.value)
    assert "oak" not in str(caught.value)


def test_a_password_in_the_address_is_refused_before_anything_repeats_it(tmp_path, capsys):
    assert main(["import", "omop", "postgresql://me:oak@host/db", "--out", str(tmp_path / "out")]) == 2
    assert "oak" not in "".join(capsys.readouterr())


# --- which reader, and the commands ----------------------------------------------------------------------------------


def test_no_other_reader_takes_it_and_it_takes_no_other(folder):
    root = Path(__file__).parents[1]
    assert omop.recognises(folder) and not tables.recognises(folder) and not gdc.recognises(folder)
    for other in (root / "data" / "raw" / "example", root / "tests" / "fixtures" / "gdc" / "flat"):
        assert not omop.recognises(other)
    (folder / "cohort.parquet").write_bytes((folder / "person.parquet").read_bytes())  # OMOP has a table of that name
    assert not tables.recognises(folder)


def test_the_fingerprint_answers_to_the_tables_that_are_read(folder):
    first = sources.fingerprint(str(folder))
    (folder / "note.parquet").write_bytes(b"a table that nobody reads")
    assert sources.fingerprint(str(folder)) == first
    change(folder, "death", lambda frame: frame.iloc[1:])
    assert sources.fingerprint(str(folder)) != first


def test_a_database_is_brought_into_a_folder_before_a_report():
    with pytest.raises(schema.BadInputError, match="relapse import omop ADDRESS --out DIR"):
        sources.fingerprint("postgresql://me@host/db")


@pytest.mark.parametrize(("form", "ending"), [("omop", "parquet"), ("omop-csv", "csv")])
def test_simulate_import_and_check(tmp_path, capsys, form, ending):
    asked = ["simulate", "--patients", "20", "--seed", "3", "--format", form, "--out", str(tmp_path / "omop")]
    assert main(asked) == 0
    assert {path.suffix for path in (tmp_path / "omop").iterdir()} == {f".{ending}"}
    assert {path.stem for path in (tmp_path / "omop").iterdir()} == set(SOURCES)
    assert main(["check", str(tmp_path / "omop")]) == 0
    assert main(["import", "omop", str(tmp_path / "omop"), "--out", str(tmp_path / "out")]) == 0
    assert "warning" not in "".join(capsys.readouterr()).replace("0 warning(s)", "")
    again, once = sources.read(str(tmp_path / "out")), sources.read(str(tmp_path / "omop"))
    for name in ("patients", "treatments", "labs", "findings"):
        pd.testing.assert_frame_equal(again[name], once[name], check_dtype=False)
    assert main(["import", "tables", str(tmp_path / "omop"), "--out", str(tmp_path / "no")]) == 2
    assert main(["import", "tables", "postgresql://me@host/db", "--out", str(tmp_path / "no")]) == 2


def test_a_full_folder_is_never_written_over(tmp_path, made):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        writer.write([made], tmp_path)
    with pytest.raises(ValueError, match="expected 'parquet' or 'csv', came 'excel'"):
        writer.write([made], tmp_path / "new", form="excel")
    assert not (tmp_path / "new").exists()


# --- from raw records to relapse -------------------------------------------------------------------------------------


def test_without_a_stated_progression_the_markers_make_relapse_the_endpoint(folder):
    status = 1617595
    change(folder, "measurement", lambda rows: rows[rows["measurement_concept_id"] != status])
    cohort = sources.read(str(folder))
    assert cohort["cohort"]["endpoint"].iloc[0] == "relapse"
    assert "findings" not in cohort
    made = spells.of(cohort)
    left_out, lines = spells.not_judged(cohort)
    assert 0 < left_out < lines
    assert len(made) == lines - left_out
    assert (made["event"] == "relapse").any()


def test_without_markers_and_progressions_the_next_line_is_the_endpoint(folder):
    haemoglobin = 3000963
    change(folder, "measurement", lambda rows: rows[rows["measurement_concept_id"] == haemoglobin])
    cohort = sources.read(str(folder))
    assert cohort["cohort"]["endpoint"].iloc[0] == "next_line"
    assert not (spells.of(cohort)["event"] == "relapse").any()


# --- how long a patient is watched -----------------------------------------------------------------------------------


def ended_before_death(folder, days):
    """The first dead of the folder, whose observation is made to end so many days before the death."""
    death = pd.read_parquet(folder / "death.parquet").iloc[0]
    end = death["death_date"] - datetime.timedelta(days)

    def cut(frame):
        one = frame["person_id"] == death["person_id"]
        return frame.assign(observation_period_end_date=frame["observation_period_end_date"].mask(one, end))

    change(folder, "observation_period", cut)
    return str(death["person_id"])


def person(cohort, name):
    return cohort["patients"].set_index("patient_id").loc[name]


def latest(cohort, name):
    """The last day on which anything is on record of a patient."""
    return max(
        cohort[table].loc[cohort[table]["patient_id"] == name, day].max()
        for table, day in (("treatments", "start_day"), ("labs", "day"), ("findings", "day"))
    )


def test_a_death_long_after_the_end_of_observation_does_not_stretch_it(folder, written):
    name = ended_before_death(folder, 31)
    before, cohort = person(sources.read(str(written)), name), sources.read(str(folder))
    found = person(cohort, name)
    assert pd.isna(found["death_day"]) and found["last_contact_day"] == before["death_day"] - 31
    assert latest(cohort, name) <= found["last_contact_day"]
    deaths = [line for line in told(folder) if line.startswith("warning: death")]
    assert len(deaths) == 1 and "by more than 30 days; came 1 patient(s) otherwise; cut" in deaths[0]


@pytest.mark.parametrize(("days", "grace"), [(30, 30), (300, 300), (300, None)])
def test_a_death_within_the_grace_counts_and_nothing_else_after_the_end(folder, written, days, grace):
    name = ended_before_death(folder, days)
    before, cohort = person(sources.read(str(written)), name), omop.read(folder, death_grace_days=grace)
    found = person(cohort, name)
    assert found["death_day"] == found["last_contact_day"] == before["death_day"]
    assert latest(cohort, name) <= before["death_day"] - days
    ends = cohort["treatments"].loc[cohort["treatments"]["patient_id"] == name].dropna(subset="end_day")
    drugs = ends.loc[ends["agent"] != "autologous transplant", "end_day"]
    assert not (drugs >= before["death_day"] - days).any()  # an end that nobody was there to see
    faults = schema.fault_lines(omop.inspect(folder, death_grace_days=grace))
    assert any("no death after the end of the observation period; came 1 patient(s)" in line for line in faults)


def test_rows_of_other_observation_periods_are_not_used(folder, written):
    """Two periods more, before and after: what lies in them is counted and left out, though a death is later still."""
    period = pd.read_parquet(folder / "observation_period.parquet")
    dead = pd.read_parquet(folder / "death.parquet").iloc[0]
    own = period[period["person_id"] == dead["person_id"]]
    start, end = own["observation_period_start_date"].iloc[0], own["observation_period_end_date"].iloc[0]
    year, day = datetime.timedelta(365), datetime.timedelta(1)
    split = start + year - datetime.timedelta(10)  # ten days before the first treatment
    stop = start + year + datetime.timedelta(20)
    three = pd.concat([own] * 3).assign(
        observation_period_start_date=[start, split + day, stop + datetime.timedelta(60)],
        observation_period_end_date=[split, stop, end],
    )
    others = period[period["person_id"] != dead["person_id"]]
    change(folder, "observation_period", lambda frame: pd.concat([others, three]))
    measured = pd.read_parquet(folder / "measurement.parquet")
    early = measured[(measured["person_id"] == dead["person_id"]) & (measured["measurement_concept_id"] == 3046299)]
    early = early.iloc[:1].assign(measurement_date=split - day)
    change(folder, "measurement", lambda frame: pd.concat([frame, early]))
    cohort, name = sources.read(str(folder)), str(dead["person_id"])
    days = cohort["labs"].query("patient_id == @name")["day"]
    assert days.min() >= -9 and latest(cohort, name) <= 20
    assert person(cohort, name)["last_contact_day"] == 20 and pd.isna(person(cohort, name)["death_day"])
    lines = told(folder)
    assert any("no value before observation began; came 1 row(s)" in line for line in lines)
    assert any("what came in others is not used" in line for line in lines)


def shortly_observed(folder, days, persons):
    """Observation of these persons begins so many days before their first treatment."""

    def later(frame):
        start = frame["observation_period_start_date"] + datetime.timedelta(LOOKBACK_DAYS - days)
        some = frame["person_id"].isin(persons)
        return frame.assign(observation_period_start_date=frame["observation_period_start_date"].mask(some, start))

    change(folder, "observation_period", later)


def test_a_short_lookback_is_counted_and_nobody_is_lost_by_default(folder):
    shortly_observed(folder, 179, [1, 2])
    shortly_observed(folder, 180, [3])
    assert len(sources.read(str(folder))["patients"]) == PATIENTS
    assert "180 days of observation before the first treatment; came 2 patient(s) otherwise; kept" in only_warning(
        folder
    )


def test_a_washout_leaves_out_those_who_may_have_been_treated_before(folder):
    shortly_observed(folder, 179, [1, 2])
    shortly_observed(folder, 180, [3])
    back = omop.read(folder, washout_days=180)
    assert set(back["patients"]["patient_id"]) == {str(one) for one in range(3, PATIENTS + 1)}
    assert set(back["treatments"]["patient_id"]) == set(back["patients"]["patient_id"])
    lines = schema.fault_lines(back["faults"])
    assert len(lines) == 1 and "180 days of observation before the first treatment (washout_days); came 2" in lines[0]


def test_a_washout_that_leaves_nobody_is_an_error(folder):
    with pytest.raises(schema.BadInputError, match=f"all {PATIENTS} have less; ask for fewer washout_days"):
        omop.read(folder, washout_days=LOOKBACK_DAYS + 1)
    assert len(omop.read(folder, washout_days=LOOKBACK_DAYS)["patients"]) == PATIENTS


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"washout_days": -1}, "washout_days: expected whole days of at least 0, came -1"),
        ({"washout_days": None}, "washout_days: expected whole days"),
        ({"death_grace_days": 3.5}, "death_grace_days: expected whole days"),
        ({"least_share": 0}, "least_share: expected a share above 0 and up to 1, came 0"),
        ({"wash_out": 3}, "unknown choice 'wash_out'; there are death_grace_days, washout_days, least_share"),
    ],
)
def test_choices_out_of_range(folder, chosen, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        omop.read(folder, **chosen)


# --- what ends a line ------------------------------------------------------------------------------------------------

MARKER_CONCEPTS, STATUS = (3046299, 3034860, 3047169), 1617595


def without_markers_of(folder, persons):
    change(folder, "measurement", lambda rows: rows[
        ~(rows["measurement_concept_id"].isin(MARKER_CONCEPTS) & rows["person_id"].isin(persons))])  # fmt: skip


def without_status_of(folder, persons):
    change(folder, "measurement", lambda rows: rows[
        ~((rows["measurement_concept_id"] == STATUS) & rows["person_id"].isin(persons))])  # fmt: skip


def endpoint_of(folder, **chosen):
    return omop.read(folder, **chosen)["cohort"]["endpoint"].iloc[0]


def test_one_patient_with_markers_does_not_make_relapse_the_endpoint(folder):
    without_status_of(folder, range(1, PATIENTS + 1))
    assert endpoint_of(folder) == "relapse"
    without_markers_of(folder, range(2, PATIENTS + 1))
    assert endpoint_of(folder) == "next_line"
    assert endpoint_of(folder, least_share=1 / PATIENTS) == "relapse"


def test_values_that_begin_after_the_start_of_treatment_follow_nobody(folder):
    without_status_of(folder, range(1, PATIENTS + 1))
    first = pd.read_parquet(folder / "drug_exposure.parquet").groupby("person_id")["drug_exposure_start_date"].min()

    def late(rows):
        wait = pd.to_datetime(rows["measurement_date"]) - pd.to_datetime(rows["person_id"].map(first))
        return rows[~(rows["measurement_concept_id"].isin(MARKER_CONCEPTS) & (wait.dt.days <= 7))]

    change(folder, "measurement", late)
    assert endpoint_of(folder) == "next_line"


def test_progressions_of_few_are_not_read_beside_the_markers_of_all(folder):
    few = pd.read_parquet(folder / "measurement.parquet").query("measurement_concept_id == @STATUS")["person_id"].min()
    without_status_of(folder, [one for one in range(1, PATIENTS + 1) if one != few])
    cohort = sources.read(str(folder))
    assert cohort["cohort"]["endpoint"].iloc[0] == "relapse" and "findings" not in cohort
    assert "a disease status of enough patients, or none" in only_warning(folder)
    assert (spells.of(cohort)["event"] == "relapse").sum() > 1


def test_the_import_says_what_the_endpoint_is_and_why(folder, tmp_path, capsys):
    ended_before_death(folder, 31)
    out = tmp_path / "out"
    assert main(["import", "omop", str(folder), "--out", str(out), "--washout-days", "100"]) == 0
    said = "".join(capsys.readouterr())
    share = f"endpoint relapse: of {PATIENTS} patients "
    assert share in said and f"{PATIENTS} (100 %) M-protein or a free light chain" in said
    assert "came 1 patient(s) otherwise; cut: alive at that end" in said
    stored = json.loads((out / "provenance.json").read_text())["choices"]
    assert stored == {"death_grace_days": 30, "washout_days": 100, "least_share": 0.5}


@pytest.mark.parametrize(
    ("source", "option", "words"),
    [
        ("omop", ["--least-share", "2"], "least_share: expected a share above 0 and up to 1, came 2.0"),
        ("tables", ["--washout-days", "2"], "--washout-days: for source 'omop' only"),
    ],
)
def test_options_that_cannot_be(folder, tmp_path, capsys, source, option, words):
    place = folder if source == "omop" else Path(__file__).parents[1] / "data" / "raw" / "example"
    assert main(["import", source, str(place), "--out", str(tmp_path / "out"), *option]) == 2
    assert words in capsys.readouterr().err


# --- messages: what, where, what to do -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["import", "omop"], ["check"]])
def test_a_password_in_the_address_sends_one_to_pgpassword(tmp_path, capsys, command):
    out = ["--out", str(tmp_path / "out")] if command[0] == "import" else []
    assert main([*command, "postgresql://me:oak@host/db", *out]) == 2
    said = capsys.readouterr().err
    assert "environment variable PGPASSWORD" in said and "without one" in said
    assert "cohort" not in said and "os.environ" not in said and "oak" not in said


def test_reversed_dates_name_the_first_record_and_its_table(folder):
    def turned(frame):
        return frame.assign(procedure_end_date=frame["procedure_date"] - datetime.timedelta(1))

    change(folder, "procedure_occurrence", turned)
    line = only_error(folder)
    first = pd.read_parquet(folder / "procedure_occurrence.parquet")["procedure_occurrence_id"].min()
    assert line.startswith("error: procedure_occurrence column 'procedure_end_date'")
    assert f"the first with procedure_occurrence_id {first}; correct the dates" in line


def test_reversed_dates_without_a_record_number_are_counted(folder):
    change(folder, "drug_exposure", lambda frame: frame.drop(columns="drug_exposure_id").assign(
        drug_exposure_end_date=frame["drug_exposure_start_date"] - datetime.timedelta(1)))  # fmt: skip
    assert "the first with" not in only_error(folder)


def test_a_missing_table_is_not_called_a_column(folder):
    change(folder, "person", lambda frame: None)
    assert only_error(folder).startswith("error: hospital: expected the table 'person' of OMOP CDM 5.4, came none")


def test_the_kind_of_a_judged_relapse_is_told_from_calcium_haemoglobin_and_creatinine(folder):
    """As for every other cohort; where none of the three was measured, the kind is not known."""
    without_status_of(folder, range(1, PATIENTS + 1))
    seen = judged_kinds(sources.read(str(folder)))
    assert seen["biochemical"] > 0 and seen["clinical"] > 0
    assert seen.get("unknown", 0) < 0.1 * seen.sum()
    signs = (3006906, 3000963, 3016723)
    change(folder, "measurement", lambda rows: rows[~rows["measurement_concept_id"].isin(signs)])
    assert set(judged_kinds(sources.read(str(folder))).index) == {"unknown"}


def judged_kinds(cohort):
    lines = relapses.with_relapses(cohort, regimens.lines(cohort))
    return lines.loc[lines["progression_day"].notna(), "relapse_kind"].value_counts()


@pytest.mark.parametrize(("unit", "factor"), [(8909, 1), (8807, 1000)])
def test_urine_m_protein_is_read_by_its_code_in_milligrams_or_grams_a_day(folder, unit, factor):
    row = pd.read_parquet(folder / "measurement.parquet").query("measurement_concept_id == 3046299").iloc[:1]
    urine = row.assign(measurement_concept_id=3034655, value_as_number=0.5, unit_concept_id=unit)
    change(folder, "measurement", lambda frame: pd.concat([frame, urine]))
    found = sources.read(str(folder))["labs"].query("test == 'urine M-protein'")
    assert found[["value", "unit"]].values.tolist() == [[0.5 * factor, "mg/24 h"]]


def test_a_concentration_is_no_excretion_of_a_day(folder):
    row = pd.read_parquet(folder / "measurement.parquet").query("measurement_concept_id == 3046299").iloc[:1]
    urine = row.assign(measurement_concept_id=3034655, unit_concept_id=8840)  # mg/dL
    change(folder, "measurement", lambda frame: pd.concat([frame, urine]))
    assert "expected a unit of urine M-protein (mg/24 h," in only_error(folder)
