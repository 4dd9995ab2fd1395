"""The columns of one file against its layout: missing, misspelt, given as dates, or beyond what is declared."""

from __future__ import annotations

import difflib
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.schema import Column
from analysis.sources.parsing import fault, parse_column
from analysis.sources.tables.layout import Layout, date_name

_DATE_LIKE = r"\s*[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}.*"
Found = tuple[pd.DataFrame, list[pd.DataFrame]]


def typed_columns(cells: pd.DataFrame, layout: Layout, file: str) -> Found:
    """The declared columns of a file, typed, and the faults; what is needed and absent is there, all missing.

    A day given as a date stays under its date name (start_date), as days since 1970, for the clock to turn.
    """
    columns = {column.name: column for column in layout.columns}
    typed, (misspelt, faults) = {}, _column_faults(cells, layout, file)
    for name, column in columns.items():
        dated = date_name(column)
        if name in cells:
            typed[name], found = parse_column(cells[name], column, file)
        elif dated and dated in cells:
            asked = Column(dated, "date", column.meaning, required=False, nullable=column.nullable)
            typed[dated], found = parse_column(cells[dated], asked, file)
        elif column.required or name in layout.required:
            missing, found = pd.Series(None, index=cells.index, dtype=object), []
            typed[name] = parse_column(missing, replace(column, nullable=True), file)[0]
        else:
            continue
        faults += found
    more, found = _beyond(cells.drop(columns=misspelt), layout, file)
    return pd.DataFrame(typed | more, index=cells.index), faults + found


def _column_faults(cells: pd.DataFrame, layout: Layout, file: str) -> tuple[list[str], list[pd.DataFrame]]:
    """Columns that are missing or misspelt, or given both as days and as dates; which ones are misspelt, and faults."""
    names = {column.name: column for column in layout.columns}
    accepted = {name: [name, *filter(None, [date_name(column)])] for name, column in names.items()}
    absent = {name: spellings for name, spellings in accepted.items() if not set(spellings) & set(cells.columns)}
    strangers = [name for name in cells.columns if not any(name in spellings for spellings in accepted.values())]
    misspelt, faults = [], []
    for name, spellings in absent.items():
        needed = name in layout.required
        near = [(stranger, match) for stranger in strangers if stranger not in misspelt
                and (match := _near(str(stranger), spellings, 0.6 if needed else 0.8))]  # fmt: skip
        expected = f"the column {name!r} ({names[name].meaning})"
        if near:
            stranger, match = near[0]
            misspelt.append(stranger)
            mend = f"the file has {str(stranger)!r} instead: did you mean {match!r}? rename it to {match!r}"
            faults.append(fault(file, expected, mend, name, line=1 if file.endswith(".csv") else None))
        elif needed:
            mend = f"add it; the file has {', '.join(map(str, cells.columns))}"
            faults.append(fault(file, expected, mend, name))
    for name, spellings in accepted.items():
        if set(spellings) <= set(cells.columns) and len(spellings) == 2:
            faults.append(fault(file, f"days or dates, came both {' and '.join(spellings)}", "keep one of them", name))
    return misspelt, faults


def _near(stranger: str, spellings: list[str], cutoff: float) -> str:
    """The accepted spelling that a column's name is nearest to; "" when none is near."""
    plain = stranger.strip().casefold().replace(" ", "_").replace("-", "_")
    return next(iter(difflib.get_close_matches(plain, spellings, n=1, cutoff=cutoff)), "")


def _beyond(cells: pd.DataFrame, layout: Layout, file: str) -> tuple[dict[str, pd.Series], list[pd.DataFrame]]:
    """Columns beyond the declared ones: kept as covariates where the layout says so, never when they hold dates."""
    declared = {name for column in layout.columns for name in (column.name, date_name(column))}
    kept, faults = {}, []
    for name in cells.columns:
        if name in declared:
            continue
        values = None if _holds_dates(cells[name]) else _covariate(cells[name])
        if values is None:
            expected = "no calendar dates beyond the declared columns"
            faults.append(fault(file, expected, "the column is left out; give days", str(name), severity="warning"))
        elif not layout.keeps_more or not str(name):
            expected = f"the columns of {layout.table.name}"
            faults.append(fault(file, expected, "the column is left out", str(name), severity="warning"))
        else:
            kept[str(name)] = values
    return kept, faults


def _holds_dates(values: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return True
    distinct = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else values.dropna()
    distinct = pd.Series(distinct)
    return distinct.dtype == object and bool(distinct.astype(str).str.fullmatch(_DATE_LIKE).any())


def _covariate(values: pd.Series) -> pd.Series:
    """A column that nobody declared: numbers where all known cells are numbers, else text."""
    if not (isinstance(values.dtype, pd.CategoricalDtype) or values.dtype == object):
        return values
    as_number, failed = parse_column(values, Column(str(values.name), "number", "covariate", nullable=True), "")
    if not failed and as_number.notna().any():
        return as_number.astype(np.float64)
    return parse_column(values, Column(str(values.name), "text", "covariate", nullable=True), "")[0]
