"""Dots with limits: three readings of one frequency, rates per stratum, and the cohort against published figures."""

from __future__ import annotations

import textwrap

import pandas as pd
from matplotlib.figure import Figure

from analysis import schema
from analysis.present import labels, numbers, reading
from analysis.present.figures import style

READINGS = {
    "cumulative incidence": "cumulative incidence ({} compete, follow-up allowed for)",
    "one minus Kaplan-Meier": "one minus Kaplan-Meier ({} taken as censored)",
    "crude share": "crude share (events so far / all who started)",
}
_READING_MARKS = {
    "cumulative incidence": {"marker": "o", "mfc": "#0b4f7d", "color": "#0b4f7d"},
    "one minus Kaplan-Meier": {"marker": "s", "mfc": "white", "color": "#9a5b00"},
    "crude share": {"marker": "^", "mfc": "white", "color": "#3d3d3d"},
}


def crude_against_right(
    comparison: pd.DataFrame, time_months: float, label: str, endpoint: str | None = None
) -> Figure:
    """By how much do the crude share and the turned-over Kaplan-Meier miss? Three dots with limits per stratum.

    Parameters
    ----------
    comparison : DataFrame of schema.CURVES
        one event; estimands "cumulative incidence", "one minus Kaplan-Meier" and "crude share".
    time_months : float
        the time drawn; it must be in the frame.
    label : str
        what the event is called, from `labels.event_name`.
    endpoint : str, optional
        from COHORT; decides what the legend says of the other events. Without it the event word of the frame does.

    Returns
    -------
    Figure; in place of dots stands "too few left" where fewer than `numbers.AT_RISK_MINIMUM` are at risk.
    """
    schema.check(comparison, schema.CURVES)
    rows = reading.at_time(comparison, time_months)
    strata = reading.in_order(rows["stratum"])
    others = labels.taken_as_censored(rows["event"], endpoint)
    few = pd.Series([numbers.few_left(row) for _, row in rows.iterrows()], index=rows.index, dtype=bool)
    few &= rows["estimate"].notna()
    if not strata:
        return style.empty_figure("Three readings: no group has a number to show")
    with style.paper():
        fig = style.new_figure(0.62 * len(strata) + 1.6)
        axes = fig.subplots()
        for shift, (estimand, marks) in zip((-0.24, 0, 0.24), _READING_MARKS.items(), strict=True):
            here = rows[(rows["estimand"] == estimand) & ~few]
            places = [strata.index(stratum) + shift for stratum in here["stratum"]]
            _dots(axes, here, places, 100, marks, READINGS[estimand].format(others))
        for stratum in reading.in_order(rows.loc[few, "stratum"]):
            place = strata.index(stratum)
            axes.text(1, place, numbers.BEYOND, va="center", color=style.QUIET, fontsize=style.SMALL_POINTS)
        _finish(
            axes,
            strata,
            f"{labels.of_event(label)}: patients (%) by {numbers.format_time_point(time_months)}; 95 % limits",
        )
        axes.set_xlim(0, 100)
        fig.legend(*axes.get_legend_handles_labels(), loc="outside upper left", frameon=False)
    return fig


def rates(rates: pd.DataFrame, event: str, label: str) -> Figure:
    """How many events per 100 person-years in each stratum? Dots with exact limits, counts beside them.

    Parameters
    ----------
    rates : DataFrame of schema.RATES
    event : str
        event word drawn.
    label : str
        what the event is called, from `labels.event_name`.

    Returns
    -------
    Figure.
    """
    schema.check(rates, schema.RATES)
    rows = rates[rates["event"] == event].reset_index(drop=True)
    if rows.empty:
        return style.empty_figure(f"Rates: no group has a rate of {label} to show")
    strata = list(rows["stratum"])
    with style.paper():
        fig = style.new_figure(0.34 * len(strata) + 1.1)
        axes = fig.subplots()
        _dots(axes, rows, list(range(len(rows))), 1, _READING_MARKS["cumulative incidence"], "")
        _finish(axes, strata, f"{labels.of_event(label)}: per 100 person-years; 95 % limits")
        axes.set_xlim(left=0)
        for place, row in rows.iterrows():
            text = f"{numbers.plural(row['events'], 'event')} / {numbers.plural(row['subjects'], 'patient')}"
            axes.annotate(
                text, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=style.SMALL_POINTS
            )
    return fig


def calibration(calibration: pd.DataFrame) -> Figure:
    """Where does this cohort stand against the published figures? One dot per target within its accepted band.

    Parameters
    ----------
    calibration : DataFrame of schema.CALIBRATION

    Returns
    -------
    Figure: each row on its own scale, on which its accepted band runs from -1 to 1; a hollow square marks a miss, with
    its figures beside it; one farther out than three half bands stands at the edge. The table has all figures.
    """
    schema.check(calibration, schema.CALIBRATION)
    rows = calibration.reset_index(drop=True)
    if rows.empty:
        return style.empty_figure("Calibration: no target to show")
    half = (rows["band_high"] - rows["band_low"]).div(2).replace(0, 1)
    place = (rows["achieved"] - (rows["band_high"] + rows["band_low"]) / 2).div(half).clip(-3, 3)
    inside = rows["inside"].to_numpy(dtype=bool)
    miss = ~inside
    names = [textwrap.fill(target, 52) for target in rows["target"]]
    with style.paper():
        fig = style.new_figure(0.16 * sum(1.4 + name.count("\n") for name in names) + 1.0)
        axes = fig.subplots()
        axes.axvspan(-1, 1, color="#dbe7f0", linewidth=0, label="accepted band")
        axes.plot(place[inside], rows.index[inside], "o", color="#0b4f7d", markersize=5, label="achieved, inside")
        if miss.any():
            axes.plot(place[miss], rows.index[miss], "s", color="#a03000", mfc="white", markersize=6, label="a miss")
        _finish(axes, names, "distance from the middle of the band, in half bands")
        axes.set_xlim(-3.15, 3.15)
        axes.set_xticks(range(-3, 4))
        for number, row in rows[miss].iterrows():
            achieved, published = (numbers.format_figure(row[name]) for name in ("achieved", "published"))
            text = f"{achieved} against {published} {row['unit']}"
            axes.annotate(
                text, (1.02, number), xycoords=("axes fraction", "data"), va="center", fontsize=style.SMALLEST_POINTS
            )
        axes.tick_params(axis="y", labelsize=style.SMALLEST_POINTS)
        fig.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
    return fig


def _dots(axes, rows: pd.DataFrame, places: list[float], scale: float, marks: dict, name: str) -> None:
    low, high = rows["conf_low"] * scale, rows["conf_high"] * scale
    axes.hlines(places, low, high, color=marks["color"], linewidth=1.4)
    axes.plot(rows["estimate"] * scale, places, linestyle="", markersize=6, markeredgewidth=1.4, label=name, **marks)


def _finish(axes, strata: list[str], label: str) -> None:
    axes.set_yticks(range(len(strata)), [labels.stratum_name(stratum) for stratum in strata])
    axes.set_ylim(len(strata) - 0.5, -0.5)
    axes.set_xlabel(labels.sentence(label))
    axes.tick_params(axis="y", left=False)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="#e3e3e3", linewidth=0.7)
    axes.set_axisbelow(True)
