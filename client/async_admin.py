"""Tables, regions and the cluster, for asyncio. What the methods do is said at Admin's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..model import (
    FamilyDescriptor,
    NamespaceDescriptor,
    ServerName,
    TableDescriptor,
    TableName,
)
from . import balancing, draining, namespaces
from .admin_core import AdminCore, Target
from .aio import AsyncShell
from .arguments import Families, Text, as_bytes, as_descriptor, as_family
from .balancing import BalancerDecision, BalanceResult
from .draining import Server
from .families import add_family, drop_family, modify_family
from .meta import TableState
from .status import ClusterStatus, LockStatus, ProcedureStatus, Regions


class AsyncAdmin:
    """``connection.admin``: creates, changes and looks after tables, as Admin does."""

    def __init__(self, shell: AsyncShell, core: AdminCore) -> None:
        self._shell = shell
        self._core = core

    # -- tables ----------------------------------------------------------------------------

    async def create_table(
        self,
        name: Text | TableName,
        families: Families,
        *,
        splits: Iterable[Text] = (),
        **options: Any,
    ) -> None:
        """Creates a table and returns when its regions are open.

        ``families`` are names, or names with options (fields of FamilyDescriptor); ``splits``
        are the first rows of the second and later regions; ``options`` are fields of
        TableDescriptor. Raises TableExistsError::

            admin.create_table("web", {"contents": {"max_versions": 3}, "anchor": {}})
            admin.create_table("log", ["f"], splits=["2024", "2025"], region_bytes_max=2**30)
        """
        keys = [as_bytes("a split key", one) for one in splits]
        descriptor = as_descriptor(name, families, options)
        await self._shell.run(self._core.create_table(descriptor, keys))

    async def delete_table(self, name: Text | TableName) -> None:
        """Deletes a disabled table. Raises TableNotDisabledError, TableNotFoundError."""
        await self._shell.run(self._core.delete_table(TableName.parse(name)))

    async def enable_table(self, name: Text | TableName) -> None:
        """Opens the table's regions. Raises TableNotDisabledError if it is enabled."""
        await self._shell.run(self._core.enable_table(TableName.parse(name)))

    async def disable_table(self, name: Text | TableName) -> None:
        """Closes the table's regions. Raises TableNotEnabledError if it is disabled."""
        await self._shell.run(self._core.disable_table(TableName.parse(name)))

    async def truncate_table(
        self, name: Text | TableName, *, preserve_splits: bool = False
    ) -> None:
        """Deletes all rows of a disabled table and enables it."""
        await self._shell.run(
            self._core.truncate_table(TableName.parse(name), preserve_splits=preserve_splits)
        )

    async def alter_table(
        self, descriptor: TableDescriptor, *, reopen_regions: bool = True
    ) -> None:
        """Replaces the table's descriptor; families that it lacks go, with their cells.

        It is served all the while: its regions are opened again a few at a time. Without
        ``reopen_regions`` each gets the descriptor whenever it is opened next. Raises
        InvalidRequestError if a region cannot be opened with it: alter the table again.
        """
        operation = self._core.alter_table(descriptor, reopen_regions=reopen_regions)
        await self._shell.run(operation)

    async def add_family(self, table: Text | TableName, family: Text, **options: Any) -> None:
        """Adds a column family; ``options`` are fields of FamilyDescriptor."""
        change = add_family(as_family(family, **options))
        await self._shell.run(self._core.change_families(TableName.parse(table), change))

    async def modify_family(self, table: Text | TableName, family: Text, **options: Any) -> None:
        """Changes these options of a column family; the others stay.

        Raises NoSuchFamilyError.
        """
        change = modify_family(as_bytes("a family", family), options)
        await self._shell.run(self._core.change_families(TableName.parse(table), change))

    async def drop_family(self, table: Text | TableName, family: Text) -> None:
        """Deletes a column family and its cells. Raises NoSuchFamilyError."""
        change = drop_family(as_bytes("a family", family))
        await self._shell.run(self._core.change_families(TableName.parse(table), change))

    async def tables(self, *, system: bool = False, namespace: str = "") -> list[TableName]:
        """Names of the tables, in order: of all, or of one namespace.

        Raises NamespaceNotFoundError.
        """
        if namespace:
            return await self._shell.run(namespaces.tables(self._core, namespace))
        return await self._shell.run(self._core.tables(system=system))

    async def describe(self, name: Text | TableName) -> TableDescriptor:
        """The table's families and options. Raises TableNotFoundError."""
        return await self._shell.run(self._core.describe(TableName.parse(name)))

    async def family(self, table: Text | TableName, family: Text) -> FamilyDescriptor | None:
        """One family's options, or None."""
        return (await self.describe(table)).family(as_bytes("a family", family))

    async def exists(self, name: Text | TableName) -> bool:
        """Whether there is such a table. Asks no master."""
        return await self._shell.run(self._core.exists(TableName.parse(name)))

    async def state(self, name: Text | TableName) -> TableState:
        """Enabled, disabled or on the way. Asks no master. Raises TableNotFoundError."""
        return await self._shell.run(self._core.state(TableName.parse(name)))

    async def is_enabled(self, name: Text | TableName) -> bool:
        return await self.state(name) is TableState.ENABLED

    # -- namespaces ------------------------------------------------------------------------

    async def create_namespace(self, name: str, configuration: Mapping[str, str] = {}) -> None:
        """Makes a namespace, in which tables are then called ``name:table``.

        ``configuration``: settings by HBase's keys. Raises NamespaceExistsError.
        """
        namespace = NamespaceDescriptor(name, dict(configuration))
        await self._shell.run(namespaces.create(self._core, namespace))

    async def alter_namespace(self, name: str, configuration: Mapping[str, str]) -> None:
        """Replaces the namespace's settings. Raises NamespaceNotFoundError."""
        namespace = NamespaceDescriptor(name, dict(configuration))
        await self._shell.run(namespaces.alter(self._core, namespace))

    async def delete_namespace(self, name: str) -> None:
        """Removes an empty namespace. Raises ConstraintError, NamespaceNotFoundError."""
        await self._shell.run(namespaces.delete(self._core, name))

    async def describe_namespace(self, name: str) -> NamespaceDescriptor:
        """Raises NamespaceNotFoundError."""
        return await self._shell.run(namespaces.describe(self._core, name))

    async def namespaces(self) -> list[NamespaceDescriptor]:
        """All, in order of their names; ``default`` and ``hbase`` are always there."""
        return await self._shell.run(namespaces.list_all(self._core))

    # -- regions ---------------------------------------------------------------------------

    async def regions(self, table: Text | TableName) -> Regions:
        """The table's regions in order, with their servers, as hbase:meta has them now."""
        return Regions(await self._shell.run(self._core.regions(TableName.parse(table))))

    async def flush(self, target: Target) -> None:
        """Writes memstores to files: of a table, or of a region (info, name, encoded name)."""
        await self._shell.run(self._core.flush(target))

    async def compact(self, target: Target, *, major: bool = False) -> None:
        """Asks for a compaction of a table or region, which goes on after this returned.

        A major one makes one file of each store, without what is deleted or expired.
        """
        await self._shell.run(self._core.compact(target, major=major))

    async def split(self, target: Target, row: Text | None = None) -> None:
        """Splits a region, at its middle or at ``row``; given a table, the region with the
        row, or each of its regions."""
        key = None if row is None else as_bytes("a row", row)
        await self._shell.run(self._core.split(target, key))

    async def merge(self, *targets: Target, forcible: bool = False) -> None:
        """Makes one region of neighbours: infos, names or encoded names, in any order.

        A table's name stands for all of its regions. ``forcible``: also of regions with a
        hole between them. Raises MergeRegionError.
        """
        await self._shell.run(self._core.merge(targets, forcible=forcible))

    async def move(self, target: Target, server: ServerName | str | None = None) -> None:
        """Moves a region (or each of a table's) to a server, else to any other one.

        ``server`` may be written ``host:port`` or ``host,port,startcode``.
        """
        if isinstance(server, str):
            server = await self._shell.run(self._core.find_server(server))
        await self._shell.run(self._core.move(target, server))

    # -- cluster ---------------------------------------------------------------------------

    async def balance(
        self, *, dry_run: bool = False, ignore_transitions: bool = False
    ) -> BalanceResult:
        """Moves regions now, where that makes the cluster's cost lower, and says why.

        The result is false if the balancer did not run: it is switched off, or regions are in
        transition, unless these are ignored. ``dry_run``: tells what it would do::

            for move in (await admin.balance(dry_run=True)).decision.moves:
                print(move)
        """
        return await self._shell.run(
            balancing.balance(self._core, dry_run=dry_run, ignore_transitions=ignore_transitions)
        )

    async def balancer_decisions(self, limit: int = 0) -> list[BalancerDecision]:
        """What the balancer found and did since this master leads, newest first; 0: all that
        is remembered."""
        return await self._shell.run(balancing.decisions(self._core, limit))

    async def set_balancer(self, on: bool) -> bool:
        """Switches the balancer, for later masters, too; whether it was on."""
        return await self._shell.run(balancing.set_balancer(self._core, on))

    async def is_balancer_on(self) -> bool:
        return await self._shell.run(balancing.is_balancer_on(self._core))

    async def normalize(self, *tables: Text | TableName) -> bool:
        """Begins to split and merge regions of these tables, or of all, so that they are of
        like size; only of tables with the attribute NORMALIZATION_ENABLED ``true``.

        False if the normalizer is off. It goes on after this returned.
        """
        names = [TableName.parse(one) for one in tables]
        return await self._shell.run(balancing.normalize(self._core, names))

    async def set_normalizer(self, on: bool) -> bool:
        """Switches the normalizer, for later masters, too; whether it was on."""
        return await self._shell.run(balancing.set_normalizer(self._core, on))

    async def is_normalizer_on(self) -> bool:
        return await self._shell.run(balancing.is_normalizer_on(self._core))

    async def decommission(self, *servers: Server, offload: bool = True) -> None:
        """Drains servers: no region is placed there any more, whichever master leads.

        ``offload``: moves their regions off as well, and returns when none is left. New
        servers are started in their place. It holds for the life of the server, or until it
        is recommissioned. Raises IllegalArgumentError if one of them does not live::

            admin.decommission("10.0.0.7:16020")
        """
        await self._shell.run(draining.decommission(self._core, servers, offload=offload))

    async def decommissioned(self) -> list[ServerName]:
        """The servers that are being drained, or have been."""
        return await self._shell.run(draining.decommissioned(self._core))

    async def recommission(self, server: Server, regions: Iterable[Target] = ()) -> None:
        """Takes a drained server back, and asks for ``regions`` to be moved there; that goes
        on after this returned. Raises IllegalArgumentError if it does not live."""
        await self._shell.run(draining.recommission(self._core, server, list(regions)))

    async def status(self) -> ClusterStatus:
        """Servers, masters, and regions in transition."""
        return await self._shell.run(self._core.status())

    async def procedures(self) -> list[ProcedureStatus]:
        """Changes of the cluster that are under way, and the last that ended."""
        return await self._shell.run(self._core.procedures())

    async def abort_procedure(self, procedure: int, *, interrupt: bool = True) -> bool:
        """Has a procedure undone, if it has not come to its point of no return yet: whether it
        will be; it fails with ProcedureAbortedError then. ``interrupt`` False: only if it waits
        for its locks. False, too, for one that has ended, or is part of another."""
        return await self._shell.run(self._core.abort_procedure(procedure, interrupt=interrupt))

    async def locks(self) -> list[LockStatus]:
        """What procedures have locked, and which others wait for it."""
        return await self._shell.run(self._core.locks())
