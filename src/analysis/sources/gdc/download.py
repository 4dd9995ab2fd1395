"""Asks the GDC's API for every case of the project, page by page, and stores the answers as they came.

A page is written aside, moved into place and named by its content, so that an earlier download stays whole until the
new one is; the manifest moves last. What came before a cut is not asked for again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from analysis.sources.gdc import layout, service
from analysis.sources.gdc.service import Service

ADDRESS = "https://api.gdc.cancer.gov"
ADDRESS_VARIABLE = "RELAPSE_GDC_ADDRESS"
REQUEST = {
    "filters": {"op": "in", "content": {"field": "cases.project.project_id", "value": [layout.PROJECT]}},
    "expand": "project,demographic,diagnoses,diagnoses.treatments,follow_ups,follow_ups.molecular_tests",
    "sort": "case_id:asc",  # without an order of its own a page may repeat cases of another
    "format": "JSON",
}


def download(
    folder: str | Path,
    address: str | None = None,
    page_size: int = 100,
    attempts: int = 5,
    pause_seconds: float = 1.0,
    tell: Callable[[int, int], None] | None = None,
) -> Path:
    """Fetches the project's open clinical data into `folder`; returns the path of its manifest, fetch.json.

    The manifest holds address, request, data release, number of cases, and of each page the file, its first case, its
    number of cases and its sha256. `address` comes from the argument, else the environment variable
    RELAPSE_GDC_ADDRESS, else the GDC's own. Each request is tried `attempts` times with pauses that double from
    `pause_seconds`. `tell(done, total)` is called with the number of cases after each page.

    Raises
    ------
    ConnectionError
        when the service cannot be reached, refuses, answers with something else, or changes its data meanwhile.
    ValueError
        for a page size or a number of attempts below one.
    """
    for name, value in (("page_size", page_size), ("attempts", attempts)):
        if value < 1:
            raise ValueError(f"download: expected {name} of at least 1, came {value}; leave it out for the usual one")
    asked = address or os.environ.get(ADDRESS_VARIABLE) or ADDRESS
    api = Service(asked.rstrip("/"), attempts, pause_seconds)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    start = {"address": api.address, "request": {**REQUEST, "size": page_size}, "data_release": _release(api)}
    final = folder / layout.MANIFEST
    if _finished(final, start):
        return final
    partial = folder / layout.PARTIAL_MANIFEST
    pages, total = _all_pages(api, folder, partial, start, tell or (lambda done, total: None))
    _hold(partial, folder, pages, total, start, _release(api))
    _write_aside(final, _manifest(start, pages, total))
    partial.unlink(missing_ok=True)
    kept = {page["file"] for page in pages}
    for stale in [path for path in folder.glob("cases-*.json*") if path.name not in kept]:
        stale.unlink()
    return final


def _release(api: Service) -> str:
    release = api.get("/status").get("data_release")
    if not isinstance(release, str) or not release:
        raise service.unexpected(api, "/status", "a data release", "no such entry")
    return release


def _manifest(start: dict, pages: list[dict], total: int) -> bytes:
    return (json.dumps({**start, "cases": total, "pages": pages}, indent=1) + "\n").encode()


def _finished(final: Path, start: dict) -> bool:
    """Is this very download, of this release, already there and whole?"""
    manifest = _read_manifest(final)
    if {name: manifest.get(name) for name in start} != start:
        return False
    return bool(manifest["pages"]) and all(_whole(final.parent, page) for page in manifest["pages"])


def _read_manifest(path: Path) -> dict:
    try:
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("pages"), list) else {}


def _whole(folder: Path, page: dict) -> bool:
    path = folder / str(page.get("file"))
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == page.get("sha256")


def _all_pages(api: Service, folder: Path, partial: Path, start: dict, tell: Callable) -> tuple[list[dict], int]:
    """Every page in order, those already there included; the partial manifest is kept up to date."""
    before = _read_manifest(partial)
    same = {name: before.get(name) for name in start} == start
    stored = {page["from"]: page for page in before.get("pages", []) if same and _whole(folder, page)}
    total = before.get("cases") if stored else None
    pages: list[dict] = []
    done = 0
    while total is None or done < total:
        page = stored.get(done)
        if page is None:
            content, hits, now = _page(api, start["request"], done)
            if total is not None and now != total:
                partial.unlink(missing_ok=True)
                raise service.unexpected(api, "/cases", f"{total} cases on every page", f"{now} from case {done} on")
            total = now
            page = _store(folder, content, done, len(hits))
        pages.append(page)
        done += page["cases"]
        _write_aside(partial, _manifest(start, pages, total))
        tell(done, total)
    return pages, total


def _page(api: Service, request: dict, first: int) -> tuple[bytes, list, int]:
    """One page as it came, its cases, and how many there are in all."""
    content, answer = api.post("/cases", {**request, "from": first})
    data = answer.get("data")
    data = data if isinstance(data, dict) else {}
    hits, pagination = data.get("hits"), data.get("pagination")
    total = pagination.get("total") if isinstance(pagination, dict) else None
    if not isinstance(hits, list) or not isinstance(total, int):
        raise service.unexpected(api, "/cases", "data.hits and data.pagination.total", f"entries {sorted(answer)}")
    expected = min(request["size"], total - first)
    if len(hits) != expected or not hits:
        came = f"{len(hits)} of {total} in all"
        raise service.unexpected(api, "/cases", f"{max(expected, 1)} cases from case {first} on", came)
    return content, hits, total


def _store(folder: Path, content: bytes, first: int, cases: int) -> dict:
    digest = hashlib.sha256(content).hexdigest()
    name = f"cases-{first:06d}-{digest[:12]}.json"
    _write_aside(folder / name, content)
    return {"file": name, "from": first, "cases": cases, "sha256": digest}


def _write_aside(path: Path, content: bytes) -> None:
    """Never a half-written file under its own name."""
    aside = path.with_name(path.name + ".part")
    aside.write_bytes(content)
    os.replace(aside, path)  # noqa: PTH105 - says what it does: one step, over an older file as well


def _hold(partial: Path, folder: Path, pages: list[dict], total: int, start: dict, release: str) -> None:
    """The pages make one whole: each case once, all of one release. Else nothing of them may be used again."""
    cases = [
        case.get("case_id") if isinstance(case, dict) else None
        for page in pages
        for case in json.loads((folder / page["file"]).read_bytes())["data"]["hits"]
    ]
    faults = []
    if len(set(cases) - {None}) != total:
        faults.append(f"expected {total} different cases, came {len(set(cases) - {None})}")
    if release != start["data_release"]:
        faults.append(f"the release changed from {start['data_release']!r} to {release!r} while fetching")
    if faults:
        partial.unlink(missing_ok=True)
        raise ConnectionError(f"{start['address']}: {'; '.join(faults)}; run the same command again")
