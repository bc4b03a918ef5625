"""Codecs of cell blocks: cells beside a message instead of in it.

A connection's header names the codec by a Java class, or none: then all cells travel in the
messages. Foreign clients ask for KeyValueCodec, our own for ColumnarCodec.
"""

from __future__ import annotations

import struct
from typing import Final, Protocol

from ..errors import BadFrameError
from ..storage.cells import CellBatch
from ..storage.tags import tagged, tags_of
from .columnar import decode_columns, encode_columns

DECODED_BYTES_MAX: Final = 256 * 1024 * 1024
"""What a block may unfold to: as much as the largest frame of the default settings."""


class CellCodec(Protocol):
    """Cells to bytes and back. Codecs hold no state."""

    @property
    def name(self) -> str:
        """The class by which a connection's header names it."""
        ...

    @property
    def keeps_rows(self) -> bool:
        """Whether a decoded block knows its rows' ends and its ``partial`` by itself."""
        ...

    def encode(self, batch: CellBatch) -> bytes: ...

    def decode(self, data: bytes) -> CellBatch:
        """Raises BadFrameError for bytes that are no block."""
        ...


class KeyValueCodec:
    """HBase's: one KeyValue after another. Source: KeyValueCodec.java, KeyValueCodecWithTags.java.

    ::

        cell := length:i32 keylength:i32 valuelength:i32
                rowlength:i16 row familylength:i8 family qualifier timestamp:i64 type:i8 value
                [tagslength:i16 tags]

    Integers are big-endian; tags are only there ``with_tags``, and only of cells that have
    some. A decoded block takes cells with equal rows for one row; where rows really end, the
    message beside the block knows.
    """

    keeps_rows = False

    def __init__(self, *, with_tags: bool = False) -> None:
        suffix = "WithTags" if with_tags else ""
        self.name = f"org.apache.hadoop.hbase.codec.KeyValueCodec{suffix}"
        self._with_tags = with_tags

    _HEAD: Final = struct.Struct(">IIIH")
    _TAIL: Final = struct.Struct(">QB")
    _KEY_OVERHEAD: Final = 12
    _CELL_BYTES_MIN: Final = 24

    def encode(self, batch: CellBatch) -> bytes:
        head = self._HEAD.pack
        tail = self._TAIL.pack
        overhead = self._KEY_OVERHEAD
        families = {family: bytes((len(family),)) + family for family in batch.families}
        parts: list[bytes] = []
        for row, family, qualifier, timestamp, type_code, value in batch.cells():
            key_length = len(row) + len(family) + len(qualifier) + overhead
            tags = self._tags_part(value)
            parts += (
                head(8 + key_length + len(value) + len(tags), key_length, len(value), len(row)),
                row,
                families[family],
                qualifier,
                tail(timestamp, type_code),
                value,
                tags,
            )
        return b"".join(parts)

    def decode(self, data: bytes) -> CellBatch:
        batch = CellBatch()
        append = batch.append
        head = self._HEAD.unpack_from
        tail = self._TAIL.unpack_from
        end = len(data)
        at = 0
        previous: bytes | None = None
        while at < end:
            if end - at < self._CELL_BYTES_MIN:
                raise BadFrameError(f"a cell block ends within a cell at offset {at}")
            length, key_length, value_length, row_length = head(data, at)
            cell_end = at + 4 + length
            value_at = at + 12 + key_length
            qualifier_at = at + 15 + row_length
            value_end = value_at + value_length
            if cell_end > end or value_end > cell_end or qualifier_at > value_at - 9:
                raise BadFrameError(f"a malformed cell at offset {at} of a cell block")
            value = data[value_at:value_end]
            if value_end < cell_end:
                value = tagged(value, self._tags_of_part(data[value_end:cell_end], at))
            row = data[at + 14 : qualifier_at - 1]
            family_at = qualifier_at
            qualifier_at += data[family_at - 1]
            if qualifier_at > value_at - 9:
                raise BadFrameError(f"a malformed cell at offset {at} of a cell block")
            timestamp, type_code = tail(data, value_at - 9)
            if row != previous and previous is not None:
                batch.end_row()
            previous = row
            append(
                row,
                data[family_at:qualifier_at],
                data[qualifier_at : value_at - 9],
                timestamp,
                type_code,
                value,
            )
            at = cell_end
        if previous is not None:
            batch.end_row()
        return batch

    def _tags_part(self, value: bytes) -> bytes:
        tags = tags_of(value) if self._with_tags else b""
        return len(tags).to_bytes(2, "big") + tags if tags else b""

    def _tags_of_part(self, part: bytes, at: int) -> bytes:
        if not self._with_tags or int.from_bytes(part[:2], "big") != len(part) - 2:
            raise BadFrameError(f"a malformed cell at offset {at} of a cell block")
        return part[2:]


class ColumnarCodec:
    """raybase's own; see columnar.py for its grammar."""

    name = "raybase.ColumnarCodec"
    keeps_rows = True

    def encode(self, batch: CellBatch) -> bytes:
        ends = batch.row_ends
        if len(ends) == len(batch.rows):
            rows, counts = batch.rows, [1] * len(ends)
        else:
            starts = [0, *ends[:-1]]
            rows = [batch.rows[start] for start in starts]
            counts = [end - start for start, end in zip(starts, ends, strict=True)]
        return encode_columns(
            rows,
            counts,
            batch.families,
            batch.qualifiers,
            batch.timestamps,
            batch.types,
            batch.values,
            partial=batch.partial,
        )

    def decode(self, data: bytes) -> CellBatch:
        columns = decode_columns(data, DECODED_BYTES_MAX)
        batch = CellBatch()
        batch.rows = columns.row_of_each_cell()
        batch.families = columns.families
        batch.qualifiers = columns.qualifiers
        batch.timestamps = columns.timestamps
        batch.types = columns.types
        batch.values = columns.values
        batch.row_ends = columns.row_ends()
        batch.partial = columns.partial
        return batch


KEY_VALUE: Final = KeyValueCodec()
KEY_VALUE_WITH_TAGS: Final = KeyValueCodec(with_tags=True)
COLUMNAR: Final = ColumnarCodec()

CODECS: Final[dict[str, CellCodec]] = {
    one.name: one for one in (KEY_VALUE, KEY_VALUE_WITH_TAGS, COLUMNAR)
}
"""Every codec a connection's header may ask for."""
