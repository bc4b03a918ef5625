"""Exclusive and shared locks with a queue: ZooKeeper's recipes, kazoo's ``Lock`` and ``ReadLock``.

Every contender makes a sequential ephemeral znode; it holds the lock once no other before it
stands in its way: anybody in that of an exclusive one, exclusive ones in that of a shared one.
Each watches only the last of those, so a release wakes whoever can go on and nobody else.
"""

from __future__ import annotations

from typing import Final

from ..errors import NodeExistsError, NoNodeError
from .recipe import WATCH, Recipe
from .requests import Create, Delete, Exists, GetChildren, GetData
from .znode import join, name_of, parent_of

_EXCLUSIVE: Final = "lock-"
_SHARED: Final = "read-"


def contend(path: str, data: bytes, *, shared: bool = False) -> Recipe[str]:
    """Joins the queue; returns the path of the contender's znode."""
    yield from ensure_path(path)
    prefix = _SHARED if shared else _EXCLUSIVE
    znode: str = yield Create(join(path, prefix), data, ephemeral=True, sequential=True)
    return znode


def await_turn(znode: str) -> Recipe[int]:
    """Returns once ``znode`` holds the lock: a token, greater than that of every holder before
    it that it excludes."""
    path, own = parent_of(znode), name_of(znode)
    shared = own.startswith(_SHARED)
    while True:
        queue = _in_order((yield GetChildren(path)))
        if own not in queue:
            raise NoNodeError(znode)
        before = queue[: queue.index(own)]
        in_the_way = [one for one in before if not (shared and one.startswith(_SHARED))]
        if not in_the_way:
            stat = yield Exists(znode)
            if stat is None:
                raise NoNodeError(znode)
            return int(stat.czxid)
        if (yield Exists(join(path, in_the_way[-1]), watch=True)) is not None:
            yield WATCH


def leave(znode: str) -> Recipe[None]:
    """Takes ``znode`` out of the queue, which releases the lock if it held it."""
    try:
        yield Delete(znode)
    except NoNodeError:
        return


def contenders(path: str) -> Recipe[list[bytes]]:
    """The data of all that hold the lock or wait for it, in the order of the queue."""
    found = []
    try:
        names = yield GetChildren(path)
    except NoNodeError:
        return []
    for name in _in_order(names):
        try:
            data, _ = yield GetData(join(path, name))
        except NoNodeError:
            continue
        found.append(data)
    return found


def ensure_path(path: str) -> Recipe[None]:
    """Makes the znode and those above it that are missing, persistent and empty."""
    missing = []
    while path != "/" and (yield Exists(path)) is None:
        missing.append(path)
        path = parent_of(path)
    for one in reversed(missing):
        try:
            yield Create(one)
        except NodeExistsError:
            continue


def _in_order(names: tuple[str, ...]) -> list[str]:
    """The contenders among the znodes, whatever their kind, as they came."""
    ours = [name for name in names if name.startswith((_EXCLUSIVE, _SHARED))]
    return sorted(ours, key=lambda name: name.partition("-")[2])
