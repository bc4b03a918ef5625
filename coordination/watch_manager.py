"""The holder's watches: who asked to hear of which znode, in which request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .requests import Exists, GetChildren, GetData, Operation, WatchEvent, WatchKind

Watcher = Callable[[WatchEvent], None]
WatchKey = tuple[WatchKind, str]


@dataclass(slots=True)
class _Wanted:
    """A watcher, by the request that it came with."""

    xid: int
    watcher: Watcher
    set: bool = False
    """The request was answered: there is a watch."""
    event: WatchEvent | None = None
    """What it is to hear if there is one."""


class WatchManager:
    """Watchers by znode and kind, each with the xid of the request that set its watch.

    The coordinator keeps one watch for a session, kind and znode, with the xid that last set
    it. So the watchers an event means are those with an xid up to the event's, but for those
    of requests that failed.
    """

    def __init__(self) -> None:
        self._watchers: dict[WatchKey, list[_Wanted]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._watchers.values()))

    def expect(self, key: WatchKey, xid: int, watcher: Watcher) -> None:
        """Request ``xid`` is about to set a watch; events may come along with its answer."""
        self._watchers.setdefault(key, []).append(_Wanted(xid, watcher))

    def withdraw(self, key: WatchKey, xid: int) -> None:
        """Request ``xid`` failed, and set no watch."""
        self._keep(key, [one for one in self._watchers.get(key, ()) if one.xid != xid])

    def confirm(self, key: WatchKey, xid: int, watcher: Watcher) -> WatchEvent | None:
        """Request ``xid`` was answered: events to come mean it rather than an earlier one.

        Returns the event that its watcher must hear now, if that came before the answer.
        """
        kept, late = [], None
        for one in self._watchers.get(key, ()):
            if one.xid == xid:
                one.set, late = True, one.event
                if late is None:
                    kept.append(one)
            elif one.xid > xid or one.watcher != watcher or one.event is not None:
                kept.append(one)
        self._keep(key, kept)
        return late

    def take(self, event: WatchEvent) -> list[Watcher]:
        """The watchers that ``event`` means, each once; they are forgotten.

        Of a request without an answer it is not known whether it set a watch, unless the event
        names it: its watcher waits for the answer.
        """
        key = (event.kind, event.path)
        meant: list[Watcher] = []
        kept = []
        for one in self._watchers.get(key, ()):
            if (one.set and one.xid <= event.xid) or one.xid == event.xid:
                if one.watcher not in meant:
                    meant.append(one.watcher)
            else:
                kept.append(one)
        kept = [one for one in kept if one.xid > event.xid or one.watcher not in meant]
        for one in kept:
            if one.xid < event.xid and one.event is None:
                one.event = event
        self._keep(key, kept)
        return meant

    def _keep(self, key: WatchKey, watchers: list[_Wanted]) -> None:
        if watchers:
            self._watchers[key] = watchers
        else:
            self._watchers.pop(key, None)


def sets_watch(operation: Operation) -> bool:
    return isinstance(operation, GetData | Exists | GetChildren) and operation.watch


def watch_key(operation: Operation) -> WatchKey:
    """Where the operation looks, and so where its watch is."""
    assert isinstance(operation, GetData | Exists | GetChildren), operation
    kind = WatchKind.CHILDREN if isinstance(operation, GetChildren) else WatchKind.DATA
    return (kind, operation.path)
