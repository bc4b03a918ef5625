"""What no server may accept, sent to a real one past every check of our own client.

Each is answered by an error that HBase's clients know by name, nothing of it is applied, and the
server serves on.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from raybase import connect
from raybase.actors.ray_cluster import RayCluster
from raybase.config import ClusterConfig
from raybase.errors import BadFrameError, ConnectionLostError, RaybaseError, RequestTooBigError
from raybase.rpc.client import ClientConnection
from raybase.rpc.proto import hbase_pb2 as pb

from .conftest import SETTINGS

ILLEGAL = "java.lang.IllegalArgumentException"
DO_NOT_RETRY = "org.apache.hadoop.hbase.DoNotRetryIOException"
NO_FAMILY = "org.apache.hadoop.hbase.regionserver.NoSuchColumnFamilyException"
FRAME_BYTES_MAX = 16 * 2**20


class Target:
    """A cluster with one table of one row, and raw calls to its servers."""

    def __init__(self, cluster: RayCluster) -> None:
        self.cluster = cluster
        self.connection = connect(cluster.addresses())
        self.connection.admin.create_table("t", ["f"])
        self.connection.table("t").put("kept", {"f:q": b"as it was"})
        self.region = self.connection.admin.regions("t")[0].region.name
        registry = cluster.registry()
        server = registry.region_servers[0].server
        self.server = (server.host, server.port)
        assert registry.master is not None
        self.master = (registry.master.server.host, registry.master.server.port)

    def ask(self, service: str, method: str, request: Any) -> Any:
        """The message that is answered to a call. Raises the error, if it is one."""
        address = self.master if service == "MasterService" else self.server
        connection = ClientConnection(service, user="stranger")
        with socket.create_connection(address, timeout=10) as stream:
            stream.sendall(connection.preamble() + connection.call(method, request)[1])
            while True:
                data = stream.recv(65536)
                if not data:
                    raise ConnectionLostError("closed")
                for answer in connection.feed(data):
                    if answer.error is not None:
                        raise answer.error
                    return answer.message

    def put(self, row: bytes, family: bytes, timestamp: int | None, value: bytes) -> Any:
        mutation = pb.MutationProto(row=row, mutate_type=pb.MutationProto.PUT)
        column = mutation.column_value.add(family=family)
        cell = column.qualifier_value.add(qualifier=b"q", value=value)
        if timestamp is not None:
            cell.timestamp = timestamp
        region = pb.RegionSpecifier(type=pb.RegionSpecifier.REGION_NAME, value=self.region)
        return pb.MutateRequest(region=region, mutation=mutation)

    def assert_unharmed(self) -> None:
        """The very same rows are there, and both servers answer."""
        rows = {one.row: one[b"f:q"] for one in self.connection.table("t").scan()}
        assert rows == {b"kept": b"as it was"}
        assert [str(one) for one in self.connection.admin.tables()] == ["t"]


@pytest.fixture(scope="module")
def target(ray_cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    config = ClusterConfig().with_settings(
        {
            **SETTINGS,
            "master.region_servers": "1",
            "rpc.frame_bytes_max": str(FRAME_BYTES_MAX),
        }
    )
    cluster = RayCluster.start(
        tmp_path_factory.mktemp("root"),
        config,
        address=ray_cluster.address,
        namespace="bad-input",
        masters=1,
    )
    found = Target(cluster)
    yield found
    found.connection.close()
    cluster.stop()


@pytest.mark.parametrize(
    ("row", "family", "timestamp", "value", "java_class"),
    [
        (b"x" * 32768, b"f", None, b"v", ILLEGAL),
        (b"", b"f", None, b"v", ILLEGAL),
        (b"row", b"nope", None, b"v", NO_FAMILY),
        (b"row", b"f:", None, b"v", NO_FAMILY),
        (b"row", b"", None, b"v", NO_FAMILY),
        (b"row", b"f", 2**64 - 1, b"v", ILLEGAL),
        (b"row", b"f", None, b"v" * (10 * 2**20 + 1), DO_NOT_RETRY),
    ],
    ids=[
        "row over 32,767 bytes",
        "empty row",
        "unknown family",
        "family with a colon",
        "empty family",
        "negative timestamp",
        "cell over 10 MiB",
    ],
)
def test_a_put_that_cannot_be_is_refused_by_name(
    target: Target, row: bytes, family: bytes, timestamp: int | None, value: bytes, java_class: str
) -> None:
    with pytest.raises(RaybaseError) as refused:
        target.ask("ClientService", "Mutate", target.put(row, family, timestamp, value))
    assert refused.value.java_class == java_class
    assert refused.value.do_not_retry
    target.assert_unharmed()


@pytest.mark.parametrize(
    ("namespace", "qualifier", "family"),
    [
        (b"default", b"..", b"f"),
        (b"default", b"../../etc", b"f"),
        (b"default", b"a/b", b"f"),
        (b"default", b"a\0b", b"f"),
        (b"default", b"", b"f"),
        (b"..", b"t2", b"f"),
        (b"hbase", b"mine", b"f"),
        (b"default", b"t2", b"f:q"),
        (b"default", b"t2", b""),
    ],
)
def test_a_table_that_cannot_be_is_refused_by_name(
    target: Target, namespace: bytes, qualifier: bytes, family: bytes
) -> None:
    schema = pb.TableSchema(
        table_name=pb.TableName(namespace=namespace, qualifier=qualifier),
        column_families=[pb.ColumnFamilySchema(name=family)],
    )
    request = pb.CreateTableRequest(table_schema=schema)
    try:
        created = target.ask("MasterService", "CreateTable", request)
    except RaybaseError as error:
        java_class = error.java_class
    else:
        # What a look at the request does not tell, its procedure does.
        asked = pb.GetProcedureResultRequest(proc_id=created.proc_id)
        result = target.ask("MasterService", "getProcedureResult", asked)
        java_class = result.exception.generic_exception.class_name
    assert java_class in (ILLEGAL, DO_NOT_RETRY)
    target.assert_unharmed()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HBas\x00\x51",
        b"HBas\x07\x50",
        b"HBas\x00\x50" + struct.pack(">i", -5),
        b"HBas\x00\x50" + struct.pack(">i", 3) + b"\xff\xff\xff",
        b"\x00" * 64,
    ],
)
def test_bytes_that_are_no_call_end_their_connection_alone(target: Target, data: bytes) -> None:
    with socket.create_connection(target.server, timeout=10) as stream:
        stream.sendall(data)
        stream.shutdown(socket.SHUT_WR)
        received = b""
        while more := stream.recv(65536):
            received += more
    assert len(received) < 4096
    target.assert_unharmed()


def test_an_oversized_frame_is_refused_before_it_is_read(target: Target) -> None:
    connection = ClientConnection("ClientService", user="stranger")
    with socket.create_connection(target.server, timeout=10) as stream:
        stream.sendall(connection.preamble() + struct.pack(">i", FRAME_BYTES_MAX + 1))
        stream.sendall(b"\x05\x08\x01\x1a\x01x" + b"\0" * 4096)
        try:
            while data := stream.recv(65536):
                for answer in connection.feed(data):
                    assert isinstance(answer.error, RequestTooBigError)
        except (OSError, BadFrameError, RequestTooBigError):
            pass
    target.assert_unharmed()
