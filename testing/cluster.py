"""The cluster's processes in a simulation, and what can be seen of them from outside."""

from __future__ import annotations

import asyncio
from typing import Final

from ..actors.fsck.check import Fsck
from ..actors.fsck.finding import Kind, Report
from ..actors.messages import RegionState, ServerStatus
from ..actors.meta_rows import MetaContent, parse
from ..client.async_connection import AsyncConnection
from ..client.effects import Address
from ..config import ClientConfig
from ..coordination.layout import Registry
from ..errors import CorruptionError, MasterNotRunningError, ProcessDiedError, RaybaseError
from ..model import META_REGION, ServerName
from ..runtime import Runtime
from ..storage.manifest import Manifest
from .simulation import Simulation

COORDINATOR: Final = "coordinator"
_CALL_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.5


class SimCluster:
    """One coordinator, some masters, and the region servers the masters start."""

    def __init__(self, simulation: Simulation, masters: int = 2) -> None:
        self.simulation = simulation
        self._masters = masters

    def start(self) -> None:
        """Spawns coordinator and masters; may be called again after ``end_all``."""
        self.simulation.spawn(COORDINATOR, COORDINATOR)
        for number in range(1, self._masters + 1):
            self.simulation.spawn("master", f"master-{number}")

    def connect(self, name: str, config: ClientConfig) -> AsyncConnection:
        """A client in the process called ``name``; use it in coroutines of that process."""
        runtime = self.simulation.runtime_for(name)

        async def find_servers() -> list[Address]:
            return await servers_of(runtime)

        return AsyncConnection(
            find_servers,
            config,
            name,
            network=runtime.network,
            clock=runtime.clock,
            entropy=runtime.entropy,
        )

    # Seen from outside, at no cost of virtual time.

    def owners(self) -> dict[str, str]:
        """Encoded region name -> server name in its newest manifest, "" if closed."""
        newest: dict[str, tuple[str, bytes]] = {}
        for path, node in self.simulation.disk.walk("data"):
            parts = path.split("/")
            if len(parts) == 6 and parts[4] == "manifest" and parts[5].isdigit():
                newest[parts[3]] = (path, bytes(node.data))
        owners = {}
        for encoded, (path, data) in newest.items():
            try:
                owners[encoded] = Manifest.decode(path, data).owner
            except CorruptionError:
                continue
        return owners

    def process_of(self, server: str) -> str | None:
        """The living process that is this server."""
        if not server:
            return None
        name = ServerName.parse(server)
        listener = self.simulation.fabric.listeners.get((name.host, name.port))
        if listener is None or not listener.process.alive:
            return None
        return listener.process.name

    def meta_holder(self) -> str | None:
        """The process that serves hbase:meta, or will when it wakes."""
        return self.process_of(self.owners().get(META_REGION.encoded_name, ""))

    def busiest(self) -> str | None:
        """The region server with most regions of users' tables."""
        counts: dict[str, int] = {}
        for encoded, owner in self.owners().items():
            process = self.process_of(owner)
            if process is not None and encoded != META_REGION.encoded_name:
                counts[process] = counts.get(process, 0) + 1
        return max(counts, key=lambda name: (counts[name], name)) if counts else None

    # Seen by asking.

    async def statuses(self, runtime: Runtime) -> list[ServerStatus]:
        """What every living region server says of itself; one that does not answer is left out."""
        found = []
        for name in self.simulation.living("region_server"):
            try:
                status = await runtime.processes.remote(name).call(
                    "status", timeout_s=_CALL_TIMEOUT_S
                )
            except (RaybaseError, ProcessDiedError):
                continue
            found.append(status)
        return found

    async def meta(self, runtime: Runtime) -> MetaContent:
        """All of hbase:meta. Raises RaybaseError while nobody serves it."""
        holder = self.meta_holder()
        if holder is None:
            raise MasterNotRunningError("nobody serves hbase:meta")
        remote = runtime.processes.remote(holder)
        return parse(await remote.call("read_meta", b"", b"", timeout_s=_CALL_TIMEOUT_S))

    async def fsck(self, runtime: Runtime) -> Report:
        """Checks meta, servers and files against each other. Raises RaybaseError as ``meta``."""
        content = await self.meta(runtime)
        serving = {
            status.server: [
                region.encoded for region in status.regions if region.state is RegionState.OPEN
            ]
            for status in await self.statuses(runtime)
        }
        return await Fsck(runtime.files, content, serving).run()

    async def settled(self, runtime: Runtime, bound_s: float) -> Report:
        """Waits until fsck finds nothing, ``bound_s`` at most; returns the last report."""
        deadline_s = runtime.clock.monotonic_s() + bound_s
        while True:
            try:
                report = await self.fsck(runtime)
            except (RaybaseError, OSError) as error:
                report = Report()
                report.add(Kind.META_UNREADABLE, "", f"fsck could not run: {error!r}")
            if not report.problems or runtime.clock.monotonic_s() >= deadline_s:
                return report
            await asyncio.sleep(_POLL_S)


async def servers_of(runtime: Runtime) -> list[Address]:
    """As a client inside of Ray finds them: by asking the coordinator."""
    try:
        registry: Registry = await runtime.processes.remote(COORDINATOR).call(
            "registry", timeout_s=_CALL_TIMEOUT_S
        )
    except ProcessDiedError as error:
        raise MasterNotRunningError(f"there is no coordinator: {error}") from None
    members = [*registry.region_servers, *([registry.master] if registry.master else [])]
    if not members:
        raise MasterNotRunningError("no server is registered yet")
    return [(one.server.host, one.server.port) for one in members]
