"""Opening a region: whose it is, its files, its recovered edits, and the commit that makes it ours.

Source: HRegion.java (initialize, replayRecoveredEditsIfAny), AssignRegionHandler.java.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Final

from ..errors import FencedError, RegionOwnedElsewhereError, StaleMasterError, StorageError
from ..model import RegionInfo, TableDescriptor
from ..storage.manifest import MANIFESTS, NONCES, Manifest, region_directory
from ..storage.wal import read_log
from .hosted_region import HostedRegion
from .log_writer import LogWriter
from .messages import OpenRequest
from .nonce_files import open_nonces
from .region_services import RegionServices
from .store_io import (
    RECOVERED_EDITS,
    load_manifest,
    put_manifest,
    read_file,
    recovered_sequence_id,
)

log = logging.getLogger(__name__)

_ATTEMPTS: Final = 5


async def open_region(
    services: RegionServices, log: LogWriter, request: OpenRequest
) -> HostedRegion:
    """The region with everything it has, owned by this server, ready to ``serve``.

    ``log`` is where its edits go from now on. Its replayed edits are in its memory and still
    in recovered edits, until the first flush.

    Raises RegionOwnedElsewhereError, StaleMasterError, CorruptionError, StorageError.
    """
    try:
        for _ in range(_ATTEMPTS):
            hosted = await _try_open(services, log, request)
            if hosted is not None:
                return hosted
    except OSError as error:
        raise StorageError(f"cannot open {request.info}: {error}") from error
    raise StorageError(f"cannot open {request.info}: its manifest keeps changing")


async def _try_open(
    services: RegionServices, log: LogWriter, request: OpenRequest
) -> HostedRegion | None:
    """None if somebody else put the next manifest: look again whose the region is."""
    manifest = fitted(await _present(services, request), request.table)
    readers = await services.io.open_readers(manifest.files, request.handed)
    tables = await open_nonces(services.runtime.files, manifest.nonce_files)
    hosted = HostedRegion(services, log, request.info, request.table, manifest, readers, tables)
    await _replay(services, hosted)
    wanted = hosted.region.next_manifest(
        owner=services.server,
        master_epoch=request.master_epoch,
        open_sequence_id=hosted.region.next_sequence_id(),
        max_sequence_id=hosted.region.last_sequence_id,
    )
    # A server that comes to a thousand regions would sync two thousand times in a row.
    if not await put_manifest(services.runtime.files, wanted, together=True):
        return None
    hosted.region.manifest = wanted
    await _tidy(services, request)
    return hosted


async def _tidy(services: RegionServices, request: OpenRequest) -> None:
    """Removes what a writer that died, or lost the region, left half made.

    The region is this server's now, and nothing of it is being written here yet.
    """
    base = region_directory(request.info)
    families = [family.name.decode("ascii") for family in request.table.families]
    removed = 0
    for name in (*families, MANIFESTS, NONCES, RECOVERED_EDITS):
        removed += await services.runtime.files.remove_unfinished(f"{base}/{name}")
    if removed:
        log.info("removed %d files of %s that were never finished", removed, request.info)


async def _present(services: RegionServices, request: OpenRequest) -> Manifest:
    """The manifest to go on from. Raises as ``open_region`` does."""
    info = request.info
    manifest = await load_manifest(services.runtime.files, info)
    if manifest is None:
        manifest = Manifest(version=0, region=info)
    if manifest.owner not in ("", services.server, request.recovered_from):
        raise RegionOwnedElsewhereError(info.encoded_name, manifest.owner)
    if manifest.master_epoch > request.master_epoch:
        raise StaleMasterError(
            f"a master of epoch {manifest.master_epoch} ordered {info} after "
            f"the one of {request.master_epoch}"
        )
    return manifest


def fitted(manifest: Manifest, table: TableDescriptor) -> Manifest:
    """The manifest as the schema wants it: nothing is left of a family that the table does
    not have (any more), and of one that is new there cannot be anything from before."""
    flushed = {
        family.name: manifest.flushed.get(family.name, manifest.max_sequence_id)
        for family in table.families
    }
    files = tuple(entry for entry in manifest.files if entry.family in flushed)
    return replace(manifest, flushed=flushed, files=files)


async def _replay(services: RegionServices, hosted: HostedRegion) -> None:
    """Takes in the edits that recovery split from the logs of earlier owners.

    Files stay until a manifest says that their edits are in store files, also those that
    have nothing new: it may be this very open that does not get through.
    """
    runtime = services.runtime
    directory = f"{region_directory(hosted.info)}/{RECOVERED_EDITS}"
    names = await runtime.files.list(directory)
    flushed = min(hosted.manifest.flushed.values(), default=0)
    slice_s = services.config.region_server.slice_s
    began_s = runtime.clock.monotonic_s()
    for name in names:
        if recovered_sequence_id(name) <= flushed:
            continue
        path = f"{directory}/{name}"
        data = await read_file(runtime.files, path)
        for record in read_log(path, data, complete=True):
            hosted.region.replay(record)
            if runtime.clock.monotonic_s() - began_s >= slice_s:
                await asyncio.sleep(0)
                began_s = runtime.clock.monotonic_s()
    hosted.recovered_files = tuple(f"{directory}/{name}" for name in names)
    hosted.recovered_sequence_id = hosted.region.last_sequence_id


async def release(services: RegionServices, info: RegionInfo, master_epoch: int) -> None:
    """Gives up a region that an open took but never served: nothing of it is in this log.

    Raises StaleMasterError, StorageError.
    """
    files = services.runtime.files
    try:
        manifest = await load_manifest(files, info)
        if manifest is None or manifest.owner != services.server:
            return
        if manifest.master_epoch > master_epoch:
            raise StaleMasterError(f"a master of epoch {manifest.master_epoch} has ordered {info}")
        if not await put_manifest(files, manifest.next(owner="", master_epoch=master_epoch)):
            raise FencedError(f"region {info} was taken from {services.server}")
    except OSError as error:
        raise StorageError(f"cannot give {info} up: {error}") from error
