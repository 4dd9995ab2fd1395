"""Standard errors of the shares in each state at every time, by the infinitesimal jackknife over patients."""

from __future__ import annotations

import numpy as np

from analysis.estimate.pathways.transitions import Transitions

_SMALLEST_SHARE = 0.1  # how far a product of matrices may shrink before its inverse costs digits


def standard_errors(found: Transitions) -> np.ndarray:
    """The standard error of the share in each state after each time, by the infinitesimal jackknife over patients.

    A patient's influence U(t) on the shares grows by p(u-) dA_i(u) and is carried on by I + dA(u). Carrying a million
    numbers over every day is what takes R its time. Here whole stretches of days are taken at once: with P the product
    of the matrices since the stretch began, U(t) = Z(t) P(t), where Z of all who stay in one state grows alike. A
    stretch ends where P shrinks so far that its inverse would cost digits; a day on which P loses a state altogether is
    stepped over alone.
    """
    size = found.matrix.shape[1]
    staying = np.diagonal(found.matrix, axis1=1, axis2=2)
    alone = (staying < _SMALLEST_SHARE).any(axis=1)
    with np.errstate(divide="ignore"):
        shrunk = -np.cumsum(np.log(np.where(alone[:, None], 1.0, staying)), axis=0)
    stops = np.append(np.flatnonzero(alone), len(alone))
    errors = np.empty((len(alone), size))
    influence = found.start
    place = 0
    while place < len(alone):
        if alone[place]:
            influence = _step(found, place, influence)
            errors[place] = np.sqrt((influence**2).sum(axis=0))
            place += 1
            continue
        base = shrunk[place - 1] if place else np.zeros(size)
        ends = [np.searchsorted(shrunk[:, j], base[j] - np.log(_SMALLEST_SHARE), side="right") for j in range(size)]
        stop = max(min(*ends, stops[np.searchsorted(stops, place)]), place + 1)
        influence, errors[place:stop] = _stretch(found, place, stop, influence)
        place = stop
    return np.where((found.after == 0) | (found.after == 1), 0.0, errors)


def _step(found: Transitions, place: int, influence: np.ndarray) -> np.ndarray:
    """Every patient's influence after one time."""
    size = influence.shape[1]
    influence = influence @ found.matrix[place]
    change = found.matrix[place] - np.eye(size)
    watched = np.flatnonzero((found.came <= place) & (found.left >= place))
    state = found.state[watched]
    influence[found.patient[watched]] -= (found.scale[place][:, None] * change)[state]
    moved = np.flatnonzero((found.left == place) & (found.into >= 0))
    weight = found.scale[place, found.state[moved]]
    influence[found.patient[moved], found.into[moved]] += weight
    influence[found.patient[moved], found.state[moved]] -= weight
    return influence


def _stretch(found: Transitions, begin: int, stop: int, influence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every patient's influence after the times begin ... stop - 1, and the errors after each of them.

    Z of a stay in state j is c + C_j(t), with c fixed when the stay begins. The sum of Z'Z over patients then needs, at
    each time, only the sums of c'c over all, of c by state, and the numbers by state; these change by those who come
    and leave.
    """
    size = influence.shape[1]
    product = found.matrix[begin:stop].copy()
    for place in range(1, stop - begin):
        product[place] = product[place - 1] @ product[place]
    inverse = np.linalg.inv(product)
    grown = -found.scale[begin:stop, :, None] * ((found.matrix[begin:stop] - np.eye(size)) @ inverse)
    grown = np.concatenate([np.zeros((1, size, size)), np.cumsum(grown, axis=0)])  # C, from just before `begin`
    came, left = np.maximum(found.came, begin) - begin, np.minimum(found.left, stop - 1) - begin + 1
    here = (found.came < stop) & (found.left >= begin)
    leaves = here & (found.left < stop)
    changing = np.flatnonzero(leaves | (here & (found.came > begin)))
    through = np.flatnonzero(here & ~leaves & (found.came <= begin))

    who, state = found.patient[changing], found.state[changing]
    gained = grown[left[changing], state] - grown[came[changing], state]
    moves = np.flatnonzero(leaves[changing] & (found.into[changing] >= 0))
    at, target = left[changing][moves] - 1, found.into[changing][moves]
    gained[moves] += found.scale[begin + at, state[moves], None] * (inverse[at, target] - inverse[at, state[moves]])
    fresh = np.append(True, who[1:] != who[:-1])[: len(who)]
    total = np.cumsum(gained, axis=0)
    origin = (total - gained)[np.flatnonzero(fresh)][np.cumsum(fresh) - 1] if len(who) else total
    after = influence[who] + total - origin
    fixed = after - gained - grown[came[changing], state]

    present = np.flatnonzero(here & (found.came <= begin))
    by_state = np.array(
        [influence[found.patient[present[found.state[present] == own]]].sum(axis=0) for own in range(size)]
    )
    comes, goes = found.came[changing] > begin, leaves[changing]
    ending = np.append(fresh[1:], True)[: len(who)]
    rests = goes & ending
    squares, sums = _sums_over_time(
        stop - begin,
        np.concatenate([fixed[comes], fixed[goes], after[rests]]),
        np.concatenate([np.ones(comes.sum()), -np.ones(goes.sum()), np.ones(rests.sum())]),
        np.concatenate([state[comes], state[goes], np.full(rests.sum(), size)]),
        np.concatenate([came[changing][comes], left[changing][goes], left[changing][rests]]),
    )
    squares, sums = influence.T @ influence + squares, by_state + sums
    staying = np.bincount(found.state[here & ~leaves], minlength=size)  # those who come at `stop` are not yet counted
    number = np.vstack([found.at_risk[begin + 1 : stop], staying])
    influence = influence.copy()
    influence[found.patient[through]] += grown[-1][found.state[through]]
    influence[who[ending]] = after[ending]
    return influence @ product[-1], _roots(product, squares, sums, number, grown[1:])


def _roots(
    product: np.ndarray, squares: np.ndarray, sums: np.ndarray, number: np.ndarray, grown: np.ndarray
) -> np.ndarray:
    """The root of the sum over patients of U(t)^2 after each time: P' (sum of Z'Z) P with Z = c + C_j."""
    cross = np.einsum("tja,tjb->tab", sums, grown)
    inner = squares + cross + cross.transpose(0, 2, 1) + np.einsum("tj,tja,tjb->tab", number, grown, grown)
    return np.sqrt(np.maximum(np.einsum("tak,tab,tbk->tk", product, inner, product), 0.0))


def _sums_over_time(
    length: int, fixed: np.ndarray, sign: np.ndarray, state: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """By how much the sum of c'c over patients, and of c by state, has changed after each time of a stretch.

    A stay that comes adds its c, one that goes takes it away, and a patient who comes to rest, in no state, adds what
    it ends with.
    """
    size = fixed.shape[1]
    squares, sums = np.zeros((length, size, size)), np.zeros((length, size, size))
    place = place - 1
    of_state = place * (size + 1) + state
    for row in range(size):
        signed = sign * fixed[:, row]
        for column in range(row + 1):
            change = np.bincount(place, signed * fixed[:, column], length)
            squares[:, row, column] = squares[:, column, row] = np.cumsum(change)
        change = np.bincount(of_state, signed, length * (size + 1)).reshape(length, size + 1)
        sums[:, :, row] = np.cumsum(change[:, :size], axis=0)
    return squares, sums
