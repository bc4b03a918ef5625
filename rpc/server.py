"""HBase's RPC server on an event loop: calls to handlers, answers behind one gate.

What it guarantees:

- An answer leaves only after a ``gate`` that began when the answer was there already. All
  answers of a loop turn share one. Once the gate, or a handler, has raised FatalError,
  nothing is sent any more, on any connection.
- A call whose time ran out before it was begun is dropped; when ``calls_waiting_max`` calls
  are under way, more are refused. Answers come in the order in which they are ready.
- Memory is bounded: a connection whose peer does not read its answers is not read itself.
- Bad bytes cost their sender the connection, and nobody else anything.

Source: NettyRpcServer.java, ServerRpcConnection.java, CallRunner.java.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..config import RpcConfig
from ..errors import IllegalArgumentError
from ..runtime import Clock
from .call import Handler, Reply
from .connection import ServerConnection
from .services import SERVICES, Method

Gate = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class RpcCounters:
    """Since the server began."""

    connections: int = 0
    calls: int = 0
    expired: int = 0
    """Dropped, as their time had run out."""
    refused: int = 0
    """Not begun, as too many were under way."""
    errors: int = 0
    """Answered with an error of a handler."""
    gates: int = 0


class RpcServer:
    """Answers the services' calls; itself the factory of its connections' protocols.

    Args:
        services: by HBase's name of the service, an object with a method for each call it
            answers: ``get(call: Call) -> Reply | Awaitable[Reply]`` for Get, and so on
            (services.py has the names). What returns a Reply is answered without a task.
        gate: awaited before answers leave; it raises to say that this process may not answer.
        on_fatal: called once with what the gate, or a handler with FatalError, raised; the
            process must end.
        cluster_id: what a client without a registry asks for first; None: not known yet.

    Raises IllegalArgumentError for a service that HBase does not have.
    """

    def __init__(
        self,
        services: Mapping[str, object],
        config: RpcConfig,
        clock: Clock,
        gate: Gate,
        *,
        on_fatal: Callable[[Exception], None],
        cluster_id: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.handlers = {name: _bound(name, service) for name, service in services.items()}
        self.config = config
        self.clock = clock
        self.cluster_id = cluster_id
        self.counters = RpcCounters()
        self._gate = gate
        self._on_fatal = on_fatal
        self._connections: dict[ServerConnection, None] = {}
        self._calls: dict[asyncio.Future[Reply], int] = {}
        self._call_bytes = 0
        self._ready: list[ServerConnection] = []
        self._sender: asyncio.Task[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        """What the sender waits for when there is nothing to send."""
        self._closed = False

    def __call__(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return ServerConnection(self)

    @property
    def calls_waiting(self) -> int:
        return len(self._calls)

    @property
    def is_full(self) -> bool:
        """Whether another call must be refused."""
        return (
            len(self._calls) >= self.config.calls_waiting_max
            or self._call_bytes >= self.config.calls_waiting_bytes_max
        )

    async def close(self) -> None:
        """Ends all connections and cancels what is under way. Idempotent."""
        self._closed = True
        ending: list[asyncio.Future[Any]] = [*self._calls]
        if self._sender is not None:
            ending.append(self._sender)
        for one in ending:
            one.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._abort_connections()

    def connected(self, connection: ServerConnection) -> None:
        if self._closed:
            connection.abort()
            return
        self.counters.connections += 1
        self._connections[connection] = None

    def disconnected(self, connection: ServerConnection) -> None:
        self._connections.pop(connection, None)

    def begin(
        self,
        reply: Awaitable[Reply],
        finish: Callable[[asyncio.Future[Reply]], None],
        request_bytes: int,
    ) -> None:
        """Waits for a reply that is not there yet; until it is, the call is under way."""
        future = asyncio.ensure_future(reply)
        self._calls[future] = request_bytes
        self._call_bytes += request_bytes
        future.add_done_callback(self._ended)
        future.add_done_callback(finish)

    def _ended(self, future: asyncio.Future[Reply]) -> None:
        self._call_bytes -= self._calls.pop(future)

    def ready(self, connection: ServerConnection) -> None:
        """The connection has answers to send: they leave after this turn of the loop."""
        self._ready.append(connection)
        if self._closed:
            return
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        elif self._wake is not None:
            self._wake.set_result(None)
            self._wake = None

    async def _send(self) -> None:
        """Lets answers out, gate after gate, for as long as the server lives: a task for each
        turn would cost as much as reading a call."""
        try:
            while not self._closed:
                await self._send_ready()
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
        except Exception as error:  # whatever it is, nobody has said that we may answer
            self.fail(error)

    async def _send_ready(self) -> None:
        while self._ready and not self._closed:
            ready, self._ready = self._ready, []
            batch = [(connection, connection.take_answers()) for connection in ready]
            self.counters.gates += 1
            await self._gate()
            for connection, answers in batch:
                connection.send(answers)

    def fail(self, error: Exception) -> None:
        """Ends the serving for good: nothing is sent any more. Only the first error counts."""
        if self._closed:
            return
        self._closed = True
        self._ready.clear()
        self._abort_connections()
        self._on_fatal(error)

    def _abort_connections(self) -> None:
        for connection in list(self._connections):
            connection.abort()


def _bound(name: str, service: object) -> dict[str, tuple[Method, Handler]]:
    methods = SERVICES.get(name)
    if methods is None:
        raise IllegalArgumentError(f"HBase has no service {name!r}")
    return {
        wire_name: (method, getattr(service, method.handler))
        for wire_name, method in methods.items()
        if hasattr(service, method.handler)
    }
