"""The region server: one life of a process that holds regions and answers for them.

It opens a session, creates its log, listens, and shows itself under /hbase/rs; then the master
gives it regions. It ends the moment it learns that it may no longer speak: its log fenced, a
manifest lost, a sync failed, its session over. What it has not sent by then is never sent.
Source: HRegionServer.java, RSRpcServices.java.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from ..config import ClusterConfig
from ..coordination import layout
from ..errors import (
    FatalError,
    FencedError,
    NotServingRegionError,
    ServerNotRunningError,
    SessionExpiredError,
    StorageError,
)
from ..model import ServerName, TableDescriptor, TableName
from ..operations import Mutation
from ..rpc.server import RpcServer
from ..runtime import Listener, Runtime
from ..storage.cells import CellBatch
from ..storage.hfile import warm_up
from . import region_closer
from .admin_service import AdminService
from .client_service import ClientService
from .hosted_region import HostedRegion
from .io_counters import CountingFiles
from .messages import (
    AdoptRequest,
    CloseRequest,
    CloseResult,
    FlushResult,
    MoveRequest,
    MoveResult,
    OpenRequest,
    OpenResult,
    PrepareRequest,
    RegionStatus,
    ServerStatus,
    SplitRequest,
    SplitResult,
)
from .meta_region import MetaRegion
from .meta_service import ClientMetaService
from .observers import Authorizer, RegionObserver
from .orders import Orders
from .region_chores import RegionChores
from .region_control import RegionControl
from .region_map import RegionMap
from .region_services import MemstoreGauge, RegionServices
from .registry_cache import RegistryCache
from .server_logs import ServerLogs
from .server_report import report_of
from .session import Session
from .store_io import StoreIO

log = logging.getLogger(__name__)

T = TypeVar("T")

_TIDY_S: Final = 1.0
_PORTS_TRIED: Final = 100


class RegionServer:
    """Its public coroutines are the control calls; see messages.py for what they promise."""

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        config: ClusterConfig,
        *,
        authorizer: Authorizer | None = None,
        observers: Sequence[RegionObserver] = (),
    ) -> None:
        self.runtime = runtime
        self.name = name
        self.config = config
        self.authorizer = authorizer
        self.observers = tuple(observers)
        self.server: ServerName | None = None
        self.session = Session(runtime, config.session, name)
        self.registry = RegistryCache(self.session)
        self._failure: BaseException | None = None
        self._serving = False
        self._listener: Listener | None = None
        self._orders = Orders()
        self._map = RegionMap(runtime.clock, config.region_server.moved_memory_s)
        self._meta = MetaRegion(self._map, self._orders)
        self._services = RegionServices(
            runtime,
            config,
            name,
            StoreIO.create(runtime, config.store, config.region_server.handoff_bytes_max),
            self.fail,
            MemstoreGauge(config.store),
        )
        self._chores = RegionChores(
            runtime,
            config,
            self._map.online,
            self._services.memstores,
            lambda: self._map.is_opening,
            self._ask_split,
            self._map.count_of,
        )
        self._services.flush_wanted = self._chores.want_flush
        self._services.memory_high = self._chores.memory_high
        self._services.store_files_changed = self._chores.files_changed
        self._logs = ServerLogs(runtime, config.wal, self.fail, self._flush_pinning)
        self._clients = ClientService(self)
        self._control = RegionControl(
            self._services,
            self._logs,
            self._map,
            self._chores.region_came,
            self._clients.scans.close_region,
        )
        self._rpc = self._make_rpc()

    def _make_rpc(self) -> RpcServer:
        return RpcServer(
            {
                "ClientService": self._clients,
                "ClientMetaService": ClientMetaService(self.registry, self.authorizer),
                "AdminService": AdminService(self),
            },
            self.config.rpc,
            self.runtime.clock,
            self._may_answer,
            on_fatal=self.fail,
            cluster_id=lambda: self.registry.cluster_id or None,
        )

    # Life

    async def start(self) -> None:
        """Returns when the server has shown itself to the master.

        Raises OSError if it cannot listen or write its log.
        """
        warm_up()
        await self.session.open()
        self.session.on_expired(lambda: self.fail(SessionExpiredError(self.session.session_id)))
        await self.registry.start()
        self._listener = await self._listen()
        self.server = await self._logs.begin_life(self.config.rpc.host, self._listener.port)
        self._services.server = str(self.server)
        self._serving = True
        data = layout.encode_data(process=self.name, server=str(self.server))
        await self.session.create(f"{layout.REGION_SERVERS}/{self.server}", data, ephemeral=True)
        self._chores.start()
        self._chores.background(self._tidy_periodically())
        log.info("%s serves as %s", self.name, self.server)

    async def _listen(self) -> Listener:
        """On the configured port, or, as it may be a neighbour's, on one of the next."""
        host, port = self.config.rpc.host, self.config.rpc.port
        for number in range(port, port + _PORTS_TRIED if port else 0):
            with suppress(OSError):
                return await self.runtime.network.listen(self._rpc, host, number)
        return await self.runtime.network.listen(self._rpc, host, port)

    async def stop(self) -> None:
        """Gives every region up and ends; what cannot be closed is recovered by the master."""
        for hosted in list(self._map.online.values()):
            try:
                await region_closer.close(hosted, hosted.manifest.master_epoch)
            except (NotServingRegionError, StorageError) as error:
                log.warning("%s is left to recovery: %s", hosted.info, error)
            self._control.forget(hosted)
        self._serving = False
        await self._chores.stop()
        await self._rpc.close()
        if self._listener is not None:
            await self._listener.close()
        await self._logs.close()
        await self.session.close()

    def fail(self, error: BaseException) -> None:
        """Ends the process: from here on it acknowledges and answers nothing."""
        if self._failure is not None:
            return
        self._failure = error
        self._serving = False
        self._rpc.fail(error if isinstance(error, Exception) else FencedError(repr(error)))
        self.runtime.processes.exit(f"{type(error).__name__}: {error}")

    async def _may_answer(self) -> None:
        """The gate before every batch of answers. Raises what the process must end of."""
        if self._failure is not None:
            raise FencedError(f"{self.name} has ended: {self._failure!r}")
        await self._logs.check()

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of a control call, which is an answer like any other.

        What ends this process is not the caller's to end of.
        """
        if not self._serving:
            raise ServerNotRunningError(f"{self.name} is not in service")
        try:
            result = await work()
            await self._may_answer()
        except FatalError as error:
            self.fail(error)
            raise ServerNotRunningError(f"{self.server} has ended: {error}") from None
        except OSError as error:
            raise StorageError(f"{type(error).__name__}: {error}") from error
        return result

    async def _ordered(
        self,
        encoded: str,
        request: OpenRequest
        | CloseRequest
        | MoveRequest
        | PrepareRequest
        | AdoptRequest
        | SplitRequest,
        work: Callable[[], Awaitable[T]],
    ) -> T:
        """Carries an order out, once, after all earlier ones about the region."""
        what = type(request).__name__
        return await self._guarded(
            lambda: self._orders.carry_out(encoded, request.master_epoch, request.order, what, work)
        )

    # Control calls: the process

    async def hold(self, session_id: int) -> bool:
        """Returns when this process does not have the session, or no longer."""
        return await self.session.hold(session_id)

    async def status(self) -> ServerStatus:
        """Load and counters."""
        return report_of(
            self.name,
            self._services,
            self._map,
            self._chores,
            self._logs,
            scanners=len(self._clients.scans.leases),
            calls=self._rpc.counters,
        )

    async def file_reads(self, path: str) -> int:
        """How often this process has read from a file, by the file system's own count."""
        files = self.runtime.files
        assert isinstance(files, CountingFiles), files
        return files.counters.path(path).reads

    # Control calls: regions

    async def open_region(self, request: OpenRequest) -> OpenResult:
        encoded = request.info.encoded_name
        return await self._ordered(encoded, request, lambda: self._control.open(request))

    async def close_region(self, request: CloseRequest) -> CloseResult:
        return await self._ordered(request.encoded, request, lambda: self._control.close(request))

    async def hand_over(self, request: MoveRequest) -> MoveResult:
        return await self._ordered(
            request.encoded, request, lambda: self._control.hand_over(request)
        )

    async def prepare_open(self, request: PrepareRequest) -> None:
        encoded = request.info.encoded_name
        await self._ordered(encoded, request, lambda: self._control.prepare(request))

    async def adopt_region(self, request: AdoptRequest) -> OpenResult:
        return await self._ordered(request.encoded, request, lambda: self._control.adopt(request))

    async def abandon(self, encoded: str) -> None:
        """The source of a move keeps the region after all."""
        self._control.abandon(encoded)

    async def split_region(self, request: SplitRequest) -> SplitResult:
        encoded = request.parent.encoded_name
        return await self._ordered(encoded, request, lambda: self._control.split(request))

    async def split_point(self, encoded: str) -> bytes | None:
        """The row in the middle; None if the region cannot be split now."""
        hosted = self._control.hosted(encoded)
        return await self._guarded(lambda: hosted.resume(hosted.region.split_point))

    async def flush_region(self, encoded: str) -> FlushResult:
        """Everything that is in the region's memory now is in files when this returns."""
        return await self._guarded(self._control.hosted(encoded).flush)

    async def compact_region(self, encoded: str, major: bool = False) -> None:
        """Returns at once."""
        hosted = self._control.hosted(encoded)
        hosted.check_serving()
        self.want_compaction(hosted, major=major)

    async def region_state(self, encoded: str) -> RegionStatus:
        """Where the region stands here."""

        async def look() -> RegionStatus:
            return self._map.status(encoded)

        return await self._guarded(look)

    async def regions(self) -> list[RegionStatus]:
        """Those that are open here, or on their way out."""

        async def look() -> list[RegionStatus]:
            return self._map.statuses()

        return await self._guarded(look)

    async def opened_as(self, table: TableName) -> dict[str, TableDescriptor]:
        """The descriptor with which each region of the table was opened that is open here."""

        async def look() -> dict[str, TableDescriptor]:
            return self._map.descriptors(table)

        return await self._guarded(look)

    async def scanned_files(self) -> list[str]:
        """Store files of regions here that were compacted away and open scanners still read."""

        async def look() -> list[str]:
            return [
                path
                for hosted in self._map.online.values()
                for path in hosted.region.files.replaced_paths
            ]

        return await self._guarded(look)

    async def unneeded_files(self, encoded: str, paths: list[str]) -> list[str]:
        """Those of the region's files that this server, its owner, is done with for good."""
        return await self._guarded(lambda: self._control.unneeded_files(encoded, paths))

    # Control calls: hbase:meta

    async def mutate_meta(self, master_epoch: int, mutations: Sequence[Mutation]) -> int:
        return await self._guarded(lambda: self._meta.mutate(master_epoch, mutations))

    async def read_meta(self, start_row: bytes, stop_row: bytes) -> CellBatch:
        return await self._guarded(lambda: self._meta.read(start_row, stop_row))

    async def meta_newest_ms(self) -> int:
        return await self._guarded(self._meta.newest_ms)

    async def fence_meta(self, master_epoch: int) -> None:
        await self._guarded(lambda: self._meta.fence(master_epoch))

    # What services and chores ask for

    def find(self, name: bytes) -> HostedRegion:
        """The region that a client names; see region_host.py."""
        if not self._serving:
            raise ServerNotRunningError(f"{self.name} is not in service")
        return self._map.find(name)

    def want_compaction(self, hosted: HostedRegion, *, major: bool) -> None:
        if major:
            self._chores.want_major(hosted.encoded)
        else:
            self._chores.files_changed(hosted.encoded)

    def _flush_pinning(self, regions: Mapping[str, int]) -> None:
        for encoded, sequence_id in regions.items():
            hosted = self._map.online.get(encoded)
            if hosted is not None:
                families = hosted.region.files.families_with_edits(sequence_id)
                self._chores.want_flush(encoded, families or None)

    async def _ask_split(self, hosted: HostedRegion) -> None:
        master = self.registry.master
        if master is not None:
            timeout_s = self.config.master.control_call_timeout_s
            remote = self.runtime.processes.remote(master.process)
            await remote.call("request_split", hosted.encoded, timeout_s=timeout_s)

    async def _tidy_periodically(self) -> None:
        while True:
            await self.runtime.clock.sleep(_TIDY_S)
            try:
                await self._logs.check()
            except FatalError as error:
                # A server that the coordinator does not reach hears of its end in no other way.
                return self.fail(error)
            self._clients.scans.leases.expire()
            self._map.expire()
            self._control.expire_splits()
            self._logs.roll_old()
