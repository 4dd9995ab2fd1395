"""The synthetic cohort's relapses, found again from its laboratory values: slow, see truth_study.py."""

import pytest
import truth_study


@pytest.fixture(scope="module")
def studied():
    return truth_study.study(patients=5000, seed=11)


def share(studied, damage, mode="lab_only", column="within"):
    table = studied[0].query("mode == @mode and truth == 'told' and nadir == 'confirmed' and at == 'line'")
    return table.set_index("damage").loc[damage, column]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lab_only", "strict"])
def test_progression_is_within_one_visit_of_the_told_relapse(studied, mode):
    assert share(studied, "none", mode, "relapses") > 4000
    assert share(studied, "none", mode) >= 0.95
    assert share(studied, "5 % of visits missing", mode) >= 0.95
    assert share(studied, "5 % of visits missing", mode, "within_recorded") >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lab_only", "strict"])
def test_doubled_rows_change_no_date(studied, mode):
    assert share(studied, "2 % of rows doubled", mode) == share(studied, "none", mode)


@pytest.mark.slow
def test_slipped_units_are_flagged_and_leaving_them_out_helps(studied):
    left_out = "5 % of units slipped, flagged values left out"
    assert studied[2]["flagged"] > 0.8 and studied[2]["falsely"] < 0.005
    assert share(studied, left_out) > share(studied, "5 % of units slipped")
    assert share(studied, left_out, "strict") >= 0.95
    assert share(studied, left_out) >= 0.93  # light chains need two values, so twice as many samples are lost


@pytest.mark.slow
def test_kinds_of_relapse_are_found_again(studied):
    """With lesions read. Some told biochemical turn clinical before the confirming sample, and are called so."""
    kinds = studied[1]["none", "strict"]
    right = sum(kinds.loc[kind, kind] for kind in ("biochemical", "clinical"))
    assert right / kinds.to_numpy().sum() > 0.92
    assert kinds.loc["clinical", "clinical"] / kinds.loc["clinical"].sum() > 0.95
