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
    assert set(made["patient_id"]) <= set(judged.loc[judged["evaluable"], "patient_id"])


def test_without_progression_and_without_markers_no_relapse_is_made_up(silent):
    bare = {name: frame for name, frame in silent.items() if name != "labs"}
    assert not (spells.of(bare)["event"] == "relapse").any()
    left_out, all_lines = spells.not_judged(bare)
    assert left_out == all_lines > 0


def test_another_endpoint_needs_no_judgement(silent):
    other = silent | {"cohort": silent["cohort"].assign(endpoint="next_line")}
    assert relapses.stated(other)
    assert "evaluable" not in relapses.with_relapses(other, regimens.lines(other))
