"""Laboratory tests: their canonical names and units, and how other units become those."""

from __future__ import annotations

from functools import cache

import pandas as pd

from analysis.vocabulary.spelling import aliases_of, read_words, translate, unit_key


def tests() -> pd.DataFrame:
    """Which laboratory tests does the suite know, and in which unit does it hold them? One row per test.

    Returns
    -------
    DataFrame
        test, unit, aliases (joined by |), loinc and omop_concept_id (several joined by |, empty where none was
        verified), source.

    Example
    -------
    >>> tests().set_index("test").loc["serum M-protein", "unit"]
    'g/dL'
    """
    return _tests().copy()


tests.__test__ = False  # pytest would otherwise take the name for a test


def canonical_tests(names: pd.Series) -> pd.Series:
    """What is each laboratory test called here? The canonical spelling; an unknown name stays as it came.

    Example
    -------
    >>> canonical_tests(pd.Series(["Hgb", "M Protein", "zinc"])).tolist()
    ['haemoglobin', 'serum M-protein', 'zinc']
    """
    return translate(names, _known()).fillna(names.astype(object))


def units_of(test: str) -> list[str]:
    """Which units may a test come in? The canonical one first; an empty list for an unknown test.

    Example
    -------
    >>> units_of("creatinine")
    ['mg/dL', 'umol/L', 'mmol/L']
    """
    units = _units()
    return units.loc[units["test"] == test, "unit"].tolist()


def to_canonical_units(labs: pd.DataFrame, unknown: str = "raise") -> pd.DataFrame:
    """The same laboratory values under canonical test names and in canonical units.

    value * multiply_by / divide_by, with both numbers from units.csv. A test that the vocabulary does not know keeps
    its name, value and unit. A unit is never guessed: ten-fold errors in M-protein and free light chains make false
    relapses, so a known test whose unit is missing or unknown is refused.

    Parameters
    ----------
    labs
        a frame with the columns test, value and unit (others are kept).
    unknown
        "raise" refuses an unknown unit; "missing" sets its value and unit to missing, for callers who list them all.

    Raises
    ------
    ValueError
        naming each test whose unit is missing or unknown, the units it may come in, and the number of rows.

    Example
    -------
    >>> labs = pd.DataFrame({"test": ["M Protein", "Calcium"], "value": [31.0, 2.495], "unit": ["g/L", "mmol/L"]})
    >>> to_canonical_units(labs)["value"].round(9).tolist()
    [3.1, 10.0]
    """
    if unknown not in ("raise", "missing"):
        raise ValueError(f"parameter unknown: expected 'raise' or 'missing', came {unknown!r}")
    found = conversions(labs)
    refused = found["known"] & found["multiply_by"].isna()
    if unknown == "raise" and refused.any():
        raise ValueError(_refusal(found.loc[refused, "test"], labs.loc[refused, "unit"]))
    value = (labs["value"] * found["multiply_by"] / found["divide_by"]).where(found["known"], labs["value"])
    unit = found["unit"].where(found["known"], labs["unit"])
    return labs.assign(test=found["test"], value=value, unit=unit.astype(object))


def unit_concepts() -> pd.DataFrame:
    """Which OMOP concept stands for which unit? One row per concept: unit, omop_concept_id (number), source.

    Example
    -------
    >>> unit_concepts().set_index("omop_concept_id").loc[8713, "unit"]
    'g/dL'
    """
    return read_words("unit_concepts.csv").astype({"omop_concept_id": "int64"})


def conversions(labs: pd.DataFrame) -> pd.DataFrame:
    """How does each pair of test and unit become canonical? On the index of `labs` (columns test and unit).

    Returns
    -------
    DataFrame
        multiply_by, divide_by (missing where the unit is missing or unknown), unit (canonical), known (is the test
        in the vocabulary?), test (canonical). The canonical value is value * multiply_by / divide_by.

    Example
    -------
    >>> labs = pd.DataFrame({"test": ["M Protein", "M Protein"], "unit": ["g/L", None]})
    >>> conversions(labs)[["divide_by", "unit"]].values.tolist()
    [[10.0, 'g/dL'], [nan, nan]]
    """
    pairs = labs[["test", "unit"]].astype(object).drop_duplicates()
    test = canonical_tests(pairs["test"])
    key = test.astype(str) + "\t" + pairs["unit"].map(lambda unit: "" if pd.isna(unit) else unit_key(str(unit)))
    factors = _factors().drop(columns="test").reindex(key).set_index(pairs.index)
    found = factors.assign(known=test.isin(_tests()["test"]), canonical=test, **pairs.rename(columns={"unit": "raw"}))
    rows = labs[["test", "unit"]].astype(object).rename(columns={"unit": "raw"})
    merged = rows.merge(found, on=["test", "raw"], how="left").set_index(labs.index)
    return merged.drop(columns="test").rename(columns={"canonical": "test"})


def _refusal(tests_refused: pd.Series, units_refused: pd.Series) -> str:
    counts = pd.DataFrame({"test": tests_refused, "unit": units_refused.fillna("")}).value_counts().sort_index()
    listing = [
        f"  - {test!r}: expected one of {units_of(test)}, came {unit!r} ({count} row(s))"
        for (test, unit), count in counts.items()
    ]
    return "units that are missing or unknown; state the unit of every value\n" + "\n".join(listing)


@cache
def _tests() -> pd.DataFrame:
    return read_words("tests.csv")


@cache
def _known() -> dict[str, str]:
    return aliases_of(_tests(), "test")


@cache
def _units() -> pd.DataFrame:
    """Every accepted unit of every test, the canonical unit first."""
    canonical = _tests()[["test", "unit"]].assign(multiply_by=1.0, divide_by=1.0)
    other = read_words("units.csv").astype({"multiply_by": float, "divide_by": float})
    return pd.concat([canonical, other.drop(columns="source")], ignore_index=True)


@cache
def _factors() -> pd.DataFrame:
    """The factors and the canonical unit, indexed by test and unit key."""
    units = _units()
    key = units["test"] + "\t" + units["unit"].map(unit_key)
    canonical = units["test"].map(_tests().set_index("test")["unit"])
    return units.assign(unit=canonical).set_index(key)[~key.duplicated().to_numpy()]
