"""A server that is recovered while it goes on writing acknowledges nothing that is missed."""

import pytest

from raybase.testing.crash.zombie import delays, problems_of_delay

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("number", delays())
def test_recovery_has_all_that_a_slow_server_acknowledges(number: int) -> None:
    assert problems_of_delay(number) == []
