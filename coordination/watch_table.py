"""The coordinator's watches: one for a session, kind and znode, gone once it has fired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .requests import EventType, WatchKind
from .tree import Change

_FIRED_BY: Final = {
    EventType.CREATED: (WatchKind.DATA,),
    EventType.CHANGED: (WatchKind.DATA,),
    EventType.DELETED: (WatchKind.DATA, WatchKind.CHILDREN),
    EventType.CHILD: (WatchKind.CHILDREN,),
}


class WatchTable:
    """Watches by znode and kind; each holds the xid of the request that last set it."""

    def __init__(self) -> None:
        self._watches: dict[tuple[WatchKind, str], dict[int, int]] = {}
        self._of_session: dict[int, dict[tuple[WatchKind, str], None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._watches.values()))

    def __iter__(self) -> Iterator[tuple[int, WatchKind, str, int]]:
        """Session, kind, path and xid of every watch, in that order."""
        return iter(
            sorted(
                (session_id, kind, path, xid)
                for (kind, path), sessions in self._watches.items()
                for session_id, xid in sessions.items()
            )
        )

    def count(self, session_id: int) -> int:
        return len(self._of_session.get(session_id, ()))

    def add(self, session_id: int, kind: WatchKind, path: str, xid: int) -> None:
        self._watches.setdefault((kind, path), {})[session_id] = xid
        self._of_session.setdefault(session_id, {})[kind, path] = None

    def fire(self, change: Change) -> list[tuple[int, WatchKind, int]]:
        """Session, kind and xid of the watches that ``change`` fires; they are removed."""
        fired = []
        for kind in _FIRED_BY[change.type]:
            key = (kind, change.path)
            for session_id, xid in self._watches.pop(key, {}).items():
                fired.append((session_id, kind, xid))
                self._forget(session_id, key)
        return fired

    def remove_session(self, session_id: int) -> None:
        for key in self._of_session.pop(session_id, {}):
            sessions = self._watches[key]
            del sessions[session_id]
            if not sessions:
                del self._watches[key]

    def _forget(self, session_id: int, key: tuple[WatchKind, str]) -> None:
        keys = self._of_session[session_id]
        del keys[key]
        if not keys:
            del self._of_session[session_id]
