"""The engine against a model of HBase's rules: nothing but a major compaction changes answers.

Three timestamps only, so that they collide; blocks of a few cells and a cache that keeps
next to nothing, so that every read crosses blocks and misses.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from raybase.model import (
    ALL_TIME,
    BloomType,
    FamilyDescriptor,
    FileFormat,
    KeepDeletedCells,
    TimeRange,
)
from raybase.operations import (
    Append,
    CompareOperator,
    Condition,
    Delete,
    Get,
    Increment,
    Put,
    Scan,
)
from raybase.storage import retention, store_scanner, visibility

from .hbase_model import Model

Families = tuple[FamilyDescriptor, ...]
PREFIXED: dict[str, Any] = {
    "file_format": FileFormat.HBASE,
    "bloom": BloomType.ROWPREFIX_FIXED_LENGTH,
    "bloom_prefix_bytes": 1,
}
FOREIGN: dict[str, Any] = {
    "file_format": FileFormat.HBASE,
    "bloom": BloomType.ROWCOL,
    "compression": "SNAPPY",
}


def family(name: bytes, max_versions: int, **options: Any) -> FamilyDescriptor:
    return FamilyDescriptor(name, max_versions, block_bytes=256, **options)


PLAIN = (
    family(b"f", 1),
    family(b"g", 2, min_versions=1, ttl_s=1, **FOREIGN),
    family(b"h", 3, ttl_s=1, **PREFIXED),
)
KEEPING = (
    family(b"f", 2, keep_deleted_cells=KeepDeletedCells.TRUE),
    family(b"g", 2, min_versions=1, ttl_s=1, keep_deleted_cells=KeepDeletedCells.TTL, **FOREIGN),
    family(b"h", 1, ttl_s=1, keep_deleted_cells=KeepDeletedCells.TRUE, **PREFIXED),
)
PLAYED = (
    family(b"f", 2, new_version_behavior=True, keep_deleted_cells=KeepDeletedCells.TRUE),
    family(b"g", 2, min_versions=1, ttl_s=1, new_version_behavior=True, **FOREIGN),
    family(b"h", 1, ttl_s=1, new_version_behavior=True, **PREFIXED),
)
NAMES = (b"f", b"g", b"h")
COUNTER = b"n"
"""A qualifier for increments and appends alone: their timestamps are the server's."""

rows = st.sampled_from([b"a", b"a\0", b"b"])
families = st.sampled_from(NAMES)
qualifiers = st.sampled_from([b"", b"\0", b"q"])
timestamps = st.sampled_from([1, 2, 3])
kinds = st.sampled_from(
    ["put", "put", "put", "put", "ttl", "family", "family_version", "column", "version"]
)
ttls = st.sampled_from([998, 1000, 1001])
operators = st.sampled_from(CompareOperator)
everything: dict[bytes, tuple[bytes, ...] | None] = {}
column_sets = st.one_of(
    st.just(everything),
    families.map(lambda family: {family: None}),
    st.dictionaries(
        families,
        st.one_of(st.none(), st.lists(qualifiers, min_size=1, max_size=2).map(tuple)),
        min_size=1,
    ),
)
time_ranges = st.one_of(
    st.none(),
    st.none(),
    st.tuples(timestamps, st.integers(1, 2)).map(lambda one: (one[0], sum(one))),
)
bounds_of_rows = st.one_of(
    st.just((b"", b"")),
    st.tuples(st.one_of(st.just(b""), rows), st.one_of(st.just(b""), rows)),
)
limits = st.fixed_dictionaries(
    {},
    optional={
        "rows_max": st.integers(1, 3),
        "bytes_max": st.integers(1, 200),
        "cells_max": st.integers(1, 40),
        "partial": st.booleans(),
    },
)


class EngineMachine(RuleBasedStateMachine):
    make_engine: ClassVar[Any]
    families: ClassVar[Families]

    def __init__(self) -> None:
        super().__init__()
        self.engine = self.make_engine(*self.families)
        self.engine.now_ms = 10
        self.model = Model(*self.families)
        self.counter = 0
        self.open: list[tuple[Any, list[Any], list[Any]]] = []

    def apply(self, *mutations: Any) -> None:
        write = self.engine.write(*mutations)
        for mutation in mutations:
            self.model.write(mutation, write.sequence_id)

    def close_scanners(self) -> None:
        for scanner, _, _ in self.open:
            scanner.close()
        self.open.clear()

    @rule(
        row=rows,
        family=families,
        edits=st.lists(st.tuples(kinds, qualifiers, timestamps), min_size=1, max_size=15),
        ttl_ms=ttls,
    )
    def edit_row(self, row: bytes, family: bytes, edits: Any, ttl_ms: int) -> None:
        """One write after the other, all in one family of a row, so that they meet."""
        for kind, qualifier, timestamp in edits:
            if kind in ("put", "ttl"):
                self.counter += 1
                value = b"%d" % self.counter
                put = Put(row, ttl_ms=ttl_ms if kind == "ttl" else None)
                self.apply(put.add(family, qualifier, value, timestamp))
            elif kind.startswith("family"):
                self.apply(getattr(Delete(row), kind)(family, timestamp))
            else:
                self.apply(getattr(Delete(row), kind)(family, qualifier, timestamp))

    @rule(row=rows, family=families, timestamp=timestamps, count=st.integers(2, 40))
    def put_many(self, row: bytes, family: bytes, timestamp: int, count: int) -> None:
        """One write of many cells: windows without tombstones, and many blocks."""
        puts = []
        for number in range(count):
            self.counter += 1
            put = Put(row + b"%02d" % (number % 7))
            puts.append(put.add(family, b"%d" % (number % 9), b"%d" % self.counter, timestamp))
        self.apply(*puts)

    @rule(row=rows, family=families, amount=st.integers(-2, 2), size=st.integers(1, 2))
    def count(self, row: bytes, family: bytes, amount: int, size: int) -> None:
        """An increment and an append, each building on what is seen of its column."""
        for qualifier, mutation in (
            (COUNTER, Increment(row).add(family, COUNTER, amount)),
            (b"a", Append(row).add(family, b"a", b"x" * size)),
        ):
            before = self.newest(row, family, qualifier)
            write = self.engine.modify(mutation)
            (result,) = write.results
            _, _, _, timestamp, _, value = next(result.cells())
            if qualifier == COUNTER:
                told = int.from_bytes(before[1], "big", signed=True) if before else 0
                assert int.from_bytes(value, "big", signed=True) == told + amount
            else:
                assert value == (before[1] if before else b"") + b"x" * size
            assert timestamp >= (before[0] if before else 0)
            put = Put(row).add(family, qualifier, value, timestamp)
            self.model.write(put, write.sequence_id)

    @rule(row=rows, family=families, qualifier=qualifiers, operator=operators, data=st.data())
    def check(
        self, row: bytes, family: bytes, qualifier: bytes, operator: CompareOperator, data: Any
    ) -> None:
        before = self.newest(row, family, qualifier)
        known = [None, b"", b"5"] + ([before[1]] if before else [])
        expected = data.draw(st.sampled_from(known))
        self.counter += 1
        put = Put(row).add(family, qualifier, b"%d" % self.counter, data.draw(timestamps))
        condition = Condition(row, family, qualifier, operator, expected)
        write = self.engine.modify(put, condition=condition)
        assert write.applied == _holds(expected, operator, before[1] if before else None)
        if write.applied:
            self.model.write(put, write.sequence_id)

    def newest(self, row: bytes, family: bytes, qualifier: bytes) -> tuple[int, bytes] | None:
        """(timestamp, value) of the column's newest version."""
        cells = self.model.answer(
            lambda one: one == row, {family: (qualifier,)}, 1, None, self.engine.now_ms
        )
        return (cells[0][3], cells[0][5]) if cells else None

    def check_all(self) -> None:
        """Everything, in all the ways that go different paths."""
        for columns in ({}, {b"f": None}, {b"g": None, b"h": (b"q", b"")}):
            for versions, times in ((3, None), (1, (1, 3)), (3, (2, 3))):
                for downwards in (False, True):
                    scan = Scan(
                        columns=columns,
                        max_versions=versions,
                        time_range=ALL_TIME if times is None else TimeRange(*times),
                        reversed=downwards,
                    )
                    expected = self.expected(scan)
                    assert self.engine.scan(scan) == expected
                    assert self.engine.scan(scan, bytes_max=60, partial=True) == expected
        self.check_raw()

    def check_raw(self) -> None:
        for versions, times in ((9, None), (1, None), (2, (2, 3))):
            chosen = ALL_TIME if times is None else TimeRange(*times)
            scan = Scan(max_versions=versions, time_range=chosen, raw=True)
            assert self.engine.scan(scan) == self.expected(scan)

    def expected(self, scan: Scan) -> list[Any]:
        times = None
        if scan.time_range is not ALL_TIME:
            times = range(scan.time_range.start, scan.time_range.stop)
        return self.model.answer(
            lambda row: _is_in(row, scan),
            scan.columns,
            scan.max_versions,
            times,
            self.engine.now_ms,
            downwards=scan.reversed,
            raw=scan.raw,
        )

    @rule()
    def flush(self) -> None:
        read_point = self.engine.region._reader.least_read_point()
        before = self.paths()
        if self.engine.flush():
            for family, paths in self.paths().items():
                for path in paths - before[family]:
                    self.model.flush(family, path, read_point, self.engine.now_ms)
            self.check_all()

    def paths(self) -> dict[bytes, set[str]]:
        stores = self.engine.region.stores
        return {name: {file.path for file in store.files} for name, store in stores.items()}

    @rule(family=families, major=st.booleans())
    def compact(self, family: bytes, major: bool) -> None:
        before = self.paths()[family]
        compaction = self.engine.compact(family, major=major)
        if compaction is None:
            return
        options = compaction.options
        self.model.merge(
            family,
            [entry.path for entry in compaction.inputs],
            next(iter(self.paths()[family] - before), ""),
            options.read_point,
            options.now_ms,
            major=options.major,
        )
        self.check_all()

    @rule(now_ms=st.sampled_from([10, 1002, 1003, 1004]))
    def time_passes(self, now_ms: int) -> None:
        if now_ms > self.engine.now_ms:
            self.engine.now_ms = now_ms
            self.close_scanners()  # what expires under a scanner may go or stay

    @rule()
    def reopen(self) -> None:
        self.close_scanners()
        self.engine.open()

    @rule(row=rows, columns=column_sets, versions=st.integers(1, 4), times=time_ranges)
    def get(self, row: bytes, columns: Any, versions: int, times: Any) -> None:
        asked = Get(row, columns, versions, ALL_TIME if times is None else TimeRange(*times))
        expected = self.model.answer(
            lambda one: one == row,
            columns,
            versions,
            None if times is None else range(*times),
            self.engine.now_ms,
        )
        assert list(self.engine.get(asked).cells()) == expected
        scanner = self.engine.region.get_scanner(asked, self.engine.now_ms)
        assert self.engine.drain(scanner) == expected

    @rule(
        bounds=bounds_of_rows,
        inclusive=st.tuples(st.booleans(), st.booleans()),
        columns=column_sets,
        versions=st.integers(1, 4),
        times=time_ranges,
        downwards=st.booleans(),
        options=limits,
    )
    def begin_scan(
        self,
        bounds: Any,
        inclusive: Any,
        columns: Any,
        versions: int,
        times: Any,
        downwards: bool,
        options: Any,
    ) -> None:
        scan = Scan(
            *bounds,
            *inclusive,
            columns=columns,
            max_versions=versions,
            time_range=ALL_TIME if times is None else TimeRange(*times),
            reversed=downwards,
        )
        expected = self.expected(scan)
        self.open.append((self.engine.scanner(scan), expected, [options]))

    @rule(data=st.data())
    def go_on(self, data: Any) -> None:
        if not self.open:
            return
        scanner, expected, (options,) = data.draw(st.sampled_from(self.open))
        if scanner.exhausted:
            assert expected == []
            return
        batch = self.engine.fetching(lambda: scanner.next(**options))
        count = len(batch)
        assert list(batch.cells()) == expected[:count]
        if "rows_max" in options:
            assert batch.row_count <= options["rows_max"]
        if count and not options.get("partial"):
            assert expected[count - 1][0] != (expected[count:] or [[None]])[0][0]
        del expected[:count]

    @invariant()
    def memory_is_counted(self) -> None:
        region = self.engine.region
        assert region.memstore_bytes == sum(
            store.memstore_bytes for store in region.stores.values()
        )

    def teardown(self) -> None:
        self.check_all()
        for scanner, expected, (options,) in self.open:
            assert self.engine.drain(scanner, **options) == expected
        assert not self.engine.region._reader._read_points


def _is_in(row: bytes, scan: Scan) -> bool:
    low, high = scan.start_row, scan.stop_row
    with_low, with_high = scan.include_start, scan.include_stop
    if scan.reversed:
        low, high, with_low, with_high = high, low, with_high, with_low
    above = not low or row > low or (with_low and row == low)
    below = not high or row < high or (with_high and row == high)
    return above and below


def _holds(given: bytes | None, operator: CompareOperator, stored: bytes | None) -> bool:
    """HBase's rule: an empty value stands for none, and the given one is on the left."""
    if not given:
        return bool(stored) == (operator is CompareOperator.NOT_EQUAL)
    if stored is None:
        return False
    order = (given > stored) - (given < stored)
    return {
        CompareOperator.LESS: order < 0,
        CompareOperator.LESS_OR_EQUAL: order <= 0,
        CompareOperator.EQUAL: order == 0,
        CompareOperator.NOT_EQUAL: order != 0,
        CompareOperator.GREATER_OR_EQUAL: order >= 0,
        CompareOperator.GREATER: order > 0,
    }[operator]


def run_machine(make_engine: Any, families: Families, examples: int, steps: int) -> None:
    class Machine(EngineMachine):
        pass

    Machine.make_engine = make_engine
    Machine.families = families
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            report_multiple_bugs=False,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture(params=["usual", "tiny"])
def scale(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """At the tiny scale windows end everywhere, and array operations decide everything."""
    if request.param == "tiny":
        monkeypatch.setattr(store_scanner, "FIRST_WINDOW_CELLS", 2)
        monkeypatch.setattr(store_scanner, "WINDOW_CELLS", 3)
        monkeypatch.setattr(visibility, "ARRAYS_FROM", 1)
        monkeypatch.setattr(retention, "ARRAYS_FROM", 1)
    return str(request.param)


OPTIONS = pytest.mark.parametrize(
    "families", [PLAIN, KEEPING, PLAYED], ids=["plain", "keeping", "played"]
)


@OPTIONS
def test_reads_follow_the_model_whatever_happens_below(
    make_engine: Any, scale: str, families: Families
) -> None:
    run_machine(make_engine, families, examples=8, steps=30)


@pytest.mark.long
@pytest.mark.timeout(900)
@OPTIONS
def test_reads_follow_the_model_for_long(make_engine: Any, scale: str, families: Families) -> None:
    run_machine(make_engine, families, examples=150, steps=50)
