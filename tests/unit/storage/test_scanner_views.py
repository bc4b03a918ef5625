"""An open scanner's answers are those of its read point, whatever becomes of the files."""

from __future__ import annotations

from typing import Any

import pytest

from raybase.model import FamilyDescriptor
from raybase.operations import ALL_VERSIONS, Delete, Put, Scan

ROWS = [b"r%03d" % number for number in range(60)]


def two_files(make_engine: Any) -> Any:
    """A store whose major compaction finds work, of blocks that hold a few cells."""
    engine = make_engine(FamilyDescriptor(b"f", max_versions=1, block_bytes=256))
    for row in ROWS:
        engine.write(Put(row).add(b"f", b"q", b"first", 5))
    engine.flush()
    return engine


def begun(engine: Any, scan: Scan) -> tuple[Any, list[Any], list[Any]]:
    """What the scan returns now, and one like it that has come to its first row."""
    expected = engine.scan(scan)
    scanner = engine.scanner(scan)
    first = engine.fetching(lambda: scanner.next(rows_max=1))
    return scanner, expected, list(first.cells())


@pytest.mark.parametrize("downwards", [False, True])
def test_a_tombstone_that_a_major_compaction_drops_still_hides_later_puts(
    make_engine: Any, *, downwards: bool
) -> None:
    engine = two_files(make_engine)
    for row in ROWS[1:-1]:
        engine.write(Delete(row).column(b"f", b"q", 10))
    engine.flush()
    for row in ROWS[1:-1]:
        engine.write(Put(row).add(b"f", b"q", b"hidden", 7))
    scanner, expected, got = begun(engine, Scan(reversed=downwards))
    assert len(expected) == 2
    engine.compact(b"f", major=True)
    engine.flush()
    assert got + engine.drain(scanner, rows_max=7) == expected


@pytest.mark.parametrize("downwards", [False, True])
def test_a_version_that_a_major_compaction_drops_is_still_seen(
    make_engine: Any, *, downwards: bool
) -> None:
    engine = two_files(make_engine)
    for row in ROWS:
        engine.write(Put(row).add(b"f", b"q", b"second", 9))
    engine.flush()
    for row in ROWS:
        engine.write(Delete(row).version(b"f", b"q", 9))
    scanner, expected, got = begun(engine, Scan(reversed=downwards))
    assert [cell[-1] for cell in expected] == [b"first"] * len(ROWS)
    engine.flush()
    engine.compact(b"f", major=True)
    assert got + engine.drain(scanner, rows_max=7) == expected


def test_a_raw_scanner_still_returns_what_a_compaction_drops(make_engine: Any) -> None:
    engine = two_files(make_engine)
    for row in ROWS:
        engine.write(Delete(row).column(b"f", b"q", 10))
    engine.flush()
    scanner, expected, got = begun(engine, Scan(raw=True, max_versions=ALL_VERSIONS))
    assert len(expected) == 2 * len(ROWS)
    engine.compact(b"f", major=True)
    assert got + engine.drain(scanner, rows_max=7) == expected
    assert engine.scan(Scan(raw=True, max_versions=ALL_VERSIONS)) == []


def test_files_compacted_away_are_let_go_of_with_their_last_scanner(make_engine: Any) -> None:
    engine = two_files(make_engine)
    engine.write(Put(b"z").add(b"f", b"q", b"v", 1))
    engine.flush()
    path = engine.region.file_entries[0].path
    scanner, _, _ = begun(engine, Scan())
    engine.compact(b"f", major=True)
    assert engine.region.file(path) is not None
    engine.drain(scanner)
    del scanner
    assert engine.region.file(path) is None


@pytest.mark.parametrize("downwards", [False, True])
def test_a_row_that_was_cut_behind_its_last_cell_counts_against_the_limit(
    make_engine: Any, *, downwards: bool
) -> None:
    engine = make_engine(FamilyDescriptor(b"f"), FamilyDescriptor(b"g"))
    for row in ROWS[:3]:
        engine.write(Put(row).add(b"f", b"a", b"v", 5).add(b"f", b"b", b"v", 5))
    scan = Scan(limit=2, reversed=downwards)
    cells = engine.scan(scan, bytes_max=1, partial=True)
    assert cells == engine.scan(scan)
    assert len(cells) == 4


def test_an_expired_cell_is_not_seen_though_it_was_written_after_the_scanner_was_opened(
    make_engine: Any,
) -> None:
    engine = make_engine(FamilyDescriptor(b"f"))
    scanner = engine.scanner(Scan(read_uncommitted=True))
    engine.write(Put(b"a", ttl_ms=10).add(b"f", b"q", b"expired", 5))
    engine.write(Put(b"b").add(b"f", b"q", b"fresh", 5))
    assert [cell[-1] for cell in engine.drain(scanner)] == [b"fresh"]


@pytest.mark.parametrize("downwards", [False, True])
def test_rows_and_columns_count_in_the_bytes_of_an_answer(
    make_engine: Any, *, downwards: bool
) -> None:
    engine = make_engine(FamilyDescriptor(b"f"))
    for number in range(40):
        engine.write(Put(b"%01000d" % number).add(b"f", b"q" * 1000, b"", 5))
    scanner = engine.scanner(Scan(reversed=downwards))
    counts = []
    while not scanner.exhausted:
        counts.append(len(engine.fetching(lambda: scanner.next(bytes_max=10_000))))
    assert max(counts) <= 5
    assert sum(counts) == 40
