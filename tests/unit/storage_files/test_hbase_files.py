"""Every kind of file that HBase 2.6 writes, against what HBase reads from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raybase.model import BloomType, FamilyDescriptor, FileFormat
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileReader, HFileWriter, bloom_writer
from raybase.storage.hfile.file_info import BLOOM_PARAM, BLOOM_TYPE, LAST_BLOOM_KEY
from raybase.storage.hfile.load_on_open import load
from raybase.storage.key import PLAIN_ROWS, split_key
from raybase.storage.tags import TaggedValue, any_tagged, tags_of

FOLDER = Path(__file__).parents[2] / "fixtures" / "hbase"
DUMPS = {
    entry["file"]: entry["cells"]
    for entry in map(json.loads, (FOLDER / "hfiles.jsonl").read_text().splitlines())
}
each_file = pytest.mark.parametrize("name", sorted(DUMPS))


def image_of(name):
    return memoryview((FOLDER / "hfiles" / name).read_bytes())


def expected_cells(name):
    """[row, family, qualifier, timestamp, type, sequence id, value, tags] of every cell."""
    return list(map(json.loads, (FOLDER / "cells" / DUMPS[name]).read_text().splitlines()))


def row_encoder(image):
    return load("f", len(image), bytes(image)).rows


@each_file
def test_a_file_is_read_cell_for_cell(name, read_all):
    image = image_of(name)
    rows = row_encoder(image)
    found = []
    reader = HFileReader.from_image(name, image)
    for key, value in read_all(reader):
        row, qualifier, timestamp, type_code, sequence_id = split_key(key)
        found.append(
            [
                *(rows.decode(row).hex(), qualifier.hex(), timestamp, type_code, sequence_id),
                *(value.hex(), tags_of(value).hex()),
            ]
        )
    expected = [[cell[0], *cell[2:]] for cell in expected_cells(name)]
    assert found == expected
    assert reader.stats.entries == len(expected)


@each_file
def test_every_cell_is_found_by_its_key(name, read_all):
    image = image_of(name)
    reader = HFileReader.from_image(name, image)
    cache = BlockCache(1 << 24)
    content = read_all(reader, cache)
    for key, value in content:
        block = reader.block(reader.find(key, cache), cache)
        at = block.lower_bound(key)
        assert (block.keys[at], block.values[at]) == (key, value)
    assert all(reader.stats.first_key <= key <= reader.stats.last_key for key, _ in content)


@each_file
def test_a_bloom_filter_never_misses(name):
    image = image_of(name)
    rows = row_encoder(image)
    reader = HFileReader.from_image(name, image)
    cache = BlockCache(1 << 24)
    for row_hex, _, qualifier_hex, _, type_code, *_ in expected_cells(name):
        row = bytes.fromhex(row_hex)
        encoded = rows.encode(row)
        assert reader.may_contain_row(encoded, cache)
        assert reader.may_contain_column(encoded, bytes.fromhex(qualifier_hex), cache)
        assert reader.may_contain_prefix(row, cache)
        if type_code in (10, 14):
            assert reader.may_have_family_delete(encoded, cache)
            assert reader.may_contain_column(encoded, b"any column", cache)


@pytest.mark.parametrize(
    ("name", "wrong_max"),
    [
        ("bloom_row.hfile", 0.05),
        ("index_1.hfile", 0.05),
        ("bloom_jenkins.hfile", 0.05),
        ("bloom_murmur3.hfile", 0.05),
        ("bloom_none.hfile", 1.0),
    ],
)
def test_a_bloom_filter_of_rows_knows_what_is_not_there(name, wrong_max):
    reader = HFileReader.from_image(name, image_of(name))
    cache = BlockCache(1 << 24)
    strangers = [b"user%05d+" % n for n in range(2000)]
    wrong = sum(reader.may_contain_row(row, cache) for row in strangers)
    assert wrong <= len(strangers) * wrong_max
    assert wrong_max < 1 or wrong == len(strangers)


def test_a_bloom_filter_of_columns_knows_which_are_not_there():
    reader = HFileReader.from_image("f", image_of("bloom_rowcol.hfile"))
    cells = expected_cells("bloom_rowcol.hfile")
    deleted = {cell[0] for cell in cells if cell[2] == ""}
    rows = sorted({cell[0] for cell in cells} - deleted)
    cache = BlockCache(1 << 24)
    wrong = [reader.may_contain_column(bytes.fromhex(row), b"no such", cache) for row in rows]
    assert sum(wrong) <= len(rows) * 0.05
    assert reader.may_contain_row(b"no such row", cache), "it says nothing of rows alone"


def test_a_bloom_filter_of_prefixes_knows_which_are_not_there():
    reader = HFileReader.from_image("f", image_of("bloom_rowprefix_fixed_length.hfile"))
    cache = BlockCache(1 << 24)
    strangers = [b"abcd%03d" % n for n in range(1000)]
    assert sum(reader.may_contain_prefix(row, cache) for row in strangers) < 50
    assert sum(reader.may_contain_row(row + b"rest", cache) for row in strangers) < 50
    assert reader.may_contain_prefix(b"abcd", cache), "too short a prefix to be asked for"


def test_deletes_of_the_family_have_a_filter():
    cells = expected_cells("bloom_row.hfile")
    deleted = {bytes.fromhex(cell[0]) for cell in cells if cell[4] in (10, 14)}
    others = {bytes.fromhex(cell[0]) for cell in cells} - deleted
    assert deleted and others
    for name in ("bloom_row.hfile", "bloom_none.hfile"):
        reader = HFileReader.from_image("f", image_of(name))
        cache = BlockCache(1 << 24)
        wrong = sum(reader.may_have_family_delete(row, cache) for row in sorted(others))
        assert wrong < len(others) * 0.1


@pytest.mark.parametrize(
    ("name", "bloom", "prefix_bytes", "chunk_bytes"),
    [
        ("bloom_row.hfile", BloomType.ROW, 0, 128),
        ("index_1.hfile", BloomType.ROW, 0, 128 * 1024),
        ("bloom_rowcol.hfile", BloomType.ROWCOL, 0, 128),
        ("bloom_rowprefix_fixed_length.hfile", BloomType.ROWPREFIX_FIXED_LENGTH, 7, 128),
        ("bloom_none.hfile", BloomType.NONE, 0, 128),
    ],
)
def test_bloom_filters_are_written_bit_for_bit_as_by_hbase(
    monkeypatch, read_all, name, bloom, prefix_bytes, chunk_bytes
):
    monkeypatch.setattr(bloom_writer, "CHUNK_BYTES", chunk_bytes)
    theirs = image_of(name)
    content = read_all(HFileReader.from_image(name, theirs))
    family = FamilyDescriptor(
        b"f",
        block_bytes=1024,
        bloom=bloom,
        bloom_prefix_bytes=prefix_bytes,
        file_format=FileFormat.HBASE,
    )
    writer = HFileWriter(family, PLAIN_ROWS)
    writer.append([key for key, _ in content], [value for _, value in content])
    ours = memoryview(writer.finish(max_sequence_id=1).data)
    mine, their = loaded(ours), loaded(theirs)
    for name_of_info in (BLOOM_TYPE, BLOOM_PARAM, LAST_BLOOM_KEY):
        assert mine.info.get(name_of_info) == their.info.get(name_of_info)
    assert filter_parts(ours, mine.bloom) == filter_parts(theirs, their.bloom)
    assert filter_parts(ours, mine.delete_family_bloom) == filter_parts(
        theirs, their.delete_family_bloom
    )


def loaded(image):
    return load("f", len(image), bytes(image))


def filter_parts(image, bloom):
    """All of a filter but where it is: numbers, first keys of its chunks, bits."""
    if bloom is None:
        return None
    chunks = []
    for entry in bloom.chunks:
        block = bytes(image[entry.offset : entry.offset + entry.stored_bytes])
        payload_bytes = int.from_bytes(block[12:16], "big")
        chunks.append((entry.key, block[33 : 33 + payload_bytes]))
    return (
        *(bloom.kind, bloom.hash_count, bloom.function, bloom.size, bloom.keys, bloom.keys_max),
        *(bloom.comparator, chunks),
    )


def test_what_hbase_wrote_is_written_again_with_all_it_held(read_all):
    """From HBase's form into ours and back, tags and tombstones included."""
    for name in ("tags_compressed_fast_diff.hfile", "diff_gz.hfile"):
        content = read_all(HFileReader.from_image(name, image_of(name)))
        for file_format in FileFormat:
            family = FamilyDescriptor(b"f", file_format=file_format)
            writer = HFileWriter(family, PLAIN_ROWS)
            writer.append([key for key, _ in content], [value for _, value in content])
            image = writer.finish(max_sequence_id=1)
            again = read_all(HFileReader.from_image("f", memoryview(image.data)))
            assert again == content
            assert [tags_of(value) for _, value in again] == [tags_of(v) for _, v in content]
    assert any_tagged([TaggedValue(b"", b"x")])
