"""The master dies before and after every update of its store, and the next one goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from raybase.actors.assignment import TransitionState
from raybase.actors.procedures.merge import MergeProcedure
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.procedure import Procedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import (
    AlterTableProcedure,
    CreateTableProcedure,
    DeleteTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
)
from raybase.model import FamilyDescriptor, TableDescriptor
from raybase.testing.procedures.cluster import FakeCluster, table
from raybase.testing.procedures.store import never

T = table()
WIDER = TableDescriptor(T.name, (*T.families, FamilyDescriptor(b"g")))
KILLS_MAX = 60
SPLIT_KEYS = (b"g", b"p")

Make = Callable[[FakeCluster], Procedure]


def create(cluster: FakeCluster) -> Procedure:
    return CreateTableProcedure(table=T.name, descriptor=T, split_keys=SPLIT_KEYS)


def disable(cluster: FakeCluster) -> Procedure:
    return DisableTableProcedure(table=T.name)


def enable(cluster: FakeCluster) -> Procedure:
    return EnableTableProcedure(table=T.name)


def delete(cluster: FakeCluster) -> Procedure:
    return DeleteTableProcedure(table=T.name)


def alter(cluster: FakeCluster) -> Procedure:
    return AlterTableProcedure(table=T.name, descriptor=WIDER)


def move(cluster: FakeCluster) -> Procedure:
    node = cluster.term.assignment.regions_of(T.name)[0]
    target = next(
        one.name for one in reversed(cluster.term.servers.live()) if one.name != node.server
    )
    return MoveProcedure(region=node.info, destination=str(target))


def split(cluster: FakeCluster) -> Procedure:
    node = cluster.term.assignment.regions_of(T.name)[0]
    return SplitProcedure(region=node.info, row=b"c")


def failing_split(cluster: FakeCluster) -> Procedure:
    node = cluster.term.assignment.regions_of(T.name)[0]
    cluster.cannot_split.append(node.info.encoded_name)
    return SplitProcedure(region=node.info, row=b"c")


def merge(cluster: FakeCluster) -> Procedure:
    nodes = cluster.term.assignment.regions_of(T.name)
    return MergeProcedure(regions=tuple(node.info for node in nodes))


def move_meta(cluster: FakeCluster) -> Procedure:
    node = cluster.term.assignment.meta
    others = [one.name for one in cluster.term.servers.live() if one.name != node.server]
    return MoveProcedure(region=node.info, destination=str(others[0]))


STORIES: dict[str, tuple[list[Make], Make]] = {
    "create": ([], create),
    "disable": ([create], disable),
    "enable": ([create, disable], enable),
    "delete": ([create, disable], delete),
    "alter": ([create], alter),
    "move": ([create], move),
    "move of meta": ([create], move_meta),
    "split": ([create], split),
    "failing split": ([create], failing_split),
    "merge": ([create], merge),
}


def prepared(steps: list[Make]) -> FakeCluster:
    cluster = FakeCluster()
    cluster.elect()
    cluster.settle()
    for step in steps:
        cluster.perform(step(cluster))
    cluster.settle()
    return cluster


def outcome(cluster: FakeCluster) -> list[tuple[str, str, str]]:
    """What a user sees of the tables; places and ids differ from run to run."""
    found = []
    for one in cluster.term.assignment.tables():
        found.append((str(one.descriptor.name), one.state.name, str(one.descriptor.families)))
        found += [
            (str(node.info.start_key), node.state, "")
            for node in cluster.term.assignment.regions_of(one.descriptor.name)
        ]
    return found


def run(story: str, kills: list[int], *, before: bool) -> tuple[bool, list[tuple[str, str, str]]]:
    """Whether all kills happened, and the outcome."""
    steps, last = STORIES[story]
    cluster = prepared(steps)
    try:
        procedure = last(cluster)
        body = procedure.to_fields()
        body.pop("kind")
        cluster.kill_master_at(kills[0], before=before)
        cluster.submit(procedure, "the request")
        for number in kills[1:]:
            if not went_down(cluster):
                break
            cluster.elect()
            cluster.kill_master_at(number, before=before)
        happened = went_down(cluster)
        cluster.store.hook = never
        if happened:
            cluster.elect()
        cluster.settle()
        cluster.submit(type(procedure)(**body), "the request")
        cluster.settle()
        cluster.check()
        return happened, outcome(cluster)
    finally:
        cluster.close()


def went_down(cluster: FakeCluster) -> bool:
    """Runs until the master is dead, or has done everything."""
    cluster.run_until(
        lambda: (
            not cluster.master_lives()
            or (cluster.term.epoch == cluster.epoch and cluster._is_settled())
        )
    )
    return not cluster.master_lives()


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_master_killed_round_any_store_update_changes_no_outcome(
    story: str, before: bool
) -> None:
    _, expected = run(story, [10**6], before=before)
    assert expected or story == "delete"
    number, happened = 0, True
    while happened:
        number += 1
        assert number < KILLS_MAX
        happened, found = run(story, [number], before=before)
        assert found == expected, f"killed round update {number}"
    assert number > 3


@pytest.mark.parametrize("story", ["create", "move", "split", "merge"])
@pytest.mark.parametrize("second", [1, 2, 3, 4])
def test_a_master_killed_twice_in_a_row_changes_no_outcome(story: str, second: int) -> None:
    _, expected = run(story, [10**6], before=False)
    for first in (1, 3, 5):
        _, found = run(story, [first, second], before=second % 2 == 0)
        assert found == expected


@pytest.mark.parametrize("meta", [True, False], ids=["with meta", "without meta"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_crash_is_recovered_though_the_master_dies_at_any_update(
    before: bool, meta: bool
) -> None:
    number, happened = 0, True
    while happened:
        number += 1
        assert number < KILLS_MAX
        cluster = prepared([create])
        try:
            at_meta = cluster.server_at(cluster.term.assignment.meta.info)
            others = [one for one in cluster.live() if one != at_meta]
            cluster.kill_master_at(number, before=before)
            cluster.kill_server(at_meta if meta else others[0])
            cluster.run_until(lambda c=cluster: len(c.live()) == 2)
            happened = went_down(cluster)
            if happened:
                cluster.elect()
            cluster.settle()
            cluster.check()
        finally:
            cluster.close()
    assert number > 4


@pytest.mark.parametrize("victim", ["source", "target", "both"])
@pytest.mark.parametrize("delay_ms", [0, 1, 2, 3, 4, 6, 8, 10, 15])
def test_a_move_ends_well_whoever_dies(victim: str, delay_ms: int) -> None:
    cluster = prepared([create])
    try:
        procedure = move(cluster)
        assert isinstance(procedure, MoveProcedure)
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
    cluster = prepared([create])
    try:
        procedure = split(cluster)
        assert isinstance(procedure, SplitProcedure)
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
    cluster = prepared([create])
    try:
        procedure = merge(cluster)
        assert isinstance(procedure, MergeProcedure)
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
