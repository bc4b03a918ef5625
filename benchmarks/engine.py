"""Times the storage engine: medians per cell or per call, on one core, without any I/O.

python benchmarks/engine.py [--cells 200000] [--rounds 5] [--columns 1]
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable

from raybase.config import StoreConfig
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Get, Increment, Mutation, Put, Scan
from raybase.storage.block_cache import BlockCache
from raybase.storage.compaction import compact
from raybase.storage.hfile import HFileReader, HFileWriter, warm_up
from raybase.storage.manifest import Manifest
from raybase.storage.region import Region
from raybase.storage.store_file import StoreFile, entry_of

BATCH = 1000
VALUE_BYTES = 100
NOW_MS = 1_700_000_000_000


class Bench:
    """A region in memory and what was measured of it."""

    def __init__(self, cells: int, columns: int, rounds: int) -> None:
        warm_up()
        self.rounds = rounds
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

    def scan(self, scan: Scan, limit: int = 0) -> list[float]:
        """Seconds a cell, for each round."""
        times = []
        for _ in range(self.rounds):
            start = time.perf_counter()
            scanner = self.region.scanner(scan, NOW_MS)
            cells = 0
            while not scanner.exhausted:
                cells += len(scanner.next(bytes_max=2**21))
            times.append((time.perf_counter() - start) / cells)
            assert limit or cells == len(self.rows) * len(self.columns)
        return times

    def increment(self) -> list[float]:
        times = []
        for row in self.random.choices(self.rows, k=2000):
            start = time.perf_counter()
            write = self.region.read_modify_write([Increment(row).add(b"f", b"c")], NOW_MS)
            self.region.complete(write)
            times.append(time.perf_counter() - start)
        return times


def report(name: str, times: list[float]) -> None:
    worst = statistics.quantiles(times, n=100)[98] if len(times) > 100 else max(times)
    median = statistics.median(times)
    sys.stdout.write(f"{name:48} {median * 1e6:8.2f} us   p99 {worst * 1e6:8.2f} us\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--columns", type=int, default=1)
    options = parser.parse_args()
    bench = Bench(options.cells, options.columns, options.rounds)
    run: Callable[[str, list[float]], None] = report
    run("put, batches of 1,000 cells, a cell", bench.load())
    run("get from the memstore, a call", bench.get())
    run("scan of the memstore, a cell", bench.scan(Scan()))
    run("flush, a cell", [bench.flush()])
    bench.scan(Scan())
    run("get from one cached file, a call", bench.get())
    run("scan of one cached file, a cell", bench.scan(Scan()))
    run("the same downwards, a cell", bench.scan(Scan(reversed=True)))
    for _ in range(3):
        bench.load()
        bench.flush()
    bench.scan(Scan())
    run("get from four cached files, a call", bench.get())
    run("scan of four cached files, a cell of the result", bench.scan(Scan()))
    run("major compaction of four files, a cell", [bench.compact()])
    run("increment, a call", bench.increment())


if __name__ == "__main__":
    main()
