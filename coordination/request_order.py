"""One session's requests in the order of their xids, however they arrive."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

T = TypeVar("T")

WAITING_MAX: Final = 1000
"""Requests of a session that wait for an earlier one. zookeeper.globalOutstandingLimit"""


class RequestOrder(Generic[T]):
    """Holds requests back until all before them have come.

    A request says which is the session's lowest unanswered one. That tells a coordinator that
    has restarted where to begin, as requests that change nothing are not in its log.
    """

    def __init__(self, next_xid: int) -> None:
        self.next_xid = next_xid
        self._waiting: dict[int, list[T]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def offer(self, xid: int, lowest_xid: int, request: T) -> list[T] | None:
        """What may be carried out now, in order; None if too many are waiting already.

        A repeat of what was let through comes through at once; so does, when its answer is
        known to have arrived, what nobody waits for any longer.
        """
        self.next_xid = max(self.next_xid, lowest_xid)
        if xid < self.next_xid:
            return [request, *self._ready()]
        if xid > self.next_xid and len(self) >= WAITING_MAX:
            return None
        self._waiting.setdefault(xid, []).append(request)
        return self._ready()

    def _ready(self) -> list[T]:
        ready: list[T] = []
        for xid in sorted(xid for xid in self._waiting if xid < self.next_xid):
            ready += self._waiting.pop(xid)
        while self.next_xid in self._waiting:
            ready += self._waiting.pop(self.next_xid)
            self.next_xid += 1
        return ready

    def drain(self) -> list[T]:
        """What was held back; it will not be carried out."""
        held = [request for xid in sorted(self._waiting) for request in self._waiting[xid]]
        self._waiting.clear()
        return held
