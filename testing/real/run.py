"""ChaosRun: clients work on a real cluster while it is broken in every planned way."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any, Final

from ...actors.posix import PosixFiles
from ...actors.procedures.registry import KINDS
from ...actors.ray_cluster import RayCluster
from ...actors.ray_root import check_stopped_root
from ...actors.system import SystemClock
from ...client.async_connection import AsyncConnection, connect_async
from ...client.connection import connect
from ...client.fsck import ControlCall, FsckCommand
from ...config import ClientConfig, ClusterConfig
from ...errors import RaybaseError
from ..workload import FAMILIES, TABLE, Client, Ledger, WorkloadConfig
from .churn import Churn
from .faults import Faults
from .loop_thread import LoopThread
from .plan import FaultKind, Planned, make_plan
from .ray_nodes import RayNodes
from .report import ChaosReport, Struck
from .victims import Victims
from .watch import Watch

NAMESPACE: Final = "chaos"
SETTINGS: Final = {
    "session.timeout_s": "4",
    "session.heartbeat_s": "0.5",
    "store.flush_bytes": str(128 * 1024),
    "store.compaction_bytes_min": str(32 * 1024),
    "store.region_bytes_max": str(1024 * 1024),
    "wal.roll_bytes": str(256 * 1024),
    "coordinator.snapshot_log_bytes": str(64 * 1024),
    "region_server.compaction_check_s": "2",
    "master.region_servers": "3",
    "master.server_wait_s": "1",
    "master.janitor_period_s": "20",
    "master.balancer_period_s": "15",
    "master.archive_ttl_s": "30",
    "master.old_wal_ttl_s": "30",
}
"""So small that minutes of work flush, compact, roll, split and balance."""
CLIENT: Final = ClientConfig(
    operation_timeout_s=180.0, call_timeout_s=3.0, attempts_max=10_000, pause_s=0.02
)
"""Clients wait for as long as it takes, and are never told an error. With HBase's pause of 0.1 s
they would look again only 20 s after the eighth try: what is measured is the cluster."""
HEAL_S: Final = 60.0
_GAP_S: Final = (0.5, 3.0)
_AT_ONCE: Final = 0.25
"""So many of the faults do not wait until the one before is over."""
_NOTICED_S: Final = 0.5
"""By then somebody has noticed a death."""
_READER: Final = 99

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ChaosOptions:
    minutes: float
    seed: int
    clients: int = 4


class ChaosRun:
    """One run on a root and a Ray of nodes; ``report`` is what came of it.

    Clients and readers are tasks of a loop in a thread of its own; an operator who changes the
    cluster all the time is a thread, too. What breaks it is the main thread, for Ray begins
    nodes in no other.
    """

    def __init__(self, options: ChaosOptions, root: Path, nodes: RayNodes, say: Say) -> None:
        self._options = options
        self._root = root
        self._nodes = nodes
        self._say = say
        self._began_s = time.monotonic()
        self._stopping = threading.Event()
        self.report = ChaosReport(options.seed)
        self._ledger = Ledger.with_clock(time.monotonic)
        self._workload = WorkloadConfig(
            clients=options.clients,
            registers=max(6, int(2 * options.minutes)),
            counters=max(3, int(options.minutes)),
            lists=max(3, int(options.minutes)),
            pause_s=0.05,
            batch_rows=3,
            scans=0.01,
        )
        self._cluster: RayCluster

    def run(self) -> ChaosReport:
        """Everything, from the first start to the last check. Call it in the main thread."""
        with LoopThread() as loop:
            self._run(loop)
        self.report.took_s = time.monotonic() - self._began_s
        return self.report

    def _run(self, loop: LoopThread) -> None:
        self._start()
        connection = loop.do(connect_async(namespace=NAMESPACE, config=CLIENT))
        loop.do(connection.admin.create_table(TABLE, FAMILIES, splits=[b"5", b"a"]))
        self._work(loop, connection)
        loop.do(self._check(connection, "at the end"))
        loop.do(connection.close())
        loop.do(self._fsck(stopped=False))
        self._say("killing everything, to start cold from the files")
        for name in self._cluster.processes():
            self._cluster.kill(name)
        loop.do(self._fsck(stopped=True))
        self._start()
        connection = loop.do(connect_async(namespace=NAMESPACE, config=CLIENT))
        loop.do(self._check(connection, "after the cold start"))
        loop.do(connection.close())
        self._say("looking for an order that explains what clients were told")
        self._violated(self._ledger.check())
        self._cluster.stop()

    def _start(self) -> None:
        config = ClusterConfig().with_settings(SETTINGS)
        self._cluster = RayCluster.start(
            self._root, config, address=self._nodes.address, namespace=NAMESPACE
        )
        self._session_timeout_s = config.session.timeout_s

    # -- work under fire -------------------------------------------------------------------

    def _work(self, loop: LoopThread, connection: AsyncConnection) -> None:
        watch = Watch(connection)
        clients = [self._client(number, connection) for number in range(self._options.clients)]
        working = [loop.begin(one.run()) for one in clients]
        working.append(loop.begin(watch.run()))
        try:
            self._struggle()
        finally:
            watch.stopped = True
            for one in clients:
                one.stopped = True
        for task in working:
            error = task.exception(2 * CLIENT.operation_timeout_s)
            self._violated([f"a client broke off: {error!r}"] if error is not None else [])
        self._violated(watch.errors)
        if self._ledger.unknown:
            self._violated([f"{self._ledger.unknown} operations of clients were given up"])
        self.report.operations = self._ledger.operations
        self.report.scans = self._ledger.scans
        self.report.reads = watch.reads
        for struck, following in zip_longest(self.report.faults, self.report.faults[1:]):
            end_s = following.began_s if following is not None else self._now_s()
            struck.outage_s = watch.longest(self._began_s + struck.began_s, self._began_s + end_s)

    def _client(self, number: int, connection: AsyncConnection) -> Client:
        chance = Random(f"{self._options.seed}/{number}")
        return Client(number, connection, self._ledger, chance, self._workload)

    def _struggle(self) -> None:
        """The plan, one fault after the other."""
        chance = Random(self._options.seed)
        plan = make_plan(self._options.minutes, list(KINDS), chance)
        victims = Victims(self._cluster, chance)
        operating = threading.Thread(target=self._operate, daemon=True)
        with connect(namespace=NAMESPACE, config=CLIENT) as connection:
            churn = Churn(connection, victims)
            faults = Faults(victims, self._nodes, churn, self._session_timeout_s)
            operating.start()
            until_s = self._began_s + 60 * self._options.minutes
            for planned in plan:
                self._strike(planned, faults, victims)
            while time.monotonic() < until_s:
                self._strike(_another(chance), faults, victims)
            for planned in self._again(plan):
                self._strike(planned, faults, victims)
            self._violated(self.report.missed(plan))
            self._stopping.set()
            operating.join(2 * HEAL_S)
            churn.restore()
            self._heal(victims)

    def _strike(self, planned: Planned, faults: Faults, victims: Victims) -> None:
        time.sleep(victims.chance.uniform(*_GAP_S))
        began_s = self._now_s()
        try:
            what = faults.strike(planned)
        except RaybaseError as error:
            # The victim was on its way out, or not in yet: it is tried again at the end.
            self._say(f"{began_s:6.0f} s  {planned.kind}: not done: {error}")
            return
        trouble = ""
        if victims.chance.random() >= _AT_ONCE:
            time.sleep(_NOTICED_S)
            trouble = victims.wait_until_whole(HEAL_S)
        if trouble:
            self._violated([f"{HEAL_S:.0f} s after {planned.kind} ({what}): {trouble}"])
        struck = Struck(planned, what, began_s, self._now_s())
        self.report.faults.append(struck)
        self._say(f"{began_s:6.0f} s  {planned.procedure or planned.kind}: {what}")

    def _again(self, plan: Sequence[Planned]) -> list[Planned]:
        """What was planned and did not come off."""
        left = Counter(plan)
        left.subtract(one.planned for one in self.report.faults)
        return list(left.elements())

    def _heal(self, victims: Victims) -> None:
        healed_s = time.monotonic()
        trouble = victims.wait_until_whole(HEAL_S)
        self.report.whole_after_s = time.monotonic() - healed_s
        if trouble:
            self._violated([f"{HEAL_S:.0f} s after the last heal: {trouble}"])

    def _operate(self) -> None:
        """In a thread: flushes, compacts, splits, merges and moves."""
        chance = Random(f"{self._options.seed}/operator")
        config = ClientConfig(operation_timeout_s=10.0, call_timeout_s=3.0)
        with connect(namespace=NAMESPACE, config=config) as connection:
            churn = Churn(connection, Victims(self._cluster, chance))
            while not self._stopping.is_set():
                churn.anything()
                time.sleep(chance.uniform(0.2, 2.0))

    # -- checks ----------------------------------------------------------------------------

    async def _check(self, connection: AsyncConnection, when: str) -> None:
        """Reads everything into the histories, and the whole table against what was told."""
        client = self._client(_READER, connection)
        await client.read_all()
        if not await client.scan():
            self._violated([f"the scan {when} could not be finished"])

    async def _fsck(self, *, stopped: bool) -> None:
        said: list[str] = []
        if stopped:
            check_stopped_root(self._root)
        files = PosixFiles(str(self._root))
        reach = None if stopped else _reach(self._cluster)
        command = FsckCommand(files, SystemClock(), reach, said.append)
        try:
            sound = await command.run(repair=False)
        finally:
            files.close()
        self.report.cells_checked += command.cells
        self._say(f"fsck of the {'stopped' if stopped else 'running'} cluster: {said[-1]}")
        if not sound:
            self._violated([f"fsck: {one}" for one in said if one.startswith("problem")])

    def _violated(self, found: list[str]) -> None:
        for one in found:
            self._say(f"VIOLATION {one}")
        self.report.violations += found

    def _now_s(self) -> float:
        return time.monotonic() - self._began_s


def _another(chance: Random) -> Planned:
    plain = [one for one in FaultKind if one is not FaultKind.IN_PROCEDURE]
    return Planned(chance.choice(plain))


def _reach(cluster: RayCluster) -> ControlCall:
    async def call(process: str, method: str, *args: Any, timeout_s: float | None = None) -> Any:
        return cluster.call(process, method, *args, timeout_s=timeout_s)

    return call
