"""Runs told truthfully: one tiny notebook per way in which a run can end."""

import json
import shutil
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from cohort_facts import ABOUT

from analysis import shelf
from analysis.report import folder, runner, study
from analysis.report.execution import Limits
from analysis.report.runner import Setting

NOTEBOOKS = Path(__file__).parent / "notebooks"


def planned(*names, folder=NOTEBOOKS, needs=None, **texts):
    runs = [study.Run(notebook=name, needs=(needs or {}).get(name, [])) for name in names]
    return study.plan(study.Study(title="T", runs=runs), folder, "synthetic", texts)


def run(out, *names, timeout_seconds=120, jobs=2, tell=lambda name, status: None, **words):
    runs = planned(*names, **words)
    limits = Limits(run_seconds=timeout_seconds)
    records = runner.run_all(runs, Setting.of(out, ABOUT, {"Relapse": "first progression"}), jobs, limits, tell)
    return {record["notebook"]: record for record in records}


def files(out):
    return sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())


def statuses(out, name):
    cells = nbformat.read(out / "runs" / f"{name}.ipynb", as_version=4).cells
    told = {"papermill-error-cell-tag", "run-status"}
    return [cell.metadata.papermill.status for cell in cells if not told & set(cell.metadata.get("tags", []))]


@pytest.fixture(scope="module", autouse=True)
def one_commit():
    """The page names the commit; another one made while the tests run would change its bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "commit", lambda: "0123456789ab")
        yield


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Every notebook but the one that sleeps, run once into one folder: folder, records, what was told."""
    out, told = tmp_path_factory.mktemp("pages"), []
    names = ["good", "fails", "dies", "noisy", "no_alt", "injection", "where"]
    records = run(out, *names, tell=lambda name, status: told.append((name, status)))
    return out, records, told


def test_each_run_ends_with_its_own_status(ended):
    _, records, told = ended
    expected = {
        "good": "ok",
        "fails": "failed",
        "dies": "killed",
        "noisy": "ok",
        "no_alt": "failed",
        "injection": "ok",
        "where": "ok",
    }
    assert {name: record["status"] for name, record in records.items()} == expected
    assert sorted(told) == sorted([(name, "started") for name in expected] + list(expected.items()))


def test_pages_come_only_from_good_runs_and_nothing_half_made_is_left(ended):
    out, records, _ = ended
    good = [name for name, record in records.items() if record["status"] == "ok"]
    assert [name for name in files(out) if name.endswith(".html")] == sorted(f"{name}.html" for name in good)
    assert not list(out.glob(".*"))
    assert all((out / "runs" / f"{name}.{kind}").exists() for name in records for kind in ("ipynb", "json"))


def test_the_record_says_with_what_the_page_was_made(ended):
    out, records, _ = ended
    stored = json.loads((out / "runs" / "good.json").read_text(encoding="utf-8"))
    assert stored == records["good"]
    assert stored["parameters"] == {"cohort": "synthetic", "patients": 3, "label": None}
    assert stored["cohort"]["fingerprint"] == ABOUT["fingerprint"]
    assert {"pandas", "papermill"} <= set(stored["versions"])
    assert set(stored["timings_seconds"]) == {"kernel_start", "imports", "computing", "export", "total"}
    assert stored["page"]["question"] == "What does this one show?"


def test_a_failing_cell_is_named_and_the_cells_after_it_are_not_called_completed(ended):
    out, records, _ = ended
    assert records["fails"]["message"] == "ValueError: no such line"
    assert records["fails"]["failing_cell"] == {"number": 4, "first_line": 'raise ValueError("no such line")'}
    assert records["fails"]["cells"] == {"run": 5, "not_run": 1, "never_ran": [5]}
    assert statuses(out, "fails")[-3:] == ["completed", "failed", "not-run"]


def test_a_dead_kernel_is_said_where_papermill_says_completed(ended):
    out, records, _ = ended
    assert "the kernel died" in records["dies"]["message"]
    assert records["dies"]["failing_cell"] == {"number": 4, "first_line": "import os"}
    assert statuses(out, "dies")[-3:] == ["completed", "killed", "not-run"]
    saved = nbformat.read(out / "runs" / "dies.ipynb", as_version=4)
    assert (saved.metadata.papermill.status, saved.metadata.papermill.exception) == ("killed", True)


def test_the_limit_holds_for_the_whole_run_and_not_for_each_cell(tmp_path):
    records = run(tmp_path, "sleeps", timeout_seconds=6)  # three cells of 3 s each
    assert records["sleeps"]["status"] == "timed-out"
    assert "longer than its limit of 6 s" in records["sleeps"]["message"]
    assert "timed-out" in statuses(tmp_path, "sleeps")
    assert statuses(tmp_path, "sleeps")[-1] == "not-run"
    assert records["sleeps"]["timings_seconds"]["total"] < 30
    assert not list(tmp_path.glob("*.html"))


def test_warnings_are_counted_and_kept_but_not_shown(ended):
    out, records, _ = ended
    assert records["noisy"]["stderr_lines"] >= 2
    assert "a warning from below" in (out / "runs" / "noisy.ipynb").read_text(encoding="utf-8")
    shown = BeautifulSoup((out / "noisy.html").read_text(encoding="utf-8"), "html.parser").find("main").text
    assert "a warning from below" not in shown
    assert "said aloud" in shown


def test_a_figure_without_description_fails_the_run_and_says_what_to_write(ended):
    _, records, _ = ended
    assert "figure 1 has no alternative text" in records["no_alt"]["message"]
    assert "display(figure, metadata=" in records["no_alt"]["message"]


def test_markup_out_of_data_is_text_on_the_page(ended):
    out, _, _ = ended
    html = (out / "injection.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<img src=x" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4


def test_the_kernel_is_this_python_in_the_folder_of_the_notebook(ended):
    out, _, _ = ended
    saved = nbformat.read(out / "runs" / "where.ipynb", as_version=4)
    [text] = [cell.outputs[0].data["text/plain"] for cell in saved.cells if cell.get("outputs")]
    assert repr(sys.executable) in text
    assert repr(str(NOTEBOOKS)) in text


def test_two_runs_give_the_same_bytes(ended, tmp_path):
    out, _, _ = ended
    run(tmp_path, "good")
    assert (tmp_path / "good.html").read_bytes() == (out / "good.html").read_bytes()


def test_what_needs_a_failed_run_is_skipped_and_old_pages_stay(tmp_path):
    shutil.copy(NOTEBOOKS / "good.ipynb", tmp_path / "first.ipynb")
    for name in ("second", "third", "alone"):
        shutil.copy(NOTEBOOKS / "where.ipynb", tmp_path / f"{name}.ipynb")
    out, order = tmp_path / "pages", []
    words = {"folder": tmp_path, "needs": {"second": ["first"], "third": ["second"]}, "jobs": 3}
    names = ["third", "second", "first", "alone"]
    records = run(out, *names, tell=lambda *told: order.append(told), **words)
    assert {record["status"] for record in records.values()} == {"ok"}
    assert order.index(("first", "ok")) < order.index(("second", "started"))
    assert order.index(("second", "ok")) < order.index(("third", "started"))
    before = {file.name: file.read_bytes() for file in out.glob("*.html")}

    shutil.copy(NOTEBOOKS / "fails.ipynb", tmp_path / "first.ipynb")
    records = run(out, *names, **words)
    assert [records[name]["status"] for name in names] == ["skipped", "skipped", "failed", "ok"]
    assert records["second"]["message"] == "not run, because it needs first (failed)"
    assert {file.name: file.read_bytes() for file in out.glob("*.html")} == before
    assert records["first"]["page"]["title"] == "The notebook good"

    index = folder.write_index(out, ["first", "second", "third", "alone"], "All pages", {}).read_text(encoding="utf-8")
    assert index.count("this page is from an earlier run") == 3
    assert not list(out.glob(".*"))


def test_values_reach_the_notebook_and_its_record(tmp_path):
    records = run(tmp_path, "good", patients="7", label="none")
    assert records["good"]["parameters"]["patients"] == 7
    assert "Here stand <strong>7</strong> patients" in (tmp_path / "good.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_made_fails_its_run_alone(tmp_path, monkeypatch):
    def render(*arguments):
        raise RuntimeError("no ink")

    monkeypatch.setattr(runner.page, "render", render)
    records = run(tmp_path, "where")
    assert records["where"]["status"] == "failed"
    assert "no ink" in records["where"]["message"]
    assert not (tmp_path / "where.html").exists()


def test_facts_straight_from_a_frame_can_be_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(runner.execution, "execute", lambda *a: (None, {"status": "failed", "timings_seconds": {}}))
    about = ABOUT | {"synthetic": np.True_, "patients": np.int64(7), "release": np.nan}
    runner.run_all(planned("where"), Setting.of(tmp_path, about, {}))
    stored = folder.read_record(tmp_path, "where")["cohort"]
    assert (stored["synthetic"], stored["patients"], stored["release"]) == (True, 7, None)
