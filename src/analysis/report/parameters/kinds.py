"""The kinds of a parameter: as the cell writes them, as pydantic checks them, as a command line gives them."""

from __future__ import annotations

import ast
import re
import types
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Optional, Union, get_args, get_origin

import yaml

_PLAIN = {"int": int, "float": float, "bool": bool, "str": str, "date": date, "datetime.date": date}
_KINDS = "int, float, bool, str, date, Literal[...], list[...] of these, or one of them with `| None`"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook: `kind` as written, `annotation` as Python types, range ends None when open.

    `default` is what JSON can hold, as are the values that `accept` returns: a date stands as ISO text.
    """

    name: str
    kind: str
    annotation: Any
    default: Any
    help: str = ""
    unit: str = ""
    minimum: float | date | None = None
    maximum: float | date | None = None

    @property
    def holds_days(self) -> bool:
        """Is this a date, a list of dates, or either with None?"""
        return item_kind(self.annotation) is date


def read_kind(node: ast.expr) -> Any:
    """An annotation as types; built from the few names that we know, never evaluated."""
    match node:
        case ast.BinOp(left=inner, op=ast.BitOr(), right=ast.Constant(value=None)):
            return Optional[read_kind(inner)]  # noqa: UP045 - built at run time
        case ast.Subscript(value=outer, slice=inner):
            name = ast.unparse(outer).removeprefix("typing.")
            if name == "Optional":
                return Optional[read_kind(inner)]  # noqa: UP045
            if name == "list" and not _is_list(item := read_kind(inner)) and not _optional(item):
                return list[item]
            if name == "Literal":
                return Literal[_words(inner)]
        case ast.Name() | ast.Attribute() if ast.unparse(node) in _PLAIN:
            return _PLAIN[ast.unparse(node)]
    raise ValueError(f"expected a type among {_KINDS}; came {ast.unparse(node)}")


def _words(node: ast.expr) -> tuple:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        value = None
    words = value if isinstance(value, tuple) else (value,)
    if not all(type(word) in (str, int, float) for word in words):
        raise ValueError(f"expected words or numbers in Literal[...]; came {ast.unparse(node)}")
    return words


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list


def _optional(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def item_kind(annotation: Any) -> Any:
    """The type of one value: what is inside a list and beside a None."""
    inside = _is_list(annotation) or _optional(annotation)
    return item_kind(get_args(annotation)[0]) if inside else annotation


def checked(annotation: Any, minimum: Any, maximum: Any) -> Any:
    """The annotation as pydantic checks it, with the range put where the numbers or days are."""
    from pydantic import BeforeValidator, Field

    if _optional(annotation):
        return Optional[checked(get_args(annotation)[0], minimum, maximum)]  # noqa: UP045
    if _is_list(annotation):
        return list[checked(get_args(annotation)[0], minimum, maximum)]
    if get_origin(annotation) is Literal:
        return Annotated[annotation, BeforeValidator(_no_flag)]
    if annotation is date:
        return Annotated[date, Field(ge=minimum, le=maximum), BeforeValidator(as_day)]
    if annotation is float:
        return Annotated[float, Field(ge=minimum, le=maximum, allow_inf_nan=False)]
    return Annotated[int, Field(ge=minimum, le=maximum)] if annotation is int else annotation


def _no_flag(value: Any) -> Any:
    if isinstance(value, bool):  # Python takes True for 1
        raise ValueError("input should be a word or a number, not true or false")
    return value


def as_day(value: Any) -> date:
    """A day, from a date or ISO text and nothing else: pydantic alone would take numbers for seconds since 1970."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("input should be a day of the calendar, written as 2020-01-31")


def as_json(value: Any) -> Any:
    """A checked value as a notebook, a record and a page hold it: days as ISO text."""
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def from_text(text: str, annotation: Any) -> Any:
    """A command-line word as the value that pydantic then checks; what does not fit is left as it came.

    Example
    -------
    >>> from_text("1, 2", list[int]), from_text("none", int | None), from_text("24", Literal[12, 24])
    (['1', '2'], None, 24)
    """
    if _optional(annotation):
        return None if text.strip().lower() in ("none", "null", "") else from_text(text, get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return next((word for word in get_args(annotation) if str(word) == text.strip()), text)
    if _is_list(annotation):
        items = _items(text)
        return text if items is None else [from_text(item, get_args(annotation)[0]) for item in items]
    return text


def _items(text: str) -> list[str] | None:
    """The items of "1,2" or "[1, 2]", each as it was written; None when it is no list of words."""
    if not text.strip().startswith("["):
        return [part.strip() for part in text.split(",")]
    try:
        items = yaml.load(text, Loader=yaml.BaseLoader)  # which makes nothing but text: 007 stays 007
    except yaml.YAMLError:
        return None
    return items if all(isinstance(item, str) for item in items) else None
