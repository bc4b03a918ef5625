"""``simulate``: your own client code against a whole cluster that fails, from one seed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..client.async_connection import AsyncConnection
from ..config import ClientConfig, ClusterConfig
from .chaos import Chaos, ChaosConfig
from .cluster import SimCluster
from .simulation import Simulation
from .story import SMALL
from .world import ROUGH, Faults

T = TypeVar("T")


class UncaughtError(Exception):
    """Exceptions that nobody caught, in the cluster or in the application."""


def simulate(
    application: Callable[[AsyncConnection], Awaitable[T]],
    seed: int,
    *,
    faults: Faults = ROUGH,
    chaos: ChaosConfig | None = None,
    config: ClusterConfig = SMALL,
    client: ClientConfig | None = None,
    timeout_s: float = 600.0,
) -> T:
    """Runs ``await application(connection)`` while the cluster is killed, cut and slowed.

    Nothing real is touched: the cluster, its files and its network live in this process, on a
    virtual clock. The same seed gives the same run. Inside the application ``asyncio.sleep``
    and time-outs are virtual; threads and sockets do not exist.

    Args:
        application: a coroutine function of an AsyncConnection.
        seed: try many; a failing one fails again.
        faults, chaos: how often messages and disks fail, how many processes are struck.
        config, client: settings of the cluster (small sizes unless given) and the client.
        timeout_s: virtual time the application may take.

    Raises:
        VirtualTimeoutError: the application was not done in time.
        UncaughtError: something raised where nobody was there to catch it.
        Exception: whatever the application raises.
    """
    with Simulation(seed, config) as simulation:
        cluster = SimCluster(simulation)
        cluster.start()
        connection = cluster.connect("application", client or ClientConfig())

        async def strike() -> None:
            await asyncio.sleep(2.0)
            simulation.set_faults(faults)
            await Chaos(cluster, simulation.world.stream("chaos"), chaos or ChaosConfig()).run()

        async def work() -> T:
            try:
                return await application(connection)
            finally:
                await connection.close()

        simulation.start("chaos", strike())
        result = simulation.run(work(), timeout_s, "application")
        if simulation.errors:
            raise UncaughtError("\n".join(simulation.errors))
        return result
