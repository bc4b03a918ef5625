"""A region with its files and its log in dictionaries, and a model of HBase's rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest

from raybase.config import StoreConfig
from raybase.errors import BlockMiss
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Condition, Get, Mutation, Scan
from raybase.storage import wal
from raybase.storage.block_cache import BlockCache
from raybase.storage.cells import CellBatch
from raybase.storage.compaction import Compaction, CompactionOptions, compact
from raybase.storage.hfile import HFileReader, HFileWriter
from raybase.storage.manifest import Manifest
from raybase.storage.nonce_table import NonceTable
from raybase.storage.region import Region, RegionScanner, Write
from raybase.storage.store_file import StoreFile, entry_of

T = TypeVar("T")


class Engine:
    """Does for a region what a server does, at once and without any I/O."""

    def __init__(
        self,
        *families: FamilyDescriptor,
        config: StoreConfig | None = None,
        info: RegionInfo | None = None,
        cache_bytes: int = 0,
    ) -> None:
        self.info = info or RegionInfo(TableName.parse("t"), region_id=1)
        families = families or (FamilyDescriptor(b"f"),)
        self.table = TableDescriptor(self.info.table, families)
        self.config = config or StoreConfig(compaction_bytes_min=0)
        self.cache_bytes = cache_bytes
        self.disk: dict[str, bytes] = {}
        self.archive: dict[str, bytes] = {}
        self.log: list[bytes] = []
        self.now_ms = 1_000_000
        self.misses = 0
        self.files_written = 0
        self.manifest = Manifest(1, self.info)
        self.open()

    def open(self) -> None:
        """A new life from files, manifest and log; what was not completed may be in the log."""
        self.cache = BlockCache(self.cache_bytes)
        files: dict[bytes, list[StoreFile]] = {}
        for entry in self.manifest.files:
            files.setdefault(entry.family, []).append(self._open_file(entry))
        tables = [
            NonceTable.decode(entry, self.disk[entry.path]) for entry in self.manifest.nonce_files
        ]
        self.region = Region(
            self.info,
            self.table,
            self.manifest,
            files,
            self.config,
            self.cache,
            nonce_tables=tables,
        )
        for record in self.log:
            self.region.replay(wal.decode_record(record))
        self.region.next_sequence_id()

    def _open_file(self, entry: Any) -> StoreFile:
        data = self.disk[entry.path]
        offset, _ = HFileReader.tail_range(len(data))
        try:
            reader = HFileReader.from_tail(entry.path, len(data), data[offset:])
        except BlockMiss as miss:
            reader = HFileReader.from_tail(entry.path, len(data), data[miss.offset :])
        return StoreFile(entry, reader)

    def fetching(self, step: Callable[[], T]) -> T:
        """The result of ``step``, called again after every block it misses."""
        while True:
            try:
                return step()
            except BlockMiss as miss:
                self.misses += 1
                assert self.misses < 1_000_000
                stored = self.disk.get(miss.path) or self.archive[miss.path]
                data = stored[miss.offset : miss.offset + miss.length]
                self.region.admit(miss.path, miss.offset, data, keep=miss.keep)

    # Writes

    def finish(self, write: Write) -> Write:
        if write.record:
            self.log.append(write.record)
        self.region.complete(write)
        return write

    def write(self, *mutations: Mutation) -> Write:
        return self.finish(self.fetching(lambda: self.region.write(mutations, self.now_ms)))

    def modify(
        self, *mutations: Mutation, condition: Condition | None = None, nonce_group: int = 0
    ) -> Write:
        return self.finish(
            self.fetching(
                lambda: self.region.read_modify_write(
                    mutations, self.now_ms, condition, nonce_group
                )
            )
        )

    # Reads

    def get(self, get: Get) -> CellBatch:
        return self.fetching(lambda: self.region.get(get, self.now_ms))

    def value(self, row: bytes, qualifier: bytes = b"q", family: bytes = b"f") -> bytes | None:
        batch = self.get(Get(row, {family: (qualifier,)}))
        return batch.values[0] if batch.values else None

    def scanner(self, scan: Scan) -> RegionScanner:
        return self.region.scanner(scan, self.now_ms)

    def scan(self, scan: Scan, **limits: Any) -> list[tuple[Any, ...]]:
        return self.drain(self.scanner(scan), **limits)

    def drain(self, scanner: RegionScanner, **limits: Any) -> list[tuple[Any, ...]]:
        cells: list[tuple[Any, ...]] = []
        while not scanner.exhausted:
            batch = self.fetching(lambda: scanner.next(**limits))
            assert batch.row_ends[-1:] == ([len(batch)] if len(batch) else [])
            cells += batch.cells()
        return cells

    # Files

    def write_file(self, family: bytes, slices: Any, sequence_id: int) -> StoreFile:
        descriptor = self.table.family(family)
        assert descriptor is not None
        writer = HFileWriter(descriptor, self.region.encoder)
        for window in slices:
            writer.append_window(window)
        return self.store(family, writer.finish(max_sequence_id=sequence_id))

    def store(self, family: bytes, image: Any) -> StoreFile:
        self.files_written += 1
        path = f"{family.decode()}/{self.files_written}"
        self.disk[path] = image.data
        return self._open_file(entry_of(family, path, image.stats))

    def flush(self, families: Sequence[bytes] | None = None) -> bool:
        plan = self.region.begin_flush(self.now_ms, families)
        if plan is None:
            return False
        files = {
            family: self.write_file(family, plan.slices(family), plan.sequence_id)
            for family in plan.families
        }
        self.write_nonces(plan)
        entries = [file.entry for file in files.values()]
        self.manifest = self.region.flush_manifest(plan, entries)
        self.region.commit_flush(plan, files, self.manifest)
        return True

    def write_nonces(self, plan: Any) -> None:
        if plan.nonces is not None:
            self.files_written += 1
            path = f"nonces/{self.files_written}"
            for _ in plan.nonces.sort(path):
                pass
            self.disk[path] = b"".join(plan.nonces.table.pieces())

    def compact(self, family: bytes, *, major: bool = False) -> Compaction | None:
        compaction = self.region.plan_compaction(family, self.now_ms, major=major)
        return None if compaction is None else self.run(compaction)

    def compact_oldest(self, family: bytes, count: int) -> Compaction:
        """A minor compaction of so many files, which must not be all."""
        entries = [file.entry for file in self.region.stores[family].files]
        assert count < len(entries)
        descriptor = self.region.stores[family].family
        read_point = self.region._reader.least_read_point()
        options = CompactionOptions(descriptor, False, read_point, self.now_ms)
        return self.run(Compaction(tuple(entries[:count]), options))

    def run(self, compaction: Compaction) -> Compaction:
        output = None if compaction.is_expired else self._merge(compaction)
        entry = None if output is None else output.entry
        self.manifest = self.region.compaction_manifest(compaction, entry)
        for entry in self.region.commit_compaction(compaction, output, self.manifest):
            if not any(one.path == entry.path for one in self.manifest.files):
                self.archive[entry.path] = self.disk.pop(entry.path)
        return compaction

    def _merge(self, compaction: Compaction) -> StoreFile:
        inputs = []
        for entry in compaction.inputs:
            file = self._open_file(entry)
            file.reader.attach_image(memoryview(self.disk[entry.path]))
            inputs.append(file)
        image = compact(inputs, compaction.options, BlockCache(0))
        return self.store(compaction.family, image)


@pytest.fixture
def make_engine() -> type[Engine]:
    return Engine
