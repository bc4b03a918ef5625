from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from raybase.errors import (
    BadFrameError,
    CallQueueTooBigError,
    FencedError,
    IllegalArgumentError,
    NotServingRegionError,
    RaybaseError,
    RequestTooBigError,
    UnsupportedOperationError,
)
from raybase.rpc import frames
from raybase.rpc.call import Call, Reply
from raybase.rpc.client import ClientConnection, registry_answer
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.rpc.server import RpcServer

Run = Callable[..., None]


def later(gate: asyncio.Event) -> Callable[[Call], Awaitable[Reply]]:
    """A handler that answers when ``gate`` is set."""

    async def handler(call: Call) -> Reply:
        await gate.wait()
        return Reply(pb.GetResponse(result=pb.Result(exists=call.request.get.row == b"a")))

    return handler


def test_a_call_is_answered_with_its_cells(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        call_id = link.call("Get", harness.get(b"row"))
        await harness.settle()
        (answer,) = link.answers()
        assert answer.call_id == call_id
        assert list(answer.cells.cells()) == [(b"row", b"f", b"q", 7, 4, b"value")]

    run_server(story)


def test_a_handler_learns_who_calls_and_until_when(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        link.call("Get", harness.get(), timeout_s=2.5, priority=7)
        (call,) = harness.services.calls
        assert call.context.user == "ann"
        assert call.context.deadline_s == harness.clock.s + 2.5
        assert call.context.priority == 7
        assert call.peer.address == "10.0.0.1:4321"
        assert call.method == "Get"

    run_server(story)


def test_a_thousand_pipelined_calls_are_all_answered_through_few_gates(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        calls = [link.client.call("Get", harness.get(b"%d" % one)) for one in range(1000)]
        link.send(b"".join(data for _, data in calls))
        await harness.settle()
        answers = link.answers()
        assert [one.call_id for one in answers] == [call_id for call_id, _ in calls]
        assert [one.cells.rows[0] for one in answers] == [b"%d" % one for one in range(1000)]
        assert harness.gates == 1

    run_server(story)


def test_calls_of_many_connections_share_a_gate(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        links = [harness.link() for _ in range(5)]
        for link in links:
            link.call("Get", harness.get())
        await harness.settle()
        assert all(len(link.answers()) == 1 for link in links)
        assert harness.gates == 1

    run_server(story)


def test_answers_overtake_one_another(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        slow, quick = asyncio.Event(), asyncio.Event()
        quick.set()
        harness.services.on_get = lambda call: later(
            slow if call.request.get.row == b"a" else quick
        )(call)
        link = harness.link()
        first = link.call("Get", harness.get(b"a"))
        second = link.call("Get", harness.get(b"b"))
        await harness.settle()
        assert [one.call_id for one in link.answers()] == [second]
        slow.set()
        await harness.settle()
        assert [one.call_id for one in link.answers()] == [first]
        assert harness.server.calls_waiting == 0

    run_server(story)


def test_a_stream_cut_anywhere_makes_the_same_calls(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link(opened=False)
        stream = link.client.preamble()
        stream += link.client.call("Get", harness.get())[1]
        stream += link.client.call("Get", harness.get())[1]
        for at in range(len(stream)):
            assert not link.transport.written
            link.send(stream[at : at + 1])
        await harness.settle()
        assert len(link.answers()) == 2

    run_server(story)


# The gate


def test_nothing_leaves_before_the_gate_is_passed(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        passed = asyncio.Event()
        entered = 0

        async def gate() -> None:
            nonlocal entered
            entered += 1
            await passed.wait()

        harness.gate = gate
        link = harness.link()
        link.call("Get", harness.get())
        await harness.settle()
        assert entered == 1
        link.call("Get", harness.get())
        await harness.settle()
        assert entered == 1
        assert not link.transport.written
        passed.set()
        await harness.settle()
        assert len(link.answers()) == 2
        assert entered == 2, "an answer must not pass a gate that began before it was there"

    run_server(story)


def test_a_fenced_gate_sends_nothing_and_ends_the_process(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        async def fenced() -> None:
            raise FencedError("WALs/me")

        harness.gate = fenced
        links = [harness.link() for _ in range(3)]
        for link in links:
            link.call("Get", harness.get())
        await harness.settle()
        assert [type(error) for error in harness.fatal] == [FencedError]
        for link in links:
            assert not link.transport.written
            assert link.transport.aborted
        late = harness.link(opened=False)
        assert late.transport.aborted

    run_server(story)


def test_a_gate_that_fails_otherwise_is_no_pass_either(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        async def broken() -> None:
            raise OSError("the root is gone")

        harness.gate = broken
        link = harness.link()
        link.call("Get", harness.get())
        await harness.settle()
        assert [type(error) for error in harness.fatal] == [OSError]
        assert not link.transport.written

    run_server(story)


def test_a_fenced_handler_sends_nothing_and_ends_the_process(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        async def fenced(call: Call) -> Reply:
            raise FencedError("WALs/me")

        link = harness.link()
        link.call("Get", harness.get())
        harness.services.on_get = fenced
        link.call("Get", harness.get())
        link.call("Get", harness.get())
        harness.gate = asyncio.Event().wait
        await harness.settle()
        assert [type(error) for error in harness.fatal] == [FencedError]
        assert not link.transport.written
        assert link.transport.aborted

    run_server(story)


# Limits


def test_an_expired_call_is_dropped(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        times = iter([100.0, 103.0])
        harness.clock.monotonic_s = lambda: next(times, 103.0)
        link.call("Get", harness.get(), timeout_s=2.0)
        harness.clock.monotonic_s = lambda: 103.0
        link.call("Get", harness.get(), timeout_s=2.0)
        await harness.settle()
        assert len(link.answers()) == 1
        assert harness.server.counters.expired == 1
        assert len(harness.services.calls) == 1

    run_server(story)


def test_calls_above_the_limit_are_refused_and_those_under_way_go_on(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        gate = asyncio.Event()
        harness.services.on_get = later(gate)
        link = harness.link()
        begun = [link.call("Get", harness.get(b"a")) for _ in range(3)]
        refused = link.call("Get", harness.get(b"a"))
        await harness.settle()
        (answer,) = link.answers()
        assert answer.call_id == refused
        assert isinstance(answer.error, CallQueueTooBigError)
        gate.set()
        await harness.settle()
        assert [one.call_id for one in link.answers()] == begun
        link.call("Get", harness.get(b"a"))
        await harness.settle()
        assert link.answers()[0].error is None

    run_server(story, calls_waiting_max=3)


def test_requests_under_way_are_limited_in_bytes_too(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        gate = asyncio.Event()
        harness.services.on_get = later(gate)
        link = harness.link()
        for _ in range(3):
            link.call("Get", harness.get(b"r" * 600))
        await harness.settle()
        assert [type(one.error) for one in link.answers()] == [CallQueueTooBigError]
        gate.set()
        await harness.settle()
        assert len(link.answers()) == 2
        link.call("Get", harness.get(b"r" * 600))
        await harness.settle()
        assert link.answers()[0].error is None

    run_server(story, calls_waiting_bytes_max=1000)


def test_a_peer_that_does_not_read_is_not_read_and_memory_stays_bounded(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        value = bytes(100_000)
        harness.services.on_get = lambda call: harness.services.row_reply(call, value)
        link = harness.link()
        link.transport.slow = True
        sent = 0
        while link.transport.reading and sent < 1000:
            link.call("Get", harness.get())
            sent += 1
            await harness.settle()
        assert sent < 1000
        assert len(link.transport.unread) < 2_500_000
        assert len(harness.services.calls) <= sent
        # What was sent all the same waits in the buffer, and runs when the peer reads again.
        for _ in range(20):
            link.call("Get", harness.get())
        await harness.settle()
        assert len(link.transport.unread) < 2_500_000
        answers = []
        for _ in range(50):
            answers += link.answers()
            await harness.settle()
        assert len(answers) == sent + 20
        assert link.transport.reading

    run_server(story)


def test_one_burst_of_calls_cannot_pile_up_answers(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        value = bytes(100_000)
        harness.services.on_get = lambda call: harness.services.row_reply(call, value)
        link = harness.link()
        link.transport.slow = True
        link.send(b"".join(link.client.call("Get", harness.get())[1] for _ in range(500)))
        await harness.settle()
        assert len(link.transport.unread) < 2_500_000
        answers = 0
        for _ in range(200):
            answers += len(link.answers())
            await harness.settle()
        assert answers == 500

    run_server(story)


def test_a_burst_to_a_peer_that_reads_is_answered_to_its_end(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        value = bytes(100_000)
        harness.services.on_get = lambda call: harness.services.row_reply(call, value)
        link = harness.link()
        link.send(b"".join(link.client.call("Get", harness.get())[1] for _ in range(200)))
        for _ in range(20):
            await harness.settle()
        assert len(link.answers()) == 200
        assert link.transport.reading

    run_server(story)


def test_a_busy_connection_gives_way_to_others(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        ticks = iter(range(10**6))
        harness.clock.monotonic_s = lambda: next(ticks) * 0.0004
        busy, other = harness.link(), harness.link()
        harness.services.calls.clear()
        busy.send(b"".join(busy.client.call("Get", harness.get(b"b"))[1] for _ in range(50)))
        assert len(harness.services.calls) < 5
        assert not busy.transport.reading
        other.call("Get", harness.get(b"o"))
        for _ in range(100):
            await harness.settle()
        rows = [call.request.get.row for call in harness.services.calls]
        assert rows.index(b"o") < 10
        assert len(rows) == 51
        assert busy.transport.reading

    run_server(story)


# Errors


@pytest.mark.parametrize("delayed", [False, True])
def test_an_error_of_a_handler_is_the_answer(run_server: Run, delayed: bool) -> None:
    async def story(harness: Any) -> None:
        def raises(call: Call) -> Reply:
            raise NotServingRegionError("t,,1.ab.")

        async def raises_later(call: Call) -> Reply:
            await asyncio.sleep(0)
            raise NotServingRegionError("t,,1.ab.")

        harness.services.on_get = raises_later if delayed else raises
        link = harness.link()
        link.call("Get", harness.get())
        await harness.settle()
        (answer,) = link.answers()
        assert isinstance(answer.error, NotServingRegionError)
        assert str(answer.error) == "t,,1.ab."
        assert not link.transport.closed

    run_server(story)


def test_a_bug_in_a_handler_is_logged_and_answered(
    run_server: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(harness: Any) -> None:
        def buggy(call: Call) -> Reply:
            raise KeyError("no such thing")

        harness.services.on_get = buggy
        link = harness.link()
        link.call("Get", harness.get())
        await harness.settle()
        (answer,) = link.answers()
        assert type(answer.error) is RaybaseError
        assert "KeyError" in str(answer.error)

    run_server(story)
    assert "no such thing" in caplog.text


def test_a_method_that_is_not_offered_is_refused_by_name(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        link.call("Mutate", pb.MutateRequest(region=harness.get().region, mutation={}))
        await harness.settle()
        (answer,) = link.answers()
        assert isinstance(answer.error, UnsupportedOperationError)
        link.call("Get", harness.get())
        await harness.settle()
        assert link.answers()[0].error is None

    run_server(story)


def test_a_service_that_hbase_does_not_have_cannot_be_offered(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        with pytest.raises(IllegalArgumentError):
            RpcServer(
                {"OddService": object()},
                harness.server.config,
                harness.clock,
                harness.open_gate,
                on_fatal=harness.fatal.append,
            )

    run_server(story)


async def refused(harness: Any, link: Any) -> Exception:
    """The error that the link's connection was ended with; others must live on."""
    await harness.settle()
    assert link.transport.eof
    link.send(b"more" * 1000)
    with pytest.raises(Exception) as caught:
        link.answers()
    other = harness.link()
    other.call("Get", harness.get())
    await harness.settle()
    assert other.answers()[0].error is None
    assert harness.fatal == []
    return caught.value


@pytest.mark.parametrize(
    ("preamble", "message"),
    [
        (b"GET / HTTP/1.1\r\n", "Expected HEADER=HBas but received HEADER=GET  from 10.0.0.1:4321"),
        (b"HBas\x01\x50", "serverVersion=0, clientVersion=1"),
        (b"HBas\x00\x51", "authentication 0x51"),
        (b"Regist", "Expected HEADER=HBas but received HEADER=Regi"),
        (b"\x16\x03\x01\x02\x00\x01", "Expected HEADER="),
    ],
)
def test_a_bad_preamble_is_answered_as_hbase_answers_it(
    run_server: Run, preamble: bytes, message: str
) -> None:
    async def story(harness: Any) -> None:
        link = harness.link(opened=False)
        link.send(preamble)
        await harness.settle()
        header_data, _ = frames.read_delimited(bytes(link.transport.unread[4:]), 0)
        header = pb.ResponseHeader.FromString(header_data)
        assert header.call_id == 4294967295
        assert header.exception.exception_class_name == (
            "org.apache.hadoop.hbase.ipc.FatalConnectionException"
        )
        assert header.exception.stack_trace.startswith(message)
        assert isinstance(await refused(harness, link), BadFrameError)

    run_server(story)


def test_the_registry_preamble_is_answered_with_the_cluster(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link(opened=False)
        link.send(b"Regist")
        await harness.settle()
        assert registry_answer(link.transport.read()) == "cluster-1"
        assert link.transport.eof

    run_server(story, cluster_id="cluster-1")


def header_with(**fields: Any) -> bytes:
    header = pb.ConnectionHeader(
        **{
            "user_info": pb.UserInformation(effective_user="ann"),
            "service_name": "ClientService",
            **fields,
        }
    )
    data = header.SerializeToString()
    return frames.PREAMBLE + len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    ("opening", "message"),
    [
        (header_with(service_name="OddService"), "no service 'OddService'"),
        (header_with(cell_block_codec_class="x.OddCodec"), "unsupported cell codec x.OddCodec"),
        (header_with(cell_block_compressor_class="x.Gz"), "x.Gz is not supported"),
        (header_with(rpc_crypto_cipher_transformation="AES"), "encryption"),
        (frames.PREAMBLE + b"\x00\x00\x00\x02\xff\xff", "ConnectionHeader cannot be read"),
        (frames.PREAMBLE + b"\xff\xff\xff\xff", "length -1"),
        (frames.PREAMBLE + b"\x7f\xff\xff\xff", "2147483647 bytes; the limit is 65536"),
    ],
)
def test_a_bad_connection_header_is_refused(run_server: Run, opening: bytes, message: str) -> None:
    async def story(harness: Any) -> None:
        link = harness.link(opened=False)
        link.send(opening)
        assert message in str(await refused(harness, link))

    run_server(story)


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff\xff",
        framed(b""),
        framed(b"\x80"),
        framed(b"\x05\x08\x01"),
        framed(b"\x02\xff\xff"),
    ],
)
def test_a_malformed_frame_ends_its_connection_alone(run_server: Run, frame: bytes) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        link.send(frame)
        assert isinstance(await refused(harness, link), BadFrameError)

    run_server(story)


def request_frame(message: bytes, cells: bytes = b"", announced: int | None = None) -> bytes:
    header = pb.RequestHeader(call_id=1, method_name="Get", request_param=True)
    length = len(cells) if announced is None else announced
    if length:
        header.cell_block_meta.length = length
    return frames.encode_frame(header.SerializeToString(), message, cells)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (request_frame(b"\xff\xff"), "GetRequest cannot be read"),
        (request_frame(b""), "GetRequest lacks"),
        (request_frame(b"", b"123", 4), "GetRequest lacks"),
    ],
)
def test_a_malformed_message_is_answered_then_the_connection_ends(
    run_server: Run, frame: bytes, message: str
) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        link.client.call("Get", harness.get())
        link.send(frame)
        await harness.settle()
        (answer,) = link.answers()
        assert isinstance(answer.error, BadFrameError)
        assert message in str(answer.error)
        assert link.transport.eof
        assert harness.services.calls == []

    run_server(story)


def test_a_cell_block_of_another_length_is_refused(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        link.client.call("Get", harness.get())
        link.send(request_frame(harness.get().SerializeToString(), b"123", 4))
        await harness.settle()
        (answer,) = link.answers()
        assert "announced as 4" in str(answer.error)

    run_server(story)


def test_an_oversized_frame_is_answered_by_call_and_its_bytes_are_not_kept(
    run_server: Run,
) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        call_id, data = link.client.call("Get", harness.get(b"r" * 3000))
        link.send(data[:8])
        await harness.settle()
        assert not link.transport.written
        link.send(data[8:100])
        link.send(data[100:])
        await harness.settle()
        (answer,) = link.answers()
        assert answer.call_id == call_id
        assert isinstance(answer.error, RequestTooBigError)
        assert link.transport.eof
        assert harness.services.calls == []
        link.send(bytes(10**6))
        assert link.protocol.buffered_bytes == 0

    run_server(story, frame_bytes_max=1000)


def test_an_oversized_frame_without_a_header_is_refused_soon(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link()
        link.send((10**6).to_bytes(4, "big") + b"\xff" * 70_000)
        assert isinstance(await refused(harness, link), RequestTooBigError)

    run_server(story, frame_bytes_max=1000)


def test_bad_cells_end_the_connection_of_their_sender(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        def decodes(call: Call) -> Reply:
            call.codec.decode(call.cells)
            raise AssertionError("decoded")

        harness.services.on_get = decodes
        link = harness.link()
        call_id = link.call("Get", harness.get(), cells=b"no block")
        await harness.settle()
        (answer,) = link.answers()
        assert answer.call_id == call_id
        assert isinstance(answer.error, BadFrameError)
        assert link.transport.eof

    run_server(story)


def test_an_answer_that_comes_after_the_refusal_is_sent_to_nobody(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        gate = asyncio.Event()
        harness.services.on_get = later(gate)
        link = harness.link()
        link.call("Get", harness.get(b"a"))
        link.send(b"\xff\xff\xff\xff")
        await harness.settle()
        assert link.transport.eof
        written = link.transport.written
        gate.set()
        await harness.settle()
        assert link.transport.written == written
        assert harness.fatal == []

    run_server(story)


# Ends


def test_what_a_lost_connection_asked_for_goes_on_and_is_answered_to_nobody(
    run_server: Run,
) -> None:
    async def story(harness: Any) -> None:
        gate = asyncio.Event()
        harness.services.on_get = later(gate)
        link = harness.link()
        link.call("Get", harness.get(b"a"))
        link.transport.close()
        await harness.settle()
        assert harness.server.calls_waiting == 1
        gate.set()
        await harness.settle()
        assert harness.server.calls_waiting == 0
        assert not link.transport.written

    run_server(story)


def test_a_closed_server_ends_calls_and_connections(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        harness.services.on_get = later(asyncio.Event())
        link = harness.link()
        link.call("Get", harness.get())
        await harness.server.close()
        await harness.settle()
        assert harness.server.calls_waiting == 0
        assert link.transport.aborted
        assert harness.link(opened=False).transport.aborted
        assert harness.fatal == []

    run_server(story)


def test_a_peer_without_a_codec_is_told_so_by_the_calls_codec(run_server: Run) -> None:
    async def story(harness: Any) -> None:
        link = harness.link(opened=False)
        link.client = ClientConnection("ClientService", user="ann", codec=None)
        link.open()
        harness.services.on_get = lambda call: Reply(
            pb.GetResponse(result=pb.Result(exists=call.codec is None))
        )
        link.call("Get", harness.get())
        await harness.settle()
        assert link.answers()[0].message.result.exists

    run_server(story)
