"""Where regions go: a place for one, and moves that even them out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..model import RegionInfo, ServerName, TableName
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

    First each table is evened out, then the totals, with regions of tables that stay even; a
    region moves once at most. ``regions`` are those that may be moved: open, at a server in
    ``counts``, in no procedure. Source of the idea: SimpleLoadBalancer.java.
    """
    if len(counts) < 2:
        return []
    draft = _Draft(regions, counts)
    for table in sorted({one.info.table for one in regions}):
        draft.even_table(table)
    draft.even_totals()
    return draft.moves()


class _Draft:
    """A plan in the making: where each region would be, and why."""

    def __init__(self, regions: Sequence[RegionNode], counts: Counts) -> None:
        self._regions = sorted(regions, key=lambda one: (one.info.table, one.info.start_key))
        self._at = {one.info: one.server for one in regions}
        self._why: dict[RegionInfo, str] = {}
        self._load = {server: dict(tables) for server, tables in counts.items()}

    def even_table(self, table: TableName) -> None:
        def count(server: ServerName) -> int:
            return self._load[server].get(table, 0)

        while True:
            source, target = self._extremes(lambda one: (count(one), self._total(one)))
            more, fewer = count(source), count(target)
            reason = f"table {table} has {more} regions at {source} and {fewer} at {target}"
            if more - fewer < 2 or not self._move(source, target, reason, [table]):
                return

    def even_totals(self) -> None:
        while True:
            source, target = self._extremes(lambda one: (self._total(one),))
            more, fewer = self._total(source), self._total(target)
            tables = [
                table
                for table, count in self._load[source].items()
                if count > self._load[target].get(table, 0)
            ]
            reason = f"{source} has {more} regions and {target} has {fewer}"
            if more - fewer < 2 or not self._move(source, target, reason, tables):
                return

    def moves(self) -> list[RegionMove]:
        found = []
        for node in self._regions:
            target = self._at[node.info]
            if node.server is not None and target is not None and target != node.server:
                found.append(RegionMove(node, node.server, target, self._why[node.info]))
        return found

    def _total(self, server: ServerName) -> int:
        return sum(self._load[server].values())

    def _extremes(
        self, measure: Callable[[ServerName], tuple[int, ...]]
    ) -> tuple[ServerName, ServerName]:
        ordered = sorted(self._load, key=lambda one: (*measure(one), one))
        return ordered[-1], ordered[0]

    def _move(
        self, source: ServerName, target: ServerName, reason: str, tables: Sequence[TableName]
    ) -> bool:
        """Moves the first region of one of the tables; False if none can be moved."""
        for node in self._regions:
            table = node.info.table
            if self._at[node.info] == source and table in tables:
                self._at[node.info] = target
                self._why[node.info] = reason
                self._load[source][table] -= 1
                self._load[target][table] = self._load[target].get(table, 0) + 1
                return True
        return False
