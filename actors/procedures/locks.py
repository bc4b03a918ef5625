"""Locks of procedures: who may run beside whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .procedure import Lock


@dataclass(frozen=True, slots=True)
class _Waiter:
    id: int
    locks: tuple[Lock, ...]
    granted: asyncio.Future[None]


class LockTable:
    """Locks on names, shared or exclusive, all of one procedure's at once.

    A procedure gets either all its locks or none, so that none waits while it holds some.
    Those who wait are served in order: nobody overtakes an earlier one that wants the same
    name. But children wait for holders alone: an earlier one may be waiting for what the
    child's own parent holds. What an ancestor holds does not stand in a descendant's way.
    """

    def __init__(self, ancestors: Callable[[int], Sequence[int]]) -> None:
        self._ancestors = ancestors
        self._holders: dict[str, dict[int, bool]] = {}
        self._held: dict[int, tuple[Lock, ...]] = {}
        self._waiting: list[_Waiter] = []

    async def acquire(self, procedure_id: int, locks: Sequence[Lock]) -> None:
        """Returns when ``procedure_id`` holds all of ``locks``."""
        granted = asyncio.get_running_loop().create_future()
        waiter = _Waiter(procedure_id, tuple(locks), granted)
        self._waiting.append(waiter)
        self._serve()
        try:
            await granted
        except asyncio.CancelledError:
            self.release(procedure_id)
            raise

    def reduce(self, procedure_id: int, locks: Sequence[Lock]) -> None:
        """``procedure_id`` holds these from now on: fewer than so far, or shared ones instead of
        exclusive ones, so that nobody has to wait for it."""
        if tuple(locks) == self._held[procedure_id]:
            return
        self._forget(procedure_id)
        self._hold(procedure_id, tuple(locks))
        self._serve()

    def release(self, procedure_id: int) -> None:
        self._waiting = [one for one in self._waiting if one.id != procedure_id]
        self._forget(procedure_id)
        self._serve()

    def _forget(self, procedure_id: int) -> None:
        for lock in self._held.pop(procedure_id, ()):
            holders = self._holders[lock.key]
            holders.pop(procedure_id, None)
            if not holders:
                del self._holders[lock.key]

    def holders(self, lock: Lock) -> list[int]:
        """Ids of the procedures that hold it."""
        return list(self._holders.get(lock.key, ()))

    def blockers(self, procedure_id: int) -> list[tuple[Lock, int, bool]]:
        """What the procedure waits for, the id of who stands in its way, and whether that one
        holds it, or is before it in the queue; empty if it does not wait."""
        before: list[_Waiter] = []
        for waiter in self._waiting:
            if waiter.id == procedure_id:
                return self._blockers(waiter, before)
            before.append(waiter)
        return []

    def _blockers(self, waiter: _Waiter, before: Sequence[_Waiter]) -> list[tuple[Lock, int, bool]]:
        family = self._family(waiter.id)
        found = []
        for lock in waiter.locks:
            for holder, exclusive in self._holders.get(lock.key, {}).items():
                if holder not in family and (lock.exclusive or exclusive):
                    found.append((lock, holder, True))
            for other in before if len(family) == 1 else ():
                wanted = [one for one in other.locks if one.key == lock.key]
                if any(lock.exclusive or one.exclusive for one in wanted):
                    found.append((lock, other.id, False))
        return found

    def waiting(self, lock: Lock) -> list[int]:
        """Ids of the procedures that wait for the lock's name, in their order."""
        return [
            one.id for one in self._waiting if any(lock.key == wanted.key for wanted in one.locks)
        ]

    def held(self) -> list[tuple[str, dict[int, bool]]]:
        """Names that are locked, and by whom: id -> whether exclusively."""
        return [(key, dict(holders)) for key, holders in sorted(self._holders.items())]

    def _family(self, procedure_id: int) -> list[int]:
        return [procedure_id, *self._ancestors(procedure_id)]

    def _serve(self) -> None:
        wanted_before: dict[str, bool] = {}
        left: list[_Waiter] = []
        for waiter in self._waiting:
            if self._may_have(waiter, wanted_before):
                self._grant(waiter)
                continue
            left.append(waiter)
            for lock in waiter.locks:
                wanted_before[lock.key] = wanted_before.get(lock.key, False) or lock.exclusive
        self._waiting = left

    def _may_have(self, waiter: _Waiter, wanted_before: dict[str, bool]) -> bool:
        family = self._family(waiter.id)
        is_child = len(family) > 1
        for lock in waiter.locks:
            holders = self._holders.get(lock.key, {})
            strangers = [exclusive for holder, exclusive in holders.items() if holder not in family]
            if strangers and (lock.exclusive or any(strangers)):
                return False
            queued = wanted_before.get(lock.key)
            if queued is not None and not is_child and (lock.exclusive or queued):
                return False
        return True

    def _grant(self, waiter: _Waiter) -> None:
        self._hold(waiter.id, waiter.locks)
        if not waiter.granted.done():
            waiter.granted.set_result(None)

    def _hold(self, procedure_id: int, locks: tuple[Lock, ...]) -> None:
        self._held[procedure_id] = locks
        for lock in locks:
            holders = self._holders.setdefault(lock.key, {})
            holders[procedure_id] = holders.get(procedure_id, False) or lock.exclusive
