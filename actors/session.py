"""The holder's side of a session with the coordinator: znodes and watches.

Calls between processes overtake one another and get lost. So every request has a number, its
xid; the coordinator applies a session's requests in the order of their xids, each once, however
often it arrives, and this side repeats a request until it is answered. Events are numbered by
the coordinator and handed on here in that order, each once, before any answer that shows the
change they tell of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from enum import Enum
from typing import Any, Final, TypeVar

from ..config import SessionConfig
from ..coordination.lock import ensure_path
from ..coordination.recipe import Recipe, Watch
from ..coordination.requests import (
    ANY_VERSION,
    Check,
    Create,
    Delete,
    Exists,
    GetChildren,
    GetData,
    Multi,
    Operation,
    Response,
    SetData,
    WatchEvent,
    changes_nothing,
)
from ..coordination.watch_manager import Watcher, WatchManager, sets_watch, watch_key
from ..coordination.znode import Stat
from ..errors import (
    BadArgumentsError,
    CoordinationError,
    CorruptionError,
    FatalError,
    ProcessDiedError,
    RetryableError,
    SessionExpiredError,
)
from ..runtime import Runtime

COORDINATOR: Final = "coordinator"
"""The name of the coordinator's process."""
ANSWER_SLACK: Final = 1.5
"""A call is made again when it has had no answer for this many heartbeats."""
T = TypeVar("T")


class SessionState(Enum):
    """kazoo's states, and what the holder of an ephemeral znode does in each."""

    CONNECTED = "connected"
    SUSPENDED = "suspended"
    """The coordinator has been silent for long; the session may have ended. Go on, for it may
    be the coordinator that is away: what must be safe is fenced in storage, and there a holder
    sees that it was given up."""
    LOST = "lost"
    """The session has ended, and with it its ephemeral znodes. End the process."""


class Session:
    """A process's session with the coordinator, kept alive until ``close`` or expiry.

    Every method but ``hold`` raises SessionExpiredError once the session has ended, and
    otherwise waits for the coordinator for as long as that takes. Requests are applied in the
    order in which the methods were called; only reads without a watch that are under way at
    the same time may overtake each other. Cancelling a call does not withdraw the request.

    A restarted coordinator knows the session, its watches and its unanswered requests; the
    holder notices nothing but the delay.
    """

    def __init__(
        self,
        runtime: Runtime,
        config: SessionConfig,
        holder: str,
        coordinator: str = COORDINATOR,
    ) -> None:
        self._runtime = runtime
        self._config = config
        self._holder = holder
        self._coordinator = runtime.processes.remote(coordinator)
        self._id = 0
        self._xid = 0
        self._seen = 0
        self._answered = 0
        self._heard_s = 0.0
        self._unanswered: dict[int, asyncio.Future[Any]] = {}
        self._reads: dict[int, asyncio.Future[Any]] = {}
        self._watches = WatchManager()
        self._expiry_callbacks: list[Callable[[], None]] = []
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._sleepers: dict[asyncio.Event, None] = {}
        self._closed = False
        self._ended = asyncio.Event()
        self.expired = asyncio.Event()
        """Set when the coordinator said that the session has expired."""

    @property
    def session_id(self) -> int:
        """Unique for ever; 0 before ``open``."""
        return self._id

    @property
    def state(self) -> SessionState:
        if self._ended.is_set():
            return SessionState.LOST
        silence_s = self._runtime.clock.monotonic_s() - self._heard_s
        if self._id == 0 or silence_s > self._config.timeout_s * 2 / 3:
            return SessionState.SUSPENDED
        return SessionState.CONNECTED

    def on_expired(self, callback: Callable[[], None]) -> None:
        """Calls ``callback`` once, when the session has expired; not after ``close``."""
        self._expiry_callbacks.append(callback)

    async def open(self) -> None:
        """Opens the session; returns when the coordinator has it on disk."""
        nonce = self._runtime.entropy.integer(63)
        self._id = await self._call_until_answered(
            "open_session", self._holder, nonce, self._config.timeout_s
        )
        self.background(self._keep_alive())

    async def close(self) -> None:
        """Ends the session, once its requests under way are answered, and removes its
        ephemeral znodes; at the latest by its timeout."""
        if self._id == 0 or self._ended.is_set():
            return
        self._closed = True
        try:
            async with asyncio.timeout(self._config.timeout_s):
                await _answered(self._unanswered.values())
                await self._call_until_answered("close_session", self._id)
        except (TimeoutError, SessionExpiredError):
            pass  # Unheard of for a whole timeout, the coordinator ends the session itself.
        self._end()

    async def hold(self, session_id: int) -> bool:
        """True when the session ``session_id`` is not held here any more; waits until then.

        The holder's control method ``hold`` is this. The coordinator keeps the call open, so
        that it learns of the holder's death when the call fails, and from a process that was
        begun again that the session of its former life is an orphan. False, at once: this
        process is still opening its session, and does not know its id.
        """
        if self._id == 0:
            return False
        if session_id == self._id:
            await self._ended.wait()
        return True

    async def create(
        self, path: str, data: bytes = b"", *, ephemeral: bool = False, sequence: bool = False
    ) -> str:
        """Makes a znode and returns its path; in a sequence it ends in ten digits more.

        Raises NodeExistsError, NoNodeError (no parent) or NoChildrenForEphemeralsError.
        """
        return str(await self.request(Create(path, data, ephemeral, sequence)))

    async def ensure_path(self, path: str) -> None:
        """Makes the znode and those above it that are missing, persistent and empty."""
        await self.run(ensure_path(path))

    async def get(self, path: str, watch: Watcher | None = None) -> tuple[bytes, Stat]:
        """Raises NoNodeError, and then sets no watch."""
        data, stat = await self.request(GetData(path, watch is not None), watch)
        return data, stat

    async def exists(self, path: str, watch: Watcher | None = None) -> Stat | None:
        """The watch is set even if there is no znode; its creation will fire it."""
        stat: Stat | None = await self.request(Exists(path, watch is not None), watch)
        return stat

    async def get_children(self, path: str, watch: Watcher | None = None) -> list[str]:
        """Names (not paths), sorted. Raises NoNodeError, and then sets no watch."""
        return list(await self.request(GetChildren(path, watch is not None), watch))

    async def set(self, path: str, data: bytes, version: int = ANY_VERSION) -> Stat:
        """Raises NoNodeError or BadVersionError."""
        stat: Stat = await self.request(SetData(path, data, version))
        return stat

    async def delete(self, path: str, version: int = ANY_VERSION) -> None:
        """Raises NoNodeError, BadVersionError or NotEmptyError."""
        await self.request(Delete(path, version))

    async def multi(
        self, operations: Sequence[Create | Delete | SetData | Check]
    ) -> list[str | Stat | None]:
        """All or none of them, in one transaction; their results.

        Raises the error of the first that fails; then nothing was applied.
        """
        return list(await self.request(Multi(tuple(operations))))

    async def request(self, operation: Operation, watch: Watcher | None = None) -> Any:
        """Has the coordinator apply ``operation`` once, after all earlier requests.

        ``watch`` must be given if and only if the operation asks for a watch. It is called
        once, on the loop, with the first event after this request was applied.
        """
        if (watch is not None) != sets_watch(operation):
            raise BadArgumentsError(f"a watcher goes with a watch, and only with one: {operation}")
        if self._id == 0:
            raise CoordinationError(f"{self._holder} has not opened its session")
        if self._closed or self._ended.is_set():
            raise SessionExpiredError(self._id)
        self._xid += 1
        xid = self._xid
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._unanswered[xid] = answer
        if watch is not None:
            # Before the answer: an event that follows at once may come along with it.
            self._watches.expect(watch_key(operation), xid, watch)
        # A read leaves no trace with the coordinator, so its repeat reads anew: what is meant
        # to come after it must not be applied before it is answered.
        earlier = tuple(self._reads.values())
        if changes_nothing(operation):
            self._reads[xid] = answer
            earlier = ()
        self.background(self._deliver(xid, operation, watch, earlier))
        # Cancelling the caller does not stop the delivery: later requests wait for this xid.
        return await answer

    async def run(self, recipe: Recipe[T]) -> T:
        """Carries a recipe out and returns what it returns, or raises what it raises."""
        fired = asyncio.Event()
        self._sleepers[fired] = None

        def wake(_: WatchEvent) -> None:
            fired.set()

        try:
            step = next(recipe)
            while True:
                if isinstance(step, Watch):
                    await fired.wait()
                    fired.clear()
                    step = recipe.send(None)
                    continue
                try:
                    result = await self.request(step, wake if sets_watch(step) else None)
                except SessionExpiredError:
                    raise
                except CoordinationError as error:
                    step = recipe.throw(error)
                else:
                    step = recipe.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            recipe.close()
            del self._sleepers[fired]

    async def _deliver(
        self,
        xid: int,
        operation: Operation,
        watch: Watcher | None,
        earlier: Sequence[asyncio.Future[Any]],
    ) -> None:
        """Sends the request until it is answered, and hands the answer to who asked."""
        answer = self._unanswered[xid]
        await _answered(earlier)
        try:
            response: Response = await self._call_until_answered("request", xid, operation)
            self._receive(response.events)
        except SessionExpiredError:
            self._expire()
            return
        except Exception as error:
            outcome: Any = error
        else:
            outcome = response.result if response.error is None else response.error
        if watch is not None and isinstance(outcome, Exception):
            self._watches.withdraw(watch_key(operation), xid)
        elif watch is not None:
            late = self._watches.confirm(watch_key(operation), xid, watch)
            if late is not None:
                self._call_back(watch, late)
        del self._unanswered[xid]
        self._reads.pop(xid, None)
        _settle(answer, outcome)

    async def _keep_alive(self) -> None:
        """Heartbeats for as long as the session lasts; each brings the events there are, and
        shows that the answer to the one before arrived, without which the session ends."""
        while True:
            try:
                self._receive(await self._call_until_answered("heartbeat"))
            except SessionExpiredError:
                self._expire()
                return

    async def _call_until_answered(self, method: str, *args: Any) -> Any:
        """Calls again for as long as the outcome is unknown; the coordinator knows repeats."""
        heartbeat_s = self._config.heartbeat_s
        while True:
            try:
                result = await self._coordinator.call(
                    method, *self._header(method, args), timeout_s=heartbeat_s * ANSWER_SLACK
                )
            except (RetryableError, ProcessDiedError, FatalError, CorruptionError):
                # A coordinator is begun again under its name, so even its death passes; and
                # what is fatal to it is not so to us.
                pause_s = self._runtime.entropy.uniform(0.05, 0.15) * heartbeat_s
                await self._runtime.clock.sleep(pause_s)
            else:
                self._answered += 1
                self._heard_s = self._runtime.clock.monotonic_s()
                return result

    def _header(self, method: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of a call: which session, and what of its answers has arrived."""
        if method == "request":
            lowest_xid = next(iter(self._unanswered))
            return (self._id, lowest_xid, self._seen, self._answered, *args)
        if method == "heartbeat":
            return (self._id, self._seen, self._answered, *args)
        return args

    def _receive(self, events: Sequence[WatchEvent]) -> None:
        """Hands on, in order, the events that have not come before."""
        for event in events:
            if event.number <= self._seen:
                continue
            assert event.number == self._seen + 1, (event, self._seen)
            self._seen = event.number
            for watcher in self._watches.take(event):
                self._call_back(watcher, event)

    def _call_back(self, callback: Callable[..., None], *args: Any) -> None:
        """A callback's failure is its own: it goes to the loop's handler, and nothing stops."""
        try:
            callback(*args)
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"a watcher of {self._holder} failed", "exception": error}
            )

    def _expire(self) -> None:
        if self._ended.is_set():
            return
        expired = not self._closed
        self._end()
        if expired:
            self.expired.set()
            for callback in self._expiry_callbacks:
                self._call_back(callback)

    def _end(self) -> None:
        """Nothing of the session goes on; whoever waits for something of it hears so."""
        self._ended.set()
        for answer in self._unanswered.values():
            _settle(answer, SessionExpiredError(self._id))
        for sleeper in self._sleepers:
            sleeper.set()
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs ``work`` until it is done or the session ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"the session of {self._holder} failed", "exception": error}
            )


async def _answered(requests: Iterable[asyncio.Future[Any]]) -> None:
    """Returns when all have an answer, of whatever kind."""
    await asyncio.gather(*map(asyncio.shield, requests), return_exceptions=True)


def _settle(answer: asyncio.Future[Any], outcome: Any) -> None:
    if answer.done():
        return
    if isinstance(outcome, BaseException):
        answer.set_exception(outcome)
        answer.exception()  # Whoever asked may have been cancelled; that is no loose end.
    else:
        answer.set_result(outcome)
