"""The root of a cluster as `raybase start` finds it: of our format, free, seen by every node.

``<root>/raybase.json`` names the root's format and cluster for ever.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any, Final

import ray
from ray import exceptions as ray_errors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .. import __version__
from ..config import WalConfig
from ..errors import ClusterError
from .coordinator import LOCK_FILE

ROOT_FORMAT: Final = 1
"""Changes when files of an older version can no longer be read as they stand."""
_MARKER: Final = "raybase.json"
_LOCK_WAIT_S: Final = 3.0


def check_root(root: Path) -> Path:
    """Raises ClusterError unless the root is a directory of our format, or an empty one."""
    root = root.absolute()
    if not root.is_dir():
        raise ClusterError(
            f"there is no root directory {root}; make it first: it must be one that every node "
            "of the Ray cluster sees"
        )
    if not os.access(root, os.W_OK | os.X_OK):
        raise ClusterError(f"the root {root} cannot be written")
    marker = root / _MARKER
    if not marker.exists():
        strangers = sorted(one.name for one in root.iterdir())[:3]
        if strangers:
            raise ClusterError(
                f"{root} is not a root of raybase and not empty (it holds {strangers}); give an "
                "empty directory"
            )
        return root
    try:
        found = json.loads(marker.read_text())["format"]
    except (ValueError, KeyError, TypeError):
        raise ClusterError(f"{marker} is damaged; it should be a JSON object") from None
    if found != ROOT_FORMAT:
        raise ClusterError(
            f"the root {root} has format {found}, this raybase {__version__} reads format "
            f"{ROOT_FORMAT}; use the version that wrote it"
        )
    return root


def check_root_is_free(root: Path) -> None:
    """Raises ClusterError if a coordinator, of whichever Ray, lives on the root.

    Between a kill and the kernel's release of the lock there is a moment; it is waited for.
    """
    path = root / LOCK_FILE
    if not path.exists():
        return
    deadline_s = time.monotonic() + _LOCK_WAIT_S
    with path.open("rb") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return
            except OSError:
                if time.monotonic() > deadline_s:
                    raise ClusterError(
                        f"the root {root} is in use by another cluster, in another Ray; stop "
                        "that one first, or give another --root"
                    ) from None
            time.sleep(0.05)


def check_stopped_root(root: Path) -> None:
    """Raises ClusterError unless a cluster was on the root once, and none is now."""
    root = check_root(root)
    if not (root / _MARKER).exists():
        raise ClusterError(f"no cluster was ever started on {root}")
    check_root_is_free(root)


def claim_root(root: Path) -> None:
    """Marks an empty root as ours; the file is whole or not there."""
    marker = root / _MARKER
    if marker.exists():
        return
    text = json.dumps(
        {"format": ROOT_FORMAT, "version": __version__, "cluster_id": str(uuid.uuid4())}
    )
    replace_file(marker, text)


def check_syncs(config: WalConfig, nodes: int) -> None:
    """Raises ClusterError if acknowledged writes could be in one node's memory alone.

    With ``wal.hsync`` off a SYNC_WAL write waits in the page cache of the node that wrote it.
    Where one node has them all, whoever recovers the log reads that cache; on a root shared
    by several the others do not see it.
    """
    if nodes > 1 and not config.hsync:
        raise ClusterError(
            f"wal.hsync=false is for a cluster of one node, and this one has {nodes}: what a node "
            "has not synced, the others may never see"
        )


def prove_root_is_shared(root: Path, config: WalConfig) -> None:
    """Each node makes a file and sees at once those of all the others.

    Also starts the workers that compactions and log splits will find warm. Raises
    ClusterError naming the nodes that see another directory, and as ``check_syncs`` does.
    """
    probe = f".probe-{uuid.uuid4().hex}"
    nodes = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}
    check_syncs(config, len(nodes))

    def on(node_id: str, function: Any, *args: Any) -> Any:
        strategy = NodeAffinitySchedulingStrategy(node_id, soft=False)
        task = ray.remote(num_cpus=0)(function).options(scheduling_strategy=strategy)
        return task.remote(str(root), probe, *args)

    try:
        made = ray.get([on(node, _make_probe, node) for node in nodes])
        if not all(made):
            missing = [nodes[one] for one, ok in zip(nodes, made, strict=True) if not ok]
            raise ClusterError(f"the root {root} cannot be written on the nodes {missing}")
        seen = ray.get([on(node, _see_probes) for node in nodes])
    except ray_errors.RayError as error:
        raise ClusterError(f"the root could not be checked on every node: {error}") from None
    finally:
        for node in nodes:
            (root / f"{probe}-{node}").unlink(missing_ok=True)
    blind = [nodes[one] for one, count in zip(nodes, seen, strict=True) if count != len(nodes)]
    if blind:
        raise ClusterError(
            f"the root {root} is not one directory for all nodes: {blind} do not see the files "
            "of the others; put it on a file system that all share"
        )


def _make_probe(root: str, probe: str, node: str) -> bool:
    from . import jobs, region_server  # noqa: F401 - makes this worker warm

    try:
        Path(root, f"{probe}-{node}").touch(exist_ok=False)
    except OSError:
        return False
    return True


def _see_probes(root: str, probe: str) -> int:
    return sum(name.startswith(probe) for name in os.listdir(root))


def replace_file(path: Path, text: str) -> None:
    """The file has the new text or the old one, whatever happens."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
