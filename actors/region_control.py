"""What a region server does when the master, or another server, orders it.

One order about a region at a time (orders.py); every method may be called again. Source:
AssignRegionHandler.java, UnassignRegionHandler.java.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from ..errors import InvalidRequestError, NotServingRegionError
from ..model import META_ENCODED_NAME
from .daughters import write_daughters
from .hosted_region import HostedRegion
from .messages import (
    AdoptRequest,
    CloseRequest,
    CloseResult,
    MoveRequest,
    MoveResult,
    OpenRequest,
    OpenResult,
    PrepareRequest,
    SplitRequest,
    SplitResult,
)
from .region_map import RegionMap
from .region_mover import adopt, hand_over, prepare
from .region_opener import open_region, release
from .region_services import RegionServices
from .server_logs import ServerLogs


class RegionControl:
    """Opens, closes, moves and splits the regions in ``regions``.

    ``on_online`` is called when a region has begun to be served, ``on_offline`` when it has
    left; nothing waits between the change and the call.
    """

    def __init__(
        self,
        services: RegionServices,
        logs: ServerLogs,
        regions: RegionMap,
        on_online: Callable[[HostedRegion], None],
        on_offline: Callable[[HostedRegion], None],
    ) -> None:
        self._services = services
        self._logs = logs
        self._regions = regions
        self._on_online = on_online
        self._on_offline = on_offline
        limits = services.config.region_server
        self._openers = asyncio.Semaphore(limits.open_threads)
        self._closers = asyncio.Semaphore(limits.close_threads)

    def hosted(self, encoded: str) -> HostedRegion:
        """The region if it is here. Raises NotServingRegionError."""
        hosted = self._regions.online.get(encoded)
        if hosted is None:
            raise NotServingRegionError(f"region {encoded} is not at {self._services.server}")
        return hosted

    async def unneeded_files(self, encoded: str, paths: Sequence[str]) -> list[str]:
        """Those that neither the region's manifest names nor any that this server may commit."""
        hosted = self.hosted(encoded)
        hosted.check_serving()
        return hosted.files_in_work.unneeded(hosted.manifest, paths)

    async def open(self, request: OpenRequest) -> OpenResult:
        encoded = request.info.encoded_name
        hosted = self._regions.online.get(encoded)
        if hosted is None:
            self._regions.begin_opening(request.info)
            try:
                hosted = await self._opened(request)
            except BaseException:
                self._regions.opening_failed(encoded)
                raise
            self._serve(hosted)
        as_asked = hosted.table == request.table
        return OpenResult(encoded, self._services.server, hosted.open_sequence_id, as_asked)

    async def _opened(self, request: OpenRequest) -> HostedRegion:
        encoded = request.info.encoded_name
        log = await self._logs.of_region(encoded)
        async with self._turn(encoded, self._openers):
            return await open_region(self._services, log, request)

    @asynccontextmanager
    async def _turn(self, encoded: str, turns: asyncio.Semaphore) -> AsyncIterator[None]:
        """A few at a time, so that no turn of the loop has the syncs of very many; hbase:meta,
        which the others need, at once."""
        if encoded == META_ENCODED_NAME:
            yield
            return
        async with turns:
            # What follows may not wait even once: without this all would have their turns in
            # the same one of the loop.
            await asyncio.sleep(0)
            yield

    async def close(self, request: CloseRequest) -> CloseResult:
        encoded = request.encoded
        self._regions.prepared.pop(encoded, None)
        hosted = self._regions.online.get(encoded)
        if hosted is None:
            info = self._regions.unserved.get(encoded)
            if info is not None:
                await release(self._services, info, request.master_epoch)
                del self._regions.unserved[encoded]
            return CloseResult(encoded, False, moved_to=self._regions.moved_to(encoded))
        async with self._turn(encoded, self._closers):
            sequence_id = await hosted.close(request.master_epoch)
        self.forget(hosted, moved_to=request.destination)
        return CloseResult(encoded, True, sequence_id)

    async def hand_over(self, request: MoveRequest) -> MoveResult:
        hosted = self.hosted(request.encoded)
        if request.target == self._services.server:
            raise InvalidRequestError(f"{hosted.info} is at {request.target} already")
        result = await hand_over(hosted, request)
        if result.moved:
            self.forget(hosted, moved_to=result.server, sequence_id=result.open_sequence_id)
        return result

    async def prepare(self, request: PrepareRequest) -> None:
        encoded = request.info.encoded_name
        if encoded in self._regions.online:
            raise InvalidRequestError(f"{request.info} is open at {self._services.server} already")
        # The log of a region that comes is made before its source stops serving.
        await self._logs.of_region(encoded)
        self._regions.prepared[encoded] = await prepare(self._services, request)

    async def adopt(self, request: AdoptRequest) -> OpenResult:
        encoded = request.encoded
        prepared = self._regions.prepared.pop(encoded, None)
        if prepared is None:
            raise NotServingRegionError(f"{encoded} was not prepared, or too long ago")
        self._regions.begin_opening(prepared.info)
        try:
            log = await self._logs.of_region(encoded)
            hosted = await adopt(self._services, log, prepared, request)
        except BaseException:
            self._regions.opening_failed(encoded)
            raise
        self._serve(hosted)
        return OpenResult(encoded, self._services.server, hosted.open_sequence_id)

    def abandon(self, encoded: str) -> None:
        """The source of a move keeps the region after all."""
        self._regions.prepared.pop(encoded, None)

    async def split(self, request: SplitRequest) -> SplitResult:
        encoded = request.parent.encoded_name
        hosted = self._regions.online.get(encoded)
        if hosted is not None:
            # What is flushed while it serves need not be while nobody does.
            await hosted.flush()
            await hosted.close(request.master_epoch)
            self.forget(hosted)
        parent = await write_daughters(self._services.runtime.files, request)
        handed = self._services.io.handoff.of(entry.path for entry in parent.files)
        return SplitResult(encoded, parent.max_sequence_id, handed)

    def _serve(self, hosted: HostedRegion) -> None:
        hosted.serve()
        self._regions.add(hosted)
        self._on_online(hosted)

    def forget(self, hosted: HostedRegion, *, moved_to: str = "", sequence_id: int = 0) -> None:
        """It is served here no more; clients are sent to ``moved_to``, if that is known."""
        self._regions.remove(hosted, moved_to, sequence_id)
        self._on_offline(hosted)
