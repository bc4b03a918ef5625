"""Manifest commits: one winner a version, lost answers, pruning, sleepers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from raybase.actors.store_io import commit_manifest, load_manifest, put_manifest
from raybase.errors import FencedError
from raybase.runtime import FileSystem
from raybase.storage.manifest import Manifest, manifest_directory
from raybase.testing import Faults, Simulation

from .small_cluster import REGION


def run(story: Callable[[FileSystem, Simulation], Coroutine[Any, Any, None]]) -> None:
    with Simulation(1) as simulation:
        files = simulation.runtime_for("main").files
        simulation.run(story(files, simulation), timeout_s=100)
        assert simulation.errors == []


def owned(version: int, owner: str) -> Manifest:
    return Manifest(version, REGION, owner)


def test_of_two_owners_one_gets_the_version_and_the_other_is_fenced() -> None:
    async def story(files: FileSystem, simulation: Simulation) -> None:
        made = await asyncio.gather(
            *(put_manifest(files, owned(1, name)) for name in ("a", "b", "c"))
        )
        assert made.count(True) == 1
        winner = await load_manifest(files, REGION)
        assert winner == owned(1, "abc"[made.index(True)])
        with pytest.raises(FencedError):
            await commit_manifest(files, owned(1, "d"))

    run(story)


def test_a_commit_whose_answer_was_lost_is_recognised_when_repeated() -> None:
    async def story(files: FileSystem, simulation: Simulation) -> None:
        await commit_manifest(files, owned(1, "a"))
        await commit_manifest(files, owned(1, "a"))
        await commit_manifest(files, owned(2, "a"))

    run(story)


def test_a_file_system_that_fails_now_and_then_does_not_lose_a_commit() -> None:
    async def story(files: FileSystem, simulation: Simulation) -> None:
        simulation.set_faults(Faults(write_failed=0.3, read_failed=0.3))
        version = 1
        while version < 30:
            try:
                await commit_manifest(files, owned(version, "a"))
            except OSError:
                continue
            version += 1
        simulation.set_faults(Faults())
        assert await load_manifest(files, REGION) == owned(29, "a")

    run(story)


def test_old_versions_go_and_a_sleeper_cannot_take_their_place() -> None:
    async def story(files: FileSystem, simulation: Simulation) -> None:
        for version in range(1, 65):
            await commit_manifest(files, owned(version, "a"))
        names = await files.list(manifest_directory(REGION))
        assert len(names) < 40
        with pytest.raises(FencedError):
            await commit_manifest(files, owned(2, "sleeper"))
        assert await load_manifest(files, REGION) == owned(64, "a")

    run(story)


def test_a_sleeper_that_tidies_up_takes_no_commit_from_the_owner() -> None:
    """What it finds half made is not its own, but that of whoever has the region now."""

    async def story(files: FileSystem, simulation: Simulation) -> None:
        directory = manifest_directory(REGION)
        tidied = 0
        for version in range(1, 30):
            commit = asyncio.create_task(commit_manifest(files, owned(version, "a")))
            while not commit.done() and not tidied > version:
                await asyncio.sleep(0.00002)
                tidied += await files.remove_unfinished(directory)
            await commit
            assert await load_manifest(files, REGION) == owned(version, "a")
        assert tidied > 10

    run(story)
