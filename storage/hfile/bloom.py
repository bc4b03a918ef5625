"""HBase's bloom filters, as they are read.

::

    meta  := i32 3, i64 bytes of all chunks, i32 hashes a key, i32 hash function, i64 keys,
             i64 most keys, i32 chunks, byte array comparator, root index entries of the chunks
    chunk := bits; bit n is byte n >> 3, mask 1 << (n & 7)

A key is a row (ROW, and the filter of family deletes), the beginning of one
(ROWPREFIX_FIXED_LENGTH), or a KeyValue's key without family (ROWCOL). The chunk it belongs to is
the last one whose first key is not above it. Source: CompoundBloomFilter.java,
BloomFilterUtil.java, StoreFileReader.java.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ...model import BloomType
from ..key import END, escape
from .bloom_hash import HASHES, Hash
from .index import Entry, decode_root
from .primitives import decode_byte_array

VERSION: Final = 3
META: Final = struct.Struct(">iqiiqqi")
_ROW_COLUMN_TAIL: Final = struct.pack(">QB", 2**63 - 1, 255)
_CHUNK_OVERHEAD_BYTES: Final = 128


class BloomKey(NamedTuple):
    """What is asked for: its place among the chunks, and what is hashed."""

    order: bytes
    hashed: bytes


def row_key(row: bytes) -> BloomKey:
    return BloomKey(row, row)


def row_column_key(row: bytes, qualifier: bytes) -> BloomKey:
    """Of a column, whatever its family. Source: RowColBloomHashKey.java."""
    hashed = b"%b%b\0%b%b" % (len(row).to_bytes(2, "big"), row, qualifier, _ROW_COLUMN_TAIL)
    return BloomKey(_row_column_order(row, qualifier), hashed)


def _row_column_order(row: bytes, qualifier: bytes) -> bytes:
    return escape(row) + END + escape(qualifier) + END


class BloomChunk:
    """The bits of a chunk in memory."""

    __slots__ = ("_bits", "memory_bytes")

    def __init__(self, bits: bytes) -> None:
        if not bits:
            raise ValueError("a chunk of a bloom filter has no bits")
        self._bits = bits
        self.memory_bytes = len(bits) + _CHUNK_OVERHEAD_BYTES

    def may_contain(self, hashed: bytes, function: Hash, count: int) -> bool:
        """False only if the key was never added."""
        bits = self._bits
        size = len(bits) << 3
        combined = function(hashed, 0)
        step = function(hashed, combined)
        for _ in range(count):
            signed = combined - (combined >> 31 << 32)
            place = abs(signed) % size
            if not bits[place >> 3] & 1 << (place & 7):
                return False
            combined = combined + step & 0xFFFFFFFF
        return True


@dataclass(frozen=True, slots=True)
class BloomFilter:
    """A filter's meta block: where its chunks are."""

    kind: BloomType
    """ROW for the filter of family deletes, too."""
    prefix_bytes: int
    """Of ROWPREFIX_FIXED_LENGTH."""
    last: bytes
    """The greatest key's order; empty if the file does not say."""
    chunks: Sequence[Entry]
    """Each with the first key of its chunk."""
    orders: Sequence[bytes]
    """First keys of the chunks, in a form that sorts."""
    hash_count: int
    function: Hash
    size: int
    """Bytes of all chunks."""
    keys: int
    keys_max: int
    comparator: str

    @property
    def memory_bytes(self) -> int:
        return sum(map(len, self.orders)) * 2 + 200 * len(self.chunks)

    def key_of_row(self, row: bytes) -> BloomKey:
        """What tells of a row, or of the rows that begin as it does."""
        if self.kind is BloomType.ROWPREFIX_FIXED_LENGTH:
            row = row[: self.prefix_bytes]
        return row_key(row)

    def chunk_of(self, key: BloomKey) -> Entry | None:
        """The chunk the key is in if it was added; None if it cannot have been."""
        if self.last and key.order > self.last:
            return None
        number = bisect_right(self.orders, key.order) - 1
        return self.chunks[number] if number >= 0 else None


def decode_meta(payload: bytes, kind: BloomType, param: bytes, last: bytes) -> BloomFilter:
    """The filter a meta block describes; ``param`` and ``last`` are from the file info.

    Raises ValueError, IndexError or struct.error for what is no such block, KeyError for a hash
    function nobody has.
    """
    version, size, hash_count, hash_kind, keys, keys_max, chunk_count = META.unpack_from(payload)
    if version != VERSION:
        raise ValueError(f"a bloom filter of version {version}")
    if not 1 <= hash_count <= 64:
        raise ValueError(f"a bloom filter with {hash_count} hashes a key")
    comparator, at = decode_byte_array(payload, META.size)
    chunks, rest = decode_root(payload[at:], chunk_count)
    if rest:
        raise ValueError(f"{len(rest)} bytes behind a bloom filter's chunks")
    orders = [entry.key for entry in chunks]
    if kind is BloomType.ROWCOL:
        orders = [_order_of_flat(key) for key in orders]
        last = _order_of_flat(last) if last else b""
    return BloomFilter(
        kind=kind,
        prefix_bytes=int.from_bytes(param, "big"),
        last=last,
        chunks=chunks,
        orders=orders,
        hash_count=hash_count,
        function=HASHES[hash_kind],
        size=size,
        keys=keys,
        keys_max=keys_max,
        comparator=comparator.decode(),
    )


def _order_of_flat(flat: bytes) -> bytes:
    row_end = 2 + int.from_bytes(flat[:2], "big")
    family_end = row_end + 1 + flat[row_end]
    return _row_column_order(flat[2:row_end], flat[family_end : len(flat) - len(_ROW_COLUMN_TAIL)])
