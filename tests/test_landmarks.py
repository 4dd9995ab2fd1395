"""What became known after the start of a line: at a landmark, and as it changes."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.derive import landmarks, regimens, response
from analysis.derive import spells as spells_of_lines
from analysis.estimate import hazards
from analysis.sources import synthetic
from analysis.sources.synthetic import parameters

KEY = ["patient_id", "line"]


def made_up():
    """Three patients; b starts line 2 on day 300 of the own clock, which is day 0 of that spell."""
    lines = pd.DataFrame({"patient_id": ["a", "b", "b", "c"], "line": [1, 1, 2, 1], "start_day": [0, 0, 300, 10]})
    spells = lines.assign(entry=0, time=[400, 300, 250, 100], event=["relapse", "next_line", "death", "censored"])
    rows = [
        ("a", 60, "best response", "PR"),
        ("a", 120, "best response", "CR"),
        ("a", 200, "MRD", "positive"),
        ("a", 380, "MRD", "negative"),
        ("b", 90, "best response", "MR"),
        ("b", 300, "MRD", "positive"),
        ("b", 400, "MRD", "Negative 1e-6"),
        ("b", 480, "best response", "VGPR"),
        ("c", 50, "MRD", "negative 10^-4"),
    ]
    findings = pd.DataFrame(rows, columns=["patient_id", "day", "finding", "value"])
    treatments = pd.DataFrame(
        {
            "patient_id": ["a", "a", "b"],
            "start_day": [150, 240, 300],
            "agent": ["autologous transplant", "lenalidomide", "autologous transplant"],
            "phase": ["transplant", "maintenance", "transplant"],
        }
    )
    return {"findings": findings, "treatments": treatments}, lines, spells


def test_a_landmark_keeps_those_at_risk_and_what_was_known_on_its_day():
    cohort, lines, spells = made_up()
    kept, flow = landmarks.at_landmark(cohort, lines, spells, 200)
    told = kept[[*KEY, "entry", "time", "event", "response", "mrd", "transplanted", "maintained"]].astype(object)
    assert told.values.tolist() == [
        ["a", 1, 0.0, 200.0, "relapse", "CR or better", "positive", True, False],
        ["b", 1, 0.0, 100.0, "next_line", "less than PR", "not tested", False, False],
        ["b", 2, 0.0, 50.0, "death", "VGPR", "negative", True, False],
    ]
    assert flow["removed"].tolist() == [0, 0, 0, 0, 1, 0]
    assert flow["rule"].tolist()[0] == "all lines of treatment with a spell"


def test_nothing_of_a_later_day_is_known_at_the_landmark():
    cohort, lines, spells = made_up()
    early, _ = landmarks.at_landmark(cohort, lines, spells, 119)
    assert early.loc[early["patient_id"] == "a", ["response", "mrd"]].astype(object).values.tolist() == [
        ["PR", "not tested"]
    ]
    late = {**cohort, "findings": cohort["findings"].query("day <= 119"), "treatments": cohort["treatments"].iloc[:0]}
    alike, _ = landmarks.at_landmark(late, lines, spells[spells["line"] == 1], 119)
    first = early[early["line"] == 1].reset_index(drop=True)
    assert alike.astype(object).equals(first.astype(object))


def test_an_event_on_the_day_of_the_landmark_comes_before_it():
    cohort, lines, spells = made_up()
    kept, flow = landmarks.at_landmark(cohort, lines, spells, 250)
    assert kept["line"].tolist() == [1, 1]
    assert flow["removed"].tolist() == [0, 0, 0, 1, 1, 0]


def test_who_comes_under_observation_after_the_landmark_is_counted_apart():
    cohort, lines, spells = made_up()
    kept, flow = landmarks.at_landmark(cohort, lines, spells.assign(entry=[210, 0, 0, 0]), 200)
    assert flow["removed"].tolist() == [0, 0, 0, 0, 1, 1]
    assert flow["remaining"].iloc[-1] == len(kept) == 2


def test_of_two_tests_of_one_day_the_positive_one_counts():
    cohort, lines, spells = made_up()
    twice = cohort["findings"].assign(day=cohort["findings"]["day"].replace(380, 200))
    for order in (twice, twice.iloc[::-1]):
        kept, _ = landmarks.at_landmark({"findings": order}, lines, spells, 200)
        rows = landmarks.time_varying({"findings": order}, lines, spells)
        assert kept["mrd"].iloc[0] == "positive"
        assert rows.loc[rows["patient_id"] == "a", "mrd"].astype(str).tolist()[-1] == "positive"


def test_a_negative_test_too_coarse_is_no_test():
    cohort, lines, spells = made_up()
    coarse = landmarks.time_varying(cohort, lines, spells).query("patient_id == 'c'")
    finer = landmarks.time_varying(cohort, lines, spells, mrd_sensitivity=1e-4).query("patient_id == 'c'")
    assert coarse["mrd"].astype(str).tolist() == ["not tested"]
    assert finer["mrd"].astype(str).tolist() == ["not tested", "negative"]


def test_a_spell_is_cut_on_the_day_something_becomes_known():
    cohort, lines, spells = made_up()
    rows = landmarks.time_varying(cohort, lines, spells)
    of_a = rows[rows["patient_id"] == "a"]
    assert of_a[["entry", "time"]].values.tolist() == [
        [0, 60], [60, 120], [120, 150], [150, 200], [200, 240], [240, 380], [380, 400],
    ]  # fmt: skip
    assert of_a["event"].tolist() == ["censored"] * 6 + ["relapse"]
    assert of_a["response"].astype(str).tolist() == ["unknown", "PR"] + ["CR or better"] * 5
    assert of_a["mrd"].astype(str).tolist() == ["not tested"] * 4 + ["positive"] * 2 + ["negative"]
    assert of_a["transplanted"].tolist() == [False] * 3 + [True] * 4
    assert of_a["maintained"].tolist() == [False] * 5 + [True] * 2
    # a transplant on the first day of line 2 is of line 2, a test on that day of line 1, where it came with the end
    of_b = rows[rows["patient_id"] == "b"]
    assert of_b["transplanted"].tolist() == [False, False, True, True, True]
    assert of_b["mrd"].astype(str).tolist() == ["not tested"] * 3 + ["negative"] * 2


def test_the_deepest_response_stays():
    cohort, lines, spells = made_up()
    back = pd.DataFrame({"patient_id": ["a"], "day": [300], "finding": ["best response"], "value": ["PR"]})
    rows = landmarks.time_varying({"findings": pd.concat([cohort["findings"], back])}, lines, spells)
    assert rows.loc[rows["patient_id"] == "a", "response"].astype(str).iloc[-1] == "CR or better"


def test_cutting_changes_neither_time_at_risk_nor_events_and_the_doors_take_the_rows():
    cohort = synthetic.simulate(patients=400, seed=4)
    lines = regimens.lines(cohort)
    spells = spells_of_lines.spells(cohort, lines)
    rng = np.random.default_rng(1)
    delayed = spells.assign(entry=np.where(rng.random(len(spells)) < 0.3, np.floor(spells["time"] * 0.6), 0))
    rows = landmarks.time_varying(cohort, lines, delayed.sample(frac=1, random_state=2))
    assert len(rows) > len(spells)
    at_risk = rows.assign(days=rows["time"] - rows["entry"]).groupby(KEY)["days"].sum()
    assert at_risk.equals(
        delayed.assign(days=(delayed["time"] - delayed["entry"]).astype(float)).groupby(KEY)["days"].sum()
    )
    last = rows.sort_values("entry").groupby(KEY)["event"].last()
    assert last.equals(delayed.set_index(KEY)["event"].sort_index())
    assert (rows.sort_values("entry").groupby(KEY)["event"].agg(lambda e: (e[:-1] == "censored").all())).all()
    uncut = hazards.cox(delayed, "age_years", "relapse", strata="line", entry="entry", cluster="patient_id")
    cut = hazards.cox(rows, "age_years", "relapse", strata="line", entry="entry", cluster="patient_id")
    assert np.allclose(cut["log_estimate"], uncut["log_estimate"], rtol=1e-10)
    assert np.allclose(cut["std_error"], uncut["std_error"], rtol=1e-8)
    assert cut["subjects"].tolist() == uncut["subjects"].tolist()
    terms = hazards.cox(rows, "mrd + response", "relapse", strata="line", entry="entry", cluster="patient_id")["term"]
    assert terms.tolist()[:2] == ["mrd[negative]", "mrd[not tested]"]


def test_at_the_landmark_and_as_it_changes_say_the_same_of_that_day():
    cohort = synthetic.simulate(patients=300, seed=5)
    lines = regimens.lines(cohort)
    spells = spells_of_lines.spells(cohort, lines)
    kept, flow = landmarks.at_landmark(cohort, lines, spells, 270)
    rows = landmarks.time_varying(cohort, lines, spells)
    then = rows[(rows["entry"] <= 270) & (rows["time"] > 270)].reset_index(drop=True)
    known = ["patient_id", "line", "response", "mrd", "transplanted", "maintained"]
    assert then[known].astype(object).equals(kept[known].astype(object))
    assert flow["remaining"].iloc[-1] == len(kept)
    assert (spells["time"] > 270).sum() == len(kept)


def test_markers_go_before_what_is_stated_and_count_from_the_confirming_day():
    labs = pd.DataFrame({"patient_id": "a", "day": [0, 30, 60, 90], "test": "serum M-protein",
                         "value": [4.0, 1.5, 0.2, 0.2], "unit": "g/dL"})  # fmt: skip
    lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0]})
    spells = pd.DataFrame({"patient_id": ["a"], "line": [1], "entry": [0], "time": [400], "event": ["relapse"]})
    stated = pd.DataFrame({"patient_id": ["a"], "day": [20], "finding": ["best response"], "value": ["CR"]})
    cohort = {"labs": labs, "findings": stated}
    rows = landmarks.time_varying(cohort, lines, spells)
    given = response.assess(cohort, lines, mode="lab_only")
    assert landmarks.time_varying({}, lines, spells, assessments=given)["response"].equals(rows["response"])
    assert rows["response"].astype(str).tolist() == ["unknown", "PR", "VGPR"]
    assert rows["entry"].tolist() == [0, 60, 90]


def test_a_source_without_records_says_unknown_and_not_false():
    _, lines, spells = made_up()
    ready = spells.drop(columns="start_day")
    for frame in (landmarks.at_landmark({}, lines.iloc[:0], ready, 50)[0], landmarks.time_varying({}, lines, ready)):
        assert len(frame) == 4
        assert set(frame["mrd"]) == {"not tested"}
        assert set(frame["response"]) == {"unknown"}
        assert frame["transplanted"].isna().all()
        assert frame["maintained"].isna().all()


def test_no_spells_give_no_rows():
    cohort, lines, spells = made_up()
    kept, flow = landmarks.at_landmark(cohort, lines, spells.iloc[:0], 180)
    assert kept.empty
    assert flow["remaining"].tolist() == [0] * 3
    assert landmarks.time_varying(cohort, lines, spells.iloc[:0]).empty


@pytest.mark.parametrize("days", [0, -5, np.nan, np.inf])
def test_a_landmark_must_be_a_day_after_the_start(days):
    cohort, lines, spells = made_up()
    with pytest.raises(ValueError, match="landmark_days"):
        landmarks.at_landmark(cohort, lines, spells, days)


def test_a_sensitivity_must_be_a_share():
    cohort, lines, spells = made_up()
    with pytest.raises(ValueError, match="mrd_sensitivity"):
        landmarks.time_varying(cohort, lines, spells, mrd_sensitivity=5)


def test_columns_of_hindsight_under_the_same_names_are_refused():
    cohort, lines, spells = made_up()
    with pytest.raises(schema.SchemaError, match="response"):
        landmarks.at_landmark(cohort, lines, spells.assign(response="CR"), 180)


def test_arguments_are_not_changed():
    cohort, lines, spells = made_up()
    before = [frame.copy() for frame in (cohort["findings"], lines, spells)]
    landmarks.at_landmark(cohort, lines, spells, 180)
    landmarks.time_varying(cohort, lines, spells)
    for was, frame in zip(before, (cohort["findings"], lines, spells), strict=True):
        pd.testing.assert_frame_equal(was, frame)


def mrd_study(effect: bool, known: bool = True, patients=20_000, seed=2026):
    """Log hazard ratios of a negative MRD test by reading, and the truth; `known`: with frailty and risk.

    Without `effect` the simulator draws response and MRD as ever, but neither does anything.
    """
    nothing = {"MRD_LOG_HAZARD_RATIO": 0.0, "DEPTH_LOG_HAZARD_RATIO": 0.0, "MRD_DEATH_LOG_HAZARD_RATIO": 0.0}
    with mock.patch.multiple(parameters, **({"RELEASE": "1"} if effect else nothing)):
        cohort = synthetic.simulate(patients=patients, seed=seed)
    del cohort["labs"]  # response is not asked for
    lines = regimens.lines(cohort)
    truth = cohort["truth"][[*KEY, "log_hazard_ratio", "response_log_hazard_ratio"]]
    truth = truth.assign(log_frailty=np.log(cohort["truth"]["frailty"]))
    spells = spells_of_lines.spells(cohort, lines).merge(truth, on=KEY)
    rows = landmarks.time_varying(cohort, lines, spells)
    ever = rows.loc[rows["mrd"] == "negative", KEY].drop_duplicates().assign(negative=1)
    frames = {"ever negative": spells.merge(ever, how="left").fillna({"negative": 0})}
    for day in (270, 365):
        frames[f"landmark {day}"] = landmarks.at_landmark(cohort, lines, spells, day)[0]
    frames["time-varying"] = rows
    found = {}
    for name, frame in frames.items():
        if "negative" not in frame:
            frame = frame.assign(negative=(frame["mrd"] == "negative").astype(int))
            tested = frame[frame["mrd"] != "not tested"]
            found[f"{name}, against positive"] = tested
        found[f"{name}, against all others"] = frame
    model = {"cause": "relapse", "strata": "line", "entry": "entry", "cluster": "patient_id"}
    terms = " + log_frailty + log_hazard_ratio" if known else ""
    effects = {
        name: hazards.cox(frame, f"negative{terms}", **model).iloc[0].to_dict()
        | {"truth": np.subtract(*frame.groupby("negative")["response_log_hazard_ratio"].mean().iloc[::-1])}
        for name, frame in found.items()
    }
    columns = ["estimate", "conf_low", "conf_high", "log_estimate", "std_error", "truth"]
    return pd.DataFrame(effects).T[columns].astype(float).sort_index()


@pytest.mark.slow
def test_where_mrd_does_nothing_only_the_naive_reading_finds_an_effect():
    found = mrd_study(effect=False)
    naive = found.index.str.startswith("ever negative")
    assert (found.loc[naive, "conf_high"] < 0.85).all(), found
    right = found[~naive]
    assert len(right) == 6
    assert (right["log_estimate"].abs() < 2.5 * right["std_error"]).all(), found


@pytest.mark.slow
def test_where_mrd_has_its_effect_landmark_and_time_varying_find_it():
    found = mrd_study(effect=True)
    against = found[found.index.str.endswith("against positive")]
    assert len(against) == 3
    assert ((against["log_estimate"] - against["truth"]).abs() < 2.5 * against["std_error"]).all(), found


if __name__ == "__main__":
    for effect, known in ((False, True), (True, True), (False, False)):
        print(f"effect {effect}, frailty known {known}", mrd_study(effect, known).round(3).to_string(), sep="\n")  # noqa: T201
