"""Gets that take the short way answer as the general way does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raybase.model import FamilyDescriptor
from raybase.operations import Delete, Get, Put
from raybase.storage.row_reader import is_plain

ROWS = [b"a", b"a\0", b"a\0\0b", b"b", b"bb", b"c", b"d", b"e"]
QUALIFIERS = [b"", b"\0", b"p", b"q", b"q\0"]
FAMILIES = (b"f", b"g")

puts = st.tuples(
    st.just("put"),
    st.sampled_from(ROWS),
    st.sampled_from(FAMILIES),
    st.sampled_from(QUALIFIERS),
    st.integers(1, 3),
)
deletes = st.tuples(
    st.just("delete"),
    st.sampled_from(ROWS),
    st.sampled_from(FAMILIES),
    st.sampled_from(QUALIFIERS),
    st.integers(1, 3),
)
steps = st.lists(st.one_of(puts, puts, puts, puts, deletes, st.just(("flush",))), max_size=40)
columns = st.sampled_from([{}, {b"f": None}, {b"g": (b"p", b"q\0"), b"f": (b"",)}])


def cells_of(batch: Any) -> list[tuple[Any, ...]]:
    return list(batch.cells())


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps, columns, st.lists(st.sampled_from([*ROWS, b"absent"]), min_size=1, max_size=12))
def test_many_rows_one_row_and_a_scanner_find_the_same(
    make_engine: Any, done: Any, asked: Any, rows: list[bytes]
) -> None:
    engine = make_engine(
        FamilyDescriptor(b"f", block_bytes=256), FamilyDescriptor(b"g", max_versions=2)
    )
    for number, step in enumerate(done):
        if step[0] == "flush":
            engine.flush()
        elif step[0] == "put":
            _, row, family, qualifier, at = step
            engine.write(Put(row).add(family, qualifier, b"%d" % number, at))
        else:
            _, row, family, qualifier, at = step
            engine.write(Delete(row).column(family, qualifier, at))
    gets = [Get(row, asked) for row in rows]
    expected = []
    for get in gets:
        scanner = engine.region.get_scanner(get, engine.now_ms)
        expected.append(cells_of(engine.fetching(scanner.next)))
        scanner.close()
    assert [cells_of(engine.get(get)) for get in gets] == expected
    many = engine.fetching(lambda: engine.region.get_many(gets, engine.now_ms))
    assert [cells_of(batch) for batch in many] == expected
    assert [batch.row_count for batch in many] == [bool(cells) for cells in expected]


def test_writes_that_are_not_durable_yet_are_not_seen(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"f"))
    engine.write(Put(b"r").add(b"f", b"q", b"old"))
    engine.region.write([Put(b"r").add(b"f", b"q", b"new")], engine.now_ms)
    assert engine.get(Get(b"r")).values == [b"old"]
    (batch,) = engine.region.get_many([Get(b"r")], engine.now_ms)
    assert batch.values == [b"old"]


def test_rows_over_several_blocks_are_read_whole(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"f", block_bytes=256), cache_bytes=2**20)
    wide = [b"%03d" % number for number in range(100)]
    for row in (b"a", b"b", b"c"):
        put = Put(row)
        for qualifier in wide:
            put.add(b"f", qualifier, row + qualifier)
        engine.write(put)
    engine.flush()
    gets = [Get(row) for row in (b"c", b"a", b"x", b"a")]
    found = engine.fetching(lambda: engine.region.get_many(gets, engine.now_ms))
    assert [batch.values for batch in found] == [
        [row + qualifier for qualifier in wide] if row != b"x" else []
        for row in (b"c", b"a", b"x", b"a")
    ]


@pytest.mark.parametrize(
    "asked", [{"max_versions": 2}, {"store_limit": 1}, {"store_offset": 1}, {"family_times": {}}]
)
def test_only_gets_that_ask_for_nothing_special_are_plain(asked: Any) -> None:
    assert is_plain(Get(b"r", **asked)) is (asked == {"family_times": {}})
