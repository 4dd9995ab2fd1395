"""Lines of therapy by rule: the cases on which published rules differ, one test each, and what must be refused."""

import numpy as np
import pandas as pd
import pytest

from analysis import schema
from analysis.derive import regimens

V, R, D, K, P, T = "bortezomib", "lenalidomide", "daratumumab", "carfilzomib", "pomalidomide", "thalidomide"
DEX, CY, FLU, MEL = "dexamethasone", "cyclophosphamide", "fludarabine", "melphalan"
ASCT, HARVEST, CELLS = "autologous transplant", "leukapheresis", "ciltacabtagene autoleucel"


def treatments(*rows, **columns):
    frame = pd.DataFrame(rows, columns=["agent", "start_day", "end_day"]).astype({"start_day": "Int64"})
    return frame.assign(patient_id="a", end_day=frame["end_day"].astype("Int64"), **columns)


def found(*rows, rule="rajkumar", phases=None, **choices):
    columns = {} if phases is None else {"phase": phases}
    return regimens.lines_of_therapy(treatments(*rows, **columns), rule, **choices)


def starts(*rows, **choices):
    return found(*rows, **choices)["start_day"].tolist()


def reasons(lines):
    return lines[["start_day", "start_reason", "end_reason"]].values.tolist()


# --- the divergence table --------------------------------------------------------------------------------------------

DIVERGENCE = {
    "Vd x4, ASCT, R maintenance": ([(V, 1, 110), (DEX, 1, 110), (ASCT, 150, 150), (R, 240, 900)], 1, 1),
    "Rd, day 45 add V": ([(R, 1, 300), (DEX, 1, 300), (V, 45, 300)], 2, 1),
    "Rd, day 45 add D": ([(R, 1, 300), (DEX, 1, 300), (D, 45, 300)], 2, 2),
    "VRd, stop V, continue Rd": ([(V, 1, 240), (R, 1, 900), (DEX, 1, 900)], 1, 1),
    "D-VRd, D-R continued": ([(D, 1, 900), (V, 1, 240), (R, 1, 900), (DEX, 1, 240)], 1, 2),
    "VRd, 8-month gap, VRd again": ([(V, 1, 120), (R, 1, 120), (V, 364, 480), (R, 364, 480)], 1, 2),
    "V, K swap day 40": ([(V, 1, 39), (DEX, 1, 200), (K, 40, 200)], 2, 2),
    "ASCT, second planned ASCT day 100": ([(V, 1, 110), (ASCT, 150, 150), (ASCT, 250, 250)], 1, 1),
    "ASCT, salvage ASCT year 4": ([(V, 1, 110), (ASCT, 150, 150), (ASCT, 1600, 1600)], 2, 2),
    "apheresis, bridging DPd, Flu/Cy, cilta-cel": (
        [
            (HARVEST, 1, 1), (D, 5, 33), (P, 5, 33), (DEX, 5, 33), (FLU, 45, 47), (CY, 45, 47), (CELLS, 50, 50),
        ],
        1,
        1,
    ),
    "one 3-day dex pulse only": ([(DEX, 1, 3)], 0, 0),
    "Dara IV, then dara/hyaluronidase SC": ([("Dara IV", 1, 60), ("daratumumab and hyaluronidase", 62, 400)], 1, 1),
}  # fmt: skip


@pytest.mark.parametrize("case", DIVERGENCE)
@pytest.mark.parametrize("rule", ["rajkumar", "ohdsi"])
def test_divergence(case, rule):
    rows, rajkumar, ohdsi = DIVERGENCE[case]
    assert len(found(*rows, rule=rule)) == {"rajkumar": rajkumar, "ohdsi": ohdsi}[rule]


# --- what makes a line and what does not -----------------------------------------------------------------------------


def test_every_line_says_why_it_began_and_why_it_ended():
    lines = found((R, 1, 300), (V, 45, 300), (K, 420, 500), (P, 800, None))
    assert reasons(lines) == [
        [1, "first treatment", "drug added"],
        [45, "drug added", "different regimen after a stop"],
        [420, "different regimen after a stop", "different regimen after a stop"],
        [800, "different regimen after a stop", "no end on record"],
    ]
    assert lines["regimen"].tolist() == [R, f"{V}+{R}", K, P]
    assert lines["end_day"].tolist() == [44, 300, 500, 800]
    assert found((V, 1, 90))["end_reason"].tolist() == ["all drugs stopped"]


def test_the_first_day_past_the_window_counts():
    assert starts((R, 1, 300), (V, 29, 300)) == [1]
    assert starts((R, 1, 300), (V, 30, 300)) == [1, 30]
    assert starts((R, 1, 300), (V, 61, 300), window_days=60) == [1]
    assert starts((R, 1, 300), (V, 62, 300), window_days=60) == [1, 62]


def test_a_drug_within_the_window_of_a_later_line_belongs_to_it():
    lines = found((V, 1, 100), (K, 200, 300), (P, 228, 300), (D, 230, 300))
    assert lines["start_day"].tolist() == [1, 200, 230]
    assert lines["regimen"].tolist() == [V, f"{K}+{P}", f"{K}+{D}+{P}"]


def test_a_restart_with_a_new_drug_some_days_later_begins_on_the_day_of_the_restart():
    assert starts((V, 1, 200), (R, 1, 200), (R, 700, 900), (D, 706, 900)) == [1, 700]


def test_part_of_the_regimen_soon_after_the_stop_is_the_same_line_and_a_different_one_later():
    assert starts((V, 1, 200), (R, 1, 200), (R, 380, 900)) == [1]
    assert starts((V, 1, 200), (R, 1, 200), (R, 381, 900)) == [1, 381]


def test_what_was_last_taken_is_the_same_regimen_after_any_pause():
    assert starts((V, 1, 200), (R, 1, 600), (R, 1500, 1700)) == [1]
    assert starts((V, 1, 200), (R, 1, 600), (R, 1500, 1700), gap_days=365) == [1, 1500]


def test_another_regimen_between_makes_two_more_lines():
    assert starts((V, 1, 100), (R, 1, 100), (K, 200, 300), (V, 400, 500), (R, 400, 500)) == [1, 200, 400]


def test_dropping_and_resuming_a_drug_of_the_line_is_the_same_line():
    assert starts((V, 1, 100), (R, 1, 900), (V, 300, 400)) == [1]


def test_the_regimen_given_again_long_after_a_transplant_is_relapse_treatment():
    induction = [(V, 1, 100), (R, 1, 100), (ASCT, 150, 150)]
    assert starts(*induction, (V, 240, 300), (R, 240, 300)) == [1]  # consolidation
    assert starts(*induction, (V, 331, 400), (R, 331, 400)) == [1, 331]  # observation interrupted


def test_a_single_maintenance_drug_after_a_transplant_is_planned_and_a_regimen_is_not():
    induction = [(V, 1, 100), (CY, 1, 100), (ASCT, 150, 150)]
    assert starts(*induction, (R, 330, 900)) == [1]
    assert starts(*induction, (R, 331, 900)) == [1, 331]
    assert starts(*induction, (K, 240, 900), (R, 240, 900)) == [1, 240]
    assert starts(*induction, (P, 240, 900)) == [1, 240]
    assert starts(*induction, (D, 240, 900), maintenance_agents=(D,)) == [1]


def test_a_stated_phase_says_what_was_planned():
    rows = [(V, 1, 100), (ASCT, 150, 150), (R, 240, 900)]
    assert starts(*rows, phases=["induction", "transplant", "treatment"]) == [1, 240]
    rows = [(V, 1, 300), (MEL, 1, 300), (R, 400, 900)]
    assert starts(*rows, phases=["treatment", "treatment", "maintenance"]) == [1]
    assert starts(*rows) == [1, 400]
    rows = [(R, 1, 200), (R, 300, 400), (R, 500, 600)]
    lines = found(*rows, phases=["induction", "maintenance", "treatment"])
    assert reasons(lines)[1] == [500, "treatment after maintenance", "all drugs stopped"]
    assert lines["maintenance"].tolist() == [True, False]


def test_maintenance_is_missing_where_nobody_can_tell():
    assert found((V, 1, 100))["maintenance"].isna().all()
    assert found((V, 1, 100), (ASCT, 150, 150), (R, 240, 900))["maintenance"].tolist() == [True]
    assert found((V, 1, 100), phases=["induction"])["maintenance"].tolist() == [False]


def test_a_second_transplant_is_a_line_unless_it_comes_in_tandem():
    assert starts((V, 1, 100), (ASCT, 150, 150), (ASCT, 330, 330)) == [1]
    lines = found((V, 1, 100), (ASCT, 150, 150), (ASCT, 331, 331))
    assert reasons(lines)[1] == [331, "transplant", "all drugs stopped"]
    assert starts((V, 1, 100), (ASCT, 150, 150), (ASCT, 250, 250), tandem_days=90) == [1, 250]
    assert starts((V, 1, 100), (ASCT, 150, 150), (ASCT, 900, 900), rule="window_gap", gap_days=None) == [1]


def test_reinduction_and_salvage_transplant_are_one_line():
    rows = [(V, 1, 100), (ASCT, 150, 150), (R, 240, 900), (K, 1000, 1090), (R, 1000, 1090), (ASCT, 1120, 1120)]
    assert starts(*rows) == [1, 1000]
    assert found(*rows)["transplant"].tolist() == [True, True]


def test_conditioning_and_mobilisation_begin_no_line_and_are_named_with_their_transplant():
    mobilised = [(V, 1, 80), (CY, 100, 101), ("etoposide", 100, 102), (MEL, 148, 149), (ASCT, 150, 150)]
    lines = found(*mobilised)
    assert lines["start_day"].tolist() == [1]
    assert lines["regimen"].tolist() == [f"{V}+{CY}+etoposide+{MEL}+{ASCT}"]
    salvage = found((V, 1, 80), (MEL, 148, 149), (ASCT, 150, 150), (MEL, 998, 999), (ASCT, 1000, 1000))
    assert salvage["start_day"].tolist() == [1, 1000]
    assert salvage["regimen"].tolist() == [f"{V}+{MEL}+{ASCT}", f"{MEL}+{ASCT}"]
    assert starts((V, 1, 80), (MEL, 120, 140), (ASCT, 150, 150)) == [1, 120]  # three weeks are no conditioning


def test_an_undated_induction_leaves_the_transplant_to_begin_the_line():
    assert reasons(found((V, None, None), (ASCT, 150, 150), (R, 240, 900)))[0][:2] == [150, "first treatment"]


@pytest.mark.parametrize("rule", ["rajkumar", "ohdsi", "window_gap"])
def test_cell_therapy_is_one_line_with_apheresis_bridging_and_lymphodepletion(rule):
    before, after = [(P, 1, 200)], [("teclistamab", 700, 800)]
    cells = [(HARVEST, 230, 230), (K, 235, 260), (DEX, 235, 238), (FLU, 275, 277), (CY, 275, 277), (CELLS, 280, 280)]
    lines = found(*before, *cells, *after, rule=rule)
    assert lines["start_day"].tolist() == [1, 230, 700]
    assert lines["start_reason"].tolist()[1] == "cell therapy"
    assert lines["bridging"].tolist() == [False, True, False]
    assert lines["regimen"].tolist()[1] == f"{K}+{CELLS}+{CY}+{DEX}"
    assert lines["end_day"].tolist()[1] == 280
    unbridged = found(*before, *cells[3:], *after, rule=rule)
    assert unbridged["start_day"].tolist() == [1, 280, 700]
    assert not unbridged["bridging"].any()


def test_without_apheresis_on_record_a_course_shortly_before_the_cells_is_bridging():
    assert starts((P, 1, 200), (DEX, 300, 310), (CELLS, 340, 340)) == [1, 300]
    assert starts((P, 1, 200), (K, 300, 330), (CELLS, 380, 380)) == [1, 300, 380]
    assert starts((P, 1, 200), (K, 300, 330), (CELLS, 380, 380), bridging_days=80) == [1, 300]
    assert starts((HARVEST, 1, 1), (K, 5, 30), (CELLS, 110, 110)) == [1]
    assert starts((HARVEST, 1, 1), (K, 5, 30), (CELLS, 110, 110), apheresis_days=90) == [5, 110]


def test_the_drugs_of_bridging_given_again_after_the_cells_are_a_new_line():
    assert starts((HARVEST, 1, 1), (P, 5, 30), (CELLS, 40, 40), (P, 120, 300)) == [1, 120]


def test_a_second_infusion_is_a_second_line():
    assert starts((CELLS, 1, 1), (CELLS, 400, 400)) == [1, 400]


def test_a_stem_cell_harvest_without_cell_therapy_changes_nothing():
    assert starts((V, 1, 100), ("apheresis", 120, 121), (ASCT, 150, 150)) == [1]


def test_steroids_and_support_neither_make_a_line_nor_move_its_start():
    rows = [(DEX, 1, 4), (V, 10, 100), ("prednisone", 200, 400), ("zoledronic acid", 300, 300), (K, 500, 600)]
    lines = found(*rows, (DEX, 490, 600))
    assert lines["start_day"].tolist() == [10, 500]
    assert lines["regimen"].tolist() == [f"{V}+{DEX}+prednisone", f"{K}+{DEX}"]


def test_a_steroid_from_before_the_first_line_that_goes_on_is_named_with_it():
    assert found((DEX, 1, 90), (V, 10, 90))["regimen"].tolist() == [f"{V}+{DEX}"]


def test_documented_progression_makes_what_follows_unplanned():
    rows = [(V, 1, 100), (R, 1, 100), (V, 160, 300), (R, 160, 300)]
    findings = pd.DataFrame({"patient_id": "a", "day": [150], "finding": "progression", "value": "clinical"})
    assert starts(*rows) == [1]
    assert reasons(found(*rows, findings=findings))[1][:2] == [160, "treatment after progression"]
    assert starts(*rows, findings=findings.assign(finding="best response")) == [1]
    assert starts(*rows, findings=findings.assign(day=161)) == [1]
    # A planned transplant after a progression on induction is still the planned one.
    assert starts((V, 1, 100), (ASCT, 160, 160), findings=findings) == [1]


def test_exposures_near_each_other_are_one_and_whole_courses_are_not():
    findings = pd.DataFrame({"patient_id": "a", "day": [95], "finding": "progression", "value": ""})
    rows = [(V, 1, 100), (V, 120, 300)]
    assert starts(*rows, findings=findings) == [1]
    assert starts(*rows, findings=findings, interruption_days=0) == [1, 120]


def test_open_ends_never_make_a_stop_and_are_not_carried_into_the_next_line():
    assert starts((V, 1, None), (R, 1, None), (R, 900, None)) == [1]
    lines = found((V, 1, None), (R, 1, None), (K, 400, None))
    assert lines["regimen"].tolist() == [f"{V}+{R}", K]
    assert lines["end_reason"].tolist() == ["drug switched", "no end on record"]


def test_a_gap_is_an_event_only_where_the_rule_says_so():
    rows = [(V, 1, 100), (V, 221, 300)]
    assert starts(*rows, rule="window_gap") == [1, 221]
    assert starts(*rows, rule="window_gap", gap_days=121) == [1]
    assert starts(*rows, rule="window_gap", gap_days=None) == [1]
    assert starts(*rows, gap_days=120) == [1, 221]


def test_ohdsi_regimens_end_together_and_lenalidomide_joins_cyclophosphamide():
    assert starts((V, 1, 100), (R, 1, 130), (K, 400, 500), rule="ohdsi") == [1, 400]
    tail = [(V, 1, 100), (R, 1, 132), (K, 400, 500)]
    assert starts(*tail, rule="ohdsi") == [1, 101, 400]  # 31 days alone: no maintenance, another regimen
    assert starts(*tail, rule="ohdsi", gap_days=None) == [1, 400]
    assert starts((CY, 1, 300), (T, 1, 300), (R, 55, 300), rule="ohdsi") == [1]
    assert starts((CY, 1, 300), (T, 1, 300), (R, 65, 300), rule="ohdsi") == [1, 65]


def test_ohdsi_a_drug_is_off_only_where_the_records_go_on_long_enough():
    rows = [(D, 1, 300), (V, 1, 200), (R, 1, 300)]
    assert starts(*rows, rule="ohdsi") == [1, 201]
    assert starts((D, 1, 290), (V, 1, 200), (R, 1, 290), rule="ohdsi") == [1]


# --- cohorts ---------------------------------------------------------------------------------------------------------


def test_lines_by_a_named_rule_get_the_outcomes_of_the_cohort():
    numbered = treatments((V, 1, 100), (K, 200, 300)).assign(line=pd.array([1, 1], dtype="Int64"))
    findings = pd.DataFrame({"patient_id": "a", "day": [150], "finding": "progression", "value": "clinical", "line": 1})
    cohort = {"treatments": numbered, "findings": findings}
    assert regimens.lines(cohort)["start_reason"].tolist() == ["stated by the source"]
    lines = regimens.lines(cohort, rule="rajkumar")
    assert lines["start_day"].tolist() == [1, 200]
    assert lines["progression_day"].tolist() == [150, pd.NA]
    assert lines["relapse_kind"].tolist() == ["clinical", "none"]
    assert lines["start_reason"].tolist()[1] == "treatment after progression"
    undocumented = regimens.lines(cohort, rule="rajkumar", findings=None)
    assert undocumented["start_reason"].tolist()[1] == "different regimen after a stop"


def test_choices_without_a_rule_and_a_rule_without_treatments_are_refused():
    with pytest.raises(ValueError, match="gap_days, window_days: expected together with a rule"):
        regimens.lines({"treatments": treatments((V, 1, 9))}, window_days=60, gap_days=90)
    with pytest.raises(ValueError, match="expected treatments to apply 'ohdsi' to, came tables"):
        regimens.lines({"patients": pd.DataFrame()}, rule="ohdsi")


def test_two_readings_side_by_side():
    stated = pd.DataFrame({"patient_id": list("aabcc"), "line": [1, 2, 1, 1, 2], "start_day": [1, 300, 1, 1, 200]})
    derived = pd.DataFrame({"patient_id": list("aacd"), "line": [1, 2, 1, 1], "start_day": [20, 331, 1, 1]})
    agreement = regimens.compare_lines(derived, stated)
    assert agreement.astype(int).values.tolist() == [[0, 1, 1, 0], [1, 0, 1, 0], [2, 1, 1, 0], [2, 2, 1, 0]]
    assert regimens.compare_lines(derived, stated, tolerance_days=31)["same_starts"].tolist() == [0, 0, 0, 1]
    assert agreement["patients"].sum() == 4
    with pytest.raises(ValueError, match=r"derived: expected columns .*stated: .*tolerance_days"):
        regimens.compare_lines(derived[["line"]], stated[["line"]], tolerance_days=-1)


# --- what is broken --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["rajkumar", "ohdsi", "window_gap"])
def test_no_rows_make_no_lines(rule):
    lines = regimens.lines_of_therapy(treatments().astype({"agent": object, "patient_id": object}), rule)
    schema.check(lines, schema.LINES)
    assert lines.empty


@pytest.mark.parametrize("rule", ["rajkumar", "ohdsi", "window_gap"])
def test_rows_that_make_no_line_leave_an_empty_table(rule):
    for rows in ([(DEX, 1, 3)], [("zoledronic acid", 1, 3)], [(V, None, 9)], [(HARVEST, 1, 1)]):
        lines = found(*rows, rule=rule)
        assert lines.empty
        assert list(lines) == list(found((V, 1, 9), rule=rule))


def test_reversed_days_are_refused_with_all_their_rows():
    frame = treatments((V, 10, 5), (R, 1, 90), (K, 20, 1), (P, 30, 2), (D, 40, 3))
    with pytest.raises(schema.BadInputError, match=r"4 row\(s\) of the frame end before they start") as error:
        regimens.lines_of_therapy(frame)
    faults = error.value.faults
    assert faults["line"].tolist() == [1, 3, 4]
    assert faults["value"].tolist()[0] == "10 to 5"
    assert "10 to 5" not in str(error.value)
    schema.check(faults, schema.FAULTS)


def test_a_patient_with_more_agents_than_any_myeloma_has_is_refused():
    rows = [(f"drug {number}", number, number) for number in range(65)]
    with pytest.raises(schema.BadInputError, match="at most 64 distinct agents"):
        found(*rows)
    assert len(found(*rows[:64])) == 3


def test_missing_columns_and_wrong_words_are_refused_at_once():
    frame = treatments((V, 1, 9)).drop(columns="end_day").assign(phase="later")
    with pytest.raises(schema.SchemaError, match=r"(?s)end_day.*'later' first in row 0"):
        regimens.lines_of_therapy(frame)
    with pytest.raises(schema.SchemaError, match="patient_id"):
        regimens.lines_of_therapy(treatments((V, 1, 9)).assign(patient_id=None))


def test_a_rule_or_days_that_make_no_sense_are_refused_at_once():
    with pytest.raises(ValueError, match=r"rule: expected one of .*'rajkumar'.*came 'flatiron'"):
        found((V, 1, 9), rule="flatiron")
    with pytest.raises(ValueError, match=r"window_days: .*came -1; gap_days: .*came 1.5; tandem_days: .*came None"):
        found((V, 1, 9), window_days=-1, gap_days=1.5, tandem_days=None)


def test_unknown_agents_are_agents_of_their_own():
    lines = found(("elixir", 1, 90), ("tonic", 200, 300), ("elixir", 400, 500))
    assert lines["regimen"].tolist() == ["elixir", "tonic", "elixir"]
    assert lines["classes"].tolist() == ["unknown", "unknown", "unknown"]


def test_overlapping_rows_of_one_agent_are_one_exposure():
    assert found((V, 1, 50), (V, 20, 200), (V, 30, 40))[["start_day", "end_day"]].values.tolist() == [[1, 200]]


def test_days_before_zero_and_ids_of_a_category_are_read():
    frame = pd.concat([treatments((V, -400, -300), (K, -100, 5)), treatments((R, 3, 9)).assign(patient_id="b")])
    lines = regimens.lines_of_therapy(frame.astype({"patient_id": "category"}))
    assert lines[["patient_id", "start_day"]].values.tolist() == [["a", -400], ["a", -100], ["b", 3]]


def test_the_argument_stays_as_it_was():
    frame = treatments((V, 1, 90), (K, 200, None))
    before = frame.copy()
    regimens.lines_of_therapy(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_regimens_of_many_agents_are_spelled_in_full():
    """More distinct agents in the cohort than bits in a word."""
    rows = [(f"agent {number:03d}", 1, 90) for number in range(150)]
    frame = treatments(*rows).assign(patient_id=[f"p{number // 50}" for number in range(150)])
    lines = regimens.lines_of_therapy(frame)
    assert [len(text.split("+")) for text in lines["regimen"]] == [50, 50, 50]
    assert lines["regimen"].iloc[2].startswith("agent 100+agent 101")
    assert np.unique(lines["regimen"]).size == 3
