import numpy as np
import pandas as pd
import pytest

from analysis.derive import staging

# beta-2 microglobulin (mg/L), albumin (g/dL), stage by the published limits (Greipp 2005), limits included
VECTORS = [
    (3.4, 3.5, "I"),
    (3.4, 3.4, "II"),
    (3.5, 4.0, "II"),
    (5.4, 2.0, "II"),
    (5.5, 4.5, "III"),
    (9.0, 2.0, "III"),
    (None, 4.0, "unknown"),
    (None, 2.0, "unknown"),
    (2.0, None, "unknown"),
    (4.0, None, "II"),
    (7.0, None, "III"),
    (None, None, "unknown"),
]


@pytest.mark.parametrize(("beta2", "albumin", "stage"), VECTORS)
def test_stage_follows_the_published_limits_and_unknown_stays_unknown(beta2, albumin, stage):
    found = staging.iss(pd.Series([beta2], dtype="float64"), pd.Series([albumin], dtype="float64"))
    assert found.tolist() == [stage]


def test_nullable_numbers_are_read_like_plain_ones():
    beta2, albumin = pd.Series([6.0, pd.NA], dtype="Float64"), pd.Series([pd.NA, 4.0], dtype="Float64")
    assert staging.iss(beta2, albumin).tolist() == ["III", "unknown"]


def test_series_of_different_patients_are_refused():
    with pytest.raises(ValueError, match="same index"):
        staging.iss(pd.Series([6.0], index=["a"]), pd.Series([4.0], index=["b"]))


def test_a_stated_stage_is_kept_and_a_missing_one_computed():
    patients = pd.DataFrame(
        {
            "iss": ["II", "unknown", np.nan, "unknown"],
            "beta2_microglobulin_mg_l": [9.0, 9.0, 2.0, np.nan],
            "albumin_g_dl": [4.0, np.nan, 4.0, 4.0],
        }
    )
    before = patients.copy()
    assert staging.with_iss(patients)["iss"].tolist() == ["II", "III", "I", "unknown"]
    pd.testing.assert_frame_equal(patients, before)


def test_without_any_part_every_stage_is_unknown():
    assert staging.with_iss(pd.DataFrame({"patient_id": ["a", "b"]}))["iss"].tolist() == ["unknown", "unknown"]
