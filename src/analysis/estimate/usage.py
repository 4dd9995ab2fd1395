"""Which treatments are used on which line: regimens and drug classes, as counts and shares of those who started it."""

from __future__ import annotations

import pandas as pd

from analysis import schema


def regimens(lines: pd.DataFrame) -> pd.DataFrame:
    """How often is each regimen used on each line?

    Returns table REGIMENS; the shares of a line add up to 1, largest first.

    Raises
    ------
    analysis.schema.SchemaError
        when the lines do not fit LINES.

    Example
    -------
    >>> from analysis import schema
    >>> used = regimens(_two_lines())
    >>> used[["line", "regimen", "patients"]].values.tolist()
    [[1, 'bortezomib+lenalidomide', 2], [2, 'daratumumab', 1]]
    """
    schema.check(lines, schema.LINES)
    return schema.check(_shares(lines[["patient_id", "line", "regimen"]], lines, "regimen"), schema.REGIMENS)


def drug_classes(lines: pd.DataFrame) -> pd.DataFrame:
    """How many of those who start a line are treated with each drug class on it?

    Returns table CLASS_SHARES. A patient counts once in every class of the line, so the shares of a
    line add up to more than 1.

    Raises
    ------
    analysis.schema.SchemaError
        when the lines do not fit LINES.

    Example
    -------
    >>> drug_classes(_two_lines())["drug_class"].tolist()
    ['IMiD', 'PI', 'anti-CD38']
    """
    schema.check(lines, schema.LINES)
    classes = lines[["patient_id", "line"]].assign(drug_class=lines["classes"].str.split("+", regex=False))
    classes = classes.explode("drug_class").dropna(subset=["drug_class"]).drop_duplicates()
    return schema.check(_shares(classes, lines, "drug_class"), schema.CLASS_SHARES)


def _shares(rows: pd.DataFrame, lines: pd.DataFrame, kind: str) -> pd.DataFrame:
    counted = rows.groupby(["line", kind], sort=True).size().rename("patients").reset_index()
    counted["total"] = counted["line"].map(lines.groupby("line")["patient_id"].nunique())
    counted["share"] = counted["patients"] / counted["total"]
    return counted.sort_values(["line", "patients", kind], ascending=[True, False, True], ignore_index=True)


def _two_lines() -> pd.DataFrame:
    """LINES of two patients, for the examples above."""
    frame = pd.DataFrame({"patient_id": ["a", "b", "a"], "line": [1, 1, 2], "start_day": [0, 0, 300]})
    regimen = ["bortezomib+lenalidomide", "bortezomib+lenalidomide", "daratumumab"]
    days = pd.array([None] * 3, dtype="Int64")
    return frame.assign(
        end_day=days, regimen=regimen, classes=["PI+IMiD", "PI+IMiD", "anti-CD38"], transplant=False,
        maintenance=pd.array([None] * 3, dtype="boolean"), best_response="unknown", progression_day=days,
        relapse_kind="none", start_imputed=False,
    )  # fmt: skip
