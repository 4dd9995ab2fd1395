"""Values for a notebook's parameters: checked and typed; and the parameters themselves, described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.report.parameters.faults import UsageError, came, nearest
from analysis.report.parameters.kinds import Parameter, as_json, checked, from_text
from analysis.report.parameters.secrets import secret_faults


def accept(
    parameters: Sequence[Parameter], values: Mapping[str, Any], texts: Mapping[str, str], where: str
) -> dict[str, Any]:
    """Are these values for these parameters right? Returns them typed, days as ISO text.

    `values` carry types already (from study.yaml) and are held to them strictly: "60" is no number there.
    `texts` come from a command line and are converted: "48", "true", "1,2" or "[1, 2]", "2020-01-31", "none".

    Raises
    ------
    UsageError
        with every secret, every unknown name (and the nearest known one), every ill-typed and out-of-range value.

    Example
    -------
    >>> from analysis.report.parameters.cell import parse
    >>> cell = parse("horizon_months: float = 60\\nsince: date | None = None")
    >>> accept(cell, {"horizon_months": 48}, {"since": "2020-01-31"}, "notebook")
    {'horizon_months': 48.0, 'since': '2020-01-31'}
    """
    known = {parameter.name: parameter for parameter in parameters}
    given = {**values, **texts}
    secret = {**secret_faults(values), **secret_faults(texts)}
    faults = [f"{where}: {said}" for said in secret.values()]
    typed, ill_typed = {}, []
    for name, value in given.items():
        if name in secret:
            continue
        if name not in known:
            faults.append(f"{where}: unknown parameter {name!r}{nearest(name, known)}")
            continue
        try:
            if name in texts:
                value = from_text(value, known[name].annotation)
            typed[name] = check(known[name], value, strict=name not in texts)
        except ValueError as error:
            ill_typed.append(f"{where}: {error}")
    faults += ill_typed
    if faults:
        raise UsageError([*faults, f"parameters of {where}:", *describe(parameters)])
    return typed


def check(parameter: Parameter, value: Any, strict: bool) -> Any:
    """The value as this parameter's kind and range have it, as JSON can hold it.

    Raises
    ------
    ValueError
        with a sentence on what was expected and what came.
    """
    from pydantic import TypeAdapter, ValidationError

    kind = TypeAdapter(checked(parameter.annotation, parameter.minimum, parameter.maximum))
    try:
        return as_json(kind.validate_python(value, strict=strict))
    except ValidationError as error:
        said = error.errors()[0]["msg"].lower().removeprefix("value error, ")
    raise ValueError(f"{parameter.name!r}: expected {parameter.kind}, came {came(value)}: {said}")


def describe(parameters: Sequence[Parameter]) -> list[str]:
    """One line per parameter, for a terminal: name, kind, default, help, unit and range."""
    lines = []
    for parameter in parameters:
        extra = ", ".join(filter(None, [parameter.unit, _range_words(parameter)]))
        text = f"  {parameter.name}: {parameter.kind} = {parameter.default!r}  {parameter.help}"
        lines.append(text.rstrip() + (f" ({extra})" if extra else ""))
    return lines or ["  (none)"]


def _range_words(parameter: Parameter) -> str:
    low, high = (_end_words(end) for end in (parameter.minimum, parameter.maximum))
    return f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else ""


def _end_words(end: Any) -> str:
    if end is None:
        return ""
    return f"{end:.15g}" if isinstance(end, float) else end.isoformat()
