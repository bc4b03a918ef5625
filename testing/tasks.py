"""runtime.Tasks: every job runs as a process of its own, which may die or run twice."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ..errors import ProcessDiedError
from ..runtime import FileSystem, Objects
from .process import SimProcess
from .processes import ProcessTable

_START_S: Final = (0.002, 0.02)
_LIFE_S: Final = (0.0, 0.05)
_DOUBLE_S: Final = (0.0, 0.5)
_REPORT_S: Final = (0.01, 0.04)

Job = Callable[..., Awaitable[Any]]


class SimTasks:
    """Work as one process hands it out. ``services`` gives a worker its files and objects."""

    def __init__(
        self,
        process: SimProcess,
        table: ProcessTable,
        services: Callable[[SimProcess], tuple[FileSystem, Objects]],
    ) -> None:
        self._process = process
        self._world = process.world
        self._table = table
        self._random = process.world.stream(f"tasks {process.name} {process.life}")
        self._services = services

    async def run(self, job: Job, *args: Any) -> Any:
        await self._process.failpoint(job.__name__)
        payload = pickle.dumps((job, args))
        result: asyncio.Future[Any] = self._process.loop.create_future()
        faults = self._world.faults
        self._world.counts["tasks"] += 1
        self._begin(job.__name__, payload, result, self._random.uniform(*_START_S))
        if self._happens(faults.task_doubled, "tasks doubled"):
            self._begin(job.__name__, payload, result, self._random.uniform(*_DOUBLE_S))
        answer = await result
        await self._process.failpoint(f"{job.__name__}-done")
        return answer

    def _begin(
        self, name: str, payload: bytes, result: asyncio.Future[Any], delay_s: float
    ) -> None:
        number = self._world.scheduler.number()
        worker = self._table.new_life(f"{name}-{number}")
        worker.die = lambda: self._kill(worker, result)
        worker.loop.call_later(delay_s, self._work, worker, payload, result)
        if self._happens(self._world.faults.task_died, "tasks died"):
            after_s = delay_s + self._random.uniform(*_LIFE_S)
            self._table.world_process.loop.call_later(after_s, self._kill, worker, result)

    def _work(self, worker: SimProcess, payload: bytes, result: asyncio.Future[Any]) -> None:
        self._world.trace.add(f"{worker.name} begins")
        worker.loop.create_task(self._job(worker, payload, result))

    async def _job(self, worker: SimProcess, payload: bytes, result: asyncio.Future[Any]) -> None:
        job, args = pickle.loads(payload)  # noqa: S301 - made by this very process
        files, objects = self._services(worker)
        answer: tuple[bool, Any]
        try:
            answer = True, await job(files, objects, *args)
        except Exception as error:
            answer = False, error
        how = "well" if answer[0] else f"with {type(answer[1]).__name__}"
        self._world.trace.add(f"{worker.name} ends {how}")
        self._process.loop.call_soon(_settle, result, pickle.dumps(answer))
        worker.kill()

    def _kill(self, worker: SimProcess, result: asyncio.Future[Any]) -> None:
        if worker.alive:
            self._world.trace.add(f"{worker.name} dies")
            worker.kill()
            answer = pickle.dumps((False, ProcessDiedError(f"the worker of {worker.name} died")))
            delay_s = self._random.uniform(*_REPORT_S)
            self._process.loop.call_later(delay_s, _settle, result, answer)

    def _happens(self, rate: float, what: str) -> bool:
        if rate and self._random.random() < rate:
            self._world.counts[what] += 1
            return True
        return False


def _settle(result: asyncio.Future[Any], answer: bytes) -> None:
    if result.done():
        return
    succeeded, value = pickle.loads(answer)  # noqa: S301 - made by this very process
    if succeeded:
        result.set_result(value)
    else:
        result.set_exception(value)
