"""Hadoop's variable-length numbers, and the part of protobuf that HFiles use.

Decoders take (data, position) and return (value, next position). They raise ValueError or
IndexError for bytes that cannot be right; callers know the file and the offset.
"""

from __future__ import annotations

from collections.abc import Iterator

_VARINT = 0
_FIXED64 = 1
_BYTES = 2
_FIXED32 = 5


def encode_vlong(value: int) -> bytes:
    """Source: WritableUtils.writeVLong."""
    if -112 <= value <= 127:
        return (value & 0xFF).to_bytes(1, "big")
    negative = value < 0
    if negative:
        value = ~value
    length = (value.bit_length() + 7) // 8
    first = (-120 if negative else -112) - length
    return (first & 0xFF).to_bytes(1, "big") + value.to_bytes(length, "big")


def decode_vlong(data: bytes, at: int) -> tuple[int, int]:
    """Source: WritableUtils.readVLong."""
    first = data[at]
    at += 1
    if first <= 127:
        return first, at
    if first >= 0x90:
        return first - 256, at
    negative = first < 0x88
    length = (0x88 if negative else 0x90) - first
    stop = at + length
    if stop > len(data):
        raise ValueError("a variable-length number is cut short")
    value = int.from_bytes(data[at:stop], "big")
    return (~value if negative else value), stop


def encode_byte_array(data: bytes) -> bytes:
    """Source: Bytes.writeByteArray."""
    return encode_vlong(len(data)) + data


def decode_byte_array(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = decode_vlong(data, at)
    return take(data, at, length)


def take(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    """``length`` bytes from ``at``; ValueError if there are not as many."""
    stop = at + length
    if length < 0 or stop > len(data):
        raise ValueError(f"{length} bytes at {at} of {len(data)}")
    return data[at:stop], stop


def encode_varint(value: int) -> bytes:
    """Protobuf's unsigned varint; a negative int64 takes ten bytes, as there."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
    raise ValueError("a varint has more than ten bytes")


def encode_field(number: int, value: int | bytes) -> bytes:
    """A field of a protobuf message: bytes, or an integer or bool as a varint."""
    if isinstance(value, int):
        return encode_varint(number << 3 | _VARINT) + encode_varint(value)
    return encode_varint(number << 3 | _BYTES) + encode_varint(len(value)) + value


def decode_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of every field; values of fixed size come as bytes."""
    at = 0
    while at < len(message):
        tag, at = decode_varint(message, at)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == _VARINT:
            value, at = decode_varint(message, at)
        elif kind == _BYTES:
            length, at = decode_varint(message, at)
            value, at = take(message, at, length)
        elif kind in (_FIXED64, _FIXED32):
            value, at = take(message, at, 8 if kind == _FIXED64 else 4)
        else:
            raise ValueError(f"field {number} has wire type {kind}")
        yield number, value


def encode_delimited(message: bytes) -> bytes:
    return encode_varint(len(message)) + message


def decode_delimited(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = decode_varint(data, at)
    return take(data, at, length)
