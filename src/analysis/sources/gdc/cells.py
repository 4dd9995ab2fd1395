"""What is wrong in the export: collected while reading, raised all at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from analysis import schema
from analysis.sources.gdc.layout import Records


@dataclass
class Faults:
    """A growing list of faults; errors stop the import at the end, warnings travel on with the cohort."""

    rows: list[dict] = field(default_factory=list)

    def add(self, severity: str, file: str, line, column: str, value: str, expected: str, mend: str) -> None:
        """Note one fault."""
        entry = (severity, file, line, column, str(value), expected, mend)
        self.rows.append(dict(zip(schema.FAULTS.names, entry, strict=True)))

    def file_error(self, file: str, expected: str, mend: str, line=pd.NA, column: str = "", value: str = "") -> None:
        """An error of a whole file, or of one of its lines."""
        self.add("error", file, line, column, value, expected, mend)

    def cells(self, records: Records, column: str, wrong: pd.Series, expected: str, mend: str) -> None:
        """One error for each row of `records` where `wrong` (a Series of flags on some of its rows) is true."""
        for row in wrong.index[wrong.to_numpy(bool)]:
            origin = records.frame.loc[row]
            self.add(
                "error",
                origin["file"],
                origin["line"],
                records.shown(column, row),
                origin[column] or "",
                expected,
                mend,
            )

    def rule(self, records: Records, column: str, met: pd.Series, expected: str, mend: str) -> None:
        """One warning for all rows that a stated rule had to deal with: where first, how many rows and patients."""
        rows = met.index[met.to_numpy(bool)]
        if not len(rows):
            return
        origin = records.frame.loc[rows[0]]
        patients = records.frame.loc[rows, "case_submitter_id"].nunique()
        counted = f"{mend} ({len(rows)} row(s) of {patients} patient(s), this is the first)"
        self.add("warning", origin["file"], origin["line"], records.shown(column, rows[0]), "", expected, counted)

    def frame(self) -> pd.DataFrame:
        """The faults as table FAULTS, errors first, each once."""
        if not self.rows:
            return schema.empty(schema.FAULTS)
        faults = pd.DataFrame(self.rows).astype({"line": "Int64"}).drop_duplicates(ignore_index=True)
        faults = faults.sort_values("severity", kind="stable", ignore_index=True)
        return schema.check(faults, schema.FAULTS)

    def raise_errors(self) -> None:
        """Stop here if any error has been found."""
        if any(row["severity"] == "error" for row in self.rows):
            raise schema.BadInputError(self.frame())


def days(records: Records, column: str, faults: Faults, rows: pd.Index | None = None) -> pd.Series:
    """A column of day counts as Int64; every cell that is none is an error."""
    text = records.frame[column] if rows is None else records.frame.loc[rows, column]
    number = pd.to_numeric(text, errors="coerce").astype("float64")
    # A lifetime in days: what lies beyond is a date or a slip, not a day count.
    whole = number.notna() & (number % 1 == 0) & (number.abs() <= 45_000)
    expected = "a whole number of days between -45000 and 45000, or '-- where not known"
    faults.cells(records, column, text.notna() & ~whole, expected, "correct the cell, or fetch the export again")
    return number.where(whole).astype("Int64")


def numbers(records: Records, column: str, faults: Faults, low: float, high: float, unit: str) -> pd.Series:
    """A column of numbers between `low` and `high` as float; every cell that is none is an error."""
    text = records.frame[column]
    number = pd.to_numeric(text, errors="coerce").astype("float64")
    right = number.between(low, high)
    expected = f"a number of {unit} between {low:g} and {high:g} with a decimal point, or '-- where not known"
    faults.cells(records, column, text.notna() & ~right, expected, "correct the cell, or fetch the export again")
    return number.where(right)


def words(records: Records, column: str, faults: Faults, meanings: dict[str, str], unknown: frozenset) -> pd.Series:
    """A column of words in the suite's own spelling, missing where the source does not say; others are errors."""
    text = records.frame[column].str.strip().str.lower()
    found = text.map(meanings)
    wrong = text.notna() & found.isna() & ~text.isin(unknown)
    expected = f"one of {sorted(meanings)} or a word for not known"
    faults.cells(records, column, wrong, expected, "correct the cell, or fetch the export again")
    return found.astype(object)
