"""Tables on a real cluster, as an administrator handles them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from raybase import connect
from raybase.actors import ray_cluster as ray_cluster_module
from raybase.actors.ray_cluster import RayCluster
from raybase.errors import ClusterError, NoSuchFamilyError, TableNotFoundError

from .conftest import eventually

Start = Callable[..., RayCluster]


def test_start_keys_below_and_at_the_comma_lead_to_their_regions(start: Start) -> None:
    """hbase:meta compares table, start key and id apart; as plain bytes these would mix."""
    cluster = start(region_servers=2)
    splits = [b"\0", b"\0,", b"\1", b"+", b",", b",,", b",1", b"-", b"a", b"a,b", b"b", b"\xff"]
    rows = [split + tail for split in splits for tail in (b"", b"\0", b",", b"~")] + [b"\0\0"]
    with connect(cluster.addresses()) as connection:
        connection.admin.create_table("odd", ["f"], splits=splits)
        connection.admin.create_table("odder", ["f"], splits=splits)
        table = connection.table("odd")
        for row in rows:
            table.put(row, {"f:row": row})
    with connect(cluster.addresses()) as fresh:
        table = fresh.table("odd")
        for row in rows:
            assert table.get(row)["f:row"] == row
        assert [result.row for result in table.scan()] == sorted(set(rows))
        assert [one.region.start_key for one in fresh.admin.regions("odd")] == [b"", *splits]


def test_a_table_is_altered_split_compacted_merged_and_dropped(start: Start) -> None:
    cluster = start(region_servers=2)
    with connect(cluster.addresses()) as connection:
        admin, table = connection.admin, connection.table("t")
        admin.create_table("t", {"f": {"max_versions": 2}})
        table.put_many({f"{n:03d}": {"f:n": str(n)} for n in range(300)})

        admin.add_family("t", "g")
        table.put("000", {"g:x": b"1"})
        admin.drop_family("t", "g")
        with pytest.raises(NoSuchFamilyError):
            table.put("000", {"g:x": b"2"})

        admin.flush("t")
        admin.split("t", "150")
        eventually(lambda: len(admin.regions("t")) == 2, "two daughters")
        assert table.scan().count() == 300
        table.delete("001")
        admin.flush("t")
        admin.compact("t", major=True)
        assert table.scan().count() == 299
        parent_gone = cluster.root / "data/default/t"
        eventually(
            lambda: len([one for one in parent_gone.iterdir() if one.is_dir()]) == 2,
            "the parent was archived when its daughters referred to it no more",
            timeout_s=40,
        )
        assert table.scan().count() == 299

        admin.merge("t")
        assert len(admin.regions("t")) == 1
        assert table.scan().count() == 299
        table.put("150", {"f:n": b"merged"})
        assert table.get("150")["f:n"] == b"merged"

        admin.disable_table("t")
        admin.delete_table("t")
        with pytest.raises(TableNotFoundError):
            table.get("002")


def test_the_balancer_spreads_what_was_piled_up_and_says_why(start: Start) -> None:
    cluster = start(region_servers=2, master__balancer_period_s="3600")
    with connect(cluster.addresses()) as connection:
        admin = connection.admin
        admin.create_table("t", ["f"], splits=["2", "4", "6", "8"])
        admin.move("t", admin.status().servers[0].name)
        dry = admin.balance(dry_run=True)
        assert dry.moves_calculated > 0 == dry.moves_executed
        assert admin.set_balancer(False)
        assert not admin.balance()
        admin.set_balancer(True)
        result = admin.balance()
        assert result.moves_executed == result.moves_calculated
        assert result.decision is not None
        assert all("falls from" in move for move in result.decision.moves)
        counts = [one.regions for one in admin.status().servers]
        assert max(counts) - min(counts) <= 1
        assert cluster.status()["last_balanced"][0]["reason"] in result.decision.moves[0]
        assert admin.balance().moves_calculated == 0


def test_a_command_of_another_version_is_refused(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = start(region_servers=1)
    cluster.check_version()
    monkeypatch.setattr(ray_cluster_module, "__version__", "99.0")
    with pytest.raises(ClusterError, match=r"runs raybase .*, this is 99\.0"):
        cluster.check_version()
