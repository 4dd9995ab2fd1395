"""Do the numbers add up, and do other libraries say the same?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimate.counts import count
from analysis.estimate.curves import risk_table
from analysis.estimate.curves.product_limit import incidence_curves, survival_curve
from analysis.estimate.doors import CENSORED, as_names
from analysis.estimate.hazards import events_per_term, influence, proportional_hazards
from analysis.estimate.strata import strata_of
from analysis.schema import CHECKS

__all__ = ["events_per_term", "influence", "proportional_hazards", "witnesses"]

_LIMIT = 1e-9
_MOST_ROWS = 100_000  # the witnesses are slow; above this many rows they see an even sample, and so do we


def witnesses(spells: pd.DataFrame, by: str | list[str] | None = None) -> pd.DataFrame:
    """Do lifelines and scikit-survival draw the same curves, and does everything add up?

    - Kaplan-Meier, with its log-log limits, against `lifelines.KaplanMeierFitter` in each stratum it accepts (with
      delayed entry it raises where nobody is at risk for a while early on);
    - Aalen-Johansen against scikit-survival's `cumulative_incidence_competing_risks` in the strata where that can be
      computed: it raises where there is one cause only and knows no delayed entry (lifelines' own Aalen-Johansen moves
      tied times at random and is no witness for whole days);
    - survival and all cumulative incidences add up to 1 at every time;
    - at risk, not yet entered, censored and each event add up to all subjects, counted again from the spells.

    Parameters, errors: as in `curves.kaplan_meier`.

    Returns
    -------
    Table CHECKS: the largest difference found, and the difference allowed. `note` says what could not be compared.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [1, 2, 3, 4], "event": ["death", "relapse", "censored", "relapse"]})
    >>> bool(witnesses(spells)["passed"].all())
    True
    """
    step = max(1, -(-len(spells) // _MOST_ROWS))
    seen = spells.iloc[::step]
    thinned = f"on one row in {step}" if step > 1 else ""
    with np.errstate():  # lifelines switches numpy's warnings off for the whole process; this switches them on again
        rows = [*_against_lifelines(seen, by, thinned), _against_scikit_survival(seen, by, thinned)]
    rows += [_sums_to_one(spells, by), _adds_up(spells, by)]
    return pd.DataFrame(rows, columns=CHECKS.names)


def _row(check: str, differences: list[float], limit: float, notes: list[str], nothing: str) -> tuple:
    """One row of CHECKS; where nothing could be compared the value is missing and the note says so."""
    value = float(np.max(differences)) if differences else np.nan
    notes = [*notes] if differences else [*notes, nothing]
    return check, value, limit, bool(not differences or value <= limit), "; ".join(note for note in notes if note)


def _strata_of(spells: pd.DataFrame, by: str | list[str] | None) -> list[tuple[str, pd.DataFrame]]:
    code, strata = strata_of(spells, as_names(by))
    return [(label, spells[code == place]) for place, label in enumerate(strata["stratum"])]


def _against_lifelines(spells: pd.DataFrame, by: str | list[str] | None, thinned: str) -> list[tuple]:
    from lifelines import KaplanMeierFitter
    from lifelines.exceptions import StatError

    curves = survival_curve(count(spells, by))
    estimates, limits, refused = [], [], []
    for label, rows in _strata_of(spells, by):
        ours = curves[curves["stratum"] == label]
        begin = rows["entry"].to_numpy(dtype=float)
        try:
            theirs = KaplanMeierFitter().fit(
                rows["time"].to_numpy(dtype=float),
                rows["event"].ne(CENSORED).to_numpy(),
                entry=begin if (begin > 0).any() else None,
            )
        except StatError:
            refused.append(label)
            continue
        times = ours["time"].to_numpy()
        difference = np.abs(theirs.survival_function_at_times(times).to_numpy() - ours["estimate"].to_numpy())
        estimates += [difference[~np.isnan(difference)].max()] if (~np.isnan(difference)).any() else []
        bounds = theirs.confidence_interval_survival_function_.reindex(times).to_numpy()
        difference = np.abs(bounds - ours[["conf_low", "conf_high"]].to_numpy())
        limits += [difference[~np.isnan(difference)].max()] if (~np.isnan(difference)).any() else []
    notes, empty = [thinned], "nothing to compare" if len(spells) else "no spells"
    if refused:
        notes.append(f"not compared, delayed entry leaves nobody at risk for a while: {', '.join(refused)}")
    return [
        _row("Kaplan-Meier as lifelines has it, largest difference", estimates, _LIMIT, notes, empty),
        _row("limits of Kaplan-Meier as lifelines has them, largest difference", limits, _LIMIT, notes, empty),
    ]


def _against_scikit_survival(spells: pd.DataFrame, by: str | list[str] | None, thinned: str) -> tuple:
    from sksurv.nonparametric import cumulative_incidence_competing_risks

    curves = incidence_curves(count(spells, by))
    differences, one_cause, delayed = [], [], []
    for label, rows in _strata_of(spells, by):
        ours = curves[curves["stratum"] == label]
        words = [word for word in ours["event"].unique() if (rows["event"] == word).any()]
        if (rows["entry"] > 0).any():
            delayed.append(label)
        elif len(words) < 2:
            one_cause.append(label)
        else:
            codes = rows["event"].map({word: place + 1 for place, word in enumerate(words)} | {CENSORED: 0})
            times, theirs = cumulative_incidence_competing_risks(codes.to_numpy(dtype=int), rows["time"].to_numpy())
            for place, word in enumerate(words):
                mine = ours[ours["event"] == word].set_index("time")["estimate"].reindex(times).to_numpy()
                differences.append(np.abs(mine - theirs[place + 1]).max())
    notes = [thinned]
    notes += [f"not compared, fewer than two causes: {', '.join(one_cause)}"] if one_cause else []
    notes += [f"not compared, delayed entry: {', '.join(delayed)}"] if delayed else []
    check = "Aalen-Johansen as scikit-survival has it, largest difference"
    return _row(check, differences, _LIMIT, notes, "nothing to compare")


def _sums_to_one(spells: pd.DataFrame, by: str | list[str] | None) -> tuple:
    counts = count(spells, by)
    survival = survival_curve(counts).set_index(["stratum", "time"])["estimate"]
    incidence = incidence_curves(counts).groupby(["stratum", "time"])["estimate"].sum()
    gaps = (survival + incidence - 1).abs().dropna()  # missing where nobody was left before others entered
    differences = [float(gaps.max())] if len(gaps) else []
    return _row("survival and cumulative incidences add up to 1, largest gap", differences, _LIMIT, [], "no spells")


def _adds_up(spells: pd.DataFrame, by: str | list[str] | None) -> tuple:
    """The risk table against a recount of the spells themselves at eleven times from start to end."""
    times = np.linspace(0, float(spells["time"].max()) if len(spells) else 0.0, 11)
    table = risk_table(spells, times, by)
    differences = []
    for label, rows in _strata_of(spells, by):
        begin, end = rows["entry"].to_numpy(dtype=float), rows["time"].to_numpy(dtype=float)
        ours = table[table["stratum"] == label]
        differences.append(float((ours.groupby("time")["count"].sum() - len(rows)).abs().max()))
        at_risk = ours[ours["state"] == "at risk"].set_index("time")["count"]
        recounted = [int((((begin < t) | (begin == 0)) & (end >= t)).sum()) for t in times]
        differences.append(float(np.abs(at_risk.reindex(times).to_numpy() - recounted).max()))
    return _row("numbers at risk, events and censored add up to all, largest gap", differences, 0, [], "no spells")
