"""What the coordinator answers instead of a result, in kazoo's names."""

from __future__ import annotations

from typing import Final

from .base import RaybaseError

_KEEPER: Final = "org.apache.zookeeper.KeeperException"


class CoordinationError(RaybaseError):
    """Base of what the coordinator answers instead of a result.

    ``place`` says which operation of a Multi failed, counted from 0; None outside one.
    """

    java_class = _KEEPER
    place: int | None = None


class NoNodeError(CoordinationError):
    """There is no znode at this path."""

    java_class = _KEEPER + "$NoNodeException"


class NodeExistsError(CoordinationError):
    """There is a znode at this path already."""

    java_class = _KEEPER + "$NodeExistsException"


class BadVersionError(CoordinationError):
    """The znode's version is not the one the request named."""

    java_class = _KEEPER + "$BadVersionException"


class NotEmptyError(CoordinationError):
    """The znode has children."""

    java_class = _KEEPER + "$NotEmptyException"


class NoChildrenForEphemeralsError(CoordinationError):
    """An ephemeral znode cannot have children."""

    java_class = _KEEPER + "$NoChildrenForEphemeralsException"


class SessionExpiredError(CoordinationError):
    """The session is over: its ephemeral znodes are gone and it cannot be taken up again."""

    java_class = _KEEPER + "$SessionExpiredException"


class BadArgumentsError(CoordinationError):
    """The path or the request is malformed."""

    java_class = _KEEPER + "$BadArgumentsException"


class RolledBackError(CoordinationError):
    """This operation of a transaction would have succeeded, but another one failed."""


class RuntimeInconsistency(CoordinationError):  # noqa: N818 - kazoo's name
    """This operation of a transaction was not tried, as one before it failed."""

    java_class = _KEEPER + "$RuntimeInconsistencyException"
