"""Parameter cells: what they may say, and what is refused before a kernel starts."""

import ast
import json
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import nbformat
import papermill
import pytest
from cohort_facts import ABOUT

from analysis.__main__ import main
from analysis.report import runner, study
from analysis.report.parameters import UsageError, accept, describe, nearest, parse, read, refuse_secrets

NOTEBOOKS = Path(__file__).parent / "notebooks"
PASSWORD = "hunter2-CORRECT-HORSE"
CELL = '''
"""A docstring is no parameter."""
from datetime import date
from typing import Literal, Optional

# neither is a comment
cohort: str = "synthetic"  # cohort by name or folder
horizon_months: float = 60  # how far the curves go (months, 1 to 360)
lines: list[int] = [1, 2]  # lines shown (at least 1)
endpoint: Literal["relapse", "next_line"] | None = None  # what ends a line
smooth: bool = False
level: float = 0.95  # confidence level (0.5 to 0.999)
most: int | None = None  # keep at most so many (patients, at most 9)
since: date = date(2020, 1, 31)  # first day (2015-01-01 to 2020-12-31)
until: date | None = None  # last day (at most 2020-12-31)
days: list[date] = ["2020-01-31", date(2020, 2, 29)]  # days of visits (at least 2020-01-01)
step: Literal[6, 12] = 12  # between visits (months)
arms: list[Literal["a", "b"]] = ["a"]  # arms shown
least: Optional[float] = 0  # (0 to 1000000)
'''


def refused(action, *arguments) -> str:
    with pytest.raises(UsageError) as caught:
        action(*arguments)
    return str(caught.value)


@pytest.fixture(scope="module")
def parameters():
    return parse(CELL)


def test_each_line_becomes_a_parameter_with_its_help_unit_and_range(parameters):
    found = {p.name: p for p in parameters}
    first = ["cohort", "horizon_months", "lines", "endpoint", "smooth", "level", "most"]
    assert list(found) == [*first, "since", "until", "days", "step", "arms", "least"]
    horizon = found["horizon_months"]
    assert (horizon.annotation, horizon.help, horizon.unit) == (float, "how far the curves go", "months")
    assert (horizon.minimum, horizon.maximum) == (1, 360)
    assert (found["level"].unit, found["level"].maximum) == ("", 0.999)
    assert (found["most"].minimum, found["most"].maximum, found["most"].unit) == (None, 9, "patients")
    assert found["endpoint"].annotation == Literal["relapse", "next_line"] | None
    assert found["smooth"].help == ""
    assert (found["since"].minimum, found["since"].maximum) == (date(2015, 1, 1), date(2020, 12, 31))
    assert (found["step"].unit, found["step"].annotation) == ("months", Literal[6, 12])
    assert (found["least"].annotation, found["least"].minimum) == (float | None, 0)


def test_days_stand_as_text_whichever_way_they_are_written(parameters):
    found = {p.name: p for p in parameters}
    assert (found["since"].default, found["until"].default) == ("2020-01-31", None)
    assert found["days"].default == ["2020-01-31", "2020-02-29"]
    assert [name for name, parameter in found.items() if parameter.holds_days] == ["since", "until", "days"]
    json.dumps([p.default for p in parameters])  # a record holds them
    assert parse('since: datetime.date = "2020-01-31"')[0].annotation is date


def test_ranges_are_described_as_they_were_written(parameters):
    said = "\n".join(describe(parameters))
    assert "since: date = '2020-01-31'  first day (2015-01-01 to 2020-12-31)" in said
    assert "until: date | None = None  last day (at most 2020-12-31)" in said
    assert "least: Optional[float] = 0 (0 to 1000000)" in said


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
        ("since", "2019-02-28", "2019-02-28"),
        ("until", "none", None),
        ("until", "2020-12-31", "2020-12-31"),
        ("days", "2020-03-01, 2020-04-01", ["2020-03-01", "2020-04-01"]),
        ("days", "[2020-03-01]", ["2020-03-01"]),
        ("step", "6", 6),
        ("arms", "b,a", ["b", "a"]),
        ("arms", "[]", []),
        ("least", "1e3", 1000.0),
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
        ("most", "three", "valid integer"),
        ("most", "6.5", "valid integer"),
        ("most", "true", "valid integer"),
        ("horizon_months", "true", "valid number"),
        ("horizon_months", "nan", "finite"),
        ("least", "inf", "finite"),
        ("least", "1e400", "finite"),
        ("since", "2019-02-30", "day of the calendar, written as 2020-01-31"),
        ("since", "31.01.2020", "day of the calendar"),
        ("since", "2020", "day of the calendar"),
        ("since", "1580428800", "day of the calendar"),
        ("since", "20200131", "day of the calendar"),
        ("since", "2021-01-01", "less than or equal to 2020-12-31"),
        ("since", "none", "day of the calendar"),
        ("days", "2019-12-31", "greater than or equal to 2020-01-01"),
        ("days", "[2020-03-01", "valid list"),
        ("days", "[[2020-03-01]]", "valid list"),
        ("step", "7", "6 or 12"),
        ("arms", "a,c", "'a' or 'b'"),
    ],
)
def test_ill_typed_and_out_of_range_words_are_refused(parameters, name, text, said):
    with pytest.raises(UsageError, match=said) as caught:
        accept(parameters, {}, {name: text}, "nb")
    assert f"nb: {name!r}: expected" in str(caught.value)


def test_values_of_the_study_file_are_held_to_their_type(parameters):
    assert accept(parameters, {"horizon_months": 48, "lines": [1]}, {}, "nb") == {"horizon_months": 48, "lines": [1]}
    for wrong in (
        {"horizon_months": "48"},
        {"horizon_months": True},
        {"horizon_months": float("nan")},
        {"smooth": 1},
        {"most": 2.5},
        {"most": 2.0},
        {"most": True},
        {"lines": 1},
        {"lines": [True]},
        {"step": True},
        {"step": "6"},
        {"since": 20200131},
        {"since": datetime(2020, 1, 31)},
        {"since": None},
        {"arms": "a"},
    ):
        with pytest.raises(UsageError, match=f"'{next(iter(wrong))}': expected"):
            accept(parameters, wrong, {}, "nb")


def test_true_is_not_taken_for_the_number_one():
    [found] = parse("step: Literal[1, 2] = 2")
    assert accept([found], {"step": 1}, {}, "nb") == {"step": 1}
    assert "not true or false" in refused(accept, [found], {"step": True}, {}, "nb")
    assert "default of 'step'" in refused(parse, "step: Literal[0, 1] = False")


def test_a_day_of_the_study_file_may_be_text_or_what_yaml_makes_of_it(parameters):
    assert accept(parameters, {"since": date(2019, 1, 2), "days": ["2020-01-02", date(2020, 1, 3)]}, {}, "nb") == {
        "since": "2019-01-02",
        "days": ["2020-01-02", "2020-01-03"],
    }


def test_items_in_brackets_stay_as_they_were_written():
    [words] = parse('words: list[str] = ["a"]')
    assert accept([words], {}, {"words": "[007, yes, 1.50]"}, "nb") == {"words": ["007", "yes", "1.50"]}


def test_a_refused_value_cannot_forge_a_line_or_flood_the_terminal(parameters):
    said = refused(accept, parameters, {}, {"most": "3\n\x1b[2Jnb: ok\u202e" + "9" * 5000, "x\x1b[31m": "1"}, "nb")
    fault = said.split("parameters of nb:")[0]
    assert len(fault.splitlines()) == 2
    assert fault.isascii()
    assert "\x1b" not in fault
    assert len(fault) < 600


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
        ("x: int =", "line 1: not readable as Python"),
        ("%matplotlib inline", "line 1: not readable as Python"),
        ("x: int = (1,\n", "not readable as Python"),
        ("x: Literal[None] = None", "words or numbers in Literal"),
        ("x: list[list[int]] = []", "expected a type among"),
        ("x: list[int | None] = []", "expected a type among"),
        ("x: float = float('nan')", "plain value"),
        ("x: bool = 1", "default of 'x'"),
        ("x: int = True", "default of 'x'"),
        ("x: date = '31.1.2020'", "day of the calendar"),
        ("x: date = date(2020, 2, 30)", "plain value"),
        ("x: date = date.today()", "plain value"),
        ("x: str = date(2020, 1, 31)", "default of 'x'"),
        ("x: date = '2014-12-31'  # first (at least 2015-01-01)", "greater than or equal to 2015-01-01"),
        ("x: int = 1  # few (one to three)", "range 'one to three'"),
        ("x: int = 1  # few (1 to 3O)", "range '1 to 3O'"),
        ("x: int = 1  # few (2020-01-01 to 3)", "expected numbers"),
        ("x: date = '2020-01-01'  # few (1 to 3)", "days such as"),
        ("x: str = 'a'  # few (1 to 3)", "range '1 to 3'"),
    ],
)
def test_a_cell_that_declares_badly_is_refused(cell, said):
    with pytest.raises(UsageError, match=said):
        parse(cell)


def test_no_code_of_a_parameter_cell_is_run():
    with pytest.raises(UsageError, match="plain value"):
        parse("x: int = __import__('os').getpid()")


def test_words_in_brackets_that_are_no_range_are_the_unit():
    [found] = parse("place: str = 'x'  # where (path to a folder)")
    assert (found.unit, found.minimum) == ("path to a folder", None)


def test_a_range_may_begin_at_nought():
    [found] = parse("x: int = 1  # few (0 to 3)")
    assert (found.minimum, found.maximum) == (0, 3)
    assert "greater than or equal to 0" in refused(accept, [found], {"x": -1}, {}, "nb")


def test_a_file_that_is_no_notebook_is_said(tmp_path):
    for number, text in enumerate(["not json", "{}", "[]", '{"nbformat": 4}']):
        file = tmp_path / f"{number}.ipynb"
        file.write_text(text, encoding="utf-8")
        assert f"{number}.ipynb: expected a Jupyter notebook" in refused(read, file)


def test_the_nearest_name_or_all_names_are_offered():
    assert nearest("horizn_months", ["cohort", "horizon_months"]) == "; did you mean 'horizon_months'?"
    assert nearest("zzz", ["cohort", "most"]) == "; known: cohort, most"


def test_a_notebook_without_parameters_says_so():
    assert describe([]) == ["  (none)"]


SECRET_NAMES = ["password", "db_password", "dbPassword", "API_KEY", "apikey", "key", "auth_token", "secrets", "pwd"]
SECRET_VALUES = [
    f"postgresql://reader:{PASSWORD}@db.hospital/omop",
    f"postgresql+psycopg://reader:{PASSWORD}/with/slashes@db/omop",
    f"HTTPS://:{PASSWORD}@host",
    f"DRIVER=x;SERVER=y;PWD={PASSWORD};",
    f"host=db password={PASSWORD}",
    f"https://host/data?token={PASSWORD}",
    f"api_key: {PASSWORD}",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_parameter_named_like_a_secret_is_refused_everywhere_and_its_value_never_repeated(parameters, name):
    for action, arguments in [
        (parse, (f"{name}: str = {PASSWORD!r}",)),
        (accept, (parameters, {name: PASSWORD}, {}, "nb")),
        (accept, (parameters, {}, {name: PASSWORD}, "nb")),
        (refuse_secrets, ({name: PASSWORD},)),
    ]:
        said = refused(action, *arguments)
        assert "named like a secret" in said
        assert 'os.environ["NAME"]' in said
        assert PASSWORD not in said


@pytest.mark.parametrize("value", SECRET_VALUES)
def test_a_value_with_a_password_in_it_is_refused_everywhere_and_never_repeated(parameters, value):
    for action, arguments in [
        (parse, (f"source: str = {value!r}",)),
        (parse, (f"source: list[str] = ['a', {value!r}]",)),
        (parse, (f"source: int = {value!r}",)),
        (accept, (parameters, {"cohort": value}, {}, "nb")),
        (accept, (parameters, {"lines": [1, value]}, {}, "nb")),
        (accept, (parameters, {"lines": {"a": value}}, {}, "nb")),
        (accept, (parameters, {}, {"cohort": value}, "nb")),
        (accept, (parameters, {}, {"most": value}, "nb")),
        (accept, (parameters, {}, {"mosst": value}, "nb")),
        (refuse_secrets, ({"cohort": value},)),
    ]:
        said = refused(action, *arguments)
        assert "carries a password" in said
        assert PASSWORD not in said


def test_ordinary_names_and_values_are_no_secrets():
    names = ["key_findings", "non_secretory", "monkey", "tokenise", "compass", "hotkeys_shown", "passes"]
    values = ["postgresql://db.hospital/omop", "postgresql://reader@db/omop", "C:/data/a@b", "key: II", "a: b@c", "x=1"]
    refuse_secrets(dict.fromkeys(names, "plain"))
    refuse_secrets(dict(zip("abcdef", values, strict=True)))
    assert parse('source: str = "postgresql://reader@db/omop"')[0].default == "postgresql://reader@db/omop"


def test_a_code_default_is_not_repeated():
    assert PASSWORD not in refused(parse, f"source: str = connect({PASSWORD!r})")


def plan_and_run(out: Path, name: str, **texts) -> dict:
    decided = study.Study(title="T", runs=[study.Run(notebook=name)])
    [record] = runner.run_all(study.plan(decided, NOTEBOOKS, "synthetic", texts), runner.Setting.of(out, ABOUT, {}))
    assert record["status"] == "ok", record["message"]
    return record


def displayed(notebook: Path) -> object:
    cells = nbformat.read(notebook, as_version=4).cells
    [output] = [output for cell in cells for output in cell.get("outputs", [])]
    return ast.literal_eval(output.data["text/plain"])


AWKWARD = 'it\'s "quoted" \\ {braces} \n <b>é\u2028'


def test_days_and_awkward_words_reach_the_notebook_through_the_runner(tmp_path):
    given = {"since": "2016-02-29", "visits": "2020-01-02,2020-01-03", "step": "24", "label": AWKWARD}
    record = plan_and_run(tmp_path, "days", **given)
    expected = ["29.02.2016", True, ["2020-01-02", "2020-01-03"], 24, AWKWARD]
    assert displayed(tmp_path / "runs" / "days.ipynb") == expected
    assert record["parameters"]["since"] == "2016-02-29"
    html = (tmp_path / "days.html").read_text(encoding="utf-8")
    assert "since = 2016-02-29" in html


def test_a_day_that_the_cell_writes_as_a_date_is_text_too(tmp_path):
    record = plan_and_run(tmp_path, "days", until="2020-02-01")
    assert displayed(tmp_path / "runs" / "days.ipynb") == ["31.12.2019", False, ["2020-01-01"], 12, "plain"]
    assert record["parameters"]["since"] == "2019-12-31"
    assert 'since = "2019-12-31"' in (tmp_path / "runs" / "days.ipynb").read_text(encoding="utf-8").replace("\\", "")


def test_the_same_notebook_takes_days_from_plain_papermill(tmp_path):
    papermill.execute_notebook(NOTEBOOKS / "days.ipynb", tmp_path / "x.ipynb", {"since": "2016-02-29"})
    assert displayed(tmp_path / "x.ipynb")[:2] == ["29.02.2016", True]
    with pytest.raises(TypeError, match="not JSON serializable"):  # why a day is text here
        papermill.execute_notebook(NOTEBOOKS / "days.ipynb", tmp_path / "y.ipynb", {"since": date(2016, 2, 29)})


@pytest.mark.parametrize("forked", ["1", "0"])
def test_a_secret_of_the_environment_is_used_and_stands_nowhere(tmp_path, monkeypatch, capfd, forked):
    monkeypatch.setenv("RELAPSE_FORK_KERNELS", forked)
    monkeypatch.setenv("RELAPSE_TEST_PASSWORD", PASSWORD)
    plan_and_run(tmp_path, "secret")
    assert displayed(tmp_path / "runs" / "secret.ipynb").startswith(f"a secret of {len(PASSWORD)} characters")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".ipynb", ".json", ".html"}
    for file in files:
        assert PASSWORD.encode() not in file.read_bytes(), file
    captured = capfd.readouterr()
    assert PASSWORD not in captured.out + captured.err


@pytest.mark.parametrize(
    "pair", [f"db_password={PASSWORD}", f"horizon_months={SECRET_VALUES[0]}", f"horizn_months={SECRET_VALUES[0]}"]
)
def test_the_command_refuses_a_secret_and_does_not_repeat_it(pair, capsys, tmp_path):
    assert main(["report", "--out", str(tmp_path / "out"), "-p", pair]) == 2
    captured = capsys.readouterr()
    assert "a secret is no parameter" in captured.err
    assert PASSWORD not in captured.out + captured.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("pair", [SECRET_VALUES[0], f"db-password={PASSWORD}"])
def test_the_command_does_not_repeat_a_pair_that_it_cannot_split(pair, capsys):
    assert main(["report", "-p", pair]) == 2
    captured = capsys.readouterr()
    assert "expected name=value" in captured.err
    assert PASSWORD not in captured.out + captured.err


@pytest.mark.parametrize("command", [["report", "--cohort"], ["check"], ["import", "tables", "--out", "x"]])
def test_the_command_does_not_repeat_a_password_in_a_cohort(command, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main([*command, SECRET_VALUES[0]]) == 2
    captured = capsys.readouterr()
    assert "carries a password" in captured.err
    assert PASSWORD not in captured.out + captured.err
