"""Master: the process that waits to lead, leads, and ends when it no longer may."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from ..config import ClusterConfig
from ..coordination import layout
from ..errors import (
    FatalError,
    MasterNotRunningError,
    PleaseHoldError,
    UnknownRegionError,
)
from ..model import RegionInfo, ServerName, TableDescriptor, TableName
from ..rpc.server import RpcServer
from ..runtime import Listener, Runtime
from .fsck.mends import Act
from .master_service import MasterService
from .master_status import master_status, procedure_status
from .master_term import MasterTerm
from .mender import Mender
from .meta_service import ClientMetaService
from .observers import Authorizer
from .procedure_store import RegionProcedureStore
from .procedures.alter import AlterTableProcedure
from .procedures.flush import FlushTableProcedure
from .procedures.merge import MergeProcedure
from .procedures.move import MoveProcedure
from .procedures.procedure import Procedure
from .procedures.split import SplitProcedure
from .procedures.tables import (
    CreateTableProcedure,
    DeleteTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
)
from .recipes import Election
from .registry_cache import RegistryCache
from .session import Session

log = logging.getLogger(__name__)

_FENCE_LOOK_S: Final = 1.0


class Master:
    """A candidate for the lead, and the active master once elected.

    Reads and writes of clients need no master. What the active one does is written down in
    its procedure store before it does it; the next one fences that store, then hbase:meta,
    and goes on. When the session is over or a later master has fenced this one, the process
    ends. Source: HMaster.java, ActiveMasterManager.java.
    """

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        config: ClusterConfig,
        authorizer: Authorizer | None = None,
    ) -> None:
        self._runtime = runtime
        self._name = name
        self._config = config
        self._session = Session(runtime, config.session, name)
        self._registry = RegistryCache(self._session)
        self._rpc = RpcServer(
            {
                "ClientMetaService": ClientMetaService(self._registry, authorizer),
                "MasterService": MasterService(self, authorizer),
            },
            config.rpc,
            runtime.clock,
            self._check,
            on_fatal=self._end,
            cluster_id=lambda: self._registry.cluster_id or None,
        )
        self._listener: Listener | None = None
        self._election: Election | None = None
        self._leading: asyncio.Task[None] | None = None
        self._store: RegionProcedureStore | None = None
        self._term: MasterTerm | None = None
        self._ending = False
        self.server: ServerName

    # -- life ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Opens the port and the session, and stands for election; returns as a candidate."""
        rpc = self._config.rpc
        self._listener = await self._runtime.network.listen(self._rpc, rpc.host, 0)
        self.server = ServerName(rpc.host, self._listener.port, self._runtime.clock.now_ms())
        self._session.on_expired(lambda: self._end(FatalError("the session has expired")))
        await self._session.open()
        await self._registry.start()
        data = layout.encode_data(process=self._name, server=str(self.server))
        self._election = Election(self._session, str(self.server), data)
        self._leading = asyncio.get_running_loop().create_task(self._lead())

    async def _lead(self) -> None:
        assert self._election is not None
        try:
            epoch = await self._election.campaign()
            log.info("%s leads with epoch %d", self._name, epoch)
            self._store = await RegionProcedureStore.open(self._runtime, self._config, epoch)
            self._term = MasterTerm(
                self._runtime, self._config, self._session, epoch, self._store, self._end
            )
            await asyncio.gather(self._term.begin(), self._end_if_fenced())
        except Exception as error:
            log.exception("%s cannot lead", self._name)
            self._end(error)

    async def _end_if_fenced(self) -> None:
        """If the coordinator cannot be heard, this is where the end of the lead shows.

        Raises FencedError when a later master has taken over.
        """
        while True:
            await self._check()
            await self._runtime.clock.sleep(_FENCE_LOOK_S)

    def _end(self, error: BaseException) -> None:
        """The process ends: another leads, or nobody can tell any more."""
        if not self._ending:
            self._ending = True
            self._runtime.processes.exit(f"master {self._name}: {type(error).__name__}: {error}")

    async def stop(self) -> None:
        """Ends cleanly: what is under way is left to the next master."""
        self._ending = True
        if self._leading is not None:
            self._leading.cancel()
            await asyncio.gather(self._leading, return_exceptions=True)
        if self._term is not None:
            await self._term.stop()
        if self._store is not None:
            await self._store.close()
        await self._session.close()
        if self._listener is not None:
            await self._listener.close()
        await self._rpc.close()

    async def _check(self) -> None:
        """The gate of every answer: a master that was fenced says nothing more."""
        if self._store is not None:
            await self._store.check()

    async def hold(self, session_id: int) -> bool:
        """Kept open by the coordinator while the session lasts."""
        return await self._session.hold(session_id)

    # -- control ---------------------------------------------------------------------------

    @property
    def term(self) -> MasterTerm:
        """The term of an active master that has taken over.

        Raises MasterNotRunningError, or PleaseHoldError while it is taking over.
        """
        if self._election is None or self._election.epoch is None:
            raise MasterNotRunningError(f"{self._name} stands by")
        if self._term is None or not self._term.initialized.is_set():
            raise PleaseHoldError(f"{self._name} is taking over")
        return self._term

    @property
    def is_active(self) -> bool:
        return self._election is not None and self._election.epoch is not None

    @property
    def registry(self) -> RegistryCache:
        return self._registry

    async def perform(self, procedure: Procedure) -> int:
        """Submits it and waits for its end; its id. Raises what it ended with."""
        executor = self.term.executor
        procedure_id = await executor.submit(procedure)
        await executor.wait(procedure_id)
        return procedure_id

    async def create_table(
        self, descriptor: TableDescriptor, split_keys: tuple[bytes, ...] = ()
    ) -> None:
        """Returns when all regions are open, or cannot be opened now.

        Raises TableExistsError, NamespaceNotFoundError, IllegalArgumentError.
        """
        await self.perform(
            CreateTableProcedure(
                table=descriptor.name, descriptor=descriptor, split_keys=split_keys
            )
        )

    async def delete_table(self, table: TableName) -> None:
        """Raises TableNotFoundError, TableNotDisabledError."""
        await self.perform(DeleteTableProcedure(table=table))

    async def enable_table(self, table: TableName) -> None:
        """Raises TableNotFoundError, TableNotDisabledError."""
        await self.perform(EnableTableProcedure(table=table))

    async def disable_table(self, table: TableName) -> None:
        """Raises TableNotFoundError, TableNotEnabledError."""
        await self.perform(DisableTableProcedure(table=table))

    async def alter_table(self, descriptor: TableDescriptor) -> None:
        """Returns when every region has the new descriptor.

        Raises TableNotFoundError, IllegalArgumentError, and InvalidRequestError if a region
        cannot be opened with it.
        """
        await self.perform(AlterTableProcedure(table=descriptor.name, descriptor=descriptor))

    async def flush_table(self, table: TableName) -> None:
        """Returns when what its open regions have in memory is in files."""
        await self.perform(FlushTableProcedure(table=table))

    async def move_region(self, encoded: str, destination: str = "") -> None:
        """To a server, named host,port,startcode, or to the one that suits best."""
        await self.perform(MoveProcedure(region=self.region(encoded), destination=destination))

    async def split_region(self, encoded: str, row: bytes = b"") -> None:
        """At ``row``, or in the middle. Returns when both daughters are open."""
        await self.perform(SplitProcedure(region=self.region(encoded), row=row))

    async def merge_regions(self, *encoded: str, forcible: bool = False) -> None:
        """In the order of their keys. Returns when the merged region is open."""
        regions = tuple(self.region(one) for one in encoded)
        await self.perform(MergeProcedure(regions=regions, forcible=forcible))

    async def request_split(self, encoded: str) -> None:
        """A server's wish, when a region has grown too big; it is granted if it can be."""
        await self.term.request_split(encoded)

    async def balance(self) -> list[str]:
        """One round of the balancer now; the moves made, with their reasons."""
        return [str(move) for move in (await self.term.balancer.run()).made]

    async def set_balancer(self, on: bool) -> bool:
        """Switches the balancer, for later masters, too; whether it was on."""
        return await self.term.switches.set_balancer(on)

    async def run_janitor(self) -> None:
        """One round of cleaning now."""
        await self.term.run_janitor()

    async def mend(self, act: str, subject: str) -> str:
        """Mends what fsck found; see fsck/mends.py. Raises InvalidRequestError."""
        return await Mender(self.term).mend(Act(act), subject)

    async def status(self) -> dict[str, Any]:
        """The cluster as this master sees it, for people. Raises MasterNotRunningError."""
        if not self.is_active:
            raise MasterNotRunningError(f"{self._name} stands by")
        if self._term is None:
            raise PleaseHoldError(f"{self._name} is taking over")
        return await master_status(self._term, self.server, self._registry)

    async def procedures(self, ended: bool = False) -> list[dict[str, Any]]:
        """Those under way, for people; ``ended``: also the last that are over."""
        term = self.term
        found = term.executor.all() if ended else term.executor.unfinished()
        return [procedure_status(term, one) for one in found]

    def region(self, encoded: str) -> RegionInfo:
        """Raises UnknownRegionError."""
        node = self.term.assignment.region(encoded)
        if node is None:
            raise UnknownRegionError(f"there is no region {encoded}")
        return node.info
