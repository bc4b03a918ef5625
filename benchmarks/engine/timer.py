"""How late a timer of the loop is while regions are written to, flushed and compacted.

A region with its log and files on a real disk, on uvloop, with the collector set as servers
set it: all of a region server that works on the loop but for its sockets. Compactions run in
a process of their own, as tasks do.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

from raybase.actors.hosted_region import HostedRegion
from raybase.actors.log_writer import LogWriter
from raybase.actors.messages import OpenRequest
from raybase.actors.posix import PosixFiles
from raybase.actors.region_compactor import compact_store
from raybase.actors.region_opener import open_region
from raybase.actors.region_services import MemstoreGauge, RegionServices
from raybase.actors.store_io import StoreIO
from raybase.actors.system import SystemClock, SystemEntropy, TcpNetwork
from raybase.config import ClusterConfig, WalConfig
from raybase.errors import ObjectLostError, RegionTooBusyError
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Mutation, Put
from raybase.runtime import Buffer, Runtime
from raybase.storage.hfile import warm_up

from ..lab import Lab
from ..report import Figure, figure
from ..settings import Settings
from .cells import Values

P999_MS: Final = 5.0
WORST_MS: Final = 20.0
WRITERS: Final = 8
PERIOD_S: Final = 0.001
_BATCH: Final = 25
_FLUSH_MIB: Final = 48
_SERVER: Final = "bench,1,1"


def measure(settings: Settings, lab: Lab) -> list[Figure]:
    with lab.directory() as directory:
        run = uvloop.run(_run(directory, settings.some(30, 8)))
    note = (
        f"{WRITERS} writers, {run.puts_a_s:.0f} puts a second synced in batches of {_BATCH}, "
        f"{run.flushes} flushes and {run.compactions} compactions meanwhile"
    )
    late = run.late_s
    p999 = figure("timer of 1 ms, late, p99.9", "ms", P999_MS, late, judge=0.999, note=note)
    worst = figure("timer of 1 ms, late, worst", "ms", WORST_MS, late, judge=1.0, note=note)
    return [p999, worst]


@dataclass
class _Measured:
    late_s: list[float]
    puts_a_s: float
    flushes: int
    compactions: int


class _Tasks:
    """Jobs in another process."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, context)

    async def run(self, job: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _work, self._root, job, args)

    def close(self) -> None:
        self._pool.shutdown()


def _work(root: str, job: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return asyncio.run(job(PosixFiles(root), _NoObjects(), *args))


class _NoObjects:
    """An object store that has lost everything."""

    async def put(self, _: Buffer) -> Any:
        raise ObjectLostError("there is no object store here")

    async def get(self, _: Any) -> memoryview:
        raise ObjectLostError("there is no object store here")


def _fail(error: BaseException) -> None:
    raise error


async def _run(root: Path, seconds: int) -> _Measured:
    warm_up()
    sys.setswitchinterval(0.0005)
    files, tasks = PosixFiles(str(root)), _Tasks(root)
    none: Any = None
    runtime = Runtime(
        SystemClock(), SystemEntropy(), files, TcpNetwork(), none, tasks, _NoObjects()
    )
    config = ClusterConfig().with_settings({"store.flush_bytes": str(_FLUSH_MIB << 20)})
    log = LogWriter(runtime, _SERVER, "", WalConfig(), _fail, lambda _: None)
    await log.start()
    services = RegionServices(
        runtime,
        config,
        _SERVER,
        StoreIO.create(runtime, config.store, 1),
        _fail,
        MemstoreGauge(config.store),
    )
    info = RegionInfo(TableName.parse("bench"), region_id=1)
    table = TableDescriptor(info.table, (FamilyDescriptor(b"f"),))
    hosted = await open_region(services, log, OpenRequest(info, table, 1, 1))
    hosted.serve()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000_000)
    server = _Server(hosted)
    late_s = await server.watch(seconds)
    gc.unfreeze()
    tasks.close()
    await log.close()
    files.close()
    return _Measured(late_s, server.puts / seconds, server.flushes, server.compactions)


class _Server:
    """Writers, flushes and compactions of one region."""

    def __init__(self, hosted: HostedRegion) -> None:
        self._hosted = hosted
        self._values = Values()
        self._stops = False
        self.puts = 0
        self.flushes = 0
        self.compactions = 0

    async def watch(self, seconds: float) -> list[float]:
        """By how much each tick of the timer came too late."""
        work = [asyncio.create_task(self._write(writer)) for writer in range(WRITERS)]
        work += [asyncio.create_task(self._flush()), asyncio.create_task(self._compact())]
        late = []
        end_s = time.perf_counter() + seconds
        while (due_s := time.perf_counter() + PERIOD_S) < end_s:
            await asyncio.sleep(PERIOD_S)
            late.append(max(time.perf_counter() - due_s, 0.0))
        self._stops = True
        await asyncio.gather(*work)
        return late

    async def _write(self, writer: int) -> None:
        number = 0
        while not self._stops:
            batch = self._batch(writer, number)
            done = asyncio.get_running_loop().create_future()
            try:
                self._hosted.write(batch, lambda done=done: done.set_result(None))  # type: ignore[misc]
                await done
                number += 1
                self.puts += len(batch)
            except RegionTooBusyError:
                await asyncio.sleep(0.01)

    def _batch(self, writer: int, number: int) -> list[Mutation]:
        return [
            Put(b"%08x%08d" % (one * 2_654_435_761 % 2**32, writer)).add(
                b"f", b"q", self._values.of(one)
            )
            for one in range(number * _BATCH, (number + 1) * _BATCH)
        ]

    async def _flush(self) -> None:
        while not self._stops:
            if self._hosted.region.wants_flush:
                await self._hosted.flush()
                self.flushes += 1
            await asyncio.sleep(0.01)

    async def _compact(self) -> None:
        region = self._hosted.region
        while not self._stops:
            plan = region.plan_compaction(b"f", SystemClock().now_ms())
            if plan is not None:
                await compact_store(self._hosted, plan)
                self.compactions += 1
            await asyncio.sleep(0.01)
