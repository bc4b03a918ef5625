"""raybase's storage engine on one core: a region with its log and files on a disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from raybase.config import StoreConfig
from raybase.errors import BlockMiss
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Get, Mutation, Put, Scan
from raybase.storage.block_cache import BlockCache, CacheKey
from raybase.storage.compaction import compact
from raybase.storage.hfile import HFileImage, HFileReader, HFileWriter, warm_up
from raybase.storage.hfile.blocks import DATA, ENCODED_DATA
from raybase.storage.manifest import Manifest
from raybase.storage.region import Region
from raybase.storage.store_file import StoreFile, entry_of
from raybase.storage.wal import WalEncoder

from .cells import Cells

NOW_MS: Final = 1_700_000_000_000
SCAN_BYTES: Final = 2 << 20
T = TypeVar("T")


class Engine:
    """A region that does its own I/O, one thing after another.

    Args:
        directory: for its files and its log.
        cells: what it will be given.
        cache_bytes: of the block cache.
        sync: whether a batch is on the disk when ``put`` returns.

    """

    name = "raybase"

    def __init__(
        self, directory: Path, cells: Cells, *, cache_bytes: int = 2**32, sync: bool = False
    ) -> None:
        warm_up()
        self.cells = cells
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        families = tuple(FamilyDescriptor(name) for name in cells.shape.families)
        self.info = RegionInfo(TableName.parse("bench"), region_id=1)
        self.table = TableDescriptor(self.info.table, families)
        self.cache = BlockCache(cache_bytes)
        self.region = self._open(Manifest(1, self.info), {})
        self._sync = sync
        self._descriptors: dict[str, int] = {}
        self._log = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._encoder = WalEncoder()
        os.write(self._log, self._encoder.begin())
        self._paths = 0
        self.fetched: list[CacheKey] = []
        self._data_blocks: set[CacheKey] = set()
        self.gets = {row: Get(row) for row in cells.rows}

    def close(self) -> None:
        for descriptor in (self._log, *self._descriptors.values()):
            os.close(descriptor)

    def _open(self, manifest: Manifest, files: dict[bytes, list[StoreFile]]) -> Region:
        config = StoreConfig(flush_bytes=2**40)
        return Region(self.info, self.table, manifest, files, config, self.cache)

    # Writes

    def mutations(self, numbers: Sequence[int]) -> list[Mutation]:
        """The puts of these rows."""
        puts: list[Mutation] = []
        for number in numbers:
            put = Put(self.cells.rows[number])
            columns = zip(self.cells.shape.columns, self.cells.values(number), strict=True)
            for (family, qualifier), value in columns:
                put.add(family, qualifier, value)
            puts.append(put)
        return puts

    def put(self, mutations: Sequence[Mutation]) -> None:
        """One batch: into the log, into the memstore, visible."""
        write = self.region.write(mutations, NOW_MS)
        os.write(self._log, self._encoder.batch([write.record], self._encoder.offset))
        if self._sync:
            os.fdatasync(self._log)
        self.region.complete(write)

    def flush(self) -> None:
        """From the snapshots to durable files."""
        plan = self.region.begin_flush(NOW_MS)
        assert plan is not None, "there is nothing to flush"
        files = {}
        for family in plan.families:
            writer = HFileWriter(self.region.stores[family].family, self.region.encoder)
            for window in plan.slices(family):
                writer.append_window(window)
            files[family] = self.add(family, writer.finish(max_sequence_id=plan.sequence_id))
        manifest = self.region.flush_manifest(plan, [file.entry for file in files.values()])
        self.region.commit_flush(plan, files, manifest)

    def add(self, family: bytes, image: HFileImage) -> StoreFile:
        """Writes a finished file and opens it."""
        self._paths += 1
        path = str(self.directory / f"{self._paths}.hfile")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        os.write(descriptor, image.data)
        os.fdatasync(descriptor)
        return self.open_file(path, descriptor, family)

    def open_file(self, path: str, descriptor: int, family: bytes) -> StoreFile:
        self._descriptors[path] = descriptor
        size = os.fstat(descriptor).st_size
        offset, length = HFileReader.tail_range(size)
        while True:
            try:
                reader = HFileReader.from_tail(path, size, os.pread(descriptor, length, offset))
                return StoreFile(entry_of(family, path, reader.stats), reader)
            except BlockMiss as miss:
                offset, length = miss.offset, size - miss.offset

    def adopt(self, family: bytes, file: StoreFile) -> None:
        """A region of this one file, instead of the present one."""
        self.region = self._open(Manifest(1, self.info, files=(file.entry,)), {family: [file]})

    def compact(self, *, keep: bool = True) -> int:
        """Merges all files of every family from their bytes; returns the cells of the inputs.

        Unless the outcome is kept, the inputs stay, and may be merged again.
        """
        cells = 0
        for family in self.region.stores:
            compaction = self.region.plan_compaction(family, NOW_MS, major=True)
            assert compaction is not None, "there is nothing to compact"
            inputs = [
                StoreFile(entry, HFileReader.from_image(entry.path, self._image(entry.path)))
                for entry in compaction.inputs
            ]
            file = self.add(family, compact(inputs, compaction.options, BlockCache(2**24)))
            if keep:
                manifest = self.region.compaction_manifest(compaction, file.entry)
                self.region.commit_compaction(compaction, file, manifest)
            else:
                self.region.abort_compaction(compaction)
            cells += sum(entry.entries for entry in compaction.inputs)
        return cells

    def _image(self, path: str) -> memoryview:
        return memoryview(Path(path).read_bytes())

    # Reads

    def get(self, row: bytes) -> int:
        get = self.gets.get(row) or Get(row)
        return len(self.fetching(lambda: self.region.get(get, NOW_MS)))

    def get_many(self, rows: Sequence[bytes]) -> int:
        gets = list(map(self.gets.__getitem__, rows))
        return sum(map(len, self.fetching(lambda: self.region.get_many(gets, NOW_MS))))

    def scan(self) -> int:
        return self.scan_with(Scan())

    def scan_with(self, scan: Scan) -> int:
        scanner = self.region.scanner(scan, NOW_MS)
        cells = 0
        while not scanner.exhausted:
            cells += len(self.fetching(lambda: scanner.next(bytes_max=SCAN_BYTES)))
        return cells

    def fetching(self, step: Callable[[], T]) -> T:
        """What ``step`` returns, called again after each block it misses."""
        while True:
            try:
                return step()
            except BlockMiss as miss:
                self._fetch(miss)

    def _fetch(self, miss: BlockMiss) -> None:
        for one in miss.all:
            data = os.pread(self._descriptors[one.path], one.length, one.offset)
            self.region.admit(one.path, one.offset, data)
            if data.startswith((DATA, ENCODED_DATA)):
                self.fetched.append((one.path, one.offset))
                self._data_blocks.add((one.path, one.offset))

    def forget_blocks(self) -> None:
        """Drops all data blocks that were ever fetched, and so all there are in the cache."""
        for key in self._data_blocks:
            self.cache.remove(key)

    def forget_fetched(self) -> int:
        """Drops the data blocks fetched since the last call; returns how many these were."""
        fetched, self.fetched = self.fetched, []
        for key in fetched:
            self.cache.remove(key)
        return len(fetched)
