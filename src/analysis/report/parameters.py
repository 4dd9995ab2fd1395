"""A notebook's parameter cell as a typed interface: read once, checked before any kernel starts.

The cell tagged "parameters" holds one parameter per line, and nothing else but imports, comments and a docstring::

    cohort: str = "synthetic"  # cohort by name or folder
    horizon_months: float = 60  # how far the curves go (months, 1 to 360)
    endpoint: Literal["relapse", "next_line"] | None = None  # what ends a line

Kinds are int, float, bool, str, list[...], Literal[...] and any of these with `| None`. The brackets that
close the help hold the unit and the range, in any order, parted by commas: "1 to 360", "at least 1", "at most 5".
In a list, the range holds for each item.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml

_PLAIN = {"int": int, "float": float, "bool": bool, "str": str}
_KINDS = "int, float, bool, str, list[...], Literal[...], or one of them with `| None`"
_RANGE = re.compile(r"(?:(\S+) to (\S+)|at least (\S+)|at most (\S+))$")


class UsageError(ValueError):
    """The command, the study file or a parameter cell asks for something that does not exist; `faults` lists all."""

    def __init__(self, faults: list[str]):
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook: `kind` as written, `annotation` as Python types, range ends None when open."""

    name: str
    kind: str
    annotation: Any
    default: Any
    help: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None


def read(notebook: str | Path) -> list[Parameter]:
    """Which parameters does this notebook take? In the order of its parameter cell; none when it has no such cell.

    Raises
    ------
    UsageError
        listing every line of the cell that is not a parameter as described above.
    """
    import nbformat

    path = Path(notebook)
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    if len(sources) > 1:
        raise UsageError([f"{path.name}: {len(sources)} cells are tagged 'parameters'; keep the tag on one"])
    return parse(sources[0], path.stem) if sources else []


def parse(source: str, where: str = "parameter cell") -> list[Parameter]:
    """The parameters that the text of a parameter cell declares.

    Example
    -------
    >>> [found] = parse("horizon_months: float = 60  # how far curves go (months, 1 to 360)")
    >>> found.name, found.default, found.help, found.unit, found.minimum, found.maximum
    ('horizon_months', 60, 'how far curves go', 'months', 1.0, 360.0)
    """
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found, faults = [], []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Import | ast.ImportFrom) or _is_docstring(statement):
            continue
        try:
            found.append(_parameter(statement, comments.get(statement.end_lineno, "")))
        except ValueError as error:
            faults.append(f"{where}, parameter cell line {statement.lineno}: {error}")
    names = [parameter.name for parameter in found]
    faults += [
        f"{where}: parameter {name!r} is declared twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    faults += [
        f"{where}: default of {fault}" for fault in _faults(found, {p.name: p.default for p in found}, strict=True)
    ]
    if faults:
        raise UsageError(faults)
    return found


def accept(parameters: list[Parameter], values: dict[str, Any], texts: dict[str, str], where: str) -> dict[str, Any]:
    """Are these values for these parameters right? Returns them typed.

    `values` carry types already (from study.yaml) and are held to them strictly: "60" is no number there.
    `texts` come from a command line and are converted: "48", "true", "1,2" or "[1, 2]", "none".

    Raises
    ------
    UsageError
        with every unknown name (and the nearest known one), every ill-typed and out-of-range value.
    """
    known = {parameter.name: parameter for parameter in parameters}
    unknown = [name for name in [*values, *texts] if name not in known]
    faults = [f"{where}: unknown parameter {name!r}{nearest(name, known)}" for name in unknown]
    typed = {name: value for name, value in values.items() if name in known}
    for name, text in texts.items():
        if name in known:
            typed[name] = _from_text(text, known[name].annotation)
    faults += [f"{where}: {fault}" for fault in _faults(parameters, values, strict=True, only=set(values) - set(texts))]
    faults += [f"{where}: {fault}" for fault in _faults(parameters, typed, strict=False, only=set(texts))]
    if faults:
        raise UsageError([*faults, f"parameters of {where}:", *describe(parameters)])
    model = _model(parameters)(**typed)
    return {name: getattr(model, name) for name in typed}


def describe(parameters: list[Parameter]) -> list[str]:
    """One line per parameter, for a terminal: name, kind, default, help, unit and range."""
    lines = []
    for parameter in parameters:
        extra = ", ".join(filter(None, [parameter.unit, _range_words(parameter)]))
        text = f"  {parameter.name}: {parameter.kind} = {parameter.default!r}  {parameter.help}"
        lines.append(text.rstrip() + (f" ({extra})" if extra else ""))
    return lines or ["  (none)"]


def nearest(name: str, known: Any) -> str:
    """A hint for a misspelt name: "; did you mean 'x'?", or the list of what there is.

    Example
    -------
    >>> nearest("horizon_month", ["horizon_months", "cohort"])
    "; did you mean 'horizon_months'?"
    """
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known) or 'none'}"


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _parameter(statement: ast.stmt, comment: str) -> Parameter:
    if (
        not isinstance(statement, ast.AnnAssign)
        or not isinstance(statement.target, ast.Name)
        or statement.value is None
    ):
        raise ValueError("expected `name: type = default  # help (unit)`, came another kind of line")
    name = statement.target.id
    try:
        default = ast.literal_eval(statement.value)
    except ValueError:
        raise ValueError(f"default of {name!r}: expected a plain value, came {ast.unparse(statement.value)}") from None
    help_text, unit, minimum, maximum = _help(comment)
    kind = ast.unparse(statement.annotation)
    return Parameter(name, kind, _type(statement.annotation), default, help_text, unit, minimum, maximum)


def _type(node: ast.expr) -> Any:
    """An annotation as types; built from the few names that we know, never evaluated."""
    if isinstance(node, ast.Name) and node.id in _PLAIN:
        return _PLAIN[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        if isinstance(node.right, ast.Constant) and node.right.value is None:
            return Union[_type(node.left), None]  # noqa: UP007 - built at run time
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        if node.value.id == "list":
            return list[_type(node.slice)]
        if node.value.id == "Literal":
            words = ast.literal_eval(node.slice)
            return Literal[words if isinstance(words, tuple) else (words,)]
    raise ValueError(f"expected a type among {_KINDS}; came {ast.unparse(node)}")


def _help(comment: str) -> tuple[str, str, float | None, float | None]:
    """Help, unit, lower and upper end from "help (unit, 1 to 240)"."""
    match = re.fullmatch(r"(.*?)\s*\(([^()]*)\)", comment)
    if not match:
        return comment, "", None, None
    ends: list[float | None] = [None, None]
    unit = []
    for part in (part.strip() for part in match[2].split(",")):
        if found := _RANGE.match(part):
            low, high, least, most = found.groups()
            ends = [float(low or least) if low or least else ends[0], float(high or most) if high or most else ends[1]]
        else:
            unit.append(part)
    return match[1], ", ".join(unit), *ends


def _range_words(parameter: Parameter) -> str:
    low, high = (f"{end:g}" if end is not None else "" for end in (parameter.minimum, parameter.maximum))
    return f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else ""


def _with_range(annotation: Any, parameter: Parameter) -> Any:
    """The annotation with its range put where the numbers are: inside a list, beside a None."""
    from pydantic import Field

    if parameter.minimum is None and parameter.maximum is None:
        return annotation
    if get_origin(annotation) is list:
        return list[_with_range(get_args(annotation)[0], parameter)]
    if get_origin(annotation) in (Union, types.UnionType):
        return Union[_with_range(get_args(annotation)[0], parameter), None]  # noqa: UP007
    return Annotated[annotation, Field(ge=parameter.minimum, le=parameter.maximum)]


def _model(parameters: list[Parameter]):
    from pydantic import ConfigDict, create_model

    fields = {p.name: (_with_range(p.annotation, p), p.default) for p in parameters}
    return create_model("Parameters", __config__=ConfigDict(extra="ignore", protected_namespaces=()), **fields)


def _faults(
    parameters: list[Parameter], values: dict[str, Any], strict: bool, only: set[str] | None = None
) -> list[str]:
    """What pydantic holds against the values, one sentence per parameter."""
    from pydantic import ValidationError

    known = {parameter.name: parameter for parameter in parameters}
    try:
        _model(parameters).model_validate(values, strict=strict)
    except ValidationError as error:
        said = {str(fault["loc"][0]): fault["msg"] for fault in reversed(error.errors())}
        return [
            f"{name!r}: expected {known[name].kind}, came {values[name]!r}: {said[name].lower()}"
            for name in known
            if name in said and (only is None or name in only)
        ]
    return []


def _from_text(text: str, annotation: Any) -> Any:
    """A command-line word as the value that pydantic then checks; what does not fit is left as it came."""
    arguments = get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return None if text.strip().lower() in ("none", "null", "") else _from_text(text, arguments[0])
    if get_origin(annotation) is Literal:
        return next((word for word in arguments if str(word) == text), text)
    if get_origin(annotation) is list:
        items = yaml.safe_load(text) if text.strip().startswith("[") else [part.strip() for part in text.split(",")]
        return [_from_text(str(item), arguments[0]) for item in items] if isinstance(items, list) else text
    return text
