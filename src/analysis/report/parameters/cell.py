"""The parameter cell of a notebook, read as text: no code of it is run."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from analysis.report.parameters.faults import UsageError
from analysis.report.parameters.kinds import Parameter, as_day, as_json, item_kind, read_kind
from analysis.report.parameters.secrets import secret_faults
from analysis.report.parameters.values import check

_RANGE = re.compile(r"(?:(\S+) to (\S+)|at least (\S+)|at most (\S+))$")


def read(notebook: str | Path) -> list[Parameter]:
    """Which parameters does this notebook take? In the order of its parameter cell; none when it has no such cell.

    Raises
    ------
    UsageError
        when the file is no notebook, or listing every line of the cell that is not a parameter as the door of this
        folder describes it.
    """
    import nbformat

    path = Path(notebook)
    try:
        cells = nbformat.read(path, as_version=4).cells
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, UnicodeDecodeError):
        raise UsageError(
            [f"{path.name}: expected a Jupyter notebook, came a file that cannot be read as one"]
        ) from None
    sources = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    if len(sources) > 1:
        raise UsageError([f"{path.name}: {len(sources)} cells are tagged 'parameters'; keep the tag on one"])
    return parse(sources[0], path.stem) if sources else []


def parse(source: str, where: str = "parameter cell") -> list[Parameter]:
    """The parameters that the text of a parameter cell declares.

    Raises
    ------
    UsageError
        as `read` does.

    Example
    -------
    >>> [found] = parse("horizon_months: float = 60  # how far curves go (months, 1 to 360)")
    >>> found.name, found.default, found.help, found.unit, found.minimum, found.maximum
    ('horizon_months', 60, 'how far curves go', 'months', 1.0, 360.0)
    """
    try:
        statements, comments = ast.parse(source).body, _comments(source)
    except SyntaxError as error:
        raise UsageError([f"{where}, parameter cell line {error.lineno}: not readable as Python"]) from None
    found, faults = [], []
    for statement in statements:
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
    if faults:
        raise UsageError(faults)
    return found


def _comments(source: str) -> dict[int, str]:
    return {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _parameter(statement: ast.stmt, comment: str) -> Parameter:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=written, value=ast.expr() as value):
            annotation = read_kind(written)
            parameter = Parameter(name, ast.unparse(written), annotation, None, *_help(comment, annotation))
        case _:
            raise ValueError("expected `name: type = default  # help (unit)`, came another kind of line")
    try:
        default = _plain_value(value)
    except (ValueError, TypeError):
        # what stands there is not repeated: it may be a secret
        raise ValueError(f"default of {name!r}: expected a plain value, such as 60, 'a word' or None") from None
    if said := secret_faults({name: default}):
        raise ValueError(said[name])
    try:
        check(parameter, default, strict=True)
    except ValueError as error:
        raise ValueError(f"default of {error}") from None
    return replace(parameter, default=as_json(default))  # as written: 60 stays 60, where a float may be given


def _plain_value(node: ast.expr) -> Any:
    """A default as a value: what Python can write down, and days written as date(2020, 1, 31)."""
    match node:
        case ast.List(elts=items):
            return [_plain_value(item) for item in items]
        case ast.Call(func=called, args=parts, keywords=[]) if ast.unparse(called) in ("date", "datetime.date"):
            return date(*map(ast.literal_eval, parts))
    return ast.literal_eval(node)


def _help(comment: str, annotation: Any) -> tuple[str, str, Any, Any]:
    """Help, unit, lower and upper end from "help (unit, 1 to 240)"."""
    match = re.fullmatch(r"(.*?)\s*\(([^()]*)\)", comment)
    if not match:
        return comment, "", None, None
    ends, unit = [None, None], []
    for part in (part.strip() for part in match[2].split(",")):
        found = _RANGE.match(part)
        if found and _is_range(found, item_kind(annotation)):
            low, high, least, most = found.groups()
            for place, text in ((0, low or least), (1, high or most)):
                ends[place] = _end(text, part, item_kind(annotation)) if text else ends[place]
        else:
            unit.append(part)
    return match[1], ", ".join(unit), *ends


def _is_range(found: re.Match, kind: Any) -> bool:
    """Is "x to y" a range? Of what has an order always; of words only where it begins like a number, as a mistake."""
    return kind in (int, float, date) or any(text and text[0].isdigit() for text in found.groups())


def _end(text: str, part: str, kind: Any) -> float | date:
    try:
        if kind in (int, float):
            return float(text)
        if kind is date:
            return as_day(text)
    except ValueError:
        pass
    raise ValueError(f"range {part!r}: expected numbers for int and float, days such as 2020-01-31 for date")
