"""A cluster in one process, from one seed: the same seed, the same run, byte for byte.

::

    with Simulation(seed=7, faults=ROUGH) as simulation:
        simulation.spawn("coordinator", "coordinator")
        simulation.spawn("master", "master-1")
        simulation.run(my_coroutine(simulation.runtime_for("client")), timeout_s=60)

Times are virtual: an hour of quiet costs nothing. ``my_coroutine`` runs in a process called
``main``, which no fault touches.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from importlib import import_module
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from ..config import ClusterConfig
from ..runtime import FileSystem, Objects, Runtime
from .disk import Disk
from .files import LockTable, SimFiles
from .network import Fabric, SimNetwork
from .objects import ObjectStore, SimObjects
from .process import SimProcess
from .processes import Factory, ProcessTable, Slot
from .remote import SimProcesses
from .tasks import SimTasks
from .world import NO_FAULTS, Faults, TraceHandler, World

T = TypeVar("T")

_EPOCH_MS: Final = 1_700_000_000_000
_ROLES: Final = {
    "coordinator": ("coordinator", "Coordinator"),
    "master": ("master", "Master"),
    "region_server": ("region_server", "RegionServer"),
}


class SimClock:
    """runtime.Clock."""

    def __init__(self, process: SimProcess) -> None:
        self._process = process
        self._scheduler = process.world.scheduler
        most_ms = process.world.faults.clock_skew_s * 1000
        process.skew_ms = int(process.random.uniform(-most_ms, most_ms))

    def now_ms(self) -> int:
        return _EPOCH_MS + self._process.skew_ms + int(self._scheduler.now_s * 1000)

    def monotonic_s(self) -> float:
        return self._scheduler.now_s

    async def sleep(self, delay_s: float) -> None:
        await self._process.sleep(max(delay_s, 0.0))


class SimEntropy:
    """runtime.Entropy."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def uniform(self, low: float, high: float) -> float:
        return self._chance.uniform(low, high)

    def integer(self, bits: int) -> int:
        return self._chance.getrandbits(bits)


class Simulation:
    """Everything there is in one run.

    Args:
        seed: where all chance comes from.
        config: handed to the processes.
        faults: how often things go wrong by themselves; may be set again at any time.
        lines_kept: last lines of the trace to keep; None for all.
    """

    def __init__(
        self,
        seed: int,
        config: ClusterConfig | None = None,
        *,
        faults: Faults = NO_FAULTS,
        lines_kept: int | None = 5000,
    ) -> None:
        self.seed = seed
        self.config = config or ClusterConfig()
        self.world = World(seed, faults, lines_kept)
        self.chance = self.world.stream("simulation")
        self.disk = Disk()
        self.locks = LockTable()
        self.fabric = Fabric(self.world)
        self.store = ObjectStore()
        self.table = ProcessTable(self.world, self.fabric)
        self.table.build = self._runtime
        self.table.config = self.config
        self.table.roles = {role: _importer(*where) for role, where in _ROLES.items()}
        self._free: dict[str, tuple[SimProcess, Runtime]] = {}
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # What happened.

    @property
    def now_s(self) -> float:
        return self.world.now_s

    @property
    def counts(self) -> Counter[str]:
        return self.world.counts

    @property
    def errors(self) -> list[str]:
        """Exceptions nobody caught, in any process; a good run has none."""
        return self.world.errors

    @property
    def trace(self) -> list[str]:
        return list(self.world.trace.lines)

    @property
    def digest(self) -> str:
        return self.world.trace.digest

    # Processes.

    def spawn(
        self,
        role: str | Factory,
        name: str,
        arguments: dict[str, Any] | None = None,
        *,
        restarts: bool | None = None,
    ) -> Slot:
        """Starts a process: a role of the cluster, or ``factory(runtime, name, config)``.

        ``restarts``: whether a killed one is begun again under its name, as Ray does with
        coordinators and masters.
        """
        factory = self.table.roles[role]() if isinstance(role, str) else role
        kind = role if isinstance(role, str) else name
        if restarts is None:
            restarts = kind in ("coordinator", "master")
        return self.table.spawn(kind, factory, name, arguments or {}, restarts)

    def runtime_for(self, name: str) -> Runtime:
        """The world as seen by a process that is not part of the cluster, such as a client."""
        return self._free_process(name)[1]

    def start(self, name: str, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs a coroutine in such a process beside ``run``; awaiting it elsewhere is refused."""
        return self._free_process(name)[0].loop.create_task(coroutine)

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float, name: str = "main") -> T:
        """Runs the simulation until the coroutine is done, and returns its result.

        Raises:
            VirtualTimeoutError: not done after ``timeout_s`` of virtual time.
            DeadlockError: nothing can happen any more.
        """
        task = self.start(name, coroutine)
        with TraceHandler(self.world).attached():
            self.world.scheduler.run(task.done, self.now_s + timeout_s)
        return task.result()

    def process(self, name: str) -> SimProcess | None:
        """The present life of the name."""
        if name in self._free:
            return self._free[name][0]
        slot = self.table.slots.get(name)
        return slot.process if slot else None

    def actor(self, name: str) -> Any:
        """The object inside a process, to look at; None while there is none."""
        slot = self.table.slots.get(name)
        return slot.actor if slot else None

    def living(self, role: str) -> list[str]:
        """Names of the role's processes that run, in the order of their spawning."""
        return [
            slot.name
            for slot in self.table.slots.values()
            if slot.role == role and slot.process is not None
        ]

    # Faults.

    def set_faults(self, faults: Faults) -> None:
        self.world.faults = faults

    def kill(self, name: str, *, for_good: bool = False) -> bool:
        """kill -9. What it wrote stays in the page cache; False if it does not run."""
        if name in self._free or self.process(name) is None:
            return False
        self.table.kill(name, for_good=for_good)
        self.counts["kills"] += 1
        return True

    def end(self, name: str) -> None:
        """kill -9 of a process that is not part of the cluster."""
        self.world.trace.add(f"{name} ends")
        self._free.pop(name)[0].kill()

    def pause(self, name: str, duration_s: float) -> bool:
        """SIGSTOP, and SIGCONT after the duration; False if it does not run."""
        process = self.process(name)
        if process is None or process.paused:
            return False
        self.counts["pauses"] += 1
        self.world.trace.add(f"{name} stands still")
        process.loop.pause()
        self.table.world_process.loop.call_later(duration_s, self._resume, process)
        return True

    def report_dead(self, name: str) -> None:
        """Ray says so; the process lives on."""
        self.table.report_dead(name)

    def lose_node(self, name: str, unnoticed_s: float) -> None:
        """The process is gone, and so is every word from its node: its peers' connections hang,
        and Ray takes so long to miss it that calls wait meanwhile."""
        self.counts["nodes lost"] += 1
        self.fabric.isolate(name)
        self.table.kill(name, for_good=True, unnoticed_s=unnoticed_s)
        self.counts["kills"] += 1

    def jump_clock(self, name: str, by_ms: int) -> None:
        """Sets the wall clock of the process's present life forwards or backwards."""
        process = self.process(name)
        if process is not None:
            self.counts["clock jumps"] += 1
            self.world.trace.add(f"the clock of {name} jumps by {by_ms} ms")
            process.skew_ms += by_ms

    def free_disk(self) -> None:
        """There is room again."""
        self.disk.free_bytes = None

    def cut(self, one: str, other: str, *, one_way: bool = False, for_good: bool = False) -> None:
        """Nothing gets from ``one`` to ``other``, nor back unless ``one_way``, until ``heal``, or
        ``for_good``: lives that are begun under these names later are cut off as well."""
        self.counts["cuts for good" if for_good else "cuts"] += 1
        self.world.trace.add(f"cut {one} {'>' if one_way else '-'} {other}")
        self.fabric.cut(one, other, for_good=for_good)
        if not one_way:
            self.fabric.cut(other, one, for_good=for_good)

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Does something to the world after the delay."""
        self.table.world_process.loop.call_later(delay_s, action)

    def heal(self) -> None:
        """No faults any more, all links carry but those cut for good, whoever stood still goes
        on."""
        self.world.trace.add("heal")
        self.set_faults(NO_FAULTS)
        self.free_disk()
        self.fabric.heal()
        for process in self.table.lives:
            self._resume(process)

    def power_loss(self) -> None:
        """All processes die at once; what was not synced is lost, half lost or rubbish."""
        self.counts["power losses"] += 1
        self.end_all()
        self.disk.crash(self.chance)

    def end_all(self) -> None:
        """kill -9 of every process of the cluster, for good."""
        self.world.trace.add("all processes end")
        for name in list(self.table.slots):
            self.table.kill(name, for_good=True)
        self.table.slots.clear()
        outside = [self.table.world_process, *(process for process, _ in self._free.values())]
        for process in self.table.lives:
            if process not in outside:
                process.kill()
        self.locks.holders.clear()

    def close(self) -> None:
        """Ends all and frees it. The simulation can be looked at but not run any more."""
        if self._closed:
            return
        self._closed = True
        for process in self.table.lives:
            process.kill()
        errors = list(self.errors)
        for process in self.table.lives:
            process.loop.discard()
        self.world.errors[:] = errors

    def _resume(self, process: SimProcess) -> None:
        if process.alive and process.paused:
            self.world.trace.add(f"{process.name} goes on")
            process.loop.resume()

    def _free_process(self, name: str) -> tuple[SimProcess, Runtime]:
        if name not in self._free:
            process = self.table.new_life(name)
            self._free[name] = (process, self._runtime(process))
        return self._free[name]

    def _runtime(self, process: SimProcess) -> Runtime:
        files, objects = self._services(process)
        return Runtime(
            clock=SimClock(process),
            entropy=SimEntropy(process.random),
            files=files,
            network=SimNetwork(process, self.fabric),
            processes=SimProcesses(self.table, process),
            tasks=SimTasks(process, self.table, self._services),
            objects=objects,
        )

    def _services(self, process: SimProcess) -> tuple[FileSystem, Objects]:
        return SimFiles(process, self.disk, self.locks), SimObjects(process, self.store)


def _importer(module: str, name: str) -> Callable[[], Factory]:
    def factory() -> Factory:
        found: Factory = getattr(import_module(f"..actors.{module}", __package__), name)
        return found

    return factory
