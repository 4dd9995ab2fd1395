"""A data cut shows what was known on its day, and nothing that came later."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analysis.derive import data_cut, regimens, relapses, response, spells
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


# --- derived lines ----------------------------------------------------------------------------------------------------

KEY = ["patient_id", "line", "start_day", "end", "event"]
AGENTS = (
    "bortezomib", "lenalidomide", "daratumumab", "carfilzomib", "cyclophosphamide", "melphalan", "elixir",
    "dexamethasone", "autologous transplant", "leukapheresis", "ciltacabtagene autoleucel",
)  # fmt: skip
LOOK_AHEAD_DAYS = 120  # apheresis before cells; OHDSI: a gap of 90 days, and 30 in which drugs stop together


def messy(seed, patients=40):
    """Patients with random treatments, overlapping, without an end or long beyond any cut, and stated progressions."""
    random = np.random.default_rng(seed)
    rows = random.integers(1, 13, patients)
    who, size = np.repeat([f"p{n:02d}" for n in range(patients)], rows), rows.sum()
    start = np.concatenate([np.cumsum(random.choice([0, 0, 5, 20, 35, 60, 100, 200, 400], n)) for n in rows])
    end = pd.array(start + random.choice([0, 3, 10, 27, 60, 120, 300, 700], size), dtype="Int64")
    end[random.random(size) < 0.07] = pd.NA
    treatments = pd.DataFrame({"patient_id": who, "start_day": start, "end_day": end})
    treatments["agent"] = random.choice(np.array(AGENTS, dtype=object), size)
    last = treatments[["start_day", "end_day"]].max(axis=1).groupby(treatments["patient_id"]).max().astype("int64")
    until = last + random.integers(1, 300, patients)
    died = pd.array(until, dtype="Int64")
    died[random.random(patients) < 0.5] = pd.NA
    patients = {"patient_id": last.index, "entry_day": 0, "last_contact_day": until.to_numpy(), "death_day": died}
    day = (random.random(len(last)) * until.to_numpy()).astype("int64")
    findings = pd.DataFrame({"patient_id": last.index, "day": day, "finding": "progression", "value": ""})
    about = pd.DataFrame({"endpoint": ["relapse"]})
    return {"cohort": about, "patients": pd.DataFrame(patients), "treatments": treatments, "findings": findings}


def derived(cohort, rule, endpoint):
    made = spells.spells(cohort, regimens.lines(cohort, rule), endpoint=endpoint)
    return made.assign(end=made["start_day"] + made["time"])[KEY]


def known_until(cut, day, rule):
    """Per patient the day up to which the rule knew all that it looks ahead for."""
    if rule != "ohdsi":
        return pd.Series(day - LOOK_AHEAD_DAYS, index=cut["patients"]["patient_id"])
    given = cut["treatments"][cut["treatments"]["agent"] != "leukapheresis"]
    last = given[["start_day", "end_day"]].max(axis=1).groupby(given["patient_id"]).max()
    return last.astype("int64").reindex(cut["patients"]["patient_id"]).fillna(-(10**6)) - LOOK_AHEAD_DAYS


def decided(spelled, until):
    """Events up to the day of each patient, in order."""
    events = spelled[(spelled["event"] != "censored") & (spelled["end"] <= spelled["patient_id"].map(until))]
    return events.sort_values(KEY, ignore_index=True)


@pytest.mark.parametrize("rule", ["rajkumar", "window_gap", "ohdsi"])
@settings(deadline=None, max_examples=15, derandomize=True, phases=[Phase.generate])
@given(seed=st.integers(0, 10**6), day=st.integers(0, 2000), endpoint=st.sampled_from(["relapse", "next_line"]))
def test_an_earlier_cut_of_derived_lines_changes_no_event_that_was_decided_by_then(rule, seed, day, endpoint):
    """Decided: everything that the rule looks ahead for was on record. OHDSI asks it of the patient's own records."""
    cohort = messy(seed)
    cut = data_cut.as_of(cohort, day)
    whole, now = derived(cohort, rule, endpoint), derived(cut, rule, endpoint)
    assert (now["end"] <= day).all()
    until = known_until(cut, day, rule)
    pd.testing.assert_frame_equal(decided(now, until), decided(whole, until))


def test_a_treatment_that_went_on_is_given_until_the_cut_and_has_no_end():
    rows = [("a", 0, 700, "melphalan"), ("a", 5, 5, "autologous transplant"), ("a", 300, 900, "bortezomib")]
    treatments = pd.DataFrame(rows, columns=["patient_id", "start_day", "end_day", "agent"])
    treatments = treatments.astype({"end_day": "Int64"})
    patients = pd.DataFrame({"patient_id": ["a"], "entry_day": 0, "last_contact_day": 900})
    patients = patients.assign(death_day=pd.array([None], dtype="Int64"))
    cut = data_cut.as_of({"patients": patients, "treatments": treatments}, 400)["treatments"]
    assert cut.fillna(-1)[["start_day", "end_day", "agent"]].values.tolist() == [
        [0, 400, "melphalan"],
        [5, 5, "autologous transplant"],
        [300, 400, "bortezomib"],
        [400, -1, "melphalan"],
        [400, -1, "bortezomib"],
    ]
    # A course of 400 days is no conditioning, though nobody knew its end.
    assert regimens.lines_of_therapy(cut)["start_day"].tolist() == [0, 300]
    assert regimens.lines_of_therapy(cut)["end_reason"].tolist() == ["drug added", "no end on record"]


# --- relapses judged from markers -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def silent(cohort):
    """The same records, but nobody wrote down a progression, and values scatter: many a rise is not confirmed."""
    findings, labs = cohort["findings"], cohort["labs"]
    noisy = labs.assign(value=labs["value"] * np.exp(np.random.default_rng(1).normal(0, 0.5, len(labs))))
    return cohort | {"findings": findings[findings["finding"] != "progression"].reset_index(drop=True), "labs": noisy}


@pytest.fixture(scope="module")
def unnumbered(silent):
    missing = pd.array([None] * len(silent["treatments"]), dtype="Int64")
    return silent | {"treatments": silent["treatments"].assign(line=missing)}


def judged(cohort):
    made = spells.of(cohort)
    return made.assign(end=made["start_day"] + made["time"])[KEY]


@pytest.fixture(scope="module")
def judged_whole(silent, unnumbered):
    confirmed = response.outcomes(silent, regimens.lines(silent), mode="lab_only")
    confirmed = confirmed[["patient_id", "line", "confirmed_day"]]
    return judged(silent).merge(confirmed, on=["patient_id", "line"]), judged(unnumbered)


@settings(deadline=None, max_examples=12, derandomize=True, phases=[Phase.generate])
@given(day=st.integers(100, 4500))
def test_an_earlier_cut_of_stated_lines_keeps_judged_relapses(silent, judged_whole, day):
    """Another event may turn out to have come after a relapse: one whose confirming sample the cut did not know."""
    whole, now = judged_whole[0], judged(data_cut.as_of(silent, day))
    assert (now["end"] <= day).all()
    events = now[now["event"] != "censored"]
    both = events.merge(whole, on=["patient_id", "line", "start_day"], suffixes=("", "_whole"), validate="one_to_one")
    assert len(both) == len(events)
    same = (both["end"] == both["end_whole"]) & (both["event"] == both["event_whole"])
    assert same[both["event"] == "relapse"].all()
    later = (both["event_whole"] == "relapse") & (both["end_whole"] <= both["end"]) & (both["confirmed_day"] > day)
    assert (same | later).all()
    known = whole[(whole["event"] != "censored") & (whole["end"] <= day)]
    known = known[(known["event"] != "relapse") | (known["confirmed_day"] <= day)]
    assert len(known.merge(events, on=KEY)) == len(known)


def sampled_until(cut):
    """Per patient the day before the last sample of each marker: what was shown up to it, a later sample answered."""
    drawn = {test: rows[["patient_id", "day"]] for test, rows in cut["labs"].groupby("test")}
    chains = drawn["kappa free light chain"].merge(drawn["lambda free light chain"])
    last = [rows.groupby("patient_id")["day"].max() for rows in (drawn["serum M-protein"], chains)]
    return pd.concat(last, axis=1).min(axis=1).reindex(cut["patients"]["patient_id"]).fillna(-(10**6)) - 1


@settings(deadline=None, max_examples=8, derandomize=True, phases=[Phase.generate])
@given(day=st.integers(400, 4500))
def test_an_earlier_cut_of_derived_lines_and_judged_relapses_changes_no_decided_event(unnumbered, judged_whole, day):
    """Decided: look-ahead of the rule on record, and a later sample of every marker."""
    cut = data_cut.as_of(unnumbered, day)
    now = judged(cut)
    assert (now["end"] <= day).all()
    until = sampled_until(cut).clip(upper=day - LOOK_AHEAD_DAYS)
    pd.testing.assert_frame_equal(decided(now, until), decided(judged_whole[1], until))


def test_a_cut_does_not_change_where_relapses_are_taken_from(cohort):
    """Early on nobody wrote progressions down; by then the source would have been one to be judged."""
    later = cohort["findings"]["day"] > 800
    late = cohort | {"findings": cohort["findings"][later | (cohort["findings"]["finding"] != "progression")]}
    cut = data_cut.as_of(late, 700)
    assert relapses.basis(late) == relapses.basis(cut) == "stated"
    assert cut["cohort"]["relapses"].tolist() == ["stated"]
    assert relapses.basis(cut | {"cohort": late["cohort"]}) == "judged"
    assert "relapses" not in data_cut.as_of(cohort, 2000)["cohort"]
