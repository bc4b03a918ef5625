"""BalancerChore: looks at the load of the cluster and moves regions, if it is switched on."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..errors import InvalidRequestError
from ..model import META_TABLE
from .assignment import RegionNode, TransitionState
from .balancer import BalancerSearch, Plan, RegionMove
from .cluster_load import BalancedRegion, ClusterLoad, ServerLoad
from .load_reports import LoadReports, server_reports
from .messages import RegionStatus
from .procedures.environment import MasterEnvironment
from .procedures.move import MoveProcedure
from .switches import Switches

log = logging.getLogger(__name__)

DECISIONS_KEPT: Final = 250
"""hbase.master.balancer.decision.queue.size"""
_ARRIVAL_S: Final = 2.0
_SEED_BITS: Final = 63


@dataclass(frozen=True, slots=True)
class Decision:
    """What the balancer found at a time, and which of its moves were made."""

    at_ms: int
    plan: Plan
    made: tuple[RegionMove, ...] = ()
    dry_run: bool = False
    ran: bool = True
    """False: it did not even look, ``plan.why`` says why."""


class BalancerChore:
    """One round a period, and one when a server has come; also by hand.

    Args:
        environment: what procedures work with.
        switches: whether it is on.
        loads: how fast regions' requests grow.
        claimed: whether a procedure works on a region, for all regions as they are now.

    Source: BalancerChore.java, HMaster.balance.
    """

    def __init__(
        self,
        environment: MasterEnvironment,
        switches: Switches,
        loads: LoadReports,
        claimed: Callable[[], Callable[[RegionNode], bool]],
    ) -> None:
        self._environment = environment
        self._switches = switches
        self._loads = loads
        self._claimed = claimed
        self._turn = asyncio.Lock()
        self.decisions: deque[Decision] = deque(maxlen=DECISIONS_KEPT)
        """Newest last; of rounds that had nothing to do, none."""

    async def run_after_arrivals(self) -> None:
        """A server that has just come gets its share soon, not at the next period."""
        while True:
            await self._environment.servers.wait_for_arrival()
            await self._environment.runtime.clock.sleep(_ARRIVAL_S)
            await self.run()

    async def run(self, *, dry_run: bool = False, ignore_transitions: bool = False) -> Decision:
        """One round, returning when the moves are over; with ``dry_run`` none is made.

        Nothing is done while the balancer is off, nor, unless they are ignored, while regions
        are in transition or servers recovered: their load is about to be somewhere else.
        """
        async with self._turn:
            now_ms = self._environment.runtime.clock.now_ms()
            hindrance = self._hindrance(dry_run, ignore_transitions)
            if hindrance:
                return Decision(now_ms, _nothing(hindrance), dry_run=dry_run, ran=False)
            plan = await self._search(await self._load())
            made = () if dry_run else await self._carry_out(plan)
            decision = Decision(now_ms, plan, made, dry_run)
            if plan.moves:
                self.decisions.append(decision)
                log.info("balancer: %s; %d made", plan.why, len(made))
            return decision

    def _hindrance(self, dry_run: bool, ignore_transitions: bool) -> str:
        if not (self._switches.balancer or dry_run):
            return "the balancer is switched off"
        if ignore_transitions:
            return ""
        environment = self._environment
        if recovering := environment.servers.recovering():
            return f"{recovering[0]} is being recovered"
        if moving := environment.assignment.in_transition():
            return f"{len(moving)} regions are in transition, {moving[0].info} among them"
        return ""

    # -- what is there ---------------------------------------------------------------------

    async def _load(self) -> ClusterLoad:
        """Servers that do not answer take part no more than those that are being drained."""
        environment = self._environment
        reports = await server_reports(environment.runtime, environment.servers)
        for name, report in reports.items():
            self._loads.observe(name, report.regions)
        self._loads.forget([one.info.encoded_name for one in environment.assignment.regions()])
        staying = [one for one in environment.draining.staying() if one in reports]
        position = {name: index for index, name in enumerate(staying)}
        known = {(name, one.encoded): one for name in staying for one in reports[name].regions}
        is_claimed = self._claimed()
        regions = []
        for node in environment.assignment.regions():
            server = node.planned or node.server
            if server in position and environment.assignment.wants_open(node):
                movable = (
                    node.state == TransitionState.OPEN
                    and node.info.table != META_TABLE
                    and not is_claimed(node)
                )
                status = known.get((server, node.info.encoded_name))
                node_id = reports[server].node
                regions.append(self._region(node, position[server], movable, status, node_id))
        return ClusterLoad(
            tuple(ServerLoad(name, reports[name].node) for name in staying),
            tuple(regions),
            environment.config.region_server.regions_max,
        )

    def _region(
        self,
        node: RegionNode,
        server: int,
        movable: bool,
        report: RegionStatus | None,
        node_id: str,
    ) -> BalancedRegion:
        if report is None:
            return BalancedRegion(node, server, movable)
        reads_per_s, writes_per_s = self._loads.rates(report.encoded)
        return BalancedRegion(
            node,
            server,
            movable,
            reads_per_s,
            writes_per_s,
            report.memstore_bytes,
            report.store_file_bytes,
            report.object_bytes,
            node_id,
        )

    # -- what is done ----------------------------------------------------------------------

    async def _search(self, load: ClusterLoad) -> Plan:
        environment = self._environment
        seed = environment.runtime.entropy.integer(_SEED_BITS)
        search = BalancerSearch(load, environment.config.balancer, seed)
        while search.step():
            await asyncio.sleep(0)
        return search.plan()

    async def _carry_out(self, plan: Plan) -> tuple[RegionMove, ...]:
        """Makes the moves, some at a time; those that were made."""
        slots = asyncio.Semaphore(self._environment.config.balancer.in_transition_max)

        async def make(move: RegionMove) -> bool:
            async with slots:
                return self._switches.balancer and await self._move(move)

        made = await asyncio.gather(*(make(move) for move in plan.moves))
        return tuple(move for move, is_made in zip(plan.moves, made, strict=True) if is_made)

    async def _move(self, move: RegionMove) -> bool:
        executor = self._environment.executor
        log.info("balancer: moving %s", move)
        procedure = MoveProcedure(
            region=move.node.info, destination=str(move.target), reason=move.reason
        )
        try:
            await executor.wait(await executor.submit(procedure))
        except InvalidRequestError as error:
            log.info("balancer: %s stays: %s", move.node.info, error)
            return False
        return True


def _nothing(why: str) -> Plan:
    return Plan((), 0.0, 0.0, "", "", 0, why)
