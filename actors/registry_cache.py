"""What a client must know to begin, kept up to date from the coordinator by watches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ..coordination import layout
from ..errors import NoNodeError, ServerNotRunningError
from ..model import ServerName
from .session import Session, SessionState

Watcher = Callable[[Any], None]


class RegistryCache:
    """The cluster's id, its active master, the place of hbase:meta and the region servers.

    It may be a moment late: whoever relies on it must be told where it is wrong, as clients
    are by the servers they call.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.cluster_id = ""
        self.master: layout.Member | None = None
        self.standbys: tuple[ServerName, ...] = ()
        self.meta: layout.Member | None = None
        self.region_servers: tuple[ServerName, ...] = ()

    def check(self) -> None:
        """Raises ServerNotRunningError while it may be more than a moment late: ask another."""
        state = self._session.state
        if state is not SessionState.CONNECTED:
            raise ServerNotRunningError(f"its session with the coordinator is {state.value}")

    async def start(self) -> None:
        """Reads everything once, and from then on whatever changes."""
        data, _ = await self._session.get(layout.CLUSTER_ID)
        self.cluster_id = data.decode()
        for read in (self._read_master, self._read_meta, self._read_servers, self._read_standbys):
            first = asyncio.Event()
            self._session.background(self._follow(read, first))
            await first.wait()

    async def _follow(
        self, read: Callable[[Watcher], Awaitable[None]], first: asyncio.Event
    ) -> None:
        """Reads again after every change, until the session ends and cancels this."""
        while True:
            changed = asyncio.Event()
            await read(lambda _, changed=changed: changed.set())  # type: ignore[misc]
            first.set()
            await changed.wait()

    async def _read_master(self, watch: Watcher) -> None:
        self.master = await self._member(layout.MASTER, watch)

    async def _read_meta(self, watch: Watcher) -> None:
        self.meta = await self._member(layout.META_REGION_SERVER, watch)

    async def _read_servers(self, watch: Watcher) -> None:
        names = await self._session.get_children(layout.REGION_SERVERS, watch)
        self.region_servers = tuple(ServerName.parse(name) for name in names)

    async def _read_standbys(self, watch: Watcher) -> None:
        names = await self._session.get_children(layout.BACKUP_MASTERS, watch)
        standbys = []
        for name in names:
            member = await self._member(f"{layout.BACKUP_MASTERS}/{name}", None)
            if member is not None:
                standbys.append(member.server)
        self.standbys = tuple(standbys)

    async def _member(self, path: str, watch: Watcher | None) -> layout.Member | None:
        # The watch goes with the test of existence: its absence has to be watched, too.
        if await self._session.exists(path, watch) is None:
            return None
        try:
            data, _ = await self._session.get(path)
        except NoNodeError:
            return None
        values = layout.decode_data(data)
        return layout.Member(ServerName.parse(str(values["server"])), str(values["process"]))
