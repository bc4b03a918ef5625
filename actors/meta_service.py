"""ClientMetaService: what a client asks of any server before it knows a region.

Every region server and every master answers it. Source: MasterRpcServices.java,
ClientMetaService of HBASE-23648 and HBASE-26149.
"""

from __future__ import annotations

from ..errors import MasterNotRunningError, PleaseHoldError
from ..model import META_REGION
from ..rpc.call import Call, Reply
from ..rpc.convert import region_info_to_pb, server_name_to_pb
from ..rpc.proto import hbase_pb2 as pb
from .observers import Action, Authorizer
from .registry_cache import RegistryCache


class ClientMetaService:
    """Answers from the cache that watches keep up to date; no call waits.

    A server that has lost touch with the coordinator answers only what never changes: it would
    send clients to servers that are dead since, and they ask another as well.
    """

    def __init__(self, registry: RegistryCache, authorizer: Authorizer | None = None) -> None:
        self._registry = registry
        self._authorizer = authorizer

    def get_cluster_id(self, call: Call) -> Reply:
        self._authorize(call)
        return Reply(pb.GetClusterIdResponse(cluster_id=self._registry.cluster_id))

    def get_active_master(self, call: Call) -> Reply:
        self._admit(call)
        master = self._registry.master
        if master is None:
            raise MasterNotRunningError("no master is active now; a standby will take over")
        return Reply(pb.GetActiveMasterResponse(server_name=server_name_to_pb(master.server)))

    def get_meta_region_locations(self, call: Call) -> Reply:
        self._admit(call)
        meta = self._registry.meta
        if meta is None:
            raise PleaseHoldError("hbase:meta has not been assigned yet")
        location = pb.RegionLocation(
            region_info=region_info_to_pb(META_REGION),
            server_name=server_name_to_pb(meta.server),
            seq_num=0,
        )
        return Reply(pb.GetMetaRegionLocationsResponse(meta_locations=[location]))

    def get_bootstrap_nodes(self, call: Call) -> Reply:
        self._admit(call)
        servers = self._registry.region_servers
        return Reply(
            pb.GetBootstrapNodesResponse(server_name=[server_name_to_pb(one) for one in servers])
        )

    def get_masters(self, call: Call) -> Reply:
        self._admit(call)
        response = pb.GetMastersResponse()
        active = self._registry.master
        if active is not None:
            response.master_servers.add(
                server_name=server_name_to_pb(active.server), is_active=True
            )
        for server in self._registry.standbys:
            response.master_servers.add(server_name=server_name_to_pb(server), is_active=False)
        return Reply(response)

    def _admit(self, call: Call) -> None:
        self._authorize(call)
        self._registry.check()

    def _authorize(self, call: Call) -> None:
        if self._authorizer is not None:
            self._authorizer.authorize(call.context, Action.READ, None)
