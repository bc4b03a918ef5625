"""Files of every kind with bytes flipped, cut off, or put where they do not belong.

A reader must give the right cells or a CorruptionError that names the file: never other cells,
and never an exception of another kind.
"""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import pytest

from raybase.errors import CorruptionError
from raybase.model import BloomType, FileFormat
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileReader, codecs, decoders, keyvalue, lzo
from raybase.storage.hfile.index import decode_node, decode_root
from raybase.storage.hfile.keyvalue import CellForm, KeyValues
from raybase.storage.key import cell_key
from raybase.storage.tags import tags_of

FOLDER = Path(__file__).parents[2] / "fixtures" / "hbase" / "hfiles"
FILES = sorted(path.name for path in FOLDER.iterdir())
UNCHECKED = "checksum_null.hfile"
"""It has no checksums, so flipped bits of its values cannot be noticed."""


def content_of(data):
    """All cells, and whether the filters know their rows."""
    reader = HFileReader.from_image("data/file", memoryview(bytes(data)))
    cache = BlockCache(1 << 24)
    content = [
        (key, value, tags_of(value))
        for block in reader.blocks(cache)
        for key, value in zip(block.keys, block.values, strict=True)
    ]
    for key, _, _ in content[::7]:
        row = key[: key.index(b"\0\0")]
        qualifier = key[len(row) + 2 : -19].replace(b"\0\xff", b"\0")
        assert reader.may_contain_row(row, cache)
        assert reader.may_contain_column(row, qualifier, cache)
    reader.mid_key(cache)
    return content


def check_damaged(data, expected, *, checked=True):
    named = ""
    found = None
    try:
        found = content_of(data)
    except CorruptionError as error:
        named = error.path
    except AssertionError:
        named = "data/file" if not checked else "a filter misses a row"
    assert named == "data/file" or not checked or found == expected


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_in_a_file_of_hbase(name):
    original = (FOLDER / name).read_bytes()
    expected = content_of(original)
    random = Random(name)
    places = [random.randrange(len(original)) for _ in range(12)]
    # The end, which has no checksum in files of HBase, bit by bit where it says something.
    places += range(len(original) - 4096, len(original) - 3960, 9)
    for at in places:
        damaged = bytearray(original)
        damaged[at] ^= 1 << random.randrange(8)
        check_damaged(damaged, expected, checked=name != UNCHECKED)


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        "bloom_rowcol.hfile",
        "fast_diff_gz.hfile",
        "index_3.hfile",
        "none_lzo.hfile",
        "none_zstd.hfile",
        "row_index_v1_none.hfile",
        "tags_compressed_diff.hfile",
    ],
)
def test_every_64th_byte_flipped_in_a_file_of_hbase(name):
    original = (FOLDER / name).read_bytes()
    expected = content_of(original)
    for at in [
        *range(0, len(original) - 4096, 64),
        *range(len(original) - 4096, len(original), 24),
    ]:
        damaged = bytearray(original)
        damaged[at] ^= 0xFF
        check_damaged(damaged, expected, checked=name != UNCHECKED)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_hbase_cut_short(name):
    original = (FOLDER / name).read_bytes()
    for length in (0, 3, 100, len(original) // 2, len(original) - 4096, len(original) - 1):
        with pytest.raises(CorruptionError):
            content_of(original[:length])
    for lost in (1, 33, 4096):
        check_damaged(original[lost:], [])


def swapped(data, one, other):
    """The file with the bytes of two places exchanged, which are equally long."""
    assert one.stored_bytes == other.stored_bytes
    made = bytearray(data)
    length = one.stored_bytes
    made[one.offset : one.offset + length] = data[other.offset : other.offset + length]
    made[other.offset : other.offset + length] = data[one.offset : one.offset + length]
    return made


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_blocks_that_changed_places_are_noticed(write_file, numbered_cells, places, file_format):
    image = write_file(numbered_cells(400), file_format=file_format)
    found = places(HFileReader.from_image("f", memoryview(image.data)))
    by_size = {}
    for place in found:
        by_size.setdefault(place.stored_bytes, []).append(place)
    one, other = max(by_size.values(), key=len)[:2]
    with pytest.raises(CorruptionError, match="checksum" if file_format == "columnar" else "keys"):
        content_of(swapped(image.data, one, other))


def test_a_filter_or_an_index_block_in_anothers_place_is_noticed_in_our_files(
    write_file, monkeypatch
):
    monkeypatch.setattr("raybase.storage.hfile.row_filter.ROWS_PER_CHUNK", 100)
    cells = [(cell_key(b"row%06d" % n, b"q", 1, 4, 1), b"v") for n in range(2000)]
    data = write_file(cells, index_block_bytes=512).data
    expected = content_of(data)
    reader = HFileReader.from_image("f", memoryview(data))
    by_size = {}
    for entry in reader.loaded.metas:
        by_size.setdefault(entry.stored_bytes, []).append(entry)
    one, other = max(by_size.values(), key=len)[:2]
    made = swapped(data, one, other)
    reader = HFileReader.from_image("f", memoryview(bytes(made)))
    assert expected
    with pytest.raises(CorruptionError, match="checksum"):
        reader.may_contain_row(one.key[4:], BlockCache(1 << 20))


def test_a_block_of_another_file_is_noticed_in_our_files(write_file, numbered_cells, places):
    """Same rows, same sizes, same places; other values."""
    cells = numbered_cells(100)
    older = write_file([(key, b"older") for key, _ in cells]).data
    newer = write_file([(key, b"newer") for key, _ in cells]).data
    (place, *_) = places(HFileReader.from_image("f", memoryview(newer)))
    made = bytearray(newer)
    made[place.offset : place.offset + place.stored_bytes] = older[
        place.offset : place.offset + place.stored_bytes
    ]
    with pytest.raises(CorruptionError, match="checksum"):
        content_of(made)


@pytest.mark.parametrize("bloom", [BloomType.ROW, BloomType.ROWCOL])
def test_random_damage_to_files_we_write_for_hbase(write_file, numbered_cells, bloom):
    for codec in ("NONE", "SNAPPY", "LZ4", "ZSTD"):
        original = write_file(
            numbered_cells(120), file_format=FileFormat.HBASE, codec=codec, bloom=bloom
        ).data
        expected = content_of(original)
        random = Random(codec)
        for _ in range(40):
            damaged = bytearray(original)
            for _ in range(random.randrange(1, 4)):
                damaged[random.randrange(len(damaged))] = random.randrange(256)
            check_damaged(damaged, expected)


NAMES = {codec: codecs.codec_name(codec) for codec in sorted(codecs.READ - {codecs.NONE})}


@pytest.mark.parametrize("codec", NAMES, ids=NAMES.values())
def test_what_is_no_compressed_data_is_a_value_error(codec):
    """As the checksum was right, somebody wrote it so: still no other exception, and in bounds."""
    random = Random(codec)
    made = b"" if codec == codecs.LZO else codecs.compress(b"some words " * 500, codec)
    for _ in range(300):
        data = bytearray(made or random.randbytes(random.randrange(60)))
        for _ in range(random.randrange(1, 5)):
            if data:
                data[random.randrange(len(data))] = random.randrange(256)
        size = random.choice([0, 1, 100, 5500, 6000])
        try:
            assert len(codecs.decompress(bytes(data), codec, size)) == size
        except (ValueError, IndexError, struct.error):
            continue


@pytest.mark.parametrize("codec", ["SNAPPY", "LZ4", "ZSTD", "GZ"])
def test_data_that_holds_more_than_it_says_is_given_up(codec):
    number = codecs.codec_id(codec)
    bomb = codecs.compress(bytes(1_000_000), number)
    for claimed in (0, 100, 999_999):
        with pytest.raises(ValueError):
            codecs.decompress(bomb, number, claimed)
    with pytest.raises(ValueError):
        codecs.decompress(bomb, number, 1_000_001)
    assert codecs.decompress(bomb, number, 1_000_000) == bytes(1_000_000)


def test_lzo_never_makes_more_than_it_may():
    zeros = b"\x12\0" + b"\x20" + bytes(4000) + b"\x01" + b"\0\0" + b"\x11\0\0"
    made = lzo.decompress(zeros, 10_000_000)
    assert set(made) == {0} and len(made) > 1_000_000
    for limit in (0, 1, 1000, len(made) - 1):
        with pytest.raises(ValueError, match="more than"):
            lzo.decompress(zeros, limit)


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (b"\x12a\x11\0\0more", "behind its end"),
        (b"\x15ab", "inside its literals"),
        (b"\x12a\x40\xff\x11\0\0", "never made"),
    ],
)
def test_malformed_lzo_is_refused(stream, problem):
    with pytest.raises(ValueError, match=problem):
        lzo.decompress(stream, 1000)


def test_a_block_of_endless_tiny_cells_is_given_up(monkeypatch):
    """Compressed to nothing, and each an object in memory."""
    monkeypatch.setattr(keyvalue, "CELLS_MAX", 1000)
    monkeypatch.setattr(decoders, "CELLS_MAX", 1000)
    flat = b"\0\1r\1f" + struct.pack(">QB", 1, 4)
    form = CellForm(has_sequence_ids=False, has_tags=False)
    plain = struct.pack(">ii", len(flat), 0) + flat
    assert len(KeyValues(form=form).decode(plain * 1000)) == 1000
    with pytest.raises(ValueError, match="more than 1000"):
        KeyValues(form=form).decode(plain * 1001)
    # FAST_DIFF: everything as before, key and value of one byte of flags and one of length.
    first = b"\0" + bytes([len(flat), 0, 0]) + flat
    again = b"\x7f" + bytes([len(flat) - 9]) + flat[-2:-1]
    for cells in (1000, 1001):
        size = struct.pack(">hI", 4, cells * (8 + len(flat)))
        payload = size + first + again * (cells - 1)
        if cells == 1000:
            assert len(decoders.FastDiff(form=form).decode(payload)) == cells
        else:
            with pytest.raises(ValueError, match="holds more"):
                decoders.FastDiff(form=form).decode(payload)


def test_more_index_entries_than_any_index_has_are_refused():
    with pytest.raises(ValueError, match="entries"):
        decode_root(b"", 1 << 21)
    with pytest.raises(ValueError, match="entries"):
        decode_node(struct.pack(">i", 1 << 21) + bytes(1 << 24))
