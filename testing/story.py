"""The story every seed tells: write, split, move, crash, heal, lose power, start cold.

Clients work and note what they are told; an operator flushes, splits and moves; processes are
killed (twice at least), stopped, cut off and slandered; messages are late, lost and doubled.
Then everything heals, and within a bound all regions must be open and fsck clean. Work goes
on, the power goes off under it, in some stories again during recovery, and a cold start from
the files must bring everything back.
What clients were told must fit one correct table throughout.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..client.async_connection import AsyncConnection
from ..config import (
    MIB,
    ClientConfig,
    ClusterConfig,
    CoordinatorConfig,
    MasterConfig,
    RegionServerConfig,
    StoreConfig,
    WalConfig,
)
from ..errors import RaybaseError, TableExistsError
from .chaos import Chaos, ChaosConfig
from .cluster import SimCluster
from .operator import Operator
from .simulation import Simulation
from .workload import FAMILIES, TABLE, Client, Ledger, WorkloadConfig
from .world import NO_FAULTS, ROUGH, Faults

_KIB: Final = 1024
READER: Final = 99
"""The client that reads everything at the end."""

SMALL: Final = ClusterConfig(
    store=StoreConfig(
        flush_bytes=24 * _KIB,
        flush_family_bytes_min=6 * _KIB,
        flush_interval_s=15.0,
        flush_delay_s=3.0,
        memstore_bytes_max=MIB,
        block_cache_bytes=256 * _KIB,
        region_bytes_max=96 * _KIB,
        compaction_bytes_min=16 * _KIB,
        compaction_throttle_bytes=12 * _KIB,
        blocking_store_files=8,
        blocking_wait_s=4.0,
    ),
    wal=WalConfig(roll_bytes=32 * _KIB, roll_interval_s=20.0, files_max=6),
    coordinator=CoordinatorConfig(snapshot_log_bytes=8 * _KIB),
    master=MasterConfig(
        balancer_period_s=10.0,
        janitor_period_s=4.0,
        archive_ttl_s=3.0,
        old_wal_ttl_s=3.0,
        server_wait_s=1.0,
        control_call_timeout_s=3.0,
    ),
    region_server=RegionServerConfig(compaction_check_s=2.0, handoff_bytes_max=MIB),
)
"""So small that a few seconds of work flush, compact, roll and split."""


SMALL_FAULTS: Final = (
    "messages delayed",
    "messages split",
    "connections stalled",
    "connections reset",
    "calls lost",
    "replies lost",
    "calls doubled",
    "slow file operations",
    "late writes",
    "reads failed",
    "writes failed",
    "syncs failed",
    "tasks died",
    "tasks doubled",
    "objects lost",
)
"""Counted by the parts of the world in which they happen."""
_SLOW_DISK: Final = Faults(disk_slow=0.5, disk_slow_s=0.3, write_late=0.3)


@dataclass(frozen=True, slots=True)
class StoryConfig:
    """What the story is made of; times are virtual."""

    cluster: ClusterConfig = SMALL
    workload: WorkloadConfig = field(default_factory=WorkloadConfig)
    chaos: ChaosConfig = field(default_factory=ChaosConfig)
    faults: Faults = ROUGH
    last_faults: Faults = _SLOW_DISK
    """Just before the power goes off."""
    start_bound_s: float = 60.0
    heal_bound_s: float = 40.0
    """All regions open and all files in order so long after the last fault."""
    calm_s: float = 1.0
    """Work between healing and the loss of power."""


@dataclass(slots=True)
class Outcome:
    """What came of one seed. ``problems`` must be empty."""

    seed: int
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    """The failpoints at which a process was struck."""
    passed: Counter[str] = field(default_factory=Counter)
    """Failpoint -> how often it was passed while there were faults."""
    digest: str = ""
    virtual_s: float = 0.0
    callbacks: int = 0

    @property
    def faults_count(self) -> int:
        """What was done to the cluster, and what went wrong by itself."""
        return len(self.faults) + sum(self.counts[name] for name in SMALL_FAULTS)

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {rates(self.counts['operations'], self.virtual_s)} operations "
            f"({self.counts['unknown']} unknown), {rates(self.faults_count, self.virtual_s)} "
            f"faults, {self.counts['kills']} kills, {self.virtual_s:.0f} s virtual, "
            f"{len(self.problems)} problems"
        )


def rates(count: int, duration_s: float) -> str:
    """The count, and how many a second that is."""
    return f"{count} ({count / duration_s:.0f}/s)" if duration_s else str(count)


class Story:
    """One run. ``simulation`` can be looked at afterwards."""

    def __init__(self, seed: int, config: StoryConfig | None = None) -> None:
        self.config = config or StoryConfig()
        self.simulation = Simulation(seed, self.config.cluster)
        self.cluster = SimCluster(self.simulation)
        self.ledger = Ledger.with_clock(lambda: self.simulation.now_s)
        self.outcome = Outcome(seed)
        self._clients: list[tuple[Client, asyncio.Task[None]]] = []
        self._operator: Operator

    def tell(self) -> Outcome:
        """Runs the story and checks it; never raises for what the cluster did wrong."""
        simulation, outcome = self.simulation, self.outcome
        try:
            simulation.run(self._tell(), timeout_s=3600)
            outcome.problems += self.ledger.check()
            outcome.problems += [f"uncaught: {one}" for one in simulation.errors]
        except Exception as error:
            outcome.problems.append(f"the story broke off: {error!r}")
            outcome.problems += [f"uncaught: {one}" for one in simulation.errors]
        finally:
            outcome.counts = simulation.counts
            outcome.counts["operations"] = self.ledger.operations
            outcome.counts["unknown"] = self.ledger.unknown
            outcome.counts["scans"] = self.ledger.scans
            outcome.digest = simulation.digest
            outcome.virtual_s = simulation.now_s
            outcome.callbacks = simulation.world.scheduler.callbacks_run
            simulation.close()
        return outcome

    async def _tell(self) -> None:
        self.cluster.start()
        await self._in_client("creator", self._create())
        self._begin_work()
        await asyncio.sleep(1.0)
        await self._struggle()
        if not await self._settles("after healing") or not await self._is_drained():
            return
        await asyncio.sleep(self.config.calm_s)
        await self._lose_power()
        await self._stumble()
        self.cluster.start()
        if await self._settles("after the cold start"):
            await self._in_client("reader", self._read_everything())

    async def _create(self) -> None:
        connection = self._connect("creator", ClientConfig(operation_timeout_s=60.0))
        with suppress(TableExistsError):
            # It exists if the answer to a first request was lost.
            await connection.admin.create_table(TABLE, FAMILIES, splits=[b"5", b"a"])
        await connection.close()

    async def _struggle(self) -> None:
        simulation = self.simulation
        simulation.set_faults(self.config.faults)
        chance = simulation.world.stream("chaos")
        chaos = Chaos(self.cluster, chance, self.config.chaos)
        connection = self._connect("operator", ClientConfig(operation_timeout_s=10.0))
        problems = self.outcome.problems
        operator = Operator(connection, simulation.world.stream("operator"), problems)
        self._operator = operator
        working = simulation.start("operator", operator.run())
        await chaos.run()
        outcome = self.outcome
        outcome.faults, outcome.struck, outcome.passed = chaos.done, chaos.struck, chaos.passed
        simulation.heal()
        operator.stopped = True
        await self._done(working, 60)
        simulation.counts["operator's actions"] = operator.done.total()
        simulation.counts.update({f"operator: {name}": n for name, n in operator.done.items()})

    def _begin_work(self) -> None:
        for number in range(self.config.workload.clients):
            name = f"client-{number}"
            # Patient ones wait for a server that stands still, and hear it when it wakes.
            call_timeout_s = 30.0 if number % 2 else 2.0
            config = ClientConfig(operation_timeout_s=60.0, call_timeout_s=call_timeout_s)
            chance = self.simulation.world.stream(name)
            connection = self._connect(name, config)
            client = Client(number, connection, self.ledger, chance, self.config.workload)
            self._clients.append((client, self.simulation.start(name, client.run())))

    async def _lose_power(self) -> None:
        """First the disk is slow: what was acknowledged too early is not on it yet."""
        simulation = self.simulation
        simulation.set_faults(self.config.last_faults)
        await asyncio.sleep(simulation.chance.uniform(0.2, 0.6))
        for client, task in self._clients:
            if task.done():
                self.outcome.problems.append(f"{client.name} broke off: {task.exception()!r}")
        simulation.power_loss()
        simulation.set_faults(NO_FAULTS)
        for client, _ in self._clients:
            # They die with the cluster; what they had asked for is unknown.
            simulation.end(client.name)

    async def _stumble(self) -> None:
        """In some stories the power goes off again while the cluster recovers from it."""
        chance = self.simulation.world.stream("stumble")
        for _ in range(chance.choice((0, 0, 1, 2))):
            self.cluster.start()
            await asyncio.sleep(chance.uniform(0.5, 4.0))
            self.simulation.power_loss()

    async def _settles(self, when: str) -> bool:
        runtime = self.simulation.runtime_for("main")
        report = await self.cluster.settled(runtime, self.config.heal_bound_s)
        self.outcome.problems += [f"{when}: {one}" for one in report.problems]
        self.simulation.counts["regions"] = report.regions
        self.simulation.counts["cells checked"] += report.cells
        return not report.problems

    async def _is_drained(self) -> bool:
        """Whether nothing is left at the servers that the operator did not take back."""
        last = self.simulation.start("operator", self._operator.finish_draining())
        try:
            await self._done(last, self.config.heal_bound_s)
        except (RaybaseError, TimeoutError) as error:
            self.outcome.problems.append(f"drained servers keep regions: {error!r}")
            return False
        return True

    async def _read_everything(self) -> None:
        connection = self._connect("reader", ClientConfig(operation_timeout_s=60.0))
        chance = self.simulation.world.stream("reader")
        client = Client(READER, connection, self.ledger, chance, self.config.workload)
        await client.read_all()
        if not await client.scan(quiet=True):
            self.outcome.problems.append("the last scan could not be finished")

    def _connect(self, name: str, config: ClientConfig) -> AsyncConnection:
        return self.cluster.connect(name, replace(config, attempts_max=1000))

    async def _in_client(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        await self._done(self.simulation.start(name, work), self.config.start_bound_s)

    async def _done(self, task: asyncio.Task[Any], bound_s: float) -> None:
        """Waits for another process's task, which cannot be awaited here."""
        deadline_s = self.simulation.now_s + bound_s
        while not task.done():
            if self.simulation.now_s > deadline_s:
                raise TimeoutError(f"{task.get_coro()} is not done after {bound_s} s")
            await asyncio.sleep(0.05)
        if (error := task.exception()) is not None:
            raise error


def tell(seed: int, config: StoryConfig | None = None) -> Outcome:
    """The story of one seed, from an empty disk to the last check."""
    return Story(seed, config).tell()
