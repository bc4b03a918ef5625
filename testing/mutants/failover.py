"""Bugs of recovery: each is met by one failure at the right moment (failover.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from ...actors import daughters, region_opener
from ...actors.procedures.crash import ServerCrashProcedure
from ...actors.server_logs import ServerLogs
from ...coordination.session_tracker import SessionTracker
from ..drill import CLIENTS, Drill
from ..failover import (
    FAILURES,
    RECOVERY,
    Strike,
    ask_a_sleeper,
    cut_for_good,
    trapped,
)
from ..lost_replies import lost_reply
from .mutant import Mutant, Patch

_KILLED: Final = "failover: a server is killed"
_KILLED_AGAIN: Final = "failover: killed again before the first flush's manifest"
_SLEEPER: Final = "failover: a server is asked that was given up"
_DEAF: Final = "failover: the master hears nothing any more"
_RETRY: Final = "failover: an increment is sent again after a split"


def _problem(strike: Strike, clients: int = CLIENTS) -> str:
    return next(iter(Drill(clients=clients).run(strike)), "")


FAILOVER_CHECKS: Final[dict[str, Callable[[], str]]] = {
    _KILLED: partial(_problem, FAILURES["server killed"]),
    _KILLED_AGAIN: partial(_problem, trapped(RECOVERY["first flush's manifest"])),
    _SLEEPER: partial(_problem, ask_a_sleeper, clients=0),
    _DEAF: partial(
        _problem, cut_for_good("active master", "hears nothing", from_all=False), clients=0
    ),
    _RETRY: partial(_problem, lost_reply("split")),
}


def _not_yet(split_logs: Any) -> Any:
    async def promise_it(self: ServerCrashProcedure, environment: Any) -> str:
        environment.servers.begin_recovery(self.server).all.set()
        return "assign"

    return promise_it


def _at_last(finish: Any) -> Any:
    async def split_and_finish(self: ServerCrashProcedure, environment: Any) -> Any:
        await self._split(environment, await environment.servers.log_files(self.server))
        return await finish(self, environment)

    return split_and_finish


def _removed_after_replay(replay: Any) -> Any:
    async def replay_and_remove(services: Any, hosted: Any) -> None:
        await replay(services, hosted)
        for path in hosted.recovered_files:
            await services.runtime.files.remove(path)

    return replay_and_remove


def _ungated(check: Any) -> Any:
    async def let_pass(self: ServerLogs) -> None:
        return

    return let_pass


def _extended_by_any_call(touch: Any) -> Any:
    def touch_always(self: SessionTracker, session_id: int, answered: int, now_s: float) -> Any:
        return touch(self, session_id, self._sessions[session_id].answered + 1, now_s)

    return touch_always


def _without_nonces(first_manifest: Any) -> Any:
    return lambda *arguments: replace(first_manifest(*arguments), nonce_files=())


FAILOVER_MUTANTS: Final = (
    Mutant(
        "the session of a deaf holder lasts",
        "a master that hears no answer and no event leads for ever, and nobody is recovered",
        _DEAF,
        (Patch(SessionTracker, "touch", _extended_by_any_call),),
    ),
    Mutant(
        "region opened before all WALs are split",
        "its last edits are in a log that nobody has read yet (I1)",
        _KILLED,
        (
            Patch(ServerCrashProcedure, "split_logs", _not_yet),
            Patch(ServerCrashProcedure, "finish", _at_last),
        ),
    ),
    Mutant(
        "recovered edits deleted before the manifest",
        "they are in the memory of a server that may die, and nowhere else (I1)",
        _KILLED_AGAIN,
        (Patch(region_opener, "_replay", _removed_after_replay),),
    ),
    Mutant(
        "no fence test on reads",
        "a server that was given up answers with what its successor has overwritten (I2, I3)",
        _SLEEPER,
        (Patch(ServerLogs, "check", _ungated),),
    ),
    Mutant(
        "nonce forgotten at split",
        "an increment that its client sends again after the split counts twice (I3)",
        _RETRY,
        (Patch(daughters, "_first_manifest", _without_nonces),),
    ),
)
