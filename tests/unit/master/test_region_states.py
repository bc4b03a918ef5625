"""States of regions and columns of hbase:meta: HBase's, in HBase's order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from raybase.actors.assignment import RegionNode, TransitionState
from raybase.actors.procedures.merge import CleanMergeParentsProcedure, MergeProcedure
from raybase.actors.procedures.move import MoveProcedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import (
    CreateTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
)
from raybase.model import RegionInfo
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.rpc.schema import region_info_from_cell
from raybase.testing.procedures.cluster import FakeCluster, table

T = table()
AFTER_CREATE = ["CLOSED", "OPENING", "OPEN"]


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    one.perform(CreateTableProcedure(table=T.name, descriptor=T, split_keys=(b"m",)))
    yield one
    one.close()


def nodes(cluster: FakeCluster) -> list[RegionNode]:
    return cluster.term.assignment.regions_of(T.name)


def recorded(cluster: FakeCluster, info: RegionInfo) -> list[str]:
    """What info:state was, one after the other."""
    versions = sorted(cluster.meta[info.name][b"info", b"state"])
    return [value.decode() for _, _, value in versions]


def columns(cluster: FakeCluster, info: RegionInfo) -> dict[str, bytes]:
    """The newest cells of the region's row."""
    cells = cluster.meta_cells().cells()
    return {f"{f.decode()}:{q.decode()}": v for row, f, q, _, _, v in cells if row == info.name}


def test_the_states_are_those_of_hbase() -> None:
    pending = {"PENDING_OPEN", "PENDING_CLOSE"}  # Of HBase 1, kept for old messages.
    assert set(TransitionState) == set(pb.RegionState.State.keys()) - pending


def test_a_region_of_a_new_table_is_closed_opening_and_open(cluster: FakeCluster) -> None:
    first, _ = nodes(cluster)
    assert recorded(cluster, first.info) == AFTER_CREATE


def test_the_row_of_an_open_region_has_hbases_columns(cluster: FakeCluster) -> None:
    first, _ = nodes(cluster)
    row = columns(cluster, first.info)
    assert list(row) == [
        "info:regioninfo",
        "info:seqnumDuringOpen",
        "info:server",
        "info:serverstartcode",
        "info:sn",
        "info:state",
    ]
    assert first.server is not None
    assert region_info_from_cell(row["info:regioninfo"]) == first.info
    assert row["info:server"] == first.server.address.encode()
    assert row["info:serverstartcode"] == first.server.start_code.to_bytes(8, "big")
    assert row["info:seqnumDuringOpen"] == first.open_sequence_id.to_bytes(8, "big")
    assert row["info:sn"] == str(first.server).encode()
    assert row["info:state"] == b"OPEN"


def test_a_table_that_is_disabled_and_enabled_closes_and_opens(cluster: FakeCluster) -> None:
    first, _ = nodes(cluster)
    cluster.perform(DisableTableProcedure(table=T.name))
    cluster.perform(EnableTableProcedure(table=T.name))
    expected = [*AFTER_CREATE, "CLOSING", "CLOSED", "OPENING", "OPEN"]
    assert recorded(cluster, first.info) == expected


def test_a_split_parent_names_its_daughters_which_begin_closed(cluster: FakeCluster) -> None:
    parent, _ = nodes(cluster)
    seen: dict[str, None] = {}

    def look(number: int, before: bool) -> bool:
        seen.update((node.state, None) for node in nodes(cluster))
        return False

    cluster.store.hook = look
    cluster.perform(SplitProcedure(region=parent.info, row=b"c"))
    assert recorded(cluster, parent.info) == [*AFTER_CREATE, "SPLITTING", "SPLIT"]
    row = columns(cluster, parent.info)
    lower, upper = (region_info_from_cell(row[f"info:split{one}"]) for one in "AB")
    assert (lower.start_key, lower.end_key, upper.start_key) == (b"", b"c", b"c")
    flagged = region_info_from_cell(row["info:regioninfo"])
    assert flagged.split
    assert flagged.offline
    for daughter in (lower, upper):
        assert recorded(cluster, daughter) == ["OPENING", "OPEN"]
        (_, _, first), *_ = sorted(cluster.meta[daughter.name][b"info", b"seqnumDuringOpen"])
        assert int.from_bytes(first, "big") == 1
    assert "SPLITTING_NEW" in seen


def test_merged_regions_stand_in_the_row_of_what_they_became(cluster: FakeCluster) -> None:
    parents = nodes(cluster)
    infos = tuple(node.info for node in parents)
    cluster.perform(MergeProcedure(regions=infos))
    for node in parents:
        assert recorded(cluster, node.info) == [*AFTER_CREATE, "MERGING", "CLOSING", "CLOSED"]
        assert not columns(cluster, node.info)
        assert node.state == TransitionState.MERGED
    (merged,) = nodes(cluster)
    row = columns(cluster, merged.info)
    assert [key for key in row if "merge" in key] == ["info:merge0000", "info:merge0001"]
    found = (region_info_from_cell(row[f"info:merge000{number}"]) for number in (0, 1))
    assert tuple(found) == infos
    cluster.compact(merged.info)
    cluster.perform(CleanMergeParentsProcedure(region=merged.info))
    assert "info:merge0000" not in columns(cluster, merged.info)


def test_a_region_that_cannot_be_opened_says_so_to_every_master(cluster: FakeCluster) -> None:
    first, _ = nodes(cluster)
    for name in cluster.live():
        cluster.cannot_open[name] = [first.info.encoded_name]
    cluster.kill_server(cluster.server_at(first.info))
    cluster.run_until(lambda: first.state == TransitionState.FAILED_OPEN)
    assert columns(cluster, first.info)["info:state"] == b"FAILED_OPEN"
    cluster.simulation.end(cluster.master)
    cluster.elect()
    cluster.run_until(lambda: hasattr(cluster, "term") and cluster.term.epoch == cluster.epoch)
    cluster.run_until(cluster.term.initialized.is_set)
    first, _ = nodes(cluster)
    assert first.state in (TransitionState.FAILED_OPEN, TransitionState.OPENING)
    assert first in cluster.term.assignment.in_transition()
    cluster.cannot_open.clear()
    cluster.settle_all()
    cluster.check()


def test_a_region_that_cannot_be_closed_is_served_on_and_tried_again(cluster: FakeCluster) -> None:
    first, _ = nodes(cluster)
    encoded = first.info.encoded_name
    cluster.cannot_close.append(encoded)
    cluster.submit(DisableTableProcedure(table=T.name))
    cluster.run_until(lambda: first.state == TransitionState.FAILED_CLOSE)
    assert columns(cluster, first.info)["info:state"] == b"FAILED_CLOSE"
    assert "no room" in first.reason
    assert encoded in cluster.fake(cluster.server_at(first.info)).serves()
    cluster.cannot_close.clear()
    cluster.settle()
    assert columns(cluster, first.info)["info:state"] == b"CLOSED"
    cluster.check()


def test_a_dead_servers_region_is_abnormally_closed_until_it_opens(cluster: FakeCluster) -> None:
    first, _ = nodes(cluster)
    for name in cluster.live():
        cluster.kill_server(name)
    cluster.run_until(lambda: first.state == TransitionState.ABNORMALLY_CLOSED)
    assert "died" in first.reason
    cluster.settle_all()
    assert recorded(cluster, first.info) == [*AFTER_CREATE, "OPENING", "OPEN"]
    cluster.check()


def test_a_region_that_moves_is_open_all_the_while(cluster: FakeCluster) -> None:
    first, _ = nodes(cluster)
    before = first.server
    cluster.perform(MoveProcedure(region=first.info))
    assert recorded(cluster, first.info) == [*AFTER_CREATE, "OPEN"]
    assert columns(cluster, first.info)["info:sn"] == str(first.server).encode()
    assert first.server != before
