"""A model's card, its storage and its limits: what is said, what is refused, and what of a real patient stays out."""

import hashlib
import json
import zipfile
from functools import cache

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.derive import predictors, regimens, spells
from analysis.estimate import hazards
from analysis.estimate.prediction import Plan, cards, coarsening, fitted, ranges, risk, storage, uncertainty
from analysis.schema import DAYS_PER_MONTH
from analysis.sources import synthetic

MONTHS = (12, 24)
FEW = ("iss", "age_years", "del17p", "earlier_lines", "last_haemoglobin_g_dl")


@cache
def cohort() -> dict[str, pd.DataFrame]:
    return synthetic.simulate(400, seed=3)


@cache
def training() -> pd.DataFrame:
    lines = regimens.lines(cohort())
    rows = spells.spells(cohort(), lines)
    known = predictors.wide(predictors.known(cohort(), lines, rows), rows)
    return known.assign(entry=rows["entry"], time=rows["time"], event=rows["event"])


def about(is_synthetic: bool = True) -> dict:
    return cohort()["cohort"].iloc[0].to_dict() | {"synthetic": is_synthetic}


def plan(**choices) -> Plan:
    return Plan(FEW, horizons_months=MONTHS, trees=3, **choices)


@cache
def made(model: str):
    return fitted(training(), model, plan())


def card_of(model: str = "cox", is_synthetic: bool = True, **frames) -> dict:
    return cards.card(made(model), training(), about(is_synthetic), model, plan(), **frames)


def stored(folder, model: str = "cox"):
    return storage.save(
        folder / model, made(model), card_of(model), uncertainty.uncertainty(made(model), training(), plan())
    )


# the card


def test_card_says_from_whom_and_from_what():
    card = card_of()
    assert card["cohort"]["patients"] == 400 and card["cohort"]["lines"] == len(training())
    assert card["cohort"]["ended_by"] == training()["event"].value_counts().to_dict()
    assert card["competing"] == ["death", "next_line"] and card["fit"]["seed"] == 2026
    kinds = {one["name"]: (one["kind"], one["unit"], one["missing"]) for one in card["predictors"]}
    assert kinds["age_years"] == ("number", "years", False)
    assert kinds["iss"] == ("word", "", True) and kinds["del17p"] == ("flag", "", True)
    json.dumps(card, allow_nan=False)  # plain values only


def test_card_as_a_table_says_synthetic_and_no_advice():
    table = schema.check(cards.table(card_of()), schema.MODEL_CARD).set_index("item")["text"]
    assert "SYNTHETIC" in table["standing"] and "not medical advice" in table["standing"]
    assert table["measures"] == "not evaluated: do not trust these risks"
    assert "relapse within 12 and 24 months" in table["risk of"]
    assert "I, II, III" in table["iss"]
    real = cards.table(card_of(is_synthetic=False)).set_index("item")["text"]
    assert "SYNTHETIC" not in real["standing"] and "not medical advice" in real["standing"]


def test_card_carries_the_scores_of_its_own_model():
    scores = pd.DataFrame(
        {
            "model": ["cox", "stage"],
            "measure": "AUC",
            "horizon_months": 12.0,
            "estimate": [0.66, 0.58],
            "conf_low": [0.63, np.nan],
            "conf_high": [0.69, np.nan],
            "verdict": ["better", ""],
        }
    )
    table = cards.table(card_of(scores=scores))
    performance = table[table["section"] == "Performance"]
    assert performance[["item", "text"]].values.tolist() == [["AUC at 12 months", "0.660 (0.630 to 0.690); better"]]


def test_ranges_of_a_real_cohort_are_nobodys_value():
    age = pd.Series(np.r_[np.full(7, 21.0), 43.2, np.arange(50.0, 70.0), 81.7, np.full(7, 97.0)])
    found = ranges.training_range("age_years", age, age, np.arange(len(age)), synthetic=False)
    assert (found["low"], found["high"]) == (43.0, 82.0)  # the eighth from either end, rounded outward
    whole = ranges.training_range("age_years", age, age, np.arange(len(age)), synthetic=True)
    assert (whole["low"], whole["high"]) == (21.0, 97.0)
    # Eight lines of one patient are one patient.
    one = ranges.training_range("age_years", age, age, np.r_[np.zeros(8), np.arange(1, 29)], synthetic=False)
    assert one["low"] > 43.2


def test_levels_and_counts_of_few_real_patients_are_withheld():
    word = pd.Series(["I"] * 20 + ["rare"] * 7, dtype=object)
    found = ranges.training_range("iss", word, word, np.arange(27), synthetic=False)
    assert found["levels"] == ["I"]
    few = training().assign(event=training()["event"].mask(training()["event"] == "next_line", "relapse"))
    few.loc[few.index[:3], "event"] = "next_line"
    card = cards.card(made("cox"), few, about(False), "cox", plan())
    assert card["cohort"]["ended_by"]["next_line"] is None
    assert "next_line fewer than 8" in cards.table(card).set_index("item")["text"]["how lines ended"]


def test_outside_names_every_reason_and_no_value():
    card = card_of()
    row = {"iss": "II", "age_years": 66.0, "del17p": True, "earlier_lines": 1.0, "last_haemoglobin_g_dl": 11.0}
    rows = [
        row,
        row | {"age_years": 7.5},
        row | {"iss": "IV"},
        row | {"age_years": None, "earlier_lines": 29.0},
        row | {"iss": None, "del17p": None},
    ]
    said = ranges.outside(card, pd.DataFrame(rows).astype({"del17p": "boolean"}))
    assert said[0] == "" and said[4] == ""  # missing where training had it missing too
    assert said[1].startswith("age_years lies below the range of training")
    assert said[2] == "iss has a value that training did not have, which had I, II, III"
    assert said[3].count(";") == 1 and "age_years is missing" in said[3] and "earlier_lines lies above" in said[3]
    assert not any("29" in one or "7.5" in one for one in said)


def test_nobody_of_a_synthetic_training_set_lies_outside_it():
    assert set(ranges.outside(card_of(), training())) == {""}


# limits


def test_limits_are_those_of_the_cause_specific_models():
    """With two causes, clusters and complete data the house's own delta method gives the same errors."""
    frame = training().dropna(subset=["del17p"]).query("iss != 'unknown'").reset_index(drop=True)
    names = ["iss", "age_years", "del17p", "earlier_lines"]
    end = MONTHS[-1] * DAYS_PER_MONTH
    # Follow-up stops at the last horizon, as in the models.
    event = frame["event"].where(frame["event"] != "next_line", "death").where(frame["time"] <= end, "censored")
    whole = frame.assign(event=event, time=frame["time"].clip(upper=end + 1), del17p=frame["del17p"].astype(bool))
    own = {
        cause: hazards.fit_cox(whole, " + ".join(names), cause, cluster="patient_id") for cause in ("relapse", "death")
    }
    at = pd.DataFrame(
        {"iss": ["I", "III", "II"], "age_years": [50.0, 70.0, 85.0], "del17p": [False, True, False],
         "earlier_lines": [0.0, 2.0, 4.0]}, index=list("abc"),
    )  # fmt: skip
    expected = hazards.predict_incidence(own, at, [month * DAYS_PER_MONTH for month in MONTHS])
    expected = expected[expected["event"] == "relapse"].sort_values(["stratum", "time"])
    chosen = Plan(names, horizons_months=MONTHS)
    models = fitted(frame, "cox", chosen)
    found = uncertainty.risk_with_limits(models, uncertainty.uncertainty(models, frame, chosen), at, MONTHS)
    # The ridge penalty of 0.1 and cells of a month against days are all that differs.
    for name in ("estimate", "conf_low", "conf_high"):
        np.testing.assert_allclose(found[name], expected[name], atol=0.003)


def test_limits_widen_where_patients_repeat():
    """A cohort written down twice under the same names says no more than once: the cluster sees it."""
    frame = training()
    twice = pd.concat([frame, frame.assign(line=frame["line"] + 15)], ignore_index=True)
    other = twice.assign(patient_id=np.where(twice["line"] > 15, "again " + twice["patient_id"], twice["patient_id"]))
    at = frame.head(1)
    widths = {}
    for name, rows in {"once": frame, "same": twice, "new": other}.items():
        models = fitted(rows, "cox", plan())
        found = uncertainty.risk_with_limits(models, uncertainty.uncertainty(models, rows, plan()), at, [12])
        widths[name] = float(found["conf_high"].iloc[0] - found["conf_low"].iloc[0])
    assert widths["same"] == pytest.approx(widths["once"], rel=0.02)
    assert widths["new"] == pytest.approx(widths["once"] / np.sqrt(2), rel=0.04)


def test_limits_of_a_sample_of_training_patients_are_of_that_sample():
    sampled = plan(training_patients=100)
    models = fitted(training(), "cox", sampled)
    of_sample = uncertainty.uncertainty(models, training(), sampled)
    np.testing.assert_allclose(of_sample["event_coefficients"], models["relapse"][-1].coef_)
    # The score of the penalised likelihood is zero only on the rows that the model was fitted to.
    whole = uncertainty.uncertainty(models, training(), plan())
    assert of_sample["covariance"].trace() > whole["covariance"].trace()
    assert cards.card(models, training(), about(), "cox", sampled)["cohort"]["patients"] == 100


@pytest.mark.parametrize("model", ["coxnet", "extra survival trees"])
def test_no_limits_where_none_are_honest(model):
    assert not uncertainty.has_limits(made(model))
    with pytest.raises(ValueError, match="no honest limits"):
        uncertainty.uncertainty(made(model), training(), plan())
    found = uncertainty.risk_with_limits(made(model), None, training().head(2), MONTHS)
    assert found["estimate"].notna().all() and found[["conf_low", "conf_high"]].isna().all(axis=None)


# storage


@pytest.mark.parametrize("model", ["stage", "cox", "coxnet", "extra survival trees", "gradient boosting"])
def test_a_stored_model_gives_the_same_risks(tmp_path, model):
    storage.save(tmp_path / "model", made(model), card_of(model))
    models, card, uncertain = storage.load(tmp_path / "model")
    days = [month * DAYS_PER_MONTH for month in MONTHS]
    np.testing.assert_array_equal(risk(models, training(), days), risk(made(model), training(), days))
    assert card["model"] == model and uncertain is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_limits_come_back_with_the_model(tmp_path):
    _, _, uncertain = storage.load(stored(tmp_path))
    expected = uncertainty.uncertainty(made("cox"), training(), plan())
    assert uncertain.keys() == expected.keys()
    np.testing.assert_array_equal(uncertain["covariance"], expected["covariance"])


def fault_of(folder) -> str:
    with pytest.raises(schema.BadInputError) as refused:
        storage.load(folder)
    return str(refused.value)


def test_a_changed_file_is_refused(tmp_path):
    folder = stored(tmp_path)
    for name in ("model.skops", "limits.npz"):
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(bytes(content))
    said = fault_of(folder)
    assert "2 fault(s)" in said and "model.skops" in said and "limits.npz" in said and "SHA-256" in said


def test_a_file_that_is_absent_or_cut_short_is_refused(tmp_path):
    folder = stored(tmp_path)
    (folder / "limits.npz").unlink()
    content = (folder / "model.skops").read_bytes()
    (folder / "model.skops").write_bytes(content[: len(content) // 2])
    assert "2 fault(s)" in fault_of(folder)
    (folder / "card.json").write_text('{"format": 1, "fi')
    assert "JSON" in fault_of(folder)
    assert "storage.save" in fault_of(tmp_path / "nowhere")


def with_card(folder, **changes):
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | changes))


def test_another_format_or_version_is_refused(tmp_path):
    folder = stored(tmp_path)
    packages = json.loads((folder / "card.json").read_text())["packages"]
    with_card(folder, packages=packages | {"scikit-learn": "0.24.2", "scikit-survival": "9.9.9", "numpy": "1.0"})
    said = fault_of(folder)
    assert "2 fault(s)" in said and "0.24.2" in said and "9.9.9" in said and "store the model again" in said
    with_card(folder, format=99)
    assert "format 1, came 99" in fault_of(folder)


def test_an_object_of_an_unknown_type_is_refused_and_never_built(tmp_path):
    """Somebody rewrites the file and the card, so that the checksum fits: the list of types still stands."""
    import skops.io
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    folder = stored(tmp_path)
    bad = skops.io.dumps({"relapse": Pipeline([("run", FunctionTransformer(json.loads))])})
    (folder / "model.skops").write_bytes(bad)
    files = {"model.skops": hashlib.sha256(bad).hexdigest()}
    with_card(folder, files=files)
    said = fault_of(folder)
    assert "json" in said and "nothing of it was run" in said
    strange = skops.io.dumps([1, 2])
    (folder / "model.skops").write_bytes(strange)
    with_card(folder, files={"model.skops": hashlib.sha256(strange).hexdigest()})
    assert "dict of scikit-learn Pipelines" in fault_of(folder)
    with pytest.raises(ValueError, match="types"):
        storage.save(tmp_path / "bad", {"relapse": Pipeline([("run", FunctionTransformer(json.loads))])}, card_of())
    assert not (tmp_path / "bad").exists()


def test_no_pickle_is_among_the_files(tmp_path):
    folder = stored(tmp_path)
    assert zipfile.is_zipfile(folder / "model.skops") and zipfile.is_zipfile(folder / "limits.npz")
    with zipfile.ZipFile(folder / "model.skops") as inside:
        assert not [name for name in inside.namelist() if not name.endswith((".npy", ".json"))]
    with np.load(folder / "limits.npz", allow_pickle=False) as arrays:
        assert "covariance" in arrays


def test_a_model_is_replaced_whole_and_nothing_else_is_overwritten(tmp_path, monkeypatch):
    folder = stored(tmp_path)
    before = (folder / "card.json").read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(storage.Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            storage.save(folder, made("stage"), card_of("stage"))
    assert (folder / "card.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cox"]
    storage.save(folder, made("stage"), card_of("stage"))
    assert storage.load(folder)[1]["model"] == "stage" and not (folder / "limits.npz").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds no model"):
        storage.save(tmp_path / "other", made("stage"), card_of("stage"))


# real patients


def test_trees_of_real_patients_are_not_stored(tmp_path):
    with pytest.raises(ValueError, match="leaves hold the times of few patients"):
        storage.save(tmp_path / "trees", made("extra survival trees"), card_of("extra survival trees", False))
    assert not list(tmp_path.iterdir())


def test_levels_of_few_real_patients_are_not_stored(tmp_path):
    frame = training().assign(race=["seldom" if place < 3 else "often" for place in range(len(training()))])
    chosen = Plan(["race", "age_years"], horizons_months=MONTHS)
    models = fitted(frame, "cox", chosen)
    with pytest.raises(ValueError, match="'race': 1 level"):
        storage.save(tmp_path / "m", models, cards.card(models, frame, about(False), "cox", chosen))


def test_baseline_of_real_patients_has_steps_of_many_events(tmp_path):
    storage.save(tmp_path / "real", made("cox"), card_of("cox", False))
    models, _, _ = storage.load(tmp_path / "real")
    week = DAYS_PER_MONTH / 4
    ends = np.array(MONTHS) * DAYS_PER_MONTH
    for name, one in models.items():
        hazard, daily = one[-1].cum_baseline_hazard_, made("cox")[name][-1].cum_baseline_hazard_
        days = daily.x[np.diff(daily.y, prepend=0.0) > 0]
        assert np.histogram(days, hazard.x)[0].min() >= 8
        assert np.allclose(hazard.x / week, np.round(hazard.x / week))
        assert np.allclose(hazard(ends), daily(ends))  # nothing is lost by a horizon
        assert len(hazard.x) < len(daily.x) / 4
    days = ends.tolist()
    difference = risk(models, training(), days) - risk(made("cox"), training(), days)
    assert np.abs(difference).max() < 0.01
    assert made("cox")["relapse"][-1].unique_times_.size > 100  # the model itself is as it was


def test_cells_join_until_each_kind_of_event_is_frequent_enough():
    many, few = np.repeat(np.arange(1.0, 41), 8), np.repeat([5.0, 35.0], 8)
    edges = coarsening.joined_edges(np.arange(10.0, 40, 10), np.array([20.0, 40.0]), [many, few])
    assert edges.tolist() == [0, 20, 40]  # 10 to 20 has none of the few: it joins the cell before the end
    scarce = coarsening.joined_edges(np.arange(10.0, 40, 10), np.array([20.0, 40.0]), [np.array([15.0])])
    assert scarce.tolist() == [0, 20, 40]
