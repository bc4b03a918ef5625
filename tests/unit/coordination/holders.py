"""A process that holds a session, for the simulated tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from raybase.actors.session import Session
from raybase.config import ClusterConfig
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
