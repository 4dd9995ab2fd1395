"""Relapse as the source states it, or judged from its markers: the one or the other, never a mixture."""

import pandas as pd
import pytest

from analysis.derive import regimens, relapses, response, spells
from analysis.sources import synthetic


@pytest.fixture(scope="module")
def cohort():
    return synthetic.simulate(patients=150, seed=4)


@pytest.fixture(scope="module")
def silent(cohort):
    """The same records, but nobody wrote down a progression."""
    findings = cohort["findings"]
    return cohort | {"findings": findings[findings["finding"] != "progression"].reset_index(drop=True)}


def test_what_the_source_states_is_kept(cohort):
    lines = regimens.lines(cohort)
    assert relapses.stated(cohort)
    pd.testing.assert_frame_equal(relapses.with_relapses(cohort, lines), lines)
    assert spells.not_judged(cohort) == (0, 0)


def test_a_source_that_states_none_is_judged_by_its_markers(silent):
    lines = regimens.lines(silent)
    judged = relapses.with_relapses(silent, lines)
    expected = response.with_outcomes(lines, response.outcomes(silent, lines, mode="lab_only"))
    pd.testing.assert_frame_equal(judged, expected)
    left_out, all_lines = spells.not_judged(silent)
    assert 0 < left_out < all_lines == len(lines)
    made = spells.of(silent)
    assert len(made) == all_lines - left_out
    assert (made["event"] == "relapse").any()
    assert set(made["patient_id"]) <= set(judged.loc[judged["followable"], "patient_id"])


def test_without_progression_and_without_markers_no_relapse_is_made_up(silent):
    bare = {name: frame for name, frame in silent.items() if name != "labs"}
    assert not (spells.of(bare)["event"] == "relapse").any()
    left_out, all_lines = spells.not_judged(bare)
    assert left_out == all_lines > 0


def test_another_endpoint_needs_no_judgement(silent):
    other = silent | {"cohort": silent["cohort"].assign(endpoint="next_line")}
    assert relapses.stated(other)
    assert "followable" not in relapses.with_relapses(other, regimens.lines(other))


def test_duration_of_response_runs_from_the_first_confirmed_response_to_the_progression():
    days, values = [0, 30, 60, 90, 120, 150], [4.0, 1.8, 0.2, 0.2, 0.8, 1.0]
    labs = pd.DataFrame({"patient_id": "a", "day": days, "test": "serum M-protein", "value": values, "unit": "g/dL"})
    patients = pd.DataFrame({"patient_id": ["a"], "entry_day": 0, "last_contact_day": 200, "death_day": pd.NA})
    cohort = {"patients": patients.astype({"death_day": "Int64"}), "labs": labs}
    lines = pd.DataFrame({"patient_id": ["a"], "line": [1], "start_day": [0], "end_day": [100]})
    judged = response.with_outcomes(lines, response.outcomes(cohort, lines, mode="lab_only"))
    assert judged[["response_day", "progression_day", "best_response"]].values.tolist() == [[30, 120, "VGPR"]]
    made = spells.spells(cohort, judged, endpoint="duration_of_response")
    assert made[["start_day", "time", "event"]].values.tolist() == [[30, 90, "relapse"]]


def test_an_early_death_is_not_left_out_for_want_of_a_second_sample():
    labs = pd.DataFrame({"patient_id": "a", "day": [0], "test": "serum M-protein", "value": 4.0, "unit": "g/dL"})
    patients = pd.DataFrame({"patient_id": ["a"], "entry_day": 0, "last_contact_day": 20, "death_day": 20})
    treatments = pd.DataFrame({"patient_id": ["a"], "start_day": 0, "end_day": 19, "agent": "bortezomib"})
    about = pd.DataFrame({"endpoint": ["relapse"]})
    treatments = treatments.assign(line=pd.array([1], dtype="Int64"))
    cohort = {"cohort": about, "patients": patients, "treatments": treatments, "labs": labs}
    assert spells.of(cohort)[["line", "time", "event"]].values.tolist() == [[1, 20, "death"]]
    assert spells.not_judged(cohort) == (0, 1)


def test_haemoglobin_alone_judges_nothing(silent):
    labs = silent["labs"]
    blood = silent | {"labs": labs[labs["test"] == "haemoglobin"].reset_index(drop=True)}
    assert not (spells.of(blood)["event"] == "relapse").any()
    assert len(spells.of(blood)) > 0


# --- what a few stated progressions change, and what they do not -----------------------------------------------------


def with_progressions(silent, rows, **about):
    """The silent source, with these progressions written down and these columns of COHORT."""
    made = pd.DataFrame(rows, columns=["patient_id", "day"]).assign(finding="progression", value="clinical")
    findings = pd.concat([silent["findings"], made], ignore_index=True)
    return silent | {"findings": findings, "cohort": silent["cohort"].assign(**about)}


def some_of(cohort, silent, share, **about):
    """The source that writes down a share of its progressions only."""
    rows = cohort["findings"].query("finding == 'progression'").sample(frac=share, random_state=2)
    return with_progressions(silent, rows[["patient_id", "day"]].to_numpy().tolist(), **about)


def test_one_stray_progression_does_not_switch_judging_off(silent):
    lines = relapses.lines(silent)
    quiet = lines[lines["followable"] & lines["progression_day"].isna()].iloc[0]
    stray = with_progressions(silent, [[quiet["patient_id"], quiet["start_day"] + 1]])
    assert relapses.basis(silent) == "judged"
    assert not relapses.stated(stray)
    assert relapses.basis(stray) == "both"
    before, after = (spells.of(one).set_index(["patient_id", "line"]) for one in (silent, stray))
    assert before.index.equals(after.index)
    changed = before.index[(before[["time", "event"]] != after[["time", "event"]]).any(axis=1)]
    assert changed.tolist() == [(quiet["patient_id"], quiet["line"])]
    assert after.loc[changed[0], ["time", "event"]].tolist() == [1, "relapse"]


def test_a_source_that_states_most_of_its_progressions_is_taken_at_its_word(cohort, silent):
    assert relapses.basis(some_of(cohort, silent, 0.8)) == "stated"
    assert relapses.basis(some_of(cohort, silent, 0.2)) == "both"


def test_the_share_is_that_of_lines_that_another_line_followed():
    treatments = pd.DataFrame({"patient_id": list("aabbc"), "start_day": [0, 400, 0, 500, 0], "end_day": 600})
    treatments = treatments.assign(agent="bortezomib", line=pd.array([1, 2, 1, 2, 1], dtype="Int64"))
    treatments["end_day"] = treatments["start_day"] + 90
    findings = pd.DataFrame({"patient_id": ["a", "c"], "day": [380, 50], "finding": "progression", "value": ""})
    source = {"treatments": treatments, "findings": findings}
    assert relapses.share_stated(source) == 0.5
    unnumbered = treatments.assign(line=pd.array([None] * 5, dtype="Int64"), agent=["V", "K"] * 2 + ["V"])
    unnumbered["agent"] = unnumbered["agent"].map({"V": "bortezomib", "K": "carfilzomib"})
    assert relapses.share_stated(source | {"treatments": unnumbered}) == 0.5


def test_the_share_of_derived_lines_counts_none_that_a_progression_made():
    """Else each stated progression would make the line that it is then found in."""
    rows = [("a", 0, "bortezomib"), ("a", 400, "carfilzomib"), ("b", 0, "bortezomib"), ("b", 400, "bortezomib")]
    treatments = pd.DataFrame(rows, columns=["patient_id", "start_day", "agent"])
    treatments = treatments.assign(end_day=treatments["start_day"] + 90)
    findings = pd.DataFrame({"patient_id": ["b"], "day": [380], "finding": "progression", "value": ""})
    source = {"treatments": treatments, "findings": findings}
    assert len(regimens.lines(source)) == 4
    assert relapses.share_stated(source) == 0


def test_one_patient_with_markers_does_not_switch_judging_on(cohort, silent):
    few = some_of(cohort, silent, 0.3)
    labs = few["labs"]
    one = few | {"labs": labs[labs["patient_id"] == labs["patient_id"].iloc[0]].reset_index(drop=True)}
    none = {name: frame for name, frame in few.items() if name != "labs"}
    assert relapses.basis(few) == "both"
    assert relapses.basis(one) == relapses.basis(none) == "stated"
    pd.testing.assert_frame_equal(spells.of(one), spells.of(none))


def test_first_lines_alone_are_taken_at_their_word_where_nothing_could_be_judged():
    patients = pd.DataFrame({"patient_id": list("abcd"), "entry_day": 0, "last_contact_day": 400})
    patients = patients.assign(death_day=pd.array([None] * 4, dtype="Int64"))
    treatments = pd.DataFrame({"patient_id": list("abcd"), "start_day": 0, "end_day": 90, "agent": "bortezomib"})
    treatments = treatments.assign(line=pd.array([1] * 4, dtype="Int64"))
    findings = pd.DataFrame({"patient_id": ["a"], "day": [380], "finding": "progression", "value": ""})
    source = {"cohort": pd.DataFrame({"endpoint": ["relapse"]}), "patients": patients, "treatments": treatments}
    source |= {"findings": findings}
    assert relapses.share_stated(source) == 0.25
    assert relapses.basis(source) == "stated"
    assert spells.not_judged(source) == (0, 0)
    assert spells.of(source)["event"].tolist() == ["relapse", "censored", "censored", "censored"]
    early = source | {"findings": findings.assign(day=0)}  # in no line at all
    assert spells.not_judged(early) == (0, 0)
    drawn = pd.DataFrame({"patient_id": "b", "day": [0, 90], "test": "serum M-protein", "value": 3.0, "unit": "g/dL"})
    assert relapses.basis(source | {"labs": drawn.head(1)}) == "stated"


@pytest.mark.parametrize("said", ["stated", "judged", "both"])
def test_the_cohort_itself_says_where_relapses_come_from(cohort, silent, said):
    told = some_of(cohort, silent, 0.3, relapses=said)
    full = cohort | {"cohort": cohort["cohort"].assign(relapses=said)}
    assert relapses.basis(told) == relapses.basis(full) == said
    if said == "judged":
        for one in (told, full):
            pd.testing.assert_frame_equal(spells.of(one), spells.of(silent), check_dtype=False)
    if said == "stated":
        assert (spells.of(told)["event"] == "relapse").sum() < (spells.of(silent)["event"] == "relapse").sum()


def test_of_two_progressions_of_a_line_the_earlier_counts_and_its_origin_is_kept(cohort, silent):
    both = some_of(cohort, silent, 0.3, relapses="both")
    lines = relapses.lines(both)
    judged = relapses.lines(silent)["progression_day"].astype("float64")
    told = regimens.lines(both)["progression_day"].astype("float64")
    expected = pd.concat([judged, told], axis=1).min(axis=1)
    pd.testing.assert_series_equal(lines["progression_day"].astype("float64"), expected, check_names=False)
    origin = pd.Series("none", lines.index).mask(judged.notna(), "judged").mask(told <= judged.fillna(1e9), "stated")
    assert lines["progression_origin"].tolist() == origin.tolist()
    assert {"none", "judged", "stated"} == set(origin)
    kinds = regimens.lines(both)["relapse_kind"]
    stated = lines["progression_origin"] == "stated"
    assert lines.loc[stated, "relapse_kind"].tolist() == kinds[stated].tolist()


def test_a_stated_progression_keeps_no_line_in_that_could_not_be_judged(cohort, silent):
    """Keeping it for its event would choose lines by their outcome."""
    both = some_of(cohort, silent, 0.3, relapses="both")
    lines = relapses.lines(both)
    assert (lines["progression_day"].notna() & ~lines["followable"]).any()
    followable = pd.MultiIndex.from_frame(lines.loc[lines["followable"], ["patient_id", "line"]])
    made = spells.of(both)
    assert pd.MultiIndex.from_frame(made[["patient_id", "line"]]).equals(followable)
    assert spells.not_judged(both) == ((~lines["followable"]).sum(), len(lines))


# --- lines that learn of judged progressions --------------------------------------------------------------------------


def three_courses():
    """The same drug taken up again after each of two relapses, which only the M-protein shows."""
    values = {0: 4.0, 60: 0.2, 120: 0.2, 400: 1.6, 430: 2.0, 500: 0.3, 560: 0.3, 800: 1.9, 830: 2.2, 900: 0.4, 960: 0.4}
    labs = pd.DataFrame({"patient_id": "a", "day": list(values), "test": "serum M-protein"})
    labs = labs.assign(value=list(values.values()), unit="g/dL")
    starts = [0, 440, 840]
    treatments = pd.DataFrame({"patient_id": "a", "start_day": starts, "end_day": [200, 600, 1000]})
    patients = pd.DataFrame({"patient_id": ["a"], "entry_day": 0, "last_contact_day": 1100})
    patients = patients.assign(death_day=pd.array([None], dtype="Int64"))
    about = pd.DataFrame({"endpoint": ["relapse"]})
    treatments = treatments.assign(agent="bortezomib")
    return {"cohort": about, "patients": patients, "treatments": treatments, "labs": labs}


def test_the_same_drug_after_a_judged_relapse_is_a_new_line_each_time():
    cohort = three_courses()
    assert len(regimens.lines(cohort)) == 1
    lines = relapses.lines(cohort)
    assert lines["start_day"].tolist() == [0, 440, 840]
    assert lines["progression_day"].tolist()[:2] == [400, 800]
    assert lines["start_reason"].tolist()[1:] == ["treatment after progression"] * 2
    made = spells.of(cohort)
    assert made[["line", "time", "event"]].values.tolist() == [
        [1, 400, "relapse"],
        [2, 360, "relapse"],
        [3, 260, "censored"],
    ]
    assert spells.not_judged(cohort) == (0, 3)


@pytest.mark.parametrize("rule", ["ohdsi", "window_gap"])
def test_rules_that_do_not_read_progressions_make_the_lines_that_they_made(rule):
    cohort = three_courses()
    expected = regimens.lines(cohort, rule)
    found = relapses.lines(cohort, rule)
    assert found["start_day"].tolist() == expected["start_day"].tolist()
    assert found["progression_day"].notna().any()


def test_left_out_progressions_stay_out_of_the_rule():
    assert len(relapses.lines(three_courses(), "rajkumar", findings=None)) == 1


def test_lines_that_learn_come_nearer_to_the_truth(cohort, silent):
    treatments = silent["treatments"].assign(line=pd.array([None] * len(silent["treatments"]), dtype="Int64"))
    unnumbered = silent | {"treatments": treatments}
    true = regimens.lines(cohort).groupby("patient_id")["start_day"].agg(tuple)
    shares = [
        (lines.groupby("patient_id")["start_day"].agg(tuple).reindex(true.index) == true).mean()
        for lines in (regimens.lines(unnumbered), relapses.lines(unnumbered))
    ]
    assert shares[1] > shares[0] + 0.01
    pd.testing.assert_frame_equal(relapses.lines(unnumbered), relapses.lines(shuffled(unnumbered)))


def test_where_relapses_are_judged_the_rule_reads_no_stated_progression(cohort, silent):
    treatments = silent["treatments"].assign(line=pd.array([None] * len(silent["treatments"]), dtype="Int64"))
    told = some_of(cohort, silent, 0.5, relapses="judged")
    found, expected = (relapses.lines(one | {"treatments": treatments}) for one in (told, silent))
    pd.testing.assert_frame_equal(found, expected)
    both = told | {"cohort": told["cohort"].assign(relapses="both"), "treatments": treatments}
    assert len(relapses.lines(both)) != len(expected)


def shuffled(cohort):
    return {name: frame.sample(frac=1, random_state=3).reset_index(drop=True) for name, frame in cohort.items()}


def test_every_judged_progression_is_known_to_the_rule(silent):
    """Settled: judged in the final lines, no progression is found that the rule was not told, and it is stable."""
    treatments = silent["treatments"].assign(line=pd.array([None] * len(silent["treatments"]), dtype="Int64"))
    unnumbered = silent | {"treatments": treatments}
    lines = relapses.lines(unnumbered)
    documented = lines.dropna(subset=["progression_day"])[["patient_id", "progression_day"]]
    findings = documented.rename(columns={"progression_day": "day"}).astype({"day": "int64"})
    findings = findings.assign(finding="progression", value="")
    again = regimens.lines(unnumbered, "rajkumar", findings=findings)
    assert again[["patient_id", "line", "start_day"]].equals(lines[["patient_id", "line", "start_day"]])
