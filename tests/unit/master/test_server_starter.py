"""When a server is started in the place of one that died."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from raybase.actors.procedures.tables import CreateTableProcedure
from raybase.testing import Faults
from raybase.testing.procedures.cluster import FakeCluster, table

T = table()


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    one.perform(CreateTableProcedure(table=T.name, descriptor=T, split_keys=(b"g", b"p")))
    one.settle()
    yield one
    one.close()


@pytest.fixture
def starts(cluster: FakeCluster) -> list[tuple[float, bool]]:
    """When servers are started, and whether a dead one's regions are being recovered then."""
    found: list[tuple[float, bool]] = []

    def factory(*args: Any) -> Any:
        found.append((cluster.simulation.now_s, bool(cluster.term.servers.recovering())))
        return cluster._server(*args)

    cluster.simulation.table.roles["region_server"] = lambda: factory
    return found


def test_regions_are_brought_to_others_before_a_server_is_started(
    cluster: FakeCluster, starts: list[tuple[float, bool]]
) -> None:
    cluster.kill_server(cluster.live()[0])
    cluster.run_until(lambda: len(cluster.live()) == 2)
    cluster.run_until(lambda: len(cluster.live()) == 3)
    assert [recovering for _, recovering in starts] == [False]
    cluster.check()


def test_a_recovery_that_does_not_end_is_not_waited_for(
    cluster: FakeCluster, starts: list[tuple[float, bool]]
) -> None:
    cluster.simulation.set_faults(Faults(read_failed=1.0))
    cluster.kill_server(cluster.live()[0])
    began_s = cluster.simulation.now_s
    cluster.run_until(lambda: bool(starts))
    ((started_s, recovering),) = starts
    assert recovering
    assert 10.0 <= started_s - began_s < 15.0
    cluster.simulation.heal()
    cluster.settle()
    cluster.check()


def test_one_is_started_at_once_when_none_is_left(
    cluster: FakeCluster, starts: list[tuple[float, bool]]
) -> None:
    cluster.simulation.set_faults(Faults(read_failed=1.0))
    began_s = cluster.simulation.now_s
    for process in cluster.live():
        cluster.kill_server(process)
    cluster.run_until(lambda: bool(starts))
    assert starts[0][0] - began_s < 2.0
    cluster.simulation.heal()
    cluster.settle()
    cluster.check()
