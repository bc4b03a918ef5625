"""One simulated process: a loop, a source of chance, and an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .loop import SimLoop
from .sites import call_site
from .world import World


class SimProcess:
    """A life of a named process. Its next life under the same name is another object."""

    def __init__(self, world: World, name: str, life: int) -> None:
        self.world = world
        self.name = name
        self.life = life
        self.random = world.stream(f"process {name} {life}")
        self.loop = SimLoop(world.scheduler, name, self._uncaught)
        self.skew_ms = 0
        """How far its wall clock is off."""
        self.on_death: list[Callable[[], None]] = []
        """What the operating system does for a dead process: close sockets, free locks."""
        self.die: Callable[[], None] | None = None
        """kill -9, and Ray gets to know of it; None: nothing ever happens to this process."""

    def __repr__(self) -> str:
        return f"<{self.name} #{self.life}{'' if self.alive else ' dead'}>"

    @property
    def alive(self) -> bool:
        return not self.loop.dead

    @property
    def paused(self) -> bool:
        return self.loop.held is not None

    def sleep(self, delay_s: float) -> asyncio.Future[None]:
        """Done after the delay; never, if the process is dead by then."""
        future: asyncio.Future[None] = self.loop.create_future()
        self.loop.call_later(delay_s, _finish, future)
        return future

    def never(self) -> asyncio.Future[Any]:
        """What a dead process gets from the world."""
        return self.loop.create_future()

    async def failpoint(self, effect: str, site: str = "") -> None:
        """Where it can be struck: before and after each thing that others can see.

        Between two failpoints a process changes nothing but its own memory, so its death there
        cannot be told from a death at the next one: who dies at each of them has died at every
        step of every protocol.

        Args:
            effect: what it is about to do, or ``done``.
            site: where; else the place in the product that is at work.
        """
        strike = self.world.on_failpoint
        if strike is not None and self.die is not None:
            strike(self, site or call_site(effect))
            if self.paused:
                await self.sleep(0)
        if not self.alive:
            await self.never()

    def kill(self) -> None:
        """kill -9: not one more callback runs."""
        if self.alive:
            self.loop.kill()
            actions, self.on_death = self.on_death, []
            for action in actions:
                action()

    def _uncaught(self, message: str, error: BaseException | None) -> None:
        self.world.error(f"{message}: {error!r}")


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
