"""Operations that take a master, under the camera (images.py): a whole cluster each time.

An image is started cold: coordinator, master, servers, all from the files, as after the power
came back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from unittest import mock

from ...actors import procedure_store
from ...client.async_connection import AsyncConnection
from ...config import ClientConfig, ClusterConfig, CoordinatorConfig
from ...errors import (
    RaybaseError,
    TableExistsError,
    TableNotDisabledError,
    TableNotEnabledError,
    TableNotFoundError,
)
from ...operations import Put, Scan
from ..cluster import COORDINATOR, SimCluster
from ..disk import Disk
from ..simulation import Simulation
from ..story import SMALL
from .expected import SITES
from .images import Camera, Image

_BOUND_S: Final = 600.0
_HEAL_S: Final = 60.0
_CLIENT: Final = "client"
_TABLE: Final = "t"
_FAMILIES: Final = ("f", "g")
_SPLIT_ROW: Final = b"50"
_OTHER_ROW: Final = b"25"
_OTHER_TABLE: Final = "other"
_SMALL_LOG_BYTES: Final = 4_000
_QUIET_S: Final = 1.0
_RESTARTED_S: Final = 3.0
"""By then the coordinator is there again."""
"""After this the coordinator has proved what it logged, and logs nothing more by itself."""
_PAUSE_S: Final = 0.02

ONE_SERVER: Final = replace(
    SMALL, master=replace(SMALL.master, region_servers=1, server_wait_s=0.1)
)
SMALL_LOGS: Final = replace(ONE_SERVER, coordinator=CoordinatorConfig(snapshot_log_bytes=300))
TWO_SERVERS: Final = replace(SMALL, master=replace(SMALL.master, region_servers=2))


def row_of(number: int) -> bytes:
    """The rows go to and fro over the key space."""
    return b"%02d-%04d" % (number * 37 % 100, number)


@dataclass(slots=True)
class Told:
    """Rows are put one after the other: row n begins when n - 1 is acknowledged."""

    acknowledged: int = 0
    begun: int = 0
    may_be_gone: bool = False
    """The table is being made or deleted."""

    def known(self) -> tuple[int, int]:
        """Lowest and highest row that may be the last; the lowest is -1 if there may be no
        table."""
        return (-1 if self.may_be_gone else self.acknowledged), self.begun


class Stage:
    """A small cluster, and a client that writes."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.cluster = SimCluster(simulation, masters=1)
        self.told = Told()
        self.connection: AsyncConnection

    async def begin(self) -> None:
        config = ClientConfig(operation_timeout_s=_HEAL_S, attempts_max=1000)
        self.connection = self.cluster.connect(_CLIENT, config)

    async def write(self, count: int) -> None:
        table = self.connection.table(_TABLE)
        for _ in range(count):
            self.told.begun = number = self.told.begun + 1
            put = Put(row_of(number))
            for family in _FAMILIES:
                put.add(family.encode(), b"q", b"%d" % number)
            await table.put(put)
            self.told.acknowledged = number

    async def write_beside(self, work: Awaitable[Any]) -> None:
        """Writes rows until the work is done."""
        working = asyncio.ensure_future(work)
        while not working.done():
            await self.write(1)
            await asyncio.sleep(_PAUSE_S)
        await working

    async def rows(self) -> dict[bytes, list[bytes]] | None:
        """Row -> its values; None if there is no table."""
        admin = self.connection.admin
        try:
            while not await admin.is_enabled(_TABLE):
                # It may be on its way to that already.
                with suppress(TableNotDisabledError):
                    await admin.enable_table(_TABLE)
                await asyncio.sleep(_PAUSE_S)
            found = {}
            async for result in self.connection.table(_TABLE).scan(Scan()):
                found[result.row] = list(result.values())
        except TableNotFoundError:
            return None
        return found

    async def settle(self) -> list[str]:
        """What fsck finds in the end."""
        runtime = self.simulation.runtime_for(_CLIENT)
        return (await self.cluster.settled(runtime, _HEAL_S)).problems


Act = Callable[[Stage], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class ClusterScenario:
    """An operation of a cluster. ``prepare`` is not imaged; ``again`` shows, after each cold
    start, that the operation can be done again."""

    name: str
    prepare: Act
    act: Act
    again: Act
    config: ClusterConfig = ONE_SERVER
    copies: int = 1
    seeds: int = 1
    calls_max: int = 0
    """Images of so many calls of each site are enough for a usual run; 0: of all."""

    @property
    def sites(self) -> tuple[str, ...]:
        return SITES.get(self.name, ())

    def shoot(self, seed: int, copies: int, *, thorough: bool = False) -> Camera:
        with Simulation(seed, self.config, lines_kept=200) as simulation:
            stage = Stage(simulation)
            told = stage.told
            calls_max = 0 if thorough else self.calls_max
            camera = Camera(simulation.disk, seed, copies, told.known, told, calls_max)
            stage.cluster.start()

            async def story() -> None:
                await stage.begin()
                await self.prepare(stage)
                camera.start()
                await self.act(stage)
                camera.stop()

            simulation.run(story(), _BOUND_S, _CLIENT)
            if simulation.errors:
                raise AssertionError(f"{self.name}: {simulation.errors}")
            return camera

    def reopen(self, image: Image, seed: int) -> list[str]:
        return _reopened(image.disk, image, seed, self)


def _reopened(disk: Disk, image: Image, seed: int, scenario: ClusterScenario) -> list[str]:
    with Simulation(seed, scenario.config, lines_kept=200) as simulation:
        simulation.disk = disk
        stage = Stage(simulation)
        stage.cluster.start()
        problems: list[str] = []
        try:
            simulation.run(_check(stage, image, scenario, problems), _BOUND_S, _CLIENT)
        except (RaybaseError, OSError, AssertionError, TimeoutError) as error:
            problems.append(f"it ended with {error!r}")
        return problems + simulation.errors


async def _check(
    stage: Stage, image: Image, scenario: ClusterScenario, problems: list[str]
) -> None:
    problems += await stage.settle()
    if problems:
        return
    await stage.begin()
    problems += _compared(await stage.rows(), image)
    if problems:
        return
    # Rows that may or may not be there are not written again.
    stage.told.begun = stage.told.acknowledged = image.highest
    await scenario.again(stage)
    problems += await stage.settle()
    lowest, highest = stage.told.known()
    again = replace(image, lowest=lowest, highest=highest)
    problems += _compared(await stage.rows(), again, since=image.highest)


def _compared(rows: dict[bytes, list[bytes]] | None, image: Image, since: int = 0) -> list[str]:
    if rows is None:
        return [] if image.lowest < 0 else ["the table is gone"]
    problems = []
    for number in range(since + 1, image.highest + 1):
        values = rows.get(row_of(number))
        if values is None and number <= image.lowest:
            problems.append(f"row {row_of(number)!r} was acknowledged and is lost")
        elif values is not None and values != [b"%d" % number] * len(_FAMILIES):
            problems.append(f"row {row_of(number)!r} holds {values}")
    written = {row_of(number) for number in range(1, image.highest + 1)}
    problems += [f"row {row!r} was never written" for row in sorted(rows.keys() - written)]
    return problems


# -- the operations ------------------------------------------------------------------------


async def table_with_files(stage: Stage) -> None:
    await stage.connection.admin.create_table(_TABLE, _FAMILIES)
    await stage.write(20)
    await stage.connection.admin.flush(_TABLE)
    await stage.write(15)
    await asyncio.sleep(_QUIET_S)


async def split(stage: Stage) -> None:
    await stage.write_beside(stage.connection.admin.split(_TABLE, _SPLIT_ROW))
    await stage.write(3)


async def clean(stage: Stage) -> None:
    """Until the daughters have files of their own and the parent is removed."""
    await stage.write(1)
    await stage.simulation.runtime_for(_CLIENT).clock.sleep(14.0)


async def split_before(stage: Stage) -> None:
    await table_with_files(stage)
    await split(stage)


async def split_elsewhere(stage: Stage) -> None:
    """Wherever the crash left the table, its first region has this row."""
    await stage.write_beside(stage.connection.admin.split(_TABLE, _OTHER_ROW))


async def two_regions(stage: Stage) -> None:
    await stage.connection.admin.create_table(_TABLE, _FAMILIES, splits=[_SPLIT_ROW])
    await stage.write(12)
    await stage.connection.admin.flush(_TABLE)
    await stage.write(8)
    await asyncio.sleep(_QUIET_S)


async def merge(stage: Stage) -> None:
    """All regions into one, unless the crash left one only."""
    regions = [one.region for one in await stage.connection.admin.regions(_TABLE)]
    if len(regions) > 1:
        await stage.write_beside(stage.connection.admin.merge(*regions))
    await stage.write(2)


async def merge_before(stage: Stage) -> None:
    await two_regions(stage)
    await merge(stage)


async def second_coordinator(stage: Stage) -> None:
    """The next one, which is the third, finds two lives before it, and removes the first."""
    await table_with_files(stage)
    stage.simulation.kill(COORDINATOR)
    await stage.write(2)
    await asyncio.sleep(_RESTARTED_S)


async def start_cold(stage: Stage) -> None:
    """The power is lost, and lost again at every call of the start."""
    stage.simulation.power_loss()
    stage.cluster.start()
    assert not await stage.settle()
    await stage.write(2)


async def many_changes(stage: Stage) -> None:
    """Until coordinator and procedure store have gone over to new files."""
    with mock.patch.object(procedure_store, "_LOG_BYTES_MAX", _SMALL_LOG_BYTES):
        await stage.connection.admin.create_table(_OTHER_TABLE, _FAMILIES)
        await stage.connection.admin.disable_table(_OTHER_TABLE)
        await stage.connection.admin.delete_table(_OTHER_TABLE)
        for name in stage.simulation.living("region_server"):
            # A session ends and another begins: the coordinator's log grows.
            stage.simulation.kill(name)
        assert not await stage.settle()


async def move(stage: Stage) -> None:
    await stage.write_beside(stage.connection.admin.move(_TABLE))
    await stage.write(2)


async def lose_a_server(stage: Stage) -> None:
    name = stage.cluster.busiest()
    assert name is not None, "somebody serves the table"
    stage.simulation.kill(name)
    await stage.write(5)
    assert not await stage.settle()


async def lose_the_master(stage: Stage) -> None:
    """The next master's term begins, and a table is made in it."""
    stage.simulation.kill("master-1")
    await stage.connection.admin.create_table(_OTHER_TABLE, _FAMILIES)
    await stage.write(1)


async def delete_table(stage: Stage) -> None:
    stage.told.may_be_gone = True
    with suppress(TableNotFoundError):
        with suppress(TableNotEnabledError):
            await stage.connection.admin.disable_table(_TABLE)
        await stage.connection.admin.delete_table(_TABLE)


async def create_table(stage: Stage) -> None:
    stage.told.may_be_gone = True
    with suppress(TableExistsError):
        # The first request's answer may have been lost with its server.
        await stage.connection.admin.create_table(_TABLE, _FAMILIES, splits=[_SPLIT_ROW])
    stage.told.may_be_gone = False
    await stage.write(4)


async def nothing(stage: Stage) -> None:
    return


CLUSTER_SCENARIOS: Final = (
    ClusterScenario("split", table_with_files, split, split_elsewhere),
    ClusterScenario("split, cleaned", split_before, clean, split_elsewhere),
    ClusterScenario("merge", two_regions, merge, merge),
    ClusterScenario("merge, cleaned", merge_before, clean, split_elsewhere, calls_max=4),
    ClusterScenario("move", table_with_files, move, move, TWO_SERVERS, copies=2),
    ClusterScenario("server crash", table_with_files, lose_a_server, lose_a_server, calls_max=2),
    ClusterScenario("master crash", table_with_files, lose_the_master, nothing, calls_max=2),
    ClusterScenario("first start, create table", nothing, create_table, create_table, calls_max=2),
    ClusterScenario("cold start", second_coordinator, start_cold, nothing, calls_max=2),
    ClusterScenario(
        "logs of the master", table_with_files, many_changes, nothing, SMALL_LOGS, calls_max=2
    ),
    ClusterScenario("delete table", table_with_files, delete_table, delete_table, calls_max=2),
)
