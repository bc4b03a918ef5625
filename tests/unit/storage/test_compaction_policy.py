"""Which files HBase's policies choose, case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from raybase.config import StoreConfig
from raybase.errors import IllegalArgumentError
from raybase.model import FamilyDescriptor
from raybase.storage.compaction_policy import (
    COMPACTION_POLICIES,
    CompactionPolicy,
    compaction_policy,
)
from raybase.storage.manifest import StoreFileEntry

DAY_MS = 86_400_000
NOW_MS = 1000 * DAY_MS
FAMILY = FamilyDescriptor(b"f")
CONFIG = StoreConfig(
    compaction_bytes_min=10,
    compaction_ratio=1.0,
    compaction_files_max=5,
    blocking_store_files=8,
)


def files(*sizes: int, created_ms: int = NOW_MS) -> list[StoreFileEntry]:
    return [
        StoreFileEntry(b"f", f"f/{number}", size, 1, number, created_ms=created_ms)
        for number, size in enumerate(sizes, 1)
    ]


def policy(name: str = "Exploring", family: FamilyDescriptor = FAMILY, **changes: Any) -> Any:
    config = replace(CONFIG, compaction_policy=f"{name}CompactionPolicy", **changes)
    return compaction_policy(config, family)


def chosen(policy: CompactionPolicy, *sizes: int, **options: Any) -> tuple[int, ...]:
    return tuple(one.size for one in policy.select(files(*sizes), now_ms=NOW_MS, **options))


@pytest.mark.parametrize(
    ("sizes", "exploring", "ratio_based"),
    [
        ((), (), ()),
        ((5, 5), (), ()),
        ((2, 2, 2), (2, 2, 2), (2, 2, 2)),
        ((1000, 50, 23, 12, 12), (23, 12, 12), (23, 12, 12)),
        ((100, 50, 23, 12, 12), (23, 12, 12), (23, 12, 12)),
        ((50, 50, 50, 50, 50, 50), (50,) * 5, (50,) * 5),
        ((100, 100, 1000, 30, 30, 30), (30, 30, 30), (100, 100, 1000, 30, 30)),
        ((100, 40, 10, 2), (), ()),
        ((8, 3, 1), (), (8, 3, 1)),
        ((5, 3, 1), (5, 3, 1), (5, 3, 1)),
        # The ratio policy begins at the first file that fits and takes all after it; the
        # exploring one finds the fewest bytes among the like ones.
        ((20, 20, 20, 100, 9, 9, 9), (9, 9, 9), (20, 20, 20, 100, 9)),
    ],
)
def test_the_policies_take_files_of_like_size(
    sizes: tuple[int, ...], exploring: tuple[int, ...], ratio_based: tuple[int, ...]
) -> None:
    assert chosen(policy("Exploring"), *sizes) == exploring
    assert chosen(policy("RatioBased"), *sizes) == ratio_based


def test_a_store_that_may_be_stuck_takes_what_brings_its_files_down_fastest() -> None:
    shrinking = (4000, 2000, 900, 400, 180, 80, 36, 16)
    assert chosen(policy(), *shrinking) == (80, 36, 16)
    assert chosen(policy("RatioBased"), *shrinking) == (80, 36, 16)
    assert chosen(policy(), *shrinking[1:]) == ()
    assert chosen(policy("RatioBased"), *shrinking[1:]) == ()
    most_a_byte = (300, 300, 300, 300, 300, 1, 1, 1)
    assert chosen(policy(), *most_a_byte) == (1, 1, 1)
    assert chosen(policy(blocking_store_files=16), *most_a_byte) == (300, 300, 1, 1, 1)


def test_a_compaction_under_way_counts_as_one_file_more_and_blocks_what_is_older() -> None:
    entries = files(3, 3, 3, 3, 3, 3)
    one = policy()
    assert one.select(entries, entries[1:3]) == tuple(entries[3:])
    assert one.select(entries, entries[2:5]) == ()
    assert one.select(entries, entries[1:3], major=True, by_user=True) == tuple(entries[3:])
    stuck = files(4000, 2000, 900, 400, 180, 80, 36, 16)
    assert one.select(stuck, stuck[:1]) == tuple(stuck[5:]), "7 others and the one to come"
    assert one.select(stuck, stuck[:2]) == ()


def test_giants_are_left_out_until_all_files_are_asked_for() -> None:
    one = policy(compaction_bytes_max=100)
    assert chosen(one, 500, 200, 30, 30, 30) == (30, 30, 30)
    assert chosen(one, 30, 500, 30, 30) == (), "a giant in between is in no small enough run"
    assert chosen(one, 500, 30, 30, major=True, by_user=True) == (500, 30, 30)
    assert chosen(policy(compaction_bytes_max_off_peak=50), 60, 30, 30, off_peak=True) == ()
    assert chosen(policy(compaction_bytes_max_off_peak=150), 60, 30, 30, off_peak=True) == (
        60,
        30,
        30,
    )


def test_off_peak_a_larger_ratio_holds() -> None:
    assert chosen(policy(), 400, 70, 40, 20) == ()
    assert chosen(policy(), 400, 70, 40, 20, off_peak=True) == (400, 70, 40, 20)


def test_references_to_a_parents_files_are_taken_all_whatever_their_sizes() -> None:
    entries = files(1000, 10, 1)
    entries[0] = replace(entries[0], lower=b"x")
    assert policy(compaction_bytes_max=100).select(entries) == tuple(entries)
    many = files(1000, 10, 1, 1, 1, 1, 1)
    many[6] = replace(many[6], upper=b"x")
    assert policy().select(many) == tuple(many[:5]), "oldest first, no more than the limit"
    alone = [replace(files(1)[0], lower=b"x")]
    assert policy().select(alone) == tuple(alone)


def test_only_a_user_may_have_more_files_compacted_than_the_limit() -> None:
    sizes = (1000, 10, 1, 1, 1, 1, 1)
    assert chosen(policy(), *sizes, major=True, by_user=True) == sizes
    assert chosen(policy(), *sizes, major=True) == (1, 1, 1, 1, 1)
    assert chosen(policy(), *sizes[:4], major=True) == sizes[:4]


def test_a_single_file_is_compacted_again_by_hand() -> None:
    assert chosen(policy(), 7, major=True, by_user=True) == (7,)


# Major compactions by time


def test_old_files_are_all_taken_once_the_period_with_its_jitter_is_over() -> None:
    one = policy()
    week_ms = 7 * DAY_MS
    periods = {
        one.major_period_ms([replace(files(1)[0], path=f"t/f/{n:032x}")]) for n in range(200)
    }
    assert len(periods) == 200
    assert week_ms // 2 <= min(periods) < 0.6 * week_ms
    assert 1.4 * week_ms < max(periods) <= week_ms * 1.5
    due = one.major_period_ms(files(5, 500))
    entries = files(5, 500, created_ms=NOW_MS - due - 1)
    entries[1] = replace(entries[1], created_ms=NOW_MS)
    assert one.select(entries, now_ms=NOW_MS) == tuple(entries)
    assert one.select(entries, now_ms=NOW_MS - 1) == ()
    six = files(*(5,) * 6, created_ms=1)
    assert len(one.select(six, now_ms=NOW_MS)) == 5, "too many files: only a minor one"


@pytest.mark.parametrize("changes", [{"major_compaction_period_s": 0}, {}])
def test_without_a_period_or_a_known_age_nothing_is_due(changes: Any) -> None:
    one = policy(**changes)
    assert one.select(files(5, 500, created_ms=1 if changes else 0), now_ms=NOW_MS) == ()


def test_without_jitter_the_period_is_the_period() -> None:
    assert policy(major_compaction_jitter=0.0).major_period_ms(files(1)) == 7 * DAY_MS


def test_a_single_old_file_waits_until_its_cells_outlive_the_time_to_live() -> None:
    old = files(9, created_ms=1)
    assert policy().select(old, now_ms=NOW_MS) == ()
    lives = policy(family=FamilyDescriptor(b"f", ttl_s=3600))
    fresh = [replace(old[0], min_timestamp=NOW_MS - 3_600_000)]
    assert lives.select(fresh, now_ms=NOW_MS) == ()
    assert lives.select(fresh, now_ms=NOW_MS + 1) == tuple(fresh)


# What else a policy knows


def test_a_store_needs_a_look_with_enough_files_or_references_or_old_or_expired_ones() -> None:
    one = policy()
    three = files(5, 500, 50_000)
    assert one.needs_compaction(three, (), NOW_MS), "though nothing is chosen at the peak"
    assert one.select(three, now_ms=NOW_MS) == ()
    assert not one.needs_compaction(three, three[:1], NOW_MS)
    assert not one.needs_compaction(three[:2], (), NOW_MS)
    half = [replace(three[0], upper=b"x")]
    assert one.needs_compaction(half, (), NOW_MS)
    assert not one.needs_compaction(half, half, NOW_MS)
    assert one.needs_compaction(files(5, 5, created_ms=1), (), NOW_MS)
    lives = policy(family=FamilyDescriptor(b"f", ttl_s=10))
    assert lives.needs_compaction([replace(three[0], max_timestamp=1)], (), NOW_MS)


def test_expired_files_are_those_of_which_nothing_is_alive() -> None:
    lives = policy(family=FamilyDescriptor(b"f", ttl_s=10))
    ages = [replace(one, max_timestamp=one.max_sequence_id * 1000) for one in files(1, 1, 1)]
    assert lives.expired(ages, (), 12_000) == (ages[0],)
    assert lives.expired(ages, (), 12_001) == tuple(ages[:2])
    assert lives.expired(ages, ages[:1], 12_001) == (ages[1],)
    empty = [replace(one, entries=0) for one in ages]
    assert lives.expired(empty, (), 12_001) == ()
    for family, changes in (
        (FAMILY, {}),
        (FamilyDescriptor(b"f", max_versions=2, min_versions=1, ttl_s=10), {}),
        (FamilyDescriptor(b"f", ttl_s=10), {"delete_expired_files": False}),
    ):
        assert policy(family=family, **changes).expired(ages, (), 99_000) == ()


def test_a_compaction_is_large_above_twice_as_many_flushes_as_it_may_have_files() -> None:
    one = policy(flush_bytes=1000)
    assert not one.is_large(10_000)
    assert one.is_large(10_001)
    assert policy(compaction_throttle_bytes=77).is_large(78)


def test_files_below_a_flush_are_always_worth_compacting_unless_told_otherwise() -> None:
    sizes = (900, 50, 10)
    assert chosen(policy(compaction_bytes_min=-1, flush_bytes=1000), *sizes) == sizes
    assert chosen(policy(compaction_bytes_min=-1, flush_bytes=900), *sizes) == ()


def test_pressure_is_one_when_flushes_are_about_to_wait() -> None:
    one = policy()
    assert one.pressure(files(1, 1, 1)) == 0
    assert one.pressure(files(*(1,) * 8)) == 1
    assert one.pressure(files(*(1,) * 9)) > 1


def test_an_unknown_policy_is_refused_by_name() -> None:
    with pytest.raises(IllegalArgumentError, match=r"StripeCompactionPolicy.*Exploring"):
        policy("Stripe")
    assert list(COMPACTION_POLICIES) == ["ExploringCompactionPolicy", "RatioBasedCompactionPolicy"]
