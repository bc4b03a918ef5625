"""Flush, compaction, references: files come and go, answers stay."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from raybase.config import StoreConfig
from raybase.model import FamilyDescriptor, RegionInfo, TableName
from raybase.operations import ALL_VERSIONS, Delete, Get, Put, Scan
from raybase.storage.flush import SLICE_CELLS
from raybase.storage.key import PLAIN_ROWS, row_start
from raybase.storage.store_file import StoreFile

F = FamilyDescriptor(b"f", max_versions=3, block_bytes=256)
G = FamilyDescriptor(b"g", block_bytes=256)


def rows(first: int, last: int, value: bytes = b"v") -> list[Put]:
    return [Put(b"%04d" % number).add(b"f", b"q", value) for number in range(first, last)]


# Flush


def test_reads_and_writes_go_on_while_a_snapshot_is_written(make_engine: Any) -> None:
    engine = make_engine(F)
    engine.write(*rows(0, 1500))
    plan = engine.region.begin_flush(engine.now_ms)
    slices = plan.slices(b"f")
    written = [next(slices)]
    engine.write(*rows(700, 800, b"new"))
    assert engine.value(b"0750") == b"new"
    assert engine.value(b"0100") == b"v"
    written += slices
    assert [len(window) for window in written] == [SLICE_CELLS] * 5 + [1500 - 5 * SLICE_CELLS]
    file = engine.write_file(b"f", written, plan.sequence_id)
    assert engine.region.memstore_bytes > plan.memory_bytes
    manifest = engine.region.flush_manifest(plan, [file.entry])
    engine.region.commit_flush(plan, {b"f": file}, manifest)
    assert engine.region.memstore_bytes < plan.memory_bytes
    assert engine.value(b"0750") == b"new"
    assert engine.region.flushed_sequence_id == plan.sequence_id
    assert len(engine.scan(Scan())) == 1500


def test_a_flush_that_was_given_up_has_not_happened(make_engine: Any) -> None:
    engine = make_engine(F)
    engine.write(*rows(0, 50))
    plan = engine.region.begin_flush(engine.now_ms)
    engine.write(*rows(40, 60, b"new"))
    before = engine.region.memstore_bytes
    engine.region.abort_flush(plan)
    assert engine.region.memstore_bytes == before
    assert engine.region.flushed_sequence_id < plan.sequence_id
    assert engine.value(b"0045") == b"new"
    assert engine.flush()
    assert len(engine.scan(Scan())) == 60
    assert engine.region.memstore_bytes == 0


def test_a_flush_of_nothing_is_none(make_engine: Any) -> None:
    assert make_engine(F).region.begin_flush(0) is None


def test_a_flush_cannot_be_committed_ahead_of_the_log(make_engine: Any) -> None:
    engine = make_engine(F)
    engine.region.write(rows(0, 1), engine.now_ms)
    plan = engine.region.begin_flush(engine.now_ms)
    with pytest.raises(AssertionError):
        engine.region.flush_manifest(plan, [])


def test_the_manifest_says_of_each_family_what_is_in_files(make_engine: Any) -> None:
    engine = make_engine(F, G)
    engine.write(Put(b"r").add(b"f", b"q", b"1").add(b"g", b"q", b"1"))
    first = engine.region.last_sequence_id
    assert engine.flush([b"f"])
    assert engine.manifest.flushed == {b"f": first, b"g": first - 1}
    assert engine.region.flushed_sequence_id == first - 1
    engine.write(Put(b"r").add(b"g", b"q", b"2"))
    assert engine.flush([b"g"])
    last = engine.region.last_sequence_id
    assert engine.manifest.flushed == {b"f": last, b"g": last}
    assert engine.region.flushed_sequence_id == last
    assert engine.manifest.version == 3
    assert engine.manifest.max_sequence_id == last


def test_a_write_during_the_flush_of_another_family_is_not_called_flushed(
    make_engine: Any,
) -> None:
    engine = make_engine(F, G)
    engine.write(Put(b"r").add(b"f", b"q", b"1"))
    plan = engine.region.begin_flush(engine.now_ms)
    engine.write(Put(b"r").add(b"g", b"q", b"2"))
    file = engine.write_file(b"f", plan.slices(b"f"), plan.sequence_id)
    manifest = engine.region.flush_manifest(plan, [file.entry])
    engine.region.commit_flush(plan, {b"f": file}, manifest)
    assert manifest.flushed == {b"f": plan.sequence_id, b"g": plan.sequence_id}
    assert engine.region.flushed_sequence_id == plan.sequence_id


def test_a_flush_leaves_out_what_nobody_can_see(make_engine: Any) -> None:
    engine = make_engine(F)
    for value in range(20):
        engine.write(Put(b"r").add(b"f", b"q", b"%d" % value))  # one timestamp
        engine.write(Put(b"gone").add(b"f", b"q", b"%d" % value, value))
    engine.write(Delete(b"gone"))
    engine.flush()
    assert engine.region.file_entries[0].entries == 2, "a value and a tombstone"
    assert engine.value(b"r") == b"19"


# Compaction


def test_a_minor_compaction_keeps_versions_and_tombstones(make_engine: Any) -> None:
    engine = make_engine(G)
    engine.write(Put(b"large").add(b"g", b"q", random.Random(1).randbytes(50_000)))
    engine.flush()
    for at in range(1, 4):
        engine.write(Put(b"r").add(b"g", b"q", b"%d" % at, at))
        engine.flush()
    engine.write(Delete(b"r").version(b"g", b"q", 9))
    engine.flush()
    compaction = engine.compact(b"g")
    assert not compaction.options.major
    assert len(compaction.inputs) == 4
    engine.write(Delete(b"r").version(b"g", b"q", 3))
    assert engine.value(b"r", b"q", b"g") == b"2", "what a delete uncovers is still there"
    engine.write(Put(b"r").add(b"g", b"q", b"late", 9))
    assert engine.value(b"r", b"q", b"g") == b"2", "the tombstone still hides"


def test_a_major_compaction_drops_deletes_surplus_versions_and_what_expired(
    make_engine: Any,
) -> None:
    family = FamilyDescriptor(b"f", max_versions=2, min_versions=1, ttl_s=1)
    engine = make_engine(family)
    engine.now_ms = 10_000
    for at in (9_100, 9_200, 9_300):
        engine.write(Put(b"versions").add(b"f", b"q", b"", at))
    for at in (1, 2):
        engine.write(Put(b"expired").add(b"f", b"q", b"%d" % at, at))
    engine.write(Put(b"deleted").add(b"f", b"q", b"", 9_999), Delete(b"deleted"))
    engine.flush()
    engine.write(Put(b"other").add(b"f", b"q", b"", 9_999))
    engine.flush()
    engine.compact(b"f", major=True)
    (entry,) = engine.region.file_entries
    assert entry.major
    assert entry.entries == 4
    assert engine.get(Get(b"versions", max_versions=9)).timestamps == [9_300, 9_200]
    assert engine.get(Get(b"expired", max_versions=9)).values == [b"2"]


def test_an_empty_result_replaces_its_inputs(make_engine: Any) -> None:
    engine = make_engine(F)
    engine.write(*rows(0, 10))
    engine.flush()
    engine.write(*(Delete(put.row) for put in rows(0, 10)))
    engine.flush()
    engine.compact(b"f", major=True)
    assert [entry.entries for entry in engine.region.file_entries] == [0]
    assert engine.scan(Scan()) == engine.scan(Scan(reversed=True)) == []
    compaction = engine.region.plan_compaction(b"f", 0, major=True)
    manifest = engine.region.compaction_manifest(compaction, None)
    engine.region.commit_compaction(compaction, None, manifest)
    assert manifest.files == ()
    engine.write(*rows(0, 3))
    assert len(engine.scan(Scan())) == 3


def test_files_of_a_plan_are_in_no_other_and_newer_ones_may_go_meanwhile(
    make_engine: Any,
) -> None:
    engine = make_engine(F)

    def flush(parts: range) -> None:
        for part in parts:
            engine.write(*rows(part * 10, part * 10 + 10))
            engine.flush()

    flush(range(4))
    first = engine.region.plan_compaction(b"f", 0)
    assert len(first.inputs) == 4
    assert engine.region.plan_compaction(b"f", 0, major=True) is None
    flush(range(2, 6))
    second = engine.region.plan_compaction(b"f", 0, major=True)
    assert len(second.inputs) == 4
    assert not set(first.inputs) & set(second.inputs)
    assert not second.options.major, "older files exist"
    plan = engine.region.plan_compaction
    for compaction in (second, first):
        engine.region.plan_compaction = lambda *_, planned=compaction, **__: planned
        engine.compact(b"f")
    engine.region.plan_compaction = plan
    assert len(engine.manifest.files) == 2
    assert len(engine.scan(Scan())) == 60
    engine.region.abort_compaction(plan(b"f", 0, major=True))
    assert len(plan(b"f", 0, major=True).inputs) == 2


def test_files_that_outlived_the_time_to_live_go_unread(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"f", ttl_s=10))
    engine.now_ms = 3_000
    for at in (1_000, 2_000, 90_000):
        engine.write(Put(b"r%d" % at).add(b"f", b"q", b"", at), Delete(b"r", at))
        engine.flush()
    engine.now_ms = 100_000
    compaction = engine.region.plan_compaction(b"f", 12_001)
    assert compaction.is_expired
    assert [entry.max_timestamp for entry in compaction.inputs] == [1_000, 2_000]
    engine.region.commit_compaction(
        compaction, None, engine.region.compaction_manifest(compaction, None)
    )
    assert [row for row, *_ in engine.scan(Scan())] == [b"r90000"]


def test_a_put_below_a_tombstone_shows_once_a_major_compaction_has_dropped_that(
    make_engine: Any,
) -> None:
    """HBase's semantics: a tombstone hides what is older by timestamp, not by time of writing,
    until a major compaction ends it; what is in the memstore then was not deleted."""
    engine = make_engine(F)
    engine.write(Put(b"r").add(b"f", b"q", b"before", 5))
    engine.write(Delete(b"r").column(b"f", b"q", 9))
    engine.flush()
    engine.write(Put(b"r").add(b"f", b"q", b"after", 7))
    plan = engine.region.plan_compaction(b"f", engine.now_ms, major=True)
    engine.region.abort_compaction(plan)
    assert plan.options.major
    assert engine.value(b"r") is None
    engine.compact(b"f", major=True)
    assert engine.value(b"r") == b"after"
    assert engine.get(Get(b"r", max_versions=9)).values == [b"after"]


def test_a_flush_during_a_compaction_stays(make_engine: Any) -> None:
    engine = make_engine(F)
    for part in range(4):
        engine.write(*rows(part * 10, part * 10 + 10))
        engine.flush()
    plan = engine.region.plan_compaction
    planned = plan(b"f", 0)
    engine.write(*rows(35, 60, b"new"))
    engine.flush()
    engine.region.abort_compaction(planned)
    engine.region.plan_compaction = lambda *_args, **_options: planned
    engine.compact(b"f")
    engine.region.plan_compaction = plan
    assert len(engine.region.file_entries) == 2
    assert len(engine.manifest.files) == 2
    assert engine.value(b"0037") == b"new"
    assert len(engine.scan(Scan())) == 60
    engine.open()
    assert len(engine.scan(Scan())) == 60


def test_files_of_one_sequence_id_come_the_larger_one_first(make_engine: Any) -> None:
    engine = make_engine(F)
    for part, count in enumerate((5, 50, 5)):
        engine.write(*rows(part * 100, part * 100 + count))
        engine.flush()
    store = engine.region.stores[b"f"]
    first, second, third = store.files

    def with_id(file: Any, sequence_id: int, path: str) -> Any:
        return StoreFile(replace(file.entry, max_sequence_id=sequence_id, path=path), file.reader)

    files = [with_id(first, 7, "b"), with_id(second, 7, "c"), with_id(third, 7, "a")]
    newest, oldest = with_id(first, 8, "0"), with_id(third, 6, "z")
    store.set_files([newest, *files, oldest])
    assert [one.path for one in store.files] == ["z", "c", "a", "b", "0"]


# Splits


def halves(engine: Any, make_engine: Any, split: bytes) -> list[Any]:
    """Two engines over references to the halves of the engine's files."""
    key = row_start(PLAIN_ROWS.encode(split))
    daughters = []
    for upper in (False, True):
        info = RegionInfo(TableName.parse("t"), *((split, b"") if upper else (b"", split)), 2)
        one = make_engine(*engine.table.families, info=info)
        one.disk = dict(engine.disk)
        one.files_written = 1000 + 1000 * upper
        entries = tuple(
            replace(entry, **({"lower": key} if upper else {"upper": key}))
            for entry in engine.manifest.files
        )
        one.manifest = replace(
            one.manifest, files=entries, max_sequence_id=engine.region.last_sequence_id
        )
        one.open()
        daughters.append(one)
    return daughters


@pytest.mark.parametrize("split", [b"0000", b"0001", b"0050", b"00500", b"0099", b"01"])
def test_daughters_see_their_half_of_the_parents_files(make_engine: Any, split: bytes) -> None:
    engine = make_engine(F)
    for part in range(3):
        engine.write(*rows(part, 100, b"%d" % part)[::3])
        engine.flush()
    expected = engine.scan(Scan())
    lower, upper = halves(engine, make_engine, split)
    assert lower.scan(Scan()) + upper.scan(Scan()) == expected
    assert upper.scan(Scan(reversed=True)) + lower.scan(Scan(reversed=True)) == expected[::-1]
    assert lower.region.split_point() is None, "no split while references are left"
    for daughter in (lower, upper):
        assert daughter.compact(b"f") is not None
        assert not any(entry.is_reference for entry in daughter.manifest.files)
    assert lower.scan(Scan()) + upper.scan(Scan()) == expected
    assert not engine.disk.keys() & {entry.path for entry in lower.manifest.files}


def test_the_split_point_is_the_middle_row_of_the_largest_file(make_engine: Any) -> None:
    config = StoreConfig(split_policy="ConstantSizeRegionSplitPolicy", region_bytes_max=10_000)
    engine = make_engine(F, G, config=config)
    engine.write(Put(b"0000").add(b"g", b"q", b"v"))
    engine.write(*rows(0, 10))
    engine.flush()
    assert not engine.region.wants_split()
    engine.write(*(put for put in rows(0, 1000, bytes(range(256)))))
    engine.flush()
    assert engine.region.wants_split()
    row = engine.fetching(engine.region.split_point)
    assert b"0400" < row < b"0600"


def test_a_region_of_one_row_cannot_be_split(make_engine: Any) -> None:
    engine = make_engine(F)
    assert engine.region.split_point() is None
    wide = Put(b"r")
    for number in range(100):
        wide.add(b"f", b"%d" % number, b"v" * 50)
    engine.write(wide)
    engine.flush()
    assert engine.fetching(engine.region.split_point) is None


def test_versions_over_several_files_are_counted_together(make_engine: Any) -> None:
    engine = make_engine(F)
    for at in (3, 1, 5, 2, 4):
        engine.write(Put(b"r").add(b"f", b"q", b"%d" % at, at))
        engine.flush()
    assert engine.get(Get(b"r", max_versions=ALL_VERSIONS)).values == [b"5", b"4", b"3"]
