"""RegionProcedureStore: procedures in a region of the master's own, master:store.

::

    MasterData/data/master/store/<region>/    manifests and files, as of any region
    MasterData/WALs/<epoch>/<number>          the log of the master of that epoch

A row is a procedure's id in 8 bytes, big-endian; ``proc:state`` is its state as JSON.
Source: RegionProcedureStore.java, MasterRegion.java.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from ..config import MIB, ClusterConfig, StoreConfig
from ..errors import CorruptionError, FencedError
from ..model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from ..operations import Delete, Mutation, Put, Scan
from ..runtime import AppendLog, FileSystem, Runtime
from ..storage.block_cache import BlockCache
from ..storage.compaction import compact
from ..storage.hfile import HFileReader, HFileWriter
from ..storage.hfile.writer import HFileImage
from ..storage.key import PLAIN_ROWS
from ..storage.manifest import (
    MANIFESTS,
    MASTER_NAMESPACE,
    Manifest,
    family_directory,
    region_directory,
)
from ..storage.region import Region
from ..storage.store_file import StoreFile, entry_of
from ..storage.wal import WalEncoder, read_log
from .store_io import load_manifest, prune_manifests, put_manifest, read_file

PROC: Final = b"proc"
STATE: Final = b"state"
LOGS: Final = "MasterData/WALs"
DESCRIPTOR: Final = TableDescriptor(
    TableName(MASTER_NAMESPACE, "store"), (FamilyDescriptor(PROC),), flush_bytes=64 * MIB
)
REGION: Final = RegionInfo(DESCRIPTOR.name, region_id=1)
_CACHE_BYTES: Final = 4 * MIB
_LOG_BYTES_MAX: Final = 4 * MIB
"""Above it the region is rewritten and a new log begun."""
_ID_BYTES: Final = 8
_TRIES: Final = 10


@dataclass(slots=True)
class _Update:
    mutations: list[Mutation]
    stored: asyncio.Future[None]


class RegionProcedureStore:
    """Opened by one master after another; what the last one stored, the next one reads.

    Opening makes an own log, fences those of all lower epochs, replays them, and commits a
    manifest in its own name. Of two masters that open at the same time the one of the higher
    epoch stays; the other gets FencedError here or at its next update. Updates that come
    together share one sync.
    """

    def __init__(self, runtime: Runtime, epoch: int, region: Region) -> None:
        self._runtime = runtime
        self._files = runtime.files
        self._epoch = epoch
        self._region = region
        self._log: AppendLog | None = None
        self._encoder = WalEncoder()
        self._durable = 0
        self._number = 0
        self._pending: list[_Update] = []
        self._writer: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    @classmethod
    async def open(cls, runtime: Runtime, config: ClusterConfig, epoch: int) -> Self:
        """The store, ours alone from now on.

        Raises FencedError if a later master has it, CorruptionError, OSError.
        """
        store = cls(runtime, epoch, await _open_region(runtime.files, config.store))
        store._log = await store._create_log()
        for _ in range(_TRIES):
            if await store._take_over(config):
                return store
        raise CorruptionError(LOGS, 0, "files that the procedure store names are missing")

    async def _take_over(self, config: ClusterConfig) -> bool:
        """Fences and replays the logs before; False if an earlier master got in between."""
        try:
            return await self._recover(config)
        except FileNotFoundError:
            # An earlier master was just rewriting the region, and is fenced now.
            return False

    async def _recover(self, config: ClusterConfig) -> bool:
        epochs = [name for name in await self._files.list(LOGS) if name.isdigit()]
        if any(int(name) > self._epoch for name in epochs):
            raise FencedError(f"a master later than epoch {self._epoch} has the procedure store")
        earlier = [f"{LOGS}/{name}" for name in epochs if int(name) < self._epoch]
        for directory in earlier:
            await self._files.fence(directory)
        self._region = await _open_region(self._files, config.store)
        for directory in earlier:
            await _replay(self._files, self._region, directory)
        if not await self._rewrite():
            return False
        for directory in earlier:
            # A log that is not at its path is as good as fenced.
            await self._files.remove(directory)
        for name in (MANIFESTS, PROC.decode()):
            await self._files.remove_unfinished(f"{region_directory(REGION)}/{name}")
        return True

    # -- what the executor uses ------------------------------------------------------------

    async def load(self) -> dict[int, bytes]:
        """Every procedure stored, by id."""
        return _stored(self._region, self._runtime.clock.now_ms())

    async def update(self, saved: Mapping[int, bytes], removed: Sequence[int] = ()) -> None:
        """All of it, durably, or nothing.

        Raises FencedError, SyncFailedError or OSError; this master's term is over then.
        """
        if self._failure is not None:
            raise self._failure
        mutations: list[Mutation] = [
            Put(_row(procedure_id)).add(PROC, STATE, data) for procedure_id, data in saved.items()
        ]
        mutations += [Delete(_row(procedure_id)).family(PROC) for procedure_id in removed]
        if not mutations:
            return
        update = _Update(mutations, asyncio.get_running_loop().create_future())
        self._pending.append(update)
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())
        await asyncio.shield(update.stored)

    async def check(self) -> None:
        """Raises FencedError if a later master has taken over."""
        if self._failure is not None:
            raise self._failure
        assert self._log is not None
        await self._log.check()

    async def close(self) -> None:
        """Ends after what is under way. The next master replays the log."""
        if self._writer is not None:
            await self._writer
        if self._log is not None:
            await self._log.close()

    # -- writing ---------------------------------------------------------------------------

    async def _write(self) -> None:
        try:
            while self._pending:
                updates, self._pending = self._pending, []
                try:
                    await self._append(updates)
                except BaseException:
                    self._pending = [*updates, *self._pending]
                    raise
        except Exception as error:
            self._fail(error)
        finally:
            self._writer = None

    async def _append(self, updates: list[_Update]) -> None:
        now_ms = self._runtime.clock.now_ms()
        writes = [self._region.write(one.mutations, now_ms) for one in updates]
        data = self._encoder.batch([one.record for one in writes], self._durable)
        assert self._log is not None
        self._durable = await self._log.append(data)
        for write in writes:
            self._region.complete(write)
        for one in updates:
            one.stored.set_result(None)
        if self._durable > _LOG_BYTES_MAX:
            await self._roll()

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        failed, self._pending = self._pending, []
        for one in failed:
            if not one.stored.done():
                one.stored.set_exception(error)

    async def _create_log(self) -> AppendLog:
        """The next log, ready for the first batch."""
        self._number += 1
        path = f"{LOGS}/{self._epoch:020d}/{self._number}"
        try:
            log = await self._files.create_log(path)
        except FileExistsError:
            raise FencedError(f"epoch {self._epoch} has a log already: {path}") from None
        self._encoder = WalEncoder(self._runtime.entropy.integer(63))
        self._durable = await log.append(self._encoder.begin())
        return log

    async def _roll(self) -> None:
        """Puts all into one file, so that the log so far is not needed any more."""
        old = self._log
        assert old is not None
        if not await self._rewrite():
            raise FencedError("a later master has committed a manifest of the procedure store")
        log = await self._create_log()
        # A later master may have removed the fenced directory before the new log brought it
        # back without its mark; the old one is gone from its path then.
        await old.check()
        self._log = log
        await old.close()
        await self._files.remove(old.path)

    async def _rewrite(self) -> bool:
        """Flushes and compacts into one file, and commits it; False if another was first."""
        if not await self._flush() or not await self._compact():
            return False
        await prune_manifests(self._files, self._region.manifest)
        return True

    async def _flush(self) -> bool:
        region, now_ms = self._region, self._runtime.clock.now_ms()
        plan = region.begin_flush(now_ms)
        if plan is None:
            return await self._commit(region.next_manifest())
        writer = HFileWriter(DESCRIPTOR.families[0], PLAIN_ROWS)
        for window in plan.slices(PROC):
            writer.append_window(window)
        image = writer.finish(max_sequence_id=plan.sequence_id, created_ms=now_ms)
        file = await self._store_file(image)
        manifest = self._own(region.flush_manifest(plan, [file.entry]))
        if not await put_manifest(self._files, manifest):
            return False
        region.commit_flush(plan, {PROC: file}, manifest)
        return True

    async def _compact(self) -> bool:
        region = self._region
        compaction = region.plan_compaction(PROC, self._runtime.clock.now_ms(), major=True)
        if compaction is None:
            return True
        files = [file for file in region.stores[PROC].files if file.entry in compaction.inputs]
        image = compact(files, compaction.options, BlockCache(_CACHE_BYTES))
        file = await self._store_file(image) if image.stats.entries else None
        entry = file.entry if file else None
        manifest = self._own(region.compaction_manifest(compaction, entry))
        if not await put_manifest(self._files, manifest):
            return False
        for old in region.commit_compaction(compaction, file, manifest):
            await self._files.remove(old.path)
        return True

    async def _commit(self, manifest: Manifest) -> bool:
        manifest = self._own(manifest)
        if not await put_manifest(self._files, manifest):
            return False
        self._region.manifest = manifest
        return True

    def _own(self, manifest: Manifest) -> Manifest:
        return replace(manifest, owner=f"epoch {self._epoch}", master_epoch=self._epoch)

    async def _store_file(self, image: HFileImage) -> StoreFile:
        name = f"{self._runtime.entropy.integer(128):032x}"
        path = f"{family_directory(REGION, PROC)}/{name}"
        await self._files.write(path, [image.data])
        reader = HFileReader.from_image(path, memoryview(image.data))
        return StoreFile(entry_of(PROC, path, image.stats), reader)


async def read_procedures(files: FileSystem) -> dict[int, bytes]:
    """Every procedure stored, by id, as the files have it, for people. Changes nothing.

    Raises CorruptionError, OSError: no master would begin with these files.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            region = await _open_region(files, StoreConfig())
            for epoch in sorted(name for name in await files.list(LOGS) if name.isdigit()):
                await _replay(files, region, f"{LOGS}/{epoch}")
        except FileNotFoundError:
            # A master that is at work has put its log into a file meanwhile.
            if attempt == _TRIES:
                raise
        else:
            return _stored(region, region.clock_ms)
    raise AssertionError("unreachable")


def _stored(region: Region, now_ms: int) -> dict[int, bytes]:
    scanner = region.scanner(Scan(), now_ms)
    found: dict[int, bytes] = {}
    try:
        while not scanner.exhausted:
            batch = scanner.next()
            for row, _, _, _, _, value in batch.cells():
                found[int.from_bytes(row, "big")] = value
    finally:
        scanner.close()
    return found


async def _replay(files: FileSystem, region: Region, directory: str) -> None:
    names = [name for name in await files.list(directory) if name.isdigit()]
    for name in sorted(names, key=int):
        path = f"{directory}/{name}"
        for record in read_log(path, await read_file(files, path)):
            region.replay(record)


async def _open_region(files: FileSystem, config: StoreConfig) -> Region:
    """The region as its newest manifest has it, files in memory: they are small."""
    manifest = await load_manifest(files, REGION) or Manifest(version=0, region=REGION)
    stores = []
    for entry in manifest.files:
        data = await read_file(files, entry.path)
        stores.append(StoreFile(entry, HFileReader.from_image(entry.path, memoryview(data))))
    cache = BlockCache(_CACHE_BYTES)
    return Region(REGION, DESCRIPTOR, manifest, {PROC: stores}, config, cache)


def _row(procedure_id: int) -> bytes:
    return procedure_id.to_bytes(_ID_BYTES, "big")
