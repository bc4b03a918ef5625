"""Random work, lost, late and doubled calls, dying servers and masters: then all is well."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from raybase.actors.assignment import TransitionState
from raybase.actors.procedures.alter import AlterTableProcedure
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.procedure import Procedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import (
    CreateTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
)
from raybase.testing import NO_FAULTS, Faults
from raybase.testing.procedures.cluster import FakeCluster, table

TABLES = [table("t"), table("u")]
FAULTS = Faults(
    message_slow=0.05, message_slow_s=1.5, call_lost=0.03, reply_lost=0.03, call_doubled=0.05
)


def some_region(cluster: FakeCluster, chance: random.Random) -> Procedure | None:
    nodes = [
        one
        for one in cluster.term.assignment.regions()
        if one.state == TransitionState.OPEN and one is not cluster.term.assignment.meta
    ]
    if not nodes:
        return None
    node = chance.choice(nodes)
    if chance.random() < 0.5:
        return MoveProcedure(region=node.info)
    start = node.info.start_key or b"\x10"
    row = start + bytes([chance.randrange(1, 255)])
    return SplitProcedure(region=node.info, row=row)


def some_table(cluster: FakeCluster, chance: random.Random) -> Procedure:
    one = chance.choice(TABLES)
    makers: list[Callable[[], Procedure]] = [
        lambda: DisableTableProcedure(table=one.name),
        lambda: EnableTableProcedure(table=one.name),
        lambda: AlterTableProcedure(table=one.name, descriptor=one),
    ]
    return chance.choice(makers)()


def disturb(cluster: FakeCluster, chance: random.Random) -> None:
    what = chance.random()
    if what < 0.25:
        living = cluster.simulation.living("region_server")
        if living and cluster.simulation.actor(living[0]) is not None:
            cluster.kill_server(living[0])
    elif what < 0.4:
        cluster.kill_master_at(chance.randrange(1, 6), before=chance.random() < 0.5)
    elif what < 0.8:
        procedure = some_region(cluster, chance)
        if procedure is not None:
            cluster.submit_and_forget(procedure)
    else:
        cluster.submit_and_forget(some_table(cluster, chance))


def pass_time(cluster: FakeCluster, seconds: float) -> None:
    until_s = cluster.simulation.now_s + seconds
    cluster.simulation.later(seconds, lambda: None)
    cluster.run_until(lambda: cluster.simulation.now_s >= until_s)
    if not cluster.master_lives():
        cluster.elect()
        cluster.run_until(lambda: cluster.term.epoch == cluster.epoch)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_all_regions_are_served_in_the_end(seed: int) -> None:
    chance = random.Random(seed)
    cluster = FakeCluster(seed=seed)
    try:
        cluster.elect()
        cluster.settle()
        for one in TABLES:
            keys = (b"g", b"p")
            cluster.perform(CreateTableProcedure(table=one.name, descriptor=one, split_keys=keys))
        cluster.simulation.set_faults(FAULTS)
        for _ in range(25):
            disturb(cluster, chance)
            pass_time(cluster, chance.choice([0.001, 0.005, 0.02, 0.3, 2.0]))
        cluster.simulation.set_faults(NO_FAULTS)
        cluster.quieten()
        cluster.settle()
        # A late duplicate may have closed a region: two looks find it.
        pass_time(cluster, 20.0)
        cluster.settle()
        cluster.check()
        for one in TABLES:
            cluster.make_enabled(one.name)
        cluster.check()
    finally:
        cluster.close()
