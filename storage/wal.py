"""The write-ahead log's bytes: records, batches, and when a bad byte is corruption.

Grammar and reasons in docs/formats/wal.md. A log is written in batches, one for each sync;
every batch says up to which offset the file was durable when the batch was made. So a bad
record tells by itself what it is: below an offset that a later batch calls durable it was
once acknowledged and is now damaged (CorruptionError); above all of them it is the tail of a
write that never ended, and the log ends before it.

Nothing here does I/O: others write what the encoder makes, and the decoder gets whole files.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

import google_crc32c

from ..errors import CorruptionError, IllegalArgumentError
from ..model import TableName
from .tags import any_tagged, tagged, tags_of

FILE_MAGIC: Final = b"RBWAL001"
BATCH_MAGIC: Final = b"\xf5RBbatch"
_FILE_HEADER: Final = struct.Struct(">8sQI")
_BATCH_HEADER: Final = struct.Struct(">8sQQQIII")
"""magic, log id, own offset, durable offset, bytes of records, records, CRC32C."""
_RECORD_HEADER: Final = struct.Struct(">II")
_RECORD_FIXED: Final = struct.Struct(">QQQQ")
_U32: Final = struct.Struct(">I")
_U16: Final = struct.Struct(">H")
_U64: Final = struct.Struct(">Q")
_TWO_U32: Final = struct.Struct(">II")
_FIXED_AT: Final = _RECORD_HEADER.size
_ADDRESS_AT: Final = _FIXED_AT + _RECORD_FIXED.size
_RECORD_BYTES_MIN: Final = _RECORD_FIXED.size + 5
_HAS_TAGS: Final = 1 << 31
"""Set in the number of a family's cells if some of them carry tags, which follow the values."""

_checksum = google_crc32c.value


class FamilyCells(NamedTuple):
    """Cells of one family, as parallel lists; the keys hold the sequence ids.

    A value with tags is a TaggedValue.
    """

    family: bytes
    keys: list[bytes]
    values: list[bytes]


class WalRecord(NamedTuple):
    """One atomic write to one region, or a part of its memstores on their way elsewhere.

    ``sequence_id`` is the highest of its cells. ``clock_ms`` is the region's clock after the
    write. A nonce of 0 is none.
    """

    region: str
    table: TableName
    sequence_id: int
    clock_ms: int
    families: tuple[FamilyCells, ...]
    nonce_group: int = 0
    nonce: int = 0
    cluster_id: str = ""

    def encode(self) -> bytes:
        """The framed record; equal records give equal bytes."""
        return encode_record(
            record_address(self.region, self.table, self.cluster_id),
            self.sequence_id,
            self.clock_ms,
            self.families,
            self.nonce_group,
            self.nonce,
        )


def record_address(region: str, table: TableName, cluster_id: str = "") -> bytes:
    """The part of a record that is the same for all records of a region."""
    parts = []
    for text in (region, str(table), cluster_id):
        data = text.encode()
        parts += [_U16.pack(len(data)), data]
    return b"".join(parts)


def encode_record(
    address: bytes,
    sequence_id: int,
    clock_ms: int,
    families: Sequence[FamilyCells],
    nonce_group: int = 0,
    nonce: int = 0,
) -> bytes:
    """A framed record, for a batch."""
    parts = [
        _RECORD_FIXED.pack(sequence_id, clock_ms, nonce_group, nonce),
        address,
        _U16.pack(len(families)),
    ]
    for cells in families:
        family, keys, values = cells
        count = len(keys)
        tags = [tags_of(value) for value in values] if any_tagged(values) else []
        mark = _HAS_TAGS if tags else 0
        lengths = struct.pack(f">{2 * count}I", *map(len, keys), *map(len, values))
        parts += [bytes((len(family),)), family, _U32.pack(count | mark), lengths]
        if tags:
            parts.append(struct.pack(f">{count}H", *map(len, tags)))
        parts += keys
        parts += values
        parts += tags
    payload = b"".join(parts)
    return _RECORD_HEADER.pack(len(payload), _checksum(payload)) + payload


class WalEncoder:
    """Frames the records of one log file.

    ``log_id`` is a number no other log has, so that a batch of another file, or a value that
    looks like a batch, is never taken for one of this file. Write what ``begin`` and every
    ``batch`` return, in this order and whole.
    """

    def __init__(self, log_id: int = 0) -> None:
        self.log_id = log_id
        self.offset = 0
        """Length of the file when all that was returned has been written."""

    def begin(self) -> bytes:
        """The head of the file."""
        head = FILE_MAGIC + struct.pack(">Q", self.log_id)
        self.offset = _FILE_HEADER.size
        return head + _U32.pack(_checksum(head))

    def batch(self, records: Sequence[bytes], durable_offset: int) -> bytes:
        """A batch of framed records.

        ``durable_offset`` is the length of the file known to have reached the disk: a value
        that is too low is safe, one that is too high makes a torn tail look like damage.
        """
        body = b"".join(records)
        head = struct.pack(
            ">8sQQQII",
            BATCH_MAGIC,
            self.log_id,
            self.offset,
            durable_offset,
            len(body),
            len(records),
        )
        self.offset += _BATCH_HEADER.size + len(body)
        return b"".join((head, _U32.pack(_checksum(head)), body))


def encode_log(records: Sequence[bytes], log_id: int = 0) -> bytes:
    """A whole file of framed records: what recovered edits are kept in."""
    encoder = WalEncoder(log_id)
    return encoder.begin() + encoder.batch(records, 0)


def read_records(path: str, data: bytes, *, complete: bool = False) -> Iterator[bytes]:
    """The framed records of a log file in order, up to where the log ends.

    ``complete`` says that the file was written as a whole before it got its name, as recovered
    edits are: then it must be good to its last byte.

    Raises CorruptionError for a bad record that was durable once: restore the file; nothing
    behind it was read.
    """
    for offset, length in find_records(path, data, complete=complete):
        yield data[offset : offset + length]


def decode_record(framed: bytes) -> WalRecord:
    """The record in bytes that came from ``read_records`` or ``encode_record``.

    Raises struct.error, ValueError, IndexError, IllegalArgumentError for any other bytes.
    """
    sequence_id, clock_ms, nonce_group, nonce = _RECORD_FIXED.unpack_from(framed, _FIXED_AT)
    (region, table, cluster_id), offset = _address_of(framed)
    (family_count,) = _U16.unpack_from(framed, offset)
    offset += _U16.size
    families = []
    for _ in range(family_count):
        cells, offset = _decode_family(framed, offset)
        families.append(cells)
    return WalRecord(
        region, table, sequence_id, clock_ms, tuple(families), nonce_group, nonce, cluster_id
    )


def read_log(path: str, data: bytes, *, complete: bool = False) -> Iterator[WalRecord]:
    """``read_records``, decoded."""
    for offset, length in find_records(path, data, complete=complete):
        yield record_at(path, data, offset, length)


def record_at(path: str, data: bytes, offset: int, length: int) -> WalRecord:
    """The record that ``find_records`` found there. Raises CorruptionError."""
    try:
        return decode_record(data[offset : offset + length])
    except (struct.error, ValueError, IndexError, IllegalArgumentError) as error:
        raise CorruptionError(path, offset, f"a record makes no sense: {error}") from error


@dataclass(frozen=True, slots=True)
class RecoveredEdits:
    """One region's share of a log: ``data`` is a log file by itself."""

    region: str
    records: int
    max_sequence_id: int
    data: bytes


class LogIndex:
    """Where each region's records are in the bytes of a log file, found in one pass.

    Raises CorruptionError as ``read_records`` does.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.regions: dict[str, TableName] = {}
        """Table of every region that has a record in the file, in order."""
        self._data = data
        self._places: dict[str, list[tuple[int, int, int]]] = {}
        for offset, length in find_records(path, data):
            framed = data[offset : offset + length]
            (sequence_id,) = _U64.unpack_from(framed, _FIXED_AT)
            (region, table, _), _ = _address_of(framed)
            places = self._places.get(region)
            if places is None:
                places = self._places[region] = []
                self.regions[region] = table
            places.append((sequence_id, offset, length))

    def split(self, flushed: Mapping[str, int]) -> Iterator[RecoveredEdits]:
        """The records by region, without those whose edits are in files.

        ``flushed`` names, for every region wanted, the sequence id up to which all edits of
        all its families are in files (from its manifest); other regions are left out.
        """
        for region, places in self._places.items():
            if region not in flushed:
                continue
            wanted = [one for one in places if one[0] > flushed[region]]
            if wanted:
                records = [self._data[at : at + length] for _, at, length in wanted]
                highest = max(wanted)[0]
                yield RecoveredEdits(region, len(records), highest, encode_log(records))


def find_records(
    path: str, data: bytes, *, complete: bool = False
) -> Generator[tuple[int, int], None, int]:
    """(offset, length) of every framed record; returns the offset at which the log ends.

    What follows there is a tail that nobody was told of. ``complete`` and errors as in
    ``read_records``.
    """
    if not data and not complete:
        return 0
    log_id = _log_id(data)
    if log_id is None:
        return _end(path, data, 0, None, "the head of the log is damaged", complete)
    offset = _FILE_HEADER.size
    if complete and offset == len(data):
        return _end(path, data, offset, log_id, "there is nothing behind the head", complete)
    while offset < len(data):
        header = _batch_header(data, offset, log_id)
        if header is None:
            return _end(path, data, offset, log_id, "the head of a batch is damaged", complete)
        _, body_bytes, count = header
        offset += _BATCH_HEADER.size
        stop = offset + body_bytes
        for _ in range(count):
            length = _record_length(data, offset, stop)
            if not length:
                return _end(path, data, offset, log_id, "a record is damaged", complete)
            yield offset, length
            offset += length
        if offset != stop:
            reason = "a batch is longer than its records"
            return _end(path, data, offset, log_id, reason, complete)
    return offset


def _log_id(data: bytes) -> int | None:
    if len(data) < _FILE_HEADER.size:
        return None
    magic, log_id, checksum = _FILE_HEADER.unpack_from(data)
    if magic != FILE_MAGIC or checksum != _checksum(data[: _FILE_HEADER.size - 4]):
        return None
    return int(log_id)


def _batch_header(data: bytes, offset: int, log_id: int | None) -> tuple[int, int, int] | None:
    """(durable offset, bytes of records, count); None if there is no batch at ``offset``."""
    end = offset + _BATCH_HEADER.size
    if end > len(data):
        return None
    magic, own_log_id, own_offset, durable, body_bytes, count, checksum = _BATCH_HEADER.unpack_from(
        data, offset
    )
    if magic != BATCH_MAGIC or own_offset != offset or log_id not in (None, own_log_id):
        return None
    if checksum != _checksum(data[offset : end - 4]):
        return None
    return durable, body_bytes, count


def _record_length(data: bytes, offset: int, stop: int) -> int:
    """Bytes of the framed record at ``offset``; 0 if there is none that is whole and good."""
    start = offset + _RECORD_HEADER.size
    if start > min(stop, len(data)):
        return 0
    length, checksum = _RECORD_HEADER.unpack_from(data, offset)
    if length < _RECORD_BYTES_MIN or start + length > min(stop, len(data)):
        return 0
    if checksum != _checksum(data[start : start + length]):
        return 0
    return _RECORD_HEADER.size + int(length)


def _end(
    path: str, data: bytes, offset: int, log_id: int | None, reason: str, complete: bool
) -> int:
    """``offset``, if the log may end there; raises CorruptionError if it must not."""
    if complete:
        raise CorruptionError(path, offset, reason)
    at = data.find(BATCH_MAGIC, offset)
    while at >= 0:
        header = _batch_header(data, at, log_id)
        if header is not None and header[0] > offset:
            raise CorruptionError(path, offset, f"{reason}, and it was durable once")
        at = data.find(BATCH_MAGIC, at + 1)
    return offset


def _address_of(framed: bytes) -> tuple[tuple[str, TableName, str], int]:
    """((region, table, cluster id), offset after them)."""
    offset = _ADDRESS_AT
    for _ in range(3):
        offset += _U16.size + _U16.unpack_from(framed, offset)[0]
    return _decode_address(framed[_ADDRESS_AT:offset]), offset


@lru_cache(maxsize=1024)
def _decode_address(address: bytes) -> tuple[str, TableName, str]:
    texts = []
    offset = 0
    for _ in range(3):
        end = offset + _U16.size + _U16.unpack_from(address, offset)[0]
        texts.append(str(address[offset + _U16.size : end], "utf-8"))
        offset = end
    region, table, cluster_id = texts
    return region, TableName.parse(table), cluster_id


def _decode_family(framed: bytes, offset: int) -> tuple[FamilyCells, int]:
    name_end = offset + 1 + framed[offset]
    family = framed[offset + 1 : name_end]
    (count,) = _U32.unpack_from(framed, name_end)
    lengths_at = name_end + _U32.size
    if count & _HAS_TAGS:
        return _decode_tagged(framed, family, count & ~_HAS_TAGS, lengths_at)
    start = lengths_at + _U32.size * 2 * count
    if count == 1:
        key_bytes, value_bytes = _TWO_U32.unpack_from(framed, lengths_at)
        middle = start + key_bytes
        end = middle + value_bytes
        return FamilyCells(family, [framed[start:middle]], [framed[middle:end]]), end
    parts, end = _slices(framed, struct.unpack_from(f">{2 * count}I", framed, lengths_at), start)
    return FamilyCells(family, parts[:count], parts[count:]), end


def _decode_tagged(
    framed: bytes, family: bytes, count: int, lengths_at: int
) -> tuple[FamilyCells, int]:
    lengths = struct.Struct(f">{2 * count}I{count}H")
    start = lengths_at + lengths.size
    parts, end = _slices(framed, lengths.unpack_from(framed, lengths_at), start)
    keys, values, tags = parts[:count], parts[count : 2 * count], parts[2 * count :]
    return FamilyCells(family, keys, list(map(tagged, values, tags))), end


def _slices(data: bytes, lengths: Sequence[int], start: int) -> tuple[list[bytes], int]:
    """Parts of these lengths from ``start`` on, one behind the other, and where they end."""
    ends = list(accumulate(lengths, initial=start))
    return [data[a:b] for a, b in pairwise(ends)], ends[-1]
