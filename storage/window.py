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
from itertools import chain, compress, islice
from operator import add, eq, itemgetter, ne
from typing import Final

import numpy as np

from .key import TAIL_BYTES

_ORDERED_FROM: Final = 48
"""Cells from which it pays not to cut keys again after a merge."""
_TAIL: Final = np.dtype(f"V{TAIL_BYTES}")


class Window:
    """Cells of a run from some key on, as parallel lists that nobody changes.

    The run has no other cells below ``bound``; an empty bound says that these are all that
    was asked for. A key is a column (row and qualifier) and a tail of TAIL_BYTES; whichever of
    the two forms was not given is made when it is asked for.
    """

    __slots__ = ("_columns", "_keys", "_tails", "_values", "bound")

    def __init__(self, keys: list[bytes] | None, values: list[bytes] | None, bound: bytes) -> None:
        self._keys = keys
        self._columns: list[bytes] | None = None
        self._tails: bytes | None = None
        self._values = values
        self.bound = bound

    @classmethod
    def of_columns(
        cls,
        columns: list[bytes],
        tails: bytes,
        values: list[bytes],
        bound: bytes,
        keys: list[bytes] | None = None,
    ) -> Window:
        """A window whose keys were never joined, or are known; ``tails`` are those of all."""
        window = Window(keys, values, bound)
        window._columns = columns
        window._tails = tails
        return window

    def __len__(self) -> int:
        return len(self.values)

    @property
    def keys(self) -> list[bytes]:
        if self._keys is None:
            columns = self.columns
            tails = struct.unpack(f"{TAIL_BYTES}s" * len(columns), self.tails)
            self._keys = list(map(add, columns, tails))
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
        if self._tails is None:
            self._tails = b"".join([key[-TAIL_BYTES:] for key in self.keys])
        return self._tails

    @property
    def values(self) -> list[bytes]:
        assert self._values is not None, "who leaves the values out makes them in a subclass"
        return self._values

    def below(self, bound: bytes) -> Window:
        """The cells below ``bound``, which is not above this window's own."""
        keys, values = self.keys, self.values
        end = bisect_left(keys, bound)
        if end < len(keys):
            return Window(keys[:end], values[:end], bound)
        return Window(keys, values, bound)

    @staticmethod
    def joined(windows: Sequence[Window]) -> Window:
        """One window of some that follow on one another; at least one."""
        if len(windows) == 1:
            return windows[0]
        return Window.of_columns(
            list(chain.from_iterable(window.columns for window in windows)),
            b"".join([window.tails for window in windows]),
            list(chain.from_iterable(window.values for window in windows)),
            windows[-1].bound,
        )

    def split(self, bound: bytes) -> tuple[Window, Window]:
        """The cells below ``bound``, which is not above this window's own, and the others."""
        end = bisect_left(self.keys, bound)
        return self._part(0, end, bound), self._part(end, len(self.keys), self.bound)

    def _part(self, first: int, end: int, bound: bytes) -> Window:
        return Window.of_columns(
            self.columns[first:end],
            self.tails[first * TAIL_BYTES : end * TAIL_BYTES],
            self.values[first:end],
            bound,
            self.keys[first:end],
        )


def merge(windows: Sequence[Window]) -> Window:
    """The cells of all windows below the least of their bounds, in order.

    Equal keys are the same cell found twice; one of them stays.
    """
    bounds = [window.bound for window in windows if window.bound]
    bound = min(bounds) if bounds else b""
    parts = [
        window if window.bound == bound else window.below(bound) for window in windows if window
    ]
    parts = [part for part in parts if part]
    if not parts:
        return Window([], [], bound)
    if len(parts) == 1:
        return parts[0]
    if sum(map(len, parts)) < _ORDERED_FROM:
        cells: dict[bytes, bytes] = {}
        for part in parts:
            cells.update(zip(part.keys, part.values, strict=True))
        few = sorted(cells)
        return Window(few, list(map(cells.__getitem__, few)), bound)
    return _ordered(parts, bound)


def _ordered(parts: Sequence[Window], bound: bytes) -> Window:
    """As ``merge``, with columns and tails put in order instead of being cut again."""
    unordered = list(chain.from_iterable(part.keys for part in parts))
    order = sorted(range(len(unordered)), key=unordered.__getitem__)
    pick = itemgetter(*order)
    keys = list(pick(unordered))
    if any(map(eq, keys, islice(keys, 1, None))):
        fresh = map(ne, keys, chain((b"",), keys))
        order = list(compress(order, fresh))
        pick = itemgetter(*order)
        keys = list(pick(unordered))
    columns = list(chain.from_iterable(part.columns for part in parts))
    values = list(chain.from_iterable(part.values for part in parts))
    tails = np.frombuffer(b"".join([part.tails for part in parts]), _TAIL)
    return Window.of_columns(
        list(pick(columns)), tails[order].tobytes(), list(pick(values)), bound, keys
    )
