"""A cell's key: one byte string whose order is HBase's cell order.

Grammar (docs/formats/key.md)::

    key       := escape(row) END escape(qualifier) END timestamp type sequence
    escape(x) := x with every 00 replaced by 00 FF
    END       := 00 00
    timestamp := u64 big-endian, 2**63-1 - timestamp      newest first
    type      := u8, 255 - type                           Maximum, DeleteFamily, ..., Put
    sequence  := u64 big-endian, 2**64-1 - sequence id    newest first

The family is not in the key: a store holds one family. A table may order its rows otherwise
than as plain bytes (hbase:meta does); the row encoder stands in for ``escape(row)`` then.
"""

from __future__ import annotations

import struct
from typing import Final, Protocol

END: Final = b"\0\0"
ESCAPED_ZERO: Final = b"\0\xff"
AFTER_END: Final = b"\0\1"
"""The least bytes above every key that continues with END."""
TAIL_BYTES: Final = 17
TIMESTAMP_MAX: Final = 2**63 - 1
SEQUENCE_MAX: Final = 2**64 - 1

_TAIL: Final = struct.Struct(">QBQ")
pack_tail = _TAIL.pack
unpack_tail = _TAIL.unpack


class RowEncoder(Protocol):
    """Turns a row into bytes that contain no END and sort as the table sorts its rows."""

    def encode(self, row: bytes) -> bytes: ...

    def decode(self, encoded: bytes) -> bytes: ...


def escape(text: bytes) -> bytes:
    return text.replace(b"\0", b"\0\xff") if b"\0" in text else text


def unescape(text: bytes) -> bytes:
    return text.replace(b"\0\xff", b"\0") if b"\0" in text else text


class PlainRows:
    """Rows in the order of their bytes."""

    encode = staticmethod(escape)
    decode = staticmethod(unescape)


class MetaRows:
    """hbase:meta's order: table, then start key, then id, each compared as plain bytes.

    Plain bytes would sort a start key that holds a byte below ',' before its own table's
    other rows. Source: MetaCellComparator.java.
    """

    _SEPARATOR = b"\0\1"

    def encode(self, row: bytes) -> bytes:
        first = row.find(b",")
        if first < 0:
            return escape(row)
        last = row.rfind(b",")
        parts = [row[:first], row[first + 1 : last], row[last + 1 :]]
        if first == last:
            parts = [row[:first], row[first + 1 :]]
        return self._SEPARATOR.join(map(escape, parts))

    def decode(self, encoded: bytes) -> bytes:
        return b",".join(map(unescape, encoded.split(self._SEPARATOR)))


PLAIN_ROWS: Final = PlainRows()
META_ROWS: Final = MetaRows()


def cell_key(
    encoded_row: bytes, qualifier: bytes, timestamp: int, type_code: int, sequence_id: int
) -> bytes:
    """The key of a cell; ``encoded_row`` comes from the table's row encoder."""
    return b"%b\0\0%b\0\0%b" % (
        encoded_row,
        qualifier.replace(b"\0", b"\0\xff") if b"\0" in qualifier else qualifier,
        pack_tail(TIMESTAMP_MAX - timestamp, 255 - type_code, SEQUENCE_MAX - sequence_id),
    )


def split_key(key: bytes) -> tuple[bytes, bytes, int, int, int]:
    """(encoded row, qualifier, timestamp, type, sequence id) of a key."""
    end = key.index(END)
    timestamp, type_code, sequence_id = unpack_tail(key[-TAIL_BYTES:])
    return (
        key[:end],
        unescape(key[end + 2 : -TAIL_BYTES - 2]),
        TIMESTAMP_MAX - timestamp,
        255 - type_code,
        SEQUENCE_MAX - sequence_id,
    )


def row_start(encoded_row: bytes) -> bytes:
    """The least key of the row; every key of it begins with these bytes."""
    return encoded_row + END


def row_stop(encoded_row: bytes) -> bytes:
    """The least key above all keys of the row."""
    return encoded_row + AFTER_END
