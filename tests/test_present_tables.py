"""Tables: static, escaped, readable by a screen reader, the same bytes each time."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import prediction_frames
import present_frames as frames
import pytest

from analysis import disclosure, schema
from analysis.present import reading, tables

CURVES = frames.curves()
EVIL = "<script>alert('x')</script> & \"co\""

FLOW = pd.DataFrame({"step": [1, 2], "rule": ["all", EVIL], "removed": [0, 1234], "remaining": [6234, 5000]})
DESCRIPTION = pd.DataFrame(
    {
        "variable": ["age_years", "iss", "iss", "sex"],
        "level": ["", "I", "III", "female"],
        "stratum": "all",
        "statistic": ["median", "count", "count", "count"],
        "estimate": [68.0, 0.353, np.nan, 0.4],
        "low": [61.0, np.nan, np.nan, np.nan],
        "high": [75.0, np.nan, np.nan, np.nan],
        "count": [5000.0, 1765.0, np.nan, 2000.0],
        "total": 5000.0,
        "unit": ["years", "", "", ""],
    }
)
MISSINGNESS = pd.DataFrame(
    {"table": "PATIENTS", "column": ["iss", "sex"], "missing": [12.0, 0.0], "total": 5000.0, "share": [0.0024, 0.0]}
)
CHECKS = pd.DataFrame(
    {
        "check": ["shares add up", "against the witness"],
        "value": [1e-12, np.nan],
        "limit": [1e-9, 1e-9],
        "passed": [True, False],
        "note": ["", "the witness is not installed"],
    }
)
GROUPS = pd.DataFrame(
    {"stratum": ["line 1", "line 5"], "subjects": [5000.0, 4.0], "events": [3000.0, 2.0], "enough": [True, False]}
)
REGIMENS = pd.DataFrame(
    {
        "line": [1, 1, 2],
        "regimen": [EVIL, "VRd", "DRd"],
        "patients": [10.0, 900.0, np.nan],
        "share": [0.01, 0.9, np.nan],
    }
)
REASONS = REGIMENS.rename(columns={"regimen": "end_reason"}).assign(total=1000.0)

TABLES = {
    "landmark": lambda: tables.landmark(frames.landmark_flow(), 180),
    "patterns": lambda: tables.patterns(frames.patterns(), most=2),
    "functional form": lambda: tables.functional_form(frames.functional_form()),
    "effect by time": lambda: tables.effect_by_time(frames.effect_by_time()),
    "curves": lambda: tables.curves_at_times(CURVES, "relapse", [12, 24, 60], "relapse"),
    "event free": lambda: tables.curves_at_times(CURVES, "any", [12, 24], "relapse, next line or death"),
    "medians": lambda: tables.medians(frames.quantiles(), "relapse, next line or death"),
    "rates": lambda: tables.rates(frames.rates(), "relapse"),
    "attrition": lambda: tables.attrition(frames.attrition(), 24),
    "attrition change": lambda: tables.attrition_change(frames.attrition(), frames.attrition().assign(estimate=0.1)),
    "crude": lambda: tables.crude_comparison(frames.comparison(), "relapse"),
    "risk": lambda: tables.risk(frames.risk(CURVES)),
    "calibration": lambda: tables.calibration(frames.calibration()),
    "flow": lambda: tables.flow(FLOW),
    "description": lambda: tables.description(DESCRIPTION),
    "missingness": lambda: tables.missingness(MISSINGNESS),
    "checks": lambda: tables.checks(CHECKS),
    "small groups": lambda: tables.small_groups(GROUPS, 20),
    "regimens": lambda: tables.regimens(REGIMENS),
    "class shares": lambda: tables.class_shares(frames.class_shares()),
    "class flows": lambda: tables.class_flows(frames.class_flows(), 3),
    "line agreement": lambda: tables.line_agreement(frames.line_agreement()),
    "line ends": lambda: tables.line_ends(REASONS),
    "specifications": lambda: tables.specifications(frames.specifications("relapse")),
    "model scores": lambda: tables.model_scores(prediction_frames.scores(), 24),
    "model card": lambda: tables.model_card(pd.DataFrame({"section": ["Use"], "item": ["not for"], "text": [EVIL]})),
    "model differences": lambda: tables.model_differences(prediction_frames.scores(), 24),
    "subgroup scores": lambda: tables.subgroup_scores(prediction_frames.subgroup_scores(), "Uno's C", 24),
    "optimism": lambda: tables.optimism(prediction_frames.optimism(), 24),
    "effects": lambda: tables.effects(frames.effects(), "relapse"),
    "tests": lambda: tables.tests(frames.tests(), "relapse", "Tests"),
    "contrasts": lambda: tables.contrasts(frames.contrasts(), "relapse"),
    "covariates": lambda: tables.covariates(frames.terms()),
    "published": lambda: tables.beside_published(frames.effects(), frames.published(), "relapse"),
    "fits": lambda: tables.fits(frames.fits(), "relapse"),
    "parameters": lambda: tables.parameters(frames.parameters(), "relapse"),
}
EMPTY = {
    "landmark": lambda: tables.landmark(schema.empty(schema.FLOW), 180),
    "patterns": lambda: tables.patterns(schema.empty(schema.PATTERNS)),
    "functional form": lambda: tables.functional_form(schema.empty(schema.FUNCTIONAL_FORM)),
    "effect by time": lambda: tables.effect_by_time(schema.empty(schema.EFFECT_BY_TIME)),
    "curves": lambda: tables.curves_at_times(schema.empty(schema.CURVES), "relapse", [12], "relapse"),
    "medians": lambda: tables.medians(schema.empty(schema.QUANTILES), "relapse"),
    "rates": lambda: tables.rates(schema.empty(schema.RATES), "relapse"),
    "attrition": lambda: tables.attrition(schema.empty(schema.ATTRITION), 24),
    "attrition change": lambda: tables.attrition_change(schema.empty(schema.ATTRITION), schema.empty(schema.ATTRITION)),
    "crude": lambda: tables.crude_comparison(schema.empty(schema.CURVES), "relapse"),
    "risk": lambda: tables.risk(schema.empty(schema.RISK)),
    "calibration": lambda: tables.calibration(schema.empty(schema.CALIBRATION)),
    "flow": lambda: tables.flow(schema.empty(schema.FLOW)),
    "description": lambda: tables.description(schema.empty(schema.DESCRIPTION)),
    "missingness": lambda: tables.missingness(schema.empty(schema.MISSINGNESS)),
    "checks": lambda: tables.checks(schema.empty(schema.CHECKS)),
    "small groups": lambda: tables.small_groups(GROUPS[GROUPS["enough"]], 20),
    "regimens": lambda: tables.regimens(REGIMENS.iloc[:0]),
    "class shares": lambda: tables.class_shares(frames.class_shares().iloc[:0]),
    "class flows": lambda: tables.class_flows(schema.empty(schema.CLASS_FLOWS), 3),
    "line agreement": lambda: tables.line_agreement(frames.line_agreement().iloc[:0]),
    "line ends": lambda: tables.line_ends(REASONS.iloc[:0]),
    "specifications": lambda: tables.specifications(schema.empty(schema.SPECIFICATIONS)),
    "model scores": lambda: tables.model_scores(schema.empty(schema.SCORES), 24),
    "model card": lambda: tables.model_card(schema.empty(schema.MODEL_CARD)),
    "model differences": lambda: tables.model_differences(schema.empty(schema.SCORES), 24),
    "subgroup scores": lambda: tables.subgroup_scores(schema.empty(schema.SUBGROUP_SCORES), "AUC", 24),
    "optimism": lambda: tables.optimism(schema.empty(schema.OPTIMISM), 24),
    "effects": lambda: tables.effects(schema.empty(schema.EFFECTS), "relapse"),
    "tests": lambda: tables.tests(schema.empty(schema.TESTS), "relapse", "Tests"),
    "contrasts": lambda: tables.contrasts(schema.empty(schema.CONTRASTS), "relapse"),
    "covariates": lambda: tables.covariates(schema.empty(schema.TERMS)),
    "published": lambda: tables.beside_published(frames.effects(), schema.empty(schema.PUBLISHED_EFFECTS), "relapse"),
    "fits": lambda: tables.fits(schema.empty(schema.FITS), "relapse"),
    "parameters": lambda: tables.parameters(schema.empty(schema.PARAMETERS), "relapse"),
}


def cells(html):
    """The texts of a table, row by row, its heading row first."""
    tree = ElementTree.fromstring(f"<div>{html.data}</div>")
    return [["".join(cell.itertext()).replace("\u00a0", " ") for cell in row] for row in tree.iter("tr")]


def caption(html):
    return re.search("<caption>(.*)</caption>", html.data)[1]


def test_the_share_still_alive_is_called_the_share_without_death():
    shown = tables.curves_at_times(CURVES, "any", [12, 24], "death from any cause")
    assert caption(shown).startswith("Share without death from any cause by time since start of the line")


@pytest.mark.parametrize("label", ["survival", "Overall survival", "being alive", "event-free time"])
def test_no_caption_takes_the_absence_of_an_event_for_an_event(label):
    for show in (
        lambda: tables.curves_at_times(CURVES, "any", [12], label),
        lambda: tables.curves_at_times(CURVES, "relapse", [12], label),
        lambda: tables.medians(frames.quantiles(), label),
        lambda: tables.crude_comparison(frames.comparison(), label),
    ):
        with pytest.raises(ValueError, match=f"label: expected what happens.*came '{label}', which is its absence"):
            show()


def test_a_withheld_number_of_missing_values_is_withheld_and_not_unknown():
    few = MISSINGNESS.assign(missing=3.0)
    hidden = disclosure.shared(few, schema.MISSINGNESS, synthetic=False)
    assert [row[2:] for row in cells(tables.missingness(hidden))[1:]] == [["1–7", "5,000", "withheld"]] * 2


def test_reasons_of_misses_have_a_column_only_where_there_are_any():
    some, none = frames.calibration(), frames.calibration().assign(note="", unit="0 to 1")
    assert "reason of a miss" in cells(tables.calibration(some))[0]
    rows = cells(tables.calibration(none))
    assert "reason of a miss" not in rows[0] and all(len(row) == len(rows[0]) for row in rows)
    assert rows[1][1].endswith(" (0 to 1)")


def test_fewer_regimens_than_asked_for_are_not_called_that_many():
    assert caption(tables.regimens(REGIMENS, most=6)).startswith("The most frequent regimens of each line, at most 6;")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_well_formed_static_and_repeats(name):
    data = TABLES[name]().data
    assert data == TABLES[name]().data
    assert data.startswith('<table class="result">\n<caption>')
    assert not re.search(r"<script|style=|\bid=|on\w+=\"|javascript:", data)
    rows = cells(TABLES[name]())
    assert len({len(row) for row in rows}) == 1
    tree = ElementTree.fromstring(f"<div>{data}</div>")
    assert all(cell.get("scope") in ("col", "row") for cell in tree.iter("th"))
    assert all(row[0].tag == "th" for row in tree.iter("tr"))
    assert all(text.strip() for text in rows[0]), "an empty heading says nothing to a screen reader"


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_frame_says_so(name):
    assert "no rows to show" in EMPTY[name]().data


def test_numbers_are_set_flush_right_and_text_is_not():
    data = TABLES["rates"]().data
    assert '<td class="number">25.6</td>' in data
    assert "<td>relapse</td>" in data


def test_text_from_data_stays_text():
    for name in ("regimens", "flow"):
        assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;co&quot;" in TABLES[name]().data
    assert cells(TABLES["flow"]())[2][0] == EVIL


def test_curves_show_percent_with_limits_and_say_where_data_end():
    short = CURVES[CURVES["time"] < 30 * frames.MONTH]
    head, first, *_ = cells(tables.curves_at_times(short, "relapse", [24, 60], "relapse"))
    assert head == ["group", "24 months", "60 months"]
    assert re.fullmatch(r"\d+\.\d % \(\d+\.\d–\d+\.\d %\)[\d,]+ at risk", first[1])
    assert first[2] == "too few left"


def at_times(at_risk, **changes):
    """One stratum at 12, 24 and 36 months with so many at risk."""
    fixed = pd.DataFrame(
        {"estimand": "cumulative incidence", "stratum": "line 2", "event": "next_line"}, index=range(3)
    )
    fixed = fixed.assign(time=[12 * frames.MONTH, 24 * frames.MONTH, 36 * frames.MONTH], estimate=[0.2, 0.4, 0.506])
    fixed = fixed.assign(conf_low=0.1, conf_high=0.6, std_error=0.01, at_risk=at_risk, events=30.0, censored=20.0)
    return fixed.assign(**changes)


def test_what_few_patients_at_risk_say_is_marked_and_explained():
    html = tables.curves_at_times(at_times([50.0, 11.0, 2.0]), "next_line", [12, 24, 36], "next line")
    assert cells(html)[1][1:] == [
        "20.0 % (10.0–60.0 %)50 at risk",
        "40.0 % (10.0–60.0 %)11 at risk",
        "50.6 % † (10.0–60.0 %)2 at risk",
    ]
    assert "50 at risk</small></td>" in html.data
    note = "† fewer than 11 patients still at risk: not reliable"
    assert html.data.endswith(f'<p class="note">{note}</p>')
    assert note not in tables.curves_at_times(at_times(50.0), "next_line", [12, 24, 36], "next line").data
    hidden = disclosure.shared(at_times([50.0, 11.0, 2.0]), schema.AT_TIMES, synthetic=False)
    shown = cells(tables.curves_at_times(hidden, "next_line", [36], "next line"))
    assert shown[1][1] == "50.6 % † (10.0–60.0 %)1–7 at risk"


def test_the_number_at_risk_of_a_step_function_is_the_one_after_the_step():
    steps = at_times([3.0, 12.0, 10.0], time=[10.0, 20.0, 30.0])
    assert reading.at(steps, "cumulative incidence", "next_line", 25 / frames.MONTH)["at_risk"].tolist() == [10.0]
    assert reading.at(steps, "cumulative incidence", "next_line", 25 / frames.MONTH)["few"].tolist() == [True]
    assert reading.at(steps, "cumulative incidence", "next_line", 15 / frames.MONTH)["few"].tolist() == [False]


def test_readings_made_by_few_are_marked_too():
    comparison = frames.comparison(event="next_line", months=(12,)).assign(
        at_risk=lambda f: 24.0 / f["stratum"].str[-1].astype(int)
    )
    html = tables.crude_comparison(comparison, "next line")
    assert [row[2] for row in cells(html)[1:]] == ["24", "12", "8"]
    assert [sum("†" in cell for cell in row) for row in cells(html)[1:]] == [0, 0, 3]
    assert "† fewer than 11" in html.data
    assert "†" not in TABLES["crude"]().data


def test_attrition_change_tells_counts_and_shares_of_both_rules():
    counted = frames.attrition().assign(count_withheld="")
    fewer = counted.assign(entered=counted["entered"].replace({254: 250}), estimate=counted["estimate"] - 0.01)
    html = tables.attrition_change(counted, fewer, 12)
    head, first, second, third, fourth, *_ = cells(html)
    assert head[-1] == "next line by 12 months, Aalen-Johansen (95 % limits)"
    assert first == ["line 1", "counted", "994", "256", "105", "21.2 % (19.2–23.2 %)"]
    assert second[-1] == "20.2 % (19.2–23.2 %)"
    assert (third[2], fourth[2]) == ("254", "250")
    assert "by 24 months" in tables.attrition_change(counted, fewer).data.replace("\u00a0", " ")
    only_crude = counted[counted["reading"] == "crude"]
    assert len(cells(tables.attrition_change(only_crude, fewer[fewer["reading"] == "crude"]))[0]) == 5
    gone = tables.attrition_change(counted, fewer[fewer["line"] < 3])
    assert cells(gone)[-1][1:] == ["left out", "0", "0", "0", "–"]


def test_attrition_read_where_few_are_at_risk_is_marked_when_the_frame_tells():
    known = frames.attrition().assign(at_risk=lambda rows: np.where(rows["line"] == 3, 10.0, 40.0))
    html = tables.attrition(known, 24)
    assert ["†" in row[-1] for row in cells(html)[1:]] == [False] * 6 + [True] * 3
    assert not any("†" in row[-2] for row in cells(html)), "a crude share rests on nobody at risk"
    assert "† fewer than 11" in html.data
    change = tables.attrition_change(known, known.assign(estimate=known["estimate"] + 0.01))
    assert ["†" in row[-1] for row in cells(change)[1:]] == [False] * 4 + [True] * 2


def test_attrition_change_says_when_nothing_changes():
    same = tables.attrition_change(frames.attrition(), frames.attrition().iloc[::-1])
    assert same.data == '<p class="note">No treatment is recorded after the last contact: nothing changes.</p>'
    hidden = disclosure.shared(frames.attrition().assign(count=3.0), schema.ATTRITION, synthetic=False)
    assert "none of the numbers that may be shown" in tables.attrition_change(hidden, hidden).data


def test_medians_not_reached_are_said():
    rows = cells(TABLES["medians"]())
    assert rows[1] == ["line 1", "5,000", "3,000", "21.0 months", "19.7–22.7 months"]
    assert rows[2][-1] == "11.5 months to not reached"
    assert rows[3][-2:] == ["not reached", "6.6 months to not reached"]
    other = cells(tables.medians(frames.quantiles().assign(probability=0.25), "relapse"))
    assert "25 %" in other[1]


def test_both_readings_of_attrition_stand_side_by_side():
    rows = cells(TABLES["attrition"]())
    assert rows[1] == ["line 1", "start of the next line", "994", "256", "25.8 % (23.8–27.8 %)", "22.4 % (20.4–24.4 %)"]
    only_crude = frames.attrition().query("reading == 'crude' or line == 1")
    assert cells(tables.attrition(only_crude, 24))[-1][-1] == "–"
    with pytest.raises(ValueError, match=r"12\.0"):
        tables.attrition(frames.attrition(), 17)


def test_attrition_goes_line_by_line_whatever_the_order_of_the_frame():
    mixed = frames.attrition().sample(frac=1, random_state=3)
    assert [row[:2] for row in cells(tables.attrition(mixed, 24))] == [row[:2] for row in cells(TABLES["attrition"]())]
    outcomes = ["start of the next line", "death before a next line", "neither so far"]
    assert [row[1] for row in cells(TABLES["attrition"]())[1:]] == outcomes * 3


def test_what_was_withheld_is_not_called_beyond_the_data():
    shown = disclosure.withhold(frames.attrition().assign(count=3.0), ["count"])
    assert {row[-1] for row in cells(tables.attrition(shown, 24))[1:]} == {"withheld"}


def test_small_figures_keep_the_decimals_that_tell_them_apart():
    ratio = frames.calibration().assign(published=0.45, band_low=0.4, band_high=0.5, achieved=0.49)
    assert cells(tables.calibration(ratio))[1][1:4] == ["0.45 months", "0.40–0.50", "0.49"]


def test_withheld_counts_show_what_was_done():
    risk = pd.DataFrame(
        {"stratum": "all", "time": 0.0, "state": ["at risk", "death", "censored"], "count": [80.0, 3.0, 12.0]}
    )
    shown = disclosure.withhold(risk, ["count"], within=["stratum", "time"])
    assert [row[-1] for row in cells(tables.risk(shown))[1:]] == ["80", "1–7", "withheld"]
    assert cells(TABLES["regimens"]())[-1] == ["line 2", "DRd", "1–7", "–"]


def test_the_states_stand_in_one_order_whatever_the_frame_says():
    risk = frames.risk(CURVES).iloc[::-1]
    states = [row[1] for row in cells(tables.risk(risk))[1:6]]
    assert states == ["at risk", "relapse", "next line first", "death", "censored"]


def test_table_one_tells_units_levels_and_counts():
    head, age, stage, third, _ = cells(TABLES["description"]())
    assert head[-1] == "all patients (N = 5,000)"
    assert age == ["age, years", "median (quartiles)", "68.0 (61.0–75.0)"]
    assert stage == ["ISS stage", "I", "1,765 (35.3 %)"]
    assert third[-1] == "1–7"


def test_levels_come_in_the_order_of_the_words_of_the_schema():
    levels = ["current", "former", "missing", "never"]
    fit = ["fit", "frail", "intermediate", "missing"]
    made = pd.DataFrame({"variable": ["smoking"] * 4 + ["fitness"] * 4, "level": levels + fit, "stratum": "all"})
    made = made.assign(statistic="count", estimate=0.25, low=np.nan, high=np.nan, count=10.0, total=40.0, unit="")
    size = made.iloc[:1].assign(variable="egfr_ml_min", level="", statistic="median", unit="mL/min/1.73 m2")
    rows = cells(tables.description(pd.concat([made, size])))[1:]
    assert [row[1] for row in rows[:4]] == ["never", "former", "current", "not known"]
    assert [row[1] for row in rows[4:8]] == ["fit", "intermediate", "frail", "not known"]
    assert rows[8][:2] == ["estimated GFR, mL/min/1.73 m²", "median (quartiles)"]
    by_race = made[:4].assign(variable="race")
    assert [row[1] for row in cells(tables.description(by_race))[1:]] == ["current", "former", "not known", "never"]


def test_regimens_come_in_the_order_of_use_and_are_cut():
    rows = cells(tables.regimens(REGIMENS, most=1))
    assert [row[1] for row in rows[1:]] == ["VRd", "DRd"]


def test_a_failed_check_cannot_be_overlooked():
    assert cells(TABLES["checks"]())[2] == [
        "against the witness",
        "–",
        "1e-09",
        "FAILED",
        "the witness is not installed",
    ]


def test_a_group_is_small_with_its_reason():
    html = TABLES["small groups"]()
    assert cells(html)[1:] == [["line 5", "4", "2"]]
    assert "Fewer than 20\u00a0patients" in html.data


def test_next_line_tables_never_speak_of_relapse():
    curves = frames.curves("next_line")
    made = [
        tables.curves_at_times(curves, "next_line", [12], "start of the next line"),
        tables.curves_at_times(curves, "any", [12], "start of the next line or death"),
        tables.medians(frames.quantiles(event="next_line"), "start of the next line"),
        tables.rates(frames.rates("next_line"), "next_line"),
        tables.attrition(frames.attrition(), 24),
        tables.crude_comparison(frames.comparison("next_line"), "start of the next line"),
        tables.risk(frames.risk(curves)),
    ]
    assert not [html.data for html in made if "relapse" in html.data.lower()]
    with pytest.raises(ValueError, match="records no relapse"):
        tables.rates(frames.rates("relapse"), "next_line")


def test_a_frame_of_another_kind_is_refused():
    with pytest.raises(schema.SchemaError):
        tables.rates(frames.calibration(), "relapse")


def test_models_by_measures_with_limits_beneath():
    rows = cells(tables.model_scores(prediction_frames.scores(), 24))
    assert rows[0] == ["model", "Uno's C", "calibration slope"]
    assert rows[2] == ["cox", "0.7800.760 to 0.800", "1.1801.160 to 1.200"]
    assert "2,400 lines, 1,000 patients and 950 events" in caption(tables.model_scores(prediction_frames.scores(), 24))
    differences = cells(tables.model_differences(prediction_frames.scores(), 24))
    assert [row[-1] for row in differences[1:]] == ["better", "not shown to be better"]


def test_a_small_subgroup_has_counts_only():
    rows = cells(tables.subgroup_scores(prediction_frames.subgroup_scores(), "Uno's C", 24))
    assert rows[1][:5] == ["sex: female", "1,000", "2,400", "950", "0.5600.540 to 0.580"]
    assert rows[2] == ["sex: male", "12", "30", "9", "–", "–", "–"]


def test_a_shape_withheld_is_said_and_a_rarer_pattern_counted():
    rows = cells(tables.functional_form(frames.functional_form()))
    assert rows[1] == ["age", "52.0", "120", "72", "80.0", "0.90 (0.70–1.10)"]
    assert rows[4][3] == "1–7"
    few = tables.patterns(frames.patterns(), most=2)
    assert cells(few)[2] == ["del(17p) + t(4;14) + gain of 1q", "204", "6.8 %"]
    assert "1 rarer pattern is not shown." in few.data.replace("\u00a0", " ")
    assert cells(tables.patterns(frames.patterns()))[3] == ["ISS stage", "1–7", "–"]


def test_ours_stand_beside_the_published_ones_with_source_and_grade():
    rows = cells(tables.beside_published(frames.effects(), frames.published(), "relapse"))
    assert rows[1][2:] == ["1.50 (1.23–1.82)", "1.60 (1.20–2.10)progression-free survival", "a trial [verified]"]
    assert rows[2][2:] == ["0.70 (0.58–0.85)", "1.78overall survival", "a registry [secondary]"]


def test_without_relapse_on_record_the_next_line_stands_beside_the_published_relapse():
    rows = cells(tables.beside_published(frames.effects("next_line"), frames.published(), "next_line"))
    assert rows[1][1] == "hazard of start of the next line"


def test_fits_stand_with_what_they_exceed_the_best_by_and_notes_name_their_law():
    html = tables.fits(frames.fits(), "relapse")
    rows = cells(html)
    assert rows[1] == ["Weibull", "2", "-1,000.0", "2,004.0+1.0", "2,010.0+0.0", "–", "yes"]
    assert rows[3] == ["spline", "4", "–", "–", "–", "–", "no"]
    assert rows[4][5] == "12.0 % (5.0–26.0 %)"
    assert "300 lines, 150 events" in caption(html)
    assert "spline: no fit: 3 events for 4 parameters" in html.data


def test_fits_of_few_real_patients_are_withheld():
    shown = disclosure.shared(frames.fits().assign(events=5.0), schema.FITS, synthetic=False)
    rows = cells(tables.fits(shown, "relapse"))
    assert rows[1] == ["Weibull", "2", "withheld", "withheld", "withheld", "–", "yes"]
    assert rows[4][5] == "–"
