"""The tree of znodes (DataTree.java): what every write does, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from ..errors import (
    BadArgumentsError,
    BadVersionError,
    CoordinationError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
)
from .requests import (
    ANY_VERSION,
    Check,
    Create,
    Delete,
    EventType,
    Exists,
    GetChildren,
    GetData,
    Multi,
    Read,
    Result,
    SetData,
    Write,
)
from .znode import (
    DATA_BYTES_MAX,
    PERSISTENT,
    ROOT,
    Stat,
    Znode,
    check_path,
    join,
    name_of,
    parent_of,
)

K = TypeVar("K", str, int)
SEQUENCE_DIGITS: Final = 10
_ROOT_ZNODE: Final = Znode(b"", 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to the znode at ``path``."""

    type: EventType
    path: str


@dataclass(frozen=True, slots=True)
class Author:
    """The transaction a write belongs to: its number, its time, its session."""

    zxid: int
    time_ms: int
    session_id: int


class Tree:
    """All znodes by path. A write that fails has changed nothing."""

    def __init__(self, znodes: Iterable[tuple[str, Znode]] = ((ROOT, _ROOT_ZNODE),)) -> None:
        self._znodes: dict[str, Znode] = {}
        self._children: dict[str, set[str]] = {}
        self._ephemerals: dict[int, set[str]] = {}
        for path, znode in znodes:
            self._put(path, znode)

    def __len__(self) -> int:
        return len(self._znodes)

    def __iter__(self) -> Iterator[tuple[str, Znode]]:
        """Paths and znodes as of now, a znode after its parent; later writes do not matter."""
        return iter(sorted(self._znodes.items()))

    def ephemerals(self, session_id: int) -> list[str]:
        """The paths of a session's ephemeral znodes, sorted."""
        return sorted(self._ephemerals.get(session_id, ()))

    def stat(self, path: str) -> Stat:
        """Raises NoNodeError."""
        return self._znode(path).stat(len(self._children.get(path, ())))

    def read(self, operation: Read) -> Result:
        path = operation.path
        check_path(path)
        if isinstance(operation, Exists):
            return self.stat(path) if path in self._znodes else None
        znode = self._znode(path)
        if isinstance(operation, GetData):
            return (znode.data, self.stat(path))
        assert isinstance(operation, GetChildren)
        return tuple(sorted(self._children.get(path, ())))

    def write(self, operation: Write, author: Author) -> tuple[Result, list[Change]]:
        """Applies the operation, or raises a CoordinationError."""
        undo: list[tuple[str, Znode | None]] = []
        changes: list[Change] = []
        try:
            if isinstance(operation, Multi):
                return self._write_all(operation, author, undo, changes), changes
            return self._write(operation, author, undo, changes), changes
        except Exception:
            for path, before in reversed(undo):
                self._put(path, before)
            raise

    def remove_ephemerals(self, author: Author) -> list[Change]:
        """The session has ended, and all its ephemeral znodes end with it."""
        changes: list[Change] = []
        for path in self.ephemerals(author.session_id):
            self._write(Delete(path), author, [], changes)
        return changes

    def _write_all(
        self,
        multi: Multi,
        author: Author,
        undo: list[tuple[str, Znode | None]],
        changes: list[Change],
    ) -> tuple[str | Stat | None, ...]:
        if not isinstance(multi.operations, tuple):
            raise BadArgumentsError("a Multi holds a tuple of operations")
        results: list[str | Stat | None] = []
        for place, one in enumerate(multi.operations):
            try:
                results.append(self._write(one, author, undo, changes))
            except CoordinationError as error:
                error.place = place
                raise
        return tuple(results)

    def _write(
        self,
        operation: Create | Delete | SetData | Check,
        author: Author,
        undo: list[tuple[str, Znode | None]],
        changes: list[Change],
    ) -> str | Stat | None:
        if isinstance(operation, Create):
            return self._create(operation, author, undo, changes)
        if not isinstance(operation, Delete | SetData | Check):
            raise BadArgumentsError(f"{type(operation).__name__} cannot be part of a transaction")
        path = operation.path
        check_path(path)
        znode = self._znode(path)
        if operation.version not in (ANY_VERSION, znode.version):
            raise BadVersionError(f"{path} has version {znode.version}, not {operation.version}")
        if isinstance(operation, SetData):
            _check_data(operation.data)
            changed = replace(
                znode,
                data=operation.data,
                mzxid=author.zxid,
                mtime_ms=author.time_ms,
                version=znode.version + 1,
            )
            self._set(path, changed, undo)
            changes.append(Change(EventType.CHANGED, path))
            return self.stat(path)
        if isinstance(operation, Delete):
            self._delete(path, author, undo, changes)
        return None

    def _create(
        self,
        operation: Create,
        author: Author,
        undo: list[tuple[str, Znode | None]],
        changes: list[Change],
    ) -> str:
        path = operation.path
        # A sequential znode may have no name of its own: "/queue/" becomes "/queue/0000000000".
        check_path(path + "0" if operation.sequential else path)
        _check_data(operation.data)
        if path == ROOT and not operation.sequential:
            raise NodeExistsError(path)
        above = parent_of(path)
        parent = self._znode(above)
        if parent.ephemeral_owner != PERSISTENT:
            raise NoChildrenForEphemeralsError(above)
        if operation.sequential:
            path = f"{path}{parent.created:0{SEQUENCE_DIGITS}d}"
        if path in self._znodes:
            raise NodeExistsError(path)
        zxid, time_ms = author.zxid, author.time_ms
        owner = author.session_id if operation.ephemeral else PERSISTENT
        znode = Znode(operation.data, zxid, zxid, zxid, time_ms, time_ms, ephemeral_owner=owner)
        self._set(path, znode, undo)
        self._set(above, replace(parent, pzxid=zxid, created=parent.created + 1), undo)
        changes.append(Change(EventType.CREATED, path))
        changes.append(Change(EventType.CHILD, above))
        return path

    def _delete(
        self,
        path: str,
        author: Author,
        undo: list[tuple[str, Znode | None]],
        changes: list[Change],
    ) -> None:
        if path == ROOT:
            raise BadArgumentsError("the root cannot be deleted")
        if path in self._children:
            raise NotEmptyError(path)
        above = parent_of(path)
        self._set(path, None, undo)
        self._set(above, replace(self._znodes[above], pzxid=author.zxid), undo)
        changes.append(Change(EventType.DELETED, path))
        changes.append(Change(EventType.CHILD, above))

    def _znode(self, path: str) -> Znode:
        znode = self._znodes.get(path)
        if znode is None:
            raise NoNodeError(path)
        return znode

    def _set(self, path: str, znode: Znode | None, undo: list[tuple[str, Znode | None]]) -> None:
        undo.append((path, self._znodes.get(path)))
        self._put(path, znode)

    def _put(self, path: str, znode: Znode | None) -> None:
        """Every change comes through here; None removes."""
        before = self._znodes.pop(path, None)
        if before is not None:
            _discard(self._ephemerals, before.ephemeral_owner, path)
        if path != ROOT and znode is None:
            _discard(self._children, parent_of(path), name_of(path))
        if znode is None:
            return
        self._znodes[path] = znode
        if path != ROOT:
            self._children.setdefault(parent_of(path), set()).add(name_of(path))
        if znode.ephemeral_owner != PERSISTENT:
            self._ephemerals.setdefault(znode.ephemeral_owner, set()).add(path)

    def check_invariants(self) -> None:
        """Raises AssertionError if the indexes and the znodes do not agree."""
        children: dict[str, set[str]] = {}
        ephemerals: dict[int, set[str]] = {}
        for path, znode in self._znodes.items():
            if path != ROOT:
                assert self._znodes[parent_of(path)].ephemeral_owner == PERSISTENT, path
                children.setdefault(parent_of(path), set()).add(name_of(path))
                assert join(parent_of(path), name_of(path)) == path
            if znode.ephemeral_owner != PERSISTENT:
                ephemerals.setdefault(znode.ephemeral_owner, set()).add(path)
            assert znode.created >= len(self._children.get(path, ())), path
            assert znode.czxid <= znode.mzxid, path
        assert children == self._children
        assert ephemerals == self._ephemerals


def _discard(index: dict[K, set[str]], key: K, member: str) -> None:
    members = index.get(key)
    if members is not None:
        members.discard(member)
        if not members:
            del index[key]


def _check_data(data: bytes) -> None:
    if not isinstance(data, bytes):
        raise BadArgumentsError(f"a znode's data is bytes, not {type(data).__name__}")
    if len(data) > DATA_BYTES_MAX:
        raise BadArgumentsError(f"data of {len(data)} bytes; the limit is {DATA_BYTES_MAX}")
