"""ZooKeeper's rules said once more, as plainly as they can be: what the coordinator is held to.

One dictionary of znodes, one of watches, no indexes, and a multi that works on a copy. Nothing
here is shared with coordination/ but the words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...coordination.records import CloseSession, OpenSession, Record, Request
from ...coordination.requests import (
    Check,
    Create,
    Delete,
    EventType,
    Exists,
    GetChildren,
    GetData,
    Multi,
    Operation,
    SetData,
    WatchEvent,
    WatchKind,
)
from ...coordination.znode import Stat
from ...errors import (
    BadVersionError,
    CoordinationError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
)

BASE_ZNODES = ("/hbase", "/hbase/backup-masters", "/hbase/rs", "/hbase/draining", "/hbase/hbaseid")
"""What every cluster begins with, in the order of their making."""


@dataclass(frozen=True, slots=True)
class Node:
    """A znode; ``births`` counts the children it ever had."""

    data: bytes
    owner: int
    czxid: int
    mzxid: int
    pzxid: int
    ctime_ms: int
    mtime_ms: int
    version: int = 0
    births: int = 0


@dataclass(slots=True)
class ModelSession:
    """``due`` are all events it must ever hear, in order."""

    due: list[WatchEvent]
    ended: bool = False
    expired: bool = False


@dataclass(frozen=True, slots=True)
class _Author:
    zxid: int
    time_ms: int
    session_id: int


class Model:
    """Applies transactions one by one; says what each must have been answered."""

    def __init__(self, cluster_id: str = "", time_ms: int = 0) -> None:
        self.zxid = 0
        self.nodes = {"/": Node(b"", 0, 0, 0, 0, 0, 0)}
        self.watches: dict[tuple[int, WatchKind, str], int] = {}
        self.sessions: dict[int, ModelSession] = {}
        self.ends: dict[str, int] = {}
        """The transaction that last removed a znode of this path."""
        for path in BASE_ZNODES:
            self.zxid += 1
            data = cluster_id.encode() if path == BASE_ZNODES[-1] else b""
            self._write(Create(path, data), _Author(self.zxid, time_ms, 0), [])

    def apply(self, record: Record) -> Any:
        """The result of a Request, or the error it must fail with.

        Raises ValueError if this transaction cannot come next.
        """
        if record.zxid != self.zxid + 1:
            raise ValueError(f"transaction {record.zxid} after {self.zxid}")
        self.zxid = record.zxid
        if isinstance(record, OpenSession):
            self.sessions[record.zxid] = ModelSession([])
            return None
        session = self.sessions.get(record.session_id)
        if session is None or session.ended:
            what = "ends a second time" if session else "was never opened"
            raise ValueError(f"session {record.session_id} {what}, in transaction {record.zxid}")
        if isinstance(record, CloseSession):
            return self._close(session, record)
        return self._request(record)

    def read(self, operation: Operation) -> Any:
        """The result of a read now, or the error it must fail with."""
        assert isinstance(operation, GetData | Exists | GetChildren)
        path = operation.path
        if path not in self.nodes:
            return None if isinstance(operation, Exists) else NoNodeError(path)
        if isinstance(operation, GetChildren):
            return tuple(sorted(self._children(path)))
        stat = self.stat(path)
        return (self.nodes[path].data, stat) if isinstance(operation, GetData) else stat

    def stat(self, path: str) -> Stat:
        node, children = self.nodes[path], len(self._children(path))
        return Stat(
            node.czxid,
            node.mzxid,
            node.pzxid,
            node.ctime_ms,
            node.mtime_ms,
            node.version,
            node.births + (node.births - children),
            node.owner,
            len(node.data),
            children,
        )

    def _close(self, session: ModelSession, record: CloseSession) -> None:
        session.ended, session.expired = True, record.expired
        self.watches = {
            key: xid for key, xid in self.watches.items() if key[0] != record.session_id
        }
        author = _Author(record.zxid, record.time_ms, record.session_id)
        owned = sorted(path for path, node in self.nodes.items() if node.owner == record.session_id)
        changes: list[tuple[EventType, str]] = []
        for path in owned:
            self._write(Delete(path), author, changes)
        self._tell(changes)

    def _request(self, record: Request) -> Any:
        operation = record.operation
        if isinstance(operation, GetData | Exists | GetChildren):
            result = self.read(operation)
            if not isinstance(result, CoordinationError):
                children = isinstance(operation, GetChildren)
                kind = WatchKind.CHILDREN if children else WatchKind.DATA
                self.watches[record.session_id, kind, operation.path] = record.xid
            return result
        author = _Author(record.zxid, record.time_ms, record.session_id)
        before, ends = dict(self.nodes), dict(self.ends)
        changes: list[tuple[EventType, str]] = []
        try:
            if isinstance(operation, Multi):
                result = self._write_all(operation, author, changes)
            else:
                result = self._write(operation, author, changes)
        except CoordinationError as error:
            self.nodes, self.ends = before, ends
            return error
        self._tell(changes)
        return result

    def _write_all(
        self, multi: Multi, author: _Author, changes: list[tuple[EventType, str]]
    ) -> tuple[Any, ...]:
        results: tuple[Any, ...] = ()
        for place, one in enumerate(multi.operations):
            try:
                results += (self._write(one, author, changes),)
            except CoordinationError as error:
                error.place = place
                raise
        return results

    def _write(
        self, operation: Operation, author: _Author, changes: list[tuple[EventType, str]]
    ) -> Any:
        if isinstance(operation, Create):
            return self._create(operation, author, changes)
        assert isinstance(operation, Delete | SetData | Check)
        path = operation.path
        if path not in self.nodes:
            raise NoNodeError(path)
        node = self.nodes[path]
        if operation.version not in (-1, node.version):
            raise BadVersionError(path)
        if isinstance(operation, SetData):
            self.nodes[path] = replace(
                node,
                data=operation.data,
                mzxid=author.zxid,
                mtime_ms=author.time_ms,
                version=node.version + 1,
            )
            changes.append((EventType.CHANGED, path))
            return self.stat(path)
        if isinstance(operation, Delete):
            if self._children(path):
                raise NotEmptyError(path)
            del self.nodes[path]
            self.ends[path] = author.zxid
            self._touch(_above(path), author, changes, EventType.DELETED, path, births=0)
        return None

    def _create(
        self, operation: Create, author: _Author, changes: list[tuple[EventType, str]]
    ) -> str:
        path, above = operation.path, _above(operation.path)
        if above not in self.nodes:
            raise NoNodeError(above)
        if self.nodes[above].owner:
            raise NoChildrenForEphemeralsError(above)
        if operation.sequential:
            path += f"{self.nodes[above].births:010d}"
        if path in self.nodes:
            raise NodeExistsError(path)
        owner = author.session_id if operation.ephemeral else 0
        zxid, time_ms = author.zxid, author.time_ms
        self.nodes[path] = Node(operation.data, owner, zxid, zxid, zxid, time_ms, time_ms)
        self._touch(above, author, changes, EventType.CREATED, path, births=1)
        return path

    def _touch(
        self,
        above: str,
        author: _Author,
        changes: list[tuple[EventType, str]],
        what: EventType,
        path: str,
        births: int,
    ) -> None:
        """A child of ``above`` came or went."""
        parent = self.nodes[above]
        self.nodes[above] = replace(parent, pzxid=author.zxid, births=parent.births + births)
        changes += [(what, path), (EventType.CHILD, above)]

    def _tell(self, changes: list[tuple[EventType, str]]) -> None:
        """Every watch hears of the first thing that concerns it, and of no other."""
        for what, path in changes:
            for kind in (WatchKind.DATA, WatchKind.CHILDREN):
                if not _concerns(what, kind):
                    continue
                for key in [one for one in self.watches if one[1:] == (kind, path)]:
                    due = self.sessions[key[0]].due
                    xid = self.watches.pop(key)
                    due.append(WatchEvent(len(due) + 1, what, path, kind, xid, self.zxid))

    def _children(self, path: str) -> list[str]:
        prefix = path.rstrip("/") + "/"
        names = [one.removeprefix(prefix) for one in self.nodes if one.startswith(prefix)]
        return [name for name in names if name and "/" not in name]


def _concerns(what: EventType, kind: WatchKind) -> bool:
    if what is EventType.DELETED:
        return True
    return (what is EventType.CHILD) == (kind is WatchKind.CHILDREN)


def _above(path: str) -> str:
    return path[: path.rindex("/")] or "/"
