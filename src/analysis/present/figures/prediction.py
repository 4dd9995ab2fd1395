"""How good risks are: scores with limits, calibration, net benefit, and what more training patients would bring."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.figure import Figure

from analysis import schema
from analysis.present import numbers, reading
from analysis.present.figures import style

_NO_WORTH = {"Uno's C": 0.5, "AUC": 0.5, "observed / expected": 1.0, "calibration slope": 1.0}
_PER_ROW = 4


def model_scores(scores: pd.DataFrame, measure: str, horizon_months: float) -> Figure:
    """Which model is how good? One dot with limits per model, what they say of its difference beside it.

    Parameters
    ----------
    scores : DataFrame of schema.SCORES
    measure : str
        one of its measures, such as "Uno's C".
    horizon_months : float
        one of its horizons.

    Returns
    -------
    Figure; the dotted line is what a model that tells nobody apart would have (for calibration: what is right).
    """
    schema.check(scores, schema.SCORES)
    rows = _of(scores, horizon_months)
    rows = rows[(rows["measure"] == measure) & rows["estimate"].notna()].reset_index(drop=True)
    if rows.empty:
        return style.empty_figure(f"{measure}: no model has a score to show")
    with style.paper():
        fig = style.new_figure(0.34 * len(rows) + 1.1)
        axes = fig.subplots()
        axes.axvline(_NO_WORTH.get(measure, 0.0), color=style.QUIET, linestyle=":", linewidth=1)
        axes.hlines(rows.index, rows["conf_low"], rows["conf_high"], color="#0b4f7d", linewidth=1.4)
        axes.plot(rows["estimate"], rows.index, "o", color="#0b4f7d", markersize=6)
        for place, row in rows.iterrows():
            said = f"{row['verdict']} (against {row['against']})" if row["verdict"] else ""
            axes.annotate(said, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=9)
        axes.set_yticks(rows.index, rows["model"])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(f"{measure} by {numbers.format_time_point(horizon_months)}; 95 % limits")
        axes.tick_params(axis="y", left=False)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color="#e3e3e3", linewidth=0.7)
        axes.set_axisbelow(True)
    return fig


def risk_calibration(calibration: pd.DataFrame, horizon_months: float) -> Figure:
    """Among those given a like risk, how many had the event? A panel per model; on the diagonal both agree.

    Parameters
    ----------
    calibration : DataFrame of schema.CALIBRATION_CURVE
    horizon_months : float
        one of its horizons.
    """
    schema.check(calibration, schema.CALIBRATION_CURVE)
    rows = _of(calibration, horizon_months)
    rows = rows[rows["estimate"].notna()]
    models = reading.in_order(rows["model"])
    if not models:
        return style.empty_figure("Calibration of risks: no group has a number to show")
    across = min(_PER_ROW, len(models))
    down = math.ceil(len(models) / across)
    with style.paper():
        fig = style.new_figure(2.3 * down + 0.5)
        panels = fig.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, model in zip(panels, models, strict=False):
            own = rows[rows["model"] == model]
            axes.plot([0, 100], [0, 100], color=style.QUIET, linestyle=":", linewidth=1)
            axes.vlines(100 * own["predicted"], 100 * own["conf_low"], 100 * own["conf_high"], color="#0b4f7d", lw=1.2)
            axes.plot(100 * own["predicted"], 100 * own["estimate"], "o", color="#0b4f7d", markersize=4)
            axes.set_title(model, fontsize=style.SMALL_POINTS)
            axes.set_xlim(0, 100)
            axes.set_ylim(0, 100)
            axes.set_xticks([0, 50, 100])
            axes.set_yticks([0, 50, 100])
        for axes in panels[len(models) :]:
            axes.axis("off")
        fig.supxlabel(
            f"risk foretold by {numbers.format_time_point(horizon_months)} (%), mean of each group; bars: 95 % limits",
            fontsize=style.SMALL_POINTS,
        )
        fig.supylabel("had the event (%)", fontsize=style.SMALL_POINTS)
    return fig


def net_benefit(net_benefit: pd.DataFrame, horizon_months: float) -> Figure:
    """Would it help to act on the risk? Net benefit of each model over thresholds, beside acting on all and on nobody.

    Parameters
    ----------
    net_benefit : DataFrame of schema.NET_BENEFIT
    horizon_months : float
        one of its horizons.
    """
    schema.check(net_benefit, schema.NET_BENEFIT)
    rows = _of(net_benefit, horizon_months)
    rows = rows[rows["estimate"].notna()]
    models = reading.in_order(rows["model"])
    if not models:
        return style.empty_figure("Net benefit: no threshold has a number to show")
    with style.paper():
        fig = style.new_figure(4.2)
        axes = fig.subplots()
        axes.axhline(0, color=style.INK, linewidth=1, label="nobody")
        for number, (model, colour) in enumerate(zip(models, style.colours(len(models)), strict=True)):
            own = rows[rows["model"] == model].sort_values("threshold")
            axes.fill_between(
                100 * own["threshold"], 100 * own["conf_low"], 100 * own["conf_high"], color=colour, alpha=0.07, lw=0
            )
            axes.plot(
                100 * own["threshold"],
                100 * own["estimate"],
                color=colour,
                linestyle=style.LINE_STYLES[number % len(style.LINE_STYLES)],
                label=model,
            )
        best = 100 * rows["conf_high"].fillna(rows["estimate"]).max()
        axes.set_ylim(-0.25 * max(best, 1), 1.08 * max(best, 1))
        axes.set_xlim(0, 100)
        axes.set_xlabel(f"risk by {numbers.format_time_point(horizon_months)} from which one would act (%)")
        axes.set_ylabel("net benefit (true alarms per 100)")
        axes.grid(axis="y", color="#e3e3e3", linewidth=0.7)
        fig.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
    return fig


def learning_curve(learning: pd.DataFrame, measure: str, horizon_months: float) -> Figure:
    """What would more patients to learn from bring? A measure over the number of training patients, per model.

    Parameters
    ----------
    learning : DataFrame of schema.LEARNING
    measure : str
        one of its measures.
    horizon_months : float
        one of its horizons.
    """
    schema.check(learning, schema.LEARNING)
    rows = _of(learning, horizon_months)
    rows = rows[(rows["measure"] == measure) & rows["estimate"].notna()]
    models = reading.in_order(rows["model"])
    if not models:
        return style.empty_figure("Learning curve: no model has a score to show")
    sizes = sorted(rows["training_patients"].unique())
    with style.paper():
        fig = style.new_figure(3.6)
        axes = fig.subplots()
        for number, (model, colour) in enumerate(zip(models, style.colours(len(models)), strict=True)):
            own = rows[rows["model"] == model].sort_values("training_patients")
            places = [sizes.index(size) + 0.07 * (number - (len(models) - 1) / 2) for size in own["training_patients"]]
            axes.vlines(places, own["conf_low"], own["conf_high"], color=colour, linewidth=1.2)
            mark = style.MARKERS[number % len(style.MARKERS)]
            axes.plot(places, own["estimate"], marker=mark, color=colour, markersize=5, label=model)
        axes.set_xticks(range(len(sizes)), [numbers.format_count(size) for size in sizes])
        axes.set_xlabel("patients to learn from; bars: 95 % limits for the chance in the test patients")
        axes.set_ylabel(f"{measure} by {numbers.format_time_point(horizon_months)}")
        axes.grid(axis="y", color="#e3e3e3", linewidth=0.7)
        fig.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
    return fig


def _of(frame: pd.DataFrame, horizon_months: float) -> pd.DataFrame:
    """The rows of one horizon; an error names those there are."""
    rows = frame[frame["horizon_months"] == horizon_months]
    if rows.empty and not frame.empty:
        there = sorted(frame["horizon_months"].unique().tolist())
        raise ValueError(f"horizon_months: expected one of {there}, came {horizon_months}")
    return rows
