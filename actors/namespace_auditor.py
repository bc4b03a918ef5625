"""Quotas of namespaces: how many tables and regions one may have.

Source: NamespaceAuditor.java, NamespaceStateManager.java, TableNamespaceManager.java. HBase
counts as it goes; here the tables and regions that are there are counted, and those that
procedures under way are about to add.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..errors import ConstraintError, IllegalArgumentError, QuotaExceededError
from ..model import NamespaceDescriptor, RegionInfo, TableName
from .assignment import TransitionState

if TYPE_CHECKING:
    from .procedures.environment import MasterEnvironment

MAX_TABLES: Final = "hbase.namespace.quota.maxtables"
MAX_REGIONS: Final = "hbase.namespace.quota.maxregions"


def check_limits(namespace: NamespaceDescriptor) -> None:
    """Whether what is set for the namespace can be its quotas.

    Raises IllegalArgumentError for what is no number, ConstraintError for 0 and less.
    """
    for key in (MAX_TABLES, MAX_REGIONS):
        limit = _limit(namespace, key)
        if limit is not None and limit <= 0:
            raise ConstraintError(
                f"namespace {namespace.name!r}: {key} must be above 0, not {limit}; leave it out "
                "for no limit"
            )


def check_new_table(environment: MasterEnvironment, table: TableName, regions: int) -> None:
    """Raises QuotaExceededError if its namespace may not have this table too."""
    namespace = _audited(environment, table)
    if namespace is None:
        return
    tables_max, regions_max = _limit(namespace, MAX_TABLES), _limit(namespace, MAX_REGIONS)
    if tables_max is not None and len(_tables(environment, namespace.name)) >= tables_max:
        raise QuotaExceededError(
            f"table {table} cannot be made: namespace {namespace.name!r} may have {tables_max} "
            f"tables ({MAX_TABLES}), and has them"
        )
    present = _regions(environment, namespace.name)
    if regions_max is not None and present + regions > regions_max:
        raise QuotaExceededError(
            f"table {table} cannot have {regions} regions: namespace {namespace.name!r} may have "
            f"{regions_max} ({MAX_REGIONS}), and has {present}, with those that are about to be"
        )


def check_split(environment: MasterEnvironment, region: RegionInfo) -> None:
    """Raises QuotaExceededError if the namespace may not have one region more."""
    namespace = _audited(environment, region.table)
    regions_max = None if namespace is None else _limit(namespace, MAX_REGIONS)
    if namespace is None or regions_max is None:
        return
    present = _regions(environment, namespace.name)
    if present >= regions_max:
        raise QuotaExceededError(
            f"region {region} cannot be split: namespace {namespace.name!r} may have {regions_max} "
            f"regions ({MAX_REGIONS}), and has {present}, with those that are about to be"
        )


def _audited(environment: MasterEnvironment, table: TableName) -> NamespaceDescriptor | None:
    """The table's namespace, if quotas hold."""
    if not environment.config.master.quotas:
        return None
    return environment.assignment.namespace(table.namespace)


def _limit(namespace: NamespaceDescriptor, key: str) -> int | None:
    text = namespace.configuration.get(key, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise IllegalArgumentError(
            f"namespace {namespace.name!r}: {key} is a number, not {text!r}"
        ) from None


def _tables(environment: MasterEnvironment, namespace: str) -> dict[TableName, None]:
    known = environment.assignment.tables_of(namespace)
    tables = {one.descriptor.name: None for one in known}
    tables.update((one.table, None) for one in _to_come(environment, namespace))
    return tables


def _regions(environment: MasterEnvironment, namespace: str) -> int:
    """Without split parents: their daughters have taken their place."""
    present = sum(
        node.state != TransitionState.SPLIT and not node.info.split
        for table in environment.assignment.tables_of(namespace)
        for node in environment.assignment.regions_of(table.descriptor.name)
    )
    return present + sum(1 for _ in _to_come(environment, namespace))


def _to_come(environment: MasterEnvironment, namespace: str) -> Iterator[RegionInfo]:
    """Regions that are not in hbase:meta yet and that procedures under way will enter there."""
    for procedure in environment.executor.unfinished():
        for region in procedure.additions():
            known = environment.assignment.region(region.encoded_name)
            if known is None and region.table.namespace == namespace:
                yield region
