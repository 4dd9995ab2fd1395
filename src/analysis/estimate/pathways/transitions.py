"""Transition matrices between states from stays in them, what their product tells, and what it keeps silent about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.estimate.pathways.paths import Paths


@dataclass(frozen=True)
class Transitions:
    """One stratum: at each time the numbers at risk and moving, `matrix` = I + dA, and the shares before and after it.

    Each stay is at risk at the places `came` to `left` of `time`; `late` marks those with which a
    patient comes under observation after the start. `start` holds each patient's influence on the shares
    at the start. `scale` is p_j(u-) / Y_j(u), what one move out of state j at u weighs.
    """

    time: np.ndarray
    at_risk: np.ndarray
    moves: np.ndarray
    matrix: np.ndarray
    before: np.ndarray
    after: np.ndarray
    scale: np.ndarray
    patient: np.ndarray
    came: np.ndarray
    left: np.ndarray
    state: np.ndarray
    into: np.ndarray
    late: np.ndarray
    start: np.ndarray


def transitions_of(paths: Paths, start: str | None, landmark: float) -> Transitions | None:
    """Counts and matrices after the landmark; None where nobody was under observation there to start from."""
    size = len(paths.states)
    paths = paths.kept((paths.end > landmark) | ((paths.end == 0) & (landmark == 0)))
    begin = np.maximum(paths.begin, landmark)
    present = (paths.begin <= landmark) & ((landmark > 0) | paths.first)
    if start is None and not present.any():
        return None
    time = np.unique(np.concatenate([[landmark], begin[paths.first], paths.end]))
    came = np.where(present, 0, np.searchsorted(time, begin, side="right"))
    left = np.searchsorted(time, paths.end)
    patient = np.cumsum(np.append(True, paths.patient[1:] != paths.patient[:-1])[: len(paths.patient)]) - 1
    shape = (len(time) + 1, size)
    coming = np.bincount(came * size + paths.state, minlength=shape[0] * size).reshape(shape)
    leaving = np.bincount((left + 1) * size + paths.state, minlength=shape[0] * size).reshape(shape)
    at_risk = np.cumsum(coming - leaving, axis=0)[:-1].astype(float)
    moving = (paths.into >= 0) & (paths.into != paths.state)
    cell = (left[moving] * size + paths.state[moving]) * size + paths.into[moving]
    moves = np.bincount(cell, minlength=len(time) * size * size).reshape(len(time), size, size).astype(float)
    matrix = moves / np.where(at_risk > 0, at_risk, 1.0)[:, :, None]
    staying = np.where(at_risk > 0, (at_risk - moves.sum(axis=2)) / np.where(at_risk > 0, at_risk, 1.0), 1.0)
    matrix[:, np.arange(size), np.arange(size)] = staying
    first = np.bincount(paths.state[present], minlength=size) / max(present.sum(), 1)
    influence = np.zeros((patient.max(initial=-1) + 1, size))
    if start is None:
        influence[patient[present]] = (np.eye(size)[paths.state[present]] - first) / present.sum()
    else:
        first = np.eye(size)[paths.states.index(start)]
    after = np.empty((len(time), size))
    shares = first
    for place, step in enumerate(matrix):
        shares = after[place] = shares @ step
    before = np.vstack([first, after[:-1]])
    scale = np.where(at_risk > 0, before / np.where(at_risk > 0, at_risk, 1.0), 0.0)
    into, late = np.where(moving, paths.into, -1), paths.first & (paths.begin > landmark)
    return Transitions(
        time, at_risk, moves, matrix, before, after, scale, patient, came, left, paths.state, into, late, influence
    )


def expected_times(found: Transitions, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """The mean time spent in each state up to the horizon, and its standard errors.

    V(u) = the integral of P(u, v) over v from u to the horizon is built backwards; a move from j to k at u is then
    worth V_k(u) - V_j(u), and a patient's influence is what its moves brought less what those at risk would have got.
    """
    size = found.matrix.shape[1]
    width = np.diff(np.minimum(found.time, horizon), append=horizon)
    value = np.empty_like(found.matrix)
    ahead = np.zeros((size, size))
    for place in range(len(width) - 1, -1, -1):
        value[place] = ahead = width[place] * np.eye(size) + ahead
        ahead = found.matrix[place] @ ahead
    drift = found.scale[:, :, None] * ((found.matrix - np.eye(size)) @ value)
    passed = np.concatenate([np.zeros((1, size, size)), np.cumsum(drift, axis=0)])
    worth = passed[found.came, found.state] - passed[found.left + 1, found.state]
    moved = np.flatnonzero(found.into >= 0)
    left, state = found.left[moved], found.state[moved]
    worth[moved] += found.scale[left, state, None] * (value[left, found.into[moved]] - value[left, state])
    influence = found.start @ ahead
    for state in range(size):
        influence[:, state] += np.bincount(found.patient, worth[:, state], len(influence))
    return found.before[0] @ ahead, np.sqrt((influence**2).sum(axis=0))


def alive(found: Transitions) -> np.ndarray:
    """Whether any share is left outside death after each time."""
    return (found.after[:, :-1] > 0).any(axis=1)


def notes_of(found: Transitions, states: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """After each time: is nothing known any more, and what must be said?

    Two things a product of matrices passes over in silence: a state that all have left, into which others come under
    observation later; and a state that still holds a share of the patients, none of whom is watched any more.
    """
    time, unknown = found.time, np.zeros(len(found.time), dtype=bool)
    emptied = (found.at_risk > 0) & (np.diagonal(found.matrix, axis1=1, axis2=2) == 0)
    said: list[tuple[int, str]] = []
    for place, state in enumerate(states[:-1]):
        later = found.came[found.late & (found.state == place)].max(initial=-1)
        left = np.flatnonzero(emptied[:, place])
        if len(left) and left[0] < later:
            said.append(
                (left[0], f"all in {state} had left it before others entered observation there ({time[left[0]]:g})")
            )
    died_out = np.flatnonzero(~alive(found))
    if len(died_out) and (found.came[found.late] > died_out[0]).any():
        unknown[died_out[0] :] = True
        said = [(died_out[0], f"nobody was left at risk before others entered ({time[died_out[0]]:g})")]
    notes = np.full(len(time), "", dtype=object)
    for first, words in said:
        notes[first:] = [f"{note}; {words}" if note else words for note in notes[first:]]
    unwatched = (found.after[:-1, :-1] > 1e-12) & (found.at_risk[1:, :-1] == 0)
    for place in np.flatnonzero(unwatched.any(axis=1) & ~unknown[:-1]):
        words = f"nobody is watched in {', '.join(np.array(states[:-1])[unwatched[place]])}"
        notes[place] = f"{notes[place]}; {words}" if notes[place] else words
    return unknown, notes
