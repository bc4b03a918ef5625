"""What sessions asked, were told and heard of, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...actors.session import Session
from ...coordination.requests import Operation, Response, WatchEvent
from ...coordination.watch_manager import Watcher
from ...errors import CoordinationError, SessionExpiredError


@dataclass(frozen=True, slots=True)
class Asked:
    session_id: int
    xid: int
    operation: Operation
    newest: int
    """The latest transaction that anybody had been told of."""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to a request; ``outcome`` is a result or an error."""

    session_id: int
    xid: int
    zxid: int
    outcome: Any


@dataclass(frozen=True, slots=True)
class Heard:
    """The watcher that request ``xid`` came with was called."""

    session_id: int
    xid: int
    event: WatchEvent


@dataclass(frozen=True, slots=True)
class Expired:
    """The session's holder was told that the session has expired."""

    session_id: int


@dataclass(frozen=True, slots=True)
class Locked:
    """The session has been given a lock; ``token`` is the transaction that made its znode."""

    session_id: int
    token: int
    shared: bool


Line = Asked | Told | Heard | Expired | Locked


@dataclass(slots=True)
class Notebook:
    """One for all sessions of a story."""

    lines: list[Line] = field(default_factory=list)
    newest: int = 0

    def told(self, line: Told) -> None:
        self.newest = max(self.newest, line.zxid)
        self.lines.append(line)


class NotedSession(Session):
    """A session that puts down everything its holder sees of it."""

    notebook: Notebook

    def note_in(self, notebook: Notebook) -> None:
        """To be called before ``open``."""
        self.notebook = notebook
        self._zxids: dict[int, int] = {}
        self.on_expired(lambda: notebook.lines.append(Expired(self.session_id)))

    async def request(self, operation: Operation, watch: Watcher | None = None) -> Any:
        xid = self._xid + 1
        lines = self.notebook.lines
        noting = None if watch is None else self._noting(xid, watch)
        lines.append(Asked(self.session_id, xid, operation, self.notebook.newest))
        try:
            result = await super().request(operation, noting)
        except SessionExpiredError:
            raise
        except CoordinationError as error:
            self.notebook.told(Told(self.session_id, xid, self._zxids[xid], error))
            raise
        self.notebook.told(Told(self.session_id, xid, self._zxids[xid], result))
        return result

    def _noting(self, xid: int, watch: Watcher) -> Callable[[WatchEvent], None]:
        def noting(event: WatchEvent) -> None:
            self.notebook.lines.append(Heard(self.session_id, xid, event))
            watch(event)

        return noting

    async def _call_until_answered(self, method: str, *args: Any) -> Any:
        answer = await super()._call_until_answered(method, *args)
        if isinstance(answer, Response):
            self._zxids[args[0]] = answer.zxid
        return answer
