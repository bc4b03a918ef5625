"""A region server's write-ahead log: group commit on the loop, one append for all regions.

Everything submitted during one turn of the loop becomes one batch: one write, one sync and
one fence test. Only then do its writes become visible, in the order of their submission, and
only after that are they acknowledged. A log that fails is never written again: the process
ends, and recovery reads what reached the file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ..config import WalConfig
from ..errors import DiskFullError, FatalError, RegionTooBusyError, StorageError, SyncFailedError
from ..model import Durability
from ..runtime import AppendLog, Runtime
from ..storage.sequence_accounting import SequenceAccounting
from ..storage.wal import WalEncoder
from .shortage import PAUSE_S, passes
from .waits import Waits

WALS: Final = "WALs"
OLD_WALS: Final = "oldWALs"
META_PREFIX: Final = "meta."
ASYNC_SYNC_S: Final = 1.0
"""The longest an ASYNC_WAL edit stays unsynced."""
SLOW_SYNC_S: Final = 0.1
"""A sync that takes longer is counted. hbase.regionserver.wal.slowsync.ms"""

logger = logging.getLogger(__name__)

Done = Callable[[], None]
"""Called when the write is as durable as it asked to be, and all before it are."""

_Entry = tuple[bytes, str, int, bool, Done]
"""(record or b"", region, sequence id, whether it needs a sync, what to call then)."""


def wal_directory(server: str) -> str:
    """Where a server keeps its logs; fencing it fences the server."""
    return f"{WALS}/{server}"


@dataclass(slots=True)
class LogCounters:
    """Sums since the log began."""

    appends: int = 0
    syncs: int = 0
    records: int = 0
    bytes: int = 0
    rolls: int = 0
    archived: int = 0
    slow_syncs: int = 0
    full_waits: int = 0
    """Appends that found no room and were made again."""


class LogWriter:
    """One log of one server: a series of numbered files, the last of which is written.

    ``on_fatal`` is called once when the log can no longer be trusted; nothing submitted
    then or later is ever done. ``on_pinned`` is called when too many files wait for edits to
    be flushed: with the regions that have them, and up to which sequence id.

    A slow sync does not roll the log, as HBase's does to get other datanodes: here the next
    file would be on the same disk, and making it takes three more syncs.
    """

    def __init__(
        self,
        runtime: Runtime,
        server: str,
        prefix: str,
        config: WalConfig,
        on_fatal: Callable[[BaseException], None],
        on_pinned: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._runtime = runtime
        self._directory = wal_directory(server)
        self._archive = f"{OLD_WALS}/{server}"
        self._prefix = prefix
        self._config = config
        self._on_fatal = on_fatal
        self._on_pinned = on_pinned
        self._number = 0
        self._log: AppendLog | None = None
        self._head_bytes = 0
        self._length = 0
        self._durable = 0
        self._opened_s = 0.0
        self._roll_wanted = False
        self._roll_from_s = 0.0
        self._full: DiskFullError | None = None
        self._barriers: dict[asyncio.Future[None], None] = {}
        self._pending: list[_Entry] = []
        self._writer: asyncio.Task[None] | None = None
        self._syncer: asyncio.Task[None] | None = None
        self._housekeeper: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._encoder = WalEncoder()
        self._accounting = SequenceAccounting()
        self._group_began_s = 0.0
        self.counters = LogCounters()
        self.waits = Waits()
        """From the first edit of a group to the group's being durable and acknowledged."""

    async def start(self) -> None:
        """Creates the first file. Raises FencedError, OSError."""
        await self._create_next(None)

    @property
    def files(self) -> int:
        """Number of files that are not archived."""
        return len(self._accounting.files)

    async def check(self) -> None:
        """The fence test. Raises FencedError, or what the log failed with."""
        if self._failure is not None:
            raise self._failure
        assert self._log is not None, "start() first"
        await self._log.check()

    @property
    def trouble(self) -> str:
        """Why writes are put off; empty if they are not."""
        return f"the disk is full, try again when there is room: {self._full}" if self._full else ""

    def check_room(self) -> None:
        """Raises RegionTooBusyError while the disk is full; ask before a write is applied."""
        if self._full is not None:
            raise RegionTooBusyError(self.trouble)

    def submit(
        self, record: bytes, region: str, sequence_id: int, durability: Durability, done: Done
    ) -> None:
        """Puts a record into the batch of this turn.

        ``durability`` is not USE_DEFAULT; a record of SKIP_WAL is not written but keeps its
        place in the order. ``done`` may be called at once.
        """
        if self._failure is not None:
            return
        if durability == Durability.SKIP_WAL:
            if self._writer is None:
                done()
                return
            record = b""
        if not self._pending:
            self._group_began_s = self._runtime.clock.monotonic_s()
        self._pending.append((record, region, sequence_id, self._needs_sync(durability), done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def barrier(self) -> None:
        """Returns when everything submitted before is done, and on disk.

        Raises what the log failed with, and StorageError while the disk is full; never returns
        if the log fails meanwhile.
        """
        if self._failure is not None:
            raise self._failure
        if self._full is not None:
            raise StorageError(str(self._full))
        passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._pending:
            self._group_began_s = self._runtime.clock.monotonic_s()
        self._pending.append((b"", "", 0, True, lambda: _pass(passed)))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        self._barriers[passed] = None
        try:
            await passed
        finally:
            del self._barriers[passed]

    def flushed(self, region: str, sequence_id: int) -> None:
        """Edits of the region up to this one are in committed files: logs may go."""
        self._accounting.flushed(region, sequence_id)
        self._tidy()

    def forget(self, region: str) -> None:
        """The region is closed or gone: no edit of it is needed in this log any more."""
        self._accounting.closed(region)
        self._tidy()

    def request_roll(self) -> None:
        """Begins a new file with the next batch."""
        self._roll_wanted = True
        if self._writer is None and self._failure is None:
            self._writer = asyncio.create_task(self._write())

    def roll_if_old(self) -> None:
        """Begins a new file if the present one is older than the interval and not empty."""
        age_s = self._runtime.clock.monotonic_s() - self._opened_s
        if self._length > self._head_bytes and age_s >= self._config.roll_interval_s:
            self.request_roll()

    async def close(self) -> None:
        """Writes what is pending and ends. All regions must be closed.

        Raises FatalError if the end cannot be written.
        """
        while self._writer is not None:
            await asyncio.shield(self._writer)
        for task in (self._syncer, self._housekeeper):
            if task is not None:
                task.cancel()
        if self._log is not None:
            if self._failure is None:
                await self._seal(self._log)
            await self._log.close()

    def _needs_sync(self, durability: Durability) -> bool:
        if durability == Durability.SYNC_WAL:
            return self._config.hsync
        return durability == Durability.FSYNC_WAL

    async def _write(self) -> None:
        try:
            while self._pending or self._wants_roll:
                batch, self._pending = self._pending, []
                if batch:
                    began_s = self._group_began_s
                    await self._append(batch)
                    for *_, done in batch:
                        done()
                    self.waits.add(self._runtime.clock.monotonic_s() - began_s)
                if self._wants_roll:
                    await self._roll()
        except Exception as error:  # whatever it is: what was submitted is not known to be safe
            self._fail(error)
        finally:
            self._writer = None

    async def _append(self, batch: list[_Entry]) -> None:
        log = self._log
        assert log is not None, "start() first"
        records = []
        for record, region, sequence_id, _, _ in batch:
            if record:
                records.append(record)
                self._accounting.appended(region, sequence_id)
        sync = any(entry[3] for entry in batch) and (bool(records) or self._is_unsynced)
        if not records and not sync:
            await log.check()
            return
        data = self._encoder.batch(records, self._durable) if records else b""
        began_s = self._runtime.clock.monotonic_s()
        self._length = await self._append_with_room(log, data, sync=sync)
        counters = self.counters
        counters.appends += 1
        counters.records += len(records)
        counters.bytes += len(data)
        if sync:
            counters.syncs += 1
            counters.slow_syncs += self._runtime.clock.monotonic_s() - began_s > SLOW_SYNC_S
            self._durable = self._length
        elif self._syncer is None:
            self._syncer = asyncio.create_task(self._sync_later())

    async def _append_with_room(self, log: AppendLog, data: bytes, *, sync: bool) -> int:
        """Waits while the disk is full; nobody is told that a write is safe until it is."""
        while True:
            try:
                length = await log.append(data, sync=sync)
            except DiskFullError as error:
                # The log has kept what it could not write.
                data = b""
                self._no_room(error)
                await self._runtime.clock.sleep(PAUSE_S)
            else:
                self._full = None
                return length

    def _no_room(self, error: DiskFullError) -> None:
        self.counters.full_waits += 1
        self._full = error
        for passed in self._barriers:
            if not passed.done():
                passed.set_exception(StorageError(str(error)))

    @property
    def _wants_roll(self) -> bool:
        wanted = self._roll_wanted or self._is_long
        return wanted and self._runtime.clock.monotonic_s() >= self._roll_from_s

    @property
    def _is_long(self) -> bool:
        return self._length > max(self._head_bytes, self._config.roll_bytes)

    @property
    def _is_unsynced(self) -> bool:
        return self._durable < self._length

    async def _sync_later(self) -> None:
        await self._runtime.clock.sleep(ASYNC_SYNC_S)
        self._syncer = None
        if self._is_unsynced:
            # If there is no room, the append that waits for it begins another wait.
            with suppress(StorageError):
                await self.barrier()

    async def _roll(self) -> None:
        """Goes over to a new file; put off while there is no room for it, or no descriptor."""
        old = self._log
        assert old is not None, "start() first"
        try:
            await self._seal(old)
            await self._create_next(old)
        except (DiskFullError, OSError) as error:
            if isinstance(error, OSError) and not passes(error):
                raise
            # The old file takes what follows. What there is of the new one has no records.
            self._roll_from_s = self._runtime.clock.monotonic_s() + PAUSE_S
            return
        self._roll_wanted = False
        await old.close()
        self.counters.rolls += 1
        self._tidy()

    async def _seal(self, log: AppendLog) -> None:
        """Ends a file that will not be written again with the word that all of it is durable:
        damage to its last records can then be told from a torn tail."""
        if self._is_unsynced:
            await log.append(b"", sync=True)
        self._length = await log.append(self._encoder.batch([], self._length))
        self._durable = self._length

    async def _create_next(self, old: AppendLog | None) -> None:
        """Goes over to a new file. Until it is known to count, ``check`` asks the old one."""
        self._number += 1
        path = f"{self._directory}/{self._prefix}{self._number}"
        log = await self._runtime.files.create_log(path)
        encoder = WalEncoder(self._runtime.entropy.integer(63))
        try:
            head_bytes = await log.append(encoder.begin())
        except DiskFullError:
            await log.close()
            raise
        if old is not None:
            # Recovery may have cleaned the fenced directory away before the new file brought
            # it back without its mark; the old file is gone from its path then.
            await old.check()
        self._log = log
        self._encoder = encoder
        self._head_bytes = head_bytes
        self._opened_s = self._runtime.clock.monotonic_s()
        self._length = self._durable = self._head_bytes
        self._accounting.roll(path)

    def _tidy(self) -> None:
        """Archives the files that no region needs, in the background."""
        if self._housekeeper is None and self._failure is None:
            self._housekeeper = asyncio.create_task(self._archive_files())

    async def _archive_files(self) -> None:
        try:
            while ready := self._accounting.archivable():
                for path in ready:
                    await self._archive_file(path)
        except OSError as error:
            logger.warning("%s; the next flush tries again", error)
        finally:
            self._housekeeper = None
        pinning = self._accounting.pinning(self._config.files_max)
        if pinning:
            self._on_pinned(pinning)

    async def _archive_file(self, path: str) -> None:
        files = self._runtime.files
        target = self._archive + path[path.rindex("/") :]
        try:
            await files.rename(path, target)
        except FileNotFoundError:
            # An earlier try failed after it had moved the file, or recovery moved it.
            if not await files.exists(target):
                raise
        self._accounting.archived(path)
        self.counters.archived += 1

    def _fail(self, error: BaseException) -> None:
        if self._failure is not None:
            return
        if not isinstance(error, FatalError):
            error = SyncFailedError(f"log in {self._directory} cannot go on: {error}")
        self._failure = error
        self._pending.clear()
        self._on_fatal(error)


def _pass(passed: asyncio.Future[None]) -> None:
    if not passed.done():
        passed.set_result(None)
