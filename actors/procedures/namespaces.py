"""Procedures that change namespaces: create, modify, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...errors import ConstraintError, NamespaceExistsError, NamespaceNotFoundError
from ...model import DEFAULT_NAMESPACE, SYSTEM_NAMESPACE, NamespaceDescriptor
from ...storage.manifest import namespace_directory
from .. import meta_rows
from ..assignment import Assignment
from ..namespace_auditor import check_limits
from .environment import MasterEnvironment
from .procedure import DONE, Lock, Procedure, StepResult

RESERVED: Final = (DEFAULT_NAMESPACE, SYSTEM_NAMESPACE)
"""Those that always exist."""


def existing_namespace(assignment: Assignment, name: str) -> NamespaceDescriptor:
    """Raises NamespaceNotFoundError."""
    found = assignment.namespace(name)
    if found is None:
        raise NamespaceNotFoundError(f"there is no namespace {name!r}; `list_namespace` shows them")
    return found


@dataclass(kw_only=True)
class DescribedNamespaceProcedure(Procedure):
    """Has a namespace to itself, and gives it a descriptor in one mutation of hbase:meta."""

    namespace: NamespaceDescriptor

    def locks(self) -> Sequence[Lock]:
        return (Lock.namespace(self.namespace.name, exclusive=True),)

    def describe(self) -> str:
        return f"{self.kind} {self.namespace.name}"

    async def record(self, environment: MasterEnvironment) -> StepResult:
        put = meta_rows.namespace_put(self.namespace, environment.meta.next_ms())
        await environment.meta.write([put])
        environment.assignment.set_namespace(self.namespace)
        return DONE


@dataclass(kw_only=True)
class CreateNamespaceProcedure(DescribedNamespaceProcedure):
    """Makes a namespace. Source: CreateNamespaceProcedure.java."""

    kind = "create_namespace"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        if environment.assignment.namespace(self.namespace.name) is not None:
            raise NamespaceExistsError(f"namespace {self.namespace.name!r} exists")
        check_limits(self.namespace)
        return "record"


@dataclass(kw_only=True)
class ModifyNamespaceProcedure(DescribedNamespaceProcedure):
    """Replaces what is set for a namespace. Source: ModifyNamespaceProcedure.java."""

    kind = "modify_namespace"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        existing_namespace(environment.assignment, self.namespace.name)
        check_limits(self.namespace)
        return "record"


@dataclass(kw_only=True)
class DeleteNamespaceProcedure(Procedure):
    """Removes a namespace without tables. Source: DeleteNamespaceProcedure.java."""

    kind = "delete_namespace"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})

    name: str

    def locks(self) -> Sequence[Lock]:
        return (Lock.namespace(self.name, exclusive=True),)

    def describe(self) -> str:
        return f"{self.kind} {self.name}"

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        existing_namespace(environment.assignment, self.name)
        if self.name in RESERVED:
            raise ConstraintError(f"namespace {self.name!r} always exists: it cannot be removed")
        tables = environment.assignment.tables_of(self.name)
        if tables:
            raise ConstraintError(
                f"only an empty namespace can be removed: {self.name!r} has {len(tables)} tables, "
                f"such as {tables[0].descriptor.name}"
            )
        lost = await self._lost_regions(environment)
        if lost:
            raise ConstraintError(
                f"no table is in namespace {self.name!r}, but there are files: {lost[0]}; "
                "`raybase fsck` says what they are"
            )
        return "remove_from_meta"

    async def _lost_regions(self, environment: MasterEnvironment) -> list[str]:
        """Directories of regions that hbase:meta does not have."""
        files, directory = environment.runtime.files, namespace_directory(self.name)
        return [
            f"{directory}/{table}/{region}"
            for table in await files.list(directory)
            for region in await files.list(f"{directory}/{table}")
        ]

    async def remove_from_meta(self, environment: MasterEnvironment) -> StepResult:
        delete = meta_rows.namespace_delete(self.name, environment.meta.next_ms())
        await environment.meta.write([delete])
        environment.assignment.drop_namespace(self.name)
        return "remove_directory"

    async def remove_directory(self, environment: MasterEnvironment) -> StepResult:
        if not await self._lost_regions(environment):
            await environment.runtime.files.remove(namespace_directory(self.name))
        return DONE
