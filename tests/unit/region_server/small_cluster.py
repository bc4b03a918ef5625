"""A coordinator, region servers, and a stand-in for the master, in a simulation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from raybase.actors.jobs import split_wal_job
from raybase.actors.log_writer import OLD_WALS, wal_directory
from raybase.actors.messages import (
    CloseRequest,
    MoveRequest,
    MoveResult,
    OpenRequest,
    OpenResult,
    SplitRequest,
    SplitResult,
)
from raybase.actors.region_server import RegionServer
from raybase.config import MIB, ClusterConfig, StoreConfig
from raybase.errors import RaybaseError
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.operations import Condition, Get, Mutation, Put, Scan
from raybase.rpc.client import ClientConnection
from raybase.rpc.convert import (
    RegionBatch,
    get_request,
    multi_answers,
    multi_request,
    mutate_request,
    scan_batch,
    scan_request,
)
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.storage.cells import CellBatch
from raybase.testing import NO_FAULTS, Faults, Simulation

T = TypeVar("T")

TABLE = TableDescriptor(
    TableName.parse("t"), (FamilyDescriptor(b"f", max_versions=3), FamilyDescriptor(b"g"))
)
REGION = RegionInfo(TABLE.name, b"", b"", 1)
CONFIG = replace(
    ClusterConfig(), store=replace(StoreConfig(), block_cache_bytes=8 * MIB, compaction_bytes_min=1)
)


class RpcClient(asyncio.Protocol):
    """One connection to a server, as a client has it."""

    def __init__(self, service: str) -> None:
        self.wire = ClientConnection(service, user="tester")
        self.answers: dict[int, asyncio.Future[Any]] = {}
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self.wire.preamble())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        for answer in self.wire.feed(data):
            self.answers.pop(answer.call_id).set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        for future in self.answers.values():
            if not future.done():
                future.set_exception(ConnectionError("lost"))

    async def call(self, method: str, request: Any, cells: Any = None) -> Any:
        """The answer. Raises the error in it, or ConnectionError."""
        if self.lost:
            raise ConnectionError("lost")
        call_id, data = self.wire.call(method, request, cells)
        future = self.answers[call_id] = asyncio.get_running_loop().create_future()
        self.transport.write(data)  # type: ignore[attr-defined]
        answer = await future
        if answer.error is not None:
            raise answer.error
        return answer


class SmallCluster:
    """Gives orders as a master would, and reads and writes as a client would."""

    def __init__(self, simulation: Simulation, servers: int) -> None:
        self.simulation = simulation
        self.runtime = simulation.runtime_for("main")
        self.names = [f"rs-{number}" for number in range(1, servers + 1)]
        self.orders = 0
        self.epoch = 1
        self.clients: dict[tuple[str, str], RpcClient] = {}
        self.addresses: dict[str, str] = {}

    def server(self, name: str) -> RegionServer:
        found = self.simulation.actor(name)
        assert isinstance(found, RegionServer)
        return found

    def address(self, name: str) -> str:
        return str(self.server(name).server)

    async def control(self, name: str, method: str, *args: Any) -> Any:
        return await self.runtime.processes.remote(name).call(method, *args, timeout_s=30)

    def next_order(self) -> int:
        self.orders += 1
        return self.orders

    async def start(self) -> None:
        while not all(
            self.simulation.actor(name) is not None and self.server(name).server is not None
            for name in self.names
        ):
            await asyncio.sleep(0.1)
        self.addresses = {name: self.address(name) for name in self.names}

    # Orders

    async def open(
        self,
        name: str,
        info: RegionInfo = REGION,
        table: TableDescriptor = TABLE,
        recovered_from: str | None = None,
        **changes: Any,
    ) -> OpenResult:
        request = OpenRequest(info, table, self.epoch, self.next_order(), recovered_from)
        return await self.control(name, "open_region", replace(request, **changes))

    async def close(self, name: str, info: RegionInfo = REGION) -> Any:
        request = CloseRequest(info.encoded_name, self.epoch, self.next_order())
        return await self.control(name, "close_region", request)

    def move_request(self, target: str, info: RegionInfo = REGION) -> MoveRequest:
        return MoveRequest(
            info.encoded_name, self.address(target), target, self.epoch, self.next_order()
        )

    async def move(self, source: str, target: str, info: RegionInfo = REGION) -> MoveResult:
        return await self.control(source, "hand_over", self.move_request(target, info))

    def split_request(self, row: bytes, info: RegionInfo = REGION) -> SplitRequest:
        later = info.region_id + 1
        daughters = (
            RegionInfo(info.table, info.start_key, row, later),
            RegionInfo(info.table, row, info.end_key, later),
        )
        return SplitRequest(info, TABLE, daughters, self.epoch, self.next_order())

    async def split(self, name: str, request: SplitRequest) -> SplitResult:
        return await self.control(name, "split_region", request)

    async def recover(self, server: str) -> dict[str, int]:
        """Fences a server and splits its logs, as a master does."""
        files = self.runtime.files
        directory = wal_directory(server)
        await files.fence(directory)
        edits: dict[str, int] = {}
        for name in await files.list(directory):
            if name != "FENCED":
                result = await self.runtime.tasks.run(split_wal_job, server, name)
                for region, count in result.edits.items():
                    edits[region] = edits.get(region, 0) + count
                await files.rename(f"{directory}/{name}", f"{OLD_WALS}/{server}/{name}")
        return edits

    # Data

    async def client(self, name: str, service: str = "ClientService") -> RpcClient:
        client = self.clients.get((name, service))
        if client is None or client.lost:
            server = self.server(name).server
            assert server is not None
            _, protocol = await self.runtime.network.connect(
                lambda: RpcClient(service), server.host, server.port
            )
            assert isinstance(protocol, RpcClient)
            client = self.clients[name, service] = protocol
        return client

    async def put(self, name: str, row: bytes, value: bytes, info: RegionInfo = REGION) -> None:
        mutation = Put(row).add(b"f", b"q", value).add(b"g", b"q", value)
        client = await self.client(name)
        await client.call("Mutate", mutate_request(info.name, mutation))

    async def put_many(self, name: str, values: dict[bytes, bytes]) -> None:
        batch = RegionBatch(
            REGION.name,
            [Put(row).add(b"f", b"q", value) for row, value in values.items()],
        )
        answers = await self.multi(name, [batch])
        assert answers[0].error is None
        assert not any(isinstance(one, RaybaseError) for one in answers[0].outcomes)

    async def multi(self, name: str, batches: list[RegionBatch]) -> Any:
        message, cells = multi_request(batches)
        answer = await (await self.client(name)).call("Multi", message, cells)
        return multi_answers(answer.message, answer.cells, batches)

    async def mutate(
        self,
        name: str,
        mutation: Mutation,
        condition: Condition | None = None,
        info: RegionInfo = REGION,
        nonce_group: int = 0,
    ) -> Any:
        request = mutate_request(info.name, mutation, condition, nonce_group)
        return await (await self.client(name)).call("Mutate", request)

    async def get(self, name: str, row: bytes, info: RegionInfo = REGION) -> bytes | None:
        """The value of f:q."""
        client = await self.client(name)
        answer = await client.call("Get", get_request(info.name, Get(row)))
        found = answer.cells or CellBatch()
        return found.values[0] if found else None

    async def scan(
        self, name: str, scan: Scan | None = None, info: RegionInfo = REGION
    ) -> dict[bytes, bytes]:
        """Row and value of f:q of all rows, fetched call by call."""
        client = await self.client(name)
        rows: dict[bytes, bytes] = {}
        answer = await client.call("Scan", scan_request(info.name, scan or Scan()))
        number = 0
        while True:
            batch = scan_batch(answer.message, answer.cells)
            for row, family, _, _, _, value in batch.cells():
                if family == b"f":
                    assert row not in rows
                    rows[row] = value
            message = answer.message
            if not message.more_results_in_region or not message.more_results:
                return rows
            request = pb.ScanRequest(
                scanner_id=message.scanner_id,
                next_call_seq=number,
                number_of_rows=scan.caching if scan and scan.caching else 2**31 - 1,
                client_handles_partials=True,
                client_handles_heartbeats=True,
            )
            number += 1
            answer = await client.call("Scan", request)


Story = Callable[[SmallCluster], Coroutine[Any, Any, T]]


def run(
    story: Story[T],
    *,
    servers: int = 2,
    seed: int = 1,
    faults: Faults = NO_FAULTS,
    config: ClusterConfig = CONFIG,
    arguments: dict[str, Any] | None = None,
    timeout_s: float = 300,
) -> T:
    """Runs a story on a fresh cluster; nobody may leave an error behind."""
    with Simulation(seed, config, faults=faults) as simulation:
        simulation.spawn("coordinator", "coordinator")
        cluster = SmallCluster(simulation, servers)
        for name in cluster.names:
            simulation.spawn("region_server", name, arguments)

        async def whole() -> T:
            await cluster.start()
            return await story(cluster)

        try:
            result = simulation.run(whole(), timeout_s=timeout_s)
        except BaseException:
            print("\n".join(simulation.trace[-400:]))
            raise
        assert simulation.errors == []
        return result
