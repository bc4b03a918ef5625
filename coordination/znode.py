"""A znode, its Stat and its path.

A path is ``/`` or ``/name/name``; a name is any text but ``.`` and ``..``, without ``/`` and
control characters (PathUtils.java).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..errors import BadArgumentsError

ROOT: Final = "/"
DATA_BYTES_MAX: Final = 1024 * 1024
"""Of one znode. jute.maxbuffer"""
PATH_LENGTH_MAX: Final = 4096
PERSISTENT: Final = 0
"""The ephemeral owner of a znode that no session owns."""


@dataclass(frozen=True, slots=True)
class Stat:
    """ZooKeeper's Stat: transaction ids, times in ms since 1970, versions and sizes.

    ``czxid``, ``mzxid`` and ``pzxid`` are the transactions that made the znode, last set its
    data, and last changed its children.
    """

    czxid: int
    mzxid: int
    pzxid: int
    ctime_ms: int
    mtime_ms: int
    version: int
    cversion: int
    ephemeral_owner: int
    data_length: int
    num_children: int


@dataclass(frozen=True, slots=True)
class Znode:
    """A znode without its children's names. ``created`` counts children ever made here."""

    data: bytes
    czxid: int
    mzxid: int
    pzxid: int
    ctime_ms: int
    mtime_ms: int
    version: int = 0
    created: int = 0
    ephemeral_owner: int = PERSISTENT

    def stat(self, num_children: int) -> Stat:
        return Stat(
            self.czxid,
            self.mzxid,
            self.pzxid,
            self.ctime_ms,
            self.mtime_ms,
            self.version,
            # Births and deaths: every child made that is gone counts twice (DataTree.copyStat).
            2 * self.created - num_children,
            self.ephemeral_owner,
            len(self.data),
            num_children,
        )


def check_path(path: str) -> None:
    """Raises BadArgumentsError, which says why, unless ``path`` can name a znode."""
    if not isinstance(path, str):
        raise BadArgumentsError(f"a path is text, not {type(path).__name__}")
    if path == ROOT:
        return
    if not path.startswith("/") or path.endswith("/"):
        raise BadArgumentsError(f"a path begins with '/' and does not end with it: {path!r}")
    if len(path) > PATH_LENGTH_MAX:
        raise BadArgumentsError(f"path of {len(path)} characters; the limit is {PATH_LENGTH_MAX}")
    for name in path[1:].split("/"):
        if name in ("", ".", ".."):
            raise BadArgumentsError(f"a path has no empty, '.' or '..' part: {path!r}")
    if any(c < " " or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" for c in path):
        raise BadArgumentsError(f"a path has no control characters or surrogates: {path!r}")


def parent_of(path: str) -> str:
    return path.rpartition("/")[0] or ROOT


def name_of(path: str) -> str:
    return path.rpartition("/")[2]


def join(parent: str, name: str) -> str:
    return f"{parent.rstrip('/')}/{name}"
