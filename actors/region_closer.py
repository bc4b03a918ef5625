"""Closing a region: what it has in memory goes into files, and its manifest names no owner.

Source: HRegion.java (close), UnassignRegionHandler.java.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ..errors import FatalError
from ..storage.flush import FlushPlan
from .hosted_region import HostedRegion
from .messages import RegionState


async def close(hosted: HostedRegion, master_epoch: int) -> int:
    """Flushes and gives the region up; returns its last sequence id.

    Raises StaleMasterError and StorageError, after which it serves on.
    """
    hosted.check_epoch(master_epoch)
    if hosted.region.memstore_bytes > hosted.services.config.store.preclose_flush_bytes:
        await hosted.flush()
    async with hosted.files_turn:
        hosted.check_serving()
        plan = await give_up(hosted, RegionState.CLOSING, master_epoch)
        hosted.end(RegionState.ABSENT)
        await hosted.remove_recovered_edits()
        while plan is not None and plan.drop_some():
            await asyncio.sleep(0)
    return hosted.manifest.max_sequence_id


async def give_up(hosted: HostedRegion, state: RegionState, master_epoch: int) -> FlushPlan | None:
    """Stops serving and commits, once, what is left in memory and that nobody owns the region.

    For who has the turn and has checked that the region serves. Returns what was flushed.
    Raises StorageError, after which it serves on, and FatalError.
    """
    region = hosted.region
    hosted.stop_serving(state)
    with hosted.files_in_work.begun() as new_path:
        try:
            await hosted.log.barrier()
            plan = region.begin_flush(hosted.services.runtime.clock.now_ms())
            files = {} if plan is None else await hosted.write_files(plan, new_path, hand_on=False)
        except FatalError:
            raise
        except BaseException:
            hosted.serve()
            raise
        # From here on it may be anybody's: whatever happens, it is not served again.
        entries = [file.entry for file in files.values()]
        manifest = region.flush_manifest(plan, entries) if plan else region.next_manifest()
        manifest = replace(manifest, owner="", master_epoch=master_epoch)
        await hosted.commit(manifest)
    if plan is None:
        region.manifest = manifest
    else:
        region.commit_flush(plan, files, manifest)
    return plan
