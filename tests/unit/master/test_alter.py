"""Altered tables go on being served: a few regions at a time are opened again, if any need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from raybase.actors.procedures.alter import AlterTableProcedure
from raybase.actors.procedures.assign import ReopenProcedure
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import (
    CreateTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
)
from raybase.errors import IllegalArgumentError, InvalidRequestError
from raybase.model import FamilyDescriptor, TableDescriptor
from raybase.testing.procedures.cluster import FakeCluster, table

BATCH = "hbase.reopen.table.regions.progressive.batch.size.max"
BACKOFF = "hbase.reopen.table.regions.progressive.batch.backoff.ms"
T = table()
WIDER = TableDescriptor(T.name, (*T.families, FamilyDescriptor(b"g")))
SPLIT_KEYS = tuple(b"%d" % number for number in range(1, 8))


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    one.perform(CreateTableProcedure(table=T.name, descriptor=T, split_keys=SPLIT_KEYS))
    yield one
    one.close()


def encoded(cluster: FakeCluster) -> list[str]:
    return [node.info.encoded_name for node in cluster.term.assignment.regions_of(T.name)]


def served(cluster: FakeCluster) -> list[str]:
    return [name for process in cluster.live() for name in cluster.fake(process).serves()]


def opened(cluster: FakeCluster) -> dict[str, int]:
    nodes = cluster.term.assignment.regions_of(T.name)
    return {node.info.encoded_name: node.open_sequence_id for node in nodes}


def alter(cluster: FakeCluster, descriptor: TableDescriptor) -> list[int]:
    """Alters the table; how many of its regions were not served, at every update of the store."""
    gone: list[int] = []
    regions = encoded(cluster)

    def look(number: int, before: bool) -> bool:
        now = served(cluster)
        gone.append(sum(one not in now for one in regions))
        return False

    cluster.store.hook = look
    cluster.perform(AlterTableProcedure(table=T.name, descriptor=descriptor))
    cluster.check()
    return gone


@pytest.mark.parametrize("most", [1, 3, 8])
def test_no_more_regions_than_allowed_are_closed_at_a_time(cluster: FakeCluster, most: int) -> None:
    before = opened(cluster)
    gone = alter(cluster, replace(WIDER, configuration={BATCH: str(most)}))
    assert 0 < max(gone) <= most
    after = opened(cluster)
    assert all(after[one] > before[one] for one in before)
    assert all(cluster.opened[one].family(b"g") for one in before)


def test_the_first_regions_go_alone_then_more_and_more(cluster: FakeCluster) -> None:
    cluster.submit(AlterTableProcedure(table=T.name, descriptor=WIDER))
    sizes: list[int] = []
    while unfinished := cluster.term.executor.unfinished():
        alters = [one for one in unfinished if isinstance(one, AlterTableProcedure)]
        children = len(alters[0].children) if alters else 0
        if children and sizes[-1:] != [children]:
            sizes.append(children)
        pass_time(cluster, 0.0005)
    assert sizes == [1, 2, 4, 1]


def test_all_at_once_is_hbases_way(cluster: FakeCluster) -> None:
    gone = alter(cluster, replace(WIDER, configuration={BATCH: "-1"}))
    assert max(gone) > 4


@pytest.mark.parametrize(
    "descriptor",
    [
        T,
        replace(T, attributes={"OWNER": "me"}),
        replace(T, configuration={BACKOFF: "5"}),
        replace(T, attributes={"NORMALIZATION_ENABLED": "true", "MERGE_ENABLED": "false"}),
    ],
)
def test_a_change_that_no_region_looks_at_closes_none(
    cluster: FakeCluster, descriptor: TableDescriptor
) -> None:
    before = opened(cluster)
    assert max(alter(cluster, descriptor)) == 0
    assert opened(cluster) == before
    found = cluster.term.assignment.table(T.name)
    assert found is not None
    assert found.descriptor == descriptor


def pass_time(cluster: FakeCluster, seconds: float) -> None:
    until_s = cluster.simulation.now_s + seconds
    cluster.simulation.later(seconds, lambda: None)
    cluster.run_until(lambda: cluster.simulation.now_s >= until_s)


def test_a_dead_servers_regions_do_not_wait_for_the_end_of_an_alter(cluster: FakeCluster) -> None:
    slow = replace(WIDER, configuration={BATCH: "1", BACKOFF: "20000"})
    procedure_id = cluster.submit(AlterTableProcedure(table=T.name, descriptor=slow))
    pass_time(cluster, 1.0)
    victim = next(
        name
        for name in cluster.live()
        if name != cluster.server_at(cluster.term.assignment.meta.info)
    )
    cluster.kill_server(victim)
    pass_time(cluster, 3.0)
    assert all(one in served(cluster) for one in encoded(cluster))
    assert procedure_id is not None
    procedure = cluster.term.executor.get(procedure_id)
    assert isinstance(procedure, AlterTableProcedure)
    assert not procedure.is_over
    assert procedure.regions_left
    recovered = [one for one in encoded(cluster) if cluster.opened[one] == slow]
    before = opened(cluster)
    cluster.run_until(lambda: bool(procedure.is_over), 600.0)
    assert [one for one in recovered if opened(cluster)[one] > before[one]] == []
    assert all(cluster.opened[one] == slow for one in encoded(cluster))
    cluster.check()


def test_regions_that_split_and_move_meanwhile_get_the_new_descriptor(cluster: FakeCluster) -> None:
    slow = replace(WIDER, configuration={BATCH: "1", BACKOFF: "1000"})
    procedure_id = cluster.submit(AlterTableProcedure(table=T.name, descriptor=slow))
    pass_time(cluster, 0.5)
    nodes = cluster.term.assignment.regions_of(T.name)
    cluster.perform(SplitProcedure(region=nodes[-1].info, row=b"9"))
    cluster.perform(MoveProcedure(region=nodes[-2].info))
    assert procedure_id is not None
    procedure = cluster.term.executor.get(procedure_id)
    assert procedure is not None
    assert not procedure.is_over
    cluster.run_until(lambda: bool(procedure.is_over), 600.0)
    whole = [one for one in cluster.term.assignment.regions_of(T.name) if not one.info.split]
    assert len(whole) == len(SPLIT_KEYS) + 2
    assert [one for one in whole if cluster.opened[one.info.encoded_name] != slow] == []
    cluster.check()


def test_who_would_change_the_table_waits_for_the_end_of_an_alter(cluster: FakeCluster) -> None:
    slow = replace(WIDER, configuration={BATCH: "1", BACKOFF: "1000"})
    first = cluster.submit(AlterTableProcedure(table=T.name, descriptor=slow))
    second = cluster.submit(DisableTableProcedure(table=T.name))
    pass_time(cluster, 2.0)
    assert first is not None
    assert second is not None
    waiting = cluster.term.executor.get(second)
    assert waiting is not None
    assert f"procedure {first}" in cluster.term.executor.reason(waiting)
    cluster.settle()
    cluster.check()
    assert served(cluster) == [cluster.term.assignment.meta.info.encoded_name]


def test_a_descriptor_that_opens_no_region_costs_one_and_can_be_altered_back(
    cluster: FakeCluster,
) -> None:
    before = opened(cluster)
    cluster.cannot_open_as = WIDER
    with pytest.raises(InvalidRequestError, match=r"alter it again.*|7 other regions"):
        cluster.perform(AlterTableProcedure(table=T.name, descriptor=WIDER))
    regions = encoded(cluster)
    assert [one for one in regions if one not in served(cluster)] == regions[:1]
    cluster.perform(AlterTableProcedure(table=T.name, descriptor=T))
    cluster.settle_all()
    cluster.check()
    after = opened(cluster)
    assert [one for one in regions if after[one] > before[one]] == regions[:1]


def test_an_alter_that_failed_half_way_is_finished_under_the_next_master(
    cluster: FakeCluster,
) -> None:
    """Only the servers know then which regions have the table's descriptor by now."""
    cluster.cannot_open_as = WIDER
    with pytest.raises(InvalidRequestError, match="7 other regions"):
        cluster.perform(AlterTableProcedure(table=T.name, descriptor=WIDER))
    cluster.cannot_open_as = None
    cluster.settle_all()
    first, *others = encoded(cluster)
    assert [one for one in encoded(cluster) if cluster.opened[one] == WIDER] == [first]
    cluster.simulation.end(cluster.master)
    cluster.elect()
    cluster.settle()
    before = opened(cluster)
    assert max(alter(cluster, WIDER)) > 0
    assert all(cluster.opened[one] == WIDER for one in others)
    after = opened(cluster)
    assert [one for one in before if after[one] == before[one]] == [first]
    assert max(alter(cluster, WIDER)) == 0


def test_the_next_master_opens_no_region_that_has_the_descriptor(cluster: FakeCluster) -> None:
    alter(cluster, WIDER)
    cluster.simulation.end(cluster.master)
    cluster.elect()
    cluster.settle()
    assert max(alter(cluster, WIDER)) == 0
    assert max(alter(cluster, replace(WIDER, attributes={"OWNER": "me"}))) == 0


def test_a_table_with_a_region_that_opens_nowhere_is_enabled_altered_and_disabled(
    cluster: FakeCluster,
) -> None:
    broken, *others = encoded(cluster)
    cluster.perform(DisableTableProcedure(table=T.name))
    for name in cluster.live():
        cluster.cannot_open[name] = [broken]
    cluster.perform(EnableTableProcedure(table=T.name))
    assert all(one in served(cluster) for one in others)
    cluster.perform(AlterTableProcedure(table=T.name, descriptor=WIDER))
    assert all(cluster.opened[one] == WIDER for one in others)
    cluster.perform(DisableTableProcedure(table=T.name))
    cluster.perform(EnableTableProcedure(table=T.name))
    cluster.cannot_open.clear()
    cluster.settle_all()
    cluster.check()
    assert cluster.opened[broken] == WIDER


def test_regions_that_are_not_opened_again_get_the_descriptor_when_they_are_opened_next(
    cluster: FakeCluster,
) -> None:
    before = opened(cluster)
    more = replace(T, families=(FamilyDescriptor(b"f", max_versions=9),))
    lazy = AlterTableProcedure(table=T.name, descriptor=more, reopen_regions=False)
    cluster.perform(lazy)
    assert opened(cluster) == before
    first = cluster.term.assignment.regions_of(T.name)[0]
    cluster.perform(ReopenProcedure(region=first.info))
    assert [one for one in encoded(cluster) if cluster.opened[one] == more] == encoded(cluster)[:1]
    cluster.perform(AlterTableProcedure(table=T.name, descriptor=more))
    assert all(cluster.opened[one] == more for one in encoded(cluster))
    wider = AlterTableProcedure(table=T.name, descriptor=WIDER, reopen_regions=False)
    with pytest.raises(IllegalArgumentError, match="families come and go"):
        cluster.perform(wider)
    cluster.check()
