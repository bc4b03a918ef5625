"""`raybase drain`: takes servers, or all on a node, out of service before they go."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from ..actors.ray_cluster import RayCluster
from ..errors import IllegalArgumentError
from .connection import connect


def drain_servers(
    cluster: RayCluster,
    servers: Sequence[str],
    console: Console,
    *,
    node: str | None,
    ends: bool,
    undo: bool,
) -> None:
    """Drains the servers, takes them back, or lists those that are drained if none is named.

    Raises IllegalArgumentError if one of them does not live, or no server is on the node.
    """
    with connect(cluster.addresses()) as connection:
        admin = connection.admin
        chosen = [*servers, *(_servers_on(cluster, node) if node else ())]
        if not chosen:
            for one in admin.decommissioned():
                console.print(str(one), highlight=False)
        elif undo:
            for name in chosen:
                admin.recommission(name)
        else:
            with console.status("moving regions off"):
                admin.decommission(*chosen)
            if ends:
                _end(cluster, chosen)
            what = "have ended" if ends else "serve no region"
            console.print(f"{', '.join(chosen)}: {what}", highlight=False)


def _servers_on(cluster: RayCluster, node: str) -> list[str]:
    """Those on the node whose id begins so."""
    found: dict[str, list[str]] = {}
    for member in cluster.registry().region_servers:
        place = str(cluster.describe(member.process)["node"])
        found.setdefault(place, []).append(member.server.address)
    matching = [place for place in found if place.startswith(node)]
    if len(matching) != 1:
        known = ", ".join(found)
        raise IllegalArgumentError(
            f"{len(matching)} nodes with region servers have an id that begins with {node!r}; "
            f"there are: {known}"
        )
    return found[matching[0]]


def _end(cluster: RayCluster, chosen: Sequence[str]) -> None:
    for member in cluster.registry().region_servers:
        server = member.server
        written = (server.address, f"{server.host},{server.port}", str(server))
        if any(one in chosen for one in written):
            cluster.stop_process(member.process)
