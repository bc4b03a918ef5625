"""A procedure store in memory that can kill its master at any of its updates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from ...errors import FencedError


def never(number: int, before: bool) -> bool:
    return False


class FakeStore:
    """A procedure store in memory; ``hook(number, before)`` says if an update is the end."""

    def __init__(self) -> None:
        self.saved: dict[int, bytes] = {}
        self.updates = 0
        self.epoch = 0
        self.hook: Callable[[int, bool], bool] = never

    def of(self, epoch: int) -> StoreOfTerm:
        self.epoch = epoch
        return StoreOfTerm(self, epoch)


class StoreOfTerm:
    def __init__(self, store: FakeStore, epoch: int) -> None:
        self._store = store
        self._epoch = epoch

    async def load(self) -> dict[int, bytes]:
        return dict(self._store.saved)

    async def update(self, saved: Mapping[int, bytes], removed: Sequence[int] = ()) -> None:
        await asyncio.sleep(0.0001)
        if self._epoch != self._store.epoch:
            raise FencedError("a later master has the store")
        self._store.updates += 1
        number = self._store.updates
        if self._store.hook(number, True):
            await asyncio.get_running_loop().create_future()
        self._store.saved.update(saved)
        for one in removed:
            self._store.saved.pop(one, None)
        if self._store.hook(number, False):
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0.0001)
