"""The checkers: what they must let pass and what they must find."""

import random

import pytest

from raybase.testing.history import History, SetLedger, holes, torn_cells, without_trace
from raybase.testing.linearizability import (
    UNKNOWN,
    Operation,
    counter,
    linearizable,
    pieces,
    register,
)

pytestmark = pytest.mark.simulation


def op(
    kind: str, argument: object, called: float, returned: float | None, output: object = None
) -> Operation:
    if returned is None:
        return Operation("c", b"r", kind, argument, called)
    return Operation("c", b"r", kind, argument, called, returned, output)


def test_a_read_concurrent_with_a_write_may_see_either() -> None:
    put = op("put", b"1", 0, 10)
    for seen in (None, b"1"):
        assert linearizable([put, op("get", None, 1, 2, seen)], register, None)
    assert not linearizable([put, op("get", None, 11, 12, None)], register, None)


def test_what_one_reader_saw_no_later_reader_may_unsee() -> None:
    put = op("put", b"1", 0, 100)
    first, second = op("get", None, 1, 2, b"1"), op("get", None, 3, 4, None)
    assert not linearizable([put, first, second], register, None)


def test_an_unknown_write_may_happen_late_or_never_but_not_before_its_call() -> None:
    unknown = op("put", b"1", 5, None)
    assert linearizable([unknown, op("get", None, 50, 51, b"1")], register, None)
    assert linearizable([unknown, op("get", None, 50, 51, None)], register, None)
    assert not linearizable([unknown, op("get", None, 1, 2, b"1")], register, None)
    seen = [op("get", None, 6, 7, b"1"), op("get", None, 8, 9, None)]
    assert not linearizable([unknown, *seen], register, None)


def test_a_compare_and_set_is_one_step() -> None:
    winners = [op("cas", (None, b"%d" % n), 0, 10, True) for n in range(2)]
    assert not linearizable(winners, register, None)
    winners[1].output = False
    assert linearizable(winners, register, None)


def test_a_counter_counts_every_increment_once() -> None:
    adds = [op("increment", 1, n, n + 0.5, n + 1) for n in range(5)]
    assert linearizable(adds, counter, 0)
    lost = op("increment", 1, 2.6, None)
    assert linearizable([*adds, lost, op("get", None, 9, 10, 6)], counter, 0)
    assert not linearizable([*adds, lost, op("get", None, 9, 10, 7)], counter, 0)


def test_an_append_is_never_applied_twice() -> None:
    appends = [op("append", b"a", 0, 1, b"a"), op("append", b"b", 2, None)]
    assert linearizable([*appends, op("get", None, 3, 4, b"ab")], pieces, b"")
    assert not linearizable([*appends, op("get", None, 3, 4, b"abb")], pieces, b"")


def test_leaving_out_unseen_unknown_writes_changes_no_verdict() -> None:
    chance = random.Random(7)
    verdicts = set()
    for _ in range(400):
        operations = []
        for number in range(7):
            kind = chance.choice(["put", "get", "cas", "delete"])
            called = chance.uniform(0, 10)
            returned = None if chance.random() < 0.3 else called + chance.uniform(0, 4)
            value = b"%d" % number
            argument: object = {"put": value, "cas": (chance.choice([None, b"1"]), value)}.get(kind)
            output: object = None
            if kind == "get":
                output = chance.choice([None, b"0", b"1", b"2", b"3"])
            elif kind == "cas":
                output = chance.random() < 0.5
            operations.append(op(kind, argument, called, returned, output))
        verdict = linearizable(operations, register, None)
        assert verdict == linearizable(without_trace(operations), register, None)
        assert verdict == brute_force(operations)
        verdicts.add(verdict)
    assert verdicts == {True, False}


def brute_force(operations: list[Operation]) -> bool:
    def search(state: object, left: list[Operation]) -> bool:
        if all(one.output is UNKNOWN for one in left):
            return True
        bound = min(one.returned_s for one in left)
        for one in left:
            if one.called_s <= bound:
                fits, after = register(state, one)  # type: ignore[arg-type]
                if fits and search(after, [other for other in left if other is not one]):
                    return True
        return False

    return search(
        None, [one for one in operations if one.output is not UNKNOWN or one.kind != "get"]
    )


def test_a_history_names_the_row_that_went_back() -> None:
    now = iter(range(100))
    history = History(lambda: float(next(now)))
    for output in (1, 3, 2):
        history.end(history.begin("c", b"r", "get"), output)
    assert len(history.check_monotonic()) == 1
    assert "went back" in history.check_monotonic()[0]


def test_a_set_shows_lost_invented_changed_and_doubled_rows() -> None:
    ledger = SetLedger({b"a": b"1", b"b": b"2"}, {b"c": b"3"})
    assert ledger.check([(b"a", b"1"), (b"b", b"2")], present={b"a": b"1", b"b": b"2"}) == []
    assert ledger.check([(b"a", b"1"), (b"c", b"3")], present={b"a": b"1"}) == []
    for found in (
        [(b"a", b"1")],
        [(b"a", b"1"), (b"b", b"2"), (b"d", b"4")],
        [(b"a", b"1"), (b"b", b"9")],
        [(b"a", b"1"), (b"a", b"1"), (b"b", b"2")],
        [(b"b", b"2"), (b"a", b"1")],
    ):
        assert len(ledger.check(found, present=ledger.acknowledged)) == 1


def test_a_torn_row_is_seen() -> None:
    assert torn_cells(b"r", {1: b"x", 2: b"x"}, 2) == []
    assert torn_cells(b"r", {}, 2) == []
    assert torn_cells(b"r", {1: b"x"}, 2)
    assert torn_cells(b"r", {1: b"x", 2: b"y"}, 2)


def test_a_scan_backwards_must_go_down() -> None:
    ledger = SetLedger({b"a": b"1", b"b": b"2"})
    down = [(b"b", b"2"), (b"a", b"1")]
    assert ledger.check(down, present={}, backwards=True) == []
    assert "out of order" in ledger.check(down[::-1], present={}, backwards=True)[0]
    assert "out of order" in ledger.check(down, present={})[0]


def test_a_list_with_a_lost_node_has_a_hole() -> None:
    whole = [(b"1", b""), (b"2", b"1"), (b"3", b"2"), (b"4", b"2")]
    assert holes(whole) == []
    assert holes([one for one in whole if one[0] != b"4"]) == []
    assert len(holes([one for one in whole if one[0] != b"2"])) == 2
