"""Very many regions: opened some at a time, and recorded together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from raybase.actors import server_manager
from raybase.actors.meta_rows import region_put
from raybase.actors.procedures import crash
from raybase.actors.procedures.crash import ServerCrashProcedure
from raybase.actors.procedures.tables import CreateTableProcedure, DisableTableProcedure
from raybase.errors import InvalidRequestError
from raybase.model import RegionInfo, ServerName
from raybase.runtime import Runtime
from raybase.testing.procedures.cluster import FakeCluster, table
from raybase.testing.procedures.servers import FakeRegionServer

T = table("many")
REGIONS = 75


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    yield one
    one.close()


class Watched:
    """Counts the calls of a method that are under way at a time, and all."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
        self.now: dict[str, int] = {}
        self.most = 0
        self.calls = 0
        real = getattr(FakeRegionServer, method)

        async def counted(server: FakeRegionServer, *args: Any) -> Any:
            name = str(server.name)
            self.calls += 1
            self.now[name] = self.now.get(name, 0) + 1
            self.most = max(self.most, self.now[name])
            try:
                return await real(server, *args)
            finally:
                self.now[name] -= 1

        monkeypatch.setattr(FakeRegionServer, method, counted)


def create(cluster: FakeCluster) -> None:
    keys = tuple(b"%03d" % number for number in range(1, REGIONS))
    cluster.perform(CreateTableProcedure(table=T.name, descriptor=T, split_keys=keys))


def test_a_server_is_asked_to_open_and_close_some_regions_at_a_time(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens, closes = (Watched(monkeypatch, one) for one in ("open_region", "close_region"))
    create(cluster)
    cluster.perform(DisableTableProcedure(table=T.name))
    assert opens.calls == closes.calls == REGIONS
    assert 1 < opens.most <= server_manager._ORDERS_MAX
    assert 1 < closes.most <= server_manager._ORDERS_MAX
    cluster.check()


def test_orders_that_wait_for_a_server_that_dies_go_elsewhere(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = cluster.live()[0]
    real = FakeRegionServer.open_region

    async def hang(server: FakeRegionServer, *args: Any) -> Any:
        if server.name.host == victim:
            cluster.simulation.later(0.5, lambda: cluster.kill_server(victim))
            monkeypatch.setattr(FakeRegionServer, "open_region", real)
        return await real(server, *args)

    monkeypatch.setattr(FakeRegionServer, "open_region", hang)
    create(cluster)
    cluster.settle()
    cluster.check()


def test_what_is_recorded_at_the_same_time_goes_to_hbase_meta_together(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Watched(monkeypatch, "mutate_meta")
    create(cluster)
    cluster.check()
    assert writes.calls < REGIONS, "two a region without it"
    assert writes.most == 1


def test_a_write_that_is_refused_fails_for_its_own_writer_alone(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(cluster)
    real = FakeRegionServer.mutate_meta
    infos = [node.info for node in cluster.term.assignment.regions_of(T.name)][:5]
    guilty = infos[2]

    async def refuse(server: FakeRegionServer, epoch: int, mutations: list[Any]) -> int:
        if any(one.row == guilty.name for one in mutations):
            raise InvalidRequestError("not this one")
        return await real(server, epoch, mutations)

    monkeypatch.setattr(FakeRegionServer, "mutate_meta", refuse)

    async def write(info: RegionInfo) -> str:
        meta = cluster.term.environment.meta
        try:
            await meta.write([region_put(info, "OPEN", meta.next_ms())])
        except InvalidRequestError:
            return "refused"
        return "written"

    async def write_all() -> list[str]:
        return await asyncio.gather(*(write(info) for info in infos))

    expected = ["refused" if info is guilty else "written" for info in infos]
    assert cluster.on_master(write_all()) == expected


def test_many_logs_are_split_some_at_a_time_and_that_of_meta_waits_for_none(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task has a whole log in memory."""
    under_way: list[str] = []
    seen: list[int] = []

    async def split(runtime: Runtime, _server: str, name: str) -> None:
        under_way.append(name)
        seen.append(len(under_way))
        await runtime.clock.sleep(0.1)
        under_way.remove(name)

    monkeypatch.setattr(crash, "split_and_archive", split)
    environment = cluster.term.environment
    most = environment.config.master.log_splits_max
    names = [f"{number:010d}" for number in range(3 * most)]
    dead = [ServerCrashProcedure(server=ServerName("h", port, 1)) for port in (1, 2)]

    async def recover() -> None:
        others = asyncio.gather(*(one._split(environment, names) for one in dead))
        await environment.runtime.clock.sleep(0.01)
        began_s = environment.runtime.clock.monotonic_s()
        await dead[0]._split(environment, ["meta.0000000001"])
        assert environment.runtime.clock.monotonic_s() - began_s < 0.15
        await others

    cluster.on_master(recover())
    assert len(seen) == 2 * len(names) + 1
    assert max(seen) == most + 1
