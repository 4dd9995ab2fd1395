"""From files to records: finds the export in a folder, in whichever of its shapes, and flattens it to rows of text."""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path

import pandas as pd

from analysis.sources.gdc import layout, tree
from analysis.sources.gdc.cells import Faults
from analysis.sources.gdc.layout import Records


def found_files(place: str | Path) -> list[Path]:
    """Which files of this folder (or this file itself) are a GDC export? In the order in which they are read."""
    place = Path(place)
    if place.is_file():
        return [place] if place.suffix.lower() in (".tsv", ".json") else []
    if not place.is_dir():
        return []
    for manifest in (layout.MANIFEST, layout.PARTIAL_MANIFEST):
        if (place / manifest).is_file():
            return [place / manifest]
    names = {path.name.lower(): path for path in sorted(place.iterdir()) if path.is_file()}
    exports = [path for name, path in names.items() if name.startswith("clinical") and name.endswith(".json")]
    if exports:
        return exports
    return [names[name] for name in ("clinical.tsv", "follow_up.tsv") if name in names and "clinical.tsv" in names]


def load(place: str | Path, faults: Faults) -> tuple[Records, Records, str | None]:
    """Records of cases and treatments, records of visits and tests, and the data release where it is known."""
    files = found_files(place)
    if not files:
        expected = "a GDC export: clinical.tsv (with follow_up.tsv if at hand), clinical*.json or a fetched folder"
        faults.file_error(str(place), expected, "point to the folder of the export, or run: relapse fetch commpass")
    elif files[0].name == layout.PARTIAL_MANIFEST:
        faults.file_error(files[0].name, "a finished download", "take it up again: relapse fetch commpass")
    elif files[0].name == layout.MANIFEST:
        return _fetched(files[0], faults)
    elif files[0].suffix.lower() == ".json":
        if len(files) > 1:
            names = ", ".join(path.name for path in files)
            faults.file_error(str(place), f"one clinical*.json, came {names}", "keep one of them, or name the file")
        cases = _parsed(files[0], _bytes(files[0], faults), faults)
        return *tree.flattened([(files[0].name, cases)], faults), None
    faults.raise_errors()
    clinical = _tsv(files[0], layout.CLINICAL_FIELDS, layout.CLINICAL_REQUIRED, faults)
    if len(files) == 1:
        return clinical, empty_records(layout.VISIT_FIELDS), None
    return clinical, _tsv(files[1], layout.VISIT_FIELDS, layout.VISIT_REQUIRED, faults), None


def empty_records(fields: tuple[str, ...]) -> Records:
    """Records without a row."""
    return Records(pd.DataFrame(columns=["file", "line", "place", *fields], dtype=object), {})


def _bytes(path: Path, faults: Faults) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        faults.file_error(path.name, "a file that can be read", f"check that it is there and open to you: {error}")
        faults.raise_errors()
    if not content.strip():
        faults.file_error(path.name, "a file with content, came an empty one", "fetch the export again")
        faults.raise_errors()
    return content


def _text(path: Path, content: bytes, faults: Faults) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.file_error(path.name, "text in UTF-8", "save the file as UTF-8, or fetch the export again", line)
        faults.raise_errors()
        raise AssertionError from error  # not reached: the line above raises


def _parsed(path: Path, content: bytes, faults: Faults) -> list:
    """The cases of a JSON file: a plain list (portal), or under data.hits (API)."""
    try:
        parsed = json.loads(_text(path, content, faults))
    except json.JSONDecodeError as error:
        faults.file_error(path.name, f"JSON, broken here: {error.msg}", "fetch the export again", error.lineno)
        faults.raise_errors()
    cases = parsed
    if isinstance(parsed, dict):
        data = parsed.get("data")
        cases = data.get("hits") if isinstance(data, dict) else None
    if not isinstance(cases, list) or not cases or not all(isinstance(case, dict) for case in cases):
        expected = "a list of cases, or one under data.hits"
        faults.file_error(path.name, expected, "export the cases of the project as JSON, or fetch them again")
        faults.raise_errors()
    return cases


def _fetched(manifest_path: Path, faults: Faults) -> tuple[Records, Records, str | None]:
    """The pages that a fetch stored, each held against the checksum noted when it came."""
    try:
        manifest = json.loads(_text(manifest_path, _bytes(manifest_path, faults), faults))
        listed = [(page["file"], page["sha256"]) for page in manifest["pages"]]
    except (ValueError, KeyError, TypeError):
        faults.file_error(manifest_path.name, "the list of fetched pages", "run again: relapse fetch commpass")
        faults.raise_errors()
    pages = []
    for name, digest in listed:
        path = manifest_path.with_name(name)
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != digest:
            faults.file_error(path.name, "the page as it was fetched (sha256)", "run again: relapse fetch commpass")
        else:
            pages.append((path.name, _parsed(path, content, faults)))
    faults.raise_errors()
    return *tree.flattened(pages, faults), manifest.get("data_release")


def _tsv(path: Path, fields: tuple[str, ...], required: tuple[str, ...], faults: Faults) -> Records:
    """The known columns of a TSV of either header generation."""
    rows = [line.rstrip("\r").split("\t") for line in _text(path, _bytes(path, faults), faults).split("\n")]
    header = rows[0]
    if len(header) == 1:
        came = next((mark for mark in (",", ";", "|") if mark in header[0]), "none")
        faults.file_error(path.name, f"columns parted by tabs, came {came!r}", "export as TSV", line=1)
        faults.raise_errors()
    position = _positions(path, header, fields, required, faults)
    numbered = [(line, row) for line, row in enumerate(rows[1:], start=2) if row != [""]]
    for line, row in numbered:
        if len(row) != len(header):
            faults.file_error(
                path.name, f"{len(header)} fields, came {len(row)}", "mend the line, or export again", line
            )
    kept = [(line, row) for line, row in numbered if len(row) == len(header)]
    if not numbered:
        faults.file_error(path.name, "rows below the header, came none", "export again")
    values = {field: [row[position[field]].strip() for _, row in kept] for field in fields if field in position}
    frame = pd.DataFrame({field: values.get(field, [None] * len(kept)) for field in fields}, dtype=object)
    frame = frame.mask(frame.isin(list(layout.MISSING)), None)
    frame.insert(0, "file", path.name)
    frame.insert(1, "line", pd.array([line for line, _ in kept], dtype="Int64"))
    frame.insert(2, "place", None)
    return Records(frame, {field: header[at] for field, at in position.items()})


def _positions(path: Path, header: list[str], fields: tuple, required: tuple, faults: Faults) -> dict[str, int]:
    position: dict[str, int] = {}
    for at, name in enumerate(header):
        field = layout.field_of(name)
        if field in fields:
            position.setdefault(field, at)
    strangers = {name.rpartition(".")[2]: name for name in header if layout.field_of(name) is None}
    for field in fields:
        if field in position:
            continue
        near = difflib.get_close_matches(field, strangers, n=1, cutoff=0.85)
        if near:
            faults.file_error(
                path.name, f"column {field!r}", f"did you mean it by {strangers[near[0]]!r}? rename it", 1
            )
        elif field in required:
            faults.file_error(path.name, f"column {field!r}, came none", "export with all columns of the project", 1)
    return position
