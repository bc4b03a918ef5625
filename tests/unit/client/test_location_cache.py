"""The location cache keeps HBase's rules for entries that turn out to be stale."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raybase.client.location import LocationCache, RegionLocation, lookup_bounds
from raybase.errors import (
    CallQueueTooBigError,
    CallTimedOutError,
    ConnectionLostError,
    NotServingRegionError,
    RaybaseError,
    RegionMovedError,
    RegionOpeningError,
    RegionSplitError,
    RegionTooBusyError,
    RequestTooBigError,
    ServerNotRunningError,
)
from raybase.model import META_REGION, ROW_BYTES_MAX, RegionInfo, ServerName, TableName
from raybase.storage.key import META_ROWS

TABLE = TableName.parse("web")
ONE = ServerName("one", 1, 10)
TWO = ServerName("two", 2, 20)


def location(
    start: bytes, end: bytes, server: ServerName = ONE, region_id: int = 1, sequence_id: int = 5
) -> RegionLocation:
    return RegionLocation(RegionInfo(TABLE, start, end, region_id), server, sequence_id)


def cache_of(*locations: RegionLocation) -> LocationCache:
    cache = LocationCache()
    for one in locations:
        cache.add(one)
    return cache


def test_a_row_is_found_in_the_region_that_contains_it() -> None:
    low, high = location(b"", b"m"), location(b"m", b"")
    cache = cache_of(high, low)
    assert cache.find(TABLE, b"a") == low
    assert cache.find(TABLE, b"m") == high
    assert cache.find(TABLE, b"z") == high
    assert cache.find(TableName.parse("other"), b"a") is None


def test_a_gap_between_cached_regions_answers_nothing() -> None:
    cache = cache_of(location(b"b", b"d"), location(b"f", b"h"))
    assert [cache.find(TABLE, row) for row in (b"a", b"d", b"e", b"h")] == [None] * 4


def test_the_region_before_a_row_ends_at_or_behind_it() -> None:
    low, high = location(b"", b"m"), location(b"m", b"")
    cache = cache_of(low, high)
    assert cache.find_before(TABLE, b"m") == low
    assert cache.find_before(TABLE, b"n") == high
    assert cache.find_before(TABLE, b"") == high
    assert cache_of(low).find_before(TABLE, b"") is None
    assert cache_of(low).find_before(TABLE, b"n") is None


@pytest.mark.parametrize(
    "error",
    [
        RegionOpeningError("x"),
        RegionTooBusyError("x"),
        CallQueueTooBigError("x"),
        RequestTooBigError("x"),
    ],
)
def test_overload_and_opening_keep_the_location(error: RaybaseError) -> None:
    one = location(b"", b"")
    cache = cache_of(one)
    cache.learn(one, error)
    assert cache.find(TABLE, b"a") == one


@pytest.mark.parametrize("error", [NotServingRegionError("x"), CallTimedOutError("x")])
def test_other_errors_drop_this_location_alone(error: RaybaseError) -> None:
    low, high = location(b"", b"m"), location(b"m", b"")
    cache = cache_of(low, high)
    cache.learn(low, error)
    assert cache.find(TABLE, b"a") is None
    assert cache.find(TABLE, b"z") == high


@pytest.mark.parametrize("error", [ConnectionLostError("x"), ServerNotRunningError("x")])
def test_a_server_that_is_gone_takes_all_its_locations_along(error: RaybaseError) -> None:
    low, mid, high = location(b"", b"g"), location(b"g", b"m", TWO), location(b"m", b"")
    cache = cache_of(low, mid, high)
    cache.meta = RegionLocation(META_REGION, ONE)
    cache.learn(low, error)
    assert cache.find(TABLE, b"z") is None
    assert cache.find(TABLE, b"h") == mid
    assert cache.meta is None


def test_a_moved_region_is_looked_for_where_the_error_says() -> None:
    one = location(b"", b"", ONE, sequence_id=5)
    cache = cache_of(one)
    cache.learn(one, RegionMovedError("two", 2, 20, 9))
    found = cache.find(TABLE, b"a")
    assert found is not None
    assert (found.server, found.sequence_id, found.address) == (TWO, 9, ("two", 2))


@pytest.mark.parametrize(
    "error", [RegionMovedError("two", 2, 20, 4), RegionMovedError("one", 1, 10, 9)]
)
def test_an_older_place_or_the_same_one_only_drops_the_location(error: RaybaseError) -> None:
    one = location(b"", b"", ONE, sequence_id=5)
    cache = cache_of(one)
    cache.learn(one, error)
    assert cache.find(TABLE, b"a") is None


def test_daughters_are_looked_for_where_their_parent_was() -> None:
    parent, other = location(b"", b"m", ONE, sequence_id=5), location(b"m", b"", TWO)
    cache = cache_of(parent, other)
    cache.learn(parent, RegionSplitError(b"d", 99))
    for row, bounds in ((b"a", (b"", b"d")), (b"d", (b"d", b"m"))):
        found = cache.find(TABLE, row)
        assert found is not None
        assert (found.region.start_key, found.region.end_key) == bounds
        assert (found.region.region_id, found.server) == (99, ONE)
    assert cache.find(TABLE, b"z") == other


@pytest.mark.parametrize("row", [b"b", b"z"], ids=["its first", "beyond it"])
def test_a_row_that_does_not_divide_the_region_only_drops_the_location(row: bytes) -> None:
    parent = location(b"b", b"m", ONE, sequence_id=5)
    cache = cache_of(parent)
    cache.learn(parent, RegionSplitError(row, 99))
    assert cache.find(TABLE, b"c") is None


def test_a_newer_location_survives_what_is_learnt_of_an_older_one() -> None:
    old, new = location(b"", b"", ONE, sequence_id=5), location(b"", b"", TWO, sequence_id=7)
    cache = cache_of(old, new)
    cache.learn(old, NotServingRegionError("x"))
    cache.add(old)
    assert cache.find(TABLE, b"a") == new


def test_daughters_replace_their_parent_and_it_does_not_come_back() -> None:
    parent = location(b"", b"", region_id=1)
    low, high = location(b"", b"m", region_id=2), location(b"m", b"", region_id=2)
    cache = cache_of(parent, high, low, parent)
    assert cache.find(TABLE, b"a") == low
    assert cache.find(TABLE, b"z") == high


def test_a_lookup_reads_hbase_meta_backwards_from_above_the_row() -> None:
    assert lookup_bounds(TABLE, b"row", before=False) == (b"web,row,99999999999999", b"web,,")
    assert lookup_bounds(TABLE, b"row", before=True) == (b"web,row,00000000000000", b"web,,")
    assert lookup_bounds(TABLE, b"", before=True) == (b"web\0", b"web,,")


def test_a_row_of_full_length_can_be_looked_up() -> None:
    start, _ = lookup_bounds(TABLE, b"\xff" * ROW_BYTES_MAX, before=False)
    assert len(start) <= ROW_BYTES_MAX


@given(
    starts=st.sets(st.binary(max_size=4), max_size=8),
    row=st.binary(max_size=5),
    before=st.booleans(),
)
def test_a_lookup_begins_just_above_the_region_it_wants(
    starts: set[bytes], row: bytes, *, before: bool
) -> None:
    """In hbase:meta's order, the last row at or below the start is the wanted region's."""
    starts.add(b"")
    names = {RegionInfo(TABLE, start, b"", 1700000000000).name: start for start in starts}
    others = [
        RegionInfo(TableName.parse(name), b"", b"", 1).name for name in ("wea", "web-x", "wec")
    ]
    start, stop = lookup_bounds(TABLE, row, before=before)
    low, high = META_ROWS.encode(stop), META_ROWS.encode(start)
    reached = [name for name in [*names, *others] if low <= META_ROWS.encode(name) <= high]
    reached.sort(key=META_ROWS.encode)
    if before:
        expected = max((one for one in starts if one < row), default=None) if row else max(starts)
    else:
        expected = max(one for one in starts if one <= row)
    assert (names.get(reached[-1]) if reached else None) == expected
