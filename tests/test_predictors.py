"""What was known on the day a line began: by hand, and never from a later day."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import schema, sources
from analysis.derive import predictors, regimens, relapses, spells
from analysis.sources import synthetic

SHARED = Path(os.environ.get("RELAPSE_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def one_patient() -> dict[str, pd.DataFrame]:
    """One patient, three lines on days 10, 400 and 700: every value that a test asks for is worked out by hand."""
    patients = pd.DataFrame(
        {
            "patient_id": ["a"],
            "entry_day": [0],
            "last_contact_day": [900],
            "death_day": pd.array([None], "Int64"),
            "index_year": pd.array([2016], "Int64"),
            "age_years": [70.0],
            "sex": ["female"],
            "iss": ["II"],
            "del17p": pd.array([None], "boolean"),
        }
    )
    treatments = pd.DataFrame(
        {
            "patient_id": "a",
            "start_day": [10, 10, 200, 400, 700],
            "end_day": [190, 190, 200, 600, 850],
            "agent": ["bortezomib", "lenalidomide", "autologous transplant", "daratumumab", "pomalidomide"],
            "line": [1, 1, 1, 2, 3],
        }
    )
    findings = pd.DataFrame(
        {
            "patient_id": "a",
            "day": [150, 250, 260, 380, 390, 690],
            "finding": ["best response", "MRD", "MRD", "progression", "best response", "progression"],
            "value": ["VGPR", "negative", "positive", "biochemical", "SD", "clinical"],
            "line": pd.array([1, 1, 1, 1, 2, 2], "Int64"),
        }
    )
    labs = pd.DataFrame(
        {
            "patient_id": "a",
            "day": [5, 300, 395, 400, 401, 640, 641],
            "test": ["haemoglobin"] * 4 + ["haemoglobin", "calcium", "kappa free light chain"],
            "value": [9.0, 11.0, 12.0, 12.5, 7.0, 10.0, 40.0],
            "unit": ["g/dL"] * 5 + ["mg/dL", "mg/L"],
        }
    )
    about = pd.DataFrame({"endpoint": ["relapse"]})
    return {"cohort": about, "patients": patients, "treatments": treatments, "findings": findings, "labs": labs}


def laid_out(cohort: dict[str, pd.DataFrame], **choices) -> pd.DataFrame:
    lines = regimens.lines(cohort)
    rows = lines[["patient_id", "line"]]
    return predictors.wide(predictors.known(cohort, lines, rows, **choices), rows).set_index("line")


def test_history_of_one_patient_by_hand():
    frame = laid_out(one_patient())
    assert frame["earlier_lines"].tolist() == [0, 1, 2]
    assert frame["days_since_first_line"].tolist() == [0, 390, 690]
    assert frame["previous_days_to_next_line"].tolist()[1:] == [390, 300]
    assert frame["previous_days_to_relapse"].tolist()[1:] == [370, 290]
    assert frame[["previous_days_to_next_line", "previous_days_to_relapse"]].loc[1].isna().all()
    assert frame["previous_response"].tolist() == ["no earlier line", "VGPR", "SD"]
    assert frame["previous_relapse"].tolist() == ["no earlier line", "biochemical", "clinical"]
    assert frame["previous_mrd"].tolist() == ["no earlier line", "positive", "unknown"]
    assert frame["prior_transplant"].tolist() == [False, True, True]
    assert frame["exposed_pi"].tolist() == [False, True, True]
    assert frame["exposed_anti_cd38"].tolist() == [False, False, True]


def test_refractory_before_a_line_counts_earlier_lines_only():
    frame = laid_out(one_patient())
    # Line 1 responded and relapsed 190 days after its last dose; line 2 never responded; pomalidomide is line 3 itself.
    assert frame["refractory_pi"].tolist() == [False, False, False]
    assert frame["refractory_anti_cd38"].tolist() == [False, False, True]
    assert frame["triple_class_refractory"].tolist() == [False, False, False]


def test_age_stage_and_flags_of_diagnosis():
    frame = laid_out(one_patient())
    assert frame["age_years"].tolist() == pytest.approx([70 + day / 365.25 for day in (10, 400, 700)])
    assert frame["r_iss"].tolist() == ["II"] * 3  # ISS II is R-ISS II whatever is missing
    assert "del17p" not in frame  # nobody's is known: the source does not record it
    assert frame["index_year"].tolist() == [2016] * 3
    assert "index_year" not in predictors.names(frame.reset_index())


def test_last_value_counts_on_the_day_itself_and_no_day_later():
    frame = laid_out(one_patient())
    assert frame["last_haemoglobin_g_dl"].tolist()[:2] == [9.0, 12.5]
    assert np.isnan(frame["last_haemoglobin_g_dl"].loc[3])  # day 401 is 299 days old on day 700
    assert frame["last_calcium_mg_dl"].loc[3] == 10.0  # 60 days old
    assert frame["last_light_chain_mg_l"].loc[3] == 40.0
    assert "last_calcium_mg_dl" not in laid_out(one_patient(), lookback_days=59)


def test_higher_light_chain_of_the_last_day():
    cohort = one_patient()
    chains = pd.DataFrame(
        {
            "patient_id": "a",
            "day": [8, 9, 9],
            "test": ["kappa free light chain", "kappa free light chain", "lambda free light chain"],
            "value": [900.0, 12.0, 500.0],
            "unit": "mg/L",
        }
    )
    frame = laid_out({**cohort, "labs": chains})
    assert frame["last_light_chain_mg_l"].loc[1] == 500.0


def test_days_say_since_when_each_value_was_known():
    cohort = one_patient()
    lines = regimens.lines(cohort)
    found = predictors.known(cohort, lines, lines[["patient_id", "line"]])
    day = found[found["line"] == 2].set_index("predictor")["day"]
    assert day[["iss", "previous_mrd", "last_haemoglobin_g_dl", "exposed_pi"]].tolist() == [-400, -140, 0, 0]
    assert (found["day"] <= 0).all()


def test_a_value_from_after_the_line_start_is_refused():
    cohort = one_patient()
    lines = regimens.lines(cohort)
    rows = lines[["patient_id", "line"]]
    found = predictors.known(cohort, lines, rows)
    leak = found.head(2).assign(line=[1, 2], predictor="m_protein_slope", number=[0.3, 0.1])
    late = pd.concat([found, leak.assign(day=[30.0, 1.0])], ignore_index=True)
    with pytest.raises(schema.SchemaError) as refused:
        predictors.wide(late, rows)
    message = str(refused.value)
    assert "'m_protein_slope'" in message and "day 30" in message and "patient 'a', line 1" in message
    assert "2 line(s)" in message and "1 predictor(s)" in message
    on_the_day = pd.concat([found, leak.assign(day=[0.0, -1.0])], ignore_index=True)
    assert predictors.wide(on_the_day, rows)["m_protein_slope"].tolist()[:2] == [0.3, 0.1]
    dayless = pd.concat([found, leak.assign(day=[np.nan, 0.0])], ignore_index=True)
    with pytest.raises(schema.SchemaError, match="day"):
        predictors.wide(dayless, rows)


@pytest.mark.parametrize(("relapse", "patients"), [("stated", 60), ("judged", 150)])
def test_nothing_that_happens_later_changes_what_was_known(relapse, patients):
    """The oracle: whatever is dated after the start of line k is cut away, and its predictors stay what they are."""
    cohort = synthetic.simulate(patients, seed=5)
    if relapse == "judged":  # from markers; some relapses are confirmed only after the next line has begun
        stated = cohort["findings"]["finding"].isin(["progression", "best response"])
        cohort["findings"] = cohort["findings"][~stated].reset_index(drop=True)
    lines = relapses.with_relapses(cohort, regimens.lines(cohort))
    whole = predictors.wide(predictors.known(cohort, lines, lines, with_treatment=True), lines)
    for number in (1, 2, 3):
        start = lines[lines["line"] == number].set_index("patient_id")["start_day"]
        cut = {"cohort": cohort["cohort"], "patients": cohort["patients"]}
        for name, day in {"treatments": "start_day", "labs": "day", "findings": "day"}.items():
            frame = cohort[name]
            cut[name] = frame[frame[day] <= frame["patient_id"].map(start)].reset_index(drop=True)
        ends = cut["treatments"]["end_day"].astype("float64")
        ends = ends.where(ends <= cut["treatments"]["patient_id"].map(start))
        cut["treatments"] = cut["treatments"].assign(end_day=ends.astype("Int64"))
        early = relapses.with_relapses(cut, regimens.lines(cut)) if number > 1 else regimens.lines(cut)
        rows = early.loc[early["line"] == number, ["patient_id", "line"]].reset_index(drop=True)
        then = predictors.wide(predictors.known(cut, early, rows, with_treatment=True), rows)
        now = whole.merge(rows, on=["patient_id", "line"])
        assert len(then) == len(rows) > 10
        pd.testing.assert_frame_equal(now[then.columns], then, check_dtype=False)


def test_records_tied_to_an_earlier_line_but_dated_later_were_not_known():
    cohort = one_patient()
    findings = cohort["findings"].copy()
    findings.loc[[0, 3], "day"] = 450  # line 1's best response and progression, written down in line 2
    frame = laid_out({**cohort, "findings": findings})
    assert frame["previous_response"].loc[2] == "unknown"
    assert frame["previous_relapse"].loc[2] == "none"
    assert np.isnan(frame["previous_days_to_relapse"].loc[2])


def test_drug_of_an_earlier_line_begun_after_this_one_was_not_yet_given():
    cohort = one_patient()
    treatments = cohort["treatments"].copy()
    treatments.loc[2, "start_day"] = 500  # the transplant of line 1 after line 2 began
    frame = laid_out({**cohort, "treatments": treatments})
    assert frame["prior_transplant"].tolist() == [False, False, True]


def test_an_earlier_line_that_is_not_on_record_leaves_not_given_unknown():
    cohort = one_patient()
    treatments = cohort["treatments"][cohort["treatments"]["line"] > 1].reset_index(drop=True)
    frame = laid_out({**cohort, "treatments": treatments})
    assert frame["exposed_anti_cd38"].isna().tolist() == [True, False]
    assert frame["exposed_anti_cd38"].loc[3]
    assert "exposed_pi" not in frame  # not known of any line
    assert frame["previous_response"].tolist() == ["unknown", "SD"]


def test_treatment_of_the_line_only_when_asked_and_only_of_its_first_day():
    assert not [name for name in laid_out(one_patient()) if name.startswith("given_")]
    frame = laid_out(one_patient(), with_treatment=True)
    assert frame["given_pi"].tolist() == [True, False, False]
    assert "given_transplant" not in frame  # planned, and done on day 200


def test_a_cohort_with_little_on_record_gives_what_it_has():
    patients = pd.DataFrame({"patient_id": ["a", "b"], "age_years": [61.0, np.nan], "sex": ["male", "unknown"]})
    ready = pd.DataFrame({"patient_id": ["a", "b"], "line": [1, 2]}, index=[7, 9])
    found = predictors.known({"patients": patients}, schema.empty(schema.LINES), ready)
    frame = predictors.wide(found, ready)
    assert frame.index.tolist() == [7, 9]
    assert predictors.names(frame) == ["age_years", "sex", "earlier_lines"]
    assert frame["sex"].tolist() == ["male", "unknown"]


def test_judged_relapses_are_history_as_stated_ones_are():
    cohort = synthetic.simulate(80, seed=3)
    cohort["findings"] = cohort["findings"][~cohort["findings"]["finding"].isin(["progression", "best response"])]
    lines = relapses.with_relapses(cohort, regimens.lines(cohort))
    frame = predictors.wide(predictors.known(cohort, lines, lines), lines)
    later = frame[frame["line"] > 1]
    assert {"biochemical", "clinical"} & set(later["previous_relapse"])
    unseen = lines[~lines["followable"] & lines["progression_day"].isna()].assign(line=lambda rows: rows["line"] + 1)
    asked = later.merge(unseen[["patient_id", "line"]], on=["patient_id", "line"])
    assert set(asked["previous_relapse"]) <= {"unknown"}


def test_row_order_changes_nothing():
    cohort = synthetic.simulate(40, seed=8)
    lines = regimens.lines(cohort)
    rows = spells.spells(cohort, lines)
    frame = predictors.wide(predictors.known(cohort, lines, rows), rows)
    rng = np.random.default_rng(1)
    mixed = {name: part.sample(frac=1, random_state=rng) for name, part in cohort.items()}
    shuffled = rows.sample(frac=1, random_state=rng)
    again = predictors.wide(predictors.known(mixed, lines.sample(frac=1, random_state=rng), shuffled), shuffled)
    pd.testing.assert_frame_equal(again.loc[frame.index], frame)


def test_a_lookback_into_the_future_is_refused():
    cohort = one_patient()
    lines = regimens.lines(cohort)
    with pytest.raises(ValueError, match="lookback_days"):
        predictors.known(cohort, lines, lines, lookback_days=-1)


@pytest.mark.skipif(not (SHARED / "gdc_commpass").is_dir(), reason="no CoMMpass export beside this checkout")
def test_commpass_gives_the_little_that_it_records():
    cohort = sources.read(str(SHARED / "gdc_commpass"))
    lines = regimens.lines(cohort)
    rows = spells.spells(cohort, lines)
    frame = predictors.wide(predictors.known(cohort, lines, rows), rows)
    names = set(predictors.names(frame))
    assert {"age_years", "sex", "iss", "earlier_lines", "previous_days_to_next_line", "exposed_pi"} <= names
    assert not names & {"previous_relapse", "previous_days_to_relapse", "refractory_pi", "last_haemoglobin_g_dl"}


def test_words_with_a_level_of_a_handful_are_no_predictors():
    frame = pd.DataFrame({"patient_id": list("abcdd"), "line": [1, 1, 1, 1, 2], "age_years": 60.0})
    frame["sex"] = ["male", "male", "female", "female", "female"]
    frame["race"] = ["x", "x", "x", "y", "y"]
    assert predictors.names(frame, least_patients=2) == ["age_years", "sex"]
    assert predictors.names(frame) == ["age_years", "sex", "race"]
