"""Splits: what the server of a region does before the master publishes its daughters.

1. The region is flushed while it serves, until little is left in memory, and its daughters get
   manifests that say nothing yet: making their directories takes longer than the rest.
2. It stops serving, and calls about it wait. Its last manifest has what was left, and no owner.
3. The daughters get manifests that name this server: they are open, over the readers of the
   region's own files, and only wait to be told that hbase:meta has them.

Whatever fails before the manifest of 2 is committed leaves a region that serves; after it, a
closed one that the master has opened again. Source: SplitTableRegionProcedure.java, of which
steps 2 and 3 are done in one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..errors import RegionSplitError
from ..storage.manifest import Manifest
from .daughters import daughter_manifests, ensure_manifest
from .hosted_region import HostedRegion
from .messages import OpenRequest, RegionState, SplitRequest
from .nonce_files import tables_of
from .region_closer import give_up
from .region_opener import fitted

LEFT_BYTES_MAX: Final = 256 * 1024
"""What may be left in memory for the flush that clients wait for."""
FLUSHES_MAX: Final = 3
UNDECIDED_S: Final = 2.0
"""Calls about a parent wait no longer than this for the master to publish the daughters."""


@dataclass(frozen=True, slots=True)
class Daughter:
    """A region that is open here and is in hbase:meta soon, or never."""

    hosted: HostedRegion
    parent: HostedRegion
    expires_s: float

    def redirect(self) -> RegionSplitError:
        """What callers of the parent are told once the daughter is served."""
        info = self.hosted.info
        is_lower = info.start_key == self.parent.info.start_key
        return RegionSplitError(info.end_key if is_lower else info.start_key, info.region_id)

    def is_what_is_asked(self, request: OpenRequest) -> bool:
        """Whether to serve it is all that the order takes."""
        hosted = self.hosted
        same_master = hosted.manifest.master_epoch == request.master_epoch
        return same_master and hosted.table == request.table


async def split_off(parent: HostedRegion, request: SplitRequest) -> list[Daughter]:
    """Closes a region that is served, and opens its daughters, as the module's text says.

    Those whose manifests were written by somebody else meanwhile are left out. If it raises
    and the parent does not serve any more, the parent is closed.

    Raises StaleMasterError, NotServingRegionError, StorageError, OSError, FatalError.
    """
    services = parent.services
    files = services.runtime.files
    parent.check_epoch(request.master_epoch)
    for _ in range(FLUSHES_MAX):
        await parent.flush()
        if parent.region.memstore_bytes <= LEFT_BYTES_MAX:
            break
    for daughter in request.daughters:
        await ensure_manifest(files, Manifest(0, daughter, master_epoch=request.master_epoch))
    async with parent.files_turn:
        parent.check_serving()
        await give_up(parent, RegionState.SPLITTING, request.master_epoch)
        opened = []
        for wanted in daughter_manifests(parent.manifest, request, services.server):
            present = await ensure_manifest(files, wanted)
            if present.owner == services.server:
                opened.append(_opened(parent, request, present))
    return opened


def _opened(parent: HostedRegion, request: SplitRequest, manifest: Manifest) -> Daughter:
    readers = {}
    for entry in manifest.files:
        file = parent.region.file(entry.path)
        assert file is not None, f"{parent.info} has no {entry.path}"
        readers[entry.path] = file.reader
    tables = tables_of(manifest.nonce_files, parent.region.nonce_tables)
    assert tables is not None, f"{parent.info} has not all nonces of {manifest.region}"
    hosted = HostedRegion(
        parent.services,
        parent.log,
        manifest.region,
        request.table,
        fitted(manifest, request.table),
        readers,
        tables,
    )
    expires_s = parent.services.runtime.clock.monotonic_s() + UNDECIDED_S
    return Daughter(hosted, parent, expires_s)
