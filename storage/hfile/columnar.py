"""raybase's own data-block encoding: five streams, each compressed by itself.

::

    payload := i16 ID, u8 version, u32 cells, n x (u8 form, u32 raw bytes, u32 stored bytes),
               head lengths, heads, tails, value lengths, values, [tag lengths, tags]
    version := 1: n = 5 streams | 2: n = 7, as some cell of the block has tags
    form    := as in streams.py

A cell's key (storage/key.py) is its head, row and qualifier, followed by its tail, the 17 bytes
of timestamp, type and sequence id. Lengths are u32 little-endian; a stream of one length holds
for every cell. Numbers are shuffled (all first bytes, all second bytes, ...) before they are
compressed; everything is compressed by ZSTD at level 1.

That was chosen by measurement (``python -m benchmarks streams``; docs/performance.md has the
table). In percent of the raw stream, and us to decode a block's:

====================  =============  =============  ===============  ==========
stream, data set      ZSTD 1         shuffled       bits shuffled    LZ4 1
====================  =============  =============  ===============  ==========
heads, pages          **20.7, 6**                                    35.5, 2
heads, zones          **0.92, 16**                                   1.87, 10
tails, pages          13.0, 4        **14.2, 4**    15.8, 5          22.6, 1
tails, zones          18.8, 24       **12.2, 15**   19.1, 33         35.0, 11
values, pages         **25.3, 125**                                  48.6, 74
values, zones         **3.66, 13**                                   6.31, 5
====================  =============  =============  ===============  ==========

LZ4 would save a tenth of a get that has to read its block, for files up to twice as large.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from ..key import TAIL_BYTES
from ..tags import any_tagged, tagged, tags_of
from ..window import Window
from .block import Block
from .blocks import ENCODED_DATA, PAYLOAD_BYTES_MAX
from .streams import compress, decompress

ID: Final = 0x5242
NAME: Final = "COLUMNAR"

_HEAD: Final = struct.Struct(">hBI")
_STREAMS: Final = {1: struct.Struct(">" + "BII" * 5), 2: struct.Struct(">" + "BII" * 7)}
"""Forms and sizes of the streams, by version."""
_SEARCHES_WITHOUT_KEYS: Final = 8
"""A get searches twice, for the beginning and the end of its row, and begins again after every
block that it misses elsewhere."""
_KEY_OVERHEAD_BYTES: Final = 33 + 8 + 7
"""Of a key in CPython: object header, place in the list, rounding."""
_BLOCK_OVERHEAD_BYTES: Final = 800
_UNPACKED_FROM: Final = 8
"""Pieces from which one call of struct is faster than slices."""


class Pieces:
    """A stream that is many byte strings one after another."""

    __slots__ = ("_data", "_ends", "_length", "memory_bytes")

    def __init__(self, data: bytes, lengths: bytes, count: int) -> None:
        """Raises ValueError or struct.error unless the lengths make up ``data``."""
        self._data = data
        self._length = 0
        self._ends: array[int] | None = None
        self.memory_bytes = len(data)
        if len(lengths) == 4:
            (self._length,) = struct.unpack("<I", lengths)
            total = self._length * count
        else:
            if len(lengths) != 4 * count:
                raise ValueError(f"{len(lengths)} bytes of lengths for {count} pieces")
            ends = np.cumsum(np.frombuffer(lengths, "<u4"), dtype=np.uint64)
            total = int(ends[-1])
            self._ends = array("Q", ends.tobytes())
            self.memory_bytes += 8 * count
        if total != len(data):
            raise ValueError(f"{count} pieces of {total} bytes in a stream of {len(data)}")

    def __getitem__(self, place: int) -> bytes:
        ends = self._ends
        if ends is None:
            length = self._length
            return self._data[place * length : (place + 1) * length]
        return self._data[ends[place - 1] if place else 0 : ends[place]]

    def between(self, first: int, end: int) -> list[bytes]:
        """Some neighbours."""
        ends = self._ends
        data = self._data
        if ends is not None:
            stops = ends[first:end]
            return [
                data[start:stop]
                for start, stop in zip(
                    chain((ends[first - 1] if first else 0,), stops), stops, strict=False
                )
            ]
        length = self._length
        count = end - first
        if count > _UNPACKED_FROM:
            return list(struct.unpack_from(f"{length}s" * count, data, first * length))
        start = first * length
        return (
            [data[at : at + length] for at in range(start, start + count * length, length)]
            if length
            else [b""] * count
        )

    def gathered(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Those of some ranges of neighbours."""
        if self._ends is not None:
            return [piece for first, end in ranges for piece in self.between(first, end)]
        length, data = self._length, self._data
        if not length:
            return [b""] * sum(end - first for first, end in ranges)
        joined = b"".join([data[first * length : end * length] for first, end in ranges])
        return list(struct.unpack(f"{length}s" * (len(joined) // length), joined))


class ColumnarBlock(Block):
    """A block as its streams, from which cells are cut when they are asked for.

    A block that is searched once, as most are that were just read from the disk, never makes
    its cells. One that is searched again gets its keys, which are counted as memory from the
    start: a search is one call of C then.
    """

    __slots__ = (
        "_count",
        "_first_key",
        "_heads",
        "_made_keys",
        "_searches",
        "_tags",
        "_tails",
        "_value_pieces",
    )

    def __init__(
        self,
        count: int,
        head_lengths: bytes,
        heads: bytes,
        tails: bytes,
        value_lengths: bytes,
        values: bytes,
        tag_lengths: bytes = b"",
        tags: bytes = b"",
    ) -> None:
        """Raises ValueError or struct.error for streams that contradict each other."""
        if len(tails) != count * TAIL_BYTES or not count:
            raise ValueError(f"{len(tails)} bytes of tails for {count} cells")
        self._count = count
        self._heads = Pieces(heads, head_lengths, count)
        self._tails = tails
        self._value_pieces = Pieces(values, value_lengths, count)
        self._tags = Pieces(tags, tag_lengths, count) if tag_lengths else None
        self._made_keys: list[bytes] | None = None
        self._searches = 0
        self._first_key = self._key(0)
        parts = (self._heads, self._value_pieces, self._tags)
        streams = sum(part.memory_bytes for part in parts if part is not None)
        keys = len(heads) + len(tails) + count * _KEY_OVERHEAD_BYTES
        self.memory_bytes = streams + len(tails) + keys + _BLOCK_OVERHEAD_BYTES

    def __len__(self) -> int:
        return self._count

    def lower_bound(self, key: bytes, low: int = 0) -> int:
        if key <= self._first_key:
            return low
        if self._made_keys is None:
            self._searches += 1
            if self._searches <= _SEARCHES_WITHOUT_KEYS:
                return self._search(key, low)
            self._made_keys = self.keys_between(0, self._count)
        return bisect_left(self._made_keys, key, low)

    def keys_between(self, first: int, end: int) -> list[bytes]:
        if self._made_keys is not None:
            return self._made_keys[first:end]
        return BlockWindow(self, first, end, b"").keys

    def columns_between(self, first: int, end: int) -> list[bytes]:
        """The keys of some neighbours without their tails."""
        return self._heads.between(first, end)

    def tails_between(self, first: int, end: int) -> bytes:
        """The tails of the keys of some neighbours, joined."""
        return self._tails[first * TAIL_BYTES : end * TAIL_BYTES]

    def values_between(self, first: int, end: int) -> list[bytes]:
        """The values of some neighbours."""
        values = self._value_pieces.between(first, end)
        if self._tags is not None:
            values = list(map(tagged, values, self._tags.between(first, end)))
        return values

    @property
    def has_keys(self) -> bool:
        """Whether its keys exist."""
        return self._made_keys is not None

    def window(self, first: int, end: int, bound: bytes) -> Window:
        return BlockWindow(self, first, end, bound)

    def gather(self, ranges: Sequence[tuple[int, int]]) -> Window:
        at = TAIL_BYTES
        tails = self._tails
        values = self._value_pieces.gathered(ranges)
        if self._tags is not None:
            values = list(map(tagged, values, self._tags.gathered(ranges)))
        return Window.of_columns(
            self._heads.gathered(ranges),
            b"".join([tails[first * at : end * at] for first, end in ranges]),
            values,
            b"",
        )

    def edges(self) -> tuple[bytes, bytes]:
        return self._first_key, self._key(self._count - 1)

    def _key(self, place: int) -> bytes:
        return self._heads[place] + self._tails[place * TAIL_BYTES : (place + 1) * TAIL_BYTES]

    def _search(self, key: bytes, low: int) -> int:
        high = self._count
        step = 1
        head_of, begins = self._heads.__getitem__, key.startswith
        while low and low + step < high:  # the end of a row is near its beginning
            head = head_of(low + step)
            if head >= key or (begins(head) and self._key(low + step) >= key):
                high = low + step
                break
            low += step
            step *= 2
        while low < high:
            middle = (low + high) // 2
            head = head_of(middle)
            # A head below the key decides, unless the key goes on where the head ends.
            if head < key and (not begins(head) or self._key(middle) < key):
                low = middle + 1
            else:
                high = middle
        return low


class BlockWindow(Window):
    """Neighbours in a columnar block. They are cut when they are asked for, so that a merge,
    which often takes the first few of them only, does not cut the others again and again."""

    __slots__ = ("_block", "_end", "_first")

    def __init__(self, block: ColumnarBlock, first: int, end: int, bound: bytes) -> None:
        super().__init__(None, None, bound)
        self._block = block
        self._first = first
        self._end = end

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def keys(self) -> list[bytes]:
        if self._keys is None and self._block.has_keys:
            self._keys = self._block.keys_between(self._first, self._end)
        return super().keys

    @property
    def columns(self) -> list[bytes]:
        if self._columns is None:
            self._columns = self._block.columns_between(self._first, self._end)
        return self._columns

    @property
    def tails(self) -> bytes:
        return self._block.tails_between(self._first, self._end)

    @property
    def values(self) -> list[bytes]:
        if self._values is None:
            self._values = self._block.values_between(self._first, self._end)
        return self._values

    def below(self, bound: bytes) -> Window:
        end = min(self._block.lower_bound(bound, self._first), self._end)
        return BlockWindow(self._block, self._first, end, bound)


class Columnar:
    """The encoding named COLUMNAR."""

    name = NAME
    magic = ENCODED_DATA
    comparator = "raybase.CellKey"

    def encode(
        self, keys: Sequence[bytes], values: Sequence[bytes], heads: Sequence[bytes], tails: bytes
    ) -> bytes:
        version = 1
        streams = [
            compress(_lengths(heads), 4),
            compress(b"".join(heads), 1),
            compress(tails, TAIL_BYTES),
            compress(_lengths(values), 4),
            compress(b"".join(values), 1),
        ]
        if any_tagged(values):
            version = 2
            tags = list(map(tags_of, values))
            streams += (compress(_lengths(tags), 4), compress(b"".join(tags), 1))
        sizes: list[int] = []
        for form, raw_bytes, stored in streams:
            sizes += (form, raw_bytes, len(stored))
        head = _HEAD.pack(ID, version, len(keys)) + _STREAMS[version].pack(*sizes)
        return b"".join([head, *(stored for _, _, stored in streams)])

    def decode(self, payload: bytes) -> Block:
        identifier, version, count = _HEAD.unpack_from(payload)
        if identifier != ID or version not in _STREAMS:
            raise ValueError(f"encoding {identifier} version {version} in a columnar file")
        sizes = _STREAMS[version].unpack_from(payload, _HEAD.size)
        if sum(sizes[1::3]) > PAYLOAD_BYTES_MAX:
            raise ValueError(f"a block claims to hold {sum(sizes[1::3])} bytes")
        streams: list[bytes] = []
        at = _HEAD.size + _STREAMS[version].size
        for form, raw_bytes, stored_bytes in zip(sizes[::3], sizes[1::3], sizes[2::3], strict=True):
            streams.append(decompress(form, payload[at : at + stored_bytes], raw_bytes))
            at += stored_bytes
        if at != len(payload):
            raise ValueError(f"streams of {at} bytes in a block of {len(payload)}")
        return ColumnarBlock(count, *streams)

    def same_cell(self, left: bytes, right: bytes) -> bool:
        return left == right

    def to_index_key(self, key: bytes) -> bytes:
        return key

    def from_index_key(self, index_key: bytes) -> bytes:
        return index_key

    def last_key(self, index_key: bytes) -> bytes:
        return index_key


def _lengths(texts: Sequence[bytes]) -> bytes:
    lengths: npt.NDArray[np.uint32] = np.fromiter(map(len, texts), "<u4", len(texts))
    if (lengths == lengths[0]).all():
        lengths = lengths[:1]
    return lengths.tobytes()
