"""The janitor and servers that stand still."""

import asyncio
from dataclasses import replace

import pytest

from raybase.config import ClientConfig, SessionConfig
from raybase.testing import Simulation
from raybase.testing.cluster import SimCluster
from raybase.testing.process import SimProcess
from raybase.testing.story import SMALL

pytestmark = pytest.mark.simulation

PATIENT = replace(SMALL, session=SessionConfig(timeout_s=60.0))
"""A server may stand still for longer than the janitor takes to find a file twice."""

ROWS = 60
PAUSE_S = 4 * SMALL.master.janitor_period_s


@pytest.mark.parametrize(
    "site",
    ["file_writer.write_plan: write/done", "region_compactor._run: run/compact_job-done"],
)
def test_a_file_that_waits_for_its_manifest_stays_however_long_its_server_stands(
    site: str,
) -> None:
    with Simulation(1, PATIENT) as simulation:
        cluster = SimCluster(simulation)
        cluster.start()
        connection = cluster.connect("client", ClientConfig(operation_timeout_s=60.0))
        stood: list[dict[str, None]] = []

        def store_files() -> dict[str, None]:
            paths = [path for path, _ in simulation.disk.walk("data/default/t")]
            return dict.fromkeys(path for path in paths if "/f/" in path)

        def stand_still(process: SimProcess, reached: str) -> None:
            if reached == site and not stood:
                stood.append(store_files())
                simulation.pause(process.name, PAUSE_S)
                simulation.later(PAUSE_S - 0.1, lambda: stood.append(store_files()))

        async def story() -> None:
            await connection.admin.create_table("t", ["f"])
            table = connection.table("t")
            simulation.world.on_failpoint = stand_still
            # The server flushes and compacts by itself: what an operator asks for is a
            # procedure, and the janitor leaves its table alone.
            for number in range(ROWS):
                await table.put(b"%03d" % number, {"f:q": bytes(2000)})
            await asyncio.sleep(PAUSE_S)
            before, after = stood
            assert after == before
            assert len([row async for row in table.scan()]) == ROWS
            await connection.close()
            report = await cluster.settled(simulation.runtime_for("client"), 10.0)
            assert report.problems == []

        simulation.run(story(), 600.0, "client")
        assert simulation.errors == []
