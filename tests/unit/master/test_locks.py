"""Locks of procedures: exclusive ones exclude, nobody is overtaken, everybody has his turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.actors.procedures.locks import LockTable
from raybase.actors.procedures.procedure import Lock

SHARED, EXCLUSIVE = Lock.table("t", exclusive=False), Lock.table("t", exclusive=True)
R1, R2 = Lock.region("r1"), Lock.region("r2")


def test_a_lock_that_becomes_shared_lets_others_in_and_keeps_changers_out() -> None:
    async def run() -> None:
        table = LockTable(lambda _: [])
        await table.acquire(1, [EXCLUSIVE])
        reader = asyncio.create_task(table.acquire(2, [SHARED, R1]))
        changer = asyncio.create_task(table.acquire(3, [EXCLUSIVE]))
        await asyncio.sleep(0)
        assert table.holders(EXCLUSIVE) == [1]
        table.reduce(1, [SHARED])
        await reader
        assert sorted(table.holders(EXCLUSIVE)) == [1, 2]
        table.release(2)
        await asyncio.sleep(0)
        assert not changer.done()
        table.release(1)
        await changer

    asyncio.run(run())


def test_a_lock_that_is_not_needed_any_more_is_free() -> None:
    async def run() -> None:
        table = LockTable(lambda _: [])
        await table.acquire(1, [R1, R2])
        table.reduce(1, [R1])
        await table.acquire(2, [R2])
        assert table.held() == [("region r1", {1: True}), ("region r2", {2: True})]
        table.release(1)
        table.release(2)
        assert table.held() == []

    asyncio.run(run())


@dataclass
class Task:
    """A procedure: what it wants, and the children it has once it runs."""

    locks: list[Lock]
    children: list[Task] = field(default_factory=list)
    shares_later: bool = False


def lock(kind: str, name: int, *, exclusive: bool) -> Lock:
    if kind == "table":
        return Lock.table(name, exclusive=exclusive)
    return Lock.region(str(name)) if kind == "region" else Lock.server(name)


locks = st.lists(
    st.builds(
        lock,
        st.sampled_from(["table", "region", "server"]),
        st.integers(0, 2),
        exclusive=st.booleans(),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.key,
)


def on_region(table: int, region: int) -> Task:
    return Task([Lock.table(table, exclusive=False), Lock.region(f"{table}.{region}")])


names = st.integers(0, 2)
on_regions = st.builds(on_region, names, names)


def on_table(table: int, regions: list[int], shares_later: bool) -> Task:
    """Such as enable: it has the table, its children have regions of it."""
    children = [on_region(table, region) for region in regions]
    return Task([Lock.table(table, exclusive=True)], children, shares_later)


def on_server(server: int, children: list[Task]) -> Task:
    """Such as the recovery of a server: its children have regions of any table."""
    return Task([Lock.server(server)], children)


def on_regions_of(table: int, regions: list[int]) -> Task:
    """Such as a merge: its children have its own regions, or one that is new."""
    own = [Lock.region(f"{table}.{region}") for region in regions]
    children = [on_region(table, region) for region in (*regions, 9)]
    return Task([Lock.table(table, exclusive=False), *own], children)


some = st.lists(names, min_size=1, max_size=3, unique=True)
tasks = st.one_of(
    on_regions,
    st.builds(on_table, names, some, st.booleans()),
    st.builds(on_server, names, st.lists(on_regions, max_size=4)),
    st.builds(on_regions_of, names, some),
)


class Crowd:
    """Runs tasks on a lock table and looks after every change."""

    def __init__(self) -> None:
        self.parents: dict[int, int] = {}
        self.held: dict[int, Sequence[Lock]] = {}
        self.started: list[int] = []
        self.wanted: dict[int, Sequence[Lock]] = {}
        self.table = LockTable(self._ancestors)

    def _ancestors(self, number: int) -> list[int]:
        return [self.parents[number]] if number in self.parents else []

    async def run(self, number: int, task: Task) -> None:
        self.wanted[number] = task.locks
        await self.table.acquire(number, task.locks)
        self.started.append(number)
        self.held[number] = task.locks
        self._check()
        await asyncio.sleep(0)
        if task.shares_later:
            self.held[number] = [
                Lock(one.key, one.exclusive and not one.key.startswith("table"))
                for one in task.locks
            ]
            self.table.reduce(number, self.held[number])
        await asyncio.gather(
            *(self._child(number, place, child) for place, child in enumerate(task.children))
        )
        del self.held[number]
        self.table.release(number)

    async def _child(self, parent: int, place: int, child: Task) -> None:
        number = 100 * parent + place
        self.parents[number] = parent
        await self.run(number, child)

    def _check(self) -> None:
        for one, of_one in self.held.items():
            for other, of_other in self.held.items():
                kin = one == other or one in self._ancestors(other) or other in self._ancestors(one)
                for first in of_one:
                    for second in () if kin else of_other:
                        both = first.exclusive or second.exclusive
                        assert first.key != second.key or not both, (one, first, other, second)


@settings(max_examples=60, deadline=None)
@given(st.lists(tasks, min_size=1, max_size=7))
def test_whatever_procedures_and_their_children_want_all_come_to_their_end(
    wishes: list[Task],
) -> None:
    async def run() -> Crowd:
        crowd = Crowd()
        work = [asyncio.create_task(crowd.run(n, one)) for n, one in enumerate(wishes, 1)]
        for _ in range(400):
            await asyncio.sleep(0)
        assert all(one.done() for one in work), "a deadlock"
        for one in work:
            one.result()
        return crowd

    crowd = asyncio.run(run())
    assert crowd.table.held() == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(Task, locks), min_size=1, max_size=9))
def test_of_two_that_want_the_same_the_first_has_it_first(wishes: list[Task]) -> None:
    async def run() -> Crowd:
        crowd = Crowd()
        await asyncio.gather(*(crowd.run(n, one) for n, one in enumerate(wishes, 1)))
        return crowd

    crowd = asyncio.run(run())
    for place, later in enumerate(crowd.started):
        for overtaken in (one for one in crowd.started[place + 1 :] if one < later):
            assert not conflicting(crowd.wanted[later], crowd.wanted[overtaken])


def conflicting(one: Sequence[Lock], other: Sequence[Lock]) -> bool:
    return any(
        first.key == second.key and (first.exclusive or second.exclusive)
        for first in one
        for second in other
    )
