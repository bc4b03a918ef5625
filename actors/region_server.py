"""The region server: one life of a process that holds regions and answers for them.

It opens a session, creates its log, listens, and shows itself under /hbase/rs; then the master
gives it regions. It ends the moment it learns that it may no longer speak: its log fenced, a
manifest lost, a sync failed, its session over. What it has not sent by then is never sent.
Source: HRegionServer.java, RSRpcServices.java.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Final, TypeVar

from ..config import ClusterConfig
from ..coordination import layout
from ..errors import (
    FatalError,
    FencedError,
    InvalidRequestError,
    NotServingRegionError,
    ServerNotRunningError,
    SessionExpiredError,
    StorageError,
    SyncFailedError,
)
from ..model import META_ENCODED_NAME, ServerName
from ..operations import Mutation, Scan
from ..rpc.server import RpcServer
from ..runtime import Listener, Runtime
from ..storage.cells import CellBatch
from ..storage.hfile import warm_up
from .admin_service import AdminService
from .client_service import ClientService
from .daughters import write_daughters
from .hosted_region import HostedRegion
from .log_writer import META_PREFIX, LogWriter
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
from .meta_service import ClientMetaService
from .observers import Authorizer, RegionObserver
from .orders import Orders
from .region_chores import RegionChores
from .region_map import RegionMap
from .region_mover import adopt, hand_over, prepare
from .region_opener import open_region, release
from .region_services import MemstoreGauge, RegionServices
from .registry_cache import RegistryCache
from .session import Session
from .store_io import StoreIO

log = logging.getLogger(__name__)

T = TypeVar("T")

_TIDY_S: Final = 1.0


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
        self._map = RegionMap(runtime.clock, config.region_server.moved_memory_s)
        self._orders = Orders()
        self._failure: BaseException | None = None
        self._serving = False
        self._services = RegionServices(
            runtime,
            config,
            name,
            StoreIO.create(runtime, config.store, config.region_server.handoff_bytes_max),
            self.fail,
            MemstoreGauge(config.store),
        )
        self._chores = RegionChores(
            runtime, config, self._map.online, self._services.memstores, self._ask_split
        )
        self._services.flush_wanted = self._chores.want_flush
        self._services.store_files_changed = self._chores.files_changed
        self._logs: dict[str, LogWriter] = {}
        self._listener: Listener | None = None
        self._clients = ClientService(self)
        self._rpc = RpcServer(
            {
                "ClientService": self._clients,
                "ClientMetaService": ClientMetaService(self.registry, authorizer),
                "AdminService": AdminService(self),
            },
            config.rpc,
            runtime.clock,
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
        rpc = self.config.rpc
        self._listener = await self.runtime.network.listen(self._rpc, rpc.host, rpc.port)
        await self._begin_life(ServerName(rpc.host, self._listener.port, 0))
        self._serving = True
        data = layout.encode_data(process=self.name, server=str(self.server))
        await self.session.create(f"{layout.REGION_SERVERS}/{self.server}", data, ephemeral=True)
        self._chores.start()
        self._chores.background(self._tidy_periodically())
        log.info("%s serves as %s", self.name, self.server)

    async def _begin_life(self, address: ServerName) -> None:
        """Takes a start code that no life at this address had, and creates the log."""
        start_code = self.runtime.clock.now_ms()
        while True:
            server = ServerName(address.host, address.port, start_code)
            try:
                await self._create_log(server, "")
            except (FileExistsError, FencedError):
                start_code += 1
                continue
            self.server = server
            self._services.server = str(server)
            return

    async def _create_log(self, server: ServerName, prefix: str) -> LogWriter:
        writer = LogWriter(
            self.runtime, str(server), prefix, self.config.wal, self.fail, self._flush_pinning
        )
        await writer.start()
        self._logs[prefix] = writer
        return writer

    async def stop(self) -> None:
        """Gives every region up and ends; what cannot be closed is recovered by the master."""
        for hosted in list(self._map.online.values()):
            try:
                await hosted.close(hosted.manifest.master_epoch)
            except (NotServingRegionError, StorageError) as error:
                log.warning("%s is left to recovery: %s", hosted.info, error)
            self._forget(hosted)
        self._serving = False
        await self._chores.stop()
        await self._rpc.close()
        if self._listener is not None:
            await self._listener.close()
        for writer in self._logs.values():
            await writer.close()
        await self.session.close()

    def fail(self, error: BaseException) -> None:
        """Ends the process: from here on it acknowledges and answers nothing."""
        if self._failure is not None:
            return
        self._failure = error
        self._serving = False
        failure = error if isinstance(error, Exception) else FencedError(repr(error))
        self._rpc.fail(failure)
        self.runtime.processes.exit(f"{type(error).__name__}: {error}")

    async def _may_answer(self) -> None:
        """The gate before every batch of answers. Raises what the process must end of."""
        if self._failure is not None:
            raise FencedError(f"{self.name} has ended: {self._failure!r}")
        for writer in self._logs.values():
            await writer.check()

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
        master_epoch: int,
        order: int,
        what: str,
        work: Callable[[], Awaitable[T]],
    ) -> T:
        return await self._guarded(
            lambda: self._orders.carry_out(encoded, master_epoch, order, what, work)
        )

    # Control calls: the process

    async def hold(self, session_id: int) -> None:
        """Returns when this process no longer has the session."""
        await self.session.hold(session_id)

    async def status(self) -> ServerStatus:
        """Load and counters."""
        cache = self._services.io.cache
        counters = {
            **asdict(self._services.io.counters),
            "handoff_bytes": self._services.io.handoff.bytes,
            "flushes": self._chores.flushes,
            "compactions": self._chores.compactions,
            "cache_hits": cache.stats.hits,
            "cache_misses": cache.stats.misses,
            "scanners": len(self._clients.scans.leases),
            **{f"rpc_{name}": count for name, count in asdict(self._rpc.counters).items()},
        }
        for prefix, writer in self._logs.items():
            for name, count in asdict(writer.counters).items():
                counters[f"wal_{prefix}{name}"] = count
        return ServerStatus(
            str(self.server),
            self.name,
            tuple(self._statuses()),
            self._services.memstores.bytes,
            cache.memory_bytes,
            sum(writer.files for writer in self._logs.values()),
            counters,
        )

    # Control calls: regions

    async def open_region(self, request: OpenRequest) -> OpenResult:
        encoded = request.info.encoded_name
        return await self._ordered(
            encoded,
            request.master_epoch,
            request.order,
            "open",
            lambda: self._open(encoded, request),
        )

    async def _open(self, encoded: str, request: OpenRequest) -> OpenResult:
        hosted = self._map.online.get(encoded)
        if hosted is None:
            self._map.begin_opening(request.info)
            try:
                hosted = await open_region(self._services, await self._log_of(encoded), request)
            except BaseException:
                self._map.opening_failed(encoded)
                raise
            self._serve(hosted)
        return OpenResult(encoded, str(self.server), hosted.open_sequence_id)

    async def close_region(self, request: CloseRequest) -> CloseResult:
        return await self._ordered(
            request.encoded,
            request.master_epoch,
            request.order,
            "close",
            lambda: self._close(request),
        )

    async def _close(self, request: CloseRequest) -> CloseResult:
        encoded = request.encoded
        self._map.prepared.pop(encoded, None)
        hosted = self._map.online.get(encoded)
        if hosted is None:
            info = self._map.unserved.get(encoded)
            if info is not None:
                await release(self._services, info, request.master_epoch)
                del self._map.unserved[encoded]
            moved = self._map.moved_to(encoded)
            return CloseResult(encoded, False, moved_to=moved)
        sequence_id = await hosted.close(request.master_epoch)
        self._forget(hosted, moved_to=request.destination)
        return CloseResult(encoded, True, sequence_id)

    async def hand_over(self, request: MoveRequest) -> MoveResult:
        return await self._ordered(
            request.encoded,
            request.master_epoch,
            request.order,
            "hand_over",
            lambda: self._hand_over(request),
        )

    async def _hand_over(self, request: MoveRequest) -> MoveResult:
        hosted = self._hosted(request.encoded)
        if request.target == str(self.server):
            raise InvalidRequestError(f"{hosted.info} is at {request.target} already")
        result = await hand_over(hosted, request)
        if result.moved:
            self._forget(hosted, moved_to=result.server, sequence_id=result.open_sequence_id)
        return result

    async def prepare_open(self, request: PrepareRequest) -> None:
        encoded = request.info.encoded_name
        await self._ordered(
            encoded,
            request.master_epoch,
            request.order,
            "prepare",
            lambda: self._prepare(encoded, request),
        )

    async def _prepare(self, encoded: str, request: PrepareRequest) -> None:
        if encoded in self._map.online:
            raise InvalidRequestError(f"{request.info} is open at {self.server} already")
        await self._log_of(encoded)
        self._map.prepared[encoded] = await prepare(self._services, request)

    async def adopt_region(self, request: AdoptRequest) -> OpenResult:
        return await self._ordered(
            request.encoded,
            request.master_epoch,
            request.order,
            "adopt",
            lambda: self._adopt(request),
        )

    async def _adopt(self, request: AdoptRequest) -> OpenResult:
        encoded = request.encoded
        prepared = self._map.prepared.pop(encoded, None)
        if prepared is None:
            raise NotServingRegionError(f"{encoded} was not prepared, or too long ago")
        self._map.begin_opening(prepared.info)
        try:
            hosted = await adopt(self._services, await self._log_of(encoded), prepared, request)
        except BaseException:
            self._map.opening_failed(encoded)
            raise
        self._serve(hosted)
        return OpenResult(encoded, str(self.server), hosted.open_sequence_id)

    async def abandon(self, encoded: str) -> None:
        """The source keeps the region after all."""
        self._map.prepared.pop(encoded, None)

    async def split_region(self, request: SplitRequest) -> SplitResult:
        return await self._ordered(
            request.parent.encoded_name,
            request.master_epoch,
            request.order,
            "split",
            lambda: self._split(request),
        )

    async def _split(self, request: SplitRequest) -> SplitResult:
        encoded = request.parent.encoded_name
        hosted = self._map.online.get(encoded)
        if hosted is not None:
            await hosted.close(request.master_epoch)
            self._forget(hosted)
        parent = await write_daughters(self.runtime.files, request)
        handed = self._services.io.handoff.of(entry.path for entry in parent.files)
        return SplitResult(encoded, parent.max_sequence_id, handed)

    async def split_point(self, encoded: str) -> bytes | None:
        """The row in the middle; None if the region cannot be split now."""
        hosted = self._hosted(encoded)
        return await self._guarded(lambda: hosted.resume(hosted.region.split_point))

    async def flush_region(self, encoded: str) -> FlushResult:
        """Everything that is in the region's memory now is in files when this returns."""
        hosted = self._hosted(encoded)
        return await self._guarded(hosted.flush)

    async def compact_region(self, encoded: str, major: bool = False) -> None:
        """Returns at once."""
        hosted = self._hosted(encoded)
        hosted.check_serving()
        self.want_compaction(hosted, major=major)

    async def region_state(self, encoded: str) -> RegionStatus:
        """Where the region stands here."""
        return await self._guarded(lambda: self._status_of(encoded))

    async def _status_of(self, encoded: str) -> RegionStatus:
        return self._map.status(encoded)

    async def regions(self) -> list[RegionStatus]:
        """Those that are open here, or closing."""
        return self._statuses()

    def _statuses(self) -> list[RegionStatus]:
        return [hosted.status() for hosted in self._map.online.values()]

    # Control calls: hbase:meta

    async def mutate_meta(self, master_epoch: int, mutations: Sequence[Mutation]) -> int:
        """Applies puts and deletes to hbase:meta, all or none; durable when it returns."""
        return await self._guarded(lambda: self._mutate_meta(master_epoch, mutations))

    async def _mutate_meta(self, master_epoch: int, mutations: Sequence[Mutation]) -> int:
        hosted = self._hosted(META_ENCODED_NAME)
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def write() -> None:
            # In the breath of the write: a later master may speak while a block is fetched.
            self._check_meta_epoch(hosted, master_epoch)
            hosted.write(mutations, lambda: acknowledged.set_result(None))

        await hosted.resume(write)
        await acknowledged
        return hosted.region.read_point

    async def read_meta(self, start_row: bytes, stop_row: bytes) -> CellBatch:
        """The newest cells of hbase:meta's rows between the two; empty bounds are open."""
        return await self._guarded(lambda: self._read_meta(start_row, stop_row))

    async def _read_meta(self, start_row: bytes, stop_row: bytes) -> CellBatch:
        hosted = self._hosted(META_ENCODED_NAME)
        await hosted.decided()
        scanner = await hosted.resume(lambda: hosted.scanner(Scan(start_row, stop_row)))
        try:
            return await hosted.resume(scanner.next)
        finally:
            scanner.close()

    async def fence_meta(self, master_epoch: int) -> None:
        """Lower epochs are refused from now on, here and wherever hbase:meta goes."""
        await self._guarded(lambda: self._fence_meta(master_epoch))

    async def _fence_meta(self, master_epoch: int) -> None:
        hosted = self._hosted(META_ENCODED_NAME)
        async with hosted.files_turn:
            hosted.check_serving()
            self._check_meta_epoch(hosted, master_epoch)
            if hosted.manifest.master_epoch < master_epoch:
                manifest = hosted.region.next_manifest(master_epoch=master_epoch)
                await hosted.commit(manifest)
                hosted.region.manifest = manifest

    def _check_meta_epoch(self, hosted: HostedRegion, master_epoch: int) -> None:
        self._orders.check_epoch(master_epoch)
        hosted.check_epoch(master_epoch)

    # Regions and their services

    def find(self, name: bytes) -> HostedRegion:
        if not self._serving:
            raise ServerNotRunningError(f"{self.name} is not in service")
        return self._map.find(name)

    def want_compaction(self, hosted: HostedRegion, *, major: bool) -> None:
        if major:
            self._chores.want_major(hosted.encoded)
        else:
            self._chores.files_changed(hosted.encoded)

    def _hosted(self, encoded: str) -> HostedRegion:
        hosted = self._map.online.get(encoded)
        if hosted is None:
            raise NotServingRegionError(f"region {encoded} is not at {self.server}")
        return hosted

    def _serve(self, hosted: HostedRegion) -> None:
        hosted.serve()
        self._map.add(hosted)
        if hosted.recovered_files:
            hosted.want_flush()
        self._chores.files_changed(hosted.encoded)

    def _forget(self, hosted: HostedRegion, *, moved_to: str = "", sequence_id: int = 0) -> None:
        self._map.remove(hosted, moved_to, sequence_id)
        self._clients.scans.close_region(hosted)

    async def _log_of(self, encoded: str) -> LogWriter:
        """hbase:meta has a log of its own, which is recovered first."""
        prefix = META_PREFIX if encoded == META_ENCODED_NAME else ""
        writer = self._logs.get(prefix)
        if writer is None:
            assert self.server is not None
            try:
                writer = await self._create_log(self.server, prefix)
            except OSError as error:
                raise SyncFailedError(f"no log for hbase:meta: {error}") from error
        return writer

    def _flush_pinning(self, regions: Sequence[str]) -> None:
        for encoded in regions:
            hosted = self._map.online.get(encoded)
            if hosted is not None:
                hosted.want_flush()

    async def _ask_split(self, hosted: HostedRegion) -> None:
        master = self.registry.master
        if master is not None:
            timeout_s = self.config.master.control_call_timeout_s
            remote = self.runtime.processes.remote(master.process)
            await remote.call("request_split", hosted.encoded, timeout_s=timeout_s)

    async def _tidy_periodically(self) -> None:
        while True:
            await self.runtime.clock.sleep(_TIDY_S)
            self._clients.scans.leases.expire()
            self._map.expire()
            for writer in list(self._logs.values()):
                writer.roll_if_old()
