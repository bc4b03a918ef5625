"""ClusterLoad: the cluster as the balancer sees it at one moment. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import ServerName, TableName
from .assignment import RegionNode


@dataclass(frozen=True, slots=True)
class ServerLoad:
    """A server that regions may be moved to and from."""

    name: ServerName
    node: str = ""
    """Whose servers share an object store."""


@dataclass(frozen=True, slots=True)
class BalancedRegion:
    """A region at one of the servers.

    ``movable``: it is open and in no hands, so that it may be moved; others only count.
    """

    node: RegionNode
    server: int
    """Its server's position among the servers."""
    movable: bool = True
    reads_per_s: float = 0.0
    writes_per_s: float = 0.0
    memstore_bytes: int = 0
    store_file_bytes: int = 0
    object_bytes: int = 0
    """Of its files, what is in the object store of ``object_node``."""
    object_node: str = ""

    @property
    def table(self) -> TableName:
        return self.node.info.table


@dataclass(frozen=True, slots=True)
class ClusterLoad:
    """All servers that take part, and what is at them. Both in a fixed order."""

    servers: tuple[ServerLoad, ...]
    regions: tuple[BalancedRegion, ...]
    regions_max: int
    """A server with so many takes no more."""

    def counts(self) -> list[int]:
        """Regions at each server."""
        counts = [0] * len(self.servers)
        for one in self.regions:
            counts[one.server] += 1
        return counts
