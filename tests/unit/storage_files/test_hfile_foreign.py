"""Files that HBase and Hudi wrote."""

from __future__ import annotations

import pytest

from raybase.errors import CorruptionError, UnsupportedFormatError
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileReader
from raybase.storage.key import END, cell_key, split_key


def open_file(path):
    return HFileReader.from_image(path.name, memoryview(path.read_bytes()))


def rows_and_values(content):
    return [(split_key(key)[0], value) for key, value in content]


def test_a_snapshot_of_hbase_is_read_cell_for_cell(foreign_files, read_all):
    folder = foreign_files / "bigtable_hbase_snapshot/archive/data/default/test-table"
    files = sorted(folder.glob("*/cf/*"))
    assert len(files) == 20
    rows = set()
    for path in files:
        reader = open_file(path)
        content = read_all(reader)
        assert reader.stats.entries == len(content) == 10
        assert reader.stats.max_sequence_id == 14
        assert reader.stats.max_timestamp == 1617828990
        assert reader.stats.delete_count == 10, "the file does not say, so all may be deletes"
        for key, value in content:
            row, qualifier, timestamp, type_code, sequence_id = split_key(key)
            assert (qualifier, timestamp, type_code) == (b"a", 1617828990, 4)
            assert value == b"value%d" % int(row)
            assert 4 <= sequence_id <= 14
            rows.add(row)
            assert reader.may_contain_row(row, BlockCache(1))
        strangers = [b"%02d" % n for n in range(100) if b"%02d" % n not in rows]
        wrong = sum(reader.may_contain_row(row, BlockCache(1)) for row in strangers)
        assert wrong <= 3, "its bloom filter errs in one of a hundred"
    assert rows == {b"%02d" % n for n in range(100)}


def test_a_snapshot_in_snappy_is_read_cell_for_cell(foreign_files, read_all):
    folder = foreign_files / "bigtable_hbase_snapshot/archive/data/default/test-snappy-table"
    files = sorted(folder.glob("*/cf/*"))
    assert len(files) == 20
    rows = set()
    for path in files:
        reader = open_file(path)
        content = rows_and_values(read_all(reader))
        assert len(content) == reader.stats.entries == 10
        assert all(value == b"value%d" % int(row) for row, value in content)
        cache = BlockCache(1 << 20)
        assert all(reader.may_contain_row(row, cache) for row, _ in content)
        rows.update(row for row, _ in content)
    assert rows == {b"%02d" % n for n in range(100)}


def test_the_corrupt_block_of_hbases_own_test_is_found(foreign_files, read_all):
    path = foreign_files / "hbase/TestCompaction_HFileWithCorruptBlock"
    reader = open_file(path)
    assert reader.stats.entries == 25
    with pytest.raises(CorruptionError, match="checksum") as raised:
        read_all(reader)
    assert (raised.value.path, raised.value.offset) == (path.name, 0)
    mended = bytearray(path.read_bytes())
    mended[33:35] = b"\x1f\x8b"
    content = read_all(HFileReader.from_image("mended", memoryview(bytes(mended))))
    assert [row for row, _ in rows_and_values(content)] == [b"aa%c" % n for n in range(97, 122)]


def test_files_before_version_3_are_refused(foreign_files):
    files = sorted((foreign_files / "hbase-old").iterdir())
    assert len(files) == 3
    for path in files:
        with pytest.raises(UnsupportedFormatError, match=r"version [12] is not read"):
            open_file(path)


@pytest.mark.parametrize(
    ("name", "entries", "blocks"),
    [
        ("hudi_1_0_hbase_2_4_9_16KB_NONE_5000", 5000, 18),
        ("hudi_1_0_hbase_2_4_9_64KB_NONE_5000", 5000, 5),
        ("hudi_1_0_hbase_2_4_9_16KB_GZ_20000", 20000, 72),
        ("hudi_1_0_hbase_2_4_9_512KB_GZ_20000", 20000, 3),
        ("hudi_1_0_hbase_2_4_9_no_entry", 0, 0),
    ],
)
def test_files_of_hbase_from_hudis_tests(foreign_files, read_all, places, name, entries, blocks):
    reader = open_file(foreign_files / f"hudi-rs/{name}.hfile")
    expected = [(b"hudi-key-%09d" % n, b"hudi-value-%09d" % n) for n in range(entries)]
    assert rows_and_values(read_all(reader)) == expected
    assert (len(places(reader)), reader.stats.entries) == (blocks, entries)


@pytest.mark.parametrize(
    ("name", "entries", "blocks"),
    [
        ("hudi_1_0_hbase_2_4_13_1KB_GZ_20000_large_keys", 20000, 2858),
        ("hudi_1_0_hbase_2_4_13_1KB_GZ_10000_large_keys_deep_index", 10000, 1429),
    ],
)
def test_an_index_of_hbase_with_levels(foreign_files, places, name, entries, blocks):
    reader = open_file(foreign_files / f"hudi-rs/{name}.hfile")
    assert len(places(reader)) == blocks
    cache = BlockCache(1 << 24)
    prefix = reader.stats.first_key[: reader.stats.first_key.index(END) - 9]
    for n in range(0, entries, 97):
        key = cell_key(prefix + b"%09d" % n, b"", 2**63 - 1, 4, 0)
        block = reader.block(reader.find(key, cache), cache)
        assert block.values[block.keys.index(key)] == b"hudi-value-%09d" % n


def test_index_keys_that_no_cell_has(foreign_files, read_all, places):
    name = "hudi_1_0_hbase_2_4_13_16KB_GZ_20000_fake_first_key"
    reader = open_file(foreign_files / f"hudi-rs/{name}.hfile")
    assert places(reader)[2].lower.startswith(b"hudi-key-00000047" + END)
    cache = BlockCache(1 << 24)
    for key, value in read_all(reader)[::53]:
        block = reader.block(reader.find(key, cache), cache)
        assert block.values[block.keys.index(key)] == value


def test_equal_keys_are_all_read(foreign_files, read_all):
    reader = open_file(
        foreign_files / "hudi-rs/hudi_1_0_hbase_2_4_9_16KB_GZ_200_20_non_unique.hfile"
    )
    content = rows_and_values(read_all(reader))
    assert len(content) == 4200
    first = [value for row, value in content if row == b"hudi-key-000000000"]
    tails = [b"", *(b"_%d" % n for n in range(20))]
    assert sorted(first) == sorted(b"hudi-value-000000000" + tail for tail in tails)


def test_files_of_hudis_own_writer_are_read(foreign_files, read_all):
    files = sorted((foreign_files / "hudi-native").iterdir())
    counts = []
    for path in files:
        reader = open_file(path)
        content = read_all(reader)
        assert len(content) == reader.stats.entries
        assert content == sorted(content, key=lambda cell: cell[0])
        counts.append(len(content))
    assert counts == [56, 4, 48, 1, 2, 123, 99, 130, 85, 48, 4, 1]
