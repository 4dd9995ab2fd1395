"""From line to line: strategies, their flows and single courses - by hand, drawn, said, and kept in the house."""

import pandas as pd
import pytest

from analysis import disclosure, schema
from analysis.estimate import usage
from analysis.present import figures, tables, words
from analysis.present.figures import style


@pytest.fixture
def lines() -> pd.DataFrame:
    """Three patients: a goes PI + IMiD, anti-CD38, CAR-T; b PI, anti-CD38; c IMiD alone."""
    rows = [("a", 1, 0, "IMiD+PI"), ("a", 2, 300, "IMiD+anti-CD38"), ("a", 3, 500, "CAR-T+alkylator")]
    rows += [("b", 1, 10, "PI+steroid"), ("b", 2, 110, "PI+anti-CD38"), ("c", 1, 0, "IMiD")]
    frame = pd.DataFrame(rows, columns=["patient_id", "line", "start_day", "classes"])
    days = pd.array([280, None, None, 100, None, None], dtype="Int64")
    return frame.assign(
        end_day=days, progression_day=days, regimen="x", transplant=False, best_response="unknown",
        maintenance=pd.array([None] * 6, dtype="boolean"), relapse_kind="none", start_imputed=False,
    )  # fmt: skip


@pytest.fixture
def to_next_line(lines) -> pd.DataFrame:
    events = ["next_line", "next_line", "censored", "next_line", "death", "death"]
    return lines[["patient_id", "line"]].assign(entry=0, time=[300, 200, 50, 100, 40, 90], event=events)


@pytest.fixture
def lifetimes(to_next_line) -> pd.DataFrame:
    return to_next_line.assign(time=[550, 250, 50, 140, 40, 90], event=[*["censored"] * 3, *["death"] * 3])


@pytest.mark.parametrize(
    ("classes", "strategy"),
    [
        ("CAR-T+IMiD+PI+anti-CD38", "CAR-T"),
        ("anti-CD38+bispecific", "bispecific"),
        ("IMiD+PI+anti-CD38", "anti-CD38"),
        ("IMiD+PI+autologous transplant", "PI + IMiD"),
        ("PI+alkylator", "PI"),
        ("IMiD+steroid", "IMiD"),
        ("alkylator+steroid", "other"),
        ("", "other"),
    ],
)
def test_the_newest_principle_names_the_strategy(classes, strategy):
    assert usage.strategies(pd.Series([classes])).tolist() == [strategy]


def test_flows_by_hand_add_up_to_those_who_started(lines, to_next_line):
    flows = usage.class_flows(lines, to_next_line)
    assert {tuple(row) for row in flows.itertuples(index=False)} == {
        (1, "PI + IMiD", "anti-CD38", 1.0),
        (1, "PI", "anti-CD38", 1.0),
        (1, "IMiD", "death", 1.0),
        (2, "anti-CD38", "CAR-T", 1.0),
        (2, "anti-CD38", "death", 1.0),
        (3, "CAR-T", "neither", 1.0),
    }
    assert flows.groupby("line")["patients"].sum().tolist() == lines.groupby("line").size().tolist()


def test_courses_by_hand(lines, lifetimes):
    found = usage.courses(lines, lifetimes, 10)
    assert found[["course", "line", "start", "end", "event"]].values.tolist() == [
        [1, 1, 0, 300, ""],
        [1, 2, 300, 500, ""],
        [1, 3, 500, 550, "censored"],
        [2, 1, 0, 100, ""],
        [2, 2, 100, 140, "death"],
    ]
    assert found["relapse"].fillna(-1).tolist() == [280, -1, -1, 90, -1]
    assert usage.courses(lines.iloc[::-1], lifetimes, 1)["course"].unique().tolist() == [1]


def test_a_real_cohort_shows_no_course_and_no_rare_flow(lines, lifetimes, to_next_line):
    courses = usage.courses(lines, lifetimes, 10)
    assert disclosure.shared(courses, schema.COURSES, synthetic=False).empty
    assert len(disclosure.shared(courses, schema.COURSES, synthetic=True)) == 5
    assert disclosure.shared(usage.class_flows(lines, to_next_line), schema.CLASS_FLOWS, synthetic=False).empty


def test_figures_say_what_they_draw_or_why_they_are_empty(lines, lifetimes, to_next_line):
    flows, courses = usage.class_flows(lines, to_next_line), usage.courses(lines, lifetimes, 10)
    for figure in (figures.class_flows(flows, 2), figures.courses(courses)):
        assert len(style.png(figure)) < style.MOST_BYTES
    said = words.alt_class_flows(flows, 3).replace("\xa0", " ")
    assert "Line 1: IMiD 33 %" in said
    assert "from PI to anti-CD38 (50 % of the bands)" in said
    said = words.alt_courses(courses).replace("\xa0", " ")
    assert "2 synthetic courses with 5 lines and 2 relapses; 1 course ended in death, 1 at" in said
    assert "no course" in words.alt_courses(courses.iloc[:0]).lower()
    for empty in (figures.class_flows(flows.iloc[:0], 2), figures.courses(courses.iloc[:0])):
        assert empty.get_figheight() < 2


def test_the_table_has_a_column_per_strategy_of_the_next_line(lines, to_next_line):
    html = tables.class_flows(usage.class_flows(lines, to_next_line), 3).data
    assert html.index("next: CAR-T") < html.index("next: anti-CD38") < html.index("died first")
    assert html.index("line 1: PI + IMiD") < html.index("line 1: PI<") < html.index("line 1: IMiD")
