"""Damaged files: the right answer or a typed error, never wrong data, never much memory.

Each file is small, so that every byte of it can be flipped and every length be cut to.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from ...errors import CorruptionError
from ...model import FamilyDescriptor, RegionInfo, TableName
from ...storage.block_cache import BlockCache
from ...storage.hfile import HFileReader, HFileWriter
from ...storage.key import PLAIN_ROWS, cell_key
from ...storage.manifest import Manifest, NonceFileEntry, StoreFileEntry, manifest_path
from ...storage.nonce_table import NonceTable, run_of
from ...storage.wal import FamilyCells, WalEncoder, WalRecord, read_log

MEMORY_BYTES_MAX: Final = 4 * 1024 * 1024
"""What reading a damaged file of a few KB may take at most."""
_TABLE: Final = TableName.parse("t")
_REGION: Final = RegionInfo(_TABLE, b"a", b"z", 7)
CUT: Final = "cut"
ZEROED: Final = "zeroed"
FLIPPED: Final = "flipped"
_FLIPS: Final = (0x01, 0x80, 0xFF)


@dataclass(frozen=True, slots=True)
class Specimen:
    """A good file, and how it is read.

    ``may_end_early`` names the kinds of damage after which an answer may lack the end of the
    good one: what looks like a log that a crash cut short is read as such.
    """

    kind: str
    data: bytes
    read: Callable[[bytes], list[Any]]
    may_end_early: tuple[str, ...] = ()

    def verdict(self, kind: str, data: bytes) -> str:
        """What is wrong with what reading ``data`` gives; "" if it is what was written, or
        CorruptionError."""
        good = _good(self)
        try:
            found = self.read(data)
        except CorruptionError:
            return ""
        except Exception as error:  # whatever it is: it would end the process
            return f"it raises {error!r}"
        if found == good or (kind in self.may_end_early and found == good[: len(found)]):
            return ""
        return "it gives wrong data"


@cache
def _good(specimen: Specimen) -> list[Any]:
    return specimen.read(specimen.data)


def log_records(count: int = 6) -> list[WalRecord]:
    return [
        WalRecord(
            _REGION.encoded_name,
            _TABLE,
            number,
            1000 + number,
            (FamilyCells(b"f", [b"key%d" % number], [b"value %d" % number * 3]),),
            number,
            number * 7,
        )
        for number in range(1, count + 1)
    ]


def log_specimen(*, durable: bool) -> Specimen:
    """A log of three batches. If ``durable``, a later batch says that all of them were."""
    encoder = WalEncoder(42)
    data = encoder.begin()
    framed = [one.encode() for one in log_records()]
    ends = [len(data)]
    for first in range(0, len(framed), 2):
        data += encoder.batch(framed[first : first + 2], ends[-1] if durable else 0)
        ends.append(len(data))
    if durable:
        data += encoder.batch([], len(data))
    kind = "log, sealed" if durable else "log"
    early = (CUT, ZEROED) if durable else (CUT, ZEROED, FLIPPED)
    return Specimen(kind, data, lambda found: list(read_log("WALs/s/1", found)), early)


def recovered_specimen() -> Specimen:
    """Recovered edits: written whole, so that nothing of them may be missing."""
    encoder = WalEncoder(0)
    data = encoder.begin() + encoder.batch([one.encode() for one in log_records()], 0)
    path = "data/default/t/r/recovered.edits/1"
    return Specimen("recovered edits", data, lambda d: list(read_log(path, d, complete=True)))


def manifest_specimen() -> Specimen:
    entry = StoreFileEntry(b"f", "data/default/t/r/f/1", 1000, 10, 6, b"b", b"y", 1, 9)
    nonces = NonceFileEntry("data/default/t/r/nonces/1", 3, 90, 95)
    manifest = Manifest(3, _REGION, "host,1,1", 2, 4, 6, {b"f": 5}, 99, 98, (nonces,), (entry,))
    path = manifest_path(_REGION, 3)
    return Specimen("manifest", manifest.encode(), lambda found: [Manifest.decode(path, found)])


def nonces_specimen() -> Specimen:
    columns = run_of([(number * 7 % 64, number, number + 1) for number in range(64)])
    table = NonceTable(NonceFileEntry("data/default/t/r/nonces/1", 64, 90, 95), columns)

    def read(found: bytes) -> list[Any]:
        return list(NonceTable.decode(table.entry, found).columns.T.tolist())

    return Specimen("nonces", b"".join(table.pieces()), read)


def store_file_specimen() -> Specimen:
    writer = HFileWriter(FamilyDescriptor(b"f", block_bytes=512), PLAIN_ROWS)
    keys = [cell_key(b"row%03d" % number, b"q", 5, 4, number + 1) for number in range(60)]
    writer.append(keys, [b"value of %d" % (number * number) for number in range(60)])
    data = bytes(writer.finish(max_sequence_id=60, created_ms=1).data)

    def read(found: bytes) -> list[Any]:
        reader = HFileReader.from_image("f/1", memoryview(found))
        cache = BlockCache(1 << 20)
        return [
            (key, bytes(value))
            for block in reader.blocks(cache)
            for key, value in zip(block.keys, block.values, strict=True)
        ]

    return Specimen("store file", data, read)


def flipped(specimen: Specimen) -> Iterator[tuple[str, bytes]]:
    """Each byte changed, in one of several ways: (what was done, the file)."""
    for offset in range(len(specimen.data)):
        mask = _FLIPS[offset % len(_FLIPS)]
        damaged = bytearray(specimen.data)
        damaged[offset] ^= mask
        yield f"byte {offset} ^ {mask:#x}", bytes(damaged)


def cut(specimen: Specimen) -> Iterator[tuple[str, bytes]]:
    """Each length that is shorter."""
    for length in range(len(specimen.data)):
        yield f"cut to {length} bytes", specimen.data[:length]


def zeroed(specimen: Specimen, size: int = 64) -> Iterator[tuple[str, bytes]]:
    """Each stretch of zeros, as a sector that was never written."""
    for offset in range(0, len(specimen.data), size // 2):
        damaged = bytearray(specimen.data)
        stop = min(offset + size, len(damaged))
        damaged[offset:stop] = bytes(stop - offset)
        if damaged != specimen.data:
            yield f"zeros at {offset}", bytes(damaged)


def specimens() -> dict[str, Specimen]:
    """By kind."""
    made = (
        log_specimen(durable=False),
        log_specimen(durable=True),
        recovered_specimen(),
        manifest_specimen(),
        nonces_specimen(),
        store_file_specimen(),
    )
    return {one.kind: one for one in made}


def problems(specimen: Specimen) -> Iterator[str]:
    """What any damage of the specimen leads to that it must not."""
    damages = {FLIPPED: flipped, CUT: cut, ZEROED: zeroed}
    for kind, damage in damages.items():
        for what, data in damage(specimen):
            if verdict := specimen.verdict(kind, data):
                yield f"{specimen.kind}, {what}: {verdict}"


def memory_of(read: Callable[[bytes], object], data: bytes) -> int:
    """The most bytes that were allocated while the file was read, whatever came of it."""
    tracemalloc.start()
    try:
        with suppress(CorruptionError):
            read(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
