"""ServerCrashProcedure: what a dead server leaves is recovered, hbase:meta first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

from ...model import META_REGION, ServerName
from ..log_recovery import fence_logs, split_and_archive
from ..log_writer import WALS
from ..server_manager import is_meta_log
from ..waiting import waiting
from .assign import AssignProcedure
from .environment import MasterEnvironment
from .procedure import DONE, Children, Lock, Procedure, StepResult

_BEFORE_META: Final = ("begin", "fence", "split_meta_log", "assign_meta")
_ALL_SPLIT: Final = ("assign", "finish")
"""Steps that come after the split of all logs, so that nobody has to wait for it."""
_META_SPLIT: Final = ("assign_meta", "split_logs", *_ALL_SPLIT)


@dataclass(kw_only=True)
class ServerCrashProcedure(Procedure):
    """Fences a server's logs, splits them by region, and has its regions opened elsewhere.

    Steps: fence; split the log of hbase:meta and open hbase:meta; split the other logs,
    several at once, in tasks; only then assign the regions. A log goes to oldWALs once all of it is
    in recovered edits. Procedures that already work on a region of the server wait for
    the split and go on by themselves. Never rolled back. Source: ServerCrashProcedure.java.
    """

    kind = "server_crash"
    first_step = "begin"

    server: ServerName
    carried_meta: bool = False

    def locks(self) -> Sequence[Lock]:
        return (Lock.server(self.server),)

    def describe(self) -> str:
        return f"recover {self.server}"

    @property
    def is_recovery(self) -> bool:
        return True

    @property
    def needs_meta(self) -> bool:
        return self.step not in _BEFORE_META

    def restore(self, environment: MasterEnvironment) -> None:
        recovery = environment.servers.begin_recovery(self.server)
        if self.step in _META_SPLIT:
            recovery.meta.set()
        if self.step in _ALL_SPLIT:
            recovery.all.set()

    async def begin(self, environment: MasterEnvironment) -> StepResult:
        environment.servers.begin_recovery(self.server)
        self.carried_meta = environment.assignment.meta.server == self.server
        return "fence"

    async def fence(self, environment: MasterEnvironment) -> StepResult:
        await fence_logs(environment.runtime.files, str(self.server))
        return "split_meta_log"

    async def split_meta_log(self, environment: MasterEnvironment) -> StepResult:
        names = await environment.servers.log_files(self.server)
        await self._split(environment, [name for name in names if is_meta_log(name)])
        environment.servers.begin_recovery(self.server).meta.set()
        return "assign_meta"

    async def assign_meta(self, environment: MasterEnvironment) -> StepResult:
        if environment.assignment.meta.server != self.server and not self.carried_meta:
            return "split_logs"
        return Children([AssignProcedure(region=META_REGION)], then="split_logs")

    async def split_logs(self, environment: MasterEnvironment) -> StepResult:
        await self._split(environment, await environment.servers.log_files(self.server))
        recovery = environment.servers.begin_recovery(self.server)
        recovery.meta.set()
        recovery.all.set()
        return "assign"

    async def _split(self, environment: MasterEnvironment, names: Sequence[str]) -> None:
        server = str(self.server)

        async def split(name: str) -> None:
            # All others wait for hbase:meta.
            async with nullcontext() if is_meta_log(name) else environment.log_splits:
                await split_and_archive(environment.runtime, server, name)

        with waiting(f"tasks that split {len(names)} logs of {server}"):
            await asyncio.gather(*map(split, names))

    async def assign(self, environment: MasterEnvironment) -> StepResult:
        regions = environment.assignment.regions_on(self.server)
        children = [AssignProcedure(region=one.info) for one in regions]
        return Children(children, then="finish") if children else "finish"

    async def finish(self, environment: MasterEnvironment) -> StepResult:
        # A log that is no longer at its path is as good as fenced.
        await environment.runtime.files.remove(f"{WALS}/{self.server}")
        environment.servers.end_recovery(self.server)
        return DONE
