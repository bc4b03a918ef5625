"""Moves, splits, merges and alterations under load: latency for clients, never an error."""

import pytest

from raybase.testing.availability import Availability

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("seed", range(1, 6))
def test_clients_see_no_error_while_regions_change_hands(seed: int) -> None:
    service = Availability(seed).run()
    assert service.problems == []
    assert service.operations > 300
    assert service.longest_s < 2.0, "seconds of virtual time"
    for change in ("moves", "moves by the balancer", "splits", "merges", "alterations"):
        assert service.changes[change] >= 4, change
