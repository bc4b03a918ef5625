"""A process that uses its session for everything a session can do, and puts down what it saw."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Final

from ...actors.recipes import Lock, ReadLock
from ...config import ClusterConfig
from ...coordination.requests import (
    Check,
    Create,
    Delete,
    Exists,
    GetChildren,
    GetData,
    Multi,
    Operation,
    SetData,
)
from ...coordination.watch_manager import sets_watch
from ...errors import CoordinationError, SessionExpiredError
from ...runtime import Runtime
from .notebook import Locked, Notebook, NotedSession

ROOT: Final = "/work"
LOCKS: Final = "/locks"
_PATHS: Final = (f"{ROOT}/a", f"{ROOT}/b", f"{ROOT}/c", f"{ROOT}/a/x", f"{ROOT}/a/y")
_PAUSE_S: Final = 0.06
_HOLDING_S: Final = 0.05
_WATCHED: Final = 0.6


@dataclass(slots=True)
class Plan:
    """What all clients of a story have in common."""

    notebook: Notebook
    working: bool = True


class SessionClient:
    """Two tasks that read, write and watch at random, and one that takes locks.

    When its session has expired the process ends, as a region server does, and is begun again.
    """

    def __init__(
        self, runtime: Runtime, name: str, config: ClusterConfig, plan: Plan, chance: Random
    ) -> None:
        self._runtime = runtime
        self._plan = plan
        self._chance = chance
        self.session = NotedSession(runtime, config.session, name)
        self.session.note_in(plan.notebook)

    async def start(self) -> None:
        self.session.on_expired(lambda: self._runtime.processes.exit("its session expired"))
        await self.session.open()
        for _ in range(2):
            self.session.background(self._work())
        self.session.background(self._take_locks())

    async def hold(self, session_id: int) -> bool:
        """The coordinator's open call."""
        return await self.session.hold(session_id)

    async def _work(self) -> None:
        try:
            await self.session.ensure_path(ROOT)
            while self._plan.working:
                await self._runtime.clock.sleep(self._chance.uniform(0, _PAUSE_S))
                together = [self._operation() for _ in range(self._chance.choice((1, 1, 1, 3)))]
                await asyncio.gather(*map(self._ask, together))
        except SessionExpiredError:
            return

    async def _ask(self, operation: Operation) -> None:
        watcher = _ignore if sets_watch(operation) else None
        try:
            await self.session.request(operation, watcher)
        except SessionExpiredError:
            raise
        except CoordinationError:
            return  # Which was right, or was not, is for the check to say.

    def _operation(self) -> Operation:
        chance = self._chance
        path = chance.choice(_PATHS)
        kind = chance.choice(("read", "read", "read", "write", "write", "multi"))
        if kind == "write":
            return self._write()
        if kind == "multi":
            return Multi(tuple(self._write() for _ in range(chance.randint(1, 3))))
        watch = chance.random() < _WATCHED
        return chance.choice((GetData, Exists, GetChildren))(path, watch)

    def _write(self) -> Create | Delete | SetData | Check:
        chance = self._chance
        path = chance.choice(_PATHS)
        version = chance.choice((-1, -1, 0, 1))
        data = b"%d" % chance.randrange(1000)
        kind = chance.choice((Create, Create, Create, Delete, SetData, Check))
        if kind is Create:
            return Create(path, data, chance.random() < 0.4, chance.random() < 0.2)
        if kind is SetData:
            return SetData(path, data, version)
        return Delete(path, version) if kind is Delete else Check(path, version)

    async def _take_locks(self) -> None:
        try:
            while self._plan.working:
                await self._runtime.clock.sleep(self._chance.uniform(0, _PAUSE_S))
                await self._take_lock(shared=self._chance.random() < 0.5)
        except SessionExpiredError:
            return

    async def _take_lock(self, *, shared: bool) -> None:
        lock = (ReadLock if shared else Lock)(self.session, LOCKS)
        token = await lock.acquire()
        self._plan.notebook.lines.append(Locked(self.session.session_id, token, shared))
        await self._runtime.clock.sleep(self._chance.uniform(0, _HOLDING_S))
        await lock.release()


def _ignore(_: object) -> None:
    """The notebook has it already."""
