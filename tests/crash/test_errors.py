"""Every operation of the file system fails once: nothing acknowledged is lost."""

from collections import Counter

import pytest

from raybase.testing.crash.errors import Fault, outcomes

pytestmark = pytest.mark.simulation

ENDS_THE_SERVER = (Fault.EIO, Fault.EIO_FOR_GOOD, Fault.SYNC)
"""A log that failed is never written again, whatever came of its last write."""


@pytest.mark.parametrize("fault", Fault)
def test_the_server_goes_on_rightly_or_ends_and_loses_nothing(fault: Fault) -> None:
    ended: Counter[bool] = Counter()
    for outcome in outcomes(fault):
        assert outcome.problems == (), f"call {outcome.number}: {outcome.call}"
        ended[outcome.ended] += 1
        if "sync WALs/" in outcome.call and fault in ENDS_THE_SERVER:
            assert outcome.ended, f"a failed sync is tried again: {outcome.call}"
    assert ended[False] > 0
    assert bool(ended[True]) == (fault in ENDS_THE_SERVER)
