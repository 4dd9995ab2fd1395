"""Restricted means and tests between groups: by hand, against R, and by what must hold.

The figures of R are in tests/reference/pathways_*.csv, made by make_reference_pathways.R there (survival 3.5-3,
cmprsk 2.2-11; see pathways_sessionInfo.txt there).
"""

from fractions import Fraction as F
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import schema
from analysis.estimate.curves import gray_test, log_rank, restricted_mean, restricted_mean_difference

REFERENCE = Path(__file__).parent / "reference"
WORDS = ("censored", "relapse", "death")
LAW = settings(max_examples=40, deadline=None, derandomize=True)

# Seven subjects in no order, with ties of events among themselves and with a censoring.
SEVEN = pd.DataFrame(
    {
        "entry": 0,
        "time": [5, 2, 4, 2, 7, 4, 5],
        "event": ["relapse", "death", "relapse", "relapse", "censored", "censored", "death"],
        "group": ["a", "a", "b", "b", "a", "b", "a"],
    }
)


@cache
def reference(name):
    return pd.read_csv(REFERENCE / f"{name}.csv", keep_default_na=name != "pathways_tests")


def spells_named(dataset):
    """The spells that make_reference_pathways.R means by a name."""
    name, _, which = dataset.partition(": ")
    spells = reference("spells")[reference("spells")["dataset"] == name]
    if which == "no delay":
        return spells[spells["entry"] == 0]
    if which == "untied":
        return spells.assign(time=spells["time"] + spells["id"] / 1024)
    return spells.head(40) if which == "forty" else spells


# --- by hand --------------------------------------------------------------------------------------------------------


def test_restricted_means_of_seven_subjects_by_hand():
    # S is 1, 5/7, 4/7, 4/21 from days 0, 2, 4, 5; at risk 7, 5, 3 with 2, 1, 2 events there.
    found = schema.check(restricted_mean(SEVEN, 6), schema.RESTRICTED_MEANS).set_index("event")
    to_come = {5: F(4, 21), 4: F(4, 7) + F(4, 21), 2: 2 * F(5, 7) + F(4, 7) + F(4, 21)}
    variance = to_come[2] ** 2 * F(2, 35) + to_come[4] ** 2 * F(1, 20) + to_come[5] ** 2 * F(2, 3)
    assert found.loc["any", "estimate"] == pytest.approx(float(2 + to_come[2]), abs=1e-14)
    assert found.loc["any", "std_error"] == pytest.approx(float(variance) ** 0.5, abs=1e-14)
    assert found.loc["relapse", "estimate"] == pytest.approx(float(2 * F(1, 7) + F(2, 7) + F(10, 21)), abs=1e-14)
    assert found.loc["death", "estimate"] == pytest.approx(float(3 * F(1, 7) + F(1, 3)), abs=1e-14)
    assert found["events"].to_dict() == {"any": 5, "relapse": 3, "death": 2}
    assert found["at_risk"].unique().tolist() == [1]


def influence_of_lost_time(spells, event, horizon, row):
    """How far the time lost moves when one row weighs a little more: a numerical derivative of the plain formula."""

    def lost(weight):
        survival, incidence, area, last = 1.0, 0.0, 0.0, 0
        for time in sorted(set(spells["time"]) | {horizon}):
            time = min(time, horizon)
            area, last = area + incidence * (time - last), time
            at_risk = weight[spells["time"] >= time].sum()
            here = spells["time"] == time
            incidence += survival * weight[here & (spells["event"] == event)].sum() / at_risk
            survival *= 1 - weight[here & (spells["event"] != "censored")].sum() / at_risk
            if time == horizon:
                break
        return area

    step = np.zeros(len(spells))
    step[row] = 1e-6
    return (lost(1 + step) - lost(1 - step)) / 2e-6


def test_error_of_the_time_lost_is_the_root_of_the_squared_influences():
    found = restricted_mean(SEVEN, 6).set_index("event")
    for event in ("relapse", "death"):
        influences = [influence_of_lost_time(SEVEN, event, 6, row) for row in range(7)]
        assert found.loc[event, "std_error"] == pytest.approx(np.linalg.norm(influences), abs=1e-8)


def test_log_rank_of_seven_subjects_by_hand():
    # Group a: at risk 4, 3, 3 of 7, 5, 3; events of any kind 1 of 2, 0 of 1, 2 of 2 on days 2, 4, 5.
    score = F(1) - 2 * F(4, 7) + 0 - F(3, 5) + 2 - 2
    variance = 2 * F(4 * 3, 49) * F(5, 6) + F(3 * 2, 25) + 0
    found = schema.check(log_rank(SEVEN, None, "group"), schema.GROUP_TESTS).iloc[0]
    assert found["statistic"] == pytest.approx(float(score**2 / variance), abs=1e-14)
    assert found[["event", "compared", "df", "events", "subjects"]].tolist() == [
        "any",
        "group",
        1,
        5,
        7,
    ]


# --- against R ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "weights", "horizon"),
    [tuple(row) for row in reference("pathways_means")[["dataset", "weights", "horizon"]].drop_duplicates().to_numpy()],
)
def test_restricted_means_are_those_of_survfit(dataset, weights, horizon):
    expected = reference("pathways_means").query("dataset == @dataset & weights == @weights & horizon == @horizon")
    spells = spells_named(dataset).assign(part=lambda frame: 0.37 * frame["weight"])
    found = restricted_mean(spells, horizon, "group", weight="part" if weights == "fractional" else None)
    schema.check(found, schema.RESTRICTED_MEANS)
    both = expected.merge(found, on=["estimand", "stratum", "event"], how="left", suffixes=("_r", ""))
    for name in ("estimate", "std_error"):
        np.testing.assert_allclose(both[name], both[f"{name}_r"], rtol=1e-12, atol=1e-13, err_msg=name)
    asked = spells.groupby("group")["time"].max()
    beyond = found[found["stratum"].isin(asked.index[asked < horizon]) & found["estimate"].isna()]
    assert beyond["note"].str.startswith("past the last time under observation").all()
    assert set(found["stratum"]) - set(beyond["stratum"]) >= set(expected["stratum"])


@pytest.mark.parametrize(
    "row", list(reference("pathways_tests").itertuples()), ids=lambda row: "-".join(map(str, row[1:5]))
)
def test_statistics_are_those_of_survdiff_coxph_and_cuminc(row):
    spells, strata = spells_named(row.dataset), "weight" if row.stratified else None
    event = None if row.event == "any" else row.event
    found = (log_rank if row.test == "log-rank" else gray_test)(spells, event, "group", strata).iloc[0]
    assert found["statistic"] == pytest.approx(float(row.statistic), rel=1e-9, abs=1e-10)
    assert found["df"] == row.df
    assert found["note"] == ""


# --- what must hold -------------------------------------------------------------------------------------------------

SUBJECTS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 12), st.integers(0, 2), st.sampled_from("ab")), min_size=6, max_size=30
)


def spells_from(subjects, delayed=True):
    frame = pd.DataFrame(subjects, columns=["entry", "stay", "code", "group"])
    entry = frame["entry"] if delayed else 0 * frame["entry"]
    event = frame["code"].map(dict(enumerate(WORDS)))
    return pd.DataFrame({"entry": entry, "time": entry + frame["stay"], "event": event, "group": frame["group"]})


@LAW
@given(subjects=SUBJECTS, horizon=st.integers(1, 12))
def test_restricted_means_add_up_to_the_horizon(subjects, horizon):
    found = restricted_mean(spells_from(subjects), horizon, "group")
    total = found.groupby("stratum")["estimate"].sum(min_count=1).dropna()
    np.testing.assert_allclose(total, horizon, rtol=1e-12)
    known = found.dropna(subset=["conf_low"])
    assert (known["conf_low"] <= known["estimate"]).all()
    assert (known["conf_high"] >= known["estimate"]).all()


@LAW
@given(subjects=SUBJECTS, horizon=st.integers(1, 12), seed=st.integers(0, 99))
def test_neither_order_nor_unit_nor_a_doubled_cohort_changes_a_restricted_mean(subjects, horizon, seed):
    spells = spells_from(subjects)
    columns = ["estimate", "std_error"]
    found = restricted_mean(spells, horizon, "group")
    shuffled = restricted_mean(spells.sample(frac=1, random_state=seed), horizon, "group")
    pd.testing.assert_frame_equal(shuffled[columns], found[columns], rtol=1e-10)
    quarters = spells.assign(entry=spells["entry"] / 4, time=spells["time"] / 4)
    quarters = restricted_mean(quarters, horizon / 4, "group")
    pd.testing.assert_frame_equal(4 * quarters[columns], found[columns], rtol=1e-9)
    double = restricted_mean(pd.concat([spells, spells]), horizon, "group")
    weighted = restricted_mean(spells.assign(two=2), horizon, "group", weight="two")
    pd.testing.assert_frame_equal(weighted[columns], double[columns], rtol=1e-9)
    lost = found["estimand"] == "restricted mean time lost"
    np.testing.assert_allclose(double["std_error"][lost] * 2**0.5, found["std_error"][lost], rtol=1e-9)


@LAW
@given(subjects=SUBJECTS, horizon=st.integers(1, 12))
def test_with_one_cause_the_time_lost_mirrors_survival(subjects, horizon):
    spells = spells_from(subjects, delayed=False)
    spells["event"] = spells["event"].replace("relapse", "death")
    found = restricted_mean(spells, horizon)
    if len(found) == 2:
        assert found["estimate"].sum() == pytest.approx(horizon, nan_ok=True)
        assert found["std_error"].iloc[0] == pytest.approx(found["std_error"].iloc[1], rel=1e-9, nan_ok=True)


@LAW
@given(subjects=SUBJECTS, seed=st.integers(0, 99))
def test_statistics_depend_neither_on_order_nor_on_labels(subjects, seed):
    subjects = [*subjects, (0, 3, 1, "a"), (0, 4, 1, "b")]
    for test, delayed in ((log_rank, True), (gray_test, False)):
        spells = spells_from(subjects, delayed)
        found = test(spells, "relapse", "group").iloc[0]
        other = spells.sample(frac=1, random_state=seed).replace({"group": {"a": "z"}})
        assert test(other, "relapse", "group")["statistic"][0] == pytest.approx(
            found["statistic"], rel=1e-9, nan_ok=True
        )
        both = pd.concat([spells.assign(where=1), spells.assign(where=2)])
        doubled = test(both, "relapse", "group", "where")["statistic"][0]
        assert doubled == pytest.approx(2 * found["statistic"], rel=1e-8, nan_ok=True)


# --- differences, missing numbers, bad input ------------------------------------------------------------------------


def test_differences_are_those_of_the_means():
    spells = spells_named("mgus2")
    means = restricted_mean(spells, 120, "group").set_index(["event", "stratum"])
    found = schema.check(restricted_mean_difference(spells, 120, "group", reference="M"), schema.DIFFERENCES)
    assert found["stratum"].tolist() == ["F"] * 3
    found = found.set_index("event")
    for event in ("any", "relapse", "death"):
        women, men = means.loc[(event, "F")], means.loc[(event, "M")]
        row = found.loc[event]
        assert row["estimate"] == women["estimate"] - men["estimate"]
        assert row["std_error"] == pytest.approx(np.hypot(women["std_error"], men["std_error"]), rel=1e-14)
        assert (row["p"] < 0.05) == (not row["conf_low"] < 0 < row["conf_high"])
    with pytest.raises(ValueError, match="reference: expected one of the strata"):
        restricted_mean_difference(spells, 120, "group", reference="X")
    with pytest.raises(ValueError, match="at least two values"):
        restricted_mean_difference(spells, 120, "dataset")


def test_a_mean_past_the_follow_up_is_missing_with_its_reason():
    found = restricted_mean(SEVEN, 8)
    assert found[["estimate", "std_error", "conf_low"]].isna().all(axis=None)
    assert set(found["note"]) == {"past the last time under observation (7)"}
    dead = restricted_mean(SEVEN[SEVEN["event"] == "death"], 8)
    assert dead.loc[0, "estimate"] == 3.5  # all have died by day 5: nothing is left to know
    late = pd.DataFrame({"entry": [0, 5, 5], "time": [2, 9, 11], "event": ["death", "censored", "death"]})
    assert restricted_mean(late, 8)["note"].tolist() == ["nobody was left at risk before others entered (2)"] * 2
    differences = restricted_mean_difference(SEVEN, 5, "group")
    assert differences["estimate"].isna().all()
    assert differences["note"].str.startswith("b: past the last time under observation (4)").all()


def test_where_subjects_do_not_differ_there_is_no_error():
    spells = pd.DataFrame({"entry": 0, "time": [4, 4, 4], "event": "death"})
    found = restricted_mean(spells, 6)
    assert found["estimate"].tolist() == [4, 2]
    assert found["std_error"].isna().all()
    assert found["note"].str.startswith("subjects do not differ").all()


def test_groups_that_never_meet_cannot_be_compared():
    spells = pd.DataFrame({"entry": [0, 0, 5, 5], "time": [2, 3, 8, 9], "event": "death", "group": list("aabb")})
    found = log_rank(spells, "death", "group").iloc[0]
    assert np.isnan(found["statistic"])
    assert np.isnan(found["p"])
    assert found["note"] == "no two groups were at risk together at an event"
    three = pd.concat([spells, spells.head(2).assign(time=[1, 2], group="c")])
    found = log_rank(three, "death", "group").iloc[0]
    assert found[["df", "note"]].tolist() == [1, "only 2 of 3 groups were at risk together at an event"]


def test_impossible_requests_are_refused():
    late = SEVEN.assign(entry=[0, 0, 1, 0, 0, 0, 0])
    for request, said in [
        (lambda: restricted_mean(SEVEN, 0), "horizon_days"),
        (lambda: restricted_mean(SEVEN, np.nan), "horizon_days"),
        (lambda: restricted_mean(SEVEN, 5, conf_level=95), "conf_level"),
        (lambda: log_rank(SEVEN, "progression", "group"), "event: expected one of"),
        (lambda: log_rank(SEVEN, "relapse", "group", "group"), "not among strata"),
        (lambda: log_rank(SEVEN.assign(group="a"), "relapse", "group"), "at least two groups"),
        (lambda: gray_test(SEVEN, "censored", "group"), "event: expected one of"),
        (lambda: gray_test(late, "relapse", "group"), "column 'entry': expected 0 in every row, came 1 first in row 2"),
        (lambda: restricted_mean(SEVEN.assign(time=-1), 5), "column 'time'"),
        (lambda: gray_test(SEVEN.assign(event=1), "relapse", "group"), "column 'event'"),
        (lambda: log_rank(SEVEN.drop(columns="group"), "relapse", "group"), "column 'group' is missing"),
    ]:
        with pytest.raises(ValueError, match=said):
            request()
    before = SEVEN.copy()
    restricted_mean_difference(SEVEN, 3, "group")
    pd.testing.assert_frame_equal(SEVEN, before)
    assert restricted_mean(SEVEN.head(0), 3).columns.tolist() == schema.RESTRICTED_MEANS.names


def test_where_one_group_is_left_gray_goes_on_and_r_does_not():
    # By day 3 all of b are dead; the pooled incidence then passes 1, which stops cmprsk with an error.
    spells = pd.DataFrame({"entry": 0, "time": [3, 4, 1, 2], "event": "death", "group": list("aabb")})
    cut = spells.assign(time=[3, 3, 1, 2])  # what follows when b is gone cannot matter
    found = gray_test(spells, "death", "group").iloc[0]
    assert found["statistic"] == pytest.approx(gray_test(cut, "death", "group")["statistic"][0], rel=1e-12)
    assert found["df"] == 1
    alone = pd.DataFrame({"entry": 0, "time": [2, 3, 3, 1], "group": list("abbb")})
    alone["event"] = ["censored", "relapse", "relapse", "death"]
    assert gray_test(alone, "relapse", "group")["note"][0] == "no two groups were at risk together at an event"


def test_a_comparison_of_the_same_patients_says_so():
    spells = pd.DataFrame({"patient_id": list("aabbcd"), "line": [1, 2, 1, 2, 1, 1], "entry": 0})
    spells = spells.assign(time=[5, 3, 8, 2, 9, 4], event=["relapse", "death"] * 3, iss=list("xxxyyy"))
    said = "2 rows are of a patient who has another"
    assert said in log_rank(spells, "relapse", "line")["note"].iloc[0]
    assert said in gray_test(spells, "relapse", "line")["note"].iloc[0]
    assert restricted_mean_difference(spells, 5, "iss")["note"].str.contains(said).all()
    alone = spells.drop_duplicates("patient_id")
    assert log_rank(alone, "relapse", "iss")["note"].iloc[0] == ""
    assert not restricted_mean_difference(alone, 4, "iss")["note"].str.contains(said).any()
