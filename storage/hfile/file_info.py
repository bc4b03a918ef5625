"""The file info: a map of names to bytes in an HFile, and what raybase keeps there.

::

    payload := "PBUF", varint length, FileInfoProto        entries sorted by name

Names without a dot and those with ``hfile.`` are HBase's (HFileInfo.java, HStoreFile.java);
those with ``raybase.`` are our own, which HBase carries along and ignores.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .primitives import decode_delimited, decode_fields, encode_delimited, encode_field

_MAGIC: Final = b"PBUF"

LAST_KEY: Final = b"hfile.LASTKEY"
AVERAGE_KEY_BYTES: Final = b"hfile.AVG_KEY_LEN"
AVERAGE_VALUE_BYTES: Final = b"hfile.AVG_VALUE_LEN"
CREATED_MS: Final = b"hfile.CREATE_TIME_TS"
MAX_TAGS_BYTES: Final = b"hfile.MAX_TAGS_LEN"
MAX_SEQUENCE_ID: Final = b"MAX_SEQ_ID_KEY"
MAJOR_COMPACTION: Final = b"MAJOR_COMPACTION_KEY"
MAX_CELL_SEQUENCE_ID: Final = b"MAX_MEMSTORE_TS_KEY"
KEY_VALUE_VERSION: Final = b"KEY_VALUE_VERSION"
TIME_RANGE: Final = b"TIMERANGE"
EARLIEST_PUT: Final = b"EARLIEST_PUT_TS"
DELETE_FAMILY_COUNT: Final = b"DELETE_FAMILY_COUNT"
DATA_BLOCK_ENCODING: Final = b"DATA_BLOCK_ENCODING"
INDEX_BLOCK_ENCODING: Final = b"INDEX_BLOCK_ENCODING"
TAGS_COMPRESSED: Final = b"hfile.TAGS_COMPRESSED"
BLOOM_TYPE: Final = b"BLOOM_FILTER_TYPE"
BLOOM_PARAM: Final = b"BLOOM_FILTER_PARAM"
LAST_BLOOM_KEY: Final = b"LAST_BLOOM_KEY"
MIN_CELL_SEQUENCE_ID: Final = b"raybase.MIN_SEQUENCE_ID"
DELETE_COUNT: Final = b"raybase.DELETE_COUNT"
KEY_BYTES: Final = b"raybase.KEY_BYTES"
VALUE_BYTES: Final = b"raybase.VALUE_BYTES"

TIMESTAMP_MAX: Final = 2**63 - 1
_KEY_VALUE_WITH_SEQUENCE_ID: Final = 1
_I32: Final = struct.Struct(">i")
_I64: Final = struct.Struct(">q")
_RANGE: Final = struct.Struct(">qq")


@dataclass(slots=True)
class HFileStats:
    """What a file says of its contents. Counts of bytes are before compression."""

    entries: int = 0
    size: int = 0
    """Bytes of the file."""
    key_bytes: int = 0
    value_bytes: int = 0
    first_key: bytes = b""
    last_key: bytes = b""
    """Bounds of the cell keys; exact for files that raybase wrote for itself."""
    min_timestamp: int = TIMESTAMP_MAX
    max_timestamp: int = 0
    earliest_put_timestamp: int = TIMESTAMP_MAX
    min_sequence_id: int = 0
    max_cell_sequence_id: int = 0
    max_sequence_id: int = 0
    """Every edit of the store up to this one that is not in an older file is in this one."""
    delete_count: int = 0
    """Cells that are no puts; all of them may be, in a file that does not count them."""
    delete_family_count: int = 0
    """Cells that delete a whole family of a row; counted or guessed likewise."""
    max_tags_bytes: int = 0
    """The longest tags of a cell; 0 if none has any."""
    major: bool = False
    created_ms: int = 0


def encode(info: Mapping[bytes, bytes]) -> bytes:
    message = b"".join(
        encode_field(1, encode_field(1, name) + encode_field(2, info[name]))
        for name in sorted(info)
    )
    return _MAGIC + encode_delimited(message)


def decode(payload: bytes) -> dict[bytes, bytes]:
    if payload[:4] != _MAGIC:
        raise ValueError("the file info is not a protobuf message")
    message, _ = decode_delimited(payload, 4)
    info: dict[bytes, bytes] = {}
    for _, pair in decode_fields(message):
        if not isinstance(pair, bytes):
            raise ValueError("a malformed entry in the file info")
        entry = dict(decode_fields(pair))
        name, value = entry.get(1), entry.get(2)
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            raise ValueError("a malformed entry in the file info")
        info[name] = value
    return info


def describe(
    stats: HFileStats, encoding: str, last_index_key: bytes, *, has_tags: bool
) -> dict[bytes, bytes]:
    """The file info of a file with these contents; ``last_index_key`` in the file's form.

    ``has_tags``: whether its cells have tags, be they of no bytes.
    """
    entries = max(stats.entries, 1)
    info = {
        AVERAGE_KEY_BYTES: _I32.pack(stats.key_bytes // entries),
        AVERAGE_VALUE_BYTES: _I32.pack(stats.value_bytes // entries),
        CREATED_MS: _I64.pack(stats.created_ms),
        DATA_BLOCK_ENCODING: encoding.encode(),
        MAX_SEQUENCE_ID: _I64.pack(stats.max_sequence_id),
        MAJOR_COMPACTION: b"\xff" if stats.major else b"\0",
        MAX_CELL_SEQUENCE_ID: _I64.pack(stats.max_cell_sequence_id),
        KEY_VALUE_VERSION: _I32.pack(_KEY_VALUE_WITH_SEQUENCE_ID),
        EARLIEST_PUT: _I64.pack(stats.earliest_put_timestamp),
        DELETE_FAMILY_COUNT: _I64.pack(stats.delete_family_count),
        MIN_CELL_SEQUENCE_ID: _I64.pack(stats.min_sequence_id),
        DELETE_COUNT: _I64.pack(stats.delete_count),
        KEY_BYTES: _I64.pack(stats.key_bytes),
        VALUE_BYTES: _I64.pack(stats.value_bytes),
    }
    if has_tags:
        info[MAX_TAGS_BYTES] = _I32.pack(stats.max_tags_bytes)
    if stats.entries:
        info[LAST_KEY] = last_index_key
        info[TIME_RANGE] = _RANGE.pack(stats.min_timestamp, stats.max_timestamp)
    return info


def stats_of(info: Mapping[bytes, bytes], entries: int, size: int) -> HFileStats:
    """The statistics in a file info, without first and last key."""

    def number(name: bytes, default: int = 0) -> int:
        value: int = _I64.unpack(info[name])[0] if name in info else default
        return value

    low, high = (0, TIMESTAMP_MAX) if entries else (TIMESTAMP_MAX, 0)
    if TIME_RANGE in info and len(info[TIME_RANGE]) == _RANGE.size:
        low, high = _RANGE.unpack(info[TIME_RANGE])
    return HFileStats(
        entries=entries,
        size=size,
        key_bytes=number(KEY_BYTES),
        value_bytes=number(VALUE_BYTES),
        min_timestamp=low,
        max_timestamp=high,
        earliest_put_timestamp=number(EARLIEST_PUT, TIMESTAMP_MAX),
        min_sequence_id=number(MIN_CELL_SEQUENCE_ID),
        max_cell_sequence_id=number(MAX_CELL_SEQUENCE_ID),
        max_sequence_id=number(MAX_SEQUENCE_ID),
        delete_count=number(DELETE_COUNT, entries),
        delete_family_count=number(DELETE_FAMILY_COUNT, entries),
        max_tags_bytes=_I32.unpack(info[MAX_TAGS_BYTES])[0] if MAX_TAGS_BYTES in info else 0,
        major=info.get(MAJOR_COMPACTION) == b"\xff",
        created_ms=number(CREATED_MS),
    )


def is_of_raybase(info: Mapping[bytes, bytes]) -> bool:
    return DELETE_COUNT in info


def has_sequence_ids(info: Mapping[bytes, bytes]) -> bool:
    """Whether KeyValues in the file end with their sequence ids."""
    version = info.get(KEY_VALUE_VERSION)
    return version is not None and _I32.unpack(version)[0] == _KEY_VALUE_WITH_SEQUENCE_ID
