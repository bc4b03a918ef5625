"""What stands on the path of every call: the right to make it, and observers of regions.

Both are empty by default. The server asks the authorizer for every call it answers, before
anything is read or changed; observers see a region's calls around the region's own work.
Source: AccessController.java, RegionObserver.java.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from ..errors import AccessDeniedError
from ..model import CallContext, RegionInfo, TableName
from ..operations import Columns, Get, Mutation, Scan
from ..storage.cells import CellBatch


class Action(StrEnum):
    """What a call wants to do (HBase's permission letters)."""

    READ = "R"
    WRITE = "W"
    EXEC = "X"
    CREATE = "C"
    ADMIN = "A"


class Authorizer(Protocol):
    """Decides on each call; the default is to have none."""

    def authorize(
        self,
        context: CallContext,
        action: Action,
        table: TableName | None,
        family: bytes | None = None,
        qualifiers: Sequence[bytes] | None = None,
    ) -> None:
        """Returns if the call may be made. ``table`` None: it concerns the cluster;
        ``family`` None: all families; ``qualifiers`` None: all columns of the family.

        Raises AccessDeniedError otherwise.
        """
        ...


class DenyAll:
    """Refuses everything: shows that no call goes round the authorizer."""

    def authorize(
        self,
        context: CallContext,
        action: Action,
        table: TableName | None,
        family: bytes | None = None,
        qualifiers: Sequence[bytes] | None = None,
    ) -> None:
        where = "the cluster" if table is None else f"table {table}"
        raise AccessDeniedError(f"user {context.user!r} may not {action.name} {where}")


class RegionObserver:
    """Hooks around a region's calls; a subclass overrides what it wants to see.

    A hook before the work may raise an error of ``raybase.errors`` to refuse the call. All
    hooks run on the loop and must be short.
    """

    def before_get(self, context: CallContext, region: RegionInfo, get: Get) -> None:
        """Before a row is read."""

    def after_get(
        self, context: CallContext, region: RegionInfo, get: Get, result: CellBatch
    ) -> None:
        """After a row was read, before it is answered."""

    def before_mutate(
        self, context: CallContext, region: RegionInfo, mutations: Sequence[Mutation]
    ) -> None:
        """Before rows are changed, and before the condition of a checked mutation is read."""

    def after_mutate(
        self, context: CallContext, region: RegionInfo, mutations: Sequence[Mutation]
    ) -> None:
        """After the change was made durable and visible, before it is answered."""

    def before_scan(self, context: CallContext, region: RegionInfo, scan: Scan) -> None:
        """Before a scanner is opened."""


def authorize_columns(
    authorizer: Authorizer,
    context: CallContext,
    action: Action,
    table: TableName,
    columns: Columns,
) -> None:
    """Asks for every family of a selection. Raises AccessDeniedError."""
    if not columns:
        authorizer.authorize(context, action, table)
    for family, qualifiers in columns.items():
        authorizer.authorize(context, action, table, family, qualifiers)


def authorize_mutation(
    authorizer: Authorizer, context: CallContext, table: TableName, mutation: Mutation
) -> None:
    """Asks for every family that is changed. Raises AccessDeniedError."""
    columns: dict[bytes, tuple[bytes, ...] | None] = {}
    for family, qualifier, *_ in mutation.cells:
        columns[family] = (*(columns.get(family) or ()), qualifier)
    authorize_columns(authorizer, context, Action.WRITE, table, columns)
