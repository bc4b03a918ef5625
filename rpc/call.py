"""A call as a service sees it, and what the service gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from ..model import CallContext
from ..storage.cells import CellBatch
from .codec import CellCodec


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a connection, as its header said."""

    user: str
    address: str
    service: str
    codec: CellCodec | None
    """None: the client takes and sends cells inside messages only."""


@dataclass(slots=True)
class Call:
    """One request. ``request`` is the message of the method's type; ``cells`` the block that
    came with it, encoded by ``codec``, or no bytes."""

    method: str
    request: Any
    cells: bytes
    context: CallContext
    peer: Peer

    @property
    def codec(self) -> CellCodec | None:
        return self.peer.codec


@dataclass(slots=True)
class Reply:
    """An answer. ``cells`` travel behind the message, so the peer must have a codec."""

    message: Message
    cells: CellBatch | None = None


Handler = Callable[[Call], Reply | Awaitable[Reply]]
