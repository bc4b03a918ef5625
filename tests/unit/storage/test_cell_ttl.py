"""Cells that expire by themselves, and the tags that say so."""

from __future__ import annotations

from typing import Any

import pytest

from raybase.errors import IllegalArgumentError
from raybase.model import FamilyDescriptor, TimeRange
from raybase.operations import Append, Delete, Get, Increment, Put
from raybase.storage.tags import TaggedValue, build_tags, tags_of, ttl_ms_of, ttl_tag

ROW = Get(b"r")


def values(engine: Any) -> list[bytes]:
    return list(engine.get(ROW).values)


def flush(engine: Any) -> None:
    engine.flush()
    engine.log.clear()


def move(engine: Any) -> None:
    engine.log = list(engine.region.memstore_records())
    engine.open()


@pytest.mark.parametrize("between", [lambda _: None, flush, move, lambda one: one.open()])
def test_a_cells_own_time_to_live_goes_where_the_cell_goes(make_engine: Any, between: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"f", max_versions=2))
    engine.write(Put(b"r").add(b"f", b"q", b"older", engine.now_ms - 1))
    engine.write(Put(b"r", ttl_ms=50).add(b"f", b"q", b"newer"))
    between(engine)
    assert engine.region.stores[b"f"].has_tags
    engine.now_ms += 50
    assert values(engine) == [b"newer"]
    engine.now_ms += 1
    assert values(engine) == [b"older"]
    engine.flush()
    engine.compact(b"f", major=True)
    assert values(engine) == [b"older"]
    assert not engine.region.stores[b"f"].has_tags


def test_the_familys_time_to_live_ends_a_cell_whose_own_is_longer(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"f", ttl_s=1))
    engine.write(Put(b"r", ttl_ms=5000).add(b"f", b"q", b"v"))
    engine.now_ms += 1001
    assert values(engine) == []


def test_flushes_keep_what_is_seen_again_when_its_overwriting_expires(make_engine: Any) -> None:
    engine = make_engine()
    engine.write(Put(b"r").add(b"f", b"q", b"first", 7))
    engine.write(Put(b"r", ttl_ms=engine.now_ms).add(b"f", b"q", b"second", 7))
    flush(engine)
    assert values(engine) == [b"second"]
    engine.now_ms += 8
    assert values(engine) == [b"first"]


def test_what_an_append_or_increment_builds_on_hands_its_tags_on(make_engine: Any) -> None:
    engine = make_engine()
    label = build_tags([(65, b"x")])
    engine.write(Put(b"r").add(b"f", b"a", TaggedValue(b"1", label + ttl_tag(500))))
    engine.modify(Append(b"r", ttl_ms=90).add(b"f", b"a", b"2"))
    (value,) = engine.get(ROW).values
    assert (value, tags_of(value)) == (b"12", label + ttl_tag(90))
    engine.modify(Increment(b"r", ttl_ms=70).add(b"f", b"n", 1))
    engine.modify(Increment(b"r").add(b"f", b"n", 1))
    assert ttl_ms_of(engine.get(Get(b"r", {b"f": (b"n",)})).values[0]) == 70


def test_an_increment_builds_on_its_time_range_alone(make_engine: Any) -> None:
    engine = make_engine()
    engine.write(Put(b"r").add(b"f", b"n", (5).to_bytes(8, "big"), 10))
    engine.modify(Increment(b"r", time_range=TimeRange(11, 20)).add(b"f", b"n", 1))
    assert int.from_bytes(values(engine)[0], "big") == 1
    engine.modify(Increment(b"r", time_range=TimeRange(0, 11)).add(b"f", b"n", 1))
    assert int.from_bytes(values(engine)[0], "big") == 6


@pytest.mark.parametrize("tags", [b"\0", b"\0\0\1", b"\0\2\x08", ttl_tag(1)[:-1], b"\0\2\x08\1"])
def test_malformed_tags_are_refused(make_engine: Any, tags: bytes) -> None:
    engine = make_engine()
    with pytest.raises(IllegalArgumentError, match="malformed tags"):
        engine.write(Put(b"r").add(b"f", b"q", TaggedValue(b"v", tags)))
    assert values(engine) == []


def test_deletes_and_negative_times_to_live_are_refused(make_engine: Any) -> None:
    engine = make_engine()
    delete = Delete(b"r").column(b"f", b"q")
    delete.ttl_ms = 5
    with pytest.raises(IllegalArgumentError, match="no time to live"):
        engine.write(delete)
    with pytest.raises(IllegalArgumentError, match="-1 ms"):
        Put(b"r", ttl_ms=-1)
