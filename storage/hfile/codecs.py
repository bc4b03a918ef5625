"""What blocks are compressed with: HBase's codecs.

GZ is one gzip stream a block. SNAPPY, LZ4, ZSTD and LZO have Hadoop's framing, where a block
is any number of groups, and what a chunk holds the codec says::

    group := i32 bytes before compression (0: the end), (i32 bytes of the chunk, chunk)*

ZSTD is read as plain Zstandard frames, too: Hadoop has one codec of either kind under that
name, and HBase's setting ``hbase.io.compress.zstd.codec`` decides. Written is the framed kind,
which is that of the codec HBase ships (org.apache.hadoop.hbase.io.compress.zstd.ZstdCodec).

Source: Compression.java; Hadoop's BlockCompressorStream.java.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from . import lzo

_NAMES: Final = ("LZO", "GZ", "NONE", "SNAPPY", "LZ4", "BZIP2", "ZSTD", "LZMA", "BROTLI")
LZO: Final = 0
GZ: Final = 1
NONE: Final = 2
SNAPPY: Final = 3
LZ4: Final = 4
ZSTD: Final = 6
READ: Final = frozenset({LZO, GZ, NONE, SNAPPY, LZ4, ZSTD})

_GROUP_BYTES: Final = 128 * 1024
"""Before compression; Hadoop's decompressors have buffers of 256 KiB."""
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_END: Final = bytes(4)
"""A group of nothing, which is what Hadoop makes of nothing."""
_SNAPPY_RATIO_MAX: Final = 32
"""A copy of 64 bytes takes 3; how much a chunk can hold bounds what is set aside for it."""
_LZ4_RATIO_MAX: Final = 255
_I32: Final = struct.Struct(">i")
_GZIP: Final = zlib.MAX_WBITS | 16


def codec_id(name: str) -> int:
    """The number of a codec that files are written with: one of model.CODECS."""
    return _NAMES.index(name)


def codec_name(codec: int) -> str:
    return _NAMES[codec] if codec < len(_NAMES) else f"number {codec}"


def compress(payload: bytes, codec: int) -> bytes:
    if codec == NONE:
        return payload
    if codec == GZ:
        deflater = zlib.compressobj(wbits=_GZIP)
        return deflater.compress(payload) + deflater.flush()
    if not payload:
        return _END
    parts: list[bytes] = []
    for start in range(0, len(payload), _GROUP_BYTES):
        group = payload[start : start + _GROUP_BYTES]
        chunk = _compress_chunk(group, codec)
        parts += (_I32.pack(len(group)), _I32.pack(len(chunk)), chunk)
    return b"".join(parts)


def decompress(data: bytes, codec: int, payload_bytes: int) -> bytes:
    """Raises ValueError unless ``data`` holds exactly ``payload_bytes``, and never makes more."""
    if codec == NONE:
        payload = data
    elif codec == GZ:
        payload = _gunzip(data, payload_bytes)
    elif codec == ZSTD and data.startswith(_ZSTD_MAGIC):
        payload = _unzstd(data, payload_bytes)
    else:
        payload = _ungroup(data, _DECOMPRESSORS[codec], payload_bytes)
    if len(payload) != payload_bytes:
        raise ValueError(f"the block holds {len(payload)} bytes and not {payload_bytes}")
    return payload


def _gunzip(data: bytes, bytes_max: int) -> bytes:
    inflater = zlib.decompressobj(wbits=_GZIP)
    try:
        return inflater.decompress(data, bytes_max + 1)
    except zlib.error as error:
        raise ValueError(f"the block is not a gzip stream: {error}") from error


def _ungroup(data: bytes, decompress_chunk: Callable[[bytes, int], bytes], bytes_max: int) -> bytes:
    parts: list[bytes] = []
    left = bytes_max
    at = 0
    while at < len(data):
        (in_group,) = _I32.unpack_from(data, at)
        at += 4
        if in_group == 0:
            break  # Hadoop calls this the end; of nothing, Zstandard makes a chunk behind it
        if not 0 < in_group <= left:
            raise ValueError(f"a group of {in_group} bytes where {left} are left")
        left -= in_group
        while in_group:
            (chunk_bytes,) = _I32.unpack_from(data, at)
            at += 4
            if not 0 < chunk_bytes <= len(data) - at:
                raise ValueError(f"a chunk of {chunk_bytes} bytes where there are {len(data) - at}")
            part = decompress_chunk(data[at : at + chunk_bytes], in_group)
            if not part:
                raise ValueError("a chunk of nothing")
            at += chunk_bytes
            in_group -= len(part)
            parts.append(part)
    return b"".join(parts)


@cache
def _cramjam() -> Any:
    """Imported on first use: most processes never meet these codecs."""
    import cramjam

    return cramjam


def _compress_chunk(group: bytes, codec: int) -> bytes:
    cramjam = _cramjam()
    if codec == SNAPPY:
        return bytes(cramjam.snappy.compress_raw(group))
    if codec == LZ4:
        return bytes(cramjam.lz4.compress_block(group, store_size=False))
    return bytes(cramjam.zstd.compress(group))


def _into(bytes_max: int, decompress: Callable[[bytearray], int]) -> bytes:
    """What ``decompress`` makes in a buffer of so many bytes; ValueError if it cannot."""
    out = bytearray(bytes_max)
    try:
        made = decompress(out)
    except _cramjam().DecompressionError as error:
        raise ValueError(f"a chunk cannot be decompressed: {error}") from error
    return bytes(out if made == bytes_max else out[:made])


def _unsnappy(chunk: bytes, bytes_max: int) -> bytes:
    return _into(
        min(bytes_max, _SNAPPY_RATIO_MAX * len(chunk)),
        lambda out: _cramjam().snappy.decompress_raw_into(chunk, out),
    )


def _unlz4(chunk: bytes, bytes_max: int) -> bytes:
    bytes_max = min(bytes_max, _LZ4_RATIO_MAX * len(chunk))
    return _into(
        bytes_max,
        lambda out: _cramjam().lz4.decompress_block_into(chunk, out, output_len=bytes_max),
    )


def _unzstd(chunk: bytes, bytes_max: int) -> bytes:
    return _into(bytes_max, lambda out: _cramjam().zstd.decompress_into(chunk, out))


_DECOMPRESSORS: Final = {
    LZO: lzo.decompress,
    SNAPPY: _unsnappy,
    LZ4: _unlz4,
    ZSTD: _unzstd,
}
