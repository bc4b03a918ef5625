"""Compaction of a hosted region's store: chosen before, done in a task, committed here."""

from __future__ import annotations

import logging
from typing import Final

from ..errors import ProcessDiedError, StorageError
from ..storage.compaction import Compaction
from ..storage.manifest import StoreFileEntry, region_directory
from ..storage.store_file import StoreFile
from .compaction_job import CompactionWork, compact_job
from .file_writer import NewPath
from .hosted_region import HostedRegion
from .store_io import archive_path, open_reader

log = logging.getLogger(__name__)

_RUNS_MAX: Final = 3


async def compact_store(
    hosted: HostedRegion, compaction: Compaction, bytes_per_s: float = float("inf")
) -> None:
    """Does what was planned, writing no faster than that.

    Raises CorruptionError if an input is damaged, StorageError, ProcessDiedError (the worker,
    again and again), NotServingRegionError; nothing of the store was replaced then.
    """
    try:
        with hosted.files_in_work.begun() as new_path:
            replaced = await _replace(hosted, compaction, new_path, bytes_per_s)
    except BaseException:
        hosted.region.abort_compaction(compaction)
        raise
    await _archive(hosted, replaced)


async def _replace(
    hosted: HostedRegion, compaction: Compaction, new_path: NewPath, bytes_per_s: float
) -> tuple[StoreFileEntry, ...]:
    """The inputs, which no manifest names any more."""
    hosted.check_serving()
    entry = None
    if not compaction.is_expired:
        path = new_path(compaction.family)
        entry = await _run(hosted, _work(hosted, compaction, path, bytes_per_s))
    file = None if entry is None else await _open(hosted, entry)
    async with hosted.files_turn:
        # If it has left meanwhile, the file written is nobody's: the janitor finds it.
        hosted.check_serving()
        manifest = hosted.region.compaction_manifest(compaction, entry)
        await hosted.commit(manifest)
        return hosted.region.commit_compaction(compaction, file, manifest)


def _work(
    hosted: HostedRegion, compaction: Compaction, path: str, bytes_per_s: float
) -> CompactionWork:
    services = hosted.services
    handed = services.io.handoff.of(entry.path for entry in compaction.inputs)
    return CompactionWork(compaction.inputs, compaction.options, handed, path, bytes_per_s)


async def _run(hosted: HostedRegion, work: CompactionWork) -> StoreFileEntry | None:
    for run in range(1, _RUNS_MAX + 1):
        try:
            entry: StoreFileEntry | None = await hosted.services.runtime.tasks.run(
                compact_job, work
            )
            return entry
        except ProcessDiedError:
            if run == _RUNS_MAX:
                raise
        except OSError as error:
            raise StorageError(f"cannot compact {hosted.info}: {error}") from error
    raise AssertionError("unreachable")


async def _open(hosted: HostedRegion, entry: StoreFileEntry) -> StoreFile:
    try:
        reader = await open_reader(hosted.services.runtime.files, entry.path, entry.size)
    except OSError as error:
        raise StorageError(f"cannot read {entry.path}: {error}") from error
    return StoreFile(entry, reader)


async def _archive(hosted: HostedRegion, replaced: tuple[StoreFileEntry, ...]) -> None:
    """Own files go to the archive; a parent's are its cleaner's, for a sister may need them."""
    services = hosted.services
    own = region_directory(hosted.info) + "/"
    for entry in replaced:
        services.io.handoff.drop(entry.path)
        if not entry.path.startswith(own):
            continue
        try:
            await services.runtime.files.rename(entry.path, archive_path(entry.path))
        except OSError as error:
            # It is in no manifest any more: the janitor finds it.
            log.warning("could not archive %s: %s", entry.path, error)
