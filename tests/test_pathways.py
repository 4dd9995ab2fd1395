"""Occupancy and expected times: by hand, against R, and by what must hold.

The figures of R are in tests/reference/pathways_*.csv, made by make_reference_pathways.R there (survival 3.5-3,
etm 1.1.1; see pathways_sessionInfo.txt there).
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
from analysis.estimate.curves import aalen_johansen, kaplan_meier, restricted_mean
from analysis.estimate.pathways import expected_time, occupancy

REFERENCE = Path(__file__).parent / "reference"
LAW = settings(max_examples=40, deadline=None, derandomize=True)
COLUMNS = ["patient_id", "line", "start_day", "entry", "time", "event"]
KEY = ["stratum", "state", "time"]


def spells_of(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


# Seven patients in no order. Line 1 on days 2, 4, 5: at risk 7, 4, 2 - two go on and one dies on day 2, one goes on and
# one leaves on day 4, one dies and one leaves on day 5. Line 2 on days 3, 4, 6: at risk 2, 1, 1.
SEVEN = spells_of(
    ("c", 1, 10, 0, 2, "death"),
    ("a", 2, 2, 0, 1, "censored"),
    ("e", 1, 0, 0, 4, "censored"),
    ("g", 1, 7, 0, 5, "censored"),
    ("a", 1, 0, 0, 2, "next_line"),
    ("b", 2, 2, 0, 2, "death"),
    ("d", 1, 3, 0, 4, "next_line"),
    ("b", 1, 0, 0, 2, "next_line"),
    ("f", 1, 0, 0, 5, "death"),
    ("d", 2, 7, 0, 2, "death"),
)


@cache
def reference(name):
    table = pd.read_csv(REFERENCE / f"pathways_{name}.csv")
    return table.astype({"time": float}) if "time" in table else table


def journeys(dataset):
    return reference("spells").query("dataset == @dataset").assign(zero=0)


# --- by hand --------------------------------------------------------------------------------------------------------


def test_occupancy_of_seven_patients_by_hand():
    found = schema.check(occupancy(SEVEN), schema.OCCUPANCY).set_index(["state", "time"])
    one = {0: F(1), 2: F(4, 7), 3: F(4, 7), 4: F(3, 7), 5: F(3, 14), 6: F(3, 14)}
    # On day 4 b, alone at risk in line 2, dies, and a quarter of line 1 comes in.
    two = {0: F(0), 2: F(2, 7), 3: F(2, 7), 4: F(1, 7), 5: F(1, 7), 6: F(0)}
    for day in one:
        assert found.loc[("line 1", day), "estimate"] == pytest.approx(float(one[day]), abs=1e-15)
        assert found.loc[("line 2", day), "estimate"] == pytest.approx(float(two[day]), abs=1e-15)
        assert found.loc[("death", day), "estimate"] == pytest.approx(float(1 - one[day] - two[day]), abs=1e-15)
    assert found.loc["line 1", "at_risk"].tolist() == [7, 7, 4, 4, 2, 0]
    assert found.loc["line 2", "at_risk"].tolist() == [0, 0, 2, 1, 1, 1]
    assert found.loc["line 2", "entered"].tolist() == [0, 2, 0, 1, 0, 0]
    means = schema.check(expected_time(SEVEN, 5.5), schema.EXPECTED_TIMES).set_index("state")["estimate"]
    assert means["line 1"] == pytest.approx(float(2 + F(4, 7) + F(4, 7) + F(3, 7) + F(3, 28)))
    assert means["line 2"] == pytest.approx(float(F(2, 7) + F(2, 7) + F(1, 7) + F(1, 14)))


def plain_occupancy(spells, days, weight):
    """The product written out with weighted patients: shares of line 1, line 2 and death after each day."""
    begin = spells["start_day"] - spells.groupby("patient_id")["start_day"].transform("min")
    end, heavy = begin + spells["time"], spells["patient_id"].map(weight)
    shares, found = np.array([1.0, 0.0, 0.0]), []
    for day in days:
        matrix = np.eye(3)
        for line in (1, 2):
            at_risk = heavy[(spells["line"] == line) & (begin < day) & (end >= day)].sum()
            for place, event in ((line, "next_line"), (2, "death")):
                moved = heavy[(spells["line"] == line) & (end == day) & (spells["event"] == event)].sum()
                if at_risk > 0 and moved > 0:
                    matrix[line - 1, place] += moved / at_risk
                    matrix[line - 1, line - 1] -= moved / at_risk
        shares = shares @ matrix
        found.append(shares)
    return np.array(found)


def test_errors_of_seven_patients_are_the_roots_of_the_squared_influences():
    days, patients = [2, 3, 4, 5, 6], sorted(set(SEVEN["patient_id"]))
    squares = 0.0
    for patient in patients:
        heavy, light = ({who: 1 + step * (who == patient) for who in patients} for step in (1e-5, -1e-5))
        squares += ((plain_occupancy(SEVEN, days, heavy) - plain_occupancy(SEVEN, days, light)) / 2e-5) ** 2
    found = occupancy(SEVEN, times=days).pivot_table("std_error", "time", "state")
    np.testing.assert_allclose(found[["line 1", "line 2", "death"]], np.sqrt(squares), atol=1e-9)


# --- against R ------------------------------------------------------------------------------------------------------


def cases(name):
    table = reference(name)[["dataset", "landmark", "start"]].drop_duplicates()
    return [(row.dataset, row.landmark, None if pd.isna(row.start) else row.start) for row in table.itertuples()]


@pytest.mark.parametrize(("dataset", "landmark", "start"), cases("occupancy"))
def test_occupancy_is_that_of_multi_state_survfit(dataset, landmark, start):
    table = reference("occupancy").query("dataset == @dataset & landmark == @landmark")
    table = table[table["start"].isna() if start is None else table["start"] == start]
    found = occupancy(journeys(dataset), "group", start=start, landmark_days=landmark, zero_day="zero")
    both = table.merge(schema.check(found, schema.OCCUPANCY), on=KEY, how="inner", suffixes=("_r", ""))
    assert len(both) == len(table)
    for name in ("estimate", "std_error", "at_risk"):
        np.testing.assert_allclose(both[name], both[f"{name}_r"], rtol=0, atol=1e-12, err_msg=name)
    inside = both[(both["estimate_r"] > 1e-9) & (both["estimate_r"] < 1 - 1e-9)]
    for name in ("conf_low", "conf_high"):
        np.testing.assert_allclose(inside[name], inside[f"{name}_r"], rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(("dataset", "landmark", "start"), cases("witness"))
def test_occupancy_from_a_state_is_the_row_of_the_matrix_of_etm(dataset, landmark, start):
    table = reference("witness").query("dataset == @dataset & landmark == @landmark & start == @start")
    found = occupancy(journeys(dataset), start=start, landmark_days=landmark, zero_day="zero")
    both = table.merge(found, on=["state", "time"], suffixes=("_r", ""))
    assert len(both) == len(table)
    np.testing.assert_allclose(both["estimate"], both["estimate_r"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("dataset", reference("expected")["dataset"].unique())
def test_expected_times_are_the_areas_of_multi_state_survfit(dataset):
    table = reference("expected").query("dataset == @dataset")
    found = expected_time(journeys(dataset), table["horizon"].iloc[0], "group", zero_day="zero")
    both = table.merge(found, on=["stratum", "state"], suffixes=("_r", ""))
    assert len(both) == len(table)
    np.testing.assert_allclose(both["estimate"], both["estimate_r"], rtol=1e-12, atol=1e-13)
    differ = both["std_error_r"] > 1e-12
    np.testing.assert_allclose(both["std_error"][differ], both["std_error_r"][differ], rtol=1e-12)
    assert both["std_error"][~differ].isna().all()


# --- what must hold -------------------------------------------------------------------------------------------------

STAYS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["next_line", "death", "censored"])), min_size=1, max_size=4
)
PATIENTS = st.lists(st.tuples(st.integers(0, 4), STAYS), min_size=2, max_size=14)


def spells_from(patients, delayed=True):
    """Spells of patients with given stays; the first entry is cut to fit, the last stay never goes on."""
    rows = []
    for number, (entry, stays) in enumerate(patients):
        day = 10 * number
        for line, (time, event) in enumerate(stays, start=1):
            last = line == len(stays) or event != "next_line"
            late = min(entry, max(time - 1, 0)) if line == 1 and delayed else 0
            rows.append((f"p{number}", line, day, late, time, "censored" if last and event == "next_line" else event))
            day += time
            if last:
                break
    return spells_of(*rows)


@LAW
@given(patients=PATIENTS, horizon=st.integers(1, 12))
def test_shares_add_up_to_one_and_times_to_the_horizon(patients, horizon):
    spells = spells_from(patients)
    total = occupancy(spells).groupby("time")["estimate"].sum(min_count=1).dropna()
    np.testing.assert_allclose(total, 1, rtol=1e-12)
    times = expected_time(spells, horizon)["estimate"]
    assert times.isna().all() or times.sum() == pytest.approx(horizon, rel=1e-12)


@LAW
@given(patients=PATIENTS, seed=st.integers(0, 99))
def test_neither_order_nor_unit_nor_a_doubled_cohort_changes_the_shares(patients, seed):
    spells, columns = spells_from(patients), ["estimate", "std_error"]
    found = occupancy(spells)
    shuffled = occupancy(spells.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(shuffled[columns], found[columns], atol=1e-12)
    quarters = spells.assign(**{name: spells[name] / 4 for name in ("start_day", "entry", "time")})
    pd.testing.assert_frame_equal(occupancy(quarters)[columns], found[columns], atol=1e-12)
    double = occupancy(pd.concat([spells, spells.assign(patient_id=spells["patient_id"] + "x")]))
    np.testing.assert_allclose(double["estimate"], found["estimate"], atol=1e-12)
    np.testing.assert_allclose(double["std_error"] * 2**0.5, found["std_error"], atol=1e-12)


@LAW
@given(patients=PATIENTS)
def test_with_one_line_occupancy_is_kaplan_meier(patients):
    spells = spells_from([(entry, stays[-1:]) for entry, stays in patients])
    found, curve = occupancy(spells), kaplan_meier(spells)
    both = curve.merge(found[found["state"] == "line 1"], on="time", suffixes=("_km", ""))
    np.testing.assert_allclose(both["estimate"], both["estimate_km"], atol=1e-12)
    incidence = aalen_johansen(spells)
    both = incidence.merge(found[found["state"] == "death"], on="time", suffixes=("_aj", ""))
    np.testing.assert_allclose(
        both["std_error"], both["std_error_aj"], atol=2e-8
    )  # its sums miss an exact 0 by so much


def test_the_errors_of_long_follow_up_do_not_depend_on_where_stretches_end(monkeypatch):
    spells, found = journeys("lines"), {}
    for share in (0.02, 0.1, 0.9999):
        monkeypatch.setattr("analysis.estimate.pathways.errors._SMALLEST_SHARE", share)
        found[share] = occupancy(spells)["std_error"]
    np.testing.assert_allclose(found[0.1], found[0.9999], atol=1e-14)
    np.testing.assert_allclose(found[0.02], found[0.9999], atol=1e-13)


def test_time_in_the_first_line_is_the_restricted_mean_of_leaving_it():
    spells = journeys("lines")
    found = expected_time(spells, 50).set_index("state").loc["line 1"]
    mean = restricted_mean(spells[spells["line"] == 1], 50).iloc[0]
    assert found[["estimate", "std_error"]].tolist() == pytest.approx(
        mean[["estimate", "std_error"]].tolist(), rel=1e-12
    )


# --- clocks, states and missing numbers -----------------------------------------------------------------------------


def test_the_clock_starts_with_the_lowest_line_or_on_the_day_given():
    later = occupancy(SEVEN[SEVEN["line"] == 2])
    assert later["state"].unique().tolist() == ["line 2", "death"]
    assert later["time"].unique().tolist() == [0, 1, 2]
    # The same patients, their clock begun two days before their first line: they come under observation two days later.
    start = SEVEN.groupby("patient_id")["start_day"].transform("min") - 2
    shifted = occupancy(SEVEN.assign(zero=start), zero_day="zero", start="line 1", times=[4, 5, 6, 7])
    plain = occupancy(SEVEN, times=[2, 3, 4, 5])
    np.testing.assert_allclose(shifted["estimate"], plain["estimate"])


def test_days_that_are_fractions_join_up():
    # 0.1 + 0.2 is not 0.3 to the last bit: the end of a line and the start of the next are the same time all the same.
    spells = spells_of(("a", 1, 0.1, 0, 0.2, "next_line"), ("a", 2, 0.3, 0, 0.2, "death"), ("b", 1, 0, 0, 1, "death"))
    assert occupancy(spells)["time"].nunique() == 4
    assert occupancy(spells)["note"].eq("").all()


def test_later_lines_join_and_a_move_between_them_is_none():
    spells = journeys("lines")
    found = occupancy(spells, times=[30, 60]).set_index(["state", "time"])["estimate"]
    joined = occupancy(spells, times=[30, 60], last_line=2).set_index(["state", "time"])["estimate"]
    assert joined.index.levels[0].tolist() == ["death", "line 1", "line 2 or later"]
    np.testing.assert_allclose(joined["line 1"], found["line 1"], rtol=1e-12)
    assert (joined["line 2 or later"] - found[["line 2", "line 3", "line 4"]].groupby("time").sum()).abs().max() < 0.05


def test_a_stay_of_no_length_is_passed_through():
    direct = spells_of(("a", 1, 0, 0, 4, "death"), ("b", 1, 0, 0, 6, "censored"), ("c", 1, 0, 0, 0, "death"))
    through = spells_of(
        ("a", 1, 0, 0, 4, "next_line"),
        ("a", 2, 4, 0, 0, "death"),
        ("b", 1, 0, 0, 6, "censored"),
        ("c", 1, 0, 0, 0, "death"),
    )
    found = occupancy(through)
    expected = occupancy(direct).set_index(["state", "time"])["estimate"]
    assert expected[("line 1", 0)] == pytest.approx(2 / 3)  # c dies at time 0, among all three
    got = found[found["state"] != "line 2"].set_index(["state", "time"])["estimate"]
    pd.testing.assert_series_equal(got, expected)
    assert (found[found["state"] == "line 2"]["estimate"] == 0).all()


def test_no_further_treatment_is_a_state_of_its_own():
    spells = spells_of(("a", 1, 0, 0, 8, "death"), ("b", 1, 0, 0, 6, "censored"), ("c", 1, 0, 0, 9, "censored"))
    found = occupancy(spells.assign(off=[3, np.nan, 5]), lost="off").set_index(["state", "time"])["estimate"]
    assert found["line 1"].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3])
    assert found["no further treatment"].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1 / 3, 1 / 3])
    before_entry = occupancy(spells.assign(entry=[0, 0, 4], off=[np.nan, np.nan, 3]), lost="off")
    assert before_entry.query("state == 'no further treatment'")["at_risk"].tolist() == [0, 0, 1, 1, 1]
    last_day = occupancy(spells.assign(off=[8, 6, np.nan]), lost="off").set_index(["state", "time"])["estimate"]
    assert last_day[("no further treatment", 6)] == pytest.approx(1 / 3)
    assert last_day[("death", 8)] == pytest.approx(1 / 3)  # who died that day has died


def test_what_cannot_be_known_is_missing_or_said():
    late = occupancy(SEVEN, times=[6, 7])
    assert late[late["time"] == 7]["estimate"].isna().all()
    assert late[late["time"] == 7]["note"].unique().tolist() == ["past the last time under observation (6)"]
    assert expected_time(SEVEN, 7)["note"].unique().tolist() == ["past the last time under observation (6)"]
    on_day_five = occupancy(SEVEN, times=[5])["note"].unique().tolist()
    assert on_day_five == ["nobody is watched in line 1"]
    dead = spells_of(("a", 1, 0, 0, 2, "death"), ("b", 1, 0, 0, 3, "death"))
    assert occupancy(dead, times=[9])["estimate"].tolist() == [0, 1]
    assert expected_time(dead, 9)["estimate"].tolist() == pytest.approx([2.5, 6.5])
    gap = occupancy(spells_of(("a", 1, 0, 0, 2, "death"), ("b", 1, 0, 4, 9, "censored")))
    assert gap[gap["time"] >= 2]["estimate"].isna().all()
    assert gap["note"].iloc[-1] == "nobody was left at risk before others entered (2)"
    partly = occupancy(
        spells_of(
            ("a", 1, 0, 0, 2, "next_line"), ("a", 2, 2, 0, 9, "censored"), ("b", 1, 0, 4, 9, "censored")
        )
    )  # fmt: skip
    assert partly["note"].iloc[-1].startswith("all in line 1 had left it before others entered observation there (2)")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"event": "relapse"}, "came 'relapse' .* first in row 0, patient 'c', line 1"),
        ({"time": -1}, "column 'time': expected a finite number"),
        ({"event": 3}, "column 'event'"),
        ({"start_day": np.nan}, "column 'start_day': expected a value in every row"),
        ({"start_day": 5}, "expected the next line to start on the day this one ended"),
        ({"line": 2}, "expected every patient to have line 1|last spell after|spell of the next line"),
    ],
)
def test_spells_that_do_not_join_up_are_refused(change, said):
    changed = SEVEN.copy()
    for name, value in change.items():
        rows = [0] if name != "start_day" or pd.isna(value) else [1]
        changed[name] = changed[name].astype(object if name == "event" else float)
        changed.loc[rows, name] = value
    with pytest.raises(schema.SchemaError, match=said):
        occupancy(changed)


def test_every_other_fault_of_the_input_is_named():
    for spells, settings_, said in [
        (SEVEN.drop(columns="start_day"), {}, "column 'start_day' is missing"),
        (SEVEN.assign(start_day="day 1"), {}, "column 'start_day': expected numbers"),
        (SEVEN.assign(patient_id=None), {}, "column 'patient_id': expected a value in every row"),
        (SEVEN[SEVEN["line"] == 1], {}, "expected the spell of the next line after 'next_line', came none"),
        (SEVEN.drop(index=4), {}, "expected every patient to have line 1, .* first in row 1, patient 'a', line 2"),
        (SEVEN.replace({"event": {"next_line": "censored"}}), {}, "last spell after 'death' or 'censored'"),
        (
            SEVEN.assign(entry=[0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0]),
            {},
            "column 'entry': expected 0 after a patient's first",
        ),
        (SEVEN.assign(arm=list("xxxxyxxxxx")), {"by": "arm"}, "column 'arm': expected one value per patient"),
        (SEVEN, {"by": "line"}, "column 'line': expected one value per patient"),
        (SEVEN.assign(zero=99), {"zero_day": "zero"}, "expected no line to start before time zero"),
        (SEVEN.assign(off=99), {"lost": "off"}, "column 'off': expected a time from 0 to 'time'"),
        (SEVEN.assign(off=1), {"lost": "off"}, "expected none where another line follows"),
        (SEVEN, {"start": "line 7"}, "start: expected one of the states"),
        (SEVEN, {"landmark_days": -1}, "landmark_days"),
        (SEVEN, {"landmark_days": 50}, "came nobody"),
        (SEVEN, {"times": [-1]}, "times"),
        (SEVEN, {"times": [1], "landmark_days": 2}, "none before the landmark"),
        (SEVEN, {"last_line": 0}, "last_line"),
        (SEVEN, {"conf_type": "arcsin"}, "conf_type"),
    ]:
        with pytest.raises(ValueError, match=said):
            occupancy(spells, **settings_)
    with pytest.raises(ValueError, match="horizon_days"):
        expected_time(SEVEN, 2, landmark_days=2)
    before = SEVEN.copy()
    occupancy(SEVEN.assign(off=np.nan), lost="off")
    pd.testing.assert_frame_equal(SEVEN, before)
    assert occupancy(SEVEN.head(0)).columns.tolist() == schema.OCCUPANCY.names


def shares_held(cohorts=1000):
    """Of cohorts of 200, quick patients quick on every line: not Markov, and it need not be. The share, by state, whose
    limits hold the truth: of occupancy at 60 days, and of the expected time to 90."""
    truth = lines_of(200_000, 99)
    share = occupancy(truth, times=[60]).set_index("state")["estimate"]
    days = expected_time(truth, 90).set_index("state")["estimate"]
    held = pd.DataFrame(0.0, index=share.index, columns=["occupancy at 60 days", "expected time to 90 days"])
    for seed in range(cohorts):
        spells = lines_of(200, seed)
        tables = occupancy(spells, times=[60]), expected_time(spells, 90)
        for name, truth, table in zip(held, (share, days), tables, strict=True):
            found = table.set_index("state")
            held[name] += ((found["conf_low"] <= truth) & (truth <= found["conf_high"])) / cohorts
    return held


@pytest.mark.slow
def test_limits_cover_the_truth_of_simulated_lines():
    held = shares_held()
    assert ((held >= 0.93) & (held <= 0.97)).all(axis=None), held


def lines_of(patients, seed):
    """Three lines with a frailty of the patient, death competing, censoring after 30 to 300 days."""
    rng = np.random.default_rng(seed)
    frailty, until = rng.lognormal(0, 0.5, patients), rng.integers(30, 300, patients)
    here, start, parts = np.arange(patients), np.zeros(patients), []
    for line in (1, 2, 3):
        onward = np.ceil(rng.exponential(60 / frailty[here])) if line < 3 else np.full(len(here), np.inf)
        time = np.column_stack([until[here] - start, onward, np.ceil(rng.exponential(150 / line, len(here)))])
        event = np.array(["censored", "next_line", "death"])[time.argmin(axis=1)]
        parts.append(pd.DataFrame({"patient_id": here, "line": line, "start_day": start, "entry": 0, "event": event}))
        parts[-1]["time"] = time.min(axis=1)
        goes_on = event == "next_line"
        here, start = here[goes_on], (start + time.min(axis=1))[goes_on]
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":  # the figures of docs/methods.md
    print(shares_held().round(4))  # noqa: T201
