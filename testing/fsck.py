"""Whether hbase:meta, the servers and the files tell one story.

What must hold (docs/architecture.md, invariants): the open regions of a table tile its key space
(I2); a region has one owner, in its manifest, in hbase:meta and among the servers (I2); every
file a manifest names is there, whole, in order and inside its bounds (I1, I6); a dead server
has left no log that was not split (I1).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..actors.log_writer import OLD_WALS, WALS, wal_directory
from ..actors.meta_rows import MetaContent, RegionRow, TableState
from ..actors.posix import FENCED
from ..errors import CorruptionError
from ..model import META_REGION, RegionInfo
from ..runtime import FileSystem
from ..storage.block_cache import BlockCache
from ..storage.hfile.reader import HFileReader
from ..storage.key import END, META_ROWS, PLAIN_ROWS
from ..storage.manifest import Manifest, StoreFileEntry, manifest_directory, region_directory
from ..storage.wal import WalRecord, read_log, read_regions

_CACHE_BYTES: Final = 1 << 20
_OPEN: Final = "OPEN"


@dataclass(slots=True)
class Report:
    """``problems`` break an invariant. ``garbage`` are files nothing refers to: harmless."""

    problems: list[str] = field(default_factory=list)
    garbage: list[str] = field(default_factory=list)
    regions: int = 0
    files: int = 0
    cells: int = 0


class Fsck:
    """One check of a quiet cluster, or of the files of a stopped one.

    Args:
        files: the root.
        content: all of hbase:meta.
        serving: server name -> encoded names of the regions it says it serves; None if the
            cluster is stopped, and then no owner is expected to be alive.
        catalog: the region of hbase:meta, to be checked as well; None: there is none.
    """

    def __init__(
        self,
        files: FileSystem,
        content: MetaContent,
        serving: Mapping[str, Sequence[str]] | None,
        *,
        catalog: RegionInfo | None = META_REGION,
    ) -> None:
        self._files = files
        self._content = content
        self._serving = serving
        self._catalog = catalog
        self._named: dict[str, None] = {}
        self._manifests: dict[str, Manifest] = {}
        self.report = Report()

    async def run(self) -> Report:
        """Reads every byte of every file that belongs to a region."""
        enabled = {row.name for row in self._content.tables if row.state is TableState.ENABLED}
        self._check_tiling()
        if self._catalog is not None:
            await self._check_region(RegionRow(self._catalog, _OPEN), expected_open=True)
        for row in self._content.regions:
            if row.info.split or row.state == "SPLIT":
                await self._check_parent(row)
            else:
                expected_open = row.info.table in enabled or row.info.table.is_system
                await self._check_region(row, expected_open=expected_open)
        if self._serving is not None:
            self._check_serving()
            await self._check_logs()
            await self._check_archived_logs()
        await self._find_garbage()
        return self.report

    def _problem(self, text: str) -> None:
        self.report.problems.append(text)

    def _check_tiling(self) -> None:
        tables: dict[str, list[RegionInfo]] = {str(row.name): [] for row in self._content.tables}
        for row in self._content.regions:
            if not (row.info.split or row.state == "SPLIT"):
                tables.setdefault(str(row.info.table), []).append(row.info)
        for table, regions in tables.items():
            regions.sort(key=lambda info: (info.start_key, info.region_id))
            reached = b""
            for position, info in enumerate(regions):
                if position and not reached:
                    self._problem(f"{table}: {info} begins after the end of the table")
                elif info.start_key > reached:
                    self._problem(f"{table}: nobody holds [{reached!r}, {info.start_key!r})")
                elif info.start_key < reached:
                    self._problem(f"{table}: {info} begins inside the region before it")
                reached = info.end_key
            if reached or not regions:
                self._problem(f"{table}: nobody holds [{reached!r}, the end)")

    async def _check_region(self, row: RegionRow, *, expected_open: bool) -> None:
        self.report.regions += 1
        info = row.info
        manifest = await self._newest(info)
        if manifest is None:
            if row.state == _OPEN:
                self._problem(f"{info} is open and has no manifest")
            return
        if (manifest.region.start_key, manifest.region.end_key) != (info.start_key, info.end_key):
            self._problem(f"{info}: its manifest is of {manifest.region}")
        if self._serving is not None and expected_open:
            self._check_owner(row, manifest)
        self._manifests[info.encoded_name] = manifest
        for entry in manifest.files:
            if entry.max_sequence_id > manifest.max_sequence_id:
                self._problem(f"{entry.path} has edits after {manifest.max_sequence_id} of {info}")
            await self._check_file(manifest, entry)

    def _check_owner(self, row: RegionRow, manifest: Manifest) -> None:
        assert self._serving is not None
        if row.state != _OPEN:
            self._problem(f"{row.info} is {row.state}, not OPEN")
        if manifest.owner not in self._serving:
            self._problem(f"{row.info} belongs to {manifest.owner or 'nobody'}, which is not alive")
        if row.info != META_REGION and str(row.server) != manifest.owner:
            self._problem(
                f"{row.info} is at {row.server} in hbase:meta, at {manifest.owner or 'nobody'} "
                "in its manifest"
            )

    async def _check_parent(self, row: RegionRow) -> None:
        known = {other.info.encoded_name for other in self._content.regions}
        for daughter in row.daughters:
            if daughter.encoded_name not in known:
                self._problem(f"{row.info} was split, but {daughter} is not in hbase:meta")
        manifest = await self._newest(row.info)
        if manifest is not None:
            self._named.update((entry.path, None) for entry in manifest.files)

    def _check_serving(self) -> None:
        assert self._serving is not None
        holders: dict[str, list[str]] = {}
        for server, regions in self._serving.items():
            for encoded in regions:
                holders.setdefault(encoded, []).append(server)
        known = {row.info.encoded_name: row for row in self._content.regions}
        for encoded, servers in sorted(holders.items()):
            if len(servers) > 1:
                self._problem(f"region {encoded} is served by {' and by '.join(servers)}")
            if encoded not in known and encoded != META_REGION.encoded_name:
                self._problem(f"region {encoded} is served by {servers[0]}, not in hbase:meta")
        for encoded, row in known.items():
            if row.state == _OPEN and encoded not in holders:
                self._problem(f"{row.info} is OPEN at {row.server} and served by nobody")

    async def _newest(self, info: RegionInfo) -> Manifest | None:
        directory = manifest_directory(info)
        names = [name for name in await self._files.list(directory) if name.isdigit()]
        if not names:
            return None
        path = f"{directory}/{names[-1]}"
        try:
            return Manifest.decode(path, await self._files.read(path))
        except CorruptionError as error:
            self._problem(str(error))
            return None

    async def _check_file(self, manifest: Manifest, entry: StoreFileEntry) -> None:
        first_time = entry.path not in self._named
        self._named[entry.path] = None
        try:
            data = await self._files.read(entry.path)
        except FileNotFoundError:
            self._problem(f"{manifest.region}: its file {entry.path} is missing")
            return
        if len(data) != entry.size:
            self._problem(f"{entry.path} has {len(data)} bytes, its manifest says {entry.size}")
            return
        self.report.files += first_time
        try:
            self._check_cells(manifest, entry, HFileReader.from_image(entry.path, memoryview(data)))
        except CorruptionError as error:
            self._problem(str(error))

    def _check_cells(self, manifest: Manifest, entry: StoreFileEntry, reader: HFileReader) -> None:
        cache = BlockCache(_CACHE_BYTES)
        info = manifest.region
        rows = META_ROWS if info == META_REGION else PLAIN_ROWS
        last = b""
        entries = 0
        for block in reader.blocks(cache):
            for key in block.keys:
                entries += 1
                if key <= last:
                    self._problem(f"{entry.path}: cells out of order at {key!r}")
                    return
                last = key
                if (entry.lower and key < entry.lower) or (entry.upper and key >= entry.upper):
                    continue
                self.report.cells += 1
                if not info.contains(rows.decode(key[: key.index(END)])):
                    self._problem(f"{entry.path}: a cell of another region in {info}: {key!r}")
                    return
        if entries != entry.entries and not entry.is_reference:
            self._problem(f"{entry.path} has {entries} cells, its manifest says {entry.entries}")

    async def _check_logs(self) -> None:
        """A server that died before it had a region leaves a log without records: garbage."""
        assert self._serving is not None
        for server in await self._files.list(WALS):
            if server in self._serving:
                continue
            for name in await self._files.list(wal_directory(server)):
                path = f"{wal_directory(server)}/{name}"
                if name == FENCED:
                    continue
                regions = read_regions(path, await self._files.read(path))
                if regions:
                    self._problem(f"{path} of a dead server was not split: it holds {regions}")
                else:
                    self.report.garbage.append(path)

    async def _check_archived_logs(self) -> None:
        """What a living server put away must be in the files of the regions it has."""
        assert self._serving is not None
        for server in self._serving:
            for name in await self._files.list(f"{OLD_WALS}/{server}"):
                path = f"{OLD_WALS}/{server}/{name}"
                for record in read_log(path, await self._files.read(path)):
                    manifest = self._manifests.get(record.region)
                    if manifest is not None and manifest.owner == server:
                        self._check_archived(path, record, manifest)

    def _check_archived(self, path: str, record: WalRecord, manifest: Manifest) -> None:
        number = record.sequence_id
        if number < manifest.open_sequence_id:
            return  # From an earlier stay at this server.
        for cells in record.families:
            if number > manifest.flushed.get(cells.family, number):
                self._problem(f"{path} was archived, but edit {number} of {record.region} needs it")

    async def _find_garbage(self) -> None:
        for info in [META_REGION, *(row.info for row in self._content.regions)]:
            base = region_directory(info)
            for family in await self._files.list(base):
                directory = f"{base}/{family}"
                if family in ("manifest", "recovered.edits"):
                    continue
                self.report.garbage += [
                    os.path.join(directory, name)
                    for name in await self._files.list(directory)
                    if f"{directory}/{name}" not in self._named
                ]
