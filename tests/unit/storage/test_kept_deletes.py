"""What major compactions leave of tombstones, and what reads see past them."""

from __future__ import annotations

from typing import Any

import pytest

from raybase.model import FamilyDescriptor, KeepDeletedCells, TimeRange
from raybase.operations import Delete, Put, Scan

RAW = Scan(max_versions=9, raw=True)
PURGE = {"hbase.hstore.time.to.purge.deletes": "1000"}


def kinds(engine: Any) -> list[tuple[int, int]]:
    """(type, timestamp) of every cell there is."""
    return [(kind, timestamp) for _, _, _, timestamp, kind, _ in engine.scan(RAW)]


def test_young_tombstones_outlive_a_major_compaction(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"f", configuration=PURGE))
    engine.write(Put(b"r").add(b"f", b"q", b"1", 999_000))
    engine.write(Delete(b"r").column(b"f", b"q", 999_500))
    engine.flush()
    engine.now_ms = 1_000_500
    engine.compact(b"f", major=True)
    assert kinds(engine) == [(12, 999_500)]
    engine.now_ms = 1_000_501
    engine.write(Put(b"s").add(b"f", b"q", b"2"))
    engine.flush()
    engine.compact(b"f", major=True)
    assert kinds(engine) == [(4, 1_000_501)]


@pytest.mark.parametrize("keep", [KeepDeletedCells.TRUE, KeepDeletedCells.TTL])
def test_reads_of_an_earlier_time_see_what_was_deleted_later(make_engine: Any, keep: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"f", max_versions=3, keep_deleted_cells=keep))
    engine.write(Put(b"r").add(b"f", b"q", b"1", 10))
    engine.write(Delete(b"r").column(b"f", b"q", 20))
    for _ in range(2):
        assert engine.scan(Scan()) == []
        assert len(engine.scan(Scan(time_range=TimeRange(0, 20)))) == 1
        assert engine.scan(Scan(time_range=TimeRange(0, 21))) == []
        engine.flush()
        engine.compact(b"f", major=True)
    assert kinds(engine) == [(12, 20), (4, 10)]


def test_kept_tombstones_go_when_no_put_is_older(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"f", keep_deleted_cells=KeepDeletedCells.TRUE))
    engine.write(Delete(b"r").column(b"f", b"q", 20))
    engine.write(Delete(b"r").family(b"f", 25))
    engine.write(Put(b"r").add(b"f", b"q", b"1", 30))
    engine.flush()
    engine.compact(b"f", major=True)
    assert kinds(engine) == [(4, 30)]


def test_surplus_versions_do_not_take_tombstones_of_other_columns_along(make_engine: Any) -> None:
    """HBase drops a family's tombstone below surplus versions of the column without qualifier,
    and what it deleted comes back."""
    engine = make_engine(FamilyDescriptor(b"f", keep_deleted_cells=KeepDeletedCells.TRUE))
    engine.write(Put(b"r").add(b"f", b"q", b"deleted", 10))
    engine.write(Delete(b"r").family(b"f", 20))
    for timestamp in (30, 31):
        engine.write(Put(b"r").add(b"f", b"", b"", timestamp))
    engine.flush()
    engine.compact(b"f", major=True)
    assert [cell[2:4] for cell in engine.scan(Scan())] == [(b"", 31)]
