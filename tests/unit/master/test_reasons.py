"""Whatever a region or a procedure waits for, the status says so in words."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from raybase.actors.log_writer import WALS
from raybase.actors.master_status import procedure_status
from raybase.actors.procedures.assign import AssignProcedure
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.procedure import Lock, Procedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import CreateTableProcedure, DisableTableProcedure
from raybase.actors.reasons import region_reason
from raybase.model import RegionInfo
from raybase.testing.procedures.cluster import FakeCluster, table

T = table()


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster(servers=2)
    one.elect()
    one.settle()
    one.perform(CreateTableProcedure(table=T.name, descriptor=T))
    yield one
    one.close()


def region(cluster: FakeCluster) -> RegionInfo:
    (node,) = cluster.term.assignment.regions_of(T.name)
    return node.info


def reason(cluster: FakeCluster, procedure: Procedure) -> str:
    return str(procedure_status(cluster.term, procedure)["reason"])


def region_says(cluster: FakeCluster) -> str:
    (node,) = cluster.term.assignment.regions_of(T.name)
    return region_reason(cluster.term, node)


def until(cluster: FakeCluster, says: Callable[[], str], *words: str) -> str:
    """Waits until it says all of the words."""
    try:
        cluster.run_until(lambda: all(word in says() for word in words), 60.0)
    except Exception as error:
        raise AssertionError(f"it says {says()!r}, not {words}") from error
    return says()


def procedure_of(cluster: FakeCluster, kind: str) -> Procedure | None:
    found = [one for one in cluster.term.executor.unfinished() if one.kind == kind]
    return found[0] if found else None


def kind_says(cluster: FakeCluster, kind: str) -> Callable[[], str]:
    def says() -> str:
        procedure = procedure_of(cluster, kind)
        return reason(cluster, procedure) if procedure is not None else ""

    return says


def hold_still(cluster: FakeCluster) -> str:
    """The server of the region is stopped, for long."""
    process = cluster.server_at(region(cluster))
    assert cluster.simulation.pause(process, 100.0)
    return process


def test_a_server_that_does_not_answer_is_named_with_the_call(cluster: FakeCluster) -> None:
    process = hold_still(cluster)
    procedure = MoveProcedure(region=region(cluster))
    cluster.submit(procedure)
    until(cluster, lambda: reason(cluster, procedure), f"for {process}", "answer hand_over")
    until(cluster, lambda: reason(cluster, procedure), "no answer", "for 3 s")
    said = region_says(cluster)
    assert f"procedure {procedure.id} (move" in said
    assert "step hand_over" in said


def test_who_holds_the_lock_is_named_and_who_is_before_in_the_queue(cluster: FakeCluster) -> None:
    hold_still(cluster)
    first = MoveProcedure(region=region(cluster))
    second = SplitProcedure(region=region(cluster), row=b"m")
    third = MoveProcedure(region=region(cluster))
    for one in (first, second, third):
        cluster.submit(one)
    lock = Lock.region(region(cluster).encoded_name)
    until(cluster, lambda: reason(cluster, third), f"asked for before by procedure {second.id}")
    assert reason(cluster, second) == f"waits for {lock.key}, held by procedure {first.id}"
    assert cluster.term.executor.locks.waiting(lock) == [second.id, third.id]


def test_a_procedure_names_the_ones_it_has_begun(cluster: FakeCluster) -> None:
    hold_still(cluster)
    procedure = DisableTableProcedure(table=T.name)
    cluster.submit(procedure)
    said = until(cluster, lambda: reason(cluster, procedure), "waits for its procedures")
    child = procedure_of(cluster, "unassign")
    assert child is not None
    assert said.endswith(f" {child.id}")
    until(cluster, lambda: region_says(cluster), f"procedure {child.id} (unassign")


class Everywhere(dict[str, list[str]]):
    """No server can open the region."""

    def __init__(self, encoded: str) -> None:
        super().__init__()
        self._encoded = encoded

    def get(self, process: str, default: Any = None) -> Any:
        return [self._encoded]


def test_a_region_that_cannot_be_opened_says_why_and_how_often(cluster: FakeCluster) -> None:
    info = region(cluster)
    cluster.cannot_open = Everywhere(info.encoded_name)
    cluster.kill_server(cluster.server_at(info))
    said = until(cluster, lambda: region_says(cluster), "failed to open 2 times", "the next try")
    assert "CorruptionError: cannot be opened here" in said


def test_logs_that_are_being_split_are_waited_for_by_name(cluster: FakeCluster) -> None:
    info = region(cluster)
    process = cluster.server_at(info)
    server = cluster.fake(process).name
    log = f"{WALS}/{server}/1"

    def fails(call: str) -> None:
        if call == f"read {log}":
            raise OSError(errno.EIO, "the disk cannot read it")

    cluster.simulation.disk.on_read = fails
    cluster.kill_server(process)
    until(cluster, kind_says(cluster, "server_crash"), "of its step", "the disk cannot read it")
    said = region_says(cluster)
    assert f"{server} died" in said
    assert f"its server {server} is dead and being recovered" in said
    procedure = AssignProcedure(region=info)
    cluster.submit(procedure)
    until(
        cluster,
        lambda: reason(cluster, procedure),
        f"the logs of the dead server {server} to be split",
    )


def test_that_no_server_may_take_a_region_is_said(cluster: FakeCluster) -> None:
    info = region(cluster)
    cluster.term.environment.draining.staying = list  # type: ignore[method-assign]
    cluster.kill_server(cluster.server_at(info))
    until(cluster, kind_says(cluster, "assign"), "a region server that may take regions")
    assert "a region server that may take regions" in region_says(cluster)


def test_that_hbase_meta_is_not_served_is_said(cluster: FakeCluster) -> None:
    cluster.term.assignment.meta_open.clear()
    procedure = DisableTableProcedure(table=T.name)
    cluster.submit(procedure)
    until(cluster, lambda: reason(cluster, procedure), "hbase:meta to be served")


def test_a_region_in_nobodys_hands_says_when_somebody_looks(cluster: FakeCluster) -> None:
    (node,) = cluster.term.assignment.regions_of(T.name)
    node.state = type(node.state).CLOSED
    assert "the master looks every few seconds" in region_says(cluster)


def test_a_master_that_takes_over_says_what_it_waits_for(cluster: FakeCluster) -> None:
    for process in cluster.live():
        cluster.simulation.pause(process, 100.0)
    before = cluster.term
    cluster.elect()
    cluster.run_until(lambda: cluster.term is not before)
    until(cluster, cluster.term.waits.describe, "for ")
    assert not cluster.term.initialized.is_set()


def test_a_procedure_that_ended_has_no_reason(cluster: FakeCluster) -> None:
    procedure: Any = cluster.perform(MoveProcedure(region=region(cluster)))
    assert procedure.is_over
    assert reason(cluster, procedure) == ""
    assert region_says(cluster) == ""
