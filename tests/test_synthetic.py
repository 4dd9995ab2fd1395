"""The embedded cohort: the same each time, whole, possible, obedient to its own truth, which nobody reads."""

import itertools
import re
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import analysis
from analysis import schema, vocabulary
from analysis.derive import regimens
from analysis.sources import synthetic
from analysis.sources.synthetic import characteristics, parameters, treatments

TABLES = ("cohort", "patients", "treatments", "labs", "findings", "truth")


@pytest.fixture(scope="module")
def cohort():
    return synthetic.simulate(patients=2000, seed=7)


@pytest.fixture(scope="module")
def last_contact(cohort):
    return cohort["patients"].set_index("patient_id")["last_contact_day"]


def in_line(cohort, rows):
    """Rows with the first day of their line and of the next one (a very late day when there is none)."""
    starts = cohort["treatments"].groupby(["patient_id", "line"])["start_day"].min().rename("line_start").reset_index()
    following = starts.rename(columns={"line_start": "next_start"}).assign(line=starts["line"] - 1)
    rows = rows.merge(starts, on=["patient_id", "line"]).merge(following, on=["patient_id", "line"], how="left")
    return rows.fillna({"next_start": 10**6})


def test_the_same_seed_gives_the_same_frames_and_another_seed_others():
    first, second, other = (synthetic.simulate(patients=120, seed=seed) for seed in (5, 5, 6))
    for name in TABLES:
        assert_frame_equal(first[name], second[name])
    assert not first["patients"]["age_years"].equals(other["patients"]["age_years"])


def test_every_table_fits_its_declaration(cohort):
    assert tuple(cohort) == TABLES
    for name in TABLES:
        schema.check(cohort[name], getattr(schema, name.upper()))


def test_parts_go_on_counting_and_stand_each_for_itself():
    parts = list(synthetic.parts(patients=250, seed=3, part_size=100))
    assert [len(part["patients"]) for part in parts] == [100, 100, 50]
    names = pd.concat([part["patients"]["patient_id"] for part in parts])
    assert names.is_unique and names.is_monotonic_increasing
    assert_frame_equal(parts[0]["labs"], synthetic.simulate(patients=100, seed=3)["labs"])
    assert not parts[0]["patients"]["age_years"].equals(parts[1]["patients"]["age_years"])
    *_, last = synthetic.parts(patients=250, seed=3, part_size=100)
    assert_frame_equal(parts[2]["findings"], last["findings"])


def test_parts_are_made_one_at_a_time():
    assert len(next(synthetic.parts(patients=10**9, seed=1, part_size=10))["patients"]) == 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"patients": 0}, "patients: expected at least 1, came 0"),
        ({"patients": 0, "seed": -1}, "patients: .*; seed: expected at least 0, came -1"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(arguments, words):
    with pytest.raises(ValueError, match=words):
        synthetic.simulate(**arguments)
    with pytest.raises(ValueError, match=words):
        synthetic.parts(**arguments)


def test_nothing_is_written_after_last_contact(cohort, last_contact):
    for table, days in {"treatments": ("start_day", "end_day"), "labs": ("day",), "findings": ("day",)}.items():
        rows = cohort[table]
        for day in days:
            late = (rows[day] > rows["patient_id"].map(last_contact)).fillna(False)
            assert not late.any(), f"{table}.{day}: {late.sum()} rows after last contact"
            assert rows[day].min() >= 0
    patients = cohort["patients"]
    dead = patients["death_day"].notna()
    assert (patients.loc[dead, "death_day"] == patients.loc[dead, "last_contact_day"]).all()


def test_lines_begin_one_after_the_other(cohort):
    starts = cohort["treatments"].pivot_table(index="patient_id", columns="line", values="start_day", aggfunc="min")
    assert (starts[1] == 0).all()
    assert set(starts.index) == set(cohort["patients"]["patient_id"])
    for line in range(2, parameters.MAX_LINES + 1):
        begun = starts[line].notna()
        assert (starts.loc[begun, line] > starts.loc[begun, line - 1]).all(), f"line {line}"
    rows = in_line(cohort, cohort["treatments"])
    assert ((rows["start_day"] >= rows["line_start"]) & (rows["start_day"] < rows["next_start"])).all()
    assert (rows["end_day"].fillna(10**6) >= rows["start_day"]).all()
    assert (rows["end_day"].fillna(-1) < rows["next_start"]).all()


def test_a_finding_stands_in_its_line(cohort):
    rows = in_line(cohort, cohort["findings"])
    assert len(rows) == len(cohort["findings"])
    assert ((rows["day"] >= rows["line_start"]) & (rows["day"] < rows["next_start"])).all()
    progressions = rows[rows["finding"] == "progression"]
    assert (progressions["day"] > progressions["line_start"]).all()
    assert set(progressions["value"]) == {"biochemical", "clinical"}
    responses = rows[rows["finding"] == "best response"]
    assert not responses.duplicated(["patient_id", "line"]).any()
    assert set(responses["value"]) <= set(schema.cohort.RESPONSES)
    tests = rows[rows["finding"] == "MRD"].merge(
        progressions.groupby(["patient_id", "line"])["day"].min().rename("progression").reset_index(), how="left"
    )
    assert (tests["day"] < tests["progression"].fillna(10**6)).all()


def test_laboratory_values_are_possible_and_in_canonical_units(cohort):
    labs = cohort["labs"]
    units = vocabulary.tests().set_index("test")["unit"]
    assert (labs["unit"] == labs["test"].map(units)).all()
    ranges = labs.groupby("test")["value"].agg(["min", "median", "max"])
    assert ranges.loc["serum M-protein", "min"] == 0
    assert ranges["min"].min() >= 0
    assert 9 < ranges.loc["haemoglobin", "median"] < 14
    assert ranges.loc["calcium", "max"] < 17
    visits = labs.groupby("patient_id")["day"].nunique()
    assert visits.median() > 12
    assert not labs.duplicated(["patient_id", "day", "test"]).any()


def test_agents_are_known_and_new_ones_come_only_in_their_time(cohort):
    given = cohort["treatments"].merge(cohort["patients"][["patient_id", "index_year"]], on="patient_id")
    assert vocabulary.is_known_agent(pd.Series(given["agent"].unique())).all()
    latest_year = given["index_year"].astype(float) + 1 + given["start_day"] / 365.25
    classes = vocabulary.drug_classes(given["agent"])
    for drug_class, year in {"CAR-T": 2021, "bispecific": 2021, "anti-CD38": 2016}.items():
        assert (classes == drug_class).any()
        assert latest_year[classes == drug_class].min() >= year, drug_class
    assert set(given.loc[given["agent"] == "autologous transplant", "line"]) == {1}
    assert {"induction", "transplant", "maintenance", "treatment", "bridging"} == set(given["phase"])


def test_regimen_tables_cover_every_year_of_every_setting():
    folder = Path(treatments.__file__).parent
    use, regimens = pd.read_csv(folder / "regimen_use.csv"), treatments.regimens()
    assert set(use["regimen"]) == set(regimens["regimen"])
    agents = regimens["agents"].str.split("+").explode()
    assert vocabulary.is_known_agent(agents).all()
    for (setting, first), group in use.groupby(["setting", "from_year"]):
        assert group["weight"].sum() == pytest.approx(1), (setting, first)
        assert (group["to_year"] == group["to_year"].iloc[0]).all()
    for setting, group in use.drop_duplicates(["setting", "from_year"]).groupby("setting"):
        periods = group.sort_values("from_year")
        assert periods["from_year"].iloc[0] == parameters.FIRST_YEAR, setting
        assert (periods["from_year"].iloc[1:].to_numpy() == periods["to_year"].iloc[:-1].to_numpy() + 1).all()


def test_what_is_seen_is_the_truth_unless_something_came_first(cohort):
    progressions = cohort["findings"][cohort["findings"]["finding"] == "progression"]
    seen = progressions.groupby(["patient_id", "line"])["day"].min().rename("seen").reset_index()
    joined = seen.merge(cohort["truth"], on=["patient_id", "line"], validate="one_to_one")
    assert len(joined) == len(seen)
    assert (joined["seen"] == joined["relapse_day"]).all()
    patients = cohort["patients"].merge(cohort["truth"].drop_duplicates("patient_id"), on="patient_id")
    dead = patients["death_day_x"].notna()
    assert (patients.loc[dead, "death_day_x"] == patients.loc[dead, "death_day_y"]).all()
    assert (patients.loc[~dead, "last_contact_day"] < patients.loc[~dead, "death_day_y"]).all()


def test_relapse_obeys_the_true_hazard_ratios():
    """The latent times of line 1 are seen in full; on the true log hazard a Cox model must find the coefficient 1."""
    from lifelines import CoxPHFitter

    truth = synthetic.simulate(patients=6000, seed=21)["truth"].query("line == 1")
    known = truth["log_hazard_ratio"] + truth["response_log_hazard_ratio"] + np.log(truth["frailty"])
    frame = pd.DataFrame({"time": truth["relapse_day"].astype(float), "event": 1, "known": known})
    frame = frame[frame["time"] > parameters.EARLIEST_RELAPSE_DAYS]
    fit = CoxPHFitter().fit(frame, "time", "event")
    assert fit.params_["known"] == pytest.approx(1, abs=4 * fit.standard_errors_["known"])


def test_gaps_of_one_patient_are_alike(cohort):
    starts = cohort["treatments"].groupby(["patient_id", "line"])["start_day"].min().rename("start").reset_index()
    gaps = cohort["truth"].merge(starts, on=["patient_id", "line"])
    gaps = gaps.assign(gap=gaps["relapse_day"].astype(float) - gaps["start"])
    gaps = gaps.pivot_table(index="patient_id", columns="line", values="gap")
    assert gaps[1].corr(gaps[2], method="spearman") > 0.15
    assert cohort["truth"].groupby("patient_id")["frailty"].nunique().max() == 1


def test_lifestyle_has_no_effect_at_all(cohort):
    for name in ("bmi", "smoking", "activity", "diet", "distress"):
        assert synthetic.RELAPSE_LOG_HAZARD_RATIOS[name] == 0
        assert name not in synthetic.DEATH_LOG_HAZARD_RATIOS
    true, _ = characteristics.draw(10, 0, np.random.default_rng(1))
    assert not {"bmi_kg_m2", "smoking", "activity", "diet", "distress"} & set(true.columns)
    first = cohort["truth"].query("line == 1").merge(cohort["patients"], on="patient_id")
    hazard = first["log_hazard_ratio"] + np.log(first["frailty"])
    smokers = first["smoking"] == "current"
    assert abs(hazard[smokers].mean() - hazard[~smokers].mean()) < 0.2


def test_the_m_protein_meets_the_progression_rule_on_the_day_of_relapse(cohort):
    findings = cohort["findings"]
    findings = findings[(findings["finding"] == "progression") & (findings["value"] == "biochemical")]
    findings = findings[findings["line"] == 1]
    labs = (
        cohort["labs"]
        .query("test == 'serum M-protein'")
        .merge(findings.drop(columns="value").rename(columns={"day": "relapse"}), on="patient_id")
    )
    labs = labs[labs["day"] <= labs["relapse"]].sort_values(["patient_id", "day"])
    labs["nadir"] = labs.groupby("patient_id")["value"].cummin()
    labs["highest"] = labs.groupby("patient_id")["value"].transform("max")
    rise = labs["value"] - labs["nadir"]
    labs["met"] = (rise >= 0.5) & (rise >= 0.25 * labs["nadir"])
    labs = labs[labs["highest"] > 0]
    assert labs.loc[labs["day"] == labs["relapse"], "met"].mean() > 0.9
    assert labs.loc[labs["day"] < labs["relapse"] - 60, "met"].mean() < 0.05


@pytest.fixture(scope="module")
def exact():
    """The records without assay error and without gaps."""
    with mock.patch.multiple(parameters, MEASURE_CV=0.0, LIGHT_CHAIN_CV=0.0, TEST_MISSING=0.0):
        return synthetic.simulate(patients=1500, seed=9)


def first_rise(values, least, from_five):
    """Place of the first value that is 25 % and `least` above the lowest that two in a row reach; none: None.

    From 5 on `from_five` is enough. The reference is of the values before; the first counts alone.
    """
    reached = [values[0], *(max(pair) for pair in itertools.pairwise(values))]
    for place in range(1, len(values)):
        low = min(reached[:place])
        rise = values[place] - low + 1e-9
        if rise >= from_five if low >= 5 else rise >= max(least, 0.25 * low):
            return place
    return None


@pytest.mark.parametrize("followed", ["serum M-protein", "free light chains"])
def test_a_relapse_is_told_on_the_first_visit_that_meets_the_published_rule(exact, followed):
    """Line 1. Light chains, a tenth of a mg/L rounded away, are followed where there is no M-protein."""
    labs = exact["labs"].pivot_table(index=["patient_id", "day"], columns="test", values="value").reset_index()
    findings = exact["findings"]
    told = findings[(findings["finding"] == "progression") & (findings["line"] == 1)].groupby("patient_id")["day"].min()
    at_start = labs.groupby("patient_id")["serum M-protein"].transform("first")
    chains = (labs["kappa free light chain"] - labs["lambda free light chain"]).abs()
    if followed == "serum M-protein":
        labs, rule = labs[at_start >= 1].assign(value=labs["serum M-protein"]), (0.5, 1.0)
    else:
        labs = labs[(at_start == 0) & (chains.groupby(labs["patient_id"]).transform("first") > 150)]
        labs = labs.assign(value=chains / 1e9)  # far below five, so that the rule of serum from five on is not met
        rule = (100.2 / 1e9, np.inf)
    days = [
        rows["day"].tolist()[place] - told[patient]
        for patient, rows in labs[labs["patient_id"].isin(told.index)].groupby("patient_id")
        if (place := first_rise(rows["value"].tolist(), *rule)) is not None
    ]
    assert len(days) > 120
    assert np.mean(np.array(days) == 0) > 0.97


def test_the_signs_of_a_clinical_relapse_are_seen_on_its_day(exact):
    findings = exact["findings"]
    clinical = findings[(findings["finding"] == "progression") & (findings["value"] == "clinical")]
    clinical = clinical[["patient_id", "line", "day"]].rename(columns={"day": "told"})
    for finding in ("new bone lesion", "plasmacytoma"):
        seen = findings[(findings["finding"] == finding) & (findings["day"] > 0)].merge(clinical, how="left")
        assert (seen["day"] == seen["told"]).all(), finding
    lesions = findings[findings["finding"] == "new bone lesion"]
    assert len(lesions) / len(clinical) == pytest.approx(parameters.SYMPTOMS["new bone lesion"][2], abs=0.03)


def test_blood_falls_with_the_clinical_relapse_and_not_with_a_biochemical_one(exact):
    """Haemoglobin 2 g/dL below the best of the line: seldom on the day of a biochemical relapse, as published on the
    day of a clinical one."""
    told = exact["findings"].query("finding == 'progression'").drop_duplicates("patient_id")
    told = told[told["line"] == 1]
    told = told.rename(columns={"day": "told", "value": "kind"})[["patient_id", "told", "kind"]]
    blood = exact["labs"].query("test == 'haemoglobin'").merge(told, on="patient_id")
    blood = blood[blood["day"] <= blood["told"]]
    # The best that two samples in a row reach.
    lower = blood.groupby("patient_id")["value"].rolling(2).min().groupby("patient_id").max()
    at_relapse = blood[blood["day"] == blood["told"]].set_index("patient_id")
    fallen = (lower.reindex(at_relapse.index) - at_relapse["value"]) >= 2
    share = fallen.groupby(at_relapse["kind"]).mean()
    assert share["biochemical"] < 0.06
    assert share["clinical"] == pytest.approx(parameters.ANAEMIC_AT_RELAPSE, abs=0.06)


def test_symptoms_crowd_at_diagnosis_and_around_a_clinical_relapse(cohort):
    findings = cohort["findings"]
    clinical = findings[(findings["finding"] == "progression") & (findings["value"] == "clinical")]
    pain = findings[findings["finding"] == "bone pain"].merge(
        clinical[["patient_id", "line", "day"]].rename(columns={"day": "relapse"}), on=["patient_id", "line"]
    )
    before = pain["relapse"] - pain["day"]
    assert before.between(0, 90).sum() > 3 * before.between(180, 270).sum()
    at_diagnosis = (findings["finding"] == "bone pain") & (findings["day"] == 0)
    assert at_diagnosis.sum() > 0.5 * len(cohort["patients"])


def test_creatinine_is_the_equation_read_backwards():
    """The published equation written out forwards must give the eGFR back."""
    age, egfr = np.array([45.0, 72.0, 66.0, 80.0]), np.array([115.0, 30.0, 58.0, 92.0])
    female = np.array([True, True, False, False])
    creatinine = characteristics.creatinine_from_egfr(egfr, age, female)
    k, a = np.where(female, 0.7, 0.9), np.where(female, -0.241, -0.302)
    forwards = 142 * np.minimum(creatinine / k, 1) ** a * np.maximum(creatinine / k, 1) ** -1.2 * 0.9938**age
    assert forwards * np.where(female, 1.012, 1) == pytest.approx(egfr)


def test_a_few_values_are_missing_as_in_life(cohort):
    missing = cohort["patients"].isna().mean()
    for name in ("beta2_microglobulin_mg_l", "albumin_g_dl", "del17p", "gain_1q", "bmi_kg_m2", "ldh_high"):
        assert 0.01 < missing[name] < 0.2, name
    assert missing[["age_years", "index_year", "last_contact_day"]].max() == 0
    assert cohort["patients"]["age_years"].max() <= 90


def test_no_analysis_reads_the_truth():
    """Only this simulator makes it, only the shelf stores it (apart), only the door drops it."""
    house = Path(analysis.__file__).parent
    notebooks = house.parents[1] / "notebooks"
    rooms = ("derive", "estimate", "present", "report", "disclosure")
    readers = [file for room in rooms for file in (house / room).rglob("*.py")]
    readers += notebooks.rglob("*.ipynb")
    pattern = re.compile(r"""["']truth["'\\]|TRUTH|truth\.parquet""")
    guilty = [file.name for file in readers if file.exists() and pattern.search(file.read_text(encoding="utf-8"))]
    assert not guilty, f"the simulator's truth is read by {guilty}"


def test_the_fingerprint_covers_code_and_numbers():
    names = {path.name for path in synthetic.FINGERPRINT_INPUTS}
    assert {"parameters.py", "process.py", "regimens.csv", "regimen_use.csv"} <= names
    assert all(path.is_file() for path in synthetic.FINGERPRINT_INPUTS)


def test_relapses_do_not_pile_up_on_one_day(cohort):
    """A vertical step in the curves of the later lines would be an artefact of the visit schedule."""
    lines = regimens.lines(cohort)
    days = (lines["progression_day"] - lines["start_day"]).dropna()
    assert days.min() >= 21
    assert days.value_counts(normalize=True).max() < 0.01
