"""What a region server does for its regions unasked: flush, compact, ask for splits, tidy up.

Source: MemStoreFlusher.java, CompactSplit.java, HRegionServer.java (chores).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from ..config import ClusterConfig
from ..errors import (
    CorruptionError,
    FatalError,
    NotServingRegionError,
    ProcessDiedError,
    RaybaseError,
    RetryableError,
)
from ..runtime import Runtime
from .hosted_region import HostedRegion
from .region_compactor import compact
from .region_services import MemstoreGauge

log = logging.getLogger(__name__)

COMPACTIONS_MAX: Final = 2
"""Compactions under way at a time."""
PAUSE_S: Final = 1.0
"""Before something that failed is tried again."""


class RegionChores:
    """Background work on the regions in ``regions``, which others fill and empty.

    Args:
        runtime: clock and entropy.
        config: limits and periods.
        regions: by encoded name, those that are online.
        memstores: all of their memory.
        ask_split: tells the master that a region has outgrown its limit.

    A chore's failure is logged and tried again; one that ends the process has told so
    itself.

    """

    def __init__(
        self,
        runtime: Runtime,
        config: ClusterConfig,
        regions: Mapping[str, HostedRegion],
        memstores: MemstoreGauge,
        ask_split: Callable[[HostedRegion], Coroutine[Any, Any, None]],
    ) -> None:
        self._runtime = runtime
        self._config = config
        self._regions = regions
        self._memstores = memstores
        self._ask_split = ask_split
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._compacting: dict[str, bool] = {}
        """Regions that wait for a compaction or have one; whether another is wanted then."""
        self._majors: dict[str, None] = {}
        self._slots = asyncio.Semaphore(COMPACTIONS_MAX)
        self._splitting: dict[str, None] = {}
        self.flushes = 0
        self.compactions = 0

    def start(self) -> None:
        self.background(self._check_periodically())

    async def stop(self) -> None:
        """Ends everything under way. Nothing may be half done afterwards that matters."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs ``work`` beside everything else; its errors go to the loop's handler."""
        task = asyncio.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, FatalError):
                return  # Whoever raised it has ended the process.
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a chore of a region server failed", "exception": error}
            )

    def region_came(self, hosted: HostedRegion) -> None:
        """Flushes what was replayed, and looks at the files it came with."""
        if hosted.recovered_files:
            hosted.want_flush()
        self.files_changed(hosted.encoded)

    # Flush

    def want_flush(self, encoded: str) -> None:
        hosted = self._regions.get(encoded)
        if hosted is not None:
            self.background(self._flush(hosted))

    async def _flush(self, hosted: HostedRegion) -> None:
        while True:
            try:
                await hosted.flush()
            except NotServingRegionError:
                return  # It is leaving, and is flushed on its way.
            except RetryableError as error:
                log.warning("flush of %s failed, trying again: %s", hosted.info, error)
                await self._runtime.clock.sleep(PAUSE_S)
                continue
            self.flushes += 1
            break
        if self._memstores.is_high:
            self.flush_largest()

    def flush_largest(self) -> None:
        """Makes room where a flush brings most; nothing new if that is under way already."""
        held = [one for one in self._regions.values() if one.is_serving]
        if held:
            max(held, key=lambda one: (one.region.memstore_bytes, one.encoded)).want_flush()

    # Compaction and split

    def files_changed(self, encoded: str) -> None:
        """Compacts the region if that is worth while, and asks for a split if it is large."""
        if encoded in self._compacting:
            self._compacting[encoded] = True
        elif encoded in self._regions:
            self._compacting[encoded] = False
            self.background(self._compact(encoded))

    def want_major(self, encoded: str) -> None:
        """Compacts all files of every store of the region."""
        self._majors[encoded] = None
        self.files_changed(encoded)

    async def _compact(self, encoded: str) -> None:
        again = True
        while again and (hosted := self._regions.get(encoded)) is not None:
            self._compacting[encoded] = False
            major = encoded in self._majors
            try:
                async with self._slots:
                    self._majors.pop(encoded, None)
                    count = await compact(hosted, major=major)
                self.compactions += count
                again = count > 0
            except (NotServingRegionError, CorruptionError) as error:
                if isinstance(error, CorruptionError):
                    log.error("compaction of %s met damage: %s", hosted.info, error)
                break
            except (RetryableError, ProcessDiedError) as error:
                log.warning("compaction of %s failed: %s", hosted.info, error)
                await self._runtime.clock.sleep(PAUSE_S)
                if major:
                    self._majors[encoded] = None
            again = again or self._compacting[encoded]
        self._compacting.pop(encoded, None)
        hosted = self._regions.get(encoded)
        if hosted is not None and hosted.is_serving and hosted.region.wants_split():
            await self._split(hosted)

    async def _split(self, hosted: HostedRegion) -> None:
        if hosted.encoded in self._splitting:
            return
        self._splitting[hosted.encoded] = None
        try:
            await self._ask_split(hosted)
        except (RaybaseError, OSError) as error:
            # No master, or not now: the periodic check asks again.
            log.info("split of %s was not taken up: %s", hosted.info, error)
        finally:
            del self._splitting[hosted.encoded]

    # Now and then

    async def _check_periodically(self) -> None:
        region_server = self._config.region_server
        while True:
            spread = self._runtime.entropy.uniform(0.9, 1.1)
            await self._runtime.clock.sleep(region_server.compaction_check_s * spread)
            now_s = self._runtime.clock.monotonic_s()
            for encoded, hosted in list(self._regions.items()):
                old = now_s - hosted.last_flush_s > self._config.store.flush_interval_s
                if old and hosted.region.memstore_bytes:
                    hosted.want_flush()
                self.files_changed(encoded)
