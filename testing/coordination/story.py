"""Sessions while coordinator and holders die, stand still and are cut off, and power fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

from ...actors.session import COORDINATOR
from ...config import ClusterConfig, CoordinatorConfig, SessionConfig
from ...errors import CorruptionError
from ..simulation import Simulation
from ..world import Faults
from .check import problems
from .client import Plan, SessionClient
from .journal import Journal
from .notebook import Asked, Notebook

CONFIG: Final = ClusterConfig(
    session=SessionConfig(timeout_s=1.5, heartbeat_s=0.3),
    coordinator=CoordinatorConfig(snapshot_log_bytes=4096),
)
FAULTS: Final = Faults(
    call_lost=0.02,
    reply_lost=0.02,
    call_doubled=0.03,
    message_slow=0.05,
    disk_slow=0.01,
    disk_slow_s=0.2,
    write_late=0.1,
    sync_failed=0.002,
    clock_skew_s=2.0,
)
CLIENTS: Final = ("one", "two", "three")
STRIKES: Final = 6
_GAP_S: Final = (0.2, 1.5)
_CALM_S: Final = 5.0
"""So much later every watch has fired that must."""


@dataclass(slots=True)
class Outcome:
    """What came of one seed. ``problems`` must be empty."""

    seed: int
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    digest: str = ""


def tell(seed: int) -> Outcome:
    """The story of one seed, and what does not fit in it."""
    notebook = Notebook()
    outcome = Outcome(seed)
    with Simulation(seed, CONFIG, faults=FAULTS) as simulation:
        journal = Journal(simulation.disk)
        simulation.run(_tell(simulation, Plan(notebook)), timeout_s=600)
        living = [session_of(simulation, name) for name in CLIENTS]
        try:
            records = journal.records()
        except CorruptionError as error:
            outcome.problems.append(str(error))
        else:
            outcome.problems += problems(records, notebook.lines, living)
        outcome.problems += [f"uncaught: {one}" for one in simulation.errors]
        outcome.counts = simulation.counts
        outcome.counts["requests"] = sum(isinstance(one, Asked) for one in notebook.lines)
        outcome.counts["lines"] = len(notebook.lines)
        outcome.digest = simulation.digest
    return outcome


async def _tell(simulation: Simulation, plan: Plan) -> None:
    chances = {name: simulation.world.stream(name) for name in CLIENTS}
    _begin(simulation, plan, chances)
    chance = simulation.world.stream("strikes")
    power_fails_at = simulation.world.stream("power").randrange(2 * STRIKES)
    for number in range(STRIKES):
        await asyncio.sleep(chance.uniform(*_GAP_S))
        _strike(simulation, chance)
        if number == power_fails_at:
            await asyncio.sleep(chance.uniform(*_GAP_S))
            simulation.power_loss()
            _begin(simulation, plan, chances)
    await asyncio.sleep(chance.uniform(*_GAP_S))
    simulation.heal()
    await asyncio.sleep(_CALM_S)
    plan.working = False
    await asyncio.sleep(_CALM_S)


def _begin(simulation: Simulation, plan: Plan, chances: dict[str, Random]) -> None:
    simulation.spawn("coordinator", COORDINATOR)
    for name, chance in chances.items():
        arguments = {"plan": plan, "chance": chance}
        simulation.spawn(SessionClient, name, arguments, restarts=True)


def _strike(simulation: Simulation, chance: Random) -> None:
    victim = chance.choice(CLIENTS)
    strike = chance.randrange(8)
    if strike < 3:
        simulation.kill(COORDINATOR)
    elif strike == 3:
        simulation.pause(COORDINATOR, chance.uniform(0.1, 4.0))
    elif strike == 4:
        simulation.pause(victim, chance.uniform(0.1, 4.0))
    elif strike == 5:
        simulation.cut(victim, COORDINATOR, one_way=chance.random() < 0.5)
    elif strike == 6:
        simulation.kill(victim)
    else:
        simulation.fabric.heal()


def session_of(simulation: Simulation, name: str) -> int:
    """The session that a client has now."""
    client = simulation.actor(name)
    return client.session.session_id if isinstance(client, SessionClient) else 0
