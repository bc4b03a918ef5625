"""A master's term over region servers without data, in a simulated world.

Files, processes, control calls and tasks are the simulation's; manifests and the rule of who
may open a region are the real ones. What is made up is what lies behind a region server's control
calls, the znodes, and the procedure store, which can kill the master at any of its updates.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from ...actors.assignment import TransitionState
from ...actors.log_writer import WALS
from ...actors.master_term import MasterTerm
from ...actors.meta_rows import TableState, parse, region_delete
from ...actors.procedures.procedure import Procedure
from ...actors.procedures.tables import EnableTableProcedure
from ...actors.store_io import load_manifest, put_manifest
from ...config import ClusterConfig, MasterConfig
from ...coordination import layout
from ...model import (
    META_REGION,
    CellType,
    FamilyDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
)
from ...runtime import Runtime
from ...storage.cells import CellBatch
from ...storage.manifest import StoreFileEntry, family_directory
from ..simulation import Simulation
from .servers import FakeRegionServer
from .store import FakeStore, never
from .znodes import FakeSession, Znodes

T = TypeVar("T")
RUN_S: Final = 120.0


class FakeCluster:
    """Everything outside the master, and masters one after another."""

    def __init__(self, servers: int = 3, seed: int = 1) -> None:
        master = MasterConfig(
            region_servers=servers,
            server_wait_s=1.0,
            control_call_timeout_s=1.0,
            open_attempts_max=4,
        )
        self.config = ClusterConfig(master=master)
        self.simulation = Simulation(seed, self.config)
        self.simulation.table.roles["region_server"] = lambda: self._server
        self.znodes = Znodes()
        self.store = FakeStore()
        self.meta: dict[bytes, dict[tuple[bytes, bytes], list[tuple[int, int, bytes]]]] = {}
        self.opened: dict[str, TableDescriptor] = {}
        self.split_rows: dict[str, bytes] = {}
        self.scanned: list[str] = []
        """Store files that open scanners read."""
        self.sizes: dict[str, int] = {}
        """Of a region's store files in bytes, by encoded name."""
        self.cannot_open: dict[str, list[str]] = {}
        self.cannot_open_as: TableDescriptor | None = None
        """With this descriptor no region opens."""
        self.cannot_split: list[str] = []
        self.cannot_close: list[str] = []
        self.writing: list[str] = []
        """Store files that their regions' owners are at work on."""
        self.lost: list[RegionInfo] = []
        self.unflushed: dict[str, None] = {}
        """Encoded names of regions that have something in memory."""
        self.violations = self.store.violations
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
        self._check_no_overlap()

    def _check_no_overlap(self) -> None:
        """At no moment may hbase:meta name two regions that are to serve one key."""
        last: RegionInfo | None = None
        whole = [row.info for row in parse(self.meta_cells()).regions if not row.info.split]
        for info in sorted(whole, key=lambda one: (one.table, one.start_key, one.end_key)):
            of_one = last is not None and last.table == info.table
            if last and of_one and (not last.end_key or info.start_key < last.end_key):
                self.violations.append(f"hbase:meta has {last} beside {info}")
            last = info

    def check_in_meta(self, info: RegionInfo) -> None:
        """No region is opened that hbase:meta does not have."""
        if info != META_REGION and info.name not in self.meta:
            self.violations.append(f"{info} is opened, but hbase:meta does not have it")

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
        self.run_until(self.is_settled)

    def settle_all(self) -> None:
        """Runs until all regions that are to be open are, too."""
        self.run_until(lambda: self.is_settled() and self._all_open())

    def _all_open(self) -> bool:
        assignment = self.term.assignment
        return all(
            one.state == TransitionState.OPEN
            for one in assignment.regions()
            if assignment.wants_open(one)
        )

    def is_settled(self) -> bool:
        """Whether the master leads and has nothing left to do."""
        if not hasattr(self, "term"):
            return False
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

    def heal(self) -> None:
        """Whatever could not be done, can be from now on."""
        self.cannot_open.clear()
        self.cannot_open_as = None
        self.cannot_split.clear()
        self.cannot_close.clear()

    def lose(self, info: RegionInfo) -> None:
        """A fault: hbase:meta and the master forget the region."""
        self.lost.append(info)
        meta = self.term.environment.meta
        self.on_master(meta.write([region_delete(info, meta.next_ms())]))
        self.term.assignment.drop_region(info.encoded_name)

    def compact(self, info: RegionInfo) -> None:
        """The region refers to no other's files any more."""
        self.on_master(self._compact(info))

    async def _compact(self, info: RegionInfo) -> None:
        files = self.simulation.runtime_for(self.master).files
        manifest = await load_manifest(files, info)
        assert manifest is not None
        entries = []
        for family in manifest.flushed:
            path = f"{family_directory(info, family)}/compacted"
            await files.write(path, [b"data"])
            entries.append(StoreFileEntry(family, path, size=4, entries=1, max_sequence_id=1))
        assert await put_manifest(files, manifest.next(files=tuple(entries)))

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
