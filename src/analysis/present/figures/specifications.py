"""How every answer moves with the definition: a specification curve."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from analysis import schema
from analysis.present import labels, numbers
from analysis.present.figures import style

# The choices beneath the curve: column of the frame, and how its values are said.
_CHOICES = (("rule", "rule {}"), ("window_days", "window {} d"), ("gap_days", "gap {} d"), ("imwg_version", "IMWG {}"))


def specifications(specifications: pd.DataFrame, event: str) -> Figure:
    """How does the share with an event move with the definition? A panel per line, the choices of each beneath.

    Parameters
    ----------
    specifications : DataFrame of schema.SPECIFICATIONS
    event : str
        event word to draw.

    Returns
    -------
    Figure; definitions from left to right in the order of their mean over the lines, the default as a ring. Marks
    beneath say what each definition chose.
    """
    schema.check(specifications, schema.SPECIFICATIONS)
    rows = specifications[(specifications["event"] == event) & specifications["estimate"].notna()]
    if rows.empty:
        return style.empty_figure("Definitions: no estimate to show")
    order = rows.groupby("definition")["estimate"].mean().sort_values(kind="stable").index
    place = {definition: number for number, definition in enumerate(order)}
    rows = rows.assign(place=rows["definition"].map(place))
    lines = sorted(rows["line"].unique())
    choices = _choices(rows)
    with style.paper():
        heights = [1.25] * len(lines) + [0.17 * len(choices)]
        fig = style.new_figure(sum(heights) + 0.9)
        panels = fig.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
        for axes, line in zip(panels, lines, strict=False):
            _curve(axes, rows[rows["line"] == line], line)
        _marks(panels[-1], rows, choices)
        panels[-1].set_xlabel(
            f"{numbers.format_count(len(order))} definitions, from the lowest mean over the lines to the highest; "
            "ring: the default; bars: 95 % limits",
            fontsize=style.SMALL_POINTS,
        )
        by_time = numbers.format_time_point(rows["time"].iloc[0] / schema.DAYS_PER_MONTH)
        name = labels.event_short(event, labels.endpoint_of(specifications["event"]))
        fig.supylabel(f"{name} by {by_time} (% of patients)", fontsize=style.SMALL_POINTS)
    return fig


def _curve(axes, rows: pd.DataFrame, line: int) -> None:
    rows = rows.sort_values("place")
    axes.vlines(rows["place"], 100 * rows["conf_low"], 100 * rows["conf_high"], color="#b9cfe0", linewidth=1.2)
    axes.plot(rows["place"], 100 * rows["estimate"], "o", color="#0b4f7d", markersize=2.6)
    default = rows[rows["default"].astype(bool)]
    axes.plot(default["place"], 100 * default["estimate"], "o", mfc="white", mec="#9a5b00", mew=1.8, markersize=7)
    axes.set_title(labels.stratum_name(f"line {line}"), fontsize=style.SMALL_POINTS)
    axes.grid(axis="y", color="#e3e3e3", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(bottom=False)


def _choices(rows: pd.DataFrame) -> list[tuple[str, object, str]]:
    """(column, value, name) of every choice that more than one value was tried for; a missing gap comes last."""
    found = []
    for column, text in _CHOICES:
        values = sorted(rows[column].dropna().unique()) + ([pd.NA] if rows[column].isna().any() else [])
        if len(values) > 1:
            found += [(column, value, "no gap" if pd.isna(value) else text.format(value)) for value in values]
    return found


def _marks(axes, rows: pd.DataFrame, choices: list[tuple[str, object, str]]) -> None:
    each = rows.drop_duplicates("definition")
    for height, (column, value, _) in enumerate(choices):
        chosen = each[each[column].isna() if pd.isna(value) else (each[column] == value).fillna(False).astype(bool)]
        axes.plot(chosen["place"], [height] * len(chosen), "|", color=style.INK, markersize=5, markeredgewidth=0.9)
        if height and choices[height - 1][0] != column:
            axes.axhline(height - 0.5, color="#d0d0d0", linewidth=0.7)
    axes.set_yticks(range(len(choices)), [name for _, _, name in choices], fontsize=style.SMALLEST_POINTS)
    axes.set_ylim(len(choices) - 0.5, -0.5)
    axes.tick_params(left=False, bottom=False, labelbottom=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
