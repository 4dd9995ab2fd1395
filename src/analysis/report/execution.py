"""One notebook through papermill, in a kernel of this very Python, with a limit for the whole run.

papermill knows a limit per cell only, says "completed" of cells that a killed kernel never reached, and starts
whichever `python3` kernel the machine has registered. All three are put right here, around it and not in it.
"""

from __future__ import annotations

import ast
import logging
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis import shelf

_MESSAGES = {
    "killed": "the kernel died: killed from outside, out of memory, or crashed",
    "timed-out": "the run took longer than its limit of {limit:g} s",
}


def execute(notebook: Path, executed: Path, values: dict[str, Any], timeout_seconds: float) -> tuple[Any, dict]:
    """How does this notebook run with these values? Returns the executed notebook and what is to be told of it.

    The executed notebook is also written to `executed`, with the truth in its metadata. What is told: status ("ok",
    "failed", "killed", "timed-out"), message, failing_cell (number, first line), cells (run, not_run),
    stderr_lines, timings_seconds (kernel_start, imports, computing).
    """
    status, message = _run(notebook, executed, values, timeout_seconds)
    if not executed.exists():
        return None, {"status": status, "message": message, "timings_seconds": {}}
    import nbformat

    result = nbformat.read(executed, as_version=4)
    told = {"status": status, "message": message, **_tell(result, status)}
    nbformat.write(result, executed)
    return result, told


def _run(notebook: Path, executed: Path, values: dict[str, Any], timeout_seconds: float) -> tuple[str, str]:
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from papermill.log import logger
    from traitlets.config import Config

    # its warnings on parameters are wrong for Literal and None, and ours came before; its errors are in the record
    logger.setLevel("CRITICAL")
    logging.getLogger("asyncio").setLevel("CRITICAL")  # nbclient drops a pending task when a run is out of time
    deadline = time.monotonic() + timeout_seconds
    try:
        papermill.execute_notebook(
            notebook,
            executed,
            values,
            kernel_name="python3",
            progress_bar=False,
            timeout_func=lambda cell: max(deadline - time.monotonic(), 0.001),
            start_timeout=max(1, int(timeout_seconds)) if timeout_seconds < 60 else 60,
            kernel_manager_class=_kernel_manager_class(),
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(notebook.parent.resolve())}},
        )
    except PapermillExecutionError as error:
        return "failed", f"{error.ename}: {error.evalue}"
    except CellTimeoutError:
        return "timed-out", _MESSAGES["timed-out"].format(limit=timeout_seconds)
    except DeadKernelError:
        return "killed", _MESSAGES["killed"]
    except Exception as error:  # one notebook's trouble, of whatever kind, must not stop the others
        if time.monotonic() >= deadline:
            return "timed-out", _MESSAGES["timed-out"].format(limit=timeout_seconds)
        return ("killed" if "Kernel died" in str(error) else "failed"), f"{type(error).__name__}: {error}"
    return "ok", ""


def _kernel_manager_class() -> type:
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class ThisPython(AsyncKernelManager):
        """Starts this interpreter, whatever kernels the machine has registered under `python3`."""

        @property
        def kernel_spec(self) -> KernelSpec:
            # A fixed hash seed keeps the order of sets, and so the bytes of a page; kernels start in the notebook's
            # folder, so that a relative RELAPSE_DATA would point elsewhere.
            environment = {"PYTHONHASHSEED": "0", "RELAPSE_DATA": str(shelf.data_folder().resolve())}
            return KernelSpec(**get_kernel_dict(), env=environment)

    return ThisPython


def _tell(result: Any, status: str) -> dict[str, Any]:
    """Put the truth into the metadata of an executed notebook (in place), and sum it up."""
    ours = [cell for cell in result.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])]
    reached = [cell for cell in ours if cell.metadata.get("papermill", {}).get("start_time")]
    for cell in ours[len(reached) :]:
        cell.metadata.setdefault("papermill", {})["status"] = "not-run"
    failing = None
    if status != "ok" and reached:
        cell = reached[-1]
        cell.metadata["papermill"]["status"] = status
        first_line = next(iter(cell.source.strip().splitlines()), "")
        injected = sum("injected-parameters" in other.metadata.get("tags", []) for other in reached[:-1])
        failing = {"number": len(reached) - injected, "first_line": first_line}
    result.metadata.setdefault("papermill", {}).update(status=status, exception=status != "ok" or None)
    streams = [output for cell in ours for output in cell.get("outputs", []) if output.get("name") == "stderr"]
    return {
        "failing_cell": failing,
        "cells": {"run": len(reached), "not_run": len(ours) - len(reached)},
        "stderr_lines": sum(len(output.text.splitlines()) for output in streams),
        "timings_seconds": _timings(result, reached),
    }


def _timings(result: Any, reached: list) -> dict[str, float]:
    """Seconds from papermill's own stamps: up to the first cell, in cells that only import, and in all others."""
    if not reached:
        return {}
    start = datetime.fromisoformat(result.metadata.papermill.start_time)
    kernel = (datetime.fromisoformat(reached[0].metadata.papermill.start_time) - start).total_seconds()
    seconds = {"kernel_start": kernel, "imports": 0.0, "computing": 0.0}
    for cell in reached:
        if cell.cell_type == "code":
            seconds["imports" if _only_imports(cell.source) else "computing"] += cell.metadata.papermill.duration or 0.0
    return {name: round(value, 3) for name, value in seconds.items()}


def _only_imports(source: str) -> bool:
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return False
    return bool(statements) and all(isinstance(line, ast.Import | ast.ImportFrom) for line in statements)
