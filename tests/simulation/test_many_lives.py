"""A cluster that lives long keeps nothing of the processes that were."""

from __future__ import annotations

import asyncio

import pytest

from raybase.client.async_connection import AsyncConnection
from raybase.config import ClientConfig
from raybase.runtime import Runtime
from raybase.testing.cluster import COORDINATOR, SimCluster
from raybase.testing.drill import CONFIG, SERVERS
from raybase.testing.simulation import Simulation

pytestmark = pytest.mark.simulation

LIVES = 50
EARLY = 3
CLIENT = "operator"


class LongLived:
    """Servers are drained and killed one after another, and with each a master or the
    coordinator."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._cluster = SimCluster(simulation)
        self._runtime: Runtime = simulation.runtime_for(CLIENT)
        self._coordinator = self._runtime.processes.remote(COORDINATOR)
        self._connection: AsyncConnection
        self.kept: dict[int, tuple[int, int]] = {}
        """After so many lives of servers: znodes, and files of the coordinator and of logs."""

    async def live(self) -> None:
        self._cluster.start()
        config = ClientConfig(operation_timeout_s=60.0, attempts_max=1000)
        self._connection = self._cluster.connect(CLIENT, config)
        await self._connection.admin.create_table("t", ["f"], splits=["m"])
        for life in range(1, LIVES + 1):
            await self._replace_a_server(also=await self._master() if life % 2 else COORDINATOR)
            await asyncio.sleep(1.0)
            self.kept[life] = (await self._znodes(), self._files())

    async def _replace_a_server(self, also: str) -> None:
        admin = self._connection.admin
        server = (await admin.status()).servers[0].name
        await admin.decommission(server, offload=False)
        process = self._cluster.process_of(str(server))
        assert process is not None
        self._simulation.kill(process)
        self._simulation.kill(also)
        while len(await admin.decommissioned()) or (await self._servers()) < SERVERS:
            await asyncio.sleep(0.2)

    async def _servers(self) -> int:
        return len((await self._connection.admin.status()).servers)

    async def _master(self) -> str:
        return str((await self._coordinator.call("registry", timeout_s=10.0)).master.process)

    async def _znodes(self) -> int:
        return len((await self._coordinator.call("dump", timeout_s=10.0))["znodes"])

    def _files(self) -> int:
        disk = self._simulation.disk
        return sum(1 for area in ("WALs", "coordinator") for _ in disk.walk(area))


def test_fifty_lives_of_servers_leave_no_more_than_three() -> None:
    with Simulation(1, CONFIG) as simulation:
        cluster = LongLived(simulation)
        simulation.run(cluster.live(), 3600.0, CLIENT)
        assert simulation.errors == []
        assert simulation.counts["kills"] == 2 * LIVES
    for kept in zip(*cluster.kept.values(), strict=True):
        assert max(kept[EARLY:]) <= max(kept[:EARLY]) + 1, kept
