"""The memstore: a store's newest cells, sorted, in memory.

Cells are added and never changed, so whoever reads it in pieces may stop anywhere and go on
by key. Source: DefaultMemStore.java (active segment and snapshot).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from sys import getsizeof
from typing import Final

from sortedcontainers import SortedList

from .key import AFTER_END, END
from .tags import any_tagged, tags_of
from .window import Window

_OBJECT_BYTES: Final = 33 + 8
"""What CPython takes for a ``bytes`` besides its content: header and rounding of its size."""
CELL_OVERHEAD_BYTES: Final = 2 * _OBJECT_BYTES + 9
"""What a cell takes besides the bytes of key and value: two objects and a place in the sorted
list. The dict's table, of which between a third and two thirds are used, is counted by itself,
and all empty values are one object."""
_TABLE_CELLS: Final = 32
"""After so many cells it is looked whether the dict's table has grown."""
TAGS_OVERHEAD_BYTES: Final = _OBJECT_BYTES + 207
"""What a value with tags takes more: the tags' object, and the attributes of its own."""


class _SortedKeys(SortedList):  # type: ignore[misc]  # the library says nothing of its types
    """Keys in order, which can be let go of piece by piece."""

    def drop_piece(self) -> bool:
        """Lets go of some thousand keys; False if there are none. No other use after it."""
        lists: list[list[bytes]] = self._lists
        if lists:
            lists.pop()
        return bool(lists)


class MemStore:
    """Cells by key. ``memory_bytes`` is what they really take."""

    __slots__ = (
        "_keys",
        "_table_bytes",
        "_values",
        "has_tags",
        "memory_bytes",
        "min_sequence_id",
    )

    def __init__(self) -> None:
        self._keys = _SortedKeys()
        self._values: dict[bytes, bytes] = {}
        self._table_bytes = getsizeof(self._values)
        self.memory_bytes = 0
        self.min_sequence_id = 0
        """Sequence id of the oldest edit; 0 when there is none."""
        self.has_tags = False
        """Whether a cell has tags."""

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: list[bytes], values: list[bytes], sequence_id: int) -> int:
        """Adds cells and returns how many bytes of memory they take.

        Of equal keys the last value stands: within one write that is the later one, and
        between writes keys differ by their sequence ids.
        """
        if not keys:
            return 0
        if not self.min_sequence_id or sequence_id < self.min_sequence_id:
            self.min_sequence_id = sequence_id
        added = self._add_one(keys[0], values[0]) if len(keys) == 1 else self._add(keys, values)
        lengths = list(map(len, values))
        content = sum(map(len, keys)) + sum(lengths)
        if any_tagged(values):
            self.has_tags = True
            content += sum(len(tags) + TAGS_OVERHEAD_BYTES for tags in map(tags_of, values) if tags)
        taken = 0
        if added:
            taken = content + added * CELL_OVERHEAD_BYTES - lengths.count(0) * _OBJECT_BYTES
        if added >= _TABLE_CELLS or len(self._values) % _TABLE_CELLS == 0:
            table_bytes = getsizeof(self._values)
            taken += table_bytes - self._table_bytes
            self._table_bytes = table_bytes
        self.memory_bytes += taken
        return taken

    def _add_one(self, key: bytes, value: bytes) -> int:
        added = key not in self._values
        self._values[key] = value
        if added:
            self._keys.add(key)
        return int(added)

    def _add(self, keys: list[bytes], values: list[bytes]) -> int:
        held = self._values
        cells = dict(zip(keys, values, strict=True))
        fresh: Sequence[bytes] = keys
        if len(cells) < len(keys) or not held.keys().isdisjoint(cells):
            fresh = [key for key in cells if key not in held]
        held.update(cells)
        self._keys.update(fresh)
        return len(fresh)

    def window(self, start: bytes, stop: bytes, cells_max: int) -> Window:
        """The first cells with ``start <= key < stop``; an empty stop is open."""
        found = self._keys.irange(start, stop or None, (True, False))
        keys = list(islice(found, cells_max))
        values = list(map(self._values.__getitem__, keys))
        return Window(keys, values, keys[-1] + b"\0" if len(keys) == cells_max else b"")

    def rows_window(self, rows: Sequence[bytes]) -> Window:
        """All cells of these encoded rows, which are in order and differ."""
        irange = self._keys.irange
        keys: list[bytes] = []
        for row in rows:
            keys += irange(row + END, row + AFTER_END, (True, False))
        return Window(keys, list(map(self._values.__getitem__, keys)), b"")

    def keys_below(self, key: bytes, cells_max: int) -> list[bytes]:
        """The last keys below ``key`` (all, if it is empty), greatest first."""
        found = self._keys.irange(None, key or None, (True, False), reverse=True)
        return list(islice(found, cells_max))

    def drop_some(self, cells: int) -> bool:
        """Gives the memory of about so many cells back; False when there is no more.

        To free them all at once takes 25 ms per million, in which nothing else can be done.
        Nobody may read the memstore any more.
        """
        values = self._values
        for _ in range(min(cells, len(values))):
            values.popitem()
        return self._keys.drop_piece() or bool(values)

    def slices(self, cells: int) -> Iterator[Window]:
        """All cells in order, ``cells`` at a time. Nothing may be added meanwhile."""
        keys = iter(self._keys)
        while piece := list(islice(keys, cells)):
            yield Window(piece, list(map(self._values.__getitem__, piece)), b"")
