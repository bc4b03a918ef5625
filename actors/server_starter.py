"""ServerStarter: keeps as many region servers alive as there should be."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from ..config import ClusterConfig
from ..errors import NodeExistsError, NoNodeError, ProcessDiedError, RaybaseError
from ..runtime import Runtime
from .draining import DrainingServers
from .server_manager import ServerManager
from .session import Session

log = logging.getLogger(__name__)

STARTING: Final = "/hbase/starting"
"""Children: names of processes that were started and have not registered yet."""
LOOK_S: Final = 0.5
_START_TIMEOUT_S: Final = 60.0
_PROBE_TIMEOUT_S: Final = 1.0
_NAME_BITS: Final = 32
_RECOVERY_FIRST_S: Final = 10.0
"""For so long a recovery goes before the start of a server, which would come too late for it."""


class ServerStarter:
    """Starts a region server for each that is missing; one that is being drained counts as such.

    What was started is written down before, so that neither this master nor the next starts
    another instead while it is on its way. One that has not registered in a minute, or is
    reported dead before it did, is ended and replaced. While the regions of a dead server are
    brought to others, none is started beside it: that takes a second of processor time.
    """

    def __init__(
        self,
        runtime: Runtime,
        config: ClusterConfig,
        session: Session,
        servers: ServerManager,
        draining: DrainingServers,
    ) -> None:
        self._runtime = runtime
        self._config = config
        self._session = session
        self._servers = servers
        self._draining = draining
        self._since_s: dict[str, float] = {}
        self._recovering_since_s: float | None = None

    async def pending(self) -> list[str]:
        """Process names of those on their way."""
        await self._session.ensure_path(STARTING)
        return await self._session.get_children(STARTING)

    def starting(self) -> dict[str, float]:
        """Process names of those on their way at the last look -> since when, in s."""
        return dict(self._since_s)

    async def look(self) -> None:
        """Starts what is missing and gives up what does not come."""
        present = [one.process for one in self._servers.live()]
        pending = await self.pending()
        self._since_s = {
            name: self._since_s.get(name, self._runtime.clock.monotonic_s()) for name in pending
        }
        coming = 0
        for name, failed in zip(pending, await self._failed(pending, present), strict=True):
            if name in present:
                await self._forget(name)
            elif failed:
                log.warning("region server process %s did not start", name)
                await self._runtime.processes.kill(name)
                await self._forget(name)
            else:
                coming += 1
        wanted = self._config.master.region_servers
        missing = wanted - len(self._draining.staying()) - coming
        if self._gives_way_to_recovery():
            return
        for _ in range(missing):
            await self._start()

    def _gives_way_to_recovery(self) -> bool:
        if not self._servers.recovering() or not self._draining.staying():
            self._recovering_since_s = None
            return False
        now_s = self._runtime.clock.monotonic_s()
        if self._recovering_since_s is None:
            self._recovering_since_s = now_s
        return now_s - self._recovering_since_s < _RECOVERY_FIRST_S

    async def _failed(self, pending: list[str], present: list[str]) -> list[bool]:
        return await asyncio.gather(*(self._has_failed(name, name in present) for name in pending))

    async def _has_failed(self, name: str, registered: bool) -> bool:
        if registered:
            return False
        if self._runtime.clock.monotonic_s() - self._since_s[name] > _START_TIMEOUT_S:
            return True
        try:
            remote = self._runtime.processes.remote(name)
            await remote.call("describe", timeout_s=_PROBE_TIMEOUT_S)
        except ProcessDiedError:
            return True
        except RaybaseError:
            return False
        return False

    async def _start(self) -> None:
        name = f"region-server-{self._runtime.entropy.integer(_NAME_BITS):08x}"
        try:
            await self._session.create(f"{STARTING}/{name}")
        except NodeExistsError:
            return  # The next look finds another name.
        log.info("starting region server process %s", name)
        # Its node may be what is to go.
        leaving = [one.process for one in self._servers.live() if one.name in self._draining]
        await self._runtime.processes.spawn("region_server", name, {}, away_from=leaving)

    async def _forget(self, name: str) -> None:
        try:
            await self._session.delete(f"{STARTING}/{name}")
        except NoNodeError:
            return
