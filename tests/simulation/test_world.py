"""The simulated world itself: what it promises, and what it takes away."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from raybase.errors import (
    FencedError,
    ObjectLostError,
    ProcessDiedError,
    ProcessUnavailableError,
    SyncFailedError,
)
from raybase.runtime import FileSystem, Runtime
from raybase.testing import ROUGH, DeadlockError, Faults, Simulation, VirtualTimeoutError

pytestmark = pytest.mark.simulation


class Counter:
    """A toy process: counts, in memory, and logs to a file."""

    def __init__(self, runtime: Runtime, name: str, config: object, first: int = 0) -> None:
        self.runtime = runtime
        self.name = name
        self.value = first

    async def start(self) -> None:
        await self.runtime.clock.sleep(0.1)

    async def add(self, amount: int) -> int:
        self.value += amount
        return self.value

    async def hold(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def refuse(self) -> None:
        raise FencedError("not you")

    async def end(self) -> None:
        self.runtime.processes.exit("asked to")
        await self.runtime.clock.sleep(1)

    async def mutate(self, values: list[int]) -> list[int]:
        values.append(0)
        return values


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert isinstance(self.transport, asyncio.Transport)
        self.transport.write(data)


class Collector(asyncio.Protocol):
    def __init__(self) -> None:
        self.data = b""
        self.lost = False
        self.error: Exception | None = None
        self.paused = 0

    def data_received(self, data: bytes) -> None:
        self.data += data

    def pause_writing(self) -> None:
        self.paused += 1

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self.error = error


class EchoServer:
    def __init__(self, runtime: Runtime, name: str, config: object) -> None:
        self.runtime = runtime

    async def start(self) -> None:
        await self.runtime.network.listen(Echo, "127.0.0.1", 7000)

    async def hold(self) -> None:
        await asyncio.get_running_loop().create_future()


def test_virtual_time_costs_nothing_and_deadlock_is_found() -> None:
    async def sleeper() -> float:
        await asyncio.sleep(86400)
        return asyncio.get_running_loop().time()

    async def stuck() -> None:
        await asyncio.get_running_loop().create_future()

    with Simulation(1) as simulation:
        assert simulation.run(sleeper(), 1e6) == pytest.approx(86400)
        with pytest.raises(VirtualTimeoutError):
            simulation.run(sleeper(), 10)
    with Simulation(1) as simulation, pytest.raises(DeadlockError):
        simulation.run(stuck(), 10)


def test_a_control_call_travels_by_value_and_brings_errors_back() -> None:
    with Simulation(1) as simulation:
        simulation.spawn(Counter, "counter", {"first": 5})
        remote = simulation.runtime_for("main").processes.remote("counter")

        async def story() -> None:
            assert await remote.call("add", 2) == 7
            mine = [1]
            assert await remote.call("mutate", mine) == [1, 0]
            assert mine == [1]
            with pytest.raises(FencedError):
                await remote.call("refuse")
            with pytest.raises(ProcessDiedError):
                await simulation.runtime_for("main").processes.remote("nobody").call("add", 1)
            with pytest.raises(ProcessUnavailableError):
                await remote.call("hold", timeout_s=3)

        simulation.run(story(), 60)
        assert simulation.errors == []


def test_a_death_fails_what_was_owed_and_runs_no_finally() -> None:
    ran = []

    class Careful(Counter):
        async def hold(self) -> None:
            try:
                await super().hold()
            finally:
                ran.append("finally")

    with Simulation(1) as simulation:
        simulation.spawn(Careful, "one")
        simulation.spawn(Counter, "two", restarts=True)
        processes = simulation.runtime_for("main").processes

        async def held(name: str) -> float:
            with pytest.raises((ProcessDiedError, ProcessUnavailableError)) as caught:
                await processes.remote(name).call("hold")
            return caught.type is ProcessDiedError

        async def story() -> None:
            waits = [asyncio.create_task(held("one")), asyncio.create_task(held("two"))]
            await asyncio.sleep(2)
            simulation.kill("one")
            simulation.kill("two")
            async with asyncio.timeout(0.1):
                assert await asyncio.gather(*waits) == [True, False]
            await asyncio.sleep(3)
            assert await processes.remote("two").call("add", 1) == 1
            with pytest.raises(ProcessDiedError):
                await processes.remote("one").call("add", 1)
            assert not ran

        simulation.run(story(), 60)
        assert simulation.errors == []


def test_a_paused_process_is_late_and_a_false_report_does_not_stop_it() -> None:
    with Simulation(1) as simulation:
        simulation.spawn(Counter, "counter")
        remote = simulation.runtime_for("main").processes.remote("counter")

        async def story() -> None:
            await remote.call("add", 1)
            simulation.pause("counter", 5)
            with pytest.raises(ProcessUnavailableError):
                await remote.call("add", 1, timeout_s=1)
            await asyncio.sleep(5)
            assert await remote.call("add", 1) == 3
            simulation.report_dead("counter")
            with pytest.raises(ProcessDiedError):
                await remote.call("add", 1)
            assert simulation.actor("counter").value == 3
            assert simulation.process("counter").alive

        simulation.run(story(), 60)


def test_of_what_is_begun_again_a_false_report_makes_two_copies() -> None:
    with Simulation(1) as simulation:
        simulation.spawn(Counter, "counter", restarts=True)
        remote = simulation.runtime_for("main").processes.remote("counter")

        async def story() -> None:
            await remote.call("add", 7)
            first = simulation.process("counter")
            simulation.report_dead("counter")
            await asyncio.sleep(3)
            assert await remote.call("add", 1) == 1
            assert first is not None and first.alive
            assert simulation.process("counter") is not first
            simulation.kill("counter")
            assert first.alive

        simulation.run(story(), 60)


def test_of_a_lost_node_nothing_is_heard_until_it_is_missed() -> None:
    with Simulation(1) as simulation:
        simulation.spawn(EchoServer, "echo")
        runtime = simulation.runtime_for("main")

        async def story() -> None:
            await asyncio.sleep(2)
            _, protocol = await runtime.network.connect(Collector, "127.0.0.1", 7000)
            held = asyncio.create_task(runtime.processes.remote("echo").call("hold"))
            await asyncio.sleep(1)
            simulation.lose_node("echo", 8.0)
            await asyncio.sleep(7)
            assert not held.done()
            assert isinstance(protocol, Collector) and not protocol.lost
            await asyncio.sleep(2)
            with pytest.raises(ProcessDiedError):
                await held
            simulation.heal()
            await asyncio.sleep(1)
            assert protocol.lost

        simulation.run(story(), 60)


def test_a_wall_clock_jumps_and_the_monotonic_one_does_not() -> None:
    with Simulation(1) as simulation:
        clock = simulation.runtime_for("main").clock
        before_ms, before_s = clock.now_ms(), clock.monotonic_s()
        simulation.jump_clock("main", -5000)
        assert clock.now_ms() == before_ms - 5000
        assert clock.monotonic_s() == before_s


def test_lost_and_doubled_calls_end_in_unavailable_or_in_two_runs() -> None:
    faults = Faults(call_lost=0.2, reply_lost=0.2, call_doubled=0.2)
    with Simulation(3, faults=faults) as simulation:
        simulation.spawn(Counter, "counter")
        remote = simulation.runtime_for("main").processes.remote("counter")

        async def story() -> tuple[int, int]:
            answered = unknown = 0
            for _ in range(200):
                try:
                    await remote.call("add", 1)
                    answered += 1
                except ProcessUnavailableError:
                    unknown += 1
            return answered, unknown

        answered, unknown = simulation.run(story(), 1000)
        assert answered + unknown == 200
        assert 30 < unknown <= simulation.counts["calls lost"] + simulation.counts["replies lost"]
        assert simulation.actor("counter").value > answered


def test_exit_ends_a_process_at_once() -> None:
    with Simulation(1) as simulation:
        simulation.spawn(Counter, "mortal")
        simulation.spawn(Counter, "restarted", {"first": 5}, restarts=True)
        processes = simulation.runtime_for("main").processes

        async def story() -> None:
            with pytest.raises(ProcessDiedError):
                await processes.remote("mortal").call("end")
            assert simulation.process("mortal") is None
            restarted = processes.remote("restarted")
            await restarted.call("add", 1)
            with pytest.raises(ProcessUnavailableError):
                await restarted.call("end")
            await asyncio.sleep(3)
            assert await restarted.call("add", 1) == 6

        simulation.run(story(), 60)


def test_a_connection_delivers_in_order_whatever_delays_and_splits() -> None:
    faults = Faults(message_slow=0.2, message_split=0.5, connection_stall=0.1)
    with Simulation(2, faults=faults) as simulation:
        simulation.spawn(EchoServer, "echo")
        network = simulation.runtime_for("main").network

        async def story() -> None:
            await asyncio.sleep(2)
            transport, protocol = await network.connect(Collector, "127.0.0.1", 7000)
            assert isinstance(protocol, Collector)
            for number in range(100):
                transport.write(b"%03d," % number)
                await asyncio.sleep(0.001)
            await asyncio.sleep(200)
            assert protocol.data == b"".join(b"%03d," % number for number in range(100))
            transport.write(bytes(1_000_000))
            await asyncio.sleep(0)
            assert protocol.paused == 1
            transport.close()
            await asyncio.sleep(1)
            assert protocol.lost and protocol.error is None

        simulation.run(story(), 1000)
        assert simulation.errors == []


def test_a_link_that_is_cut_for_good_never_carries_again() -> None:
    with Simulation(2) as simulation:
        simulation.spawn(EchoServer, "echo")
        network = simulation.runtime_for("main").network

        async def story() -> None:
            await asyncio.sleep(2)
            simulation.cut("echo", "main", one_way=True, for_good=True)
            simulation.cut("echo", "main")
            for heal in (lambda: simulation.fabric.mend("echo", "main"), simulation.heal):
                heal()
                with pytest.raises(TimeoutError):
                    await network.connect(Collector, "127.0.0.1", 7000)

        simulation.run(story(), 100)


def test_connections_end_with_their_process_and_wait_behind_a_cut() -> None:
    with Simulation(2) as simulation:
        simulation.spawn(EchoServer, "echo")
        network = simulation.runtime_for("main").network

        async def story() -> None:
            await asyncio.sleep(2)
            transport, protocol = await network.connect(Collector, "127.0.0.1", 7000)
            assert isinstance(protocol, Collector)
            simulation.cut("echo", "main", one_way=True)
            transport.write(b"hello")
            await asyncio.sleep(5)
            assert protocol.data == b""
            with pytest.raises(TimeoutError):
                await network.connect(Collector, "127.0.0.1", 7000)
            simulation.heal()
            await asyncio.sleep(1)
            assert protocol.data == b"hello"
            simulation.kill("echo")
            await asyncio.sleep(1)
            assert isinstance(protocol.error, ConnectionResetError)
            with pytest.raises(ConnectionRefusedError):
                await network.connect(Collector, "127.0.0.1", 7000)

        simulation.run(story(), 60)


def test_a_kill_keeps_the_page_cache_and_power_loss_keeps_what_was_synced() -> None:
    kept = []
    for seed in range(40):
        with Simulation(seed) as simulation:

            async def write(files: FileSystem) -> None:
                log = await files.create_log("WALs/a/1")
                assert await log.append(b"synced") == 6
                await log.append(b"cached", sync=False)

            simulation.run(write(simulation.runtime_for("writer").files), 10, "writer")
            simulation.end("writer")
            after = simulation.runtime_for("reader").files
            assert simulation.run(after.read("WALs/a/1"), 10, "reader") == b"syncedcached"
            simulation.power_loss()
            data = simulation.run(after.read("WALs/a/1"), 10, "reader")
            assert data.startswith(b"synced")
            kept.append(data[6:])
    assert {b"", b"cached"} <= set(kept)
    assert any(not b"cached".startswith(one) for one in kept)


def test_a_fence_stops_the_log_for_ever() -> None:
    with Simulation(1) as simulation:
        files = simulation.runtime_for("main").files

        async def story() -> None:
            log = await files.create_log("WALs/a/1")
            await log.append(b"1")
            await files.fence("WALs/a")
            with pytest.raises(FencedError):
                await log.append(b"2")
            with pytest.raises(FencedError):
                await log.check()
            with pytest.raises(FencedError):
                await files.create_log("WALs/a/2")
            await files.fence("WALs/b")
            with pytest.raises(FencedError):
                await files.create_log("WALs/b/1")
            await files.remove("WALs/a")
            with pytest.raises(FencedError):
                await log.check()
            assert await files.list("WALs") == ["b"]

        simulation.run(story(), 10)


def test_put_if_absent_has_one_winner() -> None:
    with Simulation(1) as simulation:

        async def put(name: str) -> bool:
            return await simulation.runtime_for(name).files.put_if_absent("m/1", name.encode())

        async def story() -> None:
            names = [f"p{number}" for number in range(5)]
            tasks = [simulation.start(name, put(name)) for name in names]
            await asyncio.sleep(1)
            winners = [name for name, task in zip(names, tasks, strict=True) if task.result()]
            assert len(winners) == 1
            files = simulation.runtime_for("main").files
            assert (await files.read("m/1")).decode() == winners[0]
            assert await files.list("m") == ["1"]

        simulation.run(story(), 10)


def test_a_failed_sync_loses_the_bytes_and_the_log() -> None:
    with Simulation(1, faults=Faults(sync_failed=1.0)) as simulation:
        files = simulation.runtime_for("main").files

        async def story() -> None:
            log = await files.create_log("a/1")
            with pytest.raises(SyncFailedError):
                await log.append(b"1")
            simulation.heal()
            with pytest.raises(SyncFailedError):
                await log.append(b"2")

        simulation.run(story(), 10)


async def double(files: object, objects: object, number: int) -> int:
    await asyncio.sleep(0.01)
    return 2 * number


def test_tasks_die_and_run_twice_and_objects_get_lost() -> None:
    faults = Faults(task_died=0.3, task_doubled=0.3, object_lost=0.5)
    with Simulation(1, faults=faults) as simulation:
        runtime = simulation.runtime_for("main")

        async def story() -> None:
            died = 0
            for number in range(50):
                try:
                    assert await runtime.tasks.run(double, number) == 2 * number
                except ProcessDiedError:
                    died += 1
            assert 0 < died < 40
            found = lost = 0
            for _ in range(20):
                reference = await runtime.objects.put(b"bytes")
                try:
                    assert bytes(await runtime.objects.get(reference)) == b"bytes"
                    found += 1
                except ObjectLostError:
                    lost += 1
            assert found > 3
            assert lost > 3

        simulation.run(story(), 100)
        assert simulation.counts["tasks doubled"] > 5


def test_nobody_catches_it_means_the_run_knows_it() -> None:
    async def generator() -> AsyncIterator[int]:
        yield 1

    async def story() -> None:
        def fail() -> None:
            raise ZeroDivisionError

        asyncio.get_running_loop().call_soon(fail)
        async for _ in generator():
            break
        await asyncio.sleep(1)

    with Simulation(1) as simulation:
        simulation.run(story(), 10)
        assert len(simulation.errors) == 1
        assert "ZeroDivisionError" in simulation.errors[0]


def test_one_seed_makes_one_trace() -> None:
    def digest(seed: int) -> str:
        with Simulation(seed, faults=ROUGH) as simulation:
            simulation.spawn(EchoServer, "echo")
            simulation.spawn(Counter, "counter")
            runtime = simulation.runtime_for("main")

            async def story() -> None:
                await asyncio.sleep(1)
                _, protocol = await runtime.network.connect(Collector, "127.0.0.1", 7000)
                for number in range(30):
                    protocol.transport = None  # type: ignore[attr-defined]
                    try:
                        await runtime.processes.remote("counter").call("add", number)
                    except ProcessUnavailableError:
                        await asyncio.sleep(0.1)
                    await runtime.files.put_if_absent(f"x/{number}", b"1")

            simulation.run(story(), 1000)
            return simulation.digest

    assert digest(5) == digest(5)
    assert digest(5) != digest(6)
