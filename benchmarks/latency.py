"""What a saturated server still does in time: syncs of its log, and control calls."""

from __future__ import annotations

from typing import Any

import ray

from .lab import Cluster, Lab
from .load import FAMILY, CpuShare, Load
from .report import Figure, figure
from .settings import Settings
from .timing import each

SYNC_MS = 3.0
CALL_MS = 50.0
WRITERS = 4
BATCH = 100


def saturated_server(settings: Settings, lab: Lab) -> list[Figure]:
    """One region server, written to by more processes than it has time for."""
    with lab.cluster(region_servers=1) as cluster:
        cluster.connection.admin.create_table("t", [FAMILY])
        ((_, server),) = cluster.regions("t")
        handle: Any = cluster.handle_of(server)

        def call(_: int) -> None:
            ray.get(handle.invoke.remote("describe", ()))

        each(call, range(20))
        idle_calls = each(call, range(100))
        with Load(cluster.addresses, "t", [b""], writers=WRITERS, batch=BATCH) as load:
            before = load.puts
            cpu = CpuShare([cluster.pid_of(server)])
            calls = each(call, range(settings.some(1000, 200)))
            (share,) = cpu.shares()
            puts = load.puts - before
            waits = _waits(cluster)
    note = (
        f"{WRITERS} writers with batches of {BATCH} puts: {puts / sum(calls):.0f} puts a second, "
        f"the server uses {share:.0%} of a core"
    )
    idle_ms = figure("", "ms", None, idle_calls).median
    return [
        _sync_figure(waits, note),
        figure(
            "Ray call into a saturated server",
            "ms",
            CALL_MS,
            calls,
            judge=0.99,
            note=f"{idle_ms:.1f} ms when it is idle",
        ),
    ]


def _waits(cluster: Cluster) -> dict[str, int]:
    """What the server has counted of its log."""
    (server,) = cluster.running.status()["servers"]
    counters: dict[str, int] = server["counters"]
    return counters


def _sync_figure(waits: dict[str, int], note: str) -> Figure:
    return Figure(
        "WAL sync into a saturated server, by its own count",
        "ms",
        SYNC_MS,
        waits["wal_wait_p99_us"] / 1000,
        0.99,
        waits["wal_wait_p50_us"] / 1000,
        waits["wal_wait_p99_us"] / 1000,
        min(waits["wal_appends"], 4096),
        note,
    )
