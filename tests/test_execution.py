"""Failure drills: one notebook, ended in every way that a run can end, on forked and on ordinary kernels."""

import threading
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis.report import execution, kernels
from analysis.report.execution import Limits, Stop

KINDS = ["ordinary", pytest.param("forked", marks=pytest.mark.skipif(not kernels.can_fork(), reason="no fork here"))]


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def address(kind):
    """Of a fork server, None for ordinary kernels."""
    if kind == "ordinary":
        yield None
        return
    with kernels.fork_server() as found:
        yield found


def execute(folder, address, *sources, limits=None, stop=None):
    """Run a notebook of these cells; told, and the statuses of its cells as saved."""
    parameters = new_code_cell('cohort: str = "synthetic"', metadata={"tags": ["parameters"]})
    cells = [new_markdown_cell("# Title"), parameters, *map(new_code_cell, sources)]
    notebook = folder / "drill.ipynb"
    nbformat.write(new_notebook(cells=cells), notebook)
    executed = folder / "executed.ipynb"
    _, told = execution.execute(notebook, executed, {"cohort": "other"}, limits or Limits(60), address, stop)
    return told, saved_statuses(executed) if executed.exists() else []


def saved_statuses(executed):
    saved = nbformat.read(executed, as_version=4)
    told = {"papermill-error-cell-tag", "run-status"}
    return [
        cell.metadata.papermill.status
        for cell in saved.cells
        if not told & set(cell.metadata.get("tags", [])) and cell.cell_type == "code"
    ]


def note(folder):
    first = nbformat.read(folder / "executed.ipynb", as_version=4).cells[0]
    return first.source if "run-status" in first.metadata.get("tags", []) else None


def once(condition, seconds=10):
    """Wait until something is so; the condition's value."""
    until = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_good_run_says_ok_and_what_kernel_it_had(tmp_path, address, kind):
    told, statuses = execute(tmp_path, address, "1 + 1")
    assert (told["status"], told["kernel"], told["attempts"]) == ("ok", kind, 1)
    assert statuses == ["completed"] * 3
    assert note(tmp_path) is None


def test_a_killed_kernel_is_told(tmp_path, address):
    told, statuses = execute(tmp_path, address, "import os, signal", "os.kill(os.getpid(), signal.SIGKILL)", "2")
    assert told["status"] == "killed"
    assert "killed from outside, out of memory, or crashed" in told["message"]
    assert told["failing_cell"]["number"] == 4
    assert told["cells"]["never_ran"] == [5]
    assert statuses[-3:] == ["completed", "killed", "not-run"]
    assert "This run was killed in cell 4." in note(tmp_path)
    assert "Cells that never ran: 5." in note(tmp_path)


def test_the_whole_run_has_a_limit(tmp_path, address):
    told, statuses = execute(tmp_path, address, "import time", *["time.sleep(2)"] * 3, limits=Limits(4))
    assert told["status"] == "timed-out"
    assert told["message"] == "the run took longer than its limit of 4 s"
    assert statuses[-1] == "not-run"
    assert "timed-out" in statuses


def test_a_cell_can_have_a_limit_of_its_own(tmp_path, address):
    limits = Limits(60, cell_seconds=1)
    told, statuses = execute(tmp_path, address, "import time; time.sleep(0.1)", "time.sleep(30)", "3", limits=limits)
    assert (told["status"], told["failing_cell"]["number"]) == ("timed-out", 4)
    assert told["message"] == "a cell took longer than its limit of 1 s"
    assert statuses[-2:] == ["timed-out", "not-run"]


def test_a_stop_from_outside_ends_the_run_at_once(tmp_path, address):
    stop = Stop()
    begun = tmp_path / "begun"
    threading.Thread(target=lambda: once(begun.exists, 30) and stop.at_once()).start()
    begin = time.monotonic()
    cell = f"import pathlib, time; pathlib.Path({str(begun)!r}).touch(); time.sleep(60)"
    told, statuses = execute(tmp_path, address, cell, "after = 1", stop=stop)
    assert told["status"] == "interrupted"
    assert statuses[-2:] == ["interrupted", "not-run"]
    assert time.monotonic() - begin < 30
    assert "This run was interrupted in cell 3" in note(tmp_path)


def test_after_a_stop_nothing_begins(tmp_path, address):
    stop = Stop()
    stop.at_once()
    told, _ = execute(tmp_path, address, "1", stop=stop)
    assert told["status"] == "interrupted"
    assert not (tmp_path / "executed.ipynb").exists()


def test_a_kernel_that_is_interrupted_from_outside_says_so(tmp_path, address):
    told, statuses = execute(tmp_path, address, "import os, signal", "os.kill(os.getpid(), signal.SIGINT)", "2")
    assert (told["status"], told["message"]) == ("killed", "its kernel was interrupted by a signal")
    assert statuses[-1] == "not-run"


@pytest.mark.skipif(not Path("/proc").exists(), reason="the memory limit is held on Linux only")
def test_too_much_memory_is_an_error_that_names_the_limit(tmp_path, address):
    limits = Limits(60, memory_gigabytes=1.5)
    told, statuses = execute(tmp_path, address, "held = bytearray(10**8)", "bytearray(3 * 2**30)", "2", limits=limits)
    assert told["status"] == "failed"
    assert told["message"].startswith("MemoryError")
    assert told["message"].endswith("(its limit is 1.5 GB)")
    assert statuses[-3:] == ["completed", "failed", "not-run"]


def test_a_failing_cell_keeps_what_was_before_it(tmp_path, address):
    told, statuses = execute(tmp_path, address, "print('before')", "1 / 0", "after = 1")
    assert (told["status"], told["message"]) == ("failed", "ZeroDivisionError: division by zero")
    assert statuses[-3:] == ["completed", "failed", "not-run"]
    assert "before" in (tmp_path / "executed.ipynb").read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
def test_what_a_notebook_started_ends_with_it(tmp_path, address):
    told, _ = execute(
        tmp_path,
        address,
        "import subprocess, pathlib",
        "child = subprocess.Popen(['sleep', '300'])",
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))",
    )
    assert told["status"] == "ok"
    pid = int((tmp_path / "pid").read_text())
    assert once(lambda: not is_alive(pid)), "a process that the notebook started outlives it"


def test_nobodys_own_settings_take_part(tmp_path, address, monkeypatch):
    own = tmp_path / "home"
    startup = own / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("mine = 1")
    (own / "matplotlibrc").write_text("axes.facecolor: red")
    for name, value in (("HOME", own), ("IPYTHONDIR", own / ".ipython"), ("MATPLOTLIBRC", own)):
        monkeypatch.setenv(name, str(value))
    told, _ = execute(
        tmp_path, address, "import matplotlib; assert matplotlib.rcParams['axes.facecolor'] == 'white'", "mine"
    )
    assert told["message"] == "NameError: name 'mine' is not defined"


def test_a_message_cannot_break_out_of_the_note(tmp_path, address):
    execute(tmp_path, address, "raise ValueError('```\\n# Heading')")
    assert "\n    # Heading" in note(tmp_path)


def test_a_path_with_braces_is_taken_as_it_stands(tmp_path, address):
    folder = tmp_path / "{cohort}"
    folder.mkdir()
    told, _ = execute(folder, address, "1")
    assert told["status"] == "ok"
    assert (folder / "executed.ipynb").exists()


def test_a_kernel_that_never_answers_is_tried_once_more(tmp_path, monkeypatch):
    made = []

    def manager_class(address, *more):
        made.append(address)
        found = genuine(None, *more)
        if len(made) == 1:  # one that dies before it can answer
            found.kernel_spec = property(lambda self: broken)
        return found

    from jupyter_client.kernelspec import KernelSpec

    broken = KernelSpec(argv=["false"], language="python", metadata={})
    genuine = kernels.manager_class
    monkeypatch.setattr(kernels, "manager_class", manager_class)
    told, _ = execute(tmp_path, "nowhere", "1")
    assert (told["status"], told["attempts"]) == ("ok", 2)
    assert made == ["nowhere", None], "the second attempt has to be an ordinary kernel"


def test_two_attempts_and_no_more(tmp_path, monkeypatch):
    from jupyter_client.kernelspec import KernelSpec

    def manager_class(address, *more):
        found = genuine(None, *more)
        found.kernel_spec = property(lambda self: KernelSpec(argv=["false"], language="python", metadata={}))
        return found

    genuine = kernels.manager_class
    monkeypatch.setattr(kernels, "manager_class", manager_class)
    told, _ = execute(tmp_path, None, "1")
    assert (told["status"], told["attempts"]) == ("killed", 2)
    assert "never answered" in told["message"]
    assert note(tmp_path).startswith("**This run was killed before its first cell.**")
