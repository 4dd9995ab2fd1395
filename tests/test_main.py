"""The command: what it prints, what it writes, and its exit codes."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis import schema, shelf, sources
from analysis.__main__ import main
from analysis.report import execution

NOTEBOOKS = Path(__file__).parent / "notebooks"
ABOUT = {
    "name": "synthetic",
    "title": "Made-up cohort",
    "synthetic": True,
    "endpoint": "relapse",
    "source": "simulated",
    "citation": "Nobody.",
    "licence": "any",
    "release": None,
    "time_zero": "the first treatment",
    "fingerprint": "ab" * 32,
    "first_year": 2005,
    "last_year": 2020,
    "patients": 5000,
}
STUDY = """
title: The study
parameters: {patients: 4}
definitions: {every: {Line: a line}, relapse: {Relapse: a relapse}, next_line: {Next: not a relapse}}
runs: [{notebook: good}, {notebook: fails}]
"""
FAULTS = pd.DataFrame(
    {
        "severity": ["error", "warning"],
        "file": ["patients.csv", "patients.csv"],
        "line": pd.array([3, 4], dtype="Int64"),
        "column": ["age", "drug"],
        "value": ["ninety", "wonder"],
        "expected": ["a number", "a known drug"],
        "mend": ["write digits", "check the spelling"],
    }
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of two tiny notebooks, with a cohort that needs no simulating."""
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks")
    (tmp_path / "notebooks" / "study.yaml").write_text(STUDY, encoding="utf-8")
    monkeypatch.setattr(shelf, "project_folder", lambda: tmp_path)
    monkeypatch.setattr(shelf, "data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr(shelf, "about", lambda cohort, source: ABOUT)
    return tmp_path


@pytest.fixture
def no_kernel(monkeypatch):
    """A project in which nothing may be executed."""

    def execute(*arguments):
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(execution, "execute", execute)


def refuse(*arguments):
    raise schema.BadInputError(FAULTS)


def test_a_good_report_ends_with_0_and_an_index(project, capsys):
    assert main(["report", "--only", "good", "-p", "patients=7"]) == 0
    assert (project / "reports" / "index.html").exists()
    page = (project / "reports" / "good.html").read_text(encoding="utf-8")
    assert "<strong>7</strong> patients" in page
    assert "a relapse" in page
    assert "not a relapse" not in page
    said = capsys.readouterr().out
    assert "good started" in said
    assert "1 of 1 notebooks ended well" in said


def test_a_failed_notebook_ends_with_1_and_is_named_with_its_cell(project, capsys):
    assert main(["report", "--out", str(project / "elsewhere"), "--jobs", "2"]) == 1
    assert (project / "elsewhere" / "good.html").exists()
    assert (project / "elsewhere" / "index.html").exists()
    said = capsys.readouterr()
    assert 'fails failed in cell 4 (raise ValueError("no such line")): ValueError: no such line' in said.err
    assert str(project / "elsewhere" / "runs" / "fails.ipynb") in said.err
    assert "Traceback" not in said.err
    assert "1 of 2 notebooks ended well" in said.out


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["reprot"], "invalid choice"),
        (["report", "-p", "patients"], "expected name=value"),
        (["report", "-p", "patient=3"], "did you mean 'patients'?"),
        (["report", "-p", "patients=many"], "'patients': expected int"),
        (["report", "-p", "cohort=x"], "the cohort is given by --cohort"),
        (["report", "--only", "god"], "did you mean 'good'?"),
        (["report", "--jobs", "0"], "at least 1"),
        (["list", "god"], "did you mean 'good'?"),
        (["simulate", "--patients", "x", "--seed", "1", "--out", "o"], "at least 1"),
        (["import", "excel", "x", "--out", "o"], "invalid choice"),
    ],
)
def test_wrong_usage_ends_with_2_before_anything_runs(project, capsys, arguments, said):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
    assert not (project / "reports").exists()


@pytest.mark.usefixtures("no_kernel")
def test_bad_data_end_with_1_and_one_report_of_all_faults(project, monkeypatch, capsys):
    monkeypatch.setattr(shelf, "about", refuse)
    assert main(["report", "--cohort", "x"]) == 1
    said = capsys.readouterr().err
    assert "error: patients.csv:3 column 'age'" in said
    assert "warning: patients.csv:4 column 'drug'" in said
    assert "1 errors, 1 warnings" in said
    assert "ninety" not in said
    assert "Traceback" not in said
    assert not (project / "reports").exists()


def test_check_masks_values_unless_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(sources, "inspect", lambda cohort: FAULTS, raising=False)
    assert main(["check", "x"]) == 1
    assert "ninety" not in capsys.readouterr().err
    assert main(["check", "x", "--show-values"]) == 1
    assert "'ninety'" in capsys.readouterr().err


def test_check_of_files_with_warnings_only_ends_with_0(monkeypatch):
    monkeypatch.setattr(sources, "inspect", lambda cohort: FAULTS.iloc[1:], raising=False)
    assert main(["check", "x"]) == 0


def test_import_of_bad_files_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "read", refuse, raising=False)
    assert main(["import", "tables", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()


def test_the_cohort_is_a_known_name_a_path_or_a_folder_under_raw(project, monkeypatch):
    asked = []
    monkeypatch.setattr(sources, "inspect", lambda cohort: asked.append(cohort) or FAULTS.iloc[:0], raising=False)
    (project / "data" / "raw" / "commpass").mkdir(parents=True)
    (project / "mine").mkdir()
    monkeypatch.chdir(project)
    for name in ("synthetic", "commpass", "mine", "nowhere"):
        assert main(["check", name]) == 0
    raw, mine, nowhere = project / "data" / "raw" / "commpass", project / "mine", project / "nowhere"
    assert asked == ["synthetic", str(raw), str(mine), str(nowhere)]


def test_list_names_notebooks_and_prints_the_parameters_of_one(project, capsys):
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == ["good  The notebook good", "fails  The notebook fails"]
    assert main(["list", "good"]) == 0
    assert "  patients: int = 3  how many (patients, 1 to 100)" in capsys.readouterr().out


def test_an_output_folder_in_use_is_wrong_usage(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sources, "read", lambda cohort: {}, raising=False)
    monkeypatch.setattr(sources, "fingerprint", lambda cohort: "ab", raising=False)
    (tmp_path / "kept.txt").write_text("mine", encoding="utf-8")
    assert main(["import", "tables", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err


def test_interrupting_ends_with_130(project, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(shelf, "about", interrupt)
    assert main(["report"]) == 130
