"""MasterEnvironment: what procedures work with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...config import ClusterConfig
from ...model import META_TABLE, RegionInfo, ServerName, TableName
from ...runtime import Runtime
from ..assignment import Assignment
from ..balancer import place
from ..draining import DrainingServers
from ..meta_table import MetaTable
from ..server_manager import ServerManager
from ..store_io import load_manifest
from ..waiting import waiting

if TYPE_CHECKING:
    from .executor import ProcedureExecutor

_ORDERS_PER_EPOCH_BITS = 32


@dataclass
class MasterEnvironment:
    """One master's term: its epoch and the parts that act for it."""

    runtime: Runtime
    config: ClusterConfig
    epoch: int
    assignment: Assignment
    servers: ServerManager
    draining: DrainingServers
    meta: MetaTable
    executor: ProcedureExecutor = field(init=False)
    log_splits: asyncio.Semaphore = field(init=False)
    """A permit for each log that may be split at the same time, whoever it was written by."""
    _orders: int = 0

    def __post_init__(self) -> None:
        self.log_splits = asyncio.Semaphore(self.config.master.log_splits_max)

    def next_order(self) -> int:
        """Greater than every order any master gave before."""
        self._orders += 1
        return self.epoch << _ORDERS_PER_EPOCH_BITS | self._orders

    async def pick_server(
        self,
        table: TableName,
        preferred: ServerName | None = None,
        avoid: Sequence[ServerName] = (),
    ) -> ServerName:
        """Where to open a region: ``preferred`` if it lives, else where the table has fewest.

        Those to avoid are taken when there is nobody else, those being drained only if
        preferred. Waits for a server to come if there is none.
        """
        if preferred is not None and preferred not in avoid and self.servers.is_live(preferred):
            return preferred
        while not (live := self.draining.staying()):
            with waiting("a region server that may take regions"):
                await self.servers.wait_for_arrival()
        candidates = [one for one in live if one not in avoid] or live
        return place(table, self.assignment.counts(candidates))

    async def owner_of(self, region: RegionInfo) -> ServerName | None:
        """The owner in the region's manifest: the truth about who may serve it."""
        manifest = await load_manifest(self.runtime.files, region)
        return ServerName.parse(manifest.owner) if manifest and manifest.owner else None

    async def recovered(self, server: ServerName, region: RegionInfo) -> None:
        """Returns when the dead server's logs hold nothing of the region that is not split."""
        await self.servers.recovered(server, meta=region.table == META_TABLE)
