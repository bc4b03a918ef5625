"""Nonces that were flushed: what a region costs for them, and where they are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raybase.actors import region_mover
from raybase.actors.archiver import archive_file
from raybase.actors.messages import AdoptRequest
from raybase.actors.store_io import load_manifest, put_manifest
from raybase.operations import Increment
from raybase.storage.manifest import NonceFileEntry, region_directory
from raybase.storage.nonce_table import NonceTable
from raybase.storage.wal import decode_record

from .small_cluster import REGION, SmallCluster, run


def test_a_move_carries_only_the_nonces_that_are_in_no_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many a region has: what its target reads before the window is not sent in it."""
    many = 350_000
    columns = np.arange(1, 3 * many + 1, dtype=np.uint64).reshape(3, many)
    sent: list[AdoptRequest] = []

    async def story(cluster: SmallCluster) -> None:
        async def count(name: str, nonce: int, group: int = 7) -> int:
            increment = Increment(b"row").add(b"f", b"n", 1)
            increment.nonce = nonce
            answer = await cluster.mutate(name, increment, nonce_group=group)
            return int.from_bytes(answer.cells.values[0], "big") if answer.cells else 0

        async def ask(target: Any, method: str, request: Any, timeout_s: float) -> Any:
            if method == "adopt_region":
                sent.append(request)
            error = await original(target, method, request, timeout_s)
            if method == "prepare_open":
                assert await count("rs-1", 900_001) == 2
            return error

        original = region_mover._ask
        monkeypatch.setattr(region_mover, "_ask", ask)
        await cluster.open("rs-1")
        await cluster.close("rs-1")
        files = cluster.runtime.files
        manifest = await load_manifest(files, REGION)
        assert manifest is not None
        entry = NonceFileEntry(f"{region_directory(REGION)}/nonces/1", many, 0, 0)
        await files.write(entry.path, list(NonceTable(entry, columns).pieces()))
        changed = manifest.next(nonce_files=(entry,), max_sequence_id=3 * many)
        assert await put_manifest(files, changed)
        await cluster.open("rs-1")
        assert await count("rs-1", 900_000) == 1
        assert (await cluster.move("rs-1", "rs-2")).moved
        records = [decode_record(one) for one in sent[0].edits]
        assert [one.nonce for one in records if one.nonce] == [900_001]
        assert len(sent[0].manifest.encode()) < 2000
        assert sum(map(len, sent[0].edits)) < 2000
        assert await count("rs-2", 1, many + 1) == 2, "an old one is recognised"
        assert await count("rs-2", 900_000) == 1
        assert await count("rs-2", 900_001) == 2
        assert await count("rs-2", 900_002) == 3
        dead = cluster.address("rs-2")
        cluster.simulation.kill("rs-2")
        await cluster.recover(dead)
        await cluster.open("rs-1", recovered_from=dead)
        assert await count("rs-1", 900_001) == 2
        assert await count("rs-1", 900_003) == 4

    run(story)


def test_a_retry_is_recognised_although_its_nonces_file_is_in_the_archive() -> None:
    """What a region was made from is cleaned away before nonces expire."""

    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        increment = Increment(b"row").add(b"f", b"n", 1)
        increment.nonce = 5
        await cluster.mutate("rs-1", increment)
        await cluster.close("rs-1")
        files = cluster.runtime.files
        manifest = await load_manifest(files, REGION)
        assert manifest is not None
        (entry,) = manifest.nonce_files
        await archive_file(files, entry.path)
        await cluster.open("rs-2")
        answer = await cluster.mutate("rs-2", increment)
        assert int.from_bytes(answer.cells.values[0], "big") == 1

    run(story)


def test_small_files_of_nonces_are_put_together_and_the_old_ones_archived() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        for nonce in range(1, 9):
            increment = Increment(b"row").add(b"f", b"n", 1)
            increment.nonce = nonce
            await cluster.mutate("rs-1", increment)
            await cluster.control("rs-1", "flush_region", REGION.encoded_name)
        files = cluster.runtime.files
        manifest = await load_manifest(files, REGION)
        assert manifest is not None
        present = await files.list(f"{region_directory(REGION)}/nonces")
        named = [entry.path.rpartition("/")[2] for entry in manifest.nonce_files]
        assert sorted(named) == present
        assert len(present) <= 3
        assert sum(entry.entries for entry in manifest.nonce_files) == 8

    run(story)
