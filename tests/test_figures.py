"""Figures: what is drawn, that the bytes repeat, that nothing goes on the page without its alt text."""

import io

import matplotlib
import numpy as np
import pandas as pd
import prediction_frames
import present_frames as frames
import pytest

from analysis import disclosure, schema
from analysis.present import figures, reading
from analysis.present.figures import style

CURVES = frames.curves(patients=5000)
RISK = frames.risk(CURVES)

FIGURES = {
    "cumulative incidence": lambda: figures.cumulative_incidence(CURVES, RISK, "relapse", 60, "relapse"),
    "event free": lambda: figures.event_free(CURVES, RISK, 60, "relapse, next line or death"),
    "all causes": lambda: figures.all_causes(CURVES, 60),
    "crude": lambda: figures.crude_against_right(frames.comparison(), 24, "relapse"),
    "attrition": lambda: figures.attrition(frames.attrition(), 24),
    "rates": lambda: figures.rates(frames.rates(), "relapse", "relapse"),
    "class shares": lambda: figures.class_shares(frames.class_shares()),
    "class flows": lambda: figures.class_flows(frames.class_flows(), 3),
    "courses": lambda: figures.courses(frames.courses("relapse")),
    "specifications": lambda: figures.specifications(frames.specifications("relapse"), "relapse"),
    "calibration": lambda: figures.calibration(frames.calibration()),
    "functional form": lambda: figures.functional_form(frames.functional_form()),
    "effect by time": lambda: figures.effect_by_time(frames.effect_by_time()),
    "effects": lambda: figures.effects(frames.effects(), "relapse"),
    "standardised": lambda: figures.standardised(frames.standardised(), "relapse", 60),
    "model scores": lambda: figures.model_scores(prediction_frames.scores(), "Uno's C", 24),
    "risk calibration": lambda: figures.risk_calibration(prediction_frames.calibration_curve(), 24),
    "net benefit": lambda: figures.net_benefit(prediction_frames.net_benefit(), 24),
    "learning curve": lambda: figures.learning_curve(prediction_frames.learning(), "Uno's C", 24),
    "overlay": lambda: figures.overlay(frames.fitted_curves(), frames.steps(), "relapse"),
}
EMPTY = {
    "cumulative incidence": lambda: figures.cumulative_incidence(
        schema.empty(schema.CURVES), schema.empty(schema.RISK), "relapse", 60, "relapse"
    ),
    "event free": lambda: figures.event_free(schema.empty(schema.CURVES), None, 60),
    "all causes": lambda: figures.all_causes(schema.empty(schema.CURVES), 60),
    "crude": lambda: figures.crude_against_right(schema.empty(schema.CURVES), 24, "relapse"),
    "attrition": lambda: figures.attrition(schema.empty(schema.ATTRITION), 24),
    "rates": lambda: figures.rates(schema.empty(schema.RATES), "relapse", "relapse"),
    "class shares": lambda: figures.class_shares(frames.class_shares().iloc[:0]),
    "class flows": lambda: figures.class_flows(schema.empty(schema.CLASS_FLOWS), 3),
    "courses": lambda: figures.courses(schema.empty(schema.COURSES)),
    "specifications": lambda: figures.specifications(schema.empty(schema.SPECIFICATIONS), "relapse"),
    "calibration": lambda: figures.calibration(schema.empty(schema.CALIBRATION)),
    "functional form": lambda: figures.functional_form(schema.empty(schema.FUNCTIONAL_FORM)),
    "effect by time": lambda: figures.effect_by_time(schema.empty(schema.EFFECT_BY_TIME)),
    "effects": lambda: figures.effects(schema.empty(schema.EFFECTS), "relapse"),
    "standardised": lambda: figures.standardised(schema.empty(schema.CURVES), "relapse", 60),
    "model scores": lambda: figures.model_scores(schema.empty(schema.SCORES), "Uno's C", 24),
    "risk calibration": lambda: figures.risk_calibration(schema.empty(schema.CALIBRATION_CURVE), 24),
    "net benefit": lambda: figures.net_benefit(schema.empty(schema.NET_BENEFIT), 24),
    "learning curve": lambda: figures.learning_curve(schema.empty(schema.LEARNING), "Uno's C", 24),
    "overlay": lambda: figures.overlay(schema.empty(schema.FITTED_CURVES), schema.empty(schema.CURVES), "relapse"),
}


def texts(fig):
    """Every text on a figure."""
    found = fig.findobj(matplotlib.text.Text)
    return [text.get_text() for text in found if text.get_text()]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_the_same_few_bytes_each_time(name):
    first, second = figures.png(FIGURES[name]()), figures.png(FIGURES[name]())
    assert first == second
    assert first.startswith(b"\x89PNG")
    assert len(first) <= 60_000


def test_the_machine_settings_do_not_show():
    plain = figures.png(FIGURES["rates"]())
    with matplotlib.rc_context({"font.family": "serif", "axes.facecolor": "black", "savefig.bbox": "tight"}):
        assert figures.png(FIGURES["rates"]()) == plain


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_draw_is_said(name):
    assert any("to show" in text for text in texts(EMPTY[name]()))


def test_nothing_is_smaller_than_eight_points_nor_written_over_the_edge():
    from PIL import Image

    for name, make in FIGURES.items():
        fig = make()
        sizes = [text.get_fontsize() for text in fig.findobj(matplotlib.text.Text) if text.get_text()]
        assert min(sizes) >= 8, name
        image = np.asarray(Image.open(io.BytesIO(figures.png(fig))).convert("L"))
        edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert edge.min() > 240, f"{name} runs over its edge"


def test_the_numbers_under_the_axis_add_up_and_stand_under_their_ticks():
    fig = FIGURES["cumulative incidence"]()
    curve_axes, risk_axes = fig.axes
    for stratum, rows in RISK.groupby("stratum"):
        sums = rows.groupby("time")["count"].sum()
        assert (sums == sums.iloc[0]).all()
        assert f"{stratum} (N = {sums.iloc[0]:,.0f})" in texts(fig)
    assert list(curve_axes.get_xticks()) == [0, 12, 24, 36, 48, 60]
    at_risk = RISK[(RISK["stratum"] == "line 1") & (RISK["state"] == "at risk")].set_index("time")["count"]
    row = [text for text in risk_axes.texts if text.get_position()[1] == 1 and text.get_text() != "at risk"]
    shown = {round(text.get_position()[0]): text.get_text() for text in row}
    assert shown == {round(time / frames.MONTH): f"{count:,.0f}" for time, count in at_risk.items()}


def test_curves_are_steps_that_end_with_their_data():
    cut = CURVES[CURVES["time"] <= 20 * frames.MONTH]
    axes = figures.cumulative_incidence(cut, None, "relapse", 60, "relapse").axes[0]
    drawn = [line for line in axes.lines if len(line.get_xdata()) > 2]
    assert len(drawn) == 4
    assert {line.get_drawstyle() for line in drawn} == {"steps-post"}
    assert max(max(line.get_xdata()) for line in drawn) <= 20
    assert len({str(line._dash_pattern) for line in drawn}) == 4


def test_a_curve_goes_on_to_the_horizon_once_nobody_is_left():
    curves = pd.DataFrame(
        {
            "estimand": "cumulative incidence",
            "stratum": "all",
            "event": "death",
            "time": [0.0, 100.0, 200.0],
            "estimate": [0.0, 0.5, 1.0],
            "conf_low": [0.0, 0.1, np.nan],
            "conf_high": [0.0, 0.9, np.nan],
        }
    )
    steps = reading.steps(curves, "cumulative incidence", "death", "all", 24)
    assert steps["month"].iloc[-1] == 24
    assert reading.at(curves, "cumulative incidence", "death", 24)["estimate"].tolist() == [1.0]
    assert np.isnan(reading.at(curves.iloc[:2], "cumulative incidence", "death", 24)["estimate"].iloc[0])


def test_withheld_counts_are_printed_as_ranges():
    risk = RISK.assign(count=RISK["count"].where(RISK["count"].isna() | ~RISK["count"].between(1, 7)))
    assert "1–7" in texts(figures.cumulative_incidence(CURVES, risk, "relapse", 60, "relapse"))


def test_a_count_withheld_as_partner_is_not_called_small():
    risk = disclosure.withhold(RISK, ["count"], within=["stratum", "time"])
    assert "withheld" in set(risk["count_withheld"])
    assert {"1–7", "withheld"} <= set(texts(figures.cumulative_incidence(CURVES, risk, "relapse", 60, "relapse")))
    attrition = frames.attrition().assign(count_withheld="")
    hidden = (attrition["line"] == 3) & (attrition["reading"] != "crude") & (attrition["outcome"] != "next_line")
    attrition.loc[hidden, ["count_withheld", "estimate"]] = ["1–7", np.nan]
    assert texts(figures.attrition(attrition, 24)).count("the rest: withheld") == 1
    attrition.loc[hidden, "count_withheld"] = ""
    assert "the rest: too few left" in texts(figures.attrition(attrition, 24))


def test_the_name_of_a_curve_stands_where_the_curve_ends():
    curves = CURVES[(CURVES["stratum"] == "line 1") | (CURVES["time"] < 30 * frames.MONTH)]
    axes = figures.cumulative_incidence(curves, None, "relapse", 60, "relapse").axes[0]
    names = {text.get_text(): text for text in axes.texts}
    assert names["line 1"].get_position()[0] > 60, "a curve that reaches the horizon is named right of the axes"
    for line in ("line 2", "line 3"):
        month, _ = names[line].get_position()
        assert 29 < month < 34, "a leader from an early end to the margin would look like data"


def like_commpass():
    """Three curves of a next-line source: the third ends early, close above the second."""
    curves = frames.curves("next_line", lines=(1, 2, 3), patients=1000)
    ends = curves["stratum"].map({"line 1": 57, "line 2": 30, "line 3": 14})
    return curves[(curves["time"] <= ends * frames.MONTH) & (curves["at_risk"] >= 11)]


def test_no_name_covers_another_curve():
    fig = figures.cumulative_incidence(like_commpass(), None, "next_line", 60, "start of the next line")
    figures.png(fig)  # fixes the layout
    axes = fig.axes[0]
    names = [text for text in axes.texts if text.get_text().startswith("line")]
    boxes = [matplotlib.text.Text.get_window_extent(text) for text in names]
    assert len(names) == 3
    drawn = [line for line in axes.lines if len(line.get_xdata()) > 2]
    for name, box in zip(names, boxes, strict=True):
        for line in drawn:
            month = np.linspace(0, max(line.get_xdata()), 2000)
            place = np.searchsorted(line.get_xdata(), month, side="right") - 1
            dots = axes.transData.transform(np.column_stack([month, np.asarray(line.get_ydata())[place]]))
            inside = (dots[:, 0] > box.x0) & (dots[:, 0] < box.x1) & (dots[:, 1] > box.y0) & (dots[:, 1] < box.y1)
            assert not inside.any(), f"{name.get_text()} lies on a curve"
    assert not any(one.overlaps(two) for n, one in enumerate(boxes) for two in boxes[n + 1 :])


def test_the_axis_says_what_the_bands_are_and_where_curves_end():
    said = figures.event_free(like_commpass(), None, 60).axes[0].get_xlabel()
    assert "bands are pointwise 95 % limits" in said
    assert said.endswith("curves end where fewer than 11 are at risk")
    assert "curves end" not in figures.event_free(like_commpass().assign(at_risk=5.0), None, 60).axes[0].get_xlabel()


def test_dots_are_drawn_only_where_enough_are_at_risk():
    few = frames.comparison().assign(at_risk=lambda rows: np.where(rows["stratum"] == "line 2", 10.0, 11.0))
    fig = figures.crude_against_right(few, 24, "relapse")
    assert texts(fig).count("too few left") == 1
    assert {len(line.get_xdata()) for line in fig.axes[0].lines} == {2}
    assert "too few left" not in texts(FIGURES["crude"]())


def test_bars_are_drawn_only_where_enough_are_at_risk():
    known = frames.attrition().assign(at_risk=lambda rows: np.where(rows["line"] == 3, 10.0, 40.0))
    assert texts(figures.attrition(known, 24)).count("too few left") == 1


def test_the_legend_names_what_is_censored():
    shown = texts(FIGURES["crude"]())
    assert "one minus Kaplan-Meier (other events that come first taken as censored)" in shown
    shown = texts(figures.crude_against_right(frames.comparison("next_line"), 24, "next line"))
    assert "one minus Kaplan-Meier (deaths taken as censored)" in shown
    shown = texts(figures.crude_against_right(frames.comparison("next_line"), 24, "next line", endpoint="relapse"))
    assert "one minus Kaplan-Meier (other events that come first taken as censored)" in shown


def test_withheld_is_not_shown_as_none():
    shown = texts(FIGURES["class shares"]())
    assert shown.count("withheld") == 1
    assert shown.count("–") == 5
    assert "share of the patients who started the line; –: none recorded" in shown
    dropped = frames.class_shares().dropna()
    assert any("or too few to be shown" in text for text in texts(figures.class_shares(dropped)))
    known = dropped.assign(patients_withheld="")
    assert not any("or too few to be shown" in text for text in texts(figures.class_shares(known)))


def test_a_target_stands_where_its_band_puts_it():
    axes = figures.calibration(frames.calibration()).axes[0]
    inside, missed = (line.get_xdata() for line in axes.lines)
    assert inside == pytest.approx([(20.4 - 21.0) / 2.1, (39.5 - 40.0) / 3])
    assert missed[0] == pytest.approx((70.3 - 65.0) / 4)
    assert np.isnan(missed[1])
    shown = texts(figures.calibration(frames.calibration()))
    assert {"70.3 against 65.0 %", "not known against 22.0 %"} <= set(shown)
    far = frames.calibration().assign(achieved=1e6, inside=False)
    assert set(figures.calibration(far).axes[0].lines[1].get_xdata()) == {3.0}


def test_a_crowded_figure_stays_small_and_keeps_its_colours():
    from PIL import Image

    curves = frames.curves(lines=range(1, 8), patients=20_000)
    packed = figures.png(figures.cumulative_incidence(curves, frames.risk(curves), "relapse", 60, "relapse"))
    assert len(packed) <= 60_000
    image = np.asarray(Image.open(io.BytesIO(packed)).convert("RGB")).reshape(-1, 3).astype(int)
    for colour in style.colours(7):
        assert np.abs(image - np.round(255 * np.array(colour))).sum(axis=1).min() < 40


def test_missing_limits_and_one_stratum_can_be_drawn():
    curves = frames.curves(lines=(1,)).assign(stratum="all", conf_low=np.nan, conf_high=np.nan)
    fig = figures.cumulative_incidence(curves, None, "relapse", 60, "relapse")
    assert "all patients" in texts(fig)
    assert figures.png(fig)
    assert figures.png(figures.rates(frames.rates().assign(conf_high=np.nan), "relapse", "relapse"))


def test_the_stacked_causes_fill_the_panel():
    for axes in figures.all_causes(CURVES, 60).axes[:4]:
        edges = [line.get_ydata()[-1] for line in axes.lines]
        shares = [
            reading.at(CURVES, "cumulative incidence", event, 60).set_index("stratum")["estimate"][
                axes.get_title(loc="left")
            ]
            for event in ("relapse", "next_line", "death")
        ]
        assert edges == pytest.approx([*np.cumsum(shares) * 100, 100])


def test_a_time_that_the_frame_lacks_is_refused_with_those_it_has():
    with pytest.raises(ValueError, match=r"\[12.0, 24.0\], came 36"):
        figures.attrition(frames.attrition(), 36)


def test_labels_keep_apart_and_inside():
    places = style.spread([50, 50, 50, 99, 100], gap=5, low=0, high=100)
    assert all(right - left >= 5 - 1e-9 for left, right in zip(sorted(places), sorted(places)[1:], strict=False))
    assert min(places) >= 0
    assert max(places) <= 100


def test_next_line_figures_never_speak_of_relapse():
    curves = frames.curves("next_line")
    risk = frames.risk(curves)
    made = [
        figures.cumulative_incidence(curves, risk, "next_line", 60, "start of the next line"),
        figures.event_free(curves, risk, 60),
        figures.all_causes(curves, 60),
        FIGURES["attrition"](),
        FIGURES["class shares"](),
    ]
    assert not [text for fig in made for text in texts(fig) if "relapse" in text.lower()]


def test_text_from_data_is_drawn_as_it_stands():
    rates = frames.rates().assign(stratum=["$x_1$", "<script>", "a & b", "50 %"])
    fig = figures.rates(rates, "relapse", "relapse")
    assert figures.png(fig)
    assert {"$x_1$", "<script>"} <= set(texts(fig))


def test_show_puts_alt_text_on_the_page(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **details: shown.append((things, details)))
    assert figures.show(FIGURES["rates"](), "Rate of\nrelapse: 25.6") is None
    (things, details) = shown[0]
    assert things[0].data.startswith(b"\x89PNG")
    assert details["metadata"]["image/png"]["alt"] == "Rate of relapse: 25.6"


@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_show_refuses_an_empty_alt(alt):
    with pytest.raises(ValueError, match="alt"):
        figures.show(FIGURES["rates"](), alt)


@pytest.mark.parametrize("label", ["survival", "being free of relapse"])
def test_no_title_takes_the_absence_of_an_event_for_an_event(label):
    for draw in (
        lambda: figures.event_free(CURVES, None, 60, label),
        lambda: figures.cumulative_incidence(CURVES, None, "relapse", 60, label),
        lambda: figures.crude_against_right(frames.comparison(), 24, label),
        lambda: figures.rates(frames.rates(), "relapse", label),
    ):
        with pytest.raises(ValueError, match="label: expected what happens"):
            draw()


def test_a_shape_has_a_panel_per_number_and_a_dot_per_group_that_may_be_shown():
    (axes,) = figures.functional_form(frames.functional_form()).axes
    assert axes.get_title() == "" and axes.get_title(loc="left") == "Age"
    assert axes.lines[-1].get_ydata().tolist() == [0.9, 1.0, 1.25]
    panels = figures.effect_by_time(frames.effect_by_time()).axes
    assert [panel.get_title(loc="left") for panel in panels] == ["Del(17p)", "Age"]
    assert panels[0].lines[1].get_ydata() == [1.4, 1.4]
    assert len(panels[1].lines[-1].get_ydata()) == 2


def test_predictions_are_drawn_where_their_numbers_are():
    fig = figures.model_scores(prediction_frames.scores(), "Uno's C", 24)
    dots = next(line for line in fig.axes[0].lines if len(line.get_xdata()) == 3)
    assert list(dots.get_xdata()) == [0.56, 0.78, 0.57]
    assert "not shown to be better (against stage)" in texts(fig)
    fig = figures.risk_calibration(prediction_frames.calibration_curve(), 24)
    assert [axes.get_title(loc="left") for axes in fig.axes] == ["stage", "cox"]
    dots = fig.axes[1].lines[1]
    assert list(dots.get_xdata()) == [10, 45, 80] and list(dots.get_ydata()) == [15, 44, 74]
    low, high = figures.net_benefit(prediction_frames.net_benefit(), 24).axes[0].get_ylim()
    assert low > -20 and high > 40  # what acting on all costs at a high threshold would press the rest flat
    with pytest.raises(ValueError, match=r"horizon_months: expected one of \[24.0\], came 12"):
        figures.learning_curve(prediction_frames.learning(), "Uno's C", 12)


def test_a_law_is_dashed_on_a_shaded_ground_past_the_last_event_and_solid_before():
    axes = FIGURES["overlay"]().axes[0]
    named = [line for line in axes.lines if not line.get_label().startswith("_")]
    assert [line.get_label() for line in named] == ["Kaplan-Meier", "Weibull", "mixture cure"]
    assert all(max(line.get_xdata()) <= 48 for line in named)
    beyond = [line for line in axes.lines if line not in named]
    assert len(beyond) == 2
    assert all((min(line.get_xdata()), max(line.get_xdata())) == (48, 72) for line in beyond)
    assert all(line._dash_pattern[1] for line in beyond)
    assert "extrapolated" in texts(axes.figure)


def test_without_anything_past_the_last_event_nothing_is_called_extrapolated():
    curves = frames.fitted_curves(months=48)
    assert "extrapolated" not in texts(figures.overlay(curves, frames.steps(), "relapse"))


def test_the_rivals_of_one_cause_are_said_to_be_censored():
    found = texts(figures.overlay(frames.fitted_curves("next_line"), frames.steps("next_line"), "next_line"))
    assert "without start of the next line (%)\ndeaths censored" in found
