"""When sessions end of silence (SessionTrackerImpl.java).

A session lasts while both ways between its holder and the coordinator are open. ZooKeeper has
that of TCP; here every call says how many answers have arrived, and only one more proves it. A
call that proves nothing new may come from a holder that is deaf: it hears no event, and would
keep what it owns from all others for ever.

Counted on the coordinator's monotonic clock, and in this life of the coordinator only: after a
restart every session has its whole timeout again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Tracked:
    timeout_s: float
    deadline_s: float
    answered: int = -1
    """The most answers its holder has proved; none yet, so that its first call counts."""


class SessionTracker:
    """Deadlines of sessions. ``touch`` with every call."""

    def __init__(self, now_s: float, tick_s: float) -> None:
        self._tick_s = tick_s
        self._sessions: dict[int, _Tracked] = {}
        self._expected_s = now_s + tick_s

    def add(self, session_id: int, timeout_s: float, now_s: float) -> None:
        self._sessions[session_id] = _Tracked(timeout_s, now_s + timeout_s)

    def remove(self, session_id: int) -> None:
        self._sessions.pop(session_id, None)

    def touch(self, session_id: int, answered: int, now_s: float) -> bool:
        """Gives the session its whole timeout again if ``answered``, how many answers have
        arrived, shows that one more did; whether it does."""
        session = self._sessions[session_id]
        if answered <= session.answered:
            return False
        session.answered = answered
        session.deadline_s = now_s + session.timeout_s
        return True

    def remaining_s(self, session_id: int, now_s: float) -> float:
        return self._sessions[session_id].deadline_s - now_s

    def expire(self, now_s: float) -> list[int]:
        """The sessions that are over, in the order of their deadlines.

        Must be called at least every ``tick_s``. If it was not, the coordinator itself stood
        still, and messages that prove sessions alive may wait unread: they all get the time
        that it missed.
        """
        missed_s = now_s - self._expected_s
        if missed_s > 0:
            for session in self._sessions.values():
                session.deadline_s += missed_s
        self._expected_s = now_s + self._tick_s
        over = [
            (session.deadline_s, session_id)
            for session_id, session in self._sessions.items()
            if session.deadline_s <= now_s
        ]
        return [session_id for _, session_id in sorted(over)]
