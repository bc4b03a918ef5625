"""A Ray of several nodes on this machine, to be broken."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil
import ray
from ray.cluster_utils import Cluster

from ...actors.ray_join import read_token_again

_MIB: Final = 2**20
_OBJECT_STORE_BYTES: Final = 150 * _MIB
_HEALTH: Final = {
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 3,
}
"""Ray's own defaults take 65 s to notice a node that hangs."""


class RayNodes:
    """A head node, on which the caller's driver lives, and worker nodes with room for servers.

    It has a directory and a token of its own, so that neither another Ray of the user nor the
    user's token is touched. Leaving it ends its processes and no others.
    """

    def __init__(self, workers: int = 3, servers_per_node: int = 2) -> None:
        self._workers = workers
        self._servers_per_node = servers_per_node
        self._directory = ""
        self.keep = False
        """Whether the directory with Ray's logs stays."""

    def __enter__(self) -> Self:
        # AF_UNIX paths hold about 100 bytes, which a long TMPDIR would use up.
        self._directory = tempfile.mkdtemp(prefix="rbc-", dir="/tmp")
        token = Path(self._directory, "token")
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        os.environ.update(
            RAY_AUTH_MODE="token",
            RAY_AUTH_TOKEN_PATH=str(token),
            RAY_TMPDIR=self._directory,
            RAY_USAGE_STATS_ENABLED="0",
            RAY_worker_niceness="0",
        )
        read_token_again()
        self.cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 2,
                "object_store_memory": _OBJECT_STORE_BYTES,
                "include_dashboard": False,
                "_system_config": _HEALTH,
            },
        )
        try:
            for _ in range(self._workers):
                self.add()
            self.cluster.wait_for_nodes()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        ray.shutdown()
        self.cluster.shutdown()
        if not self.keep:
            shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    @property
    def logs(self) -> Path:
        """Where Ray keeps what the processes write."""
        return Path(self._directory)

    def add(self) -> None:
        """One more worker node."""
        self.cluster.add_node(
            num_cpus=1,
            resources={"region_server": self._servers_per_node},
            object_store_memory=_OBJECT_STORE_BYTES,
        )

    def workers(self) -> list[Any]:
        """The worker nodes that may go: a driver may have joined Ray at one of them, and would
        go with it."""
        own = ray.get_runtime_context().get_node_id() if ray.is_initialized() else ""
        nodes = [one for one in self.cluster.list_all_nodes() if one.node_id != own]
        return [one for one in nodes if one is not self.cluster.head_node]

    def pause_raylet(self, node: Any) -> None:
        """Ray stops hearing of the node; its actors serve on."""
        os.kill(_raylet(node).pid, signal.SIGSTOP)

    def wake_raylet(self, node: Any) -> None:
        """By now Ray may have given it up; then it ends, and its workers with it."""
        with suppress(ProcessLookupError):
            os.kill(_raylet(node).pid, signal.SIGCONT)

    def lose(self, node: Any) -> None:
        """Raylet and workers die at once, as when the machine goes."""
        doomed = psutil.Process(_raylet(node).pid).children(recursive=True)
        self.cluster.remove_node(node, allow_graceful=False)
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def replace(self, node: Any) -> None:
        """What is left of the node goes, and a new one comes."""
        self.lose(node)
        self.add()


def _raylet(node: Any) -> Any:
    return node.all_processes["raylet"][0].process
