"""The client against the real master and region servers, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import raybase
from raybase.errors import (
    ConstraintError,
    IllegalArgumentError,
    NamespaceExistsError,
    NamespaceNotFoundError,
    NoSuchFamilyError,
    TableExistsError,
    TableNotDisabledError,
    TableNotEnabledError,
    TableNotFoundError,
)
from raybase.testing.cluster import SimCluster
from raybase.testing.simulate import simulate
from raybase.testing.simulation import Simulation
from raybase.testing.story import SMALL

pytestmark = pytest.mark.simulation

Application = Callable[[raybase.AsyncConnection], Awaitable[Any]]


def run(application: Application) -> Any:
    """In a cluster in which nothing fails."""
    with Simulation(1, SMALL) as simulation:
        cluster = SimCluster(simulation)
        cluster.start()
        connection = cluster.connect("application", raybase.ClientConfig())

        async def work() -> Any:
            try:
                return await application(connection)
            finally:
                await connection.close()

        result = simulation.run(work(), 600.0, "application")
        assert simulation.errors == []
        return result


async def made(connection: raybase.AsyncConnection) -> raybase.AsyncTable:
    await connection.admin.create_table("web", {"f": {"max_versions": 3}, "g": {}}, splits=["m"])
    return connection.table("web")


def test_rows_are_changed_in_every_way() -> None:
    async def application(connection: raybase.AsyncConnection) -> None:
        table = await made(connection)
        await table.put("a", {"f:q": b"1", "g:": b"2"})
        await asyncio.sleep(0.002)  # Two puts of one millisecond are one version.
        await table.put("a", {"f:q": b"2"})
        row = await table.get("a", versions=3)
        assert [cell.value for cell in row.versions("f:q")] == [b"2", b"1"]
        assert (await table.increment("a", {"f:n": 5})).number("f:n") == 5
        assert (await table.append("a", {"f:q": b"x"}))["f:q"] == b"2x"
        put = raybase.Put(b"a").add(b"f", b"q", b"3")
        assert await table.check_and_mutate("a", "f:q", b"2x", put)
        assert not await table.check_and_mutate("a", "f:q", b"2x", put)
        both = [raybase.Put(b"a").add(b"f", b"q", b"4"), raybase.Delete(b"a").column(b"g", b"")]
        assert not await table.check_and_mutate("a", "f:q", b"no", both)
        assert await table.check_and_mutate("a", "f:q", b"3", both)
        assert sorted(await table.get("a")) == [b"f:n", b"f:q"]
        await table.mutate_row([put, raybase.Put(b"a").add(b"g", b"r", b"")])
        assert await table.check_and_mutate(
            "b", "f:q", None, raybase.Put(b"b").add(b"f", b"q", b"")
        )
        assert await table.check_and_mutate("b", "f:q", b"", raybase.Delete(b"b"))
        assert not await table.exists("b")
        assert await table.exists("a", "g:r")
        outcomes = await table.apply(
            [
                raybase.Get(b"a"),
                raybase.Put(b"z").add(b"nope", b"", b""),
                raybase.Increment(b"a").add(b"f", b"n", 1),
                raybase.Append(b"z").add(b"f", b"t", b"tail"),
            ]
        )
        got, wrong, counter, tail = outcomes
        assert isinstance(got, raybase.Result)
        assert isinstance(wrong, NoSuchFamilyError)
        assert isinstance(counter, raybase.Result)
        assert counter.number("f:n") == 6
        assert isinstance(tail, raybase.Result)
        assert tail["f:t"] == b"tail"

    run(application)


def test_scans_cross_regions_both_ways() -> None:
    async def application(connection: raybase.AsyncConnection) -> None:
        table = await made(connection)
        async with table.batch() as batch:
            for number in range(2000):
                await batch.put(b"%05d" % number, {"f:q": b"v%d" % number * 10, "g:x": b"y"})
            await batch.put("z", {"f:q": b"last"})
        assert await table.scan().count() == 2001
        assert await table.scan(limit=7).count() == 7
        assert await table.scan(prefix="012").count() == 100
        assert [row.row async for row in table.scan(reversed=True, limit=2)] == [b"z", b"01999"]
        down = table.scan("00005", "00002", reversed=True)
        assert [row.row async for row in down] == [b"00005", b"00004", b"00003"]
        columns = await table.scan(columns=["f:q"]).columns()
        assert (len(columns), columns.values[3]) == (2001, b"v3" * 10)
        meta = connection.table("hbase:meta")
        assert await meta.scan("web,,", "web ,,").count() == 2

    run(application)


def test_tables_and_regions_are_administered() -> None:
    async def application(connection: raybase.AsyncConnection) -> None:
        table, admin = await made(connection), connection.admin
        await table.put_many({b"%03d" % number: {"f:q": b"v"} for number in range(100)})
        await admin.flush("web")
        await admin.compact("web", major=True)
        await admin.split("web", "050")
        regions = await admin.regions("web")
        assert [one.region.start_key for one in regions] == [b"", b"050", b"m"]
        servers = [one.name for one in (await admin.status()).servers]
        target = next(one for one in servers if one != regions[0].server)
        await admin.move(regions[0].region.encoded_name, target.address)
        assert (await admin.regions("web"))[0].server == target
        assert await table.scan().count() == 100
        await admin.add_family("web", "h", max_versions=2)
        await admin.modify_family("web", "h", ttl_s=100)
        family = await admin.family("web", "h")
        assert family is not None
        assert (family.max_versions, family.ttl_s) == (2, 100)
        await admin.drop_family("web", "h")
        with pytest.raises(NoSuchFamilyError):
            await table.put("a", {"h:": b""})
        await admin.disable_table("web")
        with pytest.raises(TableNotEnabledError):
            await table.get("000")
        await admin.enable_table("web")
        assert await table.scan().count() == 100
        await admin.disable_table("web")
        await admin.truncate_table("web")
        assert await table.scan().count() == 0
        await admin.disable_table("web")
        await admin.delete_table("web")
        with pytest.raises(TableNotFoundError):
            await table.get("000")

    run(application)


def test_a_server_is_drained_while_a_counter_counts() -> None:
    async def application(connection: raybase.AsyncConnection) -> None:
        await connection.admin.create_table("web", ["f"], splits=["3", "6"])
        table, admin = connection.table("web"), connection.admin
        meta = (await admin.regions("hbase:meta"))[0].server
        assert meta is not None

        async def count() -> None:
            for number in range(300):
                await table.increment(f"{number % 9}", {"f:n": 1})

        counting = asyncio.ensure_future(count())
        await admin.decommission(meta.address)
        assert await admin.decommissioned() == [meta]
        for name in ("web", "hbase:meta"):
            assert meta not in [one.server for one in await admin.regions(name)]
        await counting
        assert sum([row.number("f:n") async for row in table.scan()]) == 300
        first = (await admin.regions("web"))[0].region
        await admin.recommission(f"{meta.host},{meta.port}", [first.encoded_name])
        assert await admin.decommissioned() == []
        while (await admin.regions("web"))[0].server != meta:
            await asyncio.sleep(0.1)
        with pytest.raises(IllegalArgumentError, match="no live server"):
            await admin.decommission("nowhere:1")
        assert await admin.decommissioned() == []

    run(application)


def test_wrong_requests_are_told_and_change_nothing() -> None:
    async def application(connection: raybase.AsyncConnection) -> None:
        await made(connection)
        admin = connection.admin
        with pytest.raises(TableExistsError):
            await admin.create_table("web", ["f"])
        with pytest.raises(TableNotDisabledError):
            await admin.delete_table("web")
        for name in ("../x", "hbase:x", "a/b", "", "a\0b"):
            with pytest.raises(IllegalArgumentError):
                await admin.create_table(name, ["f"])
        assert [str(one) for one in await admin.tables()] == ["web"]

    run(application)


@pytest.mark.parametrize("seed", range(3))
def test_counters_are_exact_and_scans_in_order_while_everything_fails(seed: int) -> None:
    async def application(connection: raybase.AsyncConnection) -> int:
        await connection.admin.create_table("web", ["f"], splits=["3", "6"])
        table = connection.table("web")
        for number in range(100):
            await table.increment(f"{number % 10}", {"f:n": 1})
            if number % 10 == 0:
                rows = [row.row async for row in table.scan()]
                assert rows == sorted(set(rows))
            await asyncio.sleep(0.2)
        return sum([row.number("f:n") async for row in table.scan()])

    assert simulate(application, seed) == 100


def test_namespaces_hold_tables() -> None:
    async def application(connection: raybase.AsyncConnection) -> None:
        admin = connection.admin
        with pytest.raises(NamespaceNotFoundError):
            await admin.create_table("a:t", ["f"])
        await admin.create_namespace("a", {"k": "v"})
        with pytest.raises(NamespaceExistsError):
            await admin.create_namespace("a")
        await admin.create_table("a:t", ["f"])
        await admin.create_table("t", ["f"])
        # A namespace and a table of the default one may have one name.
        await admin.create_table("a", ["f"])
        await connection.table("a:t").put("r", {"f:q": b"1"})
        assert (await connection.table("a:t").get("r"))["f:q"] == b"1"
        assert not (await connection.table("t").get("r")).cells
        assert [str(one) for one in await admin.tables(namespace="a")] == ["a:t"]
        assert [str(one) for one in await admin.tables(namespace="default")] == ["a", "t"]
        await admin.alter_namespace("a", {"k": "w"})
        assert (await admin.describe_namespace("a")).configuration == {"k": "w"}
        with pytest.raises(ConstraintError):
            await admin.delete_namespace("a")
        await admin.disable_table("a:t")
        await admin.delete_table("a:t")
        await admin.delete_namespace("a")
        assert [one.name for one in await admin.namespaces()] == ["default", "hbase"]
        assert await admin.is_enabled("a")

    run(application)


def test_a_table_is_altered_while_it_is_read_and_written_without_an_error() -> None:
    rows = [f"{number:02}" for number in range(24)]

    async def application(connection: raybase.AsyncConnection) -> None:
        splits = rows[3::3]
        await connection.admin.create_table("web", ["f"], splits=splits)
        table = connection.table("web")
        over = asyncio.Event()
        served = 0

        async def use(row: str) -> None:
            nonlocal served
            count = 0
            while not over.is_set() or not count:
                count += 1
                await table.increment(row, {"f:n": 1})
                assert (await table.get(row)).number("f:n") == count
                served += 1

        async def scan() -> None:
            while not over.is_set():
                found = [row.row.decode() async for row in table.scan(columns=["f:n"])]
                assert found == rows

        for row in rows:
            await table.put(row, {"f:n": bytes(8)})
        users = [asyncio.create_task(one) for one in (scan(), *map(use, rows))]
        await connection.admin.add_family("web", "g")
        await connection.admin.modify_family("web", "f", max_versions=5)
        await connection.admin.drop_family("web", "g")
        over.set()
        await asyncio.gather(*users)
        assert served > 10 * len(rows)
        with pytest.raises(NoSuchFamilyError):
            await table.put(rows[0], {"g:q": b""})
        for row in rows:
            await table.increment(row, {"f:n": 1})
            assert len((await table.get(row, versions=9)).versions("f:n")) == 5

    run(application)
