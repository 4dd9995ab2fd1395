"""The witnesses agree on good curves, say what they could not compare, and would object to bad ones."""

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.estimate import checks
from analysis.estimate.checks import witnesses


def simulated(rows=400, seed=11):
    rng = np.random.default_rng(seed)
    spells = pd.DataFrame({"line": rng.integers(1, 4, rows), "entry": 0, "time": rng.integers(1, 60, rows)})
    return spells.assign(event=rng.choice(["censored", "relapse", "death"], rows))


def test_other_libraries_agree_and_all_adds_up():
    table = schema.check(witnesses(simulated(), "line"), schema.CHECKS)
    assert table["passed"].all()
    assert table["value"].notna().all()
    assert table["value"].max() < 1e-12
    assert table["note"].eq("").all()


def test_what_cannot_be_compared_is_said():
    spells = simulated()
    spells.loc[spells["line"] == 2, "event"] = spells["event"].replace("death", "relapse")
    spells.loc[spells["line"] == 3, "entry"] = spells["time"] // 2
    table = witnesses(spells, "line")
    assert table["passed"].all()
    note = table[table["check"].str.contains("scikit-survival")]["note"].item()
    assert note == "not compared, fewer than two causes: line 2; not compared, delayed entry: line 3"
    alone = witnesses(spells[spells["line"] == 3])
    row = alone[alone["check"].str.contains("scikit-survival")].iloc[0]
    assert np.isnan(row["value"])
    assert row["note"].endswith("nothing to compare")


def test_spells_that_lifelines_refuses_are_said_and_do_no_harm():
    gap = pd.DataFrame(
        {"entry": [0, 0, 5, 6], "time": [2, 3, 9, 12], "event": ["death", "relapse", "death", "censored"]}
    )
    alone = schema.check(witnesses(gap), schema.CHECKS)
    assert alone["passed"].all()
    refused = "not compared, delayed entry leaves nobody at risk for a while: "
    beside = witnesses(pd.concat([simulated(), gap.assign(line=9)], ignore_index=True), "line")
    assert beside["passed"].all()
    for table, said in ((alone, refused + "all; nothing to compare"), (beside, refused + "line 9")):
        lifelines = table[table["check"].str.contains("lifelines")]
        assert lifelines["note"].tolist() == [said, said]
        assert lifelines["value"].isna().all() == (table is alone)
    sums = alone[alone["check"].str.contains("add up to 1")].iloc[0]
    assert sums["value"] == 0


def test_a_curve_that_ends_early_is_compared_as_far_as_it_goes():
    late = pd.DataFrame({"entry": [0] * 8 + [20], "time": [*range(1, 9), 21], "event": ["death"] * 9})
    table = schema.check(witnesses(late), schema.CHECKS)
    assert table["passed"].all()
    assert table["value"][table["check"].str.startswith("Kaplan-Meier")].notna().all()


def test_the_state_of_numpy_is_left_alone():
    np.random.seed(3)  # noqa: NPY002 - the global state is what is looked at
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    with np.errstate(divide="warn", invalid="warn"):
        before = np.geterr()
        witnesses(simulated(50))
        assert np.geterr() == before
    assert np.random.random() == expected  # noqa: NPY002


@pytest.mark.parametrize(
    ("name", "spoilt", "caught"),
    [
        (
            "survival_curve",
            lambda curves: curves.assign(estimate=curves["estimate"] * 0.999),
            ["lifelines has it", "up to 1"],
        ),
        ("survival_curve", lambda curves: curves.assign(conf_low=curves["conf_low"] * 0.999), ["lifelines has them"]),
        ("incidence_curves", lambda curves: curves.assign(estimate=curves["estimate"] * 0.999), ["scikit", "up to 1"]),
        ("risk_table", lambda table: table.assign(count=table["count"] + 1), ["numbers at risk"]),
    ],
)
def test_a_wrong_curve_is_caught(monkeypatch, name, spoilt, caught):
    right = getattr(checks, name)
    monkeypatch.setattr(checks, name, lambda *arguments: spoilt(right(*arguments)))
    table = witnesses(simulated(), "line")
    for words in caught:
        assert not table[table["check"].str.contains(words)]["passed"].any()


def test_large_cohorts_are_compared_on_an_even_sample(monkeypatch):
    monkeypatch.setattr(checks, "_MOST_ROWS", 150)
    table = witnesses(simulated(), "line")
    assert table["passed"].all()
    assert table["note"].tolist() == ["on one row in 3"] * 3 + ["", ""]


def test_no_spells_leave_nothing_to_compare():
    table = schema.check(witnesses(simulated().iloc[:0]), schema.CHECKS)
    assert table["passed"].all()
    assert table["value"].fillna(0).eq(0).all()
