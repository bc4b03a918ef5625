"""One failure at a time, while clients count: nothing is lost, nothing counts twice, all heals."""

from __future__ import annotations

import pytest

from raybase.testing.drill import Drill
from raybase.testing.failover import FAILURES, RECOVERY, ask_a_sleeper, trapped
from raybase.testing.lost_replies import SERIES, lost_reply

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_costs_time_and_nothing_else(failure: str) -> None:
    drill = Drill()
    assert drill.run(FAILURES[failure]) == []
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
