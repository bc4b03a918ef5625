"""What a region server says of itself: load and counters."""

from __future__ import annotations

from dataclasses import asdict

from ..rpc.server import RpcCounters
from .messages import ServerStatus
from .region_chores import RegionChores
from .region_map import RegionMap
from .region_services import RegionServices
from .server_logs import ServerLogs


def report_of(
    process: str,
    services: RegionServices,
    regions: RegionMap,
    chores: RegionChores,
    logs: ServerLogs,
    *,
    scanners: int,
    calls: RpcCounters,
) -> ServerStatus:
    """Everything there is to be told, as it stands now."""
    cache = services.io.cache
    counters = {
        **asdict(services.io.counters),
        "handoff_bytes": services.io.handoff.bytes,
        "flushes": chores.flusher.flushes,
        "compactions": chores.compact_split.compactions,
        "compactions_waiting": chores.compact_split.waiting,
        "writes_blocked": sum(one.writes_blocked for one in regions.online.values()),
        **{f"cache_{name}": count for name, count in cache.counters().items()},
        "scanners": scanners,
        **{f"rpc_{name}": count for name, count in asdict(calls).items()},
        **_log_counters(logs),
    }
    return ServerStatus(
        services.server,
        process,
        tuple(regions.statuses()),
        services.memstores.bytes,
        cache.memory_bytes,
        logs.files,
        counters,
        logs.troubles,
        services.runtime.objects.node,
    )


def _log_counters(logs: ServerLogs) -> dict[str, int]:
    counters: dict[str, int] = {}
    for prefix, writer in logs.writers.items():
        for name, count in asdict(writer.counters).items():
            counters[f"wal_{prefix}{name}"] = count
        for name, wait_us in writer.waits.summary().items():
            counters[f"wal_{prefix}wait_{name}"] = wait_us
    return counters
