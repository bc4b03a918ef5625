"""The visible cells of one store, window by window, and cut into rows."""

from __future__ import annotations

from bisect import bisect_right
from itertools import chain, compress
from operator import ne
from typing import Final

from .key import END, ESCAPED_ZERO, row_start, row_stop, unescape
from .reading import Reading, VisibleCells
from .store import WINDOW_CELLS, Store, StoreView
from .visibility import VersionTracker

FIRST_WINDOW_CELLS: Final = 32
"""Most reads end within their first window, so that is a small one; each next one is larger."""
WINDOW_GROWTH: Final = 4
CELL_BYTES: Final = 24
"""What a cell counts for in a byte limit besides row, qualifier and value: about its frame."""


def read_row(store: Store, reading: Reading, encoded_row: bytes) -> VisibleCells:
    """All visible cells of a row. Raises BlockMiss: fetch, and read again from the start."""
    out = VisibleCells()
    tracker = VersionTracker(reading)
    start, stop = row_start(encoded_row), row_stop(encoded_row)
    cells_max = FIRST_WINDOW_CELLS
    while True:
        window = store.window(
            start,
            stop,
            reading.file_times,
            row=encoded_row,
            qualifiers=reading.qualifiers,
            cells_max=cells_max,
            keep=reading.cache_blocks,
        )
        if window:
            tracker.add(window, out)
        if not window.bound:
            return out
        start = tracker.next_key(window.bound)
        if start >= stop:
            return out
        cells_max = min(cells_max * WINDOW_GROWTH, WINDOW_CELLS)


class StoreScanner:
    """Rows of one store between two keys, read ahead of who takes them.

    Args:
        store: the store; asked again for every window.
        reading: what is wanted of it.
        start: key to begin with.
        stop: key to end before; empty: no end.
        row: the encoded row, if the two keys bound no more than that one.

    """

    def __init__(
        self,
        store: StoreView,
        reading: Reading,
        start: bytes,
        stop: bytes,
        row: bytes | None = None,
    ) -> None:
        self.family = store.family.name
        self.complete_to = start
        """Every visible cell below this key was read."""
        self.is_done = False
        """Every visible cell was read."""
        self.looked_at = 0
        """Number of cells, visible or not, that were read."""
        self.rows: list[bytes] = []
        """Encoded row of every cell read and not dropped yet; likewise the next four."""
        self.qualifiers: list[bytes] = []
        self.timestamps: list[int] = []
        self.types: list[int] = []
        self.values: list[bytes] = []
        self.starts: list[int] = []
        """Where each row begins in these lists."""
        self.next_row = 0
        """Index in ``starts`` of the first row not taken yet."""
        self.next_cell = 0
        """Index of the first cell not taken yet; inside that row if a part of it was taken."""
        self.bytes_ahead = 0
        """What the cells from there on count for in a byte limit."""
        self.has_escapes = False
        """Whether a row read so far is written otherwise than the bytes it has."""
        self._store = store
        self._reading = reading
        self._stop = stop
        self._row = row
        self._tracker = VersionTracker(reading)
        self._cells_max = FIRST_WINDOW_CELLS

    def advance(self) -> None:
        """Reads one window more. Raises BlockMiss, with nothing changed."""
        window = self._store.window(
            self.complete_to,
            self._stop,
            self._reading.file_times,
            row=self._row,
            qualifiers=self._reading.qualifiers,
            cells_max=self._cells_max,
            keep=self._reading.cache_blocks,
        )
        self._cells_max = min(self._cells_max * WINDOW_GROWTH, WINDOW_CELLS)
        if window:
            self.looked_at += len(window)
            seen = VisibleCells()
            self._tracker.add(window, seen)
            if len(seen):
                self._append(seen)
        if not window.bound:
            self.is_done = True
            return
        self.complete_to = self._tracker.next_key(window.bound)
        self.is_done = bool(self._stop) and self.complete_to >= self._stop

    @property
    def head(self) -> bytes | None:
        """Encoded row of the next cell to take; None if none was read ahead."""
        return self.rows[self.next_cell] if self.next_cell < len(self.rows) else None

    def has_reached(self, encoded_row: bytes) -> bool:
        """Whether every cell of the rows before this one was read."""
        return self.is_done or self.complete_to >= row_start(encoded_row)

    def has_all_of(self, encoded_row: bytes) -> bool:
        """Whether every cell of the row was read."""
        return self.is_done or row_stop(encoded_row) <= self.complete_to

    def row_end(self, index: int) -> int:
        """Where the cells of the ``index``-th row end."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else len(self.rows)

    def complete_rows(self) -> int:
        """How many rows were read to their end and not taken yet."""
        count = len(self.starts) - self.next_row
        if count and not self.has_all_of(self.rows[-1]):
            count -= 1
        return count

    def end_of_rows_below(self, key: bytes | None) -> int:
        """Where the cells end whose whole rows are below ``key``; None: of all rows."""
        if key is None:
            return len(self.rows)
        rows, starts, low = self.rows, self.starts, self.next_row
        row = bisect_right(range(len(starts)), key, low, key=lambda i: row_stop(rows[starts[i]]))
        return starts[row] if row < len(starts) else len(rows)

    def take_to(self, cell: int) -> None:
        """The cells before this index were taken."""
        self.bytes_ahead -= self.bytes_to(cell)
        self.next_cell = cell
        at_end = cell == len(self.rows)
        self.next_row = len(self.starts) if at_end else bisect_right(self.starts, cell) - 1

    def _append(self, seen: VisibleCells) -> None:
        self._drop_taken()
        joined = b"".join(seen.columns)
        # Neither rows nor qualifiers contain END, and each is followed by one.
        parts = joined.split(END)
        rows = parts[:-1:2]
        qualifiers = parts[1::2]
        content = len(joined) - 2 * len(END) * len(rows)
        if ESCAPED_ZERO in joined:
            self.has_escapes = True
            qualifiers = list(map(unescape, qualifiers))
            content = sum(map(len, rows)) + sum(map(len, qualifiers))
        last = self.rows[-1] if self.rows else b""
        base = len(self.rows)
        changes = map(ne, rows, chain((last,), rows))
        self.starts += compress(range(base, base + len(rows)), changes)
        self.rows += rows
        self.qualifiers += qualifiers
        self.timestamps += seen.timestamps
        self.types += seen.types
        self.values += seen.values
        self.bytes_ahead += content + sum(map(len, seen.values)) + CELL_BYTES * len(rows)

    def bytes_to(self, end: int) -> int:
        """What the cells from ``next_cell`` to ``end`` count for in a byte limit."""
        first, last = self.next_cell, len(self.rows)
        if last - end <= end - first:
            return self.bytes_ahead - sum(self._sizes(end, last))
        return sum(self._sizes(first, end))

    def sizes_to(self, end: int) -> list[int]:
        """The same for each of these cells."""
        return self._sizes(self.next_cell, end)

    def _sizes(self, start: int, end: int) -> list[int]:
        cells = slice(start, end)
        return [
            len(row) + len(qualifier) + len(value) + CELL_BYTES
            for row, qualifier, value in zip(
                self.rows[cells], self.qualifiers[cells], self.values[cells], strict=True
            )
        ]

    def _drop_taken(self) -> None:
        """Forgets what was taken, but for a row that goes on."""
        if not self.next_cell:
            return
        if self.next_cell == len(self.rows) and self.next_row == len(self.starts):
            first = len(self.rows)
        else:
            first = self.starts[self.next_row]
        if not first:
            return
        del self.rows[:first], self.qualifiers[:first]
        del self.timestamps[:first], self.types[:first], self.values[:first]
        self.starts = [one - first for one in self.starts[self.next_row :]]
        self.next_cell -= first
        self.next_row = 0
