"""Do groups differ over the whole of follow-up? The log-rank test of hazards and Gray's test of incidences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from analysis.estimate.counts import Counts, count
from analysis.estimate.doors import CENSORED, WORDS, as_names, repeated_patients
from analysis.estimate.strata import strata_of
from analysis.schema import GROUP_TESTS, SchemaError


@dataclass(frozen=True)
class _Grid:
    """Groups side by side in one stratum: rows are groups, columns the times at which anybody left."""

    at_risk: np.ndarray
    events: np.ndarray
    rivals: np.ndarray


def log_rank(
    spells: pd.DataFrame,
    event: str | None,
    by: str | list[str],
    strata: str | list[str] | None = None,
    entry: str | None = None,
) -> pd.DataFrame:
    """Do the groups differ in their hazard of the event?

    The groups must hold different patients: the lines of one patient are not independent, and lines are compared by
    `hazards.cox` with clusters or `hazards.pwp_gap_time`. `note` says where patients have several rows.

    Sum over event times of observed less expected events per group, (d_g - d Y_g / Y), with their hypergeometric
    variance, added up over strata; chi-square on groups - 1 degrees of freedom. Mantel (1966), Cancer Chemother Rep;
    Peto and Peto (1972), J R Stat Soc A. R: `survdiff(Surv(time, event) ~ by + strata(strata))`; with delayed entry,
    which survdiff refuses, the score test of `coxph(Surv(entry, time, event) ~ by + strata(strata), ties = "exact")`.

    Parameters
    ----------
    spells : table SPELLS
    event : one event word (all else then counts as censoring: cause-specific hazards), or None for any event
    by : column or columns whose values make the groups compared
    strata : column or columns within whose values they are compared
    entry : column of delayed entry; unnamed, `entry` where the spells have it

    Returns
    -------
    Table GROUP_TESTS, one row. Groups that were never at risk together with another one at an event cannot be compared:
    they take a degree of freedom less each, and `note` says so; where none can, statistic and p value are missing.

    Raises
    ------
    schema.SchemaError for faulty spells, ValueError for an unknown event word, fewer than two groups, or a column in
    both `by` and `strata`.

    Example
    -------
    >>> spells = pd.DataFrame({"iss": ["I", "I", "II", "II"], "entry": 0, "time": [3, 4, 1, 2], "event": "death"})
    >>> log_rank(spells, "death", "iss")[["statistic", "df", "p"]].round(4).values.tolist()
    [[2.8824, 1.0, 0.0896]]
    """
    if event is not None and (event not in WORDS or event == CENSORED):
        raise ValueError(f"event: expected one of {_event_words()} or None for any event, came {event!r}")
    counts, grids, shape = _grids(spells, event, by, strata, entry)
    score, variance = np.zeros(shape), np.zeros((shape, shape))
    for grid in grids:
        happens = grid.events.any(axis=0)
        at_risk, events = grid.at_risk[:, happens], grid.events[:, happens]
        risk, number = at_risk.sum(axis=0), events.sum(axis=0)
        share = at_risk / risk
        score += (events - number * share).sum(axis=1)
        spread = number * np.where(risk > 1, (risk - number) / np.maximum(risk - 1, 1), 0.0)
        variance += np.diag(share @ spread) - (share * spread) @ share.T
    row = _row("log-rank", event or "any", by, strata, counts, grids, score, variance)
    return _said_of(spells, row)


def gray_test(
    spells: pd.DataFrame, event: str, by: str | list[str], strata: str | list[str] | None = None
) -> pd.DataFrame:
    """Do the groups differ in the cumulative incidence of the event, with all other events competing?

    The groups must hold different patients, as in `log_rank`.

    The score of the subdistribution hazards: at each time d_g less d times the group's part of all who are free of this
    event, Y_g (1 - F_g) / S_g, in which those who had another event still count; with Gray's variance, rho = 0. Gray
    (1988), Ann Stat. R: `cmprsk::cuminc(time, event, by, strata)$Tests`.

    Parameters
    ----------
    spells : table SPELLS, all observed from time 0 (the test is not defined with delayed entry)
    event : the event word of interest
    by, strata : as in `log_rank`

    Returns
    -------
    Table GROUP_TESTS, one row, as in `log_rank`.

    Raises
    ------
    As `log_rank`; schema.SchemaError where entry is delayed, with the first such row.

    Example
    -------
    >>> spells = pd.DataFrame({"iss": ["I", "I", "II", "II"], "entry": 0, "time": [3, 4, 1, 2], "event": "death"})
    >>> gray_test(spells, "death", "iss")[["event", "df"]].values.tolist()
    [['death', 1]]
    """
    if event not in WORDS or event == CENSORED:
        raise ValueError(f"event: expected one of {_event_words()}, came {event!r}")
    counts, grids, shape = _grids(spells, event, by, strata, None)
    if len(counts.entries[0]):
        late = np.flatnonzero(spells["entry"] > 0)
        raise SchemaError(
            f"gray_test: column 'entry': expected 0 in every row, came {spells['entry'].iloc[late[0]]:g} "
            f"first in row {spells.index[late[0]]} ({len(late)} row(s)); the test knows no delayed entry: "
            "use log_rank of the event, which compares cause-specific hazards"
        )
    score, variance = np.zeros(shape), np.zeros((shape, shape))
    for grid in grids:
        own_score, own_variance = _gray_score(grid)
        score, variance = score + own_score, variance + own_variance
    return _said_of(spells, _row("Gray", event, by, strata, counts, grids, score, variance))


def _said_of(spells: pd.DataFrame, row: pd.DataFrame) -> pd.DataFrame:
    notes = [row["note"].iloc[0], repeated_patients(spells)]
    return row.assign(note="; ".join(note for note in notes if note))


def _event_words() -> list[str]:
    return [word for word in WORDS if word != CENSORED]


def _grids(
    spells: pd.DataFrame, event: str | None, by: str | list[str], strata: str | list[str] | None, entry: str | None
) -> tuple[Counts, list[_Grid], int]:
    """The counts, one grid per stratum with a row for every group, and how many groups there are."""
    groups, within = as_names(by), as_names(strata)
    if not groups or set(groups) & set(within):
        raise ValueError(f"by: expected columns that are not among strata {within}, came {groups}")
    counts = count(spells, [*within, *groups], entry)
    group, labels = strata_of(counts.strata, groups)
    stratum, _ = strata_of(counts.strata, within)
    if len(labels) < 2:
        raise ValueError(f"by: expected at least two groups to compare, came {labels['stratum'].tolist()}")
    meant = tuple(range(len(counts.words))) if event is None else counts.positions(event)
    events = counts.numbers(meant)
    rivals = counts.numbers(tuple(set(range(len(counts.words))) - set(meant)))
    slices, grids = counts.slices(), []
    for own in range(stratum.max() + 1):
        places = np.flatnonzero(stratum == own)
        times = np.unique(np.concatenate([counts.time[slices[place]] for place in places]))
        at_risk, had, other = np.zeros((3, len(labels), len(times)))
        for place in places:
            rows = slices[place]
            at = np.searchsorted(times, counts.time[rows])
            leaving = np.zeros(len(times))
            leaving[at] = counts.censored[rows] + counts.events[:, rows].sum(axis=0)
            remaining = np.cumsum(leaving[::-1])[::-1]
            at_risk[group[place]] = remaining - counts.not_entered(place, times)
            had[group[place], at], other[group[place], at] = events[rows], rivals[rows]
        grids.append(_Grid(at_risk, had, other))
    return counts, grids, len(labels)


def _gray_score(grid: _Grid) -> tuple[np.ndarray, np.ndarray]:
    """Score and variance in one stratum, over the times at which anything but a censoring happens.

    R_g = Y_g / S_g(u-) stands for a group's subjects had nobody left; the pooled incidence F0 grows by d / sum R_g.
    What an event in group k moves is, for the score of group i, its own weight a_ik at the time and, through F0 and
    S_k, all weights still to come: `ahead` holds their sum.
    """
    happens = (grid.events + grid.rivals).any(axis=0)
    at_risk, events, rivals = grid.at_risk[:, happens], grid.events[:, happens], grid.rivals[:, happens]
    present = at_risk > 0
    risk = np.where(present, at_risk, 1.0)
    after = np.cumprod(1 - (events + rivals) / risk, axis=1)
    before = _just_before(after, 1.0)
    incidence = np.cumsum(before * events / risk, axis=1)
    whole = np.where(present, at_risk / np.where(before > 0, before, 1.0), 0.0)
    number, total = events.sum(axis=0), whole.sum(axis=0)
    pooled = np.cumsum(number / total)
    free = whole * (1 - _just_before(incidence, 0.0))
    score = np.where(present, events - number * free / np.where(free.sum(axis=0) > 0, free.sum(axis=0), 1), 0.0)

    weights = np.eye(len(risk))[:, :, None] * whole - whole[:, None] * whole / total
    share, rest = number / total, 1 - _just_before(pooled, 0.0)
    # With one group left there is nothing to compare, and the pooled incidence may pass 1: no weight, no term.
    gone = np.cumsum(np.where(weights != 0, weights * share / np.where(rest > 0, rest, np.inf), 0.0), axis=2)
    ahead = gone[:, :, -1:] - gone
    left = np.where(after > 0, (1 - pooled) / np.where(after > 0, after, 1.0), 0.0)
    tied = 1 - np.where(number > 1, (number - 1) / np.where(number > 1, total * before - 1, 1), 0.0)
    of_event = np.where(present, tied * before * share / risk, 0.0)
    of_rival = _rival_spread(risk, rivals, before, present & (after > 0))
    by_event, by_rival = weights + (1 - left) * ahead, left * ahead
    variance = np.einsum("ikt,jkt,kt->ij", by_event, by_event, of_event)
    return score.sum(axis=1), variance + np.einsum("ikt,jkt,kt->ij", by_rival, by_rival, of_rival)


def _rival_spread(risk: np.ndarray, rivals: np.ndarray, before: np.ndarray, present: np.ndarray) -> np.ndarray:
    tied = 1 - np.where(rivals > 1, (rivals - 1) / np.maximum(risk - 1, 1), 0.0)
    return np.where(present, tied * before**2 * rivals / risk**2, 0.0)


def _just_before(values: np.ndarray, start: float) -> np.ndarray:
    return np.concatenate([np.full((*values.shape[:-1], 1), start), values[..., :-1]], axis=-1)


def _row(
    test: str,
    event: str,
    by: str | list[str],
    strata: str | list[str] | None,
    counts: Counts,
    grids: list[_Grid],
    score: np.ndarray,
    variance: np.ndarray,
) -> pd.DataFrame:
    """One row of GROUP_TESTS: the score against its variance, on as many degrees of freedom as the variance has."""
    spread, axes = np.linalg.eigh(variance)
    kept = spread > 1e-10 * max(1.0, spread.max())
    rank, note = int(kept.sum()), ""
    statistic = float(np.sum((score @ axes[:, kept]) ** 2 / spread[kept])) if rank else np.nan
    if rank < len(score) - 1:
        counted = f"only {rank + 1} of {len(score)} groups" if rank else "no two groups"
        note = f"{counted} were at risk together at an event"
    values = (
        test, event, "+".join(as_names(by)), "+".join(as_names(strata)), len(score), statistic, rank,
        float(chdtrc(rank, statistic)) if rank else np.nan,
        counts.strata["subjects"].sum(), sum(grid.events.sum() for grid in grids), note,
    )  # fmt: skip
    return pd.DataFrame([values], columns=GROUP_TESTS.names)
