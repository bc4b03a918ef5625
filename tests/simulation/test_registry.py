"""Whom clients ask where hbase:meta is, when who tells them cannot know it any more."""

from __future__ import annotations

import asyncio

import pytest

import raybase
from raybase.client.async_connection import AsyncConnection, known_servers
from raybase.client.effects import Address, Call
from raybase.errors import ServerNotRunningError
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.testing.cluster import COORDINATOR, SimCluster
from raybase.testing.simulation import Simulation
from raybase.testing.story import SMALL

pytestmark = pytest.mark.simulation

RECOVERED_S = 4.0
"""So soon hbase:meta is served again; the registry of a server that was cut off a moment before
still answers then."""


class Stale:
    """A server that the coordinator does not reach any more; then the holder of meta dies."""

    def __init__(self, simulation: Simulation, *, one_way: bool) -> None:
        self.simulation = simulation
        self.cluster = SimCluster(simulation)
        self.cluster.start()
        self._one_way = one_way

    async def happen(self) -> list[Address]:
        """The addresses of region servers, that of the one that was cut off before others."""
        connection = self.cluster.connect("main", raybase.ClientConfig())
        await connection.admin.create_table("web", ["f"])
        await connection.table("web").put("a", {"f:q": b"1"})
        await connection.close()
        simulation, holder = self.simulation, self.cluster.meta_holder()
        assert holder is not None
        servers = simulation.living("region_server")
        addresses = {
            listener.process.name: address
            for address, listener in simulation.fabric.listeners.items()
            if listener.process.name in servers
        }
        self.cut_off = next(name for name in servers if name != holder)
        simulation.cut(COORDINATOR, self.cut_off, one_way=self._one_way)
        simulation.kill(holder)
        first = addresses.pop(self.cut_off)
        return [first, *addresses.values()]

    def connect(self, addresses: list[Address]) -> AsyncConnection:
        """A client that knows these addresses, and asks them in this order."""
        runtime = self.simulation.runtime_for("main")
        return AsyncConnection(
            known_servers(addresses),
            raybase.ClientConfig(operation_timeout_s=60.0, attempts_max=1000),
            "reader",
            network=runtime.network,
            clock=runtime.clock,
            entropy=runtime.entropy,
        )


@pytest.mark.parametrize("one_way", [True, False])
def test_a_client_asks_others_when_what_a_server_names_is_dead(one_way: bool) -> None:
    with Simulation(1, SMALL) as simulation:
        stale = Stale(simulation, one_way=one_way)

        async def story() -> None:
            addresses = await stale.happen()
            connection = stale.connect(addresses)
            began_s = simulation.now_s
            assert (await connection.table("web").get("a"))["f:q"] == b"1"
            assert simulation.now_s - began_s < RECOVERED_S
            await connection.close()

        simulation.run(story(), 600.0)
        assert simulation.errors == []


@pytest.mark.parametrize("one_way", [True, False])
def test_a_server_that_has_lost_touch_with_the_coordinator_names_nobody(one_way: bool) -> None:
    config = SMALL.session
    with Simulation(1, SMALL) as simulation:
        stale = Stale(simulation, one_way=one_way)

        async def story() -> None:
            addresses = await stale.happen()
            connection = stale.connect(addresses[:1])
            assert await connection.cluster_id()
            await asyncio.sleep(config.timeout_s * 0.75)
            assert simulation.process(stale.cut_off) is not None, "its session still lasts"
            assert await connection.cluster_id()
            with pytest.raises(ServerNotRunningError, match="session with the coordinator"):
                await ask_for_meta(connection, addresses[0])
            await connection.close()

        simulation.run(story(), 600.0)


async def ask_for_meta(connection: AsyncConnection, address: Address) -> None:
    call = Call(
        address,
        "ClientMetaService",
        "GetMetaRegionLocations",
        pb.GetMetaRegionLocationsRequest(),
        timeout_s=1.0,
    )
    await connection._shell._call(call)
