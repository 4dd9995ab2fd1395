"""How a number is read off a curve: a step function holds its value until the next, and ends where the data end."""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.present import numbers

_EVERY_ONE = 1 - 1e-9
_STATES = ("at risk", "not yet entered", "relapse", "next_line", "death", "censored")


def days(months: float) -> float:
    """A time in months as days."""
    return months * schema.DAYS_PER_MONTH


def in_order(values) -> list:
    """The distinct values in the order in which they first stand in the frame."""
    return list(dict.fromkeys(values))


def states(risk: pd.DataFrame) -> list[str]:
    """The states of a RISK frame in the order of a table of numbers at risk: who is left, the events, the censored."""
    found = in_order(risk["state"])
    return [state for state in _STATES if state in found] + [state for state in found if state not in _STATES]


def one_curve(curves: pd.DataFrame, estimand: str, event: str, stratum: str) -> pd.DataFrame:
    """The rows of one curve in the order of time, those without an estimate left out."""
    here = (curves["estimand"] == estimand) & (curves["event"] == event) & (curves["stratum"] == stratum)
    return curves[here].dropna(subset=["estimate"]).sort_values("time", kind="stable").reset_index(drop=True)


def last_day(curves: pd.DataFrame, stratum: str) -> float:
    """The day on which a stratum's curves end; infinite when nobody is left who could still have an event."""
    rows = curves[(curves["stratum"] == stratum) & curves["estimate"].notna()]
    if rows.empty:
        return 0.0
    last = rows.sort_values("time", kind="stable").groupby(["estimand", "event"], sort=False)["estimate"].last()
    survival = last[last.index.get_level_values("estimand") == "survival"]
    incidence = last[last.index.get_level_values("estimand") == "cumulative incidence"]
    nobody_left = (len(survival) and survival.max() <= 1 - _EVERY_ONE) or incidence.sum() >= _EVERY_ONE
    return float("inf") if nobody_left else float(rows["time"].max())


def at(curves: pd.DataFrame, estimand: str, event: str, months: float) -> pd.DataFrame:
    """What does each stratum's curve say at a time? One row per stratum; missing where the data end before it.

    Parameters
    ----------
    curves : DataFrame of schema.CURVES
        whole step functions, or a table at fixed times that holds the time asked for.
    estimand, event : str
        the curve.
    months : float
        time since line start in months.

    Returns
    -------
    DataFrame with stratum, estimate, conf_low, conf_high (shares), at_risk (just before the time), at_risk_withheld
    (what stands in its place), few (fewer than `numbers.AT_RISK_MINIMUM` at risk: not to be relied on), and missing:
    why there is no estimate.

    Example
    -------
    >>> curves = pd.DataFrame({"estimand": "survival", "stratum": "all", "event": "any", "time": [0.0, 100.0, 400.0],
    ...                        "estimate": [1.0, 0.8, 0.5], "conf_low": 0.4, "conf_high": 0.9})
    >>> float(at(curves, "survival", "any", 12).loc[0, "estimate"])
    0.8
    """
    rows = []
    time = days(months)
    for stratum, own in curves.groupby("stratum", sort=False, observed=True):
        row = _row_at(own, estimand, event, stratum, time)
        values = [float("nan")] * 3 if row is None else [row[name] for name in ("estimate", "conf_low", "conf_high")]
        missing = numbers.BEYOND if row is None else numbers.why_missing(row) if numbers.missing(values[0]) else ""
        row = pd.Series(dtype=object) if row is None else row
        at_risk, withheld = row.get("at_risk", float("nan")), row.get("at_risk_withheld", "")
        rows.append([stratum, *values, at_risk, withheld, numbers.few_left(row), missing])
    numeric = ["estimate", "conf_low", "conf_high", "at_risk"]
    frame = pd.DataFrame(rows, columns=["stratum", *numeric, "at_risk_withheld", "few", "missing"])
    return frame.astype({**dict.fromkeys(numeric, float), "few": bool})


def last_reliable_day(curves: pd.DataFrame, stratum: str) -> float:
    """The last day on which enough patients of a stratum are at risk to read its curves; 0 when there is none."""
    enough = curves[(curves["stratum"] == stratum) & (curves["at_risk"] >= numbers.AT_RISK_MINIMUM)]
    return float(enough["time"].max()) if len(enough) else 0.0


def _row_at(curves: pd.DataFrame, estimand: str, event: str, stratum: str, time: float) -> pd.Series | None:
    """The row that holds at a time: the one of that very time, even without an estimate, else the last step before."""
    here = (curves["estimand"] == estimand) & (curves["event"] == event) & (curves["stratum"] == stratum)
    exact = curves[here & ((curves["time"] - time).abs() < 1e-6)]
    if len(exact):
        return exact.iloc[0]
    reached = one_curve(curves, estimand, event, stratum)
    before, after = reached[reached["time"] <= time], reached[reached["time"] > time]
    if before.empty or last_day(curves, stratum) < time:
        return None
    row = before.iloc[-1]
    if "at_risk" not in row.index:
        return row
    # A step's own number counts those at risk before the step; those at risk after it stand in the next.
    return pd.concat([row.drop("at_risk"), pd.Series({"at_risk": after["at_risk"].iloc[0] if len(after) else 0.0})])


def steps(curves: pd.DataFrame, estimand: str, event: str, stratum: str, horizon_months: float) -> pd.DataFrame:
    """One curve ready to be drawn as steps: month, estimate and limits, from 0 to the horizon or the data's end."""
    start = 1.0 if estimand == "survival" else 0.0
    curve = one_curve(curves, estimand, event, stratum)
    horizon = days(horizon_months)
    first = pd.DataFrame({"time": [0.0], "estimate": [start], "conf_low": [start], "conf_high": [start]})
    inside = curve.loc[curve["time"].between(0, horizon, inclusive="both"), first.columns]
    drawn = pd.concat([first, inside], ignore_index=True) if len(inside) else first
    end = min(horizon, last_day(curves, stratum))
    if end > drawn["time"].iloc[-1]:
        drawn = pd.concat([drawn, drawn.iloc[[-1]].assign(time=end)], ignore_index=True)
    return drawn.assign(month=drawn["time"] / schema.DAYS_PER_MONTH)


def tick_months(horizon_months: float) -> list[int]:
    """The months that carry a tick: every 12, every 24 beyond ten years, every 3 up to one year."""
    step = 3 if horizon_months <= 12 else 12 if horizon_months <= 120 else 24
    return list(range(0, int(horizon_months) + 1, step))


def by_line(attrition: pd.DataFrame) -> pd.DataFrame:
    """ATTRITION rows line by line, in each line first the next line, then death, then neither."""
    order = attrition["outcome"].map({"next_line": 0, "death": 1, "neither": 2})
    return attrition.assign(order=order).sort_values(["line", "order"], kind="stable").drop(columns="order")


def reliable(timed: pd.DataFrame) -> pd.DataFrame:
    """Aalen-Johansen rows of ATTRITION without the estimates that few at risk made; as they are without `at_risk`."""
    if "at_risk" not in timed or timed.empty:
        return timed
    few = timed["estimate"].notna() & ~(timed["at_risk"] >= numbers.AT_RISK_MINIMUM)
    estimates = timed[["estimate", "conf_low", "conf_high"]].mask(few)
    return timed.assign(**estimates, missing=few.map({True: numbers.BEYOND, False: ""}))


def attrition_months(*attritions: pd.DataFrame) -> float | None:
    """The last Aalen-Johansen time of ATTRITION frames in months; None when they have no such rows."""
    times = pd.concat([frame.loc[frame["reading"] == "Aalen-Johansen", "time"] for frame in attritions]).dropna()
    return round(float(times.max()) / schema.DAYS_PER_MONTH, 3) if len(times) else None


def share_reaching_next(attrition: pd.DataFrame, line: int, months: float) -> pd.Series | None:
    """The Aalen-Johansen row of a line that tells who started the next one by a time; None when there is none."""
    wanted = (attrition["line"] == line) & (attrition["outcome"] == "next_line")
    wanted &= (attrition["reading"] == "Aalen-Johansen") & ((attrition["time"] - days(months)).abs() < 0.5)
    return attrition[wanted].iloc[0] if wanted.any() else None


def same_attrition(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Do two ATTRITION frames say the same, as far as they may be shown? Missing is the same as missing."""
    key = list(schema.ATTRITION.key)
    values = ["entered", "count", "estimate"]
    one, two = (frame.set_index(key)[values].astype(float).sort_index() for frame in (first, second))
    if len(one) != len(two) or not one.index.equals(two.index):
        return False
    return bool((((one - two).abs() < 1e-12) | (one.isna() & two.isna())).all(axis=None))


def nothing_changes(first: pd.DataFrame, second: pd.DataFrame) -> str:
    """The sentence for two ATTRITION frames that say the same: behind a withheld count something may have changed."""
    if pd.concat([first[["entered", "count"]], second[["entered", "count"]]]).isna().any(axis=None):
        return "Leaving out treatment after the last contact changes none of the numbers that may be shown."
    return "No treatment is recorded after the last contact: nothing changes."


def at_time(frame: pd.DataFrame, months: float) -> pd.DataFrame:
    """The rows of a table at fixed times that stand at one time.

    Raises
    ------
    ValueError
        when the frame has rows, but none at that time; the message names the times it has.
    """
    here = frame[(frame["time"] - days(months)).abs() < 0.5]
    if here.empty and len(frame):
        known = sorted({round(time / schema.DAYS_PER_MONTH, 1) for time in frame["time"].dropna()})
        raise ValueError(f"time_months: expected one of {known}, came {months}; estimate the frame at that time too")
    return here


def ranges_over_definitions(specifications: pd.DataFrame) -> list[str]:
    """Per line of one event: the estimate under the default, the lowest and the highest over all definitions."""
    texts = []
    for line, rows in specifications.groupby("line"):
        told = rows.dropna(subset=["estimate"])
        if told.empty:
            continue
        default = told.loc[told["default"].astype(bool), "estimate"]
        first = f"{numbers.format_percent(default.iloc[0])} under the default, " if len(default) else ""
        ends = [numbers.format_percent(told["estimate"].agg(end)) for end in ("min", "max")]
        texts.append(f"line {line} {first}{ends[0]} to {ends[1]} over all")
    return texts
