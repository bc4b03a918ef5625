"""A server that was given up while it lived acknowledges nothing, answers nothing, and ends.

Each test talks to the old server through a socket of its own, pinned to its port, and writes
the same row at the new owner through an ordinary client.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from raybase import connect
from raybase.actors.ray_cluster import RayCluster
from raybase.operations import Get, Put
from raybase.rpc.client import ClientConnection
from raybase.rpc.mutations import mutate_request
from raybase.rpc.reads import get_request

from .conftest import add_node, eventually

ROW = b"row"
GRAVE = b"written at the old owner"


class Pinned:
    """A client of one server that never looks for another."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = ClientConnection("ClientService", user="pinned")
        self._socket = socket.create_connection((host, port), timeout=10)
        self._socket.sendall(self._connection.preamble())

    def close(self) -> None:
        self._socket.close()

    def send(self, method: str, request: Any) -> None:
        self._socket.sendall(self._connection.call(method, request)[1])

    def ask(self, method: str, request: Any) -> Any:
        """The answer to one call; None if the server closed the connection or is silent."""
        try:
            self.send(method, request)
            self._socket.settimeout(60)
            while data := self._socket.recv(65536):
                for answer in self._connection.feed(data):
                    return answer
        except OSError:
            return None
        return None

    def answers(self, timeout_s: float) -> list[Any]:
        """All that arrives until the server closes the connection or the time is over."""
        found: list[Any] = []
        deadline_s = time.monotonic() + timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                data = self._socket.recv(65536)
            except OSError:
                break
            if not data:
                break
            found += self._connection.feed(data)
        return found


class Stubborn(threading.Thread):
    """Reads and writes at the pinned server, one call after the other, until it is gone.

    ``reads`` and ``writes`` hold when each call that succeeded was sent, and what it was about.
    """

    def __init__(self, pinned: Pinned, region: bytes) -> None:
        super().__init__(daemon=True)
        self._pinned = pinned
        self._region = region
        self.reads: list[tuple[float, bytes]] = []
        self.writes: list[tuple[float, int]] = []

    def run(self) -> None:
        for number in itertools.count(1):
            sent_s = time.monotonic()
            answer = self._pinned.ask("Get", get_request(self._region, Get(ROW)))
            if answer is None:
                return
            if answer.error is None:
                self.reads.append((sent_s, answer.cells.values[0]))
            sent_s = time.monotonic()
            put = Put(GRAVE).add(b"f", b"q", b"%d" % number)
            answer = self._pinned.ask("Mutate", mutate_request(self._region, put))
            if answer is None:
                return
            if answer.error is None:
                self.writes.append((sent_s, number))


class Owned:
    """A table of one region, the server that has it, and a client pinned to that server."""

    def __init__(self, cluster: RayCluster) -> None:
        self.cluster = cluster
        self.connection = connect(cluster.addresses())
        self.connection.admin.create_table("t", ["f"])
        self.table = self.connection.table("t")
        self.table.put(ROW, {"f:q": b"old"})
        place = self.connection.admin.regions("t")[0]
        self.region = place.region
        self.server = str(place.server)
        members = {str(one.server): one for one in cluster.registry().region_servers}
        member = members[self.server]
        self.process = member.process
        self.pid = cluster.describe(self.process)["pid"]
        self.pinned = Pinned(member.server.host, member.server.port)
        self.pinned.send("Get", get_request(self.region.name, Get(ROW)))
        assert b"old" in self.pinned.answers(0.5)[0].cells.values

    def wait_for_new_owner(self) -> None:
        """The region is open elsewhere and its row overwritten there."""
        eventually(
            lambda: (
                str(self.connection.admin.regions("t")[0].server) not in (self.server, "None")
                and self.connection.admin.regions("t")[0].state == "OPEN"
            ),
            "the region is open at another server",
            timeout_s=40,
        )
        self.table.put(ROW, {"f:q": b"new"})
        self.overwritten_s = time.monotonic()

    def insist(self) -> Stubborn:
        """Begins to use the old owner without a pause."""
        stubborn = Stubborn(self.pinned, self.region.name)
        stubborn.start()
        time.sleep(0.3)
        return stubborn

    def assert_in_vain(self, stubborn: Stubborn) -> None:
        """The old owner answered nothing that it was asked after its row was overwritten
        elsewhere, and whatever it acknowledged before is at the new owner."""
        stubborn.join(timeout=5)
        assert not stubborn.is_alive()
        assert stubborn.reads
        assert stubborn.writes
        late = [one for one in stubborn.reads + stubborn.writes if one[0] > self.overwritten_s]
        assert not late, f"a fenced server answered {late[:3]}"
        assert int(self.table.get(GRAVE)[b"f:q"]) >= stubborn.writes[-1][1]

    def ask_the_old_owner(self) -> None:
        self.pinned.send("Get", get_request(self.region.name, Get(ROW)))
        put = Put(ROW).add(b"f", b"q", b"from the grave")
        self.pinned.send("Mutate", mutate_request(self.region.name, put))
        self.pinned.send("Get", get_request(self.region.name, Get(ROW)))

    def assert_nothing_was_answered(self, answers: list[Any]) -> None:
        for answer in answers:
            assert answer.error is not None, f"a fenced server answered {answer}"

    def assert_ended_within(self, limit_s: float) -> None:
        deadline_s = time.monotonic() + limit_s
        while _runs(self.pid) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert not _runs(self.pid), f"the fenced server still ran after {limit_s} s"

    def close(self) -> None:
        self.pinned.close()
        self.connection.close()

    def assert_the_new_value_stands(self) -> None:
        assert self.table.get(ROW)[b"f:q"] == b"new"


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def owned(start: Callable[..., RayCluster]) -> Iterator[Owned]:
    with contextlib.closing(Owned(start(region_servers=2))) as found:
        yield found


def test_a_server_stopped_past_its_session_wakes_to_nothing(owned: Owned) -> None:
    os.kill(owned.pid, signal.SIGSTOP)
    try:
        owned.wait_for_new_owner()
        owned.ask_the_old_owner()
    finally:
        os.kill(owned.pid, signal.SIGCONT)
    owned.assert_ended_within(1.0)
    owned.assert_nothing_was_answered(owned.pinned.answers(0.5))
    owned.assert_the_new_value_stands()


def test_a_server_reported_dead_while_it_lives_answers_nothing(owned: Owned) -> None:
    """Ray's report is a hint that may be wrong: the session ends, the server must follow."""
    sessions = owned.cluster.call("coordinator", "dump")["sessions"]
    session_id = next(one["session_id"] for one in sessions if one["holder"] == owned.process)
    stubborn = owned.insist()
    owned.cluster.call("coordinator", "expire_session", session_id)
    owned.wait_for_new_owner()
    owned.assert_ended_within(1.0)
    owned.assert_in_vain(stubborn)
    owned.assert_the_new_value_stands()


def test_a_server_whose_raylet_was_stopped_answers_nothing(owned: Owned, ray_cluster: Any) -> None:
    """Ray stops hearing of the node and reports its actors dead, though they serve on."""
    node_id = owned.cluster.describe(owned.process)["node"]
    node = next(one for one in ray_cluster.list_all_nodes() if one.node_id == node_id)
    raylet = node.all_processes["raylet"][0].process.pid
    stubborn = owned.insist()
    os.kill(raylet, signal.SIGSTOP)
    try:
        owned.wait_for_new_owner()
        owned.assert_ended_within(1.0)
        owned.assert_in_vain(stubborn)
        owned.assert_the_new_value_stands()
    finally:
        os.kill(raylet, signal.SIGCONT)
        ray_cluster.remove_node(node, allow_graceful=False)
        add_node(ray_cluster)
