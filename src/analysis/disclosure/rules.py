"""The rule of each result table: what a page of a real cohort may show of it."""

from __future__ import annotations

import re
from functools import partial

import pandas as pd

from analysis import schema
from analysis.disclosure.counts import THRESHOLD, withhold

AT_RISK_MINIMUM = 11


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


def shared_count(count: int, synthetic: bool) -> int | None:
    """A single count as a sentence may say it: None where it is small and the cohort real.

    Example
    -------
    >>> shared_count(3, synthetic=False), shared_count(0, synthetic=False), shared_count(169, synthetic=False)
    (None, 0, 169)
    """
    return None if not synthetic and 0 < count <= THRESHOLD else count


def _at_times(curves: pd.DataFrame) -> pd.DataFrame:
    """Curves read at fixed times: an estimate goes with its own events; few at risk hide only themselves."""
    return _beside(withhold(curves, ["events"]), ["at_risk", "censored"])


def _beside(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Counts that stand beside an estimate without making it: withheld where small, the estimate stays."""
    counts = withhold(frame[names], names)
    return frame.assign(**{name: counts[name].to_numpy() for name in counts.columns})


def _attrition(attrition: pd.DataFrame) -> pd.DataFrame:
    """The outcomes of a line add up to those who started it; that total is a count of its own."""
    outcomes = withhold(attrition, ["count"], within=["line", "reading", "time"])
    return withhold(_beside(outcomes, ["at_risk"]) if "at_risk" in outcomes else outcomes, ["entered"])


def _risk(risk: pd.DataFrame) -> pd.DataFrame:
    """The table under a curve ends where the curve does; what is small before that is withheld with a partner."""
    left = risk[risk["state"] == "at risk"].groupby(["stratum", "time"])["count"].sum()
    last = left[left >= AT_RISK_MINIMUM].reset_index().groupby("stratum")["time"].max()
    kept = risk[risk["time"] <= risk["stratum"].map(last)]
    return withhold(kept, ["count"], within=["stratum", "time"])


def _only_large(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with a small count are dropped: a rare regimen names its patient."""
    return frame[frame["patients"] > THRESHOLD].reset_index(drop=True)


def _form(form: pd.DataFrame) -> pd.DataFrame:
    """A group of few subjects would show their value of the number; it is dropped."""
    kept = form[form["subjects"] > THRESHOLD].reset_index(drop=True)
    return withhold(kept, ["subjects", "events"], within=["model", "variable"])


def _many_events(frame: pd.DataFrame) -> pd.DataFrame:
    """A group of few events would show their days; it is dropped."""
    return frame[frame["events"] > THRESHOLD].reset_index(drop=True)


def _effects(frame: pd.DataFrame) -> pd.DataFrame:
    """A model of few events says much of each: its numbers go, and what its notes count of few."""
    shown = withhold(_told(frame), ["subjects", "events"])
    gone = shown[["subjects", "events"]].isna().any(axis=1)
    made_of_it = [name for name in ("log_estimate", "p") if name in shown]
    return shown.assign(**{name: shown[name].where(~gone) for name in made_of_it})


def _fits(frame: pd.DataFrame) -> pd.DataFrame:
    """A fit to few events says much of each: its numbers go, as those of `_effects` do."""
    shown = withhold(_told(frame), ["subjects", "events"])
    gone = shown[["subjects", "events"]].isna().any(axis=1)
    return shown.assign(**{name: shown[name].where(~gone) for name in _OF_A_FIT})


def _fitted_curves(frame: pd.DataFrame) -> pd.DataFrame:
    """Smooth curves show nobody's step, but where the data end would: they end where a step curve would be cut."""
    few = frame["at_risk"] < AT_RISK_MINIMUM
    return _beside(frame.assign(extrapolated=frame["extrapolated"] | few), ["at_risk"])


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    """Notes without the counts of few and the places of rows that fits put into them."""
    return frame.assign(note=[_FEW.sub("a few", _ROW.sub("one row", str(note))) for note in frame["note"]])


def _nobody(frame: pd.DataFrame) -> pd.DataFrame:
    """No row: a course, or a risk, is one patient's, whatever is left out of it."""
    return frame.iloc[:0].reset_index(drop=True)


_OF_A_FIT = ("log_likelihood", "aic", "bic", "aic_difference", "bic_difference")
_OF_A_FIT += ("plateau", "plateau_low", "plateau_high")
_FEW = re.compile(rf"(?<![\w.,-])(?<!line )[1-{THRESHOLD}](?![\w.%]|,\d)")
_ROW = re.compile(r"\brow \d+")


def _as_it_is(frame: pd.DataFrame) -> pd.DataFrame:
    """A table without counts, whose numbers are missing already where there are few events."""
    return frame.copy()


def _as_made(card: pd.DataFrame) -> pd.DataFrame:
    """A model's card withholds what is small when it is made: its sentences cannot be withheld from later."""
    return card.reset_index(drop=True)


_FEW = re.compile(rf"(?<![\w.,-])(?<!line )[1-{THRESHOLD}](?![\w.%]|,\d)")
_ROW = re.compile(r"\brow \d+")

RULES = {
    "AGENTS": _only_large,
    "CURVES": stop_curves,
    "AT_TIMES": _at_times,
    "RISK": _risk,
    "QUANTILES": partial(withhold, count_columns=["subjects", "events"]),
    "RATES": partial(withhold, count_columns=["subjects", "events"]),
    "ATTRITION": _attrition,
    "GROUPS": partial(withhold, count_columns=["subjects", "events"]),
    "FITS": _fits,
    "FITTED_CURVES": _fitted_curves,
    "FLOW": partial(withhold, count_columns=["removed", "remaining"]),
    "DESCRIPTION": partial(withhold, count_columns=["count"], within=["variable", "stratum"]),
    "MISSINGNESS": partial(withhold, count_columns=["missing"]),
    "REASONS": _only_large,
    "LINE_AGREEMENT": _only_large,
    "REGIMENS": _only_large,
    "CLASS_SHARES": _only_large,
    "CLASS_FLOWS": _only_large,
    "CONTRASTS": _effects,
    "COURSES": _nobody,
    "PATTERNS": partial(withhold, count_columns=["count"], within=["total"]),
    "FUNCTIONAL_FORM": _form,
    "EFFECT_BY_TIME": _many_events,
    "EFFECTS": _effects,
    "PARAMETERS": partial(withhold, count_columns=["subjects", "events"]),
    "TERMS": lambda frame: _beside(frame, ["known", "smallest"]),
    "TESTS": _told,
    "CHECKS": _told,
    "PATIENT_RISKS": _nobody,
    "MODEL_CARD": _as_made,
    "SPECIFICATIONS": partial(withhold, count_columns=["subjects"]),
    "PREDICTIONS": _nobody,
    "SCORES": partial(withhold, count_columns=["lines", "patients", "events"]),
    "SUBGROUP_SCORES": partial(
        withhold,
        count_columns=["lines", "patients", "events"],
        within=["variable", "model", "measure", "horizon_months"],
    ),
    "LEARNING": partial(withhold, count_columns=["lines", "patients", "events"]),
    "OPTIMISM": _as_it_is,
    "CALIBRATION_CURVE": partial(withhold, count_columns=["lines", "events"]),
    "NET_BENEFIT": partial(withhold, count_columns=["above", "lines"]),
}
