"""Where regions go: a place for one, and moves that even them out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..model import ServerName, TableName
from .assignment import RegionNode

Counts = Mapping[ServerName, Mapping[TableName, int]]
"""Regions at each live server, by table."""


@dataclass(frozen=True, slots=True)
class RegionMove:
    """A move the balancer wants, and its reason in words."""

    node: RegionNode
    source: ServerName
    target: ServerName
    reason: str


def place(table: TableName, counts: Counts) -> ServerName:
    """The server with fewest regions of the table, then fewest in all, then by name.

    Requires: there is a server.
    """
    return min(
        counts,
        key=lambda server: (counts[server].get(table, 0), sum(counts[server].values()), server),
    )


def plan(regions: Sequence[RegionNode], counts: Counts) -> list[RegionMove]:
    """Moves after which no two servers differ by more than one region, of a table or in all.

    First each table is evened out, then the totals, with regions of tables that stay even.
    ``regions`` are those that may be moved: open, at a server in ``counts``, in no procedure.
    Source of the idea: SimpleLoadBalancer.java.
    """
    if len(counts) < 2:
        return []
    load = {server: dict(tables) for server, tables in counts.items()}
    movable = sorted(regions, key=lambda one: (one.info.table, one.info.start_key))
    moves: list[RegionMove] = []
    for table in sorted({one.info.table for one in movable}):
        moves += _even_out(table, [one for one in movable if one.info.table == table], load)
    moved = [one.node for one in moves]
    moves += _even_totals([one for one in movable if one not in moved], load)
    return moves


def _even_out(
    table: TableName, regions: list[RegionNode], load: dict[ServerName, dict[TableName, int]]
) -> list[RegionMove]:
    moves: list[RegionMove] = []
    left = list(regions)
    while True:

        def count(server: ServerName) -> tuple[int, int, ServerName]:
            return load[server].get(table, 0), sum(load[server].values()), server

        source, target = max(load, key=count), min(load, key=count)
        more, fewer = count(source)[0], count(target)[0]
        node = _first_at(source, left)
        if more - fewer < 2 or node is None:
            return moves
        reason = f"table {table} has {more} regions at {source} and {fewer} at {target}"
        moves.append(_moved(node, source, target, reason, load))
        left.remove(node)


def _even_totals(
    regions: list[RegionNode], load: dict[ServerName, dict[TableName, int]]
) -> list[RegionMove]:
    moves: list[RegionMove] = []
    left = list(regions)
    while True:

        def total(server: ServerName) -> tuple[int, ServerName]:
            return sum(load[server].values()), server

        source, target = max(load, key=total), min(load, key=total)
        more, fewer = total(source)[0], total(target)[0]
        even = [
            one
            for one in left
            if load[source].get(one.info.table, 0) > load[target].get(one.info.table, 0)
        ]
        node = _first_at(source, even)
        if more - fewer < 2 or node is None:
            return moves
        reason = f"{source} has {more} regions and {target} has {fewer}"
        moves.append(_moved(node, source, target, reason, load))
        left.remove(node)


def _first_at(server: ServerName, regions: list[RegionNode]) -> RegionNode | None:
    return next((one for one in regions if one.server == server), None)


def _moved(
    node: RegionNode,
    source: ServerName,
    target: ServerName,
    reason: str,
    load: dict[ServerName, dict[TableName, int]],
) -> RegionMove:
    table = node.info.table
    load[source][table] = load[source].get(table, 0) - 1
    load[target][table] = load[target].get(table, 0) + 1
    return RegionMove(node, source, target, reason)
