"""What is done to a cluster while clients use it: kills, pauses, cuts, and an operator's work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from ..client.async_connection import AsyncConnection
from ..errors import RaybaseError
from .cluster import COORDINATOR, SimCluster
from .processes import Call
from .workload import TABLE, row_name

_GAP_S: Final = (0.5, 3.0)
_SHORT_S: Final = (0.3, 4.0)
_LONG_S: Final = (7.0, 11.0)
"""Past the end of a session: what was cut off or stood still comes back as a zombie."""
_AMBUSH_METHODS: Final = (
    "split_region",
    "split_region",
    "open_region",
    "close_region",
    "hand_over",
    "prepare_open",
    "adopt_region",
    "mutate_meta",
)
_AMBUSH_WAIT_S: Final = 4.0
_AMBUSH_DELAY_S: Final = (0.0, 0.01)

Action = Callable[[], str | None]
"""Does something and says what; None if there was nobody to do it to."""


@dataclass(frozen=True, slots=True)
class ChaosConfig:
    """How much happens at least, of kills and of other faults, and in all."""

    faults: int = 5
    kills_min: int = 2
    others_min: int = 1


class Chaos:
    """Picks faults from the seed and strikes, one after another."""

    def __init__(self, cluster: SimCluster, chance: Random, config: ChaosConfig) -> None:
        self._cluster = cluster
        self._simulation = cluster.simulation
        self._chance = chance
        self._config = config
        self._until_s = 0.0
        self._kills: list[Action] = [
            self._ambush,
            self._ambush,
            self._ambush,
            self._kill_busiest,
            self._kill_meta_holder,
            self._kill_master,
            self._kill_coordinator,
            self._kill_two,
        ]
        self._others: list[Action] = [
            self._pause_server,
            self._pause_server,
            self._pause_any,
            self._report_dead,
            self._cut_from_coordinator,
            self._cut_from_coordinator,
            self._cut_server,
            self._reset_connections,
            self._lose_objects,
        ]
        self.done: list[str] = []

    async def run(self) -> None:
        """Strikes until the plan is through, and until whoever was held back is back."""
        config, chance = self._config, self._chance
        plan = [chance.choice(self._kills) for _ in range(config.kills_min)]
        plan += [chance.choice(self._others) for _ in range(config.others_min)]
        while len(plan) < config.faults:
            plan.append(chance.choice(self._kills + self._others))
        chance.shuffle(plan)
        for action in plan:
            await asyncio.sleep(chance.uniform(*_GAP_S))
            self._strike(action)
        await asyncio.sleep(max(0.0, self._until_s - self._simulation.now_s))
        while self._simulation.counts["kills"] < config.kills_min:
            self._strike(self._kill_coordinator)
            await asyncio.sleep(chance.uniform(*_GAP_S))
        await asyncio.sleep(chance.uniform(*_GAP_S))
        self._simulation.table.on_call = None

    def _strike(self, action: Action) -> None:
        done = action()
        if done is not None:
            self._note(done)

    def _note(self, done: str) -> None:
        self.done.append(f"{self._simulation.now_s:.3f} {done}")

    def _lasting(self, between_s: tuple[float, float]) -> float:
        duration_s = self._chance.uniform(*between_s)
        self._until_s = max(self._until_s, self._simulation.now_s + duration_s)
        return duration_s

    def _ambush(self) -> str | None:
        """Kills caller or callee of the next control call of some kind, at about that time."""
        method = self._chance.choice(_AMBUSH_METHODS)
        take_caller = self._chance.random() < 0.4
        delay_s = self._chance.uniform(*_AMBUSH_DELAY_S)
        self._until_s = max(self._until_s, self._simulation.now_s + _AMBUSH_WAIT_S)

        def spring(call: Call) -> None:
            if call.method != method:
                return
            self._simulation.table.on_call = None
            victim = call.caller.name if take_caller else call.target
            self._simulation.later(delay_s, lambda: self._spring(victim, method))

        self._simulation.table.on_call = spring
        return f"lie in wait for {method}"

    def _spring(self, victim: str, method: str) -> None:
        if self._simulation.kill(victim):
            self._note(f"kill {victim} in {method}")

    def _kill(self, name: str | None, what: str) -> str | None:
        if name is None or not self._simulation.kill(name):
            return None
        return f"kill {what} {name}"

    def _kill_busiest(self) -> str | None:
        return self._kill(self._cluster.busiest(), "the busiest server")

    def _kill_meta_holder(self) -> str | None:
        return self._kill(self._cluster.meta_holder(), "the holder of meta")

    def _kill_master(self) -> str | None:
        return self._kill(self._any_of("master"), "a master")

    def _kill_coordinator(self) -> str | None:
        return self._kill(COORDINATOR, "the coordinator")

    def _kill_two(self) -> str | None:
        names = self._simulation.living("region_server")
        chosen = self._chance.sample(names, min(2, len(names)))
        killed = [name for name in chosen if self._simulation.kill(name)]
        return f"kill at once {', '.join(killed)}" if killed else None

    def _any_of(self, role: str) -> str | None:
        names = self._simulation.living(role)
        return self._chance.choice(names) if names else None

    def _pause_server(self) -> str | None:
        return self._pause(self._any_of("region_server"), _LONG_S)

    def _pause_any(self) -> str | None:
        role = self._chance.choice(("region_server", "master", "coordinator"))
        between_s = _LONG_S if self._chance.random() < 0.3 else _SHORT_S
        return self._pause(self._any_of(role), between_s)

    def _pause(self, name: str | None, between_s: tuple[float, float]) -> str | None:
        duration_s = self._lasting(between_s)
        if name is None or not self._simulation.pause(name, duration_s):
            return None
        return f"pause {name} for {duration_s:.1f} s"

    def _report_dead(self) -> str | None:
        name = self._any_of("region_server")
        if name is None:
            return None
        self._simulation.report_dead(name)
        return f"report {name} dead"

    def _cut_from_coordinator(self) -> str | None:
        return self._cut(self._any_of("region_server"), COORDINATOR, _LONG_S)

    def _cut_server(self) -> str | None:
        server = self._any_of("region_server")
        peers = [*self._simulation.living("master"), *self._simulation.living("region_server")]
        peer = self._chance.choice([one for one in peers if one != server] or [COORDINATOR])
        return self._cut(server, peer, _SHORT_S)

    def _cut(self, server: str | None, peer: str, between_s: tuple[float, float]) -> str | None:
        duration_s = self._lasting(between_s)
        if server is None:
            return None
        pair = [server, peer]
        self._chance.shuffle(pair)
        one_way = self._chance.random() < 0.5
        self._simulation.cut(*pair, one_way=one_way)
        self._simulation.later(duration_s, lambda: self._simulation.fabric.mend(*pair))
        return f"cut {pair[0]} {'>' if one_way else '-'} {pair[1]} for {duration_s:.1f} s"

    def _reset_connections(self) -> str | None:
        self._simulation.fabric.reset_some(0.5)
        return "reset half of the connections"

    def _lose_objects(self) -> str | None:
        return f"lose {self._simulation.store.lose_all()} objects"


class Operator:
    """Flushes, compacts, splits and moves regions while others work."""

    def __init__(self, connection: AsyncConnection, chance: Random) -> None:
        self._admin = connection.admin
        self._chance = chance
        self.done = 0
        self.failed = 0
        self.stopped = False

    async def run(self) -> None:
        """Works until ``stopped``. An operation that fails is the cluster's right."""
        actions = (self._flush, self._flush, self._compact, self._split, self._move, self._move)
        while not self.stopped:
            await asyncio.sleep(self._chance.uniform(0.2, 2.0))
            try:
                await self._chance.choice(actions)()
            except RaybaseError:
                self.failed += 1
            else:
                self.done += 1

    async def _flush(self) -> None:
        await self._admin.flush(TABLE)

    async def _compact(self) -> None:
        await self._admin.compact(TABLE, major=self._chance.random() < 0.5)

    async def _split(self) -> None:
        await self._admin.split(TABLE, row_name("split", self._chance.randrange(16)))

    async def _move(self) -> None:
        regions = await self._admin.regions(TABLE)
        await self._admin.move(self._chance.choice(regions).region)
