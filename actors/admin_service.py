"""AdminService: what administrators' clients ask of a region's server directly."""

from __future__ import annotations

from ..rpc.call import Call, Reply
from ..rpc.convert import region_info_to_pb
from ..rpc.proto import hbase_pb2 as pb
from .observers import Action
from .region_host import RegionHost


class AdminService:
    """GetRegionInfo, FlushRegion and CompactRegion. Source: RSRpcServices.java."""

    def __init__(self, host: RegionHost) -> None:
        self._host = host

    def get_region_info(self, call: Call) -> Reply:
        hosted = self._host.find(call.request.region.value)
        self._authorize(call, Action.READ)
        return Reply(pb.GetRegionInfoResponse(region_info=region_info_to_pb(hosted.info)))

    async def flush_region(self, call: Call) -> Reply:
        """Answers when the region's edits are in files."""
        hosted = self._host.find(call.request.region.value)
        self._authorize(call, Action.ADMIN)
        await hosted.decided()
        result = await hosted.flush()
        now_ms = self._host.runtime.clock.now_ms()
        return Reply(pb.FlushRegionResponse(flushed=result.flushed, last_flush_time=now_ms))

    def compact_region(self, call: Call) -> Reply:
        """Answers at once; the compaction goes on in the background."""
        hosted = self._host.find(call.request.region.value)
        self._authorize(call, Action.ADMIN)
        hosted.check_serving()
        self._host.want_compaction(hosted, major=call.request.major)
        return Reply(pb.CompactRegionResponse())

    def _authorize(self, call: Call, action: Action) -> None:
        if self._host.authorizer is not None:
            hosted = self._host.find(call.request.region.value)
            self._host.authorizer.authorize(call.context, action, hosted.info.table)
