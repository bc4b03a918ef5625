"""What goes wrong in a running cluster: named, and mended by the master's procedures."""

from __future__ import annotations

import pytest
from damaged_cluster import ROWS, DamagedCluster
from test_stopped import forget_row

from raybase.actors.fsck.check import Fsck
from raybase.actors.fsck.finding import Kind
from raybase.actors.fsck.mends import Act
from raybase.actors.messages import CloseRequest
from raybase.actors.meta_rows import MetaContent, RegionRow, TableRow, TableState
from raybase.actors.store_io import archive_path
from raybase.errors import InvalidRequestError, UnsupportedOperationError
from raybase.model import RegionInfo, ServerName
from raybase.storage.manifest import region_directory


def mend(cluster: DamagedCluster, act: Act, subject: str) -> str:
    return cluster.on_master(lambda master: master.mend(act, subject))


def test_a_sound_cluster_is_called_sound(cluster: DamagedCluster) -> None:
    assert cluster.fsck(repair=True)
    assert cluster.told("0 problems, 0 pieces of garbage in 4 regions")


@pytest.mark.parametrize("still_served", [True, False])
def test_a_region_that_hbase_meta_lost_is_adopted(
    cluster: DamagedCluster, still_served: bool
) -> None:
    info = cluster.region(b"g")
    forget_row(cluster, info)
    if not still_served:
        close(cluster, info)
    assert not cluster.fsck()
    cluster.assert_named(Kind.HOLE)
    cluster.assert_named(Kind.REGION_UNKNOWN)
    assert cluster.told(str(Kind.SERVED_UNKNOWN)) is still_served
    assert cluster.fsck(repair=True), cluster.said
    assert cluster.told("mended", "in hbase:meta again")
    assert cluster.rows() == ROWS
    assert mend(cluster, Act.ADOPT, region_directory(info)).endswith("in hbase:meta again")
    assert cluster.fsck()
    cluster.stop()
    cluster.start()
    assert cluster.rows() == ROWS


def close(cluster: DamagedCluster, info: RegionInfo) -> None:
    """A fault: its server closes the region, and nobody has asked for it."""
    owner = ServerName.parse(cluster.manifest(info).owner)
    process = cluster.cluster.process_of(str(owner))
    assert process is not None
    environment = cluster.master.term.environment
    request = CloseRequest(info.encoded_name, environment.epoch, environment.next_order())
    remote = cluster.simulation.runtime_for("operator").processes.remote(process)
    cluster.run(remote.call("close_region", request))


def test_a_region_that_nobody_serves_is_assigned(cluster: DamagedCluster) -> None:
    info = cluster.region(b"p")
    close(cluster, info)
    assert mend(cluster, Act.ASSIGN, info.encoded_name).startswith(f"{info} was opened at")
    assert mend(cluster, Act.ASSIGN, info.encoded_name) == f"{info} is as it should be"
    assert cluster.fsck()
    assert cluster.rows() == ROWS


def test_a_daughter_that_hbase_meta_lost_is_adopted(cluster: DamagedCluster) -> None:
    cluster.run(cluster.connection.admin.split("t", b"j"))
    daughter = cluster.region(b"j")
    forget_row(cluster, daughter)
    assert not cluster.fsck()
    cluster.assert_named(Kind.DAUGHTER_UNKNOWN)
    cluster.assert_named(Kind.REGION_UNKNOWN)
    assert cluster.fsck(repair=True), cluster.said
    assert cluster.rows() == ROWS


def test_a_daughter_that_was_merged_since_is_not_missed(cluster: DamagedCluster) -> None:
    """Its parent is still there, for the merged region refers to its files."""
    cluster.run(cluster.connection.admin.split("t", b"j"))
    daughters = [cluster.region(b"g"), cluster.region(b"j")]
    cluster.run(cluster.connection.admin.merge(*daughters))
    assert cluster.fsck(), cluster.said
    assert cluster.rows() == ROWS


def dead_log(cluster: DamagedCluster, name: str = "1") -> str:
    """A server nobody remembers left a log: that of a living one, once more."""
    (source, *_) = [
        path for path, _ in cluster.simulation.disk.walk("WALs") if path.endswith(f"/{name}")
    ]
    data = bytes(cluster.simulation.disk.file(source).data)
    cluster.write("WALs/gone,1,1/1", data)
    return "gone,1,1"


def test_the_log_of_a_dead_server_is_split(cluster: DamagedCluster) -> None:
    server = dead_log(cluster)
    assert not cluster.fsck()
    cluster.assert_named(Kind.LOG_UNSPLIT, server)
    assert cluster.fsck(repair=True), cluster.said
    assert not cluster.exists(f"WALs/{server}")
    assert cluster.exists(f"oldWALs/{server}/1")
    mend(cluster, Act.RECOVER, server)
    assert cluster.fsck()
    assert cluster.rows() == ROWS


def test_the_log_of_a_living_server_is_never_fenced(cluster: DamagedCluster) -> None:
    owner = cluster.manifest(cluster.region(b"g")).owner
    with pytest.raises(UnsupportedOperationError, match="lives"):
        mend(cluster, Act.RECOVER, owner)
    assert cluster.rows() == ROWS


def test_garbage_goes_to_the_archive_and_nothing_else(cluster: DamagedCluster) -> None:
    (entry,) = cluster.manifest(cluster.region(b"g")).files
    stray = cluster.write(entry.path.rpartition("/")[0] + "/stray")
    assert cluster.fsck(repair=True)
    assert cluster.told("mended", stray, "I6")
    assert cluster.exists(archive_path(stray))
    mend(cluster, Act.ARCHIVE, stray)
    with pytest.raises(UnsupportedOperationError, match="names it"):
        mend(cluster, Act.ARCHIVE, entry.path)
    with pytest.raises(UnsupportedOperationError, match="no manifest names"):
        mend(cluster, Act.PUT_BACK, stray)
    assert cluster.exists(entry.path)
    assert cluster.rows() == ROWS


def test_a_region_is_not_adopted_over_rows_of_others(cluster: DamagedCluster) -> None:
    (entry,) = cluster.manifest(cluster.region(b"g")).files
    info = cluster.region(b"g")
    forget_row(cluster, info)
    wide = RegionInfo(info.table, b"h", b"q", info.region_id + 1)

    async def plant() -> None:
        from raybase.actors.store_io import put_manifest
        from raybase.storage.manifest import Manifest

        manifest = Manifest(version=1, region=wide, files=(entry,))
        assert await put_manifest(cluster.files, manifest)

    cluster.run(plant())
    with pytest.raises(InvalidRequestError, match="other regions hold rows"):
        mend(cluster, Act.ADOPT, region_directory(wide))
    assert not cluster.fsck(repair=True) or cluster.told("not mended", "other regions hold rows")
    assert cluster.rows() == ROWS


def test_a_region_that_hbase_meta_lost_is_not_garbage_to_the_janitor(
    cluster: DamagedCluster,
) -> None:
    info = cluster.region(b"g")
    (entry,) = cluster.manifest(info).files
    forget_row(cluster, info)
    for _ in range(3):
        cluster.on_master(lambda master: master.run_janitor())
    assert cluster.exists(entry.path)


def test_what_only_one_look_finds_is_not_told(cluster: DamagedCluster) -> None:
    """A cluster at work is never quite still."""
    info = cluster.region(b"g")
    close(cluster, info)

    async def mend_soon() -> None:
        import asyncio

        await asyncio.sleep(0.5)
        runtime = cluster.simulation.runtime_for("mender")
        await runtime.processes.remote("master-1").call("mend", Act.ASSIGN, info.encoded_name)

    cluster.simulation.start("mender", mend_soon())
    assert cluster.fsck()
    assert cluster.told("0 problems")


def test_two_servers_of_a_region_are_named(cluster: DamagedCluster) -> None:
    info = cluster.region(b"g")
    owner = cluster.manifest(info).owner
    table = cluster.run(cluster.connection.admin.describe("t"))
    content = MetaContent(
        (RegionRow(info, "OPEN", ServerName.parse(owner)),),
        (TableRow(table.name, table, TableState.ENABLED),),
        0,
    )
    serving = {owner: [info.encoded_name], "other,1,1": [info.encoded_name]}
    report = cluster.run(Fsck(cluster.files, content, serving, catalog=None).run())
    assert Kind.SERVED_TWICE in [one.kind for one in report.findings]
