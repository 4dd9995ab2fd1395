"""A data cut shows what was known on its day, and nothing that came later."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.derive import data_cut, regimens, spells
from analysis.sources import synthetic


@pytest.fixture(scope="module")
def cohort():
    return synthetic.simulate(patients=120, seed=5)


def of(cohort, endpoint):
    made = spells.spells(cohort, regimens.lines(cohort), endpoint=endpoint)
    made["end"] = made["start_day"] + made["time"]
    return made.set_index(["patient_id", "line"])


@settings(deadline=None, max_examples=40)
@given(day=st.integers(0, 6000), endpoint=st.sampled_from(["relapse", "next_line", "death", "progression_free"]))
def test_an_earlier_cut_makes_no_event_and_loses_none_before_it(cohort, day, endpoint):
    whole, cut = of(cohort, endpoint), of(data_cut.as_of(cohort, day), endpoint)
    assert cut.index.isin(whole.index).all()
    assert (cut["end"] <= day).all()
    events = cut[cut["event"] != "censored"]
    pd.testing.assert_frame_equal(events[["end", "event"]], whole.loc[events.index, ["end", "event"]])
    before = whole[(whole["end"] <= day) & (whole["event"] != "censored")]
    assert before.index.isin(events.index).all()


def test_a_cut_after_the_last_record_changes_nothing(cohort):
    for name, frame in data_cut.as_of(cohort, 10**6).items():
        pd.testing.assert_frame_equal(frame, cohort[name], check_dtype=False)


def test_one_calendar_day_is_another_day_for_each_patient(cohort):
    days = pd.Series(range(len(cohort["patients"])), index=cohort["patients"]["patient_id"]) * 30
    cut = data_cut.as_of(cohort, days)
    assert (cut["labs"]["day"] <= cut["labs"]["patient_id"].map(days)).all()
    assert cut["patients"]["last_contact_day"].le(cut["patients"]["patient_id"].map(days)).all()


def test_what_cannot_be_cut_is_refused(cohort):
    with pytest.raises(ValueError, match="came ready spells"):
        data_cut.as_of({"spells": pd.DataFrame()}, 5)
    with pytest.raises(ValueError, match="came none for 119"):
        data_cut.as_of(cohort, pd.Series({cohort["patients"]["patient_id"].iloc[0]: 9}))
