"""Servers are drained: their regions go, none comes, another server takes their place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from raybase.actors.master_status import master_status
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import CreateTableProcedure
from raybase.config import ClusterConfig
from raybase.coordination import layout
from raybase.errors import IllegalArgumentError, RegionTooBusyError
from raybase.model import ServerName
from raybase.runtime import Runtime
from raybase.testing.procedures.cluster import FakeCluster, table
from raybase.testing.procedures.servers import FakeRegionServer
from raybase.testing.procedures.store import never

T = table()
SPLIT_KEYS = tuple(b"%d" % digit for digit in range(1, 9))


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    create(one, "t", SPLIT_KEYS)
    yield one
    one.close()


def create(cluster: FakeCluster, name: str, split_keys: tuple[bytes, ...] = ()) -> None:
    made = table(name)
    cluster.perform(CreateTableProcedure(table=made.name, descriptor=made, split_keys=split_keys))


class NeverThere:
    """A server that does not get as far as to register."""

    def __init__(self, runtime: Runtime, name: str, config: ClusterConfig) -> None:
        self._clock = runtime.clock

    async def start(self) -> None:
        await self._clock.sleep(1000.0)


def drain(cluster: FakeCluster, *servers: ServerName, offload: bool = True) -> None:
    cluster.on_master(cluster.term.draining.add(servers, offload=offload))


def at(cluster: FakeCluster, server: ServerName) -> int:
    return len(cluster.term.assignment.regions_on(server))


def holder_of_meta(cluster: FakeCluster) -> ServerName:
    server = cluster.term.assignment.meta.server
    assert server is not None
    return server


def is_empty(cluster: FakeCluster, *servers: ServerName) -> bool:
    term = cluster.term
    return term.epoch == cluster.epoch and not sum(at(cluster, one) for one in servers)


def settled(cluster: FakeCluster) -> bool:
    return len(cluster.term.draining.staying()) >= 3 and cluster.is_settled()


def test_a_drained_server_loses_all_regions_and_another_is_started(cluster: FakeCluster) -> None:
    victim = holder_of_meta(cluster)
    drain(cluster, victim)
    cluster.run_until(lambda: is_empty(cluster, victim) and settled(cluster))
    cluster.check()
    assert len(cluster.live()) == 4
    assert cluster.term.servers.is_live(victim)
    create(cluster, "u", SPLIT_KEYS)
    assert at(cluster, victim) == 0
    cluster.on_master(cluster.term.balancer.run())
    cluster.check()
    assert at(cluster, victim) == 0


class Registry:
    standbys = ()


def test_the_status_says_who_is_drained(cluster: FakeCluster) -> None:
    victim = holder_of_meta(cluster)
    drain(cluster, victim)
    me = ServerName("m", 1, 1)
    status = cluster.on_master(master_status(cluster.term, me, Registry()))  # type: ignore[arg-type]
    assert status is not None
    told = {one["server"]: one["trouble"] for one in status["servers"]}
    assert told.pop(str(victim)) == "it is being drained"
    assert set(told.values()) == {""}


def test_all_servers_may_be_drained_at_once(cluster: FakeCluster) -> None:
    """hbase:meta and the rest wait for the servers that are started in their place."""
    victims = [one.name for one in cluster.term.servers.live()]
    drain(cluster, *victims)
    cluster.run_until(lambda: is_empty(cluster, *victims) and settled(cluster))
    cluster.check()
    assert len(cluster.live()) == 6


def test_without_offload_regions_stay_and_none_comes(cluster: FakeCluster) -> None:
    victim = holder_of_meta(cluster)
    before = at(cluster, victim)
    drain(cluster, victim, offload=False)
    create(cluster, "u", SPLIT_KEYS)
    cluster.run_until(lambda: settled(cluster))
    assert at(cluster, victim) == before
    drain(cluster, victim)
    cluster.run_until(lambda: is_empty(cluster, victim))
    drain(cluster, victim, offload=False)
    assert cluster.term.draining.to_empty() == [victim], "what was asked for stays asked for"


def test_daughters_of_a_region_at_a_draining_server_leave_as_it_would(
    cluster: FakeCluster,
) -> None:
    node = cluster.term.assignment.regions_of(T.name)[0]
    victim = node.server
    assert victim is not None
    drain(cluster, victim, offload=False)
    split = cluster.perform(SplitProcedure(region=node.info, row=b"0"))
    assert isinstance(split, SplitProcedure)

    def places() -> list[str]:
        return [cluster.server_at(one) for one in split.daughters]

    assert places() == [victim.host] * 2
    drain(cluster, victim, offload=True)
    cluster.run_until(lambda: victim.host not in places() and settled(cluster))
    cluster.check()


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 3, 8, 15])
def test_the_next_master_goes_on_draining(cluster: FakeCluster, number: int, before: bool) -> None:
    victim = holder_of_meta(cluster)
    cluster.kill_master_at(number, before=before)
    drain(cluster, victim)
    cluster.run_until(lambda: not cluster.master_lives())
    cluster.store.hook = never
    cluster.elect()
    cluster.settle()
    cluster.run_until(lambda: is_empty(cluster, victim) and settled(cluster))
    cluster.check()
    assert cluster.term.draining.all() == [victim]


def test_a_mark_of_hbase_keeps_new_regions_away(cluster: FakeCluster) -> None:
    """DrainingServerTracker reads children of the znode that have no data."""
    victim = holder_of_meta(cluster)
    cluster.znodes.put(f"{layout.DRAINING}/{victim}", b"")
    cluster.znodes.put(f"{layout.DRAINING}/no server's name", b"")
    cluster.simulation.end(cluster.master)
    cluster.elect()
    cluster.settle()
    assert cluster.term.draining.all() == [victim]
    assert cluster.term.draining.to_empty() == []


@pytest.mark.parametrize("delay_ms", [0, 5, 20, 100, 400])
def test_a_server_that_dies_while_it_is_drained_is_recovered_and_forgotten(
    cluster: FakeCluster, delay_ms: int
) -> None:
    victim = holder_of_meta(cluster)
    drain(cluster, victim)
    cluster.simulation.later(delay_ms / 1000, lambda: cluster.kill_server(victim.host))
    cluster.run_until(lambda: victim.host not in cluster.live())
    cluster.settle()
    cluster.run_until(lambda: not cluster.term.draining.all())
    cluster.check()
    assert len(cluster.live()) == 3, "its successor was there already"
    assert cluster.znodes.children(layout.DRAINING) == []


def test_regions_that_nobody_takes_are_offered_again_now_and_then(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = holder_of_meta(cluster)
    offers: list[object] = []

    async def refuse(self: FakeRegionServer, manifest: object) -> None:
        offers.append(manifest)
        raise RegionTooBusyError("not now")

    with monkeypatch.context() as patched:
        patched.setattr(FakeRegionServer, "adopt_region", refuse)
        drain(cluster, victim)
        until_s = cluster.simulation.now_s + 9.0
        cluster.run_until(lambda: cluster.simulation.now_s > until_s)
    assert at(cluster, victim) * 3 <= len(offers) <= at(cluster, victim) * 6
    cluster.run_until(lambda: is_empty(cluster, victim) and settled(cluster))
    cluster.check()


def test_a_recommissioned_server_is_given_regions_again(cluster: FakeCluster) -> None:
    victim = holder_of_meta(cluster)
    drain(cluster, victim)
    cluster.run_until(lambda: is_empty(cluster, victim) and settled(cluster))
    cluster.on_master(cluster.term.draining.remove(victim))
    assert cluster.znodes.children(layout.DRAINING) == []
    cluster.run_until(lambda: at(cluster, victim) >= 2 and settled(cluster))
    cluster.on_master(cluster.term.draining.remove(victim))
    cluster.check()


def test_a_region_that_waits_for_a_server_takes_a_recommissioned_one() -> None:
    cluster = FakeCluster(servers=1)
    try:
        cluster.elect()
        cluster.settle()
        (victim,) = (one.name for one in cluster.term.servers.live())
        cluster.simulation.table.roles["region_server"] = lambda: NeverThere
        drain(cluster, victim, offload=False)
        cluster.submit(CreateTableProcedure(table=T.name, descriptor=T, split_keys=()), "a request")
        cluster.run_until(lambda: len(cluster.simulation.living("region_server")) == 2)
        assert at(cluster, victim) == 1
        cluster.on_master(cluster.term.draining.remove(victim))
        cluster.run_until(lambda: at(cluster, victim) == 2)
    finally:
        cluster.close()


def test_wrong_requests_change_nothing(cluster: FakeCluster) -> None:
    victim = holder_of_meta(cluster)
    stranger = ServerName("stranger", 1, 1)
    with pytest.raises(IllegalArgumentError, match="no region server stranger"):
        drain(cluster, victim, stranger)
    assert cluster.term.draining.all() == []
    with pytest.raises(IllegalArgumentError, match="no region server stranger"):
        cluster.on_master(cluster.term.draining.remove(stranger))
    drain(cluster, victim)
    cluster.run_until(lambda: is_empty(cluster, victim))
    cluster.run_until(lambda: settled(cluster))
    node = cluster.term.assignment.regions_of(T.name)[0]
    with pytest.raises(IllegalArgumentError, match="is being drained"):
        cluster.perform(MoveProcedure(region=node.info, destination=str(victim)))
    cluster.check()
