"""Your own tables: each bad-input case has a test of its name; good tables come through unharmed."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import schema
from analysis.derive import regimens, response, spells
from analysis.derive.response.picture import NEW_LESIONS
from analysis.sources import tables

EXAMPLE = Path(__file__).parents[1] / "data" / "raw" / "example"

GOOD = {
    "patients.csv": """patient_id,entry_day,last_contact_day,death_day,age_years,sex
A,0,900,,61,female
B,0,700,700,75,male
""",
    "treatments.csv": """patient_id,start_day,end_day,agent,line
A,0,100,bortezomib,1
A,400,500,daratumumab,2
B,0,120,lenalidomide,1
""",
    "labs.csv": """patient_id,day,test,value,unit
A,0,serum M-protein,3.1,g/dL
B,0,kappa free light chain,120,mg/L
""",
    "findings.csv": """patient_id,day,finding,value,line
A,380,progression,biochemical,1
B,90,best response,VGPR,1
""",
}
LINES = """patient_id,line,start_day,end_day,regimen,progression_day
A,1,0,100,bortezomib + Dex,380
A,2,400,500,daratumumab,
B,1,0,120,,
"""


@pytest.fixture
def folder(tmp_path):
    """A function that writes the good tables, with some replaced (text or bytes) or left out (None)."""

    def write(**replaced):
        for name, content in (GOOD | {f"{table}.csv": text for table, text in replaced.items()}).items():
            if content is not None:
                (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


def _refused(folder):
    """The faults of a folder that must not be read, errors first."""
    with pytest.raises(schema.BadInputError) as caught:
        tables.read(folder)
    faults = caught.value.faults
    pd.testing.assert_frame_equal(faults, tables.inspect(folder))
    return faults


def _the_error(folder):
    """The only error of a folder, as a tuple (file, line, column, value, expected and mend)."""
    faults = _refused(folder)
    errors = faults[faults["severity"] == "error"]
    assert len(errors) == 1, "\n".join(schema.fault_lines(faults, show_values=True))
    error = errors.iloc[0]
    line = None if pd.isna(error["line"]) else int(error["line"])
    return error["file"], line, error["column"], error["value"], f"{error['expected']}; {error['mend']}"


def _the_warning(folder):
    faults = tables.inspect(folder)
    assert (faults["severity"] == "warning").tolist() == [True]
    return faults.iloc[0]


def _with(table, old, new):
    assert GOOD[f"{table}.csv"].count(old) == 1
    return {table: GOOD[f"{table}.csv"].replace(old, new)}


# --- good tables -----------------------------------------------------------------------------------------------------


def test_good_tables_have_no_fault(folder):
    place = folder()
    assert tables.recognises(place)
    assert tables.inspect(place).empty
    cohort = tables.read(place)
    assert list(cohort) == ["cohort", "patients", "treatments", "labs", "findings"]
    for name, frame in cohort.items():
        schema.check(frame, getattr(schema, name.upper()))
    assert cohort["cohort"].loc[0, "endpoint"] == "relapse"
    assert not cohort["cohort"].loc[0, "synthetic"]


def test_the_example_has_no_fault_and_reaches_spells():
    assert tables.inspect(EXAMPLE).empty
    cohort = tables.read(EXAMPLE)
    assert cohort["cohort"].loc[0, "synthetic"]
    found = spells.spells(cohort, regimens.lines(cohort))
    assert found.groupby("line").size().tolist() == [8, 4, 2, 1]
    assert found["event"].value_counts().to_dict() == {"relapse": 7, "censored": 5, "death": 3}


def test_without_progression_the_endpoint_is_the_next_line(folder):
    cohort = tables.read(folder(findings=None))
    assert cohort["cohort"].loc[0, "endpoint"] == "next_line"


def test_lines_already_known(folder):
    place = folder(treatments=None, labs=None, findings=None, lines=LINES)
    cohort = tables.read(place)
    assert list(cohort) == ["cohort", "patients", "lines"]
    lines = schema.check(cohort["lines"], schema.LINES)
    assert lines["regimen"].tolist() == ["bortezomib+dexamethasone", "daratumumab", "unknown"]
    assert lines["classes"].tolist() == ["PI+steroid", "anti-CD38", "unknown"]
    assert lines["relapse_kind"].tolist() == ["unknown", "none", "none"]
    found = spells.spells(cohort, regimens.lines(cohort))
    assert found["event"].tolist() == ["relapse", "censored", "death"]


def test_next_line_day_stands_for_a_line_without_a_row(folder):
    text = "patient_id,line,start_day,end_day,next_line_day\nA,1,0,100,400\nB,1,0,120,\n"
    place = folder(treatments=None, labs=None, findings=None, lines=text)
    assert _the_warning(place)["column"] == "next_line_day"
    lines = tables.read(place)["lines"]
    assert lines[["patient_id", "line", "start_day"]].values.tolist() == [["A", 1, 0], ["B", 1, 0], ["A", 2, 400]]
    assert "next_line_day" not in lines


def test_next_line_day_must_agree_with_the_next_row(folder):
    text = "patient_id,line,start_day,next_line_day\nA,1,0,399\nA,2,400,\nB,1,0,\n"
    error = _the_error(folder(treatments=None, labs=None, findings=None, lines=text))
    assert error[:4] == ("lines.csv", 2, "next_line_day", "399")


def test_ready_spells(folder):
    text = "patient_id,line,time,event,arm\nA,1,380,relapse,x\nA,2,500,censored,x\nB,1,700,death,y\n"
    cohort = tables.read(folder(treatments=None, labs=None, findings=None, spells=text))
    assert list(cohort) == ["cohort", "patients", "spells"]
    assert cohort["spells"]["entry"].tolist() == [0.0, 0.0, 0.0]
    assert cohort["spells"]["arm"].tolist() == ["x", "x", "y"]
    assert cohort["cohort"].loc[0, "endpoint"] == "relapse"


def test_a_spell_cannot_begin_after_its_end(folder):
    text = "patient_id,line,entry,time,event\nA,1,381,380,relapse\n"
    error = _the_error(folder(treatments=None, labs=None, findings=None, spells=text))
    assert error[:4] == ("spells.csv", 2, "entry", "381.0")


def test_a_spell_that_ends_on_its_delayed_entry_was_never_seen(folder):
    text = "patient_id,line,entry,time,event\nA,1,0,0,relapse\nA,2,380,380,relapse\n"
    error = _the_error(folder(treatments=None, labs=None, findings=None, spells=text))
    assert error[:3] == ("spells.csv", 3, "entry")


def test_dates_become_days_and_go_no_further(folder):
    dated = {
        "patients": "patient_id,index_date,entry_date,last_contact_date,death_date\n"
        "A,2019-03-01,2019-03-01,2021-08-17,\nB,2020-02-28,2020-02-28,2022-01-28,2022-01-28\n",
        "treatments": "patient_id,start_date,end_date,agent,line\n"
        "A,2019-03-01,2019-06-09,bortezomib,1\nA,2020-04-04,,daratumumab,2\nB,2020-02-28,2020-03-01,Revlimid,1\n",
        "labs": "patient_id,date,test,value,unit\nA,2019-03-01,Hb,10.1,g/dL\n",
        "findings": None,
    }
    place = folder(**dated)
    assert tables.inspect(place).empty
    cohort = tables.read(place)
    assert cohort["patients"]["last_contact_day"].tolist() == [900, 700]
    assert cohort["patients"]["index_year"].tolist() == [2019, 2020]
    assert cohort["treatments"]["start_day"].tolist() == [0, 400, 0]
    assert cohort["treatments"]["end_day"].tolist() == [100, pd.NA, 2]  # 2020 is a leap year
    assert cohort["labs"]["day"].tolist() == [0]
    for frame in cohort.values():
        assert not any("date" in column for column in frame)
        assert not any(pd.api.types.is_datetime64_any_dtype(dtype) for dtype in frame.dtypes)
        assert not frame.select_dtypes(object).map(lambda cell: "2019-" in str(cell)).to_numpy().any()


def test_dates_without_an_index_date(folder):
    text = "patient_id,entry_date,last_contact_date,death_date\nA,2019-03-01,2021-08-17,\n"
    error = _the_error(folder(patients=text, treatments=None, labs=None, findings=None, spells=_SPELLS_OF_A))
    assert error[2] == "index_date"


_SPELLS_OF_A = "patient_id,line,time,event\nA,1,380,relapse\n"


def test_ages_over_89_become_90(folder):
    place = folder(**_with("patients", ",61,", ",93,"))
    assert "kept as 90" in _the_warning(place)["mend"]
    assert tables.read(place)["patients"]["age_years"].tolist() == [90.0, 75.0]


def test_covariates_of_patients_travel_and_their_dates_do_not(folder):
    text = (
        "patient_id,entry_day,last_contact_day,death_day,ward,score,born\nA,0,900,,x,1,1955-03-04\nB,0,700,700,,2.5,\n"
    )
    place = folder(patients=text)
    assert _the_warning(place)["column"] == "born"
    patients = tables.read(place)["patients"]
    assert patients["ward"].tolist() == ["x", None]
    assert patients["score"].tolist() == [1.0, 2.5]
    assert "born" not in patients


def test_units_are_converted_at_the_door(folder):
    text = (
        "patient_id,day,test,value,unit\nA,0,M Protein,31,g/L\nA,0,kappa FLC,12,mg/dL\n"
        "A,0,creatinine,176.84,umol/L\nA,0,Calcium,2.495,mmol/L\nA,0,zinc,11,\n"
    )
    labs = tables.read(folder(labs=text))["labs"]
    assert labs["value"].round(9).tolist() == [3.1, 120.0, 2.0, 10.0, 11.0]
    assert labs["unit"].tolist() == ["g/dL", "mg/L", "mg/dL", "mg/dL", ""]


def test_the_words_of_cohort_csv_are_used(folder):
    text = "name,title,synthetic,endpoint\nward7,Ward seven,no,next_line\n"
    about = tables.read(folder(cohort=text))["cohort"].iloc[0]
    assert about[["name", "title", "endpoint", "licence"]].tolist() == [
        "ward7",
        "Ward seven",
        "next_line",
        "not stated",
    ]


def test_a_cohort_name_cannot_leave_its_folder(folder):
    assert _the_error(folder(cohort="name\n../elsewhere\n"))[:4] == ("cohort.csv", 2, "name", "../elsewhere")


# --- bad input --------------------------------------------------------------------------


def test_missing_file(folder):
    file, line, _, _, sentence = _the_error(folder(patients=None))
    assert (file, line) == ("patients.csv", None)
    assert "one row per patient" in sentence


def test_missing_file_offers_the_near_name(folder, tmp_path):
    (tmp_path / "patient.csv").write_text(GOOD["patients.csv"])
    assert "rename 'patient.csv' to 'patients.csv'" in _the_error(folder(patients=None))[4]


def test_missing_file_of_treatments(folder):
    assert "one of the files treatments.csv, lines.csv, spells.csv" in _the_error(folder(treatments=None))[4]


@pytest.mark.parametrize(("delimiter", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_wrong_delimiter(folder, delimiter, word):
    error = _the_error(folder(labs=GOOD["labs.csv"].replace(",", delimiter)))
    assert error[:2] == ("labs.csv", 1)
    assert f"came {word}" in error[4]


def test_not_utf_8(folder):
    text = GOOD["findings.csv"].replace("biochemical", "klinisch/größer").encode("latin-1")
    faults = _refused(folder(findings=text))
    assert faults.loc[faults["expected"].str.contains("UTF-8"), ["file", "line"]].values.tolist() == [
        ["findings.csv", 2]
    ]


def test_not_utf_8_but_utf_16(folder):
    error = _the_error(folder(labs=GOOD["labs.csv"].encode("utf-16")))
    assert "UTF-16" in error[4]


@pytest.mark.parametrize("content", ["", "\n\n", "   \n", "\ufeff"])
def test_an_empty_file(folder, content):
    error = _the_error(folder(labs=content))
    assert error[0] == "labs.csv"
    assert "empty file" in error[4]


def test_an_empty_file_with_a_header(folder):
    error = _the_error(folder(labs="patient_id,day,test,value,unit\n"))
    assert "at least one row" in error[4]


def test_a_missing_column(folder):
    error = _the_error(folder(treatments="patient_id,start_day,line\nA,0,1\n"))
    assert error[:3] == ("treatments.csv", None, "agent")
    assert "the file has patient_id, start_day, line" in error[4]


@pytest.mark.parametrize("spelling", ["strat_day", "Start Day", "startday", "start-day"])
def test_a_misspelt_column(folder, spelling):
    error = _the_error(folder(**_with("treatments", "start_day", spelling)))
    assert error[:3] == ("treatments.csv", 1, "start_day")
    assert f"the file has {spelling!r} instead: did you mean 'start_day'?" in error[4]


def test_a_misspelt_optional_column_is_not_lost_in_silence(folder):
    error = _the_error(folder(**_with("treatments", "end_day", "end_dya")))
    assert error[2] == "end_day"


def test_text_in_a_number(folder):
    error = _the_error(folder(**_with("labs", "3.1", "<0.1 low")))
    assert error[:4] == ("labs.csv", 2, "value", "<0.1 low")
    assert "came text" in error[4]


def test_a_decimal_comma(folder):
    error = _the_error(folder(**_with("labs", "3.1", '"2,7"')))
    assert error[:4] == ("labs.csv", 2, "value", "2,7")
    assert "decimal point" in error[4]


def test_a_decimal_comma_without_quotes_splits_the_row(folder):
    error = _the_error(folder(**_with("labs", "3.1", "2,7")))
    assert error[:2] == ("labs.csv", 2)
    assert "5 cells" in error[4]


_DATED = "patient_id,index_date,entry_date,last_contact_date,death_date\nA,2019-03-01,2019-03-01,{},\n"


@pytest.mark.parametrize("date", ["2021-02-30", "2021-13-01", "2021-00-10"])
def test_30_february(folder, date):
    place = folder(patients=_DATED.format(date), treatments=None, labs=None, findings=None, spells=_SPELLS_OF_A)
    error = _the_error(place)
    assert error[:4] == ("patients.csv", 2, "last_contact_date", date)
    assert "exists in the calendar" in error[4]


@pytest.mark.parametrize("date", ["03/05/2021", "3.5.2021", "03-05-21"])
def test_an_ambiguous_date(folder, date):
    place = folder(patients=_DATED.format(date), treatments=None, labs=None, findings=None, spells=_SPELLS_OF_A)
    error = _the_error(place)
    assert error[:4] == ("patients.csv", 2, "last_contact_date", date)
    assert "mistaken for each other" in error[4]


@pytest.mark.parametrize(("age", "bound"), [("-4", "at least 0"), ("130", "at most 120"), ("1955", "at most 120")])
def test_a_negative_or_absurd_age(folder, age, bound):
    error = _the_error(folder(**_with("patients", ",61,", f",{age},")))
    assert error[:4] == ("patients.csv", 2, "age_years", age)
    assert bound in error[4]


def test_death_before_diagnosis(folder):
    faults = _refused(folder(patients=GOOD["patients.csv"].replace("B,0,700,700", "B,0,-30,-30"), labs=None))
    found = faults[faults["expected"].str.contains("death on or after day 0")]
    assert found[["file", "line", "column", "value"]].values.tolist() == [["patients.csv", 3, "death_day", "-30"]]


def test_death_before_diagnosis_of_a_patient_seen_earlier(folder):
    place = folder(patients=GOOD["patients.csv"].replace("B,0,700,700", "B,-90,-30,-30"), **_NO_B)
    assert _the_error(place)[:4] == ("patients.csv", 3, "death_day", "-30")


def test_last_contact_before_entry(folder):
    place = folder(patients=GOOD["patients.csv"].replace("A,0,900", "A,901,900"))
    assert _the_error(place)[:3] == ("patients.csv", 2, "last_contact_day")


def test_last_contact_after_death(folder):
    place = folder(patients=GOOD["patients.csv"].replace("B,0,700,700", "B,0,701,700"))
    assert _the_error(place)[:4] == ("patients.csv", 3, "last_contact_day", "701")


def test_two_lines_cannot_start_on_one_day(folder):
    lines = LINES.replace("A,1,0,100", "A,1,400,").replace(",380", ",")
    assert _the_error(folder(treatments=None, labs=None, findings=None, lines=lines))[:3] == (
        "lines.csv",
        3,
        "start_day",
    )


def test_a_progression_before_the_start_of_its_line(folder):
    lines = LINES.replace("A,2,400,500,daratumumab,", "A,2,400,500,daratumumab,399")
    error = _the_error(folder(treatments=None, labs=None, findings=None, lines=lines))
    assert error[:3] == ("lines.csv", 3, "progression_day")


def test_a_progression_on_the_start_of_its_line_is_a_warning(folder):
    lines = LINES.replace("A,2,400,500,daratumumab,", "A,2,400,500,daratumumab,400")
    warning = _the_warning(folder(treatments=None, labs=None, findings=None, lines=lines))
    assert (warning["file"], warning["line"], warning["column"]) == ("lines.csv", 3, "progression_day")
    assert "does not count" in warning["mend"]


@pytest.mark.parametrize(("day", "warned"), [(380, True), (400, True), (401, False)])
def test_a_progression_not_after_the_start_of_its_stated_line_is_a_warning(folder, day, warned):
    place = folder(**_with("findings", "A,380,progression,biochemical,1", f"A,{day},progression,biochemical,2"))
    found = [(row["file"], row["line"], row["column"]) for _, row in tables.inspect(place).iterrows()]
    assert found == ([("findings.csv", 2, "day")] if warned else [])
    read = tables.read(place)
    derived = spells.spells(read, regimens.lines(read), endpoint="relapse").query("patient_id == 'A'")
    assert derived["event"].tolist() == ["next_line", "censored" if warned else "relapse"]


def test_a_stated_first_treatment_day_is_the_start_that_a_progression_must_follow(folder):
    rows = GOOD["patients.csv"].splitlines()
    text = "\n".join([rows[0] + ",first_treatment_day", rows[1] + ",390", rows[2] + ","]) + "\n"
    warning = _the_warning(folder(patients=text))
    assert (warning["file"], warning["line"], warning["column"]) == ("findings.csv", 2, "day")


def test_a_progression_after_last_contact_is_a_warning(folder):
    lines = LINES.replace("A,2,400,500,daratumumab,", "A,2,400,500,daratumumab,901")
    warning = _the_warning(folder(treatments=None, labs=None, findings=None, lines=lines))
    assert (warning["file"], warning["line"], warning["column"]) == ("lines.csv", 3, "progression_day")
    assert "last contact" in warning["expected"]


def test_a_progression_after_death_in_lines(folder):
    lines = LINES.replace("B,1,0,120,,", "B,1,0,120,,701")
    error = _the_error(folder(treatments=None, labs=None, findings=None, lines=lines))
    assert error[:4] == ("lines.csv", 4, "progression_day", "701")


def test_a_next_line_cannot_start_with_this_one(folder):
    text = "patient_id,line,start_day,next_line_day\nA,1,0,0\n"
    error = _the_error(folder(treatments=None, labs=None, findings=None, lines=text))
    assert error[:3] == ("lines.csv", 2, "next_line_day")


def test_a_sample_after_death_is_a_warning(folder):
    warning = _the_warning(folder(labs=GOOD["labs.csv"].replace("B,0,", "B,701,")))
    assert (warning["file"], warning["line"], warning["column"]) == ("labs.csv", 3, "day")


def test_regimens_are_spelled_as_derived_ones_are(folder):
    lines = LINES.replace("bortezomib + Dex", "ASCT+Velcade + Dex")
    found = tables.read(folder(treatments=None, labs=None, findings=None, lines=lines))["lines"].iloc[0]
    assert found["regimen"] == "bortezomib+dexamethasone+autologous transplant"
    assert found["classes"] == "PI+steroid+autologous transplant"
    assert found["transplant"]


def test_surplus_columns_of_treatments_are_left_out_and_told(folder):
    place = folder(treatments="patient_id,start_day,agent,line,ward\nA,0,bortezomib,1,x\n", findings=None)
    assert _the_warning(place)["column"] == "ward"
    assert "ward" not in tables.read(place)["treatments"]


def test_a_cohort_has_one_row(folder):
    assert _the_error(folder(cohort="name\none\ntwo\n"))[:2] == ("cohort.csv", 3)


def test_relapse_as_endpoint_without_any_relapse_is_a_warning(folder):
    warning = _the_warning(folder(cohort="name,endpoint\nward7,relapse\n", findings=None))
    assert (warning["file"], warning["column"]) == ("cohort.csv", "endpoint")


def many(patients, progressed=(), followed=()):
    """Tables of so many patients on unnumbered treatments; some with a progression, some with a marker on two days."""
    ids = [f"P{number}" for number in range(patients)]
    rows = {
        "patients": ["patient_id,entry_day,last_contact_day,death_day", *(f"{name},0,900," for name in ids)],
        "treatments": ["patient_id,start_day,end_day,agent", *(f"{name},0,100,bortezomib" for name in ids)],
        "findings": ["patient_id,day,finding", *(f"{ids[number]},300,progression" for number in progressed)],
        "labs": [
            "patient_id,day,test,value,unit",
            *(f"{ids[number]},{day},serum M-protein,3,g/dL" for number in followed for day in (0, 90)),
        ],
    }
    return {name: "\n".join(lines) + "\n" if len(lines) > 1 else None for name, lines in rows.items()}


@pytest.mark.parametrize(
    ("progressed", "followed", "chosen", "told"),
    [
        (range(2), (), "relapse", None),
        ((), range(10), "relapse", "0 of 20 patients have a progression, 10 have markers on two days or more"),
        ((5,), range(10), "relapse", "1 of 20 patients have a progression, 10 have markers"),
        ((5,), (), "next_line", "1 of 20 patients have a progression, 0 have markers"),
        ((), (7,), "next_line", "0 of 20 patients have a progression, 1 have markers"),
        ((), (), "next_line", None),
    ],
)
def test_the_endpoint_follows_what_is_there_and_the_check_says_why(folder, progressed, followed, chosen, told):
    """One stray progression, or one patient with markers, makes no cohort one of relapses."""
    place = folder(**many(20, progressed, followed))
    assert tables.read(place)["cohort"].loc[0, "endpoint"] == chosen
    if told is None:
        assert tables.inspect(place).empty
    else:
        warning = _the_warning(place)
        assert (warning["file"], warning["column"]) == ("cohort.csv", "endpoint")
        assert f"{chosen} is chosen: {told}" in warning["mend"]


def test_a_stated_endpoint_is_never_overruled(folder):
    place = folder(**many(20, (), range(20)), cohort="name,endpoint\nward7,next_line\n")
    assert tables.inspect(place).empty
    assert tables.read(place)["cohort"].loc[0, "endpoint"] == "next_line"


def test_relapse_as_endpoint_of_a_cohort_with_markers_is_judged_and_told(folder):
    warning = _the_warning(folder(**many(20, (), range(12)), cohort="name,endpoint\nward7,relapse\n"))
    assert "relapse is judged from marker values (0 of 20 patients have a progression, 12 have" in warning["mend"]


def test_the_cohort_says_where_its_relapses_come_from(folder):
    place = folder(cohort="name,endpoint,relapses\nward7,relapse,both\n")
    assert tables.inspect(place).empty
    assert tables.read(place)["cohort"].loc[0, "relapses"] == "both"
    assert "relapses" not in tables.read(folder(cohort="name\nward7\n"))["cohort"]
    error = _the_error(folder(cohort="name,endpoint,relapses\nward7,relapse,guessed\n"))
    assert error[:4] == ("cohort.csv", 2, "relapses", "guessed")


def test_progressions_in_few_ready_lines_make_no_cohort_of_relapses(folder):
    lines = "patient_id,line,start_day,progression_day\n" + "".join(f"P{n},1,0,\n" for n in range(1, 20))
    place = folder(**many(20) | {"treatments": None, "lines": lines + "P0,1,0,300\n"})
    assert tables.read(place)["cohort"].loc[0, "endpoint"] == "next_line"
    assert "1 of 20 patients have a progression" in _the_warning(place)["mend"]


def test_raw_treatments_need_no_line_numbers(folder):
    unnumbered = "patient_id,start_day,end_day,agent\nA,0,100,bortezomib\nA,400,500,daratumumab\nB,0,120,Revlimid\n"
    place = folder(treatments=unnumbered)
    assert tables.inspect(place).empty
    cohort = tables.read(place)
    assert cohort["treatments"]["line"].isna().all()
    lines = regimens.lines(cohort)
    assert lines[["patient_id", "line", "start_day"]].values.tolist() == [["A", 1, 0], ["A", 2, 400], ["B", 1, 0]]
    assert spells.spells(cohort, lines)["event"].tolist() == ["relapse", "censored", "death"]


_NO_B = {
    "treatments": "patient_id,start_day,agent,line\nA,0,bortezomib,1\n",
    "labs": None,
    "findings": None,
}


def test_death_before_entry(folder):
    faults = _refused(folder(patients=GOOD["patients.csv"].replace("B,0,700", "B,800,700")))
    assert (faults["column"] == "death_day").any()


def test_a_line_that_starts_after_death(folder):
    error = _the_error(folder(**_with("treatments", "B,0,120", "B,701,720")))
    assert error[:4] == ("treatments.csv", 4, "start_day", "701")
    assert "before the patient's death" in error[4]


def test_lines_out_of_order(folder):
    error = _the_error(folder(**_with("treatments", "A,0,100,bortezomib,1", "A,450,490,bortezomib,1")))
    assert error[:3] == ("treatments.csv", 3, "start_day")
    assert "after that of the line before" in error[4]


def test_lines_skipped(folder):
    error = _the_error(folder(**_with("treatments", "daratumumab,2", "daratumumab,3")))
    assert error[:4] == ("treatments.csv", 3, "line", "3")
    assert "without a gap" in error[4]


def test_lines_that_begin_late_are_a_warning(folder):
    warning = _the_warning(folder(**_with("treatments", "lenalidomide,1", "lenalidomide,2"), findings=None))
    assert (warning["line"], warning["column"]) == (4, "line")


def test_duplicate_patients(folder):
    error = _the_error(folder(patients=GOOD["patients.csv"] + "A,0,900,,61,female\n"))
    assert error[:4] == ("patients.csv", 4, "patient_id", "A")


def test_duplicate_lines(folder):
    error = _the_error(folder(treatments=None, labs=None, findings=None, lines=LINES + "B,1,200,,,\n"))
    assert error[:3] == ("lines.csv", 5, "line")


def test_overlapping_lines(folder):
    lines = LINES.replace("A,1,0,100", "A,1,0,401")
    error = _the_error(folder(treatments=None, labs=None, findings=None, lines=lines))
    assert error[:3] == ("lines.csv", 3, "start_day")
    assert "overlap" in error[4]


def test_lines_may_meet_on_one_day(folder):
    lines = LINES.replace("A,1,0,100", "A,1,0,400")
    assert tables.inspect(folder(treatments=None, labs=None, findings=None, lines=lines)).empty


def test_an_unknown_drug_is_kept_listed_and_counted(folder):
    text = GOOD["treatments.csv"].replace("daratumumab", "snake oil") + "B,10,20,snake oil,1\nB,10,20,moonshine,1\n"
    place = folder(treatments=text)
    faults = tables.inspect(place)
    assert faults[["severity", "line", "value"]].values.tolist() == [
        ["warning", 3, "snake oil"],
        ["warning", 6, "moonshine"],
    ]
    assert "2 row(s)" in faults.loc[0, "expected"]
    assert tables.read(place)["treatments"]["agent"].tolist()[1] == "snake oil"


def test_an_unknown_unit(folder):
    error = _the_error(folder(**_with("labs", "3.1,g/dL", "3.1,stone")))
    assert error[:4] == ("labs.csv", 2, "unit", "stone")
    assert "['g/dL', 'g/L', 'mg/dL']" in error[4]


def test_free_light_chains_without_a_unit(folder):
    error = _the_error(folder(**_with("labs", "120,mg/L", "120,")))
    assert error[:4] == ("labs.csv", 3, "unit", "")
    assert "never guessed" in error[4]


def test_mixed_dates_and_days_in_one_column(folder):
    error = _the_error(folder(**_with("treatments", "A,400,", "A,2020-04-04,")))
    assert error[:4] == ("treatments.csv", 3, "start_day", "2020-04-04")
    assert "mixed" in error[4]


def test_mixed_dates_and_days_between_files(folder):
    text = "patient_id,index_date,entry_date,last_contact_date,death_date\nA,2019-03-01,2019-03-01,2021-08-17,\n"
    place = folder(
        patients=text, treatments="patient_id,start_day,agent,line\nA,0,bortezomib,1\n", labs=None, findings=None
    )
    error = _the_error(place)
    assert error[:3] == ("treatments.csv", None, "start_day")
    assert "mixed" in error[4]


def test_mixed_dates_and_days_for_one_day(folder):
    text = "patient_id,start_day,start_date,agent,line\nA,0,2019-03-01,bortezomib,1\n"
    faults = _refused(folder(treatments=text, labs=None, findings=None))
    assert faults["expected"].str.contains("came both").any()


def test_a_patient_in_lines_but_not_in_patients(folder):
    error = _the_error(folder(treatments=GOOD["treatments.csv"] + "C,0,9,bortezomib,1\n"))
    assert error[:4] == ("treatments.csv", 5, "patient_id", "C")


def test_last_contact_before_a_line_start_is_a_warning(folder):
    warning = _the_warning(folder(patients=GOOD["patients.csv"].replace("A,0,900", "A,0,399")))
    assert (warning["file"], warning["line"], warning["column"]) == ("treatments.csv", 3, "start_day")


def test_a_progression_after_death(folder):
    error = _the_error(folder(**_with("findings", "B,90", "B,701")))
    assert error[:3] == ("findings.csv", 3, "day")


def test_a_response_that_is_no_response(folder):
    error = _the_error(folder(**_with("findings", "VGPR", "splendid")))
    assert error[:4] == ("findings.csv", 3, "value", "splendid")


def test_a_word_that_is_not_among_the_words(folder):
    error = _the_error(folder(**_with("patients", "75,male", "75,gentleman")))
    assert error[:4] == ("patients.csv", 3, "sex", "gentleman")


def test_a_stray_quote(folder):
    error = _the_error(folder(**_with("findings", "biochemical", '5" tall')))
    assert error[:2] == ("findings.csv", 2)


def test_all_faults_at_once_and_values_masked(folder):
    place = folder(
        patients=GOOD["patients.csv"].replace(",61,", ",sixty-one,").replace(",75,", ",-75,"),
        treatments=GOOD["treatments.csv"].replace("A,400", "A,4OO").replace("B,0,120", "B,0,-120"),
        labs=GOOD["labs.csv"].replace("3.1,g/dL", "3.1,stone"),
    )
    with pytest.raises(schema.BadInputError) as caught:
        tables.read(place)
    assert (caught.value.faults["severity"] == "error").sum() == 5
    assert "sixty-one" not in str(caught.value)
    assert "<9 characters, masked>" in str(caught.value)
    assert "sixty-one" in "\n".join(schema.fault_lines(caught.value.faults, show_values=True))


def test_a_day_from_a_spreadsheet_is_no_day(folder):
    error = _the_error(folder(**_with("treatments", "A,400,", "A,44260,")))  # 44260 is 5 March 2021 to Excel
    assert error[:4] == ("treatments.csv", 3, "start_day", "44260")


def test_treatments_that_outlast_their_line_are_a_warning(folder):
    warning = _the_warning(folder(**_with("treatments", "A,0,100", "A,0,450")))
    assert (warning["line"], warning["column"]) == (3, "start_day")


def test_an_unknown_drug_within_a_regimen(folder):
    lines = LINES.replace("daratumumab", "snake oil+Dex")
    warning = _the_warning(folder(treatments=None, labs=None, findings=None, lines=lines))
    assert warning[["line", "column", "value"]].tolist() == [3, "regimen", "snake oil"]


def test_a_lost_row_of_patients_is_told_once_only(folder):
    error = _the_error(folder(patients=GOOD["patients.csv"].replace("B,0,700,700,75,male", "B,0,700,700,7,5,male")))
    assert error[:2] == ("patients.csv", 3)


def test_a_misspelt_patient_id_is_told_once_only(folder):
    assert _the_error(folder(**_with("patients", "patient_id", "patientid")))[2] == "patient_id"


def test_a_misspelt_optional_file_is_not_lost_in_silence(folder, tmp_path):
    (tmp_path / "lab.csv").write_text(GOOD["labs.csv"])
    assert _the_error(folder(labs=None))[0] == "lab.csv"


def test_a_misspelt_date_column_is_told_its_date_name(folder):
    text = "patient_id,index_date,entry_date,last_contact_date,death_date\nA,2019-03-01,2019-03-01,2021-08-17,\n"
    treatments = "patient_id,strat_date,agent,line\nA,2019-03-01,bortezomib,1\n"
    error = _the_error(folder(patients=text, treatments=treatments, labs=None, findings=None))
    assert "rename it to 'start_date'" in error[4]


def test_an_index_date_beside_days_gives_the_year(folder):
    text = "patient_id,index_date,entry_day,last_contact_day,death_day\nA,2019-03-01,0,900,\nB,2020-02-28,0,700,700\n"
    place = folder(patients=text)
    assert tables.inspect(place).empty
    patients = tables.read(place)["patients"]
    assert patients["index_year"].tolist() == [2019, 2020]
    assert "index_date" not in patients


def test_a_living_patient_needs_a_last_contact(folder):
    assert _the_error(folder(**_with("patients", "A,0,900,", "A,0,,")))[:3] == ("patients.csv", 2, "last_contact_day")


def test_the_last_contact_of_the_dead_is_their_death(folder):
    place = folder(patients=GOOD["patients.csv"].replace("B,0,700,700", "B,0,600,700"))
    assert _the_warning(place)["column"] == "last_contact_day"
    assert tables.read(place)["patients"]["last_contact_day"].tolist() == [900, 700]


def test_a_wrong_column_of_many_rows_makes_few_sentences(folder):
    rows = "".join(f"A,{day},serum M-protein,high,g/dL\n" for day in range(1000))
    faults = _refused(folder(labs="patient_id,day,test,value,unit\n" + rows))
    assert len(faults) == 4
    assert faults["expected"].str.contains("and 997 more like this").sum() == 1


def test_faults_of_dates_name_the_file_s_own_column_and_date(folder):
    patients = (
        "patient_id,index_date,last_contact_date,death_date\nA,2020-01-01,2021-01-01,\nB,2020-01-01,,2019-12-01\n"
    )
    treatments = "patient_id,start_date,agent,line\nA,2021-06-01,bortezomib,1\nB,2020-01-01,bortezomib,1\n"
    faults = tables.inspect(folder(patients=patients, treatments=treatments, labs=None, findings=None))
    told = faults.set_index(["file", "line", "column"])["value"].to_dict()
    assert told[("patients.csv", 3, "death_date")] == "2019-12-01"
    assert told[("treatments.csv", 2, "start_date")] == "2021-06-01"
    assert not faults.loc[faults["value"] != "", "column"].str.endswith("_day").any()
    assert not faults["mend"].str.contains("last_contact_day").any()


def test_what_the_suite_itself_wrote_is_read_again_with_warnings(folder):
    lines = "patient_id,line,start_day,progression_day\nA,1,0,380\nA,3,400,\nB,1,0,\n"
    place = folder(treatments=None, labs=None, findings=None, lines=lines)
    assert "without a gap" in _the_error(place)[4]
    (place / "provenance.json").write_text("{}")
    assert (tables.inspect(place)["severity"] == "warning").all()
    assert tables.read(place)["lines"]["line"].tolist() == [1, 3, 1]


# --- Parquet, and large tables --------------------------------------------------------------------------------


def _write_parquet(cohort, folder):
    folder.mkdir()
    for name, frame in cohort.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)


@pytest.mark.parametrize("stage", ["treatments", "lines", "spells", "example"])
def test_what_was_read_is_read_again_from_parquet(folder, tmp_path, stage):
    only = {"treatments": None, "labs": None, "findings": None}
    places = {
        "treatments": lambda: folder(),
        "lines": lambda: folder(**only, lines=LINES.replace("bortezomib + Dex", "ASCT+Velcade + Dex")),
        "spells": lambda: folder(**only, spells=_SPELLS_OF_A),
        "example": lambda: Path(shutil.copytree(EXAMPLE, tmp_path / "copy")),
    }
    cohort = tables.read(places[stage]())
    _write_parquet(cohort, tmp_path / "again")
    assert (tables.inspect(tmp_path / "again")["severity"] == "warning").all()
    again = tables.read(tmp_path / "again")
    assert list(again) == list(cohort)
    for name in cohort:
        pd.testing.assert_frame_equal(again[name], cohort[name])


def test_parquet_faults_count_rows_from_one(folder, tmp_path):
    cohort = tables.read(folder())
    spoilt = cohort["labs"].assign(value=[-1.0, 5.0])
    _write_parquet(cohort | {"labs": spoilt}, tmp_path / "again")
    assert _the_error(tmp_path / "again")[:4] == ("labs.parquet", 1, "value", "-1.0")


def test_a_parquet_table_may_come_in_parts(folder, tmp_path):
    cohort = tables.read(folder())
    _write_parquet(cohort, tmp_path / "again")
    (tmp_path / "again" / "labs.parquet").unlink()
    (tmp_path / "again" / "labs").mkdir()
    for part, rows in enumerate([cohort["labs"].iloc[:1], cohort["labs"].iloc[1:]]):
        rows.to_parquet(tmp_path / "again" / "labs" / f"part-{part}.parquet", index=False)
    pd.testing.assert_frame_equal(tables.read(tmp_path / "again")["labs"], cohort["labs"])


def test_parquet_dates_of_any_type(folder, tmp_path):
    cohort = tables.read(folder(findings=None, labs=None))
    index = pd.to_datetime(["2019-03-01", "2020-02-28"])
    patients = pd.DataFrame({
        "patient_id": ["A", "B"], "index_date": index.date, "entry_date": index,
        "last_contact_date": index + pd.to_timedelta([900, 700], unit="D"),
        "death_date": [pd.NaT, index[1] + pd.Timedelta(700, unit="D")],
    })  # fmt: skip
    start = pd.to_datetime(["2019-03-01", "2020-04-04", "2020-02-28"]).tz_localize("UTC")
    treatments = cohort["treatments"].drop(columns=["start_day", "end_day"]).assign(start_date=start)
    _write_parquet({"patients": patients, "treatments": treatments}, tmp_path / "dated")
    again = tables.read(tmp_path / "dated")
    assert again["patients"]["last_contact_day"].tolist() == [900, 700]
    assert again["treatments"]["start_day"].tolist() == [0, 400, 0]


def test_a_broken_parquet_file(folder, tmp_path):
    place = folder(labs=None)
    (place / "labs.parquet").write_bytes(b"PAR1 not really")
    assert _the_error(place)[0] == "labs.parquet"


def test_the_same_table_twice(folder, tmp_path):
    place = folder()
    pd.DataFrame({"patient_id": ["A"]}).to_parquet(place / "labs.parquet")
    assert "once" in _the_error(place)[4]


def test_large_tables_are_read_in_seconds(folder):
    rng = np.random.default_rng(2026)
    rows = 200_000
    labs = pd.DataFrame({
        "patient_id": rng.choice(["A", "B"], rows), "day": rng.integers(0, 600, rows),
        "test": rng.choice(["serum M-protein", "creatinine"], rows), "value": rng.random(rows).round(3),
        "unit": "mg/dL",
    })  # fmt: skip
    place = folder(labs=labs.to_csv(index=False))
    began = time.perf_counter()
    assert len(tables.read(place)["labs"]) == rows
    assert time.perf_counter() - began < 15  # less than one second on an idle machine


# --- what nobody foresaw --------------------------------------------------------------------------------------

_CELL = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["", "A", "B", "0", "1", "2", "-1", "1e400", "9" * 40, "nan", "inf", "2,7", '"', '""', "2021-02-30",
                     "03/05/2021", "true", "PD", "\ufeff", "0x1F", "1_000", "１２", "\u2028", "True"]),
)  # fmt: skip
_NAMES = st.sampled_from(["patients", "treatments", "labs", "findings", "lines", "spells", "cohort"])


@st.composite
def _csv(draw, name):
    from analysis.sources.tables.layout import LAYOUTS

    columns = [column.name for column in LAYOUTS[name].columns]
    header = draw(st.lists(st.one_of(st.sampled_from(columns), _CELL), min_size=1, max_size=9))
    rows = draw(st.lists(st.lists(_CELL, min_size=1, max_size=9), max_size=4))
    return "\n".join(",".join(row) for row in [header, *rows]).encode("utf-8", errors="surrogatepass")


def _reads_or_refuses(folder):
    try:
        tables.read(folder)
    except schema.BadInputError as error:
        assert (error.faults["severity"] == "error").any()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(content=st.binary(max_size=200), name=_NAMES)
def test_random_bytes_are_read_or_refused(tmp_path, content, name):
    place = tmp_path / "bytes"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for file, text in GOOD.items():
        (place / file).write_text(text)
    (place / f"{name}.csv").write_bytes(content)
    _reads_or_refuses(place)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.data(), name=_NAMES)
def test_random_cells_are_read_or_refused(tmp_path, data, name):
    place = tmp_path / "cells"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for file, text in GOOD.items():
        (place / file).write_text(text)
    (place / f"{name}.csv").write_bytes(data.draw(_csv(name)))
    _reads_or_refuses(place)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.data(), file=st.sampled_from(sorted(GOOD)))
def test_a_random_cell_in_good_tables_is_read_or_refused(tmp_path, data, file):
    place = tmp_path / "cell"
    place.mkdir(exist_ok=True)
    for name, text in GOOD.items():
        (place / name).write_text(text)
    rows = [line.split(",") for line in GOOD[file].splitlines()]
    row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(rows[0]) - 1))
    rows[row][column] = data.draw(_CELL)
    (place / file).write_bytes("\n".join(map(",".join, rows)).encode("utf-8", errors="surrogatepass"))
    _reads_or_refuses(place)


def test_reading_changes_nothing_in_the_folder(folder):
    place = folder()
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    tables.read(place)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    assert json.dumps(sorted(before)) == json.dumps(sorted(GOOD))


# --- findings: results with their depth, words that the response criteria read ---------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("negative 1e-5", "negative 1e-5"),
        ("neg (10^-5)", "negative 1e-5"),
        ("MRD-negative at 10-6", "negative 1e-6"),
        ("Positive", "positive"),
        (" NEG ", "negative"),
    ],
)
def test_an_mrd_result_keeps_the_sensitivity_it_comes_with(folder, given, kept):
    cohort = tables.read(folder(**_with("findings", "best response,VGPR", f"MRD,{given}")))
    found = cohort["findings"].query("finding == 'MRD'")
    assert found["value"].tolist() == [kept]


def test_its_sensitivity_decides_whether_a_negative_result_counts(folder):
    for value, day in (("neg at 10-4", None), ("neg at 10-5", 50), ("negative", 50)):
        cohort = tables.read(folder(**_with("findings", "B,90,best response,VGPR", f"B,50,MRD,{value}")))
        lines = pd.DataFrame({"patient_id": ["A", "B"], "line": 1, "start_day": 0})
        found = response.outcomes(cohort, lines, mode="lab_only").set_index("patient_id")["mrd_negative_day"]["B"]
        assert (None if pd.isna(found) else found) == day, value


@pytest.mark.parametrize("given", ["maybe", "not negative", "negative 5", "10^-5"])
def test_an_mrd_result_that_says_neither_is_refused(folder, given):
    error = _the_error(folder(**_with("findings", "best response,VGPR", f"MRD,{given}")))
    assert error[:4] == ("findings.csv", 3, "value", given)
    assert "negative 1e-5" in " ".join(map(str, error[4:]))


@pytest.mark.parametrize(
    ("finding", "value"),
    [
        ("serum immunofixation", "negative"),
        ("urine immunofixation", "positive"),
        ("clonal marrow cells", "negative"),
        ("plasmacytoma shrinkage percent", "50"),
        ("cause of death", "progression"),
        ("plasmacytoma", ""),
        *((finding, "") for finding in (*NEW_LESIONS, "hyperviscosity")),
    ],
)
def test_every_finding_that_the_criteria_read_is_known(folder, finding, value):
    place = folder(**_with("findings", "best response,VGPR", f"{finding},{value}"))
    assert tables.inspect(place).empty
    assert value in tables.read(place)["findings"].query("finding == @finding")["value"].tolist()


def test_an_immunofixation_is_positive_or_negative(folder):
    error = _the_error(folder(**_with("findings", "best response,VGPR", "serum immunofixation,trace")))
    assert error[:4] == ("findings.csv", 3, "value", "trace")


def test_a_misspelt_unit_column_is_told_once_only(folder):
    error = _the_error(folder(labs=GOOD["labs.csv"].replace("value,unit", "value,units")))
    assert error[:3] == ("labs.csv", 1, "unit")
