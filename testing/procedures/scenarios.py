"""What masters are killed over: one scenario, or more, for every kind of procedure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ...actors.procedures.adopt import AdoptRegionProcedure
from ...actors.procedures.alter import AlterTableProcedure
from ...actors.procedures.assign import AssignProcedure, ReopenProcedure, UnassignProcedure
from ...actors.procedures.clean_parent import CleanParentProcedure
from ...actors.procedures.flush import FlushTableProcedure
from ...actors.procedures.merge import CleanMergeParentsProcedure, MergeProcedure
from ...actors.procedures.move import MoveProcedure
from ...actors.procedures.namespaces import (
    CreateNamespaceProcedure,
    DeleteNamespaceProcedure,
    ModifyNamespaceProcedure,
)
from ...actors.procedures.procedure import Procedure
from ...actors.procedures.split import SplitProcedure
from ...actors.procedures.tables import (
    CreateTableProcedure,
    DeleteTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
    TruncateTableProcedure,
)
from ...model import (
    Durability,
    FamilyDescriptor,
    NamespaceDescriptor,
    RegionInfo,
    TableDescriptor,
    TableName,
)
from .cluster import FakeCluster

Make = Callable[[FakeCluster], Procedure]
Step = Callable[[FakeCluster], None]

TABLE: Final = TableDescriptor(
    TableName("default", "t"),
    (
        FamilyDescriptor(b"f", max_versions=3, attributes={"A": "1"}, configuration={"B": "2"}),
        FamilyDescriptor(b"g", ttl_s=60),
    ),
    durability=Durability.ASYNC_WAL,
    flush_bytes=1 << 20,
    attributes={"OWNER": "somebody"},
    configuration={"hbase.hstore.blockingStoreFiles": "20"},
)
ALTERED: Final = TableDescriptor(
    TABLE.name,
    (FamilyDescriptor(b"f", max_versions=5), FamilyDescriptor(b"h")),
    configuration={"hbase.hstore.blockingStoreFiles": "30"},
)
"""One family is changed, one is gone, one is new."""
NAMESPACE: Final = NamespaceDescriptor("n", {"k": "v"})
SPLIT_KEYS: Final = (b"m",)


@dataclass(frozen=True, slots=True)
class Scenario:
    """``prepare`` runs undisturbed; masters are killed over the procedure that ``make`` makes,
    or over what ``provoke`` brings about."""

    kind: str
    """Of the procedure that it is about."""
    prepare: tuple[Step, ...] = ()
    make: Make | None = None
    provoke: Step | None = None


def regions(cluster: FakeCluster) -> list[RegionInfo]:
    return [node.info for node in cluster.term.assignment.regions_of(TABLE.name)]


# -- preparations --------------------------------------------------------------------------


def create(cluster: FakeCluster) -> None:
    """A table of two regions, which have something in memory."""
    cluster.perform(make_create(cluster))
    cluster.unflushed.update((one.encoded_name, None) for one in regions(cluster))


def create_namespace(cluster: FakeCluster) -> None:
    cluster.perform(CreateNamespaceProcedure(namespace=NAMESPACE))


def create_in_namespace(cluster: FakeCluster) -> None:
    table = replace(TABLE, name=TableName(NAMESPACE.name, "t"))
    cluster.perform(CreateTableProcedure(table=table.name, descriptor=table))


def flush(cluster: FakeCluster) -> None:
    cluster.perform(FlushTableProcedure(table=TABLE.name))


def disable(cluster: FakeCluster) -> None:
    cluster.perform(DisableTableProcedure(table=TABLE.name))


def split(cluster: FakeCluster) -> None:
    cluster.perform(make_split(cluster))


def merge(cluster: FakeCluster) -> None:
    cluster.perform(make_merge(cluster))


def compact(cluster: FakeCluster) -> None:
    for one in regions(cluster):
        cluster.compact(one)


def close_first(cluster: FakeCluster) -> None:
    """The first region is closed, against the table's state: the master will open it soon."""
    cluster.perform(UnassignProcedure(region=regions(cluster)[0]))


def lose_first(cluster: FakeCluster) -> None:
    """Closed, and forgotten by hbase:meta: its files are all that is left of it."""
    info = regions(cluster)[0]
    close_first(cluster)
    cluster.lose(info)


def forbid_closing_for_a_second(cluster: FakeCluster) -> None:
    cluster.cannot_close.append(regions(cluster)[0].encoded_name)
    cluster.simulation.later(1.0, cluster.cannot_close.clear)


def forbid_altered(cluster: FakeCluster) -> None:
    cluster.cannot_open_as = ALTERED


def forbid_split(cluster: FakeCluster) -> None:
    cluster.cannot_split.append(regions(cluster)[0].encoded_name)


def forbid_opening_at_its_server(cluster: FakeCluster) -> None:
    info = regions(cluster)[0]
    cluster.cannot_open[cluster.server_at(info)] = [info.encoded_name]


def forbid_opening_anywhere_else(cluster: FakeCluster) -> None:
    info = regions(cluster)[0]
    for name in cluster.live():
        cluster.cannot_open.setdefault(name, []).append(info.encoded_name)


def find_middle(cluster: FakeCluster) -> None:
    cluster.split_rows[regions(cluster)[0].encoded_name] = b"c"


# -- procedures ----------------------------------------------------------------------------


def make_create(cluster: FakeCluster) -> Procedure:
    return CreateTableProcedure(table=TABLE.name, descriptor=TABLE, split_keys=SPLIT_KEYS)


def make_split(cluster: FakeCluster) -> Procedure:
    return SplitProcedure(region=regions(cluster)[0], row=b"c")


def make_merge(cluster: FakeCluster) -> Procedure:
    return MergeProcedure(regions=tuple(regions(cluster)))


def make_move(cluster: FakeCluster) -> Procedure:
    return _move(cluster, regions(cluster)[0])


def make_move_of_meta(cluster: FakeCluster) -> Procedure:
    return _move(cluster, cluster.term.assignment.meta.info)


def _move(cluster: FakeCluster, info: RegionInfo) -> MoveProcedure:
    at = cluster.server_at(info)
    target = next(one.name for one in reversed(cluster.term.servers.live()) if one.process != at)
    return MoveProcedure(region=info, destination=str(target))


def make_clean_parent(cluster: FakeCluster) -> Procedure:
    parent = next(one for one in regions(cluster) if one.split)
    return CleanParentProcedure(region=parent)


# -- what nobody asks for ------------------------------------------------------------------


def kill_server_of_meta(cluster: FakeCluster) -> None:
    cluster.kill_server(cluster.server_at(cluster.term.assignment.meta.info))


def kill_another_server(cluster: FakeCluster) -> None:
    at_meta = cluster.server_at(cluster.term.assignment.meta.info)
    cluster.kill_server(next(name for name in cluster.live() if name != at_meta))


def kill_all_servers(cluster: FakeCluster) -> None:
    for name in cluster.live():
        cluster.kill_server(name)


SCENARIOS: Final[dict[str, Scenario]] = {
    "create": Scenario("create", (), make_create),
    "create of what exists": Scenario("create", (create,), make_create),
    "delete": Scenario(
        "delete", (create, flush, disable), lambda _: DeleteTableProcedure(table=TABLE.name)
    ),
    "delete after a split": Scenario(
        "delete", (create, split, disable), lambda _: DeleteTableProcedure(table=TABLE.name)
    ),
    "truncate": Scenario(
        "truncate", (create, disable), lambda _: TruncateTableProcedure(table=TABLE.name)
    ),
    "truncate, splits preserved": Scenario(
        "truncate",
        (create, split, disable),
        lambda _: TruncateTableProcedure(table=TABLE.name, preserve_splits=True),
    ),
    "enable": Scenario(
        "enable", (create, disable), lambda _: EnableTableProcedure(table=TABLE.name)
    ),
    "disable": Scenario("disable", (create,), lambda _: DisableTableProcedure(table=TABLE.name)),
    "alter": Scenario(
        "alter",
        (create, flush),
        lambda _: AlterTableProcedure(table=TABLE.name, descriptor=ALTERED),
    ),
    "alter of a disabled table": Scenario(
        "alter",
        (create, disable),
        lambda _: AlterTableProcedure(table=TABLE.name, descriptor=ALTERED),
    ),
    "alter with which no region opens": Scenario(
        "alter",
        (create, forbid_altered),
        lambda _: AlterTableProcedure(table=TABLE.name, descriptor=ALTERED),
    ),
    "flush": Scenario("flush", (create,), lambda _: FlushTableProcedure(table=TABLE.name)),
    "create a namespace": Scenario(
        "create_namespace", (), lambda _: CreateNamespaceProcedure(namespace=NAMESPACE)
    ),
    "alter a namespace": Scenario(
        "modify_namespace",
        (create_namespace,),
        lambda _: ModifyNamespaceProcedure(namespace=NamespaceDescriptor("n", {"k": "w"})),
    ),
    "delete a namespace": Scenario(
        "delete_namespace", (create_namespace,), lambda _: DeleteNamespaceProcedure(name="n")
    ),
    "delete a namespace with a table": Scenario(
        "delete_namespace",
        (create_namespace, create_in_namespace),
        lambda _: DeleteNamespaceProcedure(name="n"),
    ),
    "assign": Scenario(
        "assign", (create, close_first), lambda c: AssignProcedure(region=regions(c)[0])
    ),
    "assign of what is open": Scenario(
        "assign", (create,), lambda c: AssignProcedure(region=regions(c)[0])
    ),
    "unassign": Scenario("unassign", (create,), lambda c: UnassignProcedure(region=regions(c)[0])),
    "reopen": Scenario("reopen", (create,), lambda c: ReopenProcedure(region=regions(c)[0])),
    "reopen where it cannot be": Scenario(
        "reopen",
        (create, forbid_opening_at_its_server),
        lambda c: ReopenProcedure(region=regions(c)[0]),
    ),
    "move": Scenario("move", (create,), make_move),
    "move of meta": Scenario("move", (create,), make_move_of_meta),
    "move that is refused": Scenario("move", (create, forbid_opening_anywhere_else), make_move),
    "split": Scenario("split", (create,), make_split),
    "split by policy": Scenario(
        "split", (create, find_middle), lambda c: SplitProcedure(region=regions(c)[0])
    ),
    "split that fails": Scenario("split", (create, forbid_split), make_split),
    "merge": Scenario("merge", (create,), make_merge),
    "clean a split parent": Scenario("clean_parent", (create, split, compact), make_clean_parent),
    "leave a split parent": Scenario("clean_parent", (create, split), make_clean_parent),
    "clean merge parents": Scenario(
        "clean_merge_parents",
        (create, merge, compact),
        lambda c: CleanMergeParentsProcedure(region=regions(c)[0]),
    ),
    "adopt a lost region": Scenario(
        "adopt_region",
        (create, lose_first),
        lambda c: AdoptRegionProcedure(region=c.lost[0]),
    ),
    "adopt what is not lost": Scenario(
        "adopt_region", (create,), lambda c: AdoptRegionProcedure(region=regions(c)[0])
    ),
    "disable what cannot be closed at first": Scenario(
        "disable",
        (create, forbid_closing_for_a_second),
        lambda _: DisableTableProcedure(table=TABLE.name),
    ),
    "server crash": Scenario("server_crash", (create,), provoke=kill_another_server),
    "server crash with meta": Scenario("server_crash", (create,), provoke=kill_server_of_meta),
    "crash of all servers": Scenario("server_crash", (create,), provoke=kill_all_servers),
}
