from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from raybase.actors.assignment import RegionNode
from raybase.actors.janitor import Cleaned, Janitor
from raybase.actors.procedures.merge import MergeProcedure
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import CreateTableProcedure
from raybase.actors.store_io import load_manifest, put_manifest
from raybase.config import ClusterConfig
from raybase.errors import IllegalArgumentError, MergeRegionError, ServerNotRunningError
from raybase.model import RegionInfo, ServerName
from raybase.runtime import FileSystem
from raybase.storage.manifest import (
    NonceFileEntry,
    StoreFileEntry,
    family_directory,
    region_directory,
)
from raybase.testing.files import SimFiles
from raybase.testing.procedures.cluster import FakeCluster, table

T = table()


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    one.perform(CreateTableProcedure(table=T.name, descriptor=T))
    yield one
    one.close()


def files(cluster: FakeCluster) -> FileSystem:
    return cluster.simulation.runtime_for(cluster.master).files


def clean(cluster: FakeCluster) -> Cleaned:
    cleaned = cluster.on_master(cluster.term.janitor.run())
    assert cleaned is not None
    cluster.settle()
    return cleaned


def exists(cluster: FakeCluster, path: str) -> bool:
    return bool(cluster.on_master(files(cluster).exists(path)))


def write(cluster: FakeCluster, path: str) -> str:
    cluster.on_master(files(cluster).write(path, [b"data"]))
    return path


def refer(cluster: FakeCluster, region: RegionInfo, *paths: str) -> None:
    """Makes a region's files be these."""

    async def commit() -> None:
        manifest = await load_manifest(files(cluster), region)
        assert manifest is not None
        entries = tuple(
            StoreFileEntry(family=b"f", path=path, size=4, entries=1, max_sequence_id=1)
            for path in paths
        )
        assert await put_manifest(files(cluster), replace(manifest.next(), files=entries))

    cluster.on_master(commit())


def split(cluster: FakeCluster) -> tuple[RegionNode, list[RegionNode], str]:
    """A split parent with a file, its daughters, which refer to it, and the file."""
    (parent,) = cluster.term.assignment.regions_of(T.name)
    path = write(cluster, f"{family_directory(parent.info, b'f')}/aa")
    refer(cluster, parent.info, path)
    cluster.perform(SplitProcedure(region=parent.info, row=b"m"))
    nodes = cluster.term.assignment.regions_of(T.name)
    return parent, [one for one in nodes if one is not parent], path


def test_a_split_parent_stays_while_a_daughter_refers_to_it(cluster: FakeCluster) -> None:
    parent, (lower, upper), path = split(cluster)
    clean(cluster)
    refer(cluster, lower.info)
    clean(cluster)
    assert cluster.term.assignment.region(parent.info.encoded_name) is parent
    assert exists(cluster, path)
    refer(cluster, upper.info)
    clean(cluster)
    assert cluster.term.assignment.region(parent.info.encoded_name) is None
    assert not exists(cluster, region_directory(parent.info))
    assert exists(cluster, f"archive/{path}")
    cluster.check()


def test_a_manifest_that_cannot_be_read_keeps_everything(cluster: FakeCluster) -> None:
    parent, daughters, path = split(cluster)
    for one in daughters:
        refer(cluster, one.info)
    manifest = f"{region_directory(daughters[0].info)}/manifest/{99:020d}"
    write(cluster, manifest)
    stray = write(cluster, f"{family_directory(daughters[1].info, b'f')}/stray")
    cluster.on_master(cluster.term.janitor.run())
    cluster.on_master(cluster.term.janitor.run())
    assert exists(cluster, path)
    assert exists(cluster, stray)
    assert cluster.term.assignment.region(parent.info.encoded_name) is parent


def test_a_file_nobody_knows_goes_when_it_was_seen_twice(cluster: FakeCluster) -> None:
    (node,) = cluster.term.assignment.regions_of(T.name)
    directory = family_directory(node.info, b"f")
    known, stray = (write(cluster, f"{directory}/{name}") for name in ("known", "stray"))
    refer(cluster, node.info, known)
    assert clean(cluster).strays == 0
    assert exists(cluster, stray)
    assert clean(cluster).strays == 1
    assert exists(cluster, known)
    assert exists(cluster, f"archive/{stray}")


def test_a_file_of_nonces_goes_when_no_manifest_names_it(cluster: FakeCluster) -> None:
    (node,) = cluster.term.assignment.regions_of(T.name)
    directory = f"{region_directory(node.info)}/nonces"
    known, stray = (write(cluster, f"{directory}/{name}") for name in ("known", "stray"))
    old = write(cluster, f"archive/{directory}/old")

    async def name_it() -> None:
        manifest = await load_manifest(files(cluster), node.info)
        assert manifest is not None
        named = (NonceFileEntry(known, 1, 0, 0), NonceFileEntry(f"{directory}/old", 1, 0, 0))
        assert await put_manifest(files(cluster), manifest.next(nonce_files=named))

    cluster.on_master(name_it())
    clean(cluster)
    clean(cluster)
    assert exists(cluster, known)
    assert exists(cluster, f"archive/{stray}")
    cluster.on_master(quick(cluster).run())
    assert exists(cluster, old)
    assert not exists(cluster, f"archive/{stray}")


def test_a_file_that_was_just_being_made_stays(cluster: FakeCluster) -> None:
    (node,) = cluster.term.assignment.regions_of(T.name)
    path = write(cluster, f"{family_directory(node.info, b'f')}/flushing")
    clean(cluster)
    refer(cluster, node.info, path)
    assert clean(cluster).strays == 0
    assert exists(cluster, path)


def test_a_file_that_its_owner_is_at_work_on_stays_however_old_it_is(cluster: FakeCluster) -> None:
    (node,) = cluster.term.assignment.regions_of(T.name)
    path = write(cluster, f"{family_directory(node.info, b'f')}/flushing")
    cluster.writing.append(path)
    for _ in range(4):
        assert clean(cluster).strays == 0
    refer(cluster, node.info, path)
    assert exists(cluster, path)


def test_the_files_of_an_owner_that_does_not_live_stay(cluster: FakeCluster) -> None:
    (node,) = cluster.term.assignment.regions_of(T.name)
    path = write(cluster, f"{family_directory(node.info, b'f')}/flushing")

    async def disown() -> None:
        manifest = await load_manifest(files(cluster), node.info)
        assert manifest is not None
        await put_manifest(files(cluster), replace(manifest.next(), owner="h,1,1"))

    cluster.on_master(disown())
    for _ in range(3):
        assert clean(cluster).strays == 0
    assert exists(cluster, path)


def test_a_file_that_a_region_names_as_it_is_given_up_stays(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the files and that at the manifest the last flush was committed."""
    (node,) = cluster.term.assignment.regions_of(T.name)
    path = write(cluster, f"{family_directory(node.info, b'f')}/flushing")
    clean(cluster)
    given_up = Janitor._given_up

    async def closed(self: Janitor, directory: str, paths: list[str]) -> list[str]:
        manifest = await load_manifest(files(cluster), node.info)
        assert manifest is not None
        entry = StoreFileEntry(family=b"f", path=path, size=4, entries=1, max_sequence_id=1)
        last = replace(manifest.next(), owner="", files=(entry,))
        assert await put_manifest(files(cluster), last)
        return await given_up(self, directory, paths)

    monkeypatch.setattr(Janitor, "_given_up", closed)
    assert clean(cluster).strays == 0
    assert exists(cluster, path)


def test_a_region_directory_nobody_knows_is_archived(cluster: FakeCluster) -> None:
    path = write(cluster, "data/default/t/0123456789abcdef0123456789abcdef/f/left")
    clean(cluster)
    clean(cluster)
    assert exists(cluster, f"archive/{path}")


def quick(cluster: FakeCluster) -> Janitor:
    """A janitor for whom everything is old at once."""
    config: ClusterConfig = cluster.config
    master = replace(config.master, archive_ttl_s=0.0, old_wal_ttl_s=0.0)
    environment = replace(cluster.term.environment, config=replace(config, master=master))
    environment.executor = cluster.term.executor
    return Janitor(environment)


def test_an_archived_file_stays_while_a_manifest_names_it(cluster: FakeCluster) -> None:
    (node,) = cluster.term.assignment.regions_of(T.name)
    directory = family_directory(node.info, b"f")
    for name in ("needed", "done"):
        write(cluster, f"archive/{directory}/{name}")
    refer(cluster, node.info, f"{directory}/needed")
    cleaned = cluster.on_master(quick(cluster).run())
    assert cleaned is not None
    assert cleaned.archived == 1
    assert exists(cluster, f"archive/{directory}/needed")


def test_the_archive_keeps_files_for_their_time(cluster: FakeCluster) -> None:
    path = write(cluster, "archive/data/default/t/0123456789abcdef0123456789abcdef/f/old")
    log = write(cluster, "oldWALs/s,1,1/1")
    clean(cluster)
    assert exists(cluster, path)
    ttl_s = max(cluster.config.master.archive_ttl_s, cluster.config.master.old_wal_ttl_s)
    until_s = cluster.simulation.now_s + ttl_s + 1
    cluster.run_until(lambda: cluster.simulation.now_s > until_s, ttl_s + 100)
    clean(cluster)
    assert not exists(cluster, path)
    assert not exists(cluster, log)


class Unsure:
    """Cannot say what it holds of the old logs."""

    name = "unsure"
    area = "oldWALs"

    async def look(self) -> None:
        raise OSError("do not know")

    def holds(self, path: str) -> bool:
        raise AssertionError("nobody who cannot say is asked")


def test_a_holder_that_cannot_say_keeps_all_of_its_area(cluster: FakeCluster) -> None:
    log = write(cluster, "oldWALs/s,1,1/1")
    file = write(cluster, "archive/data/default/t/0123456789abcdef0123456789abcdef/f/old")
    janitor = quick(cluster)
    janitor.add_holder(Unsure())
    cluster.on_master(janitor.run())
    assert exists(cluster, log)
    assert not exists(cluster, file)


def test_what_an_open_scanner_reads_stays(cluster: FakeCluster) -> None:
    directory = "data/default/t/0123456789abcdef0123456789abcdef/f"
    for name in ("read", "done"):
        write(cluster, f"archive/{directory}/{name}")
    cluster.scanned = [f"{directory}/read"]
    cluster.on_master(quick(cluster).run())
    assert exists(cluster, f"archive/{directory}/read")
    assert not exists(cluster, f"archive/{directory}/done")
    cluster.scanned = []
    cluster.on_master(quick(cluster).run())
    assert not exists(cluster, f"archive/{directory}/read")


def test_the_archive_stays_while_a_server_does_not_say_what_its_scanners_read(
    cluster: FakeCluster,
) -> None:
    file = write(cluster, "archive/data/default/t/0123456789abcdef0123456789abcdef/f/old")
    log = write(cluster, "oldWALs/s,1,1/1")

    async def no_answer() -> object:
        raise ServerNotRunningError("busy")

    cluster.fake(cluster.live()[0]).scanned_files = no_answer  # type: ignore[method-assign, assignment]
    cluster.on_master(quick(cluster).run())
    assert exists(cluster, file)
    assert not exists(cluster, log), "no scanner reads a log"


def test_logs_of_a_server_that_is_being_recovered_stay(cluster: FakeCluster) -> None:
    log, other = (write(cluster, f"oldWALs/s,1,{number}/1") for number in (1, 2))
    cluster.term.servers.begin_recovery(ServerName("s", 1, 1))
    cluster.on_master(quick(cluster).run())
    assert exists(cluster, log)
    assert not exists(cluster, other)
    cluster.term.servers.end_recovery(ServerName("s", 1, 1))
    cluster.on_master(quick(cluster).run())
    assert not exists(cluster, log)


def merged(cluster: FakeCluster) -> tuple[list[RegionInfo], RegionNode, str]:
    """What a region was merged from, the region, and a file of theirs that it refers to."""
    _, daughters, _ = split(cluster)
    for one in daughters:
        refer(cluster, one.info)
    clean(cluster)
    infos = [one.info for one in daughters]
    path = write(cluster, f"{family_directory(infos[1], b'f')}/bb")
    refer(cluster, infos[1], path)
    cluster.perform(MergeProcedure(regions=tuple(infos)))
    (node,) = cluster.term.assignment.regions_of(T.name)
    return infos, node, path


def test_what_a_region_was_merged_from_stays_while_it_refers_to_it(cluster: FakeCluster) -> None:
    parents, node, path = merged(cluster)
    clean(cluster)
    clean(cluster)
    assert exists(cluster, path)
    refer(cluster, node.info)
    clean(cluster)
    assert not any(exists(cluster, region_directory(one)) for one in parents)
    assert exists(cluster, f"archive/{path}")
    assert node.merge_parents == ()
    cluster.check()


def test_a_region_that_refers_to_what_it_was_merged_from_is_not_merged_again(
    cluster: FakeCluster,
) -> None:
    wide = table("wide")
    cluster.perform(CreateTableProcedure(table=wide.name, descriptor=wide, split_keys=(b"g", b"p")))
    infos = [node.info for node in cluster.term.assignment.regions_of(wide.name)]
    cluster.perform(MergeProcedure(regions=tuple(infos[:2])))
    infos = [node.info for node in cluster.term.assignment.regions_of(wide.name)]
    with pytest.raises(MergeRegionError, match="merged from"):
        cluster.perform(MergeProcedure(regions=tuple(infos)))
    clean(cluster)
    cluster.perform(MergeProcedure(regions=tuple(infos)))
    assert len(cluster.term.assignment.regions_of(wide.name)) == 1


def test_a_hole_is_merged_over_by_force_and_a_region_never(cluster: FakeCluster) -> None:
    wide = table("wide")
    cluster.perform(CreateTableProcedure(table=wide.name, descriptor=wide, split_keys=(b"g", b"p")))
    infos = [node.info for node in cluster.term.assignment.regions_of(wide.name)]
    for forcible in (False, True):
        with pytest.raises(MergeRegionError, match="not neighbours"):
            cluster.perform(MergeProcedure(regions=(infos[0], infos[2]), forcible=forcible))
    cluster.term.assignment.drop_region(infos[1].encoded_name)
    with pytest.raises(MergeRegionError, match="not neighbours"):
        cluster.perform(MergeProcedure(regions=(infos[0], infos[2])))
    cluster.perform(MergeProcedure(regions=(infos[0], infos[2]), forcible=True))
    with pytest.raises(IllegalArgumentError):
        MergeProcedure(regions=(infos[0], infos[0]))


def test_a_later_master_knows_what_a_region_was_merged_from(cluster: FakeCluster) -> None:
    parents, node, path = merged(cluster)
    cluster.elect()
    cluster.settle()
    (again,) = cluster.term.assignment.regions_of(T.name)
    assert again is not node
    assert list(again.merge_parents) == parents
    clean(cluster)
    clean(cluster)
    assert exists(cluster, path)


def test_a_split_region_waits_for_the_parents_it_was_merged_from(cluster: FakeCluster) -> None:
    _, node, path = merged(cluster)
    cluster.perform(SplitProcedure(region=node.info, row=b"m"))
    daughters = [one for one in cluster.term.assignment.regions_of(T.name) if one is not node]
    refer(cluster, daughters[0].info)
    refer(cluster, daughters[1].info, path)
    refer(cluster, node.info)
    clean(cluster)
    assert exists(cluster, path)
    assert cluster.term.assignment.region(node.info.encoded_name) is node
    refer(cluster, daughters[1].info)
    clean(cluster)
    clean(cluster)
    assert exists(cluster, f"archive/{path}")
    assert cluster.term.assignment.region(node.info.encoded_name) is None
    cluster.check()


# -- what HBase once got wrong -------------------------------------------------------------


def broken(cluster: FakeCluster, info: RegionInfo, error: str) -> None:
    """From now on the region's manifest is damaged, unreadable or missing."""
    directory = f"{region_directory(info)}/manifest"
    if error == "damaged":
        write(cluster, f"{directory}/{99:020d}")
    elif error == "missing":
        cluster.on_master(files(cluster).remove(directory))
    else:
        real = SimFiles.read

        async def read(self: SimFiles, path: str, *range_: int | None) -> bytes:
            if path.startswith(directory):
                raise OSError("the disk does not answer")
            return await real(self, path, *range_)  # type: ignore[arg-type]

        SimFiles.read = read  # type: ignore[method-assign, assignment]


@pytest.fixture
def mended() -> Iterator[None]:
    real = SimFiles.read
    yield
    SimFiles.read = real  # type: ignore[method-assign]


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("error", ["damaged", "missing", "unreadable"])
def test_hbase_27579_an_error_while_references_are_looked_for_keeps_the_parents(
    cluster: FakeCluster, error: str
) -> None:
    parents, node, path = merged(cluster)
    refer(cluster, node.info)
    broken(cluster, node.info, error)
    for _ in range(3):
        cluster.on_master(cluster.term.janitor.run())
        cluster.settle()
    assert exists(cluster, path)
    assert list(node.merge_parents) == parents
    assert not cluster.term.executor.unfinished(), "no procedure hangs, and holds its locks"


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("error", ["damaged", "missing", "unreadable"])
def test_hbase_27579_for_a_split_parent(cluster: FakeCluster, error: str) -> None:
    parent, daughters, path = split(cluster)
    for one in daughters:
        refer(cluster, one.info)
    broken(cluster, daughters[1].info, error)
    for _ in range(3):
        cluster.on_master(cluster.term.janitor.run())
        cluster.settle()
    assert exists(cluster, path)
    assert cluster.term.assignment.region(parent.info.encoded_name) is parent
    assert not cluster.term.executor.unfinished()


def test_hbase_23044_only_the_parents_of_the_region_that_is_clean_go(cluster: FakeCluster) -> None:
    wide = table("wide")
    keys = (b"c", b"g", b"p")
    cluster.perform(CreateTableProcedure(table=wide.name, descriptor=wide, split_keys=keys))
    infos = [node.info for node in cluster.term.assignment.regions_of(wide.name)]
    paths = [write(cluster, f"{family_directory(info, b'f')}/file") for info in infos]
    for info, path in zip(infos, paths, strict=True):
        refer(cluster, info, path)
    cluster.perform(MergeProcedure(regions=tuple(infos[:2])))
    cluster.perform(MergeProcedure(regions=tuple(infos[2:])))
    left, right = cluster.term.assignment.regions_of(wide.name)
    refer(cluster, left.info)
    clean(cluster)
    assert left.merge_parents == ()
    assert not any(exists(cluster, region_directory(info)) for info in infos[:2])
    assert list(right.merge_parents) == infos[2:]
    assert all(exists(cluster, path) for path in paths[2:])
    cluster.perform(SplitProcedure(region=left.info, row=b"c"))
    clean(cluster)
    assert all(exists(cluster, path) for path in paths[2:])
