import pandas as pd
import pytest

from analysis import schema
from analysis.derive import spells as derive


def patients(rows, **columns):
    frame = pd.DataFrame(rows, columns=["patient_id", "entry_day", "last_contact_day", "death_day"])
    return frame.astype({"death_day": "Int64"}).assign(**columns)


def lines(rows):
    frame = pd.DataFrame(rows, columns=["patient_id", "line", "start_day", "end_day", "progression_day"])
    return frame.astype({"end_day": "Int64", "progression_day": "Int64"})


def spelled(cohort, given, **choices):
    found = derive.spells(cohort, given, **choices)
    return [tuple(row) for row in found[["patient_id", "line", "time", "event"]].itertuples(index=False)]


ONE_OF_EACH = {
    "patients": patients(
        [("a", 1, 1000, None), ("b", 1, 700, 700), ("c", 1, 300, None)],
        index_year=pd.array([2012, 2015, None], dtype="Int64"),
        age_years=[60.0, 89.9, 50.0],
        sex=["female", "male", "unknown"],
    )
}
THEIR_LINES = lines(
    [
        ("a", 2, 501, None, None),
        ("a", 1, 1, 400, 450),
        ("b", 1, 1, 100, None),
        ("b", 2, 301, 400, 400),
        ("c", 1, 1, 90, None),
    ]
)


def test_relapse_comes_before_the_next_line_and_death():
    assert spelled(ONE_OF_EACH, THEIR_LINES, endpoint="relapse") == [
        ("a", 1, 449, "relapse"),
        ("a", 2, 499, "censored"),
        ("b", 1, 300, "next_line"),
        ("b", 2, 99, "relapse"),
        ("c", 1, 299, "censored"),
    ]


def test_the_endpoint_next_line_knows_no_progression():
    assert spelled(ONE_OF_EACH, THEIR_LINES, endpoint="next_line") == [
        ("a", 1, 500, "next_line"),
        ("a", 2, 499, "censored"),
        ("b", 1, 300, "next_line"),
        ("b", 2, 399, "death"),
        ("c", 1, 299, "censored"),
    ]


def test_the_endpoint_death_follows_each_patient_to_death_or_the_end_of_observation():
    days = ONE_OF_EACH["patients"].set_index("patient_id")
    for patient_id, line, time, event in spelled(ONE_OF_EACH, THEIR_LINES, endpoint="death"):
        start = THEIR_LINES.set_index(["patient_id", "line"]).loc[(patient_id, line), "start_day"]
        died = pd.notna(days.loc[patient_id, "death_day"])
        assert event == ("death" if died else "censored")
        assert not died or start + time == days.loc[patient_id, "death_day"]


def test_the_cohorts_own_endpoint_is_the_default():
    cohort = {**ONE_OF_EACH, "cohort": pd.DataFrame({"endpoint": ["next_line"]})}
    assert spelled(cohort, THEIR_LINES) == spelled(cohort, THEIR_LINES, endpoint="next_line")


def test_on_one_day_relapse_precedes_the_next_line_and_the_next_line_death():
    cohort = {"patients": patients([("a", 1, 400, 400), ("b", 1, 300, 300)])}
    given = lines([("a", 1, 1, None, 200), ("a", 2, 200, None, None), ("a", 3, 400, None, None), ("b", 1, 1, 9, 300)])
    assert [row[2:] for row in spelled(cohort, given, endpoint="relapse")] == [
        (199, "relapse"),
        (200, "next_line"),
        (0, "death"),
        (299, "relapse"),
    ]


def test_a_progression_after_the_next_start_does_not_count():
    cohort = {"patients": patients([("a", 1, 600, None)])}
    given = lines([("a", 1, 1, None, 350), ("a", 2, 300, None, None)])
    assert [row[2:] for row in spelled(cohort, given, endpoint="relapse")] == [(299, "next_line"), (300, "censored")]


def test_a_progression_after_last_contact_extends_observation_or_does_not_count():
    cohort = {"patients": patients([("a", 1, 100, None)])}
    given = lines([("a", 1, 1, 90, 150)])
    assert spelled(cohort, given, endpoint="relapse") == [("a", 1, 149, "relapse")]
    assert spelled(cohort, given, endpoint="relapse", after_last_contact="truncate") == [("a", 1, 99, "censored")]


def test_any_progression_shows_that_the_patient_was_watched():
    found = pd.DataFrame({"patient_id": "a", "day": [150, 180, 300], "finding": ["progression"] * 2 + ["fatigue"]})
    cohort = {"patients": patients([("a", 1, 100, None)]), "findings": found}
    given = lines([("a", 1, 1, 90, 150)])
    assert spelled(cohort, given, endpoint="next_line") == [("a", 1, 179, "censored")]
    assert spelled(cohort, given, endpoint="next_line", after_last_contact="truncate") == [("a", 1, 99, "censored")]


@pytest.mark.parametrize("day", [250, 300])
def test_a_progression_not_after_its_lines_start_is_left_out(day):
    cohort = {"patients": patients([("a", 1, 600, None)])}
    given = lines([("a", 1, 1, 90, None), ("a", 2, 300, None, day)])
    assert [row[2:] for row in spelled(cohort, given, endpoint="relapse")] == [(299, "next_line"), (300, "censored")]


@pytest.mark.parametrize("after_last_contact", ["extend", "truncate"])
def test_a_progression_after_death_is_a_fault_that_says_what_to_do(after_last_contact):
    cohort = {"patients": patients([("secret", 1, 500, 500)])}
    given = lines([("secret", 1, 1, None, 501)])
    with pytest.raises(schema.SchemaError) as caught:
        derive.spells(cohort, given, endpoint="relapse", after_last_contact=after_last_contact)
    said = str(caught.value)
    for words in ("line 1, column 'progression_day'", "day 501 with death on day 500 (1 line(s) in all)", "correct"):
        assert words in said
    assert "secret" not in said
    assert spelled(cohort, given, endpoint="death") == [("secret", 1, 499, "death")]


LATE = {
    "patients": patients([("a", 1, 500, None), ("b", 1, 500, None)]),
    "treatments": pd.DataFrame(
        {"patient_id": ["a", "b"], "start_day": [560, 1], "end_day": pd.array([None, 530], dtype="Int64")}
    ),
}
LATE_LINES = lines([("a", 1, 1, 400, None), ("a", 2, 560, None, None), ("b", 1, 1, None, None)])


def test_treatment_after_last_contact_extends_observation_or_is_cut_off():
    assert spelled(LATE, LATE_LINES, endpoint="next_line", after_last_contact="extend") == [
        ("a", 1, 559, "next_line"),
        ("a", 2, 0, "censored"),
        ("b", 1, 529, "censored"),
    ]
    assert spelled(LATE, LATE_LINES, endpoint="next_line", after_last_contact="truncate") == [
        ("a", 1, 499, "censored"),
        ("b", 1, 499, "censored"),
    ]


@pytest.mark.parametrize("after_last_contact", ["extend", "truncate"])
def test_a_line_after_death_is_a_fault_not_a_late_record(after_last_contact):
    cohort = {"patients": patients([("a", 1, 500, 500)])}
    given = lines([("a", 1, 1, None, None), ("a", 2, 600, None, None)])
    with pytest.raises(schema.SchemaError, match="'start_day': expected a day no later than the patient's death"):
        derive.spells(cohort, given, endpoint="next_line", after_last_contact=after_last_contact)


def test_delayed_entry_is_kept_and_spells_over_before_it_are_left_out():
    cohort = {"patients": patients([("a", 401, 900, None)])}
    given = lines([("a", 1, 1, None, None), ("a", 2, 301, None, None), ("a", 3, 601, None, None)])
    found = derive.spells(cohort, given, endpoint="next_line")
    assert found[["line", "entry", "time"]].values.tolist() == [[2, 100, 300], [3, 0, 299]]
    assert derive.unseen(cohort, given, endpoint="next_line") == 1
    assert derive.unseen(cohort, given, endpoint="death") == 0


def test_covariates_are_those_known_at_line_start():
    found = derive.spells(ONE_OF_EACH, THEIR_LINES.assign(regimen="x", transplant=True), endpoint="next_line")
    assert found["era"].tolist() == ["2010-2014", "2010-2014", "2015-2019", "2015-2019", "unknown"]
    assert found["age_years"].round(2).tolist() == [60.0, 61.37, 89.9, 90.0, 50.0]
    assert found["iss"].eq("unknown").all()
    assert found["start_day"].tolist() == [1, 501, 1, 301, 1]
    assert not {"regimen", "transplant", "index_year", "death_day"} & set(found)


def test_without_an_index_year_the_era_is_unknown():
    found = derive.spells(LATE, LATE_LINES, endpoint="next_line")
    assert found["era"].eq("unknown").all()


def test_row_order_does_not_matter_and_arguments_stay_as_they_were():
    before = THEIR_LINES.copy()
    shuffled = {"patients": ONE_OF_EACH["patients"].iloc[::-1]}
    straight = derive.spells(ONE_OF_EACH, THEIR_LINES, endpoint="relapse")
    pd.testing.assert_frame_equal(straight, derive.spells(shuffled, THEIR_LINES.iloc[::-1], endpoint="relapse"))
    pd.testing.assert_frame_equal(THEIR_LINES, before)


@pytest.mark.parametrize("choice", [{"endpoint": "progression"}, {"after_last_contact": "drop"}])
def test_a_word_that_is_no_choice_is_refused_with_the_choices(choice):
    with pytest.raises(ValueError, match=r"expected .* among"):
        derive.spells(ONE_OF_EACH, THEIR_LINES, **{"endpoint": "relapse", **choice})


def test_a_relapse_endpoint_without_progression_days_is_refused():
    with pytest.raises(ValueError, match="progression_day"):
        derive.spells(LATE, LATE_LINES.drop(columns="progression_day"), endpoint="relapse")


# The endpoints: one patient who responds, progresses, waits, is treated again, progresses again and dies.
COURSE = {
    "patients": patients([("a", 0, 900, 900), ("b", 0, 800, None)]),
    "labs": pd.DataFrame({"patient_id": ["a", "b"], "test": "serum M-protein"}).merge(
        pd.DataFrame({"day": [0, 30, 60, 90, 190, 200, 290, 400, 500]}), how="cross"
    ),
}
COURSE_LINES = pd.DataFrame(
    [
        ("a", 1, 0, 120, 200, 60),
        ("a", 2, 300, 350, 500, None),
        ("a", 3, 600, None, None, None),
        ("b", 1, 0, 250, None, 90),
        ("b", 2, 310, None, 500, None),
    ],
    columns=["patient_id", "line", "start_day", "end_day", "progression_day", "response_day"],
).astype({"end_day": "Int64", "progression_day": "Int64", "response_day": "Int64"})


@pytest.mark.parametrize(
    ("endpoint", "censoring", "expected"),
    [
        ("relapse", "competing", "a1 200 relapse, a2 200 relapse, a3 300 death, b1 310 next_line, b2 190 relapse"),
        # b begins line 2 on day 310 without progression: censored at the assessment of day 290. Line 3 of a was never
        # assessed, so the death in it is not counted.
        ("progression_free", "fda", "a1 200 relapse, a2 200 relapse, a3 0 censored, b1 290 censored, b2 190 relapse"),
        (
            "progression_free",
            "treatment_policy",
            "a1 200 relapse, a2 200 relapse, a3 300 death, b1 500 relapse, b2 190 relapse",
        ),
        ("duration_of_response", "fda", "a1 140 relapse, b1 200 censored"),
        ("duration_of_response", "competing", "a1 140 relapse, b1 220 next_line"),
        (
            "second_progression",
            "treatment_policy",
            "a1 500 relapse, a2 600 death, a3 300 death, b1 500 relapse, b2 490 censored",
        ),
        ("treatment_free", "competing", "a1 180 next_line, a2 250 next_line, b1 60 next_line"),
    ],
)
def test_endpoint(endpoint, censoring, expected):
    found = spelled(COURSE, COURSE_LINES, endpoint=endpoint, censoring=censoring)
    assert ", ".join(f"{patient}{line} {time} {event}" for patient, line, time, event in found) == expected


def test_time_zero_of_an_endpoint_is_its_own():
    found = derive.spells(COURSE, COURSE_LINES, endpoint="duration_of_response")
    assert found["start_day"].tolist() == [60, 90]
    late = {**COURSE, "patients": COURSE["patients"].assign(entry_day=100)}
    assert derive.spells(late, COURSE_LINES, endpoint="duration_of_response")["entry"].tolist() == [40, 10]


@pytest.mark.parametrize(("longest_gap_days", "expected"), [(9, (190, "censored")), (10, (200, "relapse"))])
def test_the_fda_censors_an_event_after_a_long_silence(longest_gap_days, expected):
    found = spelled(COURSE, COURSE_LINES, endpoint="progression_free", longest_gap_days=longest_gap_days)
    assert found[0][2:] == expected


def test_a_third_line_ends_the_wait_for_the_second_progression():
    lines_without = COURSE_LINES.assign(progression_day=COURSE_LINES["progression_day"].mask(COURSE_LINES["line"] == 2))
    found = spelled(COURSE, lines_without, endpoint="second_progression", censoring="fda")
    assert found[0] == ("a", 1, 500, "censored")  # the last assessment before line 3
    assert spelled(COURSE, lines_without, endpoint="second_progression")[0] == ("a", 1, 900, "death")


def test_a_rule_that_makes_no_sense_for_an_endpoint_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"expected censoring among \['competing'\], came 'fda'"):
        derive.spells(COURSE, COURSE_LINES, endpoint="next_line", censoring="fda")
    with pytest.raises(ValueError, match="response_day"):
        derive.spells(COURSE, COURSE_LINES.drop(columns="response_day"), endpoint="duration_of_response")
    with pytest.raises(ValueError, match="days on which the disease was assessed"):
        derive.spells({"patients": COURSE["patients"]}, COURSE_LINES, endpoint="progression_free")


def test_who_is_still_treated_is_not_free_of_treatment():
    going_on = pd.DataFrame({"patient_id": ["a", "a", "b"], "start_day": [0, 300, 310], "agent": "lenalidomide"})
    cohort = COURSE | {"treatments": going_on.assign(end_day=pd.array([120, 350, None], dtype="Int64"))}
    ended = COURSE_LINES.assign(end_day=COURSE_LINES["end_day"].fillna(315))
    found = spelled(cohort, ended[ended["line"] < 3], endpoint="treatment_free")
    assert [row[:2] for row in found] == [("a", 1), ("a", 2), ("b", 1)]
