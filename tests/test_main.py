"""The command: what it prints, what it writes, and its exit codes."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from cohort_facts import ABOUT

from analysis import schema, shelf, sources
from analysis.__main__ import main
from analysis.report import execution
from analysis.sources import catalogue

NOTEBOOKS = Path(__file__).parent / "notebooks"
EXAMPLE = Path(__file__).parents[1] / "data" / "raw" / "example"
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
    assert "1 of 1 notebook(s) ended well" in said


def test_a_failed_notebook_ends_with_1_and_is_named_with_its_cell(project, capsys):
    assert main(["report", "--out", str(project / "elsewhere"), "--jobs", "2"]) == 1
    assert (project / "elsewhere" / "good.html").exists()
    assert (project / "elsewhere" / "index.html").exists()
    said = capsys.readouterr()
    assert 'fails failed in cell 4 (raise ValueError("no such line")): ValueError: no such line' in said.err
    assert str(project / "elsewhere" / "runs" / "fails.ipynb") in said.err
    assert "Traceback" not in said.err
    assert "1 of 2 notebook(s) ended well" in said.out


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
    assert main(["report", "--cohort", str(EXAMPLE)]) == 1
    said = capsys.readouterr().err
    assert "error: patients.csv:3 column 'age'" in said
    assert "warning: patients.csv:4 column 'drug'" in said
    assert "1 error(s), 1 warning(s)" in said
    assert "ninety" not in said
    assert "Traceback" not in said
    assert not (project / "reports").exists()


def test_check_masks_values_unless_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(sources, "inspect", lambda cohort: FAULTS, raising=False)
    assert main(["check", "x"]) == 1
    assert "ninety" not in capsys.readouterr().err
    assert main(["check", "x", "--show-values"]) == 1
    assert "'ninety'" in capsys.readouterr().err


def test_check_of_files_with_warnings_only_ends_with_0_and_says_what_is_there(monkeypatch, capsys):
    monkeypatch.setattr(sources, "inspect", lambda cohort: FAULTS.iloc[1:])
    assert main(["check", str(EXAMPLE)]) == 0
    said = capsys.readouterr()
    assert "endpoint relapse; 8 patients" in said.out
    assert "relapses stated (100% of the lines that another followed have a stated progression" in said.out
    assert "0 error(s), 1 warning(s)" in said.err


def test_import_writes_canonical_tables_once(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["import", "tables", str(EXAMPLE), "--out", str(out)]) == 0
    assert (out / "patients.parquet").exists()
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    assert main(["import", "tables", str(EXAMPLE), "--out", str(out)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_import_of_bad_files_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "read", refuse)
    assert main(["import", "tables", str(EXAMPLE), "--out", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()


def test_import_from_the_wrong_source_is_wrong_usage(tmp_path, capsys):
    assert main(["import", "gdc", str(EXAMPLE), "--out", str(tmp_path / "out")]) == 2
    assert "holds a cohort of source 'tables', not 'gdc'" in capsys.readouterr().err


@pytest.mark.usefixtures("no_kernel")
def test_an_unknown_cohort_ends_with_1_and_the_nearest_name(project, capsys):
    assert main(["report", "--cohort", "synthetik"]) == 1
    assert "did you mean 'synthetic'?" in capsys.readouterr().err


def test_the_notebooks_get_an_absolute_folder(project, monkeypatch):
    monkeypatch.chdir(EXAMPLE.parent)
    assert main(["report", "--cohort", "example", "--only", "good"]) == 0
    record = json.loads((project / "reports" / "runs" / "good.json").read_text(encoding="utf-8"))
    assert record["parameters"]["cohort"] == str(EXAMPLE)


def test_list_names_notebooks_and_prints_the_parameters_of_one(project, capsys):
    assert main(["list"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == ["notebooks", "  fails  The notebook fails", "  good  The notebook good"]
    assert "  commpass  relapse fetch commpass" in told
    assert main(["list", "good"]) == 0
    assert "  patients: int = 3  how many (patients, 1 to 100)" in capsys.readouterr().out


def test_pages_of_two_cohorts_do_not_stand_in_one_folder(project, monkeypatch, capsys):
    assert main(["report", "--only", "good"]) == 0
    monkeypatch.setattr(shelf, "about", lambda cohort, source: ABOUT | {"fingerprint": "cd" * 32})
    assert main(["report", "--only", "fails"]) == 2
    assert "holds pages of other data (good)" in capsys.readouterr().err


def test_a_file_is_no_folder_for_pages(project, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert main(["report", "--out", str(tmp_path / "file")]) == 2
    assert "expected a folder that can be written" in capsys.readouterr().err


def test_a_negative_seed_is_wrong_usage(tmp_path):
    assert main(["simulate", "--patients", "3", "--seed", "-1", "--out", str(tmp_path / "out")]) == 2


def test_a_failed_fetch_leaves_no_empty_cohort(monkeypatch, tmp_path):
    def fetch(name, folder, address, tell):
        folder.mkdir(parents=True)
        raise OSError("no network")

    monkeypatch.setenv("RELAPSE_DATA", str(tmp_path))
    monkeypatch.setattr(catalogue, "fetch", fetch)
    assert main(["fetch", "commpass"]) == 1
    assert not (tmp_path / "raw" / "commpass").exists()


def test_warnings_about_the_data_are_mentioned(project, monkeypatch, capsys):
    monkeypatch.setattr(sources, "inspect", lambda cohort: FAULTS.iloc[1:])
    assert main(["report", "--cohort", str(EXAMPLE), "--only", "good"]) == 0
    assert "1 warning(s) about the data; to read them: relapse check" in capsys.readouterr().out


def test_fetch_knows_what_can_be_fetched(capsys):
    assert main(["fetch", "comppass"]) == 2
    assert "did you mean 'commpass'?" in capsys.readouterr().err


def test_fetch_says_how_far_it_is(monkeypatch, capsys):
    def fetch(name, folder, address, tell):
        tell(500, 995)
        return folder

    monkeypatch.setattr(catalogue, "fetch", fetch)
    assert main(["fetch", "commpass", "--address", "somewhere"]) == 0
    assert "500 of 995 cases" in capsys.readouterr().out


def test_simulate_writes_a_cohort(tmp_path, capsys):
    assert main(["simulate", "--patients", "30", "--seed", "1", "--out", str(tmp_path / "out")]) == 0
    assert len(pd.read_parquet(tmp_path / "out" / "patients.parquet")) == 30
    assert "30 of 30 patients" in capsys.readouterr().out


def test_interrupting_ends_with_130(project, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(shelf, "about", interrupt)
    assert main(["report"]) == 130
