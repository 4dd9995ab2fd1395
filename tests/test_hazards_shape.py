"""The shape of effects: curves, events expected, periods; by hand, against R, and told by groups only."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import schema
from analysis.estimate import hazards

FOLDER = Path(__file__).parent / "reference"
DATA = pd.read_csv(FOLDER / "hazards_data.csv").query("dataset == 'simulated'").reset_index(drop=True)
EXPECTED = pd.read_csv(FOLDER / "hazards_shape.csv")
MODEL = {"strata": "line", "entry": "entry"}


def of_r(what, term=None):
    found = EXPECTED[EXPECTED["what"] == what]
    return found.loc[found["term"] == (term or "marker"), "value"].to_numpy()


def simulated(size=1500, seed=1, risk=lambda x: 0.6 * x):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=size)
    times = [rng.exponential(300 * np.exp(-risk(x))), rng.exponential(1500, size), rng.uniform(100, 1500, size)]
    event = np.array(["relapse", "death", "censored"], dtype=object)[np.argmin(times, axis=0)]
    return pd.DataFrame({"entry": 0, "time": np.ceil(np.min(times, axis=0)), "event": event, "x": x})


# curve against straight line


def test_the_likelihood_ratio_of_a_curve_is_that_of_r():
    found = hazards.linearity(DATA, "age + marker", "relapse", "marker", **MODEL)
    assert found[["term", "df"]].values.tolist() == [["marker", 3]]
    assert found["statistic"].item() == pytest.approx(of_r("likelihood ratio").item(), rel=1e-8)
    assert found["p"].item() == pytest.approx(stats.chi2.sf(found["statistic"].item(), 3), rel=1e-10)


def test_with_clusters_the_curve_is_tested_by_the_robust_variance():
    found = hazards.linearity(DATA, "age + marker", "relapse", "marker", cluster="patient_id", **MODEL)
    assert found["test"].str.endswith("Wald, robust").tolist() == [False, True]
    assert found["statistic"].iloc[1] == pytest.approx(of_r("Wald, robust").item(), rel=1e-8)
    schema.check(found, schema.TESTS)


def test_a_curve_is_found_where_there_is_one_and_not_elsewhere():
    bent = hazards.linearity(simulated(risk=lambda x: 0.5 * x**2), "x", "relapse", "x")
    assert bent["p"].item() < 1e-6
    p = [hazards.linearity(simulated(300, seed), "x", "relapse", "x")["p"].item() for seed in range(60)]
    assert 0.3 < np.mean(p) < 0.7


def test_the_unit_of_the_number_does_not_matter():
    spells = simulated()
    plain = hazards.linearity(spells, "x", "relapse", "x")["statistic"].item()
    scaled = hazards.linearity(spells.assign(x=1e4 * spells["x"] + 5e5), "x", "relapse", "x")["statistic"].item()
    assert scaled == pytest.approx(plain, rel=1e-6)


def test_missing_values_are_left_out_of_both_models():
    spells = simulated()
    gappy = spells.assign(x=spells["x"].mask(spells.index < 100))
    found = hazards.linearity(gappy, "x", "relapse", "x")
    whole = hazards.linearity(spells.iloc[100:].reset_index(drop=True), "x", "relapse", "x")
    assert found["statistic"].item() == pytest.approx(whole["statistic"].item(), rel=1e-10)
    assert "100 of 1500 rows left out" in found["note"].item()


@pytest.mark.parametrize(
    ("change", "said"), [({"number": "y"}, "number"), ({"df": 2}, "df: expected"), ({"df": 3.5}, "df")]
)
def test_a_curve_that_cannot_be_is_refused(change, said):
    with pytest.raises(schema.SchemaError, match=said):
        hazards.linearity(simulated(50), "x", "relapse", **{"number": "x", "df": 4} | change)


def test_a_curve_needs_enough_values():
    spells = simulated(80)
    with pytest.raises(schema.SchemaError, match="distinct values"):
        hazards.linearity(spells.assign(x=(spells["x"] > 0).astype(int)), "x", "relapse", "x")


# events seen and expected


def test_events_expected_and_limits_are_those_of_r():
    model = hazards.fit_cox(DATA, "age + marker", "relapse", **MODEL)
    found = hazards.functional_form(model, DATA, "marker", groups=5)
    assert found["events"].tolist() == of_r("events").tolist()
    assert np.allclose(found["expected"], of_r("expected"), rtol=1e-10)
    assert np.allclose(found["conf_low"], of_r("low"), rtol=1e-9)
    assert np.allclose(found["conf_high"], of_r("high"), rtol=1e-9)
    assert found["subjects"].sum() == len(DATA)
    schema.check(found, schema.FUNCTIONAL_FORM)


def test_a_wrong_shape_shows_and_a_right_one_does_not():
    spells = simulated(4000, risk=lambda x: 0.5 * x**2)
    wrong = hazards.functional_form(hazards.fit_cox(spells, "x", "relapse"), spells, "x")
    right = hazards.functional_form(hazards.fit_cox(spells, "I(x**2)", "relapse"), spells, "x")
    assert wrong["conf_low"].iloc[[0, -1]].min() > 1.2
    assert ((right["conf_low"] < 1) & (right["conf_high"] > 1)).all()


def test_equal_values_stay_together_and_rows_without_the_number_are_counted():
    spells = simulated(200).assign(grade=lambda f: np.floor(f["x"].clip(-1, 1)))
    spells.loc[:9, "grade"] = np.nan
    model = hazards.fit_cox(spells, "x", "relapse")
    found = hazards.functional_form(model, spells, "grade")
    assert found["value"].tolist() == [-1, 0, 1]
    assert found["note"].unique().tolist() == ["10 rows without grade left out"]
    assert found["subjects"].sum() == 190


def test_with_clusters_subjects_are_counted_not_rows():
    model = hazards.fit_cox(DATA, "age", "relapse", cluster="patient_id", **MODEL)
    found = hazards.functional_form(model, DATA, "age", groups=4)
    assert found["subjects"].sum() == DATA["patient_id"].nunique()  # the age of a patient is one group


def test_what_cannot_be_grouped_is_refused():
    spells = simulated(60).assign(word="a", w=0.5)
    model = hazards.fit_cox(spells, "x", "relapse")
    for name in ("word", "nowhere"):
        with pytest.raises(schema.SchemaError, match="expected numbers"):
            hazards.functional_form(model, spells, name)
    with pytest.raises(schema.SchemaError, match="groups"):
        hazards.functional_form(model, spells, "x", groups=0)
    with pytest.raises(schema.SchemaError, match="without weights"):
        hazards.functional_form(hazards.fit_cox(spells, "x", "relapse", weight="w"), spells, "x")


# the effect by time


def test_the_effect_by_time_is_the_mean_of_r_residuals():
    found = hazards.effect_by_time(hazards.fit_cox(DATA, "age + marker", "relapse", **MODEL), groups=3)
    for term in ("age", "marker"):
        ours = found[found["term"] == term]
        assert np.allclose(np.log(ours["estimate"]), of_r("by time", term), rtol=0, atol=1e-8), term
        width = (np.log(ours["conf_high"]) - np.log(ours["conf_low"])) / (2 * 1.959963984540054)
        assert np.allclose(width, of_r("error by time", term), rtol=1e-8)
    schema.check(found, schema.EFFECT_BY_TIME)


def test_a_fading_effect_fades():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 2, 3000)
    early = rng.exponential(400 / np.exp(1.0 * x))
    time = np.where(early < 200, early, 200 + rng.exponential(400, 3000))
    spells = pd.DataFrame({"entry": 0, "time": np.ceil(time), "event": "relapse", "x": x})
    found = hazards.effect_by_time(hazards.fit_cox(spells, "x", "relapse"), groups=6)
    first, last = found.iloc[0], found.iloc[-1]
    assert first["conf_low"] < np.e < first["conf_high"] * 1.1
    assert last["conf_low"] < 1.0 < last["conf_high"] * 1.1
    periods = hazards.time_varying_effect(spells, "x", "relapse", "x", 200)
    assert periods["term"].tolist() == ["x, up to day 200", "x, after day 200"]
    assert (periods["conf_low"] < [np.e, 1]).all()
    assert (periods["conf_high"] > [np.e, 1]).all()


# an effect for each period


def test_effects_by_period_are_those_of_r():
    found = hazards.time_varying_effect(
        DATA, "age + stage + marker", "relapse", "marker", [8, 20], cluster="patient_id", **MODEL
    ).set_index("term")
    names = {
        "age": "age",
        "stageII": "stage[II]",
        "stageIII": "stage[III]",
        "marker1": "marker, up to day 8",
        "marker2": "marker, day 8 to 20",
        "marker3": "marker, after day 20",
    }
    for theirs, ours in names.items():
        assert found.loc[ours, "log_estimate"] == pytest.approx(of_r("coefficient", theirs).item(), abs=1e-9), ours
        assert found.loc[ours, "std_error"] == pytest.approx(of_r("robust error", theirs).item(), abs=1e-9), ours
    assert found["subjects"].unique().tolist() == [DATA["patient_id"].nunique()]
    assert found["events"].unique().tolist() == [(DATA["event"] == "relapse").sum()]


def test_a_factor_has_each_level_in_each_period_and_the_rows_given_are_counted():
    found = hazards.time_varying_effect(DATA, "age + C(stage)", "relapse", "C(stage)", 15, **MODEL)
    assert found["term"].tolist() == [
        "age", "C(stage)[II], up to day 15", "C(stage)[II], after day 15",
        "C(stage)[III], up to day 15", "C(stage)[III], after day 15",
    ]  # fmt: skip
    assert found["subjects"].unique().tolist() == [len(DATA)]


def test_a_cut_after_the_last_day_leaves_the_effect_as_it_is():
    plain = hazards.cox(DATA, "age + marker", "relapse", **MODEL)
    found = hazards.time_varying_effect(DATA, "age + marker", "relapse", "marker", 10_000, **MODEL)
    assert np.allclose(found["log_estimate"].iloc[:2], plain["log_estimate"], rtol=1e-9)
    assert np.isnan(found["estimate"].iloc[2])
    assert "constant" in found["note"].iloc[2]


def test_rows_left_out_for_gaps_are_said():
    spells = simulated(100)
    found = hazards.time_varying_effect(spells.assign(x=spells["x"].mask(spells.index < 7)), "x", "relapse", "x", 90)
    assert found["subjects"].unique().tolist() == [93]
    assert "7 of 100 rows left out" in found["note"].iloc[0]


@pytest.mark.parametrize("cuts", [0, [], [20, 10], [np.nan], [5, 5]])
def test_cuts_must_rise(cuts):
    with pytest.raises(schema.SchemaError, match="cut_days"):
        hazards.time_varying_effect(simulated(50), "x", "relapse", "x", cuts)


def test_the_term_must_be_one_of_the_formula():
    with pytest.raises(schema.SchemaError, match=r"expected one of \['C\(stage\)'\]"):
        hazards.time_varying_effect(DATA, "C(stage)", "relapse", "stage", 10)


# influence without names


def test_the_summary_of_influence_names_nobody():
    spells = simulated(120)
    spells.loc[0, ["x", "time", "event"]] = [-9.0, 1.0, "relapse"]
    model = hazards.fit_cox(spells, "x", "relapse")
    told, summed = hazards.influence(model), hazards.influence_summary(model)
    assert summed["value"].tolist() == told["value"].tolist()
    assert "row" not in summed["note"].item()
    assert summed["note"].item() == "at most 7 of 120 subjects change it by more than 0.5 standard errors"
    many = hazards.influence_summary(model, most=1e-4)["note"].item()
    assert int(many.split()[0]) > 7
    schema.check(summed, schema.CHECKS)
