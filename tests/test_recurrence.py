"""Rates and attrition, by hand and against R (tests/reference/rates.csv, shares.csv from make_reference.R)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.estimate.curves.limits import wilson_limits
from analysis.estimate.recurrence import attrition, poisson_limits, rates

REFERENCE = Path(__file__).parent / "reference"

STARTED = pd.DataFrame(
    {
        "line": [1, 1, 1, 1, 1, 2, 2],
        "entry": 0,
        "time": [10, 20, 20, 30, 40, 5, 9],
        "event": ["next_line", "death", "next_line", "censored", "next_line", "censored", "death"],
    }
)


def test_poisson_limits_are_those_of_poisson_test():
    table = pd.read_csv(REFERENCE / "rates.csv")
    low, high = poisson_limits(table["events"])
    np.testing.assert_allclose(100 * low / table["person_years"], table["conf_low"], rtol=1e-9, atol=0)
    np.testing.assert_allclose(100 * high / table["person_years"], table["conf_high"], rtol=1e-9, atol=0)


def test_wilson_limits_are_those_of_prop_test():
    table = pd.read_csv(REFERENCE / "shares.csv")
    low, high = wilson_limits(table["count"].to_numpy(), table["total"].to_numpy())
    np.testing.assert_allclose(low, table["conf_low"], atol=1e-12)
    np.testing.assert_allclose(high, table["conf_high"], atol=1e-12)
    assert np.isnan(wilson_limits(np.array([0]), np.array([0]))).all()


def test_rates_by_hand():
    spells = STARTED.assign(time=STARTED["time"] * 36.525)
    table = schema.check(rates(spells, "line"), schema.RATES).set_index(["stratum", "event"])
    assert table.loc[("line 1", "next_line"), ["events", "person_years", "estimate"]].tolist() == [3, 12, 25]
    assert table.loc[("line 1", "any"), ["subjects", "events", "estimate"]].tolist() == [5, 4, 100 / 3]
    nobody = table.loc[("line 2", "next_line")]
    assert nobody[["events", "estimate", "conf_low"]].tolist() == [0, 0, 0]
    assert nobody["conf_high"] == pytest.approx(100 * -np.log(0.025) / 1.4)
    assert table.loc[("line 2", "any"), "line"] == 2


def test_time_before_a_delayed_entry_is_not_counted():
    late = STARTED.assign(entry=[0, 10, 0, 5, 0, 0, 3])
    years = rates(late, "line").groupby("line")["person_years"].first() * 365.25
    assert years.tolist() == pytest.approx([120 - 15, 14 - 3])


def test_no_time_under_observation_has_no_rate():
    table = rates(pd.DataFrame({"entry": 0, "time": [0, 0], "event": ["death", "censored"]}))
    assert table["estimate"].isna().all()
    assert table["events"].tolist() == [1, 1]
    schema.check(rates(STARTED.iloc[:0]), schema.RATES)


def test_attrition_by_hand():
    table = schema.check(attrition(STARTED, [25, 35]), schema.ATTRITION).set_index(["reading", "outcome", "line"])
    crude = table.loc["crude"]
    assert crude.loc[("next_line", 1), ["estimate", "entered", "count"]].tolist() == [3 / 5, 5, 3]
    assert crude.loc[("death", 1), "estimate"] == 1 / 5
    assert crude.loc[("neither", 1), "estimate"] == 1 / 5
    assert crude.loc[("death", 2), "estimate"] == 1 / 2
    assert crude.loc[("next_line", 2), ["estimate", "count"]].tolist() == [0, 0]
    by_time = table.loc["Aalen-Johansen"].reset_index().set_index(["outcome", "line", "time"])
    assert by_time.loc[("next_line", 1, 25), ["estimate", "count"]].tolist() == pytest.approx([2 / 5, 2])
    assert by_time.loc[("death", 1, 35), ["estimate", "count"]].tolist() == pytest.approx([1 / 5, 1])
    assert by_time.loc[("neither", 1, 35), ["estimate", "count"]].tolist() == pytest.approx([2 / 5, 1])
    assert by_time.loc[("neither", 2, 25), "estimate"] is not None
    assert by_time.loc[(slice(None), 2), "estimate"].isna().all()  # line 2 was watched for nine days only
    limits = by_time.loc[("neither", 1, 35)]
    assert limits["conf_low"] < limits["estimate"] < limits["conf_high"]


def test_the_outcomes_of_each_reading_share_out_everybody():
    sums = attrition(STARTED, [5, 9]).groupby(["line", "reading", "time"], dropna=False)["estimate"].sum()
    np.testing.assert_allclose(sums, 1)


def test_an_outcome_that_never_came_stands_in_the_table_with_zero():
    table = attrition(STARTED.assign(event="censored"), [9])
    zero = table[(table["outcome"] != "neither")]
    assert zero["estimate"].tolist() == [0] * 8
    assert table[table["outcome"] == "neither"]["estimate"].tolist() == [1] * 4


def test_spells_that_end_at_relapse_are_refused():
    with pytest.raises(ValueError, match="'relapse' first in row 3"):
        attrition(STARTED.assign(event=["death"] * 3 + ["relapse"] * 4), [9])
    with pytest.raises(schema.SchemaError, match="'line' is missing"):
        attrition(STARTED.drop(columns="line"), [9])
    schema.check(attrition(STARTED.iloc[:0], [9]), schema.ATTRITION)


def test_attrition_is_silent_where_nobody_was_left_before_others_entered():
    words = ["death", "next_line", "death", "censored"]
    gap = pd.DataFrame({"line": 1, "entry": [0, 0, 5, 6], "time": [2, 3, 9, 12], "event": words})
    for spells in (gap, gap.assign(event=gap["event"].replace("next_line", "death"))):
        table = attrition(spells, [2, 10]).query("reading == 'Aalen-Johansen'").set_index(["outcome", "time"])
        assert table.xs(2, level="time")["estimate"].tolist() == [0, 0.5, 0.5]
        assert table.xs(10, level="time")["estimate"].isna().all()
        assert table.xs(10, level="time")["count"].notna().all()


def test_attrition_says_how_many_are_left_at_its_times():
    spells = pd.DataFrame({"line": 1, "entry": 0, "time": [9, 20, 30], "event": ["next_line", "death", "censored"]})
    found = attrition(spells, [25])
    assert found.loc[found["reading"] == "Aalen-Johansen", "at_risk"].tolist() == [1, 1, 1]
    assert found.loc[found["reading"] == "crude", "at_risk"].isna().all()
