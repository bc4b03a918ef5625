"""All servers of a node are drained before the node goes; clients notice nothing."""

from __future__ import annotations

from collections.abc import Callable

from raybase import connect
from raybase.actors.ray_cluster import RayCluster

from .conftest import eventually
from .test_recovery import assert_whole, fill


def test_a_drained_node_keeps_no_region_and_gets_no_server(
    start: Callable[..., RayCluster],
) -> None:
    cluster = start(region_servers=2)
    members = cluster.registry().region_servers
    nodes = {one.server: cluster.describe(one.process)["node"] for one in members}
    leaving = nodes[members[0].server]
    victims = [server for server, node in nodes.items() if node == leaving]
    with connect(cluster.addresses()) as connection:
        fill(connection)
        connection.admin.decommission(*victims)
        for table in ("t", "hbase:meta"):
            assert not [one for one in connection.admin.regions(table) if one.server in victims]
        assert_whole(connection)
    eventually(lambda: len(cluster.registry().region_servers) == 2 + len(victims), "others came")
    for member in cluster.registry().region_servers:
        if member.server not in nodes:
            assert cluster.describe(member.process)["node"] != leaving
