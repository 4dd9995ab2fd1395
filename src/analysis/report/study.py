"""The run plan: notebooks/study.yaml read, checked, and put in order.

study.yaml is the one page of decisions: the cohort, the parameters that all notebooks share, the definitions that
every page prints, and the runs with what each needs. A shared parameter goes to each notebook that declares it.
No password may stand in it: see `analysis.report.parameters`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.report import parameters as interface
from analysis.report.parameters import Parameter, UsageError, nearest

_STRICT = ConfigDict(extra="forbid", strict=True)
_Minutes = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Endpoint = Literal["every", "relapse", "next_line"]


class Run(BaseModel):
    """One run of the study: a notebook by name, the runs it needs, and parameters of its own."""

    model_config = _STRICT
    notebook: Annotated[str, Field(pattern=r"^\w+$")]
    needs: list[str] = []
    parameters: dict[str, Any] = {}


class Study(BaseModel):
    """The whole of study.yaml; `definitions` by endpoint: "every" cohort, or those that end a line in that way."""

    model_config = _STRICT
    title: str
    cohort: str = "synthetic"
    timeout_minutes: _Minutes = 30
    cell_timeout_minutes: _Minutes | None = None
    memory_gigabytes: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None
    parameters: dict[str, Any] = {}
    definitions: dict[Endpoint, dict[str, str]] = {}
    runs: Annotated[list[Run], Field(min_length=1)]


@dataclass(frozen=True)
class PlannedRun:
    """One notebook with the values it will get (typed, checked) and the runs that must be done before."""

    name: str
    notebook: Path
    needs: tuple[str, ...]
    declared: tuple[Parameter, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def all_values(self) -> dict[str, Any]:
        """Defaults of the notebook with the given values over them."""
        return {parameter.name: parameter.default for parameter in self.declared} | self.values


def read(file: Path) -> Study:
    """What is to be run? The study file, checked.

    Raises
    ------
    UsageError
        listing everything that is wrong in the file: unknown keys, notebooks that do not exist, needs that name no
        run or go round in a circle, secrets, a cohort among the parameters.
    """
    try:
        study = Study.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError([f"{file}: expected a study file, found none"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # without the text around the place, which the error would show: it may be a secret
        line = f", line {error.problem_mark.line + 1}" if getattr(error, "problem_mark", None) else ""
        said = getattr(error, "problem", None) or "expected text in UTF-8"
        raise UsageError([f"{file.name}{line}: not readable as YAML: {said}"]) from None
    except ValidationError as error:
        places = [(".".join(map(str, fault["loc"])) or "file", fault["msg"].lower()) for fault in error.errors()]
        raise UsageError([f"{file.name}: {place}: {message}" for place, message in places]) from None
    if faults := _faults(study, file):
        raise UsageError([f"{file.name}: {fault}" for fault in faults])
    return study


def _faults(study: Study, file: Path) -> list[str]:
    names = [run.notebook for run in study.runs]
    faults = [f"run {name!r} stands there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    for run in study.runs:
        if not notebook_file(file.parent, run.notebook).exists():
            faults.append(f"run {run.notebook!r}: no notebook {run.notebook}.ipynb beside the study file")
        faults += [
            f"run {run.notebook!r} needs {need!r}{nearest(need, names)}" for need in run.needs if need not in names
        ]
    if not faults and len(in_order(study.runs)) < len(study.runs):
        left = sorted(set(names) - {run.notebook for run in in_order(study.runs)})
        faults.append(f"the needs of {', '.join(left)} go round in a circle")
    return faults + _unfit_parameters(study)


def _unfit_parameters(study: Study) -> list[str]:
    """Secrets, and a cohort given as a parameter, among the shared parameters and those of each run."""
    faults = list(interface.secret_faults({"cohort": study.cohort}).values())
    for place, values in [("", study.parameters), *((f"run {run.notebook!r}: ", run.parameters) for run in study.runs)]:
        faults += [f"{place}{said}" for said in interface.secret_faults(values).values()]
        if "cohort" in values:
            faults.append(f"{place}'cohort' is no parameter here: it stands once, at the top of the file")
    return faults


def notebook_file(folder: Path, name: str) -> Path:
    """The file of a notebook named in the study."""
    return folder / f"{name}.ipynb"


def in_order(runs: list[Run]) -> list[Run]:
    """Runs so that each stands after those it needs, otherwise in the order given; a circle is left out.

    Example
    -------
    >>> [run.notebook for run in in_order([Run(notebook="summary", needs=["curves"]), Run(notebook="curves")])]
    ['curves', 'summary']
    """
    ordered: list[Run] = []
    waiting = list(runs)
    while ready := [run for run in waiting if set(run.needs) <= {done.notebook for done in ordered}]:
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered


def plan(
    study: Study, folder: Path, cohort: str, texts: dict[str, str] | None = None, only: list[str] | None = None
) -> list[PlannedRun]:
    """Which notebooks run, in which order, with which values? `only` takes the named ones and all that they need.

    `texts` are name=value pairs of the command line: each must be declared by one of the chosen notebooks.

    Raises
    ------
    UsageError
        with all unknown notebooks, unknown or ill-typed parameters of all notebooks at once, or with what is wrong in
        their parameter cells; no kernel has started then.
    """
    secret = interface.secret_faults(texts or {})
    texts = {name: text for name, text in (texts or {}).items() if name not in secret}
    chosen = _chosen(study, only)
    declared = _declared(study, folder)
    faults = list(secret.values()) + _unknown_parameters(study, declared, [run.notebook for run in chosen], texts)
    planned = []
    for run in chosen:
        known = {parameter.name for parameter in declared[run.notebook]}
        values = {name: value for name, value in study.parameters.items() if name in known}
        if "cohort" in known:
            values["cohort"] = cohort
        own = {name: text for name, text in texts.items() if name in known}
        try:
            accepted = interface.accept(declared[run.notebook], values | run.parameters, own, run.notebook)
        except UsageError as error:
            faults += error.faults
            continue
        # a default written as date(2020, 1, 31) is handed over too: then each day is text, whoever set it
        days = {parameter.name: parameter.default for parameter in declared[run.notebook] if parameter.holds_days}
        file, needs = notebook_file(folder, run.notebook), tuple(run.needs)
        planned.append(PlannedRun(run.notebook, file, needs, tuple(declared[run.notebook]), days | accepted))
    if faults:
        raise UsageError(list(dict.fromkeys(faults)))
    return planned


def _declared(study: Study, folder: Path) -> dict[str, list[Parameter]]:
    """The parameters of every notebook of the study; what is wrong in any parameter cell, all at once."""
    declared, faults = {}, []
    for run in study.runs:
        try:
            declared[run.notebook] = interface.read(notebook_file(folder, run.notebook))
        except UsageError as error:
            faults += error.faults
    if faults:
        raise UsageError(faults)
    return declared


def _chosen(study: Study, only: list[str] | None) -> list[Run]:
    runs = {run.notebook: run for run in in_order(study.runs)}
    if not only:
        return list(runs.values())
    if unknown := [name for name in only if name not in runs]:
        raise UsageError([f"unknown notebook {name!r}{nearest(name, runs)}" for name in unknown])
    wanted: set[str] = set()
    waiting = list(only)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += runs[name].needs
    return [run for name, run in runs.items() if name in wanted]


def _unknown_parameters(study: Study, declared: dict, chosen: list[str], texts: dict[str, str]) -> list[str]:
    """Names that nobody declares: in the study's shared parameters, or on the command line."""
    everywhere = {parameter.name for parameters in declared.values() for parameter in parameters}
    faults = [
        f"study file: no notebook declares the shared parameter {name!r}{nearest(name, everywhere)}"
        for name in study.parameters
        if name not in everywhere
    ]
    known = {parameter.name: parameter for name in chosen for parameter in declared[name]}
    if "cohort" in texts:
        faults.append("-p cohort=...: the cohort is given by --cohort")
    if unknown := [name for name in texts if name not in known and name != "cohort"]:
        faults += [f"unknown parameter {name!r}{nearest(name, known)}" for name in unknown]
        faults += ["parameters of the chosen notebooks:", *interface.describe(list(known.values()))]
    return faults


def title(notebook: Path) -> str:
    """The first heading of a notebook: the question it answers; empty when it has none or is no notebook."""
    import nbformat

    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except ValueError:
        return ""
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return cell.source.splitlines()[0].removeprefix("# ").strip()
    return ""
