"""The master's process with a real coordinator, over fake region servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from raybase.actors.session import Session
from raybase.config import ClusterConfig
from raybase.coordination import layout
from raybase.errors import MasterNotRunningError, RaybaseError, TableExistsError
from raybase.runtime import Runtime
from raybase.testing.procedures.cluster import FakeCluster, table
from raybase.testing.procedures.servers import FakeRegionServer

T = table()


class RegisteredServer(FakeRegionServer):
    """A fake server that has a session, as the real one has."""

    def __init__(
        self, runtime: Runtime, name: str, cluster: FakeCluster, config: ClusterConfig
    ) -> None:
        super().__init__(runtime, name, cluster)
        self._session = Session(runtime, config.session, name)

    async def start(self) -> None:
        await super().start()
        await self._session.open()
        data = layout.encode_data(process=self._process, server=str(self._name))
        path = f"{layout.REGION_SERVERS}/{self._name}"
        await self._session.create(path, data, ephemeral=True)

    async def hold(self, session_id: int) -> bool:
        return await self._session.hold(session_id)


class Whole(FakeCluster):
    """Coordinator and masters are real."""

    def _server(self, runtime: Runtime, name: str, config: ClusterConfig) -> FakeRegionServer:
        return RegisteredServer(runtime, name, self, config)

    def boot(self) -> None:
        self.simulation.spawn("coordinator", "coordinator")
        for number in (1, 2):
            self.simulation.spawn("master", f"master-{number}")

    def end_all(self) -> None:
        for name in ("coordinator", "master-1", "master-2"):
            self.simulation.kill(name, for_good=True)
        for name in self.simulation.living("region_server"):
            self.simulation.kill(name)

    def call(self, method: str, *args: Any) -> Any:
        """Asks the active master, whoever it is, for up to a minute."""

        async def ask() -> Any:
            runtime = self.simulation.runtime_for("main")
            for _ in range(600):
                for number in (1, 2):
                    remote = runtime.processes.remote(f"master-{number}")
                    try:
                        return await remote.call(method, *args, timeout_s=20.0)
                    except (TableExistsError, ValueError):
                        raise
                    except RaybaseError:
                        await runtime.clock.sleep(0.05)
            raise AssertionError("no master answers")

        return self.simulation.run(ask(), 120.0)

    def active(self) -> str:
        name: str = self.call("status")["master"]
        for number in (1, 2):
            actor = self.simulation.actor(f"master-{number}")
            if actor is not None and str(actor.server) == name:
                return f"master-{number}"
        raise AssertionError(name)

    def wait(self, wanted: Any) -> dict[str, Any]:
        for _ in range(300):
            status: dict[str, Any] = self.call("status")
            if status["initialized"] and wanted(status):
                return status
            self.simulation.run(self.simulation.runtime_for("main").clock.sleep(0.1), 1.0)
        raise AssertionError(status)


@pytest.fixture
def cluster() -> Iterator[Whole]:
    one = Whole()
    one.boot()
    yield one
    one.close()
    assert not one.violations
    assert not one.simulation.errors


def is_served(status: dict[str, Any]) -> bool:
    return (
        len(status["servers"]) == 3
        and not status["in_transition"]
        and not status["procedures"]
        and all(one["state"] == "OPEN" for one in status["regions"])
    )


def test_one_master_leads_and_the_other_stands_by(cluster: Whole) -> None:
    status = cluster.wait(is_served)
    assert len(status["backup_masters"]) == 1
    standby = {"master-1": "master-2", "master-2": "master-1"}[cluster.active()]
    remote = cluster.simulation.runtime_for("main").processes.remote(standby)
    with pytest.raises(MasterNotRunningError):
        cluster.simulation.run(remote.call("status"), 10.0)


def test_another_master_goes_on_when_the_master_dies(cluster: Whole) -> None:
    cluster.wait(is_served)
    cluster.call("create_table", T, (b"m",))
    first = cluster.call("status")["master"]
    cluster.simulation.kill(cluster.active())
    # The standby leads, or the process that Ray began anew: it is another server.
    status = cluster.wait(lambda status: is_served(status) and status["master"] != first)
    assert [one["regions"] for one in status["tables"]] == [2, 1]
    with pytest.raises(TableExistsError):
        cluster.call("create_table", T, ())


def test_everything_comes_back_from_the_files(cluster: Whole) -> None:
    cluster.wait(is_served)
    cluster.call("create_table", T, (b"g", b"p"))
    cluster.end_all()
    cluster.boot()
    status = cluster.wait(is_served)
    assert [one["regions"] for one in status["tables"]] == [3, 1]


def test_a_master_that_slept_through_its_session_ends(cluster: Whole) -> None:
    cluster.wait(is_served)
    cluster.call("create_table", T, (b"m",))
    first = cluster.active()
    life = cluster.simulation.process(first)
    assert life is not None
    cluster.simulation.pause(first, 20.0)
    cluster.wait(lambda status: is_served(status) and cluster.active() != first)
    cluster.simulation.run(cluster.simulation.runtime_for("main").clock.sleep(20.0), 30.0)
    assert not life.alive
    cluster.wait(is_served)


def test_a_master_that_is_stopped_gives_way_at_once(cluster: Whole) -> None:
    cluster.wait(is_served)
    first = cluster.active()
    actor, process = cluster.simulation.actor(first), cluster.simulation.process(first)
    assert process is not None
    stopped = process.loop.create_task(actor.stop())
    began_s = cluster.simulation.now_s
    cluster.run_until(stopped.done)
    cluster.simulation.kill(first, for_good=True)
    cluster.wait(lambda status: is_served(status) and cluster.active() != first)
    assert cluster.simulation.now_s - began_s < 3.0


def test_the_wanted_number_of_servers_is_kept(cluster: Whole) -> None:
    cluster.wait(is_served)
    cluster.call("create_table", T, (b"c", b"g", b"p"))
    victims = cluster.simulation.living("region_server")[:2]
    for name in victims:
        cluster.simulation.kill(name)
    status = cluster.wait(
        lambda status: (
            is_served(status) and not any(one["process"] in victims for one in status["servers"])
        )
    )
    assert len(status["servers"]) == 3
