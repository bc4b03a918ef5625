"""Which cells of a store a reader sees: read point, deletes, versions, times, expiry.

The rules are HBase's (hbase.md A.1; ScanQueryMatcher, ScanDeleteTracker, ColumnTracker): a
tombstone hides every put at or below its timestamp however late it came, the newest write of
a timestamp stands for it, and versions count among what is not hidden and in the time range.
A family of NEW_VERSION_BEHAVIOR plays its history instead (version_history.py), and one that
keeps deleted cells shows to reads of a time range what was deleted after that range.

Cells come in windows that may end anywhere; the tracker carries what it knows of the column
and row at hand into the next one. Windows without tombstones, which is nearly all, are
decided by array operations; the others cell by cell.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ..model import CellType
from .cell_arrays import (
    ARRAYS_FROM,
    TAIL,
    Mask,
    Tails,
    Timestamps,
    compressed,
    number_versions,
)
from .column_state import PUT, ColumnState
from .key import (
    AFTER_END,
    END,
    SEQUENCE_MAX,
    TAIL_BYTES,
    TIMESTAMP_MAX,
    escape,
    unpack_tail,
)
from .reading import Reading, VisibleCells
from .tags import any_tagged, is_expired
from .version_history import VersionHistory
from .window import Window

_PUT_CODE: Final = CellType.PUT.value


class VersionTracker(ColumnState):
    """Decides window after window of one store, in order of their keys."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading
        self._last_kind = PUT
        """Of a raw read: the kind of the cell with the last timestamp."""
        self._history = VersionHistory(reading.versions_played)

    def add(self, window: Window, out: VisibleCells) -> None:
        """Appends what is visible of the next window, which is not empty, to ``out``."""
        reading = self._reading
        if reading.versions_played:
            self._add_played(window.keys, window.values, out)
            return
        if reading.has_tags and any_tagged(window.values):
            window = _unexpired(window, reading.now_ms)
        if reading.raw:
            self._add_raw(window.keys, window.values, out)
            return
        if len(window) >= ARRAYS_FROM and not self._deletes_reach(window.columns[0]):
            tails = np.frombuffer(window.tails, TAIL)
            if (tails["type"] == PUT).all():
                self._add_puts(window.columns, window.values, tails, out)
                return
        self._add_each(window.keys, window.values, out)

    def next_key(self, bound: bytes) -> bytes:
        """Where to go on reading when everything below ``bound`` was given to ``add``.

        That is ``bound`` or a key above it: cells in between are not wanted.
        """
        column = self._column
        row = column[: self._row_bytes]
        if not row or not bound.startswith(row):
            return bound
        if bound.startswith(row + END):
            return bound  # the column without a qualifier also holds the family's tombstones
        if bound.startswith(column) and self._column_is_done():
            bound = column[: -len(END)] + AFTER_END
        qualifiers = self._reading.qualifiers
        if qualifiers is None:
            return bound
        for qualifier in qualifiers:
            wanted = row + escape(qualifier) + END
            if wanted >= bound or bound.startswith(wanted):
                return max(bound, wanted)
        return row[: -len(END)] + AFTER_END

    def _column_is_done(self) -> bool:
        """Whether nothing further down the column at hand is wanted."""
        reading = self._reading
        if self._count >= reading.max_versions + reading.raw:
            return True
        last = self._last_timestamp
        if last < 0:
            return False
        expired = last < reading.oldest and self._count >= reading.min_versions
        return expired or last < reading.times.start

    def _add_each(self, keys: list[bytes], values: list[bytes], out: VisibleCells) -> None:
        reading = self._reading
        least_sequence = SEQUENCE_MAX - reading.read_point
        column = self._column
        suffixes = reading.suffixes
        wanted = True
        for key, value in zip(keys, values, strict=True):
            timestamp, kind, sequence = unpack_tail(key[-TAIL_BYTES:])
            if sequence < least_sequence:
                continue
            timestamp = TIMESTAMP_MAX - timestamp
            here = key[:-TAIL_BYTES]
            if here != column:
                self._enter(here)
                column = here
                wanted = suffixes is None or here[self._row_bytes :] in suffixes
            elif suffixes is not None:
                wanted = here[self._row_bytes :] in suffixes
            if kind != PUT:
                if timestamp < reading.tombstones_below:
                    self._note_tombstone(kind, timestamp)
            elif wanted and self._is_visible(timestamp):
                out.columns.append(here)
                out.timestamps.append(timestamp)
                out.types.append(_PUT_CODE)
                out.values.append(value)

    def _add_raw(self, keys: list[bytes], values: list[bytes], out: VisibleCells) -> None:
        """Tombstones come back as well; only puts count as versions (RawScanQueryMatcher)."""
        reading = self._reading
        least_sequence = SEQUENCE_MAX - reading.read_point
        for key, value in zip(keys, values, strict=True):
            inverted, kind, sequence = unpack_tail(key[-TAIL_BYTES:])
            if sequence < least_sequence:
                continue
            timestamp = TIMESTAMP_MAX - inverted
            column = key[:-TAIL_BYTES]
            if column != self._column:
                self._enter(column)
            if not reading.times.start <= timestamp < reading.times.stop:
                continue
            if self._count > reading.max_versions:
                continue
            if timestamp == self._last_timestamp and kind == self._last_kind:
                continue
            self._count += kind == PUT
            if self._count > reading.max_versions:
                continue
            self._last_timestamp = timestamp
            self._last_kind = kind
            out.columns.append(column)
            out.timestamps.append(timestamp)
            out.types.append(255 - kind)
            out.values.append(value)

    def _add_played(self, keys: list[bytes], values: list[bytes], out: VisibleCells) -> None:
        """As the history of each column leaves it. A cell that expired by its own time to live
        keeps its place among the versions: what it pushed out does not come back."""
        reading, history = self._reading, self._history
        least_sequence = SEQUENCE_MAX - reading.read_point
        suffixes = reading.suffixes
        for key, value in zip(keys, values, strict=True):
            inverted, kind, sequence = unpack_tail(key[-TAIL_BYTES:])
            if sequence < least_sequence:
                continue
            timestamp = TIMESTAMP_MAX - inverted
            column = key[:-TAIL_BYTES]
            if column != self._column:
                if self._enter(column):
                    history.enter_row()
                else:
                    history.enter_column()
            if kind != PUT:
                if timestamp < reading.tombstones_below:
                    history.note_tombstone(kind, timestamp, SEQUENCE_MAX - sequence)
                continue
            if self._count >= reading.max_versions or timestamp < reading.times.start:
                continue
            if suffixes is not None and column[self._row_bytes :] not in suffixes:
                continue
            self._last_timestamp = timestamp
            if (
                not history.keeps(timestamp, SEQUENCE_MAX - sequence)
                or timestamp >= reading.times.stop
                or (reading.has_tags and is_expired(value, timestamp, reading.now_ms))
            ):
                continue
            self._count += 1
            if timestamp >= reading.oldest or self._count <= reading.min_versions:
                out.columns.append(column)
                out.timestamps.append(timestamp)
                out.types.append(_PUT_CODE)
                out.values.append(value)

    def _is_visible(self, timestamp: int) -> bool:
        reading = self._reading
        if timestamp == self._last_timestamp:
            return False  # overwritten by a later write
        if timestamp <= self._family_deleted or timestamp <= self._column_deleted:
            self._count = reading.max_versions  # and so is all that follows in the column
            return False
        if timestamp in self._versions_deleted or timestamp in self._family_versions_deleted:
            return False
        self._last_timestamp = timestamp
        if not reading.times.start <= timestamp < reading.times.stop:
            return False
        self._count += 1
        if self._count > reading.max_versions:
            return False
        return timestamp >= reading.oldest or self._count <= reading.min_versions

    def _add_puts(
        self, columns: list[bytes], values: list[bytes], tails: Tails, out: VisibleCells
    ) -> None:
        """As ``_add_each``, for a window of puts that no tombstone hides."""
        reading = self._reading
        timestamps = TIMESTAMP_MAX - tails["timestamp"].astype(np.int64)
        sequences = tails["sequence_id"]
        least_sequence = SEQUENCE_MAX - reading.read_point
        if int(sequences.min()) < least_sequence:
            seen = sequences >= np.uint64(least_sequence)
            columns, values, timestamps = compressed(seen, columns, values, timestamps)
        times = reading.times
        if not times.is_all:
            asked = (timestamps >= times.start) & (timestamps < times.stop)
            columns, values, timestamps = compressed(asked, columns, values, timestamps)
        if not columns:
            return
        keep = self._count_versions(columns, timestamps)
        suffixes = reading.suffixes
        if suffixes is not None:
            wanted = [one[one.index(END) + 2 :] in suffixes for one in columns]
            keep = np.array(wanted) if keep is None else keep & np.array(wanted)
        if keep is not None:
            columns, values, timestamps = compressed(keep, columns, values, timestamps)
        out.columns += columns
        out.timestamps += timestamps.tolist()
        out.types += [_PUT_CODE] * len(columns)
        out.values += values

    def _count_versions(self, columns: list[bytes], timestamps: Timestamps) -> Mask | None:
        """Which cells are versions to keep (None: all of them); enters the last column."""
        reading = self._reading
        newest, versions = number_versions(
            columns, timestamps, self._column, self._last_timestamp, self._count
        )
        if columns[-1] != self._column:
            self._enter(columns[-1])
        self._count = 1 if versions is None else int(versions[-1])
        self._last_timestamp = int(timestamps[-1])
        if versions is None:
            if not reading.oldest or reading.min_versions:
                return None
            return np.greater_equal(timestamps, reading.oldest)
        keep: Mask = newest & (versions <= reading.max_versions)
        if reading.oldest:
            keep &= (timestamps >= reading.oldest) | (versions <= reading.min_versions)
        return keep


def _unexpired(window: Window, now_ms: int) -> Window:
    """The cells but for those whose own time to live is over: these count for nothing."""
    kept = [
        (key, value)
        for key, value in zip(window.keys, window.values, strict=True)
        if not is_expired(value, TIMESTAMP_MAX - unpack_tail(key[-TAIL_BYTES:])[0], now_ms)
    ]
    return Window([key for key, _ in kept], [value for _, value in kept], window.bound)
