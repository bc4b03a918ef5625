"""raybase's own data-block encoding: five streams, each compressed by itself.

::

    payload := i16 ID, u8 version, u32 cells, n x (u8 form, u32 raw bytes, u32 stored bytes),
               head lengths, heads, tails, value lengths, values, [tag lengths, tags]
    version := 1: n = 5 streams | 2: n = 7, as some cell of the block has tags
    form    := 0 raw | 1 a blosc2 chunk

A cell's key (storage/key.py) is its head, row and qualifier, followed by its tail, the 17 bytes
of timestamp, type and sequence id. Lengths are u32 little-endian; a stream of one length holds
for every cell. Numbers are shuffled (all first bytes, all second bytes, ...) before they are
compressed, which shrinks the tails of a usual block 7 times more than without.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from operator import add
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..key import TAIL_BYTES
from ..tags import any_tagged, tagged, tags_of
from .block import Block
from .blocks import ENCODED_DATA, PAYLOAD_BYTES_MAX

ID: Final = 0x5242
NAME: Final = "COLUMNAR"

_RAW: Final = 0
_BLOSC2: Final = 1
_HEAD: Final = struct.Struct(">hBI")
_STREAMS: Final = {1: struct.Struct(">" + "BII" * 5), 2: struct.Struct(">" + "BII" * 7)}
"""Forms and sizes of the streams, by version."""
_COMPRESS_BYTES_MIN: Final = 256
"""Below it a chunk's own header and the call cost more than is won."""
_CHUNK_HEADER: Final = struct.Struct("<4xI4xI")
"""Of a blosc2 chunk: raw bytes, and its own bytes."""


@cache
def _blosc2() -> Any:
    """Imported on first use: it takes 0.3 s, which a process that opens no file saves."""
    import blosc2

    blosc2.set_nthreads(1)
    return blosc2


def warm_up() -> None:
    """Does now what the first block would wait 0.3 s for; for processes that must not stall."""
    _blosc2()


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
            _compress(_lengths(heads), 4),
            _compress(b"".join(heads), 1),
            _compress(tails, TAIL_BYTES),
            _compress(_lengths(values), 4),
            _compress(b"".join(values), 1),
        ]
        if any_tagged(values):
            version = 2
            tags = list(map(tags_of, values))
            streams += (_compress(_lengths(tags), 4), _compress(b"".join(tags), 1))
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
        streams = []
        at = _HEAD.size + _STREAMS[version].size
        for form, raw_bytes, stored_bytes in zip(sizes[::3], sizes[1::3], sizes[2::3], strict=True):
            streams.append(_decompress(form, payload[at : at + stored_bytes], raw_bytes))
            at += stored_bytes
        if at != len(payload):
            raise ValueError(f"streams of {at} bytes in a block of {len(payload)}")
        head_lengths, heads, tails, value_lengths, values, *tag_streams = streams
        keys = list(
            map(
                add,
                _split(heads, head_lengths, count),
                struct.unpack(f"{TAIL_BYTES}s" * count, tails),
            )
        )
        content_bytes = len(heads) + len(tails) + len(values)
        split_values = list(_split(values, value_lengths, count))
        if tag_streams:
            tag_lengths, tags = tag_streams
            split_values = list(map(tagged, split_values, _split(tags, tag_lengths, count)))
            content_bytes += len(tags)
        return Block(keys, split_values, content_bytes)

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


def _split(data: bytes, lengths: bytes, count: int) -> Sequence[bytes]:
    """``data`` cut into ``count`` pieces; struct.error or ValueError unless that is all of it."""
    if len(lengths) == 4:
        (length,) = struct.unpack("<I", lengths)
        if length * count != len(data):
            raise ValueError(f"{count} pieces of {length} bytes in a stream of {len(data)}")
        return struct.unpack(f"{length}s" * count, data)
    ends = np.cumsum(np.frombuffer(lengths, "<u4"), dtype=np.uint64).tolist()
    if len(ends) != count or ends[-1] != len(data):
        raise ValueError(f"{len(ends)} lengths for {count} pieces of {len(data)} bytes")
    return [data[start:end] for start, end in pairwise([0, *ends])]


def _compress(raw: bytes, item_bytes: int) -> tuple[int, int, bytes]:
    """(form, raw bytes, stored bytes themselves); what does not shrink stays as it is."""
    if len(raw) >= _COMPRESS_BYTES_MIN:
        import blosc2

        chunk: bytes = blosc2.compress(
            raw,
            typesize=item_bytes,
            clevel=1,
            filter=blosc2.Filter.SHUFFLE if item_bytes > 1 else blosc2.Filter.NOFILTER,
            codec=blosc2.Codec.ZSTD,
        )
        if len(chunk) < len(raw):
            return _BLOSC2, len(raw), chunk
    return _RAW, len(raw), raw


def _decompress(form: int, stored: bytes, raw_bytes: int) -> bytes:
    if form == _RAW:
        raw = stored
    elif form == _BLOSC2:
        if _CHUNK_HEADER.unpack_from(stored) != (raw_bytes, len(stored)):
            raise ValueError("a compressed stream's header contradicts the block's")
        import blosc2

        try:
            raw = blosc2.decompress(stored)
        except RuntimeError as error:
            raise ValueError(f"a stream cannot be decompressed: {error}") from error
    else:
        raise ValueError(f"a stream of form {form}")
    if len(raw) != raw_bytes:
        raise ValueError(f"a stream of {len(raw)} bytes and not {raw_bytes}")
    return raw
