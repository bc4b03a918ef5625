"""The balancer at work on a cluster: what it looks at, what it says, and when it does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from raybase.actors.balancer_chore import Decision
from raybase.actors.load_reports import LoadReports
from raybase.actors.master_status import master_status
from raybase.actors.messages import RegionState, RegionStatus
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.tables import CreateTableProcedure
from raybase.errors import UnsupportedOperationError
from raybase.model import ServerName
from raybase.testing import Simulation
from raybase.testing.procedures.cluster import FakeCluster, table

T = table()


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    one.perform(
        CreateTableProcedure(table=T.name, descriptor=T, split_keys=(b"b", b"c", b"d", b"e"))
    )
    pile_up(one)
    yield one
    one.close()


def pile_up(cluster: FakeCluster) -> None:
    """All regions of the table at one server."""
    target = cluster.term.servers.live()[0].name
    for node in cluster.term.assignment.regions_of(T.name):
        if node.server != target:
            cluster.perform(MoveProcedure(region=node.info, destination=str(target)))


def balance(cluster: FakeCluster, *, dry_run: bool = False) -> Decision:
    decision = cluster.on_master(cluster.term.balancer.run(dry_run=dry_run))
    assert decision is not None
    cluster.check()
    return decision


def test_a_round_spreads_regions_and_says_why(cluster: FakeCluster) -> None:
    decision = balance(cluster)
    assert decision.made == decision.plan.moves
    assert len(decision.made) >= 3
    assert all("skew falls from" in move.reason for move in decision.made)
    assert decision.plan.cost_after < decision.plan.cost_before
    assert "lower the cost from" in decision.plan.why
    assert balance(cluster).plan.moves == ()
    assert list(cluster.term.balancer.decisions) == [decision]


def test_the_status_shows_the_last_moves_with_their_reasons(cluster: FakeCluster) -> None:
    made = balance(cluster).made

    class Registry:
        standbys = ()

    status = cluster.on_master(
        master_status(cluster.term, ServerName("m", 1, 1), Registry())  # type: ignore[arg-type]
    )
    assert status is not None
    assert [one["reason"] for one in status["last_balanced"]] == [one.reason for one in made]


def test_a_dry_run_moves_nothing(cluster: FakeCluster) -> None:
    decision = balance(cluster, dry_run=True)
    assert decision.plan.moves
    assert decision.made == ()
    nodes = cluster.term.assignment.regions_of(T.name)
    assert len({node.server for node in nodes}) == 1


def test_nothing_moves_while_it_is_off_or_a_region_is_in_transition(cluster: FakeCluster) -> None:
    cluster.on_master(cluster.term.switches.set_balancer(False))
    off = balance(cluster)
    assert (off.ran, off.plan.why) == (False, "the balancer is switched off")
    cluster.on_master(cluster.term.switches.set_balancer(True))
    (node, *_) = cluster.term.assignment.regions_of(T.name)
    node.reason = "moving by hand"
    waiting = cluster.on_master(cluster.term.balancer.run())
    assert waiting is not None
    assert not waiting.ran
    assert "in transition" in waiting.plan.why
    assert cluster.on_master(cluster.term.balancer.run(ignore_transitions=True)).ran  # type: ignore[union-attr]


def test_drained_and_silent_servers_get_nothing(cluster: FakeCluster) -> None:
    _, drained, silent = (one.name for one in cluster.term.servers.live())
    cluster.on_master(cluster.term.draining.add([drained], offload=False))

    async def no_answer() -> object:
        raise UnsupportedOperationError("busy")

    cluster.fake(silent.host).status = no_answer  # type: ignore[method-assign, assignment]
    decision = balance(cluster)
    assert decision.plan.moves == ()
    assert "two servers" in decision.plan.why


def test_switching_it_off_ends_a_round_that_is_under_way(cluster: FakeCluster) -> None:
    environment = cluster.term.environment
    balancer = replace(cluster.config.balancer, in_transition_max=1)
    environment.config = replace(cluster.config, balancer=balancer)
    real = cluster.term.balancer._move

    async def one_and_off(move: object) -> bool:
        done = await real(move)  # type: ignore[arg-type]
        await cluster.term.switches.set_balancer(False)
        return done

    cluster.term.balancer._move = one_and_off  # type: ignore[method-assign, assignment]
    decision = balance(cluster)
    assert len(decision.made) == 1 < len(decision.plan.moves)


def test_a_rate_is_what_counters_grow_by_and_a_move_begins_it_anew() -> None:
    with Simulation(seed=1) as simulation:
        runtime = simulation.runtime_for("main")
        loads = LoadReports(runtime)

        async def observe(server: ServerName, reads: int) -> float:
            await runtime.clock.sleep(1000.0)
            loads.observe(
                server, [RegionStatus("r", RegionState.OPEN, reads=reads, writes=2 * reads)]
            )
            return loads.rates("r")[0]

        async def watch() -> list[float]:
            here, there = ServerName("a", 1, 1), ServerName("b", 1, 1)
            steps = ((here, 5), (here, 10_005), (here, 10_005), (there, 7), (there, 2_007))
            return [round(await observe(*step), 3) for step in steps]

        assert simulation.run(watch(), 10_000.0) == [0.0, 10.0, 0.0, 0.0, 2.0]
        assert loads.rates("unknown") == (0.0, 0.0)
        loads.forget([])
        assert loads.rates("r") == (0.0, 0.0)
