"""A region: all stores of a range of rows, and the one order of its writes.

It computes and never waits. What it needs from outside it says by raising BlockMiss (fetch
the bytes, hand them to the file by ``admit``, call again); what must become durable it
returns (``Write.record`` for the log, files and manifests for the root), and it is told when
that has happened (``complete``, ``commit_flush``, ``commit_compaction``).

Source: HRegion.java.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..config import StoreConfig
from ..errors import IllegalArgumentError, RegionTooBusyError
from ..model import ALL_TIME, META_TABLE, CellType, Durability, RegionInfo, TableDescriptor
from ..operations import Condition, Get, Mutation, MutationKind, Scan
from .block_cache import BlockCache
from .cells import CellBatch
from .compaction import Compaction, CompactionOptions, select_files
from .edits import EditBuilder, durability_of
from .flush import FlushPlan
from .key import END, META_ROWS, PLAIN_ROWS, RowEncoder, row_start, row_stop, unescape
from .manifest import Manifest, NonceRecord, StoreFileEntry
from .mvcc import Mvcc, RegionClock
from .nonces import Nonces
from .read_modify_write import Newest, at_least, holds, work_out
from .scanner import RegionScanner, Source
from .split_policy import can_split, should_split, split_row
from .store import Store
from .store_file import StoreFile, least_bound
from .store_scanner import read_row
from .visibility import Reading
from .wal import FamilyCells, WalRecord, encode_record, record_address

NONCE_TTL_MS: Final = 1_200_000
HAND_OVER_CELLS: Final = 4096
"""Cells of a memstore that travel in one record to another server."""


@dataclass(slots=True)
class Write:
    """A write that was applied but is not visible yet, or the reason why none was needed.

    If ``applied``: put ``record`` into the log, unless it is empty, and call
    ``Region.complete`` when it is as durable as ``durability`` asks. In every case answer
    when ``Region.read_point`` has reached ``sequence_id``, and not before: also what was not
    applied was decided on edits up to there.
    """

    sequence_id: int
    durability: Durability
    record: bytes = b""
    applied: bool = True
    """False: the condition did not hold, or a retry was recognised."""
    is_retry: bool = False
    """An earlier try was applied, as ``sequence_id``."""
    results: tuple[CellBatch | None, ...] = ()
    """For every append and increment the cells it made, for other mutations None."""

    @property
    def succeeded(self) -> bool:
        """Whether the mutations stand, by this call or by an earlier try."""
        return self.applied or self.is_retry


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
        self.memstore_bytes = 0
        """Memory that cells outside of files take."""
        self.stores = {
            family.name: Store(
                family,
                files.get(family.name, ()),
                manifest.flushed.get(family.name, 0),
                cache,
            )
            for family in table.families
        }
        highest = [one.entry.max_sequence_id for held in files.values() for one in held]
        self._mvcc = Mvcc(max(manifest.max_sequence_id, *manifest.flushed.values(), *highest, 0))
        self._clock = RegionClock(manifest.clock_ms)
        self._nonces = Nonces(nonce_ttl_ms, manifest.nonces)
        self._config = config
        self._cache = cache
        self._edits = EditBuilder(
            info, table, self.encoder, config.cell_bytes_max, self._newest_timestamp
        )
        self._address = record_address(info.encoded_name, info.table)
        self._now_ms = 0
        self._read_points: Counter[int] = Counter()
        self._compacting: dict[bytes, tuple[StoreFileEntry, ...]] = {}

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
        return self._clock.last_ms

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
        self._edits.check_row(get.row)
        encoded = self.encoder.encode(get.row)
        out = CellBatch()
        for store, reading in self._sources(get, self._mvcc.read_point, now_ms):
            cells = read_row(store, reading, encoded)
            count = len(cells)
            if count:
                offset = len(encoded) + len(END)
                qualifiers = [column[offset : -len(END)] for column in cells.columns]
                out.rows += [get.row] * count
                out.families += [store.family.name] * count
                out.qualifiers += map(unescape, qualifiers)
                out.timestamps += cells.timestamps
                out.types += [CellType.PUT.value] * count
                out.values += cells.values
        if out.values:
            out.end_row()
        return out

    def get_scanner(self, get: Get, now_ms: int) -> RegionScanner:
        """A scanner of the one row, which goes on after a BlockMiss where it was."""
        self._edits.check_row(get.row)
        encoded = self.encoder.encode(get.row)
        return self._open_scanner(get, now_ms, row_start(encoded), row_stop(encoded), row=encoded)

    def scanner(self, scan: Scan, now_ms: int) -> RegionScanner:
        """A scanner of the scan's rows in this region, as of now.

        Close it when its client is gone. Raises NoSuchFamilyError.
        """
        start, stop = self._bounds(scan)
        return self._open_scanner(
            scan, now_ms, start, stop, downwards=scan.reversed, limit=scan.limit
        )

    # Writes

    def write(self, mutations: Sequence[Mutation], now_ms: int) -> Write:
        """Applies puts and deletes, all of them or none, under one sequence id.

        Raises, with nothing applied: IllegalArgumentError, NoSuchFamilyError and
        WrongRegionError for the first mutation that is wrong (so try them one by one to find
        the others); RegionTooBusyError while too much waits for a flush; BlockMiss.
        """
        self._check_room()
        self._now_ms = now_ms
        timestamp = self._clock.read(now_ms)
        cells, deletes_now = self._edits.build(mutations, timestamp, self._mvcc.last + 1)
        return self._apply(cells, mutations, timestamp, deletes_now=deletes_now)

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
        if not mutations:
            raise IllegalArgumentError("a write without a mutation")
        row = mutations[0].row if condition is None else condition.row
        if any(mutation.row != row for mutation in mutations):
            raise IllegalArgumentError("an atomic write is about one row")
        self._edits.check_row(row)
        self._now_ms = now_ms
        nonce = next((one.nonce for one in mutations if one.nonce), 0)
        earlier = self._nonces.find(nonce_group, nonce)
        if earlier is not None:
            return self._recognised(mutations, earlier.sequence_id)
        self._check_room()
        server_time = timestamp = self._clock.read(now_ms)
        if condition is not None:
            found = self._condition_cell(condition)
            if not holds(condition, None if found is None else found[1]):
                return Write(self._mvcc.last, self._durability(mutations), applied=False)
            timestamp = server_time if found is None else max(server_time, found[0])
        concrete = [work_out(one, timestamp, self._newest_of) for one in mutations]
        if timestamp > server_time:
            concrete = [at_least(one, timestamp) for one in concrete]
        cells, deletes_now = self._edits.build(concrete, server_time, self._mvcc.last + 1)
        results = tuple(
            _cells_of(after) if before.return_results and before is not after else None
            for before, after in zip(mutations, concrete, strict=True)
        )
        write = self._apply(
            cells, mutations, server_time, deletes_now=deletes_now, nonce=(nonce_group, nonce)
        )
        write.results = results
        return write

    def complete(self, write: Write) -> None:
        """The write is durable: it is seen when all before it are, too."""
        if write.applied:
            self._mvcc.complete(write.sequence_id)

    def replay(self, record: WalRecord) -> int:
        """Takes in a record of an earlier owner's log; returns how many cells were new.

        Records may come in any order and again: what is in files or was replayed is left out.
        Requires: nothing was written yet.
        """
        taken = 0
        for cells in record.families:
            store = self.stores.get(cells.family)
            if store is None or record.sequence_id <= store.flushed:
                continue
            before = len(store.active)
            added = store.active.add(cells.keys, cells.values, record.sequence_id)
            self.memstore_bytes += added
            taken += len(store.active) - before
        self._mvcc.advance_to(record.sequence_id)
        self._clock.advance_to(record.clock_ms)
        self._nonces.add(
            NonceRecord(record.nonce_group, record.nonce, record.sequence_id, record.clock_ms)
        )
        return taken

    def next_sequence_id(self) -> int:
        """Takes a number that no write has: an open announces itself by one."""
        number = self._mvcc.begin()
        self._mvcc.complete(number)
        return number

    def memstore_records(self) -> Iterator[bytes]:
        """All cells that are in no file, as records for another owner to ``replay``.

        Requires: every write is complete, and none is begun meanwhile.
        """
        for store in self.stores.values():
            for memstore in store.memstores:
                for keys, values, _ in memstore.slices(HAND_OVER_CELLS):
                    yield encode_record(
                        self._address,
                        self._mvcc.last,
                        self._clock.last_ms,
                        (FamilyCells(store.family.name, keys, values),),
                    )

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
            self._least_read_point(),
            now_ms,
        )

    def flush_manifest(self, plan: FlushPlan, written: Sequence[StoreFileEntry]) -> Manifest:
        """The manifest that commits the flush: the version after the present one.

        Requires: ``read_point`` has reached ``plan.sequence_id``, so that the log holds
        whatever the files hold.
        """
        assert self._mvcc.read_point >= plan.sequence_id, "the log is behind the files"
        flushed = {
            name: plan.sequence_id
            if name in plan.families or not store.oldest_unflushed
            else store.flushed
            for name, store in self.stores.items()
        }
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
            self._least_read_point(),
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
        return self.memstore_bytes > self._flush_bytes

    def next_manifest(self, **changes: Any) -> Manifest:
        """The version after the present one: what is known now, and ``changes``.

        Only durable writes' nonces are in it: what is lost in a crash may be tried again.
        """
        self._nonces.forget(self._clock.last_ms)
        durable = self._mvcc.read_point
        known = {
            "max_sequence_id": self._mvcc.last,
            "clock_ms": self._clock.last_ms,
            "nonces": tuple(one for one in self._nonces if one.sequence_id <= durable),
            "files": self.file_entries,
        }
        return self.manifest.next(**{**known, **changes})

    def _committed(self, manifest: Manifest) -> None:
        self.manifest = manifest
        for name, store in self.stores.items():
            store.flushed = manifest.flushed.get(name, store.flushed)
        self.memstore_bytes = sum(store.memstore_bytes for store in self.stores.values())

    @property
    def _flush_bytes(self) -> int:
        return self.table.flush_bytes or self._config.flush_bytes

    def _check_room(self) -> None:
        limit = self._flush_bytes * self._config.flush_block_multiplier
        if self.memstore_bytes > limit and self.info.table != META_TABLE:
            raise RegionTooBusyError(
                f"region {self.info} holds {self.memstore_bytes} bytes in memory, over its limit "
                f"of {limit}: try again when they are flushed"
            )

    def _durability(self, mutations: Sequence[Mutation]) -> Durability:
        default = self.table.durability or Durability.SYNC_WAL
        asked = Durability(durability_of(mutations, default))
        return max(asked, Durability.SYNC_WAL) if self.info.table == META_TABLE else asked

    def _apply(
        self,
        cells: list[FamilyCells],
        mutations: Sequence[Mutation],
        timestamp: int,
        *,
        deletes_now: bool,
        nonce: tuple[int, int] = (0, 0),
    ) -> Write:
        """Gives checked cells their number and makes them the newest; cannot fail."""
        durability = self._durability(mutations)
        number = self._mvcc.begin()
        self._clock.assigned(timestamp, to_delete=deletes_now)
        for one in cells:
            added = self.stores[one.family].active.add(one.keys, one.values, number)
            self.memstore_bytes += added
        self._nonces.add(NonceRecord(*nonce, number, timestamp))
        record = b""
        if durability != Durability.SKIP_WAL:
            record = encode_record(self._address, number, timestamp, cells, *nonce)
        return Write(number, durability, record)

    def _recognised(self, mutations: Sequence[Mutation], sequence_id: int) -> Write:
        """The answer to a retry: as the first one, if its versions are still there."""
        results: list[CellBatch | None] = []
        for mutation in mutations:
            if mutation.kind not in (MutationKind.APPEND, MutationKind.INCREMENT):
                results.append(None)
                continue
            columns = [(cell[0], cell[1]) for cell in mutation.cells]
            newest = self._newest(mutation.row, columns, sequence_id)
            newest = newest or self._newest(mutation.row, columns, self._mvcc.last)
            cells = [
                (*column, at, CellType.PUT.value, value) for column, (at, value) in newest.items()
            ]
            results.append(_cells_of(Mutation(mutation.kind, mutation.row, cells)))
        durability = self._durability(mutations)
        return Write(sequence_id, durability, b"", False, True, tuple(results))

    def _condition_cell(self, condition: Condition) -> tuple[int, bytes] | None:
        self._edits.check_family(condition.family)
        reading = Reading(
            self.stores[condition.family].family,
            self._mvcc.last,
            self._now_ms,
            1,
            condition.time_range,
            (condition.qualifier,),
        )
        encoded = self.encoder.encode(condition.row)
        cells = read_row(self.stores[condition.family], reading, encoded)
        return (cells.timestamps[0], cells.values[0]) if cells.values else None

    def _newest_of(self, row: bytes, columns: Sequence[tuple[bytes, bytes]]) -> Newest:
        return self._newest(row, columns, self._mvcc.last)

    def _newest(
        self, row: bytes, columns: Sequence[tuple[bytes, bytes]], read_point: int
    ) -> Newest:
        """The newest version of each column that has one, durable or not."""
        encoded = self.encoder.encode(row)
        offset = len(encoded) + len(END)
        found = {}
        for family in dict.fromkeys(column[0] for column in columns):
            self._edits.check_family(family)
            store = self.stores[family]
            qualifiers = [column[1] for column in columns if column[0] == family]
            reading = Reading(store.family, read_point, self._now_ms, 1, ALL_TIME, qualifiers)
            cells = read_row(store, reading, encoded)
            for column, timestamp, value in zip(
                cells.columns, cells.timestamps, cells.values, strict=True
            ):
                found[family, unescape(column[offset : -len(END)])] = (timestamp, value)
        return found

    def _newest_timestamp(self, row: bytes, family: bytes, qualifier: bytes, n: int) -> int | None:
        store = self.stores[family]
        reading = Reading(
            store.family, self._mvcc.last, self._now_ms, n + 1, ALL_TIME, (qualifier,)
        )
        timestamps = read_row(store, reading, self.encoder.encode(row)).timestamps
        return timestamps[n] if n < len(timestamps) else None

    def _sources(
        self,
        asked: Get | Scan,
        read_point: int,
        now_ms: int,
    ) -> list[Source]:
        columns = asked.columns
        wanted = columns or self.stores
        for name in wanted:
            self._edits.check_family(name)
        return [
            (
                store,
                Reading(
                    store.family,
                    read_point,
                    now_ms,
                    asked.max_versions,
                    asked.time_range,
                    columns[name] if columns else None,
                ),
            )
            for name, store in self.stores.items()
            if name in wanted
        ]

    def _bounds(self, scan: Scan) -> tuple[bytes, bytes]:
        """(least key, key to end before) of the scan's rows in the region."""
        encode = self.encoder.encode
        low, high = scan.start_row, scan.stop_row
        with_low, with_high = scan.include_start, scan.include_stop
        if scan.reversed:
            low, high, with_low, with_high = high, low, with_high, with_low
        start = stop = b""
        if low:
            start = (row_start if with_low else row_stop)(encode(low))
        if high:
            stop = (row_stop if with_high else row_start)(encode(high))
        if self.info.start_key:
            start = max(start, row_start(encode(self.info.start_key)))
        if self.info.end_key:
            stop = least_bound(stop, row_start(encode(self.info.end_key)))
        return start, stop

    def _open_scanner(
        self,
        asked: Get | Scan,
        now_ms: int,
        start: bytes,
        stop: bytes,
        *,
        downwards: bool = False,
        limit: int = 0,
        row: bytes | None = None,
    ) -> RegionScanner:
        read_point = self._mvcc.read_point
        sources = self._sources(asked, read_point, now_ms)
        if stop and start >= stop:
            sources = []
        self._read_points[read_point] += 1
        return RegionScanner(
            sources,
            self.encoder,
            start,
            stop,
            downwards=downwards,
            limit=limit,
            row=row,
            on_close=lambda: self._release(read_point),
        )

    def _release(self, read_point: int) -> None:
        self._read_points[read_point] -= 1
        if not self._read_points[read_point]:
            del self._read_points[read_point]

    def _least_read_point(self) -> int:
        return min(self._read_points, default=self._mvcc.read_point)


def _cells_of(mutation: Mutation) -> CellBatch:
    """The cells of a mutation as a row, in the order a read returns them."""
    out = CellBatch()
    for family, qualifier, timestamp, kind, value in sorted(
        mutation.cells, key=lambda cell: cell[:2]
    ):
        out.append(mutation.row, family, qualifier, timestamp, kind, value)
    out.end_row()
    return out
