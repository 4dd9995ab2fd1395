"""Gap times of later lines: by hand, against derivatives, what they equal where nothing has to be corrected, faults."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis import schema
from analysis.estimate.curves import aalen_johansen, kaplan_meier
from analysis.estimate.recurrence import gap_time_distribution

NUMBERS = ["estimate", "conf_low", "conf_high", "std_error"]
CORRECTED, PLAIN = "gap time, corrected", "gap time, plain"


def cohort(patients: int, seed: int, censored: bool = True, delayed: bool = False, unit: int = 30):
    """Spells and survival of patients whose own pace makes short gaps follow short ones; whole units, many ties."""
    rng = np.random.default_rng(seed)
    pace = rng.gamma(1, 1, patients) + 0.2
    death = np.ceil(rng.exponential(3000 / pace) / unit)
    lost = np.ceil(rng.uniform(300, 2500, patients) / unit) if censored else np.full(patients, 1e6)
    left = np.minimum(death, lost)
    entered = np.where(rng.random(patients) < delayed / 3, np.floor(rng.uniform(0, 600, patients) / unit), 0)
    entered = np.where(entered < left, entered, 0)
    began, parts = np.zeros(patients), []
    for line in (1, 2, 3):
        stop = began + np.ceil(rng.exponential(700 / line / pace) / unit)
        here = np.flatnonzero((began <= left) & (began < 1e6))
        word = np.where(stop <= left, "relapse", np.where(death <= lost, "death", "censored"))[here]
        days = {"start_day": began, "entry": np.maximum(entered - began, 0), "time": np.minimum(stop, left) - began}
        days = {name: values[here] for name, values in days.items()}
        parts.append(pd.DataFrame({"patient_id": here, "line": line, **days, "event": word}))
        began = np.where(stop <= left, stop + np.floor(rng.uniform(0, 90, patients) / unit), 1e6)
    spells = pd.concat(parts, ignore_index=True)
    spells = spells[(spells["entry"] == 0) | (spells["entry"] < spells["time"])].reset_index(drop=True)
    survival = pd.DataFrame({"patient_id": np.arange(patients), "line": 1, "start_day": 0.0, "entry": entered})
    word = np.where(death <= lost, "death", "censored")
    survival = survival.assign(time=left, event=word, group=np.where(np.arange(patients) % 3, "first", "second"))
    return spells, survival


def test_by_hand():
    """Six patients, line 2 started by day 4 by four of them; one lost before it, one who died."""
    rows = [
        ("d", 2, 4, 2, "death"),
        ("a", 1, 0, 2, "relapse"),
        ("a", 2, 2, 2, "relapse"),
        ("b", 1, 0, 3, "relapse"),
        ("c", 1, 10, 3, "censored"),
        ("b", 2, 3, 3, "censored"),
        ("d", 1, 0, 4, "relapse"),
        ("e", 1, 0, 3, "relapse"),
        ("e", 2, 3, 4, "relapse"),
        ("f", 1, 5, 8, "censored"),
    ]
    spells = pd.DataFrame(rows, columns=["patient_id", "line", "start_day", "time", "event"]).assign(entry=0)
    survival = pd.DataFrame({
        "patient_id": [*"abcdef"], "line": 1, "entry": 0, "start_day": [0, 0, 10, 0, 0, 5],
        "time": [7, 6, 3, 6, 9, 8], "event": ["death", "censored", "censored", "death", "censored", "censored"],
    })  # fmt: skip
    table = schema.check(gap_time_distribution(spells, 2, None, survival, started_within_days=4), schema.CURVES)
    found = table.query("event == 'relapse'").set_index(["estimand", "time"])["estimate"]
    # Censored on days 3 (c, of 6), 6 (b, after the death of d), so 1 / G is 1 until 3, 6 / 5 on 4 to 6,
    # 6 / 5 * 4 / 3 after 6. Gap 2: relapse of a (clock 4), death of d (clock 6), b on clock 5, e on clock 5: all 6 / 5.
    assert found[CORRECTED, 2] == pytest.approx(1 / 4)
    # Gap 4: only e is left, on clock 7; S before it is 1 - 2 / 4, and whoever is alone weighs all there is.
    assert found[CORRECTED, 4] == pytest.approx(1 / 4 + 1 / 2)
    assert found[PLAIN, 2] == 1 / 4
    # With d on the line for one day more, d and e are there together: clock 7 each on gap 3 and gap 4.
    later = spells.assign(time=spells["time"].where(~spells["patient_id"].isin(["d"]) | (spells["line"] == 1), 3))
    table = gap_time_distribution(later, 2, None, survival.assign(time=[7, 6, 3, 7, 9, 8]), started_within_days=4)
    found = table.query("event == 'relapse'").set_index(["estimand", "time"])["estimate"]
    death = table.query("event == 'death'").set_index(["estimand", "time"])["estimate"]
    # Gap 3, three at risk: b and e on clock 6, d dies on clock 7, after b was lost on day 6 of 5 under observation.
    weight = {"b": 1, "e": 1, "d": 5 / 4}
    hazard = weight["d"] / sum(weight.values())
    assert death[CORRECTED, 3] == pytest.approx(3 / 4 * hazard)
    assert found[CORRECTED, 4] == pytest.approx(1 / 4 + 3 / 4 * (1 - hazard))
    assert death[PLAIN, 3] == pytest.approx(3 / 4 / 3)


@pytest.mark.parametrize("delayed", [False, True])
def test_the_first_line_needs_no_correction(delayed):
    spells, survival = cohort(150, 1, delayed=delayed)
    table = gap_time_distribution(spells, 1, "group", survival)
    corrected, plain = (table[table["estimand"] == kind].reset_index(drop=True) for kind in (CORRECTED, PLAIN))
    np.testing.assert_allclose(corrected[["time", "at_risk", "events"]], plain[["time", "at_risk", "events"]])
    np.testing.assert_allclose(corrected["estimate"], plain["estimate"], rtol=1e-12, atol=1e-12)
    # the error of the plain curve is the infinitesimal jackknife too, and no weight has any say in it
    np.testing.assert_allclose(corrected[NUMBERS], plain[NUMBERS], rtol=1e-7, atol=1e-9)
    first = spells[spells["line"] == 1].merge(survival[["patient_id", "group"]])
    alone = aalen_johansen(first, "group").sort_values(["stratum", "event", "time"])
    assert plain.sort_values(["stratum", "event", "time"])["estimate"].tolist() == alone["estimate"].tolist()
    assert (table["started_within_days"] == 0).all()


def test_without_censoring_both_are_shares():
    spells, survival = cohort(200, 2, censored=False)
    second = spells[(spells["line"] == 2) & (spells["start_day"] <= 40)]
    for known in (survival, None):
        table = gap_time_distribution(spells, 2, None, known, started_within_days=40)
        for estimand in (CORRECTED, PLAIN):
            for word in ("relapse", "death"):
                curve = table[(table["estimand"] == estimand) & (table["event"] == word)]
                share = [((second["time"] <= day) & (second["event"] == word)).mean() for day in curve["time"]]
                np.testing.assert_allclose(curve["estimate"], share, atol=1e-12)
                error = np.sqrt(np.array(share) * (1 - np.array(share)) / len(second))
                inside = curve["estimate"].between(0.01, 0.99).to_numpy()
                np.testing.assert_allclose(curve["std_error"].to_numpy()[inside], error[inside], rtol=1e-9)


def weighted_by_loops(spells, survival, line, within, until, times):
    """The definition, one patient after another: F of relapse at `until`, patient i counted times[i] times."""
    entered, left = survival["entry"].to_numpy(), survival["time"].to_numpy()
    died = (survival["event"] == "death").to_numpy()

    def weight(x):
        alive = 1.0
        for day in np.unique(left[died & (left < x)]):
            at_risk = times[((entered < day) | (entered == 0)) & (day <= left)].sum()
            alive *= 1 - times[died & (left == day)].sum() / at_risk
        return alive / times[((entered < x) | (entered == 0)) & (x <= left)].sum()

    rows = spells[(spells["line"] == line) & (spells["start_day"] <= within)]
    number = times[rows["patient_id"].to_numpy()]
    share, survived = 0.0, 1.0
    for day in np.unique(rows.loc[rows["event"].isin(["relapse", "death"]) & (rows["time"] <= until), "time"]):
        at_risk = (((rows["entry"] < day) | (rows["entry"] == 0)) & (day <= rows["time"])).to_numpy()
        stand_for = number * at_risk * np.array([weight(x) for x in rows["start_day"] + np.minimum(day, rows["time"])])
        ended = (rows["time"] == day).to_numpy() & at_risk
        share += survived * stand_for[ended & (rows["event"] == "relapse").to_numpy()].sum() / stand_for.sum()
        survived *= 1 - stand_for[ended & rows["event"].isin(["relapse", "death"]).to_numpy()].sum() / stand_for.sum()
    return share


@pytest.mark.parametrize("delayed", [False, True])
def test_estimate_and_error_are_the_definition_and_its_derivative(delayed):
    spells, survival = cohort(40, 5 + delayed, delayed=delayed, unit=90)
    table = gap_time_distribution(spells, 2, None, survival, started_within_days=12)
    curve = table[(table["estimand"] == CORRECTED) & (table["event"] == "relapse")].set_index("time")
    moved = np.abs(
        curve["estimate"] - table[table["estimand"] == PLAIN].set_index("time")["estimate"].iloc[: len(curve)]
    )
    assert moved.max() > 0.005
    for until in curve.index[[3, len(curve) // 2, -2]]:
        once = np.ones(len(survival))
        assert curve.loc[until, "estimate"] == pytest.approx(
            weighted_by_loops(spells, survival, 2, 12, until, once), abs=1e-13
        )
        influence = []
        for place in range(len(survival)):
            step = 1e-5 * (np.arange(len(survival)) == place)
            up, down = (weighted_by_loops(spells, survival, 2, 12, until, once + s) for s in (step, -step))
            influence.append((up - down) / 2e-5)
        assert curve.loc[until, "std_error"] == pytest.approx(np.sqrt(np.sum(np.square(influence))), rel=1e-6)


def test_the_shares_of_lin_sun_and_ying_say_the_same():
    """Their estimator weights those who relapsed, not the hazards: other noise, the same limit."""
    spells, survival = cohort(6000, 9, unit=1)
    reverse = kaplan_meier(survival, event="censored")  # of the censoring

    def weight(x):
        return 1 / reverse["estimate"].to_numpy()[np.searchsorted(reverse["time"], x) - 1]

    second = spells[(spells["line"] == 2) & (spells["start_day"] <= 1200)]
    end = (second["start_day"] + second["time"]).to_numpy()
    relapsed = ((second["event"] == "relapse") & (second["time"] <= 365)).to_numpy()
    started = weight(second["start_day"].to_numpy()).sum()
    shares = weight(end[relapsed]).sum() / started
    table = gap_time_distribution(spells, 2, None, survival, started_within_days=1200)
    row = table[(table["event"] == "relapse") & (table["time"] <= 365)].groupby("estimand").last()
    assert row.loc[CORRECTED, "estimate"] == pytest.approx(shares, abs=0.004)
    assert abs(row.loc[PLAIN, "estimate"] - shares) > 0.005


@settings(max_examples=20, deadline=None)
@example(1_714_562_667, False)  # one patient at risk at the end, whose event makes all there is
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_laws(seed, delayed):
    spells, survival = cohort(40, seed, delayed=delayed, unit=60)
    table = gap_time_distribution(spells, 2, None, survival, started_within_days=15)
    corrected = table[table["estimand"] == CORRECTED]
    shares = corrected.pivot_table(index="time", columns="event", values="estimate", dropna=False)
    assert (shares.sum(axis=1) <= 1 + 1e-12).all()
    assert all((after >= before - 1e-12).all() for before, after in pairwise(shares.dropna().to_numpy()))
    again = gap_time_distribution(
        spells.sample(frac=1, random_state=1), 2, None, survival.sample(frac=1, random_state=2), started_within_days=15
    )
    np.testing.assert_allclose(table[NUMBERS], again[NUMBERS], rtol=1e-8, atol=1e-7)
    scaled = [
        frame.assign(**{n: frame[n] * 30.4375 for n in ("start_day", "entry", "time")}) for frame in (spells, survival)
    ]
    days = gap_time_distribution(scaled[0], 2, None, scaled[1], started_within_days=15 * 30.4375)
    np.testing.assert_allclose(table[NUMBERS], days[NUMBERS], rtol=1e-8, atol=1e-7)
    twice = [pd.concat([frame, frame.assign(patient_id=frame["patient_id"] + 1000)]) for frame in (spells, survival)]
    double = gap_time_distribution(twice[0], 2, None, twice[1], started_within_days=15)
    np.testing.assert_allclose(double["estimate"], table["estimate"], rtol=1e-9, atol=1e-12)
    inside = (corrected["estimate"] < 1).to_numpy() & (corrected["at_risk"] > 2).to_numpy()
    np.testing.assert_allclose(
        double[double["estimand"] == CORRECTED]["std_error"][inside],
        corrected["std_error"][inside] / np.sqrt(2),
        rtol=1e-8,
        atol=1e-7,
    )


def test_the_curve_ends_where_the_last_to_start_could_be_watched_no_longer():
    spells, survival = cohort(100, 3)
    longest = survival["time"].max()
    table = gap_time_distribution(spells, 2, None, survival, started_within_days=50)
    assert table["time"].max() <= longest - 50
    half = gap_time_distribution(spells, 2, None, survival)
    assert (half["started_within_days"] == longest / 2).all()
    assert half["time"].max() <= longest / 2
    pd.testing.assert_frame_equal(half, gap_time_distribution(spells, 2, None, survival, longest / 2))


def test_follow_up_too_short_for_the_days_asked_says_so():
    spells, survival = cohort(60, 4)
    table = gap_time_distribution(spells, 2, None, survival, started_within_days=survival["time"].max() + 1)
    assert (table["time"] == 0).all()
    assert table["note"].str.startswith("nobody left the line within the longest follow-up less").all()


def test_a_stratum_that_never_starts_the_line_says_so():
    spells, survival = cohort(60, 4)
    nobody = survival["patient_id"].isin(survival["patient_id"].unique()[:20])
    survival["group"] = np.where(nobody, "none", "some")
    spells = spells[~(spells["patient_id"].isin(survival.loc[nobody, "patient_id"]) & (spells["line"] > 1))]
    table = schema.check(gap_time_distribution(spells, 2, "group", survival), schema.CURVES)
    row = table[table["stratum"] == "none"]
    assert row[["time", "at_risk", "event"]].values.tolist() == [[0, 0, "any"]] * 2
    assert row["estimate"].isna().all()
    assert (row["note"] == "nobody was seen to start line 2 within these days").all()
    assert table.loc[table["stratum"] == "some", "note"].eq("").all()
    schema.check(gap_time_distribution(spells.iloc[:0], 2), schema.CURVES)


def test_a_course_that_ends_at_a_relapse_is_complete_and_counted_in_the_note():
    spells, _ = cohort(80, 6)
    table = gap_time_distribution(spells, 2)
    ends = spells.sort_values("line").groupby("patient_id")["event"].last()
    number = int((ends == "relapse").sum())
    text = f"{number} course(s) end at a relapse or next line; if these were watched on, hand in `survival`"
    assert (table.loc[table["estimand"] == CORRECTED, "note"] == text).all()
    assert (table.loc[table["estimand"] == PLAIN, "note"] == "").all()


def test_where_all_have_died_before_others_entered_nothing_is_known_any_more():
    spells = pd.DataFrame({
        "patient_id": [1, 1, 2, 2], "line": [1, 2, 1, 2], "start_day": [0, 2, 0, 3], "entry": [0, 0, 0, 5],
        "time": [2, 2, 3, 7], "event": ["relapse", "death", "relapse", "relapse"],
    })  # fmt: skip
    spells = spells[spells["entry"] < spells["time"]].drop(index=2)
    survival = pd.DataFrame({
        "patient_id": [1, 2], "line": 1, "start_day": 0, "entry": [0, 8], "time": [4, 12],
        "event": ["death", "censored"],
    })  # fmt: skip
    table = gap_time_distribution(spells, 2, None, survival, started_within_days=3)
    late = table[(table["estimand"] == CORRECTED) & (table["time"] == 7)]
    assert late["estimate"].isna().all()
    assert (late["note"] == "nobody was left at risk before others entered").all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"line": 0}, "line: expected a whole number from 1, came 0"),
        ({"line": 1.5}, "line: expected a whole number"),
        ({"line": 2, "started_within_days": -1}, "started_within_days: .* came -1"),
        ({"line": 2, "started_within_days": np.nan}, "started_within_days: .* came nan"),
        ({"line": 2, "conf_level": 1}, "conf_level"),
        ({"line": 2, "conf_type": "logit"}, "conf_type"),
        ({"line": 2, "by": "line"}, "'line' differs within patients"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, said):
    spells, _ = cohort(20, 8)
    with pytest.raises(ValueError, match=said):
        gap_time_distribution(spells, **asked)


def test_faulty_spells_are_refused_by_column_and_row():
    spells, survival = cohort(20, 8)
    with pytest.raises(schema.SchemaError, match=r"column 'time': .* first in row 3 "):
        gap_time_distribution(spells.assign(time=spells["time"].where(spells.index != 3)), 2, None, survival)
    with pytest.raises(schema.SchemaError, match="'start_day' is missing"):
        gap_time_distribution(spells.drop(columns="start_day"), 2)
