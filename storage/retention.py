"""Which cells a flush or a compaction writes.

A flush and a minor compaction leave out only what no read, now or after any later write, can
see: so they never change an answer. A major compaction also drops surplus versions and the
tombstones themselves. Whatever a scanner at the read point, or a later one, needs stays.
Source: MajorCompactionScanQueryMatcher.java, DropDeletesCompactionScanQueryMatcher.java.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import compress
from typing import Final

import numpy as np

from ..model import CellType, FamilyDescriptor
from .key import END, SEQUENCE_MAX, TAIL_BYTES, TIMESTAMP_MAX, unpack_tail
from .visibility import ARRAYS_FROM, TAIL, Tails, number_versions
from .window import Window

_PUT: Final = 255 - CellType.PUT
_DELETE: Final = 255 - CellType.DELETE
_DELETE_COLUMN: Final = 255 - CellType.DELETE_COLUMN
_DELETE_FAMILY: Final = 255 - CellType.DELETE_FAMILY


class Retention:
    """Sorts out the cells of one store, window after window in order.

    Args:
        family: whose versions and time to live hold.
        read_point: the least one of an open scanner; later writes are all kept.
        now_ms: what is expired now stays expired.
        major: whether every file of the store takes part, so that nothing outside is older.

    """

    def __init__(
        self, family: FamilyDescriptor, read_point: int, now_ms: int, *, major: bool
    ) -> None:
        self._major = major
        self._max_versions = family.max_versions
        self._min_versions = family.min_versions
        self._oldest = max(now_ms - family.ttl_s * 1000, 0) if family.ttl_s else 0
        self._least_sequence = SEQUENCE_MAX - read_point
        self._column = b""
        self._row_bytes = 0
        self._count = 0
        self._last_timestamp = -1
        self._family_deleted = -1
        self._column_deleted = -1
        self._family_versions_deleted: set[int] = set()
        self._versions_deleted: set[int] = set()

    def apply(self, windows: Iterable[Window]) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """What is kept of the windows, as (keys, values), never empty."""
        for window in windows:
            keys, values = window.keys, window.values
            keep = self._keep(keys)
            if keep is None:
                yield keys, values
            elif any(keep):
                yield list(compress(keys, keep)), list(compress(values, keep))

    def _keep(self, keys: list[bytes]) -> list[bool] | None:
        """Whether to keep each cell; None: all of them."""
        if len(keys) >= ARRAYS_FROM and not self._deletes_reach(keys[0]):
            tails = np.frombuffer(b"".join([key[-TAIL_BYTES:] for key in keys]), TAIL)
            if (tails["type"] == _PUT).all():
                return self._keep_puts(keys, tails)
        return [self._keep_cell(key) for key in keys]

    def _deletes_reach(self, key: bytes) -> bool:
        if self._family_deleted >= 0 or self._family_versions_deleted:
            return key.startswith(self._column[: self._row_bytes])
        if self._column_deleted >= 0 or self._versions_deleted:
            return key.startswith(self._column)
        return False

    def _keep_puts(self, keys: list[bytes], tails: Tails) -> list[bool] | None:
        """As ``_keep_cell`` for each, when all are puts that no tombstone hides."""
        settled = np.flatnonzero(tails["sequence_id"] >= np.uint64(self._least_sequence))
        if not settled.size:
            return None
        chosen = keys if settled.size == len(keys) else [keys[one] for one in settled.tolist()]
        columns = [key[:-TAIL_BYTES] for key in chosen]
        timestamps = TIMESTAMP_MAX - tails["timestamp"][settled].astype(np.int64)
        keep, versions = number_versions(
            columns, timestamps, self._column, self._last_timestamp, self._count
        )
        if columns[-1] != self._column:
            self._enter(columns[-1])
        self._count = 1 if versions is None else int(versions[-1])
        self._last_timestamp = int(timestamps[-1])
        if self._major and versions is not None:
            keep &= versions <= self._max_versions
        if self._oldest and (self._major or not self._min_versions):
            number = 1 if versions is None else versions
            keep &= (timestamps >= self._oldest) | (number <= self._min_versions)
        if keep.all():
            return None
        kept = np.ones(len(keys), dtype=bool)
        kept[settled] = keep
        return kept.tolist()

    def _keep_cell(self, key: bytes) -> bool:
        inverted, kind, sequence = unpack_tail(key[-TAIL_BYTES:])
        if sequence < self._least_sequence:
            return True
        column = key[:-TAIL_BYTES]
        if column != self._column:
            self._enter(column)
        timestamp = TIMESTAMP_MAX - inverted
        if kind == _PUT:
            return self._keep_put(timestamp)
        self._note_tombstone(kind, timestamp)
        return not self._major and (timestamp >= self._oldest or self._min_versions > 0)

    def _keep_put(self, timestamp: int) -> bool:
        if (
            timestamp == self._last_timestamp
            or timestamp <= self._family_deleted
            or timestamp <= self._column_deleted
            or timestamp in self._versions_deleted
            or timestamp in self._family_versions_deleted
        ):
            return False
        self._last_timestamp = timestamp
        self._count += 1
        if self._major and self._count > self._max_versions:
            return False
        if timestamp >= self._oldest:
            return True
        if self._major:
            return self._count <= self._min_versions
        return self._min_versions > 0

    def _note_tombstone(self, kind: int, timestamp: int) -> None:
        if kind == _DELETE_COLUMN:
            self._column_deleted = max(timestamp, self._column_deleted)
        elif kind == _DELETE:
            self._versions_deleted.add(timestamp)
        elif kind == _DELETE_FAMILY:
            self._family_deleted = max(timestamp, self._family_deleted)
        else:
            self._family_versions_deleted.add(timestamp)

    def _enter(self, column: bytes) -> None:
        row_bytes = self._row_bytes
        if not row_bytes or column[:row_bytes] != self._column[:row_bytes]:
            self._row_bytes = column.index(END) + len(END)
            self._family_deleted = -1
            self._family_versions_deleted.clear()
        self._column = column
        self._count = 0
        self._last_timestamp = -1
        self._column_deleted = -1
        self._versions_deleted.clear()
