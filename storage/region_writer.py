"""The writing half of a region: checks, numbers, applies; appends and conditions; replay.

A write is checked whole, then gets the next number and is applied to the memstores at once,
where only writes see it; readers see it when it and all before it are durable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..config import StoreConfig
from ..errors import IllegalArgumentError, RegionTooBusyError
from ..model import (
    ALL_TIME,
    META_TABLE,
    CellType,
    Durability,
    RegionInfo,
    TableDescriptor,
    TimeRange,
)
from ..operations import Condition, Get, Mutation, MutationKind
from .cells import CellBatch
from .edits import EditBuilder, durability_of
from .key import END, RowEncoder, split_key, unescape
from .manifest import Manifest
from .mvcc import Mvcc, RegionClock
from .nonce_table import NonceTable
from .nonces import Nonces
from .read_modify_write import Newest, at_least, holds, work_out
from .reading import Reading
from .region_reader import RegionReader
from .store import Store
from .store_scanner import read_row
from .wal import FamilyCells, WalRecord, encode_record, record_address

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


class RegionWriter:
    """What changes a region's memstores, and all that goes with it.

    Args:
        info: rows outside of it are refused.
        table: its families and options.
        stores: the region's, by family; changed here.
        encoder: the table's row encoder.
        manifest: what the region was opened with.
        config: sizes and limits.
        nonce_ttl_ms: how long a client may retry an operation.
        nonce_tables: the files of nonces that the manifest names.

    """

    def __init__(
        self,
        info: RegionInfo,
        table: TableDescriptor,
        stores: Mapping[bytes, Store],
        encoder: RowEncoder,
        manifest: Manifest,
        config: StoreConfig,
        nonce_ttl_ms: int,
        nonce_tables: Sequence[NonceTable],
    ) -> None:
        in_files = [entry.max_sequence_id for entry in manifest.files]
        highest = max(manifest.max_sequence_id, *manifest.flushed.values(), *in_files, 0)
        self.mvcc = Mvcc(highest)
        self.clock = RegionClock(manifest.clock_ms)
        self.nonces = Nonces(nonce_ttl_ms, manifest.clock_ms, manifest.nonce_age_ms, nonce_tables)
        self.edits = EditBuilder(
            info, table, encoder, config.cell_bytes_max, self._newest_timestamp
        )
        self.memory_bytes = 0
        """Memory that cells outside of files take."""
        self.flush_bytes = table.flush_bytes or config.flush_bytes
        self._reader = RegionReader(info, stores, encoder, self.mvcc, self.edits)
        self._info = info
        self._table = table
        self._stores = stores
        self._encoder = encoder
        self._address = record_address(info.encoded_name, info.table)
        self._is_meta = info.table == META_TABLE
        self._memory_bytes_max = self.flush_bytes * config.flush_block_multiplier
        self._now_ms = 0

    def write(self, mutations: Sequence[Mutation], now_ms: int) -> Write:
        """As ``Region.write``."""
        self._check_room()
        self._now_ms = now_ms
        timestamp = self.clock.read(now_ms)
        cells, deletes_now = self.edits.build(mutations, timestamp, self.mvcc.last + 1)
        return self._apply(cells, mutations, timestamp, deletes_now=deletes_now)

    def read_modify_write(
        self,
        mutations: Sequence[Mutation],
        now_ms: int,
        condition: Condition | None = None,
        nonce_group: int = 0,
    ) -> Write:
        """As ``Region.read_modify_write``."""
        if not mutations:
            raise IllegalArgumentError("a write without a mutation")
        row = mutations[0].row if condition is None else condition.row
        if any(mutation.row != row for mutation in mutations):
            raise IllegalArgumentError("an atomic write is about one row")
        self.edits.check_row(row)
        self._now_ms = now_ms
        nonce = next((one.nonce for one in mutations if one.nonce), 0)
        earlier = self.nonces.find(nonce_group, nonce)
        if earlier is not None:
            return self._recognised(mutations, nonce_group, nonce, earlier)
        self._check_room()
        server_time = timestamp = self.clock.read(now_ms)
        if condition is not None:
            found = self._condition_cell(condition)
            if condition.filter is not None:
                does_hold = found is not None
            else:
                does_hold = holds(condition, None if found is None else found[1])
            if not does_hold:
                return Write(self.mvcc.last, self._durability(mutations), applied=False)
            timestamp = server_time if found is None else max(server_time, found[0])
        concrete = [work_out(one, server_time, self._newest_of) for one in mutations]
        results = tuple(
            _cells_of(after) if before.return_results and before is not after else None
            for before, after in zip(mutations, concrete, strict=True)
        )
        if timestamp > server_time:
            concrete = [at_least(one, timestamp) for one in concrete]
        cells, deletes_now = self.edits.build(concrete, server_time, self.mvcc.last + 1)
        write = self._apply(
            cells, mutations, server_time, deletes_now=deletes_now, nonce=(nonce_group, nonce)
        )
        if nonce:
            self._add_nonce(nonce_group, nonce, write.sequence_id, server_time, cells)
        write.results = results
        return write

    def replay(self, record: WalRecord) -> int:
        """As ``Region.replay``."""
        taken = 0
        for cells in record.families:
            store = self._stores.get(cells.family)
            if store is None or record.sequence_id <= store.flushed:
                continue
            before = len(store.active)
            added = store.active.add(cells.keys, cells.values, record.sequence_id)
            self.memory_bytes += added
            taken += len(store.active) - before
        self.mvcc.advance_to(record.sequence_id)
        self.clock.advance_to(record.clock_ms)
        if record.nonce and self.nonces.find(record.nonce_group, record.nonce) is None:
            self._add_nonce(
                record.nonce_group,
                record.nonce,
                record.sequence_id,
                record.clock_ms,
                record.families,
            )
        return taken

    def memstore_records(self) -> Iterator[bytes]:
        """As ``Region.memstore_records``."""
        clock_ms = self.clock.last_ms
        for group, nonce, sequence_id in self.nonces.unflushed():
            yield encode_record(self._address, sequence_id, clock_ms, (), group, nonce)
        for store in self._stores.values():
            for memstore in store.memstores:
                for window in memstore.slices(HAND_OVER_CELLS):
                    yield encode_record(
                        self._address,
                        self.mvcc.last,
                        clock_ms,
                        (FamilyCells(store.family.name, window.keys, window.values),),
                    )

    def _check_room(self) -> None:
        if self.memory_bytes > self._memory_bytes_max and not self._is_meta:
            raise RegionTooBusyError(
                f"region {self._info} holds {self.memory_bytes} bytes in memory, over its limit "
                f"of {self._memory_bytes_max}: try again when they are flushed"
            )

    def _durability(self, mutations: Sequence[Mutation]) -> Durability:
        default = self._table.durability or Durability.SYNC_WAL
        asked = Durability(durability_of(mutations, default))
        return max(asked, Durability.SYNC_WAL) if self._is_meta else asked

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
        number = self.mvcc.begin()
        self.clock.assigned(timestamp, to_delete=deletes_now)
        for one in cells:
            added = self._stores[one.family].active.add(one.keys, one.values, number)
            self.memory_bytes += added
        record = b""
        if durability != Durability.SKIP_WAL:
            record = encode_record(self._address, number, timestamp, cells, *nonce)
        return Write(number, durability, record)

    def _add_nonce(
        self,
        group: int,
        nonce: int,
        sequence_id: int,
        clock_ms: int,
        families: Sequence[FamilyCells],
    ) -> None:
        before = self.nonces.memory_bytes
        self.nonces.add(group, nonce, sequence_id, clock_ms, _made_by(families))
        self.memory_bytes += self.nonces.memory_bytes - before

    def _recognised(
        self, mutations: Sequence[Mutation], group: int, nonce: int, earlier: int
    ) -> Write:
        """The answer to a retry: as the first one, if that is known or its versions are left."""
        results: list[CellBatch | None] = []
        for mutation in mutations:
            if mutation.kind not in (MutationKind.APPEND, MutationKind.INCREMENT):
                results.append(None)
                continue
            columns = list(dict.fromkeys((cell[0], cell[1]) for cell in mutation.cells))
            found = dict(self.nonces.made_by(group, nonce))
            if not found.keys() >= set(columns):
                times = mutation.time_range
                found = {
                    **self._newest(mutation.row, columns, self.mvcc.last, times),
                    **self._newest(mutation.row, columns, earlier, times),
                }
            cells = [
                (*column, found[column][0], CellType.PUT.value, found[column][1])
                for column in columns
                if column in found
            ]
            results.append(_cells_of(Mutation(mutation.kind, mutation.row, cells)))
        durability = self._durability(mutations)
        return Write(earlier, durability, b"", False, True, tuple(results))

    def _condition_cell(self, condition: Condition) -> tuple[int, bytes] | None:
        """What the condition is about: the column's newest cell, or the first that its filter
        leaves of the row."""
        if condition.filter is not None:
            asked = Get(
                condition.row,
                time_range=condition.time_range,
                filter=condition.filter,
                read_uncommitted=True,
            )
            left = self._reader.get(asked, self._now_ms)
            return (left.timestamps[0], left.values[0]) if left else None
        self.edits.check_family(condition.family)
        store = self._stores[condition.family]
        reading = self._reading(store, (condition.qualifier,), condition.time_range)
        cells = read_row(store, reading, self._encoder.encode(condition.row))
        return (cells.timestamps[0], cells.values[0]) if cells.values else None

    def _newest_of(
        self, row: bytes, columns: Sequence[tuple[bytes, bytes]], times: TimeRange
    ) -> Newest:
        return self._newest(row, columns, self.mvcc.last, times)

    def _newest(
        self,
        row: bytes,
        columns: Sequence[tuple[bytes, bytes]],
        read_point: int,
        times: TimeRange,
    ) -> Newest:
        """The newest version of each column that has one, durable or not."""
        encoded = self._encoder.encode(row)
        offset = len(encoded) + len(END)
        found = {}
        for family in dict.fromkeys(column[0] for column in columns):
            self.edits.check_family(family)
            store = self._stores[family]
            qualifiers = [column[1] for column in columns if column[0] == family]
            reading = self._reading(store, qualifiers, times, read_point=read_point)
            cells = read_row(store, reading, encoded)
            for column, timestamp, value in zip(
                cells.columns, cells.timestamps, cells.values, strict=True
            ):
                found[family, unescape(column[offset : -len(END)])] = (timestamp, value)
        return found

    def _newest_timestamp(self, row: bytes, family: bytes, qualifier: bytes, n: int) -> int | None:
        store = self._stores[family]
        reading = self._reading(store, (qualifier,), ALL_TIME, versions=n + 1)
        timestamps = read_row(store, reading, self._encoder.encode(row)).timestamps
        return timestamps[n] if n < len(timestamps) else None

    def _reading(
        self,
        store: Store,
        qualifiers: Sequence[bytes],
        times: TimeRange,
        *,
        versions: int = 1,
        read_point: int | None = None,
    ) -> Reading:
        """Of what was applied, durable or not."""
        return Reading(
            store.family,
            self.mvcc.last if read_point is None else read_point,
            self._now_ms,
            versions,
            times,
            qualifiers,
            has_tags=store.has_tags,
        )


def _made_by(families: Sequence[FamilyCells]) -> Newest:
    """The puts of an atomic write."""
    made = {}
    for cells in families:
        for key, value in zip(cells.keys, cells.values, strict=True):
            _, qualifier, timestamp, kind, _ = split_key(key)
            if kind == CellType.PUT:
                made[cells.family, qualifier] = (timestamp, value)
    return made


def _cells_of(mutation: Mutation) -> CellBatch:
    """The cells of a mutation as a row, in the order a read returns them."""
    out = CellBatch()
    for family, qualifier, timestamp, kind, value in sorted(
        mutation.cells, key=lambda cell: cell[:2]
    ):
        out.append(mutation.row, family, qualifier, timestamp, kind, value)
    out.end_row()
    return out
