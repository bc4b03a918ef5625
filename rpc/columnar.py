"""The columnar cell block: columns of cells with no Python loop per cell.

Little-endian throughout::

    block      := version:u8 flags:u8 rows:u32 cells:u32
                  strings(rows)                  the row keys
                  numbers(rows, u32)             how many cells each row has
                  strings(cells) strings(cells)  families, qualifiers
                  numbers(cells, u64)            timestamps
                  type:u8 * cells
                  strings(cells)                 values, never CONSTANT or DICTIONARY
    strings(0) := nothing
    strings(n) := CONSTANT:u8   length:u32 bytes
                | DICTIONARY:u8 size:u16 (length:u32)*size bytes index:u8*n
                | EQUAL:u8      length:u32 bytes
                | PLAIN:u8      (length:u32)*n bytes
    numbers(0) := nothing
    numbers(n, t) := CONSTANT:u8 value:t | PLAIN:u8 (value:t)*n

Bit 0 of ``flags``: the last row goes on in the next block. A small block can stand for many
cells, so what it may unfold to is limited: to the bytes that KeyValueCodec would need.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain, repeat
from operator import mul
from typing import Final

import numpy

from ..errors import BadFrameError

VERSION: Final = 1
PARTIAL: Final = 1
CONSTANT: Final = 0
DICTIONARY: Final = 1
EQUAL: Final = 2
PLAIN: Final = 3

_HEADER: Final = struct.Struct("<BBII")
_U32: Final = struct.Struct("<I")
_U16: Final = struct.Struct("<H")
_FORM_U32: Final = struct.Struct("<BI")
_FORM_U64: Final = struct.Struct("<BQ")
_DICTIONARY_SIZE_MAX: Final = 256
_DICTIONARY_USES_MIN: Final = 4
"""A dictionary must save at least this many repetitions of each entry."""
_CELL_OVERHEAD_BYTES: Final = 24
"""What KeyValueCodec needs for a cell beside row, family, qualifier and value."""


class Columns:
    """Rows and their cells as parallel lists. A row may have no cells (deletes of rows)."""

    __slots__ = (
        "counts",
        "families",
        "partial",
        "qualifiers",
        "rows",
        "timestamps",
        "types",
        "values",
    )

    def __init__(
        self,
        rows: Sequence[bytes],
        counts: Sequence[int],
        families: Sequence[bytes],
        qualifiers: Sequence[bytes],
        timestamps: Sequence[int],
        types: Sequence[int],
        values: Sequence[bytes],
        *,
        partial: bool = False,
    ) -> None:
        self.rows = rows
        self.counts = counts
        self.families = families
        self.qualifiers = qualifiers
        self.timestamps = timestamps
        self.types = types
        self.values = values
        self.partial = partial

    def row_of_each_cell(self) -> list[bytes]:
        if self.counts.count(1) == len(self.rows):
            return list(self.rows)
        return list(chain.from_iterable(map(repeat, self.rows, self.counts)))


def encode_columns(columns: Columns) -> bytes:
    """The block of these columns; they must agree in length."""
    rows = len(columns.rows)
    cells = len(columns.values)
    parts = [_HEADER.pack(VERSION, PARTIAL if columns.partial else 0, rows, cells)]
    if rows:
        _put_distinct(parts, columns.rows)
        _put_numbers(parts, columns.counts, _FORM_U32, "I")
    if cells:
        _put_repeating(parts, columns.families)
        _put_repeating(parts, columns.qualifiers)
        _put_numbers(parts, columns.timestamps, _FORM_U64, "Q")
        parts.append(bytes(columns.types))
        _put_distinct(parts, columns.values)
    return b"".join(parts)


def _put_numbers(
    parts: list[bytes], numbers: Sequence[int], constant: struct.Struct, code: str
) -> None:
    count = len(numbers)
    if numbers.count(numbers[0]) == count:
        parts.append(constant.pack(CONSTANT, numbers[0]))
    else:
        parts.append(struct.pack(f"<B{count}{code}", PLAIN, *numbers))


def _put_repeating(parts: list[bytes], texts: Sequence[bytes]) -> None:
    count = len(texts)
    first = texts[0]
    if texts.count(first) == count:
        parts.append(_FORM_U32.pack(CONSTANT, len(first)))
        parts.append(first)
        return
    index = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    size = len(index)
    if size > _DICTIONARY_SIZE_MAX or size * _DICTIONARY_USES_MIN > count:
        _put_distinct(parts, texts)
        return
    parts.append(struct.pack(f"<BH{size}I", DICTIONARY, size, *map(len, index)))
    parts.extend(index)
    parts.append(bytes(map(index.__getitem__, texts)))


def _put_distinct(parts: list[bytes], texts: Sequence[bytes]) -> None:
    lengths = list(map(len, texts))
    count = len(lengths)
    if lengths.count(lengths[0]) == count:
        parts.append(_FORM_U32.pack(EQUAL, lengths[0]))
    else:
        parts.append(struct.pack(f"<B{count}I", PLAIN, *lengths))
    parts.extend(texts)


def decode_columns(data: bytes, bytes_max: int) -> Columns:
    """The columns of a block.

    Raises BadFrameError if it is cut, has bytes left over or contradicts itself, and if its
    cells would need more than ``bytes_max``.
    """
    reader = _BlockReader(data)
    version, flags, rows, cells = reader.header()
    if version != VERSION or flags & ~PARTIAL:
        raise BadFrameError(f"a columnar block of version {version}, flags {flags}")
    unfolded = (rows + cells) * _CELL_OVERHEAD_BYTES
    _limit(unfolded, bytes_max)
    row_keys, size = reader.strings(rows)
    _limit(size, bytes_max)
    counts = reader.numbers(rows, "<u4", 4)
    if sum(counts) != cells:
        raise BadFrameError(f"a block of {cells} cells whose rows have {sum(counts)}")
    unfolded += sum(map(mul, map(len, row_keys), counts))
    families, size = reader.strings(cells)
    unfolded += size
    qualifiers, size = reader.strings(cells)
    unfolded += size
    _limit(unfolded, bytes_max)
    timestamps = reader.numbers(cells, "<u8", 8)
    types = list(reader.take(cells))
    values, size = reader.strings(cells, folded=False)
    _limit(unfolded + size, bytes_max)
    reader.end()
    return Columns(
        row_keys,
        counts,
        families,
        qualifiers,
        timestamps,
        types,
        values,
        partial=bool(flags & PARTIAL),
    )


def _limit(unfolded_bytes: int, bytes_max: int) -> None:
    if unfolded_bytes > bytes_max:
        raise BadFrameError(f"a columnar block unfolds to more than {bytes_max} bytes")


class _BlockReader:
    """A place in a block; every method goes forward, or raises BadFrameError."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, length: int) -> bytes:
        at = self._at
        end = at + length
        if end > len(self._data):
            raise BadFrameError(f"a columnar block ends within {length} bytes at offset {at}")
        self._at = end
        return self._data[at:end]

    def end(self) -> None:
        if self._at != len(self._data):
            raise BadFrameError(f"{len(self._data) - self._at} bytes after a columnar block")

    def header(self) -> tuple[int, int, int, int]:
        version, flags, rows, cells = _HEADER.unpack(self.take(_HEADER.size))
        return version, flags, rows, cells

    def _u32(self) -> int:
        return int(_U32.unpack(self.take(4))[0])

    def _lengths(self, count: int) -> list[int]:
        return list(struct.unpack(f"<{count}I", self.take(4 * count)))

    def numbers(self, count: int, dtype: str, width: int) -> list[int]:
        if not count:
            return []
        form = self.take(1)[0]
        if form == CONSTANT:
            return [int.from_bytes(self.take(width), "little")] * count
        if form == PLAIN:
            numbers: list[int] = numpy.frombuffer(self.take(width * count), dtype).tolist()
            return numbers
        raise BadFrameError(f"numbers of unknown form {form}")

    def strings(self, count: int, *, folded: bool = True) -> tuple[list[bytes], int]:
        """``count`` byte strings, and how many bytes they are, one by one."""
        if not count:
            return [], 0
        form = self.take(1)[0]
        if form == EQUAL:
            return self._equal(count)
        if form == PLAIN:
            return self._plain(self._lengths(count))
        if form == CONSTANT and folded:
            text = self.take(self._u32())
            return [text] * count, len(text) * count
        if form == DICTIONARY and folded:
            return self._dictionary(count)
        raise BadFrameError(f"strings of unknown form {form}")

    def _equal(self, count: int) -> tuple[list[bytes], int]:
        length = self._u32()
        data = self.take(length * count)
        if not length:
            return [b""] * count, 0
        if count == 1:
            return [data], length
        texts: list[bytes] = numpy.frombuffer(data, f"V{length}").tolist()
        return texts, len(data)

    def _plain(self, lengths: list[int]) -> tuple[list[bytes], int]:
        data = self.take(sum(lengths))
        # A Struct of its own: struct.unpack would keep a hundred such formats in its cache.
        layout = struct.Struct("%ds" * len(lengths) % tuple(lengths))
        return list(layout.unpack(data)), len(data)

    def _dictionary(self, count: int) -> tuple[list[bytes], int]:
        size = int(_U16.unpack(self.take(2))[0])
        entries, _ = self._plain(self._lengths(size))
        index = self.take(count)
        uses = numpy.bincount(numpy.frombuffer(index, numpy.uint8), minlength=size).tolist()
        if len(uses) > size:
            raise BadFrameError(f"index {len(uses) - 1} into a dictionary of {size}")
        unfolded = sum(map(mul, map(len, entries), uses))
        return [entries[at] for at in index], unfolded
