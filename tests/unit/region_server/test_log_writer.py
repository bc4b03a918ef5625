"""Group commit, order, durability levels, rolling, archiving, and the end of a bad log."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from raybase.actors.log_writer import LogWriter, wal_directory
from raybase.config import WalConfig
from raybase.errors import (
    CorruptionError,
    FencedError,
    RegionTooBusyError,
    StorageError,
    SyncFailedError,
)
from raybase.model import Durability, TableName
from raybase.runtime import Runtime
from raybase.storage.wal import FamilyCells, WalRecord, read_log
from raybase.testing import Faults, Simulation

SERVER = "host,1,1"
SYNC = Durability.SYNC_WAL


class Bench:
    """A log writer in a simulated process, and what became of what was submitted."""

    def __init__(self, runtime: Runtime, config: WalConfig) -> None:
        self.runtime = runtime
        self.failures: list[BaseException] = []
        self.pinned: list[dict[str, int]] = []
        self.done: list[int] = []
        self.log = LogWriter(
            runtime,
            SERVER,
            "",
            config,
            self.failures.append,
            lambda one: self.pinned.append({**one}),
        )

    def submit(self, sequence_id: int, durability: Durability = SYNC, region: str = "r") -> None:
        cells = FamilyCells(b"f", [b"key%d" % sequence_id], [b"v"])
        record = WalRecord(region, TableName("default", "t"), sequence_id, 0, (cells,))
        self.log.submit(
            record.encode(), region, sequence_id, durability, lambda: self.done.append(sequence_id)
        )

    async def read(self, number: int = 1) -> list[int]:
        path = f"{wal_directory(SERVER)}/{number}"
        data = await self.runtime.files.read(path)
        return [record.sequence_id for record in read_log(path, data)]


def run(story: Any, config: WalConfig | None = None, faults: Faults | None = None) -> Bench:
    with Simulation(1, faults=faults or Faults()) as simulation:
        bench = Bench(simulation.runtime_for("main"), config or WalConfig())

        async def whole() -> None:
            await bench.log.start()
            await story(bench)

        work: Coroutine[Any, Any, None] = whole()
        simulation.run(work, timeout_s=100)
        assert simulation.errors == []
        return bench


def test_all_writes_of_a_turn_share_one_append_and_one_sync() -> None:
    async def story(bench: Bench) -> None:
        for number in range(1, 101):
            bench.submit(number)
        assert bench.done == []
        await bench.log.barrier()
        assert bench.done == list(range(1, 101))
        assert (bench.log.counters.appends, bench.log.counters.syncs) == (1, 1)
        assert await bench.read() == bench.done

    run(story)


def test_what_arrives_during_a_sync_goes_with_the_next_and_stays_in_order() -> None:
    async def story(bench: Bench) -> None:
        for number in range(1, 21):
            bench.submit(number)
            await asyncio.sleep(0.0001)
        await bench.log.barrier()
        assert bench.done == list(range(1, 21))
        assert 1 < bench.log.counters.appends < 20

    run(story)


def test_skip_wal_waits_for_those_before_it_and_is_not_written() -> None:
    async def story(bench: Bench) -> None:
        bench.submit(1, Durability.SKIP_WAL)
        assert bench.done == [1]
        bench.submit(2)
        bench.submit(3, Durability.SKIP_WAL)
        assert bench.done == [1]
        await bench.log.barrier()
        assert bench.done == [1, 2, 3]
        assert await bench.read() == [2]

    run(story)


def test_async_wal_is_done_before_the_sync_which_follows_within_a_second() -> None:
    async def story(bench: Bench) -> None:
        bench.submit(1, Durability.ASYNC_WAL)
        await asyncio.sleep(0.1)
        assert bench.done == [1]
        assert bench.log.counters.syncs == 0
        await asyncio.sleep(1.5)
        assert bench.log.counters.syncs == 1

    run(story)


@pytest.mark.parametrize(
    ("hsync", "durability", "syncs"),
    [(True, SYNC, 1), (False, SYNC, 0), (False, Durability.FSYNC_WAL, 1)],
)
def test_hsync_off_leaves_sync_wal_in_the_cache_but_not_fsync_wal(
    hsync: bool, durability: Durability, syncs: int
) -> None:
    async def story(bench: Bench) -> None:
        bench.submit(1, durability)
        await asyncio.sleep(0.1)
        assert bench.done == [1]
        assert bench.log.counters.syncs == syncs

    run(story, replace(WalConfig(), hsync=hsync))


def test_a_fenced_log_acknowledges_nothing_and_says_so_once() -> None:
    async def story(bench: Bench) -> None:
        bench.submit(1)
        await bench.log.barrier()
        await bench.runtime.files.fence(wal_directory(SERVER))
        bench.submit(2)
        await asyncio.sleep(0.1)
        bench.submit(3, Durability.SKIP_WAL)
        bench.submit(4)
        await asyncio.sleep(0.1)
        assert bench.done == [1]
        assert [type(one) for one in bench.failures] == [FencedError]
        with pytest.raises(FencedError):
            await bench.log.check()

    run(story)


def test_a_failed_sync_acknowledges_nothing_and_is_not_tried_again() -> None:
    with Simulation(1) as simulation:
        bench = Bench(simulation.runtime_for("main"), WalConfig())

        async def story() -> None:
            await bench.log.start()
            simulation.world.faults = Faults(sync_failed=1.0)
            bench.submit(1)
            await asyncio.sleep(0.1)
            simulation.world.faults = Faults()
            bench.submit(2)
            await asyncio.sleep(0.1)
            assert bench.done == []
            assert [type(one) for one in bench.failures] == [SyncFailedError]
            with pytest.raises(SyncFailedError):
                await bench.log.check()

        simulation.run(story(), timeout_s=10)


def test_a_full_file_is_rolled_and_archived_when_its_edits_are_in_files() -> None:
    async def story(bench: Bench) -> None:
        for number in range(1, 4):
            bench.submit(number)
            await bench.log.barrier()
        await asyncio.sleep(0.1)
        names = await bench.runtime.files.list(wal_directory(SERVER))
        bench.log.flushed("r", 1)
        await asyncio.sleep(0.1)
        assert await bench.runtime.files.list(wal_directory(SERVER)) == names[1:]
        assert await bench.runtime.files.list(f"oldWALs/{SERVER}") == names[:1]
        bench.log.forget("r")
        await asyncio.sleep(0.1)
        assert await bench.runtime.files.list(wal_directory(SERVER)) == names[-1:]

    run(story, replace(WalConfig(), roll_bytes=100))


def test_a_record_counts_for_the_file_it_is_in_not_for_the_one_it_was_submitted_under() -> None:
    async def story(bench: Bench) -> None:
        bench.submit(1)
        await asyncio.sleep(0)
        bench.submit(2)
        await bench.log.barrier()
        assert await bench.read(2) == [2]
        bench.log.flushed("r", 1)
        await asyncio.sleep(0.1)
        assert await bench.runtime.files.list(wal_directory(SERVER)) == ["2", "3"]

    run(story, replace(WalConfig(), roll_bytes=100))


def test_too_many_files_ask_for_a_flush_of_exactly_what_the_surplus_holds() -> None:
    async def story(bench: Bench) -> None:
        bench.submit(1, region="old")
        await bench.log.barrier()
        for number in range(2, 6):
            bench.submit(number, region="new")
            await bench.log.barrier()
        await asyncio.sleep(0.1)
        # Six files, the last of them empty: four more than may stay.
        assert bench.pinned[0] == {"old": 1}
        assert bench.pinned[-1] == {"old": 1, "new": 4}
        bench.log.flushed("old", 1)
        bench.log.flushed("new", 3)
        await asyncio.sleep(0.1)
        assert bench.pinned[-1] == {"new": 4}
        told = len(bench.pinned)
        bench.log.flushed("new", 4)
        await asyncio.sleep(0.1)
        assert len(bench.pinned) == told
        assert await bench.runtime.files.list(wal_directory(SERVER)) == ["5", "6"]

    run(story, replace(WalConfig(), roll_bytes=100, files_max=2))


def test_a_file_that_cannot_be_archived_stays_and_goes_later() -> None:
    async def story(bench: Bench) -> None:
        files = bench.runtime.files
        bench.submit(1)
        await bench.log.barrier()
        bench.log.request_roll()
        await asyncio.sleep(0.1)
        # A file stands where the directory of old logs has to be.
        await files.write("oldWALs", [b""])
        bench.log.flushed("r", 1)
        await asyncio.sleep(0.1)
        assert await files.list(wal_directory(SERVER)) == ["1", "2"]
        await files.remove("oldWALs")
        bench.log.flushed("r", 1)
        await asyncio.sleep(0.1)
        assert await files.list(wal_directory(SERVER)) == ["2"]
        assert await files.list(f"oldWALs/{SERVER}") == ["1"]
        assert bench.failures == []

    run(story)


def test_slow_syncs_are_counted() -> None:
    faults = replace(Faults(), disk_slow=1.0, disk_slow_s=2.0)

    async def story(bench: Bench) -> None:
        for number in range(1, 6):
            bench.submit(number)
            await bench.log.barrier()
        assert bench.log.counters.slow_syncs >= 3
        assert bench.log.counters.rolls == 0

    run(story, faults=faults)


def test_a_roll_into_a_directory_that_recovery_cleaned_up_ends_the_log() -> None:
    async def story(bench: Bench) -> None:
        bench.submit(1)
        await bench.log.barrier()
        files = bench.runtime.files
        directory = wal_directory(SERVER)
        await files.fence(directory)
        await files.rename(f"{directory}/1", f"oldWALs/{SERVER}/1")
        await files.remove(directory)
        bench.log.request_roll()
        await asyncio.sleep(0.1)
        bench.submit(2)
        await asyncio.sleep(0.1)
        assert bench.done == [1]
        assert [type(one) for one in bench.failures] == [FencedError]

    run(story)


def test_an_old_file_is_rolled_though_it_is_small_and_an_empty_one_is_not() -> None:
    async def story(bench: Bench) -> None:
        bench.submit(1)
        await bench.log.barrier()
        await asyncio.sleep(20)
        bench.log.roll_if_old()
        await asyncio.sleep(0.1)
        assert bench.log.counters.rolls == 1
        await asyncio.sleep(20)
        bench.log.roll_if_old()
        await asyncio.sleep(0.1)
        assert bench.log.counters.rolls == 1

    run(story, replace(WalConfig(), roll_interval_s=10))


def test_a_rolled_file_says_that_it_is_durable_to_its_end() -> None:
    async def story(bench: Bench) -> None:
        bench.submit(1)
        await bench.log.barrier()
        bench.log.request_roll()
        await asyncio.sleep(0.1)
        path = f"{wal_directory(SERVER)}/1"
        data = bytearray(await bench.runtime.files.read(path))
        data[data.index(b"key1")] ^= 1
        with pytest.raises(CorruptionError):
            list(read_log(path, bytes(data)))

    run(story)


def test_a_full_disk_holds_writes_back_until_there_is_room() -> None:
    """Nothing is lost, nothing acknowledged early, and what waits for the log is told."""
    config = replace(WalConfig(), roll_bytes=1)

    with Simulation(1) as simulation:
        bench = Bench(simulation.runtime_for("main"), config)

        async def story() -> None:
            await bench.log.start()
            bench.submit(1)
            await bench.log.barrier()
            simulation.disk.free_bytes = 10
            bench.submit(2)
            waiting = asyncio.ensure_future(bench.log.barrier())
            await asyncio.sleep(0.1)
            with pytest.raises(RegionTooBusyError):
                bench.log.check_room()
            with pytest.raises(StorageError, match="no room"):
                await waiting
            with pytest.raises(StorageError, match="no room"):
                await bench.log.barrier()
            await bench.log.check()
            await asyncio.sleep(5)
            assert bench.done == [1]
            simulation.disk.free_bytes = None
            await asyncio.sleep(1.5)
            assert bench.done == [1, 2]
            bench.log.check_room()
            bench.submit(3)
            await bench.log.barrier()
            found = [number for file in range(1, 4) for number in await bench.read(file)]
            assert found == [1, 2, 3]
            assert bench.log.counters.full_waits > 1
            assert bench.failures == []

        simulation.run(story(), timeout_s=100)
        assert simulation.errors == []


@pytest.mark.parametrize("free_bytes", [10, 60])
def test_a_roll_without_room_is_put_off(free_bytes: int) -> None:
    """Not for the end of the old file, or for that but not for the head of the new one."""
    with Simulation(1) as simulation:
        bench = Bench(simulation.runtime_for("main"), WalConfig())

        async def story() -> None:
            await bench.log.start()
            bench.submit(1)
            await bench.log.barrier()
            simulation.disk.free_bytes = free_bytes
            bench.log.request_roll()
            await asyncio.sleep(0.1)
            assert bench.log.counters.rolls == 0
            simulation.disk.free_bytes = None
            await asyncio.sleep(2)
            bench.submit(2)
            await bench.log.barrier()
            await asyncio.sleep(0.1)
            assert bench.log.counters.rolls == 1
            assert await bench.read() == [1, 2]
            assert bench.failures == []

        simulation.run(story(), timeout_s=100)
        assert simulation.errors == []
