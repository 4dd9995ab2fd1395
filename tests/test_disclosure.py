"""Small groups, small counts, curves cut where few are at risk."""

import numpy as np
import pandas as pd
import present_frames as frames
import pytest

from analysis import disclosure, schema


def spells():
    return pd.DataFrame(
        {
            "patient_id": list("abcdefa"),
            "line": [1, 1, 1, 1, 1, 1, 2],
            "del17p": [True, False, False, False, False, True, True],
            "entry": 0.0,
            "time": [5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 3.0],
            "event": ["relapse", "censored", "death", "relapse", "relapse", "relapse", "death"],
        }
    )


def test_groups_are_counted_in_patients_and_judged():
    groups = disclosure.enough(spells(), 6)
    assert groups.to_dict("list") == {
        "stratum": ["line 1", "line 2"],
        "subjects": [6.0, 1.0],
        "events": [5.0, 1.0],
        "enough": [True, False],
    }
    assert disclosure.enough(spells(), 7)["enough"].tolist() == [False, False]
    assert disclosure.keep_enough(frames.rates(), groups)["stratum"].tolist() == ["line 1"]


@pytest.mark.parametrize("by", ["line", "del17p", ["line", "del17p"]])
def test_labels_are_those_of_the_estimates(by):
    from analysis.estimate.curves import aalen_johansen

    assert set(disclosure.enough(spells(), 1, by)["stratum"]) == set(aalen_johansen(spells(), by)["stratum"])


def test_a_result_frame_counts_too_and_a_withheld_count_is_never_enough():
    rates = frames.rates()
    assert disclosure.enough(rates, 20)["enough"].tolist() == [True, True, True, False]
    assert not disclosure.enough(rates.assign(subjects=np.nan), 1)["enough"].any()
    assert disclosure.enough(rates.iloc[:0], 5).empty
    assert disclosure.enough(spells().iloc[:0], 5, ["line", "del17p"]).empty


def test_a_strange_frame_and_a_strange_minimum_are_refused():
    with pytest.raises(ValueError, match="patient_id"):
        disclosure.enough(pd.DataFrame({"a": [1]}), 5)
    with pytest.raises(ValueError, match="at least 1"):
        disclosure.enough(frames.rates(), 0)


def risk(counts):
    states = ["at risk", "relapse", "death", "censored"]
    return pd.DataFrame({"stratum": "all", "time": 0.0, "state": states, "count": np.array(counts, dtype=float)})


@pytest.mark.parametrize(
    ("counts", "withheld"),
    [
        ([80, 3, 12, 40], ["", "1–7", "withheld", ""]),  # one small: the next smallest goes with it
        ([80, 3, 7, 40], ["", "1–7", "1–7", ""]),  # two small ones hide each other
        ([80, 8, 0, 40], ["", "", "", ""]),  # eight and zero may stand
        ([80, 1, 0, 0], ["withheld", "1–7", "", ""]),  # a zero is no cover
        ([5, 0, 0, 0], ["1–7", "", "", ""]),
    ],
)
def test_small_counts_go_and_take_a_second_one_along(counts, withheld):
    shown = disclosure.withhold(risk(counts), ["count"], within=["stratum", "time"])
    assert shown["count_withheld"].tolist() == withheld
    assert shown["count"].isna().tolist() == [word != "" for word in withheld]
    schema.check(shown, schema.RISK)


def test_each_sum_has_its_own_partner_whatever_the_order_and_the_index():
    both = pd.concat([risk([80, 3, 12, 40]), risk([90, 20, 30, 40]).assign(time=5.0)])
    mixed = both.sample(frac=1, random_state=4)
    shown = disclosure.withhold(mixed, ["count"], within=["stratum", "time"])
    hidden = shown[shown["count"].isna()]
    assert sorted(hidden["state"]) == ["death", "relapse"]
    assert set(hidden["time"]) == {0.0}


def test_estimates_made_from_a_withheld_count_go_and_the_argument_stays():
    rates = frames.rates().assign(events=[2300.0, 7.0, 500.0, 0.0])
    before = rates.copy()
    shown = disclosure.withhold(rates, ["events"])
    assert shown["estimate"].isna().tolist() == [False, True, False, False]
    assert shown["person_years"].isna().tolist() == [False, True, False, False]
    pd.testing.assert_frame_equal(rates, before)
    schema.check(shown, schema.RATES)


def test_parts_of_a_row_that_add_up_hide_together_and_integers_stay_integers():
    flow = pd.DataFrame({"step": [1, 2], "rule": ["a", "b"], "removed": [0, 4], "remaining": [100, 96]})
    shown = disclosure.withhold(flow, ["removed", "remaining"], row_total=True)
    assert shown["removed_withheld"].tolist() == ["", "1–7"]
    assert shown["remaining_withheld"].tolist() == ["", "withheld"]
    schema.check(shown, schema.FLOW)


def test_withhold_tells_all_faults_at_once():
    with pytest.raises(ValueError, match=r"'no'.*'nor'.*threshold"):
        disclosure.withhold(risk([1, 2, 3, 4]), ["no"], threshold=0, within=["nor"])


def test_curves_end_where_few_are_at_risk():
    curves = frames.curves(lines=(1, 2))
    cut = disclosure.stop_curves(curves)
    assert cut["at_risk"].min() == 11
    assert set(cut["stratum"]) == {"line 1", "line 2"}
    schema.check(cut, schema.CURVES)


def test_the_few_at_the_start_of_delayed_entry_do_not_end_a_curve():
    at_risk = [3.0, 8.0, 20.0, 15.0, 10.0, 4.0]
    curves = pd.DataFrame({"stratum": "all", "time": np.arange(6.0), "at_risk": at_risk})
    assert disclosure.stop_curves(curves)["time"].tolist() == [0, 1, 2, 3]
    assert disclosure.stop_curves(curves, 30).empty
    with pytest.raises(ValueError, match="at_risk_minimum"):
        disclosure.stop_curves(curves, 0)


def test_a_synthetic_cohort_is_about_nobody_and_stays_as_it_is():
    frame = pd.DataFrame({"stratum": ["line 4"], "subjects": [3.0], "events": [1.0], "estimate": [7.1]})
    assert disclosure.shared(frame, schema.RATES, synthetic=True) is frame


def test_a_table_without_a_rule_is_not_shown():
    with pytest.raises(ValueError, match="no disclosure rule for table TRUTH"):
        disclosure.shared(pd.DataFrame(), schema.TRUTH, synthetic=False)


def test_few_at_risk_hide_themselves_and_few_events_hide_their_estimate():
    curves = pd.DataFrame(
        {"at_risk": [5.0, 60.0], "events": [38.0, 2.0], "censored": [30.0, 0.0], "estimate": [0.604, 0.02]}
    )
    shown = disclosure.shared(curves, schema.AT_TIMES, synthetic=False)
    assert shown["estimate"].round(3).tolist()[0] == 0.604 and pd.isna(shown["estimate"][1])
    assert pd.isna(shown["at_risk"][0]) and shown["at_risk"][1] == 60
    assert pd.isna(shown["events"][1])


def test_a_score_made_by_few_is_hidden_with_its_difference_and_its_partner():
    limits = dict.fromkeys(["conf_low", "conf_high", "difference_low", "difference_high"], 0.1)
    scores = pd.DataFrame({"variable": "sex", "level": ["female", "male", "unknown"], "model": "cox", "measure": "AUC"})
    scores = scores.assign(horizon_months=24.0, estimate=0.6, difference=0.1, lines=90.0, patients=50.0, **limits)
    scores["events"] = [30.0, 25.0, 3.0]
    shown = disclosure.shared(scores, schema.SUBGROUP_SCORES, synthetic=False)
    assert shown["events"].isna().tolist() == [False, True, True]
    assert shown[["estimate", "difference", "difference_low"]].isna().all(axis=1).tolist() == [False, True, True]
    assert disclosure.shared(scores, schema.PREDICTIONS, synthetic=False).empty


def test_a_line_that_few_started_does_not_say_how_few():
    rows = [("crude", outcome, count) for outcome, count in (("next_line", 1.0), ("death", 1.0), ("neither", 1.0))]
    attrition = pd.DataFrame(rows, columns=["reading", "outcome", "count"]).assign(
        line=7, time=np.nan, estimate=1 / 3, conf_low=0.0, conf_high=1.0, entered=3.0
    )
    shown = disclosure.shared(attrition, schema.ATTRITION, synthetic=False)
    assert shown[["entered", "count", "estimate"]].isna().all().all()


def test_a_rare_regimen_is_not_named():
    regimens = pd.DataFrame({"line": 3, "regimen": ["common", "rare"], "patients": [20.0, 7.0], "share": [0.2, 0.07]})
    assert disclosure.shared(regimens, schema.REGIMENS, synthetic=False)["regimen"].tolist() == ["common"]


def test_what_a_page_shows_follows_the_rule_of_its_table():
    risk_frame = risk([80, 3, 12, 40])
    assert disclosure.shared(risk_frame, schema.RISK, synthetic=True) is risk_frame
    assert disclosure.shared(risk_frame, schema.RISK, synthetic=False)["count"].isna().sum() == 2
    cut = disclosure.shared(frames.curves(), schema.CURVES, synthetic=False)
    assert cut["at_risk"].min() >= disclosure.AT_RISK_MINIMUM
    with pytest.raises(ValueError, match="no disclosure rule for table SPELLS"):
        disclosure.shared(spells(), schema.SPELLS, synthetic=False)


@pytest.mark.parametrize("name", sorted(disclosure.RULES))
def test_a_rule_names_columns_that_its_table_has_and_keeps_the_table_whole(name):
    table = getattr(schema, name)
    shown = disclosure.shared(schema.empty(table), table, synthetic=False)
    assert shown.empty
    schema.check(shown, table)


def test_the_table_under_a_curve_ends_where_the_curve_does():
    counts = {0: (100.0, 0.0, 0.0), 12: (60.0, 20.0, 20.0), 24: (7.0, 60.0, 33.0), 36: (0.0, 62.0, 38.0)}
    rows = [
        (t, s, n) for t, many in counts.items() for s, n in zip(("at risk", "death", "censored"), many, strict=True)
    ]
    risk = pd.DataFrame(rows, columns=["time", "state", "count"]).assign(stratum="line 2")
    shown = disclosure.shared(risk, schema.RISK, synthetic=False)
    assert sorted(shown["time"].unique()) == [0, 12]
    assert shown.groupby("time")["count"].sum().tolist() == [100, 100]


def test_groups_of_few_are_dropped_from_shapes_of_effects():
    form = pd.DataFrame(
        {"model": "m", "variable": "age_years", "group": [1, 2, 3], "value": [50.0, 60.0, 89.0], "estimate": 1.1}
        | {"expected": 9.0, "subjects": [40.0, 40.0, 3.0], "events": [12.0, 5.0, 2.0]}
    )
    shown = disclosure.shared(form, schema.FUNCTIONAL_FORM, synthetic=False)
    assert shown["value"].tolist() == [50.0, 60.0]
    assert shown["estimate"].isna().tolist() == [True, True]  # 12 would tell the 5, where the sum is known
    by_time = pd.DataFrame({"term": "x", "group": [1, 2], "time": [10.0, 900.0], "events": [30.0, 4.0]})
    assert disclosure.shared(by_time, schema.EFFECT_BY_TIME, synthetic=False)["time"].tolist() == [10.0]


def test_a_rare_pattern_of_gaps_is_withheld_with_a_partner():
    patterns = pd.DataFrame(
        {"pattern": ["complete", "iss", "iss + race"], "count": [760.0, 28.0, 5.0], "total": 793.0, "share": 0.1}
    )
    shown = disclosure.shared(patterns, schema.PATTERNS, synthetic=False)
    assert shown["count_withheld"].tolist() == ["", "withheld", "1–7"]
    assert shown["share"].isna().tolist() == [False, True, True]
