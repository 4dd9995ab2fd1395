"""Models fitted and tried: what they are, what they may know, and what they say of bad input."""

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.estimate import hazards, prediction
from analysis.estimate.prediction import MODELS, Plan
from analysis.estimate.prediction.fitting import coarse, fit, planned
from analysis.estimate.prediction.risks import incidence
from analysis.schema import DAYS_PER_MONTH

PREDICTORS = ["line", "age_years", "iss", "del17p"]
QUICK = {"horizons_months": (12, 24), "trees": 10, "inner_folds": 2}


def lines_of(patients, seed=1, most=3):
    """Patients with one to `most` lines: relapse sooner with stage, del(17p) and line; deaths; whole days."""
    chance = np.random.default_rng(seed)
    number = chance.integers(1, most + 1, patients)
    who = np.repeat(np.arange(patients), number)
    frame = pd.DataFrame({"patient_id": [f"p{i:04d}" for i in who], "line": 1 + np.arange(len(who))})
    frame["line"] = frame.groupby("patient_id").cumcount() + 1
    frame["age_years"] = chance.normal(68, 9, patients)[who].round(1)
    frame["iss"] = chance.choice(["I", "II", "III"], patients)[who]
    frame["del17p"] = pd.array(chance.random(patients) < 0.2, dtype="boolean")[who]
    frame["index_year"] = chance.integers(2005, 2020, patients)[who]
    score = frame["iss"].map({"I": -0.5, "II": 0.0, "III": 0.5}) + 0.6 * frame["del17p"].astype(float)
    score += 0.3 * (frame["line"] - 1)
    relapse, death = chance.exponential(800 * np.exp(-score)), chance.exponential(3000, len(who))
    watched = chance.uniform(500, 2500, len(who))
    frame["time"] = np.ceil(np.minimum(np.minimum(relapse, death), watched))
    frame["event"] = np.where(
        watched < np.minimum(relapse, death), "censored", np.where(relapse < death, "relapse", "death")
    )
    frame["entry"] = 0
    frame.loc[chance.random(len(who)) < 0.1, "age_years"] = np.nan
    frame.loc[chance.random(len(who)) < 0.1, "del17p"] = pd.NA
    return frame


def c_of(predictions, model, horizon=24):
    found = prediction.scores(predictions, [horizon], against=model, resamples=0)
    return found[(found["model"] == model) & (found["measure"] == "Uno's C")]["estimate"].iloc[0]


# --- risk -----------------------------------------------------------------------------------------------------------


def test_risk_of_two_hazards_by_hand():
    # Jumps: the event 0.2 on day 10 and 0.3 on day 20, the others 0.1 on day 10.
    event, other = (np.array([10.0, 20.0]), np.array([[0.2, 0.3]])), (np.array([10.0]), np.array([[0.1]]))
    first = (1 - np.exp(-0.3)) * 0.2 / 0.3
    second = first + np.exp(-0.3) * (1 - np.exp(-0.3))
    np.testing.assert_allclose(incidence(event, other, np.array([9.0, 10.0, 25.0])), [[0, first, second]])
    nobody_else = np.zeros(0), np.zeros((1, 0))
    np.testing.assert_allclose(incidence(event, nobody_else, np.array([25.0])), [[1 - np.exp(-0.5)]])


def test_cox_risk_is_that_of_the_house_but_for_its_ridge():
    frame = lines_of(600).dropna()
    models = prediction.fitted(frame, "cox", Plan(["iss", "line"], **QUICK))
    someone = pd.DataFrame({"iss": ["I", "III"], "line": [1, 3]})
    end = 24 * DAYS_PER_MONTH
    stopped = frame.assign(
        event=frame["event"].where(frame["time"] <= end, "censored"), time=frame["time"].clip(upper=end)
    )
    own = {cause: hazards.fit_cox(stopped, "iss + line", cause) for cause in ("relapse", "death")}
    expected = hazards.predict_incidence(own, someone, [365.25, 730.5]).query("event == 'relapse'")
    found = prediction.risk(models, someone, [365.25, 730.5])
    np.testing.assert_allclose(found.ravel(), expected["estimate"], atol=2e-3)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_a_pipeline_of_the_libraries_and_gives_risks(model):
    frame = lines_of(250)
    models = prediction.fitted(frame, model, Plan(PREDICTORS, **QUICK))
    assert list(models) == ["relapse", "competing"]
    for one in models.values():
        assert type(one).__name__ == "Pipeline"
        assert type(one.named_steps["model"]).__module__.startswith("sksurv.")
    risk = prediction.risk(models, frame, [100, 365.25, 730.5])
    assert risk.shape == (len(frame), 3) and (np.diff(risk, axis=1) >= 0).all()
    assert (risk >= 0).all() and (risk <= 1).all()
    worst, best = risk[frame["iss"] == "III", 1].mean(), risk[frame["iss"] == "I", 1].mean()
    assert worst > best + 0.05


def test_without_competing_events_the_risk_is_that_of_one_hazard():
    frame = lines_of(200)
    frame = frame.assign(event=frame["event"].replace("death", "censored"))
    models = prediction.fitted(frame, "cox", Plan(["iss"], **QUICK))
    assert list(models) == ["relapse"]
    hazard = models["relapse"].predict_cumulative_hazard_function(frame[["iss"]], return_array=True)
    risk = prediction.risk(models, frame[["iss"]], [730.5])[:, 0]
    np.testing.assert_allclose(risk, 1 - np.exp(-hazard[:, -1]))


def test_nothing_after_the_last_horizon_is_learned():
    frame = lines_of(200)
    late = frame["time"] > 24 * DAYS_PER_MONTH
    changed = frame.assign(event=frame["event"].where(~late, "relapse"), time=frame["time"] + 500 * late)
    plan = Plan(PREDICTORS, **QUICK)
    first, second = (prediction.risk(prediction.fitted(f, "cox", plan), frame, [730.5]) for f in (frame, changed))
    np.testing.assert_array_equal(first, second)


def test_times_are_moved_up_to_the_quarter_of_a_month_and_horizons_stay():
    step = DAYS_PER_MONTH / 4
    np.testing.assert_allclose(coarse(np.array([0, 1, step, step + 0.1, 730.5])) / step, [1, 1, 1, 2, 96])


def test_coarse_times_do_not_change_how_well_a_forest_ranks(monkeypatch):
    frame = lines_of(400)
    plan = Plan(PREDICTORS, trees=20, inner_folds=2, horizons_months=(12, 24))
    found = c_of(prediction.out_of_fold(frame, plan, ["random survival forest"], folds=2), "random survival forest")
    monkeypatch.setattr("analysis.estimate.prediction.fitting.coarse", lambda time: time)
    daily = c_of(prediction.out_of_fold(frame, plan, ["random survival forest"], folds=2), "random survival forest")
    assert found == pytest.approx(daily, abs=0.01) and found > 0.58


# --- honest evaluation ----------------------------------------------------------------------------------------------


def test_folds_that_part_a_patient_inflate_c_and_ours_do_not():
    # Lines of a patient share a frailty and a marker that has nothing to do with it: by it a forest knows the patient.
    chance = np.random.default_rng(8)
    who = np.repeat(np.arange(120), 12)
    frailty, marker = np.exp(1.2 * chance.normal(size=120))[who], chance.normal(size=120)[who]
    frame = pd.DataFrame({"patient_id": [f"p{i:03d}" for i in who], "line": np.tile(np.arange(1, 13), 120)})
    frame["time"] = np.minimum(np.ceil(chance.exponential(600 / frailty)), 1500)
    frame = frame.assign(marker=marker, event=np.where(frame["time"] < 1500, "relapse", "censored"))
    plan, forest = Plan(["marker"], **QUICK), "random survival forest"
    ours = c_of(prediction.out_of_fold(frame, plan, [forest]), forest)
    parted = frame.assign(patient_id=frame["patient_id"] + "-" + frame["line"].astype(str))
    inflated = c_of(prediction.out_of_fold(parted, plan, [forest]), forest)
    assert inflated > 0.62 and ours < 0.54


def test_all_lines_of_a_patient_lie_in_one_fold():
    found = prediction.out_of_fold(lines_of(120), Plan(["iss"], **QUICK), ["stage"], folds=3)
    assert not found[["patient_id", "fold"]].drop_duplicates()["patient_id"].duplicated().any()
    assert found["fold"].nunique() == 3


def test_a_fold_learns_nothing_from_the_patients_set_aside():
    # Other predictors and other ends of the patients in fold 1 change no risk of any patient who keeps his own there.
    frame, plan = lines_of(150), Plan(PREDICTORS, **QUICK)
    models = ["cox", "extra survival trees"]
    found = prediction.out_of_fold(frame, plan, models, folds=2)
    aside = frame["patient_id"].isin(found.loc[found["fold"] == "1", "patient_id"].astype(str).unique()[:40])
    changed = frame.copy()
    changed.loc[aside, "age_years"] = 900.0
    changed.loc[aside, "iss"] = "IV"
    changed.loc[aside, ["time", "event"]] = [1.0, "death"]
    again = prediction.out_of_fold(changed, plan, models, folds=2)
    same = (found["fold"] == "1") & ~found["patient_id"].isin(frame.loc[aside, "patient_id"])
    np.testing.assert_array_equal(found["risk"][same], again["risk"][same])
    assert (found["risk"] != again["risk"])[found["fold"] == "2"].any()


def test_neither_row_order_nor_jobs_change_a_risk_and_nothing_is_mutated():
    frame = lines_of(120)
    before = frame.copy(deep=True)
    models = ["coxnet", "random survival forest", "gradient boosting"]
    found = prediction.out_of_fold(frame, Plan(PREDICTORS, **QUICK), models, folds=2)
    shuffled = frame.sample(frac=1, random_state=3)
    again = prediction.out_of_fold(shuffled, Plan(PREDICTORS, jobs=2, **QUICK), models, folds=2)
    pd.testing.assert_frame_equal(found, again, rtol=0, atol=1e-14)
    pd.testing.assert_frame_equal(frame, before)
    other = prediction.out_of_fold(frame, Plan(PREDICTORS, seed=5, **QUICK), ["coxnet"], folds=2)
    assert not np.array_equal(other["risk"], found[found["model"].isin(["null", "coxnet"])]["risk"])


def test_predictions_have_every_line_model_and_horizon_once():
    frame = lines_of(100)
    found = prediction.out_of_fold(frame, Plan(["iss"], **QUICK), ["stage", "stage and line"], folds=2)
    schema.check(found, schema.PREDICTIONS)
    assert len(found) == len(frame) * 3 * 2
    null = found[found["model"] == "null"]
    assert len(null[["fold", "horizon_months", "risk"]].drop_duplicates()) == 2 * 2


def test_what_is_told_of_each_fit_comes_before_it():
    said = []
    prediction.out_of_fold(lines_of(100), Plan(["iss"], **QUICK), ["stage"], folds=2, progress=said.append)
    assert said == ["stage: fold 1", "stage: fold 2"]


def test_later_patients_are_foretold_from_earlier_ones():
    frame = lines_of(300)
    found = prediction.temporal(frame, Plan(["iss"], **QUICK), ["stage"], last_training_year=2014)
    years = frame.set_index(["patient_id", "line"])["index_year"]
    tested = found.set_index(["patient_id", "line"]).index.unique()
    assert years[tested].min() == 2015 and len(tested) == (frame["index_year"] > 2014).sum()
    earlier = frame[frame["index_year"] <= 2014]
    expected = prediction.risk(prediction.fitted(earlier, "stage", Plan(["iss"], **QUICK)), frame, [365.25])[:, 0]
    own = found[(found["model"] == "stage") & (found["horizon_months"] == 12)].set_index(["patient_id", "line"])["risk"]
    both = pd.Series(expected, index=years.index)[own.index]
    np.testing.assert_allclose(own, both)


def test_a_forest_flatters_itself_and_the_stage_does_not():
    frame, plan = lines_of(200), Plan(PREDICTORS, **QUICK)
    models = ["stage", "random survival forest"]
    seen, unseen = prediction.apparent(frame, plan, models), prediction.out_of_fold(frame, plan, models)
    found = prediction.optimism(seen, unseen, [24], resamples=0).set_index(["model", "measure"])["estimate"]
    assert found["random survival forest", "Uno's C"] > 0.03 > abs(found["stage", "Uno's C"])


def test_a_sample_of_patients_bounds_the_training_and_all_are_scored():
    frame = lines_of(300)
    found = prediction.out_of_fold(frame, Plan(["iss"], training_patients=100, **QUICK), ["stage"])
    assert found["patient_id"].nunique() == 300
    seen = prediction.apparent(frame, Plan(["iss"], training_patients=100, **QUICK), ["stage"])
    assert seen["patient_id"].nunique() == 100
    whole = prediction.out_of_fold(frame, Plan(["iss"], **QUICK), ["stage"])
    assert np.abs(found["risk"] - whole["risk"])[found["model"] == "stage"].max() > 0.02  # 100 patients, not 240
    prediction.optimism(seen, found, [24], resamples=0)


def test_more_patients_to_learn_from_are_better():
    frame = lines_of(450)
    plan = Plan(PREDICTORS, **QUICK)
    found = prediction.learning_curve(frame, plan, ["stage", "coxnet"], [30, 100, 5000], [24], resamples=20)
    assert found["training_patients"].unique().tolist() == [30, 100, 300]
    assert found["conf_low"].notna().all()
    brier = found[(found["model"] == "coxnet") & (found["measure"] == "Brier score")]["estimate"]
    assert brier.iloc[-1] < brier.iloc[0]


def test_the_next_line_can_be_foretold_where_relapse_is_not_recorded():
    frame = lines_of(150)
    frame = frame.assign(event=frame["event"].replace("relapse", "next_line"))
    found = prediction.out_of_fold(frame, Plan(["iss"], cause="next_line", **QUICK), ["stage"], folds=2)
    scored = prediction.scores(found, [12], cause="next_line", resamples=0)
    assert scored["events"].iloc[0] == ((frame["event"] == "next_line") & (frame["time"] <= 365.25)).sum()


# --- bad input ------------------------------------------------------------------------------------------------------


def test_a_constant_and_an_empty_predictor_are_left_out_and_said():
    frame = lines_of(120).assign(country="here", albumin=np.nan, race=None)
    plan = Plan(["iss", "country", "albumin", "race"], **QUICK)
    found = prediction.out_of_fold(frame, plan, ["cox"], folds=2)
    note = found.loc[found["model"] == "cox", "note"].iloc[0]
    assert "predictor country is the same in all" in note
    assert "predictor albumin is missing in all" in note and "predictor race is missing in all" in note
    without = prediction.out_of_fold(frame, Plan(["iss"], **QUICK), ["cox"], folds=2)
    np.testing.assert_allclose(found["risk"], without["risk"])
    with pytest.raises(schema.SchemaError, match="none of them tells patients apart"):
        prediction.out_of_fold(frame, Plan(["country", "albumin"], **QUICK), ["cox"])
    with pytest.raises(schema.SchemaError, match="model 'stage': no predictor of it tells patients apart"):
        prediction.out_of_fold(frame.assign(iss="I"), Plan(["line", "iss"], **QUICK), ["cox", "stage"])


def test_a_predictor_constant_in_a_training_set_alone_is_dropped_there():
    frame = lines_of(120).assign(rare=0.0)
    frame.loc[0, "rare"] = 1.0
    plan = Plan(["iss", "rare"], **QUICK)
    found = prediction.out_of_fold(frame, plan, ["cox", "coxnet"], folds=2)
    assert found["risk"].between(0, 1).all()
    without = planned(frame, ["cox"], plan).part(np.arange(1, len(frame)))
    made = fit("cox", without, plan, 0)[0]["relapse"]
    assert made[:-1].transform(without.predictors).shape[1] == 3  # three stages, and nothing of what is always 0


def test_a_missing_number_is_the_median_and_a_sign_of_its_own():
    frame = lines_of(300)
    absent = np.random.default_rng(2).random(len(frame)) < 0.3
    frame["age_years"] = np.where(absent, np.nan, 60 + np.arange(len(frame)) % 20)
    frame["time"] = np.where(absent, np.ceil(frame["time"] / 4), frame["time"])
    models = prediction.fitted(frame, "cox", Plan(["age_years"], **QUICK))
    median, missing = prediction.risk(models, pd.DataFrame({"age_years": [frame["age_years"].median(), None]}), [365])
    assert missing > median + 0.2


@pytest.mark.parametrize("model", ["cox", "extra survival trees"])
def test_a_category_unseen_in_training_is_read_as_none_known(model):
    frame = lines_of(120)
    models = prediction.fitted(frame, model, Plan(["iss", "line"], **QUICK))
    risk = prediction.risk(models, pd.DataFrame({"iss": ["I", "III", "IV", None], "line": 1}), [730.5])[:, 0]
    assert np.isfinite(risk).all() and risk[0] < risk[1] and risk[0] - 0.05 <= risk[2] <= risk[1] + 0.05
    assert risk[2] == risk[3]  # no missing stage was seen in training either


def test_few_events_per_term_shrink_the_model_and_it_says_so():
    frame = lines_of(60)
    chance = np.random.default_rng(1)
    noise = {f"noise_{i}": chance.normal(size=len(frame)) for i in range(15)}
    plan = Plan(["iss", *noise], **QUICK)
    found = prediction.out_of_fold(frame.assign(**noise), plan, ["cox"], folds=2)
    assert "fewer than 10 events for each of its 17 terms: shrunk by a ridge" in found["note"].iloc[-1]
    assert found.loc[found["model"] == "cox", "risk"].std() < 0.25
    enough = prediction.out_of_fold(lines_of(300), Plan(["iss"], **QUICK), ["cox"], folds=2)
    assert enough["note"].iloc[-1] == ""


def test_too_few_events_are_refused():
    frame = lines_of(60)
    few = frame.assign(event=np.where(np.arange(len(frame)) < 12, "relapse", "censored"))
    with pytest.raises(schema.SchemaError, match="expected at least 20 events 'relapse' by the longest horizon, came"):
        prediction.out_of_fold(few, Plan(["iss"], **QUICK), ["cox"])


def test_a_horizon_past_the_follow_up_is_refused_with_the_longest_allowed():
    frame = lines_of(100)
    with pytest.raises(
        schema.SchemaError, match=r"120 months lies past the follow-up: the longest allowed is (\d+)"
    ) as e:
        prediction.out_of_fold(frame, Plan(["iss"], horizons_months=(12, 120)), ["stage"])
    longest = float(str(e.value).split("longest allowed is ")[1].split(",")[0])
    prediction.out_of_fold(frame, Plan(["iss"], horizons_months=(12, longest)), ["stage"], folds=2)
    assert (frame["time"] >= longest * DAYS_PER_MONTH).sum() >= 20
    with pytest.raises(schema.SchemaError, match="24 months lies past the follow-up of patients after 2018"):
        young = frame.assign(time=np.where(frame["index_year"] > 2018, frame["time"].clip(upper=500), frame["time"]))
        prediction.temporal(young, Plan(["iss"], **QUICK), ["stage"], last_training_year=2018)


def test_delayed_entries_are_left_out_and_said_and_many_are_refused():
    frame = lines_of(150)
    delayed = frame.index % 10 == 0
    frame.loc[delayed, "entry"] = 1
    frame.loc[delayed, "time"] += 2
    found = prediction.out_of_fold(frame, Plan(["iss"], **QUICK), ["stage"], folds=2)
    assert f"{delayed.sum()} lines with a delayed entry left out" in found["note"].iloc[-1]
    assert len(found) == (~delayed).sum() * 2 * 2
    frame["entry"] = np.where(frame.index % 3 == 0, 1, 0)
    with pytest.raises(schema.SchemaError, match="came under observation after their start"):
        prediction.out_of_fold(frame.assign(time=frame["time"] + 2), Plan(["iss"], **QUICK), ["stage"])


def test_every_fault_is_named_at_once():
    frame = lines_of(60)
    with pytest.raises(schema.SchemaError, match="outcome itself") as caught:
        prediction.out_of_fold(frame, Plan(["time", "genes", "iss"], cause="remission", **QUICK), ["cox"])
    assert "predictor 'genes' is missing" in str(caught.value) and "came 'remission'" in str(caught.value)
    with pytest.raises(schema.SchemaError, match="models: expected some of") as caught:
        prediction.out_of_fold(frame, Plan(["iss"], trees=0, jobs=0), ["oracle"])
    assert "trees: expected at least 1" in str(caught.value) and "jobs: expected" in str(caught.value)
    twice = pd.concat([frame, frame.head(1)], ignore_index=True)
    with pytest.raises(schema.SchemaError, match="a line comes twice") as caught:
        prediction.out_of_fold(twice.assign(age_years=np.inf), Plan(["age_years"], horizons_months=(24, 12)), ["cox"])
    assert "came an infinite one" in str(caught.value) and "expected months above 0, rising" in str(caught.value)
    with pytest.raises(schema.SchemaError, match="expected a year in every row"):
        prediction.temporal(frame.drop(columns="index_year"), Plan(["iss"], **QUICK), ["stage"])
    with pytest.raises(schema.SchemaError, match="folds: expected at least 2"):
        prediction.out_of_fold(frame, Plan(["iss"], **QUICK), ["stage"], folds=1)


def test_risk_of_another_kind_of_frame_is_refused():
    models = prediction.fitted(lines_of(80), "cox", Plan(["iss", "age_years"], **QUICK))
    with pytest.raises(schema.SchemaError, match="predictor 'age_years' is missing"):
        prediction.risk(models, pd.DataFrame({"iss": ["I"]}), [365])
    with pytest.raises(schema.SchemaError, match="predictor 'iss': expected words as in training"):
        prediction.risk(models, pd.DataFrame({"iss": [1], "age_years": [60]}), [365])


def test_a_coefficient_that_runs_away_is_held_by_a_larger_penalty_and_it_is_said(monkeypatch):
    from sksurv.linear_model import CoxnetSurvivalAnalysis

    usual = CoxnetSurvivalAnalysis.fit

    def fails_below(self, *data):
        if self.alphas[0] < 0.2:
            raise ArithmeticError("Numerical error, because weights are too large.")
        return usual(self, *data)

    monkeypatch.setattr(CoxnetSurvivalAnalysis, "fit", fails_below)
    risks = prediction.out_of_fold(lines_of(150), Plan(PREDICTORS, **QUICK), ["coxnet"], folds=2)
    said = risks.loc[risks["model"] == "coxnet", "note"]
    assert said.str.contains("the penalty was raised to").all()


def test_what_cannot_be_tried_is_said_before_anything_is_fitted():
    frame = lines_of(150)
    assert prediction.refusal(frame, Plan(PREDICTORS, **QUICK)) == ""
    assert prediction.refusal(frame, Plan(PREDICTORS, **QUICK), least_events=9999).startswith("fewer than 9999 events")
    assert "longest allowed" in prediction.refusal(frame, Plan(PREDICTORS, horizons_months=(12, 400)))
