"""The shape of effects: events seen over expected along a number, and the hazard ratio along time."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from analysis import schema
from analysis.present import labels, terms
from analysis.present.figures import style

_DOT = "#0b4f7d"


def functional_form(form: pd.DataFrame) -> Figure:
    """Are there more events than the model expects at some values of a number? One panel per number.

    Parameters
    ----------
    form : DataFrame of schema.FUNCTIONAL_FORM

    Returns
    -------
    Figure; dots at the mean of each group with 95 % limits, a line at 1: as many events as expected. A group without
    events has no place on the scale of ratios; the table has it.
    """
    schema.check(form, schema.FUNCTIONAL_FORM)
    rows = form[form["estimate"].notna()]
    if rows.empty:
        return style.empty_figure("Shape of effects: no group has a ratio to show")
    panels = [(labels.variable_name(name), group) for name, group in rows.groupby("variable", sort=False)]
    return _panels(panels, "value", "events seen / expected")


def effect_by_time(effects: pd.DataFrame) -> Figure:
    """Does an effect change with time? One panel per term.

    Parameters
    ----------
    effects : DataFrame of schema.EFFECT_BY_TIME

    Returns
    -------
    Figure; dots at the mean time of each group of events with 95 % limits; dashed, the one ratio of the model.
    """
    schema.check(effects, schema.EFFECT_BY_TIME)
    rows = effects[effects["estimate"].notna()].assign(months=effects["time"] / schema.DAYS_PER_MONTH)
    if rows.empty:
        return style.empty_figure("Effects over time: no group has a ratio to show")
    panels = [(terms.term_name(term), group) for term, group in rows.groupby("term", sort=False)]
    return _panels(panels, "months", "hazard ratio", "months since the start of the line")


def _ratio_ticks(axes) -> None:
    """Ticks at round ratios: many where the axis is short, few where it is long."""
    low, high = axes.get_ylim()
    many = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.4, 1.7, 2)
    few = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
    wide = (0.25, 0.5, 0.7, 1, 1.5, 2, 4)
    chosen = many if high / low < 2 else wide if high / low < 8 else few
    ticks = [tick for tick in chosen if low <= tick <= high]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(low, high)


def _panels(panels: list[tuple[str, pd.DataFrame]], along: str, scale: str, below: str = "") -> Figure:
    alike = not below  # ratios of groups go by one scale; hazard ratios have each their own unit
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    with style.paper():
        fig = style.new_figure(2.3 * down + 0.6)
        grid = fig.subplots(down, across, squeeze=False, sharey=alike)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axes, (name, rows) in zip(grid.flat, panels, strict=False):
            axes.axhline(1, color=style.QUIET, linewidth=0.9)
            if "overall" in rows:
                axes.axhline(rows["overall"].iloc[0], color="#9a5b00", linewidth=1.1, linestyle=(0, (5, 1.5)))
            drawn = rows[rows["conf_low"] > 0]
            axes.vlines(drawn[along], drawn["conf_low"], drawn["conf_high"], color=_DOT, linewidth=1.3)
            axes.plot(drawn[along], drawn["estimate"], "o", color=_DOT, markersize=4.5)
            axes.set_yscale("log")
            axes.set_title(labels.sentence(name), fontsize=style.SMALL_POINTS)
            axes.grid(axis="y", color="#e3e3e3", linewidth=0.7)
            axes.set_axisbelow(True)
        for axes in grid.flat[: len(panels)]:
            _ratio_ticks(axes)
        fig.supylabel(f"{labels.sentence(scale)}; 95 % limits", fontsize=style.SMALL_POINTS)
        if below:
            fig.supxlabel(labels.sentence(below), fontsize=style.SMALL_POINTS)
    return fig
