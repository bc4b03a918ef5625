"""A procedure is aborted before its point of no return, whole, or the answer is that it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from raybase.actors.procedures.assign import AssignProcedure
from raybase.actors.procedures.merge import MergeProcedure
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.procedure import Procedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import CreateTableProcedure, DisableTableProcedure
from raybase.errors import ProcedureAbortedError
from raybase.model import RegionInfo, TableName
from raybase.testing.procedures.cluster import FakeCluster, table

T = table()
OTHER = table("other")


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = made()
    yield one
    one.close()


def made() -> FakeCluster:
    one = FakeCluster()
    one.elect()
    one.settle()
    one.perform(CreateTableProcedure(table=T.name, descriptor=T, split_keys=(b"m",)))
    return one


def regions(cluster: FakeCluster, name: TableName = T.name) -> list[RegionInfo]:
    nodes = cluster.term.assignment.regions_of(name)
    return [node.info for node in nodes if not node.info.split]


def split(cluster: FakeCluster) -> Procedure:
    return SplitProcedure(region=regions(cluster)[0], row=b"g")


def merge(cluster: FakeCluster) -> Procedure:
    return MergeProcedure(regions=tuple(regions(cluster)))


def create(cluster: FakeCluster) -> Procedure:
    return CreateTableProcedure(table=OTHER.name, descriptor=OTHER, split_keys=())


def disable(cluster: FakeCluster) -> Procedure:
    return DisableTableProcedure(table=T.name)


def move(cluster: FakeCluster) -> Procedure:
    return MoveProcedure(region=regions(cluster)[0])


WORK = [split, merge, create, disable, move]


def places(cluster: FakeCluster) -> set[RegionInfo]:
    served = [name for process in cluster.live() for name in cluster.fake(process).serves()]
    return {one for one in regions(cluster) if one.encoded_name in served}


@pytest.mark.parametrize("work", WORK)
def test_an_abort_at_any_update_of_the_store_is_granted_whole_or_refused(
    work: Callable[[FakeCluster], Procedure],
) -> None:
    """Asked for at one update after the other, until the procedure is over before it."""
    answers: list[bool] = []
    while len(answers) < 40:
        cluster = made()
        try:
            granted = aborted_at(cluster, work(cluster), len(answers) // 2, len(answers) % 2 == 0)
        finally:
            cluster.close()
        if granted is None:
            break
        answers.append(granted)
    assert answers[0], "at first there is always a way back"
    assert not answers[-1], "at the end there is none"
    assert answers == sorted(answers, reverse=True), "and never again once there was none"


def aborted_at(
    cluster: FakeCluster, procedure: Procedure, number: int, before: bool
) -> bool | None:
    """Whether it was aborted when asked for around an update; None if there was none."""
    regions_before = set(regions(cluster))
    first = cluster.store.updates + 1
    answers: list[bool] = []

    def hook(now: int, is_before: bool) -> bool:
        if (now, is_before) == (first + number, before):
            answers.append(cluster.term.executor.abort(procedure.id))
        return False

    cluster.store.hook = hook
    try:
        cluster.perform(procedure)
    except ProcedureAbortedError:
        assert answers == [True]
        assert set(regions(cluster)) == regions_before == places(cluster)
        assert cluster.term.assignment.table(OTHER.name) is None
    else:
        assert answers in ([], [False])
    cluster.settle_all()
    cluster.check()
    return answers[0] if answers else None


def test_who_waits_for_a_lock_is_aborted_also_without_an_interrupt(cluster: FakeCluster) -> None:
    executor = cluster.term.executor
    before = regions(cluster)
    first = cluster.submit(split(cluster))
    second = cluster.submit(move(cluster))
    assert first is not None
    assert second is not None
    assert not executor.abort(first, interrupt=False)
    assert executor.abort(second, interrupt=False)
    cluster.settle()
    ended = executor.get(second)
    assert ended is not None
    assert isinstance(ended.outcome(), ProcedureAbortedError)
    assert len(regions(cluster)) == len(before) + 1
    cluster.check()


def test_what_has_ended_is_unknown_or_cannot_be_undone_is_not_aborted(cluster: FakeCluster) -> None:
    executor = cluster.term.executor
    done = cluster.perform(split(cluster))
    assert done is not None
    assert not executor.abort(done.id)
    assert not executor.abort(987654)
    assign = cluster.submit(AssignProcedure(region=regions(cluster)[0]))
    assert assign is not None
    assert not executor.abort(assign)
    cluster.settle()
    cluster.check()


def test_the_next_master_knows_of_no_abort_and_goes_on(cluster: FakeCluster) -> None:
    procedure = split(cluster)
    target = cluster.store.updates + 2
    granted: list[bool] = []

    def hook(now: int, before: bool) -> bool:
        if now != target or before:
            return False
        granted.append(cluster.term.executor.abort(procedure.id))
        cluster.simulation.end(cluster.master)
        return True

    cluster.store.hook = hook
    cluster.submit_and_forget(procedure)
    cluster.run_until(lambda: not cluster.master_lives())
    assert granted == [True]
    cluster.quieten()
    cluster.settle_all()
    cluster.check()
    assert len(regions(cluster)) == 3
