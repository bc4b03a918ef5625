from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.errors import BlockMiss
from raybase.model import BloomType, FileFormat
from raybase.storage import block_cache
from raybase.storage.block_cache import BlockCache, Category
from raybase.storage.hfile import HFileReader
from raybase.storage.hfile.data_index import IndexBlock
from raybase.storage.hfile.index import (
    Entry,
    decode_node,
    decode_root,
    encode_node,
    encode_root,
    separator,
)
from raybase.storage.hfile.trailer import Trailer
from raybase.storage.key import END, cell_key, escape


class Fetcher:
    """Plays the server: reads what a BlockMiss asks for, and remembers what it read."""

    def __init__(self, data: bytes, cache: BlockCache) -> None:
        self.data = data
        self.cache = cache
        self.misses: list[int] = []

    def open(self) -> HFileReader:
        offset, length = HFileReader.tail_range(len(self.data))
        try:
            return HFileReader.from_tail("f", len(self.data), self._read(offset, length))
        except BlockMiss as miss:
            tail = self._read(miss.offset, miss.length)
            return HFileReader.from_tail("f", len(self.data), tail)

    def run(self, reader, read):
        while True:
            try:
                return read()
            except BlockMiss as miss:
                self.misses.append(miss.offset)
                reader.admit(miss.offset, self._read(miss.offset, miss.length), self.cache)

    def _read(self, offset: int, length: int) -> bytes:
        data = self.data[offset : offset + length]
        assert len(data) == length
        return data


@pytest.mark.parametrize(
    ("file_format", "codec"), [(FileFormat.COLUMNAR, "NONE"), (FileFormat.HBASE, "GZ")]
)
def test_an_index_of_several_levels_finds_every_cell(
    write_file, numbered_cells, file_format, codec
):
    made = numbered_cells(20_000)
    image = write_file(made, file_format=file_format, codec=codec, index_block_bytes=256)
    levels = Trailer.decode("f", len(image.data), image.data).data_index_levels
    assert levels >= 4
    fetcher = Fetcher(image.data, BlockCache(1 << 26))
    reader = fetcher.open()
    for key, value in made[::137]:
        block = fetcher.run(
            reader, lambda key=key: reader.block(reader.find(key, fetcher.cache), fetcher.cache)
        )
        assert block.values[block.keys.index(key)] == value
    assert len(set(fetcher.misses)) == len(fetcher.misses), "a block was fetched twice"


def test_opening_reads_the_load_on_open_section_and_nothing_else(write_file, numbered_cells):
    image = write_file(numbered_cells(2000), bloom=BloomType.NONE, index_block_bytes=512)
    trailer = Trailer.decode("f", len(image.data), image.data)
    masked = bytes(trailer.load_on_open_offset) + image.data[trailer.load_on_open_offset :]
    reader = Fetcher(masked, BlockCache(1)).open()
    assert reader.stats.entries == 2000


def test_a_tail_too_short_asks_for_the_rest(write_file, numbered_cells):
    image = write_file(numbered_cells(3000))
    size = len(image.data)
    with pytest.raises(BlockMiss) as raised:
        HFileReader.from_tail("f", size, image.data[-5000:])
    miss = raised.value
    assert (miss.path, miss.offset + miss.length) == ("f", size)
    assert HFileReader.from_tail("f", size, image.data[miss.offset :]).stats.entries == 3000


def test_the_first_key_not_below_is_in_the_block_or_begins_the_next(write_file, numbered_cells):
    made = numbered_cells(1000)
    keys = [key for key, _ in made]
    image = write_file(made)
    reader = HFileReader.from_image("f", memoryview(image.data))
    cache = BlockCache(1 << 24)
    probes = [b"", b"row", b"row000500", b"row000500\0\1", b"zzz", *keys[::91]]
    for probe in probes:
        found = reader.find(probe, cache)
        candidates = reader.block(found, cache).keys
        if found.bound:
            following = reader.find(found.bound, cache)
            candidates = [*candidates, reader.block(following, cache).keys[0]]
        place = bisect_left(keys, probe)
        if place < len(keys):
            assert candidates[bisect_left(candidates, probe)] == keys[place]


def test_the_middle_key_is_near_the_middle(write_file, numbered_cells):
    made = numbered_cells(1000)
    for options in ({}, {"index_block_bytes": 256}, {"file_format": FileFormat.HBASE}):
        image = write_file(made, **options)
        middle = HFileReader.from_image("f", memoryview(image.data)).mid_key(BlockCache(1))
        row = middle[: middle.index(END)]
        assert b"row000400" < row < b"row000600"


def test_an_image_of_another_length_is_refused(write_file, numbered_cells):
    image = write_file(numbered_cells(10))
    reader = HFileReader.from_image("f", memoryview(image.data))
    with pytest.raises(Exception, match="an image of"):
        reader.attach_image(memoryview(image.data[:-1]))


def test_a_detached_image_is_missed_again(write_file, numbered_cells):
    image = write_file(numbered_cells(10))
    reader = HFileReader.from_image("f", memoryview(image.data))
    reader.detach_image()
    with pytest.raises(BlockMiss):
        reader.block(reader.find(b"", BlockCache(1)), BlockCache(1))


texts = st.lists(st.sampled_from([b"\0", b"\1", b"a", b"b", b"\xff"]), max_size=5).map(b"".join)
keys = st.builds(
    lambda row, qualifier, timestamp, sequence: cell_key(
        escape(row), qualifier, timestamp, 4, sequence
    ),
    texts.filter(bool),
    texts,
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**64 - 1),
)


@settings(max_examples=400)
@given(keys, keys)
def test_a_separator_stands_between_and_ends_with_a_part(one, other):
    if one == other:
        return
    last, first = sorted((one, other))
    between = separator(last, first)
    assert last < between <= first
    assert END in between
    assert between == first or between.endswith(END)


entries = st.lists(
    st.builds(Entry, st.integers(0, 2**60), st.integers(0, 2**31 - 1), st.binary(max_size=300)),
    max_size=20,
)


@given(entries)
def test_index_blocks_round_trip(made):
    assert decode_root(encode_root(made) + b"rest", len(made)) == (made, b"rest")
    assert decode_node(encode_node(made)) == made


def test_index_blocks_that_arrive_late_or_twice_change_nothing(write_file, numbered_cells):
    image = write_file(numbered_cells(3000), index_block_bytes=256, bloom=BloomType.NONE)
    cache = BlockCache(1 << 20)
    fetcher = Fetcher(image.data, cache)
    reader = fetcher.open()
    place = fetcher.run(reader, lambda: reader.find(b"row002000", cache))
    for offset in fetcher.misses:
        reader.admit(offset, image.data[offset:], cache)
    assert reader.find(b"row002000", cache) == place


def test_an_index_out_of_order_is_refused():
    for keys in ((b"b", b"a"), (b"a", b"a")):
        with pytest.raises(ValueError, match="order"):
            IndexBlock([Entry(0, 1, key) for key in keys], bytes)


def test_only_the_path_to_a_block_is_read_and_it_counts_in_the_cache(write_file, numbered_cells):
    image = write_file(numbered_cells(20_000), index_block_bytes=512, bloom=BloomType.NONE)
    levels = Trailer.decode("f", len(image.data), image.data).data_index_levels
    assert levels >= 3
    cache = BlockCache(1 << 24)
    fetcher = Fetcher(image.data, cache)
    reader = fetcher.open()
    opened_bytes = reader.memory_bytes
    key = numbered_cells(20_000)[12_345][0]
    place = fetcher.run(reader, lambda: reader.find(key, cache))
    fetcher.run(reader, lambda: reader.block(place, cache))
    assert len(fetcher.misses) == levels
    assert len(cache) == levels
    assert 0 < cache.category_bytes(Category.INDEX) < cache.memory_bytes
    assert reader.memory_bytes == opened_bytes < 10_000


def test_index_blocks_that_left_the_cache_are_read_again(write_file, numbered_cells, monkeypatch):
    monkeypatch.setattr(block_cache, "BLOCKS_MIN", 4)  # a path, and no more
    made = numbered_cells(20_000)
    image = write_file(made, index_block_bytes=512, bloom=BloomType.NONE)
    cache = BlockCache(1)
    fetcher = Fetcher(image.data, cache)
    reader = fetcher.open()
    for key, value in made[::997] + made[::997]:
        block = fetcher.run(reader, lambda key=key: reader.block(reader.find(key, cache), cache))
        assert block.values[block.lower_bound(key)] == value
    assert len(set(fetcher.misses)) < len(fetcher.misses)


def test_a_scan_backwards_finds_every_block(write_file, numbered_cells, places):
    image = write_file(numbered_cells(3000), index_block_bytes=256)
    reader = HFileReader.from_image("f", memoryview(image.data))
    cache = BlockCache(1 << 24)
    found = []
    place = reader.before(b"", cache)
    while place is not None:
        found.append(place)
        place = reader.before(place.lower, cache)
    assert found[::-1] == places(reader)
    assert reader.before(reader.stats.first_key, cache) is None
