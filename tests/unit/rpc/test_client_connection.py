from __future__ import annotations

import pytest

from raybase.errors import BadFrameError, NotServingRegionError, UnsupportedOperationError
from raybase.rpc import convert, frames
from raybase.rpc.client import Answer, ClientConnection, registry_answer
from raybase.rpc.codec import COLUMNAR, KEY_VALUE
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.storage.cells import CellBatch


def connection() -> ClientConnection:
    return ClientConnection("ClientService", user="ann")


def get() -> pb.GetRequest:
    region = pb.RegionSpecifier(type=pb.RegionSpecifier.REGION_NAME, value=b"t,,1.ab.")
    return pb.GetRequest(region=region, get=pb.Get(row=b"row"))


def one_cell() -> CellBatch:
    batch = CellBatch()
    batch.append(b"row", b"f", b"q", 1, 4, b"v")
    batch.end_row()
    return batch


def answer(call_id: int, row: bytes = b"v", cells: bytes = b"") -> bytes:
    header = pb.ResponseHeader(call_id=call_id)
    if cells:
        header.cell_block_meta.length = len(cells)
    response = pb.GetResponse(result=pb.Result(exists=row == b"v"))
    return frames.encode_frame(header.SerializeToString(), response.SerializeToString(), cells)


def refusal(call_id: int, error: Exception) -> bytes:
    header = pb.ResponseHeader(call_id=call_id, exception=convert.exception_response(error))
    return frames.encode_frame(header.SerializeToString(), None)


def ids(answers: list[Answer]) -> list[int]:
    return [one.call_id for one in answers]


def test_the_preamble_names_user_service_and_codec() -> None:
    data = ClientConnection("MasterService", user="ann", codec=KEY_VALUE).preamble()
    assert data[:6] == b"HBas\x00\x50"
    assert int.from_bytes(data[6:10], "big") == len(data) - 10
    header = pb.ConnectionHeader.FromString(data[10:])
    assert header.user_info.effective_user == "ann"
    assert header.service_name == "MasterService"
    assert header.cell_block_codec_class == "org.apache.hadoop.hbase.codec.KeyValueCodec"
    assert header.version_info.version_major == 2


def test_a_call_has_the_bytes_of_a_request() -> None:
    call_id, data = connection().call("Get", get(), timeout_s=1.5, priority=3)
    frame = data[4:]
    assert int.from_bytes(data[:4], "big") == len(frame)
    header_data, at = frames.read_delimited(frame, 0)
    assert header_data == pb.RequestHeader(
        call_id=call_id, method_name="Get", request_param=True, priority=3, timeout=1500
    ).SerializeToString(deterministic=True)
    message, at = frames.read_delimited(frame, at)
    assert pb.GetRequest.FromString(message) == get()
    assert at == len(frame)


def test_cells_follow_the_message_and_their_length_stands_in_the_header() -> None:
    _, data = connection().call("Get", get(), one_cell())
    header_data, at = frames.read_delimited(data[4:], 0)
    _, at = frames.read_delimited(data[4:], at)
    block = data[4 + at :]
    assert block == COLUMNAR.encode(one_cell())
    assert pb.RequestHeader.FromString(header_data).cell_block_meta.length == len(block)


def test_answers_come_in_any_order_and_any_pieces() -> None:
    client = connection()
    first, second, third = (client.call("Get", get())[0] for _ in range(3))
    assert client.pending == (first, second, third)
    stream = answer(third) + answer(first) + answer(second)
    found = []
    for at in range(len(stream)):
        found += client.feed(stream[at : at + 1])
    assert ids(found) == [third, first, second]
    assert client.pending == ()


def test_an_answer_brings_its_cells() -> None:
    client = connection()
    call_id, _ = client.call("Get", get())
    (found,) = client.feed(answer(call_id, cells=COLUMNAR.encode(one_cell())))
    assert found.cells is not None
    assert list(found.cells.cells()) == list(one_cell().cells())


def test_an_exception_is_the_answer_of_its_call_alone() -> None:
    client = connection()
    first, second = (client.call("Get", get())[0] for _ in range(2))
    bad, good = client.feed(refusal(first, NotServingRegionError("gone")) + answer(second))
    assert isinstance(bad.error, NotServingRegionError)
    assert good.error is None
    assert good.message.result.exists


def test_the_answer_of_an_abandoned_call_is_thrown_away() -> None:
    client = connection()
    first, second = (client.call("Get", get())[0] for _ in range(2))
    client.abandon(first)
    assert ids(client.feed(answer(first) + answer(second))) == [second]
    assert client.feed(answer(second)) == []


def test_an_error_of_the_connection_ends_it() -> None:
    client = connection()
    client.call("Get", get())
    with pytest.raises(BadFrameError, match="no service"):
        client.feed(refusal(frames.CONNECTION_CALL_ID, BadFrameError("no service")))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x80",
        b"\x02\xff\xff",
        b"\x02\x08\x01",
        b"\x02\x08\x01\x02\xff\xff",
        b"\x02\x08\x01\x05",
    ],
)
def test_what_is_no_answer_is_refused(frame: bytes) -> None:
    client = connection()
    client.call("Get", get())
    with pytest.raises(BadFrameError):
        client.feed(len(frame).to_bytes(4, "big") + frame)


def test_a_cell_block_of_another_length_is_refused() -> None:
    client = connection()
    call_id, _ = client.call("Get", get())
    data = answer(call_id, cells=b"12345") + b""
    cut = (len(data) - 4 - 1).to_bytes(4, "big") + data[4:-1]
    with pytest.raises(BadFrameError, match="announced as 5"):
        client.feed(cut)


def test_a_call_that_the_service_does_not_have_is_refused_before_it_is_sent() -> None:
    client = connection()
    with pytest.raises(UnsupportedOperationError, match="ClientService has no method Fly"):
        client.call("Fly", get())
    with pytest.raises(BadFrameError, match="without a codec"):
        ClientConnection("ClientService", user="ann", codec=None).call("Get", get(), b"cells")
    assert client.pending == ()


def test_the_registrys_answer_is_read_when_it_is_whole() -> None:
    header = pb.ResponseHeader(call_id=frames.CONNECTION_CALL_ID).SerializeToString()
    response = pb.GetConnectionRegistryResponse(cluster_id="abc")
    data = frames.encode_frame(header, response.SerializeToString())
    assert registry_answer(data[:-1]) is None
    assert registry_answer(data) == "abc"
    with pytest.raises(BadFrameError, match="Expected HEADER="):
        registry_answer(refusal(frames.CONNECTION_CALL_ID, BadFrameError("Expected HEADER=HBas")))
