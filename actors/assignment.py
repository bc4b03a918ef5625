"""Assignment: what the master knows of every table and region, and what it wants of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..model import (
    DEFAULT_NAMESPACE,
    META_REGION,
    META_TABLE,
    SYSTEM_NAMESPACE,
    NamespaceDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
)
from ..runtime import Clock
from .meta_rows import META_DESCRIPTOR, MetaContent, TableState


class TransitionState(StrEnum):
    """States of a region in its life; names are HBase's, and stand in hbase:meta.

    HBase writes neither SPLITTING_NEW nor MERGING_NEW there but CLOSED, so that a master that
    finds them assigns them; nor do we: a daughter is OPENING there, as a server has it open
    already. Source: RegionState.java.
    """

    OFFLINE = "OFFLINE"
    """Nothing is known of it yet."""
    OPENING = "OPENING"
    OPEN = "OPEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    SPLITTING = "SPLITTING"
    SPLIT = "SPLIT"
    """It has given way to its daughters, which may still need its files."""
    FAILED_OPEN = "FAILED_OPEN"
    """A server could not open it; it will be tried again."""
    FAILED_CLOSE = "FAILED_CLOSE"
    """Its server could not close it, and serves it on; it will be tried again."""
    MERGING = "MERGING"
    MERGED = "MERGED"
    """It has given way to the region it was merged into, and is forgotten."""
    SPLITTING_NEW = "SPLITTING_NEW"
    """A daughter that was never served: OPENING at its parent's server, as hbase:meta says."""
    MERGING_NEW = "MERGING_NEW"
    """A merged region that was never open."""
    ABNORMALLY_CLOSED = "ABNORMALLY_CLOSED"
    """Its server died, and its edits have been saved from the logs; hbase:meta still names the
    server, which is what another master would have to know."""


_AT_REST: Final = (TransitionState.OPEN, TransitionState.CLOSED, TransitionState.SPLIT)


@dataclass(slots=True)
class RegionNode:
    """One region: where it is, or was last, and since when it has been in its state.

    ``server`` stays the last owner when the region is closed or its server died: whoever
    opens it next must know whose log may hold its edits.
    """

    info: RegionInfo
    state: TransitionState
    server: ServerName | None
    open_sequence_id: int
    since_s: float
    daughters: tuple[RegionInfo, ...] = ()
    """Of a split parent."""
    merge_parents: tuple[RegionInfo, ...] = ()
    """What it was merged from, while their files are not cleaned."""
    reason: str = ""
    """Why it is in this state, for people."""
    opened_as: TableDescriptor | None = None
    """The descriptor it was opened with last; None if this master did neither open it nor ask."""
    planned: ServerName | None = None
    """Where it is about to be opened, before that is recorded."""


@dataclass(slots=True)
class TableNode:
    descriptor: TableDescriptor
    state: TableState


class Assignment:
    """The master's memory of tables and regions: read from hbase:meta, changed with it.

    Goal and current state are apart: the goal follows from the table's state and the
    region's flags (``wants_open``), the current state stands in the node. Only procedures
    that hold a region's lock change its node. ``loaded`` is set when hbase:meta has been
    read; ``meta_open`` while hbase:meta is served. No method waits.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._regions: dict[str, RegionNode] = {}
        self._by_table: dict[TableName, dict[str, RegionNode]] = {}
        self._tables: dict[TableName, TableNode] = {}
        self._namespaces = {
            name: NamespaceDescriptor(name) for name in (DEFAULT_NAMESPACE, SYSTEM_NAMESPACE)
        }
        self._load: dict[ServerName, dict[TableName, int]] | None = None
        """Counts of regions; None when they have to be taken anew."""
        self.loaded = asyncio.Event()
        self.meta_open = asyncio.Event()
        self._tables[META_TABLE] = TableNode(META_DESCRIPTOR, TableState.ENABLED)
        self.meta = self.add_region(META_REGION, TransitionState.OFFLINE)

    def load(self, content: MetaContent) -> None:
        """Takes over what hbase:meta says."""
        for namespace in content.namespaces:
            self._namespaces[namespace.name] = namespace
        for table in content.tables:
            self._tables[table.name] = TableNode(table.descriptor, table.state)
        for row in content.regions:
            node = self.add_region(row.info, TransitionState(row.state))
            node.server = row.server
            node.open_sequence_id = row.open_sequence_id
            node.daughters = row.daughters
            node.merge_parents = row.merge_parents
        self._load = None
        self.loaded.set()

    # -- namespaces ------------------------------------------------------------------------

    def namespace(self, name: str) -> NamespaceDescriptor | None:
        return self._namespaces.get(name)

    def namespaces(self) -> list[NamespaceDescriptor]:
        """In order of their names."""
        return [self._namespaces[name] for name in sorted(self._namespaces)]

    def set_namespace(self, namespace: NamespaceDescriptor) -> None:
        self._namespaces[namespace.name] = namespace

    def drop_namespace(self, name: str) -> None:
        self._namespaces.pop(name, None)

    def tables_of(self, namespace: str) -> list[TableNode]:
        """In order of their names."""
        tables = self.tables(system=True)
        return [one for one in tables if one.descriptor.name.namespace == namespace]

    # -- tables ----------------------------------------------------------------------------

    def table(self, name: TableName) -> TableNode | None:
        return self._tables.get(name)

    def tables(self, *, system: bool = False) -> list[TableNode]:
        """In order of their names; hbase's own only if asked for."""
        found = sorted(self._tables.values(), key=lambda one: one.descriptor.name)
        return [one for one in found if system or not one.descriptor.name.is_system]

    def set_table(self, descriptor: TableDescriptor, state: TableState) -> None:
        self._tables[descriptor.name] = TableNode(descriptor, state)
        self._load = None

    def drop_table(self, name: TableName) -> None:
        self._tables.pop(name, None)

    # -- regions ---------------------------------------------------------------------------

    def region(self, encoded: str) -> RegionNode | None:
        return self._regions.get(encoded)

    def regions(self) -> list[RegionNode]:
        return list(self._regions.values())

    def add_region(self, info: RegionInfo, state: TransitionState) -> RegionNode:
        """The region's node; the one that is there already if there is."""
        encoded = info.encoded_name
        node = self._regions.get(encoded)
        if node is None:
            node = RegionNode(info, state, None, 0, self._clock.monotonic_s())
            self._regions[encoded] = node
            self._by_table.setdefault(info.table, {})[encoded] = node
        return node

    def drop_region(self, encoded: str) -> None:
        node = self._regions.pop(encoded, None)
        self._load = None
        if node is not None:
            of_table = self._by_table[node.info.table]
            del of_table[encoded]
            if not of_table:
                del self._by_table[node.info.table]

    def regions_of(self, table: TableName) -> list[RegionNode]:
        """All of the table's, split parents too, by start key and age."""
        found = self._by_table.get(table, {}).values()
        return sorted(found, key=lambda one: (one.info.start_key, one.info.region_id))

    def regions_on(self, server: ServerName) -> list[RegionNode]:
        """Those whose owner ``server`` is or was last, hbase:meta first."""
        found = [one for one in self._regions.values() if one.server == server]
        return sorted(found, key=lambda one: one.info.table != META_TABLE)

    def set_state(
        self,
        node: RegionNode,
        state: TransitionState,
        server: ServerName | None = None,
        *,
        open_sequence_id: int | None = None,
        reason: str = "",
    ) -> None:
        """Changes the node; without ``server`` the last one stays."""
        if node.state != state or (server is not None and node.server != server):
            node.since_s = self._clock.monotonic_s()
        node.state = state
        node.reason = reason
        node.planned = None
        self._load = None
        if server is not None:
            node.server = server
        if open_sequence_id is not None:
            node.open_sequence_id = open_sequence_id
        if node is self.meta:
            if state == TransitionState.OPEN:
                self.meta_open.set()
            else:
                self.meta_open.clear()

    def server_died(self, server: ServerName) -> None:
        """Nothing is served there any more; who owned what is still to be known."""
        if self.meta.server == server:
            self.meta_open.clear()
        for node in self.regions_on(server):
            if not node.reason:
                node.reason = f"{server} died"

    def wants_open(self, node: RegionNode) -> bool:
        """The goal: whether the region should be served."""
        if node.info.split or node.info.offline or node.state == TransitionState.SPLIT:
            return False
        table = self._tables.get(node.info.table)
        return table is not None and table.state in (TableState.ENABLED, TableState.ENABLING)

    def in_transition(self) -> list[RegionNode]:
        """Those not where they should be, longest first."""
        found = [
            one
            for one in self._regions.values()
            if one.state not in _AT_REST
            or (self.wants_open(one) and one.state != TransitionState.OPEN)
            or (one.state == TransitionState.OPEN and one.reason)
        ]
        return sorted(found, key=lambda one: one.since_s)

    def plan(self, node: RegionNode, server: ServerName) -> None:
        """Counts the region as that server's from now on, until its state changes."""
        load = self._all_counts()
        self._count(load, node, -1)
        node.planned = server
        self._count(load, node, 1)

    def counts(self, servers: Iterable[ServerName]) -> dict[ServerName, dict[TableName, int]]:
        """Regions open or about to be at each of the servers, by table."""
        load = self._all_counts()
        return {server: dict(load.get(server, {})) for server in servers}

    def _all_counts(self) -> dict[ServerName, dict[TableName, int]]:
        if self._load is None:
            self._load = {}
            for node in self._regions.values():
                self._count(self._load, node, 1)
        return self._load

    def _count(
        self, load: dict[ServerName, dict[TableName, int]], node: RegionNode, change: int
    ) -> None:
        server = node.planned or node.server
        if server is not None and self.wants_open(node):
            of_server = load.setdefault(server, {})
            of_server[node.info.table] = of_server.get(node.info.table, 0) + change
