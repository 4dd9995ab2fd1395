"""The door: which reader a cohort finds, what its fingerprint answers to, what is said when there is none."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis import schema, sources, vocabulary
from analysis.sources import tables
from analysis.sources.tables.layout import LAYOUTS

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "data" / "raw" / "example"


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(EXAMPLE, tmp_path / "mine"))


def _only_fault(cohort):
    with pytest.raises(schema.BadInputError) as caught:
        sources.read(cohort)
    pd.testing.assert_frame_equal(caught.value.faults, sources.inspect(cohort))
    assert len(caught.value.faults) == 1
    return caught.value.faults.iloc[0]


def test_a_relative_path_counts_from_the_working_directory_then_the_root_then_the_raw_data(copy, monkeypatch):
    elsewhere = copy.parent
    monkeypatch.chdir(elsewhere)
    assert sources.locate("mine") == elsewhere / "mine"
    assert sources.locate("data/raw/example") == EXAMPLE
    assert sources.locate("example") == EXAMPLE
    assert sources.locate(str(copy)) == copy
    (elsewhere / "data" / "raw" / "example").mkdir(parents=True)
    assert sources.locate("data/raw/example") == elsewhere / "data" / "raw" / "example"


def test_the_data_folder_may_be_elsewhere(copy, tmp_path, monkeypatch):
    shutil.move(copy, tmp_path / "raw" / "ward7")
    monkeypatch.setenv("RELAPSE_DATA", str(tmp_path))
    assert sources.locate("ward7") == tmp_path / "raw" / "ward7"


def test_a_cohort_that_is_not_there_is_told_what_is():
    found = _only_fault("exampel")
    assert "did you mean 'example'" in found["mend"]
    assert "synthetic" in found["mend"]


def test_a_misspelt_synthetic():
    assert "did you mean 'synthetic'" in _only_fault("syntetic")["mend"]


@pytest.mark.parametrize("cohort", ["", "no/such/folder", "/", "~nobody/x"])
def test_odd_names_are_refused_and_nothing_else(cohort):
    assert isinstance(_only_fault(cohort)["expected"], str)


def test_a_file_is_told_to_be_named_by_its_folder(copy):
    assert str(copy) in _only_fault(str(copy / "patients.csv"))["mend"]


def test_a_folder_of_nothing_known_says_what_was_seen_and_expected(tmp_path):
    (tmp_path / "mystery.csv").write_text("a,b\n1,2\n")
    found = _only_fault(str(tmp_path))
    assert "came mystery.csv" in found["expected"]
    assert "patients and one of treatments, lines, spells" in found["expected"]
    assert "clinical.tsv" in found["expected"]


def test_a_folder_of_near_names_is_told_the_right_ones(tmp_path):
    (tmp_path / "Patient.csv").write_text("a,b\n1,2\n")
    assert "rename 'Patient.csv' to 'patients.csv'" in _only_fault(str(tmp_path))["mend"]


def test_an_empty_folder(tmp_path):
    assert "an empty folder" in _only_fault(str(tmp_path))["expected"]


def test_a_gdc_export_finds_its_reader(tmp_path):
    header = (
        "case_submitter_id vital_status days_to_death days_to_last_follow_up regimen_or_line_of_therapy "
        "therapeutic_agents treatment_type days_to_treatment_start days_to_treatment_end"
    )
    row = ["X_1", "Alive", "'--", "700", "First line of therapy", "Bortezomib", "'--", "1", "120"]
    (tmp_path / "clinical.tsv").write_text("\t".join(header.split()) + "\n" + "\t".join(row) + "\n")
    cohort = sources.read(str(tmp_path))
    assert cohort["cohort"].loc[0, "endpoint"] == "next_line"
    assert "faults" not in cohort
    assert not (sources.inspect(str(tmp_path))["severity"] == "error").any()


def test_the_synthetic_cohort_comes_without_its_truth(monkeypatch):
    from analysis.sources import synthetic

    monkeypatch.setattr(synthetic, "PATIENTS", 40)
    cohort = sources.read("synthetic")
    assert len(cohort["patients"]) == 40
    assert "truth" not in cohort
    assert set(cohort) == {"cohort", "patients", "treatments", "labs", "findings"}
    assert sources.inspect("synthetic").empty


def test_the_fingerprint_of_the_synthetic_cohort_answers_to_its_parameters_and_code(monkeypatch, tmp_path):
    from analysis.sources import synthetic

    first = sources.fingerprint("synthetic")
    assert first == sources.fingerprint("synthetic")
    assert len(first) == 64
    with monkeypatch.context() as change:
        change.setattr(synthetic, "SEED", 1)
        assert sources.fingerprint("synthetic") != first
    code = Path(shutil.copytree(Path(synthetic.__file__).parent, tmp_path / "code"))
    files = tuple(code / path.name for path in synthetic.FINGERPRINT_INPUTS)
    monkeypatch.setattr(synthetic, "FINGERPRINT_INPUTS", files)
    monkeypatch.setattr(synthetic, "__file__", str(code / "__init__.py"))
    assert sources.fingerprint("synthetic") == first
    files[0].write_text(files[0].read_text() + "\n")
    assert sources.fingerprint("synthetic") != first


def test_the_fingerprint_of_a_folder_answers_to_names_and_bytes_of_its_tables(copy):
    first = sources.fingerprint(str(copy))
    assert first == sources.fingerprint("example")  # the place does not matter
    (copy / "notes.md").write_text("not a table")
    assert sources.fingerprint(str(copy)) == first
    text = (copy / "patients.csv").read_text()
    (copy / "patients.csv").write_text(text.replace("1480", "1481"))
    assert sources.fingerprint(str(copy)) != first
    (copy / "patients.csv").write_text(text)
    assert sources.fingerprint(str(copy)) == first
    (copy / "labs.csv").rename(copy / "lab.csv")
    assert sources.fingerprint(str(copy)) != first


def test_the_fingerprint_answers_to_the_name_of_a_file(tmp_path):
    prints = set()
    for name in ("clinical.tsv", "clinical.json"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("[]")
        prints.add(sources.fingerprint(str(tmp_path / name)))
    assert len(prints) == 2


def test_a_table_that_nobody_reads_is_never_handed_out(copy):
    (copy / "truth.csv").write_text("patient_id,line,frailty\nEX-1,1,2.0\n")
    assert "truth" not in sources.read(str(copy))


def test_reading_twice_gives_the_same(copy):
    once, again = sources.read(str(copy)), sources.read(str(copy))
    for name in once:
        pd.testing.assert_frame_equal(once[name], again[name])


# --- the template's documentation ------------------------------------------------------------------------------------


def _documented(name):
    """The rows of one column list in data/raw/README.md, as lists of cells."""
    text = (ROOT / "data" / "raw" / "README.md").read_text(encoding="utf-8")
    section = text.split(f"### {name}", 1)[1].split("\n### ", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" |") for cell in row] for row in rows[2:]]


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_the_readme_lists_the_columns_of_the_schema(name):
    layout = LAYOUTS[name]
    documented = _documented(f"{name}.csv")
    assert [row[0] for row in documented] == [column.name for column in layout.columns]
    assert [row[2] for row in documented] == ["yes" if c.name in layout.required else "no" for c in layout.columns]
    assert [row[3] for row in documented] == [column.meaning for column in layout.columns]
    for row, column in zip(documented, layout.columns, strict=True):
        if column.words:
            assert row[1].split(" / ") == list(column.words)
        if column.unit and column.kind != "date":
            assert row[1].endswith(column.unit)


def test_the_readme_lists_the_tests_and_units():
    documented = {row[0]: [row[1], *row[2].split(", ")] for row in _documented("Tests and units")}
    expected = {test: vocabulary.units_of(test) for test in vocabulary.tests()["test"]}
    assert documented == expected


def test_every_declared_table_has_a_layout_and_the_example_a_file_for_each_raw_one():
    declared = {"COHORT", "PATIENTS", "TREATMENTS", "LABS", "FINDINGS", "LINES", "SPELLS"}
    assert {layout.table.name for layout in LAYOUTS.values()} == declared
    assert {path.stem for path in EXAMPLE.glob("*.csv")} == {"cohort", "patients", "treatments", "labs", "findings"}
    assert tables.recognises(EXAMPLE)
