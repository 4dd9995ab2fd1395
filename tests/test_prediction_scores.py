"""Scores of risks: by hand, by counting pairs one by one, and against R.

The figures of R are in tests/reference/prediction_*.csv, made by tests/reference/make_reference_prediction.R
(riskRegression 2022.11.28, prodlim 2019.11.13, survival 3.5-3; see prediction_sessionInfo.txt there).
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.estimate import prediction
from analysis.estimate.curves import aalen_johansen
from analysis.estimate.prediction.concordance import concordance
from analysis.estimate.prediction.measures import auc, brier, calibration_slope
from analysis.estimate.prediction.weights import line_groups, sample
from analysis.schema import DAYS_PER_MONTH

REFERENCE = Path(__file__).parent / "reference"
WORDS = np.array(["censored", "relapse", "death"], dtype=object)


@cache
def reference():
    return pd.read_csv(REFERENCE / "prediction_rows.csv"), pd.read_csv(
        REFERENCE / "prediction_scores.csv", keep_default_na=False
    )


def long_of(rows, risks, horizons=(12.0, 24.0)):
    """PREDICTIONS of rows (patient_id, time, event code) with risks {model: [per horizon an array]}."""
    keys = pd.DataFrame({"patient_id": rows["patient_id"], "line": rows.get("line", 1), "time": rows["time"]})
    keys = keys.assign(event=WORDS[rows["event"]], fold="1", note="")
    parts = [
        keys.assign(model=model, horizon_months=horizon, risk=risk)
        for model, found in risks.items()
        for horizon, risk in zip(horizons, found, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)[schema.PREDICTIONS.names]


def predictions_of(dataset):
    rows = reference()[0].query("dataset == @dataset").reset_index(drop=True)
    risks = {name: [rows[f"{name}_12"], rows[f"{name}_24"]] for name in ("good", "poor")}
    curve = aalen_johansen(pd.DataFrame({"entry": 0, "time": rows["time"], "event": WORDS[rows["event"]]}))
    curve = curve[curve["event"] == "relapse"]
    risks["null"] = [curve.loc[curve["time"] <= m * DAYS_PER_MONTH, "estimate"].iloc[-1] for m in (12, 24)]
    return long_of(rows, risks)


def drawn(size, seed, days=40, groups=3):
    """Lines with many ties of times, and of risks, in several groups of censoring."""
    chance = np.random.default_rng(seed)
    time, status = chance.integers(0, days, size).astype(float), chance.integers(0, 3, size)
    group, weight = chance.integers(0, groups, size), chance.integers(0, 3, (size, 2)).astype(float)
    weight[:, 0] = 1
    return sample(time, status, group, weight), np.round(chance.uniform(size=size), 1)


# --- against R ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["exact", "monthly", "alone"])
def test_scores_are_those_of_r(dataset):
    found = prediction.scores(predictions_of(dataset), against="poor", resamples=0)
    expected = reference()[1].query("dataset == @dataset")
    both = found.merge(expected, on=["model", "measure", "horizon_months"])
    assert set(both["measure"]) >= {"AUC", "Brier score", "scaled Brier score", "calibration slope"}
    assert len(both) == len(expected) - 2  # "null" is not held against itself
    slope = both["measure"] == "calibration slope"  # R's glm stops by the deviance, and so a little early
    np.testing.assert_allclose(both["estimate"][~slope], both["value"][~slope], rtol=0, atol=1e-12)
    np.testing.assert_allclose(both["estimate"][slope], both["value"][slope], rtol=0, atol=1e-7)


# --- by hand --------------------------------------------------------------------------------------------------------

FOUR = pd.DataFrame({"patient_id": list("abcd"), "time": [100.0, 200.0, 300.0, 900.0], "event": [1, 0, 2, 0]})


def test_brier_and_auc_of_four_patients_by_hand():
    # By day 365 a had the event, d had not, c can no longer have it; b is not known. After b, G = 2/3 (3 at risk).
    part = sample(FOUR["time"].to_numpy(), FOUR["event"].to_numpy(), np.zeros(4, int), np.ones((4, 1)))
    known, had = part.known(365.25), part.had(365.25)
    np.testing.assert_allclose(known[:, 0], [1, 0, 3 / 2, 3 / 2])
    risk = np.array([0.6, 0.9, 0.6, 0.2])
    np.testing.assert_allclose(brier(known, had, risk, part), (0.4**2 + 1.5 * 0.6**2 + 1.5 * 0.2**2) / 4)
    np.testing.assert_allclose(auc(known, had, risk), (1.5 * 0.5 + 1.5) / 3)  # a ties with c, and is above d


def test_concordance_of_four_patients_by_hand():
    # a against b (G = 1), c (still there on day 100, G = 1) and d: below b, tied with c, above d.
    part = sample(FOUR["time"].to_numpy(), FOUR["event"].to_numpy(), np.zeros(4, int), np.ones((4, 1)))
    np.testing.assert_allclose(concordance(part, np.array([0.6, 0.9, 0.6, 0.2]), 365.25), (0 + 0.5 + 1) / 3)


def test_who_died_first_counts_as_never_having_the_event():
    # b dies on day 50, before the event of a on day 100: a pair in which a should have the higher risk.
    part = sample(np.array([100.0, 50.0]), np.array([1, 2]), np.zeros(2, int), np.ones((2, 1)))
    assert concordance(part, np.array([0.7, 0.3]), 365).tolist() == [1.0]
    assert concordance(part, np.array([0.3, 0.7]), 365).tolist() == [0.0]


def test_integrated_brier_is_the_area_of_the_trapezoids():
    horizons = (6.0, 12.0, 24.0)
    rows = predictions_of("exact").query("horizon_months == 12 and model == 'good'")
    rows = rows.assign(event=rows["event"].map({"relapse": 1, "death": 2, "censored": 0}))
    risks = long_of(rows, {"stage": [0.1 + 0 * rows["risk"], rows["risk"], 0.7 + 0 * rows["risk"]]}, horizons)
    found = prediction.scores(risks, horizons, resamples=0).set_index(["measure", "horizon_months"])["estimate"]
    b6, b12, b24 = (found["Brier score", h] for h in horizons)
    expected = (6 * b6 / 2 + 6 * (b6 + b12) / 2 + 12 * (b12 + b24) / 2) / 24
    np.testing.assert_allclose(found["integrated Brier score", 24], expected, rtol=1e-12)
    assert ("integrated Brier score", 12) not in found.index  # two times do not make an integral


def test_net_benefit_by_hand():
    # Nobody censored by a year: of four, one true alarm (a) and one false (c) above 0.5.
    rows = pd.DataFrame({"patient_id": list("abcd"), "time": [100.0, 900.0, 300.0, 900.0], "event": [1, 0, 2, 0]})
    risks = long_of(rows, {"m": [[0.6, 0.1, 0.6, 0.2]]}, (12.0,))
    found = prediction.net_benefit(risks, [12], thresholds=[0.15, 0.5], resamples=0)
    expected = [1 / 4 - 0.15 / 0.85 * 2 / 4, 1 / 4 - 1 / 4, 1 / 4 - 0.15 / 0.85 * 3 / 4, 1 / 4 - 3 / 4]
    np.testing.assert_allclose(found["estimate"], expected)
    assert found["above"].tolist() == [3, 2, 4, 4]


def test_net_benefit_is_that_of_the_incidence_above_the_threshold():
    # Vickers' form: the Aalen-Johansen incidence of those above, times their share. Where censoring has nothing to do
    # with the risk the two differ only by the chance in the censoring curve.
    chance = np.random.default_rng(4)
    rate, watched = np.exp(0.7 * chance.normal(size=20_000)) / 500, chance.uniform(100, 1800, 20_000)
    time, death = chance.exponential(1 / rate), chance.exponential(1500, 20_000)
    event = np.where(np.minimum(time, death) > watched, 0, np.where(time < death, 1, 2))
    rows = pd.DataFrame({"patient_id": np.arange(20_000).astype(str), "event": event})
    rows["time"] = np.minimum(np.minimum(time, death), watched)
    risks = long_of(rows, {"m": [-np.expm1(-365.25 * rate)]}, (12.0,))
    found = prediction.net_benefit(risks, [12], thresholds=[0.4, 0.6], resamples=0).query("model == 'm'")["estimate"]
    for threshold, estimate in zip([0.4, 0.6], found, strict=True):
        above = risks[risks["risk"] >= threshold]
        curve = aalen_johansen(above.assign(entry=0)).query("event == 'relapse' and time <= 365.25")["estimate"]
        share, incidence = len(above) / len(risks), curve.iloc[-1]
        expected = share * (incidence - threshold / (1 - threshold) * (1 - incidence))
        assert estimate == pytest.approx(expected, abs=0.003)


# --- against plain counting -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_sorted_pairs_are_the_pairs_counted_one_by_one(seed):
    lines, risk = drawn(80, seed)
    horizon, expected = 25.0, []
    own = lines.own_inverse()
    for column in range(2):
        right = every = 0.0
        for i in np.flatnonzero(lines.had(horizon)):
            for j in range(len(risk)):
                later = lines.time[j] > lines.time[i] or (lines.time[j] == lines.time[i] and lines.status[j] == 0)
                first = lines.status[j] == 2 and lines.time[j] <= lines.time[i]
                at = lines.inverse(lines.time[[i]], lines.group[j])[0, column]
                pair = at if later else own[j, column] if first else 0.0
                pair *= own[i, column] * lines.weight[i, column] * lines.weight[j, column]
                every += pair
                right += pair * ((risk[i] > risk[j]) + (risk[i] == risk[j]) / 2)
        expected.append(right / every)
    np.testing.assert_allclose(concordance(lines, risk, horizon), expected, rtol=1e-12)


def test_a_resample_is_the_rows_repeated():
    lines, risk = drawn(60, 9)
    times = lines.weight[:, 1].astype(int)
    again = sample(*(np.repeat(a, times) for a in (lines.time, lines.status, lines.group)), np.ones((times.sum(), 1)))
    repeated = np.repeat(risk, times)
    np.testing.assert_allclose(concordance(lines, risk, 25)[1], concordance(again, repeated, 25)[0], rtol=1e-12)
    for measure in (auc, calibration_slope):
        first = measure(lines.known(25), lines.had(25), risk)[1]
        np.testing.assert_allclose(first, measure(again.known(25), again.had(25), repeated)[0], rtol=1e-9)


# --- what must hold -------------------------------------------------------------------------------------------------


def test_censoring_that_depends_on_the_line_does_not_bend_the_brier_score():
    # Later lines are watched for a shorter time and relapse sooner. Weights by line restore the score of full data.
    chance = np.random.default_rng(3)
    size = 40_000
    line = chance.integers(1, 3, size)
    time = chance.exponential(np.where(line == 1, 900, 250))
    watched = chance.uniform(0, np.where(line == 1, 4000, 900))
    risk = 1 - np.exp(-365.25 / np.where(line == 1, 700.0, 400.0))
    full = np.mean(((time <= 365.25) - risk) ** 2)
    rows = pd.DataFrame({"patient_id": np.arange(size).astype(str), "line": line})
    rows = rows.assign(time=np.minimum(time, watched), event=(time <= watched).astype(int))
    one = prediction.scores(long_of(rows, {"stage": [risk]}, (12.0,)), [12], resamples=0)
    together = prediction.scores(long_of(rows.assign(line=1), {"stage": [risk]}, (12.0,)), [12], resamples=0)
    by_line, pooled = (f.set_index("measure")["estimate"]["Brier score"] for f in (one, together))
    assert abs(by_line - full) < 0.002 < abs(pooled - full)


def test_right_risks_are_calibrated_and_doubled_logs_have_half_the_slope():
    chance = np.random.default_rng(5)
    rate = np.exp(chance.normal(size=20_000)) / 600
    time, status = np.minimum(chance.exponential(1 / rate), 2000.0), np.ones(20_000, int)
    part = sample(time, status, np.zeros(20_000, int), np.ones((20_000, 1)))
    hazard = rate * 365.25
    slopes = [
        calibration_slope(part.known(365.25), part.had(365.25), -np.expm1(-(hazard**power)))[0] for power in (1, 2)
    ]
    assert slopes[0] == pytest.approx(1, abs=0.03)
    assert slopes[1] == pytest.approx(slopes[0] / 2, abs=0.01)


def test_scores_do_not_depend_on_the_order_of_rows_and_models():
    risks = predictions_of("monthly")
    first = prediction.scores(risks, against="poor", resamples=20)
    second = prediction.scores(risks.sample(frac=1, random_state=1), against="poor", resamples=20)
    key = ["model", "measure", "horizon_months"]
    numbers = ["estimate", "conf_low", "conf_high", "difference_low"]
    pd.testing.assert_frame_equal(
        first.sort_values(key)[numbers].reset_index(drop=True), second.sort_values(key)[numbers].reset_index(drop=True)
    )


def test_the_verdict_is_read_from_the_limits_of_the_difference():
    risks = predictions_of("exact")
    same = risks[risks["model"] == "good"].assign(model="twin")
    found = prediction.scores(pd.concat([risks, same], ignore_index=True), [12], against="good", resamples=100)
    verdict = found.set_index(["model", "measure"])["verdict"]
    assert verdict["twin", "AUC"] == "not shown to be better"
    assert verdict["poor", "AUC"] == "worse" and verdict["poor", "Brier score"] == "worse"
    assert verdict["good", "AUC"] == "" and verdict["poor", "calibration slope"] == ""
    turned = prediction.scores(risks, [12], against="poor", resamples=100).set_index(["model", "measure"])["verdict"]
    assert turned["good", "AUC"] == "better" and turned["good", "Brier score"] == "better"


def test_limits_draw_patients_with_all_their_lines():
    # Each line twice under one patient's name: as many patients, the same limits; as separate patients, narrower ones.
    rows = reference()[0].query("dataset == 'exact'").reset_index(drop=True)
    twice = pd.concat([rows.assign(line=1), rows.assign(line=2)], ignore_index=True)
    apart = twice.assign(patient_id=twice["patient_id"] + twice["line"].astype(str), line=1)
    widths = []
    for frame in (rows.assign(line=1), twice, apart):
        found = prediction.scores(long_of(frame, {"stage": [frame["good_12"]]}, (12.0,)), [12], resamples=200)
        found = found.set_index("measure").loc["AUC"]
        widths.append(found["conf_high"] - found["conf_low"])
    assert widths[1] == pytest.approx(widths[0], rel=0.05)
    assert widths[2] == pytest.approx(widths[0] / np.sqrt(2), rel=0.2)


def test_a_high_c_is_a_warning_and_few_events_are_counts_only():
    chance = np.random.default_rng(2)
    rows = pd.DataFrame({"patient_id": np.arange(200).astype(str), "time": chance.uniform(1, 800, 200), "event": 1})
    risks = long_of(rows, {"stage": [1 - rows["time"] / 900]}, (12.0,))
    found = prediction.scores(risks, [12], resamples=0).set_index("measure")
    assert "C above 0.75" in found.loc["Uno's C", "note"] and "C above" not in found.loc["AUC", "note"]
    few = long_of(rows.assign(event=(rows.index < 15).astype(int)), {"stage": [rows["time"] / 900]}, (12.0,))
    found = prediction.scores(few, [12], resamples=0)
    assert found["estimate"].isna().all() and found["events"].max() < 20
    assert found["note"].str.contains("fewer than 20 events: counts only").all()


def test_calibration_holds_the_incidence_of_each_group():
    risks = predictions_of("exact")
    found = schema.check(prediction.calibration(risks, [24], groups=5), schema.CALIBRATION_CURVE)
    good = found[found["model"] == "good"]
    assert good["lines"].tolist() == [50] * 5 and good["predicted"].is_monotonic_increasing
    own = risks[(risks["model"] == "good") & (risks["horizon_months"] == 24)].sort_values("risk")
    top = aalen_johansen(own.tail(50).assign(entry=0)).query("event == 'relapse' and time <= 730.5").iloc[-1]
    np.testing.assert_allclose(
        good[["estimate", "conf_low", "conf_high"]].iloc[-1].astype(float),
        top[["estimate", "conf_low", "conf_high"]].astype(float),
    )
    assert set(found["model"]) == {"good", "poor"}  # equal risks are never parted, and "null" tells nobody apart


def test_subgroups_have_limits_or_counts_only():
    risks = predictions_of("exact")
    kinds = risks[["patient_id", "line"]].drop_duplicates().reset_index(drop=True)
    kinds["sex"] = np.where(kinds.index < 30, None, np.where(kinds.index < 140, "male", "female"))
    found = prediction.subgroups(risks, kinds, ["sex"], [12], against="poor", resamples=20)
    schema.check(found, schema.SUBGROUP_SCORES)
    by_level = found[(found["model"] == "good") & (found["measure"] == "AUC")].set_index("level")
    assert by_level["patients"].to_dict() == {"female": 110, "male": 110, "unknown": 30}
    assert by_level["conf_low"].notna().to_dict() == {"female": True, "male": True, "unknown": False}
    alone = risks[risks["patient_id"].isin(kinds.loc[kinds["sex"] == "male", "patient_id"])]
    same = prediction.scores(alone, [12], against="poor", resamples=0).query("model == 'good' and measure == 'AUC'")
    assert by_level.loc["male", "estimate"] == pytest.approx(same["estimate"].iloc[0])
    assert "fewer than 50 patients" in by_level.loc["unknown", "note"]


def test_optimism_is_apparent_minus_validated():
    risks = predictions_of("exact")
    seen = risks[risks["model"] == "good"].assign(model="cox")
    unseen = risks[risks["model"] == "poor"].assign(model="cox")
    null = risks[risks["model"] == "null"]
    both = [pd.concat([frame, null], ignore_index=True) for frame in (seen, unseen)]
    found = prediction.optimism(*both, [12], resamples=50).set_index(["model", "measure"])
    scored = prediction.scores(risks, [12], against="poor", resamples=0).set_index(["model", "measure"])["estimate"]
    assert found.loc[("cox", "AUC"), "estimate"] == pytest.approx(scored["good", "AUC"] - scored["poor", "AUC"])
    assert found.loc[("cox", "AUC"), "conf_low"] > 0
    scaled = found.loc[("cox", "scaled Brier score")]
    assert scaled["validated"] == pytest.approx(scored["poor", "scaled Brier score"])


def test_later_lines_are_put_together_until_enough_are_watched():
    line, time = np.repeat([1, 2, 3, 7], 30), np.tile(np.where(np.arange(30) < 25, 900.0, 10.0), 4)
    assert line_groups(line, time, 730).tolist() == np.repeat([0, 1, 2, 3], 30).tolist()
    time[90:] = 5.0
    assert line_groups(line, time, 730).max() == 2
    assert line_groups(line, time * 0, 730).max() == 0


# --- bad input ------------------------------------------------------------------------------------------------------


def test_every_fault_of_predictions_is_named():
    risks = predictions_of("exact")
    lacking = risks[~((risks["model"] == "poor") & (risks["patient_id"] == "exact001"))]
    with pytest.raises(schema.SchemaError, match=r"(?s)horizon 36 months is not.*model 'poor' has no risk") as caught:
        prediction.scores(lacking, [36], cause="remission")
    assert "expected an event word, came 'remission'" in str(caught.value)
    with pytest.raises(schema.SchemaError, match=r"against: expected one of .*'good'"):
        prediction.scores(risks, against="stage")
    with pytest.raises(schema.SchemaError, match="thresholds: expected risks above 0"):
        prediction.net_benefit(risks, thresholds=[0, 0.5])
    with pytest.raises(schema.SchemaError, match="column 'race' is missing"):
        prediction.subgroups(risks, risks[["patient_id", "line"]], ["race"])
