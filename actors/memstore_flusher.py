"""Which region of a server is flushed when, and what a flush waits for.

A region is flushed when its memory outgrows its limit, when all memstores together do, when
its edits keep a log's files from going, when they are old or very many, before it leaves, and
by hand. But not while one of its stores has too many files: then a compaction or a split comes
first, for a while. Source: MemStoreFlusher.java, HRegionServer.PeriodicMemStoreFlusher.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..config import StoreConfig
from ..errors import NotServingRegionError, RetryableError
from ..model import META_TABLE
from ..runtime import Runtime
from ..storage.settings import is_enabled
from .hosted_region import HostedRegion
from .region_services import MemstoreGauge

log = logging.getLogger(__name__)

PAUSE_S: Final = 1.0
"""Before something that failed is tried again."""
_LOOKS: Final = 100
"""So many times a flush that waits looks whether it has to."""


@dataclass(slots=True)
class _Request:
    """A flush of a region to come."""

    hosted: HostedRegion
    families: tuple[bytes, ...] | None
    """None: what the table's policy takes then."""
    delay_s: float = 0.0
    task: asyncio.Task[None] | None = None
    begun: bool = False
    """It waits for nothing any more."""

    def gives_way_to(self, delay_s: float) -> bool:
        """Whether a new request with such a delay is the more urgent one."""
        return self.delay_s > 0 and not delay_s and not self.begun


class MemstoreFlusher:
    """Flushes of the regions in ``regions``, which others fill and empty.

    Args:
        runtime: clock and entropy.
        config: limits, periods, and how many regions are flushed at a time.
        regions: by encoded name, those that are online.
        memstores: all of their memory.
        background: runs a task beside everything else.
        make_room: called for a region whose flush waits until it has fewer files.

    """

    def __init__(
        self,
        runtime: Runtime,
        config: StoreConfig,
        regions: Mapping[str, HostedRegion],
        memstores: MemstoreGauge,
        background: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        make_room: Callable[[HostedRegion], None],
    ) -> None:
        self._runtime = runtime
        self._config = config
        self._regions = regions
        self._memstores = memstores
        self._background = background
        self._make_room = make_room
        self._requests: dict[str, _Request] = {}
        self._slots = asyncio.Semaphore(config.flush_threads)
        self._relief: asyncio.Task[None] | None = None
        self.flushes = 0

    def request(
        self, encoded: str, families: Sequence[bytes] | None = None, *, delay_s: float = 0.0
    ) -> None:
        """Flushes these families, or what the table's policy takes, soon.

        Nothing happens if a flush of the region is to come already, unless that one is
        delayed: a request without a delay goes before it.
        """
        hosted = self._regions.get(encoded)
        if hosted is None:
            return
        earlier = self._requests.get(encoded)
        if earlier is not None and earlier.hosted is hosted and not earlier.gives_way_to(delay_s):
            return
        self._withdraw(encoded)
        request = _Request(hosted, None if families is None else tuple(families), delay_s)
        self._requests[encoded] = request
        request.task = self._background(self._carry_out(request))

    def relieve(self) -> None:
        """All memstores are above the lower mark: flushes until they are not."""
        if self._relief is None:
            self._relief = self._background(self._relieve())

    def check(self) -> None:
        """Asks for a flush of regions with old edits or very many, at some time in the next
        minutes, so that regions written alike are not all flushed together."""
        for encoded, hosted in list(self._regions.items()):
            old = self._old_families(hosted)
            if hosted.is_serving and (old or hosted.region.files.overdue):
                delay_s = self._runtime.entropy.uniform(0.0, self._config.flush_delay_s)
                self.request(encoded, delay_s=delay_s)

    def _old_families(self, hosted: HostedRegion) -> tuple[bytes, ...]:
        return hosted.ages.look(hosted.region.stores, self._runtime.clock.monotonic_s())

    # A flush

    async def _carry_out(self, request: _Request) -> None:
        hosted = request.hosted
        try:
            if not request.begun:
                await self._runtime.clock.sleep(request.delay_s)
                await self._wait_for_room(hosted)
                request.begun = True
            async with self._slots:
                await self._flush(hosted, request.families)
        finally:
            if self._requests.get(hosted.encoded) is request:
                del self._requests[hosted.encoded]

    async def _wait_for_room(self, hosted: HostedRegion) -> None:
        if hosted.info.table == META_TABLE or not is_enabled(hosted.table, "COMPACTION_ENABLED"):
            return
        for look in range(_LOOKS):
            if hosted.region.files.room() >= 0 or not hosted.is_serving:
                return
            if not look:
                log.warning("flush of %s waits: a store has too many files", hosted.info)
                self._make_room(hosted)
            await self._runtime.clock.sleep(self._config.blocking_wait_s / _LOOKS)

    async def _flush(self, hosted: HostedRegion, families: Sequence[bytes] | None) -> None:
        while True:
            try:
                if families is None:
                    await hosted.flush_by_policy(self._old_families(hosted))
                else:
                    await hosted.flush(families)
            except NotServingRegionError:
                return  # It is leaving, and is flushed on its way.
            except RetryableError as error:
                log.warning("flush of %s failed, trying again: %s", hosted.info, error)
                await self._runtime.clock.sleep(PAUSE_S)
                continue
            self.flushes += 1
            return

    def _withdraw(self, encoded: str) -> None:
        """Takes back a flush that has not begun; one that has goes on by itself."""
        request = self._requests.pop(encoded, None)
        if request is not None and request.task is not None and not request.begun:
            request.task.cancel()

    # Room for all

    async def _relieve(self) -> None:
        try:
            while self._memstores.is_high:
                hosted = self._choose()
                if hosted is None:
                    # All that have something are being flushed already.
                    await self._runtime.clock.sleep(PAUSE_S / 10)
                    continue
                self._withdraw(hosted.encoded)
                request = _Request(hosted, None, begun=True)
                self._requests[hosted.encoded] = request
                await self._carry_out(request)
        finally:
            self._relief = None

    def _choose(self) -> HostedRegion | None:
        """The region with most in memory, of those that have not too many files; one that has
        if it holds more than twice as much."""
        held = [
            (hosted.region.memstore_bytes, encoded, hosted)
            for encoded, hosted in self._regions.items()
            if hosted.is_serving and hosted.region.memstore_bytes and not self._is_busy(encoded)
        ]
        held.sort(key=lambda one: one[:2], reverse=True)
        flushable = [one for one in held if one[2].region.files.room() >= 0]
        if flushable and held[0][0] <= 2 * flushable[0][0]:
            return flushable[0][2]
        return held[0][2] if held else None

    def _is_busy(self, encoded: str) -> bool:
        request = self._requests.get(encoded)
        return request is not None and request.begun
