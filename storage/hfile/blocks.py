"""How every block of an HFile is framed: header, payload, checksums.

::

    block  := header data checksums
    header := magic[8] i32 bytes after the header, i32 uncompressed bytes of the payload,
              i64 offset of the previous block of its kind (-1: none), u8 checksum type,
              i32 bytes a checksum covers, i32 bytes of header and data
    checksums := u32 for every chunk of header and data

Source: HFileBlock.java, ChecksumUtil.java.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import google_crc32c

from ...errors import CorruptionError, UnsupportedFormatError

DATA: Final = b"DATABLK*"
ENCODED_DATA: Final = b"DATABLKE"
LEAF_INDEX: Final = b"IDXLEAF2"
INTERMEDIATE_INDEX: Final = b"IDXINTE2"
ROOT_INDEX: Final = b"IDXROOT2"
META: Final = b"METABLKc"
FILE_INFO: Final = b"FILEINF2"

_HEADER: Final = struct.Struct(">8siiqBii")
HEADER_BYTES: Final = _HEADER.size
CHUNK_BYTES: Final = 16384
PAYLOAD_BYTES_MAX: Final = 256 * 1024 * 1024
"""No block decodes to more: a lying length costs this much memory at worst."""

_CHECKSUM_NULL: Final = 0
_CHECKSUM_CRC32: Final = 1
_CHECKSUM_CRC32C: Final = 2

_CODEC_NAMES: Final = ("LZO", "GZ", "NONE", "SNAPPY", "LZ4", "BZIP2", "ZSTD", "LZMA", "BROTLI")
CODEC_GZ: Final = 1
CODEC_NONE: Final = 2


def codec_id(name: str) -> int:
    """The number of ``GZ`` or ``NONE``, the codecs that files are written with."""
    return {"GZ": CODEC_GZ, "NONE": CODEC_NONE}[name]


def codec_name(codec: int) -> str:
    return _CODEC_NAMES[codec] if codec < len(_CODEC_NAMES) else f"number {codec}"


def compress(payload: bytes, codec: int) -> bytes:
    if codec == CODEC_NONE:
        return payload
    deflater = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return deflater.compress(payload) + deflater.flush()


def decompress(data: bytes, codec: int, payload_bytes: int) -> bytes:
    """Raises ValueError unless ``data`` holds exactly ``payload_bytes``, and never makes more."""
    if codec == CODEC_NONE:
        payload = data
    else:
        inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            payload = inflater.decompress(data, payload_bytes + 1)
        except zlib.error as error:
            raise ValueError(f"the block is not a gzip stream: {error}") from error
    if len(payload) != payload_bytes:
        raise ValueError(f"the block holds {len(payload)} bytes and not {payload_bytes}")
    return payload


def frame(magic: bytes, payload: bytes, codec: int, previous_offset: int) -> bytes:
    """The block as it stands in the file."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ValueError(f"a block of {len(payload)} bytes; the limit is {PAYLOAD_BYTES_MAX}")
    data = compress(payload, codec)
    checked_bytes = HEADER_BYTES + len(data)
    header = _HEADER.pack(
        magic,
        len(data) + 4 * _chunk_count(checked_bytes, CHUNK_BYTES),
        len(payload),
        previous_offset,
        _CHECKSUM_CRC32C,
        CHUNK_BYTES,
        checked_bytes,
    )
    checked = header + data
    return checked + _checksums(checked, CHUNK_BYTES, google_crc32c.value)


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block taken out of its frame."""

    magic: bytes
    payload: bytes
    stored_bytes: int
    checksum_type: int


def unframe(
    path: str, offset: int, data: bytes, codec: int, checksum_type: int | None = None
) -> StoredBlock:
    """The block at the beginning of ``data``, which was read at ``offset``.

    ``checksum_type`` is that of the file's other blocks, once one is known: a damaged header
    must not be able to say that its block has no checksums.

    Raises CorruptionError if ``data`` is not a whole block with the right checksums.
    """
    if len(data) < HEADER_BYTES:
        raise CorruptionError(path, offset, "the file ends inside a block's header")
    magic, after_header, payload_bytes, _, kind, chunk_bytes, checked_bytes = _HEADER.unpack_from(
        data
    )
    stored_bytes = HEADER_BYTES + after_header
    if not HEADER_BYTES <= checked_bytes <= stored_bytes or chunk_bytes <= 0:
        raise CorruptionError(path, offset, "a block's header contradicts itself")
    if stored_bytes > len(data):
        raise CorruptionError(
            path, offset, f"a block of {stored_bytes} bytes where there are {len(data)}"
        )
    if not 0 <= payload_bytes <= PAYLOAD_BYTES_MAX:
        raise CorruptionError(path, offset, f"a block claims to hold {payload_bytes} bytes")
    if checksum_type is not None and kind != checksum_type:
        raise CorruptionError(path, offset, "a block has other checksums than its file")
    checked = data[:checked_bytes]
    checksum = _checksum_function(path, offset, kind)
    if checksum is not None:
        expected = data[checked_bytes:stored_bytes]
        if len(expected) != 4 * _chunk_count(checked_bytes, chunk_bytes):
            raise CorruptionError(path, offset, "a block has the wrong number of checksums")
        if _checksums(checked, chunk_bytes, checksum) != expected:
            raise CorruptionError(path, offset, "a block's checksum does not match")
    with reported_as_corruption(path, offset):
        payload = decompress(checked[HEADER_BYTES:], codec, payload_bytes)
    return StoredBlock(magic, payload, stored_bytes, kind)


@contextmanager
def reported_as_corruption(path: str, offset: int) -> Iterator[None]:
    """Turns what decoders raise for malformed bytes into CorruptionError."""
    try:
        yield
    except (ValueError, IndexError, KeyError, struct.error) as error:
        raise CorruptionError(path, offset, f"malformed: {error}") from error


def _chunk_count(checked_bytes: int, chunk_bytes: int) -> int:
    return -(-checked_bytes // chunk_bytes)


def _checksums(checked: bytes, chunk_bytes: int, checksum: Callable[[bytes], int]) -> bytes:
    sums = [
        checksum(checked[start : start + chunk_bytes])
        for start in range(0, len(checked), chunk_bytes)
    ]
    return struct.pack(f">{len(sums)}I", *sums)


def _checksum_function(path: str, offset: int, kind: int) -> Callable[[bytes], int] | None:
    if kind == _CHECKSUM_CRC32C:
        function: Callable[[bytes], int] = google_crc32c.value
        return function
    if kind == _CHECKSUM_CRC32:
        return zlib.crc32
    if kind == _CHECKSUM_NULL:
        return None
    raise UnsupportedFormatError(path, offset, f"checksums of type {kind} are not read")
