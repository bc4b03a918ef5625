"""HBase's administrative calls, answered over fake region servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message

from raybase.actors.master_service import MasterService
from raybase.actors.observers import DenyAll
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.namespaces import (
    CreateNamespaceProcedure,
    DeleteNamespaceProcedure,
)
from raybase.actors.procedures.procedure import Procedure
from raybase.errors import (
    AccessDeniedError,
    ConstraintError,
    IllegalArgumentError,
    NamespaceNotFoundError,
    NoSuchFamilyError,
    RaybaseError,
    TableNotFoundError,
    UnknownRegionError,
    UnsupportedOperationError,
)
from raybase.model import (
    CallContext,
    FamilyDescriptor,
    NamespaceDescriptor,
    ServerName,
    TableName,
)
from raybase.rpc import convert, schema
from raybase.rpc.call import Call, Peer
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.rpc.services import SERVICES
from raybase.testing.procedures.cluster import FakeCluster, table

T = table()
NAME = convert.table_name_to_pb(T.name)
METHODS = SERVICES["MasterService"]


class FakeRegistry:
    cluster_id = "the cluster"
    standbys = (ServerName("standby", 1, 1),)


class FakeMaster:
    """What the service uses of actors/master.py, over the cluster's term."""

    server = ServerName("master", 1, 1)
    is_active = True
    registry = FakeRegistry()

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    @property
    def term(self) -> Any:
        return self._cluster.term

    async def perform(self, procedure: Procedure) -> None:
        await self.term.executor.wait(await self.term.executor.submit(procedure))


class Client:
    def __init__(self, cluster: FakeCluster, authorizer: Any = None) -> None:
        self._cluster = cluster
        master: Any = FakeMaster(cluster)
        self._service = MasterService(master, authorizer)

    def call(self, name: str, request: Message) -> Any:
        method = METHODS[name]
        assert isinstance(request, method.request)
        peer = Peer("me", "here", "MasterService", None)
        call = Call(name, request, b"", CallContext(user="me"), peer)

        async def run() -> Any:
            answer = getattr(self._service, method.handler)(call)
            return await answer if hasattr(answer, "__await__") else answer

        reply = self._cluster.on_master(run())
        assert reply is not None
        assert isinstance(reply.message, method.response)
        assert reply.message.IsInitialized()
        return reply.message

    def wait(self, proc_id: int) -> pb.GetProcedureResultResponse:
        self._cluster.settle()
        result = self.call("getProcedureResult", pb.GetProcedureResultRequest(proc_id=proc_id))
        assert isinstance(result, pb.GetProcedureResultResponse)
        assert result.state == pb.GetProcedureResultResponse.FINISHED
        return result

    def create(self, *split_keys: bytes) -> pb.GetProcedureResultResponse:
        request = pb.CreateTableRequest(table_schema=convert.table_to_pb(T), split_keys=split_keys)
        return self.wait(self.call("CreateTable", request).proc_id)


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    yield one
    one.close()


@pytest.fixture
def client(cluster: FakeCluster) -> Client:
    return Client(cluster)


def test_a_table_lives_through_its_calls(cluster: FakeCluster, client: Client) -> None:
    assert not client.create(b"m").HasField("exception")
    names = client.call("GetTableNames", pb.GetTableNamesRequest())
    assert list(names.table_names) == [NAME]
    found = client.call("GetTableDescriptors", pb.GetTableDescriptorsRequest(table_names=[NAME]))
    assert convert.table_from_pb(found.table_schema[0]) == T
    client.wait(client.call("DisableTable", pb.DisableTableRequest(table_name=NAME)).proc_id)
    state = client.call("GetTableState", pb.GetTableStateRequest(table_name=NAME)).table_state
    assert state.state == pb.TableState.DISABLED
    truncate = pb.TruncateTableRequest(tableName=NAME, preserveSplits=True)
    client.wait(client.call("truncateTable", truncate).proc_id)
    cluster.check()
    assert len(cluster.term.assignment.regions_of(T.name)) == 2
    client.wait(client.call("FlushTable", pb.FlushTableRequest(table_name=NAME)).proc_id)
    client.wait(client.call("DisableTable", pb.DisableTableRequest(table_name=NAME)).proc_id)
    client.wait(client.call("EnableTable", pb.EnableTableRequest(table_name=NAME)).proc_id)
    client.wait(client.call("DisableTable", pb.DisableTableRequest(table_name=NAME)).proc_id)
    client.wait(client.call("DeleteTable", pb.DeleteTableRequest(table_name=NAME)).proc_id)
    cluster.check()
    assert not client.call("GetTableNames", pb.GetTableNamesRequest()).table_names


def test_what_went_wrong_is_told_by_its_java_class(client: Client) -> None:
    client.create()
    error = client.create().exception.generic_exception
    assert error.class_name == "org.apache.hadoop.hbase.TableExistsException"


def test_the_same_request_again_is_the_same_procedure(client: Client) -> None:
    request = pb.CreateTableRequest(table_schema=convert.table_to_pb(T), nonce_group=7, nonce=9)
    first = client.call("CreateTable", request).proc_id
    assert client.call("CreateTable", request).proc_id == first
    client.wait(first)
    request.nonce = 10
    assert client.wait(client.call("CreateTable", request).proc_id).HasField("exception")


def test_families_are_added_modified_and_deleted(cluster: FakeCluster, client: Client) -> None:
    client.create(b"m")
    new = convert.family_to_pb(FamilyDescriptor(b"g", max_versions=2))
    add = pb.AddColumnRequest(table_name=NAME, column_families=new)
    client.wait(client.call("AddColumn", add).proc_id)
    with pytest.raises(IllegalArgumentError):
        client.call("AddColumn", add)
    wider = convert.family_to_pb(FamilyDescriptor(b"g", max_versions=5))
    modify = pb.ModifyColumnRequest(table_name=NAME, column_families=wider)
    client.wait(client.call("ModifyColumn", modify).proc_id)
    node = cluster.term.assignment.table(T.name)
    assert node is not None
    family = node.descriptor.family(b"g")
    assert family is not None
    assert family.max_versions == 5
    delete = pb.DeleteColumnRequest(table_name=NAME, column_name=b"g")
    client.wait(client.call("DeleteColumn", delete).proc_id)
    assert all(
        cluster.opened[one.info.encoded_name] == T
        for one in cluster.term.assignment.regions_of(T.name)
    )
    with pytest.raises(NoSuchFamilyError):
        client.call("DeleteColumn", delete)
    cluster.check()


def test_regions_are_split_and_moved(cluster: FakeCluster, client: Client) -> None:
    client.create()
    (node,) = cluster.term.assignment.regions_of(T.name)
    info = convert.region_info_to_pb(node.info)
    split = pb.SplitTableRegionRequest(region_info=info, split_row=b"m")
    assert not client.wait(client.call("SplitRegion", split).proc_id).HasField("exception")
    daughter = cluster.term.assignment.regions_of(T.name)[-1]
    before = daughter.server
    specifier = convert.region_specifier(daughter.info.name)
    client.call("MoveRegion", pb.MoveRegionRequest(region=specifier))
    assert daughter.server != before
    cluster.check()
    gone = convert.region_specifier(daughter.info.name.replace(b"t,m", b"t,x"))
    gone.value = b"t,x,1.0123456789abcdef0123456789abcdef."
    with pytest.raises(UnknownRegionError):
        client.call("MoveRegion", pb.MoveRegionRequest(region=gone))


def test_the_balancer_answers_its_switch_and_its_moves(
    cluster: FakeCluster, client: Client
) -> None:
    client.create(b"c", b"g", b"p", b"t")
    for node in cluster.term.assignment.regions_of(T.name):
        move = pb.MoveRegionRequest(
            region=convert.region_specifier(node.info.name),
            dest_server_name=convert.server_name_to_pb(cluster.term.servers.live()[0].name),
        )
        client.call("MoveRegion", move)
    dry = client.call("Balance", pb.BalanceRequest(dry_run=True))
    assert (dry.moves_calculated, dry.moves_executed) == (3, 0)
    assert client.call("Balance", pb.BalanceRequest()).moves_executed == 3
    assert client.call("Balance", pb.BalanceRequest()).moves_calculated == 0
    made, dry_run = decisions(client)
    assert len(made.region_plans) == len(dry_run.region_plans) == 3
    assert "region count skew falls from" in made.region_plans[0]
    assert made.computed_total_cost < made.init_total_cost
    assert len(decisions(client, limit=1)) == 1
    cluster.check()


def decisions(client: Client, limit: int = 0) -> Any:
    """As HBase's shell asks for them."""
    package = "org.apache.hadoop.hbase.shaded.protobuf.generated.RecentLogs$"
    asked = pb.BalancerDecisionsRequest(limit=limit).SerializeToString()
    request = pb.LogRequest(log_class_name=f"{package}BalancerDecisionsRequest", log_message=asked)
    entry = client.call("GetLogEntries", request)
    assert entry.log_class_name == f"{package}BalancerDecisionsResponse"
    return pb.BalancerDecisionsResponse.FromString(entry.log_message).balancer_decision


def test_only_the_balancers_decisions_are_kept(client: Client) -> None:
    with pytest.raises(UnsupportedOperationError, match="SlowLog"):
        client.call("GetLogEntries", pb.LogRequest(log_class_name="SlowLog", log_message=b""))


def test_switches_are_kept_for_the_next_master(cluster: FakeCluster, client: Client) -> None:
    client.create(b"c", b"g", b"p", b"t")
    off, on = (pb.SetBalancerRunningRequest(on=switch) for switch in (False, True))
    assert client.call("IsBalancerEnabled", pb.IsBalancerEnabledRequest()).enabled
    assert client.call("SetBalancerRunning", off).prev_balance_value
    assert not client.call("SetBalancerRunning", off).prev_balance_value
    off = pb.SetNormalizerRunningRequest(on=False)
    assert client.call("SetNormalizerRunning", off).prev_normalizer_value
    cluster.elect()
    cluster.settle()
    assert not client.call("IsBalancerEnabled", pb.IsBalancerEnabledRequest()).enabled
    assert not client.call("IsNormalizerEnabled", pb.IsNormalizerEnabledRequest()).enabled
    assert not client.call("Balance", pb.BalanceRequest()).balancer_ran
    assert client.call("Balance", pb.BalanceRequest(dry_run=True)).balancer_ran
    assert not client.call("Normalize", pb.NormalizeRequest()).normalizer_ran
    assert not client.call("SetBalancerRunning", on).prev_balance_value
    assert client.call("Balance", pb.BalanceRequest()).balancer_ran


def test_servers_are_drained_listed_and_taken_back(cluster: FakeCluster, client: Client) -> None:
    client.create(b"m")
    node = cluster.term.assignment.regions_of(T.name)[0]
    assert node.server is not None
    victim = convert.server_name_to_pb(node.server)
    drain = pb.DecommissionRegionServersRequest(server_name=[victim], offload=True)
    client.call("DecommissionRegionServers", drain)
    listing = pb.ListDecommissionedRegionServersRequest()
    assert list(client.call("ListDecommissionedRegionServers", listing).server_name) == [victim]
    before = node.server
    cluster.run_until(lambda: node.server != before)
    back = pb.RecommissionRegionServerRequest(server_name=victim)
    back.region.append(convert.region_specifier(b"no such region"))
    with pytest.raises(UnknownRegionError):
        client.call("RecommissionRegionServer", back)
    assert client.call("ListDecommissionedRegionServers", listing).server_name
    back.region[0].CopyFrom(convert.region_specifier(node.info.encoded_name.encode()))
    client.call("RecommissionRegionServer", back)
    assert not client.call("ListDecommissionedRegionServers", listing).server_name
    cluster.run_until(lambda: node.server == before)


def test_the_cluster_shows_itself(cluster: FakeCluster, client: Client) -> None:
    client.create(b"m")
    status = client.call("GetClusterStatus", pb.GetClusterStatusRequest()).cluster_status
    assert status.cluster_id.cluster_id == "the cluster"
    assert len(status.live_servers) == 3
    assert [one.host_name for one in status.backup_masters] == ["standby"]
    by_table = {
        bytes(one.table_name.qualifier): one.region_states_count.open_regions
        for one in status.table_region_states_count
    }
    assert by_table == {b"meta": 1, b"t": 2}
    assert client.call("IsMasterRunning", pb.IsMasterRunningRequest()).is_master_running
    alter = pb.GetSchemaAlterStatusRequest(table_name=NAME)
    assert client.call("GetSchemaAlterStatus", alter).total_regions == 2


def namespace(name: str, **configuration: str) -> pb.NamespaceDescriptor:
    return schema.namespace_to_pb(NamespaceDescriptor(name, configuration))


def create_in(client: Client, name: str) -> Any:
    descriptor = convert.table_to_pb(table(f"{name}:t"))
    created = client.call("CreateTable", pb.CreateTableRequest(table_schema=descriptor))
    return client.wait(created.proc_id).exception.generic_exception


def aborted(client: Client, proc_id: int, *, interrupt: bool = True) -> bool:
    request = pb.AbortProcedureRequest(proc_id=proc_id, mayInterruptIfRunning=interrupt)
    return bool(client.call("AbortProcedure", request).is_procedure_aborted)


def test_what_is_under_way_is_shown_with_its_reason(cluster: FakeCluster, client: Client) -> None:
    client.create()
    (node,) = cluster.term.assignment.regions_of(convert.table_name_from_pb(NAME))
    assert cluster.simulation.pause(cluster.server_at(node.info), 60.0)
    for _ in range(2):
        cluster.submit_and_forget(MoveProcedure(region=node.info))
    executor = cluster.term.executor
    cluster.run_until(
        lambda: any("answer hand_over" in executor.reason(one) for one in executor.unfinished())
    )
    moves = client.call("GetProcedures", pb.GetProceduresRequest()).procedure[-2:]
    assert [one.class_name for one in moves] == ["MoveProcedure"] * 2
    assert [one.state for one in moves] == [pb.RUNNABLE, pb.WAITING]
    assert "to answer hand_over" in moves[0].reason
    assert f"held by procedure {moves[0].proc_id}" in moves[1].reason
    locks = client.call("GetLocks", pb.GetLocksRequest()).lock
    by_kind = {one.resource_type: one for one in locks}
    region = by_kind[pb.REGION]
    assert region.resource_name == node.info.encoded_name
    assert region.exclusive_lock_owner_procedure.proc_id == moves[0].proc_id
    assert [one.proc_id for one in region.waitingProcedures] == [moves[1].proc_id]
    assert by_kind[pb.TABLE].lock_type == pb.SHARED
    assert by_kind[pb.TABLE].shared_lock_count == 1
    assert not aborted(client, moves[0].proc_id)
    assert not aborted(client, moves[1].proc_id + 100)
    assert aborted(client, moves[1].proc_id, interrupt=False)
    status = client.call("GetClusterStatus", pb.GetClusterStatusRequest()).cluster_status
    (transition,) = status.regions_in_transition
    assert f"procedure {moves[0].proc_id} (move" in transition.region_state.reason


def test_namespaces_are_created_altered_and_deleted(client: Client) -> None:
    created = client.call(
        "CreateNamespace", pb.CreateNamespaceRequest(namespaceDescriptor=namespace("a", k="v"))
    )
    assert not client.wait(created.proc_id).HasField("exception")
    asked = pb.GetNamespaceDescriptorRequest(namespaceName="a")
    found = client.call("GetNamespaceDescriptor", asked).namespaceDescriptor
    assert schema.namespace_from_pb(found) == NamespaceDescriptor("a", {"k": "v"})
    changed = pb.ModifyNamespaceRequest(namespaceDescriptor=namespace("a", k="w", x="y"))
    client.wait(client.call("ModifyNamespace", changed).proc_id)
    listed = client.call("ListNamespaceDescriptors", pb.ListNamespaceDescriptorsRequest())
    descriptors = [schema.namespace_from_pb(one) for one in listed.namespaceDescriptor]
    assert descriptors == [
        NamespaceDescriptor("a", {"k": "w", "x": "y"}),
        NamespaceDescriptor("default"),
        NamespaceDescriptor("hbase"),
    ]
    delete = pb.DeleteNamespaceRequest(namespaceName="a")
    client.wait(client.call("DeleteNamespace", delete).proc_id)
    with pytest.raises(NamespaceNotFoundError):
        client.call("GetNamespaceDescriptor", asked)
    names = client.call("ListNamespaces", pb.ListNamespacesRequest()).namespaceName
    assert list(names) == ["default", "hbase"]


def test_the_tables_of_a_namespace_are_listed_and_keep_it(
    client: Client, cluster: FakeCluster
) -> None:
    client.create()
    cluster.perform(CreateNamespaceProcedure(namespace=NamespaceDescriptor("a")))
    assert create_in(client, "a").class_name == ""
    names = pb.ListTableNamesByNamespaceRequest(namespaceName="a")
    found = client.call("ListTableNamesByNamespace", names).tableName
    assert [convert.table_name_from_pb(one) for one in found] == [TableName("a", "t")]
    described = pb.ListTableDescriptorsByNamespaceRequest(namespaceName="a")
    (descriptor,) = client.call("ListTableDescriptorsByNamespace", described).tableSchema
    assert convert.table_from_pb(descriptor) == table("a:t")
    names.namespaceName = "hbase"
    (meta,) = client.call("ListTableNamesByNamespace", names).tableName
    assert convert.table_name_from_pb(meta) == TableName("hbase", "meta")
    delete = pb.DeleteNamespaceRequest(namespaceName="a")
    error = client.wait(client.call("DeleteNamespace", delete).proc_id).exception
    assert error.generic_exception.class_name.endswith("constraint.ConstraintException")
    assert "a:t" in error.generic_exception.message
    names.namespaceName = "none"
    with pytest.raises(NamespaceNotFoundError):
        client.call("ListTableNamesByNamespace", names)


def test_no_table_is_created_where_there_is_no_namespace(client: Client) -> None:
    error = create_in(client, "nowhere")
    assert error.class_name == "org.apache.hadoop.hbase.NamespaceNotFoundException"
    assert "nowhere" in error.message


@pytest.mark.parametrize("name", ["default", "hbase"])
def test_a_namespace_that_always_exists_stays(client: Client, name: str) -> None:
    delete = pb.DeleteNamespaceRequest(namespaceName=name)
    error = client.wait(client.call("DeleteNamespace", delete).proc_id).exception
    assert error.generic_exception.class_name.endswith("constraint.ConstraintException")
    create = pb.CreateNamespaceRequest(namespaceDescriptor=namespace(name))
    error = client.wait(client.call("CreateNamespace", create).proc_id).exception
    assert error.generic_exception.class_name.endswith("hbase.NamespaceExistException")


@pytest.mark.parametrize("name", [b"", b"..", b"a:b", b"a/b", b"\xff", b"-x", b"x" * 300])
def test_hostile_namespaces_are_refused(client: Client, name: bytes) -> None:
    request = pb.CreateNamespaceRequest(namespaceDescriptor=pb.NamespaceDescriptor(name=name))
    with pytest.raises(IllegalArgumentError):
        client.call("CreateNamespace", request)


def test_a_namespace_with_files_that_no_table_has_stays(
    client: Client, cluster: FakeCluster
) -> None:
    cluster.perform(CreateNamespaceProcedure(namespace=NamespaceDescriptor("a")))
    files = cluster.simulation.runtime_for(cluster.master).files
    cluster.on_master(files.write("data/a/t/0123/f/file", [b"data"]))
    with pytest.raises(ConstraintError, match="data/a/t/0123"):
        cluster.perform(DeleteNamespaceProcedure(name="a"))
    assert cluster.on_master(files.exists("data/a/t/0123/f/file"))


@pytest.mark.parametrize("name", ["hbase:x", "..", "a/b", "a\0b", ":", "-x"])
def test_hostile_table_names_are_refused(name: str, client: Client) -> None:
    namespace, _, qualifier = name.rpartition(":")
    schema = convert.table_to_pb(T)
    schema.table_name.namespace = namespace.encode() or b"default"
    schema.table_name.qualifier = qualifier.encode()
    request = pb.CreateTableRequest(table_schema=schema)
    try:
        result = client.wait(client.call("CreateTable", request).proc_id)
    except IllegalArgumentError:
        return
    error = result.exception.generic_exception
    assert error.class_name == "java.lang.IllegalArgumentException"


def test_a_stranger_table_is_not_found(client: Client) -> None:
    with pytest.raises(TableNotFoundError):
        client.call("GetTableState", pb.GetTableStateRequest(table_name=NAME))
    disable = client.call("DisableTable", pb.DisableTableRequest(table_name=NAME))
    error = client.wait(disable.proc_id).exception.generic_exception
    assert error.class_name == "org.apache.hadoop.hbase.TableNotFoundException"


def test_a_pattern_chooses_tables_and_a_bad_one_is_refused(client: Client) -> None:
    client.create()
    assert client.call("GetTableNames", pb.GetTableNamesRequest(regex="t.*")).table_names
    assert not client.call("GetTableNames", pb.GetTableNamesRequest(regex="x.*")).table_names
    system = pb.GetTableNamesRequest(include_sys_tables=True)
    names = [
        convert.table_name_from_pb(one) for one in client.call("GetTableNames", system).table_names
    ]
    assert names == [T.name, TableName("hbase", "meta")]
    with pytest.raises(IllegalArgumentError):
        client.call("GetTableNames", pb.GetTableNamesRequest(regex="("))


@pytest.mark.parametrize("name", METHODS)
def test_a_deny_all_authorizer_refuses_every_call(cluster: FakeCluster, name: str) -> None:
    Client(cluster).create()
    (node,) = cluster.term.assignment.regions_of(T.name)
    request: Any = METHODS[name].request()
    fields = {one.name for one in request.DESCRIPTOR.fields}
    for field, value in (
        ("table_name", NAME),
        ("tableName", NAME),
        ("table_schema", convert.table_to_pb(T)),
        ("namespaceDescriptor", namespace("a")),
        ("region_info", convert.region_info_to_pb(node.info)),
        ("region", convert.region_specifier(node.info.name)),
    ):
        if field in fields:
            place = getattr(request, field)
            (place.append if hasattr(place, "append") else place.CopyFrom)(value)
    if "column_families" in fields:
        request.column_families.CopyFrom(convert.family_to_pb(T.families[0]))
    denied = Client(cluster, DenyAll())
    if not hasattr(denied._service, METHODS[name].handler):
        return
    with pytest.raises(AccessDeniedError):
        denied.call(name, request)


def test_every_refusal_is_one_of_ours(client: Client) -> None:
    for name, method in METHODS.items():
        if hasattr(client._service, method.handler):
            try:
                client.call(name, method.request())
            except RaybaseError:
                continue
            except AssertionError:
                raise
