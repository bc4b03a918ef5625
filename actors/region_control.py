"""What a region server does when the master, or another server, orders it.

One order about a region at a time (orders.py); every method may be called again. Source:
AssignRegionHandler.java, UnassignRegionHandler.java.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from ..errors import InvalidRequestError, NotServingRegionError, RegionSplitError
from ..model import META_ENCODED_NAME
from ..storage.manifest import Manifest
from . import region_closer
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
    RegionState,
    SplitRequest,
    SplitResult,
)
from .region_map import RegionMap
from .region_mover import adopt, hand_over, prepare
from .region_opener import open_region, release
from .region_services import RegionServices
from .region_splitter import Daughter, split_off
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
        self._forget_split(encoded)
        hosted = self._regions.online.get(encoded)
        if hosted is None:
            daughter = self._daughter(request)
            hosted = await self._opened(request) if daughter is None else daughter.hosted
            self._serve(hosted)
            if daughter is not None:
                self._settle(daughter, daughter.redirect())
        hosted.check_serving()
        as_asked = hosted.table == request.table
        return OpenResult(encoded, self._services.server, hosted.open_sequence_id, as_asked)

    async def _opened(self, request: OpenRequest) -> HostedRegion:
        encoded = request.info.encoded_name
        self._regions.begin_opening(request.info)
        try:
            log = await self._logs.of_region(encoded)
            async with self._turn(encoded, self._openers):
                return await open_region(self._services, log, request)
        except BaseException:
            self._regions.opening_failed(encoded)
            raise

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
        self._forget_split(encoded)
        if encoded in self._regions.daughters:
            self._let_go(encoded)
        hosted = self._regions.online.get(encoded)
        if hosted is None:
            info = self._regions.unserved.get(encoded)
            if info is not None:
                await release(self._services, info, request.master_epoch)
                del self._regions.unserved[encoded]
            return CloseResult(encoded, False, moved_to=self._regions.moved_to(encoded))
        async with self._turn(encoded, self._closers):
            sequence_id = await region_closer.close(hosted, request.master_epoch)
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
        if hosted is not None and hosted.is_serving:
            parent = await self._split(hosted, request)
        else:
            parent = await write_daughters(self._services.runtime.files, request)
        handed = self._services.io.handoff.of(entry.path for entry in parent.files)
        return SplitResult(encoded, parent.max_sequence_id, handed)

    async def _split(self, parent: HostedRegion, request: SplitRequest) -> Manifest:
        try:
            opened = await split_off(parent, request)
        except BaseException:
            if not parent.is_serving:
                self._leave(parent)
            raise
        for daughter in opened:
            self._regions.daughters[daughter.hosted.encoded] = daughter
        if not opened:
            self._leave(parent)
        return parent.manifest

    def _daughter(self, request: OpenRequest) -> Daughter | None:
        """The region, if it was split off here and to serve it is all that is asked."""
        daughter = self._regions.daughters.get(request.info.encoded_name)
        if daughter is None:
            return None
        if daughter.is_what_is_asked(request):
            return self._regions.daughters.pop(daughter.hosted.encoded)
        self._let_go(daughter.hosted.encoded)
        return None

    def _settle(self, daughter: Daughter, gone: RegionSplitError | None = None) -> None:
        """The daughter is served, or not awaited any more: nor is its parent."""
        daughter.hosted.abandon()
        if gone is not None:
            self._regions.remember_split(daughter.parent.encoded, gone)
        if self._regions.online.get(daughter.parent.encoded) is daughter.parent:
            self._leave(daughter.parent, gone)

    def _forget_split(self, encoded: str) -> None:
        """The region that was split is to be opened or closed: the split was undone."""
        for name, daughter in list(self._regions.daughters.items()):
            if daughter.parent.encoded == encoded:
                del self._regions.daughters[name]
                self._settle(daughter)

    def expire_splits(self) -> None:
        """Lets go what waits for a master that does not speak."""
        now_s = self._services.runtime.clock.monotonic_s()
        for name, daughter in list(self._regions.daughters.items()):
            if daughter.expires_s <= now_s:
                self._let_go(name)

    def _let_go(self, encoded: str) -> None:
        """A daughter is not served by what was opened for it, and its manifest names us."""
        daughter = self._regions.daughters.pop(encoded)
        self._regions.unserved[encoded] = daughter.hosted.info
        self._settle(daughter)

    def _leave(self, parent: HostedRegion, gone: RegionSplitError | None = None) -> None:
        """The split region is served by nobody any more: who waits shall look elsewhere."""
        parent.end(RegionState.ABSENT, gone)
        self.forget(parent)

    def _serve(self, hosted: HostedRegion) -> None:
        hosted.serve()
        self._regions.add(hosted)
        self._on_online(hosted)

    def forget(self, hosted: HostedRegion, *, moved_to: str = "", sequence_id: int = 0) -> None:
        """It is served here no more; clients are sent to ``moved_to``, if that is known."""
        self._regions.remove(hosted, moved_to, sequence_id)
        self._on_offline(hosted)
