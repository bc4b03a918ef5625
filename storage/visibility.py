"""Which cells of a store a reader sees: read point, deletes, versions, times, expiry.

The rules are HBase's (hbase.md A.1; ScanQueryMatcher, ScanDeleteTracker, ColumnTracker): a
tombstone hides every put at or below its timestamp however late it came, the newest write of
a timestamp stands for it, and versions count among what is not hidden and in the time range.

Cells come in windows that may end anywhere; the tracker carries what it knows of the column
and row at hand into the next one. Windows without tombstones, which is nearly all, are
decided by array operations; the others cell by cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, compress
from operator import ne
from typing import Any, Final

import numpy as np

from ..model import ALL_TIME, CellType, FamilyDescriptor, TimeRange
from .key import (
    AFTER_END,
    END,
    SEQUENCE_MAX,
    TAIL_BYTES,
    TIMESTAMP_MAX,
    escape,
    unpack_tail,
)

ARRAYS_FROM: Final = 24
"""Cells from which array operations are cheaper than a loop."""

TAIL: Final = np.dtype([("timestamp", ">u8"), ("type", "u1"), ("sequence_id", ">u8")])
Tails = np.ndarray[Any, np.dtype[np.void]]
Timestamps = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Versions = np.ndarray[Any, np.dtype[np.int64]]
_PUT_CODE: Final = CellType.PUT.value
_PUT: Final = 255 - CellType.PUT
_DELETE: Final = 255 - CellType.DELETE
_DELETE_COLUMN: Final = 255 - CellType.DELETE_COLUMN
_DELETE_FAMILY: Final = 255 - CellType.DELETE_FAMILY
_DELETE_FAMILY_VERSION: Final = 255 - CellType.DELETE_FAMILY_VERSION


class VisibleCells:
    """Visible cells of one family in order; rows and columns still encoded.

    ``columns[i]`` is the cell's key without its tail: row, END, qualifier, END.
    """

    __slots__ = ("columns", "timestamps", "types", "values")

    def __init__(self) -> None:
        self.columns: list[bytes] = []
        self.timestamps: list[int] = []
        self.types: list[int] = []
        self.values: list[bytes] = []

    def __len__(self) -> int:
        return len(self.values)

    def rows(self) -> list[bytes]:
        """The encoded row of every cell."""
        return [column[: column.index(END)] for column in self.columns]

    def drop(self, count: int) -> None:
        """Removes the first ``count`` cells."""
        del self.columns[:count], self.timestamps[:count]
        del self.types[:count], self.values[:count]


class Reading:
    """What a read wants of one family; the same for all its windows.

    Args:
        family: whose versions and time to live hold.
        read_point: cells of later writes are not seen.
        now_ms: what is expired at this time is not seen.
        max_versions: asked for; the family's limit holds as well.
        times: timestamps asked for.
        qualifiers: columns asked for; None for all of them.
        raw: whether tombstones are returned, too, and hide nothing; ``max_versions`` alone
            holds then.

    """

    __slots__ = (
        "max_versions",
        "min_versions",
        "oldest",
        "qualifiers",
        "raw",
        "read_point",
        "suffixes",
        "times",
    )

    def __init__(
        self,
        family: FamilyDescriptor,
        read_point: int,
        now_ms: int,
        max_versions: int = 1,
        times: TimeRange = ALL_TIME,
        qualifiers: Sequence[bytes] | None = None,
        *,
        raw: bool = False,
    ) -> None:
        self.raw = raw
        self.read_point = read_point
        self.max_versions = max_versions if raw else min(max_versions, family.max_versions)
        self.min_versions = family.min_versions
        self.oldest = max(now_ms - family.ttl_s * 1000, 0) if family.ttl_s else 0
        self.times = times
        self.qualifiers = None if qualifiers is None else sorted(set(qualifiers))
        self.suffixes = (
            None
            if self.qualifiers is None
            else frozenset(escape(one) + END for one in self.qualifiers)
        )


class VersionTracker:
    """Decides window after window of one store, in order of their keys."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._column = b""
        """Of the last cell looked at."""
        self._row_bytes = 0
        """How much of it is the row with its END."""
        self._count = 0
        self._last_timestamp = -1
        self._last_kind = _PUT
        """Of a raw read: the kind of the cell with this timestamp."""
        self._family_deleted = -1
        self._family_versions_deleted: set[int] = set()
        self._column_deleted = -1
        self._versions_deleted: set[int] = set()

    def add(self, keys: list[bytes], values: list[bytes], out: VisibleCells) -> None:
        """Appends what is visible of the next window to ``out``."""
        if self._reading.raw:
            self._add_raw(keys, values, out)
            return
        if len(keys) < ARRAYS_FROM or self._row_has_deletes(keys[0]):
            self._add_each(keys, values, out)
            return
        tails = np.frombuffer(b"".join([key[-TAIL_BYTES:] for key in keys]), TAIL)
        if (tails["type"] == _PUT).all():
            self._add_puts(keys, values, tails, out)
        else:
            self._add_each(keys, values, out)

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

    def _row_has_deletes(self, key: bytes) -> bool:
        """Whether tombstones seen so far may hide something of what begins with ``key``."""
        if self._family_deleted >= 0 or self._family_versions_deleted:
            return key.startswith(self._column[: self._row_bytes])
        if self._column_deleted >= 0 or self._versions_deleted:
            return key.startswith(self._column)
        return False

    def _enter_column(self, column: bytes) -> None:
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
                self._enter_column(here)
                column = here
                wanted = suffixes is None or here[self._row_bytes :] in suffixes
            elif suffixes is not None:
                wanted = here[self._row_bytes :] in suffixes
            if kind != _PUT:
                self._add_tombstone(kind, timestamp)
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
                self._enter_column(column)
            if not reading.times.start <= timestamp < reading.times.stop:
                continue
            if self._count > reading.max_versions:
                continue
            if timestamp == self._last_timestamp and kind == self._last_kind:
                continue
            self._count += kind == _PUT
            if self._count > reading.max_versions:
                continue
            if timestamp < reading.oldest and self._count > reading.min_versions:
                self._count = reading.max_versions + 1
                continue
            self._last_timestamp = timestamp
            self._last_kind = kind
            out.columns.append(column)
            out.timestamps.append(timestamp)
            out.types.append(255 - kind)
            out.values.append(value)

    def _add_tombstone(self, kind: int, timestamp: int) -> None:
        if kind == _DELETE_COLUMN:
            self._column_deleted = max(timestamp, self._column_deleted)
        elif kind == _DELETE:
            self._versions_deleted.add(timestamp)
        elif kind == _DELETE_FAMILY:
            self._family_deleted = max(timestamp, self._family_deleted)
        elif kind == _DELETE_FAMILY_VERSION:
            self._family_versions_deleted.add(timestamp)

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
        self, keys: list[bytes], values: list[bytes], tails: Tails, out: VisibleCells
    ) -> None:
        """As ``_add_each``, for a window of puts that no tombstone hides."""
        reading = self._reading
        columns = [key[:-TAIL_BYTES] for key in keys]
        timestamps = TIMESTAMP_MAX - tails["timestamp"].astype(np.int64)
        sequences = tails["sequence_id"]
        least_sequence = SEQUENCE_MAX - reading.read_point
        if int(sequences.min()) < least_sequence:
            seen = sequences >= np.uint64(least_sequence)
            columns, values, timestamps = _compressed(seen, columns, values, timestamps)
        times = reading.times
        if not times.is_all:
            asked = (timestamps >= times.start) & (timestamps < times.stop)
            columns, values, timestamps = _compressed(asked, columns, values, timestamps)
        if not columns:
            return
        keep = self._count_versions(columns, timestamps)
        suffixes = reading.suffixes
        if suffixes is not None:
            wanted = [one[one.index(END) + 2 :] in suffixes for one in columns]
            keep = np.array(wanted) if keep is None else keep & np.array(wanted)
        if keep is not None:
            columns, values, timestamps = _compressed(keep, columns, values, timestamps)
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
            self._enter_column(columns[-1])
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


def number_versions(
    columns: list[bytes],
    timestamps: Timestamps,
    column: bytes,
    last_timestamp: int,
    count: int,
) -> tuple[Mask, Versions | None]:
    """Numbers the versions of puts that are in order, from 1 for the newest of a column.

    ``column``, ``last_timestamp`` and ``count`` are those of the cell before the first. The
    first result is false for a cell whose timestamp was written again later; the second is
    None if every cell is the first of its column.
    """
    size = len(columns)
    fresh = np.fromiter(map(ne, columns, chain((column,), columns)), bool, size)
    if fresh.all():
        return fresh, None
    previous = np.concatenate(([last_timestamp], timestamps[:-1]))
    newest: Mask = fresh | (timestamps != previous)
    total = np.cumsum(newest)
    starts = np.maximum.accumulate(np.where(fresh, np.arange(size), 0))
    versions: Versions = total - (total - newest)[starts]
    if not fresh[0]:
        versions[: int(fresh.argmax()) if fresh.any() else size] += count
    return newest, versions


def _compressed(
    mask: Mask, columns: list[bytes], values: list[bytes], timestamps: Timestamps
) -> tuple[list[bytes], list[bytes], Timestamps]:
    """The cells at which the mask is true."""
    selectors = mask.tolist()
    return (
        list(compress(columns, selectors)),
        list(compress(values, selectors)),
        timestamps[mask],
    )
