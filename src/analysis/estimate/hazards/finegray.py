"""The subdistribution hazard of Fine and Gray, without ever expanding a row.

Who had another event stays at risk with the weight G(t-) / G(T-), G the chance to be still uncensored. The weight is a
product of one number of the row and one of the event time, so the lingering subjects enter every sum over a risk set
by one cumulative sum more (see `risksets.Lingering`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.estimate.doors import CENSORED, WORDS
from analysis.estimate.hazards.models import Data, Model, effects, fitted, read
from analysis.estimate.likelihood import Fit, RiskSets, lingering
from analysis.estimate.likelihood.partial import moments
from analysis.schema import SchemaError


def fine_gray(
    spells: pd.DataFrame,
    terms: str,
    cause: str,
    strata: str | list[str] | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    convention: str = "cmprsk",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """What goes with having had the event by a given time, other events taking patients away? (Fine and Gray 1999)

    Subdistribution hazard ratios: those who had another event stay at risk, with the weight G(t-) / G(T-), G the
    Kaplan-Meier estimate of being uncensored. A ratio above 1 means a higher cumulative incidence; it is no rate ratio.

    Parameters
    ----------
    spells, terms, cluster, weight : as in `cox`; everybody observed from the start
    cause : one event word; all others compete
    strata : column or columns with a baseline and a censoring distribution of their own
    convention : "cmprsk": Breslow's ties, and the variance of `crr`, in which estimating G counts. "survival": as R's
        `finegray` + `coxph`: Efron's ties, the sandwich by row that takes G for known, and on a day with events and
        censorings the events leave first. Whole weights are repeated rows, errors included, under "cmprsk"; under
        "survival", as in R, the robust error takes a weighted row for one subject.

    Returns
    -------
    Table EFFECTS, scale "subdistribution hazard ratio".
    R: `cmprsk::crr(time, code, x)`; `coxph(Surv(fgstart, fgstop, fgstatus) ~ terms, weights = fgwt, cluster = id)` on
    `finegray(Surv(time, event) ~ .)`.

    Raises
    ------
    schema.SchemaError
        as `cox`; and for delayed entries, which these weights do not cover.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8, 9, 12], "age": [61, 70, 58, 66, 49, 60],
    ...                        "event": ["relapse", "death", "relapse", "relapse", "censored", "relapse"]})
    >>> fine_gray(spells, "age", "relapse")[["scale", "events"]].values.tolist()
    [['subdistribution hazard ratio', 4.0]]
    """
    return effects(fit_fine_gray(spells, terms, cause, strata, cluster, weight, convention), conf_level)


def fit_fine_gray(
    spells: pd.DataFrame,
    terms: str,
    cause: str,
    strata: str | list[str] | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    convention: str = "cmprsk",
) -> Model:
    """The fitted model of `fine_gray`, for its tests, checks and residuals; parameters and errors as there."""
    if convention not in ("cmprsk", "survival"):
        raise SchemaError(f"convention: expected 'cmprsk' or 'survival', came {convention!r}; use one of them")
    _refuse_delayed_entry(spells)
    data = read(spells, terms, cause, strata, cluster, None, weight)
    as_cmprsk = convention == "cmprsk"
    uncensored = [_uncensored(data, data.stratum == place, as_cmprsk) for place in range(len(data.strata))]

    def with_lingering(sets: RiskSets) -> RiskSets:
        rows = np.flatnonzero(_other(data)[sets.order])
        own = np.ones(len(rows))
        of_cells = np.ones(sets.cells)
        for place, censoring in enumerate(uncensored):
            mine = sets.stratum[rows] == place
            own[mine] = 1 / censoring.before(data.time[sets.order][rows[mine]])
            cells = sets.stratum_of_cells() == place
            of_cells[cells] = censoring.before(sets.time[cells])
        return lingering(sets, rows, own, of_cells)

    def variance(fit: Fit) -> np.ndarray | None:
        return _for_estimating_weights(fit, data, uncensored) if as_cmprsk else None

    ties = "breslow" if as_cmprsk else "efron"
    model = fitted(data, "Fine-Gray", cause, ties, True, with_lingering, variance, repeated=as_cmprsk)
    return replace(model, scale="subdistribution hazard ratio")


def _refuse_delayed_entry(spells: pd.DataFrame) -> None:
    if "entry" in spells.columns and pd.api.types.is_numeric_dtype(spells["entry"].dtype):
        late = (spells["entry"] > 0).to_numpy()
        if late.any():
            raise SchemaError(
                f"column 'entry': fine_gray expects everybody observed from the start, came "
                f"{spells['entry'][late].iloc[0]} first in row {spells.index[np.flatnonzero(late)[0]]} "
                f"({int(late.sum())} row(s)); use cox with entry='entry' for each cause, then predict_incidence"
            )


def _other(data: Data) -> np.ndarray:
    """Rows that had another event."""
    return ~data.had & (data.word != WORDS.index(CENSORED))


@dataclass(frozen=True)
class _Uncensored:
    """The chance G to be still uncensored in one stratum, at the times of censoring."""

    time: np.ndarray
    censored: np.ndarray
    at_risk: np.ndarray
    chance: np.ndarray

    def before(self, times: np.ndarray) -> np.ndarray:
        """G just before each time."""
        return np.concatenate([[1.0], self.chance])[np.searchsorted(self.time, times, side="left")]


def _uncensored(data: Data, mine: np.ndarray, as_cmprsk: bool) -> _Uncensored:
    """Kaplan-Meier of censoring. cmprsk has events of the day at risk of being censored, survival has not."""
    time, word = data.time[mine], data.word[mine]
    number = np.ones(len(time)) if data.weight is None else data.weight[mine]
    moments, place = np.unique(time, return_inverse=True)
    leaving = np.bincount(place, number, minlength=len(moments))
    gone = word == WORDS.index(CENSORED)
    censored = np.bincount(place[gone], number[gone], minlength=len(moments))
    at_risk = np.cumsum(leaving[::-1])[::-1]
    exposed = at_risk if as_cmprsk else at_risk - (leaving - censored)
    kept = censored > 0
    chance = np.cumprod(1 - censored[kept] / exposed[kept])
    return _Uncensored(moments[kept], censored[kept], at_risk[kept], chance)


def _for_estimating_weights(fit: Fit, data: Data, uncensored: list[_Uncensored]) -> np.ndarray:
    """Per row of the problem, weight x psi: what estimating G adds to its score residual (Fine and Gray 1999, sec. 3).

    psi = q(T) / pi(T) if censored, less the sum over censorings u <= T of q(u) / pi(u)^2, where pi counts those at risk
    and q(u) = sum over those with another event before u of r / G(T-) x integral from u of G (x - mean) dH.
    """
    problem, state, sets = fit.problem, fit.state, fit.problem.sets
    stay = sets.lingering
    jump = stay.cell_weight * state.ties.a
    mean_jump = (stay.cell_weight * state.ties.p)[:, None] * moments(problem, state).first
    risk = np.zeros(len(problem.weight))
    risk[stay.rows] = state.weighted[stay.rows] * stay.row_weight
    time, is_censored = data.time[sets.order], (data.word == WORDS.index(CENSORED))[sets.order]
    further = np.zeros_like(problem.columns)
    for place, censoring in enumerate(uncensored):
        cells, rows = np.flatnonzero(sets.stratum_of_cells() == place), np.flatnonzero(sets.stratum == place)
        if not len(cells) or not len(censoring.time):
            continue
        to_come = np.searchsorted(sets.time[cells], censoring.time, side="left")
        later, mean_later = _from_end(jump[cells])[to_come], _from_end(mean_jump[cells])[to_come]
        by_time = rows[np.argsort(time[rows], kind="stable")]
        gone = np.searchsorted(time[by_time], censoring.time, side="left")
        risk_gone = _from_start(risk[by_time])[gone]
        moment_gone = _from_start(risk[by_time, None] * problem.columns[by_time])[gone]
        q = moment_gone * later[:, None] - risk_gone[:, None] * mean_later
        compensator = _from_start(q * (censoring.censored / censoring.at_risk**2)[:, None])
        further[rows] = -compensator[np.searchsorted(censoring.time, time[rows], side="right")]
        left = rows[is_censored[rows]]
        own = np.searchsorted(censoring.time, time[left])
        further[left] += q[own] / censoring.at_risk[own, None]
    return further * problem.weight[:, None]


def _from_start(values: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, 2, ... values."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])


def _from_end(values: np.ndarray) -> np.ndarray:
    """Sums of the values from the first, second, ... to the last; and 0 after it."""
    return np.concatenate([np.cumsum(values[::-1], axis=0)[::-1], np.zeros((1, *values.shape[1:]))])
