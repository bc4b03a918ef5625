"""Moving and splitting a region while both servers have all the work they can do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from raybase import connect
from raybase.actors.posix import PosixFiles
from raybase.actors.store_io import load_manifest_in, put_manifest
from raybase.storage.manifest import NonceFileEntry, region_directory
from raybase.storage.nonce_table import NonceTable

from .lab import Cluster, Lab
from .load import FAMILY, CpuShare, Load, put_of, row_of
from .report import Figure, figure
from .settings import Settings
from .timing import quantile

P95_MS = 100.0
P99_MS = 300.0
REGIONS = 8
WRITERS = 4
BATCH = 100
POLL_S = 0.01
NONCES = 200_000
SPLIT_ROWS = 1_000_000
PREFIXES = [b"%02x-" % (256 * number // REGIONS) for number in range(REGIONS)]


@dataclass(frozen=True)
class Answer:
    """An answer the probe got: when it had asked, and when it came."""

    asked_s: float
    came_s: float


class Probe:
    """Reads one row again and again, from a thread: it waits far more than it works."""

    def __init__(self, addresses: str, table: str, row: bytes) -> None:
        self.answers: list[Answer] = []
        self._stop = threading.Event()
        self._work = (addresses, table, row)
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        addresses, table_name, row = self._work
        with connect(addresses) as connection:
            table = connection.table(table_name)
            while not self._stop.is_set():
                asked_s = time.perf_counter()
                table.get(row)
                self.answers.append(Answer(asked_s, time.perf_counter()))

    def longest_s(self, since_s: float, until_s: float) -> float:
        """The longest wait for an answer among those asked for or come between the two."""
        waits = [
            one.came_s - one.asked_s
            for one in list(self.answers)
            if one.came_s >= since_s and one.asked_s <= until_s
        ]
        return max(waits)


def under_load(settings: Settings, lab: Lab) -> list[Figure]:
    moves, splits = settings.some(200, 30), settings.some(40, 10)
    with lab.cluster(region_servers=2) as cluster:
        admin = cluster.connection.admin
        admin.create_table("t", [FAMILY], splits=PREFIXES[1:])
        row = row_of(PREFIXES[0], 0)
        cluster.connection.table("t").put(put_of(row, b"probe"))
        with (
            Load(cluster.addresses, "t", PREFIXES, writers=WRITERS, batch=BATCH) as load,
            Probe(cluster.addresses, "t", row) as probe,
        ):
            servers = sorted({server for _, server in cluster.regions("t")})
            cpu = CpuShare([cluster.pid_of(server) for server in servers])
            began_s, before = time.perf_counter(), load.puts
            moved = [_move(cluster, probe) for _ in range(moves)]
            split = [_split(cluster, probe, number) for number in range(splits)]
            rate = (load.puts - before) / (time.perf_counter() - began_s)
            shares = ", ".join(f"{share:.0%}" for share in cpu.shares())
            usual = [one.came_s - one.asked_s for one in probe.answers]
    note = (
        f"longest wait of a reader of the region during each move; {rate:.0f} puts a second, "
        f"the servers use {shares} of a core; any read meanwhile: median "
        f"{1000 * quantile(usual, 0.5):.1f} ms, p99 {1000 * quantile(usual, 0.99):.0f} ms"
    )
    return [
        *_figures("region moved under load: unavailable", moved, note),
        *_figures("region split under load: unavailable", split, "the lower daughter is split on"),
    ]


def with_nonces(settings: Settings, lab: Lab) -> list[Figure]:
    """What a region costs its clients that moves with the nonces of many increments."""
    moves = settings.some(20, 6)
    with lab.directory() as root:
        with lab.cluster_on(root, region_servers=2) as cluster:
            cluster.connection.admin.create_table("t", [FAMILY])
        asyncio.run(_add_nonces(root))
        with lab.cluster_on(root, region_servers=2) as cluster:
            row = row_of(b"", 0)
            cluster.connection.table("t").put(put_of(row, b"probe"))
            with Probe(cluster.addresses, "t", row) as probe:
                time.sleep(1)
                admin = cluster.connection.admin
                region, _ = cluster.regions("t")[0]
                moved = [_unavailable(probe, lambda: admin.move(region)) for _ in range(moves)]
    note = "longest wait of a reader during each move, which nothing else disturbs"
    what = f"region of {NONCES:,} nonces moved: unavailable, p99"
    return [figure(what, "ms", P99_MS, moved, judge=0.99, note=note)]


async def _add_nonces(root: Path) -> None:
    """As twenty minutes of 170 increments a second would have left them; nothing runs."""
    files = PosixFiles(str(root))
    (directory,) = (root / "data" / "default" / "t").iterdir()
    manifest = await load_manifest_in(files, str(directory.relative_to(root)))
    assert manifest is not None
    ids = np.arange(1, NONCES + 1, dtype=np.uint64)
    path = f"{region_directory(manifest.region)}/nonces/{1:032x}"
    entry = NonceFileEntry(path, NONCES, manifest.nonce_age_ms, manifest.nonce_age_ms)
    await files.write(path, list(NonceTable(entry, np.vstack([ids, ids, ids])).pieces()))
    highest = manifest.max_sequence_id + NONCES
    assert await put_manifest(
        files, manifest.next(nonce_files=(entry,), max_sequence_id=highest)
    ), "somebody else has the region"


def _figures(what: str, unavailable: list[float], note: str) -> list[Figure]:
    return [
        figure(f"{what}, p95", "ms", P95_MS, unavailable, judge=0.95, note=note),
        figure(f"{what}, p99", "ms", P99_MS, unavailable, judge=0.99),
    ]


def _move(cluster: Cluster, probe: Probe) -> float:
    """Moves the first region to the other server; for how long it was not to be read."""
    admin = cluster.connection.admin
    placed = cluster.regions("t")
    region, source = placed[0]
    target = next(server for _, server in placed if server != source)
    return _unavailable(probe, lambda: admin.move(region, target))


def _split(cluster: Cluster, probe: Probe, number: int) -> float:
    """Splits the first region, which the probe reads, just above the probe's row; for how long
    it was not to be read."""
    admin = cluster.connection.admin
    region, _ = cluster.regions("t")[0]
    # Rows of the load have their writer's number and "-" behind the prefix: all are below.
    row = row_of(PREFIXES[0], SPLIT_ROWS - number)
    return _unavailable(probe, lambda: admin.split(region, row))


def _unavailable(probe: Probe, change: Callable[[], None]) -> float:
    """The longest wait of the probe for an answer that it asked for before the change's end."""
    began_s = time.perf_counter()
    change()
    ended_s = time.perf_counter()
    while probe.answers[-1].asked_s <= ended_s:
        time.sleep(POLL_S)
    return probe.longest_s(began_s, ended_s)
