"""The coordinator's log and snapshot files as bytes (docs/formats/coordinator-log.md).

A batch is appended and synced before the next one is written. So bytes that are no batch end
the log, unless a batch stands behind them: then they are damage.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import google_crc32c

from ..errors import CorruptionError
from .codec import decode, encode
from .records import CloseSession, OpenSession, Record, Request
from .requests import WatchKind
from .state import CoordinatorState, SessionState
from .znode import Znode

LOG_MAGIC: Final = b"RBCLOG\x00\x01"
SNAPSHOT_MAGIC: Final = b"RBCSNP\x00\x01"
"""The last two bytes are the format's version."""
BATCH_MAGIC: Final = b"\xb7RBB"
_HEADER: Final = struct.Struct(">8sQQI")
_BATCH: Final = struct.Struct(">4sQII")
_FRAME: Final = struct.Struct(">I")
_CRC: Final = struct.Struct(">I")
_ZNODES_A_FRAME: Final = 128


@dataclass(frozen=True, slots=True)
class LogHeader:
    """First in every log file: the life of the coordinator that writes it, and the
    transaction before its first."""

    life: int
    zxid: int

    def encode(self) -> bytes:
        body = _HEADER.pack(LOG_MAGIC, self.life, self.zxid, 0)[: -_CRC.size]
        return body + _CRC.pack(google_crc32c.value(body))


def encode_batch(offset: int, records: Iterable[bytes]) -> bytes:
    """The encoded records as one batch, to be appended at ``offset`` of the file."""
    payload = b"".join(records)
    return _BATCH.pack(BATCH_MAGIC, offset, len(payload), _batch_crc(offset, payload)) + payload


@dataclass(frozen=True, slots=True)
class LogContents:
    """A log file that was read. ``header`` is None if the file ends before its header does."""

    header: LogHeader | None
    records: tuple[Record, ...]
    length: int
    """Of what was understood; torn bytes may follow."""


def decode_log(path: str, data: bytes) -> LogContents:
    """What the log holds, up to a torn tail.

    Raises CorruptionError if a good batch follows a bad one, or the header is bad.
    """
    if len(data) < _HEADER.size or not _has_header(data):
        _demand_nothing_behind(path, data, 0)
        return LogContents(None, (), 0)
    _, life, zxid, _ = _HEADER.unpack_from(data)
    records: list[Record] = []
    at = _HEADER.size
    while (payload := _batch_at(data, at)) is not None:
        records.extend(_records(path, at, payload))
        at += _BATCH.size + len(payload)
    _demand_nothing_behind(path, data, at)
    return LogContents(LogHeader(life, zxid), tuple(records), at)


def _has_header(data: bytes) -> bool:
    (crc,) = _CRC.unpack_from(data, _HEADER.size - _CRC.size)
    body = data[: _HEADER.size - _CRC.size]
    return body.startswith(LOG_MAGIC) and crc == google_crc32c.value(body)


def _batch_at(data: bytes, at: int) -> bytes | None:
    """The payload of the batch at ``at``, None if there is no good one."""
    if at + _BATCH.size > len(data):
        return None
    magic, offset, length, crc = _BATCH.unpack_from(data, at)
    begin = at + _BATCH.size
    if magic != BATCH_MAGIC or offset != at or begin + length > len(data):
        return None
    payload = data[begin : begin + length]
    return payload if crc == _batch_crc(offset, payload) else None


def _batch_crc(offset: int, payload: bytes) -> int:
    head = struct.pack(">QI", offset, len(payload))
    return int(google_crc32c.extend(google_crc32c.value(head), payload))


def _demand_nothing_behind(path: str, data: bytes, bad_at: int) -> None:
    at = data.find(BATCH_MAGIC, bad_at + 1)
    while at >= 0:
        if _batch_at(data, at) is not None:
            raise CorruptionError(path, bad_at, f"damage before the good batch at {at}")
        at = data.find(BATCH_MAGIC, at + 1)


def _records(path: str, at: int, payload: bytes) -> tuple[Record, ...]:
    try:
        records = decode(payload)
    except ValueError as error:
        raise CorruptionError(path, at, f"a batch that cannot be read: {error}") from None
    for record in records:
        if not isinstance(record, OpenSession | CloseSession | Request):
            raise CorruptionError(path, at, f"a {type(record).__name__} among the records")
    return records


def snapshot_parts(state: CoordinatorState) -> Iterator[bytes]:
    """The snapshot's bytes, a slice of work at a time.

    What it holds is the state when the first part is taken, whatever happens to the state in
    between: znodes never change, and all else is in the first part.
    """
    sessions = tuple(state.sessions.values())
    watches = tuple((owner, int(kind), path, xid) for owner, kind, path, xid in state.watches)
    znodes = list(state.tree)
    head = encode((state.zxid, len(znodes), sessions, watches))
    crc = google_crc32c.value(SNAPSHOT_MAGIC)
    yield SNAPSHOT_MAGIC
    for at in range(-_ZNODES_A_FRAME, len(znodes), _ZNODES_A_FRAME):
        body = head if at < 0 else encode(tuple(znodes[at : at + _ZNODES_A_FRAME]))
        frame = _FRAME.pack(len(body)) + body
        crc = google_crc32c.extend(crc, frame)
        yield frame + _CRC.pack(crc)


def decode_snapshot(path: str, data: bytes) -> CoordinatorState:
    """The state in the snapshot. Raises CorruptionError unless it is whole and undamaged."""
    if not data.startswith(SNAPSHOT_MAGIC):
        raise CorruptionError(path, 0, "not a snapshot of a coordinator of this version")
    at = len(SNAPSHOT_MAGIC)
    frames = []
    crc = google_crc32c.value(SNAPSHOT_MAGIC)
    while at < len(data):
        body, crc = _frame_at(path, data, at, crc)
        frames.append(_values(path, at, body))
        at += _FRAME.size + len(body) + _CRC.size
    try:
        zxid, count, sessions, watches = frames[0]
        znodes: list[tuple[str, Znode]] = [one for frame in frames[1:] for one in frame]
        if len(znodes) != count:
            raise ValueError(f"{len(znodes)} znodes of {count}")
        if not all(isinstance(session, SessionState) for session in sessions):
            raise ValueError("something else among the sessions")
        return CoordinatorState.restore(
            zxid,
            znodes,
            sessions,
            [(owner, WatchKind(kind), name, xid) for owner, kind, name, xid in watches],
        )
    except (IndexError, TypeError, ValueError) as error:
        raise CorruptionError(path, at, f"an incomplete snapshot: {error}") from None


def _frame_at(path: str, data: bytes, at: int, crc: int) -> tuple[bytes, int]:
    """The frame's body, and the checksum of the file up to its end but for checksums."""
    begin = at + _FRAME.size
    length = _FRAME.unpack_from(data, at)[0] if begin <= len(data) else 0
    end = begin + length
    if end + _CRC.size > len(data):
        raise CorruptionError(path, at, "the snapshot ends within a frame")
    crc = int(google_crc32c.extend(crc, data[at:end]))
    if crc != _CRC.unpack_from(data, end)[0]:
        raise CorruptionError(path, at, "a frame's checksum is wrong")
    return data[begin:end], crc


def _values(path: str, at: int, body: bytes) -> tuple[Any, ...]:
    try:
        (values,) = decode(body)
    except ValueError as error:
        raise CorruptionError(path, at, f"a frame that cannot be read: {error}") from None
    if not isinstance(values, tuple):
        raise CorruptionError(path, at, "a frame that is no tuple")
    return values
