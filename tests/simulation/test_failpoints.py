"""Failpoints: where a process can be struck, and what it has done by then."""

import asyncio

import pytest

from raybase.errors import ProcessDiedError
from raybase.runtime import Runtime
from raybase.testing import Simulation
from raybase.testing.disk import DirectoryNode
from raybase.testing.process import SimProcess

pytestmark = pytest.mark.simulation


class Actor:
    def __init__(self, runtime: Runtime, name: str, config: object) -> None:
        self.runtime = runtime

    async def add(self, amount: int) -> int:
        return amount


@pytest.mark.parametrize("stop", ["create", "sync", "syncdir", "done"])
def test_who_dies_at_a_failpoint_has_done_what_comes_before_it_and_no_more(stop: str) -> None:
    class Writer(Actor):
        async def add(self, amount: int) -> int:
            await self.runtime.files.put_if_absent("d/file", b"1234")
            return amount

    with Simulation(1) as simulation:
        simulation.spawn(Writer, "writer")
        passed: list[str] = []

        def lie_in_wait(process: SimProcess, site: str) -> None:
            effect = site.rpartition("/")[2]
            passed.append(effect)
            if effect == stop:
                assert process.die is not None
                process.die()

        async def story() -> None:
            simulation.world.on_failpoint = lie_in_wait
            with pytest.raises(ProcessDiedError):
                await simulation.runtime_for("main").processes.remote("writer").call("add", 1)

        simulation.run(story(), 60)
        steps = ["begin", "create", "sync", "syncdir", "done"]
        assert passed == steps[: steps.index(stop) + 1]
        directory = simulation.disk.find("d")
        assert isinstance(directory, DirectoryNode | None)
        names = list(directory.entries) if directory is not None else []
        assert ("file" in names) is (stop in ("syncdir", "done"))
        durable = directory.durable if directory is not None else {}
        assert ("file" in durable) is (stop == "done")


def test_a_paused_process_stands_still_at_its_failpoint() -> None:
    with Simulation(1) as simulation:
        simulation.spawn(Actor, "counter")

        def pause(process: SimProcess, site: str) -> None:
            if site.endswith("serve/answer"):
                simulation.pause(process.name, 5.0)

        async def story() -> None:
            await asyncio.sleep(1)
            simulation.world.on_failpoint = pause
            before_s = simulation.now_s
            await simulation.runtime_for("main").processes.remote("counter").call("add", 1)
            assert simulation.now_s - before_s > 5.0

        simulation.run(story(), 60)
