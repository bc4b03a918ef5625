"""The coordinator without its I/O: calls in, records and answers out, a turn at a time.

A turn takes all calls that have come, applies them, and gives back the records to be logged in
one batch and the answers to be released once that batch is durable. Nothing that a turn decides
is shown to anybody before its records are in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import (
    BadArgumentsError,
    CallQueueTooBigError,
    CoordinationError,
    SessionExpiredError,
)
from .codec import encode
from .records import Answer, CloseSession, OpenSession, Record, Request
from .report import describe_state, registry_of
from .request_order import RequestOrder
from .requests import Operation, Response, changes_nothing
from .session_tracker import SessionTracker
from .state import CoordinatorState

Ticket = Any
"""Whatever the caller recognises the answer by."""
TICKS_A_HEARTBEAT: Final = 4
TIMEOUT_S_MAX: Final = 3600.0
RECORD_BYTES_MAX: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OpenCall:
    """Answered with the session's id; the same nonce opens the same session."""

    ticket: Ticket
    holder: str
    nonce: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class CloseCall:
    """Ends the session; ``expired``: as if its time were up."""

    ticket: Ticket
    session_id: int
    expired: bool = False


@dataclass(frozen=True, slots=True)
class RequestCall:
    """Answered with a Response. ``answered`` is how many calls the holder has had an answer to."""

    ticket: Ticket
    session_id: int
    lowest_xid: int
    seen: int
    answered: int
    xid: int
    operation: Operation


@dataclass(frozen=True, slots=True)
class HeartbeatCall:
    """Answered with the events after ``seen``; without any, only after a heartbeat's time.

    ``answered`` as in a RequestCall. If it has not grown, an answer was lost: then this one is
    answered at once, so that the next can show that the session is heard again.
    """

    ticket: Ticket
    session_id: int
    seen: int
    answered: int


@dataclass(frozen=True, slots=True)
class DeathReport:
    """The open call to the session's holder failed as calls to a dead process do.

    It ends the session at once, whatever heartbeats say. Ray does not take such a report back:
    a holder that lives all the same gets no orders any more, so nobody could close its regions
    or move them. What it may still do until it hears of its end, fences decide.
    """

    session_id: int


@dataclass(frozen=True, slots=True)
class RegistryCall:
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class DumpCall:
    ticket: Ticket


Call = OpenCall | CloseCall | RequestCall | HeartbeatCall | DeathReport | RegistryCall | DumpCall


@dataclass(slots=True)
class Turn:
    """What a turn came to. An answer that is an exception is to be raised."""

    records: list[bytes] = field(default_factory=list)
    answers: list[tuple[Ticket, Any]] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Held:
    """A heartbeat that waits for events, or for its time to be up."""

    call: HeartbeatCall
    until_s: float


class Processor:
    """Turns calls into transactions on ``state``, which it alone changes."""

    def __init__(self, state: CoordinatorState, now_s: float, *, heartbeat_s: float) -> None:
        self.state = state
        self.tick_s = heartbeat_s / TICKS_A_HEARTBEAT
        self._heartbeat_s = heartbeat_s
        self._now_s = now_s
        self._now_ms = 0
        self._tracker = SessionTracker(now_s, self.tick_s)
        self._orders: dict[int, RequestOrder[RequestCall]] = {}
        self._heartbeats: dict[int, _Held] = {}
        self._turn = Turn()
        self._answered: list[tuple[RequestCall, Answer]] = []
        for session in state.sessions.values():
            self._track(session.session_id, session.timeout_ms / 1000, session.last_xid)

    def step(self, calls: Sequence[Call], now_s: float, now_ms: int) -> Turn:
        """Carries out the calls in their order, then what time has brought.

        To be called at least every ``tick_s``, and only when the records of the turn before
        are durable.
        """
        self._turn = turn = Turn()
        self._answered = []
        self._now_s, self._now_ms = now_s, now_ms
        for call in calls:
            self._take(call)
        for session_id in self._tracker.expire(now_s):
            self._end(session_id, expired=True)
        for request, answer in self._answered:
            # Only now, so that the answer brings the events of the whole turn.
            turn.answers.append((request.ticket, self._response(request, answer)))
        self._release_heartbeats()
        return turn

    def _take(self, call: Call) -> None:
        if isinstance(call, OpenCall):
            self._open(call)
        elif isinstance(call, RegistryCall):
            self._answer(call.ticket, registry_of(self.state.tree))
        elif isinstance(call, DumpCall):
            self._answer(call.ticket, self._dump())
        elif call.session_id not in self.state.sessions:
            if not isinstance(call, DeathReport):
                self._answer(call.ticket, SessionExpiredError(call.session_id))
        elif isinstance(call, DeathReport):
            self._end(call.session_id, expired=True)
        elif isinstance(call, CloseCall):
            self._end(call.session_id, expired=call.expired)
            self._answer(call.ticket, None)
        else:
            is_heard = self._tracker.touch(call.session_id, call.answered, self._now_s)
            if isinstance(call, HeartbeatCall):
                self._hold(call, self._now_s + self._heartbeat_s if is_heard else self._now_s)
            else:
                self._order(call)

    def _open(self, call: OpenCall) -> None:
        session_id = self.state.session_of_nonce(call.nonce)
        if session_id is None:
            session_id = self.state.zxid + 1
            try:
                self._begin(session_id, call)
            except BadArgumentsError as error:
                self._answer(call.ticket, error)
                return
        self._answer(call.ticket, session_id)

    def _begin(self, session_id: int, call: OpenCall) -> None:
        if not 0 < call.timeout_s <= TIMEOUT_S_MAX:
            raise BadArgumentsError(f"a timeout of {call.timeout_s} s: 0 to {TIMEOUT_S_MAX} s")
        timeout_ms = round(call.timeout_s * 1000)
        self._apply(OpenSession(session_id, self._now_ms, call.nonce, call.holder, timeout_ms))
        self._track(session_id, call.timeout_s, 0)
        self._turn.opened.append(session_id)

    def _track(self, session_id: int, timeout_s: float, last_xid: int) -> None:
        self._tracker.add(session_id, timeout_s, self._now_s)
        self._orders[session_id] = RequestOrder(last_xid + 1)

    def _end(self, session_id: int, *, expired: bool) -> None:
        self._apply(CloseSession(self.state.zxid + 1, self._now_ms, session_id, expired))
        self._tracker.remove(session_id)
        over = SessionExpiredError(session_id)
        for call in self._orders.pop(session_id).drain():
            self._answer(call.ticket, over)
        held = self._heartbeats.pop(session_id, None)
        if held is not None:
            self._answer(held.call.ticket, over)
        self._turn.ended.append(session_id)

    def _order(self, call: RequestCall) -> None:
        ready = self._orders[call.session_id].offer(call.xid, call.lowest_xid, call)
        if ready is None:
            self._answer(call.ticket, CallQueueTooBigError("too many requests wait in line"))
            return
        for one in ready:
            self._answered.append((one, self._request(one)))

    def _request(self, call: RequestCall) -> Answer:
        """Carries the request out, unless it is a repeat: then it has an answer already."""
        state = self.state
        session = state.sessions[call.session_id]
        operation = call.operation
        if changes_nothing(operation):
            try:
                return Answer(call.xid, state.zxid, state.tree.read(operation))
            except CoordinationError as error:
                return Answer.failed(call.xid, state.zxid, error)
        if call.xid <= session.last_xid:
            known = session.answers.get(call.xid)
            # Without one the session has said that the answer arrived: nobody waits for this.
            stale = BadArgumentsError(f"request {call.xid} was answered before")
            return known or Answer.failed(call.xid, state.zxid, stale)
        record = Request(
            state.zxid + 1,
            self._now_ms,
            call.session_id,
            call.xid,
            call.lowest_xid,
            call.seen,
            operation,
        )
        try:
            answer = self._apply(record)
        except BadArgumentsError as error:
            return Answer.failed(call.xid, state.zxid, error)
        assert answer is not None
        return answer

    def _apply(self, record: Record) -> Answer | None:
        """Raises BadArgumentsError, and has no effect, if the record cannot be logged."""
        try:
            data = encode(record)
        except (TypeError, ValueError) as error:
            raise BadArgumentsError(str(error)) from None
        if len(data) > RECORD_BYTES_MAX:
            raise BadArgumentsError(f"{len(data)} bytes; the limit is {RECORD_BYTES_MAX}")
        answer = self.state.apply(record)
        self._turn.records.append(data)
        return answer

    def _response(self, call: RequestCall, answer: Answer) -> Response:
        session = self.state.sessions.get(call.session_id)
        events = session.events_after(call.seen) if session is not None else ()
        return Response(answer.zxid, answer.result, answer.error, events)

    def _hold(self, call: HeartbeatCall, until_s: float) -> None:
        before = self._heartbeats.pop(call.session_id, None)
        if before is not None:
            # Its caller has most likely given up; one held call a session is enough.
            self._answer(before.call.ticket, ())
        self._heartbeats[call.session_id] = _Held(call, until_s)

    def _release_heartbeats(self) -> None:
        for session_id, held in list(self._heartbeats.items()):
            events = self.state.sessions[session_id].events_after(held.call.seen)
            if events or held.until_s <= self._now_s + self.tick_s:
                del self._heartbeats[session_id]
                self._answer(held.call.ticket, events)

    def _answer(self, ticket: Ticket, outcome: Any) -> None:
        self._turn.answers.append((ticket, outcome))

    def _dump(self) -> dict[str, Any]:
        live = {
            session_id: {
                "remaining_s": round(self._tracker.remaining_s(session_id, self._now_s), 3),
                "requests_waiting": len(order),
            }
            for session_id, order in self._orders.items()
        }
        return describe_state(self.state, live)
