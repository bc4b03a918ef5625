"""The trailer: the last 4096 bytes of an HFile, from which everything else is found.

::

    trailer  := magic[8], varint length, FileTrailerProto, zeros, u32 checksum, version
    version  := i32 minor version << 24 | major version
    checksum := crc32c of all the rest; 0 in files of HBase, which has zeros there

Source: FixedFileTrailer.java, HFile.proto.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import google_crc32c

from ...errors import CorruptionError, UnsupportedFormatError
from . import codecs
from .blocks import SEED_BYTES, reported_as_corruption
from .primitives import decode_delimited, decode_fields, encode_delimited, encode_field

MAGIC: Final = b'TRABLK"$'
TRAILER_BYTES: Final = 4096
_CHECKSUM_AT: Final = TRAILER_BYTES - 8
_MAJOR_VERSION: Final = 3
_MINOR_VERSION: Final = 3
_ENCRYPTION_KEY_FIELD: Final = 13
_SEED_FIELD: Final = 64
"""Ours; HBase, which refuses files with our comparator anyway, has no such field."""
NO_OFFSET: Final = 2**64 - 1
"""-1, for the data blocks of an empty file."""


@dataclass(frozen=True, slots=True)
class Trailer:
    """FileTrailerProto, field by field in the order of their numbers."""

    file_info_offset: int = 0
    load_on_open_offset: int = 0
    uncompressed_data_index_bytes: int = 0
    total_uncompressed_bytes: int = 0
    data_index_count: int = 0
    meta_index_count: int = 0
    entry_count: int = 0
    data_index_levels: int = 1
    first_data_block_offset: int = NO_OFFSET
    last_data_block_offset: int = NO_OFFSET
    comparator: str = ""
    codec: int = codecs.NONE
    seed: bytes = b""
    """Of the checksums of its blocks, in a file whose checksums are ours."""
    is_checked: bool = False
    """Whether a checksum was there and right."""

    def encode(self) -> bytes:
        message = b""
        for number, name in _FIELDS.items():
            value = getattr(self, name)
            if number == _SEED_FIELD and not value:
                continue
            message += encode_field(number, value.encode() if isinstance(value, str) else value)
        body = (MAGIC + encode_delimited(message)).ljust(_CHECKSUM_AT, b"\0")
        version = (_MINOR_VERSION << 24 | _MAJOR_VERSION).to_bytes(4, "big")
        checksum: int = google_crc32c.value(body + version)
        return body + checksum.to_bytes(4, "big") + version

    @classmethod
    def decode(cls, path: str, size: int, tail: bytes) -> Trailer:
        """The trailer of a file of ``size`` bytes that ends with ``tail``.

        Raises UnsupportedFormatError for other versions, codecs and for encrypted files,
        CorruptionError for what is no HFile.
        """
        offset = max(size - TRAILER_BYTES, 0)
        if len(tail) < 4:
            raise CorruptionError(path, 0, f"a file of {size} bytes is no HFile")
        version = int.from_bytes(tail[-4:], "big")
        major, minor = version & 0xFFFFFF, version >> 24
        if major in (1, 2):
            raise UnsupportedFormatError(
                path, size - 4, f"HFile version {major} is not read, only {_MAJOR_VERSION}"
            )
        trailer = tail[-TRAILER_BYTES:]
        if len(trailer) < TRAILER_BYTES or trailer[:8] != MAGIC or major != _MAJOR_VERSION:
            raise CorruptionError(path, offset, "the file does not end with an HFile's trailer")
        if minor > _MINOR_VERSION:
            raise UnsupportedFormatError(
                path, size - 4, f"HFile version {major}.{minor} is not read"
            )
        checksum = int.from_bytes(trailer[_CHECKSUM_AT:-4], "big")
        matches = checksum == google_crc32c.value(trailer[:_CHECKSUM_AT] + trailer[-4:])
        if checksum and not matches:
            raise CorruptionError(path, offset, "the trailer's checksum does not match")
        with reported_as_corruption(path, offset):
            message, _ = decode_delimited(trailer, 8)
            decoded = replace(cls._from_message(path, offset, message), is_checked=matches)
        if not decoded.load_on_open_offset <= decoded.file_info_offset < offset:
            raise CorruptionError(path, offset, "the trailer points outside of the file")
        return decoded

    @classmethod
    def _from_message(cls, path: str, offset: int, message: bytes) -> Trailer:
        values: dict[str, Any] = {}
        for number, value in decode_fields(message):
            if number == _ENCRYPTION_KEY_FIELD:
                raise UnsupportedFormatError(path, offset, "encrypted HFiles are not read")
            name = _FIELDS.get(number)
            if name is None:
                continue
            if isinstance(value, bytes) != (name in ("comparator", "seed")):
                raise ValueError(f"field {number} of the trailer has the wrong type")
            values[name] = value
        values["comparator"] = values.get("comparator", b"").decode()
        decoded = cls(**values)
        if decoded.codec not in codecs.READ:
            raise UnsupportedFormatError(
                path, offset, f"codec {codecs.codec_name(decoded.codec)} is not read"
            )
        if decoded.seed and len(decoded.seed) != SEED_BYTES:
            raise ValueError(f"a seed of {len(decoded.seed)} bytes in the trailer")
        return decoded


_FIELDS: Final = {
    number: one.name
    for number, one in enumerate(fields(Trailer), 1)
    if one.name not in ("seed", "is_checked")
} | {_SEED_FIELD: "seed"}
"""Of the protobuf message: HBase's, and ours beside them."""
