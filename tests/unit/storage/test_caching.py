"""Which reads leave their blocks in the cache, with which priority, and in which tier."""

from __future__ import annotations

import gc

import pytest

from raybase.model import FamilyDescriptor
from raybase.operations import Get, Put, Scan
from raybase.storage.block_cache import BlockCache, Category, Priority

from .conftest import Engine

ROWS = 3_000


def filled(
    family: FamilyDescriptor, *, cache_bytes: int = 1 << 24, second_bytes: int = 0
) -> Engine:
    """One file of several blocks, and nothing of it in the cache."""
    engine = Engine(family, cache_bytes=cache_bytes)
    for first in range(0, ROWS, 100):
        engine.write(
            *(
                Put(b"r%05d" % row).add(b"f", b"q", b"%d" % row * 20)
                for row in range(first, first + 100)
            )
        )
    engine.flush()
    engine.open()
    engine.misses = 0
    if second_bytes:
        engine.cache.second = BlockCache(0, second_bytes).second
    return engine


@pytest.fixture
def plain() -> Engine:
    return filled(FamilyDescriptor(b"f", block_bytes=4096))


def test_a_scan_that_caches_blocks_reads_the_file_once(plain: Engine) -> None:
    plain.scan(Scan())
    missed = plain.misses
    assert missed > 10
    assert plain.cache.category_bytes(Category.DATA) > 0
    plain.scan(Scan())
    plain.get(Get(b"r00007"))
    assert plain.misses <= missed + 1  # the row filter, which a scan does not ask


@pytest.mark.parametrize("backwards", [False, True])
def test_a_scan_without_caching_leaves_the_blocks_of_others(plain: Engine, backwards: bool) -> None:
    plain.get(Get(b"r00007"))
    before = plain.cache.memory_bytes
    rows = plain.scan(Scan(cache_blocks=False, reversed=backwards))
    assert len(rows) == ROWS
    kept = [entry for bucket in plain.cache._queues for entry in bucket.values()]
    assert sum(entry.bytes for entry in kept if entry.category is Category.DATA) <= before
    plain.misses = 0
    plain.get(Get(b"r00007"))
    assert plain.misses == 0


def test_a_get_without_caching_keeps_filters_and_no_data(plain: Engine) -> None:
    plain.get(Get(b"r00007", cache_blocks=False))
    kept = [entry.category for bucket in plain.cache._queues for entry in bucket.values()]
    assert Category.DATA not in kept
    assert Category.FILTER in kept


def test_a_family_without_block_cache_keeps_none_of_its_data() -> None:
    engine = filled(FamilyDescriptor(b"f", block_bytes=4096, cache_blocks=False))
    engine.scan(Scan())
    engine.get(Get(b"r00007"))
    kept = [entry.category for bucket in engine.cache._queues for entry in bucket.values()]
    assert Category.DATA not in kept


def test_blocks_of_an_in_memory_family_have_its_priority() -> None:
    engine = filled(FamilyDescriptor(b"f", block_bytes=4096, in_memory=True))
    engine.get(Get(b"r00007"))
    assert engine.cache._queues[Priority.IN_MEMORY]
    assert not engine.cache._queues[Priority.SINGLE]


def test_a_block_that_left_the_cache_is_found_in_the_second_tier() -> None:
    engine = filled(FamilyDescriptor(b"f", block_bytes=4096), cache_bytes=0, second_bytes=1 << 24)
    expected = engine.scan(Scan())
    missed = engine.misses
    assert engine.scan(Scan()) == expected
    assert engine.get(Get(b"r01234")).values == [b"1234" * 20]
    assert engine.misses <= missed + 1
    assert engine.cache.second is not None
    assert engine.cache.second.stats.hits > 0


def test_a_scan_without_caching_leaves_the_second_tier_alone() -> None:
    engine = filled(FamilyDescriptor(b"f", block_bytes=4096), second_bytes=1 << 24)
    assert engine.cache.second is not None
    engine.scan(Scan(cache_blocks=False))
    # The index, if it has a block of its own, and no data.
    assert len(engine.cache.second) <= 1


@pytest.mark.parametrize("families", [1, 2])
def test_a_get_that_missed_blocks_leaves_no_circle_of_references(families: int) -> None:
    """Its frames hold what was read, which would stay until garbage is collected."""
    names = [b"f", b"g"][:families]
    engine = Engine(*(FamilyDescriptor(name) for name in names), cache_bytes=1 << 24)
    for _ in range(2):
        put = Put(b"row")
        for name in names:
            put.add(name, b"q", b"value")
        engine.write(put)
        engine.flush()
    engine.get(Get(b"row"))
    engine.open()
    gc.collect()
    gc.disable()
    try:
        engine.misses = 0
        assert len(engine.get(Get(b"row"))) == families
        assert engine.misses
        assert gc.collect() == 0
    finally:
        gc.enable()
