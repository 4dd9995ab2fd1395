"""Who is at risk at which event time: the two sums of which every formula of a proportional-hazards model is made.

A cell is one (stratum, event time). `RiskSets.at_risk` adds rows up into cells, `RiskSets.exposure` adds cells up along
each row's own time at risk; the one is the transpose of the other. Delayed entry, strata and the lingering subjects of
Fine and Gray live here and nowhere else, so that the formulas above know nothing of them. No risk set is ever listed:
each sum costs one pass over the rows and one cumulative sum over the cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

_LONGEST_DAY = 100_000  # whole times up to this are days that count themselves
_DENSE_CELLS = 4_000_000  # up to this many (stratum, time) cells are looked up in a table


@dataclass(frozen=True)
class Lingering:
    """Rows that stay at risk after their time, with `row_weight` times `cell_weight` (Fine and Gray 1999)."""

    rows: np.ndarray
    first_cell: np.ndarray
    row_weight: np.ndarray
    cell_weight: np.ndarray


@dataclass(frozen=True)
class Summing:
    """Which of `rows` (none: all, in order) belong to which cell; they come in the order of their cells.

    Those of cell number `cells` belong to none.
    """

    cells: int
    cell: np.ndarray
    rows: np.ndarray | None = None

    @cached_property
    def _pattern(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows again, and where each cell begins among them, as the small integers that sparse products take."""
        rows = np.arange(len(self.cell), dtype=np.int32) if self.rows is None else self.rows.astype(np.int32)
        counts = np.bincount(self.cell, minlength=self.cells + 1)[: self.cells]
        begins = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return rows[: begins[-1]], begins

    def sum(self, values: np.ndarray, columns: np.ndarray | None) -> np.ndarray:
        """Per cell, the sum of the values (times each of `columns`) of its rows."""
        chosen = values if self.rows is None else values[self.rows]
        if columns is None:
            # Of no rows at all bincount makes integers.
            return np.bincount(self.cell, chosen, minlength=self.cells + 1)[: self.cells].astype(float, copy=False)
        from scipy import sparse

        # A sparse product sums rows without ever making values times columns.
        rows, begins = self._pattern
        return sparse.csr_matrix((chosen[: len(rows)], rows, begins), shape=(self.cells, len(columns))) @ columns


@dataclass(frozen=True)
class RiskSets:
    """Rows sorted by their last cell; `order` says where each stood in the input.

    `exit_cell` is the last cell at which a row is at risk (`cells`, one past the end, when there is none).
    `late` are the rows not at risk from the start, `entry_cell` the last cell that each of them missed.
    `event_rows` had the event, in cell `event_cell`. `starts` cuts the cells by stratum.
    """

    order: np.ndarray
    stratum: np.ndarray
    time: np.ndarray
    starts: np.ndarray
    exit_cell: np.ndarray
    late: np.ndarray
    entry_cell: np.ndarray
    event_rows: np.ndarray
    event_cell: np.ndarray
    lingering: Lingering | None = None

    @property
    def cells(self) -> int:
        """How many (stratum, event time) there are."""
        return len(self.time)

    def at_risk(self, values: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
        """Per cell, the sum of `values` (times each of `columns`) over the rows at risk."""
        total = self._cumulated(self._exits.sum(values, columns), from_end=True)
        if len(self.late):
            missed = self._entries.sum(values, columns)
            total -= self._cumulated(missed, from_end=True)
        if self.lingering is not None:
            stay = self.lingering
            weighted = np.zeros(len(values))
            weighted[stay.rows] = values[stay.rows] * stay.row_weight
            begun = Summing(self.cells, stay.first_cell, stay.rows).sum(weighted, columns)
            added = self._cumulated(begun, from_end=False)
            total += (added.T * stay.cell_weight).T
        return total

    def exposure(self, cell_values: np.ndarray) -> np.ndarray:
        """Per row, the sum of `cell_values` over the cells at which it is at risk."""
        so_far = _padded(self._cumulated(cell_values, from_end=False))
        total = so_far[self.exit_cell]
        if len(self.late):
            total[self.late] -= so_far[self.entry_cell]
        if self.lingering is not None:
            stay = self.lingering
            to_come = _padded(self._cumulated((cell_values.T * stay.cell_weight).T, from_end=True))
            total[stay.rows] += (to_come[stay.first_cell].T * stay.row_weight).T
        return total

    def of_events(self, values: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
        """Per cell, the sum of `values` (times each of `columns`) over the rows with an event there."""
        return self._events.sum(values, columns)

    def never(self) -> np.ndarray:
        """The rows that are at risk at no cell."""
        absent = self.exit_cell == self.cells
        if self.lingering is not None:
            absent[self.lingering.rows] = False
        return np.flatnonzero(absent)

    def stratum_of_cells(self) -> np.ndarray:
        """The code of the stratum of each cell."""
        found = np.zeros(self.cells, dtype=np.intp)
        found[self.event_cell] = self.stratum[self.event_rows]
        return found

    @cached_property
    def _exits(self) -> Summing:
        return Summing(self.cells, self.exit_cell)

    @cached_property
    def _entries(self) -> Summing:
        return Summing(self.cells, self.entry_cell, self.late)

    @cached_property
    def _events(self) -> Summing:
        return Summing(self.cells, self.event_cell, self.event_rows)

    def _cumulated(self, values: np.ndarray, from_end: bool) -> np.ndarray:
        # Stratum by stratum: a difference of sums across strata would lose digits where strata differ in size.
        total = np.empty_like(values)
        for start, stop in zip(self.starts[:-1], self.starts[1:], strict=True):
            part, into = values[start:stop], total[start:stop]
            if from_end:
                part, into = part[::-1], into[::-1]
            np.cumsum(part, axis=0, out=into)
        return total


def lingering(sets: RiskSets, rows: np.ndarray, row_weight: np.ndarray, cell_weight: np.ndarray) -> RiskSets:
    """The same risk sets, but `rows` (in the order of the sets) stay at risk at all later cells of their stratum."""
    ends = np.searchsorted(sets.stratum_of_cells(), sets.stratum[rows], side="right")
    begins = np.searchsorted(sets.stratum_of_cells(), sets.stratum[rows], side="left")
    first = np.where(sets.exit_cell[rows] < sets.cells, sets.exit_cell[rows] + 1, begins)
    staying = np.flatnonzero(first < ends)
    staying = staying[np.argsort(first[staying], kind="stable")]
    return replace(sets, lingering=Lingering(rows[staying], first[staying], row_weight[staying], cell_weight))


def risk_sets(time: np.ndarray, had_event: np.ndarray, stratum: np.ndarray, entry: np.ndarray | None) -> RiskSets:
    """Risk sets of rows at risk for entry < t <= time; entry 0 or none: at risk from the start, time 0 included."""
    begin = None if entry is None or entry.max(initial=0) <= 0 else entry
    moment, begins, grid = _moments(time, had_event, begin)
    origin = stratum * (len(grid) + 1)
    occurring = np.unique((origin + moment)[had_event])
    size = (int(stratum.max(initial=0)) + 1) * (len(grid) + 1)
    last = _cells_up_to(origin + moment, occurring, size)
    first = start = _cells_up_to(origin - 1, occurring, size)
    if begin is not None:
        first = np.where(begin > 0, _cells_up_to(origin + begins, occurring, size), start)
    cells = len(occurring)
    exit_cell = np.where(last > first, last - 1, cells)
    # Small integers are sorted by counting; a stable sort keeps the order of rows out of the result as far as it can.
    order = np.argsort(exit_cell.astype(np.min_scalar_type(cells + 1)), kind="stable")
    exit_cell, first, start = exit_cell[order], first[order], start[order]
    late = np.flatnonzero((first > start) & (exit_cell < cells))
    late = late[np.argsort(first[late], kind="stable")]
    event_rows = np.flatnonzero(had_event[order])
    changes = np.flatnonzero(np.diff(occurring // (len(grid) + 1))) + 1
    return RiskSets(
        order,
        stratum[order],
        grid[occurring % (len(grid) + 1) - 1],
        np.concatenate([[0], changes, [cells]]) if cells else np.zeros(1, dtype=np.intp),
        exit_cell,
        late,
        first[late] - 1,
        event_rows,
        exit_cell[event_rows],
    )


def _moments(
    time: np.ndarray, had_event: np.ndarray, entry: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """How many grid times lie at or before each time, and each entry; and the grid, which holds every event time."""
    longest = time.max(initial=0)
    if longest <= _LONGEST_DAY and _whole(time) and (entry is None or _whole(entry)):
        day = time.astype(np.intp) + 1
        return day, None if entry is None else entry.astype(np.intp) + 1, np.arange(int(longest) + 1, dtype=float)
    grid = np.unique(time[had_event]).astype(float)
    begins = None if entry is None else np.searchsorted(grid, entry, side="right")
    return np.searchsorted(grid, time, side="right"), begins, grid


def _whole(values: np.ndarray) -> bool:
    return values.dtype.kind in "iu" or bool((values == np.floor(values)).all())


def _cells_up_to(keys: np.ndarray, occurring: np.ndarray, size: int) -> np.ndarray:
    """How many cells occur at or before each key."""
    if size > max(_DENSE_CELLS, 4 * len(keys)):
        return np.searchsorted(occurring, keys, side="right")
    flags = np.zeros(size + 1, dtype=np.intp)
    flags[occurring + 1] = 1
    return np.cumsum(flags)[keys + 1]


def _padded(cell_values: np.ndarray) -> np.ndarray:
    """One more cell of zeros at the end, for rows that are at risk at none."""
    return np.concatenate([cell_values, np.zeros((1, *cell_values.shape[1:]))])
