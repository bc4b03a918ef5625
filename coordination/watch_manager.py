"""The holder's watches: who asked to hear of which znode, in which request."""

from __future__ import annotations

from collections.abc import Callable

from .requests import Exists, GetChildren, GetData, Operation, WatchEvent, WatchKind

Watcher = Callable[[WatchEvent], None]
WatchKey = tuple[WatchKind, str]


class WatchManager:
    """Watchers by znode and kind, each with the xid of the request that set its watch.

    The coordinator keeps one watch for a session, kind and znode, with the xid that last set
    it. So the watchers an event means are those with an xid up to the event's.
    """

    def __init__(self) -> None:
        self._watchers: dict[WatchKey, list[tuple[int, Watcher]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._watchers.values()))

    def expect(self, key: WatchKey, xid: int, watcher: Watcher) -> None:
        """Request ``xid`` is about to set a watch; events may come along with its answer."""
        self._watchers.setdefault(key, []).append((xid, watcher))

    def withdraw(self, key: WatchKey, xid: int) -> None:
        """Request ``xid`` failed, and set no watch."""
        self._keep(key, [one for one in self._watchers.get(key, ()) if one[0] != xid])

    def confirm(self, key: WatchKey, xid: int, watcher: Watcher) -> None:
        """Request ``xid`` was answered: events to come mean it rather than an earlier one."""
        self._keep(
            key,
            [
                (one_xid, one)
                for one_xid, one in self._watchers.get(key, ())
                if one_xid >= xid or one != watcher
            ],
        )

    def take(self, event: WatchEvent) -> list[Watcher]:
        """The watchers that ``event`` means, each once; they are forgotten."""
        key = (event.kind, event.path)
        meant: list[Watcher] = []
        kept = []
        for xid, watcher in self._watchers.get(key, ()):
            if xid > event.xid:
                kept.append((xid, watcher))
            elif watcher not in meant:
                meant.append(watcher)
        self._keep(key, kept)
        return meant

    def _keep(self, key: WatchKey, watchers: list[tuple[int, Watcher]]) -> None:
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
