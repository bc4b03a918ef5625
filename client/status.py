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
    server: str = ""
    """Where it is, or is to be."""
    age_s: float = 0.0
    """Since it is in its state."""
    reason: str = ""
    """In whose hands it is, and what that waits for; empty if the master is HBase's."""


@dataclass(frozen=True, slots=True)
class ProcedureStatus:
    """A procedure that is under way, or one of the last that ended."""

    id: int
    parent: int
    """Id of the procedure it is a part of; 0: of none."""
    name: str
    """Name of its class."""
    description: str
    """What it does, to what."""
    state: str
    """As HBase has it: RUNNABLE, WAITING (for its locks), SUCCESS, FAILED."""
    step: str
    submitted_ms: int
    updated_ms: int
    reason: str
    """What it waits for."""
    error: str
    """What it failed with."""

    @classmethod
    def parse(cls, message: Any) -> ProcedureStatus:
        """From HBase's Procedure message."""
        return cls(
            message.proc_id,
            message.parent_id,
            message.class_name,
            message.description or message.class_name,
            pb.ProcedureState.Name(message.state),
            message.step,
            message.submitted_time,
            message.last_update,
            message.reason,
            message.exception.generic_exception.message,
        )


@dataclass(frozen=True, slots=True)
class LockStatus:
    """A server, table or region that procedures have locked."""

    kind: str
    name: str
    owner: int
    """Id of the procedure that has it to itself; 0: it is shared."""
    shared: int
    """By so many procedures."""
    waiting: tuple[int, ...]
    """Ids of the procedures that wait for it, in their order."""

    @classmethod
    def parse(cls, message: Any) -> LockStatus:
        """From HBase's LockedResource message."""
        return cls(
            pb.LockedResourceType.Name(message.resource_type).lower(),
            message.resource_name,
            message.exclusive_lock_owner_procedure.proc_id,
            message.shared_lock_count,
            tuple(one.proc_id for one in message.waitingProcedures),
        )


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
        reports = [one.server_load.report_end_time for one in message.live_servers]
        now_ms = max(reports, default=0)
        return cls(
            message.cluster_id.cluster_id,
            wire.server_name(message.master) if message.HasField("master") else None,
            tuple(wire.server_name(one) for one in message.backup_masters),
            tuple(ServerStatus.parse(one) for one in message.live_servers),
            tuple(wire.server_name(one) for one in message.dead_servers),
            tuple(_transition(one, now_ms) for one in message.regions_in_transition),
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


def _transition(message: Any, now_ms: int) -> Transition:
    state = message.region_state
    return Transition(
        message.spec.value,
        pb.RegionState.State.Name(state.state),
        state.server,
        max(now_ms - state.stamp, 0) / 1000 if state.stamp else 0.0,
        state.reason,
    )


class Regions(list[RegionRow]):
    """A table's regions in order of their start keys; a list that notebooks show as a table."""

    def _repr_html_(self) -> str:
        lines = [
            (one.region.start_key, one.region.end_key, one.state, one.server or "", one.region)
            for one in self
        ]
        return html_table(("start", "end", "state", "server", "region"), lines)
