"""The path of a get through a server's Python, without sockets and without a second process.

What a get through the client costs above this is the kernel's, the event loop's, and that of
caches which two processes on two cores keep taking from each other.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import uvloop

from raybase.actors.client_service import ClientService
from raybase.actors.messages import RegionState
from raybase.actors.posix import PosixFiles
from raybase.actors.system import SystemClock, SystemEntropy
from raybase.config import ClusterConfig
from raybase.operations import Get
from raybase.rpc import convert
from raybase.rpc.client import ClientConnection
from raybase.rpc.server import RpcServer
from raybase.storage.cells import CellBatch

from .engine.cells import ONE, Cells
from .engine.region import NOW_MS, Engine
from .lab import Lab
from .report import Figure, figure
from .settings import Settings
from .timing import quiet_collector

ROWS = 10_000


class Served:
    """A region that always serves."""

    state = RegionState.OPEN

    def __init__(self, engine: Engine) -> None:
        self.info = engine.region.info
        self._region = engine.region

    def check_serving(self) -> None:
        """It does."""

    def get(self, get: Get) -> CellBatch:
        return self._region.get(get, NOW_MS)


@dataclass(frozen=True)
class Outside:
    clock: SystemClock
    entropy: SystemEntropy


class Host:
    """A region server of one region."""

    authorizer = None
    observers = ()

    def __init__(self, engine: Engine) -> None:
        self.runtime = Outside(SystemClock(), SystemEntropy())
        self.config = ClusterConfig()
        self._served = Served(engine)

    def find(self, _: bytes) -> Served:
        return self._served


class Wire(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def write(self, data: Any) -> None:
        self.written.set_result(data)

    def abort(self) -> None:
        """There is nobody to be told."""

    def is_closing(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """It holds one answer."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default

    async def answer(self) -> bytes:
        data = await self.written
        self.written = asyncio.get_running_loop().create_future()
        return data


def details(settings: Settings, lab: Lab) -> list[Figure]:
    """The server's half and the client's half of the protocol's work for one get."""
    with lab.directory() as root, quiet_collector():
        engine = Engine(root / "engine", Cells(ONE, ROWS))
        engine.put(engine.mutations(range(ROWS)))
        engine.flush()
        engine.scan()
        server, client = uvloop.run(
            _gets(engine, PosixFiles(str(root)), settings.some(20_000, 5_000))
        )
        engine.close()
    return [
        figure("path of a get: server, from bytes to bytes", "us", None, server),
        figure("path of a get: client, to bytes and from bytes", "us", None, client),
    ]


async def _gets(engine: Engine, files: PosixFiles, count: int) -> tuple[list[float], list[float]]:
    log = await files.create_log("WALs/server/1")
    host: Any = Host(engine)
    server = RpcServer(
        {"ClientService": ClientService(host)},
        host.config.rpc,
        host.runtime.clock,
        log.check,
        on_fatal=_fatal,
    )
    wire = Wire()
    connection: Any = server()
    connection.connection_made(wire)
    client = ClientConnection("ClientService", user="ann")
    connection.data_received(client.preamble())
    name = engine.region.info.name
    served, asked = [], []
    for number in range(count):
        row = engine.cells.rows[number * 7 % ROWS]
        began_s = time.perf_counter()
        _, data = client.call("Get", convert.get_request(name, Get(row)), timeout_s=60)
        sent_s = time.perf_counter()
        connection.data_received(data)
        answer = await wire.answer()
        came_s = time.perf_counter()
        (got,) = client.feed(answer)
        assert len(convert.result_batch(got.message.result, got.cells)) == 1
        ended_s = time.perf_counter()
        served.append(came_s - sent_s)
        asked.append(sent_s - began_s + ended_s - came_s)
    await server.close()
    await log.close()
    files.close()
    return served, asked


def _fatal(error: Exception) -> None:
    raise error
