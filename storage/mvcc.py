"""A region's counter and its two ends: what is assigned, and what may be seen.

One number is MVCC write number, WAL sequence number and sequence id of the cells. A write
becomes visible when it and all writes before it are durable, so readers see every prefix of
the region's history and nothing else. Source: MultiVersionConcurrencyControl.java.
"""

from __future__ import annotations


class Mvcc:
    """Numbers writes and completes them in order.

    ``last`` is the highest number assigned, ``read_point`` the highest for which this and all
    lower ones are complete.
    """

    __slots__ = ("_completed", "last", "read_point")

    def __init__(self, last: int) -> None:
        self.last = last
        self.read_point = last
        self._completed: set[int] = set()

    def begin(self) -> int:
        """The number of a new write; ``complete`` it, or nothing later is ever seen."""
        self.last += 1
        return self.last

    def complete(self, number: int) -> None:
        """The write is durable. It is seen as soon as all before it are complete."""
        assert self.read_point < number <= self.last, "a write is completed once"
        if number > self.read_point + 1:
            self._completed.add(number)
            return
        while number + 1 in self._completed:
            number += 1
            self._completed.remove(number)
        self.read_point = number

    def advance_to(self, number: int) -> None:
        """Everything up to ``number`` was durable before this region was opened.

        Requires: no write is under way.
        """
        assert self.read_point == self.last, "the past is replayed before anything new"
        if number > self.last:
            self.last = self.read_point = number


class RegionClock:
    """Server timestamps of a region: the wall clock, never going back.

    A delete at the server's time also hides what is put later with the same timestamp, so the
    first write after it gets a later one: what was acknowledged after a delete stays.
    """

    __slots__ = ("_after_delete", "last_ms")

    def __init__(self, last_ms: int) -> None:
        self.last_ms = last_ms
        self._after_delete = True

    def read(self, now_ms: int) -> int:
        """The timestamp for a write at ``now_ms`` on the wall clock."""
        return max(now_ms, self.last_ms + 1 if self._after_delete else self.last_ms)

    def assigned(self, timestamp: int, *, to_delete: bool) -> None:
        """``timestamp``, as returned by ``read``, was given to a write."""
        self._after_delete = to_delete
        self.last_ms = timestamp

    def advance_to(self, timestamp: int) -> None:
        """Timestamps up to this one may have been given before, perhaps to deletes."""
        if timestamp >= self.last_ms:
            self.last_ms = timestamp
            self._after_delete = True
