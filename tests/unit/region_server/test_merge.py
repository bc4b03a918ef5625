"""A merged region on the servers' side: it refers to all its parents' files."""

from __future__ import annotations

import asyncio

import pytest

from raybase.actors.merged import write_merged
from raybase.actors.store_io import load_manifest
from raybase.errors import NotServingRegionError, RegionOwnedElsewhereError, StaleMasterError
from raybase.model import RegionInfo
from raybase.operations import Increment
from raybase.storage.manifest import region_directory

from .small_cluster import REGION, SmallCluster, run

ROWS = {b"%03d" % n: b"v%d" % n for n in range(90)}
TABLE = REGION.table
PARENTS = (
    RegionInfo(TABLE, b"", b"030", 1),
    RegionInfo(TABLE, b"030", b"060", 2),
    RegionInfo(TABLE, b"060", b"", 3),
)
MERGED = RegionInfo(TABLE, b"", b"", 4)


async def loaded(cluster: SmallCluster) -> None:
    """Three regions with a file each, and edits that are in no file yet."""
    for parent in PARENTS:
        await cluster.open("rs-1", parent)
        for row, value in ROWS.items():
            if parent.contains(row):
                await cluster.put("rs-1", row, value, info=parent)
        await cluster.control("rs-1", "flush_region", parent.encoded_name)
    await cluster.put("rs-1", b"031", b"newer", info=PARENTS[1])


async def merge(cluster: SmallCluster) -> None:
    await write_merged(cluster.runtime.files, PARENTS, MERGED, cluster.epoch)


def test_the_merged_region_has_every_row_and_compacts_to_files_of_its_own() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        for parent in PARENTS:
            await cluster.close("rs-1", parent)
        await merge(cluster)
        await merge(cluster)
        await cluster.open("rs-2", MERGED)
        expected = {**ROWS, b"031": b"newer"}
        assert await cluster.scan("rs-2", info=MERGED) == expected
        await cluster.put("rs-2", b"031", b"newest", info=MERGED)
        assert await cluster.get("rs-2", b"031", info=MERGED) == b"newest"
        await asyncio.sleep(15)
        state = await cluster.control("rs-2", "region_state", MERGED.encoded_name)
        assert (state.references, state.store_files) == (0, 2), "one for each family"
        assert await cluster.scan("rs-2", info=MERGED) == {**expected, b"031": b"newest"}

    run(story)


def test_regions_that_are_open_or_of_a_later_master_are_not_merged() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        for parent in PARENTS[:2]:
            await cluster.close("rs-1", parent)
        with pytest.raises(RegionOwnedElsewhereError):
            await merge(cluster)
        assert await load_manifest(cluster.runtime.files, MERGED) is None
        cluster.epoch = 2
        await cluster.close("rs-1", PARENTS[2])
        cluster.epoch = 1
        with pytest.raises(StaleMasterError):
            await merge(cluster)

    run(story)


def test_a_region_with_recovered_edits_that_nobody_replayed_is_not_merged() -> None:
    """A server can give up what it took and never served: the edits are where they were."""

    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        for parent in PARENTS:
            await cluster.close("rs-1", parent)
        files = cluster.runtime.files
        manifest = await load_manifest(files, PARENTS[1])
        assert manifest is not None
        directory = f"{region_directory(PARENTS[1])}/recovered.edits"
        await files.write(f"{directory}/{manifest.max_sequence_id:019d}-old-1", [b"in files"])
        await merge(cluster)
        await files.remove(region_directory(MERGED))
        await files.write(f"{directory}/{manifest.max_sequence_id + 1:019d}-old-1", [b"not"])
        with pytest.raises(NotServingRegionError, match="recovered edits"):
            await merge(cluster)
        assert await load_manifest(files, MERGED) is None

    run(story)


def test_a_retry_after_the_merge_is_recognised() -> None:
    async def story(cluster: SmallCluster) -> None:
        await loaded(cluster)
        for number, parent in enumerate(PARENTS, 1):
            counter = Increment(parent.start_key or b"000").add(b"f", b"count", 5)
            counter.nonce = number
            await cluster.mutate("rs-1", counter, info=parent, nonce_group=7)
        for parent in PARENTS:
            await cluster.close("rs-1", parent)
        await merge(cluster)
        await cluster.open("rs-2", MERGED)
        for number, parent in enumerate(PARENTS, 1):
            again = Increment(parent.start_key or b"000").add(b"f", b"count", 5)
            again.nonce = number
            answer = await cluster.mutate("rs-2", again, info=MERGED, nonce_group=7)
            assert answer.cells.values == [(5).to_bytes(8, "big")]

    run(story)
