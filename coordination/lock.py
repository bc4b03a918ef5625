"""An exclusive lock with a queue: ZooKeeper's recipe, kazoo's ``Lock``.

Every contender makes a sequential ephemeral znode; the lowest holds the lock, and each of the
others watches only the one before it, so a release wakes one contender.
"""

from __future__ import annotations

from ..errors import NodeExistsError, NoNodeError
from .recipe import WATCH, Recipe
from .requests import Create, Delete, Exists, GetChildren
from .znode import join, name_of, parent_of

_PREFIX = "lock-"


def contend(path: str, data: bytes) -> Recipe[str]:
    """Joins the queue; returns the path of the contender's znode."""
    yield from ensure_path(path)
    znode: str = yield Create(join(path, _PREFIX), data, ephemeral=True, sequential=True)
    return znode


def await_turn(znode: str) -> Recipe[int]:
    """Returns once ``znode`` is first in its queue: a token that grows with every holder."""
    path, own = parent_of(znode), name_of(znode)
    while True:
        names = yield GetChildren(path)
        queue = sorted(name for name in names if name.startswith(_PREFIX))
        if own not in queue:
            raise NoNodeError(znode)
        place = queue.index(own)
        if place == 0:
            stat = yield Exists(znode)
            if stat is None:
                raise NoNodeError(znode)
            return int(stat.czxid)
        if (yield Exists(join(path, queue[place - 1]), watch=True)) is not None:
            yield WATCH


def leave(znode: str) -> Recipe[None]:
    """Takes ``znode`` out of the queue, which releases the lock if it was first."""
    try:
        yield Delete(znode)
    except NoNodeError:
        return


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
