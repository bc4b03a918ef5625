"""Masters killed at every update of their store, and servers killed over procedures."""

from __future__ import annotations

import pytest

from raybase.actors.assignment import TransitionState
from raybase.actors.procedures.merge import MergeProcedure
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.registry import KINDS
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import CreateTableProcedure
from raybase.testing.mutants import Mutant
from raybase.testing.mutants.procedures import PROCEDURE_MUTANTS
from raybase.testing.mutants.report import hunt
from raybase.testing.procedures import beside, stale_master
from raybase.testing.procedures.cluster import FakeCluster, table
from raybase.testing.procedures.kills import problems, run
from raybase.testing.procedures.scenarios import SCENARIOS

T = table()
SPLIT_KEYS = (b"g", b"p")
ONE_OF_EACH_KIND = {one.kind: name for name, one in reversed(SCENARIOS.items())}.values()


def test_every_kind_of_procedure_has_a_scenario() -> None:
    assert {one.kind for one in SCENARIOS.values()} == set(KINDS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_runs_the_procedure_it_is_about(name: str) -> None:
    undisturbed = run(SCENARIOS[name], ())
    assert SCENARIOS[name].kind in undisturbed.kinds
    assert undisturbed.updates


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_master_killed_round_any_store_update_changes_no_outcome(name: str) -> None:
    assert list(problems(name)) == []


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_two_masters_killed_in_a_row_change_no_outcome(name: str) -> None:
    assert list(problems(name, seconds=[1])) == []


def test_procedures_asked_for_at_once_have_their_regions_one_by_one() -> None:
    assert list(beside.problems()) == []


def test_what_an_earlier_master_writes_to_meta_is_refused_wherever_meta_goes() -> None:
    assert list(stale_master.problems()) == []


@pytest.mark.parametrize("mutant", PROCEDURE_MUTANTS, ids=lambda one: one.name)
def test_a_bug_of_procedures_is_found(mutant: Mutant) -> None:
    assert hunt(mutant).problem


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
def test_two_masters_killed_in_a_row_change_no_outcome_later_on(name: str) -> None:
    assert list(problems(name, seconds=[1, 2, 3, 5, 8, 13])) == []


def prepared() -> FakeCluster:
    cluster = FakeCluster()
    cluster.elect()
    cluster.settle()
    cluster.perform(CreateTableProcedure(table=T.name, descriptor=T, split_keys=SPLIT_KEYS))
    cluster.settle()
    return cluster


def move(cluster: FakeCluster) -> MoveProcedure:
    node = cluster.term.assignment.regions_of(T.name)[0]
    live = cluster.term.servers.live()
    target = next(one.name for one in reversed(live) if one.name != node.server)
    return MoveProcedure(region=node.info, destination=str(target))


def split(cluster: FakeCluster) -> SplitProcedure:
    return SplitProcedure(region=cluster.term.assignment.regions_of(T.name)[0].info, row=b"c")


def merge(cluster: FakeCluster) -> MergeProcedure:
    nodes = cluster.term.assignment.regions_of(T.name)
    return MergeProcedure(regions=tuple(node.info for node in nodes))


@pytest.mark.parametrize("victim", ["source", "target", "both"])
@pytest.mark.parametrize("delay_ms", [0, 1, 2, 3, 4, 6, 8, 10, 15])
def test_a_move_ends_well_whoever_dies(victim: str, delay_ms: int) -> None:
    cluster = prepared()
    try:
        procedure = move(cluster)
        source = cluster.server_at(procedure.region)
        target = procedure.destination.partition(",")[0]
        victims = {"source": [source], "target": [target], "both": [source, target]}[victim]
        for name in victims:
            cluster.simulation.later(delay_ms / 1000, lambda name=name: cluster.kill_server(name))
        cluster.submit(procedure)
        cluster.run_until(lambda: not any(one in cluster.live() for one in victims))
        cluster.settle()
        cluster.check()
    finally:
        cluster.close()


@pytest.mark.parametrize("delay_ms", [0, 1, 2, 3, 4, 6, 8, 10, 15])
def test_a_split_is_whole_or_undone_when_its_server_dies(delay_ms: int) -> None:
    cluster = prepared()
    try:
        procedure = split(cluster)
        victim = cluster.server_at(procedure.region)
        cluster.simulation.later(delay_ms / 1000, lambda: cluster.kill_server(victim))
        cluster.submit(procedure)
        cluster.run_until(lambda: victim not in cluster.live())
        cluster.settle()
        cluster.check()
        nodes = cluster.term.assignment.regions_of(T.name)
        whole = [one for one in nodes if one.state == TransitionState.OPEN]
        assert len(whole) in (3, 4)
    finally:
        cluster.close()


@pytest.mark.parametrize("victims", ["one", "all"])
@pytest.mark.parametrize("delay_ms", [0, 1, 2, 3, 4, 6, 8, 10, 15])
def test_a_merge_is_whole_or_undone_when_its_servers_die(delay_ms: int, victims: str) -> None:
    cluster = prepared()
    try:
        procedure = merge(cluster)
        held = dict.fromkeys(cluster.server_at(one) for one in procedure.regions)
        dead = list(held)[: None if victims == "all" else 1]
        for name in dead:
            cluster.simulation.later(delay_ms / 1000, lambda name=name: cluster.kill_server(name))
        cluster.submit(procedure)
        cluster.run_until(lambda: not any(name in cluster.live() for name in dead))
        cluster.settle()
        cluster.check()
        nodes = cluster.term.assignment.regions_of(T.name)
        assert [node.state for node in nodes] in (
            [TransitionState.OPEN],
            [TransitionState.OPEN] * 3,
        )
    finally:
        cluster.close()
