"""The notebooks, run as their users run them: by the command, by plain papermill, on cohorts large and tiny."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from analysis import shelf
from analysis.__main__ import main
from analysis.report import kernels, parameters
from analysis.sources import synthetic

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("0*.ipynb"))
NAMES = [notebook.stem for notebook in NOTEBOOKS]
GDC = ROOT / "tests" / "fixtures" / "gdc" / "flat"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder of this module's own, for the notebooks' kernels too."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELAPSE_DATA", str(folder))
        patch.setattr(shelf, "commit", lambda: "0123456789ab")  # another commit while tests run would change pages
        yield folder


@pytest.fixture(scope="module")
def simulated(data):
    """A small synthetic cohort in a folder, stored without its truth, as a user would bring it."""
    tables = synthetic.simulate(patients=600, seed=11)
    tables.pop("truth")
    return shelf.write_cohort(tables, data / "raw" / "small")


@pytest.fixture(scope="module")
def pages(simulated, tmp_path_factory):
    out = tmp_path_factory.mktemp("pages")
    assert main(["report", "--cohort", str(simulated), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def real_pages(data, tmp_path_factory):
    """Pages of a cohort in the format of real patients: a handful, so every group is too small."""
    out = tmp_path_factory.mktemp("real")
    assert main(["report", "--cohort", str(GDC), "--out", str(out)]) == 0
    return out


def visible(page: Path) -> str:
    """What a reader sees without opening the fold that holds the code."""
    text = re.sub(r"(?s)<style.*?</style>|<head.*?</head>|<details.*?</details>", "", page.read_text(encoding="utf-8"))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_these_are_the_notebooks():
    assert NAMES == [
        "01_cohort",
        "02_treatment_lines",
        "03_relapse_frequency",
        "04_time_to_relapse",
        "07_prediction",
        "09_clinical_summary",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_that_it_is_synthetic_before_anything_else(pages, name):
    assert "Synthetic data - no row is a real patient" in visible(pages / f"{name}.html")[:200]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_stands_alone(pages, name):
    html = (pages / f"{name}.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|@import|url\((?!data:)""", html)
    assert len(html) < 2_000_000


@pytest.mark.parametrize("name", NAMES)
def test_where_no_progression_is_recorded_nothing_is_called_relapse(real_pages, name):
    said = visible(real_pages / f"{name}.html")
    allowed = "which is not the same as relapse: treatment is also changed for other reasons, and a relapse may wait"
    said = said.replace(allowed, "").replace("relapse_", "").replace("_relapse", "").replace("myeloma-relapse", "")
    assert not re.search(r".{60}relapse.{60}", said, flags=re.IGNORECASE)


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_a_second_report_gives_the_same_bytes_without_forks_too(data, pages, simulated, tmp_path, monkeypatch, jobs):
    monkeypatch.setenv(kernels.SWITCH, "0")
    assert main(["report", "--cohort", str(simulated), "--out", str(tmp_path), "--jobs", jobs]) == 0
    assert [record["kernel"] for record in records(tmp_path)] == ["ordinary"] * len(NAMES)
    for name in [*NAMES, "index"]:
        assert (tmp_path / f"{name}.html").read_bytes() == (pages / f"{name}.html").read_bytes(), name


def records(out):
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(out.glob("runs/*.json"))]


def test_a_handful_of_real_patients_shows_no_curve_and_says_why(real_pages):
    said = visible(real_pages / "03_relapse_frequency.html")
    assert "Counts only, no curves or rates" in said
    assert "1–7 patients" in said
    assert "Internal: real patients" in said[:300]


def test_the_summary_fits_nothing_and_needs_the_others(simulated, tmp_path, monkeypatch):
    monkeypatch.setenv("RELAPSE_DATA", str(tmp_path / "empty"))
    with pytest.raises(papermill.PapermillExecutionError, match="run notebooks 01 to 04"):
        run("09_clinical_summary", tmp_path, cohort=str(simulated))


def run(name: str, folder: Path, **values) -> list:
    """Plain papermill, as `papermill notebooks/NAME.ipynb out.ipynb -p ...` does it; returns what cells showed."""
    out = folder / f"{name}.ipynb"
    papermill.execute_notebook(ROOT / "notebooks" / f"{name}.ipynb", out, values, progress_bar=False)
    cells = nbformat.read(out, as_version=4).cells
    shown = [output.get("data", output.get("text")) for cell in cells for output in cell.get("outputs", [])]
    return json.loads(json.dumps(shown, sort_keys=True))


CHANGED = {
    "cohort": None,
    "minimum_patients": 700,  # more than there are
    "horizon_months": 24,
    "times_months": [6, 18],
    "drawn_lines": 2,
    "told_lines": 1,
    "landmark_days": [100, 200],
    "early_months": 3,
    "imputations": 3,
    "seed": 7,
    "horizons_months": [6],
    "training_patients": 110,
    "trees": 8,
    "folds": 3,
    "resamples": 30,
    "minimum_events": 9999,
    "courses": 3,
    "rule": "ohdsi",
    "grid_patients": 60,
    "attrition_months": 12,
    "minimum_at_risk": 500,
}
# As small as the notebooks allow: what is asked here is whether a change shows.
SMALL = {"07_prediction": {"training_patients": 100, "trees": 5, "folds": 2, "resamples": 20}}
UNSEEN = {"cohort", "jobs"}  # another cohort is another page; threads change no result


@pytest.mark.parametrize("name", NAMES[:-1])
def test_every_parameter_changes_what_is_shown(pages, simulated, tmp_path, name):
    usual = {"cohort": str(simulated)} | SMALL.get(name, {})
    before = run(name, tmp_path, **usual)
    for parameter in parameters.read(ROOT / "notebooks" / f"{name}.ipynb"):
        if parameter.name not in UNSEEN:
            after = run(name, tmp_path, **usual | {parameter.name: CHANGED[parameter.name]})
            assert after != before, f"{parameter.name} of {name} is theatre"


def test_papermill_from_any_working_directory(simulated, tmp_path):
    out = tmp_path / "out.ipynb"
    notebook = ROOT / "notebooks" / "01_cohort.ipynb"
    command = [sys.executable, "-m", "papermill", str(notebook), str(out), "-p", "cohort", str(simulated)]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert "cells" in json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
def test_notebooks_are_thin_and_carry_no_outputs(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert not any(re.search(r"^\s*(def|class|while) ", cell.source, flags=re.MULTILINE) for cell in code)
    assert max(len(cell.source.splitlines()) for cell in code) <= 30
    assert [cell.id for cell in cells] == [f"{number:02d}" for number in range(len(cells))]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
def test_no_number_is_typed_into_prose(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    prose = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert not re.search(r"\d", prose), re.findall(r".{20}\d.{20}", prose)
