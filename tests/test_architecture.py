"""The walls of the house: who may import whom, and what no library file may do."""

import ast
from pathlib import Path

import pytest

import analysis

HOUSE = Path(analysis.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))

# room -> rooms it may import, besides itself
WALLS = {
    "schema": set(),
    "vocabulary": {"schema"},
    "sources": {"schema", "vocabulary"},
    "derive": {"schema", "vocabulary"},
    "estimate": {"schema"},
    "present": {"schema"},
    "shelf": {"schema"},
    "disclosure": {"schema"},
    "report": {"schema", "shelf", "disclosure"},
    "commands": {"schema", "sources", "estimate", "report"},
    "__main__": {"schema", "vocabulary", "sources", "derive", "shelf", "disclosure", "report", "commands"},
    "__init__": set(),
}


def room_of(file: Path) -> str:
    return file.relative_to(HOUSE).parts[0].removesuffix(".py")


def imported_rooms(file: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            parts = node.module.split(".")
            if parts[0] == "analysis":
                rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {a.name.split(".")[1] for a in node.names if a.name.startswith("analysis.")}
    return rooms


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HOUSE)))
def test_a_file_imports_only_through_its_doors(file):
    room = room_of(file)
    assert room in WALLS, f"{file} opens a new room {room!r}: draw it in analysis/__init__.py and here"
    strangers = imported_rooms(file) - WALLS[room] - {room}
    assert not strangers, f"{room} may import {sorted(WALLS[room])} only, {file.name} imports {sorted(strangers)}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HOUSE)))
def test_no_relative_imports_and_no_clock(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file}: write imports in full"
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "today", "utcnow"}, f"{file}:{node.lineno} asks the clock"


def test_the_map_names_every_room():
    story = (HOUSE / "__init__.py").read_text(encoding="utf-8")
    for room in {room_of(file) for file in FILES} - {"__init__"}:
        assert room in story, f"the map in analysis/__init__.py does not name {room!r}"


def test_no_inheritance_of_ours():
    # exceptions, declarations, and the two that jupyter_client takes as classes and in no other way
    allowed = {"ValueError", "Exception", "RuntimeError", "Protocol", "BaseModel"}
    allowed |= {"AsyncKernelManager", "LocalProvisioner"}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = {getattr(base, "attr", getattr(base, "id", "?")) for base in node.bases}
                assert bases <= allowed, f"{file}: class {node.name} inherits from {bases}"
