"""``simulate``: your own client code against a whole cluster that fails, from one seed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from ..client.async_connection import AsyncConnection
from ..config import ClientConfig, ClusterConfig
from .chaos import Chaos, ChaosConfig
from .cluster import SimCluster
from .simulation import Simulation
from .story import SMALL
from .world import NO_FAULTS, ROUGH, Faults

T = TypeVar("T")

_CALM_S: Final = 2.0
"""Before the first fault, so that the cluster is there."""
_HEAL_BOUND_S: Final = 60.0
_FAULTS_TOLD: Final = 20


class UncaughtError(Exception):
    """Exceptions that nobody caught, in the cluster or in the application."""


class UnsettledError(Exception):
    """All faults were over and the cluster did not come back: a bug of raybase. Please report
    the seed."""


def simulate(
    application: Callable[[AsyncConnection], Awaitable[T]],
    seed: int,
    *,
    duration_s: float = 20.0,
    faults: Faults = ROUGH,
    chaos: ChaosConfig | None = None,
    config: ClusterConfig = SMALL,
    client: ClientConfig | None = None,
    timeout_s: float = 600.0,
    trace: list[str] | None = None,
) -> T:
    """Runs ``await application(connection)`` while the cluster is killed, cut and slowed.

    Nothing real is touched: the cluster, its files and its network live in this process, on a
    virtual clock. The same seed gives the same run. Inside the application ``asyncio.sleep``
    and time-outs are virtual; threads and sockets do not exist.

    After ``duration_s`` everything heals. When the application has returned, the cluster must
    come to rest with all regions open and all files in order.

    Whatever is raised carries a note (``__notes__``; Python and pytest show it) that names the
    seed, the virtual time, what was done to the cluster, and how to see it again.

    Args:
        application: a coroutine function of an AsyncConnection.
        seed: try many; a failing one fails again.
        duration_s: virtual time for which things fail; 0: nothing ever fails.
        faults: how often messages, disks and jobs fail.
        chaos: how processes are struck. Without it kills, pauses, partitions, false reports of
            death, trouble with disks and clock jumps come every second or two.
        config, client: settings of the cluster (small sizes unless given) and the client.
        timeout_s: virtual time the application may take.
        trace: a list to be filled with what happened, line by line.

    Returns:
        What the application returned.

    Raises:
        VirtualTimeoutError: the application was not done in time.
        DeadlockError: it waits for what nothing can bring about.
        UncaughtError: something raised where nobody was there to catch it.
        UnsettledError: the cluster did not come back.
        Exception: whatever the application raises.
    """
    run = _Run(seed, config, duration_s, faults, chaos or ChaosConfig())
    with run.simulation:
        try:
            return run.work(application, client or ClientConfig(), timeout_s)
        except Exception as error:
            error.add_note(run.describe(getattr(application, "__name__", "application")))
            raise
        finally:
            if trace is not None:
                trace[:] = run.simulation.trace


class _Run:
    def __init__(
        self,
        seed: int,
        config: ClusterConfig,
        duration_s: float,
        faults: Faults,
        chaos: ChaosConfig,
    ) -> None:
        self.simulation = Simulation(seed, config)
        self._duration_s = duration_s
        self._faults = faults if duration_s > 0 else NO_FAULTS
        self._cluster = SimCluster(self.simulation)
        self._chaos = Chaos(self._cluster, self.simulation.world.stream("chaos"), chaos)

    def work(
        self,
        application: Callable[[AsyncConnection], Awaitable[T]],
        client: ClientConfig,
        timeout_s: float,
    ) -> T:
        simulation = self.simulation
        self._cluster.start()
        connection = self._cluster.connect("application", client)

        async def work() -> T:
            try:
                return await application(connection)
            finally:
                await connection.close()

        striking = simulation.start("chaos", self._strike()) if self._duration_s > 0 else None
        result = simulation.run(work(), timeout_s, "application")
        simulation.run(self._come_to_rest(striking), self._duration_s + 4 * _HEAL_BOUND_S)
        if simulation.errors:
            raise UncaughtError("\n".join(simulation.errors))
        return result

    async def _strike(self) -> None:
        await asyncio.sleep(_CALM_S)
        self.simulation.set_faults(self._faults)
        await self._chaos.run_for(self._duration_s)
        self.simulation.heal()

    async def _come_to_rest(self, striking: asyncio.Task[None] | None) -> None:
        if striking is not None and not striking.done():
            # The application was faster than the faults.
            self._chaos.stop()
            self.simulation.end("chaos")
            self.simulation.heal()
        runtime = self.simulation.runtime_for("main")
        report = await self._cluster.settled(runtime, _HEAL_BOUND_S)
        if report.problems:
            raise UnsettledError("\n".join(report.problems))

    def describe(self, name: str) -> str:
        faults = self._chaos.done[-_FAULTS_TOLD:]
        told = "".join(f"\n  {one}" for one in faults) or " nothing was done to the cluster"
        return (
            f"seed {self.simulation.seed}, at {self.simulation.now_s:.3f} s of virtual time, "
            f"after:{told}\nTo see it again: simulate({name}, seed={self.simulation.seed}, ...); "
            "with trace=[] the list gets every step of the run."
        )
