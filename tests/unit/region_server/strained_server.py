"""A region server on a slow disk, by itself in a process: whose memory is its own.

``python strained_server.py ROOT``: writes and reads until its caches are full, prints the
port, serves until its input ends, and prints what it counted as JSON. A real server in all but
Ray: coordinator and server share the loop.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from raybase.actors.coordinator import Coordinator
from raybase.actors.messages import OpenRequest
from raybase.actors.posix import PosixFiles, PosixLog
from raybase.actors.region_server import RegionServer
from raybase.actors.system import SystemClock, SystemEntropy, TcpNetwork
from raybase.config import MIB, ClusterConfig, RegionServerConfig, StoreConfig
from raybase.errors import ObjectLostError
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Put, Scan
from raybase.runtime import Buffer, Runtime

TABLE = TableDescriptor(TableName.parse("t"), (FamilyDescriptor(b"f"), FamilyDescriptor(b"g")))
REGIONS = tuple(
    RegionInfo(TABLE.name, start, stop, 1) for start, stop in ((b"", b"4"), (b"4", b""))
)
STORE = replace(
    StoreConfig(),
    memstore_bytes_max=32 * MIB,
    flush_bytes=8 * MIB,
    block_cache_bytes=4 * MIB,
    block_cache_l2_bytes=8 * MIB,
    compaction_files_min=100,
    compaction_files_max=100,
    blocking_store_files=100,
)
CONFIG = replace(
    ClusterConfig(),
    store=STORE,
    region_server=replace(RegionServerConfig(), handoff_bytes_max=0),
)
WRITE_BYTES_PER_S = 4 * MIB
SYNC_S = 0.005
FILLING_PUTS = 7_000
BATCH = 500


class SlowFiles(PosixFiles):
    """A disk that writes files at a few megabytes a second and takes its time for a sync."""

    bytes_per_s = float("inf")
    sync_s = 0.0

    def slow_down(self) -> None:
        self.bytes_per_s, self.sync_s = WRITE_BYTES_PER_S, SYNC_S

    async def create_log(self, path: str) -> PosixLog:
        log = await super().create_log(path)
        quick = log.append

        async def append(data: Buffer, *, sync: bool = True) -> int:
            await asyncio.sleep(self.sync_s)
            return await quick(data, sync=sync)

        log.append = append  # type: ignore[method-assign]
        return log

    async def write(self, path: str, parts: Sequence[Buffer]) -> None:
        await asyncio.sleep(sum(map(len, parts)) / self.bytes_per_s)
        await super().write(path, parts)

    async def write_stream(self, path: str, parts: AsyncIterator[Buffer]) -> None:
        async def slowly() -> AsyncIterator[Buffer]:
            async for part in parts:
                await asyncio.sleep(len(part) / self.bytes_per_s)
                yield part

        await super().write_stream(path, slowly())


class NoObjects:
    node = ""

    async def put(self, data: Buffer) -> Any:
        raise ObjectLostError("there is no object store")

    async def get(self, reference: Any) -> memoryview:
        raise ObjectLostError("there is no object store")


class NoTasks:
    async def run(self, job: Any, *arguments: Any) -> Any:
        raise AssertionError(f"nothing was to be done elsewhere: {job}")


class Neighbours:
    """The processes of the cluster, which are all this one."""

    def __init__(self) -> None:
        self.living: dict[str, Any] = {}

    def remote(self, name: str) -> Neighbour:
        return Neighbour(name, self.living[name])

    async def spawn(
        self, role: str, name: str, arguments: dict[str, Any], away_from: Sequence[str] = ()
    ) -> None:
        raise AssertionError("nobody starts a process here")

    async def kill(self, name: str) -> None:
        raise AssertionError("nobody ends a process here")

    def exit(self, reason: str) -> None:
        print(f"the server has ended: {reason}", file=sys.stderr)
        sys.exit(1)


class Neighbour:
    def __init__(self, name: str, actor: Any) -> None:
        self.name = name
        self._actor = actor

    async def call(self, method: str, *arguments: Any, timeout_s: float | None = None) -> Any:
        async with asyncio.timeout(timeout_s):
            return await getattr(self._actor, method)(*arguments)


async def fill_caches(server: RegionServer) -> None:
    """Files larger than both tiers, read from their beginning to their end."""
    chance = random.Random(1)
    for info in REGIONS:
        hosted = server.find(info.name)
        for _ in range(FILLING_PUTS // BATCH):
            puts = []
            for _ in range(BATCH):
                row = b"%d-%020d" % (5 * (info is REGIONS[1]), chance.randrange(10**20))
                puts.append(Put(row).add(b"f", b"q", chance.randbytes(1_000)))
            written = asyncio.Event()
            hosted.write(puts, written.set)
            await written.wait()
        await hosted.flush()
        scanner = hosted.scanner(Scan())
        while not scanner.exhausted:
            await hosted.resume(lambda one=scanner: one.next(bytes_max=MIB))


async def serve(root: str) -> None:
    neighbours = Neighbours()
    files = SlowFiles(root)
    runtime = Runtime(
        SystemClock(), SystemEntropy(), files, TcpNetwork(), neighbours, NoTasks(), NoObjects()
    )
    for name, kind in (("coordinator", Coordinator), ("rs-1", RegionServer)):
        actor = kind(runtime, name, CONFIG)
        neighbours.living[name] = actor
        await actor.start()
    server: RegionServer = neighbours.living["rs-1"]
    for order, info in enumerate(REGIONS, 1):
        await server.open_region(OpenRequest(info, TABLE, 1, order, None))
    assert server.server is not None
    await fill_caches(server)
    files.slow_down()
    print(server.server.port, flush=True)
    highest = 0
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not ended.done():
        await asyncio.sleep(0.01)
        highest = max(highest, (await server.status()).memstore_bytes)
    counters = (await server.status()).counters
    print(json.dumps({"memstore_bytes": highest, **counters}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
