"""What may leave the building: small groups, small counts, and curves that are cut before they point to one person.

Works on result frames, between `estimate` and `present`. First version: it withholds what is small and what follows
from it within the same sum. It does not yet stand against somebody who compares several tables, several ticks of one
table, or two releases of a page; until that is built, a page of a real cohort goes to colleagues, not to the public.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce

import numpy as np
import pandas as pd

from analysis import schema

THRESHOLD = 7
AT_RISK_MINIMUM = 11
DEPENDENT = ("estimate", "conf_low", "conf_high", "std_error", "low", "high", "share", "person_years")
JOINED = "withheld"


def enough(frame: pd.DataFrame, minimum_patients: int, by: str | Sequence[str] = "line") -> pd.DataFrame:
    """Which groups have enough patients for curves and rates?

    Parameters
    ----------
    frame : DataFrame
        SPELLS (the groups are made from `by`), or a result frame with columns stratum and subjects, such as
        schema.RATES or schema.QUANTILES.
    minimum_patients : int
        the fewest patients that a group needs.
    by : str or list of str
        columns of SPELLS that make the group; labels are those that `estimate` gives: "line 1", "II", "line 1 · II".

    Returns
    -------
    DataFrame with stratum, subjects (distinct patients), events (all kinds together, where SPELLS were given),
    enough (flag), in the order of the groups.

    Raises
    ------
    ValueError
        when the frame is neither, or the minimum is below 1.

    Example
    -------
    >>> spells = pd.DataFrame({"patient_id": list("abc"), "line": [1, 1, 2], "event": ["death", "censored", "death"]})
    >>> enough(spells, 2)["enough"].tolist()
    [True, False]
    """
    if minimum_patients < 1:
        raise ValueError(f"minimum_patients: expected at least 1, came {minimum_patients}")
    if {"stratum", "subjects"} <= set(frame.columns):
        groups = frame.groupby("stratum", sort=False, as_index=False)["subjects"].max()
    else:
        groups = _counted(frame, [by] if isinstance(by, str) else list(by))
    # A count that was withheld is missing, and a missing count is never enough.
    return groups.assign(enough=(groups["subjects"] >= minimum_patients).fillna(False).astype(bool))


def _counted(spells: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    missing = [name for name in ["patient_id", "event", *by] if name not in spells.columns]
    if missing:
        came = list(map(str, spells.columns))
        raise ValueError(f"frame: expected stratum and subjects, or SPELLS with {missing}; came columns {came}")
    known = spells.dropna(subset=by).sort_values(by, kind="stable")
    columns = [known[name].map(partial(_label, name)).astype(object) for name in by]
    labels = reduce(lambda left, right: left + " · " + right, columns)
    groups = known.assign(stratum=labels, happened=known["event"] != "censored").groupby("stratum", sort=False)
    counted = groups.agg(subjects=("patient_id", "nunique"), events=("happened", "sum")).reset_index()
    return counted.astype({"subjects": float, "events": float})


def _label(name: str, value: object) -> str:
    """The label of one value as `estimate` makes it; a test holds the two rooms together."""
    if isinstance(value, (bool, np.bool_)):
        return name.replace("_", " ") if value else "no " + name.replace("_", " ")
    value = f"{value:g}" if isinstance(value, (float, np.floating)) else value
    return f"line {value}" if name == "line" else str(value)


def keep_enough(frame: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """The rows of a result frame whose stratum has enough patients, by the `groups` that `enough` returned."""
    allowed = set(groups.loc[groups["enough"], "stratum"])
    return frame[frame["stratum"].isin(allowed)].reset_index(drop=True)


def withhold(
    frame: pd.DataFrame,
    count_columns: Sequence[str],
    threshold: int = THRESHOLD,
    within: Sequence[str] | None = None,
    row_total: bool = False,
) -> pd.DataFrame:
    """A result frame without its small counts, for cohorts of real people.

    Counts from 1 to `threshold` become missing. A zero stays: it is about nobody. Where counts add up to a total that
    can be known and only one of them was withheld, the smallest other count is withheld with it, else the difference
    would give it away. Estimates of a row with a withheld count go too, since they were made from it.

    Parameters
    ----------
    frame : DataFrame
        any result frame, before `present`.
    count_columns : list of str
        the columns that hold counts of people.
    threshold : int
        the largest count that is withheld (OpenSAFELY: 7).
    within : list of str, optional
        long frames: the rows that agree in these columns add up (RISK: stratum, time; ATTRITION: line, reading, time).
    row_total : bool
        wide frames: the count columns of one row add up to a total that can be known.

    Returns
    -------
    DataFrame: a copy with a column `<count>_withheld` beside each count column: "" where it is shown, "1–7" where it
    is small, "withheld" where it went along; tables print it in place of the number.

    Raises
    ------
    ValueError
        for unknown columns or a threshold below 1.

    Example
    -------
    >>> risk = pd.DataFrame({"stratum": "all", "time": 0.0, "state": ["at risk", "death", "censored"],
    ...                      "count": [80.0, 3.0, 12.0]})
    >>> withhold(risk, ["count"], within=["stratum", "time"])["count_withheld"].tolist()
    ['', '1–7', 'withheld']
    """
    _check_request(frame, [*count_columns, *(within or [])], threshold)
    frame = frame.reset_index(drop=True)
    counts = frame[list(count_columns)].astype(float)
    small = (counts >= 1) & (counts <= threshold)
    joined = pd.DataFrame(False, index=frame.index, columns=counts.columns)
    if row_total:
        joined = _partners(counts, small)
    if within is not None:
        keys = frame[list(within)]
        for name in counts.columns:
            joined[name] |= _partners_within(counts[name], small[name], keys)
    result = frame.copy()
    for name in counts.columns:
        gone = small[name] | joined[name]
        kept = "Int64" if pd.api.types.is_integer_dtype(frame[name].dtype) else float
        result[name] = counts[name].where(~gone).astype(kept)
        result[f"{name}_withheld"] = np.where(small[name], f"1–{threshold}", np.where(joined[name], JOINED, ""))
    dependent = [name for name in DEPENDENT if name in result.columns and name not in counts.columns]
    result.loc[(small | joined).any(axis=1), dependent] = np.nan
    return result


def _check_request(frame: pd.DataFrame, names: Sequence[str], threshold: int) -> None:
    faults = [f"column {name!r} is not in the frame" for name in names if name not in frame.columns]
    if threshold < 1:
        faults.append(f"threshold: expected at least 1, came {threshold}")
    if faults:
        raise ValueError(f"withhold: {'; '.join(faults)}; the frame has {list(map(str, frame.columns))}")


def _partners(counts: pd.DataFrame, small: pd.DataFrame) -> pd.DataFrame:
    """In each row with exactly one small count: the smallest other count that is not zero."""
    alone = small.sum(axis=1) == 1
    others = counts.where(~small & (counts > 0)).to_numpy()
    chosen = np.zeros_like(others, dtype=bool)
    rows = np.flatnonzero(alone.to_numpy() & np.isfinite(others).any(axis=1))
    if len(rows):
        chosen[rows, np.nanargmin(others[rows], axis=1)] = True
    return pd.DataFrame(chosen, index=counts.index, columns=counts.columns)


def _partners_within(counts: pd.Series, small: pd.Series, keys: pd.DataFrame) -> pd.Series:
    """In each group of rows with exactly one small count: the smallest other count that is not zero."""
    groups = [keys[name] for name in keys.columns]
    alone = small.groupby(groups, dropna=False).transform("sum") == 1
    candidates = counts.where(alone & ~small & (counts > 0)).dropna()
    first = candidates.groupby([key.loc[candidates.index] for key in groups], dropna=False).idxmin()
    return pd.Series(counts.index.isin(first), index=counts.index)


def stop_curves(curves: pd.DataFrame, at_risk_minimum: int = AT_RISK_MINIMUM) -> pd.DataFrame:
    """Curves of a real cohort, cut where fewer than `at_risk_minimum` are still at risk.

    Parameters
    ----------
    curves : DataFrame of schema.CURVES
    at_risk_minimum : int
        the fewest at risk; a step made by fewer people could be laid at one person's door.

    Returns
    -------
    DataFrame of schema.CURVES: every curve of a stratum ends at the stratum's last time with enough at risk; under
    delayed entry the few at the very start do not end it. A stratum that never has enough loses its rows.

    Example
    -------
    >>> curves = pd.DataFrame({"stratum": "all", "time": [0.0, 5.0, 9.0], "at_risk": [30.0, 12.0, 10.0]})
    >>> stop_curves(curves)["time"].tolist()
    [0.0, 5.0]
    """
    if at_risk_minimum < 1:
        raise ValueError(f"at_risk_minimum: expected at least 1, came {at_risk_minimum}")
    many = curves["at_risk"] >= at_risk_minimum
    last = curves["time"].where(many).groupby(curves["stratum"]).transform("max")
    return curves[curves["time"] <= last].reset_index(drop=True)


def shared(frame: pd.DataFrame, table: schema.Table, synthetic: bool) -> pd.DataFrame:
    """A result frame as a page may show it: untouched for a synthetic cohort, protected for a real one.

    Parameters
    ----------
    frame : DataFrame
        any frame of the tables in `RULES`.
    table : schema.Table
        its declaration; decides which counts are withheld and which rows add up.
    synthetic : bool
        from COHORT; a synthetic row is about nobody.

    Raises
    ------
    ValueError
        for a table without a rule: what has no rule is not shown.

    Example
    -------
    >>> rates = pd.DataFrame({"stratum": ["line 4"], "subjects": [39.0], "events": [3.0], "estimate": [7.1]})
    >>> shared(rates, schema.RATES, synthetic=False)["estimate"].tolist()
    [nan]
    """
    if table.name not in RULES:
        raise ValueError(f"no disclosure rule for table {table.name}; expected one of {sorted(RULES)}")
    if synthetic:
        return frame
    return RULES[table.name](frame)


def _at_times(curves: pd.DataFrame) -> pd.DataFrame:
    """Curves read at fixed times: an estimate goes with its own events; few at risk hide only themselves."""
    by_events = withhold(curves, ["events"])
    counts = withhold(curves[["at_risk", "censored"]], ["at_risk", "censored"])
    return by_events.assign(**{name: counts[name].to_numpy() for name in counts.columns})


def _attrition(attrition: pd.DataFrame) -> pd.DataFrame:
    """The outcomes of a line add up to those who started it; that total is a count of its own."""
    outcomes = withhold(attrition, ["count"], within=["line", "reading", "time"])
    return withhold(outcomes, ["entered"])


def _only_large(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with a small count are dropped: a rare regimen names its patient."""
    return frame[frame["patients"] > THRESHOLD].reset_index(drop=True)


RULES = {
    "CURVES": stop_curves,
    "AT_TIMES": _at_times,
    "RISK": partial(withhold, count_columns=["count"], within=["stratum", "time"]),
    "QUANTILES": partial(withhold, count_columns=["subjects", "events"]),
    "RATES": partial(withhold, count_columns=["subjects", "events"]),
    "ATTRITION": _attrition,
    "GROUPS": partial(withhold, count_columns=["subjects", "events"]),
    "FLOW": partial(withhold, count_columns=["removed", "remaining"]),
    "DESCRIPTION": partial(withhold, count_columns=["count"], within=["variable", "stratum"]),
    "MISSINGNESS": partial(withhold, count_columns=["missing"]),
    "REGIMENS": _only_large,
    "CLASS_SHARES": _only_large,
}
