from __future__ import annotations

from random import Random

import pytest

from raybase.model import BloomType
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileReader, row_filter
from raybase.storage.hfile.row_filter import RowFilter
from raybase.storage.key import cell_key, escape


@pytest.mark.parametrize("count", [1, 2, 100, 70_000])
def test_every_row_is_found_and_few_others(count):
    rows = [b"user%012d" % (n * 7919) for n in range(count)]
    made = RowFilter.decode(row_filter.encode(row_filter.mixed_hashes(rows)))
    assert all(map(made.may_contain, rows))
    strangers = 20_000
    wrong = sum(made.may_contain(b"user%012d" % (n * 7919 + 1)) for n in range(strangers))
    assert wrong < strangers * 0.015


@pytest.mark.parametrize("shape", [b"%d", b"%08x", b"row-%05d-suffix", b"\0%d\0"])
def test_similar_rows_do_not_collide_together(shape):
    """CRCs are linear: without mixing, a whole family of absent rows may be taken for present."""
    rows = [shape % n for n in range(0, 20_000, 2)]
    made = RowFilter.decode(row_filter.encode(row_filter.mixed_hashes(rows)))
    wrong = sum(made.may_contain(shape % n) for n in range(1, 20_000, 2))
    assert wrong < 10_000 * 0.02


def test_a_filter_takes_two_bytes_a_row():
    random = Random(1)
    rows = [random.randbytes(16) for _ in range(16384)]
    assert len(row_filter.encode(row_filter.mixed_hashes(rows))) < 2.3 * len(rows)


def test_the_filter_comes_in_chunks_that_are_loaded_one_by_one(write_file, monkeypatch):
    monkeypatch.setattr(row_filter, "ROWS_PER_CHUNK", 100)
    rows = [escape(b"r\0%05d" % n) for n in range(0, 2000, 2)]
    made = [(cell_key(row, b"q%d" % n, 1, 4, 1), b"v") for row in rows for n in range(3)]
    image = write_file(made)
    reader = HFileReader.from_image("f", memoryview(image.data))
    cache = BlockCache(1 << 20)
    assert reader.may_contain_row(rows[500], cache)
    assert len(cache) == 1
    assert all(reader.may_contain_row(row, cache) for row in rows)
    assert 8 <= len(cache) <= 10
    assert not reader.may_contain_row(b"a row before all others", cache)
    absent = [escape(b"r\0%05d" % n) for n in range(1, 2000, 2)]
    assert sum(reader.may_contain_row(row, cache) for row in absent) < 30


def test_a_row_over_many_blocks_is_in_the_filter(write_file, places):
    made = [(cell_key(b"wide", b"q%04d" % n, 1, 4, 1), b"v" * 40) for n in range(500)]
    image = write_file(made)
    reader = HFileReader.from_image("f", memoryview(image.data))
    assert len(places(reader)) > 50
    assert reader.may_contain_row(b"wide", BlockCache(1 << 20))


def test_without_a_filter_every_row_may_be_there(write_file, numbered_cells):
    image = write_file(numbered_cells(10), bloom=BloomType.NONE)
    reader = HFileReader.from_image("f", memoryview(image.data))
    assert reader.may_contain_row(b"any row", BlockCache(1))
