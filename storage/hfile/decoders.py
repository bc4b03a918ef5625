"""HBase's data block encodings besides NONE, which are read and never written.

::

    payload := i16 number of the encoding, u32 bytes of the cells as KeyValues, cells
    PREFIX    := cint key bytes not shared, cint value bytes, cint key bytes shared with the
                 key before, rest of the key, value
    DIFF      := [u8 family bytes, family: in the block's first cell]
                 u8 flags, [cint key bytes], [cint value bytes], cint bytes shared, rest of row,
                 rest of qualifier, time in 1 to 8 bytes little-endian, [u8 type], value
    FAST_DIFF := u8 flags, [cint key bytes], [cint value bytes], cint bytes shared, rest of row,
                 [family: in the first cell], rest of qualifier, rest of time, [u8 type], [value]

What flags call the same as in the cell before is left out. Each cell is followed by its tags and
its sequence id, as the file's cells have them: cint bytes of the tags, tags; vlong.
ROW_INDEX_V1 is cells as KeyValues, followed by where rows begin::

    payload := i16 number, cells, u32 rows, rows x u32 start, u32 bytes of cells

A cint is 7 bits a byte, the lowest first. Source: PrefixKeyDeltaEncoder.java,
DiffKeyDeltaEncoder.java, FastDiffDeltaEncoder.java, RowIndexEncoderV1.java.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections import OrderedDict
from operator import ge
from typing import Final

from ..key import PLAIN_ROWS, RowEncoder
from ..tags import tagged
from .block import CELLS_MAX, Block
from .blocks import ENCODED_DATA, PAYLOAD_BYTES_MAX
from .flat_key import TIME_AND_TYPE, FlatKeys, split_flat
from .keyvalue import LENGTHS, CellForm, KeyValues
from .primitives import decode_varint, decode_vlong

_NUMBER: Final = struct.Struct(">h")
_U32: Final = struct.Struct(">I")
_TIME: Final = struct.Struct(">Q")
_U64_MASK: Final = 2**64 - 1
_TAG_DICTIONARY_ENTRIES: Final = 127


class _Cursor:
    """A place in a block's bytes that moves on as they are taken."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def byte(self) -> int:
        byte = self.data[self.at]
        self.at += 1
        return byte

    def take(self, count: int) -> bytes:
        start = self.at
        end = start + count
        if count < 0 or end > len(self.data):
            raise ValueError(f"{count} bytes at {start} of {len(self.data)}")
        self.at = end
        return self.data[start:end]

    def cint(self) -> int:
        """Source: ByteBufferUtils.readCompressedInt."""
        value, shift = 0, 0
        while (byte := self.byte()) > 127:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 28:
                raise ValueError("a number has more than five bytes")
        return value | byte << shift

    def vlong(self) -> int:
        value, self.at = decode_vlong(self.data, self.at)
        return value

    def varint(self) -> int:
        value, self.at = decode_varint(self.data, self.at)
        return value


class _TagDictionary:
    """Tags of a block by number; the one not used for longest gives way.

    Source: LRUDictionary.java, TagCompressionContext.java.
    """

    def __init__(self) -> None:
        self._tags: OrderedDict[int, bytes] = OrderedDict()

    def read(self, cursor: _Cursor, tags_bytes: int) -> bytes:
        """All tags of a cell, as they are without a dictionary."""
        tags = b""
        while len(tags) < tags_bytes:
            first = cursor.byte()
            if first == 0xFF:
                tag = cursor.take(cursor.varint())
                number = len(self._tags)
                if number >= _TAG_DICTIONARY_ENTRIES:
                    number, _ = self._tags.popitem(last=False)
                self._tags[number] = tag
            else:
                number = first << 8 | cursor.byte()
                tag = self._tags[number]
                self._tags.move_to_end(number)
            tags += len(tag).to_bytes(2, "big") + tag
        if len(tags) != tags_bytes:
            raise ValueError(f"tags of {len(tags)} bytes and not {tags_bytes}")
        return tags


class _ShrunkCells(FlatKeys, ABC):
    """An encoding that says of a cell how it differs from the one before."""

    name: str
    number: int
    magic = ENCODED_DATA

    def __init__(
        self, family: bytes = b"", rows: RowEncoder = PLAIN_ROWS, form: CellForm | None = None
    ) -> None:
        super().__init__(family, rows)
        self.form = form or CellForm()

    def decode(self, payload: bytes) -> Block:
        _check_number(payload, self)
        (claimed_bytes,) = _U32.unpack_from(payload, _NUMBER.size)
        if claimed_bytes > PAYLOAD_BYTES_MAX:
            raise ValueError(f"a block claims to hold {claimed_bytes} bytes")
        form = self.form
        dictionary = _TagDictionary() if form.tags_are_compressed else None
        cursor = _Cursor(payload, _NUMBER.size + _U32.size)
        cells = self._cells(cursor)
        keys: list[bytes] = []
        values: list[bytes] = []
        plain_bytes = 0
        while cursor.at < len(payload):
            flat, value = cells.next()
            plain_bytes += LENGTHS.size + len(flat) + len(value)
            if form.has_tags:
                tags_bytes = cursor.cint()
                tags = (
                    dictionary.read(cursor, tags_bytes) if dictionary else cursor.take(tags_bytes)
                )
                value = tagged(value, tags)
                plain_bytes += 2 + tags_bytes
            sequence_id = 0
            if form.has_sequence_ids:
                before = cursor.at
                sequence_id = cursor.vlong()
                plain_bytes += cursor.at - before
            if plain_bytes > claimed_bytes or len(keys) >= CELLS_MAX:
                raise ValueError(f"a block that claims {claimed_bytes} bytes holds more")
            keys.append(self.cell_key(flat, sequence_id))
            values.append(value)
        if plain_bytes != claimed_bytes:
            raise ValueError(f"a block of {plain_bytes} bytes claims {claimed_bytes}")
        return Block(keys, values, plain_bytes)

    @abstractmethod
    def _cells(self, cursor: _Cursor) -> _Cells: ...


class _Cells(ABC):
    """The cells of one block, each made from the one before it."""

    def __init__(self, cursor: _Cursor) -> None:
        self.cursor = cursor
        self.flat = b""
        self.value_bytes = 0

    @abstractmethod
    def next(self) -> tuple[bytes, bytes]:
        """(flat key, value) of the next cell, the cursor behind them."""

    def shared(self) -> bytes:
        """The first bytes of the key before, as many as the cursor says."""
        count = self.cursor.cint()
        if count > len(self.flat):
            raise ValueError(f"{count} bytes shared with a key of {len(self.flat)}")
        return self.flat[:count]

    def name(self, start: bytes, family: bytes, key_bytes: int) -> bytes:
        """The next key up to its qualifier; ``start`` of it is shared.

        The family (with its length) is only in the block once, so it is put in if the row
        is not shared as a whole.
        """
        cursor = self.cursor
        if len(start) >= 2 and len(start) >= 2 + int.from_bytes(start[:2], "big"):
            return start + cursor.take(key_bytes - TIME_AND_TYPE.size - len(start))
        if len(start) < 2:
            start += cursor.take(2 - len(start))
        row = start + cursor.take(2 + int.from_bytes(start[:2], "big") - len(start))
        rest = key_bytes - TIME_AND_TYPE.size - len(row) - len(family)
        return row + family + cursor.take(rest)


class _PrefixCells(_Cells):
    def next(self) -> tuple[bytes, bytes]:
        cursor = self.cursor
        rest_bytes = cursor.cint()
        value_bytes = cursor.cint()
        self.flat = self.shared() + cursor.take(rest_bytes)
        return self.flat, cursor.take(value_bytes)


class _DiffCells(_Cells):
    SAME_KEY_LENGTH: Final = 1
    SAME_VALUE_LENGTH: Final = 2
    SAME_TYPE: Final = 4
    TIME_IS_DIFFERENCE: Final = 8
    TIME_LENGTH_SHIFT: Final = 4
    TIME_IS_NEGATIVE: Final = 128

    def __init__(self, cursor: _Cursor) -> None:
        super().__init__(cursor)
        self.family = b""
        self.time = 0

    def next(self) -> tuple[bytes, bytes]:
        cursor = self.cursor
        is_first = not self.flat
        if is_first:
            length = cursor.byte()
            self.family = bytes([length]) + cursor.take(length)
        flags = cursor.byte()
        key_bytes = len(self.flat) if flags & self.SAME_KEY_LENGTH else cursor.cint()
        if not flags & self.SAME_VALUE_LENGTH:
            self.value_bytes = cursor.cint()
        name = self.name(self.shared(), self.family, key_bytes)
        time = int.from_bytes(cursor.take((flags >> self.TIME_LENGTH_SHIFT & 7) + 1), "little")
        if flags & self.TIME_IS_NEGATIVE:
            time = -time
        if flags & self.TIME_IS_DIFFERENCE:
            time = self.time - time
        self.time = time
        kind = self.flat[-1:] if flags & self.SAME_TYPE else cursor.take(1)
        self.flat = name + _TIME.pack(time & _U64_MASK) + kind
        return self.flat, cursor.take(self.value_bytes)


class _FastDiffCells(_Cells):
    TIME_SHARED_MASK: Final = 7
    SAME_KEY_LENGTH: Final = 8
    SAME_VALUE_LENGTH: Final = 16
    SAME_TYPE: Final = 32
    SAME_VALUE: Final = 64

    def __init__(self, cursor: _Cursor) -> None:
        super().__init__(cursor)
        self.family = b""
        self.value = b""

    def next(self) -> tuple[bytes, bytes]:
        cursor = self.cursor
        flags = cursor.byte()
        key_bytes = len(self.flat) if flags & self.SAME_KEY_LENGTH else cursor.cint()
        if not flags & self.SAME_VALUE_LENGTH:
            self.value_bytes = cursor.cint()
        start = self.shared()
        if not self.flat:
            self.flat = cursor.take(key_bytes)
            _, family, _ = split_flat(self.flat)
            self.family = bytes([len(family)]) + family
            self.value = cursor.take(self.value_bytes)
            return self.flat, self.value
        name = self.name(start, self.family, key_bytes)
        shared = flags & self.TIME_SHARED_MASK
        before = self.flat[-TIME_AND_TYPE.size :]
        time = before[:shared] + cursor.take(_TIME.size - shared)
        kind = before[-1:] if flags & self.SAME_TYPE else cursor.take(1)
        self.flat = name + time + kind
        if not flags & self.SAME_VALUE:
            self.value = cursor.take(self.value_bytes)
        return self.flat, self.value


class Prefix(_ShrunkCells):
    """The encoding named PREFIX."""

    name = "PREFIX"
    number = 2

    def _cells(self, cursor: _Cursor) -> _Cells:
        return _PrefixCells(cursor)


class Diff(_ShrunkCells):
    """The encoding named DIFF."""

    name = "DIFF"
    number = 3

    def _cells(self, cursor: _Cursor) -> _Cells:
        return _DiffCells(cursor)


class FastDiff(_ShrunkCells):
    """The encoding named FAST_DIFF."""

    name = "FAST_DIFF"
    number = 4

    def _cells(self, cursor: _Cursor) -> _Cells:
        return _FastDiffCells(cursor)


class RowIndex(KeyValues):
    """The encoding named ROW_INDEX_V1. Its tags are never compressed."""

    name = "ROW_INDEX_V1"
    number = 7
    magic = ENCODED_DATA

    def decode(self, payload: bytes) -> Block:
        _check_number(payload, self)
        (cells_bytes,) = _U32.unpack_from(payload, len(payload) - _U32.size)
        rows_at = _NUMBER.size + cells_bytes
        (rows,) = _U32.unpack_from(payload, rows_at)
        if rows_at + _U32.size * (rows + 2) != len(payload):
            raise ValueError(f"{rows} rows and {cells_bytes} bytes of cells do not fill the block")
        starts = struct.unpack_from(f">{rows}I", payload, rows_at + _U32.size)
        if any(map(ge, starts, starts[1:])) or (rows and starts[-1] >= cells_bytes):
            raise ValueError("the rows of a block are not in order")
        return super().decode(payload[_NUMBER.size : rows_at])


def _check_number(payload: bytes, encoding: _ShrunkCells | RowIndex) -> None:
    (number,) = _NUMBER.unpack_from(payload)
    if number != encoding.number:
        raise ValueError(f"encoding {number} in a file of encoding {encoding.name}")


DECODERS: Final[dict[str, type[KeyValues | _ShrunkCells]]] = {
    one.name: one for one in (KeyValues, Prefix, Diff, FastDiff, RowIndex)
}
"""By the name in the file info."""
