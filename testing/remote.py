"""runtime.Processes and runtime.Remote, as one simulated process has them."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Sequence
from typing import Any

from ..errors import ProcessUnavailableError
from ..runtime import Remote
from .process import SimProcess
from .processes import CALL_S, Call, ProcessTable


class SimRemote:
    """runtime.Remote."""

    def __init__(self, table: ProcessTable, caller: SimProcess, name: str) -> None:
        self.name = name
        self._table = table
        self._caller = caller

    async def call(self, method: str, *args: Any, timeout_s: float | None = None) -> Any:
        """Source of the rules: runtime.Remote.call."""
        caller = self._caller
        await caller.failpoint(method)
        number = self._table.world.scheduler.number()
        answer: asyncio.Future[Any] = caller.loop.create_future()
        call = Call(number, caller, self.name, method, pickle.dumps((method, args)), answer)
        self._table.send(call)
        await caller.failpoint(f"{method}-sent")
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise ProcessUnavailableError(
                f"{self.name}: no answer to {method} in {timeout_s} s"
            ) from None
        finally:
            self._table.forget(call)


class SimProcesses:
    """runtime.Processes as one process sees it."""

    def __init__(self, table: ProcessTable, process: SimProcess) -> None:
        self._table = table
        self._process = process

    def remote(self, name: str) -> Remote:
        return SimRemote(self._table, self._process, name)

    async def spawn(
        self, role: str, name: str, arguments: dict[str, Any], away_from: Sequence[str] = ()
    ) -> None:
        """All processes are nodes of their own: there is nothing to keep away from."""
        await self._process.failpoint(role)
        await self._process.sleep(self._table.random.uniform(*CALL_S))
        arguments = pickle.loads(pickle.dumps(arguments))  # noqa: S301 - made here
        factory = self._table.roles[role]()
        self._table.spawn(role, factory, name, arguments, role != "region_server")
        await self._process.failpoint(f"{role}-sent")

    async def kill(self, name: str) -> None:
        await self._process.sleep(self._table.random.uniform(*CALL_S))
        self._table.kill(name, for_good=True)

    def exit(self, reason: str) -> None:
        """At once: nothing that is called after it has an effect."""
        self._table.exit(self._process, reason)
