"""Runs, told truthfully: notebooks side by side through papermill, each with its status, its page and its record.

Every notebook runs in a folder of its own beside the pages. What it made is moved into place only when all of it is
there: runs/NAME.ipynb, NAME.html (from a run that ended well, and no other) and runs/NAME.json, the record.
"""

from __future__ import annotations

import contextlib
import platform
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import shelf
from analysis.report import execution, folder, page
from analysis.report.execution import Limits, Stop
from analysis.report.folder import Record
from analysis.report.study import PlannedRun

Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class Setting:
    """What all runs of one report share: where pages go, and what each of them says of cohort and origin."""

    out: Path
    about: Mapping[str, Any]
    definitions: Mapping[str, str]
    origin: Mapping[str, Any]

    @classmethod
    def of(cls, out: Path, about: Mapping[str, Any], definitions: Mapping[str, str]) -> Setting:
        """This code's own setting: facts of the cohort as `shelf.about` returns them, terms that every page prints."""
        origin = {"versions": {"python": platform.python_version(), **shelf.versions()}, "commit": shelf.commit()}
        return cls(out, {name: _plain(value) for name, value in about.items()}, definitions, origin)


def run_all(
    runs: list[PlannedRun],
    setting: Setting,
    jobs: int = 1,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    tell: Tell = lambda name, status: None,
    fork_address: str | None = None,
    begun: Callable[[], Any] = lambda: None,
) -> list[Record]:
    """Which of these notebooks ended well? Runs them side by side, each after those it needs; returns their records.

    Parameters
    ----------
    runs : in an order that their needs allow, as `study.plan` gives them; a need that is not among them counts as met.
    setting : folder of the pages (runs/ in it gets executed notebooks and records), cohort, definitions, origin.
    jobs : how many notebooks run at a time.
    limits : what one notebook may take, kernel start included.
    tell : called with a notebook's name and "started", "ok", "failed", "killed", "timed-out", "interrupted" or
        "skipped"; from several threads, one at a time.
    fork_address : of a fork server, as `kernels.fork_server` yields it; None for ordinary kernels.
    begun : called once, when every run has its record, which says "unfinished" until it has ended.

    A notebook that fails stops only those that need it; they are skipped, and the old pages of both stay. Ctrl-C
    stops all: running notebooks are "interrupted", those that wait are too, and every one has its record.
    """
    (setting.out / "runs").mkdir(parents=True, exist_ok=True)
    lock, stop = threading.Lock(), Stop()

    def tell_one_at_a_time(name: str, status: str) -> None:
        with lock:
            tell(name, status)

    def work(run: PlannedRun) -> Record:
        tell_one_at_a_time(run.name, "started")
        record = run_one(run, setting, limits, fork_address, stop)
        tell_one_at_a_time(run.name, record["status"])
        return record

    for run in runs:
        folder.clear(setting.out, run.name)
        _not_run(run, setting, "unfinished", "has not ended: it is under way, or the whole report was cut off")
    begun()
    records: dict[str, Record] = {}
    waiting: list[PlannedRun] = list(runs)
    running: dict[Future, str] = {}
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            while waiting or running:
                for run in _skippable(waiting, records):
                    waiting.remove(run)
                    records[run.name] = _not_run(run, setting, "skipped", _because_of_needs(run, records))
                    tell_one_at_a_time(run.name, "skipped")
                for run in _startable(waiting, running, records):
                    waiting.remove(run)
                    running[pool.submit(work, run)] = run.name
                records |= {running.pop(future): future.result() for future in _finished(running)}
        except KeyboardInterrupt:
            stop.at_once()
            wait(running)
            records |= {run.name: _after_stop(run, setting) for run in runs if run.name not in records}
    return [records[run.name] for run in runs]


def _after_stop(run: PlannedRun, setting: Setting) -> Record:
    """What a run came to before everything stopped."""
    record = folder.read_record(setting.out, run.name)
    if record and record["status"] != "unfinished":
        return record
    return _not_run(run, setting, "interrupted", "interrupted before it began")


def _plain(value: Any) -> Any:
    """A value out of a frame as JSON and a page can hold it: Python's own type, None for what is missing."""
    value = value.item() if hasattr(value, "item") else value
    return None if pd.isna(value) else value


def _failed_needs(run: PlannedRun, records: Mapping[str, Record]) -> list[str]:
    return [need for need in run.needs if need in records and records[need]["status"] != "ok"]


def _skippable(waiting: list[PlannedRun], records: Mapping[str, Record]) -> list[PlannedRun]:
    return [run for run in waiting if _failed_needs(run, records)]


def _startable(waiting: list[PlannedRun], running: Mapping[Future, str], records: Mapping) -> list[PlannedRun]:
    unfinished = {run.name for run in waiting} | set(running.values())
    return [run for run in waiting if not unfinished & set(run.needs) and not _failed_needs(run, records)]


def _finished(running: Mapping[Future, str]) -> list[Future]:
    return list(wait(running, return_when=FIRST_COMPLETED).done) if running else []


def run_one(
    run: PlannedRun,
    setting: Setting,
    limits: Limits,
    fork_address: str | None = None,
    stop: Stop | None = None,
) -> Record:
    """How did this notebook's run end? Its record, which also stands in runs/NAME.json; see `run_all`."""
    begin = time.monotonic()
    record = _new_record(run, setting)
    try:
        with folder.aside(setting.out, run.name) as aside:
            executed = aside / "executed.ipynb"
            notebook, told = execution.execute(run.notebook, executed, run.values, limits, fork_address, stop)
            record |= told
            if record["status"] == "ok":
                _export(run, notebook, aside, record, setting)
            record["timings_seconds"]["total"] = round(time.monotonic() - begin, 3)
            folder.move_into_place(run.name, aside, setting.out, record)
    except OSError as error:  # a full disk, say: this run is lost, and the others have to be told of
        return _not_run(run, setting, "failed", f"its files could not be written: {error}")
    return record


def _new_record(run: PlannedRun, setting: Setting) -> Record:
    old = folder.read_record(setting.out, run.name) or {}
    return {
        "notebook": run.name,
        "status": "skipped",
        "message": "",
        "parameters": run.all_values,
        "cohort": dict(setting.about),
        **setting.origin,
        "timings_seconds": {},
        "page": old.get("page") if (setting.out / f"{run.name}.html").exists() else None,
    }


def _export(run: PlannedRun, notebook: Any, aside: Path, record: Record, setting: Setting) -> None:
    """The page of a run that ended well; a page that breaks a rule of the house is a failed run."""
    begin = time.monotonic()
    shown = [(parameter, run.all_values[parameter.name]) for parameter in run.declared if parameter.name != "cohort"]
    about = setting.about
    try:
        made = page.render(notebook, about, setting.definitions, shown, setting.origin)
    except page.PageError as error:
        record |= {"status": "failed", "message": f"the notebook ran, its page was refused:\n{error}"}
    except Exception as error:  # one page's trouble, of whatever kind, must not stop the others
        record |= {"status": "failed", "message": f"the notebook ran, its page could not be made: {error!r}"}
    else:
        (aside / "page.html").write_text(made.html, encoding="utf-8")
        record["page"] = {
            "title": made.title,
            "question": made.question,
            "cohort": {name: about[name] for name in ("name", "title", "synthetic", "fingerprint")},
            "parameters": {name: value for name, value in run.all_values.items() if name != "cohort"},
        }
    record["timings_seconds"]["export"] = round(time.monotonic() - begin, 3)


def _because_of_needs(run: PlannedRun, records: Mapping[str, Record]) -> str:
    needs = ", ".join(f"{need} ({records[need]['status']})" for need in _failed_needs(run, records))
    return f"not run, because it needs {needs}"


def _not_run(run: PlannedRun, setting: Setting, status: str, message: str) -> Record:
    """The record of a run that made nothing; where even that cannot be written, it is at least returned."""
    record = _new_record(run, setting) | {"status": status, "message": message}
    with contextlib.suppress(OSError), folder.aside(setting.out, run.name) as aside:
        folder.move_into_place(run.name, aside, setting.out, record)
    return record
