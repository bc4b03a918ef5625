"""runtime.Processes over simulated processes: control calls as Ray makes them, and as it fails.

A call's arguments and result are pickled on the way, as in Ray. Requests overtake one another,
get lost, arrive twice; so do replies. A dead process fails the calls it owed after some ms:
with ProcessDiedError if it is gone for good, with ProcessUnavailableError if it will be
started again under its name. The report of a death can be false.
"""

from __future__ import annotations

import asyncio
import pickle
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import (
    ProcessDiedError,
    ProcessUnavailableError,
    RaybaseError,
    UnsupportedOperationError,
)
from .network import Fabric
from .process import SimProcess
from .world import World

CALL_S: Final = (0.0003, 0.002)
_DEATH_REPORT_S: Final = (0.01, 0.04)
_LOSS_NOTICED_S: Final = (0.1, 3.0)
_START_S: Final = (0.05, 0.5)
_RESTART_S: Final = (0.3, 1.5)

Factory = Callable[..., Any]
"""Called with (runtime, name, config, **arguments); what it returns answers control calls.

If that has ``start``, it is awaited first, and calls wait for it.
"""


@dataclass(eq=False)
class Call:
    """A control call that its caller still waits for."""

    number: int
    caller: SimProcess
    target: str
    method: str
    request: bytes
    answer: asyncio.Future[Any]


@dataclass(eq=False)
class Slot:
    """A name and its present life."""

    name: str
    role: str
    factory: Factory
    arguments: dict[str, Any]
    restarts: bool
    process: SimProcess | None = None
    actor: Any = None
    started: asyncio.Future[None] | None = None
    start_error: RaybaseError | None = None
    lives: int = 0
    gone: bool = False
    missed_s: float = 0.0
    """Dead, and Ray gets to know of it at this time."""
    reported_dead: bool = False
    owed: dict[int, Call] = field(default_factory=dict)
    early: list[Call] = field(default_factory=list)
    """Calls that came before the process was there; it gets them then."""


class ProcessTable:
    """All named processes. ``build`` makes the runtime of a new life."""

    def __init__(self, world: World, fabric: Fabric) -> None:
        self.world = world
        self.fabric = fabric
        self.random = world.stream("processes")
        self.slots: dict[str, Slot] = {}
        self.lives: list[SimProcess] = []
        self._lives_of: Counter[str] = Counter()
        self.world_process = self.new_life("world")
        """What is done by nobody in particular: Ray's own actions."""
        self.roles: dict[str, Callable[[], Factory]] = {}
        self.build: Callable[[SimProcess], Any] = lambda process: None
        self.config: Any = None
        self.on_call: Callable[[Call], None] | None = None
        """Told of every control call when it is sent: the place to strike at a moment."""

    def new_life(self, name: str) -> SimProcess:
        """No two lives of a name are alike: each has its own chance, also after a cold start."""
        self._lives_of[name] += 1
        process = SimProcess(self.world, name, self._lives_of[name])
        self.lives.append(process)
        return process

    # Lives.

    def spawn(
        self, role: str, factory: Factory, name: str, arguments: dict[str, Any], restarts: bool
    ) -> Slot:
        """Raises ValueError if the name is taken, as Ray does."""
        if name in self.slots and not self.slots[name].gone:
            raise ValueError(f"the name {name} is already taken")
        slot = Slot(name, role, factory, arguments, restarts)
        self.slots[name] = slot
        self._begin_later(slot, _START_S)
        return slot

    def kill(self, name: str, *, for_good: bool, unnoticed_s: float = 0.0) -> bool:
        """kill -9, or Ray's kill if for good; False if there is nobody of that name.

        For ``unnoticed_s`` Ray takes it to be alive, and calls of it wait.
        """
        slot = self.slots.get(name)
        if slot is None or slot.gone:
            return False
        for_good = for_good or not slot.restarts
        process, slot.process, slot.actor, slot.started = slot.process, None, None, None
        slot.start_error = None
        slot.gone = for_good
        self.world.trace.add(f"{name} dies{' for good' if for_good else ''}")
        if process is not None:
            process.kill()
        slot.missed_s = self.world.now_s + unnoticed_s
        owed, slot.owed = slot.owed, {}
        for call in owed.values():
            self._fail_when_missed(call, slot)
        if not for_good:
            self._begin_later(slot, _RESTART_S)
            return True
        early, slot.early = slot.early, []
        for call in early:
            self._fail_when_missed(call, slot)
        return True

    def _strike(self, slot: Slot, process: SimProcess) -> None:
        if slot.process is process:
            self.kill(slot.name, for_good=False)
        else:
            process.kill()

    def report_dead(self, name: str) -> None:
        """Ray says it is dead, wrongly: it goes on living and serving its port.

        Of what Ray begins again there are two copies then, and calls reach the second.
        """
        slot = self.slots[name]
        if slot.restarts:
            slot.process, slot.actor, slot.started, slot.start_error = None, None, None, None
            self._begin_later(slot, _RESTART_S)
        else:
            slot.reported_dead = True
        self.world.counts["false death reports"] += 1
        self.world.trace.add(f"{name} is reported dead")
        owed, slot.owed = slot.owed, {}
        for call in owed.values():
            self._fail(call, self._death(slot), _DEATH_REPORT_S)

    def _begin_later(self, slot: Slot, between_s: tuple[float, float]) -> None:
        self.world_process.loop.call_later(self.random.uniform(*between_s), self._begin, slot)

    def _begin(self, slot: Slot) -> None:
        if slot.gone or slot.process is not None:
            return
        slot.lives += 1
        slot.process = process = self.new_life(slot.name)
        process.die = lambda: self._strike(slot, process)
        self.world.trace.add(f"{slot.name} begins life {process.life}")
        process.loop.call_soon(self._construct, slot, process)

    def _construct(self, slot: Slot, process: SimProcess) -> None:
        runtime = self.build(process)
        try:
            slot.actor = slot.factory(runtime, slot.name, self.config, **slot.arguments)
        except Exception as error:
            self.world.error(f"{slot.name} could not be made: {error!r}")
            self.kill(slot.name, for_good=True)
            return
        slot.started = process.loop.create_task(self._start(slot, process))
        early, slot.early = slot.early, []
        for call in early:
            self._deliver(call, slot)

    async def _start(self, slot: Slot, process: SimProcess) -> None:
        start = getattr(slot.actor, "start", None)
        if start is None:
            return
        try:
            await start()
        except RaybaseError as error:
            self.world.trace.add(f"{slot.name} could not start: {type(error).__name__}")
            self.world.counts["failed starts"] += 1
            slot.start_error = error
            if slot.role == "region_server":
                self.exit(process, f"could not start: {error}")

    def exit(self, process: SimProcess, reason: str) -> None:
        """The process ends itself; it comes back if its kind is begun again after a death."""
        slot = self.slots.get(process.name)
        if slot is None or slot.process is not process:
            process.kill()
            return
        self.world.counts["exits"] += 1
        self.world.trace.add(f"{process.name} ends: {reason}")
        self.kill(process.name, for_good=False)

    # Calls.

    def send(self, call: Call) -> None:
        self.world.counts["calls"] += 1
        caller = call.caller
        self.world.trace.add(f"{caller.name} calls {call.target}.{call.method} #{call.number}")
        if self.on_call is not None:
            self.on_call(call)
        faults = self.world.faults
        if self._happens(faults.call_lost, "calls lost"):
            self._lose(call)
            return
        self._carry(caller.name, call.target, lambda: self._arrive(call), lambda: self._lose(call))
        if self._happens(faults.call_doubled, "calls doubled"):
            self._carry(caller.name, call.target, lambda: self._arrive(call), lambda: None)

    def forget(self, call: Call) -> None:
        """The caller does not wait any more; the call may run all the same."""
        slot = self.slots.get(call.target)
        if slot is not None:
            slot.owed.pop(call.number, None)

    def _carry(
        self, sender: str, receiver: str, arrive: Callable[[], None], lose: Callable[[], None]
    ) -> None:
        if self.fabric.is_cut(sender, receiver):
            self.world.counts["calls into a cut"] += 1
            lose()
            return
        delay_s = self.random.uniform(*CALL_S)
        if self._happens(self.world.faults.message_slow, "messages delayed"):
            delay_s += self.random.uniform(0, self.world.faults.message_slow_s)
        self.world_process.loop.call_later(delay_s, arrive)

    def _arrive(self, call: Call) -> None:
        slot = self.slots.get(call.target)
        if slot is None:
            died = ProcessDiedError(f"no process is called {call.target!r}")
            self._fail(call, died, CALL_S)
        elif slot.gone and self.world.now_s < slot.missed_s:
            self._fail_when_missed(call, slot)
        elif slot.gone or slot.reported_dead:
            self._fail(call, self._death(slot), CALL_S)
        elif slot.actor is not None:
            self._deliver(call, slot)
        elif slot.lives:
            self._fail(call, self._death(slot), CALL_S)
        else:
            slot.early.append(call)

    def _deliver(self, call: Call, slot: Slot) -> None:
        process = slot.process
        assert process is not None
        slot.owed[call.number] = call
        assert slot.started is not None
        process.loop.call_soon(self._serve, call, slot, process, slot.actor, slot.started)

    def _serve(self, call: Call, slot: Slot, process: SimProcess, *actor: Any) -> None:
        process.loop.create_task(self._run(call, slot, process, *actor))

    async def _run(
        self, call: Call, slot: Slot, process: SimProcess, actor: Any, started: asyncio.Future[None]
    ) -> None:
        await asyncio.shield(started)
        site = f"{slot.role}.{call.method}: serve"
        await process.failpoint("begin", f"{site}/begin")
        answer = await self._answer(call, slot, actor)
        await process.failpoint("answer", f"{site}/answer")
        try:
            reply = pickle.dumps(answer)
        except Exception as error:
            self.world.error(f"{call.target}.{call.method} answers what cannot travel: {error!r}")
            return
        if self._happens(self.world.faults.reply_lost, "replies lost"):
            self._lose(call)
            return
        self._carry(
            process.name,
            call.caller.name,
            lambda: self._return(call, slot, reply),
            lambda: self._lose(call),
        )

    async def _answer(self, call: Call, slot: Slot, actor: Any) -> tuple[bool, Any]:
        if slot.start_error is not None:
            return False, slot.start_error
        method, args = pickle.loads(call.request)  # noqa: S301 - made by this very process
        handler: Callable[..., Awaitable[Any]] | None
        handler = None if method.startswith("_") else getattr(actor, method, None)
        if handler is None:
            return False, UnsupportedOperationError(f"a {slot.role} has no control call {method!r}")
        try:
            return True, await handler(*args)
        except RaybaseError as error:
            return False, error
        except Exception as error:
            self.world.error(f"{call.target}.{method} raised {error!r}")
            return False, error

    def _return(self, call: Call, slot: Slot, reply: bytes) -> None:
        if slot.reported_dead:
            return
        slot.owed.pop(call.number, None)
        call.caller.loop.call_soon(_resolve, call.answer, reply)

    def _lose(self, call: Call) -> None:
        self.forget(call)
        error = ProcessUnavailableError(f"{call.target}: no answer to {call.method}")
        self._fail(call, error, _LOSS_NOTICED_S)

    def _fail(self, call: Call, error: RaybaseError, between_s: tuple[float, float]) -> None:
        delay_s = self.random.uniform(*between_s)
        call.caller.loop.call_later(delay_s, _reject, call.answer, error)

    def _fail_when_missed(self, call: Call, slot: Slot) -> None:
        unnoticed_s = max(0.0, slot.missed_s - self.world.now_s)
        low_s, high_s = _DEATH_REPORT_S
        self._fail(call, self._death(slot), (unnoticed_s + low_s, unnoticed_s + high_s))

    def _death(self, slot: Slot) -> RaybaseError:
        if slot.gone or slot.reported_dead:
            return ProcessDiedError(f"{slot.name} died")
        return ProcessUnavailableError(f"{slot.name} is being started again")

    def _happens(self, rate: float, what: str) -> bool:
        if rate and self.random.random() < rate:
            self.world.counts[what] += 1
            return True
        return False


def _resolve(future: asyncio.Future[Any], reply: bytes) -> None:
    if not future.done():
        succeeded, result = pickle.loads(reply)  # noqa: S301 - made by this very process
        if succeeded:
            future.set_result(result)
        else:
            future.set_exception(result)


def _reject(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
