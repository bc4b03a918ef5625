"""A file system that fails at operation N, for every N of a short piece of work.

What must hold: an error is told or survived, never swallowed. Either the server goes on, and
then everything it was asked for gets done once the file system works again; or it has ended,
and then a recovery finds all it acknowledged. A sync that failed is never tried again.
"""

from __future__ import annotations

import asyncio
import errno
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ...errors import RaybaseError
from ..disk import Disk
from ..simulation import Simulation
from .scenarios import RegionScenario, Stage, reopened
from .server import CONFIG, compact, read_state

_BOUND_S: Final = 3600.0
_PROCESS: Final = "server"
_PATIENCE_S: Final = 30.0
_TRIES: Final = 8
_PAUSE_S: Final = 1.0
_OUTAGE_S: Final = 3.0
_NEEDS_SPACE: Final = ("write", "create", "mkdir", "link")
_OPENS: Final = ("read", "create", "syncdir")


class Fault(StrEnum):
    """What goes wrong at operation N."""

    EIO = "EIO, once"
    EIO_FOR_GOOD = "EIO from then on"
    SYNC = "a failed sync"
    ENOSPC = "ENOSPC for a while"
    EMFILE = "EMFILE for a while"


class Saboteur:
    """Makes calls of a disk fail from the N-th one of their kind on.

    Args:
        disk: the disk.
        fault: the kind of fault, which says whose calls are counted.
        number: N, from 1; 0 counts only.
        now_s: the virtual clock.
    """

    def __init__(self, disk: Disk, fault: Fault, number: int, now_s: Callable[[], float]) -> None:
        self._disk = disk
        self._fault = fault
        self._number = number
        self._now_s = now_s
        self._until_s = 0.0
        self.count = 0
        self.struck: list[str] = []
        """The calls that failed."""

    def start(self) -> None:
        self._disk.on_call = self._call
        if self._fault is Fault.EMFILE:
            self._disk.on_read = self._call

    def stop(self) -> None:
        self._disk.on_call = self._disk.on_read = None

    def _call(self, call: str) -> None:
        verb = call.split()[0]
        if not self._concerns(verb):
            return
        self.count += 1
        if self.count == self._number:
            self._until_s = self._now_s() + _OUTAGE_S
        once = self._fault in (Fault.EIO, Fault.SYNC)
        lasts = self._fault is Fault.EIO_FOR_GOOD or self._now_s() <= self._until_s
        if self.count == self._number or (self._until_s and lasts and not once):
            self.struck.append(call)
            code = self._code()
            raise OSError(code, os.strerror(code), call)

    def _concerns(self, verb: str) -> bool:
        if self._fault is Fault.SYNC:
            return verb == "sync"
        if self._fault is Fault.ENOSPC:
            return verb in _NEEDS_SPACE
        return self._fault is not Fault.EMFILE or verb in _OPENS

    def _code(self) -> int:
        return {Fault.ENOSPC: errno.ENOSPC, Fault.EMFILE: errno.EMFILE}.get(self._fault, errno.EIO)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run."""

    fault: Fault
    number: int
    call: str
    """The first call that failed."""
    ended: bool
    """Whether the server ended itself."""
    problems: tuple[str, ...]


def outcomes(fault: Fault, seed: int = 1) -> Iterator[Outcome]:
    """One run for every N of the work."""
    calls = _Run(fault, 0, seed).run()[1].count
    assert calls > 10, "the work makes calls"
    for number in range(1, calls + 1):
        run = _Run(fault, number, seed)
        problems, saboteur = run.run()
        call = saboteur.struck[0] if saboteur.struck else "none"
        yield Outcome(fault, number, call, run.ended, tuple(problems))


class _Run:
    def __init__(self, fault: Fault, number: int, seed: int) -> None:
        self._fault = fault
        self._number = number
        self._seed = seed
        self.ended = False

    def run(self) -> tuple[list[str], Saboteur]:
        problems: list[str] = []
        with Simulation(self._seed, CONFIG, lines_kept=200) as simulation:
            stage = Stage(simulation, CONFIG)
            saboteur = Saboteur(
                simulation.disk, self._fault, self._number, lambda: simulation.now_s
            )
            work = self._work(stage, saboteur, problems)
            try:
                simulation.run(work, _BOUND_S, _PROCESS)
            except (RaybaseError, OSError, AssertionError, TimeoutError) as error:
                problems.append(f"it ended with {error!r}")
            problems += simulation.errors
            saboteur.stop()
            self.ended = bool(stage.server.failures)
            told = stage.ledger
            after_kill, after_power_cut = (
                simulation.disk,
                simulation.disk.image(random.Random(self._number)),
            )
        for what, disk in (("a kill", after_kill), ("a power cut", after_power_cut)):
            found = reopened(disk, told, (told.acknowledged, told.submitted), 10**6, _RECOVERY)
            problems += [f"after {what}: {one}" for one in found]
        return problems, saboteur

    async def _work(self, stage: Stage, saboteur: Saboteur, problems: list[str]) -> None:
        await stage.begin()
        await stage.writer.write(4)
        saboteur.start()
        for task in (write, flush, roll, write, flush, write, flush, compact_major, write):
            if not await self._persist(stage, task) or stage.server.failures:
                return
        saboteur.stop()
        if not saboteur.struck and self._number:
            problems.append("nothing failed")
        if stage.ledger.acknowledged < stage.ledger.submitted:
            problems.append("it goes on, but a write was never acknowledged")
        _, wrong = stage.ledger.left(
            await read_state(stage.hosted), stage.ledger.submitted, stage.ledger.submitted
        )
        problems += [f"it goes on, and {wrong}"] if wrong else []
        problems += await stage.server.problems()

    async def _persist(self, stage: Stage, task: Callable[[Stage], Awaitable[object]]) -> bool:
        """Does the task, again after every error that says so, as clients and chores do.

        False if it can never be done, as the file system fails for good; else it raises then.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await task(stage)
            except (RaybaseError, TimeoutError):
                if stage.server.failures or self._fault is Fault.EIO_FOR_GOOD:
                    return False
                if attempt == _TRIES:
                    raise
                await stage.runtime.clock.sleep(_PAUSE_S)
            else:
                return True
        raise AssertionError("unreachable")


async def write(stage: Stage) -> None:
    pending = [await stage.writer.submit() for _ in range(3)]
    await asyncio.gather(*pending)


async def flush(stage: Stage) -> None:
    await stage.hosted.flush()


async def roll(stage: Stage) -> None:
    stage.hosted.log.request_roll()
    await stage.hosted.log.barrier()


async def compact_major(stage: Stage) -> None:
    await compact(stage.hosted, major=True)
    # The rest of the work is done in the background.
    await stage.runtime.clock.sleep(0.5)


_RECOVERY: Final = RegionScenario("recovery", write, write, flush)
