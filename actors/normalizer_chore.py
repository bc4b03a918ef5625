"""NormalizerChore: splits and merges regions of the tables that ask for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from ..errors import IllegalArgumentError, InvalidRequestError
from ..model import TableDescriptor, TableName
from .assignment import RegionNode, TransitionState
from .load_reports import server_reports
from .meta_rows import TableState
from .normalizer import Normalization, SizedRegion, plan, wants_normalization
from .procedures.environment import MasterEnvironment
from .procedures.merge import MergeProcedure
from .procedures.procedure import Procedure
from .procedures.split import SplitProcedure
from .switches import Switches

log = logging.getLogger(__name__)


class NormalizerChore:
    """One round a period; also by hand.

    ``claimed`` tells, for all regions as they are now, whether a procedure works on one.
    Source: RegionNormalizerChore.java, RegionNormalizerWorker.java.
    """

    def __init__(
        self,
        environment: MasterEnvironment,
        switches: Switches,
        claimed: Callable[[], Callable[[RegionNode], bool]],
    ) -> None:
        self._environment = environment
        self._switches = switches
        self._claimed = claimed
        self._turn = asyncio.Lock()

    async def run(self, tables: Collection[TableName] | None = None) -> list[Normalization]:
        """Looks at these tables, or all, and does what is to be done, one after another.

        Returns what was done; nothing while the normalizer is off. A table of which a region
        is in transition, or not reported, is left for the next round.
        """
        async with self._turn:
            if not self._switches.normalizer:
                return []
            return [one for one in await self._plan(tables) if await self._carry_out(one)]

    async def _plan(self, tables: Collection[TableName] | None) -> list[Normalization]:
        environment = self._environment
        wanting = [
            one.descriptor
            for one in environment.assignment.tables()
            if one.state is TableState.ENABLED
            and wants_normalization(one.descriptor)
            and (tables is None or one.descriptor.name in tables)
        ]
        if not wanting:
            return []
        reports = await server_reports(environment.runtime, environment.servers)
        sizes = {
            (name, region.encoded): (region.store_file_bytes, region.references > 0)
            for name, report in reports.items()
            for region in report.regions
        }
        is_claimed = self._claimed()
        found: list[Normalization] = []
        for descriptor in wanting:
            regions: list[SizedRegion] = []
            nodes = [
                node
                for node in environment.assignment.regions_of(descriptor.name)
                if node.state != TransitionState.SPLIT
            ]
            for node in nodes:
                known = node.server and sizes.get((node.server, node.info.encoded_name))
                if known and not is_claimed(node):
                    regions.append(SizedRegion(node, *known))
            if len(regions) == len(nodes):
                found += self._plan_table(descriptor, regions)
        return found

    def _plan_table(
        self, table: TableDescriptor, regions: list[SizedRegion]
    ) -> list[Normalization]:
        environment = self._environment
        now_ms = environment.runtime.clock.now_ms()
        try:
            return plan(table, regions, environment.config.normalizer, now_ms)
        except IllegalArgumentError as error:
            log.warning("normalizer: %s", error)
            return []

    async def _carry_out(self, one: Normalization) -> bool:
        if not self._switches.normalizer:
            return False
        executor = self._environment.executor
        log.info("normalizer: %s", one)
        infos = tuple(node.info for node in one.nodes)
        procedure: Procedure = (
            SplitProcedure(region=infos[0]) if one.is_split else MergeProcedure(regions=infos)
        )
        try:
            await executor.wait(await executor.submit(procedure))
        except InvalidRequestError as error:
            log.info("normalizer: did not %s: %s", one, error)
            return False
        return True
