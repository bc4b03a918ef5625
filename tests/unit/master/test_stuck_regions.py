"""Regions that HBase knew as stuck, or as open twice: here they are open once in the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from raybase.actors.procedures.merge import MergeProcedure
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import (
    CreateTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
)
from raybase.testing import Faults
from raybase.testing.procedures.cluster import FakeCluster, table
from raybase.testing.procedures.store import never

T = table()
SPLIT_KEYS = (b"g", b"p")


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    one.perform(CreateTableProcedure(table=T.name, descriptor=T, split_keys=SPLIT_KEYS))
    one.settle()
    yield one
    one.close()


def next_master(cluster: FakeCluster) -> None:
    cluster.run_until(
        lambda: (
            not cluster.master_lives()
            or (cluster.term.epoch == cluster.epoch and cluster.is_settled())
        )
    )
    cluster.store.hook = never
    if not cluster.master_lives():
        cluster.elect()


def a_move(cluster: FakeCluster) -> MoveProcedure:
    node = cluster.term.assignment.regions_of(T.name)[0]
    others = [one.name for one in cluster.term.servers.live() if one.name != node.server]
    return MoveProcedure(region=node.info, destination=str(others[0]))


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("story", ["move", "disable", "enable"])
def test_orders_that_run_twice_while_the_master_changes_open_and_close_once(
    cluster: FakeCluster, story: str, number: int
) -> None:
    """HBASE-22365, HBASE-22404, HBASE-23594: an open or close was carried out again after the
    master restarted, and a region was open at two servers, or closed that should be open."""
    if story == "enable":
        cluster.perform(DisableTableProcedure(table=T.name))
    cluster.simulation.set_faults(Faults(call_doubled=1.0, message_slow=0.3))
    cluster.kill_master_at(number, before=number % 2 == 0)
    cluster.submit(
        {
            "move": lambda: a_move(cluster),
            "disable": lambda: DisableTableProcedure(table=T.name),
            "enable": lambda: EnableTableProcedure(table=T.name),
        }[story](),
        "a request",
    )
    next_master(cluster)
    cluster.settle()
    cluster.make_enabled(T.name)
    cluster.settle()
    cluster.check()


@pytest.mark.parametrize("who", ["source", "target", "both", "master and source"])
@pytest.mark.parametrize("delay_ms", [0, 2, 5, 20, 200, 210])
def test_regions_of_a_drained_server_are_open_whoever_dies_meanwhile(
    cluster: FakeCluster, who: str, delay_ms: int
) -> None:
    """HBASE-28522: a region whose move's target was dead stayed in transition for ever."""
    node = cluster.term.assignment.meta
    assert node.server is not None
    source = node.server
    target = next(one.name for one in cluster.term.servers.live() if one.name != source)
    cluster.on_master(cluster.term.draining.add([source], offload=True))

    def strike() -> None:
        if who != "target":
            cluster.kill_server(source.host)
        if who in ("target", "both"):
            cluster.kill_server(target.host)
        if who.startswith("master"):
            cluster.simulation.end(cluster.master)

    cluster.simulation.later(delay_ms / 1000, strike)
    victim = target.host if who == "target" else source.host
    cluster.run_until(lambda: cluster.simulation.process(victim) is None)
    if who.startswith("master"):
        cluster.elect()
    cluster.settle()
    term = cluster.term
    cluster.run_until(
        lambda: not term.draining.to_empty() or not term.assignment.regions_on(source)
    )
    cluster.settle()
    cluster.check()


@pytest.mark.parametrize("delay_ms", [1, 3, 6, 10])
def test_a_split_parent_and_its_daughters_end_well_after_two_crashes_in_a_row(
    cluster: FakeCluster, delay_ms: int
) -> None:
    """HBASE-23895, HBASE-24885: a region under split stayed in transition when its server died,
    and the next one, too."""
    node = cluster.term.assignment.regions_of(T.name)[0]
    first = cluster.server_at(node.info)
    cluster.submit(SplitProcedure(region=node.info, row=b"c"))
    cluster.simulation.later(delay_ms / 1000, lambda: cluster.kill_server(first))
    cluster.run_until(lambda: first not in cluster.live())
    second = next(one for one in cluster.live() if one != first)
    cluster.simulation.later(delay_ms / 1000, lambda: cluster.kill_server(second))
    cluster.run_until(lambda: second not in cluster.live())
    cluster.settle()
    cluster.check()


@pytest.mark.parametrize("number", range(1, 6))
def test_a_move_that_was_stored_or_not_keeps_its_region_from_nobody(
    cluster: FakeCluster, number: int
) -> None:
    """HBASE-30169: the insert of a procedure failed, and its region was locked for ever."""
    cluster.kill_master_at(number, before=True)
    cluster.submit_and_forget(a_move(cluster))
    next_master(cluster)
    cluster.settle()
    nodes = cluster.term.assignment.regions_of(T.name)
    merged = cluster.perform(MergeProcedure(regions=tuple(one.info for one in nodes)))
    assert merged is not None
    cluster.settle()
    cluster.check()
