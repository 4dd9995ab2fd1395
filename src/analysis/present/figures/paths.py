"""From line to line: an alluvial of strategies, and single synthetic courses drawn as lanes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis import schema
from analysis.present import numbers
from analysis.present.figures import style

# From light to dark by how new the principle is, "other" in grey; neighbours differ in greyscale too.
COLOURS = {
    "CAR-T": "#5b1a52",
    "bispecific": "#9a3f8c",
    "anti-CD38": "#0b4f7d",
    "PI + IMiD": "#2f86c1",
    "PI": "#8cc3e6",
    "IMiD": "#d3a13c",
    "other": "#b9b9b9",
}
_WIDTH, _GAP = 0.16, 1.2


def class_flows(flows: pd.DataFrame, drawn_lines: int) -> Figure:
    """Which strategies follow which? An alluvial: a bar of strategies per line, bands to the next line's.

    Parameters
    ----------
    flows : DataFrame of schema.CLASS_FLOWS
    drawn_lines : int
        the last line drawn.

    Returns
    -------
    Figure; heights are patients in per cent of those drawn on the first line. A bar is taller than the bands that
    leave it by those who died or have gone no further.
    """
    schema.check(flows, schema.CLASS_FLOWS)
    flows = flows[(flows["line"] <= drawn_lines) & flows["patients"].notna()]
    if flows.empty:
        return style.empty_figure("From strategy to strategy: no line has patients to show")
    whole = flows.loc[flows["line"] == flows["line"].min(), "patients"].sum()
    lines = sorted(flows["line"].unique())
    with style.paper():
        fig = style.new_figure(4.6)
        axes = fig.subplots()
        tops = {line: _bar(axes, flows[flows["line"] == line], line, whole) for line in lines}
        for line in lines[:-1]:
            _bands(axes, flows[flows["line"] == line], line, tops, whole)
        drawn = flows.groupby("line")["patients"].sum()
        labels = [f"line {line}\n{numbers.format_count(drawn[line])} drawn" for line in lines]
        axes.set_xticks(lines, labels)
        axes.set_xlim(lines[0] - 0.35, lines[-1] + 0.9)
        axes.set_xlabel(
            f"heights: per cent of those drawn on line {lines[0]}{_left_out(flows)}", fontsize=style.SMALL_POINTS
        )
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="x", length=0)
        axes.invert_yaxis()
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        _legend(fig, flows)
    return fig


def _left_out(flows: pd.DataFrame) -> str:
    """That bands are left out, where no small one is in the frame: rows with small counts were dropped from it."""
    whole = bool((flows["patients"] <= numbers.SMALL).any())
    return "" if whole else "; those whose band is too small to be shown are not drawn"


def _bar(axes, rows: pd.DataFrame, line: int, whole: float) -> dict[str, float]:
    """The bar of one line; returns the top of each strategy in it."""
    sizes = rows.groupby("strategy")["patients"].sum() / whole * 100
    tops, top = {}, 0.0
    for strategy in (word for word in schema.STRATEGIES if word in sizes):
        height = sizes[strategy]
        axes.bar(line, height, width=_WIDTH, bottom=top, color=COLOURS[strategy], edgecolor="white", linewidth=0.6)
        if height >= 2.2:
            text = f"{strategy} {height:.0f} %"
            axes.text(line + _WIDTH / 2 + 0.02, top + height / 2, text, va="center", fontsize=style.SMALLEST_POINTS)
        tops[strategy] = top
        top += height + _GAP
    return tops


def _bands(axes, rows: pd.DataFrame, line: int, tops: dict, whole: float) -> None:
    """The bands from one line to the next, in the order of the strategies at both ends."""
    leaving, arriving = dict(tops[line]), dict(tops.get(line + 1, {}))
    onward = rows[rows["next"].isin(schema.STRATEGIES)]
    order = {word: place for place, word in enumerate(schema.STRATEGIES)}
    onward = onward.assign(first=onward["strategy"].map(order), second=onward["next"].map(order))
    steps = np.linspace(0, 1, 40)
    bend = 3 * steps**2 - 2 * steps**3
    across = line + _WIDTH / 2 + steps * (1 - _WIDTH)
    for _, row in onward.sort_values(["first", "second"]).iterrows():
        if row["next"] not in arriving:
            continue
        height, start, end = row["patients"] / whole * 100, leaving[row["strategy"]], arriving[row["next"]]
        middle = start + (end - start) * bend
        axes.fill_between(across, middle, middle + height, color=COLOURS[row["strategy"]], alpha=0.35, linewidth=0)
        leaving[row["strategy"]] += height
        arriving[row["next"]] += height


def courses(courses: pd.DataFrame) -> Figure:
    """What did single courses look like? One lane per course: lines as bars, relapses and the end as marks.

    `courses` is a DataFrame of schema.COURSES, longest course on top; without rows, as disclosure leaves them for a
    real cohort, the figure says why it is empty.
    """
    schema.check(courses, schema.COURSES)
    if courses.empty:
        return style.empty_figure("Single courses: none to show; a real cohort never shows a single patient")
    length = courses.groupby("course")["end"].max().sort_values(ascending=False, kind="stable")
    place = {course: number for number, course in enumerate(length.index)}
    with style.paper():
        fig = style.new_figure(0.26 * len(place) + 1.3)
        axes = fig.subplots()
        for _, row in courses.iterrows():
            lane, start, end = place[row["course"]], *(_months(row[name]) for name in ("start", "end"))
            axes.barh(lane, end - start, left=start, height=0.7, color=COLOURS[row["strategy"]], edgecolor="white")
            if numbers.missing(row["relapse"]) is False:
                axes.plot(_months(row["relapse"]), lane, marker="D", color="white", mec=style.INK, ms=4.5)
            if row["event"]:
                mark = {"death": ("X", style.INK), "censored": (">", style.QUIET)}[row["event"]]
                axes.plot(end + 1.5, lane, marker=mark[0], color=mark[1], ms=6, clip_on=False)
        axes.set_yticks([])
        axes.set(ylim=(len(place) - 0.4, -0.6), xlabel="months since the start of line 1")
        longest = _months(float(length.iloc[0]))
        step = 12 if longest <= 84 else 24 if longest <= 168 else 48
        axes.set_xlim(0, longest * 1.04)
        axes.set_xticks(range(0, int(longest) + 1, step))
        axes.spines["left"].set_visible(False)
        _legend(fig, courses, marks=_MARKS if courses["relapse"].notna().any() else _MARKS[1:])
    return fig


_MARKS = (("D", "white", "relapse"), ("X", style.INK, "death"), (">", style.QUIET, "followed to the end of the data"))


def _legend(fig: Figure, frame: pd.DataFrame, marks: tuple = ()) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    used = [word for word in schema.STRATEGIES if word in set(frame["strategy"])]
    handles = [Patch(facecolor=COLOURS[word], label=word) for word in used]
    handles += [
        Line2D([], [], marker=mark, color="none", mfc=fill, mec=style.INK, label=text) for mark, fill, text in marks
    ]
    fig.legend(handles=handles, loc="outside upper left", ncols=5 if marks else len(used), frameon=False)


def _months(days: float) -> float:
    return days / schema.DAYS_PER_MONTH
