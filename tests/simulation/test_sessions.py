"""Sessions from seeds: what they saw is what ZooKeeper promises; and a check that can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from raybase.coordination.records import CloseSession, OpenSession, Record, Request
from raybase.coordination.requests import (
    Create,
    Exists,
    GetData,
    SetData,
)
from raybase.testing.coordination.check import problems
from raybase.testing.coordination.model import BASE_ZNODES, Model
from raybase.testing.coordination.notebook import Asked, Expired, Heard, Line, Locked, Told
from raybase.testing.coordination.story import tell

FAILED_ONCE = (1, 80, 82)
"""A watcher was called though its request failed, as its event came before its answer."""


@pytest.mark.parametrize("seed", [*FAILED_ONCE, *range(100, 105)])
def test_sessions_see_what_zookeeper_promises(seed: int) -> None:
    outcome = tell(seed)
    assert outcome.problems == []
    assert outcome.counts["requests"] > 500


def test_the_same_seed_tells_the_same_story() -> None:
    assert tell(7).digest == tell(7).digest


class Tale:
    """A history by hand: two sessions, one that writes and one that watches and reads."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.lines: list[Line] = []
        self.model = Model()
        self.writer, self.watcher = self.open(), self.open()
        self.xid = 0

    def log(self, record: Callable[[int], Record]) -> object:
        self.records.append(record(self.model.zxid + 1))
        return self.model.apply(self.records[-1])

    def open(self) -> int:
        self.log(lambda zxid: OpenSession(zxid, 0, zxid, "h", 1000))
        return self.model.zxid

    def ask(self, session_id: int, operation: object) -> None:
        self.xid += 1
        newest = max((line.zxid for line in self.lines if isinstance(line, Told)), default=0)
        self.lines.append(Asked(session_id, self.xid, operation, newest))  # type: ignore[arg-type]
        if operation == GetData("/a"):
            outcome = self.model.read(operation)
        else:
            outcome = self.log(
                lambda zxid: Request(zxid, 0, session_id, self.xid, 1, 0, operation)  # type: ignore[arg-type]
            )
        self.hear()
        self.lines.append(Told(session_id, self.xid, self.model.zxid, outcome))

    def hear(self) -> None:
        heard = sum(isinstance(line, Heard) for line in self.lines)
        for event in self.model.sessions[self.watcher].due[heard:]:
            self.lines.append(Heard(self.watcher, event.xid, event))

    def whole(self) -> Tale:
        self.ask(self.writer, Create("/a", b"1"))
        self.ask(self.watcher, GetData("/a", watch=True))
        self.ask(self.writer, SetData("/a", b"2"))
        self.ask(self.watcher, GetData("/a"))
        self.ask(self.watcher, Exists("/b", watch=True))
        self.log(lambda zxid: CloseSession(zxid, 0, self.writer, expired=True))
        self.lines.append(Expired(self.writer))
        return self

    @property
    def problems(self) -> list[str]:
        return problems(self.records, self.lines, [self.watcher])


def test_a_good_tale_has_no_problem() -> None:
    assert len(BASE_ZNODES) == 5
    assert Tale().whole().problems == []


def _lose_event(tale: Tale) -> None:
    tale.lines = [line for line in tale.lines if not isinstance(line, Heard)]


def _hear_late(tale: Tale) -> None:
    place = next(n for n, line in enumerate(tale.lines) if isinstance(line, Heard))
    tale.lines.append(tale.lines.pop(place))


def _hear_twice(tale: Tale) -> None:
    tale.lines += [line for line in tale.lines if isinstance(line, Heard)]


def _answer_wrongly(tale: Tale) -> None:
    place = max(n for n, line in enumerate(tale.lines) if isinstance(line, Told))
    line = tale.lines[place]
    assert isinstance(line, Told)
    tale.lines[place] = replace(line, outcome="/other")


def _show_the_past(tale: Tale) -> None:
    for place, line in enumerate(tale.lines):
        if isinstance(line, Told) and line.xid == 4:
            tale.lines[place] = replace(line, zxid=line.zxid - 1, outcome=None)


def _lose_a_transaction(tale: Tale) -> None:
    del tale.records[4:]


def _end_twice(tale: Tale) -> None:
    last = tale.records[-1]
    tale.records.append(replace(last, zxid=last.zxid + 1))


def _expire_twice(tale: Tale) -> None:
    tale.lines.append(Expired(tale.writer))


def _expire_a_living_one(tale: Tale) -> None:
    tale.lines.append(Expired(tale.watcher))


@pytest.mark.parametrize(
    "spoil",
    [
        _lose_event,
        _hear_late,
        _hear_twice,
        _answer_wrongly,
        _show_the_past,
        _lose_a_transaction,
        _end_twice,
        _expire_twice,
        _expire_a_living_one,
    ],
)
def test_a_tale_that_is_not_right_is_noticed(spoil: Callable[[Tale], None]) -> None:
    tale = Tale().whole()
    spoil(tale)
    assert tale.problems


@pytest.mark.parametrize("shared", [True, False])
def test_two_locks_at_a_time_are_noticed_unless_both_are_shared(shared: bool) -> None:
    tale = Tale()
    for session_id, path in ((tale.writer, "/read-1"), (tale.watcher, "/lock-2")):
        tale.ask(session_id, Create(path, ephemeral=True))
        token = tale.model.zxid
        tale.ask(session_id, Exists(path, watch=True))
        tale.lines.append(Locked(session_id, token, shared))
    assert bool(tale.problems) is not shared
