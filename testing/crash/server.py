"""A region server without its network: logs, regions and files, by the server's own parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from ...actors.fsck.check import Fsck
from ...actors.hosted_region import HostedRegion
from ...actors.log_recovery import fence_logs, split_and_archive
from ...actors.log_writer import WALS, wal_directory
from ...actors.messages import OpenRequest
from ...actors.meta_rows import MetaContent, RegionRow, TableRow, TableState
from ...actors.posix import FENCED
from ...actors.region_compactor import compact_store
from ...actors.region_opener import open_region
from ...actors.region_services import MemstoreGauge, RegionServices
from ...actors.server_logs import ServerLogs
from ...actors.store_io import StoreIO, load_manifest
from ...config import MIB, ClusterConfig, RegionServerConfig, StoreConfig, WalConfig
from ...errors import BlockMiss, RaybaseError
from ...model import (
    Durability,
    FamilyDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
)
from ...operations import Get, Scan
from ...runtime import Runtime
from ...storage.cells import CellBatch
from .ledger import COUNTER, FAMILIES, LIST, MARKER, VERSIONS_MAX, Ledger, State, Step, step

TABLE: Final = TableDescriptor(
    TableName.parse("t"),
    tuple(FamilyDescriptor(family, max_versions=VERSIONS_MAX) for family in FAMILIES),
)
REGION: Final = RegionInfo(TABLE.name, b"", b"", 1)
NONCE_GROUP: Final = 77
CONFIG: Final = ClusterConfig(
    store=StoreConfig(
        block_cache_bytes=4 * MIB,
        compaction_files_min=2,
        compaction_files_max=3,
        compaction_bytes_min=1,
    ),
    wal=WalConfig(roll_interval_s=1e6),
    region_server=RegionServerConfig(handoff_bytes_max=0),
)
"""Nothing happens unasked. Files are not handed on as objects: they are read from the disk."""
_EPOCH: Final = 1
_SINGLE: Final = (MARKER, COUNTER, LIST)
"""Rows of which only the newest version counts."""


class SmallServer:
    """One life of a server. ``failures`` is what ended it."""

    def __init__(self, runtime: Runtime, config: ClusterConfig = CONFIG) -> None:
        self.runtime = runtime
        self.config = config
        self.failures: list[BaseException] = []
        self.pinned: list[str] = []
        self.logs = ServerLogs(runtime, config.wal, self.failures.append, self.pinned.extend)
        self.name: ServerName | None = None
        self._services: RegionServices | None = None

    @property
    def services(self) -> RegionServices:
        assert self._services is not None, "begin() first"
        return self._services

    async def begin(self) -> None:
        """Creates its log. Raises OSError."""
        self.name = await self.logs.begin_life("host", 1)
        config = self.config
        handoff_bytes_max = config.region_server.handoff_bytes_max
        self._services = RegionServices(
            self.runtime,
            config,
            str(self.name),
            StoreIO.create(self.runtime, config.store, handoff_bytes_max),
            self.failures.append,
            MemstoreGauge(config.store),
        )

    async def open(self, info: RegionInfo = REGION) -> HostedRegion:
        """The region, serving; its owner must be dead and its logs split."""
        manifest = await load_manifest(self.runtime.files, info)
        owner = manifest.owner if manifest is not None else None
        request = OpenRequest(info, TABLE, _EPOCH, 1, owner)
        log = await self.logs.of_region(info.encoded_name)
        hosted = await open_region(self.services, log, request)
        hosted.serve()
        return hosted

    async def problems(self, info: RegionInfo = REGION) -> list[str]:
        """What fsck finds."""
        row = RegionRow(info, "OPEN", self.name, 1)
        content = MetaContent((row,), (TableRow(TABLE.name, TABLE, TableState.ENABLED),), 0)
        serving = {str(self.name): [info.encoded_name]}
        return (await Fsck(self.runtime.files, content, serving, catalog=None).run()).problems


async def recover(runtime: Runtime) -> None:
    """Fences every server that left logs and splits them, as ServerCrashProcedure does."""
    for server in await runtime.files.list(WALS):
        await fence_logs(runtime.files, server)
        for name in await runtime.files.list(wal_directory(server)):
            if name != FENCED:
                await split_and_archive(runtime, server, name)


async def compact(hosted: HostedRegion, *, major: bool) -> int:
    """Compacts every store that is worth it, or all; how many were. Raises as ``compact_store``."""
    done = 0
    for family in FAMILIES:
        now_ms = hosted.services.runtime.clock.now_ms()
        compaction = hosted.region.plan_compaction(family, now_ms, major=major)
        if compaction is not None:
            await compact_store(hosted, compaction)
            done += 1
    return done


class Writer:
    """Writes the steps of a ledger to a region; ``told`` is called with every answer."""

    def __init__(self, ledger: Ledger, hosted: HostedRegion, told: Callable[[], None]) -> None:
        self.ledger = ledger
        self.hosted = hosted
        self._told = told

    async def submit(self, durability: Durability = Durability.USE_DEFAULT) -> asyncio.Future[None]:
        """Applies the next step; the future is done when it is acknowledged."""
        while True:
            # Numbered and applied in one go, as others may write, too.
            made = step(self.ledger.submitted + 1, durability)
            try:
                done = self.apply(made)
            except BlockMiss as miss:
                await self.hosted.fetch(miss)
                continue
            self.ledger.submit(made)
            return done

    async def write(self, count: int = 1) -> None:
        """Applies steps, each acknowledged before the next."""
        for _ in range(count):
            await (await self.submit())

    def apply(self, made: Step) -> asyncio.Future[None]:
        """Gives the step to the region; done when acknowledged. Raises BlockMiss."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        survives = made.mutations[0].durability is not Durability.ASYNC_WAL

        def acknowledged() -> None:
            self._told()
            if survives:
                self.ledger.acknowledge(made.number)
            if not done.done():
                done.set_result(None)

        if made.is_atomic:
            self.hosted.read_modify_write(made.mutations, None, NONCE_GROUP, acknowledged)
        else:
            self.hosted.write(made.mutations, acknowledged)
        return done

    async def retry(self, made: Step) -> None:
        """Applies a read-modify-write under its old nonce, as a client without an answer does."""
        while True:
            try:
                await self.apply(made)
            except BlockMiss as miss:
                await self.hosted.fetch(miss)
                continue
            return


async def read_state(hosted: HostedRegion) -> State:
    """All that a scan of the region finds."""
    scanner = hosted.scanner(Scan(max_versions=VERSIONS_MAX))
    batch = await hosted.resume(scanner.next)
    scanner.close()
    return state_of(batch)


def state_of(batch: CellBatch) -> State:
    """The cells that a read returned."""
    state: dict[tuple[bytes, bytes], tuple[bytes, ...]] = {}
    for row, family, _, _, _, value in batch.cells():
        known = state.get((row, family), ())
        if not known or row not in _SINGLE:
            state[row, family] = (*known, value)
    return state


def marker_seen(hosted: HostedRegion) -> int:
    """The last step that a reader sees at this moment; 0 if that is not in memory."""
    try:
        found = hosted.get(Get(MARKER))
    except (BlockMiss, RaybaseError):
        return 0
    return int(found.values[0]) if found.values else 0
