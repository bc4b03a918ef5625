"""The asyncio shell: many operations on few sockets, lookups done once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import raybase
from raybase.actors.system import SystemClock, SystemEntropy, TcpNetwork
from raybase.client.aio import AsyncShell
from raybase.client.async_connection import known_servers
from raybase.client.effects import Operation, Shared
from raybase.errors import (
    BatchError,
    CallTimedOutError,
    ConnectionLostError,
    InvalidRequestError,
    TableNotFoundError,
)

Work = Callable[[raybase.AsyncConnection, raybase.AsyncTable], Awaitable[None]]


class CountingNetwork(TcpNetwork):
    def __init__(self) -> None:
        self.connects = 0

    async def connect(self, *args: Any) -> Any:
        self.connects += 1
        return await super().connect(*args)


@pytest.fixture
def run(served: Any) -> Callable[[Work], None]:
    """Runs a coroutine function with a connection and an empty table of two regions."""

    async def main(work: Work) -> None:
        async with await raybase.connect_async(served.address) as connection:
            await connection.admin.create_table("web", ["f", "g"], splits=["m"])
            await work(connection, connection.table("web"))

    return lambda work: asyncio.run(main(work))


def test_what_was_put_is_got(run: Any) -> None:
    async def work(connection: raybase.AsyncConnection, web: raybase.AsyncTable) -> None:
        assert await connection.cluster_id() == "the-cluster"
        await web.put("a", {"f:q": b"1"})
        assert (await web.get("a"))["f:q"] == b"1"
        assert await web.exists("a")
        assert (await web.increment("a", {"f:n": 2})).number("f:n") == 2
        assert (await web.append("a", {"f:q": b"2"}))["f:q"] == b"12"
        put = raybase.Put(b"a").add(b"f", b"r", b"")
        assert await web.check_and_mutate("a", "f:q", b"12", put)
        await web.mutate_row([put, raybase.Put(b"a").add(b"g", b"r", b"")])
        await web.delete("a", "f:q")
        assert sorted(await web.get("a")) == [b"f:n", b"f:r", b"g:r"]
        await web.put_many({"b": {"f:q": b"b"}, "z": {"f:q": b"z"}})
        assert [one.row for one in await web.get_many(["z", "b"])] == [b"z", b"b"]
        outcomes = await web.apply([raybase.Get(b"z")])
        assert isinstance(outcomes[0], raybase.Result)

    run(work)


def test_scans_and_batches(cluster: Any, run: Any) -> None:
    cluster.cells_per_answer = 3

    async def work(connection: raybase.AsyncConnection, web: raybase.AsyncTable) -> None:
        async with web.batch(buffer_bytes=1000) as batch:
            for number in range(20):
                await batch.put(b"%04d" % number, {"f:q": b"v"})
            await batch.delete("0000")
        assert [row.row async for row in web.scan(limit=2)] == [b"0001", b"0002"]
        assert await web.scan().count() == 19
        first = await web.scan("0005").first()
        assert first is not None
        assert first.row == b"0005"
        assert cluster.scanners == {}
        assert len(await web.scan(prefix="001").columns()) == 10
        with pytest.raises(BatchError):
            async with web.batch() as batch:
                await batch.put("a", {"nope:": b""})

    run(work)


def test_admin_looks_after_a_table(run: Any) -> None:
    async def work(connection: raybase.AsyncConnection, web: raybase.AsyncTable) -> None:
        admin = connection.admin
        await admin.split("web", "c")
        await admin.flush("web")
        await admin.modify_family("web", "f", max_versions=4)
        assert len(await admin.regions("web")) == 3
        family = await admin.family("web", "f")
        assert family is not None
        assert family.max_versions == 4
        assert (await admin.status()).regions == 3
        assert (await admin.balance(dry_run=True)).moves_executed == 0
        assert await admin.set_balancer(False)
        assert not await admin.is_balancer_on()
        assert len(await admin.balancer_decisions()) == 2
        assert await admin.normalize()
        assert await admin.set_normalizer(False)
        assert not await admin.is_normalizer_on()
        assert await admin.is_enabled("web")
        await admin.disable_table("web")
        await admin.delete_table("web")
        assert await admin.tables() == []

    run(work)


def test_many_operations_at_once_share_sockets_and_lookups(cluster: Any, served: Any) -> None:
    async def main() -> None:
        network = CountingNetwork()
        addresses = [(one.host, one.port) for one in cluster.servers]
        connection = raybase.AsyncConnection(
            known_servers(addresses),
            raybase.ClientConfig(),
            "me",
            network=network,
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        cluster.add_table("web", b"m")
        table = connection.table("web")
        rows = [b"%s%d" % (one, number) for one in (b"a", b"z") for number in range(50)]
        await asyncio.gather(*[table.put(row, {"f:q": row}) for row in rows])
        found = await asyncio.gather(*[table.get(row) for row in rows])
        assert [one["f:q"] for one in found] == rows
        assert network.connects == 3, "the registry's, and one to each region server"
        methods = [method for _, method in cluster.calls]
        assert methods.count("GetMetaRegionLocations") == 1
        assert methods.count("Scan") <= 2, "one lookup a region, whoever needed it first"
        await connection.close()

    asyncio.run(main())


def test_a_cancelled_waiter_does_not_take_the_lookup_along(cluster: Any, served: Any) -> None:
    async def main() -> None:
        cluster.add_table("web")
        async with await raybase.connect_async(served.address) as connection:
            table = connection.table("web")
            first = asyncio.create_task(table.get("a"))
            second = asyncio.create_task(table.get("b"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            first.cancel()
            assert not await second
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(main())


def test_connections_that_were_cut_are_made_again(served: Any, run: Any) -> None:
    async def work(connection: raybase.AsyncConnection, web: raybase.AsyncTable) -> None:
        await web.put("a", {"f:q": b"1"})
        await asyncio.to_thread(served.cut)
        assert (await web.get("a"))["f:q"] == b"1"

    run(work)


def test_an_error_goes_to_all_who_wait_for_it(run: Any) -> None:
    async def work(connection: raybase.AsyncConnection, web: raybase.AsyncTable) -> None:
        table = connection.table("nope")
        outcomes = await asyncio.gather(*[table.get(row) for row in "abc"], return_exceptions=True)
        assert [type(one) for one in outcomes] == [TableNotFoundError] * 3

    run(work)


def test_a_large_value_passes_both_ways(run: Any) -> None:
    async def work(connection: raybase.AsyncConnection, web: raybase.AsyncTable) -> None:
        value = bytes(range(256)) * 20_000
        await asyncio.gather(*[web.put(f"a{number}", {"f:q": value}) for number in range(4)])
        assert (await web.get("a3"))["f:q"] == value

    run(work)


def test_a_server_that_does_not_answer_is_given_up() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            config = raybase.ClientConfig(call_timeout_s=0.05)
            with pytest.raises(ConnectionLostError, match=r"GetClusterId at .* in 0.05 s"):
                await raybase.connect_async(f"127.0.0.1:{deaf.getsockname()[1]}", config=config)

    asyncio.run(main())


def test_what_is_under_way_when_the_connection_closes_fails(cluster: Any, run: Any) -> None:
    async def work(connection: raybase.AsyncConnection, web: raybase.AsyncTable) -> None:
        cluster.faults["Get"] = [CallTimedOutError("x") for _ in range(99)]
        get = asyncio.create_task(web.get("a"))
        await asyncio.sleep(0.01)
        await connection.close()
        cluster.faults.clear()
        with pytest.raises(raybase.RaybaseError):
            await asyncio.wait_for(get, 5)

    run(work)


def test_closing_ends_a_lookup_with_an_error_and_not_as_if_cancelled() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            connection = raybase.AsyncConnection(
                known_servers([("127.0.0.1", deaf.getsockname()[1])]),
                raybase.ClientConfig(),
                "me",
                network=TcpNetwork(),
                clock=SystemClock(),
                entropy=SystemEntropy(),
            )
            get = asyncio.create_task(connection.table("web").get("a"))
            await asyncio.sleep(0.02)
            await connection.close()
            with pytest.raises(raybase.RaybaseError):
                await asyncio.wait_for(get, 5)
            with pytest.raises(InvalidRequestError, match="closed by its user"):
                await connection.cluster_id()

    asyncio.run(main())


def test_a_lookup_that_has_just_ended_is_not_joined() -> None:
    """Who took its answer for a new one and found nothing there asked again, at once and for
    ever: the loop did not get to forget the lookup."""
    lookups: list[str] = []

    def lookup(who: str) -> Operation[None]:
        lookups.append(who)
        return
        yield

    def ask(who: str) -> Operation[None]:
        yield Shared("key", lambda: lookup(who))

    async def story() -> None:
        shell = AsyncShell(TcpNetwork(), SystemClock(), known_servers([]), "user")

        async def ask_late() -> None:
            await asyncio.sleep(0)  # The first lookup ends in this very turn of the loop.
            await shell.run(ask("late"))

        first = asyncio.create_task(shell.run(ask("first")))
        await asyncio.gather(first, asyncio.create_task(ask_late()))

    asyncio.run(story())
    assert lookups == ["first", "late"]
