"""kill -9 of a region server whose log is full of edits that are in no file."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from raybase import ClientConfig, RegionInfo, ServerName, Table, connect
from raybase.errors import RaybaseError

from .lab import Cluster, Lab
from .load import FAMILY, QUALIFIER, Load, put_of, row_of
from .report import Figure, figure
from .settings import Settings

IDLE_S = 2.0
LOADED_S = 4.0
WAL_BYTES = 100 * 2**20
REGIONS = 12
RECORD_BYTES = 50
"""About what a put takes in the log besides its value; more if it is alone in its record."""
BATCH = 100
VALUE_BYTES = 1000
SMALL_VALUE_BYTES = 100
WRITERS = 4
PAUSE_S = 0.005
TIMEOUT_S = 60.0
PREFIXES = [b"%02x-" % (256 * number // REGIONS) for number in range(REGIONS)]
NO_FLUSH = {
    "store__flush_bytes": str(2**30),
    "store__memstore_bytes_max": str(4 * 2**30),
}
LAST_ROW = 9_999_999_999
"""Written last in every region: when it is read back, the region is served and whole."""


@dataclass(frozen=True)
class Victim:
    """The server to be killed, and the prefixes of the rows it has."""

    server: ServerName
    prefixes: tuple[bytes, ...]


def after_kill(settings: Settings, lab: Lab) -> list[Figure]:
    rounds = settings.some(3, 2)
    idle = [_idle(lab, VALUE_BYTES) for _ in range(rounds)]
    small = [_idle(lab, SMALL_VALUE_BYTES) for _ in range(rounds)]
    loaded = [_under_load(lab) for _ in range(rounds)]
    megabytes = WAL_BYTES // 2**20
    what = f"kill -9 with {megabytes} MB of WAL to the last region served"
    records = f"records of {BATCH} puts, {REGIONS // 3} regions, 2 servers remain"
    return [
        figure(f"{what}: idle, values of {VALUE_BYTES} bytes", "s", IDLE_S, idle, note=records),
        figure(
            f"{what}: idle, values of {SMALL_VALUE_BYTES} bytes", "s", IDLE_S, small, note=records
        ),
        figure(
            f"{what}: under load, values of {VALUE_BYTES} bytes",
            "s",
            LOADED_S,
            loaded,
            note="one put a record; 2 writers with batches go on at the other servers",
        ),
    ]


def _idle(lab: Lab, value_bytes: int) -> float:
    with _prepared(lab) as (cluster, victim):
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


def _under_load(lab: Lab) -> float:
    with _prepared(lab) as (cluster, victim):
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
        others = [one for one in PREFIXES if one not in victim.prefixes]
        with Load(cluster.addresses, "t", others, writers=2, batch=BATCH):
            return _kill(cluster, victim)


@contextmanager
def _prepared(lab: Lab) -> Iterator[tuple[Cluster, Victim]]:
    with lab.cluster(**NO_FLUSH) as cluster:
        cluster.connection.admin.create_table("t", [FAMILY], splits=PREFIXES[1:])
        yield cluster, _victim(cluster)


def _victim(cluster: Cluster) -> Victim:
    """A server without hbase:meta, whose loss is another story."""
    ((_, meta_server),) = cluster.regions("hbase:meta")
    held: dict[ServerName, list[RegionInfo]] = {}
    for region, server in cluster.regions("t"):
        if server != meta_server:
            held.setdefault(server, []).append(region)
    server, regions = max(held.items(), key=lambda item: len(item[1]))
    prefixes = [one for one in PREFIXES if any(region.contains(one + b"0") for region in regions)]
    return Victim(server, tuple(prefixes))


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
            rows = [row for row in rows if not _is_served(table, row)]
            if time.perf_counter() - began_s > TIMEOUT_S:
                raise RuntimeError(f"{len(rows)} regions were not served after {TIMEOUT_S} s")
            time.sleep(PAUSE_S)
        return time.perf_counter() - began_s


def _is_served(table: Table, row: bytes) -> bool:
    try:
        value = table.get(row).get((FAMILY + b":" + QUALIFIER).decode())
    except RaybaseError:
        return False
    if value != b"last":
        raise RuntimeError(f"row {row!r} was acknowledged and is lost")
    return True
