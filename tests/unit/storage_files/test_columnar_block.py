"""A columnar block is searched in its streams at first, then by words: the answers are alike."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raybase.storage.hfile.columnar import Columnar
from raybase.storage.hfile.columnar_block import ColumnarBlock, Gathering
from raybase.storage.key import AFTER_END, END, TAIL_BYTES, cell_key, escape

TEXTS = st.one_of(
    st.binary(max_size=3),
    st.sampled_from([b"", b"\0", b"\0\xff", b"row", b"row\0", b"a" * 20, b"a" * 20 + b"b"]),
    st.integers(0, 40).map(lambda number: b"%x-user-%06d" % (number % 3, number)),
)
CELLS = st.lists(
    st.tuples(TEXTS, TEXTS, st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=60
)


def block_of(keys: list[bytes]) -> ColumnarBlock:
    values = [b"v%d" % number for number in range(len(keys))]
    heads = [key[:-TAIL_BYTES] for key in keys]
    tails = b"".join(key[-TAIL_BYTES:] for key in keys)
    block = Columnar().decode(Columnar().encode(keys, values, heads, tails))
    assert isinstance(block, ColumnarBlock)
    return block


def keys_of(cells: list[tuple[bytes, bytes, int, int]]) -> list[bytes]:
    return sorted(
        {cell_key(escape(row), qualifier, time, 4, seq) for row, qualifier, time, seq in cells}
    )


@given(CELLS, TEXTS, st.data())
def test_places_are_those_of_a_bisection_before_and_after_there_are_words(cells, row, data):
    keys = keys_of(cells)
    block = block_of(keys)
    near = data.draw(st.sampled_from(keys))
    asked = [
        escape(row) + END,
        escape(row) + AFTER_END,
        near,
        near[: near.index(END)] + END,
        near[: near.index(END)] + AFTER_END,
        near[:-TAIL_BYTES],
        near[:-1],
        near + b"\0",
    ]
    for _ in range(3):
        for key in asked:
            assert block.lower_bound(key) == bisect_left(keys, key)
            low = bisect_left(keys, key)
            assert block.lower_bound(key + b"\1", low) == bisect_left(keys, key + b"\1", low)


@given(CELLS, TEXTS)
def test_a_row_is_found_whole_however_often_its_block_was_searched(cells, other):
    keys = keys_of(cells)
    block = block_of(keys)
    rows = sorted({key[: key.index(END)] for key in keys} | {escape(other)})
    for _ in range(8):
        for row in rows:
            start, stop = row + END, row + AFTER_END
            expected = bisect_left(keys, start), bisect_left(keys, stop)
            assert block.row_range(start, stop) == expected
            assert block.keys_between(*expected) == keys[slice(*expected)]


@pytest.mark.parametrize("cells", [1, 15, 16, 17, 40, 400])
def test_a_row_of_many_cells_alike_in_their_words_is_found_whole(cells):
    rows = [b"7-group-0001", b"e-group-0001", b"e-group-0002"]
    keys = keys_of([(row, b"q", time, 1) for row in rows for time in range(cells)])
    block = block_of(keys)
    for _ in range(8):
        for place, row in enumerate(rows):
            expected = place * cells, (place + 1) * cells
            assert block.row_range(row + END, row + AFTER_END) == expected


@pytest.mark.parametrize("wide", [False, True])
def test_cells_gathered_from_blocks_are_those_of_the_blocks(wide):
    keys = [
        cell_key(b"row%03d" % number, b"q" * (1 + wide * number % 3), 5, 4, 7)
        for number in range(40)
    ]
    first, second = block_of(keys[:20]), block_of(keys[20:])
    gathering = Gathering()
    gathering.add(first, [(0, 2), (5, 6)])
    gathering.add(second, [])
    gathering.add(second, [(19, 20)])
    window = gathering.window()
    expected = [*keys[0:2], keys[5], keys[39]]
    assert window.keys == expected
    assert window.columns == [key[:-TAIL_BYTES] for key in expected]
    assert window.tails == b"".join(key[-TAIL_BYTES:] for key in expected)
    assert window.values == [b"v0", b"v1", b"v5", b"v19"]
    assert not window.bound
