"""raybase's own data-block encoding: five streams, each compressed by itself.

::

    payload := i16 ID, u8 version, u32 cells, n x (u8 form, u32 raw bytes, u32 stored bytes),
               head lengths, heads, tails, value lengths, values, [tag lengths, tags]
    version := 1: n = 5 streams | 2: n = 7, as some cell of the block has tags
    form    := as in streams.py

A cell's key (storage/key.py) is its head, row and qualifier, followed by its tail, the 17 bytes
of timestamp, type and sequence id. Lengths are u32 little-endian; a stream of one length holds
for every cell. Numbers are shuffled (all first bytes, all second bytes, ...) before they are
compressed; everything is compressed by ZSTD at level 1.

That was chosen by measurement (``python -m benchmarks streams``; docs/performance.md has the
table). In percent of the raw stream, and us to decode a block's:

====================  =============  =============  ===============  ==========
stream, data set      ZSTD 1         shuffled       bits shuffled    LZ4 1
====================  =============  =============  ===============  ==========
heads, pages          **20.7, 6**                                    35.5, 2
heads, zones          **0.92, 16**                                   1.87, 10
tails, pages          13.0, 4        **14.2, 4**    15.8, 5          22.6, 1
tails, zones          18.8, 24       **12.2, 15**   19.1, 33         35.0, 11
values, pages         **25.3, 125**                                  48.6, 74
values, zones         **3.66, 13**                                   6.31, 5
====================  =============  =============  ===============  ==========

LZ4 would save a tenth of a get that has to read its block, for files up to twice as large.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ..key import TAIL_BYTES
from ..tags import any_tagged, tags_of
from .block import Block
from .blocks import ENCODED_DATA, PAYLOAD_BYTES_MAX
from .columnar_block import ColumnarBlock
from .streams import compress, decompress

ID: Final = 0x5242
NAME: Final = "COLUMNAR"

_HEAD: Final = struct.Struct(">hBI")
_STREAMS: Final = {1: struct.Struct(">" + "BII" * 5), 2: struct.Struct(">" + "BII" * 7)}
"""Forms and sizes of the streams, by version."""


class Columnar:
    """The encoding named COLUMNAR."""

    name = NAME
    magic = ENCODED_DATA
    comparator = "raybase.CellKey"

    def encode(
        self, keys: Sequence[bytes], values: Sequence[bytes], heads: Sequence[bytes], tails: bytes
    ) -> bytes:
        version = 1
        streams = [
            compress(_lengths(heads), 4),
            compress(b"".join(heads), 1),
            compress(tails, TAIL_BYTES),
            compress(_lengths(values), 4),
            compress(b"".join(values), 1),
        ]
        if any_tagged(values):
            version = 2
            tags = list(map(tags_of, values))
            streams += (compress(_lengths(tags), 4), compress(b"".join(tags), 1))
        sizes: list[int] = []
        for form, raw_bytes, stored in streams:
            sizes += (form, raw_bytes, len(stored))
        head = _HEAD.pack(ID, version, len(keys)) + _STREAMS[version].pack(*sizes)
        return b"".join([head, *(stored for _, _, stored in streams)])

    def decode(self, payload: bytes) -> Block:
        identifier, version, count = _HEAD.unpack_from(payload)
        if identifier != ID or version not in _STREAMS:
            raise ValueError(f"encoding {identifier} version {version} in a columnar file")
        sizes = _STREAMS[version].unpack_from(payload, _HEAD.size)
        if sum(sizes[1::3]) > PAYLOAD_BYTES_MAX:
            raise ValueError(f"a block claims to hold {sum(sizes[1::3])} bytes")
        streams: list[bytes] = []
        at = _HEAD.size + _STREAMS[version].size
        for form, raw_bytes, stored_bytes in zip(sizes[::3], sizes[1::3], sizes[2::3], strict=True):
            streams.append(decompress(form, payload[at : at + stored_bytes], raw_bytes))
            at += stored_bytes
        if at != len(payload):
            raise ValueError(f"streams of {at} bytes in a block of {len(payload)}")
        return ColumnarBlock(count, *streams)

    def same_cell(self, left: bytes, right: bytes) -> bool:
        return left == right

    def to_index_key(self, key: bytes) -> bytes:
        return key

    def from_index_key(self, index_key: bytes) -> bytes:
        return index_key

    def last_key(self, index_key: bytes) -> bytes:
        return index_key


def _lengths(texts: Sequence[bytes]) -> bytes:
    lengths: npt.NDArray[np.uint32] = np.fromiter(map(len, texts), "<u4", len(texts))
    if (lengths == lengths[0]).all():
        lengths = lengths[:1]
    return lengths.tobytes()
