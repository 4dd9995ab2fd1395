"""The study file: what it may say, the order of runs, and which notebook gets which value."""

from pathlib import Path

import pytest

from analysis.report import study
from analysis.report.parameters import UsageError

NOTEBOOKS = Path(__file__).parent / "notebooks"


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
