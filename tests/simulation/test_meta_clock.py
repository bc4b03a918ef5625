"""Masters' clocks differ; what one wrote to hbase:meta must not hide what the next one writes."""

from __future__ import annotations

import pytest

import raybase
from raybase.testing.cluster import SimCluster
from raybase.testing.simulation import Simulation
from raybase.testing.story import SMALL

pytestmark = pytest.mark.simulation


def test_a_table_deleted_by_a_master_ahead_of_time_can_be_made_by_the_next() -> None:
    with Simulation(1, SMALL) as simulation:
        cluster = SimCluster(simulation, masters=1)
        cluster.start()
        config = raybase.ClientConfig(operation_timeout_s=60.0)
        connection = cluster.connect("application", config)

        async def delete() -> None:
            await connection.admin.create_table("t", ["f"])
            await connection.admin.disable_table("t")
            # The master's clock goes ahead by an hour.
            simulation.actor("master-1").term.environment.meta._last_ms += 3_600_000
            await connection.admin.delete_table("t")

        async def make() -> bool:
            await connection.admin.create_table("t", ["f"])
            return await connection.admin.is_enabled("t")

        simulation.run(delete(), 100.0, "application")
        simulation.kill("master-1")
        assert simulation.run(make(), 100.0, "application")
        assert simulation.errors == []
