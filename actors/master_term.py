"""MasterTerm: what one master does from its election to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import Any, Final

from ..config import ClusterConfig
from ..errors import (
    FatalError,
    QuotaExceededError,
    ServerGoneError,
    SessionExpiredError,
    StaleMasterError,
)
from ..model import META_REGION, ServerName, TableName
from ..runtime import Runtime
from .assignment import Assignment, RegionNode, TransitionState
from .balancer_chore import BalancerChore
from .drainer import DRAIN_S, Drainer
from .draining import DrainingServers
from .janitor import Janitor
from .load_reports import LoadReports
from .messages import RegionState
from .meta_table import MetaTable
from .namespace_auditor import check_split
from .normalizer_chore import NormalizerChore
from .procedures.assign import AssignProcedure, UnassignProcedure
from .procedures.crash import ServerCrashProcedure
from .procedures.environment import MasterEnvironment
from .procedures.executor import ProcedureExecutor, ProcedureStore
from .procedures.procedure import Lock, Procedure
from .procedures.registry import KINDS
from .procedures.split import SplitProcedure
from .server_manager import ServerManager
from .server_starter import LOOK_S, ServerStarter
from .session import Session
from .switches import Switches
from .waiting import Waits, waiting

log = logging.getLogger(__name__)

_CHECK_S: Final = 5.0
_SETTLE_S: Final = 0.05
_ARRIVAL_S: Final = 2.0


class MasterTerm:
    """One mastership: takes over what is there, then keeps the cluster as it should be.

    ``on_end`` is called once when the term is over: the session has expired, a later master
    fenced the store or hbase:meta, or the store cannot be written.
    """

    def __init__(
        self,
        runtime: Runtime,
        config: ClusterConfig,
        session: Session,
        epoch: int,
        store: ProcedureStore,
        on_end: Callable[[BaseException], None],
    ) -> None:
        self._config = config
        self._on_end = on_end
        self._ended = False
        self._tasks: list[asyncio.Task[None]] = []
        self._suspects: dict[str, None] = {}
        self.epoch = epoch
        self.initialized = asyncio.Event()
        self.dead: list[ServerName] = []
        self.waits = Waits(runtime.clock)
        """What the taking over waits for, in words."""
        self.assignment = Assignment(runtime.clock)
        self.servers = ServerManager(runtime, config, session, self._server_died)
        self.draining = DrainingServers(session, self.servers)
        self.starter = ServerStarter(runtime, config, session, self.servers, self.draining)
        meta = MetaTable(runtime.clock, epoch, self.assignment, self.servers, session)
        self.environment = MasterEnvironment(
            runtime, config, epoch, self.assignment, self.servers, self.draining, meta
        )
        self.executor = ProcedureExecutor(store, KINDS, self.environment, self._end)
        self.environment.executor = self.executor
        self.janitor = Janitor(self.environment)
        self.drainer = Drainer(self.environment, self._open_on)
        self.switches = Switches(session)
        self.loads = LoadReports(runtime)
        self.balancer = BalancerChore(self.environment, self.switches, self.loads, self.claims)
        self.normalizer = NormalizerChore(self.environment, self.switches, self.claims)

    # -- taking over -----------------------------------------------------------------------

    async def begin(self) -> None:
        """Takes over; returns when every region is open or on its way.

        The store is fenced already, so what the last master left stands still. Servers that
        left logs and do not live are recovered, hbase:meta is opened if it is not, its
        server refuses the last master from now on, and what was read there decides what is
        left to do. Source: HMaster.finishActiveMasterInitialization.
        """
        self.waits.collect()
        await self.executor.load()
        await self.switches.load()
        await self.servers.refresh()
        await self.draining.load()
        cold = not self.servers.live()
        self.assignment.meta.server = await self.environment.owner_of(META_REGION)
        await self._expire_dead()
        self.executor.start_recovery()
        self.background(self._guarded(self.servers.follow))
        self._every(LOOK_S, self.starter.look)
        await self._open_meta()
        content = await self.environment.meta.load()
        if cold:
            await self._servers_settled()
        self.executor.start()
        self.assignment.load(content)
        await self._expire_owners()
        await self._mend()
        self.initialized.set()
        log.info("master of epoch %d is initialized", self.epoch)
        self._every(_CHECK_S, self._check)
        self._every(DRAIN_S, self.drainer.run)
        self._every(self._config.master.balancer_period_s, self.balancer.run, late=True)
        self.background(self._guarded(self.balancer.run_after_arrivals))
        self._every(self._config.normalizer.period_s, self.normalizer.run, late=True)
        self._every(self._config.master.janitor_period_s, self.run_janitor, late=True)

    async def _open_meta(self) -> None:
        for procedure in self.executor.unfinished():
            if isinstance(procedure, AssignProcedure) and procedure.is_recovery:
                return
        await self.executor.submit(AssignProcedure(region=META_REGION))

    async def _expire_dead(self) -> None:
        """Recovers the servers that left logs and do not live."""
        unknown = [one for one in await self.servers.servers_with_logs() if self._is_dead(one)]
        if unknown and await self.starter.pending():
            # One of them may be on its way: it makes its log before it registers.
            self.background(self._expire_later(unknown))
            return
        for server in unknown:
            await self.recover(server)

    async def _expire_later(self, suspects: list[ServerName]) -> None:
        await self.environment.runtime.clock.sleep(self._config.master.server_wait_s)
        for server in suspects:
            if self._is_dead(server):
                await self.recover(server)

    async def _expire_owners(self) -> None:
        """Recovers dead servers that left no log but regions."""
        for node in self.assignment.regions():
            server = node.server
            if server and self._is_dead(server) and self.assignment.wants_open(node):
                await self.recover(server)

    def _is_dead(self, server: ServerName) -> bool:
        return not self.servers.is_live(server) and not self.servers.is_recovering(server)

    async def _servers_settled(self) -> None:
        """Waits a while for the wanted servers, lest the first gets all the regions."""
        clock = self.environment.runtime.clock
        until_s = clock.monotonic_s() + self._config.master.server_wait_s
        wanted = self._config.master.region_servers
        with waiting(f"{wanted} region servers to come"):
            while len(self.servers.live()) < wanted and clock.monotonic_s() < until_s:
                await clock.sleep(_SETTLE_S)

    # -- servers that die ------------------------------------------------------------------

    def _server_died(self, server: ServerName) -> None:
        self.assignment.server_died(server)
        self.background(self._guarded(lambda: self.recover(server)))

    async def recover(self, server: ServerName) -> None:
        """Has a dead server's logs fenced and split, and its regions opened elsewhere.

        Returns when that is stored.
        """
        self.servers.begin_recovery(server)
        self.dead = [*[one for one in self.dead if one != server][-99:], server]
        for procedure in self.executor.unfinished():
            if isinstance(procedure, ServerCrashProcedure) and procedure.server == server:
                return
        await self.executor.submit(ServerCrashProcedure(server=server))

    # -- keeping it so ---------------------------------------------------------------------

    async def _check(self) -> None:
        await self._mend()
        await self._compare()

    async def _mend(self) -> None:
        """Sets procedures on regions that are not where they should be and in no hands."""
        claimed = self._claimed()
        needed: list[Procedure] = []
        for node in self.assignment.regions():
            if self._is_claimed(node, claimed) or node.state == TransitionState.SPLIT:
                continue
            if self.assignment.wants_open(node):
                if node.state == TransitionState.OPEN and self.servers.is_live(node.server):
                    continue
                if node.server is not None and self.servers.is_recovering(node.server):
                    continue
                needed.append(AssignProcedure(region=node.info))
            elif node.state != TransitionState.CLOSED:
                needed.append(UnassignProcedure(region=node.info))
        # Together, so that they share the syncs of the store.
        await asyncio.gather(*(self.executor.submit(procedure) for procedure in needed))

    def is_claimed(self, node: RegionNode) -> bool:
        """Whether a procedure works on the region, or waits to."""
        return self._is_claimed(node, self._claimed())

    def claims(self) -> Callable[[RegionNode], bool]:
        """As ``is_claimed`` for many regions, as things stand now."""
        claimed = self._claimed()
        return lambda node: self._is_claimed(node, claimed)

    def _claimed(self) -> dict[str, None]:
        """Keys of the locks that unfinished procedures hold or wait for."""
        return {
            lock.key: None
            for procedure in self.executor.unfinished()
            for lock in procedure.locks()
            if lock.exclusive
        }

    def _is_claimed(self, node: RegionNode, claimed: dict[str, None]) -> bool:
        keys = (
            Lock.region(node.info.encoded_name).key,
            Lock.table(node.info.table, exclusive=True).key,
        )
        return any(key in claimed for key in keys)

    async def _compare(self) -> None:
        """Asks the servers what they serve; a region missing twice in a row is assigned anew.

        A late duplicate of a call, or a fault of ours, may have closed it.
        """
        missing: dict[str, None] = {}
        for live in self.servers.live():
            at_rest = self._open_on(live.name)
            try:
                served = await self.servers.call(live.name, "regions")
            except ServerGoneError:
                continue
            self.loads.observe(live.name, served)
            names = {one.encoded: None for one in served if one.state is RegionState.OPEN}
            still = dict.fromkeys(self._open_on(live.name))
            for encoded in at_rest:
                if encoded not in names and encoded in still:
                    missing[encoded] = None
        for encoded in missing:
            node = self.assignment.region(encoded)
            if encoded in self._suspects and node is not None:
                log.warning("region %s is not served by %s any more", node.info, node.server)
                self.assignment.set_state(
                    node, TransitionState.OPENING, reason=f"{node.server} does not serve it"
                )
                await self.executor.submit(AssignProcedure(region=node.info))
        self._suspects = {one: None for one in missing if one not in self._suspects}

    def _open_on(self, server: ServerName) -> list[str]:
        claimed = self._claimed()
        return [
            node.info.encoded_name
            for node in self.assignment.regions_on(server)
            if node.state == TransitionState.OPEN and not self._is_claimed(node, claimed)
        ]

    async def request_split(self, encoded: str) -> None:
        """Begins a split unless the region is in a procedure's hands, or its namespace has as
        many regions as it may: its server will ask again in a few seconds."""
        node = self.assignment.region(encoded)
        if node is None or self.is_claimed(node):
            return
        try:
            check_split(self.environment, node.info)
        except QuotaExceededError as error:
            log.info("%s", error)
            return
        await self.executor.submit(SplitProcedure(region=node.info))

    def begin_normalizing(self, tables: Collection[TableName]) -> None:
        """One round of the normalizer on these tables, in the background."""

        async def once() -> None:
            await self._once(lambda: self.normalizer.run(tables))

        self.background(once())

    async def run_janitor(self) -> None:
        cleaned = await self.janitor.run()
        log.info("janitor: %s", cleaned)

    # -- tasks -----------------------------------------------------------------------------

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs it until it is done or the term ends; its failure ends the term."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks = [one for one in self._tasks if not one.done()]
        self._tasks.append(task)

    def _every(
        self, period_s: float, work: Callable[[], Awaitable[Any]], *, late: bool = False
    ) -> None:
        async def rounds() -> None:
            if late:
                await self.environment.runtime.clock.sleep(period_s)
            while True:
                await self._once(work)
                await self.environment.runtime.clock.sleep(period_s)

        self.background(rounds())

    async def _guarded(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Work that must not be given up: it is tried again until it is done."""
        while not await self._once(work):
            await self.environment.runtime.clock.sleep(1.0)

    async def _once(self, work: Callable[[], Awaitable[Any]]) -> bool:
        try:
            await work()
        except (FatalError, SessionExpiredError, StaleMasterError) as error:
            self._end(error)
            return True
        except Exception:
            log.exception("%s failed and will be tried again", getattr(work, "__name__", work))
            return False
        return True

    def _end(self, error: BaseException) -> None:
        if not self._ended:
            self._ended = True
            self._on_end(error)

    async def stop(self) -> None:
        """Leaves everything as it stands, for the next master."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.executor.stop()
