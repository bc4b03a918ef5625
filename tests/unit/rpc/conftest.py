"""A server and its clients joined in memory: bytes only, and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from raybase.config import RpcConfig
from raybase.rpc.call import Call, Reply
from raybase.rpc.client import Answer, ClientConnection
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.rpc.server import RpcServer
from raybase.storage.cells import CellBatch


class ManualClock:
    def __init__(self) -> None:
        self.s = 100.0

    def now_ms(self) -> int:
        return int(self.s * 1000)

    def monotonic_s(self) -> float:
        return self.s

    async def sleep(self, delay_s: float) -> None:
        raise AssertionError("nothing here sleeps")


class MemoryTransport(asyncio.Transport):
    """Keeps what is written until the peer ``read``s it; pauses its protocol as sockets do."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.unread = bytearray()
        self.written = 0
        self.high = 64 * 1024
        self.slow = False
        """The peer does not read: bytes pile up."""
        self.reading = True
        self.eof = False
        self.closed = False
        self.aborted = False
        self._paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("10.0.0.1", 4321) if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or self.high

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.eof, "written after the end"
        self.unread += data
        self.written += len(data)
        if self.slow and len(self.unread) > self.high and not self._paused:
            self._paused = True
            self.protocol.pause_writing()

    def read(self) -> bytes:
        data = bytes(self.unread)
        self.unread.clear()
        if self._paused:
            self._paused = False
            self.protocol.resume_writing()
        return data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.eof = True

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self._lose()

    def abort(self) -> None:
        self.aborted = True
        self.unread.clear()
        self._lose()

    def _lose(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class Link:
    """One client's connection to the server."""

    def __init__(self, server: RpcServer, client: ClientConnection) -> None:
        self.client = client
        self.protocol = server()
        self.transport = MemoryTransport(self.protocol)
        self.protocol.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        self.protocol.data_received(data)

    def open(self) -> None:
        self.send(self.client.preamble())

    def call(self, method: str, request: Any, **options: Any) -> int:
        call_id, data = self.client.call(method, request, **options)
        self.send(data)
        return call_id

    def answers(self) -> list[Answer]:
        return self.client.feed(self.transport.read())


class Services:
    """Get answers its row; what else happens is set by the test."""

    def __init__(self) -> None:
        self.on_get: Callable[[Call], Reply | Awaitable[Reply]] = self.row_reply
        self.calls: list[Call] = []

    def get(self, call: Call) -> Reply | Awaitable[Reply]:
        self.calls.append(call)
        return self.on_get(call)

    @staticmethod
    def row_reply(call: Call, value: bytes = b"value") -> Reply:
        batch = CellBatch()
        batch.append(call.request.get.row, b"f", b"q", 7, 4, value)
        batch.end_row()
        return Reply(pb.GetResponse(result=pb.Result(associated_cell_count=1)), batch)


class Harness:
    def __init__(self, config: RpcConfig, cluster_id: str | None) -> None:
        self.clock = ManualClock()
        self.services = Services()
        self.gates = 0
        self.gate: Callable[[], Awaitable[None]] = self.open_gate
        self.fatal: list[Exception] = []
        self.server = RpcServer(
            {"ClientService": self.services},
            config,
            self.clock,
            lambda: self.gate(),
            on_fatal=self.fatal.append,
            cluster_id=lambda: cluster_id,
        )

    async def open_gate(self) -> None:
        self.gates += 1

    def link(self, *, opened: bool = True) -> Link:
        link = Link(self.server, ClientConnection("ClientService", user="ann"))
        if opened:
            link.open()
        return link

    @staticmethod
    def get(row: bytes = b"row") -> pb.GetRequest:
        region = pb.RegionSpecifier(type=pb.RegionSpecifier.REGION_NAME, value=b"t,,1.ab.")
        return pb.GetRequest(region=region, get=pb.Get(row=row))

    @staticmethod
    async def settle() -> None:
        """Runs the loop until everything that can happen has happened."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
def run_server() -> Callable[..., None]:
    """Runs an async test with a fresh server: ``run_server(story, calls_waiting_max=3)``."""

    def run(
        story: Callable[[Harness], Awaitable[None]],
        *,
        cluster_id: str | None = None,
        **settings: Any,
    ) -> None:
        async def main() -> None:
            harness = Harness(RpcConfig(**settings), cluster_id)
            await story(harness)
            await harness.server.close()
            await harness.settle()

        asyncio.run(main())

    return run
