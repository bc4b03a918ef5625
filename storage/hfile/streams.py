"""Streams of a columnar block: byte strings that are stored as they are or as blosc2 chunks.

::

    form  := 0 raw | 1 a blosc2 chunk
    chunk := u8 version, u8 codec version, u8 flags, u8 item bytes, u32 raw bytes,
             u32 bytes of a part, u32 own bytes, 16 bytes of filters and further flags,
             n x u32 where a part begins, parts

All parts of all chunks are PART_BYTES long but for the last one of a chunk, and a stream that is
shorter than that is filled up with zeros. blosc2 keeps the state of its codec from one chunk to the
next only if their parts have one size: a get that reads a block of two families took 257 us before,
and 205 since.

blosc2 trusts where parts begin and reads whatever is there, so that is checked here; what is
wrong elsewhere in a chunk it finds itself. Source: README_CHUNK_FORMAT.rst of C-Blosc2.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any, Final

_RAW: Final = 0
_CHUNK: Final = 1
PART_BYTES: Final = 17 * 1024
"""A multiple of the size of every item, as blosc2 wants it."""
_COMPRESS_BYTES_MIN: Final = 256
"""Below it a chunk's own header and the call cost more than is won."""
_HEADER: Final = struct.Struct("<2xBxIII15xB")
"""Flags; raw bytes, bytes of a part, own bytes; further flags."""
_IS_COPY: Final = 0x02
_IS_EXTENDED: Final = 0x05
"""What says that the header is as long as all of ours."""
_IS_SPECIAL: Final = 0x70
"""Of the further flags: all items are the same, so there are no parts."""


@cache
def _blosc2() -> Any:
    """Imported on first use: it takes 0.3 s, which a process that opens no file saves."""
    import blosc2

    blosc2.set_nthreads(1)
    blosc2.set_blocksize(PART_BYTES)
    return blosc2


def warm_up() -> None:
    """Does now what the first block would wait 0.3 s for; for processes that must not stall."""
    _blosc2()


def compress(raw: bytes, item_bytes: int) -> tuple[int, int, bytes]:
    """(form, raw bytes, stored bytes themselves); what does not shrink stays as it is."""
    if len(raw) >= _COMPRESS_BYTES_MIN:
        blosc2 = _blosc2()
        chunk: bytes = blosc2.compress(
            raw.ljust(PART_BYTES, b"\0"),
            typesize=item_bytes,
            clevel=1,
            filter=blosc2.Filter.SHUFFLE if item_bytes > 1 else blosc2.Filter.NOFILTER,
            codec=blosc2.Codec.ZSTD,
        )
        if len(chunk) < len(raw):
            return _CHUNK, len(raw), chunk
    return _RAW, len(raw), raw


def decompress(form: int, stored: bytes, raw_bytes: int) -> bytes:
    """The stream. Raises ValueError or struct.error unless it is whole and of this size."""
    if form == _RAW:
        raw = stored
    elif form == _CHUNK:
        filled_bytes = max(raw_bytes, PART_BYTES)
        _check(stored, filled_bytes)
        try:
            raw = _blosc2().decompress(stored)
        except RuntimeError as error:
            raise ValueError(f"a stream cannot be decompressed: {error}") from error
        if len(raw) == filled_bytes:
            raw = raw[:raw_bytes]
    else:
        raise ValueError(f"a stream of form {form}")
    if len(raw) != raw_bytes:
        raise ValueError(f"a stream of {len(raw)} bytes and not {raw_bytes}")
    return raw


def _check(chunk: bytes, raw_bytes: int) -> None:
    flags, raw, part, own, further = _HEADER.unpack_from(chunk)
    if (raw, own) != (raw_bytes, len(chunk)):
        raise ValueError("a compressed stream's header contradicts the block's")
    if flags & _IS_EXTENDED != _IS_EXTENDED or not part:
        raise ValueError("a compressed stream with a header that is none")
    if flags & _IS_COPY or further & _IS_SPECIAL:
        return
    parts = -(-raw // part)
    begin = _HEADER.size + 4 * parts
    if begin > own:
        raise ValueError(f"a compressed stream of {own} bytes in {parts} parts")
    places = struct.unpack_from(f"<{parts}I", chunk, _HEADER.size)
    if places and not begin <= min(places) <= max(places) <= own - 4:
        raise ValueError("a part of a compressed stream begins outside of it")
