"""Which rows a file may hold: roaring bitmaps of row hashes.

::

    meta block := u8 BITS, roaring bitmap (portable format) of the rows' hashes
    hash       := the BITS uppermost bits of mix(crc32c(encoded row)), 32 bits

Every chunk of about ROWS_PER_CHUNK rows is a meta block of its own, named ``ROWS`` and the
encoded row it begins with, so that a read loads the chunk it needs and no more. With 100 times
as many hashes as rows, fewer than 1 % of absent rows are taken for present, at 2 bytes a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Final

import google_crc32c
import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

ROWS_PER_CHUNK: Final = 16384
"""A server writes a chunk between two calls: one of 65,536 rows kept the others waiting 12 ms."""
META_PREFIX: Final = b"ROWS"
_HASHES_PER_ROW: Final = 100
_MIX: Final = 0x9E3779B1
"""CRCs of similar rows are linear in one another; multiplying hides that from the top bits."""
_MIX_SHIFT: Final = 15
_OVERHEAD_BYTES: Final = 128

Hashes = npt.NDArray[np.uint32]


def _bits_for(rows: int) -> int:
    return min(max((rows * _HASHES_PER_ROW - 1).bit_length(), 1), 32)


class RowFilter:
    """One chunk in memory. Source: none; HBase has bloom filters here."""

    __slots__ = ("_bits", "_hashes", "memory_bytes")

    def __init__(self, bits: int, hashes: BitMap, memory_bytes: int) -> None:
        self._bits = bits
        self._hashes = hashes
        self.memory_bytes = memory_bytes

    @classmethod
    def decode(cls, payload: bytes) -> RowFilter:
        bits = payload[0]
        if not 1 <= bits <= 32:
            raise ValueError(f"a row filter of {bits} bits")
        return cls(bits, BitMap.deserialize(payload[1:]), len(payload) + _OVERHEAD_BYTES)

    def may_contain(self, encoded_row: bytes) -> bool:
        """False only if no cell of the row was there when the filter was built."""
        mixed: int = google_crc32c.value(encoded_row)
        mixed = ((mixed ^ mixed >> _MIX_SHIFT) * _MIX) & 0xFFFFFFFF
        return mixed >> (32 - self._bits) in self._hashes

    def contained(self, encoded_rows: Sequence[bytes]) -> Iterable[bytes]:
        """Those of the rows that ``may_contain`` is true of, in their order."""
        places = (mixed_hashes(encoded_rows) >> np.uint32(32 - self._bits)).tolist()
        return compress(encoded_rows, map(self._hashes.__contains__, places))


def mixed_hashes(encoded_rows: Sequence[bytes]) -> Hashes:
    """``mix`` of every row, all 32 bits of it."""
    count = len(encoded_rows)
    hashes: Hashes = np.fromiter(map(google_crc32c.value, encoded_rows), np.uint32, count)
    hashes ^= hashes >> np.uint32(_MIX_SHIFT)
    hashes *= np.uint32(_MIX)
    return hashes


def encode(hashes: Hashes) -> bytes:
    """The meta block for a chunk of at least one row, from the rows' mixed hashes."""
    bits = _bits_for(len(hashes))
    places = np.sort(hashes >> np.uint32(32 - bits))  # BitMap takes sorted numbers twice as fast
    bitmap: bytes = BitMap(places).serialize()
    return bytes([bits]) + bitmap
