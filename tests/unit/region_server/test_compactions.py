"""Compactions as a server has them done: how fast, in which order, in how much memory."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from raybase.actors import compaction_job
from raybase.actors.compaction_job import CompactionWork, compact_job
from raybase.actors.hosted_region import HostedRegion
from raybase.actors.posix import PosixFiles
from raybase.actors.throughput import CompactionThroughput, Pace
from raybase.config import MIB, StoreConfig
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor
from raybase.operations import Put
from raybase.rpc.convert import RegionBatch
from raybase.storage.block_cache import BlockCache
from raybase.storage.compaction import CompactionOptions, compact
from raybase.storage.hfile import HFileReader, HFileWriter
from raybase.storage.key import PLAIN_ROWS, cell_key
from raybase.storage.manifest import StoreFileEntry
from raybase.storage.store_file import StoreFile, entry_of
from raybase.testing import Simulation

from .small_cluster import CONFIG, REGION, TABLE, SmallCluster, run

FAMILY = FamilyDescriptor(b"f")
OPTIONS = CompactionOptions(FAMILY, True, 10**6, 1000)


# The limit


def test_the_limit_rises_with_the_pressure_and_is_shared() -> None:
    config = StoreConfig(compaction_bytes_per_s_low=100, compaction_bytes_per_s_high=300)
    throughput = CompactionThroughput(config)
    assert throughput.begin() == 100
    assert throughput.begin() == 50
    throughput.end()
    throughput.tune(0.5, off_peak=False)
    assert throughput.begin() == 100
    throughput.end()
    throughput.end()
    throughput.tune(1.0, off_peak=False)
    assert throughput.begin() == 300
    throughput.tune(1.1, off_peak=False)
    assert throughput.bytes_per_s == float("inf")
    throughput.tune(0.0, off_peak=True)
    assert throughput.bytes_per_s == config.compaction_bytes_per_s_off_peak


def test_a_pace_makes_work_take_its_time_and_saves_none_up() -> None:
    pace = Pace(100, 10.0)
    assert pace.delay_s(50, 10.2) == pytest.approx(0.3)
    assert pace.delay_s(50, 10.5) == pytest.approx(0.5)
    assert pace.delay_s(10, 20.0) == 0
    assert pace.delay_s(100, 20.0) == pytest.approx(1.0)
    assert Pace(float("inf"), 0.0).delay_s(10**12, 0.0) == 0


# The job


def image(number: int, rows: int, value_bytes: int, values: random.Random) -> bytes:
    writer = HFileWriter(FAMILY, PLAIN_ROWS)
    for row in range(rows):
        key = cell_key(PLAIN_ROWS.encode(b"%06d" % row), b"q", 100 + number, 4, number * rows + row)
        writer.append([key], [values.randbytes(value_bytes)])
    return writer.finish(max_sequence_id=(number + 1) * rows).data


def entries_of(images: dict[str, bytes]) -> tuple[StoreFileEntry, ...]:
    return tuple(
        entry_of(b"f", path, HFileReader.from_image(path, memoryview(data)).stats)
        for path, data in images.items()
    )


def images(count: int, rows: int, value_bytes: int) -> dict[str, bytes]:
    values = random.Random(5)
    return {f"f/{n}": image(n, rows, value_bytes, values) for n in range(count)}


def in_simulation(story: Callable[[Any], Any]) -> Any:
    with Simulation(1) as simulation:
        runtime = simulation.runtime_for("main")
        result = simulation.run(story(runtime), timeout_s=1000)
        assert simulation.errors == []
        return result


@pytest.mark.parametrize("whole_bytes", [0, 64 * MIB])
def test_a_job_writes_what_the_pure_function_makes_of_the_same_inputs(
    monkeypatch: pytest.MonkeyPatch, whole_bytes: int
) -> None:
    monkeypatch.setattr(compaction_job, "IMAGES_BYTES_MAX", whole_bytes)
    monkeypatch.setattr(compaction_job, "READ_AHEAD_BYTES", 200_000)
    inputs = images(3, 400, 2000)
    entries = entries_of(inputs)
    files = [
        StoreFile(entry, HFileReader.from_image(entry.path, memoryview(inputs[entry.path])))
        for entry in entries
    ]
    expected = compact(files, OPTIONS, BlockCache(MIB))

    async def story(runtime: Any) -> None:
        for path, data in inputs.items():
            await runtime.files.write(path, [data])
        work = CompactionWork(entries, OPTIONS, (), "out")
        entry = await compact_job(runtime.files, runtime.objects, work)
        assert await runtime.files.read("out") == expected.data
        assert entry == entry_of(b"f", "out", expected.stats)
        reads = runtime.files.counters.by_path["f/1"]
        if whole_bytes:
            assert reads.reads == 1
        else:
            assert 4 <= reads.reads <= 8
            assert reads.read_bytes < 1.5 * len(inputs["f/1"])

    in_simulation(story)


def test_a_job_whose_inputs_leave_nothing_makes_no_file() -> None:
    inputs = images(2, 10, 10)
    old = replace(OPTIONS, family=FamilyDescriptor(b"f", ttl_s=1), now_ms=10**6)

    async def story(runtime: Any) -> None:
        for path, data in inputs.items():
            await runtime.files.write(path, [data])
        work = CompactionWork(entries_of(inputs), old, (), "out")
        assert await compact_job(runtime.files, runtime.objects, work) is None
        assert not await runtime.files.exists("out")

    in_simulation(story)


def test_a_job_keeps_to_its_pace() -> None:
    inputs = images(1, 400, 10_000)

    async def story(runtime: Any) -> None:
        await runtime.files.write("f/0", [inputs["f/0"]])
        for bytes_per_s, least_s, most_s in ((float("inf"), 0, 1), (100_000, 30, 45)):
            began_s = runtime.clock.monotonic_s()
            work = CompactionWork(entries_of(inputs), OPTIONS, (), "out", bytes_per_s)
            await compact_job(runtime.files, runtime.objects, work)
            assert least_s <= runtime.clock.monotonic_s() - began_s <= most_s

    in_simulation(story)


@pytest.mark.usefixtures("files_unwatched")
def test_a_job_needs_memory_for_pieces_however_large_its_inputs_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(compaction_job, "IMAGES_BYTES_MAX", 0)
    monkeypatch.setattr(compaction_job, "_CACHE_BYTES_MIN", MIB)
    inputs = images(3, 1500, 10_000)
    entries = entries_of(inputs)
    total = sum(len(data) for data in inputs.values())
    assert total > 40 * MIB
    files = PosixFiles(str(tmp_path))

    async def story() -> int:
        for path, data in inputs.items():
            await files.write(path, [data])
        inputs.clear()
        keep_all = replace(OPTIONS, family=FamilyDescriptor(b"f", max_versions=9))
        unused: Any = None
        tracemalloc.start()
        entry = await compact_job(files, unused, CompactionWork(entries, keep_all, (), "out"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert entry is not None
        assert entry.size > 40 * MIB
        return peak

    assert asyncio.run(story()) < 18 * MIB
    files.close()


# At a server


def hosted_at(cluster: SmallCluster, info: RegionInfo = REGION) -> HostedRegion:
    found = cluster.server("rs-1").find(info.name)
    assert isinstance(found, HostedRegion)
    return found


REGIONS = [RegionInfo(TABLE.name, b"%d" % n, b"%d" % (n + 1), 1) for n in range(2)]


async def fill(cluster: SmallCluster, info: RegionInfo, size: int, files: int) -> None:
    """Flushes so many files of a family of the region."""
    values = random.Random(3)
    for number in range(files):
        row = info.start_key + b"%d" % number
        batch = RegionBatch(info.name, [Put(row).add(b"f", b"q", values.randbytes(size))])
        await cluster.multi("rs-1", [batch])
        await cluster.control("rs-1", "flush_region", info.encoded_name)


def test_a_small_compaction_does_not_wait_for_a_large_one_nor_that_for_small_ones() -> None:
    async def story(cluster: SmallCluster) -> None:
        large, small = REGIONS
        for info in REGIONS:
            await cluster.open("rs-1", info)
        await fill(cluster, large, 800_000, 3)
        await fill(cluster, small, 100, 3)
        await asyncio.sleep(5)
        assert len(hosted_at(cluster, large).region.file_entries) == 3
        assert len(hosted_at(cluster, small).region.file_entries) == 1
        await asyncio.sleep(60)
        assert len(hosted_at(cluster, large).region.file_entries) == 1

    store = replace(
        CONFIG.store,
        compaction_throttle_bytes=1_000_000,
        compaction_bytes_per_s_low=50_000,
        compaction_bytes_per_s_high=50_000,
        compaction_bytes_min=-1,
    )
    run(story, config=replace(CONFIG, store=store))


def test_who_is_waited_for_goes_first() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await fill(cluster, REGION, 5000, 3)
        request = cluster.split_request(b"1")
        await cluster.split("rs-1", request)
        await asyncio.sleep(5)
        compact_split = cluster.server("rs-1")._chores.compact_split
        compact_split._free_small = compact_split._free_large = 0
        crowded = replace(REGION, region_id=7)
        for info in (request.daughters[1], crowded):
            await cluster.open("rs-1", info)
        await fill(cluster, crowded, 100, 3)
        split_off, other = hosted_at(cluster, request.daughters[1]), hosted_at(cluster, crowded)
        compact_split._waiting.clear()
        compact_split._requested.clear()
        compact_split.request(other, b"f")
        compact_split.request(other, b"g", major=True)
        compact_split.request(split_off, b"f")
        order = [(one.hosted, one.family) for one in sorted(compact_split._waiting)]
        assert order == [(split_off, b"f"), (other, b"g"), (other, b"f")]
        counters = (await cluster.control("rs-1", "status")).counters
        assert counters["compactions_waiting"] == 3
        other.region.files._blocking[b"f"] = 2
        compact_split._waiting.clear()
        compact_split._requested.clear()
        compact_split.request(other, b"g", major=True)
        compact_split.request(other, b"f")
        assert [one.family for one in sorted(compact_split._waiting)] == [b"f", b"g"]

    run(story)


def test_a_table_may_switch_compaction_and_splits_off() -> None:
    async def story(cluster: SmallCluster) -> None:
        off = {"COMPACTION_ENABLED": "false", "SPLIT_ENABLED": "false"}
        table = replace(TABLE, attributes={**off, "SPLIT_POLICY": "ConstantSizeRegionSplitPolicy"})
        await cluster.open("rs-1", REGION, replace(table, region_bytes_max=1))
        await fill(cluster, REGION, 100, 5)
        await cluster.control("rs-1", "compact_region", REGION.encoded_name, True)
        await asyncio.sleep(20)
        hosted = hosted_at(cluster)
        assert len(hosted.region.file_entries) == 5
        assert hosted.region.wants_split()
        assert not cluster.server("rs-1")._chores.compact_split.request_split(hosted)

    run(story)


def test_a_store_is_compacted_whole_when_its_tables_period_is_over() -> None:
    async def story(cluster: SmallCluster) -> None:
        own = {
            "hbase.hregion.majorcompaction": "60000",
            "hbase.hregion.majorcompaction.jitter": "0",
        }
        await cluster.open("rs-1", REGION, replace(TABLE, configuration=own))
        await fill(cluster, REGION, 100, 2)
        await asyncio.sleep(50)
        hosted = hosted_at(cluster)
        assert [entry.major for entry in hosted.region.file_entries] == [False, False]
        await asyncio.sleep(30)
        (entry,) = hosted.region.file_entries
        assert entry.major
        await asyncio.sleep(80)
        assert hosted.region.file_entries == (entry,), "one file has nothing to gain"

    run(story)


@pytest.mark.parametrize(("hours", "files"), [((22, 0), 1), ((1, 3), 3)])
def test_off_peak_files_of_less_like_sizes_are_compacted(
    hours: tuple[int, int], files: int
) -> None:
    async def story(cluster: SmallCluster) -> None:
        assert cluster.runtime.clock.now_ms() // 3_600_000 % 24 == 22
        await cluster.open("rs-1")
        for size in (40_000, 5_000, 5_000):
            await fill(cluster, REGION, size, 1)
        await asyncio.sleep(5)
        assert len(hosted_at(cluster).region.file_entries) == files
        assert not cluster.server("rs-1")._chores.compact_split._off_peak_running

    start, end = hours
    store = replace(CONFIG.store, off_peak_start_hour=start, off_peak_end_hour=end)
    run(story, config=replace(CONFIG, store=store))


def test_a_major_compaction_asked_for_during_a_minor_one_follows_it() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await fill(cluster, REGION, 800_000, 4)
        await fill(cluster, REGION, 100, 2)
        await asyncio.sleep(1)
        hosted = hosted_at(cluster)
        assert hosted.region.files.is_compacting(b"f")
        await cluster.control("rs-1", "compact_region", REGION.encoded_name, True)
        await asyncio.sleep(120)
        (entry,) = hosted.region.file_entries
        assert entry.major
        assert entry.entries == 6

    store = replace(
        CONFIG.store, compaction_bytes_per_s_low=100_000, compaction_bytes_per_s_high=100_000
    )
    run(story, config=replace(CONFIG, store=store))


def test_a_plan_of_a_region_that_left_is_not_carried_out_on_the_one_that_came_back() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await fill(cluster, REGION, 800_000, 4)
        first = hosted_at(cluster)
        assert first.region.files.is_compacting(b"f")
        await cluster.close("rs-1")
        await cluster.open("rs-1")
        again = hosted_at(cluster)
        assert again is not first
        await asyncio.sleep(60)
        assert await cluster.scan("rs-1") != {}
        paths = [entry.path for entry in again.region.file_entries]
        assert len(paths) == len(set(paths)) == 1
        assert cluster.server("rs-1")._chores.compact_split.compactions == 1

    store = replace(
        CONFIG.store, compaction_bytes_per_s_low=100_000, compaction_bytes_per_s_high=100_000
    )
    run(story, config=replace(CONFIG, store=store))


def test_a_file_that_outlived_the_time_to_live_goes_without_a_task() -> None:
    async def story(cluster: SmallCluster) -> None:
        table = TableDescriptor(TABLE.name, (FamilyDescriptor(b"f", ttl_s=60),))
        await cluster.open("rs-1", REGION, table)
        await fill(cluster, REGION, 100, 1)
        await asyncio.sleep(30)
        await fill(cluster, REGION, 100, 1)
        tasks = cluster.simulation.counts["tasks"]
        await asyncio.sleep(45)
        assert len(hosted_at(cluster).region.file_entries) == 1
        assert cluster.simulation.counts["tasks"] == tasks

    run(story)


# Wishes to be split


@pytest.mark.parametrize(
    ("changes", "regions_max", "files", "wanted"),
    [
        ({}, 1000, 1, True),
        ({}, 1, 1, False),
        ({"split_policy": "DisabledRegionSplitPolicy"}, 1000, 1, False),
        ({"blocking_store_files": 3, "compaction_files_min": 9}, 1000, 1, True),
        ({"blocking_store_files": 3, "compaction_files_min": 9}, 1000, 2, False),
    ],
)
def test_a_large_region_asks_for_a_split_unless_something_stands_against_it(
    changes: dict[str, Any], regions_max: int, files: int, wanted: bool
) -> None:
    async def story(cluster: SmallCluster) -> None:
        asked = []

        async def ask(hosted: HostedRegion) -> None:
            asked.append(hosted.encoded)

        await cluster.open("rs-1")
        cluster.server("rs-1")._chores.compact_split._ask_split = ask
        await fill(cluster, REGION, 3000, files)
        values = random.Random(7)
        batch = [Put(b"%04d" % n).add(b"f", b"q", values.randbytes(300)) for n in range(400)]
        await cluster.multi("rs-1", [RegionBatch(REGION.name, batch)])
        await cluster.control("rs-1", "flush_region", REGION.encoded_name)
        asked.clear()
        await asyncio.sleep(15)
        assert bool(asked) is wanted

    store = replace(CONFIG.store, compaction_files_max=9, split_first_bytes=2000, **changes)
    server = replace(CONFIG.region_server, regions_max=regions_max)
    run(story, config=replace(CONFIG, store=store, region_server=server))


def test_a_region_of_one_row_is_compacted_though_its_policy_wants_a_split() -> None:
    async def story(cluster: SmallCluster) -> None:
        asked = []

        async def ask(hosted: HostedRegion) -> None:
            asked.append(hosted.encoded)

        await cluster.open("rs-1")
        cluster.server("rs-1")._chores.compact_split._ask_split = ask
        for _ in range(4):
            await fill(cluster, REGION, 3000, 1)
        await asyncio.sleep(15)
        hosted = hosted_at(cluster)
        assert hosted.region.wants_split()
        assert asked == []
        assert len(hosted.region.file_entries) <= 2

    run(story, config=replace(CONFIG, store=replace(CONFIG.store, split_first_bytes=2000)))


def test_a_busy_region_counts_what_it_pushes_back() -> None:
    async def story(cluster: SmallCluster) -> None:
        table = replace(TABLE, attributes={"SPLIT_POLICY": "BusyRegionSplitPolicy"})
        await cluster.open("rs-1", REGION, table)
        hosted = hosted_at(cluster)
        load = cluster.server("rs-1")._chores.compact_split._load
        await cluster.put("rs-1", b"row", b"v")
        assert (load(hosted).writes, load(hosted).writes_blocked) == (1, 0)
        hosted.services.memstores.bytes += 2 * CONFIG.store.memstore_bytes_max
        batch = RegionBatch(REGION.name, [Put(b"r").add(b"f", b"q", b"v")])
        for _ in range(3):
            await cluster.multi("rs-1", [batch])
        hosted.services.memstores.bytes -= 2 * CONFIG.store.memstore_bytes_max
        assert (load(hosted).writes, load(hosted).writes_blocked) == (1, 3)
        assert (await cluster.control("rs-1", "status")).counters["writes_blocked"] == 3
        assert load(hosted).table_regions == 1

    run(story)
