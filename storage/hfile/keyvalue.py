"""HBase's plain data blocks (encoding NONE): every cell as a KeyValue.

::

    cell := i32 key bytes, i32 value bytes, key, value, [u16 tag bytes, tags], [vlong sequence id]
    key  := u16 row bytes, row, u8 family bytes, family, qualifier, i64 timestamp, u8 type

Source: KeyValue.java, NoOpDataBlockEncoder.java.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from ..key import (
    END,
    META_ROWS,
    PLAIN_ROWS,
    SEQUENCE_MAX,
    TIMESTAMP_MAX,
    RowEncoder,
    cell_key,
    split_key,
    unescape,
    unpack_tail,
)
from ..tags import tagged, tags_of
from .block import Block
from .blocks import DATA
from .primitives import decode_vlong, encode_vlong, take

NAME: Final = "NONE"
PLAIN_COMPARATORS: Final = (
    "org.apache.hadoop.hbase.KeyValue$KVComparator",
    "org.apache.hadoop.hbase.KeyValue$KeyComparator",
    "org.apache.hadoop.hbase.InnerStoreCellComparator",
    "org.apache.hadoop.hbase.CellComparatorImpl",
    "org.apache.hudi.io.storage.HoodieHBaseKVComparator",
)
META_COMPARATORS: Final = (
    "org.apache.hadoop.hbase.KeyValue$MetaComparator",
    "org.apache.hadoop.hbase.MetaCellComparator",
    "org.apache.hadoop.hbase.CellComparatorImpl$MetaCellComparator",
)
"""The first of each is what files are written with: every HBase of today reads it."""

_LENGTHS: Final = struct.Struct(">ii")
_TIME_AND_TYPE: Final = struct.Struct(">QB")
_FIRST: Final = _TIME_AND_TYPE.pack(TIMESTAMP_MAX, 255)
"""Sorts before every cell of the same column: the newest time, type Maximum."""
_LAST: Final = _TIME_AND_TYPE.pack(0, 0)
_SEQUENCE_BYTES: Final = 8


class KeyValues:
    """The encoding named NONE.

    Args:
        family: what cells are written with; it does not matter for reading.
        rows: the table's row encoder.
        has_sequence_ids: whether cells end with their sequence ids; without, they are 0.
        has_tags: whether cells have tags, or at least a length of none.

    """

    name = NAME
    magic = DATA

    def __init__(
        self,
        family: bytes = b"",
        rows: RowEncoder = PLAIN_ROWS,
        *,
        has_sequence_ids: bool = True,
        has_tags: bool = True,
    ) -> None:
        self._family = family
        self._rows = rows
        self._has_sequence_ids = has_sequence_ids
        self._has_tags = has_tags
        self.comparator = META_COMPARATORS[0] if rows is META_ROWS else PLAIN_COMPARATORS[0]

    def encode(
        self, keys: Sequence[bytes], values: Sequence[bytes], heads: Sequence[bytes], tails: bytes
    ) -> bytes:
        parts: list[bytes] = []
        for key, value in zip(keys, values, strict=True):
            row, qualifier, timestamp, type_code, sequence_id = split_key(key)
            time_and_type = _TIME_AND_TYPE.pack(timestamp, type_code)
            flat = _flat_key(self._rows.decode(row), self._family, qualifier, time_and_type)
            tags = tags_of(value)
            parts += (
                _LENGTHS.pack(len(flat), len(value)),
                flat,
                value,
                len(tags).to_bytes(2, "big"),
                tags,
                encode_vlong(sequence_id),
            )
        return b"".join(parts)

    def decode(self, payload: bytes) -> Block:
        keys: list[bytes] = []
        values: list[bytes] = []
        at = 0
        while at < len(payload):
            key_bytes, value_bytes = _LENGTHS.unpack_from(payload, at)
            value_at = at + 8 + key_bytes
            end = value_at + value_bytes
            if key_bytes < 0 or value_bytes < 0 or end > len(payload):
                raise ValueError(f"a cell at {at} runs past its block")
            flat = payload[at + 8 : value_at]
            value = payload[value_at:end]
            if self._has_tags:
                tags, end = take(payload, end + 2, int.from_bytes(payload[end : end + 2], "big"))
                value = tagged(value, tags)
            values.append(value)
            sequence_id = 0
            if self._has_sequence_ids:
                sequence_id, end = decode_vlong(payload, end)
            keys.append(self._cell_key(flat, sequence_id))
            at = end
        return Block(keys, values, len(payload))

    def same_cell(self, left: bytes, right: bytes) -> bool:
        return left[:-_SEQUENCE_BYTES] == right[:-_SEQUENCE_BYTES]

    def to_index_key(self, key: bytes) -> bytes:
        row_end = key.index(END)
        row, rest = self._rows.decode(key[:row_end]), key[row_end + len(END) :]
        if not rest:
            return _flat_key(row, b"", b"", _FIRST)
        qualifier_end = rest.index(END)
        qualifier, tail = unescape(rest[:qualifier_end]), rest[qualifier_end + len(END) :]
        if not tail:
            return _flat_key(row, self._family, qualifier, _FIRST)
        timestamp, type_code, _ = unpack_tail(tail)
        last = _TIME_AND_TYPE.pack(TIMESTAMP_MAX - timestamp, 255 - type_code)
        return _flat_key(row, self._family, qualifier, last)

    def from_index_key(self, index_key: bytes) -> bytes:
        return self._cell_key(_completed(index_key, _FIRST), SEQUENCE_MAX)

    def last_key(self, index_key: bytes) -> bytes:
        return self._cell_key(_completed(index_key, _LAST), 0)

    def _cell_key(self, flat: bytes, sequence_id: int) -> bytes:
        row_end = 2 + int.from_bytes(flat[:2], "big")
        family_end = row_end + 1 + flat[row_end]
        tail_at = len(flat) - _TIME_AND_TYPE.size
        if family_end > tail_at:
            raise ValueError("a key's row and family are longer than the key")
        timestamp, type_code = _TIME_AND_TYPE.unpack_from(flat, tail_at)
        return cell_key(
            self._rows.encode(flat[2:row_end]),
            flat[family_end:tail_at],
            timestamp,
            type_code,
            sequence_id,
        )


def _flat_key(row: bytes, family: bytes, qualifier: bytes, time_and_type: bytes) -> bytes:
    return b"%b%b%c%b%b%b" % (
        len(row).to_bytes(2, "big"),
        row,
        len(family),
        family,
        qualifier,
        time_and_type,
    )


def _completed(index_key: bytes, time_and_type: bytes) -> bytes:
    """Hudi's own writer leaves a row alone in index and file info; HBase's never does."""
    if len(index_key) == 2 + int.from_bytes(index_key[:2], "big"):
        return index_key + b"\0" + time_and_type
    return index_key
