"""The coordinator with 10,000 znodes and 1,000 watches: its own process, without Ray.

Calls go straight into the coordinator, which logs and syncs as it always does to real files; a call
between processes adds what Ray takes for one. What is asked one after another is timed by the clock
on the wall and waits for the disk each time; all else is CPU time, which others on the machine do
not change.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from raybase.actors.coordinator import Coordinator
from raybase.actors.coordinator_files import CoordinatorFiles
from raybase.actors.posix import PosixFiles
from raybase.actors.system import SystemClock, SystemEntropy
from raybase.config import ClusterConfig, CoordinatorConfig
from raybase.coordination.requests import (
    Check,
    Create,
    Exists,
    GetData,
    Multi,
    Operation,
    Response,
    SetData,
)
from raybase.coordination.state import CoordinatorState
from raybase.runtime import Runtime

from .lab import Lab
from .report import Figure, figure
from .settings import Settings
from .timing import quiet_collector

ZNODES = 10_000
FOLDERS = 100
WATCHES = 1_000
TOGETHER = 50
"""Requests under way at a time, where not one after another."""
DATA = b"x" * 100
TIMEOUT_S = 600.0
NO_SNAPSHOT = CoordinatorConfig(snapshot_log_bytes=2**40)
TICK_S = 0.001


def details(settings: Settings, lab: Lab) -> list[Figure]:
    """Rates, the fan-out of a watch, snapshot and restart, and the longest turn of the loop."""
    with lab.directory() as directory, quiet_collector():
        return asyncio.run(_Bench(directory, settings).run())


class _Nobody:
    """Holders that live and say nothing."""

    def remote(self, _: str) -> _Nobody:
        return self

    async def call(self, *_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    def exit(self, reason: str) -> None:
        raise AssertionError(reason)


class _Client:
    """A session by its number; requests in order."""

    def __init__(self, coordinator: Coordinator, session_id: int) -> None:
        self.coordinator = coordinator
        self.session_id = session_id
        self.xid = 0
        self.seen = 0
        self._unanswered: dict[int, None] = {}

    async def ask(self, operation: Operation) -> Response:
        self.xid += 1
        xid = self.xid
        self._unanswered[xid] = None
        lowest = next(iter(self._unanswered))
        response = await self.coordinator.request(
            self.session_id, lowest, self.seen, xid, operation
        )
        del self._unanswered[xid]
        if response.error is not None:
            raise response.error
        return response


class _Bench:
    def __init__(self, directory: Path, settings: Settings) -> None:
        self._settings = settings
        self._nonces = itertools.count(1)
        unused: Any = None
        files = PosixFiles(str(directory))
        nobody: Any = _Nobody()
        self._runtime = Runtime(
            SystemClock(), SystemEntropy(), files, unused, nobody, unused, unused
        )
        self.figures: list[Figure] = []

    async def run(self) -> list[Figure]:
        coordinator = await self._begin(NO_SNAPSHOT)
        client = await self._client(coordinator)
        await self._fill(client)
        await self._rates(client)
        await self._fan_out(coordinator, client)
        await self._ephemerals(coordinator)
        coordinator = await self._restart(coordinator, f"a log of {client.xid} requests and more")
        coordinator = await self._restart(coordinator, "a snapshot")
        await coordinator.stop()
        await self._snapshots()
        return self.figures

    async def _begin(self, config: CoordinatorConfig) -> Coordinator:
        settings = ClusterConfig(coordinator=config)
        coordinator = Coordinator(self._runtime, "coordinator", settings)
        await coordinator.start()
        return coordinator

    async def _client(self, coordinator: Coordinator) -> _Client:
        session_id = await coordinator.open_session("holder", next(self._nonces), TIMEOUT_S)
        return _Client(coordinator, session_id)

    def _add(self, what: str, unit: str, times_s: list[float], per: int = 1) -> None:
        self.figures.append(figure(f"coordinator: {what}", unit, None, times_s, per=per))

    async def _fill(self, client: _Client) -> None:
        for folder in range(FOLDERS):
            await client.ask(Create(f"/f{folder}"))
        paths = [_path(number) for number in range(ZNODES - FOLDERS)]
        async with _turns() as turns:
            times_s = await self._timed(client, (Create(path, DATA) for path in paths))
        self._add(f"create, {TOGETHER} at a time, a request", "us", times_s, TOGETHER)
        self._add("longest turn of the loop meanwhile", "ms", [max(turns)])

    async def _rates(self, client: _Client) -> None:
        count = self._settings.some(4_000, 1_000)
        paths = [_path(number * 7 % (ZNODES - FOLDERS)) for number in range(count)]
        kinds: dict[str, Callable[[str], Operation]] = {
            "get": GetData,
            "set": lambda path: SetData(path, DATA),
            "multi of a check and 9 sets": lambda path: Multi(
                (Check(path), *(SetData(path, DATA) for _ in range(9)))
            ),
        }
        for kind, make in kinds.items():
            times_s = await self._timed(client, map(make, paths))
            self._add(f"{kind}, {TOGETHER} at a time, a request", "us", times_s, TOGETHER)
        for kind, make in kinds.items():
            times_s = [await _seconds(client.ask(make(path))) for path in paths[: count // 4]]
            self._add(f"{kind}, one after another", "us", times_s)

    async def _timed(self, client: _Client, operations: Iterable[Operation]) -> list[float]:
        """Seconds of each group of requests under way together."""
        return [
            await _cpu_seconds(asyncio.gather(*map(client.ask, group)))
            for group in _groups(operations)
        ]

    async def _fan_out(self, coordinator: Coordinator, writer: _Client) -> None:
        """One znode, watched by so many sessions that wait in their heartbeats."""
        watchers = [await self._client(coordinator) for _ in range(WATCHES)]
        times_s = []
        async with _turns() as turns:
            for _ in range(self._settings.some(20, 5)):
                waiting = []
                for watcher in watchers:
                    await watcher.ask(Exists("/f0", watch=True))
                    waiting.append(asyncio.create_task(_hear(watcher)))
                await asyncio.sleep(0.05)
                change = writer.ask(SetData("/f0", DATA))
                times_s.append(await _cpu_seconds(asyncio.gather(change, *waiting)))
        self._add(f"a change heard by {WATCHES} sessions that watch it", "ms", times_s)
        self._add("longest turn of the loop meanwhile, watches set anew", "ms", [max(turns)])

    async def _ephemerals(self, coordinator: Coordinator) -> None:
        client = await self._client(coordinator)
        await self._timed(
            client, (Create(f"/f1/e{number}", DATA, ephemeral=True) for number in range(1_000))
        )
        ended = await _cpu_seconds(coordinator.close_session(client.session_id))
        self._add("a session ends that owns 1,000 ephemerals", "ms", [ended])

    async def _restart(self, coordinator: Coordinator, what: str) -> Coordinator:
        """From the files of one that was killed to one that serves."""
        await coordinator.stop()
        began_s = time.process_time()
        again = await self._begin(NO_SNAPSHOT)
        self._add(f"restart from {what}", "ms", [time.process_time() - began_s])
        return again

    async def _snapshots(self) -> None:
        """As a coordinator makes them when its log is long."""
        begin = CoordinatorState
        files, state = await CoordinatorFiles.take_over(self._runtime.files, "bench", begin)
        times_s = []
        async with _turns() as turns:
            for _ in range(self._settings.some(10, 3)):
                snapshot = await files.roll(state)
                times_s.append(await _cpu_seconds(snapshot.write(self._runtime.clock)))
        self._add(f"a snapshot of {len(state.tree)} znodes", "ms", times_s)
        self._add("longest turn of the loop meanwhile", "ms", [max(turns)])
        await files.close()


def _path(number: int) -> str:
    return f"/f{number % FOLDERS}/n{number:05}"


async def _hear(client: _Client) -> None:
    while not (events := await client.coordinator.heartbeat(client.session_id, client.seen)):
        pass
    client.seen = events[-1].number


async def _seconds(work: Awaitable[Any]) -> float:
    began_s = time.perf_counter()
    await work
    return time.perf_counter() - began_s


async def _cpu_seconds(work: Awaitable[Any]) -> float:
    began_s = time.process_time()
    await work
    return time.process_time() - began_s


@asynccontextmanager
async def _turns() -> AsyncIterator[list[float]]:
    """What the loop computes while a timer of 1 ms waits, again and again: the length of turns,
    without what others do on the core."""
    turns_s = [0.0]

    async def tick() -> None:
        while True:
            began_s = time.process_time()
            await asyncio.sleep(TICK_S)
            turns_s.append(time.process_time() - began_s)

    ticking = asyncio.create_task(tick())
    try:
        yield turns_s
    finally:
        ticking.cancel()


def _groups(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    rest = iter(operations)
    while group := list(itertools.islice(rest, TOGETHER)):
        yield group
