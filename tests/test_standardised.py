"""Standardised curves: the mean of the predictions, errors as the jackknife has them, and beside R's riskRegression.

tests/reference/standardised.csv was made by make_reference_standardised.R (riskRegression::ate, 2022.11.28).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.derive import spells as derived
from analysis.estimate import covariates, hazards
from analysis.sources import synthetic

REFERENCE = Path(__file__).parent / "reference"
CAUSES = ("relapse", "death")
TIMES = [200, 600]
SPELLS = pd.read_csv(REFERENCE / "standardised_spells.csv")


def models(spells, terms="a + x", **choices):
    return {cause: hazards.fit_cox(spells, terms, cause, **choices) for cause in CAUSES}


def small(rows=70, seed=5):
    spells = SPELLS.sample(rows, random_state=seed).reset_index(drop=True)
    return spells.assign(line=np.arange(rows) % 2 + 1, patient=np.arange(rows) // 2)


@pytest.mark.parametrize("choices", [{}, {"strata": "line"}, {"ties": "breslow"}])
def test_it_is_the_mean_of_what_the_models_predict_for_each_row(choices):
    spells = small()
    spells["time"] = np.ceil(spells["time"] / 30) * 30  # ties
    fitted = models(spells, **choices)
    found = hazards.standardised_incidence(fitted, spells, "a", [0, 1], TIMES)
    for level in (0, 1):
        predicted = hazards.predict_incidence(fitted, spells.assign(a=level), TIMES)
        mean = predicted.groupby(["event", "time"])["estimate"].mean()
        ours = found[found["stratum"] == f"a = {level}"].set_index(["event", "time"])["estimate"]
        np.testing.assert_allclose(ours.sort_index(), mean.sort_index(), rtol=1e-12)


@pytest.mark.parametrize("choices", [{}, {"strata": "line"}, {"cluster": "patient"}])
def test_errors_are_those_of_leaving_out_one_after_the_other(choices):
    spells = small()

    def both(rows):
        fitted = models(rows, **choices)
        curves = hazards.standardised_incidence(fitted, rows, "a", [0, 1], TIMES)
        gaps = hazards.standardised_difference(fitted, rows, "a", [0, 1], TIMES)
        return pd.concat([curves, gaps], ignore_index=True)

    whole, unit = both(spells), spells["patient"] if "cluster" in choices else spells.index.to_series()
    left_out = np.array([both(spells[unit != one].reset_index(drop=True))["estimate"] for one in unit.unique()])
    number = len(left_out)
    jackknife = np.sqrt((number - 1) / number * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    ratio = jackknife / whole["std_error"].to_numpy()
    assert 0.98 < np.median(ratio) < 1.12 and ratio.min() > 0.93 and ratio.max() < 1.25


def test_beside_r():
    # riskRegression leaves out that who has one event can no longer have the other on the same day (at most h / 2 of a
    # jump h), and estimates the influence with Breslow's ties: shares within 1 %, errors within 6 %.
    theirs = pd.read_csv(REFERENCE / "standardised.csv", skipinitialspace=True).set_index(["event", "what", "time"])
    fitted = models(SPELLS)
    curves = hazards.standardised_incidence(fitted, SPELLS, "a", [0, 1], TIMES)
    gaps = hazards.standardised_difference(fitted, SPELLS, "a", [0, 1], TIMES).assign(stratum="difference")
    ours = pd.concat([curves, gaps]).set_index(["event", "stratum", "time"])[["estimate", "std_error"]]
    ours = ours.loc[[tuple(key) for key in theirs.index]]
    assert (ours["estimate"] - theirs["estimate"]).abs().max() < 0.006
    assert (ours["std_error"] / theirs["std_error"] - 1).abs().max() < 0.06


def test_a_covariate_that_says_nothing_leaves_the_curves_apart_by_nothing_on_average():
    random = np.random.default_rng(8)
    spells = SPELLS.assign(a=random.integers(0, 2, len(SPELLS)))
    gap = hazards.standardised_difference(models(spells), spells, "a", [0, 1], [600])
    assert (gap["conf_low"] < 0).all() and (gap["conf_high"] > 0).all()


def test_the_tables_are_the_declared_ones_and_end_with_the_data():
    fitted = models(SPELLS)
    curves = hazards.standardised_incidence(fitted, SPELLS, "a", [0, 1], [600, 5000])
    gaps = hazards.standardised_difference(fitted, SPELLS, "a", [0, 1], [600, 5000])
    schema.check(curves, schema.CURVES)
    schema.check(gaps, schema.CONTRASTS)
    assert curves.loc[curves["time"] == 5000, "estimate"].isna().all()
    assert gaps.loc[gaps["time"] == 5000, ["estimate", "p"]].isna().all(axis=None)
    assert hazards.standardised_difference(fitted, SPELLS, "a", [1], [600]).empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exposure": "line"}, "in none of the models"),
        ({"levels": [0, 0]}, "one or more different values"),
        ({"spells": SPELLS.assign(time=SPELLS["time"] + 1)}, "give the spells of the fit"),
        ({"spells": SPELLS.head(10)}, "give those of the fit"),
        ({"models": {"relapse": models(SPELLS)["relapse"]}}, "no model for"),
        ({"models": models(SPELLS.assign(w=1.5), weight="w")}, "without weights"),
    ],
)
def test_what_cannot_be_standardised_is_refused(change, message):
    asked = {"models": models(SPELLS), "spells": SPELLS, "exposure": "a", "levels": [0, 1], "times": [200]} | change
    with pytest.raises(schema.SchemaError, match=message):
        hazards.standardised_incidence(**asked)


@pytest.mark.slow
def test_differences_are_those_of_the_simulator_had_all_been_so():
    """30 synthetic cohorts of 3,000 against 40,000 patients lived twice, once with and once without del(17p).

    The difference is compared: the curves themselves are those of complete cases, whose tests were done in later years.
    """
    times = [365.25, 730.5]
    lived = {level: synthetic.counterfactual(40_000, 77, del17p=level) for level in (False, True)}
    share = {
        (level, event, time): ((lived[level]["event"] == event) & (lived[level]["time"] <= time)).mean()
        for level in lived
        for event in CAUSES
        for time in times
    }
    found = []
    for seed in range(1000, 1030):
        first = covariates.prepared(derived.of(synthetic.simulate(3000, seed)))
        first = first[first["line"] == 1]
        known = covariates.complete(first, entering := covariates.terms(first, 300))
        fitted = hazards.fit_causes(known, covariates.formula(entering))
        found.append(hazards.standardised_difference(fitted, known, "del17p", [0.0, 1.0], times))
    for (event, time), rows in pd.concat(found).groupby(["event", "time"]):
        if event not in CAUSES:
            continue
        truth = share[True, event, time] - share[False, event, time]
        error = rows["estimate"].std() / np.sqrt(len(rows))
        assert abs(rows["estimate"].mean() - truth) < 3 * error, (event, time)
        assert ((rows["conf_low"] <= truth) & (truth <= rows["conf_high"])).mean() >= 0.85, (event, time)
        assert 0.8 < rows["std_error"].mean() / rows["estimate"].std() < 1.3, (event, time)
