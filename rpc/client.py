"""The client's end of a connection: calls to bytes, bytes to answers. No sockets, no clock."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import Message

from ..errors import BadFrameError, RaybaseError, UnsupportedOperationError
from ..storage.cells import CellBatch
from . import frames
from .codec import COLUMNAR, CellCodec
from .exceptions import error_from_response
from .proto import hbase_pb2 as pb
from .schema import parsed
from .services import SERVICES, Method

VERSION: Final = "2.6.0"
"""The version of HBase's client that ours stands for."""

_PRIORITY_FIELD: Final = b"\x30"
_TIMEOUT_FIELD: Final = b"\x38"
_CELLS_FIELD: Final = b"\x2a"
_LENGTH_FIELD: Final = b"\x08"


class Answer:
    """What became of one call: a message and perhaps cells, or else an error."""

    __slots__ = ("_cells", "_undecoded", "call_id", "error", "message")

    def __init__(
        self,
        call_id: int,
        message: Any = None,
        cells: CellBatch | None = None,
        error: RaybaseError | None = None,
        undecoded: tuple[CellCodec, bytes] | None = None,
    ) -> None:
        self.call_id = call_id
        self.message = message
        self.error = error
        self._cells = cells
        self._undecoded = undecoded

    @property
    def cells(self) -> CellBatch | None:
        """The cells of a scan are decoded here, so ask for the next ones before.

        Raises BadFrameError then, as the connection does for other calls.
        """
        if self._undecoded is not None:
            codec, data = self._undecoded
            self._cells, self._undecoded = codec.decode(data), None
        return self._cells


class ClientConnection:
    """One connection to one service of one server, as a protocol without I/O.

    Send ``preamble()`` first, then what ``call`` returns; give what arrives to ``feed``.
    Answers come in any order. Every call is answered at most once; a call that was abandoned
    is never answered. When the stream ends, the calls in ``pending`` have an unknown outcome.
    """

    def __init__(
        self,
        service: str,
        *,
        user: str,
        codec: CellCodec | None = COLUMNAR,
        frame_bytes_max: int = frames.FRAME_BYTES_MAX,
    ) -> None:
        self.service = service
        self.user = user
        self.codec = codec
        self._methods = SERVICES[service]
        self._reader = frames.FrameReader(frame_bytes_max)
        self._calls: dict[int, Method] = {}
        self._last_id = 0
        self._method_fields = {
            name: b"\x1a" + frames.varint(len(name)) + name.encode() + b"\x20\x01"
            for name in self._methods
        }

    @property
    def pending(self) -> tuple[int, ...]:
        """Ids of the calls that have no answer yet, oldest first."""
        return tuple(self._calls)

    def preamble(self) -> bytes:
        """What opens the connection. The server answers it only to refuse it."""
        header = pb.ConnectionHeader(
            user_info=pb.UserInformation(effective_user=self.user), service_name=self.service
        )
        if self.codec is not None:
            header.cell_block_codec_class = self.codec.name
        header.version_info.CopyFrom(
            pb.VersionInfo(
                version=VERSION,
                url="",
                revision="",
                user="",
                date="",
                src_checksum="",
                version_major=int(VERSION.split(".")[0]),
                version_minor=int(VERSION.split(".")[1]),
            )
        )
        data = header.SerializeToString()
        return frames.PREAMBLE + len(data).to_bytes(4, "big") + data

    def call(
        self,
        method: str,
        request: Message,
        cells: CellBatch | bytes | None = None,
        *,
        timeout_s: float = 0.0,
        priority: int = 0,
    ) -> tuple[int, bytes]:
        """(id of the call, bytes to send). ``cells`` as bytes are a block already.

        The server drops the call unanswered when it meets it ``timeout_s`` after it arrived;
        0 means never.

        Raises UnsupportedOperationError if the service has no such method, BadFrameError for
        cells on a connection without a codec.
        """
        known = self._methods.get(method)
        if known is None:
            raise UnsupportedOperationError(f"{self.service} has no method {method}")
        block = self._encoded(cells)
        call_id = self._last_id = (self._last_id + 1) & 0x7FFFFFFF
        header = _LENGTH_FIELD + frames.varint(call_id) + self._method_fields[method]
        # RequestHeader by hand: a sixth of what filling a message costs, on every call.
        if block:
            length = _LENGTH_FIELD + frames.varint(len(block))
            header += _CELLS_FIELD + frames.varint(len(length)) + length
        if priority:
            header += _PRIORITY_FIELD + frames.varint(priority)
        if timeout_s:
            header += _TIMEOUT_FIELD + frames.varint(max(1, round(timeout_s * 1000)))
        self._calls[call_id] = known
        return call_id, frames.encode_frame(header, request.SerializeToString(), block)

    def _encoded(self, cells: CellBatch | bytes | None) -> bytes:
        if not cells:
            return b""
        if self.codec is None:
            raise BadFrameError("cells for a connection without a codec")
        return cells if isinstance(cells, bytes) else self.codec.encode(cells)

    def abandon(self, call_id: int) -> None:
        """Forgets a call; its answer, should it come, is thrown away."""
        self._calls.pop(call_id, None)

    def feed(self, data: bytes) -> list[Answer]:
        """The answers that these bytes complete.

        Raises an error when the connection cannot go on: what the server said of it, or
        BadFrameError for bytes that are no answer. Close it then.
        """
        reader = self._reader
        reader.feed(data)
        answers: list[Answer] = []
        while (frame := reader.next()) is not None:
            answer = self._answer(frame)
            if answer is not None:
                answers.append(answer)
        return answers

    def _answer(self, frame: bytes) -> Answer | None:
        data, at = frames.read_delimited(frame, 0)
        header = parsed(pb.ResponseHeader, data)
        call_id = header.call_id
        if call_id == frames.CONNECTION_CALL_ID:
            if header.HasField("exception"):
                raise error_from_response(header.exception)
            raise BadFrameError("an answer to no call")
        method = self._calls.pop(call_id, None)
        if method is None:
            return None
        if header.HasField("exception"):
            return Answer(call_id, error=error_from_response(header.exception))
        data, at = frames.read_delimited(frame, at)
        message = parsed(method.response, data)
        length = header.cell_block_meta.length
        if len(frame) - at != length:
            raise BadFrameError(f"a cell block of {len(frame) - at} bytes, announced as {length}")
        if not length:
            return Answer(call_id, message)
        if self.codec is None:
            raise BadFrameError("a cell block on a connection without a codec")
        if method.name == "Scan":
            return Answer(call_id, message, undecoded=(self.codec, frame[at:]))
        return Answer(call_id, message, self.codec.decode(frame[at:]))


def registry_answer(data: bytes) -> str | None:
    """The cluster's id in what a server answered to REGISTRY_MAGIC; None: not all there yet.

    Raises the server's error if it knows no cluster id.
    """
    reader = frames.FrameReader(frames.HEADER_BYTES_MAX)
    reader.feed(data)
    frame = reader.next()
    if frame is None:
        return None
    header_data, at = frames.read_delimited(frame, 0)
    header = parsed(pb.ResponseHeader, header_data)
    if header.HasField("exception"):
        raise error_from_response(header.exception)
    message, _ = frames.read_delimited(frame, at)
    response: pb.GetConnectionRegistryResponse = parsed(pb.GetConnectionRegistryResponse, message)
    return response.cluster_id
