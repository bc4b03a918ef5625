"""A scanner that is open while its files are flushed, compacted and archived."""

from dataclasses import replace

import pytest

from raybase.operations import Scan
from raybase.testing import Simulation
from raybase.testing.crash.ledger import VERSIONS_MAX
from raybase.testing.crash.scenarios import Stage
from raybase.testing.crash.server import CONFIG, compact, state_of

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("block_cache_bytes", [1, CONFIG.store.block_cache_bytes])
def test_a_scanner_gives_the_rows_as_they_were_when_it_was_opened(block_cache_bytes: int) -> None:
    """After every row all files are rewritten, and what it had read from is in the archive."""
    config = replace(CONFIG, store=replace(CONFIG.store, block_cache_bytes=block_cache_bytes))
    with Simulation(1, config) as simulation:
        stage = Stage(simulation, config)

        async def story() -> None:
            await stage.begin()
            await stage.writer.write(20)
            await stage.hosted.flush()
            await stage.writer.write(20)
            before = stage.ledger.state
            scanner = stage.hosted.scanner(Scan(max_versions=VERSIONS_MAX))
            found = {}
            while not scanner.exhausted:
                found.update(state_of(await stage.hosted.resume(lambda: scanner.next(rows_max=1))))
                await stage.writer.write(5)
                await stage.hosted.flush()
                await compact(stage.hosted, major=True)
            assert found == before

        simulation.run(story(), 600, "server")
        assert simulation.errors == []
        assert len(list(simulation.disk.walk("archive"))) > 10
