"""Hazard models against R, against other libraries, by what must hold of them, and with bad input.

The figures of R are in tests/reference/hazards_*.csv, made by tests/reference/make_reference_hazards.R (survival 3.5-3,
cmprsk 2.2-11, mets 1.3.2; see sessionInfo.txt and recurrence_sessionInfo.txt there).
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.estimate import hazards, likelihood
from analysis.estimate.hazards import cox, fine_gray, fit_cox, fit_fine_gray, predict_incidence

REFERENCE = Path(__file__).parent / "reference"
TERMS = "age + sex + stage + marker"
PROFILES = pd.DataFrame(
    {"age": [55, 75], "sex": ["female", "male"], "stage": ["I", "III"], "marker": [2, 6], "line": [1, 2]},
    index=["mild", "severe"],
)


@cache
def reference(name):
    return pd.read_csv(REFERENCE / f"hazards_{name}.csv", keep_default_na=False, na_values=[""])


def dataset(name="simulated"):
    data = reference("data")
    if name == "untied":
        return dataset().assign(time=lambda frame: frame["time"] + np.arange(1, 257) / 1024)
    return data[data["dataset"] == name].reset_index(drop=True)


def started(name="simulated"):
    return dataset(name).assign(entry=0)


def pick(table, **wanted):
    found = reference(table)
    return found[(found[list(wanted)] == list(wanted.values())).all(axis=1)].reset_index(drop=True)


def keys(name, *columns):
    return [tuple(row) for row in reference(name)[list(columns)].drop_duplicates().to_numpy()]


# --- against R ------------------------------------------------------------------------------------------------------


RECURRENT = ("model", "ties", "cluster", "weights", "entry")


def recurrent_fit(model, ties, cluster, weights, entry):
    """As R was asked: `cluster` names a column, or None."""
    name, _, strata = model.partition(", ")
    chosen = {} if name == "pwp_gap_time" else {"start": "start"}
    chosen |= {"strata": "stage"} if strata else {}
    chosen |= {"entry": "entry"} if entry else {}
    chosen |= {"weight": None if weights == "none" else "weight", "cluster": cluster, "ties": ties}
    spells = weighted(weights).assign(row=range(256))
    return getattr(hazards, f"fit_{name}")(spells, "age + sex + marker" if strata else TERMS, "relapse", **chosen)


def weighted(weights, spells=None):
    spells = dataset() if spells is None else spells
    return spells.assign(weight=spells["weight"] * {"none": 1, "whole": 1, "fractional": 0.37}[weights])


@pytest.mark.parametrize("key", keys("recurrent", *RECURRENT))
def test_recurrent_models_as_in_r_in_every_combination(key):
    model, ties, cluster, weights, entry = key
    expected = pick("recurrent", **dict(zip(RECURRENT, key, strict=True)))
    fit = recurrent_fit(model, ties, "patient_id" if cluster else "row", weights, entry).fit
    np.testing.assert_allclose(fit.coefficients, expected["coefficient"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.variance)), expected["model_error"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(fit.errors, expected["robust_error"], rtol=0, atol=1e-12)
    if not cluster:
        alone = recurrent_fit(model, ties, None, weights, entry).fit
        kind = "robust_error" if weights == "fractional" else "model_error"
        np.testing.assert_allclose(alone.errors, expected[kind], rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", ["andersen_gill", "pwp_total_time", "pwp_gap_time"])
def test_tables_of_recurrent_models_have_robust_errors_by_patient_unasked(model):
    clock = {} if model == "pwp_gap_time" else {"start": "start"}
    found = getattr(hazards, model)(dataset(), TERMS, "relapse", entry="entry", **clock)
    expected = pick("recurrent", model=model, ties="efron", cluster=True, weights="none", entry=True)
    schema.check(found, schema.EFFECTS)
    np.testing.assert_allclose(found["log_estimate"], expected["coefficient"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["std_error"], expected["robust_error"], rtol=0, atol=1e-12)
    assert found["subjects"].eq(dataset()["patient_id"].nunique()).all()


FINE_GRAY = ("dataset", "r", "strata", "weights", "cluster")
WEIGHTS_NOT_IN_G = "finegray, weights not in G"


@pytest.mark.parametrize("key", [key for key in keys("fine_gray", *FINE_GRAY) if key[1] != WEIGHTS_NOT_IN_G])
def test_fine_gray_as_finegray_as_crr_and_as_cifreg(key):
    name, r, strata, weights, cluster = key
    expected = pick("fine_gray", **dict(zip(FINE_GRAY, key, strict=True)))
    model = fit_fine_gray(
        weighted(weights, started(name)),
        "age + sex + marker" if name == "mgus2" else TERMS,
        "relapse",
        "line" if strata else None,
        "patient_id" if cluster else None,
        None if weights == "none" else "weight",
        convention="survival" if r == "finegray" else "cmprsk",
    )
    np.testing.assert_allclose(model.fit.coefficients, expected["coefficient"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.sqrt(np.diag(model.fit.variance)), expected["model_error"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(model.fit.errors, expected["robust_error"], rtol=0, atol=1e-12)


def test_weights_count_in_the_distribution_of_censoring_where_finegray_leaves_them_out():
    ours = fine_gray(started(), TERMS, "relapse", weight="weight", convention="survival")
    r = pick("fine_gray", r=WEIGHTS_NOT_IN_G)
    away = (ours["log_estimate"] - r["coefficient"]).abs() / r["robust_error"]
    assert 0.01 < away.max() < 0.05, away


def test_fine_gray_errors_by_patient_do_not_depend_on_the_size_of_the_weights():
    chosen = {"weight": "weight", "cluster": "patient_id", "strata": "line"}
    whole, part = (
        fit_fine_gray(weighted(kind, started()), TERMS, "relapse", **chosen).fit for kind in ("whole", "fractional")
    )
    np.testing.assert_allclose(part.coefficients, whole.coefficients, rtol=1e-10)
    np.testing.assert_allclose(part.errors, whole.errors, rtol=1e-10)


ZPH = ("ties", "cluster", "weights", "entry", "strata", "transform", "by_term")


@pytest.mark.parametrize("key", keys("proportional", *ZPH))
def test_proportional_hazards_as_cox_zph(key):
    ties, cluster, weights, entry, strata, transform, by_term = key
    spells = dataset()
    spells["weight"] *= {"none": 1, "whole": 1, "fractional": 0.37}[weights]
    chosen = {
        "strata": "line" if strata else None,
        "cluster": "patient_id" if cluster else None,
        "entry": "entry" if entry else None,
        "weight": None if weights == "none" else "weight",
    }
    model = fit_cox(spells, TERMS, "relapse", ties=ties, **chosen)
    found = schema.check(hazards.proportional_hazards(model, transform, by_term), schema.TESTS)
    expected = pick("proportional", **dict(zip(ZPH, key, strict=True)))
    np.testing.assert_allclose(found["statistic"], expected["chisq"], rtol=1e-9)
    assert found["df"].tolist() == expected["df"].tolist()
    np.testing.assert_allclose(found["p"], expected["p"], rtol=1e-9)


@pytest.mark.parametrize(
    ("strata", "entry", "ties", "profile"), keys("cumulative", "strata", "entry", "ties", "profile")
)
def test_cumulative_hazard_of_a_patient_as_survfit(strata, entry, ties, profile):
    model = fit_cox(
        dataset(),
        TERMS,
        "relapse",
        strata="line" if strata else None,
        entry="entry" if entry else None,
        ties=ties,
    )
    label = PROFILES.index[profile - 1]
    curves = schema.check(hazards.cumulative_hazard(model, PROFILES), schema.CURVES)
    ours = curves[curves["stratum"] == (f"{label} · line {profile}" if strata else label)]
    expected = pick("cumulative", strata=strata, entry=entry, ties=ties, profile=profile)
    assert ours["time"].tolist() == expected["time"].tolist()
    assert ours["events"].tolist() == expected["events"].tolist()
    np.testing.assert_allclose(ours["estimate"], expected["hazard"], rtol=1e-12)
    np.testing.assert_allclose(ours["std_error"], expected["std_error"], rtol=1e-11)


def models_of(spells, terms=TERMS, **chosen):
    return {cause: fit_cox(spells, terms, cause, **chosen) for cause in ("relapse", "death")}


def test_predicted_incidence_as_from_the_hazards_of_survfit():
    found = schema.check(predict_incidence(models_of(dataset()), PROFILES, [5, 15, 30]), schema.CURVES)
    for place, label in enumerate(PROFILES.index):
        expected = pick("risk", profile=place + 1)
        for cause in ("relapse", "death"):
            ours = found[(found["stratum"] == label) & (found["event"] == cause)]
            np.testing.assert_allclose(ours["estimate"], expected[cause], rtol=1e-12)


# --- errors of predictions, which R does not give ---------------------------------------------------------------------


def jackknife(spells, row, times, groups, **chosen):
    """The standard error by fitting again without each group of rows in turn."""
    found = []
    for group in np.unique(groups):
        models = models_of(spells[groups != group], "age + marker", **chosen)
        found.append(predict_incidence(models, row, times)["estimate"].to_numpy())
    found = np.array(found)
    return np.sqrt(((found - found.mean(axis=0)) ** 2).sum(axis=0))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_robust_errors_of_a_prediction_are_those_of_the_jackknife(ties):
    spells, row, times = dataset(), PROFILES.iloc[[0]], [5, 15]
    chosen = {"entry": "entry", "ties": ties}
    models = models_of(spells, "age + marker", cluster="patient_id", **chosen)
    errors = predict_incidence(models, row, times)["std_error"]
    expected = jackknife(spells, row, times, spells["patient_id"].to_numpy(), **chosen)
    np.testing.assert_allclose(errors, expected, rtol=0.06)


def test_model_errors_of_a_prediction_are_near_those_of_the_jackknife():
    spells, row, times = dataset("mgus2"), PROFILES.iloc[[1]].assign(marker=1.2), [60, 120, 240]
    errors = predict_incidence(models_of(spells, "age + marker"), row, times)["std_error"]
    expected = jackknife(spells, row, times, np.arange(len(spells)) % 60)
    np.testing.assert_allclose(errors, expected, rtol=0.3)  # 60 groups: the jackknife itself is 9 % uncertain


def test_robust_errors_of_a_prediction_are_the_slopes_by_the_weights():
    """With Breslow's ties the infinitesimal jackknife is the derivative of the estimate by each row's weight."""
    spells = dataset().iloc[:40].reset_index(drop=True).assign(weight=1.0)
    row, times, small = PROFILES.iloc[[0]], [8, 20], 1e-4

    def incidence(weight):
        models = models_of(spells.assign(weight=weight), "age + marker", weight="weight", entry="entry", ties="breslow")
        return predict_incidence(models, row, times)["estimate"].to_numpy()

    slopes = []
    for place in range(len(spells)):
        step = small * (np.arange(len(spells)) == place)
        slopes.append((incidence(1 + step) - incidence(1 - step)) / (2 * small))
    models = {
        cause: fit_cox(spells, "age + marker", cause, entry="entry", ties="breslow", robust=True)
        for cause in ("relapse", "death")
    }
    errors = predict_incidence(models, row, times)["std_error"]
    np.testing.assert_allclose(errors, np.sqrt((np.array(slopes) ** 2).sum(axis=0)), rtol=1e-5)


def test_predicted_incidences_of_an_empty_model_are_those_of_aalen_and_johansen():
    from analysis.estimate.curves import cumulative_incidence_at

    spells = started("mgus2")
    rows = pd.concat([spells] * 3, ignore_index=True)
    rows["noise"] = np.repeat([-1, 0, 1], len(spells))  # the same cohort thrice: no effect of the noise whatever
    found = predict_incidence(models_of(rows, "noise"), pd.DataFrame({"noise": [0.0]}), [60, 120, 240])
    expected = cumulative_incidence_at(spells, [60, 120, 240])
    for cause in ("relapse", "death"):
        ours = found.loc[found["event"] == cause, "estimate"]
        np.testing.assert_allclose(ours, expected.loc[expected["event"] == cause, "estimate"], rtol=5e-3)


# --- other libraries -----------------------------------------------------------------------------------------------


def test_lifelines_is_the_witness_without_entry_and_clusters():
    from lifelines import CoxPHFitter

    spells = dataset()
    frame = spells[["age", "marker", "time", "line"]].assign(had=spells["event"].eq("relapse"))
    fitter = CoxPHFitter().fit(
        frame, "time", "had", strata=["line"], fit_options={"precision": 1e-15, "r_precision": 1e-16, "step_size": 1.0}
    )
    ours = cox(spells, "age + marker", "relapse", strata="line")
    np.testing.assert_allclose(ours["log_estimate"], fitter.params_, rtol=1e-8)
    np.testing.assert_allclose(ours["std_error"], fitter.standard_errors_, rtol=1e-8)


def test_scikit_survival_is_the_witness_for_efron_ties():
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    spells = dataset()
    outcome = Surv.from_arrays(spells["event"].eq("relapse"), spells["time"])
    fitter = CoxPHSurvivalAnalysis(ties="efron", tol=1e-12).fit(spells[["age", "marker"]].astype(float), outcome)
    np.testing.assert_allclose(cox(spells, "age + marker", "relapse")["log_estimate"], fitter.coef_, rtol=1e-7)


# --- what must hold ---------------------------------------------------------------------------------------------------


def test_every_table_fits_its_declaration_and_nothing_given_is_changed():
    spells = dataset()
    before = spells.copy(deep=True)
    model = fit_cox(spells, TERMS, "relapse", cluster="patient_id", entry="entry")
    schema.check(hazards.effects(model), schema.EFFECTS)
    schema.check(hazards.overall_tests(model), schema.TESTS)
    schema.check(hazards.events_per_term(model), schema.CHECKS)
    schema.check(hazards.influence(model), schema.CHECKS)
    for kind in ("martingale", "schoenfeld", "scaled schoenfeld", "dfbeta"):
        schema.check(hazards.residuals(model, kind), schema.RESIDUALS)
    pd.testing.assert_frame_equal(spells, before)


def test_fine_gray_whole_weights_are_repeated_rows():
    spells = started()
    repeated = spells.loc[spells.index.repeat(spells["weight"])].assign(patient_id=0)
    one = fit_fine_gray(spells, TERMS, "relapse", weight="weight").fit
    many = fit_fine_gray(repeated, TERMS, "relapse").fit
    np.testing.assert_allclose(one.coefficients, many.coefficients, rtol=1e-9)
    np.testing.assert_allclose(one.variance, many.variance, rtol=1e-9)
    np.testing.assert_allclose(one.errors, many.errors, rtol=1e-9)


def test_fine_gray_without_other_events_is_cox():
    spells = started().assign(event=lambda frame: frame["event"].replace("death", "censored"))
    one, other = (
        fit_fine_gray(spells, TERMS, "relapse", convention="survival").fit,
        fit_cox(spells, TERMS, "relapse").fit,
    )
    np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-12)
    np.testing.assert_allclose(one.variance, other.variance, rtol=1e-12)


def test_fine_gray_without_censoring_is_cox_with_the_others_at_risk_for_ever():
    spells = started()
    spells = spells[spells["event"] != "censored"]
    waiting = spells.assign(time=spells["time"].where(spells["event"] == "relapse", 1000))
    one = fit_fine_gray(spells, TERMS, "relapse").fit
    other = fit_cox(waiting, TERMS, "relapse", ties="breslow", robust=True).fit
    np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-12)
    np.testing.assert_allclose(one.robust, other.robust, rtol=1e-10)


def test_fine_gray_has_no_score_test_that_takes_the_weights_for_known():
    tests = hazards.overall_tests(fit_fine_gray(started(), "age", "relapse"))["test"].tolist()
    assert tests == ["likelihood ratio", "score", "Wald"]


def test_fine_gray_in_strata_is_a_fit_of_each_put_together():
    spells = started()
    spells["first"] = spells["line"] == 1
    spells = spells.assign(
        of_first=lambda frame: frame["age"].where(frame["first"], 0),
        of_later=lambda frame: frame["age"].where(~frame["first"], 0),
    )
    both = fine_gray(spells, "of_first + of_later", "relapse", strata="first").set_index("term")
    for term, rows in (("of_first", spells[spells["first"]]), ("of_later", spells[~spells["first"]])):
        alone = fine_gray(rows, "age", "relapse").iloc[0]
        assert both.loc[term, "log_estimate"] == pytest.approx(alone["log_estimate"], rel=1e-9)
        assert both.loc[term, "std_error"] == pytest.approx(alone["std_error"], rel=1e-9)


def test_several_causes_are_one_combined_end_point():
    spells = dataset()
    together = spells.assign(event=spells["event"].replace("death", "relapse"))
    one = cox(spells, "age", ["relapse", "death"])
    assert one["log_estimate"].item() == cox(together, "age", "relapse")["log_estimate"].item()
    assert one["model"].item() == "Cox, relapse or death"
    assert one["log_estimate"].item() == cox(spells, "age", "any")["log_estimate"].item()


@pytest.mark.parametrize(
    "types",
    [
        {"age": "Float64", "sex": "string"},
        {"age": "Int64", "sex": "category"},
        {"time": "Int64", "entry": "Int64", "event": "category"},
        {"time": "uint16", "entry": "uint16", "patient_id": "string", "event": "string"},
    ],
)
def test_the_type_of_a_column_does_not_matter(types):
    chosen = {"cluster": "patient_id", "entry": "entry"}
    expected = cox(dataset(), "age + sex", "relapse", **chosen)
    pd.testing.assert_frame_equal(cox(dataset().astype(types), "age + sex", "relapse", **chosen), expected)


def test_missing_values_of_every_kind_are_left_out():
    spells = dataset().astype({"age": "Float64", "sex": "string"}).assign(old=lambda frame: frame["age"] > 70)
    spells.loc[3, "age"] = pd.NA
    spells.loc[4, "sex"] = pd.NA
    spells["old"] = spells["old"].astype("boolean")
    spells.loc[5, "old"] = pd.NA
    found = cox(spells, "age + sex + old", "relapse", entry="entry")
    assert found["note"][0] == "3 of 256 rows left out for missing values (age 1, sex 1, old 1)"


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("terms", ["age", "1"])
def test_no_rows_and_one_row_and_no_terms_are_tables_all_the_same(rows, terms):
    spells = started().iloc[:rows].assign(weight=1)
    chosen = {"cluster": "patient_id", "weight": "weight"}
    for found in (
        cox(spells, terms, "relapse", strata="line", entry="entry", **chosen),
        fine_gray(spells, terms, "relapse", strata="line", **chosen),
        hazards.andersen_gill(spells, terms, "relapse", start="start"),
    ):
        schema.check(found, schema.EFFECTS)
        assert found["estimate"].isna().all()


def test_limits_and_p_follow_from_coefficient_and_error():
    row = cox(dataset(), "age", "relapse", conf_level=0.9).iloc[0]
    assert row["estimate"] == pytest.approx(np.exp(row["log_estimate"]))
    assert np.log(row["conf_high"] / row["conf_low"]) == pytest.approx(2 * 1.6448536269514722 * row["std_error"])
    assert row["p"] == pytest.approx(_two_sided(abs(row["log_estimate"] / row["std_error"])))


def _two_sided(z):
    from statistics import NormalDist

    return 2 * (1 - NormalDist().cdf(z))


def test_clusters_choose_the_robust_error_and_fractional_weights_too():
    spells = dataset()
    model, robust = cox(spells, "age", "relapse"), fit_cox(spells, "age", "relapse", robust=True).fit
    assert model["std_error"].item() == pytest.approx(np.sqrt(robust.variance[0, 0]))
    half = cox(spells.assign(weight=0.5), "age", "relapse", weight="weight", ties="breslow")
    whole = fit_cox(spells, "age", "relapse", robust=True, ties="breslow").fit
    assert half["std_error"].item() == pytest.approx(whole.errors[0], rel=1e-9)


def test_rows_of_weight_zero_and_of_unknown_covariates_are_left_out_counted_and_said():
    spells = dataset().astype({"age": float})
    spells.loc[[3, 8], "age"] = np.nan
    spells.loc[9, "marker"] = np.nan
    spells.loc[20, "weight"] = 0
    found = cox(spells, "age + marker", "relapse", weight="weight")
    expected = cox(spells.drop(index=[3, 8, 9, 20]), "age + marker", "relapse", weight="weight")
    assert found["log_estimate"].tolist() == expected["log_estimate"].tolist()
    assert "1 rows of weight 0 left out" in found["note"][0]
    assert "3 of 255 rows left out for missing values (age 2, marker 1)" in found["note"][0]
    # Residuals name the rows as they stood among the spells given.
    model = fit_cox(spells, "age + marker", "relapse", weight="weight")
    assert {3, 8, 9, 20}.isdisjoint(hazards.residuals(model, "martingale")["row"])
    assert hazards.residuals(model, "martingale")["row"].max() == len(spells) - 1


def test_a_missing_value_inside_a_spline_or_a_function_is_seen_too():
    spells = dataset().astype({"age": float})
    spells.loc[4, "age"] = np.nan
    assert "1 of 256 rows" in cox(spells, "bs(age, df=3)", "relapse")["note"][0]
    assert "1 of 256 rows" in cox(spells, "np.log(age)", "relapse")["note"][0]


def test_delayed_entries_that_are_not_used_are_said():
    assert "delayed entries not used" in cox(dataset(), "age", "relapse")["note"][0]
    assert cox(dataset(), "age", "relapse", entry="entry")["note"][0] == ""


def test_a_spline_predicts_with_the_knots_of_the_fit():
    spells = dataset()
    models = models_of(spells, "bs(age, df=4) + C(stage)")
    at = pd.DataFrame({"age": [60, 66], "stage": ["II", "II"]}, index=["a", "b"])
    both = predict_incidence(models, at, [10])
    alone = predict_incidence(models, at.iloc[[1]], [10])
    assert both.loc[both["stratum"] == "b", "estimate"].tolist() == alone["estimate"].tolist()


def test_the_first_category_is_the_reference_and_an_absent_level_is_named():
    spells = dataset()
    spells["stage"] = pd.Categorical(spells["stage"], ["III", "II", "I", "IV"])
    found = cox(spells, "stage", "relapse").set_index("term")
    assert found.index.tolist() == ["stage[II]", "stage[I]", "stage[IV]"]
    assert "constant" in found.loc["stage[IV]", "note"]
    assert np.isnan(found.loc["stage[IV]", "estimate"])
    assert np.isfinite(found.loc["stage[I]", "estimate"])


def test_influence_is_near_the_change_of_leaving_the_patient_out():
    spells = dataset()
    model = fit_cox(spells, "age + marker", "relapse", cluster="patient_id", entry="entry")
    found = hazards.influence(model)
    for place, check in enumerate(found.itertuples()):
        patient = spells["patient_id"][int(check.note.removeprefix("row "))]
        rest = fit_cox(spells[spells["patient_id"] != patient], "age + marker", "relapse", entry="entry").fit
        change = abs(rest.coefficients[place] - model.fit.coefficients[place]) / model.fit.errors[place]
        assert check.value == pytest.approx(change, rel=0.25)
    assert not hazards.influence(model, most=0.1)["passed"].any()


def test_events_per_term():
    found = hazards.events_per_term(fit_cox(dataset(), TERMS, "relapse")).iloc[0]
    assert found["value"] == pytest.approx(143 / 5)
    assert found["passed"]
    assert not hazards.events_per_term(fit_cox(dataset("one event"), "age", "relapse"))["passed"].item()


def test_a_stratum_without_events_is_named():
    assert "no events in stratum line 2" in cox(dataset("silent stratum"), "age", "relapse", strata="line")["note"][0]


def test_many_silent_strata_are_counted():
    spells = dataset().assign(center=np.arange(256))
    note = cox(spells, "age", "relapse", strata="center", entry="entry")["note"].item()
    assert note.count("110 more") == 1  # 113 of the 256 have no relapse
    assert len(note) < 200


def test_spells_of_no_length_are_never_at_risk_on_the_patients_clock():
    spells = dataset()
    longer = pd.concat([spells, spells.iloc[[0]].assign(entry=0, time=0, start=50)], ignore_index=True)
    found = hazards.andersen_gill(longer, "age", "relapse", start="start")
    expected = hazards.andersen_gill(spells, "age", "relapse", start="start")
    assert found["log_estimate"].item() == pytest.approx(expected["log_estimate"].item(), rel=1e-12)
    assert "1 spells of no length left out" in found["note"].item()


def test_more_terms_than_events_is_no_number():
    found = cox(dataset("one event"), "age + marker", "relapse")
    assert found[["estimate", "conf_low", "conf_high", "log_estimate", "std_error", "p"]].isna().all(axis=None)
    assert found["note"].eq("no estimate: 2 terms for 1 events").all()
    assert cox(dataset("one event"), "age", "death")["note"].item() == "no estimate: 1 terms for 0 events"
    schema.check(found, schema.EFFECTS)


def test_more_terms_than_events_is_no_number_although_the_likelihood_has_a_maximum():
    # The one event lies amid the others in both covariates, so two coefficients could be had from it.
    spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 5, 5], "event": ["relapse"] + ["censored"] * 4})
    spells = spells.assign(a=[0.1, 1, 1, -1, -1], b=[0.2, 1, -1, 1, -1])
    assert fit_cox(spells, "a", "relapse").fit.converged
    assert cox(spells, "a + b", "relapse")["estimate"].isna().all()


def test_no_prediction_from_a_model_without_estimates_or_past_follow_up():
    spells = dataset()
    with pytest.raises(schema.SchemaError, match="finite estimate"):
        hazards.cumulative_hazard(fit_cox(dataset("one event"), "age + marker", "relapse"))
    late = predict_incidence(models_of(spells), PROFILES, [10, 5000])
    assert late.loc[late["time"] == 5000, "estimate"].isna().all()
    assert late.loc[late["time"] == 5000, "note"].str.contains("nobody was under observation after").all()


def test_robust_and_fine_gray_hazards_have_no_model_errors():
    curves = hazards.cumulative_hazard(fit_cox(dataset(), "age", "relapse", cluster="patient_id"))
    assert curves["std_error"].isna().all()
    assert curves["estimate"].notna().all()


# --- bad input ----------------------------------------------------------------------------------------------------


def spoiled(**columns):
    spells = dataset().astype({"time": float, "age": float})
    for name, (row, value) in columns.items():
        spells[name] = spells[name].astype(object) if isinstance(value, str) else spells[name].astype(float)
        spells.loc[row, name] = value
    return spells


@pytest.mark.parametrize(
    ("spells", "chosen", "words"),
    [
        (spoiled(time=(7, -1)), {}, ["'time'", "-1", "row 7"]),
        (spoiled(time=(7, np.nan)), {}, ["'time'", "nan", "row 7"]),
        (spoiled(time=(7, np.inf)), {}, ["'time'", "inf", "row 7"]),
        (spoiled(entry=(11, 999)), {"entry": "entry"}, ["'entry' and 'time'", "row 11"]),
        (spoiled(event=(2, "gone")), {}, ["'event'", "'gone'", "row 2"]),
        (dataset().assign(event=1), {}, ["'event'", "int64 codes"]),
        (spoiled(patient_id=(5, np.nan)), {"cluster": "patient_id"}, ["'patient_id'", "missing", "row 5"]),
        (spoiled(line=(6, np.nan)), {"strata": "line"}, ["'line'", "missing", "row 6"]),
        (spoiled(weight=(6, -2)), {"weight": "weight"}, ["'weight'", "-2", "row 6"]),
        (spoiled(age=(9, np.inf)), {}, ["'age'", "inf", "row 9"]),
        (dataset(), {"terms": "aeg"}, ["'aeg'", "did you mean 'age'?"]),
        (dataset(), {"terms": "age + bs(aeg, df=3)"}, ["'aeg'", "did you mean 'age'?"]),
        (dataset(), {"terms": "age +"}, ["cannot read the formula"]),
        (dataset(), {"terms": "np.log(age +)"}, ["cannot read"]),
        (dataset(), {"terms": "`M protein`"}, ["'M protein' is missing"]),
        (dataset(), {"terms": "time ~ age"}, ["covariates only"]),
        (dataset(), {"terms": "age - 1"}, ["no intercept"]),
        (dataset(), {"terms": "strata(line)"}, ["strata, clusters and weights are parameters"]),
        (dataset(), {"terms": ["age", "sex"]}, ["expected a formula", "list"]),
        (dataset(), {"cause": "progression"}, ["cause", "'progression'"]),
        (dataset(), {"cause": "censored"}, ["cause", "'censored'"]),
        (dataset(), {"ties": "exact"}, ["ties", "'exact'"]),
        (dataset(), {"strata": "center"}, ["'center' is missing"]),
    ],
)
def test_bad_input_names_column_and_row(spells, chosen, words):
    with pytest.raises(schema.SchemaError) as error:
        cox(spells, **{"terms": "age", "cause": "relapse", **chosen})
    for word in words:
        assert word in str(error.value)


def test_all_faults_of_the_spells_are_named_at_once():
    spells = spoiled(time=(7, -1), event=(2, "gone"), patient_id=(5, np.nan))
    with pytest.raises(schema.SchemaError) as error:
        cox(spells, "age", "relapse", cluster="patient_id", strata="center")
    assert all(word in str(error.value) for word in ("'time'", "'event'", "'patient_id'", "'center'"))


def test_fine_gray_refuses_delayed_entry_and_unknown_conventions():
    with pytest.raises(schema.SchemaError, match="observed from the start"):
        fine_gray(dataset(), "age", "relapse")
    with pytest.raises(schema.SchemaError, match="convention"):
        fine_gray(started(), "age", "relapse", convention="sas")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda models, at: (models, at.drop(columns="age")), "'age' is missing"),
        (lambda models, at: (models, at.assign(stage="IV")), "'IV' first in row mild"),
        (lambda models, at: (models, at.assign(age=np.nan)), "'age': expected a value"),
        (lambda models, at: ({"relapse": models["relapse"]}, at), "no model for ['death']"),
        (lambda models, at: ({"relapse": models["relapse"], "death": models["relapse"]}, at), "fitted to 'relapse'"),
        (lambda models, at: ({}, at), "came none"),
        (lambda models, at: (models, at.iloc[:0]), "no rows"),
        (lambda models, at: (models, pd.concat([at, at])), "unique"),
        (lambda models, at: (models_of(dataset(), TERMS, strata="line"), at.drop(columns="line")), "'line' is missing"),
        (lambda models, at: (models_of(dataset(), TERMS, strata="line"), at.assign(line=9)), "no stratum"),
    ],
)
def test_predictions_that_cannot_be_made_say_why(change, words):
    models, at = change(models_of(dataset()), PROFILES)
    with pytest.raises(schema.SchemaError) as error:
        predict_incidence(models, at, [10])
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("terms", "strange", "words"),
    [
        ("C(stage)", {"stage": "IV"}, ["column 'stage'", "'IV' first in row severe", "['I', 'II', 'III']"]),
        ("age + C( `stage`, contr.sum)", {"stage": "IV"}, ["column 'stage'", "'IV' first in row severe"]),
        ("C(stage, contr.treatment('II')):age", {"stage": "IV"}, ["column 'stage'", "'IV' first in row severe"]),
        ("C(line)", {"line": 9}, ["column 'line'", "9 first in row severe"]),
        ("C(np.ceil(age / 20))", {"age": 500}, ["C(np.ceil(age / 20)) has [3.0, 4.0, 5.0]", "came {25.0}"]),
        ("bs(age, df=3)", {"age": 500}, ["bs(age, df=3)", "beyond"]),
    ],
)
@pytest.mark.parametrize("kind", ["risk", "hazard"])
def test_a_level_that_the_model_does_not_know_is_named_and_never_the_reference(terms, strange, words, kind):
    models = models_of(dataset(), terms)
    at = PROFILES.assign(**{name: [PROFILES[name].iloc[0], value] for name, value in strange.items()})
    with pytest.raises(schema.SchemaError) as error:
        predict_incidence(models, at, [10]) if kind == "risk" else hazards.cumulative_hazard(models["relapse"], at)
    for word in words:
        assert word in str(error.value)


def test_a_level_left_out_of_the_levels_named_is_refused_in_the_fit_too():
    with pytest.raises(schema.SchemaError, match=r"came \{'III'\}, outside of the levels"):
        cox(dataset(), "C(stage, levels=['I', 'II'])", "relapse")


def test_predictions_need_times_that_can_be_and_patients():
    with pytest.raises(ValueError, match="-3"):
        predict_incidence(models_of(dataset()), PROFILES, [10, -3])
    with pytest.raises(ValueError, match="conf_level"):
        cox(dataset(), "age", "relapse", conf_level=95)
    with pytest.raises(schema.SchemaError, match="no rows"):
        hazards.cumulative_hazard(fit_cox(dataset(), "age", "relapse"), PROFILES.iloc[:0])


def test_a_column_whose_name_has_a_space_goes_between_backticks():
    spells = dataset().rename(columns={"marker": "M protein"})
    expected = cox(dataset(), "age + np.log(marker + 1)", "relapse")
    found = cox(spells, "age + np.log(`M protein` + 1)", "relapse")
    assert found["log_estimate"].tolist() == expected["log_estimate"].tolist()
    assert cox(spells, "`M protein`", "relapse")["log_estimate"].item() == pytest.approx(
        cox(dataset(), "marker", "relapse")["log_estimate"].item()
    )


def test_a_test_of_time_needs_times_and_a_known_transform():
    model = fit_cox(dataset(), "age", "relapse")
    with pytest.raises(schema.SchemaError, match="expected 'km'"):
        hazards.proportional_hazards(model, "sqrt")
    early = dataset().assign(time=lambda frame: frame["time"] - 1)
    with pytest.raises(schema.SchemaError, match="above 0"):
        hazards.proportional_hazards(fit_cox(early[early["time"] >= 0], "age", "relapse"), "log")
    with pytest.raises(schema.SchemaError, match="kind"):
        hazards.residuals(model, "deviance")


def test_proportional_hazards_of_a_separated_model_is_no_number():
    spells = dataset().assign(never=lambda frame: frame["event"].ne("relapse").astype(int))
    found = hazards.proportional_hazards(fit_cox(spells, "never", "relapse"))
    assert found["statistic"].isna().all()
    assert found["note"].str.contains("no test").all()


def test_the_door_shows_the_solver_too():
    fit = fit_cox(dataset(), "age", "relapse").fit
    assert {name for name, *_ in likelihood.tests(fit)} == {"likelihood ratio", "score", "Wald"}


def test_models_predict_together_only_of_the_same_rows_clusters_and_clock():
    spells = started()
    at = pd.DataFrame({"age": [60.0]}, index=["at 60"])
    causes = sorted(set(spells["event"]) - {"censored"})
    one = {cause: fit_cox(spells, "age", cause) for cause in causes}
    clustered = {cause: fit_cox(spells, "age", cause, cluster="patient_id") for cause in causes}
    assert len(predict_incidence(one, at, [5])) == len(causes)
    mixed = one | {causes[0]: clustered[causes[0]]}
    for order in (mixed, dict(reversed(mixed.items()))):
        with pytest.raises(schema.SchemaError, match="the models differ in their cluster"):
            predict_incidence(order, at, [5])
    whole_course = hazards.fit_andersen_gill(spells.assign(start_day=0), "age", causes[0], cluster="patient_id")
    with pytest.raises(schema.SchemaError, match=r"of what comes first .* came Andersen-Gill"):
        predict_incidence(clustered | {causes[0]: whole_course}, at, [5])


def test_what_was_left_out_is_said_of_hazards_and_risks_too():
    spells = dataset()
    at = pd.DataFrame({"age": [60.0]}, index=["at 60"])
    causes = sorted(set(spells["event"]) - {"censored"})
    models = {cause: fit_cox(spells, "age", cause) for cause in causes}
    said = "delayed entries not used"
    assert hazards.cumulative_hazard(models[causes[0]])["note"].str.contains(said).all()
    assert predict_incidence(models, at, [5])["note"].str.contains(said).all()
