from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.errors import IllegalArgumentError
from raybase.model import FamilyDescriptor, FileFormat
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileReader, HFileWriter
from raybase.storage.key import META_ROWS, PLAIN_ROWS, cell_key, split_key

FORMS = [
    (FileFormat.COLUMNAR, "NONE"),
    *((FileFormat.HBASE, codec) for codec in ("NONE", "GZ", "SNAPPY", "LZ4", "ZSTD")),
]
each_form = pytest.mark.parametrize(("file_format", "codec"), FORMS)

# Few letters and zeros, so that rows are prefixes of one another and escapes meet.
texts = st.lists(st.sampled_from([b"\0", b"\1", b"a", b"b", b"\xff", b","]), max_size=4).map(
    b"".join
)
types = st.sampled_from([4, 8, 10, 12, 14])
sequence_ids = st.sampled_from([0, 1, 255, 65535, 2**32, 2**63 - 1])
timestamps = st.sampled_from([0, 1, 1000, 2**63 - 1])
values = st.binary(max_size=90)
cells = st.tuples(
    texts.filter(bool), texts, timestamps, types, sequence_ids, st.binary(max_size=90)
)


@each_form
@settings(max_examples=60, deadline=None)
@given(st.lists(cells, max_size=60), st.sampled_from([PLAIN_ROWS, META_ROWS]))
def test_what_is_written_is_read(write_file, read_all, places, file_format, codec, made, rows):
    content = {
        cell_key(rows.encode(row), qualifier, *rest): value for row, qualifier, *rest, value in made
    }
    expected = sorted(content.items())
    image = write_file(expected, file_format=file_format, codec=codec, rows=rows)
    reader = HFileReader.from_image("f", memoryview(image.data))

    assert read_all(reader) == expected
    assert reader.stats.entries == len(expected)

    cache = BlockCache(1 << 20)
    bound = b""
    for place in places(reader):
        block = reader.block(place, cache)
        assert bound in (b"", place.lower)
        assert place.lower <= block.keys[0]
        bound = place.bound
        assert not bound or block.keys[-1] < bound
        before = reader.before(block.keys[0] + b"\0", cache)
        assert before == place
    for key in content:
        assert key in reader.block(reader.find(key, cache), cache).keys
        assert reader.may_contain_row(split_key(key)[0], cache)
    if expected:
        assert reader.stats.first_key <= expected[0][0]
        assert reader.stats.last_key >= expected[-1][0]
        if file_format is FileFormat.COLUMNAR:
            assert reader.stats == image.stats


@each_form
def test_values_of_all_sizes_survive(write_file, read_all, file_format, codec):
    sizes = [0, 1, 255, 256, 257, 65535, 65536, 10 * 1024 * 1024, 0]
    expected = [
        (cell_key(b"row%d" % n, b"q", 1, 4, 1), bytes([n]) * size) for n, size in enumerate(sizes)
    ]
    image = write_file(expected, file_format=file_format, codec=codec, block_bytes=65536)
    assert read_all(HFileReader.from_image("f", memoryview(image.data))) == expected


def test_the_longest_row_and_qualifier_survive(write_file, read_all):
    expected = [(cell_key(b"r" * 32767, bytes([n]) * 32767, 5, 4, 9), b"v") for n in range(1, 5)]
    for file_format, codec in FORMS:
        image = write_file(expected, file_format=file_format, codec=codec)
        assert read_all(HFileReader.from_image("f", memoryview(image.data))) == expected


@each_form
def test_an_empty_file_is_a_file(write_file, file_format, codec):
    image = write_file([], file_format=file_format, codec=codec)
    reader = HFileReader.from_image("f", memoryview(image.data))
    cache = BlockCache(1)
    assert reader.find(b"anything", cache) is None
    assert reader.before(b"", cache) is None
    assert reader.mid_key(cache) is None
    assert list(reader.blocks(cache)) == []
    assert reader.stats.entries == 0
    assert reader.stats.min_timestamp > reader.stats.max_timestamp


def test_equal_input_gives_equal_bytes_however_it_is_appended(numbered_cells):
    made = numbered_cells(500)
    keys, values = [key for key, _ in made], [value for _, value in made]
    images = []
    for step in (1, 7, 500):
        writer = HFileWriter(FamilyDescriptor(b"f", block_bytes=512), PLAIN_ROWS)
        for start in range(0, 500, step):
            writer.append(keys[start : start + step], values[start : start + step])
        images.append(writer.finish(max_sequence_id=1).data)
    assert images[0] == images[1] == images[2]


def test_statistics_count_what_the_cells_hold(write_file):
    made = sorted(
        [
            (cell_key(b"a", b"", 50, 14, 7), b""),
            (cell_key(b"a", b"", 40, 10, 8), b""),
            (cell_key(b"a", b"q", 30, 4, 3), b"xyz"),
            (cell_key(b"b", b"q", 90, 12, 9), b""),
            (cell_key(b"b", b"q", 60, 8, 9), b""),
            (cell_key(b"c", b"q", 20, 4, 5), b"v"),
        ]
    )
    for file_format, codec in FORMS:
        image = write_file(made, file_format=file_format, codec=codec)
        stats = HFileReader.from_image("f", memoryview(image.data)).stats
        assert (stats.min_timestamp, stats.max_timestamp) == (20, 90)
        assert (stats.min_sequence_id, stats.max_cell_sequence_id) == (3, 9)
        assert (stats.delete_count, stats.delete_family_count) == (4, 2)
        assert stats.earliest_put_timestamp == 20
        assert stats.max_sequence_id == 10**6
        assert stats.value_bytes == 4
        assert stats.size == len(image.data)


def test_cells_equal_but_for_their_sequence_ids_share_a_block(write_file, places):
    """HBase looks cells up without their sequence ids, so an index must not part them."""
    made = [(cell_key(b"row", b"q", 1, 4, 100 - n), b"v" * 50) for n in range(50)]
    image = write_file(made, file_format=FileFormat.HBASE)
    assert len(places(HFileReader.from_image("f", memoryview(image.data)))) == 1
    image = write_file(made)
    assert len(places(HFileReader.from_image("f", memoryview(image.data)))) > 5


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 2, 1]])
def test_cells_out_of_order_are_refused_and_not_added(numbered_cells, read_all, order):
    made = numbered_cells(3)
    writer = HFileWriter(FamilyDescriptor(b"f"), PLAIN_ROWS)
    with pytest.raises(IllegalArgumentError, match="order"):
        writer.append([made[n][0] for n in order], [made[n][1] for n in order])
    for key, value in made:
        writer.append([key], [value])
    with pytest.raises(IllegalArgumentError, match="order"):
        writer.append([made[0][0]], [b""])
    image = writer.finish(max_sequence_id=1)
    assert read_all(HFileReader.from_image("f", memoryview(image.data))) == made
