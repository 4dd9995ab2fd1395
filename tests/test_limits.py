"""95 % limits hold the truth as often as they say: simulated cohorts of limits_study.py; table in docs/methods.md."""

import pandas as pd
import pytest
from limits_study import later_gaps, study, table, truths, whole_cohorts


@pytest.mark.slow
def test_limits_hold_the_truth_and_the_correction_takes_the_bias_away():
    found = study().set_index("quantity")
    plain = found.index.str.endswith("plain")
    assert found.loc[~plain, "coverage"].between(0.93, 0.97).all(), found
    corrected = found.index.str.endswith("corrected")
    assert (found.loc[corrected, "bias"].abs() < 0.004).all(), found
    assert (found.loc[plain, "bias"] > 0.015).all(), found
    assert (found.loc[plain, "coverage"] < 0.93).all(), found
    with_error = found["std_error"].notna()
    assert (found["std_error"] / found["spread"])[with_error].between(0.9, 1.1).all(), found


def test_a_small_study_runs():
    found = table(pd.concat([whole_cohorts(1, 50, 1), later_gaps(1, 50, 1)]), truths(20_000))
    assert len(found) == 10
    assert (found["coverage"] > 0.6).all(), found
