"""A region: all stores of a range of rows, and the one order of its writes.

It computes and never waits. What it needs from outside it says by raising BlockMiss (fetch
the bytes, hand them to the file by ``admit``, call again); what must become durable it
returns (``Write.record`` for the log, files and manifests for the root), and it is told when
that has happened (``complete``, ``commit_flush``, ``commit_compaction``).

Source: HRegion.java.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..config import StoreConfig
from ..model import META_TABLE, RegionInfo, TableDescriptor
from ..operations import Condition, Get, Mutation, Scan
from .block_cache import BlockCache
from .cells import CellBatch
from .compaction import Compaction, CompactionOptions, select_files
from .flush import FlushPlan
from .key import META_ROWS, PLAIN_ROWS, RowEncoder
from .manifest import Manifest, StoreFileEntry
from .region_reader import RegionReader
from .region_writer import RegionWriter, Write
from .scanner import RegionScanner
from .split_policy import can_split, should_split, split_row
from .store import Store
from .store_file import StoreFile
from .wal import WalRecord

__all__ = ["FlushPlan", "Region", "RegionScanner", "Write"]

NONCE_TTL_MS: Final = 1_200_000
"""As long as HBase's clients try an operation by default."""


class Region:
    """A region that is open.

    Args:
        info: its range; rows outside are refused.
        table: its families and options.
        manifest: the version it was opened with.
        files: for every family the open files of the manifest.
        config: sizes and limits.
        cache: keeps the files' blocks.
        nonce_ttl_ms: how long a client may retry an operation.

    Times (``now_ms``) are the wall clock's. Families a table no longer has are ignored.
    """

    def __init__(
        self,
        info: RegionInfo,
        table: TableDescriptor,
        manifest: Manifest,
        files: Mapping[bytes, Sequence[StoreFile]],
        config: StoreConfig,
        cache: BlockCache,
        *,
        nonce_ttl_ms: int = NONCE_TTL_MS,
    ) -> None:
        self.info = info
        self.table = table
        self.manifest = manifest
        """The newest version committed."""
        self.encoder: RowEncoder = META_ROWS if info.table == META_TABLE else PLAIN_ROWS
        self.stores = {
            family.name: Store(
                family,
                files.get(family.name, ()),
                manifest.flushed.get(family.name, 0),
                cache,
            )
            for family in table.families
        }
        self._writer = RegionWriter(
            info, table, self.stores, self.encoder, manifest, config, nonce_ttl_ms
        )
        self._mvcc = self._writer.mvcc
        self._reader = RegionReader(info, self.stores, self.encoder, self._mvcc, self._writer.edits)
        self._config = config
        self._cache = cache
        self._compacting: dict[bytes, tuple[StoreFileEntry, ...]] = {}

    @property
    def memstore_bytes(self) -> int:
        """Memory that cells outside of files take."""
        return self._writer.memory_bytes

    @property
    def read_point(self) -> int:
        """All writes up to this one are durable and seen."""
        return self._mvcc.read_point

    @property
    def last_sequence_id(self) -> int:
        """The highest number given to a write."""
        return self._mvcc.last

    @property
    def clock_ms(self) -> int:
        """The highest server timestamp given."""
        return self._writer.clock.last_ms

    @property
    def flushed_sequence_id(self) -> int:
        """All edits up to this one are in files, so the log need not keep them."""
        oldest = [one.oldest_unflushed for one in self.stores.values()]
        waiting = [one for one in oldest if one]
        return min(waiting) - 1 if waiting else self._mvcc.read_point

    @property
    def file_entries(self) -> tuple[StoreFileEntry, ...]:
        """All files read, by family, oldest edits first."""
        return tuple(file.entry for store in self.stores.values() for file in store.files)

    def file(self, path: str) -> StoreFile | None:
        """The open file of this path, which a BlockMiss named; None if it was replaced."""
        for store in self.stores.values():
            for file in store.files:
                if file.path == path:
                    return file
        return None

    def admit(self, path: str, offset: int, data: bytes) -> None:
        """Takes in what a BlockMiss asked for. Nothing happens if the file was replaced.

        Raises CorruptionError if the bytes are not what was written.
        """
        file = self.file(path)
        if file is not None:
            file.reader.admit(offset, data, self._cache)

    # Reads

    def get(self, get: Get, now_ms: int) -> CellBatch:
        """The row's cells; an empty batch if there are none.

        Raises WrongRegionError, NoSuchFamilyError, and BlockMiss: call again, or, for rows so
        large that they do not fit the cache, use ``get_scanner``.
        """
        return self._reader.get(get, now_ms)

    def get_scanner(self, get: Get, now_ms: int) -> RegionScanner:
        """A scanner of the one row, which goes on after a BlockMiss where it was."""
        return self._reader.get_scanner(get, now_ms)

    def scanner(self, scan: Scan, now_ms: int) -> RegionScanner:
        """A scanner of the scan's rows in this region, as of now.

        Close it when its client is gone. Raises NoSuchFamilyError.
        """
        return self._reader.scanner(scan, now_ms)

    # Writes

    def write(self, mutations: Sequence[Mutation], now_ms: int) -> Write:
        """Applies puts and deletes, all of them or none, under one sequence id.

        Raises, with nothing applied: IllegalArgumentError, NoSuchFamilyError and
        WrongRegionError for the first mutation that is wrong (so try them one by one to find
        the others); RegionTooBusyError while too much waits for a flush; BlockMiss.
        """
        return self._writer.write(mutations, now_ms)

    def read_modify_write(
        self,
        mutations: Sequence[Mutation],
        now_ms: int,
        condition: Condition | None = None,
        nonce_group: int = 0,
    ) -> Write:
        """Applies mutations of one row atomically, if the condition holds of the row.

        The mutations may be of any kind. If one carries a nonce that was applied before,
        nothing is applied again and the results are read back.

        Raises as ``write`` does, and InvalidRequestError for a cell that is no counter.
        """
        return self._writer.read_modify_write(mutations, now_ms, condition, nonce_group)

    def complete(self, write: Write) -> None:
        """The write is durable: it is seen when all before it are, too."""
        if write.applied:
            self._mvcc.complete(write.sequence_id)

    def replay(self, record: WalRecord) -> int:
        """Takes in a record of an earlier owner's log; returns how many cells were new.

        Records may come in any order and again: what is in files or was replayed is left out.
        Requires: nothing was written yet.
        """
        return self._writer.replay(record)

    def next_sequence_id(self) -> int:
        """Takes a number that no write has: an open announces itself by one."""
        number = self._mvcc.begin()
        self._mvcc.complete(number)
        return number

    def memstore_records(self) -> Iterator[bytes]:
        """All cells that are in no file, as records for another owner to ``replay``.

        Requires: every write is complete, and none is begun meanwhile.
        """
        return self._writer.memstore_records()

    # Flush

    def begin_flush(self, now_ms: int, families: Sequence[bytes] | None = None) -> FlushPlan | None:
        """Sets the memstores' cells aside to be written; None if there are none.

        Requires: no flush is under way.
        """
        stores = [
            store
            for name, store in self.stores.items()
            if len(store.active) and (families is None or name in families)
        ]
        if not stores:
            return None
        snapshots = {store.family.name: (store.family, store.take_snapshot()) for store in stores}
        return FlushPlan(
            self._mvcc.last,
            tuple(snapshots),
            sum(memstore.memory_bytes for _, memstore in snapshots.values()),
            snapshots,
            self._reader.least_read_point(),
            now_ms,
        )

    def flush_manifest(self, plan: FlushPlan, written: Sequence[StoreFileEntry]) -> Manifest:
        """The manifest that commits the flush: the version after the present one.

        Requires: ``read_point`` has reached ``plan.sequence_id``, so that the log holds
        whatever the files hold.
        """
        assert self._mvcc.read_point >= plan.sequence_id, "the log is behind the files"
        flushed = {}
        for name, store in self.stores.items():
            waits = name not in plan.families and store.oldest_unflushed
            in_files = not waits or waits > plan.sequence_id
            flushed[name] = plan.sequence_id if in_files else store.flushed
        return self.next_manifest(flushed=flushed, files=(*self.file_entries, *written))

    def commit_flush(
        self, plan: FlushPlan, files: Mapping[bytes, StoreFile], manifest: Manifest
    ) -> None:
        """The manifest is committed: reads go to the files, the memory is free.

        ``files`` has the new file of every family that wrote one.
        """
        for name in plan.families:
            store = self.stores[name]
            if name in files:
                store.set_files((*store.files, files[name]))
            store.drop_snapshot()
        self._committed(manifest)

    def abort_flush(self, plan: FlushPlan) -> None:
        """The flush was given up before its manifest was committed."""
        for name in plan.families:
            self.stores[name].restore_snapshot()

    # Compaction and split

    def plan_compaction(
        self, family: bytes, now_ms: int, *, major: bool = False
    ) -> Compaction | None:
        """Chooses files of a store to merge; None if there is nothing worth while.

        Until ``commit_compaction`` or ``abort_compaction`` the store plans no other.
        """
        store = self.stores[family]
        if family in self._compacting:
            return None
        entries = [file.entry for file in store.files]
        inputs = select_files(entries, self._config, major=major)
        if not inputs:
            return None
        self._compacting[family] = inputs
        whole = len(inputs) == len(entries)
        options = CompactionOptions(
            store.family,
            whole,
            self._reader.least_read_point(),
            now_ms,
            self.encoder is META_ROWS,
        )
        return Compaction(inputs, options)

    def compaction_manifest(
        self, compaction: Compaction, written: StoreFileEntry | None
    ) -> Manifest:
        """The manifest that puts the file written (None: nothing was left) for the inputs."""
        kept = tuple(one for one in self.file_entries if one not in compaction.inputs)
        return self.next_manifest(files=kept if written is None else (*kept, written))

    def commit_compaction(
        self, compaction: Compaction, file: StoreFile | None, manifest: Manifest
    ) -> tuple[StoreFileEntry, ...]:
        """The manifest is committed: returns the inputs, which no read needs from now on."""
        store = self.stores[compaction.family]
        kept = [one for one in store.files if one.entry not in compaction.inputs]
        store.set_files(kept if file is None else [*kept, file])
        for entry in compaction.inputs:
            self._cache.remove_file(entry.path)
        self._compacting.pop(compaction.family, None)
        self._committed(manifest)
        return compaction.inputs

    def abort_compaction(self, compaction: Compaction) -> None:
        """The compaction failed before its manifest was committed."""
        self._compacting.pop(compaction.family, None)

    def split_point(self) -> bytes | None:
        """The row to split at; None if the region cannot be split now. May raise BlockMiss."""
        stores = list(self.stores.values())
        if not can_split(stores) or self.info.table == META_TABLE:
            return None
        row = split_row(stores, self.encoder, self._cache)
        if row is None or row == self.info.start_key or not self.info.contains(row):
            return None
        return row

    def wants_split(self) -> bool:
        """Whether a store outgrew what a region may hold."""
        limit = self.table.region_bytes_max or self._config.region_bytes_max
        return self.info.table != META_TABLE and should_split(list(self.stores.values()), limit)

    @property
    def wants_flush(self) -> bool:
        """Whether the memstores outgrew what a region may hold in memory."""
        return self.memstore_bytes > self._writer.flush_bytes

    def next_manifest(self, **changes: Any) -> Manifest:
        """The version after the present one: what is known now, and ``changes``.

        Only durable writes' nonces are in it: what is lost in a crash may be tried again.
        """
        writer = self._writer
        writer.nonces.forget(writer.clock.last_ms)
        durable = self._mvcc.read_point
        known = {
            "max_sequence_id": self._mvcc.last,
            "clock_ms": self._writer.clock.last_ms,
            "nonces": tuple(one for one in writer.nonces if one.sequence_id <= durable),
            "files": self.file_entries,
        }
        return self.manifest.next(**{**known, **changes})

    def _committed(self, manifest: Manifest) -> None:
        self.manifest = manifest
        for name, store in self.stores.items():
            store.flushed = manifest.flushed.get(name, store.flushed)
        self._writer.memory_bytes = sum(store.memstore_bytes for store in self.stores.values())
