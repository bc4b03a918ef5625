"""Scans with filters and limits within rows, against an evaluator that only walks a list."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby, product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raybase.model import FamilyDescriptor, TimeRange
from raybase.operations import ALL_VERSIONS, CompareOperator, Delete, Get, Put, Scan
from raybase.storage import filters as kinds
from raybase.storage import store_cursor
from raybase.storage.filters.evaluation import Cell, Circumstances, Evaluation, Step

from .conftest import Engine

ROWS = [b"a", b"ab", b"abc", b"b\0", b"b\0\xff", b"c", b"ca", b"cb", b"d\xff", b"d\xff\xff", b"e"]
QUALIFIERS = [b"", b"\0", b"a", b"a\0b", b"ab", b"b", b"ba", b"c"]
VALUES = [b"", b"red", b"green", b"Redder", b"blue\n", b"\0\0\0\0\0\0\0\7"]
FAMILIES = [b"f", b"g", b"h"]
OPERATORS = st.sampled_from(list(CompareOperator))


@pytest.fixture(autouse=True, scope="module")
def small_windows() -> Iterator[None]:
    """Windows of memstores so small that rows and columns are cut in all places."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_cursor, "_FIRST_WINDOW_CELLS", 2)
        patch.setattr(store_cursor, "WINDOW_CELLS", 5)
        yield


def reference(cells: list[Cell], scan: Scan) -> list[list[Cell]]:
    """What a scan returns of cells in order, by HBase's order of calls."""
    evaluation = Evaluation()
    kind = scan.filter
    if isinstance(kind, kinds.FilterKind):
        evaluation = kind.start(Circumstances(scan.reversed, 0))
    rows = [(row, list(part)) for row, part in groupby(cells, key=lambda cell: cell.row)]
    if scan.reversed:
        rows.reverse()
    results: list[list[Cell]] = []
    target: bytes | None = None
    for row, of_row in rows:
        if evaluation.filter_all_remaining():
            break
        if target is not None and (row > target if scan.reversed else row < target):
            continue
        if evaluation.filter_row_key(row):
            evaluation.reset()
            continue
        included: list[Cell] = []
        target = None
        for _, of_family in groupby(of_row, key=lambda cell: cell.family):
            if target is None:
                target = _read_family(list(of_family), evaluation, scan, included)
        included = _decided(evaluation, kind, included)
        step = scan.batch or len(included) or 1
        results += [included[at : at + step] for at in range(0, len(included), step)]
        evaluation.reset()
    return results


def _read_family(
    cells: list[Cell], evaluation: Evaluation, scan: Scan, included: list[Cell]
) -> bytes | None:
    """Adds what is included of one family of a row; the row to go on at, if a hint says so."""
    versions: dict[bytes, int] = {}
    passed = at = 0
    while at < len(cells) and not evaluation.filter_all_remaining():
        cell = cells[at]
        code = evaluation.filter_cell(cell)
        step = code.step
        if code.includes:
            versions[cell.qualifier] = versions.get(cell.qualifier, 0) + 1
            if versions[cell.qualifier] > scan.max_versions:
                step = Step.ROW if step is Step.ROW else Step.COLUMN
            else:
                passed += 1
                if passed > scan.store_offset:
                    included.append(evaluation.transform_cell(cell))
                else:
                    evaluation.transform_cell(cell)
                if scan.store_limit and passed >= scan.store_limit + scan.store_offset:
                    break
        if step is Step.ROW:
            break
        low = cell.qualifier
        if step is Step.HINT:
            hint = evaluation.next_cell_hint(cell)
            if hint is not None and hint.row == cell.row:
                low = max(low, hint.qualifier)
            elif hint is not None and (hint.row > cell.row) != scan.reversed:
                return hint.row
        at += 1
        while at < len(cells) and (
            cells[at].qualifier < low
            or (step is Step.COLUMN and cells[at].qualifier == cell.qualifier)
        ):
            at += 1
    return None


def _decided(evaluation: Evaluation, kind: Any, included: list[Cell]) -> list[Cell]:
    if not included or not isinstance(kind, kinds.FilterKind):
        return included
    if kind.has_filter_row:
        included = evaluation.filter_row_cells(included)
    return [] if included and evaluation.filter_row() else included


def scanned(engine: Engine, scan: Scan, changes: Iterator[int], **limits: Any) -> list[list[Cell]]:
    """The results of a scan during which the region flushes and compacts all the time."""
    found: list[list[Cell]] = []
    goes_on = False
    scanner = engine.scanner(scan)
    while not scanner.exhausted:
        batch = engine.fetching(lambda: scanner.next(**limits))
        start = 0
        for end in batch.row_ends:
            part = [
                Cell(
                    batch.rows[at],
                    batch.families[at],
                    batch.qualifiers[at],
                    batch.timestamps[at],
                    batch.types[at],
                    batch.values[at],
                )
                for at in range(start, end)
            ]
            if goes_on and not scan.batch and part[0].row == found[-1][0].row:
                found[-1] += part
            else:
                found.append(part)
            goes_on = batch.partial
            start = end
        change = next(changes, 0)
        if change == 1:
            engine.flush()
        elif change == 2:
            engine.compact(b"f", major=True)
    return found


def some_of(options: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(options)


def hinting_leaves() -> st.SearchStrategy[kinds.FilterKind]:
    """Those that know what to seek."""
    rows = some_of([*ROWS, b"aa", b"bb", b"z"])
    names = some_of(QUALIFIERS)
    ranges = st.builds(
        lambda one, other, low, high: kinds.RowRange(min(one, other), low, max(one, other), high),
        rows, rows, st.booleans(), st.just(True),
    )  # fmt: skip
    patterns = st.binary(min_size=1, max_size=3).flatmap(
        lambda mask: st.tuples(
            some_of([row.ljust(len(mask), b"a")[: len(mask)] for row in ROWS]),
            st.just(bytes(byte & 1 for byte in mask)),
        )
    )
    return st.one_of(
        rows.map(lambda row: kinds.PrefixFilter(row[:1])),
        st.lists(ranges, min_size=1, max_size=3).map(
            lambda found: kinds.MultiRowRangeFilter(tuple(found))
        ),
        st.lists(patterns, min_size=1, max_size=3).map(
            lambda found: kinds.FuzzyRowFilter(tuple(found))
        ),
        names.map(kinds.ColumnPrefixFilter),
        st.sets(names, max_size=3).map(
            lambda found: kinds.MultipleColumnPrefixFilter(tuple(sorted(found)))
        ),
        st.builds(
            kinds.ColumnRangeFilter,
            st.none() | names, st.booleans(), st.none() | names, st.booleans(),
        ),
    )  # fmt: skip


def leaves() -> st.SearchStrategy[kinds.FilterKind]:
    """Filters of every kind that is no filter of filters."""
    values = st.one_of(
        some_of(VALUES).map(kinds.BinaryComparator),
        some_of(VALUES).map(kinds.BinaryPrefixComparator),
        some_of(["e", "RED", ""]).map(kinds.SubstringComparator),
        some_of(["^r", "e+d", "(?i)^red", "n$|blue$"]).map(kinds.RegexStringComparator),
        st.just(kinds.NullComparator()),
        st.builds(kinds.BinaryComponentComparator, some_of([b"e", b"re"]), st.integers(0, 2)),
        st.builds(kinds.BitComparator, some_of(VALUES), some_of(list(kinds.BitwiseOp))),
    )
    rows = some_of([*ROWS, b"aa", b"bb", b"z"])
    names = some_of(QUALIFIERS)
    binary = names.map(kinds.BinaryComparator)
    column = (some_of(FAMILIES), names)
    return st.one_of(
        hinting_leaves(),
        st.builds(kinds.RowFilter, OPERATORS, rows.map(kinds.BinaryComparator)),
        rows.map(kinds.InclusiveStopFilter),
        st.integers(0, 4).map(kinds.PageFilter),
        some_of([-1.0, 0.5, 2.0]).map(kinds.RandomRowFilter),
        st.builds(
            kinds.FamilyFilter, OPERATORS, some_of(FAMILIES).map(kinds.BinaryComparator)
        ),
        st.builds(kinds.QualifierFilter, OPERATORS, binary),
        st.builds(
            kinds.ColumnPaginationFilter, st.integers(0, 3), st.integers(0, 2) | names
        ),
        st.integers(0, 3).map(kinds.ColumnCountGetFilter),
        st.just(kinds.FirstKeyOnlyFilter()),
        st.frozensets(names, max_size=2).map(kinds.FirstKeyValueMatchingQualifiersFilter),
        st.builds(kinds.ValueFilter, OPERATORS, values),
        st.booleans().map(kinds.KeyOnlyFilter),
        st.lists(st.integers(1, 4), max_size=2).map(
            lambda found: kinds.TimestampsFilter(tuple(found))
        ),
        st.builds(
            kinds.SingleColumnValueFilter,
            *column, OPERATORS, values, st.booleans(), st.booleans(),
        ),
        st.builds(
            kinds.SingleColumnValueExcludeFilter, *column, OPERATORS, values, st.booleans()
        ),
        st.builds(kinds.ColumnValueFilter, *column, OPERATORS, values),
        st.builds(kinds.DependentColumnFilter, *column, st.booleans()),
        st.builds(kinds.DependentColumnFilter, *column, st.booleans(), OPERATORS, values),
    )  # fmt: skip


def trees() -> st.SearchStrategy[kinds.FilterKind]:
    return st.recursive(
        leaves(),
        lambda inner: st.one_of(
            st.builds(
                kinds.FilterList,
                some_of(list(kinds.ListOperator)),
                st.lists(inner, max_size=3).map(tuple),
            ),
            inner.map(kinds.SkipFilter),
            inner.map(kinds.WhileMatchFilter),
        ),
        max_leaves=4,
    )


writes = st.lists(
    st.tuples(
        some_of(ROWS[:7]), some_of(FAMILIES), some_of(QUALIFIERS[::2]), st.integers(1, 4),
        some_of(VALUES),
        st.integers(0, 19),
    ),
    min_size=5, max_size=80,
)  # fmt: skip


def region_of(written: list[tuple[Any, ...]]) -> Engine:
    """A region of three families, its cells in files and memstore, some of them deleted."""
    engine = Engine(*(FamilyDescriptor(name, max_versions=3, block_bytes=256) for name in FAMILIES))
    for number, (row, family, qualifier, timestamp, value, kind) in enumerate(written):
        if kind == 0:
            engine.write(Delete(row).family(family, timestamp))
        elif kind == 1:
            engine.write(Delete(row).column(family, qualifier, timestamp))
        else:
            engine.write(Put(row).add(family, qualifier, value, timestamp))
        if number % 17 == 16:
            engine.flush()
    return engine


def visible(engine: Engine, scan: Scan) -> list[Cell]:
    """All versions that the families keep of what the scan may see, upwards."""
    low, high = (
        (scan.stop_row, scan.start_row) if scan.reversed else (scan.start_row, scan.stop_row)
    )
    asked = Scan(
        low,
        high,
        scan.include_stop if scan.reversed else scan.include_start,
        scan.include_start if scan.reversed else scan.include_stop,
        scan.columns,
        ALL_VERSIONS if scan.filter is not None else scan.max_versions,
        scan.time_range,
        family_times=scan.family_times,
    )
    return [Cell(*cell) for cell in engine.scan(asked)]


@st.composite
def scans(draw: st.DrawFn) -> Scan:
    bounds = sorted([draw(some_of([b"", *ROWS])), draw(some_of([b"", *ROWS]))])
    downwards = draw(st.booleans())
    start, stop = bounds if bounds[1] and not downwards else (bounds[1], bounds[0])
    if not downwards and stop and start > stop:
        start, stop = stop, start
    chosen = draw(st.none() | trees())
    may_batch = chosen is None or not chosen.has_filter_row
    return Scan(
        start,
        stop,
        draw(st.booleans()),
        draw(st.booleans()),
        draw(some_of([{}, {}, {b"f": None}, {b"f": (b"a", b"b"), b"h": None}])),
        draw(st.integers(1, 3)),
        draw(some_of([TimeRange(), TimeRange(2, 4)])),
        reversed=downwards,
        filter=chosen,
        family_times=draw(some_of([{}, {}, {b"g": TimeRange(1, 3)}])),
        store_limit=draw(st.integers(0, 3)),
        store_offset=draw(st.integers(0, 2)),
        batch=draw(st.integers(0, 3)) if may_batch else 0,
        load_on_demand=draw(st.booleans()),
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    writes,
    scans(),
    st.lists(st.integers(0, 2), max_size=30),
    st.sampled_from([{}, {"cells_max": 3}, {"rows_max": 1}, {"bytes_max": 60, "partial": True}]),
)
def test_a_scan_returns_what_walking_over_all_visible_cells_returns(
    written: list[tuple[Any, ...]], scan: Scan, changes: list[int], limits: dict[str, Any]
) -> None:
    engine = region_of(written)
    engine.now_ms = 0  # the seed of chance
    expected = reference(visible(engine, scan), scan)
    assert scanned(engine, scan, iter(changes), **limits) == expected


F, G, H = (FamilyDescriptor(name, max_versions=9, block_bytes=256) for name in FAMILIES)


def cells_of(engine: Engine, scan: Scan, **limits: Any) -> list[tuple[bytes, bytes, bytes]]:
    cells = [cell for part in scanned(engine, scan, iter(()), **limits) for cell in part]
    return [(cell.row, cell.family, cell.qualifier) for cell in cells]


def test_tombstones_of_a_family_hold_behind_a_seek_over_its_first_column() -> None:
    engine = Engine(F)
    for timestamp in range(6, 11):
        engine.write(Put(b"r").add(b"f", b"", b"v", timestamp))
    engine.write(Delete(b"r").family(b"f", 5))
    for timestamp in (4, 7):
        engine.write(Put(b"r").add(b"f", b"c", b"v", timestamp))
    everything = {"max_versions": 9}
    hinted = Scan(filter=kinds.ColumnPrefixFilter(b"c"), **everything)
    assert len(cells_of(engine, hinted)) == 1
    paged = Scan(filter=kinds.ColumnPaginationFilter(9, 0), **everything)
    assert cells_of(engine, paged) == [(b"r", b"f", b""), (b"r", b"f", b"c")]


@pytest.mark.parametrize("downwards", [False, True])
def test_families_a_filter_does_not_need_are_read_of_rows_that_pass_only(downwards: bool) -> None:
    engine = Engine(F, G, H)
    for number in range(200):
        row = b"%03d" % number
        put = Put(row).add(b"g", b"q", b"yes" if number == 77 else b"no")
        engine.write(put.add(b"f", b"q", b"v" * 100).add(b"h", b"q", b"v" * 100))
    engine.flush()
    wanted = kinds.SingleColumnValueFilter(b"g", b"q", CompareOperator.EQUAL, b"yes", True)
    misses = []
    for lazily in (True, False):
        before = engine.misses
        scan = Scan(filter=wanted, load_on_demand=lazily, reversed=downwards)
        assert cells_of(engine, scan) == [(b"077", family, b"q") for family in FAMILIES]
        misses.append(engine.misses - before)
    assert misses[0] * 3 < misses[1]


@cache
def long_table(downwards: bool = False) -> tuple[Engine, int]:
    """1,000 rows of 3 columns in files, and how many blocks a scan of all of them misses."""
    engine = Engine(F)
    rows = range(1000)
    engine.write(
        *(
            Put(b"%04d" % row).add(b"f", b"a", b"v").add(b"f", b"m", b"v").add(b"f", b"z", b"v")
            for row in rows
        )
    )
    engine.flush()
    before = engine.misses
    scan = Scan(filter=kinds.FilterList.all_of(), reversed=downwards)
    assert len(cells_of(engine, scan)) == 3000
    return engine, engine.misses - before


@pytest.mark.parametrize("downwards", [False, True])
@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (kinds.PrefixFilter(b"055"), 10),
        (kinds.FuzzyRowFilter(((b"0770", b"\0\0\0\1"), (b"0210", b"\0\0\0\1"))), 20),
        (kinds.MultiRowRangeFilter.of_prefixes([b"099", b"011"]), 20),
        (kinds.FilterList.one_of(*map(kinds.PrefixFilter, (b"055", b"044"))), 20),
        (kinds.FilterList.all_of(*map(kinds.PrefixFilter, (b"0", b"055"))), 10),
        (kinds.InclusiveStopFilter(b"0500"), None),
    ],
)
def test_seek_hints_leave_blocks_unread(wanted: Any, rows: int | None, downwards: bool) -> None:
    engine, all_misses = long_table(downwards)
    before = engine.misses
    found = cells_of(engine, Scan(filter=wanted, reversed=downwards))
    assert len(found) == 3 * (rows or (500 if downwards else 501))
    assert engine.misses - before < all_misses * (0.6 if rows is None else 0.1)


def test_hints_within_a_wide_row_leave_blocks_unread() -> None:
    engine = Engine(F)
    for row in (b"r", b"s"):
        wide = Put(row)
        for number in range(2000):
            wide.add(b"f", b"%04d" % number, b"v")
        engine.write(wide)
    engine.flush()
    for wanted in (
        kinds.ColumnPrefixFilter(b"199"),
        kinds.ColumnRangeFilter(b"1990", True, b"1999", True),
        kinds.MultipleColumnPrefixFilter((b"1990", b"0003", b"1995")),
        kinds.FirstKeyOnlyFilter(),
        kinds.RowFilter(CompareOperator.EQUAL, kinds.BinaryComparator(b"s")),
    ):
        before = engine.misses
        assert cells_of(engine, Scan(filter=wanted, limit=2))
        whole_row = 2000 * 20 // 256
        assert engine.misses - before < (1.5 if "RowFilter" in repr(wanted) else 0.2) * whole_row


@pytest.mark.parametrize("downwards", [False, True])
def test_a_filter_that_matches_nothing_gives_way_all_the_time(downwards: bool) -> None:
    engine, _ = long_table()
    nothing = kinds.ValueFilter(CompareOperator.EQUAL, kinds.BinaryComparator(b"?"))
    for wanted in (nothing, kinds.FilterList.all_of(*[kinds.FilterList.one_of(nothing)] * 20)):
        scanner = engine.scanner(Scan(filter=wanted, reversed=downwards))
        calls = 0
        while not scanner.exhausted:
            assert not len(engine.fetching(lambda one=scanner: one.next(cells_max=2000)))
            calls += 1
        assert calls > 3000 * 8 // 2000 * (1 if wanted is nothing else 20)


def test_a_get_with_a_filter_is_a_scan_of_its_row() -> None:
    engine, _ = long_table()
    get = Get(b"0500", filter=kinds.ColumnCountGetFilter(2))
    assert engine.get(get).qualifiers == [b"a", b"m"]
    assert engine.get(Get(b"0500", store_limit=1, store_offset=1)).qualifiers == [b"m"]
    assert not engine.get(Get(b"0500", filter=kinds.PrefixFilter(b"6")))
    scanner = engine.region.get_scanner(get, engine.now_ms)
    assert engine.fetching(scanner.next).qualifiers == [b"a", b"m"]
    assert engine.region._reader.least_read_point() == engine.region.read_point


def test_parts_of_a_row_say_whether_it_goes_on() -> None:
    engine, _ = long_table()
    scanner = engine.scanner(Scan(b"0500", batch=2, limit=2))
    seen = []
    while not scanner.exhausted:
        batch = engine.fetching(scanner.next)
        seen.append((batch.row_ends, batch.partial))
    assert seen == [([2], True), ([1, 3], True), ([1], False)]
    exact = engine.scanner(Scan(b"0500", batch=3, limit=2))
    assert engine.fetching(exact.next).row_ends == [3, 6]


def test_raw_scans_take_filters_and_batches_of_tombstones() -> None:
    engine = Engine(F)
    engine.write(Put(b"r").add(b"f", b"a", b"old", 1))
    engine.write(Delete(b"r").column(b"f", b"a", 2))
    engine.write(Put(b"r").add(b"f", b"a", b"new", 3))
    kinds_seen = [cell[4] for cell in engine.scan(Scan(raw=True, max_versions=9))]
    assert kinds_seen == [4, 12, 4]
    assert [
        len(part) for part in scanned(engine, Scan(raw=True, max_versions=9, batch=2), iter(()))
    ]
    wanted = kinds.TimestampsFilter((2,))
    found = scanned(engine, Scan(raw=True, max_versions=9, filter=wanted), iter(()))
    assert [cell.type_code for cell in found[0]] == [12]


def test_uncommitted_writes_are_read_only_when_asked_for() -> None:
    engine = Engine(F)
    engine.region.write([Put(b"r").add(b"f", b"a", b"v")], engine.now_ms)
    assert not engine.get(Get(b"r"))
    assert engine.get(Get(b"r", read_uncommitted=True)).values == [b"v"]
    assert len(engine.scan(Scan(read_uncommitted=True))) == 1


def test_chance_falls_alike_for_equal_seeds_and_otherwise_for_others() -> None:
    engine, _ = long_table()
    wanted = Scan(filter=kinds.RandomRowFilter(0.3))
    first = cells_of(engine, wanted)
    assert first == cells_of(engine, wanted, cells_max=50)
    assert 200 < len(first) / 3 < 400
    engine.now_ms += 1
    assert first != cells_of(engine, wanted)


def test_a_scan_over_tells_whether_its_filter_ended_it() -> None:
    engine, _ = long_table()
    for wanted, done in ((kinds.PageFilter(3), True), (kinds.PageFilter(2000), False)):
        scanner = engine.scanner(Scan(filter=wanted))
        while not scanner.exhausted:
            engine.fetching(scanner.next)
        assert scanner.is_filter_done is done


@settings(max_examples=30, deadline=None)
@given(writes, hinting_leaves(), st.booleans())
def test_no_hint_leads_past_a_cell_that_is_wanted(
    written: list[tuple[Any, ...]], wanted: kinds.FilterKind, downwards: bool
) -> None:
    """Without hints, every cell is asked about, and as many pass."""
    assert wanted.is_hinting
    engine = region_of(written)
    scan = Scan(filter=wanted, reversed=downwards, max_versions=3)
    evaluation = wanted.start(Circumstances(downwards, engine.now_ms))
    passed = []
    rows = [(row, list(part)) for row, part in groupby(visible(engine, scan), lambda one: one.row)]
    for row, cells in reversed(rows) if downwards else rows:
        evaluation.reset()
        if not evaluation.filter_row_key(row):
            passed += [cell for cell in cells if evaluation.filter_cell(cell).includes]
    assert [cell for part in scanned(engine, scan, iter(())) for cell in part] == passed


@pytest.mark.parametrize("downwards", [False, True])
@pytest.mark.parametrize("wanted", [None, kinds.PageFilter(9999)])
def test_a_scanner_knows_the_row_it_has_come_to(downwards: bool, wanted: Any) -> None:
    engine, _ = long_table()
    scanner = engine.scanner(Scan(filter=wanted, reversed=downwards))
    last = b""
    while not scanner.exhausted:
        batch = engine.fetching(lambda: scanner.next(rows_max=7, cells_max=40))
        reached = scanner.row_reached
        if batch.rows:
            last = batch.rows[-1]
        if not scanner.exhausted and last:
            assert (reached <= last) if downwards else (reached >= last)


@pytest.mark.parametrize("downwards", [False, True])
@pytest.mark.parametrize("mask", [b"\0\1\0", b"\1\0", b"\1\0\0\1", b"\0\0", b"\1\1\1"])
def test_patterns_of_rows_lead_to_the_next_match_and_past_none(
    mask: bytes, downwards: bool
) -> None:
    letters = (b"\0", b"a", b"b", b"\xff")
    rows = [b"".join(one) for size in (1, 2, 3, 4) for one in product(letters, repeat=size)]
    rows.sort(reverse=downwards)
    for key in [row for row in rows if len(row) == len(mask)][::3]:
        wanted = kinds.FuzzyRowFilter(((key, mask),))
        fixed = [at for at, kind in enumerate(mask) if not kind]

        def matches(row: bytes, key: bytes = key, fixed: list[int] = fixed) -> bool:
            return all(row[at] == key[at] for at in fixed if at < len(row))

        evaluation = wanted.start(Circumstances(downwards))
        target: bytes | None = None
        for row in rows:
            if target is not None and (row > target if downwards else row < target):
                assert not matches(row)
                continue
            code = evaluation.filter_cell(Cell(row, b"f", b"q", 1, 4, b""))
            assert code.includes == matches(row)
            target = None
            if code.step is Step.HINT:
                hint = evaluation.next_cell_hint(Cell(row, b"f", b"q", 1, 4, b""))
                assert hint is not None
                assert hint.row < row if downwards else hint.row > row
                target = hint.row
            if evaluation.filter_all_remaining():
                assert not any(map(matches, rows[rows.index(row) :]))
                break
