"""A data block in memory, whatever its encoding in the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

_CELL_OVERHEAD_BYTES: Final = 2 * (33 + 8 + 8)
"""Of a key and a value in CPython: object header, place in the list, rounding."""
_BLOCK_OVERHEAD_BYTES: Final = 256


class Block:
    """Cells in order: ``keys[i]`` (storage/key.py) has the value ``values[i]``."""

    __slots__ = ("keys", "memory_bytes", "values")

    def __init__(self, keys: list[bytes], values: list[bytes], content_bytes: int) -> None:
        self.keys = keys
        self.values = values
        self.memory_bytes = content_bytes + len(keys) * _CELL_OVERHEAD_BYTES + _BLOCK_OVERHEAD_BYTES

    def __len__(self) -> int:
        return len(self.keys)


class DataBlockEncoding(Protocol):
    """What a file's data blocks, and the keys in its index, look like.

    Decoders raise ValueError, IndexError or struct.error for bytes no encoder makes; the
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

    def decode(self, payload: bytes) -> Block: ...

    def same_cell(self, left: bytes, right: bytes) -> bool:
        """Whether two neighbours must share a block, being equal to those who look them up."""
        ...

    def to_index_key(self, key: bytes) -> bytes:
        """The form in which the file writes a cell key or a separator of two."""
        ...

    def from_index_key(self, index_key: bytes) -> bytes:
        """The least cell key that this can stand for."""
        ...

    def last_key(self, index_key: bytes) -> bytes:
        """The greatest cell key that this can stand for."""
        ...
