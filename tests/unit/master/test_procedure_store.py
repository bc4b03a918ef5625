from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from raybase.actors import procedure_store
from raybase.actors.procedure_store import LOGS, RegionProcedureStore
from raybase.errors import FencedError
from raybase.runtime import AppendLog
from raybase.storage.manifest import region_directory
from raybase.testing import Simulation


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(3) as one:
        yield one


def run(simulation: Simulation, work: Coroutine[Any, Any, Any], name: str = "main") -> Any:
    return simulation.run(work, 60.0, name)


def opened(simulation: Simulation, epoch: int, name: str = "main") -> RegionProcedureStore:
    runtime = simulation.runtime_for(name)
    store = run(simulation, RegionProcedureStore.open(runtime, simulation.config, epoch), name)
    assert isinstance(store, RegionProcedureStore)
    return store


def test_what_one_master_stored_the_next_one_reads(simulation: Simulation) -> None:
    one = opened(simulation, 5)
    assert run(simulation, one.load()) == {}
    run(simulation, one.update({1: b"a", 2: b"b"}))
    run(simulation, one.update({1: b"A", 3: b"c"}, removed=[2]))
    assert run(simulation, one.load()) == {1: b"A", 3: b"c"}
    two = opened(simulation, 9)
    assert run(simulation, two.load()) == {1: b"A", 3: b"c"}


def test_an_earlier_master_can_store_nothing_more(simulation: Simulation) -> None:
    one = opened(simulation, 5)
    run(simulation, one.update({1: b"a"}))
    two = opened(simulation, 6)
    with pytest.raises(FencedError):
        run(simulation, one.update({1: b"too late"}))
    with pytest.raises(FencedError):
        run(simulation, one.check())
    run(simulation, two.update({2: b"b"}))
    three = opened(simulation, 7)
    assert run(simulation, three.load()) == {1: b"a", 2: b"b"}


def test_a_master_of_a_lower_epoch_does_not_get_the_store(simulation: Simulation) -> None:
    one = opened(simulation, 6)
    with pytest.raises(FencedError):
        opened(simulation, 5)
    run(simulation, one.update({1: b"a"}))


def test_an_id_may_be_used_again_after_its_removal(simulation: Simulation) -> None:
    one = opened(simulation, 1)
    run(simulation, one.update({1: b"a"}))
    run(simulation, one.update({}, removed=[1]))
    run(simulation, one.update({1: b"b"}))
    assert run(simulation, one.load()) == {1: b"b"}
    assert run(simulation, opened(simulation, 2).load()) == {1: b"b"}


@pytest.mark.parametrize("log_bytes_max", [1, 2000, 10**9])
def test_every_stored_update_survives_power_loss(
    simulation: Simulation, log_bytes_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procedure_store, "_LOG_BYTES_MAX", log_bytes_max)
    expected: dict[int, bytes] = {}
    for epoch in range(1, 5):
        store = opened(simulation, epoch, f"master-{epoch}")
        assert run(simulation, store.load(), f"master-{epoch}") == expected
        for number in range(12):
            saved = {number % 5: b"%d %d" % (epoch, number), 100 + number: b"x" * 100}
            removed = [100 + number - 2] if number > 3 else []
            run(simulation, store.update(saved, removed), f"master-{epoch}")
            expected.update(saved)
            for one in removed:
                expected.pop(one, None)
        simulation.end(f"master-{epoch}")
        simulation.power_loss()


def test_a_master_that_died_while_it_opened_leaves_all(simulation: Simulation) -> None:
    one = opened(simulation, 1)
    run(simulation, one.update({1: b"a", 2: b"b"}))
    for epoch in range(2, 30):
        name = f"master-{epoch}"
        runtime = simulation.runtime_for(name)
        simulation.start(name, RegionProcedureStore.open(runtime, simulation.config, epoch))
        simulation.later(epoch * 0.0002, lambda name=name: simulation.end(name))
        simulation.run(simulation.runtime_for("main").clock.sleep(0.2), 10)
        if epoch % 3 == 0:
            simulation.power_loss()
    last = opened(simulation, 99)
    assert run(simulation, last.load()) == {1: b"a", 2: b"b"}
    names = run(simulation, simulation.runtime_for("main").files.list(LOGS))
    assert names == [f"{99:020d}"]


def test_of_two_that_open_at_once_the_later_one_stays(simulation: Simulation) -> None:
    first = opened(simulation, 1)
    run(simulation, first.update({1: b"a"}))
    for epoch in range(10, 40, 2):
        tasks = []
        for one, delay_s in ((epoch, 0.0), (epoch + 1, (epoch - 10) * 0.0003)):
            name = f"master-{one}"
            runtime = simulation.runtime_for(name)

            async def open_later(r: Any = runtime, e: int = one, d: float = delay_s) -> Any:
                await r.clock.sleep(d)
                store = await RegionProcedureStore.open(r, simulation.config, e)
                await store.update({e: b"%d" % e})
                return await store.load()

            tasks.append(simulation.start(name, open_later()))
        simulation.world.scheduler.run(
            lambda t=tasks: all(one.done() for one in t), simulation.now_s + 60
        )
        assert tasks[1].exception() is None
        found = tasks[1].result()
        assert found[1] == b"a"
        assert found[epoch + 1] == b"%d" % (epoch + 1)
        if tasks[0].exception() is None:
            assert found[epoch] == b"%d" % epoch
        else:
            assert isinstance(tasks[0].exception(), FencedError)


def test_who_sleeps_while_it_rolls_its_log_stores_nothing_more(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next master removes its fenced directory, and the new log brings it back."""
    one = opened(simulation, 5)
    run(simulation, one.update({1: b"a"}))
    create_log = one._files.create_log

    async def late(path: str) -> AppendLog:
        monkeypatch.undo()
        runtime = simulation.runtime_for("main")
        two = await RegionProcedureStore.open(runtime, simulation.config, 6)
        await two.update({2: b"b"})
        return await create_log(path)

    monkeypatch.setattr(procedure_store, "_LOG_BYTES_MAX", 1)
    monkeypatch.setattr(one._files, "create_log", late)
    run(simulation, one.update({3: b"in time"}))
    with pytest.raises(FencedError):
        run(simulation, one.update({4: b"too late"}))
    with pytest.raises(FencedError):
        run(simulation, one.check())
    three = opened(simulation, 7)
    assert run(simulation, three.load()) == {1: b"a", 2: b"b", 3: b"in time"}


def test_fifty_masters_leave_no_more_manifests_than_twenty(simulation: Simulation) -> None:
    left = {}
    for epoch in range(1, 51):
        run(simulation, opened(simulation, epoch).update({epoch: b"a"}))
        left[epoch] = len([path for path, _ in simulation.disk.walk("MasterData")])
    assert max(left.values()) <= left[20]


def test_what_a_dead_master_left_half_made_goes_at_the_next_take_over(
    simulation: Simulation,
) -> None:
    one = opened(simulation, 1)
    run(simulation, one.update({1: b"a"}))
    base = region_directory(procedure_store.REGION)
    left = [f"{base}/{name}/.tmp-dead" for name in ("manifest", "proc")]
    for path in left:
        simulation.disk.make_directories(path.rpartition("/")[0])
        simulation.disk.create(path)
    assert run(simulation, opened(simulation, 2).load()) == {1: b"a"}
    assert all(simulation.disk.find(path) is None for path in left)
