"""A data block in memory, whatever its encoding in the file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, Protocol

from ..window import Window

_CELL_OVERHEAD_BYTES: Final = 2 * (33 + 8 + 8)
"""Of a key and a value in CPython: object header, place in the list, rounding."""
_BLOCK_OVERHEAD_BYTES: Final = 256
CELLS_MAX: Final = 1 << 20
"""No block of KeyValues is read that has more: as objects they take 20 times what they may take
compressed, and a block that is full at 64 KiB has a few thousand."""


class Block:
    """Cells in order, each a key (storage/key.py) and a value, which exist one by one.

    Places are indexes from 0. An encoding may offer a block that makes its cells only when
    they are asked for: bind ``keys`` to a name before going through it.
    """

    __slots__ = ("_keys", "_values", "memory_bytes")

    def __init__(self, keys: list[bytes], values: list[bytes], content_bytes: int) -> None:
        self._keys = keys
        self._values = values
        self.memory_bytes = content_bytes + len(keys) * _CELL_OVERHEAD_BYTES + _BLOCK_OVERHEAD_BYTES

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def keys(self) -> list[bytes]:
        return self.keys_between(0, len(self))

    @property
    def values(self) -> list[bytes]:
        return self.window(0, len(self), b"").values

    def lower_bound(self, key: bytes, low: int = 0) -> int:
        """The first place, from ``low`` on, whose key is not below ``key``; else the length."""
        return bisect_left(self._keys, key, low)

    def row_range(self, start: bytes, stop: bytes, low: int = 0) -> tuple[int, int]:
        """Where the keys ``start <= key < stop`` of one row begin and end, from ``low`` on."""
        first = self.lower_bound(start, low)
        return first, self.lower_bound(stop, first)

    def keys_between(self, first: int, end: int) -> list[bytes]:
        """The keys of some neighbours."""
        return self._keys[first:end]

    def window(self, first: int, end: int, bound: bytes) -> Window:
        """Some neighbours as a window of a file that goes on at ``bound``."""
        if first == 0 and end == len(self._keys):
            return Window(self._keys, self._values, bound)
        return Window(self._keys[first:end], self._values[first:end], bound)

    def gather(self, ranges: Sequence[tuple[int, int]]) -> Window:
        """The cells from each first place to before its end; ranges in order."""
        keys: list[bytes] = []
        values: list[bytes] = []
        for first, end in ranges:
            keys += self._keys[first:end]
            values += self._values[first:end]
        return Window(keys, values, b"")

    def edges(self) -> tuple[bytes, bytes]:
        """The first and the last key. Requires: there are cells."""
        return self._keys[0], self._keys[-1]


class DataBlockDecoder(Protocol):
    """How a file's data blocks, and the keys in its index, are read.

    All raise ValueError, IndexError, KeyError or struct.error for bytes no encoder makes; the
    reader says which file and offset that was.
    """

    @property
    def name(self) -> str:
        """As in the file info's DATA_BLOCK_ENCODING."""
        ...

    @property
    def magic(self) -> bytes:
        """Of the blocks that hold it."""
        ...

    def decode(self, payload: bytes) -> Block: ...

    def from_index_key(self, index_key: bytes) -> bytes:
        """The least cell key that this can stand for."""
        ...

    def last_key(self, index_key: bytes) -> bytes:
        """The greatest cell key that this can stand for."""
        ...


class DataBlockEncoding(DataBlockDecoder, Protocol):
    """How data blocks, and the keys in the index, are written and read."""

    @property
    def comparator(self) -> str:
        """As in the trailer: readers that do not know this order refuse the file."""
        ...

    def encode(
        self, keys: Sequence[bytes], values: Sequence[bytes], heads: Sequence[bytes], tails: bytes
    ) -> bytes:
        """The payload of a block; ``tails`` are the last TAIL_BYTES of every key, joined, and
        ``heads`` what is before them."""
        ...

    def same_cell(self, left: bytes, right: bytes) -> bool:
        """Whether two neighbours must share a block, being equal to those who look them up."""
        ...

    def to_index_key(self, key: bytes) -> bytes:
        """The form in which the file writes a cell key or a separator of two."""
        ...
