"""Leader election and locks over a session with the coordinator."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import ClassVar, TypeAlias

from ..coordination import election, layout, lock
from ..coordination.znode import join
from ..errors import CoordinationError
from .session import Session


class Election:
    """Candidacy for the lead; at most one session has it, the others are listed as standbys.

    ``name`` is the candidate's name among the standbys and ``data`` what both its znodes say
    (layout.encode_data(process=..., server=...)).
    """

    def __init__(
        self,
        session: Session,
        name: str,
        data: bytes,
        *,
        path: str = layout.MASTER,
        standbys_path: str = layout.BACKUP_MASTERS,
    ) -> None:
        self._session = session
        self._path = path
        self._standby_path = join(standbys_path, name)
        self._data = data
        self.epoch: int | None = None
        """The epoch of the lead this session has, None without it."""

    async def campaign(self) -> int:
        """Waits until this session leads; returns the epoch.

        Epochs grow strictly from one leader to the next, over all restarts. The lead lasts
        until ``resign`` or the end of the session, of which the session tells; whoever acts
        on it later must be refused by epoch.
        """
        recipe = election.campaign(
            self._path, self._standby_path, self._data, self._session.session_id
        )
        self.epoch = await self._session.run(recipe)
        return self.epoch

    async def resign(self) -> None:
        """Gives the lead up, or the candidacy, so that a standby leads at once."""
        self.epoch = None
        await self._session.run(
            election.resign(self._path, self._standby_path, self._session.session_id)
        )


class Lock:
    """An exclusive lock, served in the order of asking; ``async with lock as token: ...``.

    The lock lasts until ``release`` or the end of the session, and then passes on whether or
    not its holder knows of it. The token grows from holder to holder: what must be safe
    against a late holder compares tokens. ``data`` tells the contenders apart for people.
    """

    _shared: ClassVar[bool] = False

    def __init__(self, session: Session, path: str, data: bytes = b"") -> None:
        self._session = session
        self._path = path
        self._data = data
        self._znode: str | None = None

    async def acquire(self) -> int:
        """Waits for the lock; returns its token. Cancelling leaves the queue."""
        if self._znode is not None:
            raise CoordinationError(f"{self._path} is held or waited for already")
        recipe = lock.contend(self._path, self._data, shared=self._shared)
        joining = asyncio.ensure_future(self._session.run(recipe))
        try:
            self._znode = await asyncio.shield(joining)
            return await self._session.run(lock.await_turn(self._znode))
        except BaseException:
            self._session.background(self._leave(joining))
            self._znode = None
            raise

    async def _leave(self, joining: asyncio.Future[str]) -> None:
        """A place in the queue that nobody waits at would block all behind it."""
        try:
            await self._session.run(lock.leave(await joining))
        except CoordinationError:
            return  # The session is over, and its znodes with it.

    async def release(self) -> None:
        """Does nothing if the lock is not held."""
        znode, self._znode = self._znode, None
        if znode is not None:
            await self._session.run(lock.leave(znode))

    async def contenders(self) -> list[bytes]:
        """The data of all that hold the lock or wait for it, in the order of asking."""
        return await self._session.run(lock.contenders(self._path))

    async def __aenter__(self) -> int:
        return await self.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.release()


WriteLock: TypeAlias = Lock
"""kazoo's name for the lock that a ``ReadLock`` of the same path waits for."""


class ReadLock(Lock):
    """A lock that other ReadLocks of the path share, and a Lock excludes.

    Who asks while a Lock waits is served after it, so that readers do not starve writers. A
    token is greater than that of every Lock before.
    """

    _shared = True
