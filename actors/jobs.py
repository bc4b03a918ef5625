"""Recovery done in tasks, off the servers: ``job(files, objects, *arguments)``.

A job may run twice, a first run even after a second has ended: each leaves what any number of
runs would have left.
"""

from __future__ import annotations

from ..runtime import FileSystem, Objects
from ..storage.manifest import directory_of
from ..storage.wal import LogIndex
from .daughters import write_daughters
from .log_writer import OLD_WALS, wal_directory
from .messages import SplitRequest, SplitResult, SplitWalResult
from .store_io import RECOVERED_EDITS, load_manifest_in, read_file


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
    index = LogIndex(path, data)
    flushed: dict[str, int] = {}
    for region, table in index.regions.items():
        manifest = await load_manifest_in(files, directory_of(table, region))
        if manifest is not None:
            flushed[region] = min(manifest.flushed.values(), default=0)
    edits: dict[str, int] = {}
    for recovered in index.split(flushed):
        directory = directory_of(index.regions[recovered.region], recovered.region)
        target = f"{directory}/{RECOVERED_EDITS}/{recovered.max_sequence_id:019d}-{server}-{name}"
        await files.put_if_absent(target, recovered.data)
        if await load_manifest_in(files, directory) is None:
            # The table was deleted meanwhile, and the file made its directories again.
            await files.remove(directory)
            continue
        edits[recovered.region] = recovered.records
    return SplitWalResult(path, edits)


async def write_daughters_job(
    files: FileSystem, objects: Objects, request: SplitRequest
) -> SplitResult:
    """``daughters.write_daughters``, for a parent that no server holds."""
    parent = await write_daughters(files, request)
    return SplitResult(request.parent.encoded_name, parent.max_sequence_id)
