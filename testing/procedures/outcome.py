"""What a run leaves behind, in lines that are equal when a user could not tell two runs apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Self

from ...actors.archiver import NOT_STORES
from ...actors.log_writer import WALS
from ...actors.meta_rows import RegionRow, parse
from ...actors.store_io import ARCHIVE, load_manifest
from ...model import META_REGION, RegionInfo
from ...rpc import schema
from ...runtime import FileSystem
from ...storage.manifest import Manifest, StoreFileEntry
from .cluster import FakeCluster


@dataclass(frozen=True, slots=True)
class Before:
    """How it was when the scenario began."""

    opened: dict[str, int]
    """Encoded name of a region to the sequence id at which it was opened."""

    @classmethod
    def of(cls, cluster: FakeCluster) -> Self:
        nodes = cluster.term.assignment.regions()
        return cls({one.info.encoded_name: one.open_sequence_id for one in nodes})


class Names:
    """Names for regions that do not depend on when they were made.

    Of regions with the same range the older one has the lower number.
    """

    def __init__(self, cluster: FakeCluster) -> None:
        known: dict[str, RegionInfo] = {}
        for columns in cluster.meta.values():
            for _, _, value in columns.get((b"info", b"regioninfo"), ()):
                if value:
                    info = schema.region_info_from_cell(value)
                    known[info.encoded_name] = info
        ages: Counter[str] = Counter()
        self._names = {META_REGION.encoded_name: "hbase:meta"}
        for info in sorted(known.values(), key=lambda one: one.region_id):
            bounds = f"{info.table}[{info.start_key!r},{info.end_key!r})"
            self._names[info.encoded_name] = f"{bounds}#{ages[bounds]}"
            ages[bounds] += 1

    def of(self, encoded: str) -> str:
        return self._names.get(encoded, "a region that hbase:meta never had")

    def of_all(self, infos: tuple[RegionInfo, ...]) -> list[str]:
        return [self.of(one.encoded_name) for one in infos]

    def of_file(self, path: str) -> str:
        *_, encoded, family, _ = path.split("/")
        return f"{self.of(encoded)}/{family}"


def outcome(cluster: FakeCluster, before: Before) -> tuple[str, ...]:
    """Tables, rows of hbase:meta, manifests, files: all that is left, sorted."""
    lines = cluster.on_master(_lines(cluster, before))
    assert lines is not None
    return tuple(sorted(lines))


async def _lines(cluster: FakeCluster, before: Before) -> list[str]:
    names = Names(cluster)
    content = parse(cluster.meta_cells())
    files = cluster.simulation.runtime_for(cluster.master).files
    lines = [f"table {one.name} {one.state.name} {one.descriptor}" for one in content.tables]
    lines += [f"namespace {one.name} {one.configuration}" for one in content.namespaces]
    lines += [f"data/{name}" for name in await files.list("data")]
    for row in content.regions:
        manifest = await load_manifest(files, row.info)
        lines += [_region(names, row), _manifest(cluster, names, row, manifest, before)]
    for top in ("data", f"{ARCHIVE}/data"):
        for directory in await _region_directories(files, top):
            lines.append(f"{top}: {names.of(directory.rpartition('/')[2])}")
            count = Counter(names.of_file(path) for path in await _store_files(files, directory))
            lines += [f"{top}: {number} of {name}" for name, number in count.items()]
    servers = await files.list(WALS)
    lines.append(f"{len(servers)} servers have logs")
    return lines


def _region(names: Names, row: RegionRow) -> str:
    flags = f"offline={row.info.offline} split={row.info.split}"
    kin = f"daughters={names.of_all(row.daughters)} parents={names.of_all(row.merge_parents)}"
    return f"region {names.of(row.info.encoded_name)} {row.state} {flags} {kin}"


def _manifest(
    cluster: FakeCluster, names: Names, row: RegionRow, manifest: Manifest | None, before: Before
) -> str:
    encoded = row.info.encoded_name
    if manifest is None:
        return f"no manifest of {names.of(encoded)}"
    node = cluster.term.assignment.region(encoded)
    owner = "owner as in hbase:meta" if manifest.owner == str(row.server) else "no owner"
    known = node is not None and node.open_sequence_id == manifest.open_sequence_id
    again = manifest.open_sequence_id > before.opened.get(encoded, 0)
    entries = sorted(_file(names, entry) for entry in manifest.files)
    families = sorted(manifest.flushed)
    return (
        f"manifest of {names.of(encoded)}: {owner}, opened again={again}, master knows={known}, "
        f"{families}, {entries}"
    )


def _file(names: Names, entry: StoreFileEntry) -> str:
    return f"{names.of_file(entry.path)} {entry.lower!r}..{entry.upper!r}"


async def _region_directories(files: FileSystem, top: str) -> list[str]:
    tables = [
        f"{top}/{namespace}/{table}"
        for namespace in await files.list(top)
        for table in await files.list(f"{top}/{namespace}")
    ]
    return [f"{table}/{region}" for table in tables for region in await files.list(table)]


async def _store_files(files: FileSystem, directory: str) -> list[str]:
    families = [one for one in await files.list(directory) if one not in NOT_STORES]
    return [
        f"{directory}/{family}/{name}"
        for family in families
        for name in await files.list(f"{directory}/{family}")
    ]
