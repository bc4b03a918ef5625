"""Rows of a region from the greatest to the least. Source: ReversedRegionScannerImpl.java."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .cells import CellBatch
from .key import RowEncoder, row_start, row_stop
from .scanner import Budget, RangeScanner, Source, row_of_bound
from .store import WINDOW_CELLS
from .store_file import encoded_row_of
from .store_scanner import CELL_BYTES

_REVERSE_GROWTH: Final = 8


class DownwardScanner:
    """Rows from the greatest to the least.

    It goes down in ranges that end where a row begins: a range is read upwards, and handed
    out from its last row to its first. The first range is one row; they grow from there, as
    most reversed scans want very few rows. A range of one row is handed out as it is read.
    """

    def __init__(
        self, sources: Sequence[Source], encoder: RowEncoder, start: bytes, stop: bytes
    ) -> None:
        self.is_done = not sources
        self.is_filter_done = False
        self._sources = sources
        self._encoder = encoder
        self._start = start
        self._stop = stop
        self._cells_back = 1
        self._range: RangeScanner | None = None
        self._is_single_row = False
        self._gathered = CellBatch()
        self._gathered_budget = Budget()
        self._rows_out = 0
        """Rows of the gathered range that were handed out, from its end."""

    def take(self, out: CellBatch, budget: Budget) -> None:
        """As ``RowSource.take``."""
        while not self.is_done and not budget.is_spent and not out.partial:
            if self._range is None:
                self._hand_out(out, budget)
                if not budget.is_spent and not out.partial:
                    self._begin_range()
                    budget.cells -= self._cells_back
            elif self._is_single_row:
                self._range.take(out, budget)
                if self._range.is_done:
                    self._range = None
            else:
                self._range.take(self._gathered, self._gathered_budget)
                self._range = None

    @property
    def row_reached(self) -> bytes:
        """As ``RowSource.row_reached``."""
        return row_of_bound(self._stop, self._encoder.decode)

    def _begin_range(self) -> None:
        """Finds the rows to read next. Raises BlockMiss, with nothing changed."""
        below = [
            keys
            for store, reading in self._sources
            for keys in store.keys_below(self._stop, self._cells_back, keep=reading.cache_blocks)
        ]
        greatest = max((keys[0] for keys in below), default=b"")
        if not greatest or greatest < self._start:
            self.is_done = True
            return
        last_row = encoded_row_of(greatest)
        row_before = encoded_row_of(max(keys[-1] for keys in below))
        self._is_single_row = row_before == last_row
        begin = row_start(last_row) if self._is_single_row else row_stop(row_before)
        begin = max(begin, self._start)
        self._range = RangeScanner(
            self._sources,
            self._encoder,
            begin,
            self._stop,
            last_row if self._is_single_row else None,
        )
        self._stop = begin
        self._gathered, self._gathered_budget = CellBatch(), Budget()
        self._rows_out = 0
        self._cells_back = min(self._cells_back * _REVERSE_GROWTH, WINDOW_CELLS)

    def _hand_out(self, out: CellBatch, budget: Budget) -> None:
        """Moves rows from the end of the gathered range to ``out``."""
        gathered = self._gathered
        ends = gathered.row_ends
        while self._rows_out < len(ends) and not budget.is_spent:
            row = len(ends) - self._rows_out - 1
            first = ends[row - 1] if row else 0
            end = ends[row]
            out.rows += gathered.rows[first:end]
            out.families += gathered.families[first:end]
            out.qualifiers += gathered.qualifiers[first:end]
            out.timestamps += gathered.timestamps[first:end]
            out.types += gathered.types[first:end]
            out.values += gathered.values[first:end]
            out.end_row()
            self._rows_out += 1
            budget.rows -= 1
            parts = gathered.rows, gathered.qualifiers, gathered.values
            budget.bytes -= sum(len(one) for part in parts for one in part[first:end])
            budget.bytes -= (end - first) * CELL_BYTES
