"""Curves of parametric laws over the curve of the data: what lies past the last event is dashed and shaded."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from analysis import schema
from analysis.present import labels, reading, terms
from analysis.present.figures import style

_DASHED = (0, (2.5, 2))


def overlay(curves: pd.DataFrame, steps: pd.DataFrame, endpoint: str) -> Figure:
    """Do the laws follow the data, and how far apart are they where the data have ended?

    Parameters
    ----------
    curves : DataFrame of schema.FITTED_CURVES
        one event; each law is drawn as a line, dashed with its limits past the last event, on a shaded ground.
    steps : DataFrame of schema.CURVES
        Kaplan-Meier of the same rows and event: black steps with their band.
    endpoint : str
        from COHORT; decides what the event is called.

    Returns
    -------
    Figure, to be given to `show`.
    """
    schema.check(curves, schema.FITTED_CURVES)
    schema.check(steps, schema.CURVES)
    rows = curves.dropna(subset=["estimate"])
    if rows.empty:
        return style.empty_figure("Parametric curves: no law has a curve to show")
    event = rows["event"].iloc[0]
    end = rows["time"].max() / schema.DAYS_PER_MONTH
    laws = reading.in_order(rows["distribution"])
    with style.paper():
        fig = style.new_figure(4.3)
        axes = fig.subplots()
        _shade(axes, rows, end)
        _draw_steps(axes, steps, event, end)
        for law, colour, dashes in zip(laws, style.colours(len(laws)), _dashes(len(laws)), strict=True):
            _draw_law(axes, rows[rows["distribution"] == law], colour, dashes)
        axes.set_xlim(0, end)
        axes.set_ylim(0, 100)
        axes.set_xticks(reading.tick_months(end))
        axes.set_xlabel("months since start of the line")
        axes.set_ylabel(_share_label(event, endpoint))
        axes.grid(axis="y", color="#e3e3e3", linewidth=0.7)
        axes.set_axisbelow(True)
        handles, names = axes.get_legend_handles_labels()
        fig.legend(handles, names, loc="outside upper left", frameon=False, ncols=4)
    return fig


def _dashes(count: int) -> list:
    return [style.LINE_STYLES[number % len(style.LINE_STYLES)] for number in range(count)]


def _share_label(event: str, endpoint: str) -> str:
    name = labels.of_event(labels.event_name(event, endpoint))
    return f"without {name} (%)" if event == "any" else f"without {name} (%)\n{labels.rivals(event, endpoint)} censored"


def _shade(axes, rows: pd.DataFrame, end: float) -> None:
    """A grey ground from the last time with data on."""
    past = rows[rows["extrapolated"]]
    if past.empty:
        return
    begin = past["time"].min() / schema.DAYS_PER_MONTH
    axes.axvspan(begin, end, color="#efefef", linewidth=0)
    axes.text(
        (begin + end) / 2, 97, "extrapolated", ha="center", va="top", fontsize=style.SMALL_POINTS, color=style.QUIET
    )


def _draw_steps(axes, steps: pd.DataFrame, event: str, end: float) -> None:
    if not len(reading.one_curve(steps, "survival", event, "all")):
        return
    drawn = reading.steps(steps, "survival", event, "all", end)
    month = drawn["month"]
    axes.fill_between(
        month, 100 * drawn["conf_low"], 100 * drawn["conf_high"], step="post", color=style.INK, alpha=0.13, linewidth=0
    )
    axes.step(month, 100 * drawn["estimate"], where="post", color=style.INK, linewidth=2.4, label="Kaplan-Meier")


def _draw_law(axes, rows: pd.DataFrame, colour, dashes) -> None:
    rows = rows.sort_values("time")
    month, past = rows["time"] / schema.DAYS_PER_MONTH, rows["extrapolated"].to_numpy(dtype=bool)
    percent = 100 * rows["estimate"]
    name = terms.law_name(rows["distribution"].iloc[0])
    axes.plot(month[~past], percent[~past], color=colour, linestyle=dashes, linewidth=1.5, label=name)
    if past.any():
        first = max(int(past.argmax()) - 1, 0)
        axes.fill_between(
            month[first:],
            100 * rows["conf_low"][first:],
            100 * rows["conf_high"][first:],
            color=colour,
            alpha=0.1,
            lw=0,
        )
        axes.plot(month[first:], percent[first:], color=colour, linestyle=_DASHED, linewidth=1.2)
