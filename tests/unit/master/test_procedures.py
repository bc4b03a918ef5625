from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from raybase.actors.assignment import TransitionState
from raybase.actors.meta_rows import TableState
from raybase.actors.procedures.alter import AlterTableProcedure
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import (
    CreateTableProcedure,
    DeleteTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
)
from raybase.errors import (
    IllegalArgumentError,
    TableExistsError,
    TableNotDisabledError,
    TableNotFoundError,
    UnsupportedOperationError,
    WrongRegionError,
)
from raybase.model import FamilyDescriptor, TableDescriptor
from raybase.testing.procedures.cluster import FakeCluster, table
from raybase.testing.procedures.store import never

T = table()


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    yield one
    one.close()


def create(cluster: FakeCluster, *split_keys: bytes) -> None:
    cluster.perform(CreateTableProcedure(table=T.name, descriptor=T, split_keys=split_keys))


def test_a_first_start_makes_hbase_meta_and_the_wanted_servers(cluster: FakeCluster) -> None:
    assert len(cluster.live()) == 3
    assert cluster.term.assignment.meta.state == TransitionState.OPEN
    cluster.check()


def test_a_table_is_created_with_its_regions_spread(cluster: FakeCluster) -> None:
    create(cluster, b"b", b"d")
    places = {node.server for node in cluster.term.assignment.regions_of(T.name)}
    assert len(places) == 3
    found = cluster.term.assignment.table(T.name)
    assert found is not None
    assert found.state == TableState.ENABLED
    cluster.check()


def test_a_table_that_exists_is_not_created_again(cluster: FakeCluster) -> None:
    create(cluster)
    with pytest.raises(TableExistsError):
        create(cluster)


def test_split_keys_must_divide(cluster: FakeCluster) -> None:
    with pytest.raises(IllegalArgumentError):
        create(cluster, b"b", b"b")


def test_a_table_whose_regions_could_not_be_opened_is_neither_made_nor_altered(
    cluster: FakeCluster,
) -> None:
    wrong = replace(T, attributes={"SPLIT_POLICY": "org.example.MySplitPolicy"})
    with pytest.raises(IllegalArgumentError, match="MySplitPolicy"):
        cluster.perform(CreateTableProcedure(table=T.name, descriptor=wrong))
    assert cluster.term.assignment.table(T.name) is None
    create(cluster)
    with pytest.raises(IllegalArgumentError, match="MySplitPolicy"):
        cluster.perform(AlterTableProcedure(table=T.name, descriptor=wrong))
    found = cluster.term.assignment.table(T.name)
    assert found is not None
    assert found.descriptor == T
    cluster.check()


def test_one_nonce_is_one_procedure(cluster: FakeCluster) -> None:
    one = cluster.submit(CreateTableProcedure(table=T.name, descriptor=T), "n1")
    two = cluster.submit(CreateTableProcedure(table=T.name, descriptor=T), "n1")
    assert one == two
    cluster.settle()
    assert cluster.submit(CreateTableProcedure(table=T.name, descriptor=T), "n1") == one


def test_a_table_is_disabled_enabled_and_deleted(cluster: FakeCluster) -> None:
    create(cluster, b"m")
    with pytest.raises(TableNotDisabledError):
        cluster.perform(DeleteTableProcedure(table=T.name))
    cluster.perform(DisableTableProcedure(table=T.name))
    cluster.check()
    states = [node.state for node in cluster.term.assignment.regions_of(T.name)]
    assert states == [TransitionState.CLOSED] * 2
    cluster.perform(EnableTableProcedure(table=T.name))
    cluster.check()
    cluster.perform(DisableTableProcedure(table=T.name))
    cluster.perform(DeleteTableProcedure(table=T.name))
    cluster.check()
    assert cluster.term.assignment.table(T.name) is None
    with pytest.raises(TableNotFoundError):
        cluster.perform(DisableTableProcedure(table=T.name))


def test_an_altered_descriptor_reaches_every_region(cluster: FakeCluster) -> None:
    create(cluster, b"m")
    wider = TableDescriptor(T.name, (*T.families, FamilyDescriptor(b"g")))
    cluster.perform(AlterTableProcedure(table=T.name, descriptor=wider))
    cluster.check()
    for node in cluster.term.assignment.regions_of(T.name):
        assert cluster.opened[node.info.encoded_name] == wider


def test_a_region_moves_where_it_is_told(cluster: FakeCluster) -> None:
    create(cluster)
    (node,) = cluster.term.assignment.regions_of(T.name)
    target = next(one for one in cluster.term.servers.live() if one.name != node.server)
    cluster.perform(MoveProcedure(region=node.info, destination=str(target.name)))
    assert node.server == target.name
    cluster.check()


def test_a_region_is_not_moved_to_a_stranger(cluster: FakeCluster) -> None:
    create(cluster)
    (node,) = cluster.term.assignment.regions_of(T.name)
    with pytest.raises(IllegalArgumentError):
        cluster.perform(MoveProcedure(region=node.info, destination="nobody,1,1"))
    cluster.check()


def test_a_region_becomes_two_at_its_middle(cluster: FakeCluster) -> None:
    create(cluster)
    (node,) = cluster.term.assignment.regions_of(T.name)
    cluster.split_rows[node.info.encoded_name] = b"m"
    cluster.perform(SplitProcedure(region=node.info))
    nodes = cluster.term.assignment.regions_of(T.name)
    assert [one.info.start_key for one in nodes if one is not node] == [b"", b"m"]
    assert node.state == TransitionState.SPLIT
    assert [one.server for one in nodes] == [node.server] * 3
    cluster.check()


def test_a_row_outside_splits_nothing(cluster: FakeCluster) -> None:
    create(cluster, b"m")
    first, _ = cluster.term.assignment.regions_of(T.name)
    with pytest.raises(WrongRegionError):
        cluster.perform(SplitProcedure(region=first.info, row=b"x"))
    with pytest.raises(UnsupportedOperationError):
        cluster.perform(SplitProcedure(region=first.info))
    cluster.check()


def test_a_table_that_is_not_to_be_split_is_not(cluster: FakeCluster) -> None:
    whole = replace(T, attributes={"SPLIT_ENABLED": "false"})
    cluster.perform(CreateTableProcedure(table=T.name, descriptor=whole))
    (node,) = cluster.term.assignment.regions_of(T.name)
    with pytest.raises(UnsupportedOperationError, match="not to be split"):
        cluster.perform(SplitProcedure(region=node.info, row=b"m"))
    cluster.check()


def test_a_split_that_fails_leaves_the_parent_open(cluster: FakeCluster) -> None:
    create(cluster)
    (node,) = cluster.term.assignment.regions_of(T.name)
    cluster.cannot_split.append(node.info.encoded_name)
    with pytest.raises(UnsupportedOperationError):
        cluster.perform(SplitProcedure(region=node.info, row=b"m"))
    assert cluster.term.assignment.regions_of(T.name) == [node]
    cluster.check()


def test_a_dead_servers_regions_are_served_again(cluster: FakeCluster) -> None:
    create(cluster, b"c", b"f", b"k")
    victim = next(
        name
        for name in cluster.live()
        if name != cluster.server_at(cluster.term.assignment.meta.info)
    )
    cluster.kill_server(victim)
    cluster.run_until(lambda: victim not in cluster.live())
    cluster.settle()
    assert victim not in cluster.live()
    assert len(cluster.live()) == 3
    cluster.check()


def test_the_server_of_meta_may_die(cluster: FakeCluster) -> None:
    create(cluster, b"c", b"f", b"k")
    victim = cluster.server_at(cluster.term.assignment.meta.info)
    cluster.kill_server(victim)
    cluster.run_until(lambda: victim not in cluster.live())
    cluster.settle()
    cluster.check()


def test_all_servers_may_die_with_the_master(cluster: FakeCluster) -> None:
    create(cluster, b"c", b"f", b"k")
    cluster.simulation.end(cluster.master)
    for name in cluster.live():
        cluster.kill_server(name)
    cluster.elect()
    cluster.settle()
    cluster.check()


def test_an_earlier_master_is_refused(cluster: FakeCluster) -> None:
    create(cluster)
    old, old_name = cluster.term, cluster.master
    cluster.elect()
    cluster.settle()
    task = cluster.simulation.start(
        old_name, old.executor.submit(DisableTableProcedure(table=T.name))
    )
    cluster.run_until(task.done)
    assert task.exception() is not None
    assert len(cluster.ended) == 1
    cluster.ended.clear()
    cluster.check()


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_master_whose_store_fails_does_nothing_more_and_the_next_goes_on(
    cluster: FakeCluster, number: int
) -> None:
    since = cluster.store.updates

    def fail(now: int, before: bool) -> bool:
        if now - since >= number:
            raise OSError("the disk of the procedure store is gone")
        return False

    cluster.store.hook = fail
    procedure = CreateTableProcedure(table=T.name, descriptor=T, split_keys=(b"m",))
    cluster.submit_and_forget(procedure)
    cluster.run_until(lambda: bool(cluster.ended))
    meta = {row: dict(columns) for row, columns in cluster.meta.items()}
    cluster.simulation.later(30.0, lambda: None)
    until_s = cluster.simulation.now_s + 30.0
    cluster.run_until(lambda: cluster.simulation.now_s >= until_s)
    assert {row: dict(columns) for row, columns in cluster.meta.items()} == meta
    assert len(cluster.ended) == 1
    assert isinstance(cluster.ended.pop(), OSError)
    cluster.store.hook = never
    cluster.simulation.end(cluster.master)
    cluster.elect()
    cluster.settle()
    cluster.check()
    assert (cluster.term.assignment.table(T.name) is not None) == (number > 1)


def test_a_region_that_opens_nowhere_is_tried_until_it_does(cluster: FakeCluster) -> None:
    create(cluster)
    (node,) = cluster.term.assignment.regions_of(T.name)
    for name in cluster.live():
        cluster.cannot_open[name] = [node.info.encoded_name]
    cluster.kill_server(cluster.server_at(node.info))
    cluster.run_until(lambda: node.state == TransitionState.FAILED_OPEN)
    assert "failed to open" in node.reason
    cluster.cannot_open.clear()
    cluster.settle()
    cluster.check()


def test_a_region_somebody_lost_is_assigned_again(cluster: FakeCluster) -> None:
    create(cluster)
    (node,) = cluster.term.assignment.regions_of(T.name)
    cluster.fake(cluster.server_at(node.info)).forget(node.info.encoded_name)
    cluster.run_until(
        lambda: any(node.info.encoded_name in cluster.fake(one).serves() for one in cluster.live())
    )
    cluster.settle()
    cluster.check()
