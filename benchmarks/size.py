"""Gets in a large table beside gets in a small one, from real files."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from raybase.config import StoreConfig
from raybase.errors import BlockMiss
from raybase.model import CellType, FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Get
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileReader, HFileWriter
from raybase.storage.key import END, PLAIN_ROWS, SEQUENCE_MAX, TIMESTAMP_MAX, pack_tail
from raybase.storage.manifest import Manifest
from raybase.storage.region import Region
from raybase.storage.store_file import StoreFile, entry_of

from .engine import NOW_MS
from .lab import Lab
from .report import Figure, figure
from .settings import Settings
from .timing import each, quiet_collector, timed

RATIO = 1.2
SMALL_ROWS = 10_000
ASKED_FOR = 2_000
"""Rows that are read: few enough for all their blocks to stay in a cache of the usual size."""
SLICE = 10_000
VALUE_BYTES = 20
T = TypeVar("T")


class FileRegion:
    """A region of one file on the disk, with the block cache a server has."""

    def __init__(self, directory: Path, rows: int) -> None:
        family = FamilyDescriptor(b"f")
        info = RegionInfo(TableName.parse(f"rows{rows}"), region_id=1)
        self.rows = rows
        self.path = directory / f"{rows}.hfile"
        writer = HFileWriter(family, PLAIN_ROWS)
        for first in range(0, rows, SLICE):
            numbers = range(first, min(first + SLICE, rows))
            writer.append([_key(number) for number in numbers], _values(len(numbers)))
        image = writer.finish(max_sequence_id=1)
        self.path.write_bytes(image.data)
        entry = entry_of(b"f", str(self.path), image.stats)
        del image, writer
        self._file = os.open(self.path, os.O_RDONLY)
        config = StoreConfig()
        self.cache = BlockCache(config.block_cache_bytes)
        self.region = Region(
            info,
            TableDescriptor(info.table, (family,)),
            Manifest(1, info, files=(entry,)),
            {b"f": [StoreFile(entry, self._reader())]},
            config,
            self.cache,
        )

    def close(self) -> None:
        os.close(self._file)

    def _reader(self) -> HFileReader:
        size = self.path.stat().st_size
        offset, length = HFileReader.tail_range(size)
        while True:
            try:
                return HFileReader.from_tail(
                    str(self.path), size, os.pread(self._file, length, offset)
                )
            except BlockMiss as miss:
                offset, length = miss.offset, size - miss.offset

    def fetching(self, step: Callable[[], T]) -> T:
        """What ``step`` returns, called again after each block it misses."""
        while True:
            try:
                return step()
            except BlockMiss as miss:
                data = os.pread(self._file, miss.length, miss.offset)
                self.region.admit(miss.path, miss.offset, data)

    def get(self, get: Get) -> None:
        batch = self.fetching(lambda: self.region.get(get, NOW_MS))
        assert len(batch) == 1


def _key(number: int) -> bytes:
    return b"user%012d" % number + _AFTER_ROW


_AFTER_ROW = (
    END + b"q" + END + pack_tail(TIMESTAMP_MAX - NOW_MS, 255 - CellType.PUT.value, SEQUENCE_MAX - 1)
)


def _values(count: int) -> list[bytes]:
    return [b"v" * VALUE_BYTES] * count


def large_and_small(settings: Settings, lab: Lab) -> list[Figure]:
    large_rows = settings.some(settings.table_rows, min(settings.table_rows, 1_000_000))
    with lab.directory() as directory:
        small, cold_small = _measure(directory, SMALL_ROWS, settings)
        large, cold_large = _measure(directory, large_rows, settings)
    in_small = figure("", "us", None, small)
    in_large = figure("", "us", None, large)
    return [
        Figure(
            f"get in a table of {large_rows} rows against {SMALL_ROWS}",
            "times",
            RATIO,
            in_large.median / in_small.median,
            0.5,
            in_large.median / in_small.median,
            None,
            len(large),
            f"cached blocks: {in_large.median:.1f} us against {in_small.median:.1f} us; blocks "
            f"read from the page cache: {cold_large:.0f} us against {cold_small:.0f} us",
        )
    ]


def _measure(directory: Path, rows: int, settings: Settings) -> tuple[list[float], float]:
    """Times of gets of cached blocks, and the median of gets that missed one."""
    region = FileRegion(directory, rows)
    try:
        chance = random.Random(6)
        asked = [Get(b"user%012d" % chance.randrange(rows)) for _ in range(min(ASKED_FOR, rows))]
        cold = []
        for get in asked:
            misses = region.cache.stats.misses
            took_s, _ = timed(lambda get=get: region.get(get))  # type: ignore[misc]
            if region.cache.stats.misses > misses:
                cold.append(took_s)
        assert not region.cache.stats.evictions, "the rows asked for do not fit the cache"
        gets = chance.choices(asked, k=settings.some(50_000, 10_000))
        with quiet_collector():
            times = each(region.get, gets)
        return times, figure("", "us", None, cold).median
    finally:
        region.close()
