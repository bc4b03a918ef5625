"""Whether what sessions saw is what ZooKeeper promises, given the transactions there were.

Every answer must be that of the model after the transaction it names; a session's requests take
effect in their order, and never before what anybody had been told earlier; each watch fires
once, for the first change after it was set, before any answer that shows the change; a session
ends once, and with it its locks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ...coordination.records import Record, Request
from ...coordination.requests import Create, Exists, Operation, WatchEvent, changes_nothing
from ...coordination.watch_manager import sets_watch, watch_key
from ...coordination.znode import Stat
from ...errors import CoordinationError
from .model import Model
from .notebook import Asked, Expired, Heard, Line, Locked, Told


def problems(records: Sequence[Record], lines: Sequence[Line], living: Sequence[int]) -> list[str]:
    """What does not fit; empty if all is well. ``living`` sessions must have heard everything."""
    try:
        history = _History(records, lines)
    except ValueError as error:
        return [str(error)]
    return [
        *history.wrong_answers(),
        *history.wrong_order(),
        *history.wrong_events(),
        *history.wrong_watches(living),
        *history.wrong_ends(),
        *history.wrong_locks(),
    ]


class _History:
    """The model's course, beside what was noted."""

    def __init__(self, records: Sequence[Record], lines: Sequence[Line]) -> None:
        self.lines = lines
        self.asked = {
            (line.session_id, line.xid): line for line in lines if isinstance(line, Asked)
        }
        self.told = [line for line in lines if isinstance(line, Told)]
        self.model = Model()
        self.expected: dict[tuple[int, int], tuple[int, Any]] = {}
        """By session and xid: transaction and outcome of what is in the log."""
        self.reads: dict[tuple[int, int], Any] = {}
        self.made: dict[int, str] = {}
        """By transaction: the znode that a Create made."""
        waiting: dict[int, list[Told]] = defaultdict(list)
        for line in self.told:
            if changes_nothing(self.operation(line)):
                waiting[line.zxid].append(line)
        for record in records:
            outcome = self.model.apply(record)
            if isinstance(record, Request):
                self.expected[record.session_id, record.xid] = (record.zxid, outcome)
                if isinstance(record.operation, Create) and isinstance(outcome, str):
                    self.made[record.zxid] = outcome
            for line in waiting.pop(record.zxid, ()):
                self.reads[line.session_id, line.xid] = self.model.read(self.operation(line))
        if waiting:
            zxid, (line, *_) = min(waiting.items())
            raise ValueError(f"{line} shows transaction {zxid}, which is not in the log")
        self.first_events = self._first_events()

    def operation(self, line: Told | Heard) -> Operation:
        return self.asked[line.session_id, line.xid].operation

    def wrong_answers(self) -> Iterator[str]:
        for line in self.told:
            key = (line.session_id, line.xid)
            if changes_nothing(self.operation(line)):
                expected = (line.zxid, self.reads[key])
            elif key in self.expected:
                expected = self.expected[key]
            else:
                yield f"{line} is of a request that is not in the log"
                continue
            if (line.zxid, _plain(line.outcome)) != (expected[0], _plain(expected[1])):
                yield f"{line} should be {expected}, for {self.operation(line)}"

    def wrong_order(self) -> Iterator[str]:
        """Requests of a session are applied by xid, and nobody is shown the past."""
        by_session: dict[int, list[Told]] = defaultdict(list)
        for line in self.told:
            by_session[line.session_id].append(line)
            newest = self.asked[line.session_id, line.xid].newest
            if line.zxid < newest:
                yield f"{line} is older than {newest}, which somebody knew when it was asked"
        for lines in by_session.values():
            applied = 0
            for line in sorted(lines, key=lambda line: line.xid):
                if line.zxid < applied:
                    yield f"{line} was applied before an earlier request, at {applied}"
                if not changes_nothing(self.operation(line)):
                    applied = max(applied, line.zxid)

    def wrong_events(self) -> Iterator[str]:
        """A watcher that was told of its watch hears before any answer that shows the change,
        and in the order of the changes."""
        numbers: dict[int, int] = defaultdict(int)
        waiting: dict[int, dict[int, WatchEvent]] = defaultdict(dict)
        told, heard = set(), set()
        for line in self.lines:
            if not isinstance(line, Told | Heard):
                continue
            session_id, key = line.session_id, (line.session_id, line.xid)
            if isinstance(line, Heard):
                heard.add(key)
                waiting[session_id].pop(line.xid, None)
                if key in told and line.event.number < numbers[session_id]:
                    yield f"{line} comes after event {numbers[session_id]}"
                numbers[session_id] = max(numbers[session_id], line.event.number)
                continue
            told.add(key)
            for xid, event in waiting[session_id].items():
                if event.zxid <= line.zxid:
                    yield f"{line} was told before {event}, for which request {xid} waits"
            if key in self.first_events and key not in heard:
                waiting[session_id][line.xid] = self.first_events[key]

    def wrong_watches(self, living: Sequence[int]) -> Iterator[str]:
        """Each watcher is called once, by the first event that means it."""
        heard: dict[tuple[int, int], list[WatchEvent]] = defaultdict(list)
        for line in self.lines:
            if isinstance(line, Heard):
                heard[line.session_id, line.xid].append(line.event)
        for key, one in self.asked.items():
            if not sets_watch(one.operation):
                continue
            events = heard[key]
            wanted = [self.first_events[key]] if key in self.first_events else []
            # Events that a session did not live to hear are nobody's loss.
            if events != wanted and (events or one.session_id in living):
                yield f"{one}: its watcher heard {events}, not {wanted}"

    def _first_events(self) -> dict[tuple[int, int], WatchEvent]:
        """By session and xid of what set a watch: the event that its watcher must hear."""
        found = {}
        for (session_id, xid), (_, outcome) in self.expected.items():
            asked = self.asked.get((session_id, xid))
            if asked is None or isinstance(outcome, CoordinationError):
                continue
            if sets_watch(asked.operation):
                key = watch_key(asked.operation)
                for event in self.model.sessions[session_id].due:
                    if (event.kind, event.path) == key and event.xid >= xid:
                        found[session_id, xid] = event
                        break
        return found

    def wrong_ends(self) -> Iterator[str]:
        heard: dict[int, int] = defaultdict(int)
        for line in self.lines:
            if isinstance(line, Expired):
                heard[line.session_id] += 1
        for session_id, times in heard.items():
            if times > 1:
                yield f"session {session_id} heard {times} times that it has expired"
            session = self.model.sessions.get(session_id)
            if session is None or not session.ended:
                yield f"session {session_id} heard that it has expired, and it has not"

    def wrong_locks(self) -> Iterator[str]:
        """Of two that hold a lock at a time, neither is exclusive."""
        shown: dict[tuple[int, int], int] = {}
        holds: list[tuple[int, float, bool, Locked]] = []
        for line in self.lines:
            if isinstance(line, Told) and isinstance(line.outcome, Stat):
                if isinstance(self.operation(line), Exists):
                    shown[line.session_id, line.outcome.czxid] = line.zxid
            elif isinstance(line, Locked):
                end = self.model.ends.get(self.made[line.token], float("inf"))
                holds.append((shown[line.session_id, line.token], end, line.shared, line))
        holds.sort(key=lambda hold: hold[:2])
        for number, (_, end, shared, line) in enumerate(holds):
            for begin, _, also_shared, other in holds[number + 1 :]:
                if begin >= end:
                    break
                if not (shared and also_shared):
                    yield f"{other} begins at {begin}, while {line} lasts to {end}"


def _plain(outcome: Any) -> Any:
    """Comparable: an error by its kind and place."""
    if isinstance(outcome, CoordinationError):
        return (type(outcome), outcome.place)
    return outcome
