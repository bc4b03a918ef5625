"""Processes die on a real Ray cluster, one kind after the other; nothing acknowledged is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from raybase import connect
from raybase.actors.ray_cluster import COORDINATOR, RayCluster

from .conftest import eventually

Start = Callable[..., RayCluster]
ROWS = 200


def fill(connection: Any, splits: tuple[str, ...] = ("050", "100", "150")) -> None:
    connection.admin.create_table("t", ["f"], splits=splits)
    connection.table("t").put_many({f"{n:03d}": {"f:n": str(n)} for n in range(ROWS)})


def assert_whole(connection: Any) -> None:
    rows = {result.row: result["f:n"] for result in connection.table("t").scan()}
    assert rows == {b"%03d" % n: b"%d" % n for n in range(ROWS)}


def holder_of(cluster: RayCluster, table: str) -> str:
    status = cluster.status()
    region = next(one for one in status["regions"] if one["table"] == table)
    servers = {one["server"]: one["process"] for one in status["servers"]}
    return str(servers[region["server"]])


def all_open(cluster: RayCluster, servers: int) -> bool:
    status = cluster.status()
    states = {one["state"] for one in status["regions"]}
    return len(status["servers"]) == servers and states == {"OPEN"} and status["initialized"]


def test_region_servers_die_one_with_a_table_one_with_meta(start: Start) -> None:
    cluster = start(region_servers=3)
    with connect(cluster.addresses()) as connection:
        fill(connection)
        for table in ("t", "hbase:meta"):
            cluster.signal(holder_of(cluster, table), signal.SIGKILL)
            assert_whole(connection)
            eventually(lambda: all_open(cluster, 3), "three servers, all regions open")


def test_reads_and_writes_go_on_while_no_master_lives(start: Start) -> None:
    cluster = start(region_servers=2)
    with connect(cluster.addresses()) as connection:
        fill(connection)
        masters = [name for name in cluster.processes() if name.startswith("master")]
        pids = [cluster.describe(name)["pid"] for name in masters]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            connection.table("t").put("000", {"f:n": b"0"})
            assert_whole(connection)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        eventually(lambda: all_open(cluster, 2), "a master again")


def test_the_active_master_dies_and_a_standby_goes_on(start: Start) -> None:
    cluster = start(region_servers=2)
    with connect(cluster.addresses()) as connection:
        fill(connection)
        before = cluster.active_master()
        pid = cluster.describe(before)["pid"]
        cluster.signal(before, signal.SIGKILL)
        connection.admin.create_table("u", ["f"])
        assert connection.admin.exists("u")
        assert_whole(connection)
        after = cluster.active_master()
        assert cluster.describe(after)["pid"] != pid


def test_the_coordinator_dies_and_every_session_lives_on(start: Start) -> None:
    cluster = start(region_servers=2)
    with connect(cluster.addresses()) as connection:
        fill(connection)
        servers = [one.server for one in cluster.registry().region_servers]
        cluster.signal(COORDINATOR, signal.SIGKILL)
        assert_whole(connection)
        eventually(
            lambda: [one.server for one in cluster.registry().region_servers] == servers,
            "the same servers under a coordinator of a new life",
        )
        connection.admin.create_table("u", ["f"])
        eventually(lambda: all_open(cluster, 2), "all regions open")


def test_a_cluster_that_was_killed_whole_starts_cold_from_its_files(start: Start) -> None:
    cluster = start(region_servers=2)
    with connect(cluster.addresses()) as connection:
        fill(connection)
    for name in cluster.processes():
        cluster.kill(name)
    again = start(region_servers=2, root=cluster.root)
    with connect(again.addresses()) as connection:
        assert_whole(connection)


def test_a_move_opens_the_handed_files_without_reading_them(start: Start) -> None:
    cluster = start(region_servers=2)
    reads = move_and_count_reads(cluster)
    assert reads["object_reads"] >= 1
    assert reads["file_reads"] == 0
    assert reads["reads_of_the_files"] == 0


def test_a_move_without_objects_reads_the_files(start: Start) -> None:
    cluster = start(region_servers=2, region_server__handoff_bytes_max="0")
    reads = move_and_count_reads(cluster)
    assert reads["object_reads"] == 0
    assert reads["file_reads"] >= 1
    assert reads["reads_of_the_files"] >= 1


def move_and_count_reads(cluster: RayCluster) -> dict[str, int]:
    """What the target read over a move of a flushed region and a scan of it: store files opened
    from objects and from files, and calls on these files by its file system's own count."""
    with connect(cluster.addresses()) as connection:
        fill(connection, splits=())
        connection.admin.flush("t")
        place = connection.admin.regions("t")[0]
        members = cluster.registry().region_servers
        target = next(one for one in members if one.server != place.server)
        before = dict(cluster.call(target.process, "status").counters)
        connection.admin.move(place.region, target.server)
        assert_whole(connection)
        after = dict(cluster.call(target.process, "status").counters)
        files = (cluster.root / "data/default/t").glob(f"{place.region.encoded_name}/f/*")
        paths = [str(path.relative_to(cluster.root)) for path in files if path.is_file()]
        assert paths
        by_path = sum(cluster.call(target.process, "file_reads", path) for path in paths)
    opened = {name: after[name] - before.get(name, 0) for name in ("object_reads", "file_reads")}
    return {**opened, "reads_of_the_files": by_path}


def test_a_program_inside_ray_connects_by_name(start: Start, ray_cluster: Any) -> None:
    """A Ray task, and a driver of its own with RAY_ADDRESS."""
    import ray

    cluster = start(region_servers=1)
    name = cluster.place.namespace
    with connect(cluster.addresses()) as connection:
        fill(connection)

    @ray.remote(num_cpus=0)
    def count() -> int:
        import raybase

        with raybase.connect(namespace=name) as inside:
            return inside.table("t").scan().count()

    assert ray.get(count.remote(), timeout=60) == ROWS
    program = (
        "import raybase\n"
        f"with raybase.connect(namespace={name!r}) as connection:\n"
        "    print(connection.table('t').scan().count())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "RAY_ADDRESS": ray_cluster.address},
        cwd=Path.home(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stdout.strip().endswith(str(ROWS)), result.stderr
