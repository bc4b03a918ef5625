"""The visible cells of one store, one after another, with seeks that leave out the rest."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

from .key import AFTER_END, END, ESCAPED_ZERO, escape, row_start, row_stop, unescape
from .reading import Reading, VisibleCells
from .store import WINDOW_CELLS, StoreView
from .visibility import VersionTracker

_FIRST_WINDOW_CELLS: Final = 32
_WINDOW_GROWTH: Final = 4


class StoreCursor:
    """A place among the visible cells of a store between two keys.

    What lies behind a seek is not read, and blocks that hold nothing else are not touched.

    Args:
        store: asked for every window anew, so the store may be flushed and compacted meanwhile.
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
        """Every visible cell below this key was read, or is not wanted."""
        self.is_done = bool(stop) and start >= stop
        """Nothing is left to read."""
        self.rows: list[bytes] = []
        """Encoded row of every cell at hand; likewise the next four."""
        self.qualifiers: list[bytes] = []
        self.timestamps: list[int] = []
        self.types: list[int] = []
        self.values: list[bytes] = []
        self.at = 0
        """Index of the next cell in these lists."""
        self._store = store
        self._reading = reading
        self._stop = stop
        self._row = row
        self._tracker = VersionTracker(reading)
        self._floor = start
        """Nothing below this key is wanted."""
        self._cells_max = _FIRST_WINDOW_CELLS

    @property
    def head(self) -> bytes | None:
        """Encoded row of the next cell; None if none is at hand."""
        return self.rows[self.at] if self.at < len(self.rows) else None

    def has_all_of(self, encoded_row: bytes) -> bool:
        """Whether no cell of the row is left to read."""
        return self.is_done or row_stop(encoded_row) <= self.complete_to

    def advance(self) -> int:
        """Reads one window more, when no cell is at hand; how many cells, visible or not.

        Raises BlockMiss, with nothing changed.
        """
        window = self._store.window(
            self.complete_to,
            self._stop,
            self._reading.file_times,
            row=self._row,
            qualifiers=self._reading.qualifiers,
            cells_max=self._cells_max,
            keep=self._reading.cache_blocks,
        )
        self._cells_max = min(self._cells_max * _WINDOW_GROWTH, WINDOW_CELLS)
        seen = VisibleCells()
        if window:
            self._tracker.add(window, seen)
        self._take_in(seen)
        if window.bound:
            self.complete_to = self._tracker.next_key(window.bound)
            self._jump()
        else:
            self.is_done = True
        return len(window)

    def skip_column(self) -> None:
        """Goes behind the column of the cell at hand."""
        at, end = self.at, len(self.rows)
        row, qualifier = self.rows[at], self.qualifiers[at]
        while at < end and self.qualifiers[at] == qualifier and self.rows[at] == row:
            at += 1
        self.at = at
        if at == end:
            self._go_to(b"%b\0\0%b%b" % (row, escape(qualifier), AFTER_END))

    def seek_column(self, qualifier: bytes) -> None:
        """Goes to this column of the row of the cell at hand, or what comes next."""
        row = self.rows[self.at]
        end = bisect_right(self.rows, row, self.at)
        self.at = bisect_left(self.qualifiers, qualifier, self.at, end)
        if self.at == len(self.rows):
            self._go_to(b"%b\0\0%b\0\0" % (row, escape(qualifier)))

    def seek_row(self, encoded_row: bytes) -> None:
        """Goes to this row or what comes next; stays where it is if that is farther."""
        self.at = bisect_left(self.rows, encoded_row, self.at)
        if self.at == len(self.rows):
            self._go_to(row_start(encoded_row))

    def skip_row(self, encoded_row: bytes) -> None:
        """Goes behind this row; stays where it is if that is farther."""
        self.at = bisect_right(self.rows, encoded_row, self.at)
        if self.at == len(self.rows):
            self._go_to(row_stop(encoded_row))

    def _go_to(self, key: bytes) -> None:
        self._floor = max(self._floor, key)
        self._jump()

    def _jump(self) -> None:
        """Leaves out what is not wanted, if that may remain unread.

        A row's tombstones of whole families stand in its column without a qualifier, and are
        always read with it.
        """
        here = self.complete_to
        if here < self._floor and not self.is_done:
            row = self._floor[: self._floor.index(b"\0\0")] if END in self._floor else None
            if row is not None and here.startswith(row + END + END):
                return
            self.complete_to = self._floor
            self._cells_max = _FIRST_WINDOW_CELLS
        self.is_done = self.is_done or (bool(self._stop) and self.complete_to >= self._stop)

    def _take_in(self, seen: VisibleCells) -> None:
        first = bisect_left(seen.columns, self._floor)
        if first:
            seen.drop(first)
        joined = b"".join(seen.columns)
        # Neither rows nor qualifiers contain END, and each is followed by one.
        parts = joined.split(END)
        self.rows = parts[:-1:2]
        self.qualifiers = parts[1::2]
        if ESCAPED_ZERO in joined:
            self.qualifiers = list(map(unescape, self.qualifiers))
        self.timestamps = seen.timestamps
        self.types = seen.types
        self.values = seen.values
        self.at = 0
