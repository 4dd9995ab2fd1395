"""Table one, missing values and the flow of selection, by hand; quartiles against R (tests/reference/quartiles.csv)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.estimate.describe import flow, known_variables, missingness, table_one

PATIENTS = pd.DataFrame(
    {
        "patient_id": list("abcdef"),
        "age_years": [61.0, 54, np.nan, 66, 48, 73],
        "sex": ["female", "male", "male", "unknown", "female", None],
        "iss": pd.Categorical(["III", "I", "I", "unknown", "II", "III"], ["III", "II", "I", "unknown"]),
        "del17p": pd.array([True, False, None, False, False, True], dtype="boolean"),
        "group": ["x", "x", "y", "y", "y", "y"],
    }
)


def test_words_flags_and_numbers_by_hand():
    table = schema.check(table_one(PATIENTS, ["age_years", "sex", "iss", "del17p"]), schema.DESCRIPTION)
    by_level = table.set_index(["variable", "level"])
    age = by_level.loc[("age_years", "")]
    assert age[["statistic", "estimate", "low", "high", "count", "total", "unit"]].tolist() == [
        *["median", 61, 54, 66, 5, 6, "years"],
    ]
    assert by_level.loc[("age_years", "missing"), "count"] == 1
    assert by_level.loc[("sex", "female"), ["statistic", "estimate", "count", "total"]].tolist() == ["count", 0.5, 2, 6]
    assert by_level.loc[("sex", "missing"), "count"] == 2
    assert np.isnan(by_level.loc[("sex", "missing"), "estimate"])
    assert table[table["variable"] == "iss"]["level"].tolist() == ["III", "II", "I", "missing"]
    assert by_level.loc[("del17p", "yes"), ["estimate", "count"]].tolist() == [2 / 5, 2]
    assert by_level.loc[("del17p", "no"), "count"] == 3


def test_shares_of_a_variable_add_up_and_counts_add_up_to_all():
    table = table_one(PATIENTS, ["sex", "iss", "del17p"], "group")
    known = table[table["level"] != "missing"].groupby(["variable", "stratum"])["estimate"].sum()
    np.testing.assert_allclose(known, 1)
    counted = table.groupby(["variable", "stratum"])[["count", "total"]].agg({"count": "sum", "total": "first"})
    assert (counted["count"] == counted["total"]).all()


def test_every_stratum_has_every_level():
    table = table_one(PATIENTS, ["iss"], "group")
    assert table[(table["stratum"] == "x") & (table["level"] == "II")]["count"].tolist() == [0]
    assert table["group"].tolist() == table["stratum"].tolist()


def test_quartiles_are_those_of_r():
    table = pd.read_csv(Path(__file__).parent / "reference" / "quartiles.csv")
    found = table_one(table, ["value"]).iloc[0]
    assert found[["low", "estimate", "high"]].tolist() == table[["X1", "X2", "X3"]].iloc[0].tolist()


def test_a_variable_that_nobody_knows_is_counted_as_missing():
    table = table_one(pd.DataFrame({"age_years": [np.nan, np.nan], "sex": "unknown"}), ["age_years", "sex"])
    assert table["count"].tolist() == [0, 2, 2]
    assert table["estimate"].isna().all()
    schema.check(table, schema.DESCRIPTION)
    schema.check(table_one(PATIENTS.iloc[:0], ["sex"]), schema.DESCRIPTION)


def test_absent_columns_are_named():
    with pytest.raises(schema.SchemaError, match=r"\['height', 'weight'\] are missing"):
        table_one(PATIENTS, ["height", "sex", "weight"])
    with pytest.raises(schema.SchemaError, match=r"'sex'.*missing one first in row 5"):
        table_one(PATIENTS, ["iss"], "sex")
    with pytest.raises(schema.SchemaError, match="'grupo' is missing; did you mean 'group'"):
        table_one(PATIENTS, ["iss"], "grupo")


def test_missing_and_unknown_both_count():
    table = schema.check(missingness({"patients": PATIENTS, "labs": PATIENTS.iloc[:0][["sex"]]}), schema.MISSINGNESS)
    missing = table[table["table"] == "patients"].set_index("column")["missing"]
    expected = {"patient_id": 0, "age_years": 1, "sex": 2, "iss": 1, "del17p": 1, "group": 0}
    assert missing.to_dict() == expected
    empty = table[table["table"] == "labs"].iloc[0]
    assert empty["total"] == 0
    assert np.isnan(empty["share"])
    schema.check(missingness({}), schema.MISSINGNESS)


def test_variables_nobody_knows_are_left_out():
    frame = PATIENTS.assign(race="unknown", bmi=np.nan, flag=pd.array([None] * 6, dtype="boolean"))
    assert known_variables(frame, ["sex", "race", "bmi", "flag", "height", "del17p"]) == ["sex", "del17p"]


def test_the_flow_adds_up_and_refuses_to_grow():
    table = schema.check(flow([("all patients", 10), ("dated", 8), ("adult", 8)]), schema.FLOW)
    assert table["removed"].tolist() == [0, 2, 0]
    assert table["remaining"].iloc[0] - table["removed"].sum() == table["remaining"].iloc[-1]
    with pytest.raises(ValueError, match="step 2 \\('dated'\\) leaves 11"):
        flow([("all patients", 10), ("dated", 11)])
    with pytest.raises(ValueError, match="leaves -1"):
        flow([("all patients", -1)])
    schema.check(flow([]), schema.FLOW)
