"""Store files of a region: made from a flush or a compaction, durable, and handed on."""

from __future__ import annotations

import asyncio
from typing import Final

from ..errors import StorageError
from ..model import RegionInfo
from ..runtime import Entropy
from ..storage.flush import FlushPlan
from ..storage.hfile import HFileImage, HFileWriter
from ..storage.manifest import family_directory
from ..storage.region import Region
from ..storage.store_file import StoreFile, entry_of
from .region_services import RegionServices
from .store_io import open_reader

_FILE_ID_BITS: Final = 128


def new_path(info: RegionInfo, family: bytes, entropy: Entropy) -> str:
    """A path no file ever had."""
    return f"{family_directory(info, family)}/{entropy.integer(_FILE_ID_BITS):032x}"


async def write_plan(
    services: RegionServices, info: RegionInfo, region: Region, plan: FlushPlan
) -> dict[bytes, StoreFile]:
    """A durable file for every family of the plan that has cells worth keeping.

    Gives way to the loop after every slice. Raises StorageError.
    """
    clock = services.runtime.clock
    slice_s = services.config.region_server.slice_s
    files = {}
    for family in plan.families:
        writer = HFileWriter(region.stores[family].family, region.encoder)
        began_s = clock.monotonic_s()
        for keys, values in plan.slices(family):
            writer.append(keys, values)
            if clock.monotonic_s() - began_s >= slice_s:
                await asyncio.sleep(0)
                began_s = clock.monotonic_s()
        image = writer.finish(max_sequence_id=plan.sequence_id, created_ms=clock.now_ms())
        if image.stats.entries:
            files[family] = await add_file(services, info, family, image)
    return files


async def add_file(
    services: RegionServices, info: RegionInfo, family: bytes, image: HFileImage
) -> StoreFile:
    """Hands a file to the object store and writes it: durable, but in no manifest yet.

    Raises StorageError.
    """
    path = new_path(info, family, services.runtime.entropy)
    io = services.io
    await io.handoff.put(path, image.data)
    try:
        await io.write_file(path, [image.data])
    except OSError as error:
        io.handoff.drop(path)
        raise StorageError(f"cannot write {path}: {error}") from error
    data = memoryview(image.data)
    reader = await open_reader(services.runtime.files, path, len(data), data)
    reader.detach_image()
    return StoreFile(entry_of(family, path, image.stats), reader)
