"""Orders about regions: each carried out once, in the order of their numbers, repeats joined.

Control calls are sent again when they get no answer and may arrive late. A repeat waits for
the work that is under way, or gets its result; a failed order may be tried again; what is
older than the newest order about the region changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import StaleMasterError, StaleOrderError

T = TypeVar("T")


@dataclass(slots=True)
class _Region:
    order: int = -1
    tasks: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Orders:
    """The newest order seen about each region, and the highest epoch of a master."""

    def __init__(self) -> None:
        self.master_epoch = 0
        self._regions: dict[str, _Region] = {}

    def check_epoch(self, master_epoch: int) -> None:
        """Raises StaleMasterError if a later master has spoken; else remembers this one."""
        if master_epoch < self.master_epoch:
            raise StaleMasterError(
                f"a master of epoch {self.master_epoch} has spoken, not listening to {master_epoch}"
            )
        self.master_epoch = master_epoch

    async def carry_out(
        self,
        encoded: str,
        master_epoch: int,
        order: int,
        what: str,
        work: Callable[[], Awaitable[T]],
    ) -> T:
        """Runs ``work`` after all earlier orders about the region, or joins its first run.

        Raises StaleMasterError, StaleOrderError, or what the work raises.
        """
        self.check_epoch(master_epoch)
        region = self._regions.setdefault(encoded, _Region())
        if order < region.order:
            raise StaleOrderError(f"order {order} about {encoded} comes after {region.order}")
        if order > region.order:
            region.order = order
            region.tasks = {}
        task = region.tasks.get(what)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(self._run(region, order, encoded, work))
            task.add_done_callback(_retrieve)
            region.tasks[what] = task
        result: T = await asyncio.shield(task)
        return result

    async def in_turn(self, encoded: str, work: Callable[[], Awaitable[T]]) -> T:
        """Runs work of the server's own about the region between orders."""
        region = self._regions.setdefault(encoded, _Region())
        async with region.turn:
            return await work()

    async def _run(
        self, region: _Region, order: int, encoded: str, work: Callable[[], Awaitable[T]]
    ) -> T:
        async with region.turn:
            if order < region.order:
                raise StaleOrderError(f"order {order} about {encoded} came too late")
            return await work()


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Whoever asked may be gone: an error then has nobody to go to, and a repeat tries again."""
    if not task.cancelled():
        task.exception()
