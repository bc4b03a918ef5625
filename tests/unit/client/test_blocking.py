"""The blocking shell over real sockets: the public API as a user sees it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import raybase
from raybase.errors import (
    BatchError,
    CallTimedOutError,
    ClusterError,
    ConnectionLostError,
    IllegalArgumentError,
    InvalidRequestError,
    RetriesExhaustedError,
    TableNotFoundError,
)


@pytest.fixture
def connection(served: Any) -> Iterator[raybase.Connection]:
    with raybase.connect(served.address) as one:
        yield one


@pytest.fixture
def web(connection: raybase.Connection) -> raybase.Table:
    connection.admin.create_table("web", ["f", "g"], splits=["m"])
    return connection.table("web")


def test_what_was_put_is_got(connection: raybase.Connection, web: raybase.Table) -> None:
    assert connection.cluster_id() == "the-cluster"
    web.put("a", {"f:q": "text", b"g:": b"\0"})
    row = web.get("a")
    assert dict(row) == {b"f:q": b"text", b"g:": b"\0"}
    assert row["f:q"] == b"text"
    assert "g:" in row
    cell = row.cell("f:q")
    assert cell is not None
    assert cell.timestamp > 0
    assert row.family("g") == {b"": b"\0"}
    assert web.exists("a")
    assert not web.exists("b")
    assert not web.get("b")
    assert web.get("a", ["g"])
    assert len(web.get("a", ["f:q", "g:x"])) == 1


def test_mutations_of_every_kind(web: raybase.Table) -> None:
    assert web.increment("a", {"f:n": 2}).number("f:n") == 2
    assert web.append("a", {"f:q": b"x"})["f:q"] == b"x"
    assert web.check_and_mutate("a", "f:q", b"x", raybase.Put(b"a").add(b"f", b"r", b"1"))
    assert not web.check_and_mutate("a", "f:q", b"y", raybase.Put(b"a").add(b"f", b"r", b"2"))
    web.mutate_row([raybase.Put(b"a").add(b"g", b"1", b""), raybase.Put(b"a").add(b"g", b"2", b"")])
    assert sorted(web.get("a")) == [b"f:n", b"f:q", b"f:r", b"g:1", b"g:2"]
    web.delete("a", ["f:n", "g:1"])
    assert sorted(web.get("a")) == [b"f:q", b"f:r", b"g:2"]
    web.delete("a")
    assert not web.exists("a")


def test_many_rows_are_written_and_read(web: raybase.Table) -> None:
    web.put_many({"a": {"f:q": b"1"}, "z": {"f:q": b"2"}})
    assert [row.get("f:q") for row in web.get_many(["z", "nothing", "a"])] == [b"2", None, b"1"]
    outcomes = web.apply([raybase.Get(b"a"), raybase.Put(b"b").add(b"nope", b"", b"")])
    assert isinstance(outcomes[0], raybase.Result)
    assert isinstance(outcomes[1], raybase.errors.NoSuchFamilyError)
    with pytest.raises(BatchError, match="1 of 1 actions failed"):
        web.put_many([raybase.Put(b"b").add(b"nope", b"", b"")])


def test_a_batch_sends_when_it_is_full_and_at_its_end(cluster: Any, web: raybase.Table) -> None:
    with web.batch(buffer_bytes=1000) as batch:
        for number in range(20):
            batch.put(b"%04d" % number, {"f:q": b"v"})
        assert 0 < len(batch) < 20
        batch.delete("0003")
    assert web.scan().count() == 19


def test_a_batch_left_by_an_error_sends_nothing_more(web: raybase.Table) -> None:
    def interrupted() -> None:
        with web.batch() as batch:
            batch.put("dropped", {"f:q": b""})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert not web.exists("dropped")


def test_scans_give_rows_batches_and_columns(cluster: Any, web: raybase.Table) -> None:
    cluster.cells_per_answer = 7
    web.put_many({b"%04d" % number: {"f:q": b"%08d" % number} for number in range(50)})
    web.put("z", {"f:q": b"last"})
    assert [row.row for row in web.scan(limit=3)] == [b"0000", b"0001", b"0002"]
    assert web.scan(prefix="004").count() == 10
    first = web.scan("0010").first()
    assert first is not None
    assert first["f:q"] == b"00000010"
    assert web.scan("x", "y").first() is None
    assert sum(batch.row_count for batch in web.scan().batches()) == 51
    columns = web.scan(prefix="0", columns="f:q").columns()
    assert len(columns) == 50
    assert columns.array("f:q", "S8")[7] == b"00000007"
    assert next(iter(web.scan(reversed=True))).row == b"z"


def test_leaving_a_scan_closes_its_scanner(cluster: Any, web: raybase.Table) -> None:
    cluster.cells_per_answer = 2
    web.put_many({b"%04d" % number: {"f:q": b""} for number in range(20)})
    for row in web.scan():
        assert row.row == b"0000"
        break
    assert cluster.scanners == {}


def test_connections_that_were_cut_are_made_again(served: Any, web: raybase.Table) -> None:
    web.put("a", {"f:q": b"1"})
    served.cut()
    assert web.get("a")["f:q"] == b"1"


def test_a_region_that_moves_is_followed(cluster: Any, web: raybase.Table) -> None:
    web.put("a", {"f:q": b"1"})
    cluster.move(cluster.places[0], cluster.servers[1])
    assert web.get("a")["f:q"] == b"1"
    with web.batch() as batch:
        cluster.move(cluster.places[0], cluster.servers[0])
        batch.put("b", {"f:q": b"2"})
    assert web.get("b")["f:q"] == b"2"


def test_threads_may_share_a_connection(web: raybase.Table) -> None:
    errors: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(20):
                web.increment("n", {f"f:{name}": 1})
                web.put(f"{name}{number}", {"f:q": name})
                assert web.get(f"{name}{number}")["f:q"] == name.encode()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == []
    assert {web.get("n").number(f"f:{name}") for name in "abcd"} == {20}


def test_a_forked_child_uses_sockets_of_its_own(web: raybase.Table) -> None:
    web.put("a", {"f:q": b"1"})
    shell = web._shell
    channel = next(iter(shell._pool.values()))[0]
    shell._process = os.getpid() + 1
    assert web.get("a")["f:q"] == b"1"
    assert all(channel not in channels for channels in shell._pool.values())


def test_admin_looks_after_a_table(connection: raybase.Connection, web: raybase.Table) -> None:
    admin = connection.admin
    assert [str(one) for one in admin.tables()] == ["web"]
    admin.split("web", "c")
    admin.move(admin.regions("web")[0].region)
    admin.flush("web")
    admin.compact("web", major=True)
    admin.add_family("web", "h", max_versions=2)
    admin.modify_family("web", "h", ttl_s=9)
    family = admin.family("web", "h")
    assert family is not None
    assert (family.max_versions, family.ttl_s) == (2, 9)
    admin.drop_family("web", "h")
    result = admin.balance()
    assert result
    assert result.decision is not None
    assert result.decision.cost_after < result.decision.cost_before
    assert admin.set_balancer(False)
    assert not admin.is_balancer_on()
    assert not admin.balance()
    assert len(admin.balancer_decisions(5)) == 5
    assert admin.normalize("web")
    assert admin.set_normalizer(False)
    assert not admin.is_normalizer_on()
    assert admin.status().regions == 3
    regions = admin.regions("web")
    assert [one.region.start_key for one in regions] == [b"", b"c", b"m"]
    assert "<table>" in regions._repr_html_()
    admin.disable_table("web")
    assert not admin.is_enabled("web")
    admin.delete_table("web")
    assert not admin.exists("web")
    with pytest.raises(TableNotFoundError):
        admin.state("web")


def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_a_call_may_take() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        config = raybase.ClientConfig(call_timeout_s=0.05)
        with pytest.raises(ConnectionLostError, match=r"GetClusterId at .* no answer in 0.05 s"):
            raybase.connect(f"127.0.0.1:{deaf.getsockname()[1]}", config=config)


def test_a_call_that_times_out_costs_its_socket(cluster: Any, served: Any) -> None:
    config = raybase.ClientConfig(attempts_max=1)
    with raybase.connect(served.address, config=config) as connection:
        connection.admin.create_table("web", ["f"])
        table = connection.table("web")
        table.put("a", {"f:q": b"1"})
        cluster.faults["Get"] = [CallTimedOutError("x")]
        with pytest.raises(RetriesExhaustedError, match="after 1 tries"):
            table.get("a")
        assert table.get("a")


def test_a_closed_connection_says_so(served: Any) -> None:
    connection = raybase.connect(served.address)
    connection.close()
    with pytest.raises(InvalidRequestError, match="closed by its user"):
        connection.cluster_id()


def test_nobody_at_an_address_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ConnectionLostError, match="Connection refused"):
        raybase.connect(f"127.0.0.1:{port}")


def test_bytes_that_are_no_answer_are_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            peer, _ = server.accept()
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            peer.recv(1000)
            peer.close()

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(raybase.RaybaseError):
            raybase.connect(f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()


@pytest.mark.parametrize(
    "address", ["", "host", "host:", ":1", "host:0", "host:70000", "h:1,", "h:x"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(IllegalArgumentError):
        raybase.connect(address)


def test_without_ray_and_address_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("raybase.client.ray_registry")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(ClusterError, match=r"raybase.connect\('host:port'\)"):
        raybase.connect()
