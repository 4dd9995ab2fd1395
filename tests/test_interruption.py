"""Reports that are stopped, collide, or are read while they are written: nothing torn, nothing left, all told."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from cohort_facts import ABOUT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from processes import marked, once

from analysis import shelf
from analysis.__main__ import main
from analysis.report import folder, kernels, outcome, runner, study
from analysis.report.parameters import UsageError
from analysis.report.runner import Setting

NOTEBOOKS = Path(__file__).parent / "notebooks"

REPORT = """
import json, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from cohort_facts import ABOUT
from analysis.report import folder, kernels, outcome, runner, signals, study
place, out = Path(sys.argv[1]), Path(sys.argv[2])
planned = [{{"notebook": "first"}}, {{"notebook": "second", "needs": ["first"]}}]
runs = study.plan(study.Study(title="T", runs=planned), place, "synthetic")
write_index = lambda: folder.write_index(out, ["first", "second"], "All", {{}})
with signals.interrupted_once(), folder.alone_in(out), kernels.fork_server() as address:
    records = runner.run_all(runs, runner.Setting.of(out, ABOUT, {{}}), fork_address=address, begun=write_index)
    write_index()
sys.exit(outcome.exit_code(records))
"""


@pytest.fixture
def started(tmp_path, monkeypatch):
    """A report of two notebooks in a process of its own, the first of them sleeping: process, folder, mark."""
    mark = f"mark-{tmp_path.name}-{os.getpid()}"
    begun = tmp_path / "begun"
    source = "import pathlib, subprocess, time; subprocess.Popen(['sleep', '120']);"
    source += f"pathlib.Path({str(begun)!r}).touch(); time.sleep(120)"
    parameters = new_code_cell('cohort: str = "synthetic"', metadata={"tags": ["parameters"]})
    for name in ("first", "second"):
        cells = [new_markdown_cell(f"# The notebook {name}"), parameters, new_code_cell(source), new_code_cell("1")]
        nbformat.write(new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    out = tmp_path / "pages"

    def start(fork="1"):
        command = [sys.executable, "-c", REPORT.format(tests=str(Path(__file__).parent)), str(tmp_path), str(out)]
        environment = os.environ | {"RELAPSE_TEST_MARK": mark, kernels.SWITCH: fork}
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        assert once(begun.exists, 60), "the notebook never began"
        return process, out, mark

    yield start


@pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc")
@pytest.mark.parametrize("fork", ["1", "0"], ids=["forked", "ordinary"])
@pytest.mark.parametrize(
    "numbers",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT] * 3],
    ids=["ctrl-c", "told-to-end", "terminal-closed", "impatient"],
)
def test_an_interrupted_report_tells_what_ran_and_leaves_nothing(started, numbers, fork):
    process, out, mark = started(fork)
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.05)
    assert process.wait(timeout=30) == outcome.EXIT_CODES["interrupted"]
    first, second = (folder.read_record(out, name) for name in ("first", "second"))
    assert (first["status"], first["cells"]["never_ran"]) == ("interrupted", [4])
    assert (second["status"], second["message"]) == ("interrupted", "interrupted before it began")
    saved = nbformat.read(out / "runs" / "first.ipynb", as_version=4)
    assert saved.metadata.papermill.status == "interrupted"
    assert [cell.metadata.papermill.status for cell in saved.cells[1:]][-2:] == ["interrupted", "not-run"]
    assert "was interrupted" in (out / "index.html").read_text(encoding="utf-8")
    assert not list(out.glob("*-aside")) + list(out.glob(".*-aside"))
    assert not (out / "first.html").exists()
    assert once(lambda: not marked(mark)), "a process was left behind"


@pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc")
def test_after_a_killed_report_the_next_one_finds_the_folder_free_and_clean(started):
    process, out, mark = started()
    assert list(out.glob(".*-aside")), "nothing half-made is there, so this test could not fail"
    process.kill()
    process.wait()
    assert once(lambda: not marked(mark))
    assert [folder.read_record(out, name)["status"] for name in ("first", "second")] == ["unfinished"] * 2
    assert (out / "index.html").read_text(encoding="utf-8").count("no page: the run has not ended") == 2
    with folder.alone_in(out):
        assert not list(out.glob(".*-aside"))


@pytest.mark.skipif(sys.platform != "linux", reason="signals")
def test_a_second_report_into_the_same_folder_is_refused(started, capsys, tmp_path, monkeypatch):
    process, out, _ = started()
    monkeypatch.setenv("RELAPSE_DATA", str(tmp_path / "data"))
    small = Path(__file__).parent / "fixtures" / "gdc" / "flat"
    assert main(["report", "--cohort", str(small), "--out", str(out), "--only", "01_cohort"]) == 5
    assert "another run is writing there; wait until it has ended, or name another folder" in capsys.readouterr().err
    assert not (out / "01_cohort.html").exists()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)


def test_a_page_that_cannot_be_moved_into_place_fails_its_run_alone(tmp_path):
    (tmp_path / "good.html").mkdir()  # as a full disk would: the file cannot be put there
    records = runner.run_all(planned(NOTEBOOKS, "good", "where"), Setting.of(tmp_path, ABOUT, {}))
    assert [record["status"] for record in records] == ["failed", "ok"]
    assert "its files could not be written" in records[0]["message"]
    assert folder.read_record(tmp_path, "good")["status"] == "failed"


def test_a_disk_that_is_full_from_the_start_is_told(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "move_into_place", full)
    [record] = runner.run_all(planned(NOTEBOOKS, "where"), Setting.of(tmp_path, ABOUT, {}))
    assert (record["status"], outcome.exit_code([record])) == ("failed", 1)
    assert "No space left on device" in record["message"]


@pytest.mark.parametrize("content", ['{"notebook": "go', '{"a": 1}', "[]"])
def test_a_record_that_is_not_ours_is_none(tmp_path, content):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "good.json").write_text(content, encoding="utf-8")
    assert folder.read_record(tmp_path, "good") is None
    folder.write_index(tmp_path, ["good"], "All", {})


def test_pages_of_different_parameters_are_said_not_to_belong_together(tmp_path):
    (tmp_path / "one").mkdir()
    for name in ("one", "two"):
        shutil.copy(NOTEBOOKS / "good.ipynb", tmp_path / f"{name}.ipynb")
    setting = Setting.of(tmp_path / "pages", ABOUT, {})
    runner.run_all(planned(tmp_path, "one", "two"), setting)
    index = folder.write_index(setting.out, ["one", "two"], "All", {})
    assert "do not belong together" not in index.read_text(encoding="utf-8")
    runner.run_all(planned(tmp_path, "one", patients="7"), setting)
    folder.write_index(setting.out, ["one", "two"], "All", {})
    assert "These pages do not belong together: patients is 7 in one, 3 in two." in index.read_text(encoding="utf-8")


def test_pages_of_other_data_are_not_mixed_though_the_cohort_has_the_same_name(tmp_path):
    runner.run_all(planned(NOTEBOOKS, "good"), Setting.of(tmp_path, ABOUT, {}))
    folder.refuse_pages_of_others(tmp_path, ["good", "where"], ["where"], ABOUT["fingerprint"])
    folder.refuse_pages_of_others(tmp_path, ["good", "where"], ["good"], "0" * 64)
    with pytest.raises(UsageError, match="holds pages of other data"):
        folder.refuse_pages_of_others(tmp_path, ["good", "where"], ["where"], "0" * 64)


def test_a_report_goes_on_when_nobody_reads_what_it_says(tmp_path):
    command = "from analysis.report.progress import say; [say(str(n)) for n in range(9999)]; import pathlib; "
    command += f"pathlib.Path({str(tmp_path / 'end')!r}).touch()"
    talker = subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    talker.stdout.readline()
    talker.stdout.close()
    assert talker.wait(timeout=60) in (0, 120)  # Python's own last flush may still complain
    assert (tmp_path / "end").exists()


def test_exit_codes_tell_causes_apart():
    def code(*ends):
        return outcome.exit_code([{"status": end} for end in ends])

    assert code("ok", "ok") == 0
    assert code("ok", "failed", "skipped") == 1
    assert code("killed", "skipped") == 3
    assert code("ok", "timed-out") == 4
    assert code("killed", "failed") == 1
    assert code("failed", "interrupted") == 130
    assert len(set(outcome.EXIT_CODES.values())) == len(outcome.EXIT_CODES)


def planned(place, *names, **texts):
    runs = [study.Run(notebook=name) for name in names]
    return study.plan(study.Study(title="T", runs=runs), place, "synthetic", texts)


@pytest.fixture
def one_commit(monkeypatch):
    monkeypatch.setattr(shelf, "commit", lambda: "0123456789ab")


@pytest.mark.skipif(not kernels.can_fork(), reason="kernels are forked on Linux only")
def test_forked_and_ordinary_kernels_make_the_same_bytes(tmp_path, one_commit):
    with kernels.fork_server() as address:
        for kind, where in (("forked", address), ("ordinary", None)):
            [record] = runner.run_all(
                planned(NOTEBOOKS, "good"), Setting.of(tmp_path / kind, ABOUT, {}), fork_address=where
            )
            assert (record["status"], record["kernel"]) == ("ok", kind)
    assert (tmp_path / "forked" / "good.html").read_bytes() == (tmp_path / "ordinary" / "good.html").read_bytes()


def polled_runs(tmp_path, count):
    """Run one notebook so often while a reader looks at every file all the time: reads, and those that were torn."""
    shutil.copy(NOTEBOOKS / "good.ipynb", tmp_path / "good.ipynb")
    out, reads, torn, done = tmp_path / "pages", [0], [], threading.Event()
    whole = {
        ".html": lambda text: text.endswith("</html>") or text.endswith("</html>\n"),
        ".json": json.loads,
        ".ipynb": lambda text: json.loads(text)["cells"],
    }

    def poll():
        while not done.is_set():
            for file in (out / "good.html", out / "index.html", *out.glob("runs/good.*")):
                try:
                    text = file.read_text(encoding="utf-8")
                except FileNotFoundError:
                    continue
                reads[0] += 1
                try:
                    assert whole[file.suffix](text)
                except (ValueError, AssertionError):
                    torn.append((file.name, len(text)))

    reader = threading.Thread(target=poll)
    reader.start()
    setting = Setting.of(out, ABOUT, {})
    with kernels.fork_server() as address:
        for _ in range(count):
            with folder.alone_in(out):
                [record] = runner.run_all(planned(tmp_path, "good"), setting, fork_address=address)
                folder.write_index(out, ["good"], "All", {})
            assert record["status"] == "ok"
    done.set()
    reader.join()
    return reads[0], torn


def test_a_reader_never_sees_half_a_file(tmp_path):
    reads, torn = polled_runs(tmp_path, 3)
    assert reads > 100
    assert torn == []


@pytest.mark.slow
def test_a_reader_of_a_hundred_runs_never_sees_half_a_file(tmp_path, record_property):
    reads, torn = polled_runs(tmp_path, 100)
    record_property("reads", reads)
    assert reads > 10_000
    assert torn == []
