"""The coordinator's state: a pure function of its log (ZKDatabase.java)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import CoordinationError
from .layout import BASE_ZNODES, CLUSTER_ID
from .records import Answer, CloseSession, OpenSession, Record, Request
from .requests import (
    Create,
    Exists,
    GetChildren,
    GetData,
    Result,
    WatchEvent,
    WatchKind,
)
from .tree import Author, Change, Tree
from .watch_table import WatchTable
from .znode import Znode


@dataclass(slots=True)
class SessionState:
    """What the coordinator must not forget of a session."""

    session_id: int
    nonce: int
    holder: str
    timeout_ms: int
    last_xid: int = 0
    """Of its requests in the log."""
    answers: dict[int, Answer] = field(default_factory=dict)
    """By xid, in order: those that may not have arrived."""
    events_made: int = 0
    events: list[WatchEvent] = field(default_factory=list)
    """In order: those that may not have arrived."""

    def events_after(self, seen: int) -> tuple[WatchEvent, ...]:
        return tuple(event for event in self.events if event.number > seen)


class CoordinatorState:
    """Znodes, sessions, watches and undelivered events after transaction ``zxid``."""

    def __init__(self) -> None:
        self.zxid = 0
        self.tree = Tree()
        self.sessions: dict[int, SessionState] = {}
        self.watches = WatchTable()
        self._by_nonce: dict[int, int] = {}

    @classmethod
    def new(cls, cluster_id: str, time_ms: int) -> CoordinatorState:
        """The state of a cluster that begins: the base znodes are there."""
        state = cls()
        znodes = [Create(path) for path in BASE_ZNODES]
        for create in (*znodes, Create(CLUSTER_ID, cluster_id.encode())):
            state.zxid += 1
            state.tree.write(create, Author(state.zxid, time_ms, 0))
        return state

    @classmethod
    def restore(
        cls,
        zxid: int,
        znodes: Iterable[tuple[str, Znode]],
        sessions: Iterable[SessionState],
        watches: Iterable[tuple[int, WatchKind, str, int]],
    ) -> CoordinatorState:
        """The state that consists of these; a znode comes after its parent."""
        state = cls()
        state.zxid = zxid
        state.tree = Tree(znodes)
        for session in sessions:
            state.sessions[session.session_id] = session
            state._by_nonce[session.nonce] = session.session_id
        for watch in watches:
            state.watches.add(*watch)
        return state

    def session_of_nonce(self, nonce: int) -> int | None:
        return self._by_nonce.get(nonce)

    def apply(self, record: Record) -> Answer | None:
        """Applies the next transaction; returns the answer to a Request.

        Raises ValueError, and changes nothing, if this record cannot come next.
        """
        if record.zxid != self.zxid + 1:
            raise ValueError(f"transaction {record.zxid} after {self.zxid}")
        if isinstance(record, OpenSession):
            self._open(record)
            return None
        session = self.sessions.get(record.session_id)
        if session is None:
            raise ValueError(f"transaction {record.zxid} of no session")
        if isinstance(record, CloseSession):
            self._close(record)
            return None
        if record.xid <= session.last_xid:
            raise ValueError(f"request {record.xid} after {session.last_xid}")
        return self._request(session, record)

    def _open(self, record: OpenSession) -> None:
        self.zxid = session_id = record.zxid
        self.sessions[session_id] = SessionState(
            session_id, record.nonce, record.holder, record.timeout_ms
        )
        self._by_nonce[record.nonce] = session_id

    def _close(self, record: CloseSession) -> None:
        self.zxid = record.zxid
        session = self.sessions.pop(record.session_id)
        del self._by_nonce[session.nonce]
        self.watches.remove_session(session.session_id)
        author = Author(record.zxid, record.time_ms, session.session_id)
        self._tell(self.tree.remove_ephemerals(author))

    def _request(self, session: SessionState, record: Request) -> Answer:
        self.zxid = record.zxid
        session.last_xid = record.xid
        _forget_arrived(session, record)
        try:
            result = self._operate(session, record)
        except CoordinationError as error:
            answer = Answer.failed(record.xid, record.zxid, error)
        else:
            answer = Answer(record.xid, record.zxid, result)
        session.answers[record.xid] = answer
        return answer

    def _operate(self, session: SessionState, record: Request) -> Result:
        operation = record.operation
        if isinstance(operation, GetData | Exists | GetChildren):
            result = self.tree.read(operation)
            children = isinstance(operation, GetChildren)
            kind = WatchKind.CHILDREN if children else WatchKind.DATA
            self.watches.add(session.session_id, kind, operation.path, record.xid)
            return result
        author = Author(record.zxid, record.time_ms, session.session_id)
        result, changes = self.tree.write(operation, author)
        self._tell(changes)
        return result

    def _tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            for session_id, kind, xid in self.watches.fire(change):
                session = self.sessions[session_id]
                session.events_made += 1
                session.events.append(
                    WatchEvent(session.events_made, change.type, change.path, kind, xid, self.zxid)
                )


def _forget_arrived(session: SessionState, record: Request) -> None:
    """What the session says it has got is not kept for it any longer."""
    for xid in [xid for xid in session.answers if xid < record.lowest_xid]:
        del session.answers[xid]
    if session.events and session.events[0].number <= record.seen:
        session.events = list(session.events_after(record.seen))
