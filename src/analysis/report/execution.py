"""One notebook through papermill, with limits for the run, its cells and its memory, told truthfully.

papermill knows a limit per cell only, says "completed" of cells that a killed kernel never reached, and starts
whichever `python3` kernel the machine has registered. All three are put right here, around it and not in it.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.report import kernels, truth

_KILLED = "the kernel died: killed from outside, out of memory, or crashed"
_INTERRUPTED = "interrupted from outside"


@dataclass(frozen=True)
class Limits:
    """What one run may take: seconds in all, seconds per cell, seconds until its kernel answers, memory."""

    run_seconds: float = 1800
    cell_seconds: float | None = None
    start_seconds: float = 60
    memory_gigabytes: float | None = None

    @classmethod
    def of_minutes(cls, run: float, cell: float | None = None, memory_gigabytes: float | None = None) -> Limits:
        """The limits as study.yaml states them."""
        return cls(run * 60, cell and cell * 60, memory_gigabytes=memory_gigabytes)


@dataclass
class Stop:
    """A way to end all runs from outside: after `at_once()`, running kernels are dead and no new one is started."""

    asked: bool = False
    _classes: list[type] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def at_once(self) -> None:
        """Kill every kernel that was started under this stop."""
        with self._lock:
            self.asked = True
            managers = [manager for made in self._classes for manager in made.managers]
        for manager in managers:
            kernels.kill(manager)

    def watch(self, made: type) -> None:
        """Have the kernels of this manager class killed when the stop is asked for."""
        with self._lock:
            self._classes.append(made)


def execute(
    notebook: Path,
    executed: Path,
    values: dict[str, Any],
    limits: Limits,
    fork_address: str | None = None,
    stop: Stop | None = None,
) -> tuple[Any, dict]:
    """How does this notebook run with these values? Returns the executed notebook and what is to be told of it.

    The executed notebook is also written to `executed`, with the truth in it. What is told: status ("ok", "failed",
    "killed", "timed-out", "interrupted"), message, kernel ("forked" or "ordinary"), attempts, and what `truth.mend`
    returns. A kernel that never answers is tried once more, the ordinary way.
    """
    deadline = time.monotonic() + limits.run_seconds
    run = _Run(notebook, executed, values, limits, deadline, stop or Stop())
    told = run.attempt(fork_address)
    result = _read(executed)
    never_began = told["status"] == "killed" and not (result and truth.reached(result))
    if never_began and time.monotonic() < deadline:
        told = run.attempt(None) | {"attempts": 2}
        result = _read(executed)
    if result:
        import nbformat

        told |= truth.mend(result, told["status"], told["message"])
        nbformat.write(result, executed)
    return result, told


def _read(executed: Path) -> Any:
    import nbformat

    try:
        return nbformat.read(executed, as_version=4)
    except (OSError, ValueError):  # never written, or only in part: the disk was full
        return None


@dataclass(frozen=True)
class _Run:
    """What is to be run, into which file, until when."""

    notebook: Path
    executed: Path
    values: dict[str, Any]
    limits: Limits
    deadline: float
    stop: Stop

    def attempt(self, fork_address: str | None) -> dict[str, Any]:
        """Run it once; status, message, and what kernel it had."""
        made = kernels.manager_class(fork_address, self.limits.memory_gigabytes, self.executed.parent / "ipython")
        self.stop.watch(made)
        status, message = "ok", ""
        try:
            self._through_papermill(made)
        except (Exception, KeyboardInterrupt) as error:  # one notebook's trouble must not stop the others
            stopped = self.stop.asked
            status, message = ("interrupted", _INTERRUPTED) if stopped else _cause(error, self.deadline, self.limits)
        forked = any(kernels.is_forked(manager) for manager in made.managers)
        kind = "forked" if forked else "ordinary"
        return {"status": status, "message": message, "kernel": kind, "attempts": 1, "timings_seconds": {}}

    def _through_papermill(self, made: type) -> None:
        import papermill
        from papermill.log import logger
        from traitlets.config import Config

        # its warnings on parameters are wrong for Literal and None, and ours came before; its errors are recorded
        logger.setLevel("CRITICAL")
        logging.getLogger("asyncio").setLevel("CRITICAL")  # nbclient drops a pending task when a run is out of time
        if self.stop.asked:
            raise KeyboardInterrupt
        papermill.execute_notebook(
            _literal(self.notebook),
            _literal(self.executed),
            self.values,
            kernel_name="python3",
            language="python",  # a notebook need not say so
            progress_bar=False,
            timeout_func=lambda cell: self._seconds_left(),
            start_timeout=max(1, round(min(self.limits.start_seconds, self.deadline - time.monotonic()))),
            kernel_manager_class=made,
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(self.notebook.parent.resolve())}},
        )

    def _seconds_left(self) -> float:
        """For the next cell; none when a stop was asked for while no kernel was there to be killed."""
        left = 0 if self.stop.asked else self.deadline - time.monotonic()
        return max(0.001, min(left, self.limits.cell_seconds or left))


def _literal(path: Path) -> str:
    """A path that papermill takes as it stands: it would fill in {names}."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _cause(error: BaseException, deadline: float, limits: Limits) -> tuple[str, str]:
    """Status and message for what papermill raised."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        if error.ename == "KeyboardInterrupt":
            return "killed", "its kernel was interrupted by a signal"
        hint = f" (its limit is {limits.memory_gigabytes:g} GB)" if _is_out_of_memory(error, limits) else ""
        return "failed", f"{error.ename}: {error.evalue}{hint}"
    if time.monotonic() >= deadline:
        return "timed-out", f"the run took longer than its limit of {limits.run_seconds:g} s"
    if isinstance(error, CellTimeoutError):
        return "timed-out", f"a cell took longer than its limit of {limits.cell_seconds:g} s"
    if isinstance(error, DeadKernelError):
        return "killed", _KILLED
    words = str(error)
    if isinstance(error, RuntimeError) and ("Kernel died" in words or "Kernel didn't respond" in words):
        return "killed", f"the kernel never answered: {words}"
    return "failed", f"{type(error).__name__}: {words}"


def _is_out_of_memory(error: Any, limits: Limits) -> bool:
    return limits.memory_gigabytes is not None and error.ename in ("MemoryError", "_ArrayMemoryError")
