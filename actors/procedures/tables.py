"""Procedures that change whole tables: create, delete, truncate, enable, disable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from ...errors import (
    IllegalArgumentError,
    TableExistsError,
    TableNotDisabledError,
    TableNotEnabledError,
    TableNotFoundError,
)
from ...model import RegionInfo, TableDescriptor, TableName, check_row
from ...storage.table_check import check_table
from .. import meta_rows
from ..archiver import archive_region
from ..assignment import TableNode, TransitionState
from ..meta_rows import TableState
from ..namespace_auditor import check_new_table
from .assign import AssignProcedure, UnassignProcedure
from .environment import MasterEnvironment
from .namespaces import existing_namespace
from .procedure import DONE, Children, Lock, Procedure, StepResult


def check_split_keys(split_keys: Sequence[bytes]) -> None:
    """Raises IllegalArgumentError unless they can divide a table."""
    for key in split_keys:
        check_row(key)
    for one, next_one in pairwise(sorted(split_keys)):
        if one == next_one:
            raise IllegalArgumentError(f"split key {one!r} is given twice")


@dataclass(kw_only=True)
class TableProcedure(Procedure):
    """Has its table to itself, until all that is left is to open regions or to open them again.

    From there on others may work on the table's regions, such as the recovery of a server that
    dies, but nobody may change the table.
    """

    sharing: ClassVar[frozenset[str]] = frozenset()
    """Steps at which it does not need the table alone any more."""

    table: TableName

    def locks(self) -> Sequence[Lock]:
        return (Lock.table(self.table, exclusive=self.step not in self.sharing),)

    def describe(self) -> str:
        return f"{self.kind} {self.table}"

    def existing(self, environment: MasterEnvironment) -> TableNode:
        """Raises TableNotFoundError, or IllegalArgumentError for a table of hbase's own."""
        if self.table.is_system:
            raise IllegalArgumentError(f"table {self.table} is the system's")
        found = environment.assignment.table(self.table)
        if found is None:
            raise TableNotFoundError(f"there is no table {self.table}")
        return found

    async def set_state(
        self,
        environment: MasterEnvironment,
        state: TableState,
        descriptor: TableDescriptor | None = None,
    ) -> None:
        """Stores the table's state in hbase:meta, then in memory."""
        if descriptor is None:
            known = environment.assignment.table(self.table)
            assert known is not None
            descriptor = known.descriptor
        put = meta_rows.table_put(descriptor, state, environment.meta.next_ms())
        await environment.meta.write([put])
        environment.assignment.set_table(descriptor, state)


@dataclass(kw_only=True)
class CreateTableProcedure(TableProcedure):
    """Makes a table, with regions divided at ``split_keys``, and opens them.

    The table and all its regions enter hbase:meta in one mutation; before it there is
    nothing, after it creation goes on for ever. Source: CreateTableProcedure.java.
    """

    kind = "create"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})
    sharing = frozenset({"assign", "enable"})

    descriptor: TableDescriptor
    split_keys: tuple[bytes, ...] = ()
    regions: tuple[RegionInfo, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.split_keys = tuple(self.split_keys)
        self.regions = tuple(self.regions)

    def locks(self) -> Sequence[Lock]:
        return (*super().locks(), Lock.namespace(self.table.namespace, exclusive=False))

    def additions(self) -> Sequence[RegionInfo]:
        return self.regions

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        if self.table.is_system:
            raise IllegalArgumentError(f"namespace {self.table.namespace!r} is the system's")
        existing_namespace(environment.assignment, self.table.namespace)
        if environment.assignment.table(self.table) is not None:
            raise TableExistsError(f"table {self.table} exists")
        check_split_keys(self.split_keys)
        check_table(self.descriptor, environment.config.master)
        check_new_table(environment, self.table, len(self.split_keys) + 1)
        bounds = [b"", *sorted(self.split_keys), b""]
        region_id = environment.meta.next_ms()
        self.regions = tuple(
            RegionInfo(self.table, start, end, region_id) for start, end in pairwise(bounds)
        )
        return "add_to_meta"

    async def add_to_meta(self, environment: MasterEnvironment) -> StepResult:
        now_ms = environment.meta.next_ms()
        await environment.meta.write(
            [
                meta_rows.table_put(self.descriptor, TableState.ENABLING, now_ms),
                *(
                    meta_rows.region_put(one, TransitionState.CLOSED, now_ms)
                    for one in self.regions
                ),
            ]
        )
        environment.assignment.set_table(self.descriptor, TableState.ENABLING)
        for one in self.regions:
            environment.assignment.add_region(one, TransitionState.CLOSED)
        return "assign"

    async def assign(self, environment: MasterEnvironment) -> StepResult:
        children = [AssignProcedure(region=one) for one in self.regions]
        return Children(children, then="enable")

    async def enable(self, environment: MasterEnvironment) -> StepResult:
        await self.set_state(environment, TableState.ENABLED)
        return DONE


@dataclass(kw_only=True)
class DeleteTableProcedure(TableProcedure):
    """Archives a disabled table's files, then forgets it. Source: DeleteTableProcedure.java."""

    kind = "delete"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})

    regions: tuple[RegionInfo, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.regions = tuple(self.regions)

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        if self.existing(environment).state != TableState.DISABLED:
            raise TableNotDisabledError(f"table {self.table} must be disabled first")
        nodes = environment.assignment.regions_of(self.table)
        self.regions = tuple(node.info for node in nodes)
        return "archive"

    async def archive(self, environment: MasterEnvironment) -> StepResult:
        for region in self.regions:
            await archive_region(environment.runtime.files, region)
        return "remove_from_meta"

    async def remove_from_meta(self, environment: MasterEnvironment) -> StepResult:
        now_ms = environment.meta.next_ms()
        await environment.meta.write(
            [
                meta_rows.table_delete(self.table, now_ms),
                *(meta_rows.region_delete(one, now_ms) for one in self.regions),
            ]
        )
        for one in self.regions:
            environment.assignment.drop_region(one.encoded_name)
        environment.assignment.drop_table(self.table)
        return DONE


@dataclass(kw_only=True)
class TruncateTableProcedure(TableProcedure):
    """Replaces a disabled table's regions by new, empty ones, and enables it.

    The old regions leave hbase:meta in the mutation in which the new ones enter it.
    Source: TruncateTableProcedure.java.
    """

    kind = "truncate"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})
    sharing = frozenset({"assign", "enable"})

    preserve_splits: bool = False
    old: tuple[RegionInfo, ...] = ()
    new: tuple[RegionInfo, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.old = tuple(self.old)
        self.new = tuple(self.new)

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        if self.existing(environment).state != TableState.DISABLED:
            raise TableNotDisabledError(f"table {self.table} must be disabled first")
        nodes = environment.assignment.regions_of(self.table)
        self.old = tuple(node.info for node in nodes)
        bounds = [(b"", b"")]
        if self.preserve_splits:
            whole = [node.info for node in nodes if node.state != TransitionState.SPLIT]
            bounds = [(one.start_key, one.end_key) for one in whole]
        region_id = environment.meta.next_ms()
        self.new = tuple(RegionInfo(self.table, *bound, region_id) for bound in bounds)
        return "archive"

    async def archive(self, environment: MasterEnvironment) -> StepResult:
        for region in self.old:
            await archive_region(environment.runtime.files, region)
        return "replace"

    async def replace(self, environment: MasterEnvironment) -> StepResult:
        known = self.existing(environment)
        state = TableState.ENABLING
        now_ms = environment.meta.next_ms()
        await environment.meta.write(
            [
                meta_rows.table_put(known.descriptor, state, now_ms),
                *(meta_rows.region_delete(one, now_ms) for one in self.old),
                *(meta_rows.region_put(one, TransitionState.CLOSED, now_ms) for one in self.new),
            ]
        )
        for one in self.old:
            environment.assignment.drop_region(one.encoded_name)
        for one in self.new:
            environment.assignment.add_region(one, TransitionState.CLOSED)
        environment.assignment.set_table(known.descriptor, state)
        return "assign"

    async def assign(self, environment: MasterEnvironment) -> StepResult:
        children = [AssignProcedure(region=one) for one in self.new]
        return Children(children, then="enable")

    async def enable(self, environment: MasterEnvironment) -> StepResult:
        await self.set_state(environment, TableState.ENABLED)
        return DONE


@dataclass(kw_only=True)
class DisableTableProcedure(TableProcedure):
    """Closes all regions of a table. Source: DisableTableProcedure.java."""

    kind = "disable"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        if self.existing(environment).state != TableState.ENABLED:
            raise TableNotEnabledError(f"table {self.table} is not enabled")
        return "set_disabling"

    async def set_disabling(self, environment: MasterEnvironment) -> StepResult:
        await self.set_state(environment, TableState.DISABLING)
        return "close"

    async def close(self, environment: MasterEnvironment) -> StepResult:
        nodes = environment.assignment.regions_of(self.table)
        children = [UnassignProcedure(region=node.info) for node in nodes]
        return Children(children, then="set_disabled")

    async def set_disabled(self, environment: MasterEnvironment) -> StepResult:
        await self.set_state(environment, TableState.DISABLED)
        return DONE


@dataclass(kw_only=True)
class EnableTableProcedure(TableProcedure):
    """Opens all regions of a disabled table. Source: EnableTableProcedure.java."""

    kind = "enable"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})
    sharing = frozenset({"assign", "set_enabled"})

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        if self.existing(environment).state != TableState.DISABLED:
            raise TableNotDisabledError(f"table {self.table} is not disabled")
        return "set_enabling"

    async def set_enabling(self, environment: MasterEnvironment) -> StepResult:
        await self.set_state(environment, TableState.ENABLING)
        return "assign"

    async def assign(self, environment: MasterEnvironment) -> StepResult:
        nodes = environment.assignment.regions_of(self.table)
        children = [AssignProcedure(region=node.info) for node in nodes]
        return Children(children, then="set_enabled")

    async def set_enabled(self, environment: MasterEnvironment) -> StepResult:
        await self.set_state(environment, TableState.ENABLED)
        return DONE
