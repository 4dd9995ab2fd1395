"""The synthetic cohort's relapses, found again from its laboratory values: slow, see truth_study.py."""

import pytest
import truth_study


@pytest.fixture(scope="module")
def studied():
    return truth_study.study(patients=5000, seed=11)


def share(studied, damage, column="within"):
    table = studied[0].query("mode == 'lab_only' and truth == 'rule' and nadir == 'confirmed'")
    return table.set_index("damage").loc[damage, column]


@pytest.mark.slow
def test_progression_is_within_one_visit_of_the_truth(studied):
    assert share(studied, "none", "relapses") > 4000
    assert share(studied, "none") >= 0.95


@pytest.mark.slow
def test_doubled_rows_change_no_date(studied):
    assert share(studied, "2 % of rows doubled") == share(studied, "none")


@pytest.mark.slow
def test_slipped_units_are_flagged_and_leaving_them_out_helps(studied):
    assert studied[2]["flagged"] > 0.8 and studied[2]["falsely"] < 0.005
    assert share(studied, "5 % of units slipped, flagged values left out") > share(studied, "5 % of units slipped")
