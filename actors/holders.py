"""Who may still need a file that is archived, or an old log: asked before one is removed.

An error while asking means that it may be needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from ..runtime import Runtime
from .assignment import Assignment
from .log_writer import OLD_WALS
from .server_manager import ServerManager
from .store_io import ARCHIVE, archive_path, load_manifest

_ASK_TIMEOUT_S: Final = 5.0


class Holder(Protocol):
    """One reason to keep files below ``area``.

    ``look`` comes first in every round: it raises RaybaseError or OSError if it cannot be
    known what is held, and nothing of the area is removed then. What it finds must still
    hold when ``holds`` is asked, for a file that was there before it looked.
    """

    name: str
    area: str

    async def look(self) -> None: ...

    def holds(self, path: str) -> bool: ...


class References:
    """Files that a region's manifest names: its own, and those of what it was made from."""

    name = "references"
    area = ARCHIVE

    def __init__(self, runtime: Runtime, assignment: Assignment) -> None:
        self._files = runtime.files
        self._assignment = assignment
        self._named: dict[str, None] = {}

    async def look(self) -> None:
        """Raises CorruptionError, OSError, and FileNotFoundError for a region that must have a
        manifest and has none: what it needs is not known."""
        self._named = {}
        nodes = self._assignment.regions()
        daughters = {one.encoded_name: None for node in nodes for one in node.daughters}
        for node in nodes:
            manifest = await load_manifest(self._files, node.info)
            if manifest is not None:
                self._named.update(dict.fromkeys(manifest.paths))
            elif node.open_sequence_id or node.merge_parents or node.info.encoded_name in daughters:
                raise FileNotFoundError(f"region {node.info} has lost its manifest")

    def names(self, path: str) -> bool:
        """Whether a manifest names the file, by its path as a store file."""
        return path in self._named

    def holds(self, path: str) -> bool:
        return self.names(path.removeprefix(f"{ARCHIVE}/"))


class OpenScanners:
    """Files that were compacted away and that a scanner, opened before, still reads.

    A server that does not answer may have such scanners; one that died has none.
    """

    name = "open scanners"
    area = ARCHIVE

    def __init__(self, runtime: Runtime, servers: ServerManager) -> None:
        self._processes = runtime.processes
        self._servers = servers
        self._read: dict[str, None] = {}

    async def look(self) -> None:
        """Raises RaybaseError."""
        self._read = {}
        for one in self._servers.live():
            remote = self._processes.remote(one.process)
            paths: Iterable[str] = await remote.call("scanned_files", timeout_s=_ASK_TIMEOUT_S)
            self._read.update((archive_path(path), None) for path in paths)

    def holds(self, path: str) -> bool:
        return path in self._read


class Recoveries:
    """Logs of servers that are being recovered: a split that is begun again looks here for
    what an earlier try has put away."""

    name = "recoveries"
    area = OLD_WALS

    def __init__(self, servers: ServerManager) -> None:
        self._servers = servers

    async def look(self) -> None:
        """Nothing to find out: the master knows whom it recovers."""

    def holds(self, path: str) -> bool:
        server = path.split("/")[1]
        return any(str(one) == server for one in self._servers.recovering())
