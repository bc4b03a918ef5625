"""Clusters to measure: real ones, in a Ray of their own, each on a new root."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import ray

from raybase import Connection, RegionInfo, ServerName, connect
from raybase.actors.ray_cluster import RayCluster
from raybase.actors.ray_local import LocalRay
from raybase.config import ClusterConfig

SETTINGS = {
    "master.server_wait_s": "1",
    "master.balancer_period_s": "3600",
    "region_server.compaction_check_s": "3600",
}
"""Nothing begins by itself while something else is measured."""


class Lab:
    """Starts clusters in one Ray, which begins with the first of them and ends with the lab."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ray: LocalRay | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._ray is not None:
            self._ray.stop()

    @property
    def ray(self) -> LocalRay:
        if self._ray is None:
            self._ray = LocalRay.start()
            self._ray.use_token()
        return self._ray

    @contextmanager
    def directory(self) -> Iterator[Path]:
        """A new directory for files."""
        with tempfile.TemporaryDirectory(dir=self.root, prefix="raybase-bench-") as name:
            yield Path(name)

    @contextmanager
    def cluster(self, region_servers: int = 3, **settings: str) -> Iterator[Cluster]:
        """A cluster; a setting ``store.flush_bytes`` is written ``store__flush_bytes``."""
        with self.directory() as root, self.cluster_on(root, region_servers, **settings) as cluster:
            yield cluster

    @contextmanager
    def cluster_on(self, root: Path, region_servers: int, **settings: str) -> Iterator[Cluster]:
        """As ``cluster``, on a root that may hold what an earlier one left."""
        chosen = {name.replace("__", "."): text for name, text in settings.items()}
        config = ClusterConfig().with_settings(
            {**SETTINGS, "master.region_servers": str(region_servers), **chosen}
        )
        running = RayCluster.start(
            root, config, address=self.ray.address, namespace=f"bench-{next(self._numbers)}"
        )
        try:
            with connect(running.addresses()) as connection:
                yield Cluster(running, connection)
        finally:
            running.stop()


class Cluster:
    """A running cluster and a client of it."""

    def __init__(self, running: RayCluster, connection: Connection) -> None:
        self.running = running
        self.connection = connection

    @property
    def addresses(self) -> str:
        return self.running.addresses()

    def regions(self, table: str) -> list[tuple[RegionInfo, ServerName]]:
        """The table's regions in order, each with its server."""
        placed = []
        for row in self.connection.admin.regions(table):
            assert row.server is not None, f"{row.region} is nowhere"
            placed.append((row.region, row.server))
        return placed

    def process_of(self, server: ServerName) -> str:
        """Name of a server's process, for control calls and signals."""
        members = self.running.registry().region_servers
        return next(one.process for one in members if one.server == server)

    def pid_of(self, server: ServerName) -> int:
        return int(self.running.describe(self.process_of(server))["pid"])

    def handle_of(self, server: ServerName) -> object:
        """The Ray actor of a server."""
        return ray.get_actor(self.process_of(server), namespace=self.running.place.namespace)
