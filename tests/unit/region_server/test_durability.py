"""What each durability level keeps when the process dies, and when the power goes off.

Every write below was acknowledged before the end came. The disk keeps what was written when a
process dies, and only what was synced when the power goes off; of the rest it keeps any part.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from raybase.actors.log_writer import ASYNC_SYNC_S, LogWriter, wal_directory
from raybase.actors.ray_root import check_syncs
from raybase.config import StoreConfig, WalConfig
from raybase.errors import ClusterError
from raybase.model import Durability, FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Put
from raybase.storage.block_cache import BlockCache
from raybase.storage.manifest import Manifest
from raybase.storage.region import Region
from raybase.storage.wal import FamilyCells, WalRecord, read_log
from raybase.testing import Simulation

SERVER = "host,1,1"
SEEDS = range(12)
WRITES = list(range(1, 21))
AT_ONCE, LATER = 0.0, ASYNC_SYNC_S + 0.5

SKIP, ASYNC = Durability.SKIP_WAL, Durability.ASYNC_WAL
SYNC, FSYNC = Durability.SYNC_WAL, Durability.FSYNC_WAL


def survivors(
    seed: int, durability: Durability, *, hsync: bool, power: bool, wait_s: float
) -> list[int]:
    """Which of the acknowledged writes the log has after the end."""
    with Simulation(seed) as simulation:
        files = simulation.runtime_for("reader").files

        async def write() -> None:
            runtime = simulation.runtime_for("server")
            config = replace(WalConfig(), hsync=hsync)
            log = LogWriter(runtime, SERVER, "", config, pytest.fail, pytest.fail)
            await log.start()
            for number in WRITES:
                await acknowledged(log, number, durability)
            await asyncio.sleep(wait_s)

        async def read() -> list[int]:
            path = f"{wal_directory(SERVER)}/1"
            if not await files.exists(path):
                return []
            data = await files.read(path)
            return [record.sequence_id for record in read_log(path, data)]

        simulation.run(write(), timeout_s=60, name="server")
        if power:
            simulation.power_loss()
        else:
            simulation.kill("server")
        return simulation.run(read(), timeout_s=60, name="reader")


async def acknowledged(log: LogWriter, number: int, durability: Durability) -> None:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    cells = FamilyCells(b"f", [b"key%d" % number], [b"v"])
    record = WalRecord("r", TableName("default", "t"), number, 0, (cells,))
    log.submit(record.encode(), "r", number, durability, lambda: done.set_result(None))
    await done


@pytest.mark.parametrize("power", [False, True])
def test_skip_wal_survives_nothing(power: bool) -> None:
    for seed in SEEDS:
        assert survivors(seed, SKIP, hsync=True, power=power, wait_s=LATER) == []


@pytest.mark.parametrize(
    ("durability", "hsync"), [(ASYNC, True), (SYNC, True), (SYNC, False), (FSYNC, False)]
)
def test_all_other_levels_survive_the_death_of_the_process(
    durability: Durability, hsync: bool
) -> None:
    for seed in SEEDS:
        found = survivors(seed, durability, hsync=hsync, power=False, wait_s=AT_ONCE)
        assert found == WRITES


@pytest.mark.parametrize(("durability", "hsync"), [(SYNC, True), (FSYNC, True), (FSYNC, False)])
def test_synced_levels_survive_the_power_going_off(durability: Durability, hsync: bool) -> None:
    for seed in SEEDS:
        assert survivors(seed, durability, hsync=hsync, power=True, wait_s=AT_ONCE) == WRITES


@pytest.mark.parametrize(("durability", "hsync"), [(ASYNC, True), (SYNC, False)])
def test_the_weaker_levels_may_lose_a_tail_to_the_power_but_never_have_a_hole(
    durability: Durability, hsync: bool
) -> None:
    lost = 0
    for seed in SEEDS:
        found = survivors(seed, durability, hsync=hsync, power=True, wait_s=AT_ONCE)
        assert found == WRITES[: len(found)]
        lost += found != WRITES
    assert lost, "the disk forgot nothing: this test shows nothing"


@pytest.mark.parametrize(("durability", "hsync"), [(ASYNC, True), (SYNC, False)])
def test_a_second_later_the_weaker_levels_are_on_the_disk(
    durability: Durability, hsync: bool
) -> None:
    for seed in SEEDS:
        found = survivors(seed, durability, hsync=hsync, power=True, wait_s=LATER)
        assert found == WRITES


@pytest.mark.parametrize(
    ("of_table", "asked", "expected"),
    [
        (Durability.USE_DEFAULT, Durability.USE_DEFAULT, SYNC),
        (ASYNC, Durability.USE_DEFAULT, ASYNC),
        (FSYNC, Durability.USE_DEFAULT, FSYNC),
        (SKIP, Durability.USE_DEFAULT, SKIP),
        (SKIP, FSYNC, FSYNC),
        (FSYNC, SKIP, SKIP),
    ],
)
def test_use_default_is_the_tables_and_sync_wal_where_that_says_nothing(
    of_table: Durability, asked: Durability, expected: Durability
) -> None:
    info = RegionInfo(TableName.parse("t"), region_id=1)
    table = TableDescriptor(info.table, (FamilyDescriptor(b"f"),), durability=of_table)
    region = Region(info, table, Manifest(1, info), {}, StoreConfig(), BlockCache(0))
    write = region.write([Put(b"r", durability=asked).add(b"f", b"q", b"v")], 1)
    assert write.durability == expected
    assert bool(write.record) == (expected != SKIP)


def test_a_root_of_several_nodes_refuses_to_leave_writes_in_one_nodes_memory() -> None:
    check_syncs(WalConfig(), 5)
    check_syncs(replace(WalConfig(), hsync=False), 1)
    with pytest.raises(ClusterError, match="hsync"):
        check_syncs(replace(WalConfig(), hsync=False), 2)
