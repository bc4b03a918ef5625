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
from .workload import TABLE, row_name

_GAP_S: Final = (0.5, 4.0)
_PAUSE_S: Final = (0.5, 12.0)
"""Shorter and longer than a session lives."""
_CUT_S: Final = (0.5, 12.0)

Action = Callable[[], str | None]
"""Does something and says what; None if there was nobody to do it to."""


@dataclass(frozen=True, slots=True)
class ChaosConfig:
    """How much happens; ``kills_min`` is kept whatever chance says."""

    faults: int = 5
    kills_min: int = 2


class Chaos:
    """Picks faults from the seed and strikes, one after another."""

    def __init__(self, cluster: SimCluster, chance: Random, config: ChaosConfig) -> None:
        self._cluster = cluster
        self._simulation = cluster.simulation
        self._chance = chance
        self._config = config
        self._kills: list[Action] = [
            self._kill_busiest,
            self._kill_meta_holder,
            self._kill_master,
            self._kill_coordinator,
            self._kill_two,
        ]
        self._others: list[Action] = [
            self._pause_server,
            self._pause_any,
            self._report_dead,
            self._cut_server,
            self._cut_one_way,
            self._reset_connections,
            self._lose_objects,
        ]
        self.done: list[str] = []

    async def run(self) -> None:
        """Strikes until the plan is through."""
        plan = [self._chance.choice(self._kills) for _ in range(self._config.kills_min)]
        while len(plan) < self._config.faults:
            plan.append(self._chance.choice(self._chance.choice((self._kills, self._others))))
        self._chance.shuffle(plan)
        for action in plan:
            await asyncio.sleep(self._chance.uniform(*_GAP_S))
            self._strike(action)
        while self._simulation.counts["kills"] < self._config.kills_min:
            await asyncio.sleep(self._chance.uniform(*_GAP_S))
            self._strike(self._kill_coordinator)

    def _strike(self, action: Action) -> None:
        done = action()
        if done is not None:
            self.done.append(f"{self._simulation.now_s:.3f} {done}")

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
        # Past the end of its session: it wakes as a zombie.
        return self._pause(self._any_of("region_server"), self._chance.uniform(8, 14))

    def _pause_any(self) -> str | None:
        role = self._chance.choice(("region_server", "master", "coordinator"))
        return self._pause(self._any_of(role), self._chance.uniform(*_PAUSE_S))

    def _pause(self, name: str | None, duration_s: float) -> str | None:
        if name is None or not self._simulation.pause(name, duration_s):
            return None
        return f"pause {name} for {duration_s:.1f} s"

    def _report_dead(self) -> str | None:
        name = self._any_of("region_server")
        if name is None:
            return None
        self._simulation.report_dead(name)
        return f"report {name} dead"

    def _cut_server(self) -> str | None:
        return self._cut(one_way=False)

    def _cut_one_way(self) -> str | None:
        return self._cut(one_way=True)

    def _cut(self, *, one_way: bool) -> str | None:
        server = self._any_of("region_server")
        if server is None:
            return None
        peers = [COORDINATOR, *self._simulation.living("master")]
        peers += [one for one in self._simulation.living("region_server") if one != server]
        pair = [server, self._chance.choice(peers)]
        self._chance.shuffle(pair)
        duration_s = self._chance.uniform(*_CUT_S)
        self._simulation.cut(*pair, one_way=one_way)
        self._simulation.later(duration_s, self._simulation.fabric.heal)
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
