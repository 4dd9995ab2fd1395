"""Parametric models of time: time ratios beside R's survreg, laws beside their own likelihoods, curves that end.

tests/reference/parametric.csv was made by make_reference_parametric.R (survival::survreg).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import schema
from analysis.estimate import curves, parametric

REFERENCE = Path(__file__).parent / "reference"
R = (
    pd.read_csv(REFERENCE / "parametric.csv", skipinitialspace=True)
    .set_index(["what", "distribution", "term"])
    .sort_index()
)
SPELLS = pd.read_csv(REFERENCE / "parametric_spells.csv")
REGRESSIONS = ["weibull", "log-normal", "log-logistic"]
TERMS = {"line": "line", "age": "age", "stage[II]": "stageII", "stage[III]": "stageIII"}


def several():
    return SPELLS.drop(columns="late").assign(entry=0)


def single():
    return several().drop(columns="patient_id")


def simulated(rows=1500, seed=7, cured=0.0):
    """Weibull times with shape 1.3 and scale 400 days, a share that never has the event, censoring up to 2,000 days."""
    random = np.random.default_rng(seed)
    time = np.where(random.random(rows) < cured, np.inf, 400 * random.weibull(1.3, rows))
    end = random.uniform(200, 2000, rows)
    event = np.where(time <= end, "relapse", "censored")
    return pd.DataFrame({"entry": 0, "time": np.ceil(np.minimum(time, end)), "event": event})


@pytest.mark.parametrize("distribution", REGRESSIONS)
def test_time_ratios_are_those_of_survreg(distribution):
    table, _ = parametric.accelerated_failure(single(), "line + age + stage", "relapse", distribution)
    reference = R.loc[("plain", distribution)].loc[[TERMS[term] for term in table["term"]]]
    np.testing.assert_allclose(table["log_estimate"], reference["estimate"], atol=1e-5)
    np.testing.assert_allclose(table["std_error"], reference["std_error"], rtol=1e-4)
    np.testing.assert_allclose(table["estimate"], np.exp(table["log_estimate"]))
    np.testing.assert_allclose(np.log(table["conf_high"] / table["estimate"]), 1.959964 * table["std_error"], rtol=1e-6)
    assert set(table["scale"]) == {"time ratio"}
    assert table["note"].str.contains("cause-specific").all()
    schema.check(table, schema.EFFECTS)


@pytest.mark.parametrize("distribution", REGRESSIONS)
def test_errors_by_patient_are_those_of_survreg_with_clusters(distribution):
    table, fitter = parametric.accelerated_failure(
        several(), "line + age + stage", "relapse", distribution, cluster="patient_id"
    )
    reference = R.loc[("cluster", distribution)].loc[[TERMS[term] for term in table["term"]]]
    np.testing.assert_allclose(table["log_estimate"], reference["estimate"], atol=1e-5)
    np.testing.assert_allclose(table["std_error"], reference["std_error"], rtol=1e-4)
    assert table["subjects"].tolist() == [200.0] * 4
    assert table["events"].iloc[0] == fitter.event_observed.sum()


def test_delayed_entries_are_at_risk_from_their_entry_on():
    spells = SPELLS.drop(columns="patient_id").rename(columns={"late": "entry"})
    table, fitter = parametric.accelerated_failure(spells, "line + age + stage", "relapse", "weibull")
    reference = R.loc[("late", "weibull")].loc[[TERMS[term] for term in table["term"]]]
    np.testing.assert_allclose(table["log_estimate"], reference["estimate"], atol=2e-4)
    np.testing.assert_allclose(table["std_error"], reference["std_error"], rtol=1e-3)
    assert fitter.log_likelihood_ == pytest.approx(reference["log_likelihood"].iloc[0], abs=1e-4)


def test_scores_by_row_add_up_to_nothing_at_the_maximum_with_late_entries_too():
    spells = SPELLS.rename(columns={"late": "entry"})
    plain, _ = parametric.accelerated_failure(spells.drop(columns="patient_id"), "line", "relapse", "weibull")
    each = spells.assign(patient_id=[f"P{row}" for row in range(len(spells))])
    own, _ = parametric.accelerated_failure(each, "line", "relapse", "weibull", cluster="patient_id")
    together, _ = parametric.accelerated_failure(spells, "line", "relapse", "weibull", cluster="patient_id")
    assert plain["log_estimate"].tolist() == own["log_estimate"].tolist() == together["log_estimate"].tolist()
    # Robust errors of independent rows come near those of the model; those of patients differ from both.
    assert own["std_error"].iloc[0] == pytest.approx(plain["std_error"].iloc[0], rel=0.1)
    assert together["std_error"].iloc[0] != pytest.approx(own["std_error"].iloc[0], rel=1e-3)


def test_the_generalised_gamma_regression_holds_the_weibull():
    spells = simulated(400).assign(line=np.tile([1, 2], 200))
    spells["time"] = np.ceil(spells["time"] / spells["line"])
    table, fitter = parametric.accelerated_failure(spells, "line", "relapse", "generalised gamma")
    weibull, _ = parametric.accelerated_failure(spells, "line", "relapse", "weibull")
    assert table["log_estimate"].iloc[0] == pytest.approx(weibull["log_estimate"].iloc[0], abs=0.05)
    assert type(fitter).__name__ == "GeneralizedGammaRegressionFitter"
    assert table["conf_low"].iloc[0] < 0.5 < table["conf_high"].iloc[0]


def test_the_cause_any_counts_every_event_and_needs_no_word_on_others():
    table, _ = parametric.accelerated_failure(single(), "line", "any", "weibull")
    assert table["events"].iloc[0] == (SPELLS["event"] != "censored").sum()
    assert table["note"].iloc[0] == ""
    assert table["model"].iloc[0] == "weibull, any"


@pytest.mark.parametrize(
    ("change", "terms", "note"),
    [
        ({"constant": 1.0}, "line + constant", "constant constant"),
        ({"twice": lambda spells: 2 * spells["line"]}, "line + twice", "twice constant, or made of"),
        ({"event": "censored"}, "line", "0 events for 3 parameters"),
    ],
)
def test_what_cannot_be_estimated_is_missing_with_its_reason(change, terms, note):
    table, fitter = parametric.accelerated_failure(single().assign(**change), terms, "relapse", "weibull")
    assert fitter is None
    assert table[["estimate", "conf_low", "std_error", "p"]].isna().all(axis=None)
    assert table["note"].str.contains(note).all()
    schema.check(table, schema.EFFECTS)


def test_rows_of_one_patient_are_refused_without_clusters_and_every_fault_is_named():
    with pytest.raises(schema.SchemaError, match=r"gompertz.*200 more; pass cluster='patient_id'"):
        parametric.accelerated_failure(several(), "line", "relapse", "gompertz")


def test_a_line_that_ends_on_its_first_day_lasts_half_a_day():
    spells = simulated(60).assign(line=np.arange(60) % 2)
    spells.loc[3, "time"] = 0
    table, fitter = parametric.accelerated_failure(spells, "line", "relapse", "weibull")
    assert fitter.durations[3] == 0.5
    assert "1 rows that ended on their first day" in table["note"].iloc[0]


@pytest.mark.parametrize("distribution", REGRESSIONS)
def test_laws_without_covariates_are_those_of_survreg(distribution):
    table, fitters = parametric.fits(single(), "relapse", [distribution])
    reference = R.loc[("none", distribution)]
    location, scale = reference.loc["(Intercept)", "estimate"], np.exp(reference.loc["Log(scale)", "estimate"])
    wanted = [location, scale] if distribution == "log-normal" else [np.exp(location), 1 / scale]
    found = parametric.parameters(fitters, "relapse")["estimate"]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    row, events = table.iloc[0], (SPELLS["event"] == "relapse").sum()
    assert row["log_likelihood"] == pytest.approx(reference["log_likelihood"].iloc[0], abs=1e-5)
    assert row["aic"] == pytest.approx(4 - 2 * row["log_likelihood"])
    assert row["bic"] == pytest.approx(2 * np.log(events) - 2 * row["log_likelihood"])
    assert row["converged"]


def by_hand(name, values, spells):
    """The log-likelihood of the formula in the docstring, written with scipy's own distributions."""
    time, had = spells["time"].to_numpy(), (spells["event"] == "relapse").to_numpy()
    if name == "generalised gamma":
        mu, log_sigma, shape = values
        # t = exp(mu + sigma / shape * log(shape^2 g)) with g of a gamma law with 1 / shape^2
        power, size = shape / np.exp(log_sigma), np.exp(mu) * (shape**2) ** (np.exp(log_sigma) / shape)
        law = stats.gengamma(1 / shape**2, power, scale=size)
        return np.where(had, law.logpdf(time), law.logsf(time)).sum()
    if name == "mixture cure":
        share, scale, shape = values
        law = stats.weibull_min(shape, scale=scale)
        return np.where(had, np.log(1 - share) + law.logpdf(time), np.log(share + (1 - share) * law.sf(time))).sum()
    knots = np.log(np.quantile(time[had], [0, 1 / 3, 2 / 3, 1]))

    def log_hazard(moment):
        x = np.log(moment)
        total = values[0] + values[1] * x
        for place in (1, 2):
            part = (knots[-1] - knots[place]) / (knots[-1] - knots[0])
            cubes = [np.clip(x - knot, 0, None) ** 3 for knot in (knots[place], knots[0], knots[-1])]
            total = total + values[place + 1] * (cubes[0] - part * cubes[1] - (1 - part) * cubes[2])
        return total

    slope = (log_hazard(time * (1 + 1e-6)) - log_hazard(time * (1 - 1e-6))) / (2e-6 * time)
    whole = np.exp(log_hazard(time))
    return (np.where(had, np.log(whole * slope), 0) - whole).sum()


@pytest.mark.parametrize("name", ["generalised gamma", "spline", "mixture cure"])
def test_the_likelihood_is_the_formula_and_no_step_aside_is_higher(name):
    spells = simulated(cured=0.0 if name == "generalised gamma" else 0.2)
    table, fitters = parametric.fits(spells, "relapse", [name])
    values = fitters[name]._fitted_parameters_
    highest = by_hand(name, values, spells)
    assert table["converged"].all()
    assert table["log_likelihood"].iloc[0] == pytest.approx(highest, abs=1e-3)
    for place, error in enumerate(np.sqrt(np.diag(fitters[name].variance_matrix_))):
        for side in (-0.1, 0.1):
            aside = values.copy()
            aside[place] += side * error
            assert by_hand(name, aside, spells) < highest


def test_simulated_laws_are_recovered():
    plain, fitters = parametric.fits(simulated(3000), "relapse", ["weibull", "generalised gamma"])
    found = parametric.parameters(fitters, "relapse").set_index(["distribution", "parameter"])
    truth = {
        ("weibull", "lambda_"): 400,
        ("weibull", "rho_"): 1.3,
        ("generalised gamma", "mu_"): np.log(400),
        ("generalised gamma", "ln_sigma_"): -np.log(1.3),
        ("generalised gamma", "lambda_"): 1,
    }
    for place, value in truth.items():
        assert found.loc[place, "conf_low"] < value < found.loc[place, "conf_high"], place
    assert plain["converged"].all()
    schema.check(found.reset_index(), schema.PARAMETERS)


def test_a_plateau_is_found_where_there_is_one_and_none_where_there_is_none():
    cured, _ = parametric.fits(simulated(2000, cured=0.25), "relapse")
    row = cured.set_index("distribution").loc["mixture cure"]
    assert row["plateau_low"] < 0.25 < row["plateau_high"] < 0.32
    assert cured.set_index("distribution")["bic_difference"].idxmin() == "mixture cure"
    assert cured["aic_difference"].min() == 0
    schema.check(cured, schema.FITS)
    # Everybody relapses: the share is at its edge 0, or its limits reach down near it.
    spells = simulated(400).query("event == 'relapse'")
    none, fitters = parametric.fits(spells, "relapse", ["mixture cure"])
    assert none["plateau"].iloc[0] < 1e-3
    assert "0 rows watched past the last event" in none["note"].iloc[0]
    assert parametric.overlay(fitters, "relapse")["conf_low"].notna().all()


def test_a_law_that_cannot_be_fitted_has_a_row_and_a_reason():
    spells = pd.DataFrame({"entry": 0, "time": [5.0, 9, 12, 20], "event": ["relapse", "relapse", "death", "censored"]})
    table, fitters = parametric.fits(spells, "relapse")
    assert table["distribution"].tolist() == list(parametric.DISTRIBUTIONS)
    gone = table[table["log_likelihood"].isna()]
    assert set(gone["distribution"]) >= {"generalised gamma", "spline", "mixture cure"}
    assert gone["note"].str.contains("2 events for").all()
    assert not gone["converged"].any()
    assert set(fitters) == set(table["distribution"]) - set(gone["distribution"])
    empty, nothing = parametric.fits(spells.assign(event="censored"), "relapse")
    assert nothing == {}
    assert empty["aic"].isna().all()
    assert parametric.overlay(nothing, "relapse").empty
    assert parametric.parameters(nothing, "relapse").empty


def test_every_fault_of_a_call_is_named_at_once():
    with pytest.raises(schema.SchemaError, match=r"gompertz.*200 more; take one line"):
        parametric.fits(several(), "relapse", ["gompertz"])
    with pytest.raises(schema.SchemaError, match=r"beyond: .*; times: "):
        parametric.overlay({}, "relapse", times=[-1], beyond=0.5)


def test_late_entries_count_in_the_laws():
    spells = simulated(2000)
    late = spells.assign(entry=np.tile([0, 150], 1000)).query("time > entry")
    _, fitters = parametric.fits(late, "relapse", ["weibull"])
    found = parametric.parameters(fitters, "relapse")
    assert (np.abs(found["estimate"] - [400, 1.3]) < 3 * found["std_error"]).all()


def test_curves_lie_on_kaplan_meier_where_the_law_is_right_and_end_where_they_should():
    spells = simulated()
    _, fitters = parametric.fits(spells, "relapse", ["weibull", "spline"])
    last = spells.loc[spells["event"] == "relapse", "time"].max()
    curve = parametric.overlay(fitters, "relapse")
    schema.check(curve, schema.FITTED_CURVES)
    assert curve["time"].max() <= 1.5 * last
    assert (curve["extrapolated"] == (curve["time"] > last)).all()
    assert curve.groupby("distribution")["estimate"].apply(lambda values: (values.diff().dropna() <= 0).all()).all()
    step = curves.kaplan_meier(spells, event="relapse")
    inside = curve[~curve["extrapolated"]]
    place = np.searchsorted(step["time"], inside["time"], side="right") - 1
    assert np.abs(inside["estimate"].to_numpy() - step["estimate"].to_numpy()[place]).max() < 0.03
    assert parametric.overlay(fitters, "relapse", beyond=1)["extrapolated"].sum() == 0
    assert parametric.overlay(fitters, "relapse", times=[0, 100, 1e6])["time"].unique().tolist() == [0, 100]


def test_the_error_of_a_curve_is_that_of_the_delta_method_by_differences():
    _, fitters = parametric.fits(simulated(300), "relapse", ["mixture cure"])
    fitter = fitters["mixture cure"]
    curve = parametric.overlay(fitters, "relapse", times=[200.0, 500.0])
    for _, row in curve.iterrows():
        slope = []
        for place, value in enumerate(fitter._fitted_parameters_):
            ends = []
            for side in (-1, 1):
                aside = fitter._fitted_parameters_.copy()
                aside[place] = value * (1 + side * 1e-5)
                ends.append(float(fitter._survival_function(aside, np.array([row["time"]]))[0]))
            slope.append((ends[1] - ends[0]) / (2e-5 * value))
        variance = np.array(slope) @ fitter.variance_matrix_.to_numpy() @ np.array(slope)
        assert row["std_error"] == pytest.approx(np.sqrt(variance), rel=1e-5)
        assert 0 < row["conf_low"] < row["estimate"] < row["conf_high"] < 1


def test_arguments_are_left_as_they_were():
    spells = single()
    before = spells.copy()
    parametric.accelerated_failure(spells, "line", "relapse", "weibull")
    parametric.fits(spells, "relapse", ["weibull"])
    pd.testing.assert_frame_equal(spells, before)
