"""Which covariates enter a model, and the ordinary Cox model of lifelines and scikit-survival beside ours."""

import numpy as np
import pandas as pd
import pytest

from analysis import disclosure, schema
from analysis.estimate import covariates, hazards, published

RANDOM = np.random.default_rng(11)
ROWS = 400


def spells():
    age, high = RANDOM.normal(67, 9, ROWS), RANDOM.random(ROWS) < 0.3
    relapse = RANDOM.exponential(900 / np.exp(0.02 * (age - 67) + 0.6 * high))
    death, end = RANDOM.exponential(4000, ROWS), RANDOM.uniform(100, 2500, ROWS)
    time = np.ceil(np.minimum(np.minimum(relapse, death), end))
    event = np.select([relapse <= np.minimum(death, end), death <= end], ["relapse", "death"], "censored")
    frame = {"patient_id": [f"p{n}" for n in range(ROWS)], "line": 1, "entry": 0, "time": time, "event": event}
    stage = np.array(["I", "II", "III", "unknown"])[RANDOM.integers(0, 4, ROWS)]
    return pd.DataFrame(frame | {"age_years": age, "del17p": pd.array(high, dtype="boolean"), "iss": stage})


SPELLS = covariates.prepared(spells())


def test_unknown_is_missing_and_flags_are_numbers():
    assert set(SPELLS["iss"].dropna()) == {"I", "II", "III"}
    assert SPELLS["del17p"].dtype == float


@pytest.mark.parametrize(
    ("frame", "events", "term", "reason"),
    [
        (SPELLS, 1000, "sex", "not in this cohort"),
        (SPELLS.assign(del17p=1.0), 1000, "del17p", "the same for all"),
        (SPELLS.assign(iss=SPELLS["iss"].where(np.arange(ROWS) < 150)), 1000, "iss", "known for fewer than half"),
        (SPELLS.assign(iss=np.where(np.arange(ROWS) < 3, "I", "II")), 1000, "iss", "fewer than 50 in a level"),
        (SPELLS, 25, "age_years", "fewer than 10 events for each column of the model"),
        (SPELLS.assign(del17p=np.nan), 1000, "del17p", "known for fewer than half"),
    ],
)
def test_what_does_not_enter_says_why(frame, events, term, reason):
    found = covariates.terms(frame, events).set_index("term")
    assert found.loc[term, "note"] == reason
    assert not found.loc[term, "used"]
    assert term not in covariates.formula(found.reset_index())


def test_without_any_covariate_the_formula_is_empty():
    assert covariates.formula(covariates.terms(SPELLS, events=5)) == "1"


def test_lifelines_scikit_survival_and_ours_are_one_model():
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    terms = "I(age_years / 10) + del17p + iss"
    ours = hazards.cox(SPELLS, terms, "relapse").set_index("term")
    table, fitter = hazards.ordinary_cox(SPELLS, terms, "relapse")
    schema.check(table, schema.EFFECTS)
    np.testing.assert_allclose(table.set_index("term").loc[ours.index, "log_estimate"], ours["log_estimate"], atol=1e-9)
    np.testing.assert_allclose(table.set_index("term").loc[ours.index, "std_error"], ours["std_error"], atol=1e-9)
    np.testing.assert_allclose(table["conf_low"], ours["conf_low"], rtol=1e-8)
    assert type(fitter).__module__.startswith("lifelines")
    known = SPELLS.dropna(subset=["iss"])
    columns = np.column_stack([known["age_years"] / 10, known["del17p"], known["iss"] == "II", known["iss"] == "III"])
    theirs = CoxPHSurvivalAnalysis(ties="efron", tol=1e-12).fit(
        columns.astype(float), Surv.from_arrays(known["event"] == "relapse", known["time"])
    )
    by_hand = dict(zip(["I(age_years / 10)", "del17p", "iss[II]", "iss[III]"], theirs.coef_, strict=True))
    np.testing.assert_allclose([by_hand[term] for term in ours.index], ours["log_estimate"], atol=1e-5)


def test_strata_go_to_lifelines_too():
    frame = SPELLS.assign(sex=np.where(np.arange(ROWS) % 2, "male", "female"))
    table, _ = hazards.ordinary_cox(frame, "del17p", "relapse", strata="sex")
    ours = hazards.cox(frame, "del17p", "relapse", strata="sex")
    np.testing.assert_allclose(table["log_estimate"], ours["log_estimate"], atol=1e-9)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (SPELLS.assign(entry=np.where(np.arange(ROWS) < 3, 1, 0)), "3 delayed entries"),
        (SPELLS.assign(patient_id="one"), "one spell per patient, came 399 more"),
    ],
)
def test_what_lifelines_gets_wrong_is_refused(frame, message):
    with pytest.raises(schema.SchemaError, match=message):
        hazards.ordinary_cox(frame, "del17p", "relapse")


def test_a_separated_term_has_no_estimate_and_says_so():
    frame = SPELLS.assign(seen=(SPELLS["event"] == "relapse").astype(float))
    table, _ = hazards.ordinary_cox(frame, "seen", "relapse")
    assert table["estimate"].isna().all() and table["note"].iloc[0]


def test_published_effects_have_source_and_grade_and_none_from_memory():
    stored = published.published()
    assert stored["grade"].isin(published.GRADES).all()
    assert (stored["source"].str.len() > 5).all()
    within = stored.dropna(subset=["conf_low"])
    assert ((within["conf_low"] < within["estimate"]) & (within["estimate"] < within["conf_high"])).all()


def test_a_real_page_has_no_effect_of_a_handful_and_no_place_of_a_patient():
    table = hazards.cox(SPELLS, "del17p", "relapse")
    few = table.assign(events=5.0, note="6 of 400 rows left out for missing values (iss 6); line 2; row 17; 55 rows")
    shown = disclosure.shared(few, schema.EFFECTS, synthetic=False)
    assert shown[["estimate", "log_estimate", "conf_low", "p", "events"]].isna().all(axis=None)
    assert shown["note"].iloc[0] == (
        "a few of 400 rows left out for missing values (iss a few); line 2; one row; 55 rows"
    )
    assert disclosure.shared(table, schema.EFFECTS, synthetic=False)["estimate"].notna().all()
    assert disclosure.shared(few, schema.EFFECTS, synthetic=True).equals(few)


MANY = pd.concat([SPELLS.assign(line=line, patient_id=SPELLS["patient_id"]) for line in (1, 2, 3)], ignore_index=True)


def test_every_cause_has_its_model_and_few_events_are_named_not_told():
    rare = SPELLS.assign(event=SPELLS["event"].where(SPELLS.index > 4, "next_line"))
    table, fitted = hazards.by_cause(rare, "del17p")
    assert list(fitted) == ["relapse", "next_line", "death"]
    assert table.loc[table["model"] == "Cox, next_line", "estimate"].isna().all()
    assert table["note"].str.contains("not told: fewer than 10 events for each of 1 columns").tolist() == [
        False,
        True,
        False,
    ]
    assert hazards.by_cause(rare.assign(event="censored"), "del17p")[0].empty


def test_delayed_entry_goes_to_our_own_likelihood():
    late = SPELLS.assign(entry=np.minimum(5, SPELLS["time"] - 1))
    table, fitted = hazards.by_cause(late, "del17p")
    ours = hazards.cox(late, "del17p", "relapse", entry="entry")
    assert type(fitted["relapse"]).__name__ == "Model"
    assert table["estimate"].iloc[0] == ours["estimate"].iloc[0]


def test_a_rare_cause_has_the_same_hazard_for_all_and_no_contrast():
    known = SPELLS.dropna(subset=["iss"]).reset_index(drop=True)
    rare = known.assign(event=known["event"].where(known.index > 3, "next_line"))
    models = hazards.fit_causes(rare, "del17p + iss")
    assert models["next_line"].fit.names == ()
    gaps = hazards.standardised_difference(models, rare, "del17p", [0.0, 1.0], [365]).set_index("event")
    assert gaps["estimate"].isna().to_dict() == {"relapse": False, "next_line": True, "death": False}
    assert "not told" in gaps.loc["next_line", "note"]


def test_each_line_has_models_of_its_own():
    table = hazards.by_line(MANY, "del17p", [1, 3])
    alone, _ = hazards.by_cause(MANY[MANY["line"] == 3], "del17p")
    assert table["model"].unique().tolist() == ["line 1, relapse", "line 1, death", "line 3, relapse", "line 3, death"]
    np.testing.assert_array_equal(table.loc[table["model"].str.startswith("line 3"), "estimate"], alone["estimate"])


def test_fading_is_the_slope_of_the_log_ratio_over_lines():
    chance = np.random.default_rng(4)
    rows = 4000
    line, high = chance.integers(1, 4, rows), (chance.random(rows) < 0.5).astype(float)
    time = chance.exponential(500 / np.exp(high * (0.9 - 0.3 * (line - 1)))).round() + 1
    frame = pd.DataFrame({"patient_id": np.arange(rows), "line": line, "entry": 0, "time": time, "event": "relapse"})
    found = hazards.fading(frame.assign(high=high), "high", "relapse").iloc[0]
    assert found["conf_low"] < np.exp(-0.3) < found["conf_high"] < 1
    with pytest.raises(schema.SchemaError, match="several lines"):
        hazards.fading(frame[frame["line"] == 2].assign(high=1.0), "high", "relapse")


def test_history_is_of_earlier_lines_only():
    frame = pd.DataFrame({"patient_id": ["a", "a", "b"], "line": [1, 2, 2]})
    known = frame.assign(
        previous_days_to_next_line=[np.nan, 200, 500],
        previous_response=["no earlier line", "VGPR", "unknown"],
        refractory_pi=pd.array([False, True, None], dtype="boolean"),
    )
    found = covariates.with_history(frame, known)
    assert found["short_previous_line"].tolist()[1:] == [1.0, 0.0]
    assert found["deep_previous_response"].isna().tolist() == [True, False, True]
    assert found["refractory_pi"].isna().tolist() == [True, False, True]
    assert found.iloc[0].isna().sum() == 3
