"""Rows one by one, for scans that a filter or limits within rows decide over.

It takes HBase's steps, cell by cell: a filter is asked for the row, for every cell that is
visible (of as many versions as the family keeps), and for the row as a whole; what it lets
pass counts against the versions, limits and batch of the scan. Unlike HBase it shows a filter
no row of which nothing is visible, so that no answer depends on flushes and compactions.

Every call of a filter and what follows from it is one step that needs no block; a step that
needs one asks no filter. So after a BlockMiss nothing is seen twice, and nothing is lost.
Source: RegionScannerImpl.java, StoreScanner.java, UserScanQueryMatcher.mergeFilterResponse.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..model import CellType
from .cells import CellBatch
from .filters.evaluation import Cell, Evaluation, FilterKind, Hint, Step
from .key import RowEncoder
from .row_walk import RowWalk
from .scanner import Budget
from .store_cursor import StoreCursor
from .store_scanner import CELL_BYTES

_CELL_COST: Final = 8
"""Of a cell looked at here, in the budget's cells, of which the plain path takes one."""
# Looked up for every cell, which members of an Enum and a class's constructor make slow.
_CELL, _COLUMN, _ROW = Step.CELL, Step.COLUMN, Step.ROW
_new_cell = tuple.__new__


@dataclass(frozen=True, slots=True)
class RowLimits:
    """What a scan wants of each row, besides cells that are visible. 0: no limit."""

    max_versions: int
    """Of a column, of those that a filter lets pass; without one they were counted before."""
    store_limit: int = 0
    store_offset: int = 0
    batch: int = 0


class RowScanner:
    """Rows that pass a filter, cut as the limits say.

    Args:
        walk: finds the rows.
        encoder: the table's.
        limits: what is wanted of a row.
        kind: the filter; None: there is none.
        evaluation: the filter's for this scan.

    """

    def __init__(
        self,
        walk: RowWalk,
        encoder: RowEncoder,
        limits: RowLimits,
        kind: FilterKind | None,
        evaluation: Evaluation,
        *,
        has_joined: bool = False,
    ) -> None:
        self.is_done = False
        self.is_filter_done = False
        """Whether the filter wants nothing that is still to come, in any region."""
        self._walk = walk
        self._decode = encoder.decode
        self._limits = limits
        self._filter = evaluation
        self._has_filter = kind is not None
        self._filters_rows = kind is not None and kind.has_filter_row
        self._may_cut = not self._filters_rows and not has_joined
        self._has_joined = has_joined
        self._cost = _CELL_COST * (1 if kind is None else kind.weight)
        self._encoded_row: bytes | None = None
        """The row being read."""
        self._row = b""
        self._cursors: Sequence[StoreCursor] = ()
        self._next_cursor = 0
        self._joins = False
        """Whether the cursors are those of joined stores."""
        self._cells: list[Cell] = []
        self._bytes = 0
        self._column: tuple[bytes, bytes] | None = None
        self._versions = 0
        self._of_store = 0
        """Cells of the store at hand that the filter let pass in this row."""

    def take(self, out: CellBatch, budget: Budget) -> None:
        """As ``RowSource.take``. It ends with a result that goes on in the next one."""
        while not (self.is_done or budget.is_spent or out.partial):
            if self._encoded_row is None:
                self._find_row(budget)
            elif self._next_cursor < len(self._cursors):
                self._read(self._cursors[self._next_cursor], out, budget)
            else:
                self._end_row(out, budget)

    @property
    def row_reached(self) -> bytes:
        """As ``RowSource.row_reached``."""
        return self._row

    def _find_row(self, budget: Budget) -> None:
        """Raises BlockMiss."""
        if self._filter.filter_all_remaining():
            self._end_scan()
            return
        before = self._walk.looked_at
        encoded_row = self._walk.find()
        budget.cells -= 1 + self._walk.looked_at - before
        if encoded_row is None:
            self.is_done = self._walk.is_done
            return
        self._row = self._decode(encoded_row)
        if self._filter.filter_row_key(self._row):
            self._walk.leave(encoded_row)
            self._filter.reset()
            return
        self._encoded_row = encoded_row
        self._begin_cursors(self._walk.cursors)

    def _begin_cursors(self, cursors: Sequence[StoreCursor]) -> None:
        self._cursors = cursors
        self._next_cursor = 0
        self._begin_store()

    def _begin_store(self) -> None:
        self._column = None
        self._of_store = 0

    def _read(self, cursor: StoreCursor, out: CellBatch, budget: Budget) -> None:
        """Looks at the cells at hand, or brings more to hand. Raises BlockMiss then alone."""
        row = self._encoded_row
        assert row is not None, "a row is being read"
        if cursor.head is None and not cursor.has_all_of(row):
            budget.cells -= 1 + cursor.advance()
            return
        end = bisect_right(cursor.rows, row, cursor.at)
        if cursor.at < end:
            self._look_at(cursor, row, end, out, budget)
        if self._next_cursor == len(self._cursors) or cursor.at < end:
            return
        if cursor.at < len(cursor.rows) or cursor.has_all_of(row):
            self._next_cursor += 1
            self._begin_store()

    def _look_at(
        self, cursor: StoreCursor, row: bytes, end: int, out: CellBatch, budget: Budget
    ) -> None:
        """Asks the filter about the cells of the row at hand, which end before ``end``."""
        filter_, cost = self._filter, self._cost
        while cursor.at < end and budget.cells > 0 and not out.partial:
            if filter_.filter_all_remaining():
                self._next_cursor = len(self._cursors)
                return
            budget.cells -= cost
            at = cursor.at
            parts = (
                self._row,
                cursor.family,
                cursor.qualifiers[at],
                cursor.timestamps[at],
                cursor.types[at],
                cursor.values[at],
            )
            cell = _new_cell(Cell, parts)
            code = filter_.filter_cell(cell)
            step = code.step
            if code.includes:
                step = self._include(cell, step, out, budget)
            if step is _CELL:
                cursor.at = at + 1
            elif step is _COLUMN:
                cursor.skip_column()
            elif step is _ROW:
                cursor.skip_row(row)
            elif self._follow(cursor, cell, filter_.next_cell_hint(cell)):
                return

    def _include(self, cell: Cell, step: Step, out: CellBatch, budget: Budget) -> Step:
        """Counts and keeps a cell that passed; where to go."""
        limits = self._limits
        column = cell[1:3]
        if column != self._column:
            self._column = column
            self._versions = 0
        self._versions += cell.type_code == CellType.PUT
        if self._versions > limits.max_versions:
            return _ROW if step is _ROW else _COLUMN
        cell = self._filter.transform_cell(cell)
        self._of_store += 1
        if self._of_store > limits.store_offset:
            if self._cells and self._is_full(budget):
                self._emit(out, budget, goes_on=True)
            self._cells.append(cell)
            self._bytes += len(cell.row) + len(cell.qualifier) + len(cell.value) + CELL_BYTES
            if limits.store_limit and self._of_store >= limits.store_limit + limits.store_offset:
                return _ROW
        return step

    def _is_full(self, budget: Budget) -> bool:
        """Whether the cells kept so far are a result, though the row goes on."""
        batch = self._limits.batch
        if batch and len(self._cells) >= batch:
            return True
        may_cut = budget.partial and self._may_cut and not batch
        return may_cut and self._bytes >= budget.bytes

    def _follow(self, cursor: StoreCursor, cell: Cell, hint: Hint | None) -> bool:
        """Seeks to the hint, if it lies ahead; true if it leads out of the row."""
        if hint is None or hint.row == cell.row:
            if hint is not None and hint.family == cell.family and hint.qualifier > cell.qualifier:
                cursor.seek_column(hint.qualifier)
            else:
                cursor.at += 1
            return False
        assert self._encoded_row is not None, "a row is being read"
        if self._joins or not self._walk.seek(hint.row, self._encoded_row):
            cursor.at += 1
            return False
        # What holds of a row holds of all its families.
        self._next_cursor = len(self._cursors)
        return True

    def _end_row(self, out: CellBatch, budget: Budget) -> None:
        """Lets the filter decide over the row, and reads the rest of a row that passes."""
        assert self._encoded_row is not None, "a row is being read"
        if self._joins:
            self._cells.sort(key=lambda cell: cell.family)
        elif not self._passes():
            self._cells = []
        elif self._has_joined:
            self._joins = True
            self._begin_cursors(self._walk.joined(self._encoded_row))
            return
        if self._cells:
            self._emit(out, budget, goes_on=False)
        self._bytes = 0
        self._walk.leave(self._encoded_row)
        self._encoded_row = None
        self._joins = False
        self._filter.reset()
        if self._filter.filter_all_remaining():
            self._end_scan()

    def _passes(self) -> bool:
        """Whether the filter keeps the row, of which it may keep a part."""
        if not self._cells:
            if self._filters_rows:
                self._filter.filter_row_cells([])
            return False
        if not self._filters_rows:
            return not self._filter.filter_row()
        self._cells = self._filter.filter_row_cells(self._cells)
        return not (self._cells and self._filter.filter_row())

    def _end_scan(self) -> None:
        self.is_done = self.is_filter_done = True

    def _emit(self, out: CellBatch, budget: Budget, *, goes_on: bool) -> None:
        """Makes the cells kept so far a result."""
        rows, families, qualifiers, timestamps, types, values = zip(*self._cells, strict=True)
        out.rows += rows
        out.families += families
        out.qualifiers += qualifiers
        out.timestamps += timestamps
        out.types += types
        out.values += values
        out.end_row()
        out.partial = goes_on
        budget.rows -= not goes_on
        budget.bytes -= self._bytes
        self._cells = []
        self._bytes = 0
