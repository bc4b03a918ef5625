"""hbase:meta at its server: the master's reads and writes, by epoch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ..errors import NotServingRegionError
from ..model import META_ENCODED_NAME
from ..operations import ALL_VERSIONS, Mutation, Scan
from ..storage.cells import CellBatch
from .hosted_region import HostedRegion
from .orders import Orders
from .region_map import RegionMap


class MetaRegion:
    """Only the master writes hbase:meta, and of several masters the one of highest epoch."""

    def __init__(self, regions: RegionMap, orders: Orders) -> None:
        self._regions = regions
        self._orders = orders

    async def mutate(self, master_epoch: int, mutations: Sequence[Mutation]) -> int:
        """Applies puts and deletes, all or none; durable when it returns.

        Raises StaleMasterError, NotServingRegionError, and what ``HostedRegion.write`` raises.
        """
        hosted = await self._hosted()
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def write() -> None:
            # In the breath of the write: a later master may speak while a block is fetched.
            self._check_epoch(hosted, master_epoch)
            hosted.write(mutations, lambda: acknowledged.set_result(None))

        await hosted.resume(write)
        await acknowledged
        return hosted.region.read_point

    async def read(self, start_row: bytes, stop_row: bytes) -> CellBatch:
        """The newest cells of the rows between the two; empty bounds are open."""
        return await self._scan(Scan(start_row, stop_row))

    async def newest_ms(self) -> int:
        """The highest timestamp of any cell, deletes and what they hide among them."""
        cells = await self._scan(Scan(raw=True, max_versions=ALL_VERSIONS))
        return max(cells.timestamps, default=0)

    async def _scan(self, scan: Scan) -> CellBatch:
        hosted = await self._hosted()
        scanner = await hosted.resume(lambda: hosted.scanner(scan))
        try:
            return await hosted.resume(scanner.next)
        finally:
            scanner.close()

    async def fence(self, master_epoch: int) -> None:
        """Lower epochs are refused from now on, here and wherever hbase:meta goes; what they
        wrote before can be read. Raises StorageError while that cannot be made durable."""
        hosted = await self._hosted()
        async with hosted.files_turn:
            hosted.check_serving()
            self._check_epoch(hosted, master_epoch)
            if hosted.manifest.master_epoch < master_epoch:
                manifest = hosted.region.next_manifest(master_epoch=master_epoch)
                await hosted.commit(manifest)
                hosted.region.manifest = manifest
            await hosted.log.barrier()

    def _check_epoch(self, hosted: HostedRegion, master_epoch: int) -> None:
        self._orders.check_epoch(master_epoch)
        hosted.check_epoch(master_epoch)

    async def _hosted(self) -> HostedRegion:
        hosted = self._regions.online.get(META_ENCODED_NAME)
        if hosted is None:
            raise NotServingRegionError("hbase:meta is not online here")
        await hosted.decided()
        return hosted
