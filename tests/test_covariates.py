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
