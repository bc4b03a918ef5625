"""What a region server does for its regions unasked: flush, compact, ask for splits.

Source: HRegionServer.java (CompactionChecker, PeriodicMemStoreFlusher).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from ..config import ClusterConfig
from ..errors import FatalError
from ..model import TableName
from ..runtime import Runtime
from .compact_split import CompactSplit
from .hosted_region import HostedRegion
from .memstore_flusher import MemstoreFlusher
from .region_services import MemstoreGauge

_LOOKS: Final = 50
_LOOK_S: Final = 0.1
"""A flush of replayed edits waits no longer than so many looks."""


class RegionChores:
    """Background work on the regions in ``regions``, which others fill and empty.

    Args:
        runtime: clock and entropy.
        config: limits and periods.
        regions: by encoded name, those that are online.
        memstores: all of their memory.
        is_opening: whether a region is on its way to be served here.
        ask_split: tells the master that a region has outgrown its limit.
        count_of: how many of the regions are a table's.

    A chore's failure is logged and tried again; one that ends the process has told so
    itself.

    """

    def __init__(
        self,
        runtime: Runtime,
        config: ClusterConfig,
        regions: Mapping[str, HostedRegion],
        memstores: MemstoreGauge,
        is_opening: Callable[[], bool],
        ask_split: Callable[[HostedRegion], Coroutine[Any, Any, None]],
        count_of: Callable[[TableName], int],
    ) -> None:
        self._runtime = runtime
        self._config = config
        self._is_opening = is_opening
        self._tasks: dict[asyncio.Task[None], None] = {}
        self.compact_split = CompactSplit(
            runtime, config, regions, self.background, ask_split, count_of
        )
        self.flusher = MemstoreFlusher(
            runtime,
            config.store,
            regions,
            memstores,
            self.background,
            self.compact_split.make_room,
        )

    def start(self) -> None:
        self.background(self._check_periodically())

    async def stop(self) -> None:
        """Ends everything under way. Nothing may be half done afterwards that matters."""
        self.compact_split.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs ``work`` beside everything else; its errors go to the loop's handler."""
        task = asyncio.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._finished)
        return task

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
            self.background(self._flush_replayed(hosted))
        self.files_changed(hosted.encoded)

    async def _flush_replayed(self, hosted: HostedRegion) -> None:
        """Soon, but after the regions that are being opened: for those clients wait."""
        for _ in range(_LOOKS):
            if not self._is_opening():
                break
            await self._runtime.clock.sleep(_LOOK_S)
        self.flusher.request(hosted.encoded, tuple(hosted.region.stores))

    def want_flush(self, encoded: str, families: Sequence[bytes] | None = None) -> None:
        """Flushes these families, or what the table's policy takes."""
        self.flusher.request(encoded, families)

    def memory_high(self) -> None:
        """Flushes until all memstores together are below the lower mark."""
        self.flusher.relieve()

    def files_changed(self, encoded: str) -> None:
        """Compacts the region if that is worth while, and asks for a split if it is large."""
        self.compact_split.files_changed(encoded)

    def want_major(self, encoded: str) -> None:
        """Compacts all files of every store of the region."""
        self.compact_split.request_major(encoded)

    async def _check_periodically(self) -> None:
        while True:
            spread = self._runtime.entropy.uniform(0.9, 1.1)
            await self._runtime.clock.sleep(self._config.region_server.compaction_check_s * spread)
            self.flusher.check()
            await self.compact_split.check()
