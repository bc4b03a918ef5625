"""Moving and splitting a region while both servers have all the work they can do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from raybase import Increment, connect

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
COUNTERS = 1000
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
    """What counters that clients raised a while ago cost a region that moves."""
    count, moves = settings.some(200_000, 50_000), settings.some(20, 6)
    with lab.cluster(region_servers=2) as cluster:
        cluster.connection.admin.create_table("t", [FAMILY])
        table = cluster.connection.table("t")
        rows = [b"%03d" % number for number in range(COUNTERS)]
        for _ in range(count // COUNTERS):
            table.apply([Increment(row).add(FAMILY, b"n", 1) for row in rows])
        with Probe(cluster.addresses, "t", rows[0]) as probe:
            time.sleep(1)
            moved = [_move(cluster, probe) for _ in range(moves)]
    note = f"longest wait of a reader; {count} increments before, each with a nonce"
    what = "region of 200,000 nonces moved: unavailable, p99"
    return [figure(what, "ms", P99_MS, moved, judge=0.99, note=note)]


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
