"""Draining servers, without I/O. Source: RawAsyncHBaseAdmin.java (decommissionRegionServers)."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import ServerName
from ..rpc.proto import hbase_pb2 as pb
from . import wire
from .admin_core import POLL_FIRST_S, POLL_LAST_S, AdminCore, Target, region_specifier
from .effects import Operation, Sleep

Server = ServerName | str
"""A live server; as text ``host:port``, ``host,port`` or ``host,port,startcode``."""


def decommission(admin: AdminCore, names: Sequence[Server], *, offload: bool) -> Operation[None]:
    """Has servers drained; with ``offload`` it is over when they have no region any more."""
    servers = yield from _find_all(admin, names)
    request = pb.DecommissionRegionServersRequest(
        server_name=[wire.server_name_message(one) for one in servers], offload=offload
    )
    yield from admin.core.on_master("DecommissionRegionServers", request)
    attempts = admin.core.attempts(lambda: f"moving regions off {', '.join(map(str, servers))}")
    delay_s = POLL_FIRST_S
    while offload and (yield from _have_regions(admin, servers)):
        if attempts.remaining_s() <= 0:
            raise attempts.exhausted("because its time has passed; it goes on")
        yield Sleep(delay_s)
        delay_s = min(POLL_LAST_S, delay_s * 1.5)


def decommissioned(admin: AdminCore) -> Operation[list[ServerName]]:
    """The servers that are being drained, or have been."""
    request = pb.ListDecommissionedRegionServersRequest()
    answer = yield from admin.core.on_master("ListDecommissionedRegionServers", request)
    return [wire.server_name(one) for one in answer.message.server_name]


def recommission(admin: AdminCore, name: Server, regions: Sequence[Target]) -> Operation[None]:
    """Takes a server back, and asks for regions to be moved there."""
    (server,) = yield from _find_all(admin, [name])
    request = pb.RecommissionRegionServerRequest(server_name=wire.server_name_message(server))
    for target in regions:
        for one in (yield from admin.find_regions(target)):
            request.region.append(region_specifier(one))
    yield from admin.core.on_master("RecommissionRegionServer", request)


def _have_regions(admin: AdminCore, servers: Sequence[ServerName]) -> Operation[bool]:
    """Whether hbase:meta has a region at one of them."""
    for table in (yield from admin.tables(system=True)):
        for one in (yield from admin.regions(table)):
            if one.server in servers and one.state != "CLOSED":
                return True
    return False


def _find_all(admin: AdminCore, names: Sequence[Server]) -> Operation[list[ServerName]]:
    found = []
    for one in names:
        if isinstance(one, str):
            one = yield from admin.find_server(one)
        found.append(one)
    return found
