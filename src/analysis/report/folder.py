"""The folder of the pages: held by one run at a time, and never with a file in it that is not whole.

Everything is made in a folder aside, on the same disk, and moved into place in one step.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis.report import page
from analysis.report.parameters import UsageError

Record = dict[str, Any]
_NEEDED = {"notebook", "status", "message", "cohort", "page"}


def usable(out: Path) -> Path:
    """The folder of the pages; refused in words before any work when it cannot be one."""
    there = next(place for place in (out.absolute(), *out.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UsageError([f"--out {out}: expected a folder that can be written, but {there} is none; name another"])
    return out


class BusyError(RuntimeError):
    """Another run writes into the same folder."""


@contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """Hold a folder of pages for one run; clears away what a killed run left half-made there.

    Raises
    ------
    BusyError
        at once, when another process holds it.
    """
    from filelock import FileLock, Timeout

    (out / "runs").mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / "runs" / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(
            f"--out {out}: another run is writing there; wait until it has ended, or name another folder"
        ) from None
    try:
        for left in out.glob(".*-aside"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.release()


@contextmanager
def aside(out: Path, name: str) -> Iterator[Path]:
    """A folder beside the pages, on the same disk, so that what was made in it can be moved in one step."""
    with tempfile.TemporaryDirectory(prefix=f".{name}-", suffix="-aside", dir=out, ignore_cleanup_errors=True) as made:
        yield Path(made)


def move_into_place(name: str, aside: Path, out: Path, record: Record) -> None:
    """What a run made in its folder aside, and its record, to where readers look; the record comes last."""
    (aside / "record.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for made, place in (
        ("executed.ipynb", out / "runs" / f"{name}.ipynb"),
        ("page.html", out / f"{name}.html"),
        ("record.json", out / "runs" / f"{name}.json"),
    ):
        if (aside / made).exists():
            (aside / made).replace(place)


def read_record(out: Path, name: str) -> Record | None:
    """The record of a notebook's last run into this folder; None when there was none, or it is not one of ours."""
    try:
        record = json.loads((out / "runs" / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and set(record) >= _NEEDED else None


def clear(out: Path, name: str) -> None:
    """Take away the notebook of an earlier run: what comes next to it is the record of another."""
    (out / "runs" / f"{name}.ipynb").unlink(missing_ok=True)


def refuse_pages_of_others(out: Path, names: list[str], running: list[str], fingerprint: str) -> None:
    """Raise UsageError when a page that this run will not remake was made from other data than these."""
    records = [record for name in names if name not in running and (record := read_record(out, name))]
    made_from = {record["notebook"]: record["page"]["cohort"]["fingerprint"] for record in records if record["page"]}
    if others := [name for name, made in made_from.items() if made != fingerprint]:
        raise UsageError([f"--out {out} holds pages of other data ({', '.join(others)}); name another folder"])


def differing_parameters(records: list[Record]) -> dict[str, dict[str, Any]]:
    """Which parameters have different values on different pages? By parameter, the value of each page that has it."""
    values: dict[str, dict[str, Any]] = {}
    for record in records:
        for parameter, value in ((record["page"] or {}).get("parameters") or {}).items():
            values.setdefault(parameter, {})[record["notebook"]] = value
    return {name: by_page for name, by_page in values.items() if len(set(map(str, by_page.values()))) > 1}


def write_index(out: Path, names: list[str], title: str, definitions: Mapping[str, str]) -> Path:
    """index.html: one row per notebook of the study with its question, cohort and the status of its last run."""
    records = [record for name in names if (record := read_record(out, name))]
    html = page.render_index(title, records, definitions, differing_parameters(records))
    with aside(out, "index") as made_aside:
        made = made_aside / "index.html"
        made.write_text(html, encoding="utf-8")
        made.replace(out / "index.html")
    return out / "index.html"
