"""Tags: small labels that HBase lets a cell carry beside its value.

Nearly no cell has any, so they cost nothing where there are none: cells stay parallel lists
of ``bytes``, and the value of a cell with tags is a ``TaggedValue``, which is its bytes and
carries the tags wherever the value goes. Whoever stores values asks ``any_tagged`` first.

Grammar (HBase's): a cell's tags are one byte string of ``u16 length, u8 type, data`` each,
where the length counts type and data. Source: Tag.java, TagType.java.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

CELL_TTL: Final = 8
"""Type of the tag that holds a cell's own time to live: i64, ms."""
TAGS_BYTES_MAX: Final = 2**15 - 1

_HEAD: Final = struct.Struct(">HB")
_TTL: Final = struct.Struct(">q")


class TaggedValue(bytes):
    """The value of a cell that has tags."""

    tags: bytes

    def __new__(cls, value: bytes, tags: bytes) -> TaggedValue:
        self = super().__new__(cls, value)
        self.tags = tags
        return self

    def __reduce__(self) -> tuple[type[TaggedValue], tuple[bytes, bytes]]:
        return TaggedValue, (bytes(self), self.tags)


def tagged(value: bytes, tags: bytes) -> bytes:
    """The value with these tags, which may be none."""
    return TaggedValue(value, tags) if tags else value


def tags_of(value: bytes) -> bytes:
    """The tags of a cell's value; empty for nearly all."""
    return value.tags if isinstance(value, TaggedValue) else b""


def any_tagged(values: Sequence[bytes]) -> bool:
    """Whether a value among them carries tags. One pass in C."""
    return TaggedValue in map(type, values)


def parse_tags(tags: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, data) of every tag. Raises ValueError for bytes that are no tags."""
    offset = 0
    while offset < len(tags):
        if offset + _HEAD.size > len(tags):
            raise ValueError(f"tags end inside a tag at {offset}")
        length, kind = _HEAD.unpack_from(tags, offset)
        end = offset + 2 + length
        if length < 1 or end > len(tags):
            raise ValueError(f"a tag of {length} bytes at {offset} of {len(tags)}")
        yield kind, tags[offset + _HEAD.size : end]
        offset = end


def build_tags(tags: Iterable[tuple[int, bytes]]) -> bytes:
    """The byte string of these (type, data) pairs."""
    return b"".join(_HEAD.pack(len(data) + 1, kind) + data for kind, data in tags)


def ttl_tag(ttl_ms: int) -> bytes:
    """The tag of a cell that lives so long."""
    return build_tags([(CELL_TTL, _TTL.pack(ttl_ms))])


def with_ttl(value: bytes, ttl_ms: int) -> TaggedValue:
    """The value with this time to live instead of the one it may have (TagUtil.java)."""
    others = [tag for tag in parse_tags(tags_of(value)) if tag[0] != CELL_TTL]
    return TaggedValue(value, build_tags(others) + ttl_tag(ttl_ms))


def check_tags(values: Iterable[bytes]) -> None:
    """Raises ValueError unless the tags of all values are well-formed and not too long."""
    for value in values:
        tags = tags_of(value)
        if len(tags) > TAGS_BYTES_MAX:
            raise ValueError(f"tags of {len(tags)} bytes; the limit is {TAGS_BYTES_MAX}")
        for kind, data in parse_tags(tags):
            if kind == CELL_TTL and len(data) != _TTL.size:
                raise ValueError(f"a time to live of {len(data)} bytes, not {_TTL.size}")


def ttl_ms_of(value: bytes) -> int | None:
    """A cell's own time to live; None if it has none.

    The family's may be shorter, and holds as well.
    """
    if not isinstance(value, TaggedValue):
        return None
    for kind, data in parse_tags(value.tags):
        if kind == CELL_TTL and len(data) == _TTL.size:
            ttl_ms: int = _TTL.unpack(data)[0]
            return ttl_ms
    return None


def is_expired(value: bytes, timestamp: int, now_ms: int) -> bool:
    """Whether the cell's own time to live is over."""
    ttl_ms = ttl_ms_of(value)
    return ttl_ms is not None and timestamp + ttl_ms < now_ms
