"""One failure at a time, while clients count: nothing is lost, nothing counts twice, all heals."""

from __future__ import annotations

import pytest

from raybase.storage.manifest import region_directory
from raybase.testing.drill import LATE_ROW, Drill
from raybase.testing.failover import (
    FAILURES,
    RECOVERY,
    VICTIMS,
    WAYS,
    ask_a_sleeper,
    cut_for_good,
    trapped,
)
from raybase.testing.lost_replies import CHANGES, SERIES, lost_reply

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_costs_time_and_nothing_else(failure: str) -> None:
    drill = Drill()
    assert drill.run(FAILURES[failure]) == []
    assert drill.told.longest_s < 30.0


@pytest.mark.parametrize("from_all", [False, True], ids=["from coordinator", "from all"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("victim", VICTIMS)
def test_the_cluster_is_whole_again_though_a_cut_never_heals(
    victim: str, way: str, from_all: bool
) -> None:
    drill = Drill(clients=1)
    assert drill.run(cut_for_good(victim, way, from_all=from_all)) == []
    assert drill.told.longest_s < 30.0


def test_a_server_that_was_given_up_answers_no_reader_when_it_wakes() -> None:
    assert Drill(clients=0).run(ask_a_sleeper) == []


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("phase", RECOVERY)
def test_who_recovers_may_be_killed_at_every_phase_twice(phase: str, before: bool) -> None:
    drill = Drill()
    assert drill.run(trapped(RECOVERY[phase], before=before, times=2)) == []


@pytest.mark.parametrize("victim", ["master", "all"])
@pytest.mark.parametrize("phase", RECOVERY)
def test_master_or_everybody_may_die_at_every_phase(phase: str, victim: str) -> None:
    drill = Drill()
    assert drill.run(trapped(RECOVERY[phase], victim)) == []


@pytest.mark.parametrize("changes", SERIES, ids=" and ".join)
def test_an_increment_whose_reply_was_lost_counts_once_whatever_came_between(
    changes: tuple[str, ...],
) -> None:
    """HBASE-3787: the nonce of a retry comes through all changes of the region (there it ends
    with the server)."""
    assert Drill().run(lost_reply(*changes)) == []


@pytest.mark.parametrize("changes", [("move",), ("split", "crash"), ("crash", "flush", "merge")])
def test_a_batch_whose_reply_was_lost_counts_once(changes: tuple[str, ...]) -> None:
    """HBASE-25678, HBASE-24515: increments and appends of a batch that was sent again failed,
    or were applied twice."""
    assert Drill().run(lost_reply(*changes, in_batch=True)) == []


def test_stale_recovered_edits_of_a_region_that_moved_away_do_not_keep_it_from_merging() -> None:
    """HBASE-30352, HBASE-30335: the source of a move dies later, and its log still has edits
    that the target has, too."""
    drill = Drill()

    async def strike(drill: Drill) -> None:
        source = await drill.server_of(LATE_ROW)
        await CHANGES["move"](drill)
        drill.kill(source)
        await drill.settle()
        moved = region_directory(await drill.region_of(LATE_ROW))
        assert drill.simulation.disk.list(f"{moved}/recovered.edits"), "there are stale edits"
        await CHANGES["merge"](drill)

    assert drill.run(strike) == []
