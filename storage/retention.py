"""Which cells a flush or a compaction writes.

A flush and a minor compaction leave out only what no read, now or after any later write, can
see: so they never change an answer. A major compaction also drops surplus versions and the
tombstones themselves, as far as the family's KEEP_DELETED_CELLS lets it; in a family of
NEW_VERSION_BEHAVIOR not even that changes an answer. Whatever a scanner at the read point, or
a later one, needs stays.
Source: MajorCompactionScanQueryMatcher.java, DropDeletesCompactionScanQueryMatcher.java.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import compress

import numpy as np

from ..model import FamilyDescriptor, KeepDeletedCells
from .cell_arrays import ARRAYS_FROM, TAIL, Tails, number_versions
from .column_state import DELETE_FAMILY, DELETE_FAMILY_VERSION, PUT, ColumnState
from .key import SEQUENCE_MAX, TAIL_BYTES, TIMESTAMP_MAX, unpack_tail
from .tags import any_tagged, is_expired, ttl_ms_of
from .version_history import VersionHistory
from .window import Window


class Retention(ColumnState):
    """Sorts out the cells of one store, window after window in order.

    Args:
        family: whose versions, time to live and deleted cells hold.
        read_point: the least one of an open scanner; later writes are all kept.
        now_ms: what is expired now stays expired.
        major: whether every file of the store takes part, so that nothing outside is older.
        purge_deletes_ms: tombstones younger than this stay in any case; 0: none does.
        earliest_put: no put of the cells has a lower timestamp.

    """

    def __init__(
        self,
        family: FamilyDescriptor,
        read_point: int,
        now_ms: int,
        *,
        major: bool,
        purge_deletes_ms: int = 0,
        earliest_put: int = 0,
    ) -> None:
        super().__init__()
        self._major = major
        self._max_versions = family.max_versions
        self._min_versions = family.min_versions
        self._now_ms = now_ms
        self._oldest = max(now_ms - family.ttl_s * 1000, 0) if family.ttl_s else 0
        self._least_sequence = SEQUENCE_MAX - read_point
        self._purge_deletes_ms = purge_deletes_ms
        self._earliest_put = earliest_put
        self._keeps_deleted = family.keep_deleted_cells
        self._plays = family.new_version_behavior
        self._history = VersionHistory(family.max_versions)

    def apply(self, windows: Iterable[Window]) -> Iterator[Window]:
        """What is kept of the windows; never an empty one."""
        for window in windows:
            if not window:
                continue
            keep = self._keep(window)
            if keep is None:
                yield window
            elif any(keep):
                keys, values = compress(window.keys, keep), compress(window.values, keep)
                yield Window(list(keys), list(values), window.bound)

    def _keep(self, window: Window) -> list[bool] | None:
        """Whether to keep each cell; None: all of them."""
        keys, values = window.keys, window.values
        if self._plays:
            if self._major and self._keeps_deleted is KeepDeletedCells.FALSE:
                return [self._keep_played(key) for key in keys]
            return self._keep_unexpired(np.frombuffer(window.tails, TAIL))
        if len(keys) >= ARRAYS_FROM and not self._deletes_reach(keys[0]) and not any_tagged(values):
            tails = np.frombuffer(window.tails, TAIL)
            if (tails["type"] == PUT).all():
                return self._keep_puts(window.columns, tails)
        return list(map(self._keep_cell, keys, values))

    def _keep_puts(self, columns: list[bytes], tails: Tails) -> list[bool] | None:
        """As ``_keep_cell`` for each, when all are puts that no tombstone hides."""
        settled = np.flatnonzero(tails["sequence_id"] >= np.uint64(self._least_sequence))
        if not settled.size:
            return None
        count = len(columns)
        if settled.size < count:
            columns = list(map(columns.__getitem__, settled.tolist()))
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
        kept = np.ones(count, dtype=bool)
        kept[settled] = keep
        return kept.tolist()

    def _keep_cell(self, key: bytes, value: bytes) -> bool:
        inverted, kind, sequence = unpack_tail(key[-TAIL_BYTES:])
        if sequence < self._least_sequence:
            return True
        timestamp = TIMESTAMP_MAX - inverted
        if is_expired(value, timestamp, self._now_ms):
            return False
        column = key[:-TAIL_BYTES]
        if column != self._column:
            self._enter(column)
        if kind != PUT:
            return self._keep_tombstone(kind, timestamp)
        # When its own time to live is over, the older write of its timestamp is seen again.
        will_go = not self._major and ttl_ms_of(value) is not None
        return self._keep_put(timestamp, stands=not will_go)

    def _keep_put(self, timestamp: int, *, stands: bool) -> bool:
        if (
            timestamp == self._last_timestamp
            or timestamp <= self._family_deleted
            or timestamp <= self._column_deleted
            or timestamp in self._versions_deleted
            or timestamp in self._family_versions_deleted
        ):
            return False
        if stands:
            self._last_timestamp = timestamp
        self._count += 1
        if self._major and self._count > self._max_versions:
            return False
        if timestamp >= self._oldest:
            return True
        if self._major:
            return self._count <= self._min_versions
        return self._min_versions > 0

    def _keep_tombstone(self, kind: int, timestamp: int) -> bool:
        """Notes the tombstone where what it hides may go; says whether it stays itself."""
        mode = self._keeps_deleted
        if not self._major:
            if mode is KeepDeletedCells.FALSE:
                self._note_tombstone(kind, timestamp)
            return not self._is_past(timestamp)
        keeps = mode is KeepDeletedCells.TRUE or (
            mode is KeepDeletedCells.TTL and timestamp >= self._oldest
        )
        if not keeps:
            self._note_tombstone(kind, timestamp)
        if self._is_past(timestamp):
            return False
        if self._is_young(timestamp):
            return True
        if not keeps or timestamp < self._earliest_put:
            return False
        if kind in (DELETE_FAMILY, DELETE_FAMILY_VERSION):
            return True  # other columns may need it, whatever this one has
        if self._count > self._max_versions:
            return False
        return timestamp >= self._oldest or self._count <= self._min_versions

    def _is_past(self, timestamp: int) -> bool:
        """Whether whatever has this timestamp, or a lower one, is expired for good."""
        return timestamp < self._oldest and not self._min_versions

    def _is_young(self, timestamp: int) -> bool:
        return 0 < self._purge_deletes_ms >= self._now_ms - timestamp

    def _keep_played(self, key: bytes) -> bool:
        """NEW_VERSION_BEHAVIOR: what the history leaves stays, expired or not by a time to live
        of its own, as it keeps others out."""
        inverted, kind, sequence = unpack_tail(key[-TAIL_BYTES:])
        if sequence < self._least_sequence:
            return True
        column = key[:-TAIL_BYTES]
        if column != self._column:
            if self._enter(column):
                self._history.enter_row()
            else:
                self._history.enter_column()
        timestamp = TIMESTAMP_MAX - inverted
        if self._is_past(timestamp):
            return False
        if kind == PUT:
            return self._history.keeps(timestamp, SEQUENCE_MAX - sequence)
        self._history.note_tombstone(kind, timestamp, SEQUENCE_MAX - sequence)
        return self._is_young(timestamp)

    def _keep_unexpired(self, tails: Tails) -> list[bool] | None:
        """NEW_VERSION_BEHAVIOR while history is needed: all that is not expired for good."""
        if not self._oldest or self._min_versions:
            return None
        fresh = TIMESTAMP_MAX - tails["timestamp"].astype(np.int64) >= self._oldest
        later = tails["sequence_id"] < np.uint64(self._least_sequence)
        kept: list[bool] = (fresh | later).tolist()
        return kept
