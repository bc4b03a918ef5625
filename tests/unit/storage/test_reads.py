"""Gets and scanners: limits, directions, read points, and blocks that are not there."""

from __future__ import annotations

from typing import Any

import pytest

from raybase.errors import BlockMiss, NoSuchFamilyError, WrongRegionError
from raybase.model import META_REGION, FamilyDescriptor, RegionInfo, TableName, TimeRange
from raybase.operations import ALL_VERSIONS, Delete, Get, Put, Scan
from raybase.storage import store_scanner

F = FamilyDescriptor(b"f", block_bytes=256)
G = FamilyDescriptor(b"g", max_versions=3, block_bytes=256)


def rows_of(cells: list[tuple[Any, ...]]) -> list[bytes]:
    return list(dict.fromkeys(cell[0] for cell in cells))


@pytest.fixture
def engine(make_engine: Any) -> Any:
    """100 rows of two columns in two families, spread over two files and the memstore."""
    engine = make_engine(F, G)
    for part in range(3):
        engine.write(
            *(
                Put(b"r%02d" % number).add(b"f", b"a", b"A%d" % number).add(b"g", b"b", b"B")
                for number in range(part, 100, 3)
            )
        )
        if part < 2:
            engine.flush()
    return engine


ALL = [b"r%02d" % number for number in range(100)]


def test_a_scan_returns_every_row_once_in_order(engine: Any) -> None:
    cells = engine.scan(Scan())
    assert rows_of(cells) == ALL
    assert len(cells) == 200
    assert [cell[1] for cell in cells[:4]] == [b"f", b"g", b"f", b"g"]
    assert rows_of(engine.scan(Scan(reversed=True))) == ALL[::-1]


@pytest.mark.parametrize("downwards", [False, True])
@pytest.mark.parametrize("with_start", [False, True])
@pytest.mark.parametrize("with_stop", [False, True])
def test_bounds_are_in_or_out_as_asked(
    engine: Any, downwards: bool, with_start: bool, with_stop: bool
) -> None:
    low, high = 20, 30
    expected = ALL[low : high + 1]
    bounds = [ALL[low], ALL[high]]
    if downwards:
        expected.reverse()
        bounds.reverse()
    scan = Scan(*bounds, with_start, with_stop, reversed=downwards)
    assert rows_of(engine.scan(scan)) == expected[not with_start : len(expected) - (not with_stop)]


def test_bounds_need_not_be_rows_that_exist(engine: Any) -> None:
    assert rows_of(engine.scan(Scan(b"r1", b"r2"))) == ALL[10:20]
    assert rows_of(engine.scan(Scan(b"r2", b"r1", reversed=True))) == ALL[19:9:-1]
    assert engine.scan(Scan(b"s")) == []
    assert engine.scan(Scan(b"r50", b"r40")) == []


@pytest.mark.parametrize("downwards", [False, True])
def test_limits_of_a_call_and_of_the_scan_hold(engine: Any, downwards: bool) -> None:
    scanner = engine.scanner(Scan(reversed=downwards, limit=17))
    counts = []
    while not scanner.exhausted:
        counts.append(engine.fetching(lambda: scanner.next(5)).row_count)
    assert counts == [5, 5, 5, 2]


def test_a_batch_ends_with_the_row_that_fills_it(engine: Any) -> None:
    scanner = engine.scanner(Scan())
    row_bytes = sum(len(b"r00") + 1 + len(value) + 24 for value in (b"A0", b"B"))
    batch = engine.fetching(lambda: scanner.next(bytes_max=3 * row_bytes - 1))
    assert batch.row_count == 3
    assert not batch.partial
    assert engine.fetching(lambda: scanner.next(bytes_max=1)).row_count == 1


def test_a_row_is_cut_only_if_that_is_allowed(make_engine: Any) -> None:
    engine = make_engine(F, G)
    wide = Put(b"wide")
    for number in range(300):
        wide.add(b"f", b"%03d" % number, b"v" * 20).add(b"g", b"%03d" % number, b"v")
    engine.write(wide, Put(b"x").add(b"g", b"q", b"v"))
    engine.flush()
    whole = engine.scan(Scan())
    scanner = engine.scanner(Scan())
    batch = engine.fetching(lambda: scanner.next(bytes_max=1000))
    assert len(batch) == 600
    assert not batch.partial
    for downwards in (False, True):
        scanner = engine.scanner(Scan(reversed=downwards))
        parts: list[tuple[Any, ...]] = []
        cut = 0
        while not scanner.exhausted:
            batch = engine.fetching(lambda one=scanner: one.next(bytes_max=1000, partial=True))
            assert len(batch) < 40
            cut += batch.partial
            parts += batch.cells()
        assert cut > 20
        assert sorted(parts, key=lambda cell: cell[0]) == whole


@pytest.mark.parametrize("bytes_max", range(1, 400, 9))
def test_bytes_are_counted_alike_with_and_without_escapes(make_engine: Any, bytes_max: int) -> None:
    engine = make_engine(F)
    one = Put(b"\0r\0")
    for number in range(12):
        one.add(b"f", b"\0" * number, b"v")
    engine.write(one)
    batch = engine.scanner(Scan()).next(bytes_max=bytes_max, partial=True)
    sizes = [5 + number + 1 + 24 for number in range(12)]  # the row counts as it is encoded
    assert len(list(batch.cells())) == len(batch)
    enough = (count for count in range(1, 12) if sum(sizes[:count]) >= bytes_max)
    assert len(batch) == next(enough, 12)


def test_a_call_returns_after_looking_at_so_many_cells(make_engine: Any) -> None:
    """A scan over what is deleted must not hold up everybody else."""
    engine = make_engine(F)
    engine.write(*(Put(b"%05d" % number).add(b"f", b"q", b"v") for number in range(5000)))
    engine.write(*(Delete(b"%05d" % number) for number in range(4999)))
    for downwards in (False, True):
        scanner = engine.scanner(Scan(reversed=downwards))
        calls = 0
        found = 0
        while not scanner.exhausted:
            calls += 1
            found += len(scanner.next(cells_max=500))
        assert calls > 5
        assert found == 1


def test_columns_versions_and_times_are_those_asked_for(make_engine: Any) -> None:
    engine = make_engine(F, G)
    for at in range(1, 6):
        engine.write(Put(b"r").add(b"g", b"a", b"a%d" % at, at).add(b"g", b"b", b"b%d" % at, at))
    engine.write(Put(b"r").add(b"f", b"a", b"f"))
    assert engine.get(Get(b"r", {b"g": (b"b",)})).values == [b"b5"]
    assert engine.get(Get(b"r", {b"g": (b"b", b"a"), b"f": None})).values == [b"f", b"a5", b"b5"]
    both = engine.get(Get(b"r", {b"g": (b"a",)}, max_versions=2))
    assert both.values == [b"a5", b"a4"]
    assert len(engine.get(Get(b"r", {b"g": (b"a",)}, max_versions=ALL_VERSIONS))) == 3
    early = engine.get(Get(b"r", {b"g": (b"a",)}, time_range=TimeRange(2, 4)))
    assert early.values == [b"a3"]
    assert engine.get(Get(b"r", {b"g": (b"z",)})).row_count == 0


def test_what_no_region_has_is_refused(make_engine: Any) -> None:
    engine = make_engine(F, info=RegionInfo(TableName.parse("t"), b"b", b"d", 1))
    with pytest.raises(NoSuchFamilyError):
        engine.get(Get(b"c", {b"x": None}))
    with pytest.raises(NoSuchFamilyError):
        engine.scanner(Scan(columns={b"x": None}))
    with pytest.raises(WrongRegionError):
        engine.get(Get(b"d"))


def test_a_scan_stays_within_its_region(make_engine: Any) -> None:
    engine = make_engine(F, info=RegionInfo(TableName.parse("t"), b"b", b"d", 1))
    engine.write(*(Put(row).add(b"f", b"q", b"v") for row in (b"b", b"c", b"cz")))
    assert rows_of(engine.scan(Scan(b"a", b"z"))) == [b"b", b"c", b"cz"]
    assert rows_of(engine.scan(Scan(b"z", b"a", reversed=True))) == [b"cz", b"c", b"b"]


def test_expired_versions_below_the_minimum_are_found_over_windows(
    make_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_scanner, "FIRST_WINDOW_CELLS", 1)
    monkeypatch.setattr(store_scanner, "WINDOW_CELLS", 1)
    engine = make_engine(FamilyDescriptor(b"f", max_versions=3, min_versions=2, ttl_s=1))
    for at in (1, 2, 3):
        engine.write(Put(b"r").add(b"f", b"q", b"%d" % at, at))
    assert engine.get(Get(b"r", max_versions=9)).values == [b"3", b"2"]


# Read points


def test_a_scanner_answers_as_of_when_it_was_opened(engine: Any) -> None:
    before = engine.scan(Scan())
    scanners = [engine.scanner(Scan()), engine.scanner(Scan(reversed=True))]
    heads = [list(engine.fetching(lambda one=one: one.next(3)).cells()) for one in scanners]
    engine.write(*(Delete(row) for row in ALL[::2]))
    engine.write(*(Put(row + b"!").add(b"f", b"a", b"new") for row in ALL))
    engine.flush()
    for family in (b"f", b"g"):
        engine.compact(family, major=True)
    engine.write(*(Put(row).add(b"f", b"a", b"newer") for row in ALL))
    upwards, downwards = (
        head + engine.drain(scanner, rows_max=7)
        for head, scanner in zip(heads, scanners, strict=True)
    )
    assert upwards == before
    assert sorted(downwards) == sorted(before)
    assert rows_of(downwards) == ALL[::-1]


def test_a_compaction_keeps_what_an_open_scanner_needs_and_no_more(make_engine: Any) -> None:
    engine = make_engine(F)
    engine.write(Put(b"r").add(b"f", b"q", b"1", 1))
    engine.write(Put(b"r").add(b"f", b"q", b"2", 2))
    scanner = engine.scanner(Scan())
    engine.write(Put(b"r").add(b"f", b"q", b"3", 3))
    engine.write(Put(b"r").add(b"f", b"q", b"4", 4))
    engine.flush()
    engine.compact(b"f", major=True)
    assert [entry.entries for entry in engine.region.file_entries] == [3]
    assert [cell[5] for cell in engine.drain(scanner)] == [b"2"]
    engine.compact(b"f", major=True)
    assert [entry.entries for entry in engine.region.file_entries] == [1]
    assert engine.value(b"r") == b"4"


def test_a_closed_scanner_holds_nothing_back(engine: Any) -> None:
    scanner = engine.scanner(Scan())
    assert not scanner.exhausted
    scanner.close()
    scanner.close()
    assert scanner.exhausted
    assert len(scanner.next()) == 0
    assert engine.region._reader.least_read_point() == engine.region.read_point


# Blocks


def test_every_block_may_be_missing_and_nothing_is_lost_or_repeated(engine: Any) -> None:
    engine.flush()
    expected = engine.scan(Scan())
    for downwards in (False, True):
        engine.open()
        misses = engine.misses
        cells = engine.scan(Scan(reversed=downwards), rows_max=3)
        assert engine.misses - misses >= 20
        assert sorted(cells) == sorted(expected)


def test_a_scan_goes_on_in_the_new_file_when_the_missed_one_is_gone(engine: Any) -> None:
    engine.flush()
    expected = engine.scan(Scan())
    engine.open()
    scanner = engine.scanner(Scan())
    with pytest.raises(BlockMiss):
        scanner.next(50)
    for family in (b"f", b"g"):
        engine.compact(family, major=True)
    assert engine.drain(scanner, rows_max=50) == expected


def test_a_get_skips_files_that_cannot_have_the_row(make_engine: Any) -> None:
    engine = make_engine(F)
    for part in range(8):
        engine.write(
            *(Put(b"%04d" % (number * 8 + part)).add(b"f", b"q", b"v") for number in range(200))
        )
        engine.flush()
    engine.cache_bytes = 1 << 20
    engine.open()
    misses = engine.misses
    assert engine.value(b"0803") == b"v"
    filters = 8
    assert engine.misses - misses <= filters + 2


def test_a_time_range_skips_files_but_never_their_deletes(make_engine: Any) -> None:
    engine = make_engine(F)
    for at in (10, 20):
        engine.write(Put(b"r").add(b"f", b"q", b"%d" % at, at))
        engine.flush()
    engine.write(Delete(b"r").column(b"f", b"q", 15))
    engine.write(Put(b"s").add(b"f", b"q", b"", 30))
    engine.flush()
    engine.open()
    misses = engine.misses
    assert len(engine.get(Get(b"r", time_range=TimeRange(5, 12)))) == 0
    early = engine.misses - misses
    engine.open()
    misses = engine.misses
    assert engine.get(Get(b"r")).values == [b"20"]
    assert engine.misses - misses > early


def test_a_row_larger_than_the_cache_is_read(make_engine: Any) -> None:
    engine = make_engine(F)
    wide = Put(b"wide")
    for number in range(3000):
        wide.add(b"f", b"%05d" % number, b"v" * 20)
    engine.write(wide)
    engine.flush()
    engine.open()
    scanner = engine.region.get_scanner(Get(b"wide"), engine.now_ms)
    misses = engine.misses
    assert len(engine.drain(scanner)) == 3000
    assert engine.misses - misses < 600
    one = engine.misses
    assert engine.value(b"wide", b"02500") == b"v" * 20
    assert engine.misses - one <= 4, "a column of a wide row is sought, not scanned for"


def test_a_column_of_very_many_versions_is_read_from_its_head(make_engine: Any) -> None:
    engine = make_engine(F)
    for start in range(0, 20_000, 1000):
        puts = [Put(b"r").add(b"f", b"q", b"%d" % at, at) for at in range(start + 1, start + 1001)]
        engine.write(*puts)
    engine.write(Put(b"r").add(b"f", b"z", b"last"))
    looked = []
    window = engine.region.stores[b"f"].window

    def counted(*arguments: Any, **options: Any) -> Any:
        found = window(*arguments, **options)
        looked.append(len(found.keys))
        return found

    engine.region.stores[b"f"].window = counted
    assert engine.get(Get(b"r")).values == [b"20000", b"last"]
    assert sum(looked) < 100


# hbase:meta


def test_meta_rows_are_in_their_own_order_in_both_directions(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"info", block_bytes=256), info=META_REGION)
    starts = [b"", b"\0", b"\0\0", b"+", b",", b",,", b"a", b"a,b", b"b"]
    rows = [b"t,%b,1" % start for start in starts] + [b"u,%b,1" % start for start in starts]
    engine.write(*(Put(row).add(b"info", b"q", b"") for row in reversed(rows)))
    engine.flush()
    assert rows_of(engine.scan(Scan())) == rows
    assert rows_of(engine.scan(Scan(reversed=True))) == rows[::-1]


@pytest.mark.parametrize("count", range(1, 20))
def test_the_last_row_is_read_wherever_the_last_block_begins(make_engine: Any, count: int) -> None:
    engine = make_engine(FamilyDescriptor(b"info", block_bytes=256), info=META_REGION)
    rows = [b"t,%03d,1" % number for number in range(count)]
    engine.write(*(Put(row).add(b"info", b"q", b"v" * 40) for row in rows))
    engine.flush()
    assert rows_of(engine.scan(Scan())) == rows
    assert rows_of(engine.scan(Scan(reversed=True))) == rows[::-1]


def test_a_client_finds_the_region_of_a_row_by_one_reversed_scan(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"info", block_bytes=256), info=META_REGION)
    starts = [b"", *(b"%03d" % number for number in range(100))]
    engine.write(*(Put(b"t,%b,7" % start).add(b"info", b"q", start) for start in starts))
    engine.write(Put(b"a,,1").add(b"info", b"q", b""), Put(b"z,,1").add(b"info", b"q", b""))
    engine.flush()
    for row, start in [(b"042", b"042"), (b"0421", b"042"), (b"", b""), (b"zz", b"099")]:
        scan = Scan(b"t,%b,:" % row, b"t,,", True, True, reversed=True, limit=1)
        assert [cell[5] for cell in engine.scan(scan)] == [start]
