from __future__ import annotations

import pytest

from raybase.model import FamilyDescriptor, FileFormat
from raybase.storage.hfile import HFileReader, HFileWriter
from raybase.storage.key import PLAIN_ROWS, cell_key
from raybase.storage.tags import TaggedValue, build_tags, tags_of

FORMS = [
    (FileFormat.COLUMNAR, "NONE"),
    *((FileFormat.HBASE, codec) for codec in ("NONE", "GZ", "SNAPPY", "LZ4", "ZSTD")),
]
each_form = pytest.mark.parametrize(("file_format", "codec"), FORMS)


def some_tagged(numbered_cells, count=300):
    """Every seventh cell has tags, of several lengths; whole blocks have none."""
    return [
        (key, TaggedValue(value, build_tags([(8, b"t" * (n % 40))])))
        if n > count // 2 and n % 7 == 0
        else (key, value)
        for n, (key, value) in enumerate(numbered_cells(count))
    ]


@each_form
def test_tags_survive_beside_cells_without(
    write_file, read_all, numbered_cells, file_format, codec
):
    made = some_tagged(numbered_cells)
    image = write_file(made, file_format=file_format, codec=codec)
    content = read_all(HFileReader.from_image("f", memoryview(image.data)))
    assert content == made
    assert [tags_of(value) for _, value in content] == [tags_of(value) for _, value in made]
    longest = max(len(tags_of(value)) for _, value in made)
    assert image.stats.max_tags_bytes == longest > 0
    reader = HFileReader.from_image("f", memoryview(image.data))
    assert reader.stats.max_tags_bytes == longest


@each_form
def test_a_file_without_tags_says_so(write_file, numbered_cells, file_format, codec):
    image = write_file(numbered_cells(50), file_format=file_format, codec=codec)
    assert HFileReader.from_image("f", memoryview(image.data)).stats.max_tags_bytes == 0


def test_the_longest_tags_survive(write_file, read_all):
    tags = build_tags([(1, b"x" * 32764)])
    made = [(cell_key(b"r", b"q", 1, 4, 1), TaggedValue(b"v", tags))]
    for file_format, codec in FORMS:
        image = write_file(made, file_format=file_format, codec=codec)
        ((_, value),) = read_all(HFileReader.from_image("f", memoryview(image.data)))
        assert tags_of(value) == tags


def test_what_is_drained_and_the_rest_are_the_file(numbered_cells):
    made = numbered_cells(500)
    keys, values = [key for key, _ in made], [value for _, value in made]
    writer = HFileWriter(FamilyDescriptor(b"f", block_bytes=512), PLAIN_ROWS)
    writer.append(keys, values)
    whole = writer.finish(max_sequence_id=1)
    writer = HFileWriter(FamilyDescriptor(b"f", block_bytes=512), PLAIN_ROWS)
    parts = [writer.drain()]
    for start in range(0, 500, 50):
        writer.append(keys[start : start + 50], values[start : start + 50])
        parts.append(writer.drain())
        parts.append(writer.drain())
    image = writer.finish(max_sequence_id=1)
    assert sum(map(bool, parts)) == 10
    assert b"".join([*parts, image.data]) == whole.data
    assert image.stats == whole.stats
