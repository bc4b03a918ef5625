"""Scanners: rows of a region, in order, as of a read point.

A scanner holds a position and what it knows of the row there, and which files it reads: every
step asks its views of the stores for the next window by key. So flushes and compactions may
happen between any two steps, and a step that lacks a block (BlockMiss) has changed nothing and
is simply made again. Source: RegionScannerImpl.java, StoreScanner.java.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Protocol

from .cells import CellBatch
from .family_merge import order_of
from .key import AFTER_END, END, PLAIN_ROWS, RowEncoder, row_start
from .reading import Reading
from .store import StoreView
from .store_scanner import StoreScanner

UNLIMITED: Final = 2**62

Source = tuple[StoreView, Reading]
"""A store to read, and what is wanted of it."""


@dataclass(slots=True)
class Budget:
    """What is left of the limits of one call."""

    rows: int = UNLIMITED
    bytes: int = UNLIMITED
    cells: int = UNLIMITED
    """Cells to look at, visible or not, before the call returns with what it has."""
    partial: bool = False
    """Whether a row may be cut where the bytes are used up."""

    @property
    def is_spent(self) -> bool:
        return self.rows <= 0 or self.bytes <= 0 or self.cells <= 0


class RowSource(Protocol):
    """What a region scanner takes its rows from: one for plain reads, one for filters."""

    is_done: bool
    is_filter_done: bool
    """Whether a filter wants nothing that is still to come, in any region."""

    def take(self, out: CellBatch, budget: Budget) -> None:
        """Appends rows to ``out`` until the budget is spent or there are no more.

        Raises BlockMiss: ``out`` and ``budget`` hold what was done; call again with them.
        """

    @property
    def row_reached(self) -> bytes:
        """Every row before this one was taken, or is not wanted; empty: not known yet."""


class RangeScanner:
    """Rows with ``start <= key < stop`` of several stores, upwards."""

    def __init__(
        self,
        sources: Sequence[Source],
        encoder: RowEncoder,
        start: bytes,
        stop: bytes,
        row: bytes | None = None,
    ) -> None:
        self._decode = encoder.decode
        self._decodes = encoder is not PLAIN_ROWS
        self._stores = [StoreScanner(store, one, start, stop, row) for store, one in sources]
        self._cut: bytes | None = None
        """Encoded row that was given in part, and counts as a row when nothing more comes."""
        self.is_done = not self._stores
        self.is_filter_done = False

    def take(self, out: CellBatch, budget: Budget) -> None:
        """As ``RowSource.take``."""
        while not self.is_done:
            self._end_cut_row(budget)
            if budget.rows <= 0:
                return
            if len(self._stores) == 1:
                self._take_from_one(self._stores[0], out, budget)
            else:
                self._take_merged(out, budget)
            unread = [one for one in self._stores if not one.is_done]
            if not unread and all(one.head is None for one in self._stores):
                self.is_done = True
            if budget.is_spent or out.partial or self.is_done:
                return
            behind = min(unread, key=lambda one: one.complete_to)
            before = behind.looked_at
            behind.advance()
            budget.cells -= max(behind.looked_at - before, 1)

    def _end_cut_row(self, budget: Budget) -> None:
        """Counts the row that was given in part, once it is known to have no more cells."""
        cut = self._cut
        if cut is not None and all(one.has_all_of(cut) and one.head != cut for one in self._stores):
            self._cut = None
            budget.rows -= 1

    @property
    def row_reached(self) -> bytes:
        """As ``RowSource.row_reached``."""
        heads = [row_start(one.head) for one in self._stores if one.head is not None]
        bounds = [one.complete_to for one in self._stores if not one.is_done]
        return row_of_bound(min(heads + bounds, default=b""), self._decode)

    def _take_from_one(self, store: StoreScanner, out: CellBatch, budget: Budget) -> None:
        complete = store.complete_rows()
        rows = min(complete, budget.rows)
        first = store.next_cell
        end = store.row_end(store.next_row + rows - 1) if rows > 0 else first
        offered = len(store.rows) if budget.partial and complete < budget.rows else end
        if store.bytes_to(offered) >= budget.bytes:
            sizes = list(accumulate(store.sizes_to(offered)))
            end = first + bisect_left(sizes, budget.bytes) + 1
            if not budget.partial:
                end = store.row_end(bisect_right(store.starts, end - 1) - 1)
        if end > first:
            budget.bytes -= store.bytes_to(end)
            self._emit_rows(store, end, out, budget)

    def _emit_rows(self, store: StoreScanner, end: int, out: CellBatch, budget: Budget) -> None:
        """Appends the cells up to ``end``, of whole rows but perhaps for the last one."""
        base = len(out.values) - store.next_cell
        low = store.next_row + 1
        high = bisect_right(store.starts, end - 1, low)
        out.row_ends += [start + base for start in store.starts[low:high]]
        last = store.rows[end - 1]
        whole = end == store.row_end(high - 1) and store.has_all_of(last)
        self._copy(store, end, out)
        out.end_row()
        out.partial = not whole
        self._cut = None if whole else last
        budget.rows -= high - low + whole

    def _take_merged(self, out: CellBatch, budget: Budget) -> None:
        stores = self._stores
        self._take_whole_rows(out, budget)
        while not budget.is_spent:
            row = min((one.head for one in stores if one.head is not None), default=None)
            if row is None:
                return
            if not all(one.has_reached(row) for one in stores):
                return
            if budget.partial and self._cut_row(row, out, budget):
                return
            if not all(one.has_all_of(row) for one in stores):
                return
            for store in stores:
                if store.head == row:
                    end = store.row_end(store.next_row)
                    budget.bytes -= store.bytes_to(end)
                    self._copy(store, end, out)
            out.end_row()
            self._cut = None
            budget.rows -= 1

    def _take_whole_rows(self, out: CellBatch, budget: Budget) -> None:
        """Appends all rows that every store has read to their end, if the budget has room."""
        unread = [one.complete_to for one in self._stores if not one.is_done]
        limit = min(unread, default=None)
        ends = [one.end_of_rows_below(limit) for one in self._stores]
        parts = [
            part for part in zip(self._stores, ends, strict=True) if part[1] > part[0].next_cell
        ]
        sizes = [store.bytes_to(end) for store, end in parts]
        if not parts or sum(sizes) >= budget.bytes:
            return
        families = [one.rows[one.next_cell : end] for one, end in parts]
        order = order_of(families)
        if order.row_count > budget.rows:
            return
        base = len(out.values)
        out.row_ends += [base + start for start in order.starts[1:]]
        rows = order.of(families)
        decodes = self._decodes or any(store.has_escapes for store, _ in parts)
        out.rows += map(self._decode, rows) if decodes else rows
        out.families += order.of([[one.family] * (end - one.next_cell) for one, end in parts])
        out.qualifiers += order.of([one.qualifiers[one.next_cell : end] for one, end in parts])
        out.timestamps += order.of([one.timestamps[one.next_cell : end] for one, end in parts])
        out.types += order.of([one.types[one.next_cell : end] for one, end in parts])
        out.values += order.of([one.values[one.next_cell : end] for one, end in parts])
        out.end_row()
        self._cut = None
        budget.rows -= order.row_count
        budget.bytes -= sum(sizes)
        for store, end in parts:
            store.take_to(end)

    def _cut_row(self, row: bytes, out: CellBatch, budget: Budget) -> bool:
        """Appends as much of the row as is left of the bytes, if it has more than that."""
        parts = []
        left = budget.bytes
        for store in self._stores:
            if store.head == row:
                first, end = store.next_cell, store.row_end(store.next_row)
                sizes = list(accumulate(store.sizes_to(end)))
                fits = bisect_left(sizes, left) + 1
                parts.append((store, first + min(fits, len(sizes))))
                left -= sizes[min(fits, len(sizes)) - 1]
            if left <= 0 or not store.has_all_of(row):
                break
        else:
            return False
        if left > 0:
            return False
        for store, end in parts:
            self._copy(store, end, out)
        out.end_row()
        budget.bytes = left
        out.partial = not all(one.has_all_of(row) and one.head != row for one in self._stores)
        self._cut = row if out.partial else None
        budget.rows -= not out.partial
        return True

    def _copy(self, store: StoreScanner, end: int, out: CellBatch) -> None:
        first = store.next_cell
        count = end - first
        rows = store.rows[first:end]
        out.rows += map(self._decode, rows) if self._decodes or store.has_escapes else rows
        out.families += [store.family] * count
        out.qualifiers += store.qualifiers[first:end]
        out.timestamps += store.timestamps[first:end]
        out.types += store.types[first:end]
        out.values += store.values[first:end]
        store.take_to(end)


class RegionScanner:
    """Rows of a region, call by call.

    Its answers are those of its read point, whatever is written, flushed or compacted
    meanwhile. ``close`` it, or what it may still read is kept by every compaction.

    Args:
        rows: where they come from.
        limit: rows in all; 0: no limit.
        on_close: called once, when the scanner ends or is closed.

    """

    def __init__(
        self,
        rows: RowSource,
        *,
        limit: int = 0,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self._rows_left = limit or UNLIMITED
        self._rows = rows
        self._on_close = on_close
        self._batch = CellBatch()
        self._budget: Budget | None = None
        self._rows_allowed = 0
        self.bytes_taken = 0
        """What the rows that the last ``next`` brought count for in its ``bytes_max``."""
        self.is_closed = False
        if self.exhausted:
            self.close()

    @property
    def is_filter_done(self) -> bool:
        """Whether the scan is over in all regions, as its filter wants nothing more."""
        return self._rows.is_filter_done

    @property
    def row_reached(self) -> bytes:
        """As ``RowSource.row_reached``."""
        return self._rows.row_reached

    @property
    def is_limit_reached(self) -> bool:
        """Whether all rows that were asked for have come."""
        return self._rows_left <= 0

    @property
    def exhausted(self) -> bool:
        """Whether no row will come any more."""
        return self.is_closed or self.is_limit_reached or self._rows.is_done

    def next(
        self,
        rows_max: int = 0,
        bytes_max: int = 0,
        cells_max: int = 0,
        *,
        partial: bool = False,
        into: CellBatch | None = None,
    ) -> CellBatch:
        """The next rows; an empty batch if there are none, or none among ``cells_max`` cells.

        Args:
            rows_max: rows at most; 0: no limit.
            bytes_max: the batch ends with the row (or the cell, if ``partial``) that brings it
                to this size; 0: no limit.
            cells_max: return with what there is after looking at about so many cells, so
                that the caller can give way to others; 0: no limit.
            partial: whether the last row of the batch may be cut (``CellBatch.partial``); the
                next batch goes on with its next cell. A scan with ``batch`` cuts rows in any
                case, and returns after each part of a row that goes on.
            into: a batch of whole rows to add to, and to return, instead of a new one.

        Raises BlockMiss: fetch the block, hand it to the file, and call again with the same
        arguments. Nothing is lost or repeated.
        """
        if self._budget is None:
            self._budget = Budget(
                min(rows_max or UNLIMITED, self._rows_left),
                bytes_max or UNLIMITED,
                cells_max or UNLIMITED,
                partial,
            )
            self._rows_allowed = self._budget.rows
            self._batch = CellBatch() if into is None else into
        if not self.exhausted:
            self._rows.take(self._batch, self._budget)
        self._rows_left -= self._rows_allowed - self._budget.rows
        self.bytes_taken = (bytes_max or UNLIMITED) - self._budget.bytes
        batch, self._batch, self._budget = self._batch, CellBatch(), None
        if self.exhausted:
            self.close()
        return batch

    def close(self) -> None:
        """Lets go of the read point. Idempotent."""
        if not self.is_closed:
            self.is_closed = True
            if self._on_close is not None:
                self._on_close()


def row_of_bound(key: bytes, decode: Callable[[bytes], bytes]) -> bytes:
    """The row that a key begins with, or that ends before it."""
    end = key.find(END)
    return decode(key[:end] if end >= 0 else key.removesuffix(AFTER_END))
