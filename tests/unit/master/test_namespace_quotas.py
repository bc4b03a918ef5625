"""A namespace has no more tables and regions than its quotas allow, whoever asks at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from raybase.actors.namespace_auditor import MAX_REGIONS, MAX_TABLES
from raybase.actors.procedures.merge import MergeProcedure
from raybase.actors.procedures.namespaces import (
    CreateNamespaceProcedure,
    ModifyNamespaceProcedure,
)
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import (
    CreateTableProcedure,
    DeleteTableProcedure,
    DisableTableProcedure,
)
from raybase.errors import ConstraintError, IllegalArgumentError, QuotaExceededError
from raybase.model import NamespaceDescriptor, RegionInfo, TableDescriptor, TableName
from raybase.testing.procedures.cluster import FakeCluster, table

A, B = TableName("n", "a"), TableName("n", "b")


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    yield one
    one.close()


def make(cluster: FakeCluster, **quotas: int | str) -> None:
    keys = {"tables": MAX_TABLES, "regions": MAX_REGIONS}
    configuration = {keys[name]: str(value) for name, value in quotas.items()}
    namespace = NamespaceDescriptor("n", configuration)
    known = cluster.term.assignment.namespace("n")
    kind = CreateNamespaceProcedure if known is None else ModifyNamespaceProcedure
    cluster.perform(kind(namespace=namespace))


def described(name: TableName) -> TableDescriptor:
    return replace(table(), name=name)


def creation(name: TableName, *split_keys: bytes) -> CreateTableProcedure:
    return CreateTableProcedure(table=name, descriptor=described(name), split_keys=split_keys)


def whole(cluster: FakeCluster, name: TableName) -> list[RegionInfo]:
    nodes = cluster.term.assignment.regions_of(name)
    return [node.info for node in nodes if not node.info.split]


def test_a_table_too_many_is_refused_and_leaves_nothing(cluster: FakeCluster) -> None:
    make(cluster, tables=1)
    cluster.perform(creation(A))
    with pytest.raises(QuotaExceededError, match=r"may have 1 tables .*maxtables"):
        cluster.perform(creation(B))
    assert cluster.term.assignment.table(B) is None
    cluster.check()
    cluster.perform(DisableTableProcedure(table=A))
    cluster.perform(DeleteTableProcedure(table=A))
    cluster.perform(creation(B))
    cluster.perform(CreateTableProcedure(table=table().name, descriptor=table(), split_keys=()))
    cluster.check()


def test_a_table_with_regions_too_many_is_refused(cluster: FakeCluster) -> None:
    make(cluster, regions=4)
    cluster.perform(creation(A, b"m"))
    with pytest.raises(QuotaExceededError, match=r"cannot have 3 regions.* and has 2"):
        cluster.perform(creation(B, b"g", b"m"))
    cluster.perform(creation(B, b"g"))
    cluster.check()


def test_a_split_too_many_is_refused_and_the_region_goes_on(cluster: FakeCluster) -> None:
    make(cluster, regions=2)
    cluster.perform(creation(A))
    (first,) = whole(cluster, A)
    cluster.perform(SplitProcedure(region=first, row=b"m"))
    lower, upper = whole(cluster, A)
    with pytest.raises(QuotaExceededError, match="cannot be split"):
        cluster.perform(SplitProcedure(region=lower, row=b"g"))
    cluster.check()
    cluster.perform(MergeProcedure(regions=(lower, upper)))
    (merged,) = whole(cluster, A)
    cluster.perform(SplitProcedure(region=merged, row=b"g"))
    cluster.check()


def test_a_wish_for_a_split_too_many_begins_no_procedure(cluster: FakeCluster) -> None:
    make(cluster, regions=1)
    cluster.perform(creation(A))
    (only,) = whole(cluster, A)
    updates = cluster.store.updates
    cluster.on_master(cluster.term.request_split(only.encoded_name))
    assert cluster.store.updates == updates
    make(cluster)
    cluster.split_rows[only.encoded_name] = b"m"
    cluster.on_master(cluster.term.request_split(only.encoded_name))
    cluster.settle()
    assert len(whole(cluster, A)) == 2


def test_of_many_that_ask_at_once_only_as_many_as_fit_are_served(cluster: FakeCluster) -> None:
    make(cluster, tables=3, regions=5)
    names = [TableName("n", f"t{number}") for number in range(6)]
    for name in names:
        cluster.submit(creation(name))
    cluster.settle()
    made = [name for name in names if cluster.term.assignment.table(name)]
    assert len(made) == 3
    for name in made:
        cluster.submit(SplitProcedure(region=whole(cluster, name)[0], row=b"m"))
    cluster.settle()
    assert sum(len(whole(cluster, name)) for name in made) == 5
    cluster.check()


def test_the_next_master_holds_the_namespace_to_its_quota(cluster: FakeCluster) -> None:
    make(cluster, tables=1)
    cluster.kill_master_at(2, before=False)
    cluster.submit(creation(A))
    cluster.run_until(lambda: not cluster.master_lives())
    cluster.elect()
    cluster.settle()
    cluster.submit(creation(B))
    cluster.settle()
    made = [name for name in (A, B) if cluster.term.assignment.table(name)]
    assert made == [A]
    cluster.check()


def test_a_quota_below_what_there_is_removes_nothing(cluster: FakeCluster) -> None:
    make(cluster)
    cluster.perform(creation(A, b"m"))
    make(cluster, tables=1, regions=1)
    with pytest.raises(QuotaExceededError):
        cluster.perform(creation(B))
    assert len(whole(cluster, A)) == 2
    cluster.check()


@pytest.mark.parametrize("key", ["tables", "regions"])
def test_what_cannot_be_a_quota_is_refused(cluster: FakeCluster, key: str) -> None:
    for value in (0, -1):
        with pytest.raises(ConstraintError, match="above 0"):
            make(cluster, **{key: value})
    with pytest.raises(IllegalArgumentError, match="is a number"):
        make(cluster, **{key: "many"})
    assert cluster.term.assignment.namespace("n") is None
    make(cluster, **{key: ""})


def test_nothing_is_counted_if_quotas_are_switched_off() -> None:
    cluster = FakeCluster()
    try:
        config = cluster.config
        cluster.config = replace(config, master=replace(config.master, quotas=False))
        cluster.elect()
        cluster.settle()
        make(cluster, tables=1, regions=1)
        cluster.perform(creation(A))
        cluster.perform(creation(B, b"m"))
        cluster.check()
    finally:
        cluster.close()
