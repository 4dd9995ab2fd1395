"""Shares that add up to all patients: every cause over time, the outcomes of each line, drug classes by line."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis import schema
from analysis.present import labels, numbers, reading
from analysis.present.figures import style


def all_causes(curves: pd.DataFrame, horizon_months: float) -> Figure:
    """What had happened to all patients by each time? Cumulative incidences of all causes, stacked, and the rest.

    Parameters
    ----------
    curves : DataFrame of schema.CURVES
        estimand "cumulative incidence", all causes of each stratum; other rows are left aside.
    horizon_months : float
        end of the time axis; a stratum whose data end before it is drawn up to that day.

    Returns
    -------
    Figure with one panel per stratum. At each time the shares add up to 100 % (Latouche et al. 2013: show every cause).
    """
    schema.check(curves, schema.CURVES)
    wanted = curves[(curves["estimand"] == "cumulative incidence") & (curves["event"] != "any")]
    strata = reading.in_order(wanted["stratum"])
    if not strata:
        return style.empty_figure("All causes: no group has a curve to show")
    endpoint = labels.endpoint_of(wanted["event"])
    causes = [event for event in labels.EVENTS if event in set(wanted["event"])]
    across = min(len(strata), 4)
    down = -(-len(strata) // across)
    with style.paper():
        fig = style.new_figure(2.5 * down + 0.9)
        panels = fig.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        for axes in panels.flat[len(strata) :]:
            axes.set_visible(False)
        for axes, stratum in zip(panels.flat, strata, strict=False):
            _stack(axes, wanted, stratum, causes, horizon_months)
            axes.set_title(labels.stratum_name(stratum), fontsize=style.SMALL_POINTS)
        for axes in panels.flat[max(len(strata) - across, 0) : len(strata)]:
            axes.tick_params(labelbottom=True)
        for axes in panels[:, 0]:
            axes.set_ylabel("patients (%)")
        names = {event: labels.event_short(event, endpoint) for event in causes}
        _legend(fig, {**names, "event-free": "event-free"})
        fig.supxlabel("months since start of the line", fontsize=style.SMALL_POINTS)
    return fig


def _stack(axes, curves: pd.DataFrame, stratum: str, causes: list[str], horizon_months: float) -> None:
    parts = [reading.steps(curves, "cumulative incidence", event, stratum, horizon_months) for event in causes]
    month = np.unique(np.concatenate([part["month"] for part in parts]))
    top = np.zeros(len(month))
    for event, part in zip(causes, parts, strict=True):
        here = np.searchsorted(part["month"].to_numpy(), month, side="right") - 1
        higher = np.minimum(top + 100 * part["estimate"].to_numpy()[here], 100.0)
        _layer(axes, month, top, higher, event)
        top = higher
    _layer(axes, month, top, np.full(len(month), 100.0), "event-free")
    axes.set(xlim=(0, horizon_months), ylim=(0, 100))
    ticks = reading.tick_months(horizon_months)
    axes.set_xticks(ticks if len(ticks) <= 6 else ticks[::2])
    axes.set_yticks(range(0, 101, 25))


def _layer(axes, month, low, high, event: str) -> None:
    axes.fill_between(
        month,
        low,
        high,
        step="post",
        facecolor=style.EVENT_COLOURS[event],
        linewidth=0.0,
    )
    axes.step(month, high, where="post", color="white", linewidth=0.8)


def _legend(fig: Figure, names: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    patches = [
        Patch(facecolor=style.EVENT_COLOURS[event], edgecolor="white", label=name) for event, name in names.items()
    ]
    for patch in patches[-1:]:
        patch.set_edgecolor(style.QUIET)
    fig.legend(handles=patches, loc="outside upper left", ncols=len(patches), frameon=False)


def attrition(attrition: pd.DataFrame, time_months: float) -> Figure:
    """Who reaches the next line, who dies first, who neither: by line, in both readings.

    Parameters
    ----------
    attrition : DataFrame of schema.ATTRITION
        crude rows and Aalen-Johansen rows.
    time_months : float
        which Aalen-Johansen time is drawn; it must be in the frame.

    Returns
    -------
    Figure: two bars per line. The crude bar counts those still in follow-up as "neither"; the other allows for it.
    """
    schema.check(attrition, schema.ATTRITION)
    if attrition.empty:
        return style.empty_figure("Attrition: no line has patients to show")
    crude = attrition[attrition["reading"] == "crude"]
    timed = reading.reliable(reading.at_time(attrition[attrition["reading"] == "Aalen-Johansen"], time_months))
    bars = []
    for line in sorted(attrition["line"].unique()):
        entered = attrition.loc[attrition["line"] == line, "entered"].iloc[0]
        bars.append((f"line {line}, all follow-up", crude[crude["line"] == line], entered))
        bars.append((f"line {line}, by {numbers.format_time_point(time_months)}", timed[timed["line"] == line], None))
    with style.paper():
        fig = style.new_figure(0.36 * len(bars) + 1.1)
        axes = fig.subplots()
        places = [number + 0.35 * (number // 2) for number in range(len(bars))]
        for place, (_, rows, _) in zip(places, bars, strict=True):
            _outcome_bar(axes, place, rows)
        axes.set_yticks(places, [name for name, _, _ in bars])
        axes.tick_params(axis="y", left=False)
        axes.set(xlim=(0, 100), ylim=(places[-1] + 0.6, -0.6), xlabel="patients who started the line (%)")
        axes.spines["left"].set_visible(False)
        for place, (_, _, entered) in zip(places, bars, strict=True):
            if entered is not None:
                text = f"n = {numbers.format_count(entered)}"
                axes.text(101, place, text, va="center", fontsize=style.SMALL_POINTS, clip_on=False)
        names = {"next_line": "next line", "death": "death before a next line", "event-free": "neither"}
        _legend(fig, names)
    return fig


def _outcome_bar(axes, place: float, rows: pd.DataFrame) -> None:
    left, missing = 0.0, ""
    for outcome in ("next_line", "death", "neither"):
        here = rows[rows["outcome"] == outcome]
        if here.empty or numbers.missing(here["estimate"].iloc[0]):
            missing = missing or numbers.why_missing(here.iloc[0]) if len(here) else missing
            continue
        width = 100 * here["estimate"].iloc[0]
        event = "event-free" if outcome == "neither" else outcome
        axes.barh(
            place, width, left=left, height=0.82, color=style.EVENT_COLOURS[event], edgecolor="white", linewidth=1
        )
        if width >= 7:
            text = f"{width:.1f}"
            axes.text(left + width / 2, place, text, ha="center", va="center", fontsize=style.SMALL_POINTS)
        left += width
    if missing:
        said = f"the rest: {missing}" if left else missing
        axes.text(left + 1, place, said, va="center", color=style.QUIET, fontsize=style.SMALL_POINTS)


def class_shares(shares: pd.DataFrame) -> Figure:
    """Which drug classes are used in which line? A grid of the share of patients per line and class.

    Parameters
    ----------
    shares : DataFrame
        line, drug_class, patients (missing where withheld), share (of the patients who started the line). A patient
        counts in every class of the line, so shares of a line add up to more than 100 %.

    Returns
    -------
    Figure with each share written in its cell, "withheld" where a frame says so (share missing) and a dash where it has
    no row; classes in the order of their use in line 1.
    """
    if shares.empty:
        return style.empty_figure("Drug classes: no line has patients to show")
    grid = shares.pivot_table(index="drug_class", columns="line", values="share", aggfunc="first", dropna=False)
    order = grid.fillna(0).assign(name=grid.index).sort_values([*grid.columns, "name"], ascending=False).index
    grid = grid.loc[order]
    withheld = shares[shares["share"].isna()].set_index(["drug_class", "line"]).index
    with style.paper():
        fig = style.new_figure(0.32 * len(grid) + 0.9)
        axes = fig.subplots()
        axes.pcolormesh(
            100 * grid.fillna(0).to_numpy(), cmap="Blues", vmin=0, vmax=100, edgecolor="white", linewidth=1.5
        )
        for row, drug_class in enumerate(grid.index):
            for column, line in enumerate(grid.columns):
                share = grid.loc[drug_class, line]
                absent = numbers.GONE if (drug_class, line) in withheld else "–"
                text = absent if numbers.missing(share) else numbers.format_percent(share, 0)
                ink = style.QUIET if numbers.missing(share) else "white" if share > 0.66 else style.INK
                look = {"color": ink, "fontstyle": "italic" if text == numbers.GONE else "normal"}
                axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=style.SMALL_POINTS, **look)
        axes.set_xticks([n + 0.5 for n in range(grid.shape[1])], [f"line {line}" for line in grid.columns])
        axes.set_yticks([n + 0.5 for n in range(grid.shape[0])], list(grid.index))
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.invert_yaxis()
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_xlabel(
            f"share of the patients who started the line; {_dash_said(shares)}", fontsize=style.SMALL_POINTS
        )
    return fig


def _dash_said(shares: pd.DataFrame) -> str:
    """What a dash means: where a frame has no small count, rows with small counts may have been dropped from it."""
    whole = "patients_withheld" in shares or bool((shares["patients"].fillna(0) <= numbers.SMALL).any())
    return "–: none recorded" if whole else "–: none recorded, or too few to be shown"
