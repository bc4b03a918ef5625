"""Bugs of the coordinator and of sessions with it."""

from __future__ import annotations

from typing import Any, Final

from ...coordination.processor import Processor
from ...coordination.state import CoordinatorState
from .mutant import Mutant, Patch

SESSIONS: Final = "sessions of seeds"


def _without_watches(restore: Any) -> Any:
    def restore_without(zxid: Any, znodes: Any, sessions: Any, watches: Any) -> CoordinatorState:
        del watches
        state: CoordinatorState = restore(zxid, znodes, sessions, ())
        return state

    return staticmethod(restore_without)


def _expiry_not_logged(end: Any) -> Any:
    def end_and_forget(self: Processor, session_id: int, *, expired: bool) -> None:
        end(self, session_id, expired=expired)
        if expired:
            self._turn.records.pop()
            self.state.zxid -= 1

    return end_and_forget


SESSION_MUTANTS: Final = (
    Mutant(
        "watch lost at reconnect",
        "a coordinator that begins from a snapshot has no watches; sessions go on waiting for them",
        SESSIONS,
        (Patch(CoordinatorState, "restore", _without_watches),),
    ),
    Mutant(
        "session expired twice",
        "an expiry is told but not logged: the next coordinator has session and ephemerals again",
        SESSIONS,
        (Patch(Processor, "_end", _expiry_not_logged),),
    ),
)
