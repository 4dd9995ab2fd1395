"""Ratios of models with their limits: a forest of terms, all causes side by side, on a logarithmic axis."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis import schema
from analysis.present import labels, numbers, reading, terms
from analysis.present.figures import style

_NARROWEST, _WIDEST = 0.05, 20.0
_TICKS = (0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10, 20)
_MARKS = ("o", "s", "^", "D")
_MODEL_COLOURS = ("#0b4f7d", "#9a5b00", "#3d3d3d", "#4c9bd0")


def effects(effects: pd.DataFrame, endpoint: str) -> Figure:
    """What goes with an earlier event, and with which? A dot with limits per term and model; 1 is no difference.

    Parameters
    ----------
    effects : DataFrame of schema.EFFECTS
        one scale; up to four models, such as those of all causes.
    endpoint : str
        from COHORT; decides what the events are called.

    Returns
    -------
    Figure; limits that run past 0.05 or 20 are cut there, and the table has them.
    """
    schema.check(effects, schema.EFFECTS)
    rows = effects.dropna(subset=["estimate", "conf_low", "conf_high"])
    if rows.empty:
        return style.empty_figure("Effects: no term has an estimate to show")
    names, models = reading.in_order(rows["term"]), reading.in_order(rows["model"])
    with style.paper():
        fig = style.new_figure(0.3 * len(names) + 0.14 * len(names) * (len(models) - 1) + 0.25 * len(models) + 0.9)
        axes = fig.subplots()
        axes.axvline(1, color=style.QUIET, linewidth=1, linestyle=(0, (4, 3)))
        for shift, (number, model) in zip(_shifts(len(models)), enumerate(models), strict=True):
            here = rows[rows["model"] == model]
            _dots(axes, here, [names.index(term) + shift for term in here["term"]], number, endpoint)
        axes.set_yticks(range(len(names)), [terms.term_name(term) for term in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        _ratio_axis(axes, rows, labels.sentence(f"{reading.in_order(rows['scale'])[0]}; 95 % limits"))
        fig.legend(*axes.get_legend_handles_labels(), loc="outside upper left", frameon=False)
    return fig


def _shifts(count: int) -> np.ndarray:
    return np.linspace(-0.22, 0.22, count) if count > 1 else np.zeros(1)


def _dots(axes, rows: pd.DataFrame, places: list[float], number: int, endpoint: str) -> None:
    colour, mark = _MODEL_COLOURS[number % 4], _MARKS[number % 4]
    low, high = rows["conf_low"].clip(_NARROWEST, _WIDEST), rows["conf_high"].clip(_NARROWEST, _WIDEST)
    axes.hlines(places, low, high, color=colour, linewidth=1.4)
    axes.plot(
        rows["estimate"].clip(_NARROWEST, _WIDEST),
        places,
        linestyle="",
        marker=mark,
        markersize=5.5,
        color=colour,
        mfc=colour if number == 0 else "white",
        label=terms.model_name(rows["model"].iloc[0], endpoint),
    )


def _ratio_axis(axes, rows: pd.DataFrame, label: str) -> None:
    """A logarithmic axis with ticks at ratios that are read aloud, as far as the limits go."""
    low = max(min(rows["conf_low"].min(), 0.8) / 1.05, _NARROWEST * 0.95)
    high = min(max(rows["conf_high"].max(), 1.25) * 1.05, _WIDEST * 1.05)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    if len(ticks) > 9:
        ticks = [tick for tick in ticks if tick not in (0.33, 0.67, 0.8, 1.25)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(label)
    axes.tick_params(axis="y", left=False)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="#e3e3e3", linewidth=0.7)
    axes.set_axisbelow(True)


def standardised(curves: pd.DataFrame, label: str, horizon_months: float) -> Figure:
    """How often would the event come, had everybody each level? A line with a band of limits per level.

    Parameters
    ----------
    curves : DataFrame of schema.CURVES
        one event, from `standardised_incidence`, at many times.
    label : str
        what the event is called, from `labels.event_name`.
    horizon_months : float
        end of the axis.

    Returns
    -------
    Figure.
    """
    schema.check(curves, schema.CURVES)
    rows = curves.dropna(subset=["estimate"])
    rows = rows[rows["time"] <= horizon_months * schema.DAYS_PER_MONTH]
    if rows.empty:
        return style.empty_figure("Adjusted curves: nothing to show")
    strata = reading.in_order(rows["stratum"])
    with style.paper():
        fig = style.new_figure(3.6)
        axes = fig.subplots()
        for number, (stratum, colour) in enumerate(zip(strata, style.colours(len(strata)), strict=True)):
            here = rows[rows["stratum"] == stratum].sort_values("time")
            month = here["time"] / schema.DAYS_PER_MONTH
            axes.fill_between(month, 100 * here["conf_low"], 100 * here["conf_high"], color=colour, alpha=0.15, lw=0)
            dashes = style.LINE_STYLES[number % len(style.LINE_STYLES)]
            name = f"as if all: {terms.level_name(stratum)}"
            axes.plot(month, 100 * here["estimate"], color=colour, linestyle=dashes, label=name)
        axes.set_xlim(0, horizon_months)
        axes.set_ylim(0, 100)
        axes.set_xlabel("Months since start of the line")
        axes.set_ylabel(f"{labels.sentence(labels.of_event(label))} (%)")
        axes.set_xticks(range(0, int(numbers.format_number(horizon_months, 0).replace(",", "")) + 1, 12))
        fig.legend(
            *axes.get_legend_handles_labels(), loc="outside upper left", frameon=False, ncols=min(len(strata), 3)
        )
    return fig
