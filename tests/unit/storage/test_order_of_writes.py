"""Numbers, read points, clocks."""

from __future__ import annotations

import random

from raybase.storage.mvcc import Mvcc, RegionClock


def test_a_write_is_seen_when_all_before_it_are_complete() -> None:
    mvcc = Mvcc(10)
    numbers = [mvcc.begin() for _ in range(50)]
    assert numbers == list(range(11, 61))
    order = numbers[:]
    random.Random(3).shuffle(order)
    done: set[int] = set()
    for number in order:
        mvcc.complete(number)
        done.add(number)
        expected = 10
        while expected + 1 in done:
            expected += 1
        assert mvcc.read_point == expected
    assert mvcc.read_point == mvcc.last == 60


def test_server_time_never_goes_back() -> None:
    clock = RegionClock(100)
    given = []
    for now_ms in (50, 200, 150, 300):
        timestamp = clock.read(now_ms)
        clock.assigned(timestamp, to_delete=False)
        given.append(timestamp)
    assert given == [101, 200, 200, 300]


def test_after_a_delete_the_server_time_is_a_later_one() -> None:
    clock = RegionClock(0)
    clock.assigned(clock.read(10), to_delete=True)
    assert clock.read(10) == 11
    clock.assigned(11, to_delete=False)
    assert clock.read(10) == 11


def test_time_after_a_crash_is_later_than_any_given_before() -> None:
    clock = RegionClock(0)
    clock.advance_to(500)
    clock.advance_to(400)
    assert clock.read(10) == 501
