"""The coordinator's process: calls, clock and log around coordination.processor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from .. import __version__
from ..config import ClusterConfig
from ..coordination.layout import Registry
from ..coordination.processor import (
    Call,
    CloseCall,
    DeathReport,
    DumpCall,
    HeartbeatCall,
    OpenCall,
    Processor,
    RegistryCall,
    RequestCall,
    Turn,
)
from ..coordination.requests import Operation, Response, WatchEvent
from ..coordination.state import CoordinatorState
from ..errors import FatalError, ProcessDiedError, RaybaseError, ServerNotRunningError
from ..runtime import Runtime
from .coordinator_files import CoordinatorFiles

EXIT_S: Final = 1.0
"""Within this a process that is to end has ended."""

LOCK_FILE: Final = "coordinator.lock"
"""Locked by the coordinator's process for as long as it lives."""


class Coordinator:
    """Keeps znodes, sessions and watches, as ZooKeeper does.

    An answer is given after what it tells is on disk and the log's fence was tested; all calls
    that arrive while the log is being synced share the next sync. Begun again after any death
    it goes on from its files, and its sessions do not notice. It ends itself when a successor
    fenced it and when its disk fails.
    """

    def __init__(self, runtime: Runtime, name: str, config: ClusterConfig) -> None:
        self._runtime = runtime
        self._name = name
        self._config = config
        self._files: CoordinatorFiles | None = None
        self._processor: Processor | None = None
        self._calls: list[Call] = []
        self._called = asyncio.Event()
        self._unanswered: dict[asyncio.Future[Any], None] = {}
        self._holds: dict[int, asyncio.Task[None]] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._snapshot: asyncio.Task[None] | None = None
        self._running = False

    async def start(self) -> None:
        """Takes the files over from whoever had them and serves; returns when it does.

        Raises CorruptionError if the files are damaged. If another coordinator took them over
        at the same time, or the disk failed, the process ends itself.
        """
        try:
            # Only so that `raybase start` can refuse a root in use: a successor that Ray began
            # takes over from a coordinator that hangs, and that is what fencing is for.
            await self._runtime.files.try_lock(LOCK_FILE)
            files, state = await CoordinatorFiles.take_over(
                self._runtime.files, self._name, self._new_state
            )
        except (FatalError, OSError) as error:
            self._runtime.processes.exit(f"coordinator {self._name}: {error}")
            await self._runtime.clock.sleep(EXIT_S)
            raise
        clock = self._runtime.clock
        self._files = files
        self._processor = Processor(
            state,
            clock.monotonic_s(),
            heartbeat_s=self._config.session.heartbeat_s,
        )
        self._running = True
        for session_id in state.sessions:
            self._open_hold(session_id)
        self._background(self._take_turns(files, self._processor))

    async def stop(self) -> None:
        """Ends without a trace: sessions stay, as they do when the process is killed."""
        self._refuse("the coordinator was stopped")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._files is not None:
            await self._files.close()

    async def open_session(self, holder: str, nonce: int, timeout_s: float) -> int:
        """The id of the session; ``nonce`` is the same when the call is made again.

        ``holder`` is the process that keeps it. Its control method ``hold`` is called with
        the id at once, and the failure of that call is a report of its death.
        """
        return int(await self._ask(OpenCall, str(holder), int(nonce), float(timeout_s)))

    async def close_session(self, session_id: int) -> None:
        """Removes the session and its ephemeral znodes. Raises SessionExpiredError."""
        await self._ask(CloseCall, int(session_id))

    async def expire_session(self, session_id: int) -> None:
        """Ends the session as if its holder had been silent for its whole timeout."""
        await self._ask(CloseCall, int(session_id), True)

    async def request(
        self,
        session_id: int,
        lowest_xid: int,
        seen: int,
        answered: int,
        xid: int,
        operation: Operation,
    ) -> Response:
        """Applies the session's request ``xid`` once, after all with lower xids.

        A repeat gets the answer of the first. ``lowest_xid`` is the lowest request that the
        session has no answer to, ``seen`` the number of the last event it has, ``answered``
        how many calls it has had an answer to: the session lasts while that grows.
        Raises SessionExpiredError.
        """
        numbers = map(int, (session_id, lowest_xid, seen, answered, xid))
        response: Response = await self._ask(RequestCall, *numbers, operation)
        return response

    async def heartbeat(self, session_id: int, seen: int, answered: int) -> tuple[WatchEvent, ...]:
        """The events after number ``seen``, as soon as there are any; after a time, none.

        Raises SessionExpiredError.
        """
        events: tuple[WatchEvent, ...] = await self._ask(
            HeartbeatCall, int(session_id), int(seen), int(answered)
        )
        return events

    async def registry(self) -> Registry:
        """The addresses of the live masters and region servers, and the cluster's id."""
        registry: Registry = await self._ask(RegistryCall)
        return registry

    async def dump(self) -> dict[str, Any]:
        """Sessions, znodes and watches in plain values."""
        values: dict[str, Any] = await self._ask(DumpCall)
        return values

    async def describe(self) -> dict[str, Any]:
        """Who this is; answered without a look at the disk."""
        return {
            "version": __version__,
            "role": "coordinator",
            "name": self._name,
            "config": self._config.as_dict(),
            "life": self._files.life if self._files is not None else 0,
            "running": self._running,
        }

    async def _ask(self, kind: Callable[..., Call], *args: Any) -> Any:
        if not self._running:
            raise ServerNotRunningError("the coordinator is not in service")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._unanswered[answer] = None
        try:
            self._submit(kind(answer, *args))
            return await answer
        finally:
            self._unanswered.pop(answer, None)

    def _submit(self, call: Call) -> None:
        self._calls.append(call)
        self._called.set()

    async def _take_turns(self, files: CoordinatorFiles, processor: Processor) -> None:
        clock = self._runtime.clock
        appended_s = clock.monotonic_s()
        while True:
            await self._wait_for_calls(processor.tick_s)
            calls, self._calls = self._calls, []
            turn = processor.step(calls, clock.monotonic_s(), clock.now_ms())
            if turn.records:
                await files.append(turn.records)
                appended_s = clock.monotonic_s()
            elif not files.proved and clock.monotonic_s() - appended_s > processor.tick_s:
                await files.append(())
            else:
                await files.check()
            self._release(turn)
            await self._roll_if_long(files, processor.state)

    async def _wait_for_calls(self, tick_s: float) -> None:
        try:
            async with asyncio.timeout(tick_s):
                await self._called.wait()
        except TimeoutError:
            return  # Time itself is what the turn is about.
        self._called.clear()

    def _release(self, turn: Turn) -> None:
        for answer, outcome in turn.answers:
            if answer.done():
                continue
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)
        for session_id in turn.opened:
            self._open_hold(session_id)
        for session_id in turn.ended:
            hold = self._holds.pop(session_id, None)
            if hold is not None:
                hold.cancel()

    async def _roll_if_long(self, files: CoordinatorFiles, state: CoordinatorState) -> None:
        """The next log begins here; the snapshot before it is written meanwhile."""
        if files.log_bytes <= self._config.coordinator.snapshot_log_bytes:
            return
        if self._snapshot is None or self._snapshot.done():
            snapshot = await files.roll(state)
            self._snapshot = self._background(snapshot.write(self._runtime.clock))

    def _open_hold(self, session_id: int) -> None:
        assert self._processor is not None
        session = self._processor.state.sessions.get(session_id)
        if session is not None:
            hold = self._hold(session_id, session.holder)
            self._holds[session_id] = self._background(hold)

    async def _hold(self, session_id: int, holder: str) -> None:
        """Keeps a call to the holder open: its failure is how a death is heard of at once."""
        remote = self._runtime.processes.remote(holder)
        while True:
            try:
                orphaned = await remote.call("hold", session_id)
            except ProcessDiedError:
                orphaned = True
            except RaybaseError:
                orphaned = False  # Unreachable: what that means heartbeats will tell.
            except Exception as error:
                orphaned = False  # The holder's own trouble must not become everybody's.
                asyncio.get_running_loop().call_exception_handler(
                    {"message": f"the call to {holder} failed", "exception": error}
                )
            if orphaned:
                # It may live, but takes no orders any more: its session ends all the same.
                self._submit(DeathReport(session_id))
                return
            await self._runtime.clock.sleep(self._config.session.heartbeat_s)

    def _background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        """Whatever fails in the background ends the process: its files hold all it knows."""
        self._tasks.pop(task, None)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            reason = f"{type(error).__name__}: {error}"
            self._refuse(reason)
            self._runtime.processes.exit(f"coordinator {self._name}: {reason}")

    def _refuse(self, reason: str) -> None:
        """Nothing is answered any more but that there is no answer."""
        self._running = False
        for answer in self._unanswered:
            if not answer.done():
                answer.set_exception(ServerNotRunningError(reason))

    def _new_state(self) -> CoordinatorState:
        digits = f"{self._runtime.entropy.integer(128):032x}"
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return CoordinatorState.new("-".join(parts), self._runtime.clock.now_ms())
