"""Whether hbase:meta, the servers and the files tell one story.

What must hold (docs/architecture.md, invariants): the regions of a table tile its key space
(I2); a region has one owner, in its manifest, in hbase:meta and among the servers (I2); every
file a manifest names is there, whole, in order and inside its bounds (I1, I6); a region refers
only to files of regions that hbase:meta knows, so that these are kept (I6); a dead server has
left no log that was not split (I1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ...errors import CorruptionError
from ...model import META_REGION, META_TABLE, RegionInfo
from ...runtime import FileSystem
from ...storage.manifest import Manifest, region_directory
from .. import key_space
from ..meta_rows import MetaContent, RegionRow, TableState
from ..store_io import load_manifest
from .finding import Kind, Report
from .logs import check_archived_logs, check_dead_logs, check_readable
from .root_tree import RegionDirectory, manifest_of, region_directories, store_files
from .store_files import StoreFileCheck

_OPEN: Final = "OPEN"
_SPLIT: Final = "SPLIT"


class Fsck:
    """One look at a quiet cluster, or at the files of a stopped one.

    Args:
        files: the root.
        content: all of hbase:meta.
        serving: server name -> encoded names of the regions it says it serves; None if the
            cluster is stopped, and then no owner is expected to be alive.
        catalog: the region of hbase:meta, to be checked as well; None: there is none.
        store_check: that of an earlier look, which remembers what it found sound.
    """

    def __init__(
        self,
        files: FileSystem,
        content: MetaContent,
        serving: Mapping[str, Sequence[str]] | None,
        *,
        catalog: RegionInfo | None = META_REGION,
        store_check: StoreFileCheck | None = None,
    ) -> None:
        self._files = files
        self._content = content
        self._serving = serving
        self._catalog = catalog
        self._store_check = store_check or StoreFileCheck(files)
        self._named: dict[str, None] = {}
        self._manifests: dict[str, Manifest] = {}
        self._known = {row.info.encoded_name: row for row in content.regions}
        self._kept = self._regions_kept()
        self.report = Report()

    def _regions_kept(self) -> dict[str, RegionInfo]:
        """Whose files are kept while somebody refers to them: those in hbase:meta, and what a
        region there was merged from."""
        infos = [row.info for row in self._content.regions]
        infos += [one for row in self._content.regions for one in row.merge_parents]
        if self._catalog is not None:
            infos.append(self._catalog)
        return {one.encoded_name: one for one in infos}

    async def run(self) -> Report:
        """Reads every byte of every file that belongs to a region."""
        enabled = {row.name for row in self._content.tables if row.state is TableState.ENABLED}
        self._check_tiling()
        if self._catalog is not None:
            await self._check_region(RegionRow(self._catalog, _OPEN), expected_open=True)
        for row in self._content.regions:
            if _is_split(row):
                await self._check_parent(row)
            else:
                expected_open = row.info.table in enabled or row.info.table.is_system
                await self._check_region(row, expected_open=expected_open)
        if self._serving is not None:
            self._check_serving()
            await check_dead_logs(self._files, self._serving, self.report)
            await check_archived_logs(self._files, self._serving, self._manifests, self.report)
        else:
            await check_readable(self._files, self.report)
        await self._check_directories()
        return self.report

    # -- hbase:meta ------------------------------------------------------------------------

    def _of_tables(self) -> dict[str, list[RegionInfo]]:
        tables: dict[str, list[RegionInfo]] = {str(row.name): [] for row in self._content.tables}
        for row in self._content.regions:
            if not _is_split(row):
                tables.setdefault(str(row.info.table), []).append(row.info)
        return tables

    def _check_tiling(self) -> None:
        for table, regions in self._of_tables().items():
            for hole in key_space.holes(regions):
                self.report.add(Kind.HOLE, f"{table} {hole}", f"{table}: nobody holds {hole}")
            for one, other in key_space.overlaps(regions):
                text = f"{table}: {other} begins inside {one}"
                self.report.add(Kind.OVERLAP, other.encoded_name, text)

    # -- regions ---------------------------------------------------------------------------

    async def _check_region(self, row: RegionRow, *, expected_open: bool) -> None:
        self.report.regions += 1
        info = row.info
        manifest = await self._newest(info)
        if manifest is None:
            if row.state == _OPEN and info.encoded_name not in self._damaged():
                text = f"{info} is open and has no manifest"
                self.report.add(Kind.NO_MANIFEST, info.encoded_name, text)
            return
        if (manifest.region.start_key, manifest.region.end_key) != (info.start_key, info.end_key):
            text = f"{info}: its manifest is of {manifest.region}"
            self.report.add(Kind.MANIFEST_DIFFERS, info.encoded_name, text)
        if self._serving is not None and expected_open:
            self._check_owner(row, manifest)
        self._manifests[info.encoded_name] = manifest
        for entry in manifest.files:
            self.report.files += entry.path not in self._named
            self._named[entry.path] = None
            self._check_reference(manifest, entry.path)
            await self._store_check.check(manifest, entry, self.report)
        for nonces in manifest.nonce_files:
            self.report.files += nonces.path not in self._named
            self._named[nonces.path] = None
            await self._store_check.check_nonces(manifest, nonces, self.report)

    def _damaged(self) -> dict[str, None]:
        return {
            one.subject: None for one in self.report.findings if one.kind is Kind.MANIFEST_DAMAGED
        }

    def _check_reference(self, manifest: Manifest, path: str) -> None:
        """Whose file it is must be known, or that region's files could be cleaned away."""
        owner = path.split("/")[-3:-2]
        if owner and owner[0] not in self._kept:
            text = f"{manifest.region} refers to {path} of a region that hbase:meta does not know"
            self.report.add(Kind.REFERENCE_ORPHANED, path, text)

    def _check_owner(self, row: RegionRow, manifest: Manifest) -> None:
        assert self._serving is not None
        encoded, owner = row.info.encoded_name, manifest.owner or "nobody"
        if row.state != _OPEN:
            text = f"{row.info} is {row.state}, not OPEN"
            self.report.add(Kind.NOT_OPEN, encoded, text)
        if manifest.owner not in self._serving:
            text = f"{row.info} belongs to {owner}, which is not alive"
            self.report.add(Kind.OWNER_DEAD, encoded, text)
        if row.info != META_REGION and str(row.server) != manifest.owner:
            text = f"{row.info} is at {row.server} in hbase:meta, at {owner} in its manifest"
            self.report.add(Kind.OWNER_DIFFERS, encoded, text)

    async def _check_parent(self, row: RegionRow) -> None:
        others = self._of_tables().get(str(row.info.table), [])
        for daughter in row.daughters:
            # One that was merged or split since is not there any more; its rows are.
            if not key_space.is_covered(daughter, others):
                text = f"{row.info} was split, but {daughter} is not in hbase:meta"
                self.report.add(Kind.DAUGHTER_UNKNOWN, daughter.encoded_name, text)
        manifest = await self._newest(row.info)
        if manifest is not None:
            self._named.update(dict.fromkeys(manifest.paths))

    def _check_serving(self) -> None:
        assert self._serving is not None
        holders: dict[str, list[str]] = {}
        for server, regions in self._serving.items():
            for encoded in regions:
                holders.setdefault(encoded, []).append(server)
        for encoded, servers in sorted(holders.items()):
            if len(servers) > 1:
                text = f"region {encoded} is served by {' and by '.join(servers)}"
                self.report.add(Kind.SERVED_TWICE, encoded, text)
            if encoded not in self._known and encoded != META_REGION.encoded_name:
                text = f"region {encoded} is served by {servers[0]}, not in hbase:meta"
                self.report.add(Kind.SERVED_UNKNOWN, encoded, text)
        for encoded, row in self._known.items():
            if row.state == _OPEN and encoded not in holders:
                text = f"{row.info} is OPEN at {row.server} and served by nobody"
                self.report.add(Kind.NOT_SERVED, encoded, text)

    async def _newest(self, info: RegionInfo) -> Manifest | None:
        try:
            return await load_manifest(self._files, info)
        except CorruptionError as error:
            self.report.add(Kind.MANIFEST_DAMAGED, info.encoded_name, str(error))
            return None

    # -- directories -----------------------------------------------------------------------

    async def _check_directories(self) -> None:
        """What is in the root beside what hbase:meta leads to."""
        strangers = []
        directories = await region_directories(self._files)
        for directory in directories:
            if directory.encoded not in self._kept and directory.table != META_TABLE:
                manifest = await manifest_of(self._files, directory)
                strangers.append((directory, manifest))
                if manifest is not None:
                    # In doubt, whatever anybody names is kept.
                    self._named.update(dict.fromkeys(manifest.paths))
        for info in self._kept.values():
            for path in await store_files(self._files, region_directory(info)):
                if path not in self._named:
                    text = f"{path} belongs to no region"
                    self.report.add(Kind.FILE_UNUSED, path, text)
        for directory, manifest in strangers:
            self._check_stranger(directory, manifest)

    def _check_stranger(self, directory: RegionDirectory, manifest: Manifest | None) -> None:
        regions = self._of_tables().get(str(directory.table))
        path = directory.path
        if regions is None:
            text = f"{path}: there is no table {directory.table} in hbase:meta"
            self.report.add(Kind.TABLE_UNKNOWN, path, text)
        elif manifest is None or key_space.is_covered(manifest.region, regions):
            text = f"{path} is of a region that hbase:meta does not know"
            self.report.add(Kind.REGION_UNUSED, path, text)
        else:
            text = f"{manifest.region} has a manifest, and is not in hbase:meta"
            self.report.add(Kind.REGION_UNKNOWN, path, text)


def _is_split(row: RegionRow) -> bool:
    return row.info.split or row.state == _SPLIT
