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
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Final, NamedTuple

import google_crc32c

from ...errors import CorruptionError, UnsupportedFormatError
from .codecs import compress, decompress

DATA: Final = b"DATABLK*"
ENCODED_DATA: Final = b"DATABLKE"
LEAF_INDEX: Final = b"IDXLEAF2"
BLOOM_CHUNK: Final = b"BLMFBLK2"
INTERMEDIATE_INDEX: Final = b"IDXINTE2"
ROOT_INDEX: Final = b"IDXROOT2"
META: Final = b"METABLKc"
FILE_INFO: Final = b"FILEINF2"
BLOOM_META: Final = b"BLMFMET2"
DELETE_FAMILY_BLOOM_META: Final = b"DFBLMET2"

_HEADER: Final = struct.Struct(">8siiqBii")
HEADER_BYTES: Final = _HEADER.size
CHUNK_BYTES: Final = 16384
PAYLOAD_BYTES_MAX: Final = 256 * 1024 * 1024
"""No block decodes to more: a lying length costs this much memory at worst."""

NO_CHECKSUM: Final = 0
CRC32: Final = 1
CRC32C: Final = 2
PLACED_CRC32C: Final = 82
"""Ours: crc32c(seed of the file, u64 offset of the block, chunk), so that a block that is whole
but belongs elsewhere is found out."""
SEED_BYTES: Final = 8
_KINDS: Final = frozenset({NO_CHECKSUM, CRC32, CRC32C, PLACED_CRC32C})


@dataclass(frozen=True, slots=True)
class Checksums:
    """How the checksums of a file's blocks are made, once that is known."""

    kind: int
    seed: bytes = b""
    """Of PLACED_CRC32C: 8 bytes that belong to the file."""


def frame(
    magic: bytes,
    payload: bytes,
    codec: int,
    offset: int,
    previous_offset: int,
    checksums: Checksums,
) -> bytes:
    """The block as it stands in the file, at ``offset``."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ValueError(f"a block of {len(payload)} bytes; the limit is {PAYLOAD_BYTES_MAX}")
    data = compress(payload, codec)
    checked_bytes = HEADER_BYTES + len(data)
    header = _HEADER.pack(
        magic,
        len(data) + 4 * _chunk_count(checked_bytes, CHUNK_BYTES),
        len(payload),
        previous_offset,
        checksums.kind,
        CHUNK_BYTES,
        checked_bytes,
    )
    checked = header + data
    checksum = _checksum_function(checksums, offset)
    return checked + _checksums(checked, checked_bytes, CHUNK_BYTES, checksum)


class StoredBlock(NamedTuple):
    """A block taken out of its frame."""

    magic: bytes
    payload: bytes
    stored_bytes: int
    checksum_kind: int


class Header(NamedTuple):
    """What a block says of itself before its data."""

    magic: bytes
    after_header: int
    payload_bytes: int
    previous_offset: int
    checksum_kind: int
    chunk_bytes: int
    checked_bytes: int

    @property
    def stored_bytes(self) -> int:
        """Of the whole block."""
        return HEADER_BYTES + self.after_header


def parse_header(path: str, offset: int, data: bytes) -> Header:
    """Raises CorruptionError if ``data`` is too short or the sizes cannot be."""
    if len(data) < HEADER_BYTES:
        raise CorruptionError(path, offset, "the file ends inside a block's header")
    header = Header._make(_HEADER.unpack_from(data))
    if (
        not HEADER_BYTES <= header.checked_bytes <= header.stored_bytes
        or header.chunk_bytes <= 0
        or header.payload_bytes < 0
    ):
        raise CorruptionError(path, offset, "a block's header contradicts itself")
    if header.payload_bytes > PAYLOAD_BYTES_MAX:
        raise CorruptionError(path, offset, f"a block claims to hold {header.payload_bytes} bytes")
    return header


def unframe(
    path: str,
    offset: int,
    data: bytes,
    codec: int,
    checksums: Checksums | None,
    *,
    verified: bool = False,
) -> StoredBlock:
    """The block at the beginning of ``data``, which was read at ``offset``.

    ``checksums`` are those of the file: a damaged header must not be able to say that its
    block has none. None only for the first block that is read of a file. ``verified``: the
    very same bytes were checked before and have been in memory since.

    Raises CorruptionError if ``data`` is not a whole block with the right checksums.
    """
    header = parse_header(path, offset, data)
    stored_bytes = header.stored_bytes
    if stored_bytes > len(data):
        raise CorruptionError(
            path, offset, f"a block of {stored_bytes} bytes where there are {len(data)}"
        )
    if checksums is None:
        checksums = Checksums(header.checksum_kind)
    elif header.checksum_kind != checksums.kind:
        raise CorruptionError(path, offset, "a block has other checksums than its file")
    if checksums.kind not in _KINDS or (checksums.kind == PLACED_CRC32C and not checksums.seed):
        raise UnsupportedFormatError(
            path, offset, f"checksums of type {checksums.kind} are not read"
        )
    checked_bytes = header.checked_bytes
    if checksums.kind != NO_CHECKSUM and not verified:
        expected = data[checked_bytes:stored_bytes]
        if len(expected) != 4 * _chunk_count(checked_bytes, header.chunk_bytes):
            raise CorruptionError(path, offset, "a block has the wrong number of checksums")
        checksum = _checksum_function(checksums, offset)
        if _checksums(data, checked_bytes, header.chunk_bytes, checksum) != expected:
            raise CorruptionError(path, offset, "a block's checksum does not match")
    with reported_as_corruption(path, offset):
        payload = decompress(data[HEADER_BYTES:checked_bytes], codec, header.payload_bytes)
    return StoredBlock(header.magic, payload, stored_bytes, header.checksum_kind)


class reported_as_corruption:  # noqa: N801 - used as contextlib's are
    """Turns what decoders raise for malformed bytes into CorruptionError.

    A class, because every block read passes two of them: a generator takes three times as long.
    """

    __slots__ = ("_offset", "_path")

    def __init__(self, path: str, offset: int) -> None:
        self._path = path
        self._offset = offset

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, ValueError | IndexError | KeyError | struct.error):
            raise CorruptionError(self._path, self._offset, f"malformed: {error}") from error


def _chunk_count(checked_bytes: int, chunk_bytes: int) -> int:
    return -(-checked_bytes // chunk_bytes)


def _checksums(
    data: bytes, checked_bytes: int, chunk_bytes: int, checksum: Callable[[bytes], int]
) -> bytes:
    sums = [
        checksum(data[start : min(start + chunk_bytes, checked_bytes)])
        for start in range(0, checked_bytes, chunk_bytes)
    ]
    return struct.pack(f">{len(sums)}I", *sums)


def _checksum_function(checksums: Checksums, offset: int) -> Callable[[bytes], int]:
    if checksums.kind == CRC32:
        return zlib.crc32
    if checksums.kind == CRC32C:
        function: Callable[[bytes], int] = google_crc32c.value
        return function
    return partial(
        google_crc32c.extend, google_crc32c.value(checksums.seed + offset.to_bytes(8, "big"))
    )
