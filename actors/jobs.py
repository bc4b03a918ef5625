"""Work done in tasks, off the servers: ``job(files, objects, *arguments)``.

A job may run twice, a first run even after a second has ended: each leaves what any number of
runs would have left.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from ..errors import ObjectLostError
from ..runtime import FileSystem, Objects
from ..storage.block_cache import BlockCache
from ..storage.compaction import CompactionOptions, compact
from ..storage.hfile import HFileReader
from ..storage.manifest import StoreFileEntry, directory_of
from ..storage.store_file import StoreFile, entry_of
from ..storage.wal import read_regions, split_log
from .daughters import write_daughters
from .log_writer import OLD_WALS, wal_directory
from .messages import HandedFile, SplitRequest, SplitResult, SplitWalResult
from .store_io import RECOVERED_EDITS, load_manifest_in, read_file, read_store_file

_CACHE_BYTES: Final = 16 * 1024 * 1024
"""A merge goes through each block once."""


@dataclass(frozen=True, slots=True)
class CompactionWork:
    """What a compaction needs besides files and objects; ``path`` is the file to write."""

    inputs: tuple[StoreFileEntry, ...]
    options: CompactionOptions
    handed: tuple[HandedFile, ...]
    path: str


async def compact_job(
    files: FileSystem, objects: Objects, work: CompactionWork
) -> StoreFileEntry | None:
    """Merges the inputs into the file at ``work.path``; None, and no file, if nothing is left.

    Every run writes the same bytes. Raises CorruptionError, OSError.
    """
    references = {one.path: one.reference for one in work.handed}
    sizes = {entry.path: entry.size for entry in work.inputs}
    images = await asyncio.gather(
        *(_image(files, objects, path, references.get(path)) for path in sizes)
    )
    readers = {
        path: HFileReader.from_image(path, image) for path, image in zip(sizes, images, strict=True)
    }
    inputs = [StoreFile(entry, readers[entry.path]) for entry in work.inputs]
    image = compact(inputs, work.options, BlockCache(_CACHE_BYTES))
    if not image.stats.entries:
        return None
    await files.write(work.path, [image.data])
    return entry_of(work.options.family.name, work.path, image.stats)


async def _image(files: FileSystem, objects: Objects, path: str, reference: Any) -> memoryview:
    """The whole file, from the object store if it has it."""
    if reference is not None:
        try:
            return memoryview(await objects.get(reference)).cast("B")
        except ObjectLostError:
            return memoryview(await read_store_file(files, path))
    return memoryview(await read_store_file(files, path))


async def split_wal_job(
    files: FileSystem, objects: Objects, server: str, name: str
) -> SplitWalResult:
    """Writes what the log file ``name`` of a fenced server holds into recovered edits.

    Edits are kept unless the region's manifest says that they are in files, or there is no
    such region any more; whose log they came from does not matter, for a region's manifest
    may still name as its next owner the very server whose log this is.

    Raises CorruptionError, FileNotFoundError, OSError; the file is to be left then.
    """
    path = f"{wal_directory(server)}/{name}"
    try:
        data = await read_file(files, path)
    except FileNotFoundError:
        # The server archived it before it died, or an earlier recovery did.
        data = await read_file(files, f"{OLD_WALS}/{server}/{name}")
    regions = read_regions(path, data)
    flushed: dict[str, int] = {}
    for region, table in regions.items():
        manifest = await load_manifest_in(files, directory_of(table, region))
        if manifest is not None:
            flushed[region] = min(manifest.flushed.values(), default=0)
    edits: dict[str, int] = {}
    for recovered in split_log(path, data, flushed):
        directory = directory_of(regions[recovered.region], recovered.region)
        target = f"{directory}/{RECOVERED_EDITS}/{recovered.max_sequence_id:019d}-{server}-{name}"
        await files.put_if_absent(target, recovered.data)
        edits[recovered.region] = recovered.records
    return SplitWalResult(path, edits)


async def write_daughters_job(
    files: FileSystem, objects: Objects, request: SplitRequest
) -> SplitResult:
    """``daughters.write_daughters``, for a parent that no server holds."""
    parent = await write_daughters(files, request)
    return SplitResult(request.parent.encoded_name, parent.max_sequence_id)
