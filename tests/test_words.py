"""Sentences: their numbers come from the frames, their words from the endpoint, and data cannot break out of them."""

import functools
import re

import numpy as np
import pandas as pd
import prediction_frames
import present_frames as frames
import pytest

from analysis import disclosure, schema
from analysis.present import labels, numbers, reading, words

EVIL = "<script>*bold* [link](http://x) $x$ `code`"
FORMATS = {"format_count", "format_interval", "format_months", "format_percent", "plural", "event_name", "show"}


def plain(text):
    return text.replace(numbers.NO_BREAK_SPACE, " ")


def cohort(endpoint="relapse", synthetic=True, **changes):
    about = {
        "name": "hand",
        "title": "Made by hand",
        "synthetic": synthetic,
        "endpoint": endpoint,
        "time_zero": "first treatment",
        "source": "these tests",
        "citation": "none",
        "licence": "none",
        "release": "v41",
    }
    return pd.DataFrame([about | changes])


PATIENTS = pd.DataFrame(
    {
        "patient_id": ["a", "b", "c"],
        "entry_day": 0,
        "last_contact_day": 100,
        "death_day": pd.array([pd.NA, 100, pd.NA], dtype="Int64"),
        "index_year": pd.array([2012, pd.NA, 2009], dtype="Int64"),
    }
)
GROUPS = pd.DataFrame({"stratum": ["line 1", "line 5", "II"], "subjects": [500.0, 1.0, np.nan]})
GROUPS["enough"] = [True, False, False]
FLOW = pd.DataFrame({"step": [1, 2], "rule": ["all", "with a line"], "removed": [0, 1234], "remaining": [6234, 5000]})
MISSINGNESS = pd.DataFrame(
    {"table": "PATIENTS", "column": ["iss", "sex"], "missing": [50.0, 0.0], "total": 100.0, "share": [0.5, 0.0]}
)
AGENTS = pd.DataFrame({"agent": ["elixir", "potion"], "patients": [9.0, 8.0]})
SURVIVAL = pd.DataFrame(
    {
        "estimand": "survival",
        "stratum": ["line 1", "line 4", "line 5", "line 6"],
        "event": "any",
        "probability": 0.5,
        "estimate": [1800.0, 350.0, np.nan, 540.0],
        "conf_low": np.nan,
        "conf_high": np.nan,
        "subjects": 100.0,
        "events": 60.0,
        "note": "",
        "line": [1, 4, 5, 6],
    }
)
CHECKS = pd.DataFrame({"check": ["adds up"], "value": [0.0], "limit": [1e-9], "passed": [True], "note": [""]})


@functools.cache
def everything(endpoint):
    """The output of every function of the room, made from frames of one endpoint."""
    event = endpoint
    curves = frames.curves(endpoint)
    name = labels.event_name(event, endpoint)
    quantiles = pd.concat([frames.quantiles(), frames.quantiles("cumulative incidence", event)])
    settings = {"horizon_months": 60, "times_months": [12, 24], "minimum_patients": 20, "seed": 7}
    settings |= {"attrition_months": 24, "drawn_lines": 4, "minimum_at_risk": 11}
    return {
        "alt_all_causes": words.alt_all_causes(curves, 60),
        "alt_attrition": words.alt_attrition(frames.attrition(), 24),
        "alt_calibration": words.alt_calibration(frames.calibration().iloc[2:]),
        "alt_class_flows": words.alt_class_flows(frames.class_flows(), 3),
        "alt_class_shares": words.alt_class_shares(frames.class_shares()),
        "alt_courses": words.alt_courses(frames.courses(endpoint)),
        "alt_crude_against_right": words.alt_crude_against_right(frames.comparison(event), 24, name),
        "alt_cumulative_incidence": words.alt_cumulative_incidence(curves, event, 60, name),
        "alt_effect_by_time": words.alt_effect_by_time(frames.effect_by_time()),
        "alt_effects": words.alt_effects(frames.effects(endpoint), endpoint),
        "alt_event_free": words.alt_event_free(curves, 60, labels.event_name("any", endpoint)),
        "alt_functional_form": words.alt_functional_form(frames.functional_form()),
        "alt_learning_curve": words.alt_learning_curve(prediction_frames.learning(), "Uno's C", 24),
        "alt_model_scores": words.alt_model_scores(prediction_frames.scores(), "Uno's C", 24),
        "alt_net_benefit": words.alt_net_benefit(prediction_frames.net_benefit(), 24),
        "alt_risk_calibration": words.alt_risk_calibration(prediction_frames.calibration_curve(), 24),
        "alt_overlay": words.alt_overlay(frames.fitted_curves(endpoint), frames.steps(endpoint), endpoint),
        "alt_rates": words.alt_rates(frames.rates(event), event, name),
        "alt_specifications": words.alt_specifications(frames.specifications(event), event),
        "alt_standardised": words.alt_standardised(frames.standardised(event), name, 60),
        "attrition": words.attrition(frames.attrition(), 24),
        "attrition_change": words.attrition_change(
            frames.attrition(), frames.attrition().iloc[:9].assign(estimate=0.1)
        ),
        "calibration": words.calibration(frames.calibration().iloc[2:]),
        "checks": words.checks(CHECKS),
        "class_shares": words.class_shares(frames.class_shares()),
        "covariates": words.covariates(frames.terms()),
        "crude_gap": words.crude_gap(frames.comparison(event), event, endpoint, 24),
        "daily_life": words.daily_life(),
        "definitions": words.definitions(endpoint, settings),
        "early_signs": words.early_signs(),
        "effects": words.effects(frames.effects(endpoint), endpoint),
        "effects_caveat": words.effects_caveat(),
        "era_caveat": words.era_caveat(),
        "eras": words.eras(GROUPS, 20),
        "extrapolation": words.extrapolation(frames.fitted_curves(endpoint), endpoint),
        "fits": words.fits(frames.fits(endpoint), endpoint),
        "flow": words.flow(FLOW),
        "follow_up": words.follow_up(frames.quantiles("follow-up", "censored"), 50, 11),
        "headline": words.headline(curves, quantiles, event, endpoint, [12, 24]),
        "implausible": words.implausible(12, 5000),
        "imputed": words.imputed(frames.imputed(endpoint), endpoint),
        "landmark": words.landmark(frames.landmark_flow(event=labels.event_short(event, endpoint)), 180),
        "line_agreement": words.line_agreement(frames.line_agreement(), "rajkumar"),
        "medians": words.medians(quantiles, endpoint),
        "missingness": words.missingness(MISSINGNESS),
        "model_scores": words.model_scores(prediction_frames.scores(), "Uno's C", 24),
        "optimism": words.optimism(prediction_frames.optimism(), "Uno's C", 24),
        "not_foreseen": words.not_foreseen("fewer than 100 events"),
        "not_judged": words.not_judged(12 if endpoint == "relapse" else 0, 900 if endpoint == "relapse" else 0),
        "patterns": words.patterns(frames.patterns()),
        "proportional": words.proportional(frames.tests(endpoint), endpoint),
        "published_figures": words.published_figures(),
        "rates": words.rates(frames.rates(event), event, endpoint),
        "selection_caveat": words.selection_caveat(frames.attrition()),
        "small_groups": words.small_groups(GROUPS, 20),
        "specifications": words.specifications(frames.specifications(event)),
        "stage_of_data": words.stage_of_data({"treatments": PATIENTS}),
        "standardised": words.standardised(frames.contrasts(endpoint), endpoint),
        "start_imputed": words.start_imputed(169),
        "strategies": words.strategies(frames.class_shares()),
        "rising_survival": words.rising_survival(SURVIVAL),
        "time_ratios": words.time_ratios(frames.time_ratios(endpoint), endpoint),
        "time_ratios_caveat": words.time_ratios_caveat(),
        "unknown_agents": words.unknown_agents(AGENTS, AGENTS),
        "who": words.who(cohort(endpoint), PATIENTS),
    }


def test_no_function_is_left_out_of_these_tests():
    assert set(everything("relapse")) == set(words.__all__) - FORMATS


@pytest.mark.parametrize("name", sorted(everything("next_line")))
def test_where_no_relapse_is_recorded_none_is_spoken_of(name):
    text = everything("next_line")[name]
    assert text.strip()
    assert "relapse" not in text.lower()


@pytest.mark.parametrize("endpoint", ["relapse", "next_line"])
def test_sentences_are_whole(endpoint):
    for name, text in everything(endpoint).items():
        assert text == text.strip(), name
        assert not re.search(r"\bnan\b|\bNone\b(?! of)|NaT|<NA>|  +\S|\{|\}", text), name
        assert text.rstrip("*")[-1] in ".)", name


@pytest.mark.parametrize(
    ("stratum", "text"),
    [
        ("Line 1", "by 24 months"),
        ("Line 1", "half had relapsed, started the next line or died within 21.0 months (19.7–22.7 months)"),
        ("Line 2", "within 12.4 months (11.5 months to not reached)"),
        ("Line 3", "fewer than half had relapsed, started the next line or died (median not reached)"),
    ],
)
def test_the_headline_has_shares_and_medians_with_limits(stratum, text):
    curves = frames.curves()
    said = plain(words.headline(curves, frames.quantiles(), "relapse", "relapse", [12, 24]))
    line = next(line for line in said.splitlines() if line.startswith(f"- **{stratum}**"))
    assert text in line
    rows = curves.query("event == 'relapse' and stratum == 'line 1'")
    last = rows[rows["time"] <= 24 * frames.MONTH].iloc[-1]
    assert f"by 24 months {100 * last['estimate']:.1f} % ({100 * last['conf_low']:.1f}–" in said


def test_the_headline_says_where_the_data_end():
    short = frames.curves(lines=(1,)).query("time < 500")
    said = plain(words.headline(short, schema.empty(schema.QUANTILES), "relapse", "relapse", [12, 24, 60]))
    assert said.endswith("had relapsed; too few are left to say by 24 months.")
    assert said.count("by 24 months") == 1
    said = plain(words.headline(short, schema.empty(schema.QUANTILES), "relapse", "relapse", [24]))
    assert said == "**Line 1**: too few are left to say by 24 months."


def test_a_withheld_share_is_neither_guessed_from_an_earlier_one_nor_called_the_end_of_the_data():
    times = [month * frames.MONTH for month in (12, 24, 36)]
    fixed = pd.DataFrame({"estimand": "cumulative incidence", "stratum": "line 1", "event": "relapse", "time": times})
    fixed = fixed.assign(estimate=[0.1, 0.2, 0.3], conf_low=0.05, conf_high=0.4, std_error=0.01)
    fixed = disclosure.withhold(fixed.assign(at_risk=50.0, events=[10.0, 5.0, 30.0], censored=20.0), ["events"])
    assert reading.at(fixed, "cumulative incidence", "relapse", 24)["missing"].tolist() == ["withheld"]
    said = plain(words.headline(fixed, schema.empty(schema.QUANTILES), "relapse", "relapse", [12, 24, 36]))
    assert "by 12 months 10.0 % (5.0–40.0 %) and by 36 months 30.0 % (5.0–40.0 %) had relapsed" in said
    assert said.endswith("; the small counts by 24 months are withheld.")
    assert "withheld at 24 months" in plain(words.alt_cumulative_incidence(fixed, "relapse", 36, "relapse"))


def test_a_relapse_cannot_be_asked_of_a_source_without_any():
    for ask in (
        lambda: labels.event_name("relapse", "next_line"),
        lambda: words.headline(frames.curves(), frames.quantiles(), "relapse", "next_line", [12]),
        lambda: words.rates(frames.rates(), "relapse", "next_line"),
        lambda: words.medians(frames.quantiles(event="relapse"), "next_line"),
        lambda: words.crude_gap(frames.comparison(), "relapse", "next_line", 24),
    ):
        with pytest.raises(ValueError, match="records no relapse"):
            ask()
    with pytest.raises(ValueError, match="endpoint"):
        words.definitions("progression")


def test_rates_and_attrition_tell_counts_and_limits():
    said = plain(words.rates(frames.rates(), "relapse", "relapse"))
    assert "In line 1: 25.6 (24.5–26.6) per 100 person-years; 2,300 events among 5,000 patients." in said
    said = plain(words.attrition(frames.attrition(), 24))
    assert "Of the 994 patients who started line 1, 256 (25.8 %, limits 23.8–27.8 %) started" in said
    assert "105 (10.6 %, limits 8.6–12.6 %) died first and 633" in said
    assert "by 24 months 22.4 % (20.4–24.4 %) had started the next line and 5.0 % (3.0–7.0 %) had died first." in said


def test_attrition_without_one_of_its_readings():
    both = frames.attrition()
    assert "Too few are left to say by 24 months." in plain(words.attrition(both.assign(estimate=np.nan), 24))
    hidden = disclosure.withhold(both.assign(count=3.0), ["count"])
    assert "Shares made from small counts are withheld." in words.attrition(hidden, 24)
    assert "Allowing for" not in plain(words.attrition(both[both["reading"] == "crude"], 24))
    assert "who started" not in words.attrition(both[both["reading"] != "crude"], 24)


def test_the_gap_is_told_in_points_and_direction():
    said = plain(words.crude_gap(frames.comparison(lines=(1,)), "relapse", "relapse", 24))
    assert "In line 1, 42.0 % (39.0–45.0 %) had relapsed by 24 months." in said
    assert "The crude share says 38.0 %, 4.0 points too low." in said
    assert "One minus Kaplan-Meier says 48.0 %, 6.0 points too high." in said
    same = frames.comparison(lines=(1,)).assign(estimate=0.5)
    assert "50.0 %, the same to the first decimal" in plain(words.crude_gap(same, "relapse", "relapse", 24))


def test_the_printed_numbers_of_a_gap_subtract():
    rows = frames.comparison(lines=(1,), months=(24,)).assign(estimate=[0.20049, 0.25651, 0.15049])
    said = plain(words.crude_gap(rows, "relapse", "relapse", 24))  # 5.602 points unrounded
    assert "20.0 % (39.0–45.0 %)" in said
    assert "One minus Kaplan-Meier says 25.7 %, 5.7 points too high." in said


@pytest.mark.parametrize(("endpoint", "others"), [("relapse", "other events that come first"), ("next_line", "deaths")])
def test_what_one_minus_kaplan_meier_censors_is_named(endpoint, others):
    rows = frames.comparison(endpoint)
    assert f"wherever there are {others}." in words.crude_gap(rows, endpoint, endpoint, 24)
    assert ("a next line begun without a recorded relapse" in words.crude_gap(rows, endpoint, endpoint, 24)) == (
        endpoint == "relapse"
    )
    assert f"one minus Kaplan-Meier censors {others}." in words.alt_crude_against_right(rows, 24, "it")
    assert "censors other events" in words.alt_crude_against_right(rows, 24, "it", endpoint="relapse")


def test_what_few_patients_at_risk_say_is_not_said():
    few = frames.comparison(lines=(1, 2)).assign(
        at_risk=lambda rows: rows["stratum"].map({"line 1": 50.0, "line 2": 10.0})
    )
    said = plain(words.crude_gap(few, "relapse", "relapse", 24))
    assert "In line 1, 42.0 %" in said
    assert said.endswith("- In line 2, too few are left to say by 24 months.")
    alt = plain(words.alt_crude_against_right(few.assign(at_risk=np.nan), 24, "relapse"))
    assert "line 2: cumulative incidence too few left, one minus Kaplan-Meier too few left and" in alt
    assert "%" not in alt
    fixed = few[few["estimand"] == "cumulative incidence"]
    said = plain(words.headline(fixed, schema.empty(schema.QUANTILES), "relapse", "relapse", [12, 24]))
    assert "by 24 months 42.0 %" in said
    assert said.endswith("**Line 2**: too few are left to say by 12 months.")
    alt = plain(words.alt_cumulative_incidence(fixed, "relapse", 24, "relapse"))
    assert "line 2: too few left at 12 months and too few left at 24 months" in alt


def test_attrition_read_where_few_are_at_risk_is_not_said():
    known = frames.attrition().assign(at_risk=lambda rows: np.where(rows["line"] == 3, 10.0, 40.0))
    known.loc[known["reading"] == "crude", "at_risk"] = np.nan
    *_, third = plain(words.attrition(known, 24)).splitlines()
    assert third.endswith("did neither in all of the follow-up. Too few are left to say by 24 months.")
    alt = plain(words.alt_attrition(known, 24))
    assert "line 3, all follow-up: next line 38.0 %" in alt
    assert "line 3, by 24 months: next line too few left, death before a next line too few left and" in alt
    said = words.attrition_change(known, known.assign(estimate=known["estimate"] - 0.01), 24)
    assert "start of line 2" in said
    assert "start of line 3" not in said


def test_all_causes_are_told_at_the_last_month_with_enough_at_risk():
    curves = frames.curves(lines=(1,), patients=200)
    day = curves.loc[curves["at_risk"] >= 11, "time"].max()
    assert day < 59 * frames.MONTH
    assert f"Line 1 at {int(day / frames.MONTH)} months:" in plain(words.alt_all_causes(curves, 60))
    assert "Line 1: too few left." in words.alt_all_causes(curves.assign(at_risk=5.0), 60)


def test_leaving_out_late_treatment_is_told_by_line():
    counted = frames.attrition()
    assert "nothing changes" in words.attrition_change(counted, counted)
    fewer = counted.assign(entered=counted["entered"].replace({254.0: 250.0, 100.0: 99.0}))
    said = plain(words.attrition_change(counted, fewer))
    assert "Leaving it out, 250 instead of 254 reach line 2 and 99 instead of 100 reach line 3." in said
    assert "Allowing" not in said
    said = plain(words.attrition_change(counted, fewer.assign(estimate=counted["estimate"] - 0.01), 12))
    assert "by 12 months after the start of line 1, 20.2 % (19.2–23.2 %) start the next line instead of 21.2 %" in said
    hidden = fewer.assign(entered=fewer["entered"].where(fewer["line"] < 3))
    said = plain(words.attrition_change(counted, hidden))
    assert "250 instead of 254 reach line 2. For line 3 the numbers are withheld." in said
    gone = plain(words.attrition_change(counted, counted[counted["line"] < 3]))
    assert "0 instead of 100 reach line 3." in gone


def test_starts_set_by_rule_are_counted():
    assert plain(words.start_imputed(169)).startswith(
        "For 169 patients the record does not give the first day of line 1"
    )
    assert plain(words.start_imputed(None)).startswith("For 1–7 patients")
    assert words.start_imputed(0) == "No start had to be set by rule."


def test_definitions_name_the_assumption_what_competes_and_every_setting():
    settings = {"attrition_months": 24, "drawn_lines": 4, "minimum_at_risk": 11}
    said = plain(words.definitions("relapse", settings))
    assert "would have fared like those still watched" in said
    assert "pointwise - for one time at a time - and cover chance only" in said
    assert "the relapse counts first, then the next line, then death" in said
    assert "compared at 24 months" in said
    assert "lines 1 to 4" in said
    assert "fewer than 11 patients are still at risk" in said
    assert "Other settings" not in said


def test_caveats_name_short_earlier_lines_and_fast_courses():
    assert "whose earlier lines were short" in words.selection_caveat()
    assert "end of observation has nothing to do with prognosis" in words.selection_caveat()
    assert "fast courses" in words.era_caveat()


def test_who_tells_number_years_and_kind():
    said = plain(words.who(cohort(), PATIENTS))
    assert said.startswith("Made by hand: 3 patients, first seen between 2009 and 2012. **These data are synthetic")
    said = plain(words.who(cohort("next_line", False, release=None), PATIENTS[:1].drop(columns="index_year")))
    assert said.startswith("Made by hand: 1 patient. These are records of real patients")
    assert "does not record when the disease came back" in said


def test_small_groups_tell_which_and_why():
    said = plain(words.small_groups(GROUPS, 20))
    assert "line 5 (1 patient) and II (1–7 patients). With fewer than 20 patients" in said
    assert plain(words.small_groups(GROUPS[:1], 20)) == "Every group shown here has at least 20 patients."


def test_flow_missing_values_calibration_and_checks():
    assert plain(words.flow(FLOW)) == "Of 6,234 patients, 5,000 remain; 1,234 left out by rule."
    assert "no rule removed anybody" in words.flow(FLOW[:1])
    hidden = FLOW.assign(removed=pd.array([0, pd.NA], dtype="Int64"))
    assert plain(words.flow(hidden)) == "After all rules of selection 5,000 patients remain."
    assert "1 column lacks some values; most often ISS stage (50.0 % of PATIENTS)" in plain(
        words.missingness(MISSINGNESS)
    )
    assert words.missingness(MISSINGNESS[1:]) == "No column lacks a value."
    said = plain(words.calibration(frames.calibration()))
    assert said.startswith("This cohort meets 2 of 4 published figures. It misses:")
    assert "- reach line 2: 70.3 against 65.0 % (longer follow-up here)" in said
    assert "**1 of 1 check failed**: adds up" in plain(words.checks(CHECKS.assign(passed=False)))


def test_columns_whose_number_is_withheld_lack_values_too():
    few = pd.DataFrame({"table": "patients", "column": ["race", "line"], "missing": [3.0, 5.0], "total": 900.0})
    hidden = disclosure.shared(few.assign(share=few["missing"] / 900), schema.MISSINGNESS, synthetic=False)
    assert plain(words.missingness(hidden)) == (
        "2 columns lack some values, 2 of them so few that the number is withheld. "
        "What is missing stays missing: nothing is guessed."
    )
    both = pd.concat([MISSINGNESS, hidden[:1]])
    assert plain(words.missingness(both)).startswith(
        "2 columns lack some values, 1 of them so few that the number is withheld; most often ISS stage (50.0 % of"
    )


def test_follow_up_of_a_handful_is_not_told():
    said = plain(words.follow_up(schema.empty(schema.QUANTILES), 40, 11))
    assert said.startswith("How long they were watched is not told") and said.endswith("at least 40 patients.")
    median = frames.quantiles("follow-up", "censored")
    said = plain(words.follow_up(median, 40, 9))
    assert "the median follow-up from the start of the first line is" in said
    assert said.endswith("It is told of at least 40 patients, as far as 9 or more of them were watched.")
    hidden = words.follow_up(median.assign(estimate=np.nan, conf_low=np.nan), 40, 9)
    assert "months" not in hidden and "cannot be told: too few were watched that long" in hidden


def test_agents_without_a_name_are_said_to_have_none_and_the_table_is_named_only_where_it_names():
    say = words.unknown_agents
    assert say(AGENTS[:0], AGENTS[:0]) == "The vocabulary knows every agent."
    assert say(AGENTS, AGENTS).endswith("2 agents are not in the vocabulary; the table names them.")
    assert say(AGENTS[:1], AGENTS[:1]) == "1 agent is not in the vocabulary; the table names it."
    assert say(AGENTS, AGENTS[:1]).endswith("the table names 1, the others were had by too few patients.")
    assert say(AGENTS, AGENTS[:0]).endswith("too few patients had any of them to name one.")
    assert say(AGENTS[:1], AGENTS[:0]).endswith("too few patients had it to name one.")


def test_later_lines_that_live_longer_are_said_to_be_selected():
    said = words.rising_survival(SURVIVAL)
    assert said.startswith("From line 4 to line 6 the median rises. That is no sign that later treatment does better")
    assert words.rising_survival(SURVIVAL.sample(frac=1, random_state=1)) == said
    assert not re.search(r"\d", said.replace("line 4 to line 6", ""))
    assert words.rising_survival(SURVIVAL[:3]) == ""
    assert words.rising_survival(SURVIVAL[:0]) == ""


OPPOSITES = ["survival", "overall survival", "Progression-free survival", "patients alive", "being free of relapse"]


@pytest.mark.parametrize("label", OPPOSITES)
def test_no_sentence_takes_the_absence_of_an_event_for_an_event(label):
    curves = frames.curves()
    for say in (
        lambda: words.alt_event_free(curves, 60, label),
        lambda: words.alt_cumulative_incidence(curves, "relapse", 60, label),
        lambda: words.alt_crude_against_right(frames.comparison(), 24, label),
        lambda: words.alt_rates(frames.rates(), "relapse", label),
    ):
        with pytest.raises(ValueError, match="label: expected what happens, such as 'death from any cause', came"):
            say()


@pytest.mark.parametrize("endpoint", labels.ENDPOINTS)
def test_every_name_of_an_event_may_stand_in_a_caption(endpoint):
    for event in {*labels.EVENTS[endpoint == "next_line" :], "any"}:
        assert labels.of_event(labels.event_name(event, endpoint))


@pytest.mark.parametrize(
    "say",
    [
        lambda: words.headline(
            schema.empty(schema.CURVES), schema.empty(schema.QUANTILES), "relapse", "relapse", [12, 24]
        ),
        lambda: words.medians(schema.empty(schema.QUANTILES), "relapse"),
        lambda: words.rates(schema.empty(schema.RATES), "relapse", "relapse"),
        lambda: words.attrition(schema.empty(schema.ATTRITION), 24),
        lambda: words.crude_gap(schema.empty(schema.CURVES), "relapse", "relapse", 24),
        lambda: words.follow_up(schema.empty(schema.QUANTILES), 50, 11),
        lambda: words.flow(schema.empty(schema.FLOW)),
        lambda: words.class_shares(frames.class_shares()[:0]),
    ],
)
def test_no_group_is_said_to_be_none(say):
    assert "no group with enough patients" in say()


@pytest.mark.parametrize(
    "say",
    [
        lambda: words.alt_all_causes(schema.empty(schema.CURVES), 60),
        lambda: words.alt_cumulative_incidence(schema.empty(schema.CURVES), "relapse", 60, "relapse"),
        lambda: words.alt_event_free(schema.empty(schema.CURVES), 60),
        lambda: words.alt_crude_against_right(schema.empty(schema.CURVES), 24, "relapse"),
        lambda: words.alt_attrition(schema.empty(schema.ATTRITION), 24),
        lambda: words.alt_rates(schema.empty(schema.RATES), "relapse", "relapse"),
        lambda: words.alt_class_shares(frames.class_shares()[:0]),
        lambda: words.alt_calibration(schema.empty(schema.CALIBRATION)),
        lambda: words.alt_model_scores(schema.empty(schema.SCORES), "AUC", 24),
        lambda: words.alt_risk_calibration(schema.empty(schema.CALIBRATION_CURVE), 24),
        lambda: words.alt_net_benefit(schema.empty(schema.NET_BENEFIT), 24),
        lambda: words.alt_learning_curve(schema.empty(schema.LEARNING), "AUC", 24),
    ],
)
def test_the_alt_text_of_an_empty_figure_is_not_empty(say):
    assert len(say()) > 20


def test_background_holds_no_number_of_its_own():
    for text in (words.early_signs(), words.strategies(), words.daily_life(), words.selection_caveat()):
        assert not re.search(r"\d", text)
        assert 60 < len(text.split()) < 200


@pytest.mark.parametrize(
    ("say", "subjects"),
    [
        (words.early_signs, ["residual", "clones", "resist", "M-protein", "light chains", "imaging", "bone pain"]),
        (words.early_signs, ["tiredness", "infections", "kidney"]),
        (words.strategies, ["PI", "IMiD", "antibodies", "transplant", "CAR-T", "bispecific"]),
        (words.daily_life, ["Diet", "activity", "distress"]),
    ],
)
def test_background_names_what_the_suite_speaks_to(say, subjects):
    assert [subject for subject in subjects if subject not in say()] == []


def test_text_from_data_cannot_leave_its_sentence():
    said = [
        words.who(cohort(title=EVIL, source=EVIL, release=EVIL), PATIENTS),
        words.small_groups(GROUPS.assign(stratum=EVIL), 20),
        words.headline(frames.curves(lines=(1,)).assign(stratum=EVIL), frames.quantiles(), "relapse", "relapse", [12]),
        words.class_shares(frames.class_shares().assign(drug_class=EVIL)),
        words.definitions("relapse", {EVIL: EVIL, "after_last_contact": EVIL}),
        words.calibration(frames.calibration().assign(target=["a", EVIL, "c", "d"], note=EVIL)),
        words.checks(CHECKS.assign(check=EVIL, passed=False)),
    ]
    for text in said:
        assert r"\<script\>" in text
        assert not re.search(r"(?<!\\)<script|(?<!\\)\*bold|[^\\]\]\(http|(?<!\\)\$x|(?<!\\)`|(?<!\\)://", text)


def rendered(text):
    """The text of a Markdown sentence as a page shows it: HTML within it is not read as HTML."""
    from html import unescape

    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
    return unescape(re.sub(r"<[^>]+>", "", MarkdownWithMath(renderer=renderer).render(text))).strip()


def test_text_from_data_shows_as_it_stood_once_rendered():
    for text in (EVIL, "attrition_months_here", "a & b &amp; c@d.org ~~e~~ |f| {g} # !h + i", r"C:\new"):
        assert rendered(numbers.escape_markdown(text)) == text
    assert "days_off = a_b" in rendered(words.definitions("relapse", {"days_off": "a_b"}))
    assert numbers.escape_markdown("t(4;14), bortezomib-melphalan") == "t(4;14), bortezomib-melphalan"
    assert numbers.escape_markdown(None) == ""
    assert "\n" not in numbers.escape_markdown("a\n\n# b")


def test_what_is_few_is_the_same_on_both_sides_of_the_wall():
    assert numbers.AT_RISK_MINIMUM == disclosure.AT_RISK_MINIMUM
    assert numbers.WITHHELD in set(
        disclosure.withhold(pd.DataFrame({"n": [float(numbers.SMALL)]}), ["n"])["n_withheld"]
    )
    assert disclosure.withhold(pd.DataFrame({"n": [numbers.SMALL + 1.0]}), ["n"])["n_withheld"].tolist() == [""]


def test_rounding_lives_in_one_place():
    assert plain(words.format_percent(0.9999)) == ">99.9 %"
    assert plain(words.format_percent(None)) == "not known"
    assert plain(words.format_interval(0.1, np.nan)) == "10.0 % to not known"
    assert words.format_interval(None, np.nan) == ""
    assert plain(words.format_months(float("inf"))) == "not reached"
    assert plain(words.plural(1, "patient")) == "1 patient"
    assert plain(words.plural(2300, "patient")) == "2,300 patients"
    assert numbers.format_number(-0.04) == "0.0"
    assert numbers.listed([]) == ""
    assert plain(numbers.format_time_point(1)) == "1 month"


def test_show_displays_markdown_and_refuses_silence(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    words.show("**A sentence.**")
    assert shown[0].data == "**A sentence.**"
    with pytest.raises(ValueError, match="sentence"):
        words.show(" ")


def test_what_was_withheld_with_a_small_count_is_not_called_small():
    counts = {"next_line": 117.0, "death": 3.0, "neither": 0.0}
    attrition = frames.attrition().query("line == 1 and reading == 'crude'").copy()
    attrition["count"] = attrition["outcome"].map(counts)
    attrition["entered"] = 120.0
    said = words.attrition(disclosure.shared(attrition, schema.ATTRITION, synthetic=False), 24)
    assert "withheld started the next line" in said
    assert "1–7 died first" in said


@pytest.mark.parametrize(
    ("note", "withheld", "expected"),
    [
        ("not reached", "", "as long as enough were watched, fewer than half had relapsed (median not reached)"),
        ("nobody was left at risk before others entered (30)", "", "the median is not known"),
        ("", "1–7", "the median is withheld"),
    ],
)
def test_a_median_that_is_missing_says_why(note, withheld, expected):
    median = pd.DataFrame(
        {
            "estimand": ["cumulative incidence"], "stratum": ["line 1"], "event": ["relapse"], "probability": [0.5],
            "estimate": [np.nan], "conf_low": [np.nan], "conf_high": [np.nan], "subjects": [60.0], "events": [9.0],
            "note": [note], "events_withheld": [withheld],
        }
    )  # fmt: skip
    assert expected in words.medians(median, "relapse")


def test_the_stage_of_the_data_is_said():
    assert "brought ready" in words.stage_of_data({"lines": AGENTS})
    assert "ready spells" in words.stage_of_data({"spells": AGENTS})


def test_which_models_beat_the_stage_is_read_from_the_limits():
    said = plain(words.model_scores(prediction_frames.scores(), "Uno's C", 24))
    assert "Uno's C by 24 months of the model to be beaten, stage, is 0.560 (0.540 to 0.580)." in said
    assert "Better by the limits of the difference: cox (0.780 (0.760 to 0.800); difference 0.220, 0.200" in said
    assert "Not shown to be better by the limits of the difference: forest (" in said
    assert "**To be doubted: cox.** C above 0.75" in said.replace("\\", "")
    assert "Worse" not in said
    alone = plain(words.model_scores(prediction_frames.scores(), "calibration slope", 24))
    assert alone.startswith("calibration slope by 24 months: stage 0.960 (0.940 to 0.980), cox")
    assert words.model_scores(prediction_frames.scores(), "AUC", 24) == "No model has a score at this horizon."


def test_a_model_that_flatters_itself_is_told_first():
    said = plain(words.optimism(prediction_frames.optimism(), "Uno's C", 24))
    assert "(optimism): forest 0.130 (0.120 to 0.140) (0.700 against 0.570) and stage 0.002" in said


def test_alt_texts_of_predictions_tell_their_numbers():
    alt = plain(words.alt_risk_calibration(prediction_frames.calibration_curve(), 24))
    assert "cox: lowest group 10.0 % foretold, 15.0 % seen, highest 80.0 % foretold, 74.0 % seen" in alt
    assert "At a threshold of 50 %, true alarms per 100: cox 12.0; everybody 0.0;" in plain(
        words.alt_net_benefit(prediction_frames.net_benefit(), 24)
    )
    assert "stage: 0.560 (0.540 to 0.580) from 250 patients and 0.560" in plain(
        words.alt_learning_curve(prediction_frames.learning(), "Uno's C", 24)
    )


def test_a_landmark_says_who_is_left_and_why_not_the_others():
    said = plain(words.landmark(frames.landmark_flow(), 180))
    assert said.startswith("Landmark on day 180 after the start of the line: 1,075 patients remain")
    assert "Left out: relapse up to day 180 120 and death up to day 180 1–7." in said
    assert "1,075 lines of treatment remain" in plain(words.landmark(frames.landmark_flow("lines of treatment"), 180))
    kept = frames.landmark_flow().assign(removed=0)
    assert "Nobody was left out." in words.landmark(kept, 180)


def test_patterns_name_the_most_frequent_gap():
    said = plain(words.patterns(frames.patterns()))
    assert said == (
        "73.9 % of 3,000 patients have every value; the most frequent gap is del(17p), t(4;14) and gain of 1q (6.8 %)."
    )
    assert plain(words.patterns(frames.patterns().iloc[1:])).startswith("None of 3,000 patients has every value")
    assert plain(words.patterns(frames.patterns().iloc[:1])).endswith("every value.")


def test_alt_texts_of_shapes_tell_both_ends():
    form = plain(words.alt_functional_form(frames.functional_form()))
    assert "age: 0.90 (0.70–1.10) around 52.0" in form and "1.25 (1.00–1.50) around 70.0" in form
    time = plain(words.alt_effect_by_time(frames.effect_by_time()))
    assert "del(17p), 1.40 for all times: 2.10 (1.68–2.62) around 3.0 months" in time
    assert words.alt_functional_form(frames.functional_form().iloc[3:]).endswith("no group has a ratio.")


def test_effects_name_the_clear_terms_strongest_first_and_the_rest():
    text = plain(words.effects(frames.effects(), "relapse"))
    assert "Hazard of relapse: ISS stage: III 1.50 (1.23–1.82)." in text
    assert "ISS stage: III 1.80 (1.48–2.19), del(17p) 0.70 (0.58–0.85) and age, per 10 years 1.31 (1.08–1.59)." in text
    assert "Not told apart from no difference: age, per 10 years." in text


def test_effects_that_last_are_not_said_to_be_proved_to_last():
    assert "does not show that none does" in words.proportional(frames.tests(p=0.4), "relapse")
    assert "ISS stage" in words.proportional(frames.tests(), "relapse")


def test_adjusted_differences_are_told_in_points():
    assert "del(17p) present rather than del(17p) absent: +11.8 (+2.0 to +21.0) percentage points by 24 months." in (
        plain(words.standardised(frames.contrasts(), "relapse")).replace("Del", "del")
    )


@pytest.mark.parametrize(
    ("say", "expected"),
    [
        (lambda: words.effects(schema.empty(schema.EFFECTS), "relapse"), "No model has an estimate."),
        (lambda: words.standardised(schema.empty(schema.CONTRASTS), "relapse"), "No adjusted difference"),
        (lambda: words.proportional(schema.empty(schema.TESTS), "relapse"), "could not be tested"),
        (lambda: words.covariates(schema.empty(schema.TERMS)), "No covariate"),
        (lambda: words.imputed(schema.empty(schema.EFFECTS), "relapse"), "no"),
        (lambda: words.alt_effects(schema.empty(schema.EFFECTS), "relapse"), "no term has an estimate"),
        (lambda: words.alt_standardised(schema.empty(schema.CURVES), "relapse", 60), "nothing to show"),
    ],
)
def test_a_model_without_numbers_is_said_to_have_none(say, expected):
    assert expected in say()


def test_filled_gaps_stand_beside_complete_cases():
    said = plain(words.imputed(frames.imputed(), "relapse"))
    assert "- Hazard of relapse: 900 patients with every value, 990 patients with gaps filled" in said
    assert "; the ratio that moves most is that of ISS stage: III, from 1.50 (1.23–1.82) to 1.80 (1.23–1.82)." in said
    nothing = frames.imputed().iloc[:3]
    assert "nothing is missing, nothing was filled" in words.imputed(nothing, "relapse")


def test_where_relapses_were_taken_from_is_said():
    assert words.not_judged(0, 0, "stated") == "What ended each line is taken as the source states it."
    judged, both = (words.not_judged(12, 900, basis) for basis in ("judged", "both"))
    assert "judged from its marker values" in judged and "12 of 900\u00a0lines" in judged
    assert "the earlier of a stated progression and of one judged" in both
    assert "12 of 900\u00a0lines" in both and both.endswith("left out, stated progressions included.")
    assert "A few of 900\u00a0lines" in words.not_judged(None, 900, "both")


def test_a_time_ratio_is_told_as_the_factor_by_which_a_line_shortens_the_time():
    text = plain(words.time_ratios(frames.time_ratios(), "relapse"))
    first = (
        "Each further line shortens the time to relapse by a factor of 1.28 (1.23–1.33); time ratio 0.78 (0.75–0.81)"
    )
    assert first in text
    assert "not seen to change the time to relapse (time ratio 0.97 (0.88–1.07); log-normal)" in text
    longer = plain(words.time_ratios(frames.time_ratios(ratio=1.5), "relapse"))
    assert "lengthens the time to relapse by a factor of 1.50 (1.44–1.56) (Weibull)" in longer


def test_the_best_law_is_named_with_those_as_good_and_those_that_failed():
    text = plain(words.fits(frames.fits(), "relapse"))
    assert "AIC is lowest for mixture cure, BIC for Weibull." in text
    assert "By AIC, Weibull cannot be told from it (within 2)." in text
    assert "Not fitted: spline." in text
    assert "that would stay without relapse for good, were there no other events, at 12.0 % (5.0–26.0 %)" in text
    assert "rests on the form of the model" in text
    assert "rests on the form" not in words.fits(frames.fits(watched_long=True), "relapse")


def test_where_the_data_end_the_laws_part():
    text = plain(words.extrapolation(frames.fitted_curves(), "relapse"))
    assert text.startswith("At 48 months, near the last event, the laws put the share without relapse at 14.7 %")
    assert "at 72 months, where no data are, at 5.6 %" in text
    assert "No curve goes past it." in words.extrapolation(frames.fitted_curves(months=40), "relapse")


@pytest.mark.parametrize(
    ("say", "text"),
    [
        (lambda: words.time_ratios(schema.empty(schema.EFFECTS), "relapse"), "could not be estimated."),
        (lambda: words.fits(schema.empty(schema.FITS), "relapse"), "No law could be fitted"),
        (lambda: words.extrapolation(schema.empty(schema.FITTED_CURVES), "relapse"), "No law has a curve."),
        (
            lambda: words.alt_overlay(schema.empty(schema.FITTED_CURVES), schema.empty(schema.CURVES), "relapse"),
            "no law has a curve",
        ),
    ],
)
def test_nothing_parametric_to_tell_is_said(say, text):
    assert text in say()
