"""NEW_VERSION_BEHAVIOR: which puts of a column are left when its history is played again.

Writes are played in the order of their sequence ids: a put replaces the one of its timestamp
and, if that makes more versions than the family keeps, the oldest timestamp goes for good; a
tombstone removes what it covers of what was written before it (or with it: of one sequence
id the puts come first, as in HBase), and nothing that comes later. What is left depends on
what was written, and not on what was flushed or compacted in between.

Cells come in key order, newest timestamp first, and each put is decided when it comes: what
ends its life is a tombstone at or above its timestamp, a later put of the same timestamp, or
enough live puts above it, and all of these have come before.
Source: NewVersionBehaviorTracker.java.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Final

from .column_state import DELETE, DELETE_COLUMN, DELETE_FAMILY

FOR_EVER: Final = 2**66
"""Times of a history: a put comes at twice its sequence id, a tombstone right after that."""


class VersionHistory:
    """Of one row: its family's tombstones, and the lives of the puts of the column at hand."""

    def __init__(self, max_versions: int) -> None:
        self._max_versions = max_versions
        self._family_deletes: list[tuple[int, int]] = []
        """(timestamp, time), newest timestamp first."""
        self._family_versions: dict[int, list[int]] = {}
        self.enter_column()

    def enter_row(self) -> None:
        self._family_deletes.clear()
        self._family_versions.clear()
        self.enter_column()

    def enter_column(self) -> None:
        self._family_deletes_passed = 0
        self._deletes: list[int] = []
        """Times of the tombstones that cover every put still to come."""
        self._versions: dict[int, list[int]] = {}
        self._last_put: tuple[int, int] = (-1, 0)
        self._times = [0]
        """When the number of live puts changes."""
        self._live = [0]
        """How many of the puts so far lived from the time at the same index on."""

    def note_tombstone(self, kind: int, timestamp: int, sequence_id: int) -> None:
        time = 2 * sequence_id + 1
        if kind == DELETE_FAMILY:
            self._family_deletes.append((timestamp, time))
        elif kind == DELETE_COLUMN:
            insort(self._deletes, time)
        else:
            versions = self._versions if kind == DELETE else self._family_versions
            insort(versions.setdefault(timestamp, []), time)

    def keeps(self, timestamp: int, sequence_id: int) -> bool:
        """Whether the put that comes next outlives the history."""
        begin = 2 * sequence_id
        end = self._removed_at(timestamp, begin)
        self._last_put = (timestamp, begin)
        end = self._pushed_out_at(begin, end)
        if end > begin:
            self._count_life(begin, end)
        return end == FOR_EVER

    def _removed_at(self, timestamp: int, begin: int) -> int:
        """When a tombstone or a later put of its timestamp ends the put."""
        while self._family_deletes_passed < len(self._family_deletes):
            reach, deleted_at = self._family_deletes[self._family_deletes_passed]
            if reach < timestamp:
                break
            insort(self._deletes, deleted_at)
            self._family_deletes_passed += 1
        end = FOR_EVER
        if self._last_put[0] == timestamp:
            end = self._last_put[1]
        for deletes in (
            self._deletes,
            self._versions.get(timestamp, ()),
            self._family_versions.get(timestamp, ()),
        ):
            first = bisect_left(deletes, begin)
            if first < len(deletes):
                end = min(end, deletes[first])
        return end

    def _pushed_out_at(self, begin: int, end: int) -> int:
        """When enough puts of greater timestamps live together; ``end`` if that comes first."""
        index = bisect_right(self._times, begin) - 1
        while index < len(self._times) and self._times[index] < end:
            if self._live[index] >= self._max_versions:
                return max(self._times[index], begin)
            index += 1
        return end

    def _count_life(self, begin: int, end: int) -> None:
        first = self._boundary(begin)
        last = self._boundary(end)
        self._live[first:last] = [count + 1 for count in self._live[first:last]]
        for index in (last, first):
            if 0 < index < len(self._live) and self._live[index] == self._live[index - 1]:
                del self._times[index], self._live[index]

    def _boundary(self, time: int) -> int:
        """Index of the span that begins exactly at ``time``."""
        index = bisect_left(self._times, time)
        if index == len(self._times) or self._times[index] != time:
            self._times.insert(index, time)
            self._live.insert(index, self._live[index - 1])
        return index
