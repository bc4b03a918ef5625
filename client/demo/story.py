"""The order of events of `raybase demo`, and what it says at the end."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ...actors.ray_cluster import RayCluster
from ...config import ClusterConfig
from ...errors import ClusterError, RaybaseError, RetryableError
from ...model import ServerName
from ..connection import Connection, connect
from . import ledger, webtable
from .outages import Watch
from .pages import Module, find_modules

_CONFIG = {
    "store.flush_bytes": str(1024 * 1024),
    "store.compaction_bytes_min": str(256 * 1024),
    "store.region_bytes_max": str(2 * 1024 * 1024),
    "region_server.compaction_check_s": "1",
    "master.janitor_period_s": "5",
    "master.server_wait_s": "1",
    "master.region_servers": "3",
}
"""Small memstores and regions, so that 30 MB flush, compact, split and spread."""
_SETTLE_S = 2.0
_RECOVERY_TIMEOUT_S = 30.0


def run_demo(
    *, root: Path | None, address: str | None, keep: bool, damage: str | None, modules: int | None
) -> int:
    """Runs the demo; returns 0 if every cell was there and right, else 1."""
    console = Console()
    work = Path(tempfile.mkdtemp(prefix="raybase-demo-"))
    chosen = root if root is not None else work / "root"
    chosen.mkdir(exist_ok=True)
    demo = Demo(console, chosen, work, address, damage, find_modules(modules))
    try:
        demo.run()
    finally:
        demo.end(keep=keep)
        if not keep or root is not None:
            shutil.rmtree(work, ignore_errors=True)
    return demo.report()


class Demo:
    """One run: a cluster, two tables, faults, checks, and the times they took."""

    def __init__(
        self,
        console: Console,
        root: Path,
        work: Path,
        address: str | None,
        damage: str | None,
        modules: list[Module],
    ) -> None:
        self._console = console
        self._root = root
        self._work = work
        self._address = address
        self._damage = damage
        self._modules = modules
        self._config = ClusterConfig().with_settings(_CONFIG)
        self._cluster: RayCluster | None = None
        self._times: list[tuple[str, str, str]] = []
        self._wrong: list[str] = []
        self._checked = 0
        self._anchors = 0
        self._began_s = time.monotonic()

    def run(self) -> None:
        """Load, check, faults under load, check, cold start, check."""
        self._start("cluster started")
        self._load()
        self._check_webtable("after loading")
        logs = self._faults_under_load()
        self._check_ledger(logs, "after the faults")
        self._check_webtable("after the faults")
        self._console.print(self._layout())
        with self._timed("stopped"):
            self._stop()
        if self._damage == "file":
            self._console.print(f"damaged on purpose: {self._flip_byte()}")
        if self._damage == "ack":
            forged = ledger.forge_acknowledgement(logs)
            self._console.print(f"forged on purpose: an acknowledgement of row {forged}")
        self._start("started cold, from the files")
        if self._damage == "cell":
            with self._connection() as connection:
                name = webtable.damage_cell(connection, self._modules)
            self._console.print(f"damaged on purpose: the contents of row {name}")
        self._check_webtable("after the cold start")
        self._check_ledger(logs, "after the cold start")

    def end(self, *, keep: bool) -> None:
        """Stops the cluster, unless it is to be kept."""
        if self._cluster is None:
            return
        if keep:
            self._console.print(
                f"left running: raybase status --root {self._root}; end it with "
                f"raybase stop --root {self._root}",
                highlight=False,
            )
            return
        self._stop()

    def report(self) -> int:
        """Prints times and the verdict; returns the exit code."""
        times = Table(title="times", title_justify="left")
        times.add_column("what")
        times.add_column("took", justify="right")
        times.add_column("not served meanwhile (worst region)")
        for row in self._times:
            times.add_row(*row)
        self._console.print(times)
        for line in self._wrong[:20]:
            self._console.print(f"[red]wrong:[/red] {line}", highlight=False)
        took_s = time.monotonic() - self._began_s
        if self._wrong:
            self._console.print(f"[red]{len(self._wrong)} checks failed[/red] ({took_s:.0f} s)")
            return 1
        self._console.print(
            f"[green]every row is there and right[/green]: {self._checked} rows checked "
            f"in {took_s:.0f} s"
        )
        return 0

    def _start(self, what: str) -> None:
        with self._console.status("starting") as status, self._timed(what):
            self._cluster = RayCluster.start(
                self._root,
                self._config,
                address=self._address,
                namespace="raybase-demo",
                progress=status.update,
            )

    def _stop(self) -> None:
        if self._cluster is not None:
            with self._console.status("stopping") as status:
                self._cluster.stop(status.update)
            self._cluster = None

    def _load(self) -> None:
        with self._connection() as connection:
            webtable.create(connection)
            ledger.create(connection)
        what = f"{len(self._modules)} modules loaded"
        with self._timed(what), self._bar("loading", len(self._modules)) as advance:
            self._anchors = webtable.load(self._server_addresses(), self._modules, advance)

    def _faults_under_load(self) -> list[Path]:
        writers = ledger.Writers(self._server_addresses(), self._work)
        with self._connection() as connection:
            watch = Watch(self._server_addresses(), connection, [webtable.TABLE, ledger.TABLE])
            writers.start()
            watch.start()
            time.sleep(1.0)
            self._move_regions(connection, watch)
            self._kill("region server with most regions", self._busiest_server, watch)
            self._kill_meta_holder_in_a_flush(watch)
            self._kill("active master", self._cluster_now.active_master, watch)
            with self._timed("regions spread again"):
                connection.admin.balance()
            time.sleep(_SETTLE_S)
        self._wrong += watch.stop()
        self._wrong += writers.stop()
        self._console.print(
            f"{writers.acknowledged()} puts were acknowledged under load", highlight=False
        )
        return writers.logs

    def _move_regions(self, connection: Connection, watch: Watch) -> None:
        servers = [one["server"] for one in self._cluster_now.status()["servers"]]
        moved = 0
        began_s = time.monotonic()
        for table in (ledger.TABLE, webtable.TABLE):
            for place in connection.admin.regions(table)[:4]:
                others = [one for one in servers if one != str(place.server)]
                connection.admin.move(place.region, others[moved % len(others)])
                moved += 1
        self._note(f"{moved} regions moved", began_s, watch)

    def _busiest_server(self) -> str:
        servers = self._cluster_now.status()["servers"]
        return str(max(servers, key=lambda one: one["regions"])["process"])

    def _meta_holder(self) -> str:
        status = self._cluster_now.status()
        holder = next(one["server"] for one in status["regions"] if one["table"] == "hbase:meta")
        return str(next(one["process"] for one in status["servers"] if one["server"] == holder))

    def _kill_meta_holder_in_a_flush(self, watch: Watch) -> None:
        """One flush follows the other, so the kill meets one."""
        over = threading.Event()
        flusher = threading.Thread(target=self._flush_until, args=(over,), daemon=True)
        flusher.start()
        time.sleep(0.2)
        try:
            self._kill("server of hbase:meta, during a flush", self._meta_holder, watch)
        finally:
            over.set()
            flusher.join()

    def _flush_until(self, over: threading.Event) -> None:
        with self._connection() as connection:
            while not over.is_set():
                # The server that flushes is the one to be killed.
                with suppress(RetryableError):
                    connection.admin.flush(ledger.TABLE)

    def _kill(self, what: str, choose: Callable[[], str], watch: Watch) -> None:
        victim = choose()
        began_s = time.monotonic()
        self._cluster_now.signal(victim, signal.SIGKILL)
        self._wait_until_whole(without=victim)
        time.sleep(0.5)
        self._note(f"kill -9 of the {what} ({victim})", began_s, watch)

    def _wait_until_whole(self, without: str = "") -> None:
        """All regions open, all servers there again, and none of them the process named, whose
        death need not have been noticed yet."""
        deadline_s = time.monotonic() + _RECOVERY_TIMEOUT_S
        said = ""
        while time.monotonic() < deadline_s:
            try:
                status = self._cluster_now.status()
            except RaybaseError as error:
                said = str(error)
            else:
                closed = [one for one in status["regions"] if one["state"] not in ("OPEN", "SPLIT")]
                wanted = self._config.master.region_servers
                servers = [one["process"] for one in status["servers"]]
                said = f"{len(closed)} regions not open, {len(servers)} servers"
                is_whole = status["initialized"] and not closed and len(servers) >= wanted
                if is_whole and without not in servers:
                    return
            time.sleep(0.05)
        raise ClusterError(f"not whole {_RECOVERY_TIMEOUT_S:.0f} s after a fault: {said}")

    def _check_webtable(self, when: str) -> None:
        with self._connection() as connection:
            what = f"webtable checked {when}"
            with self._timed(what), self._bar("checking", len(self._modules)) as advance:
                self._wrong += self._found(
                    webtable.check, connection, self._modules, self._anchors, advance
                )
        self._checked += len(self._modules)

    def _check_ledger(self, logs: list[Path], when: str) -> None:
        with self._connection() as connection, self._timed(f"ledger checked {when}"):
            self._wrong += self._found(ledger.check, connection, logs)

    def _found(self, check: Callable[..., list[str]], *args: object) -> list[str]:
        try:
            return check(*args)
        except RaybaseError as error:
            return [f"{type(error).__name__}: {error}"]

    def _flip_byte(self) -> str:
        """Damages a data block of the largest file of the webtable's contents."""
        files = [
            path
            for path in (self._root / "data" / "default" / webtable.TABLE).rglob("*/contents/*")
            if path.is_file()
        ]
        victim = max(files, key=lambda one: one.stat().st_size)
        data = bytearray(victim.read_bytes())
        data[len(data) // 3] ^= 0xFF
        victim.write_bytes(data)
        return str(victim.relative_to(self._root))

    def _layout(self) -> Group:
        """Servers and regions as they are now."""
        status = self._cluster_now.status()
        servers = Table(title="servers", title_justify="left")
        columns = ("process", "regions", "files", "memstore_bytes", "requests")
        for column in ("server", *columns):
            servers.add_column(column.replace("_", " "))
        for one in status["servers"]:
            address = ServerName.parse(one["server"]).address
            servers.add_row(address, *(str(one[column]) for column in columns))
        regions = Table(title="regions", title_justify="left")
        for column in ("table", "start key", "state", "server"):
            regions.add_column(column)
        with self._connection() as connection:
            for table in (webtable.TABLE, ledger.TABLE):
                for place in connection.admin.regions(table):
                    start_key = place.region.start_key.decode()
                    where = place.server.address if place.server else ""
                    regions.add_row(table, start_key, place.state, where)
        return Group(servers, regions)

    def _note(self, what: str, began_s: float, watch: Watch) -> None:
        ended_s = time.monotonic()
        worst = watch.worst(began_s - 0.05, ended_s)
        regions = sorted(worst.items(), key=lambda item: -item[1])[:3]
        text = ", ".join(f"{region} {lasted_s:.2f} s" for region, lasted_s in regions)
        self._times.append((what, f"{ended_s - began_s:.2f} s", text or "less than 0.1 s each"))

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        began_s = time.monotonic()
        yield
        self._times.append((what, f"{time.monotonic() - began_s:.2f} s", ""))

    @contextmanager
    def _bar(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(what, total=total)
            yield lambda count: progress.advance(task, count)

    def _connection(self) -> Connection:
        return connect(self._server_addresses())

    def _server_addresses(self) -> str:
        return self._cluster_now.addresses()

    @property
    def _cluster_now(self) -> RayCluster:
        if self._cluster is None:
            raise ClusterError("the demo's cluster is not running")
        return self._cluster
