"""The storage engine on one core, without any I/O: a region in memory, and what it costs."""

from __future__ import annotations

import random
import time

from raybase.config import StoreConfig
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Get, Increment, Mutation, Put, Scan
from raybase.storage.block_cache import BlockCache
from raybase.storage.compaction import compact
from raybase.storage.hfile import HFileReader, HFileWriter, warm_up
from raybase.storage.manifest import Manifest
from raybase.storage.region import Region
from raybase.storage.store_file import StoreFile, entry_of

from .lab import Lab
from .report import Figure, figure
from .settings import Settings

BATCH = 1000
VALUE_BYTES = 100
NOW_MS = 1_700_000_000_000


class Engine:
    """A region in memory. Times are in seconds, a cell or a call."""

    def __init__(self, cells: int, columns: int = 1) -> None:
        warm_up()
        self.random = random.Random(7)
        self.columns = [b"q%d" % number for number in range(columns)]
        self.rows = [b"user%016d" % number for number in range(cells // columns)]
        info = RegionInfo(TableName.parse("bench"), region_id=1)
        self.table = TableDescriptor(info.table, (FamilyDescriptor(b"f"),))
        config = StoreConfig(flush_bytes=2**40)
        self.cache = BlockCache(2**32)
        self.region = Region(info, self.table, Manifest(1, info), {}, config, self.cache)
        self.images: dict[str, bytes] = {}

    def mutations(self) -> list[list[Mutation]]:
        """Every row once, in random order, in batches."""
        rows = self.rows[:]
        self.random.shuffle(rows)
        value = self.random.randbytes(VALUE_BYTES // 2) * 2
        puts: list[Mutation] = []
        for row in rows:
            put = Put(row)
            for column in self.columns:
                put.add(b"f", column, value)
            puts.append(put)
        size = max(BATCH // len(self.columns), 1)
        return [puts[start : start + size] for start in range(0, len(puts), size)]

    def load(self) -> list[float]:
        """Seconds a cell, for each batch."""
        times = []
        for batch in self.mutations():
            start = time.perf_counter()
            write = self.region.write(batch, NOW_MS)
            self.region.complete(write)
            times.append((time.perf_counter() - start) / len(batch) / len(self.columns))
        return times

    def flush(self) -> float:
        """Seconds a cell."""
        start = time.perf_counter()
        plan = self.region.begin_flush(NOW_MS)
        assert plan is not None
        writer = HFileWriter(self.table.families[0], self.region.encoder)
        cells = 0
        for keys, values in plan.slices(b"f"):
            writer.append(keys, values)
            cells += len(keys)
        image = writer.finish(max_sequence_id=plan.sequence_id)
        file = self.add(f"f{len(self.images)}", image.data, image.stats)
        manifest = self.region.flush_manifest(plan, [file.entry])
        self.region.commit_flush(plan, {b"f": file}, manifest)
        return (time.perf_counter() - start) / cells

    def add(self, path: str, data: bytes, stats: object) -> StoreFile:
        self.images[path] = data
        reader = HFileReader.from_image(path, memoryview(data))
        return StoreFile(entry_of(b"f", path, stats), reader)  # type: ignore[arg-type]

    def compact(self) -> float:
        start = time.perf_counter()
        compaction = self.region.plan_compaction(b"f", NOW_MS, major=True)
        assert compaction is not None
        inputs = [self.region.file(entry.path) for entry in compaction.inputs]
        files = [file for file in inputs if file is not None]
        image = compact(files, compaction.options, BlockCache(2**30))
        file = self.add(f"c{len(self.images)}", image.data, image.stats)
        manifest = self.region.compaction_manifest(compaction, file.entry)
        self.region.commit_compaction(compaction, file, manifest)
        cells = sum(entry.entries for entry in compaction.inputs)
        return (time.perf_counter() - start) / cells

    def get(self) -> list[float]:
        """Seconds a call, for rows at random."""
        gets = [Get(row) for row in self.random.choices(self.rows, k=5000)]
        times = []
        for get in gets:
            start = time.perf_counter()
            batch = self.region.get(get, NOW_MS)
            times.append(time.perf_counter() - start)
            assert len(batch) == len(self.columns)
        return times

    def scan(self, scan: Scan, rounds: int = 1) -> list[float]:
        """Seconds a cell, for each round."""
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            scanner = self.region.scanner(scan, NOW_MS)
            cells = 0
            while not scanner.exhausted:
                cells += len(scanner.next(bytes_max=2**21))
            times.append((time.perf_counter() - start) / cells)
            assert cells == len(self.rows) * len(self.columns)
        return times

    def increment(self) -> list[float]:
        times = []
        for row in self.random.choices(self.rows, k=2000):
            start = time.perf_counter()
            write = self.region.read_modify_write([Increment(row).add(b"f", b"c")], NOW_MS)
            self.region.complete(write)
            times.append(time.perf_counter() - start)
        return times


def details(settings: Settings, _: Lab) -> list[Figure]:
    """What the rows with budgets are made of, inside the engine."""
    engine = Engine(settings.some(200_000, 50_000))
    rounds = settings.some(5, 3)
    figures = [_detail("put in batches of 1,000, a cell", engine.load())]
    figures += _reads(engine, "the memstore", rounds)
    engine.flush()
    engine.scan(Scan())
    figures += _reads(engine, "one cached file", rounds)
    reverse = engine.scan(Scan(reversed=True), rounds)
    figures.append(_detail("scan of one cached file downwards, a cell", reverse))
    for _file in range(3):
        engine.load()
        engine.flush()
    engine.scan(Scan())
    figures += _reads(engine, "four cached files", rounds)
    return [*figures, _detail("increment", engine.increment())]


def _reads(engine: Engine, of_what: str, rounds: int) -> list[Figure]:
    return [
        _detail(f"get from {of_what}", engine.get()),
        _detail(f"scan of {of_what}, a cell of the result", engine.scan(Scan(), rounds)),
    ]


def _detail(operation: str, times_s: list[float]) -> Figure:
    return figure(f"engine: {operation}", "us", None, times_s)
