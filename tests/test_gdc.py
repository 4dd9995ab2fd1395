import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.derive import regimens, spells
from analysis.sources import gdc

FIXTURE = Path(__file__).parent / "fixtures" / "gdc"
ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("RELAPSE_SHARED_DATA", ROOT.parent / "shared" / "data"))
REAL = SHARED / "gdc_commpass" / "clinical.tsv"
GOLDEN_SHA256 = "95c97ff41857a378554b5f2899bf1a7acd599b8a352cdade21ba76881e0e2b74"


@pytest.fixture(scope="module")
def cohort():
    return gdc.read(FIXTURE / "prefixed")


@pytest.fixture(scope="module")
def real():
    if not REAL.is_file():
        pytest.skip(f"the CoMMpass export is not here ({REAL.name}); set RELAPSE_SHARED_DATA to its parent folder")
    if hashlib.sha256(REAL.read_bytes()).hexdigest() != GOLDEN_SHA256:
        pytest.skip("another release of the CoMMpass export: the golden numbers hold for one file only")
    return gdc.read(REAL.parent)


@pytest.mark.parametrize("shape", ["flat", "json"])
def test_the_three_shapes_of_the_export_give_identical_frames(cohort, shape):
    other = gdc.read(FIXTURE / shape)
    assert set(other) == set(cohort)
    for name in set(cohort) - {"faults"}:
        pd.testing.assert_frame_equal(other[name], cohort[name])


def test_patients_as_the_export_states_them(cohort):
    people = cohort["patients"].set_index("patient_id")
    assert people["last_contact_day"].tolist() == [1200, 640, 500, -3, 200]
    assert people["entry_day"].tolist() == [1, 1, 1, -3, 1]
    assert people["death_day"].tolist() == [pd.NA, 640, pd.NA, pd.NA, 200]
    assert people["sex"].tolist() == ["female", "male", "male", "female", "male"]
    assert people["iss"].tolist() == ["II", "III", "I", "unknown", "unknown"]
    assert people["race"].fillna("missing").tolist()[:2] == ["white", "missing"]
    assert people.loc["TEST_0005", "age_years"] == 90, "93 must not leave the door"


def test_treatments_are_split_spelled_and_numbered(cohort):
    given = cohort["treatments"]
    first = given[given["patient_id"] == "TEST_0001"]
    assert first[["line", "start_day", "agent"]].values.tolist() == [
        [1, 1, "bortezomib"],
        [1, 1, "lenalidomide"],
        [1, 170, "autologous transplant"],
        [1, 230, "lenalidomide"],
        [2, 731, "daratumumab"],
        [2, 731, "dexamethasone"],
    ]
    assert given["line"].isna().sum() == 1, "the odd label leaves its row without a line"
    assert "Snake Oil" in given["agent"].tolist()
    assert "TEST_0004" not in given["patient_id"].tolist(), "a row of nothing is no treatment"


def test_labs_come_in_canonical_units_and_findings_with_their_day(cohort):
    labs = cohort["labs"].set_index(["patient_id", "day", "test"])
    assert labs.loc[("TEST_0001", 1, "haemoglobin"), "value"] == pytest.approx(9.8)
    assert labs.loc[("TEST_0001", 1, "kappa free light chain"), "value"] == pytest.approx(405)
    assert len(labs) == 6, "the repeated row of follow_up.tsv counts once"
    assert cohort["findings"][["day", "finding", "value"]].values.tolist() == [
        [90, "disease response", "VGPR"],
        [700, "disease response", "PD"],
    ]


def test_the_endpoint_is_the_next_line_and_line_one_starts_on_day_one(cohort):
    assert cohort["cohort"]["endpoint"].tolist() == ["next_line"]
    lines = regimens.lines(cohort)
    starts = lines.set_index(["patient_id", "line"])[["start_day", "start_imputed"]]
    assert starts.xs(1, level="line")["start_day"].eq(1).all()
    assert starts.loc[("TEST_0002", 1), "start_imputed"]
    assert starts["start_imputed"].sum() == 1
    assert lines["transplant"].sum() == 2
    assert regimens.selection(cohort)["remaining"].tolist() == [5, 4, 4]


def test_every_quirk_is_a_counted_warning_without_a_value(cohort):
    warnings = cohort["faults"]
    assert warnings["severity"].eq("warning").all()
    assert warnings["value"].eq("").all()
    place = warnings.set_index("column")["line"]
    assert place["diagnoses.days_to_last_follow_up"] == 14
    assert place["treatments.days_to_treatment_start"] == 13
    assert warnings["mend"].str.contains(r"\(1 row\(s\) of 1 patient\(s\)").all()


# --- the real file ---------------------------------------------------------------------------------------------------


def cumulative_incidence(spell, event, day):
    """Aalen-Johansen at one day, written out as a witness of its own: sum of S(t-) d(t) / n(t)."""
    survival, incidence = 1.0, 0.0
    for time in np.unique(spell.loc[spell["event"] != "censored", "time"]):
        if time > day:
            break
        at_risk = (spell["time"] >= time).sum()
        now = spell[(spell["time"] == time) & (spell["event"] != "censored")]
        incidence += survival * (now["event"] == event).sum() / at_risk
        survival *= 1 - len(now) / at_risk
    return incidence


def counts(found, event):
    return (found["event"] == event).groupby(found["line"]).sum().head(4).tolist()


def test_golden_counts_of_the_real_cohort(real):
    lines = regimens.lines(real)
    found = spells.spells(real, lines)
    assert len(lines) == 1414
    assert regimens.selection(real)["remaining"].tolist() == [995, 994, 994]
    assert found.groupby("line").size().head(4).tolist() == [994, 254, 100, 39]
    assert counts(found, "next_line") == [256, 99, 38, 14]
    assert counts(found, "death") == [105, 47, 23, 8]
    assert counts(found, "censored") == [633, 108, 39, 17]
    assert lines["start_imputed"].sum() == 169


def test_golden_cumulative_incidence_of_the_next_line(real):
    found = spells.spells(real, regimens.lines(real))
    by_line = {line: rows for line, rows in found.groupby("line") if line <= 3}
    months = {12: [7.8, 36.5, 44.4], 24: [21.5, 52.3, 60.4], 36: [33.3, 58.8, 60.4]}
    for month, expected in months.items():
        day = month * schema.DAYS_PER_MONTH
        percent = [round(100 * cumulative_incidence(rows, "next_line", day), 1) for rows in by_line.values()]
        assert percent == expected, f"at {month} months"


def test_golden_counts_with_observation_cut_at_last_contact(real):
    found = spells.spells(real, regimens.lines(real), after_last_contact="truncate")
    assert counts(found, "next_line") == [250, 94, 34, 14]


def test_the_quirks_of_the_real_file_are_counted(real):
    counted = real["faults"]["mend"].str.extract(r"\((\d+) row\(s\) of (\d+) patient")
    assert counted.astype(int).values.tolist() == [[364, 149], [1, 1], [3, 3], [7, 5], [87, 59]]


# --- what is broken --------------------------------------------------------------------------------------------------


def clinical(tmp_path, edit):
    """A copy of the flat fixture's clinical.tsv, its cells changed by `edit(rows, column)`; rows[0] is the header."""
    rows = [line.split("\t") for line in (FIXTURE / "flat" / "clinical.tsv").read_text().splitlines()]
    edit(rows, {name: at for at, name in enumerate(rows[0])})
    path = tmp_path / "clinical.tsv"
    path.write_text("\n".join("\t".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def faults_of(place):
    with pytest.raises(schema.BadInputError) as caught:
        gdc.read(place)
    return caught.value.faults[caught.value.faults["severity"] == "error"].reset_index(drop=True)


def test_all_faults_come_at_once_with_their_place(tmp_path):
    def edit(rows, column):
        rows[4][column["days_to_treatment_start"]] = "2,7"
        rows[5][column["days_to_treatment_end"]] = "2015-02-30"
        rows[7][column["iss_stage"]] = "IX"
        rows[10][column["age_at_index"]] = "-4"
        rows[13][column["vital_status"]] = "Dead?"
        rows[14][column["days_to_last_follow_up"]] = "1.5"

    found = faults_of(clinical(tmp_path, edit))
    places = set(zip(found["line"], found["column"], found["value"], strict=True))
    assert {
        (5, "days_to_treatment_start", "2,7"),
        (6, "days_to_treatment_end", "2015-02-30"),
        (8, "iss_stage", "IX"),
        (11, "age_at_index", "-4"),
        (14, "vital_status", "Dead?"),
        (15, "days_to_last_follow_up", "1.5"),
    } <= places


def test_a_message_masks_the_value(tmp_path):
    def edit(rows, column):
        rows[4][column["days_to_treatment_start"]] = "2,7"

    with pytest.raises(schema.BadInputError) as caught:
        gdc.read(clinical(tmp_path, edit))
    assert "2,7" not in str(caught.value)
    assert "clinical.tsv:5" in str(caught.value)


def test_days_that_contradict_one_another_are_errors(tmp_path):
    def edit(rows, column):
        rows[2][column["days_to_treatment_end"]] = "0"
        rows[9][column["days_to_treatment_start"]] = "641"
        rows[10][column["days_to_death"]] = "80"
        rows[11][column["gender"]] = "female"
        rows[15][column["days_to_last_follow_up"]] = rows[14][column["days_to_last_follow_up"]] = "201"

    found = faults_of(clinical(tmp_path, edit))
    expected = found.groupby("expected")["line"].apply(list)
    assert expected["no end before the start"] == [3]
    assert expected["no start after death"] == [10]
    assert expected["no day of death for the living"] == [11]
    assert expected["no follow-up after death"] == [15]
    assert {12, 13} == set(expected["the same in all rows of a case"])


def test_a_misspelt_and_a_missing_column_are_named_together(tmp_path):
    def edit(rows, column):
        rows[0][column["days_to_treatment_start"]] = "days_to_treatment_strat"
        rows[0][column["vital_status"]] = "v"

    found = faults_of(clinical(tmp_path, edit))
    assert "days_to_treatment_strat" in found["mend"].str.cat()
    assert {"column 'days_to_treatment_start'", "column 'vital_status', came none"} <= set(found["expected"])


def test_a_row_of_the_wrong_length_is_named(tmp_path):
    def edit(rows, column):
        rows[6].pop()

    found = faults_of(clinical(tmp_path, edit))
    assert found["line"].tolist() == [7]


def test_another_project_or_another_clock_is_refused(tmp_path):
    cases = json.loads((FIXTURE / "json" / "clinical.project-mmrf-commpass.json").read_text())
    cases[0]["project"]["project_id"] = "TCGA-BRCA"
    cases[2]["index_date"] = "Diagnosis"
    path = tmp_path / "clinical.json"
    path.write_text(json.dumps(cases))
    assert {"[0].project.project_id", "[2].index_date"} <= set(faults_of(path)["column"])


def test_a_json_fault_carries_the_path_to_its_record(tmp_path):
    cases = json.loads((FIXTURE / "json" / "clinical.project-mmrf-commpass.json").read_text())
    cases[2]["diagnoses"][0]["treatments"][1]["days_to_treatment_start"] = "soon"
    cases[0]["follow_ups"][1]["molecular_tests"][0]["test_value"] = "0,2"
    cases[1]["follow_ups"] = "none"
    path = tmp_path / "clinical.json"
    path.write_text(json.dumps(cases))
    assert set(faults_of(path)["column"]) == {
        "[2].diagnoses[0].treatments[1].days_to_treatment_start",
        "[0].follow_ups[1].molecular_tests[0].test_value",
        "[1].follow_ups",
    }


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("clinical.tsv", b"", "a file with content"),
        ("clinical.tsv", b"case_id,vital_status\na,Alive\n", "columns parted by tabs, came ','"),
        ("clinical.tsv", b"case_submitter_id\tvital_status\nA\tAliv\xe9\n", "text in UTF-8"),
        ("clinical.json", b'[{"submitter_id": "A",\n "diagnoses": [', "JSON, broken here"),
        ("clinical.json", b'{"message": "internal error"}', "a list of cases"),
    ],
)
def test_a_file_that_is_no_export_says_what_was_expected(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    found = faults_of(tmp_path)
    assert found["expected"].str.startswith(expected).any()
    assert found["mend"].str.len().all()


def test_a_missing_file_and_two_exports_side_by_side_are_refused(tmp_path):
    assert "a GDC export" in faults_of(tmp_path)["expected"].iloc[0]
    for day in ("2024-01-29", "2026-02-14"):
        (tmp_path / f"clinical.project-mmrf-commpass.{day}.json").write_text("[]")
    assert "one clinical*.json" in faults_of(tmp_path)["expected"].iloc[0]


def test_a_test_of_unknown_unit_is_left_out_and_said(tmp_path):
    cases = json.loads((FIXTURE / "json" / "clinical.project-mmrf-commpass.json").read_text())
    cases[0]["follow_ups"][0]["molecular_tests"][0]["test_units"] = "cups"
    cases[0]["follow_ups"][1]["molecular_tests"][0]["test_value"] = "<0.2"
    path = tmp_path / "clinical.json"
    path.write_text(json.dumps(cases))
    found = gdc.read(path)
    assert len(found["labs"]) == 4
    said = found["faults"].set_index("column")["expected"]
    assert "came 'cups'" in said["[0].follow_ups[0].molecular_tests[0].test_units"]
    assert "not a limit" in said["[0].follow_ups[1].molecular_tests[0].test_value"]


def test_an_empty_last_follow_up_is_filled_from_the_latest_known_day(tmp_path):
    cases = json.loads((FIXTURE / "json" / "clinical.project-mmrf-commpass.json").read_text())
    for case in cases:
        del case["diagnoses"][0]["days_to_last_follow_up"], case["diagnoses"][0]["days_to_last_known_disease_status"]
    path = tmp_path / "clinical.json"
    path.write_text(json.dumps(cases))
    found = gdc.read(path)["patients"].set_index("patient_id")["last_contact_day"]
    assert found.to_dict() == {"TEST_0001": 700, "TEST_0002": 640, "TEST_0003": 560, "TEST_0005": 200}


def test_a_death_without_a_day_is_dated_by_last_follow_up(tmp_path):
    def edit(rows, column):
        for row in rows[14:]:
            row[column["days_to_death"]] = "'--"

    cohort = gdc.read(clinical(tmp_path, edit))
    assert cohort["patients"]["death_day"].tolist()[-1] == 200
    assert cohort["faults"]["mend"].str.startswith("last follow-up stands for it").sum() == 1


def test_what_is_recognised():
    assert all(gdc.recognises(FIXTURE / shape) for shape in ("flat", "prefixed", "json"))
    assert gdc.recognises(FIXTURE / "flat" / "clinical.tsv")
    assert not gdc.recognises(FIXTURE)
    assert not gdc.recognises("synthetic")
