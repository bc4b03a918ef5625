"""Numbers, read points, clocks and nonces."""

from __future__ import annotations

import random

from raybase.storage.manifest import NonceRecord
from raybase.storage.mvcc import Mvcc, RegionClock
from raybase.storage.nonces import Nonces


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


def test_a_nonce_is_found_until_its_time_is_over() -> None:
    nonces = Nonces(100_000, [NonceRecord(1, 2, 30, 500_000)])
    nonces.add(NonceRecord(1, 3, 31, 550_000), {})
    nonces.add(NonceRecord(1, 0, 32, 550_000), {})
    found = nonces.find(1, 2)
    assert found is not None
    assert found.sequence_id == 30
    assert nonces.find(2, 2) is None
    assert nonces.find(1, 0) is None
    nonces.forget(600_000)
    assert len(nonces) == 2
    nonces.add(NonceRecord(1, 4, 33, 600_001), {})
    assert [one.nonce for one in nonces] == [3, 4]


def test_a_wall_clock_that_jumps_makes_no_nonce_old() -> None:
    nonces = Nonces(1_200_000)
    nonces.add(NonceRecord(1, 2, 30, 1_000), {})
    nonces.add(NonceRecord(1, 3, 31, 9_000_000), {})
    assert nonces.find(1, 2) is not None
    reread = Nonces(1_200_000, list(nonces))
    assert reread.find(1, 2) is not None
    for number in range(30):
        nonces.add(NonceRecord(1, 4 + number, 32 + number, 9_060_000 + 60_000 * number), {})
    assert nonces.find(1, 2) is None
    assert len(nonces) <= 21


def test_results_are_remembered_for_a_minute() -> None:
    nonces = Nonces(1_200_000)
    record = NonceRecord(1, 2, 30, 500_000)
    made = {(b"f", b"q"): (5, b"v")}
    nonces.add(record, made)
    nonces.add(NonceRecord(1, 3, 31, 560_000), {})
    assert nonces.made_by(record) == made
    nonces.add(NonceRecord(1, 4, 32, 560_001), {})
    assert nonces.made_by(record) == {}
    assert nonces.find(1, 2) == record
