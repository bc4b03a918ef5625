"""Very many regions on one server: opening them, and what they cost while nobody asks for them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .lab import Cluster, Lab
from .load import FAMILY, CpuShare, put_of, row_of
from .report import Figure, figure
from .settings import Settings
from .timing import timed

MANY = 1000
FEW = 100
COLD_S = 15.0
REPORT_MS = 20.0
GROWTH = 1.3
REPORTS = 20
QUIET_S = 20.0
CHORES = {"region_server__compaction_check_s": "10"}
"""As a server comes: its chores look at every region this often."""


@dataclass(frozen=True)
class Cost:
    """What a number of regions took, in seconds."""

    regions: int
    created_s: float
    """To create the table."""
    opened_s: float
    """To open all of its regions, in a running cluster."""
    started_s: float
    """From a stopped cluster to one whose master has read hbase:meta."""
    cold_s: float
    """From a stopped cluster to the last region served."""
    report_s: float
    """CPU time of the server for one report of its load."""
    quiet_s: float
    """CPU time of the server in a second in which no client asks it anything."""


def on_one_server(settings: Settings, lab: Lab) -> list[Figure]:
    few, many = (_measure(lab, number) for number in (FEW, settings.some(MANY, 3 * FEW)))
    what = f"{many.regions} regions on a server"
    note = (
        f"of that {many.started_s:.1f} s until hbase:meta was read; {few.regions} regions: "
        f"{few.cold_s:.1f} s, {few.started_s:.1f} s"
    )
    return [
        figure(f"{what}: cold start to the last one served", "s", COLD_S, [many.cold_s], note=note),
        _beside(f"{what}: opened in a running cluster", "s", many.opened_s, few.opened_s),
        _beside(f"{what}: table created", "s", many.created_s, few.created_s),
        figure(f"{what}: CPU of a report", "ms", REPORT_MS, [many.report_s]),
        _beside(f"{what}: CPU of a quiet second", "ms", many.quiet_s, few.quiet_s),
        _growth(
            f"{what}: opening one against one of {FEW}",
            many.opened_s / many.regions,
            few.opened_s / few.regions,
        ),
        _growth(
            f"{what}: one in a report against one of {FEW}",
            many.report_s / many.regions,
            few.report_s / few.regions,
        ),
    ]


def _measure(lab: Lab, regions: int) -> Cost:
    prefixes = [b"%04d" % number for number in range(regions)]
    with lab.directory() as root:
        with lab.cluster_on(root, 1, **CHORES) as cluster:
            admin = cluster.connection.admin
            created_s, _ = timed(lambda: admin.create_table("t", [FAMILY], splits=prefixes[1:]))
            rows = [put_of(row_of(prefix, 1), b"value") for prefix in prefixes]
            cluster.connection.table("t").put_many(rows)
            admin.disable_table("t")
            opened_s, _ = timed(lambda: admin.enable_table("t"))
            report_s, quiet_s = _being_there(cluster)
        began_s = time.perf_counter()
        with lab.cluster_on(root, 1, **CHORES) as cluster:
            started_s = time.perf_counter() - began_s
            # hbase:meta may still say what was before the stop: every region has to answer.
            found = cluster.connection.table("t").scan().count()
            cold_s = time.perf_counter() - began_s
            if found != regions:
                raise RuntimeError(f"{found} rows of {regions} came back")
    return Cost(regions, created_s, opened_s, started_s, cold_s, report_s, quiet_s)


def _being_there(cluster: Cluster) -> tuple[float, float]:
    """CPU time of the server for a report, and for a second of quiet."""
    ((_, server),) = cluster.regions("hbase:meta")
    process = cluster.process_of(server)
    used = CpuShare([cluster.pid_of(server)])
    time.sleep(QUIET_S)
    (quiet_s,) = used.shares()
    used = CpuShare([cluster.pid_of(server)])
    began_s = time.perf_counter()
    for _ in range(REPORTS):
        cluster.running.call(process, "status")
    passed_s = time.perf_counter() - began_s
    (busy_s,) = used.seconds()
    return (busy_s - quiet_s * passed_s) / REPORTS, quiet_s


def _beside(what: str, unit: str, many_s: float, few_s: float) -> Figure:
    scale = 1000 if unit == "ms" else 1
    return figure(what, unit, None, [many_s], note=f"{FEW} regions: {few_s * scale:.1f} {unit}")


def _growth(what: str, many_s: float, few_s: float) -> Figure:
    """What a region costs among many, as a multiple of what it costs among few."""
    times = many_s / few_s
    return Figure(what, "times", GROWTH, times, 0.5, times, None, 1)
