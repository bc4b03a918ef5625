"""FlushTableProcedure: what a table has in memory goes to files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import NotServingRegionError, ServerGoneError, TableNotFoundError
from ...model import TableName
from ..assignment import RegionNode, TransitionState
from .environment import MasterEnvironment
from .procedure import DONE, Lock, Procedure, StepResult


@dataclass(kw_only=True)
class FlushTableProcedure(Procedure):
    """Flushes the regions of a table that are open. A region that is on its way somewhere is
    flushed by that. Source: FlushTableProcedure.java."""

    kind = "flush"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})

    table: TableName

    def locks(self) -> Sequence[Lock]:
        return (Lock.table(self.table, exclusive=False),)

    def describe(self) -> str:
        return f"flush {self.table}"

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        if environment.assignment.table(self.table) is None:
            raise TableNotFoundError(f"there is no table {self.table}")
        return "flush"

    async def flush(self, environment: MasterEnvironment) -> StepResult:
        nodes = environment.assignment.regions_of(self.table)
        await asyncio.gather(*(self._flush_one(environment, node) for node in nodes))
        return DONE

    async def _flush_one(self, environment: MasterEnvironment, node: RegionNode) -> None:
        if node.state != TransitionState.OPEN or node.server is None:
            return
        try:
            await environment.servers.call(node.server, "flush_region", node.info.encoded_name)
        except (ServerGoneError, NotServingRegionError):
            return
