"""One run, told truthfully: a notebook through papermill, its status, its page and its record.

Every notebook runs in a kernel of this very Python, in a folder of its own beside the pages. What it made is moved
into place only when all of it is there: runs/NAME.ipynb, NAME.html (from a run that ended well, and no other) and
runs/NAME.json, the record. papermill marks all cells of a killed run "completed"; here the saved notebook is mended.
"""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import shelf
from analysis.report import execution, page
from analysis.report.study import PlannedRun

Record = dict[str, Any]
Tell = Callable[[str, str], None]


def run_all(
    runs: list[PlannedRun],
    out: Path,
    about: Mapping[str, Any],
    definitions: Mapping[str, str],
    jobs: int = 1,
    timeout_seconds: float = 1800,
    tell: Tell = lambda name, status: None,
) -> list[Record]:
    """Which of these notebooks ended well? Runs them side by side, each after those it needs; returns their records.

    Parameters
    ----------
    runs : in an order that their needs allow, as `study.plan` gives them; a need that is not among them counts as met.
    out : folder of the pages; runs/ in it gets executed notebooks and records.
    about : facts of the cohort, as `shelf.about` returns them.
    definitions : terms and sentences that every page prints.
    jobs : how many notebooks run at a time.
    timeout_seconds : the longest that one notebook may take, kernel start included.
    tell : called with a notebook's name and "started", "ok", "failed", "killed", "timed-out" or "skipped"; from
        several threads, one at a time.

    A notebook that fails stops only those that need it; they are skipped, and the old pages of both stay.
    """
    (out / "runs").mkdir(parents=True, exist_ok=True)
    about = {name: _plain(value) for name, value in about.items()}
    origin = {"versions": {"python": platform.python_version(), **shelf.versions()}, "commit": shelf.commit()}
    lock = threading.Lock()

    def tell_one_at_a_time(name: str, status: str) -> None:
        with lock:
            tell(name, status)

    def work(run: PlannedRun) -> Record:
        tell_one_at_a_time(run.name, "started")
        record = run_one(run, out, about, definitions, origin, timeout_seconds)
        tell_one_at_a_time(run.name, record["status"])
        return record

    records: dict[str, Record] = {}
    waiting, running = list(runs), {}
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        while waiting or running:
            for run in _skippable(waiting, records):
                waiting.remove(run)
                records[run.name] = _skip(run, records, out, about, origin)
                tell_one_at_a_time(run.name, "skipped")
            for run in _startable(waiting, running, records):
                waiting.remove(run)
                running[pool.submit(work, run)] = run.name
            records |= {running.pop(future): future.result() for future in _finished(running)}
    return [records[run.name] for run in runs]


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
    out: Path,
    about: Mapping[str, Any],
    definitions: Mapping[str, str],
    origin: Mapping[str, Any],
    timeout_seconds: float,
) -> Record:
    """How did this notebook's run end? Its record, which also stands in runs/NAME.json; see `run_all`."""
    begin = time.monotonic()
    record = _new_record(run, out, about, origin)
    aside = Path(tempfile.mkdtemp(prefix=f".{run.name}-", dir=out))
    try:
        executed = aside / "executed.ipynb"
        notebook, told = execution.execute(run.notebook, executed, run.values, timeout_seconds)
        record |= told
        if record["status"] == "ok":
            _export(run, notebook, aside, record, about, definitions, origin)
        record["timings_seconds"]["total"] = round(time.monotonic() - begin, 3)
        _move_into_place(run.name, aside, out, record)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return record


def _new_record(run: PlannedRun, out: Path, about: Mapping[str, Any], origin: Mapping[str, Any]) -> Record:
    old = read_record(out, run.name) or {}
    return {
        "notebook": run.name,
        "status": "skipped",
        "message": "",
        "parameters": run.all_values,
        "cohort": dict(about),
        **origin,
        "timings_seconds": {},
        "page": old.get("page") if (out / f"{run.name}.html").exists() else None,
    }


def _export(run, notebook, aside: Path, record: Record, about, definitions, origin) -> None:
    """The page of a run that ended well; a page that breaks a rule of the house is a failed run."""
    begin = time.monotonic()
    shown = [(parameter, run.all_values[parameter.name]) for parameter in run.declared if parameter.name != "cohort"]
    try:
        made = page.render(notebook, about, definitions, shown, origin)
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
        }
    record["timings_seconds"]["export"] = round(time.monotonic() - begin, 3)


def _skip(run: PlannedRun, records: Mapping[str, Record], out: Path, about, origin) -> Record:
    needs = ", ".join(f"{need} ({records[need]['status']})" for need in _failed_needs(run, records))
    record = _new_record(run, out, about, origin) | {"message": f"not run, because it needs {needs}"}
    with tempfile.TemporaryDirectory(prefix=f".{run.name}-", dir=out) as aside:
        _move_into_place(run.name, Path(aside), out, record)
    return record


def _move_into_place(name: str, aside: Path, out: Path, record: Record) -> None:
    (aside / "record.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for made, place in (
        ("executed.ipynb", out / "runs" / f"{name}.ipynb"),
        ("page.html", out / f"{name}.html"),
        ("record.json", out / "runs" / f"{name}.json"),
    ):
        if (aside / made).exists():
            (aside / made).replace(place)


def read_record(out: Path, name: str) -> Record | None:
    """The record of a notebook's last run into this folder; None when there was none."""
    file = out / "runs" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def pages_of_others(out: Path, names: list[str], title: str) -> list[str]:
    """Which of these notebooks have a page here that shows another cohort than the one with this title?"""
    records = {name: record for name in names if (record := read_record(out, name))}
    shown = {name: (record.get("page") or {}).get("cohort", {}).get("title", title) for name, record in records.items()}
    return [name for name, other in shown.items() if other != title]


def write_index(out: Path, names: list[str], title: str, definitions: Mapping[str, str]) -> Path:
    """index.html: one row per notebook of the study with its question, cohort and the status of its last run."""
    records = [record for name in names if (record := read_record(out, name))]
    html = page.render_index(title, records, definitions)
    with tempfile.TemporaryDirectory(prefix=".index-", dir=out) as aside:
        made = Path(aside) / "index.html"
        made.write_text(html, encoding="utf-8")
        made.replace(out / "index.html")
    return out / "index.html"
