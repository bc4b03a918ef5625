"""Which families a flush takes, and what is left when a server dies between two of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from raybase.config import MIB, StoreConfig
from raybase.errors import IllegalArgumentError
from raybase.model import FamilyDescriptor
from raybase.operations import Delete, Put, Scan
from raybase.storage.flush_policy import FLUSH_POLICIES, flush_policy
from raybase.storage.wal import decode_record

CONFIG = StoreConfig()
F, G, H = (FamilyDescriptor(name, max_versions=3, block_bytes=256) for name in (b"f", b"g", b"h"))


@pytest.mark.parametrize(
    ("held", "old", "expected"),
    [
        # 128 MiB over two families: 64 MiB is large, and over sixteen: 16 MiB, the least.
        ((65, 1), (), (0,)),
        ((64, 64), (), (0, 1)),
        ((70, 70), (), (0, 1)),
        ((65, 1), (1,), (0, 1)),
        ((1, 1), (1,), (1,)),
        ((1, 1), (), (0, 1)),
        ((17, 16, *[0] * 14), (), (0,)),
        ((200,), (), (0,)),
    ],
)
def test_the_default_takes_families_with_much_in_memory_or_with_old_edits(
    held: tuple[int, ...], old: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    names = [b"%02d" % number for number in range(len(held))]
    in_memory = {name: size * MIB for name, size in zip(names, held, strict=True)}
    chosen = flush_policy(CONFIG).select(in_memory, [names[one] for one in old])
    assert chosen == tuple(names[one] for one in expected)
    everything = flush_policy(replace(CONFIG, flush_policy="FlushAllStoresPolicy"))
    assert everything.select(in_memory, ()) == tuple(names)


def test_what_is_large_can_be_set() -> None:
    held = {b"f": 90, b"g": 110}
    assert flush_policy(replace(CONFIG, flush_family_bytes=100)).select(held, ()) == (b"g",)
    small = replace(CONFIG, flush_bytes=200, flush_family_bytes_min=95)
    assert flush_policy(small).select(held, ()) == (b"g",)


def test_an_unknown_policy_is_refused_by_name() -> None:
    assert CONFIG.flush_policy in FLUSH_POLICIES
    with pytest.raises(IllegalArgumentError, match="FlushNonSloppyStoresFirstPolicy"):
        flush_policy(replace(CONFIG, flush_policy="FlushNonSloppyStoresFirstPolicy"))


# Edits that are old because many came after them


def test_families_with_edits_before_too_many_others_are_overdue(make_engine: Any) -> None:
    engine = make_engine(F, G, config=StoreConfig(flush_changes_max=10, flush_family_bytes=500))
    files = engine.region.files
    engine.write(Put(b"r").add(b"g", b"q", b"old"))
    first = engine.region.last_sequence_id
    while engine.region.last_sequence_id < first + 9:
        engine.write(Put(b"r").add(b"f", b"q", b"v" * 100))
    assert files.overdue == ()
    assert engine.region.families_to_flush() == (b"f",)
    engine.write(Put(b"r").add(b"f", b"q", b"v" * 100))
    assert files.overdue == (b"g",)
    assert engine.region.families_to_flush() == (b"f", b"g")
    engine.flush([b"g"])
    assert files.overdue == ()


def test_a_log_asks_for_the_families_that_it_is_kept_for(make_engine: Any) -> None:
    engine = make_engine(F, G, H)
    ids = [engine.write(Put(b"r").add(name, b"q", b"v")).sequence_id for name in (b"g", b"f")]
    files = engine.region.files
    assert files.families_with_edits(ids[0] - 1) == ()
    assert files.families_with_edits(ids[0]) == (b"g",)
    assert files.families_with_edits(ids[1]) == (b"f", b"g")
    engine.flush([b"g"])
    assert files.families_with_edits(ids[1]) == (b"f",)
    assert files.flushed_sequence_id == ids[1] - 1


# Crashes between the flush of one family and that of another


ROWS = [b"%02d" % number for number in range(20)]


def wide(engine: Any, value: bytes, families: tuple[bytes, ...] = (b"f", b"g", b"h")) -> None:
    for row in ROWS:
        put = Put(row)
        for family in families:
            put.add(family, b"q", value)
        engine.write(put)


def crashed(engine: Any) -> list[tuple[Any, ...]]:
    """What is there when only manifest, files and the log that the manifest needs are left."""
    flushed = engine.manifest.flushed
    least = min(flushed.values(), default=0)
    engine.log = [one for one in engine.log if decode_record(one).sequence_id > least]
    engine.open()
    return engine.scan(Scan(max_versions=3))


@pytest.mark.parametrize(
    "flushes",
    [
        [(b"f",)],
        [(b"f",), (b"g",)],
        [(b"g", b"h"), (b"g",)],
        [(b"h",), (b"f",), (b"g",), (b"h",)],
        [None, (b"f",)],
    ],
)
def test_after_a_crash_every_family_has_what_was_written(make_engine: Any, flushes: Any) -> None:
    engine = make_engine(F, G, H)
    for number, families in enumerate(flushes):
        wide(engine, b"%d" % number)
        wide(engine, b"%d only f" % number, (b"f",))
        engine.flush(families)
        for family, store in engine.region.stores.items():
            unflushed = store.oldest_unflushed
            assert not unflushed or engine.manifest.flushed[family] == unflushed - 1
            assert store.flushed == engine.manifest.flushed[family]
    engine.write(Delete(ROWS[3]).family(b"g"))
    expected = engine.scan(Scan(max_versions=3))
    assert crashed(engine) == expected
    assert crashed(engine) == expected, "and again"
    engine.flush([b"g"])
    assert crashed(engine) == expected
    engine.flush()
    assert crashed(engine) == expected
    assert engine.log == [], "nothing is needed of the log when all is flushed"


def test_a_flush_given_up_between_two_families_has_not_happened(make_engine: Any) -> None:
    engine = make_engine(F, G)
    wide(engine, b"1", (b"f", b"g"))
    expected = engine.scan(Scan())
    before = engine.manifest
    plan = engine.region.begin_flush(engine.now_ms)
    engine.write_file(b"f", plan.slices(b"f"), plan.sequence_id)
    engine.region.abort_flush(plan)
    assert engine.scan(Scan()) == expected
    assert engine.region.manifest is before
    assert crashed(engine) == expected
    engine.flush()
    assert crashed(engine) == expected


def test_what_is_written_during_a_flush_of_a_family_is_not_called_flushed(
    make_engine: Any,
) -> None:
    engine = make_engine(F, G)
    wide(engine, b"1", (b"f", b"g"))
    plan = engine.region.begin_flush(engine.now_ms, [b"f"])
    wide(engine, b"2", (b"f", b"g"))
    expected = engine.scan(Scan(max_versions=3))
    file = engine.write_file(b"f", plan.slices(b"f"), plan.sequence_id)
    engine.manifest = engine.region.flush_manifest(plan, [file.entry])
    assert engine.manifest.flushed[b"f"] == plan.sequence_id
    assert engine.manifest.flushed[b"g"] < plan.sequence_id
    engine.region.commit_flush(plan, {b"f": file}, engine.manifest)
    assert crashed(engine) == expected
