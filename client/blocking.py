"""The blocking shell: sockets of the calling thread, no loop and no thread of its own.

Threads may share a connection: each call takes a socket of its own from the pool. A forked
child starts with an empty pool.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ..config import MIB
from ..errors import InvalidRequestError, RaybaseError
from ..rpc.client import Answer, ClientConnection
from .effects import (
    Address,
    Begin,
    Call,
    Effect,
    FindServers,
    Finish,
    Operation,
    Outcome,
    Parallel,
    Shared,
    Sleep,
)
from .retry import CLOSED, connection_lost, timed_out

T = TypeVar("T")

CONNECT_TIMEOUT_S: Final = 10.0
"""hbase.ipc.client.socket.timeout.connect"""
_TIMEVAL: Final = struct.Struct("@ll")
_READ_BYTES: Final = 64 * 1024
_READ_BYTES_LARGE: Final = MIB

Registry = Callable[[], Sequence[Address]]
"""Servers to begin with, read again whenever none of those known answers."""


class Channel:
    """A socket to one service of one server, for one call after another."""

    __slots__ = ("_connection", "_socket", "_timeout_s", "address", "key", "waiting")

    def __init__(self, address: Address, service: str, user: str, timeout_s: float) -> None:
        self.address = address
        self.key = (address, service)
        self.waiting = False
        """Whether an answer is outstanding; then the channel cannot be used for another."""
        self._connection = ClientConnection(service, user=user)
        try:
            self._socket = socket.create_connection(address, timeout_s)
        except OSError as error:
            raise connection_lost(address, error) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(None)
        self._set_timeout(timeout_s)
        self._send(self._connection.preamble())

    def begin(self, call: Call) -> None:
        """Sends the call."""
        _, data = self._connection.call(
            call.method, call.message, call.cells, timeout_s=call.timeout_s
        )
        self.waiting = True
        if call.timeout_s != self._timeout_s:
            self._set_timeout(call.timeout_s)
        self._send(data)

    def finish(self, call: Call) -> Answer:
        """Reads until the answer is there. Raises it if it is an error."""
        answers = self._connection.feed(self._receive(call, _READ_BYTES))
        if not answers:
            # Bytes may come for ever without being an answer, each in time.
            deadline_s = time.monotonic() + call.timeout_s
            while not answers:
                if time.monotonic() > deadline_s:
                    raise timed_out(call.method, self.address, call.timeout_s)
                answers = self._connection.feed(self._receive(call, _READ_BYTES_LARGE))
        self.waiting = False
        answer = answers[0]
        if answer.error is not None:
            raise answer.error
        return answer

    def close(self) -> None:
        self._socket.close()

    def _set_timeout(self, timeout_s: float) -> None:
        """Lets the kernel end a wait. Python's own time-outs ask twice a call with poll()."""
        microseconds = max(1, round(timeout_s * 1e6))
        interval = _TIMEVAL.pack(*divmod(microseconds, 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, interval)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, interval)
        self._timeout_s = timeout_s

    def _receive(self, call: Call, length: int) -> bytes:
        try:
            data = self._socket.recv(length)
        except BlockingIOError:
            raise timed_out(call.method, self.address, call.timeout_s) from None
        except OSError as error:
            raise connection_lost(self.address, error) from error
        if not data:
            raise connection_lost(self.address, "closed by the server")
        return data

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except BlockingIOError:
            raise connection_lost(self.address, "it takes no more bytes") from None
        except OSError as error:
            raise connection_lost(self.address, error) from error


@dataclass(slots=True)
class Ticket:
    """A call under way, or the error that kept it from being sent."""

    call: Call
    channel: Channel | None
    error: RaybaseError | None = None


class BlockingShell:
    """Runs operations to their end in the calling thread."""

    def __init__(self, registry: Registry, user: str) -> None:
        self._registry = registry
        self._user = user
        self._pool: dict[tuple[Address, str], list[Channel]] = {}
        self._process = os.getpid()
        self._closed = False

    def run(self, operation: Operation[T]) -> T:
        """What the operation returns; raises what it raises."""
        send, throw = operation.send, operation.throw
        try:
            effect = send(None)
            while True:
                try:
                    outcome = self._perform(effect)
                except RaybaseError as error:
                    effect = throw(error)
                else:
                    effect = send(outcome)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def close(self) -> None:
        """Closes all sockets not in use; those in use close when their call ends."""
        self._closed = True
        self._drop_pool()

    def _drop_pool(self) -> None:
        pool, self._pool = self._pool, {}
        for channels in pool.values():
            for one in channels:
                one.close()

    def _perform(self, effect: Effect) -> Any:
        if type(effect) is Call:
            return self._call(effect)
        match effect:
            case Begin(call):
                return self._begin(call)
            case Finish(ticket, abandon):
                return self._finish(ticket, abandon=abandon)
            case Parallel(calls):
                return self._parallel(calls)
            case Sleep(delay_s):
                time.sleep(delay_s)
                return None
            case Shared(_, start):
                return self.run(start())
            case FindServers():
                return self._registry()
        raise AssertionError(effect)

    def _call(self, call: Call) -> Answer:
        channel = self._channel(call)
        try:
            channel.begin(call)
            return channel.finish(call)
        finally:
            self._give_back(channel)

    def _begin(self, call: Call) -> Ticket:
        channel: Channel | None = None
        try:
            channel = self._channel(call)
            channel.begin(call)
            return Ticket(call, channel)
        except RaybaseError as error:
            if channel is not None:
                channel.close()
            return Ticket(call, None, error)

    def _finish(self, ticket: Ticket, *, abandon: bool = False) -> Answer | None:
        channel = ticket.channel
        if channel is None:
            if ticket.error is None or abandon:
                return None
            raise ticket.error
        try:
            return None if abandon else channel.finish(ticket.call)
        finally:
            self._give_back(channel)

    def _parallel(self, calls: Sequence[Call]) -> list[Outcome]:
        tickets = [self._begin(one) for one in calls]
        outcomes: list[Outcome] = []
        try:
            while tickets:
                ticket = tickets.pop(0)
                try:
                    answer = self._finish(ticket)
                    assert answer is not None
                    outcomes.append(answer)
                except RaybaseError as error:
                    outcomes.append(error)
        finally:
            for ticket in tickets:
                self._finish(ticket, abandon=True)
        return outcomes

    def _channel(self, call: Call) -> Channel:
        if os.getpid() != self._process:
            # The parent's sockets carry the parent's calls; it keeps them when we close ours.
            self._drop_pool()
            self._process = os.getpid()
        if self._closed:
            raise InvalidRequestError(CLOSED)
        free = self._pool.get((call.address, call.service))
        if free:
            return free.pop()
        timeout_s = min(CONNECT_TIMEOUT_S, call.timeout_s)
        return Channel(call.address, call.service, self._user, timeout_s)

    def _give_back(self, channel: Channel) -> None:
        """Keeps a channel with no answer outstanding; another could not be told apart."""
        if channel.waiting or self._closed:
            channel.close()
        else:
            self._pool.setdefault(channel.key, []).append(channel)
