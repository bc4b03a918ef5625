"""Frames: how calls and answers lie in the byte stream of a connection.

::

    connection := preamble frame*
    preamble   := "HBas" version:u8 auth:u8 length:i32 ConnectionHeader
    frame      := length:i32 delimited(header) [delimited(message)] cells
    delimited  := varint(length) bytes

Integers are big-endian, the varint is protobuf's. Requests and answers share the form: a
request has a RequestHeader and always a message, an answer a ResponseHeader and a message
unless the header carries an exception. ``cells`` is what is left, and its length stands in the
header. Source: NettyRpcFrameDecoder.java, IPCUtil.java.
"""

from __future__ import annotations

from typing import Final

from ..errors import BadFrameError, RequestTooBigError

MAGIC: Final = b"HBas"
REGISTRY_MAGIC: Final = b"Regist"
"""Preamble of a throw-away connection that asks for the cluster's id (2.6 and later)."""
VERSION: Final = 0
AUTH_SIMPLE: Final = 0x50
PREAMBLE: Final = MAGIC + bytes((VERSION, AUTH_SIMPLE))
PREAMBLE_BYTES: Final = 6
LENGTH_BYTES: Final = 4
CONNECTION_CALL_ID: Final = 0xFFFFFFFF
"""-1: the answer is about the connection, not about a call."""
HEADER_BYTES_MAX: Final = 64 * 1024
"""A connection's header, or a call's, is never longer."""
FRAME_BYTES_MAX: Final = 256 * 1024 * 1024
"""hbase.ipc.max.request.size, as shipped."""

_VARINT_BYTES_MAX: Final = 5
_SMALL: Final = tuple(bytes((value,)) for value in range(0x80))


def varint(value: int) -> bytes:
    """Protobuf's encoding of a number that is not negative."""
    if value < 0x80:
        return _SMALL[value]
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, offset after it). Raises BadFrameError if none ends within ``data``."""
    value = 0
    for index, byte in enumerate(data[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise BadFrameError(f"no length at offset {at} of a frame of {len(data)} bytes")


def encode_frame(header: bytes, message: bytes | None, cells: bytes = b"") -> bytes:
    """One frame with its length; ``message`` None for an answer that is an exception."""
    header_length = varint(len(header))
    if message is None:
        length = len(header_length) + len(header)
        return b"%b%b%b" % (length.to_bytes(4, "big"), header_length, header)
    message_length = varint(len(message))
    length = len(header_length) + len(header) + len(message_length) + len(message) + len(cells)
    return b"".join(
        (length.to_bytes(4, "big"), header_length, header, message_length, message, cells)
    )


def read_delimited(frame: bytes, at: int) -> tuple[bytes, int]:
    """(bytes of a delimited part, offset after it). Raises BadFrameError."""
    if at < len(frame) and frame[at] < 0x80:
        length = frame[at]
        at += 1
    else:
        length, at = read_varint(frame, at)
    end = at + length
    if end > len(frame):
        raise BadFrameError(
            f"a part of {length} bytes at offset {at} of a frame of {len(frame)} bytes"
        )
    return frame[at:end], end


class FrameReader:
    """Cuts a byte stream into frames.

    Whatever the pieces it is fed, ``next`` gives the same frames; each byte is copied at most
    a constant number of times. A length that is negative or above ``frame_bytes_max`` is
    refused when its four bytes are there, so no more than one frame and one piece is ever held.
    """

    __slots__ = ("_at", "_data", "frame_bytes_max")

    def __init__(self, frame_bytes_max: int) -> None:
        self.frame_bytes_max = frame_bytes_max
        self._data: bytes | bytearray = b""
        self._at = 0

    @property
    def buffered_bytes(self) -> int:
        return len(self._data) - self._at

    def feed(self, data: bytes) -> None:
        """Adds what came from the network."""
        held = self._data
        if self._at == len(held):
            self._data = data
        elif isinstance(held, bytearray):
            if self._at > len(held) // 2:
                del held[: self._at]
                self._at = 0
            held += data
            return
        else:
            rest = bytearray(held[self._at :])
            rest += data
            self._data = rest
        self._at = 0

    def take(self, length: int) -> bytes | None:
        """The next ``length`` bytes, or None if they are not all there yet."""
        end = self._at + length
        data = self._data
        if end > len(data):
            return None
        if isinstance(data, bytes):
            piece = data[self._at : end]
        else:
            with memoryview(data) as view:
                piece = bytes(view[self._at : end])
        self._at = end
        return piece

    def peek(self, length: int) -> bytes:
        """Up to ``length`` of the bytes held, which stay."""
        return bytes(self._data[self._at : self._at + length])

    def clear(self) -> None:
        """Forgets what is held."""
        self._data = b""
        self._at = 0

    def next(self) -> bytes | None:
        """The next whole frame without its length, or None.

        Raises:
            BadFrameError: the length is negative; the stream cannot be read any further.
            RequestTooBigError: it is above the limit; the frame stays, ``peek`` shows it.
        """
        at = self._at
        data = self._data
        if len(data) - at < LENGTH_BYTES:
            return None
        length = int.from_bytes(data[at : at + LENGTH_BYTES], "big", signed=True)
        if length < 0:
            raise BadFrameError(f"a frame of length {length}")
        if length > self.frame_bytes_max:
            raise RequestTooBigError(
                f"a frame of {length} bytes; the limit is {self.frame_bytes_max}"
            )
        if len(data) - at < LENGTH_BYTES + length:
            return None
        self._at = at + LENGTH_BYTES
        return self.take(length)
