"""HBase's bloom filters, as they are written: sizes, folding and bits are HBase's own.

Source: CompoundBloomFilterWriter.java, BloomFilterChunk.java, BloomFilterFactory.java.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from .bloom import META, VERSION
from .bloom_hash import MURMUR, murmur_all
from .index import Emit, Entry, encode_root
from .primitives import encode_byte_array

CHUNK_BYTES: Final = 128 * 1024
"""io.storefile.bloom.block.size"""
_ERROR_RATE: Final = np.float32(0.01)
"""io.storefile.bloom.error.rate, which HBase holds as a Java float."""
ROW_COLUMN_COMPARATOR: Final = b"org.apache.hadoop.hbase.CellComparatorImpl"


class BloomWriter:
    """Collects keys and writes them out as chunks.

    Args:
        emit: writes a block into the file.
        magic: of the chunks.
        of_columns: whether keys are rows with columns: a question asks for two of them, so
            each may err half as often.

    """

    def __init__(self, emit: Emit, magic: bytes, *, of_columns: bool = False) -> None:
        self._emit = emit
        self._magic = magic
        self._comparator = ROW_COLUMN_COMPARATOR if of_columns else b""
        rate = float(_ERROR_RATE)
        if of_columns:
            rate = float(np.float32(1 - math.sqrt(np.float32(1) - _ERROR_RATE)))
        bits = CHUNK_BYTES * 8
        ideal = int(bits * (math.log(2) ** 2 / -math.log(rate)))
        self.hash_count = math.ceil(math.log(2) * (bits // ideal))
        part = math.log(1 - math.exp(math.log(rate) / self.hash_count))
        self.chunk_keys_max = int(-bits / self.hash_count * part)
        self._hashed: list[bytes] = []
        self._first = b""
        self._chunks: list[Entry] = []
        self.keys = 0
        self._keys_max = 0
        self._size = 0

    def add(self, hashed: Sequence[bytes], first_keys: Sequence[bytes]) -> None:
        """Adds keys in their order, none of them twice; ``first_keys[i]`` names a chunk that
        begins with ``hashed[i]``."""
        start = 0
        while start < len(hashed):
            room = self.chunk_keys_max - len(self._hashed)
            if not self._hashed:
                self._first = first_keys[start]
            self._hashed += hashed[start : start + room]
            start += room
            if len(self._hashed) == self.chunk_keys_max:
                self._write_chunk()

    def finish(self) -> bytes:
        """Writes what is left; the payload of the meta block."""
        if self._hashed:
            self._write_chunk()
        head = META.pack(
            VERSION,
            self._size,
            self.hash_count,
            MURMUR,
            self.keys,
            self._keys_max,
            len(self._chunks),
        )
        return head + encode_byte_array(self._comparator) + encode_root(self._chunks)

    def _write_chunk(self) -> None:
        count = len(self._hashed)
        size, keys_max = CHUNK_BYTES, self.chunk_keys_max
        while size & 1 == 0 and keys_max > count << 1:
            size >>= 1
            keys_max >>= 1
        payload = _bits(self._hashed, self.hash_count, size)
        offset, stored_bytes = self._emit(self._magic, payload)
        self._chunks.append(Entry(offset, stored_bytes, self._first))
        self._hashed = []
        self.keys += count
        self._keys_max += keys_max
        self._size += size


def _bits(hashed: Sequence[bytes], hash_count: int, size: int) -> bytes:
    """A chunk of ``size`` bytes; that is what folding one of CHUNK_BYTES gives, too."""
    first = murmur_all(hashed, np.zeros(len(hashed), np.uint32))
    step = murmur_all(hashed, first)
    bits: npt.NDArray[np.uint8] = np.zeros(size * 8, np.uint8)
    combined = first
    for _ in range(hash_count):
        signed = combined.astype(np.int32).astype(np.int64)
        bits[np.abs(signed) % (size * 8)] = 1
        combined = combined + step
    return np.packbits(bits, bitorder="little").tobytes()
