"""What a memstore says it takes is what the interpreter allocated for it."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from raybase.storage.key import cell_key
from raybase.storage.memstore import MemStore
from raybase.storage.tags import TaggedValue, ttl_tag


def cells(shape: str, number: int) -> tuple[bytes, bytes]:
    row, value = b"row%09d" % number, b"%d" % number
    if shape == "tombstones":
        return cell_key(row, b"", 1_000, 14, number), value[:0]
    if shape == "ten columns":
        row = b"row%09d" % (number // 10)
        return cell_key(row, b"field%d" % (number % 10), 1_000, 4, number), value.ljust(100)
    if shape == "tagged":
        tags = ttl_tag(number)
        return cell_key(row, b"q", 1_000, 4, number), TaggedValue(value.ljust(50), tags)
    length = {"small values": 10, "values of 100 bytes": 100, "values of 2 KiB": 2048}[shape]
    return cell_key(row, b"field0", 1_000, 4, number), value.ljust(length)


@pytest.mark.parametrize(
    ("shape", "batch"),
    [
        ("tombstones", 100),
        ("small values", 1),
        ("small values", 100),
        ("values of 100 bytes", 100),
        ("values of 2 KiB", 100),
        ("ten columns", 100),
        ("tagged", 1),
    ],
)
def test_memory_is_counted_within_a_tenth(shape: str, batch: int) -> None:
    memstore, taken, count = MemStore(), 0, 8_000
    gc.collect()
    tracemalloc.start()
    try:
        for first in range(0, count, batch):
            pairs = [cells(shape, number) for number in range(first, first + batch)]
            keys, values = [key for key, _ in pairs], [value for _, value in pairs]
            taken += memstore.add(keys, values, first + 1)
        del pairs, keys, values
        gc.collect()
        allocated, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken == memstore.memory_bytes
    assert memstore.memory_bytes == pytest.approx(allocated, rel=0.1)


def test_cells_that_were_there_take_nothing_again() -> None:
    memstore = MemStore()
    pairs = [cells("small values", number) for number in range(100)]
    keys, values = [key for key, _ in pairs], [value for _, value in pairs]
    memstore.add(keys, values, 1)
    assert memstore.add(keys, values, 1) == 0
    assert memstore.add(keys[:1], values[:1], 1) == 0
