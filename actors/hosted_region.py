"""A region and its I/O: reads with fetches, durable writes, flush, compaction, close.

The pure ``Region`` does the thinking; this class waits for it. Three rules hold here:

- A call looks whether the region serves and calls the region in one go, without waiting in
  between; after any wait it looks again.
- The manifest changes only under ``files_turn``, one version after the other, and a commit
  that is lost to another process ends this one.
- A write is acknowledged when the log says so, and never if the log failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from ..errors import (
    BlockMiss,
    FatalError,
    NotServingRegionError,
    RegionOpeningError,
    RegionTooBusyError,
    StaleMasterError,
    StorageError,
    SyncFailedError,
)
from ..model import META_TABLE, Durability, RegionInfo, TableDescriptor
from ..operations import Condition, Get, Mutation, Scan
from ..storage.cells import CellBatch
from ..storage.flush import FlushPlan
from ..storage.hfile import HFileReader
from ..storage.manifest import Manifest
from ..storage.nonce_table import NonceTable
from ..storage.region import Region, Write
from ..storage.scanner import RegionScanner
from ..storage.store_file import StoreFile
from .edit_ages import EditAges
from .file_writer import FilesInWork, NewPath, write_plan
from .log_writer import LogWriter
from .messages import FlushResult, RegionState
from .nonce_files import archive_replaced, write_nonces
from .region_services import RegionServices
from .shortage import persist
from .store_io import commit_manifest

T = TypeVar("T")

_WHOLE_READS_MAX: Final = 16
"""A get begins again after each block it misses; after so many it goes on as a scan, which
keeps what it has."""
_DECIDED_SOON: Final = (RegionState.HANDING_OVER, RegionState.SPLITTING)


class HostedRegion:
    """One region at one server, from the commit that made it the owner's to the next one's.

    Args:
        services: what all regions of the server share.
        log: where its edits go.
        info: the region.
        table: its table's schema.
        manifest: the version that names this server as owner, or is about to.
        readers: every store file of the manifest, open.
        nonce_tables: its files of nonces.

    """

    def __init__(
        self,
        services: RegionServices,
        log: LogWriter,
        info: RegionInfo,
        table: TableDescriptor,
        manifest: Manifest,
        readers: dict[str, HFileReader],
        nonce_tables: Sequence[NonceTable] = (),
    ) -> None:
        self.services = services
        self.log = log
        self.info = info
        self.encoded = info.encoded_name
        self.table = table
        self.state = RegionState.OPENING
        self.files_turn = asyncio.Lock()
        self.recovered_files: tuple[str, ...] = ()
        """Recovered edits that were replayed and are not all in store files yet."""
        self.recovered_sequence_id = 0
        """The highest of theirs."""
        self.reads = 0
        self.writes = 0
        self.writes_blocked = 0
        """Refused because too much waited for a flush."""
        self.files_in_work = FilesInWork(info, services.runtime.entropy)
        self._decided = asyncio.Event()
        self._gone: NotServingRegionError | None = None
        self._memstore_counted = 0
        store = services.config.store
        files: dict[bytes, list[StoreFile]] = {family.name: [] for family in table.families}
        for entry in manifest.files:
            files[entry.family].append(StoreFile(entry, readers[entry.path]))
        self.region = Region(
            info,
            table,
            manifest,
            files,
            store,
            services.io.cache,
            nonce_ttl_ms=int(services.config.region_server.nonce_ttl_s * 1000),
            nonce_tables=nonce_tables,
            jitter=services.runtime.entropy.uniform(0.0, 1.0),
        )
        self.ages = EditAges(info.table, self.region.config)

    # Serving or not

    @property
    def manifest(self) -> Manifest:
        """The newest version that this server committed or took over."""
        return self.region.manifest

    @property
    def open_sequence_id(self) -> int:
        return self.region.manifest.open_sequence_id

    @property
    def is_serving(self) -> bool:
        return self.state is RegionState.OPEN

    def serve(self) -> None:
        """From here on calls are answered."""
        self.state = RegionState.OPEN
        self._count_memstore(self.region.memstore_bytes)
        self._decided.set()

    def check_serving(self) -> None:
        """Raises NotServingRegionError or one of its kinds unless the region serves."""
        if self._gone is not None:
            raise self._gone
        if self.state is RegionState.OPENING:
            raise RegionOpeningError(f"region {self.info} is being opened")
        if self.state is not RegionState.OPEN:
            where = f"{self.state} at {self.services.server}"
            raise NotServingRegionError(f"region {self.info} is {where}")

    @property
    def is_undecided(self) -> bool:
        """Whether ``decided`` has to be waited for."""
        return not self._decided.is_set()

    async def decided(self) -> None:
        """Returns when it is known whether the region serves here: at once, unless it is
        being handed over or split, which takes milliseconds."""
        await self._decided.wait()

    def stop_serving(self, state: RegionState) -> None:
        """Calls are refused from here on, or wait if it will soon be known who serves."""
        self.state = state
        if state in _DECIDED_SOON:
            self._decided.clear()

    def resume_serving(self, manifest: Manifest) -> None:
        """It stays here after all, under the manifest that this server has put."""
        self.region.manifest = manifest
        self.serve()

    def end(self, state: RegionState, gone: NotServingRegionError | None = None) -> None:
        """Another server, or none, has it now, which ``gone`` tells to callers; nothing of it
        is needed in this log."""
        self.state = state
        self._gone = gone
        self._count_memstore(0)
        self._decided.set()
        self.log.forget(self.encoded)

    def abandon(self) -> None:
        """Calls that wait for it are refused, unless it serves."""
        if self.state is RegionState.OPENING:
            self.end(RegionState.ABSENT)

    # Reading

    def get(self, get: Get) -> CellBatch:
        """The row. Raises BlockMiss: then await ``get_slowly``."""
        self.reads += 1
        return self.region.get(get, self._now_ms())

    def get_many(self, gets: Sequence[Get]) -> list[CellBatch]:
        """The rows, in the order of the gets. Raises BlockMiss: then get them one by one."""
        self.reads += len(gets)
        return self.region.get_many(gets, self._now_ms())

    async def get_slowly(self, get: Get, miss: BlockMiss) -> CellBatch:
        """The row, with blocks fetched as they are missed. Raises StorageError as well."""
        for _ in range(_WHOLE_READS_MAX):
            await self.fetch(miss)
            self.check_serving()
            try:
                return self.region.get(get, self._now_ms())
            except BlockMiss as next_miss:
                miss = next_miss.with_traceback(None)
        scanner = self.region.get_scanner(get, self._now_ms())
        try:
            return await self.resume(scanner.next)
        finally:
            scanner.close()

    async def resume(self, step: Callable[[], T]) -> T:
        """The result of ``step``, called again after every block it misses."""
        while True:
            self.check_serving()
            try:
                return step()
            except BlockMiss as miss:
                await self.fetch(miss)

    async def fetch(self, miss: BlockMiss) -> None:
        """Brings what was missed into memory. Raises StorageError, CorruptionError."""
        if miss.others:
            await asyncio.gather(*map(self._fetch_one, miss.all))
        else:
            await self._fetch_one(miss)

    async def _fetch_one(self, miss: BlockMiss) -> None:
        file = self.region.file(miss.path)
        if file is None:
            return  # Compacted away meanwhile: the read goes on in the new file.
        try:
            await self.services.io.fetch(miss, file.reader)
        except OSError as error:
            raise StorageError(f"cannot read {miss.path}: {error}") from error

    def scanner(self, scan: Scan) -> RegionScanner:
        self.reads += 1
        return self.region.scanner(scan, self._now_ms())

    # Writing

    def write(self, mutations: Sequence[Mutation], done: Callable[[], None]) -> None:
        """Applies puts and deletes; ``done`` is called when they are durable and visible.

        Raises, with nothing applied: NotServingRegionError, InvalidRequestError's kinds,
        RegionTooBusyError, and BlockMiss (fetch, and call again).
        """
        self.check_serving()
        self._admit(lambda: self.region.write(mutations, self._now_ms()), done)

    def read_modify_write(
        self,
        mutations: Sequence[Mutation],
        condition: Condition | None,
        nonce_group: int,
        done: Callable[[], None],
    ) -> Write:
        """As ``write``, for mutations of one row that depend on it as it is."""
        self.check_serving()
        region, now_ms = self.region, self._now_ms()
        return self._admit(
            lambda: region.read_modify_write(mutations, now_ms, condition, nonce_group), done
        )

    def _admit(self, apply: Callable[[], Write], done: Callable[[], None]) -> Write:
        try:
            self._check_room()
            write = apply()
        except RegionTooBusyError:
            self.writes_blocked += 1
            raise
        self._submit(write, done)
        return write

    def _check_room(self) -> None:
        self.log.check_room()
        if self.services.memstores.is_full and self.info.table != META_TABLE:
            raise RegionTooBusyError(
                f"the memstores of {self.services.server} are full: try again when they are flushed"
            )

    def _submit(self, write: Write, done: Callable[[], None]) -> None:
        self.writes += 1
        if not write.applied:
            # What it saw may not be durable yet: it is answered after all before it.
            self.log.submit(b"", self.encoded, 0, Durability.SKIP_WAL, done)
            return

        def durable() -> None:
            self.region.complete(write)
            done()

        self.log.submit(write.record, self.encoded, write.sequence_id, write.durability, durable)
        self._count_memstore(self.region.memstore_bytes)
        if self.region.wants_flush:
            self.want_flush()
        if self.services.memstores.is_high:
            self.services.memory_high()

    def _count_memstore(self, held: int) -> None:
        self.services.memstores.bytes += held - self._memstore_counted
        self._memstore_counted = held

    def _now_ms(self) -> int:
        return self.services.runtime.clock.now_ms()

    # Files

    def want_flush(self) -> None:
        """Asks for a flush in the background, of what the table's policy takes."""
        if self.is_serving:
            self.services.flush_wanted(self.encoded)

    async def flush(self, families: Sequence[bytes] | None = None) -> FlushResult:
        """What these families, by default all, have in memory goes into files.

        Raises NotServingRegionError, StorageError.
        """
        async with self.files_turn:
            self.check_serving()
            return await self.flush_in_turn(families)

    async def flush_by_policy(self, old: Collection[bytes]) -> FlushResult:
        """As ``flush``, for what the table's policy takes; ``old`` have old edits."""
        async with self.files_turn:
            self.check_serving()
            return await self.flush_in_turn(self.region.families_to_flush(old))

    async def flush_in_turn(self, families: Sequence[bytes] | None = None) -> FlushResult:
        """As ``flush``, for who has the turn already and knows that the region may flush."""
        plan = self.region.begin_flush(self._now_ms(), families)
        if plan is not None:
            with self.files_in_work.begun() as new_path:
                await self._flush_plan(plan, new_path)
            self._count_memstore(self.region.memstore_bytes)
            self.services.store_files_changed(self.encoded)
            while plan.drop_some():
                await asyncio.sleep(0)
        self.log.flushed(self.encoded, self.region.flushed_sequence_id)
        await self.remove_recovered_edits()
        return FlushResult(self.encoded, plan is not None, self.region.flushed_sequence_id)

    async def _flush_plan(self, plan: FlushPlan, new_path: NewPath) -> None:
        files = await self.write_files(plan, new_path)
        manifest = self.region.flush_manifest(plan, [file.entry for file in files.values()])
        try:
            await self.commit(manifest)
        except BaseException:
            self.region.abort_flush(plan)
            raise
        self.region.commit_flush(plan, files, manifest)
        if plan.nonces is not None:
            await archive_replaced(self.services.runtime.files, self.info, plan.nonces)

    async def write_files(
        self, plan: FlushPlan, new_path: NewPath, *, hand_on: bool = True
    ) -> dict[bytes, StoreFile]:
        """The files of a flush, which may be committed now; with ``hand_on`` they are in the
        object store, too. The flush is given up if that fails. Raises StorageError."""
        try:
            files = await write_plan(self.services, self.region, plan, new_path, hand_on=hand_on)
            if plan.nonces is not None:
                await write_nonces(self.services.runtime.files, plan.nonces, new_path)
            # The log must hold whatever the files hold, and more: an edit that is in one
            # family's file alone would be half of a row's mutation.
            await self.log.barrier()
        except BaseException:
            self.region.abort_flush(plan)
            raise
        return files

    async def commit(self, manifest: Manifest) -> None:
        """Commits a version of a region that is this server's; ends the process otherwise.

        Raises FatalError; nobody knows the outcome then. Waits while the disk is full.
        """
        try:
            runtime = self.services.runtime
            await persist(runtime.clock, lambda: commit_manifest(runtime.files, manifest))
        except OSError as error:
            failure = SyncFailedError(f"manifest of {self.info} cannot be committed: {error}")
            self.services.fail(failure)
            raise failure from error
        except FatalError as failure:
            self.services.fail(failure)
            raise

    def check_epoch(self, master_epoch: int) -> None:
        """Raises StaleMasterError if a later master has had its say about the region."""
        if master_epoch < self.manifest.master_epoch:
            raise StaleMasterError(
                f"a master of epoch {self.manifest.master_epoch} has ordered {self.info}"
            )

    async def remove_recovered_edits(self) -> None:
        """Once all that was replayed is in committed files. One that stays is skipped later."""
        if self.region.flushed_sequence_id < self.recovered_sequence_id:
            return
        files, self.recovered_files = self.recovered_files, ()
        for number, path in enumerate(files):
            try:
                await self.services.runtime.files.remove(path)
            except OSError:
                self.recovered_files = files[number:]
                return
