"""A region: all stores of a range of rows, and the one order of its writes.

It computes and never waits. What it needs from outside it says by raising BlockMiss (fetch
the bytes, hand them to the file by ``admit``, call again); what must become durable it
returns (``Write.record`` for the log, files and manifests for the root), and it is told when
that has happened (``complete``, ``commit_flush``, ``commit_compaction``).

Source: HRegion.java.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from ..config import StoreConfig
from ..model import META_TABLE, RegionInfo, TableDescriptor
from ..operations import Condition, Get, Mutation, Scan
from .block_cache import BlockCache
from .cells import CellBatch
from .compaction import Compaction
from .flush import FlushPlan
from .key import META_ROWS, PLAIN_ROWS, RowEncoder
from .manifest import Manifest, StoreFileEntry
from .nonce_table import NonceTable
from .region_files import RegionFiles
from .region_reader import RegionReader
from .region_writer import RegionWriter, Write
from .scanner import RegionScanner
from .settings import table_config, texts_of
from .split_point import can_split, middle_row
from .split_policy import RegionLoad, split_policy
from .store import Store
from .store_file import StoreFile
from .wal import WalRecord

__all__ = ["FlushPlan", "Region", "RegionScanner", "Write"]

NONCE_TTL_MS: Final = 1_800_000
"""Longer than HBase's clients try an operation by default."""
ALONE: Final = RegionLoad(table_regions=1)


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
        nonce_tables: the files of nonces that the manifest names.
        jitter: in [0, 1): changes the size at which the region splits, so that regions that
            grow alike do not split together; 0.5 does not change it.

    Times (``now_ms``) are the wall clock's. Families a table no longer has are ignored.
    Raises IllegalArgumentError if the table's or a family's settings make no sense.
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
        nonce_tables: Sequence[NonceTable] = (),
        jitter: float = 0.5,
    ) -> None:
        config = table_config(config, table)
        self.info = info
        self.table = table
        self.config = config
        """The settings as its table changes them."""
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
            info, table, self.stores, self.encoder, manifest, config, nonce_ttl_ms, nonce_tables
        )
        self._mvcc = self._writer.mvcc
        self._reader = RegionReader(info, self.stores, self.encoder, self._mvcc, self._writer.edits)
        self.files = RegionFiles(
            manifest, self.stores, self._writer, self._reader, self.encoder, config, cache
        )
        """Its files: what is to be flushed, compacted and committed, and why."""
        self._split_policy = split_policy(config, texts_of(table), jitter)
        self._cache = cache

    @property
    def manifest(self) -> Manifest:
        """The newest version committed."""
        return self.files.manifest

    @manifest.setter
    def manifest(self, committed: Manifest) -> None:
        self.files.manifest = committed

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
        return self.files.flushed_sequence_id

    @property
    def file_entries(self) -> tuple[StoreFileEntry, ...]:
        """All files read, by family, oldest edits first."""
        return self.files.entries

    @property
    def nonce_tables(self) -> Sequence[NonceTable]:
        """Nonces that are in files, by file, oldest first."""
        return self._writer.nonces.tables

    def file(self, path: str) -> StoreFile | None:
        """The open file of this path, which a BlockMiss named; None if it was replaced."""
        return self.files.file(path)

    def admit(self, path: str, offset: int, data: bytes, *, keep: bool = True) -> None:
        """Takes in what a BlockMiss asked for. Nothing happens if the file was replaced.

        ``keep`` is the BlockMiss's.

        Raises CorruptionError if the bytes are not what was written.
        """
        file = self.file(path)
        if file is not None:
            file.reader.admit(offset, data, self._cache, keep=keep)

    # Reads

    def get(self, get: Get, now_ms: int) -> CellBatch:
        """The row's cells; an empty batch if there are none.

        Raises WrongRegionError, NoSuchFamilyError, and BlockMiss: call again, or, for rows so
        large that they do not fit the cache, use ``get_scanner``.
        """
        return self._reader.get(get, now_ms)

    def get_many(self, gets: Sequence[Get], now_ms: int) -> list[CellBatch]:
        """The rows of some gets, in their order, for much less than one by one.

        Raises as ``get`` does. After a BlockMiss nothing is kept: ask for the rows one by one.
        """
        return self._reader.get_many(gets, now_ms) if gets else []

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
        """All nonces and cells that are in no file, as records for another owner to ``replay``.

        Requires: every write is complete, and none is begun meanwhile.
        """
        return self._writer.memstore_records()

    # Flush

    @property
    def wants_flush(self) -> bool:
        """Whether the memstores outgrew what a region may hold in memory."""
        return self.memstore_bytes > self._writer.flush_bytes

    def families_to_flush(self, old: Collection[bytes] = ()) -> tuple[bytes, ...]:
        """What the table's flush policy takes now; ``old`` are those with old edits."""
        return self.files.families_to_flush(old)

    def begin_flush(self, now_ms: int, families: Sequence[bytes] | None = None) -> FlushPlan | None:
        """As ``RegionFiles.begin_flush``."""
        return self.files.begin_flush(now_ms, families)

    def flush_manifest(self, plan: FlushPlan, written: Sequence[StoreFileEntry]) -> Manifest:
        """As ``RegionFiles.flush_manifest``."""
        return self.files.flush_manifest(plan, written)

    def commit_flush(
        self, plan: FlushPlan, files: Mapping[bytes, StoreFile], manifest: Manifest
    ) -> None:
        """As ``RegionFiles.commit_flush``."""
        self.files.commit_flush(plan, files, manifest)

    def abort_flush(self, plan: FlushPlan) -> None:
        """As ``RegionFiles.abort_flush``."""
        self.files.abort_flush(plan)

    # Compaction

    def plan_compaction(
        self, family: bytes, now_ms: int, *, major: bool = False, off_peak: bool = False
    ) -> Compaction | None:
        """As ``RegionFiles.plan_compaction``."""
        return self.files.plan_compaction(family, now_ms, major=major, off_peak=off_peak)

    def compaction_manifest(
        self, compaction: Compaction, written: StoreFileEntry | None
    ) -> Manifest:
        """As ``RegionFiles.compaction_manifest``."""
        return self.files.compaction_manifest(compaction, written)

    def commit_compaction(
        self, compaction: Compaction, file: StoreFile | None, manifest: Manifest
    ) -> tuple[StoreFileEntry, ...]:
        """As ``RegionFiles.commit_compaction``."""
        return self.files.commit_compaction(compaction, file, manifest)

    def abort_compaction(self, compaction: Compaction) -> None:
        """As ``RegionFiles.abort_compaction``."""
        self.files.abort_compaction(compaction)

    def next_manifest(self, **changes: Any) -> Manifest:
        """As ``RegionFiles.next_manifest``."""
        return self.files.next_manifest(**changes)

    # Split

    def split_point(self) -> bytes | None:
        """The row to split at; None if the region cannot be split now. May raise BlockMiss."""
        stores = list(self.stores.values())
        if self.info.table == META_TABLE or not can_split(stores):
            return None
        middle = middle_row(stores, self.encoder, self._cache)
        row = b"" if middle is None else self._split_policy.cut(middle)
        return row if row > self.info.start_key and self.info.contains(row) else None

    def wants_split(self, load: RegionLoad = ALONE) -> bool:
        """Whether the table's split policy has it split. Ask now and then."""
        stores = list(self.stores.values())
        sizes = [store.file_bytes for store in stores]
        wanted = self._split_policy.wants_split(sizes, load)
        return wanted and self.info.table != META_TABLE and can_split(stores)
