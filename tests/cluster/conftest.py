"""One real Ray cluster for all tests here: a head and worker nodes on this machine.

It lives in a directory of its own with a token of its own, so that neither another Ray of the
user nor the user's token file is touched.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NODES = 2
SETTINGS = {
    "session.timeout_s": "3",
    "session.heartbeat_s": "0.5",
    "master.server_wait_s": "0.5",
    "master.janitor_period_s": "2",
    "region_server.compaction_check_s": "1",
}
_number = itertools.count(1)


def add_node(cluster: Any) -> None:
    """A worker node with room for three region servers."""
    cluster.add_node(num_cpus=1, resources={"region_server": 3}, object_store_memory=200 * 2**20)


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[object]:
    """A ray.cluster_utils.Cluster with room for three region servers on each worker node."""
    from raybase.testing.real.ray_nodes import RayNodes

    with RayNodes(workers=NODES, servers_per_node=3) as nodes:
        yield nodes.cluster


@pytest.fixture
def start(ray_cluster, tmp_path: Path) -> Iterator[Callable[..., object]]:
    """Starts clusters of raybase, each on a root and in a namespace of its own."""
    from raybase.actors.ray_cluster import RayCluster
    from raybase.config import ClusterConfig

    started: list[RayCluster] = []

    def begin(region_servers: int = 3, root: Path | None = None, **settings: str) -> RayCluster:
        place = root or tmp_path / "root"
        place.mkdir(exist_ok=True)
        chosen = {name.replace("__", "."): value for name, value in settings.items()}
        config = ClusterConfig().with_settings(
            {**SETTINGS, "master.region_servers": str(region_servers), **chosen}
        )
        cluster = RayCluster.start(
            place, config, address=ray_cluster.address, namespace=f"test-{next(_number)}"
        )
        started.append(cluster)
        return cluster

    yield begin
    for cluster in started:
        if cluster.processes():
            cluster.stop()


def eventually(check: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Waits until ``check`` is true; its errors count as "not yet"."""
    from raybase.errors import RaybaseError

    deadline_s = time.monotonic() + timeout_s
    said: object = None
    while time.monotonic() < deadline_s:
        try:
            if check():
                return
        except RaybaseError as error:
            said = error
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout_s} s: {what} ({said})")
