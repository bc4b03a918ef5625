"""Each kind of damage to the files of a stopped cluster: named, and mended or refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from damaged_cluster import ROWS, DamagedCluster

from raybase.actors import meta_rows
from raybase.actors.fsck.finding import Kind
from raybase.actors.master import Master
from raybase.actors.store_io import archive_path, put_manifest
from raybase.model import META_REGION, RegionInfo
from raybase.storage.manifest import (
    Manifest,
    NonceFileEntry,
    manifest_directory,
    region_directory,
)
from raybase.storage.nonce_table import NonceTable, run_of


def file_of(cluster: DamagedCluster, start_key: bytes = b"g") -> str:
    (entry,) = cluster.manifest(cluster.region(start_key)).files
    return entry.path


def commit(cluster: DamagedCluster, manifest: Manifest) -> None:
    assert cluster.run(put_manifest(cluster.files, manifest))


def forget_row(cluster: DamagedCluster, info: RegionInfo) -> None:
    """hbase:meta loses the region, and so does the master."""

    async def forget(master: Master) -> None:
        environment = master.term.environment
        await environment.meta.write([meta_rows.region_delete(info, environment.meta.next_ms())])
        environment.assignment.drop_region(info.encoded_name)

    cluster.on_master(forget)


def test_a_sound_cluster_is_called_sound(cluster: DamagedCluster) -> None:
    cluster.stop()
    assert cluster.fsck(stopped=True)
    assert cluster.told("0 problems, 0 pieces of garbage in 4 regions")


def test_what_only_the_log_of_hbase_meta_has_is_read(cluster: DamagedCluster) -> None:
    """Nothing of hbase:meta was flushed: without its log there would be no table."""
    assert not cluster.manifest(META_REGION).files
    cluster.stop()
    report = cluster.look()
    assert report.regions == 4
    assert report.cells == len(ROWS)


def damaged_block(cluster: DamagedCluster) -> None:
    path = file_of(cluster)
    cluster.stop()
    cluster.flip(path)


def cut_file(cluster: DamagedCluster) -> None:
    path = file_of(cluster)
    cluster.stop()
    del cluster.simulation.disk.file(path).data[-5:]


def lost_file(cluster: DamagedCluster) -> None:
    path = file_of(cluster)
    cluster.stop()
    cluster.run(cluster.files.remove(path))


def damaged_manifest(cluster: DamagedCluster) -> None:
    manifest = cluster.manifest(cluster.region(b"g"))
    cluster.stop()
    cluster.flip(manifest.path)


def strange_manifest(cluster: DamagedCluster) -> None:
    manifest = cluster.manifest(cluster.region(b"g"))
    cluster.stop()
    narrow = replace(manifest.region, end_key=b"h")
    commit(cluster, manifest.next(region=narrow))


def damaged_log(cluster: DamagedCluster) -> None:
    """In its first record, which later batches call durable."""
    cluster.stop()
    cluster.flip(longest_log(cluster, meta=False), 60)


def damaged_meta_log(cluster: DamagedCluster) -> None:
    cluster.stop()
    cluster.flip(longest_log(cluster, meta=True), 60)


def longest_log(cluster: DamagedCluster, *, meta: bool) -> str:
    logs = {
        path: len(node.data)
        for path, node in cluster.simulation.disk.walk("WALs")
        if ("/meta." in path) is meta
    }
    return max(logs, key=lambda path: logs[path])


def lost_meta(cluster: DamagedCluster) -> None:
    cluster.stop()
    cluster.run(cluster.files.remove(manifest_directory(META_REGION)))


def lost_row(cluster: DamagedCluster) -> None:
    """The region's files are gone, too."""
    info = cluster.region(b"g")
    forget_row(cluster, info)
    cluster.stop()
    cluster.run(cluster.files.remove(region_directory(info)))


def second_region(cluster: DamagedCluster) -> None:
    info = cluster.region(b"g")
    other = RegionInfo(info.table, b"h", b"k", info.region_id + 5)

    async def write(master: Master) -> None:
        meta = master.term.environment.meta
        await meta.write([meta_rows.region_put(other, "CLOSED", meta.next_ms())])

    cluster.on_master(write)
    cluster.stop()


def orphaned_reference(cluster: DamagedCluster) -> None:
    manifest = cluster.manifest(cluster.region(b"g"))
    (entry,) = manifest.files
    cluster.stop()
    stranger = entry.path.replace(manifest.region.encoded_name, "0" * 32)
    cluster.run(cluster.files.rename(entry.path, stranger))
    commit(cluster, manifest.next(files=(replace(entry, path=stranger),)))


def unknown_table(cluster: DamagedCluster) -> None:
    manifest = cluster.manifest(cluster.region(b"g"))
    cluster.stop()
    other = replace(manifest.region, table=replace(manifest.region.table, qualifier="u"))
    commit(cluster, Manifest(version=1, region=other))


def nonces_of(cluster: DamagedCluster) -> NonceFileEntry:
    """A file of one nonce that a region's manifest names."""
    manifest = cluster.manifest(cluster.region(b"g"))
    cluster.stop()
    entry = NonceFileEntry(f"{region_directory(manifest.region)}/nonces/1", 1, 0, 0)
    cluster.run(
        cluster.files.write(entry.path, list(NonceTable(entry, run_of([(1, 2, 3)])).pieces()))
    )
    commit(cluster, manifest.next(nonce_files=(entry,)))
    return entry


def damaged_nonces(cluster: DamagedCluster) -> None:
    cluster.flip(nonces_of(cluster).path)


def lost_nonces(cluster: DamagedCluster) -> None:
    cluster.run(cluster.files.remove(nonces_of(cluster).path))


REFUSED: list[tuple[Callable[[DamagedCluster], None], Kind, str]] = [
    (damaged_block, Kind.FILE_DAMAGED, "from a backup"),
    (cut_file, Kind.FILE_DAMAGED, "from a backup"),
    (damaged_nonces, Kind.FILE_DAMAGED, "from a backup"),
    (lost_nonces, Kind.FILE_MISSING, "its bytes are nowhere"),
    (lost_file, Kind.FILE_MISSING, "its bytes are nowhere"),
    (damaged_manifest, Kind.MANIFEST_DAMAGED, "an older version may lack files"),
    (strange_manifest, Kind.MANIFEST_DIFFERS, "another region's directory"),
    (damaged_log, Kind.LOG_DAMAGED, "what follows the damage would be lost"),
    (damaged_meta_log, Kind.META_UNREADABLE, "needed for everything else"),
    (lost_meta, Kind.META_UNREADABLE, "needed for everything else"),
    (lost_row, Kind.HOLE, "merge_region"),
    (second_region, Kind.OVERLAP, "for you to say"),
    (orphaned_reference, Kind.REFERENCE_ORPHANED, "major compaction"),
]


@pytest.mark.parametrize(
    ("damage", "kind", "why"), REFUSED, ids=lambda one: getattr(one, "__name__", "")[:30]
)
def test_what_cannot_be_mended_is_named_and_left_as_it_is(
    cluster: DamagedCluster, damage: Callable[[DamagedCluster], None], kind: Kind, why: str
) -> None:
    damage(cluster)
    before = {path: bytes(node.data) for path, node in cluster.simulation.disk.walk("data")}
    assert not cluster.fsck(stopped=True, repair=True)
    cluster.assert_named(kind)
    assert cluster.told("left as it is", why), cluster.said
    after = {path: bytes(node.data) for path, node in cluster.simulation.disk.walk("data")}
    assert after == before


def test_files_of_an_unknown_table_are_garbage_for_a_person(cluster: DamagedCluster) -> None:
    unknown_table(cluster)
    assert cluster.fsck(stopped=True, repair=True)
    cluster.assert_named(Kind.TABLE_UNKNOWN)
    assert cluster.told("left as it is", "if the table was deleted")


def test_a_needed_file_comes_back_from_the_archive(cluster: DamagedCluster) -> None:
    path = file_of(cluster)
    cluster.stop()
    cluster.run(cluster.files.rename(path, archive_path(path)))
    assert not cluster.fsck(stopped=True)
    cluster.assert_named(Kind.FILE_ARCHIVED, path)
    assert cluster.told("--repair mends it", "I6")
    assert not cluster.exists(path)
    assert cluster.fsck(stopped=True, repair=True)
    assert cluster.told("mended", path)
    assert cluster.fsck(stopped=True, repair=True)
    assert not cluster.told("mended")
    cluster.start()
    assert cluster.rows() == ROWS


def test_nonces_are_read_where_their_region_left_them(cluster: DamagedCluster) -> None:
    entry = nonces_of(cluster)
    assert cluster.fsck(stopped=True, repair=True)
    assert cluster.told("0 pieces of garbage")
    cluster.run(cluster.files.rename(entry.path, archive_path(entry.path)))
    assert cluster.fsck(stopped=True, repair=True)
    cluster.start()
    assert cluster.rows() == ROWS


def test_a_file_nobody_names_goes_to_the_archive(cluster: DamagedCluster) -> None:
    path = file_of(cluster).rpartition("/")[0] + "/stray"
    cluster.stop()
    cluster.write(path)
    assert cluster.fsck(stopped=True)
    cluster.assert_named(Kind.FILE_UNUSED, path)
    assert cluster.exists(path)
    assert cluster.fsck(stopped=True, repair=True)
    assert cluster.exists(archive_path(path))
    assert not cluster.exists(path)
    assert cluster.fsck(stopped=True)
    assert cluster.told("0 pieces of garbage")


def left_over(cluster: DamagedCluster) -> tuple[RegionInfo, str]:
    """A daughter of a split that was undone, with a file of its own."""
    manifest = cluster.manifest(cluster.region(b"g"))
    (entry,) = manifest.files
    cluster.stop()
    daughter = RegionInfo(manifest.region.table, b"g", b"k", manifest.region.region_id + 1)
    path = f"{region_directory(daughter)}/f/own"
    cluster.write(path)
    own = replace(entry, path=path)
    commit(cluster, Manifest(version=1, region=daughter, files=(entry, own)))
    return daughter, path


def test_the_directory_of_a_split_undone_goes_to_the_archive(cluster: DamagedCluster) -> None:
    daughter, path = left_over(cluster)
    assert cluster.fsck(stopped=True)
    cluster.assert_named(Kind.REGION_UNUSED, daughter.encoded_name)
    assert cluster.fsck(stopped=True, repair=True)
    assert not cluster.exists(region_directory(daughter))
    assert cluster.exists(archive_path(path))
    cluster.start()
    assert cluster.rows() == ROWS


def test_a_directory_with_edits_nobody_replayed_is_not_archived(cluster: DamagedCluster) -> None:
    daughter, path = left_over(cluster)
    cluster.write(f"{region_directory(daughter)}/recovered.edits/1-s,1,1-1")
    cluster.fsck(stopped=True, repair=True)
    assert cluster.told("not mended", "nobody has replayed")
    assert cluster.exists(path)


def test_nothing_is_archived_while_a_manifest_cannot_be_read(cluster: DamagedCluster) -> None:
    stray = file_of(cluster).rpartition("/")[0] + "/stray"
    manifest = cluster.manifest(cluster.region(b""))
    cluster.stop()
    cluster.write(stray)
    cluster.flip(manifest.path)
    assert not cluster.fsck(stopped=True, repair=True)
    assert cluster.told("not mended", "manifest cannot be read")
    assert cluster.exists(stray)


def test_what_takes_a_master_is_left_to_a_running_cluster(cluster: DamagedCluster) -> None:
    forget_row(cluster, cluster.region(b"g"))
    cluster.stop()
    assert not cluster.fsck(stopped=True, repair=True)
    cluster.assert_named(Kind.REGION_UNKNOWN)
    assert cluster.told("start the cluster, then repair")


def test_a_root_that_comes_into_use_is_refused(cluster: DamagedCluster) -> None:
    from raybase.errors import ClusterError

    with pytest.raises(ClusterError, match="come into use"):
        cluster.fsck(stopped=True)
