"""The tolerant parse: cells are placed on the right line of the file, and every failure has its reason."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import schema
from analysis.schema import Column
from analysis.sources.parsing import collect, fault, faults_at, parse_column, text_cells

NUMBER = Column("value", "number", "a number", "g/dL", nullable=True)
DAYS = Column("start_day", "integer", "a day", "days", nullable=True)
DATE = Column("start_date", "date", "a date", nullable=True)
FLAG = Column("del17p", "flag", "a flag", nullable=True)
STAGE = schema.PATIENTS["iss"]


def _parsed(cells, column):
    values = pd.Series(cells, index=range(2, 2 + len(cells)), dtype=object)
    found, faults = parse_column(values, column, "file.csv")
    return found, collect(faults)


def _cells(text):
    cells, faults = text_cells(text.encode(), "file.csv")
    return cells, collect(faults)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a,b\n1,2\n3,4\n", [2, 3]),
        ("a,b\n1,2\n3,4", [2, 3]),  # no line break at the end
        ("a,b\r\n1,2\r\n3,4\r\n", [2, 3]),  # Windows
        ("a,b\r1,2\r3,4\r", [2, 3]),  # old Macintosh
        ("\n\na,b\n\n1,2\n\n\n3,4\n\n", [5, 8]),  # blank lines
        ('a,b\n"1\n\n1",2\n3,4\n', [2, 5]),  # line breaks within a quoted cell
        ('a,"b"\n"1","2"\n"3 ""x"", y",4\n', [2, 3]),  # quotes and commas within a quoted cell
        ("\ufeffa,b\n1,2\n3,4\n", [2, 3]),  # byte order mark
    ],
)
def test_records_stand_on_their_line(text, lines):
    cells, faults = _cells(text)
    assert faults.empty
    assert list(cells) == ["a", "b"]
    assert cells.index.tolist() == lines
    assert cells["b"].tolist() == ["2", "4"]


def test_quoted_cells_keep_what_they_hold():
    cells, _ = _cells('a,b\n"1\n2","x, ""y"""\n')
    assert cells.iloc[0].tolist() == ["1\n2", 'x, "y"']


def test_rows_of_another_length_are_recorded_and_left_out():
    cells, faults = _cells('a,b\n1,2\n3\n4,5,6\n"7\n7",8,9\n0,1\n')
    assert faults["line"].tolist() == [3, 4, 5]
    assert cells.index.tolist() == [2, 7]
    assert cells["a"].tolist() == ["1", "0"]


@pytest.mark.parametrize(
    ("text", "line"), [('a,b\n1,2"\n', 2), ('a,b\n1,2\n"3,4\n', 3), ('a,b\n1,"2" x\n', 2), ('a,b\n1, "2"\n', 2)]
)
def test_a_stray_quote_is_placed(text, line):
    cells, faults = _cells(text)
    assert cells is None
    assert faults["line"].tolist() == [line]


def test_a_column_named_twice_is_refused():
    cells, faults = _cells("a,b,a\n1,2,3\n")
    assert cells is None
    assert faults["column"].tolist() == ["a"]


def test_other_encodings_are_placed():
    cells, faults = text_cells("a,b\n1,ä\n2,x\n3,ö\n".encode("latin-1"), "file.csv")
    assert collect(faults)["line"].tolist() == [2, 4]
    assert cells["a"].tolist() == ["1", "2", "3"]  # so that the other faults are found as well


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.text(alphabet='ab,"\n ', max_size=5), min_size=2, max_size=2), min_size=1, max_size=6))
def test_what_the_csv_module_writes_is_read_back(rows):
    import csv
    import io

    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["x", "y"], *rows])
    cells, faults = _cells(written.getvalue())
    assert faults.empty
    assert cells.astype(object).values.tolist() == rows


def test_numbers():
    good = ["1", " 2.5 ", "-3", "+4", ".5", "6.", "1e3", "", "NA", "n/a", None]
    found, faults = _parsed(good, NUMBER)
    assert faults.empty
    np.testing.assert_array_equal(found, [1, 2.5, -3, 4, 0.5, 6, 1000, np.nan, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("high", "came text"), ("<0.1", "came text"), ("1 000", "came text"), ("0x1F", "came text"),
        ("1_000", "came text"), ("１２", "came text"), ("True", "came text"),
        ("inf", "not a finite number"), ("-Infinity", "not a finite number"),
        ("2,7", "came a comma"), ("1,234.5", "came a comma"), ("1.234,5", "came a comma"),
        ("1e999", "a computer can hold"),
    ],
)  # fmt: skip
def test_what_is_not_a_number(cell, reason):
    found, faults = _parsed(["1", cell], NUMBER)
    assert found.isna().tolist() == [False, True]
    assert faults[["line", "value"]].values.tolist() == [[3, cell]]
    assert reason in faults.loc[0, "expected"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1.5", "whole number"), ("2021-03-05", "came a date"), ("5.3.2021", "came a date"), ("x", "came text"),
        ("1e30", "computer can hold"),
        ("9007199254740995", "computer can hold"), ("2,7", "came a comma"),
    ],
)  # fmt: skip
def test_what_is_not_a_day(cell, reason):
    found, faults = _parsed(["7", "8.0", cell], DAYS)
    assert found.tolist() == [7, 8, pd.NA]
    assert faults["line"].tolist() == [4]
    assert reason in faults.loc[0, "expected"]


def test_dates():
    found, faults = _parsed(["1970-01-02", "2020-02-29", "2021-03-05T00:00:00", "2021-03-05 00:00", ""], DATE)
    assert faults.empty
    days = [
        datetime.date(*day).toordinal() - datetime.date(1970, 1, 1).toordinal() for day in [(2020, 2, 29), (2021, 3, 5)]
    ]
    assert found.tolist() == [1, days[0], days[1], days[1], pd.NA]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2021-02-30", "exists in the calendar"), ("2021-02-29", "exists in the calendar"),
        ("0999-01-01", "exists in the calendar"),
        ("1899-12-31", "exists in the calendar"), ("03/05/2021", "mistaken"), ("3.5.21", "mistaken"),
        ("44260", "came a number"), ("last spring", "year-month-day"), ("2021-03-05T14:30:00", "year-month-day"),
        ("31-12-16", "mistaken"), ("3/5/2021 0:00", "mistaken"),
    ],
)  # fmt: skip
def test_what_is_not_a_date(cell, reason):
    found, faults = _parsed(["2021-03-05", cell], DATE)
    assert found.isna().tolist() == [False, True]
    assert reason in faults.loc[0, "expected"]


@pytest.mark.parametrize("cell", ["31.12.2016", "12/31/2016", "5.5.2021", "2016/12/31"])
def test_a_date_that_nobody_can_mistake_is_only_told_how_dates_are_written(cell):
    _, faults = _parsed([cell], DATE)
    assert faults.loc[0, "expected"] == "a date as year-month-day"
    assert "dates are written as 2021-05-31" in faults.loc[0, "mend"]


@pytest.mark.parametrize(
    ("column", "also"), [(STAGE, "(1, 2, 3 are read as well)"), (schema.PATIENTS["sex"], "(F, M are read as well)")]
)
def test_every_spelling_that_is_read_is_told(column, also):
    _, faults = _parsed(["other"], column)
    assert faults.loc[0, "expected"] == f"one of {list(column.words)} {also}"


def test_flags_and_words():
    found, faults = _parsed(["true", "No", "1", "n", "", "perhaps"], FLAG)
    assert found.tolist() == [True, False, True, False, pd.NA, pd.NA]
    assert faults["value"].tolist() == ["perhaps"]
    found, faults = _parsed(["iii", "2", "Unknown", "IV"], STAGE)
    assert found.tolist() == ["III", "II", "unknown", None]
    assert faults["value"].tolist() == ["IV"]


def test_the_declared_range_and_the_empty_cell():
    column = Column("age", "number", "age", "years", minimum=0, maximum=120)
    found, faults = _parsed(["-1", "0", "120", "121", ""], column)
    assert faults["line"].tolist() == [2, 5, 6]
    assert faults["expected"].tolist() == ["at least 0 years", "at most 120 years", "a value in every row"]
    assert found.isna().tolist() == [True, False, False, True, True]  # no rule shall stumble over them again


def test_a_cell_is_faulted_once_only():
    _, faults = _parsed(["x"], Column("age", "number", "age", minimum=0))
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("values", "column", "expected"),
    [
        (pd.Series([1.0, np.nan]), DAYS, [1, pd.NA]),
        (pd.Series([1, 2], dtype="int16"), DAYS, [1, 2]),
        (pd.Series([1, None], dtype="Int32"), NUMBER, [1.0, np.nan]),
        (pd.Series([True, False]), FLAG, [True, False]),
        (pd.Series(pd.to_datetime(["1970-01-03", None])), DATE, [2, pd.NA]),
        (pd.Series(pd.to_datetime(["1970-01-03"]).tz_localize("UTC")), DATE, [2]),
        (pd.Series([datetime.date(1970, 1, 3), None]), DATE, [2, pd.NA]),
        (pd.Series([17, 18]), schema.PATIENTS["patient_id"], ["17", "18"]),
        (pd.Series(["a", "b"], dtype="string"), schema.PATIENTS["patient_id"], ["a", "b"]),
    ],
)
def test_typed_columns_of_parquet_are_taken_as_they_are(values, column, expected):
    found, faults = parse_column(values, column, "file.parquet")
    assert not faults
    pd.testing.assert_series_equal(found.astype(object), pd.Series(expected, dtype=object), check_names=False)


def test_many_like_faults_are_three_and_a_count():
    _, faults = _parsed(["x"] * 320 + ["1.5"], DAYS)
    assert faults["line"].tolist() == [2, 3, 4, pd.NA, 322]
    assert "came text: and 317 more like this (lines 5-321)" in faults.loc[3, "expected"]
    assert faults.loc[3, "value"] == ""
    _, faults = _parsed(["x"] * 4, DAYS)
    assert faults["line"].tolist() == [2, 3, 4, 5]  # one more is no less to read than its count


def test_faults_of_one_rule_stay_together_and_rows_of_parquet_are_rows():
    faults = collect([
        faults_at("a.parquet", "c", [9, 1, 5, 7, 6], list("vwxyz"), "x", "y"),
        faults_at("a.parquet", "d", [2], ["v"], "x", "y"),
        fault("a.parquet", "whole", "y"),
    ])  # fmt: skip
    assert faults["line"].tolist() == [pd.NA, 1, 5, 6, pd.NA, 2]
    assert faults.loc[4, "expected"] == "x: and 2 more like this (rows 7-9)"


def test_faults_are_collected_once_errors_first():
    faults = collect([
        fault("b.csv", "x", "y", severity="warning"),
        faults_at("b.csv", "c", [9, 3], ["p", "q"], "x", "y"),
        faults_at("b.csv", "c", [3], ["q"], "x", "y"),
        fault("a.csv", "x", "y", value=None),
    ])  # fmt: skip
    assert faults[["severity", "file", "line"]].astype(object).values.tolist() == [
        ["error", "a.csv", pd.NA], ["error", "b.csv", 3], ["error", "b.csv", 9], ["warning", "b.csv", pd.NA]
    ]  # fmt: skip
    assert collect([]).empty
