from __future__ import annotations

from dataclasses import dataclass

import pytest

from raybase.storage import block_cache
from raybase.storage.block_arena import BUCKET_BYTES, SLOT_BYTES
from raybase.storage.block_cache import (
    ARRIVALS_A_READ,
    BLOCK_BYTES_MAX,
    BlockCache,
    Category,
)


@dataclass
class Item:
    memory_bytes: int = 100


@pytest.fixture
def no_floor(monkeypatch):
    monkeypatch.setattr(block_cache, "BLOCKS_MIN", 0)


def fill(cache, path, count, size=100):
    for n in range(count):
        cache.put((path, n), Item(size))


def here(cache, path, count):
    """Which of the blocks are held, without using them."""
    held = [key for bucket in (*cache._queues, cache._passing) for key in bucket]
    return [n for n in range(count) if (path, n) in held]


def test_a_block_is_found_until_it_is_removed():
    cache = BlockCache(10_000)
    item = Item()
    cache.put(("f", 0), item)
    assert cache.get(("f", 0), Item) is item
    assert cache.get(("f", 1), Item) is None
    cache.remove(("f", 0))
    assert cache.get(("f", 0), Item) is None
    assert cache.memory_bytes == 0
    assert (cache.stats.hits, cache.stats.misses, cache.stats.evictions) == (1, 2, 0)


def test_memory_stays_below_the_capacity(no_floor):
    cache = BlockCache(10_000)
    for n in range(1000):
        cache.put(("f", n), Item(10 + n % 90))
        cache.get(("f", n // 2), Item)
        assert cache.memory_bytes <= 10_000
    assert cache.memory_bytes > 8_500
    assert cache.memory_bytes == sum(
        entry.bytes for bucket in cache._queues for entry in bucket.values()
    )


def test_the_least_recently_used_goes_first(no_floor):
    cache = BlockCache(1_000)
    fill(cache, "f", 9)
    fill(cache, "g", 3)
    assert here(cache, "f", 9)[0] > 0
    assert here(cache, "g", 3) == [0, 1, 2]


def test_what_was_used_since_it_was_passed_over_outlives_what_was_not(no_floor):
    cache = BlockCache(10_000)
    for n in range(60):
        cache.put(("f", n), Item(), category=Category.INDEX)
    for _ in range(3):
        for n in range(0, 60, 2):
            cache.get(("f", n), Item)
        for n in range(20):
            cache.put(("g", n), Item(), category=Category.INDEX)
            cache.remove(("g", n - 1))
        fill(cache, "scan", 100)
    for n in range(60, 100):
        cache.put(("f", n), Item(), category=Category.INDEX)
        cache.get(("f", n % 30 * 2), Item)
    assert set(range(0, 60, 2)) <= set(here(cache, "f", 100))


def test_what_was_just_fetched_stays_though_all_else_is_in_use(no_floor):
    """Whoever fetched it begins again, and must find it."""
    cache = BlockCache(1_000)
    for n in range(100):
        cache.put(("f", n), Item(), category=Category.INDEX)
        assert cache.get(("f", n), Item) is not None
        for held in here(cache, "f", n):
            cache.get(("f", held), Item)


def test_a_place_in_the_cache_is_empty_once_the_block_left(no_floor):
    cache = BlockCache(10_000)
    item = Item()
    place = cache.put(("f", 0), item)
    assert cache.find(("f", 0)) is place
    assert cache.used(place) is item
    cache.put(("f", 0), Item())
    assert cache.used(place) is None
    kept = cache.find(("f", 0))
    cache.remove_file("f")
    assert kept is not None
    assert cache.used(kept) is None
    assert (cache.stats.hits, cache.stats.misses) == (1, 0)


def test_a_place_of_another_cache_is_read_and_not_moved(no_floor):
    one, other = BlockCache(10_000), BlockCache(10_000)
    place = one.put(("f", 0), Item())
    other.put(("f", 0), Item())
    for cache in (one, other):
        fill(cache, "g", ARRIVALS_A_READ)
    assert other.used(place) is not None
    assert one.used(place) is not None
    for cache in (one, other):
        assert cache.memory_bytes == 100 * (1 + ARRIVALS_A_READ)
        cache.remove(("f", 0))
        assert cache.memory_bytes == 100 * ARRIVALS_A_READ


def test_a_scan_does_not_drive_out_what_is_used_again(no_floor):
    cache = BlockCache(10_000)
    fill(cache, "hot", 40)
    fill(cache, "other", ARRIVALS_A_READ)
    for n in range(40):
        cache.get(("hot", n), Item)
    for n in range(1_000):
        cache.put(("scan", n), Item())
        cache.get(("scan", n), Item)  # by the read that missed it
    assert here(cache, "hot", 40) == list(range(40))


def test_a_scan_does_not_drive_out_what_blocks_are_found_by(no_floor):
    cache = BlockCache(10_000)
    cache.put(("index", 0), Item(2_000), category=Category.INDEX)
    cache.put(("filter", 0), Item(2_000), category=Category.FILTER)
    fill(cache, "scan", 1_000)
    assert here(cache, "index", 1) == here(cache, "filter", 1) == [0]


def test_blocks_used_again_give_way_when_they_exceed_their_share(no_floor):
    cache = BlockCache(10_000)
    for n in range(1_000):
        cache.put(("f", n), Item())
        cache.get(("f", n), Item)
    fill(cache, "g", 20)
    assert len(here(cache, "g", 20)) == 20
    assert here(cache, "f", 1_000)[-1] == 999


def test_in_memory_blocks_keep_their_share(no_floor):
    cache = BlockCache(10_000)
    for n in range(20):
        cache.put(("meta", n), Item(), in_memory=True)
    fill(cache, "scan", 1_000)
    for n in range(1_000):
        cache.get(("scan", n), Item)
    assert here(cache, "meta", 20) == list(range(20))


def test_a_block_larger_than_the_cache_is_there_for_whoever_fetched_it(no_floor):
    cache = BlockCache(1_000)
    fill(cache, "f", 20)
    cache.put(("big", 0), Item(5_000))
    assert cache.get(("big", 0), Item) is not None
    cache.put(("f", 100), Item())
    assert cache.memory_bytes < 6_000


def test_a_cache_of_no_bytes_still_serves_a_read_that_begins_again():
    """A read over many files starts anew after each block it misses; it must come to an end."""
    cache = BlockCache(0)
    needed = [(f"file{n}", 0) for n in range(30)]
    for _ in range(len(needed) + 1):
        missing = next((key for key in needed if cache.get(key, Item) is None), None)
        if missing is None:
            return
        cache.put(missing, Item(10_000))
    pytest.fail("the read never had all its blocks at once")


def test_a_file_that_is_gone_leaves_nothing_behind():
    cache = BlockCache(10_000)
    fill(cache, "f", 10)
    fill(cache, "g", 10)
    cache.get(("f", 3), Item)
    cache.remove_file("f")
    assert here(cache, "f", 10) == []
    assert here(cache, "g", 10) == list(range(10))
    assert cache.memory_bytes == 1_000


def test_putting_a_block_twice_counts_it_once():
    cache = BlockCache(10_000)
    for _ in range(5):
        cache.put(("f", 0), Item())
        cache.get(("f", 0), Item)
    assert (len(cache), cache.memory_bytes) == (1, 100)


def test_blocks_that_pass_through_drive_out_nothing_that_is_kept(no_floor):
    cache = BlockCache(10_000)
    fill(cache, "kept", 90)
    for n in range(1_000):
        cache.put(("scan", n), Item(), keep=False)
        assert cache.get(("scan", n), Item) is not None
    assert here(cache, "kept", 90) == list(range(90))
    assert len(here(cache, "scan", 1_000)) == 3
    assert cache.memory_bytes <= 10_000


def test_a_read_of_many_files_comes_to_an_end_though_its_blocks_pass_through():
    cache = BlockCache(1_000)
    fill(cache, "kept", 1_000)
    needed = [(f"file{n}", 0) for n in range(60)]
    for _ in range(len(needed) + 1):
        missing = next((key for key in needed if cache.get(key, Item) is None), None)
        if missing is None:
            return
        cache.put(missing, Item(10_000), keep=False)
    pytest.fail("the read never had all its blocks at once")


def test_blocks_that_passed_through_do_not_take_the_places_of_a_read_that_keeps_its():
    cache = BlockCache(0)
    for n in range(100):
        cache.put(("scan", n), Item(), keep=False)
    fill(cache, "f", 60)
    assert here(cache, "f", 60) == list(range(60))


def test_a_block_that_passed_through_is_kept_when_it_comes_again_to_stay(no_floor):
    cache = BlockCache(10_000)
    cache.put(("f", 0), Item(), keep=False)
    cache.put(("f", 0), Item())
    for n in range(50):
        cache.put(("scan", n), Item(), keep=False)
    assert here(cache, "f", 1) == [0]
    assert cache.memory_bytes == 100 + 3 * 100


def test_a_block_above_the_greatest_size_passes_through(no_floor):
    cache = BlockCache(100 * BLOCK_BYTES_MAX)
    cache.put(("f", 0), Item(BLOCK_BYTES_MAX))
    cache.put(("f", 1), Item(BLOCK_BYTES_MAX + 1))
    cache.put(("f", 2), Item(BLOCK_BYTES_MAX * 4))
    assert cache.get(("f", 2), Item) is not None
    cache.put(("f", 3), Item(BLOCK_BYTES_MAX * 3))
    assert here(cache, "f", 4) == [0, 3]
    assert cache.memory_bytes == 4 * BLOCK_BYTES_MAX


def test_bytes_are_counted_by_what_blocks_are_for(no_floor):
    cache = BlockCache(10_000)
    cache.put(("f", 0), Item(100))
    cache.put(("f", 1), Item(20), category=Category.INDEX)
    cache.put(("f", 2), Item(3), category=Category.FILTER, in_memory=True)
    cache.put(("f", 3), Item(1), category=Category.FILTER, keep=False)
    cache.get(("f", 1), Item)
    assert [cache.category_bytes(one) for one in Category] == [100, 20, 4]
    fill(cache, "g", 1_000)
    assert sum(map(cache.category_bytes, Category)) == cache.memory_bytes
    cache.remove_file("f")
    cache.remove_file("g")
    assert [cache.category_bytes(one) for one in Category] == [0, 0, 0]


def test_a_block_that_grew_since_it_came_is_counted_as_it_came(no_floor):
    cache = BlockCache(10_000)
    item = Item(100)
    cache.put(("f", 0), item)
    item.memory_bytes = 5_000
    cache.get(("f", 0), Item)
    cache.remove(("f", 0))
    assert cache.memory_bytes == 0


def test_without_a_second_tier_nothing_is_stored():
    cache = BlockCache(10_000)
    cache.keep_stored(("f", 0), b"block")
    assert cache.stored(("f", 0)) is None


def test_a_block_used_again_before_it_left_stays_longest_in_the_second_tier(no_floor, monkeypatch):
    monkeypatch.setattr(block_cache, "ARRIVALS_A_READ", 0)
    cache = BlockCache(1_000, second_bytes=BUCKET_BYTES)
    for n in range(4):
        cache.keep_stored(("f", n), bytes(SLOT_BYTES[-1]))
    cache.put(("f", 0), Item())
    cache.get(("f", 0), Item)
    for n in range(20):
        cache.put(("g", n), Item())
        cache.get(("g", n), Item)
    assert cache.get(("f", 0), Item) is None
    cache.keep_stored(("f", 4), bytes(SLOT_BYTES[-1]))
    assert cache.stored(("f", 1)) is None
    assert cache.stored(("f", 0)) is not None
