"""Draining: region servers that are being taken out of service get no regions and lose theirs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from ..coordination import layout
from ..errors import IllegalArgumentError, NodeExistsError, NoNodeError
from ..model import ServerName
from .server_manager import ServerManager, parsed_server
from .session import Session

log = logging.getLogger(__name__)

_OFFLOAD: Final = "offload"


class DrainingServers:
    """Who is being drained, and of whom the regions are to be moved off.

    It stands under /hbase/draining, a child for each server, so the next master knows it;
    it is written there before it counts. A mark goes with its server's life.
    Source: ServerManager.java (addServerToDrainList), DrainingServerTracker.java; there
    regions are moved off once, here until none is left.
    """

    def __init__(self, session: Session, servers: ServerManager) -> None:
        self._session = session
        self._servers = servers
        self._offload: dict[ServerName, bool] = {}

    async def load(self) -> None:
        """Reads what earlier masters wrote down."""
        self._offload = {}
        for name in await self._session.get_children(layout.DRAINING):
            server = parsed_server(name)
            if server is not None:
                self._offload[server] = await self._read_offload(name)

    async def _read_offload(self, name: str) -> bool:
        try:
            data, _ = await self._session.get(f"{layout.DRAINING}/{name}")
        except NoNodeError:
            return False
        with suppress(ValueError):
            return bool(layout.decode_data(data).get(_OFFLOAD))
        return False  # HBase writes nothing there: no new regions, and no more.

    def __contains__(self, server: ServerName | None) -> bool:
        return server in self._offload

    def all(self) -> list[ServerName]:
        """In order of their names."""
        return sorted(self._offload)

    def to_empty(self) -> list[ServerName]:
        """Living servers whose regions are to be moved off."""
        return [one for one in self.all() if self._offload[one] and self._servers.is_live(one)]

    def staying(self) -> list[ServerName]:
        """Living servers that may be given regions."""
        return [one.name for one in self._servers.live() if one.name not in self._offload]

    async def add(self, servers: Sequence[ServerName], *, offload: bool) -> None:
        """From here on no region is placed at them. Asking again may add ``offload``.

        Raises IllegalArgumentError, and changes nothing, if one of them does not live.
        """
        for server in servers:
            self._check_lives(server)
        for server in servers:
            wanted = offload or self._offload.get(server, False)
            data = layout.encode_data(**{_OFFLOAD: wanted})
            path = f"{layout.DRAINING}/{server}"
            try:
                await self._session.create(path, data)
            except NodeExistsError:
                await self._session.set(path, data)
            self._offload[server] = wanted
            log.info("%s is being drained", server)

    async def remove(self, server: ServerName) -> None:
        """It may be given regions again; nothing to do if it is not being drained.

        Raises IllegalArgumentError if it does not live.
        """
        self._check_lives(server)
        if server in self:
            await self._unmark(server)
            self._servers.announce_arrival()

    async def forget_dead(self) -> None:
        """Removes the marks of servers that ended: none of them comes back under its name."""
        for server in self.all():
            if not self._servers.is_live(server):
                await self._unmark(server)

    async def _unmark(self, server: ServerName) -> None:
        with suppress(NoNodeError):
            await self._session.delete(f"{layout.DRAINING}/{server}")
        if self._offload.pop(server, None) is not None:
            log.info("%s is not being drained any more", server)

    def _check_lives(self, server: ServerName) -> None:
        if not self._servers.is_live(server):
            known = ", ".join(str(one.name) for one in self._servers.live()) or "none"
            raise IllegalArgumentError(f"no region server {server} lives; there are: {known}")
