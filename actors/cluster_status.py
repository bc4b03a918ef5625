"""ClusterStatus, as HBase's clients and shell know it. Source: ClusterMetricsBuilder.java."""

from __future__ import annotations

from typing import Final

from ..config import MIB
from ..model import ServerName
from ..rpc import convert
from ..rpc.proto import hbase_pb2 as pb
from .assignment import TransitionState
from .load_reports import server_reports
from .master_term import MasterTerm
from .messages import RegionStatus, ServerStatus
from .reasons import region_reason
from .registry_cache import RegistryCache

HBASE_VERSION: Final = "2.6.0"
"""Of the protocol we speak; clients look at it."""


async def cluster_status(
    term: MasterTerm, server: ServerName, registry: RegistryCache
) -> pb.ClusterStatus:
    """The master's view and what each server says of its load."""
    loads = await server_reports(term.environment.runtime, term.servers)
    status = pb.ClusterStatus(
        hbase_version=pb.HBaseVersionFileContent(version=HBASE_VERSION),
        cluster_id=pb.ClusterId(cluster_id=registry.cluster_id),
        master=convert.server_name_to_pb(server),
        balancer_on=term.switches.balancer,
    )
    for one in term.servers.live():
        name = convert.server_name_to_pb(one.name)
        load = _load(loads.get(one.name), term.environment.runtime.clock.now_ms())
        status.live_servers.append(pb.LiveServerInfo(server=name, server_load=load))
        status.servers_name.append(name)
    status.dead_servers.extend(convert.server_name_to_pb(one) for one in term.dead)
    status.backup_masters.extend(convert.server_name_to_pb(one) for one in registry.standbys)
    _add_transitions(status, term)
    _add_tables(status, term)
    return status


def _add_transitions(status: pb.ClusterStatus, term: MasterTerm) -> None:
    clock = term.environment.runtime.clock
    for node in term.assignment.in_transition():
        age_ms = int((clock.monotonic_s() - node.since_s) * 1000)
        state = pb.RegionState(
            region_info=convert.region_info_to_pb(node.info),
            state=node.state.value,
            stamp=clock.now_ms() - age_ms,
            server=str(node.server or ""),
            reason=region_reason(term, node),
        )
        spec = convert.region_specifier(node.info.name)
        status.regions_in_transition.append(pb.RegionInTransition(spec=spec, region_state=state))


def _add_tables(status: pb.ClusterStatus, term: MasterTerm) -> None:
    moving = term.assignment.in_transition()
    for table in term.assignment.tables(system=True):
        name = table.descriptor.name
        nodes = term.assignment.regions_of(name)
        counts = pb.RegionStatesCount(
            open_regions=sum(one.state == TransitionState.OPEN for one in nodes),
            split_regions=sum(one.state == TransitionState.SPLIT for one in nodes),
            closed_regions=sum(one.state == TransitionState.CLOSED for one in nodes),
            regions_in_transition=sum(one.info.table == name for one in moving),
            total_regions=len(nodes),
        )
        status.table_region_states_count.add(
            table_name=convert.table_name_to_pb(name), region_states_count=counts
        )


def _load(status: ServerStatus | None, now_ms: int) -> pb.ServerLoad:
    load = pb.ServerLoad(report_end_time=now_ms)
    if status is None:
        return load
    load.region_loads.extend(_region_load(one) for one in status.regions if one.info)
    load.total_number_of_requests = sum(one.reads + one.writes for one in status.regions)
    return load


def _region_load(region: RegionStatus) -> pb.RegionLoad:
    assert region.info is not None
    return pb.RegionLoad(
        region_specifier=convert.region_specifier(region.info.name),
        storefiles=region.store_files,
        storefile_size_MB=_mib(region.store_file_bytes),
        mem_store_size_MB=_mib(region.memstore_bytes),
        read_requests_count=region.reads,
        write_requests_count=region.writes,
        complete_sequence_id=region.open_sequence_id,
    )


def _mib(size: int) -> int:
    """Rounded up, so that something is never nothing."""
    return -(-size // MIB)
