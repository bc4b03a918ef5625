"""Regions that move, split, merge and are balanced under load: clients see latency, never an error.

Nothing fails here: no message is late, no process dies. So every error that reaches a client,
every answer that is not what it wrote itself, and whatever fsck finds right after a change is
the doing of that change.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from ..client.async_connection import AsyncConnection
from ..client.async_table import AsyncTable
from ..config import ClientConfig
from ..errors import RaybaseError
from ..runtime import Runtime
from .cluster import SimCluster
from .simulation import Simulation
from .story import SMALL

TABLE: Final = "t"
COLUMN: Final = "f:n"
_CLIENTS: Final = 3
_ROWS_EACH: Final = 8
_ROUNDS: Final = 2
_PAUSE_S: Final = 0.02
_POLL_S: Final = 0.05
_TIMEOUT_S: Final = 600.0
_CALL_TIMEOUT_S: Final = 30.0
_MASTER: Final = "master-1"
_SWITCH: Final = "COMPACTION_ENABLED"
_SEEDS: Final = range(1, 4)
_CALM: Final = replace(
    SMALL,
    master=replace(SMALL.master, balancer_period_s=3600.0, janitor_period_s=3600.0),
)
"""Nothing is balanced or cleaned but when the story says so."""


@dataclass(slots=True)
class Service:
    """What clients got. ``problems`` must be empty."""

    problems: list[str] = field(default_factory=list)
    changes: Counter[str] = field(default_factory=Counter)
    """Moves, splits, merges and the like that came to their end."""
    operations: int = 0
    longest_s: float = 0.0
    """The longest an operation took, in virtual time."""


class _Client:
    """Counts in rows of its own, and knows what each must be."""

    def __init__(self, number: int, connection: AsyncConnection, service: Service) -> None:
        self._connection = connection
        self._service = service
        self.expected = {
            b"%x%d-%02d" % (16 * row // _ROWS_EACH, number, row): 0 for row in range(_ROWS_EACH)
        }
        self.stopped = False

    async def run(self, runtime: Runtime, chance: random.Random) -> None:
        table = self._connection.table(TABLE)
        rows = list(self.expected)
        while not self.stopped:
            row = chance.choice(rows)
            began_s = runtime.clock.monotonic_s()
            try:
                result = await table.increment(row, {COLUMN: 1})
                self.expected[row] += 1
                self._compare("increment", row, result.number(COLUMN))
                self._compare("get", row, (await table.get(row)).number(COLUMN))
            except RaybaseError as error:
                self._service.problems.append(f"a client was told {error!r} of row {row!r}")
            took_s = runtime.clock.monotonic_s() - began_s
            self._service.longest_s = max(self._service.longest_s, took_s)
            self._service.operations += 2
            await runtime.clock.sleep(chance.uniform(0.0, 2 * _PAUSE_S))

    def _compare(self, what: str, row: bytes, found: int | None) -> None:
        if found != self.expected[row]:
            expected = self.expected[row]
            self._service.problems.append(f"{what} of {row!r}: {found}, and not {expected}")


class Availability:
    """One run over a cluster of three servers, from one seed."""

    def __init__(self, seed: int) -> None:
        self.service = Service()
        self._simulation = Simulation(seed, _CALM)
        self._cluster = SimCluster(self._simulation, masters=1)

    def run(self) -> Service:
        """Never raises for what the cluster did wrong."""
        with self._simulation as simulation:
            try:
                simulation.run(self._tell(), _TIMEOUT_S, "operator")
            except RaybaseError as error:
                self.service.problems.append(f"the operator was told {error!r}")
            self.service.problems += [f"uncaught: {one}" for one in simulation.errors]
        return self.service

    async def _tell(self) -> None:
        self._cluster.start()
        connection = self._connect("operator")
        await connection.admin.create_table(
            TABLE, ["f"], splits=["4", "8", "c"], attributes={_SWITCH: "false"}
        )
        clients = [self._start_client(number) for number in range(_CLIENTS)]
        await asyncio.sleep(0.5)
        for _ in range(_ROUNDS):
            await self._move(connection)
            await self._split(connection)
            await self._merge(connection)
        for client in clients:
            client.stopped = True
        await asyncio.sleep(1.0)
        await self._check_anew(clients)

    def _start_client(self, number: int) -> _Client:
        name = f"client-{number}"
        client = _Client(number, self._connect(name), self.service)
        runtime = self._simulation.runtime_for(name)
        chance = self._simulation.world.stream(name)
        self._simulation.start(name, client.run(runtime, chance))
        return client

    def _connect(self, name: str) -> AsyncConnection:
        return self._cluster.connect(name, ClientConfig(operation_timeout_s=60.0))

    # -- changes ---------------------------------------------------------------------------

    async def _move(self, connection: AsyncConnection) -> None:
        """All to one server, and back by the balancer."""
        regions = await connection.admin.regions(TABLE)
        for one in regions[1:]:
            await connection.admin.move(one.region, regions[0].server)
            self.service.changes["moves"] += 1
        await self._check("the moves")
        result = await connection.admin.balance()
        self.service.changes["moves by the balancer"] += result.moves_executed
        await self._check("balancing")

    async def _split(self, connection: AsyncConnection) -> None:
        """Each region, flushed before so that its daughters refer to files of its own; no
        compaction rewrites them before the janitor has looked."""
        for one in await connection.admin.regions(TABLE):
            await connection.admin.flush(one.region)
            await connection.admin.split(one.region, one.region.start_key + b"1-")
            self.service.changes["splits"] += 1
        await self._run_janitor()
        await self._check("the splits")

    async def _merge(self, connection: AsyncConnection) -> None:
        """Neighbours, so that what was split is one again, once nothing refers to parents."""
        await self._rewrite_references(connection)
        regions = await connection.admin.regions(TABLE)
        for left, right in zip(regions[::2], regions[1::2], strict=True):
            await connection.admin.merge(left.region, right.region)
            self.service.changes["merges"] += 1
        await self._run_janitor()
        await self._check("the merges")
        await self._rewrite_references(connection)
        await self._check("cleaning")

    async def _rewrite_references(self, connection: AsyncConnection) -> None:
        """Compacts, reopening every region twice for the switch, and cleans what is free then."""
        await self._switch_compactions(connection, on=True)
        await connection.admin.compact(TABLE, major=True)
        runtime = self._simulation.runtime_for("operator")
        while any(
            region.references
            for status in await self._cluster.statuses(runtime)
            for region in status.regions
        ):
            await asyncio.sleep(_POLL_S)
        await self._switch_compactions(connection, on=False)
        await self._run_janitor()

    async def _switch_compactions(self, connection: AsyncConnection, *, on: bool) -> None:
        descriptor = await connection.admin.describe(TABLE)
        attributes = {**descriptor.attributes, _SWITCH: str(on).lower()}
        await connection.admin.alter_table(replace(descriptor, attributes=attributes))
        self.service.changes["alterations"] += 1

    async def _run_janitor(self) -> None:
        """One round, and the procedures it begins."""
        master = self._simulation.runtime_for("operator").processes.remote(_MASTER)
        await master.call("run_janitor", timeout_s=_CALL_TIMEOUT_S)
        while (await master.call("status", timeout_s=_CALL_TIMEOUT_S))["procedures"]:
            await asyncio.sleep(_POLL_S)

    # -- checks ----------------------------------------------------------------------------

    async def _check(self, after: str) -> None:
        """Everything agrees at once, not only when the master has mended it."""
        report = await self._cluster.fsck(self._simulation.runtime_for("operator"))
        self.service.problems += [f"after {after}: {one}" for one in report.problems]

    async def _check_anew(self, clients: list[_Client]) -> None:
        """A client that never heard of an earlier place reads what the others wrote."""
        table = self._connect("reader").table(TABLE)
        expected = {row: n for client in clients for row, n in client.expected.items() if n}
        work = self._simulation.start("reader", _read_all(table))
        while not work.done():
            await asyncio.sleep(_POLL_S)
        found = work.result()
        if found != expected:
            wrong = sorted(
                row for row in {**found, **expected} if found.get(row) != expected.get(row)
            )
            self.service.problems.append(f"a new client reads other values of {wrong}")


async def _read_all(table: AsyncTable) -> dict[bytes, int | None]:
    return {one.row: one.number(COLUMN) async for one in table.scan()}


def first_problem() -> str:
    """What the first of some seeds that goes wrong shows; "" if none does."""
    for seed in _SEEDS:
        for problem in Availability(seed).run().problems:
            return f"seed {seed}: {problem}"
    return ""
