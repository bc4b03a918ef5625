"""Values as bytes, for the coordinator's log and snapshots (docs/formats/coordinator-log.md).

A value is None, a bool, an int, text, bytes, a tuple of values, or one of the structs below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

from .records import Answer, CloseSession, OpenSession, Request
from .requests import (
    Check,
    Create,
    Delete,
    EventType,
    Exists,
    GetChildren,
    GetData,
    Multi,
    SetData,
    WatchEvent,
    WatchKind,
)
from .state import SessionState
from .znode import Stat, Znode

NONE: Final = 0
TRUE: Final = 1
FALSE: Final = 2
INT: Final = 3
TEXT: Final = 4
BYTES: Final = 5
TUPLE: Final = 6
STRUCT: Final = 7
DEPTH_MAX: Final = 16

# The numbers stand in files: never change one, nor the order of a struct's fields.
_STRUCTS: Final[dict[int, type[Any]]] = {
    1: OpenSession,
    2: CloseSession,
    3: Request,
    4: Answer,
    5: Create,
    6: Delete,
    7: SetData,
    8: Check,
    9: Multi,
    10: GetData,
    11: Exists,
    12: GetChildren,
    13: Stat,
    14: WatchEvent,
    15: Znode,
    16: SessionState,
}
_NUMBERS: Final = {kind: number for number, kind in _STRUCTS.items()}
_FIELDS: Final = {kind: tuple(one.name for one in fields(kind)) for kind in _NUMBERS}


def encode(value: Any) -> bytes:
    """Raises TypeError or ValueError for what is not a value, or could not be read back."""
    out = bytearray()
    _put(out, value, 0)
    return bytes(out)


def decode(data: bytes) -> tuple[Any, ...]:
    """All values that ``data`` consists of. Raises ValueError, which says what is wrong."""
    reader = _Reader(data)
    values = []
    while reader.at < len(data):
        values.append(reader.value(0))
    return tuple(values)


def _put(out: bytearray, value: Any, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise ValueError(f"values nested deeper than {DEPTH_MAX}")
    if value is None:
        out.append(NONE)
    elif isinstance(value, bool):
        out.append(TRUE if value else FALSE)
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{value} is not a number of 64 bits")
        out.append(INT)
        _put_varint(out, 2 * value if value >= 0 else -2 * value - 1)
    elif isinstance(value, str):
        _put_bytes(out, TEXT, value.encode())
    elif isinstance(value, bytes):
        _put_bytes(out, BYTES, value)
    elif isinstance(value, tuple):
        out.append(TUPLE)
        _put_varint(out, len(value))
        for one in value:
            _put(out, one, depth + 1)
    else:
        _put_struct(out, value, depth)


def _put_struct(out: bytearray, value: Any, depth: int) -> None:
    number = _NUMBERS.get(type(value))
    if number is None:
        raise TypeError(f"a {type(value).__name__} has no place in a file")
    out.append(STRUCT)
    out.append(number)
    for name in _FIELDS[type(value)]:
        one = getattr(value, name)
        if isinstance(one, dict):
            one = tuple(one.values())  # Answers; each holds its key.
        elif isinstance(one, list):
            one = tuple(one)
        _put(out, one, depth + 1)


def _put_bytes(out: bytearray, tag: int, data: bytes) -> None:
    out.append(tag)
    _put_varint(out, len(data))
    out += data


def _put_varint(out: bytearray, number: int) -> None:
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


class _Reader:
    """Reads values one after another; lengths are believed only within the data."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise ValueError(f"values nested deeper than {DEPTH_MAX}")
        tag = self._take(1)[0]
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        if tag == STRUCT:
            return self._struct(depth)
        number = self._varint()
        if tag == INT:
            return -(number + 1) // 2 if number & 1 else number // 2
        if tag == TEXT:
            return self._take(number).decode()
        if tag == BYTES:
            return self._take(number)
        if tag == TUPLE:
            if number > len(self._data) - self.at:
                raise ValueError(f"a tuple of {number} values in less bytes")
            return tuple(self.value(depth + 1) for _ in range(number))
        raise ValueError(f"no value begins with byte {tag}")

    def _struct(self, depth: int) -> Any:
        kind = _STRUCTS.get(number := self._take(1)[0])
        if kind is None:
            raise ValueError(f"no struct has number {number}")
        values = [self.value(depth + 1) for _ in _FIELDS[kind]]
        make = _MAKERS.get(kind, kind)
        try:
            return make(*values)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a {kind.__name__}: {error}") from None

    def _take(self, length: int) -> bytes:
        end = self.at + length
        if end > len(self._data):
            raise ValueError(f"{length} bytes wanted, {len(self._data) - self.at} left")
        taken = self._data[self.at : end]
        self.at = end
        return taken

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")


def _event(number: int, type_: int, path: str, kind: int, xid: int, zxid: int) -> WatchEvent:
    return WatchEvent(number, EventType(type_), path, WatchKind(kind), xid, zxid)


def _session(
    session_id: int,
    nonce: int,
    holder: str,
    timeout_ms: int,
    last_xid: int,
    answers: tuple[Answer, ...],
    events_made: int,
    events: tuple[WatchEvent, ...],
) -> SessionState:
    by_xid = {answer.xid: answer for answer in answers}
    return SessionState(
        session_id, nonce, holder, timeout_ms, last_xid, by_xid, events_made, list(events)
    )


_CONSTANTS: Final = {NONE: None, TRUE: True, FALSE: False}
_MAKERS: Final[dict[type[Any], Callable[..., Any]]] = {WatchEvent: _event, SessionState: _session}
