"""What makes a server flush a region, which families, and what a flush waits for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from raybase.actors import file_writer
from raybase.actors.hosted_region import HostedRegion
from raybase.config import MIB, ClusterConfig
from raybase.errors import RegionTooBusyError
from raybase.model import (
    META_REGION,
    META_TABLE,
    FamilyDescriptor,
    RegionInfo,
    TableDescriptor,
    TableName,
)
from raybase.operations import Put
from raybase.rpc.convert import mutate_request

from .small_cluster import CONFIG, REGION, TABLE, SmallCluster, run

CHECK_S = 10
T = TypeVar("T")


def config(**store: Any) -> ClusterConfig:
    return replace(CONFIG, store=replace(CONFIG.store, **store))


def hosted_at(cluster: SmallCluster, info: RegionInfo = REGION, name: str = "rs-1") -> HostedRegion:
    found = cluster.server(name).find(info.name)
    assert isinstance(found, HostedRegion)
    return found


async def put_value(cluster: SmallCluster, row: bytes, family: bytes, value: bytes) -> None:
    client = await cluster.client("rs-1")
    await client.call("Mutate", mutate_request(REGION.name, Put(row).add(family, b"q", value)))


async def at_server(
    cluster: SmallCluster, work: Callable[[], Coroutine[Any, Any, T]], name: str = "rs-1"
) -> T:
    """Runs ``work`` in the server's process; a task belongs to the process that made it."""
    task = cluster.simulation.process(name).loop.create_task(work())
    while not task.done():
        await asyncio.sleep(0.01)
    return task.result()


async def want_flush(cluster: SmallCluster) -> None:
    async def ask() -> None:
        hosted_at(cluster).want_flush()

    await at_server(cluster, ask)


def families_in_memory(hosted: HostedRegion) -> list[bytes]:
    return [name for name, store in hosted.region.stores.items() if store.memstore_bytes]


# By age and by number


def test_old_edits_are_flushed_after_the_interval_and_a_random_delay() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await cluster.put("rs-1", b"row", b"value")
        hosted = hosted_at(cluster)
        await asyncio.sleep(200)
        assert hosted.region.memstore_bytes
        await asyncio.sleep(2 * CHECK_S * 1.1 + 50)
        assert not hosted.region.memstore_bytes
        assert await cluster.get("rs-1", b"row") == b"value"
        files = hosted.region.file_entries
        await asyncio.sleep(500)
        assert hosted.region.file_entries == files, "nothing to flush makes no file"

    run(story, config=config(flush_interval_s=200.0, flush_delay_s=50.0), timeout_s=9000)


async def write(hosted: HostedRegion) -> None:
    done = asyncio.Event()
    hosted.write([Put(b"row").add(b"f", b"q", b"value")], done.set)
    await done.wait()


def test_tables_of_the_system_are_flushed_after_five_minutes_and_others_never_if_so_set() -> None:
    async def story(cluster: SmallCluster) -> None:
        table = replace(TABLE, name=TableName("hbase", "own"))
        info = RegionInfo(table.name, b"", b"", 1)
        await cluster.open("rs-1", info, table)
        await cluster.open("rs-1")
        await at_server(cluster, lambda: write(hosted_at(cluster, info)))
        await at_server(cluster, lambda: write(hosted_at(cluster)))
        await asyncio.sleep(299)
        assert hosted_at(cluster, info).region.memstore_bytes
        await asyncio.sleep(2 * CHECK_S * 1.1 + 2)
        assert not hosted_at(cluster, info).region.memstore_bytes
        await asyncio.sleep(700)
        assert hosted_at(cluster).region.memstore_bytes

    run(story, config=config(flush_interval_s=0.0, flush_delay_s=1.0), timeout_s=9000)


def test_an_edit_that_very_many_followed_is_flushed_with_its_family() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await put_value(cluster, b"r", b"g", b"old")
        for number in range(30):
            await put_value(cluster, b"%d" % number, b"f", b"v")
        await asyncio.sleep(CHECK_S * 1.1 + 2)
        hosted = hosted_at(cluster)
        assert b"g" not in families_in_memory(hosted)

    run(story, config=config(flush_changes_max=20, flush_delay_s=1.0))


# Large families alone


def test_a_region_that_is_full_flushes_its_large_families_and_recovery_finds_the_others() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        rows = {}
        for number in range(60):
            await cluster.put("rs-1", b"%03d" % number, b"small")
            await put_value(cluster, b"%03d" % number, b"f", b"x" * 1000)
            rows[b"%03d" % number] = b"x" * 1000
        await asyncio.sleep(5)
        hosted = hosted_at(cluster)
        assert families_in_memory(hosted)[-1] == b"g"
        assert {entry.family for entry in hosted.region.file_entries} == {b"f"}
        flushed = hosted.manifest.flushed
        assert flushed[b"g"] < flushed[b"f"]
        assert flushed[b"g"] == hosted.region.stores[b"g"].oldest_unflushed - 1
        dead = cluster.address("rs-1")
        cluster.simulation.kill("rs-1")
        await cluster.recover(dead)
        await cluster.open("rs-2", recovered_from=dead)
        assert await cluster.scan("rs-2") == rows
        again = hosted_at(cluster, name="rs-2")
        assert len(again.region.stores[b"g"].memstores[0]) == 60
        await asyncio.sleep(2)
        assert not again.recovered_files, "all of them were flushed after the replay"
        entries = {entry.family: entry.entries for entry in again.region.file_entries}
        assert entries[b"g"] == 60

    run(story, config=config(flush_bytes=40_000, flush_family_bytes_min=20_000))


def test_recovered_edits_stay_until_all_their_families_are_in_files() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await cluster.put("rs-1", b"row", b"value")
        dead = cluster.address("rs-1")
        cluster.simulation.kill("rs-1")
        await cluster.recover(dead)
        cluster.server("rs-2")._chores.flusher.request = lambda *_, **__: None
        await cluster.open("rs-2", recovered_from=dead)
        hosted = hosted_at(cluster, name="rs-2")
        assert hosted.recovered_files
        await at_server(cluster, lambda: hosted.flush([b"f"]), "rs-2")
        assert hosted.recovered_files
        await at_server(cluster, lambda: hosted.flush([b"g"]), "rs-2")
        assert not hosted.recovered_files

    run(story)


def test_a_log_with_too_many_files_gets_the_families_flushed_that_hold_it() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await put_value(cluster, b"first", b"g", b"v")
        for number in range(100):
            await put_value(cluster, b"%03d" % number, b"f", b"x" * 1000)
        await asyncio.sleep(5)
        hosted = hosted_at(cluster)
        assert b"g" not in families_in_memory(hosted)
        assert (await cluster.control("rs-1", "status")).wal_files <= 4

    wal = replace(CONFIG.wal, roll_bytes=10_000, files_max=3)
    run(story, config=replace(CONFIG, wal=wal))


# All memstores together


REGIONS = [RegionInfo(TABLE.name, b"%d" % n, b"%d" % (n + 1), 1) for n in range(4)]


async def fill(cluster: SmallCluster, info: RegionInfo, size: int) -> None:
    await cluster.put("rs-1", info.start_key + b"r", b"x" * (size // 2), info)


def test_above_the_lower_mark_the_largest_region_is_flushed_and_the_others_stay() -> None:
    async def story(cluster: SmallCluster) -> None:
        for info in REGIONS:
            await cluster.open("rs-1", info)
        for info, size in zip(REGIONS, (10_000, 40_000, 30_000, 16_000), strict=True):
            await fill(cluster, info, size)
        await asyncio.sleep(2)
        held = [hosted_at(cluster, info).region.memstore_bytes for info in REGIONS]
        assert held[1] == 0
        assert all(held[0:1] + held[2:])

    run(story, config=config(memstore_bytes_max=100_000, memstore_lower_fraction=0.9))


@pytest.mark.parametrize(("second", "chosen"), [(30_000, 2), (15_000, 1)])
def test_a_region_with_too_many_files_is_flushed_only_if_it_holds_twice_as_much(
    second: int, chosen: int
) -> None:
    async def story(cluster: SmallCluster) -> None:
        for info in REGIONS:
            await cluster.open("rs-1", info)
        full = REGIONS[1]
        for _ in range(3):
            await fill(cluster, full, 100)
            await cluster.control("rs-1", "flush_region", full.encoded_name)
        await fill(cluster, full, 40_000)
        await fill(cluster, REGIONS[2], second)
        await fill(cluster, REGIONS[3], 71_000 - 40_000 - second)
        await fill(cluster, REGIONS[0], 1000)
        await asyncio.sleep(2)
        held = [hosted_at(cluster, info).region.memstore_bytes for info in REGIONS]
        assert [number for number, size in enumerate(held) if not size][:1] == [chosen]

    limits = {"blocking_store_files": 2, "compaction_files_min": 6, "compaction_files_max": 6}
    run(
        story,
        config=config(memstore_bytes_max=100_000, memstore_lower_fraction=0.7, **limits),
    )


def test_above_the_upper_mark_all_writers_are_pushed_back_but_those_of_meta() -> None:
    async def story(cluster: SmallCluster) -> None:
        meta = TableDescriptor(META_TABLE, (FamilyDescriptor(b"info"),))
        await cluster.open("rs-1", META_REGION, meta)
        for info in REGIONS:
            await cluster.open("rs-1", info)
        services = cluster.server("rs-1")._services
        await fill(cluster, REGIONS[0], 1000)
        services.memstores.bytes += 100_000
        for info in REGIONS:
            with pytest.raises(RegionTooBusyError):
                await fill(cluster, info, 10)
            assert hosted_at(cluster, info).writes_blocked == 1
        change = Put(b"t,,1." + b"0" * 32 + b".").add(b"info", b"q", b"")
        await cluster.control("rs-1", "mutate_meta", cluster.epoch, [change])
        services.memstores.bytes -= 100_000
        await fill(cluster, REGIONS[0], 10)

    run(story, config=config(memstore_bytes_max=100_000))


# Too many files


def test_a_flush_waits_for_a_store_with_too_many_files_but_not_for_ever() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        for number in range(4):
            await cluster.put("rs-1", b"%d" % number, b"v")
            await cluster.control("rs-1", "flush_region", REGION.encoded_name)
        hosted = hosted_at(cluster)
        await cluster.put("rs-1", b"more", b"v")
        await want_flush(cluster)
        await asyncio.sleep(80)
        assert hosted.region.memstore_bytes
        await asyncio.sleep(12)
        assert not hosted.region.memstore_bytes

    limits = {"blocking_store_files": 3, "compaction_files_min": 9, "compaction_files_max": 9}
    run(story, config=config(blocking_wait_s=90.0, **limits))


def test_a_flush_that_waits_has_the_store_compacted_and_goes_on_when_it_is() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        hosted = hosted_at(cluster)
        compact_split = cluster.server("rs-1")._chores.compact_split
        hosted.services.store_files_changed = lambda encoded="": None
        for number in range(5):
            await cluster.put("rs-1", b"%d" % number, b"v")
            await cluster.control("rs-1", "flush_region", REGION.encoded_name)
        assert compact_split.compactions == 0
        await cluster.put("rs-1", b"more", b"v")
        await want_flush(cluster)
        await asyncio.sleep(4)
        assert compact_split.compactions >= 2
        assert not hosted.region.memstore_bytes
        assert hosted.region.files.room() >= 0

    run(story, config=config(blocking_store_files=4))


def test_a_flush_by_hand_waits_for_nothing() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        for number in range(6):
            await cluster.put("rs-1", b"%d" % number, b"v")
            flushed = await cluster.control("rs-1", "flush_region", REGION.encoded_name)
            assert flushed.flushed

    limits = {"blocking_store_files": 2, "compaction_files_min": 9, "compaction_files_max": 9}
    run(story, config=config(**limits), timeout_s=20)


def test_a_region_with_much_in_memory_is_flushed_before_it_stops_serving() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await cluster.put("rs-1", b"row", b"x" * 2000)
        versions = hosted_at(cluster).manifest.version
        await cluster.close("rs-1")
        await cluster.open("rs-1")
        first = hosted_at(cluster).manifest.version - versions
        assert len(hosted_at(cluster).region.file_entries) == 2
        return first

    flushed_once = run(story, config=config(preclose_flush_bytes=10_000))
    # What is flushed while it is closed needs no manifest of its own.
    assert run(story, config=config(preclose_flush_bytes=1000)) == flushed_once + 1


# Large files


@pytest.mark.parametrize(("limit", "handed"), [(MIB, False), (8 * MIB, True)])
def test_a_large_file_is_written_in_pieces_and_handed_on_only_below_a_limit(
    monkeypatch: pytest.MonkeyPatch, limit: int, handed: bool
) -> None:
    monkeypatch.setattr(file_writer, "OBJECT_BYTES_MAX", limit)
    values = random.Random(1)
    rows = {b"%03d" % number: values.randbytes(10_000) for number in range(300)}

    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        for first in range(0, 300, 50):
            chosen = list(rows)[first : first + 50]
            await cluster.put_many("rs-1", {row: rows[row] for row in chosen})
        await cluster.control("rs-1", "flush_region", REGION.encoded_name)
        hosted = hosted_at(cluster)
        (entry,) = hosted.region.file_entries
        assert 3_000_000 < entry.size < 3_200_000
        assert entry.size == await cluster.runtime.files.size(entry.path)
        assert bool(hosted.services.io.handoff.of([entry.path])) is handed
        assert await cluster.scan("rs-1") == rows

    run(story)
