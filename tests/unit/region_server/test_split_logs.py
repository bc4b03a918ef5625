"""Logs of dead and of sleeping servers, split once, twice, at once, and under a deleted table."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

import pytest

from raybase.actors.jobs import split_wal_job
from raybase.actors.log_writer import OLD_WALS, wal_directory
from raybase.actors.store_io import load_manifest
from raybase.errors import ProcessDiedError, ProcessUnavailableError, RaybaseError, StorageError
from raybase.operations import Get, Increment, Put
from raybase.rpc.convert import get_request, mutate_request
from raybase.storage.manifest import region_directory
from raybase.storage.wal import read_log
from raybase.testing import NO_FAULTS, Faults
from raybase.testing.files import SimFiles

from .small_cluster import REGION, SmallCluster, run
from .test_flushes import at_server, hosted_at

ROWS = {b"%03d" % n: b"v%d" % n for n in range(60)}
EDITS = f"{region_directory(REGION)}/recovered.edits"
Told = Callable[[SimFiles, str], Awaitable[None]]


@contextmanager
def watched(operation: str, told: Told) -> Iterator[None]:
    """``told`` is awaited before each call of the operation."""
    original = getattr(SimFiles, operation)

    async def call(files: SimFiles, path: str, *args: Any, **options: Any) -> Any:
        await told(files, path)
        return await original(files, path, *args, **options)

    with mock.patch.object(SimFiles, operation, call):
        yield


async def dead_with_edits(cluster: SmallCluster) -> str:
    """A server that died with half of the rows in a file, half in two logs; its name."""
    await cluster.open("rs-1")
    rows = list(ROWS.items())
    await cluster.put_many("rs-1", dict(rows[:20]))
    await cluster.control("rs-1", "flush_region", REGION.encoded_name)
    await cluster.put_many("rs-1", dict(rows[20:40]))

    async def roll() -> None:
        hosted_at(cluster).log.request_roll()

    await at_server(cluster, roll)
    await cluster.put_many("rs-1", dict(rows[40:]))
    dead = cluster.address("rs-1")
    cluster.simulation.kill("rs-1")
    await cluster.runtime.files.fence(wal_directory(dead))
    return dead


async def logs_of(cluster: SmallCluster, server: str) -> list[str]:
    names = await cluster.runtime.files.list(wal_directory(server))
    return [one for one in names if one != "FENCED"]


async def put_away(cluster: SmallCluster, server: str, names: list[str]) -> None:
    for name in names:
        source, target = f"{wal_directory(server)}/{name}", f"{OLD_WALS}/{server}/{name}"
        await cluster.runtime.files.rename(source, target)


async def sequence_ids(cluster: SmallCluster) -> list[int]:
    """Of all recovered edits, each as often as it is there."""
    found: list[int] = []
    for name in await cluster.runtime.files.list(EDITS):
        data = await cluster.runtime.files.read(f"{EDITS}/{name}")
        found += [record.sequence_id for record in read_log(name, data, complete=True)]
    return found


@pytest.mark.parametrize("faults", [NO_FAULTS, Faults(task_doubled=1.0, write_late=0.5)])
def test_a_log_split_by_two_workers_at_once_is_split_once(faults: Faults) -> None:
    """HBASE-28951: two workers on one WAL corrupted its recovered edits."""

    async def story(cluster: SmallCluster) -> None:
        dead = await dead_with_edits(cluster)
        names = await logs_of(cluster, dead)
        cluster.simulation.set_faults(faults)
        tasks = cluster.runtime.tasks
        await asyncio.gather(*(tasks.run(split_wal_job, dead, name) for name in names * 3))
        await put_away(cluster, dead, names)
        for name in names:
            await tasks.run(split_wal_job, dead, name)
        found = await sequence_ids(cluster)
        assert found
        assert len(found) == len(set(found))
        await cluster.open("rs-2", recovered_from=dead)
        assert await cluster.scan("rs-2") == ROWS

    run(story)


@pytest.mark.parametrize("changes", range(12))
def test_a_worker_may_die_at_any_call_of_a_split_and_another_do_it_again(changes: int) -> None:
    async def story(cluster: SmallCluster) -> None:
        dead = await dead_with_edits(cluster)
        names = await logs_of(cluster, dead)
        left = changes

        async def die(files: SimFiles, path: str) -> None:
            nonlocal left
            left -= "split_wal_job" in files.process.name
            if left == -1:
                raise ProcessDiedError("the worker died")

        tasks = cluster.runtime.tasks
        with watched("takes", die):  # type: ignore[arg-type]
            for name in names:
                with suppress(ProcessDiedError):
                    await tasks.run(split_wal_job, dead, name)
        for name in names:
            await tasks.run(split_wal_job, dead, name)
        await put_away(cluster, dead, names)
        await cluster.open("rs-2", recovered_from=dead)
        assert await cluster.scan("rs-2") == ROWS

    run(story)


def test_edits_that_two_logs_hold_are_replayed_once_and_with_their_nonces() -> None:
    """The source of a move and its target both logged them; both die."""

    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")

        async def count(name: str, nonce: int) -> int:
            increment = Increment(b"row").add(b"f", b"n", 1)
            increment.nonce = nonce
            answer = await cluster.mutate(name, increment, nonce_group=7)
            return int.from_bytes(answer.cells.values[0], "big")

        assert await count("rs-1", 1) == 1
        await cluster.put("rs-1", b"deleted", b"v")
        await cluster.move("rs-1", "rs-2")
        assert await count("rs-2", 2) == 2
        for name in ("rs-1", "rs-2"):
            cluster.simulation.kill(name)
            await cluster.recover(cluster.addresses[name])
        await cluster.open("rs-3", recovered_from=cluster.addresses["rs-2"])
        hosted = hosted_at(cluster, name="rs-3")
        assert sum(len(one.active) for one in hosted.region.stores.values()) <= 4
        assert [await count("rs-3", nonce) for nonce in (1, 2, 3)] == [1, 2, 3]

    run(story, servers=3)


@pytest.mark.parametrize("delay_ms", [0.1 * step for step in range(0, 24, 2)])
def test_a_server_that_wakes_in_its_own_recovery_and_rolls_acknowledges_nothing(
    delay_ms: float,
) -> None:
    """HBASE-2312, HBASE-2593: a paused server woke during the split of its logs, rolled to a new
    one that nobody would split, and acknowledged what it wrote there."""

    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await cluster.put("rs-1", b"before", b"v")
        dead = cluster.address("rs-1")
        client = await cluster.client("rs-1")
        told: list[bytes] = []

        async def write(row: bytes) -> None:
            put = Put(row).add(b"f", b"q", b"v")
            await client.call("Mutate", mutate_request(REGION.name, put))
            told.append(row)

        async def roll() -> None:
            hosted_at(cluster).log.request_roll()

        await at_server(cluster, roll)
        writing = [asyncio.ensure_future(write(b"row%d" % number)) for number in range(5)]
        await asyncio.sleep(delay_ms / 1000)
        cluster.simulation.pause("rs-1", 5.0)
        await asyncio.sleep(1.0)
        await cluster.recover(dead)
        await cluster.open("rs-2", recovered_from=dead)
        await asyncio.sleep(10)
        await asyncio.gather(*writing, return_exceptions=True)
        with pytest.raises(ConnectionError):
            await client.call("Get", get_request(REGION.name, Get(b"before")))
        await asyncio.sleep(1)
        assert cluster.simulation.process("rs-1") is None
        found = await cluster.scan("rs-2")
        assert [row for row in (b"before", *told) if row not in found] == []

    run(story)


def test_a_sleepers_flush_does_not_become_the_regions() -> None:
    """HBASE-26791: a paused server's flush overwrote the file list of the region's next owner."""

    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await cluster.put_many("rs-1", ROWS)
        dead = cluster.address("rs-1")

        async def fall_asleep(files: SimFiles, path: str) -> None:
            if files.process.name == "rs-1" and "/manifest/" in path:
                cluster.simulation.pause("rs-1", 30.0)

        with watched("put_if_absent", fall_asleep):
            flushing = asyncio.ensure_future(
                cluster.control("rs-1", "flush_region", REGION.encoded_name)
            )
            await asyncio.sleep(1.0)
        await cluster.recover(dead)
        await cluster.open("rs-2", recovered_from=dead)
        await cluster.put_many("rs-2", {b"new": b"v"})
        await cluster.control("rs-2", "flush_region", REGION.encoded_name)
        before = await load_manifest(cluster.runtime.files, REGION)
        with suppress(ProcessDiedError, ProcessUnavailableError):
            await flushing
        await asyncio.sleep(20)
        assert cluster.simulation.process("rs-1") is None
        assert await load_manifest(cluster.runtime.files, REGION) == before
        assert await cluster.scan("rs-2") == {**ROWS, b"new": b"v"}
        # Also for who opens it from the files alone.
        await cluster.close("rs-2")
        await cluster.open("rs-3")
        assert await cluster.scan("rs-3") == {**ROWS, b"new": b"v"}

    run(story, servers=3)


@pytest.mark.parametrize("step", range(0, 30, 3))
def test_a_server_that_dies_while_it_closes_a_region_leaves_it_whole(step: int) -> None:
    """HBASE-28569: recovered edits were damaged when an abort raced with a close."""

    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await cluster.put_many("rs-1", ROWS)
        dead = cluster.address("rs-1")
        left = step

        async def die(files: SimFiles, path: str) -> None:
            nonlocal left
            left -= files.process.name == "rs-1"
            if left == -1:
                cluster.simulation.kill("rs-1")
                await files.process.never()

        with watched("takes", die), suppress(RaybaseError):  # type: ignore[arg-type]
            await cluster.close("rs-1")
        if cluster.simulation.process("rs-1") is not None:
            cluster.simulation.kill("rs-1")
        await cluster.recover(dead)
        await cluster.open("rs-2", recovered_from=dead)
        assert await cluster.scan("rs-2") == ROWS

    run(story)


def test_a_table_that_is_deleted_while_a_log_is_split_does_not_come_back() -> None:
    """HBASE-24189: the split made the directories of the deleted table again."""

    async def story(cluster: SmallCluster) -> None:
        dead = await dead_with_edits(cluster)
        names = await logs_of(cluster, dead)
        directory = region_directory(REGION)

        async def delete(files: SimFiles, path: str) -> None:
            if path.startswith(EDITS):
                await files.remove(directory)

        with watched("put_if_absent", delete):
            for name in names:
                await cluster.runtime.tasks.run(split_wal_job, dead, name)
        assert await cluster.runtime.files.list(directory) == []
        for name in names:
            await cluster.runtime.tasks.run(split_wal_job, dead, name)
        assert await cluster.runtime.files.list(directory) == []

    run(story)


@pytest.mark.parametrize("families", [None, [b"f"]], ids=["all families", "one family"])
def test_a_flush_that_was_interrupted_loses_nothing_and_holds_no_log_for_ever(
    families: list[bytes] | None,
) -> None:
    """HBASE-13877: edits of an interrupted flush were counted as flushed, and lost in a crash.
    HBASE-16721: a region with nothing left to flush kept its logs for ever. HBASE-23157: the
    highest sequence id that is durable went back."""

    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        hosted = hosted_at(cluster)
        rows: dict[bytes, bytes] = {}

        async def write(*numbers: int) -> None:
            for number in numbers:
                rows[b"%03d" % number] = b"v%d" % number
                await cluster.put("rs-1", b"%03d" % number, b"v%d" % number)

        async def flush() -> Any:
            return await hosted.flush(families)

        async def roll() -> None:
            hosted.log.request_roll()

        await write(*range(10))
        cluster.simulation.set_faults(Faults(write_failed=1.0))
        with pytest.raises(StorageError):
            await at_server(cluster, flush_stored(flush))
        cluster.simulation.set_faults(NO_FAULTS)
        manifest = await load_manifest(cluster.runtime.files, REGION)
        assert manifest is not None
        assert max(manifest.flushed.values()) < manifest.open_sequence_id
        await write(*range(10, 15))
        await at_server(cluster, roll)
        await write(15)
        await at_server(cluster, hosted.flush)
        await asyncio.sleep(2)
        assert len(await logs_of(cluster, cluster.address("rs-1"))) == 1
        await write(*range(16, 20))
        dead = cluster.address("rs-1")
        cluster.simulation.kill("rs-1")
        await cluster.recover(dead)
        await cluster.open("rs-2", recovered_from=dead)
        assert await cluster.scan("rs-2") == rows

    run(story)


def flush_stored(flush: Callable[[], Awaitable[Any]]) -> Any:
    """The flush, its failure as the control call has it."""

    async def stored() -> Any:
        try:
            return await flush()
        except OSError as error:
            raise StorageError(str(error)) from error

    return stored
