"""What a session asks of the coordinator and what it hears back, as plain values.

The operations and their semantics are ZooKeeper's (PrepRequestProcessor.java, DataTree.java);
names follow kazoo. A version of -1 matches any version.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeGuard

from ..errors import CoordinationError
from .znode import Stat

ANY_VERSION = -1


@dataclass(frozen=True, slots=True)
class Create:
    """Makes a znode; answers its path, which for a sequential one ends in ten digits more.

    Fails with NodeExistsError, NoNodeError (no parent), NoChildrenForEphemeralsError.
    """

    path: str
    data: bytes = b""
    ephemeral: bool = False
    sequential: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Removes a znode. Fails with NoNodeError, BadVersionError, NotEmptyError."""

    path: str
    version: int = ANY_VERSION


@dataclass(frozen=True, slots=True)
class SetData:
    """Replaces a znode's data; answers its Stat. Fails with NoNodeError, BadVersionError."""

    path: str
    data: bytes
    version: int = ANY_VERSION


@dataclass(frozen=True, slots=True)
class Check:
    """Changes nothing; inside a Multi, fails it unless the znode has this version."""

    path: str
    version: int = ANY_VERSION


@dataclass(frozen=True, slots=True)
class Multi:
    """All of the operations in one transaction, or the error of the first that fails, with its
    place among them."""

    operations: tuple[Create | Delete | SetData | Check, ...]


@dataclass(frozen=True, slots=True)
class GetData:
    """Answers ``(data, Stat)``. Fails with NoNodeError, and then sets no watch."""

    path: str
    watch: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """Answers the Stat or None. Its watch is a data watch, set even if there is no znode."""

    path: str
    watch: bool = False


@dataclass(frozen=True, slots=True)
class GetChildren:
    """Answers the names of the children, sorted. Fails as GetData does."""

    path: str
    watch: bool = False


Write = Create | Delete | SetData | Check | Multi
Read = GetData | Exists | GetChildren
Operation = Write | Read
Result = (
    None | int | str | Stat | tuple[bytes, Stat] | tuple[str, ...] | tuple[str | Stat | None, ...]
)


def changes_nothing(operation: Operation) -> TypeGuard[Read]:
    """Whether the coordinator answers it from its state, and logs nothing."""
    return isinstance(operation, GetData | Exists | GetChildren) and not operation.watch


class EventType(IntEnum):
    """What happened to a znode (ZooKeeper's numbers, kazoo's names)."""

    CREATED = 1
    DELETED = 2
    CHANGED = 3
    CHILD = 4


class WatchKind(IntEnum):
    """Children watches hear of births and deaths below, data watches of the rest."""

    CHILDREN = 1
    DATA = 2


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """A watch fired.

    ``number`` counts the session's events from 1. ``xid`` is the request that last set the
    watch: whoever asked for it in that request or an earlier one is meant, nobody later.
    """

    number: int
    type: EventType
    path: str
    kind: WatchKind
    xid: int
    zxid: int


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to one request: its result or its error, and the events that go before it."""

    zxid: int
    result: Result
    error: CoordinationError | None
    events: tuple[WatchEvent, ...]
