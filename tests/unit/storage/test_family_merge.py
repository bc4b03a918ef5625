"""Families are put together by row: rows of one shape by slices, any others by a sort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raybase.errors import BlockMiss
from raybase.model import FamilyDescriptor
from raybase.operations import Get, Put, Scan
from raybase.storage.family_merge import Weave, order_of

FAMILIES = (FamilyDescriptor(b"f"), FamilyDescriptor(b"g"))

Shape = Mapping[bytes, int]
"""Columns of a row, by family."""


def put(number: int, shape: Shape) -> Put:
    row = Put(b"row%04d" % number)
    for family, columns in shape.items():
        for column in range(columns):
            row.add(family, b"q%d" % column, b"%d-%d" % (number, column))
    return row


def expected(shapes: list[Shape]) -> list[tuple[bytes, bytes, bytes, bytes]]:
    return [
        (b"row%04d" % number, family, b"q%d" % column, b"%d-%d" % (number, column))
        for number, shape in enumerate(shapes)
        for family in (b"f", b"g")
        for column in range(shape.get(family, 0))
    ]


def scanned(engine: Any, bytes_max: int = 0, rows_max: int = 0) -> list[Any]:
    scanner = engine.region.scanner(Scan(), engine.now_ms)
    found, ends = [], []
    while not scanner.exhausted:
        batch = engine.fetching(lambda: scanner.next(rows_max, bytes_max))
        ends += [b for a, b in zip((0, *batch.row_ends), batch.row_ends, strict=False) if b == a]
        found += list(zip(batch.rows, batch.families, batch.qualifiers, batch.values, strict=True))
        firsts = [batch.rows[end - 1] for end in batch.row_ends]
        assert firsts == sorted(set(firsts)), "a row ends once"
    assert not ends, "a row has cells"
    return found


def of_family(shapes: list[Shape], family: bytes) -> list[tuple[bytes, bytes]]:
    """(row, qualifier) of every cell."""
    return [(row, qualifier) for row, name, qualifier, _ in expected(shapes) if name == family]


@pytest.mark.parametrize(
    ("shapes", "is_woven"),
    [
        ([{b"f": 2, b"g": 3}] * 20, True),
        ([{b"f": 1, b"g": 1}] * 8, True),
        ([{b"f": 2, b"g": 3}] * 7, False),
        ([{b"f": 2, b"g": 3}] * 10 + [{b"f": 2, b"g": 2}], False),
        ([{b"f": 1, b"g": 2}, {b"f": 2, b"g": 1}] * 8, False),
        ([{b"f": 2}] + [{b"f": 2, b"g": 3}] * 10 + [{b"g": 3}], False),
    ],
)
def test_rows_of_one_shape_are_woven_and_others_sorted(make_engine, shapes, is_woven):
    cells = [of_family(shapes, name) for name in (b"f", b"g")]
    rows = [[row for row, _ in one] for one in cells]
    order = order_of(rows)
    assert isinstance(order, Weave) == is_woven
    in_order = list(
        zip(
            order.of(rows),
            order.of([[b"f"] * len(rows[0]), [b"g"] * len(rows[1])]),
            order.of([[qualifier for _, qualifier in one] for one in cells]),
            strict=True,
        )
    )
    assert in_order == [cell[:3] for cell in expected(shapes)]
    assert [in_order[at][0] for at in order.starts] == sorted({row for row, *_ in in_order})
    assert order.row_count == len(order.starts)
    engine = make_engine(*FAMILIES)
    engine.write(*[put(number, shape) for number, shape in enumerate(shapes)])
    engine.flush()
    assert scanned(engine) == expected(shapes)
    gets = [Get(b"row%04d" % number) for number in range(len(shapes) + 1)]
    batches = engine.fetching(lambda: engine.region.get_many(gets, engine.now_ms))
    assert [(*cell[:3], cell[5]) for batch in batches for cell in batch.cells()] == expected(shapes)
    assert not len(batches[-1])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([{b"f": 2, b"g": 3}] * 6 + [{b"f": 1}, {b"g": 4}, {b"f": 2, b"g": 2}]),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from([0, 100, 1000, 5000]),
    st.sampled_from([0, 1, 7]),
    st.booleans(),
)
def test_a_scan_of_families_returns_every_row_once_and_in_order(
    make_engine, shapes, bytes_max, rows_max, flushed
):
    engine = make_engine(*FAMILIES)
    engine.write(*[put(number, shape) for number, shape in enumerate(shapes)])
    if flushed:
        engine.flush()
    assert scanned(engine, bytes_max, rows_max) == expected(shapes)


def test_a_get_names_the_blocks_of_all_families_and_files_in_one_miss(make_engine):
    engine = make_engine(*FAMILIES)
    for value in (b"old", b"new"):
        engine.write(Put(b"row").add(b"f", b"q", value).add(b"g", b"q", value))
        engine.flush()
    for store in engine.region.stores.values():
        for file in store.files:
            engine.cache.remove_file(file.path)
            file.reader.detach_image()
    missed: list[BlockMiss] = []
    while True:
        try:
            batch = engine.region.get(Get(b"row"), engine.now_ms)
        except BlockMiss as miss:
            missed.append(miss)
            for one in miss.all:
                data = engine.disk[one.path][one.offset : one.offset + one.length]
                engine.region.admit(one.path, one.offset, data, keep=one.keep)
        else:
            break
    assert batch.values == [b"new", b"new"]
    named = [(one.path, one.offset) for miss in missed for one in miss.all]
    assert len(named) == len(set(named))
    assert {len(miss.all) for miss in missed} == {4}, "row filters, then data: four files each time"
