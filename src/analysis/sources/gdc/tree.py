"""The JSON tree of cases flattened to the rows that the TSV export has: cases x treatments, cases x tests."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.sources.gdc import layout
from analysis.sources.gdc.cells import Faults
from analysis.sources.gdc.layout import Records


def flattened(pages: list[tuple[str, list]], faults: Faults) -> tuple[Records, Records]:
    """Records of cases and treatments, and of visits and tests, from pages of (file name, cases)."""
    clinical, visits = [], []
    for file, cases in pages:
        for number, case in enumerate(cases):
            path = f"[{number}]"
            clinical += [(file, *row) for row in _clinical_rows(case, path, file, faults)]
            visits += [(file, *row) for row in _visit_rows(case, path, file, faults)]
    return _records(clinical, layout.CLINICAL_FIELDS), _records(visits, layout.VISIT_FIELDS)


def _clinical_rows(case: dict, path: str, file: str, faults: Faults) -> Iterator[tuple[dict, dict]]:
    """One row of text per treatment, at least one per case, with the path of each level."""
    demographic = case.get("demographic")
    shared = {
        **_values(case.get("project"), "project"),
        **_values(case, "cases"),
        **_values(demographic if isinstance(demographic, dict) else {}, "demographic"),
    }
    place = {"project": f"{path}.project", "cases": path, "demographic": f"{path}.demographic"}
    for diagnosis, diagnosis_path in _branches(case, "diagnoses", path, file, faults):
        diagnosed = {**shared, **_values(diagnosis, "diagnoses")}
        for treatment, treatment_path in _branches(diagnosis, "treatments", diagnosis_path, file, faults):
            levels = {**place, "diagnoses": diagnosis_path, "treatments": treatment_path}
            yield {**diagnosed, **_values(treatment, "treatments")}, levels


def _visit_rows(case: dict, path: str, file: str, faults: Faults) -> Iterator[tuple[dict, dict]]:
    """One row of text per laboratory test, at least one per visit, none for a case without visits."""
    for visit, visit_path in _branches(case, "follow_ups", path, file, faults):
        if not visit:
            continue
        visited = {**_values(case, "cases"), **_values(visit, "follow_ups")}
        for test, test_path in _branches(visit, "molecular_tests", visit_path, file, faults):
            levels = {"cases": path, "follow_ups": visit_path, "molecular_tests": test_path}
            yield {**visited, **_values(test, "molecular_tests")}, levels


def _branches(node: dict, name: str, path: str, file: str, faults: Faults) -> list[tuple[dict, str]]:
    """The records below a node with their paths; one empty record where there is none, as the TSV export does it."""
    below = node.get(name) or []
    if not isinstance(below, list) or not all(isinstance(record, dict) for record in below):
        faults.file_error(file, "a list of records", "fetch the export again", column=f"{path}.{name}")
        below = []
    return [(record, f"{path}.{name}[{number}]") for number, record in enumerate(below)] or [({}, f"{path}.{name}")]


def _values(node: dict | None, level: str) -> dict[str, str | None]:
    """The fields of one level as text, with the submitter's key where the record's own is missing."""
    node = node or {}
    values = {field: _as_text(node.get(layout.spelled_in_json(field))) for field in layout.LEVELS[level]}
    key = layout.KEYS.get(level)
    if key:
        values[key] = values[key] or _as_text(node.get("submitter_id"))
    return values


def _as_text(value: object) -> str | None:
    if isinstance(value, list):
        value = "|".join(str(part) for part in value)
    text = "" if value is None else str(value).strip()
    return None if text in layout.MISSING else text


def _records(rows: list[tuple], fields: tuple[str, ...]) -> Records:
    frame = pd.DataFrame([values for _, values, _ in rows], columns=list(fields), dtype=object)
    frame.insert(0, "file", [file for file, _, _ in rows])
    frame.insert(1, "line", pd.array([pd.NA] * len(rows), dtype="Int64"))
    frame.insert(2, "place", [place for _, _, place in rows])
    return Records(frame, {})
