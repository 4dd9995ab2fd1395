"""Missing covariates: patterns, chained equations with predictive mean matching, Rubin's rules."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.estimate import hazards, imputation
from analysis.estimate.imputation import chained, variables

FOLDER = Path(__file__).parent / "reference"


def gappy(patients=300, seed=3, lines=1):
    """Patients with a complete number, a flag, a stage and a number with gaps; several lines where asked."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=patients)
    flag = rng.random(patients) < 1 / (1 + np.exp(-z))
    stage = np.array(["I", "II", "III"])[np.digitize(z + rng.normal(size=patients), [-0.5, 0.8])]
    marker = np.exp(0.5 * z + rng.normal(size=patients))
    frames = []
    for line in range(1, lines + 1):
        hazard = np.exp(0.5 * flag + 0.4 * (stage == "III") + 0.2 * z) / 400
        times = np.column_stack(
            [rng.exponential(1 / hazard), rng.exponential(1200, patients), rng.uniform(100, 1500, patients)]
        )
        event = np.array(["relapse", "death", "censored"], dtype=object)[times.argmin(axis=1)]
        frames.append(pd.DataFrame({"line": line, "entry": 0, "time": np.ceil(times.min(axis=1)), "event": event}))
    patient = {"patient_id": [f"p{number:03d}" for number in range(patients)], "z": z}
    patient["flag"] = pd.Series(flag).astype("boolean").mask(rng.random(patients) < 0.2)
    patient["stage"] = pd.Series(stage, dtype=object).mask(rng.random(patients) < 0.15, "unknown")
    patient["marker"] = pd.Series(marker).mask(rng.random(patients) < 0.25)
    return pd.concat([pd.concat([pd.DataFrame(patient), frame], axis=1) for frame in frames], ignore_index=True)


COLUMNS = ["z", "flag", "stage", "marker"]


# patterns


def test_patterns_count_patients_once_and_unknown_as_missing():
    frame = pd.DataFrame(
        {
            "patient_id": ["a", "a", "b", "c"],
            "line": [2, 1, 1, 1],
            "iss": ["II", "II", "unknown", "I"],
            "del17p": pd.array([None, None, None, True], dtype="boolean"),
        }
    )
    found = imputation.patterns(frame, ["iss", "del17p"])
    assert found[["pattern", "columns", "count", "total"]].values.tolist() == [
        ["complete", 0, 1, 3],
        ["del17p", 1, 1, 3],
        ["iss + del17p", 2, 1, 3],
    ]
    assert found["share"].tolist() == [1 / 3] * 3
    schema.check(found, schema.PATTERNS)


def test_of_several_lines_the_first_counts_wherever_it_stands():
    frame = pd.DataFrame({"patient_id": ["b", "a", "a"], "line": [1, 2, 1], "stage": ["I", "II", "unknown"]})
    assert imputation.patterns(frame, ["stage"])["count"].tolist() == [1, 1]
    first, place = variables.by_patient(frame)
    assert first["stage"].iloc[place].tolist() == ["I", "unknown", "unknown"]


def test_patterns_of_an_absent_column_are_refused():
    with pytest.raises(schema.SchemaError, match="did you mean 'iss'"):
        imputation.patterns(pd.DataFrame({"iss": ["I"]}), ["is"])


# what the outcome says


def test_nelson_aalen_by_hand():
    entry = np.array([0, 0, 2, 0, 0])
    time = np.array([1.0, 3, 4, 3, 5])
    had = np.array([True, True, False, True, False])
    # at risk: day 1: 4 (one enters later), day 3: 4, two events
    one, three = 1 / 4, 1 / 4 + 2 / 4
    expected = [one, three, three - one, three, three]
    assert np.allclose(variables.nelson_aalen(entry, time, had), expected, atol=1e-15)


def test_nelson_aalen_is_that_of_r():
    table = pd.read_csv(FOLDER / "imputation_completed.csv").query("`.imp` == 1")
    had = table["relapsed"].to_numpy(bool)
    ours = variables.nelson_aalen(np.zeros(len(table)), table["time"].to_numpy(), had)
    assert np.abs(ours - table["H"].to_numpy()).max() < 1e-12


def test_the_outcome_of_several_lines_is_summed_by_patient_and_cause():
    spells = pd.DataFrame(
        {
            "line": [1, 1, 2],
            "time": [10.0, 20.0, 5.0],
            "event": ["relapse", "censored", "relapse"],
        }
    )
    found = variables.outcomes(spells, np.array([0, 1, 0]), 2, None)
    # relapses; hazards: 1/2 at day 10 of line 1, 1 at day 5 of line 2
    assert found.tolist() == [[2.0, 1.5], [0.0, 0.5]]


# chained equations


def test_every_value_filled_in_was_seen_and_known_ones_stay():
    spells = gappy()
    for frame in imputation.imputed(spells, COLUMNS, imputations=3):
        for name in COLUMNS:
            gap = variables.gaps(spells[name])
            assert not variables.gaps(frame[name]).any()
            assert set(frame[name][gap]) <= set(spells[name][~gap])
            assert (frame[name][~gap] == spells[name][~gap]).all()
            assert frame[name].dtype == spells[name].dtype


def test_a_patient_has_one_value_on_all_lines():
    spells = gappy(lines=3).sample(frac=1, random_state=1)
    for frame in imputation.imputed(spells, COLUMNS, imputations=3):
        assert len(frame[["patient_id", *COLUMNS]].drop_duplicates()) == 300
        assert frame.index.equals(spells.index)


def test_what_a_later_line_knows_is_not_carried_back():
    spells = gappy(lines=2)
    known_later = spells["marker"].mask(spells["line"] == 1)
    with pytest.raises(schema.SchemaError, match="'marker': expected the same on all lines of a patient"):
        imputation.imputed(spells.assign(marker=known_later), COLUMNS)


def test_the_seed_decides_and_more_imputations_go_on_from_fewer():
    spells = gappy()
    few, again, more = (imputation.imputed(spells, COLUMNS, imputations=m, seed=5) for m in (2, 2, 4))
    other = imputation.imputed(spells, COLUMNS, imputations=2, seed=6)
    for number in range(2):
        pd.testing.assert_frame_equal(few[number], again[number])
        pd.testing.assert_frame_equal(few[number], more[number])
        assert not few[number].equals(other[number])
    assert not few[0].equals(few[1])


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    imputation.imputed(gappy(60), COLUMNS, imputations=1, cycles=2)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_arguments_are_not_changed():
    spells = gappy()
    before = spells.copy()
    imputation.with_imputation(spells, "flag + stage", "relapse", imputations=2)
    pd.testing.assert_frame_equal(spells, before)


def test_gaps_follow_what_is_known():
    """The marker is exp(z) exactly: a gap is filled from somebody of nearly the same z."""
    spells = gappy(500)
    spells["marker"] = np.exp(spells["z"]).mask(variables.gaps(spells["marker"]))
    frame = imputation.imputed(spells, ["z", "marker"], imputations=1)[0]
    gap = spells["marker"].isna()
    assert frame["marker"][gap].corr(spells["z"][gap], method="spearman") > 0.8
    # a straight line in z misses the curve of exp, yet values stay within what was seen
    assert frame["marker"].max() == spells["marker"].max()


def test_a_factor_without_order_follows_its_predictor():
    """b above zero, below it a or c by lot: as codes of the alphabet the two halves have the same mean."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=900)
    kind = np.where(x > 0, "b", np.where(rng.random(900) < 0.5, "a", "c")).astype(object)
    gap = rng.random(900) < 0.3
    spells = pd.DataFrame({"time": rng.exponential(100, 900), "event": "relapse", "x": x, "kind": kind})
    frame = imputation.imputed(spells.assign(kind=spells["kind"].mask(gap)), ["x", "kind"], imputations=1)[0]
    assert ((frame["kind"] == "b") == (kind == "b"))[gap].mean() > 0.9


def test_the_nearest_by_hand():
    rng = np.random.default_rng(0)
    known = np.array([5.0, 1, 9, 3, 7])
    assert chained.nearest(known, np.array([0.9, 6.9, 100.0]), 1, rng).tolist() == [1, 4, 2]
    drawn = {int(chained.nearest(known, np.array([4.1]), 2, rng)[0]) for _ in range(60)}
    assert drawn == {0, 3}
    tied = {int(chained.nearest(np.zeros(50), np.array([0.0]), 1, rng)[0]) for _ in range(300)}
    assert len(tied) > 30  # ties are drawn by lot, not taken by place


def test_nothing_missing_gives_the_spells():
    spells = gappy()
    (found,) = imputation.imputed(spells, ["z"])
    pd.testing.assert_frame_equal(found, spells)


def test_a_column_that_changes_within_a_patient_is_refused_where_it_has_gaps():
    spells = gappy(lines=2)
    spells["prior"] = np.where(spells["line"] == 2, 5.0, 1.0)
    imputation.imputed(spells, [*COLUMNS, "prior"], imputations=1, cycles=1)
    spells.loc[3, "prior"] = np.nan
    with pytest.raises(schema.SchemaError, match=r"'prior': expected the same.* 300 patient"):
        imputation.imputed(spells, [*COLUMNS, "prior"])


def test_all_faults_of_the_columns_at_once():
    spells = gappy().assign(nothing=np.nan)
    with pytest.raises(schema.SchemaError) as error:
        imputation.imputed(spells, ["nothing", "time", "flag"])
    assert "'nothing': expected known values, came none" in str(error.value)
    assert "'time': expected a covariate" in str(error.value)
    with pytest.raises(schema.SchemaError) as error:
        imputation.imputed(spells, ["flagg", "stage", "stage"])
    assert "did you mean 'flag'" in str(error.value)
    assert "'stage': expected once, came 2" in str(error.value)
    with pytest.raises(schema.SchemaError, match=r"imputations: expected at least 1, came 0[\s\S]*donors"):
        imputation.imputed(spells, COLUMNS, imputations=0, donors=0)


def test_too_few_known_values_are_refused():
    spells = gappy(60)
    spells.loc[6:, "marker"] = np.nan
    with pytest.raises(schema.SchemaError, match="'marker': expected more known values than predictors"):
        imputation.imputed(spells, COLUMNS)


# Rubin's rules


def reference(complete):
    found = pd.read_csv(FOLDER / "imputation_pooled.csv", dtype={"complete": str}).query("complete == @complete")
    return found.reset_index(drop=True)


@pytest.mark.parametrize("complete", ["default", "1000000", "30"])
def test_pooled_is_what_mice_pools(complete):
    table = pd.read_csv(FOLDER / "imputation_completed.csv")
    table = table.assign(event=table["relapsed"].map({0: "censored", 1: "relapse"}))
    effects = [hazards.cox(frame, "marker + stage + flag", "relapse") for _, frame in table.groupby(".imp")]
    found = imputation.pooled(effects, complete_df=None if complete == "default" else float(complete))
    expected = reference(complete)
    assert found["term"].tolist() == ["marker", "stage[II]", "stage[III]", "flag"]
    pairs = {
        "log_estimate": expected["estimate"],
        "std_error": expected["std.error"],
        "df": expected["df"],
        "p": expected["p.value"],
        "conf_low": np.exp(expected["low"]),
        "conf_high": np.exp(expected["high"]),
        "missing_information": expected["fmi"],
    }
    for name, value in pairs.items():
        assert np.allclose(found[name], value, rtol=1e-10, atol=0), name
    assert found["model"].unique().tolist() == ["Cox, relapse, 6 imputations"]


def effect(value, error, note="", term="x"):
    row = {"model": "Cox, relapse", "term": term, "scale": "hazard ratio", "estimate": np.exp(value), "conf_low": 1.0}
    row |= {"conf_high": 1.0, "log_estimate": value, "std_error": error, "p": 0.5, "subjects": 40.0, "events": 23.0}
    return pd.DataFrame([{**row, "note": note}])


def test_rubin_by_hand():
    """Coefficients 1, 2, 3 with variances 2, 3, 4: mean 2, within 3, between 1, total 3 + 4/3."""
    found = imputation.pooled([effect(b, np.sqrt(v)) for b, v in ((1.0, 2), (2.0, 3), (3.0, 4))]).iloc[0]
    assert found["log_estimate"] == pytest.approx(2, rel=1e-14)
    assert found["std_error"] ** 2 == pytest.approx(13 / 3, rel=1e-14)
    share = (4 / 3) / (13 / 3)
    old, seen = 2 / share**2, 23 / 25 * 22 * (1 - share)  # complete: 23 events less one term
    df = old * seen / (old + seen)
    assert found["df"] == pytest.approx(df, rel=1e-13)
    ratio = (4 / 3) / 3
    assert found["missing_information"] == pytest.approx((ratio + 2 / (df + 3)) / (ratio + 1), rel=1e-13)


def test_one_answer_where_no_imputation_differs():
    found = imputation.pooled([effect(0.5, 0.2)] * 3, complete_df=np.inf).iloc[0]
    assert found["std_error"] == pytest.approx(0.2, rel=1e-14)
    assert found["conf_high"] == pytest.approx(np.exp(0.5 + 1.959964 * 0.2), rel=1e-5)
    assert found["missing_information"] < 1e-6


def test_a_term_without_estimate_in_one_imputation_has_none():
    found = imputation.pooled([effect(0.5, 0.2), effect(np.nan, np.nan, "no estimate: constant"), effect(0.4, 0.2)])
    assert np.isnan(found["estimate"].item())
    assert found["note"].item() == "no pooled estimate: none in 1 of 3 imputations; no estimate: constant"


def test_only_alike_tables_are_pooled():
    with pytest.raises(schema.SchemaError, match="at least 2"):
        imputation.pooled([effect(1, 1)])
    with pytest.raises(schema.SchemaError, match="others in table 2"):
        imputation.pooled([effect(1, 1), effect(1, 1, term="y")])


# both readings together


def test_complete_cases_stand_beside_the_imputed():
    spells = gappy(lines=2)
    found = imputation.with_imputation(
        spells, "z + flag + C(stage) + marker", "relapse", imputations=5, strata="line", cluster="patient_id"
    )
    assert found["model"].unique().tolist() == ["Cox, relapse, complete cases", "Cox, relapse, 5 imputations"]
    assert found["term"].tolist() == 2 * ["z", "flag", "C(stage)[II]", "C(stage)[III]", "marker"]
    complete = spells.dropna(subset=["flag", "marker"]).query("stage != 'unknown'")
    plain = hazards.cox(complete, "z + flag + C(stage) + marker", "relapse", strata="line", cluster="patient_id")
    assert found["log_estimate"][:5].tolist() == plain["log_estimate"].tolist()
    assert found["subjects"].tolist() == [complete["patient_id"].nunique()] * 5 + [300] * 5
    assert found["note"].iloc[0].startswith(f"{600 - len(complete)} of 600 rows left out for missing values")
    assert found["note"].iloc[5].startswith("fraction of missing information 0.")
    # nobody is left out, so the complete covariate is known better
    assert found["std_error"].iloc[5] < found["std_error"].iloc[0]
    schema.check(found, schema.EFFECTS)


def test_unknown_stays_a_level_where_asked_and_predicts():
    spells = gappy(lines=2)
    prior = np.where(spells["line"] == 1, "unknown", np.where(spells["z"] > 0, "deep", "shallow")).astype(object)
    spells = spells.assign(prior=prior)
    terms = "z + flag + prior"
    with pytest.raises(schema.SchemaError, match="'prior'"):
        imputation.with_imputation(
            spells.assign(prior=spells["prior"].where(spells.index != 4, "none")), terms, "relapse"
        )
    found = imputation.with_imputation(spells, terms, "relapse", columns=["flag"], imputations=2, cluster="patient_id")
    ours = found[found["model"].str.endswith("2 imputations")]
    assert ours["term"].tolist() == ["z", "flag", "prior[shallow]", "prior[unknown]"]
    assert ours["subjects"].unique().tolist() == [300]


def test_another_model_is_imputed_alike():
    found = imputation.with_imputation(gappy(), "flag", "relapse", fit=hazards.fine_gray, imputations=2)
    assert found["scale"].unique().tolist() == ["subdistribution hazard ratio"]


def test_without_gaps_nothing_is_imputed_and_said_so():
    found = imputation.with_imputation(gappy(), "z", "relapse")
    assert found["model"].tolist() == ["Cox, relapse, complete cases"]
    assert found["note"].tolist() == ["nothing is missing, nothing imputed"]


# do the limits hold the truth?


def limits_study(cohorts=300, patients=600, imputations=10):
    """Share of cohorts whose 95 % limits hold the truth, and the mean error, by reading and covariate.

    Gaps are missing at random: they depend on what ended the wait, how long it was, and a complete covariate.
    """
    truth = {"x": 0.7, "stage[II]": 0.3, "stage[III]": 0.6, "z": 0.4}
    rows = []
    for seed in range(cohorts):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=patients)
        x = (rng.random(patients) < 1 / (1 + np.exp(-0.8 * z))).astype(float)
        place = np.digitize(0.6 * z + rng.normal(size=patients), [-0.6, 0.6])
        risk = 0.7 * x + 0.4 * z + np.array([0, 0.3, 0.6])[place]
        times = [
            rng.exponential(500 * np.exp(-risk)),
            rng.exponential(1500 * np.exp(-0.3 * z)),
            rng.uniform(100, 1500, patients),
        ]
        time = np.min(times, axis=0)
        event = np.array(["relapse", "death", "censored"], dtype=object)[np.argmin(times, axis=0)]
        stage = pd.Series(np.array(["I", "II", "III"], dtype=object)[place])
        frame = pd.DataFrame({"entry": 0, "time": np.ceil(time), "event": event, "z": z, "x": x, "stage": stage})
        early = (event == "relapse") & (time < 300)
        gap = 1 / (1 + np.exp(-(-1.6 + 1.8 * early + 0.6 * z)))
        frame["x"] = frame["x"].mask(rng.random(patients) < gap)
        frame["stage"] = frame["stage"].mask(rng.random(patients) < gap)
        found = imputation.with_imputation(
            frame, "x + stage + z", "relapse", imputations=imputations, seed=seed
        ).assign(reading=lambda f: f["model"].str.split(", ").str[-1])
        found["truth"] = found["term"].map(truth)
        rows.append(found)
    every = pd.concat(rows)
    every["held"] = (np.log(every["conf_low"]) <= every["truth"]) & (every["truth"] <= np.log(every["conf_high"]))
    every["off"] = every["log_estimate"] - every["truth"]
    return every.groupby(["reading", "term"])[["held", "off"]].mean()


@pytest.mark.slow
def test_limits_hold_the_truth_where_those_of_complete_cases_do_not():
    found = limits_study()
    ours = found.loc["10 imputations"]
    assert ours["held"].between(0.925, 0.98).all(), found
    assert (ours["off"].abs() < 0.05).all(), found
    assert found.loc["complete cases", "held"].min() < 0.9, found


if __name__ == "__main__":
    print(limits_study().round(3).to_string())  # noqa: T201
