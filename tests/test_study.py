"""The study file: what it may say, the order of runs, and which notebook gets which value."""

import json
from datetime import date
from pathlib import Path

import nbformat
import pytest

from analysis.report import study
from analysis.report.parameters import UsageError

NOTEBOOKS = Path(__file__).parent / "notebooks"
PASSWORD = "hunter2-CORRECT-HORSE"


def written(folder: Path, text: str, notebooks: str = "a b c") -> Path:
    for name in notebooks.split():
        (folder / f"{name}.ipynb").write_text((NOTEBOOKS / "good.ipynb").read_text(encoding="utf-8"), encoding="utf-8")
    file = folder / "study.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(file: Path) -> str:
    with pytest.raises(UsageError) as caught:
        study.read(file)
    return str(caught.value)


def test_the_study_of_the_project_is_sound():
    project = Path(__file__).parents[1] / "notebooks"
    decided = study.read(project / "study.yaml")
    runs = study.plan(decided, project, "synthetic")
    assert [run.name for run in runs][-1] == "09_clinical_summary"
    assert all(run.values["cohort"] == "synthetic" for run in runs)
    assert set(decided.definitions) == {"every", "relapse", "next_line"}


def test_runs_follow_their_needs(tmp_path):
    file = written(tmp_path, "title: T\nruns: [{notebook: a, needs: [c]}, {notebook: b}, {notebook: c, needs: [b]}]")
    decided = study.read(file)
    assert [run.name for run in study.plan(decided, tmp_path, "x")] == ["b", "c", "a"]
    assert [run.name for run in study.plan(decided, tmp_path, "x", only=["c"])] == ["b", "c"]
    assert [run.name for run in study.plan(decided, tmp_path, "x", only=["b"])] == ["b"]


def test_everything_wrong_is_said_at_once(tmp_path):
    said = refused(
        written(tmp_path, "title: T\nruns: [{notebook: a, needs: [bb]}, {notebook: b}, {notebook: b}, {notebook: d}]")
    )
    assert "needs 'bb'; did you mean 'b'?" in said
    assert "run 'b' stands there twice" in said
    assert "no notebook d.ipynb" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: T\nruns: [{notebook: a, needs: [b]}, {notebook: b, needs: [a]}]", "a, b go round in a circle"),
        ("title: T\nrunz: []", "runz: extra inputs are not permitted"),
        ("title: 3\nruns: [{notebook: a}]", "title: input should be a valid string"),
        ("title: T\ntimeout_minutes: 0\nruns: [{notebook: a}]", "timeout_minutes"),
        ("title: T\nruns: [{notebook: ../a}]", "runs.0.notebook"),
        ("title: [", "not readable as YAML"),
        ("title: !!python/object/apply:os.getpid []", "not readable as YAML"),
        ("", "file: input should be"),
        ("title: T\nparameters: {cohort: x}\nruns: [{notebook: a}]", "'cohort' is no parameter here"),
        ("title: T\nruns: [{notebook: a, parameters: {cohort: x}}]", "run 'a': 'cohort' is no parameter here"),
    ],
)
def test_a_bad_study_file_is_refused(tmp_path, text, said):
    assert said in refused(written(tmp_path, text))


def test_a_missing_study_file_is_said(tmp_path):
    assert "found none" in refused(tmp_path / "study.yaml")


def test_values_go_to_the_notebooks_that_declare_them(tmp_path):
    text = "title: T\nparameters: {patients: 5}\nruns: [{notebook: a, parameters: {label: x}}, {notebook: b}]"
    first, second = study.plan(study.read(written(tmp_path, text)), tmp_path, "/data/c", {"patients": "7"})
    assert first.values == {"cohort": "/data/c", "patients": 7, "label": "x"}
    assert second.values == {"cohort": "/data/c", "patients": 7}
    assert second.all_values == {"cohort": "/data/c", "patients": 7, "label": None}


def test_all_faults_of_all_notebooks_come_at_once(tmp_path):
    text = "title: T\nparameters: {patients: five}\nruns: [{notebook: a, parameters: {labell: x}}, {notebook: b}]"
    decided = study.read(written(tmp_path, text))
    with pytest.raises(UsageError) as caught:
        study.plan(decided, tmp_path, "x", {"label_": "y", "db_password": PASSWORD, "label": f"password={PASSWORD}"})
    said = str(caught.value)
    assert "unknown parameter 'label_'; did you mean 'label'?" in said
    assert "a: unknown parameter 'labell'; did you mean 'label'?" in said
    assert "a: 'patients': expected int, came 'five'" in said
    assert "b: 'patients': expected int, came 'five'" in said
    assert "'db_password' is named like a secret" in said
    assert "'label' carries a password" in said
    assert PASSWORD not in said


def test_faults_of_all_parameter_cells_come_at_once(tmp_path):
    decided = study.read(written(tmp_path, "title: T\nruns: [{notebook: a}, {notebook: b}, {notebook: c}]"))
    for name, line in (("a", "x = 1"), ("c", "x: int =")):
        notebook = nbformat.read(NOTEBOOKS / "good.ipynb", as_version=4)
        notebook.cells[1].source = line
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    (tmp_path / "b.ipynb").write_text("no notebook", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        study.plan(decided, tmp_path, "x", only=["a"])
    said = str(caught.value)
    assert "a, parameter cell line 1: expected `name: type = default" in said
    assert "b.ipynb: expected a Jupyter notebook" in said
    assert "c, parameter cell line 1: not readable as Python" in said


def test_a_study_file_holds_no_secret_and_none_is_repeated(tmp_path):
    said = refused(
        written(
            tmp_path,
            f"title: T\ncohort: postgresql://me:{PASSWORD}@db/omop\nparameters: {{db_password: {PASSWORD}}}\n"
            f"runs: [{{notebook: a, parameters: {{label: 'password={PASSWORD}'}}}}]",
        )
    )
    assert "'cohort' carries a password" in said
    assert "'db_password' is named like a secret" in said
    assert "run 'a': 'label' carries a password" in said
    assert PASSWORD not in said
    assert PASSWORD not in refused(written(tmp_path, f"title: T\npassword: [{PASSWORD}\nruns: x: y"))
    broken = tmp_path / "latin.yaml"
    broken.write_bytes("title: Größe".encode("latin-1"))
    assert "UTF-8" in refused(broken)


def test_a_cohort_with_a_password_is_not_planned(tmp_path):
    decided = study.read(written(tmp_path, "title: T\nruns: [{notebook: a}]"))
    with pytest.raises(UsageError, match="'cohort' carries a password") as caught:
        study.plan(decided, tmp_path, f"postgresql://me:{PASSWORD}@db/omop")
    assert PASSWORD not in str(caught.value)


def test_days_are_handed_over_as_text_whoever_set_them():
    decided = study.Study(title="T", runs=[study.Run(notebook="days", parameters={"until": date(2020, 2, 1)})])
    [run] = study.plan(decided, NOTEBOOKS, "x")
    assert run.values == {"cohort": "x", "since": "2019-12-31", "until": "2020-02-01", "visits": ["2020-01-01"]}
    assert json.loads(json.dumps(run.all_values)) == run.all_values


@pytest.mark.parametrize(
    ("shared", "texts", "only", "said"),
    [
        ("{patient: 5}", {}, None, "no notebook declares the shared parameter 'patient'; did you mean 'patients'?"),
        ("{patients: five}", {}, None, "a: 'patients': expected int, came 'five'"),
        ("{}", {"patient": "5"}, None, "unknown parameter 'patient'; did you mean 'patients'?"),
        ("{}", {"patients": "500"}, None, "less than or equal to 100"),
        ("{}", {"cohort": "x"}, None, "the cohort is given by --cohort"),
        ("{}", {}, ["aa"], "unknown notebook 'aa'; did you mean 'a'?"),
    ],
)
def test_wrong_values_are_refused_before_anything_runs(tmp_path, shared, texts, only, said):
    decided = study.read(written(tmp_path, f"title: T\nparameters: {shared}\nruns: [{{notebook: a}}]"))
    with pytest.raises(UsageError) as caught:
        study.plan(decided, tmp_path, "x", texts, only)
    assert said in str(caught.value)


def test_the_title_of_a_notebook_is_its_first_heading():
    assert study.title(NOTEBOOKS / "good.ipynb") == "The notebook good"
