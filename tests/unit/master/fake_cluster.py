"""A master's term over fake region servers, in a simulated world.

Files, processes, control calls and tasks are the simulation's; manifests and the rule of who
may open a region are the real ones. What is faked is what lies behind a region server's control
calls, the znodes, and the procedure store, which can kill the master at any of its updates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from raybase.actors.assignment import TransitionState
from raybase.actors.log_writer import WALS
from raybase.actors.master_term import MasterTerm
from raybase.actors.messages import (
    CloseRequest,
    CloseResult,
    FlushResult,
    MoveRequest,
    MoveResult,
    OpenRequest,
    OpenResult,
    RegionState,
    RegionStatus,
    ServerStatus,
    SplitRequest,
    SplitResult,
)
from raybase.actors.meta_rows import TableState, parse
from raybase.actors.procedures.procedure import Procedure
from raybase.actors.procedures.tables import EnableTableProcedure
from raybase.actors.store_io import load_manifest, put_manifest
from raybase.config import ClusterConfig, MasterConfig
from raybase.coordination import layout
from raybase.errors import (
    CorruptionError,
    FencedError,
    NodeExistsError,
    NoNodeError,
    NotServingRegionError,
    RaybaseError,
    RegionOwnedElsewhereError,
    StaleMasterError,
    StaleOrderError,
)
from raybase.model import (
    META_REGION,
    CellType,
    FamilyDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
)
from raybase.runtime import Runtime
from raybase.storage.cells import CellBatch
from raybase.storage.manifest import Manifest
from raybase.testing import Simulation

T = TypeVar("T")
RUN_S = 120.0


class Znodes:
    """A coordinator's tree, shared by all; watches are called on their owners' loops."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {layout.REGION_SERVERS: b""}
        self.watches: dict[str, list[tuple[asyncio.AbstractEventLoop, Callable[[Any], None]]]] = {}

    def children(self, path: str) -> list[str]:
        prefix = path + "/"
        names = [one[len(prefix) :] for one in self.data if one.startswith(prefix)]
        return sorted(one for one in names if "/" not in one)

    def put(self, path: str, data: bytes) -> None:
        self.data[path] = data
        self._fire(path.rpartition("/")[0])

    def remove(self, path: str) -> None:
        self.data.pop(path, None)
        self._fire(path.rpartition("/")[0])

    def _fire(self, path: str) -> None:
        for loop, watch in self.watches.pop(path, []):
            loop.call_soon(watch, None)


class FakeSession:
    """What the master uses of actors/session.py."""

    def __init__(self, znodes: Znodes) -> None:
        self._znodes = znodes

    async def children(self, path: str, watch: Callable[[Any], None] | None = None) -> list[str]:
        if path not in self._znodes.data:
            raise NoNodeError(path)
        if watch is not None:
            loop = asyncio.get_running_loop()
            self._znodes.watches.setdefault(path, []).append((loop, watch))
        return self._znodes.children(path)

    async def get(self, path: str) -> tuple[bytes, None]:
        if path not in self._znodes.data:
            raise NoNodeError(path)
        return self._znodes.data[path], None

    async def create(self, path: str, data: bytes = b"", **_: bool) -> str:
        if path in self._znodes.data:
            raise NodeExistsError(path)
        self._znodes.put(path, data)
        return path

    async def set(self, path: str, data: bytes) -> None:
        self._znodes.data[path] = data

    async def delete(self, path: str) -> None:
        if path not in self._znodes.data:
            raise NoNodeError(path)
        self._znodes.remove(path)

    async def ensure_path(self, path: str) -> None:
        self._znodes.data.setdefault(path, b"")


def never(number: int, before: bool) -> bool:
    return False


class FakeStore:
    """A procedure store in memory; ``hook(number, before)`` says if an update is the end."""

    def __init__(self) -> None:
        self.saved: dict[int, bytes] = {}
        self.updates = 0
        self.epoch = 0
        self.hook: Callable[[int, bool], bool] = never

    def of(self, epoch: int) -> StoreOfTerm:
        self.epoch = epoch
        return StoreOfTerm(self, epoch)


class StoreOfTerm:
    def __init__(self, store: FakeStore, epoch: int) -> None:
        self._store = store
        self._epoch = epoch

    async def load(self) -> dict[int, bytes]:
        return dict(self._store.saved)

    async def update(self, saved: Mapping[int, bytes], removed: Sequence[int] = ()) -> None:
        await asyncio.sleep(0.0001)
        if self._epoch != self._store.epoch:
            raise FencedError("a later master has the store")
        self._store.updates += 1
        number = self._store.updates
        if self._store.hook(number, True):
            await asyncio.get_running_loop().create_future()
        self._store.saved.update(saved)
        for one in removed:
            self._store.saved.pop(one, None)
        if self._store.hook(number, False):
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0.0001)


class FakeRegionServer:
    """Opens, closes, hands over and splits regions by the rules of their manifests."""

    def __init__(self, runtime: Runtime, name: str, cluster: FakeCluster) -> None:
        self._runtime = runtime
        self._cluster = cluster
        self._process = name
        self._name = ServerName(name, 16020, runtime.clock.now_ms())
        self._regions: dict[str, tuple[RegionInfo, int]] = {}
        self._orders: dict[str, int] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._epoch = 0

    async def start(self) -> None:
        log = await self._runtime.files.create_log(f"{WALS}/{self._name}/1")
        await log.close()
        data = layout.encode_data(process=self._process, server=str(self._name))
        self._cluster.znodes.put(f"{layout.REGION_SERVERS}/{self._name}", data)

    @property
    def name(self) -> ServerName:
        return self._name

    async def describe(self) -> str:
        return self._process

    def _check(self, encoded: str, epoch: int, order: int) -> None:
        self._check_epoch(epoch)
        if order < self._orders.get(encoded, 0):
            raise StaleOrderError(f"{order} about {encoded}")
        self._orders[encoded] = order

    def _check_epoch(self, epoch: int) -> None:
        if epoch < self._epoch:
            raise StaleMasterError(f"{epoch} < {self._epoch}")
        self._epoch = epoch

    def _turn(self, encoded: str) -> asyncio.Lock:
        return self._turns.setdefault(encoded, asyncio.Lock())

    async def _commit(self, manifest: Manifest) -> None:
        if not await put_manifest(self._runtime.files, manifest):
            raise RegionOwnedElsewhereError(manifest.region.encoded_name, "somebody")

    async def open_region(self, request: OpenRequest) -> OpenResult:
        encoded = request.info.encoded_name
        async with self._turn(encoded):
            self._check(encoded, request.master_epoch, request.order)
            if encoded not in self._regions:
                if encoded in self._cluster.cannot_open.get(self._process, ()):
                    raise CorruptionError(encoded, 0, "cannot be opened here")
                await self._open(request)
            info, sequence_id = self._regions[encoded]
        return OpenResult(info.encoded_name, str(self._name), sequence_id)

    async def _open(self, request: OpenRequest) -> None:
        info, me = request.info, str(self._name)
        found = await load_manifest(self._runtime.files, info)
        manifest = found or Manifest(version=0, region=info)
        if manifest.master_epoch > request.master_epoch:
            raise StaleMasterError(str(manifest.master_epoch))
        if manifest.owner not in ("", me, request.recovered_from):
            raise RegionOwnedElsewhereError(info.encoded_name, manifest.owner)
        if manifest.owner not in ("", me):
            await self._cluster.check_recovered(self._runtime, manifest.owner, info)
        sequence_id = manifest.max_sequence_id + 10
        await self._commit(
            manifest.next(
                owner=me,
                master_epoch=request.master_epoch,
                max_sequence_id=sequence_id,
                open_sequence_id=sequence_id,
            )
        )
        self._regions[info.encoded_name] = (info, sequence_id)
        self._cluster.opened[info.encoded_name] = request.table

    async def close_region(self, request: CloseRequest) -> CloseResult:
        encoded = request.encoded
        async with self._turn(encoded):
            self._check(encoded, request.master_epoch, request.order)
            if encoded not in self._regions:
                return CloseResult(encoded, was_here=False)
            await self._give_up(self._regions[encoded][0])
            return CloseResult(encoded, was_here=True)

    async def _give_up(self, info: RegionInfo) -> None:
        manifest = await load_manifest(self._runtime.files, info)
        assert manifest is not None
        await self._commit(manifest.next(owner=""))
        self._regions.pop(info.encoded_name)

    async def hand_over(self, request: MoveRequest) -> MoveResult:
        encoded = request.encoded
        async with self._turn(encoded):
            self._check(encoded, request.master_epoch, request.order)
            if encoded not in self._regions:
                raise NotServingRegionError(encoded)
            info, sequence_id = self._regions[encoded]
            manifest = await load_manifest(self._runtime.files, info)
            assert manifest is not None
            sequence_id += 10
            adopted = manifest.next(
                owner=request.target,
                max_sequence_id=sequence_id,
                open_sequence_id=sequence_id,
                master_epoch=request.master_epoch,
            )
            self._regions.pop(encoded)
            target = self._runtime.processes.remote(request.target_process)
            try:
                await target.call("adopt_region", adopted, timeout_s=1.0)
            except RaybaseError as error:
                return await self._take_back(info, manifest, request, error)
            return MoveResult(encoded, True, request.target, sequence_id)

    async def _take_back(
        self, info: RegionInfo, manifest: Manifest, request: MoveRequest, error: RaybaseError
    ) -> MoveResult:
        encoded, me = info.encoded_name, str(self._name)
        sequence_id = manifest.max_sequence_id + 20
        again = manifest.next(max_sequence_id=sequence_id, open_sequence_id=sequence_id)
        if await put_manifest(self._runtime.files, again):
            self._regions[encoded] = (info, sequence_id)
            return MoveResult(encoded, False, me, sequence_id, str(error))
        now = await load_manifest(self._runtime.files, info)
        assert now is not None
        if now.owner != request.target:
            raise NotServingRegionError(encoded)
        return MoveResult(encoded, True, request.target, now.open_sequence_id)

    async def adopt_region(self, manifest: Manifest) -> OpenResult:
        encoded = manifest.region.encoded_name
        async with self._turn(encoded):
            if encoded not in self._regions:
                await self._commit(manifest)
                self._regions[encoded] = (manifest.region, manifest.open_sequence_id)
        return OpenResult(encoded, str(self._name), manifest.open_sequence_id)

    async def split_point(self, encoded: str) -> bytes | None:
        return self._cluster.split_rows.get(encoded)

    async def split_region(self, request: SplitRequest) -> SplitResult:
        encoded = request.parent.encoded_name
        async with self._turn(encoded):
            self._check(encoded, request.master_epoch, request.order)
            if encoded in self._cluster.cannot_split:
                raise CorruptionError(encoded, 0, "cannot be split")
            if encoded in self._regions:
                await self._give_up(self._regions[encoded][0])
            manifest = await load_manifest(self._runtime.files, request.parent)
            assert manifest is not None
            if manifest.owner:
                raise RegionOwnedElsewhereError(encoded, manifest.owner)
            for daughter in request.daughters:
                first = replace(manifest, version=1, region=daughter)
                await put_manifest(self._runtime.files, first)
        return SplitResult(encoded, manifest.max_sequence_id)

    async def regions(self) -> list[RegionStatus]:
        return [
            RegionStatus(encoded, RegionState.OPEN, info, sequence_id)
            for encoded, (info, sequence_id) in self._regions.items()
        ]

    async def flush_region(self, encoded: str) -> FlushResult:
        if encoded not in self._regions:
            raise NotServingRegionError(encoded)
        return FlushResult(encoded, True, 1)

    async def status(self) -> ServerStatus:
        return ServerStatus(
            str(self._name), self._process, tuple(await self.regions()), 0, 0, 1, {}
        )

    def serves(self) -> list[str]:
        return list(self._regions)

    def forget(self, encoded: str) -> None:
        """A fault: the region is closed without anybody's order."""
        self._regions.pop(encoded)

    async def fence_meta(self, epoch: int) -> None:
        self._meta(epoch)

    def _meta(self, epoch: int) -> None:
        self._check_epoch(epoch)
        if META_REGION.encoded_name not in self._regions:
            raise NotServingRegionError("hbase:meta")

    async def mutate_meta(self, epoch: int, mutations: list[Any]) -> int:
        self._meta(epoch)
        self._cluster.mutate(mutations)
        await asyncio.sleep(0.0002)
        return 1

    async def read_meta(self, start: bytes, stop: bytes) -> CellBatch:
        self._meta(self._epoch)
        return self._cluster.meta_cells()


class FakeCluster:
    """Everything outside the master, and masters one after another."""

    def __init__(self, servers: int = 3, seed: int = 1) -> None:
        master = MasterConfig(region_servers=servers, server_wait_s=1.0, control_call_timeout_s=1.0)
        self.config = ClusterConfig(master=master)
        self.simulation = Simulation(seed, self.config)
        self.simulation.table.roles["region_server"] = lambda: self._server
        self.znodes = Znodes()
        self.store = FakeStore()
        self.meta: dict[bytes, dict[tuple[bytes, bytes], list[tuple[int, int, bytes]]]] = {}
        self.opened: dict[str, TableDescriptor] = {}
        self.split_rows: dict[str, bytes] = {}
        self.cannot_open: dict[str, list[str]] = {}
        self.cannot_split: list[str] = []
        self.violations: list[str] = []
        self.epoch = 0
        self.ended: list[BaseException] = []
        self.term: MasterTerm

    def _server(self, runtime: Runtime, name: str, config: ClusterConfig) -> FakeRegionServer:
        return FakeRegionServer(runtime, name, self)

    # What servers share: the storage of hbase:meta.

    def mutate(self, mutations: list[Any]) -> None:
        for mutation in mutations:
            row = self.meta.setdefault(mutation.row, {})
            for family, qualifier, timestamp, kind, value in mutation.cells:
                row.setdefault((family, qualifier), []).append((timestamp, kind, value))

    def meta_cells(self) -> CellBatch:
        batch = CellBatch()
        for row in sorted(self.meta):
            columns = self.meta[row]
            gone: dict[bytes, int] = {}
            for (family, _), versions in columns.items():
                for timestamp, kind, _ in versions:
                    if kind == CellType.DELETE_FAMILY:
                        gone[family] = max(gone.get(family, 0), timestamp)
            before = len(batch)
            for (family, qualifier), versions in sorted(columns.items()):
                timestamp, kind, value = max(versions)
                if kind == CellType.PUT and timestamp > gone.get(family, 0):
                    batch.append(row, family, qualifier, timestamp, kind, value)
            if len(batch) > before:
                batch.end_row()
        return batch

    async def check_recovered(self, runtime: Runtime, owner: str, info: RegionInfo) -> None:
        names = await runtime.files.list(f"{WALS}/{owner}")
        left = [one for one in names if one.isdigit() or one.startswith("meta.")]
        wanted = [one for one in left if one.startswith("meta.")] if info == META_REGION else left
        if wanted:
            self.violations.append(f"{info} opened before {owner}'s {wanted} were split")
        if ServerName.parse(owner).host in self.simulation.living("region_server"):
            self.violations.append(f"{info} taken from {owner}, which lives")

    # Masters.

    @property
    def master(self) -> str:
        return f"master-{self.epoch}"

    def elect(self) -> None:
        """A new master begins; the one before is as it is: dead, or about to be fenced."""
        self.epoch += 1
        self.on_master(self._begin(), wait=False)

    async def _begin(self) -> None:
        runtime = self.simulation.runtime_for(self.master)
        self.term = MasterTerm(
            runtime,
            self.config,
            FakeSession(self.znodes),  # type: ignore[arg-type]
            self.epoch,
            self.store.of(self.epoch),
            self.ended.append,
        )
        await self.term.begin()

    def on_master(self, work: Coroutine[Any, Any, T], *, wait: bool = True) -> T | None:
        """Runs work in the master's process; None if the master died over it."""
        name = self.master
        task = self.simulation.start(name, work)
        if not wait:
            return None
        process = self.simulation.process(name)
        assert process is not None

        def finished() -> bool:
            return task.done() or not process.alive

        self.simulation.world.scheduler.run(finished, self.simulation.now_s + RUN_S)
        return task.result() if task.done() else None

    def kill_master_at(self, number: int, *, before: bool) -> None:
        """The master dies round its ``number``-th store update from now on."""
        target = self.store.updates + number
        name = self.master

        def hook(now: int, is_before: bool) -> bool:
            if now != target or is_before != before:
                return False
            self.store.hook = never
            self.simulation.end(name)
            return True

        self.store.hook = hook

    def master_lives(self) -> bool:
        return self.simulation.process(self.master) is not None

    def run_until(self, condition: Callable[[], bool], timeout_s: float = RUN_S) -> None:
        self.simulation.world.scheduler.run(condition, self.simulation.now_s + timeout_s)

    def settle(self) -> None:
        """Runs until the master has nothing left to do."""
        self.run_until(lambda: hasattr(self, "term") and self.term.epoch == self.epoch)
        self.run_until(self._is_settled)

    def _is_settled(self) -> bool:
        term = self.term
        if term.epoch != self.epoch or not term.initialized.is_set():
            return False
        if term.executor.unfinished() or term.servers.recovering():
            return False
        if len(term.servers.live()) < self.config.master.region_servers:
            return False
        return all(
            term.servers.is_live(one.server)
            for one in term.assignment.regions()
            if one.state == TransitionState.OPEN
        )

    def submit(self, procedure: Procedure, nonce: str = "") -> int | None:
        return self.on_master(self.term.executor.submit(procedure, nonce))

    def perform(self, procedure: Procedure) -> Procedure | None:
        """Submits and waits. Raises what the procedure ends with."""

        async def both() -> Procedure:
            return await self.term.executor.wait(await self.term.executor.submit(procedure))

        return self.on_master(both())

    def submit_and_forget(self, procedure: Procedure) -> None:
        """Submits it; what comes of it, and whether the master lives to store it, is open."""
        if self.master_lives():
            self.on_master(self._submit(procedure), wait=False)

    async def _submit(self, procedure: Procedure) -> None:
        await self.term.initialized.wait()
        await self.term.executor.submit(procedure)

    def quieten(self) -> None:
        """No master dies any more; one leads."""
        self.store.hook = never
        if not self.master_lives():
            self.elect()

    def make_enabled(self, name: TableName) -> None:
        found = self.term.assignment.table(name)
        assert found is not None
        if found.state == TableState.DISABLED:
            self.perform(EnableTableProcedure(table=name))
        assert found.state == TableState.ENABLED or found.state == TableState.DISABLED

    # Servers.

    def server_at(self, info: RegionInfo) -> str:
        """Process name of who should serve the region."""
        node = self.term.assignment.region(info.encoded_name)
        assert node is not None
        assert node.server is not None
        return node.server.host

    def live(self) -> list[str]:
        return [one.process for one in self.term.servers.live()]

    def kill_server(self, process: str) -> None:
        name = self.fake(process).name
        self.simulation.kill(process, for_good=True)
        self.simulation.later(0.02, lambda: self.znodes.remove(f"{layout.REGION_SERVERS}/{name}"))

    def fake(self, process: str) -> FakeRegionServer:
        server = self.simulation.actor(process)
        assert isinstance(server, FakeRegionServer)
        return server

    # What must hold when all is quiet.

    def check(self) -> dict[str, str]:
        """Every region is served by who should, meta says so; returns region -> server."""
        assert not self.violations, self.violations
        assert not self.simulation.errors, self.simulation.errors
        assert not self.ended, self.ended
        served: dict[str, str] = {}
        for process in self.simulation.living("region_server"):
            for encoded in self.fake(process).serves():
                assert encoded not in served, f"{encoded} is served twice"
                served[encoded] = process
        content = parse(self.meta_cells())
        rows = {row.info.encoded_name: row for row in content.regions}
        for node in self.term.assignment.regions():
            encoded = node.info.encoded_name
            if self.term.assignment.wants_open(node):
                assert node.state == TransitionState.OPEN, node
                assert node.server is not None
                assert served.pop(encoded, None) == node.server.host, node
            if node is not self.term.assignment.meta:
                row = rows.pop(encoded)
                assert row.state == node.state, (row, node)
                assert row.server == node.server or node.state != TransitionState.OPEN
        assert not served, f"served, but should not be: {served}"
        assert not rows, f"only in hbase:meta: {rows}"
        self._check_tiling()
        return {str(one.info.start_key): str(one.server) for one in self.term.assignment.regions()}

    def _check_tiling(self) -> None:
        for table in self.term.assignment.tables():
            at = b""
            nodes = self.term.assignment.regions_of(table.descriptor.name)
            whole = [one for one in nodes if one.state != TransitionState.SPLIT]
            for node in whole:
                assert node.info.start_key == at, nodes
                at = node.info.end_key
            assert at == b""

    def close(self) -> None:
        self.simulation.close()


def table(name: str = "t") -> TableDescriptor:
    return TableDescriptor(TableName.parse(name), (FamilyDescriptor(b"f"),))
