"""Who is in: table one, what is not known, and how the selection went."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis import schema
from analysis.estimate.doors import as_names, check_strata
from analysis.estimate.strata import strata_of
from analysis.schema import DESCRIPTION, FLOW, MISSINGNESS, SchemaError, empty

_UNKNOWN = "unknown"
_MISSING = "missing"
_UNITS = {
    column.name: column.unit
    for table in (schema.PATIENTS, schema.TREATMENTS, schema.LABS, schema.FINDINGS, schema.LINES, schema.SPELLS)
    for column in table.columns
}


def table_one(frame: pd.DataFrame, variables: Sequence[str], by: str | list[str] | None = None) -> pd.DataFrame:
    """Who are the subjects? Counts and shares of words and flags, median and quartiles of numbers, per stratum.

    Shares are of the known values. What is missing, or the word "unknown", has its own row (level "missing").
    R: `table`, `prop.table`, `quantile(x, c(.25, .5, .75))` (its default type 7).

    Parameters
    ----------
    frame : any frame with the variables as columns, one row per subject
    variables : columns in the order wanted; numbers by their type, everything else is taken as words
    by : column or columns that make the strata; none makes one called "all"

    Returns
    -------
    Table DESCRIPTION; units as the schema states them for columns of these names.

    Raises
    ------
    schema.SchemaError naming every absent variable and every `by` column with missing values.

    Example
    -------
    >>> frame = pd.DataFrame({"sex": ["female", "male", "female", "unknown"], "age_years": [61, 70, 55, None]})
    >>> table_one(frame, ["sex", "age_years"])[["variable", "level", "estimate", "count"]].values.tolist()
    ... # doctest: +NORMALIZE_WHITESPACE
    [['sex', 'female', 0.6666666666666666, 2], ['sex', 'male', 0.3333333333333333, 1], ['sex', 'missing', nan, 1],
     ['age_years', '', 61.0, 3], ['age_years', 'missing', nan, 1]]
    """
    absent = [name for name in variables if name not in frame.columns]
    if absent:
        raise SchemaError(f"table_one: columns {absent} are missing; the frame has {list(map(str, frame.columns))}")
    names = as_names(by)
    check_strata(frame, names, "table_one")
    code, strata = strata_of(frame, names)
    parts = []
    for name in variables:
        is_number = pd.api.types.is_numeric_dtype(frame[name].dtype) and not pd.api.types.is_bool_dtype(frame[name])
        for place in range(len(strata)):
            values = frame[name][code == place]
            rows = _number_rows(values) if is_number else _word_rows(values, _levels(frame[name]))
            part = pd.DataFrame(rows, columns=["level", "statistic", "estimate", "low", "high", "count"])
            part = part.assign(variable=name, total=len(values), unit=_UNITS.get(name, "") if is_number else "")
            labels = strata.iloc[[place] * len(part)].reset_index(drop=True)
            parts.append(pd.concat([part, labels], axis=1))
    if not parts:
        return empty(DESCRIPTION)
    table = pd.concat(parts, ignore_index=True)
    return table[[*DESCRIPTION.names, *table.columns.difference(DESCRIPTION.names, sort=False)]]


def known_variables(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Which of these columns does the frame have, with at least one known value?

    Example
    -------
    >>> known_variables(pd.DataFrame({"sex": ["female"], "era": ["unknown"], "age_years": [None]}), ["sex", "era"])
    ['sex']
    """
    here = [name for name in names if name in frame.columns]
    return [name for name in here if (frame[name].notna() & (frame[name] != _UNKNOWN)).any()]


def missingness(cohort: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What is not known, table by table and column by column?

    Missing values and the word "unknown" both count; a column that the source does not have at all is not listed.

    Parameters
    ----------
    cohort : the canonical tables by name ("patients", "treatments", ...)

    Returns table MISSINGNESS; an empty table has no share.

    Example
    -------
    >>> patients = pd.DataFrame({"sex": ["female", "unknown", None, "male"]})
    >>> missingness({"patients": patients})[["table", "column", "missing", "share"]].values.tolist()
    [['patients', 'sex', 2, 0.5]]
    """
    rows = []
    for table, frame in cohort.items():
        for column in frame.columns:
            missing = int(_not_known(frame[column]).sum())
            rows.append((table, str(column), missing, len(frame), missing / len(frame) if len(frame) else np.nan))
    return pd.DataFrame(rows, columns=MISSINGNESS.names) if rows else empty(MISSINGNESS)


def flow(steps: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Who was left out, by which rule, in which order?

    Parameters
    ----------
    steps : (rule in plain words, patients left after it), from all patients down

    Returns table FLOW; the first step removes nobody.

    Raises
    ------
    ValueError when a step leaves more patients than the one before it, or fewer than none.

    Example
    -------
    >>> flow([("all patients", 10), ("with a dated first line", 8)])["removed"].tolist()
    [0, 2]
    """
    remaining = [int(left) for _, left in steps]
    removed = [0, *(before - after for before, after in pairwise(remaining))][: len(steps)]
    wrong = [
        f"step {place + 1} ({rule!r}) leaves {left}"
        for place, (rule, left) in enumerate(steps)
        if removed[place] < 0 or left < 0
    ]
    if wrong:
        raise ValueError(
            f"flow: expected every step to leave no more patients than the one before, and at least 0; came {wrong}"
        )
    rules = [rule for rule, _ in steps]
    return pd.DataFrame(
        {"step": range(1, len(steps) + 1), "rule": rules, "removed": removed, "remaining": remaining},
        columns=FLOW.names,
    )


def _not_known(values: pd.Series) -> pd.Series:
    missing = values.isna()
    return missing if pd.api.types.is_numeric_dtype(values.dtype) else missing | values.eq(_UNKNOWN).fillna(False)


def _levels(values: pd.Series) -> list:
    """The known levels: flags true first, words in the schema's order where a category says it, else sorted."""
    known = values[~_not_known(values)]
    if pd.api.types.is_bool_dtype(values.dtype):
        return [level for level in (True, False) if (known == level).any()]
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [level for level in values.cat.categories if (known == level).any()]
    return sorted(known.unique(), key=str)


def _word_rows(values: pd.Series, levels: list) -> list[tuple]:
    missing = _not_known(values)
    known = values[~missing]
    rows = []
    for level in levels:
        number = int((known == level).sum())
        text = {True: "yes", False: "no"}[bool(level)] if isinstance(level, (bool, np.bool_)) else str(level)
        rows.append((text, "count", number / len(known) if len(known) else np.nan, np.nan, np.nan, number))
    return rows + ([(_MISSING, "count", np.nan, np.nan, np.nan, int(missing.sum()))] if missing.any() else [])


def _number_rows(values: pd.Series) -> list[tuple]:
    known = values.dropna().to_numpy(dtype=float)
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75]) if len(known) else [np.nan] * 3
    missing = len(values) - len(known)
    row = ("", "median", middle, low, high, len(known))
    return [row] + ([(_MISSING, "count", np.nan, np.nan, np.nan, missing)] if missing else [])
