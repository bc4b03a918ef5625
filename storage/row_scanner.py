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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .cells import CellBatch
from .filters.evaluation import Cell, Evaluation, FilterKind, Hint, ReturnCode, Step
from .key import RowEncoder
from .row_walk import RowWalk
from .scanner import Budget
from .store_cursor import StoreCursor
from .store_scanner import CELL_BYTES

_CELL_COST: Final = 4
"""Of a cell looked at here, in the budget's cells, of which the plain path takes one."""


@dataclass(frozen=True, slots=True)
class RowLimits:
    """What a scan wants of each row, besides cells that are visible. 0: no limit."""

    max_versions: int
    """Of a column, of those that the filter lets pass."""
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
        walk = self._walk
        while not (self.is_done or budget.is_spent or out.partial):
            before = walk.looked_at
            if self._encoded_row is None:
                self._find_row()
            elif self._next_cursor < len(self._cursors):
                self._read(self._cursors[self._next_cursor], out, budget)
            else:
                self._end_row(out, budget)
            budget.cells -= 1 + walk.looked_at - before

    def _find_row(self) -> None:
        """Raises BlockMiss."""
        if self._filter.filter_all_remaining():
            self._end_scan()
            return
        encoded_row = self._walk.find()
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
            cursor.advance()
            return
        while cursor.head == row and budget.cells > 0 and not out.partial:
            if self._filter.filter_all_remaining():
                self._next_cursor = len(self._cursors)
                return
            budget.cells -= self._cost
            step = self._look_at(cursor, out, budget)
            if step is not None:
                self._go_on(cursor, step)
            if self._next_cursor == len(self._cursors):
                return
        if (cursor.head is not None and cursor.head != row) or (
            cursor.head is None and cursor.has_all_of(row)
        ):
            self._next_cursor += 1
            self._begin_store()

    def _look_at(self, cursor: StoreCursor, out: CellBatch, budget: Budget) -> Step | None:
        """Asks the filter about the cell at hand; where to go, or None if a hint was followed."""
        at = cursor.at
        cell = Cell(
            self._row,
            cursor.family,
            cursor.qualifiers[at],
            cursor.timestamps[at],
            cursor.types[at],
            cursor.values[at],
        )
        code = self._filter.filter_cell(cell)
        if code is ReturnCode.SEEK_NEXT_USING_HINT:
            return self._follow(cursor, cell, self._filter.next_cell_hint(cell))
        step = code.step
        if code.includes:
            step = self._include(cell, step, out, budget)
        return step

    def _include(self, cell: Cell, step: Step, out: CellBatch, budget: Budget) -> Step:
        """Counts and keeps a cell that passed; where to go."""
        limits = self._limits
        column = cell[1:3]
        if column != self._column:
            self._column = column
            self._versions = 0
        self._versions += 1
        if self._versions > limits.max_versions:
            return Step.ROW if step is Step.ROW else Step.COLUMN
        cell = self._filter.transform_cell(cell)
        self._of_store += 1
        if self._of_store > limits.store_offset:
            if self._cells and self._is_full(budget):
                self._emit(out, budget, goes_on=True)
            self._cells.append(cell)
            self._bytes += len(cell.row) + len(cell.qualifier) + len(cell.value) + CELL_BYTES
            if limits.store_limit and self._of_store >= limits.store_limit + limits.store_offset:
                return Step.ROW
        return step

    def _is_full(self, budget: Budget) -> bool:
        """Whether the cells kept so far are a result, though the row goes on."""
        batch = self._limits.batch
        if batch and len(self._cells) >= batch:
            return True
        return budget.partial and self._may_cut and self._bytes >= budget.bytes

    def _follow(self, cursor: StoreCursor, cell: Cell, hint: Hint | None) -> Step | None:
        """Seeks to the hint, if it lies ahead."""
        if hint is None:
            return Step.CELL
        if hint.row == cell.row:
            if hint.family == cell.family and hint.qualifier > cell.qualifier:
                cursor.seek_column(hint.qualifier)
                return None
            return Step.CELL
        assert self._encoded_row is not None, "a row is being read"
        if self._joins or not self._walk.seek(hint.row, self._encoded_row):
            return Step.CELL
        # What holds of a row holds of all its families.
        self._next_cursor = len(self._cursors)
        return None

    def _go_on(self, cursor: StoreCursor, step: Step) -> None:
        if step is Step.CELL:
            cursor.skip_cell()
        elif step is Step.COLUMN:
            cursor.skip_column()
        else:
            assert self._encoded_row is not None, "a row is being read"
            cursor.skip_row(self._encoded_row)

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
