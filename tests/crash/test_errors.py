"""Every operation of the file system fails once: nothing acknowledged is lost."""

import asyncio
from collections import Counter

import pytest

from raybase.errors import RegionTooBusyError, StorageError
from raybase.testing import Simulation
from raybase.testing.crash.errors import Fault, outcomes
from raybase.testing.crash.scenarios import Stage
from raybase.testing.crash.server import CONFIG, read_state

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


def test_reads_go_on_while_the_disk_is_full_and_it_heals_by_itself() -> None:
    with Simulation(1, CONFIG) as simulation:
        stage = Stage(simulation, CONFIG)

        async def story() -> None:
            await stage.begin()
            await stage.writer.write(5)
            simulation.disk.free_bytes = 100
            waiting = await stage.writer.submit()
            await asyncio.sleep(0.1)
            for _ in range(3):
                with pytest.raises(RegionTooBusyError, match="room"):
                    await stage.writer.submit()
                with pytest.raises(StorageError):
                    await stage.hosted.flush()
                assert await read_state(stage.hosted) == stage.ledger.state_after(5)
                await asyncio.sleep(2)
            assert not waiting.done()
            simulation.disk.free_bytes = None
            await waiting
            await stage.writer.write(4)
            await stage.hosted.flush()
            assert await read_state(stage.hosted) == stage.ledger.state
            assert await stage.server.problems() == []
            assert stage.server.failures == []

        simulation.run(story(), 600, "server")
        assert simulation.errors == []
