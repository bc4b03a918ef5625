"""A drill: a small cluster under work is struck once, and must lose and miss nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..client.async_connection import AsyncConnection
from ..config import ClientConfig, ClusterConfig
from ..model import RegionInfo
from .cluster import COORDINATOR, SimCluster
from .simulation import Simulation
from .story import SMALL

SERVERS: Final = 3
CLIENTS: Final = 2
SETTLED_S: Final = 40.0
"""From the strike until every region is open and every file in order."""
ZOMBIE_S: Final = 9.0
"""Longer than a session lasts: who stands still for so long is given up."""
TABLE: Final = "t"
COLUMN: Final = "f:n"
LATE_ROW: Final = b"7-late-counter"
"""A counter that only a strike raises."""
_ROWS: Final = 12
_CALM_S: Final = 1.0
PAUSE_S: Final = 0.02
"""Between two looks."""
_WORK_S: Final = 0.03
PATIENT: Final = ClientConfig(operation_timeout_s=300.0, call_timeout_s=2.0, attempts_max=10_000)
CONFIG: Final = replace(
    SMALL,
    store=replace(SMALL.store, region_bytes_max=1 << 30),
    master=replace(SMALL.master, region_servers=SERVERS),
)


@dataclass(slots=True)
class Told:
    """What the clients were told: how often each counter was raised, and rows that were put."""

    counts: dict[bytes, int] = field(default_factory=dict)
    rows: dict[bytes, bytes] = field(default_factory=dict)
    longest_s: float = 0.0
    """Wait for an answer."""


class Drill:
    """A cluster of three servers, two masters, and clients that count and put.

    The clients never give up, so every counter must show exactly what they asked for, however
    often a request was sent.
    """

    def __init__(
        self, seed: int = 1, config: ClusterConfig = CONFIG, *, clients: int = CLIENTS
    ) -> None:
        self.simulation = Simulation(seed, config, lines_kept=2000)
        self.cluster = SimCluster(self.simulation)
        self.told = Told()
        self.problems: list[str] = []
        self._clients = clients
        self._stopped = False
        self._config = config

    def run(self, strike: Callable[[Drill], Awaitable[None]]) -> list[str]:
        """Everything that was wrong after ``strike``, done in the midst of the work."""
        with self.simulation as simulation:
            self.cluster.start()
            simulation.run(self._tell(strike), 600.0)
            return [*self.problems, *(f"uncaught: {one}" for one in simulation.errors)]

    async def _tell(self, strike: Callable[[Drill], Awaitable[None]]) -> None:
        await self.in_client("creator", self._create)
        working = [
            self.simulation.start(f"client-{number}", self._work(number))
            for number in range(self._clients)
        ]
        await asyncio.sleep(_CALM_S)
        await strike(self)
        await self.settle()
        await asyncio.sleep(_CALM_S)
        self._stopped = True
        for task in working:
            await self.done(task)
        await self.in_client("reader", self._read)

    async def settle(self) -> None:
        """Notes what is not in order in the end."""
        runtime = self.simulation.runtime_for("main")
        report = await self.cluster.settled(runtime, SETTLED_S)
        self.problems += report.problems
        deadline_s = self.simulation.now_s + SETTLED_S
        wanted = self._config.master.region_servers
        while len(self.simulation.living("region_server")) < wanted:
            if self.simulation.now_s > deadline_s:
                self.problems.append(f"there are fewer than {wanted} region servers")
                return
            await asyncio.sleep(PAUSE_S)

    async def in_client(
        self, name: str, work: Callable[[AsyncConnection], Awaitable[None]]
    ) -> None:
        """Runs something with a connection, in a process of its own."""

        async def whole() -> None:
            connection = self.cluster.connect(name, PATIENT)
            await work(connection)
            await connection.close()

        await self.done(self.simulation.start(name, whole()))

    async def done(self, task: asyncio.Task[Any]) -> None:
        """Waits for another process's task. Raises what it raised."""
        while not task.done():
            await asyncio.sleep(PAUSE_S)
        task.result()

    async def _create(self, connection: AsyncConnection) -> None:
        await connection.admin.create_table(TABLE, ["f", "g"], splits=["3", "6", "9"])

    async def _work(self, number: int) -> None:
        connection = self.cluster.connect(f"client-{number}", PATIENT)
        table = connection.table(TABLE)
        told = self.told
        for turn in range(1_000_000):
            if self._stopped:
                break
            began_s = self.simulation.now_s
            counter = b"%x-counter" % (turn * 5 % _ROWS)
            told.counts[counter] = told.counts.get(counter, 0) + 1
            await table.increment(counter, {COLUMN: 1})
            row, value = b"%x-%d-%06d" % (turn % _ROWS, number, turn), b"%d" % turn
            await table.put(row, {"f:q": value, "g:q": value})
            told.rows[row] = value
            told.longest_s = max(told.longest_s, self.simulation.now_s - began_s)
            await asyncio.sleep(_WORK_S)
        await connection.close()

    async def _read(self, connection: AsyncConnection) -> None:
        counts: dict[bytes, int] = {}
        rows: dict[bytes, bytes] = {}
        async for row in connection.table(TABLE).scan():
            if row.row.endswith(b"counter"):
                counts[row.row] = row.number(COLUMN)
            elif row["f:q"] == row["g:q"]:
                rows[row.row] = row["f:q"]
        for name, asked in sorted(self.told.counts.items()):
            if counts.get(name) != asked:
                self.problems.append(f"{name!r} was raised {asked} times, is {counts.get(name)}")
        lost = sorted(self.told.rows.items() - rows.items())
        self.problems += [f"row {row!r} was acknowledged and is lost" for row, _ in lost[:10]]

    async def number_at(self, row: bytes) -> int:
        """What a counter shows to a client of its own."""
        seen: list[int] = []

        async def read(connection: AsyncConnection) -> None:
            seen.append((await connection.table(TABLE).get(row)).number(COLUMN))

        await self.in_client("witness", read)
        return seen[0]

    # Who is who.

    async def server_of(self, row: bytes) -> str:
        """The process that serves the row."""
        owner = self.cluster.owners()[(await self.region_of(row)).encoded_name]
        process = self.cluster.process_of(owner)
        assert process is not None, "the row is served when this is asked"
        return process

    async def region_of(self, row: bytes) -> RegionInfo:
        """The table's region that has the row now."""
        found: list[RegionInfo] = []

        async def look(connection: AsyncConnection) -> None:
            found.append(await region_of(connection, row))

        await self.in_client("scout", look)
        return found[0]

    def busiest(self) -> str:
        """A server with regions of the table, and not hbase:meta."""
        holder = self.cluster.meta_holder()
        counts = dict.fromkeys(self.simulation.living("region_server"), 0)
        for owner in self.cluster.owners().values():
            process = self.cluster.process_of(owner)
            if process in counts:
                counts[process] += 1
        return max((name for name in counts if name != holder), key=lambda name: counts[name])

    def meta_holder(self) -> str:
        holder = self.cluster.meta_holder()
        assert holder is not None, "hbase:meta is served before anything is struck"
        return holder

    def leaders(self) -> list[str]:
        """The masters that take themselves for the active one."""
        masters = self.simulation.living("master")
        actors = {name: self.simulation.actor(name) for name in masters}
        return [name for name, actor in actors.items() if actor is not None and actor.is_active]

    def active_master(self) -> str:
        leaders = self.leaders()
        assert leaders, "a master is active before anything is struck"
        return leaders[0]

    def standby_master(self) -> str:
        active = self.active_master()
        return next(name for name in self.simulation.living("master") if name != active)

    # What is done to them.

    def kill(self, *names: str) -> None:
        for name in names:
            self.simulation.kill(name)

    async def stop_for_long(self, name: str) -> None:
        """SIGSTOP until it has been given up, then SIGCONT: it must end by itself."""
        process = self.simulation.process(name)
        assert process is not None
        self.simulation.pause(name, ZOMBIE_S)
        await asyncio.sleep(ZOMBIE_S + 1.0)
        if process.alive:
            self.problems.append(f"{name} lives on though it was given up")

    async def cut_off(self, name: str, *, to: bool = True, back: bool = True) -> None:
        """Nothing gets ``to`` it, or ``back`` from it, for longer than a session lasts."""
        self.cut(name, self.processes(), to=to, back=back)
        await asyncio.sleep(ZOMBIE_S)
        self.simulation.fabric.heal()

    def cut(self, name: str, others: Sequence[str], *, to: bool, back: bool) -> None:
        """Nothing gets from the others ``to`` it, or ``back`` from it to them."""
        for other in others:
            if other != name:
                if to:
                    self.simulation.cut(other, name, one_way=True)
                if back:
                    self.simulation.cut(name, other, one_way=True)

    def processes(self) -> list[str]:
        """All of the cluster that live now."""
        simulation = self.simulation
        return [COORDINATOR, *simulation.living("master"), *simulation.living("region_server")]

    async def end_all(self) -> None:
        """kill -9 of every process at once, and a cold start from the files."""
        self.simulation.end_all()
        await asyncio.sleep(0.5)
        self.cluster.start()


async def region_of(connection: AsyncConnection, row: bytes) -> RegionInfo:
    """The table's region that has the row now."""
    regions = [one.region for one in await connection.admin.regions(TABLE)]
    return next(one for one in regions if one.contains(row))
