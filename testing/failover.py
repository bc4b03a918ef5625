"""One failure at a time, each in a drill of its own.

The story of a seed (story.py) mixes everything; here each failure stands alone, at a moment that
is chosen: a process that dies, stands still or is cut off, and whoever makes a certain call of the
file system in the recovery that follows (``RECOVERY``).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock

from ..client.async_connection import AsyncConnection
from ..errors import ProcessDiedError
from .cluster import COORDINATOR
from .drill import COLUMN, LATE_ROW, PAUSE_S, SETTLED_S, TABLE, ZOMBIE_S, Drill
from .files import SimFiles

Strike = Callable[[Drill], Awaitable[None]]


@dataclass(slots=True)
class _LateReader:
    """Knows where the row was, and asks there when it is told to."""

    go: bool = False
    warm: bool = False
    seen: int = 0

    async def work(self, connection: AsyncConnection) -> None:
        table = connection.table(TABLE)
        await table.increment(LATE_ROW, {COLUMN: 1})
        self.warm = True
        while not self.go:
            await asyncio.sleep(PAUSE_S)
        self.seen = (await table.get(LATE_ROW)).number(COLUMN)


async def ask_a_sleeper(drill: Drill) -> None:
    """A server stands still, its row is raised elsewhere, and then it is asked for it: the
    request is there when it wakes. For a drill without clients, whose writes would end it."""
    reader = _LateReader()
    reading = drill.simulation.start("reader's shell", drill.in_client("late", reader.work))
    while not reader.warm:
        await asyncio.sleep(PAUSE_S)
    drill.simulation.pause(await drill.server_of(LATE_ROW), ZOMBIE_S)
    wakes_s = drill.simulation.now_s + ZOMBIE_S

    async def raise_it(connection: AsyncConnection) -> None:
        await connection.table(TABLE).increment(LATE_ROW, {COLUMN: 1})

    await drill.in_client("writer", raise_it)
    await asyncio.sleep(wakes_s - drill.simulation.now_s - 0.5)
    reader.go = True
    await drill.done(reading)
    if reader.seen != 2:
        drill.problems.append(f"a server that was given up answered {reader.seen}, it was 2")


async def _kill_all_but_clients(drill: Drill) -> None:
    await drill.end_all()
    await asyncio.sleep(1.0)
    await drill.end_all()


async def _kill(drill: Drill, *roles: Callable[[Drill], str]) -> None:
    drill.kill(*dict.fromkeys(role(drill) for role in roles))


def _coordinator(drill: Drill) -> str:
    return COORDINATOR


def _kills(*roles: Callable[[Drill], str]) -> Strike:
    return lambda drill: _kill(drill, *roles)


async def _kill_all_servers(drill: Drill) -> None:
    drill.kill(*drill.simulation.living("region_server"))


async def _stop_the_coordinator(drill: Drill) -> None:
    """Every session is silent meanwhile, through nobody's fault: none ends."""
    drill.simulation.pause(COORDINATOR, ZOMBIE_S)
    await asyncio.sleep(ZOMBIE_S + 1.0)
    if drill.simulation.counts["exits"]:
        drill.problems.append("processes ended because the coordinator stood still")


async def _slander(drill: Drill) -> None:
    """Ray reports a server dead that serves on."""
    drill.simulation.report_dead(drill.busiest())
    await asyncio.sleep(ZOMBIE_S)


FAILURES: Final[dict[str, Strike]] = {
    "server killed": _kills(Drill.busiest),
    "server hung": lambda drill: drill.stop_for_long(drill.busiest()),
    "server cut off": lambda drill: drill.cut_off(drill.busiest()),
    "server hears nothing": lambda drill: drill.cut_off(drill.busiest(), back=False),
    "server is not heard": lambda drill: drill.cut_off(drill.busiest(), to=False),
    "server reported dead that lives": _slander,
    "holder of meta killed": _kills(Drill.meta_holder),
    "holder of meta hung": lambda drill: drill.stop_for_long(drill.meta_holder()),
    "holder of meta cut off": lambda drill: drill.cut_off(drill.meta_holder()),
    "master killed": _kills(Drill.active_master),
    "master hung": lambda drill: drill.stop_for_long(drill.active_master()),
    "master cut off": lambda drill: drill.cut_off(drill.active_master()),
    "coordinator killed": _kills(_coordinator),
    "coordinator hung": _stop_the_coordinator,
    "coordinator cut off": lambda drill: drill.cut_off(COORDINATOR),
    "server and holder of meta killed": _kills(Drill.busiest, Drill.meta_holder),
    "server and master killed": _kills(Drill.busiest, Drill.active_master),
    "two servers, master and coordinator killed": _kills(
        Drill.busiest, Drill.meta_holder, Drill.active_master, _coordinator
    ),
    "all servers killed": _kill_all_servers,
    "all killed, cold start": Drill.end_all,
    "all killed, and again in the cold start": _kill_all_but_clients,
}
"""By name, what is done to the cluster. A strike is over when whoever was held back is back."""


VICTIMS: Final[dict[str, Callable[[Drill], str]]] = {
    "active master": Drill.active_master,
    "standby": Drill.standby_master,
    "server": Drill.busiest,
    "holder of meta": Drill.meta_holder,
}
WAYS: Final[dict[str, tuple[bool, bool]]] = {
    "hears nothing": (True, False),
    "is not heard": (False, True),
    "is cut off": (True, True),
}
"""Whether the way to the victim is cut, and that from it."""


def cut_for_good(victim: str, way: str, *, from_all: bool) -> Strike:
    """A process loses the coordinator, or ``from_all`` the cluster, and the link never heals.

    A moment later the holder of hbase:meta dies, or another server if that is the victim.
    Somebody else must notice, recover and lead; the victim must see that it was given up.
    """

    async def strike(drill: Drill) -> None:
        simulation = drill.simulation
        name = VICTIMS[victim](drill)
        process = simulation.process(name)
        assert process is not None
        to, back = WAYS[way]
        others = drill.processes() if from_all else [COORDINATOR]
        drill.cut(name, others, to=to, back=back)
        await asyncio.sleep(0.5)
        dies = drill.meta_holder()
        drill.kill(drill.busiest() if dies == name else dies)
        await asyncio.sleep(ZOMBIE_S)
        await drill.settle()
        if victim != "standby" and process.alive:
            drill.problems.append(f"{name} lives on though it was given up")
        leaders = drill.leaders()
        if len(leaders) != 1 or name in leaders:
            drill.problems.append(f"{leaders} lead though {name} was cut off")

    return strike


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the file system that a recovery makes: its operation and its path."""

    operation: str
    path: str
    """A regular expression."""
    number: int = 1
    """Of the calls of this kind on one path's directory, which one."""


_REGION: Final = r"^data/default/t/\w+/"
RECOVERY: Final[dict[str, Call]] = {
    "fence": Call("fence", r"^WALs/"),
    "log is read by its split": Call("read", r"^WALs/[^/]+/\d"),
    "recovered edits are written": Call("put_if_absent", _REGION + r"recovered\.edits/"),
    "log is put away": Call("rename", r"^WALs/"),
    "recovered edits are replayed": Call("read", _REGION + r"recovered\.edits/"),
    "open is committed": Call("put_if_absent", _REGION + "manifest/"),
    "first flush after it writes a file": Call("write", _REGION + "[fg]/"),
    "first flush's manifest": Call("put_if_absent", _REGION + "manifest/", number=2),
    "recovered edits are removed": Call("remove", _REGION + r"recovered\.edits/"),
    "logs' directory is removed": Call("remove", r"^WALs/"),
}
"""The phases of a recovery, each by a call that only it makes then."""


class Trap:
    """Strikes at each of the next ``times`` calls of a kind, before or after it is made.

    ``victim``: the caller, the active master, or all processes, which are started again.
    A worker's death is told to who waits for it, as Ray tells it.
    """

    def __init__(self, drill: Drill, call: Call, victim: str, *, before: bool, times: int) -> None:
        self._drill = drill
        self._call = call
        self._victim = victim
        self._before = before
        self._seen: dict[str, int] = {}
        self.left = times

    @contextmanager
    def set(self) -> Iterator[None]:
        """Inside the block the trap is open."""
        original = getattr(SimFiles, self._call.operation)
        trap = self

        async def watched(files: SimFiles, path: str, *args: Any, **options: Any) -> Any:
            springs = trap._springs(path)
            if springs and trap._before:
                await trap._strike(files)
            answer = await original(files, path, *args, **options)
            if springs and not trap._before:
                await trap._strike(files)
            return answer

        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(SimFiles, self._call.operation, watched))
            yield

    def _springs(self, path: str) -> bool:
        if not self.left or not re.match(self._call.path, path):
            return False
        place = path.rpartition("/")[0]
        self._seen[place] = number = self._seen.get(place, 0) + 1
        if number != self._call.number:
            return False
        self._seen.clear()
        self.left -= 1
        return True

    async def _strike(self, files: SimFiles) -> None:
        process = files.process
        drill = self._drill
        drill.simulation.world.trace.add(f"the trap closes on {process.name}")
        if self._victim == "all":
            drill.simulation.end_all()
            drill.simulation.later(0.5, drill.cluster.start)
        elif self._victim == "master":
            drill.kill(drill.active_master())
        elif not drill.simulation.kill(process.name):
            raise ProcessDiedError(f"the worker {process.name} died")
        if not process.alive:
            await process.never()


def trapped(call: Call, victim: str = "caller", *, before: bool = True, times: int = 1) -> Strike:
    """A server is killed, and in its recovery somebody again at this call."""

    async def strike(drill: Drill) -> None:
        trap = Trap(drill, call, victim, before=before, times=times)
        with trap.set():
            drill.kill(drill.busiest())
            deadline_s = drill.simulation.now_s + SETTLED_S
            while trap.left:
                if drill.simulation.now_s > deadline_s:
                    drill.problems.append(f"no recovery came to {call}")
                    return
                await asyncio.sleep(PAUSE_S)

    return strike
