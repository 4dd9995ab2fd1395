"""Relapse as the source states it, or judged from its markers: the one or the other, never a mixture."""

import pandas as pd
import pytest

from analysis.derive import regimens, relapses, response, spells
from analysis.sources import synthetic


@pytest.fixture(scope="module")
def cohort():
    return synthetic.simulate(patients=150, seed=4)


@pytest.fixture(scope="module")
def silent(cohort):
    """The same records, but nobody wrote down a progression."""
    findings = cohort["findings"]
    return cohort | {"findings": findings[findings["finding"] != "progression"].reset_index(drop=True)}


def test_what_the_source_states_is_kept(cohort):
    lines = regimens.lines(cohort)
    assert relapses.stated(cohort)
    pd.testing.assert_frame_equal(relapses.with_relapses(cohort, lines), lines)
    assert spells.not_judged(cohort) == (0, 0)


def test_a_source_that_states_none_is_judged_by_its_markers(silent):
    lines = regimens.lines(silent)
    judged = relapses.with_relapses(silent, lines)
    expected = response.with_outcomes(lines, response.outcomes(silent, lines, mode="lab_only"))
    pd.testing.assert_frame_equal(judged, expected)
    left_out, all_lines = spells.not_judged(silent)
    assert 0 < left_out < all_lines == len(lines)
    made = spells.of(silent)
    assert len(made) == all_lines - left_out
    assert (made["event"] == "relapse").any()
    assert set(made["patient_id"]) <= set(judged.loc[judged["followable"], "patient_id"])


def test_without_progression_and_without_markers_no_relapse_is_made_up(silent):
    bare = {name: frame for name, frame in silent.items() if name != "labs"}
    assert not (spells.of(bare)["event"] == "relapse").any()
    left_out, all_lines = spells.not_judged(bare)
    assert left_out == all_lines > 0


def test_another_endpoint_needs_no_judgement(silent):
    other = silent | {"cohort": silent["cohort"].assign(endpoint="next_line")}
    assert relapses.stated(other)
    assert "followable" not in relapses.with_relapses(other, regimens.lines(other))


def test_duration_of_response_runs_from_the_first_confirmed_response_to_the_progression():
    days, values = [0, 30, 60, 90, 120, 150], [4.0, 1.8, 0.2, 0.2, 0.8, 1.0]
    labs = pd.DataFrame({"patient_id": "a", "day": days, "test": "serum M-protein", "value": values, "unit": "g/dL"})
    patients = pd.DataFrame({"patient_id": ["a"], "entry_day": 0, "last_contact_day": 200, "death_day": pd.NA})
    cohort = {"patients": patients.astype({"death_day": "Int64"}), "labs": labs}
    lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0], "end_day": [100]})
    judged = response.with_outcomes(lines, response.outcomes(cohort, lines, mode="lab_only"))
    assert judged[["response_day", "progression_day", "best_response"]].values.tolist() == [[30, 120, "VGPR"]]
    made = spells.spells(cohort, judged, endpoint="duration_of_response")
    assert made[["start_day", "time", "event"]].values.tolist() == [[30, 90, "relapse"]]


def test_an_early_death_is_not_left_out_for_want_of_a_second_sample():
    labs = pd.DataFrame({"patient_id": "a", "day": [0], "test": "serum M-protein", "value": 4.0, "unit": "g/dL"})
    patients = pd.DataFrame({"patient_id": ["a"], "entry_day": 0, "last_contact_day": 20, "death_day": 20})
    treatments = pd.DataFrame({"patient_id": ["a"], "start_day": 0, "end_day": 19, "agent": "bortezomib"})
    about = pd.DataFrame({"endpoint": ["relapse"]})
    treatments = treatments.assign(line=pd.array([1], dtype="Int64"))
    cohort = {"cohort": about, "patients": patients, "treatments": treatments, "labs": labs}
    assert spells.of(cohort)[["line", "time", "event"]].values.tolist() == [[1, 20, "death"]]
    assert spells.not_judged(cohort) == (0, 1)


def test_haemoglobin_alone_judges_nothing(silent):
    labs = silent["labs"]
    blood = silent | {"labs": labs[labs["test"] == "haemoglobin"].reset_index(drop=True)}
    assert not (spells.of(blood)["event"] == "relapse").any()
    assert len(spells.of(blood)) > 0
