"""Errors of a file system that lacks room or descriptors: nothing is broken, and it passes."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from ..runtime import Clock

T = TypeVar("T")

PAUSE_S: Final = 1.0
"""Before what a shortage stopped is tried again."""
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
_NO_DESCRIPTORS: Final = (errno.EMFILE, errno.ENFILE)


def lacks_room(error: OSError) -> bool:
    """Whether the disk, or its owner's share of it, is full."""
    return error.errno in _NO_ROOM


def passes(error: OSError) -> bool:
    """Whether the same call may succeed a little later."""
    return lacks_room(error) or error.errno in _NO_DESCRIPTORS


async def persist(clock: Clock, work: Callable[[], Awaitable[T]]) -> T:
    """Does the work, which may be done twice, again and again while a shortage stops it.

    Raises every other OSError, and what else the work raises.
    """
    while True:
        try:
            return await work()
        except OSError as error:
            if not passes(error):
                raise
        await clock.sleep(PAUSE_S)
