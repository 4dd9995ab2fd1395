"""Curves over time: cumulative incidence with its table of numbers beneath, and event-free survival."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from analysis import schema
from analysis.present import labels, numbers, reading
from analysis.present.figures import endlabels, style

_ROW_INCHES = 0.185


def cumulative_incidence(
    curves: pd.DataFrame, risk: pd.DataFrame | None, event: str, horizon_months: float, label: str
) -> Figure:
    """How many have had the event, by time since line start, one curve per stratum with its limits?

    Under the axis stands, per stratum and tick, how many are at risk, have had each event, and are censored:
    the rows of a stratum add up to its N (Morris et al. 2019, KMunicate).

    Parameters
    ----------
    curves : DataFrame of schema.CURVES
        estimand "cumulative incidence" of `event` is drawn.
    risk : DataFrame of schema.RISK or None
        the numbers beneath; its times within the horizon are the ticks.
    event : str
        event word to draw.
    horizon_months : float
        end of the time axis.
    label : str
        what the event is called, from `labels.event_name`.

    Returns
    -------
    Figure, to be given to `show`.
    """
    schema.check(curves, schema.CURVES)
    title = f"Cumulative incidence: {labels.of_event(label)}"
    return _curves_figure(curves, risk, ("cumulative incidence", event), horizon_months, title, label)


def event_free(
    curves: pd.DataFrame, risk: pd.DataFrame | None, horizon_months: float, label: str = "any event"
) -> Figure:
    """How many are still free of every event, by time since line start, one curve per stratum with its limits?

    The parameters are those of `cumulative_incidence`; estimand "survival" of event "any" is drawn. The label is
    what happens ("death from any cause"), not its absence.
    """
    schema.check(curves, schema.CURVES)
    title = f"Share without {labels.of_event(label)}"
    return _curves_figure(curves, risk, ("survival", "any"), horizon_months, title, label)


def _curves_figure(curves, risk, which: tuple[str, str], horizon_months: float, title: str, label: str) -> Figure:
    estimand, event = which
    wanted = curves[(curves["estimand"] == estimand) & (curves["event"] == event)]
    strata = reading.in_order(wanted["stratum"])
    if not strata:
        return style.empty_figure(f"{title}: no group has a curve to show")
    rows = _risk_rows(risk, strata, horizon_months)
    with style.paper():
        table_inches = _ROW_INCHES * (len(rows) + 1) if rows else 0.01
        fig = style.new_figure(4.1 + table_inches)
        grid = fig.add_gridspec(2, 1, height_ratios=[4.1, table_inches], hspace=0.0)
        axes = fig.add_subplot(grid[0])
        palette = style.colours(len(strata))
        faintness = 0.16 if len(strata) <= 4 else 0.09
        steps = [reading.steps(curves, estimand, event, stratum, horizon_months) for stratum in strata]
        for i, curve in enumerate(steps):
            _draw_one(axes, curve, palette[i], i, faintness)
        _name_curves(axes, steps, [labels.stratum_name(s) for s in strata], palette, horizon_months)
        ticks = _ticks(rows, horizon_months)
        _finish_axes(axes, title, ticks, horizon_months, _ends_said(wanted, steps, horizon_months))
        if rows:
            _draw_risk(fig.add_subplot(grid[1], sharex=axes), rows, dict(zip(strata, palette, strict=True)), ticks)
    return fig


def _draw_one(axes, steps: pd.DataFrame, colour, number: int, faintness: float) -> None:
    """Draw one curve and its band."""
    month, percent = steps["month"], 100 * steps["estimate"]
    axes.fill_between(
        month,
        100 * steps["conf_low"],
        100 * steps["conf_high"],
        step="post",
        color=colour,
        alpha=faintness,
        linewidth=0,
    )
    axes.step(month, percent, where="post", color=colour, linestyle=style.LINE_STYLES[number % len(style.LINE_STYLES)])


def _name_curves(axes, steps: list[pd.DataFrame], names: list[str], palette, horizon_months: float) -> None:
    """Write each stratum's name where its curve ends, over no other curve, with a thin leader from the end to it."""
    from matplotlib.patheffects import withStroke

    for number, place in enumerate(endlabels.place(steps, names, horizon_months)):
        month, height = float(steps[number]["month"].iloc[-1]), 100 * float(steps[number]["estimate"].iloc[-1])
        side = (0, 0.5) if place[0] > month else (0.5, 0.0 if place[1] > height else 1.0)
        leader = {"arrowstyle": "-", "linewidth": 0.6, "relpos": side, "shrinkA": 1, "shrinkB": 1}
        axes.annotate(
            names[number],
            xy=(month, height),
            xytext=place,
            color=palette[number],
            fontsize=style.SMALL_POINTS,
            fontweight="bold",
            va="center",
            annotation_clip=False,
            path_effects=[withStroke(linewidth=3, foreground="white")],
            arrowprops={"color": palette[number], **leader},
        )


def _ends_said(wanted: pd.DataFrame, steps: list[pd.DataFrame], horizon_months: float) -> str:
    """That curves end where few are left: said where one ends early and all of them end so."""
    last = wanted.sort_values("time", kind="stable").groupby("stratum")["at_risk"].last()
    early = any(curve["month"].iloc[-1] < horizon_months - 1e-6 for curve in steps)
    cut = early and bool((last >= numbers.AT_RISK_MINIMUM).all())
    return f"\ncurves end where fewer than {numbers.AT_RISK_MINIMUM} are at risk" if cut else ""


def _finish_axes(axes, title: str, ticks: list[float], horizon_months: float, beneath: str) -> None:
    axes.set_title(title[:1].upper() + title[1:])
    axes.set_xlim(0, horizon_months)
    axes.set_ylim(0, 100)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel("patients (%)")
    axes.set_xlabel(
        f"months since start of the line; bands are pointwise 95 % limits{beneath}", fontsize=style.SMALL_POINTS
    )
    axes.grid(axis="y", color="#e3e3e3", linewidth=0.7)
    axes.set_axisbelow(True)


def _ticks(rows: list, horizon_months: float) -> list[float]:
    months = sorted({month for _, _, cells in rows for month in cells})
    return sorted({*months, *reading.tick_months(horizon_months)})


def _risk_rows(risk: pd.DataFrame | None, strata: list[str], horizon_months: float) -> list[tuple]:
    """The lines of the table: (stratum, heading or state, {month: text}); a state that nobody is in is left out."""
    if risk is None or risk.empty:
        return []
    schema.check(risk, schema.RISK)
    risk = risk[risk["time"] <= reading.days(horizon_months) + 1e-6]
    risk = risk.assign(month=(risk["time"] / schema.DAYS_PER_MONTH).round(3))
    endpoint = labels.endpoint_of(risk["state"])
    rows = []
    for stratum in [name for name in strata if name in set(risk["stratum"])]:
        here = risk[risk["stratum"] == stratum]
        total = here.groupby("month")["count"].sum(min_count=here["state"].nunique()).max()
        size = "" if numbers.missing(total) else f" (N = {numbers.format_count(total)})"
        rows.append((stratum, labels.stratum_name(stratum) + size, {}))
        for state in reading.states(here):
            mine = here[here["state"] == state]
            if mine["count"].isna().any() or mine["count"].sum() > 0 or state == "at risk":
                shown = {row["month"]: numbers.shown_count(row, "count") for _, row in mine.iterrows()}
                rows.append((stratum, labels.event_short(state, endpoint), shown))
    return rows


def _draw_risk(axes, rows: list[tuple], palette: dict, ticks: list[float]) -> None:
    """Numbers under their ticks, each stratum in its own colour under its own heading."""
    points = style.SMALL_POINTS if len(rows) <= 20 else style.SMALLEST_POINTS
    axes.set_ylim(len(rows) + 0.2, -0.6)
    axes.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for number, (stratum, name, cells) in enumerate(rows):
        heading = not cells
        axes.annotate(
            name,
            xy=(0, number),
            xycoords=("axes fraction", "data"),
            xytext=(-22, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=points,
            color=palette[stratum] if heading else style.INK,
            fontweight="bold" if heading else "normal",
            annotation_clip=False,
        )
        for month, text in cells.items():
            axes.text(month, number, text, ha="center", va="center", fontsize=points, clip_on=False)
