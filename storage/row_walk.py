"""Walks over the rows of a region: from the least up, or from the greatest down.

A walk finds a row and offers a cursor of each store that stands at its first cell, in the
order of families. Stores that a filter does not need to decide over a row (``joined``) are
not read to find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .key import RowEncoder, row_start, row_stop
from .scanner import Source
from .store_cursor import StoreCursor
from .store_file import encoded_row_of


class RowWalk(Protocol):
    """Where a scan is among the rows."""

    is_done: bool

    @property
    def cursors(self) -> Sequence[StoreCursor]:
        """Of the stores that rows are found in."""

    @property
    def looked_at(self) -> int:
        """Number of cells, visible or not, that were read to find rows."""

    def find(self) -> bytes | None:
        """The encoded row at hand; None: ask again, or it is done.

        One step of work. Raises BlockMiss, with nothing changed.
        """

    def joined(self, encoded_row: bytes) -> Sequence[StoreCursor]:
        """Cursors of the other stores, at this row, which was found."""

    def leave(self, encoded_row: bytes) -> None:
        """Goes on behind this row, whatever is left of it."""

    def seek(self, row: bytes, encoded_row: bytes) -> bool:
        """Goes on at ``row`` instead of behind ``encoded_row``; false if it lies not ahead."""


class UpwardWalk:
    """From ``start`` to before ``stop``."""

    def __init__(
        self,
        sources: Sequence[Source],
        joined: Sequence[Source],
        encoder: RowEncoder,
        start: bytes,
        stop: bytes,
        row: bytes | None = None,
    ) -> None:
        self.cursors: Sequence[StoreCursor] = [
            StoreCursor(*one, start, stop, row) for one in sources
        ]
        self.is_done = False
        self.looked_at = 0
        self._joined = [StoreCursor(*one, start, stop, row) for one in joined]
        self._encoder = encoder

    def find(self) -> bytes | None:
        """As ``RowWalk.find``."""
        cursors = self.cursors
        row = min((one.head for one in cursors if one.head is not None), default=None)
        unread = [one for one in cursors if one.head is None and not one.is_done]
        if row is not None:
            begin = row_start(row)
            unread = [one for one in unread if one.complete_to < begin]
        if unread:
            self.looked_at += min(unread, key=lambda one: one.complete_to).advance()
            return None
        self.is_done = row is None
        return row

    def joined(self, encoded_row: bytes) -> Sequence[StoreCursor]:
        """As ``RowWalk.joined``."""
        for one in self._joined:
            one.seek_row(encoded_row)
        return self._joined

    def leave(self, encoded_row: bytes) -> None:
        """As ``RowWalk.leave``."""
        for one in self.cursors:
            one.skip_row(encoded_row)

    def seek(self, row: bytes, encoded_row: bytes) -> bool:
        """As ``RowWalk.seek``."""
        target = self._encoder.encode(row)
        if target <= encoded_row:
            return False
        for one in self.cursors:
            one.seek_row(target)
        return True


class DownwardWalk:
    """From the greatest row below ``stop`` to ``start``. Each row is read upwards."""

    def __init__(
        self,
        sources: Sequence[Source],
        joined: Sequence[Source],
        encoder: RowEncoder,
        start: bytes,
        stop: bytes,
    ) -> None:
        self.is_done = False
        self._sources = sources
        self._joined_sources = joined
        self._encoder = encoder
        self._start = start
        self._stop = stop
        self._row: UpwardWalk | None = None
        self._looked_at = 0

    @property
    def cursors(self) -> Sequence[StoreCursor]:
        return self._row.cursors if self._row is not None else ()

    @property
    def looked_at(self) -> int:
        return self._looked_at + (self._row.looked_at if self._row is not None else 0)

    def find(self) -> bytes | None:
        """As ``RowWalk.find``."""
        if self._row is None:
            self._go_down()
            return None
        row = self._row.find()
        if self._row.is_done:
            self._end_row()
        return row

    def joined(self, encoded_row: bytes) -> Sequence[StoreCursor]:
        """As ``RowWalk.joined``."""
        assert self._row is not None, "a row was found"
        return self._row.joined(encoded_row)

    def leave(self, encoded_row: bytes) -> None:
        """As ``RowWalk.leave``."""
        self._end_row()

    def seek(self, row: bytes, encoded_row: bytes) -> bool:
        """As ``RowWalk.seek``."""
        stop = row_stop(self._encoder.encode(row))
        if stop > row_start(encoded_row):
            return False
        self._stop = stop
        return True

    def _go_down(self) -> None:
        last_keys = [
            keys[0]
            for store, reading in self._sources
            for keys in store.keys_below(self._stop, 1, keep=reading.cache_blocks)
        ]
        greatest = max(last_keys, default=b"")
        if not greatest or greatest < self._start:
            self.is_done = True
            return
        row = encoded_row_of(greatest)
        begin, end = row_start(row), row_stop(row)
        self._looked_at += len(last_keys)
        self._row = UpwardWalk(
            self._sources,
            self._joined_sources,
            self._encoder,
            max(begin, self._start),
            end,
            row,
        )
        self._stop = begin

    def _end_row(self) -> None:
        if self._row is not None:
            self._looked_at += self._row.looked_at
            self._row = None
