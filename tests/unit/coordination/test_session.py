"""Sessions between simulated processes: lost replies, restarts, expiry, watches in order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from raybase.actors.session import Session, SessionState
from raybase.actors.transaction import Transaction
from raybase.config import ClusterConfig, SessionConfig
from raybase.coordination.requests import Create, Delete, EventType, Exists, SetData
from raybase.errors import (
    BadArgumentsError,
    BadVersionError,
    NodeExistsError,
    NoNodeError,
    RolledBackError,
    RuntimeInconsistency,
    SessionExpiredError,
)
from raybase.testing import NO_FAULTS, Faults, Simulation

from .holders import COORDINATOR, Holder, Story, begin, tell

LOSSY = Faults(call_lost=0.1, reply_lost=0.1, call_doubled=0.2, message_slow=0.3)
SHORT = ClusterConfig(session=SessionConfig(timeout_s=1.5, heartbeat_s=0.4))


def run(
    story: Story,
    seed: int = 1,
    *,
    faults: Faults = NO_FAULTS,
    config: ClusterConfig | None = None,
    others: tuple[str, ...] = (),
) -> Simulation:
    """The simulation after the story was told in a holder called ``main``."""
    with Simulation(seed, config, faults=faults) as simulation:
        begin(simulation, *others)
        SIMULATIONS.append(simulation)
        tell(simulation, 600, main=story)
        SIMULATIONS.pop()
    return simulation


SIMULATIONS: list[Simulation] = []
"""The one that runs, for stories that do something to their world."""


def holder(name: str) -> Holder:
    actor = SIMULATIONS[-1].actor(name)
    assert isinstance(actor, Holder)
    return actor


async def opened(name: str) -> Session:
    """The session of another holder, to look at."""
    await asyncio.sleep(3.0)
    assert holder(name).session.session_id > 0
    return holder(name).session


@pytest.mark.parametrize("seed", range(8))
def test_each_request_has_one_effect_though_calls_are_lost_and_doubled(seed: int) -> None:
    async def story(main: Holder) -> None:
        session = main.session
        await session.create("/q")
        made = await asyncio.gather(
            *(session.create("/q/n-", b"%d" % number, sequence=True) for number in range(40))
        )
        assert made == [f"/q/n-{number:010d}" for number in range(40)]
        SIMULATIONS[-1].kill(COORDINATOR)
        for number in range(20):
            stat = await session.set("/q", b"%d" % number, version=number)
            assert stat.version == number + 1
            if number == 10:
                SIMULATIONS[-1].kill(COORDINATOR)
        assert len(await session.get_children("/q")) == 40
        for path in made:
            await session.delete(path)
        await session.close()

    simulation = run(story, seed, faults=LOSSY)
    assert simulation.errors == []
    assert simulation.counts["replies lost"] > 0
    assert simulation.counts["kills"] == 2


@pytest.mark.parametrize("seed", range(4))
def test_requests_are_applied_in_the_order_of_the_calls(seed: int) -> None:
    async def story(main: Holder) -> None:
        session = main.session
        answers: list[Any] = await asyncio.gather(
            session.create("/a", b"1"),
            session.set("/a", b"2"),
            session.get("/a"),
            session.create("/a"),
            session.delete("/a"),
            session.exists("/a"),
            return_exceptions=True,
        )
        assert answers[0] == "/a"
        assert answers[2][0] == b"2"
        assert isinstance(answers[3], NodeExistsError)
        assert answers[4:] == [None, None]

    run(story, seed, faults=LOSSY)


def test_a_cancelled_request_does_not_hold_up_the_later_ones() -> None:
    async def story(main: Holder) -> None:
        task = asyncio.create_task(main.session.create("/a"))
        await asyncio.sleep(0)
        task.cancel()
        assert await main.session.create("/b") == "/b"
        assert await main.session.exists("/a") is not None

    assert run(story).errors == []


def test_a_dead_holder_is_known_at_once_by_its_open_call() -> None:
    async def story(main: Holder) -> None:
        other = main.runtime.processes.remote("other")
        await other.call("create_ephemeral", "/other")
        gone = asyncio.Event()
        await main.session.exists("/other", lambda _: gone.set())
        await asyncio.sleep(5.0)
        assert not gone.is_set()
        SIMULATIONS[-1].kill("other")
        async with asyncio.timeout(0.1):
            await gone.wait()

    assert run(story, others=("other",)).errors == []


def test_a_process_begun_again_does_not_keep_its_former_session() -> None:
    async def story(main: Holder) -> None:
        simulation = SIMULATIONS[-1]
        simulation.spawn(Holder, "again", restarts=True)
        again = main.runtime.processes.remote("again")
        await again.call("create_ephemeral", "/again")
        gone = asyncio.Event()
        await main.session.exists("/again", lambda _: gone.set())
        simulation.kill("again")
        async with asyncio.timeout(simulation.config.session.timeout_s / 2):
            await gone.wait()

    run(story)


def test_a_living_holder_that_is_reported_dead_hears_that_its_session_is_over() -> None:
    async def story(_: Holder) -> None:
        session = await opened("other")
        SIMULATIONS[-1].report_dead("other")
        await asyncio.sleep(2.0)
        assert session.expired.is_set()
        assert session.state is SessionState.LOST
        assert holder("other").expiries == 1

    assert run(story, others=("other",)).errors == []


def test_a_holder_that_stood_still_learns_once_that_its_session_expired() -> None:
    async def story(main: Holder) -> None:
        await opened("other")
        other = main.runtime.processes.remote("other")
        SIMULATIONS[-1].pause("other", 5.0)
        await asyncio.sleep(5.01)
        answers = await asyncio.gather(
            other.call("create_ephemeral", "/a"),
            other.call("create_ephemeral", "/b"),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [SessionExpiredError] * 2
        assert await main.session.get_children("/") == ["hbase"]
        assert holder("other").expiries == 1

    assert run(story, config=SHORT, others=("other",)).errors == []


def test_sessions_outlive_a_coordinator_that_is_killed_or_stands_still() -> None:
    names = ("one", "two", "three")

    async def story(main: Holder) -> None:
        simulation = SIMULATIONS[-1]
        await main.session.create("/main", ephemeral=True)
        for _ in range(5):
            await asyncio.sleep(3.0)
            simulation.kill(COORDINATOR)
        await asyncio.sleep(5.0)
        simulation.pause(COORDINATOR, 20.0)
        await asyncio.sleep(30.0)
        for name in (*names, "main"):
            assert holder(name).expiries == 0
            assert holder(name).session.state is SessionState.CONNECTED
        assert await main.session.exists("/main") is not None

    assert run(story, config=SHORT, others=names).errors == []


def test_a_holder_cut_off_is_suspended_and_then_lost() -> None:
    async def story(_: Holder) -> None:
        session = await opened("other")
        assert session.state is SessionState.CONNECTED
        SIMULATIONS[-1].cut("other", COORDINATOR)
        await asyncio.sleep(20.0)
        assert session.state is SessionState.SUSPENDED
        SIMULATIONS[-1].heal()
        await asyncio.sleep(5.0)
        assert session.state is SessionState.LOST

    run(story, config=SHORT, others=("other",))


@pytest.mark.parametrize("deaf", [True, False])
def test_a_session_ends_when_one_way_between_holder_and_coordinator_is_cut(deaf: bool) -> None:
    async def story(main: Holder) -> None:
        session = await opened("other")
        await main.runtime.processes.remote("other").call("create_ephemeral", "/other")
        gone = asyncio.Event()
        await main.session.exists("/other", lambda _: gone.set())
        pair = (COORDINATOR, "other") if deaf else ("other", COORDINATOR)
        SIMULATIONS[-1].cut(*pair, one_way=True)
        async with asyncio.timeout(2 * SHORT.session.timeout_s):
            await gone.wait()
        assert session.state is SessionState.SUSPENDED
        SIMULATIONS[-1].heal()
        await asyncio.sleep(5.0)
        assert session.state is SessionState.LOST
        assert holder("other").expiries == 1

    run(story, config=SHORT, others=("other",))


def test_a_closed_session_leaves_nothing_and_is_not_called_expired() -> None:
    async def story(main: Holder) -> None:
        session = await opened("other")
        other = main.runtime.processes.remote("other")
        await other.call("create_ephemeral", "/e")
        await other.call("close")
        assert await main.session.exists("/e") is None
        assert session.state is SessionState.LOST
        assert not session.expired.is_set()
        assert holder("other").expiries == 0
        with pytest.raises(SessionExpiredError):
            await other.call("create_ephemeral", "/e")
        await other.call("close")

    assert run(story, others=("other",)).errors == []


def test_a_failing_watcher_harms_nobody_and_is_reported() -> None:
    async def story(main: Holder) -> None:
        heard: list[Any] = []

        def fail(_: Any) -> None:
            raise ZeroDivisionError

        await main.session.exists("/a", fail)
        await main.session.exists("/a", heard.append)
        await main.session.create("/a")
        assert [event.type for event in heard] == [EventType.CREATED]

    simulation = run(story)
    assert len(simulation.errors) == 1
    assert "ZeroDivisionError" in simulation.errors[0]


def test_a_multi_goes_through_whole_or_not() -> None:
    async def story(main: Holder) -> None:
        session = main.session
        assert (await session.multi([Create("/a"), SetData("/a", b"x")]))[0] == "/a"
        with pytest.raises(NoNodeError):
            await session.multi([Delete("/a"), Delete("/b")])
        assert (await session.get("/a"))[0] == b"x"
        await session.ensure_path("/deep/er/still")
        assert await session.get_children("/deep/er") == ["still"]

    run(story)


def test_a_transaction_says_of_each_operation_what_became_of_it() -> None:
    async def story(main: Holder) -> None:
        session = main.session
        good = Transaction(session)
        good.create("/a", b"1")
        good.create("/a/n-", sequence=True)
        good.check("/a", version=0)
        good.delete("/a/n-0000000000")
        good.set_data("/a", b"2")
        outcomes = await good.commit()
        assert outcomes[:3] == ["/a", "/a/n-0000000000", True]
        assert outcomes[3:] == [True, await session.exists("/a")]
        bad = Transaction(session)
        bad.create("/b")
        bad.set_data("/a", b"3")
        bad.check("/a", version=0)
        bad.delete("/a")
        kinds = [type(one) for one in await bad.commit()]
        assert kinds == [RolledBackError, RolledBackError, BadVersionError, RuntimeInconsistency]
        assert await session.exists("/b") is None
        assert (await session.get("/a"))[0] == b"2"
        huge = Transaction(session)
        for _ in range(5):
            huge.set_data("/a", bytes(2**20))
        with pytest.raises(BadArgumentsError):
            await huge.commit()

    assert run(story).errors == []


@pytest.mark.parametrize("seed", range(3))
def test_a_session_is_closed_after_the_requests_made_before(seed: int) -> None:
    async def story(main: Holder) -> None:
        session = main.session
        requests = asyncio.gather(*(session.create(f"/n{number}") for number in range(20)))
        await asyncio.sleep(0)
        await session.close()
        await requests
        dump = await main.runtime.processes.remote(COORDINATOR).call("dump", timeout_s=60)
        assert dump["sessions"] == []
        assert "/n19" in dump["znodes"]

    run(story, seed, faults=Faults(call_doubled=0.2, message_slow=0.3))


def test_a_watcher_without_a_watch_is_refused_and_holds_up_nobody() -> None:
    async def story(main: Holder) -> None:
        for operation, watcher in ((Exists("/a"), print), (Exists("/a", watch=True), None)):
            with pytest.raises(BadArgumentsError):
                await main.session.request(operation, watcher)
        assert await main.session.create("/a") == "/a"

    run(story)


@pytest.mark.parametrize("seed", range(8))
def test_a_watcher_hears_of_every_change_in_order_and_before_it_sees_it(seed: int) -> None:
    last = 39

    async def write(writer: Holder) -> None:
        await writer.session.create("/n")
        for number in range(last):
            await writer.session.set("/n", b"x")
            await asyncio.sleep(0.01)
            if number == 15:
                SIMULATIONS[-1].kill(COORDINATOR)

    async def version(session: Session, *watch: Any) -> int:
        stat = await session.exists("/n", *watch)
        return -1 if stat is None else stat.version

    async def watch(watcher: Holder) -> None:
        numbers: list[int] = []
        shown = -1
        while shown < last:
            fired: list[Any] = []
            shown = await version(watcher.session, fired.append)
            while shown < last and await version(watcher.session) == shown:
                pass
            assert fired or shown == last
            assert len(fired) <= 1
            numbers += [event.number for event in fired]
        assert numbers == list(range(1, len(numbers) + 1))

    with Simulation(seed, faults=LOSSY) as simulation:
        begin(simulation)
        SIMULATIONS.append(simulation)
        tell(simulation, 600, writer=write, watcher=watch)
        SIMULATIONS.pop()
        assert simulation.errors == []


def test_a_session_at_rest_keeps_nothing() -> None:
    async def story(main: Holder) -> None:
        session = main.session
        await session.create("/a")
        for _ in range(20):
            await asyncio.gather(
                session.get("/a"), session.set("/a", b"x"), session.get_children("/")
            )
            await asyncio.gather(*(session.exists("/b", print) for _ in range(5)))
        assert len(session._unanswered) == len(session._reads) == 0
        assert len(session._watches) == 1
        assert len(session._tasks) == 1
        state = SIMULATIONS[-1].actor(COORDINATOR)._processor.state
        assert len(state.sessions[session.session_id].answers) <= 10
        assert len(state.watches) == 1

    run(story)


def test_a_holder_whose_answer_to_the_open_call_is_nonsense_harms_nobody() -> None:
    class Broken(Holder):
        async def hold(self, session_id: int) -> bool:
            raise ZeroDivisionError

    async def story(main: Holder) -> None:
        SIMULATIONS[-1].spawn(Broken, "broken")
        await asyncio.sleep(5.0)
        assert await main.session.create("/a") == "/a"
        assert holder("broken").session.state is SessionState.CONNECTED

    simulation = run(story)
    assert simulation.counts["exits"] == 0
    assert any("ZeroDivisionError" in error for error in simulation.errors)
