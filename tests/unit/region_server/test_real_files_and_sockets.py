"""The same server over a real directory, real sockets and the real clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from raybase.actors.coordinator import Coordinator
from raybase.actors.jobs import split_wal_job
from raybase.actors.log_writer import wal_directory
from raybase.actors.messages import MoveRequest, OpenRequest
from raybase.actors.posix import PosixFiles
from raybase.actors.region_server import RegionServer
from raybase.actors.system import SystemClock, SystemEntropy, TcpNetwork
from raybase.errors import ObjectLostError, ProcessDiedError
from raybase.model import RegionInfo
from raybase.operations import Get, Put
from raybase.rpc.convert import (
    RegionBatch,
    get_request,
    multi_answers,
    multi_request,
    mutate_request,
)
from raybase.runtime import Runtime

from .small_cluster import CONFIG, REGION, TABLE, RpcClient


class LocalObjects:
    """The object store as a dictionary."""

    node = "here"

    def __init__(self) -> None:
        self.held: dict[int, bytes] = {}

    async def put(self, data: Any) -> int:
        self.held[len(self.held)] = bytes(data)
        return len(self.held) - 1

    async def get(self, reference: int) -> memoryview:
        if reference not in self.held:
            raise ObjectLostError(str(reference))
        return memoryview(self.held[reference])


class LocalTasks:
    def __init__(self, files: PosixFiles, objects: LocalObjects) -> None:
        self.services = (files, objects)

    async def run(self, job: Any, *args: Any) -> Any:
        return await job(*self.services, *args)


class LocalRemote:
    def __init__(self, name: str, processes: LocalProcesses) -> None:
        self.name = name
        self.processes = processes

    async def call(self, method: str, *args: Any, timeout_s: float | None = None) -> Any:
        found = self.processes.living.get(self.name)
        if found is None:
            raise ProcessDiedError(self.name)
        async with asyncio.timeout(timeout_s):
            return await getattr(found, method)(*args)


class LocalProcesses:
    """All in this one; an exit takes the process out of the list."""

    def __init__(self) -> None:
        self.living: dict[str, Any] = {}
        self.exits: list[str] = []

    def remote(self, name: str) -> LocalRemote:
        return LocalRemote(name, self)

    async def spawn(
        self, role: str, name: str, arguments: dict[str, Any], away_from: Sequence[str] = ()
    ) -> None:
        raise NotImplementedError

    async def kill(self, name: str) -> None:
        self.living.pop(name, None)

    def exit(self, reason: str) -> None:
        self.exits.append(reason)


async def connected(server: RegionServer) -> RpcClient:
    assert server.server is not None
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(
        lambda: RpcClient("ClientService"), server.server.host, server.server.port
    )
    return protocol


def test_write_read_move_and_recovery_on_a_real_disk(tmp_path: Path) -> None:
    processes, objects = LocalProcesses(), LocalObjects()

    def runtime() -> Runtime:
        files = PosixFiles(str(tmp_path))
        return Runtime(
            SystemClock(),
            SystemEntropy(),
            files,
            TcpNetwork(),
            processes,
            LocalTasks(files, objects),
            objects,
        )

    async def story() -> None:
        for name, role in (
            ("coordinator", Coordinator),
            ("rs-1", RegionServer),
            ("rs-2", RegionServer),
        ):
            process = role(runtime(), name, CONFIG)
            processes.living[name] = process
            await process.start()
        first, second = processes.living["rs-1"], processes.living["rs-2"]
        await first.open_region(OpenRequest(REGION, TABLE, 1, 1))
        client = await connected(first)
        counters = first.runtime.files.counters
        path = f"{wal_directory(str(first.server))}/1"
        before = counters.by_path[path].syncs
        puts = [Put(b"%04d" % n).add(b"f", b"q", b"v%d" % n) for n in range(1000)]
        batch = RegionBatch(REGION.name, list(puts))
        message, cells = multi_request([batch])
        answer = await client.call("Multi", message, cells)
        assert multi_answers(answer.message, answer.cells, [batch])[0].error is None
        assert counters.by_path[path].syncs == before + 1
        move = MoveRequest(REGION.encoded_name, str(second.server), "rs-2", 1, 2)
        assert (await first.hand_over(move)).moved
        client.transport.close()
        client = await connected(second)
        answer = await client.call("Get", get_request(REGION.name, Get(b"0500")))
        assert answer.cells.values == [b"v500"]
        await client.call(
            "Mutate", mutate_request(REGION.name, Put(b"0500").add(b"f", b"q", b"new"))
        )
        await first.runtime.files.fence(wal_directory(str(second.server)))
        for name in ("1",):
            await split_wal_job(first.runtime.files, objects, str(second.server), name)
        request = OpenRequest(REGION, TABLE, 1, 3, recovered_from=str(second.server))
        await first.open_region(request)
        late = client.call("Get", get_request(REGION.name, Get(b"0500")))
        outcome = await asyncio.gather(late, return_exceptions=True)
        assert isinstance(outcome[0], ConnectionError)
        assert processes.exits
        client.transport.close()
        client = await connected(first)
        answer = await client.call("Get", get_request(REGION.name, Get(b"0500")))
        assert answer.cells.values == [b"new"]
        await first.stop()
        client.transport.close()
        # What the end of a real process would have closed.
        await second._listener.close()
        await processes.living["coordinator"].stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0.05)

    asyncio.run(story())


def test_very_many_regions_opened_at_once_leave_turns_of_the_loop_to_others(
    tmp_path: Path,
) -> None:
    """On a real disk an open may never wait, and its syncs keep the loop."""
    count = 60
    infos = [
        RegionInfo(TABLE.name, b"%03d" % n if n else b"", b"%03d" % (n + 1), n + 1)
        for n in range(count)
    ]
    processes, objects = LocalProcesses(), LocalObjects()
    files = PosixFiles(str(tmp_path))
    runtime = Runtime(
        SystemClock(),
        SystemEntropy(),
        files,
        TcpNetwork(),
        processes,
        LocalTasks(files, objects),
        objects,
    )

    async def story() -> None:
        for name, role in (("coordinator", Coordinator), ("rs", RegionServer)):
            processes.living[name] = role(runtime, name, CONFIG)
            await processes.living[name].start()
        server = processes.living["rs"]
        opening = asyncio.gather(
            *(server.open_region(OpenRequest(info, TABLE, 1, 1)) for info in infos)
        )
        online = []
        while not opening.done():
            await asyncio.sleep(0)
            online.append(len(await server.regions()))
        steps = [after - before for before, after in pairwise(online)]
        assert online[-1] == count
        assert max(steps) <= CONFIG.region_server.open_threads
        await server.stop()
        await processes.living["coordinator"].stop()

    asyncio.run(story())
    files.close()
