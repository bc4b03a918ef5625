"""Moving a region's files to the archive, and telling whether anybody refers to them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from ..errors import CorruptionError
from ..model import RegionInfo
from ..runtime import FileSystem
from ..storage.manifest import region_directory
from .store_io import archive_path, load_manifest

log = logging.getLogger(__name__)

RECOVERED_EDITS: Final = "recovered.edits"
NOT_STORES: Final = ("manifest", RECOVERED_EDITS)
"""What a region's directory has beside the directories of its families."""


async def archive_region(files: FileSystem, region: RegionInfo) -> None:
    """Moves the region's store files to the archive and removes its directory. Idempotent.

    Requires: nobody serves the region, and none will.
    """
    await archive_directory(files, region_directory(region))


async def archive_directory(files: FileSystem, directory: str) -> None:
    """As ``archive_region``, for a region known by its directory."""
    for family in await files.list(directory):
        if family in NOT_STORES:
            continue
        for name in await files.list(f"{directory}/{family}"):
            await archive_file(files, f"{directory}/{family}/{name}")
    await files.remove(directory)


async def archive_file(files: FileSystem, path: str) -> None:
    """Moves one file; no error if it has been moved already."""
    try:
        await files.rename(path, archive_path(path))
    except FileNotFoundError:
        return


async def may_be_referred_to(
    files: FileSystem, parent: RegionInfo, others: Iterable[RegionInfo]
) -> bool:
    """Whether one of ``others`` refers to a file of ``parent``, or cannot be asked: an error
    is no answer, and least of all a no."""
    try:
        return await referring_region(files, parent, others) is not None
    except (CorruptionError, OSError) as error:
        log.warning("%s stays: who refers to it is not known: %s", parent, error)
        return True


async def referring_region(
    files: FileSystem, parent: RegionInfo, others: Iterable[RegionInfo]
) -> RegionInfo | None:
    """One of ``others`` whose manifest names a file of ``parent``; None if none does.

    Raises CorruptionError, OSError, and FileNotFoundError for a region without a manifest:
    not knowing means that somebody may.
    """
    prefix = region_directory(parent) + "/"
    for other in others:
        manifest = await load_manifest(files, other)
        if manifest is None:
            raise FileNotFoundError(f"no manifest of region {other}")
        if any(entry.path.startswith(prefix) for entry in manifest.files):
            return other
    return None
