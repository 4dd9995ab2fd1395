import pandas as pd
import pytest

from analysis import schema
from analysis.derive import regimens


def treatments(rows, **columns):
    frame = pd.DataFrame(rows, columns=["patient_id", "line", "start_day", "end_day", "agent"])
    return frame.astype({"line": "Int64", "start_day": "Int64", "end_day": "Int64"}).assign(**columns)


def findings(rows):
    frame = pd.DataFrame(rows, columns=["patient_id", "day", "finding", "value", "line"])
    return frame.astype({"line": "Int64"})


TWO_LINES = treatments(
    [
        ("b", 1, 5, 90, "lenalidomide"),
        ("a", 2, 400, None, "daratumumab"),
        ("a", 1, 10, 100, "lenalidomide"),
        ("a", 1, 1, 95, "dexamethasone"),
        ("a", 1, 180, None, "autologous transplant"),
        ("a", 1, 150, 170, "lenalidomide"),
        ("a", None, 300, 300, "doxorubicin"),
    ]
)


def test_agents_of_a_line_are_joined_and_its_days_span_what_is_known():
    found = regimens.lines({"treatments": TWO_LINES}).set_index(["patient_id", "line"])
    first = found.loc[("a", 1)]
    assert first["regimen"] == "dexamethasone+lenalidomide+autologous transplant"
    assert first["classes"] == "IMiD+steroid+autologous transplant"
    assert (first["start_day"], first["end_day"]) == (1, 180)
    assert found["transplant"].tolist() == [True, False, False]
    assert found.loc[("a", 2), "end_day"] == 400
    assert found["best_response"].eq("unknown").all()
    assert found["relapse_kind"].eq("none").all()
    assert not found["start_imputed"].any()


def test_row_order_does_not_matter_and_the_argument_stays_as_it_was():
    before = TWO_LINES.copy()
    shuffled = {"treatments": TWO_LINES.sample(frac=1, random_state=3)}
    pd.testing.assert_frame_equal(regimens.lines({"treatments": TWO_LINES}), regimens.lines(shuffled))
    pd.testing.assert_frame_equal(TWO_LINES, before)


def test_a_stated_first_treatment_day_starts_line_one_and_is_flagged():
    rows = [("a", 1, 1, 9, "x"), ("b", 1, 170, 200, "x"), ("c", 1, None, None, "x"), ("c", 2, 300, None, "x")]
    patients = pd.DataFrame({"patient_id": ["a", "b", "c"], "first_treatment_day": pd.array([1, 1, 1], dtype="Int64")})
    found = regimens.lines({"treatments": treatments(rows), "patients": patients})
    assert found["start_day"].tolist() == [1, 1, 1, 300]
    assert found["start_imputed"].tolist() == [False, True, True, False]


def test_a_line_without_any_day_is_left_out_and_the_patients_are_counted():
    rows = [("a", 1, None, None, "x"), ("b", 1, 1, None, "x"), ("c", None, 1, None, "x")]
    cohort = {"treatments": treatments(rows), "patients": pd.DataFrame({"patient_id": ["a", "b", "c", "d"]})}
    assert regimens.lines(cohort)["patient_id"].tolist() == ["b"]
    flow = regimens.selection(cohort)
    assert flow["remaining"].tolist() == [4, 2, 1]
    assert flow["removed"].tolist() == [0, 2, 1]


def test_maintenance_is_known_only_where_the_phase_is():
    rows = [("a", 1, 1, 9, "x"), ("a", 1, 10, 90, "y"), ("b", 1, 1, 9, "x"), ("c", 1, 1, 9, "x")]
    phases = ["induction", "maintenance", "induction", "unknown"]
    with_phase = regimens.lines({"treatments": treatments(rows, phase=phases)})
    assert with_phase["maintenance"].tolist() == [True, False, pd.NA]
    assert regimens.lines({"treatments": treatments(rows)})["maintenance"].isna().all()


def test_progression_goes_to_its_stated_line_or_to_the_line_it_falls_in():
    found = findings(
        [
            ("a", 420, "progression", "clinical", None),
            ("a", 400, "progression", "biochemical", None),  # the day line 2 starts: the reason for it
            ("a", 395, "progression", "clinical", 1),
            ("b", 5, "progression", "clinical", None),  # before any line has begun to work: belongs to none
            ("b", 50, "bone pain", "", 1),
        ]
    )
    lines = regimens.lines({"treatments": TWO_LINES, "findings": found})
    assert lines["progression_day"].tolist() == [395, 420, pd.NA]
    assert lines["relapse_kind"].tolist() == ["clinical", "clinical", "none"]


def test_a_progression_of_no_stated_kind_is_unknown_not_none():
    found = findings([("b", 60, "progression", "", 1)])
    lines = regimens.lines({"treatments": TWO_LINES, "findings": found})
    assert lines["relapse_kind"].tolist() == ["none", "none", "unknown"]


def test_the_deepest_stated_response_counts():
    found = findings(
        [
            ("a", 60, "best response", "PR", 1),
            ("a", 200, "best response", "CR", 1),
            ("a", 300, "best response", "VGPR", None),
            ("a", 450, "best response", "SD", 2),
        ]
    )
    lines = regimens.lines({"treatments": TWO_LINES, "findings": found})
    assert lines["best_response"].tolist() == ["CR", "SD", "unknown"]


def test_given_lines_are_returned_as_they_are():
    given = regimens.lines({"treatments": TWO_LINES})
    pd.testing.assert_frame_equal(regimens.lines({"lines": given.iloc[::-1]}), given)
    with pytest.raises(schema.SchemaError, match="start_day"):
        regimens.lines({"lines": given.drop(columns="start_day")})


def test_no_treatment_at_all_makes_no_line():
    none = TWO_LINES.head(0).assign(phase=pd.Series(dtype=object))
    found = regimens.lines({"treatments": none, "findings": findings([]).astype({"day": "int64"})})
    assert len(found) == 0
    schema.check(found, schema.LINES)


def test_patient_ids_may_be_categories():
    frame = TWO_LINES.astype({"patient_id": "category"})
    assert regimens.lines({"treatments": frame})["regimen"].tolist() == (
        regimens.lines({"treatments": TWO_LINES})["regimen"].tolist()
    )


def test_a_cohort_of_ready_spells_has_no_lines_and_still_a_flow():
    given = {
        "patients": pd.DataFrame({"patient_id": ["a", "b", "c"]}),
        "spells": pd.DataFrame({"patient_id": ["a", "a", "b"], "line": [1, 2, 1]}),
    }
    assert regimens.lines(given).empty
    assert regimens.selection(given)["remaining"].tolist() == [3, 2]


def test_treatments_without_any_line_number_are_read_by_rule():
    unnumbered = TWO_LINES.assign(line=pd.array([None] * len(TWO_LINES), dtype="Int64"))
    found = regimens.lines({"treatments": unnumbered})
    assert found[["patient_id", "line", "start_day"]].values.tolist() == [
        ["a", 1, 10],
        ["a", 2, 300],
        ["a", 3, 400],
        ["b", 1, 5],
    ]
    patients = pd.DataFrame({"patient_id": ["a", "b", "c"]})
    flow = regimens.selection({"treatments": unnumbered, "patients": patients})
    assert flow[["rule", "remaining"]].values.tolist()[1] == ["with a treatment on record", 2]


def test_a_progression_not_after_the_start_of_its_stated_line_is_in_no_line():
    given = treatments([("a", 1, 1, 90, "x"), ("a", 2, 300, None, "x")])
    early = [("a", 250, "progression", "clinical", 2), ("a", 300, "progression", "clinical", 2)]
    found = regimens.lines({"treatments": given, "findings": findings(early)})
    assert found["progression_day"].isna().all()
    assert found["relapse_kind"].tolist() == ["none", "none"]
    later = findings([*early, ("a", 301, "progression", "biochemical", 2)])
    found = regimens.lines({"treatments": given, "findings": later})
    assert found["progression_day"].fillna(0).tolist() == [0, 301]
    assert found["relapse_kind"].tolist() == ["none", "biochemical"]


def test_a_first_treatment_stated_after_line_2_began_does_not_move_line_1():
    given = pd.DataFrame(
        {"patient_id": "a", "start_day": [0, 300], "end_day": [100, 400], "line": [1, 2], "agent": "bortezomib"}
    )
    patients = pd.DataFrame({"patient_id": ["a"], "first_treatment_day": pd.array([350], dtype="Int64")})
    found = regimens.lines({"treatments": given, "patients": patients})
    assert found["start_day"].tolist() == [0, 300]
