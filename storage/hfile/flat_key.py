"""HBase's flat keys: what its files say where ours have cell keys (storage/key.py).

::

    key := u16 row bytes, row, u8 family bytes, family, qualifier, i64 timestamp, u8 type

Source: KeyValue.java.
"""

from __future__ import annotations

import struct
from typing import Final

from ..key import (
    END,
    META_ROWS,
    PLAIN_ROWS,
    SEQUENCE_MAX,
    TIMESTAMP_MAX,
    RowEncoder,
    cell_key,
    unescape,
    unpack_tail,
)

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

TIME_AND_TYPE: Final = struct.Struct(">QB")
FIRST: Final = TIME_AND_TYPE.pack(TIMESTAMP_MAX, 255)
"""Sorts before every cell of the same column: the newest time, type Maximum."""
_LAST: Final = TIME_AND_TYPE.pack(0, 0)
_SEQUENCE_BYTES: Final = 8


def flat_key(row: bytes, family: bytes, qualifier: bytes, time_and_type: bytes) -> bytes:
    return b"%b%b%c%b%b%b" % (
        len(row).to_bytes(2, "big"),
        row,
        len(family),
        family,
        qualifier,
        time_and_type,
    )


def split_flat(flat: bytes) -> tuple[bytes, bytes, bytes]:
    """(row, family, qualifier); ValueError or IndexError if the lengths cannot be."""
    row_end = 2 + int.from_bytes(flat[:2], "big")
    family_end = row_end + 1 + flat[row_end]
    tail_at = len(flat) - TIME_AND_TYPE.size
    if family_end > tail_at:
        raise ValueError("a key's row and family are longer than the key")
    return flat[2:row_end], flat[row_end + 1 : family_end], flat[family_end:tail_at]


class FlatKeys:
    """Between flat keys and cell keys.

    Args:
        family: what flat keys are written with; it does not matter for reading.
        rows: the table's row encoder.

    """

    def __init__(self, family: bytes, rows: RowEncoder = PLAIN_ROWS) -> None:
        self.family = family
        self.rows = rows
        self.comparator = META_COMPARATORS[0] if rows is META_ROWS else PLAIN_COMPARATORS[0]

    def same_cell(self, left: bytes, right: bytes) -> bool:
        return left[:-_SEQUENCE_BYTES] == right[:-_SEQUENCE_BYTES]

    def to_index_key(self, key: bytes) -> bytes:
        row_end = key.index(END)
        row, rest = self.rows.decode(key[:row_end]), key[row_end + len(END) :]
        if not rest:
            return flat_key(row, b"", b"", FIRST)
        qualifier_end = rest.index(END)
        qualifier, tail = unescape(rest[:qualifier_end]), rest[qualifier_end + len(END) :]
        if not tail:
            return flat_key(row, self.family, qualifier, FIRST)
        timestamp, type_code, _ = unpack_tail(tail)
        last = TIME_AND_TYPE.pack(TIMESTAMP_MAX - timestamp, 255 - type_code)
        return flat_key(row, self.family, qualifier, last)

    def from_index_key(self, index_key: bytes) -> bytes:
        return self.cell_key(_completed(index_key, FIRST), SEQUENCE_MAX)

    def last_key(self, index_key: bytes) -> bytes:
        return self.cell_key(_completed(index_key, _LAST), 0)

    def cell_key(self, flat: bytes, sequence_id: int) -> bytes:
        """Of a cell; raises ValueError, IndexError or struct.error for what is no flat key."""
        row, _, qualifier = split_flat(flat)
        timestamp, type_code = TIME_AND_TYPE.unpack_from(flat, len(flat) - TIME_AND_TYPE.size)
        return cell_key(self.rows.encode(row), qualifier, timestamp, type_code, sequence_id)


def _completed(index_key: bytes, time_and_type: bytes) -> bytes:
    """Hudi's own writer leaves a row alone in index and file info; HBase's never does."""
    if len(index_key) == 2 + int.from_bytes(index_key[:2], "big"):
        return index_key + b"\0" + time_and_type
    return index_key
