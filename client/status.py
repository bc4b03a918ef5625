"""The cluster as the master sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..model import ServerName
from ..rpc.proto import hbase_pb2 as pb
from . import wire
from .meta import RegionRow
from .result import html_table

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A live region server."""

    name: ServerName
    regions: int
    memstore_bytes: int
    """In steps of 1 MiB, as HBase's report has it."""
    store_files: int
    store_file_bytes: int
    requests: int

    @classmethod
    def parse(cls, message: Any) -> ServerStatus:
        load = message.server_load
        regions = load.region_loads
        return cls(
            wire.server_name(message.server),
            len(regions),
            sum(one.mem_store_size_MB for one in regions) * MIB,
            sum(one.storefiles for one in regions),
            sum(one.storefile_size_MB for one in regions) * MIB,
            load.total_number_of_requests,
        )


@dataclass(frozen=True, slots=True)
class Transition:
    """A region that is on its way somewhere."""

    region: bytes
    state: str


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """Servers, masters, and regions in transition."""

    cluster_id: str
    master: ServerName | None
    backup_masters: tuple[ServerName, ...]
    servers: tuple[ServerStatus, ...]
    dead_servers: tuple[ServerName, ...]
    transitions: tuple[Transition, ...]
    balancer_on: bool

    @classmethod
    def parse(cls, message: Any) -> ClusterStatus:
        """From HBase's ClusterStatus message."""
        return cls(
            message.cluster_id.cluster_id,
            wire.server_name(message.master) if message.HasField("master") else None,
            tuple(wire.server_name(one) for one in message.backup_masters),
            tuple(ServerStatus.parse(one) for one in message.live_servers),
            tuple(wire.server_name(one) for one in message.dead_servers),
            tuple(
                Transition(one.spec.value, pb.RegionState.State.Name(one.region_state.state))
                for one in message.regions_in_transition
            ),
            message.balancer_on,
        )

    @property
    def regions(self) -> int:
        """Regions online on all servers together."""
        return sum(one.regions for one in self.servers)

    def _repr_html_(self) -> str:
        lines = [
            (one.name, one.regions, one.memstore_bytes, one.store_files, one.requests)
            for one in self.servers
        ]
        caption = (
            f"master {self.master or 'none'}, {len(self.backup_masters)} standing by, "
            f"{len(self.dead_servers)} dead, {len(self.transitions)} regions in transition"
        )
        header = ("server", "regions", "memstore bytes", "files", "requests")
        return html_table(header, lines, caption)


class Regions(list[RegionRow]):
    """A table's regions in order of their start keys; a list that notebooks show as a table."""

    def _repr_html_(self) -> str:
        lines = [
            (one.region.start_key, one.region.end_key, one.state, one.server or "", one.region)
            for one in self
        ]
        return html_table(("start", "end", "state", "server", "region"), lines)
