"""The arithmetic of standardisation: mean incidence over all rows set to one level, and the influence of each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.hazards.design import columns_of
from analysis.estimate.hazards.models import Model
from analysis.estimate.hazards.prediction import leaving_share
from analysis.estimate.likelihood import Fit, dfbeta, hazard, hazard_influence

_ROWS_AT_ONCE = 500  # rows x event times are held in memory; this many rows of 2,000 times are 8 MB an array


@dataclass(frozen=True)
class Standardised:
    """One curve at the times asked for, and what each row of the models adds to its error."""

    label: str
    estimate: np.ndarray
    influence: np.ndarray


def set_to(models: Mapping[str, Model], rows: pd.DataFrame, label: str, ticks: np.ndarray) -> dict[str, Standardised]:
    """The mean incidence of each cause over the rows, and the influence of each row on it.

    With r_i the level of row i against a row at the means, jump_i = r_i jump. One more unit of jump_i at u changes
    F_i(t) by gain_i(u) + F_i(u) - F_i(t) for u <= t. So the means over rows of r_i (gain_i + F_i)(u) and of r_i F_i(t),
    and the same times the covariates, are all that the influences of baseline and coefficients need.
    """
    fits = {cause: model.fit for cause, model in models.items()}
    standard = {
        cause: (columns_of(model.data.design, rows)[:, model.fit.columns] - model.fit.centre) / model.fit.scale
        for cause, model in models.items()
    }
    found = {cause: hazard(fit, _centre(fit)) for cause, fit in fits.items()}
    stratum = next(iter(models.values())).data.stratum
    risk = {cause: np.zeros((len(rows), len(ticks))) for cause in models}
    factors = {(c, m): np.zeros((len(found[m].time), len(ticks))) for c in models for m in models}
    gradient = {(c, m): np.zeros((standard[m].shape[1], len(ticks))) for c in models for m in models}
    for code in np.unique(stratum):
        mine = {m: found[m].stratum == code for m in models}
        grid = np.unique(np.concatenate([found[m].time[mine[m]] for m in models]))
        base = {m: _on_grid(grid, found[m].time[mine[m]], found[m].jump[mine[m]]) for m in models}
        upto = np.searchsorted(grid, ticks, side="right")
        members = np.flatnonzero(stratum == code)
        sums: dict[tuple, list] = {pair: [] for pair in factors}
        for begin in range(0, len(members), _ROWS_AT_ONCE):
            part = members[begin : begin + _ROWS_AT_ONCE]
            x = {m: standard[m][part] for m in models}
            _add(sums, risk, part, x, {m: x[m] @ fits[m].state.coefficients for m in models}, base, upto)
        for (c, m), total in sums.items():
            before = grid[:, None] <= ticks
            at_cells, at_ticks, slope_cells, slope_ticks = total
            at_grid = np.where(before, at_cells[:, None] - at_ticks, 0.0) / len(rows)
            factors[c, m][mine[m]] = at_grid[np.searchsorted(grid, found[m].time[mine[m]])]
            weighed = np.vstack([np.zeros(x[m].shape[1]), np.cumsum(base[m][:, None] * slope_cells, axis=0)])
            level = np.concatenate([[0.0], np.cumsum(base[m])])[upto]
            gradient[c, m] += (weighed[upto] - level[:, None] * slope_ticks).T / len(rows)
    result = {}
    for cause in models:
        mean = risk[cause].mean(axis=0)
        influence = (risk[cause] - mean) / len(rows)
        for m, fit in fits.items():
            influence = influence + hazard_influence(fit, found[m], factors[cause, m])
            influence += dfbeta(fit) @ (gradient[cause, m] * fit.scale[:, None])
        result[cause] = Standardised(label, mean, influence)
    return result


def _centre(fit: Fit) -> np.ndarray:
    at = np.zeros(len(fit.names))
    at[fit.columns] = fit.centre
    return at


def _on_grid(grid: np.ndarray, time: np.ndarray, jump: np.ndarray) -> np.ndarray:
    laid = np.zeros(len(grid))
    laid[np.searchsorted(grid, time)] = jump
    return laid


def _add(sums, risk, part, x, log_level, base, upto) -> None:
    """Add the rows of one part to the sums of every event and model, and write down their risks."""
    level = {m: np.exp(log_level[m]) for m in base}
    jumps = {m: level[m][:, None] * base[m] for m in base}
    total = np.sum(list(jumps.values()), axis=0)
    before = np.exp(-(np.cumsum(total, axis=1) - total))
    share, slope = leaving_share(total)
    for cause in base:
        so_far = np.cumsum(before * share * jumps[cause], axis=1)
        at_ticks = np.column_stack([np.zeros(len(part)), so_far])[:, upto]
        risk[cause][part] = at_ticks
        common = before * jumps[cause] * slope + so_far
        for m in base:
            weighed = level[m][:, None] * (common + before * share if m == cause else common)
            levelled = level[m][:, None] * at_ticks
            new = weighed.sum(axis=0), levelled.sum(axis=0), weighed.T @ x[m], levelled.T @ x[m]
            sums[cause, m] = [a + b for a, b in zip(sums[cause, m], new, strict=True)] if sums[cause, m] else new
