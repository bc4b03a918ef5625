"""A procedure store in memory that can kill its master at any of its updates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from ...actors.procedures import codec
from ...actors.procedures.procedure import Procedure
from ...actors.procedures.registry import KINDS
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
        self.kinds: dict[str, None] = {}
        """Of all that was ever stored."""
        self.violations: list[str] = []
        self._procedures: dict[int, Procedure] = {}

    def keep(self, saved: Mapping[int, bytes], removed: Sequence[int]) -> None:
        self.saved.update(saved)
        for number, data in saved.items():
            self._procedures[number] = _procedure(data)
            self.kinds[self._procedures[number].kind] = None
        for number in removed:
            self.saved.pop(number, None)
            self._procedures.pop(number, None)
        self._check_locks()

    def _check_locks(self) -> None:
        """Of those that have begun, no two may hold locks that exclude one another."""
        begun = [one for one in self._procedures.values() if one.begun and not one.is_over]
        holders: dict[str, list[tuple[int, bool]]] = {}
        for one in begun:
            for lock in one.locks():
                holders.setdefault(lock.key, []).append((one.id, lock.exclusive))
        parents = {one.id: one.parent for one in begun}
        for key, ids in holders.items():
            for (first, alone), (second, also_alone) in combinations(ids, 2):
                if (alone or also_alone) and not _are_kin(parents, first, second):
                    self.violations.append(f"procedures {first} and {second} both have {key}")

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
        self._store.keep(saved, removed)
        if self._store.hook(number, False):
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0.0001)


def _procedure(data: bytes) -> Procedure:
    body = codec.decode("procedure", data)
    return KINDS[body.pop("kind")](**body)


def _are_kin(parents: Mapping[int, int], one: int, other: int) -> bool:
    """Whether one of the two descends from the other, and so has what that has."""
    return other in _line(parents, one) or one in _line(parents, other)


def _line(parents: Mapping[int, int], child: int) -> list[int]:
    found = []
    while child := parents.get(child, 0):
        found.append(child)
    return found
