"""The one check: it says all faults at once, names the place and the remedy, and lets good frames through."""

import pandas as pd
import pytest

from analysis import schema


def spells(**changes) -> pd.DataFrame:
    columns = {
        "patient_id": ["p1", "p2"],
        "line": [1, 2],
        "entry": [0.0, 0.0],
        "time": [10.0, 20.0],
        "event": ["relapse", "censored"],
    }
    return pd.DataFrame(columns | changes)


def message(frame: pd.DataFrame, table=schema.SPELLS) -> str:
    with pytest.raises(schema.SchemaError) as error:
        schema.check(frame, table)
    return str(error.value)


def test_a_good_frame_passes_unchanged_and_may_carry_more_columns():
    frame = spells().assign(era="2010-2014")
    assert schema.check(frame, schema.SPELLS) is frame


def test_an_integer_event_is_refused():
    assert "column 'event': expected word" in message(spells(event=[1, 0]))


def test_an_unknown_event_word_names_its_row():
    text = message(spells(event=["relapse", "progressed"]))
    assert "'progressed' first in row 1" in text
    assert "one of ['censored', 'relapse', 'next_line', 'death']" in text


def test_a_misspelt_column_is_met_with_the_near_one():
    assert "column 'event' is missing (what ended the spell); did you mean 'evnt'?" in message(
        spells().rename(columns={"event": "evnt"})
    )


def test_all_faults_come_at_once():
    text = message(spells(time=[-1.0, 5.0], event=["relapse", None], patient_id=["p1", "p1"], line=[1, 1]))
    assert "at least 0 days" in text
    assert "a value in every row" in text
    assert "key ['patient_id', 'line']" in text
    assert "3 fault(s)" in text


def test_a_wrong_kind_does_not_hide_a_wrong_range():
    text = message(spells(entry=["zero", "0"], time=[-1.0, 5.0]))
    assert "column 'entry': expected number" in text
    assert "column 'time': expected at least 0" in text


def test_an_empty_frame_of_each_table_passes():
    for table in vars(schema).values():
        if isinstance(table, schema.Table):
            assert len(schema.check(schema.empty(table), table)) == 0


def test_every_column_says_what_it_means():
    for table in vars(schema).values():
        if isinstance(table, schema.Table):
            assert all(column.meaning for column in table.columns)
            assert set(table.key) <= set(table.names)


def test_fault_lines_mask_values_unless_asked():
    faults = pd.DataFrame(
        {
            "severity": ["error"],
            "file": ["patients.csv"],
            "line": pd.array([7], dtype="Int64"),
            "column": ["age_years"],
            "value": ["two hundred"],
            "expected": ["a number of years"],
            "mend": ["write digits"],
        }
    )
    schema.check(faults, schema.FAULTS)
    masked, shown = schema.fault_lines(faults)[0], schema.fault_lines(faults, show_values=True)[0]
    assert "patients.csv:7" in masked and "two hundred" not in masked
    assert "'two hundred'" in shown
    assert "1 fault(s)" in str(schema.BadInputError(faults))
