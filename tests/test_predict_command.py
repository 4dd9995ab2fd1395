"""`relapse predict` as somebody at a terminal meets it: exit codes, refusals, and what is said first."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.__main__ import main
from analysis.derive import predictors, regimens, spells
from analysis.estimate.prediction import Plan, cards, fitted, risk, storage, uncertainty
from analysis.schema import DAYS_PER_MONTH
from analysis.sources import synthetic

MONTHS = (12, 24)
PREDICTORS = ("iss", "age_years", "sex", "del17p", "earlier_lines")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A Cox model with limits and one of trees without, stored; and the frame they were fitted to."""
    cohort = synthetic.simulate(300, seed=4)
    lines = regimens.lines(cohort)
    rows = spells.spells(cohort, lines)
    known = predictors.wide(predictors.known(cohort, lines, rows), rows)
    frame = known.assign(entry=rows["entry"], time=rows["time"], event=rows["event"])
    about = cohort["cohort"].iloc[0].to_dict()
    plan = Plan(PREDICTORS, horizons_months=MONTHS, trees=3)
    folder = tmp_path_factory.mktemp("models")
    models = {name: fitted(frame, name, plan) for name in ("cox", "extra survival trees")}
    for name, one in models.items():
        limits = uncertainty.uncertainty(one, frame, plan) if name == "cox" else None
        storage.save(folder / name.split()[0], one, cards.card(one, frame, about, name, plan), limits)
    real = cards.card(models["cox"], frame, about | {"synthetic": False}, "cox", plan)
    storage.save(folder / "real", models["cox"], real)
    return folder, frame, models


def patients() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": ["ann", "bob", "cyd"],
            "line": [1, 2, 1],
            "iss": ["II", "iii", ""],
            "age_years": ["66", "71.5", "80"],
            "sex": ["female", "male", "male"],
            "del17p": ["false", "", "true"],
            "earlier_lines": ["0", "1", "0"],
        }
    )


def file_of(folder, frame: pd.DataFrame):
    file = folder / "patients.csv"
    frame.to_csv(file, index=False)
    return file


def relapse(*words) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "analysis", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def in_process(capsys, *words) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_risks_with_limits_in_a_file_and_exit_code_0(made, tmp_path):
    folder, _, models = made
    out = tmp_path / "risks.csv"
    run = relapse("predict", folder / "cox", file_of(tmp_path, patients()), "--out", out)
    assert run.returncode == 0, run.stderr
    first, second = run.stdout.splitlines()[:2]
    assert first.startswith("SYNTHETIC") and "not medical advice" in second
    assert "3 of 3 patient-line(s) answered" in run.stdout
    found = pd.read_csv(out, keep_default_na=False, na_values={"estimate": ""})
    assert found["patient_id"].tolist() == ["ann", "ann", "bob", "bob", "cyd", "cyd"]
    assert found["horizon_months"].tolist() == [12, 24] * 3
    assert (found["conf_low"].astype(float) < found["estimate"]).all()
    assert (found["estimate"] < found["conf_high"].astype(float)).all()
    assert found["standing"].str.contains("SYNTHETIC").all() and found["standing"].str.contains("not medical").all()
    frame = pd.DataFrame(
        {"iss": ["II", "III", None], "age_years": [66, 71.5, 80], "sex": ["female", "male", "male"],
         "del17p": [0.0, np.nan, 1.0], "earlier_lines": [0.0, 1, 0]}
    )  # fmt: skip
    expected = risk(models["cox"], frame, [month * DAYS_PER_MONTH for month in MONTHS])
    np.testing.assert_allclose(found["estimate"], expected.ravel())


def test_who_lies_outside_is_refused_and_the_others_answered(made, tmp_path):
    strange = patients().assign(age_years=["66", "12", "80"], iss=["II", "III", "IV"])
    run = relapse("predict", made[0] / "cox", file_of(tmp_path, strange))
    assert run.returncode == 1
    said = run.stdout.splitlines()
    assert "ann, line 1: within 12 months" in run.stdout and "%" in run.stdout
    assert any(line.startswith("bob, line 2: refused: age_years lies below the range of training") for line in said)
    assert any(line.startswith("cyd, line 1: refused: iss has a value that training did not have") for line in said)
    assert "12" not in next(line for line in said if line.startswith("bob"))  # nobody's value is repeated
    assert "1 of 3 patient-line(s) answered" in run.stdout and "2 patient-line(s) refused" in run.stderr


def test_all_faults_of_a_file_come_at_once_and_nothing_is_written(made, tmp_path):
    bad = patients().rename(columns={"age_years": "age_year"}).drop(columns="sex")
    bad = bad.assign(line=["1", "one", "1"], del17p=["false", "perhaps", "true"], progression_day=90, time=[3, 4, 5])
    out = tmp_path / "risks.csv"
    run = relapse("predict", made[0] / "cox", file_of(tmp_path, bad), "--out", out)
    assert run.returncode == 1 and not out.exists()
    for part in (
        "rename 'age_year' to 'age_years'",
        "the column 'sex'",
        "'progression_day' of LINES became known later",
        "'time' of SPELLS became known later",
        "patients.csv:3 column 'line'",
        "patients.csv:3 column 'del17p'",
        "6 error(s)",
    ):
        assert part in run.stderr, run.stderr
    assert "perhaps" not in run.stderr and "Traceback" not in run.stderr


def test_a_tampered_model_is_refused(made, tmp_path, capsys):
    storage_of = tmp_path / "model"
    storage_of.mkdir()
    for file in (made[0] / "cox").iterdir():
        (storage_of / file.name).write_bytes(file.read_bytes())
    card = json.loads((storage_of / "card.json").read_text())
    (storage_of / "card.json").write_text(json.dumps(card | {"files": card["files"] | {"model.skops": "0" * 64}}))
    code, out, err = in_process(capsys, "predict", storage_of, file_of(tmp_path, patients()))
    assert code == 1 and "SHA-256" in err and "%" not in out


def test_trees_give_risks_without_limits_and_say_so(made, tmp_path, capsys):
    code, out, _ = in_process(capsys, "predict", made[0] / "extra", file_of(tmp_path, patients()))
    assert code == 0 and "no limits: this kind of model has none that are honest" in out
    assert " to " not in next(line for line in out.splitlines() if line.startswith("ann"))


def test_of_real_patients_it_is_not_called_synthetic(made, tmp_path, capsys):
    code, out, _ = in_process(capsys, "predict", made[0] / "real", file_of(tmp_path, patients()))
    assert code in (0, 1) and "SYNTHETIC" not in out and "not medical advice" in out.splitlines()[0]


def test_the_frame_of_predictors_written_as_csv_is_answered(made, tmp_path, capsys):
    """What `predictors.wide` lays out is what the command reads: the same columns, and others that it does not need."""
    folder, frame, models = made
    rows = frame.drop(columns=["entry", "time", "event"]).head(40)
    out = tmp_path / "risks.csv"
    code, _, err = in_process(capsys, "predict", folder / "cox", file_of(tmp_path, rows), "--out", out)
    assert code == 0, err
    found = schema.check(pd.read_csv(out, keep_default_na=False), schema.PATIENT_RISKS)
    expected = risk(models["cox"], rows, [month * DAYS_PER_MONTH for month in MONTHS])
    np.testing.assert_allclose(found["estimate"], expected.ravel())


def test_a_line_that_comes_twice_is_refused(made, tmp_path, capsys):
    twice = pd.concat([patients(), patients().head(1)])
    code, _, err = in_process(capsys, "predict", made[0] / "cox", file_of(tmp_path, twice))
    assert code == 1 and "each patient and line once" in err and "patients.csv:5" in err


def test_wrong_words_are_wrong_usage_and_absent_files_are_named(made, tmp_path, capsys):
    assert in_process(capsys, "predict", made[0] / "cox")[0] == 2
    code, _, err = in_process(capsys, "predict", made[0] / "cox", tmp_path / "nobody.csv")
    assert code == 1 and "nobody.csv" in err
    code, _, err = in_process(capsys, "predict", tmp_path / "no-model", file_of(tmp_path, patients()))
    assert code == 1 and "card.json" in err
    (tmp_path / "empty.csv").write_text("")
    assert in_process(capsys, "predict", made[0] / "cox", tmp_path / "empty.csv")[0] == 1
