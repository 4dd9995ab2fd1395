"""Chained equations with predictive mean matching, on plain arrays.

Each variable with gaps is regressed on all others in turn; coefficients are drawn from their posterior, and a gap takes
the value of one of the patients whose prediction lies nearest. So every value filled in is one that was seen.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from analysis.estimate.imputation.variables import Variable, raise_all

_RIDGE = 1e-5  # as in mice: keeps collinear predictors from stopping the draw


def chained(
    variables: list[Variable], outcome: np.ndarray, cycles: int, donors: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """One completed data set: the values (or codes) of every variable, gaps filled.

    `outcome` has columns that only predict. Matching is of type 1 (van Buuren 2018, section 3.4): the known are
    predicted by the estimated coefficients, the missing by drawn ones. A factor without order enters as its target by
    the scores that its levels have on the first canonical variate with the predictors. R: `mice(method = "pmm")`.
    """
    values = {variable.name: _begun(variable, rng) for variable in variables}
    blocks = {variable.name: _block(variable, values[variable.name]) for variable in variables}
    fixed = np.column_stack([np.ones(len(outcome)), _standard(outcome)])
    open_ones = sorted((v for v in variables if v.missing.any()), key=lambda v: int(v.missing.sum()))
    _check_enough(open_ones, fixed, blocks, donors)
    for _ in range(cycles):
        for variable in open_ones:
            name, missing = variable.name, variable.missing
            others = np.column_stack([fixed, *(block for other, block in blocks.items() if other != name)])
            known = values[name][~missing]
            chosen = _matched(known, others[~missing], others[missing], variable, donors, rng)
            values[name][missing] = known[chosen]
            blocks[name][missing] = blocks[name][~missing][chosen]
    return values


def _begun(variable: Variable, rng: np.random.Generator) -> np.ndarray:
    """The values, each gap filled with one that was seen, drawn by lot."""
    values, missing = variable.values.copy(), variable.missing
    values[missing] = rng.choice(values[~missing], int(missing.sum()))
    return values


def _block(variable: Variable, values: np.ndarray) -> np.ndarray:
    """The columns by which a variable predicts others: a number as it is, a factor by indicators."""
    if variable.levels is None:
        return _standard(values[:, None])
    return (values[:, None] == np.arange(1, len(variable.levels))).astype(float)


def _standard(columns: np.ndarray) -> np.ndarray:
    scale = columns.std(axis=0)
    return (columns - columns.mean(axis=0)) / np.where(scale > 0, scale, 1)


def _matched(known, seen, unseen, variable: Variable, donors: int, rng: np.random.Generator) -> np.ndarray:
    """For every gap the place of its donor among the known."""
    gram = seen.T @ seen
    inverse = np.linalg.inv(gram + _RIDGE * np.diag(np.diag(gram)) + 1e-12 * np.eye(len(gram)))
    target = known
    if not variable.ordered and len(variable.levels) > 2:
        target = _scores(known.astype(int), seen, inverse, len(variable.levels))[known.astype(int)]
    centre, scale = target.mean(), target.std() or 1.0
    target = (target - centre) / scale
    estimate = inverse @ (seen.T @ target)
    left = target - seen @ estimate
    spread = np.sqrt(left @ left / rng.chisquare(max(len(target) - len(estimate), 1)))
    drawn = estimate + spread * (
        linalg.cholesky((inverse + inverse.T) / 2, lower=True) @ rng.standard_normal(len(gram))
    )
    return nearest(seen @ estimate, unseen @ drawn, donors, rng)


def _scores(code: np.ndarray, seen: np.ndarray, inverse: np.ndarray, levels: int) -> np.ndarray:
    """Numbers for the levels of a factor that go best with the predictors (first canonical variate)."""
    indicators = (code[:, None] == np.arange(levels)).astype(float)
    root = np.sqrt(np.maximum(indicators.sum(axis=0), 1e-9))
    crossed = indicators.T @ seen
    between = crossed @ inverse @ crossed.T / np.outer(root, root)
    constant = root / np.linalg.norm(root)  # the trivial variate, the same for all levels
    aside = np.eye(levels) - np.outer(constant, constant)
    _, vectors = np.linalg.eigh(aside @ between @ aside)
    return vectors[:, -1] / root


def nearest(known: np.ndarray, asked: np.ndarray, donors: int, rng: np.random.Generator) -> np.ndarray:
    """For each number asked, the place of one of the `donors` nearest known ones, drawn by lot; so are ties."""
    shuffled = rng.permutation(len(known))
    order = shuffled[np.argsort(known[shuffled], kind="stable")]
    ordered = known[order]
    low = np.clip(np.searchsorted(ordered, asked) - donors, 0, max(len(known) - 2 * donors, 0))
    window = low[:, None] + np.arange(min(2 * donors, len(known)))
    far = np.abs(ordered[window] - asked[:, None])
    count = min(donors, len(known))
    close = np.argpartition(far, count - 1, axis=1)[:, :count]
    pick = close[np.arange(len(asked)), rng.integers(0, count, len(asked))]
    return order[window[np.arange(len(asked)), pick]]


def _check_enough(open_ones: list[Variable], fixed: np.ndarray, blocks: dict[str, np.ndarray], donors: int) -> None:
    columns = fixed.shape[1] + sum(block.shape[1] for block in blocks.values())
    raise_all(
        [
            f"column {variable.name!r}: expected more known values than predictors ({columns}) and donors ({donors}), "
            f"came {int((~variable.missing).sum())}; leave it out, or take fewer columns"
            for variable in open_ones
            if (~variable.missing).sum() <= max(columns, donors)
        ]
    )
