"""NonceTable: the nonces that one flush wrote, sorted, the same in memory and in its file.

Grammar in docs/formats/nonces.md. A file is written once and never changed, so that a manifest
names nonces instead of holding them, whoever opens the region takes the file as it is, and a
nonce costs 24 bytes in memory. All nonces of a table expire together.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import google_crc32c
import numpy as np
import numpy.typing as npt

from ..errors import CorruptionError
from .manifest import NonceFileEntry

MAGIC: Final = b"RBNONCE1"
_HEAD: Final = struct.Struct("<8sQ")
_CHECKSUM: Final = struct.Struct("<I")
_STORED: Final = "<u8"
_COLUMNS: Final = 3
"""Nonce, group, sequence id."""
_SLICE: Final = 2048
"""Nonces sorted at a time: under a ms."""
_SAMPLED: Final = 64
_CHECKED_BYTES: Final = 1 << 16
"""Checked at a time, for a slice is a copy."""
PIECE_BYTES: Final = 1 << 20

Columns = npt.NDArray[np.uint64]
"""A row each for nonces, groups and sequence ids; a column for each operation."""


@dataclass(slots=True, eq=False)
class NonceTable:
    """Operations that were applied, sorted by nonce; read with ``find``."""

    entry: NonceFileEntry
    columns: Columns
    _nonces: memoryview = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._nonces = memoryview(self.columns[0])

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    def find(self, group: int, nonce: int) -> int | None:
        """The sequence id of the write that applied the operation."""
        nonces = self._nonces
        at = bisect_left(nonces, nonce)
        while at < len(nonces) and nonces[at] == nonce:
            if self.columns[1, at] == group:
                return int(self.columns[2, at])
            at += 1
        return None

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the file, a MiB at a time; equal tables give equal bytes."""
        head = _HEAD.pack(MAGIC, len(self))
        checksum = google_crc32c.extend(0, head)
        body = self.columns.astype(_STORED, copy=False).reshape(-1).view(np.uint8)
        piece = head
        for at in range(0, len(body), PIECE_BYTES):
            data = body[at : at + PIECE_BYTES].tobytes()
            checksum = google_crc32c.extend(checksum, data)
            if len(piece) + len(data) > PIECE_BYTES:
                yield piece
                piece = b""
            piece += data
        yield piece + _CHECKSUM.pack(checksum)

    @classmethod
    def decode(cls, entry: NonceFileEntry, data: bytes) -> NonceTable:
        """The table in ``data``, the file that ``entry`` names.

        Raises CorruptionError if a bit of it changed, or if it is another file.
        """
        path = entry.path
        at = _HEAD.size + _COLUMNS * 8 * entry.entries
        if len(data) != at + _CHECKSUM.size:
            text = f"{len(data)} bytes cannot be the {entry.entries} nonces of its manifest"
            raise CorruptionError(path, 0, text)
        checksum = 0
        for start in range(0, at, _CHECKED_BYTES):
            checksum = google_crc32c.extend(checksum, data[start : min(start + _CHECKED_BYTES, at)])
        if _CHECKSUM.unpack_from(data, at)[0] != checksum:
            raise CorruptionError(path, at, "the checksum of the nonces does not match")
        magic, entries = _HEAD.unpack_from(data)
        if magic != MAGIC or entries != entry.entries:
            raise CorruptionError(path, 0, f"not {entry.entries} nonces: it begins with {magic!r}")
        flat = np.frombuffer(data, _STORED, _COLUMNS * entries, _HEAD.size)
        return cls(entry, flat.astype(np.uint64, copy=False).reshape(_COLUMNS, entries))


def run_of(operations: Sequence[tuple[int, int, int]]) -> Columns:
    """Some operations (nonce, group, sequence id), sorted."""
    columns = np.array(operations, dtype=np.uint64).reshape(-1, _COLUMNS).T
    return columns[:, np.argsort(columns[0], kind="stable")]


def merged(runs: Sequence[Columns]) -> Iterator[Columns]:
    """All of the sorted runs in one, a slice at a time: stop between two for as long as you
    like. A slice is what lies between two nonces of a sample."""
    sample = np.sort(np.concatenate([run[0][::_SAMPLED] for run in runs]))
    pivots = sample[:: _SLICE // _SAMPLED][1:]
    cuts = [[0, *np.searchsorted(run[0], pivots).tolist(), run.shape[1]] for run in runs]
    for number in range(len(pivots) + 1):
        parts = [run[:, cut[number] : cut[number + 1]] for run, cut in zip(runs, cuts, strict=True)]
        together = np.concatenate(parts, axis=1)
        yield together[:, np.argsort(together[0], kind="stable")]
