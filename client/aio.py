"""The asyncio shell: one connection to each service of each server, shared by all operations.

It takes clock, randomness and network from the seam, so a simulation runs it as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from ..errors import InvalidRequestError, RaybaseError
from ..rpc.client import Answer, ClientConnection
from ..runtime import Clock, Network
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

AsyncRegistry = Callable[[], Awaitable[Sequence[Address]]]
"""Servers to begin with, read again whenever none of those known answers."""


class Stream(asyncio.Protocol):
    """A connection to one service of one server, carrying any number of calls at once."""

    def __init__(self, address: Address, service: str, user: str) -> None:
        self.address = address
        self.lost: RaybaseError | None = None
        self._connection = ClientConnection(service, user=user)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._transport: asyncio.WriteTransport | None = None
        self._writable: asyncio.Future[None] | None = None

    async def call(self, call: Call) -> Answer:
        """The answer; raises it if it is an error."""
        while self._writable is not None:
            await asyncio.shield(self._writable)
        if self.lost is not None or self._transport is None:
            raise self.lost or connection_lost(self.address, "closed")
        call_id, data = self._connection.call(
            call.method, call.message, call.cells, timeout_s=call.timeout_s
        )
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = answered
        self._transport.write(data)
        try:
            answer = await answered
        finally:
            if self._waiting.pop(call_id, None) is not None:
                self._connection.abandon(call_id)
        if answer.error is not None:
            raise answer.error
        return answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(self._connection.preamble())

    def data_received(self, data: bytes) -> None:
        try:
            answers = self._connection.feed(data)
        except RaybaseError as error:
            self._end(error)
            self.close()
            return
        for answer in answers:
            waiting = self._waiting.pop(answer.call_id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(connection_lost(self.address, exc or "closed by the server"))

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None:
            writable.set_result(None)

    def _end(self, error: RaybaseError) -> None:
        """Fails what is under way: its outcome is unknown."""
        if self.lost is None:
            self.lost = error
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            if not one.done():
                one.set_exception(self.lost)
        self.resume_writing()


class AsyncShell:
    """Runs operations on the running event loop, any number at once."""

    def __init__(self, network: Network, clock: Clock, registry: AsyncRegistry, user: str) -> None:
        self._network = network
        self._clock = clock
        self._registry = registry
        self._user = user
        self._streams: dict[tuple[Address, str], Stream] = {}
        self._shared: dict[object, asyncio.Task[Any]] = {}
        self._closed = False

    async def run(self, operation: Operation[T]) -> T:
        """What the operation returns; raises what it raises.

        A cancelled operation has an unknown outcome; nothing it waited for is left behind.
        """
        try:
            effect = operation.send(None)
            while True:
                try:
                    outcome = await self._perform(effect)
                except RaybaseError as error:
                    effect = operation.throw(error)
                else:
                    effect = operation.send(outcome)
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            operation.close()

    async def close(self) -> None:
        """Closes all connections; what is under way fails."""
        self._closed = True
        for task in list(self._shared.values()):
            task.cancel()
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()

    async def _perform(self, effect: Effect) -> Any:
        if type(effect) is Call:
            return await self._call(effect)
        match effect:
            case Begin(call):
                return _spawn(self._call(call))
            case Finish(task, abandon):
                return task.cancel() if abandon else await task
            case Parallel(calls):
                return await self._parallel(calls)
            case Sleep(delay_s):
                return await self._clock.sleep(delay_s)
            case Shared(key, start):
                return await self._once(key, lambda: self.run(start()))
            case FindServers():
                return await self._registry()
        raise AssertionError(effect)

    async def _call(self, call: Call) -> Answer:
        try:
            async with asyncio.timeout(call.timeout_s):
                stream = self._streams.get((call.address, call.service))
                if stream is None or stream.lost is not None:
                    stream = await self._connected(call.address, call.service)
                return await stream.call(call)
        except TimeoutError:
            raise timed_out(call.method, call.address, call.timeout_s) from None

    async def _parallel(self, calls: Sequence[Call]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for one in await asyncio.gather(*map(self._call, calls), return_exceptions=True):
            if isinstance(one, BaseException) and not isinstance(one, RaybaseError):
                raise one
            outcomes.append(one)
        return outcomes

    async def _connected(self, address: Address, service: str) -> Stream:
        """The one connection to the service, made by whoever needs it first."""
        stream: Stream = await self._once(
            ("connect", address, service), lambda: self._connect(address, service)
        )
        return stream

    async def _connect(self, address: Address, service: str) -> Stream:
        if self._closed:
            raise InvalidRequestError(CLOSED)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, stream = await self._network.connect(
                    lambda: Stream(address, service, self._user), *address
                )
        except TimeoutError:
            raise connection_lost(address, f"no answer in {CONNECT_TIMEOUT_S:g} s") from None
        except OSError as error:
            raise connection_lost(address, error) from error
        assert isinstance(stream, Stream)
        self._streams[address, service] = stream
        return stream

    async def _once(self, key: object, start: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Joins the work of this key that is under way, or starts it."""
        task = self._shared.get(key)
        if task is None or task.done():
            # One that is done is over, though its callback may not have run: who takes its
            # result for a new one, and asks again, would never let the callback run.
            task = self._shared[key] = _spawn(start())
            task.add_done_callback(lambda done: self._forget(key, done))
        try:
            # A waiter that is cancelled must not take the others' work along.
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            waiter = asyncio.current_task()
            if task.cancelled() and waiter is not None and not waiter.cancelling():
                raise InvalidRequestError(CLOSED) from None
            raise

    def _forget(self, key: object, done: asyncio.Task[Any]) -> None:
        if self._shared.get(key) is done:
            del self._shared[key]


def _spawn(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task whose error is no one's loss if whoever waited for it is gone."""
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_retrieve)
    return task


def _retrieve(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
