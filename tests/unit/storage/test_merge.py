"""A compaction's merge, block by block, of files that are not in memory."""

from __future__ import annotations

import random

from raybase.errors import BlockMiss
from raybase.model import FamilyDescriptor
from raybase.storage.block_cache import BlockCache
from raybase.storage.column_state import PUT
from raybase.storage.compaction import BLOCKS_AHEAD, CompactionOptions, Merge
from raybase.storage.hfile import HFileReader, HFileWriter
from raybase.storage.key import END, PLAIN_ROWS, SEQUENCE_MAX, TIMESTAMP_MAX, pack_tail
from raybase.storage.store_file import StoreFile, entry_of

FAMILY = FamilyDescriptor(b"f", block_bytes=256)
OPTIONS = CompactionOptions(FAMILY, major=True, read_point=9, now_ms=9)
NONE = HFileWriter(FAMILY, PLAIN_ROWS).finish(max_sequence_id=1).data


def put(row: int) -> bytes:
    """Its key."""
    return b"%05d" % row + END + b"q" + END + pack_tail(TIMESTAMP_MAX - 5, PUT, SEQUENCE_MAX - 5)


def file_of(rows: list[int]) -> bytes:
    writer = HFileWriter(FAMILY, PLAIN_ROWS)
    writer.append([put(row) for row in rows], [b"%d" % row for row in rows])
    return writer.finish(max_sequence_id=1).data


def opened(name: str, data: bytes) -> StoreFile:
    offset, _ = HFileReader.tail_range(len(data))
    reader = HFileReader.from_tail(name, len(data), data[offset:])
    return StoreFile(entry_of(b"f", name, reader.stats), reader)


def merged(disk: dict[str, bytes]) -> tuple[list[tuple[bytes, bytes]], int]:
    """(cells of the output, number of misses) when every block has to be fetched."""
    cache = BlockCache(0)
    inputs = {name: opened(name, data) for name, data in disk.items()}
    work = Merge(list(inputs.values()), OPTIONS, cache)
    misses = 0
    while not work.exhausted:
        try:
            work.step()
        except BlockMiss as miss:
            misses += 1
            data = disk[miss.path][miss.offset : miss.offset + miss.length]
            inputs[miss.path].reader.admit(miss.offset, data, cache)
    output = HFileReader.from_image("output", memoryview(work.finish().data))
    blocks = list(output.blocks(BlockCache(2**20)))
    return [cell for block in blocks for cell in zip(block.keys, block.values, strict=True)], misses


def test_files_of_unlike_sizes_that_lie_in_and_behind_one_another_become_one() -> None:
    chance = random.Random(1)
    rows = chance.sample(range(3000), 3000)
    disk = {
        "large": file_of(sorted(rows[:2000])),
        "thin": file_of(sorted(rows[2000:2010])),
        "middle": file_of(sorted(rows[2010:])),
        "none": NONE,
        "behind": file_of(list(range(3000, 3200))),
    }
    cells, misses = merged(disk)
    assert cells == [(put(row), b"%d" % row) for row in range(3200)]
    assert misses > 10 * BLOCKS_AHEAD, "every block is missed once"


def test_a_cell_that_two_files_have_stays_once() -> None:
    rows = list(range(0, 500, 5))
    cells, _ = merged({"one": file_of(rows), "other": file_of(rows), "more": file_of([1, 498])})
    assert [key for key, _ in cells] == [put(row) for row in sorted([*rows, 1, 498])]
