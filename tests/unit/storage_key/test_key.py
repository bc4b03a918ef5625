"""The key of a cell sorts as HBase sorts the cell."""

from __future__ import annotations

from functools import cmp_to_key

from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.storage.key import META_ROWS, PLAIN_ROWS, cell_key, row_start, row_stop, split_key

text = st.lists(st.sampled_from(b"\0\1,a\xfe\xff"), max_size=4).map(bytes)
stamp = st.sampled_from([0, 1, 2**62, 2**63 - 1])
kind = st.sampled_from([4, 8, 10, 12, 14])
sequence = st.sampled_from([0, 1, 2**63])
cells = st.tuples(text, text, stamp, kind, sequence)


def in_cell_order(cell: tuple[bytes, bytes, int, int, int]) -> tuple[bytes, bytes, int, int, int]:
    row, qualifier, timestamp, type_code, sequence_id = cell
    return row, qualifier, -timestamp, -type_code, -sequence_id


@given(st.lists(cells, max_size=12))
def test_keys_sort_as_cells_do(found: list[tuple[bytes, bytes, int, int, int]]) -> None:
    by_key = sorted(found, key=lambda one: cell_key(PLAIN_ROWS.encode(one[0]), *one[1:]))
    assert by_key == sorted(found, key=in_cell_order)


@given(cells)
def test_a_key_gives_back_its_cell(cell: tuple[bytes, bytes, int, int, int]) -> None:
    row, *rest = cell
    encoded, *found = split_key(cell_key(PLAIN_ROWS.encode(row), *rest))
    assert (PLAIN_ROWS.decode(encoded), *found) == cell


@given(cells, text)
def test_a_rows_keys_lie_between_its_bounds(
    cell: tuple[bytes, bytes, int, int, int], other: bytes
) -> None:
    key = cell_key(PLAIN_ROWS.encode(cell[0]), *cell[1:])
    encoded = PLAIN_ROWS.encode(other)
    assert (row_start(encoded) <= key < row_stop(encoded)) == (cell[0] == other)


def compare(left: bytes, right: bytes) -> int:
    return (left > right) - (left < right)


def compare_meta_rows(left: bytes, right: bytes) -> int:
    """HBase's MetaCellComparator, step by step."""
    first_left, first_right = left.find(b","), right.find(b",")
    order = compare(
        left[: first_left if first_left >= 0 else len(left)],
        right[: first_right if first_right >= 0 else len(right)],
    )
    if order:
        return order
    if first_left < 0 or first_right < 0:
        return (first_left >= 0) - (first_right >= 0)
    last_left, last_right = left.rfind(b",", first_left + 1), right.rfind(b",", first_right + 1)
    order = compare(
        left[first_left + 1 : last_left if last_left >= 0 else len(left)],
        right[first_right + 1 : last_right if last_right >= 0 else len(right)],
    )
    if order:
        return order
    if last_left < 0 or last_right < 0:
        return (last_left >= 0) - (last_right >= 0)
    return compare(left[last_left + 1 :], right[last_right + 1 :])


meta_rows = st.one_of(
    text,
    st.tuples(text, text, text).map(lambda parts: b",".join(parts)),
)


@settings(max_examples=300)
@given(st.lists(meta_rows, max_size=8))
def test_rows_of_meta_sort_by_table_start_key_and_id(rows: list[bytes]) -> None:
    by_key = sorted(rows, key=lambda row: row_start(META_ROWS.encode(row)))
    expected = sorted(rows, key=cmp_to_key(compare_meta_rows))
    assert by_key == expected


@given(meta_rows)
def test_a_row_of_meta_is_given_back(row: bytes) -> None:
    assert META_ROWS.decode(META_ROWS.encode(row)) == row
