"""Events and numbers at risk per stratum and day: the one pass over the spells from which every curve is made.

Whole-day times need no sort: one `bincount` over (event word, stratum, day) holds all there is to know. Other times
are ranked once and take the same way. The cost after that depends on the number of distinct days, not of patients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.estimate.doors import CENSORED, WORDS, as_names, check_spells, plain_numbers
from analysis.estimate.strata import strata_of

_LONGEST_DAY = 100_000  # whole times up to this are days that count themselves
_DENSE_CELLS = 4_000_000  # above this many (word, stratum, day) cells only those that occur are kept


@dataclass(frozen=True)
class Subjects:
    """The subjects of one stratum, for standard errors that counts alone cannot give.

    `came` and `left` are the first and the last row of the stratum at which each was at risk, `word` the position of
    the event in `Counts.words` (-1 when censored).
    """

    came: np.ndarray
    left: np.ndarray
    word: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Counts:
    """Rows are (stratum, time) pairs at which somebody left, and time 0 of each stratum; `bounds` cuts them by stratum.

    `strata` has one row per stratum: its label, the columns that made it, `subjects` and `last_time`. `events` has one
    row per word of `words` (those that occur, "censored" apart). At risk at t are those with entry < t <= time, and at
    time 0 those under observation from the start. `entries` holds (stratum, entry, count) of the delayed entries.
    `weights` is "none", "whole" (a row stands for that many subjects) or "fractional". `subjects` is kept, one item
    per stratum, only where entry is delayed or weights are fractional.
    """

    strata: pd.DataFrame
    words: tuple[str, ...]
    bounds: np.ndarray
    time: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray
    entries: tuple[np.ndarray, np.ndarray, np.ndarray]
    weights: str
    subjects: tuple[Subjects, ...] = ()

    def stratum_of_rows(self) -> np.ndarray:
        """The position in `strata` of each row."""
        return np.repeat(np.arange(len(self.strata)), np.diff(self.bounds))

    def slices(self) -> list[slice]:
        """The rows of each stratum."""
        return [slice(start, stop) for start, stop in zip(self.bounds[:-1], self.bounds[1:], strict=True)]

    def positions(self, event: str) -> tuple[int, ...]:
        """Where an event word stands in `words`: -1 for "censored", nothing for a word that does not occur."""
        return (-1,) if event == CENSORED else tuple(p for p, word in enumerate(self.words) if word == event)

    def numbers(self, positions: tuple[int, ...]) -> np.ndarray:
        """How many left at each row by the events at these positions, together."""
        parts = [self.censored if position < 0 else self.events[position] for position in positions]
        return np.sum(parts, axis=0) if parts else np.zeros(len(self.time))

    def not_entered(self, stratum: int, times: np.ndarray) -> np.ndarray:
        """How many subjects of one stratum have not come under observation just before each time."""
        place, entry, count = self.entries
        mine = place == stratum
        waiting = np.concatenate([np.cumsum(count[mine][::-1])[::-1], [0.0]])
        return waiting[np.searchsorted(entry[mine], times, side="left")]


def count(
    spells: pd.DataFrame, by: str | list[str] | None = None, entry: str | None = None, weight: str | None = None
) -> Counts:
    """How many were at risk, and how many left by which event, per stratum and time?

    Parameters
    ----------
    spells : table SPELLS (only `time`, `event`, and the columns named here are read); times in any one unit
    by : column or columns whose values make the strata; none makes one stratum called "all"
    entry : column with the time of delayed entry; unnamed, the column `entry` where the spells have one, so that late
        comers are never counted at risk by oversight, else everybody from time 0
    weight : column with case weights; whole numbers mean rows repeated

    Raises
    ------
    schema.SchemaError
        naming every faulty column with its first row: a negative, infinite or missing time, a time not after a
        delayed entry, an unknown event word, event codes instead of words, a missing value in a `by` column.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [5, 3, 5], "event": ["death", "relapse", "censored"]})
    >>> counts = count(spells)
    >>> counts.words, counts.time.tolist(), counts.at_risk.tolist(), counts.events.tolist()
    (('relapse', 'death'), [0.0, 3.0, 5.0], [3.0, 3.0, 2.0], [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    """
    names = as_names(by)
    entry = "entry" if entry is None and "entry" in spells.columns else entry
    word = check_spells(spells, names, entry, weight)
    if weight is not None and (spells[weight] == 0).any():
        counted = (spells[weight] > 0).to_numpy()
        spells, word = spells[counted], word[counted]
    stratum, strata = strata_of(spells, names)
    weights = None if weight is None else plain_numbers(spells[weight]).astype(float)
    grid, day = _grid(spells["time"])
    leaving, cell = _leavings(word, stratum, day, len(strata), len(grid), weights)
    row_stratum, row_day = np.divmod(cell, len(grid))
    occur = [place for place, name in enumerate(WORDS) if name != CENSORED and leaving[place].any()]
    counts = Counts(
        strata,
        tuple(WORDS[place] for place in occur),
        np.searchsorted(row_stratum, np.arange(len(strata) + 1)),
        grid[row_day],
        np.zeros(len(cell)),
        leaving[occur],
        leaving[WORDS.index(CENSORED)],
        _entries(spells, entry, stratum, weights),
        _kind_of_weights(weights),
    )
    counts = _with_numbers_at_risk(counts, leaving.sum(axis=0))
    if len(counts.entries[0]) or counts.weights == "fractional":
        return replace(counts, subjects=_subjects(spells, entry, word, stratum, weights, counts))
    return counts


def _with_numbers_at_risk(counts: Counts, leaving: np.ndarray) -> Counts:
    """Add `at_risk`, and `subjects` and `last_time` of the strata, from those who leave and the delayed entries."""
    at_risk = np.empty(len(counts.time))
    subjects, last_time = np.zeros(len(counts.strata)), np.zeros(len(counts.strata))
    for place, rows in enumerate(counts.slices()):
        # Summed from the end, so that the last number at risk equals those who leave last to the bit, weights or not.
        remaining = np.cumsum(leaving[rows][::-1])[::-1]
        subjects[place], last_time[place] = remaining[0], counts.time[rows][-1]
        at_risk[rows] = remaining
        if len(counts.entries[0]):
            at_risk[rows] -= counts.not_entered(place, counts.time[rows])
    if counts.weights == "fractional":  # a difference of sums of weights may miss zero by a rounding
        rounding = 1e-10 * subjects.max(initial=0)
        at_risk = np.where(np.isclose(at_risk, leaving, rtol=1e-10, atol=rounding), leaving, at_risk)
    strata = counts.strata.assign(subjects=subjects, last_time=last_time)
    return replace(counts, strata=strata, at_risk=at_risk)


def _subjects(
    spells: pd.DataFrame,
    entry: str | None,
    word: np.ndarray,
    stratum: np.ndarray,
    weights: np.ndarray | None,
    counts: Counts,
) -> tuple[Subjects, ...]:
    """The subjects of each stratum with the rows of counts at which they come and leave."""
    begin = np.zeros(len(spells)) if entry is None else plain_numbers(spells[entry])
    end = plain_numbers(spells["time"])
    position = np.full(len(WORDS), -1)
    for place, name in enumerate(counts.words):
        position[WORDS.index(name)] = place
    weights = np.ones(len(spells)) if weights is None else weights
    kept = []
    for place, rows in enumerate(counts.slices()):
        mine = np.flatnonzero(stratum == place)
        time = counts.time[rows]
        came = np.where(begin[mine] > 0, np.searchsorted(time, begin[mine], side="right"), 0)
        kept.append(Subjects(came, np.searchsorted(time, end[mine]), position[word[mine]], weights[mine]))
    return tuple(kept)


def _grid(time: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The times that can occur, from 0, and each row's place among them: whole days count themselves."""
    plain = plain_numbers(time)
    longest = plain.max(initial=0)
    if longest <= _LONGEST_DAY:
        day = plain.astype(np.intp, copy=False)
        if day is plain or np.array_equal(day, plain):
            return np.arange(int(longest) + 1, dtype=float), day
    grid, place = np.unique(np.append(plain, 0.0), return_inverse=True)
    return grid, place[:-1]


def _leavings(
    word: np.ndarray, stratum: np.ndarray, day: np.ndarray, strata: int, days: int, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Those who leave, one row per event word and one column per cell that occurs; and those cells (stratum, day)."""
    cells = strata * days
    origins = np.arange(strata) * days
    occurring = None
    if len(WORDS) * cells > max(_DENSE_CELLS, 4 * len(day)):
        occurring, place = np.unique(np.append(stratum * days + day, origins), return_inverse=True)
        place, cells = place[: len(day)] + word * len(occurring), len(occurring)
    elif strata > 1:
        place = (word * strata + stratum) * days + day
    else:
        place = word * days + day
    leaving = np.bincount(place, weights, minlength=len(WORDS) * cells).reshape(len(WORDS), cells).astype(float)
    if occurring is not None:
        return leaving, occurring
    kept = leaving.any(axis=0)
    kept[origins] = True
    occurring = np.flatnonzero(kept)
    return leaving[:, occurring], occurring


def _entries(
    spells: pd.DataFrame, entry: str | None, stratum: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Delayed entries as (stratum, time, count), sorted; three empty arrays when all were observed from the start."""
    begin = np.zeros(0) if entry is None else plain_numbers(spells[entry])
    if begin.max(initial=0) == 0:
        return np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0)
    late = np.flatnonzero(begin > 0)
    late = late[np.lexsort((begin[late], stratum[late]))]
    number = np.ones(len(late)) if weights is None else weights[late]
    return stratum[late], begin[late].astype(float), number


def _kind_of_weights(weights: np.ndarray | None) -> str:
    if weights is None:
        return "none"
    return "whole" if np.array_equal(weights, np.round(weights)) else "fractional"
