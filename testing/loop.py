"""Event loops on one virtual clock: a whole cluster's callbacks in one repeatable order.

Every simulated process has an asyncio loop of its own, so "whose callback is this" needs no
book-keeping: a task, a timer and a future belong to the loop they were made on, and asyncio
itself refuses a future that leaked from one process into another. All loops share one
``Scheduler``, which runs one callback at a time and moves the clock when nothing is ready.

- A killed process's callbacks are dropped: nothing of it runs again, no ``finally`` either,
  as after kill -9. Its tasks are kept (not collected, which would run their ``finally``)
  until the simulation is closed.
- A paused process's callbacks are held and run late, as after SIGSTOP and SIGCONT.
- Threads, sockets and subprocesses do not exist here; asking for one is an error.
"""

# ruff: noqa: SLF001 - a loop of one's own is written against the hooks asyncio keeps for loops

from __future__ import annotations

import asyncio
import contextvars
import gc
import heapq
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, NoReturn

STEP_S: Final = 1e-6
"""What a callback costs on the virtual clock: endless ones cannot stop time."""

COLLECT_EVERY: Final = 50_000
"""Callbacks between garbage collections; at fixed places, as collecting may run code."""


class DeadlockError(Exception):
    """Nothing is scheduled and what was waited for has not happened."""


class VirtualTimeoutError(Exception):
    """What was waited for did not happen within its virtual time."""


class SimTask(asyncio.Task[Any]):
    """A task with a repeatable hash, so that sets of tasks (TaskGroup's) have one order."""

    __slots__ = ("number",)

    def __init__(self, coroutine: Any, *, number: int, **options: Any) -> None:
        self.number = number
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


_Entry = tuple["SimLoop", asyncio.Handle]


class Scheduler:
    """Runs the callbacks of all loops, ordered by time and then by who asked first."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.callbacks_run = 0
        self._ready: deque[_Entry] = deque()
        self._timers: list[tuple[float, int, SimLoop, asyncio.Handle]] = []
        self._numbers = 0
        self._current: SimLoop | None = None

    @property
    def current_name(self) -> str:
        """Of the process whose callback runs."""
        return self._current.name if self._current is not None else "nobody"

    def number(self) -> int:
        """The next of a sequence of numbers, for ties."""
        self._numbers += 1
        return self._numbers

    def add(self, loop: SimLoop, handle: asyncio.Handle) -> None:
        self._ready.append((loop, handle))

    def add_at(self, when_s: float, loop: SimLoop, handle: asyncio.Handle) -> None:
        self._numbers += 1
        heapq.heappush(self._timers, (when_s, self._numbers, loop, handle))

    def run(self, finished: Callable[[], bool], until_s: float) -> None:
        """Runs callbacks until ``finished()``.

        Raises:
            DeadlockError: nothing is left that could make it true.
            VirtualTimeoutError: the clock reached ``until_s`` first.
        """
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("a simulation cannot run inside a running event loop")
        hooks = sys.get_asyncgen_hooks()
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._run(finished, until_s)
        finally:
            self._enter(None)
            sys.set_asyncgen_hooks(*hooks)
            if collecting:
                gc.enable()

    def _run(self, finished: Callable[[], bool], until_s: float) -> None:
        ready, timers = self._ready, self._timers
        while not finished():
            while timers and (timers[0][0] <= self.now_s or timers[0][3].cancelled()):
                _, _, loop, handle = heapq.heappop(timers)
                ready.append((loop, handle))
            if not ready:
                self._advance(until_s)
                continue
            loop, handle = ready.popleft()
            if handle.cancelled() or loop.dead:
                continue
            if loop.held is not None:
                loop.held.append(handle)
                continue
            if loop is not self._current:
                self._enter(loop)
            self.now_s += STEP_S
            self.callbacks_run += 1
            handle._run()
            if self.callbacks_run % COLLECT_EVERY == 0:
                gc.collect(1)

    def _advance(self, until_s: float) -> None:
        if not self._timers:
            raise DeadlockError(f"nothing is scheduled at {self.now_s:.6f} s")
        when_s = self._timers[0][0]
        if when_s > until_s:
            self.now_s = max(self.now_s, until_s)
            raise VirtualTimeoutError(f"not finished at {self.now_s:.3f} s of virtual time")
        self.now_s = when_s

    def _enter(self, loop: SimLoop | None) -> None:
        self._current = loop
        asyncio._set_running_loop(loop)
        if loop is not None:
            sys.set_asyncgen_hooks(finalizer=loop.finalize_generator)


class SimLoop(asyncio.BaseEventLoop):
    """The event loop of one simulated process.

    ``on_error`` hears of everything that nobody caught: callbacks that raised, tasks whose
    exception was never looked at.
    """

    def __init__(
        self, scheduler: Scheduler, name: str, on_error: Callable[[str, BaseException | None], None]
    ) -> None:
        super().__init__()
        self.set_debug(False)
        self.scheduler = scheduler
        self.name = name
        self.dead = False
        self.held: list[asyncio.Handle] | None = None
        self._on_error = on_error
        self._tasks: list[SimTask] = []
        self._tasks_prune_at = 64

    def time(self) -> float:
        return self.scheduler.now_s

    def is_running(self) -> bool:
        return asyncio._get_running_loop() is self

    def call_soon(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self.scheduler.add(self, handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.scheduler.now_s + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self.scheduler.add_at(when, self, handle)
        return handle

    def create_task(  # type: ignore[override]
        self,
        coro: Generator[Any, None, Any] | Coroutine[Any, Any, Any],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[Any]:
        number = self.scheduler.number()
        task = SimTask(coro, number=number, loop=self, name=name or f"{number}", context=context)
        self._tasks.append(task)
        if len(self._tasks) >= self._tasks_prune_at:
            self._tasks = [one for one in self._tasks if not one.done()]
            self._tasks_prune_at = max(64, 2 * len(self._tasks))
        return task

    def unfinished_tasks(self) -> list[SimTask]:
        """In order of creation."""
        return [one for one in self._tasks if not one.done()]

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self._on_error(f"{self.name}: {context.get('message')}", context.get("exception"))

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> NoReturn:  # type: ignore[override]
        raise RuntimeError("a simulated process has no threads")

    def finalize_generator(self, generator: Any) -> None:
        """Closes an asynchronous generator that was dropped half-way."""
        if not self.dead:
            self.create_task(generator.aclose())

    def pause(self) -> None:
        if self.held is None:
            self.held = []

    def resume(self) -> None:
        held, self.held = self.held, None
        for handle in held or ():
            self.scheduler.add(self, handle)

    def kill(self) -> None:
        """Nothing of this loop runs again."""
        self.dead = True
        self.held = None

    def discard(self) -> None:
        """Ends what is suspended for good, so that it can be collected without a word.

        What its ``finally`` blocks try is without effect: the process is dead.
        """
        self.dead = True
        asyncio._set_running_loop(self)
        try:
            while tasks := self.unfinished_tasks():
                self._tasks = []
                for task in tasks:
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    _close(task.get_coro())
        finally:
            asyncio._set_running_loop(None)
            self.close()


def _close(coroutine: Any) -> None:
    try:
        coroutine.close()
    except BaseException:
        # A dead process's clean-up met a world that no longer answers.
        return
