"""Region servers that have no data: they open, close, move and split by the rules of manifests."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...actors.daughters import write_daughters
from ...actors.log_writer import WALS
from ...actors.messages import (
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
from ...actors.region_opener import fitted
from ...actors.store_io import load_manifest, put_manifest
from ...coordination import layout
from ...errors import (
    CorruptionError,
    IllegalArgumentError,
    NotServingRegionError,
    RaybaseError,
    RegionOwnedElsewhereError,
    StaleMasterError,
    StaleOrderError,
    StorageError,
)
from ...model import META_REGION, RegionInfo, ServerName, TableDescriptor, TableName
from ...runtime import Runtime
from ...storage.cells import CellBatch
from ...storage.manifest import Manifest, StoreFileEntry, family_directory

if TYPE_CHECKING:
    from .cluster import FakeCluster


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
                if self._cluster.cannot_open_as == request.table:
                    raise IllegalArgumentError("no region opens with this descriptor")
                await self._open(request)
            info, sequence_id = self._regions[encoded]
        as_asked = self._cluster.opened[encoded] == request.table
        return OpenResult(info.encoded_name, str(self._name), sequence_id, as_asked)

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
        self._cluster.check_in_meta(info)
        sequence_id = manifest.max_sequence_id + 10
        await self._commit(
            fitted(manifest, request.table).next(
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
            if encoded in self._cluster.cannot_close:
                raise StorageError("no room for what is in memory")
            await self._give_up(self._regions[encoded][0])
            return CloseResult(encoded, was_here=True)

    async def _give_up(self, info: RegionInfo) -> None:
        manifest = await self._flushed(info)
        await self._commit(manifest.next(owner=""))
        self._regions.pop(info.encoded_name)

    async def _flushed(self, info: RegionInfo) -> Manifest:
        """The region's manifest, when what it had in memory is in a file of each family."""
        files, encoded = self._runtime.files, info.encoded_name
        manifest = await load_manifest(files, info)
        assert manifest is not None
        if encoded not in self._cluster.unflushed:
            return manifest
        entries = list(manifest.files)
        for family in manifest.flushed:
            path = f"{family_directory(info, family)}/{self._runtime.entropy.integer(128):032x}"
            await files.write(path, [b"data"])
            highest = manifest.max_sequence_id
            entries.append(StoreFileEntry(family, path, size=4, entries=1, max_sequence_id=highest))
        manifest = manifest.next(files=tuple(entries))
        await self._commit(manifest)
        self._cluster.unflushed.pop(encoded, None)
        return manifest

    async def hand_over(self, request: MoveRequest) -> MoveResult:
        encoded = request.encoded
        async with self._turn(encoded):
            self._check(encoded, request.master_epoch, request.order)
            if encoded not in self._regions:
                raise NotServingRegionError(encoded)
            info, sequence_id = self._regions[encoded]
            manifest = await self._flushed(info)
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
                if encoded in self._cluster.cannot_open.get(self._process, ()):
                    raise CorruptionError(encoded, 0, "cannot be opened here")
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
            owner = ""
            if encoded in self._regions:
                await self._give_up(self._regions[encoded][0])
                owner = str(self._name)
            manifest = await write_daughters(self._runtime.files, request, owner)
        return SplitResult(encoded, manifest.max_sequence_id)

    async def regions(self) -> list[RegionStatus]:
        return [
            RegionStatus(encoded, RegionState.OPEN, info, sequence_id)
            for encoded, (info, sequence_id) in self._regions.items()
        ]

    async def opened_as(self, table: TableName) -> dict[str, TableDescriptor]:
        return {
            encoded: self._cluster.opened[encoded]
            for encoded, (info, _) in self._regions.items()
            if info.table == table
        }

    async def unneeded_files(self, encoded: str, paths: list[str]) -> list[str]:
        if encoded not in self._regions:
            raise NotServingRegionError(encoded)
        return [path for path in paths if path not in self._cluster.writing]

    async def flush_region(self, encoded: str) -> FlushResult:
        async with self._turn(encoded):
            if encoded not in self._regions:
                raise NotServingRegionError(encoded)
            await self._flushed(self._regions[encoded][0])
        return FlushResult(encoded, True, 1)

    async def status(self) -> ServerStatus:
        sizes = self._cluster.sizes
        regions = [
            replace(one, store_file_bytes=sizes.get(one.encoded, 0)) for one in await self.regions()
        ]
        return ServerStatus(str(self._name), self._process, tuple(regions), 0, 0, 1, {})

    async def scanned_files(self) -> list[str]:
        return self._cluster.scanned

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

    async def meta_newest_ms(self) -> int:
        self._meta(self._epoch)
        rows = self._cluster.meta.values()
        return max((one[0] for row in rows for cells in row.values() for one in cells), default=0)
