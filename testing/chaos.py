"""What is done to a cluster while clients use it: kills, pauses, cuts, trouble with disks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Final

from .ambush import Ambush, AmbushConfig
from .cluster import COORDINATOR, SimCluster

_SHORT_S: Final = (0.3, 4.0)
_LONG_S: Final = (7.0, 11.0)
"""Past the end of a session: what was cut off or stood still comes back as a zombie."""
Action = Callable[[], str | None]
"""Does something and says what; None if there was nobody to do it to."""


@dataclass(frozen=True, slots=True)
class ChaosConfig:
    """How much happens. ``faults`` in all, of these kills and others at least, are what a story
    plans; ``simulate`` goes on for its duration."""

    faults: int = 5
    kills_min: int = 2
    others_min: int = 1
    gap_s: tuple[float, float] = (0.5, 3.0)
    """Between one and the next, at least and at most."""
    ambush: AmbushConfig = field(default_factory=AmbushConfig)


class Chaos:
    """Picks faults from the seed and strikes, one after another."""

    def __init__(self, cluster: SimCluster, chance: Random, config: ChaosConfig) -> None:
        self._cluster = cluster
        self._simulation = cluster.simulation
        self._chance = chance
        self._config = config
        self._until_s = 0.0
        self._lost: dict[str, str] = {}
        """Role -> who was cut off for good last."""
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
            self._pause_any,
            self._report_dead,
            self._lose_node,
            self._swizzle,
            self._jump_clock,
            self._jump_clock,
            self._fill_disk,
            self._break_disk,
            self._slow_disk,
            self._cut_from_coordinator,
            self._cut_from_coordinator,
            self._cut_server,
            self._cut_for_good,
            self._reset_connections,
            self._lose_objects,
        ]
        self._ambush = Ambush(cluster.simulation, config.ambush, self._note_lasting)
        self.done: list[str] = []

    @property
    def struck(self) -> list[str]:
        """The failpoints at which a process was struck."""
        return self._ambush.struck

    @property
    def passed(self) -> Counter[str]:
        """Failpoint -> how often it was passed."""
        return self._ambush.passed

    async def run(self) -> None:
        """Strikes until the plan is through, and until whoever was held back is back."""
        config, chance = self._config, self._chance
        plan = [chance.choice(self._kills) for _ in range(config.kills_min)]
        plan += [chance.choice(self._others) for _ in range(config.others_min)]
        while len(plan) < config.faults:
            plan.append(chance.choice(self._kills + self._others))
        chance.shuffle(plan)
        self._ambush.start()
        for action in plan:
            await asyncio.sleep(chance.uniform(*config.gap_s))
            self._strike(action)
        await asyncio.sleep(max(0.0, self._until_s - self._simulation.now_s))
        while self._simulation.counts["kills"] < config.kills_min:
            self._strike(self._kill_coordinator)
            await asyncio.sleep(chance.uniform(*config.gap_s))
        await asyncio.sleep(chance.uniform(*config.gap_s))
        self.stop()

    async def run_for(self, duration_s: float) -> None:
        """Strikes as long as that, and waits until whoever was held back is back."""
        until_s = self._simulation.now_s + duration_s
        self._ambush.start()
        while (
            gap_s := self._chance.uniform(*self._config.gap_s)
        ) + self._simulation.now_s < until_s:
            await asyncio.sleep(gap_s)
            self._strike(self._chance.choice(self._kills + self._others))
        await asyncio.sleep(max(until_s, self._until_s) - self._simulation.now_s)
        self.stop()

    def stop(self) -> None:
        """Nobody lies in wait any more."""
        self._ambush.stop()

    def _strike(self, action: Action) -> None:
        done = action()
        if done is not None:
            self._note(done)

    def _note(self, done: str) -> None:
        self._simulation.counts["faults"] += 1
        self.done.append(f"{self._simulation.now_s:.3f} {done}")

    def _note_lasting(self, done: str, duration_s: float) -> None:
        self._until_s = max(self._until_s, self._simulation.now_s + duration_s)
        self._note(done)

    def _lasting(self, between_s: tuple[float, float]) -> float:
        duration_s = self._chance.uniform(*between_s)
        self._until_s = max(self._until_s, self._simulation.now_s + duration_s)
        return duration_s

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

    def _cut_for_good(self) -> str | None:
        """Somebody loses the coordinator, or everybody, and another must take its place. There are
        others: of servers one at a time is lost, and of masters, which keep their names, one."""
        chance, simulation = self._chance, self._simulation
        role = chance.choice(("region_server", "region_server", "master"))
        name, lost = self._any_of(role), self._lost.get(role)
        if name is None or (lost and (role == "master" or lost in simulation.living(role))):
            return None
        self._lost[role] = name
        peers = self._processes() if chance.random() < 0.5 else [COORDINATOR]
        way = chance.choice(("<", ">", "-"))
        for peer in peers:
            if peer != name:
                pair = (name, peer) if way == ">" else (peer, name)
                simulation.cut(*pair, one_way=way != "-", for_good=True)
        whom = "the coordinator" if len(peers) == 1 else "everybody"
        return f"cut {name} {way} {whom} for good"

    def _processes(self) -> list[str]:
        simulation = self._simulation
        return [COORDINATOR, *simulation.living("master"), *simulation.living("region_server")]

    def _reset_connections(self) -> str | None:
        self._simulation.fabric.reset_some(0.5)
        return "reset half of the connections"

    def _swizzle(self) -> str | None:
        """Links go one after another, and come back in another order."""
        names = self._processes()
        pairs = [(one, other) for one in names for other in names if one != other]
        chosen = self._chance.sample(pairs, min(4, len(pairs)))
        for one, other in chosen:
            begin_s, duration_s = self._chance.uniform(0, 3.0), self._lasting(_SHORT_S)
            self._until_s = max(self._until_s, self._simulation.now_s + begin_s + duration_s)
            self._simulation.later(begin_s, partial(self._simulation.cut, one, other, one_way=True))
            self._simulation.later(
                begin_s + duration_s, partial(self._simulation.fabric.mend, one, other)
            )
        return f"cut one after another {', '.join(f'{a} > {b}' for a, b in chosen)}"

    def _lose_node(self) -> str | None:
        """Nobody hears of its end until Ray misses the node; its peers' connections hang."""
        name = self._any_of("region_server")
        duration_s = self._lasting(_LONG_S)
        if name is None:
            return None
        self._simulation.lose_node(name, duration_s)
        return f"lose the node of {name}, told after {duration_s:.1f} s"

    def _jump_clock(self) -> str | None:
        role = self._chance.choice(("region_server", "region_server", "master", "coordinator"))
        name = self._any_of(role)
        if name is None:
            return None
        jump_s = self._chance.choice((-1, 1)) * self._chance.choice((0.01, 2.0, 90.0, 5000.0))
        self._simulation.jump_clock(name, int(jump_s * 1000))
        return f"set the clock of {name} by {jump_s} s"

    def _fill_disk(self) -> str | None:
        duration_s = self._lasting(_SHORT_S)
        self._simulation.disk.free_bytes = self._chance.randrange(20_000)
        self._simulation.later(duration_s, self._simulation.free_disk)
        return f"the disk is full for {duration_s:.1f} s"

    def _break_disk(self) -> str | None:
        return self._disk_trouble(
            "fails", read_failed=0.02, write_failed=0.02, sync_failed=self._chance.choice((0, 0.01))
        )

    def _slow_disk(self) -> str | None:
        return self._disk_trouble("is slow", disk_slow=0.3, disk_slow_s=0.6, write_late=0.3)

    def _disk_trouble(self, what: str, **rates: float) -> str | None:
        simulation, duration_s = self._simulation, self._lasting(_SHORT_S)
        before = {name: getattr(simulation.world.faults, name) for name in rates}
        simulation.set_faults(replace(simulation.world.faults, **rates))

        def end() -> None:
            simulation.set_faults(replace(simulation.world.faults, **before))

        simulation.later(duration_s, end)
        return f"the disk {what} for {duration_s:.1f} s"

    def _lose_objects(self) -> str | None:
        return f"lose {self._simulation.store.lose_all()} objects"
