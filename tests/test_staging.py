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


# Revised stages and risk. Everything known and harmless, unless a case says otherwise.
HARMLESS = {
    "iss": "I", "ldh_high": False, "del17p": False, "t4_14": False, "t14_16": False, "gain_1q": False,
    "del17p_percent": 0.0, "tp53_mutation": False, "t14_20": False, "del1p32": False, "del1p32_biallelic": False,
    "beta2_microglobulin_mg_l": 2.0, "albumin_g_dl": 4.0, "creatinine_mg_dl": 1.0,
}  # fmt: skip


def patient(**told):
    frame = pd.DataFrame({name: [value] for name, value in {**HARMLESS, **told}.items()})
    return frame.astype({"beta2_microglobulin_mg_l": float, "albumin_g_dl": float})


@pytest.mark.parametrize(
    ("told", "stage"),
    [
        ({}, "I"),
        ({"iss": "III"}, "II"),
        ({"ldh_high": True}, "II"),
        ({"iss": "III", "ldh_high": True}, "III"),
        ({"iss": "III", "del17p": True}, "III"),
        ({"iss": "III", "t4_14": True}, "III"),
        ({"iss": "III", "t14_16": True}, "III"),
        ({"iss": "III", "gain_1q": True}, "II"),
        ({"iss": "II", "ldh_high": None, "del17p": None, "t4_14": None, "t14_16": None}, "II"),
        ({"iss": "I", "ldh_high": None}, "unknown"),
        ({"iss": "I", "ldh_high": True, "del17p": None}, "II"),
        ({"iss": "III", "ldh_high": None}, "unknown"),
        ({"iss": "III", "ldh_high": None, "del17p": True}, "III"),
        ({"iss": "III", "ldh_high": False, "del17p": None}, "unknown"),
        ({"iss": "unknown", "beta2_microglobulin_mg_l": np.nan}, "unknown"),
        ({"iss": "unknown", "albumin_g_dl": np.nan, "ldh_high": True}, "II"),
        ({"iss": "unknown", "beta2_microglobulin_mg_l": np.nan, "albumin_g_dl": 3.0}, "II"),
    ],
    ids=str,
)
def test_revised_stage(told, stage):
    assert staging.r_iss(patient(**told)).tolist() == [stage]


@pytest.mark.parametrize(
    ("told", "points", "stages"),
    [
        ({}, (0, 0), ("I", "I", "I")),
        ({"gain_1q": True}, (0.5, 0.5), ("II", "II", "II")),
        ({"iss": "II"}, (1, 1), ("II", "II", "II")),
        ({"iss": "III"}, (1.5, 1.5), ("III", "III", "III")),
        ({"iss": "III", "del17p": True}, (2.5, 2.5), ("III", "III", "III")),
        ({"iss": "II", "del17p": True, "t4_14": True}, (3, 3), ("IV", "IV", "IV")),
        ({"iss": "III", "del17p": True, "ldh_high": True, "t4_14": True, "gain_1q": True}, (5, 5), ("IV", "IV", "IV")),
        ({"t14_16": True}, (0, 0), ("I", "I", "I")),
        ({"gain_1q": None}, (0, 0.5), ("I", "II", "unknown")),
        ({"iss": "II", "gain_1q": None}, (1, 1.5), ("II", "III", "unknown")),
        ({"iss": "III", "gain_1q": None}, (1.5, 2), ("III", "III", "III")),
        ({"iss": "unknown", "albumin_g_dl": np.nan}, (0, 1), ("I", "II", "unknown")),
    ],
    ids=str,
)
def test_second_revision_is_a_range_where_parts_are_unknown(told, points, stages):
    found = staging.r2_iss(patient(**told)).iloc[0]
    assert (found["r2_iss_points_min"], found["r2_iss_points_max"]) == points
    assert (found["r2_iss_min"], found["r2_iss_max"], found["r2_iss"]) == stages


@pytest.mark.parametrize(
    ("told", "high"),
    [
        ({}, False),
        ({"t4_14": True}, False),
        ({"t4_14": True, "gain_1q": True}, True),
        ({"t14_20": True, "del1p32": True}, True),
        ({"t14_16": True, "gain_1q": True}, True),
        ({"gain_1q": True}, False),
        ({"gain_1q": True, "del1p32": True}, True),
        ({"del1p32": True}, False),
        ({"del1p32": True, "del1p32_biallelic": True}, True),
        ({"del17p": True, "del17p_percent": 20.0}, False),
        ({"del17p": True, "del17p_percent": 21.0}, True),
        ({"del17p": True, "del17p_percent": None}, None),
        ({"del17p": False, "del17p_percent": None}, False),
        ({"tp53_mutation": True}, True),
        ({"beta2_microglobulin_mg_l": 6.0, "creatinine_mg_dl": 1.2}, False),
        ({"beta2_microglobulin_mg_l": 5.5, "creatinine_mg_dl": 1.19}, True),
        ({"beta2_microglobulin_mg_l": 6.0, "creatinine_mg_dl": None}, None),
        ({"beta2_microglobulin_mg_l": 2.0, "creatinine_mg_dl": None}, False),
        ({"tp53_mutation": None}, None),
        ({"tp53_mutation": None, "del17p_percent": 50.0}, True),
        ({"del1p32_biallelic": None}, False),
        ({"del1p32": None, "del1p32_biallelic": None}, None),
        ({"gain_1q": None}, False),
        ({"t4_14": True, "gain_1q": None}, None),
    ],
    ids=str,
)
def test_high_risk_of_2025(told, high):
    found = staging.high_risk_2025(patient(**told)).iloc[0]
    assert found is pd.NA if high is None else found == high


def test_a_del17p_without_its_share_counts_only_where_that_is_asked_for():
    asked = staging.high_risk_2025(patient(del17p=True, del17p_percent=None), del17p_without_share="counts")
    assert asked.tolist() == [True]
    with pytest.raises(ValueError, match="del17p_without_share"):
        staging.high_risk_2025(patient(), del17p_without_share="maybe")


def test_all_stages_stand_in_one_table_and_the_patients_stay_as_they_were():
    patients = pd.concat([patient(patient_id="b"), patient(patient_id="a", iss="III", ldh_high=True)])
    before = patients.copy()
    found = staging.staging(patients)
    assert found[["patient_id", "r_iss", "r2_iss"]].values.tolist() == [["b", "I", "I"], ["a", "III", "III"]]
    pd.testing.assert_frame_equal(patients, before)


def test_nobody_is_given_the_middle_stage_for_want_of_data():
    found = staging.staging(pd.DataFrame({"patient_id": ["a"]})).iloc[0]
    assert (found["iss"], found["r_iss"], found["r2_iss"]) == ("unknown", "unknown", "unknown")
    assert (found["r2_iss_min"], found["r2_iss_max"]) == ("I", "IV") and found["high_risk_2025"] is pd.NA
