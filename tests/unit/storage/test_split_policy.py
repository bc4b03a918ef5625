"""When HBase's seven policies split a region, and where they cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from raybase.config import MIB, StoreConfig
from raybase.errors import IllegalArgumentError
from raybase.model import FamilyDescriptor, RegionInfo, TableName
from raybase.operations import Put
from raybase.storage.split_policy import SPLIT_POLICIES, RegionLoad, SplitPolicy, split_policy

CONFIG = StoreConfig(flush_bytes=MIB, region_bytes_max=100 * MIB)
PREFIX = "KeyPrefixRegionSplitPolicy.prefix_length"
DELIMITER = "DelimitedKeyPrefixRegionSplitPolicy.delimiter"
RESTRICTION = "hbase.regionserver.region.split_restriction"


def policy(
    name: str, attributes: dict[str, str] | None = None, jitter: float = 0.5, **changes: Any
) -> SplitPolicy:
    config = replace(CONFIG, split_policy=name, **changes)
    return split_policy(config, attributes or {}, jitter)


def limit(policy: SplitPolicy, table_regions: int) -> int:
    """The largest size in MiB of a store of a region that is not split."""
    load = RegionLoad(table_regions)
    return next(size - 1 for size in range(1, 2000) if policy.wants_split([1, size * MIB, 7], load))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ConstantSizeRegionSplitPolicy", (100, 100, 100, 100, 100)),
        ("IncreasingToUpperBoundRegionSplitPolicy", (100, 2, 16, 54, 100)),
        ("SteppingSplitPolicy", (100, 2, 100, 100, 100)),
        ("BusyRegionSplitPolicy", (100, 2, 16, 54, 100)),
    ],
)
def test_the_size_at_which_a_region_splits_depends_on_its_sisters(
    name: str, expected: tuple[int, ...]
) -> None:
    assert tuple(limit(policy(name), regions) for regions in (0, 1, 2, 3, 101)) == expected


def test_the_first_size_can_be_set() -> None:
    assert limit(policy("SteppingSplitPolicy", split_first_bytes=300 * MIB), 1) == 300
    increasing = policy("IncreasingToUpperBoundRegionSplitPolicy", split_first_bytes=7 * MIB)
    assert [limit(increasing, regions) for regions in (1, 2, 3)] == [7, 56, 100]


def test_the_disabled_policy_never_splits() -> None:
    assert not policy("DisabledRegionSplitPolicy").wants_split([2**60], RegionLoad(1))


def test_all_stores_count_together_if_so_set() -> None:
    sizes = [60 * MIB, 41 * MIB]
    assert not policy("ConstantSizeRegionSplitPolicy").wants_split(sizes, RegionLoad())
    together = policy("ConstantSizeRegionSplitPolicy", split_overall_files=True)
    assert together.wants_split(sizes, RegionLoad())


@pytest.mark.parametrize(("jitter", "expected"), [(0.0, 87), (0.5, 100), (0.999, 112)])
def test_jitter_moves_the_limit_by_an_eighth_at_most(jitter: float, expected: int) -> None:
    assert limit(policy("ConstantSizeRegionSplitPolicy", jitter=jitter), 5) == expected


# Busy regions


def loads(*points: tuple[int, int, int]) -> list[RegionLoad]:
    return [
        RegionLoad(0, writes, blocked, int(seconds * 1000)) for seconds, writes, blocked in points
    ]


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        # Too young, however busy.
        ([(0, 0, 0), (300, 100, 90), (599, 200, 180)], False),
        ([(0, 0, 0), (300, 100, 90), (600, 200, 180)], True),
        ([(0, 0, 0), (300, 100, 90), (600, 200, 110)], True),
        ([(0, 0, 0), (300, 100, 90), (600, 200, 109)], False),
        # Within a window, the one before counts for the time that is left of this one.
        ([(0, 0, 0), (600, 100, 30), (660, 200, 30)], True),
        ([(0, 0, 0), (600, 100, 30), (720, 200, 30)], False),
        ([(0, 0, 0), (600, 100, 0), (660, 110, 10)], True),
        ([(0, 0, 0), (600, 100, 0), (660, 200, 90)], False),
        # All are pushed back.
        ([(0, 0, 0), (700, 0, 5)], True),
    ],
)
def test_a_busy_region_splits_when_it_pushes_many_writes_back(
    story: list[tuple[int, int, int]], expected: bool
) -> None:
    busy = policy("BusyRegionSplitPolicy")
    answers = [busy.wants_split([1], load) for load in loads(*story)]
    assert answers[-1] is expected


@pytest.mark.parametrize(
    "changes", [{"busy_blocked_fraction": 1.5}, {"busy_window_s": 0}, {"busy_blocked_fraction": 0}]
)
def test_a_busy_policy_needs_numbers_that_make_sense(changes: Any) -> None:
    with pytest.raises(IllegalArgumentError, match="BusyRegionSplitPolicy"):
        policy("BusyRegionSplitPolicy", **changes)


# Where


@pytest.mark.parametrize(
    ("name", "attributes", "row", "expected"),
    [
        ("KeyPrefixRegionSplitPolicy", {PREFIX: "4"}, b"user12", b"user"),
        ("KeyPrefixRegionSplitPolicy", {PREFIX: "9"}, b"user12", b"user12"),
        (
            "KeyPrefixRegionSplitPolicy",
            {"prefix_split_key_policy.prefix_length": "1"},
            b"user",
            b"u",
        ),
        ("DelimitedKeyPrefixRegionSplitPolicy", {DELIMITER: "_"}, b"user_12_3", b"user"),
        ("DelimitedKeyPrefixRegionSplitPolicy", {DELIMITER: "::"}, b"a:b::c", b"a:b"),
        ("DelimitedKeyPrefixRegionSplitPolicy", {DELIMITER: "_"}, b"user", b"user"),
        ("DelimitedKeyPrefixRegionSplitPolicy", {DELIMITER: "_"}, b"_user", b""),
        ("SteppingSplitPolicy", {PREFIX: "4", DELIMITER: "_"}, b"user_12", b"user_12"),
        (
            "SteppingSplitPolicy",
            {f"{RESTRICTION}.type": "KeyPrefix", f"{RESTRICTION}.prefix_length": "2"},
            b"user",
            b"us",
        ),
        (
            "KeyPrefixRegionSplitPolicy",
            {
                PREFIX: "6",
                f"{RESTRICTION}.type": "DelimitedKeyPrefix",
                f"{RESTRICTION}.delimiter": "_",
            },
            b"user_12",
            b"user",
        ),
    ],
)
def test_rows_that_belong_together_are_not_parted(
    name: str, attributes: dict[str, str], row: bytes, expected: bytes
) -> None:
    assert policy(name, attributes).cut(row) == expected


@pytest.mark.parametrize(
    ("name", "attributes", "message"),
    [
        ("KeyPrefixRegionSplitPolicy", {}, PREFIX),
        ("KeyPrefixRegionSplitPolicy", {PREFIX: "0"}, PREFIX),
        ("KeyPrefixRegionSplitPolicy", {PREFIX: "four"}, "four"),
        ("DelimitedKeyPrefixRegionSplitPolicy", {DELIMITER: ""}, DELIMITER),
        ("SteppingSplitPolicy", {f"{RESTRICTION}.type": "Mine"}, "Mine"),
        ("SteppingSplitPolicy", {f"{RESTRICTION}.type": "KeyPrefix"}, "prefix_length"),
        ("MySplitPolicy", {}, "MySplitPolicy.*SteppingSplitPolicy"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_by_name(
    name: str, attributes: dict[str, str], message: str
) -> None:
    with pytest.raises(IllegalArgumentError, match=message):
        policy(name, attributes)


def test_all_seven_are_there_and_the_default_is_hbases() -> None:
    assert len(SPLIT_POLICIES) == 7
    assert type(split_policy(StoreConfig(), {})).__name__ == "SteppingSplitPolicy"


# The row of a region


FAMILIES = tuple(FamilyDescriptor(name, block_bytes=256) for name in (b"f", b"g"))


def engine_with(make_engine: Any, rows: list[bytes], info: RegionInfo | None = None) -> Any:
    engine = make_engine(*FAMILIES, info=info)
    engine.write(*(Put(row).add(b"f", b"q", b"v" * 40) for row in rows))
    engine.flush()
    return engine


def cut_by(engine: Any, attributes: dict[str, str]) -> bytes | None:
    """The split point with these attributes on the engine's table."""
    engine.table = replace(engine.table, attributes=attributes)
    engine.log.clear()
    engine.open()
    return engine.fetching(engine.region.split_point)


BY_DELIMITER = {"SPLIT_POLICY": "DelimitedKeyPrefixRegionSplitPolicy", DELIMITER: "_"}


def test_the_split_point_is_cut_as_the_table_says(make_engine: Any) -> None:
    engine = engine_with(make_engine, [b"user%d_%02d" % (n // 10, n % 10) for n in range(100)])
    whole = cut_by(engine, {})
    assert whole is not None
    assert b"user4" < whole < b"user6"
    assert cut_by(engine, BY_DELIMITER) == whole[:5]


def test_a_cut_that_leaves_nothing_on_a_side_is_no_split_point(make_engine: Any) -> None:
    info = RegionInfo(TableName.parse("t"), b"user5", b"", 1)
    engine = engine_with(make_engine, [b"user5_%03d" % n for n in range(100)], info)
    assert cut_by(engine, {}) is not None
    assert cut_by(engine, BY_DELIMITER) is None
    first = engine_with(make_engine, [b"_%03d" % n for n in range(100)])
    assert cut_by(first, BY_DELIMITER) is None, "an empty row is none"


def test_a_store_whose_largest_file_has_one_row_leaves_the_choice_to_the_next(
    make_engine: Any,
) -> None:
    engine = engine_with(make_engine, [b"%03d" % n for n in range(100)])
    wide = Put(b"050")
    for number in range(1000):
        wide.add(b"g", b"%d" % number, b"v" * 50)
    engine.write(wide)
    engine.flush()
    assert max(engine.manifest.files, key=lambda one: one.size).family == b"g"
    row = engine.fetching(engine.region.split_point)
    assert row is not None
    assert b"030" < row < b"070"
