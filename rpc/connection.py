"""The server's end of one connection."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from ..errors import (
    BadFrameError,
    CallQueueTooBigError,
    FatalError,
    RaybaseError,
    RequestTooBigError,
    UnsupportedOperationError,
)
from ..model import CallContext
from . import frames
from .call import Call, Handler, Peer, Reply
from .codec import CODECS, CellCodec
from .exceptions import exception_response
from .proto import hbase_pb2 as pb
from .schema import parsed
from .services import Method

if TYPE_CHECKING:
    from .server import RpcServer

logger = logging.getLogger(__name__)

UNSENT_BYTES_MAX: Final = 1024 * 1024
"""A connection with more answers than this to send is not read until they are sent."""
SLICE_S: Final = 0.001
"""A connection gives way to others after this, however many calls it has sent."""
LINGER_S: Final = 1.0
"""How long a refused peer may take to read why: closing at once would lose the answer
among what it is still sending."""


class ServerConnection(asyncio.Protocol):
    """Reads calls and hands them on; collects answers until the server lets them out."""

    def __init__(self, server: RpcServer) -> None:
        self._server = server
        self._reader = frames.FrameReader(frames.HEADER_BYTES_MAX)
        self._step = self._read_preamble
        self._handlers: dict[str, tuple[Method, Handler]] = {}
        self._peer = Peer("", "", "", None)
        self._attributes: dict[str, bytes] = {}
        self._received_s = 0.0
        self._now_s = 0.0
        self._answers: list[bytes] = []
        self._unsent_bytes = 0
        self._write_paused = False
        self._reading = True
        self._refused = False
        """Nothing more is read or answered: what is ready is sent, then the end."""
        self._advance_later: asyncio.Handle | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    # What the transport says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=UNSENT_BYTES_MAX)
        name = transport.get_extra_info("peername")
        address = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)
        self._peer = Peer("", address, "", None)
        self._server.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._answers.clear()
        self._reader.clear()
        for handle in (self._advance_later, self._linger):
            if handle is not None:
                handle.cancel()
        self._server.disconnected(self)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._received_s = self._server.clock.monotonic_s()
        self._reader.feed(data)
        if self._advance_later is None:
            self._advance()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._advance()

    # Reading

    @property
    def buffered_bytes(self) -> int:
        """What was received and is not a call yet."""
        return self._reader.buffered_bytes

    def _is_blocked(self) -> bool:
        return self._write_paused or self._unsent_bytes > UNSENT_BYTES_MAX

    def _advance(self) -> None:
        """Goes on with what was received, as far as bytes, answers and the slice allow."""
        self._advance_later = None
        monotonic_s = self._server.clock.monotonic_s
        self._now_s = monotonic_s()
        stop_s = self._now_s + SLICE_S
        try:
            while not self._is_blocked() and not self._refused and self._step():
                self._now_s = monotonic_s()
                if self._now_s >= stop_s:
                    loop = asyncio.get_running_loop()
                    self._advance_later = loop.call_soon(self._advance)
                    break
        except RaybaseError as error:
            self._refuse(frames.CONNECTION_CALL_ID, error)
        self._set_reading(not self._is_blocked() and self._advance_later is None)

    def _set_reading(self, wanted: bool) -> None:
        if self._transport is None or wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _read_preamble(self) -> bool:
        preamble = self._reader.take(frames.PREAMBLE_BYTES)
        if preamble is None:
            return False
        if preamble == frames.REGISTRY_MAGIC:
            cluster_id = self._server.cluster_id()
            if cluster_id is not None:
                response = pb.GetConnectionRegistryResponse(cluster_id=cluster_id)
                header = _answer_header(frames.CONNECTION_CALL_ID, 0)
                self._queue(frames.encode_frame(header, response.SerializeToString()))
                self._refused = True
                return False
        if not preamble.startswith(frames.MAGIC):
            raise BadFrameError(
                f"Expected HEADER={frames.MAGIC.decode()} but received "
                f"HEADER={str(preamble[:4])[2:-1]} "
                f"from {self._peer.address}"
            )
        version, auth = preamble[4:]
        if version != frames.VERSION:
            raise BadFrameError(f"serverVersion={frames.VERSION}, clientVersion={version}")
        if auth != frames.AUTH_SIMPLE:
            raise BadFrameError(f"authentication {auth:#x} is not offered; simple is 0x50")
        self._step = self._read_header
        return True

    def _read_header(self) -> bool:
        data = self._reader.next()
        if data is None:
            return False
        header = parsed(pb.ConnectionHeader, data)
        handlers = self._server.handlers.get(header.service_name)
        if handlers is None:
            raise BadFrameError(f"this server has no service {header.service_name!r}")
        if header.cell_block_compressor_class:
            raise BadFrameError(f"{header.cell_block_compressor_class} is not supported")
        if header.rpc_crypto_cipher_transformation:
            raise BadFrameError("encryption of connections is not supported")
        self._handlers = handlers
        self._peer = Peer(
            header.user_info.effective_user,
            self._peer.address,
            header.service_name,
            _codec(header.cell_block_codec_class),
        )
        self._attributes = {one.name: one.value for one in header.attribute}
        self._reader.frame_bytes_max = self._server.config.frame_bytes_max
        self._step = self._read_call
        return True

    def _read_call(self) -> bool:
        try:
            frame = self._reader.next()
        except RequestTooBigError as error:
            return self._refuse_oversized(error)
        if frame is None:
            return False
        data, at = frames.read_delimited(frame, 0)
        header = parsed(pb.RequestHeader, data)
        try:
            self._run(header, frame, at)
        except BadFrameError as error:
            self._refuse(header.call_id, error)
        return True

    def _refuse_oversized(self, error: RequestTooBigError) -> bool:
        """Answers the call whose frame is too big as soon as its header tells which it is."""
        held = self._reader.peek(frames.LENGTH_BYTES + frames.HEADER_BYTES_MAX)
        try:
            data, _ = frames.read_delimited(held, frames.LENGTH_BYTES)
            call_id = parsed(pb.RequestHeader, data).call_id
        except BadFrameError:
            if len(held) < frames.HEADER_BYTES_MAX:
                return False
            call_id = frames.CONNECTION_CALL_ID
        self._refuse(call_id, error)
        return False

    # Calls

    def _run(self, header: pb.RequestHeader, frame: bytes, at: int) -> None:
        server = self._server
        deadline_s = self._received_s + header.timeout / 1000 if header.timeout else None
        if deadline_s is not None and self._now_s > deadline_s:
            server.counters.expired += 1
            return
        found = self._handlers.get(header.method_name)
        if found is None:
            self._answer_error(
                header.call_id,
                UnsupportedOperationError(f"{self._peer.service} has no {header.method_name}"),
            )
            return
        if server.is_full:
            server.counters.refused += 1
            self._answer_error(
                header.call_id,
                CallQueueTooBigError(f"{server.calls_waiting} calls are under way"),
            )
            return
        server.counters.calls += 1
        method, handler = found
        call = self._call(header, method, frame, at, deadline_s)
        try:
            reply = handler(call)
        except Exception as error:
            self._answer_raised(header.call_id, method, error)
            return
        if isinstance(reply, Reply):
            self._answer(header.call_id, method, reply)
        else:
            server.begin(reply, partial(self._finished, header.call_id, method), len(frame))

    def _finished(self, call_id: int, method: Method, future: asyncio.Future[Reply]) -> None:
        if future.cancelled():  # as the server ends
            return
        error = future.exception()
        if error is None:
            self._answer(call_id, method, future.result())
        elif isinstance(error, Exception):
            self._answer_raised(call_id, method, error)
        else:
            raise error

    def _call(
        self,
        header: pb.RequestHeader,
        method: Method,
        frame: bytes,
        at: int,
        deadline_s: float | None,
    ) -> Call:
        data = b""
        if header.request_param:
            data, at = frames.read_delimited(frame, at)
        request = parsed(method.request, data)
        length = header.cell_block_meta.length
        if len(frame) - at != length:
            raise BadFrameError(f"a cell block of {len(frame) - at} bytes, announced as {length}")
        if length and self._peer.codec is None:
            raise BadFrameError("a cell block on a connection without a codec")
        attributes = self._attributes
        if header.attribute:
            attributes = attributes | {one.name: one.value for one in header.attribute}
        context = CallContext(self._peer.user, deadline_s, header.priority, attributes)
        return Call(method.name, request, frame[at:], context, self._peer)

    # Answers

    def _answer(self, call_id: int, method: Method, reply: Reply) -> None:
        try:
            cells = b""
            if reply.cells:
                codec = self._peer.codec
                if codec is None:
                    raise ValueError("a reply with a cell block to a peer without a codec")
                cells = codec.encode(reply.cells)
            header = _answer_header(call_id, len(cells))
            frame = frames.encode_frame(header, reply.message.SerializeToString(), cells)
        except Exception as error:
            self._answer_raised(call_id, method, error)
        else:
            self._queue(frame)

    def _answer_raised(self, call_id: int, method: Method, error: Exception) -> None:
        """Answers what a handler raised, unless it means the end of the process."""
        if isinstance(error, FatalError):
            self._server.fail(error)
            return
        self._server.counters.errors += 1
        if not isinstance(error, RaybaseError):
            logger.error("%s failed for %s", method.name, self._peer, exc_info=error)
        if isinstance(error, BadFrameError):
            self._refuse(call_id, error)
        else:
            self._answer_error(call_id, error)

    def _answer_error(self, call_id: int, error: Exception) -> None:
        header = pb.ResponseHeader(call_id=call_id, exception=exception_response(error))
        if call_id == frames.CONNECTION_CALL_ID:
            # HBase's clients look at how this text begins.
            header.exception.stack_trace = str(error)
        self._queue(frames.encode_frame(header.SerializeToString(), None))

    def _refuse(self, call_id: int, error: RaybaseError) -> None:
        """Says why, then ends the connection; what it still sends is thrown away."""
        if self._refused:
            return
        logger.warning("refused %s: %s", self._peer.address, error)
        self._reader.clear()
        self._answer_error(call_id, error)
        self._refused = True

    def _queue(self, frame: bytes) -> None:
        if self._transport is None or self._refused:
            return
        if not self._answers:
            self._server.ready(self)
        self._answers.append(frame)
        self._unsent_bytes += len(frame)

    def take_answers(self) -> list[bytes]:
        """What is ready to be sent; ``send`` must follow, or the end of the server."""
        answers, self._answers = self._answers, []
        return answers

    def send(self, answers: list[bytes]) -> None:
        """Writes answers that the gate has let out."""
        transport = self._transport
        if transport is None:
            return
        data = b"".join(answers)
        self._unsent_bytes -= len(data)
        if not transport.is_closing():
            transport.write(data)
        if self._refused:
            self._begin_linger(transport)
        elif not self._reading and self._advance_later is None:
            self._advance()

    def _begin_linger(self, transport: asyncio.Transport) -> None:
        if transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
            self._set_reading(True)
            loop = asyncio.get_running_loop()
            self._linger = loop.call_later(LINGER_S, transport.close)
        else:
            transport.close()

    def abort(self) -> None:
        """Ends the connection at once; nothing more is sent on it."""
        self._answers.clear()
        self._refused = True
        if self._transport is not None:
            self._transport.abort()


def _answer_header(call_id: int, cells_bytes: int) -> bytes:
    """A ResponseHeader without an exception, by hand: a message costs six times as much."""
    header = b"\x08" + frames.varint(call_id)
    if not cells_bytes:
        return header
    length = b"\x08" + frames.varint(cells_bytes)
    return header + b"\x1a" + frames.varint(len(length)) + length


def _codec(name: str) -> CellCodec | None:
    if not name:
        return None
    codec = CODECS.get(name)
    if codec is None:
        raise BadFrameError(f"unsupported cell codec {name}")
    return codec
