"""Where a get finds its block: in the cache, in its second tier, in the page cache, on a disk.

A region of one file; rows at random, so that nearly every get wants another block. What a
server does for a missed block is done here as well: a task reads it, it is verified, decoded
and put into the cache, and the get begins again.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from raybase.actors.posix import PosixFiles
from raybase.actors.store_io import StoreIO, open_reader
from raybase.actors.system import SystemClock, SystemEntropy
from raybase.config import MIB, StoreConfig
from raybase.errors import BlockMiss
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Get
from raybase.runtime import Runtime
from raybase.storage.hfile import HFileReader, HFileWriter, warm_up
from raybase.storage.key import PLAIN_ROWS, cell_key
from raybase.storage.manifest import Manifest
from raybase.storage.region import Region
from raybase.storage.store_file import StoreFile, entry_of

from .engine.cells import Values, row_of
from .lab import Lab
from .report import Figure, figure
from .settings import Settings
from .timing import quiet_collector

FAMILY: Final = FamilyDescriptor(b"f")
PATH: Final = "f/1"
NOW_MS: Final = 1_700_000_000_000
SLOW_READ_S: Final = 0.005


class SlowReads(PosixFiles):
    """A root whose reads take as long as an object store's, or a busy disk's."""

    async def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        await asyncio.sleep(SLOW_READ_S)
        return await super().read(path, offset, length)


class Server:
    """What a region server does for gets, without its wire."""

    def __init__(self, io: StoreIO, reader: HFileReader) -> None:
        info = RegionInfo(TableName.parse("bench"), region_id=1)
        file = StoreFile(entry_of(FAMILY.name, PATH, reader.stats), reader)
        manifest = Manifest(1, info, files=(file.entry,))
        table = TableDescriptor(info.table, (FAMILY,))
        files = {FAMILY.name: [file]}
        self.io = io
        self.reader = reader
        self.region = Region(info, table, manifest, files, io.config, io.cache)

    async def get(self, get: Get) -> None:
        while True:
            try:
                batch = self.region.get(get, NOW_MS)
            except BlockMiss as miss:
                await self.io.fetch(miss, self.reader)
            else:
                assert len(batch) == 1
                return


def details(settings: Settings, lab: Lab) -> list[Figure]:
    """A get by where its block is."""
    rows = settings.some(400_000, 100_000)
    gets = settings.some(4_000, 1_000)
    plenty, little = 1024 * MIB, MIB
    figures = []
    with lab.directory() as directory:
        write_file(directory, rows)
        for what, slow, first, second in (
            ("in the cache", False, plenty, 0),
            ("in the second tier", False, little, plenty),
            ("in the page cache", False, little, 0),
            ("on a disk of 5 ms", True, little, 0),
            ("in the second tier, above a disk of 5 ms", True, little, plenty),
        ):
            files = (SlowReads if slow else PosixFiles)(str(directory))
            config = replace(StoreConfig(), block_cache_bytes=first, block_cache_l2_bytes=second)
            times_s = asyncio.run(measure(files, config, rows, gets))
            files.close()
            figures.append(figure(f"get: block {what}", "us", None, times_s))
    return figures


def write_file(directory: Path, rows: int) -> None:
    values = Values()
    writer = HFileWriter(FAMILY, PLAIN_ROWS)
    for first in range(0, rows, 1_000):
        some = range(first, min(first + 1_000, rows))
        keys = [cell_key(row_of(number), b"q0", NOW_MS, 4, 1) for number in some]
        writer.append(keys, [values.of(number) for number in some])
    path = directory / PATH
    path.parent.mkdir()
    path.write_bytes(writer.finish(max_sequence_id=1).data)


async def measure(files: PosixFiles, config: StoreConfig, rows: int, count: int) -> list[float]:
    """Seconds of each get, when the tiers hold what they can of all blocks."""
    warm_up()
    unused: Any = None
    runtime = Runtime(SystemClock(), SystemEntropy(), files, unused, unused, unused, unused)
    reader = await open_reader(files, PATH, await files.size(PATH))
    server = Server(StoreIO.create(runtime, config, 0), reader)
    for number in range(0, rows, 100):
        await server.get(Get(row_of(number)))
    chance = random.Random(7)
    wanted = [Get(row_of(chance.randrange(rows))) for _ in range(count)]
    times_s = []
    with quiet_collector():
        for get in wanted:
            began_s = time.perf_counter()
            await server.get(get)
            times_s.append(time.perf_counter() - began_s)
    return times_s
