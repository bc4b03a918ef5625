"""A process that holds a session, for the simulated tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from raybase.actors.recipes import Election, Lock
from raybase.actors.session import Session
from raybase.config import ClusterConfig
from raybase.coordination import layout
from raybase.runtime import Runtime
from raybase.testing import Simulation

COORDINATOR = "coordinator"
Story = Callable[[Any], Awaitable[None]]
"""Is given the holder in whose process it runs."""


class Holder:
    """Opens a session and does with it what it is told."""

    def __init__(self, runtime: Runtime, name: str, config: ClusterConfig) -> None:
        self.runtime = runtime
        self.name = name
        self.session = Session(runtime, config.session, name)
        self.expiries = 0

    async def start(self) -> None:
        self.session.on_expired(self._expired)
        await self.session.open()

    def _expired(self) -> None:
        self.expiries += 1

    async def hold(self, session_id: int) -> bool:
        return await self.session.hold(session_id)

    async def create_ephemeral(self, path: str) -> str:
        return await self.session.create(path, ephemeral=True)

    async def close(self) -> None:
        await self.session.close()


class Candidate(Holder):
    """Campaigns for the lead until it has it, and gives it up only by dying."""

    def __init__(self, runtime: Runtime, name: str, config: ClusterConfig) -> None:
        super().__init__(runtime, name, config)
        self.epochs: list[int] = []

    async def start(self) -> None:
        self.session.on_expired(lambda: self.runtime.processes.exit("session expired"))
        await self.session.open()
        data = layout.encode_data(process=self.name, server=f"{self.name},1,1")
        self.election = Election(self.session, self.name, data)
        self.session.background(self._campaign())

    async def _campaign(self) -> None:
        self.epochs.append(await self.election.campaign())

    async def epoch(self) -> int | None:
        return self.election.epoch

    async def resign(self) -> None:
        await self.election.resign()


class Locker(Holder):
    """Takes a lock a number of times and checks that nobody has it at the same time."""

    inside: str | None = None
    """Who is inside; of the whole world, as only a test can know it."""

    async def take_turns(self, count: int) -> list[int]:
        tokens = []
        for _ in range(count):
            async with Lock(self.session, "/locks/one") as token:
                assert Locker.inside is None, (Locker.inside, self.name)
                Locker.inside = self.name
                tokens.append(token)
                await self.runtime.clock.sleep(0.05)
                Locker.inside = None
        return tokens


class Teller(Holder):
    """A holder whose process a story is told in."""

    def __init__(self, runtime: Runtime, name: str, config: ClusterConfig, story: Story) -> None:
        super().__init__(runtime, name, config)
        self.story = story
        self.outcome: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await super().start()
        self.outcome = asyncio.get_running_loop().create_task(self.story(self))


def begin(simulation: Simulation, *names: str, kind: type[Holder] = Holder) -> None:
    simulation.spawn("coordinator", COORDINATOR)
    for name in names:
        simulation.spawn(kind, name)


def tell(simulation: Simulation, timeout_s: float, **stories: Story) -> None:
    """Runs each story in a holder of its name, until all have ended well."""
    for name, story in stories.items():
        simulation.spawn(Teller, name, {"story": story})

    async def listen() -> None:
        for name in stories:
            teller = None
            while teller is None or teller.outcome is None or not teller.outcome.done():
                await simulation.runtime_for("main").clock.sleep(0.05)
                teller = simulation.actor(name)
            teller.outcome.result()

    simulation.run(listen(), timeout_s)
