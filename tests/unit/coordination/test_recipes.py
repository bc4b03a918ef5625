"""Election and lock: step by step by hand, and among processes that die."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from raybase.actors.recipes import Election, Lock, ReadLock, WriteLock
from raybase.config import ClusterConfig
from raybase.coordination import layout
from raybase.coordination.election import campaign, resign
from raybase.coordination.lock import await_turn, contend, ensure_path
from raybase.coordination.recipe import WATCH, Recipe
from raybase.coordination.requests import Create, Delete, Exists, GetChildren, GetData
from raybase.coordination.znode import Stat
from raybase.errors import NodeExistsError, NoNodeError, SessionExpiredError
from raybase.runtime import Runtime
from raybase.testing import Faults, Simulation

from .holders import COORDINATOR, Holder, begin, tell

ROUGH_CALLS = Faults(
    call_lost=0.05, reply_lost=0.05, call_doubled=0.1, message_slow=0.2, write_late=0.1
)


def stat(czxid: int, owner: int) -> Stat:
    return Stat(czxid, czxid, czxid, 0, 0, 0, 0, owner, 0, 0)


def finish(recipe: Recipe[Any], value: Any) -> Any:
    with pytest.raises(StopIteration) as stop:
        recipe.send(value)
    return stop.value.value


# By hand.


def test_whoever_makes_the_znode_leads_with_its_transaction_as_epoch() -> None:
    recipe = campaign("/m", "/b/one", b"data", 7)
    assert next(recipe) == Create("/b/one", b"data", ephemeral=True)
    assert recipe.send("/b/one") == Create("/m", b"data", ephemeral=True)
    assert recipe.send("/m") == GetData("/m", watch=True)
    assert recipe.send((b"data", stat(44, 7))) == Delete("/b/one")
    assert finish(recipe, None) == 44


def test_a_standby_waits_for_the_znode_to_go_and_tries_again() -> None:
    recipe = campaign("/m", "/b/one", b"", 7)
    next(recipe)
    recipe.throw(NodeExistsError("/b/one"))
    assert recipe.throw(NodeExistsError("/m")) == GetData("/m", watch=True)
    assert recipe.send((b"", stat(44, 8))) is WATCH
    assert recipe.send(None) == Create("/m", b"", ephemeral=True)
    recipe.throw(NodeExistsError("/m"))
    assert recipe.throw(NoNodeError("/m")) == Create("/m", b"", ephemeral=True)


def test_a_candidate_finds_its_own_znode_again() -> None:
    recipe = campaign("/m", "/b/one", b"", 7)
    next(recipe)
    recipe.send("/b/one")
    recipe.throw(NodeExistsError("/m"))
    assert recipe.send((b"", stat(44, 7))) == Delete("/b/one")
    with pytest.raises(StopIteration) as stop:
        recipe.throw(NoNodeError("/b/one"))
    assert stop.value.value == 44


def test_only_the_leader_removes_the_znode_when_it_resigns() -> None:
    recipe = resign("/m", "/b/one", 7)
    assert next(recipe) == Delete("/b/one")
    assert recipe.throw(NoNodeError("")) == GetData("/m")
    assert finish(recipe, (b"", stat(44, 8))) is None
    recipe = resign("/m", "/b/one", 7)
    next(recipe)
    recipe.send(None)
    assert recipe.send((b"", stat(44, 7))) == Delete("/m")


def test_a_contender_watches_only_the_one_before_it() -> None:
    recipe = await_turn("/l/lock-0000000009")
    assert next(recipe) == GetChildren("/l")
    names = ("lock-0000000009", "lock-0000000003", "other", "lock-0000000001")
    assert recipe.send(names) == Exists("/l/lock-0000000003", watch=True)
    assert recipe.send(stat(1, 1)) is WATCH
    assert recipe.send(None) == GetChildren("/l")
    recipe.send(names)
    assert recipe.send(None) == GetChildren("/l")  # It went between the two reads.
    assert recipe.send(("lock-0000000009",)) == Exists("/l/lock-0000000009")
    assert finish(recipe, stat(55, 7)) == 55


def test_a_contender_whose_znode_is_gone_does_not_hold_the_lock() -> None:
    recipe = await_turn("/l/lock-0000000009")
    next(recipe)
    with pytest.raises(NoNodeError):
        recipe.send(("lock-0000000001",))


def test_a_reader_waits_for_the_last_writer_before_it_and_a_writer_for_anybody() -> None:
    names = ("read-0000000001", "lock-0000000002", "read-0000000003", "read-0000000004")
    recipe = await_turn("/l/read-0000000004")
    next(recipe)
    assert recipe.send(names) == Exists("/l/lock-0000000002", watch=True)
    recipe = await_turn("/l/lock-0000000002")
    next(recipe)
    assert recipe.send(names) == Exists("/l/read-0000000001", watch=True)
    recipe = await_turn("/l/read-0000000001")
    next(recipe)
    assert recipe.send(names) == Exists("/l/read-0000000001")


def test_missing_parents_are_made_from_the_top() -> None:
    recipe = ensure_path("/a/b")
    assert next(recipe) == Exists("/a/b")
    assert recipe.send(None) == Exists("/a")
    assert recipe.send(None) == Create("/a")
    assert recipe.throw(NodeExistsError("/a")) == Create("/a/b")
    recipe = contend("/a", b"")
    next(recipe)
    assert recipe.send(stat(1, 0)) == Create("/a/lock-", b"", ephemeral=True, sequential=True)


# Among processes.


class Candidate(Holder):
    """Campaigns once, and ends when its session does; Ray would begin it again."""

    elected: list[tuple[int, str]]

    def __init__(
        self, runtime: Runtime, name: str, config: ClusterConfig, elected: list[tuple[int, str]]
    ) -> None:
        super().__init__(runtime, name, config)
        self.elected = elected
        data = layout.encode_data(process=name, server=f"{name},1,1")
        self.election = Election(self.session, name, data)

    async def start(self) -> None:
        self.session.on_expired(lambda: self.runtime.processes.exit("session expired"))
        await self.session.open()
        self.session.background(self._campaign())

    async def _campaign(self) -> None:
        self.elected.append((await self.election.campaign(), self.name))

    async def resign(self) -> None:
        await self.election.resign()


@pytest.mark.parametrize("seed", range(10))
def test_epochs_grow_over_elections_deaths_and_restarts(seed: int) -> None:
    elected: list[tuple[int, str]] = []

    async def story(simulation: Simulation) -> None:
        clock = simulation.runtime_for("main").clock
        for round_ in range(6):
            while len(elected) <= round_:
                await clock.sleep(0.1)
            assert len(elected) == round_ + 1
            simulation.kill(elected[-1][1])
            if round_ % 2:
                simulation.kill(COORDINATOR)
        while len(elected) < 7:
            await clock.sleep(0.1)

    with Simulation(seed, faults=ROUGH_CALLS) as simulation:
        begin(simulation)
        for name in ("one", "two", "three"):
            simulation.spawn(Candidate, name, {"elected": elected}, restarts=True)
        simulation.run(story(simulation), timeout_s=300)
        epochs = [epoch for epoch, _ in elected]
        assert epochs == sorted(set(epochs))
        assert simulation.errors == []


def test_standbys_are_listed_and_one_takes_over_from_a_leader_that_resigns() -> None:
    elected: list[tuple[int, str]] = []

    async def story(simulation: Simulation) -> None:
        runtime = simulation.runtime_for("main")
        coordinator = runtime.processes.remote(COORDINATOR)
        await runtime.clock.sleep(3.0)
        registry = await coordinator.call("registry")
        first = elected[0][1]
        assert registry.master.process == first
        assert [one.process for one in registry.backup_masters] == sorted(
            {"one", "two", "three"} - {first}
        )
        await runtime.processes.remote(first).call("resign")
        await runtime.clock.sleep(1.0)
        registry = await coordinator.call("registry")
        assert registry.master.process == elected[1][1] != first
        assert len(registry.backup_masters) == 1

    with Simulation(1) as simulation:
        begin(simulation)
        for name in ("one", "two", "three"):
            simulation.spawn(Candidate, name, {"elected": elected})
        simulation.run(story(simulation), timeout_s=60)


@pytest.mark.parametrize("seed", range(6))
def test_a_lock_has_one_holder_and_tokens_grow_with_every_holder(seed: int) -> None:
    inside: list[str] = []
    tokens: list[int] = []

    async def take_turns(locker: Holder) -> None:
        for _ in range(5):
            async with Lock(locker.session, "/locks/one") as token:
                assert inside == []
                inside.append(locker.name)
                tokens.append(token)
                await asyncio.sleep(0.05)
                inside.remove(locker.name)

    with Simulation(seed, faults=ROUGH_CALLS) as simulation:
        begin(simulation)
        simulation.later(2.0, lambda: kill_coordinator(simulation))
        tell(simulation, 300, one=take_turns, two=take_turns, three=take_turns)
        assert len(tokens) == 15
        assert tokens == sorted(set(tokens))
        assert simulation.errors == []


def kill_coordinator(simulation: Simulation) -> None:
    simulation.kill(COORDINATOR)


def test_a_lock_is_passed_on_when_its_holder_dies() -> None:
    async def keep(locker: Holder) -> None:
        await Lock(locker.session, "/lock").acquire()

    async def wait(locker: Holder) -> None:
        await asyncio.sleep(2.0)
        simulation.later(1.0, lambda: kill_keeper(simulation))
        async with asyncio.timeout(2.0), Lock(locker.session, "/lock"):
            assert await locker.session.get_children("/lock") == ["lock-0000000001"]

    with Simulation(3) as simulation:
        begin(simulation)
        tell(simulation, 30, keeper=keep)
        tell(simulation, 30, waiter=wait)
        assert simulation.errors == []


def kill_keeper(simulation: Simulation) -> None:
    simulation.kill("keeper")


def test_a_contender_that_gives_up_does_not_block_the_queue() -> None:
    async def story(holder: Holder) -> None:
        first, second, third = (Lock(holder.session, "/lock") for _ in range(3))
        await first.acquire()
        for delay_s in (0.0, 0.0005, 0.003, 1.0):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await second.acquire()
        waiting = asyncio.create_task(third.acquire())
        await asyncio.sleep(1.0)
        assert not waiting.done()
        await first.release()
        async with asyncio.timeout(1.0):
            await waiting
        assert len(await holder.session.get_children("/lock")) == 1
        await third.release()
        await third.release()
        assert await holder.session.get_children("/lock") == []

    with Simulation(4) as simulation:
        begin(simulation)
        tell(simulation, 30, main=story)
        assert simulation.errors == []


def test_readers_share_the_lock_and_do_not_pass_a_writer_that_waits() -> None:
    async def story(holder: Holder) -> None:
        session = holder.session
        one, two, late = (ReadLock(session, "/lock", data) for data in (b"1", b"2", b"late"))
        writer = WriteLock(session, "/lock", b"writer")
        await one.acquire()
        last_read = await two.acquire()
        writing = asyncio.create_task(writer.acquire())
        await asyncio.sleep(1.0)
        reading = asyncio.create_task(late.acquire())
        await asyncio.sleep(1.0)
        assert await writer.contenders() == [b"1", b"2", b"writer", b"late"]
        assert not writing.done()
        assert not reading.done()
        await one.release()
        await two.release()
        token = await writing
        await asyncio.sleep(1.0)
        assert not reading.done()
        await writer.release()
        assert last_read < token < await reading

    with Simulation(6) as simulation:
        begin(simulation)
        tell(simulation, 60, main=story)
        assert simulation.errors == []


def test_a_holder_that_slept_through_its_session_has_lost_its_lock_to_a_higher_token() -> None:
    tokens: list[int] = []

    async def sleep(sleeper: Holder) -> None:
        lock = Lock(sleeper.session, "/lock")
        tokens.append(await lock.acquire())
        simulation.pause(sleeper.name, 30.0)
        await asyncio.sleep(0.5)
        with pytest.raises(SessionExpiredError):
            await lock.release()

    async def wait(waiter: Holder) -> None:
        await asyncio.sleep(2.0)
        async with Lock(waiter.session, "/lock") as token:
            tokens.append(token)
            assert simulation.now_s < 20.0

    with Simulation(7) as simulation:
        begin(simulation)
        tell(simulation, 60, sleeper=sleep, waiter=wait)
        assert len(tokens) == 2
        assert tokens[0] < tokens[1]
        assert simulation.errors == []


def test_whoever_waits_hears_that_the_session_is_over() -> None:
    async def story(holder: Holder) -> None:
        await holder.session.create("/m", ephemeral=False)
        election = Election(holder.session, "me", b"", path="/m")
        waiting = asyncio.create_task(election.campaign())
        await asyncio.sleep(1.0)
        await holder.runtime.processes.remote(COORDINATOR).call(
            "expire_session", holder.session.session_id
        )
        with pytest.raises(SessionExpiredError):
            await waiting
        with pytest.raises(SessionExpiredError):
            await Lock(holder.session, "/lock").acquire()

    with Simulation(5) as simulation:
        begin(simulation)
        tell(simulation, 30, main=story)
        assert simulation.errors == []
