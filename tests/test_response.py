"""Response and progression from raw values: each published limit, confirmation, and what may not change the answer."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis import schema
from analysis.derive import response

SERUM, URINE, MARROW = "serum M-protein", "urine M-protein", "bone marrow plasma cells"
KAPPA, LAMBDA = "kappa free light chain", "lambda free light chain"
UNITS = {SERUM: "g/dL", URINE: "mg/24 h", MARROW: "%", KAPPA: "mg/L", LAMBDA: "mg/L", "calcium": "mg/dL",
         "haemoglobin": "g/dL", "creatinine": "mg/dL"}  # fmt: skip
STEP = 28


def labs(patient="a", **series):
    """Series by test name (blanks as _), one value every 28 days from day 0; None leaves a day out."""
    rows = [
        (patient, STEP * number, test, float(value), UNITS[test])
        for name, values in series.items()
        for number, value in enumerate(values)
        for test in [name.replace("_", " ").replace("serum M protein", SERUM).replace("urine M protein", URINE)]
        if value is not None
    ]
    return pd.DataFrame(rows, columns=["patient_id", "day", "test", "value", "unit"])


def findings(*rows, patient="a"):
    frame = pd.DataFrame(rows, columns=["day", "finding", "value"])
    return frame.assign(patient_id=patient)[["patient_id", "day", "finding", "value"]]


def lines(*starts, patient="a"):
    return pd.DataFrame({"patient_id": patient, "line": range(1, len(starts) + 1), "start_day": starts})


def judged(values, starts=(0,), told=None, patients=None, **choices):
    """The OUTCOMES row of line 1."""
    cohort = {"labs": values, "findings": told, "patients": patients}
    given_ones = {name: frame for name, frame in cohort.items() if frame is not None}
    return response.outcomes(given_ones, lines(*starts), **{"mode": "lab_only", **choices}).iloc[0]


def progressed(values, **choices):
    return not pd.isna(judged(values, **choices)["progression_day"])


SERUM_VECTORS = [
    (0.0, 0.4, False), (0.0, 0.5, True), (1.0, 1.4, False), (1.0, 1.5, True), (2.0, 2.5, True), (3.0, 3.6, False),
    (3.0, 3.75, True), (5.0, 5.9, False), (5.0, 6.0, True), (6.0, 7.0, True), (3.6, 4.1, False), (0.2, 0.7, True),
]  # fmt: skip


@pytest.mark.parametrize("unit", ["g/dL", "g/L"])
@pytest.mark.parametrize("nadir_mode", ["confirmed", "any"])
@pytest.mark.parametrize(("low", "now", "yes"), SERUM_VECTORS, ids=lambda value: str(value))
def test_serum_progression(low, now, yes, nadir_mode, unit):
    values = labs(serum_M_protein=[6.5, low, low, now, now])
    if unit == "g/L":
        values = values.assign(value=values["value"] * 10, unit="g/L")
    assert progressed(values, nadir_mode=nadir_mode) is yes


def test_progression_is_tested_before_depth():
    found = judged(labs(serum_M_protein=[4.0, 0.2, 0.2, 1.2, 1.2]))
    assert (found["progression_day"], found["best_response"]) == (3 * STEP, "VGPR")


def test_one_gram_suffices_from_a_start_of_five_in_2011_and_from_a_lowest_of_five_in_2016():
    values = labs(serum_M_protein=[6.0, 4.5, 4.5, 5.5, 5.5])
    assert progressed(values, imwg_version=2011) and not progressed(values, imwg_version=2016)


@pytest.mark.parametrize(("low", "now", "yes"), [(100, 250, False), (100, 300, True), (1000, 1200, False),
                                                 (1000, 1250, True)])  # fmt: skip
def test_urine_progression(low, now, yes):
    assert progressed(labs(serum_M_protein=[0.0], urine_M_protein=[1500, low, low, now, now])) is yes


def chains(differences, **more):
    """Kappa so far above 10 mg/L of lambda; the line starts with 300 mg/L of difference."""
    kappa = [None if value is None else 10 + value for value in (300, *differences)]
    return labs(kappa_free_light_chain=kappa, lambda_free_light_chain=[10] * len(kappa), **more)


@pytest.mark.parametrize(("low", "now", "yes"), [(20, 110, False), (20, 120, False), (20, 125, True)])
def test_light_chain_progression_needs_more_than_ten_mg_per_dl(low, now, yes):
    assert progressed(chains([low, low, now, now], serum_M_protein=[0.0])) is yes


def test_light_chains_are_ignored_where_serum_is_measurable():
    assert not progressed(chains([20, 20, 500, 500], serum_M_protein=[2.0, 1.0, 1.0, 1.0, 1.0]))


def test_involved_lambda_is_followed_like_kappa():
    values = labs(serum_M_protein=[0.0], kappa_free_light_chain=[10] * 5,
                  lambda_free_light_chain=[310, 30, 30, 135, 135])  # fmt: skip
    assert progressed(values)


@pytest.mark.parametrize(("low", "now", "version", "yes"), [(5, 14, 2016, False), (5, 15, 2016, True),
                                                            (5, 11, 2011, True), (5, 11, 2016, False)])  # fmt: skip
def test_marrow_progression_needs_no_confirmation(low, now, version, yes):
    values = labs(serum_M_protein=[0.0], bone_marrow_plasma_cells=[40, low, now])
    assert progressed(values, imwg_version=version) is yes


def test_calcium_alone_is_progression_in_2011_only():
    values = labs(serum_M_protein=[3.0] * 5, calcium=[9.5, 9.5, 9.5, 11.6, 11.6])
    assert progressed(values, imwg_version=2011) and not progressed(values, imwg_version=2016)


@pytest.mark.parametrize("finding", ["new bone lesion", "plasmacytoma", "lesion growth"])
def test_a_new_lesion_is_progression_at_once_but_not_by_laboratory_alone(finding):
    told = findings((40, finding, ""))
    values = labs(serum_M_protein=[3.0, 1.0, 1.0])
    strict = judged(values, told=told, mode="strict")
    assert (strict["progression_day"], strict["progression_by"], strict["relapse_kind"]) == (40, "lesion", "clinical")
    assert not progressed(values, told=told, mode="lab_only")


def test_a_plasmacytoma_of_the_start_is_not_new():
    told = findings((0, "plasmacytoma", ""), (40, "plasmacytoma", ""))
    assert pd.isna(judged(labs(serum_M_protein=[3.0, 1.0]), told=told, mode="strict")["progression_day"])


# Confirmation. A level is drawn as a serum value on a baseline of 4 g/dL; a progression as one 1 g/dL above all before.
DRAWN = {"PR": 1.5, "VGPR": 0.3, "MR": 2.8, "SD": 3.9, "PD": 5.5, "NE": None}


def sequence(*levels, starts=(0,), **more):
    values = labs(serum_M_protein=[4.0, *(DRAWN[level] for level in levels)], haemoglobin=[12.0] * (len(levels) + 1))
    frame = {"labs": values, **more}
    return response.assess(frame, lines(*starts), mode="lab_only")["confirmed"].iloc[0]


@pytest.mark.parametrize(
    ("levels", "confirmed"),
    [
        (("PR", "VGPR"), "PR"), (("VGPR", "PR"), "PR"), (("PD", "PR"), "NE"), (("PD",), "NE"), (("PD", "PD"), "PD"),
        (("PR", "NE", "PR"), "PR"), (("MR", "MR"), "MR"), (("MR", "PR"), "MR"), (("PR", "SD"), "SD"),
        (("VGPR", "PD"), "SD"), (("PR",), "SD"), (("VGPR", "VGPR"), "VGPR"), (("SD", "PR"), "SD"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)  # fmt: skip
def test_confirmation(levels, confirmed):
    assert sequence(*levels) == confirmed


def test_a_progression_is_confirmed_by_death_due_to_it():
    dead = findings((60, "cause of death", "progression"))
    assert sequence("PD", findings=dead) == "PD"


def test_a_death_of_any_cause_confirms_only_where_that_is_asked_for_and_soon_enough():
    patients = pd.DataFrame({"patient_id": ["a"], "death_day": pd.array([60], dtype="Int64")})
    values = labs(serum_M_protein=[4.0, 5.5])
    found = [progressed(values, patients=patients, death_confirms_days=days) for days in (None, 60, 31)]
    assert found == [False, True, False]


def test_a_progression_may_be_confirmed_after_the_next_line_began_but_a_response_may_not():
    assert sequence("PD", "PD", starts=(0, 40)) == "PD"
    assert sequence("PR", "PR", starts=(0, 40)) == "SD"


def test_what_was_confirmed_stays_through_an_unconfirmed_progression():
    values = labs(serum_M_protein=[4.0, 0.3, 0.3, 1.2, 0.3])
    found = response.assess({"labs": values}, lines(0), mode="lab_only")
    assert found["level"].tolist() == ["VGPR", "VGPR", "PD", "VGPR"]
    assert found["confirmed"].tolist() == ["VGPR"] * 4


def test_one_sample_is_enough_only_where_that_is_asked_for():
    values = labs(serum_M_protein=[4.0, 0.3, 1.2])
    assert progressed(values, nadir_mode="any", confirm_rule="one_sample") and not progressed(values, nadir_mode="any")


def test_a_single_low_value_is_a_reference_only_under_any():
    values = labs(serum_M_protein=[4.0, 2.0, 0.2, 2.0, 2.0])
    assert progressed(values, nadir_mode="any") and not progressed(values, nadir_mode="confirmed")


# Depth, one row each of the table of responses.
NEGATIVE = [(day, f"{where} immunofixation", "negative") for day in (28, 56, 84) for where in ("serum", "urine")]


@pytest.mark.parametrize(
    ("values", "told", "mode", "best"),
    [
        ({"serum_M_protein": [4, 0, 0], "urine_M_protein": [0, 0, 0], "bone_marrow_plasma_cells": [50, 2],
          "kappa_free_light_chain": [90, 10, 10], "lambda_free_light_chain": [10, 10, 10]},
         [*NEGATIVE, (28, "clonal marrow cells", "negative")], "strict", "sCR"),
        ({"serum_M_protein": [4, 0, 0], "urine_M_protein": [0, 0, 0], "bone_marrow_plasma_cells": [50, 2]},
         NEGATIVE, "strict", "CR"),
        ({"serum_M_protein": [4, 0, 0], "urine_M_protein": [0, 0, 0], "bone_marrow_plasma_cells": [50, 5]},
         NEGATIVE, "strict", "VGPR"),
        ({"serum_M_protein": [4, 0, 0], "urine_M_protein": [0, 0, 0]}, NEGATIVE, "strict", "VGPR"),
        ({"serum_M_protein": [4, 0, 0], "urine_M_protein": [0, 0, 0], "bone_marrow_plasma_cells": [50, 2]},
         [(28, "serum immunofixation", "positive")], "strict", "VGPR"),
        ({"serum_M_protein": [4, 0, 0]}, [], "lab_only", "CR"),
        ({"serum_M_protein": [4, 0, 0]}, [(28, "serum immunofixation", "positive")], "lab_only", "VGPR"),
        ({"serum_M_protein": [4, 0.4, 0.4], "urine_M_protein": [0, 0, 0]}, [], "strict", "VGPR"),
        ({"serum_M_protein": [4, 0.4, 0.4], "urine_M_protein": [500, 100, 100]}, [], "strict", "PR"),
        ({"serum_M_protein": [4, 0.4, 0.4]}, [], "strict", "PR"),
        ({"serum_M_protein": [4, 0.4, 0.4]}, [], "lab_only", "VGPR"),
        ({"serum_M_protein": [4, 2, 2], "urine_M_protein": [500, 199, 199]}, [], "strict", "PR"),
        ({"serum_M_protein": [4, 2, 2], "urine_M_protein": [4000, 400, 400]}, [], "strict", "PR"),
        ({"serum_M_protein": [4, 2, 2], "urine_M_protein": [500, 250, 250]}, [], "strict", "MR"),
        ({"serum_M_protein": [4, 2, 2], "urine_M_protein": [500, 260, 260]}, [], "strict", "SD"),
        ({"serum_M_protein": [4, 2, 2], "urine_M_protein": [50, None, None]}, [], "strict", "PR"),
        ({"serum_M_protein": [4, 2, 2]}, [], "strict", "MR"),
        ({"serum_M_protein": [4, 3, 3], "urine_M_protein": [50, 50, 50]}, [], "strict", "MR"),
        ({"serum_M_protein": [4, 3.1, 3.1], "urine_M_protein": [50, 50, 50]}, [], "strict", "SD"),
        ({"serum_M_protein": [0, 0, 0], "urine_M_protein": [900, 99, 99]}, [], "strict", "VGPR"),
        ({"serum_M_protein": [0], "kappa_free_light_chain": [310, 40, 40], "lambda_free_light_chain": [10, 10, 10]},
         [], "lab_only", "VGPR"),
        ({"serum_M_protein": [0], "kappa_free_light_chain": [310, 160, 160], "lambda_free_light_chain": [10, 10, 10]},
         [], "lab_only", "PR"),
        ({"serum_M_protein": [0], "kappa_free_light_chain": [310, 161, 161], "lambda_free_light_chain": [10, 10, 10]},
         [], "lab_only", "SD"),
        ({"serum_M_protein": [0], "kappa_free_light_chain": [310, 12, 12], "lambda_free_light_chain": [10, 10, 10]},
         [], "lab_only", "CR"),
        ({"serum_M_protein": [0], "bone_marrow_plasma_cells": [40, 20, 20]}, [], "lab_only", "PR"),
        ({"serum_M_protein": [0], "bone_marrow_plasma_cells": [40, 21, 21]}, [], "lab_only", "SD"),
        ({"serum_M_protein": [0], "bone_marrow_plasma_cells": [29, 2, 2]}, [], "lab_only", "unknown"),
    ],
)  # fmt: skip
def test_depth(values, told, mode, best):
    found = judged(labs(**values), told=findings(*told), mode=mode)
    assert found["best_response"] == best


@pytest.mark.parametrize(("shrunk", "version", "best"), [("60", 2016, "PR"), ("30", 2016, "SD"), ("30", 2011, "MR")])
def test_a_plasmacytoma_of_the_start_must_shrink(shrunk, version, best):
    told = findings((0, "plasmacytoma", ""), (20, "plasmacytoma shrinkage percent", shrunk))
    values = labs(serum_M_protein=[4, 2, 2], urine_M_protein=[50, 50, 50])
    assert judged(values, told=told, mode="strict", imwg_version=version)["best_response"] == best


@pytest.mark.parametrize(
    ("values", "mode", "reason"),
    [
        ({"serum_M_protein": [None, 1.0]}, "lab_only", "serum M-protein not measured at baseline"),
        ({"serum_M_protein": [0.9, 0.2]}, "strict", "urine M-protein not measured at baseline"),
        ({"serum_M_protein": [0.9, 0.2], "urine_M_protein": [10]}, "strict",
         "free light chains not measured at baseline"),
        ({"serum_M_protein": [0.9, 0.2]}, "lab_only", "nothing measurable at baseline"),
        ({"serum_M_protein": [1.0]}, "lab_only", "no sample after baseline"),
        ({"serum_M_protein": [1.0, 0.2]}, "strict", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_says_why(values, mode, reason):
    found = judged(labs(**values), mode=mode)
    assert (found["why_not"], found["evaluable"]) == (reason, reason == "")


def test_a_marker_measurable_in_an_earlier_line_is_followed_on_where_that_is_asked_for():
    values = labs(serum_M_protein=[4.0, 0.1, 0.1, 0.7, 0.7, 0.1, 0.1, 0.8, 0.8])
    cohort, two = {"labs": values}, lines(0, 4 * STEP)
    found = [
        response.outcomes(cohort, two, mode="lab_only", measurable_at=word).loc[1, "evaluable"]
        for word in ("line", "ever")
    ]
    assert found == [False, True]


def test_the_evaluable_fraction_is_told_by_line_and_mode():
    found = response.evaluable({"labs": labs(serum_M_protein=[0.9, 0.2])}, lines(0))
    assert found["mode"].tolist() == ["lab_only", "strict"]
    assert found["status"].tolist() == ["nothing measurable at baseline", "urine M-protein not measured at baseline"]


# Kinds of relapse.
RELAPSE = [4.0, 0.2, 0.2, 1.2, 1.2]


@pytest.mark.parametrize(
    ("signs", "told", "kind"),
    [
        ({"haemoglobin": [13, 13, 13, 12.9, 12.9]}, [], "biochemical"),
        ({"haemoglobin": [13, 13, 13, 11.0, 11.0]}, [], "clinical"),
        ({"calcium": [9.5, 9.5, 9.5, 11.0, 11.0]}, [], "biochemical"),
        ({"calcium": [9.5, 9.5, 9.5, 11.1, 11.1]}, [], "clinical"),
        ({"creatinine": [1.0, 1.0, 1.0, 2.9, 2.9]}, [], "biochemical"),
        ({"creatinine": [1.0, 1.0, 1.0, 3.0, 3.0]}, [], "clinical"),
        ({"creatinine": [1.0] * 5}, [(80, "hyperviscosity", "")], "clinical"),
        ({}, [], "unknown"),
    ],
)
def test_kind_of_relapse(signs, told, kind):
    found = judged(labs(serum_M_protein=RELAPSE, **signs), told=findings(*told))
    assert found["relapse_kind"] == kind


def test_a_line_without_progression_has_no_kind():
    assert judged(labs(serum_M_protein=[4.0, 0.2, 0.2]))["relapse_kind"] == "none"


def test_relapse_from_complete_response_comes_before_full_progression():
    found = judged(labs(serum_M_protein=[4.0, 0, 0, 0.2, 0.3, 0.8, 0.9]))
    days = ["complete_response_day", "relapse_from_complete_response_day", "progression_day"]
    assert found[days].tolist() == [STEP, 3 * STEP, 5 * STEP]


@pytest.mark.parametrize(("value", "sensitivity", "day"), [("negative", 1e-5, 60), ("negative 1e-5", 1e-5, 60),
                                                           ("negative 1e-4", 1e-5, None),
                                                           ("negative 10^-5", 1e-6, None)])  # fmt: skip
def test_relapse_from_mrd_negativity_asks_for_the_sensitivity(value, sensitivity, day):
    told = findings((60, "MRD", value), (100, "MRD", "positive"))
    found = judged(labs(serum_M_protein=[4.0, 0, 0, 0, 0]), told=told, mrd_sensitivity=sensitivity)
    assert found["mrd_negative_day"] == day if day else pd.isna(found["mrd_negative_day"])
    assert found["relapse_from_mrd_negative_day"] == 100 if day else pd.isna(found["relapse_from_mrd_negative_day"])


@pytest.mark.parametrize(("values", "day"), [([4, 0.2, 0.2, 1.2, 1.2], 3 * STEP), ([4, 0.2, 0.2, 0.5, 1.0], 4 * STEP),
                                             ([4, 0.2, 0.2, 0.5, 0.9], None)])  # fmt: skip
def test_significant_biochemical_relapse(values, day):
    found = judged(labs(serum_M_protein=values), confirm_rule="two_samples")["significant_biochemical_day"]
    assert found == day if day else pd.isna(found)


# What may not change the answer.
VALUES = st.sampled_from([0.0, 0.2, 0.4, 0.7, 1.2, 1.9, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0])
SERIES = st.lists(st.lists(VALUES, min_size=3, max_size=12), min_size=1, max_size=4)


def cohort_of(series):
    rows = pd.concat([labs(f"p{number}", serum_M_protein=values) for number, values in enumerate(series)])
    started = pd.concat([lines(0, 5 * STEP, patient=f"p{number}") for number in range(len(series))], ignore_index=True)
    return rows.reset_index(drop=True), started


def outcome(rows, started, **choices):
    return response.outcomes({"labs": rows}, started, **{"mode": "lab_only", **choices})


@settings(max_examples=30, deadline=None)
@given(SERIES, st.randoms(use_true_random=False))
def test_order_units_names_and_repeated_draws_change_nothing(series, random):
    rows, started = cohort_of(series)
    plain = outcome(rows, started)
    order = random.sample(range(len(rows)), len(rows))
    assert_frame_equal(outcome(rows.iloc[order], started.iloc[::-1]), plain)
    assert_frame_equal(outcome(rows.assign(value=rows["value"] * 10, unit="g/L"), started), plain)
    assert_frame_equal(outcome(pd.concat([rows, rows.iloc[order[: len(order) // 2]]]), started), plain)
    renamed = outcome(*(frame.assign(patient_id="z" + frame["patient_id"].str[::-1]) for frame in (rows, started)))
    back = renamed.assign(patient_id=renamed["patient_id"].str[1:].str[::-1])
    assert_frame_equal(back.sort_values(["patient_id", "line"], ignore_index=True), plain)


@settings(max_examples=40, deadline=None)
@given(SERIES, st.integers(1, 12), st.sampled_from(["confirmed", "any"]))
def test_an_earlier_data_cut_creates_no_event_and_a_later_visit_moves_none(series, visits, nadir_mode):
    rows, started = cohort_of(series)
    cut = visits * STEP
    whole = outcome(rows, started, nadir_mode=nadir_mode)
    seen = started[started["start_day"] <= cut]
    early = outcome(rows[rows["day"] <= cut], seen, nadir_mode=nadir_mode)
    both = early.merge(whole, on=["patient_id", "line"], suffixes=("", "_whole")).dropna(subset=["progression_day"])
    assert (both["progression_day"] == both["progression_day_whole"]).all()
    assert (early["confirmed_day"].dropna() <= cut).all()
    known = whole[(whole["confirmed_day"] <= cut).fillna(False)].merge(seen, on=["patient_id", "line"])
    assert len(known) == early["progression_day"].notna().sum()


def test_a_later_sample_of_one_marker_moves_no_progression_that_another_has_shown():
    columns = ["day", "test", "value", "unit"]
    rows = [(0, SERUM, 2.0, "g/dL"), (100, SERUM, 3.0, "g/dL"), (0, URINE, 400.0, "mg/24 h")]
    rows += [(150, URINE, 900.0, "mg/24 h"), (180, URINE, 900.0, "mg/24 h")]
    early = pd.DataFrame(rows, columns=columns).assign(patient_id="a")
    later = pd.concat([early, pd.DataFrame([(300, SERUM, 3.0, "g/dL")], columns=columns).assign(patient_id="a")])
    for values in (early, later):
        found = judged(values)
        assert (found["progression_day"], found["confirmed_day"], found["progression_by"]) == (150, 180, URINE)


def test_a_draw_that_stands_twice_weighs_no_more_than_another_value_of_its_day():
    values = labs(serum_M_protein=[4.0, 2.0, 2.0])
    other = values.iloc[[1]].assign(value=3.0)
    found = [
        response.assess({"labs": pd.concat([values, other, *more])}, lines(0), mode="lab_only")["value"].tolist()
        for more in ([], [values.iloc[[1]]])
    ]
    assert found == [[2.5, 2.0]] * 2


def test_a_choice_that_is_not_known_is_refused_with_all_others():
    with pytest.raises(ValueError, match=r"nadir: not a choice.*mode: expected one of.*carry_days: expected days"):
        response.outcomes({}, lines(0), nadir="any", mode="lax", carry_days=-1)


def test_lines_that_do_not_follow_one_another_are_refused():
    with pytest.raises(schema.SchemaError, match="start after the one before"):
        response.outcomes({}, lines(0, 0))
    with pytest.raises(schema.SchemaError, match="start_day"):
        response.outcomes({}, lines(0).drop(columns="start_day"))


def test_free_light_chains_without_a_unit_are_refused():
    values = chains([20, 20]).assign(unit="")
    with pytest.raises(ValueError, match="kappa free light chain"):
        judged(values)


def test_nothing_on_record_and_no_lines_at_all_give_whole_tables():
    assert judged(labs(serum_M_protein=[]))["best_response"] == "unknown"
    assert len(response.outcomes({}, lines().astype({"start_day": "int64"}))) == 0
    assert len(response.assess({}, lines(0))) == 0


def test_the_arguments_stay_as_they_were():
    rows, started = cohort_of([[4.0, 0.2, 0.2, 1.2, 1.2]])
    before = rows.copy(), started.copy()
    found = outcome(rows, started)
    response.with_outcomes(started, found)
    assert_frame_equal(rows, before[0])
    assert_frame_equal(started, before[1])


def test_lines_take_over_the_derived_outcomes():
    rows, started = cohort_of([[4.0, 0.2, 0.2, 1.2, 1.2]])
    stated = started.assign(best_response="CR", progression_day=pd.array([1, 1], "Int64"), relapse_kind="clinical")
    found = response.with_outcomes(stated, outcome(rows, started))
    assert found["progression_day"].tolist()[0] == 3 * STEP and pd.isna(found["progression_day"].iloc[1])
    assert found["best_response"].tolist() == ["VGPR", "unknown"]
    assert found["followable"].tolist() == [True, True]  # line 2 began with a marker, and nobody looked again
    assert np.array_equal(found["relapse_kind"], ["unknown", "unknown"])
