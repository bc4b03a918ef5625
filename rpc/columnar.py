"""The columnar cell block: columns of cells with no Python loop per cell.

Little-endian throughout::

    block   := version:u8 flags:u8 rows:u32 cells:u32
               shape(row) shape(count) shape(family) shape(qualifier) shape(value)
               form:u8 parameter:u64                       the timestamps' shape
               data(row) * rows  data(count) * rows
               data(family) data(qualifier) data(timestamp) type:u8 data(value)   all * cells
    shape   := form:u8 parameter:u32
    data    := of byte strings
                 CONSTANT    bytes                         parameter: their length
                 DICTIONARY  length:u32 * size  bytes  index:u8 * n    parameter: size
                 EQUAL       bytes                         parameter: the length of each
                 PLAIN       length:u32 * n  bytes
               of numbers
                 CONSTANT    nothing                       parameter: the number
                 PLAIN       number * n                    counts u32, timestamps u64

``count`` is how many cells a row has. Values are EQUAL or PLAIN. What has no elements is
CONSTANT with no data. Bit 0 of ``flags``: the last row goes on in the next block. A small
block can stand for many cells, so what it may unfold to is limited: to the bytes that
KeyValueCodec would need for it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, repeat
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

_HEADER: Final = struct.Struct("<BBII" + 5 * "BI" + "BQ")
_ONE_CELL: Final = (EQUAL, CONSTANT, CONSTANT, CONSTANT, EQUAL, CONSTANT)
"""The forms in the header of a block of one cell: what ``_encode_one`` writes."""
_TYPES: Final = tuple(bytes((code,)) for code in range(256))
_DICTIONARY_SIZE_MAX: Final = 256
_DICTIONARY_USES_MIN: Final = 4
"""A dictionary must save at least this many repetitions of each entry."""
_CELL_OVERHEAD_BYTES: Final = 24
"""What KeyValueCodec needs for a cell beside row, family, qualifier and value."""


class _Formats(dict[int, str]):
    """Struct's format of a byte string by its length; ready for the usual ones."""

    def __missing__(self, length: int) -> str:
        return f"{length}s"


_FORMATS: Final = _Formats({length: f"{length}s" for length in range(4096)})


@dataclass(slots=True)
class Columns:
    """Rows and their cells as parallel lists. A row may have no cells (deletes of rows)."""

    rows: list[bytes]
    counts: list[int]
    """How many cells each row has."""
    families: list[bytes]
    qualifiers: list[bytes]
    timestamps: list[int]
    types: list[int]
    values: list[bytes]
    partial: bool

    def row_ends(self) -> list[int]:
        """The index after the last cell of each row."""
        return list(accumulate(self.counts))

    def row_of_each_cell(self) -> list[bytes]:
        if self.counts.count(1) == len(self.rows):
            return self.rows
        return list(chain.from_iterable(map(repeat, self.rows, self.counts)))


def encode_columns(
    rows: Sequence[bytes],
    counts: Sequence[int],
    families: Sequence[bytes],
    qualifiers: Sequence[bytes],
    timestamps: Sequence[int],
    types: Sequence[int],
    values: Sequence[bytes],
    *,
    partial: bool = False,
) -> bytes:
    """The block of these columns: two as long as there are rows, five as there are cells."""
    if len(values) == len(rows) == 1:
        return _encode_one(
            rows[0], families[0], qualifiers[0], timestamps[0], types[0], values[0], partial
        )
    parts = [b""]
    row_form, row_parameter = _put_distinct(parts, rows)
    count_form, count_parameter = _put_numbers(parts, counts, "I")
    family_form, family_parameter = _put_repeating(parts, families)
    qualifier_form, qualifier_parameter = _put_repeating(parts, qualifiers)
    timestamp_form, timestamp_parameter = _put_numbers(parts, timestamps, "Q")
    parts.append(bytes(types))
    value_form, value_parameter = _put_distinct(parts, values)
    parts[0] = _HEADER.pack(
        VERSION,
        PARTIAL if partial else 0,
        len(rows),
        len(values),
        row_form,
        row_parameter,
        count_form,
        count_parameter,
        family_form,
        family_parameter,
        qualifier_form,
        qualifier_parameter,
        value_form,
        value_parameter,
        timestamp_form,
        timestamp_parameter,
    )
    return b"".join(parts)


def _encode_one(
    row: bytes,
    family: bytes,
    qualifier: bytes,
    timestamp: int,
    type_code: int,
    value: bytes,
    partial: bool,
) -> bytes:
    """The block of a single cell, which is what most gets find, at a third of the cost."""
    header = _HEADER.pack(
        VERSION,
        PARTIAL if partial else 0,
        1,
        1,
        EQUAL,
        len(row),
        CONSTANT,
        1,
        CONSTANT,
        len(family),
        CONSTANT,
        len(qualifier),
        EQUAL,
        len(value),
        CONSTANT,
        timestamp,
    )
    return b"".join((header, row, family, qualifier, _TYPES[type_code], value))


# Each of these adds a column's data to ``parts`` and returns its shape.


def _put_numbers(parts: list[bytes], numbers: Sequence[int], code: str) -> tuple[int, int]:
    count = len(numbers)
    if not count:
        return CONSTANT, 0
    if numbers.count(numbers[0]) == count:
        return CONSTANT, numbers[0]
    parts.append(struct.pack(f"<{count}{code}", *numbers))
    return PLAIN, 0


def _put_repeating(parts: list[bytes], texts: Sequence[bytes]) -> tuple[int, int]:
    count = len(texts)
    if not count:
        return CONSTANT, 0
    first = texts[0]
    if texts.count(first) == count:
        parts.append(first)
        return CONSTANT, len(first)
    index = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    size = len(index)
    if size > _DICTIONARY_SIZE_MAX or size * _DICTIONARY_USES_MIN > count:
        return _put_distinct(parts, texts)
    parts.append(struct.pack(f"<{size}I", *map(len, index)))
    parts.extend(index)
    parts.append(bytes(map(index.__getitem__, texts)))
    return DICTIONARY, size


def _put_distinct(parts: list[bytes], texts: Sequence[bytes]) -> tuple[int, int]:
    count = len(texts)
    if count == 1:
        parts.append(texts[0])
        return EQUAL, len(texts[0])
    if not count:
        return CONSTANT, 0
    lengths = list(map(len, texts))
    if lengths.count(lengths[0]) == count:
        parts.extend(texts)
        return EQUAL, lengths[0]
    parts.append(struct.pack(f"<{count}I", *lengths))
    parts.extend(texts)
    return PLAIN, 0


def decode_columns(data: bytes, bytes_max: int) -> Columns:
    """The columns of a block.

    Raises BadFrameError if it is cut, has bytes left over or contradicts itself, and if its
    cells would need more than ``bytes_max``.
    """
    if len(data) < _HEADER.size:
        raise BadFrameError(f"a columnar block of {len(data)} bytes")
    version, flags, rows, cells, *shapes = _HEADER.unpack_from(data)
    if version != VERSION or flags & ~PARTIAL:
        raise BadFrameError(f"a columnar block of version {version}, flags {flags}")
    if rows == cells == 1 and tuple(shapes[::2]) == _ONE_CELL and shapes[3] == 1:
        return _decode_one(data, shapes, partial=bool(flags & PARTIAL))
    unfolded = (rows + cells) * _CELL_OVERHEAD_BYTES
    _limit(unfolded, bytes_max)
    reader = _BlockReader(data, _HEADER.size)
    row_keys, size = reader.strings(rows, shapes[0], shapes[1])
    counts = reader.numbers(rows, shapes[2], shapes[3], "<u4")
    if sum(counts) != cells:
        raise BadFrameError(f"a block of {cells} cells whose rows have {sum(counts)}")
    if shapes[2] == CONSTANT:
        unfolded += size * shapes[3]
    else:
        unfolded += sum(map(mul, map(len, row_keys), counts))
    families, size = reader.strings(cells, shapes[4], shapes[5])
    unfolded += size
    qualifiers, size = reader.strings(cells, shapes[6], shapes[7])
    unfolded += size
    timestamps = reader.numbers(cells, shapes[10], shapes[11], "<u8")
    types = list(reader.take(cells))
    if shapes[8] in (CONSTANT, DICTIONARY) and cells:
        raise BadFrameError(f"values of form {shapes[8]}")
    values, size = reader.strings(cells, shapes[8], shapes[9])
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
        bool(flags & PARTIAL),
    )


def _decode_one(data: bytes, shapes: Sequence[int], *, partial: bool) -> Columns:
    """The counterpart of ``_encode_one``; what it unfolds to is what it is."""
    family_at = _HEADER.size + shapes[1]
    qualifier_at = family_at + shapes[5]
    type_at = qualifier_at + shapes[7]
    value_at = type_at + 1
    if value_at + shapes[9] != len(data):
        raise BadFrameError(f"a columnar block of one cell that is not {len(data)} bytes")
    return Columns(
        [data[_HEADER.size : family_at]],
        [1],
        [data[family_at:qualifier_at]],
        [data[qualifier_at:type_at]],
        [shapes[11]],
        [data[type_at]],
        [data[value_at:]],
        partial,
    )


def _limit(unfolded_bytes: int, bytes_max: int) -> None:
    if unfolded_bytes > bytes_max:
        raise BadFrameError(f"a columnar block unfolds to more than {bytes_max} bytes")


class _BlockReader:
    """A place in a block; every method goes forward, or raises BadFrameError."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

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

    def numbers(self, count: int, form: int, parameter: int, dtype: str) -> list[int]:
        if form == CONSTANT:
            return [parameter] * count
        if form == PLAIN:
            width = numpy.dtype(dtype).itemsize
            numbers: list[int] = numpy.frombuffer(self.take(width * count), dtype).tolist()
            return numbers
        raise BadFrameError(f"numbers of unknown form {form}")

    def strings(self, count: int, form: int, parameter: int) -> tuple[list[bytes], int]:
        """``count`` byte strings, and how many bytes they are, one by one."""
        if form == CONSTANT or not count:
            return [self.take(parameter)] * count, parameter * count
        if form == EQUAL:
            return self._equal(count, parameter)
        if form == PLAIN:
            return self._plain(count)
        if form == DICTIONARY:
            return self._dictionary(count, parameter)
        raise BadFrameError(f"strings of unknown form {form}")

    def _equal(self, count: int, length: int) -> tuple[list[bytes], int]:
        data = self.take(length * count)
        if count == 1:
            return [data], length
        if not length:
            return [b""] * count, 0
        texts: list[bytes] = numpy.frombuffer(data, f"V{length}").tolist()
        return texts, len(data)

    def _plain(self, count: int) -> tuple[list[bytes], int]:
        lengths = struct.unpack(f"<{count}I", self.take(4 * count))
        data = self.take(sum(lengths))
        # A Struct of its own: struct.unpack would keep a hundred such formats in its cache.
        layout = struct.Struct("".join(map(_FORMATS.__getitem__, lengths)))
        return list(layout.unpack(data)), len(data)

    def _dictionary(self, count: int, size: int) -> tuple[list[bytes], int]:
        if size > _DICTIONARY_SIZE_MAX:
            raise BadFrameError(f"a dictionary of {size} entries")
        entries, _ = self._plain(size)
        index = self.take(count)
        uses = numpy.bincount(numpy.frombuffer(index, numpy.uint8), minlength=size).tolist()
        if len(uses) > size:
            raise BadFrameError(f"index {len(uses) - 1} into a dictionary of {size}")
        return [entries[at] for at in index], sum(map(mul, map(len, entries), uses))
