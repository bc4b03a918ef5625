"""Compactions of a server's regions, and their wishes to be split.

Requests wait by urgency: stores just split off go first, then those with more files than
flushes wait for, what was asked for by hand, and the others, the fullest first. Large
compactions run apart, so that small ones do not wait for them; who has nothing large to do
takes a small one. Source: CompactSplit.java.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final

from ..config import ClusterConfig
from ..errors import (
    CorruptionError,
    NotServingRegionError,
    ProcessDiedError,
    RaybaseError,
    RetryableError,
)
from ..model import TableName
from ..runtime import Runtime
from ..storage.compaction import Compaction
from ..storage.settings import is_enabled
from ..storage.split_policy import RegionLoad
from .hosted_region import HostedRegion
from .region_compactor import compact_store
from .throughput import CompactionThroughput

log = logging.getLogger(__name__)

PAUSE_S: Final = 1.0
"""Before something that failed is tried again."""
_BY_USER: Final = 1
_AFTER_SPLIT: Final = -(2**31) + 1000
"""Priorities: the lower, the sooner. Others are the number of files a store may still get."""

_Key = tuple[str, bytes]
"""A store: encoded name of its region, family."""


@dataclass(order=True, slots=True)
class _Request:
    """A compaction of a store to come."""

    priority: int
    number: int
    hosted: HostedRegion = field(compare=False)
    family: bytes = field(compare=False)
    major: bool = field(compare=False, default=False)
    compaction: Compaction | None = field(compare=False, default=None)
    """Chosen already, and found to be large."""

    @property
    def key(self) -> _Key:
        return self.hosted.encoded, self.family


class CompactSplit:
    """Background work on the stores of the regions in ``regions``.

    Args:
        runtime: clock.
        config: limits.
        regions: by encoded name, those that are online.
        background: runs a task beside everything else.
        ask_split: tells the master that a region has outgrown its limit.
        count_of: how many of the regions are a table's.

    A failure is logged and tried again.

    """

    def __init__(
        self,
        runtime: Runtime,
        config: ClusterConfig,
        regions: Mapping[str, HostedRegion],
        background: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        ask_split: Callable[[HostedRegion], Coroutine[Any, Any, None]],
        count_of: Callable[[TableName], int],
    ) -> None:
        self._count_of = count_of
        self._runtime = runtime
        self._config = config
        self._regions = regions
        self._background = background
        self._ask_split = ask_split
        self._waiting: list[_Request] = []
        self._large: list[_Request] = []
        self._requested: dict[_Key, _Request] = {}
        """Those of ``_waiting``, by store."""
        self._number = 0
        self._free_small = config.store.compaction_threads_small
        self._free_large = config.store.compaction_threads_large
        self._off_peak_running = False
        self._splitting: dict[str, None] = {}
        self.throughput = CompactionThroughput(config.store)
        self.compactions = 0

    @property
    def waiting(self) -> int:
        """Number of stores whose compaction is to come."""
        return len(self._waiting) + len(self._large)

    # Requests

    def files_changed(self, encoded: str) -> None:
        """Asks for a split if the region is large, or else for compactions worth while."""
        hosted = self._regions.get(encoded)
        if hosted is None or not hosted.is_serving:
            return
        if not self.request_split(hosted):
            self._request_worth_while(hosted)

    def _request_worth_while(self, hosted: HostedRegion) -> None:
        now_ms = self._runtime.clock.now_ms()
        for family in hosted.region.stores:
            if hosted.region.files.wants_compaction(family, now_ms):
                self.request(hosted, family)

    def request_major(self, encoded: str) -> None:
        """Compacts all files of every store of the region."""
        hosted = self._regions.get(encoded)
        if hosted is not None:
            for family in hosted.region.stores:
                self.request(hosted, family, major=True)

    def request(self, hosted: HostedRegion, family: bytes, *, major: bool = False) -> None:
        """Compacts the store when its turn comes. A table may have switched that off."""
        if not is_enabled(hosted.table, "COMPACTION_ENABLED"):
            return
        key = hosted.encoded, family
        earlier = self._requested.get(key)
        if earlier is not None and earlier.hosted is hosted:
            earlier.major = earlier.major or major
            return
        self._number += 1
        request = _Request(_priority(hosted, family, major), self._number, hosted, family, major)
        self._requested[key] = request
        heappush(self._waiting, request)
        self._begin()

    def _begin(self) -> None:
        """Begins what can begin now."""
        postponed = []
        while True:
            while self._large and self._free_large:
                self._run(heappop(self._large), large=True)
            if not self._waiting or not (self._free_small or self._free_large):
                break
            request = heappop(self._waiting)
            if not self._plan(request):
                postponed.append(request)
            elif request.compaction is not None and request.compaction.is_large:
                heappush(self._large, request)
            elif request.compaction is not None:
                self._run(request, large=not self._free_small)
        for request in postponed:
            heappush(self._waiting, request)

    def _plan(self, request: _Request) -> bool:
        """Chooses files, if there are any to choose; False: the store's turn is later."""
        hosted, family = request.hosted, request.family
        if hosted.is_serving and request.major and hosted.region.files.is_compacting(family):
            return False
        if self._requested.get(request.key) is request:
            del self._requested[request.key]
        if hosted.is_serving:
            now_ms = self._runtime.clock.now_ms()
            off_peak = self._config.store.is_off_peak(now_ms) and not self._off_peak_running
            request.compaction = hosted.region.plan_compaction(
                family, now_ms, major=request.major, off_peak=off_peak
            )
        return True

    # Work

    def _run(self, request: _Request, *, large: bool) -> None:
        self._free_large -= large
        self._free_small -= not large
        self._background(self._compact(request, large))

    async def _compact(self, request: _Request, large: bool) -> None:
        hosted, compaction = request.hosted, request.compaction
        assert compaction is not None
        self._off_peak_running = self._off_peak_running or compaction.off_peak
        bytes_per_s = self.throughput.begin()
        try:
            await compact_store(hosted, compaction, bytes_per_s)
        except NotServingRegionError:
            return
        except CorruptionError as error:
            log.error("compaction of %s met damage: %s", hosted.info, error)
            return
        except (RetryableError, ProcessDiedError) as error:
            log.warning("compaction of %s failed: %s", hosted.info, error)
            self._background(self._again(request))
            return
        finally:
            self.throughput.end()
            self._off_peak_running = self._off_peak_running and not compaction.off_peak
            self._free_large += large
            self._free_small += not large
            self._begin()
        self.compactions += 1
        if compaction.is_expired and request.major:
            self.request(hosted, request.family, major=True)
        self.files_changed(hosted.encoded)

    async def _again(self, request: _Request) -> None:
        await self._runtime.clock.sleep(PAUSE_S)
        if request.hosted.is_serving:
            self.request(request.hosted, request.family, major=request.major)

    async def check(self) -> None:
        """Looks at all regions, and at how fast compactions have to be."""
        pressures = [
            files.policies[family].pressure([file.entry for file in store.files])
            for hosted in self._regions.values()
            for files in (hosted.region.files,)
            for family, store in hosted.region.stores.items()
        ]
        off_peak = self._config.store.is_off_peak(self._runtime.clock.now_ms())
        self.throughput.tune(max(pressures, default=0.0), off_peak=off_peak)
        for encoded in list(self._regions):
            self.files_changed(encoded)
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Nothing that waits is begun any more."""
        self._waiting.clear()
        self._large.clear()

    # Splits

    def make_room(self, hosted: HostedRegion) -> None:
        """A flush waits until the region has fewer files: a split or compactions, now."""
        if not self.request_split(hosted):
            for family in hosted.region.stores:
                self.request(hosted, family)

    def request_split(self, hosted: HostedRegion) -> bool:
        """Asks the master for a split if the region's policy wants it; whether it does.

        Regions with so many files that flushes wait are compacted first.
        """
        if hosted.encoded in self._splitting:
            return True
        if (
            not is_enabled(hosted.table, "SPLIT_ENABLED")
            or len(self._regions) >= self._config.region_server.regions_max
            or hosted.region.files.room() < 1
            or not hosted.region.wants_split(self._load(hosted))
        ):
            return False
        self._splitting[hosted.encoded] = None
        self._background(self._split(hosted))
        return True

    def _load(self, hosted: HostedRegion) -> RegionLoad:
        return RegionLoad(
            self._count_of(hosted.info.table),
            hosted.writes,
            hosted.writes_blocked,
            self._runtime.clock.now_ms(),
        )

    async def _split(self, hosted: HostedRegion) -> None:
        """Asks, unless there is no row to split at: then compactions are all that helps."""
        asked = False
        try:
            if await hosted.resume(hosted.region.split_point) is not None:
                await self._ask_split(hosted)
                asked = True
        except (RaybaseError, OSError) as error:
            # No master, or not now: the periodic check asks again.
            log.info("split of %s was not taken up: %s", hosted.info, error)
        finally:
            del self._splitting[hosted.encoded]
        if not asked and hosted.is_serving:
            self._request_worth_while(hosted)


def _priority(hosted: HostedRegion, family: bytes, major: bool) -> int:
    """Source: HStore.getCompactPriority, requestCompaction."""
    if major:
        return _BY_USER
    store = hosted.region.stores[family]
    room = hosted.region.files.room(family)
    if room == _BY_USER:
        room += 1
    return min(room, _AFTER_SPLIT) if store.has_references else room
