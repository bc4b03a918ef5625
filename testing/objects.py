"""runtime.Objects: bytes that vanish with their owner, or for no reason at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..errors import ObjectLostError
from ..runtime import Buffer
from .process import SimProcess

_PUT_S: Final = (0.001, 0.01)
_GET_S: Final = (0.0005, 0.005)


@dataclass(frozen=True, slots=True)
class ObjectReference:
    number: int


class ObjectStore:
    """Shared by all processes of a simulation."""

    def __init__(self) -> None:
        self.objects: dict[int, tuple[SimProcess, bytes]] = {}

    def lose_all(self) -> int:
        """As when the store is full and evicts; returns how many are gone."""
        count = len(self.objects)
        self.objects.clear()
        return count


class SimObjects:
    """The object store as one process sees it."""

    node = "node"
    """There is one for all processes."""

    def __init__(self, process: SimProcess, store: ObjectStore) -> None:
        self._process = process
        self._world = process.world
        self._random = process.world.stream(f"objects {process.name} {process.life}")
        self._store = store

    async def put(self, data: Buffer) -> ObjectReference:
        content = bytes(data)
        await self._process.sleep(self._random.uniform(*_PUT_S))
        number = self._world.scheduler.number()
        self._store.objects[number] = (self._process, content)
        self._world.counts["objects put"] += 1
        return ObjectReference(number)

    async def get(self, reference: ObjectReference) -> memoryview:
        await self._process.sleep(self._random.uniform(*_GET_S))
        owner, content = self._store.objects.get(reference.number, (None, b""))
        if self._random.random() < self._world.faults.object_lost:
            self._store.objects.pop(reference.number, None)
            owner = None
        if owner is None or not owner.alive:
            self._world.counts["objects lost"] += 1
            raise ObjectLostError(f"object {reference.number} is lost")
        self._world.counts["objects got"] += 1
        return memoryview(content)
