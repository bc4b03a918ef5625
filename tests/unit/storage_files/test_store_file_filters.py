"""What a store asks a file's filters before it reads the file."""

from __future__ import annotations

from random import Random

import pytest

from raybase.model import BloomType, FamilyDescriptor, FileFormat
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileReader
from raybase.storage.key import cell_key, escape, row_start, row_stop
from raybase.storage.store import Store
from raybase.storage.store_file import StoreFile, entry_of

BLOOMS = [
    (BloomType.NONE, 0),
    (BloomType.ROW, 0),
    (BloomType.ROWCOL, 0),
    (BloomType.ROWPREFIX_FIXED_LENGTH, 3),
]
each_bloom = pytest.mark.parametrize(("bloom", "prefix_bytes"), BLOOMS)
each_format = pytest.mark.parametrize("file_format", list(FileFormat))


def random_cells(seed, count=400):
    """Rows of few letters, zeros among them; some rows only have a delete of the family."""
    random = Random(seed)
    cells = {}
    for n in range(count):
        row = bytes(random.choice(b"\0\1ab\xff") for _ in range(random.randrange(1, 7)))
        qualifier = random.choice([b"", b"q", b"r", b"\0"])
        kind = 4
        if random.random() < 0.1:
            qualifier, kind = b"", random.choice([10, 14])
        cells[cell_key(escape(row), qualifier, n, kind, n)] = (row, qualifier, kind)
    return dict(sorted(cells.items()))


def store_file(write_file, cells, **options):
    made = [(key, b"v") for key in cells]
    image = write_file(made, **options)
    reader = HFileReader.from_image("f", memoryview(image.data))
    return StoreFile(entry_of(b"f", "f", image.stats), reader)


@each_format
@each_bloom
def test_no_filter_hides_a_cell(write_file, file_format, bloom, prefix_bytes):
    cells = random_cells(1)
    file = store_file(
        write_file, cells, file_format=file_format, bloom=bloom, prefix_bytes=prefix_bytes
    )
    cache = BlockCache(1 << 24)
    for row, qualifier, kind in cells.values():
        encoded = escape(row)
        assert file.may_have_row(encoded, cache)
        assert file.may_have_columns(encoded, None, cache)
        wanted = [b"elsewhere"] if kind in (10, 14) else [b"elsewhere", qualifier]
        assert file.may_have_columns(encoded, wanted, cache)
        assert file.reader.may_have_family_delete(encoded, cache) or kind not in (10, 14)
    keys = list(cells)
    random = Random(2)
    for _ in range(2000):
        start, stop = sorted(random.sample(keys, 2))
        assert file.may_have_between(start, stop, cache)
        row = cells[start][0]
        assert file.may_have_between(row_start(escape(row)), row_stop(escape(row)), cache)
        for length in range(len(row)):
            prefix = row[:length]
            after = escape(prefix) + b"\xff\xff"
            assert file.may_have_between(escape(prefix), after, cache)


def test_a_scan_of_a_prefix_that_is_not_there_reads_nothing(write_file, numbered_cells):
    image = write_file(
        numbered_cells(500),
        file_format=FileFormat.HBASE,
        bloom=BloomType.ROWPREFIX_FIXED_LENGTH,
        prefix_bytes=6,
    )
    family = FamilyDescriptor(b"f")
    cache = BlockCache(1 << 24)
    reader = HFileReader.from_image("f", memoryview(image.data))
    store = Store(family, [StoreFile(entry_of(b"f", "f", image.stats), reader)], 0, cache)
    assert store.window(b"row000", b"row001")
    before = len(cache)
    assert not store.window(b"row0001x", b"row0001y"), "its six first bytes are there"
    assert len(cache) >= before
    before = len(cache)
    assert not store.window(b"row00a5", b"row00a6")
    assert not store.window(row_start(b"row00b0"), row_stop(b"row00b0"), row=b"row00b0")
    assert len(cache) == before, "a filter told that no row begins so"


def test_a_get_of_a_column_that_is_not_there_reads_nothing(write_file, numbered_cells):
    image = write_file(numbered_cells(500), file_format=FileFormat.HBASE, bloom=BloomType.ROWCOL)
    cache = BlockCache(1 << 24)
    reader = HFileReader.from_image("f", memoryview(image.data))
    file = StoreFile(entry_of(b"f", "f", image.stats), reader)
    store = Store(FamilyDescriptor(b"f"), [file], 0, cache)
    found = missed = 0
    for n in range(0, 500, 5):
        row = b"row%06d" % n
        bounds = row_start(row), row_stop(row)
        found += len(store.window(*bounds, row=row, qualifiers=[b"q", b"z"]))
        missed += len(store.window(*bounds, row=row, qualifiers=[b"z"]))
    assert found == 100
    assert missed <= 5, "one in a hundred is wrongly taken for there"
