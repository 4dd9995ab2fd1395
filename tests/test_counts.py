"""The one pass: events and numbers at risk, counted by hand, by each of its ways, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import schema
from analysis.estimate import counts as counting
from analysis.estimate.counts import count

LAW = settings(max_examples=40, deadline=None, derandomize=True)

# Seven subjects in no order, with ties of events among themselves and with a censoring.
SEVEN = pd.DataFrame(
    {
        "entry": 0,
        "time": [5, 2, 4, 2, 7, 4, 5],
        "event": ["relapse", "death", "relapse", "relapse", "censored", "censored", "death"],
    }
)


def test_seven_subjects_by_hand():
    counts = count(SEVEN)
    assert counts.words == ("relapse", "death")
    assert counts.time.tolist() == [0, 2, 4, 5, 7]
    assert counts.at_risk.tolist() == [7, 7, 5, 3, 1]
    assert counts.events.tolist() == [[0, 1, 1, 1, 0], [0, 1, 0, 1, 0]]
    assert counts.censored.tolist() == [0, 0, 1, 0, 1]
    assert counts.strata[["stratum", "subjects", "last_time"]].values.tolist() == [["all", 7, 7]]


def test_at_risk_under_delayed_entry_is_entry_before_t_and_time_not_before_t():
    spells = SEVEN.assign(entry=[2, 0, 3, 0, 4, 0, 1])
    # at 2: those in from the start (rows 1, 3, 5) and the one in since 1; at 4: rows 0, 2, 5, 6; at 5: 0, 4, 6
    counts = count(spells)
    assert counts.at_risk.tolist() == [3, 4, 4, 3, 1]
    assert counts.not_entered(0, np.array([0, 1, 2, 3, 4, 5])).tolist() == [4, 4, 3, 2, 1, 0]
    assert count(spells.rename(columns={"entry": "came"}), entry="came").at_risk.tolist() == [3, 4, 4, 3, 1]


def test_a_plain_frame_without_entries_is_of_patients_watched_from_the_start():
    assert count(SEVEN.drop(columns="entry", errors="ignore")).at_risk.tolist() == [7, 7, 5, 3, 1]
    with pytest.raises(schema.SchemaError, match="column 'came' is missing"):
        count(SEVEN, entry="came")


def test_an_event_on_the_first_day_counts_for_those_observed_from_the_start():
    spells = pd.DataFrame({"entry": [0, 0, 1], "time": [0, 3, 3], "event": ["death", "censored", "death"]})
    counts = count(spells)
    assert counts.time.tolist() == [0, 3]
    assert counts.at_risk.tolist() == [2, 2]
    assert counts.events.tolist() == [[1, 1]]


spells_strategy = st.lists(
    st.tuples(
        st.integers(0, 15), st.integers(0, 10), st.sampled_from(schema.SPELLS["event"].words), st.sampled_from("abc")
    ),
    min_size=1,
    max_size=40,
).map(
    lambda rows: pd.DataFrame(
        {
            "entry": [entry if entry < time else 0 for time, entry, _, _ in rows],
            "time": [time for time, *_ in rows],
            "event": [event for _, _, event, _ in rows],
            "group": [group for *_, group in rows],
        }
    )
)


def assert_equal_counts(one, other, unit=1.0):
    np.testing.assert_allclose(one.time, other.time * unit)
    for name in ("at_risk", "events", "censored", "bounds"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.words == other.words


@LAW
@given(spells=spells_strategy)
def test_counts_equal_a_recount_row_by_row(spells):
    counts = count(spells, "group")
    for place, rows in enumerate(counts.slices()):
        mine = spells[spells["group"] == counts.strata["group"][place]]
        observed_from_start = mine["entry"] == 0
        for row in range(rows.start, rows.stop):
            time = counts.time[row]
            under_observation = (observed_from_start | (mine["entry"] < time)) & (mine["time"] >= time)
            assert counts.at_risk[row] == under_observation.sum()
            here = mine[mine["time"] == time]["event"]
            assert counts.censored[row] == (here == "censored").sum()
            assert counts.events[:, row].tolist() == [(here == word).sum() for word in counts.words]


@LAW
@given(spells=spells_strategy)
def test_every_way_of_counting_counts_the_same(spells):
    dense = count(spells, "group")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_DENSE_CELLS", -1000)
        assert_equal_counts(count(spells, "group"), dense)
        patch.setattr(counting, "_LONGEST_DAY", -1)
        assert_equal_counts(count(spells, "group"), dense)
    months = spells.assign(entry=spells["entry"] / 30.4375, time=spells["time"] / 30.4375)
    assert_equal_counts(count(months, "group"), dense, unit=1 / 30.4375)


@LAW
@given(spells=spells_strategy)
def test_types_of_columns_do_not_matter(spells):
    plain = count(spells, "group")
    for kind in ("category", "string"):
        assert_equal_counts(count(spells.astype({"event": kind, "group": kind}), "group"), plain)
    assert_equal_counts(count(spells.astype({"time": "Int64", "entry": "float32"}), "group"), plain)


def test_weights_count_rows_several_times_and_zero_leaves_them_out():
    weighted = SEVEN.assign(weight=[1, 2, 0, 3, 1, 1, 0])
    repeated = SEVEN.loc[SEVEN.index.repeat(weighted["weight"])]
    assert_equal_counts(count(weighted, weight="weight"), count(repeated))
    assert count(weighted.assign(weight=weighted["weight"] / 2), weight="weight").at_risk[0] == 4


def test_strata_are_labelled_in_order_and_keep_their_columns():
    spells = pd.DataFrame(
        {
            "line": [10, 2, 2, 1],
            "sex": ["male", "female", "male", "male"],
            "era": pd.Categorical(["new", "old", "old", "old"], ["old", "new", "unseen"]),
            "transplant": [True, False, True, False],
            "entry": 0,
            "time": 5,
            "event": "death",
        }
    )
    assert count(spells, "line").strata["stratum"].tolist() == ["line 1", "line 2", "line 10"]
    assert count(spells, "era").strata["stratum"].tolist() == ["old", "new"]
    assert count(spells, "transplant").strata["stratum"].tolist() == ["no transplant", "transplant"]
    both = count(spells, ["line", "sex"]).strata
    assert both["stratum"].tolist() == ["line 1 · male", "line 2 · female", "line 2 · male", "line 10 · male"]
    assert both["line"].tolist() == [1, 2, 2, 10]


def test_many_strata_are_counted_like_few():
    rng = np.random.default_rng(5)
    spells = pd.DataFrame({"who": rng.integers(0, 2_000, 5_000), "entry": 0, "time": rng.integers(1, 900, 5_000)})
    spells["event"] = rng.choice(["death", "censored"], len(spells))
    counts = count(spells, "who")
    assert counts.strata["subjects"].sum() == len(spells)
    assert counts.strata["who"].tolist() == sorted(spells["who"].unique())
    assert counts.strata["last_time"].tolist() == spells.groupby("who")["time"].max().tolist()


def test_no_spells_give_no_counts():
    assert len(count(SEVEN.iloc[:0]).time) == 0


def test_arguments_are_left_as_they_were():
    spells, before = SEVEN.copy(), SEVEN.copy()
    count(spells)
    pd.testing.assert_frame_equal(spells, before)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"time": [5, 2, np.nan, 2, 7, 4, 5]}, "column 'time'.*came nan first in row 2"),
        ({"time": [5, -2, 4, 2, 7, 4, -5]}, r"column 'time'.*came -2 first in row 1 \(2 row"),
        ({"time": [5, 2, 4, np.inf, 7, 4, 5]}, "column 'time'.*came inf first in row 3"),
        ({"time": list("5242745")}, "column 'time': expected numbers"),
        ({"time": [True] * 7}, "column 'time': expected numbers, came bool"),
        ({"entry": [0, 3, 0, 0, 0, 0, 0]}, "time after entry, came entry 3 and time 2 first in row 1"),
        ({"entry": [0, 0, 4, 0, 0, 0, 0]}, "time after entry, came entry 4 and time 4 first in row 2"),
        ({"event": [1, 2, 1, 1, 0, 0, 2]}, "column 'event': expected words.*came int64 codes"),
        ({"event": [True] * 7}, "column 'event': expected words.*came bool codes"),
        ({"event": ["relapse"] * 6 + ["relapsed"]}, "column 'event'.*came 'relapsed' first in row 6"),
        ({"event": ["relapse"] * 5 + [None] * 2}, r"column 'event'.*came None first in row 5 \(2 row"),
        ({"event": pd.Categorical([1, 2, 1, 1, 0, 0, 2])}, "column 'event'.*came 1 first in row 0"),
        ({"line": [1, 1, None, 1, 1, 1, 1]}, "column 'line'.*missing one first in row 2"),
    ],
)
def test_faulty_spells_are_refused_by_column_and_row(change, said):
    with pytest.raises(schema.SchemaError, match=said):
        count(SEVEN.assign(line=1).assign(**change), "line")


def test_a_stratum_cannot_be_named_like_a_column_of_the_results():
    with pytest.raises(schema.SchemaError, match="column 'estimate': results have a column of that name"):
        count(SEVEN.assign(estimate="high"), "estimate")


def test_all_faults_are_told_at_once():
    spells = SEVEN.assign(time=-1, entry=np.nan, event=7).rename(columns={"entry": "entyr"})
    with pytest.raises(schema.SchemaError) as error:
        count(spells, "stage", entry="entry")
    assert "4 fault(s)" in str(error.value)
    for part in ("'entry' is missing; did you mean 'entyr'", "'stage' is missing", "'time'", "'event'"):
        assert part in str(error.value)
