"""What stands on the outcomes: refractoriness, early relapse; and values that cannot be right."""

import pandas as pd
import pytest

from analysis.derive import response


def outcomes(*rows):
    frame = pd.DataFrame(rows, columns=["line", "best_response", "progression_day"]).astype(
        {"progression_day": "Int64"}
    )
    return frame.assign(patient_id="a")


def treatments(*rows):
    frame = pd.DataFrame(rows, columns=["line", "agent", "start_day", "end_day"]).astype({"end_day": "Int64"})
    return frame.assign(patient_id="a")


@pytest.mark.parametrize(
    ("best", "day", "last", "flag", "reason"),
    [
        ("PR", 160, 100, True, "progression"),
        ("PR", 161, 100, False, "none"),
        ("PR", 161, None, True, "progression"),
        ("PR", None, 100, False, "none"),
        ("MR", None, 100, False, "none"),
        ("SD", None, 100, True, "non-response"),
        ("PD", 30, 20, True, "progression"),
        ("unknown", None, 100, None, "unknown"),
        ("unknown", 130, 100, True, "progression"),
        ("unknown", 400, 100, None, "unknown"),
    ],
)
def test_refractory_to_a_drug(best, day, last, flag, reason):
    found = response.refractory(treatments((1, "bortezomib", 0, last)), outcomes((1, best, day))).iloc[0]
    assert (found["refractory"] is pd.NA if flag is None else found["refractory"] == flag) and found["reason"] == reason


def test_transplant_support_and_rows_without_a_line_are_nothing_to_be_refractory_to():
    given = treatments((1, "autologous transplant", 9, 9), (1, "filgrastim", 9, 9), (1, "lenalidomide", 0, 90))
    given.loc[2, "line"] = None
    assert len(response.refractory(given, outcomes((1, "SD", None)))) == 0


FIVE = [("bortezomib", "PI"), ("lenalidomide", "IMiD"), ("carfilzomib", "PI"), ("pomalidomide", "IMiD"),
        ("isatuximab", "anti-CD38")]  # fmt: skip


def failed(*flags):
    rows = [
        (number, agent, name, flag) for number, ((agent, name), flag) in enumerate(zip(FIVE, flags, strict=True), 1)
    ]
    frame = pd.DataFrame(rows, columns=["line", "agent", "drug_class", "refractory"]).assign(patient_id="a")
    return frame.astype({"refractory": "boolean"})


def test_classes_add_up_line_by_line_to_triple_class_and_penta_drug():
    lines = outcomes(*((number, "SD", None) for number in range(1, 6)))
    found = response.refractory_status(lines, failed(*[True] * 5))
    assert found["immunomodulator"].tolist() == [False, True, True, True, True]
    assert found["triple_class"].tolist() == [False] * 4 + [True]
    assert found["penta_drug"].tolist() == [False] * 4 + [True]


def test_one_drug_that_held_leaves_triple_class_but_no_penta_drug_and_an_unknown_one_leaves_it_open():
    lines = outcomes(*((number, "SD", None) for number in range(1, 6)))
    held = response.refractory_status(lines, failed(True, True, False, True, True)).iloc[-1]
    unsure = response.refractory_status(lines, failed(True, True, None, True, True)).iloc[-1]
    assert held["triple_class"] and not held["penta_drug"]
    assert unsure["triple_class"] and unsure["penta_drug"] is pd.NA


@pytest.mark.parametrize(("best", "below", "expected"), [("MR", "MR", False), ("MR", "PR", True), ("SD", "MR", True),
                                                         ("unknown", "MR", None), ("PR", "PR", False)])  # fmt: skip
def test_primary_refractory(best, below, expected):
    lines = outcomes((1, best, None))
    found = response.refractory_status(lines, failed(*[None] * 5).iloc[:0], primary_below=below)["primary_refractory"]
    assert found.iloc[0] is pd.NA if expected is None else found.iloc[0] == expected


def test_primary_refractory_takes_one_of_two_words():
    with pytest.raises(ValueError, match="primary_below"):
        response.refractory_status(outcomes((1, "SD", None)), failed(*[None] * 5), primary_below="VGPR")


@pytest.mark.parametrize(
    ("progression", "last_contact", "death", "next_start", "outcome"),
    [
        (365, 900, None, None, "relapse"),
        (366, 900, None, None, "no relapse"),
        (None, 365, None, None, "unknown"),
        (None, 366, None, None, "no relapse"),
        (None, 300, 300, None, "death"),
        (None, 366, 366, None, "no relapse"),
        (None, 900, None, 200, "unknown"),
        (None, 900, None, 400, "no relapse"),
        (200, 900, None, 200, "relapse"),
        (200, 900, 210, 205, "relapse"),
    ],
)
def test_early_relapse_within_twelve_months(progression, last_contact, death, next_start, outcome):
    patients = pd.DataFrame({"patient_id": ["a"], "last_contact_day": last_contact,
                             "death_day": pd.array([death], "Int64")})  # fmt: skip
    starts = [0] if next_start is None else [0, next_start]
    lines = pd.DataFrame({"patient_id": "a", "line": range(1, len(starts) + 1), "start_day": starts})
    lines["progression_day"] = pd.array([progression, None][: len(starts)], dtype="Int64")
    found = response.early_relapse({"patients": patients}, lines, within_months=[12])
    assert found["outcome"].iloc[0] == outcome


def test_early_relapse_counts_from_the_transplant_too():
    patients = pd.DataFrame({"patient_id": ["a"], "last_contact_day": 900, "death_day": pd.array([None], "Int64")})
    lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0], "progression_day": [400]})
    given = treatments((1, "lenalidomide", 0, 90), (1, "autologous transplant", 150, 150))
    found = response.early_relapse({"patients": patients, "treatments": given}, lines, within_months=[12])
    assert found[["clock", "outcome"]].values.tolist() == [["line start", "no relapse"], ["transplant", "relapse"]]
    too_soon = response.early_relapse(
        {"patients": patients, "treatments": given}, lines.assign(progression_day=100), within_months=[12]
    )
    assert too_soon["outcome"].tolist() == ["relapse", "unknown"]


def values(*numbers, test="serum M-protein", unit="g/dL"):
    days = [28 * place for place in range(len(numbers))]
    return pd.DataFrame(
        {"patient_id": "a", "day": days, "test": test, "value": list(map(float, numbers)), "unit": unit}
    )


@pytest.mark.parametrize(
    ("series", "flagged"),
    [
        ((2.0, 20.0, 2.1), [28]),
        ((2.0, 0.2, 1.9), [28]),
        ((3.0, 0.3, 0.3), []),
        ((0.3, 0.3, 3.0), []),
        ((0.3, 3.0, 3.1), []),
        ((1.0, 5.9, 1.0), []),
        ((0.0, 0.5, 0.0), []),
        ((32.0, 3.0, 2.9), [0]),
        ((2.0, 20.0, 20.0, 2.0), [28, 56]),
    ],
)
def test_a_value_that_leaves_ten_fold_and_comes_back_or_is_out_of_bounds_is_flagged(series, flagged):
    assert response.implausible(values(*series))["day"].tolist() == flagged


def test_a_slip_is_flagged_in_any_unit_and_however_often_it_stands():
    labs = values(20, 210, 22, test="kappa free light chain", unit="mg/dL")
    twice = pd.concat([labs, labs.iloc[[1]]], ignore_index=True)
    assert response.implausible(twice)["value"].tolist() == [2100.0]
    assert response.without_implausible(twice)["value"].tolist() == [20.0, 22.0]


def test_other_patients_and_tests_are_no_neighbours():
    labs = pd.concat([values(2.0, 20.0).iloc[:1], values(20.0, test="creatinine", unit="mg/dL"),
                      values(2.0).assign(patient_id="b")])  # fmt: skip
    assert len(response.implausible(labs)) == 0


def test_no_values_no_flags():
    assert len(response.implausible(values())) == 0 and len(response.without_implausible(values())) == 0
