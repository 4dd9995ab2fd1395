"""pyproject.toml is the one truth: the conda file, the lock and what is installed here must say the same."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BRIEF = {"jupyterlab", "pandas", "lifelines", "seaborn", "scikit-survival", "papermill"}
CONDA_NAMES = {"matplotlib-base": "matplotlib", "python-duckdb": "duckdb"}


def by_name(lines) -> dict[str, str]:
    requirements = [Requirement(line) for line in lines]
    here = [r for r in requirements if r.marker is None or r.marker.evaluate()]
    return {r.name.lower().replace("_", "-"): str(r.specifier) for r in here}


DECLARED = by_name(PROJECT["dependencies"])


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return by_name(line for line in lines if line and not line.startswith("#"))


def test_the_packages_of_the_brief_are_declared():
    assert set(DECLARED) >= BRIEF


def test_the_bounds_that_keep_the_resolver_honest():
    # with pandas 3 a resolver silently falls back to a lifelines that does not know its own bound
    assert DECLARED["lifelines"] == ">=0.30.3"
    assert set(DECLARED["pandas"].split(",")) == {">=2.2", "<3"}


def test_conda_file_equals_pyproject():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda = by_name(line for line in listed if isinstance(line, str) and line not in ("pip",))
    assert conda.pop("python") == PROJECT["requires-python"]
    assert {CONDA_NAMES.get(name, name): bound for name, bound in conda.items()} == DECLARED


def test_what_the_code_imports_is_declared():
    files = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    nodes = [node for text in files for node in ast.walk(ast.parse(text))]
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    imported |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    ours = {name.split(".")[0] for name in imported if name} - set(sys.stdlib_module_names) - {"analysis"}
    distributions = metadata.packages_distributions()
    provided = {name: {d.lower().replace("_", "-") for d in distributions[name]} for name in ours}
    assert not {name: found for name, found in provided.items() if not found & set(DECLARED)}


@pytest.mark.parametrize("group", ["dependencies", "dev"])
def test_the_lock_is_exact_and_within_the_bounds(group):
    lines = PROJECT["dependencies"] if group == "dependencies" else PROJECT["optional-dependencies"]["dev"]
    lock = locked()
    for line in lines:
        requirement = Requirement(line)
        pinned = lock[requirement.name.lower()]
        assert re.fullmatch(r"==[^,*]+", pinned), f"{requirement.name} is not pinned exactly: {pinned}"
        assert requirement.specifier.contains(pinned.removeprefix("==")), f"{requirement.name}{pinned} leaves {line}"


def test_the_lock_names_no_registry():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text


def test_what_runs_here_is_what_is_locked():
    lock = locked()
    for name in BRIEF | {"numpy"}:
        assert f"=={metadata.version(name)}" == lock[name]
