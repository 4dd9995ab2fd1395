"""Parameter cells: what they may say, and what is refused before a kernel starts."""

from pathlib import Path
from typing import Literal

import pytest

from analysis.report.parameters import UsageError, accept, describe, parse, read

NOTEBOOKS = Path(__file__).parent / "notebooks"
CELL = '''
"""A docstring is no parameter."""
from typing import Literal

# neither is a comment
cohort: str = "synthetic"  # cohort by name or folder
horizon_months: float = 60  # how far the curves go (months, 1 to 360)
lines: list[int] = [1, 2]  # lines shown (at least 1)
endpoint: Literal["relapse", "next_line"] | None = None  # what ends a line
smooth: bool = False
level: float = 0.95  # confidence level (0.5 to 0.999)
most: int | None = None  # keep at most so many (patients, at most 9)
'''


@pytest.fixture(scope="module")
def parameters():
    return parse(CELL)


def test_each_line_becomes_a_parameter_with_its_help_unit_and_range(parameters):
    found = {p.name: p for p in parameters}
    assert list(found) == ["cohort", "horizon_months", "lines", "endpoint", "smooth", "level", "most"]
    horizon = found["horizon_months"]
    assert (horizon.annotation, horizon.help, horizon.unit) == (float, "how far the curves go", "months")
    assert (horizon.minimum, horizon.maximum) == (1, 360)
    assert (found["level"].unit, found["level"].maximum) == ("", 0.999)
    assert (found["most"].minimum, found["most"].maximum, found["most"].unit) == (None, 9, "patients")
    assert found["endpoint"].annotation == Literal["relapse", "next_line"] | None
    assert found["smooth"].help == ""


def test_a_tagged_cell_is_found_in_a_notebook():
    assert [p.name for p in read(NOTEBOOKS / "good.ipynb")] == ["cohort", "patients", "label"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("horizon_months", "48", 48.0),
        ("lines", "1,3", [1, 3]),
        ("lines", "[2]", [2]),
        ("endpoint", "relapse", "relapse"),
        ("endpoint", "none", None),
        ("smooth", "true", True),
        ("cohort", "007", "007"),
        ("most", "none", None),
        ("most", "4", 4),
    ],
)
def test_words_of_the_command_line_become_values(parameters, name, text, value):
    accepted = accept(parameters, {}, {name: text}, "nb")
    assert accepted == {name: value}
    assert type(accepted[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("horizon_months", "three", "number"),
        ("horizon_months", "0", "greater than or equal to 1"),
        ("lines", "1,0", "greater than or equal to 1"),
        ("lines", "1,x", "integer"),
        ("endpoint", "cure", "'relapse'"),
        ("smooth", "perhaps", "boolean"),
        ("most", "10", "less than or equal to 9"),
    ],
)
def test_ill_typed_and_out_of_range_words_are_refused(parameters, name, text, said):
    with pytest.raises(UsageError, match=said) as caught:
        accept(parameters, {}, {name: text}, "nb")
    assert f"nb: {name!r}: expected" in str(caught.value)


def test_values_of_the_study_file_are_held_to_their_type(parameters):
    assert accept(parameters, {"horizon_months": 48, "lines": [1]}, {}, "nb") == {"horizon_months": 48, "lines": [1]}
    for wrong in ({"horizon_months": "48"}, {"smooth": 1}, {"most": 2.5}, {"most": True}, {"lines": 1}):
        with pytest.raises(UsageError):
            accept(parameters, wrong, {}, "nb")


def test_all_faults_come_at_once_with_the_list_of_what_is_known(parameters):
    with pytest.raises(UsageError) as caught:
        accept(parameters, {"level": 7.0}, {"horizon_month": "3", "smooth": "perhaps"}, "nb")
    said = str(caught.value)
    assert "unknown parameter 'horizon_month'; did you mean 'horizon_months'?" in said
    assert "'level'" in said
    assert "'smooth'" in said
    assert "horizon_months: float = 60  how far the curves go (months, 1 to 360)" in said


def test_a_value_of_the_command_line_goes_before_one_of_the_study_file(parameters):
    assert accept(parameters, {"level": 0.9}, {"level": "0.8"}, "nb") == {"level": 0.8}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("x = 1", "expected `name: type = default"),
        ("x: dict = 1", "expected a type among"),
        ("x: int = 1 + y", "plain value"),
        ("x: int = 'one'", "default of 'x'"),
        ("x: int = 0  # few (1 to 3)", "greater than or equal"),
        ("x: int = 1\nx: int = 2", "twice"),
        ("x: int", "expected `name: type = default"),
    ],
)
def test_a_cell_that_declares_badly_is_refused(cell, said):
    with pytest.raises(UsageError, match=said):
        parse(cell)


def test_no_code_of_a_parameter_cell_is_run():
    with pytest.raises(UsageError, match="plain value"):
        parse("x: int = __import__('os').getpid()")


def test_a_notebook_without_parameters_says_so():
    assert describe([]) == ["  (none)"]
