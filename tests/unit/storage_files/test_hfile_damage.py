from __future__ import annotations

import struct
import zlib

import pytest

from raybase.errors import CorruptionError, UnsupportedFormatError
from raybase.model import FileFormat
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileReader, blocks, codecs, columnar, streams
from raybase.storage.hfile.columnar import Columnar
from raybase.storage.hfile.keyvalue import KeyValues
from raybase.storage.hfile.trailer import TRAILER_BYTES, Trailer

FORMS = [
    (FileFormat.COLUMNAR, "NONE"),
    *((FileFormat.HBASE, codec) for codec in ("NONE", "GZ", "SNAPPY", "LZ4", "ZSTD")),
]
each_form = pytest.mark.parametrize(("file_format", "codec"), FORMS)


def read_everything(data, read_all):
    reader = HFileReader.from_image("data/file", memoryview(data))
    cache = BlockCache(1 << 24)
    content = read_all(reader, cache)
    present = [reader.may_contain_row(b"row%06d" % n, cache) for n in range(30)]
    return content, present, reader.stats, reader.mid_key(cache)


@each_form
def test_a_flipped_bit_is_found_wherever_it_is(
    write_file, numbered_cells, read_all, file_format, codec
):
    """Every byte of the file, padding included: an error that names the file, never an answer."""
    image = write_file(
        numbered_cells(30), file_format=file_format, codec=codec, index_block_bytes=128
    ).data
    for at in range(len(image)):
        damaged = bytearray(image)
        damaged[at] ^= 1 << (at % 8)
        with pytest.raises(CorruptionError) as raised:
            read_everything(bytes(damaged), read_all)
        assert raised.value.path == "data/file"


@each_form
def test_a_truncated_file_is_found(write_file, numbered_cells, read_all, file_format, codec):
    image = write_file(numbered_cells(30), file_format=file_format, codec=codec).data
    for length in [*range(0, len(image), 53), len(image) - 1]:
        with pytest.raises(CorruptionError):
            read_everything(image[:length], read_all)


@each_form
def test_a_file_with_its_beginning_lost_is_found(
    write_file, numbered_cells, read_all, file_format, codec
):
    image = write_file(numbered_cells(30), file_format=file_format, codec=codec).data
    for lost in (1, 33, 500, len(image) - TRAILER_BYTES):
        with pytest.raises(CorruptionError):
            read_everything(image[lost:], read_all)


def test_a_wrong_block_fetched_is_not_taken(write_file, numbered_cells):
    image = write_file(numbered_cells(100))
    reader = HFileReader.from_image("f", memoryview(image.data))
    cache = BlockCache(1 << 20)
    for wrong in (b"", image.data[:20], image.data[1:400], bytes(400)):
        with pytest.raises(CorruptionError):
            reader.admit(0, wrong, cache)
    assert len(cache) == 0


def test_a_checksum_of_zero_bytes_does_not_count_as_one(write_file, numbered_cells, read_all):
    image = bytearray(write_file(numbered_cells(5)).data)
    image[-8:-4] = bytes(4)
    with pytest.raises(CorruptionError, match="trailer"):
        read_everything(bytes(image), read_all)


def frame_claiming(payload_bytes: int, data: bytes) -> bytes:
    """A block with valid checksums whose header lies about what is inside."""
    header = struct.pack(
        ">8siiqBii", blocks.DATA, len(data) + 4, payload_bytes, -1, 1, 1 << 24, 33 + len(data)
    )
    return header + data + struct.pack(">I", zlib.crc32(header + data))


def test_a_zip_bomb_is_stopped_at_the_size_it_declared():
    bomb = codecs.compress(bytes(50_000_000), codecs.GZ)
    with pytest.raises(CorruptionError, match="holds 101 bytes and not 100"):
        blocks.unframe("f", 0, frame_claiming(100, bomb), codecs.GZ, None)
    with pytest.raises(CorruptionError, match="claims to hold"):
        blocks.unframe("f", 0, frame_claiming(2**31 - 1, bomb), codecs.GZ, None)


def test_a_gzip_stream_cut_short_is_found():
    part = codecs.compress(b"x" * 1000, codecs.GZ)[:-12]
    with pytest.raises(CorruptionError):
        blocks.unframe("f", 0, frame_claiming(1000, part), codecs.GZ, None)
    with pytest.raises(CorruptionError, match="gzip"):
        blocks.unframe("f", 0, frame_claiming(1000, b"no gzip"), codecs.GZ, None)


def test_lying_lengths_in_a_columnar_block_cost_no_memory(numbered_cells):
    made = numbered_cells(200)
    keys, values = [key for key, _ in made], [value for _, value in made]
    payload = Columnar().encode(
        keys, values, [key[:-17] for key in keys], b"".join(key[-17:] for key in keys)
    )
    head = struct.Struct(">hBI" + "BII" * 5)
    fields = list(head.unpack_from(payload))
    for place, honest in enumerate(fields):
        for lie in {0, 1, 127, 255, 2**31 - 1, 2**32 - 1} - {honest}:
            lying = [*fields[:place], lie, *fields[place + 1 :]]
            try:
                packed = head.pack(*lying)
            except struct.error:
                continue  # the lie does not fit the field
            with pytest.raises((ValueError, struct.error)):
                Columnar().decode(packed + payload[head.size :])


@pytest.mark.parametrize("lie", [0, 1, 35, 2**16, 2**31 - 1, 2**32 - 1])
@pytest.mark.parametrize("place", [8, 32, 36])
def test_a_compressed_stream_of_lying_offsets_is_refused_before_it_is_followed(place, lie):
    """By the library itself it would end the process."""
    raw = b"".join(b"%08x" % (number * 2654435761 % 2**32) for number in range(100_000))
    form, raw_bytes, chunk = streams.compress(raw, 1)
    assert streams.decompress(form, chunk, raw_bytes) == raw
    lying = chunk[:place] + struct.pack("<I", lie) + chunk[place + 4 :]
    with pytest.raises(ValueError):
        streams.decompress(form, lying, raw_bytes)


def test_cells_that_run_past_their_block_are_found(numbered_cells):
    made = numbered_cells(3)
    keys, values = [key for key, _ in made], [value for _, value in made]
    encoding = KeyValues(b"f")
    payload = encoding.encode(keys, values, [], b"")
    assert encoding.decode(payload).keys == keys
    for length in range(1, len(payload)):
        cut = payload[:length]
        try:
            decoded = encoding.decode(cut)
        except (ValueError, IndexError, struct.error):
            continue
        assert keys[: len(decoded)] == decoded.keys


def test_other_codecs_encodings_and_versions_are_refused_by_name(write_file, numbered_cells):
    image = write_file(numbered_cells(5), file_format=FileFormat.HBASE).data
    trailer = Trailer.decode("f", len(image), image)

    def with_trailer(**changes):
        values = {name: getattr(trailer, name) for name in Trailer.__slots__} | changes
        return image[:-TRAILER_BYTES] + Trailer(**values).encode()

    for codec, name in ((5, "BZIP2"), (7, "LZMA"), (8, "BROTLI"), (99, "number 99")):
        with pytest.raises(UnsupportedFormatError, match=name):
            HFileReader.from_image("f", memoryview(with_trailer(codec=codec)))
    with pytest.raises(UnsupportedFormatError, match="MyOwn"):
        HFileReader.from_image("f", memoryview(with_trailer(comparator="MyOwn")))
    for version in (b"\0\0\0\1", b"\0\0\0\2", b"\4\0\0\3"):
        with pytest.raises(UnsupportedFormatError, match="version"):
            HFileReader.from_image("f", memoryview(image[:-4] + version))
    with pytest.raises(CorruptionError, match="does not end with"):
        HFileReader.from_image("f", memoryview(image[:-4] + b"\0\0\0\4"))


def test_the_encoding_id_is_checked(numbered_cells):
    assert columnar.ID not in range(8), "those are HBase's"
    with pytest.raises(ValueError, match="encoding"):
        Columnar().decode(struct.pack(">hBI" + "BII" * 5, 7, 1, 0, *[0] * 15))
