"""From a formula to columns of numbers: factors, splines and interactions by formulaic, unknown values counted."""

from __future__ import annotations

import ast
import difflib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.schema import SchemaError


@dataclass(frozen=True)
class Design:
    """Columns of numbers for the rows `kept`; `spec` makes the same columns of other rows, with the same knots.

    `groups` has the places of the columns that each term of the formula made.
    """

    columns: np.ndarray
    names: tuple[str, ...]
    kept: np.ndarray
    groups: dict[str, list[int]]
    spec: object
    note: str


def design_of(frame: pd.DataFrame, terms: str) -> Design:
    """The columns that the formula `terms` ("age + C(stage) + bs(marker, df=3)") makes of the frame.

    A factor's first level (in order of its categories, or of the alphabet) is the reference. Rows with a missing value
    in a variable of the formula are left out, and `note` says how many. A formula is code and is run: take none from
    strangers.

    Raises
    ------
    analysis.schema.SchemaError
        for a formula that cannot be read, a variable that is not in the frame, an infinite value.
    """
    formula = _formula(terms)
    variables = _variables(formula)
    absent = [_absent(name, frame) for name in variables if name not in frame.columns]
    _raise(terms, absent)
    missing = frame[variables].isna()
    kept = ~missing.any(axis=1).to_numpy()
    seen = _plain(frame[variables] if kept.all() else frame.loc[kept, variables])
    matrix = _matrix(formula, seen, terms)
    names = tuple(name.replace("[T.", "[") for name in matrix.model_spec.column_names[1:])
    columns = np.asarray(matrix, dtype=float)[:, 1:]
    _raise(terms, [fault for fault in [_infinite(columns, names, seen)] if fault])
    groups = {
        str(term): [place - 1 for place in places]
        for term, places in matrix.model_spec.term_indices.items()
        if str(term) != "1" and places
    }
    return Design(columns, names, kept, groups, matrix.model_spec, _left_out(missing, kept))


def variables_of(terms: str) -> list[str]:
    """The columns of the spells that a formula names, in the order in which they occur.

    Example
    -------
    >>> variables_of("age_years + C(iss) + bs(bmi_kg_m2, df=3)")
    ['age_years', 'iss', 'bmi_kg_m2']
    """
    return _variables(_formula(terms))


def columns_of(design: Design, frame: pd.DataFrame) -> np.ndarray:
    """The design's columns for other rows: same levels, same knots. SchemaError for absent or unknown ones."""
    variables = _variables(design.spec.formula)
    faults = [_absent(name, frame) for name in variables if name not in frame.columns]
    _raise("at", faults)
    for name in variables:
        if frame[name].isna().any():
            row = frame.index[np.flatnonzero(frame[name].isna())[0]]
            faults.append(f"column {name!r}: expected a value in every row, came a missing one first in row {row}")
    for name, levels in _levels(design).items():
        strange = ~frame[name].isin(levels).to_numpy()
        if strange.any():
            place = np.flatnonzero(strange)[0]
            faults.append(
                f"column {name!r}: expected one of {list(levels)}, the levels of the model, came "
                f"{frame[name].iloc[[place]].tolist()[0]!r} first in row {frame.index[place]}"
            )
    _raise("at", faults)
    known = "; ".join(f"{expression} has {list(levels)}" for expression, levels in _categories(design).items())
    plain = _plain(frame[variables])
    matrix = _worked_out(
        lambda: design.spec.get_model_matrix(plain, context=None, na_action="raise"),
        f"terms 'at': the formula cannot be worked out for the rows given (known levels: {known or 'none'})",
        "give values like those of the fit",
    )
    return np.asarray(matrix, dtype=float)[:, 1:]


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Complete columns in the types that formulaic knows: its factors are of type object or category."""
    changed = {}
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.StringDtype):
            changed[name] = frame[name].astype(object)
        elif pd.api.types.is_extension_array_dtype(dtype) and pd.api.types.is_numeric_dtype(dtype):
            changed[name] = frame[name].astype(float)  # nullable numbers and flags
    return frame.assign(**changed) if changed else frame


def _categories(design: Design) -> dict[str, list]:
    """The levels of every factor of the formula, by its expression: "stage", "C(stage)", "C(age > 65)"."""
    states = design.spec.encoder_state.items()
    return {expression: state[1]["categories"] for expression, state in states if "categories" in state[1]}


def _levels(design: Design) -> dict[str, list]:
    """The levels of the variables that the formula takes for factors, as they stand or within C( )."""
    found = {}
    for expression, levels in _categories(design).items():
        within = re.fullmatch(r"C\(\s*(?:`([^`]+)`|(\w+))\s*(?:,.*)?\)", expression, re.DOTALL)
        name = (within[1] or within[2]) if within else expression
        if name in _variables(design.spec.formula):
            found[name] = levels
    return found


def _formula(terms: str):
    from formulaic import Formula, SimpleFormula
    from formulaic.errors import FormulaicError

    example = "terms = 'age_years + C(iss) + bs(bmi_kg_m2, df=3)'"
    if not isinstance(terms, str):
        raise SchemaError(f"terms: expected a formula, came {type(terms).__name__} {terms!r}; write {example}")
    text = terms.strip().removeprefix("~").strip()
    try:
        formula = Formula("1 + " + (text or "1"))
    except (FormulaicError, SyntaxError) as error:
        raise SchemaError(f"terms: cannot read the formula {terms!r}: {_first_line(error)}; write {example}") from error
    if not isinstance(formula, SimpleFormula):
        raise SchemaError(f"terms: expected covariates only, came {terms!r}; time and event need no naming: {example}")
    if "1" not in [str(term) for term in formula]:
        # Without an intercept a factor would get a column for its reference level too.
        raise SchemaError(f"terms: a hazard has no intercept to take away, came {terms!r}; leave out 0 and -1")
    return formula


def _first_line(error: Exception) -> str:
    """What is wrong, without the coloured drawing of the formula that may follow."""
    return str(error).splitlines()[0]


def _variables(formula) -> list[str]:
    """The names of columns in a formula, in the order in which they occur."""
    found: dict[str, None] = {}
    for term in formula:
        for factor in term.factors:
            if factor.expr == "1":
                continue
            if factor.expr.isidentifier() or str(factor.eval_method).endswith("LOOKUP"):
                found[factor.expr] = None
            else:
                found |= dict.fromkeys(_names_in(factor.expr))
    return list(found)


def _names_in(expression: str) -> list[str]:
    """The names of columns in a piece of Python; those between backticks may be any text."""
    quoted = re.findall("`([^`]*)`", expression)
    tree = ast.parse(re.sub("`[^`]*`", "None", expression), mode="eval")
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    modules = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return quoted + [node.id for node in names if id(node) not in called | modules]


def _matrix(formula, frame: pd.DataFrame, terms: str):
    return _worked_out(
        lambda: formula.get_model_matrix(frame, context=None, output="numpy", na_action="ignore"),
        f"terms: the formula {terms!r} cannot be worked out",
        "strata, clusters and weights are parameters",
    )


def _worked_out(make: Callable[[], object], what: str, advice: str):
    """The matrix that `make` makes; SchemaError also for levels unknown to a factor."""
    from formulaic.errors import DataMismatchWarning, FormulaicError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)  # such a level would become the reference
            return make()
    except DataMismatchWarning as warning:
        strange = re.sub(r"np\.\w+\(([^)]*)\)", r"\1", re.search(r"\{.*\}", str(warning))[0])
        raise SchemaError(f"{what}: came {strange}, outside of the levels of a factor; {advice}") from warning
    except FormulaicError as error:
        raise SchemaError(f"{what}: {_first_line(error)}; {advice}") from error


def _absent(name: str, frame: pd.DataFrame) -> str:
    near = difflib.get_close_matches(name, [str(column) for column in frame.columns], n=1)
    return f"column {name!r} is missing; " + (
        f"did you mean {near[0]!r}?" if near else f"the frame has {list(map(str, frame.columns))}"
    )


def _infinite(columns: np.ndarray, names: tuple[str, ...], frame: pd.DataFrame) -> str:
    if np.isfinite(columns.sum()):  # a sum of finite numbers may overflow; then the slow look decides
        return ""
    faulty = np.argwhere(~np.isfinite(columns))
    if not len(faulty):
        return ""
    row, column = faulty[0]
    return (
        f"term {names[column]!r}: expected finite numbers, came {columns[row, column]} first in row {frame.index[row]} "
        f"({len(np.unique(faulty[:, 0]))} row(s)); correct it, or make it missing to leave the row out"
    )


def _left_out(missing: pd.DataFrame, kept: np.ndarray) -> str:
    if kept.all():
        return ""
    by_name = ", ".join(f"{name} {int(count)}" for name, count in missing.sum().items() if count)
    return f"{int((~kept).sum())} of {len(kept)} rows left out for missing values ({by_name})"


def _raise(where: str, faults: list[str]) -> None:
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise SchemaError(f"terms {where!r}: {len(faults)} fault(s)\n{listing}")
