"""Batches go out grouped by server, and only what failed goes out again."""

from __future__ import annotations

from typing import Any

import pytest

from raybase.client.batch import ROUND_ACTIONS
from raybase.client.write_buffer import WriteBuffer
from raybase.errors import (
    BatchError,
    CallTimedOutError,
    ConnectionLostError,
    NoSuchFamilyError,
    RegionTooBusyError,
    RetriesExhaustedError,
    TableNotFoundError,
)
from raybase.operations import Append, Delete, Get, Increment, Put


@pytest.fixture
def web(cluster: Any, driver: Any) -> Any:
    cluster.add_table("web", b"g", b"m", b"t")
    return driver.table("web")


def puts(*rows: bytes) -> list[Put]:
    return [Put(row).add(b"f", b"q", b"v-" + row) for row in rows]


def multis(cluster: Any) -> list[str]:
    return [server for server, method in cluster.calls if method == "Multi"]


def test_actions_go_in_one_call_to_each_server(cluster: Any, driver: Any, web: Any) -> None:
    outcomes = driver.run(web.many(puts(b"z", b"a", b"h", b"n", b"b")))
    assert sorted(multis(cluster)) == ["one", "two"]
    assert all(not outcome for outcome in outcomes)
    assert sorted(cluster.rows[web.name]) == [b"a", b"b", b"h", b"n", b"z"]


def test_results_come_in_the_order_of_the_actions(driver: Any, web: Any) -> None:
    driver.run(web.many(puts(b"a", b"h", b"z")))
    actions = [
        Get(b"z"),
        Increment(b"n").add(b"f", b"n", 3),
        Get(b"nothing"),
        Get(b"a"),
        Append(b"a").add(b"f", b"q", b"!"),
        Delete(b"h"),
    ]
    z, counter, nothing, a, appended, deleted = driver.run(web.many(actions))
    assert z[b"f:q"] == b"v-z"
    assert z.row == b"z"
    assert counter.number("f:n") == 3
    assert not nothing
    assert nothing.row == b"nothing"
    assert a[b"f:q"] == b"v-a"
    assert appended[b"f:q"] == b"v-a!"
    assert not deleted


def test_only_the_actions_of_a_moved_region_are_sent_again(
    cluster: Any, driver: Any, web: Any
) -> None:
    driver.run(web.many(puts(b"a", b"h", b"n", b"z")))
    cluster.move(cluster.place(web.name, b"n"), cluster.servers[1])
    cluster.calls.clear()
    cluster.requests.clear()
    driver.run(web.many_or_raise(puts(b"a", b"h", b"n", b"z", b"nn")))
    assert multis(cluster) == ["one", "two", "two"]
    again = cluster.requests[-1].regionAction
    assert [one.action[0].mutation.row_count for one in again] == [2]


def test_only_the_action_that_failed_is_sent_again(cluster: Any, driver: Any, web: Any) -> None:
    cluster.faults["busy"] = [RegionTooBusyError("full"), RegionTooBusyError("full")]
    outcomes = driver.run(web.many(puts(b"a", b"busy", b"c")))
    assert not any(isinstance(one, Exception) for one in outcomes)
    assert len(multis(cluster)) == 3
    assert cluster.requests[-1].regionAction[0].action[0].mutation.row_count == 1


def test_a_server_that_dies_loses_nothing(cluster: Any, driver: Any, web: Any) -> None:
    driver.run(web.many(puts(b"a", b"h", b"n", b"z")))
    cluster.kill(cluster.servers[1])
    driver.run(web.many_or_raise(puts(b"b", b"i", b"o", b"zz")))
    assert len(cluster.rows[web.name]) == 8


def test_increments_of_a_batch_whose_answer_was_lost_count_once(
    cluster: Any, driver: Any, web: Any
) -> None:
    cluster.late_faults["Multi"] = [ConnectionLostError("gone"), CallTimedOutError("late")]
    counts = [Increment(row).add(b"f", b"n", 1) for row in (b"a", b"h")]
    driver.run(web.many_or_raise(counts))
    found = driver.run(web.many([Get(b"a"), Get(b"h")]))
    assert [one.number("f:n") for one in found] == [1, 1]


def test_an_action_that_is_wrong_fails_alone(cluster: Any, driver: Any, web: Any) -> None:
    wrong = Put(b"b").add(b"nope", b"", b"")
    outcomes = driver.run(web.many([*puts(b"a"), wrong, *puts(b"c")]))
    assert [isinstance(one, NoSuchFamilyError) for one in outcomes] == [False, True, False]
    assert len(multis(cluster)) == 1
    with pytest.raises(BatchError, match="1 of 2 actions failed; number 1: NoSuchFamily") as caught:
        driver.run(web.many_or_raise([*puts(b"a"), wrong]))
    assert list(caught.value.failures) == [1]


def test_what_keeps_failing_ends_with_its_errors_told(cluster: Any, driver: Any, web: Any) -> None:
    cluster.faults["busy"] = [RegionTooBusyError("full") for _ in range(99)]
    outcomes = driver.run(web.many(puts(b"a", b"busy")))
    assert not isinstance(outcomes[0], Exception)
    assert isinstance(outcomes[1], RetriesExhaustedError)
    assert "2 actions on table web after 16 tries" in str(outcomes[1])
    assert "RegionTooBusyError: " in str(outcomes[1])


def test_a_batch_for_a_table_that_is_not_there_says_so(driver: Any) -> None:
    outcomes = driver.run(driver.table("nope").many(puts(b"a", b"b")))
    assert [type(one) for one in outcomes] == [TableNotFoundError] * 2
    assert driver.pauses == []


def test_a_region_without_a_server_holds_up_only_its_own_rows(
    cluster: Any, driver: Any, web: Any
) -> None:
    place = cluster.place(web.name, b"z")
    cluster.places.remove(place)
    heal = [place]

    def before(call: Any) -> None:
        if driver.pauses and heal:
            assert b"a" in cluster.rows[web.name]
            cluster.places.append(heal.pop())

    driver.before_call = before
    driver.run(web.many_or_raise(puts(b"z", b"a", b"zz")))
    assert sorted(cluster.rows[web.name]) == [b"a", b"z", b"zz"]


def test_no_actions_are_no_calls(cluster: Any, driver: Any, web: Any) -> None:
    assert driver.run(web.many([])) == []
    assert cluster.calls == []


def test_a_large_batch_goes_in_rounds(cluster: Any, driver: Any, web: Any) -> None:
    rows = [b"a%06d" % number for number in range(ROUND_ACTIONS + 1)]
    driver.run(web.many_or_raise(puts(*rows)))
    assert len(multis(cluster)) == 2
    assert len(cluster.rows[web.name]) == ROUND_ACTIONS + 1


def test_a_write_buffer_says_when_it_is_full() -> None:
    buffer = WriteBuffer(1000)
    assert not buffer.collect(puts(b"a")[0])
    assert buffer.collect(Put(b"b").add(b"f", b"q", bytes(1000)))
    assert len(buffer) == 2
    assert [one.row for one in buffer.take()] == [b"a", b"b"]
    assert len(buffer) == 0
    assert not buffer.collect(puts(b"c")[0])
