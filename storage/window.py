"""Windows: how runs of sorted cells are merged.

A heap of iterators compares cell by cell in Python. Instead every run (memstore or file)
offers the cells it has at hand from a key on, and the bound below which these are all it has.
Up to the least bound the runs together are complete: their cells are put together and sorted,
and the sort finds the runs and merges them in C.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Sequence
from operator import add

from .key import TAIL_BYTES


class Window:
    """Cells of a run from some key on, as parallel lists that nobody changes.

    The run has no other cells below ``bound``; an empty bound says that these are all that
    was asked for. A key is a column (row and qualifier) and a tail of TAIL_BYTES; whichever of
    the two forms was not given is made when it is asked for.
    """

    __slots__ = ("_columns", "_keys", "_tails", "bound", "values")

    def __init__(self, keys: list[bytes] | None, values: list[bytes], bound: bytes) -> None:
        self._keys = keys
        self._columns: list[bytes] | None = None
        self._tails = b""
        self.values = values
        self.bound = bound

    @classmethod
    def of_columns(
        cls, columns: list[bytes], tails: bytes, values: list[bytes], bound: bytes
    ) -> Window:
        """A window whose keys nobody has joined yet; ``tails`` are those of all, joined."""
        window = cls(None, values, bound)
        window._columns = columns
        window._tails = tails
        return window

    def __len__(self) -> int:
        return len(self.values)

    @property
    def keys(self) -> list[bytes]:
        if self._keys is None:
            assert self._columns is not None, "a window has keys or columns"
            tails = struct.unpack(f"{TAIL_BYTES}s" * len(self._columns), self._tails)
            self._keys = list(map(add, self._columns, tails))
        return self._keys

    @property
    def columns(self) -> list[bytes]:
        """Every key without its tail."""
        if self._columns is None:
            self._columns = [key[:-TAIL_BYTES] for key in self.keys]
        return self._columns

    @property
    def tails(self) -> bytes:
        """The tails of all keys, joined."""
        if not self._tails:
            self._tails = b"".join([key[-TAIL_BYTES:] for key in self.keys])
        return self._tails

    def below(self, bound: bytes) -> Window:
        """The cells below ``bound``, which is not above this window's own."""
        if self.bound == bound or not bound:
            return self
        keys = self.keys
        end = bisect_left(keys, bound)
        if end < len(keys):
            return Window(keys[:end], self.values[:end], bound)
        window = Window(keys, self.values, bound)
        window._columns, window._tails = self._columns, self._tails
        return window


def merge(windows: Sequence[Window]) -> Window:
    """The cells of all windows below the least of their bounds, in order.

    Equal keys are the same cell found twice; one of them stays.
    """
    bounds = [window.bound for window in windows if window.bound]
    bound = min(bounds) if bounds else b""
    parts = [window.below(bound) for window in windows if window.values]
    if not parts:
        return Window([], [], bound)
    if len(parts) == 1:
        return parts[0]
    cells: dict[bytes, bytes] = {}
    for part in parts:
        cells.update(zip(part.keys, part.values, strict=True))
    keys = sorted(cells)
    return Window(keys, list(map(cells.__getitem__, keys)), bound)
