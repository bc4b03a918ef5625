"""Splits on the servers' side: daughters refer to halves, whoever dies when."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from raybase.actors import region_splitter
from raybase.actors.daughters import ensure_manifest, write_daughters
from raybase.actors.jobs import write_daughters_job
from raybase.actors.messages import SplitRequest
from raybase.actors.region_splitter import UNDECIDED_S
from raybase.actors.store_io import load_manifest
from raybase.errors import (
    NotServingRegionError,
    ProcessDiedError,
    ProcessUnavailableError,
    RegionOwnedElsewhereError,
    RegionSplitError,
    StaleMasterError,
    StorageError,
    WrongRegionError,
)
from raybase.runtime import FileSystem
from raybase.storage.manifest import Manifest, region_directory

from .small_cluster import CONFIG, REGION, SmallCluster, run

ROWS = {b"%03d" % n: b"v%d" % n for n in range(100)}


async def loaded(cluster: SmallCluster) -> None:
    await cluster.open("rs-1")
    await cluster.put_many("rs-1", dict(list(ROWS.items())[:50]))
    await cluster.control("rs-1", "flush_region", REGION.encoded_name)
    await cluster.put_many("rs-1", dict(list(ROWS.items())[50:]))


async def check_daughters(
    cluster: SmallCluster, name: str, request: SplitRequest, dead: str | None = None
) -> None:
    lower, upper = request.daughters
    for daughter in request.daughters:
        await cluster.open(name, daughter, recovered_from=dead)
    below = await cluster.scan(name, info=lower)
    above = await cluster.scan(name, info=upper)
    assert {**below, **above} == ROWS
    assert all(row < lower.end_key for row in below)
    assert all(row >= upper.start_key for row in above)


def test_daughters_have_the_parents_rows_and_compact_to_files_of_their_own() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"033")
        result = await cluster.split("rs-1", request)
        assert result.handed
        with pytest.raises(NotServingRegionError):
            await cluster.get("rs-1", b"001")
        await check_daughters(cluster, "rs-1", request)
        with pytest.raises(WrongRegionError):
            await cluster.put("rs-1", b"034", b"v", info=request.daughters[0])
        await asyncio.sleep(15)
        for daughter in request.daughters:
            state = await cluster.control("rs-1", "region_state", daughter.encoded_name)
            assert (state.references, state.store_files) == (0, 1)
        parent = region_directory(REGION)
        assert await cluster.runtime.files.list(f"{parent}/f"), "a parent's files are its cleaner's"
        await cluster.put("rs-1", b"034", b"v", info=request.daughters[1])

    run(story)


def test_a_split_that_is_asked_for_again_says_the_same_also_at_another_server() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"050")
        first = await cluster.split("rs-1", request)
        assert (await cluster.split("rs-1", request)).sequence_id == first.sequence_id
        again = replace(request, order=cluster.next_order())
        assert (await cluster.split("rs-2", again)).sequence_id == first.sequence_id
        by_job = await cluster.runtime.tasks.run(write_daughters_job, request)
        assert by_job.sequence_id == first.sequence_id
        await check_daughters(cluster, "rs-1", request)

    run(story)


def test_an_open_parent_is_split_by_nobody_but_its_server() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        with pytest.raises(RegionOwnedElsewhereError):
            await cluster.split("rs-2", cluster.split_request(b"050"))
        assert await cluster.get("rs-1", b"001") == b"v1"

    run(story)


def test_a_late_run_of_an_undone_split_does_not_bring_old_files_back() -> None:
    """The parent was split, opened again by a roll-back, written, and split again."""

    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"050")
        await cluster.split("rs-1", request)
        old = await load_manifest(cluster.runtime.files, request.daughters[0])
        await cluster.open("rs-1")
        await cluster.put("rs-1", b"001", b"newer")
        await cluster.control("rs-1", "compact_region", REGION.encoded_name, True)
        await asyncio.sleep(3)
        await cluster.split("rs-1", replace(request, order=cluster.next_order()))
        new = await load_manifest(cluster.runtime.files, request.daughters[0])
        assert new is not None
        assert old is not None
        assert new.max_sequence_id > old.max_sequence_id
        assert new.files != old.files
        await cluster.open("rs-1", request.daughters[0])
        assert await cluster.get("rs-1", b"001", info=request.daughters[0]) == b"newer"

    run(story)


def test_a_parent_that_a_later_master_closed_is_not_split_for_an_earlier_one() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"050")
        cluster.epoch = 2
        await cluster.close("rs-1")
        with pytest.raises(StaleMasterError):
            await write_daughters(cluster.runtime.files, request)

    run(story)


@pytest.mark.parametrize("changes", range(0, 40, 3))
def test_a_split_is_done_again_elsewhere_whenever_its_server_dies(changes: int) -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"033")
        splitting = asyncio.create_task(cluster.split("rs-1", request))
        trace = cluster.simulation.world.trace
        until = trace.count + changes
        while not splitting.done() and trace.count < until:
            await asyncio.sleep(0.0001)
        cluster.simulation.kill("rs-1")
        with suppress(ProcessDiedError, ProcessUnavailableError):
            await splitting
        dead = cluster.addresses["rs-1"]
        await cluster.recover(dead)
        again = replace(request, order=cluster.next_order())
        try:
            await cluster.split("rs-2", again)
        except RegionOwnedElsewhereError:
            await cluster.open("rs-2", recovered_from=dead)
            await cluster.split("rs-2", replace(request, order=cluster.next_order()))
        await check_daughters(cluster, "rs-2", request, dead)

    run(story, seed=changes + 1)


def test_a_region_that_outgrows_its_limit_knows_its_middle() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        await cluster.put_many("rs-1", {b"%05d" % n: b"x" * 300 for n in range(2000)})
        await cluster.control("rs-1", "flush_region", REGION.encoded_name)
        hosted = cluster.server("rs-1").find(REGION.name)
        assert hosted.region.wants_split()
        row = await cluster.control("rs-1", "split_point", REGION.encoded_name)
        assert b"00500" < row < b"01500"

    store = replace(
        CONFIG.store, split_policy="ConstantSizeRegionSplitPolicy", region_bytes_max=10_000
    )
    run(story, config=replace(CONFIG, store=store))


# Between the close of the parent and the word that hbase:meta has its daughters


def test_calls_about_a_split_region_wait_and_are_sent_to_the_daughters() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"033")
        await cluster.split("rs-1", request)
        lower, upper = request.daughters
        waiting = [
            asyncio.ensure_future(work)
            for work in (
                cluster.get("rs-1", b"001"),
                cluster.put("rs-1", b"001", b"late"),
                cluster.scan("rs-1"),
                cluster.get("rs-1", b"001", info=lower),
            )
        ]
        await asyncio.sleep(1.0)
        assert not any(one.done() for one in waiting)
        await cluster.open("rs-1", upper)
        await cluster.open("rs-1", lower)
        *of_parent, of_daughter = await asyncio.gather(*waiting, return_exceptions=True)
        assert of_daughter == b"v1"
        told = [one.args for one in of_parent if isinstance(one, RegionSplitError)]
        assert told == [(b"033", lower.region_id)] * 3
        with pytest.raises(RegionSplitError):
            await cluster.get("rs-1", b"001")

    run(story)


def test_daughters_are_served_without_a_change_of_any_file() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"033")
        await cluster.split("rs-1", request)
        files = cluster.runtime.files
        before = [await load_manifest(files, one) for one in request.daughters]
        assert {one.owner for one in before if one} == {cluster.addresses["rs-1"]}
        await check_daughters(cluster, "rs-1", request)
        assert [await load_manifest(files, one) for one in request.daughters] == before

    run(story)


def test_nobody_waits_for_a_master_that_does_not_speak() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"033")
        await cluster.split("rs-1", request)
        with pytest.raises(NotServingRegionError) as caught:
            await asyncio.wait_for(cluster.get("rs-1", b"001"), UNDECIDED_S + 2.0)
        assert not isinstance(caught.value, RegionSplitError)
        await check_daughters(cluster, "rs-1", request)

    run(story)


def test_a_split_that_is_undone_leaves_the_parent_alone() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"033")
        await cluster.split("rs-1", request)
        waiting = asyncio.ensure_future(cluster.get("rs-1", b"001"))
        await asyncio.sleep(0.1)
        await cluster.open("rs-1")
        with pytest.raises(NotServingRegionError):
            await waiting
        assert await cluster.scan("rs-1") == ROWS
        with pytest.raises(NotServingRegionError):
            await cluster.get("rs-1", b"001", info=request.daughters[0])

    run(story)


def test_the_next_master_opens_daughters_by_their_manifests() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"033")
        await cluster.split("rs-1", request)
        cluster.epoch = 2
        again = replace(request, master_epoch=2, order=cluster.next_order())
        await cluster.split("rs-1", again)
        await check_daughters(cluster, "rs-1", request)
        for daughter in request.daughters:
            manifest = await load_manifest(cluster.runtime.files, daughter)
            assert manifest is not None
            assert manifest.master_epoch == 2

    run(story)


def test_a_daughter_that_is_closed_before_it_was_served_is_nobodys() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        request = cluster.split_request(b"033")
        await cluster.split("rs-1", request)
        for daughter in request.daughters:
            await cluster.close("rs-1", daughter)
        await check_daughters(cluster, "rs-2", request)

    run(story)


def test_a_split_that_fails_when_the_parent_is_closed_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def failing(files: FileSystem, wanted: Manifest) -> Manifest:
        if wanted.owner:
            raise OSError("no space")
        return await ensure_manifest(files, wanted)

    monkeypatch.setattr(region_splitter, "ensure_manifest", failing)

    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        with pytest.raises(StorageError, match="no space"):
            await cluster.split("rs-1", cluster.split_request(b"033"))
        with pytest.raises(NotServingRegionError):
            await asyncio.wait_for(cluster.get("rs-1", b"001"), 0.5)
        await cluster.open("rs-1")
        assert await cluster.scan("rs-1") == ROWS

    run(story)
