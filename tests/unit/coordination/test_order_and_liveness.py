"""Requests by xid, sessions by deadline, watches by request: the small machines."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.coordination.request_order import WAITING_MAX, RequestOrder
from raybase.coordination.requests import EventType, WatchEvent, WatchKind
from raybase.coordination.session_tracker import SessionTracker
from raybase.coordination.watch_manager import WatchManager

# Order.


def test_later_requests_wait_for_the_next_one() -> None:
    order = RequestOrder[str](1)
    assert order.offer(3, 1, "third") == []
    assert order.offer(2, 1, "second") == []
    assert order.offer(1, 1, "first") == ["first", "second", "third"]
    assert order.next_xid == 4


def test_a_repeat_comes_through_at_once() -> None:
    order = RequestOrder[str](1)
    order.offer(1, 1, "one")
    assert order.offer(1, 1, "one again") == ["one again"]
    assert order.next_xid == 2


def test_a_repeat_of_a_waiting_request_comes_with_it() -> None:
    order = RequestOrder[str](1)
    order.offer(2, 1, "two")
    order.offer(2, 1, "two again")
    assert order.offer(1, 1, "one") == ["one", "two", "two again"]
    assert order.next_xid == 3


def test_a_restarted_coordinator_begins_at_the_lowest_unanswered_request() -> None:
    order = RequestOrder[str](3)
    assert order.offer(9, 8, "nine") == []
    assert order.offer(8, 8, "eight") == ["eight", "nine"]


def test_waiting_requests_are_bounded() -> None:
    order = RequestOrder[int](1)
    for xid in range(2, WAITING_MAX + 2):
        assert order.offer(xid, 1, xid) == []
    assert order.offer(WAITING_MAX + 2, 1, 0) is None
    ready = order.offer(1, 1, 1)
    assert ready == list(range(1, WAITING_MAX + 2))


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(1, 9)), st.lists(st.integers(1, 8)))
def test_every_request_comes_through_once_in_order_and_then_only_as_a_repeat(
    arrivals: list[int], repeats: list[int]
) -> None:
    order = RequestOrder[int](1)
    done: list[int] = []
    for xid in arrivals:
        done += order.offer(xid, 1, xid) or []
    assert done == list(range(1, 9))
    for xid in repeats:
        assert order.offer(xid, 1, xid) == [xid]


# Liveness.


def test_a_silent_session_expires_at_its_timeout_and_not_before() -> None:
    tracker = SessionTracker(0.0, 1.0)
    tracker.add(1, 3.0, 0.0)
    tracker.add(2, 3.0, 0.0)
    for answered, now_s in enumerate((1.0, 2.0)):
        assert tracker.expire(now_s) == []
        assert tracker.touch(2, answered, now_s)
    assert tracker.expire(3.0) == [1]


def test_only_one_more_answer_that_arrived_keeps_a_session_alive() -> None:
    tracker = SessionTracker(0.0, 1.0)
    tracker.add(1, 3.0, 0.0)
    assert tracker.touch(1, 5, 1.0)
    for answered in (5, 4, 5):
        assert not tracker.touch(1, answered, 2.0)
    tracker.expire(1.0)
    tracker.expire(2.0)
    tracker.expire(3.0)
    assert tracker.expire(4.0) == [1]


def test_a_coordinator_that_stood_still_does_not_blame_its_sessions() -> None:
    tracker = SessionTracker(0.0, 1.0)
    tracker.add(1, 3.0, 0.0)
    assert tracker.expire(1.0) == []
    assert tracker.expire(20.0) == []
    assert tracker.expire(20.5) == []
    assert tracker.expire(21.0) == [1]


# The holder's watches.

KEY = (WatchKind.DATA, "/a")


def event(number: int, xid: int) -> WatchEvent:
    return WatchEvent(number, EventType.CHANGED, "/a", WatchKind.DATA, xid, 0)


def test_an_event_means_the_watches_set_up_to_its_request() -> None:
    manager = WatchManager()
    early, late = [].append, {}.update
    manager.expect(KEY, 1, early)
    manager.confirm(KEY, 1, early)
    manager.expect(KEY, 3, late)
    assert manager.take(event(1, 2)) == [early]
    assert manager.take(event(2, 3)) == [late]
    assert len(manager) == 0


def test_a_watcher_that_asked_twice_is_called_once_by_one_event() -> None:
    manager = WatchManager()
    watcher = [].append
    manager.expect(KEY, 1, watcher)
    manager.expect(KEY, 2, watcher)
    assert manager.take(event(1, 2)) == [watcher]
    assert len(manager) == 0


def test_a_watch_under_way_survives_the_event_before_it() -> None:
    manager = WatchManager()
    watcher = [].append
    manager.expect(KEY, 1, watcher)
    manager.expect(KEY, 2, watcher)
    assert manager.take(event(1, 1)) == [watcher]
    manager.confirm(KEY, 2, watcher)
    assert manager.take(event(2, 2)) == [watcher]


def test_a_watcher_whose_request_may_have_failed_hears_with_the_answer_or_not_at_all() -> None:
    manager = WatchManager()
    failed, good, later = [].append, {}.update, set().add
    manager.expect(KEY, 1, failed)
    manager.expect(KEY, 2, good)
    manager.expect(KEY, 3, later)
    assert manager.take(event(1, 3)) == [later]
    manager.withdraw(KEY, 1)
    assert manager.confirm(KEY, 2, good) == event(1, 3)
    assert manager.take(event(2, 3)) == []
    assert len(manager) == 0


def test_a_watcher_that_asks_again_still_hears_of_its_earlier_watch() -> None:
    manager = WatchManager()
    watcher, other = [].append, {}.update
    manager.expect(KEY, 1, watcher)
    manager.expect(KEY, 2, other)
    manager.expect(KEY, 3, watcher)
    assert manager.take(event(1, 2)) == [other]
    assert manager.confirm(KEY, 3, watcher) is None
    assert manager.confirm(KEY, 1, watcher) == event(1, 2)
    assert manager.take(event(2, 3)) == [watcher]
    assert len(manager) == 0


def test_asking_again_and_again_keeps_one_watcher() -> None:
    manager = WatchManager()
    watcher = [].append
    for xid in range(1, 50):
        manager.expect(KEY, xid, watcher)
        manager.confirm(KEY, xid, watcher)
    assert len(manager) == 1


def test_a_failed_request_leaves_no_watcher() -> None:
    manager = WatchManager()
    manager.expect(KEY, 1, [].append)
    manager.withdraw(KEY, 1)
    assert len(manager) == 0
