"""kill -9 of a region server whose log is full of edits that are in no file."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from raybase import ClientConfig, Get, RegionInfo, Result, ServerName, connect
from raybase.errors import RaybaseError

from .lab import Cluster, Lab
from .load import FAMILY, QUALIFIER, Load, put_of, row_of
from .report import Figure, figure
from .settings import Settings

IDLE_S = 2.0
LOADED_S = 4.0
WAL_BYTES = 100 * 2**20
SERVERS = 3
FEW, MANY = 4, 50
"""Regions of the server that is killed."""
RECORD_BYTES = 50
"""About what a put takes in the log besides its value; more if it is alone in its record."""
BATCH = 100
VALUE_BYTES = 1000
SMALL_VALUE_BYTES = 100
WRITERS = 4
PAUSE_S = 0.005
TIMEOUT_S = 60.0
NO_FLUSH = {
    "store__flush_bytes": str(2**30),
    "store__memstore_bytes_max": str(4 * 2**30),
}
LAST_ROW = 9_999_999_999
"""Written last in every region: when it is read back, the region is served and whole."""


@dataclass(frozen=True)
class Victim:
    """The server to be killed, and the prefixes of the rows it and the others have."""

    server: ServerName
    prefixes: tuple[bytes, ...]
    others: tuple[bytes, ...]


def after_kill(settings: Settings, lab: Lab) -> list[Figure]:
    rounds = settings.some(3, 1)
    megabytes = WAL_BYTES // 2**20
    figures = []
    # Each round is a cluster of its own to start and to fill: quickly, only the hardest are.
    counts = (MANY,) if settings.quick else (FEW, MANY)
    sizes = (SMALL_VALUE_BYTES,) if settings.quick else (VALUE_BYTES, SMALL_VALUE_BYTES)
    for regions in counts:
        what = f"kill -9 with {megabytes} MB of WAL to the last of {regions} regions served"
        for value_bytes in sizes:
            name = f"{what}: idle, values of {value_bytes} bytes"
            idle = [_idle(lab, regions, value_bytes) for _ in range(rounds)]
            note = f"records of {BATCH} puts, {SERVERS - 1} servers remain"
            figures.append(figure(name, "s", IDLE_S, idle, note=note))
        name = f"{what}: under load, values of {VALUE_BYTES} bytes"
        loaded = [_under_load(lab, regions) for _ in range(rounds)]
        note = "one put a record; 2 writers with batches go on at the other servers"
        figures.append(figure(name, "s", LOADED_S, loaded, note=note))
    return figures


def _idle(lab: Lab, regions: int, value_bytes: int) -> float:
    with _prepared(lab, regions) as (cluster, victim):
        table = cluster.connection.table("t")
        chance = random.Random(5)
        for start in range(0, WAL_BYTES // (value_bytes + RECORD_BYTES), BATCH):
            prefix = victim.prefixes[start // BATCH % len(victim.prefixes)]
            table.put_many(
                [
                    put_of(row_of(prefix, start + number), chance.randbytes(value_bytes))
                    for number in range(BATCH)
                ]
            )
        return _kill(cluster, victim)


def _under_load(lab: Lab, regions: int) -> float:
    with _prepared(lab, regions) as (cluster, victim):
        puts = WAL_BYTES // (VALUE_BYTES + RECORD_BYTES) // WRITERS
        with Load(
            cluster.addresses,
            "t",
            victim.prefixes,
            writers=WRITERS,
            batch=1,
            value_bytes=VALUE_BYTES,
            puts_max=puts,
        ) as filling:
            filling.wait()
        with Load(cluster.addresses, "t", victim.others, writers=2, batch=BATCH):
            return _kill(cluster, victim)


@contextmanager
def _prepared(lab: Lab, regions: int) -> Iterator[tuple[Cluster, Victim]]:
    total = regions * SERVERS
    prefixes = [b"%02x-" % (256 * number // total) for number in range(total)]
    with lab.cluster(SERVERS, **NO_FLUSH) as cluster:
        cluster.connection.admin.create_table("t", [FAMILY], splits=prefixes[1:])
        yield cluster, _victim(cluster, prefixes)


def _victim(cluster: Cluster, prefixes: Sequence[bytes]) -> Victim:
    """A server without hbase:meta, whose loss is another story."""
    ((_, meta_server),) = cluster.regions("hbase:meta")
    held: dict[ServerName, list[RegionInfo]] = {}
    for region, server in cluster.regions("t"):
        if server != meta_server:
            held.setdefault(server, []).append(region)
    server, regions = max(held.items(), key=lambda item: len(item[1]))
    own = [one for one in prefixes if any(region.contains(one + b"0") for region in regions)]
    return Victim(server, tuple(own), tuple(one for one in prefixes if one not in own))


def _kill(cluster: Cluster, victim: Victim) -> float:
    """Seconds from the signal to the answer of the last of the victim's regions."""
    rows = [row_of(prefix, LAST_ROW) for prefix in victim.prefixes]
    cluster.connection.table("t").put_many([put_of(row, b"last") for row in rows])
    process = cluster.process_of(victim.server)
    with connect(
        cluster.addresses, config=ClientConfig(pause_s=PAUSE_S, attempts_max=2)
    ) as impatient:
        table = impatient.table("t")
        for row in rows:
            table.get(row)
        cluster.running.signal(process, signal.SIGKILL)
        began_s = time.perf_counter()
        while rows:
            outcomes = table.apply([Get(row) for row in rows])
            rows = [
                row for row, one in zip(rows, outcomes, strict=True) if not _is_served(row, one)
            ]
            if time.perf_counter() - began_s > TIMEOUT_S:
                raise RuntimeError(f"{len(rows)} regions were not served after {TIMEOUT_S} s")
            time.sleep(PAUSE_S)
        return time.perf_counter() - began_s


def _is_served(row: bytes, outcome: Result | RaybaseError) -> bool:
    if isinstance(outcome, RaybaseError):
        return False
    if outcome.get(FAMILY + b":" + QUALIFIER) != b"last":
        raise RuntimeError(f"row {row!r} was acknowledged and is lost")
    return True
