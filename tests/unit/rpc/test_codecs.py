from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.errors import BadFrameError
from raybase.rpc.codec import CODECS, COLUMNAR, KEY_VALUE, KEY_VALUE_WITH_TAGS, CellCodec
from raybase.rpc.columnar import decode_columns, encode_columns
from raybase.storage.cells import CellBatch
from raybase.storage.tags import any_tagged, tagged, tags_of, ttl_tag

BYTES_MAX = 1 << 20


def batch_of(*rows: tuple[bytes, list[tuple[bytes, bytes, int, int, bytes]]]) -> CellBatch:
    batch = CellBatch()
    for row, cells in rows:
        for family, qualifier, timestamp, type_code, value in cells:
            batch.append(row, family, qualifier, timestamp, type_code, value)
        batch.end_row()
    return batch


def contents(batch: CellBatch) -> tuple[object, ...]:
    return list(batch.cells()), batch.row_ends, batch.partial


ONE = batch_of((b"row", [(b"fam", b"qual", 1234567890123, 4, b"value")]))

MANY = batch_of(
    (b"a", [(b"f", b"x", 3, 4, b""), (b"f", b"y", 2, 4, b"v"), (b"g", b"", 2**63 - 1, 12, b"")]),
    (b"b\x00", [(b"f", b"x", 9, 4, b"long" * 40)]),
    (b"c", [(b"f", b"x", 8, 14, b"1"), (b"f", b"z", 7, 4, b"22")]),
)


def test_a_key_value_has_hbases_bytes() -> None:
    assert KEY_VALUE.encode(ONE).hex(" ") == (
        "00 00 00 23 "  # what follows
        "00 00 00 16 "  # key
        "00 00 00 05 "  # value
        "00 03 72 6f 77 "
        "03 66 61 6d "
        "71 75 61 6c "
        "00 00 01 1f 71 fb 04 cb "
        "04 "
        "76 61 6c 75 65"
    )


def test_a_columnar_block_has_the_bytes_of_its_grammar() -> None:
    batch = batch_of(
        (b"r1", [(b"f", b"q", 5, 4, b"ab")]),
        (b"r2", [(b"f", b"q", 5, 4, b"c")]),
    )
    assert COLUMNAR.encode(batch).hex(" ") == (
        "01 00 02 00 00 00 02 00 00 00 "  # version, flags, rows, cells
        "02 02 00 00 00 "  # rows: equal length 2
        "00 01 00 00 00 "  # counts: constant 1
        "00 01 00 00 00 "  # families: constant of 1 byte
        "00 01 00 00 00 "  # qualifiers
        "03 00 00 00 00 "  # values: plain
        "00 05 00 00 00 00 00 00 00 "  # timestamps: constant 5
        "72 31 72 32 66 71 04 04 "
        "02 00 00 00 01 00 00 00 61 62 63"
    )


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda one: one.name)
@pytest.mark.parametrize("batch", [CellBatch(), ONE, MANY], ids=["none", "one", "many"])
def test_cells_survive_a_codec(codec: CellCodec, batch: CellBatch) -> None:
    assert contents(codec.decode(codec.encode(batch))) == contents(batch)


texts = st.binary(max_size=6)
cells = st.tuples(
    st.sampled_from([b"f", b"g", b"family"]),
    texts,
    st.integers(0, 2**64 - 1),
    st.integers(0, 255),
    st.binary(max_size=40),
)
rows = st.dictionaries(texts, st.lists(cells, min_size=1, max_size=12), max_size=12)


@given(rows, st.booleans())
@settings(max_examples=80)
def test_any_cells_survive_any_codec(
    found: dict[bytes, list[tuple[bytes, bytes, int, int, bytes]]], partial: bool
) -> None:
    batch = batch_of(*found.items())
    assert contents(KEY_VALUE.decode(KEY_VALUE.encode(batch))) == contents(batch)
    batch.partial = partial
    assert contents(COLUMNAR.decode(COLUMNAR.encode(batch))) == contents(batch)


def test_repeated_strings_travel_once() -> None:
    batch = CellBatch()
    for index in range(1000):
        qualifier = b"a long qualifier number %d" % (index % 10)
        batch.append(b"row %03d" % (index // 10), b"family", qualifier, 5, 4, b"v")
        if index % 10 == 9:
            batch.end_row()
    encoded = COLUMNAR.encode(batch)
    assert contents(COLUMNAR.decode(encoded)) == contents(batch)
    assert len(encoded) < 5 * len(batch)


def test_a_column_of_many_different_strings_has_no_dictionary() -> None:
    names = [b"%05d" % index for index in range(300)] * 5
    batch = batch_of((b"row", [(b"f", name, 1, 4, b"") for name in names]))
    assert COLUMNAR.decode(COLUMNAR.encode(batch)).qualifiers == names


def test_rows_without_cells_survive_as_columns() -> None:
    encoded = encode_columns([b"a", b"b", b"c"], [0, 2, 0], *_cells(2))
    columns = decode_columns(encoded, BYTES_MAX)
    assert (columns.rows, columns.counts) == ([b"a", b"b", b"c"], [0, 2, 0])
    assert columns.row_of_each_cell() == [b"b", b"b"]
    alone = decode_columns(encode_columns([b"a"], [0], [], [], [], [], []), BYTES_MAX)
    assert (alone.rows, alone.values) == ([b"a"], [])


def _cells(
    count: int,
) -> tuple[list[bytes], list[bytes], list[int], list[int], list[bytes]]:
    return [b"f"] * count, [b"q"] * count, [1] * count, [4] * count, [b"v"] * count


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda one: one.name)
def test_a_block_cut_at_any_byte_is_refused(codec: CellCodec) -> None:
    whole = codec.encode(MANY if codec is COLUMNAR else ONE)
    for length in range(1, len(whole)):
        with pytest.raises(BadFrameError):
            codec.decode(whole[:length])
    with pytest.raises(BadFrameError):
        codec.decode(whole + b"\0")


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda one: one.name)
def test_damaged_blocks_are_refused_or_read_but_never_do_worse(codec: CellCodec) -> None:
    whole = bytearray(codec.encode(MANY))
    chance = random.Random(1)
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.choice((0, 1, 2, 3, 127, 128, 255))
        try:
            codec.decode(bytes(damaged))
        except BadFrameError:
            continue


def test_a_small_block_cannot_unfold_to_more_than_the_limit() -> None:
    count = 10_000
    block = encode_columns([b"r" * 1000], [count], *_cells(count))
    assert len(block) < 2 * count + 2000
    assert len(decode_columns(block, count * 1100).values) == count
    with pytest.raises(BadFrameError, match="unfolds to more"):
        decode_columns(block, count * 1000)
    with pytest.raises(BadFrameError, match="unfolds to more"):
        decode_columns(encode_columns([b"r"], [1], *_cells(1))[:2] + b"\xff" * 60, BYTES_MAX)


def test_a_dictionary_cannot_unfold_to_more_than_the_limit() -> None:
    names = [b"a" * 5000, b"b"] * 1000
    families, _, timestamps, types, values = _cells(2000)
    block = encode_columns([b"r"], [2000], families, names, timestamps, types, values)
    assert len(block) < 20_000
    with pytest.raises(BadFrameError, match="unfolds to more"):
        decode_columns(block, BYTES_MAX)


def test_values_are_never_shared() -> None:
    block = bytearray(encode_columns([b"r"], [2], *_cells(2)))
    block[30] = 0  # the values' form: CONSTANT
    with pytest.raises(BadFrameError, match="values of form 0"):
        decode_columns(bytes(block), BYTES_MAX)


def test_rows_of_different_width_are_counted_exactly() -> None:
    narrow, wide = 10_000, 2
    block = encode_columns([b"n", b"w" * 5000], [narrow, wide], *_cells(narrow + wide))
    assert len(decode_columns(block, BYTES_MAX).values) == narrow + wide
    turned = encode_columns([b"w" * 5000, b"n"], [narrow, wide], *_cells(narrow + wide))
    with pytest.raises(BadFrameError, match="unfolds to more"):
        decode_columns(turned, BYTES_MAX)


@pytest.mark.parametrize("counts", [[1, 2], [1, 0], [2**32 - 1, 3]])
def test_a_block_whose_rows_have_other_cells_than_it_has_is_refused(counts: list[int]) -> None:
    block = encode_columns([b"a", b"b"], counts, *_cells(2))
    with pytest.raises(BadFrameError, match="a block of 2 cells whose rows have"):
        decode_columns(block, BYTES_MAX)


def test_tags_travel_only_with_the_codec_that_has_them() -> None:
    batch = CellBatch()
    batch.append(b"r", b"f", b"a", 1, 4, tagged(b"1", ttl_tag(9)))
    batch.append(b"r", b"f", b"b", 1, 4, b"2")
    batch.end_row()
    block = KEY_VALUE_WITH_TAGS.encode(batch)
    assert list(map(tags_of, KEY_VALUE_WITH_TAGS.decode(block).values)) == [ttl_tag(9), b""]
    assert not any_tagged(KEY_VALUE.decode(KEY_VALUE.encode(batch)).values)
    with pytest.raises(BadFrameError):
        KEY_VALUE.decode(block)
    with pytest.raises(BadFrameError):
        KEY_VALUE_WITH_TAGS.decode(block.replace(b"\0\x0b\0\x09\x08", b"\0\x0c\0\x09\x08"))
