"""The fork server: same answers as ordinary kernels, nothing left behind, and an ordinary kernel on any doubt."""

import json
import os
import signal
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from processes import marked, once

from analysis.report import execution, kernels
from analysis.report.execution import Limits

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not kernels.can_fork(), reason="kernels are forked on Linux only")


@pytest.fixture(scope="module")
def address():
    """Of a server that was started while a variable was set which is not set any more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELAPSE_STALE", "yes")
        server = kernels.fork_server()
        found = server.__enter__()
    yield found
    server.__exit__(None, None, None)


@pytest.fixture
def mark(monkeypatch):
    """A text in the environment of every process that this test starts."""
    found = f"mark-{uuid.uuid4().hex}"
    monkeypatch.setenv("RELAPSE_TEST_MARK", found)
    return found


def notebook(folder, *sources):
    file = folder / "notebook.ipynb"
    nbformat.write(new_notebook(cells=[*map(new_code_cell, sources)]), file)
    return file


def execute(folder, address, *sources, name="executed", limits=Limits(60)):  # noqa: B008
    """What was told, and the plain text that the last cell showed."""
    executed, told = execution.execute(notebook(folder, *sources), folder / f"{name}.ipynb", {}, limits, address)
    outputs = executed.cells[-1].get("outputs", [])
    return told, outputs[-1]["data"]["text/plain"] if outputs and "data" in outputs[-1] else None


def test_a_forked_kernel_has_its_libraries_ready_and_is_a_kernel_of_its_own(tmp_path, address):
    source = "import os, sys; ['lifelines' in sys.modules, os.getpgid(0) == os.getpid(), os.environ['PYTHONHASHSEED']]"
    told, text = execute(tmp_path, address, source)
    assert told["kernel"] == "forked"
    assert text == "[True, True, '0']"


def test_one_kernel_knows_nothing_of_another(tmp_path, address):
    execute(tmp_path, address, "import pandas; pandas.secret_of_the_first = 1")
    _, text = execute(tmp_path, address, "import pandas; hasattr(pandas, 'secret_of_the_first')")
    assert text == "False"


def test_two_forks_draw_different_random_numbers(tmp_path, address):
    source = "import random, uuid, numpy; [numpy.random.rand(), random.random(), uuid.uuid4().int]"
    (_, first), (_, second) = execute(tmp_path, address, source), execute(tmp_path, address, source)
    assert all(a != b for a, b in zip(json.loads(first), json.loads(second), strict=True))


def test_the_environment_of_the_asker_arrives_and_not_that_of_the_server(tmp_path, address, monkeypatch):
    monkeypatch.setenv("RELAPSE_SEEN", "yes")
    _, text = execute(tmp_path, address, "import os; [os.environ.get(f'RELAPSE_{name}') for name in ('SEEN', 'STALE')]")
    assert text == "['yes', None]"


def test_linear_algebra_and_threads_work_after_the_fork(tmp_path, address):
    source = """
import threading
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv

square = np.random.default_rng(1).normal(size=(300, 300))
inverse = np.linalg.inv(square @ square.T)
with ThreadPoolExecutor(4) as pool:
    sums = list(pool.map(sum, [range(10)] * 8))
forest = RandomSurvivalForest(n_estimators=8, n_jobs=2, random_state=1)
forest.fit(square[:, :3], Surv.from_arrays(square[:, 3] > 0, np.abs(square[:, 4])))
(bool(np.isfinite(inverse).all()), sums[0], len(forest.estimators_))
"""
    told, text = execute(tmp_path, address, source)
    assert told["status"] == "ok", told
    assert text == "(True, 45, 8)"


def test_the_transport_is_encrypted(tmp_path, address):
    source = """
import json
from ipykernel.connect import get_connection_file
with open(get_connection_file()) as file:
    connection = json.load(file)
sorted(name for name in connection if name.startswith("curve"))
"""
    for where in (address, None):
        assert "curve_publickey" in execute(tmp_path, where, source)[1]


def test_without_a_server_kernels_are_ordinary(tmp_path):
    told, text = execute(tmp_path, "@nobody", "1 + 1")
    assert (told["status"], told["kernel"], text) == ("ok", "ordinary", "2")


def test_the_switch_turns_forking_off(tmp_path, monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, "0")
    with kernels.fork_server() as nowhere:
        assert nowhere is None
        told, _ = execute(tmp_path, nowhere, "1")
    assert (told["status"], told["kernel"]) == ("ok", "ordinary")


def test_a_server_that_could_deadlock_its_forks_refuses_and_kernels_are_ordinary(tmp_path, monkeypatch):
    (tmp_path / "starts_a_thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(30,), daemon=True).start()"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with kernels.fork_server(["starts_a_thread"]) as address:
        told, _ = execute(tmp_path, address, "1")
    assert (told["status"], told["kernel"]) == ("ok", "ordinary")


def test_a_module_that_cannot_be_imported_is_left_to_the_notebook(tmp_path, monkeypatch):
    (tmp_path / "breaks.py").write_text("raise RuntimeError('broken on purpose')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with kernels.fork_server(["breaks", "no_such_module"]) as address:
        told, _ = execute(tmp_path, address, "1")
    assert (told["status"], told["kernel"]) == ("ok", "forked")


def test_when_the_server_dies_its_kernels_do_and_the_next_is_ordinary(tmp_path, mark):
    with kernels.fork_server() as address:
        # while C code holds the interpreter, the kernel's own watch over its parent sleeps too
        kill = "import ctypes, os, subprocess; subprocess.Popen(['sh', '-c', f'sleep 1; kill -9 {os.getppid()}'])"
        source = f"{kill}; ctypes.PyDLL(None).sleep(120)"
        told, _ = execute(tmp_path, address, "1", source)
        assert told["status"] == "killed"
        assert once(lambda: not marked(mark)), "a kernel outlived its server"
        told, _ = execute(tmp_path, address, "1")
        assert (told["status"], told["kernel"]) == ("ok", "ordinary")


def test_nothing_is_left_after_the_server_was_closed(tmp_path, mark):
    with kernels.fork_server() as address:
        assert execute(tmp_path, address, "1")[0]["status"] == "ok"
        assert marked(mark), "the mark is not seen, so this test could not fail"
    assert once(lambda: not marked(mark))


OWNER = """
import sys
from pathlib import Path
from analysis.report import execution, kernels
from analysis.report.execution import Limits
with kernels.fork_server() as address:
    execution.execute(Path(sys.argv[1]), Path(sys.argv[2]), {}, Limits(120), address)
"""


@pytest.mark.parametrize("fork", ["1", "0"], ids=["forked", "ordinary"])
def test_no_kernel_outlives_an_owner_that_was_killed(tmp_path, mark, fork):
    begun = tmp_path / "begun"
    # an ordinary kernel sees its owner's death itself, and cannot take along what it had started
    helper = "import subprocess; subprocess.Popen(['sleep', '120'])\n" if fork == "1" else ""
    source = f"{helper}import pathlib, time; pathlib.Path({str(begun)!r}).touch(); time.sleep(120)"
    command = [sys.executable, "-c", OWNER, str(notebook(tmp_path, source)), str(tmp_path / "out.ipynb")]
    owner = subprocess.Popen(command, env=os.environ | {kernels.SWITCH: fork})
    assert once(begun.exists, 60), "the kernel never ran"
    assert len(marked(mark)) >= 2
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert once(lambda: not marked(mark)), f"left behind: {marked(mark)}"


def test_imports_are_read_out_of_notebooks(tmp_path):
    file = notebook(tmp_path, "import numpy as np\nfrom analysis import schema", "%magic is not Python", "x = 1")
    assert kernels.imported_by([file]) == ["analysis", "analysis.schema", "numpy"]


@pytest.mark.slow
def test_five_hundred_runs_six_at_a_time(tmp_path, mark):
    def one(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        told, text = execute(folder, address, f"import numpy; int(numpy.arange({number} + 1).sum())")
        return told | {"right": text == str(number * (number + 1) // 2)}

    with kernels.fork_server() as address, ThreadPoolExecutor(6) as pool:
        told = list(pool.map(one, range(500)))
    failures = [record for record in told if record["status"] != "ok" or not record["right"]]
    assert not failures, json.dumps(failures[:3], indent=2)
    assert all(record["kernel"] == "forked" and record["attempts"] == 1 for record in told)
    assert once(lambda: not marked(mark)), f"orphans: {marked(mark)}"
